#include <cospin/operator/liouvillian.h>
#include <cospin/point/regression.h>
#include <cospin/point/settings.h>

static const double rounding = 1e-14;

/* A vector y with Tr(A x) = y^H x on the sector. */
static PetscErrorCode create_reading(CospinEigensolver eigensolver, CospinMoves left, Vec *reading)
{
  PetscInt begin, end;
  PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, reading, NULL));
  PetscCall(VecGetOwnershipRange(*reading, &begin, &end));
  PetscCall(VecGetArray(*reading, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(eigensolver->sector, i, label);
    array[i - begin] = (PetscScalar)conj(CospinExpectationWeight(left, label));
  }
  PetscCall(VecRestoreArray(*reading, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_trace(CospinProblem problem, CospinShare *share)
{
  CospinPolynomial one;
  CospinMoves identity;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskIdentity(&one));
  PetscCall(CospinTaskLeft(problem, one, &identity));
  PetscCall(create_reading(share->eigensolver, identity, &share->trace));
  PetscCall(CospinMovesDestroy(&identity));
  PetscCall(CospinPolynomialDestroy(&one));
  PetscFunctionReturn(0);
}

/* Tr(x) = trace^H x, Tr(A rho) = reading^H rho, and trace^H rho = 1: what is left of both sees nothing of the
   null space. */
static PetscErrorCode split_off_steady(CospinShare *share, const CospinSteadyState *steady,
                                       PetscBool transient)
{
  PetscScalar trace, value;
  PetscReal before, after;

  PetscFunctionBeginUser;
  PetscCall(PetscObjectReference((PetscObject)steady->rho));
  share->steady = steady->rho;
  PetscCall(VecDot(share->kicked, share->trace, &trace));
  PetscCall(VecDot(share->steady, share->reading, &value));
  share->limit = trace * value;
  if (!transient) PetscFunctionReturn(0);
  PetscCall(VecNorm(share->kicked, NORM_2, &before));
  PetscCall(VecAXPY(share->kicked, -trace, share->steady));
  PetscCall(VecNorm(share->kicked, NORM_2, &after));
  if (after <= rounding * before) PetscCall(VecSet(share->kicked, 0.0));
  PetscCall(VecAXPY(share->reading, -PetscConj(value), share->trace));
  PetscFunctionReturn(0);
}

/* The kicked state on the sector, NULL where it has no elements. */
static PetscErrorCode kick_into(CospinPoint point, const CospinSteadyState *steady, CospinMoves kick,
                                const int representative[], Vec *kicked)
{
  CospinSector sector;
  PetscReal size = 0.0;

  PetscFunctionBeginUser;
  *kicked = NULL;
  PetscCall(CospinSectorCreate(&point->problem->system, point->problem->lattice, representative, &sector));
  if (CospinSectorDimension(sector) > 0) {
    PetscCall(CospinSuperoperatorApply(point->comm, kick, steady->eigensolver->sector, steady->rho, sector,
                                       kicked));
    PetscCall(VecNorm(*kicked, NORM_2, &size));
  }
  if (size == 0.0) PetscCall(VecDestroy(kicked));
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSharesCreate(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                  CospinPolynomial a, CospinMoves kick, PetscBool transient, int *num,
                                  CospinShare **shares)
{
  const CospinProblem problem = point->problem;
  const int n = problem->system.num_coordinates;
  int num_sectors, *representatives;
  CospinMoves left;

  PetscFunctionBeginUser;
  *num = 0;
  PetscCall(CospinTaskLeft(problem, a, &left));
  PetscCall(CospinProblemSectorsRead(problem, left, &num_sectors, &representatives));
  PetscCall(PetscCalloc1((size_t)num_sectors, shares));
  for (int k = 0; k < num_sectors; k++) {
    const int *representative = representatives + k * n;
    CospinShare *share = &(*shares)[*num];
    PetscBool same;
    PetscCall(kick_into(point, steady, kick, representative, &share->kicked));
    if (!share->kicked) continue;
    PetscCall(CospinEigensolverCreate(point->comm, problem, representative, prefix, &point->eigensolvers,
                                      &share->eigensolver));
    PetscCall(create_reading(share->eigensolver, left, &share->reading));
    PetscCall(
        PetscArraycmp(representative, CospinSectorRepresentative(steady->eigensolver->sector), n, &same));
    if (same) PetscCall(read_trace(problem, share));
    if (same) PetscCall(split_off_steady(share, steady, transient));
    (*num)++;
  }
  PetscCall(PetscFree(representatives));
  PetscCall(CospinMovesDestroy(&left));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSharesDestroy(int num, CospinShare **shares)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    CospinShare *share = &(*shares)[k];
    PetscCall(VecDestroy(&share->trace));
    PetscCall(VecDestroy(&share->steady));
    PetscCall(VecDestroy(&share->kicked));
    PetscCall(VecDestroy(&share->reading));
    PetscCall(CospinEigensolverDestroy(&share->eigensolver));
  }
  PetscCall(PetscFree(*shares));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSteadyExpectation(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                       double complex *value)
{
  CospinMoves left;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeft(point->problem, a, &left));
  PetscCall(CospinExpectations(steady->eigensolver->sector, steady->rho, 1, &left, value));
  PetscCall(CospinMovesDestroy(&left));
  PetscFunctionReturn(0);
}
