/* Progress of a farm on stderr: one line that updates on a terminal, a log line now and then otherwise. */
#pragma once
#include "queue.h"
#include <cospin/farm/farm.h>

typedef struct {
  CospinProgressMode mode;
  int64_t total;
  int64_t started; /* milliseconds since the epoch, the same on all ranks */
} CospinProgress;

/* Collective on world. */
PetscErrorCode CospinProgressStart(MPI_Comm world, CospinProgressMode mode, PetscInt64 total,
                                   CospinProgress *progress);
/* Not collective: called by the leader of a group after each point. */
PetscErrorCode CospinProgressPoint(CospinProgress *progress, CospinQueue *queue, PetscBool good);
/* Not collective: rank 0 at the end. */
PetscErrorCode CospinProgressFinish(CospinProgress *progress);
