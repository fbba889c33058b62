#include "stored.h"

enum { TAG = 17, PIECE = 1 << 27 }; /* doubles in one message */

/* Sends one value to rank 0, in pieces that MPI can count. */
static PetscErrorCode send_one(MPI_Comm world, CospinStored stored)
{
  PetscInt64 size;
  double *buffer;

  PetscFunctionBeginUser;
  PetscCall(CospinStoredPack(stored, &size, &buffer));
  PetscCallMPI(MPI_Send(&size, 1, MPIU_INT64, 0, TAG, world));
  for (PetscInt64 at = 0; at < size; at += PIECE)
    PetscCallMPI(MPI_Send(buffer + at, (PetscMPIInt)PetscMin(PIECE, size - at), MPI_DOUBLE, 0, TAG, world));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

static PetscErrorCode receive_one(MPI_Comm world, PetscMPIInt from, CospinStored *stored)
{
  PetscInt64 size;
  double *buffer;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Recv(&size, 1, MPIU_INT64, from, TAG, world, MPI_STATUS_IGNORE));
  PetscCall(PetscMalloc1((size_t)size, &buffer));
  for (PetscInt64 at = 0; at < size; at += PIECE)
    PetscCallMPI(MPI_Recv(buffer + at, (PetscMPIInt)PetscMin(PIECE, size - at), MPI_DOUBLE, from, TAG, world,
                          MPI_STATUS_IGNORE));
  PetscCall(CospinStoredUnpack(buffer, stored));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStoredGather(MPI_Comm world, int *num_mine, CospinStored **mine, int *num_all,
                                  CospinStored **all)
{
  PetscMPIInt rank, size;
  int *counts, total = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCallMPI(MPI_Comm_size(world, &size));
  PetscCall(PetscCalloc1(size, &counts));
  PetscCallMPI(MPI_Gather(num_mine, 1, MPI_INT, counts, 1, MPI_INT, 0, world));
  for (int r = 0; r < size; r++) total += counts[r];
  *num_all = 0;
  *all = NULL;
  if (rank == 0) PetscCall(PetscMalloc1((size_t)total + 1, all));
  for (int k = 0; k < *num_mine; k++) {
    if (rank == 0) (*all)[(*num_all)++] = (*mine)[k];
    if (rank != 0) PetscCall(send_one(world, (*mine)[k]));
    if (rank != 0) PetscCall(CospinStoredDestroy(&(*mine)[k]));
  }
  for (int r = 1; rank == 0 && r < size; r++) {
    for (int k = 0; k < counts[r]; k++) PetscCall(receive_one(world, r, &(*all)[(*num_all)++]));
  }
  PetscCall(PetscFree(*mine));
  *num_mine = 0;
  PetscCall(PetscFree(counts));
  PetscFunctionReturn(0);
}
