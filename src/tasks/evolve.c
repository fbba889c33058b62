/*
   Task `evolve`: the state at given times, from a product state, and what is read from it (readout.c). Open
   windows grow until nothing that is read changes any more.

   The state is evolved in those sectors only that observables, fidelity or stored states read (readout.c).
   `tolerance` is the error relative to the state's norm at all times, estimated step by step; the variable
   `error` tells what was reached.

   A mixed initial state is allowed (thermal, stored); the fidelity is with a pure state only, where it is
   linear in rho.
*/
#include <cospin/point/readout.h>
#include <cospin/point/tail.h>
#include <cospin/problem/clock.h>

static const CospinKey keys[] = {
    COSPIN_READOUT_TIMES_KEY,
    COSPIN_READOUT_INITIAL_KEY,
    COSPIN_READOUT_FIDELITY_KEY,
    COSPIN_READOUT_TOLERANCE_KEY,
    COSPIN_TASK_METHOD_KEY,
    COSPIN_TASK_STORE_KEY,
    {.name = "store_times",
     .type = COSPIN_KEY_AXIS,
     .unit = "time",
     .help = "which of the times have their state stored; default: all"},
    COSPIN_TAIL_KEYS,
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
    COSPIN_READOUT_CUTOFF_VARIABLE,
    {"steps", COSPIN_INTEGER, PETSC_FALSE, "1", "Krylov spaces that were built", ""},
    COSPIN_READOUT_SIZE_VARIABLES(""),
    COSPIN_TAIL_VARIABLES,
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
    COSPIN_READOUT_CUTOFF_RULE,
    {"steps", COSPIN_ALL, 0, "0", NULL},
    COSPIN_READOUT_SIZE_RULES,
    COSPIN_TAIL_RULES,
    {.suffix = NULL},
};

/* ---- Settings ------------------------------------------------------------------------------------------ */

/* The times whose states are stored; NULL: none. Borrowed from the deck. */
static const CospinAxis *times_to_store(const CospinRecord *task)
{
  const CospinAxis *chosen = &CospinRecordGet(task, "store_times")->axis;

  if (!CospinTaskStores(task)) return NULL;
  return chosen->size ? chosen : &CospinRecordGet(task, "times")->axis;
}

/* A state can be stored at a time of the axis only: nothing is interpolated. One fault is enough: the
   others of the list are most likely of the same slip. */
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
    if (CospinReadoutFindTime(&CospinRecordGet(task, "times")->axis, chosen->values[k]) >= 0) continue;
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, chosen->position, path, "%.6g is not one of `times`", chosen->values[k]));
    break;
  }
  PetscFunctionReturn(0);
}

/* `initial`, and the state whose fidelity is wanted. `fidelity: initial` is the same state made a second
   time; its faults have been told by the first. */
static PetscErrorCode get_states(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 CospinReadoutSettings *settings, PetscBool *ok)
{
  const CospinSetting *fidelity = CospinRecordGet(task, "fidelity");
  const CospinSetting *initial = CospinRecordGet(task, "initial");
  PetscBool this_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinStateCreate(problem, initial, faults, &settings->initial, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  if (!fidelity->factors && !fidelity->text) PetscFunctionReturn(0);
  PetscCall(CospinStateCreate(problem, fidelity->text ? initial : fidelity, fidelity->text ? NULL : faults,
                              &settings->target, &this_ok));
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

/* A CospinReadoutSettings from the keys; its states are the caller's to reset. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   CospinReadoutSettings *settings, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  PetscBool times_ok;

  PetscFunctionBeginUser;
  *settings = (CospinReadoutSettings){.num_times = times->size,
                                      .times = times->values,
                                      .store = CospinTaskStores(task),
                                      .store_times = times_to_store(task),
                                      .method = CospinTaskMethod(task)};
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscCall(check_store_times(problem, task, faults, ok));
  PetscCall(get_states(problem, task, faults, settings, ok));
  PetscFunctionReturn(0);
}

/* Of a CospinReadoutKind. */
static PetscErrorCode Set(CospinProblem problem, const CospinRecord *task, PetscBool again,
                          CospinReadoutSettings *settings)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)again;
  PetscCall(get_settings(problem, task, NULL, settings, &ok));
  PetscFunctionReturn(0);
}

/* A generator that depends on time has products only, and a value at all times up to the last one. */
static PetscErrorCode check_time(CospinProblem problem, const CospinRecord *task,
                                 const CospinReadoutSettings *settings, CospinFaults faults, PetscBool *ok)
{
  const double end = settings->num_times ? settings->times[settings->num_times - 1] : 0.0;
  char path[160];

  PetscFunctionBeginUser;
  PetscCall(CospinClockCheck(problem, end, faults, ok));
  if (!CospinProblemHasTime(problem) || settings->method != COSPIN_PROPAGATE_RATIONAL) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.method", (int)(task - problem->deck->tasks),
                          task->kind->name));
  PetscCall(CospinFaultsAdd(faults, CospinRecordGet(task, "method")->position, path,
                            "a generator that depends on time has no factors (leave `method` out)"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinReadoutSettings settings;
  CospinTailKeys tail;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  PetscCall(CospinTailRead(problem, task, faults, &tail, ok));
  if (*ok) PetscCall(check_time(problem, task, &settings, faults, ok));
  *dimension = (CospinDimension){"time", settings.num_times, settings.times, "time", "time"};
  PetscCall(CospinReadoutSettingsReset(&settings));
  PetscFunctionReturn(0);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

/* The outcome is judged by what was recomputed from the state at this time: trace, smallest population,
   hermiticity, error. Ten tolerances: errors of sectors add up, and a trace or a population is a sum over
   many elements. */
static PetscErrorCode store_time(CospinReadout readout, int k, CospinResults results, CospinOutcome *outcome)
{
  const double complex *reading = readout->readings + (size_t)k * (size_t)readout->num_readings;
  const double trace = creal(reading[readout->num_expectations]);
  const double limit = 10 * readout->settings.tolerance;

  PetscFunctionBeginUser;
  if (readout->settings.target)
    PetscCall(CospinResultsSet(results, "fidelity", k, creal(reading[readout->num_expectations + 1])));
  PetscCall(CospinResultsSet(results, "trace", k, trace));
  PetscCall(CospinResultsSet(results, "smallest_population", k, readout->smallest[k]));
  PetscCall(CospinResultsSet(results, "hermiticity", k, readout->imaginary[k]));
  PetscCall(CospinResultsSet(results, "error", k, readout->error[k]));
  PetscCall(CospinTaskObserve(readout->point->comm, readout->observables, reading, &readout->problem->system,
                              readout->states[k], k, results, outcome));
  if (!(PetscAbsReal(trace - 1.0) <= limit) || !(readout->smallest[k] >= -limit) ||
      !(readout->imaginary[k] <= limit) || !(readout->error[k] <= limit)) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscFunctionReturn(0);
}

/* Of an observable at all times, in real numbers: its absolute value where it is complex. */
static double observed(CospinResults results, const char name[], int k)
{
  const CospinVariable *whole = CospinResultsFind(results, name), *parts[2];
  char suffix[96];

  if (whole) return results.record[whole->offset + k];
  for (int part = 0; part < 2; part++) {
    (void)snprintf(suffix, sizeof(suffix), "%s%s", name, part ? "_im" : "_re");
    parts[part] = CospinResultsFind(results, suffix);
  }
  return hypot(results.record[parts[0]->offset + k], results.record[parts[1]->offset + k]);
}

/* Values have no statistical error but that of the evolution, which is relative to the state at its start. */
static PetscErrorCode store_tail(CospinReadout readout, const CospinTailKeys *asked, CospinResults results,
                                 CospinOutcome *outcome)
{
  static const double rounding = 1e-14;
  const int num = readout->settings.num_times;
  double *values, *errors, largest = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)num, &values, (size_t)num, &errors));
  for (int k = 0; k < num; k++) {
    values[k] = observed(results, asked->observable, k);
    largest = PetscMax(largest, PetscAbsReal(values[k]));
  }
  for (int k = 0; k < num; k++) errors[k] = (readout->error[k] + rounding) * largest;
  CospinTail tail = {.num_times = num,
                     .times = readout->settings.times,
                     .values = values,
                     .errors = errors,
                     .from = asked->from,
                     .until = asked->until};
  PetscCall(CospinTailFit(&tail));
  PetscCall(CospinTailStore(&tail, results, outcome));
  PetscCall(PetscFree2(values, errors));
  PetscFunctionReturn(0);
}

/* States are stored only where every number of theirs is good; a tail is judged by itself, after all times
   are there. */
static PetscErrorCode Store(CospinReadout readout, double leak, CospinResults results, CospinOutcome *outcome)
{
  CospinTailKeys tail;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "steps", 0, readout->evolution.steps));
  PetscCall(CospinEvolutionStore(&readout->evolution, results));
  if (*outcome == COSPIN_NOT_CONVERGED) PetscFunctionReturn(0); /* sums lack a sector */
  PetscCall(CospinReadoutStoreCutoff(readout, results, outcome));
  for (int k = 0; k < readout->settings.num_times; k++) PetscCall(store_time(readout, k, results, outcome));
  if (*outcome == COSPIN_GOOD) PetscCall(CospinStoredTake(readout->point->stored, readout->stored));
  PetscCall(CospinTailRead(readout->problem, readout->task, NULL, &tail, &ok));
  if (tail.observable) PetscCall(store_tail(readout, &tail, results, outcome));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_INACCURATE,
     "what was recomputed of the state is off (<task>_error, _trace, _smallest_population: a smaller "
     "`tolerance:`), " COSPIN_READOUT_CUTOFF_HINT ", or " COSPIN_TAIL_HINT},
    {.text = NULL},
};

/* ---- For the table of tasks ---------------------------------------------------------------------------- */

static const CospinReadoutKind kind = {.Set = Set, .Store = Store};

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutTaskSectors(problem, task, &kind, num, representatives));
  PetscFunctionReturn(0);
}

/* For `plan`: as many as are followed, which takes as long as setting out does. */
static PetscErrorCode Labels(CospinProblem problem, const CospinRecord *task, const int representative[],
                             double *labels)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutTaskLabels(problem, task, &kind, representative, labels));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinReadoutRun(point, task, &kind, results, outcome));
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
    .hints = hints,
    .has_observables = PETSC_TRUE,
    .observables_along = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .follows_time = PETSC_TRUE,
    .Check = Check,
    .Stores = Stores,
    .Sectors = Sectors,
    .Labels = Labels,
    .Run = Run,
};
