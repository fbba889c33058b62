/*
   Task `steady`: the steady state, L rho = 0 with Tr rho = 1, and the observables in it.

   Uniqueness is established, not assumed: the null space of every sector that holds diagonal elements is
   counted. Of several steady states the one is reported that is reached from `initial:`, or that of the
   `sector:` if there is one; without these keys, none. The residual, the trace, the smallest population and
   the hermiticity are recomputed from the state that is stored.

   Order of a run: null vectors of all sectors with a trace (point/steady_state.c, shared by all tasks of the
   point); windows until the leak is small; one null vector: store it; several: project `initial:` onto them
   (point/reached.c) or refuse with the outcome `degenerate`.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/reached.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

/* A block's trace comes from a projection, whose overlaps are good to about this. */
static const double trace_tolerance = 1e-9;

static const CospinKey keys[] = {
    {.name = "initial",
     .type = COSPIN_KEY_STATE,
     .instead = "sector",
     .unit = "",
     .help = "where several steady states exist: the state from which the one that is reported is reached"},
    {.name = "time_average",
     .type = COSPIN_KEY_BOOLEAN,
     .default_text = "false",
     .unit = "",
     .help = "of a start that never becomes steady, because part of it oscillates for ever: give its average "
             "over "
             "long times"},
    COSPIN_TASK_SECTOR_KEY,
    {.name = "period",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "of a generator that depends on time and is the same again after this long: the state that is "
             "the same "
             "after each period",
     COSPIN_KEY_POSITIVE},
    COSPIN_TASK_STORE_KEY,
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"degeneracy", COSPIN_INTEGER, PETSC_FALSE, "1", "number of steady states",
     "null vectors in sectors with a trace; where that is one, also coherences of other sectors that last"},
    {"next_rate", COSPIN_REAL, PETSC_FALSE, "rate", "rate of the eigenvalue next to zero, an estimate",
     "by LAPACK (256 unknowns) exact, else its order of magnitude; one that oscillates may be slower: see "
     "task gap"},
    {"next_lifetime", COSPIN_REAL, PETSC_FALSE, "time", "lifetime of the mode next to zero, an estimate",
     "1/next_rate"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of an oscillation that lasts",
     "of the start's largest one; missing: it settles"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero",
     "10 eps times the largest sum of moduli of terms in a column"},
    {"error", COSPIN_REAL, PETSC_FALSE, "1", "bound of what rounding does to expectation values",
     "(eps sum_j c_j |rho_j| + |L rho|)/separation of the null vectors; of operators of size one"},
    {"edge", COSPIN_REAL, PETSC_FALSE, "1", "population at the edge of a cutoff",
     "of as many highest levels as a move can pass; 0 without a cutoff in the deck"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the steady state", "|L rho| / (|L| |rho|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "residual in a larger window",
     "0 where every cutoff is the deck's"},
    {"trace", COSPIN_REAL, PETSC_FALSE, "1", "trace of the steady state", "recomputed"},
    {"smallest_population", COSPIN_REAL, PETSC_FALSE, "1", "smallest population of the steady state",
     "negative: rounding"},
    {"hermiticity", COSPIN_REAL, PETSC_FALSE, "1", "largest imaginary part of a population", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the steady state's sector", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in this sector",
     "0: held without a matrix"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    COSPIN_TASK_WORK_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"degeneracy", COSPIN_ALL, 0, "1", NULL},
    {"next_rate", COSPIN_MAY_MISS, 0, "0", NULL},
    {"next_lifetime", COSPIN_MAY_MISS, 0, "1/next_rate", "1/next_rate"},
    {"frequency", COSPIN_MAY_MISS, 0, "0", NULL},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"error", COSPIN_ALL, 0, "0", "1e-7"},
    {"edge", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_ALL, 0, "0", "tolerance"},
    {"leak", COSPIN_ALL, 0, "0", NULL},
    {"trace", COSPIN_ALL, 1, "-1e-9", "1e-9"},
    {"smallest_population", COSPIN_ALL, 0, "-1*tolerance", NULL},
    {"hermiticity", COSPIN_ALL, 0, "0", "tolerance"},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"nonzeros", COSPIN_ALL, 0, "0", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    COSPIN_TASK_WORK_RULES,

    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinSetting *initial = CospinRecordGet(task, "initial");
  CospinState state = NULL;
  PetscBool state_ok = PETSC_TRUE, sector_ok;
  double tolerance;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  if (initial->factors) PetscCall(CospinStateCreate(problem, initial, faults, &state, &state_ok));
  PetscCall(CospinStateDestroy(&state));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  if (!state_ok || !sector_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* What is recomputed from a state, summed over its blocks. */
typedef struct {
  double complex trace;
  double smallest, imaginary, resolution;
  CospinQuality quality;
  PetscInt64 dimension, nonzeros;
  int iterations;
} Inspection;

/* Smallest population, largest imaginary part of one. Populations of a true state are real and not
   negative; what they are found to be is stored, and judged with the residual. A population is an element
   of the diagonal times the trace of its label. The smallest and, with its sign turned, the largest go
   through one reduction. */
static PetscErrorCode inspect_populations(const CospinBlock *block, Inspection *inspection)
{
  const CospinEigensolver eigensolver = block->eigensolver;
  double extremes[2] = {inspection->smallest, -inspection->imaginary};
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(block->rho, &begin, &end));
  PetscCall(VecGetArrayRead(block->rho, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    double trace;
    CospinSectorLabel(eigensolver->sector, i, label);
    trace = CospinSystemTrace(eigensolver->system, label);
    if (trace == 0.0) continue;
    extremes[0] = PetscMin(extremes[0], trace * PetscRealPart(array[i - begin]));
    extremes[1] = PetscMin(extremes[1], -trace * PetscAbsReal(PetscImaginaryPart(array[i - begin])));
  }
  PetscCall(VecRestoreArrayRead(block->rho, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, eigensolver->comm));
  inspection->smallest = extremes[0];
  inspection->imaginary = -extremes[1];
  PetscFunctionReturn(0);
}

/* A state may consist of blocks in several sectors; what is bad in one of them is bad in the state. Errors
   and weights at an edge add up over blocks; residuals are each block's own, so the largest counts. */
static PetscErrorCode inspect(int num, const CospinBlock blocks[], Inspection *inspection)
{
  PetscFunctionBeginUser;
  *inspection = (Inspection){.smallest = PETSC_MAX_REAL};
  for (int k = 0; k < num; k++) {
    const CospinEigensolver eigensolver = blocks[k].eigensolver;
    double complex trace;
    PetscCall(CospinTraceOf(eigensolver->system, eigensolver->sector, blocks[k].rho, &trace));
    PetscCall(inspect_populations(&blocks[k], inspection));
    inspection->trace += trace;
    inspection->quality.residual = PetscMax(inspection->quality.residual, blocks[k].quality.residual);
    inspection->quality.error += blocks[k].quality.error;
    inspection->quality.edge += blocks[k].quality.edge;
    if (blocks[k].quality.cut) inspection->quality.cut = PETSC_TRUE;
    inspection->resolution = PetscMax(inspection->resolution, eigensolver->resolution);
    inspection->dimension = PetscMax(inspection->dimension, CospinSectorDimension(eigensolver->sector));
    inspection->nonzeros = PetscMax(inspection->nonzeros, eigensolver->nonzeros);
    inspection->iterations += eigensolver->iterations;
  }
  PetscFunctionReturn(0);
}

/* Expectation values are sums over blocks. A state may lie in several sectors (irreps, parities): an
 * observable reads each of them. */
static PetscErrorCode read_blocks(CospinObservables observables, int num, const CospinBlock blocks[],
                                  double complex **readings)
{
  int count = 0;
  double complex *parts, *sums;

  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) count += observables->observables[k].num_expectations;
  PetscCall(PetscCalloc1((size_t)count + 1, readings));
  PetscCall(PetscMalloc1((size_t)count + 1, &parts));
  for (int b = 0; b < num; b++) {
    sums = *readings;
    for (int k = 0; k < observables->count; k++) {
      const CospinObservable *observable = &observables->observables[k];
      PetscCall(CospinExpectations(blocks[b].eigensolver->sector, blocks[b].rho, observable->num_expectations,
                                   observable->expectations, parts));
      for (int e = 0; e < observable->num_expectations; e++) *sums++ += parts[e];
    }
  }
  PetscCall(PetscFree(parts));
  PetscFunctionReturn(0);
}

/* The state goes to the first rank where functionals want it. Elements are gathered only if a functional
   needs more than expectation values: a state of 10^8 elements stays where it is. */
static PetscErrorCode store_observables(CospinPoint point, const CospinRecord *task, int num,
                                        const CospinBlock blocks[], CospinResults results,
                                        CospinOutcome *outcome)
{
  const CospinSystem *system = &point->problem->system;
  CospinStored collected;
  CospinStoredState state = NULL;
  double complex *readings;

  PetscFunctionBeginUser;
  PetscCall(CospinStoredCreate(point->problem->point, &collected));
  if (CospinObservablesNeed(point->problem->deck) > COSPIN_NEEDS_MOMENTS) {
    PetscCall(CospinTaskNewState(point->problem, task, 0, collected, &state));
    for (int k = 0; k < num; k++)
      PetscCall(CospinTaskCollect(system, blocks[k].eigensolver->sector, blocks[k].rho, state));
  }
  PetscCall(read_blocks(point->observables, num, blocks, &readings));
  PetscCall(CospinTaskObserve(point->comm, point->observables, readings, system, state, 0, results, outcome));
  PetscCall(PetscFree(readings));
  PetscCall(CospinStoredDestroy(&collected));
  PetscFunctionReturn(0);
}

/* The outcome follows from numbers that were recomputed from the vector, none of which the solver has
   told. */
static PetscErrorCode store_state(CospinPoint point, const CospinRecord *task, int num,
                                  const CospinBlock blocks[], double leak, double tolerance,
                                  CospinResults results, CospinOutcome *outcome)
{
  Inspection inspection;

  PetscFunctionBeginUser;
  PetscCall(inspect(num, blocks, &inspection));
  PetscCall(CospinResultsSet(results, "residual", 0, inspection.quality.residual));
  PetscCall(CospinResultsSet(results, "error", 0, inspection.quality.error));
  PetscCall(CospinResultsSet(results, "edge", 0, inspection.quality.edge));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "resolution", 0, inspection.resolution));
  PetscCall(CospinResultsSet(results, "trace", 0, creal(inspection.trace)));
  PetscCall(CospinResultsSet(results, "smallest_population", 0, inspection.smallest));
  PetscCall(CospinResultsSet(results, "hermiticity", 0, inspection.imaginary));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)inspection.dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)inspection.nonzeros));
  PetscCall(CospinResultsSet(results, "iterations", 0, inspection.iterations));
  PetscCall(store_observables(point, task, num, blocks, results, outcome));
  *outcome = CospinOutcomeWorse(*outcome, CospinStateJudge(&inspection.quality, tolerance));
  if (inspection.smallest < -tolerance || inspection.imaginary > tolerance ||
      !(PetscAbsReal(creal(inspection.trace) - 1.0) <= trace_tolerance)) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscFunctionReturn(0);
}

/* Only good states are kept: who starts from one sees no outcome. For other decks to start from. */
static PetscErrorCode keep_state(CospinPoint point, const CospinRecord *task, int num,
                                 const CospinBlock blocks[], CospinOutcome outcome)
{
  CospinStoredState state;
  PetscReal norm;

  PetscFunctionBeginUser;
  if (outcome != COSPIN_GOOD || !CospinTaskStores(task)) PetscFunctionReturn(0);
  PetscCall(CospinTaskNewState(point->problem, task, 0, point->stored, &state));
  for (int k = 0; k < num; k++) {
    PetscCall(VecNorm(blocks[k].rho, NORM_2, &norm));
    if (norm > 0)
      PetscCall(
          CospinTaskCollect(&point->problem->system, blocks[k].eigensolver->sector, blocks[k].rho, state));
  }
  PetscFunctionReturn(0);
}

/* ---- Several steady states: the one that `initial` leads to -------------------------------------------- */

typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  const char *prefix;
  CospinReached reached;
} Reaching;

/* Of a CospinWindowUser: null vectors of other sectors and the initial state may need larger windows than
   those with a trace. */
static PetscErrorCode reach(void *context, double *leak, CospinOutcome *outcome)
{
  Reaching *reaching = (Reaching *)context;
  const CospinPoint point = reaching->point;
  const PetscBool whole = (PetscBool)(CospinTaskStores(reaching->task) ||
                                      CospinObservablesNeed(point->problem->deck) == COSPIN_NEEDS_STATE);
  CospinState initial;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinReachedDestroy(&reaching->reached));
  PetscCall(
      CospinStateCreate(point->problem, CospinRecordGet(reaching->task, "initial"), NULL, &initial, &ok));
  PetscCall(CospinReachedState(point, initial, whole, reaching->prefix, &reaching->reached));
  PetscCall(CospinStateDestroy(&initial));
  *leak = reaching->reached.leak;
  *outcome = reaching->reached.outcome;
  PetscFunctionReturn(0);
}

/* Reached states borrow the problem that is about to be replaced. */
static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  Reaching *reaching = (Reaching *)context;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSteadySectors(reaching->point->problem, &num, &sectors));
  PetscCall(CospinReachedDestroy(&reaching->reached)); /* it borrows the problem */
  PetscCall(CospinWindowGrow(reaching->point, sectors, factor, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

/* Of several steady states: the one that `initial:` leads to, or the time average of what never settles. */
static PetscErrorCode select_state(CospinPoint point, const CospinRecord *task, const char prefix[],
                                   double tolerance, CospinResults results, CospinOutcome *outcome)
{
  const CospinWindowUser user = {CospinWindowTolerance(point->problem, COSPIN_STATE_LEAK), reach, grow};
  const PetscBool average = CospinRecordGet(task, "time_average")->boolean;
  Reaching reaching = {point, task, prefix, {.num = 0}};
  CospinReached *reached = &reaching.reached;
  double leak;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowSettle(&user, &reaching, &leak, outcome));
  PetscCall(CospinResultsSet(results, "frequency", 0, reached->frequency));
  if (*outcome == COSPIN_OSCILLATING && average) *outcome = COSPIN_GOOD;
  if (*outcome != COSPIN_OSCILLATING && reached->num) {
    PetscCall(store_state(point, task, reached->num, reached->blocks, leak, tolerance, results, outcome));
    PetscCall(keep_state(point, task, reached->num, reached->blocks, *outcome));
  }
  PetscCall(CospinReachedDestroy(reached));
  PetscFunctionReturn(0);
}

/* In the order: null vectors of all sectors with a trace; where there are several, the one that `initial`
 * leads to; windows until the leak is small. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  char prefix[64];
  double tolerance;
  PetscBool ok;
  int num, *sectors = NULL;
  CospinWork before;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  if (CospinRecordGet(task, "sector")->numbers)
    PetscCall(CospinTaskSectors(point->problem, task, &num, &sectors));
  PetscCall(CospinPointSteadyState(point, prefix, sectors, &steady));
  PetscCall(
      CospinEigensolversWork(&point->eigensolvers, &steady->work, &before)); /* it may have been there */
  PetscCall(PetscFree(sectors));
  *outcome = steady->outcome;
  /* Stored also where there is no single state: they say why. */
  PetscCall(CospinResultsSet(results, "residual", 0, steady->quality.residual));
  PetscCall(CospinResultsSet(results, "leak", 0, steady->leak));
  PetscCall(CospinResultsSet(results, "degeneracy", 0, steady->degeneracy));
  PetscCall(CospinResultsSet(results, "next_rate", 0, steady->next_rate));
  PetscCall(CospinResultsSet(results, "next_lifetime", 0, 1.0 / steady->next_rate));
  if (steady->rho) {
    const CospinBlock block = {steady->eigensolver, steady->rho, steady->quality};
    PetscCall(store_state(point, task, 1, &block, steady->leak, tolerance, results, outcome));
    PetscCall(keep_state(point, task, 1, &block, *outcome));
  } else if (steady->outcome == COSPIN_DEGENERATE && CospinRecordGet(task, "initial")->factors) {
    PetscCall(select_state(point, task, prefix, tolerance, results, outcome));
  }
  PetscCall(CospinTaskStoreWork(point, &before, results));
  PetscFunctionReturn(0);
}

static PetscBool Stores(const CospinRecord *task, const CospinAxis **times)
{
  *times = NULL;
  return CospinTaskStores(task);
}

const CospinTaskKind CospinTaskSteady = {
    .record = {"steady", "steady state and its observables", keys},
    .variables = variables,
    .rules = rules,
    .stationary = PETSC_TRUE,
    .has_observables = PETSC_TRUE,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
