/*
   Task `meanfield`: the product ansatz (meanfield.h), from a product state in time or to a fixed point near
   it, and what small deviations from that do.

   A stable point near the start is an answer although the state may circle a limit cycle beside it: it is not
   followed then.

   Closure `paper`: W.-K. Mok, L.-C. Kwek, S. Touzard, spin cats and inhomogeneous dephasing, Eqs. (22)-(23).

   Without `times` it looks for the fixed point that the start leads to (search.c) and says whether that is
   stable; a start that goes round for ever has the outcome `unstable`.
*/
#include "meanfield.h"
#include <cospin/point/settings.h>
#include <string.h>

static const CospinKey keys[] = {
    COSPIN_MEAN_CLOSURE_KEY,
    COSPIN_TASK_TIMES_KEY("a fixed point"),
    COSPIN_TASK_PRODUCT_STATE_KEY,
    {.name = "until",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "0",
     .unit = "time",
     .help = "Newton's method starts where the initial state is at this time",
     COSPIN_KEY_NOT_NEGATIVE},
    COSPIN_MEAN_ACCURACY_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-8",
     .unit = "",
     .help = "largest residual of a fixed point that counts as good",
     .least = 1e-15,
     .most = 1,
     .range = "a number from 1e-15 to 1, such as 1e-8"},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"growth", COSPIN_REAL, PETSC_FALSE, "rate", "growth of the slowest deviation from the fixed point",
     "largest real part of an eigenvalue of the Jacobian, free phases left out: stable where it is negative "
     "(beside a stable point there may be a limit cycle: `times` shows where a state goes)"},
    {"growth_frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of that deviation",
     "|Im| of that eigenvalue"},
    {"free_phases", COSPIN_INTEGER, PETSC_FALSE, "1", "phases of the fixed point that nothing fixes",
     "it is one of a circle of them; an observable that such a phase enters is that of one of these"},
    {"stable_points", COSPIN_INTEGER, PETSC_FALSE, "1", "different stable fixed points that were found",
     "from this start and from all spins down, up, mixed and along x; 0: not asked (a family of points, more "
     "than 600 unknowns)"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "largest slope at the fixed point",
     "relative to an estimate of the Jacobian's norm"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "steps of Newton's method, or in time", ""},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"residual", COSPIN_MAY_MISS, 0, "0", "tolerance"}, /* none in time */
    {"growth_frequency", COSPIN_MAY_MISS, 0, "0", NULL},
    {"free_phases", COSPIN_MAY_MISS, 0, "0", NULL},
    {"stable_points", COSPIN_MAY_MISS, 0, "0", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

const char *const CospinMeanClosures[] = {"product", "paper", NULL};

/* `paper` counts coincident indices of sums twice, as the equations of the head do: for comparison with their
   figures only. */
CospinClosure CospinMeanClosureOf(const CospinRecord *task)
{
  const PetscBool paper = (PetscBool)(strcmp(CospinRecordGet(task, "closure")->text, "paper") == 0);

  return paper ? COSPIN_CLOSURE_PAPER : COSPIN_CLOSURE_PRODUCT;
}

/* Equations and start have faults of their own; both are told. */
PetscErrorCode CospinMeanStart(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinMeanField *field, double **u, PetscBool *ok)
{
  PetscBool state_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanFieldCreate(problem, CospinMeanClosureOf(task), task->kind->name, faults, field, ok));
  PetscCall(PetscCalloc1((*field)->num_unknowns, u));
  PetscCall(CospinMeanFieldInitial(problem, *field, CospinRecordGet(task, "initial"), task->kind->name,
                                   faults, *u, &state_ok));
  if (!state_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Expectation values first, then the expression of them: functionals that need more than a product state's
   moments are missing. */
PetscErrorCode CospinMeanObservable(CospinMeanField field, CospinObservables observables, int k,
                                    const double u[], double complex *value)
{
  const CospinObservable *observable = &observables->observables[k];
  double complex *expectations;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(observable->num_expectations, &expectations));
  for (int e = 0; e < observable->num_expectations; e++)
    expectations[e] = CospinMeanExpectation(field, observables->problem, u, observable->operators[e]);
  PetscCall(CospinObservableEvaluate(observables, k, expectations, value));
  PetscCall(PetscFree(expectations));
  PetscFunctionReturn(0);
}

/* Terms, start and numbers, all faults at once; no step is taken. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinMeanField field;
  double *u, number;
  PetscBool times_ok;

  PetscFunctionBeginUser;
  if (times->size) *dimension = (CospinDimension){"time", times->size, times->values, "time", "time"};
  PetscCall(CospinMeanStart(problem, task, faults, &field, &u, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  PetscCall(CospinTaskNumberOr(problem, task, "accuracy", 0.0, faults, &number, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "tolerance", 0.0, faults, &number, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "until", 0.0, faults, &number, ok));
  if (times->size && number != 0.0)
    PetscCall(CospinTaskFail(problem, task, "until", faults, ok,
                             "goes without `times` (it leads to a fixed point)"));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscCall(PetscFree(u));
  PetscCall(CospinMeanFieldDestroy(&field));
  PetscFunctionReturn(0);
}

/* Values in a product state, exact for operators of any number of spins up to COSPIN_MEAN_MOST_OPERATORS. */
static PetscErrorCode store_observables(CospinPoint point, CospinMeanField field, const double u[], int index,
                                        CospinResults results)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < point->observables->count; k++) {
    double complex value;
    PetscCall(CospinMeanObservable(field, point->observables, k, u, &value));
    PetscCall(CospinResultsSetObservable(results, &point->observables->observables[k], index, value));
  }
  PetscFunctionReturn(0);
}

/* From one wanted time to the next; what is stored is the state at that time, not between steps. An
   integration that breaks down keeps the times before. */
static PetscErrorCode run_time(CospinPoint point, const CospinRecord *task, CospinMeanField field,
                               CospinMeanClock *clock, double u[], CospinResults results,
                               CospinOutcome *outcome)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (int k = 0; k < times->size && ok; k++) {
    PetscCall(CospinMeanClockAdvance(clock, times->values[k], u, &ok));
    if (ok) PetscCall(store_observables(point, field, u, k, results));
  }
  PetscCall(CospinResultsSet(results, "iterations", 0, (double)clock->steps));
  *outcome = ok ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* A fixed point counts as good if it is stable, or if the state comes to rest at it. `rests`: what leaves
   the point comes back to rest at it, or at another one that is then the answer. */
static CospinOutcome judge(const CospinMeanPoint *end, PetscBool rests)
{
  if (rests) return COSPIN_GOOD;
  return end->found && end->stability.kind != COSPIN_MEAN_UNKNOWN ? COSPIN_UNSTABLE : COSPIN_NOT_CONVERGED;
}

/* Numbers of a point that was not found are missing; its residual tells how near it was. Also of a point
   that is not stable: where it is, and how fast deviations grow, is what a threshold is found by. */
static PetscErrorCode store_point(CospinPoint point, CospinMeanField field, const CospinMeanPoint *end,
                                  int num_stable, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "iterations", 0, end->iterations));
  PetscCall(CospinResultsSet(results, "residual", 0, end->residual));
  if (!end->found) PetscFunctionReturn(0);
  PetscCall(CospinResultsSet(results, "growth", 0, end->stability.growth));
  PetscCall(CospinResultsSet(results, "growth_frequency", 0, end->stability.frequency));
  PetscCall(CospinResultsSet(results, "free_phases", 0, end->stability.free_phases));
  if (num_stable) PetscCall(CospinResultsSet(results, "stable_points", 0, num_stable));
  PetscCall(store_observables(point, field, end->u, 0, results));
  PetscFunctionReturn(0);
}

/* In time to `until`, then Newton's method; the stability of what it finds decides whether that is an
   answer. `until` moves the start of Newton's method into the basin of the point that is wanted; 0 takes
   the initial state as it is. */
static PetscErrorCode run_fixed_point(CospinMeanSearch *search, const CospinRecord *task,
                                      CospinMeanClock *clock, double u[], CospinResults results,
                                      CospinOutcome *outcome)
{
  CospinPoint point = search->point;
  CospinMeanPoint end;
  double until;
  PetscBool ok, rests;
  int num_stable;

  PetscFunctionBeginUser;
  *outcome = COSPIN_NOT_CONVERGED;
  PetscCall(CospinTaskNumber(point->problem, task, "until", NULL, &until, &ok));
  PetscCall(CospinTaskNumber(point->problem, task, "tolerance", NULL, &search->tolerance, &ok));
  PetscCall(CospinMeanClockAdvance(clock, until, u, &ok));
  if (!ok) PetscFunctionReturn(0);
  PetscCall(CospinMeanPointCreate(search, &end));
  PetscCall(CospinMeanSearchRun(search, u, &end, &rests, &num_stable));
  PetscCall(store_point(point, search->field, &end, num_stable, results));
  *outcome = judge(&end, rests);
  PetscCall(CospinMeanPointDestroy(&end));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  CospinMeanField field;
  CospinMeanClock clock;
  double *u, accuracy;
  char prefix[64];
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskNumber(point->problem, task, "accuracy", NULL, &accuracy, &ok));
  PetscCall(CospinMeanStart(point->problem, task, NULL, &field, &u, &ok));
  PetscCall(CospinMeanClockCreate(point, field, u, accuracy, prefix, &clock));
  CospinMeanSearch search = {.point = point, .field = field, .prefix = prefix, .accuracy = accuracy};
  if (CospinRecordGet(task, "times")->axis.size)
    PetscCall(run_time(point, task, field, &clock, u, results, outcome));
  else
    PetscCall(run_fixed_point(&search, task, &clock, u, results, outcome));
  if (clock.leave || search.leave) *outcome = COSPIN_NOT_RUN;
  PetscCall(CospinMeanClockDestroy(&clock));
  PetscCall(PetscFree(u));
  PetscCall(CospinMeanFieldDestroy(&field));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED,
     "Newton's method found no fixed point, or an evolution in time broke down (numbers that grow without a "
     "limit, too many steps): give another `initial:`, or `until:` a time at which it has settled"},
    {COSPIN_UNSTABLE, "small deviations from the fixed point grow (<task>_growth), and what leaves it does "
                      "not come to rest: it goes round for ever (a laser that is detuned, a limit cycle), "
                      "without a limit, or more slowly than it can be followed; `times:` shows what it does"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskMeanfield = {
    .record = {"meanfield", "product ansatz for spins and modes, approximate, O(N) a step", keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .approximation = COSPIN_MEAN_APPROXIMATION,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
