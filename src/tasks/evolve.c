/*
   Task `evolve`: the state at given times, from a product state, and what is read from it.

   The state is taken apart into the sectors that an observable, the trace or the fidelity reads (into all of
   its sectors, if it is to be stored); each of them evolves by itself (propagator.c), and nothing else is
   ever held. Everything that is read is linear in the state, so a reading is a scalar product with a vector
   of weights, made once.
*/
#include "settings.h"
#include <cospin/cost.h>
#include <cospin/liouvillian.h>
#include <cospin/propagator.h>
#include <cospin/state.h>
#include <cospin/window.h>
#include <string.h>

static const char *const methods[] = {"auto", "krylov", "rational", NULL};

static const CospinKey keys[] = {
    {.name = "times",
     .type = COSPIN_KEY_AXIS,
     .required = PETSC_TRUE,
     .unit = "time",
     .help = "times at which results are wanted, ascending, >= 0"},
    {.name = "initial",
     .type = COSPIN_KEY_STATE,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "state at time 0; components that are left out are in their ground state"},
    {.name = "fidelity",
     .type = COSPIN_KEY_STATE,
     .unit = "",
     .help = "pure state psi whose share <psi|rho|psi> is followed"},
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-9",
     .unit = "",
     .help = "accuracy wanted, relative to the norm of the state in each sector"},
    {.name = "method",
     .type = COSPIN_KEY_NAME,
     .default_text = "auto",
     .choices = methods,
     .unit = "",
     .help = "krylov: products with the generator; rational: factorisations, for long times and stiff rates"},
    COSPIN_TASK_STORE_KEY,
    {.name = "store_times",
     .type = COSPIN_KEY_AXIS,
     .unit = "time",
     .help = "which of the times have their state stored; default: all"},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"fidelity", COSPIN_REAL, PETSC_TRUE, "1", "fidelity", "<psi|rho|psi> with the state of `fidelity`"},
    {"trace", COSPIN_REAL, PETSC_TRUE, "1", "trace of the state", "recomputed"},
    {"smallest_population", COSPIN_REAL, PETSC_TRUE, "1", "smallest population of the state",
     "negative: error of the evolution"},
    {"hermiticity", COSPIN_REAL, PETSC_TRUE, "1", "largest imaginary part of a population", ""},
    {"error", COSPIN_REAL, PETSC_TRUE, "1", "estimated error of the state, relative",
     "largest over sectors, 2-norms, accumulated over steps"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "largest change when open windows grew by half",
     "of anything that is read, relative where it is larger than 1; 0 if no window is open"},
    {"steps", COSPIN_INTEGER, PETSC_FALSE, "1", "Krylov spaces that were built", ""},
    {"operations", COSPIN_INTEGER, PETSC_FALSE, "1", "products or solves", ""},
    {"factorisations", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", ""},
    {"sectors", COSPIN_INTEGER, PETSC_FALSE, "1", "sectors that were evolved", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest of them", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it", ""},
    {.suffix = NULL},
};

static const double vectors_in_memory = 200; /* of the largest sector, at most */
static const double negligible_share = 1e-2; /* of the tolerance, all sectors that are left out together */

/* ---- Settings --------------------------------------------------------------------------------------------
 */

typedef struct {
  const CospinAxis *times, *store_times; /* store_times: NULL if no state is stored */
  CospinState initial, target;           /* target: NULL if no fidelity is wanted */
  CospinPropagatorOptions options;
} Settings;

static PetscErrorCode check_times(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  char path[160];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.times", (int)(task - problem->deck->tasks),
                          task->kind->name));
  for (int k = 0; k < times->size; k++) {
    if (k ? times->values[k] > times->values[k - 1] : times->values[k] >= 0) continue;
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, times->position, path,
                        k ? "times must ascend, and %.6g follows %.6g" : "a time is %.6g (times start at 0)",
                        times->values[k], k ? times->values[k - 1] : 0.0));
    break;
  }
  PetscFunctionReturn(0);
}

/* The times whose states are stored; NULL: none. */
static const CospinAxis *times_to_store(const CospinRecord *task)
{
  const CospinAxis *chosen = &CospinRecordGet(task, "store_times")->axis;

  if (!CospinTaskStores(task)) return NULL;
  return chosen->size ? chosen : &CospinRecordGet(task, "times")->axis;
}

/* Where on an axis a time stands; -1: nowhere. */
static int find_time(const CospinAxis *axis, double time)
{
  for (int k = 0; axis && k < axis->size; k++) {
    if (PetscAbsReal(axis->values[k] - time) <= 1e-9 * PetscAbsReal(time)) return k;
  }
  return -1;
}

static PetscErrorCode check_store_times(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                        PetscBool *ok)
{
  const CospinAxis *chosen = &CospinRecordGet(task, "store_times")->axis;
  char path[160];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.store_times", (int)(task - problem->deck->tasks),
                          task->kind->name));
  if (chosen->size && !CospinTaskStores(task)) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, chosen->position, path, "goes with `store: state`"));
  }
  for (int k = 0; k < chosen->size; k++) {
    if (find_time(&CospinRecordGet(task, "times")->axis, chosen->values[k]) >= 0) continue;
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, chosen->position, path, "%.6g is not one of `times`", chosen->values[k]));
    break;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode get_states(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 Settings *settings, PetscBool *ok)
{
  const CospinSetting *fidelity = CospinRecordGet(task, "fidelity");
  PetscBool this_ok;

  PetscFunctionBeginUser;
  PetscCall(
      CospinStateCreate(problem, CospinRecordGet(task, "initial"), faults, &settings->initial, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  if (!fidelity->factors) PetscFunctionReturn(0);
  PetscCall(CospinStateCreate(problem, fidelity, faults, &settings->target, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  if (this_ok && !settings->target->pure) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        faults, fidelity->num_factors ? fidelity->factors[0].position : fidelity->position,
        fidelity->num_factors ? fidelity->factors[0].path : "fidelity",
        "this is a mixed state (the fidelity is with a pure one: ground, css, cat, coherent, fock, dicke of "
        "the largest j)"));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  const char *method = CospinRecordGet(task, "method")->text;

  PetscFunctionBeginUser;
  *settings = (Settings){.times = &CospinRecordGet(task, "times")->axis,
                         .store_times = times_to_store(task),
                         .options.mesh_dimension = CospinLatticeRank(problem->lattice)};
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->options.tolerance, ok));
  for (int k = 0; methods[k]; k++) {
    if (strcmp(methods[k], method) == 0) settings->options.method = (CospinPropagatorMethod)k;
  }
  PetscCall(check_times(problem, task, faults, ok));
  PetscCall(check_store_times(problem, task, faults, ok));
  PetscCall(get_states(problem, task, faults, settings, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_settings(Settings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStateDestroy(&settings->initial));
  PetscCall(CospinStateDestroy(&settings->target));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  Settings settings;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  *dimension = (CospinDimension){"time", settings.times->size, settings.times->values, "time", "time"};
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* The sectors that are evolved: those that are read and, for a state that is stored, all that it has. */
static PetscErrorCode sectors_of(CospinProblem problem, CospinObservables observables,
                                 const Settings *settings, int *num, int **representatives)
{
  const CospinState whole = settings->store_times ? settings->initial : NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(problem, observables, settings->target, whole, num, representatives));
  PetscFunctionReturn(0);
}

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinObservables observables;
  Settings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinObservablesCreate(problem, NULL, &observables, &ok));
  PetscCall(sectors_of(problem, observables, &settings, num, representatives));
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* ---- Readings --------------------------------------------------------------------------------------------
 */

/* Tr(A_0 rho), Tr(A_1 rho), ... over all observables in a row, then the trace, then the fidelity. */
typedef struct {
  MPI_Comm comm;
  CospinProblem problem;         /* borrowed, unless a window was grown */
  CospinObservables observables; /* the same */
  PetscBool owns_problem;
  Settings settings;
  int num_expectations, num_readings;
  CospinMoves *expectations;            /* [num_expectations], borrowed */
  double complex *readings;             /* [num_times][num_readings], sums over sectors */
  double *smallest, *imaginary, *error; /* [num_times] */
  int num_sectors, steps, operations, factorisations;
  PetscInt64 dimension, nonzeros;
  CospinStored stored; /* one state per time to store */
  double leak;         /* largest change of a reading when open windows grew; 0 if there are none */
  CospinOutcome outcome;
  /* the sector at work */
  CospinSector sector;
  int num_weights, *reading_of; /* weights that are not zero here, and what they give */
  Vec *weights;
  PetscScalar *values;
  PetscInt num_populations, *populations; /* local indices of diagonal elements */
} Evolution;

static double complex weight(const Evolution *evolution, int reading, const int label[])
{
  if (reading < evolution->num_expectations)
    return CospinExpectationWeight(evolution->expectations[reading], label);
  if (reading == evolution->num_expectations) return CospinSystemTrace(&evolution->problem->system, label);
  return conj(CospinStateElement(evolution->settings.target, label)); /* <psi|x><y|psi> */
}

static PetscErrorCode fill_weights(const Evolution *evolution, int reading, Vec weights, PetscBool *zero)
{
  PetscInt begin, end;
  PetscScalar *array;
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(weights, &begin, &end));
  PetscCall(VecGetArray(weights, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(evolution->sector, i, label);
    array[i - begin] = (PetscScalar)weight(evolution, reading, label);
  }
  PetscCall(VecRestoreArray(weights, &array));
  PetscCall(VecNorm(weights, NORM_INFINITY, &norm));
  *zero = (PetscBool)(norm == 0.0);
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up_readings(Evolution *evolution, Vec u)
{
  PetscInt begin, end;
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  evolution->num_weights = 0;
  PetscCall(PetscCalloc3((size_t)evolution->num_readings, &evolution->weights,
                         (size_t)evolution->num_readings, &evolution->reading_of,
                         (size_t)evolution->num_readings, &evolution->values));
  for (int reading = 0; reading < evolution->num_readings; reading++) {
    Vec *weights = &evolution->weights[evolution->num_weights];
    PetscBool zero = PETSC_FALSE;
    PetscCall(VecDuplicate(u, weights));
    PetscCall(fill_weights(evolution, reading, *weights, &zero));
    if (zero) PetscCall(VecDestroy(weights));
    if (!zero) evolution->reading_of[evolution->num_weights++] = reading;
  }
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(PetscMalloc1((size_t)(end - begin), &evolution->populations));
  evolution->num_populations = 0;
  for (PetscInt i = begin; i < end; i++) {
    CospinSectorLabel(evolution->sector, i, label);
    if (CospinSystemTrace(&evolution->problem->system, label) == 0.0) continue;
    evolution->populations[evolution->num_populations++] = i - begin;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode tear_down_readings(Evolution *evolution)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < evolution->num_weights; k++) PetscCall(VecDestroy(&evolution->weights[k]));
  PetscCall(PetscFree3(evolution->weights, evolution->reading_of, evolution->values));
  PetscCall(PetscFree(evolution->populations));
  PetscFunctionReturn(0);
}

/* A CospinPropagatorVisit. */
static PetscErrorCode read_state(void *context, int k, Vec u, double error)
{
  Evolution *evolution = (Evolution *)context;
  double extremes[2] = {evolution->smallest[k], -evolution->imaginary[k]};
  const PetscScalar *array;
  int store;

  PetscFunctionBeginUser;
  if (evolution->num_weights)
    PetscCall(VecMTDot(u, evolution->num_weights, evolution->weights, evolution->values));
  for (int w = 0; w < evolution->num_weights; w++) {
    evolution->readings[k * evolution->num_readings + evolution->reading_of[w]] += evolution->values[w];
  }
  PetscCall(VecGetArrayRead(u, &array));
  for (PetscInt i = 0; i < evolution->num_populations; i++) {
    const PetscScalar population = array[evolution->populations[i]];
    extremes[0] = PetscMin(extremes[0], PetscRealPart(population));
    extremes[1] = PetscMin(extremes[1], -PetscAbsReal(PetscImaginaryPart(population)));
  }
  PetscCall(VecRestoreArrayRead(u, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, evolution->comm));
  evolution->smallest[k] = extremes[0];
  evolution->imaginary[k] = -extremes[1];
  evolution->error[k] = PetscMax(evolution->error[k], error);
  store = find_time(evolution->settings.store_times, evolution->settings.times->values[k]);
  if (store >= 0)
    PetscCall(CospinTaskCollect(&evolution->problem->system, evolution->sector, u,
                                evolution->stored->states[store]));
  PetscFunctionReturn(0);
}

/* What a sector that only the fidelity reads can add to it; infinite for others, 0 if nothing is read. */
static PetscErrorCode share_in_fidelity(const Evolution *evolution, Vec u, double *bound)
{
  PetscReal size, weight_size;

  PetscFunctionBeginUser;
  *bound = evolution->num_weights || evolution->settings.store_times ? PETSC_INFINITY : 0.0;
  if (evolution->settings.store_times || evolution->num_weights != 1 ||
      evolution->reading_of[0] <= evolution->num_expectations)
    PetscFunctionReturn(0);
  PetscCall(VecNorm(u, NORM_2, &size));
  PetscCall(VecNorm(evolution->weights[0], NORM_2, &weight_size));
  *bound = size * weight_size;
  PetscFunctionReturn(0);
}

/* ---- The evolution ---------------------------------------------------------------------------------------
 */

static PetscErrorCode propagate(Evolution *evolution, const char prefix[], Vec u)
{
  const CospinAxis *times = evolution->settings.times;
  const PetscInt64 dimension = CospinSectorDimension(evolution->sector);
  CospinPropagatorReport report;
  Mat liouvillian;
  MatInfo info;

  PetscFunctionBeginUser;
  PetscCall(CospinLiouvillianCreate(evolution->comm, evolution->problem->generator, evolution->sector,
                                    &liouvillian));
  PetscCall(CospinPropagate(liouvillian, u, times->size, times->values, &evolution->settings.options, prefix,
                            read_state, evolution, &report));
  PetscCall(MatGetInfo(liouvillian, MAT_GLOBAL_SUM, &info));
  PetscCall(MatDestroy(&liouvillian));
  if (report.failed) evolution->outcome = CospinOutcomeWorse(evolution->outcome, COSPIN_NOT_CONVERGED);
  evolution->num_sectors++;
  evolution->steps += report.steps;
  evolution->operations += report.operations;
  evolution->factorisations += report.factorisations;
  if (dimension > evolution->dimension) {
    evolution->dimension = dimension;
    evolution->nonzeros = (PetscInt64)info.nz_used;
  }
  PetscFunctionReturn(0);
}

/* A sector where the initial state has no elements stays empty; one that can add less than `negligible` to
   the fidelity and is read by nothing else is left out. */
static PetscErrorCode evolve_sector(Evolution *evolution, const int representative[], double negligible,
                                    const char prefix[])
{
  const CospinProblem problem = evolution->problem;
  PetscReal norm;
  double bound;
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &evolution->sector));
  if (CospinSectorDimension(evolution->sector) > 0) {
    PetscCall(
        VecCreateMPI(evolution->comm, PETSC_DECIDE, (PetscInt)CospinSectorDimension(evolution->sector), &u));
    PetscCall(CospinStateVector(evolution->settings.initial, evolution->sector, u));
    PetscCall(VecNorm(u, NORM_2, &norm));
    PetscCall(set_up_readings(evolution, u));
    PetscCall(share_in_fidelity(evolution, u, &bound));
    if (norm > 0.0 && bound > negligible) PetscCall(propagate(evolution, prefix, u));
    PetscCall(tear_down_readings(evolution));
    PetscCall(VecDestroy(&u));
  }
  PetscCall(CospinSectorDestroy(&evolution->sector));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_evolution(CospinPoint point, const CospinRecord *task, Evolution *evolution)
{
  const CospinObservables observables = evolution->observables;
  size_t num_times;
  PetscBool ok;

  PetscFunctionBeginUser;
  evolution->comm = point->comm;
  evolution->outcome = COSPIN_GOOD;
  PetscCall(get_settings(evolution->problem, task, NULL, &evolution->settings, &ok));
  for (int k = 0; k < observables->count; k++)
    evolution->num_expectations += observables->observables[k].num_expectations;
  PetscCall(PetscMalloc1((size_t)evolution->num_expectations + 1, &evolution->expectations));
  evolution->num_expectations = 0;
  for (int k = 0; k < observables->count; k++) {
    for (int e = 0; e < observables->observables[k].num_expectations; e++)
      evolution->expectations[evolution->num_expectations++] = observables->observables[k].expectations[e];
  }
  evolution->num_readings = evolution->num_expectations + 1 + (evolution->settings.target ? 1 : 0);
  num_times = (size_t)evolution->settings.times->size;
  PetscCall(PetscCalloc1(num_times * (size_t)evolution->num_readings, &evolution->readings));
  PetscCall(PetscCalloc3(num_times, &evolution->smallest, num_times, &evolution->imaginary, num_times,
                         &evolution->error));
  for (size_t k = 0; k < num_times; k++) evolution->smallest[k] = PETSC_MAX_REAL;
  PetscCall(CospinStoredCreate(evolution->problem->point, &evolution->stored));
  for (int k = 0; evolution->settings.store_times && k < evolution->settings.store_times->size; k++) {
    CospinStoredState state;
    PetscCall(CospinTaskNewState(evolution->problem, task, k, evolution->stored, &state));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode free_evolution(Evolution *evolution)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(evolution->expectations));
  PetscCall(PetscFree(evolution->readings));
  PetscCall(PetscFree3(evolution->smallest, evolution->imaginary, evolution->error));
  PetscCall(CospinStoredDestroy(&evolution->stored));
  PetscCall(free_settings(&evolution->settings));
  if (!evolution->owns_problem) PetscFunctionReturn(0);
  PetscCall(CospinObservablesDestroy(&evolution->observables));
  PetscCall(CospinProblemDestroy(&evolution->problem));
  PetscFunctionReturn(0);
}

/* All sectors of evolution->problem. */
static PetscErrorCode evolve(CospinPoint point, const CospinRecord *task, Evolution *evolution)
{
  int num, *representatives;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(create_evolution(point, task, evolution));
  PetscCall(
      sectors_of(evolution->problem, evolution->observables, &evolution->settings, &num, &representatives));
  for (int k = 0; k < num && evolution->outcome == COSPIN_GOOD; k++) {
    PetscCall(evolve_sector(evolution, representatives + k * evolution->problem->system.num_coordinates,
                            negligible_share * evolution->settings.options.tolerance / num, prefix));
  }
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

/* ---- Open windows ----------------------------------------------------------------------------------------
 */

/* The problem with every open window larger by half; its memory is judged by its vectors. */
static PetscErrorCode grow(CospinPoint point, const Evolution *small, Evolution *large, PetscBool *grown)
{
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool ok;

  PetscFunctionBeginUser;
  *large = (Evolution){.owns_problem = PETSC_TRUE};
  CospinProblemWindows(small->problem, windows, &ok);
  *grown =
      (PetscBool)(vectors_in_memory * (double)small->dimension * sizeof(PetscScalar) < CospinMachineBytes());
  for (int c = 0; c < point->problem->system.num_components; c++) {
    windows[c] += windows[c] / 2;
    if (windows[c] > COSPIN_WINDOW_MAX_LEVELS) *grown = PETSC_FALSE;
  }
  if (!*grown) PetscFunctionReturn(0);
  PetscCall(CospinProblemCreateWindowed(point->problem->deck, point->problem->point, windows, NULL,
                                        &large->problem, &ok));
  PetscCheck(ok, point->comm, PETSC_ERR_PLIB, "A larger window makes the deck wrong");
  PetscCall(CospinObservablesCreate(large->problem, NULL, &large->observables, &ok));
  PetscFunctionReturn(0);
}

static double largest_change(const Evolution *a, const Evolution *b)
{
  double change = 0.0;

  for (int k = 0; k < a->settings.times->size * a->num_readings; k++) {
    const double size = PetscMax(1.0, cabs(b->readings[k]));
    change = PetscMax(change, cabs(a->readings[k] - b->readings[k]) / size);
  }
  return change;
}

/* Until a larger window changes nothing that is read. */
static PetscErrorCode grow_windows(CospinPoint point, const CospinRecord *task, Evolution *evolution)
{
  const double limit = 10 * evolution->settings.options.tolerance;
  PetscBool grown = PETSC_TRUE;

  PetscFunctionBeginUser;
  evolution->leak = PETSC_INFINITY;
  while (evolution->leak > limit && evolution->outcome == COSPIN_GOOD && grown) {
    Evolution large;
    PetscCall(grow(point, evolution, &large, &grown));
    if (!grown) {
      evolution->outcome = COSPIN_WINDOW_LIMIT;
      break;
    }
    PetscCall(evolve(point, task, &large));
    large.leak = largest_change(evolution, &large);
    PetscCall(free_evolution(evolution));
    *evolution = large;
  }
  PetscFunctionReturn(0);
}

/* ---- Results ---------------------------------------------------------------------------------------------
 */

static PetscErrorCode store_time(Evolution *evolution, int k, CospinResults results)
{
  const CospinObservables observables = evolution->observables;
  const double complex *reading = evolution->readings + (size_t)k * (size_t)evolution->num_readings;
  const double trace = creal(reading[evolution->num_expectations]);
  const double limit = 10 * evolution->settings.options.tolerance;

  PetscFunctionBeginUser;
  if (evolution->settings.target)
    PetscCall(CospinResultsSet(results, "fidelity", k, creal(reading[evolution->num_expectations + 1])));
  PetscCall(CospinResultsSet(results, "trace", k, trace));
  PetscCall(CospinResultsSet(results, "smallest_population", k, evolution->smallest[k]));
  PetscCall(CospinResultsSet(results, "hermiticity", k, evolution->imaginary[k]));
  PetscCall(CospinResultsSet(results, "error", k, evolution->error[k]));
  for (int o = 0; o < observables->count; o++) {
    double complex value;
    PetscCall(CospinObservableEvaluate(observables, o, reading, &value));
    PetscCall(CospinResultsSetObservable(results, &observables->observables[o], k, value));
    reading += observables->observables[o].num_expectations;
  }
  if (!(PetscAbsReal(trace - 1.0) <= limit) || !(evolution->smallest[k] >= -limit) ||
      !(evolution->imaginary[k] <= limit) || !(evolution->error[k] <= limit)) {
    evolution->outcome = CospinOutcomeWorse(evolution->outcome, COSPIN_INACCURATE);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode store(Evolution *evolution, CospinStored stored, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "leak", 0, evolution->leak));
  PetscCall(CospinResultsSet(results, "steps", 0, evolution->steps));
  PetscCall(CospinResultsSet(results, "operations", 0, evolution->operations));
  PetscCall(CospinResultsSet(results, "factorisations", 0, evolution->factorisations));
  PetscCall(CospinResultsSet(results, "sectors", 0, evolution->num_sectors));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)evolution->dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)evolution->nonzeros));
  if (evolution->outcome == COSPIN_NOT_CONVERGED) PetscFunctionReturn(0); /* sums lack a sector */
  for (int k = 0; k < evolution->settings.times->size; k++) PetscCall(store_time(evolution, k, results));
  if (evolution->outcome == COSPIN_GOOD) PetscCall(CospinStoredTake(stored, evolution->stored));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  Evolution evolution = {.problem = point->problem, .observables = point->observables};
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool open;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &open);
  PetscCall(evolve(point, task, &evolution));
  if (open) PetscCall(grow_windows(point, task, &evolution));
  PetscCall(store(&evolution, point->stored, results));
  *outcome = evolution.outcome;
  PetscCall(free_evolution(&evolution));
  PetscFunctionReturn(0);
}

static PetscBool Stores(const CospinRecord *task, const CospinAxis **times)
{
  *times = times_to_store(task);
  return CospinTaskStores(task);
}

const CospinTaskKind CospinTaskEvolve = {
    .record = {"evolve", "state at given times, from an initial state", keys},
    .variables = variables,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Sectors = Sectors,
    .Run = Run,
};
