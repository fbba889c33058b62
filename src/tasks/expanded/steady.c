/*
   Task `steady` under `operator: expansion`: observables of the steady state, each with its error.

   An observable is a function of expectation values; it is as wrong as these make it, to first order.

   Propagation: an observable f(<A>, <B>, ...) gets error = sum |df/d<A>| error_A, without any cancellation
   between terms, since the signs of errors are not known. Its size is itself or, if it is a difference of
   large terms, a thousandth of these: an observable that is zero by symmetry would otherwise never be
   good, and one that has lost more than three digits by its own definition would be.
*/
#include "expanded.h"
#include <math.h>

static const CospinKey keys[] = {COSPIN_EXPANDED_TOLERANCE_KEY, {.name = NULL}};

static const CospinTaskVariable variables[] = {
    {"error", COSPIN_REAL, PETSC_FALSE, "1", "largest error of an observable beside its size, an estimate",
     "its size: itself, or a thousandth of the terms that it is the sum of"},
    {"bound", COSPIN_REAL, PETSC_FALSE, "1", "bound of that, to first order",
     "mean |x| |r| at points of the state"},
    COSPIN_EXPANDED_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"error", COSPIN_ALL, 0, "0", "tolerance"},
    {"bound", COSPIN_ALL, 0, "0", "0.1"},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

static const CospinCompanion companions[] = {{"error", "estimate of its error"}, {NULL, NULL}};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscFunctionReturn(0);
}

/* Functionals that need the state are missing. With the state as NULL: an expansion has moments and no
   density matrix, so entropies and the like are NaN. */
static PetscErrorCode evaluate(CospinObservables observables, int k, const double complex readings[],
                               double complex *value)
{
  const CospinObservable *observable = &observables->observables[k];
  double *functionals;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)observable->num_functionals + 1, &functionals));
  PetscCall(CospinObservableFunctionals(observable, readings, NULL, functionals));
  PetscCall(CospinObservableEvaluateWith(observables, k, readings, functionals, value));
  PetscCall(PetscFree(functionals));
  PetscFunctionReturn(0);
}

/* An observable, the errors that those of its expectation values make, and the size of what they are of. */
typedef struct {
  double complex value;
  double error, bound, size;
} Propagated;

/* Slopes by a forward difference of 1e-6 of each value: first order is all that an estimate of errors
   needs, and observables are smooth where they are finite. Steps go along the real axis only, which gives
   |df/dz| of every analytic function; re, im and abs have no larger slope than that. */
static PetscErrorCode propagate(CospinObservables observables, int k, const CospinExpanded values[],
                                Propagated *result)
{
  static const double small = 1e-6, share = 1e-3;
  const int num = observables->observables[k].num_expectations;
  double complex *readings, moved;

  PetscFunctionBeginUser;
  *result = (Propagated){.value = NAN};
  PetscCall(PetscMalloc1((size_t)num + 1, &readings));
  for (int e = 0; e < num; e++) readings[e] = values[e].value;
  PetscCall(evaluate(observables, k, readings, &result->value));
  for (int e = 0; e < num; e++) {
    const double size = cabs(values[e].value), step = small * (size > 0 ? size : 1.0);
    double slope;
    readings[e] = values[e].value + step;
    PetscCall(evaluate(observables, k, readings, &moved));
    readings[e] = values[e].value;
    slope = cabs(moved - result->value) / step;
    result->error += slope * values[e].error;
    result->bound += slope * values[e].bound;
    result->size += share * slope * size;
  }
  result->size = fmax(result->size, cabs(result->value));
  PetscCall(PetscFree(readings));
  PetscFunctionReturn(0);
}

/* That of a complex observable is one of its real and of its imaginary part. */
static PetscErrorCode store_error(const CospinObservable *observable, double error, CospinResults results)
{
  static const char *const parts[] = {"", "_re", "_im"};
  char suffix[96];

  PetscFunctionBeginUser;
  for (int k = observable->real ? 0 : 1; k < (observable->real ? 1 : 3); k++) {
    PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s_error", observable->definition->name, parts[k]));
    PetscCall(CospinResultsSet(results, suffix, 0, error));
  }
  PetscFunctionReturn(0);
}

/* `error` and `bound` of the task are the worst of its observables, beside their sizes; each observable
   has its own absolute error beside it (companions). */
static PetscErrorCode store(CospinObservables observables, const CospinExpanded values[], double tolerance,
                            CospinResults results, CospinOutcome *outcome)
{
  double error = 0.0, bound = 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    Propagated result;
    PetscCall(propagate(observables, k, values, &result));
    values += observable->num_expectations;
    PetscCall(CospinResultsSetObservable(results, observable, 0, result.value));
    PetscCall(store_error(observable, result.error, results));
    /* An observable that needs the state is missing and says nothing of the others; one that is zero with
       all its terms is exact. */
    if (isnan(creal(result.value)) || result.size == 0.0) continue;
    error = fmax(error, isnan(result.error) ? INFINITY : result.error / result.size);
    bound = fmax(bound, isnan(result.bound) ? INFINITY : result.bound / result.size);
  }
  PetscCall(CospinResultsSet(results, "error", 0, error));
  PetscCall(CospinResultsSet(results, "bound", 0, bound));
  if (!CospinExpandedIsGood(1.0, tolerance, &(CospinExpanded){.error = error, .bound = bound}))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  PetscFunctionReturn(0);
}

static PetscErrorCode observe(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                              double tolerance, CospinResults results, CospinOutcome *outcome)
{
  const CospinObservables observables = point->observables;
  CospinExpanded *values;
  CospinMoves *moves;
  int num = 0, at = 0;

  PetscFunctionBeginUser;
  (void)task;
  for (int k = 0; k < observables->count; k++) num += observables->observables[k].num_expectations;
  /* Expectation values of all observables in one list, in their order: one search for the degree serves
     all, and store() walks through the list again. */
  PetscCall(PetscMalloc2((size_t)num + 1, &values, (size_t)num + 1, &moves));
  for (int k = 0; k < observables->count; k++)
    for (int e = 0; e < observables->observables[k].num_expectations; e++)
      moves[at++] = observables->observables[k].expectations[e];
  PetscCall(CospinExpansionExpect(expansion, num, moves, values, outcome));
  if (num) PetscCall(CospinExpandedStoreSize(&values[0], results));
  PetscCall(store(observables, values, tolerance, results, outcome));
  PetscCall(PetscFree2(values, moves));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(observe, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedSteady = {
    .record = {"steady", "observables in the steady state, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .has_observables = PETSC_TRUE,
    .companions = companions,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
