/*
   Task `gap`: the slowest non-zero eigenvalues of the generator in the sectors where steady states live, the
   rates of approach to the steady state; or in one sector, or in all. With an ensemble it is the gap of the
   permutation-symmetric dynamics: operators that tell its spins apart may decay more slowly.

   Eigenvalues below the resolution count as zero; `zeros` tells how many there are.

   The factorisation and the null vectors of the steady state are used again.

   "Non-zero" needs a definition in floating-point numbers: below the resolution, 10 eps times the largest
   column of L, an eigenvalue cannot be told from zero. A gap of exactly zero (several steady states) and
   one of 1e-14 look alike there; `zeros` and `resolution` tell, and the rate is stored as 0 rather than as
   whatever rounding left.

   Several modes (`count`) of several sectors: of each sector as many as are wanted are found, and the slowest
   of all are kept, which is right because no sector has more of them than that. `sector: all` is every coset
   of the lattice of moves; of a weak symmetry the sectors q and -q have conjugate spectra, and both are
   solved, so that a pair of modes stands in the list as what it is. Lasting coherences are counted by
   `zeros`, too: each sector without a trace is asked for the mode at zero that no steady state has put there.

   Without `count` there is no dimension `mode`: scripts that read one number of a point go on to do so.
*/
#include <cospin/point/settings.h>
#include <cospin/point/window.h>
#include <cospin/solver/dense.h>

enum { MAX_COUNT = 1000 };
static const char *const words[] = {"all", NULL};

static const CospinKey keys[] = {
    {.name = "sector",
     .type = COSPIN_KEY_SECTOR,
     .choices = words,
     .unit = "",
     .help =
         "another sector than those of steady states: {ket: k, bra: b} under a strong symmetry, {charge: q} "
         "under a weak one; all: every sector, coherences included"},
    {.name = "count",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help =
         "how many of the slowest modes are stored, along the dimension `mode`; left out: one, without that "
         "dimension",
     .least = 1,
     .most = MAX_COUNT,
     .range = "a whole number from 1 to 1000"},
    {.name = "period",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "of a generator that depends on time and is the same again after this long: the modes of the "
             "map of one "
             "period",
     COSPIN_KEY_POSITIVE},
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_TRUE, "rate", "spectral gap: slowest rate of approach to the steady state",
     "-Re lambda; of an ensemble within permutation-symmetric states"},
    {"frequency", COSPIN_REAL, PETSC_TRUE, "rate", "frequency of the slowest mode", "-Im lambda"},
    {"lifetime", COSPIN_REAL, PETSC_TRUE, "time", "lifetime of the slowest mode", "1/rate"},
    {"error", COSPIN_REAL, PETSC_TRUE, "rate", "bound of what rounding and the residual do to the eigenvalue",
     "resolution |x||y|/|y^H x|, with ten residuals beside the resolution; without left vectors an "
     "estimate from the right ones, missing where it is small"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero",
     "10 eps times the largest sum of moduli of terms in a column"},
    {"zeros", COSPIN_INTEGER, PETSC_FALSE, "1", "eigenvalues that count as zero", ""},
    {"residual", COSPIN_REAL, PETSC_TRUE, "1", "residual of the slowest mode",
     "|L x - lambda x| / (|L| |x|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "residual of the mode and of null vectors in a larger window",
     "0 where every cutoff is the deck's"},
    {"horizon", COSPIN_REAL, PETSC_FALSE, "rate", "frequency up to which no slower mode was missed",
     "inf: certain"},
    {"dimension", COSPIN_INTEGER, PETSC_TRUE, "1", "dimension of its sector", ""},
    {"charge", COSPIN_INTEGER, PETSC_TRUE, "1", "charge of its sector",
     "excitations of the ket minus those of the bra, modulo a parity where only that is conserved"},
    {"ket", COSPIN_REAL, PETSC_TRUE, "1", "excitations of kets in its sector",
     "missing: they are not conserved by themselves"},
    {"bra", COSPIN_REAL, PETSC_TRUE, "1", "excitations of bras in its sector",
     "missing: they are not conserved by themselves"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    COSPIN_TASK_WORK_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_FIRST, 0, "0", NULL},
    {"frequency", COSPIN_FIRST, 0, NULL, NULL},
    {"lifetime", COSPIN_FIRST, 0, "1/rate", "1/rate"},
    {"error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"leak", COSPIN_ALL, 0, "0", "1e-8"},
    {"zeros", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_FIRST, 0, "0", "tolerance"},
    {"horizon", COSPIN_ALL, 0, "0", NULL},
    {"dimension", COSPIN_FIRST, 0, "1", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    COSPIN_TASK_WORK_RULES,

    {.suffix = NULL},
};

/* A key without a default: whether it is given decides on the dimension. */
static PetscErrorCode read_count(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 int *count, PetscBool *ok)
{
  double value;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumberOr(problem, task, "count", 1.0, faults, &value, ok));
  *count = (int)value;
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok, count_ok = PETSC_TRUE;
  double tolerance;
  int count;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_FALSE, faults, &sector_ok));
  PetscCall(read_count(problem, task, faults, &count, &count_ok));
  if (CospinRecordGet(task, "count")->expression)
    *dimension = (CospinDimension){"mode", count, NULL, "1", "mode, slowest first"};
  if (!sector_ok || !count_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* A mode, and where it was found. */
typedef struct {
  double complex lambda;
  double residual, error, leak;
  PetscInt64 dimension;
  int charge, ket, bra;
} Mode;

/* The slowest modes so far. */
typedef struct {
  int wanted, num, capacity;
  Mode *modes;
  double horizon, resolution;
  double leak; /* their own, and that of null vectors */
  int iterations, zeros;
  CospinOutcome outcome;
} Slowest;

/* Null vectors count, too: a gap is no better than the steady state beside it. */
static PetscErrorCode note_leak(CospinPoint point, CospinEigensolver eigensolver, Vec null, Slowest *slowest)
{
  double leak;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowLeak(point, eigensolver, null, 0.0, &leak));
  slowest->leak = PetscMax(slowest->leak, leak);
  PetscFunctionReturn(0);
}

/* Slowest first; more than are wanted are forgotten. */
static PetscErrorCode sort(Slowest *slowest)
{
  double complex *lambda;
  double *error;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(slowest->num, &lambda, slowest->num, &error));
  for (int k = 0; k < slowest->num; k++) {
    lambda[k] = slowest->modes[k].lambda;
    error[k] = PetscMax(slowest->resolution, slowest->modes[k].error); /* NaN: the former */
  }
  PetscCall(CospinSortSlowest(slowest->num, lambda, error, sizeof(*slowest->modes), slowest->modes));
  slowest->num = PetscMin(slowest->num, slowest->wanted);
  PetscCall(PetscFree2(lambda, error));
  PetscFunctionReturn(0);
}

/* The modes of a sector among the others. The sector is known by any of its labels. */
static PetscErrorCode keep(CospinPoint point, CospinEigensolver eigensolver, int num,
                           const CospinMode found[], Slowest *slowest)
{
  Mode mode = {.dimension = CospinSectorDimension(eigensolver->sector)};
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  CospinSectorLabel(eigensolver->sector, 0, label);
  PetscCall(CospinProblemSectorNumbers(point->problem, label, &mode.charge, &mode.ket, &mode.bra));
  if (slowest->num + num > slowest->capacity) {
    slowest->capacity = 2 * slowest->capacity + num;
    PetscCall(PetscRealloc(sizeof(Mode) * (size_t)slowest->capacity, &slowest->modes));
  }
  for (int k = 0; k < num; k++) {
    const Mode *last = slowest->num == slowest->wanted ? &slowest->modes[slowest->wanted - 1] : NULL;
    if (last && creal(found[k].lambda) <= creal(last->lambda)) continue;
    mode.lambda = found[k].lambda;
    mode.residual = found[k].residual;
    mode.error = found[k].error;
    PetscCall(CospinWindowModeError(eigensolver, found[k].right, &mode.error));
    PetscCall(CospinWindowLeak(point, eigensolver, found[k].right, mode.lambda, &mode.leak));
    slowest->modes[slowest->num++] = mode;
    PetscCall(sort(slowest));
  }
  PetscFunctionReturn(0);
}

/* Without null vectors: *zero is the slowest mode if that is one, and nothing is noted. The null vectors
   are handed over to be left out by projection; without that the solver would return them again and again
   as the slowest modes. */
static PetscErrorCode search(CospinPoint point, CospinEigensolver eigensolver, int num_null, Vec null[],
                             Slowest *slowest, Vec *zero)
{
  const PetscInt64 dimension = CospinSectorDimension(eigensolver->sector);
  CospinMode *found;
  int num;

  PetscFunctionBeginUser;
  *zero = NULL;
  slowest->resolution = PetscMax(slowest->resolution, eigensolver->resolution);
  slowest->zeros += num_null;
  for (int k = 0; k < num_null; k++) PetscCall(note_leak(point, eigensolver, null[k], slowest));
  if (dimension <= num_null) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)slowest->wanted, &found));
  PetscCall(CospinEigensolverSlowest(eigensolver, slowest->wanted, num_null, null, PETSC_FALSE, &num, found));
  slowest->iterations += eigensolver->iterations;
  slowest->horizon = PetscMin(slowest->horizon, eigensolver->horizon);
  slowest->outcome = CospinOutcomeWorse(slowest->outcome, eigensolver->outcome);
  /* A mode that cannot be told from zero is a null vector that was not counted: the caller looks again beside
     it. */
  if (num && num_null == 0 && cabs(found[0].lambda) <= eigensolver->resolution) {
    *zero = found[0].right;
    found[0].right = NULL;
  } else {
    PetscCall(keep(point, eigensolver, num, found, slowest));
  }
  PetscCall(CospinModesDestroy(num, found));
  PetscCall(PetscFree(found));
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
  if (!CospinRecordGet(task, "sector")->numbers && !CospinRecordGet(task, "sector")->text)
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
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->slowest.modes));
  s->slowest = (Slowest){.horizon = INFINITY, .outcome = COSPIN_GOOD};
  PetscCall(read_count(s->point->problem, s->task, NULL, &s->slowest.wanted, &ok));
  PetscCall(search_all(s->point, s->task, s->prefix, &s->slowest));
  for (int k = 0; k < s->slowest.num; k++)
    s->slowest.leak = PetscMax(s->slowest.leak, s->slowest.modes[k].leak);
  *leak = s->slowest.leak;
  *outcome = s->slowest.outcome;
  PetscFunctionReturn(0);
}

/* Windows grow in all sectors together, for they belong to components and not to sectors. */
static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  const Search *s = (const Search *)context;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectors(s->point->problem, s->task, &num, &sectors));
  PetscCall(CospinWindowGrow(s->point, sectors, factor, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

/* A gap within the resolution is zero. */
static PetscErrorCode store_mode(const Mode *mode, int k, double resolution, CospinResults results)
{
  const double rate = CospinTaskRate(mode->lambda, resolution);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "rate", k, rate));
  PetscCall(CospinResultsSet(results, "frequency", k, CospinTaskFrequency(mode->lambda, resolution)));
  PetscCall(CospinResultsSet(results, "lifetime", k, 1.0 / rate));
  PetscCall(CospinResultsSet(results, "error", k, mode->error));
  PetscCall(CospinResultsSet(results, "residual", k, mode->residual));
  PetscCall(CospinResultsSet(results, "dimension", k, (double)mode->dimension));
  PetscCall(CospinResultsSet(results, "charge", k, mode->charge));
  if (mode->ket < 0 || mode->bra < 0) PetscFunctionReturn(0);
  PetscCall(CospinResultsSet(results, "ket", k, mode->ket));
  PetscCall(CospinResultsSet(results, "bra", k, mode->bra));
  PetscFunctionReturn(0);
}

/* A sector of one label has one eigenvalue: there is no gap, which is no number rather than zero. */
static PetscErrorCode store(const Slowest *slowest, double tolerance, CospinResults results,
                            CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  if (slowest->num == 0)
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* steady states only */
  for (int k = 0; k < slowest->num; k++) {
    const Mode *mode = &slowest->modes[k];
    PetscCall(store_mode(mode, k, slowest->resolution, results));
    if (!(mode->residual <= tolerance) || CospinTaskUncertain(mode->lambda, mode->error, slowest->resolution))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscCall(CospinResultsSet(results, "resolution", 0, slowest->resolution));
  PetscCall(CospinResultsSet(results, "zeros", 0, slowest->zeros));
  PetscCall(CospinResultsSet(results, "leak", 0, slowest->leak));
  PetscCall(CospinResultsSet(results, "horizon", 0, slowest->horizon));
  PetscCall(CospinResultsSet(results, "iterations", 0, slowest->iterations));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinWindowUser user = {CospinWindowTolerance(point->problem, COSPIN_MODE_LEAK), solve, grow};
  char prefix[64];
  Search search = {point, task, prefix, {.zeros = 0}};
  double tolerance, leak;
  PetscBool ok;
  CospinWork before;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolversWork(&point->eigensolvers, NULL, &before));
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinWindowSettle(&user, &search, &leak, outcome));
  PetscCall(store(&search.slowest, tolerance, results, outcome));
  PetscCall(PetscFree(search.slowest.modes));
  PetscCall(CospinTaskStoreWork(point, &before, results));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskGap = {
    .record = {"gap",
               "slowest mode, a non-zero eigenvalue, of the steady state's sector, of another one or of all",
               keys},
    .variables = variables,
    .rules = rules,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
