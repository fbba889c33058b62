/*
   Names of sectors: what a sector is called names it, and no other one, when it stands in a deck.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
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
    /* one spin has one j, so it needs no number; two spins beside it do */
    {"one: {kind: ensemble, size: 1}", "jumps: [{rate: 1, operator: one.Sm}]", 3, "{charge: -1}"},
    {"one: {kind: ensemble, size: 1}", "jumps: [{rate: 1, each: one.sz}]", 4, "{ket: 0, bra: 1}"},
    {"one: {kind: ensemble, size: 1}, two: {kind: ensemble, size: 2}",
     "jumps: [{rate: 1, operator: one.Sm + two.Sm}]", 7 + 3, "{charge: -1, irrep: 0}"},
    {"A: {kind: ensemble, size: 2}, B: {kind: ensemble, size: 3}",
     "jumps: [{rate: 1, operator: A.Sm + B.Sm}]", 11 + 7 + 7 + 3, "{charge: -1, irrep: {A: 0, B: 0}}"},
    /* spins that lose excitations one by one, or exchange them in pairs */
    {"q: {kind: spins, size: 3}", "jumps: [{rate: 1, each: q.sm}]", 27, "{charge: {q: [0, 0, -1]}}"},
    {"q: {kind: spins, size: 3}",
     "hamiltonian: ['q.sp[0]*q.sm[1] + hc']\njumps: [{rate: 1, operator: 'q.sz[2]'}]", 36,
     "{ket: {q: [0, 0, 0]}, bra: {q: [0, 0, 1]}}"},
    {"L: {kind: levels, size: 1, levels: 3}", "jumps: [{rate: 1, operator: 'L.E[0,1]'}]", 8,
     "{ket: {L: [0, 0]}, bra: {L: [0, 1]}}"},
    /* B - 2 A modulo 5 is conserved, and nothing of either alone */
    {"A: {kind: mode, cutoff: 6}, B: {kind: mode, cutoff: 6}",
     "hamiltonian: ['A.a*B.a^2 + hc', 'B.a^5 + hc']\njumps: [{rate: 1, operator: A.n}]", 25,
     "{ket: {A: 0, B: 0}, bra: {A: 0, B: 1}}"},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]), TEXT_SIZE = 1024 };

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

static void names_are_read_as_what_they_name(void **state)
{
  (void)state;
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = open_model(k, "{charge: 0}"); /* not looked at */
    const int n = model.problem->system.num_coordinates;
    int num, *sectors = Model_All_Sectors(model.problem, &num), label[COSPIN_MAX_COORDINATES] = {0};
    char name[COSPIN_SECTOR_NAME];
    if (num != models[k].sectors) fail_msg("%s: %d sectors", models[k].body, num);
    for (int s = 0; s < num; s++) {
      OK(CospinProblemDescribeSector(model.problem, sectors + s * n, name, sizeof(name)));
      check_sector(k, sectors + s * n, name);
    }
    label[n - 1] = 1;
    CospinLatticeReduce(model.problem->lattice, label);
    OK(CospinProblemDescribeSector(model.problem, label, name, sizeof(name)));
    assert_string_equal(name, models[k].name);
    free(sectors);
    Model_Close(&model);
  }
}

/* ---- Many decks: every pair of kinds, with symmetries of all sorts */

static const struct {
  const char *component;                /* without its name */
  const char *lower, *diagonal, *local; /* operators, "@" for the name */
} kinds[] = {
    {"kind: spin, S: 1", "@.Sm", "@.Sz", "@.Sm^2"},
    {"kind: mode, cutoff: 3", "@.a", "@.n", "@.a^2"},
    {"kind: ensemble, size: 2", "@.Sm", "@.Sz", "@.Sp*@.Sm^2"},
    {"kind: spins, size: 2", "@.Sm", "@.sz[0]", "@.sm[1]"},
    {"kind: levels, size: 1, levels: 3", "@.E[0,1]", "@.E[2,2]", "@.E[1,2]"},
};
enum { NUM_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* <lA> the lowering operator of A, <dB> the diagonal one of B, <xA> the other one */
static const char *const bodies[] = {
    "jumps: [{rate: 1, operator: '<lA>'}, {rate: 1, operator: '<lB>'}]",
    "jumps: [{rate: 1, operator: '<lA> + <lB>'}]",
    "jumps: [{rate: 1, operator: '<xA>'}, {rate: 1, operator: '<dB>'}]",
    "hamiltonian: ['<lA>*dag(<lB>) + hc']\njumps: [{rate: 1, operator: '<dA>'}]",
    "hamiltonian: ['(<lA>)^2*dag(<lB>) + hc']\njumps: [{rate: 1, operator: '<dB>'}]",
    "hamiltonian: ['<lA> + hc']\njumps: [{rate: 1, operator: '<xB>'}]",
    "hamiltonian: ['<xA>*<xB> + hc']\njumps: [{rate: 1, operator: '<lA>'}]",
    "jumps: [{rate: 1, operator: '<dA>'}]",
    "jumps: [{rate: 1, operator: '<dA>*<lB>'}, {rate: 1, operator: '<xA>'}]",
};
enum { NUM_BODIES = sizeof(bodies) / sizeof(bodies[0]) };

static const char *operator_of(int kind, char which)
{
  return which == 'l' ? kinds[kind].lower : which == 'd' ? kinds[kind].diagonal : kinds[kind].local;
}

/* A body with operators of the kinds of A and B in it. */
static void write_body(int kind_a, int kind_b, const char body[], char text[])
{
  for (; *body; body++) {
    if (body[0] != '<') {
      *text++ = *body;
      continue;
    }
    const char name = body[2];
    for (const char *c = operator_of(name == 'A' ? kind_a : kind_b, body[1]); *c; c++)
      *text++ = *c == '@' ? name : *c;
    body += 3;
  }
  *text = 0;
}

/* The deck with a task for each of the names. */
static Model open_named(int kind_a, int kind_b, const char body[], int num, char (*names)[COSPIN_SECTOR_NAME])
{
  size_t size;
  char *text;
  FILE *stream = open_memstream(&text, &size);
  Model model;

  assert_non_null(stream);
  fprintf(stream, "title: T\ncomponents: {A: {%s}, B: {%s}}\n%s\ntasks:\n", kinds[kind_a].component,
          kinds[kind_b].component, body);
  for (int s = 0; s < num; s++) {
    fprintf(stream, "  - decay: {name: t%d, ", s);
    fprintf(stream, strcmp(names[s], "everything") ? "sector: %s}\n" : "of: 1}\n", names[s]);
  }
  if (!num) fprintf(stream, "  - steady: {}\n");
  (void)fclose(stream);
  model = Model_Open(PETSC_COMM_SELF, text, 0);
  free(text);
  return model;
}

static void check_names(int kind_a, int kind_b, const char body[])
{
  Model model = open_named(kind_a, kind_b, body, 0, NULL);
  const int n = model.problem->system.num_coordinates;
  int num, *sectors = Model_All_Sectors(model.problem, &num);
  char(*names)[COSPIN_SECTOR_NAME] = malloc(sizeof(*names) * (size_t)num);

  assert_non_null(names);
  for (int s = 0; s < num; s++) {
    OK(CospinProblemDescribeSector(model.problem, sectors + s * n, names[s], sizeof(names[s])));
    for (int other = 0; other < s; other++)
      if (!strcmp(names[s], names[other])) fail_msg("%s: two sectors are called %s", body, names[s]);
  }
  Model_Close(&model);
  model = open_named(kind_a, kind_b, body, num, names);
  for (int s = 0; s < num && strcmp(names[s], "everything"); s++) {
    PetscBool ok;
    int *read;
    OK(CospinProblemSectorNamed(model.problem, CospinRecordGet(&model.deck->tasks[s], "sector"), model.faults,
                                &read, &ok));
    if (!ok || memcmp(read, sectors + s * n, sizeof(int) * (size_t)n))
      fail_msg("%s and %s, %s: %s is not what it names", kinds[kind_a].component, kinds[kind_b].component,
               body, names[s]);
    OK(PetscFree(read));
  }
  Model_Close(&model);
  free(names);
  free(sectors);
}

static void every_sector_has_one_name(void **state)
{
  (void)state;
  for (int a = 0; a < NUM_KINDS; a++) {
    for (int b = 0; b < NUM_KINDS; b++) {
      for (int k = 0; k < NUM_BODIES; k++) {
        char body[TEXT_SIZE];
        write_body(a, b, bodies[k], body);
        check_names(a, b, body);
      }
    }
  }
}

/* Numbers count modulo the symmetry, and parameters may stand in them. */
static void numbers_count_modulo_the_symmetry(void **state)
{
  static const char *const names[] = {"{ket: 0, bra: 1}", "{ket: 2, bra: 3}", "{ket: 4, bra: 2 - 1}"};
  int label[2] = {0, 1};

  (void)state;
  for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) check_sector(1, label, names[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_read_as_what_they_name),
      cmocka_unit_test(every_sector_has_one_name),
      cmocka_unit_test(numbers_count_modulo_the_symmetry),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
