/*
   Task `gap`: the slowest non-zero eigenvalue of the generator in the sectors where steady states live, the
   rate of approach to the steady state; or in one sector. With an ensemble it is the gap of the
   permutation-symmetric dynamics.

   Eigenvalues below the resolution count as zero; `zeros` tells how many there are.

   The factorisation and the null vectors of the steady state are used again.

   "Non-zero" needs a definition in floating-point numbers: below the resolution, 10 eps times the largest
   column of L, an eigenvalue cannot be told from zero. A gap of exactly zero (several steady states) and
   one of 1e-14 look alike there; `zeros` and `resolution` tell, and the rate is stored as 0 rather than as
   whatever rounding left.
*/
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

static const CospinKey keys[] = {
    COSPIN_TASK_SECTOR_KEY,
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_FALSE, "rate", "spectral gap: slowest rate of approach to the steady state",
     "-Re lambda"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of the slowest mode", "-Im lambda"},
    {"lifetime", COSPIN_REAL, PETSC_FALSE, "time", "lifetime of the slowest mode", "1/rate"},
    {"error", COSPIN_REAL, PETSC_FALSE, "rate",
     "bound of what rounding and the residual do to the eigenvalue",
     "resolution |x||y|/|y^H x|, with ten residuals beside the resolution; without left vectors an "
     "estimate from the right ones, missing where it is small"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero",
     "10 eps times the largest sum of moduli of terms in a column"},
    {"zeros", COSPIN_INTEGER, PETSC_FALSE, "1", "eigenvalues that count as zero", ""},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the slowest mode",
     "|L x - lambda x| / (|L| |x|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "residual of the mode and of null vectors in a larger window",
     "0 where every cutoff is the deck's"},
    {"horizon", COSPIN_REAL, PETSC_FALSE, "rate", "frequency up to which no slower mode was missed",
     "inf: certain"},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of its sector", ""},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    COSPIN_TASK_WORK_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_ALL, 0, "0", NULL},
    {"frequency", COSPIN_ALL, 0, NULL, NULL},
    {"lifetime", COSPIN_ALL, 0, "1/rate", "1/rate"},
    {"error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"leak", COSPIN_ALL, 0, "0", "1e-8"},
    {"zeros", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_ALL, 0, "0", "tolerance"},
    {"horizon", COSPIN_ALL, 0, "0", NULL},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    COSPIN_TASK_WORK_RULES,

    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok;
  double tolerance;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_FALSE, faults, &sector_ok));
  if (!sector_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The slowest mode so far, and where it was found. */
typedef struct {
  double complex lambda;
  double residual, error, horizon, resolution;
  double leak; /* its own, and that of null vectors */
  PetscInt64 dimension;
  int iterations, zeros;
  CospinOutcome outcome;
} Slowest;

/* Null vectors count, too: a gap is no better than the steady state beside it. */
static PetscErrorCode note_leak(CospinPoint point, CospinEigensolver eigensolver, Vec x,
                                double complex lambda, Slowest *slowest)
{
  double leak;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowLeak(point, eigensolver, x, lambda, &leak));
  slowest->leak = PetscMax(slowest->leak, leak);
  PetscFunctionReturn(0);
}

/* Without null vectors: *zero is the slowest mode if that is one, and nothing is noted. The null vectors
   are handed over to be left out by projection; without that the solver would return them again and again
   as the slowest modes. */
static PetscErrorCode search(CospinPoint point, CospinEigensolver eigensolver, int num_null, Vec null[],
                             Slowest *slowest, Vec *zero)
{
  const PetscInt64 dimension = CospinSectorDimension(eigensolver->sector);
  CospinMode mode;
  int num;

  PetscFunctionBeginUser;
  *zero = NULL;
  slowest->resolution = PetscMax(slowest->resolution, eigensolver->resolution);
  slowest->zeros += num_null;
  for (int k = 0; k < num_null; k++) PetscCall(note_leak(point, eigensolver, null[k], 0.0, slowest));
  if (dimension <= num_null) PetscFunctionReturn(0);
  PetscCall(CospinEigensolverSlowest(eigensolver, 1, num_null, null, PETSC_FALSE, &num, &mode));
  slowest->iterations += eigensolver->iterations;
  slowest->horizon = PetscMin(slowest->horizon, eigensolver->horizon);
  slowest->outcome = CospinOutcomeWorse(slowest->outcome, eigensolver->outcome);
  if (num == 0) PetscFunctionReturn(0);
  /* A mode that cannot be told from zero is a null vector that was not counted: the caller looks again beside
     it. */
  if (num_null == 0 && cabs(mode.lambda) <= eigensolver->resolution) {
    *zero = mode.right;
    mode.right = NULL;
  } else if (!(creal(mode.lambda) <= creal(slowest->lambda))) {
    slowest->lambda = mode.lambda;
    slowest->residual = mode.residual;
    slowest->error = mode.error;
    slowest->dimension = dimension;
    PetscCall(CospinWindowModeError(eigensolver, mode.right, &slowest->error));
    PetscCall(note_leak(point, eigensolver, mode.right, mode.lambda, slowest));
  }
  PetscCall(CospinModesDestroy(num, &mode));
  PetscFunctionReturn(0);
}

/* Null vectors are looked for where there are some, for their search has to end between two eigenvalues.
   One at the resolution may be none to that search. A sector without a trace has no null vector as a rule,
   and none is looked for unless a mode turns out to be one (a coherence that lasts). */
static PetscErrorCode search_sector(CospinPoint point, const int representative[], const char prefix[],
                                    Slowest *slowest)
{
  CospinEigensolver eigensolver;
  double complex next;
  Vec zero = NULL, none, *null = NULL;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, point->problem, representative, prefix, &point->eigensolvers,
                                    &eigensolver));
  if (!eigensolver) PetscFunctionReturn(0);
  if (!eigensolver->has_trace) PetscCall(search(point, eigensolver, 0, NULL, slowest, &zero));
  if (eigensolver->has_trace || zero) {
    PetscCall(CospinEigensolverNull(eigensolver, &num, &null, &next));
    if (num || !zero) PetscCall(search(point, eigensolver, num, null, slowest, &none));
    if (!num && zero) PetscCall(search(point, eigensolver, 1, &zero, slowest, &none));
  }
  PetscCall(VecDestroy(&zero));
  PetscCall(VecDestroyVecs(num, &null));
  PetscCall(CospinEigensolverDestroy(&eigensolver));
  PetscFunctionReturn(0);
}

/* The one steady state, where there is only one; *done tells. Where the point's steady state is known
   already its sector's null vector need not be looked for again. One steady state means one sector with a
   trace, for each such sector has at least one of its own. */
static PetscErrorCode search_beside(CospinPoint point, const char prefix[], Slowest *slowest, PetscBool *done)
{
  const CospinSteadyState *steady;
  Vec null, none;

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, NULL, &steady));
  *done = (PetscBool)(steady->rho != NULL);
  if (!*done) PetscFunctionReturn(0);
  null = steady->rho;
  PetscCall(search(point, steady->eigensolver, 1, &null, slowest, &none));
  PetscFunctionReturn(0);
}

/* The point's steady state is used where it is known; a sector of the user's own is searched from the
   beginning. */
static PetscErrorCode search_all(CospinPoint point, const CospinRecord *task, const char prefix[],
                                 Slowest *slowest)
{
  PetscBool done = PETSC_FALSE;
  int num, *representatives;

  PetscFunctionBeginUser;
  if (!CospinRecordGet(task, "sector")->numbers)
    PetscCall(search_beside(point, prefix, slowest, &done));
  else if (point->steady.eigensolver)
    PetscCall(CospinEigensolverRelease(point->steady.eigensolver));
  if (done) PetscFunctionReturn(0);
  PetscCall(CospinTaskSectors(point->problem, task, &num, &representatives));
  for (int k = 0; k < num; k++) {
    PetscCall(
        search_sector(point, representatives + k * point->problem->system.num_coordinates, prefix, slowest));
  }
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

/* Of a CospinWindowUser. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  const char *prefix;
  Slowest slowest;
} Search;

/* A CospinWindowUser's; everything is found anew in the windows as they are. */
static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  Search *s = (Search *)context;

  PetscFunctionBeginUser;
  s->slowest = (Slowest){
      .lambda = CMPLX(NAN, NAN), .residual = NAN, .error = NAN, .horizon = INFINITY, .outcome = COSPIN_GOOD};
  PetscCall(search_all(s->point, s->task, s->prefix, &s->slowest));
  *leak = s->slowest.leak;
  *outcome = s->slowest.outcome;
  PetscFunctionReturn(0);
}

/* Windows grow in all sectors together, for they belong to components and not to sectors. */
static PetscErrorCode grow(void *context, PetscBool *grown)
{
  const Search *s = (const Search *)context;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectors(s->point->problem, s->task, &num, &sectors));
  PetscCall(CospinWindowGrow(s->point, sectors, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

/* A gap within the resolution is zero, with an upper bound that says how small. */
static PetscErrorCode store(const Slowest *slowest, CospinResults results)
{
  const double rate = CospinTaskRate(slowest->lambda, slowest->resolution);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "rate", 0, rate));
  PetscCall(
      CospinResultsSet(results, "frequency", 0, CospinTaskFrequency(slowest->lambda, slowest->resolution)));
  PetscCall(CospinResultsSet(results, "lifetime", 0, 1.0 / rate));
  PetscCall(CospinResultsSet(results, "error", 0, slowest->error));
  PetscCall(CospinResultsSet(results, "resolution", 0, slowest->resolution));
  PetscCall(CospinResultsSet(results, "zeros", 0, slowest->zeros));
  PetscCall(CospinResultsSet(results, "residual", 0, slowest->residual));
  PetscCall(CospinResultsSet(results, "leak", 0, slowest->leak));
  PetscCall(CospinResultsSet(results, "horizon", 0, slowest->horizon));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)slowest->dimension));
  PetscCall(CospinResultsSet(results, "iterations", 0, slowest->iterations));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinWindowUser user = {CospinWindowTolerance(point->problem, COSPIN_MODE_LEAK), solve, grow};
  char prefix[64];
  Search search = {point, task, prefix, {.zeros = 0}};
  const Slowest *slowest = &search.slowest;
  double tolerance, leak;
  PetscBool ok;
  CospinWork before;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolversWork(&point->eigensolvers, NULL, &before));
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinWindowSettle(&user, &search, &leak, outcome));
  /* A sector of one label has one eigenvalue: there is no gap, which is no number rather than zero. */
  if (PetscIsNanReal(creal(slowest->lambda))) /* nothing but steady states */
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR);
  else if (!(slowest->residual <= tolerance) ||
           CospinTaskUncertain(slowest->lambda, slowest->error, slowest->resolution))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscCall(store(slowest, results));
  PetscCall(CospinTaskStoreWork(point, &before, results));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskGap = {
    .record = {"gap", "slowest non-zero eigenvalue of the steady state's sector, or of another one", keys},
    .variables = variables,
    .rules = rules,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
