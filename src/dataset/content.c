/*
   CospinDatasetRead: the points of a dataset, back into records.

   Used where a run goes on (archive and shards), where an archive is verified, and by `show --check`.
   Points are matched by coordinates, so the file's grid may be smaller than the deck's; what the file
   lacks stays NaN.

   A file may have been cut, edited or written by a later version, so sizes are checked against each other
   before memory is asked for: a grid can have no more points than `outcome` has values, and a variable no
   more values than its bytes on the disk can hold (CospinH5Count).
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The file's own grid. */
typedef struct {
  int num_axes;
  char names[H5S_MAX_RANK][96];
  hsize_t shape[H5S_MAX_RANK];
  size_t num_points;
} Grid;

/* The number of values of a dataset, 0 if there is none; false if it cannot be opened. Not there is no
   fault: older files lack variables that the table has by now. */
static PetscBool size_of(hid_t file, const char name[], size_t *size)
{
  hid_t set;
  hssize_t found;
  *size = 0;
  if (H5Lexists(file, name, H5P_DEFAULT) == 0) return PETSC_TRUE;
  set = H5Dopen2(file, name, H5P_DEFAULT);
  found = CospinH5Count(set);
  H5Dclose(set);
  if (found > 0) *size = (size_t)found;
  return (PetscBool)(found >= 0);
}

/* Every object of the file, whether it is read or not; context: char[96], the name of one that is damaged.
   HDF5's own fletcher32 notices damaged chunks; our attribute crc32 also notices values that have been
   changed by a program that wrote a new fletcher32. */
static herr_t verify_object(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
  hid_t set;
  herr_t status;
  if (info->type != H5O_TYPE_DATASET) return 0;
  set = H5Dopen2(root, name, H5P_DEFAULT);
  status = CospinH5Verify(set);
  H5Dclose(set);
  if (status < 0) (void)snprintf((char *)context, 96, "%s", name);
  return status < 0; /* the end of the visit */
}

/* HDF5 converts from whatever type the file has. */
static herr_t read_doubles(hid_t file, const char name[], double values[])
{
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  herr_t status = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  H5Dclose(set);
  return status;
}

/* Every point has an outcome, so a file cannot claim more points than it has values. A division instead of
   a product: sizes from a damaged file may overflow when multiplied. */
static herr_t read_grid(hid_t file, Grid *grid)
{
  char *names = CospinH5ReadAttribute(file, "cospin_grid"), *name, *rest = names;
  size_t size, num_outcomes;
  int bad = !names || !size_of(file, "outcome", &num_outcomes) || num_outcomes == 0;
  *grid = (Grid){.num_points = 1};
  while (!bad && (name = strtok_r(rest, " ", &rest))) {
    const int a = grid->num_axes++;
    bad = a == H5S_MAX_RANK || !size_of(file, name, &size) || size == 0 ||
          size > num_outcomes / grid->num_points;
    if (bad) break;
    (void)snprintf(grid->names[a], sizeof(grid->names[a]), "%s", name);
    grid->shape[a] = size;
    grid->num_points *= size;
  }
  free(names);
  return bad || grid->num_points != num_outcomes ? -1 : 0;
}

/* One coordinate of all points: along an axis of the file's grid, or from a variable over the whole of it.
   In an archive each axis has its own coordinates, and point p has values[p / fast % size]; in a shard,
   which is a list of points, they are variables over all points. A coordinate that is neither is no file
   of this grid. */
static herr_t read_coordinate(hid_t file, const Grid *grid, const char name[], size_t stride,
                              double coordinates[])
{
  size_t fast = grid->num_points, size;
  double *values;
  herr_t status;
  int a = 0;
  if (!size_of(file, name, &size)) return -1;
  for (; a < grid->num_axes; a++) {
    fast /= grid->shape[a];
    if (!strcmp(grid->names[a], name)) break;
  }
  if (a == grid->num_axes) fast = 1;
  if (!size || (a == grid->num_axes && size != grid->num_points)) return -1;
  values = (double *)malloc(size * sizeof(double));
  if (!values) return -1;
  status = read_doubles(file, name, values);
  for (size_t p = 0; status >= 0 && p < grid->num_points; p++)
    coordinates[p * stride] = values[p / fast % size];
  free(values);
  return status;
}

/* How the values of a point are laid out along the variable's further dimensions: in the file and here. */
typedef struct {
  int rank;
  size_t file[3], here[3];
} Inner;

/* A file may have been written for a grid whose points had fewer elements along a dimension: values then
   stand where they belong by their index along each, not where they would by counting. */
static void set_inner(hid_t file, const CospinLayout *layout, const CospinVariable *variable, size_t size,
                      Inner *inner)
{
  hsize_t shape[H5S_MAX_RANK] = {0};
  hid_t set = H5Dopen2(file, variable->name, H5P_DEFAULT), space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
  int dimensions[3];
  H5Sclose(space);
  H5Dclose(set);
  inner->rank = CospinVariableDimensions(variable, dimensions);
  for (int d = 0; d < inner->rank; d++) {
    const int at = rank - inner->rank + d;
    inner->here[d] = (size_t)layout->dimensions[dimensions[d]].size;
    inner->file[d] = inner->rank == 1 ? size : at >= 0 ? (size_t)shape[at] : 1;
  }
}

/* The place here of the k-th value in the file; beyond the end: there is no room for it. */
static size_t place_of(const Inner *inner, size_t k)
{
  size_t place = 0, step = 1;
  for (int d = inner->rank - 1; d >= 0; d--) {
    const size_t at = k % inner->file[d];
    if (at >= inner->here[d]) return SIZE_MAX;
    place += at * step;
    step *= inner->here[d];
    k /= inner->file[d];
  }
  return k ? SIZE_MAX : place;
}

/* A variable may have fewer values along its further dimensions than the layout has room for, or more.
   Rows of another length are cut, or filled with NaN. What is cut off belongs to a larger window or more
   modes than this deck has; what is missing stays NaN. */
static herr_t read_variable(hid_t file, const Grid *grid, const CospinLayout *layout,
                            const CospinVariable *variable, size_t stride, double records[])
{
  Inner inner;
  size_t total, size;
  double *values;
  herr_t status;
  if (!size_of(file, variable->name, &total)) return -1;
  if (!total) return 0;
  size = total / grid->num_points;
  if (size * grid->num_points != total) return -1;
  values = (double *)malloc(total * sizeof(double));
  if (!values) return -1;
  status = read_doubles(file, variable->name, values);
  set_inner(file, layout, variable, size, &inner);
  for (size_t p = 0; status >= 0 && p < grid->num_points; p++) {
    for (size_t k = 0; k < size; k++) {
      const size_t at = place_of(&inner, k);
      if (at < (size_t)variable->size)
        records[p * stride + (size_t)variable->offset + at] = values[p * size + k];
    }
  }
  free(values);
  return status;
}

/* Coordinates of each axis, then each variable into its place in the records. */
static herr_t read_points(hid_t file, const Grid *grid, const CospinLayout *layout,
                          CospinDatasetContent *content)
{
  int bad = 0;
  for (int a = 0; a < layout->num_axes; a++)
    bad |= read_coordinate(file, grid, layout->axes[a].name, (size_t)layout->num_axes,
                           content->coordinates + a) < 0;
  for (int v = 0; v < layout->num_variables; v++)
    bad |= read_variable(file, grid, layout, layout->variables + v, (size_t)layout->record_length,
                         content->records) < 0;
  return bad ? -1 : 0;
}

/* From malloc's memory to PETSc's. */
static PetscErrorCode take_text(char **text, char *read)
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrallocpy(read ? read : "", text));
  free(read);
  PetscFunctionReturn(0);
}

/* What tells which run the points belong to: identity, completed deck, history. */
static PetscErrorCode read_texts(hid_t file, CospinDatasetContent *content)
{
  hid_t deck = H5Gopen2(file, "deck", H5P_DEFAULT);

  PetscFunctionBeginUser;
  PetscCall(take_text(&content->identity, CospinH5ReadText(deck, "identity")));
  PetscCall(take_text(&content->completed, CospinH5ReadText(deck, "completed")));
  PetscCall(take_text(&content->history, CospinH5ReadAttribute(file, "history")));
  H5Gclose(deck);
  PetscFunctionReturn(0);
}

/* Checksums of all objects are verified before the first number is believed. In this order: damage, then
   shape, then numbers, then states, then texts. The caller frees whatever has been made. */
static PetscErrorCode read_content(hid_t file, const CospinLayout *layout, CospinDatasetContent *content,
                                   char damaged[96], PetscBool *ok)
{
  herr_t status = 0;
  Grid grid;
  size_t length;

  PetscFunctionBeginUser;
  *ok = (PetscBool)(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, verify_object, damaged, H5O_INFO_BASIC) ==
                    0);
  if (*ok) *ok = (PetscBool)(read_grid(file, &grid) >= 0);
  if (!*ok) PetscFunctionReturn(0);
  content->num_points = grid.num_points;
  length = grid.num_points * (size_t)layout->record_length;
  PetscCall(PetscMalloc1(grid.num_points * (size_t)layout->num_axes + 1, &content->coordinates));
  PetscCall(PetscMalloc1(length, &content->records));
  for (size_t k = 0; k < length; k++) content->records[k] = NAN;
  *ok = (PetscBool)(read_points(file, &grid, layout, content) >= 0);
  PetscCall(PetscCalloc1(grid.num_points, &content->stored));
  if (*ok) PetscCall(CospinStatesRead(file, layout, grid.num_points, content->stored, &status));
  *ok = (PetscBool)(*ok && status >= 0);
  PetscCall(read_texts(file, content));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDatasetRead(const char file[], const CospinLayout *layout, CospinDatasetContent *content,
                                 char why[], size_t why_size)
{
  CospinH5Catch held;
  const char *reason = NULL;
  char damaged[96] = "", sentence[512];
  PetscBool ok = PETSC_FALSE;
  PetscErrorCode ierr = 0;
  hid_t opened;

  PetscFunctionBeginUser;
  *content = (CospinDatasetContent){0};
  CospinH5CatchBegin(&held);
  /* PETSc's errors are held back until HDF5's are released: a return in between would leave HDF5 silent for
     the rest of the run. */
  opened = CospinH5OpenDataset(file, PETSC_FALSE, &held, &reason);
  if (opened >= 0) {
    ierr = read_content(opened, layout, content, damaged, &ok);
    H5Fclose(opened);
    (void)snprintf(sentence, sizeof(sentence), "the values of %s are %s%s", damaged,
                   held.reason[0] ? "damaged: " : "not those that were written (attribute crc32)",
                   held.reason);
    reason = ierr             ? "there is not enough memory for it"
             : damaged[0]     ? sentence
             : held.reason[0] ? held.reason
                              : "values are damaged, or do not fit this grid";
  }
  CospinH5CatchEnd(&held);
  if (ierr || !ok) {
    PetscCall(CospinDatasetContentFree(content));
    PetscCall(PetscSNPrintf(why, why_size, "cannot read %s: %s", file, reason));
    PetscFunctionReturn(PETSC_ERR_FILE_READ);
  }
  PetscFunctionReturn(0);
}

/* What is absent is no damage. */
static PetscBool text_is_damaged(hid_t deck, const char name[])
{
  hid_t set = H5Lexists(deck, name, H5P_DEFAULT) > 0 ? H5Dopen2(deck, name, H5P_DEFAULT) : -1;
  const PetscBool damaged = (PetscBool)(set >= 0 && CospinH5Verify(set) < 0);
  H5Dclose(set);
  return damaged;
}

/* `trust` skips the checksum, for whoever wants to see a damaged deck (--no-verify). */
PetscErrorCode CospinDatasetReadText(const char file[], const char name[], PetscBool trust, char **text,
                                     char why[], size_t why_size)
{
  CospinH5Catch held;
  const char *reason = NULL;
  PetscErrorCode ierr = 0;
  hid_t opened, deck;

  PetscFunctionBeginUser;
  *text = NULL;
  CospinH5CatchBegin(&held);
  opened = CospinH5OpenDataset(file, trust, &held, &reason);
  if (opened >= 0) {
    deck = H5Gopen2(opened, "deck", H5P_DEFAULT);
    if (!trust && text_is_damaged(deck, name))
      reason = "its deck is not what was written (attribute crc32)";
    else
      ierr = take_text(text, CospinH5ReadText(deck, name));
    H5Gclose(deck);
    H5Fclose(opened);
  }
  CospinH5CatchEnd(&held);
  PetscCall(ierr);
  if (!*text) {
    PetscCall(PetscSNPrintf(why, why_size, "cannot read %s: %s", file, reason));
    PetscFunctionReturn(PETSC_ERR_FILE_READ);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDatasetContentFree(CospinDatasetContent *content)
{
  PetscFunctionBeginUser;
  for (size_t p = 0; content->stored && p < content->num_points; p++)
    PetscCall(CospinStoredDestroy(&content->stored[p]));
  PetscCall(PetscFree(content->stored));
  PetscCall(PetscFree(content->coordinates));
  PetscCall(PetscFree(content->records));
  PetscCall(PetscFree(content->identity));
  PetscCall(PetscFree(content->completed));
  PetscCall(PetscFree(content->history));
  *content = (CospinDatasetContent){0};
  PetscFunctionReturn(0);
}
