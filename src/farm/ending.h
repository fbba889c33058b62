/*
   How the groups of a farm come to its end: all together, or without those that are lost.

   A lost group (group.h) has ranks that never return from what they wait for, so no collective call of all
   ranks is possible any more. The other groups go on with the points that are left; when they have published
   what they have, MPI_Abort frees everybody, with the status that means "the same command goes on".
*/
#pragma once
#include "group.h"
#include "queue.h"
#include <cospin/store/store.h>

typedef struct { /* all borrowed */
  MPI_Comm world;
  int groups;
  const CospinGroup *group;
  CospinQueue *queue;
  CospinStore store;
} CospinEnding;

/* Not collective. The number that a shard of this rank has: that of the group for the leader, else its own.
 */
PetscErrorCode CospinEndingShard(const CospinEnding *ending, int *shard);

/* Not collective: a rank that has found its group to be lost. Publishes what it has; does not return. */
PetscErrorCode CospinEndingLost(const CospinEnding *ending);

/* Collective on world: waits until all groups have come. Does not return if one is lost. */
PetscErrorCode CospinEndingWait(const CospinEnding *ending);
