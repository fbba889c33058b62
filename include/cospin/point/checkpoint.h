/*
   What an unfinished task has to remember to go on in another run: a row of numbers, in the order in which
   the task exchanges them.

   One function of the task, which names its numbers one after the other, serves both ways: it appends them to
   a memory that is being saved, and takes them from one that is loaded. The numbers are held on the first
   rank of the communicator; any number of ranks may load them.
*/
#pragma once
#include <cospin/dataset/stored.h>
#include <petscvec.h>

typedef struct CospinCheckpoint_ {
  MPI_Comm comm;
  PetscBool loading;
  size_t count, capacity, at; /* first rank */
  double *numbers;            /* first rank, owned */
} * CospinCheckpoint;

/* Not collective. An empty one, to be saved. */
PetscErrorCode CospinCheckpointCreate(MPI_Comm comm, CospinCheckpoint *checkpoint);
/* Not collective. One that is loaded. count and numbers[count] matter on the first rank only; numbers is
   taken over (PetscFree). */
PetscErrorCode CospinCheckpointCreateLoading(MPI_Comm comm, size_t count, double *numbers,
                                             CospinCheckpoint *checkpoint);
PetscErrorCode CospinCheckpointDestroy(CospinCheckpoint *checkpoint);

/* Collective: saves or loads. When loading, all ranks get the values; one that asks for more numbers than
   were saved gets an error. */
PetscErrorCode CospinCheckpointReals(CospinCheckpoint checkpoint, size_t num, double values[]);
PetscErrorCode CospinCheckpointInts(CospinCheckpoint checkpoint, size_t num, int values[]);
PetscErrorCode CospinCheckpointVec(CospinCheckpoint checkpoint, Vec u);
/* The elements of a state, on the first rank only; when loading they are appended. */
PetscErrorCode CospinCheckpointState(CospinCheckpoint checkpoint, CospinStoredState state);
