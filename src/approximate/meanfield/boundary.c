/*
   Task `boundary`: where, along one parameter, a product state loses what it began with. Bisection: at every
   value the mean-field equations (meanfield.h) run from the initial state, and it is lost if an observable
   ever exceeds a limit. A start that has a symmetry exactly would keep it although deviations grow: where it
   comes to rest at an unstable point it is pushed off that, both ways, and followed on, and where it does not
   come to rest it runs once more, moved by less than the steps are accurate to.

   Fig. 4 of Mok, Kwek and Touzard: the phase between two groups of spins, lost beyond 1.5.
*/
#include "meanfield.h"
#include <cospin/point/settings.h>
#include <string.h>

static const double standing = 1e-6; /* residual at which a state stands still */
static const double nearby = 1e-3;   /* and how far the point may be at which it does */
static const double enough =
    50; /* what left an unstable point so many times 1/growth ago would be lost by now */

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
     .help = "lost where its absolute value exceeds this after any step",
     COSPIN_KEY_NOT_NEGATIVE},
    {.name = "until",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "time",
     .help = "what is not lost at this time never is",
     COSPIN_KEY_POSITIVE},
    {.name = "precision",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-4",
     .unit = "",
     .help = "largest distance of the two values that the boundary lies between",
     .least = 1e-10,
     .most = DBL_MAX,
     .range = "a number from 1e-10 on, such as 1e-4"},
    COSPIN_MEAN_CLOSURE_KEY,
    COSPIN_TASK_PRODUCT_STATE_KEY,
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

/* ---- What a deck asks for ------------------------------------------------------------------------------ */

typedef struct {
  int parameter, observable;
  double low, high, above, until, precision, accuracy;
} Search;

/* Of those that the deck has. */
static int find_parameter(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_parameters; k++)
    if (strcmp(deck->parameters[k].name, name) == 0) return k;
  return -1;
}

/* By its place in the deck; -1: none of that name. */
static int find_observable(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_observables; k++)
    if (strcmp(deck->observables[k].name, name) == 0) return k;
  return -1;
}

/* The parameter that is varied must be no axis: it would have the axis' value. */
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

/* Both ends of the interval, and what is looked for between them. */
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
  PetscCall(CospinTaskNumberOr(problem, task, "above", 0.0, faults, &search->above, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "until", 0.0, faults, &search->until, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "precision", 0.0, faults, &search->precision, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "accuracy", 0.0, faults, &search->accuracy, ok));
  PetscFunctionReturn(0);
}

/* The same deck with another value of one parameter. */
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

/* ---- One value ----------------------------------------------------------------------------------------- */

typedef struct {
  const Search *search;
  CospinMeanField field;
  CospinObservables observables;
  PetscBool undefined; /* the observable was no number */
  PetscBool undecided; /* deviations grow too slowly to be followed to where they lead */
  PetscBool leave;
} Watch;

/* Asked after every step, so that an excursion between wanted times counts. */
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

/* In time from u[], which becomes the state at the end. *ok false: the evolution failed, or the observable is
   no number on the way. */
static PetscErrorCode advance(const CospinMeanSearch *search, Watch *watch, double u[], PetscBool *lost,
                              PetscBool *ok)
{
  CospinMeanClock clock;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanClockCreate(search->point, search->field, u, search->accuracy, search->prefix, &clock));
  clock.Lost = search->Lost;
  clock.context = search->context;
  PetscCall(CospinMeanClockAdvance(&clock, watch->search->until, u, ok));
  *lost = clock.lost;
  watch->leave = clock.leave;
  if (watch->undefined) *ok = PETSC_FALSE;
  PetscCall(CospinMeanClockDestroy(&clock));
  PetscFunctionReturn(0);
}

/* Of a state at which nothing was lost: whether it stands still; and if it does so at an unstable point,
   whether what leaves that is lost. */
static PetscErrorCode leaves_unstable(CospinMeanSearch *search, Watch *watch, const double u[],
                                      PetscBool *stands, PetscBool *lost)
{
  CospinMeanPoint point, end;
  double residual;
  PetscBool rests;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanFieldHold(search->field, u));
  PetscCall(CospinMeanFieldResidual(search->field, u, &residual));
  *stands = (PetscBool)(residual <= standing);
  if (!*stands) PetscFunctionReturn(0);
  PetscCall(CospinMeanPointCreate(search, &point));
  PetscCall(CospinMeanPointCreate(search, &end));
  PetscCall(CospinMeanPointFind(search, u, &point));
  for (int side = 0; side < 2 && !*lost && !search->leave; side++) {
    if (!point.found || point.stability.kind != COSPIN_MEAN_UNSTABLE) break;
    if (CospinMeanDistance(search->field, u, point.u) > nearby) break;
    PetscCall(CospinMeanSearchLeave(search, &point, side ? -1.0 : 1.0, &end, &rests));
    *lost = search->lost;
    if (!*lost && !rests && search->time * point.stability.growth < enough) watch->undecided = PETSC_TRUE;
  }
  watch->leave = search->leave;
  PetscCall(CospinMeanPointDestroy(&end));
  PetscCall(CospinMeanPointDestroy(&point));
  PetscFunctionReturn(0);
}

/* Until it is lost, stands still, or `until` has come. */
static PetscErrorCode run_to_loss(CospinMeanSearch *search, Watch *watch, double u[], PetscBool *lost,
                                  PetscBool *ok)
{
  const int n = search->field->num_unknowns;
  PetscBool stands = PETSC_TRUE;
  double *moved;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &moved));
  for (int k = 0; k < n; k++) moved[k] = u[k] + 0.1 * search->accuracy * PetscCosReal(1.0 + k);
  PetscCall(advance(search, watch, u, lost, ok));
  if (*ok && !*lost && !watch->leave) PetscCall(leaves_unstable(search, watch, u, &stands, lost));
  if (*ok && !stands) PetscCall(advance(search, watch, moved, lost, ok));
  if (watch->undefined) *ok = PETSC_FALSE;
  PetscCall(PetscFree(moved));
  PetscFunctionReturn(0);
}

/* The deck with another value of the parameter makes a problem of its own. */
static PetscErrorCode start(CospinPoint point, CospinProblem problem, const CospinRecord *task, Watch *watch,
                            CospinFaults faults, PetscBool *lost, PetscBool *ok)
{
  char prefix[64];
  double *u;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinMeanStart(problem, task, faults, &watch->field, &u, ok));
  CospinMeanSearch search = {.point = point,
                             .field = watch->field,
                             .prefix = prefix,
                             .accuracy = watch->search->accuracy,
                             .tolerance = standing,
                             .Lost = exceeds,
                             .context = watch};
  if (*ok) PetscCall(run_to_loss(&search, watch, u, lost, ok));
  PetscCall(PetscFree(u));
  PetscCall(CospinMeanFieldDestroy(&watch->field));
  PetscFunctionReturn(0);
}

/* Between two good ends a deck may be bad (a rate that is negative, a size that is not whole): then *ok is
   false, and its faults are told. */
static PetscErrorCode is_lost(CospinPoint point, const CospinRecord *task, const Search *search, double value,
                              PetscBool *lost, PetscBool *undecided, PetscBool *leave, PetscBool *ok)
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
    if (*ok) PetscCall(start(point, problem, task, &watch, faults, lost, ok));
    PetscCall(CospinObservablesDestroy(&watch.observables));
  }
  *leave = watch.leave;
  *undecided = (PetscBool)(watch.undecided && !*lost);
  if (rank == 0) PetscCall(CospinFaultsView(faults, stderr));
  PetscCall(CospinFaultsDestroy(&faults));
  PetscCall(CospinProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

/* ---- Bisection ----------------------------------------------------------------------------------------- */

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

/* Bisection while the ends differ in whether the start is lost; two evolutions to begin with, one each after
   that. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscBool ok, below = PETSC_FALSE, above = PETSC_FALSE, leave = PETSC_FALSE;
  PetscBool undecided = PETSC_FALSE,
            this_one = PETSC_FALSE; /* undecided: at the end where nothing was lost */
  Search search;
  int iterations = 2;

  PetscFunctionBeginUser;
  PetscCall(read_search(point->problem, task, NULL, &search, &ok));
  PetscCall(is_lost(point, task, &search, search.low, &below, &undecided, &leave, &ok));
  below = (PetscBool)!below;
  if (ok) PetscCall(is_lost(point, task, &search, search.high, &above, &this_one, &leave, &ok));
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
    PetscCall(is_lost(point, task, &search, middle, &lost, &this_one, &leave, &ok));
    if (!ok) break;
    if (lost) search.high = middle;
    if (!lost) search.low = middle;
    if (!lost) undecided = this_one;
    iterations++;
  }
  *outcome = leave               ? COSPIN_NOT_RUN
             : !ok               ? COSPIN_SOLVER_FAILED
             : !(below && above) ? COSPIN_NOT_CONVERGED
             : undecided         ? COSPIN_INACCURATE
                                 : COSPIN_GOOD;
  if (ok) PetscCall(store(&search, below, above, iterations, results));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED, "the observable stays within its limit at both ends of `between:`, or at neither: "
                           "nothing lies between them (see <task>_lower and <task>_upper)"},
    {COSPIN_INACCURATE, "deviations grow so slowly beside the boundary that it could not be followed where "
                        "they lead: it is known less well than `precision:`"},
    {COSPIN_SOLVER_FAILED, "at a value on the way the deck is bad, the observable is no number, or the "
                           "equations broke down in time: see the message above"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskBoundary = {
    .record = {"boundary",
               "where along a parameter the mean-field state loses what an observable tells, approximate",
               keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .approximation = COSPIN_MEAN_APPROXIMATION,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
