/*
   Only MPI_Fetch_and_op with MPI_SUM is used, the best trodden of the one-sided operations: Open MPI 4.1's
   MPI_Compare_and_swap crashes on windows that its shared-memory transport emulates. On one node the window
   is shared memory.

   The queue is one number in a window on rank 0, the next place in the list of missing points; taking a point
   is adding one to it. Beside it stand counters (points done, groups at their end, lines printed), by which
   ranks that share nothing else agree.
*/
#include "queue.h"

/* Whether all ranks see the same memory. */
static PetscErrorCode on_one_node(MPI_Comm world, PetscBool *answer)
{
  PetscMPIInt size, node_size;
  MPI_Comm node;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(world, &size));
  PetscCallMPI(MPI_Comm_size(node, &node_size));
  PetscCallMPI(MPI_Comm_free(&node));
  node_size = node_size == size;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &node_size, 1, MPI_INT, MPI_MIN, world));
  *answer = (PetscBool)node_size;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinQueueCreate(MPI_Comm world, int groups, CospinQueue *queue)
{
  const int unit = (int)sizeof(int64_t), count = COSPIN_NUM_COUNTERS + groups;
  PetscMPIInt rank;
  MPI_Aint size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCall(on_one_node(world, &queue->shared));
  size = rank == 0 ? (MPI_Aint)((size_t)count * sizeof(int64_t)) : 0;
  if (queue->shared) {
    PetscCallMPI(MPI_Win_allocate_shared(size, unit, MPI_INFO_NULL, world, &queue->memory, &queue->window));
  } else {
    PetscCallMPI(MPI_Win_allocate(size, unit, MPI_INFO_NULL, world, &queue->memory, &queue->window));
  }
  PetscCallMPI(MPI_Win_lock_all(0, queue->window));
  for (int k = 0; rank == 0 && k < count; k++) queue->memory[k] = 0;
  PetscCallMPI(MPI_Win_sync(queue->window));
  PetscCallMPI(MPI_Barrier(world));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinQueueDestroy(CospinQueue *queue)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Win_unlock_all(queue->window));
  PetscCallMPI(MPI_Win_free(&queue->window));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinQueueAdd(CospinQueue *queue, int counter, int64_t add, int64_t *before)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Fetch_and_op(&add, before, MPI_INT64_T, 0, counter, MPI_SUM, queue->window));
  PetscCallMPI(MPI_Win_flush(0, queue->window));
  PetscFunctionReturn(0);
}
