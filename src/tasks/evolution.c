/*
   The state is taken apart into the sectors that an observable, the trace or the fidelity reads (into all of
   its sectors, if it is to be stored or a functional reads it); each of them evolves by itself
   (propagator.c), and nothing else is ever held, but for states that are stored or wait for a functional. All
   else that is read is linear in the state, so a reading is a scalar product with a vector of weights, made
   once.
*/
#include "evolution.h"
#include <cospin/cost.h>
#include <cospin/liouvillian.h>

static const double negligible_share = 1e-2; /* of the tolerance, all sectors that are left out together */

PetscErrorCode CospinEvolutionSectors(CospinProblem problem, CospinObservables observables,
                                      const CospinEvolutionSettings *settings, int *num,
                                      int **representatives)
{
  const PetscBool all =
      (PetscBool)(settings->store_times || CospinObservablesNeed(problem->deck) == COSPIN_NEEDS_STATE);
  const CospinState whole = all ? settings->initial : NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(problem, observables, settings->target, whole, num, representatives));
  PetscFunctionReturn(0);
}

int CospinEvolutionFindTime(const CospinAxis *axis, double time)
{
  for (int k = 0; axis && k < axis->size; k++) {
    if (PetscAbsReal(axis->values[k] - time) <= 1e-9 * PetscAbsReal(time)) return k;
  }
  return -1;
}

static double complex weight(CospinEvolution evolution, int reading, const int label[])
{
  if (reading < evolution->num_expectations)
    return CospinExpectationWeight(evolution->expectations[reading], label);
  if (reading == evolution->num_expectations) return CospinSystemTrace(&evolution->problem->system, label);
  return conj(CospinStateElement(evolution->settings.target, label)); /* <psi|x><y|psi> */
}

static PetscErrorCode fill_weights(CospinEvolution evolution, int reading, Vec weights, PetscBool *zero)
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

static PetscErrorCode set_up_readings(CospinEvolution evolution, Vec u)
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

static PetscErrorCode tear_down_readings(CospinEvolution evolution)
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
  CospinEvolution evolution = (CospinEvolution)context;
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
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, evolution->point->comm));
  evolution->smallest[k] = extremes[0];
  evolution->imaginary[k] = -extremes[1];
  evolution->error[k] = PetscMax(evolution->error[k], error);
  store = CospinEvolutionFindTime(evolution->settings.store_times, evolution->settings.times->values[k]);
  if (store >= 0)
    PetscCall(CospinTaskCollect(&evolution->problem->system, evolution->sector, u,
                                evolution->stored->states[store]));
  if (evolution->whole->count)
    PetscCall(
        CospinTaskCollect(&evolution->problem->system, evolution->sector, u, evolution->whole->states[k]));
  PetscFunctionReturn(0);
}

/* What a sector that only the fidelity reads can add to it; infinite for others, 0 if nothing is read. */
static PetscErrorCode share_in_fidelity(CospinEvolution evolution, Vec u, double *bound)
{
  const PetscBool kept = (PetscBool)(evolution->settings.store_times || evolution->whole->count);
  PetscReal size, weight_size;

  PetscFunctionBeginUser;
  *bound = evolution->num_weights || kept ? PETSC_INFINITY : 0.0;
  if (kept || evolution->num_weights != 1 || evolution->reading_of[0] <= evolution->num_expectations)
    PetscFunctionReturn(0);
  PetscCall(VecNorm(u, NORM_2, &size));
  PetscCall(VecNorm(evolution->weights[0], NORM_2, &weight_size));
  *bound = size * weight_size;
  PetscFunctionReturn(0);
}

/* ---- Saved and loaded
 * ----------------------------------------------------------------------------------------
 */

/* What all finished sectors have given. */
static PetscErrorCode exchange_results(CospinEvolution evolution, CospinMemory memory)
{
  const size_t num_times = (size_t)evolution->settings.times->size;
  int counts[] = {evolution->num_sectors, evolution->steps, evolution->operations, evolution->factorisations};
  double sizes[] = {(double)evolution->dimension, (double)evolution->nonzeros, evolution->leak};

  PetscFunctionBeginUser;
  PetscCall(CospinMemoryReals(memory, 2 * num_times * (size_t)evolution->num_readings,
                              (double *)evolution->readings));
  PetscCall(CospinMemoryReals(memory, num_times, evolution->smallest));
  PetscCall(CospinMemoryReals(memory, num_times, evolution->imaginary));
  PetscCall(CospinMemoryReals(memory, num_times, evolution->error));
  for (int k = 0; k < evolution->stored->count; k++)
    PetscCall(CospinMemoryState(memory, evolution->stored->states[k]));
  for (int k = 0; k < evolution->whole->count; k++)
    PetscCall(CospinMemoryState(memory, evolution->whole->states[k]));
  PetscCall(CospinMemoryInts(memory, 4, counts));
  PetscCall(CospinMemoryReals(memory, 3, sizes));
  evolution->num_sectors = counts[0];
  evolution->steps = counts[1];
  evolution->operations = counts[2];
  evolution->factorisations = counts[3];
  evolution->dimension = (PetscInt64)sizes[0];
  evolution->nonzeros = (PetscInt64)sizes[1];
  evolution->leak = sizes[2];
  PetscFunctionReturn(0);
}

/* Where in its sector the evolution stands; u follows in the memory. */
static PetscErrorCode exchange_place(CospinEvolution evolution, CospinMemory memory)
{
  CospinPropagatorReport *report = &evolution->report;
  int counts[] = {evolution->place,   (int)report->method,    report->steps,
                  report->operations, report->factorisations, report->visited};
  double state[] = {report->time, report->error, report->step, report->gamma};

  PetscFunctionBeginUser;
  PetscCall(CospinMemoryInts(memory, 6, counts));
  PetscCall(CospinMemoryReals(memory, 4, state));
  evolution->place = counts[0];
  *report = (CospinPropagatorReport){.method = (CospinPropagatorMethod)counts[1],
                                     .steps = counts[2],
                                     .operations = counts[3],
                                     .factorisations = counts[4],
                                     .visited = counts[5],
                                     .left = report->left,
                                     .time = state[0],
                                     .error = state[1],
                                     .step = state[2],
                                     .gamma = state[3]};
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionLoad(CospinEvolution evolution, CospinMemory memory, PetscBool complete)
{
  PetscFunctionBeginUser;
  PetscCall(exchange_results(evolution, memory));
  if (complete) PetscFunctionReturn(0);
  PetscCall(exchange_place(evolution, memory));
  evolution->report.left = PETSC_TRUE;
  evolution->memory = memory;
  PetscFunctionReturn(0);
}

/* In the order in which `evolve` loads: number of growths, the evolution before, this one. */
static PetscErrorCode save(CospinEvolution evolution, Vec u)
{
  const CospinInterrupt *interrupt = &evolution->point->interrupt;
  CospinMemory memory;

  PetscFunctionBeginUser;
  PetscCall(CospinMemoryCreate(evolution->point->comm, &memory));
  PetscCall(CospinMemoryInts(memory, 1, &evolution->growths));
  if (evolution->before) PetscCall(exchange_results(evolution->before, memory));
  PetscCall(exchange_results(evolution, memory));
  PetscCall(exchange_place(evolution, memory));
  PetscCall(CospinMemoryVec(memory, u));
  PetscCall(interrupt->Save(interrupt->context, memory));
  PetscCall(CospinMemoryDestroy(&memory));
  PetscFunctionReturn(0);
}

/* A CospinPropagatorPause. Within a step only the end of the run counts. */
static PetscErrorCode pause_between(void *context, PetscBool between, Vec u,
                                    const CospinPropagatorReport *report, PetscBool *leave)
{
  CospinEvolution evolution = (CospinEvolution)context;
  const CospinInterrupt *interrupt = &evolution->point->interrupt;
  CospinPause pause = COSPIN_PAUSE_LEAVE;

  PetscFunctionBeginUser;
  (void)report; /* it is evolution->report */
  if (!*leave) PetscCall(interrupt->Ask(interrupt->context, &pause));
  if (between && pause != COSPIN_PAUSE_NO) PetscCall(save(evolution, u));
  *leave = (PetscBool)(pause == COSPIN_PAUSE_LEAVE);
  PetscFunctionReturn(0);
}

/* ---- The evolution ---------------------------------------------------------------------------------------
 */

static PetscErrorCode propagate(CospinEvolution evolution, const char prefix[], Vec u)
{
  const CospinAxis *times = evolution->settings.times;
  const PetscInt64 dimension = CospinSectorDimension(evolution->sector);
  CospinPropagatorReport *report = &evolution->report;
  Mat liouvillian;
  MatInfo info;

  PetscFunctionBeginUser;
  if (evolution->settings.options.method == COSPIN_PROPAGATE_RATIONAL) /* that takes factors */
    PetscCall(CospinLiouvillianCreate(evolution->point->comm, evolution->problem->generator,
                                      evolution->sector, &liouvillian));
  else
    PetscCall(
        CospinGeneratorCreate(evolution->point->comm, evolution->problem, evolution->sector, &liouvillian));
  PetscCall(CospinPropagate(liouvillian, u, times->size, times->values, &evolution->settings.options, prefix,
                            read_state, evolution, report));
  PetscCall(MatGetInfo(liouvillian, MAT_GLOBAL_SUM, &info));
  PetscCall(MatDestroy(&liouvillian));
  if (report->left) PetscFunctionReturn(0);
  if (report->failed) evolution->outcome = CospinOutcomeWorse(evolution->outcome, COSPIN_NOT_CONVERGED);
  evolution->num_sectors++;
  evolution->steps += report->steps;
  evolution->operations += report->operations;
  evolution->factorisations += report->factorisations;
  if (dimension > evolution->dimension) {
    evolution->dimension = dimension;
    evolution->nonzeros = (PetscInt64)info.nz_used;
  }
  *report = (CospinPropagatorReport){0};
  PetscFunctionReturn(0);
}

/* u as saved, or as the initial state has it. A sector where that has no elements stays empty; one that can
   add less than `negligible` to the fidelity and is read by nothing else is left out. */
static PetscErrorCode start(CospinEvolution evolution, Vec u, double negligible, PetscBool *needed)
{
  PetscReal norm;
  double bound;

  PetscFunctionBeginUser;
  *needed = PETSC_TRUE;
  if (evolution->memory) {
    PetscCall(CospinMemoryVec(evolution->memory, u));
    evolution->memory = NULL;
    PetscFunctionReturn(0);
  }
  PetscCall(CospinStateVector(evolution->settings.initial, evolution->sector, u));
  PetscCall(VecNorm(u, NORM_2, &norm));
  PetscCall(share_in_fidelity(evolution, u, &bound));
  *needed = (PetscBool)(norm > 0.0 && bound > negligible);
  PetscFunctionReturn(0);
}

static PetscErrorCode evolve_sector(CospinEvolution evolution, const int representative[], double negligible,
                                    const char prefix[])
{
  const CospinProblem problem = evolution->problem;
  PetscBool needed;
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &evolution->sector));
  if (CospinSectorDimension(evolution->sector) > 0) {
    PetscCall(VecCreateMPI(evolution->point->comm, PETSC_DECIDE,
                           (PetscInt)CospinSectorDimension(evolution->sector), &u));
    PetscCall(set_up_readings(evolution, u));
    PetscCall(start(evolution, u, negligible, &needed));
    if (needed) PetscCall(propagate(evolution, prefix, u));
    PetscCall(tear_down_readings(evolution));
    PetscCall(VecDestroy(&u));
  }
  PetscCall(CospinSectorDestroy(&evolution->sector));
  PetscFunctionReturn(0);
}

static PetscErrorCode list_expectations(CospinEvolution evolution)
{
  const CospinObservables observables = evolution->observables;
  int count = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) count += observables->observables[k].num_expectations;
  PetscCall(PetscMalloc1((size_t)count + 1, &evolution->expectations));
  for (int k = 0; k < observables->count; k++) {
    for (int e = 0; e < observables->observables[k].num_expectations; e++)
      evolution->expectations[evolution->num_expectations++] = observables->observables[k].expectations[e];
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionCreate(CospinPoint point, CospinProblem problem, CospinObservables observables,
                                     const CospinRecord *task, const CospinEvolutionSettings *settings,
                                     CospinEvolution *evolution)
{
  const size_t num_times = (size_t)settings->times->size;
  CospinEvolution new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *evolution = new;
  new->point = point;
  new->problem = problem;
  new->observables = observables;
  new->outcome = COSPIN_GOOD;
  new->settings = *settings;
  if (point->interrupt.Ask) new->settings.options.pause = pause_between;
  PetscCall(list_expectations(new));
  new->num_readings = new->num_expectations + 1 + (settings->target ? 1 : 0);
  PetscCall(PetscCalloc1(num_times * (size_t) new->num_readings, &new->readings));
  PetscCall(PetscCalloc3(num_times, &new->smallest, num_times, &new->imaginary, num_times, &new->error));
  for (size_t k = 0; k < num_times; k++) new->smallest[k] = PETSC_MAX_REAL;
  PetscCall(CospinStoredCreate(problem->point, &new->stored));
  for (int k = 0; settings->store_times && k < settings->store_times->size; k++) {
    CospinStoredState state;
    PetscCall(CospinTaskNewState(problem, task, k, new->stored, &state));
  }
  PetscCall(CospinStoredCreate(problem->point, &new->whole));
  for (int k = 0; k < settings->times->size; k++) {
    CospinStoredState state;
    if (CospinObservablesNeed(problem->deck) > COSPIN_NEEDS_MOMENTS)
      PetscCall(CospinTaskNewState(problem, task, k, new->whole, &state));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionDestroy(CospinEvolution *evolution)
{
  PetscFunctionBeginUser;
  if (!*evolution) PetscFunctionReturn(0);
  PetscCall(PetscFree((*evolution)->expectations));
  PetscCall(PetscFree((*evolution)->readings));
  PetscCall(PetscFree3((*evolution)->smallest, (*evolution)->imaginary, (*evolution)->error));
  PetscCall(CospinStoredDestroy(&(*evolution)->stored));
  PetscCall(CospinStoredDestroy(&(*evolution)->whole));
  PetscCall(CospinStateDestroy(&(*evolution)->settings.initial));
  PetscCall(CospinStateDestroy(&(*evolution)->settings.target));
  if ((*evolution)->problem != (*evolution)->point->problem) {
    PetscCall(CospinObservablesDestroy(&(*evolution)->observables));
    PetscCall(CospinProblemDestroy(&(*evolution)->problem));
  }
  PetscCall(PetscFree(*evolution));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionRun(CospinEvolution evolution, const CospinRecord *task, PetscBool *left)
{
  int num, *representatives;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinEvolutionSectors(evolution->problem, evolution->observables, &evolution->settings, &num,
                                   &representatives));
  for (; evolution->place < num && evolution->outcome == COSPIN_GOOD; evolution->place++) {
    PetscCall(evolve_sector(evolution,
                            representatives + evolution->place * evolution->problem->system.num_coordinates,
                            negligible_share * evolution->settings.options.tolerance / num, prefix));
    if (evolution->report.left) break;
  }
  *left = evolution->report.left;
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}
