/*
   The second-order equations in time, from a product state: PETSc's TS with backward differences, since
   superradiance brings rates from gam to g sqrt(N). The error is relative, with floors where spontaneous
   emission puts them (one photon, x ~ 1/N): what a pulse starts from is tiny and must be right.
*/
#include "approximate/advance.h"
#include "approximate/product_state.h"
#include "cumulant.h"
#include <petscts.h>
#include <string.h>

enum { NUM = COSPIN_NUM_CUMULANTS };

/* ---- The initial state --------------------------------------------------------------------------------- */

/* Second moments of a product state are products of first ones, except <a^+ a>, which the state says. Two
   spins and spin and mode are independent at the beginning: x = |<s->|^2, y = <p>^2, z = conj(g) <a^+>
   <s->. */
PetscErrorCode CospinCumulantInitial(CospinProblem problem, const CospinCumulants *equations,
                                     const CospinSetting *initial, CospinFaults faults, double moments[],
                                     PetscBool *ok)
{
  static const char *const modes[] = {"fock", "thermal", "coherent", NULL};
  static const CospinProductStates states = {"cumulant", modes,
                                             "ground or css: [theta, phi] of spins; ground, fock: n, "
                                             "thermal: nbar or coherent: alpha of a mode"};
  CospinProductFactor *factors, spins, mode = {{0.0, 0.0}, 0.0, 0.0};
  double complex z;

  PetscFunctionBeginUser;
  PetscCall(CospinProductStateRead(problem, initial, &states, faults, &factors, ok));
  spins = factors[equations->spins];
  if (equations->mode >= 0) mode = factors[equations->mode];
  PetscCall(PetscFree(factors));
  z = conj(equations->coupling) * conj(mode.lower) * spins.lower;
  moments[COSPIN_CUMULANT_P] = spins.diagonal;
  moments[COSPIN_CUMULANT_PHOTONS] = mode.diagonal;
  moments[COSPIN_CUMULANT_Z_RE] = creal(z);
  moments[COSPIN_CUMULANT_Z_IM] = cimag(z);
  moments[COSPIN_CUMULANT_X] = creal(spins.lower * conj(spins.lower));
  moments[COSPIN_CUMULANT_Y] = spins.diagonal * spins.diagonal;
  PetscFunctionReturn(0);
}

/* ---- Time ---------------------------------------------------------------------------------------------- */

/* PETSc's right-hand side. */
static PetscErrorCode slopes_at(TS ts, PetscReal time, Vec x, Vec f, void *context)
{
  const PetscScalar *moments;
  PetscScalar *slopes;

  PetscFunctionBeginUser;
  (void)ts;
  (void)time;
  PetscCall(VecGetArrayRead(x, &moments));
  PetscCall(VecGetArray(f, &slopes));
  CospinCumulantSlopes((const CospinCumulants *)context, moments, slopes, NULL);
  PetscCall(VecRestoreArray(f, &slopes));
  PetscCall(VecRestoreArrayRead(x, &moments));
  PetscFunctionReturn(0);
}

/* Written out, not by differences: backward differences need it exactly where rates differ by many orders. */
static PetscErrorCode jacobian_at(TS ts, PetscReal time, Vec x, Mat a, Mat preconditioner, void *context)
{
  double moments[NUM], jacobian[NUM][NUM];
  const PetscScalar *array;

  PetscFunctionBeginUser;
  (void)ts;
  (void)time;
  PetscCall(VecGetArrayRead(x, &array));
  for (int k = 0; k < NUM; k++) moments[k] = PetscRealPart(array[k]);
  PetscCall(VecRestoreArrayRead(x, &array));
  CospinCumulantJacobian((const CospinCumulants *)context, moments, jacobian);
  for (PetscInt i = 0; i < NUM; i++) {
    for (PetscInt j = 0; j < NUM; j++)
      PetscCall(MatSetValue(preconditioner, i, j, jacobian[i][j], INSERT_VALUES));
  }
  PetscCall(MatAssemblyBegin(preconditioner, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(preconditioner, MAT_FINAL_ASSEMBLY));
  if (a != preconditioner) {
    PetscCall(MatAssemblyBegin(a, MAT_FINAL_ASSEMBLY));
    PetscCall(MatAssemblyEnd(a, MAT_FINAL_ASSEMBLY));
  }
  PetscFunctionReturn(0);
}

/* The fastest rate there is: that of spins and mode that exchange a quantum, and the jumps. For the first
   step. n times the collective rates: superradiance. */
static double fastest(const CospinCumulants *e)
{
  const double n = e->size;

  return 2 * cabs(e->coupling) * PetscSqrtReal(n) + e->pump + e->decay + e->dephasing + e->loss + e->gain +
         n * (e->collective_decay + e->collective_pump) + PetscAbsReal(e->spin_frequency - e->mode_frequency);
}

/* An absolute floor for each moment beside the relative accuracy. Without floors a moment that is zero at
   the beginning would ask for steps of no length; floors that are too high would let the noise from which
   a pulse starts be anything. */
static PetscErrorCode set_tolerances(TS ts, const CospinCumulants *e, double accuracy, Vec floors)
{
  const double rate = fastest(e), g2 = creal(e->coupling * conj(e->coupling));
  const double exchange = g2 > 0 ? g2 / rate : 1.0;
  const double sizes[NUM] = {
      [COSPIN_CUMULANT_P] = 1.0,         [COSPIN_CUMULANT_PHOTONS] = 1.0,   [COSPIN_CUMULANT_Z_RE] = exchange,
      [COSPIN_CUMULANT_Z_IM] = exchange, [COSPIN_CUMULANT_X] = 1 / e->size, [COSPIN_CUMULANT_Y] = 1.0};

  PetscFunctionBeginUser;
  for (PetscInt k = 0; k < NUM; k++) PetscCall(VecSetValue(floors, k, accuracy * sizes[k], INSERT_VALUES));
  PetscCall(VecAssemblyBegin(floors));
  PetscCall(VecAssemblyEnd(floors));
  PetscCall(TSSetTolerances(ts, PETSC_DEFAULT, floors, accuracy, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCumulantClockCreate(const CospinCumulants *equations, const double moments[],
                                         double accuracy, const char prefix[], CospinCumulantClock *clock)
{
  PetscFunctionBeginUser;
  clock->equations = *equations;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, NUM, &clock->state));
  PetscCall(VecDuplicate(clock->state, &clock->floors));
  for (PetscInt k = 0; k < NUM; k++) PetscCall(VecSetValue(clock->state, k, moments[k], INSERT_VALUES));
  PetscCall(VecAssemblyBegin(clock->state));
  PetscCall(VecAssemblyEnd(clock->state));
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, NUM, NUM, NULL, &clock->jacobian));
  PetscCall(TSCreate(PETSC_COMM_SELF, &clock->ts));
  PetscCall(TSSetRHSFunction(clock->ts, NULL, slopes_at, &clock->equations));
  PetscCall(TSSetRHSJacobian(clock->ts, clock->jacobian, clock->jacobian, jacobian_at, &clock->equations));
  PetscCall(TSSetTimeStep(clock->ts, 1e-3 / PetscMax(fastest(equations), PETSC_MACHINE_EPSILON)));
  PetscCall(set_tolerances(clock->ts, equations, accuracy, clock->floors));
  PetscCall(CospinStiffSteps(clock->ts, accuracy, PETSC_FALSE, prefix));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCumulantClockDestroy(CospinCumulantClock *clock)
{
  PetscFunctionBeginUser;
  PetscCall(TSDestroy(&clock->ts));
  PetscCall(MatDestroy(&clock->jacobian));
  PetscCall(VecDestroy(&clock->floors));
  PetscCall(VecDestroy(&clock->state));
  PetscFunctionReturn(0);
}

/* Numbers that are none end it, too. */
PetscErrorCode CospinCumulantClockAdvance(CospinCumulantClock *clock, double time, double moments[],
                                          PetscBool *ok)
{
  TSConvergedReason reason;
  const PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(CospinAdvance(clock->ts, clock->state, time, &reason, &clock->steps));
  *ok = (PetscBool)(reason == TS_CONVERGED_TIME);
  PetscCall(VecGetArrayRead(clock->state, &array));
  for (int k = 0; k < NUM; k++) {
    moments[k] = PetscRealPart(array[k]);
    if (PetscIsInfOrNanReal(moments[k])) *ok = PETSC_FALSE;
  }
  PetscCall(VecRestoreArrayRead(clock->state, &array));
  PetscFunctionReturn(0);
}
