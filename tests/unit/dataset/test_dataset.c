/*
   The dataset layer: what is written is what an HDF5 reader finds, a file is whole or absent, environment
   errors are sentences. `test_dataset --example DIRECTORY` writes the files that tests/python reads instead.
*/
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <cospin/dataset/provenance.h>
#include <fcntl.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODES = 2, RECORD = 10 };

static const char *const outcome_names[] = {"unfinished", "converged", "not converged", NULL};
static const int outcome_values[] = {0, 1, -2};
static const CospinDimension modes[] = {{"mode", MODES, NULL, "1", "eigenvalue, slowest first"}};

#define NO_SPINS                                                                                             \
  0,                                                                                                         \
  {                                                                                                          \
    0, 0                                                                                                     \
  }
static const CospinVariable variables[] = {
    {"steady_inversion", COSPIN_REAL, -1, 0, 1, "1", "inversion $2\\langle S_z\\rangle/N$", "", NULL, NULL, 0,
     NULL, NULL, NO_SPINS},
    {"decay_rate", COSPIN_REAL, 0, 1, MODES, "Gamma_c", "decay rate", "-Re lambda", NULL, NULL, 0, NULL, NULL,
     NO_SPINS},
    {"decay_lower", COSPIN_REAL, 0, 3, MODES, "Gamma_c", "lower end of the bracket", "", NULL, NULL, 0, NULL,
     NULL, NO_SPINS},
    {"decay_upper", COSPIN_REAL, 0, 5, MODES, "Gamma_c", "upper end of the bracket", "", NULL, NULL, 0, NULL,
     NULL, NO_SPINS},
    {"outcome", COSPIN_INTEGER, -1, 7, 1, "1", "outcome", "", outcome_names, outcome_values, 0, NULL,
     "not_converged: raise what it may take\nconverged: nothing\n", NO_SPINS},
    {"seconds", COSPIN_REAL, -1, 8, 1, "s", "wall time", "", NULL, NULL, 0, NULL, NULL, NO_SPINS},
    {"dimension", COSPIN_INTEGER, -1, 9, 1, "1", "unknowns", "", NULL, NULL, 0, NULL, NULL, NO_SPINS},
};

static const CospinAttribute provenance[] = {{"started", "2026-01-02T03:04:05Z"},
                                             {"command_line", "cospin run deck.yaml"},
                                             {"cospin_version", "0.1.0"},
                                             {"hosts", "node1 node2"}};

static const CospinDatasetTexts texts = {.title = "Fringe decay",
                                         .source = "A. Müller et al., PRA 0, 1 (2000)",
                                         .deck_verbatim = "# title: µ\ngrid: {nbar: [0, 1]}\n",
                                         .deck_completed = "grid:\n  nbar: [0, 1]\n",
                                         .num_provenance = 4,
                                         .provenance = provenance};

static CospinLayout make_layout(int num_axes, const CospinDimension axes[])
{
  return (CospinLayout){.num_axes = num_axes,
                        .axes = axes,
                        .num_dimensions = 1,
                        .dimensions = modes,
                        .num_variables = PETSC_STATIC_ARRAY_LENGTH(variables),
                        .variables = variables,
                        .record_length = RECORD};
}

/* Every number tells where it belongs: point + slot/100. */
static double *make_records(int points)
{
  double *records = malloc((size_t)points * RECORD * sizeof(*records));
  for (int p = 0; p < points; p++) {
    for (int k = 0; k < RECORD; k++) records[p * RECORD + k] = p + k / 100.;
    records[p * RECORD + 7] = 1;
    records[p * RECORD + 9] = 1000 + p;
  }
  return records;
}

static const char *Directory(void)
{
  static char directory[] = "/tmp/cospin_test_XXXXXX";
  static int made = 0;
  if (!made++) assert_non_null(mkdtemp(directory));
  return directory;
}

static const char *Path(char path[256], const char name[])
{
  snprintf(path, 256, "%s/%s", Directory(), name);
  return path;
}

static void write_or_fail(const char file[], const CospinLayout *layout, const double records[])
{
  char why[512] = "";
  if (CospinDatasetWrite(file, layout, records, &texts, why, sizeof(why))) fail_msg("%s", why);
  assert_string_equal(why, "");
}

static void read_text(hid_t object, const char name[], char text[], size_t size)
{
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
  assert_true(attribute >= 0);
  assert_true(H5Tget_size(type) < size);
  assert_int_equal(H5Tis_variable_str(type), 0);
  assert_int_equal(H5Tget_cset(type), H5T_CSET_UTF8);
  memset(text, 0, size);
  assert_true(H5Aread(attribute, type, text) >= 0);
  H5Tclose(type);
  H5Aclose(attribute);
}

static int rank_of(hid_t set, hsize_t shape[])
{
  hid_t space = H5Dget_space(set);
  const int rank = H5Sget_simple_extent_dims(space, shape, NULL);
  H5Sclose(space);
  return rank;
}

static void test_ValuesAndScales(void **state)
{
  const double w[] = {0.5, 2}, nbar[] = {0, 1, 4.7};
  const CospinDimension axes[] = {{"w", 2, w, "Gamma_c", "repump rate"},
                                  {"nbar", 3, nbar, "1", "thermal quanta"}};
  const CospinLayout layout = make_layout(2, axes);
  double *records = make_records(6), values[12];
  hsize_t shape[3];
  char path[256], text[256];
  hid_t file, set, scale;
  (void)state;
  records[4 * RECORD + 1] = NAN;
  records[4 * RECORD + 9] = NAN;
  write_or_fail(Path(path, "grid.h5"), &layout, records);
  assert_int_equal(access(Path(text, "grid.h5.tmp"), F_OK), -1);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  set = H5Dopen2(file, "decay_rate", H5P_DEFAULT);
  assert_int_equal(rank_of(set, shape), 3);
  assert_true(shape[0] == 2 && shape[1] == 3 && shape[2] == MODES);
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  for (int p = 0; p < 6; p++)
    for (int k = 0; k < MODES; k++)
      if (p == 4 && k == 0)
        assert_true(isnan(values[p * MODES + k]));
      else
        assert_true(values[p * MODES + k] == p + (1 + k) / 100.);
  for (unsigned i = 0; i < 3; i++) {
    scale = H5Dopen2(file, (const char *[]){"w", "nbar", "mode"}[i], H5P_DEFAULT);
    assert_int_equal(H5DSis_attached(set, scale, i), 1);
    H5Dclose(scale);
  }
  read_text(set, "units", text, sizeof(text));
  assert_string_equal(text, "Gamma_c");
  read_text(set, "source", text, sizeof(text));
  assert_string_equal(text, "-Re lambda");
  H5Dclose(set);
  set = H5Dopen2(file, "dimension", H5P_DEFAULT);
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  assert_true(values[5] == 1005);
  assert_true(values[4] == 0); /* an integer that is missing */
  H5Dclose(set);
  set = H5Dopen2(file, "nbar", H5P_DEFAULT);
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  assert_true(values[2] == 4.7);
  H5Dclose(set);
  H5Fclose(file);
  free(records);
}

static void test_Attributes(void **state)
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  char path[256], text[256];
  int codes[3], format;
  hid_t file, group, set;
  (void)state;
  write_or_fail(Path(path, "scalar.h5"), &layout, records);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  read_text(file, "Conventions", text, sizeof(text));
  assert_string_equal(text, "CF-1.8");
  read_text(file, "source", text, sizeof(text));
  assert_string_equal(text, texts.source);
  read_text(file, "history", text, sizeof(text));
  assert_string_equal(text, "2026-01-02T03:04:05Z: cospin run deck.yaml");
  read_text(file, "cospin_grid", text, sizeof(text));
  assert_string_equal(text, "");
  assert_true(H5LTget_attribute_int(file, "/", "cospin_format", &format) >= 0);
  assert_int_equal(format, 1);
  group = H5Gopen2(file, "provenance", H5P_DEFAULT);
  read_text(group, "hosts", text, sizeof(text));
  assert_string_equal(text, "node1 node2");
  H5Gclose(group);
  set = H5Dopen2(file, "outcome", H5P_DEFAULT);
  read_text(set, "flag_meanings", text, sizeof(text));
  assert_string_equal(text, "unfinished converged not_converged");
  assert_true(H5LTget_attribute_int(set, ".", "flag_values", codes) >= 0);
  assert_int_equal(codes[2], -2);
  read_text(set, "units", text, sizeof(text));
  assert_string_equal(text, "1");
  H5Dclose(set);
  set = H5Dopen2(file, "steady_inversion", H5P_DEFAULT);
  assert_int_equal(rank_of(set, NULL), 0);
  H5Dclose(set);
  set = H5Dopen2(file, "decay_rate", H5P_DEFAULT);
  assert_int_equal(rank_of(set, NULL), 1);
  H5Dclose(set);
  H5Fclose(file);
  free(records);
}

static void test_DeckIsStoredAsItIs(void **state)
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  CospinDatasetTexts longer = texts;
  const size_t length = 200000; /* an attribute could not hold it */
  char path[256], why[512] = "", *deck = calloc(length + 1, 1), *found = calloc(length + 1, 1);
  hid_t file, set, type;
  (void)state;
  for (size_t i = 0; i < length; i++) deck[i] = (char)('a' + i % 26);
  longer.deck_verbatim = deck;
  longer.deck_completed = "";
  assert_int_equal(CospinDatasetWrite(Path(path, "deck.h5"), &layout, records, &longer, why, sizeof(why)), 0);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  set = H5Dopen2(file, "deck/verbatim", H5P_DEFAULT);
  type = H5Dget_type(set);
  assert_int_equal(H5Tget_size(type), length);
  H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found);
  assert_string_equal(found, deck);
  H5Tclose(type);
  H5Dclose(set);
  H5Fclose(file);
  free(found);
  free(deck);
  free(records);
}

static void test_LargeGridIsChecksummedAndPacked(void **state)
{
  enum { POINTS = 10000 };
  double *axis = malloc(POINTS * sizeof(*axis)), *records = make_records(POINTS), *values;
  CospinDimension axes[] = {{"x", POINTS, axis, "1", "x"}};
  const CospinLayout layout = make_layout(1, axes);
  char path[256];
  hid_t file, set, list;
  unsigned flags;
  int found = 0;
  (void)state;
  for (int i = 0; i < POINTS; i++) axis[i] = i * 1e-3;
  write_or_fail(Path(path, "large.h5"), &layout, records);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  set = H5Dopen2(file, "decay_upper", H5P_DEFAULT);
  list = H5Dget_create_plist(set);
  for (unsigned i = 0; i < (unsigned)H5Pget_nfilters(list); i++) {
    size_t none = 0;
    const H5Z_filter_t filter = H5Pget_filter2(list, i, &flags, &none, NULL, 0, NULL, NULL);
    found |= filter == H5Z_FILTER_FLETCHER32 ? 1 : filter == H5Z_FILTER_DEFLATE ? 2 : 0;
  }
  assert_int_equal(found, 3);
  values = malloc(POINTS * MODES * sizeof(*values));
  H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
  assert_true(values[POINTS * MODES - 1] == POINTS - 1 + 0.06);
  H5Pclose(list);
  H5Dclose(set);
  H5Fclose(file);
  free(values);
  free(records);
  free(axis);
}

/* Rows of three in the file; what is read has room for two rows of four, then of two. */
static void test_MatricesKeepTheirRows(void **state)
{
  static const CospinDimension written[] = {{"row", 2, NULL, "1", "row"}, {"column", 3, NULL, "1", "column"}};
  const CospinVariable table[] = {
      {.name = "matrix", .dimension = 1, .size = 6, .units = "1", .long_name = "a matrix", .outer = 1},
      {.name = "outcome", .dimension = -1, .offset = 6, .size = 1, .units = "1", .long_name = "outcome"}};
  const CospinLayout layout = {
      .num_dimensions = 2, .dimensions = written, .num_variables = 2, .variables = table, .record_length = 7};
  const double records[7] = {0, 1, 2, 10, 11, 12, 1};
  char path[256], why[512];
  hsize_t shape[2];
  hid_t file, set;
  (void)state;
  write_or_fail(Path(path, "matrix.h5"), &layout, records);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  set = H5Dopen2(file, "matrix", H5P_DEFAULT);
  assert_int_equal(rank_of(set, shape), 2);
  assert_true(shape[0] == 2 && shape[1] == 3);
  H5Dclose(set);
  H5Fclose(file);
  for (int columns = 2; columns <= 4; columns++) {
    const CospinDimension asked[] = {written[0], {"column", columns, NULL, "1", "column"}};
    CospinVariable variable = table[0];
    CospinLayout other = layout;
    CospinDatasetContent content;
    variable.size = other.record_length = 2 * columns;
    other.dimensions = asked;
    other.num_variables = 1;
    other.variables = &variable;
    if (CospinDatasetRead(path, &other, &content, why, sizeof(why))) fail_msg("%s", why);
    for (int row = 0; row < 2; row++) {
      for (int column = 0; column < columns; column++) {
        const double value = content.records[row * columns + column];
        assert_true(column < 3 ? value == 10 * row + column : isnan(value));
      }
    }
    assert_int_equal(CospinDatasetContentFree(&content), 0);
  }
}

static void expect_refusal(const char path[], const char reason[])
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  char why[512] = "", temporary[300];
  struct stat status;
  assert_int_not_equal(CospinDatasetWrite(path, &layout, records, &texts, why, sizeof(why)), 0);
  if (!strstr(why, path) || !strstr(why, reason)) fail_msg("'%s' lacks '%s' or the name", why, reason);
  snprintf(temporary, sizeof(temporary), "%s.tmp", path);
  assert_int_equal(lstat(temporary, &status), -1);
  free(records);
}

static void test_MissingDirectoryIsASentence(void **state)
{
  char path[256];
  (void)state;
  expect_refusal(Path(path, "absent/x.h5"), "No such file or directory");
}

static void test_DirectoryInTheWayIsASentence(void **state)
{
  char path[256];
  (void)state;
  assert_int_equal(mkdir(Path(path, "folder"), 0777), 0);
  expect_refusal(path, "Is a directory");
}

static void test_FullDiskKeepsTheOldFile(void **state)
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  char path[256], temporary[256];
  struct stat before, after;
  (void)state;
  write_or_fail(Path(path, "full.h5"), &layout, records);
  assert_int_equal(stat(path, &before), 0);
  assert_int_equal(symlink("/dev/full", Path(temporary, "full.h5.tmp")), 0);
  expect_refusal(path, "No space left on device");
  assert_int_equal(stat(path, &after), 0);
  assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size);
  free(records);
}

static void test_WriteThatStopsHalfwayLeavesNothing(void **state)
{
  char path[256];
  struct rlimit limit, small;
  (void)state;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  small = limit;
  small.rlim_cur = 4096;
  setrlimit(RLIMIT_FSIZE, &small);
  expect_refusal(Path(path, "half.h5"), "File too large");
  setrlimit(RLIMIT_FSIZE, &limit);
  assert_int_equal(access(path, F_OK), -1);
}

static void test_WhatHDF5RefusesIsASentence(void **state)
{
  const double x[] = {1};
  const CospinDimension axes[] = {{"x", 1, x, "1", "x"}, {"x", 1, x, "1", "the same name twice"}};
  const CospinLayout layout = make_layout(2, axes);
  double *records = make_records(1);
  char why[512] = "", path[256];
  (void)state;
  assert_int_not_equal(CospinDatasetWrite(Path(path, "twice.h5"), &layout, records, &texts, why, sizeof(why)),
                       0);
  assert_non_null(strstr(why, path));
  assert_non_null(strstr(why, "exists"));
  assert_int_equal(access(path, F_OK), -1);
  free(records);
}

/* What CospinDatasetShow prints, or its sentence; owned by the caller. */
static char *Show(const char path[], PetscErrorCode *ierr)
{
  char *text = NULL, why[512] = "";
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  *ierr = CospinDatasetShow(path, PETSC_FALSE, stream, why, sizeof(why));
  if (*ierr) fputs(why, stream);
  fclose(stream);
  return text;
}

static void expect_text(const char text[], const char part[])
{
  if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

static void test_ShowTellsWhatIsInTheFile(void **state)
{
  const double w[] = {0.5, 2}, nbar[] = {0, 1, 4.7};
  const CospinDimension axes[] = {{"w", 2, w, "Gamma_c", "repump rate"},
                                  {"nbar", 3, nbar, "1", "thermal quanta"}};
  const CospinLayout layout = make_layout(2, axes);
  const char *const parts[] = {"Fringe decay",
                               "Müller",
                               "2026-01-02T03:04:05Z",
                               "node1 node2",
                               "0.5 .. 2",
                               "0 .. 4.7",
                               "points: 6",
                               "4  converged (1)",
                               "2  not_converged (-2)",
                               "not_converged  w = 0.5, nbar = 0",
                               "not_converged of outcome: raise what it may take\n",
                               "        99  w = 2, nbar = 1\n",
                               "2x3x2",
                               "repump rate",
                               "0.01 .. 5.02",
                               "1000 .. 1005"};
  double *records = make_records(6);
  char path[256], *text;
  PetscErrorCode ierr;
  (void)state;
  records[0 * RECORD + 7] = records[3 * RECORD + 7] = -2;
  records[4 * RECORD + 8] = 99;
  records[5 * RECORD + 8] = NAN;
  write_or_fail(Path(path, "show.h5"), &layout, records);
  text = Show(path, &ierr);
  assert_int_equal(ierr, 0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(parts); i++) expect_text(text, parts[i]);
  free(text);
  free(records);
}

static void test_ShowRefusesWhatIsNotOurs(void **state)
{
  char path[256], *text;
  PetscErrorCode ierr;
  FILE *file;
  (void)state;
  text = Show(Path(path, "nothing.h5"), &ierr);
  assert_int_not_equal(ierr, 0);
  expect_text(text, "nothing.h5: No such file");
  free(text);
  file = fopen(Path(path, "text.h5"), "w");
  fputs("title: a deck\n", file);
  fclose(file);
  text = Show(path, &ierr);
  assert_int_not_equal(ierr, 0);
  expect_text(text, "not an HDF5 file");
  free(text);
  H5Fclose(H5Fcreate(Path(path, "other.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  text = Show(path, &ierr);
  assert_int_not_equal(ierr, 0);
  expect_text(text, "not one of cospin's");
  free(text);
}

static void test_ShowRefusesAFileCutShort(void **state)
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  char path[256], *text;
  PetscErrorCode ierr;
  (void)state;
  write_or_fail(Path(path, "cut.h5"), &layout, records);
  assert_int_equal(truncate(path, 3000), 0);
  text = Show(path, &ierr);
  assert_int_not_equal(ierr, 0);
  expect_text(text, "cut.h5");
  free(text);
  free(records);
}

static const char *Row(CospinProvenance p, const char name[])
{
  const CospinAttribute *rows;
  int count, found = 0;
  const char *value = NULL;
  CospinProvenanceGet(p, &count, &rows);
  for (int i = 0; i < count; i++)
    if (!strcmp(rows[i].name, name)) {
      value = rows[i].value;
      found++;
    }
  assert_int_equal(found, 1);
  return value;
}

static void test_ProvenanceRows(void **state)
{
  static const char *const present[] = {
      "cospin_version", "git_revision", "git_dirty",      "build_type", "compiler", "c_flags", "petsc",
      "slepc",          "mumps",        "hdf5",           "mpi",        "libfyaml", "blas",    "scalar_type",
      "index_bits",     "hosts",        "omp_num_threads"};
  char program[] = "/usr/bin/cospin", run[] = "run", deck[] = "my deck.yaml";
  char *argv[] = {program, run, deck};
  CospinProvenance p;
  int year, month, day, hour, minute, second;
  char utc = ' ';
  (void)state;
  setenv("SLURM_JOB_ID", "4711", 1);
  assert_int_equal(CospinProvenanceCreate(PETSC_COMM_WORLD, 3, argv, 2, 7, &p), 0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(present); i++)
    assert_int_not_equal(strlen(Row(p, present[i])), 0);
  assert_string_equal(Row(p, "command_line"), "cospin run 'my deck.yaml'");
  assert_string_equal(Row(p, "slurm_job_id"), "4711");
  assert_string_equal(Row(p, "groups"), "2");
  assert_string_equal(Row(p, "ranks_per_group"), "7");
  assert_string_equal(Row(p, "finished"), "unknown");
  CospinProvenanceFinish(p);
  assert_int_equal(sscanf(Row(p, "finished"), "%4d-%2d-%2dT%2d:%2d:%2d%c", &year, &month, &day, &hour,
                          &minute, &second, &utc),
                   7);
  assert_true(year > 2020 && utc == 'Z');
  CospinProvenanceSet(p, "note", "one");
  CospinProvenanceSet(p, "note", "two");
  assert_string_equal(Row(p, "note"), "two");
  CospinProvenanceSet(p, "note", "\xff M\xc3\xbcller \xe2\x88\x9e \xc3");
  assert_string_equal(Row(p, "note"), "? M\xc3\xbcller \xe2\x88\x9e ?");
  CospinProvenanceDestroy(&p);
  assert_null(p);
  unsetenv("SLURM_JOB_ID");
}

/* 100 kB in one attribute: host names of a large job. HDF5 stores those apart from the object header. */
static void test_LongProvenanceIsStored(void **state)
{
  const CospinLayout layout = make_layout(0, NULL);
  double *records = make_records(1);
  const size_t length = 100000;
  char path[256], why[512] = "", *hosts = calloc(length + 1, 1), *found = calloc(length + 1, 1);
  const CospinAttribute row = {"hosts", hosts};
  CospinDatasetTexts large = texts;
  hid_t file, group;
  (void)state;
  memset(hosts, 'n', length);
  large.num_provenance = 1;
  large.provenance = &row;
  if (CospinDatasetWrite(Path(path, "hosts.h5"), &layout, records, &large, why, sizeof(why)))
    fail_msg("%s", why);
  file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
  group = H5Gopen2(file, "provenance", H5P_DEFAULT);
  read_text(group, "hosts", found, length + 1);
  assert_string_equal(found, hosts);
  H5Gclose(group);
  H5Fclose(file);
  free(found);
  free(hosts);
  free(records);
}

static const char example_deck[] = "title: Fringe decay\n"
                                   "plots:\n"
                                   "  - {x: nbar, y: decay_rate, title: a, logy: true}\n"
                                   "  - {x: nbar, y: steady_inversion, ylabel: inversion}\n";

/* The first example has a point (nbar = 2) that did not converge; the second has two axes. */
static int write_examples(const char directory[])
{
  const double nbar[] = {0, 0.5, 1, 2, 3, 4, 4.7, 5}, size[] = {10, 40, 124};
  double x[20], *records = make_records(60);
  const CospinDimension axes[] = {{"nbar", 8, nbar, "1", "thermal occupation $\\bar n$"}};
  const CospinDimension two[] = {{"N", 3, size, "1", "number of ions"},
                                 {"x", 20, x, "1", "$w/(N\\Gamma_c)$"}};
  const CospinLayout line = make_layout(1, axes), grid = make_layout(2, two);
  CospinDatasetTexts with_plots = texts;
  char path[4096], why[512] = "";
  int failed = 0;
  with_plots.deck_verbatim = with_plots.deck_completed = example_deck;
  for (int i = 0; i < 20; i++) x[i] = 0.05 * (i + 1);
  for (int p = 0; p < 60; p++) {
    double *r = records + p * RECORD;
    r[0] = 1 - 1 / (1 + 0.1 * p);
    for (int k = 0; k < MODES; k++) {
      r[1 + k] = (k + 1) * (1 + 0.5 * p);
      r[3 + k] = 0.95 * r[1 + k];
      r[5 + k] = 1.05 * r[1 + k];
    }
    r[7] = p == 3 ? -2 : 1;
  }
  snprintf(path, sizeof(path), "%s/line.h5", directory);
  failed |= CospinDatasetWrite(path, &line, records, &with_plots, why, sizeof(why)) != 0;
  snprintf(path, sizeof(path), "%s/grid.h5", directory);
  failed |= CospinDatasetWrite(path, &grid, records, &texts, why, sizeof(why)) != 0;
  snprintf(path, sizeof(path), "%s/point.h5", directory);
  failed |= CospinDatasetWrite(
                path, &(CospinLayout){0, NULL, 1, modes, grid.num_variables, variables, RECORD, 0, NULL},
                records, &texts, why, sizeof(why)) != 0;
  free(records);
  if (failed) fprintf(stderr, "%s\n", why);
  return failed;
}

static int remove_directory(void **state)
{
  char command[300];
  (void)state;
  snprintf(command, sizeof(command), "rm -rf %s", Directory());
  return system(command);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ValuesAndScales),
      cmocka_unit_test(test_Attributes),
      cmocka_unit_test(test_DeckIsStoredAsItIs),
      cmocka_unit_test(test_LargeGridIsChecksummedAndPacked),
      cmocka_unit_test(test_MatricesKeepTheirRows),
      cmocka_unit_test(test_MissingDirectoryIsASentence),
      cmocka_unit_test(test_DirectoryInTheWayIsASentence),
      cmocka_unit_test(test_FullDiskKeepsTheOldFile),
      cmocka_unit_test(test_WriteThatStopsHalfwayLeavesNothing),
      cmocka_unit_test(test_WhatHDF5RefusesIsASentence),
      cmocka_unit_test(test_ShowTellsWhatIsInTheFile),
      cmocka_unit_test(test_ShowRefusesWhatIsNotOurs),
      cmocka_unit_test(test_ShowRefusesAFileCutShort),
      cmocka_unit_test(test_ProvenanceRows),
      cmocka_unit_test(test_LongProvenanceIsStored),
  };
  int failed;
  if (argc == 3 && !strcmp(argv[1], "--example")) return write_examples(argv[2]);
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, remove_directory);
  return PetscFinalize() ? 1 : failed;
}
