/*
   The store of a run: which points of the grid are finished, and how they are kept.

   A finished point is published in a shard, a small dataset in the folder FILE.parts that is written once and
   renamed into place; published means done. At the end the shards become the one archive FILE. The same
   command given again goes on with what neither the archive nor a shard holds, on any number of ranks and
   groups.

   Points are known by their coordinates, so an axis may be extended. What else of the deck may differ is told
   by CospinDeckViewMeaning(): nothing that can change a result.
*/
#pragma once
#include <cospin/dataset/provenance.h>
#include <cospin/store/table.h>

typedef struct CospinStore_ *CospinStore;

typedef struct {
  PetscBool overwrite;   /* drop what is there */
  PetscBool retry;       /* compute points with a bad outcome again */
  const char *deck_file; /* which must not be written, or NULL */
} CospinStoreOptions;

/*
   Collective on world. Looks for what is finished and takes the lock of the output on rank 0. *ok is false
   everywhere, and rank 0 has said why on stderr, if the output cannot or must not be written
   (CospinOutputCheck), another run writes it, or what is there is damaged or not of this deck; nothing is
   changed then. A damaged shard is put aside and its points count as missing. deck and table are borrowed
   until CospinStoreClose().
*/
PetscErrorCode CospinStoreOpen(MPI_Comm world, const char file[], CospinDeck deck, CospinTable table,
                               const CospinStoreOptions *options, CospinStore *store, PetscBool *ok);
PetscErrorCode CospinStoreClose(CospinStore *store);

/* Not collective, on every rank: the points that are missing, ascending. Borrowed. */
void CospinStoreMissing(CospinStore store, PetscInt64 *num, const PetscInt64 **points);

/* Not collective. The rows that shards and archive carry; borrowed. To be called before the first Put. */
PetscErrorCode CospinStoreSetProvenance(CospinStore store, CospinProvenance provenance);

/*
   Not collective: the leader of group `group`. Takes a finished point (record is copied, stored is taken over
   and may be NULL) and publishes what waits as soon as that costs little beside the work done since the last
   time. A failure to publish is told on stderr; the points wait for the next time.
*/
PetscErrorCode CospinStorePut(CospinStore store, int group, PetscInt64 point, const double record[],
                              CospinStored stored);

/* Not collective: the same. Nothing more will be put for about so many seconds: publishes what waits if it
   would be due then, lest a kill in the meantime take it. */
PetscErrorCode CospinStoreFlush(CospinStore store, double seconds);

/* Not collective. Publishes what waits; if that fails, in the folder for temporary files, which it says, and
 *whole is false. */
PetscErrorCode CospinStorePublish(CospinStore store, PetscBool *whole);

/*
   Not collective: the leader of a group. Keeps what it has of a point that is not finished: record with
   COSPIN_NOT_RUN where a task has not finished, the states of those that have (borrowed, may be NULL) and the
   checkpoint[count] of the one at work. It replaces what was kept of this point before, and goes when the
   point is put. A failure is told on stderr.
*/
PetscErrorCode CospinStoreKeep(CospinStore store, PetscInt64 point, const double record[],
                               CospinStored stored, size_t count, const double checkpoint[]);
/* Not collective: the same. What has been kept of a point, by any run; *found is false if that is nothing or
   damaged, and nothing is changed then. *stored (or NULL) and *checkpoint are owned by the caller. */
PetscErrorCode CospinStoreResume(CospinStore store, PetscInt64 point, PetscBool *found, double record[],
                                 CospinStored *stored, size_t *count, double **checkpoint);

/*
   Collective on world, when all groups are done or have stopped. Publishes what waits, puts the archive
   together, reads it back and removes the shards. records: [num_points][record_length] on rank 0, all that is
   known, to be freed with PetscFree; NULL elsewhere. *whole is false on all ranks if anything could not be
   written: rank 0 (and the leader concerned) has said so, no shard is removed, and what could not be
   published stands in the folder for temporary files.
*/
PetscErrorCode CospinStoreFinish(CospinStore store, double **records, PetscBool *whole);
