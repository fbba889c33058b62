/*
   Atoms of several levels with processes of single atoms: conformance with d^N, the tables of four models
   that were computed independently of this program (occupation numbers and d^N in Python, see the comments),
   two levels against ensembles, states against products, and what is refused.
*/
#include "support_conformance.h"
#include <cospin/tasks/tables.h>
#include <math.h>
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

static void assert_close(double value, double expected, double bound)
{
  if (!(fabs(value - expected) <= bound)) fail_msg("%.17g is not %.17g", value, expected);
}

/* ---- Conformance --------------------------------------------------------------------------------------- */

#define ATOMS(n, d) "components: {g: {kind: levels, size: " #n ", levels: " #d "}}\n"
/* one process of several terms interferes with itself; products of one atom; collective terms; a Hamiltonian
   that is not diagonal; jumps that combine both */
#define EVERYTHING                                                                                           \
  "hamiltonian: [\"(0.3 + 0.2*i)*g.E[2,0] + hc\", g.Qxy, 0.4*g.Sz^2]\n"                                      \
  "jumps: [{rate: 0.7, operator: g.Sm}, {rate: 0.5, each: g.sm}, {rate: 0.9, each: \"g.e[0,2] + "            \
  "(0.4 + 0.1*i)*g.e[1,1] + 0.2\"}, {rate: 0.3, each: \"g.e[0,1]*g.e[1,2]\"}, {rate: 0.2, each: "            \
  "g.sx*g.Sz}]\n"
#define TASKS                                                                                                \
  "observables: {a: <g.Sz>, b: \"<g.E[1,0]*g.E[0,1]>\", c: <g.Sx>, d: \"<g.E[0,1] + 2*i*g.n[1]>\"}\n"        \
  "tasks: [steady: {}, gap: {}, decay: {of: \"g.E[1,0]\", count: 2}, decay: {name: z, of: g.Sz, count: "     \
  "3}]\noperator: assembled\n"

static const char *const texts[] = {
    "title: one atom\n" ATOMS(1, 3) EVERYTHING TASKS,
    "title: two atoms\n" ATOMS(2, 3) EVERYTHING TASKS,
    "title: two atoms of two levels\n" ATOMS(
        2,
        2) "hamiltonian: [0.7*g.Sx, 0.2*g.Sz]\njumps: [{rate: 0.7, operator: g.Sm}, {rate: 0.4, each: g.sp}, "
           "{rate: 0.3, each: g.sz}, {rate: 0.35, each: g.sx + 0.3*i*g.sz}]\n" TASKS,
    "title: two atoms of four levels\n" ATOMS(
        2, 4) "hamiltonian: [\"0.3*g.E[2,3] + hc\", \"0.2*g.n[2]\"]\njumps: [{rate: 0.7, operator: "
              "\"g.E[0,3]\"}, {rate: "
              "0.4, each: \"g.e[3,0]\"}, {rate: 0.3, each: \"g.e[1,0] + 0.7*g.e[2,1]\"}, {rate: 0.35, each: "
              "\"g.e[0,2]\"}]\n" TASKS,
    "title: with charges\n" ATOMS(2, 3) "jumps: [{rate: 1, operator: \"g.E[0,1]\"}, {rate: 2, each: "
                                        "\"g.e[2,0]\"}, {rate: 5, each: \"g.e[1,2]\"}, "
                                        "{rate: 0.3, each: \"g.e[1,1]\"}]\n" TASKS,
    "title: with a mode\ncomponents: {g: {kind: levels, size: 2, levels: 3}, u: {kind: mode, cutoff: 2, "
    "edge: "
    "1}}\nhamiltonian: [u.a*g.Sp + hc, 0.2*u.n]\njumps: [{rate: 1.1, operator: u.a}, {rate: 0.4, each: "
    "g.sm}, "
    "{rate: 0.6, each: \"g.e[2,0]*u.a\"}, {rate: 0.25, operator: u.a*g.Sz}]\n" TASKS,
    "title: with an ensemble in front\ncomponents: {A: {kind: ensemble, size: 1}, g: {kind: levels, size: 1, "
    "levels: 3}}\nhamiltonian: [A.Sm*g.Sp + hc]\njumps: [{rate: 1.1, each: A.sp}, {rate: 0.4, each: "
    "A.Sz*g.sm}, {rate: 0.6, operator: \"A.Sm + g.E[0,2]\"}]\n" TASKS,
};

static void for_all_texts(void (*check)(const Model *model))
{
  const size_t step = getenv("COSPIN_VALGRIND") ? 6 : 1; /* all of them take minutes there */

  for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k += step) {
    Model model = Model_Open(PETSC_COMM_SELF, texts[k], 0);
    assert_false(CospinSystemHasSides(&model.problem->system));
    check(&model);
    Model_Close(&model);
  }
}

static void moves_are_the_generator_of_the_whole(void **state)
{
  (void)state;
  for_all_texts(Conformance_Moves);
}

static void sectors_hold_every_element_once(void **state)
{
  (void)state;
  for_all_texts(Conformance_Sectors);
}

static void trace_and_hermiticity_are_kept(void **state)
{
  (void)state;
  for_all_texts(Conformance_Conservation);
}

static void check_spectra(const Model *model)
{
  Conformance_Spectra(model, 1e-9);
}

static void spectra_are_those_of_the_whole(void **state)
{
  (void)state;
  for_all_texts(check_spectra);
}

static void expectation_values_are_those_of_the_whole(void **state)
{
  (void)state;
  for_all_texts(Conformance_Expectations);
}

static void steady_states_are_steady_for_the_whole(void **state)
{
  (void)state;
  for_all_texts(Conformance_Steady_State);
}

static void operators_are_looked_for_where_they_live(void **state)
{
  (void)state;
  for_all_texts(Conformance_Operator_Sectors);
}

static void check_rates(const Model *model)
{
  Conformance_Rates(model, 1e-9);
}

static void rates_are_those_of_dense_sectors(void **state)
{
  (void)state;
  for_all_texts(check_rates);
}

/* Three atoms: 729 x 729 elements, the generator alone. */
static void three_atoms_are_those_of_tensor_products(void **state)
{
  Model model;

  (void)state;
  if (getenv("COSPIN_VALGRIND")) return; /* half a minute there */
  model =
      Model_Open(PETSC_COMM_SELF, "title: three atoms\n" ATOMS(3, 3) EVERYTHING "tasks: [steady: {}]\n", 0);
  Conformance_Moves(&model);
  Conformance_Sectors(&model);
  Conformance_Conservation(&model);
  Model_Close(&model);
}

/* ---- Tables -------------------------------------------------------------------------------------------- */

#define TABLE                                                                                                \
  "observables: {n0: \"<g.n[0]>\", n1: \"<g.n[1]>\", n2: \"<g.n[2]>\", JJ: \"<g.E[1,0]*g.E[0,1]>\", nn: "    \
  "\"<g.n[1]*g.n[2]>\"}\ntasks: [steady: {}, gap: {}, decay: {of: \"g.E[1,0]\"}]\n"

/* A three-level superradiant laser with its mode eliminated; NV centres (levels m = -1, 0, 1) pumped through
   m = 0. N, labels, <n_0>, <n_1>, <n_2>, <E_10 E_01>, <n_1 n_2>, gap, decay of E_10. */
static const struct {
  const char *jumps;
  double rows[5][9];
} tables[] = {
    {"jumps: [{rate: 1, operator: \"g.E[0,1]\"}, {rate: 2, each: \"g.e[2,0]\"}, {rate: 5, each: "
     "\"g.e[1,2]\"}, {rate: 0.3, each: \"g.e[1,1]\"}, {rate: 0.2, each: \"g.e[0,1]\"}]\n",
     {{1, 3, .3260869565, .5434782609, .1304347826, .5434782609, 0, 4.1, 1.75},
      {3, 13, 1.0299989234, 1.5580015072, .4119995694, 1.7483975454, .4195453389, 3.164755493, 1.697657087},
      {4, 22, 1.4000614642, 2.0399139501, .5600245857, 2.3921401384, .8406527201, 3.018872081, 1.679135612},
      {8, 95, 2.9472788678, 3.8738095851, 1.1789115471, 5.1197958185, 3.9340501053, 2.730862848, 1.630402051},
      {15, 444, 5.7684888557, 6.9241156021, 2.3073955423, 10.1521545909, 14.7482960467, 2.524202351,
       1.587977160}}},
    {"jumps: [{rate: 1, operator: \"g.E[0,1]\"}, {rate: 2, each: \"g.e[1,0]\"}, {rate: 2, each: "
     "\"g.e[1,2]\"}, {rate: 0.1, each: \"g.e[0,1]\"}, {rate: 0.1, each: \"g.e[1,0]\"}, {rate: 0.1, each: "
     "\"g.e[1,2]\"}, {rate: 0.1, each: \"g.e[2,1]\"}, {rate: 0.5, each: g.sz}]\n",
     {{1, 3, .3333333333, .6363636364, .0303030303, .6363636364, 0, 2.1, 1.9},
      {3, 13, 1.0880134194, 1.8250780997, .0869084809, 2.1023203707, .1082065318, 2.131814743, 1.798733119},
      {4, 22, 1.4973639600, 2.3888798563, .1137561836, 2.9055763304, .2083233966, 2.136891979, 1.763530478},
      {8, 95, 3.2535598314, 4.5306928882, .2157472804, 6.3794063572, .8697029578, 2.144324728, 1.673586853},
      {15, 444, 6.5208154909, 8.0937670314, .3854174777, 12.8843358277, 2.9411606079, 2.147315822,
       1.599028503}}},
};

static void check_row(const char jumps[], const double row[9])
{
  static const char *const names[] = {"n0", "n1", "n2", "JJ", "nn"};
  char text[2048];
  Answer steady, gap, decay;
  Model model;

  snprintf(text, sizeof(text),
           "title: a table\ncomponents: {g: {kind: levels, size: %g, levels: 3}}\n%s" TABLE, row[0], jumps);
  model = Model_Open(PETSC_COMM_SELF, text, 0);
  steady = Model_Run(&model, 0);
  gap = Model_Run(&model, 1);
  decay = Model_Run(&model, 2);
  assert_true(Answer_Get(&steady, "dimension", 0) == row[1]);
  for (int k = 0; k < 5; k++)
    assert_close(Answer_Get(&steady, names[k], 0), row[2 + k], 6e-11 * (1 + row[0]));
  assert_close(Answer_Get(&gap, "rate", 0), row[7], 1e-9);
  assert_close(Answer_Get(&decay, "rate", 0), row[8], 1e-9);
  Answer_Free(&steady);
  Answer_Free(&gap);
  Answer_Free(&decay);
  Model_Close(&model);
}

/* A level that is reached incoherently only has no coherences: 444 labels at N = 15, of 6420 without charge.
 */
static void tables_of_lasers_are_met(void **state)
{
  (void)state;
  for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
    for (int k = 0; k < (getenv("COSPIN_VALGRIND") ? 2 : 5); k++)
      check_row(tables[t].jumps, tables[t].rows[k]);
  }
}

#define LAMBDA                                                                                               \
  "hamiltonian: [\"0.75*g.E[2,0] + hc\", \"0.4*g.n[2]\"]\njumps: [{rate: 1, operator: \"g.E[0,2]\"}, "       \
  "{rate: 0.6, operator: \"g.E[1,2]\"}, {rate: 0.2, each: \"g.e[0,2]\"}, {rate: 0.3, each: \"g.e[1,2]\"}, "  \
  "{rate: 0.25, each: \"g.e[0,1]\"}]\nobservables: {n0: \"<g.n[0]>\", n1: \"<g.n[1]>\", n2: \"<g.n[2]>\", "  \
  "E: \"<g.E[0,2]>\", J: \"<g.E[2,0]*g.E[0,2]>\", K: \"<g.E[2,1]*g.E[1,2]>\"}\n"                             \
  "tasks: [steady: {}, gap: {}, decay: {of: \"g.E[1,0]\"}]\n"

/* A Lambda scheme, driven: N, labels, <n_k>, Re <E_02>, two correlations, slowest of both sectors. */
static void a_lambda_scheme_is_met(void **state)
{
  static const char *const names[] = {"n0", "n1", "n2", "E_re", "J", "K"};
  static const double rows[][10] = {{1, 5, .4135977337, .4589235127, .1274787535, -.0679886686, .1274787535,
                                     .1274787535, .535951139, .474437583},
                                    {2, 19, .9299751051, .8312316918, .2387932031, -.1260706964, .3067892939,
                                     .2269499367, .452006198, .430363102},
                                    {4, 139, 2.3918325840, 1.2543333130, .3538341030, -.1831976103,
                                     .7759732789, .3457218289, .331066661, .236769650}};

  (void)state;
  for (size_t r = 0; r < (getenv("COSPIN_VALGRIND") ? 1 : sizeof(rows) / sizeof(rows[0])); r++) {
    char text[2048];
    Answer steady, gap, decay;
    Model model;
    snprintf(text, sizeof(text),
             "title: Lambda\ncomponents: {g: {kind: levels, size: %g, levels: 3}}\n" LAMBDA, rows[r][0]);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    steady = Model_Run(&model, 0);
    gap = Model_Run(&model, 1);
    decay = Model_Run(&model, 2);
    assert_true(Answer_Get(&steady, "dimension", 0) == rows[r][1]);
    for (int k = 0; k < 6; k++) assert_close(Answer_Get(&steady, names[k], 0), rows[r][2 + k], 1e-10);
    assert_close(Answer_Get(&gap, "rate", 0), rows[r][8], 1e-9);
    assert_close(Answer_Get(&decay, "rate", 0), rows[r][9], 1e-9);
    Answer_Free(&steady);
    Answer_Free(&gap);
    Answer_Free(&decay);
    Model_Close(&model);
  }
}

/* ---- Weights ------------------------------------------------------------------------------------------- */

static void check_weighed(const Model *model)
{
  static const double populations[] = {0.3, 1.9, 0.8, 0.1};
  Answer before = Model_Run(model, 0), after;
  CospinProblem problem;
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool any, ok;

  CospinProblemWindows(model->problem, windows, &any);
  OK(CospinProblemCreateWindowed(model->problem, windows, NULL, &problem, &ok));
  for (int c = 0; c < problem->system.num_components; c++) {
    CospinComponent component = &problem->system.components[c];
    if (component->kind->Weigh) component->kind->Weigh(component, populations);
  }
  OK(CospinPointReplaceProblem(model->point, problem));
  ((Model *)(uintptr_t)model)->problem = problem;
  Conformance_Conservation(model);
  Conformance_Spectra(model, 1e-9);
  after = Model_Run(model, 0);
  assert_int_equal(before.outcome, after.outcome);
  for (int o = 0; o < model->point->observables->count && before.outcome == COSPIN_GOOD; o++) {
    const CospinObservable *observable = &model->point->observables->observables[o];
    char name[64];
    snprintf(name, sizeof(name), "%s%s", observable->definition->name, observable->real ? "" : "_re");
    assert_close(Answer_Get(&after, name, 0), Answer_Get(&before, name, 0), 1e-11);
  }
  Answer_Free(&before);
  Answer_Free(&after);
}

static void weights_of_labels_change_no_number(void **state)
{
  (void)state;
  for_all_texts(check_weighed);
}

#define IONS                                                                                                 \
  "title: ions\nparameters: {N: %d}\ncomponents: {g: {kind: %s}}\njumps: [{rate: 1, operator: g.Sm}, "       \
  "{rate: N/2, each: g.sp}]\nobservables: {z: <g.Sz>}\ntasks: [gap: {}, decay: {of: g.Sm}, evolve: {times: " \
  "[0.1], initial: {g: ground}}, steady: {}]\n"

/* Without weights the gap of 60 atoms of two levels has four digits (2^30 is lost); with them it is that of
   an ensemble. A task that begins elsewhere has none. */
static void weights_keep_the_digits_of_rates(void **state)
{
  const int size = getenv("COSPIN_VALGRIND") ? 20 : 60;
  static const PetscBool weighed[] = {PETSC_TRUE, PETSC_TRUE, PETSC_FALSE, PETSC_FALSE};
  Model models[2];

  (void)state;
  for (int m = 0; m < 2; m++) {
    char text[1024];
    snprintf(text, sizeof(text), IONS, size, m ? "levels, size: N, levels: 2" : "ensemble, size: N");
    models[m] = Model_Open(PETSC_COMM_SELF, text, 0);
  }
  for (int task = 0; task < 4; task++) {
    static const char *const names[] = {"rate", "rate", "z", "z"};
    static const double bounds[] = {1e-8, 1e-9, 1e-7, 1e-10};
    Answer answers[2];
    for (int m = 0; m < 2; m++) {
      OK(CospinTaskWeigh(models[m].point, &models[m].deck->tasks[task]));
      assert_int_equal(models[m].point->weighed, m && weighed[task]);
      answers[m] = Model_Run(&models[m], task);
      if (m == 0 || weighed[task] || size < 30 || task == 3)
        assert_int_equal(answers[m].outcome, COSPIN_GOOD);
    }
    if (answers[1].outcome == COSPIN_GOOD)
      assert_close(Answer_Get(&answers[1], names[task], 0), Answer_Get(&answers[0], names[task], 0),
                   bounds[task]);
    else /* an evolution from all in one level: its digits are not there, and it says so */
      assert_int_equal(answers[1].outcome, COSPIN_INACCURATE);
    for (int m = 0; m < 2; m++) Answer_Free(&answers[m]);
  }
  for (int m = 0; m < 2; m++) Model_Close(&models[m]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_are_the_generator_of_the_whole),
      cmocka_unit_test(sectors_hold_every_element_once),
      cmocka_unit_test(trace_and_hermiticity_are_kept),
      cmocka_unit_test(spectra_are_those_of_the_whole),
      cmocka_unit_test(expectation_values_are_those_of_the_whole),
      cmocka_unit_test(steady_states_are_steady_for_the_whole),
      cmocka_unit_test(operators_are_looked_for_where_they_live),
      cmocka_unit_test(rates_are_those_of_dense_sectors),
      cmocka_unit_test(three_atoms_are_those_of_tensor_products),
      cmocka_unit_test(tables_of_lasers_are_met),
      cmocka_unit_test(a_lambda_scheme_is_met),
      cmocka_unit_test(weights_of_labels_change_no_number),
      cmocka_unit_test(weights_keep_the_digits_of_rates),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
