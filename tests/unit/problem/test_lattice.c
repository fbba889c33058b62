/* Lattices: what the Hermite normal form spans is compared with sums of the vectors that it was made of. */
#include <cospin/problem/lattice.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { MAX_DIMENSION = 4, MAX_VECTORS = 6, NUM_LATTICES = 300 };

static int random_between(uint64_t *state, int lo, int hi)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return lo + (int)((*state >> 33) % (uint64_t)(hi - lo + 1));
}

typedef struct {
  int dimension, num;
  int vectors[MAX_VECTORS][MAX_DIMENSION];
  CospinLattice lattice;
} Span;

/* Some vectors are multiples and sums of others, some are zero. */
static Span random_span(uint64_t *state)
{
  Span span = {.dimension = random_between(state, 1, MAX_DIMENSION),
               .num = random_between(state, 0, MAX_VECTORS)};

  OK(CospinLatticeCreate(span.dimension, &span.lattice));
  for (int v = 0; v < span.num; v++) {
    const int factor = random_between(state, 0, 2);
    for (int i = 0; i < span.dimension; i++) {
      span.vectors[v][i] = v && factor ? factor * span.vectors[v - 1][i] : random_between(state, -6, 6);
    }
    OK(CospinLatticeAdd(span.lattice, span.vectors[v]));
  }
  return span;
}

static void for_random_spans(void (*check)(const Span *span, uint64_t *state))
{
  uint64_t state = 11;

  for (int k = 0; k < NUM_LATTICES; k++) {
    Span span = random_span(&state);
    check(&span, &state);
    OK(CospinLatticeDestroy(&span.lattice));
  }
}

static void add_multiple(const Span *span, int factor, const int vector[], int label[])
{
  for (int i = 0; i < span->dimension; i++) label[i] += factor * vector[i];
}

/* Rank by elimination of fractions: rows[][] is destroyed. */
static int rank_of(int num, int n, int64_t rows[][MAX_DIMENSION])
{
  int rank = 0;

  for (int column = 0; column < n; column++) {
    int found = rank;
    while (found < num && rows[found][column] == 0) found++;
    if (found == num) continue;
    for (int i = 0; i < n; i++) {
      const int64_t swap = rows[rank][i];
      rows[rank][i] = rows[found][i];
      rows[found][i] = swap;
    }
    for (int r = rank + 1; r < num; r++) {
      const int64_t a = rows[rank][column], b = rows[r][column];
      for (int i = 0; i < n; i++) rows[r][i] = a * rows[r][i] - b * rows[rank][i];
    }
    rank++;
  }
  return rank;
}

static void check_form(const Span *span, uint64_t *state)
{
  const int n = span->dimension;
  int64_t rows[MAX_VECTORS][MAX_DIMENSION] = {{0}};
  int last = -1;

  (void)state;
  for (int v = 0; v < span->num; v++) {
    for (int i = 0; i < n; i++) rows[v][i] = span->vectors[v][i];
  }
  assert_int_equal(CospinLatticeDimension(span->lattice), n);
  assert_int_equal(CospinLatticeRank(span->lattice), rank_of(span->num, n, rows));
  for (int r = 0; r < CospinLatticeRank(span->lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(span->lattice, r, &pivot);
    assert_true(pivot > last);
    for (int i = 0; i < pivot; i++) assert_int_equal(row[i], 0);
    assert_true(row[pivot] > 0);
    for (int above = 0; above < r; above++) {
      int other;
      const int entry = CospinLatticeRow(span->lattice, above, &other)[pivot];
      assert_in_range(entry, 0, row[pivot] - 1);
    }
    last = pivot;
  }
}

static void rows_are_in_hermite_normal_form(void **state)
{
  (void)state;
  for_random_spans(check_form);
}

/* The span does not depend on the order of the vectors, and its normal form is unique. */
static void check_order(const Span *span, uint64_t *state)
{
  CospinLattice backwards;

  (void)state;
  OK(CospinLatticeCreate(span->dimension, &backwards));
  for (int v = span->num - 1; v >= 0; v--) OK(CospinLatticeAdd(backwards, span->vectors[v]));
  assert_int_equal(CospinLatticeRank(backwards), CospinLatticeRank(span->lattice));
  for (int r = 0; r < CospinLatticeRank(backwards); r++) {
    int pivot, other;
    const int *row = CospinLatticeRow(backwards, r, &pivot);
    assert_memory_equal(row, CospinLatticeRow(span->lattice, r, &other),
                        sizeof(int) * (size_t)span->dimension);
    assert_int_equal(pivot, other);
  }
  OK(CospinLatticeDestroy(&backwards));
}

static void normal_form_is_unique(void **state)
{
  (void)state;
  for_random_spans(check_order);
}

static void check_combinations(const Span *span, uint64_t *state)
{
  for (int sample = 0; sample < 20; sample++) {
    int sum[MAX_DIMENSION] = {0}, label[MAX_DIMENSION], moved[MAX_DIMENSION];
    for (int v = 0; v < span->num; v++)
      add_multiple(span, random_between(state, -5, 5), span->vectors[v], sum);
    assert_true(CospinLatticeContains(span->lattice, sum));
    for (int i = 0; i < span->dimension; i++) label[i] = moved[i] = random_between(state, -50, 50);
    add_multiple(span, 1, sum, moved);
    CospinLatticeReduce(span->lattice, label);
    CospinLatticeReduce(span->lattice, moved);
    assert_memory_equal(label, moved, sizeof(int) * (size_t)span->dimension);
    for (int r = 0; r < CospinLatticeRank(span->lattice); r++) {
      int pivot;
      const int *row = CospinLatticeRow(span->lattice, r, &pivot);
      assert_in_range(label[pivot], 0, row[pivot] - 1);
    }
  }
}

static void combinations_are_contained_and_labels_reduce_to_one(void **state)
{
  (void)state;
  for_random_spans(check_combinations);
}

/* Two vectors in the plane: x is in their span exactly if Cramer's rule gives integers. */
static void others_are_not_contained(void **state)
{
  uint64_t seed = 3;

  (void)state;
  for (int k = 0; k < NUM_LATTICES; k++) {
    int a[2], b[2], determinant;
    CospinLattice lattice;
    for (int i = 0; i < 2; i++) a[i] = random_between(&seed, -6, 6);
    for (int i = 0; i < 2; i++) b[i] = random_between(&seed, -6, 6);
    determinant = a[0] * b[1] - a[1] * b[0];
    if (determinant == 0) continue;
    OK(CospinLatticeCreate(2, &lattice));
    OK(CospinLatticeAdd(lattice, a));
    OK(CospinLatticeAdd(lattice, b));
    for (int x = -7; x <= 7; x++) {
      for (int y = -7; y <= 7; y++) {
        const int s = x * b[1] - y * b[0], t = a[0] * y - a[1] * x, vector[2] = {x, y};
        const int inside = s % determinant == 0 && t % determinant == 0;
        assert_int_equal(CospinLatticeContains(lattice, vector), inside);
      }
    }
    OK(CospinLatticeDestroy(&lattice));
  }
}

static void the_zero_lattice_contains_zero_only(void **state)
{
  const int zero[3] = {0, 0, 0}, other[3] = {0, -1, 0};
  int label[3] = {4, -5, 6};
  CospinLattice lattice;

  (void)state;
  OK(CospinLatticeCreate(3, &lattice));
  OK(CospinLatticeAdd(lattice, zero));
  assert_int_equal(CospinLatticeRank(lattice), 0);
  assert_true(CospinLatticeContains(lattice, zero));
  assert_false(CospinLatticeContains(lattice, other));
  CospinLatticeReduce(lattice, label);
  assert_int_equal(label[0], 4);
  assert_int_equal(label[1], -5);
  assert_int_equal(label[2], 6);
  OK(CospinLatticeDestroy(&lattice));
  assert_null(lattice);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_in_hermite_normal_form),
      cmocka_unit_test(normal_form_is_unique),
      cmocka_unit_test(combinations_are_contained_and_labels_reduce_to_one),
      cmocka_unit_test(others_are_not_contained),
      cmocka_unit_test(the_zero_lattice_contains_zero_only),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
