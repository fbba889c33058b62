/*
   Groups are contiguous ranks. Each takes the next number from the shared queue, solves that point, hands the
   record to the store, and asks again.

   A point is one step after the other: the problem is made, then each task runs, and after each step the
   ranks of the group agree whether all of them got through it (group.h). A task that fails on every rank
   is an outcome of that task, and the next one runs; one that some ranks have left apart ends the group,
   since nothing collective is possible in it any more.

   Between tasks, and within a task wherever it asks, the group looks whether the run is to end (a signal,
   a time): the leader asks its clock and all ranks take its answer. What a task has by then is kept in a
   checkpoint, by time in long evolutions as well.
*/
#include "attempt.h"
#include "ending.h"
#include "progress.h"
#include <cospin/farm/farm.h>
#include <cospin/point/point.h>
#include <cospin/tasks/tables.h>
#include <string.h>
#include <sys/resource.h>

/* Asking costs a broadcast within the group. */
static const double look_every = 0.2;     /* seconds */
static const double work_per_cost = 20.0; /* keeping takes 5 % at most */

/* Highest resident memory since the last reset, in bytes; Linux can reset it, elsewhere it is that of the
 * whole run. */
static double peak_memory(PetscBool reset)
{
  struct rusage usage;
  double bytes = 0.0;
  char line[256];
  FILE *file = fopen(reset ? "/proc/self/clear_refs" : "/proc/self/status", reset ? "w" : "r");

  while (file && !reset && fgets(line, sizeof(line), file)) {
    if (strncmp(line, "VmHWM:", 6) == 0) bytes = 1024.0 * strtod(line + 6, NULL);
  }
  if (file && reset) (void)fputs("5", file);
  if (file) (void)fclose(file);
  if (bytes == 0.0 && getrusage(RUSAGE_SELF, &usage) == 0) bytes = 1024.0 * (double)usage.ru_maxrss;
  return bytes;
}

/* A task that breaks down is an outcome of its point: PETSc's error is caught and its first message kept. */
static PetscErrorCode catch_error(MPI_Comm comm, int line, const char *function, const char *file,
                                  PetscErrorCode code, PetscErrorType type, const char *message,
                                  void *context)
{
  char *text = (char *)context;

  (void)comm;
  (void)line;
  (void)file;
  if (type == PETSC_ERROR_INITIAL && text[0] == 0) {
    (void)PetscSNPrintf(text, 512, "%s%s (in %s)", code == PETSC_ERR_MEM ? "out of memory: " : "",
                        message ? message : "no message", function ? function : "?");
  }
  return code;
}

/* What the ranks of one group work with. */
typedef struct {
  CospinGroup group;
  CospinDeck deck;
  CospinTable table;
  CospinStore store;
  CospinStop stop;
  CospinQueue queue;
  CospinProgress progress;
  CospinEnding ending;
  double checkpoint; /* seconds */
} Farm;

/* The point at work. */
typedef struct {
  Farm *farm;
  CospinPoint point;
  double *record;
  int task;
  double started, spent; /* now, and in runs before, on the point */
  double task_started, task_spent;
  double looked, kept; /* last time that the stop was asked for, that something was kept */
  double cost;         /* seconds that keeping took */
  PetscBool held;      /* what is kept holds the place within the task at work */
  CospinStepEnd end;   /* of the last step */
} Work;

/* Whether any rank of any group (`wait` false: any that is heard of without waiting) has been asked to
   stop; the answer is the same on all ranks of this one. A stop that one rank has heard of spreads through
   the counter of the queue, which all leaders look at. */
static PetscErrorCode stop_asked(Farm *farm, PetscBool wait, PetscBool *asked)
{
  int mine = CospinStopAsked(farm->stop);
  int64_t others = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT, MPI_MAX, farm->group.comm));
  if (farm->group.rank == 0 && (wait || farm->queue.shared))
    PetscCall(CospinQueueAdd(&farm->queue, COSPIN_COUNTER_STOPPED, mine ? 1 : 0, &others));
  mine = mine || others;
  PetscCallMPI(MPI_Bcast(&mine, 1, MPI_INT, 0, farm->group.comm));
  *asked = (PetscBool)mine;
  PetscFunctionReturn(0);
}

/* ---- Interrupts ---------------------------------------------------------------------------------------- */

/* Of the task at work: it may have run in several pieces. */
static void note_seconds(Work *work)
{
  const CospinTable table = work->farm->table;
  const double now = MPI_Wtime();

  work->record[table->seconds_of_task[work->task]] = work->task_spent + now - work->task_started;
  work->record[table->seconds] = work->spent + now - work->started;
}

/* A CospinInterrupt.Ask. The leader's clock decides when to look, so that all ranks look together. */
static PetscErrorCode Ask(void *context, CospinPause *pause)
{
  Work *work = (Work *)context;
  const CospinGroup *group = &work->farm->group;
  const double now = MPI_Wtime(), pays = PetscMax(work->farm->checkpoint, work_per_cost * work->cost);
  int due[2] = {now - work->looked >= look_every, now - work->kept >= pays};
  PetscBool stop;

  PetscFunctionBeginUser;
  *pause = COSPIN_PAUSE_NO;
  if (group->size > 1) PetscCallMPI(MPI_Bcast(due, 2, MPI_INT, 0, group->comm));
  if (!due[0]) PetscFunctionReturn(0);
  work->looked = now;
  if (group->rank == 0) PetscCall(CospinStoreFlush(work->farm->store, 0.0));
  PetscCall(stop_asked(work->farm, PETSC_FALSE, &stop));
  if (due[1]) *pause = COSPIN_PAUSE_SAVE;
  if (stop) *pause = COSPIN_PAUSE_LEAVE;
  PetscFunctionReturn(0);
}

/* A CospinInterrupt.Save. */
static PetscErrorCode Save(void *context, CospinCheckpoint checkpoint)
{
  Work *work = (Work *)context;
  const double start = MPI_Wtime();

  PetscFunctionBeginUser;
  note_seconds(work);
  if (work->farm->group.rank == 0)
    PetscCall(CospinStoreKeep(work->farm->store, work->point->problem->point, work->record,
                              work->point->stored, checkpoint->count, checkpoint->numbers));
  work->kept = MPI_Wtime();
  work->cost = work->kept - start;
  work->held = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* What a run before has kept of this point. A checkpoint of another number of ranks fits, too; one that
 * cannot be read is put aside by the store. */
static PetscErrorCode resume(Work *work, CospinCheckpoint *checkpoint)
{
  Farm *farm = work->farm;
  CospinStored stored = NULL;
  PetscBool found = PETSC_FALSE;
  double *numbers = NULL;
  size_t count = 0;

  PetscFunctionBeginUser;
  *checkpoint = NULL;
  if (farm->group.rank == 0)
    PetscCall(CospinStoreResume(farm->store, work->point->problem->point, &found, work->record, &stored,
                                &count, &numbers));
  PetscCallMPI(MPI_Bcast(&found, 1, MPIU_BOOL, 0, farm->group.comm));
  if (!found) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Bcast(work->record, farm->table->layout.record_length, MPI_DOUBLE, 0, farm->group.comm));
  work->spent = work->record[farm->table->seconds];
  if (stored) PetscCall(CospinStoredTake(work->point->stored, stored));
  PetscCall(CospinStoredDestroy(&stored));
  found = (PetscBool)(count > 0);
  PetscCallMPI(MPI_Bcast(&found, 1, MPIU_BOOL, 0, farm->group.comm));
  if (found)
    PetscCall(CospinCheckpointCreateLoading(farm->group.comm, count, numbers, checkpoint));
  else
    PetscCall(PetscFree(numbers));
  PetscFunctionReturn(0);
}

/* ---- One point ----------------------------------------------------------------------------------------- */

typedef struct {
  double start;
  char message[512];
  CospinStepEnd end;
} Step;

/* Errors are caught by a handler of our own while a step runs, so that one task's failure ends neither the
   point nor the program. To be followed by finish(), which takes the handler away again. */
static PetscErrorCode begin(Step *step)
{
  PetscFunctionBeginUser;
  *step = (Step){.start = MPI_Wtime(), .end = COSPIN_STEP_DONE};
  PetscCall(PetscPushErrorHandler(catch_error, step->message));
  PetscFunctionReturn(0);
}

/* Every rank that failed has its own story, unless it is the same for all. */
static PetscErrorCode finish(CospinGroup *group, Step *step, PetscErrorCode code, PetscInt64 point,
                             const char what[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscPopErrorHandler());
  PetscCall(CospinGroupAgree(group, code, MPI_Wtime() - step->start, &step->end));
  if (code && code != COSPIN_INTERRUPTED && (group->rank == 0 || step->end != COSPIN_STEP_FAILED))
    fprintf(stderr, "cospin: point %lld, %s: %s\n", (long long)point, what, step->message);
  PetscFunctionReturn(0);
}

static PetscErrorCode create_point(Work *work, PetscInt64 number)
{
  Farm *farm = work->farm;
  PetscErrorCode code;
  PetscBool ok = PETSC_TRUE;
  Step step;

  PetscFunctionBeginUser;
  PetscCall(begin(&step));
  code = CospinPointCreate(farm->group.comm, farm->deck, number, NULL, &work->point, &ok);
  if (!code && ok) code = CospinTasksFitWindow(work->point->problem);
  PetscCall(finish(&farm->group, &step, code, number, "its problem"));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Point %" PetscInt64_FMT " does not evaluate", number);
  work->end = step.end;
  if (work->end == COSPIN_STEP_DONE) work->point->problem->bytes = farm->group.bytes;
  if (work->end == COSPIN_STEP_DONE) work->point->interrupt = (CospinInterrupt){work, Ask, Save};
  PetscFunctionReturn(0);
}

/* What cannot be freed behind an error stays: that is no error of its own. */
static PetscErrorCode clean(Work *work)
{
  PetscFunctionBeginUser;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  (void)CospinPointClean(work->point);
  PetscCall(PetscPopErrorHandler());
  PetscFunctionReturn(0);
}

/* Whether a task that failed on every rank has been left on every rank (cospin/solver/interrupt.h). */
static PetscErrorCode all_interrupted(const CospinGroup *group, PetscErrorCode code, PetscBool *interrupted)
{
  int mine = code == COSPIN_INTERRUPTED;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &mine, 1, MPI_INT, MPI_MIN, group->comm));
  *interrupted = (PetscBool)mine;
  PetscFunctionReturn(0);
}

/* Of a task that was left nothing counts: before[] is the record without it. What stands before it is kept
   for another run, unless what has been kept already knows more. */
static PetscErrorCode forget_task(Work *work, const double before[])
{
  CospinCheckpoint nothing;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(work->record, before, work->farm->table->layout.record_length));
  if (work->point->stored) PetscCall(CospinStoredDrop(work->point->stored, work->task));
  if (work->held) PetscFunctionReturn(0);
  PetscCall(CospinCheckpointCreate(work->farm->group.comm, &nothing));
  PetscCall(Save(work, nothing));
  PetscCall(CospinCheckpointDestroy(&nothing));
  PetscFunctionReturn(0);
}

static PetscErrorCode run_task(Work *work)
{
  Farm *farm = work->farm;
  const int k = work->task, length = farm->table->layout.record_length;
  const CospinRecord *task = &farm->deck->tasks[k];
  CospinOutcome outcome = COSPIN_NOT_RUN;
  PetscBool interrupted = PETSC_FALSE;
  PetscErrorCode code;
  double *before;
  char what[128];
  Step step;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)length, &before));
  PetscCall(PetscArraycpy(before, work->record, length));
  PetscCall(PetscSNPrintf(what, sizeof(what), "task %s", task->name));
  PetscCall(begin(&step));
  code = CospinAttemptTask(&farm->group, farm->store, work->point, task,
                           CospinTableResults(farm->table, farm->deck, k, work->record), &outcome);
  PetscCall(finish(&farm->group, &step, code, work->point->problem->point, what));
  work->end = step.end;
  /* Ranks that leave a task together may have failed or may have been asked to: the error's number tells. */
  if (work->end == COSPIN_STEP_FAILED) PetscCall(all_interrupted(&farm->group, code, &interrupted));
  if (work->end != COSPIN_STEP_DONE)
    outcome = interrupted ? COSPIN_NOT_RUN : code == PETSC_ERR_MEM ? COSPIN_TOO_LARGE : COSPIN_SOLVER_FAILED;
  if (work->end == COSPIN_STEP_FAILED) PetscCall(clean(work));
  work->record[farm->table->outcome_of_task[k]] = outcome;
  if (outcome != COSPIN_TOO_LARGE) note_seconds(work);
  if (interrupted) PetscCall(forget_task(work, before));
  PetscCall(PetscFree(before));
  PetscFunctionReturn(0);
}

/* All tasks that have not finished in a run before; *finished: that was all of them. They go on behind one
   that failed on all ranks, not behind one that the ranks have left apart. */
static PetscErrorCode run_tasks(Work *work, PetscBool *finished)
{
  const CospinTable table = work->farm->table;
  const int num = work->point->problem->deck->num_tasks;
  CospinPause pause = COSPIN_PAUSE_NO;
  CospinCheckpoint checkpoint;

  PetscFunctionBeginUser;
  PetscCall(resume(work, &checkpoint));
  *finished = PETSC_TRUE;
  for (work->task = 0; work->task < num && *finished; work->task++) {
    const double *outcome = &work->record[table->outcome_of_task[work->task]];
    const double spent = work->record[table->seconds_of_task[work->task]];
    /* Finished before the run was interrupted: its numbers came with the checkpoint. */
    if (*outcome != COSPIN_NOT_RUN) continue;
    work->task_started = MPI_Wtime();
    work->task_spent = spent > 0 ? spent : 0.0;
    work->point->checkpoint = checkpoint;
    work->held = (PetscBool)(checkpoint != NULL);
    PetscCall(run_task(work));
    PetscCall(CospinCheckpointDestroy(&checkpoint));
    *finished = (PetscBool)(*outcome != COSPIN_NOT_RUN);
    if (work->end >= COSPIN_STEP_ABANDONED) break;
    /* Between tasks the run may be asked to end, or it may be time for a
       checkpoint; behind the last task there is nothing to keep. */
    if (!*finished || work->task == num - 1) continue;
    PetscCall(Ask(work, &pause));
    if (pause == COSPIN_PAUSE_NO) continue;
    PetscCall(CospinCheckpointCreate(work->farm->group.comm, &checkpoint));
    PetscCall(Save(work, checkpoint));
    PetscCall(CospinCheckpointDestroy(&checkpoint));
    *finished = (PetscBool)(pause != COSPIN_PAUSE_LEAVE);
  }
  PetscFunctionReturn(0);
}

/* What is left of the point at work. Of one that the ranks have left apart nothing can be destroyed. */
static PetscErrorCode leave_point(Work *work, PetscBool finished, CospinStored *stored)
{
  PetscFunctionBeginUser;
  if (work->end >= COSPIN_STEP_ABANDONED || !work->point) PetscFunctionReturn(0);
  if (finished && work->farm->group.rank == 0 && work->point->stored && work->point->stored->count) {
    *stored = work->point->stored;
    work->point->stored = NULL;
  }
  PetscCall(CospinPointDestroy(&work->point));
  PetscFunctionReturn(0);
}

/* *stored: what tasks were asked to keep, on the leader, owned by the caller; NULL if there is nothing.
 *finished: if not, the run is to end and the point has been kept for another one. */
static PetscErrorCode run_point(Farm *farm, PetscInt64 number, double record[], CospinStored *stored,
                                PetscBool *finished, PetscBool *lost)
{
  const double start = MPI_Wtime();
  const CospinTable table = farm->table;
  Work work = {.farm = farm, .record = record, .started = start, .looked = start, .kept = start};
  CospinOutcome outcome = COSPIN_GOOD;
  double memory;

  PetscFunctionBeginUser;
  *stored = NULL;
  *finished = PETSC_TRUE;
  (void)peak_memory(PETSC_TRUE);
  CospinTableClear(table, record);
  PetscCall(create_point(&work, number));
  if (work.end != COSPIN_STEP_DONE) outcome = COSPIN_SOLVER_FAILED;
  if (work.end == COSPIN_STEP_DONE) {
    CospinTableStoreArrays(table, work.point->problem, record);
    PetscCall(run_tasks(&work, finished));
  }
  /* The point is as bad as the worst of its tasks. */
  for (int k = 0; k < farm->deck->num_tasks; k++)
    outcome = CospinOutcomeWorse(outcome, (CospinOutcome)record[table->outcome_of_task[k]]);
  PetscCall(leave_point(&work, *finished, stored));
  *lost = (PetscBool)(work.end == COSPIN_STEP_LOST);
  memory = peak_memory(PETSC_FALSE);
  if (!*lost) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, farm->group.comm));
  record[table->outcome] = outcome;
  record[table->seconds] = work.spent + MPI_Wtime() - start;
  record[table->peak_memory] = memory;
  record[table->ranks] = farm->group.size;
  PetscFunctionReturn(0);
}

/* The next place in the list of missing points, -1 for none. The queue is a counter that one rank holds;
   whoever comes takes the next number. Here all groups come by and wait for the answer, so a stop is heard
   of by all. */
static PetscErrorCode next_place(Farm *farm, PetscInt64 num, int64_t *next)
{
  PetscBool stop = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(stop_asked(farm, PETSC_TRUE, &stop));
  *next = num;
  if (!stop && farm->group.rank == 0) PetscCall(CospinQueueAdd(&farm->queue, COSPIN_COUNTER_DEALT, 1, next));
  PetscCallMPI(MPI_Bcast(next, 1, MPI_INT64_T, 0, farm->group.comm));
  if (*next >= num) *next = -1;
  PetscFunctionReturn(0);
}

/* *lost: the ranks of this group have not left a point together; it has been put into the store. */
static PetscErrorCode work(Farm *farm, PetscBool *lost)
{
  const PetscInt64 *points;
  PetscInt64 num;
  CospinStored stored;
  double *record;
  int64_t next;
  int shard;

  PetscFunctionBeginUser;
  *lost = PETSC_FALSE;
  CospinStoreMissing(farm->store, &num, &points);
  PetscCall(PetscMalloc1((size_t)farm->table->layout.record_length, &record));
  PetscCall(next_place(farm, num, &next));
  while (next >= 0) {
    PetscBool finished;
    PetscCall(run_point(farm, points[next], record, &stored, &finished, lost));
    if (!finished) break;
    if (farm->group.rank == 0 || *lost) {
      const PetscBool good = (PetscBool)(record[farm->table->outcome] > 0);
      PetscCall(CospinEndingShard(&farm->ending, &shard));
      PetscCall(CospinStorePut(farm->store, shard, points[next], record, stored));
      PetscCall(CospinProgressPoint(&farm->progress, &farm->queue, good));
    }
    if (*lost) break;
    PetscCall(next_place(farm, num, &next));
  }
  PetscCall(PetscFree(record));
  PetscFunctionReturn(0);
}

/* Ranks that belong to no group only wait at the end. */
PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table, CospinStore store,
                             const CospinFarmOptions *options, PetscBool *stopped)
{
  Farm farm = {
      .deck = deck, .table = table, .store = store, .stop = options->stop, .checkpoint = options->checkpoint};
  const int groups = options->split.groups;
  const PetscInt64 *points;
  PetscInt64 num;
  int64_t done;
  PetscBool lost = PETSC_FALSE;

  PetscFunctionBeginUser;
  CospinStoreMissing(store, &num, &points);
  PetscCall(CospinGroupCreate(world, options->split, &farm.group));
  PetscCall(CospinQueueCreate(world, groups, &farm.queue));
  PetscCall(CospinProgressStart(world, options->progress, num, &farm.progress));
  farm.ending = (CospinEnding){world, groups, &farm.group, &farm.queue, store};
  if (farm.group.comm != MPI_COMM_NULL) PetscCall(work(&farm, &lost));
  if (lost) PetscCall(CospinEndingLost(&farm.ending));
  PetscCall(CospinEndingWait(&farm.ending));
  PetscCall(CospinProgressFinish(&farm.progress));
  PetscCall(CospinQueueAdd(&farm.queue, COSPIN_COUNTER_DONE, 0, &done));
  *stopped = (PetscBool)(done < num);
  PetscCall(CospinQueueDestroy(&farm.queue));
  PetscCall(CospinGroupDestroy(&farm.group));
  PetscFunctionReturn(0);
}
