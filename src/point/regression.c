/*
   Channels of a two-time correlation: which sectors the perturbed state B rho lies in and A reads, and the
   two vectors that a correlation is the product of, C(t) = reading^H exp(t L) perturbed.

   In the sector of the steady state L has the eigenvalue zero, with right vector rho and left vector
   `trace`. The part of the perturbed state along rho does not decay: `limit` = Tr(B rho) Tr(A rho) is
   taken out (exactly, by the two vectors, not by waiting), and what remains decays to zero. Without that,
   C(t) - C(inf) would be a difference of large numbers, and (i omega - L)^-1 would have a pole on the
   axis.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/regression.h>
#include <cospin/point/settings.h>

static const double rounding = 1e-14;

/* Conjugated, since VecDot conjugates its second argument: Tr(A x) = VecDot(x, reading). */
PetscErrorCode CospinReadingCreate(CospinEigensolver eigensolver, CospinMoves a_rho, Vec *reading)
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
    array[i - begin] = (PetscScalar)conj(CospinExpectationWeight(a_rho, label));
  }
  PetscCall(VecRestoreArray(*reading, &array));
  PetscFunctionReturn(0);
}

/* The trace is the reading of the identity. */
static PetscErrorCode read_trace(CospinProblem problem, CospinChannel *channel)
{
  CospinPolynomial one;
  CospinMoves identity;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskIdentity(&one));
  PetscCall(CospinTaskLeftProduct(problem, one, &identity));
  PetscCall(CospinReadingCreate(channel->eigensolver, identity, &channel->trace));
  PetscCall(CospinMovesDestroy(&identity));
  PetscCall(CospinPolynomialDestroy(&one));
  PetscFunctionReturn(0);
}

/* Tr(x) = trace^H x, Tr(A rho) = reading^H rho, and trace^H rho = 1: what is left of both sees nothing of the
   null space. */
static PetscErrorCode split_off_steady(CospinChannel *channel, const CospinSteadyState *steady,
                                       PetscBool transient)
{
  PetscScalar trace, value;
  PetscReal before, after;

  PetscFunctionBeginUser;
  PetscCall(PetscObjectReference((PetscObject)steady->rho));
  channel->steady = steady->rho;
  PetscCall(VecDot(channel->perturbed, channel->trace, &trace));
  PetscCall(VecDot(channel->steady, channel->reading, &value));
  channel->limit = trace * value;
  if (!transient) PetscFunctionReturn(0);
  PetscCall(VecNorm(channel->perturbed, NORM_2, &before));
  PetscCall(VecAXPY(channel->perturbed, -trace, channel->steady));
  PetscCall(VecNorm(channel->perturbed, NORM_2, &after));
  if (after <= rounding * before) PetscCall(VecSet(channel->perturbed, 0.0));
  PetscCall(VecAXPY(channel->reading, -PetscConj(value), channel->trace));
  PetscFunctionReturn(0);
}

/* The perturbed state on the sector, NULL where it has no elements. A sector of its own is made to ask: an
 * eigensolver, which is more, is made only where there is something. */
static PetscErrorCode perturb_into(CospinPoint point, const CospinSteadyState *steady,
                                   CospinMoves perturbation, const int representative[], Vec *perturbed)
{
  CospinSector sector;
  PetscReal size = 0.0;

  PetscFunctionBeginUser;
  *perturbed = NULL;
  PetscCall(CospinSectorCreate(&point->problem->system, point->problem->lattice, representative, &sector));
  if (CospinSectorDimension(sector) > 0) {
    PetscCall(CospinSuperoperatorApply(point->comm, perturbation, steady->eigensolver->sector, steady->rho,
                                       sector, perturbed));
    PetscCall(VecNorm(*perturbed, NORM_2, &size));
  }
  if (size == 0.0) PetscCall(VecDestroy(perturbed));
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinChannelsCreate(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                    CospinPolynomial a, CospinMoves perturbation, PetscBool transient,
                                    int *num, CospinChannel **channels)
{
  const CospinProblem problem = point->problem;
  const int n = problem->system.num_coordinates;
  int num_sectors, *representatives;
  CospinMoves a_rho;

  PetscFunctionBeginUser;
  *num = 0;
  PetscCall(CospinTaskLeftProduct(problem, a, &a_rho));
  PetscCall(CospinProblemSectorsRead(problem, a_rho, &num_sectors, &representatives));
  PetscCall(PetscCalloc1((size_t)num_sectors, channels));
  for (int k = 0; k < num_sectors; k++) {
    const int *representative = representatives + k * n;
    CospinChannel *channel = &(*channels)[*num];
    PetscBool same;
    PetscCall(perturb_into(point, steady, perturbation, representative, &channel->perturbed));
    /* B rho has nothing in this sector, so <A(t) B(0)> gets nothing from it. */
    if (!channel->perturbed) continue;
    PetscCall(CospinEigensolverCreate(point->comm, problem, representative, prefix, &point->eigensolvers,
                                      &channel->eigensolver));
    PetscCall(CospinReadingCreate(channel->eigensolver, a_rho, &channel->reading));
    PetscCall(
        PetscArraycmp(representative, CospinSectorRepresentative(steady->eigensolver->sector), n, &same));
    if (same) PetscCall(read_trace(problem, channel));
    if (same) PetscCall(split_off_steady(channel, steady, transient));
    (*num)++;
  }
  PetscCall(PetscFree(representatives));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinChannelsDestroy(int num, CospinChannel **channels)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    CospinChannel *channel = &(*channels)[k];
    PetscCall(VecDestroy(&channel->trace));
    PetscCall(VecDestroy(&channel->steady));
    PetscCall(VecDestroy(&channel->perturbed));
    PetscCall(VecDestroy(&channel->reading));
    PetscCall(CospinEigensolverDestroy(&channel->eigensolver));
  }
  PetscCall(PetscFree(*channels));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSteadyExpectation(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                       double complex *value)
{
  CospinMoves a_rho;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeftProduct(point->problem, a, &a_rho));
  PetscCall(CospinExpectations(steady->eigensolver->sector, steady->rho, 1, &a_rho, value));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}
