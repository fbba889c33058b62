/*
   Groups are contiguous ranks. Each takes the next number from the shared queue, solves that point, hands the
   record to the store, and asks again.
*/
#include "progress.h"
#include <cospin/cost.h>
#include <cospin/farm.h>
#include <cospin/point.h>
#include <string.h>
#include <sys/resource.h>

static const double look_every = 0.2;     /* seconds */
static const double work_per_cost = 20.0; /* keeping takes 5 % at most */

typedef struct {
  MPI_Comm comm; /* MPI_COMM_NULL: this rank is not needed */
  PetscMPIInt rank, size;
  int number;
  double bytes; /* of memory that its ranks have, if all ranks of a node share it evenly */
} Group;

/* This rank's share of its node's memory. */
static PetscErrorCode share_of_memory(MPI_Comm world, double *bytes)
{
  PetscMPIInt size;
  MPI_Comm node;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &size));
  PetscCallMPI(MPI_Comm_free(&node));
  *bytes = CospinMachineBytes() / size;
  PetscFunctionReturn(0);
}

static PetscErrorCode create_group(MPI_Comm world, CospinSplit split, Group *group)
{
  PetscMPIInt rank, size;
  int color;

  PetscFunctionBeginUser;
  *group = (Group){.comm = MPI_COMM_NULL};
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCallMPI(MPI_Comm_size(world, &size));
  PetscCheck(split.groups <= split.ranks && split.ranks <= size, world, PETSC_ERR_ARG_OUTOFRANGE,
             "%d groups of %d ranks, %d are there", split.groups, split.ranks, size);
  color = rank < split.ranks ? (int)((PetscInt64)rank * split.groups / split.ranks) : MPI_UNDEFINED;
  group->number = color;
  PetscCallMPI(MPI_Comm_split(world, color, rank, &group->comm));
  PetscCall(share_of_memory(world, &group->bytes));
  if (group->comm == MPI_COMM_NULL) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &group->bytes, 1, MPI_DOUBLE, MPI_SUM, group->comm));
  PetscCallMPI(MPI_Comm_rank(group->comm, &group->rank));
  PetscCallMPI(MPI_Comm_size(group->comm, &group->size));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_group(Group *group)
{
  PetscFunctionBeginUser;
  if (group->comm != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&group->comm));
  PetscFunctionReturn(0);
}

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
    (void)PetscSNPrintf(text, 512, "%s (in %s)", message ? message : "no message", function ? function : "?");
  }
  return code;
}

/* A task that cannot fit is not begun: the kernel would kill a rank of this group and the farm with it. */
static PetscErrorCode check_memory(const Group *group, CospinProblem problem, const CospinRecord *task,
                                   PetscBool *fits)
{
  CospinTaskEstimate estimate;
  double bytes;

  PetscFunctionBeginUser;
  PetscCall(CospinEstimateTask(problem, task, &estimate));
  bytes = estimate.factor_bytes + estimate.matrix_bytes;
  *fits = (PetscBool)(bytes <= group->bytes);
  if (*fits || group->rank) PetscFunctionReturn(0);
  fprintf(stderr,
          "cospin: point %lld, task %s: needs about %.3g GB, the %d rank%s of its group have %.3g GB\n",
          (long long)problem->point, task->name, 1e-9 * bytes, group->size, group->size == 1 ? "" : "s",
          1e-9 * group->bytes);
  PetscFunctionReturn(0);
}

/* What the ranks of one group work with. */
typedef struct {
  Group group;
  CospinDeck deck;
  CospinTable table;
  CospinStore store;
  CospinStop stop;
  CospinQueue queue;
  CospinProgress progress;
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
} Work;

/* Whether any rank of any group (`wait` false: any that is heard of without waiting) has been asked to stop;
   the answer is the same on all ranks of this one. */
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

/* ---- Interrupts
 * ----------------------------------------------------------------------------------------------
 */

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
  const Group *group = &work->farm->group;
  const double now = MPI_Wtime(), pays = PetscMax(work->farm->checkpoint, work_per_cost * work->cost);
  int due[2] = {now - work->looked >= look_every, now - work->kept >= pays};
  PetscBool stop;

  PetscFunctionBeginUser;
  *pause = COSPIN_PAUSE_NO;
  if (group->size > 1) PetscCallMPI(MPI_Bcast(due, 2, MPI_INT, 0, group->comm));
  if (!due[0]) PetscFunctionReturn(0);
  work->looked = now;
  PetscCall(stop_asked(work->farm, PETSC_FALSE, &stop));
  if (due[1]) *pause = COSPIN_PAUSE_SAVE;
  if (stop) *pause = COSPIN_PAUSE_LEAVE;
  PetscFunctionReturn(0);
}

/* A CospinInterrupt.Save. */
static PetscErrorCode Save(void *context, CospinMemory memory)
{
  Work *work = (Work *)context;
  const double start = MPI_Wtime();

  PetscFunctionBeginUser;
  note_seconds(work);
  if (work->farm->group.rank == 0)
    PetscCall(CospinStoreKeep(work->farm->store, work->point->problem->point, work->record,
                              work->point->stored, memory->count, memory->numbers));
  work->kept = MPI_Wtime();
  work->cost = work->kept - start;
  PetscFunctionReturn(0);
}

/* What a run before has kept of this point. */
static PetscErrorCode resume(Work *work, CospinMemory *memory)
{
  Farm *farm = work->farm;
  CospinStored stored = NULL;
  PetscBool found = PETSC_FALSE;
  double *numbers = NULL;
  size_t count = 0;

  PetscFunctionBeginUser;
  *memory = NULL;
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
    PetscCall(CospinMemoryCreateLoading(farm->group.comm, count, numbers, memory));
  else
    PetscCall(PetscFree(numbers));
  PetscFunctionReturn(0);
}

/* ---- One point
 * -----------------------------------------------------------------------------------------------
 */

static PetscErrorCode run_task(Work *work)
{
  Group *group = &work->farm->group;
  CospinPoint point = work->point;
  CospinTable table = work->farm->table;
  CospinDeck deck = point->problem->deck;
  double *record = work->record;
  const int k = work->task;
  const CospinRecord *task = &deck->tasks[k];
  CospinOutcome outcome = COSPIN_NOT_RUN;
  char message[512] = "";
  PetscErrorCode code;
  PetscBool fits;
  int failed;

  PetscFunctionBeginUser;
  PetscCall(check_memory(group, point->problem, task, &fits));
  if (!fits) {
    record[table->outcome_of_task[k]] = COSPIN_TOO_LARGE;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscPushErrorHandler(catch_error, message));
  code = CospinTaskKindOf(task)->own_windows ? 0 : CospinPointSettle(point);
  if (!code)
    code = CospinTaskKindOf(task)->Run(point, task, CospinTableResults(table, deck, k, record), &outcome);
  PetscCall(PetscPopErrorHandler());
  failed = code != 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, group->comm));
  if (failed) {
    outcome = COSPIN_SOLVER_FAILED;
    if (group->rank == 0) {
      fprintf(stderr, "cospin: point %lld, task %s: %s\n", (long long)point->problem->point, task->name,
              message);
    }
  }
  record[table->outcome_of_task[k]] = outcome;
  note_seconds(work);
  PetscFunctionReturn(0);
}

/* All tasks that have not finished in a run before; *finished: that was all of them. */
static PetscErrorCode run_tasks(Work *work, PetscBool *finished)
{
  const CospinTable table = work->farm->table;
  const int num = work->point->problem->deck->num_tasks;
  CospinPause pause = COSPIN_PAUSE_NO;
  CospinMemory memory;

  PetscFunctionBeginUser;
  PetscCall(resume(work, &memory));
  *finished = PETSC_TRUE;
  for (work->task = 0; work->task < num && *finished; work->task++) {
    const double *outcome = &work->record[table->outcome_of_task[work->task]];
    const double spent = work->record[table->seconds_of_task[work->task]];
    if (*outcome != COSPIN_NOT_RUN) continue;
    work->task_started = MPI_Wtime();
    work->task_spent = spent > 0 ? spent : 0.0;
    work->point->memory = memory;
    PetscCall(run_task(work));
    PetscCall(CospinMemoryDestroy(&memory));
    *finished = (PetscBool)(*outcome != COSPIN_NOT_RUN);
    if (!*finished || work->task == num - 1) continue;
    PetscCall(Ask(work, &pause));
    if (pause == COSPIN_PAUSE_NO) continue;
    PetscCall(CospinMemoryCreate(work->farm->group.comm, &memory));
    PetscCall(Save(work, memory));
    PetscCall(CospinMemoryDestroy(&memory));
    *finished = (PetscBool)(pause != COSPIN_PAUSE_LEAVE);
  }
  PetscFunctionReturn(0);
}

/* *stored: what tasks were asked to keep, on the leader, owned by the caller; NULL if there is nothing.
 *finished: if not, the run is to end and the point has been kept for another one. */
static PetscErrorCode run_point(Farm *farm, PetscInt64 number, double record[], CospinStored *stored,
                                PetscBool *finished)
{
  const double start = MPI_Wtime();
  const CospinTable table = farm->table;
  Group *group = &farm->group;
  Work work = {.farm = farm, .record = record, .started = start, .looked = start, .kept = start};
  CospinOutcome outcome = COSPIN_GOOD;
  double memory;
  PetscBool ok;

  PetscFunctionBeginUser;
  *stored = NULL;
  (void)peak_memory(PETSC_TRUE);
  PetscCall(CospinPointCreate(group->comm, farm->deck, number, NULL, &work.point, &ok));
  PetscCheck(ok, group->comm, PETSC_ERR_PLIB, "Point %" PetscInt64_FMT " of a checked deck does not evaluate",
             number);
  work.point->interrupt = (CospinInterrupt){&work, Ask, Save};
  CospinTableClear(table, record);
  PetscCall(run_tasks(&work, finished));
  for (int k = 0; k < farm->deck->num_tasks; k++)
    outcome = CospinOutcomeWorse(outcome, (CospinOutcome)record[table->outcome_of_task[k]]);
  if (*finished && group->rank == 0 && work.point->stored->count) {
    *stored = work.point->stored;
    work.point->stored = NULL;
  }
  PetscCall(CospinPointDestroy(&work.point));
  memory = peak_memory(PETSC_FALSE);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, group->comm));
  record[table->outcome] = outcome;
  record[table->seconds] = work.spent + MPI_Wtime() - start;
  record[table->peak_memory] = memory;
  record[table->ranks] = group->size;
  PetscFunctionReturn(0);
}

/* The next place in the list of missing points, -1 for none. */
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

static PetscErrorCode work(Farm *farm)
{
  const PetscInt64 *points;
  PetscInt64 num;
  CospinStored stored;
  double *record;
  int64_t next;

  PetscFunctionBeginUser;
  CospinStoreMissing(farm->store, &num, &points);
  PetscCall(PetscMalloc1((size_t)farm->table->layout.record_length, &record));
  PetscCall(next_place(farm, num, &next));
  while (next >= 0) {
    PetscBool finished;
    PetscCall(run_point(farm, points[next], record, &stored, &finished));
    if (!finished) break;
    if (farm->group.rank == 0) {
      const PetscBool good = (PetscBool)(record[farm->table->outcome] > 0);
      PetscCall(CospinStorePut(farm->store, farm->group.number, points[next], record, stored));
      PetscCall(CospinProgressPoint(&farm->progress, &farm->queue, good));
    }
    PetscCall(next_place(farm, num, &next));
  }
  PetscCall(PetscFree(record));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table, CospinStore store,
                             const CospinFarmOptions *options, PetscBool *stopped)
{
  Farm farm = {
      .deck = deck, .table = table, .store = store, .stop = options->stop, .checkpoint = options->checkpoint};
  const PetscInt64 *points;
  PetscInt64 num;
  int64_t done;

  PetscFunctionBeginUser;
  CospinStoreMissing(store, &num, &points);
  PetscCall(create_group(world, options->split, &farm.group));
  PetscCall(CospinQueueCreate(world, &farm.queue));
  PetscCall(CospinProgressStart(world, options->progress, num, &farm.progress));
  if (farm.group.comm != MPI_COMM_NULL) PetscCall(work(&farm));
  PetscCallMPI(MPI_Barrier(world));
  PetscCall(CospinProgressFinish(&farm.progress));
  PetscCall(CospinQueueAdd(&farm.queue, COSPIN_COUNTER_DONE, 0, &done));
  *stopped = (PetscBool)(done < num);
  PetscCall(CospinQueueDestroy(&farm.queue));
  PetscCall(destroy_group(&farm.group));
  PetscFunctionReturn(0);
}
