/*
   The end of a run in which ranks were lost. A rank that never answers (stuck in a collective call that
   others have left by an error) cannot be woken, and MPI_Finalize would wait for it for ever. So everyone
   else publishes what is finished; the groups count themselves in the queue's counters as they come to
   their end, and the last one calls MPI_Abort with the status that means: give the same command again.
*/
#include "ending.h"
#include <cospin/farm/stop.h>

/* A rank that is not its group's first publishes under a number of its own, or two would write one file. */
PetscErrorCode CospinEndingShard(const CospinEnding *ending, int *shard)
{
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ending->world, &rank));
  *shard = ending->group->rank == 0 ? ending->group->number : ending->groups + rank;
  PetscFunctionReturn(0);
}

/* One rank of each group, when it has nothing left to publish. The last one ends the program. */
static PetscErrorCode end_group(const CospinEnding *ending)
{
  int64_t before;

  PetscFunctionBeginUser;
  PetscCall(CospinQueueAdd(ending->queue, COSPIN_COUNTER_ENDED, 1, &before));
  if (before + 1 == ending->groups) {
    fprintf(stderr, "cospin: the run ends early for the ranks that were lost; everything finished is stored: "
                    "the same command goes on\n");
    (void)fflush(stderr);
    PetscCallMPI(MPI_Abort(ending->world, COSPIN_STATUS_STOPPED));
  }
  PetscFunctionReturn(0);
}

/* Until MPI_Abort comes; rank 0 has to serve the counters meanwhile. Rank 0 holds the memory of the counters:
 * as long as MPI progresses there, others can count. */
static PetscErrorCode wait_for_the_end(const CospinEnding *ending)
{
  int64_t ended;

  PetscFunctionBeginUser;
  while (PETSC_TRUE) {
    PetscCall(CospinQueueAdd(ending->queue, COSPIN_COUNTER_ENDED, 0, &ended));
    CospinGroupSleep();
  }
  PetscFunctionReturn(0);
}

/* The first of the group's ranks that comes here tells; its group is then counted as ended. */
PetscErrorCode CospinEndingLost(const CospinEnding *ending)
{
  int64_t others;
  PetscBool whole;

  PetscFunctionBeginUser;
  PetscCall(CospinStorePublish(ending->store, &whole));
  PetscCall(CospinQueueAdd(ending->queue, COSPIN_NUM_COUNTERS + ending->group->number, 1, &others));
  if (!others) {
    fprintf(stderr, "cospin: the other ranks of group %d do not answer: it takes no more points\n",
            ending->group->number);
    PetscCall(CospinQueueAdd(ending->queue, COSPIN_COUNTER_LOST, 1, &others));
    PetscCall(end_group(ending));
  }
  PetscCall(wait_for_the_end(ending));
  PetscFunctionReturn(0);
}

/* Read by adding nothing: the counter is the queue's. */
static PetscErrorCode is_anyone_lost(const CospinEnding *ending, PetscBool *answer)
{
  int64_t lost = 0;

  PetscFunctionBeginUser;
  if (ending->group->comm != MPI_COMM_NULL && ending->group->rank == 0)
    PetscCall(CospinQueueAdd(ending->queue, COSPIN_COUNTER_LOST, 0, &lost));
  *answer = (PetscBool)(lost > 0);
  PetscFunctionReturn(0);
}

/* A barrier that does not block: it completes for all, or somebody has been counted as lost. */
PetscErrorCode CospinEndingWait(const CospinEnding *ending)
{
  MPI_Request request;
  PetscBool lost = PETSC_FALSE, whole;
  int all = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Ibarrier(ending->world, &request));
  while (!all && !lost) {
    PetscCall(is_anyone_lost(ending, &lost));
    PetscCallMPI(MPI_Test(&request, &all, MPI_STATUS_IGNORE));
    if (!all) CospinGroupSleep();
  }
  if (all) PetscFunctionReturn(0);
  PetscCall(CospinStorePublish(ending->store, &whole));
  PetscCall(end_group(ending));
  PetscCall(wait_for_the_end(ending));
  PetscFunctionReturn(0);
}
