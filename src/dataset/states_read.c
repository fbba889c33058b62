/*
   CospinDatasetReadState: one stored state of a file, found by its task and coordinates. The file may come
   from anywhere, so nothing in it is believed: shapes, ranges and types are looked at before memory is asked
   for.

   A state is a range of rows in the columns of its task's group: `first` and `count` are shaped like the
   grid. All processes read by themselves; files are opened without locks.

   A query names a task, and a value for each axis of which there are several; values are compared to within
   rounding, for they may have been typed. What does not fit is refused with a sentence that says what there
   is, and which part of the query it is about, so that the deck's fault stands at that place.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A query that is being answered, and the sentence if it cannot be. */
typedef struct {
  const CospinStoredQuery *query;
  const CospinStoredGroup *wanted;
  hid_t file, group;
  char task[96];
  int part;
  char *why; /* "" as long as nothing is wrong */
  size_t why_size;
} Reader;

/* `which` is the part of the query that is to blame; once there is a sentence later steps are skipped. */
#define REFUSE(reader, which, ...)                                                                           \
  ((reader)->part = (which), (void)snprintf((reader)->why, (reader)->why_size, __VA_ARGS__))

/* ---- Which group --------------------------------------------------------------------------------------- */

typedef struct {
  int count;
  char names[512], only[96];
} Tasks;

/* The last name is kept, which is the only one if there is one. */
static herr_t add_task(hid_t parent, const char *name, const H5L_info_t *info, void *context)
{
  Tasks *tasks = context;
  (void)parent;
  (void)info;
  (void)PetscStrlcat(tasks->names, tasks->count++ ? ", " : "", sizeof(tasks->names));
  (void)PetscStrlcat(tasks->names, name, sizeof(tasks->names));
  (void)snprintf(tasks->only, sizeof(tasks->only), "%s", name);
  return 0;
}

/* Why it cannot be opened: not there (yet), not to be read, or no HDF5. The usual case is a chain of decks
   of which the first has not been run yet; that gets a sentence of its own. */
static void refuse_file(Reader *reader)
{
  const char *file = reader->query->file;
  char parts[PETSC_MAX_PATH_LEN];
  const int failure = access(file, R_OK) ? errno : 0;
  (void)snprintf(parts, sizeof(parts), "%s.parts", file);
  if (failure == ENOENT && access(parts, F_OK) == 0)
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` is not finished (the run that writes `%s` must end first)", file,
           parts);
  else if (failure == ENOENT)
    REFUSE(reader, COSPIN_QUERY_FILE,
           "there is no file `%s` (run the deck that stores the state first; files are looked for from the "
           "folder of this deck on)",
           file);
  else if (failure)
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` cannot be read: %s", file, strerror(failure));
  else
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` is not an HDF5 file, or damaged (must be a dataset of cospin)",
           file);
}

/* One link of the group of a task. Of the one group that is read: other parts of the file may be damaged
   for all that a state cares. */
static herr_t verify_link(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
  Reader *reader = context;
  H5O_info_t object;
  hid_t set = -1;
  (void)info;
  if (H5Oget_info_by_name2(group, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
      object.type == H5O_TYPE_DATASET)
    set = H5Dopen2(group, name, H5P_DEFAULT);
  if (set >= 0 && CospinH5Verify(set) < 0)
    REFUSE(reader, COSPIN_QUERY_FILE, "`/states/%s/%s` of `%s` is not what was written (attribute crc32)",
           reader->task, name, reader->query->file);
  H5Dclose(set);
  return 0;
}

/* A task need not be named where only one has stored states. */
static void open_group(Reader *reader)
{
  const CospinStoredQuery *query = reader->query;
  const char *reason;
  Tasks tasks = {0};
  hid_t parent;
  reader->file = CospinH5OpenFile(query->file, PETSC_FALSE, &reason);
  if (reader->file < 0) {
    refuse_file(reader);
    return;
  }
  parent =
      H5Lexists(reader->file, "states", H5P_DEFAULT) > 0 ? H5Gopen2(reader->file, "states", H5P_DEFAULT) : -1;
  if (parent >= 0) H5Literate(parent, H5_INDEX_NAME, H5_ITER_INC, NULL, add_task, &tasks);
  (void)snprintf(reader->task, sizeof(reader->task), "%s", query->task ? query->task : tasks.only);
  if (!tasks.count)
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` holds no states (a task stores them with `store: state`)",
           query->file);
  else if (!query->task && tasks.count > 1)
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` holds states of several tasks: say which, as in task: %s (%s)",
           query->file, tasks.only, tasks.names);
  else if (H5Lexists(parent, reader->task, H5P_DEFAULT) <= 0 ||
           (reader->group = H5Gopen2(parent, reader->task, H5P_DEFAULT)) < 0)
    REFUSE(reader, COSPIN_QUERY_TASK, "`%s` holds no states of a task `%s` (it has: %s)", query->file,
           reader->task, tasks.names);
  if (reader->group >= 0) H5Literate(reader->group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, verify_link, reader);
  if (parent >= 0) H5Gclose(parent);
}

/* The file's words of an attribute against the wanted ones. Columns are read by name, so components must
   be called and be the same; sizes may differ (problem/stored_state.c). */
static void compare_words(Reader *reader, const char attribute[], const char what[],
                          const char *(*word)(const CospinStoredComponent *))
{
  char found[4096], expected[4096] = "";
  if (reader->why[0]) return;
  for (int c = 0; c < reader->wanted->num_components; c++) {
    if (c) (void)PetscStrlcat(expected, " ", sizeof(expected));
    (void)PetscStrlcat(expected, word(&reader->wanted->components[c]), sizeof(expected));
  }
  (void)CospinH5GetText(reader->group, attribute, found, sizeof(found));
  if (strcmp(found, expected) != 0)
    REFUSE(reader, COSPIN_QUERY_FILE, "the state in `%s` has the %s `%.100s`, this deck has `%.100s`",
           reader->query->file, what, found, expected);
}

static const char *name_of(const CospinStoredComponent *component)
{
  return component->name;
}

static const char *kind_of(const CospinStoredComponent *component)
{
  return component->kind;
}

/* ---- Which place --------------------------------------------------------------------------------------- */

/* All numbers of an array of `rank` dimensions; NULL and a refusal if that is not what stands there. */
static PetscErrorCode read_numbers(Reader *reader, const char name[], int *rank, hsize_t shape[],
                                   double **values)
{
  hid_t set, space;

  PetscFunctionBeginUser;
  *values = NULL;
  if (H5Lexists(reader->group, name, H5P_DEFAULT) > 0) {
    set = H5Dopen2(reader->group, name, H5P_DEFAULT);
    space = H5Dget_space(set);
    const hssize_t size = CospinH5Count(set);
    *rank = H5Sget_simple_extent_dims(space, shape, NULL);
    if (*rank >= 0 && size > 0 && size <= PETSC_MAX_INT) PetscCall(PetscMalloc1((size_t)size, values));
    if (*values && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, *values) < 0)
      PetscCall(PetscFree(*values));
    H5Sclose(space);
    H5Dclose(set);
  }
  if (!*values)
    REFUSE(reader, COSPIN_QUERY_FILE, "`/states/%s/%s` of `%s` cannot be read", reader->task, name,
           reader->query->file);
  PetscFunctionReturn(0);
}

/* The place of a coordinate on an axis; -1: not there. 1e-9 of the value: decks say 0.3 where an axis has
   0.30000000000000004. Zero is found exactly only. */
static int find_value(const double values[], int size, double wanted)
{
  for (int k = 0; k < size; k++) {
    if (fabs(values[k] - wanted) <= 1e-9 * fabs(wanted)) return k;
  }
  return -1;
}

enum { NAME_SIZE = 96 };

/*
   Names of the dimensions of `count`: the axes of the grid and, if there is one more, what `along` says. The
   dimension scales say the same, but where HDF5 keeps their list nothing is checked, and damage there ends
   the process.
*/
static PetscBool name_dimensions(Reader *reader, int rank, char names[][NAME_SIZE])
{
  char *axes = CospinH5ReadAttribute(reader->file, "cospin_grid"), *name, *rest = axes;
  int count = 0;
  while (axes && count < rank && (name = strtok_r(rest, " ", &rest)))
    (void)snprintf(names[count++], sizeof(names[0]), "%s", name);
  if (count == rank - 1) {
    (void)snprintf(names[count], sizeof(names[0]), "time"); /* files of old do not say */
    if (H5Aexists(reader->group, "along") > 0)
      (void)CospinH5GetText(reader->group, "along", names[count], sizeof(names[0]));
    count++;
  }
  free(axes);
  return (PetscBool)(count == rank);
}

/* What `at` names must be an axis. An axis that does not exist is a misspelling; without this check it
   would be a query for whatever else is said. */
static void check_axes(Reader *reader, int rank, char names[][NAME_SIZE])
{
  const CospinStoredQuery *query = reader->query;
  char axes[512] = "";
  for (int i = 0; i < rank; i++) {
    (void)PetscStrlcat(axes, i ? ", " : "", sizeof(axes));
    (void)PetscStrlcat(axes, names[i], sizeof(axes));
  }
  for (int k = 0; k < query->num_at && !reader->why[0]; k++) {
    int i = 0;
    while (i < rank && strcmp(names[i], query->at[k]) != 0) i++;
    if (i < rank) continue;
    if (rank)
      REFUSE(reader, k, "the states in `%s` have no axis `%s` (they have: %s)", query->file, query->at[k],
             axes);
    else
      REFUSE(reader, k, "`%s` holds one state only, without axes (leave `at` out)", query->file);
  }
}

/* Which place along an axis `at:` means. An axis with one value needs no word; of several one must be named,
   and must exist to the last digits. */
static PetscErrorCode choose_value(Reader *reader, const char axis[], int size, int *place)
{
  const CospinStoredQuery *query = reader->query;
  hsize_t shape[H5S_MAX_RANK];
  double *values;
  int rank, at = -1;

  PetscFunctionBeginUser;
  *place = 0;
  for (int k = 0; k < query->num_at; k++) {
    if (strcmp(query->at[k], axis) == 0) at = k;
  }
  if (at < 0 && size > 1)
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` holds states at %d values of %s: say which, as in at: {%s: ...}",
           query->file, size, axis, axis);
  if (at < 0) PetscFunctionReturn(0);
  PetscCall(read_numbers(reader, axis, &rank, shape, &values));
  if (!values) PetscFunctionReturn(0);
  if (rank != 1 || shape[0] != (hsize_t)size) {
    REFUSE(reader, at, "`%s` has an axis %s that does not fit its states", query->file, axis);
    PetscCall(PetscFree(values));
    PetscFunctionReturn(0);
  }
  *place = find_value(values, size, query->values[at]);
  if (*place < 0)
    REFUSE(reader, at, "`%s` holds no state at %s = %.10g (its values go from %.10g to %.10g)", query->file,
           axis, query->values[at], values[0], values[size - 1]);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* The flat index of the place in arrays that are shaped like the grid. Row-major, the last dimension
   fastest, as every array of the grid. */
static PetscErrorCode find_place(Reader *reader, int rank, const hsize_t shape[], size_t *place)
{
  char names[H5S_MAX_RANK][NAME_SIZE];

  PetscFunctionBeginUser;
  *place = 0;
  if (name_dimensions(reader, rank, names))
    check_axes(reader, rank, names);
  else
    REFUSE(reader, COSPIN_QUERY_FILE, "the states in `%s` do not fit its grid", reader->query->file);
  for (int i = 0; i < rank && !reader->why[0]; i++) {
    int index = 0;
    PetscCall(choose_value(reader, names[i], (int)shape[i], &index));
    *place = *place * (size_t)shape[i] + (size_t)PetscMax(index, 0);
  }
  PetscFunctionReturn(0);
}

/* One number at the place, in an array of the shape of the grid. The whole array is read for one number:
   grids are small beside states. */
static PetscErrorCode read_at(Reader *reader, const char name[], size_t place, double *value)
{
  hsize_t shape[H5S_MAX_RANK], size = 1;
  double *values;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(read_numbers(reader, name, &rank, shape, &values));
  for (int i = 0; values && i < rank; i++) size *= shape[i];
  if (values && place < size) *value = values[place];
  if (values && place >= size)
    REFUSE(reader, COSPIN_QUERY_FILE, "`/states/%s/%s` of `%s` has too few values", reader->task, name,
           reader->query->file);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* ---- The rows ------------------------------------------------------------------------------------------ */

/* A hyperslab of `count` rows; only this state is read from a file that may have thousands. */
static PetscErrorCode read_column(Reader *reader, const char name[], hsize_t first, CospinStoredState state,
                                  int column, double buffer[])
{
  const hsize_t count = (hsize_t)state->count;
  const size_t width = (size_t)state->num_columns + 2;
  int bad = 0;
  hid_t set, all, rows;

  PetscFunctionBeginUser;
  if (reader->why[0]) PetscFunctionReturn(0);
  set = H5Dopen2(reader->group, name, H5P_DEFAULT);
  all = H5Dget_space(set);
  rows = H5Screate_simple(1, &count, NULL);
  bad |= set < 0 || H5Sget_simple_extent_ndims(all) != 1;
  bad |= H5Sselect_hyperslab(all, H5S_SELECT_SET, &first, NULL, &count, NULL) < 0;
  bad |= bad || H5Sselect_valid(all) <= 0;
  bad |= bad || H5Dread(set, H5T_NATIVE_DOUBLE, rows, all, H5P_DEFAULT, buffer) < 0;
  for (size_t i = 0; i < count && !bad; i++) state->rows[i * width + (size_t)column] = buffer[i];
  H5Sclose(rows);
  H5Sclose(all);
  H5Dclose(set);
  if (bad)
    REFUSE(reader, COSPIN_QUERY_FILE, "`/states/%s/%s` of `%s` cannot be read", reader->task, name,
           reader->query->file);
  PetscFunctionReturn(0);
}

/* Whether there are as many rows, before memory is asked for. */
static void check_rows(Reader *reader, double first, double count)
{
  hid_t set = H5Dopen2(reader->group, "value_re", H5P_DEFAULT);
  const double size = (double)CospinH5Count(set);
  H5Dclose(set);
  if (!reader->why[0] && !(first == floor(first) && count == floor(count) && first + count <= size))
    REFUSE(reader, COSPIN_QUERY_FILE, "`%s` says of this state that it stands where no numbers are",
           reader->query->file);
}

/* Row by row in memory, column by column in the file. */
static PetscErrorCode read_rows(Reader *reader, double first, double count, CospinStoredState state)
{
  const CospinStoredGroup *wanted = reader->wanted;
  double *buffer;

  PetscFunctionBeginUser;
  state->count = state->capacity = (PetscInt64)count;
  PetscCall(PetscMalloc1((size_t)count * ((size_t)wanted->num_columns + 2), &state->rows));
  PetscCall(PetscMalloc1((size_t)count, &buffer));
  for (int k = 0; k < wanted->num_columns; k++)
    PetscCall(read_column(reader, wanted->columns[k].name, (hsize_t)first, state, k, buffer));
  PetscCall(read_column(reader, "value_re", (hsize_t)first, state, wanted->num_columns, buffer));
  PetscCall(read_column(reader, "value_im", (hsize_t)first, state, wanted->num_columns + 1, buffer));
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(0);
}

/* NaN and negative numbers fail both comparisons, since they are written the positive way round. */
static PetscErrorCode read_state(Reader *reader, CospinStored stored, CospinStoredState *state)
{
  const CospinStoredGroup *wanted = reader->wanted;
  hsize_t shape[H5S_MAX_RANK];
  double *counts, *sizes, first = 0, count = 0;
  size_t place = 0;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(read_numbers(reader, "count", &rank, shape, &counts));
  if (counts) PetscCall(find_place(reader, rank, shape, &place));
  if (!reader->why[0]) count = counts[place];
  PetscCall(PetscFree(counts));
  if (!reader->why[0]) PetscCall(read_at(reader, "first", place, &first));
  if (!reader->why[0] && !(count > 0 && first >= 0))
    REFUSE(reader, COSPIN_QUERY_FILE,
           "no state is stored at this point of `%s` (it was not finished, or its outcome is bad)",
           reader->query->file);
  check_rows(reader, first, count);
  PetscCall(PetscCalloc1(wanted->num_components, &sizes));
  for (int c = 0; c < wanted->num_components && !reader->why[0]; c++)
    PetscCall(read_at(reader, wanted->sizes[c].name, place, &sizes[c]));
  if (!reader->why[0]) {
    PetscCall(CospinStoredAdd(stored, 0, 0, wanted->num_components, sizes, wanted->num_columns, state));
    PetscCall(read_rows(reader, first, count, *state));
  }
  PetscCall(PetscFree(sizes));
  PetscFunctionReturn(0);
}

/* PETSc's errors wait until HDF5's handler has been given back. */
PetscErrorCode CospinDatasetReadState(const CospinStoredQuery *query, const CospinStoredGroup *wanted,
                                      CospinStored stored, CospinStoredState *state, int *part, char why[],
                                      size_t why_size)
{
  Reader reader = {.query = query, .wanted = wanted, .file = -1, .group = -1, .why = why};
  CospinH5Catch held;
  PetscErrorCode ierr = 0;

  PetscFunctionBeginUser;
  reader.why_size = why_size;
  why[0] = '\0';
  *state = NULL;
  CospinH5CatchBegin(&held);
  open_group(&reader);
  if (!why[0]) compare_words(&reader, "components", "components", name_of);
  if (!why[0]) compare_words(&reader, "kinds", "kinds of components", kind_of);
  if (!why[0]) ierr = read_state(&reader, stored, state);
  if (reader.group >= 0) H5Gclose(reader.group);
  if (reader.file >= 0) H5Fclose(reader.file);
  CospinH5CatchEnd(&held);
  PetscCall(ierr);
  if (why[0]) *state = NULL; /* what was begun of it stays with `stored` */
  *part = reader.part;
  PetscFunctionReturn(0);
}
