/*
   A shard is written again, under its name, with every batch until it is full: there are few files at the
   end, and no batch costs more than a full shard does.

   How often: as soon as the work that would be lost is twenty times what publishing costs, so that a kill
   costs seconds and publishing at most a twentieth. A shard is a dataset whose one axis is a list of points;
   `show` and h5py read it as they read the archive.
*/
#include <cospin/store/shard.h>

/* A shard is written again with each batch, hence a bound; 1 MiB is some thousand points without states. */
enum { FULL_BYTES = 1 << 20 };

/* What publishing cost last time is the estimate for the next one; on a slow network disk pauses grow by
   themselves. */
static const double least_pause = 0.02, work_per_cost = 20.0; /* publishing takes 5 % at most */

/* A shard's points are a list: coordinates become variables in front of the table's own. */
static PetscErrorCode copy_variables(CospinTable table, CospinVariable variables[])
{
  const CospinLayout *from = &table->layout;

  PetscFunctionBeginUser;
  for (int a = 0; a < from->num_axes; a++) {
    CospinVariable *variable = &variables[a];
    PetscCall(PetscArrayzero(variable, 1));
    variable->dimension = -1;
    variable->offset = a;
    variable->size = 1;
    PetscCall(PetscSNPrintf(variable->name, sizeof(variable->name), "%s", from->axes[a].name));
    PetscCall(PetscSNPrintf(variable->units, sizeof(variable->units), "%s", from->axes[a].units));
    PetscCall(PetscSNPrintf(variable->long_name, sizeof(variable->long_name), "%s", from->axes[a].long_name));
  }
  for (int v = 0; v < from->num_variables; v++) {
    variables[from->num_axes + v] = from->variables[v];
    variables[from->num_axes + v].offset += from->num_axes;
  }
  PetscFunctionReturn(0);
}

/* A shard has points that are scattered over the grid, so it cannot have the grid's shape: its one axis is
   the list. */
PetscErrorCode CospinShardLayoutCreate(CospinTable table, CospinLayout *layout)
{
  const CospinLayout *from = &table->layout;
  CospinVariable *variables;
  CospinDimension *axis;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(from->num_axes + from->num_variables), &variables));
  PetscCall(PetscMalloc1(1, &axis));
  *axis = (CospinDimension){COSPIN_POINT_LIST, 0, NULL, "1", "number of the point in the grid of its run"};
  PetscCall(copy_variables(table, variables));
  *layout = (CospinLayout){.num_axes = 1,
                           .axes = axis,
                           .num_dimensions = from->num_dimensions,
                           .dimensions = from->dimensions,
                           .num_variables = from->num_axes + from->num_variables,
                           .variables = variables,
                           .record_length = from->num_axes + from->record_length,
                           .num_groups = from->num_groups,
                           .groups = from->groups};
  PetscFunctionReturn(0);
}

PetscErrorCode CospinShardLayoutFree(CospinLayout *layout)
{
  CospinVariable *variables = (CospinVariable *)layout->variables;
  CospinDimension *axis = (CospinDimension *)layout->axes;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(variables));
  PetscCall(PetscFree(axis));
  PetscFunctionReturn(0);
}

/* Coordinates stand in front of the point's own record, as in the layout. */
PetscErrorCode CospinShardAdd(CospinShard *shard, const CospinLayout *layout, PetscInt64 point,
                              const double coordinates[], int num_axes, const double record[],
                              CospinStored stored)
{
  double *place;

  PetscFunctionBeginUser;
  if (shard->num_points == shard->capacity) {
    shard->capacity = 2 * shard->capacity + 16;
    PetscCall(PetscRealloc(sizeof(double) * (size_t)layout->record_length * (size_t)shard->capacity,
                           &shard->records));
    PetscCall(PetscRealloc(sizeof(double) * (size_t)shard->capacity, &shard->numbers));
    PetscCall(PetscRealloc(sizeof(CospinStored) * (size_t)shard->capacity, &shard->stored));
  }
  place = shard->records + (size_t)shard->num_points * (size_t)layout->record_length;
  PetscCall(PetscArraycpy(place, coordinates, (size_t)num_axes));
  PetscCall(PetscArraycpy(place + num_axes, record, (size_t)(layout->record_length - num_axes)));
  shard->numbers[shard->num_points] = (double)point;
  shard->stored[shard->num_points] = stored;
  shard->bytes += sizeof(double) * (size_t)layout->record_length;
  for (int k = 0; stored && k < stored->count; k++)
    shard->bytes +=
        sizeof(double) * (size_t)stored->states[k]->count * (size_t)(stored->states[k]->num_columns + 2);
  /* Within a shard states are known by the place of their point in the list. */
  if (stored) stored->point = shard->num_points;
  shard->num_points++;
  shard->waiting++;
  PetscFunctionReturn(0);
}

/* The list has grown since the layout was made: axis and length are put in here. Nothing is lost on a
   failure, since `waiting` stays. */
PetscErrorCode CospinShardPublish(CospinShard *shard, const CospinLayout *layout,
                                  const CospinDatasetTexts *texts, const char name[], char why[],
                                  size_t why_size)
{
  const double start = MPI_Wtime();
  CospinDimension axis = layout->axes[0];
  CospinDatasetTexts all = *texts;
  CospinLayout now = *layout;
  CospinStored *stored;
  PetscErrorCode code;

  PetscFunctionBeginUser;
  why[0] = 0;
  axis.size = shard->num_points;
  axis.values = shard->numbers;
  now.axes = &axis;
  PetscCall(PetscMalloc1((size_t)shard->num_points, &stored));
  for (int k = 0; k < shard->num_points; k++) {
    if (shard->stored[k]) stored[all.num_stored++] = shard->stored[k];
  }
  all.stored = stored;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  code = CospinDatasetWrite(name, &now, shard->records, &all, why, why_size);
  PetscCall(PetscPopErrorHandler());
  PetscCall(PetscFree(stored));
  if (code && !why[0]) PetscCall(PetscSNPrintf(why, why_size, "cannot write %s: out of memory", name));
  if (!code) shard->waiting = 0;
  shard->published = MPI_Wtime();
  shard->cost = shard->published - start;
  PetscFunctionReturn(0);
}

/* Twenty times as much work as publishing costs, by the wall clock. */
PetscBool CospinShardIsDue(const CospinShard *shard, double seconds)
{
  const double pause = PetscMax(least_pause, work_per_cost * shard->cost);

  return (PetscBool)(shard->waiting > 0 && MPI_Wtime() + seconds - shard->published >= pause);
}

/* The next shard begins empty; what is on the disk stays. */
static PetscErrorCode clear(CospinShard *shard)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < shard->num_points; k++) PetscCall(CospinStoredDestroy(&shard->stored[k]));
  shard->num_points = 0;
  shard->bytes = 0;
  PetscFunctionReturn(0);
}

/* A shard that is not on the disk yet is not turned, however full it is. */
PetscErrorCode CospinShardTurn(CospinShard *shard)
{
  PetscFunctionBeginUser;
  if (shard->waiting || shard->bytes < FULL_BYTES) PetscFunctionReturn(0);
  PetscCall(clear(shard));
  shard->number++;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinShardFree(CospinShard *shard)
{
  PetscFunctionBeginUser;
  PetscCall(clear(shard));
  PetscCall(PetscFree(shard->records));
  PetscCall(PetscFree(shard->numbers));
  PetscCall(PetscFree(shard->stored));
  PetscFunctionReturn(0);
}
