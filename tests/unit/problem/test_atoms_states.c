/*
   States of single atoms of several levels: against d^N and against the symmetric kets that they are where
   they are; the sectors that they are found in; labels in files; two levels against ensembles; photons of a
   pulse against numbers that were computed independently of this program (tilted generators on occupation
   numbers, and 3^N for two atoms, in Python); which of the two spaces a deck gets.
*/
#include "support_conformance.h"
#include <cospin/problem/state.h>
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

/* With `jumps` of single atoms or without. */
static Model open_state(int size, int levels, const char initial[], const char jumps[])
{
  char text[512];

  snprintf(text, sizeof(text),
           "title: a state\ncomponents: {g: {kind: levels, size: %d, levels: %d}}\n%s"
           "tasks: [evolve: {times: [0], initial: {g: %s}}]\n",
           size, levels, jumps, initial);
  return Model_Open(PETSC_COMM_SELF, text, 0);
}

#define DEPHASING "jumps: [{rate: 0.3, each: g.sz}, {rate: 1, operator: g.Sm}]\n"

/* ---- States -------------------------------------------------------------------------------------------- */

/* In d^N levels; the sectors that the search finds are those of the labels that have an element. */
static Dense density(const Model *model, PetscBool *pure)
{
  const CospinSystem *system = &model->problem->system;
  const size_t n = (size_t)system->num_coordinates;
  Dense rho = Dense_Zero(Dense_Dimension(model->problem)), unused;
  int *found, *sectors, num, known = 0;
  CospinLattice lattice;
  CospinSector all;
  CospinState state;
  PetscBool ok;

  unused = Model_Everything(model, &lattice, &all);
  found = calloc((size_t)CospinSectorDimension(all) * n, sizeof(int));
  OK(CospinStateCreate(model->problem, CospinRecordGet(&model->deck->tasks[0], "initial"), NULL, &state,
                       &ok));
  assert_true(ok);
  *pure = state->pure;
  for (PetscInt64 x = 0; x < CospinSectorDimension(all); x++) {
    int *label = found + (size_t)known * n;
    Dense element;
    CospinSectorLabel(all, x, label);
    if (CospinStateElement(state, label) == 0.0) continue;
    element = Dense_Basis_Element(model->problem, label);
    Dense_Axpy(rho, CospinStateElement(state, label), element);
    Dense_Free(&element);
    CospinLatticeReduce(model->problem->lattice, label);
    known++;
  }
  OK(CospinLabelsUnique((int)n, &known, found));
  OK(CospinStateSectors(model->problem, state, &num, &sectors));
  assert_int_equal(num, known);
  assert_memory_equal(sectors, found, sizeof(int) * n * (size_t)num);
  OK(PetscFree(sectors));
  OK(CospinStateDestroy(&state));
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
  Dense_Free(&unused);
  free(found);
  return rho;
}

/* The same word means the same state in both spaces. */
static void symmetric_states_are_the_same_in_both_spaces(void **state)
{
  static const struct {
    int size, levels;
    const char *initial;
  } cases[] = {{3, 3, "ground"},
               {3, 3, "{level: 1}"},
               {3, 3, "{occupations: [2, 0, 1]}"},
               {3, 3, "{product: [0.6, 0.3*i, -0.5 + 0.2*i]}"},
               {2, 4, "{css: [1.1, 0.4]}"},
               {3, 3, "{dicke: [1, -1]}"},
               {3, 2, "{dicke: [3/2, 1/2]}"}};

  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model with = open_state(cases[k].size, cases[k].levels, cases[k].initial, DEPHASING),
          without = open_state(cases[k].size, cases[k].levels, cases[k].initial, "");
    PetscBool pure[2];
    Dense rho = density(&with, &pure[0]), same = density(&without, &pure[1]);
    assert_false(CospinSystemHasSides(&with.problem->system));
    assert_true(CospinSystemHasSides(&without.problem->system));
    assert_true(pure[0] && pure[1]);
    for (int i = 0; i < rho.n * rho.n; i++) assert_close(cabs(rho.a[i] - same.a[i]), 0, 2e-14);
    Dense_Free(&rho);
    Dense_Free(&same);
    Model_Close(&with);
    Model_Close(&without);
  }
}

/* rho = product of one matrix over atoms, written out; such a state takes the larger space by itself. */
static void mixtures_of_single_atoms_are_products(void **state)
{
  static const double complex matrix[3][3] = {
      {0.5, 0.1 + 0.2 * I, 0}, {0.1 - 0.2 * I, 0.3, 0.05 * I}, {0, -0.05 * I, 0.2}};
  static const char *const initial[] = {
      "{matrix: [0.5, 0.1 + 0.2*i, 0, 0.1 - 0.2*i, 0.3, 0.05*i, 0, -0.05*i, 0.2]}",
      "{populations: [0.5, 0.3, 0.2]}"};

  (void)state;
  for (int k = 0; k < 2; k++) {
    Model model = open_state(3, 3, initial[k], k ? "" : DEPHASING);
    PetscBool pure;
    Dense rho = density(&model, &pure);
    assert_false(CospinSystemHasSides(&model.problem->system));
    assert_false(pure);
    for (int i = 0; i < 27; i++) {
      for (int j = 0; j < 27; j++) {
        double complex product = 1;
        for (int l = 0, x = i, y = j; l < 3; l++, x /= 3, y /= 3)
          product *= k && x % 3 != y % 3 ? 0 : matrix[x % 3][y % 3];
        assert_close(cabs(*Dense_At(rho, i, j) - product), 0, 1e-15);
      }
    }
    Dense_Free(&rho);
    Model_Close(&model);
  }
}

/* A pure atom makes a pure state, whose fidelity may be asked for; thirty atoms have 5e7 labels, and a state
   in one of them is found without going over all. */
static void states_of_many_atoms_are_found_at_once(void **state)
{
  static const char *const initial[] = {"{populations: [0, 1, 0]}", "{level: 1}",
                                        "{occupations: [29, 0, 1]}"};

  (void)state;
  for (int k = 0; k < 3; k++) {
    Model model =
        open_state(30, 3, initial[k], "jumps: [{rate: 1, each: \"g.e[0,1]\"}, {rate: 1, each: g.sz}]\n");
    int num, *sectors;
    CospinState found;
    PetscBool ok;
    OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "initial"), NULL, &found,
                         &ok));
    assert_true(ok && found->pure);
    OK(CospinStateSectors(model.problem, found, &num, &sectors));
    assert_true(num == 1 || k == 2);
    OK(PetscFree(sectors));
    OK(CospinStateDestroy(&found));
    Model_Close(&model);
  }
}

/* Every label goes to its columns and back; numbers that are no label do not, nor do atoms of other levels.
 */
static void stored_labels_are_read_back(void **state)
{
  static const double wrong[][3] = {{3, -1, 0}, {3, 0, 256}, {3, 0.5, 0}, {3, 3, 1}, {2, 0, 0}, {4, 0, 0}};
  Model model = open_state(3, 3, "ground", DEPHASING);
  const CospinComponent g = &model.problem->system.components[0];
  CospinLattice lattice;
  CospinSector all;
  Dense unused = Model_Everything(&model, &lattice, &all);
  int label[8], again[8], adjoint[8];

  (void)state;
  assert_int_equal(CospinSectorDimension(all), 165);
  for (PetscInt64 x = 0; x < CospinSectorDimension(all); x++) {
    double columns[3];
    CospinSectorLabel(all, x, label);
    g->kind->GetColumns(g, label, columns);
    assert_true(g->kind->SetColumns(g, columns, again));
    assert_memory_equal(label, again, sizeof(label));
    g->kind->Adjoint(g, label, adjoint);
    g->kind->Adjoint(g, adjoint, again);
    assert_memory_equal(label, again, sizeof(label));
  }
  for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
    assert_false(g->kind->SetColumns(g, wrong[k], label));
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
  Dense_Free(&unused);
  Model_Close(&model);
}

/* ---- Two levels ---------------------------------------------------------------------------------------- */

#define IONS                                                                                                 \
  "title: ions\nparameters: {N: %d, z: %g}\ncomponents: {g: {kind: %s}}\nhamiltonian: [%s0.2*g.Sz]\njumps: " \
  "[{rate: 1, operator: g.Sm}, {rate: N/2, each: g.sp}, {rate: 0.3*z, each: g.sz}, {rate: 0.2, each: "       \
  "g.sm}]\nobservables: {z: <g.Sz>, c: <g.Sp*g.Sm>, x: <g.Sx>, q: <g.Sz^2>}\ntasks: [steady: {}, gap: {}, "  \
  "decay: {of: g.Sm, count: 2}, evolve: {times: [0.1], initial: {g: {css: [1.1, 0.4]}}}]\n"

/* Ensembles in the basis of irreps j; sz of an ensemble is Pauli's matrix, twice that of levels. */
static void two_levels_are_an_ensemble(void **state)
{
  static const struct {
    int size;
    const char *drive;
  } cases[] = {{1, ""}, {4, "0.4*g.Sx, "}, {7, ""}, {20, ""}, {30, ""}};
  static const char *const names[] = {"z", "c", "x", "q"};

  (void)state;
  for (size_t k = 0; k < (getenv("COSPIN_VALGRIND") ? 2 : sizeof(cases) / sizeof(cases[0])); k++) {
    Answer answers[2][4];
    Model models[2];
    for (int m = 0; m < 2; m++) {
      char text[1024];
      snprintf(text, sizeof(text), IONS, cases[k].size, m ? 4. : 1.,
               m ? "levels, size: N, levels: 2" : "ensemble, size: N", cases[k].drive);
      models[m] = Model_Open(PETSC_COMM_SELF, text, 0);
      for (int task = 0; task < 4; task++) answers[m][task] = Model_Run(&models[m], task);
    }
    for (int o = 0; o < 4; o++) {
      const double scale = o == 0 || o == 2 ? cases[k].size : PetscSqr(cases[k].size);
      for (int task = 0; task < 4; task += 3)
        assert_close(Answer_Get(&answers[1][task], names[o], 0), Answer_Get(&answers[0][task], names[o], 0),
                     (task ? 1e-8 : 1e-10) * scale);
    }
    assert_close(Answer_Get(&answers[1][1], "rate", 0), Answer_Get(&answers[0][1], "rate", 0),
                 1e-10 * cases[k].size);
    for (int mode = 0; mode < (cases[k].size > 1 ? 2 : 1); mode++)
      assert_close(Answer_Get(&answers[1][2], "rate", mode), Answer_Get(&answers[0][2], "rate", mode),
                   1e-10 * cases[k].size);
    assert_true(Answer_Get(&answers[0][0], "dimension", 0) == Answer_Get(&answers[1][0], "dimension", 0));
    for (int m = 0; m < 2; m++) {
      for (int task = 0; task < 4; task++) {
        assert_int_equal(answers[m][task].outcome, COSPIN_GOOD);
        Answer_Free(&answers[m][task]);
      }
      Model_Close(&models[m]);
    }
  }
}

/* ---- Light --------------------------------------------------------------------------------------------- */

#define PULSE                                                                                                \
  "title: a pulse\ncomponents: {g: {kind: levels, size: %d, levels: 3}, c: {kind: mode, cutoff: %d}}\n"      \
  "hamiltonian: [0.7*c.a*g.Sp + hc]\njumps: [{name: out, rate: 2, operator: c.a}, {rate: 0.1, each: "        \
  "g.sm}]\n"                                                                                                 \
  "tasks: [clicks: {jump: out, efficiency: %g, time: 30, most: %d, initial: {g: {level: 1}}, tolerance: "    \
  "1e-10}]\n"

/* Spin-1 atoms, all in m = 0, that scatter one by one while they emit into a cavity: photons are no longer
   even in number. */
static void photons_of_a_pulse_are_met(void **state)
{
  static const struct {
    int size;
    double efficiency, probability[5];
  } cases[] = {{2, 1, {.384880083, .138948720, .476171197, 0, 0}},
               {2, .6, {.516646963, .311931407, .171421631, 0, 0}},
               {4, 1, {.263830442, .170799347, .381427781, .057807302, .126135129}},
               {4, .6, {.400107352, .321587802, .205879056, .056078678, .016347113}}};

  (void)state;
  for (size_t k = 0; k < (getenv("COSPIN_VALGRIND") ? 1 : 4); k++) {
    const int size = cases[k].size;
    char text[1024];
    Answer answer;
    Model model;
    snprintf(text, sizeof(text), PULSE, size, size + 1, cases[k].efficiency, size);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    /* labels that the pulse reaches, of 231 and 7365: excitations never grow */
    assert_true(Answer_Get(&answer, "dimension", 0) == (size == 2 ? 33 : 439));
    for (int n = 0; n <= size; n++)
      assert_close(Answer_Get(&answer, "probability", n), cases[k].probability[n], 2e-9);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(symmetric_states_are_the_same_in_both_spaces),
      cmocka_unit_test(mixtures_of_single_atoms_are_products),
      cmocka_unit_test(states_of_many_atoms_are_found_at_once),
      cmocka_unit_test(stored_labels_are_read_back),
      cmocka_unit_test(two_levels_are_an_ensemble),
      cmocka_unit_test(photons_of_a_pulse_are_met),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
