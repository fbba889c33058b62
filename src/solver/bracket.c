/*
   Collatz-Wielandt: for a Metzler matrix M (no negative off-diagonal element) and any y > 0,

     min_i (M y)_i / y_i  <=  lambda  <=  max_i (M y)_i / y_i,

   lambda being its eigenvalue of largest real part, which is real. (Horn and Johnson, Matrix Analysis,
   Theorem 8.1.26, for M + c 1 >= 0.) It is used with M = L^T: the left eigenvector of a generator is a smooth
   function of the labels, while the right one, a state, has tails that underflow.

   For s > lambda, s - L is an M-matrix: its inverse has no negative element, so solving with it keeps vectors
   positive, and takes any positive y towards the eigenvector: solves are added until the bracket is narrow.
*/
#include "backend.h"
#include "iteration.h"

enum { MAX_SOLVES = 60, MAX_STEPS = 300 };
/* A bracket that is this narrow (relative), or hardly shrinks any more, is good enough. */
static const double narrow = 1e-9, shrinks = 0.7;
/* Of one that iterates. */
static const double close_solve = 1e-13;

/* The bound needs y > 0; rounding may have turned small elements of the left vector round. */
static PetscErrorCode make_positive(Vec y)
{
  PetscScalar *array;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(y, &size));
  PetscCall(VecGetArray(y, &array));
  for (PetscInt i = 0; i < size; i++) array[i] = PetscAbsScalar(array[i]);
  PetscCall(VecRestoreArray(y, &array));
  PetscFunctionReturn(0);
}

/* y <- (s - L)^-T y */
static PetscErrorCode inverse_iteration(CospinEigensolver eigensolver, Vec y)
{
  KSP ksp;
  Vec next;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(y, &next));
  if (eigensolver->iteration) {
    PetscCall(
        CospinIterationSolve(eigensolver->iteration, PETSC_TRUE, close_solve, MAX_STEPS, y, next, NULL));
  } else {
    PetscCall(CospinFactorsSolver(eigensolver, &ksp));
    PetscCall(KSPSolveTranspose(ksp, y, next));
  }
  PetscCall(VecCopy(next, y));
  PetscCall(VecNormalize(y, NULL));
  PetscCall(make_positive(y));
  PetscCall(VecDestroy(&next));
  PetscFunctionReturn(0);
}

/* Relative rounding error of a ratio: `width` products and sums, and about ten operations in every element of
   the matrix, each good to eps/2. */
static double rounding_of(PetscInt width)
{
  return 0.5 * ((double)width + 12.0) * PETSC_MACHINE_EPSILON;
}

/* Bounds from the elements of this rank; what rounding can have done to a ratio widens them. */
static PetscErrorCode local_bounds(Mat matrix, PetscInt width, Vec y, double bounds[2])
{
  const double rounding = rounding_of(width);
  const PetscScalar *y_array, *image_array, *diagonal_array;
  Vec image, diagonal;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(y, &image));
  PetscCall(VecDuplicate(y, &diagonal));
  PetscCall(MatMultTranspose(matrix, y, image));
  PetscCall(MatGetDiagonal(matrix, diagonal));
  PetscCall(VecGetLocalSize(y, &size));
  PetscCall(VecGetArrayRead(y, &y_array));
  PetscCall(VecGetArrayRead(image, &image_array));
  PetscCall(VecGetArrayRead(diagonal, &diagonal_array));
  for (PetscInt i = 0; i < size; i++) {
    const double element = PetscRealPart(y_array[i]), ratio = PetscRealPart(image_array[i]) / element;
    const double terms = ratio + 2.0 * PetscAbsScalar(diagonal_array[i]); /* (|M| y)_i / y_i */
    bounds[0] = element > 0.0 ? PetscMin(bounds[0], ratio - rounding * terms) : -PETSC_INFINITY;
    bounds[1] = element > 0.0 ? PetscMax(bounds[1], ratio + rounding * terms) : PETSC_INFINITY;
  }
  PetscCall(VecRestoreArrayRead(diagonal, &diagonal_array));
  PetscCall(VecRestoreArrayRead(image, &image_array));
  PetscCall(VecRestoreArrayRead(y, &y_array));
  PetscCall(VecDestroy(&diagonal));
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

/* The smallest lower and the largest upper bound of all ranks, in one reduction by a change of sign. */
static PetscErrorCode global_bounds(CospinEigensolver eigensolver, Vec y, double bounds[2])
{
  double local[2] = {PETSC_INFINITY, -PETSC_INFINITY};

  PetscFunctionBeginUser;
  PetscCall(local_bounds(eigensolver->liouvillian, eigensolver->width, y, local));
  local[1] = -local[1];
  PetscCallMPI(MPI_Allreduce(local, bounds, 2, MPI_DOUBLE, MPI_MIN, eigensolver->comm));
  bounds[1] = -bounds[1];
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverBracket(CospinEigensolver eigensolver, Vec left, double *lower, double *upper)
{
  const double rounding_width = 2.0 * rounding_of(eigensolver->width) * eigensolver->norm;
  const PetscBool has_factors = (PetscBool)(eigensolver->backend != &CospinBackendMultigrid);
  double best[2] = {-PETSC_INFINITY, PETSC_INFINITY};
  Vec y;

  PetscFunctionBeginUser;
  *lower = *upper = NAN;
  if (!eigensolver->metzler) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(left, &y));
  PetscCall(VecCopy(left, y));
  PetscCall(make_positive(y));
  for (int k = 0; k <= MAX_SOLVES; k++) {
    const double width = best[1] - best[0];
    double bounds[2];
    if (k > 0) PetscCall(inverse_iteration(eigensolver, y));
    PetscCall(global_bounds(eigensolver, y, bounds));
    best[0] = PetscMax(best[0], bounds[0]); /* each pair is rigorous, so their intersection is */
    best[1] = PetscMin(best[1], bounds[1]);
    if (!has_factors) break;
    if (best[1] - best[0] <= PetscMax(narrow * PetscAbsReal(best[0]), 2.0 * rounding_width)) break;
    if (k > 2 && PetscIsNormalReal(width) && best[1] - best[0] > shrinks * width) break;
  }
  if (!has_factors && best[1] - best[0] > PetscAbsReal(best[0]))
    best[0] = -PETSC_INFINITY; /* of any vector */
  if (!PetscIsInfReal(best[0]) && !PetscIsInfReal(best[1])) {
    *lower = best[0];
    *upper = best[1];
  }
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}
