/*
   Task `g2` under `operator: expansion`: g2(t) = Tr(A^+A exp(t L) A rho A^+) / <A^+ A>^2 in the steady state.

   What is expanded is its distance from one, so that light which is nearly coherent keeps its digits; errors
   count beside one all the same.

   The click is rho -> A rho A^+ and the number A^+A is read after t, so detectors are assumed that see
   each quantum. g2 - 1 = (Tr(A^+A exp(t L) A rho A^+) - <A^+A>^2) / <A^+A>^2, whose numerator is what
   decays to zero and is what is expanded.
*/
#include "tasks/click.h"
#include "tasks/light.h"
#include "two_time.h"
#include <math.h>

static const CospinKey keys[] = {
    COSPIN_LIGHT_QUANTUM_KEY,
    COSPIN_LIGHT_TIMES_KEY,
    COSPIN_EXPANDED_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_PAIRS_VARIABLES,
    COSPIN_EXPANDED_TWO_TIME_VARIABLES("1"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"value", COSPIN_ALL, 0, NULL, NULL},
    {"intensity", COSPIN_ALL, 0, "0", NULL},
    {"error", COSPIN_ALL, 0, "0", "tolerance"},
    {"bound", COSPIN_ALL, 0, "0", "0.1"},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinPolynomial a;
  PetscBool operator_ok, axis_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscCall(CospinTaskOperator(problem, task, faults, &a, &operator_ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &axis_ok));
  *ok = (PetscBool)(*ok && operator_ok && axis_ok);
  *dimension = (CospinDimension){"time", times->size, times->values, "time", "time"};
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* g2 - 1 is divided by the mean squared, whose relative error is twice that of the mean. */
static PetscErrorCode store(const CospinExpandedTwoTime *result, const CospinExpanded *intensity,
                            double tolerance, CospinResults results, CospinOutcome *outcome)
{
  const double mean = creal(intensity->value), pairs = mean * mean;

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "intensity", 0, mean));
  for (int k = 0; k < result->num; k++) {
    const double excess = creal(result->values[k]) / pairs;
    const CospinExpanded quality = {
        .error = result->errors[k] / pairs + 2 * fabs(excess) * intensity->error / mean,
        .bound = result->bounds[k] / pairs + 2 * fabs(excess) * intensity->bound / mean};
    PetscCall(CospinResultsSet(results, "value", k, 1 + excess));
    PetscCall(CospinResultsSet(results, "error", k, quality.error));
    PetscCall(CospinResultsSet(results, "bound", k, quality.bound));
    /* Of the whole g2: a laser far above threshold has g2 - 1 of the size of 1/N, which is good to the
       tolerance beside one without having a digit of its own. `error` says how many it has. */
    if (!CospinExpandedIsGood(1.0, tolerance, &quality))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  }
  PetscFunctionReturn(0);
}

/* The same pair (A^+A, click) as in the exact task (tasks/click.c), so both mean the same g2. */
static PetscErrorCode count_pairs(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                                  double tolerance, CospinResults results, CospinOutcome *outcome)
{
  CospinExpandedTwoTime result;
  CospinExpanded intensity;
  CospinPolynomial a, number;
  CospinMoves click;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(point->problem, task, NULL, &a, &ok));
  PetscCall(CospinTaskClick(point->problem, a, &number, &click));
  PetscCall(CospinExpandedExpect(point, expansion, 1, &number, &intensity, outcome));
  PetscCall(CospinExpandedTwoTimeRun(point, expansion, number, click, PETSC_FALSE,
                                     &CospinRecordGet(task, "times")->axis, &result, outcome));
  PetscCall(CospinExpandedTwoTimeStoreSize(&result, results));
  if (*outcome == COSPIN_GOOD) PetscCall(store(&result, &intensity, tolerance, results, outcome));
  PetscCall(CospinExpandedTwoTimeFree(&result));
  PetscCall(CospinMovesDestroy(&click));
  PetscCall(CospinPolynomialDestroy(&number));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(count_pairs, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedG2 = {
    .record = {"g2", "how likely a second quantum is a time t after the first, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
