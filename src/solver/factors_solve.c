/*
   One run of SLEPc's eigensolver on (L - s)^-1: where the shift s is, what it starts from, what is deflated,
   how long it may take. The outcome of the sector becomes COSPIN_NOT_CONVERGED where a run ends without what
   was asked for; who repeats a run puts back the outcome from before.
*/
#include "factors.h"

enum { MAX_REFINEMENTS = 4, SMALL_SUBSPACE = 5 };
static const double refined_residual = 1e-15; /* never reached: all refinements are done */

/* A target that the options have changed is left alone. */
PetscErrorCode CospinFactorsSetShift(CospinEigensolver eigensolver, double shift, double centre,
                                     PetscBool *moved)
{
  const PetscScalar before = (PetscScalar)CMPLX(eigensolver->shift, eigensolver->centre),
                    after = (PetscScalar)CMPLX(shift, centre);
  PetscScalar target;
  ST st;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver)); /* it may have been released */
  PetscCall(EPSGetTarget(eigensolver->eps, &target));
  *moved = (PetscBool)(target == before);
  if (!*moved) PetscFunctionReturn(0);
  eigensolver->shift = shift;
  eigensolver->centre = centre;
  PetscCall(EPSSetTarget(eigensolver->eps, after));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STSetShift(st, after));
  eigensolver->factored = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* To the size of an eigenvalue, unless it is near that already. */
PetscErrorCode CospinFactorsMoveShift(CospinEigensolver eigensolver, double shift, PetscBool *moved)
{
  static const double least_over_resolution = 100.0;

  PetscFunctionBeginUser;
  *moved = PETSC_FALSE;
  shift = PetscMax(shift, least_over_resolution * eigensolver->resolution);
  if (shift <= eigensolver->shift && shift >= COSPIN_FACTORS_FAR_BELOW * eigensolver->shift)
    PetscFunctionReturn(0);
  if (eigensolver->iterative && shift < eigensolver->shift)
    PetscFunctionReturn(0); /* GMRES would not converge */
  PetscCall(CospinFactorsSetShift(eigensolver, shift, eigensolver->centre, moved));
  PetscFunctionReturn(0);
}

/* A positive vector is close to a state, and to the slowest mode of a Metzler matrix. It must have no
   symmetry of the generator, or it would see only its own kind of modes: so it is an irregular one, the same
   on any number of ranks. Null vectors that are left after some have been found are seen by another one only:
   SLEPc's own. */
static PetscErrorCode set_start(CospinEigensolver eigensolver, int num_deflate)
{
  Vec start;

  PetscFunctionBeginUser;
  if (num_deflate) {
    PetscCall(EPSSetInitialSpace(eigensolver->eps, 0, NULL));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(EPSSetInitialSpace(eigensolver->eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* max_iterations: 0 for as many as configured. */
PetscErrorCode CospinFactorsSolve(CospinEigensolver eigensolver, PetscInt wanted, PetscReal tol,
                                  PetscInt max_iterations, int num_deflate, Vec deflate[],
                                  PetscInt *converged)
{
  PetscInt iterations, dimension, subspace;
  EPSConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(
      EPSSetTolerances(eigensolver->eps, tol, max_iterations ? max_iterations : eigensolver->max_iterations));
  wanted = PetscMin(wanted, dimension - num_deflate);
  subspace = wanted == 1 ? eigensolver->subspace : 2 * wanted + SMALL_SUBSPACE;
  if (eigensolver->iterative) subspace = PetscMax(subspace, COSPIN_FACTORS_LARGE_SUBSPACE);
  PetscCall(EPSSetDimensions(eigensolver->eps, wanted, PetscMin(subspace, dimension), PETSC_DEFAULT));
  PetscCall(set_start(eigensolver, num_deflate));
  PetscCall(EPSSetDeflationSpace(eigensolver->eps, num_deflate, deflate));
  CospinFactorsNote(eigensolver);
  PetscCall(EPSSolve(eigensolver->eps));
  PetscCall(EPSGetConverged(eigensolver->eps, converged));
  PetscCall(EPSGetConvergedReason(eigensolver->eps, &reason));
  PetscCall(EPSGetIterationNumber(eigensolver->eps, &iterations));
  eigensolver->iterations += (int)iterations;
  if (reason < 0 && eigensolver->outcome == COSPIN_GOOD) eigensolver->outcome = COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* From now on solves with the factors are improved. A residual that is not reached is no error. */
static PetscErrorCode refine_solves(CospinEigensolver eigensolver)
{
  ST st;
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPSetTolerances(ksp, refined_residual, PETSC_DEFAULT, PETSC_DEFAULT, MAX_REFINEMENTS));
  PetscCall(KSPSetErrorIfNotConverged(ksp, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* The eigenvalue next to zero, with better solves if it does not converge soon. */
PetscErrorCode CospinFactorsSolveNext(CospinEigensolver eigensolver, PetscReal tol, int num_deflate,
                                      Vec deflate[], PetscBool *refined, PetscInt *converged)
{
  const CospinOutcome before = eigensolver->outcome;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsSolve(eigensolver, 1, tol, *refined ? 0 : COSPIN_FACTORS_FEW_ITERATIONS, num_deflate,
                               deflate, converged));
  if (*converged || *refined) PetscFunctionReturn(0);
  *refined = PETSC_TRUE;
  eigensolver->outcome = before;
  PetscCall(refine_solves(eigensolver));
  PetscCall(CospinFactorsSolve(eigensolver, 1, tol, 0, num_deflate, deflate, converged));
  PetscFunctionReturn(0);
}

/* Nothing moves: any basis will do, and an eigensolver has nothing to go by. */
PetscErrorCode CospinFactorsUnitVector(CospinEigensolver eigensolver, PetscInt k, Vec *vector)
{
  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, vector, NULL));
  PetscCall(VecSet(*vector, 0.0));
  PetscCall(VecSetValue(*vector, k, 1.0, INSERT_VALUES)); /* every rank says the same */
  PetscCall(VecAssemblyBegin(*vector));
  PetscCall(VecAssemblyEnd(*vector));
  PetscFunctionReturn(0);
}

PetscBool CospinFactorsIsZero(CospinEigensolver eigensolver)
{
  return (PetscBool)(eigensolver->scale <= 0.0 || eigensolver->norm <= eigensolver->resolution);
}
