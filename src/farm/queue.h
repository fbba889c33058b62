/*
   Counters that all ranks share: which point comes next, how many are done.

   They live in a window of rank 0 and are changed by atomic one-sided operations, so no rank has to wait on
   another one that is busy solving and none is set aside to manage. (Where the network has no hardware
   atomics an operation is served when rank 0 next enters MPI.)
*/
#pragma once
#include <petscsys.h>

typedef enum {
  COSPIN_COUNTER_DEALT,
  COSPIN_COUNTER_DONE,
  COSPIN_COUNTER_BAD,
  COSPIN_COUNTER_PRINTED,
  COSPIN_COUNTER_STOPPED, /* not 0: a rank has been asked to stop */
  COSPIN_COUNTER_LOST,    /* groups that will not come to the end */
  COSPIN_COUNTER_ENDED,   /* groups, once one is lost, that have nothing left to publish */
  COSPIN_NUM_COUNTERS     /* from here on one for each group: ranks of it that found it lost */
} CospinCounter;

typedef struct {
  MPI_Win window;
  int64_t *memory;
  PetscBool shared; /* all ranks are on one node, so nothing ever has to wait */
} CospinQueue;

/* Collective. All counters start at 0. */
PetscErrorCode CospinQueueCreate(MPI_Comm world, int groups, CospinQueue *queue);
PetscErrorCode CospinQueueDestroy(CospinQueue *queue);
/* Not collective. Adds and returns the value before. */
PetscErrorCode CospinQueueAdd(CospinQueue *queue, int counter, int64_t add, int64_t *before);
