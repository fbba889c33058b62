/*
   Every task that evolves something goes this way, so whatever the propagator can do, all of them can: no
   matrix where the deck wants none, factors where it wants them, and an end in the middle of a run.

   Saved are, in this order: what the user has, the counts, the place in the part at work, its vector.

   An evolution consists of parts (sectors, channels of a correlation), each with a generator and a vector
   that the user of this file opens and reads. Order of a run: for each part Open, the propagator with Read at
   every time, Close; between steps the farm is asked whether time is up.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/evolution.h>
#include <cospin/solver/timed_propagator.h>

PetscErrorCode CospinEvolutionCreate(CospinPoint point, const CospinRecord *task,
                                     const CospinEvolutionUser *user, void *context,
                                     CospinEvolution *evolution)
{
  PetscFunctionBeginUser;
  *evolution = (CospinEvolution){.point = point, .user = user, .context = context, .outcome = COSPIN_GOOD};
  PetscCall(CospinTaskPrefix(task, evolution->prefix, sizeof(evolution->prefix)));
  PetscFunctionReturn(0);
}

/* A CospinCoefficients. What is no number there is told as one that is not. */
static PetscErrorCode coefficients(void *context, double time, double c[])
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinClockCoefficients((CospinProblem)context, time, NULL, c, &ok));
  for (int k = 0; !ok && k < CospinClockCount((CospinProblem)context); k++) c[k] = NAN;
  PetscFunctionReturn(0);
}

/* Kicks are edges, too. At a time that is wanted they are exactly there: it shows what they have made. */
static PetscErrorCode add_kicks(const CospinEvolution *evolution, int num, double kicks[], int *num_edges,
                                double **edges)
{
  const double end = evolution->times[evolution->num_times - 1], same = 1e-12 * end;

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(double) * (size_t)(*num_edges + num + 1), edges));
  for (int i = 0; i < num; i++) {
    int place = 0;
    for (int k = 0; k < evolution->num_times; k++)
      if (PetscAbsReal(evolution->times[k] - kicks[i]) <= same) kicks[i] = evolution->times[k];
    if (kicks[i] <= same) kicks[i] = 0.0;
    if (kicks[i] == 0.0 || kicks[i] >= end) continue;
    while (place < *num_edges && (*edges)[place] < kicks[i] - same) place++;
    if (place == *num_edges || (*edges)[place] > kicks[i] + same) {
      PetscCall(PetscArraymove(*edges + place + 1, *edges + place, *num_edges - place));
      (*num_edges)++;
    }
    (*edges)[place] = kicks[i];
  }
  PetscFunctionReturn(0);
}

/* Kicks are asked for by the time that the clock has for them, and done at that of the axis, which may differ
   in the last digits. What cells leave of a coefficient without a step that would see it is a part of the
   tolerance. */
PetscErrorCode CospinEvolutionFollow(CospinEvolution *evolution, CospinProblem problem)
{
  static const double share = 1e-3, finest = 1e-14;
  const double end = evolution->num_times ? evolution->times[evolution->num_times - 1] : 0.0;
  const int num_terms = CospinClockCount(problem);
  double *edges, *knots, *times;
  CospinKick *kicks;
  int num, num_knots, num_kicks;

  PetscFunctionBeginUser;
  if (!CospinProblemHasTime(problem) || !evolution->num_times) PetscFunctionReturn(0);
  PetscCall(CospinClockEdges(problem, end, &num, &edges));
  PetscCall(CospinClockKnots(problem, end, &num_knots, &knots));
  PetscCall(CospinClockKicks(problem, end, &num_kicks, &kicks));
  PetscCall(PetscMalloc1((size_t)num_kicks + 1, &times));
  for (int i = 0; i < num_kicks; i++) times[i] = kicks[i].time;
  PetscCall(add_kicks(evolution, num_kicks, times, &num, &edges));
  PetscCall(CospinScheduleCreate(CospinClockCount(problem), coefficients, problem, end, num, edges, num_knots,
                                 knots, PetscMax(finest, share * evolution->options.tolerance),
                                 &evolution->schedule));
  PetscCall(PetscFree(edges));
  PetscCall(PetscFree(knots));
  evolution->schedule->num_kicks = num_kicks;
  evolution->schedule->kicks = times;
  PetscCall(PetscMalloc1((size_t)num_kicks * (size_t)num_terms + 1, &evolution->schedule->weights));
  for (int i = 0; i < num_kicks; i++)
    PetscCall(CospinClockKick(problem, kicks[i], end,
                              evolution->schedule->weights + (size_t)i * (size_t)num_terms));
  PetscCall(PetscFree(kicks));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionReset(CospinEvolution *evolution)
{
  PetscFunctionBeginUser;
  PetscCall(CospinScheduleDestroy(&evolution->schedule));
  PetscFunctionReturn(0);
}

/* `held` is a matrix that somebody has already; it is used again unless the method needs factors and it
   has no elements. */
PetscErrorCode CospinEvolutionGenerator(CospinPoint point, CospinProblem problem, CospinSector sector,
                                        CospinPropagatorMethod method, Mat held, Mat *generator)
{
  PetscBool shell = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (held) PetscCall(PetscObjectTypeCompare((PetscObject)held, MATSHELL, &shell));
  *generator = held;
  if (CospinProblemHasTime(problem))
    PetscCall(CospinTimedCreate(point->comm, problem, sector, generator));
  else if (method == COSPIN_PROPAGATE_RATIONAL && (shell || !held))
    PetscCall(CospinLiouvillianCreate(point->comm, problem->generator, sector, generator));
  else if (held)
    PetscCall(PetscObjectReference((PetscObject)held));
  else
    PetscCall(CospinGeneratorCreate(point->comm, problem, sector, generator));
  PetscFunctionReturn(0);
}

/* ---- Saved and loaded ---------------------------------------------------------------------------------- */

/* What has been counted over the parts that are done. One function for both directions: a checkpoint that
   is loading fills the arrays, one that is not takes them. */
static PetscErrorCode exchange_counts(CospinEvolution *evolution, CospinCheckpoint checkpoint)
{
  int counts[] = {evolution->num_evolved, evolution->steps, evolution->operations, evolution->factorisations,
                  evolution->part};
  double sizes[] = {(double)evolution->dimension, (double)evolution->nonzeros};

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointInts(checkpoint, 5, counts));
  PetscCall(CospinCheckpointReals(checkpoint, 2, sizes));
  evolution->num_evolved = counts[0];
  evolution->steps = counts[1];
  evolution->operations = counts[2];
  evolution->factorisations = counts[3];
  evolution->part = counts[4];
  evolution->dimension = (PetscInt64)sizes[0];
  evolution->nonzeros = (PetscInt64)sizes[1];
  PetscFunctionReturn(0);
}

/* Where within a part the propagator was: time, step length, which times it has visited. With these it goes
   on exactly as it would have, so that an interrupted run has the same bits. */
static PetscErrorCode exchange_place(CospinPropagatorReport *report, CospinCheckpoint checkpoint)
{
  int counts[] = {(int)report->method, report->steps, report->operations, report->factorisations,
                  report->visited};
  double state[] = {report->time, report->error, report->step, report->gamma};

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointInts(checkpoint, 5, counts));
  PetscCall(CospinCheckpointReals(checkpoint, 4, state));
  *report = (CospinPropagatorReport){.method = (CospinPropagatorMethod)counts[0],
                                     .steps = counts[1],
                                     .operations = counts[2],
                                     .factorisations = counts[3],
                                     .visited = counts[4],
                                     .interrupted = report->interrupted,
                                     .time = state[0],
                                     .error = state[1],
                                     .step = state[2],
                                     .gamma = state[3]};
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionLoad(CospinEvolution *evolution, CospinCheckpoint checkpoint)
{
  PetscFunctionBeginUser;
  PetscCall(exchange_counts(evolution, checkpoint));
  PetscCall(exchange_place(&evolution->report, checkpoint));
  /* Tells the propagator that it goes on from the report and does not begin. */
  evolution->report.interrupted = PETSC_TRUE;
  evolution->checkpoint = checkpoint;
  PetscFunctionReturn(0);
}

/* A vector of another size would be read as nonsense. */
static PetscErrorCode exchange_vector(CospinCheckpoint checkpoint, Vec u)
{
  PetscInt size;
  double saved;

  PetscFunctionBeginUser;
  PetscCall(VecGetSize(u, &size));
  saved = (double)size;
  PetscCall(CospinCheckpointReals(checkpoint, 1, &saved));
  PetscCheck((PetscInt)saved == size, checkpoint->comm, PETSC_ERR_FILE_UNEXPECTED,
             "The checkpoint has a vector of %.0f elements, not of %" PetscInt_FMT, saved, size);
  PetscCall(CospinCheckpointVec(checkpoint, u));
  PetscFunctionReturn(0);
}

/* The order of these four is that of the stream, and of loading. */
static PetscErrorCode save(CospinEvolution *evolution, Vec u)
{
  const CospinInterrupt *interrupt = &evolution->point->interrupt;
  CospinCheckpoint checkpoint;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointCreate(evolution->point->comm, &checkpoint));
  PetscCall(evolution->user->Save(evolution->context, checkpoint));
  PetscCall(exchange_counts(evolution, checkpoint));
  PetscCall(exchange_place(&evolution->report, checkpoint));
  PetscCall(exchange_vector(checkpoint, u));
  PetscCall(interrupt->Save(interrupt->context, checkpoint));
  PetscCall(CospinCheckpointDestroy(&checkpoint));
  PetscFunctionReturn(0);
}

/* A CospinPropagatorPause. Within a step only the end of the run counts. Called between steps, where there
   is a state to save, and within one (a factorisation), where there is none: then what was saved before
   has to do. */
static PetscErrorCode pause_between(void *context, PetscBool between, Vec u,
                                    const CospinPropagatorReport *report, PetscBool *leave)
{
  CospinEvolution *evolution = (CospinEvolution *)context;
  const CospinInterrupt *interrupt = &evolution->point->interrupt;
  CospinPause pause = COSPIN_PAUSE_LEAVE;

  PetscFunctionBeginUser;
  (void)report; /* it is evolution->report */
  if (!*leave) PetscCall(interrupt->Ask(interrupt->context, &pause));
  if (between && pause != COSPIN_PAUSE_NO) PetscCall(save(evolution, u));
  *leave = (PetscBool)(pause == COSPIN_PAUSE_LEAVE);
  PetscFunctionReturn(0);
}

/* ---- The way ------------------------------------------------------------------------------------------- */

/* A CospinPropagatorVisit. */
static PetscErrorCode visit(void *context, int k, Vec u, double error)
{
  const CospinEvolution *evolution = (const CospinEvolution *)context;

  PetscFunctionBeginUser;
  PetscCall(evolution->user->Read(evolution->context, k, u, error));
  PetscFunctionReturn(0);
}

/* Numbers of a part that is finished; an interrupted one is counted when it ends. Sizes are those of the
   largest part. The report is cleared for the next part, which begins at time 0. */
static PetscErrorCode note(CospinEvolution *evolution, Mat generator)
{
  CospinPropagatorReport *report = &evolution->report;
  PetscInt dimension;
  MatInfo info;

  PetscFunctionBeginUser;
  if (report->failed) evolution->outcome = COSPIN_NOT_CONVERGED;
  evolution->num_evolved++;
  evolution->steps += report->steps;
  evolution->operations += report->operations;
  evolution->factorisations += report->factorisations;
  PetscCall(MatGetSize(generator, &dimension, NULL));
  PetscCall(MatGetInfo(generator, MAT_GLOBAL_SUM, &info));
  if (dimension > evolution->dimension) evolution->nonzeros = (PetscInt64)info.nz_used;
  evolution->dimension = PetscMax(evolution->dimension, dimension);
  *report = (CospinPropagatorReport){0};
  PetscFunctionReturn(0);
}

/* By the schedule where there is one: where nothing depends on time nothing is different from before. */
static PetscErrorCode propagate(CospinEvolution *evolution, Mat generator, Vec u)
{
  PetscFunctionBeginUser;
  if (evolution->schedule)
    PetscCall(CospinPropagateTimed(generator, evolution->schedule, u, evolution->num_times, evolution->times,
                                   &evolution->options, evolution->prefix, visit, evolution,
                                   &evolution->report));
  else
    PetscCall(CospinPropagate(generator, u, evolution->num_times, evolution->times, &evolution->options,
                              evolution->prefix, visit, evolution, &evolution->report));
  PetscFunctionReturn(0);
}

/* A part without elements has no vector, and nothing to read. */
static PetscErrorCode evolve_part(CospinEvolution *evolution)
{
  Mat generator = NULL;
  Vec u = NULL;

  PetscFunctionBeginUser;
  PetscCall(evolution->user->Open(evolution->context, evolution->part, &generator, &u));
  if (u) {
    if (evolution->checkpoint) PetscCall(exchange_vector(evolution->checkpoint, u));
    evolution->checkpoint = NULL;
    PetscCall(propagate(evolution, generator, u));
    if (!evolution->report.interrupted) PetscCall(note(evolution, generator));
    PetscCall(MatDestroy(&generator));
    PetscCall(VecDestroy(&u));
  }
  if (evolution->user->Close) PetscCall(evolution->user->Close(evolution->context));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvolutionStore(const CospinEvolution *evolution, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "operations", 0, evolution->operations));
  PetscCall(CospinResultsSet(results, "factorisations", 0, evolution->factorisations));
  PetscCall(CospinResultsSet(results, "sectors", 0, evolution->num_evolved));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)evolution->dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)evolution->nonzeros));
  PetscFunctionReturn(0);
}

/* A part that fails ends the evolution: sums over parts would lack one and still look like numbers. */
PetscErrorCode CospinEvolutionRun(CospinEvolution *evolution)
{
  PetscFunctionBeginUser;
  if (evolution->point->interrupt.Ask) evolution->options.pause = pause_between;
  while (evolution->part < evolution->num_parts && evolution->outcome == COSPIN_GOOD) {
    PetscCall(evolve_part(evolution));
    if (evolution->report.interrupted)
      evolution->outcome = COSPIN_NOT_RUN;
    else
      evolution->part++;
  }
  PetscFunctionReturn(0);
}
