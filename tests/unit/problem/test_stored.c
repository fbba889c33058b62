/* Stored states: labels of all kinds of components to columns and back; rows to a file and back.
 */
#define _XOPEN_SOURCE 700
#include "support_model.h"
#include <cospin/dataset/dataset.h>
#include <cospin/problem/storage.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

static const char deck[] =
    "title: a model\n"
    "components: {e: {kind: ensemble, size: 3}, s: {kind: spin, S: 3/2}, c: {kind: mode, cutoff: 3},\n"
    "             q: {kind: spins, size: 2}}\n"
    "jumps: [{rate: 1, each: e.sm}, {rate: 1, operator: s.Sx + c.a + dag(c.a) + q.Sx}]\n"
    "tasks: [steady: {store: state}]\n";

/* The sector of the lattice of all whole numbers. */
static void every_label(const CospinSystem *system, CospinLattice *lattice, CospinSector *everything)
{
  int zero[COSPIN_MAX_COORDINATES] = {0};

  OK(CospinLatticeCreate(system->num_coordinates, lattice));
  for (int i = 0; i < system->num_coordinates; i++) {
    int unit[COSPIN_MAX_COORDINATES] = {0};
    unit[i] = 1;
    OK(CospinLatticeAdd(*lattice, unit));
  }
  OK(CospinSectorCreate(system, *lattice, zero, everything));
  assert_true(CospinSectorDimension(*everything) == 20 * 16 * 9 * 16);
}

static void test_labels_have_columns(void **state)
{
  Model model = Model_Open(PETSC_COMM_SELF, deck, 0);
  const CospinSystem *system = &model.problem->system;
  const int n = system->num_coordinates;
  const double sizes_expected[] = {3, 1.5, 3, 2};
  double columns[2 * COSPIN_MAX_COORDINATES], sizes[4];
  CospinLattice lattice;
  CospinSector everything;

  (void)state;
  every_label(system, &lattice, &everything);
  assert_int_equal(CospinStorageNumColumns(system), 3 + 2 + 2 + 2);
  CospinStorageSizes(system, sizes);
  for (int c = 0; c < 4; c++) assert_true(sizes[c] == sizes_expected[c]);
  for (PetscInt64 i = 0; i < CospinSectorDimension(everything); i++) {
    int label[COSPIN_MAX_COORDINATES], again[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(everything, i, label);
    CospinStorageColumns(system, label, columns);
    assert_true(CospinStorageLabel(system, columns, again));
    for (int k = 0; k < n; k++) assert_int_equal(again[k], label[k]);
    /* |m|, |m'| <= j <= N/2; quanta and bits as numbers */
    assert_true(columns[0] <= 1.5 && columns[1] <= columns[0] && -columns[2] <= columns[0]);
    assert_true(columns[3] == label[system->components[1].offset] - 1.5);
    assert_true(columns[5] == label[system->components[2].offset]);
    assert_true(columns[7] == label[n - 4] + 2 * label[n - 2]);
    assert_true(columns[8] == label[n - 3] + 2 * label[n - 1]);
    columns[i % 9] += 0.25;
    assert_false(CospinStorageLabel(system, columns, again) && i % 9 < 7); /* bits are cut to whole numbers */
  }
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  Model_Close(&model);
}

static void fill(CospinStored stored)
{
  const double sizes[] = {4, 0.5};

  for (int k = 0; k < 3; k++) {
    CospinStoredState one;
    OK(CospinStoredAdd(stored, k % 2, k, 2, sizes, 3, &one));
    for (int row = 0; row < 400 * k; row++) { /* more than the first allocation; none in the first state */
      const double labels[] = {row, -0.5 * row, k};
      OK(CospinStoredStateAppend(one, labels, row + 0.25 * k * _Complex_I));
    }
  }
}

/* a + factor b, with the factor's sign and what only one of them has. */
static void test_states_are_added(void **state)
{
  static const double both[] = {1, 2, 3}, first[] = {0, 2, 3}, second[] = {1, 2, 4}, sizes[] = {4, 0.5};
  static const double expected[3][5] = {{0, 2, 3, 1, -2}, {1, 2, 3, 1 - 0.75, 0.5}, {1, 2, 4, -0.25, 1.25}};
  CospinStored stored;
  CospinStoredState a, b;

  (void)state;
  OK(CospinStoredCreate(0, &stored));
  OK(CospinStoredAdd(stored, 0, 0, 2, sizes, 3, &a));
  OK(CospinStoredAdd(stored, 0, 1, 2, sizes, 3, &b));
  OK(CospinStoredStateAppend(a, both, CMPLX(1, 0)));
  OK(CospinStoredStateAppend(a, first, CMPLX(1, -2)));
  OK(CospinStoredStateAppend(b, second, CMPLX(1, -5)));
  OK(CospinStoredStateAppend(b, both, CMPLX(3, -2)));
  OK(CospinStoredStateAxpy(a, -0.25, b));
  OK(CospinStoredStateCombine(a));
  assert_int_equal(a->count, 3);
  assert_memory_equal(a->rows, expected, sizeof(expected));
  assert_int_equal(b->count, 2);
  OK(CospinStoredDestroy(&stored));
}

/* Two points, the second one with states; tasks 0 and 1 have groups of three times. */
static void test_there_and_back_through_a_file(void **state)
{
  static const CospinDimension axes[] = {{"x", 2, NULL, "1", "x"}};
  static const CospinVariable variables[] = {
      {.name = "outcome", .storage = COSPIN_INTEGER, .dimension = -1, .size = 1}};
  static const double times[] = {0, 1, 2}, records[] = {1, 1};
  CospinStoredComponent components[] = {{"a", "spin", "|m><m|"}, {"b", "mode", "|n><n|"}};
  CospinStoredColumn sizes[] = {{"a_size", COSPIN_REAL, "size"}, {"b_size", COSPIN_REAL, "size"}};
  CospinStoredColumn columns[] = {
      {"a_m", COSPIN_REAL, "m"}, {"b_n", COSPIN_REAL, "n"}, {"b_k", COSPIN_REAL, "k"}};
  CospinStoredGroup groups[2] = {
      {"even", 0, {"time", 3, times, "1", "time"}, 2, components, sizes, 3, columns},
      {"odd", 1, {"time", 3, times, "1", "time"}, 2, components, sizes, 3, columns}};
  const CospinLayout layout = {1, axes, 0, NULL, 1, variables, 1, 2, groups};
  char file[] = "/tmp/cospin_stored_XXXXXX", why[512] = "";
  CospinDatasetContent content;
  CospinStored stored;

  (void)state;
  assert_true(close(mkstemp(file)) == 0);
  OK(CospinStoredCreate(1, &stored));
  fill(stored);
  OK(CospinDatasetWrite(file, &layout, records,
                        &(CospinDatasetTexts){.title = "t", .source = "", .num_stored = 1, .stored = &stored},
                        why, sizeof(why)));
  OK(CospinDatasetRead(file, &layout, &content, why, sizeof(why)));
  assert_null(content.stored[0]);
  assert_int_equal(content.stored[1]->count, 2); /* the first of the three has no elements */
  for (int k = 0; k < 2; k++) {
    const CospinStoredState b = content.stored[1]->states[k], a = stored->states[b->time];
    assert_int_equal(b->task, a->task);
    assert_int_equal(b->count, a->count);
    assert_memory_equal(a->sizes, b->sizes, 2 * sizeof(double));
    assert_memory_equal(a->rows, b->rows, (size_t)a->count * 5 * sizeof(double));
  }
  OK(CospinDatasetContentFree(&content));
  OK(CospinStoredDestroy(&stored));
  assert_int_equal(unlink(file), 0);
}

static void test_take_leaves_nothing(void **state)
{
  CospinStored stored, from;

  (void)state;
  OK(CospinStoredCreate(1, &stored));
  OK(CospinStoredCreate(1, &from));
  fill(from);
  OK(CospinStoredTake(stored, from));
  assert_int_equal(from->count, 0);
  assert_int_equal(stored->count, 3);
  OK(CospinStoredDestroy(&from));
  assert_int_equal(stored->states[2]->count, 800);
  OK(CospinStoredDestroy(&stored));
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_labels_have_columns),
      cmocka_unit_test(test_states_are_added),
      cmocka_unit_test(test_there_and_back_through_a_file),
      cmocka_unit_test(test_take_leaves_nothing),
  };
  int failures;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
