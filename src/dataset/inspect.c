/*
   CospinDatasetInspect, CospinDatasetCompare: whether a file is whole, as far as that can be seen without its
   deck, and whether it has what a layout asks for.

   Every object is opened and every byte of it read, since HDF5 verifies a chunk's checksum only when it is
   read. Faults are collected as those of a deck are.

   Two questions, two functions: is the file whole by itself (checksums, attributes that every file has), and
   has it everything that this layout asks for (names, shapes, units). Neither looks at what numbers mean;
   that is check/numbers.c.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A file that is being looked at, and where its faults go. */
typedef struct {
  hid_t file;
  CospinH5Catch held;
  CospinFaults faults;
  PetscBool list; /* of points */
} Inspector;

/* Adds a fault of an object; HDF5's own words behind it, if it said any. */
static void complain(Inspector *inspector, const char name[], const char format[], ...)
{
  char sentence[512];
  const char *said = inspector->held.reason;
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  (void)CospinFaultsAdd(inspector->faults, (CospinPosition){0, 0}, name, "%s%s%s", sentence,
                        said[0] ? ": HDF5 says: " : "", said);
  inspector->held.reason[0] = '\0';
}

/* ---- Every object -------------------------------------------------------------------------------------- */

/* Attributes have no checksums, but reading them finds what HDF5 cannot decode. */
static void inspect_attribute(Inspector *inspector, hid_t object, const char path[], const char name[])
{
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  void *bytes = count >= 0 ? calloc((size_t)count + 1, H5Tget_size(type) + 1) : NULL;
  char both[512];
  (void)snprintf(both, sizeof(both), "%s@%s", path, name);
  if (!bytes || H5Aread(attribute, type, bytes) < 0) complain(inspector, both, "cannot be read");
  if (bytes && (H5Tis_variable_str(type) > 0 || H5Tdetect_class(type, H5T_VLEN) > 0))
    (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, bytes);
  free(bytes);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
}

/* By number and not by name: a name may be what is damaged. */
static void inspect_attributes(Inspector *inspector, hid_t object, const char path[])
{
  const int count = H5Aget_num_attrs(object);
  char name[256];
  if (count < 0) complain(inspector, path, "its attributes cannot be read");
  for (int i = 0; i < count; i++) {
    if (H5Aget_name_by_idx(object, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)i, name, sizeof(name),
                           H5P_DEFAULT) < 0)
      complain(inspector, path, "an attribute cannot be read");
    else
      inspect_attribute(inspector, object, path, name);
  }
}

/* A dimension scale without values of its own has nothing to check. */
static void inspect_set(Inspector *inspector, hid_t set, const char path[])
{
  if (CospinH5Verify(set) < 0) {
    if (inspector->held.reason[0])
      complain(inspector, path, "its values cannot be read");
    else
      complain(inspector, path, "its values are not those that were written (attribute crc32)");
  } else if (H5Aexists(set, "crc32") <= 0 && H5Dget_storage_size(set) > 0) {
    complain(inspector, path, "has no checksum (attribute crc32)");
  }
}

/* HDF5 keeps a second index of links, by the order of their creation. */
static herr_t pass_object(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
  (void)root;
  (void)name;
  (void)info;
  (void)context;
  return 0;
}

/* Goes on after a fault, since the next object may be whole. */
static herr_t inspect_object(hid_t root, const char *name, const H5O_info_t *info, void *context)
{
  Inspector *inspector = context;
  hid_t object = H5Oopen(root, name, H5P_DEFAULT);
  if (object < 0) {
    complain(inspector, name, "cannot be opened");
    return 0;
  }
  inspect_attributes(inspector, object, strcmp(name, ".") ? name : "");
  if (info->type == H5O_TYPE_DATASET) inspect_set(inspector, object, name);
  H5Oclose(object);
  return 0;
}

/* ---- What every file has ------------------------------------------------------------------------------- */

/* HDF5 reports an error and not `no` where a parent is missing, so that is asked first. */
static PetscBool has(hid_t file, const char path[])
{
  const char *slash = strchr(path, '/');
  char parent[96];
  if (!slash) return (PetscBool)(H5Lexists(file, path, H5P_DEFAULT) > 0);
  (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
  return (PetscBool)(H5Lexists(file, parent, H5P_DEFAULT) > 0 && H5Lexists(file, path, H5P_DEFAULT) > 0);
}

static void require_attributes(Inspector *inspector, const char group[], int count, const char *const names[])
{
  hid_t object =
      strcmp(group, "/") && !has(inspector->file, group) ? -1 : H5Oopen(inspector->file, group, H5P_DEFAULT);
  if (object < 0) complain(inspector, group, "is missing");
  for (int k = 0; object >= 0 && k < count; k++)
    if (H5Aexists(object, names[k]) <= 0)
      complain(inspector, strcmp(group, "/") ? group : "", "the attribute %s is missing", names[k]);
  if (object >= 0) H5Oclose(object);
}

/* What every file of this format has, whatever its deck. */
static void require_structure(Inspector *inspector)
{
  static const char *const root[] = {"Conventions", "title", "source", "history", "cospin_grid"};
  static const char *const provenance[] = {"cospin_version", "git_revision", "petsc",   "slepc",
                                           "hdf5",           "hosts",        "ranks",   "groups",
                                           "command_line",   "started",      "finished"};
  static const char *const texts[] = {"deck/verbatim", "deck/identity", "deck/completed", "outcome"};
  require_attributes(inspector, "/", PETSC_STATIC_ARRAY_LENGTH(root), root);
  require_attributes(inspector, "provenance", PETSC_STATIC_ARRAY_LENGTH(provenance), provenance);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(texts); k++) {
    if (inspector->list && !strcmp(texts[k], "deck/completed")) continue;
    if (!has(inspector->file, texts[k])) complain(inspector, texts[k], "is missing");
  }
}

/* A file that cannot be opened is one fault, and nothing else is looked at. */
static PetscErrorCode open_file(const char file[], CospinFaults faults, Inspector *inspector)
{
  const char *reason = NULL;
  char grid[4096];

  PetscFunctionBeginUser;
  inspector->faults = faults;
  CospinH5CatchBegin(&inspector->held);
  inspector->file = CospinH5OpenDataset(file, PETSC_FALSE, &inspector->held, &reason);
  if (inspector->file < 0) {
    PetscCall(CospinFaultsAdd(faults, (CospinPosition){0, 0}, "", "cannot be opened: %s",
                              reason ? reason : "HDF5 does not say why"));
  } else {
    (void)CospinH5GetText(inspector->file, "cospin_grid", grid, sizeof(grid));
    inspector->list = (PetscBool)(strcmp(grid, COSPIN_POINT_LIST) == 0);
  }
  inspector->held.reason[0] = '\0';
  PetscFunctionReturn(0);
}

static void close_file(Inspector *inspector)
{
  if (inspector->file >= 0) H5Fclose(inspector->file);
  CospinH5CatchEnd(&inspector->held);
}

PetscErrorCode CospinDatasetInspect(const char file[], CospinFaults faults, PetscBool *list)
{
  Inspector inspector;
  char said[256];

  PetscFunctionBeginUser;
  PetscCall(open_file(file, faults, &inspector));
  if (inspector.file >= 0) {
    /* All of the information: it leads through indices of chunks that reading values does not touch. In the
       native order: for any other HDF5 makes a table first, and frees what is not there if that fails. */
    if (H5Ovisit2(inspector.file, H5_INDEX_NAME, H5_ITER_NATIVE, inspect_object, &inspector, H5O_INFO_ALL) <
        0)
      complain(&inspector, "", "not all of it can be found");
    if (H5Ovisit2(inspector.file, H5_INDEX_CRT_ORDER, H5_ITER_NATIVE, pass_object, NULL, H5O_INFO_BASIC) < 0)
      complain(&inspector, "", "not all of it can be found in the order of its creation");
    require_structure(&inspector);
    PetscCall(CospinDatasetSeal(file, said, sizeof(said)));
    if (said[0]) PetscCall(CospinFaultsAdd(faults, (CospinPosition){0, 0}, "", "%s", said));
  }
  *list = (PetscBool)(inspector.file >= 0 && inspector.list);
  close_file(&inspector);
  PetscFunctionReturn(0);
}

/* ---- What a layout asks for ---------------------------------------------------------------------------- */

/* Attributes that the deck leaves empty may say anything. */
static void compare_text(Inspector *inspector, hid_t set, const char name[], const char attribute[],
                         const char wanted[])
{
  char found[512];
  if (!wanted[0]) return;
  (void)CospinH5GetText(set, attribute, found, sizeof(found));
  if (strcmp(found, wanted) != 0)
    complain(inspector, name, "its %s is `%.100s`, but the deck says `%.100s`", attribute, found, wanted);
}

/* shape[i] < 0: any size */
static hid_t compare_set(Inspector *inspector, const char name[], CospinStorage storage, int rank,
                         const int shape[])
{
  hsize_t found[H5S_MAX_RANK];
  hid_t set, space, type;
  PetscBool ok;
  if (!has(inspector->file, name)) {
    complain(inspector, name, "is missing");
    return -1;
  }
  set = H5Dopen2(inspector->file, name, H5P_DEFAULT);
  space = H5Dget_space(set);
  type = H5Dget_type(set);
  ok = (PetscBool)(H5Sget_simple_extent_ndims(space) == rank);
  if (ok && rank) (void)H5Sget_simple_extent_dims(space, found, NULL);
  for (int i = 0; ok && i < rank; i++) ok = (PetscBool)(shape[i] < 0 || found[i] == (hsize_t)shape[i]);
  if (set < 0 || !ok) complain(inspector, name, "has not the shape that the deck gives it");
  if (set >= 0 && H5Tget_class(type) != (storage == COSPIN_REAL ? H5T_FLOAT : H5T_INTEGER))
    complain(inspector, name, "does not hold %s numbers", storage == COSPIN_REAL ? "real" : "whole");
  H5Tclose(type);
  H5Sclose(space);
  return set;
}

/* Of a shard axes are lists of points, of any length. */
static void compare_dimension(Inspector *inspector, const CospinDimension *dimension, PetscBool any_size)
{
  const int size = any_size ? -1 : dimension->size;
  double *values;
  hid_t set = compare_set(inspector, dimension->name,
                          dimension->values || any_size ? COSPIN_REAL : COSPIN_INTEGER, 1, &size);
  if (set < 0) return;
  compare_text(inspector, set, dimension->name, "units", dimension->units);
  if (H5DSis_scale(set) <= 0) complain(inspector, dimension->name, "is no dimension scale");
  values = dimension->values ? (double *)calloc((size_t)dimension->size + 1, sizeof(double)) : NULL;
  if (values && CospinH5Count(set) == dimension->size &&
      H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) {
    for (int k = 0; k < dimension->size; k++)
      if (!(fabs(values[k] - dimension->values[k]) <= 1e-14 * fabs(dimension->values[k])))
        complain(inspector, dimension->name, "value %d is %.17g, but the deck says %.17g", k, values[k],
                 dimension->values[k]);
  }
  free(values);
  H5Dclose(set);
}

/* The shape that the layout gives it: axes of the grid, further dimensions. */
static void compare_variable(Inspector *inspector, const CospinLayout *layout, const CospinVariable *variable)
{
  int rank = layout->num_axes, shape[H5S_MAX_RANK], dimensions[3];
  const int more = CospinVariableDimensions(variable, dimensions);
  hid_t set;
  for (int i = 0; i < rank; i++) shape[i] = inspector->list ? -1 : layout->axes[i].size;
  for (int d = 0; d < more; d++) shape[rank++] = layout->dimensions[dimensions[d]].size;
  set = compare_set(inspector, variable->name, variable->storage, rank, shape);
  if (set < 0) return;
  compare_text(inspector, set, variable->name, "units", variable->units);
  compare_text(inspector, set, variable->name, "long_name", variable->long_name);
  H5Dclose(set);
}

/* All arrays of a group of stored states, those of its elements and of its components. */
static void compare_group(Inspector *inspector, const CospinStoredGroup *group)
{
  static const char *const arrays[] = {"first", "count", "value_re", "value_im"};
  char path[256];
  (void)snprintf(path, sizeof(path), "states/%s", group->name);
  if (!has(inspector->file, path)) {
    complain(inspector, path, "is missing");
    return;
  }
  for (int k = 0; k < 4 + group->num_columns + group->num_components; k++) {
    const int column = k - 4, size = column - group->num_columns;
    (void)snprintf(path, sizeof(path), "states/%s/%s", group->name,
                   column < 0 ? arrays[k]
                   : size < 0 ? group->columns[column].name
                              : group->sizes[size].name);
    if (H5Lexists(inspector->file, path, H5P_DEFAULT) <= 0) complain(inspector, path, "is missing");
  }
}

PetscErrorCode CospinDatasetCompare(const char file[], const CospinLayout *layout, CospinFaults faults)
{
  Inspector inspector;

  PetscFunctionBeginUser;
  PetscCall(open_file(file, faults, &inspector));
  if (inspector.file >= 0) {
    for (int k = 0; k < layout->num_axes; k++)
      compare_dimension(&inspector, &layout->axes[k], inspector.list);
    for (int k = 0; k < layout->num_dimensions; k++)
      compare_dimension(&inspector, &layout->dimensions[k], PETSC_FALSE);
    for (int k = 0; k < layout->num_variables; k++)
      compare_variable(&inspector, layout, &layout->variables[k]);
    for (int k = 0; k < layout->num_groups; k++) compare_group(&inspector, &layout->groups[k]);
  }
  close_file(&inspector);
  PetscFunctionReturn(0);
}
