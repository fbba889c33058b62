/*
   Task `boundary`: where, along one parameter, a product state loses what it began with. Bisection: at every
   value the mean-field equations (meanfield.h) run from the initial state, and it is lost if an observable
   ever exceeds a limit.

   Fig. 4 of Mok, Kwek and Touzard: the phase between two groups of spins, lost beyond 1.5.
*/
#include "meanfield.h"
#include "settings.h"
#include <string.h>

static const CospinKey keys[] = {
    {.name = "vary",
     .type = COSPIN_KEY_NAME,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "the parameter along which the boundary is looked for"},
    {.name = "between",
     .type = COSPIN_KEY_AXIS,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "[low, high]: values of it, the observable stays within its limit at the first and exceeds it "
             "at the second"},
    {.name = "observable",
     .type = COSPIN_KEY_NAME,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "the observable that tells"},
    {.name = "above",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "lost where its absolute value exceeds this after any step"},
    {.name = "until",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "time",
     .help = "what is not lost at this time never is"},
    {.name = "precision",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-4",
     .unit = "",
     .help = "largest distance of the two values that the boundary lies between"},
    COSPIN_MEAN_CLOSURE_KEY,
    COSPIN_MEAN_INITIAL_KEY,
    COSPIN_MEAN_ACCURACY_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"value", COSPIN_REAL, PETSC_FALSE, "1", "boundary",
     "between lower and upper; no value if it is not between the ends"},
    {"lower", COSPIN_REAL, PETSC_FALSE, "1", "largest value at which nothing was lost",
     "none: lost at both ends"},
    {"upper", COSPIN_REAL, PETSC_FALSE, "1", "smallest value at which it was lost",
     "none: lost at neither end"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "evolutions", ""},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"value", COSPIN_ALL, 0, "lower", "upper"},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

/* ---- What a deck asks for
 * ------------------------------------------------------------------------------------ */

typedef struct {
  int parameter, observable;
  double low, high, above, until, precision, accuracy;
} Search;

static int find_parameter(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_parameters; k++)
    if (strcmp(deck->parameters[k].name, name) == 0) return k;
  return -1;
}

static int find_observable(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_observables; k++)
    if (strcmp(deck->observables[k].name, name) == 0) return k;
  return -1;
}

static PetscErrorCode check_names(CospinProblem problem, const CospinRecord *task, const Search *search,
                                  CospinFaults faults, PetscBool *ok)
{
  const CospinDeck deck = problem->deck;
  const CospinAxis *between = &CospinRecordGet(task, "between")->axis;
  PetscBool on_grid = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int a = 0; a < deck->num_axes && search->parameter >= 0; a++)
    if (strcmp(deck->axes[a].name, deck->parameters[search->parameter].name) == 0) on_grid = PETSC_TRUE;
  if (search->parameter < 0)
    PetscCall(
        CospinTaskFail(problem, task, "vary", faults, ok, "is no parameter of this deck (the name of one)"));
  if (on_grid)
    PetscCall(CospinTaskFail(problem, task, "vary", faults, ok,
                             "is an axis of the grid (a parameter that has one value at each point)"));
  if (search->observable < 0)
    PetscCall(CospinTaskFail(problem, task, "observable", faults, ok,
                             "is no observable of this deck (the name of one)"));
  if (between->size != 2 || !(between->values[0] < between->values[1]))
    PetscCall(
        CospinTaskFail(problem, task, "between", faults, ok, "must be two values that ascend: [low, high]"));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_search(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  Search *search, PetscBool *ok)
{
  const CospinAxis *between = &CospinRecordGet(task, "between")->axis;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  search->parameter = find_parameter(problem->deck, CospinRecordGet(task, "vary")->text);
  search->observable = find_observable(problem->deck, CospinRecordGet(task, "observable")->text);
  search->low = between->size ? between->values[0] : 0.0;
  search->high = between->size ? between->values[between->size - 1] : 0.0;
  PetscCall(check_names(problem, task, search, faults, ok));
  PetscCall(CospinMeanNumber(problem, task, "above", 0.0, PETSC_MAX_REAL, "must be a number >= 0", faults,
                             &search->above, ok));
  PetscCall(CospinMeanNumber(problem, task, "until", 1e-300, PETSC_MAX_REAL, "must be a time > 0", faults,
                             &search->until, ok));
  PetscCall(CospinMeanNumber(problem, task, "precision", PETSC_SMALL, PETSC_MAX_REAL,
                             "must be a number above 0, such as 1e-4", faults, &search->precision, ok));
  PetscCall(CospinMeanNumber(problem, task, "accuracy", 1e-15, 0.1, COSPIN_MEAN_ACCURACY_FAULT, faults,
                             &search->accuracy, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode varied(CospinProblem problem, const Search *search, double value, CospinFaults faults,
                             CospinProblem *other, PetscBool *ok)
{
  const CospinVaried at = {search->parameter, value};

  PetscFunctionBeginUser;
  PetscCall(CospinProblemCreateVaried(problem, &at, faults, other, ok));
  PetscFunctionReturn(0);
}

/* The equations must be in the class, and their parameters make sense, at both ends. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  Search search;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(read_search(problem, task, faults, &search, ok));
  for (int end = 0; end < 2 && *ok; end++) {
    CospinProblem other;
    CospinMeanField field;
    double *u;
    PetscCall(varied(problem, &search, end ? search.high : search.low, faults, &other, ok));
    if (*ok) {
      PetscCall(CospinMeanStart(other, task, faults, &field, &u, ok));
      PetscCall(PetscFree(u));
      PetscCall(CospinMeanFieldDestroy(&field));
    }
    PetscCall(CospinProblemDestroy(&other));
  }
  PetscFunctionReturn(0);
}

/* ---- One value
 * ----------------------------------------------------------------------------------------------- */

typedef struct {
  const Search *search;
  CospinMeanField field;
  CospinObservables observables;
  PetscBool undefined; /* the observable was no number */
  PetscBool leave;
} Watch;

static PetscErrorCode exceeds(void *context, const double u[], PetscBool *lost)
{
  Watch *watch = (Watch *)context;
  double complex value;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanObservable(watch->field, watch->observables, watch->search->observable, u, &value));
  if (isnan(cabs(value))) watch->undefined = PETSC_TRUE;
  *lost = (PetscBool)(watch->undefined || cabs(value) > watch->search->above);
  PetscFunctionReturn(0);
}

/* *ok false: the evolution failed, or the observable is no number on the way. */
static PetscErrorCode run_to_loss(CospinPoint point, CospinProblem problem, const CospinRecord *task,
                                  Watch *watch, CospinFaults faults, PetscBool *lost, PetscBool *ok)
{
  CospinMeanClock clock;
  char prefix[64];
  double *u;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinMeanStart(problem, task, faults, &watch->field, &u, ok));
  if (*ok) {
    PetscCall(CospinMeanClockCreate(point, watch->field, u, watch->search->accuracy, prefix, &clock));
    clock.Lost = exceeds;
    clock.context = watch;
    PetscCall(CospinMeanClockAdvance(&clock, watch->search->until, u, ok));
    *lost = clock.lost;
    watch->leave = clock.leave;
    if (watch->undefined) *ok = PETSC_FALSE;
    PetscCall(CospinMeanClockDestroy(&clock));
  }
  PetscCall(PetscFree(u));
  PetscCall(CospinMeanFieldDestroy(&watch->field));
  PetscFunctionReturn(0);
}

/* Between two good ends a deck may be bad (a rate that is negative, a size that is not whole): then *ok is
   false, and its faults are told. */
static PetscErrorCode is_lost(CospinPoint point, const CospinRecord *task, const Search *search, double value,
                              PetscBool *lost, PetscBool *leave, PetscBool *ok)
{
  const char *name = point->problem->deck->parameters[search->parameter].name;
  Watch watch = {.search = search};
  CospinFaults faults;
  CospinProblem problem;
  PetscMPIInt rank;
  char where[160];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(point->comm, &rank));
  PetscCall(CospinFaultsCreate("deck", &faults));
  PetscCall(PetscSNPrintf(where, sizeof(where), "%s = %g of %s", name, value, task->name));
  PetscCall(CospinFaultsSetWhere(faults, where));
  PetscCall(varied(point->problem, search, value, faults, &problem, ok));
  if (*ok) {
    PetscCall(CospinObservablesCreate(problem, faults, &watch.observables, ok));
    if (*ok) PetscCall(run_to_loss(point, problem, task, &watch, faults, lost, ok));
    PetscCall(CospinObservablesDestroy(&watch.observables));
  }
  *leave = watch.leave;
  if (rank == 0) PetscCall(CospinFaultsView(faults, stderr));
  PetscCall(CospinFaultsDestroy(&faults));
  PetscCall(CospinProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

/* ---- Bisection
 * ----------------------------------------------------------------------------------------------- */

/* `below`: not lost at the lower end; `above`: lost at the upper. Unless both are, low and high have changed
   places, so that something was lost at high only, as ever. */
static PetscErrorCode store(const Search *search, PetscBool below, PetscBool above, int iterations,
                            CospinResults results)
{
  PetscFunctionBeginUser;
  if (below || !above) PetscCall(CospinResultsSet(results, "lower", 0, search->low));
  if (above || !below) PetscCall(CospinResultsSet(results, "upper", 0, search->high));
  if (below && above) PetscCall(CospinResultsSet(results, "value", 0, (search->low + search->high) / 2));
  PetscCall(CospinResultsSet(results, "iterations", 0, iterations));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscBool ok, below = PETSC_FALSE, above = PETSC_FALSE, leave = PETSC_FALSE;
  Search search;
  int iterations = 2;

  PetscFunctionBeginUser;
  PetscCall(read_search(point->problem, task, NULL, &search, &ok));
  PetscCall(is_lost(point, task, &search, search.low, &below, &leave, &ok));
  below = (PetscBool)!below;
  if (ok) PetscCall(is_lost(point, task, &search, search.high, &above, &leave, &ok));
  if (ok && !(below && above)) {
    const double low = search.low;
    search.low = search.high;
    search.high = low;
  }
  while (ok && below && above && search.high - search.low > search.precision) {
    const double middle = (search.low + search.high) / 2;
    PetscBool lost;
    if (!(middle > search.low && middle < search.high)) break; /* neighbours, as far as numbers go */
    PetscCall(CospinTaskLeave(point, &leave));
    *outcome = COSPIN_NOT_RUN;
    if (leave) PetscFunctionReturn(0);
    PetscCall(is_lost(point, task, &search, middle, &lost, &leave, &ok));
    if (!ok) break;
    if (lost) search.high = middle;
    if (!lost) search.low = middle;
    iterations++;
  }
  *outcome = leave            ? COSPIN_NOT_RUN
             : !ok            ? COSPIN_SOLVER_FAILED
             : below && above ? COSPIN_GOOD
                              : COSPIN_NOT_CONVERGED;
  if (ok) PetscCall(store(&search, below, above, iterations, results));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskBoundary = {
    .record = {"boundary",
               "where along a parameter the mean-field state loses what an observable tells, approximate",
               keys},
    .variables = variables,
    .rules = rules,
    .approximation = COSPIN_MEAN_APPROXIMATION,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
