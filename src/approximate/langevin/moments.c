/*
   Expectation values from first and second moments of the three numbers of each spin, and the numbers that a
   product state gives to begin with.

   Operators of one spin are multiplied as matrices and taken apart into 1 and Pauli matrices; what is left
   are products of one or two spins, and operators of two spins commute, so no order is asked for.

   Why symmetric order needs no care here: products of operators of one spin become one operator of it,
   linear in its three numbers, and operators of different spins commute; so no product of two numbers of
   one spin is ever averaged.
*/
#include "approximate/product_state.h"
#include "langevin.h"
#include <string.h>

/* [row][column], up first */
typedef struct {
  double complex m[2][2];
} Matrix;

static const Matrix matrices[] = {
    [COSPIN_LANGEVIN_PLUS] = {{{0, 1}, {0, 0}}},
    [COSPIN_LANGEVIN_MINUS] = {{{0, 0}, {1, 0}}},
    [COSPIN_LANGEVIN_Z] = {{{1, 0}, {0, -1}}},
};

static Matrix product(Matrix a, Matrix b)
{
  Matrix c;

  for (int i = 0; i < 2; i++) {
    for (int j = 0; j < 2; j++) c.m[i][j] = a.m[i][0] * b.m[0][j] + a.m[i][1] * b.m[1][j];
  }
  return c;
}

/* a = c[3] + c[0] sx + c[1] sy + c[2] sz. c[k] = Tr(sigma_k a)/2. */
static void take_apart(Matrix a, double complex c[4])
{
  c[0] = (a.m[0][1] + a.m[1][0]) / 2;
  c[1] = I * (a.m[0][1] - a.m[1][0]) / 2;
  c[2] = (a.m[0][0] - a.m[1][1]) / 2;
  c[3] = (a.m[0][0] + a.m[1][1]) / 2;
}

/* ---- Collecting ---------------------------------------------------------------------------------------- */

/* <A> while it is summed: second[] dense, n x n by columns, upper triangle. */
typedef struct {
  int num_spins;
  double complex constant, *first, *second;
} Sum;

/* A = c_x sx + c_y sy + c_z sz + c_1, so its mean is linear in the spin's three numbers. Arrays have all x
   of the spins first, then all y, then all z. */
static void add_one(Sum *sum, double complex factor, int l, Matrix a)
{
  double complex c[4];

  take_apart(a, c);
  sum->constant += factor * c[3];
  for (int i = 0; i < 3; i++) sum->first[sum->num_spins * i + l] += factor * c[i];
}

/* A on spin l, B on another one m: products of numbers of both, means of either alone, and a constant. Only
   one triangle of the second moments is kept. */
static void add_two(Sum *sum, double complex factor, int l, Matrix a, int m, Matrix b)
{
  const int num = sum->num_spins;
  double complex c[4], d[4];

  take_apart(a, c);
  take_apart(b, d);
  sum->constant += factor * c[3] * d[3];
  for (int i = 0; i < 3; i++) {
    sum->first[num * i + l] += factor * c[i] * d[3];
    sum->first[num * i + m] += factor * c[3] * d[i];
    for (int j = 0; j < 3; j++) {
      const int left = num * i + l, right = num * j + m;
      sum->second[3 * num * PetscMax(left, right) + PetscMin(left, right)] += factor * c[i] * d[j];
    }
  }
}

/* Operators of named spins, those of one spin side by side; false: of more than two spins. Operators of
   two spins commute: a product is one matrix for each. Monomials come sorted by spins
   (deck/expression/polynomial.c), so equal ones stand side by side. */
static PetscBool add_named(Sum *sum, const CospinMonomial *monomial,
                           const CospinLangevinElementary operators[])
{
  Matrix matrix[2];
  int spin[2], num = 0;

  for (int k = 0; k < monomial->length; k++) {
    const Matrix next = matrices[operators[k].which];
    if (num && spin[num - 1] == operators[k].spin) {
      matrix[num - 1] = product(matrix[num - 1], next);
    } else {
      if (num == 2) return PETSC_FALSE;
      spin[num] = operators[k].spin;
      matrix[num++] = next;
    }
  }
  if (num == 0) sum->constant += monomial->coefficient;
  if (num == 1) add_one(sum, monomial->coefficient, spin[0], matrix[0]);
  if (num == 2) add_two(sum, monomial->coefficient, spin[0], matrix[0], spin[1], matrix[1]);
  return PETSC_TRUE;
}

/* With sums over spins, such as Sp Sm. The diagonal l = m of a double sum is a product within one spin,
   all else are pairs. */
static PetscBool add_sums(Sum *sum, const CospinMonomial *monomial,
                          const CospinLangevinElementary operators[])
{
  double complex factor = monomial->coefficient;
  int first[2] = {0, 0}, end[2] = {1, 1};

  if (monomial->length > 2) return PETSC_FALSE;
  for (int k = 0; k < monomial->length; k++) {
    factor *= operators[k].factor;
    first[k] = PetscMax(0, operators[k].spin);
    end[k] = operators[k].spin < 0 ? sum->num_spins : operators[k].spin + 1;
  }
  for (int l = first[0]; l < end[0]; l++) {
    const Matrix a = matrices[operators[0].which];
    if (monomial->length == 1) add_one(sum, factor, l, a);
    for (int m = first[1]; m < end[1] && monomial->length == 2; m++) {
      const Matrix b = matrices[operators[1].which];
      if (l == m)
        add_one(sum, factor, l, product(a, b));
      else
        add_two(sum, factor, l, a, m, b);
    }
  }
  return PETSC_TRUE;
}

/* False: an operator that these moments do not know, and an observable that is then missing. */
static PetscBool add_monomial(const CospinSystem *system, Sum *sum, const CospinMonomial *monomial)
{
  enum { MAX_OPERATORS = 16 };
  CospinLangevinElementary operators[MAX_OPERATORS];
  PetscBool sums = PETSC_FALSE;

  if (monomial->length > MAX_OPERATORS) return PETSC_FALSE;
  for (int k = 0; k < monomial->length; k++) {
    operators[k] = CospinLangevinElementaryOf(system, monomial->operators[k]);
    if (operators[k].which == COSPIN_LANGEVIN_OTHER) return PETSC_FALSE;
    if (operators[k].spin < 0) sums = PETSC_TRUE;
  }
  return sums ? add_sums(sum, monomial, operators) : add_named(sum, monomial, operators);
}

/* What is not zero. Twice over the same numbers: once to count, once to fill. */
static PetscErrorCode compress(const Sum *sum, CospinMoments *moments)
{
  const int n = 3 * sum->num_spins;

  PetscFunctionBeginUser;
  for (int pass = 0; pass < 2; pass++) {
    if (pass)
      PetscCall(
          PetscMalloc2((size_t)moments->count, &moments->place, (size_t)moments->count, &moments->value));
    moments->count = 0;
    for (int k = 0; k < n + n * n; k++) {
      const double complex value = k < n ? sum->first[k] : sum->second[k - n];
      if (value == 0.0) continue;
      if (pass) moments->place[moments->count] = k;
      if (pass) moments->value[moments->count] = value;
      moments->count++;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentsCreate(CospinLangevin equations, const CospinSystem *system, CospinPolynomial a,
                                   CospinMoments *moments)
{
  const size_t n = 3 * (size_t)equations->size;
  Sum sum = {.num_spins = equations->size};

  PetscFunctionBeginUser;
  *moments = (CospinMoments){.known = PETSC_TRUE};
  PetscCall(PetscCalloc2(n, &sum.first, n * n, &sum.second));
  for (int k = 0; k < a->count && moments->known; k++)
    moments->known = add_monomial(system, &sum, &a->monomials[k]);
  moments->constant = sum.constant;
  if (moments->known) PetscCall(compress(&sum, moments));
  PetscCall(PetscFree2(sum.first, sum.second));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentsDestroy(CospinMoments *moments)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(moments->place, moments->value));
  PetscFunctionReturn(0);
}

/* From sums over `count` trajectories. Sums over trajectories and not means: the caller divides by the
   count once. */
double complex CospinMomentsEvaluate(const CospinMoments *moments, int n, double count, const double first[],
                                     const double second[])
{
  double complex sum = count * moments->constant;

  if (!moments->known) return NAN;
  for (int k = 0; k < moments->count; k++) {
    const int place = moments->place[k];
    sum += moments->value[k] * (place < n ? first[place] : second[place - n]);
  }
  return sum;
}

/* ---- The initial state --------------------------------------------------------------------------------- */

/* Of a spin at theta (0: down) and phi, where <s-> = exp(i phi) sin(theta)/2. <sx> = sin(theta) cos(phi),
   <sy> = -sin(theta) sin(phi), <sz> = -cos(theta), since s- = (sx - i sy)/2; the two axes are
   perpendicular to that, along which each trajectory starts with a random +-1. */
static void set_spins(int num_spins, double theta, double phi, double mean[], double *const axes[2])
{
  const double s = PetscSinReal(theta), c = PetscCosReal(theta), cp = PetscCosReal(phi),
               sp = PetscSinReal(phi);
  const double vectors[3][3] = {{s * cp, -s * sp, -c}, {c * cp, -c * sp, s}, {-sp, -cp, 0.0}};

  for (int i = 0; i < 3 * num_spins; i++) {
    mean[i] = vectors[0][i / num_spins];
    axes[0][i] = vectors[1][i / num_spins];
    axes[1][i] = vectors[2][i / num_spins];
  }
}

PetscErrorCode CospinLangevinInitial(CospinProblem problem, CospinLangevin equations,
                                     const CospinSetting *initial, CospinFaults faults, double mean[],
                                     double *const axes[2], PetscBool *ok)
{
  static const char *const none[] = {NULL};
  static const CospinProductStates states = {"langevin", none, "ground or css: [theta, phi]"};
  CospinProductFactor *factors;

  PetscFunctionBeginUser;
  PetscCall(CospinProductStateRead(problem, initial, &states, faults, &factors, ok));
  if (mean) set_spins(equations->size, factors[0].angles[0], factors[0].angles[1], mean, axes);
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}
