/*
   CRC-32 of stored values: zlib's, of the bytes as they stand in the file, in an attribute `crc32`.

   HDF5's own checksum (fletcher32) covers chunks as they are stored, one by one; this one covers the whole of
   a dataset's values in their order, so that chunks which have been swapped or lost are seen, too.
*/
#include "h5.h"
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* Of the values as they stand in the file, so that nothing depends on the machine that reads them. */
static herr_t read_crc(hid_t set, uint32_t *crc)
{
  hid_t type = H5Dget_type(set);
  const hssize_t count = CospinH5Count(set);
  const size_t size = H5Tget_size(type);
  herr_t status = -1;
  unsigned char *bytes = count >= 0 && size ? (unsigned char *)calloc((size_t)count + 1, size) : NULL;
  if (bytes) status = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  if (status >= 0) *crc = (uint32_t)crc32_z(0, bytes, (size_t)count * size);
  free(bytes);
  H5Tclose(type);
  return status;
}

herr_t CospinH5SetChecksum(hid_t set)
{
  uint32_t crc;
  hid_t space, attribute;
  int bad = read_crc(set, &crc) < 0;
  if (bad) return -1;
  space = H5Screate(H5S_SCALAR);
  attribute = H5Acreate2(set, "crc32", H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);
  bad |= H5Awrite(attribute, H5T_NATIVE_INT64, &(int64_t){crc}) < 0;
  bad |= H5Aclose(attribute) < 0;
  H5Sclose(space);
  return bad ? -1 : 0;
}

/* Values that are pointers in memory are none of ours. */
static PetscBool has_variable_length(hid_t set)
{
  hid_t type = H5Dget_type(set);
  const PetscBool has = (PetscBool)(H5Tis_variable_str(type) > 0 || H5Tdetect_class(type, H5T_VLEN) > 0);
  H5Tclose(type);
  return has;
}

/* Without a checksum there may be nothing to verify: a dimension that has a size but no values. */
herr_t CospinH5Verify(hid_t set)
{
  const PetscBool has_checksum = (PetscBool)(H5Aexists(set, "crc32") > 0);
  const PetscBool readable = (PetscBool)(set >= 0 && !has_variable_length(set));
  uint32_t crc;
  int64_t stored = -1;
  hid_t attribute, space;
  if (!has_checksum && set >= 0 && (!readable || H5Dget_storage_size(set) == 0)) return 0;
  if (!readable || read_crc(set, &crc) < 0) return -1;
  if (!has_checksum) return 0;
  attribute = H5Aopen(set, "crc32", H5P_DEFAULT);
  space = H5Aget_space(attribute);
  if (H5Sget_simple_extent_npoints(space) != 1 || H5Aread(attribute, H5T_NATIVE_INT64, &stored) < 0)
    stored = -1;
  H5Sclose(space);
  H5Aclose(attribute);
  return stored == (int64_t)crc ? 0 : -1;
}
