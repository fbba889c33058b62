/*
   What is kept of one point that is not finished: a dataset of this one point, as a shard has it, and the
   memory of the task that was at work as one more variable. It stands in FILE.parts under a name made from
   the point's coordinates, is replaced with every newer one, and goes when the point is published.
*/
#pragma once
#include <cospin/store/shard.h>

/* Name of the checkpoint of the point at these coordinates. */
PetscErrorCode CospinCheckpointFileName(const CospinParts *parts, int num_axes, const double coordinates[],
                                        char name[], size_t size);

/* Not collective. layout: of shards. record: COSPIN_NOT_RUN where a task has not finished. stored (may be
   NULL) and checkpoint[count] are borrowed. *why is "" if that worked. */
PetscErrorCode CospinCheckpointFileWrite(const char name[], const CospinLayout *layout,
                                         const CospinDatasetTexts *texts, const double coordinates[],
                                         int num_axes, const double record[], CospinStored stored,
                                         size_t count, const double checkpoint[], char why[],
                                         size_t why_size);

/* Not collective. *stored (NULL: none) and *checkpoint are owned by the caller. *why is "" if that worked;
   nothing is changed or allocated otherwise. */
PetscErrorCode CospinCheckpointFileRead(const char name[], const CospinLayout *layout, int num_axes,
                                        double record[], CospinStored *stored, size_t *count,
                                        double **checkpoint, char why[], size_t why_size);
