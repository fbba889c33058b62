#include "queue.h"

PetscErrorCode CospinQueueCreate(MPI_Comm world, CospinQueue *queue)
{
  PetscMPIInt rank;
  MPI_Aint size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  size = rank == 0 ? (MPI_Aint)(COSPIN_NUM_COUNTERS * sizeof(int64_t)) : 0;
  PetscCallMPI(MPI_Win_allocate(size, sizeof(int64_t), MPI_INFO_NULL, world, &queue->memory, &queue->window));
  PetscCallMPI(MPI_Win_lock_all(0, queue->window));
  for (int k = 0; rank == 0 && k < COSPIN_NUM_COUNTERS; k++) queue->memory[k] = 0;
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

PetscErrorCode CospinQueueAdd(CospinQueue *queue, CospinCounter counter, int64_t add, int64_t *before)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Fetch_and_op(&add, before, MPI_INT64_T, 0, counter, MPI_SUM, queue->window));
  PetscCallMPI(MPI_Win_flush(0, queue->window));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinQueueReplace(CospinQueue *queue, CospinCounter counter, int64_t expected, int64_t value,
                                  PetscBool *won)
{
  int64_t found;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Compare_and_swap(&value, &expected, &found, MPI_INT64_T, 0, counter, queue->window));
  PetscCallMPI(MPI_Win_flush(0, queue->window));
  *won = (PetscBool)(found == expected);
  PetscFunctionReturn(0);
}
