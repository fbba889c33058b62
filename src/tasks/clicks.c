/*
   Task `clicks`: what a counter shows that is read at one time after an initial state: the probability P(n)
   of n clicks, and the state that is left behind where there were n, heralded by them (tally.c, readout.c).

   A counter with efficiency eta and dark counts is a perfect one behind a loss, so that where it can the
   perfect counter's states are evolved and loss and dark counts are applied to the result: sum over k of
   binomial(k, n) eta^n (1-eta)^(k-n) rho_k, then a convolution with a Poisson distribution. Where too much
   lies beyond the counter's last click for that, the efficiency goes into the generator instead and the
   evolution is done again.
*/
#include "tally.h"

enum { MOST_CLICKS = 100000 };
static const double largest_uncertainty = 1e-3; /* of a heralded state that is given */

static const CospinKey keys[] = {
    COSPIN_TASK_JUMP_KEYS,
    COSPIN_READOUT_INITIAL_KEY,
    {.name = "time",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "time",
     .help = "when the counter is read, >= 0",
     COSPIN_KEY_NOT_NEGATIVE},
    {.name = "most",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "the largest number of clicks that is told apart; more of them are missing probability",
     .least = 0,
     .most = MOST_CLICKS,
     .range = "a whole number from 0 to 100000"},
    COSPIN_READOUT_TOLERANCE_KEY,
    COSPIN_TASK_STORE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"probability", COSPIN_REAL, PETSC_TRUE, "1", "probability of the number of clicks", "P(n) = Tr rho_n"},
    {"uncertainty", COSPIN_REAL, PETSC_TRUE, "1", "estimated error of the state after these clicks, relative",
     "error/P(n); where it is above 1e-3 no observables are given and no state is stored"},
    {"averaged", COSPIN_REAL, PETSC_FALSE, "1",
     "probability of the numbers of clicks in averages of observables",
     "sum of the P(n) whose observables are given"},
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
    COSPIN_READOUT_CUTOFF_VARIABLE,
    {"thinned", COSPIN_INTEGER, PETSC_FALSE, "1",
     "1: the efficiency was applied to a perfect detector's counts",
     "0: it is in the generator; the results are the same"},
    COSPIN_READOUT_SIZE_VARIABLES("with the counter"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"probability", COSPIN_FIRST, 0, "-10*tolerance", NULL},
    {"probability", COSPIN_FIRST, 1, NULL, "10*tolerance"},
    {"uncertainty", COSPIN_FIRST, 0, "0", NULL},
    {"averaged", COSPIN_ALL, 0, "0", NULL},
    {"averaged", COSPIN_ALL, 1, NULL, "10*tolerance"},
    {"missing", COSPIN_ALL, 0, "-10*tolerance", NULL},
    {"missing", COSPIN_ALL, 1, NULL, "10*tolerance"},
    {"mean", COSPIN_MAY_MISS, 0, "-10*tolerance", "most"},
    {"smallest_population", COSPIN_ALL, 0, "-10*tolerance", NULL},
    {"hermiticity", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"error", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"leak", COSPIN_ALL, 0, "0", "10*tolerance"},
    COSPIN_READOUT_CUTOFF_RULE,
    {"thinned", COSPIN_ALL, 0, "0", "1"},
    COSPIN_READOUT_SIZE_RULES,
    {.suffix = NULL},
};

/* Values of the keys at one grid point. */
typedef struct {
  CospinDetector detector;
  double time, tolerance;
  int most;
} Settings;

/* Read at every use and not kept: they may depend on the grid point, and the problem is made anew when
   windows grow. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  PetscBool this_ok;
  double most;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskDetector(problem, task, faults, &settings->detector, ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscCall(CospinTaskNumberOr(problem, task, "time", 0.0, faults, &settings->time, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "most", 0.0, faults, &most, ok));
  settings->most = (int)most;
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
  PetscCall(CospinStateCreate(problem, CospinRecordGet(task, "initial"), faults, &initial, &initial_ok));
  if (!initial_ok) *ok = PETSC_FALSE;
  PetscCall(CospinStateDestroy(&initial));
  *dimension = (CospinDimension){"clicks", settings.most + 1, NULL, "1", "number of clicks"};
  PetscFunctionReturn(0);
}

/* The problem with a counter, for `plan` and the farm: it is larger than the deck's own. With the perfect
   counter, which is what Set tries first. */
static PetscErrorCode Derive(CospinProblem problem, const CospinRecord *task, CospinProblem *derived)
{
  Settings settings;
  PetscBool ok, thinned;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinTallyCreate(problem, &settings.detector, settings.most, PETSC_TRUE, derived, &thinned));
  PetscFunctionReturn(0);
}

/* ---- A CospinReadoutKind ------------------------------------------------------------------------------- */

/* Of a CospinReadoutKind. The perfect counter is tried first; `again` means that it lost too much, and the
   efficiency goes into the generator. */
static PetscErrorCode Set(CospinProblem problem, const CospinRecord *task, PetscBool again,
                          CospinReadoutSettings *readout)
{
  Settings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  *readout = (CospinReadoutSettings){.num_times = 1,
                                     .times = &readout->only_time,
                                     .only_time = settings.time,
                                     .method = COSPIN_PROPAGATE_AUTO,
                                     .tolerance = settings.tolerance,
                                     .most = settings.most,
                                     .store = CospinTaskStores(task)};
  PetscCall(CospinTallyCreate(problem, &settings.detector, settings.most, (PetscBool)!again,
                              &readout->counted, &readout->thinned));
  PetscCall(CospinStateCreate(problem, CospinRecordGet(task, "initial"), NULL, &readout->initial, &ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode Finish(CospinReadout readout, PetscBool *again)
{
  Settings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(readout->problem, readout->task, NULL, &settings, &ok));
  PetscCall(CospinTallyFinish(readout, &settings.detector, again));
  PetscFunctionReturn(0);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

/* The error of all states together over the probability of this one: a rare state is known less well. */
static double uncertainty(CospinReadout readout, int n)
{
  const double p = CospinTallyProbability(readout, n);

  return p > 0.0 ? PetscMax(readout->lost, PETSC_MACHINE_EPSILON) / p : (double)INFINITY;
}

/* From P(n) alone, and only as good as what is missing in it allows. Mean and variance of a distribution
   whose tail is missing would be too small without a sign of it, so they are missing, too. The variance is
   summed about the mean: second moments minus squares would cancel. */
static PetscErrorCode store_moments(CospinReadout readout, CospinResults results, CospinOutcome *outcome)
{
  const double limit = 10 * readout->settings.tolerance;
  const double lost = CospinTallyMissing(readout), sum = 1.0 - lost;
  double first = 0.0, second = 0.0, mean = NAN, variance = NAN;

  PetscFunctionBeginUser;
  for (int n = 0; n <= readout->settings.most; n++) first += n * CospinTallyProbability(readout, n);
  if (PetscAbsReal(lost) <= limit) mean = first / sum;
  for (int n = 0; n <= readout->settings.most; n++)
    second += (n - mean) * (n - mean) * CospinTallyProbability(readout, n);
  if (PetscAbsReal(lost) <= limit) variance = second / sum;
  PetscCall(CospinResultsSet(results, "missing", 0, lost));
  PetscCall(CospinResultsSet(results, "mean", 0, mean));
  PetscCall(CospinResultsSet(results, "variance", 0, variance));
  PetscCall(CospinResultsSet(results, "fano", 0, variance / mean));
  if (!(lost >= -limit)) *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* The observables of rho_n/P(n). Readings are linear in rho_n, whose trace is P(n): divided by it they are
   those of a state. */
static PetscErrorCode store_heralded(CospinReadout readout, int n, CospinResults results,
                                     CospinOutcome *outcome)
{
  double complex *reading = readout->readings + (size_t)n * (size_t)readout->num_readings;
  const double p = CospinTallyProbability(readout, n);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "probability", n, p));
  PetscCall(CospinResultsSet(results, "uncertainty", n, uncertainty(readout, n)));
  if (!(uncertainty(readout, n) <= largest_uncertainty)) PetscFunctionReturn(0);
  for (int k = 0; k < readout->num_readings; k++) reading[k] /= p;
  PetscCall(CospinTaskObserve(readout->point->comm, readout->observables, reading, &readout->problem->system,
                              readout->states[n], n, results, outcome));
  PetscFunctionReturn(0);
}

/* P(n) as it is stored; 0 where the observables after n clicks are not given. (The readings are normalised by
   now.) */
static double given_probability(CospinResults results, int n)
{
  const int p = CospinResultsFind(results, "probability")->offset + n;
  const int error = CospinResultsFind(results, "uncertainty")->offset + n;

  return results.record[error] <= largest_uncertainty ? results.record[p] : 0.0;
}

/* The average of a variable along n. Over the numbers of clicks that have observables, normalised by their
   probability (`averaged` tells how much that is). */
static double average_of(CospinReadout readout, CospinResults results, const CospinVariable *along)
{
  double sum = 0.0, given = 0.0;

  for (int n = 0; n <= readout->settings.most; n++) {
    const double p = given_probability(results, n);
    if (p > 0.0) sum += p * results.record[along->offset + n];
    given += p;
  }
  return sum / given;
}

/* What was observed, averaged over the clicks: what is learnt from them counts (Fisher information, entropy);
   of an expectation value it is that of the state that nobody looked at. */
static PetscErrorCode store_averages(CospinReadout readout, CospinResults results)
{
  static const char *const parts[] = {"", "_re", "_im"};
  double given = 0.0;
  char name[96];

  PetscFunctionBeginUser;
  for (int n = 0; n <= readout->settings.most; n++) given += given_probability(results, n);
  PetscCall(CospinResultsSet(results, "averaged", 0, given));
  for (int k = 0; k < readout->observables->count; k++) {
    const char *observable = readout->observables->observables[k].definition->name;
    for (int part = 0; part < (int)PETSC_STATIC_ARRAY_LENGTH(parts); part++) {
      const CospinVariable *along;
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s%s", observable, parts[part]));
      along = CospinResultsFind(results, name);
      if (!along) continue;
      PetscCall(PetscStrlcat(name, COSPIN_AVERAGE, sizeof(name)));
      PetscCall(CospinResultsSet(results, name, 0, average_of(readout, results, along)));
    }
  }
  PetscFunctionReturn(0);
}

/* rho_n -> rho_n/P(n), which another run may start from; without elements where P(n) is too small to tell.
   What is improbable has its error divided by its probability. count = 0 keeps the place of a state that
   is not given. */
static void normalise_states(CospinReadout readout)
{
  for (int n = 0; n <= readout->settings.most; n++) {
    const CospinStoredState state = readout->states[n];
    if (!state) continue;
    if (!(uncertainty(readout, n) <= largest_uncertainty)) state->count = 0;
    CospinStoredStateScale(state, 1.0 / CospinTallyProbability(readout, n));
  }
}

/* The state's own error decides; states after n clicks are normalised before their observables are
   evaluated. Moments before states are normalised: readings change then. */
static PetscErrorCode Store(CospinReadout readout, double leak, CospinResults results, CospinOutcome *outcome)
{
  const double limit = 10 * readout->settings.tolerance;

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "thinned", 0, readout->settings.thinned ? 1 : 0));
  PetscCall(CospinEvolutionStore(&readout->evolution, results));
  if (*outcome == COSPIN_NOT_CONVERGED) PetscFunctionReturn(0); /* sums lack a sector */
  PetscCall(CospinResultsSet(results, "smallest_population", 0, readout->smallest[0]));
  PetscCall(CospinResultsSet(results, "hermiticity", 0, readout->imaginary[0]));
  PetscCall(CospinResultsSet(results, "error", 0, readout->lost));
  if (!(readout->smallest[0] >= -limit) || !(readout->imaginary[0] <= limit) || !(readout->lost <= limit))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscCall(CospinReadoutStoreCutoff(readout, results, outcome));
  PetscCall(store_moments(readout, results, outcome));
  normalise_states(readout);
  for (int n = 0; n <= readout->settings.most; n++) PetscCall(store_heralded(readout, n, results, outcome));
  PetscCall(store_averages(readout, results));
  if (*outcome == COSPIN_GOOD) PetscCall(CospinStoredTake(readout->point->stored, readout->stored));
  PetscFunctionReturn(0);
}

static const CospinReadoutKind kind = {Set, Finish, Store};

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutRun(point, task, &kind, results, outcome));
  PetscFunctionReturn(0);
}

/* ---- For the table of tasks ---------------------------------------------------------------------------- */

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutTaskSectors(problem, task, &kind, num, representatives));
  PetscFunctionReturn(0);
}

/* For `plan`: as many as are followed, all numbers of clicks together. A pulse that begins in one state
   reaches a small part of what its sectors hold. */
static PetscErrorCode Labels(CospinProblem problem, const CospinRecord *task, const int representative[],
                             double *labels)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutTaskLabels(problem, task, &kind, representative, labels));
  PetscFunctionReturn(0);
}

/* States after each number of clicks: along these, not along times. */
static PetscBool Stores(const CospinRecord *task, const CospinAxis **times)
{
  *times = NULL;
  return CospinTaskStores(task);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED, "the evolution of a sector gave up before `time:`: raise the tolerance, or look "
                           "at the rates of the deck, which may be too far apart"},
    {COSPIN_INACCURATE,
     "a probability is negative or the distribution is not real to `tolerance:`: see "
     "<task>_smallest_population, <task>_hermiticity and <task>_error; or " COSPIN_READOUT_CUTOFF_HINT},
    {.text = NULL},
};

const CospinTaskKind CospinTaskClicks = {
    .record = {"clicks", "probability of n clicks of a counter, and the state after them", keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .observables_averaged = PETSC_TRUE,
    .observables_miss = PETSC_TRUE,
    .states_along = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Derive = Derive,
    .Sectors = Sectors,
    .Labels = Labels,
    .Run = Run,
};
