/*
   Atoms of several levels: conformance with d^N beyond what test_components_mpi has, states, closed forms,
   and pulses of light against those of collective spins. Numbers: Masson and Parkins, spin-1 ensembles and
   photon counting, as computed independently of this program by closed forms, 3^N and integration of the
   Tavis-Cummings problem.
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

/* ---- Conformance --------------------------------------------------------------------------------------- */

static void more_atoms_and_levels_are_those_of_tensor_products(void **state)
{
  static const char *const texts[] = {
      "title: three atoms of three levels\ncomponents: {g: {kind: levels, size: 3, levels: 3}}\n"
      "hamiltonian: [\"(0.3 + 0.2*i)*g.E[2,0] + hc\", g.Qxy, 0.4*g.Sz^2]\n"
      "jumps: [{rate: 0.7, operator: g.Sm}, {rate: 0.5, operator: \"g.E[1,2] + 0.3*g.n[0]\"}]\n"
      "tasks: [steady: {}]\n",
      "title: two atoms of four levels\ncomponents: {g: {kind: levels, size: 2, levels: 4}}\n"
      "hamiltonian: [\"(0.3 + 0.2*i)*g.E[3,1] + hc\", g.Qzx, 0.4*g.Qyy, 0.1*g.Sx]\n"
      "jumps: [{rate: 0.7, operator: g.Sm}, {rate: 0.5, operator: \"g.E[0,3]\"}, {rate: 0.2, operator: "
      "g.Qyz}]\n"
      "tasks: [steady: {}]\n"};

  (void)state;
  if (getenv("COSPIN_VALGRIND")) return; /* half a minute there */
  for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
    Model model = Model_Open(PETSC_COMM_SELF, texts[k], 0);
    Conformance_Moves(&model);
    Conformance_Sectors(&model);
    Conformance_Conservation(&model);
    Model_Close(&model);
  }
}

/* d = 2 is one collective spin-1/2 ensemble in its largest irrep. */
static void two_levels_are_a_spin(void **state)
{
  static const char *const components[] = {"{kind: levels, size: 5, levels: 2}", "{kind: spin, S: 5/2}"};
  double values[2][2];

  (void)state;
  for (int k = 0; k < 2; k++) {
    char text[512];
    Model model;
    Answer answer;
    snprintf(text, sizeof(text),
             "title: a spin\ncomponents: {g: %s}\nhamiltonian: [0.3*g.Sx, 0.2*g.Sy]\n"
             "jumps: [{rate: 1, operator: g.Sm}]\nobservables: {z: <g.Sz>, y: <g.Sy>}\n"
             "tasks: [evolve: {times: [0.7], initial: {g: {css: [1.1, 1.4]}}}]\n",
             components[k]);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    values[k][0] = Answer_Get(&answer, "z", 0);
    values[k][1] = Answer_Get(&answer, "y", 0);
    Answer_Free(&answer);
    Model_Close(&model);
  }
  assert_true(fabs(values[0][1]) > 0.1);
  for (int i = 0; i < 2; i++) assert_close(values[0][i], values[1][i], 1e-8);
}

/* ---- States -------------------------------------------------------------------------------------------- */

static Model open_state(const char size[], const char levels[], const char initial[])
{
  char text[512];

  snprintf(text, sizeof(text),
           "title: a state\ncomponents: {g: {kind: levels, size: %s, levels: %s}}\n"
           "tasks: [evolve: {times: [0], initial: {g: %s}}]\n",
           size, levels, initial);
  return Model_Open(PETSC_COMM_SELF, text, 0);
}

/* The density matrix of d^N levels, and its sum of moduli squared (the purity). */
static Dense density(const Model *model, double *purity)
{
  Dense rho = Dense_Zero(Dense_Dimension(model->problem));
  CospinLattice lattice;
  CospinSector all;
  CospinState state;
  Dense unused = Model_Everything(model, &lattice, &all);
  PetscBool ok;

  OK(CospinStateCreate(model->problem, CospinRecordGet(&model->deck->tasks[0], "initial"), NULL, &state,
                       &ok));
  assert_true(ok && state->pure);
  for (PetscInt64 x = 0; x < CospinSectorDimension(all); x++) {
    int label[COSPIN_MAX_COORDINATES];
    Dense element;
    CospinSectorLabel(all, x, label);
    if (CospinStateElement(state, label) == 0.0) continue;
    element = Dense_Basis_Element(model->problem, label);
    Dense_Axpy(rho, CospinStateElement(state, label), element);
    Dense_Free(&element);
  }
  *purity = 0;
  for (int k = 0; k < rho.n * rho.n; k++) *purity += creal(rho.a[k] * conj(rho.a[k]));
  OK(CospinStateDestroy(&state));
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
  Dense_Free(&unused);
  return rho;
}

static double expect(const Model *model, const char text[], Dense rho)
{
  Dense a = Dense_Operator(model->problem, text, 0);
  const double value = creal(Dense_Expect(a, rho));

  Dense_Free(&a);
  return value;
}

/* rho = product of |x><x| over atoms, written out. */
static void product_states_are_products(void **state)
{
  static const double complex x[] = {0.6, 0.3 * I, -0.5 + 0.2 * I};
  double complex norm = 0, y[3];
  double purity;
  Model model = open_state("3", "3", "{product: [0.6, 0.3*i, -0.5 + 0.2*i]}");
  Dense rho = density(&model, &purity);

  (void)state;
  for (int k = 0; k < 3; k++) norm += x[k] * conj(x[k]);
  for (int k = 0; k < 3; k++) y[k] = x[k] / sqrt(creal(norm));
  for (int i = 0; i < 27; i++) {
    for (int j = 0; j < 27; j++) {
      const double complex ket = y[i / 9] * y[i / 3 % 3] * y[i % 3], bra = y[j / 9] * y[j / 3 % 3] * y[j % 3];
      assert_close(cabs(*Dense_At(rho, i, j) - ket * conj(bra)), 0, 1e-15);
    }
  }
  Dense_Free(&rho);
  Model_Close(&model);
}

/* The spin of a coherent state points along theta (from -z) and phi, with its whole length N s. */
static void coherent_states_point(void **state)
{
  static const char *const sizes[][2] = {{"3", "3"}, {"2", "4"}};
  const double theta = 1.1, phi = 0.4;

  (void)state;
  for (int k = 0; k < 2; k++) {
    Model model = open_state(sizes[k][0], sizes[k][1], "{css: [1.1, 0.4]}");
    double purity;
    Dense rho = density(&model, &purity);
    assert_close(purity, 1, 1e-14);
    assert_close(expect(&model, "g.Sz", rho), -3 * cos(theta), 1e-14); /* N s = 3 of both */
    assert_close(expect(&model, "g.Sx", rho), 3 * sin(theta) * cos(phi), 1e-14);
    assert_close(expect(&model, "g.Sy", rho), -3 * sin(theta) * sin(phi), 1e-14);
    Dense_Free(&rho);
    Model_Close(&model);
  }
}

static void one_level_and_occupations_are_kets(void **state)
{
  static const struct {
    const char *initial;
    double n[3];
  } cases[] = {{"{level: 1}", {0, 3, 0}}, {"{occupations: [2, 0, 1]}", {2, 0, 1}}, {"ground", {3, 0, 0}}};

  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model model = open_state("3", "3", cases[k].initial);
    double purity;
    Dense rho = density(&model, &purity);
    assert_close(purity, 1, 1e-14);
    for (int level = 0; level < 3; level++) {
      char text[64];
      snprintf(text, sizeof(text), "g.n[%d]", level);
      assert_close(expect(&model, text, rho), cases[k].n[level], 1e-14);
      snprintf(text, sizeof(text), "g.n[%d]^2", level);
      assert_close(expect(&model, text, rho), PetscSqr(cases[k].n[level]), 1e-14);
    }
    Dense_Free(&rho);
    Model_Close(&model);
  }
}

/* |S,M> has the eigenvalues of S^2 and Sz without a spread, in d^N. */
static void states_of_total_spin_have_it(void **state)
{
  static const struct {
    const char *size, *levels, *initial;
    double s, m;
  } cases[] = {{"3", "3", "{dicke: [1, 0]}", 1, 0},       {"3", "3", "{dicke: [1, -1]}", 1, -1},
               {"3", "3", "{dicke: [3, 2]}", 3, 2},       {"2", "3", "{dicke: [0, 0]}", 0, 0},
               {"2", "4", "{dicke: [1, 0]}", 1, 0},       {"2", "4", "{dicke: [3, -2]}", 3, -2},
               {"3", "2", "{dicke: [3/2, 1/2]}", 1.5, .5}};

  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    const double square = cases[k].s * (cases[k].s + 1);
    Model model = open_state(cases[k].size, cases[k].levels, cases[k].initial);
    double purity;
    Dense rho = density(&model, &purity);
    assert_close(purity, 1, 1e-13);
    assert_close(expect(&model, "g.Sz", rho), cases[k].m, 1e-13);
    assert_close(expect(&model, "g.Sx^2 + g.Sy^2 + g.Sz^2", rho), square, 1e-13);
    assert_close(expect(&model, "(g.Sx^2 + g.Sy^2 + g.Sz^2)^2", rho), square * square, 1e-12);
    Dense_Free(&rho);
    Model_Close(&model);
  }
}

/* Every label goes to its columns and back; numbers that are no label do not. */
static void stored_labels_are_read_back(void **state)
{
  Model model = open_state("3", "4", "ground"), smaller = open_state("3", "3", "ground");
  const CospinComponent g = &model.problem->system.components[0], h = &smaller.problem->system.components[0];
  CospinLattice lattice;
  CospinSector all;
  Dense unused = Model_Everything(&model, &lattice, &all);
  int found = 0;

  (void)state;
  for (PetscInt64 x = 0; x < CospinSectorDimension(all); x++) {
    int label[6], again[6], three[4];
    double columns[2];
    CospinSectorLabel(all, x, label);
    g->kind->GetColumns(g, label, columns);
    assert_true(g->kind->SetColumns(g, columns, again));
    assert_memory_equal(label, again, sizeof(label));
    if (h->kind->SetColumns(h, columns, three)) found++; /* of atoms without a fourth level */
  }
  assert_int_equal(CospinSectorDimension(all), 20 * 20);
  assert_int_equal(found, 10 * 10);
  for (int k = 0; k < 4; k++) {
    static const double wrong[][2] = {{-1, 0}, {0, 64}, {0.5, 0}, {3 + 4, 0}}; /* 7: three and one of three */
    int label[6];
    assert_false(g->kind->SetColumns(g, wrong[k], label));
  }
  OK(CospinSectorDestroy(&all));
  OK(CospinLatticeDestroy(&lattice));
  Dense_Free(&unused);
  Model_Close(&model);
  Model_Close(&smaller);
}

/* ---- Closed forms -------------------------------------------------------------------------------------- */

static double variance(int size, int s)
{
  char text[512];
  Model model;
  Answer answer;
  double value;

  snprintf(text, sizeof(text),
           "title: Fisher information\ncomponents: {g: {kind: levels, size: %d, levels: 3}}\n"
           "observables: {f: 4*<(g.Qxx - g.Qyy)^2> - 4*<g.Qxx - g.Qyy>^2}\n"
           "tasks: [evolve: {times: [0], initial: {g: {dicke: [%d, -%d]}}}]\n",
           size, s, s);
  model = Model_Open(PETSC_COMM_SELF, text, 0);
  answer = Model_Run(&model, 0);
  value = Answer_Get(&answer, "f", 0);
  Answer_Free(&answer);
  Model_Close(&model);
  return value;
}

/* F_S = 16[2m(m-1)(S+1)(S+2)/((S+3/2)(S+5/2)) + (2S+4)m(S+1)/(S+3/2) + S] of |S,-S>, m = (N-S)/2 */
static void spread_of_the_nematic_tensor_has_its_closed_form(void **state)
{
  static const struct {
    int size, s;
    double f;
  } numbers[] = {{3, 1, 464. / 5}, {3, 3, 48}, {4, 0, 1792. / 15}, {4, 2, 992. / 7}, {4, 4, 64}};
  const int size = getenv("COSPIN_VALGRIND") ? 4 : 20;

  (void)state;
  for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
    assert_close(variance(numbers[k].size, numbers[k].s), numbers[k].f, 1e-11);
  for (int s = 0; s <= size; s += 2) {
    const double m = (size - s) / 2.0,
                 f = 16 * (2 * m * (m - 1) * (s + 1) * (s + 2) / ((s + 1.5) * (s + 2.5)) +
                           (2 * s + 4) * m * (s + 1) / (s + 1.5) + s);
    assert_close(variance(size, s), f, 1e-9);
  }
}

/* ---- Pulses -------------------------------------------------------------------------------------------- */

#define PULSE                                                                                                \
  "title: a pulse\ncomponents: {g: %s, c: {kind: mode, cutoff: %d, edge: 1}}\n"                              \
  "hamiltonian: [%g*c.a*g.Sp + hc]\njumps: [{rate: 2, operator: c.a}]\n"                                     \
  "observables: {flux: 2*<c.n>, left: <g.Sz>, square: <g.Sz^2>}\n"                                           \
  "tasks: [evolve: {times: [0.5, 1, 5], initial: {g: %s}}]\n"

/* values[time] of flux, Sz and Sz^2 at t = 0.5, 1, 5 */
static void run_pulse(const char component[], const char initial[], int cutoff, double coupling,
                      double values[3][3])
{
  static const char *const names[] = {"flux", "left", "square"};
  char text[768];
  Model model;
  Answer answer;

  snprintf(text, sizeof(text), PULSE, component, cutoff, coupling, initial);
  model = Model_Open(PETSC_COMM_SELF, text, 0);
  answer = Model_Run(&model, 0);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int time = 0; time < 3; time++) {
    for (int k = 0; k < 3; k++) values[time][k] = Answer_Get(&answer, names[k], time);
  }
  Answer_Free(&answer);
  Model_Close(&model);
}

/* Three atoms in |S,0> with S = 1 emit as one spin does; flux at t = 1 and 5, lam = 0.3. */
static void a_total_spin_emits_as_a_spin(void **state)
{
  double values[3][3];

  (void)state;
  run_pulse("{kind: levels, size: 3, levels: 3}", "{dicke: [1, 0]}", 2, 0.3, values);
  assert_close(values[1][0], .13555577, 5e-9);
  assert_close(values[2][0], .10538615, 5e-9);
}

/* All in m = 0 is a superposition of |S,0> with |c_S|^2 = (2S+1) N!/((N-S)!! (N+S+1)!!), and light does not
   see their coherence. */
static void all_in_the_middle_level_emit_as_a_mixture_of_spins(void **state)
{
  static const struct {
    const char *atoms;
    int size;
    double weight[3]; /* of S = 0, 2, 4 */
  } cases[] = {{"{kind: levels, size: 4, levels: 3}", 4, {1. / 5, 4. / 7, 8. / 35}},
               {"{kind: levels, size: 2, levels: 3}", 2, {1. / 3, 2. / 3, 0}}};
  const int which = getenv("COSPIN_VALGRIND") ? 1 : 0, size = cases[which].size;
  double atoms[3][3], sum[3][3] = {{0}};

  (void)state;
  run_pulse(cases[which].atoms, "{level: 1}", size + 1, 1, atoms);
  for (int k = 1; k <= size / 2; k++) {
    char component[64], initial[64];
    double spin[3][3];
    snprintf(component, sizeof(component), "{kind: spin, S: %d}", 2 * k);
    snprintf(initial, sizeof(initial), "{dicke: [%d, 0]}", 2 * k);
    run_pulse(component, initial, 2 * k + 1, 1, spin);
    if (k == 1) assert_close(spin[1][0], 1.52558630, 5e-9);
    for (int i = 0; i < 9; i++) sum[i / 3][i % 3] += cases[which].weight[k] * spin[i / 3][i % 3];
  }
  assert_true(sum[1][0] > 1);
  for (int i = 0; i < 9; i++) assert_close(atoms[i / 3][i % 3], sum[i / 3][i % 3], 1e-8);
}

/* Nobody counts the photons: of the mixture of |S,-S> that is left,

     F = sum xi_S F_S - 16 sum xi_S xi_(S+2)/(xi_S + xi_(S+2)) |<S+2,-S-2|G|S,-S>|^2

   with xi_S = 2/3, 1/3 (S = 2, 0) of two atoms and 2/5, 3/5 (S = 3, 1) of three: 16.5925926 and 38.016. */
static void what_a_pulse_leaves_has_the_fisher_information_of_a_mixture(void **state)
{
  static const double information[] = {448. / 27, 38.016};

  (void)state;
  for (int k = 0; k < 2; k++) {
    char text[512];
    Model model;
    Answer answer;
    snprintf(
        text, sizeof(text),
        "title: after a pulse\ncomponents: {g: {kind: levels, size: %d, levels: 3}, c: {kind: mode, cutoff: "
        "%d}}\nhamiltonian: [c.a*g.Sp + hc]\njumps: [{rate: 2, operator: c.a}]\n"
        "observables: {f: qfi(g.Qxx - g.Qyy)}\n"
        "tasks: [evolve: {times: [40], initial: {g: {level: 1}}}]\n",
        2 + k, 3 + k);
    model = Model_Open(PETSC_COMM_SELF, text, 0);
    answer = Model_Run(&model, 0);
    assert_close(Answer_Get(&answer, "f", 0), information[k], 1e-6);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(more_atoms_and_levels_are_those_of_tensor_products),
      cmocka_unit_test(two_levels_are_a_spin),
      cmocka_unit_test(product_states_are_products),
      cmocka_unit_test(coherent_states_point),
      cmocka_unit_test(one_level_and_occupations_are_kets),
      cmocka_unit_test(states_of_total_spin_have_it),
      cmocka_unit_test(stored_labels_are_read_back),
      cmocka_unit_test(spread_of_the_nematic_tensor_has_its_closed_form),
      cmocka_unit_test(a_total_spin_emits_as_a_spin),
      cmocka_unit_test(all_in_the_middle_level_emit_as_a_mixture_of_spins),
      cmocka_unit_test(what_a_pulse_leaves_has_the_fisher_information_of_a_mixture),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
