/* The good files that fuzzed datasets start from, and all their readers. */
#define _POSIX_C_SOURCE 200809L
#include "files.h"
#include "cli/unfinished.h"
#include <cospin/dataset/dataset.h>
#include <cospin/solver/outcome.h>
#include <hdf5.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* ---- The good files ------------------------------------------------------------------------------------ */

static const double x_values[] = {0, 1}, y_values[] = {0.5, 2, 3}, times[] = {0, 1};
static const CospinDimension axes[] = {{"x", 2, x_values, "1", "x"}, {"y", 3, y_values, "1", "y"}};
static const double numbers[] = {0, 1, 2, 3, 4, 5};
static const CospinDimension shard_axis[] = {{"shard_point", 6, numbers, "1", "number"}};
static const CospinDimension modes[] = {{"mode", 2, NULL, "1", "mode"}};
enum { RECORD = 6 };
static const CospinVariable rows[] = {
    {"x", COSPIN_REAL, -1, 0, 1, "1", "x", "", NULL, NULL},
    {"y", COSPIN_REAL, -1, 1, 1, "1", "y", "", NULL, NULL},
    {"outcome", COSPIN_INTEGER, -1, 2, 1, "1", "outcome", "", CospinOutcomeNames, CospinOutcomeValues},
    {"seconds", COSPIN_REAL, -1, 3, 1, "s", "time", "", NULL, NULL},
    {"decay_rate", COSPIN_REAL, 0, 4, 2, "1", "rate", "", NULL, NULL},
};
static CospinStoredComponent components[] = {{"a", "spin", "|m><m|"}, {"b", "mode", "|n><n|"}};
static CospinStoredColumn sizes[] = {{"a_size", COSPIN_REAL, "size"}, {"b_size", COSPIN_REAL, "size"}};
static CospinStoredColumn columns[] = {{"a_m", COSPIN_REAL, "m"}, {"b_n", COSPIN_REAL, "n"}};
static const CospinStoredGroup groups[] = {
    {"steady", 0, {0}, 2, components, sizes, 2, columns},
    {"evolve", 1, {"time", 2, times, "1", "t"}, 2, components, sizes, 2, columns}};

/* The shard has its coordinates as variables; in the archive they are the axes. */
static CospinLayout layout_of(int shard)
{
  return (CospinLayout){.num_axes = shard ? 1 : 2,
                        .axes = shard ? shard_axis : axes,
                        .num_dimensions = 1,
                        .dimensions = modes,
                        .num_variables = shard ? 5 : 3,
                        .variables = shard ? rows : rows + 2,
                        .record_length = RECORD,
                        .num_groups = 2,
                        .groups = groups};
}

static CospinStored make_states(PetscInt64 point)
{
  const double size[] = {4, 3};
  CospinStored stored;

  FUZZ_CALL(CospinStoredCreate(point, &stored));
  for (int k = 0; k < 3; k++) {
    CospinStoredState state;
    FUZZ_CALL(CospinStoredAdd(stored, k > 0, k == 2, 2, size, 2, &state));
    for (int row = 0; row < 3; row++)
      FUZZ_CALL(CospinStoredStateAppend(state, (double[]){row, -row}, 0.25 * row));
  }
  return stored;
}

static void write_good(const char name[], int shard)
{
  const CospinLayout layout = layout_of(shard);
  const CospinAttribute provenance[] = {{"started", "2026-01-02T03:04:05Z"},
                                        {"command_line", "cospin run d"}};
  const CospinStored stored[] = {make_states(1), make_states(4)};
  const CospinDatasetTexts texts = {"title",    "source", "title: T\n", "title: T\n", "identity\n", "a\nb", 2,
                                    provenance, 2,        stored};
  double records[6][RECORD];
  char why[512] = "";

  for (int p = 0; p < 6; p++)
    (void)memcpy(records[p], (double[]){p / 3, y_values[p % 3], p ? 1 : -2, 0.5 * p, p, NAN},
                 sizeof(records[p]));
  FUZZ_CHECK(!CospinDatasetWrite(name, &layout, records[0], &texts, why, sizeof(why)), "%s", why);
  for (int k = 0; k < 2; k++) {
    CospinStored one = stored[k];
    FUZZ_CALL(CospinStoredDestroy(&one));
  }
}

/* A name that `cospin show` takes for a shard, in the folder *folder. */
static const char *file_name(const char **folder)
{
  static char folder_name[64], name[128];

  if (!name[0]) {
    (void)snprintf(folder_name, sizeof(folder_name), "%s/f.h5.parts", fuzz_folder());
    (void)snprintf(name, sizeof(name), "%s/points-00001-00000-00000.h5", folder_name);
    (void)mkdir(folder_name, 0777);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    FUZZ_CALL(PetscPushErrorHandler(PetscReturnErrorHandler, NULL)); /* as the store does */
  }
  if (folder) *folder = folder_name;
  return name;
}

static herr_t note_object(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  FuzzFile *noted = context;

  (void)file;
  (void)info;
  if (noted->num_objects < FUZZ_MAX_OBJECTS)
    (void)snprintf(noted->objects[noted->num_objects++], sizeof(noted->objects[0]), "%s", name);
  return 0;
}

static void load(const char name[], FuzzFile *file)
{
  struct stat status;
  FILE *stream = fopen(name, "rb");

  FUZZ_CHECK(stream && !fstat(fileno(stream), &status), "%s", name);
  file->size = (size_t)status.st_size;
  file->bytes = malloc(file->size);
  FUZZ_CHECK(file->bytes && fread(file->bytes, 1, file->size, stream) == file->size, "%s", name);
  (void)fclose(stream);
}

const FuzzFile *fuzz_file(unsigned which)
{
  static FuzzFile files[FUZZ_NUM_FILES];

  for (int shard = 0; shard < FUZZ_NUM_FILES && !files[shard].bytes; shard++) {
    const char *name = file_name(NULL);
    hid_t file;
    write_good(name, shard);
    file = H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT);
    FUZZ_CHECK(H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, note_object, &files[shard], H5O_INFO_BASIC) >=
                   0,
               "%s", name);
    H5Fclose(file);
    load(name, &files[shard]);
  }
  return &files[which];
}

const char *fuzz_file_write(const char bytes[], size_t size)
{
  const char *name = file_name(NULL);
  FILE *stream = fopen(name, "wb");

  FUZZ_CHECK(stream && fwrite(bytes, 1, size, stream) == size && !fclose(stream), "%s", name);
  return name;
}

/* ---- Readers ------------------------------------------------------------------------------------------- */

static void read_all(const char name[])
{
  const CospinLayout layout = layout_of(0);
  CospinDatasetContent content;
  CospinFaults faults;
  PetscBool list;
  char *identity, why[1024] = "";
  PetscErrorCode code = CospinDatasetRead(name, &layout, &content, why, sizeof(why));

  FUZZ_CHECK(!code || (code == PETSC_ERR_FILE_READ && why[0]), "error %d: %s", (int)code, why);
  for (size_t p = 0; !code && p < content.num_points; p++) {
    const CospinStored stored = content.stored[p];
    FUZZ_CHECK(!stored || stored->point == (PetscInt64)p, "a state of another point");
  }
  if (!code) FUZZ_CALL(CospinDatasetContentFree(&content));
  why[0] = 0;
  code = CospinDatasetReadText(name, "identity", PETSC_FALSE, &identity, why, sizeof(why));
  FUZZ_CHECK(!code || (code == PETSC_ERR_FILE_READ && why[0]), "error %d: %s", (int)code, why);
  FUZZ_CALL(PetscFree(identity));
  FUZZ_CALL(CospinFaultsCreate(name, &faults));
  FUZZ_CALL(CospinDatasetInspect(name, faults, &list));
  FUZZ_CALL(CospinDatasetCompare(name, &layout, faults));
  FUZZ_CALL(CospinFaultsDestroy(&faults));
}

static void show(const char name[], const char folder[])
{
  char *text, why[1024] = "";
  size_t length;
  FILE *stream = open_memstream(&text, &length);
  const PetscErrorCode code = CospinDatasetShow(name, PETSC_FALSE, stream, why, sizeof(why));
  PetscBool found;

  FUZZ_CHECK(!code || (code == PETSC_ERR_FILE_READ && why[0]), "error %d: %s", (int)code, why);
  FUZZ_CALL(CospinUnfinishedView(folder, stream, &found));
  (void)fclose(stream);
  free(text);
}

static void read_state(const char name[], const char task[])
{
  const char *const at[] = {"x", "y", "time"};
  const double values[] = {0, 2, 1};
  const CospinStoredQuery query = {name, task, task && !strcmp(task, "evolve") ? 3 : 2, at, values};
  CospinStored stored;
  CospinStoredState state;
  char why[1024] = "";
  int part;

  FUZZ_CALL(CospinStoredCreate(0, &stored));
  FUZZ_CALL(CospinDatasetReadState(&query, &groups[0], stored, &state, &part, why, sizeof(why)));
  FUZZ_CHECK((state == NULL) == (why[0] != 0), "a state and a reason, or neither: %s", why);
  FUZZ_CALL(CospinStoredDestroy(&stored));
}

static void read_array(const char name[], const char dataset[])
{
  double complex *values;
  char why[1024] = "";
  int rank, shape[2];

  FUZZ_CALL(CospinDatasetReadArray(name, dataset, &rank, shape, &values, why, sizeof(why)));
  FUZZ_CHECK((values == NULL) == (why[0] != 0), "values and a reason, or neither: %s", why);
  FUZZ_CALL(PetscFree(values));
}

void fuzz_file_read(const FuzzFile *file)
{
  const char *folder, *name = file_name(&folder);

  read_all(name);
  show(name, folder);
  read_state(name, NULL);
  read_state(name, "steady");
  read_state(name, "evolve");
  for (int k = 0; k < file->num_objects; k += 5) read_array(name, file->objects[k]);
}
