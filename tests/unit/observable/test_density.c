/* Density matrices of stored states: random states with a kernel, and blocks that are too large to
 * diagonalise.
 */
#include "support_model.h"
#include <cospin/observable/functional.h>
#include <cospin/problem/storage.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum {
  LEVELS = 3,
  SPIN_LEVELS = 4,
  KETS = LEVELS * SPIN_LEVELS,
  RANK = 3,
  TOO_MANY = COSPIN_LARGEST_BLOCK + 1
};

/* Orthonormal vectors, by Gram and Schmidt; the same in every run. */
static void random_vectors(double complex vectors[RANK][KETS])
{
  unsigned seed = 12345;

  for (int r = 0; r < RANK; r++) {
    double size = 0.0;
    for (int k = 0; k < KETS; k++) {
      double part[2];
      for (int i = 0; i < 2; i++) {
        seed = 1664525u * seed + 1013904223u;
        part[i] = seed / 4294967296.0 - 0.5;
      }
      vectors[r][k] = part[0] + I * part[1];
    }
    for (int s = 0; s < r; s++) {
      double complex overlap = 0.0;
      for (int k = 0; k < KETS; k++) overlap += conj(vectors[s][k]) * vectors[r][k];
      for (int k = 0; k < KETS; k++) vectors[r][k] -= overlap * vectors[s][k];
    }
    for (int k = 0; k < KETS; k++) size += creal(vectors[r][k] * conj(vectors[r][k]));
    for (int k = 0; k < KETS; k++) vectors[r][k] /= sqrt(size);
  }
}

/* G = 2 n + Sz in this basis, ket k = (n, m) */
static double generator(int k)
{
  return 2.0 * (k % LEVELS) + (k / LEVELS - 1.5);
}

/* sum_r 4 w_r <r|G^2|r> - sum_rs 8 w_r w_s/(w_r + w_s) |<r|G|s>|^2: Eq. (1) with the kernel summed. */
static double information(double complex vectors[RANK][KETS], const double weights[])
{
  double sum = 0.0;

  for (int r = 0; r < RANK; r++) {
    for (int k = 0; k < KETS; k++)
      sum += 4 * weights[r] * generator(k) * generator(k) * creal(vectors[r][k] * conj(vectors[r][k]));
    for (int s = 0; s < RANK; s++) {
      double complex g = 0.0;
      for (int k = 0; k < KETS; k++) g += conj(vectors[r][k]) * generator(k) * vectors[s][k];
      sum -= 8 * weights[r] * weights[s] / (weights[r] + weights[s]) * creal(g * conj(g));
    }
  }
  return sum;
}

static CospinStoredState new_state(const Model *model, CospinStored *stored)
{
  const CospinSystem *system = &model->problem->system;
  double sizes[COSPIN_MAX_COORDINATES];
  CospinStoredState state;

  CospinStorageSizes(system, sizes);
  OK(CospinStoredCreate(0, stored));
  OK(CospinStoredAdd(*stored, 0, 0, system->num_components, sizes, CospinStorageNumColumns(system), &state));
  return state;
}

static void test_random_state_with_a_kernel(void **state)
{
  Model model = Model_Open(PETSC_COMM_SELF,
                           "title: a model\n"
                           "components: {c: {kind: mode, cutoff: 3}, s: {kind: spin, S: 3/2}}\n"
                           "jumps: [{rate: 1, operator: c.a + s.Sm}]\n"
                           "observables: {f: 'qfi(2*c.n + s.Sz)', p: purity(), s: entropy()}\n"
                           "tasks: [steady: {}]\n",
                           0);
  const double weights[RANK] = {0.5, 0.3, 0.2};
  double complex vectors[RANK][KETS];
  double value, purity = 0.0, entropy = 0.0;
  CospinDensity density;
  CospinStored stored;
  CospinStoredState rho = new_state(&model, &stored);

  (void)state;
  random_vectors(vectors);
  for (int i = 0; i < KETS * KETS; i++) {
    const int x = i / KETS, y = i % KETS;
    const double columns[] = {x % LEVELS, y % LEVELS, x / LEVELS - 1.5, y / LEVELS - 1.5};
    double complex element = 0.0;
    for (int r = 0; r < RANK; r++) element += weights[r] * vectors[r][x] * conj(vectors[r][y]);
    OK(CospinStoredStateAppend(rho, columns, element));
  }
  for (int r = 0; r < RANK; r++) purity += weights[r] * weights[r];
  for (int r = 0; r < RANK; r++) entropy -= weights[r] * log(weights[r]);
  OK(CospinDensityCreate(&model.problem->system, rho, &density));
  assert_int_equal(density->num_blocks, 1);
  OK(CospinObservableFunctionals(&model.point->observables->observables[0], NULL, density, &value));
  assert_true(fabs(value - information(vectors, weights)) < 1e-10);
  OK(CospinObservableFunctionals(&model.point->observables->observables[1], NULL, density, &value));
  assert_true(fabs(value - purity) < 1e-12);
  OK(CospinObservableFunctionals(&model.point->observables->observables[2], NULL, density, &value));
  assert_true(fabs(value - entropy) < 1e-10);
  OK(CospinDensityDestroy(&density));
  OK(CospinStoredDestroy(&stored));
  Model_Close(&model);
}

/* One ket has coherence with all others: one block. Its purity is known all the same. */
static void test_too_large_a_block_is_said(void **state)
{
  Model model = Model_Open(PETSC_COMM_SELF,
                           "title: a model\n"
                           "components: {c: {kind: mode, cutoff: 5000}}\n"
                           "jumps: [{rate: 1, operator: c.a}]\n"
                           "observables: {f: qfi(c.n), p: purity(), s: entropy()}\n"
                           "tasks: [steady: {}]\n",
                           0);
  CospinDensity density;
  CospinStored stored;
  CospinStoredState rho = new_state(&model, &stored);
  double values[3];

  (void)state;
  for (int k = 0; k < TOO_MANY; k++) {
    const double columns[] = {0, k};
    OK(CospinStoredStateAppend(rho, columns, k ? 1e-6 : 1.0));
  }
  OK(CospinDensityCreate(&model.problem->system, rho, &density));
  for (int k = 0; k < 3; k++)
    OK(CospinObservableFunctionals(&model.point->observables->observables[k], NULL, density, &values[k]));
  assert_true(isinf(values[0]) && isinf(values[2]));
  assert_true(fabs(values[1] - 1.0) < 1e-7);
  OK(CospinDensityDestroy(&density));
  OK(CospinStoredDestroy(&stored));
  Model_Close(&model);
}

/* The mean spin exactly along an axis, to either side, variances c and d of the other two and their
   covariance e: least variance (c + d)/2 - sqrt((c - d)^2/4 + e^2) = .2, and 4 lambda/N, N lambda/|S|^2. */
static void test_squeezing_with_the_spin_along_an_axis(void **state)
{
  static const double length = 1.6, count = 4, c = 0.5, d = 1.3,
                      e = 0.5744562646538029; /* e^2 = .33 = (.9 - .2)^2 - .4^2 */
  const CospinFunctionalKind *kinds[] = {CospinFunctionalKindOf("squeezing"),
                                         CospinFunctionalKindOf("wineland")};
  const double expected[] = {4 * 0.2 / count, count * 0.2 / (length * length)};

  (void)state;
  for (int axis = 0; axis < 3; axis++) {
    for (int side = -1; side <= 1; side += 2) {
      struct CospinFunctional_ functional = {.number = count};
      double complex moments[9] = {0};
      int at = 3;
      moments[axis] = side * length;
      for (int a = 0; a < 3; a++) {
        for (int b = a; b < 3; b++, at++) {
          if (a == b) moments[at] = a == axis ? length * length + 0.1 : a == (axis + 1) % 3 ? c : d;
          if (a != b && a != axis && b != axis) moments[at] = e;
        }
      }
      for (int k = 0; k < 2; k++) {
        double value;
        OK(kinds[k]->Evaluate(&functional, moments, NULL, &value));
        if (!(fabs(value - expected[k]) < 1e-12))
          fail_msg("axis %d: %.15g, not %g", axis, value, expected[k]);
      }
    }
  }
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_state_with_a_kernel),
      cmocka_unit_test(test_too_large_a_block_is_said),
      cmocka_unit_test(test_squeezing_with_the_spin_along_an_axis),
  };
  int failures;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
