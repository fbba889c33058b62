/*
   The ranks that work on one point together, and how they leave a step of it together.

   PETSc's errors are caught on the rank that raises them. One that all ranks see (MUMPS out of memory, a
   breakdown) brings them all to the end of the step at about the same time. One that a single rank sees
   leaves the others in a call that waits for it, and MPI has no way to call them back: that group is lost,
   and only the end of the program frees its ranks.
*/
#pragma once
#include <cospin/farm/estimate.h>
#include <petscsys.h>

typedef struct {
  MPI_Comm comm; /* MPI_COMM_NULL: this rank is not needed */
  PetscMPIInt rank, size;
  int number;
  double bytes;   /* of memory that its ranks have (CospinMachineShare), the same number on all of them */
  MPI_Comm apart; /* to agree on, while calls on comm may wait for a rank that has left */
  void *reserve;  /* memory for what is to be said and stored when there is none left */
  int vote[2];    /* that of this rank, the sum; MPI may hold them for as long as the group lasts */
} CospinGroup;

typedef enum {
  COSPIN_STEP_DONE,
  COSPIN_STEP_FAILED,    /* on every rank: its objects can be destroyed */
  COSPIN_STEP_ABANDONED, /* on some: what its objects are in the middle of is not known, comm is a new one */
  COSPIN_STEP_LOST       /* only where it failed: the others do not answer */
} CospinStepEnd;

/* Collective on world. */
PetscErrorCode CospinGroupCreate(MPI_Comm world, CospinSplit split, CospinGroup *group);
PetscErrorCode CospinGroupDestroy(CospinGroup *group);

/*
   Collective on the group, as far as its ranks can still take part. code: this rank's error, 0: none;
   seconds: how long the step has taken, for ranks may be late by about that much.
*/
PetscErrorCode CospinGroupAgree(CospinGroup *group, PetscErrorCode code, double seconds, CospinStepEnd *end);

/* Not collective: for a wait that polls. */
void CospinGroupSleep(void);
