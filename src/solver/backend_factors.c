/*
   Eigenvalues next to zero, where everything slow happens, by shift-and-invert.

     factorise L - s, s a small positive number: no eigenvalue of a generator has a positive real part
     one steady state and what is next to it: factors_state.c
     Krylov-Schur on (L - s)^-1 finds the eigenvalues nearest to s (SLEPc)
     otherwise null vectors are found one by one, each solve with those before it deflated
     slow modes: factors_slowest.c

   Every solve with L - s multiplies what an iterate has of a null vector by 1/s, and the projection that
   takes it away again leaves its rounding errors behind. For accurate modes beside null vectors the shift is
   therefore moved from next to zero to the size of the eigenvalue that is looked for.

   Where null vectors are many, factors next to zero may be too inaccurate for any of them to converge. Then
   every solve is improved by some steps of GMRES with the factors as preconditioner.

   A vector counts as null if |L x| is within the resolution, whatever eigenvalue the solver gave: in a
   non-normal sector the eigenvalue of a null vector may be off by its condition times the rounding of L.
*/
#include "factors.h"

/* The eigenpair that was found, and whether it counts as zero: of a sector with a trace the first one has to.
 */
static PetscErrorCode get_candidate(CospinEigensolver eigensolver, PetscBool first, PetscScalar *lambda,
                                    Vec *x, PetscBool *null)
{
  double residual;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, x, NULL));
  PetscCall(EPSGetEigenpair(eigensolver->eps, 0, lambda, NULL, *x, NULL));
  PetscCall(VecNormalize(*x, NULL));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, *x, &residual));
  *null = (PetscBool)(PetscAbsScalar(*lambda) <= eigensolver->resolution ||
                      residual * eigensolver->norm <= eigensolver->resolution ||
                      (first && eigensolver->has_trace && residual <= COSPIN_FACTORS_POOR));
  PetscFunctionReturn(0);
}

/* One more step of inverse iteration, if it does better: its right-hand side is nearly the vector itself. */
static PetscErrorCode polish(CospinEigensolver eigensolver, int num_found, Vec found[], Vec *x)
{
  double before, after;
  PetscScalar overlap;
  Vec y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(*x, &y));
  PetscCall(CospinFactorsApplyInverse(eigensolver, *x, y));
  for (int k = 0; k < num_found; k++) {
    PetscCall(VecDot(y, found[k], &overlap));
    PetscCall(VecAXPY(y, -overlap, found[k]));
  }
  PetscCall(VecNormalize(y, NULL));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, *x, &before));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, y, &after));
  if (after < before) PetscCall(VecCopy(y, *x));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

static PetscErrorCode find_nulls(CospinEigensolver eigensolver, int most, int *num, Vec null[],
                                 double complex *next)
{
  PetscBool refined = eigensolver->iterative, found = PETSC_TRUE; /* as good as they get */
  PetscInt converged;

  PetscFunctionBeginUser;
  while (found && *num < most) {
    PetscScalar lambda = 0.0;
    const PetscBool certain = (PetscBool)(*num == 0 && eigensolver->has_trace); /* that it is zero */
    PetscCall(CospinFactorsSolveNext(eigensolver, certain ? COSPIN_FACTORS_TOLERANCE : COSPIN_FACTORS_ROUGH,
                                     *num, null, &refined, &converged));
    if (converged) PetscCall(EPSGetEigenvalue(eigensolver->eps, 0, &lambda, NULL));
    if (!certain && PetscAbsScalar(lambda) < 10.0 * eigensolver->shift) /* it may be zero: look closely */
      PetscCall(
          CospinFactorsSolveNext(eigensolver, COSPIN_FACTORS_TOLERANCE, *num, null, &refined, &converged));
    if (converged == 0) break;
    PetscCall(get_candidate(eigensolver, (PetscBool)(*num == 0), &lambda, &null[*num], &found));
    if (found) {
      PetscCall(polish(eigensolver, *num, null, &null[*num]));
      (*num)++;
      continue;
    }
    PetscCall(VecDestroy(&null[*num]));
    *next = (double complex)lambda;
    eigensolver->next = eigensolver->separation = PetscAbsScalar(lambda);
  }
  PetscFunctionReturn(0);
}

/* Where there may be several, or the one is not found easily. */
static PetscErrorCode find_all(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  PetscInt dimension, most;
  PetscBool moved;

  PetscFunctionBeginUser;
  if (eigensolver->shift != eigensolver->first_shift ||
      eigensolver->centre != 0.0) /* what is looked for lies there */
    PetscCall(CospinFactorsSetShift(eigensolver, eigensolver->first_shift, 0.0, &moved));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  most = PetscMin(dimension, COSPIN_MAX_NULL);
  if (!CospinFactorsIsZero(eigensolver)) PetscCall(CospinFactorsConfigure(eigensolver));
  if (!eigensolver->has_trace)
    eigensolver->subspace = COSPIN_FACTORS_LARGE_SUBSPACE; /* a conjugate pair may stand next to the shift */
  PetscCall(PetscCalloc1((size_t)most, null));
  if (CospinFactorsIsZero(eigensolver)) {
    for (*num = 0; *num < most; (*num)++)
      PetscCall(CospinFactorsUnitVector(eigensolver, *num, &(*null)[*num]));
  } else {
    PetscCall(find_nulls(eigensolver, (int)most, num, *null, next));
  }
  if (*num == dimension) eigensolver->separation = INFINITY;
  if (*num == most && most < dimension) /* there may be more */
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  Vec rho = NULL;

  PetscFunctionBeginUser;
  *num = 0;
  *next = CMPLX(NAN, NAN);
  if (!CospinFactorsIsZero(eigensolver)) PetscCall(CospinFactorsState(eigensolver, &rho, next));
  if (rho) {
    *num = 1;
    PetscCall(PetscCalloc1(1, null));
    (*null)[0] = rho;
  } else {
    *next = CMPLX(NAN, NAN);
    PetscCall(find_all(eigensolver, num, null, next));
  }
  PetscFunctionReturn(0);
}

/* The null vectors of L^H: an eigensolver of its own that borrows the sector. */
static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  CospinEigensolver adjoint;
  double complex next;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&adjoint));
  *adjoint = *eigensolver;
  adjoint->living = NULL;
  adjoint->eps = NULL; /* and all else that the other one owns and will destroy */
  adjoint->nojump = NULL;
  adjoint->iteration = NULL;
  adjoint->dense = (CospinDense){0};
  adjoint->shell = NULL;
  adjoint->near = NULL;
  adjoint->turned = NULL;
  adjoint->planes = NULL;
  adjoint->num_planes = 0;
  adjoint->real_form_known = PETSC_FALSE;
  adjoint->shift = adjoint->first_shift;
  adjoint->centre = 0.0;
  PetscCall(PetscStrallocpy(eigensolver->prefix, &adjoint->prefix));
  PetscCall(MatHermitianTranspose(eigensolver->liouvillian, MAT_INITIAL_MATRIX, &adjoint->liouvillian));
  *num = 0;
  PetscCall(find_all(adjoint, num, null, &next));
  eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, adjoint->outcome);
  PetscCall(CospinEigensolverRelease(adjoint));
  eigensolver->work = adjoint->work; /* which began with that of the other */
  adjoint->sector = NULL;
  PetscCall(CospinEigensolverDestroy(&adjoint));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendFactors = {
    .name = "factors", .Null = Null, .LeftNull = LeftNull, .Slowest = CospinFactorsSlowest};
