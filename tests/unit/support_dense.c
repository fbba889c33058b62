#include "support_dense.h"
#include <ctype.h>
#include <math.h>
#include <petscblaslapack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

/* ---- Matrices
 * ---------------------------------------------------------------------------------------------- */

/* With room behind: OpenBLAS's zgemv for AVX-512 reads past the end of a matrix, and at the end of a page
   that is a segmentation fault (seen in gesvd, once in ten runs on a busy machine). */
static double complex *allocate(size_t count)
{
  double complex *a = calloc(count + 512, sizeof(*a));

  assert_non_null(a);
  return a;
}

Dense Dense_Zero(int n)
{
  return (Dense){n, allocate((size_t)n * (size_t)n)};
}

Dense Dense_Identity(int n, double complex factor)
{
  Dense m = Dense_Zero(n);

  for (int i = 0; i < n; i++) *Dense_At(m, i, i) = factor;
  return m;
}

void Dense_Free(Dense *m)
{
  free(m->a);
  m->a = NULL;
}

static size_t count(Dense m)
{
  return (size_t)m.n * (size_t)m.n;
}

void Dense_Axpy(Dense y, double complex factor, Dense x)
{
  assert_int_equal(y.n, x.n);
  for (size_t k = 0; k < count(x); k++) y.a[k] += factor * x.a[k];
}

Dense Dense_Product(Dense a, Dense b)
{
  Dense c = Dense_Zero(a.n);

  assert_int_equal(a.n, b.n);
  for (int j = 0; j < a.n; j++) {
    for (int k = 0; k < a.n; k++) {
      const double complex factor = *Dense_At(b, k, j);
      if (factor == 0.0) continue;
      for (int i = 0; i < a.n; i++) *Dense_At(c, i, j) += *Dense_At(a, i, k) * factor;
    }
  }
  return c;
}

Dense Dense_Adjoint(Dense a)
{
  Dense b = Dense_Zero(a.n);

  for (int j = 0; j < a.n; j++) {
    for (int i = 0; i < a.n; i++) *Dense_At(b, j, i) = conj(*Dense_At(a, i, j));
  }
  return b;
}

Dense Dense_Kron(Dense a, Dense b)
{
  Dense c = Dense_Zero(a.n * b.n);

  for (int j = 0; j < c.n; j++) {
    for (int i = 0; i < c.n; i++)
      *Dense_At(c, i, j) = *Dense_At(a, i / b.n, j / b.n) * *Dense_At(b, i % b.n, j % b.n);
  }
  return c;
}

double Dense_Norm(Dense a)
{
  double norm = 0.0;

  for (int i = 0; i < a.n; i++) {
    double sum = 0.0;
    for (int j = 0; j < a.n; j++) sum += cabs(*Dense_At(a, i, j));
    norm = fmax(norm, sum);
  }
  return norm;
}

double complex Dense_Expect(Dense a, Dense rho)
{
  double complex sum = 0.0;

  for (int i = 0; i < a.n; i++) {
    for (int j = 0; j < a.n; j++) sum += *Dense_At(a, i, j) * *Dense_At(rho, j, i);
  }
  return sum;
}

/* ---- Components
 * ----------------------------------------------------------------------------------------- */

static const char *kind_of(CospinProblem problem, int component)
{
  return problem->deck->components[component].kind->name;
}

/* The value of a key of a component. */
static double key_of(CospinProblem problem, int component, const char key[])
{
  const CospinSetting *setting = CospinRecordGet(&problem->deck->components[component], key);
  Dense value = Dense_Operator(problem, setting->text, 0);
  const double number = creal(value.a[0]);

  Dense_Free(&value);
  return number;
}

int Dense_Spins(CospinProblem problem, int component)
{
  assert_true(strcmp(kind_of(problem, component), "ensemble") == 0 ||
              strcmp(kind_of(problem, component), "spins") == 0);
  return (int)lround(key_of(problem, component, "size"));
}

/* Of `levels`: how many an atom has; of `matrix` all. */
static int levels_of_atom(CospinProblem problem, int component)
{
  return (int)lround(key_of(problem, component, "levels"));
}

static int num_atoms(CospinProblem problem, int component)
{
  return (int)lround(key_of(problem, component, "size"));
}

int Dense_Levels(CospinProblem problem, int component)
{
  const char *kind = kind_of(problem, component);

  if (strcmp(kind, "levels") == 0)
    return (int)lround(pow(levels_of_atom(problem, component), num_atoms(problem, component)));
  if (strcmp(kind, "matrix") == 0) return levels_of_atom(problem, component);
  if (strcmp(kind, "spin") == 0) return (int)lround(2 * key_of(problem, component, "S")) + 1;
  if (strcmp(kind, "mode") == 0) return (int)lround(key_of(problem, component, "cutoff"));
  return 1 << Dense_Spins(problem, component);
}

int Dense_Dimension(CospinProblem problem)
{
  int product = 1;

  for (int c = 0; c < problem->deck->num_components; c++) product *= Dense_Levels(problem, c);
  return product;
}

/* {{a,b},{c,d}} on one spin of several */
static Dense on_spin(int spins, int spin, const double complex local[2][2])
{
  const int stride = 1 << (spins - 1 - spin);
  Dense m = Dense_Zero(1 << spins);

  for (int j = 0; j < m.n; j++) {
    for (int i = 0; i < m.n; i++) {
      if (((i ^ j) & ~stride) == 0) *Dense_At(m, i, j) = local[(i & stride) != 0][(j & stride) != 0];
    }
  }
  return m;
}

static const struct {
  const char *name; /* of one spin; with S in front: the sum over spins of the half */
  double complex local[2][2], half;
} operators[] = {
    {"p", {{0, 1}, {0, 0}}, 1},  {"m", {{0, 0}, {1, 0}}, 1},   {"z", {{1, 0}, {0, -1}}, .5},
    {"x", {{0, 1}, {1, 0}}, .5}, {"y", {{0, -I}, {I, 0}}, .5}, {NULL, {{0}}, 0},
};

/* `Sp`, or `sp` of spin number `spin` */
static Dense of_ensemble(int spins, const char name[], int spin)
{
  int k = 0;
  Dense sum;

  while (strcmp(operators[k].name, name + 1) != 0) k++;
  if (name[0] == 's') return on_spin(spins, spin, operators[k].local);
  sum = Dense_Zero(1 << spins);
  for (int l = 0; l < spins; l++) {
    Dense one = on_spin(spins, l, operators[k].local);
    Dense_Axpy(sum, operators[k].half, one);
    Dense_Free(&one);
  }
  return sum;
}

/* factor sqrt(n) |n-1><n|, or its adjoint; of a spin with 2 S = levels - 1: factor sqrt(S (S+1) - m (m-1)) */
static Dense lowering(int levels, PetscBool spin, double complex factor, PetscBool adjoint)
{
  const double s = 0.5 * (levels - 1);
  Dense lower = Dense_Zero(levels);

  for (int n = 1; n < levels; n++) {
    const double m = n - s, value = spin ? sqrt(s * (s + 1) - m * (m - 1)) : sqrt(n);
    if (adjoint) *Dense_At(lower, n, n - 1) = factor * value;
    if (!adjoint) *Dense_At(lower, n - 1, n) = factor * value;
  }
  return lower;
}

static Dense diagonal(int levels, double first)
{
  Dense m = Dense_Zero(levels);

  for (int n = 0; n < levels; n++) *Dense_At(m, n, n) = first + n;
  return m;
}

static Dense of_spin(int levels, const char name[])
{
  static const struct {
    char elementary;
    double complex up, down;
  } rows[] = {{'p', 1, 0}, {'m', 0, 1}, {'x', .5, .5}, {'y', -.5 * I, .5 * I}};
  Dense up, down;
  int k = 0;

  if (strcmp(name, "b") == 0) return lowering(levels, PETSC_FALSE, 1, PETSC_FALSE);
  if (strcmp(name, "Sz") == 0) return diagonal(levels, -0.5 * (levels - 1));
  assert_int_equal(name[0], 'S');
  while (rows[k].elementary != name[1]) k++;
  up = lowering(levels, PETSC_TRUE, rows[k].up, PETSC_TRUE);
  down = lowering(levels, PETSC_TRUE, rows[k].down, PETSC_FALSE);
  Dense_Axpy(up, 1, down);
  Dense_Free(&down);
  return up;
}

static Dense of_mode(int levels, const char name[])
{
  if (strcmp(name, "n") == 0) return diagonal(levels, 0);
  assert_string_equal(name, "a");
  return lowering(levels, PETSC_FALSE, 1, PETSC_FALSE);
}

/* `Sx`, `Qxy`, `E` and `n` of one atom; Q_ij = s_i s_j + s_j s_i - 2/3 s(s+1) delta_ij */
static Dense of_atom(int levels, const char name[], const int index[2])
{
  const double s = 0.5 * (levels - 1);
  Dense one, two, product, sum;

  if (toupper((unsigned char)name[0]) == 'S') return of_spin(levels, (char[]){'S', name[1], 0});
  if (name[0] != 'Q') {
    sum = Dense_Zero(levels);
    *Dense_At(sum, index[0], index[toupper((unsigned char)name[0]) == 'E']) = 1;
    return sum;
  }
  one = of_spin(levels, (char[]){'S', name[1], 0});
  two = of_spin(levels, (char[]){'S', name[2], 0});
  sum = Dense_Identity(levels, name[1] == name[2] ? -2 * s * (s + 1) / 3 : 0);
  product = Dense_Product(one, two);
  Dense_Axpy(sum, 1, product);
  Dense_Free(&product);
  product = Dense_Product(two, one);
  Dense_Axpy(sum, 1, product);
  Dense_Free(&product);
  Dense_Free(&one);
  Dense_Free(&two);
  return sum;
}

/* Summed over atoms, the first of which is the first factor; small letters (but n): of atom `which` alone. */
static Dense of_levels(int atoms, int levels, const char name[], const int index[2], int which)
{
  const int single = name[0] == 'e' || name[0] == 's';
  Dense one = of_atom(levels, name, index), sum = Dense_Zero((int)lround(pow(levels, atoms)));

  for (int l = single ? which : 0; l < (single ? which + 1 : atoms); l++) {
    Dense before = Dense_Identity((int)lround(pow(levels, l)), 1),
          behind = Dense_Identity((int)lround(pow(levels, atoms - 1 - l)), 1);
    Dense half = Dense_Kron(before, one), whole = Dense_Kron(half, behind);
    Dense_Axpy(sum, 1, whole);
    Dense_Free(&whole);
    Dense_Free(&half);
    Dense_Free(&before);
    Dense_Free(&behind);
  }
  Dense_Free(&one);
  return sum;
}

/* `E` with two indices, or what the deck states, element by element as it is written. */
static Dense of_matrix(CospinProblem problem, int component, const char name[], const int index[2])
{
  const CospinSetting *setting = CospinRecordGet(&problem->deck->components[component], "operators");
  Dense m = Dense_Zero(Dense_Levels(problem, component));

  if (strcmp(name, "E") == 0) *Dense_At(m, index[0], index[1]) = 1;
  for (int k = 0; k < setting->num_matrices; k++) {
    const CospinMatrix *matrix = &setting->matrices[k];
    const int width = matrix->size ? 1 : 3;
    if (strcmp(matrix->name, name) != 0) continue;
    for (int e = 0; e < matrix->num_expressions; e += width) {
      double complex number[3];
      for (int j = 0; j < width; j++) {
        Dense value = Dense_Operator(problem, CospinExpressionText(matrix->entries[e + j]), 0);
        number[j] = value.a[0];
        Dense_Free(&value);
      }
      if (matrix->size)
        *Dense_At(m, e / m.n, e % m.n) = number[0];
      else
        *Dense_At(m, (int)creal(number[0]), (int)creal(number[1])) = number[2];
    }
  }
  return m;
}

/* The operator of one component, with identities of those around it. */
static Dense among_all(CospinProblem problem, int component, Dense local)
{
  Dense product = Dense_Identity(1, 1);

  for (int c = 0; c < problem->deck->num_components; c++) {
    Dense one = Dense_Identity(Dense_Levels(problem, c), 1);
    Dense next = Dense_Kron(product, c == component ? local : one);
    Dense_Free(&one);
    Dense_Free(&product);
    product = next;
  }
  return product;
}

/* `ions.Sp`, `ions.sp`, `cavity.a`, `atoms.E` with two indices */
static Dense named_operator(CospinProblem problem, const char name[], const int index[2], int spin)
{
  const char *dot = strchr(name, '.');
  const size_t length = (size_t)(dot - name);
  Dense local, all;
  int c = 0;

  for (;; c++) {
    const char *known;
    assert_true(c < problem->deck->num_components);
    known = problem->deck->components[c].name;
    if (strlen(known) == length && strncmp(known, name, length) == 0) break;
  }
  if (strcmp(kind_of(problem, c), "spin") == 0)
    local = of_spin(Dense_Levels(problem, c), dot + 1);
  else if (strcmp(kind_of(problem, c), "matrix") == 0)
    local = of_matrix(problem, c, dot + 1, index);
  else if (strcmp(kind_of(problem, c), "mode") == 0)
    local = of_mode(Dense_Levels(problem, c), dot + 1);
  else if (strcmp(kind_of(problem, c), "levels") == 0)
    local = of_levels(num_atoms(problem, c), levels_of_atom(problem, c), dot + 1, index, spin);
  else
    local = of_ensemble(Dense_Spins(problem, c), dot + 1, index[0]);
  all = among_all(problem, c, local);
  Dense_Free(&local);
  return all;
}

/* ---- Expressions
 * ------------------------------------------------------------------------------------------- */

typedef struct {
  CospinProblem problem;
  const char *at;
  int spin, n;
} Reader;

static Dense read_sum(Reader *reader);

static char next_character(Reader *reader)
{
  while (isspace((unsigned char)*reader->at)) reader->at++;
  return *reader->at;
}

static Dense read_name(Reader *reader)
{
  const CospinDeck deck = reader->problem->deck;
  char name[64];
  int length = 0, index[2] = {reader->spin, 0};

  while (isalnum((unsigned char)*reader->at) || *reader->at == '.' || *reader->at == '_')
    name[length++] = *reader->at++;
  name[length] = '\0';
  if (*reader->at == '[') {
    char *end;
    index[0] = (int)strtol(reader->at + 1, &end, 10);
    if (*end == ',') index[1] = (int)strtol(end + 1, &end, 10);
    assert_int_equal(*end, ']');
    reader->at = end + 1;
  }
  if (strchr(name, '.')) return named_operator(reader->problem, name, index, reader->spin);
  if (strcmp(name, "i") == 0) return Dense_Identity(reader->n, I);
  for (int k = 0; k < deck->num_parameters; k++) {
    if (strcmp(deck->parameters[k].name, name) == 0)
      return Dense_Identity(reader->n, reader->problem->parameters[k]);
  }
  fail_msg("The reference does not know %s", name);
  return Dense_Zero(0);
}

static Dense read_primary(Reader *reader)
{
  const char first = next_character(reader);
  Dense value;
  char *end;

  if (first == '(') {
    reader->at++;
    value = read_sum(reader);
    assert_int_equal(next_character(reader), ')');
    reader->at++;
    return value;
  }
  if (strncmp(reader->at, "dag(", 4) == 0) {
    Dense inner;
    reader->at += 3;
    inner = read_primary(reader);
    value = Dense_Adjoint(inner);
    Dense_Free(&inner);
    return value;
  }
  if (isalpha((unsigned char)first)) return read_name(reader);
  value = Dense_Identity(reader->n, strtod(reader->at, &end));
  assert_true(end > reader->at);
  reader->at = end;
  return value;
}

static Dense read_power(Reader *reader)
{
  Dense base = read_primary(reader), value;
  long exponent;
  char *end;

  if (next_character(reader) != '^') return base;
  exponent = strtol(reader->at + 1, &end, 10);
  reader->at = end;
  value = Dense_Identity(reader->n, 1);
  for (long k = 0; k < exponent; k++) {
    Dense product = Dense_Product(value, base);
    Dense_Free(&value);
    value = product;
  }
  Dense_Free(&base);
  return value;
}

/* Division is by numbers only. */
static Dense read_product(Reader *reader)
{
  Dense value = read_power(reader);
  char sign;

  while ((sign = next_character(reader)) == '*' || sign == '/') {
    Dense factor, product;
    reader->at++;
    factor = read_power(reader);
    if (sign == '/') {
      for (int i = 0; i < factor.n; i++) *Dense_At(factor, i, i) = 1 / *Dense_At(factor, i, i);
    }
    product = Dense_Product(value, factor);
    Dense_Free(&value);
    Dense_Free(&factor);
    value = product;
  }
  return value;
}

static Dense read_sum(Reader *reader)
{
  Dense sum = Dense_Zero(reader->n);
  double factor = 1;

  for (;;) {
    Dense term;
    while (next_character(reader) == '+' || *reader->at == '-') factor *= *reader->at++ == '-' ? -1 : 1;
    if (strncmp(reader->at, "hc", 2) == 0) {
      reader->at += 2;
      term = Dense_Adjoint(sum);
    } else {
      term = read_product(reader);
    }
    Dense_Axpy(sum, factor, term);
    Dense_Free(&term);
    if (next_character(reader) != '+' && *reader->at != '-') return sum;
    factor = 1;
  }
}

Dense Dense_Operator(CospinProblem problem, const char text[], int spin)
{
  /* the size of a component is itself read here, as a number: then there are no components yet */
  const PetscBool is_number = (PetscBool)(strchr(text, '.') == NULL && strchr(text, '<') == NULL);
  Reader reader = {problem, text, spin, is_number ? 1 : Dense_Dimension(problem)};
  Dense value = read_sum(&reader);

  assert_int_equal(next_character(&reader), '\0');
  return value;
}

/* ---- Liouville space
 * --------------------------------------------------------------------------------------- */

/* liouvillian += factor * (A rho B) */
static void add_product(Dense liouvillian, double complex factor, Dense a, Dense b)
{
  Dense transposed = Dense_Zero(b.n), both;

  for (int i = 0; i < b.n; i++) {
    for (int j = 0; j < b.n; j++) *Dense_At(transposed, j, i) = *Dense_At(b, i, j);
  }
  both = Dense_Kron(transposed, a);
  Dense_Axpy(liouvillian, factor, both);
  Dense_Free(&both);
  Dense_Free(&transposed);
}

static void add_hamiltonian(Dense liouvillian, Dense h)
{
  Dense one = Dense_Identity(h.n, 1);

  add_product(liouvillian, -I, h, one);
  add_product(liouvillian, I, one, h);
  Dense_Free(&one);
}

static void add_jump(Dense liouvillian, double rate, Dense a, PetscBool whole)
{
  Dense one = Dense_Identity(a.n, 1), adjoint = Dense_Adjoint(a), square = Dense_Product(adjoint, a);

  add_product(liouvillian, rate, a, adjoint);
  if (!whole) rate = 0;
  add_product(liouvillian, -rate / 2, square, one);
  add_product(liouvillian, -rate / 2, one, square);
  Dense_Free(&square);
  Dense_Free(&adjoint);
  Dense_Free(&one);
}

/* Number of spins of the component whose one-spin operators the text holds ("ions.s"). */
static int summed_spins(CospinProblem problem, const char text[])
{
  for (int c = 0; c < problem->deck->num_components; c++) {
    char pattern[64];
    snprintf(pattern, sizeof(pattern), "%s.s", problem->deck->components[c].name);
    if (strcmp(kind_of(problem, c), "levels") == 0) {
      char element[64];
      snprintf(element, sizeof(element), "%s.e", problem->deck->components[c].name);
      if (strstr(text, pattern) || strstr(text, element)) return num_atoms(problem, c);
      continue;
    }
    if (strstr(text, pattern)) return Dense_Spins(problem, c);
  }
  fail_msg("No operator of one spin in %s", text);
  return 0;
}

static double jump_rate(CospinProblem problem, const CospinJump *jump)
{
  Dense rate = Dense_Operator(problem, CospinExpressionText(jump->rate), 0);
  const double value = creal(rate.a[0]);

  Dense_Free(&rate);
  return value;
}

/* name NULL: all of them, whole */
static void add_jumps(Dense liouvillian, CospinProblem problem, const char name[])
{
  const CospinDeck deck = problem->deck;

  for (int k = 0; k < deck->num_jumps; k++) {
    const char *text = CospinExpressionText(deck->jumps[k].op);
    const int num = deck->jumps[k].form == COSPIN_JUMP_EACH ? summed_spins(problem, text) : 1;
    if (name && (!deck->jumps[k].name || strcmp(name, deck->jumps[k].name) != 0)) continue;
    for (int l = 0; l < num; l++) {
      Dense a = Dense_Operator(problem, text, l);
      add_jump(liouvillian, jump_rate(problem, &deck->jumps[k]), a, (PetscBool)(name == NULL));
      Dense_Free(&a);
    }
  }
}

Dense Dense_Jumps(CospinProblem problem, const char name[])
{
  const int dimension = Dense_Dimension(problem);
  Dense jumps = Dense_Zero(dimension * dimension);

  add_jumps(jumps, problem, name);
  return jumps;
}

Dense Dense_Liouvillian(CospinProblem problem)
{
  const CospinDeck deck = problem->deck;
  const int dimension = Dense_Dimension(problem);
  Dense liouvillian = Dense_Zero(dimension * dimension);

  for (int k = 0; k < deck->num_hamiltonian; k++) {
    Dense h = Dense_Operator(problem, CospinExpressionText(deck->hamiltonian[k]), 0);
    add_hamiltonian(liouvillian, h);
    Dense_Free(&h);
  }
  add_jumps(liouvillian, problem, NULL);
  return liouvillian;
}

/* ---- Coupled states
 * ---------------------------------------------------------------------------------------- */

static Dense total(int spins, int elementary)
{
  Dense sum = Dense_Zero(1 << spins);

  for (int l = 0; l < spins; l++) {
    Dense one = on_spin(spins, l, operators[elementary].local);
    Dense_Axpy(sum, operators[elementary].half, one);
    Dense_Free(&one);
  }
  return sum;
}

/* Ascending eigenvalues of a hermitian matrix, which its eigenvectors replace. */
static void diagonalise(Dense m, double values[])
{
  PetscBLASInt n, work_size, info;
  double complex *work = allocate(count(m) + 64);
  double *real_work = calloc((size_t)(3 * m.n), sizeof(double));

  assert_non_null(real_work);
  assert_int_equal(PetscBLASIntCast(m.n, &n), 0);
  work_size = 4 * n;
  LAPACKsyev_("V", "U", &n, m.a, &n, values, work, &work_size, real_work, &info);
  assert_int_equal(info, 0);
  free(real_work);
  free(work);
}

/* v <- S- v / |S- v| */
static void lower(Dense sm, double complex v[])
{
  double complex *image = allocate((size_t)sm.n);
  double norm = 0;

  for (int j = 0; j < sm.n; j++) {
    for (int i = 0; i < sm.n; i++) image[i] += *Dense_At(sm, i, j) * v[j];
  }
  for (int i = 0; i < sm.n; i++) norm += creal(image[i] * conj(image[i]));
  for (int i = 0; i < sm.n; i++) v[i] = image[i] / sqrt(norm);
  free(image);
}

/* The copies i of irrep j have highest states |j,j,i>, the common null space of S- S+ and (Sz - j)^2; the
   rest of them follows by lowering, with positive amplitudes. */
static Dense coupled_element(int spins, const int label[3])
{
  const double j = 0.5 * spins - label[0];
  const int below = spins - 2 * label[0] - (label[1] - label[0]);
  const int below_bra = spins - 2 * label[0] - (label[2] - label[0]);
  Dense sp = total(spins, 0), sm = total(spins, 1), sz = total(spins, 2);
  Dense highest = Dense_Product(sm, sp), element = Dense_Zero(sp.n);
  double *values = calloc((size_t)sp.n, sizeof(double));
  int copies = 0;

  for (int i = 0; i < sp.n; i++) *Dense_At(highest, i, i) += pow(creal(*Dense_At(sz, i, i)) - j, 2);
  diagonalise(highest, values);
  for (; copies < sp.n && values[copies] < 1e-9; copies++) {
    double complex *ket = allocate((size_t)sp.n), *bra = allocate((size_t)sp.n);
    memcpy(ket, Dense_At(highest, 0, copies), sizeof(*ket) * (size_t)sp.n);
    memcpy(bra, ket, sizeof(*ket) * (size_t)sp.n);
    for (int k = 0; k < below; k++) lower(sm, ket);
    for (int k = 0; k < below_bra; k++) lower(sm, bra);
    for (int b = 0; b < sp.n; b++) {
      for (int a = 0; a < sp.n; a++) *Dense_At(element, a, b) += ket[a] * conj(bra[b]);
    }
    free(ket);
    free(bra);
  }
  assert_true(copies > 0);
  for (size_t k = 0; k < count(element); k++) element.a[k] /= copies;
  free(values);
  Dense_Free(&highest);
  Dense_Free(&sp);
  Dense_Free(&sm);
  Dense_Free(&sz);
  return element;
}

/* |x><y| of spins that can be told apart: 1 is up, their first state; spin 0 is the first factor. */
static Dense bits_element(int spins, const int label[])
{
  Dense element = Dense_Zero(1 << spins);
  int ket = 0, bra = 0;

  for (int l = 0; l < spins; l++) {
    ket = 2 * ket + !label[2 * l];
    bra = 2 * bra + !label[2 * l + 1];
  }
  *Dense_At(element, ket, bra) = 1;
  return element;
}

/* Normalised sum of all strings of levels in which c_k atoms are in level k or above; c_k = label[2*(k-1)].
 */
static Dense symmetric_ket(int atoms, int levels, const int label[])
{
  Dense ket = {(int)lround(pow(levels, atoms)), NULL};
  double norm = 0;

  ket.a = allocate((size_t)ket.n);
  for (int string = 0; string < ket.n; string++) {
    int above[16] = {0}, rest = string, same = 1;
    for (int l = 0; l < atoms; l++, rest /= levels) {
      for (int k = 1; k <= rest % levels; k++) above[k]++;
    }
    for (int k = 1; k < levels; k++) same = same && above[k] == label[2 * (k - 1)];
    ket.a[string] = same;
    norm += same;
  }
  for (int string = 0; string < ket.n; string++) ket.a[string] /= sqrt(norm);
  return ket;
}

static Dense symmetric_element(int atoms, int levels, const int label[])
{
  Dense ket = symmetric_ket(atoms, levels, label), bra = symmetric_ket(atoms, levels, label + 1),
        element = Dense_Zero(ket.n);

  for (int j = 0; j < bra.n; j++) {
    for (int i = 0; i < ket.n; i++) *Dense_At(element, i, j) = ket.a[i] * bra.a[j];
  }
  Dense_Free(&ket);
  Dense_Free(&bra);
  return element;
}

/* n[a][b] of a label that counts atoms in the elements from (0,1) on, in the order (0,0), (0,1), (1,0),
   (0,2), (2,0), (1,2), (2,1), ..., (1,1), (2,2), ... */
static void pair_numbers(int atoms, int levels, const int label[], int n[8][8])
{
  const int num = levels * levels, coherences = num - levels;
  int a = 0, b = 1;

  for (int e = 0; e < num; e++) { /* the label says how many are in element e or behind it, from e = 1 on */
    const int here = (e ? label[e - 1] : atoms) - (e + 1 < num ? label[e] : 0);
    if (e == 0 || e > coherences) {
      const int k = e ? e - coherences : 0;
      n[k][k] = here;
    } else if (e % 2) {
      n[a][b] = here;
    } else {
      n[b][a] = here;
      if (++a == b) {
        a = 0;
        b++;
      }
    }
  }
}

/* Sum of all distinct placements of n_ab atoms in |a><b|, over the root of how many there are. */
static Dense pair_element(int atoms, int levels, const int label[])
{
  Dense element = Dense_Zero((int)lround(pow(levels, atoms)));
  int n[8][8] = {{0}};
  double placements = 0;

  pair_numbers(atoms, levels, label, n);
  for (int y = 0; y < element.n; y++) {
    for (int x = 0; x < element.n; x++) {
      int found[8][8] = {{0}}, same = 1;
      for (int l = 0, i = x, j = y; l < atoms; l++, i /= levels, j /= levels) found[i % levels][j % levels]++;
      for (int a = 0; a < 8; a++) {
        for (int b = 0; b < 8; b++) same = same && found[a][b] == n[a][b];
      }
      *Dense_At(element, x, y) = same;
      placements += same;
    }
  }
  for (int k = 0; k < element.n * element.n; k++) element.a[k] /= sqrt(placements);
  return element;
}

/* Of one component; `width`: how many numbers of the label are its own. */
static Dense local_element(CospinProblem problem, int component, const int label[], int *width)
{
  const char *kind = kind_of(problem, component);
  Dense element;

  *width = 3;
  if (strcmp(kind, "ensemble") == 0) return coupled_element(Dense_Spins(problem, component), label);
  if (strcmp(kind, "levels") == 0) {
    const int levels = levels_of_atom(problem, component);
    if (problem->system.components[component].num_coordinates == levels * levels - 1) {
      *width = levels * levels - 1; /* more than 2 (levels - 1), whatever the levels */
      return pair_element(num_atoms(problem, component), levels, label);
    }
    *width = 2 * (levels - 1);
    return symmetric_element(num_atoms(problem, component), levels, label);
  }
  *width = strcmp(kind, "spins") == 0 ? 2 * Dense_Spins(problem, component) : 2;
  if (strcmp(kind, "spins") == 0) return bits_element(Dense_Spins(problem, component), label);
  element = Dense_Zero(Dense_Levels(problem, component));
  *Dense_At(element, label[0], label[1]) = 1;
  return element;
}

Dense Dense_Basis_Element(CospinProblem problem, const int label[])
{
  Dense element = Dense_Identity(1, 1);

  for (int c = 0; c < problem->deck->num_components; c++) {
    int width;
    Dense part = local_element(problem, c, label, &width), both = Dense_Kron(element, part);
    Dense_Free(&element);
    Dense_Free(&part);
    element = both;
    label += width;
  }
  return element;
}

/* ---- LAPACK
 * ------------------------------------------------------------------------------------------------ */

static Dense copy_of(Dense m)
{
  Dense copy = Dense_Zero(m.n);

  memcpy(copy.a, m.a, sizeof(*m.a) * count(m));
  return copy;
}

void Dense_Eigenvalues(Dense m, double complex values[])
{
  Dense copy = copy_of(m);
  PetscBLASInt n, one = 1, work_size, info = 0;
  double complex *work = allocate((size_t)(8 * m.n)), none = 0;
  double *real_work = calloc((size_t)(2 * m.n + 1), sizeof(double));

  assert_non_null(real_work);
  assert_int_equal(PetscBLASIntCast(PetscMax(m.n, 1), &n), 0);
  work_size = 8 * n;
  if (m.n)
    LAPACKgeev_("N", "N", &n, copy.a, &n, values, &none, &one, &none, &one, work, &work_size, real_work,
                &info);
  assert_int_equal(info, 0);
  free(real_work);
  free(work);
  Dense_Free(&copy);
}

int Dense_Nullity(Dense m, double complex null[])
{
  Dense copy = copy_of(m), right = Dense_Zero(m.n);
  PetscBLASInt n, one = 1, work_size, info;
  double complex *work = allocate((size_t)(8 * m.n)), none = 0;
  double *real_work = calloc((size_t)(5 * m.n + 1), sizeof(double)),
         *values = calloc((size_t)m.n, sizeof(double));
  int nullity = 0;

  assert_non_null(real_work);
  assert_non_null(values);
  assert_int_equal(PetscBLASIntCast(m.n, &n), 0);
  work_size = 8 * n;
  LAPACKgesvd_("N", "A", &n, &n, copy.a, &n, values, &none, &one, right.a, &n, work, &work_size, real_work,
               &info);
  assert_int_equal(info, 0);
  while (nullity < m.n && values[m.n - 1 - nullity] <= 1e-11 * values[0]) nullity++;
  for (int i = 0; null && i < m.n; i++) null[i] = conj(*Dense_At(right, m.n - 1, i)); /* rows are v^H */
  free(values);
  free(real_work);
  free(work);
  Dense_Free(&right);
  Dense_Free(&copy);
  return nullity;
}

void Dense_Solve(Dense m, double complex x[])
{
  Dense copy = copy_of(m);
  PetscBLASInt n, one = 1, info, *pivots = calloc((size_t)m.n, sizeof(*pivots));

  assert_non_null(pivots);
  assert_int_equal(PetscBLASIntCast(m.n, &n), 0);
  LAPACKgesv_(&n, &one, copy.a, &n, pivots, x, &n, &info);
  assert_int_equal(info, 0);
  free(pivots);
  Dense_Free(&copy);
}
