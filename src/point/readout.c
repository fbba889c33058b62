/*
   The state is taken apart into the sectors that an observable, the trace or the fidelity reads (into all of
   its sectors, if it is to be stored or a functional reads it); each of them evolves by itself, and nothing
   else is ever held, but for states that are stored or wait for a functional. All else that is read is linear
   in the state: every element adds to a few readings, by weights that are made once for each sector.

   Cost: an element is read once for each time, by a few multiplications; making the weights costs as much as
   one product with each operator, once for each sector.
*/
#include <cospin/deck/rounding.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/point/readout.h>
#include <cospin/problem/census.h>
#include <cospin/problem/clock.h>

const char *const CospinReadoutFidelityWords[] = {"initial", NULL};

/* Labels below which nobody minds a matrix of all of them, and beyond which counting takes minutes. */
enum { FEW_LABELS = 20000, MANY_LABELS = 200000000 };

typedef struct CospinReadoutEntry {
  PetscInt index; /* of the element, on this rank */
  int reading;    /* among those of one time */
  double complex weight;
} Entry;

static const double negligible_share = 1e-2; /* of the tolerance, all sectors that are left out together */

/* The problem that evolves. */
static CospinProblem evolved(CospinReadout readout)
{
  return readout->settings.counted ? readout->settings.counted : readout->problem;
}

/* Coordinate of the counter: behind all others; -1: there is none. */
static int counter_of(CospinReadout readout)
{
  return readout->settings.counted ? readout->problem->system.num_coordinates : -1;
}

int CospinReadoutFindTime(const CospinAxis *axis, double time)
{
  for (int k = 0; axis && k < axis->size; k++) {
    if (PetscAbsReal(axis->values[k] - time) <= 1e-9 * PetscAbsReal(time)) return k;
  }
  return -1;
}

/* ---- Weights ------------------------------------------------------------------------------------------- */

/* A reading is a linear functional; its weights are kept element by element, for those elements that have
 * one. */
static PetscErrorCode add_entry(CospinReadout readout, PetscInt index, int reading, double complex weight)
{
  PetscFunctionBeginUser;
  if (weight == 0.0) PetscFunctionReturn(0);
  if (readout->num_entries == readout->capacity) {
    readout->capacity = 2 * readout->capacity + 64;
    PetscCall(PetscRealloc(sizeof(Entry) * readout->capacity, &readout->entries));
  }
  readout->entries[readout->num_entries++] = (Entry){index, reading, weight};
  PetscFunctionReturn(0);
}

/* What the element of a label adds to. */
static PetscErrorCode add_element(CospinReadout readout, PetscInt index, const int label[])
{
  const int counter = counter_of(readout);
  const double trace = CospinSystemTrace(&evolved(readout)->system, label);
  int reading = counter < 0 ? 0 : label[counter] * readout->num_readings;

  PetscFunctionBeginUser;
  for (int k = 0; k < readout->observables->count; k++) {
    const CospinObservable *observable = &readout->observables->observables[k];
    for (int e = 0; e < observable->num_expectations; e++)
      PetscCall(
          add_entry(readout, index, reading++, CospinExpectationWeight(observable->expectations[e], label)));
  }
  PetscCall(add_entry(readout, index, reading++, trace));
  if (readout->settings.target) /* <psi|x><y|psi> */
    PetscCall(
        add_entry(readout, index, reading++, conj(CospinStateElement(readout->settings.target, label))));
  for (int k = 0; trace != 0.0 && k < CospinCutoffsCount(readout->cutoffs); k++)
    if (CospinCutoffsPassed(readout->cutoffs, k, label))
      PetscCall(add_entry(readout, index, reading + k, trace));
  PetscFunctionReturn(0);
}

/* u as the initial state has it, before the first click; and its weights. One pass over the labels of the
   sector that this rank owns. With a counter the initial state has no clicks: only labels whose counter is
   0 get elements. */
static PetscErrorCode set_up(CospinReadout readout, Vec u)
{
  const int counter = counter_of(readout);
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  readout->num_entries = 0;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArray(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(readout->sector, i, label);
    array[i - begin] = 0.0;
    if (counter < 0 || label[counter] == 0)
      array[i - begin] = (PetscScalar)CospinStateElement(readout->settings.initial, label);
    PetscCall(add_element(readout, i - begin, label));
  }
  PetscCall(VecRestoreArray(u, &array));
  PetscFunctionReturn(0);
}

/* A sector where the initial state has no elements stays empty; one that nobody reads, or that can add
   less than a negligible part to the fidelity and is read by nothing else, is left out. By Cauchy and
   Schwarz a sector adds at most |weights| |u| to the fidelity. */
static PetscErrorCode is_needed(CospinReadout readout, Vec u, PetscBool *needed)
{
  const double negligible = negligible_share * readout->settings.tolerance / readout->evolution.num_parts;
  double found[2] = {0.0, 0.0}; /* weights of the fidelity, squared; all others */
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(u, NORM_2, &size));
  for (size_t k = 0; k < readout->num_entries; k++) {
    const Entry *entry = &readout->entries[k];
    const PetscBool other = (PetscBool)(entry->reading % readout->num_readings <= readout->num_expectations);
    found[other] += other ? 1.0 : PetscSqr(cabs(entry->weight));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, found, 2, MPI_DOUBLE, MPI_SUM, readout->point->comm));
  *needed = (PetscBool)(found[1] > 0 || size * PetscSqrtReal(found[0]) > negligible);
  if (readout->stored->count || readout->passing->count) *needed = PETSC_TRUE;
  if (size == 0.0) *needed = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- One sector: a CospinEvolutionUser ----------------------------------------------------------------- */

/* Where an evolution begins: in this state, before the first click (-1: none are counted). */
typedef struct {
  CospinState initial;
  int counter;
} Beginning;

/* Of CospinSectorCreateReached: the labels that what is reached grows from. */
static PetscBool begins(const void *context, const int label[])
{
  const Beginning *beginning = (const Beginning *)context;

  return (PetscBool)((beginning->counter < 0 || label[beginning->counter] == 0) &&
                     CospinStateElement(beginning->initial, label) != 0.0);
}

/* Of atoms told one by one, only labels that the state can come to: a pulse never has more excitations than
   at its start. (Elsewhere sectors are matrices, which products without a matrix need whole; and a generator
   that depends on time has more moves than this.) */
static PetscBool is_reached(CospinProblem problem)
{
  return (PetscBool)(!CospinSystemHasSides(&problem->system) && !CospinProblemHasTime(problem));
}

/* The sector of a part, or what is reached of it: the same on every rank, since moves and start are. */
static PetscErrorCode open_sector(CospinReadout readout, int part)
{
  const CospinProblem problem = evolved(readout);
  CospinSector whole;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice,
                               readout->representatives + part * problem->system.num_coordinates, &whole));
  readout->sector = whole;
  if (!is_reached(problem)) PetscFunctionReturn(0);
  PetscCall(CospinSectorCreateReached(whole, problem->generator, begins,
                                      &(Beginning){readout->settings.initial, counter_of(readout)},
                                      &readout->sector));
  PetscCall(CospinSectorDestroy(&whole));
  PetscFunctionReturn(0);
}

/* A CospinEvolutionUser's: the sector's generator and the initial state in it; no vector where the sector is
   empty. */
static PetscErrorCode Open(void *context, int part, Mat *generator, Vec *u)
{
  CospinReadout readout = (CospinReadout)context;
  const CospinProblem problem = evolved(readout);
  PetscBool needed;

  PetscFunctionBeginUser;
  PetscCall(open_sector(readout, part));
  if (CospinSectorDimension(readout->sector) == 0) PetscFunctionReturn(0);
  PetscCall(
      VecCreateMPI(readout->point->comm, PETSC_DECIDE, (PetscInt)CospinSectorDimension(readout->sector), u));
  PetscCall(set_up(readout, *u));
  PetscCall(is_needed(readout, *u, &needed));
  if (needed)
    PetscCall(CospinEvolutionGenerator(readout->point, problem, readout->sector, readout->settings.method,
                                       NULL, generator));
  else
    PetscCall(VecDestroy(u));
  PetscFunctionReturn(0);
}

static PetscErrorCode Close(void *context)
{
  PetscFunctionBeginUser;
  PetscCall(CospinSectorDestroy(&((CospinReadout)context)->sector));
  PetscFunctionReturn(0);
}

/* What is linear in the state, and the smallest and the largest of what should be populations. Populations
   are looked at beside: smallest and largest tell whether the state is still one. Entries whose reading is
   the trace are populations, times the weight with which they are read. */
static PetscErrorCode read_elements(CospinReadout readout, int k, Vec u)
{
  const int num = readout->num_rows / readout->settings.num_times * readout->num_readings;
  double complex *readings = readout->readings + (size_t)k * (size_t)num;
  double extremes[2] = {readout->smallest[k], -readout->imaginary[k]};
  const PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(readout->sums, num));
  PetscCall(VecGetArrayRead(u, &array));
  for (size_t e = 0; e < readout->num_entries; e++) {
    const Entry *entry = &readout->entries[e];
    const double complex value = array[entry->index];
    readout->sums[entry->reading] += entry->weight * value;
    if (entry->reading % readout->num_readings != readout->num_expectations) continue;
    extremes[0] = PetscMin(extremes[0], creal(entry->weight * value));
    extremes[1] = PetscMin(extremes[1], -PetscAbsReal(cimag(entry->weight * value)));
  }
  PetscCall(VecRestoreArrayRead(u, &array));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, readout->sums, num, MPI_C_DOUBLE_COMPLEX, MPI_SUM, readout->point->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, readout->point->comm));
  for (int r = 0; r < num; r++) readings[r] += readout->sums[r];
  readout->smallest[k] = extremes[0];
  readout->imaginary[k] = -extremes[1];
  PetscFunctionReturn(0);
}

/* Adds what the elements of this sector contribute at one time. Errors are relative to the norm in this
   sector; `lost` is what they are in all. */
static PetscErrorCode Read(void *context, int k, Vec u, double error)
{
  CospinReadout readout = (CospinReadout)context;
  const int row = readout->num_rows / readout->settings.num_times * k;
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(read_elements(readout, k, u));
  PetscCall(VecNorm(u, NORM_2, &size));
  readout->error[k] = PetscMax(readout->error[k], error);
  readout->lost += error * size;
  if (readout->states[row])
    PetscCall(CospinTaskCollectAlong(&readout->problem->system, readout->sector, u, counter_of(readout),
                                     readout->states + row));
  PetscFunctionReturn(0);
}

/* Populations of several clicks at one time are those of exclusive events, so that they add up; several times
   are several states, of which the worst one is told. Readings of cutoffs stand behind all others; they are
   populations, for windows grow until no reading changes, and 1e-7 must not count as 1 there. */
PetscErrorCode CospinReadoutStoreCutoff(CospinReadout readout, CospinResults results, CospinOutcome *outcome)
{
  const int first = readout->num_readings - CospinCutoffsCount(readout->cutoffs),
            rows = readout->num_rows / readout->settings.num_times;
  double largest = 0.0;

  PetscFunctionBeginUser;
  for (int c = first; c < readout->num_readings; c++) {
    for (int k = 0; k < readout->settings.num_times; k++) {
      double sum = 0.0;
      for (int row = k * rows; row < (k + 1) * rows; row++)
        sum += creal(readout->readings[(size_t)row * (size_t)readout->num_readings + (size_t)c]);
      largest = PetscMax(largest, sum / CospinCutoffsAccepted(readout->cutoffs, c - first));
    }
  }
  PetscCall(CospinResultsSet(results, "cutoff", 0, largest));
  if (largest > 1.0 + COSPIN_ROUNDING) *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* In the same order when it is saved and when it is loaded; of states only those that are kept. What a sector
   at work has (its entries) is made anew. */
PetscErrorCode CospinReadoutExchange(CospinReadout readout, CospinCheckpoint checkpoint)
{
  const size_t num_times = (size_t)readout->settings.num_times;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointReals(checkpoint, 2 * (size_t)readout->num_rows * (size_t)readout->num_readings,
                                  (double *)readout->readings));
  PetscCall(CospinCheckpointReals(checkpoint, num_times, readout->smallest));
  PetscCall(CospinCheckpointReals(checkpoint, num_times, readout->imaginary));
  PetscCall(CospinCheckpointReals(checkpoint, num_times, readout->error));
  PetscCall(CospinCheckpointReals(checkpoint, 1, &readout->lost));
  for (int row = 0; row < readout->num_rows; row++)
    if (readout->states[row]) PetscCall(CospinCheckpointState(checkpoint, readout->states[row]));
  PetscFunctionReturn(0);
}

/* ---- Created ------------------------------------------------------------------------------------------- */

PetscErrorCode CospinReadoutSettingsReset(CospinReadoutSettings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStateDestroy(&settings->initial));
  PetscCall(CospinStateDestroy(&settings->target));
  PetscCall(CospinProblemDestroy(&settings->counted));
  PetscFunctionReturn(0);
}

/* Which of the states that the task stores a row is; -1: none. */
static int place_in_store(const CospinReadoutSettings *settings, int row)
{
  if (!settings->store) return -1;
  return settings->store_times ? CospinReadoutFindTime(settings->store_times, settings->times[row]) : row;
}

/* States that only functionals read pass through the same arrays and are not stored. */
static PetscErrorCode create_states(CospinReadout readout, const CospinRecord *task)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStoredCreate(readout->problem->point, &readout->stored));
  PetscCall(CospinStoredCreate(readout->problem->point, &readout->passing));
  PetscCall(PetscCalloc1((size_t)readout->num_rows, &readout->states));
  for (int row = 0; row < readout->num_rows; row++) {
    const int place = place_in_store(&readout->settings, row);
    CospinStoredState *state = &readout->states[row];
    if (place >= 0)
      PetscCall(CospinTaskNewState(readout->problem, task, place, readout->stored, state));
    else if (CospinObservablesNeed(readout->problem->deck) > COSPIN_NEEDS_MOMENTS)
      PetscCall(CospinTaskNewState(readout->problem, task, row, readout->passing, state));
  }
  PetscFunctionReturn(0);
}

/* [times or clicks][readings], summed over sectors. */
static PetscErrorCode create_arrays(CospinReadout readout)
{
  const CospinReadoutSettings *settings = &readout->settings;
  const size_t num_times = (size_t)settings->num_times;

  PetscFunctionBeginUser;
  for (int k = 0; k < readout->observables->count; k++)
    readout->num_expectations += readout->observables->observables[k].num_expectations;
  PetscCall(CospinCutoffsCreate(readout->problem, &readout->cutoffs));
  readout->num_readings =
      readout->num_expectations + 1 + (settings->target ? 1 : 0) + CospinCutoffsCount(readout->cutoffs);
  readout->num_rows = settings->num_times * (settings->most + 1);
  PetscCall(PetscCalloc1((size_t)readout->num_rows * (size_t)readout->num_readings, &readout->readings));
  PetscCall(PetscMalloc1((size_t)(settings->most + 1) * (size_t)readout->num_readings, &readout->sums));
  PetscCall(PetscCalloc3(num_times, &readout->smallest, num_times, &readout->imaginary, num_times,
                         &readout->error));
  for (size_t k = 0; k < num_times; k++) readout->smallest[k] = PETSC_MAX_REAL;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutCreate(CospinPoint point, CospinProblem problem, const CospinRecord *task,
                                   const CospinReadoutKind *kind, PetscBool again, CospinReadout *readout)
{
  static const CospinEvolutionUser user = {Open, Read, Close, CospinReadoutSave};
  CospinReadout new;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *readout = new;
  new->point = point;
  new->task = task;
  new->problem = problem;
  new->again = again;
  PetscCall(kind->Set(problem, task, again, &new->settings));
  PetscCall(CospinObservablesCreate(evolved(new), NULL, &new->observables, &ok));
  PetscCall(create_arrays(new));
  PetscCall(create_states(new, task));
  PetscCall(CospinEvolutionCreate(point, task, &user, new, &new->evolution));
  new->evolution.num_times = new->settings.num_times;
  new->evolution.times = new->settings.times;
  new->evolution.options =
      (CospinPropagatorOptions){.method = new->settings.method,
                                .mesh_dimension = CospinLatticeRank(evolved(new)->lattice),
                                .bytes = problem->bytes,
                                .tolerance = new->settings.tolerance};
  PetscCall(CospinEvolutionFollow(&new->evolution, evolved(new)));
  PetscCall(CospinReadoutSectors(problem, new->observables, &new->settings, &new->evolution.num_parts,
                                 &new->representatives));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutDestroy(CospinReadout *readout)
{
  CospinReadout old = *readout;

  PetscFunctionBeginUser;
  if (!old) PetscFunctionReturn(0);
  PetscCall(CospinEvolutionReset(&old->evolution));
  PetscCall(CospinCutoffsDestroy(&old->cutoffs));
  PetscCall(PetscFree(old->representatives));
  PetscCall(PetscFree(old->entries));
  PetscCall(PetscFree(old->sums));
  PetscCall(PetscFree(old->readings));
  PetscCall(PetscFree3(old->smallest, old->imaginary, old->error));
  PetscCall(PetscFree(old->states));
  PetscCall(CospinStoredDestroy(&old->stored));
  PetscCall(CospinStoredDestroy(&old->passing));
  PetscCall(CospinObservablesDestroy(&old->observables));
  PetscCall(CospinReadoutSettingsReset(&old->settings));
  if (old->problem != old->point->problem) PetscCall(CospinProblemDestroy(&old->problem));
  PetscCall(PetscFree(*readout));
  PetscFunctionReturn(0);
}

/* ---- Sectors ------------------------------------------------------------------------------------------- */

PetscErrorCode CospinReadoutSectors(CospinProblem problem, CospinObservables observables,
                                    const CospinReadoutSettings *settings, int *num, int **representatives)
{
  const PetscBool all =
      (PetscBool)(settings->store || CospinObservablesNeed(problem->deck) == COSPIN_NEEDS_STATE);

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(settings->counted ? settings->counted : problem, observables,
                                  settings->target, all ? settings->initial : NULL, num, representatives));
  PetscFunctionReturn(0);
}

/* Those of labels[all][n] where something is before the first click; the others are empty for ever. */
static PetscErrorCode keep_begun(CospinProblem counted, CospinState initial, int all, int *num, int labels[])
{
  const int n = counted->system.num_coordinates;
  int num_begun, *begun;
  PetscBool has;

  PetscFunctionBeginUser;
  PetscCall(CospinStateSectors(counted, initial, &num_begun, &begun));
  *num = 0;
  for (int k = 0; k < all; k++) {
    has = (PetscBool)(num_begun > COSPIN_MAX_SECTORS); /* not all of them are known */
    if (!has) PetscCall(CospinTaskHasLabel(n, labels + k * n, num_begun, begun, &has));
    if (has) PetscCall(PetscArraymove(labels + (*num)++ * n, labels + k * n, n));
  }
  PetscCall(PetscFree(begun));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutTaskSectors(CospinProblem problem, const CospinRecord *task,
                                        const CospinReadoutKind *kind, int *num, int **representatives)
{
  CospinObservables observables;
  CospinReadoutSettings settings;
  int all, *labels;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(kind->Set(problem, task, PETSC_FALSE, &settings));
  PetscCall(CospinObservablesCreate(settings.counted ? settings.counted : problem, NULL, &observables, &ok));
  PetscCall(CospinReadoutSectors(problem, observables, &settings, &all, &labels));
  *num = all;
  if (settings.counted) PetscCall(keep_begun(settings.counted, settings.initial, all, num, labels));
  *representatives = labels;
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(CospinReadoutSettingsReset(&settings));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutTaskLabels(CospinProblem problem, const CospinRecord *task,
                                       const CospinReadoutKind *kind, const int representative[],
                                       double *labels)
{
  CospinReadoutSettings settings;
  CospinProblem evolved;
  CospinSector whole, reached;

  PetscFunctionBeginUser;
  /* Before anything is made: a state of a million spins, in each of thousands of sectors, takes minutes. */
  if (CospinSystemHasSides(&problem->system) || *labels <= FEW_LABELS || *labels >= MANY_LABELS)
    PetscFunctionReturn(0);
  PetscCall(kind->Set(problem, task, PETSC_FALSE, &settings));
  evolved = settings.counted ? settings.counted : problem;
  if (is_reached(evolved)) {
    const Beginning beginning = {settings.initial,
                                 settings.counted ? evolved->system.num_coordinates - 1 : -1};
    PetscCall(CospinSectorCreate(&evolved->system, evolved->lattice, representative, &whole));
    PetscCall(CospinSectorCreateReached(whole, evolved->generator, begins, &beginning, &reached));
    *labels = (double)CospinSectorDimension(reached);
    PetscCall(CospinSectorDestroy(&reached));
    PetscCall(CospinSectorDestroy(&whole));
  }
  PetscCall(CospinReadoutSettingsReset(&settings));
  PetscFunctionReturn(0);
}
