/*
   Groups are contiguous ranks. Each takes the next number from the shared queue, solves that point, hands the
   record to the store, and asks again.
*/
#include "progress.h"
#include <cospin/farm.h>
#include <cospin/point.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
  MPI_Comm comm; /* MPI_COMM_NULL: this rank is not needed */
  PetscMPIInt rank, size;
  int number;
} Group;

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
  if (group->comm == MPI_COMM_NULL) PetscFunctionReturn(0);
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

static PetscErrorCode run_task(Group *group, CospinPoint point, CospinTable table, int k, double record[])
{
  CospinDeck deck = point->problem->deck;
  const CospinRecord *task = &deck->tasks[k];
  CospinOutcome outcome = COSPIN_NOT_RUN;
  const double start = MPI_Wtime();
  char message[512] = "";
  PetscErrorCode code;
  int failed;

  PetscFunctionBeginUser;
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
  record[table->seconds_of_task[k]] = MPI_Wtime() - start;
  PetscFunctionReturn(0);
}

/* *stored: what tasks were asked to keep, on the leader, owned by the caller; NULL if there is nothing. */
static PetscErrorCode run_point(Group *group, CospinDeck deck, CospinTable table, PetscInt64 number,
                                double record[], CospinStored *stored)
{
  const double start = MPI_Wtime();
  CospinOutcome outcome = COSPIN_GOOD;
  CospinPoint point;
  double memory;
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)peak_memory(PETSC_TRUE);
  PetscCall(CospinPointCreate(group->comm, deck, number, NULL, &point, &ok));
  PetscCheck(ok, group->comm, PETSC_ERR_PLIB, "Point %" PetscInt64_FMT " of a checked deck does not evaluate",
             number);
  CospinTableClear(table, record);
  for (int k = 0; k < deck->num_tasks; k++) {
    PetscCall(run_task(group, point, table, k, record));
    outcome = CospinOutcomeWorse(outcome, (CospinOutcome)record[table->outcome_of_task[k]]);
  }
  *stored = NULL;
  if (group->rank == 0 && point->stored->count) {
    *stored = point->stored;
    point->stored = NULL;
  }
  PetscCall(CospinPointDestroy(&point));
  memory = peak_memory(PETSC_FALSE);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, group->comm));
  record[table->outcome] = outcome;
  record[table->seconds] = MPI_Wtime() - start;
  record[table->peak_memory] = memory;
  record[table->ranks] = group->size;
  PetscFunctionReturn(0);
}

/* Points are dealt by their place in the list of those that are missing. */
static PetscErrorCode work(Group *group, CospinDeck deck, CospinTable table, CospinStore store,
                           CospinQueue *queue, CospinProgress *progress)
{
  const PetscInt64 *points;
  PetscInt64 num;
  double *record;

  PetscFunctionBeginUser;
  CospinStoreMissing(store, &num, &points);
  PetscCall(PetscMalloc1((size_t)table->layout.record_length, &record));
  while (PETSC_TRUE) {
    int64_t next = 0;
    if (group->rank == 0) PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_DEALT, 1, &next));
    PetscCallMPI(MPI_Bcast(&next, 1, MPI_INT64_T, 0, group->comm));
    if (next >= num) break;
    CospinStored stored;
    PetscCall(run_point(group, deck, table, points[next], record, &stored));
    if (group->rank != 0) continue;
    PetscCall(CospinStorePut(store, group->number, points[next], record, stored));
    PetscCall(CospinProgressPoint(progress, queue, (PetscBool)(record[table->outcome] > 0)));
  }
  PetscCall(PetscFree(record));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table, CospinStore store,
                             const CospinFarmOptions *options)
{
  const PetscInt64 *points;
  PetscInt64 num;
  CospinProgress progress;
  CospinQueue queue;
  Group group;

  PetscFunctionBeginUser;
  CospinStoreMissing(store, &num, &points);
  PetscCall(create_group(world, options->split, &group));
  PetscCall(CospinQueueCreate(world, &queue));
  PetscCall(CospinProgressStart(world, options->progress, num, &progress));
  if (group.comm != MPI_COMM_NULL) PetscCall(work(&group, deck, table, store, &queue, &progress));
  PetscCallMPI(MPI_Barrier(world));
  PetscCall(CospinProgressFinish(&progress));
  PetscCall(CospinQueueDestroy(&queue));
  PetscCall(destroy_group(&group));
  PetscFunctionReturn(0);
}
