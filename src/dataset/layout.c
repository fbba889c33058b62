/*
   The rows of a layout as HDF5 datasets: dimension scales first, then one variable per row, its values picked
   out of the records. What a file of format 1 looks like is decided here and in dataset.c.

   Conventions: the grid's axes are the slow dimensions, in the order of the deck, then those of the
   variable (`time`, `mode`). Dimension scales make h5py, xarray and ncdump show coordinates. Reals that
   are missing are NaN, also where nothing has been written (fill value); integers that are missing are 0.
*/
#include "h5.h"
#include <math.h>
#include <string.h>

/* Not larger than HDF5's chunk cache, so that a chunk is decompressed once. */
enum { CHUNK_VALUES = 1 << 17 }; /* 1 MiB of doubles: one chunk per variable for all but the largest grids */

size_t CospinLayoutNumPoints(const CospinLayout *layout)
{
  size_t points = 1;
  for (int i = 0; i < layout->num_axes; i++) points *= (size_t)layout->axes[i].size;
  return points;
}

/* The one buffer that all rows are written through: the largest variable or axis. */
size_t CospinLayoutBufferSize(const CospinLayout *layout)
{
  size_t largest = 1;
  for (int i = 0; i < layout->num_variables; i++)
    largest = PetscMax(largest, (size_t)layout->variables[i].size);
  largest *= CospinLayoutNumPoints(layout);
  for (int i = 0; i < layout->num_dimensions; i++)
    largest = PetscMax(largest, (size_t)layout->dimensions[i].size);
  return largest;
}

/* Halves the slowest dimensions first, so that a chunk holds whole rows of the fast ones. A slice at fixed
   parameters is what readers want; it then lies in one chunk. */
static void choose_chunk(int rank, const hsize_t shape[], hsize_t chunk[])
{
  hsize_t size = 1;
  for (int i = 0; i < rank; i++) size *= chunk[i] = PetscMax(shape[i], 1);
  for (int i = 0; i < rank; i++)
    while (size > CHUNK_VALUES && chunk[i] > 1) {
      size /= chunk[i];
      chunk[i] = (chunk[i] + 1) / 2;
      size *= chunk[i];
    }
}

/* Shuffle before deflate makes doubles compressible; fletcher32 stands last, so that it is verified first.
   A build of HDF5 without zlib writes without it, and everybody can read that. */
static void set_filters(hid_t list, int rank, const hsize_t shape[])
{
  hsize_t chunk[H5S_MAX_RANK];
  choose_chunk(rank, shape, chunk);
  H5Pset_chunk(list, rank, chunk);
  if (H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0) {
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 4);
  }
  H5Pset_fletcher32(list);
}

/* Little-endian on every machine: files are equal wherever they are written. A scalar (a run without a
   grid) is stored in its object header, since filters need chunks. */
hid_t CospinLayoutCreateArray(hid_t file, const char name[], CospinStorage storage, int rank,
                              const hsize_t shape[])
{
  hid_t list = CospinH5CreateList(H5P_DATASET_CREATE);
  hid_t space = rank ? H5Screate_simple(rank, shape, NULL) : H5Screate(H5S_SCALAR);
  hid_t set;
  if (rank) set_filters(list, rank, shape);
  if (!rank) H5Pset_layout(list, H5D_COMPACT); /* under the checksum of its header */
  if (storage == COSPIN_REAL) H5Pset_fill_value(list, H5T_NATIVE_DOUBLE, &(double){NAN});
  set = H5Dcreate2(file, name, storage == COSPIN_REAL ? H5T_IEEE_F64LE : H5T_STD_I64LE, space, H5P_DEFAULT,
                   list, H5P_DEFAULT);
  H5Sclose(space);
  H5Pclose(list);
  return set;
}

/* Every stored integer fits a double exactly (they come out of records of doubles), so HDF5 converts. */
static herr_t write_doubles(hid_t set, const double values[])
{
  return H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
}

/* A dimension without values (mode) counts from 0. */
herr_t CospinLayoutWriteDimension(hid_t file, const CospinDimension *dimension, double buffer[])
{
  int bad = 0;
  const hsize_t size = (hsize_t)dimension->size;
  const CospinStorage storage = dimension->values ? COSPIN_REAL : COSPIN_INTEGER;
  hid_t set = CospinLayoutCreateArray(file, dimension->name, storage, 1, &size);
  for (int i = 0; i < dimension->size; i++) buffer[i] = dimension->values ? dimension->values[i] : i;
  bad |= write_doubles(set, buffer) < 0;
  bad |= H5DSset_scale(set, dimension->name) < 0;
  bad |= CospinH5SetChecksum(set) < 0;
  bad |= CospinH5SetText(set, "long_name", dimension->long_name) < 0;
  bad |= CospinH5SetText(set, "units", dimension->units) < 0;
  bad |= H5Dclose(set) < 0;
  return bad ? -1 : 0;
}

/* CF's flag_meanings are words separated by blanks, so a blank inside a name becomes "_". */
static herr_t set_flags(hid_t set, const CospinVariable *variable)
{
  char meanings[4096] = "";
  int bad = 0, count = 0;
  size_t length = 0;
  for (; variable->flags[count]; count++) {
    const char *name = variable->flags[count];
    if (length + strlen(name) + 2 > sizeof(meanings)) return -1;
    if (count) meanings[length++] = ' ';
    for (; *name; name++) meanings[length++] = *name == ' ' ? '_' : *name;
    meanings[length] = '\0';
  }
  bad |= CospinH5SetIntegers(set, "flag_values", count, variable->flag_values) < 0;
  bad |= CospinH5SetText(set, "flag_meanings", meanings) < 0;
  if (variable->flag_hints) bad |= CospinH5SetText(set, "flag_hints", variable->flag_hints) < 0;
  return bad ? -1 : 0;
}

/* CF's names where CF has one (long_name, units, flag_values, _FillValue). */
static herr_t set_variable_attributes(hid_t set, const CospinVariable *variable)
{
  int bad = 0;
  bad |= CospinH5SetText(set, "long_name", variable->long_name) < 0;
  bad |= CospinH5SetText(set, "units", variable->units) < 0;
  if (variable->source[0]) bad |= CospinH5SetText(set, "source", variable->source) < 0;
  if (variable->approximation) bad |= CospinH5SetText(set, "approximation", variable->approximation) < 0;
  if (variable->flags) bad |= set_flags(set, variable) < 0;
  if (variable->storage == COSPIN_REAL) bad |= CospinH5SetReal(set, "_FillValue", NAN) < 0;
  return bad ? -1 : 0;
}

/* By name within the group where the variable stands. */
herr_t CospinLayoutAttachScale(hid_t file, hid_t set, const char name[], int index)
{
  hid_t scale = H5Dopen2(file, name, H5P_DEFAULT);
  herr_t status = H5DSattach_scale(set, scale, (unsigned)index);
  H5Dclose(scale);
  return status;
}

/* From records, one a point, to an array that runs over points; integers have no NaN, so nothing is 0.
   Records hold a point's numbers together, files a variable's: this is the transposition. */
static void pick_values(const CospinLayout *layout, const CospinVariable *variable, const double records[],
                        double values[])
{
  const size_t points = CospinLayoutNumPoints(layout), size = (size_t)variable->size;
  for (size_t p = 0; p < points; p++) {
    const double *from = records + p * (size_t)layout->record_length + variable->offset;
    for (size_t k = 0; k < size; k++) {
      const PetscBool none = variable->storage == COSPIN_INTEGER && isnan(from[k]) ? PETSC_TRUE : PETSC_FALSE;
      values[p * size + k] = none ? 0 : from[k];
    }
  }
}

/* Axes of the grid first, then further dimensions, slowest first. */
static herr_t write_variable(hid_t file, const CospinLayout *layout, const CospinVariable *variable,
                             const double records[], double buffer[])
{
  int bad = 0, dimensions[3];
  const int axes = layout->num_axes, more = CospinVariableDimensions(variable, dimensions);
  hsize_t shape[H5S_MAX_RANK];
  hid_t set;
  for (int i = 0; i < axes; i++) shape[i] = (hsize_t)layout->axes[i].size;
  for (int d = 0; d < more; d++) shape[axes + d] = (hsize_t)layout->dimensions[dimensions[d]].size;
  set = CospinLayoutCreateArray(file, variable->name, variable->storage, axes + more, shape);
  pick_values(layout, variable, records, buffer);
  bad |= write_doubles(set, buffer) < 0;
  for (int i = 0; i < layout->num_axes; i++)
    bad |= CospinLayoutAttachScale(file, set, layout->axes[i].name, i) < 0;
  for (int d = 0; d < more; d++)
    bad |= CospinLayoutAttachScale(file, set, layout->dimensions[dimensions[d]].name, axes + d) < 0;
  bad |= set_variable_attributes(set, variable) < 0;
  bad |= CospinH5SetChecksum(set) < 0;
  bad |= H5Dclose(set) < 0;
  return bad ? -1 : 0;
}

/* Scales before variables, which are attached to them; creation order is tracked, so that readers list
   them as here. */
herr_t CospinLayoutWrite(hid_t file, const CospinLayout *layout, const double records[], double buffer[])
{
  int bad = 0;
  for (int i = 0; i < layout->num_axes; i++)
    bad |= CospinLayoutWriteDimension(file, layout->axes + i, buffer) < 0;
  for (int i = 0; i < layout->num_dimensions; i++)
    bad |= CospinLayoutWriteDimension(file, layout->dimensions + i, buffer) < 0;
  for (int i = 0; i < layout->num_variables; i++)
    bad |= write_variable(file, layout, layout->variables + i, records, buffer) < 0;
  return bad ? -1 : 0;
}
