/*
   The file of an unfinished point: a dataset with one row as a shard has it, and behind it the numbers of
   the task at work (variables checkpoint_size and checkpoint_memory). It is a dataset so that it has its
   checksums and its deck, and `show` reads it as it reads a shard.

   Its name is a hash of the point's coordinates: whoever takes the point in the next run finds it without
   a list, whatever the number of groups is then, and a newer one replaces it by the same rename.

   A point that finishes removes its checkpoint; one that is found beside a finished record is older than it
   and is ignored.
*/
#include "checkpoint_file.h"
#include <limits.h>
#include <stdint.h>

static const char size_name[] = "checkpoint_size", memory_name[] = "checkpoint_memory";

/* The text of a coordinate, so that another rounding of an axis's values does not matter; FNV-1a. 64 bits:
   two of 10^6 points meet with a chance of 3e-8. */
PetscErrorCode CospinCheckpointFileName(const CospinParts *parts, int num_axes, const double coordinates[],
                                        char name[], size_t size)
{
  uint64_t sum = UINT64_C(0xcbf29ce484222325);

  PetscFunctionBeginUser;
  for (int a = 0; a < num_axes; a++) {
    char text[32];
    PetscCall(PetscSNPrintf(text, sizeof(text), "%.12e ", coordinates[a]));
    for (const char *c = text; *c; c++) sum = (sum ^ (uint64_t)*c) * UINT64_C(0x100000001b3);
  }
  PetscCall(PetscSNPrintf(name, size, "%s/checkpoint-%016llx.h5", parts->folder, (unsigned long long)sum));
  PetscFunctionReturn(0);
}

/* A shard's layout, and the memory behind its records. Arrays are owned by the caller (free_layout).
   Without numbers (a checkpoint between two tasks) there is no second variable: HDF5 has no use for an
   empty dimension. */
static PetscErrorCode create_layout(const CospinLayout *from, int count, CospinLayout *layout)
{
  const int num = from->num_variables, along = from->num_dimensions;
  CospinVariable *variables;
  CospinDimension *dimensions;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)num + 2, &variables));
  PetscCall(PetscMalloc1((size_t)along + 1, &dimensions));
  PetscCall(PetscArraycpy(variables, from->variables, num));
  PetscCall(PetscArraycpy(dimensions, from->dimensions, along));
  variables[num] = (CospinVariable){.storage = COSPIN_REAL,
                                    .dimension = -1,
                                    .offset = from->record_length,
                                    .size = 1,
                                    .units = "1",
                                    .long_name = "numbers in the memory of the unfinished task"};
  variables[num + 1] = (CospinVariable){.storage = COSPIN_REAL,
                                        .dimension = along,
                                        .offset = from->record_length + 1,
                                        .size = count,
                                        .units = "1",
                                        .long_name = "memory of the unfinished task"};
  dimensions[along] = (CospinDimension){"checkpoint_number", count, NULL, "1", "place in the memory"};
  PetscCall(PetscStrncpy(variables[num].name, size_name, sizeof(variables[num].name)));
  PetscCall(PetscStrncpy(variables[num + 1].name, memory_name, sizeof(variables[num + 1].name)));
  *layout = *from;
  layout->variables = variables;
  layout->dimensions = dimensions;
  layout->num_variables = num + (count ? 2 : 1);
  layout->num_dimensions = along + (count ? 1 : 0);
  layout->record_length = from->record_length + 1 + count;
  PetscFunctionReturn(0);
}

/* Cast away const: the layout was built here and only lent as constant. */
static PetscErrorCode free_layout(CospinLayout *layout)
{
  CospinVariable *variables = (CospinVariable *)layout->variables;
  CospinDimension *dimensions = (CospinDimension *)layout->dimensions;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(variables));
  PetscCall(PetscFree(dimensions));
  PetscFunctionReturn(0);
}

/* Through a shard of one point, published in the same way. Stored states are lent for that, and taken back
   before the shard is freed. */
PetscErrorCode CospinCheckpointFileWrite(const char name[], const CospinLayout *layout,
                                         const CospinDatasetTexts *texts, const double coordinates[],
                                         int num_axes, const double record[], CospinStored stored,
                                         size_t count, const double checkpoint[], char why[], size_t why_size)
{
  const size_t length = (size_t)(layout->record_length - num_axes);
  CospinShard shard = {0};
  CospinLayout whole;
  double *all;

  PetscFunctionBeginUser;
  if (count > INT_MAX / 2) {
    PetscCall(PetscSNPrintf(why, why_size, "cannot write %s: %zu numbers are too many", name, count));
    PetscFunctionReturn(0);
  }
  PetscCall(create_layout(layout, (int)count, &whole));
  PetscCall(PetscMalloc1(length + 1 + count, &all));
  PetscCall(PetscArraycpy(all, record, length));
  all[length] = (double)count;
  PetscCall(PetscArraycpy(all + length + 1, checkpoint, count));
  PetscCall(CospinShardAdd(&shard, &whole, 0, coordinates, num_axes, all, stored));
  PetscCall(PetscFree(all));
  PetscCall(CospinShardPublish(&shard, &whole, texts, name, why, why_size));
  shard.stored[0] = NULL;
  PetscCall(CospinShardFree(&shard));
  PetscCall(free_layout(&whole));
  PetscFunctionReturn(0);
}

/* The size stands in a variable of its own, for the layout of the others depends on it. */
static PetscErrorCode read_size(const char name[], size_t *count, char why[], size_t why_size)
{
  CospinVariable row = {.storage = COSPIN_REAL, .dimension = -1, .size = 1};
  const CospinLayout layout = {.num_variables = 1, .variables = &row, .record_length = 1};
  CospinDatasetContent content;

  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(row.name, size_name, sizeof(row.name)));
  if (CospinDatasetRead(name, &layout, &content, why, why_size)) PetscFunctionReturn(0);
  if (content.num_points == 1 && content.records[0] >= 0 && content.records[0] <= INT_MAX / 2) {
    *count = (size_t)content.records[0];
  } else {
    PetscCall(PetscSNPrintf(why, why_size, "cannot read %s: it is no checkpoint", name));
  }
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}

/* Twice: once for the size, then with a layout that has room for it. States go to the caller, who frees
   them. */
PetscErrorCode CospinCheckpointFileRead(const char name[], const CospinLayout *layout, int num_axes,
                                        double record[], CospinStored *stored, size_t *count,
                                        double **checkpoint, char why[], size_t why_size)
{
  const size_t length = (size_t)(layout->record_length - num_axes);
  CospinDatasetContent content;
  CospinLayout whole;
  PetscErrorCode code = 0;

  PetscFunctionBeginUser;
  why[0] = 0;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  PetscCall(read_size(name, count, why, why_size));
  if (!why[0]) {
    PetscCall(create_layout(layout, (int)*count, &whole));
    code = CospinDatasetRead(name, &whole, &content, why, why_size);
    PetscCall(free_layout(&whole));
  }
  PetscCall(PetscPopErrorHandler());
  if (code || why[0]) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(record, content.records + num_axes, length));
  PetscCall(PetscMalloc1(*count, checkpoint));
  PetscCall(PetscArraycpy(*checkpoint, content.records + num_axes + length + 1, *count));
  *stored = content.stored[0];
  content.stored[0] = NULL;
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}
