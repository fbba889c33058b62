/*
   Task `evolve`: the state at given times, from a product state, and what is read from it (evolution.c). Open
   windows grow until nothing that is read changes any more.
*/
#include "evolution.h"
#include <cospin/cost.h>
#include <cospin/window.h>

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
    COSPIN_TASK_METHOD_KEY,
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
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it",
     "0: held without a matrix"},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"fidelity", COSPIN_MAY_MISS, 0, "-10*tolerance", NULL},
    {"fidelity", COSPIN_MAY_MISS, 1, NULL, "10*tolerance"},
    {"trace", COSPIN_ALL, 1, "-10*tolerance", "10*tolerance"},
    {"smallest_population", COSPIN_ALL, 0, "-10*tolerance", NULL},
    {"hermiticity", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"error", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"leak", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"steps", COSPIN_ALL, 0, "0", NULL},
    {"operations", COSPIN_ALL, 0, "0", NULL},
    {"factorisations", COSPIN_ALL, 0, "0", NULL},
    {"sectors", COSPIN_ALL, 0, "1", NULL},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"nonzeros", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

static const double vectors_in_memory = 200; /* of the largest sector, at most */

/* ---- Settings --------------------------------------------------------------------------------------------
 */

/* The times whose states are stored; NULL: none. */
static const CospinAxis *times_to_store(const CospinRecord *task)
{
  const CospinAxis *chosen = &CospinRecordGet(task, "store_times")->axis;

  if (!CospinTaskStores(task)) return NULL;
  return chosen->size ? chosen : &CospinRecordGet(task, "times")->axis;
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
    if (CospinEvolutionFindTime(&CospinRecordGet(task, "times")->axis, chosen->values[k]) >= 0) continue;
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, chosen->position, path, "%.6g is not one of `times`", chosen->values[k]));
    break;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode get_states(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 CospinEvolutionSettings *settings, PetscBool *ok)
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
                                   CospinEvolutionSettings *settings, PetscBool *ok)
{
  PetscBool times_ok;

  PetscFunctionBeginUser;
  *settings = (CospinEvolutionSettings){.times = &CospinRecordGet(task, "times")->axis,
                                        .store_times = times_to_store(task),
                                        .options.method = CospinTaskMethod(task),
                                        .options.mesh_dimension = CospinLatticeRank(problem->lattice)};
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->options.tolerance, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscCall(check_store_times(problem, task, faults, ok));
  PetscCall(get_states(problem, task, faults, settings, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_settings(CospinEvolutionSettings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStateDestroy(&settings->initial));
  PetscCall(CospinStateDestroy(&settings->target));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinEvolutionSettings settings;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  *dimension = (CospinDimension){"time", settings.times->size, settings.times->values, "time", "time"};
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinObservables observables;
  CospinEvolutionSettings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinObservablesCreate(problem, NULL, &observables, &ok));
  PetscCall(CospinEvolutionSectors(problem, observables, &settings, num, representatives));
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* ---- Open windows ----------------------------------------------------------------------------------------
 */

/* Levels of every component after its window has grown by half, `growths` times; false: past what there is.
 */
static PetscBool grown_windows(CospinPoint point, int growths, int windows[])
{
  PetscBool open, fits = PETSC_TRUE;

  CospinProblemWindows(point->problem, windows, &open);
  for (int c = 0; c < point->problem->system.num_components; c++) {
    for (int k = 0; k < growths; k++) {
      windows[c] += windows[c] / 2;
      if (windows[c] > COSPIN_WINDOW_MAX_LEVELS) fits = PETSC_FALSE;
    }
  }
  return fits;
}

/* Nothing has evolved yet. */
static PetscErrorCode create(CospinPoint point, const CospinRecord *task, int growths,
                             CospinEvolution *evolution)
{
  CospinProblem problem = point->problem;
  CospinObservables observables = point->observables;
  CospinEvolutionSettings settings;
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (growths) {
    (void)grown_windows(point, growths, windows);
    PetscCall(CospinProblemCreateWindowed(problem->deck, problem->point, windows, NULL, &problem, &ok));
    PetscCheck(ok, point->comm, PETSC_ERR_PLIB, "A larger window makes the deck wrong");
    PetscCall(CospinObservablesCreate(problem, NULL, &observables, &ok));
  }
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinEvolutionCreate(point, problem, observables, task, &settings, evolution));
  (*evolution)->growths = growths;
  PetscFunctionReturn(0);
}

/* From the beginning, or from where another run was interrupted. */
static PetscErrorCode create_first(CospinPoint point, const CospinRecord *task, CospinEvolution *evolution)
{
  CospinEvolution before = NULL;
  int growths = 0;

  PetscFunctionBeginUser;
  if (point->memory) PetscCall(CospinMemoryInts(point->memory, 1, &growths));
  if (growths) {
    PetscCall(create(point, task, growths - 1, &before));
    PetscCall(CospinEvolutionLoad(before, point->memory, PETSC_TRUE));
  }
  PetscCall(create(point, task, growths, evolution));
  (*evolution)->before = before;
  if (point->memory) PetscCall(CospinEvolutionLoad(*evolution, point->memory, PETSC_FALSE));
  PetscFunctionReturn(0);
}

static CospinTaskReading reading_at(CospinEvolution evolution, int k)
{
  return (CospinTaskReading){evolution->observables,
                             evolution->readings + (size_t)k * (size_t)evolution->num_readings,
                             &evolution->problem->system, evolution->whole->states[k]};
}

static PetscErrorCode largest_change(CospinEvolution a, CospinEvolution b, double *change)
{
  PetscFunctionBeginUser;
  *change = 0.0;
  for (int k = 0; k < a->settings.times->size * a->num_readings; k++) {
    const double size = PetscMax(1.0, cabs(b->readings[k]));
    *change = PetscMax(*change, cabs(a->readings[k] - b->readings[k]) / size);
  }
  for (int k = 0; k < a->whole->count; k++) {
    const CospinTaskReading before = reading_at(a, k), now = reading_at(b, k);
    PetscCall(CospinTaskFunctionalsChange(a->point->comm, &before, &now, change));
  }
  PetscFunctionReturn(0);
}

/* The evolution in windows that are larger by half, to replace this one; memory is judged by its vectors. */
static PetscErrorCode grow(const CospinRecord *task, CospinEvolution *evolution, PetscBool *grown)
{
  CospinEvolution small = *evolution;
  int windows[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  *grown =
      (PetscBool)(vectors_in_memory * (double)small->dimension * sizeof(PetscScalar) < CospinMachineBytes() &&
                  grown_windows(small->point, small->growths + 1, windows));
  if (!*grown) PetscFunctionReturn(0);
  PetscCall(CospinEvolutionDestroy(&small->before));
  PetscCall(create(small->point, task, small->growths + 1, evolution));
  (*evolution)->before = small;
  PetscFunctionReturn(0);
}

/* Until a larger window changes nothing that is read. */
static PetscErrorCode evolve(const CospinRecord *task, PetscBool open, CospinEvolution *evolution,
                             PetscBool *left)
{
  PetscBool again = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (again) {
    CospinEvolution now = *evolution;
    PetscCall(CospinEvolutionRun(now, task, left));
    if (open) now->leak = PETSC_INFINITY;
    if (open && now->before && !*left) PetscCall(largest_change(now->before, now, &now->leak));
    again = (PetscBool)(now->leak > 10 * now->settings.options.tolerance && now->outcome == COSPIN_GOOD &&
                        !*left);
    if (!again) break;
    PetscCall(grow(task, evolution, &again));
    if (!again) now->outcome = COSPIN_WINDOW_LIMIT;
  }
  PetscFunctionReturn(0);
}

/* ---- Results ---------------------------------------------------------------------------------------------
 */

static PetscErrorCode store_time(CospinEvolution evolution, int k, CospinResults results)
{
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
  PetscCall(CospinTaskObserve(
      evolution->point->comm, evolution->observables, reading, &evolution->problem->system,
      evolution->whole->count ? evolution->whole->states[k] : NULL, k, results, &evolution->outcome));
  if (!(PetscAbsReal(trace - 1.0) <= limit) || !(evolution->smallest[k] >= -limit) ||
      !(evolution->imaginary[k] <= limit) || !(evolution->error[k] <= limit)) {
    evolution->outcome = CospinOutcomeWorse(evolution->outcome, COSPIN_INACCURATE);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode store(CospinEvolution evolution, CospinStored stored, CospinResults results)
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
  int windows[COSPIN_MAX_COORDINATES];
  CospinEvolution evolution;
  PetscBool open, left;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &open);
  PetscCall(create_first(point, task, &evolution));
  PetscCall(evolve(task, open, &evolution, &left));
  if (!left) PetscCall(store(evolution, point->stored, results));
  *outcome = left ? COSPIN_NOT_RUN : evolution->outcome;
  PetscCall(CospinEvolutionDestroy(&evolution->before));
  PetscCall(CospinEvolutionDestroy(&evolution));
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
    .rules = rules,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Sectors = Sectors,
    .Run = Run,
};
