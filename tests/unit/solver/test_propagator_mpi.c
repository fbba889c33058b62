/*
   The propagator against the exponential of a dense matrix, where one of the two terms of its error estimate
   says nothing: what the last basis vectors hold, and the residual u' - L u.
*/
#include "support_model.h"
#include <cospin/solver/propagator.h>
#include <math.h>
#include <setjmp.h>
#include <slepcfn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)
static const double tolerance = 1e-6;

/* A row of places: element (to, from) of its generator. */
typedef PetscScalar (*Element)(int size, int to, int from);

/* An excitation that hops along a chain: after t it is spread out, but the amplitude at the end of what a
   Krylov space sees of the chain passes through zero, and with it the residual. */
static PetscScalar Hopping(int size, int to, int from)
{
  (void)size;
  return abs(to - from) == 1 ? CMPLX(0, -1) : 0.0;
}

/* Places that are less likely the farther they are, and behind the last one a sink: what the last vectors
   hold is next to nothing, but after a long time all is in the sink. */
static PetscScalar Leaking(int size, int to, int from)
{
  const double up = 0.05, down = 1.0;

  if (from == size - 1) return 0.0;
  if (to == from) return -up - (from ? down : 0.0);
  return to == from + 1 ? up : to == from - 1 ? down : 0.0;
}

/* From place to place, never back, and the last one keeps all: a shift, far from normal. */
static PetscScalar one_way(int size, int to, int from)
{
  if (from == size - 1) return 0.0;
  return to == from ? -1.0 : to == from + 1 ? 1.0 : 0.0;
}

/* Two places that exchange fast, one of them with a slow leak into a third. */
static const double exchange[] = {1e11, 3e11};

static PetscScalar stiff(int size, int to, int from)
{
  (void)size;
  if (from == 2) return 0.0;
  if (from == 0) return to == 0 ? -exchange[0] - 1.0 : to == 1 ? exchange[0] : 1.0;
  return to == 0 ? exchange[1] : to == 1 ? -exchange[1] : 0.0;
}

/* Rates of 14 decades. */
static PetscScalar decades(int size, int to, int from)
{
  return to == from ? -pow(10.0, -3.0 + 14.0 * to / (size - 1)) : 0.0;
}

static void fill(Mat matrix, int size, Element element)
{
  PetscInt begin, end;

  OK(MatGetOwnershipRange(matrix, &begin, &end));
  for (PetscInt to = begin; to < end; to++) {
    for (int from = 0; from < size; from++) {
      const PetscScalar value = element(size, (int)to, from);
      if (value != 0.0 || to == from) OK(MatSetValue(matrix, to, from, value, INSERT_VALUES));
    }
  }
  OK(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  OK(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
}

/* exp(t L) e_0, on every rank */
static void exact(int size, Element element, double t, double complex u[])
{
  const PetscScalar *values;
  Vec result;
  Mat dense;
  FN exponential;

  OK(MatCreateSeqDense(PETSC_COMM_SELF, size, size, NULL, &dense));
  fill(dense, size, element);
  OK(MatCreateVecs(dense, NULL, &result));
  OK(FNCreate(PETSC_COMM_SELF, &exponential));
  OK(FNSetType(exponential, FNEXP));
  OK(FNSetScale(exponential, t, 1.0));
  OK(FNEvaluateFunctionMatVec(exponential, dense, result));
  OK(VecGetArrayRead(result, &values));
  for (int i = 0; i < size; i++) u[i] = values[i];
  OK(VecRestoreArrayRead(result, &values));
  OK(FNDestroy(&exponential));
  OK(VecDestroy(&result));
  OK(MatDestroy(&dense));
}

typedef struct {
  const double complex *expected;
  double difference, estimate;
} Comparison;

static PetscErrorCode compare(void *context, int k, Vec u, double error)
{
  Comparison *comparison = (Comparison *)context;
  const PetscScalar *values;
  PetscInt begin, end;
  double sums[2] = {0, 0};

  PetscFunctionBeginUser;
  (void)k;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArrayRead(u, &values));
  for (PetscInt i = begin; i < end; i++) {
    sums[0] += PetscSqr(cabs(values[i - begin] - comparison->expected[i]));
    sums[1] += PetscSqr(cabs(comparison->expected[i]));
  }
  PetscCall(VecRestoreArrayRead(u, &values));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD));
  comparison->difference = sqrt(sums[0] / sums[1]);
  comparison->estimate = error;
  PetscFunctionReturn(0);
}

/* From place 0, or (even) from all of them alike. */
static Comparison propagate(int size, Element element, CospinPropagatorMethod method, double t,
                            PetscBool even, const double complex expected[])
{
  const CospinPropagatorOptions options = {.method = method, .mesh_dimension = 1, .tolerance = tolerance};
  CospinPropagatorReport report = {0};
  Comparison comparison = {.expected = expected};
  Mat matrix;
  Vec u;

  OK(MatCreateAIJ(PETSC_COMM_WORLD, PETSC_DECIDE, PETSC_DECIDE, size, size, 3, NULL, 3, NULL, &matrix));
  fill(matrix, size, element);
  OK(MatCreateVecs(matrix, NULL, &u));
  if (even) OK(VecSet(u, 1.0));
  OK(VecSetValue(u, 0, 1.0, INSERT_VALUES));
  OK(VecAssemblyBegin(u));
  OK(VecAssemblyEnd(u));
  OK(CospinPropagate(matrix, u, 1, &t, &options, "propagator_test_", compare, &comparison, &report));
  assert_false(report.failed);
  OK(VecDestroy(&u));
  OK(MatDestroy(&matrix));
  return comparison;
}

static Comparison check(int size, Element element, CospinPropagatorMethod method, double t)
{
  double complex expected[128];
  Comparison comparison;

  exact(size, element, t, expected);
  comparison = propagate(size, element, method, t, PETSC_FALSE, expected);
  if (!(comparison.difference <= tolerance && comparison.estimate <= tolerance))
    fail_msg("%d places, method %d, to %.9g: off by %.3g, said to be %.3g", size, (int)method, t,
             comparison.difference, comparison.estimate);
  return comparison;
}

/* What arrives at the last of 8 places, times i^7: real. */
static double at_the_end(double t)
{
  double complex u[8];

  exact(8, Hopping, t, u);
  return cimag(u[7]);
}

/* Where the first space that is looked at, of 8 vectors, has a residual of zero, and yet is too small. */
static void the_last_vectors_count(void **state)
{
  double low = 4.0, high = 8.0;

  (void)state;
  assert_true(at_the_end(low) * at_the_end(high) < 0);
  for (int k = 0; k < 60; k++) {
    const double middle = 0.5 * (low + high);
    if (at_the_end(low) * at_the_end(middle) <= 0)
      high = middle;
    else
      low = middle;
  }
  check(60, Hopping, COSPIN_PROPAGATE_KRYLOV, low);
  for (double t = 13.2; t < 13.8; t += 0.03) check(60, Hopping, COSPIN_PROPAGATE_RATIONAL, t);
}

static void the_residual_counts_for_a_long_time(void **state)
{
  (void)state;
  for (int size = 9; size <= 13; size++) {
    for (double t = 1e6; t < 3e9; t *= 10) check(size, Leaking, COSPIN_PROPAGATE_KRYLOV, t);
  }
}

/* Where what the last vectors of a rational space hold would do, and is a tenth of the error (t < 124), and
   where the residual at the end would do with it, but was larger on the way and nothing forgets it. */
static void the_residual_counts_for_a_shift(void **state)
{
  (void)state;
  for (double t = 118; t < 131.5; t += 1) {
    const Comparison found = check(60, one_way, COSPIN_PROPAGATE_RATIONAL, t);
    if (found.difference > 3 * found.estimate)
      fail_msg("to %.9g: off by %.3g, said to be %.3g", t, found.difference, found.estimate);
  }
}

/* What has decayed takes no digits from what is left: |L| t = 1e11. */
static void fast_decays_cost_no_digits(void **state)
{
  enum { SIZE = 60 };
  double complex expected[SIZE];
  Comparison found;

  (void)state;
  for (int i = 0; i < SIZE; i++) expected[i] = exp(creal(decades(SIZE, i, i)));
  found = propagate(SIZE, decades, COSPIN_PROPAGATE_RATIONAL, 1.0, PETSC_TRUE, expected);
  if (!(found.difference <= 2 * found.estimate + 1e-12 && found.estimate <= tolerance))
    fail_msg("off by %.3g, said to be %.3g", found.difference, found.estimate);
}

/* Exchange by |L| t = 4e11: rounding of the solves leaks, as a slow rate of 1e-5, and is told. */
static void rounding_is_told(void **state)
{
  const double sum = exchange[0] + exchange[1] + 1.0, root = sqrt(sum * sum - 4 * exchange[1]),
               rate = 2 * exchange[1] / (sum + root), left = exp(-rate) * (1 - 1 / sum);
  const double complex expected[] = {left * exchange[1] / (exchange[0] + exchange[1]),
                                     left * exchange[0] / (exchange[0] + exchange[1]), 1 - left};
  Comparison found;

  (void)state;
  found = propagate(3, stiff, COSPIN_PROPAGATE_RATIONAL, 1.0, PETSC_FALSE, expected);
  if (!(found.difference <= found.estimate + 1e-10 && found.estimate < 1e-3))
    fail_msg("off by %.3g, said to be %.3g", found.difference, found.estimate);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_vectors_count),
      cmocka_unit_test(the_residual_counts_for_a_long_time),
      cmocka_unit_test(the_residual_counts_for_a_shift),
      cmocka_unit_test(fast_decays_cost_no_digits),
      cmocka_unit_test(rounding_is_told),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
