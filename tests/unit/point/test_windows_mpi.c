/* Modes without a cutoff: states whose numbers are known in closed form, and one that has no bound. */
#include "support_model.h"
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

static const double leak_of_states = 1e-12, leak_of_modes = 1e-8;

static Model open_model(const char parameters[], const char body[])
{
  char text[2048];

  snprintf(text, sizeof(text),
           "title: a window\nparameters: {%s}\n%s\n"
           "observables: {n: <c.n>, a: <c.a>, pairs: <dag(c.a)^2*c.a^2>}\n"
           "tasks: [steady: {}, decay: {of: c.a}, decay: {name: energy, of: c.n}]\n",
           parameters, body);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

static void assert_near(double value, double expected, double bound, const char what[])
{
  if (!(fabs(value - expected) <= bound)) fail_msg("%s: %.15g, not %.15g", what, value, expected);
}

/* d<a>/dt = -kappa/2 <a> - i eps: alpha = -2i eps/kappa, a coherent state. */
static void a_driven_mode_is_in_a_coherent_state(void **state)
{
  static const double drives[] = {0.1, 0.5, 1, 2.5};

  (void)state;
  for (size_t k = 0; k < sizeof(drives) / sizeof(drives[0]); k++) {
    const double kappa = 1.2, alpha = -2 * drives[k] / kappa, photons = alpha * alpha;
    char parameters[64];
    Model model;
    Answer steady, decay;
    snprintf(parameters, sizeof(parameters), "eps: %g, kappa: %g", drives[k], kappa);
    model = open_model(parameters, "components: {c: {kind: mode}}\nhamiltonian: [eps*(c.a + dag(c.a))]\n"
                                   "jumps: [{rate: kappa, operator: c.a}]");
    steady = Model_Run(&model, 0);
    assert_int_equal(steady.outcome, COSPIN_GOOD);
    assert_near(Answer_Get(&steady, "n", 0), photons, 1e-9 * (1 + photons), "photons");
    assert_near(Answer_Get(&steady, "a_re", 0), 0, 1e-9, "Re alpha");
    assert_near(Answer_Get(&steady, "a_im", 0), alpha, 1e-9 * (1 + fabs(alpha)), "Im alpha");
    assert_near(Answer_Get(&steady, "pairs", 0), photons * photons, 1e-9 * (1 + photons * photons), "g2 = 1");
    assert_true(Answer_Get(&steady, "leak", 0) > 0 && Answer_Get(&steady, "leak", 0) <= leak_of_states);
    decay = Model_Run(&model, 1);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_near(Answer_Get(&decay, "rate", 0), kappa / 2, 1e-8, "the rate of <a>");
    assert_true(Answer_Get(&decay, "leak", 0) <= leak_of_modes);
    Answer_Free(&steady);
    Answer_Free(&decay);
    Model_Close(&model);
  }
}

static void a_thermal_mode_has_the_numbers_of_bose_and_einstein(void **state)
{
  static const double occupations[] = {0, 0.05, 0.5, 3, 20};

  (void)state;
  for (size_t k = 0; k < sizeof(occupations) / sizeof(occupations[0]); k++) {
    const double nth = occupations[k];
    char parameters[64];
    Model model;
    Answer steady, decay, energy;
    snprintf(parameters, sizeof(parameters), "nth: %g", nth);
    model =
        open_model(parameters, "components: {c: {kind: mode}}\nhamiltonian: [0.7*c.n]\n"
                               "jumps: [{rate: 1 + nth, operator: c.a}, {rate: nth, operator: dag(c.a)}]");
    steady = Model_Run(&model, 0);
    decay = Model_Run(&model, 1);
    energy = Model_Run(&model, 2);
    assert_int_equal(steady.outcome, COSPIN_GOOD);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_int_equal(energy.outcome, COSPIN_GOOD);
    assert_near(Answer_Get(&steady, "n", 0), nth, 1e-9 * (1 + nth), "photons");
    assert_near(Answer_Get(&steady, "pairs", 0), 2 * nth * nth, 1e-8 * (1 + nth * nth), "g2 = 2");
    assert_true(Answer_Get(&steady, "leak", 0) <= leak_of_states);
    assert_near(Answer_Get(&decay, "rate", 0), 0.5, 1e-7, "the rate of <a>");
    assert_near(Answer_Get(&decay, "frequency", 0), 0.7, 1e-7, "the frequency of <a>");
    assert_near(Answer_Get(&energy, "rate", 0), 1, 1e-7, "the rate of <n>");
    Answer_Free(&steady);
    Answer_Free(&decay);
    Answer_Free(&energy);
    Model_Close(&model);
  }
}

/* Two open windows that need different sizes, and a spin that has none: damped alone, coupled by nothing. */
static void every_window_is_large_enough(void **state)
{
  Model model = open_model("nth: 1.5, hot: 0.2",
                           "components: {c: {kind: mode}, s: {kind: spin, S: 1}, other: {kind: mode}}\n"
                           "jumps: [{rate: 1 + nth, operator: c.a}, {rate: nth, operator: dag(c.a)}, "
                           "{rate: 1 + hot, operator: other.a}, {rate: hot, operator: dag(other.a)}, "
                           "{rate: 1, operator: s.Sm}]");
  Answer steady = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(steady.outcome, COSPIN_GOOD);
  assert_near(Answer_Get(&steady, "n", 0), 1.5, 1e-9, "photons");
  assert_near(Answer_Get(&steady, "pairs", 0), 4.5, 1e-8, "g2 = 2");
  Answer_Free(&steady);
  Model_Close(&model);
}

/* Pairs of quanta come and go together, and only even numbers occur: from the last of them in a window of 27
   levels the next one is two levels away. The even cat of amplitude alpha is dark for a^2 - alpha^2. */
static void a_leak_by_two_quanta_is_seen(void **state)
{
  static const double squares[] = {3, 9, 16};

  (void)state;
  for (size_t k = 0; k < sizeof(squares) / sizeof(squares[0]); k++) {
    const double s = squares[k];
    char text[1024];
    Model model;
    Answer steady;
    snprintf(text, sizeof(text),
             "title: a cat\nparameters: {s: %g}\ncomponents: {c: {kind: mode}}\n"
             "jumps: [{rate: 1, operator: c.a^2 - s}]\nobservables: {n: <c.n>}\n"
             "tasks: [steady: {sector: {ket: 0, bra: 0}}]\n",
             s);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    steady = Model_Run(&model, 0);
    assert_int_equal(steady.outcome, COSPIN_GOOD);
    assert_near(Answer_Get(&steady, "n", 0), s * tanh(s), 1e-7 * s, "quanta of an even cat");
    assert_true(Answer_Get(&steady, "leak", 0) > 0);
    Answer_Free(&steady);
    Model_Close(&model);
  }
}

/* The deck's own cutoff is never changed; that it cuts is told, unless the deck says that it is meant. */
static void a_cutoff_of_the_deck_stands(void **state)
{
  Model cut = open_model("M: 4", "components: {c: {kind: mode, cutoff: M}}\n"
                                 "jumps: [{rate: 3, operator: c.a}, {rate: 2, operator: dag(c.a)}]");
  Model model = open_model("M: 4", "components: {c: {kind: mode, cutoff: M, edge: 1}}\n"
                                   "jumps: [{rate: 3, operator: c.a}, {rate: 2, operator: dag(c.a)}]");
  Answer inaccurate = Model_Run(&cut, 0), steady = Model_Run(&model, 0);
  double sum = 0, photons = 0;

  (void)state;
  for (int n = 0; n < 4; n++) {
    sum += pow(2. / 3, n);
    photons += n * pow(2. / 3, n);
  }
  assert_int_equal(inaccurate.outcome, COSPIN_INACCURATE);
  assert_near(Answer_Get(&inaccurate, "edge", 0), pow(2. / 3, 3) / sum, 1e-12,
              "population of the last level");
  assert_int_equal(steady.outcome, COSPIN_GOOD);
  assert_true(Answer_Get(&steady, "edge", 0) == Answer_Get(&inaccurate, "edge", 0));
  assert_true(Answer_Get(&steady, "dimension", 0) == 4);
  assert_true(Answer_Get(&steady, "leak", 0) == 0);
  assert_near(Answer_Get(&steady, "n", 0), photons / sum, 1e-12, "photons");
  Answer_Free(&inaccurate);
  Answer_Free(&steady);
  Model_Close(&cut);
  Model_Close(&model);
}

/* Pumped faster than it is damped, a mode has no steady state: every window is full at its edge. */
static void a_state_without_a_bound_ends_at_the_limit(void **state)
{
  Model model = open_model("pump: 2", "components: {c: {kind: mode}}\n"
                                      "jumps: [{rate: pump, operator: dag(c.a)}, {rate: 1, operator: c.a}]");
  Answer steady = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(steady.outcome, COSPIN_WINDOW_LIMIT);
  assert_true(Answer_Get(&steady, "leak", 0) > 1e-3);
  assert_true(Answer_Get(&steady, "dimension", 0) <= 20000);
  Answer_Free(&steady);
  Model_Close(&model);
}

/* A mode that is pumped faster than it loses has no steady state, but a state at every time: n(t) = 2 (e^t -
 * 1). */
static void a_growing_mode_evolves(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: T\ncomponents: {m: {kind: mode}}\n"
                           "jumps: [{rate: 2, operator: dag(m.a)}, {rate: 1, operator: m.a}]\n"
                           "observables: {n: <m.n>}\n"
                           "tasks: [evolve: {initial: {m: ground}, times: [0, 0.5, 1]}]\n",
                           0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int k = 0; k < 3; k++) {
    assert_near(Answer_Get(&answer, "n", k), 2.0 * (PetscExpReal(0.5 * k) - 1.0), 1e-8, "n");
  }
  Answer_Free(&answer);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_driven_mode_is_in_a_coherent_state),
      cmocka_unit_test(a_thermal_mode_has_the_numbers_of_bose_and_einstein),
      cmocka_unit_test(every_window_is_large_enough),
      cmocka_unit_test(a_leak_by_two_quanta_is_seen),
      cmocka_unit_test(a_cutoff_of_the_deck_stands),
      cmocka_unit_test(a_state_without_a_bound_ends_at_the_limit),
      cmocka_unit_test(a_growing_mode_evolves),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
