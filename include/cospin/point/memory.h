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

typedef struct CospinMemory_ {
  MPI_Comm comm;
  PetscBool loading;
  size_t count, capacity, at; /* first rank */
  double *numbers;            /* first rank, owned */
} * CospinMemory;

/* Not collective. An empty one, to be saved. */
PetscErrorCode CospinMemoryCreate(MPI_Comm comm, CospinMemory *memory);
/* Not collective. One that is loaded. count and numbers[count] matter on the first rank only; numbers is
   taken over (PetscFree). */
PetscErrorCode CospinMemoryCreateLoading(MPI_Comm comm, size_t count, double *numbers, CospinMemory *memory);
PetscErrorCode CospinMemoryDestroy(CospinMemory *memory);

/* Collective: saves or loads. When loading, all ranks get the values; one that asks for more numbers than
   were saved gets an error. */
PetscErrorCode CospinMemoryReals(CospinMemory memory, size_t num, double values[]);
PetscErrorCode CospinMemoryInts(CospinMemory memory, size_t num, int values[]);
PetscErrorCode CospinMemoryVec(CospinMemory memory, Vec u);
/* The elements of a state, on the first rank only; when loading they are appended. */
PetscErrorCode CospinMemoryState(CospinMemory memory, CospinStoredState state);
