/*
   All stored states of a file, for the store of a run: the other way of states.c.

   Damage in one of the arrays makes the whole group unreadable; the run then computes its points again, as it
   does with a damaged shard.
*/
#include "h5.h"
#include <math.h>
#include <stdlib.h>

/* A group and the arrays that are read of it. */
typedef struct {
  hid_t id;
  const CospinStoredGroup *group;
  size_t num_places, num_elements;
  double *first, *count, **sizes, **columns; /* the last two columns: value_re, value_im */
  int bad;
} Reader;

/* All values of an array, of which there must be `size`; owned by the caller (free). */
static double *read_array(Reader *reader, const char name[], size_t size)
{
  hid_t set = H5Dopen2(reader->id, name, H5P_DEFAULT);
  const hssize_t found = CospinH5Count(set);
  double *values = NULL;
  if (found >= 0 && (size_t)found == size) values = (double *)calloc(size + 1, sizeof(double));
  if (!values || H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) reader->bad = 1;
  H5Dclose(set);
  return values;
}

/* Rows that do not follow each other, or are more than there are, are damage. */
static void count_elements(Reader *reader)
{
  const double most = 1e15; /* whole numbers, exactly */
  double next = 0;
  for (size_t p = 0; !reader->bad && p < reader->num_places; p++) {
    const double count = reader->count[p];
    if (reader->first[p] != next || !(count >= 0 && count <= most) || count != floor(count)) reader->bad = 1;
    next += count;
    if (next > most) reader->bad = 1;
  }
  reader->num_elements = reader->bad ? 0 : (size_t)next;
}

/* All arrays of a group are held at once, for a state's rows are spread over all of them. */
static PetscErrorCode open_arrays(Reader *reader)
{
  const CospinStoredGroup *group = reader->group;
  const char *name;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)group->num_components, &reader->sizes));
  PetscCall(PetscCalloc1((size_t)group->num_columns + 2, &reader->columns));
  reader->first = read_array(reader, "first", reader->num_places);
  reader->count = read_array(reader, "count", reader->num_places);
  count_elements(reader);
  for (int c = 0; c < group->num_components && !reader->bad; c++)
    reader->sizes[c] = read_array(reader, group->sizes[c].name, reader->num_places);
  for (int k = 0; k < group->num_columns + 2 && !reader->bad; k++) {
    name = k < group->num_columns    ? group->columns[k].name
           : k == group->num_columns ? "value_re"
                                     : "value_im";
    reader->columns[k] = read_array(reader, name, reader->num_elements);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode close_arrays(Reader *reader)
{
  PetscFunctionBeginUser;
  free(reader->first);
  free(reader->count);
  for (int c = 0; c < reader->group->num_components; c++) free(reader->sizes[c]);
  for (int k = 0; k < reader->group->num_columns + 2; k++) free(reader->columns[k]);
  PetscCall(PetscFree(reader->sizes));
  PetscCall(PetscFree(reader->columns));
  PetscFunctionReturn(0);
}

/* Rows of one place, as the task that stored them had them. */
static PetscErrorCode take_state(const Reader *reader, size_t place, int time, CospinStored stored)
{
  const CospinStoredGroup *group = reader->group;
  const size_t first = (size_t)reader->first[place], count = (size_t)reader->count[place];
  CospinStoredState state;
  double *sizes, *labels;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)group->num_components, &sizes, (size_t)group->num_columns, &labels));
  for (int c = 0; c < group->num_components; c++) sizes[c] = reader->sizes[c][place];
  PetscCall(
      CospinStoredAdd(stored, group->task, time, group->num_components, sizes, group->num_columns, &state));
  for (size_t i = first; i < first + count; i++) {
    for (int k = 0; k < group->num_columns; k++) labels[k] = reader->columns[k][i];
    PetscCall(CospinStoredStateAppend(
        state, labels,
        CMPLX(reader->columns[group->num_columns][i], reader->columns[group->num_columns + 1][i])));
  }
  PetscCall(PetscFree2(sizes, labels));
  PetscFunctionReturn(0);
}

/* States of a point in the file. A dimension that merely counts may have been shorter, or longer, on the grid
 * that the file was written for. */
static size_t count_times(Reader *reader, size_t num_points)
{
  const CospinDimension *time = &reader->group->time;
  const size_t wanted = (size_t)PetscMax(time->size, 1);
  hid_t set = H5Dopen2(reader->id, "first", H5P_DEFAULT), space = H5Dget_space(set);
  const hssize_t places = H5Sget_simple_extent_npoints(space);
  const size_t found = places > 0 ? (size_t)places / num_points : 0;
  H5Sclose(space);
  H5Dclose(set);
  return time->size && !time->values && found > 0 ? found : wanted;
}

static PetscErrorCode read_group(Reader *reader, size_t num_points, CospinStored stored[])
{
  const size_t num_times = count_times(reader, num_points);

  PetscFunctionBeginUser;
  reader->num_places = num_points * num_times;
  PetscCall(open_arrays(reader));
  for (size_t place = 0; !reader->bad && place < reader->num_places; place++) {
    const size_t point = place / num_times;
    const int time = (int)(place % num_times);
    if (reader->count[place] == 0 || time >= PetscMax(reader->group->time.size, 1)) continue;
    if (!stored[point]) PetscCall(CospinStoredCreate((PetscInt64)point, &stored[point]));
    PetscCall(take_state(reader, place, time, stored[point]));
  }
  PetscCall(close_arrays(reader));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStatesRead(hid_t file, const CospinLayout *layout, size_t num_points,
                                CospinStored stored[], herr_t *status)
{
  PetscFunctionBeginUser;
  *status = 0;
  for (int g = 0; g < layout->num_groups && *status >= 0; g++) {
    Reader reader = {.group = &layout->groups[g]};
    char path[128];
    PetscCall(PetscSNPrintf(path, sizeof(path), "states/%s", reader.group->name));
    reader.id = H5Gopen2(file, path, H5P_DEFAULT);
    reader.bad = reader.id < 0;
    if (!reader.bad) PetscCall(read_group(&reader, num_points, stored));
    H5Gclose(reader.id);
    if (reader.bad) *status = -1;
  }
  PetscFunctionReturn(0);
}
