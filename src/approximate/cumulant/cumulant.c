/*
   Task `cumulant`: which equations a deck has, and those of second order of an ensemble of spins-1/2 and a
   mode (cumulant.h); all others are general.c's. At any number of spins. The steady state, or with `times`
   the way from a product state, and the observables as far as moments of two operators go.

   R. Kubo, J. Phys. Soc. Jpn. 17, 1100 (1962); D. Meiser et al., PRL 102, 163601 (2009).

   How: terms.c finds the coefficients in the deck, equations.c solves for the steady state in closed form or
   by Newton's method, time.c integrates. The outcome is good if the equations are solved; how good the
   approximation is, nothing here can tell.

   Closed at second order: third cumulants are zero, so <ABC> becomes products of lower moments. Its error
   falls as 1/N away from a threshold; at one, and for few spins, it is of the size of what it computes.
*/
#include "cumulant.h"
#include "general.h"
#include "light.h"
#include <cospin/point/settings.h>
#include <string.h>

static const char *const methods[] = {"auto", "closed", "newton", NULL};

static const char *const orders[] = {"1", "2", "3", "4", NULL};

static const CospinKey keys[] = {
    {.name = "order",
     .type = COSPIN_KEY_NAME,
     .default_text = "2",
     .choices = orders,
     .unit = "",
     .help = "cumulants of more operators than that are left out; 3: only where no phase is free"},
    {.name = "method",
     .type = COSPIN_KEY_NAME,
     .default_text = "auto",
     .choices = methods,
     .unit = "",
     .help =
         "closed: the root of a quadratic, without collective jumps; newton; auto: closed where it exists"},
    COSPIN_TASK_TIMES_KEY("the steady state"),
    COSPIN_TASK_PRODUCT_STATE_KEY,
    {.name = "accuracy",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-8",
     .unit = "",
     .help = "of the steps in time, relative",
     COSPIN_KEY_ACCURACY},
    COSPIN_CUMULANT_LIGHT_KEYS,
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"linewidth", COSPIN_REAL, PETSC_FALSE, "rate", "full width of the line above threshold",
     "phase diffusion by the linearised noise equations, 2/Tcoh; no value below threshold"},
    {"coherence_time", COSPIN_REAL, PETSC_FALSE, "time", "coherence time above threshold", "2/linewidth"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of the line above threshold",
     "pulled: (kc wS + kS wc)/(kc + kS)"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "largest residual of the equations",
     "slope of a moment relative to the sum of its absolute terms"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "steps of Newton's method, or in time",
     "0: closed form"},
    {"growth", COSPIN_REAL, PETSC_FALSE, "rate", "growth of small deviations from the steady state",
     "largest real part of an eigenvalue of the Jacobian; not asked of one ensemble and a mode in second "
     "order"},
    {"equations", COSPIN_INTEGER, PETSC_FALSE, "1", "moments that are unknown", ""},
    COSPIN_CUMULANT_LIGHT_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"linewidth", COSPIN_MAY_MISS, 0, "0", NULL},
    {"coherence_time", COSPIN_MAY_MISS, 0, "0", NULL},
    {"residual", COSPIN_MAY_MISS, 0, "0", "tolerance"}, /* none in time */
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    {"growth", COSPIN_MAY_MISS, 0, NULL, NULL},
    {"equations", COSPIN_ALL, 0, "1", NULL},
    {"density", COSPIN_MAY_MISS, 0, NULL, NULL},
    {"height", COSPIN_MAY_MISS, 0, "0", NULL},
    {"fwhm", COSPIN_MAY_MISS, 0, "0", NULL},
    {"regression_change", COSPIN_MAY_MISS, 0, "0", NULL},
    {.suffix = NULL},
};

/* Times that ascend; nothing of a way in time without them. Not strictly ascending: two equal times give two
   equal rows. `initial` without `times` would be ignored, so it is a fault. */
static PetscErrorCode check_time(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  PetscBool accuracy_ok, ascending = PETSC_TRUE;
  double accuracy;

  PetscFunctionBeginUser;
  for (int k = 0; k < times->size; k++)
    if (!(times->values[k] >= (k ? times->values[k - 1] : 0.0))) ascending = PETSC_FALSE;
  PetscCall(CospinTaskNumber(problem, task, "accuracy", faults, &accuracy, &accuracy_ok));
  if (!accuracy_ok) *ok = PETSC_FALSE;
  if (!ascending)
    PetscCall(
        CospinTaskFail(problem, task, "times", faults, ok, "times must ascend, and start at 0 or later"));
  if (!times->size && CospinRecordGet(task, "initial")->factors)
    PetscCall(CospinTaskFail(problem, task, "initial", faults, ok,
                             "goes with `times` (without them: the steady state)"));
  PetscFunctionReturn(0);
}

/* One ensemble and at most one mode with a fixed set of terms have equations of their own in second order
   (cumulant.h); every other deck (*known false), and every other order, is the engine's. */
static PetscErrorCode find_equations(CospinProblem problem, CospinCumulants *equations, PetscBool *known)
{
  CospinFaults beyond;

  PetscFunctionBeginUser;
  PetscCall(CospinFaultsCreate("", &beyond)); /* that a deck is not of this class is no fault */
  PetscCall(CospinCumulantsCreate(problem, beyond, equations, known));
  PetscCall(CospinFaultsDestroy(&beyond));
  PetscFunctionReturn(0);
}

/* All faults at once: of the model, of a mode that does not decay, of the start, of times. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const PetscBool closed = (PetscBool)(strcmp(CospinRecordGet(task, "method")->text, "closed") == 0);
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinCumulants equations;
  double tolerance, moments[COSPIN_NUM_CUMULANTS];
  PetscBool general, known = PETSC_FALSE, tolerance_ok, state_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (times->size) *dimension = (CospinDimension){"time", times->size, times->values, "time", "time"};
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, &tolerance_ok));
  PetscCall(find_equations(problem, &equations, &known));
  general = (PetscBool)(!known || CospinCumulantOrder(task) != 2);
  *ok = PETSC_TRUE;
  if (general) PetscCall(CospinCumulantGeneralCheck(problem, task, faults, ok));
  if (known) PetscCall(CospinCumulantsCheckMode(problem, &equations, faults, ok));
  if (!general)
    PetscCall(CospinCumulantInitial(problem, &equations, CospinRecordGet(task, "initial"), faults, moments,
                                    &state_ok));
  if (*ok && closed && (general || !CospinCumulantClosed(&equations, moments)))
    PetscCall(CospinTaskFail(
        problem, task, "method", faults, ok,
        "there is no closed form here (collective jumps, or spins without pump and decay: `newton` or "
        "`auto`)"));
  PetscCall(check_time(problem, task, faults, ok));
  PetscCall(CospinCumulantLightCheck(problem, task, faults, ok));
  *ok = (PetscBool)(*ok && state_ok && tolerance_ok);
  PetscFunctionReturn(0);
}

/* Of the light, which is told only where it is asked for. */
static PetscErrorCode Further(CospinProblem problem, const CospinRecord *task, int k,
                              CospinDimension *dimension)
{
  (void)problem;
  *dimension = CospinCumulantLightDimension(task, k);
  return 0;
}

/* An operator beyond second moments has no value here: NaN, not a guess. 64 expectation values are more
   than an observable that somebody has typed. */
static PetscErrorCode store_observables(CospinPoint point, const CospinCumulants *equations,
                                        const double moments[], int index, CospinResults results)
{
  double complex expectations[64], value;

  PetscFunctionBeginUser;
  for (int k = 0; k < point->observables->count; k++) {
    const CospinObservable *observable = &point->observables->observables[k];
    PetscCheck(observable->num_expectations <= 64, PETSC_COMM_SELF, PETSC_ERR_SUP,
               "More than 64 expectation values in an observable");
    for (int e = 0; e < observable->num_expectations; e++)
      expectations[e] =
          CospinCumulantExpectation(equations, moments, &point->problem->system, observable->operators[e]);
    PetscCall(CospinObservableEvaluate(point->observables, k, expectations, &value));
    PetscCall(CospinResultsSetObservable(results, observable, index, value));
  }
  PetscFunctionReturn(0);
}

/* Below threshold there is no line whose phase diffuses, so width, coherence time and frequency stay
   missing. */
static PetscErrorCode store_steady(CospinPoint point, const CospinCumulants *equations,
                                   const double moments[], CospinResults results)
{
  double width, frequency;

  PetscFunctionBeginUser;
  if (CospinCumulantLine(equations, moments, &width, &frequency)) {
    PetscCall(CospinResultsSet(results, "linewidth", 0, width));
    PetscCall(CospinResultsSet(results, "coherence_time", 0, 2 / width));
    PetscCall(CospinResultsSet(results, "frequency", 0, frequency));
  }
  PetscCall(store_observables(point, equations, moments, 0, results));
  PetscFunctionReturn(0);
}

/* Observables at each time; where the integrator gives up the rest of the times stays missing. */
static PetscErrorCode run_time(CospinPoint point, const CospinRecord *task, const CospinCumulants *equations,
                               CospinResults results, CospinOutcome *outcome)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  double moments[COSPIN_NUM_CUMULANTS], accuracy;
  CospinCumulantClock clock;
  char prefix[64];
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskNumber(point->problem, task, "accuracy", NULL, &accuracy, &ok));
  PetscCall(
      CospinCumulantInitial(point->problem, equations, CospinRecordGet(task, "initial"), NULL, moments, &ok));
  PetscCall(CospinCumulantClockCreate(equations, moments, accuracy, prefix, &clock));
  for (int k = 0; k < times->size && ok; k++) {
    PetscCall(CospinCumulantClockAdvance(&clock, times->values[k], moments, &ok));
    if (ok) PetscCall(store_observables(point, equations, moments, k, results));
  }
  PetscCall(CospinResultsSet(results, "iterations", 0, (double)clock.steps));
  PetscCall(CospinResultsSet(results, "equations", 0, COSPIN_NUM_CUMULANTS));
  PetscCall(CospinCumulantClockDestroy(&clock));
  *outcome = ok ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* By the closed form where there is one and `newton` is not asked for, else by Newton's method. */
static PetscErrorCode run_steady(CospinPoint point, const CospinRecord *task,
                                 const CospinCumulants *equations, CospinResults results,
                                 CospinOutcome *outcome)
{
  const PetscBool newton = (PetscBool)(strcmp(CospinRecordGet(task, "method")->text, "newton") == 0);
  double moments[COSPIN_NUM_CUMULANTS], tolerance, residual;
  int iterations = 0;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  ok = (PetscBool)(!newton && CospinCumulantClosed(equations, moments));
  if (!ok) ok = CospinCumulantNewton(equations, moments, &iterations);
  *outcome = ok ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscCall(CospinResultsSet(results, "iterations", 0, iterations));
  PetscCall(CospinResultsSet(results, "equations", 0, COSPIN_NUM_CUMULANTS));
  if (!ok) PetscFunctionReturn(0);
  residual = CospinCumulantResidual(equations, moments);
  if (!(residual <= tolerance)) *outcome = COSPIN_INACCURATE;
  PetscCall(CospinResultsSet(results, "residual", 0, residual));
  PetscCall(store_steady(point, equations, moments, results));
  PetscFunctionReturn(0);
}

/* The same choice as in the check, made from the same numbers. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  CospinCumulants equations;
  PetscBool known = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(find_equations(point->problem, &equations, &known));
  if (!known || CospinCumulantOrder(task) != 2)
    PetscCall(CospinCumulantGeneralRun(point, task, results, outcome));
  else if (CospinRecordGet(task, "times")->axis.size)
    PetscCall(run_time(point, task, &equations, results, outcome));
  else
    PetscCall(run_steady(point, task, &equations, results, outcome));
  if (known && CospinCumulantOrder(task) == 2 && *outcome == COSPIN_GOOD &&
      CospinRecordGet(task, "of")->expression)
    PetscCall(CospinCumulantGeneralLight(point, task, results, outcome));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED, "Newton's method found no steady state of the equations, or the solver gave up on "
                           "its way in time: give `times:` to see where they lead, or a smaller `accuracy:`"},
    {COSPIN_OSCILLATING,
     "in first order no state that stands still or turns at one frequency was found stable: "
     "give `times:` to see how it moves, or order 2"},
    {COSPIN_INACCURATE, "the moments do not make the equations zero to `tolerance:`: see <task>_residual"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskCumulant = {
    .record = {"cumulant", "cumulants of ensembles, spins and modes, approximate, at any N", keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .approximation =
        "second-order cumulants, or those of the key `order`: cumulants of more operators are left out (Kubo "
        "1962; Meiser et al., PRL 102, 163601 (2009))",
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Further = Further,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
