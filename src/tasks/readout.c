/*
   The counter is a classical register beside the quantum state, rho = sum_n rho_n |n), and one more component
   of the problem (CospinProblemCreateCounted), so

     d rho_n/dt = (L - eta J) rho_n + eta J rho_(n-1),   P(n) = Tr rho_n,   heralded: rho_n/P(n)

   is one linear equation, evolved like any other (propagator.c) and exact for all n up to the last: nothing
   comes back from beyond, where the missing probability is. Since the register is a label like others, its
   conservation laws are found, too: where excitations leave by clicks only, n tells how many are left, and a
   sector holds no more elements than it has without the counter.

   Missed clicks (eta < 1) spoil that. But a detector of efficiency eta is a perfect one whose clicks are kept
   at random, so the same follows from eta = 1 by

     rho_n <- sum_k (k over n) eta^n (1 - eta)^(k-n) rho_k

   if no k is missing. That way is taken where the counter of a perfect detector is tied to the other labels.

   Dark counts know nothing of the state: those of a time t are a Poisson distribution, p_k with mean dark t,
   so rho_n <- sum_k p_k rho_(n-k), missing or not.
*/
#include "readout.h"
#include <cospin/liouvillian.h>
#include <cospin/propagator.h>
#include <cospin/window.h>
#include <math.h>

static const double negligible = 1e-25; /* probability */

/* Whether the number of clicks is free whatever the other labels are. */
static PetscBool counter_is_free(CospinProblem counted)
{
  int click[COSPIN_MAX_COORDINATES] = {0};

  click[counted->system.num_coordinates - 1] = 1;
  return CospinLatticeContains(counted->lattice, click);
}

/* Whether there are states to collect. */
static PetscBool collects(const CospinReadoutSettings *settings)
{
  return (PetscBool)(settings->store || settings->needs > COSPIN_NEEDS_MOMENTS);
}

static PetscBool needs_all(const CospinReadoutSettings *settings)
{
  return (PetscBool)(settings->store || settings->needs == COSPIN_NEEDS_STATE);
}

PetscErrorCode CospinReadoutDerive(CospinProblem problem, const CospinReadoutSettings *settings,
                                   PetscBool may_thin, CospinProblem *counted, PetscBool *thinned)
{
  const CospinDetector *detector = &settings->detector;

  PetscFunctionBeginUser;
  *thinned = (PetscBool)(may_thin && detector->efficiency < 1.0);
  if (*thinned) {
    PetscCall(CospinProblemCreateCounted(problem, detector->jump, 1.0, settings->most, counted));
    if (!counter_is_free(*counted)) PetscFunctionReturn(0);
    PetscCall(CospinProblemDestroy(counted));
    *thinned = PETSC_FALSE;
  }
  PetscCall(
      CospinProblemCreateCounted(problem, detector->jump, detector->efficiency, settings->most, counted));
  PetscFunctionReturn(0);
}

/* Those that are read and, for states that are stored, all that the initial state has. */
static PetscErrorCode sectors_of(CospinProblem counted, CospinObservables observables, CospinState initial,
                                 PetscBool whole, int *num, int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(counted, observables, NULL, whole ? initial : NULL, num, representatives));
  PetscFunctionReturn(0);
}

static PetscErrorCode get_initial(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinState *initial, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinStateCreate(problem, CospinRecordGet(task, "initial"), faults, initial, ok));
  PetscFunctionReturn(0);
}

/* ---- One sector ------------------------------------------------------------------------------------------
 */

/* Nothing has clicked at time 0. */
static PetscErrorCode fill_initial(const CospinReadout *readout, Vec u)
{
  PetscInt begin, end;
  PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArray(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(readout->sector, i, label);
    array[i - begin] =
        label[readout->coordinate] == 0 ? (PetscScalar)CospinStateElement(readout->initial, label) : 0.0;
  }
  PetscCall(VecRestoreArray(u, &array));
  PetscFunctionReturn(0);
}

static void read_element(CospinReadout *readout, const int label[], double complex value)
{
  const double trace = CospinSystemTrace(&readout->counted->system, label);
  double complex *reading =
      readout->readings + (size_t)label[readout->coordinate] * (size_t)readout->num_readings;

  for (int k = 0; k < readout->observables->count; k++) {
    const CospinObservable *observable = &readout->observables->observables[k];
    for (int e = 0; e < observable->num_expectations; e++)
      *reading++ += CospinExpectationWeight(observable->expectations[e], label) * value;
  }
  *reading += trace * value;
  if (trace == 0.0) return;
  readout->smallest = PetscMin(readout->smallest, creal(value));
  readout->imaginary = PetscMax(readout->imaginary, PetscAbsReal(cimag(value)));
}

/* A CospinPropagatorVisit. */
static PetscErrorCode read_state(void *context, int k, Vec u, double error)
{
  CospinReadout *readout = (CospinReadout *)context;
  const PetscScalar *array;
  PetscInt begin, end;
  PetscReal size;

  PetscFunctionBeginUser;
  (void)k;
  PetscCall(VecNorm(u, NORM_2, &size));
  readout->error += error * size;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArrayRead(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(readout->sector, i, label);
    read_element(readout, label, array[i - begin]);
  }
  PetscCall(VecRestoreArrayRead(u, &array));
  if (collects(&readout->settings))
    PetscCall(CospinTaskCollectAlong(&readout->problem->system, readout->sector, u, readout->coordinate,
                                     readout->stored->states));
  PetscFunctionReturn(0);
}

static PetscErrorCode propagate(CospinReadout *readout, const char prefix[], Vec u)
{
  const CospinPropagatorOptions options = {
      .method = COSPIN_PROPAGATE_AUTO,
      .mesh_dimension = CospinLatticeRank(readout->counted->lattice),
      .tolerance = readout->settings.tolerance,
  };
  CospinPropagatorReport report = {0};
  Mat liouvillian;

  PetscFunctionBeginUser;
  PetscCall(
      CospinLiouvillianCreate(readout->comm, readout->counted->generator, readout->sector, &liouvillian));
  PetscCall(CospinPropagate(liouvillian, u, 1, &readout->settings.time, &options, prefix, read_state, readout,
                            &report));
  PetscCall(MatDestroy(&liouvillian));
  if (report.failed) readout->outcome = CospinOutcomeWorse(readout->outcome, COSPIN_NOT_CONVERGED);
  readout->num_sectors++;
  readout->operations += report.operations;
  readout->factorisations += report.factorisations;
  readout->dimension = PetscMax(readout->dimension, CospinSectorDimension(readout->sector));
  PetscFunctionReturn(0);
}

/* A sector where the initial state has no elements stays empty. */
static PetscErrorCode count_sector(CospinReadout *readout, const int representative[], const char prefix[])
{
  const CospinProblem counted = readout->counted;
  PetscReal norm;
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&counted->system, counted->lattice, representative, &readout->sector));
  if (CospinSectorDimension(readout->sector) > 0) {
    PetscCall(
        VecCreateMPI(readout->comm, PETSC_DECIDE, (PetscInt)CospinSectorDimension(readout->sector), &u));
    PetscCall(fill_initial(readout, u));
    PetscCall(VecNorm(u, NORM_2, &norm));
    if (norm > 0.0) PetscCall(propagate(readout, prefix, u));
    PetscCall(VecDestroy(&u));
  }
  PetscCall(CospinSectorDestroy(&readout->sector));
  PetscFunctionReturn(0);
}

/* ---- All sectors -----------------------------------------------------------------------------------------
 */

static PetscErrorCode create_readout(MPI_Comm comm, const CospinRecord *task, PetscBool may_thin,
                                     CospinReadout *readout)
{
  const CospinProblem problem = readout->problem;
  PetscBool ok;

  PetscFunctionBeginUser;
  readout->comm = comm;
  readout->outcome = COSPIN_GOOD;
  readout->smallest = PETSC_MAX_REAL;
  PetscCall(get_initial(problem, task, NULL, &readout->initial, &ok));
  PetscCall(CospinReadoutDerive(problem, &readout->settings, may_thin, &readout->counted, &readout->thinned));
  PetscCall(CospinObservablesCreate(readout->counted, NULL, &readout->observables, &ok));
  readout->coordinate = problem->system.num_coordinates; /* behind all others */
  readout->num_readings = 1;
  for (int k = 0; k < readout->observables->count; k++)
    readout->num_readings += readout->observables->observables[k].num_expectations;
  PetscCall(
      PetscCalloc1((size_t)(readout->settings.most + 1) * (size_t)readout->num_readings, &readout->readings));
  PetscCall(CospinStoredCreate(problem->point, &readout->stored));
  for (int n = 0; n <= readout->settings.most && collects(&readout->settings); n++) {
    CospinStoredState state;
    PetscCall(CospinTaskNewState(problem, task, n, readout->stored, &state));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutReset(CospinReadout *readout)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(readout->readings));
  PetscCall(CospinStoredDestroy(&readout->stored));
  PetscCall(CospinObservablesDestroy(&readout->observables));
  PetscCall(CospinProblemDestroy(&readout->counted));
  PetscCall(CospinStateDestroy(&readout->initial));
  if (readout->owns_problem) PetscCall(CospinProblemDestroy(&readout->problem));
  PetscFunctionReturn(0);
}

/* What the ranks have read, together. */
static PetscErrorCode sum_readings(CospinReadout *readout)
{
  const int num = (readout->settings.most + 1) * readout->num_readings;
  double extremes[2] = {readout->smallest, -readout->imaginary};

  PetscFunctionBeginUser;
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, readout->readings, num, MPI_C_DOUBLE_COMPLEX, MPI_SUM, readout->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, readout->comm));
  readout->smallest = extremes[0];
  readout->imaginary = -extremes[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode count_all(MPI_Comm comm, const CospinRecord *task, PetscBool may_thin,
                                CospinReadout *readout)
{
  int num, *representatives;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(create_readout(comm, task, may_thin, readout));
  PetscCall(sectors_of(readout->counted, readout->observables, readout->initial,
                       needs_all(&readout->settings), &num, &representatives));
  for (int k = 0; k < num && readout->outcome == COSPIN_GOOD; k++)
    PetscCall(count_sector(readout, representatives + k * readout->counted->system.num_coordinates, prefix));
  PetscCall(PetscFree(representatives));
  PetscCall(sum_readings(readout));
  PetscFunctionReturn(0);
}

double CospinReadoutProbability(const CospinReadout *readout, int n)
{
  return creal(readout->readings[(size_t)(n + 1) * (size_t)readout->num_readings - 1]);
}

double CospinReadoutMissing(const CospinReadout *readout)
{
  double sum = 0.0;

  for (int n = 0; n <= readout->settings.most; n++) sum += CospinReadoutProbability(readout, n);
  return 1.0 - sum;
}

/* rho_n <- factor rho_n; states stand on the first rank. */
static void scale_clicks(CospinReadout *readout, int n, double factor)
{
  double complex *reading = readout->readings + (size_t)n * (size_t)readout->num_readings;

  for (int r = 0; r < readout->num_readings; r++) reading[r] *= factor;
  if (readout->stored->count) CospinStoredStateScale(readout->stored->states[n], factor);
}

/* rho_n <- rho_n + weight rho_k */
static PetscErrorCode add_clicks(CospinReadout *readout, int n, double weight, int k)
{
  const double complex *from = readout->readings + (size_t)k * (size_t)readout->num_readings;
  double complex *to = readout->readings + (size_t)n * (size_t)readout->num_readings;

  PetscFunctionBeginUser;
  if (weight < negligible) PetscFunctionReturn(0);
  for (int r = 0; r < readout->num_readings; r++) to[r] += weight * from[r];
  if (readout->stored->count)
    PetscCall(CospinStoredStateAxpy(readout->stored->states[n], weight, readout->stored->states[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode combine_clicks(CospinReadout *readout, int n)
{
  PetscFunctionBeginUser;
  if (readout->stored->count) PetscCall(CospinStoredStateCombine(readout->stored->states[n]));
  PetscFunctionReturn(0);
}

/* From few clicks to many: those behind are still the perfect detector's. */
static PetscErrorCode thin(CospinReadout *readout)
{
  const double eta = readout->settings.detector.efficiency;
  double first = 1.0; /* eta^n */

  PetscFunctionBeginUser;
  for (int n = 0; n <= readout->settings.most; n++) {
    double weight = first; /* (k over n) eta^n (1 - eta)^(k-n) */
    scale_clicks(readout, n, weight);
    for (int k = n + 1; k <= readout->settings.most; k++) {
      weight *= (1.0 - eta) * k / (k - n);
      PetscCall(add_clicks(readout, n, weight, k));
    }
    PetscCall(combine_clicks(readout, n));
    first *= eta;
  }
  PetscFunctionReturn(0);
}

/* Adds the dark counts, from many clicks to few: those in front are still what the jumps have made. */
static PetscErrorCode darken(CospinReadout *readout)
{
  const double mean = readout->settings.detector.dark * readout->settings.time;

  PetscFunctionBeginUser;
  if (mean == 0.0) PetscFunctionReturn(0);
  for (int n = readout->settings.most; n >= 0; n--) {
    scale_clicks(readout, n, PetscExpReal(-mean));
    for (int k = 1; k <= n; k++)
      PetscCall(add_clicks(readout, n, PetscExpReal(k * PetscLogReal(mean) - mean - lgamma(k + 1.0)), n - k));
    PetscCall(combine_clicks(readout, n));
  }
  PetscFunctionReturn(0);
}

/* Everything, for readout->problem. Clicks beyond the counter cannot be thinned. */
static PetscErrorCode count_problem(MPI_Comm comm, const CospinRecord *task, CospinReadout *readout)
{
  CospinReadout again = {
      .problem = readout->problem, .owns_problem = readout->owns_problem, .settings = readout->settings};

  PetscFunctionBeginUser;
  PetscCall(count_all(comm, task, PETSC_TRUE, readout));
  if (readout->thinned && CospinReadoutMissing(readout) > 10 * readout->settings.tolerance) {
    readout->owns_problem = PETSC_FALSE;
    PetscCall(CospinReadoutReset(readout));
    PetscCall(count_all(comm, task, PETSC_FALSE, &again));
    *readout = again;
  } else if (readout->thinned) {
    PetscCall(thin(readout));
  }
  PetscCall(darken(readout));
  PetscFunctionReturn(0);
}

static CospinTaskReading reading_of(const CospinReadout *readout, int n)
{
  return (CospinTaskReading){readout->observables,
                             readout->readings + (size_t)n * (size_t)readout->num_readings,
                             &readout->problem->system, readout->stored->states[n]};
}

static PetscErrorCode largest_change(const CospinReadout *a, const CospinReadout *b, double *change)
{
  PetscFunctionBeginUser;
  *change = 0.0;
  for (int k = 0; k < (a->settings.most + 1) * a->num_readings; k++)
    *change = PetscMax(*change, cabs(a->readings[k] - b->readings[k]) / PetscMax(1.0, cabs(b->readings[k])));
  for (int n = 0; n < a->stored->count; n++) {
    const CospinTaskReading before = reading_of(a, n), now = reading_of(b, n);
    PetscCall(CospinTaskFunctionalsChange(a->comm, &before, &now, change));
  }
  PetscFunctionReturn(0);
}

/* Until a larger window changes nothing that is read. */
static PetscErrorCode grow_windows(const CospinRecord *task, CospinReadout *readout)
{
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool open_ended;

  PetscFunctionBeginUser;
  CospinProblemWindows(readout->problem, windows, &open_ended);
  if (open_ended) readout->leak = PETSC_INFINITY;
  while (readout->leak > 10 * readout->settings.tolerance && readout->outcome == COSPIN_GOOD) {
    CospinReadout larger = {.owns_problem = PETSC_TRUE, .settings = readout->settings};
    PetscCall(CospinWindowLarger(readout->problem, readout->dimension, &larger.problem));
    if (!larger.problem) {
      readout->outcome = COSPIN_WINDOW_LIMIT;
      break;
    }
    PetscCall(count_problem(readout->comm, task, &larger));
    PetscCall(largest_change(readout, &larger, &larger.leak));
    PetscCall(CospinReadoutReset(readout));
    *readout = larger;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutRun(MPI_Comm comm, CospinProblem problem, const CospinRecord *task,
                                const CospinReadoutSettings *settings, CospinReadout *readout)
{
  PetscFunctionBeginUser;
  *readout = (CospinReadout){.problem = problem, .settings = *settings};
  PetscCall(count_problem(comm, task, readout));
  PetscCall(grow_windows(task, readout));
  PetscFunctionReturn(0);
}

/* ---- For estimates ---------------------------------------------------------------------------------------
 */

/* Whether anything is in this sector before the first click. */
static PetscErrorCode has_elements(CospinProblem counted, const int representative[], CospinState initial,
                                   PetscBool *answer)
{
  const int coordinate = counted->system.num_coordinates - 1;
  int label[COSPIN_MAX_COORDINATES];
  CospinSector sector;

  PetscFunctionBeginUser;
  *answer = PETSC_FALSE;
  PetscCall(CospinSectorCreate(&counted->system, counted->lattice, representative, &sector));
  for (PetscInt64 i = 0; i < CospinSectorDimension(sector) && !*answer; i++) {
    CospinSectorLabel(sector, i, label);
    *answer = (PetscBool)(label[coordinate] == 0 && CospinStateElement(initial, label) != 0.0);
  }
  PetscCall(CospinSectorDestroy(&sector));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutSectors(CospinProblem problem, const CospinRecord *task,
                                    const CospinReadoutSettings *settings, int *num, int **representatives)
{
  CospinObservables observables;
  CospinProblem counted;
  CospinState initial;
  int n, all, *labels;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinReadoutDerive(problem, settings, PETSC_TRUE, &counted, &ok));
  PetscCall(get_initial(problem, task, NULL, &initial, &ok));
  PetscCall(CospinObservablesCreate(counted, NULL, &observables, &ok));
  PetscCall(sectors_of(counted, observables, initial, needs_all(settings), &all, &labels));
  n = counted->system.num_coordinates;
  *num = 0;
  for (int k = 0; k < all; k++) {
    PetscCall(has_elements(counted, labels + k * n, initial, &ok));
    if (ok) PetscCall(PetscArraymove(labels + (*num)++ * n, labels + k * n, n));
  }
  *representatives = labels;
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(CospinStateDestroy(&initial));
  PetscCall(CospinProblemDestroy(&counted));
  PetscFunctionReturn(0);
}
