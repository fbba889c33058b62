/*
   Digits of an expectation value. The steady state is known but for its error (a 1-norm, CospinQuality), so
   Tr(A rho) is but for the error times the largest element of A that the error meets.

   Which elements it meets: those within one move of the labels that the state has, as a box around them. The
   slow modes along which an error is large lie there, not among the highest levels of a large window, where A
   may be largest. An expectation value that is small beside all of A is carried by labels of which the state
   has hardly anything: there the box says nothing, and all of A is taken.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/noise.h>
#include <cospin/point/settings.h>

static const double present = 1e-3, /* of the largest element: labels that the state has */
    small = 1e-6,                   /* beside all of A */
    rounding = 1e-13;               /* of the largest element of A */

typedef struct {
  int least[COSPIN_MAX_COORDINATES], most[COSPIN_MAX_COORDINATES];
} Box;

/* How far one move shifts each coordinate, at most. */
static void find_reach(CospinProblem problem, int reach[])
{
  const int n = problem->system.num_coordinates;
  const CospinMoves generator = problem->generator;

  for (int i = 0; i < n; i++) {
    reach[i] = 0;
    for (int k = 0; k < generator->count; k++)
      reach[i] = PetscMax(reach[i], PetscAbsInt(generator->moves[k].shift[i]));
  }
}

static PetscErrorCode find_box(CospinPoint point, const CospinSteadyState *steady, Box *box)
{
  const int n = point->problem->system.num_coordinates;
  int reach[COSPIN_MAX_COORDINATES], label[COSPIN_MAX_COORDINATES];
  const PetscScalar *array;
  PetscInt begin, end;
  PetscReal largest;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) {
    box->least[i] = INT_MAX / 2;
    box->most[i] = -INT_MAX / 2;
  }
  PetscCall(VecNorm(steady->rho, NORM_INFINITY, &largest));
  PetscCall(VecGetOwnershipRange(steady->rho, &begin, &end));
  PetscCall(VecGetArrayRead(steady->rho, &array));
  for (PetscInt k = begin; k < end; k++) {
    if (PetscAbsScalar(array[k - begin]) <= present * largest) continue;
    CospinSectorLabel(steady->eigensolver->sector, k, label);
    for (int i = 0; i < n; i++) {
      box->least[i] = PetscMin(box->least[i], label[i]);
      box->most[i] = PetscMax(box->most[i], label[i]);
    }
  }
  PetscCall(VecRestoreArrayRead(steady->rho, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, box->least, n, MPI_INT, MPI_MIN, point->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, box->most, n, MPI_INT, MPI_MAX, point->comm));
  find_reach(point->problem, reach);
  for (int i = 0; i < n; i++) {
    box->least[i] -= reach[i];
    box->most[i] += reach[i];
  }
  PetscFunctionReturn(0);
}

static PetscBool is_within(const Box *box, int n, const int label[])
{
  for (int i = 0; i < n; i++) {
    if (label[i] < box->least[i] || label[i] > box->most[i]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Largest element of A on the sector, size[0], and within the box, size[1]. */
static PetscErrorCode find_sizes(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                 double size[2])
{
  const int n = point->problem->system.num_coordinates;
  int label[COSPIN_MAX_COORDINATES];
  PetscInt begin, end;
  CospinMoves a_rho;
  Box box;

  PetscFunctionBeginUser;
  PetscCall(find_box(point, steady, &box));
  PetscCall(CospinTaskLeftProduct(point->problem, a, &a_rho));
  PetscCall(VecGetOwnershipRange(steady->rho, &begin, &end));
  size[0] = size[1] = 0.0;
  for (PetscInt k = begin; k < end; k++) {
    double weight;
    CospinSectorLabel(steady->eigensolver->sector, k, label);
    weight = cabs(CospinExpectationWeight(a_rho, label));
    size[0] = PetscMax(size[0], weight);
    if (is_within(&box, n, label)) size[1] = PetscMax(size[1], weight);
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, size, 2, MPI_DOUBLE, MPI_MAX, point->comm));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSteadyDigits(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                  double complex value, PetscBool *nothing, PetscBool *vague)
{
  double size[2], noise;

  PetscFunctionBeginUser;
  PetscCall(find_sizes(point, steady, a, size));
  noise = steady->quality.error * (cabs(value) <= small * size[0] ? size[0] : size[1]);
  *nothing = (PetscBool)(cabs(value) <= rounding * size[0]);
  *vague = (PetscBool)(!*nothing && cabs(value) <= noise / COSPIN_RATIO_ERROR);
  PetscFunctionReturn(0);
}
