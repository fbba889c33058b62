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

static void check(int size, Element element, CospinPropagatorMethod method, double t)
{
  const CospinPropagatorOptions options = {.method = method, .mesh_dimension = 1, .tolerance = tolerance};
  CospinPropagatorReport report = {0};
  double complex expected[128];
  Comparison comparison = {.expected = expected};
  Mat matrix;
  Vec u;

  exact(size, element, t, expected);
  OK(MatCreateAIJ(PETSC_COMM_WORLD, PETSC_DECIDE, PETSC_DECIDE, size, size, 3, NULL, 3, NULL, &matrix));
  fill(matrix, size, element);
  OK(MatCreateVecs(matrix, NULL, &u));
  OK(VecSetValue(u, 0, 1.0, INSERT_VALUES));
  OK(VecAssemblyBegin(u));
  OK(VecAssemblyEnd(u));
  OK(CospinPropagate(matrix, u, 1, &t, &options, "propagator_test_", compare, &comparison, &report));
  assert_false(report.failed);
  if (!(comparison.difference <= tolerance && comparison.estimate <= tolerance))
    fail_msg("%d places, method %d, to %.9g: off by %.3g, said to be %.3g", size, (int)method, t,
             comparison.difference, comparison.estimate);
  OK(VecDestroy(&u));
  OK(MatDestroy(&matrix));
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

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_last_vectors_count),
      cmocka_unit_test(the_residual_counts_for_a_long_time),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
