/*
   Stored states as HDF5: one group a task, a contiguous ragged array (CF 1.8, 9.3.3). Rows follow each other
   in the order of the grid, time fastest, whatever the order in which the points were finished.

   Why ragged: states of different points have different numbers of elements (windows grow, sectors differ).
   CF calls it a contiguous ragged array: all elements one behind the other, and for each place where its own
   begin and how many they are.

   A row is an element |x><y| of the density matrix: the label's columns, real and imaginary part. What an
   element is, the attribute element_COMPONENT says; elements that are not stored are zero.
*/
#include "h5.h"
#include <math.h>
#include <string.h>

/* One group of stored states that is being written: states by their place in the grid. */
typedef struct {
  const CospinLayout *layout;
  const CospinStoredGroup *group;
  size_t num_places;         /* grid points times times */
  CospinStoredState *states; /* [num_places], NULL where there is none; borrowed */
  size_t num_elements;
  double *buffer; /* as long as anything that is written */
} Writer;

/* By place in the grid, then by time. Each place has one state of this task at most. */
static PetscErrorCode sort_states(Writer *writer, int num, const CospinStored stored[])
{
  const int num_times = PetscMax(writer->group->time.size, 1);

  PetscFunctionBeginUser;
  writer->num_places = CospinLayoutNumPoints(writer->layout) * (size_t)num_times;
  PetscCall(PetscCalloc1(writer->num_places, &writer->states));
  for (int p = 0; p < num; p++) {
    for (int k = 0; k < stored[p]->count; k++) {
      const CospinStoredState state = stored[p]->states[k];
      if (state->task != writer->group->task) continue;
      PetscCheck(stored[p]->point >= 0 && state->time < num_times &&
                     (size_t)stored[p]->point < CospinLayoutNumPoints(writer->layout),
                 PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "A state of point %" PetscInt64_FMT ", time %d",
                 stored[p]->point, state->time);
      writer->states[(size_t)stored[p]->point * (size_t)num_times + (size_t)state->time] = state;
      writer->num_elements += (size_t)state->count;
    }
  }
  PetscFunctionReturn(0);
}

static herr_t write_buffer(hid_t set, const Writer *writer)
{
  return H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, writer->buffer);
}

/* An array shaped like the grid and the times; takes what is in the buffer. Reals for sizes, so that
   "none" can be NaN; integers for counts, where it is 0. */
static herr_t write_places(hid_t group, const Writer *writer, const char name[], CospinStorage storage,
                           const char long_name[], const char *sample)
{
  const CospinLayout *layout = writer->layout;
  const CospinDimension *time = &writer->group->time;
  int bad = 0, rank = layout->num_axes;
  hsize_t shape[H5S_MAX_RANK];
  hid_t set;
  for (int i = 0; i < rank; i++) shape[i] = (hsize_t)layout->axes[i].size;
  if (time->size) shape[rank++] = (hsize_t)time->size;
  set = CospinLayoutCreateArray(group, name, storage, rank, shape);
  bad |= write_buffer(set, writer) < 0;
  bad |= CospinH5SetChecksum(set) < 0;
  for (int i = 0; i < layout->num_axes; i++)
    bad |= CospinLayoutAttachScale(group, set, layout->axes[i].name, i) < 0;
  if (time->size) bad |= CospinLayoutAttachScale(group, set, time->name, rank - 1) < 0;
  bad |= CospinH5SetText(set, "long_name", long_name) < 0;
  bad |= CospinH5SetText(set, "units", "1") < 0;
  if (sample) bad |= CospinH5SetText(set, "sample_dimension", sample) < 0;
  bad |= H5Dclose(set) < 0;
  return bad ? -1 : 0;
}

/* For each place where its rows begin, and how many there are: 0 where no state is stored. `first` could
   be summed up from `count`; a reader of one state should not have to. */
static herr_t write_index(hid_t group, Writer *writer)
{
  double first = 0;
  int bad = 0;
  for (size_t p = 0; p < writer->num_places; p++) {
    writer->buffer[p] = first;
    if (writer->states[p]) first += (double)writer->states[p]->count;
  }
  bad |= write_places(group, writer, "first", COSPIN_INTEGER, "first row of the state", NULL) < 0;
  for (size_t p = 0; p < writer->num_places; p++)
    writer->buffer[p] = writer->states[p] ? (double)writer->states[p]->count : 0;
  bad |= write_places(group, writer, "count", COSPIN_INTEGER, "rows of the state; 0: none is stored",
                      "element") < 0;
  for (int c = 0; c < writer->group->num_components; c++) {
    const CospinStoredColumn *size = &writer->group->sizes[c];
    for (size_t p = 0; p < writer->num_places; p++)
      writer->buffer[p] = writer->states[p] ? writer->states[p]->sizes[c] : NAN;
    bad |= write_places(group, writer, size->name, COSPIN_REAL, size->long_name, NULL) < 0;
  }
  return bad ? -1 : 0;
}

/* A dimension without coordinates, in the way of netCDF-4: a scale of that name and nothing in it. The
   name of the scale is netCDF's own, with the size in it: netCDF readers then know that there is no
   variable behind it. */
static herr_t write_element(hid_t group, const Writer *writer)
{
  const hsize_t size = (hsize_t)writer->num_elements;
  char name[96];
  int bad = 0;
  hid_t set = CospinLayoutCreateArray(group, "element", COSPIN_REAL, 1, &size);
  (void)snprintf(name, sizeof(name), "This is a netCDF dimension but not a netCDF variable. %10llu",
                 (unsigned long long)size);
  bad |= H5DSset_scale(set, name) < 0;
  bad |= H5Dclose(set) < 0;
  return bad ? -1 : 0;
}

/* One column over all states of the group, whatever their sizes are. One column at a time through one
   buffer, so that memory stays that of one. */
static herr_t write_column(hid_t group, const Writer *writer, int column, const char name[],
                           CospinStorage storage, const char long_name[])
{
  const hsize_t size = (hsize_t)writer->num_elements;
  double *to = writer->buffer;
  int bad = 0;
  hid_t set = CospinLayoutCreateArray(group, name, storage, 1, &size);
  for (size_t p = 0; p < writer->num_places; p++) {
    const CospinStoredState state = writer->states[p];
    for (PetscInt64 i = 0; state && i < state->count; i++)
      *to++ = state->rows[(size_t)i * ((size_t)state->num_columns + 2) + (size_t)column];
  }
  bad |= write_buffer(set, writer) < 0;
  bad |= CospinH5SetChecksum(set) < 0;
  bad |= CospinLayoutAttachScale(group, set, "element", 0) < 0;
  bad |= CospinH5SetText(set, "long_name", long_name) < 0;
  bad |= CospinH5SetText(set, "units", "1") < 0;
  bad |= H5Dclose(set) < 0;
  return bad ? -1 : 0;
}

/* Names and kinds of the components: what a reader needs to know what the columns mean. */
static herr_t write_attributes(hid_t group, const CospinStoredGroup *states)
{
  char names[4096] = "", kinds[4096] = "", attribute[128];
  int bad = 0;
  for (int c = 0; c < states->num_components; c++) {
    const CospinStoredComponent *component = &states->components[c];
    (void)PetscStrlcat(names, c ? " " : "", sizeof(names));
    (void)PetscStrlcat(names, component->name, sizeof(names));
    (void)PetscStrlcat(kinds, c ? " " : "", sizeof(kinds));
    (void)PetscStrlcat(kinds, component->kind, sizeof(kinds));
  }
  bad |= CospinH5SetText(group, "components", names) < 0;
  bad |= CospinH5SetText(group, "kinds", kinds) < 0;
  if (states->time.size) bad |= CospinH5SetText(group, "along", states->time.name) < 0;
  for (int c = 0; c < states->num_components; c++) {
    (void)snprintf(attribute, sizeof(attribute), "element_%.100s", states->components[c].name);
    bad |= CospinH5SetText(group, attribute, states->components[c].element) < 0;
  }
  return bad ? -1 : 0;
}

/* A group has its own copies of the axes, so that it is complete by itself. */
static herr_t write_group(hid_t parent, Writer *writer)
{
  const CospinStoredGroup *states = writer->group;
  hid_t group = CospinH5CreateGroup(parent, states->name);
  int bad = 0;
  for (int i = 0; i < writer->layout->num_axes; i++)
    bad |= CospinLayoutWriteDimension(group, &writer->layout->axes[i], writer->buffer) < 0;
  if (states->time.size) bad |= CospinLayoutWriteDimension(group, &states->time, writer->buffer) < 0;
  bad |= write_element(group, writer) < 0;
  bad |= write_index(group, writer) < 0;
  for (int k = 0; k < states->num_columns; k++) {
    const CospinStoredColumn *column = &states->columns[k];
    bad |= write_column(group, writer, k, column->name, column->storage, column->long_name) < 0;
  }
  bad |= write_column(group, writer, states->num_columns, "value_re", COSPIN_REAL, "real part") < 0;
  bad |= write_column(group, writer, states->num_columns + 1, "value_im", COSPIN_REAL, "imaginary part") < 0;
  bad |= write_attributes(group, states) < 0;
  bad |= H5Gclose(group) < 0;
  return bad ? -1 : 0;
}

/* The longest of what goes through the buffer: places, elements, axes. */
PetscErrorCode CospinStatesWrite(hid_t file, const CospinLayout *layout, int num, const CospinStored stored[],
                                 herr_t *status)
{
  int bad = 0;
  hid_t parent;

  PetscFunctionBeginUser;
  *status = 0;
  if (!layout->num_groups) PetscFunctionReturn(0);
  parent = CospinH5CreateGroup(file, "states");
  for (int g = 0; g < layout->num_groups; g++) {
    Writer writer = {.layout = layout, .group = &layout->groups[g]};
    PetscCall(sort_states(&writer, num, stored));
    PetscCall(PetscMalloc1(
        PetscMax(PetscMax(writer.num_places, writer.num_elements), CospinLayoutBufferSize(layout)),
        &writer.buffer));
    bad |= write_group(parent, &writer) < 0;
    PetscCall(PetscFree(writer.buffer));
    PetscCall(PetscFree(writer.states));
  }
  bad |= H5Gclose(parent) < 0;
  *status = bad ? -1 : 0;
  PetscFunctionReturn(0);
}
