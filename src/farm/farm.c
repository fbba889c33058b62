/*
   Groups are contiguous ranks. Each takes the next number from the shared queue, solves that point, keeps the
   record, and asks again; at the end the records go to rank 0.
*/
#include "progress.h"
#include "stored.h"
#include <cospin/farm.h>
#include <cospin/point.h>
#include <string.h>
#include <sys/resource.h>

/* A group of ranks and what it has finished. */
typedef struct {
  MPI_Comm comm; /* MPI_COMM_NULL: this rank is not needed */
  PetscMPIInt rank, size;
  PetscInt64 count, capacity;
  double *records; /* on the leader: [count][1 + record_length], the point's number in front */
  int num_stored, stored_capacity;
  CospinStored *stored; /* on the leader: states of points that store some */
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
  PetscCall(PetscFree(group->records));
  for (int k = 0; k < group->num_stored; k++) PetscCall(CospinStoredDestroy(&group->stored[k]));
  PetscCall(PetscFree(group->stored));
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

/* Keeps the states of a point on the leader. */
static PetscErrorCode keep_stored(Group *group, CospinPoint point)
{
  PetscFunctionBeginUser;
  if (group->rank != 0 || point->stored->count == 0) PetscFunctionReturn(0);
  if (group->num_stored == group->stored_capacity) {
    group->stored_capacity = 2 * group->stored_capacity + 16;
    PetscCall(PetscRealloc(sizeof(CospinStored) * (size_t)group->stored_capacity, &group->stored));
  }
  group->stored[group->num_stored++] = point->stored;
  point->stored = NULL;
  PetscFunctionReturn(0);
}

static PetscErrorCode run_point(Group *group, CospinDeck deck, CospinTable table, PetscInt64 number,
                                double record[])
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
  PetscCall(keep_stored(group, point));
  PetscCall(CospinPointDestroy(&point));
  memory = peak_memory(PETSC_FALSE);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &memory, 1, MPI_DOUBLE, MPI_SUM, group->comm));
  record[table->outcome] = outcome;
  record[table->seconds] = MPI_Wtime() - start;
  record[table->peak_memory] = memory;
  record[table->ranks] = group->size;
  PetscFunctionReturn(0);
}

static PetscErrorCode append_record(Group *group, int length, double **record)
{
  PetscFunctionBeginUser;
  if (group->count == group->capacity) {
    group->capacity = 2 * group->capacity + 16;
    PetscCall(PetscRealloc(sizeof(double) * (size_t)(1 + length) * (size_t)group->capacity, &group->records));
  }
  *record = group->records + group->count++ * (1 + length);
  PetscFunctionReturn(0);
}

static PetscErrorCode work(Group *group, CospinDeck deck, CospinTable table, CospinQueue *queue,
                           CospinProgress *progress)
{
  PetscFunctionBeginUser;
  while (PETSC_TRUE) {
    int64_t number = 0;
    double *record = NULL;
    if (group->rank == 0) PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_DEALT, 1, &number));
    PetscCallMPI(MPI_Bcast(&number, 1, MPI_INT64_T, 0, group->comm));
    if (number >= progress->total) break;
    if (group->rank != 0) group->count = 0; /* only the leader keeps what is finished */
    PetscCall(append_record(group, table->layout.record_length, &record));
    record[0] = (double)number;
    PetscCall(run_point(group, deck, table, number, record + 1));
    if (group->rank == 0) {
      PetscCall(CospinProgressPoint(progress, queue, (PetscBool)(record[1 + table->outcome] > 0)));
    }
  }
  PetscFunctionReturn(0);
}

/* Records of all leaders, put in the order of the points, on rank 0 of world. */
static PetscErrorCode gather(MPI_Comm world, const Group *group, PetscInt64 num_points, int length,
                             double **records)
{
  PetscMPIInt rank, size, mine, *counts, *starts, total = 0;
  MPI_Datatype row;
  double *all = NULL;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCallMPI(MPI_Comm_size(world, &size));
  PetscCallMPI(MPI_Type_contiguous(1 + length, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  mine = group->comm != MPI_COMM_NULL && group->rank == 0 ? (PetscMPIInt)group->count : 0;
  PetscCallMPI(MPI_Gather(&mine, 1, MPI_INT, counts, 1, MPI_INT, 0, world));
  for (int r = 0; rank == 0 && r < size; r++) {
    starts[r] = total;
    total += counts[r];
  }
  if (rank == 0) {
    PetscCall(PetscMalloc1((size_t)(1 + length) * (size_t)total, &all));
    PetscCall(PetscMalloc1((size_t)length * (size_t)num_points, records));
  }
  PetscCallMPI(MPI_Gatherv(group->records, mine, row, all, counts, starts, row, 0, world));
  for (int k = 0; rank == 0 && k < total; k++) {
    const double *record = all + (size_t)k * (size_t)(1 + length);
    PetscCall(PetscArraycpy(*records + (size_t)record[0] * (size_t)length, record + 1, (size_t)length));
  }
  PetscCall(PetscFree(all));
  PetscCall(PetscFree2(counts, starts));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table,
                             const CospinFarmOptions *options, double **records, int *num_stored,
                             CospinStored **stored)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  CospinProgress progress;
  CospinQueue queue;
  Group group;

  PetscFunctionBeginUser;
  *records = NULL;
  PetscCall(create_group(world, options->split, &group));
  PetscCall(CospinQueueCreate(world, &queue));
  PetscCall(CospinProgressStart(world, options->progress, num_points, &progress));
  if (group.comm != MPI_COMM_NULL) PetscCall(work(&group, deck, table, &queue, &progress));
  PetscCallMPI(MPI_Barrier(world));
  PetscCall(CospinProgressFinish(&progress));
  PetscCall(gather(world, &group, num_points, table->layout.record_length, records));
  PetscCall(CospinStoredGather(world, &group.num_stored, &group.stored, num_stored, stored));
  PetscCall(CospinQueueDestroy(&queue));
  PetscCall(destroy_group(&group));
  PetscFunctionReturn(0);
}
