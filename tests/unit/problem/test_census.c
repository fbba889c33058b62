/* Labels, kets and sectors are counted without an enumeration: against one. */
#include "support_model.h"
#include <cospin/problem/census.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* Every kind, and what may be done to one component of it: jumps that span lattices of every sort. */
typedef struct {
  const char *component;
  const char *jumps[6]; /* @ is its name */
  const char *raise;    /* takes an excitation up, for exchange with another component */
} Part;

static const Part parts[] = {
    {"@: {kind: ensemble, size: 4}",
     {"", "{rate: 1, operator: @.Sm}", "{rate: 1, each: @.sm}", "{rate: 1, each: @.sz}",
      "{rate: 1, operator: @.Sm^2}, {rate: 1, each: @.sz}", "{rate: 1, each: @.sx + @.sz}"},
     "@.Sp"},
    {"@: {kind: spin, S: 3/2}",
     {"", "{rate: 1, operator: @.Sm}", "{rate: 1, operator: @.Sx}", "{rate: 1, operator: @.Sm^2}",
      "{rate: 1, operator: @.Sm^3 + @.Sz}", "{rate: 1, operator: @.Sx + @.Sz}"},
     "@.Sp"},
    {"@: {kind: spins, size: 2}",
     {"", "{rate: 1, operator: @.Sm}", "{rate: 1, operator: '@.sm[0]'}", "{rate: 1, operator: '@.sz[0]'}",
      "{rate: 1, operator: '@.sp[0]*@.sm[1]'}", "{rate: 1, operator: '@.Sx + @.sz[1]'}"},
     "@.Sp"},
    {"@: {kind: mode, cutoff: 5}",
     {"", "{rate: 1, operator: @.a}", "{rate: 1, operator: @.a^2}", "{rate: 1, operator: @.a^2 - 1}",
      "{rate: 1, operator: @.n}", "{rate: 1, operator: @.a + 2}"},
     "dag(@.a)"},
    {"@: {kind: levels, size: 3, levels: 3}",
     {"", "{rate: 1, operator: @.Sm}", "{rate: 1, operator: '@.E[0,2]'}", "{rate: 1, operator: @.Sx}",
      "{rate: 1, operator: @.Qzz}", "{rate: 1, operator: @.Qzx + @.Sz}"},
     "@.Sp"},
};
enum { NUM_PARTS = sizeof(parts) / sizeof(parts[0]), NUM_JUMPS = 6 };

/* Puts a name where a text has @. */
static void append(char text[], const char form[], const char name[])
{
  size_t end = strlen(text);

  for (; *form; form++) {
    if (*form == '@')
      end += (size_t)sprintf(text + end, "%s", name);
    else
      text[end++] = *form;
    text[end] = 0;
  }
}

static Model open_model(const char components[], const char hamiltonian[], const char jumps[])
{
  char text[2048];

  snprintf(text, sizeof(text),
           "title: a model\ncomponents: {%s}\nhamiltonian: [%s]\njumps: [%s]\ntasks: [steady: {}]\n",
           components, hamiltonian, jumps);
  return Model_Open(PETSC_COMM_SELF, text, 0);
}

static PetscBool counts_for_kets(const CospinSystem *system, int i)
{
  const CospinRole role = CospinSystemRole(system, i);

  return (PetscBool)(role == COSPIN_COORDINATE_IRREP || role == COSPIN_COORDINATE_KET);
}

/* How many kets with their irreps occur in a sector. */
static int count_kets(const CospinSystem *system, CospinSector sector)
{
  const int n = system->num_coordinates, num = (int)CospinSectorDimension(sector);
  int *labels = (int *)calloc((size_t)(num * n) + 1, sizeof(int)), count = num;

  for (int k = 0; k < num; k++) {
    CospinSectorLabel(sector, k, labels + k * n);
    for (int i = 0; i < n; i++)
      if (!counts_for_kets(system, i)) labels[k * n + i] = 0;
  }
  OK(CospinLabelsUnique(n, &count, labels));
  free(labels);
  return count;
}

static PetscBool has_trace(const CospinSystem *system, CospinSector sector)
{
  for (PetscInt64 k = 0; k < CospinSectorDimension(sector); k++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, k, label);
    if (CospinSystemTrace(system, label) != 0.0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Sums over all sectors. */
typedef struct {
  int sectors, steady, labels;
} Sums;

static Sums check_model(const Model *model)
{
  const CospinSystem *system = &model->problem->system;
  const int n = system->num_coordinates;
  int num, *sectors = Model_All_Sectors(model->problem, &num);
  CospinCensus labels, kets;
  Sums sums = {.sectors = num};

  OK(CospinCensusCreate(system, model->problem->lattice, PETSC_FALSE, &labels));
  OK(CospinCensusCreate(system, model->problem->lattice, PETSC_TRUE, &kets));
  for (int s = 0; s < num; s++) {
    CospinSector sector;
    CospinCount count, alone, rows;
    OK(CospinSectorCreate(system, model->problem->lattice, sectors + s * n, &sector));
    OK(CospinCensusCount(labels, sectors + s * n, &count));
    OK(CospinCensusOfSector(system, model->problem->lattice, sectors + s * n, &alone));
    OK(CospinCensusCount(kets, sectors + s * n, &rows));
    assert_true(count.exact && alone.exact && rows.exact);
    assert_true(count.labels == (double)CospinSectorDimension(sector));
    assert_true(alone.labels == count.labels && alone.nodes == count.nodes);
    assert_true(rows.labels >= count_kets(system, sector));
    if (has_trace(system, sector)) {
      assert_true(rows.labels == count_kets(system, sector));
      sums.steady++;
    }
    sums.labels += (int)count.labels;
    OK(CospinSectorDestroy(&sector));
  }
  OK(CospinCensusDestroy(&labels));
  OK(CospinCensusDestroy(&kets));
  free(sectors);
  return sums;
}

static void assert_steady_sectors(const Model *model, int expected)
{
  CospinPolynomial one;
  int num, *representatives;

  OK(CospinPolynomialCreate(&one));
  OK(CospinPolynomialAddMonomial(one, 1.0, 0, NULL));
  OK(CospinProblemSectors(model->problem, one, &num, &representatives));
  assert_int_equal(num, expected);
  OK(PetscFree(representatives));
  OK(CospinPolynomialDestroy(&one));
}

static void one_component_of_every_kind(void **state)
{
  (void)state;
  for (int a = 0; a < NUM_PARTS; a++) {
    for (int j = 0; j < NUM_JUMPS; j++) {
      char components[256] = "", jumps[256] = "";
      append(components, parts[a].component, "A");
      append(jumps, parts[a].jumps[j], "A");
      Model model = open_model(components, "", jumps);
      const Sums sums = check_model(&model);
      assert_steady_sectors(&model, sums.steady);
      Model_Close(&model);
    }
  }
}

/* Each pair with and without an exchange of excitations, one component with each sort of jumps. */
static void every_pair_of_kinds(void **state)
{
  (void)state;
  for (int which = 0; which < NUM_PARTS * NUM_PARTS * NUM_JUMPS * 2; which++) {
    const Part *a = &parts[which % NUM_PARTS], *b = &parts[which / NUM_PARTS % NUM_PARTS];
    const int j = which / (NUM_PARTS * NUM_PARTS) % NUM_JUMPS,
              exchange = which / (NUM_PARTS * NUM_PARTS * NUM_JUMPS);
    char components[512] = "", hamiltonian[256] = "", jumps[512] = "";
    append(components, a->component, "A");
    append(components, ", ", "");
    append(components, b->component, "B");
    append(jumps, a->jumps[j], "A");
    if (j % 2 && a->jumps[j][0]) append(jumps, ", ", "");
    if (j % 2) append(jumps, b->jumps[1 + which % (NUM_JUMPS - 1)], "B");
    if (exchange) {
      append(hamiltonian, a->raise, "A");
      append(hamiltonian, "*dag(", "");
      append(hamiltonian, b->raise, "B");
      append(hamiltonian, ") + hc", "");
    }
    Model model = open_model(components, hamiltonian, jumps);
    const Sums sums = check_model(&model);
    assert_steady_sectors(&model, sums.steady);
    Model_Close(&model);
  }
}

/* Lines long enough to be summed up as linear functions, in pieces. */
static void long_lines(void **state)
{
  static const char *const models[][3] = {
      {"A: {kind: ensemble, size: 60}", "", "{rate: 1, each: A.sm}"},
      {"A: {kind: ensemble, size: 61}", "", "{rate: 1, each: A.sz}, {rate: 1, operator: A.Sp^2}"},
      {"A: {kind: ensemble, size: 12}, B: {kind: mode, cutoff: 30}", "A.Sp*B.a + hc",
       "{rate: 1, each: A.sm}"},
      {"A: {kind: ensemble, size: 40}, B: {kind: mode, cutoff: 2}", "A.Sp*B.a + hc",
       "{rate: 1, operator: A.Sm}"},
      {"A: {kind: levels, size: 15, levels: 3}", "", "{rate: 1, operator: A.Sm}"},
      {"A: {kind: levels, size: 12, levels: 3}", "", "{rate: 1, operator: 'A.E[0,1]'}"},
      {"A: {kind: levels, size: 14, levels: 3}", "",
       "{rate: 1, operator: 'A.E[0,2]'}, {rate: 1, operator: A.Sz}"},
      {"A: {kind: mode, cutoff: 60}, B: {kind: mode, cutoff: 3}", "A.a*dag(B.a) + hc",
       "{rate: 1, operator: B.a}"},
      {"A: {kind: mode, cutoff: 60}, B: {kind: mode, cutoff: 3}", "A.a^2*dag(B.a) + hc",
       "{rate: 1, operator: B.a}"},
      {"A: {kind: spin, S: 20}, B: {kind: spin, S: 7}", "A.Sp*B.Sm + hc", ""},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(models) / sizeof(models[0]); k++) {
    Model model = open_model(models[k][0], models[k][1], models[k][2]);
    const Sums sums = check_model(&model);
    assert_true(sums.labels > 1000);
    assert_steady_sectors(&model, sums.steady);
    Model_Close(&model);
  }
}

/* The sector of the label 0. */
static CospinCount count_first(const char components[], const char hamiltonian[], const char jumps[])
{
  const int zero[COSPIN_MAX_COORDINATES] = {0};
  Model model = open_model(components, hamiltonian, jumps);
  CospinCount count;

  OK(CospinCensusOfSector(&model.problem->system, model.problem->lattice, zero, &count));
  Model_Close(&model);
  return count;
}

/* Those of the formulas, far beyond what could be enumerated. */
static void spaces_of_any_size_are_counted(void **state)
{
  static const struct {
    const char *components, *hamiltonian, *jumps;
    double labels, error;
  } rows[] = {
      /* (N/2+1)^2 */
      {"A: {kind: ensemble, size: 1000000}", "", "{rate: 1, each: A.sp}, {rate: 1, operator: A.Sm}",
       500001.0 * 500001.0, 0},
      {"A: {kind: ensemble, size: 100000000}", "", "{rate: 1, each: A.sp}", 50000001.0 * 50000001.0, 0},
      /* (N+1)(N+2)(N+3)/6 */
      {"A: {kind: ensemble, size: 3000}", "A.Sx", "{rate: 1, each: A.sz}", 3001.0 * 3002.0 * 3003.0 / 6, 0},
      {"A: {kind: ensemble, size: 100000000}", "A.Sx", "{rate: 1, each: A.sz}", 1e24 / 6, 0.03},
      {"A: {kind: spin, S: 1e6}", "A.Sx", "{rate: 1, operator: A.Sm}", 2000001.0 * 2000001.0, 0},
      {"A: {kind: spin, S: 1e6}", "", "{rate: 1, operator: A.Sm}", 2000001.0, 0},
      {"A: {kind: spins, size: 17}", "A.Sx", "{rate: 1, operator: A.Sm}", 17179869184.0, 0},
      {"A: {kind: spins, size: 17}", "", "{rate: 1, operator: A.Sm}", 2333606220.0, 0}, /* C(34,17) */
      {"A: {kind: spins, size: 32}", "A.Sx", "", 18446744073709551616.0, 0},
      /* ((N+1)(N+2)/2)^2 */
      {"A: {kind: levels, size: 46341, levels: 3}", "A.Sx", "",
       46342.0 * 46343.0 / 2 * (46342.0 * 46343.0 / 2), 0.05},
      {"A: {kind: mode, cutoff: 3000}, B: {kind: mode, cutoff: 3000}, C: {kind: mode, cutoff: 3000}",
       "A.a + B.a + C.a + hc", "", 729e18, 0},
      /* sum of the squares of how often k1 + k2 + k3 = s: 11/20 M^5 + M^3/4 + M/5 */
      {"A: {kind: mode, cutoff: 3000}, B: {kind: mode, cutoff: 3000}, C: {kind: mode, cutoff: 3000}",
       "A.a*dag(B.a) + B.a*dag(C.a) + hc", "{rate: 1, operator: A.a}", 0.55 * 243e15, 0.05},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    const CospinCount count = count_first(rows[k].components, rows[k].hamiltonian, rows[k].jumps);
    assert_true(PetscAbsReal(count.labels - rows[k].labels) <= rows[k].error * rows[k].labels);
    assert_int_equal(count.exact, rows[k].error < 0.01);
  }
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_component_of_every_kind),
      cmocka_unit_test(every_pair_of_kinds),
      cmocka_unit_test(long_lines),
      cmocka_unit_test(spaces_of_any_size_are_counted),
  };
  int status;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  status = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) status = 1;
  return status;
}
