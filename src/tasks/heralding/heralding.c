/*
   Task `heralding`: what a counter says of the collective spin of N spin-1 atoms, pulse after pulse: the
   weights of S after the clicks that have been seen, the Fisher information of the state that they herald,
   and its average over the clicks of pulses that are still to come (inference.h). Exact, and without a state.

   There is no state in this task: atoms that begin in |m = 0> are a known superposition of collective
   spins S, the first pulse takes S photons out of each and every later one 2S, and what clicks tell is Bayes'
   rule on the weights of S (inference.h). So it costs nothing, and runs with 10^5 atoms.

   Weights are kept as logarithms until they are normalised: likelihoods of many pulses fall below the
   smallest double, and only ratios between spins matter. Every rank of a point has all of them; only the
   records of pulses to come are shared among ranks.
*/
#include "inference.h"
#include <cospin/point/settings.h>
#include <string.h>

/* Fifty thousand spins S, each with its weight and Fisher information; pulses cost as many likelihoods
   each. */
enum { MOST_ATOMS = 100000, MOST_PULSES = 10000 };

static const CospinKey keys[] = {
    {.name = "atoms",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "number N of spin-1 atoms: S = N, N - 2, ...",
     .least = 1,
     .most = MOST_ATOMS,
     .range = "a whole number from 1 to 100000"},
    {.name = "prior",
     .type = COSPIN_KEY_FUNCTION,
     .unit = "",
     .help = "weights of the spins before the first pulse, an expression in S, with any sum; default: those "
             "of N atoms in |m = 0>"},
    {.name = "efficiency",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1",
     .unit = "",
     .help = "probability with which a photon makes a click",
     COSPIN_KEY_PROBABILITY},
    {.name = "dark",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "0",
     .unit = "",
     .help = "mean number of dark counts in each pulse",
     .least = 0,
     .most = 1e6,
     .range = "a number from 0 to 1e6"},
    {.name = "first",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help = "clicks of the first pulse (S photons); left out: none has been seen",
     .least = 0,
     .most = 1e9,
     .range = "a whole number from 0 to 1e9"},
    {.name = "later",
     .type = COSPIN_KEY_AXIS,
     .unit = "",
     .help = "clicks of the pulses behind it (2S photons each), one number for each"},
    {.name = "last",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help = "clicks of one more pulse behind these, which may be an axis; left out: it has not been seen",
     .least = 0,
     .most = 1e9,
     .range = "a whole number from 0 to 1e9"},
    {.name = "pulses",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help =
         "how many pulses: fewer than have been seen are the first of these, of more the rest is averaged "
         "over; default: all that have been seen, 1 at least",
     .least = 0,
     .most = MOST_PULSES,
     .range = "a whole number from 0 to 10000"},
    {.name = "samples",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "0",
     .unit = "",
     .help = "how many records of the pulses to come are drawn for the average; 0: all are summed",
     .least = 0,
     .most = 1e9,
     .range = "a whole number from 0 to 1e9"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "0",
     .unit = "",
     .help = "of the records that are drawn: the same seed draws the same ones",
     COSPIN_KEY_SEED},
    {.name = "until",
     .type = COSPIN_KEY_NUMBER,
     .unit = "",
     .help = "a record that is drawn ends before `pulses` where the standard deviation of S is below this",
     COSPIN_KEY_POSITIVE},
    {.name = "most",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help = "the largest S whose weights are given; default: all",
     .least = 0,
     .most = MOST_ATOMS,
     .range = "a whole number from 0 to 100000"},
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-10",
     .unit = "",
     .help = "probability of records that may be left out of the sum",
     .least = 1e-15,
     .most = 1,
     .range = "a number from 1e-15 to 1, such as 1e-10"},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"prior", COSPIN_REAL, PETSC_TRUE, "1", "weight of S before the first pulse",
     "|c_S|^2 = (2S+1) N!/((N-S)!! (N+S+1)!!), or the deck's"},
    {"posterior", COSPIN_REAL, PETSC_TRUE, "1", "weight of S after the clicks that have been seen", "Bayes"},
    {"pure", COSPIN_REAL, PETSC_TRUE, "1", "Fisher information of |S,-S>", "4 <G^2>, G = Qxx - Qyy"},
    {"probability", COSPIN_REAL, PETSC_FALSE, "1", "probability of the clicks that have been seen", ""},
    {"mean", COSPIN_REAL, PETSC_FALSE, "1", "mean of S", "after the clicks that have been seen"},
    {"deviation", COSPIN_REAL, PETSC_FALSE, "1", "standard deviation of S",
     "after the clicks that have been seen"},
    {"information", COSPIN_REAL, PETSC_FALSE, "1", "Fisher information of the state that is heralded",
     "sum xi F_S - 16 sum xi_S xi_S+2/(xi_S + xi_S+2) |G_S+2,S|^2"},
    {"limit", COSPIN_REAL, PETSC_FALSE, "1", "Fisher information if S were known", "sum xi F_S"},
    {"average_information", COSPIN_REAL, PETSC_FALSE, "1",
     "mean Fisher information after all pulses, over clicks to come", "the limit does not change"},
    {"average_error", COSPIN_REAL, PETSC_FALSE, "1", "its standard error", "0: every record is in the sum"},
    {"average_deviation", COSPIN_REAL, PETSC_FALSE, "1",
     "mean standard deviation of S after all pulses, over clicks to come", ""},
    {"average_pulses", COSPIN_REAL, PETSC_FALSE, "1", "mean number of pulses",
     "those that have been seen included; fewer than `pulses` where records end with `until`"},
    {"unsettled", COSPIN_REAL, PETSC_FALSE, "1", "share of records that end above the deviation `until`",
     "of those that were drawn; missing without it"},
    {"missing", COSPIN_REAL, PETSC_FALSE, "1", "probability of records that were left out", ""},
    {"records", COSPIN_INTEGER, PETSC_FALSE, "1", "records that were looked at",
     "in ascending order of their later clicks"},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"prior", COSPIN_MAY_MISS, 0, "0", "1"},
    {"posterior", COSPIN_MAY_MISS, 0, "0", "1"},
    {"pure", COSPIN_MAY_MISS, 0, "0", NULL},
    {"probability", COSPIN_ALL, 0, "0", "1"},
    {"mean", COSPIN_ALL, 0, "0", "atoms"},
    {"deviation", COSPIN_ALL, 0, "0", "atoms"},
    {"information", COSPIN_ALL, 0, "0", "limit"},
    {"average_information", COSPIN_ALL, 0, "0", NULL},
    {"average_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"average_deviation", COSPIN_ALL, 0, "0", "atoms"},
    {"average_pulses", COSPIN_ALL, 0, "0", NULL},
    {"unsettled", COSPIN_MAY_MISS, 0, "0", "1"},
    {"missing", COSPIN_ALL, 0, "-1*tolerance", "tolerance"},
    {"records", COSPIN_ALL, 0, "1", NULL},
    {.suffix = NULL},
};

/* Values of the keys at one grid point; -1: no clicks are given. */
typedef struct {
  int atoms, first, last, pulses, seen, most; /* first, last: -1 if not seen; seen: of the pulses */
  double efficiency, dark, tolerance, until;  /* until: 0 if records do not end before */
  PetscInt64 samples;
  uint64_t seed;
} Settings;

/* Averages over pulses that are still to come, by all records or by samples of them. Counts are whole; an
   axis of the deck has doubles. Without the first pulse later ones cannot have been seen: pulses follow
   each other. */
static PetscErrorCode get_later(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                const Settings *settings, PetscBool *ok)
{
  const CospinAxis *later = &CospinRecordGet(task, "later")->axis;
  PetscBool whole = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (int k = 0; k < later->size; k++)
    if (!(later->values[k] >= 0 && later->values[k] <= 1e9 &&
          later->values[k] == PetscFloorReal(later->values[k])))
      whole = PETSC_FALSE;
  if (!whole)
    PetscCall(CospinTaskFail(problem, task, "later", faults, ok, "clicks must be whole numbers >= 0"));
  if (later->size >= MOST_PULSES)
    PetscCall(CospinTaskFail(problem, task, "later", faults, ok, "too many pulses"));
  if (later->size && settings->first < 0)
    PetscCall(CospinTaskFail(problem, task, "later", faults, ok,
                             "goes with `first`, the clicks of the first pulse"));
  if (settings->last >= 0 && settings->first < 0)
    PetscCall(CospinTaskFail(problem, task, "last", faults, ok,
                             "goes with `first`, the clicks of the first pulse"));
  PetscFunctionReturn(0);
}

/* How many pulses there are follows from the clicks that are given, unless it is said: one for the first, one
   for each later one. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  const int num_later = CospinRecordGet(task, "later")->axis.size;
  double atoms, first, last, pulses, samples, seed, most;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(CospinTaskNumberOr(problem, task, "atoms", 1, faults, &atoms, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "efficiency", 1, faults, &settings->efficiency, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "dark", 0, faults, &settings->dark, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "first", -1, faults, &first, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "last", -1, faults, &last, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "pulses", first < 0 ? 1 : 1 + num_later + (last >= 0), faults,
                               &pulses, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "samples", 0, faults, &samples, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "seed", 0, faults, &seed, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "until", 0, faults, &settings->until, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "most", atoms, faults, &most, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "tolerance", 1e-10, faults, &settings->tolerance, ok));
  settings->atoms = (int)atoms;
  settings->first = (int)first;
  settings->last = (int)last;
  settings->pulses = (int)pulses;
  settings->samples = (PetscInt64)samples;
  settings->seed = (uint64_t)seed;
  settings->most = (int)most;
  settings->seen = PetscMin(first < 0 ? 0 : 1 + num_later + (last >= 0), settings->pulses);
  if (settings->until > 0 && !settings->samples)
    PetscCall(CospinTaskFail(problem, task, "until", faults, ok,
                             "goes with `samples`, records that are drawn pulse by pulse"));
  PetscCall(get_later(problem, task, faults, settings, ok));
  PetscFunctionReturn(0);
}

/* ---- The prior ----------------------------------------------------------------------------------------- */

/* Where names of the prior are looked up: the deck, and the S whose weight is asked for. */
typedef struct {
  CospinProblem problem;
  double spin;
} Scope;

/* A CospinEnvironment's Resolve: S, and what names mean elsewhere. `S` is known in this one expression;
   every other name is asked for outside. */
static PetscErrorCode resolve(const void *context, const char name[], int num_index, const int index[],
                              CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  const Scope *scope = (const Scope *)context;
  const CospinEnvironment *outer = &scope->problem->environment;

  PetscFunctionBeginUser;
  if (strcmp(name, "S") != 0 || num_index) {
    PetscCall(outer->Resolve(outer->context, name, num_index, index, value, found, why, why_size));
    PetscFunctionReturn(0);
  }
  value->number = scope->spin;
  *found = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* A prior of the deck's own, an expression of S, in place of that of the atoms. Weights need not add up to
   one: CospinInferenceSetPrior normalises them, which fails only if all are zero. */
static PetscErrorCode weigh(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinInference *inference, PetscBool *ok)
{
  const CospinExpression prior = CospinRecordGet(task, "prior")->expression;
  Scope scope = {.problem = problem};
  CospinEnvironment environment = problem->environment;
  PetscBool real = PETSC_TRUE;
  double *weights;

  PetscFunctionBeginUser;
  if (!prior) PetscFunctionReturn(0);
  environment.context = &scope;
  environment.Resolve = resolve;
  PetscCall(PetscCalloc1((size_t)inference->num, &weights));
  for (int s = 0; s < inference->num && *ok; s++) {
    CospinValue value = {0};
    scope.spin = CospinInferenceSpin(inference, s);
    PetscCall(CospinExpressionEvaluate(prior, &environment, faults, &value, ok));
    real = (PetscBool)(*ok && !value.is_operator && cimag(value.number) == 0 && creal(value.number) >= 0);
    if (real) weights[s] = creal(value.number);
    PetscCall(CospinValueReset(&value));
    if (*ok && !real)
      PetscCall(CospinTaskFail(problem, task, "prior", faults, ok, "must be a number >= 0 at every S"));
  }
  if (*ok) {
    CospinInferenceSetPrior(inference, weights, &real);
    if (!real) PetscCall(CospinTaskFail(problem, task, "prior", faults, ok, "is zero at every S"));
  }
  PetscCall(PetscFree(weights));
  PetscFunctionReturn(0);
}

/* ---- What has been seen -------------------------------------------------------------------------------- */

/* The inference of a task, and w[num]: logarithms of the weights of S with the clicks that have been seen.
   log posterior = log prior + sum of log likelihoods, before normalisation; the sum over S of it is the
   probability of the record, the evidence. */
static PetscErrorCode observe(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                              const Settings *settings, CospinInference *inference, double **w, PetscBool *ok)
{
  const CospinAxis *later = &CospinRecordGet(task, "later")->axis;

  PetscFunctionBeginUser;
  PetscCall(CospinInferenceCreate(settings->atoms, settings->efficiency, settings->dark, inference));
  PetscCall(weigh(problem, task, faults, inference, ok));
  PetscCall(PetscMalloc1((size_t)inference->num, w));
  PetscCall(PetscArraycpy(*w, inference->log_prior, inference->num));
  for (int pulse = 0; pulse < settings->seen; pulse++) {
    const int clicks = !pulse                 ? settings->first
                       : pulse <= later->size ? (int)later->values[pulse - 1]
                                              : settings->last;
    for (int s = 0; s < inference->num; s++)
      (*w)[s] += CospinInferenceLikelihood(inference, CospinInferencePhotons(inference, pulse, s), clicks);
  }
  PetscFunctionReturn(0);
}

/* Clicks that are impossible for every S are told here: there would be nothing to condition on. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinInference inference;
  Settings settings;
  double *w, *xi;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  *dimension = (CospinDimension){"spin", settings.most + 1, NULL, "1", "collective spin S"};
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(observe(problem, task, faults, &settings, &inference, &w, ok));
  PetscCall(PetscMalloc1((size_t)inference.num, &xi));
  if (*ok && !(CospinInferenceNormalise(0, inference.num, w, xi) > -INFINITY))
    PetscCall(CospinTaskFail(
        problem, task,
        settings.seen > 1 + CospinRecordGet(task, "later")->axis.size ? "last"
        : settings.seen > 1                                           ? "later"
                                                                      : "first",
        faults, ok, "no spin S makes so many clicks (S photons in the first pulse, 2S in each later one)"));
  PetscCall(PetscFree(xi));
  PetscCall(PetscFree(w));
  PetscCall(CospinInferenceDestroy(&inference));
  PetscFunctionReturn(0);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

/* As many as fit along the axis; those that are negligible are zeros. Along the axis S = 0 ... most; spins
   of the other parity than N stay missing, since N spins-1 in |m = 0> have S = N, N - 2, ... only. */
static PetscErrorCode store_weights(const CospinInference *inference, const double xi[],
                                    CospinResults results)
{
  double mean, deviation;

  PetscFunctionBeginUser;
  for (int s = 0; s < inference->num; s++) {
    const int spin = CospinInferenceSpin(inference, s);
    PetscCall(CospinResultsSet(results, "prior", spin, exp(inference->log_prior[s])));
    PetscCall(CospinResultsSet(results, "posterior", spin, xi[s]));
    PetscCall(CospinResultsSet(results, "pure", spin, inference->information[s]));
  }
  CospinInferenceMoments(inference, 0, inference->num, xi, &mean, &deviation);
  PetscCall(CospinResultsSet(results, "mean", 0, mean));
  PetscCall(CospinResultsSet(results, "deviation", 0, deviation));
  PetscCall(CospinResultsSet(results, "information", 0,
                             CospinInferenceInformation(inference, 0, inference->num, xi)));
  PetscCall(CospinResultsSet(results, "limit", 0, CospinInferenceLimit(inference, 0, inference->num, xi)));
  PetscFunctionReturn(0);
}

/* Collective on comm: whether pulses are to come follows from the deck, so that all ranks agree. Without any
   it is the one record there is, and each rank has it by itself. */
static PetscErrorCode average_records(MPI_Comm comm, const CospinInference *inference, const double w[],
                                      const double xi[], CospinInferenceAverage *average)
{
  double mean;

  PetscFunctionBeginUser;
  if (average->pulses > average->seen) {
    PetscCall(CospinInferenceAverageRecords(comm, inference, w, average));
    PetscFunctionReturn(0);
  }
  average->records = 1;
  average->num_pulses = average->seen;
  average->information = CospinInferenceInformation(inference, 0, inference->num, xi);
  CospinInferenceMoments(inference, 0, inference->num, xi, &mean, &average->deviation);
  average->unsettled = average->deviation >= average->until;
  PetscFunctionReturn(0);
}

/* Seen clicks first (Bayes' rule), then the average over those still to come. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  CospinInferenceAverage average;
  CospinInference inference;
  Settings settings;
  double *w, *xi, evidence;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(point->problem, task, NULL, &settings, &ok));
  PetscCall(observe(point->problem, task, NULL, &settings, &inference, &w, &ok));
  PetscCall(PetscMalloc1((size_t)inference.num, &xi));
  evidence = CospinInferenceNormalise(0, inference.num, w, xi);
  /* From here on w are logarithms of normalised weights, as the average over records wants them. */
  for (int s = 0; s < inference.num; s++) w[s] -= evidence;
  /* Rounding may make a certain record a little more than certain. */
  PetscCall(CospinResultsSet(results, "probability", 0, PetscMin(exp(evidence), 1.0)));
  PetscCall(store_weights(&inference, xi, results));
  average = (CospinInferenceAverage){.seen = settings.seen,
                                     .pulses = settings.pulses,
                                     .tolerance = settings.tolerance,
                                     .samples = settings.samples,
                                     .seed = settings.seed,
                                     .until = settings.until,
                                     .interrupt = &point->interrupt};
  PetscCall(average_records(point->comm, &inference, w, xi, &average));
  PetscCall(CospinResultsSet(results, "records", 0, (double)average.records));
  *outcome = average.gave_up ? COSPIN_NOT_CONVERGED : COSPIN_GOOD;
  if (!average.gave_up) {
    PetscCall(CospinResultsSet(results, "average_information", 0, average.information));
    PetscCall(CospinResultsSet(results, "average_error", 0, average.error));
    PetscCall(CospinResultsSet(results, "average_deviation", 0, average.deviation));
    PetscCall(CospinResultsSet(results, "average_pulses", 0, average.num_pulses));
    if (settings.until > 0) PetscCall(CospinResultsSet(results, "unsettled", 0, average.unsettled));
    PetscCall(CospinResultsSet(results, "missing", 0, average.missing));
    if (!(PetscAbsReal(average.missing) <= settings.tolerance)) *outcome = COSPIN_INACCURATE;
  }
  PetscCall(PetscFree(xi));
  PetscCall(PetscFree(w));
  PetscCall(CospinInferenceDestroy(&inference));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED, "there are more records of clicks than can be summed: give `samples:` (that many "
                           "are drawn), fewer pulses or a larger `tolerance:`"},
    {COSPIN_INACCURATE, "the records that were left out are more probable than `tolerance:` "
                        "(<task>_missing): give a larger one, or `samples:`"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskHeralding = {
    .record = {"heralding", "what counted pulses tell of the collective spin of spin-1 atoms, in closed form",
               keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
