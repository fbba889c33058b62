/*
   Tasks `correlation` and `g2`: two-time correlations in the steady state, against the time between.

     correlation   <A(t) B(0)> = Tr(A exp(t L) B rho),   by default with B = A^+
     g2            <A^+(0) A^+(t) A(t) A(0)> / <A^+ A>^2 = Tr(A^+A exp(t L) A rho A^+) / <A^+ A>^2

   The perturbed state evolves in the sectors that are read (cospin/point/regression.h). Its steady part is
   taken out before and its share added afterwards, so that what is small at long times is as accurate as what
   is large.
*/
#include <cospin/point/evolution.h>
#include <cospin/point/regression.h>
#include <cospin/point/window.h>

static const double largest_leak = 1e-8, rounding = 1e-13;
static const double ratio_error = 1e-6; /* of a number that something is divided by */

#define COMMON_KEYS                                                                                          \
  {.name = "times",                                                                                          \
   .type = COSPIN_KEY_AXIS,                                                                                  \
   .required = PETSC_TRUE,                                                                                   \
   .unit = "time",                                                                                           \
   .help = "times t at which the correlation is wanted, ascending, >= 0"},                                   \
      COSPIN_TASK_STEADY_SECTOR_KEY,                                                                         \
      {.name = "tolerance",                                                                                  \
       .type = COSPIN_KEY_NUMBER,                                                                            \
       .default_text = "1e-9",                                                                               \
       .unit = "",                                                                                           \
       .help = "accuracy of the evolution, relative to what is left to evolve"},                             \
      COSPIN_TASK_METHOD_KEY

static const CospinKey correlation_keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "operator A of <A(t) B(0)>; for the light of a mode it is dag(a)"},
    {.name = "with",
     .type = COSPIN_KEY_OPERATOR,
     .unit = "",
     .help = "operator B; default: the adjoint of A"},
    COMMON_KEYS,
    {.name = NULL},
};

static const CospinKey g2_keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "operator A that takes a quantum away: a of a mode, Sm of spins"},
    COMMON_KEYS,
    {.name = NULL},
};

#define QUALITY_VARIABLES                                                                                    \
  {"error",                                                                                                  \
   COSPIN_REAL,                                                                                              \
   PETSC_TRUE,                                                                                               \
   "1",                                                                                                      \
   "estimated error of the perturbed state, relative",                                                       \
   "largest over sectors, 2-norms, accumulated over steps"},                                                 \
      {"leak",                                                                                               \
       COSPIN_REAL,                                                                                          \
       PETSC_FALSE,                                                                                          \
       "1",                                                                                                  \
       "what the generator carries out of the window",                                                       \
       "of the perturbed state at the first and the last time; 0 where every cutoff is the deck's"},         \
      {"steps", COSPIN_INTEGER, PETSC_FALSE, "1", "Krylov spaces that were built", ""},                      \
      {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest sector", ""},                \
  {                                                                                                          \
    "nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it", ""                      \
  }

static const CospinTaskVariable correlation_variables[] = {
    {"re", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, real part", "coherent part included"},
    {"im", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, imaginary part", ""},
    {"g1_re", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, real part", ""},
    {"g1_im", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, imaginary part", ""},
    {"coherent", COSPIN_REAL, PETSC_FALSE, "1", "coherent part <A><B>", "what is left after long times"},
    {"coherent_im", COSPIN_REAL, PETSC_FALSE, "1", "coherent part, imaginary part", ""},
    QUALITY_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskVariable g2_variables[] = {
    {"value", COSPIN_REAL, PETSC_TRUE, "1", "$g^{(2)}(t)$ of %s", "<A^+(0) A^+(t) A(t) A(0)> / <A^+ A>^2"},
    {"intensity", COSPIN_REAL, PETSC_FALSE, "1", "<A^+ A>", "in the steady state"},
    QUALITY_VARIABLES,
    {.suffix = NULL},
};

/* ---- The evolution ------------------------------------------------------------------------------------- */

typedef struct {
  const CospinAxis *times;
  CospinPropagatorMethod method;
  double tolerance;
} Settings;

typedef struct {
  CospinPoint point;
  Settings settings;
  CospinEvolution evolution; /* its parts are the shares */
  int num_channels;
  CospinChannel *channels;
  double complex *values; /* [times] sums over shares */
  double *errors;         /* [times] */
  double leak;
} Correlation;

static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  PetscBool times_ok;

  PetscFunctionBeginUser;
  *settings = (Settings){.times = &CospinRecordGet(task, "times")->axis, .method = CospinTaskMethod(task)};
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, ok));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- A CospinEvolutionUser ----------------------------------------------------------------------------- */

static PetscErrorCode Open(void *context, int part, Mat *generator, Vec *u)
{
  const Correlation *correlation = (const Correlation *)context;
  const CospinChannel *channel = &correlation->channels[part];

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(channel->perturbed, u));
  PetscCall(VecCopy(channel->perturbed, *u));
  PetscCall(CospinEvolutionGenerator(correlation->point, correlation->point->problem,
                                     channel->eigensolver->sector, correlation->settings.method,
                                     channel->eigensolver->liouvillian, generator));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *context, int k, Vec u, double error)
{
  Correlation *correlation = (Correlation *)context;
  const CospinChannel *channel = &correlation->channels[correlation->evolution.part];
  PetscScalar value;
  double leak_now;

  PetscFunctionBeginUser;
  PetscCall(VecDot(u, channel->reading, &value));
  correlation->values[k] += value;
  correlation->errors[k] = PetscMax(correlation->errors[k], error);
  if (k && k < correlation->settings.times->size - 1) PetscFunctionReturn(0);
  PetscCall(CospinWindowLeakOf(correlation->point, channel->eigensolver, u, &leak_now));
  correlation->leak = PetscMax(correlation->leak, leak_now);
  PetscFunctionReturn(0);
}

static PetscErrorCode exchange(Correlation *correlation, CospinCheckpoint checkpoint)
{
  const size_t num_times = (size_t)correlation->settings.times->size;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointReals(checkpoint, 2 * num_times, (double *)correlation->values));
  PetscCall(CospinCheckpointReals(checkpoint, num_times, correlation->errors));
  PetscCall(CospinCheckpointReals(checkpoint, 1, &correlation->leak));
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(void *context, CospinCheckpoint checkpoint)
{
  Correlation *correlation = (Correlation *)context;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowSave(correlation->point->problem, checkpoint));
  PetscCall(exchange(correlation, checkpoint));
  PetscFunctionReturn(0);
}

/* Tr(a exp(t L) perturbation rho); *outcome: COSPIN_NOT_RUN if it was left. */
static PetscErrorCode evolve(CospinPoint point, const CospinRecord *task, const CospinSteadyState *steady,
                             CospinPolynomial a, CospinMoves perturbation, Correlation *correlation,
                             CospinOutcome *outcome)
{
  static const CospinEvolutionUser user = {.Open = Open, .Read = Read, .Save = Save};
  CospinEvolution *evolution = &correlation->evolution;
  const Settings *settings = &correlation->settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  *correlation = (Correlation){.point = point};
  PetscCall(get_settings(point->problem, task, NULL, &correlation->settings, &ok));
  PetscCall(PetscCalloc1((size_t)settings->times->size, &correlation->values));
  PetscCall(PetscCalloc1((size_t)settings->times->size, &correlation->errors));
  PetscCall(CospinEvolutionCreate(point, task, &user, correlation, evolution));
  PetscCall(CospinChannelsCreate(point, evolution->prefix, steady, a, perturbation, PETSC_TRUE,
                                 &correlation->num_channels, &correlation->channels));
  evolution->num_parts = correlation->num_channels;
  evolution->num_times = settings->times->size;
  evolution->times = settings->times->values;
  evolution->options = (CospinPropagatorOptions){.method = settings->method,
                                                 .mesh_dimension = CospinLatticeRank(point->problem->lattice),
                                                 .bytes = point->problem->bytes,
                                                 .tolerance = settings->tolerance};
  if (point->checkpoint) PetscCall(exchange(correlation, point->checkpoint));
  if (point->checkpoint) PetscCall(CospinEvolutionLoad(evolution, point->checkpoint));
  PetscCall(CospinEvolutionRun(evolution));
  *outcome = CospinOutcomeWorse(*outcome, evolution->outcome);
  if (evolution->outcome == COSPIN_NOT_RUN) *outcome = COSPIN_NOT_RUN;
  PetscFunctionReturn(0);
}

/* Of the values, at long times: it is not in what evolves. */
static double complex limit_of(const Correlation *correlation)
{
  double complex limit = 0.0;

  for (int k = 0; k < correlation->num_channels; k++) limit += correlation->channels[k].limit;
  return limit;
}

/* Whether there is something to be stored: sums may lack a channel. */
static PetscBool is_complete(const Correlation *correlation)
{
  return (PetscBool)(correlation->evolution.outcome == COSPIN_GOOD);
}

/* Largest expectation value that the operator which is read can have, about. */
static PetscErrorCode largest_reading(const Correlation *correlation, double *largest)
{
  PetscFunctionBeginUser;
  *largest = 0.0;
  for (int k = 0; k < correlation->num_channels; k++) {
    PetscReal size;
    PetscCall(VecNorm(correlation->channels[k].reading, NORM_INFINITY, &size));
    *largest = PetscMax(*largest, size);
  }
  PetscFunctionReturn(0);
}

/* The same among the elements that the perturbed state has: in a large window the highest levels, which hold
   nothing, are read with the largest weights. */
static PetscErrorCode typical_reading(const Correlation *correlation, double *typical)
{
  static const double present = 1e-3;

  PetscFunctionBeginUser;
  *typical = 0.0;
  for (int k = 0; k < correlation->num_channels; k++) {
    const CospinChannel *channel = &correlation->channels[k];
    const PetscScalar *reading, *perturbed;
    PetscReal largest;
    PetscInt size;
    PetscCall(VecNorm(channel->perturbed, NORM_INFINITY, &largest));
    PetscCall(VecGetLocalSize(channel->perturbed, &size));
    PetscCall(VecGetArrayRead(channel->reading, &reading));
    PetscCall(VecGetArrayRead(channel->perturbed, &perturbed));
    for (PetscInt i = 0; i < size; i++) {
      if (PetscAbsScalar(perturbed[i]) > present * largest)
        *typical = PetscMax(*typical, PetscAbsScalar(reading[i]));
    }
    PetscCall(VecRestoreArrayRead(channel->perturbed, &perturbed));
    PetscCall(VecRestoreArrayRead(channel->reading, &reading));
  }
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, typical, 1, MPI_DOUBLE, MPI_MAX, correlation->evolution.point->comm));
  PetscFunctionReturn(0);
}

/* Whether an expectation value is not more than what rounding makes of zero, or has less than six digits
   because the steady state has not: nothing can be divided by it. */
static PetscErrorCode is_nothing(const Correlation *correlation, const CospinSteadyState *steady,
                                 double complex value, PetscBool *nothing)
{
  double largest, typical;

  PetscFunctionBeginUser;
  PetscCall(largest_reading(correlation, &largest));
  PetscCall(typical_reading(correlation, &typical));
  *nothing = (PetscBool)(cabs(value) <= rounding * largest ||
                         cabs(value) <= steady->quality.error / ratio_error * typical);
  PetscFunctionReturn(0);
}

static PetscErrorCode free_correlation(Correlation *correlation)
{
  PetscFunctionBeginUser;
  PetscCall(CospinChannelsDestroy(correlation->num_channels, &correlation->channels));
  PetscCall(PetscFree(correlation->values));
  PetscCall(PetscFree(correlation->errors));
  PetscFunctionReturn(0);
}

static PetscErrorCode store_quality(const Correlation *correlation, CospinResults results,
                                    CospinOutcome *outcome)
{
  const CospinEvolution *evolution = &correlation->evolution;

  PetscFunctionBeginUser;
  for (int k = 0; k < evolution->num_times; k++) {
    PetscCall(CospinResultsSet(results, "error", k, correlation->errors[k]));
    if (!(correlation->errors[k] <= 10 * correlation->settings.tolerance))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  if (!(correlation->leak <= largest_leak)) *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscCall(CospinResultsSet(results, "leak", 0, correlation->leak));
  PetscCall(CospinResultsSet(results, "steps", 0, evolution->steps));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)evolution->dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)evolution->nonzeros));
  PetscFunctionReturn(0);
}

/* What both tasks have in common of a CospinTaskKind.Check; `ok` holds what is known already. */
static PetscErrorCode check_common(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   CospinDimension *dimension, PetscBool *ok)
{
  Settings settings;
  PetscBool settings_ok, sector_ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, &settings_ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  *ok = (PetscBool)(*ok && settings_ok && sector_ok);
  *dimension = (CospinDimension){"time", settings.times->size, settings.times->values, "time", "time"};
  PetscFunctionReturn(0);
}

/* What a task does with the one steady state. */
typedef PetscErrorCode (*Work)(CospinPoint point, const CospinRecord *task, const CospinSteadyState *steady,
                               CospinResults results, CospinOutcome *outcome);

/* Where a run was left, the steady state was that of these windows. */
static PetscErrorCode run_with(Work work, CospinPoint point, const CospinRecord *task, CospinResults results,
                               CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  if (point->checkpoint) PetscCall(CospinWindowRestore(point, point->checkpoint));
  PetscCall(CospinTaskSteadyState(point, task, prefix, &steady, outcome));
  if (steady->rho) PetscCall(work(point, task, steady, results, outcome));
  PetscFunctionReturn(0);
}

/* ---- <A(t) B(0)> --------------------------------------------------------------------------------------- */

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinPolynomial a, b;
  PetscBool adjoint;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPair(problem, task, faults, &a, &b, &adjoint, ok));
  PetscCall(check_common(problem, task, faults, dimension, ok));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinPolynomial a;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, NULL, &a, &ok));
  PetscCall(CospinProblemSectors(problem, a, num, representatives));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode store(const Correlation *correlation, const CospinSteadyState *steady,
                            double complex equal_time, CospinResults results)
{
  const double complex limit = limit_of(correlation);
  PetscBool nothing = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(is_nothing(correlation, steady, equal_time, &nothing));
  if (nothing) equal_time = CMPLX(NAN, NAN);
  for (int k = 0; k < correlation->settings.times->size; k++) {
    const double complex value = correlation->values[k] + limit;
    PetscCall(CospinResultsSet(results, "re", k, creal(value)));
    PetscCall(CospinResultsSet(results, "im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "g1_re", k, creal(value / equal_time)));
    PetscCall(CospinResultsSet(results, "g1_im", k, cimag(value / equal_time)));
  }
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(limit)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(limit)));
  PetscFunctionReturn(0);
}

static PetscErrorCode correlate(CospinPoint point, const CospinRecord *task, const CospinSteadyState *steady,
                                CospinResults results, CospinOutcome *outcome)
{
  CospinPolynomial a, b, product;
  double complex equal_time;
  Correlation correlation;
  CospinMoves perturbation;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPair(point->problem, task, NULL, &a, &b, &ok, &ok));
  PetscCall(CospinPolynomialMultiply(a, b, &product));
  PetscCall(CospinSteadyExpectation(point, steady, product, &equal_time));
  PetscCall(CospinTaskLeftProduct(point->problem, b, &perturbation));
  PetscCall(evolve(point, task, steady, a, perturbation, &correlation, outcome));
  if (is_complete(&correlation)) {
    PetscCall(store(&correlation, steady, equal_time, results));
    PetscCall(store_quality(&correlation, results, outcome));
  }
  PetscCall(free_correlation(&correlation));
  PetscCall(CospinMovesDestroy(&perturbation));
  PetscCall(CospinPolynomialDestroy(&product));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(run_with(correlate, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskCorrelation = {
    .record = {"correlation", "two-time correlation <A(t) B(0)> in the steady state", correlation_keys},
    .variables = correlation_variables,
    .may_multiply = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};

/* ---- g2 ------------------------------------------------------------------------------------------------ */

static PetscErrorCode check_g2(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinDimension *dimension, PetscBool *ok)
{
  CospinPolynomial a;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, faults, &a, ok));
  PetscCall(check_common(problem, task, faults, dimension, ok));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* A^+ A, and rho -> A rho A^+. */
static PetscErrorCode count(CospinProblem problem, CospinPolynomial a, CospinPolynomial *number,
                            CospinMoves *click)
{
  CospinPolynomial adjoint;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(adjoint, a, number));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinMovesCreate(&problem->system, click));
  for (int i = 0; i < a->count; i++) {
    for (int j = 0; j < a->count; j++)
      PetscCall(CospinMovesAddProduct(*click, 1.0, &a->monomials[i], &a->monomials[j]));
  }
  PetscCall(CospinMovesFinish(*click));
  PetscFunctionReturn(0);
}

static PetscErrorCode sectors_g2(CospinProblem problem, const CospinRecord *task, int *num,
                                 int **representatives)
{
  CospinPolynomial a, number;
  CospinMoves click;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, NULL, &a, &ok));
  PetscCall(count(problem, a, &number, &click));
  PetscCall(CospinProblemSectors(problem, number, num, representatives));
  PetscCall(CospinMovesDestroy(&click));
  PetscCall(CospinPolynomialDestroy(&number));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* Pairs are rarer than single quanta where light is dim: an error of the state that is small beside either
   may not be beside the square of a small intensity. */
static PetscErrorCode store_pairs(const Correlation *correlation, const CospinSteadyState *steady,
                                  double complex intensity, CospinResults results, CospinOutcome *outcome)
{
  const double complex limit = limit_of(correlation);
  static const double dim = 1e-6;
  PetscBool dark = PETSC_FALSE;
  double typical, largest;

  PetscFunctionBeginUser;
  PetscCall(is_nothing(correlation, steady, intensity, &dark));
  PetscCall(typical_reading(correlation, &typical));
  PetscCall(largest_reading(correlation, &largest));
  if (creal(intensity) <= dim * largest) typical = largest; /* the perturbed state is rounding itself */
  if (!dark && steady->quality.error * PetscSqr(typical / creal(intensity)) > ratio_error)
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  if (dark) *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* there is no first quantum */
  for (int k = 0; k < correlation->settings.times->size && !dark; k++) {
    const double pairs = creal(correlation->values[k] + limit);
    PetscCall(CospinResultsSet(results, "value", k, pairs / PetscSqr(creal(intensity))));
  }
  PetscCall(CospinResultsSet(results, "intensity", 0, creal(intensity)));
  PetscFunctionReturn(0);
}

static PetscErrorCode count_pairs(CospinPoint point, const CospinRecord *task,
                                  const CospinSteadyState *steady, CospinResults results,
                                  CospinOutcome *outcome)
{
  CospinPolynomial a, number;
  double complex intensity;
  Correlation correlation;
  CospinMoves click;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(point->problem, task, NULL, &a, &ok));
  PetscCall(count(point->problem, a, &number, &click));
  PetscCall(CospinSteadyExpectation(point, steady, number, &intensity));
  PetscCall(evolve(point, task, steady, number, click, &correlation, outcome));
  if (is_complete(&correlation)) {
    PetscCall(store_pairs(&correlation, steady, intensity, results, outcome));
    PetscCall(store_quality(&correlation, results, outcome));
  }
  PetscCall(free_correlation(&correlation));
  PetscCall(CospinMovesDestroy(&click));
  PetscCall(CospinPolynomialDestroy(&number));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode run_g2(CospinPoint point, const CospinRecord *task, CospinResults results,
                             CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(run_with(count_pairs, point, task, results, outcome));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint dark_hints[] = {
    {COSPIN_EMPTY_SECTOR,
     "the steady state is dark: there is no first quantum after which to look for a second"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskG2 = {
    .record = {"g2", "how likely a second quantum is a time t after the first, in the steady state", g2_keys},
    .hints = dark_hints,
    .variables = g2_variables,
    .may_multiply = PETSC_TRUE,
    .Check = check_g2,
    .Sectors = sectors_g2,
    .Run = run_g2,
};
