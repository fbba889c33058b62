/*
   Of several steady states, the one that an initial state leads to: against conservation laws, against the
   state after a long evolution, and against the published amplitude of a spin cat.
*/
#include "support_model.h"
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

/* cmocka compares floats; these are doubles. */
static void assert_near(double value, double expected, double bound)
{
  if (!(PetscAbsReal(value - expected) <= bound)) print_error("%.15g is not %.15g\n", value, expected);
  assert_true(PetscAbsReal(value - expected) <= bound);
}

static double value_of(const Answer *answer, const char suffix[])
{
  return Answer_Get(answer, suffix, 0);
}

/* Collective decay keeps j, and ends in its lowest state. */
static void decay_keeps_j(void **state)
{
  (void)state;
  for (int j = 0; j <= 3; j++) {
    char text[512];
    Model model;
    Answer answer;
    (void)snprintf(
        text, sizeof(text),
        "title: T\ncomponents: {ions: {kind: ensemble, size: 6}}\n"
        "jumps: [{rate: 1, operator: ions.Sm}]\nobservables: {z: <ions.Sz>, j2: <ions.Sp*ions.Sm>}\n"
        "tasks: [{steady: {initial: {ions: {dicke: [%d, 0]}}}}]\n",
        j);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    assert_int_equal((int)value_of(&answer, "degeneracy"), 4);
    assert_near(value_of(&answer, "z"), -j, 1e-12);
    assert_near(value_of(&answer, "j2"), 0, 1e-12);
    assert_near(value_of(&answer, "trace"), 1, 1e-12);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* Without an initial state there is no answer. */
static void nothing_is_picked(void **state)
{
  Model model =
      Model_Open(PETSC_COMM_WORLD,
                 "title: T\ncomponents: {ions: {kind: ensemble, size: 6}}\n"
                 "jumps: [{rate: 1, operator: ions.Sm}]\nobservables: {z: <ions.Sz>}\ntasks: [steady]\n",
                 0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_DEGENERATE);
  assert_true(isnan(value_of(&answer, "z")));
  Answer_Free(&answer);
  Model_Close(&model);
}

/* A two-photon cat keeps the weights of its parities; Sx commutes with itself; dephasing keeps every
 * population. */
static const char *const decks[] = {
    "title: T\ncomponents: {s: {kind: spin, S: 4}}\nhamiltonian: ['0.5/8*s.Sm^2 + hc']\n"
    "jumps: [{rate: 1/64, operator: s.Sm^2}]\nobservables: {z: <s.Sz>, p: '<s.Sp*s.Sm>', a: '<s.Sm>'}\n"
    "tasks:\n  - steady: {initial: {s: {css: [0.9, 0.3]}}}\n"
    "  - evolve: {initial: {s: {css: [0.9, 0.3]}}, times: [0, 20000]}\n",
    "title: T\ncomponents: {s: {kind: spin, S: 2}}\njumps: [{rate: 1, operator: s.Sx}]\n"
    "observables: {z: <s.Sz>, p: '<s.Sx>', a: '<s.Sx^2>'}\n"
    "tasks:\n  - steady: {initial: {s: {css: [0.9, 0.3]}}}\n"
    "  - evolve: {initial: {s: {css: [0.9, 0.3]}}, times: [0, 500]}\n",
    "title: T\ncomponents: {ions: {kind: ensemble, size: 5}, m: {kind: mode, cutoff: 4, edge: 1}}\n"
    "jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.3, operator: m.n}]\n"
    "observables: {z: <ions.Sz>, p: <m.n>, a: '<m.n^2>'}\n"
    "tasks:\n  - steady: {initial: {ions: {css: [2.2, 0]}, m: {coherent: 0.7}}}\n"
    "  - evolve: {initial: {ions: {css: [2.2, 0]}, m: {coherent: 0.7}}, times: [0, 500]}\n",
};

static void a_long_evolution_ends_there(void **state)
{
  static const char *const names[] = {"z", "p"};

  (void)state;
  for (size_t d = 0; d < sizeof(decks) / sizeof(decks[0]); d++) {
    Model model = Model_Open(PETSC_COMM_WORLD, decks[d], 0);
    Answer reached = Model_Run(&model, 0), evolved = Model_Run(&model, 1);
    assert_int_equal(reached.outcome, COSPIN_GOOD);
    assert_int_equal(evolved.outcome, COSPIN_GOOD);
    assert_true(value_of(&reached, "degeneracy") > 1);
    for (size_t k = 0; k < 2; k++) {
      assert_near(value_of(&reached, names[k]), Answer_Get(&evolved, names[k], 1), 1e-7);
    }
    Answer_Free(&evolved);
    Answer_Free(&reached);
    Model_Close(&model);
  }
}

/* N = 100, eta = 5: the eo rate is below 1e-12, the coherence stays, |<a>| = 3.359629 (slow mode, independent
   code). At eta = 8 it is 5.9e-10: that is not zero, and the coherence is gone in the end. */
static void a_cat_keeps_its_coherence(void **state)
{
  static const char *const format =
      "title: T\nparameters: {N: 100, eta: %d}\ncomponents: {s: {kind: spin, S: N/2}}\n"
      "hamiltonian: ['eta/N*s.Sm^2 + hc']\njumps: [{rate: 1/N^2, operator: s.Sm^2}]\nobservables: {a: "
      "abs(<s.b>)}\n"
      "tasks:\n  - steady: {initial: {s: {coherent: 'sqrt(2*eta)*exp(-i*pi/4)'}}}\n";
  static const double amplitude[] = {3.359629, 0};
  static const int eta[] = {5, 8};

  (void)state;
  for (int k = 0; k < 2; k++) {
    char text[512];
    Model model;
    Answer answer;
    (void)snprintf(text, sizeof(text), format, eta[k]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    assert_int_equal((int)value_of(&answer, "degeneracy"), 2);
    assert_near(value_of(&answer, "a"), amplitude[k], 1e-6);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decay_keeps_j),
      cmocka_unit_test(nothing_is_picked),
      cmocka_unit_test(a_long_evolution_ends_there),
      cmocka_unit_test(a_cat_keeps_its_coherence),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
