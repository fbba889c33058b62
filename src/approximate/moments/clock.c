/*
   Moment equations in time: PETSc's TS with backward differences of order 5, since rates reach from those of
   one atom to g sqrt(N). The Jacobian is that of linear.c, exact; what is small at the beginning (the noise
   from which a pulse starts) has an absolute floor far below one.
*/
#include "approximate/advance.h"
#include "moments.h"
#include <math.h>

/* Absolute accuracy beside the relative one: of a moment that is zero at the beginning. */
static const double least = 1e-3;

/* PETSc's scalars are complex, the unknowns are real. */
static PetscErrorCode get(CospinMomentClock *clock, Vec x)
{
  const PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &array));
  for (int k = 0; k < clock->moments->num_real; k++) clock->u[k] = PetscRealPart(array[k]);
  PetscCall(VecRestoreArrayRead(x, &array));
  CospinHierarchySetReal(clock->moments, clock->u, clock->z);
  PetscFunctionReturn(0);
}

/* Two parts of a complex moment are two real unknowns; imaginary parts of PETSc's numbers stay zero. */
static PetscErrorCode put(CospinMomentClock *clock, const double complex z[], Vec x)
{
  PetscScalar *array;

  PetscFunctionBeginUser;
  CospinHierarchyGetReal(clock->moments, z, clock->u);
  PetscCall(VecGetArrayWrite(x, &array));
  for (int k = 0; k < clock->moments->num_real; k++) array[k] = clock->u[k];
  PetscCall(VecRestoreArrayWrite(x, &array));
  PetscFunctionReturn(0);
}

/* PETSc's right-hand side. */
static PetscErrorCode slopes_at(TS ts, PetscReal time, Vec x, Vec f, void *context)
{
  CospinMomentClock *clock = (CospinMomentClock *)context;

  PetscFunctionBeginUser;
  (void)ts;
  (void)time;
  PetscCall(get(clock, x));
  CospinHierarchySlopes(clock->moments, clock->z, clock->slopes, NULL);
  PetscCall(put(clock, clock->slopes, f));
  PetscFunctionReturn(0);
}

/* Exact, as backward differences need it where rates differ by many orders. */
static PetscErrorCode jacobian_at(TS ts, PetscReal time, Vec x, Mat a, Mat preconditioner, void *context)
{
  CospinMomentClock *clock = (CospinMomentClock *)context;

  PetscFunctionBeginUser;
  (void)ts;
  (void)time;
  PetscCall(get(clock, x));
  PetscCall(CospinHierarchyMatrixFill(clock->moments, clock->z, NULL, 1.0, 0.0, preconditioner));
  if (a != preconditioner) {
    PetscCall(MatAssemblyBegin(a, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(a, MAT_FINAL_ASSEMBLY));
  }
  PetscFunctionReturn(0);
}

/* All ranks of a point take the same steps, so they ask together. */
static PetscErrorCode after_step(TS ts)
{
  enum { ASK_EVERY = 100 };
  CospinMomentClock *clock;
  PetscInt step;

  PetscFunctionBeginUser;
  PetscCall(TSGetApplicationContext(ts, &clock));
  PetscCall(TSGetStepNumber(ts, &step));
  if (clock->Leave && step % ASK_EVERY == 0) PetscCall(clock->Leave(clock->context, &clock->leave));
  if (clock->leave) PetscCall(TSSetConvergedReason(ts, TS_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* The first step is a thousandth of the fastest rate; the method finds its own from there. */
PetscErrorCode CospinMomentClockCreate(CospinHierarchy moments, const double complex z[], double accuracy,
                                       const char prefix[], CospinMomentClock *clock)
{
  PetscBool sparse;
  PetscReal rate;

  PetscFunctionBeginUser;
  *clock = (CospinMomentClock){.moments = moments};
  PetscCall(
      PetscMalloc3(moments->num_real, &clock->u, moments->num, &clock->z, moments->num, &clock->slopes));
  PetscCall(CospinHierarchyMatrixCreate(moments, &clock->jacobian, &sparse));
  PetscCall(MatCreateVecs(clock->jacobian, &clock->state, NULL));
  PetscCall(put(clock, z, clock->state));
  PetscCall(CospinHierarchyMatrixFill(moments, z, NULL, 1.0, 0.0, clock->jacobian));
  PetscCall(MatNorm(clock->jacobian, NORM_INFINITY, &rate));
  PetscCall(TSCreate(PETSC_COMM_SELF, &clock->ts));
  PetscCall(TSSetApplicationContext(clock->ts, clock));
  PetscCall(TSSetRHSFunction(clock->ts, NULL, slopes_at, clock));
  PetscCall(TSSetRHSJacobian(clock->ts, clock->jacobian, clock->jacobian, jacobian_at, clock));
  PetscCall(TSSetTimeStep(clock->ts, 1e-3 / fmax(rate, PETSC_MACHINE_EPSILON)));
  PetscCall(TSSetTolerances(clock->ts, least * accuracy, NULL, accuracy, NULL));
  PetscCall(TSSetPostStep(clock->ts, after_step));
  PetscCall(CospinStiffSteps(clock->ts, accuracy, sparse, prefix));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentClockDestroy(CospinMomentClock *clock)
{
  PetscFunctionBeginUser;
  PetscCall(TSDestroy(&clock->ts));
  PetscCall(MatDestroy(&clock->jacobian));
  PetscCall(VecDestroy(&clock->state));
  PetscCall(PetscFree3(clock->u, clock->z, clock->slopes));
  PetscFunctionReturn(0);
}

/* Numbers that are none end it, too: an odd order may blow up in finite time. */
PetscErrorCode CospinMomentClockAdvance(CospinMomentClock *clock, double time, double complex z[],
                                        PetscBool *ok)
{
  TSConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(CospinAdvance(clock->ts, clock->state, time, &reason, &clock->steps));
  *ok = (PetscBool)(reason == TS_CONVERGED_TIME);
  PetscCall(get(clock, clock->state));
  for (int i = 0; i < clock->moments->num; i++) {
    z[i] = clock->z[i];
    if (!isfinite(creal(z[i])) || !isfinite(cimag(z[i]))) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}
