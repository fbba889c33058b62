/* The points of one group that wait to be published, and those of its newest shard. */
#pragma once
#include <cospin/dataset/provenance.h>
#include <cospin/store/parts.h>
#include <cospin/store/table.h>

typedef struct {
  int group, number;       /* of the shard that is being filled, from 0 */
  int num_points, waiting; /* in it; of these not yet published */
  int capacity;
  size_t bytes;         /* of what is in it */
  CospinStored *stored; /* [num_points] owned, NULL: none; their points are places in the shard */
  double *records;      /* [num_points][num_axes + record_length], coordinates in front */
  double *numbers;      /* [num_points] points of the grid */
  double published;     /* when, MPI_Wtime */
  double cost;          /* seconds that it took */
  PetscBool told;       /* a failure has been told */
} CospinShard;

/* Layout of shards: a list of points, each with its coordinates and what the table has. Owned by the caller,
   its arrays to be freed with CospinShardLayoutFree; the size and values of its one axis are set when it is
   written. */
PetscErrorCode CospinShardLayoutCreate(CospinTable table, CospinLayout *layout);
PetscErrorCode CospinShardLayoutFree(CospinLayout *layout);

/* Takes `stored` (which may be NULL), copies the rest. */
PetscErrorCode CospinShardAdd(CospinShard *shard, const CospinLayout *layout, PetscInt64 point,
                              const double coordinates[], int num_axes, const double record[],
                              CospinStored stored);
/* Publishes the shard's points under `name`, replacing what it held before. *why is "" if that worked. */
PetscErrorCode CospinShardPublish(CospinShard *shard, const CospinLayout *layout,
                                  const CospinDatasetTexts *texts, const char name[], char why[],
                                  size_t why_size);
/* Whether publishing in so many seconds costs little beside the work since the last time. */
PetscBool CospinShardIsDue(const CospinShard *shard, double seconds);
/* Begins the next shard if this one is full. */
PetscErrorCode CospinShardTurn(CospinShard *shard);
PetscErrorCode CospinShardFree(CospinShard *shard);
