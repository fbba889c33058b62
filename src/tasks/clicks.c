/*
   Task `clicks`: what a counter shows that is read at one time after an initial state: the probability P(n)
   of n clicks, and the state that is left behind where there were n (heralding).

   The counter is a classical register beside the quantum state, rho = sum_n rho_n |n), and one more component
   of the problem (CospinProblemCreateCounted), so

     d rho_n/dt = (L - eta J) rho_n + eta J rho_(n-1),   P(n) = Tr rho_n,   heralded: rho_n/P(n)

   is one linear equation, evolved like any other (propagator.c) and exact for all n up to the last: nothing
   comes back from beyond, where the missing probability is. Since the register is a label like others, its
   conservation laws are found, too: where excitations leave by clicks only, n tells how many are left, and a
   sector holds no more elements than it has without the counter.

   Missed clicks (eta < 1) spoil that. But a detector of efficiency eta is a perfect one whose clicks are kept
   at random, so the same follows from eta = 1 by

     rho_n <- sum_k (k over n) eta^n (1 - eta)^(k-n) rho_k

   if no k is missing. That way is taken where the counter of a perfect detector is tied to the other labels.
*/
#include "detector.h"
#include <cospin/liouvillian.h>
#include <cospin/propagator.h>
#include <cospin/window.h>

enum { MOST_CLICKS = 100000 };
static const double largest_uncertainty = 1e-3; /* of a heralded state that is given */

static const CospinKey keys[] = {
    COSPIN_TASK_JUMP_KEYS,
    {.name = "initial",
     .type = COSPIN_KEY_STATE,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "state at time 0; components that are left out are in their ground state"},
    {.name = "time",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "time",
     .help = "when the counter is read, >= 0"},
    {.name = "most",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "the largest number of clicks that is told apart; more of them are missing probability"},
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-9",
     .unit = "",
     .help = "accuracy wanted, relative to the norm of the state in each sector"},
    COSPIN_TASK_STORE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"probability", COSPIN_REAL, PETSC_TRUE, "1", "probability of the number of clicks", "P(n) = Tr rho_n"},
    {"uncertainty", COSPIN_REAL, PETSC_TRUE, "1", "estimated error of the state after these clicks, relative",
     "error/P(n); where it is above 1e-3 no observables are given and no state is stored"},
    {"missing", COSPIN_REAL, PETSC_FALSE, "1", "probability of more clicks than were told apart",
     "1 - sum P(n)"},
    {"mean", COSPIN_REAL, PETSC_FALSE, "1", "mean number of clicks", "NaN where probability is missing"},
    {"variance", COSPIN_REAL, PETSC_FALSE, "1", "variance of the number of clicks",
     "NaN where probability is missing"},
    {"fano", COSPIN_REAL, PETSC_FALSE, "1", "Fano factor of the number of clicks", "variance/mean"},
    {"smallest_population", COSPIN_REAL, PETSC_FALSE, "1", "smallest population, before normalisation",
     "negative: error of the evolution"},
    {"hermiticity", COSPIN_REAL, PETSC_FALSE, "1", "largest imaginary part of a population", ""},
    {"error", COSPIN_REAL, PETSC_FALSE, "1", "estimated error of the state with its counter",
     "2-norm, sum over sectors"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "largest change when open windows grew by half",
     "of anything that is read, before normalisation; 0 if no window is open"},
    {"thinned", COSPIN_INTEGER, PETSC_FALSE, "1",
     "1: the efficiency was applied to a perfect detector's counts",
     "0: it is in the generator; the results are the same"},
    {"operations", COSPIN_INTEGER, PETSC_FALSE, "1", "products or solves", ""},
    {"factorisations", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", ""},
    {"sectors", COSPIN_INTEGER, PETSC_FALSE, "1", "sectors that were evolved", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest of them", "with the counter"},
    {.suffix = NULL},
};

/* ---- Settings --------------------------------------------------------------------------------------------
 */

typedef struct {
  CospinDetector detector;
  double time, tolerance;
  int most;
  PetscBool store;
} Settings;

static PetscErrorCode check_range(const CospinRecord *task, const char key[], double value, double least,
                                  double most, const char right[], CospinFaults faults, PetscBool *ok)
{
  const CospinSetting *setting = CospinRecordGet(task, key);

  PetscFunctionBeginUser;
  if (!*ok || (value >= least && value <= most)) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, setting->position, CospinExpressionPath(setting->expression),
                            "`%s` is %.6g (%s)", key, value, right));
  PetscFunctionReturn(0);
}

static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  PetscBool this_ok;
  double most;

  PetscFunctionBeginUser;
  *settings = (Settings){.store = CospinTaskStores(task)};
  PetscCall(CospinTaskDetector(problem, task, faults, &settings->detector, ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscCall(CospinTaskNumber(problem, task, "time", faults, &settings->time, &this_ok));
  PetscCall(check_range(task, "time", settings->time, 0.0, 1e300, "a number >= 0", faults, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscCall(CospinTaskNumber(problem, task, "most", faults, &most, &this_ok));
  if (this_ok && most != PetscFloorReal(most)) most = -1.0;
  PetscCall(
      check_range(task, "most", most, 0.0, MOST_CLICKS, "a whole number from 0 to 100000", faults, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  settings->most = this_ok ? (int)most : 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode get_initial(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinState *initial, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStateCreate(problem, CospinRecordGet(task, "initial"), faults, initial, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinState initial;
  PetscBool initial_ok;
  Settings settings;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  PetscCall(get_initial(problem, task, faults, &initial, &initial_ok));
  if (!initial_ok) *ok = PETSC_FALSE;
  PetscCall(CospinStateDestroy(&initial));
  *dimension = (CospinDimension){"clicks", settings.most + 1, NULL, "1", "number of clicks"};
  PetscFunctionReturn(0);
}

/* Whether the number of clicks is free whatever the other labels are. */
static PetscBool counter_is_free(CospinProblem counted)
{
  int click[COSPIN_MAX_COORDINATES] = {0};

  click[counted->system.num_coordinates - 1] = 1;
  return CospinLatticeContains(counted->lattice, click);
}

/* Of a perfect detector if clicks may be thinned afterwards and that is cheaper. States are not thinned. */
static PetscErrorCode create_counted(CospinProblem problem, const Settings *settings, PetscBool may_thin,
                                     CospinProblem *counted, PetscBool *thinned)
{
  const CospinDetector *detector = &settings->detector;

  PetscFunctionBeginUser;
  *thinned = (PetscBool)(may_thin && detector->efficiency < 1.0 && !settings->store);
  if (*thinned) {
    PetscCall(CospinProblemCreateCounted(problem, detector->jump, 1.0, settings->most, counted));
    if (!counter_is_free(*counted)) PetscFunctionReturn(0);
    PetscCall(CospinProblemDestroy(counted));
    *thinned = PETSC_FALSE;
  }
  PetscCall(
      CospinProblemCreateCounted(problem, detector->jump, detector->efficiency, settings->most, counted));
  PetscFunctionReturn(0);
}

static PetscErrorCode Derive(CospinProblem problem, const CospinRecord *task, CospinProblem *derived)
{
  Settings settings;
  PetscBool ok, thinned;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(create_counted(problem, &settings, PETSC_TRUE, derived, &thinned));
  PetscFunctionReturn(0);
}

/* Those that are read and, for states that are stored, all that the initial state has. */
static PetscErrorCode sectors_of(CospinProblem counted, CospinObservables observables, CospinState initial,
                                 PetscBool whole, int *num, int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(counted, observables, NULL, whole ? initial : NULL, num, representatives));
  PetscFunctionReturn(0);
}

/* ---- One sector ------------------------------------------------------------------------------------------
 */

/* Readings are sums over sectors: for each n Tr(A_0 rho_n), Tr(A_1 rho_n), ... over all observables in a row,
   then the trace. */
typedef struct {
  MPI_Comm comm;
  CospinProblem problem; /* borrowed, unless a window was grown */
  PetscBool owns_problem;
  CospinProblem counted; /* the same with a counter */
  PetscBool thinned;     /* that of a perfect detector */
  CospinObservables observables;
  CospinState initial;
  Settings settings;
  int counter; /* its coordinate */
  int num_readings;
  double complex *readings; /* [most + 1][num_readings]; this rank's part until all sectors are done */
  double smallest, imaginary, error;
  int num_sectors, operations, factorisations;
  PetscInt64 dimension;
  CospinStored stored; /* rho_n for each n if states are stored */
  double leak;
  CospinOutcome outcome;
  CospinSector sector; /* at work */
} Counting;

/* Nothing has clicked at time 0. */
static PetscErrorCode fill_initial(const Counting *counting, Vec u)
{
  PetscInt begin, end;
  PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArray(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(counting->sector, i, label);
    array[i - begin] =
        label[counting->counter] == 0 ? (PetscScalar)CospinStateElement(counting->initial, label) : 0.0;
  }
  PetscCall(VecRestoreArray(u, &array));
  PetscFunctionReturn(0);
}

static void read_element(Counting *counting, const int label[], double complex value)
{
  const double trace = CospinSystemTrace(&counting->counted->system, label);
  double complex *reading =
      counting->readings + (size_t)label[counting->counter] * (size_t)counting->num_readings;

  for (int k = 0; k < counting->observables->count; k++) {
    const CospinObservable *observable = &counting->observables->observables[k];
    for (int e = 0; e < observable->num_expectations; e++)
      *reading++ += CospinExpectationWeight(observable->expectations[e], label) * value;
  }
  *reading += trace * value;
  if (trace == 0.0) return;
  counting->smallest = PetscMin(counting->smallest, creal(value));
  counting->imaginary = PetscMax(counting->imaginary, PetscAbsReal(cimag(value)));
}

/* A CospinPropagatorVisit. */
static PetscErrorCode read_state(void *context, int k, Vec u, double error)
{
  Counting *counting = (Counting *)context;
  const PetscScalar *array;
  PetscInt begin, end;
  PetscReal size;

  PetscFunctionBeginUser;
  (void)k;
  PetscCall(VecNorm(u, NORM_2, &size));
  counting->error += error * size;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArrayRead(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(counting->sector, i, label);
    read_element(counting, label, array[i - begin]);
  }
  PetscCall(VecRestoreArrayRead(u, &array));
  if (counting->settings.store)
    PetscCall(CospinTaskCollectAlong(&counting->problem->system, counting->sector, u, counting->counter,
                                     counting->stored->states));
  PetscFunctionReturn(0);
}

static PetscErrorCode propagate(Counting *counting, const char prefix[], Vec u)
{
  const CospinPropagatorOptions options = {
      .method = COSPIN_PROPAGATE_AUTO,
      .mesh_dimension = CospinLatticeRank(counting->counted->lattice),
      .tolerance = counting->settings.tolerance,
  };
  CospinPropagatorReport report = {0};
  Mat liouvillian;

  PetscFunctionBeginUser;
  PetscCall(
      CospinLiouvillianCreate(counting->comm, counting->counted->generator, counting->sector, &liouvillian));
  PetscCall(CospinPropagate(liouvillian, u, 1, &counting->settings.time, &options, prefix, read_state,
                            counting, &report));
  PetscCall(MatDestroy(&liouvillian));
  if (report.failed) counting->outcome = CospinOutcomeWorse(counting->outcome, COSPIN_NOT_CONVERGED);
  counting->num_sectors++;
  counting->operations += report.operations;
  counting->factorisations += report.factorisations;
  counting->dimension = PetscMax(counting->dimension, CospinSectorDimension(counting->sector));
  PetscFunctionReturn(0);
}

/* A sector where the initial state has no elements stays empty. */
static PetscErrorCode count_sector(Counting *counting, const int representative[], const char prefix[])
{
  const CospinProblem counted = counting->counted;
  PetscReal norm;
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&counted->system, counted->lattice, representative, &counting->sector));
  if (CospinSectorDimension(counting->sector) > 0) {
    PetscCall(
        VecCreateMPI(counting->comm, PETSC_DECIDE, (PetscInt)CospinSectorDimension(counting->sector), &u));
    PetscCall(fill_initial(counting, u));
    PetscCall(VecNorm(u, NORM_2, &norm));
    if (norm > 0.0) PetscCall(propagate(counting, prefix, u));
    PetscCall(VecDestroy(&u));
  }
  PetscCall(CospinSectorDestroy(&counting->sector));
  PetscFunctionReturn(0);
}

/* ---- All sectors -----------------------------------------------------------------------------------------
 */

static PetscErrorCode create_counting(MPI_Comm comm, const CospinRecord *task, PetscBool may_thin,
                                      Counting *counting)
{
  const CospinProblem problem = counting->problem;
  PetscBool ok;

  PetscFunctionBeginUser;
  counting->comm = comm;
  counting->outcome = COSPIN_GOOD;
  counting->smallest = PETSC_MAX_REAL;
  PetscCall(get_settings(problem, task, NULL, &counting->settings, &ok));
  PetscCall(get_initial(problem, task, NULL, &counting->initial, &ok));
  PetscCall(create_counted(problem, &counting->settings, may_thin, &counting->counted, &counting->thinned));
  PetscCall(CospinObservablesCreate(counting->counted, NULL, &counting->observables, &ok));
  counting->counter = problem->system.num_coordinates; /* behind all others */
  counting->num_readings = 1;
  for (int k = 0; k < counting->observables->count; k++)
    counting->num_readings += counting->observables->observables[k].num_expectations;
  PetscCall(PetscCalloc1((size_t)(counting->settings.most + 1) * (size_t)counting->num_readings,
                         &counting->readings));
  PetscCall(CospinStoredCreate(problem->point, &counting->stored));
  for (int n = 0; n <= counting->settings.most && counting->settings.store; n++) {
    CospinStoredState state;
    PetscCall(CospinTaskNewState(problem, task, n, counting->stored, &state));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode free_counting(Counting *counting)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(counting->readings));
  PetscCall(CospinStoredDestroy(&counting->stored));
  PetscCall(CospinObservablesDestroy(&counting->observables));
  PetscCall(CospinProblemDestroy(&counting->counted));
  PetscCall(CospinStateDestroy(&counting->initial));
  if (counting->owns_problem) PetscCall(CospinProblemDestroy(&counting->problem));
  PetscFunctionReturn(0);
}

/* What the ranks have read, together. */
static PetscErrorCode sum_readings(Counting *counting)
{
  const int num = (counting->settings.most + 1) * counting->num_readings;
  double extremes[2] = {counting->smallest, -counting->imaginary};

  PetscFunctionBeginUser;
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, counting->readings, num, MPI_C_DOUBLE_COMPLEX, MPI_SUM, counting->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, counting->comm));
  counting->smallest = extremes[0];
  counting->imaginary = -extremes[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode count_all(MPI_Comm comm, const CospinRecord *task, PetscBool may_thin,
                                Counting *counting)
{
  int num, *representatives;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(create_counting(comm, task, may_thin, counting));
  PetscCall(sectors_of(counting->counted, counting->observables, counting->initial, counting->settings.store,
                       &num, &representatives));
  for (int k = 0; k < num && counting->outcome == COSPIN_GOOD; k++)
    PetscCall(
        count_sector(counting, representatives + k * counting->counted->system.num_coordinates, prefix));
  PetscCall(PetscFree(representatives));
  PetscCall(sum_readings(counting));
  PetscFunctionReturn(0);
}

static double probability(const Counting *counting, int n)
{
  return creal(counting->readings[(size_t)(n + 1) * (size_t)counting->num_readings - 1]);
}

static double missing(const Counting *counting)
{
  double sum = 0.0;

  for (int n = 0; n <= counting->settings.most; n++) sum += probability(counting, n);
  return 1.0 - sum;
}

/* From few clicks to many: those behind are still the perfect detector's. */
static void thin(Counting *counting)
{
  const double eta = counting->settings.detector.efficiency;
  const int num = counting->num_readings;
  double first = 1.0; /* eta^n */

  for (int n = 0; n <= counting->settings.most; n++) {
    double complex *to = counting->readings + (size_t)n * (size_t)num;
    double weight = first; /* (k over n) eta^n (1 - eta)^(k-n) */
    for (int r = 0; r < num; r++) to[r] *= weight;
    for (int k = n + 1; k <= counting->settings.most; k++) {
      const double complex *from = counting->readings + (size_t)k * (size_t)num;
      weight *= (1.0 - eta) * k / (k - n);
      for (int r = 0; r < num; r++) to[r] += weight * from[r];
    }
    first *= eta;
  }
}

/* Everything, for counting->problem. Clicks beyond the counter cannot be thinned. */
static PetscErrorCode count(MPI_Comm comm, const CospinRecord *task, Counting *counting)
{
  Counting again = {.problem = counting->problem, .owns_problem = counting->owns_problem};

  PetscFunctionBeginUser;
  PetscCall(count_all(comm, task, PETSC_TRUE, counting));
  if (!counting->thinned) PetscFunctionReturn(0);
  if (missing(counting) > 10 * counting->settings.tolerance) {
    counting->owns_problem = PETSC_FALSE;
    PetscCall(free_counting(counting));
    PetscCall(count_all(comm, task, PETSC_FALSE, &again));
    *counting = again;
  } else {
    thin(counting);
  }
  PetscFunctionReturn(0);
}

static double largest_change(const Counting *a, const Counting *b)
{
  double change = 0.0;

  for (int k = 0; k < (a->settings.most + 1) * a->num_readings; k++)
    change = PetscMax(change, cabs(a->readings[k] - b->readings[k]) / PetscMax(1.0, cabs(b->readings[k])));
  return change;
}

/* Until a larger window changes nothing that is read. */
static PetscErrorCode grow_windows(const CospinRecord *task, Counting *counting)
{
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool open_ended;

  PetscFunctionBeginUser;
  CospinProblemWindows(counting->problem, windows, &open_ended);
  if (open_ended) counting->leak = PETSC_INFINITY;
  while (counting->leak > 10 * counting->settings.tolerance && counting->outcome == COSPIN_GOOD) {
    Counting larger = {.owns_problem = PETSC_TRUE};
    PetscCall(CospinWindowLarger(counting->problem, counting->dimension, &larger.problem));
    if (!larger.problem) {
      counting->outcome = COSPIN_WINDOW_LIMIT;
      break;
    }
    PetscCall(count(counting->comm, task, &larger));
    larger.leak = largest_change(counting, &larger);
    PetscCall(free_counting(counting));
    *counting = larger;
  }
  PetscFunctionReturn(0);
}

/* ---- Results ---------------------------------------------------------------------------------------------
 */

static double uncertainty(const Counting *counting, int n)
{
  const double p = probability(counting, n);

  return p > 0.0 ? PetscMax(counting->error, PETSC_MACHINE_EPSILON) / p : (double)INFINITY;
}

static PetscErrorCode store_moments(Counting *counting, CospinResults results)
{
  const double limit = 10 * counting->settings.tolerance;
  const double lost = missing(counting), sum = 1.0 - lost;
  double first = 0.0, second = 0.0, mean = NAN, variance = NAN;

  PetscFunctionBeginUser;
  for (int n = 0; n <= counting->settings.most; n++) first += n * probability(counting, n);
  if (PetscAbsReal(lost) <= limit) mean = first / sum;
  for (int n = 0; n <= counting->settings.most; n++)
    second += (n - mean) * (n - mean) * probability(counting, n);
  if (PetscAbsReal(lost) <= limit) variance = second / sum;
  PetscCall(CospinResultsSet(results, "missing", 0, lost));
  PetscCall(CospinResultsSet(results, "mean", 0, mean));
  PetscCall(CospinResultsSet(results, "variance", 0, variance));
  PetscCall(CospinResultsSet(results, "fano", 0, variance / mean));
  if (!(lost >= -limit)) counting->outcome = CospinOutcomeWorse(counting->outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* The observables of rho_n/P(n). */
static PetscErrorCode store_heralded(const Counting *counting, int n, CospinResults results)
{
  const CospinObservables observables = counting->observables;
  double complex *reading = counting->readings + (size_t)n * (size_t)counting->num_readings;
  const double p = probability(counting, n);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "probability", n, p));
  PetscCall(CospinResultsSet(results, "uncertainty", n, uncertainty(counting, n)));
  if (!(uncertainty(counting, n) <= largest_uncertainty)) PetscFunctionReturn(0);
  for (int k = 0; k < counting->num_readings; k++) reading[k] /= p;
  for (int k = 0; k < observables->count; k++) {
    double complex value;
    PetscCall(CospinObservableEvaluate(observables, k, reading, &value));
    PetscCall(CospinResultsSetObservable(results, &observables->observables[k], n, value));
    reading += observables->observables[k].num_expectations;
  }
  PetscFunctionReturn(0);
}

/* rho_n -> rho_n/P(n), which another run may start from; without elements where P(n) is too small to tell. */
static PetscErrorCode keep_states(Counting *counting, CospinStored stored)
{
  PetscFunctionBeginUser;
  for (int n = 0; n < counting->stored->count; n++) {
    const CospinStoredState state = counting->stored->states[n];
    const size_t width = (size_t)state->num_columns + 2;
    if (!(uncertainty(counting, n) <= largest_uncertainty)) state->count = 0;
    for (size_t i = 0; i < (size_t)state->count; i++) {
      state->rows[i * width + width - 2] /= probability(counting, n);
      state->rows[i * width + width - 1] /= probability(counting, n);
    }
  }
  PetscCall(CospinStoredTake(stored, counting->stored));
  PetscFunctionReturn(0);
}

static PetscErrorCode store(Counting *counting, CospinStored stored, CospinResults results)
{
  const double limit = 10 * counting->settings.tolerance;

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "leak", 0, counting->leak));
  PetscCall(CospinResultsSet(results, "thinned", 0, counting->thinned ? 1 : 0));
  PetscCall(CospinResultsSet(results, "operations", 0, counting->operations));
  PetscCall(CospinResultsSet(results, "factorisations", 0, counting->factorisations));
  PetscCall(CospinResultsSet(results, "sectors", 0, counting->num_sectors));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)counting->dimension));
  if (counting->outcome == COSPIN_NOT_CONVERGED) PetscFunctionReturn(0); /* sums lack a sector */
  PetscCall(CospinResultsSet(results, "smallest_population", 0, counting->smallest));
  PetscCall(CospinResultsSet(results, "hermiticity", 0, counting->imaginary));
  PetscCall(CospinResultsSet(results, "error", 0, counting->error));
  if (!(counting->smallest >= -limit) || !(counting->imaginary <= limit) || !(counting->error <= limit))
    counting->outcome = CospinOutcomeWorse(counting->outcome, COSPIN_INACCURATE);
  PetscCall(store_moments(counting, results));
  if (counting->outcome == COSPIN_GOOD) PetscCall(keep_states(counting, stored));
  for (int n = 0; n <= counting->settings.most; n++) PetscCall(store_heralded(counting, n, results));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  Counting counting = {.problem = point->problem};

  PetscFunctionBeginUser;
  PetscCall(count(point->comm, task, &counting));
  PetscCall(grow_windows(task, &counting));
  PetscCall(store(&counting, point->stored, results));
  *outcome = counting.outcome;
  PetscCall(free_counting(&counting));
  PetscFunctionReturn(0);
}

/* ---- For the table of tasks ------------------------------------------------------------------------------
 */

/* Whether anything is in this sector before the first click. */
static PetscErrorCode has_elements(CospinProblem counted, const int representative[], CospinState initial,
                                   PetscBool *answer)
{
  const int counter = counted->system.num_coordinates - 1;
  int label[COSPIN_MAX_COORDINATES];
  CospinSector sector;

  PetscFunctionBeginUser;
  *answer = PETSC_FALSE;
  PetscCall(CospinSectorCreate(&counted->system, counted->lattice, representative, &sector));
  for (PetscInt64 i = 0; i < CospinSectorDimension(sector) && !*answer; i++) {
    CospinSectorLabel(sector, i, label);
    *answer = (PetscBool)(label[counter] == 0 && CospinStateElement(initial, label) != 0.0);
  }
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinObservables observables;
  CospinProblem counted;
  CospinState initial;
  int n, all, *labels;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(Derive(problem, task, &counted));
  PetscCall(get_initial(problem, task, NULL, &initial, &ok));
  PetscCall(CospinObservablesCreate(counted, NULL, &observables, &ok));
  PetscCall(sectors_of(counted, observables, initial, CospinTaskStores(task), &all, &labels));
  n = counted->system.num_coordinates;
  *num = 0;
  for (int k = 0; k < all; k++) {
    PetscCall(has_elements(counted, labels + k * n, initial, &ok));
    if (ok) PetscCall(PetscArraymove(labels + (*num)++ * n, labels + k * n, n));
  }
  *representatives = labels;
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(CospinStateDestroy(&initial));
  PetscCall(CospinProblemDestroy(&counted));
  PetscFunctionReturn(0);
}

static PetscBool Stores(const CospinRecord *task, const CospinAxis **times)
{
  *times = NULL;
  return CospinTaskStores(task);
}

const CospinTaskKind CospinTaskClicks = {
    .record = {"clicks", "probability of n clicks of a counter, and the state after them", keys},
    .variables = variables,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .states_along = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Derive = Derive,
    .Sectors = Sectors,
    .Run = Run,
};
