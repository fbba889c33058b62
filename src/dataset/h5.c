/*
   The few HDF5 phrases that writer and reader need, and the capture of HDF5's error stack.

   Texts are fixed-length UTF-8: h5py, h5netcdf, netCDF-C and h5dump all show those as plain text.

   HDF5 prints its own errors unless its stack is caught; the first reason is kept for one sentence of
   ours.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "h5.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_COMPACT = 60000 }; /* bytes that fit into an object's header */

/* Of the stack of one error the innermost entry says what really happened; the outer ones only who was
   asked. */
static herr_t keep_innermost(unsigned n, const H5E_error2_t *error, void *reason)
{
  if (n == 0) (void)PetscStrncpy(reason, error->desc, sizeof(((CospinH5Catch *)NULL)->reason));
  return 0;
}

/* Of several errors the first one is the cause. Later errors are what the first one did to the calls
   around it. */
static herr_t keep_first(hid_t stack, void *data)
{
  CospinH5Catch *held = data;
  if (!held->reason[0]) H5Ewalk2(stack, H5E_WALK_UPWARD, keep_innermost, held->reason);
  return 0;
}

/* Whoever called us gets their handler back at the end. */
void CospinH5CatchBegin(CospinH5Catch *held)
{
  held->reason[0] = '\0';
  H5Eget_auto2(H5E_DEFAULT, &held->previous, &held->previous_data);
  H5Eset_auto2(H5E_DEFAULT, keep_first, held);
}

void CospinH5CatchEnd(CospinH5Catch *held)
{
  H5Eset_auto2(H5E_DEFAULT, held->previous, held->previous_data);
}

/* In the order of creation, so that h5dump and xarray list variables as the deck has its tasks; by default
   HDF5 sorts by names. */
hid_t CospinH5CreateList(hid_t list_class)
{
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  hid_t list = H5Pcreate(list_class);
  H5Pset_attr_creation_order(list, order);
  if (list_class != H5P_DATASET_CREATE) H5Pset_link_creation_order(list, order);
  return list;
}

hid_t CospinH5CreateGroup(hid_t file, const char name[])
{
  hid_t list = CospinH5CreateList(H5P_GROUP_CREATE);
  hid_t group = H5Gcreate2(file, name, H5P_DEFAULT, list, H5P_DEFAULT);
  H5Pclose(list);
  return group;
}

/* Fixed length: variable-length strings cannot be checksummed, and netCDF-C shows them badly. */
static hid_t text_type(size_t length)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, length ? length : 1); /* HDF5 knows no empty string; one null byte reads as "" */
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

/* Closes `space` in any case, so that callers need no cleaning up. */
static herr_t set_attribute(hid_t object, const char name[], hid_t file_type, hid_t memory_type, hid_t space,
                            const void *value)
{
  int bad = 0;
  hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
  bad |= H5Awrite(attribute, memory_type, value) < 0;
  bad |= H5Aclose(attribute) < 0;
  H5Sclose(space);
  return bad ? -1 : 0;
}

herr_t CospinH5SetText(hid_t object, const char name[], const char value[])
{
  hid_t type = text_type(strlen(value));
  herr_t status = set_attribute(object, name, type, type, H5Screate(H5S_SCALAR), value);
  H5Tclose(type);
  return status;
}

/* One number is a scalar, not an array of one. */
herr_t CospinH5SetIntegers(hid_t object, const char name[], int count, const int values[])
{
  const hsize_t size = (hsize_t)count;
  hid_t space = count == 1 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &size, NULL);
  return set_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT, space, values);
}

herr_t CospinH5SetReal(hid_t object, const char name[], double value)
{
  return set_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, H5Screate(H5S_SCALAR), &value);
}

herr_t CospinH5WriteText(hid_t parent, const char name[], const char text[])
{
  int bad = 0;
  hid_t type = text_type(strlen(text));
  hid_t space = H5Screate(H5S_SCALAR);
  hid_t list = CospinH5CreateList(H5P_DATASET_CREATE);
  hid_t set;
  if (strlen(text) < MAX_COMPACT) H5Pset_layout(list, H5D_COMPACT); /* under the checksum of its header */
  set = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  bad |= H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0;
  bad |= CospinH5SetChecksum(set) < 0;
  bad |= H5Dclose(set) < 0;
  H5Pclose(list);
  H5Sclose(space);
  H5Tclose(type);
  return bad ? -1 : 0;
}

/* A text that does not fit is cut. Types and sizes are compared first, for HDF5 believes a damaged header. */
herr_t CospinH5GetText(hid_t object, const char name[], char text[], size_t size)
{
  hid_t attribute, stored, type;
  herr_t status = -1;
  text[0] = '\0';
  if (H5Aexists(object, name) <= 0) return -1;
  attribute = H5Aopen(object, name, H5P_DEFAULT);
  stored = H5Aget_type(attribute);
  type = text_type(size);
  if (H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) == 0 &&
      H5Aget_storage_size(attribute) == H5Tget_size(stored)) {
    H5Tset_cset(type, H5Tget_cset(stored));
    H5Tset_strpad(type, H5T_STR_NULLTERM);
    status = H5Aread(attribute, type, text);
  }
  if (status < 0) text[0] = '\0';
  H5Tclose(type);
  H5Tclose(stored);
  H5Aclose(attribute);
  return status;
}

/* More than there is room for is damage. */
int CospinH5GetIntegers(hid_t object, const char name[], int count, int values[])
{
  hid_t attribute, space;
  hssize_t found = -1;
  if (H5Aexists(object, name) <= 0) return 0;
  attribute = H5Aopen(object, name, H5P_DEFAULT);
  space = H5Aget_space(attribute);
  found = H5Sget_simple_extent_npoints(space);
  if (found > count || H5Aread(attribute, H5T_NATIVE_INT, values) < 0) found = -1;
  H5Sclose(space);
  H5Aclose(attribute);
  return (int)found;
}

/* HDF5's lock is flock's. So a file that h5py has open for writing can be told from a damaged one. */
PetscBool CospinDatasetIsHeld(const char file[])
{
  const int descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const PetscBool held =
      (PetscBool)(descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK);
  if (descriptor >= 0) close(descriptor);
  return held;
}

/* A sentence for what can be seen without HDF5, or NULL. All that is asked of an untrusted file before
   HDF5 sees it, for HDF5 1.10 can crash on damaged metadata. */
static const char *refuse_early(const char name[], PetscBool trust)
{
  struct stat status;
  PetscBool broken;
  long behind;
  FILE *file;
  if (stat(name, &status)) return strerror(errno);
  if (S_ISDIR(status.st_mode)) return strerror(EISDIR);
  if (!S_ISREG(status.st_mode)) return "it is a pipe or a device, not a file that can be read at any place";
  file = fopen(name, "rb");
  if (!file) return strerror(errno);
  if (!trust && CospinDatasetIsHeld(name)) {
    fclose(file);
    return "another program holds it open for writing (HDF5's lock): nothing in it has to fit before that "
           "has "
           "closed it";
  }
  broken = (PetscBool)(!trust && CospinSealLook(file, &behind) == COSPIN_SEAL_BROKEN);
  fclose(file);
  if (broken) return "it is damaged (the checksum of the whole file is wrong)";
  return H5Fis_hdf5(name) > 0 ? NULL : "it is not an HDF5 file (or was cut short)";
}

/* Without locks, so that a file on a read-only or lockless file system can be read. A strong close also
   closes what an error has left open. */
hid_t CospinH5OpenFile(const char name[], PetscBool trust, const char **reason)
{
  hid_t access, file;
  *reason = refuse_early(name, trust);
  if (*reason) return -1;
  access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  H5Pset_file_locking(access, 0, 1);
  file = H5Fopen(name, H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

hid_t CospinH5OpenDataset(const char name[], PetscBool trust, CospinH5Catch *held, const char **reason)
{
  int format;
  hid_t file;
  held->reason[0] = '\0';
  file = CospinH5OpenFile(name, trust, reason);
  if (file < 0) {
    if (!*reason) *reason = held->reason;
  } else if (CospinH5GetIntegers(file, "cospin_format", 1, &format) != 1) {
    *reason = "it is an HDF5 file, but not one of cospin's (no attribute cospin_format)";
    H5Fclose(file);
    file = -1;
  }
  return file;
}

/* Deflate makes at most 1032 bytes of one; small sets may have more header than data. -1: the header
   claims more values than the bytes on the disk can be. Else a damaged size would ask for all memory there
   is. */
hssize_t CospinH5Count(hid_t set)
{
  const double most = 1100, always = 65536;
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  const double bytes = (double)count * (double)H5Tget_size(type);
  H5Tclose(type);
  H5Sclose(space);
  return bytes <= always + most * (double)H5Dget_storage_size(set) ? count : -1;
}

/* Texts of a fixed length only, as all of ours are. calloc, so that a text without its end has one. */
static char *read_text(hid_t stored, hssize_t count, herr_t (*read)(hid_t, hid_t, void *), hid_t object)
{
  const size_t size = H5Tget_size(stored);
  char *text = H5Tget_class(stored) == H5T_STRING && H5Tis_variable_str(stored) == 0 && count == 1
                   ? (char *)calloc(size + 1, 1)
                   : NULL;
  if (text && read(object, stored, text) < 0) {
    free(text);
    text = NULL;
  }
  return text;
}

static herr_t read_set(hid_t set, hid_t type, void *text)
{
  return H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
}

char *CospinH5ReadText(hid_t parent, const char name[])
{
  hid_t set = H5Dopen2(parent, name, H5P_DEFAULT), stored = H5Dget_type(set);
  char *text = set < 0 ? NULL : read_text(stored, CospinH5Count(set), read_set, set);
  H5Tclose(stored);
  H5Dclose(set);
  return text;
}

char *CospinH5ReadAttribute(hid_t object, const char name[])
{
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), stored = H5Aget_type(attribute);
  hid_t space = H5Aget_space(attribute);
  char *text =
      attribute < 0 ? NULL : read_text(stored, H5Sget_simple_extent_npoints(space), H5Aread, attribute);
  H5Sclose(space);
  H5Tclose(stored);
  H5Aclose(attribute);
  return text;
}
