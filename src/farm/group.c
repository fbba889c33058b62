/*
   A group of ranks, and how its ranks agree on the end of a task that some of them may have left by an
   error.

   Ranks vote with an Iallreduce on a communicator of its own (`apart`), because on the other one messages
   of the task may still be under way. Who has failed waits for a limited time only: if the others are
   stuck in a call that this rank has left, they will never vote, and the group is given up (ending.c). Who
   has not failed waits without a limit, since a failed rank always votes.

   Memory is set aside at the beginning (`reserve`) and freed when ranks are lost or out of memory: there
   must be some for the error message and for publishing.

   The vote has three outcomes. All succeeded: go on. All failed: the task has an outcome, and the next one
   begins, for nothing is half-way. Some failed: the others may still wait in a collective call; after the
   time limit the group is given up.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "group.h"
#include <cospin/farm/machine.h>
#include <petscblaslapack.h>
#include <stdlib.h>
#include <time.h>

enum { RESERVE_BYTES = 16 << 20, BLAS_BYTES = 160 << 20 };

static const double patience = 10.0; /* seconds */

/* The memory of a group, one number on all its ranks: a sum need not be the same to the last bit on each. */
static PetscErrorCode sum_of_shares(MPI_Comm comm, double share, double *bytes)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Reduce(&share, bytes, 1, MPI_DOUBLE, MPI_SUM, 0, comm));
  PetscCallMPI(MPI_Bcast(bytes, 1, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

/* OpenBLAS allocates its buffer (128 MB, not all of it touched) when it is first called, and if there is no
   memory for it then tries for ever. So it is called here, if there is. */
static PetscErrorCode prepare_blas(void)
{
  const PetscBLASInt one = 1;
  const PetscScalar unit = 1.0;
  PetscScalar a = 1.0, b = 1.0;
  void *trial = malloc(BLAS_BYTES);

  PetscFunctionBeginUser;
  PetscCheck(trial, PETSC_COMM_SELF, PETSC_ERR_MEM, "BLAS needs %d MB (see ulimit -v)", BLAS_BYTES >> 20);
  free(trial);
  BLAStrsm_("L", "U", "N", "N", &one, &one, &unit, &a, &one, &b, &one);
  PetscFunctionReturn(0);
}

/* Ranks beyond split.ranks belong to no group; they only take part in the collective calls on `world`. */
PetscErrorCode CospinGroupCreate(MPI_Comm world, CospinSplit split, CospinGroup *group)
{
  PetscMPIInt rank, size;
  double share;
  int color;

  PetscFunctionBeginUser;
  *group = (CospinGroup){.comm = MPI_COMM_NULL, .apart = MPI_COMM_NULL};
  PetscCallMPI(MPI_Comm_rank(world, &rank));
  PetscCallMPI(MPI_Comm_size(world, &size));
  PetscCheck(split.groups <= split.ranks && split.ranks <= size, world, PETSC_ERR_ARG_OUTOFRANGE,
             "%d groups of %d ranks, %d are there", split.groups, split.ranks, size);
  color = rank < split.ranks ? (int)((PetscInt64)rank * split.groups / split.ranks) : MPI_UNDEFINED;
  group->number = color;
  PetscCallMPI(MPI_Comm_split(world, color, rank, &group->comm));
  PetscCall(CospinMachineShare(world, &share));
  if (group->comm == MPI_COMM_NULL) PetscFunctionReturn(0);
  PetscCall(prepare_blas());
  PetscCall(PetscMalloc(RESERVE_BYTES, &group->reserve)); /* address space only, until it is written to */
  PetscCallMPI(MPI_Comm_dup(group->comm, &group->apart));
  PetscCall(sum_of_shares(group->comm, share, &group->bytes));
  PetscCallMPI(MPI_Comm_rank(group->comm, &group->rank));
  PetscCallMPI(MPI_Comm_size(group->comm, &group->size));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGroupDestroy(CospinGroup *group)
{
  PetscFunctionBeginUser;
  if (group->comm == MPI_COMM_NULL) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_free(&group->comm));
  PetscCallMPI(MPI_Comm_free(&group->apart));
  PetscCall(PetscFree(group->reserve));
  PetscFunctionReturn(0);
}

void CospinGroupSleep(void)
{
  const struct timespec pause = {0, 200000};

  (void)nanosleep(&pause, NULL);
}

/* Who has not failed waits: either all ranks come, or this one waits elsewhere. */
static PetscErrorCode count_failures(CospinGroup *group, double seconds, int *heard)
{
  const double start = MPI_Wtime();
  MPI_Request request;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Iallreduce(&group->vote[0], &group->vote[1], 1, MPI_INT, MPI_SUM, group->apart, &request));
  *heard = !group->vote[0];
  if (*heard) PetscCallMPI(MPI_Wait(&request, MPI_STATUS_IGNORE));
  while (!*heard && MPI_Wtime() - start < patience + seconds) {
    PetscCallMPI(MPI_Test(&request, heard, MPI_STATUS_IGNORE));
    if (!*heard) CospinGroupSleep();
  }
  PetscFunctionReturn(0);
}

/* The ranks may have counted different numbers of messages and objects on the old one. */
static PetscErrorCode renew(CospinGroup *group)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_free(&group->comm));
  PetscCallMPI(MPI_Comm_dup(group->apart, &group->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGroupAgree(CospinGroup *group, PetscErrorCode code, double seconds, CospinStepEnd *end)
{
  int heard = 1;

  PetscFunctionBeginUser;
  group->vote[0] = group->vote[1] = code != 0;
  if (group->size > 1) PetscCall(count_failures(group, seconds, &heard));
  *end = !heard                          ? COSPIN_STEP_LOST
         : group->vote[1] == 0           ? COSPIN_STEP_DONE
         : group->vote[1] == group->size ? COSPIN_STEP_FAILED
                                         : COSPIN_STEP_ABANDONED;
  if (*end == COSPIN_STEP_LOST) PetscCall(PetscFree(group->reserve));
  if (*end == COSPIN_STEP_ABANDONED) PetscCall(renew(group));
  PetscFunctionReturn(0);
}
