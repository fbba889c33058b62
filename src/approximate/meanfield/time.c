/*
   Mean-field equations in time (PETSc's TS, Runge-Kutta 5(4)), their fixed points (SNES: Newton with GMRES on
   differences of the right-hand side, so that nothing larger than vectors is needed).

   An evolution asks now and then whether the run is to end. Runge and Kutta's method suits equations
   without stiff rates; a step that is taken too long grows without a limit within itself, is refused, and
   taken again.
*/
#include "approximate/advance.h"
#include "approximate/product_state.h"
#include "meanfield.h"
#include <cospin/point/settings.h>
#include <string.h>

static const double runaway =
    1e30; /* numbers that grow without a limit, before they overflow within a step */

/* ---- The initial state --------------------------------------------------------------------------------- */

/* All sites of a component alike: real parts, imaginary parts, z, one array behind the other. */
static void set_part(const CospinMeanPart *part, const CospinProductFactor *factor, double u[])
{
  for (int k = 0; k < part->sites; k++) {
    u[part->offset + k] = creal(factor->lower);
    u[part->offset + part->sites + k] = cimag(factor->lower);
    if (!part->is_mode) u[part->offset + 2 * part->sites + k] = factor->diagonal;
  }
}

/* All sites of a component begin alike. */
PetscErrorCode CospinMeanFieldInitial(CospinProblem problem, CospinMeanField field,
                                      const CospinSetting *initial, const char task[], CospinFaults faults,
                                      double u[], PetscBool *ok)
{
  static const char *const modes[] = {"coherent", NULL};
  const CospinProductStates states = {
      task, modes, "ground or css: [theta, phi] of spins; ground or coherent: alpha of a mode"};
  CospinProductFactor *factors;

  PetscFunctionBeginUser;
  PetscCall(CospinProductStateRead(problem, initial, &states, faults, &factors, ok));
  for (int c = 0; c < field->num_parts; c++) set_part(&field->parts[c], &factors[c], u);
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}

/* ---- Time ---------------------------------------------------------------------------------------------- */

/* PETSc's scalars are complex, the unknowns are real. */
static PetscErrorCode get(Vec x, int n, double u[])
{
  const PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &array));
  for (int k = 0; k < n; k++) u[k] = PetscRealPart(array[k]);
  PetscCall(VecRestoreArrayRead(x, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode put(int n, const double u[], Vec x)
{
  PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(x, &array));
  for (int k = 0; k < n; k++) array[k] = u[k];
  PetscCall(VecRestoreArrayWrite(x, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode slopes_at(TS ts, PetscReal time, Vec x, Vec f, void *context)
{
  CospinMeanClock *clock = (CospinMeanClock *)context;
  const int n = clock->field->num_unknowns;

  PetscFunctionBeginUser;
  (void)ts;
  (void)time;
  PetscCall(get(x, n, clock->u));
  PetscCall(CospinMeanFieldSlopes(clock->field, clock->u, clock->slopes));
  PetscCall(put(n, clock->slopes, f));
  PetscFunctionReturn(0);
}

/* A step that is too long may run away between its stages; it is taken again, a shorter one. */
static PetscErrorCode is_bounded(TS ts, PetscReal time, Vec x, PetscBool *bounded)
{
  CospinMeanClock *clock;
  const PetscScalar *array;

  PetscFunctionBeginUser;
  (void)time;
  *bounded = PETSC_TRUE;
  PetscCall(TSGetApplicationContext(ts, &clock));
  PetscCall(VecGetArrayRead(x, &array));
  for (int k = 0; k < clock->field->num_unknowns; k++)
    if (!(PetscAbsScalar(array[k]) <= runaway)) *bounded = PETSC_FALSE;
  PetscCall(VecRestoreArrayRead(x, &array));
  PetscFunctionReturn(0);
}

/* Whether the run is to end is asked every thousandth step, since all ranks take part in the answer.
   `lost`: whoever follows the state has seen that it goes elsewhere (search.c), and needs no more of it. */
static PetscErrorCode after_step(TS ts)
{
  enum { ASK_EVERY = 1000 };
  CospinMeanClock *clock;
  PetscInt step;
  Vec x;

  PetscFunctionBeginUser;
  PetscCall(TSGetApplicationContext(ts, &clock));
  PetscCall(TSGetStepNumber(ts, &step));
  if (step % ASK_EVERY == 0) PetscCall(CospinTaskLeave(clock->point, &clock->leave));
  if (clock->leave) PetscCall(TSSetConvergedReason(ts, TS_CONVERGED_USER));
  if (!clock->Lost) PetscFunctionReturn(0);
  PetscCall(TSGetSolution(ts, &x));
  PetscCall(get(x, clock->field->num_unknowns, clock->u));
  PetscCall(clock->Lost(clock->context, clock->u, &clock->lost));
  if (clock->lost) PetscCall(TSSetConvergedReason(ts, TS_CONVERGED_USER));
  PetscFunctionReturn(0);
}

/* The first step is a thousandth of the time in which the fastest unknown changes by one; the method finds
   its own from there. TSRK5DP: J. R. Dormand and P. J. Prince, J. Comput. Appl. Math. 6, 19 (1980). */
PetscErrorCode CospinMeanClockCreate(CospinPoint point, CospinMeanField field, const double u[],
                                     double accuracy, const char prefix[], CospinMeanClock *clock)
{
  const int n = field->num_unknowns;
  double largest = 0.0;

  PetscFunctionBeginUser;
  *clock = (CospinMeanClock){.point = point, .field = field};
  PetscCall(PetscMalloc2(n, &clock->u, n, &clock->slopes));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, &clock->state));
  PetscCall(put(n, u, clock->state));
  PetscCall(CospinMeanFieldSlopes(field, u, clock->slopes));
  for (int k = 0; k < n; k++) largest = PetscMax(largest, PetscAbsReal(clock->slopes[k]));
  PetscCall(TSCreate(PETSC_COMM_SELF, &clock->ts));
  PetscCall(TSSetApplicationContext(clock->ts, clock));
  PetscCall(TSSetRHSFunction(clock->ts, NULL, slopes_at, clock));
  PetscCall(TSSetType(clock->ts, TSRK));
  PetscCall(TSRKSetType(clock->ts, TSRK5DP));
  PetscCall(TSSetTimeStep(clock->ts, 1e-3 / PetscMax(largest, 1e-6)));
  PetscCall(TSSetTolerances(clock->ts, accuracy, NULL, accuracy, NULL));
  PetscCall(TSSetMaxSteps(clock->ts, 10000000));
  PetscCall(TSSetExactFinalTime(clock->ts, TS_EXACTFINALTIME_MATCHSTEP));
  PetscCall(TSSetErrorIfStepFails(clock->ts, PETSC_FALSE));
  PetscCall(TSSetPostStep(clock->ts, after_step));
  PetscCall(TSSetFunctionDomainError(clock->ts, is_bounded));
  PetscCall(TSSetOptionsPrefix(clock->ts, prefix));
  PetscCall(TSSetFromOptions(clock->ts));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanClockDestroy(CospinMeanClock *clock)
{
  PetscFunctionBeginUser;
  PetscCall(TSDestroy(&clock->ts));
  PetscCall(VecDestroy(&clock->state));
  PetscCall(PetscFree2(clock->u, clock->slopes));
  PetscFunctionReturn(0);
}

/* A state that was lost (search.c) is an answer, too. */
PetscErrorCode CospinMeanClockAdvance(CospinMeanClock *clock, double time, double u[], PetscBool *ok)
{
  const int n = clock->field->num_unknowns;
  TSConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(CospinAdvance(clock->ts, clock->state, time, &reason, &clock->steps));
  *ok = (PetscBool)(reason == TS_CONVERGED_TIME || clock->lost);
  PetscCall(get(clock->state, n, u));
  for (int k = 0; k < n; k++)
    if (PetscIsInfOrNanReal(u[k])) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- Fixed points -------------------------------------------------------------------------------------- */

typedef struct {
  CospinMeanField field;
  double *u, *slopes;
} Equations;

static PetscErrorCode function(SNES snes, Vec x, Vec f, void *context)
{
  const Equations *equations = (const Equations *)context;

  PetscFunctionBeginUser;
  (void)snes;
  PetscCall(get(x, equations->field->num_unknowns, equations->u));
  PetscCall(CospinMeanFieldSlopes(equations->field, equations->u, equations->slopes));
  PetscCall(put(equations->field->num_unknowns, equations->slopes, f));
  PetscFunctionReturn(0);
}

/* Newton's method without a matrix: Jacobian times vector by differences, GMRES without a preconditioner.
   Tolerances near rounding: how good the point is, its residual decides afterwards. */
static PetscErrorCode create_solver(const char prefix[], Equations *equations, Vec f, SNES *snes,
                                    Mat *jacobian)
{
  KSP ksp;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(SNESCreate(PETSC_COMM_SELF, snes));
  PetscCall(SNESSetFunction(*snes, f, function, equations));
  PetscCall(MatCreateSNESMF(*snes, jacobian));
  PetscCall(SNESSetJacobian(*snes, *jacobian, *jacobian, MatMFFDComputeJacobian, NULL));
  PetscCall(SNESSetTolerances(*snes, 1e-15, 1e-14, 0.0, 100, 100000));
  PetscCall(SNESGetKSP(*snes, &ksp));
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPGMRESSetRestart(ksp, 100));
  PetscCall(KSPSetTolerances(ksp, 1e-6, PETSC_DEFAULT, PETSC_DEFAULT, 400));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscCall(SNESSetOptionsPrefix(*snes, prefix));
  PetscCall(SNESSetFromOptions(*snes));
  PetscFunctionReturn(0);
}

/* The Jacobian is never a matrix: GMRES asks for differences of slopes. */
PetscErrorCode CospinMeanFieldNewton(CospinMeanField field, const char prefix[], double u[], int *iterations,
                                     PetscBool *ok)
{
  const int n = field->num_unknowns;
  Equations equations = {.field = field};
  PetscInt count;
  SNES snes;
  Mat jacobian;
  Vec x, f;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n, &equations.u, n, &equations.slopes));
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, n, &x));
  PetscCall(VecDuplicate(x, &f));
  PetscCall(put(n, u, x));
  PetscCall(create_solver(prefix, &equations, f, &snes, &jacobian));
  PetscCall(SNESSolve(snes, NULL, x));
  PetscCall(SNESGetIterationNumber(snes, &count));
  PetscCall(get(x, n, u));
  *iterations = (int)count;
  *ok =
      PETSC_TRUE; /* the residual tells whether it is one: near rounding Newton's method stops as it likes */
  for (int k = 0; k < n; k++)
    if (PetscIsInfOrNanReal(u[k])) *ok = PETSC_FALSE;
  PetscCall(SNESDestroy(&snes));
  PetscCall(MatDestroy(&jacobian));
  PetscCall(VecDestroy(&f));
  PetscCall(VecDestroy(&x));
  PetscCall(PetscFree2(equations.u, equations.slopes));
  PetscFunctionReturn(0);
}
