/*
   The readers of datasets. HDF5 itself does not survive every broken file (damage.c), so the bytes of the
   input are not a file but a list of edits, made through HDF5, to a good one: other values, shapes, types,
   attributes, links, with the checksum put right or not.
*/
#include "dataset/h5.h"
#include "files.h"
#include <math.h>
#include <string.h>

enum { MAX_EDITS = 8, MOST_VALUES = 4096 };

/* ---- Edits --------------------------------------------------------------------------------------------- */

static double choose_number(FuzzBytes *bytes)
{
  static const double special[] = {0,    1,   -1,   2,   NAN,    INFINITY, -INFINITY, 1e300, -1e300,
                                   1e16, 0.5, -0.0, 4e9, 5e-324, 9.3e18,   3,         6,     12};

  return special[fuzz_choose(bytes, PETSC_STATIC_ARRAY_LENGTH(special))];
}

static void mend_checksum(hid_t set)
{
  if (H5Aexists(set, "crc32") > 0) H5Adelete(set, "crc32");
  (void)CospinH5SetChecksum(set);
}

static void edit_values(hid_t file, const char name[], FuzzBytes *bytes)
{
  const unsigned mend = fuzz_take(bytes) % 2;
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  double values[MOST_VALUES];

  if (count > 0 && count <= MOST_VALUES &&
      H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) {
    values[fuzz_choose(bytes, (unsigned)count)] = choose_number(bytes);
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (mend) mend_checksum(set);
  }
  H5Sclose(space);
  H5Dclose(set);
}

static hid_t choose_type(FuzzBytes *bytes)
{
  const unsigned which = fuzz_choose(bytes, 12);
  const hid_t plain[] = {H5T_STD_I8LE,   H5T_STD_I64LE, H5T_STD_U64BE,   H5T_IEEE_F32LE,
                         H5T_IEEE_F64BE, H5T_STD_B16LE, H5T_STD_REF_OBJ, H5T_IEEE_F64LE};
  const hsize_t three = 3;
  hid_t type;

  if (which < 8) return H5Tcopy(plain[which]);
  if (which == 8) return H5Tarray_create2(H5T_IEEE_F64LE, 1, &three);
  if (which == 9) return H5Tvlen_create(H5T_IEEE_F64LE);
  if (which == 10) {
    type = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(type, "r", 0, fuzz_take(bytes) % 2 ? H5T_IEEE_F64LE : H5T_STD_I32LE);
    H5Tinsert(type, "i", 8, H5T_IEEE_F64LE);
    return type;
  }
  type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, fuzz_take(bytes) % 4 ? 1 + fuzz_take(bytes) : H5T_VARIABLE);
  H5Tset_strpad(type, (H5T_str_t)fuzz_choose(bytes, 3));
  return type;
}

/* Up to 32 dimensions; `huge` ones of which nothing is stored. */
static hid_t choose_space(FuzzBytes *bytes, int *rank, hsize_t shape[])
{
  static const hsize_t special[] = {0, 1, 2, 3, 4, 6, 12, 5, 100, 1 << 16, 1ULL << 33, 1ULL << 62};
  const unsigned form = fuzz_choose(bytes, 8);

  *rank = form == 0 || form == 1 ? 0 : form == 2 ? 32 : 1 + (int)form % 3;
  if (form == 0) return H5Screate(H5S_NULL);
  if (form == 1) return H5Screate(H5S_SCALAR);
  for (int k = 0; k < *rank; k++)
    shape[k] = form == 2 && k > 3 ? 1 : special[fuzz_choose(bytes, PETSC_STATIC_ARRAY_LENGTH(special))];
  return H5Screate_simple(*rank, shape, NULL);
}

/* At most MOST_VALUES + 1. */
static size_t count_values(int rank, const hsize_t shape[])
{
  hsize_t count = 1;

  for (int k = 0; k < rank; k++) {
    if (shape[k] == 0) return 0;
    count = shape[k] > MOST_VALUES / count ? MOST_VALUES + 1 : count * shape[k];
    if (count > MOST_VALUES) count = MOST_VALUES + 1;
  }
  return (size_t)count;
}

static void edit_dataset(hid_t file, const char name[], FuzzBytes *bytes)
{
  hsize_t shape[H5S_MAX_RANK], chunk[H5S_MAX_RANK];
  int rank;
  const unsigned filled = fuzz_take(bytes) % 2, mend = fuzz_take(bytes) % 2;
  hid_t type = choose_type(bytes), space = choose_space(bytes, &rank, shape), list, set;

  list = H5Pcreate(H5P_DATASET_CREATE);
  const size_t count = count_values(rank, shape);
  for (int k = 0; k < rank; k++) chunk[k] = PetscMax(1, PetscMin(shape[k], 4));
  if (rank && rank < 8) H5Pset_chunk(list, rank, chunk);
  if (rank && rank < 8 && filled) H5Pset_deflate(list, 1);
  if (H5Lexists(file, name, H5P_DEFAULT) > 0) H5Ldelete(file, name, H5P_DEFAULT);
  /* without chunks all of it would be written */
  set = rank >= 8 && count > MOST_VALUES
            ? -1
            : H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
  if (set >= 0 && filled && count <= MOST_VALUES && H5Tget_class(type) <= H5T_FLOAT) {
    double values[MOST_VALUES];
    for (int k = 0; k < MOST_VALUES; k++) values[k] = k % 4;
    H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  }
  if (set >= 0 && mend && count <= MOST_VALUES && H5Tget_class(type) <= H5T_FLOAT) mend_checksum(set);
  H5Dclose(set);
  H5Pclose(list);
  H5Sclose(space);
  H5Tclose(type);
}

static const char *choose_text(FuzzBytes *bytes)
{
  static const char *const texts[] = {
      "",
      "x",
      "y",
      "x y",
      "y x",
      "x x",
      "outcome",
      "x y x y x y x y",
      "steady",
      "y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y y",
      "a b",
      "spin mode",
      ".",
      "/",
      "decay_rate decay_rate",
      "title x",
      "mode mode mode mode",
      "shard_point",
      "states",
      "states/steady/count",
      "\xff\xfe"};

  return texts[fuzz_choose(bytes, PETSC_STATIC_ARRAY_LENGTH(texts))];
}

static void edit_attribute(hid_t file, const char name[], FuzzBytes *bytes)
{
  static const char *const names[] = {"cospin_format", "cospin_grid",    "crc32",          "units",
                                      "long_name",     "flag_values",    "flag_meanings",  "components",
                                      "kinds",         "history",        "title",          "NAME",
                                      "CLASS",         "DIMENSION_LIST", "REFERENCE_LIST", "started"};
  const char *attribute = names[fuzz_choose(bytes, PETSC_STATIC_ARRAY_LENGTH(names))];
  const unsigned what = fuzz_choose(bytes, 6);
  hsize_t shape[H5S_MAX_RANK];
  int rank, values[70] = {0};
  hid_t object = H5Oopen(file, fuzz_take(bytes) % 4 ? name : "/", H5P_DEFAULT);

  if (H5Aexists(object, attribute) > 0) H5Adelete(object, attribute);
  if (what == 1 || what == 2) (void)CospinH5SetText(object, attribute, choose_text(bytes));
  if (what == 3) {
    values[0] = values[1] = (int)fuzz_take(bytes) - 2;
    (void)CospinH5SetIntegers(object, attribute, (int)fuzz_choose(bytes, 70), values);
  }
  if (what == 4) (void)CospinH5SetReal(object, attribute, choose_number(bytes));
  if (what == 5) {
    hid_t type = choose_type(bytes), space = choose_space(bytes, &rank, shape);
    if (count_values(rank, shape) <= MOST_VALUES)
      H5Aclose(H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Tclose(type);
  }
  H5Oclose(object);
}

static void edit_link(hid_t file, const char name[], FuzzBytes *bytes)
{
  const FuzzFile *base = fuzz_file(fuzz_choose(bytes, FUZZ_NUM_FILES));
  const char *other = base->objects[fuzz_choose(bytes, (unsigned)base->num_objects)];
  const unsigned what = fuzz_choose(bytes, 7);
  char path[80];

  (void)snprintf(path, sizeof(path), "/%s", other);
  if (what > 0 && !strcmp(name, other)) return;
  if (what != 6 && H5Lexists(file, name, H5P_DEFAULT) > 0) H5Ldelete(file, name, H5P_DEFAULT);
  if (what == 1) H5Lmove(file, other, file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (what == 2) H5Lcreate_hard(file, other, file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (what == 3) H5Lcreate_soft(path, file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (what == 4) H5Lcreate_external("no.h5", path, file, name, H5P_DEFAULT, H5P_DEFAULT);
  if (what == 5) H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (what == 6) (void)H5Lcreate_hard(file, "/", file, "states/again", H5P_DEFAULT, H5P_DEFAULT);
}

static void edit(const FuzzFile *base, const char file_name[], FuzzBytes *bytes)
{
  static void (*const edits[])(hid_t, const char[], FuzzBytes *) = {
      edit_values, edit_dataset, edit_attribute, edit_attribute, edit_link, edit_values};
  hid_t access = H5Pcreate(H5P_FILE_ACCESS), file;

  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  file = H5Fopen(file_name, H5F_ACC_RDWR, access);
  H5Pclose(access);
  for (int k = 0; k < MAX_EDITS && bytes->size; k++) {
    const char *name = base->objects[fuzz_choose(bytes, (unsigned)base->num_objects)];
    edits[fuzz_choose(bytes, PETSC_STATIC_ARRAY_LENGTH(edits))](file, name, bytes);
  }
  H5Fclose(file);
}

static hsize_t count_ids(void)
{
  static const H5I_type_t types[] = {H5I_FILE, H5I_GROUP, H5I_DATASET, H5I_ATTR, H5I_DATASPACE, H5I_DATATYPE};
  hsize_t total = 0, members = 0;

  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(types); k++) {
    H5Inmembers(types[k], &members);
    total += members;
  }
  return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  FuzzBytes bytes = {data, size};
  const FuzzFile *base = fuzz_file(fuzz_choose(&bytes, FUZZ_NUM_FILES));
  const hsize_t ids = count_ids();

  edit(base, fuzz_file_write(base->bytes, base->size), &bytes);
  FUZZ_CHECK(count_ids() == ids, "the harness itself leaves objects open");
  fuzz_file_read(base);
  FUZZ_CHECK(count_ids() == ids, "HDF5 objects are left open");
  return 0;
}
