/*
   What every clock of an approximate task does with PETSc's TS: its steps for stiff equations, and the way to
   the next wanted time. What the equations are, and what a step that fails means, the clocks know.
*/
#include "advance.h"

/* Newton's absolute tolerance: in the dark slopes are zero, which is less than this and not less than zero.
 */
static const double nothing = 1e-250;

PetscErrorCode CospinStiffSteps(TS ts, double accuracy, PetscBool sparse, const char prefix[])
{
  SNES snes;
  KSP ksp;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(TSSetType(ts, TSBDF));
  PetscCall(TSBDFSetOrder(ts, 5));
  PetscCall(TSSetMaxSteps(ts, 10000000));
  PetscCall(TSSetExactFinalTime(ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetErrorIfStepFails(ts, PETSC_FALSE));
  PetscCall(TSGetSNES(ts, &snes));
  PetscCall(SNESSetTolerances(snes, nothing, 1e-12, 0.01 * accuracy, 50, 10000));
  PetscCall(SNESGetKSP(snes, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCLU));
  if (sparse) PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscCall(TSSetOptionsPrefix(ts, prefix));
  PetscCall(TSSetFromOptions(ts));
  PetscFunctionReturn(0);
}

/* PETSc's own clock may end a rounding before the time that was asked for, so it is compared, not trusted. */
PetscErrorCode CospinAdvance(TS ts, Vec state, double time, TSConvergedReason *reason, PetscInt *steps)
{
  PetscReal now;

  PetscFunctionBeginUser;
  *reason = TS_CONVERGED_TIME;
  PetscCall(TSGetTime(ts, &now));
  if (time > now) {
    PetscCall(TSSetMaxTime(ts, time));
    PetscCall(TSSolve(ts, state));
    PetscCall(TSGetConvergedReason(ts, reason));
  }
  PetscCall(TSGetStepNumber(ts, steps));
  PetscFunctionReturn(0);
}
