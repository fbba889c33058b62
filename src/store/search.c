/*
   What is finished already: points of archive and shards, known by their coordinates.

   A point is known by its coordinates, not by its number, so that axes may grow and change their order of
   values. The archive is looked at first and shards in the order of their runs, the newest record of a
   point winning. What is damaged is renamed and said; what belongs to another deck stops the run, for it
   would be overwritten at the end.

   In three steps: read the archive; read every shard in the order of runs, each record replacing an older one
   of the same coordinates; what is then without a record is missing. A deck whose meaning differs is told by
   the first line of the identity that differs.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "identity.h"
#include "store_impl.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Index on an axis, looked for from *hint on, which follows; -1 if it is not there. The same rule with
   other ends may give a value that differs by a rounding. From the last place on, for points of a shard
   follow each other: linear in all, not quadratic. */
static int index_on_axis(const CospinAxis *axis, double value, int *hint)
{
  double scale = fabs(value);

  for (int k = 0; k < axis->size; k++) {
    const int at = (*hint + k) % axis->size;
    const double other = axis->values[at];
    if (other != value && !(fabs(other - value) <= 4 * PETSC_MACHINE_EPSILON * PetscMax(scale, fabs(other))))
      continue;
    *hint = at;
    return at;
  }
  return -1;
}

/* The number of the point at these coordinates; -1 if the grid has none there. */
static PetscInt64 point_at(CospinDeck deck, const double coordinates[], int hints[])
{
  PetscInt64 point = 0;

  for (int a = 0; a < deck->num_axes; a++) {
    const int index = index_on_axis(&deck->axes[a], coordinates[a], &hints[a]);
    if (index < 0) return -1;
    point = point * deck->axes[a].size + index;
  }
  return point;
}

/* Each run's line once, however many shards it has left. */
static PetscErrorCode add_history(char **history, const char lines[])
{
  PetscFunctionBeginUser;
  while (*lines) {
    const char *end = strchr(lines, '\n');
    const size_t length = end ? (size_t)(end - lines) : strlen(lines),
                 before = *history ? strlen(*history) : 0;
    char *line;
    PetscCall(PetscMalloc1(length + 1, &line));
    (void)memcpy(line, lines, length);
    line[length] = 0;
    if (length && (!*history || !strstr(*history, line))) {
      PetscCall(PetscRealloc(before + length + 2, history));
      (void)snprintf(*history + before, length + 2, "%s%s", before ? "\n" : "", line);
    }
    PetscCall(PetscFree(line));
    lines += length + (end ? 1 : 0);
  }
  PetscFunctionReturn(0);
}

/* The newest record of a point counts, and its states with it. */
static PetscErrorCode place(CospinSearch *search, PetscInt64 point, const double record[],
                            CospinStored *stored)
{
  const size_t length = (size_t)search->store->table->layout.record_length;
  double *to = search->records + (size_t)point * length;

  PetscFunctionBeginUser;
  for (int k = 0; to[search->store->table->outcome] != 0 && k < search->num_stored; k++) {
    if (search->stored[k]->point != point) continue;
    PetscCall(CospinStoredDestroy(&search->stored[k]));
    search->stored[k] = search->stored[--search->num_stored];
  }
  PetscCall(PetscArraycpy(to, record, length));
  if (!*stored) PetscFunctionReturn(0);
  (*stored)->point = point;
  search->stored[search->num_stored++] = *stored;
  *stored = NULL;
  PetscFunctionReturn(0);
}

/* Points that the grid no longer has (strangers) would be dropped from the archive: that needs the user's
   word. Bad points count as done unless --retry, for they would most likely end as badly again. */
static PetscErrorCode take_points(CospinSearch *search, CospinDatasetContent *content, PetscInt64 *strangers)
{
  const CospinStore store = search->store;
  const size_t length = (size_t)store->table->layout.record_length;
  int hints[64] = {0};

  PetscFunctionBeginUser;
  for (size_t p = 0; p < content->num_points; p++) {
    const double *record = content->records + p * length;
    const PetscInt64 point =
        point_at(store->deck, content->coordinates + p * (size_t)store->deck->num_axes, hints);
    const double outcome = record[store->table->outcome];
    if (!(outcome != 0)) continue; /* a gap */
    if (point < 0) {
      ++*strangers;
      continue;
    }
    if (search->done) search->done[point] = (signed char)(outcome > 0 || !search->retry);
    if (search->records) PetscCall(place(search, point, record, &content->stored[p]));
  }
  PetscFunctionReturn(0);
}

/* Whether the file belongs to this deck: that comes first, for what is of another deck need not fit. */
static PetscErrorCode compare_identity(CospinStore store, const char file[], char why[], size_t size,
                                       PetscErrorCode *code)
{
  char *identity;

  PetscFunctionBeginUser;
  *code = CospinDatasetReadText(file, "identity", PETSC_FALSE, &identity, why, size);
  if (!*code) PetscCall(CospinIdentityCompare(file, identity, store->identity, why, size));
  PetscCall(PetscFree(identity));
  PetscFunctionReturn(0);
}

/* why: "" if all is well. A file that somebody holds open for writing is not damaged, whatever its
   checksums say. */
static PetscErrorCode search_file(CospinSearch *search, const char file[], PetscBool *damaged, char why[],
                                  size_t size)
{
  const CospinStore store = search->store;
  CospinDatasetContent content;
  PetscInt64 strangers = 0;
  PetscErrorCode code;

  PetscFunctionBeginUser;
  why[0] = 0;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  PetscCall(compare_identity(store, file, why, size, &code));
  if (!code && !why[0]) code = CospinDatasetRead(file, &store->table->layout, &content, why, size);
  PetscCall(PetscPopErrorHandler());
  *damaged = (PetscBool)(code != 0 && !CospinDatasetIsHeld(file));
  if (why[0]) PetscFunctionReturn(0);
  if (search->done) PetscCall(CospinDatasetWarnOfSeal(file)); /* once: at the beginning */
  PetscCall(take_points(search, &content, &strangers));
  if (strangers) {
    PetscCall(PetscSNPrintf(why, size,
                            "%s holds %" PetscInt64_FMT
                            " finished points that this deck's grid lacks (-o names another file, "
                            "--overwrite drops them)",
                            file, strangers));
  }
  if (!why[0] && search->history) PetscCall(add_history(search->history, content.history));
  search->current = (PetscBool)(strcmp(content.completed, store->completed) == 0);
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}

/* Renamed and not removed: somebody may want to look at it. */
PetscErrorCode CospinSearchPutAside(const char name[], const char why[], const char loss[])
{
  char aside[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(aside, sizeof(aside), "%s.damaged", name));
  if (rename(name, aside)) aside[0] = 0;
  fprintf(stderr, "cospin: warning: %s; %s%s%s\n", why, loss, aside[0] ? ", it is kept as " : "", aside);
  PetscFunctionReturn(0);
}

/* A damaged shard is put aside and told; its points are computed again. */
static PetscErrorCode search_shards(CospinSearch *search, char why[], size_t size)
{
  int num;
  char **names;

  PetscFunctionBeginUser;
  PetscCall(CospinPartsList(&search->store->parts, &num, &names));
  for (int k = 0; k < num && !why[0]; k++) {
    PetscBool damaged;
    PetscCall(search_file(search, names[k], &damaged, why, size));
    search->num_shards += !damaged;
    if (!damaged) continue;
    PetscCall(CospinSearchPutAside(names[k], why, "its points are computed again"));
    why[0] = 0;
  }
  PetscCall(CospinPartsFreeList(num, &names));
  PetscFunctionReturn(0);
}

/* Half-finished points of another deck are in the way as its finished ones are. */
static PetscErrorCode search_checkpoints(CospinSearch *search, char why[], size_t size)
{
  PetscErrorCode code;
  char **names;
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinPartsListCheckpoints(&search->store->parts, &num, &names));
  search->store->has_checkpoints = (PetscBool)(num > 0);
  for (int k = 0; k < num && !why[0]; k++) {
    PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
    PetscCall(compare_identity(search->store, names[k], why, size, &code));
    PetscCall(PetscPopErrorHandler());
    if (!code || CospinDatasetIsHeld(names[k])) continue;
    PetscCall(CospinSearchPutAside(names[k], why, "its point starts again"));
    why[0] = 0;
  }
  PetscCall(CospinPartsFreeList(num, &names));
  PetscFunctionReturn(0);
}

void CospinStoreOverwriteName(CospinStore store, char name[], size_t size)
{
  (void)PetscSNPrintf(name, size, "%s/overwrite", store->parts.folder);
}

/* With the marker of --overwrite the archive is not looked at, also in a run that goes on with an
   overwriting one. */
PetscErrorCode CospinSearchAll(CospinSearch *search, char why[], size_t size)
{
  const CospinStore store = search->store;
  char marker[PETSC_MAX_PATH_LEN];
  PetscBool damaged;

  PetscFunctionBeginUser;
  why[0] = 0;
  CospinStoreOverwriteName(store, marker, sizeof(marker));
  if (access(marker, F_OK) != 0 && access(store->file, F_OK) == 0)
    PetscCall(search_file(search, store->file, &damaged, why, size));
  if (why[0]) {
    PetscCall(PetscStrlcat(why,
                           strstr(why, "--overwrite") ? ""
                           : CospinDatasetIsHeld(store->file)
                               ? " (-o names another file)"
                               : " (--overwrite replaces it, -o names another file)",
                           size));
    PetscFunctionReturn(0);
  }
  PetscCall(search_shards(search, why, size));
  if (!why[0]) PetscCall(search_checkpoints(search, why, size));
  PetscFunctionReturn(0);
}
