/*
   How a long solve is left. PETSc and SLEPc have no call for that: an error is raised from within an
   iteration (a monitor of the KSP, a convergence test of the EPS) and travels up through their stacks to
   whoever runs the task, which knows by its number, COSPIN_INTERRUPTED, that nothing is wrong. What their
   objects then leave behind is destroyed by the list of eigensolvers (cospin/solver/eigensolver.h).

   All ranks must ask at the same place, or those that go on wait for ever for the one that has left: `Ask`
   is collective.
*/
#include <cospin/solver/interrupt.h>

PetscErrorCode CospinInterruptCheck(const CospinInterrupt *interrupt)
{
  CospinPause pause = COSPIN_PAUSE_NO;

  PetscFunctionBeginUser;
  if (!interrupt || !interrupt->Ask) PetscFunctionReturn(0);
  PetscCall(interrupt->Ask(interrupt->context, &pause));
  PetscCheck(pause != COSPIN_PAUSE_LEAVE, PETSC_COMM_SELF, COSPIN_INTERRUPTED, "left, for the run is to end");
  PetscFunctionReturn(0);
}

/* A KSPConvergenceTest would have to call the one that is there; a monitor only looks on. */
static PetscErrorCode check_step(KSP ksp, PetscInt step, PetscReal norm, void *context)
{
  PetscFunctionBeginUser;
  (void)ksp;
  (void)step;
  (void)norm;
  PetscCall(CospinInterruptCheck((const CospinInterrupt *)context));
  PetscFunctionReturn(0);
}

/* The monitor is for what iterates by now. With one, a solver that only applies factors would compute a
   residual for it, by a product, and by a norm that PETSc remembers on those ranks only whose part of the
   vector has not been touched: the others would wait for them. Setting it again does nothing. */
static PetscErrorCode check_solve(KSP ksp, Vec b, Vec x, void *context)
{
  PetscBool factors;

  PetscFunctionBeginUser;
  (void)b;
  (void)x;
  PetscCall(CospinInterruptCheck((const CospinInterrupt *)context));
  PetscCall(PetscObjectTypeCompare((PetscObject)ksp, KSPPREONLY, &factors));
  if (!factors) PetscCall(KSPMonitorSet(ksp, check_step, context, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinInterruptSolver(KSP ksp, const CospinInterrupt *interrupt)
{
  void *context = (void *)(uintptr_t)interrupt; /* PETSc hands it back as it is */

  PetscFunctionBeginUser;
  if (!interrupt) PetscFunctionReturn(0);
  PetscCall(KSPSetPreSolve(ksp, check_solve, context));
  PetscFunctionReturn(0);
}
