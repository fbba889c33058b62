/* Sectors: enumeration of cosets against a walk through every label there is. */
#include "support_model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* Jumps that span lattices of every kind; the components are the same. */
static const char *const jumps[] = {
    "",                                                         /* nothing moves: every label for itself */
    "{rate: 1, operator: ions.Sm}",                             /* j is conserved */
    "{rate: 1, each: ions.sm}",                                 /* weak U(1) */
    "{rate: 1, each: ions.sz}",                                 /* strong U(1): ket and bra */
    "{rate: 1, operator: ions.Sm + ions.Sp}",                   /* Z_2, j conserved */
    "{rate: 1, each: ions.sx}",                                 /* Z_2 */
    "{rate: 1, operator: ions.Sm^2}, {rate: 1, each: ions.sz}", /* U(1), pairs: steps of two */
    "{rate: 1, operator: ions.Sm^3 + ions.Sz}",                 /* strong Z_3 */
    "{rate: 1, operator: ions.Sx + ions.Sz}",                   /* no charge, j conserved */
    "{rate: 1, each: ions.sx + ions.sz}",                       /* everything is connected */
    "{rate: 1, operator: ions.Sm^2}, {rate: 1, operator: ions.Sp^3}",
};
enum { NUM_JUMPS = sizeof(jumps) / sizeof(jumps[0]) };

static const char *const components[] = {
    "ions: {kind: ensemble, size: %d}",
    "ions: {kind: ensemble, size: %d}, A: {kind: ensemble, size: 2}",
    "A: {kind: ensemble, size: 1}, ions: {kind: ensemble, size: %d}",
};
enum { NUM_COMPONENTS = sizeof(components) / sizeof(components[0]) };

static Model open_model(const char *component, int spins, const char *jump)
{
  char text[1024], part[256];

  snprintf(part, sizeof(part), component, spins);
  snprintf(text, sizeof(text), "title: a model\ncomponents: {%s}\njumps: [%s]\ntasks: [steady: {}]\n", part,
           jump);
  return Model_Open(PETSC_COMM_SELF, text, 0);
}

/* Counts in odometer fashion through a box that holds all labels. */
static PetscBool next_in_box(int n, int max, int label[])
{
  for (int i = n - 1; i >= 0; i--) {
    if (label[i]++ < max) return PETSC_TRUE;
    label[i] = -1;
  }
  return PETSC_FALSE;
}

static PetscBool same_coset(CospinLattice lattice, int n, const int a[], const int b[])
{
  int difference[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < n; i++) difference[i] = a[i] - b[i];
  return CospinLatticeContains(lattice, difference);
}

/* A label of the box is in the sector exactly if it is in range and in the coset. */
static void assert_members(const Model *model, CospinSector sector, const int representative[], int max)
{
  const CospinSystem *system = &model->problem->system;
  int label[COSPIN_MAX_COORDINATES];
  PetscInt64 inside = 0, last = -1;

  for (int i = 0; i < system->num_coordinates; i++) label[i] = -1;
  do {
    const PetscInt64 index = CospinSectorIndex(sector, label);
    const PetscBool member =
        (PetscBool)(CospinSystemContains(system, label) &&
                    same_coset(model->problem->lattice, system->num_coordinates, label, representative));
    assert_int_equal(index >= 0, member);
    if (index < 0) continue;
    assert_true(index == last + 1); /* numbered in the order of the coordinates */
    last = index;
    inside++;
  } while (next_in_box(system->num_coordinates, max, label));
  assert_int_equal(inside, CospinSectorDimension(sector));
}

static void assert_inverse(const Model *model, CospinSector sector)
{
  const int n = model->problem->system.num_coordinates;

  for (PetscInt64 k = 0; k < CospinSectorDimension(sector); k++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, k, label);
    assert_true(CospinSystemContains(&model->problem->system, label));
    assert_true(same_coset(model->problem->lattice, n, label, CospinSectorRepresentative(sector)));
    assert_true(CospinSectorIndex(sector, label) == k);
  }
}

static void check_model(const Model *model, int max)
{
  const int n = model->problem->system.num_coordinates;
  int num, labels = 1, *sectors = Model_All_Sectors(model->problem, &num);
  PetscInt64 dimensions = 0;

  for (int s = 0; s < num; s++) {
    CospinSector sector;
    OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, sectors + s * n, &sector));
    assert_memory_equal(CospinSectorRepresentative(sector), sectors + s * n, sizeof(int) * (size_t)n);
    assert_inverse(model, sector);
    if (num < 40 || s % 7 == 0) assert_members(model, sector, sectors + s * n, max);
    dimensions += CospinSectorDimension(sector);
    OK(CospinSectorDestroy(&sector));
  }
  for (int c = 0; c < model->deck->num_components; c++) {
    const int spins = Dense_Spins(model->problem, c);
    labels *= (spins + 1) * (spins + 2) * (spins + 3) / 6;
  }
  assert_int_equal(dimensions, labels);
  free(sectors);
}

static void every_label_is_in_exactly_one_place(void **state)
{
  (void)state;
  for (int c = 0; c < NUM_COMPONENTS; c++) {
    for (int k = 0; k < NUM_JUMPS; k++) {
      for (int spins = 1; spins <= (c ? 2 : 6); spins++) {
        Model model = open_model(components[c], spins, jumps[k]);
        check_model(&model, PetscMax(spins, 2) + 1);
        Model_Close(&model);
      }
    }
  }
}

static CospinSector open_sector(const Model *model, int ket, int bra)
{
  const int label[3] = {0, ket, bra};
  CospinSector sector;

  OK(CospinSectorCreate(&model->problem->system, model->problem->lattice, label, &sector));
  return sector;
}

/* charge 0: sum over j of 2j+1; charge +-1: sum over j of 2j. */
static void dimensions_are_those_of_the_formulas(void **state)
{
  static const struct {
    int spins;
    PetscInt64 charge_0, charge_1;
  } rows[] = {
      {1, 2, 1},    {2, 4, 2},    {3, 6, 4},         {4, 9, 6},           {5, 12, 9},
      {10, 36, 30}, {11, 42, 36}, {124, 3969, 3906}, {400, 40401, 40200}, {1000, 251001, 250500},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    Model model =
        open_model(components[0], rows[k].spins, "{rate: 1, each: ions.sp}, {rate: 1, operator: ions.Sm}");
    for (int charge = -1; charge <= 1; charge++) {
      CospinSector sector = open_sector(&model, charge > 0, charge < 0);
      assert_int_equal(CospinSectorDimension(sector), charge ? rows[k].charge_1 : rows[k].charge_0);
      if (rows[k].spins < 500) assert_inverse(&model, sector);
      OK(CospinSectorDestroy(&sector));
    }
    Model_Close(&model);
  }
}

static void sectors_out_of_range_are_empty(void **state)
{
  Model model = open_model(components[0], 3, "{rate: 1, each: ions.sp}");
  CospinSector sector = open_sector(&model, 4, 0); /* three spins cannot change by four */
  const int label[3] = {0, 0, 0};

  (void)state;
  assert_int_equal(CospinSectorDimension(sector), 0);
  assert_int_equal(CospinSectorIndex(sector, label), -1);
  OK(CospinSectorDestroy(&sector));
  assert_null(sector);
  sector = open_sector(&model, 3, 0);
  assert_int_equal(CospinSectorDimension(sector), 1);
  OK(CospinSectorDestroy(&sector));
  Model_Close(&model);
}

/* What a user is told. */
static void symmetries_have_names(void **state)
{
  static const struct {
    const char *jump, *symmetry, *sector; /* of the label ket 1, bra 0 */
  } rows[] = {
      {"{rate: 1, each: ions.sm}", "weak U(1)", "{charge: 1}"},
      {"{rate: 1, each: ions.sz}", "strong U(1)", "{ket: 1, bra: 0}"},
      {"{rate: 1, each: ions.sx}", "weak Z_2", "{charge: 1}"},
      {"{rate: 1, operator: ions.Sm}", "weak U(1)", "{charge: 1, irrep: 0}"},
      {"{rate: 1, operator: ions.Sm^3 + ions.Sz}", "strong Z_3", "{ket: 1, bra: 0, irrep: 0}"},
      {"{rate: 1, each: ions.sx + ions.sz}", "no conserved charge", "everything"},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    Model model = open_model(components[0], 4, rows[k].jump);
    int label[3] = {0, 1, 0};
    char text[256];
    CospinLatticeReduce(model.problem->lattice, label);
    OK(CospinProblemDescribeSymmetry(model.problem, text, sizeof(text)));
    if (strstr(text, rows[k].symmetry) != text) fail_msg("%s: %s", rows[k].jump, text);
    OK(CospinProblemDescribeSector(model.problem, label, text, sizeof(text)));
    assert_string_equal(text, rows[k].sector);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_label_is_in_exactly_one_place),
      cmocka_unit_test(dimensions_are_those_of_the_formulas),
      cmocka_unit_test(sectors_out_of_range_are_empty),
      cmocka_unit_test(symmetries_have_names),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
