/*
   Opening, publishing, assembling: the three times at which a run touches what it keeps.

   At the beginning rank 0 looks for the lock and for finished points (search.c) and tells all ranks which
   are missing. While points are computed the first rank of each group writes shards of its own, so that
   groups never wait for each other; a shard is written under a temporary name, synced and renamed, so that
   it is whole or not there. At the end rank 0 reads all shards, writes the archive the same way, reads it
   back and compares every number, and only then removes the shards.

   A disk that fails ends nothing: what cannot be published waits in memory and is tried again, and at the
   very end goes into the folder for temporary files with a line that says where.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "checkpoint_file.h"
#include "identity.h"
#include "output.h"
#include "store_impl.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a point is known by. 64: more axes than HDF5 has dimensions (deck/grid.c). */
static void coordinates_of(CospinDeck deck, PetscInt64 point, double coordinates[])
{
  int index[64];

  CospinDeckPointIndex(deck, point, index);
  for (int a = 0; a < deck->num_axes; a++) coordinates[a] = deck->axes[a].values[index[a]];
}

/* ---- Opening ------------------------------------------------------------------------------------------- */

/* The marker outlives a kill between here and the new archive: the next run knows that the old archive is
   not to be gone on with. Shards and checkpoints go at once, the old archive only when the new one is
   renamed into its place: --overwrite of a run that then fails loses no finished file. */
static PetscErrorCode start_afresh(CospinStore store, char why[], size_t size)
{
  char name[PETSC_MAX_PATH_LEN];
  FILE *stream;

  PetscFunctionBeginUser;
  CospinStoreOverwriteName(store, name, sizeof(name));
  stream = fopen(name, "w");
  if (!stream || fclose(stream))
    PetscCall(PetscSNPrintf(why, size, "cannot write %s: %s", name, strerror(errno)));
  if (why[0]) PetscFunctionReturn(0);
  CospinPartsRemoveShards(&store->parts);
  CospinPartsRemoveCheckpoints(&store->parts);
  PetscFunctionReturn(0);
}

/* Rank 0. done[] of all points, or a sentence. In this order: may the output be written, is another run
   writing it, what is there. Nothing has been changed where one of them says no. */
static PetscErrorCode look(CospinStore store, const char file[], const CospinStoreOptions *options,
                           signed char done[], char why[], size_t size)
{
  CospinSearch search = {.store = store, .done = done, .retry = options->retry};

  PetscFunctionBeginUser;
  PetscCall(CospinOutputCheck(file, options->deck_file, store->deck, options->overwrite, why, size));
  if (why[0]) PetscFunctionReturn(0);
  PetscCall(CospinOutputResolve(file, store->file, sizeof(store->file)));
  if (!CospinPartsOpen(store->file, &store->parts, why, size)) PetscFunctionReturn(0);
  if (options->overwrite) {
    PetscCall(start_afresh(store, why, size));
  } else {
    PetscCall(CospinSearchAll(&search, why, size));
  }
  PetscFunctionReturn(0);
}

/* Rank 0 alone has looked; points are few beside the work. The list of missing points in ascending order,
   which is the order in which they are dealt out. */
static PetscErrorCode share(CospinStore store, const signed char done[], PetscInt64 num_points)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&store->has_checkpoints, 1, MPIU_BOOL, 0, store->world));
  PetscCallMPI(MPI_Bcast(&store->parts.run, 1, MPI_INT, 0, store->world));
  PetscCallMPI(MPI_Bcast(store->parts.folder, sizeof(store->parts.folder), MPI_CHAR, 0, store->world));
  for (PetscInt64 p = 0; store->rank == 0 && p < num_points; p++) store->num_missing += !done[p];
  PetscCallMPI(MPI_Bcast(&store->num_missing, 1, MPIU_INT64, 0, store->world));
  PetscCall(PetscMalloc1((size_t)store->num_missing, &store->missing));
  for (PetscInt64 p = 0, k = 0; store->rank == 0 && p < num_points; p++) {
    if (!done[p]) store->missing[k++] = p;
  }
  PetscCallMPI(MPI_Bcast(store->missing, (PetscMPIInt)store->num_missing, MPIU_INT64, 0, store->world));
  PetscFunctionReturn(0);
}

/* A text that a function writes to a stream, as one in memory. */
static PetscErrorCode text_of(CospinDeck deck, PetscErrorCode (*view)(CospinDeck, FILE *), char **text)
{
  char *buffer = NULL;
  size_t size;
  FILE *stream = open_memstream(&buffer, &size);

  PetscFunctionBeginUser;
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for the text of the deck");
  PetscCall(view(deck, stream));
  (void)fclose(stream);
  PetscCall(PetscStrallocpy(buffer, text));
  free(buffer);
  PetscFunctionReturn(0);
}

/* One byte a point: what has been done is known before anything is computed. */
PetscErrorCode CospinStoreOpen(MPI_Comm world, const char file[], CospinDeck deck, CospinTable table,
                               const CospinStoreOptions *options, CospinStore *store, PetscBool *ok)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  char why[2048] = "";
  signed char *done;
  int fine;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(store));
  **store = (struct CospinStore_){.world = world, .deck = deck, .table = table, .parts.lock = -1};
  PetscCallMPI(MPI_Comm_rank(world, &(*store)->rank));
  PetscCall(text_of(deck, CospinIdentityView, &(*store)->identity));
  PetscCall(text_of(deck, CospinDeckViewCompleted, &(*store)->completed));
  PetscCall(CospinShardLayoutCreate(table, &(*store)->layout));
  PetscCall(PetscCalloc1((size_t)num_points, &done));
  if ((*store)->rank == 0) PetscCall(look(*store, file, options, done, why, sizeof(why)));
  fine = why[0] == 0;
  PetscCallMPI(MPI_Bcast(&fine, 1, MPI_INT, 0, world));
  if (fine) PetscCall(share(*store, done, num_points));
  PetscCall(PetscFree(done));
  if (!fine) {
    if ((*store)->rank == 0) fprintf(stderr, "cospin: %s\n", why);
    PetscCall(CospinStoreClose(store));
  }
  *ok = (PetscBool)fine;
  PetscFunctionReturn(0);
}

/* The lock goes last of what others see; `failed` keeps the folder and what is in it. */
PetscErrorCode CospinStoreClose(CospinStore *store)
{
  PetscFunctionBeginUser;
  if (!*store) PetscFunctionReturn(0);
  CospinPartsClose(&(*store)->parts, (*store)->failed);
  PetscCall(CospinShardFree(&(*store)->shard));
  PetscCall(CospinShardLayoutFree(&(*store)->layout));
  PetscCall(PetscFree((*store)->missing));
  PetscCall(PetscFree((*store)->identity));
  PetscCall(PetscFree((*store)->completed));
  PetscCall(PetscFree(*store));
  PetscFunctionReturn(0);
}

void CospinStoreMissing(CospinStore store, PetscInt64 *num, const PetscInt64 **points)
{
  *num = store->num_missing;
  *points = store->missing;
}

PetscErrorCode CospinStoreSetProvenance(CospinStore store, CospinProvenance provenance)
{
  PetscFunctionBeginUser;
  store->provenance = provenance;
  /* From here on work may be lost, so the pause before the first shard counts from now. */
  store->shard.published = MPI_Wtime();
  PetscFunctionReturn(0);
}

/* ---- Publishing ---------------------------------------------------------------------------------------- */

/* With the deck, from which readers take the whole grid. Every shard carries deck, identity and
   provenance: it can be read by itself if its run never ends. */
static PetscErrorCode get_texts(CospinStore store, CospinDatasetTexts *texts)
{
  PetscFunctionBeginUser;
  *texts = (CospinDatasetTexts){.title = store->deck->title,
                                .source = store->deck->source,
                                .deck_verbatim = store->deck->text,
                                .deck_completed = store->completed,
                                .identity = store->identity};
  PetscCall(CospinProvenanceGet(store->provenance, &texts->num_provenance, &texts->provenance));
  PetscFunctionReturn(0);
}

/* The shard as it is now; `why` stays empty if it is on the disk. */
static PetscErrorCode publish(CospinStore store, const char name[], char why[], size_t size)
{
  CospinDatasetTexts texts;

  PetscFunctionBeginUser;
  PetscCall(get_texts(store, &texts));
  PetscCall(CospinShardPublish(&store->shard, &store->layout, &texts, name, why, size));
  PetscFunctionReturn(0);
}

/* Publishes under the shard's own name. The folder may have been removed: it is made again. `told`: the same
 * failure is said once, not at every point. */
static PetscErrorCode publish_shard(CospinStore store)
{
  char name[PETSC_MAX_PATH_LEN], why[1024];

  PetscFunctionBeginUser;
  PetscCall(CospinPartsShard(&store->parts, store->shard.group, store->shard.number, name, sizeof(name)));
  (void)mkdir(store->parts.folder, 0777);
  PetscCall(publish(store, name, why, sizeof(why)));
  if (why[0] && !store->shard.told)
    fprintf(stderr, "cospin: %s; finished points wait in memory and are tried again\n", why);
  store->shard.told = (PetscBool)(why[0] != 0);
  PetscCall(CospinShardTurn(&store->shard));
  PetscFunctionReturn(0);
}

/* A checkpoint of this point is removed only when the point itself has been published: until then it is
   the only thing that a kill would leave. While a shard waits in memory only a kill can take it; hence a
   point that had a checkpoint is published at once. */
PetscErrorCode CospinStorePut(CospinStore store, int group, PetscInt64 point, const double record[],
                              CospinStored stored)
{
  double coordinates[64];

  PetscFunctionBeginUser;
  store->shard.group = group;
  coordinates_of(store->deck, point, coordinates);
  PetscCall(CospinShardAdd(&store->shard, &store->layout, point, coordinates, store->deck->num_axes, record,
                           stored));
  if (CospinShardIsDue(&store->shard, 0.0) || store->checkpoint[0]) PetscCall(publish_shard(store));
  if (!store->shard.waiting && store->checkpoint[0]) (void)unlink(store->checkpoint);
  store->checkpoint[0] = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStoreFlush(CospinStore store, double seconds)
{
  PetscFunctionBeginUser;
  if (CospinShardIsDue(&store->shard, seconds)) PetscCall(publish_shard(store));
  PetscFunctionReturn(0);
}

/* By the point's coordinates, as the next run will look for it. */
static PetscErrorCode name_checkpoint(CospinStore store, PetscInt64 point, double coordinates[])
{
  PetscFunctionBeginUser;
  coordinates_of(store->deck, point, coordinates);
  PetscCall(CospinCheckpointFileName(&store->parts, store->deck->num_axes, coordinates, store->checkpoint,
                                     sizeof(store->checkpoint)));
  PetscFunctionReturn(0);
}

/* The name is remembered until the point is finished (StorePut), by which the file goes. */
PetscErrorCode CospinStoreKeep(CospinStore store, PetscInt64 point, const double record[],
                               CospinStored stored, size_t count, const double checkpoint[])
{
  CospinDatasetTexts texts;
  double coordinates[64];
  char why[1024];

  PetscFunctionBeginUser;
  PetscCall(name_checkpoint(store, point, coordinates));
  PetscCall(get_texts(store, &texts));
  (void)mkdir(store->parts.folder, 0777);
  PetscCall(CospinCheckpointFileWrite(store->checkpoint, &store->layout, &texts, coordinates,
                                      store->deck->num_axes, record, stored, count, checkpoint, why,
                                      sizeof(why)));
  if (why[0]) fprintf(stderr, "cospin: %s; an older checkpoint of this point stays\n", why);
  PetscFunctionReturn(0);
}

/* Without a list of checkpoints: their names follow from the coordinates. has_checkpoints spares a look at
   the disk for each point of a run that has none. */
PetscErrorCode CospinStoreResume(CospinStore store, PetscInt64 point, PetscBool *found, double record[],
                                 CospinStored *stored, size_t *count, double **checkpoint)
{
  double coordinates[64];
  char why[1024] = "";

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  if (!store->has_checkpoints) PetscFunctionReturn(0);
  PetscCall(name_checkpoint(store, point, coordinates));
  *found = (PetscBool)(access(store->checkpoint, F_OK) == 0);
  if (*found)
    PetscCall(CospinCheckpointFileRead(store->checkpoint, &store->layout, store->deck->num_axes, record,
                                       stored, count, checkpoint, why, sizeof(why)));
  if (why[0]) PetscCall(CospinSearchPutAside(store->checkpoint, why, "its point starts again"));
  *found = (PetscBool)(*found && !why[0]);
  if (!*found) store->checkpoint[0] = 0;
  PetscFunctionReturn(0);
}

/* The last resort of points that cannot be published where they belong. With run, group and process in its
   name: several groups may end up in one folder. The name begins as a shard's does, so that moving the
   file is all that is to be done. */
static PetscErrorCode rescue(CospinStore store)
{
  const char *folder = getenv("TMPDIR");
  char name[PETSC_MAX_PATH_LEN], why[1024];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s/points-%05d-%05d-%ld.h5",
                          folder && folder[0] ? folder : "/tmp", store->parts.run, store->shard.group,
                          (long)getpid()));
  PetscCall(publish(store, name, why, sizeof(why)));
  if (why[0]) {
    fprintf(stderr, "cospin: %s\ncospin: %d finished points are lost\n", why, store->shard.waiting);
  } else {
    fprintf(stderr,
            "cospin: finished points are in %s: move that file into %s and give the same command again\n",
            name, store->parts.folder);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStorePublish(CospinStore store, PetscBool *whole)
{
  PetscFunctionBeginUser;
  if (store->shard.waiting) PetscCall(publish_shard(store));
  *whole = (PetscBool)(store->shard.waiting == 0);
  if (!*whole) PetscCall(rescue(store));
  PetscFunctionReturn(0);
}

/* ---- The archive --------------------------------------------------------------------------------------- */

/* NaN and outcome 0 everywhere: nothing has been run. On rank 0 alone: all records of the grid at once. */
static PetscErrorCode clear_records(CospinStore store, PetscInt64 num_points, double **records)
{
  const size_t length = (size_t)store->table->layout.record_length;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(length * (size_t)num_points, records));
  for (PetscInt64 p = 0; p < num_points; p++) CospinTableClear(store->table, *records + (size_t)p * length);
  PetscFunctionReturn(0);
}

/* The archive holds just these records, to the bit? Missing integers are stored as 0. Missing integers are
   NaN in records and 0 in the file. Read back through the file system after the rename: shards are removed
   right behind this. */
static PetscErrorCode verify(CospinStore store, const double records[], char why[], size_t size)
{
  const CospinLayout *layout = &store->table->layout;
  const size_t num = (size_t)CospinDeckNumPoints(store->deck), length = (size_t)layout->record_length;
  CospinDatasetContent content;

  PetscFunctionBeginUser;
  if (CospinDatasetRead(store->file, layout, &content, why, size)) PetscFunctionReturn(0);
  for (int v = 0; v < layout->num_variables; v++) {
    const CospinVariable *variable = &layout->variables[v];
    for (size_t k = 0; k < num * (size_t)variable->size; k++) {
      const size_t at =
          k / (size_t)variable->size * length + (size_t)variable->offset + k % (size_t)variable->size;
      const double want = records[at], have = content.records[at];
      if (want == have || (isnan(want) && (isnan(have) || variable->storage == COSPIN_INTEGER))) continue;
      PetscCall(PetscSNPrintf(why, size, "%s reads back wrong: %s", store->file, variable->name));
    }
  }
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}

/* All shards are in memory by now, as they would be in one run. PETSc's errors are returned here: memory
   for the image may be missing, and then the shards stay. */
static PetscErrorCode write_archive(CospinStore store, const CospinSearch *search, const char history[],
                                    char why[], size_t size)
{
  CospinDatasetTexts texts = {.title = store->deck->title,
                              .source = store->deck->source,
                              .deck_verbatim = store->deck->text,
                              .deck_completed = store->completed,
                              .identity = store->identity,
                              .history = history,
                              .num_stored = search->num_stored,
                              .stored = search->stored};

  PetscFunctionBeginUser;
  PetscCall(CospinProvenanceFinish(store->provenance));
  PetscCall(CospinProvenanceGet(store->provenance, &texts.num_provenance, &texts.provenance));
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  if (CospinDatasetWrite(store->file, &store->table->layout, search->records, &texts, why, size) == 0) {
    PetscCall(verify(store, search->records, why, size));
  } else if (!why[0]) {
    PetscCall(PetscSNPrintf(why, size, "cannot write %s: out of memory", store->file));
  }
  PetscCall(PetscPopErrorHandler());
  PetscFunctionReturn(0);
}

/* Whether every point of the grid has an outcome, good or bad. Bad outcomes count: they are told and not
   tried again, unless --retry. */
static PetscBool all_done(CospinStore store, const double records[])
{
  const PetscInt64 num = CospinDeckNumPoints(store->deck);
  const size_t length = (size_t)store->table->layout.record_length;
  PetscInt64 done = 0;

  for (PetscInt64 p = 0; p < num; p++)
    done += records[(size_t)p * length + (size_t)store->table->outcome] != 0;
  return (PetscBool)(done == num);
}

/* Rank 0: records of all points that are known, and the archive from them. An archive that is there
   already and says the same as the deck is not written again (`current`): a command that finds everything
   done changes no file. */
static PetscErrorCode assemble(CospinStore store, double **records, PetscBool *whole)
{
  CospinSearch search = {.store = store};
  char why[2048] = "", marker[PETSC_MAX_PATH_LEN], *history = NULL;

  PetscFunctionBeginUser;
  search.history = &history;
  PetscCall(clear_records(store, CospinDeckNumPoints(store->deck), records));
  search.records = *records;
  PetscCall(PetscCalloc1((size_t)CospinDeckNumPoints(store->deck), &search.stored));
  PetscCall(CospinSearchAll(&search, why, sizeof(why)));
  if (!why[0] && (search.num_shards || !search.current))
    PetscCall(write_archive(store, &search, history, why, sizeof(why)));
  PetscCall(PetscFree(history));
  for (int k = 0; k < search.num_stored; k++) PetscCall(CospinStoredDestroy(&search.stored[k]));
  PetscCall(PetscFree(search.stored));
  if (why[0]) {
    fprintf(stderr, "cospin: %s\ncospin: the finished points are in %s: give the same command again\n", why,
            store->parts.folder);
    *whole = PETSC_FALSE;
  } else if (*whole) {
    CospinPartsRemoveShards(&store->parts);
    if (all_done(store, *records)) CospinPartsRemoveCheckpoints(&store->parts);
    CospinStoreOverwriteName(store, marker, sizeof(marker));
    (void)unlink(marker);
  }
  PetscFunctionReturn(0);
}

/* Collective. A rank that could not publish keeps the archive from being called whole, though it is
   written with what there is. */
PetscErrorCode CospinStoreFinish(CospinStore store, double **records, PetscBool *whole)
{
  PetscFunctionBeginUser;
  *records = NULL;
  PetscCall(CospinStorePublish(store, whole));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, whole, 1, MPIU_BOOL, MPI_LAND, store->world)); /* all shards are there */
  if (store->rank == 0) PetscCall(assemble(store, records, whole));
  PetscCallMPI(MPI_Bcast(whole, 1, MPIU_BOOL, 0, store->world));
  store->failed = (PetscBool) !*whole;
  PetscFunctionReturn(0);
}
