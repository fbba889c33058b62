/*
   Names of sectors: what a sector is called names it, and no other one, when it stands in a deck.
*/
#include "support_model.h"
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* A problem, how many sectors it has, and the name of one of them (of the elements |x><y| with x the lowest
   state of all, y one excitation of the last component above it). */
static const struct {
  const char *components, *body;
  int sectors;
  const char *name;
} models[] = {
    {"s: {kind: spin, S: 2}", "jumps: [{rate: 1, operator: s.Sm}]", 9, "{charge: -1}"},
    {"s: {kind: spin, S: 2}", "hamiltonian: [s.Sm^2 + hc]\njumps: [{rate: 1, operator: s.Sm^2}]", 4,
     "{ket: 0, bra: 1}"},
    /* each side modulo 2 and their difference: of 25 labels (k,b) those with equal k - b and k mod 2 are one
     */
    {"s: {kind: spin, S: 2}", "jumps: [{rate: 1, operator: s.Sm^2}]", 16, "{ket: 0, bra: 1}"},
    {"s: {kind: spin, S: 3}", "hamiltonian: [s.Sm^3 + hc]\njumps: [{rate: 1, operator: s.Sm}]", 3,
     "{charge: 2}"},
    {"s: {kind: spin, S: 3/2}", "jumps: [{rate: 1, operator: s.Sz}]", 16, "{ket: 0, bra: 1}"},
    {"A: {kind: spin, S: 1}, B: {kind: spin, S: 1}", "jumps: [{rate: 1, operator: A.Sm + B.Sm}]", 9,
     "{charge: -1}"},
    {"A: {kind: spin, S: 1}, B: {kind: spin, S: 1}",
     "jumps: [{rate: 1, operator: A.Sm}, {rate: 1, operator: B.Sm}]", 25, "{charge: {A: 0, B: -1}}"},
    {"A: {kind: spin, S: 1}, B: {kind: spin, S: 1}",
     "hamiltonian: [A.Sm^2 + hc]\njumps: [{rate: 1, operator: A.Sm^2}, {rate: 1, operator: B.Sx}]", 4 * 2,
     "{ket: {A: 0, B: 0}, bra: {A: 0, B: 1}}"},
    {"A: {kind: spin, S: 1}, B: {kind: spin, S: 1}",
     "hamiltonian: [A.Sm^2*B.Sp + hc]\njumps: [{rate: 1, operator: A.Sz}]", 49,
     "{ket: {A: 0, B: 0}, bra: {A: 0, B: 1}}"},
    {"u: {kind: mode, cutoff: 4}, s: {kind: spin, S: 1}",
     "hamiltonian: [u.a*s.Sp + hc]\njumps: [{rate: 1, operator: u.n}]", 36, "{ket: 0, bra: 1}"},
    {"ions: {kind: ensemble, size: 3}", "jumps: [{rate: 1, operator: ions.Sm}]", 7 + 3,
     "{charge: -1, irrep: 0}"},
    {"A: {kind: ensemble, size: 2}, B: {kind: ensemble, size: 3}",
     "jumps: [{rate: 1, operator: A.Sm + B.Sm}]", 11 + 7 + 7 + 3, "{charge: -1, irrep: {A: 0, B: 0}}"},
    {"q: {kind: spins, size: 3}", "jumps: [{rate: 1, each: q.sm}]", -1, NULL},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]), TEXT_SIZE = 1024, NAME_SIZE = 256 };

static Model open_model(int k, const char sector[])
{
  char text[TEXT_SIZE];

  snprintf(text, sizeof(text), "title: T\ncomponents: {%s}\n%s\ntasks: [{decay: {sector: %s}}]\n",
           models[k].components, models[k].body, sector);
  return Model_Open(PETSC_COMM_SELF, text, 0);
}

/* The same coset, read from the name. */
static void check_sector(int k, const int sector[], const char name[])
{
  Model model = open_model(k, name);
  const int n = model.problem->system.num_coordinates;
  int *read;
  PetscBool ok;

  OK(CospinProblemSectorNamed(model.problem, CospinRecordGet(&model.deck->tasks[0], "sector"), model.faults,
                              &read, &ok));
  assert_true(ok);
  if (memcmp(read, sector, sizeof(int) * (size_t)n) != 0)
    fail_msg("%s: %s is another one", models[k].body, name);
  OK(PetscFree(read));
  Model_Close(&model);
}

static void Names_Are_Read_As_What_They_Name(void **state)
{
  (void)state;
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = open_model(k, "{charge: 0}"); /* not looked at */
    const int n = model.problem->system.num_coordinates;
    int num, *sectors = Model_All_Sectors(model.problem, &num), label[COSPIN_MAX_COORDINATES] = {0};
    char name[NAME_SIZE];
    if (models[k].name) {
      if (num != models[k].sectors) fail_msg("%s: %d sectors", models[k].body, num);
      for (int s = 0; s < num; s++) {
        OK(CospinProblemDescribeSector(model.problem, sectors + s * n, name, sizeof(name)));
        check_sector(k, sectors + s * n, name);
      }
      label[n - 1] = 1;
      CospinLatticeReduce(model.problem->lattice, label);
    }
    OK(CospinProblemDescribeSector(model.problem, label, name, sizeof(name)));
    if (models[k].name)
      assert_string_equal(name, models[k].name);
    else
      assert_non_null(strstr(name, "one of several"));
    free(sectors);
    Model_Close(&model);
  }
}

/* Numbers count modulo the symmetry, and parameters may stand in them. */
static void Numbers_Count_Modulo_The_Symmetry(void **state)
{
  static const char *const names[] = {"{ket: 0, bra: 1}", "{ket: 2, bra: 3}", "{ket: 4, bra: 2 - 1}"};
  int label[2] = {0, 1};

  (void)state;
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) check_sector(1, label, names[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Names_Are_Read_As_What_They_Name),
      cmocka_unit_test(Numbers_Count_Modulo_The_Symmetry),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
