/* Arrays over spins: random generators, files, and their place in a deck. */
#include "support_model.h"
#include <cospin/dataset/dataset.h>
#include <cospin/problem/array.h>
#include <cospin/tasks/tables.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* ---- Random numbers */

/* Known answer of Philox 4x32-10 (Random123): counter 0, key 0. */
static void philox_gives_its_known_answer(void **state)
{
  static const uint32_t wanted[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  uint32_t block[4];

  (void)state;
  CospinRandomBlock(0, 0, block);
  assert_memory_equal(block, wanted, sizeof(block));
}

static const char header[] = "title: arrays\nparameters: {seed: 7, scale: 2}\ngrid: {seed: [7, 8]}\n"
                             "components:\n  q: {kind: spins, size: 4}\narrays:\n";
static const char footer[] = "jumps:\n  - {rate: 1, each: q.sm}\ntasks:\n  - steady: {}\n";

static Model open_arrays(const char arrays[], PetscInt64 point)
{
  char text[4096];

  snprintf(text, sizeof(text), "%s%s%s", header, arrays, footer);
  return Model_Open(PETSC_COMM_SELF, text, point);
}

/* What users published must stay: the first numbers of seed 7. */
static void first_numbers_do_not_change(void **state)
{
  static const double frozen[3][4] = {
      {2.302130457734858, 2.3064930832966968, 4.590626594226578, 3.1380413257852418},
      {0.5003044442062252, 0.5905680746803805, -0.983093773943337, -0.4997430521109145},
      {1.000956897361955, 1.3343531223999474, -37.647083858022576, -0.9991931000306343}};
  Model model = open_arrays("  a: {normal: {mean: 1, std: scale, seed: seed}}\n"
                            "  b: {uniform: {min: -1, max: 1, seed: seed}}\n"
                            "  c: {lorentzian: {centre: 0, width: 1, seed: seed}}\n",
                            0);
  const CospinArrayValue *arrays = model.problem->arrays;

  (void)state;
  for (int k = 0; k < 3; k++) {
    assert_int_equal(arrays[k].rank, 1);
    assert_int_equal(arrays[k].size, 4);
  }
  for (int k = 0; k < 3; k++) {
    for (int l = 0; l < 4; l++)
      assert_true(cabs(arrays[k].values[l] - frozen[k][l]) <= 1e-14 * fabs(frozen[k][l]) + 1e-15);
  }
  Model_Close(&model);
}

static void an_axis_runs_over_seeds(void **state)
{
  const char text[] = "  a: {normal: {std: scale, seed: seed}}\n  b: {normal: {std: 2, seed: 8}}\n";
  Model first = open_arrays(text, 0), second = open_arrays(text, 1);

  (void)state;
  for (int l = 0; l < 4; l++) {
    assert_true(first.problem->arrays[0].values[l] != second.problem->arrays[0].values[l]);
    assert_true(first.problem->arrays[1].values[l] == second.problem->arrays[0].values[l]); /* seed 8 */
  }
  Model_Close(&first);
  Model_Close(&second);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Draws `size` numbers of a generator. */
static double *draw(const char name[], double first, double second, int size)
{
  const double numbers[] = {first, second, 3};
  CospinArray array = {0};
  CospinArrayValue value = {0};
  double *x = calloc((size_t)size, sizeof(*x));
  PetscBool ok;
  int k = 0;

  assert_non_null(x);
  while (strcmp(CospinArrayKinds[k]->record.name, name) != 0) k++;
  array.generator.kind = &CospinArrayKinds[k]->record;
  OK(CospinArrayKinds[k]->Fill(&array, numbers, size, "", NULL, &value, &ok));
  assert_true(ok);
  for (int l = 0; l < size; l++) x[l] = creal(value.values[l]);
  OK(PetscFree(value.values));
  return x;
}

/* Five standard deviations of what is estimated; the numbers are always the same. */
static void distributions_have_their_moments(void **state)
{
  enum { SIZE = 100000 };
  const double bound = 5 / sqrt(SIZE);
  double *normal = draw("normal", 2, 3, SIZE), *uniform = draw("uniform", -1, 3, SIZE),
         *lorentzian = draw("lorentzian", 1, 0.5, SIZE);
  double mean = 0, square = 0, fourth = 0, flat = 0, flat_square = 0, product = 0;

  (void)state;
  for (int k = 0; k < SIZE; k++) {
    const double z = (normal[k] - 2) / 3, u = (uniform[k] - 1) / 2;
    mean += z / SIZE;
    square += z * z / SIZE;
    fourth += z * z * z * z / SIZE;
    flat += u / SIZE;
    flat_square += u * u / SIZE;
    if (k) product += z * (normal[k - 1] - 2) / 3 / SIZE; /* neighbours */
    assert_true(u > -1 && u < 1);
  }
  assert_true(fabs(mean) < bound);
  assert_true(fabs(square - 1) < bound * sqrt(2));
  assert_true(fabs(fourth - 3) < bound * sqrt(96));
  assert_true(fabs(product) < bound);
  assert_true(fabs(flat) < bound * sqrt(1. / 3));
  assert_true(fabs(flat_square - 1. / 3) < bound * sqrt(4. / 45));
  qsort(lorentzian, SIZE, sizeof(*lorentzian), ascending);
  assert_true(fabs(lorentzian[SIZE / 4] - 0.5) < bound * PETSC_PI / 2); /* quartiles at centre -+ width */
  assert_true(fabs(lorentzian[SIZE / 2] - 1) < bound * PETSC_PI / 2);
  assert_true(fabs(lorentzian[3 * SIZE / 4] - 1.5) < bound * PETSC_PI / 2);
  free(normal);
  free(uniform);
  free(lorentzian);
}

/* ---- Files */

static char folder[] = "/tmp/cospin_arrays_XXXXXX", path[128];

static int write_file(void **state)
{
  static const double vector[4] = {1, -2, 3.5, 0.25}, wide[8] = {0};
  static const int whole[4] = {1, 2, 3, 4};
  static const double complex matrix[16] = {[0] = 1, [1] = 2 * I, [4] = -2 * I, [15] = 7};
  const hsize_t four = 4, square[2] = {4, 4}, oblong[2] = {2, 4};
  hid_t file, type, space, set;

  (void)state;
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof(path), "%s/a.h5", folder);
  file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5LTmake_dataset_double(file, "vector", 1, &four, vector);
  H5LTmake_dataset_int(file, "whole", 1, &four, whole);
  H5LTmake_dataset_double(file, "oblong", 2, oblong, wide);
  H5LTmake_dataset_string(file, "text", "no number");
  type = H5Tcreate(H5T_COMPOUND, sizeof(double complex));
  H5Tinsert(type, "r", 0, H5T_NATIVE_DOUBLE);
  H5Tinsert(type, "i", sizeof(double), H5T_NATIVE_DOUBLE);
  space = H5Screate_simple(2, square, NULL);
  set = H5Dcreate2(file, "matrix", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, matrix);
  H5Dclose(set);
  H5Sclose(space);
  H5Tclose(type);
  return H5Fclose(file) < 0;
}

static int remove_file(void **state)
{
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static void datasets_are_read(void **state)
{
  char arrays[512];
  const CospinArrayValue *read;
  Model model;

  (void)state;
  snprintf(
      arrays, sizeof(arrays),
      "  a: {file: %s, dataset: vector}\n  b: {file: %s, dataset: whole}\n  c: {file: %s, dataset: matrix}\n",
      path, path, path);
  model = open_arrays(arrays, 0);
  read = model.problem->arrays;
  assert_int_equal(read[0].rank, 1);
  assert_true(read[0].values[1] == -2 && read[0].values[3] == 0.25);
  assert_true(read[1].values[0] == 1 && read[1].values[3] == 4);
  assert_int_equal(read[2].rank, 2);
  assert_true(read[2].values[1] == 2 * I && read[2].values[4] == -2 * I && read[2].values[15] == 7);
  Model_Close(&model);
}

/* The folder is that of the deck's file. */
static void paths_start_at_the_deck(void **state)
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  const char text[] = "title: t\ncomponents:\n  q: {kind: spins, size: 4}\narrays:\n"
                      "  a: {file: a.h5, dataset: vector}\ntasks:\n  - steady: {}\n";
  CospinProblem problem;
  CospinFaults faults;
  CospinDeck deck;
  char name[256];
  PetscBool ok;

  (void)state;
  snprintf(name, sizeof(name), "%s/deck.yaml", folder);
  OK(CospinFaultsCreate(name, &faults));
  OK(CospinDeckRead(text, strlen(text), &schema, faults, &deck));
  OK(CospinProblemCreate(deck, 0, faults, &problem, &ok));
  assert_true(ok);
  assert_true(problem->arrays[0].values[2] == 3.5);
  OK(CospinProblemDestroy(&problem));
  OK(CospinDeckDestroy(&deck));
  OK(CospinFaultsDestroy(&faults));
}

static void assert_unreadable(const char file[], const char dataset[], const char reason[])
{
  double complex *values;
  int rank, sizes[2];
  char why[512] = "";

  OK(CospinDatasetReadArray(file, dataset, &rank, sizes, &values, why, sizeof(why)));
  assert_null(values);
  assert_non_null(strstr(why, reason));
}

static void what_cannot_be_read_says_why(void **state)
{
  double complex *values;
  int rank, sizes[2];
  char why[512];

  (void)state;
  assert_unreadable("/nowhere/a.h5", "vector", "cannot be opened");
  assert_unreadable(path, "vektor", "has no dataset `vektor`");
  assert_unreadable(path, "text", "holds no numbers");
  OK(CospinDatasetReadArray(path, "oblong", &rank, sizes, &values, why, sizeof(why)));
  assert_non_null(values);
  assert_int_equal(sizes[0], 2);
  assert_int_equal(sizes[1], 4);
  OK(PetscFree(values));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_its_known_answer),
      cmocka_unit_test(first_numbers_do_not_change),
      cmocka_unit_test(an_axis_runs_over_seeds),
      cmocka_unit_test(distributions_have_their_moments),
      cmocka_unit_test(datasets_are_read),
      cmocka_unit_test(paths_start_at_the_deck),
      cmocka_unit_test(what_cannot_be_read_says_why),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, write_file, remove_file);
  return SlepcFinalize() ? 1 : failed;
}
