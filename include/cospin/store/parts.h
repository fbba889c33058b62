/* The folder FILE.parts beside a dataset: the shards of the points that are finished, checkpoints of those
 * that are not, and the lock of the run that writes them. */
#pragma once
#include <petscsys.h>

typedef struct {
  char folder[PETSC_MAX_PATH_LEN];
  int lock; /* descriptor, -1: none */
  int run;  /* number of this run in the names of its shards, from 1 */
} CospinParts;

/* Not collective, one process of the run. 1: the folder is there, writable and locked by us. 0 and a sentence
   otherwise; nothing has been left behind then. */
int CospinPartsOpen(const char file[], CospinParts *parts, char why[], size_t why_size);
/* Gives the lock back. Removes the folder, unless something is in it beside the lock or it has to be kept for
   what the user is to put there. */
void CospinPartsClose(CospinParts *parts, PetscBool keep);

/* Whether `file` is such a folder, or a dataset that is not there yet but has one; parts->folder is its name
   then. Nothing is locked. */
PetscBool CospinPartsFind(const char file[], CospinParts *parts);

/* Whether a run holds the lock, and who (""-terminated, cut to size). */
PetscBool CospinPartsHolder(const CospinParts *parts, char holder[], size_t size);

/* Full names of all shards, run after run. Owned by the caller: CospinPartsFreeList. */
PetscErrorCode CospinPartsList(const CospinParts *parts, int *num, char ***names);
PetscErrorCode CospinPartsListCheckpoints(const CospinParts *parts, int *num, char ***names);
PetscErrorCode CospinPartsFreeList(int num, char ***names);

/* Removes all shards (checkpoints), and what a killed run has left of one that it was writing. */
void CospinPartsRemoveShards(const CospinParts *parts);
void CospinPartsRemoveCheckpoints(const CospinParts *parts);

/* The name of shard `shard` of group `group` in this run. */
PetscErrorCode CospinPartsShard(const CospinParts *parts, int group, int shard, char name[], size_t size);
