/*
   CospinDatasetReadArray: vectors and matrices of real or complex numbers ({r, i} as h5py writes them).

   Numbers of any HDF5 type are converted by HDF5 itself. A vector has one dimension, a matrix two; sizes are
   limited because an array has one entry per spin.
*/
#include "h5.h"

/* Another compound than this one (other names, other members) is refused by HDF5's conversion. Not the
   committed type that our own datasets have: the file is somebody else's, and HDF5 matches members by
   name. */
static hid_t complex_type(void)
{
  hid_t type = H5Tcreate(H5T_COMPOUND, 2 * sizeof(double));
  H5Tinsert(type, "r", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(type, "i", sizeof(double), H5T_NATIVE_DOUBLE);
  return type;
}

/* Whether a stored type can become a complex number: a number, or a compound with members r and i.
   Booleans of h5py are an enumeration and are refused, as are strings. */
static PetscBool is_number(hid_t type)
{
  const H5T_class_t class = H5Tget_class(type);
  if (class == H5T_COMPOUND)
    return (PetscBool)(H5Tget_nmembers(type) == 2 && H5Tget_member_index(type, "r") >= 0 &&
                       H5Tget_member_index(type, "i") >= 0);
  return (PetscBool)(class == H5T_INTEGER || class == H5T_FLOAT);
}

/* Reads into values[count]; reals are spread out from the front half, the last one first. `values` serves
   as the buffer of reals, half of it; from the last one on, nothing is overwritten before it is read. */
static herr_t read_values(hid_t set, hid_t stored, size_t count, double complex values[])
{
  double *parts = (double *)values;
  herr_t status;
  if (H5Tget_class(stored) == H5T_COMPOUND) {
    hid_t type = complex_type();
    status = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Tclose(type);
    return status;
  }
  status = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, parts);
  for (size_t k = count; status >= 0 && k-- > 0;) values[k] = parts[k];
  return status;
}

/* Shape first, then memory for it, then the numbers; the sentence says what it is if it is no array. 10^4
   entries along a dimension are ten times what a list in a deck may have. `crc32` is there only if cospin
   has written the set. */
static PetscErrorCode read_set(hid_t set, int *rank, int sizes[2], double complex **values, const char **what)
{
  const hsize_t max_size = 10000;
  hid_t space = H5Dget_space(set), stored = H5Dget_type(set);
  hsize_t dims[H5S_MAX_RANK] = {0};

  PetscFunctionBeginUser;
  *rank = H5Sget_simple_extent_ndims(space);
  if (*rank > 0) (void)H5Sget_simple_extent_dims(space, dims, NULL);
  if (!is_number(stored)) {
    *what = "holds no numbers";
  } else if (*rank < 1 || *rank > 2 || dims[0] < 1 || dims[0] > max_size ||
             (*rank == 2 && (dims[1] < 1 || dims[1] > max_size))) {
    *what = "is neither a vector nor a matrix";
  } else {
    const size_t count = (size_t)dims[0] * (size_t)(*rank == 2 ? dims[1] : 1);
    sizes[0] = (int)dims[0];
    sizes[1] = *rank == 2 ? (int)dims[1] : 1;
    PetscCall(PetscMalloc1(count, values));
    if (read_values(set, stored, count, *values) < 0) {
      *what = "cannot be read";
    } else if (CospinH5Verify(set) < 0) {
      *what = "is not what was written (its attribute crc32 is of other values)";
    }
    if (*what) {
      PetscCall(PetscFree(*values));
    }
  }
  H5Tclose(stored);
  H5Sclose(space);
  PetscFunctionReturn(0);
}

/* Every rank reads by itself, without locks: arrays are small, and nobody has to be waited for. */
PetscErrorCode CospinDatasetReadArray(const char file[], const char dataset[], int *rank, int sizes[2],
                                      double complex **values, char why[], size_t why_size)
{
  const char *what = NULL, *reason;
  CospinH5Catch held;
  hid_t id, set;

  PetscFunctionBeginUser;
  *values = NULL;
  CospinH5CatchBegin(&held);
  id = CospinH5OpenFile(file, PETSC_FALSE, &reason);
  set = id < 0 ? -1 : H5Dopen2(id, dataset, H5P_DEFAULT);
  if (set >= 0) PetscCall(read_set(set, rank, sizes, values, &what));
  if (set >= 0) H5Dclose(set);
  if (id >= 0) H5Fclose(id);
  CospinH5CatchEnd(&held);
  if (id < 0) {
    PetscCall(PetscSNPrintf(why, why_size, "`%s` cannot be opened as an HDF5 file", file));
  } else if (set < 0) {
    PetscCall(PetscSNPrintf(why, why_size, "`%s` has no dataset `%s`", file, dataset));
  } else if (what) {
    PetscCall(PetscSNPrintf(why, why_size, "dataset `%s` of `%s` %s", dataset, file, what));
  }
  PetscFunctionReturn(0);
}
