/*
   Task `correlation` under `operator: expansion`: <A(t) B(0)> = Tr(A exp(t L) B rho) in the steady state.

   Errors: what evolves has its own at each time; the limit <A><B> is a product of two numbers, whose errors
   are added to first order. Where <AB> is not known to be good there is no g1.

   Convention: B acts first, from the left; A reads after t. <A(t) B(0)> with A = a^+, B = a is the field
   correlation whose g1 = <A(t) B>/<A B> is one at t = 0 by definition.
*/
#include "tasks/light.h"
#include "two_time.h"
#include <math.h>

static const CospinKey keys[] = {
    COSPIN_LIGHT_PAIR_KEYS,
    COSPIN_LIGHT_TIMES_KEY,
    COSPIN_EXPANDED_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_CORRELATION_VARIABLES,
    COSPIN_EXPANDED_TWO_TIME_VARIABLES("1"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"re", COSPIN_ALL, 0, NULL, NULL},
    {"im", COSPIN_ALL, 0, NULL, NULL},
    {"error", COSPIN_ALL, 0, "0", NULL},
    {"bound", COSPIN_ALL, 0, "0", NULL},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

/* Operators A, B, A B, and the right side of the correlation. A B is read in the steady state rather than
   as the correlation at t = 0: its own certificate is sharper, and it divides every g1. */
typedef struct {
  CospinPolynomial operators[3];
  CospinMoves perturbation;
  const CospinAxis *times;
} Settings;

static PetscErrorCode free_settings(Settings *settings)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < 3; k++) PetscCall(CospinPolynomialDestroy(&settings->operators[k]));
  PetscCall(CospinMovesDestroy(&settings->perturbation));
  PetscFunctionReturn(0);
}

/* Faults were told by Check, so none is collected here (NULL): a deck that got so far has both operators. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, Settings *settings)
{
  CospinPolynomial *operators = settings->operators;
  PetscBool ok;

  PetscFunctionBeginUser;
  *settings = (Settings){.times = &CospinRecordGet(task, "times")->axis};
  PetscCall(CospinTaskPair(problem, task, NULL, &operators[0], &operators[1], &ok, &ok));
  PetscCall(CospinPolynomialMultiply(operators[0], operators[1], &operators[2]));
  PetscCall(CospinTaskLeftProduct(problem, operators[1], &settings->perturbation));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinPolynomial a, b;
  PetscBool pair_ok, adjoint, axis_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscCall(CospinTaskPair(problem, task, faults, &a, &b, &adjoint, &pair_ok));
  if (*ok && pair_ok) PetscCall(CospinExpandedCheckParity(problem, task, a, faults, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &axis_ok));
  *ok = (PetscBool)(*ok && pair_ok && axis_ok);
  *dimension = (CospinDimension){"time", times->size, times->values, "time", "time"};
  PetscCall(CospinPolynomialDestroy(&a));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

/* means: <A>, <B>, <A B>. A value is the expanded part plus the limit, and so is its error. Errors count
   beside the largest value or the limit, whichever is larger: where <A(t)B> passes zero it has no relative
   error. */
static PetscErrorCode store(const CospinExpandedTwoTime *result, double tolerance,
                            const CospinExpanded means[], CospinResults results, CospinOutcome *outcome)
{
  const double complex limit = means[0].value * means[1].value, equal_time = means[2].value;
  const double limit_error = cabs(means[0].value) * means[1].error + cabs(means[1].value) * means[0].error,
               limit_bound = cabs(means[0].value) * means[1].bound + cabs(means[1].value) * means[0].bound;
  const double size = fmax(result->size, cabs(limit));
  const PetscBool known = CospinExpandedIsGood(cabs(equal_time), tolerance, &means[2]);

  PetscFunctionBeginUser;
  for (int k = 0; k < result->num; k++) {
    const double complex value = result->values[k] + limit, g1 = known ? value / equal_time : CMPLX(NAN, NAN);
    const CospinExpanded quality = {.error = result->errors[k] + limit_error,
                                    .bound = result->bounds[k] + limit_bound};
    PetscCall(CospinResultsSet(results, "re", k, creal(value)));
    PetscCall(CospinResultsSet(results, "im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "g1_re", k, creal(g1)));
    PetscCall(CospinResultsSet(results, "g1_im", k, cimag(g1)));
    PetscCall(CospinResultsSet(results, "error", k, quality.error));
    PetscCall(CospinResultsSet(results, "bound", k, quality.bound));
    if (!CospinExpandedIsGood(size, tolerance, &quality))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  }
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(limit)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(limit)));
  PetscFunctionReturn(0);
}

/* Nothing is stored unless all of it is good so far: a correlation beside a steady state that did not
   converge would be read as a number. */
static PetscErrorCode correlate(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                                double tolerance, CospinResults results, CospinOutcome *outcome)
{
  CospinExpandedTwoTime result;
  Settings settings;
  CospinExpanded means[3];

  PetscFunctionBeginUser;
  PetscCall(get_settings(point->problem, task, &settings));
  PetscCall(CospinExpandedExpect(point, expansion, 3, settings.operators, means, outcome));
  PetscCall(CospinExpandedTwoTimeRun(point, expansion, settings.operators[0], settings.perturbation,
                                     PETSC_FALSE, settings.times, &result, outcome));
  PetscCall(CospinExpandedTwoTimeStoreSize(&result, results));
  if (*outcome == COSPIN_GOOD) PetscCall(store(&result, tolerance, means, results, outcome));
  PetscCall(CospinExpandedTwoTimeFree(&result));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(correlate, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedCorrelation = {
    .record = {"correlation", "two-time correlation <A(t) B(0)> in the steady state, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
