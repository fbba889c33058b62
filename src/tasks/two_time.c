/*
   What `correlation` and `g2` share: Tr(A exp(t L) x) for a perturbed steady state x, at all times of an axis
   (quantum regression: M. Lax, Phys. Rev. 129, 2342 (1963); H. J. Carmichael, Statistical Methods in Quantum
   Optics 1, section 1.5).

   x lies in a few sectors and A reads a few; each sector that has both is a channel, evolved by itself as one
   part of an evolution (cospin/point/evolution.h), so that a run may be interrupted between and within them.
   The steady part of x, which does not evolve, is taken out before and its limit added afterwards: what is
   small at long times is then as accurate as what is large.

   Sizes to compare with: errors count relative to the perturbed state's norm, `largest` and `typical` tell
   what a reading of a state of norm one can be, which is how tasks decide whether a value is anything but
   rounding.
*/
#include "two_time.h"

static const double largest_leak = 1e-8; /* what may leave the window, relative */

/* The axis is the deck's; its values become a dimension of the dataset. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   CospinTwoTimeSettings *settings, PetscBool *ok)
{
  PetscBool times_ok;

  PetscFunctionBeginUser;
  *settings = (CospinTwoTimeSettings){.times = &CospinRecordGet(task, "times")->axis,
                                      .method = CospinTaskMethod(task)};
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, ok));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* A CospinEvolutionUser's: the perturbed state of a channel is copied, since it is needed again when a run is
   resumed. */
static PetscErrorCode Open(void *context, int part, Mat *generator, Vec *u)
{
  const CospinTwoTime *correlation = (const CospinTwoTime *)context;
  const CospinChannel *channel = &correlation->channels[part];

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(channel->perturbed, u));
  PetscCall(VecCopy(channel->perturbed, *u));
  PetscCall(CospinEvolutionGenerator(correlation->point, correlation->point->problem,
                                     channel->eigensolver->sector, correlation->settings.method,
                                     channel->eigensolver->liouvillian, generator));
  PetscFunctionReturn(0);
}

/* <A(t) B(0)> is the sum over channels of reading^H u(t). What leaves the window is looked at first and
   last: between, the state has lost what it had and not yet reached what it goes to. VecDot conjugates its
   second argument: reading^H u. */
static PetscErrorCode Read(void *context, int k, Vec u, double error)
{
  CospinTwoTime *correlation = (CospinTwoTime *)context;
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

/* What has been read so far: with it a run goes on in the middle of the axis. Complex numbers as pairs of
   doubles. */
static PetscErrorCode exchange(CospinTwoTime *correlation, CospinCheckpoint checkpoint)
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
  CospinTwoTime *correlation = (CospinTwoTime *)context;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowSave(correlation->point->problem, checkpoint));
  PetscCall(exchange(correlation, checkpoint));
  PetscFunctionReturn(0);
}

/* Tr(reading exp(t L) perturbation rho) at the task's times, without its limit; *outcome: COSPIN_NOT_RUN
   if it was interrupted. In this order when resumed: the user's numbers, then the evolution's; as they
   were saved. */
static PetscErrorCode evolve(CospinPoint point, const CospinRecord *task, const CospinSteadyState *steady,
                             const CospinTwoTimeQuestion *question, CospinTwoTime *correlation,
                             CospinOutcome *outcome)
{
  static const CospinEvolutionUser user = {.Open = Open, .Read = Read, .Save = Save};
  CospinEvolution *evolution = &correlation->evolution;
  const CospinTwoTimeSettings *settings = &correlation->settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  *correlation = (CospinTwoTime){.point = point};
  PetscCall(get_settings(point->problem, task, NULL, &correlation->settings, &ok));
  PetscCall(PetscCalloc1((size_t)settings->times->size, &correlation->values));
  PetscCall(PetscCalloc1((size_t)settings->times->size, &correlation->errors));
  PetscCall(CospinEvolutionCreate(point, task, &user, correlation, evolution));
  PetscCall(CospinChannelsCreate(point, evolution->prefix, steady, question->reading, question->perturbation,
                                 PETSC_TRUE, &correlation->num_channels, &correlation->channels));
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
double complex CospinTwoTimeLimit(const CospinTwoTime *correlation)
{
  double complex limit = 0.0;

  for (int k = 0; k < correlation->num_channels; k++) limit += correlation->channels[k].limit;
  return limit;
}

/* Largest expectation value that the operator which is read can have, about. */
PetscErrorCode CospinTwoTimeLargest(const CospinTwoTime *correlation, double *largest)
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
PetscErrorCode CospinTwoTimeTypical(const CospinTwoTime *correlation, double *typical)
{
  /* Elements below this share of the largest one count as absent. */
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

static PetscErrorCode free_correlation(CospinTwoTime *correlation)
{
  PetscFunctionBeginUser;
  PetscCall(CospinChannelsDestroy(correlation->num_channels, &correlation->channels));
  PetscCall(PetscFree(correlation->values));
  PetscCall(PetscFree(correlation->errors));
  PetscFunctionReturn(0);
}

/* Error, leak, sizes; *outcome becomes inaccurate where they are too large. Ten tolerances, for errors of
   channels add up. */
static PetscErrorCode store_quality(const CospinTwoTime *correlation, CospinResults results,
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
PetscErrorCode CospinTwoTimeCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinDimension *dimension, PetscBool *ok)
{
  CospinTwoTimeSettings settings;
  PetscBool settings_ok, sector_ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, &settings_ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  *ok = (PetscBool)(*ok && settings_ok && sector_ok);
  *dimension = (CospinDimension){"time", settings.times->size, settings.times->values, "time", "time"};
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_question(CospinTwoTimeQuestion *question)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesDestroy(&question->perturbation));
  PetscCall(CospinPolynomialDestroy(&question->reading));
  PetscCall(CospinPolynomialDestroy(&question->scale));
  PetscFunctionReturn(0);
}

/* Nothing is stored of an evolution that did not end, for sums over sectors then lack some of them. The
   scale (<A B>, or the intensity) comes from the steady state and not from the evolution at t = 0: it is
   needed before, to tell whether there is anything to divide by. */
static PetscErrorCode ask(const CospinTwoTimeKind *kind, CospinPoint point, const CospinRecord *task,
                          const CospinSteadyState *steady, CospinResults results, CospinOutcome *outcome)
{
  CospinTwoTimeQuestion question;
  CospinTwoTime correlation;
  CospinTwoTimeScale scale;

  PetscFunctionBeginUser;
  PetscCall(kind->Pose(point->problem, task, &question));
  PetscCall(CospinSteadyExpectation(point, steady, question.scale, &scale.value));
  PetscCall(CospinSteadyDigits(point, steady, question.scale, scale.value, &scale.nothing, &scale.vague));
  PetscCall(evolve(point, task, steady, &question, &correlation, outcome));
  if (correlation.evolution.outcome == COSPIN_GOOD) {
    PetscCall(kind->Store(&correlation, steady, &scale, results, outcome));
    PetscCall(store_quality(&correlation, results, outcome));
  }
  PetscCall(free_correlation(&correlation));
  PetscCall(destroy_question(&question));
  PetscFunctionReturn(0);
}

/* Where a run was left, the steady state was that of these windows. */
PetscErrorCode CospinTwoTimeRun(const CospinTwoTimeKind *kind, CospinPoint point, const CospinRecord *task,
                                CospinResults results, CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  char prefix[64];

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  if (point->checkpoint) PetscCall(CospinWindowRestore(point, point->checkpoint));
  PetscCall(CospinTaskSteadyState(point, task, prefix, &steady, outcome));
  if (steady->rho) PetscCall(ask(kind, point, task, steady, results, outcome));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTwoTimeSectors(const CospinTwoTimeKind *kind, CospinProblem problem,
                                    const CospinRecord *task, int *num, int **representatives)
{
  CospinTwoTimeQuestion question;

  PetscFunctionBeginUser;
  PetscCall(kind->Pose(problem, task, &question));
  PetscCall(CospinProblemSectors(problem, question.reading, num, representatives));
  PetscCall(destroy_question(&question));
  PetscFunctionReturn(0);
}
