/* The store from inside: its state, and the search for what is there. */
#pragma once
#include <cospin/store/shard.h>
#include <cospin/store/store.h>

struct CospinStore_ {
  MPI_Comm world;
  PetscMPIInt rank;
  char file[PETSC_MAX_PATH_LEN]; /* links followed */
  CospinDeck deck;
  CospinTable table;
  CospinParts parts;
  PetscBool failed; /* something could not be written */
  CospinProvenance provenance;
  char *identity, *completed;
  PetscInt64 num_missing, *missing;
  CospinLayout layout; /* of shards */
  CospinShard shard;
  PetscBool has_checkpoints;           /* there were any at the beginning */
  char checkpoint[PETSC_MAX_PATH_LEN]; /* of the point at work; "" if it has none */
};

/* What is found is counted into done[], or its records are put in their places, or both. */
typedef struct {
  CospinStore store;
  signed char *done; /* [num_points] or NULL */
  double *records;   /* [num_points][record_length] or NULL */
  int num_stored;
  CospinStored *stored; /* [num_points] with records: states of points, in any order, owned */
  char **history;       /* or NULL */
  PetscBool retry;
  int num_shards;    /* that were read */
  PetscBool current; /* the archive is that of this very deck, labels and all */
} CospinSearch;

/* Not collective, rank 0. Archive and shards; why: "", or a sentence on what is in the way. A damaged shard
   is put aside with a warning. */
PetscErrorCode CospinSearchAll(CospinSearch *search, char why[], size_t size);

/* A damaged file gets another name; `loss`: what that means, for the warning. */
PetscErrorCode CospinSearchPutAside(const char name[], const char why[], const char loss[]);

/* With --overwrite the old archive stays until the new one is whole. A run that goes on after a kill must not
   take its points for its own: this empty file in the folder says so. */
void CospinStoreOverwriteName(CospinStore store, char name[], size_t size);
