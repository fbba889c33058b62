/* CRC-32 of stored values. */
#include "h5.h"
#include <stdint.h>
#include <stdlib.h>

/* The reflected polynomial 0xEDB88320, four bits at a time. */
static const uint32_t remainders[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t CospinCrc32(uint32_t crc, const void *bytes, size_t size)
{
  const unsigned char *byte = (const unsigned char *)bytes;
  crc ^= 0xffffffff;
  for (size_t k = 0; k < size; k++) {
    crc ^= byte[k];
    crc = (crc >> 4) ^ remainders[crc & 15];
    crc = (crc >> 4) ^ remainders[crc & 15];
  }
  return crc ^ 0xffffffff;
}

/* Of the values as they stand in the file, so that nothing depends on the machine that reads them. */
static herr_t read_crc(hid_t set, uint32_t *crc)
{
  hid_t type = H5Dget_type(set);
  const hssize_t count = CospinH5Count(set);
  const size_t size = H5Tget_size(type);
  herr_t status = -1;
  unsigned char *bytes = count >= 0 && size ? (unsigned char *)calloc((size_t)count + 1, size) : NULL;
  if (bytes) status = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes);
  if (status >= 0) *crc = CospinCrc32(0, bytes, (size_t)count * size);
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
