/*
   Task `counting`: cumulants of clicks against the eigenvalue of the dense tilted generator, differentiated
   by Cauchy's integral; closed forms of resonance fluorescence and of Poisson's process; and what a
   conservation law makes equal to all orders.
*/
#include "support_model.h"
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

enum { NUM = 4, POINTS = 24 };
static const char *const names[NUM] = {"mean", "variance", "third", "fourth"};

/* cmocka compares floats; these are doubles. */
static void assert_near(double value, double expected, double bound)
{
  if (!(fabs(value - expected) <= bound)) print_error("%.15g is not %.15g\n", value, expected);
  assert_true(fabs(value - expected) <= bound);
}

static double value_of(const Answer *answer, const char suffix[])
{
  return Answer_Get(answer, suffix, 0);
}

/* The eigenvalue of L + eta (e^chi - 1) J next to zero. */
static double complex tilted_eigenvalue(Dense liouvillian, Dense jumps, double eta, double complex chi)
{
  Dense tilted = Dense_Zero(liouvillian.n);
  double complex *values = malloc(sizeof(*values) * (size_t)tilted.n), nearest;

  Dense_Axpy(tilted, 1, liouvillian);
  Dense_Axpy(tilted, eta * (cexp(chi) - 1), jumps);
  Dense_Eigenvalues(tilted, values);
  nearest = values[0];
  for (int k = 1; k < tilted.n; k++) {
    if (cabs(values[k]) < cabs(nearest)) nearest = values[k];
  }
  free(values);
  Dense_Free(&tilted);
  return nearest;
}

/* n!/r^n times the n-th Fourier coefficient on a circle of radius r */
static void dense_cumulants(CospinProblem problem, double eta, double radius, double cumulants[NUM])
{
  Dense liouvillian = Dense_Liouvillian(problem), jumps = Dense_Jumps(problem, "counted");
  double factor = 1;

  for (int n = 0; n < NUM; n++) cumulants[n] = 0;
  for (int k = 0; k < POINTS; k++) {
    const double complex turn = cexp(2 * PETSC_PI * I * k / POINTS);
    const double complex lambda = tilted_eigenvalue(liouvillian, jumps, eta, radius * turn);
    for (int n = 0; n < NUM; n++) cumulants[n] += creal(lambda * cpow(turn, -n - 1)) / POINTS;
  }
  for (int n = 0; n < NUM; n++) {
    factor *= (n + 1) / radius;
    cumulants[n] *= factor;
  }
  Dense_Free(&jumps);
  Dense_Free(&liouvillian);
}

#define HEAD "title: T\nparameters: {eta: %g}\n"
#define TAIL "observables: {}\ntasks: [counting: {jump: counted, efficiency: eta}]\n"

/* In the fourth the counted jump breaks the symmetry of the whole; in the last a displaced operator does not
 * change the generator (Hamiltonian and jump compensate each other) but its clicks. */
static const char *const decks[] = {
    HEAD "components: {s: {kind: spin, S: 3/2}}\nhamiltonian: [0.8*s.Sx + 0.3*s.Sz^2]\n"
         "jumps: [{name: counted, rate: 1.3, operator: s.Sm}, {rate: 0.2, operator: s.Sp}]\n" TAIL,
    HEAD
    "components: {m: {kind: mode, cutoff: 4, edge: 1}}\nhamiltonian: [0.4*m.a + hc, 0.5*m.n^2]\n"
    "jumps: [{name: counted, rate: 1.3, operator: m.a}, {name: counted, rate: 0.3, operator: m.n}]\n" TAIL,
    HEAD "components: {ions: {kind: ensemble, size: 2}}\n"
         "jumps: [{name: counted, rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp},\n"
         "  {rate: 0.1, each: ions.sz}, {name: counted, rate: 0.4, each: ions.sm}]\n" TAIL,
    HEAD "components: {s: {kind: spin, S: 1}}\n"
         "jumps: [{name: counted, rate: 0.5, operator: s.Sx}, {rate: 0.5, operator: s.Sy},\n"
         "  {rate: 0.3, operator: s.Sm}]\n" TAIL,
    HEAD "components: {s: {kind: spin, S: 1/2}, m: {kind: mode, cutoff: 2, edge: 1}}\n"
         "hamiltonian: [0.7*s.Sp*m.a + hc]\n"
         "jumps: [{rate: 0.5, operator: s.Sp}, {name: counted, rate: 1.1, operator: m.a + 0.3*s.Sm}]\n" TAIL,
    HEAD "components: {s: {kind: spin, S: 1/2}}\nhamiltonian: ['-0.25*i*s.Sm + hc']\n"
         "jumps: [{name: counted, rate: 1, operator: s.Sm + 0.5}, {rate: 0.4, operator: s.Sp}]\n" TAIL,
};
enum { NUM_DECKS = sizeof(decks) / sizeof(decks[0]) };

static void cumulants_are_derivatives_of_the_eigenvalue(void **state)
{
  (void)state;
  for (int d = 0; d < NUM_DECKS; d++) {
    for (int k = 0; k < 2; k++) {
      const double eta = k ? 0.6 : 1;
      double expected[NUM];
      char text[1024];
      Model model;
      Answer answer;
      (void)snprintf(text, sizeof(text), decks[d], eta);
      model = Model_Open(PETSC_COMM_WORLD, text, 0);
      answer = Model_Run(&model, 0);
      assert_int_equal(answer.outcome, COSPIN_GOOD);
      dense_cumulants(model.problem, eta, 0.1, expected);
      for (int n = 0; n < NUM; n++)
        assert_near(value_of(&answer, names[n]), expected[n], 1e-9 * (n > 2 ? 10 : 1));
      assert_true(value_of(&answer, "residual") < 1e-13);
      Answer_Free(&answer);
      Model_Close(&model);
    }
  }
}

/* A two-level atom driven with the Rabi frequency W: mean g W^2/(g^2 + 2 W^2), Fano factor 1 - 6 g^2 W^2/(g^2
   + 2 W^2)^2 (Mandel, Opt. Lett. 4, 205 (1979), for long times); 1/4 where 2 W^2 = g^2 */
static void resonance_fluorescence(void **state)
{
  static const double rabi[] = {0.05, 0.70710678118654752, 1, 6};

  (void)state;
  for (int k = 0; k < 4; k++) {
    const double w2 = rabi[k] * rabi[k], g = 1.3, sum = g * g + 2 * w2;
    char text[512];
    Model model;
    Answer answer;
    (void)snprintf(text, sizeof(text),
                   "title: T\ncomponents: {atom: {kind: spin, S: 1/2}}\nhamiltonian: [%.17g/2*atom.Sp + hc]\n"
                   "jumps: [{name: light, rate: 1.3, operator: atom.Sm}]\nobservables: {}\n"
                   "tasks: [counting: {jump: light}, counting: {name: few, jump: light, efficiency: 1/8},\n"
                   "  counting: {name: dark, jump: light, dark: 0.25}]\n",
                   rabi[k]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    assert_near(value_of(&answer, "mean"), g * w2 / sum, 1e-13);
    assert_near(value_of(&answer, "fano"), 1 - 6 * g * g * w2 / (sum * sum), 1e-12);
    Answer_Free(&answer);
    answer = Model_Run(&model, 1); /* F - 1 is proportional to the efficiency */
    assert_near(value_of(&answer, "mean"), g * w2 / sum / 8, 1e-13);
    assert_near(value_of(&answer, "fano"), 1 - 6 * g * g * w2 / (sum * sum) / 8, 1e-12);
    Answer_Free(&answer);
    answer = Model_Run(&model, 2); /* dark counts add their rate to every cumulant */
    assert_near(value_of(&answer, "mean"), g * w2 / sum + 0.25, 1e-13);
    assert_near(value_of(&answer, "variance"), g * w2 / sum * (1 - 6 * g * g * w2 / (sum * sum)) + 0.25,
                1e-12);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* Coherent light is Poisson's process: all cumulants are |drive|^2 4/g. The mode has no cutoff. */
static void coherent_light_clicks_at_random(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: T\ncomponents: {m: {kind: mode}}\nhamiltonian: [0.9*m.a + hc, 0*m.n]\n"
                           "jumps: [{name: out, rate: 1.5, operator: m.a}]\nobservables: {}\n"
                           "tasks: [counting: {jump: out}]\n",
                           0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int n = 0; n < NUM; n++) assert_near(value_of(&answer, names[n]), 4 * 0.81 / 1.5, n < 2 ? 1e-9 : 1e-8);
  assert_near(value_of(&answer, "fano"), 1, 1e-9);
  assert_true(value_of(&answer, "leak") < 1e-8);
  Answer_Free(&answer);
  Model_Close(&model);
}

/* Every excitation that is pumped in leaves as light: in the long run both click alike, to all orders. */
static void what_goes_in_comes_out(void **state)
{
  static const char *const format =
      "title: T\ncomponents: {atoms: {kind: ensemble, size: 40}}\n"
      "jumps: [{name: light, rate: 1, operator: atoms.Sm}, {name: pump, rate: %d, each: atoms.sp}]\n"
      "observables: {flux: '<atoms.Sp*atoms.Sm>'}\n"
      "tasks: [counting: {jump: light}, counting: {name: in, jump: pump}, steady]\n";
  static const int rates[] = {1, 20, 60};

  (void)state;
  for (int k = 0; k < 3; k++) {
    char text[512];
    Model model;
    Answer out, in, steady;
    (void)snprintf(text, sizeof(text), format, rates[k]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    out = Model_Run(&model, 0);
    in = Model_Run(&model, 1);
    steady = Model_Run(&model, 2);
    assert_int_equal(out.outcome, COSPIN_GOOD);
    assert_near(value_of(&out, "mean"), value_of(&steady, "flux"), 1e-9);
    for (int n = 0; n < NUM; n++) {
      const double expected = value_of(&in, names[n]);
      assert_near(value_of(&out, names[n]), expected, 1e-9 * (1 + fabs(expected)));
    }
    assert_true(fabs(value_of(&out, "fano") - 1) > 0.01); /* not trivially so */
    Answer_Free(&steady);
    Answer_Free(&in);
    Answer_Free(&out);
    Model_Close(&model);
  }
}

/* Spins that are all alike, one by one: `pairs` of a matrix of ones is the collective jump, `each` with an
 * index the same for all. */
static void spins_click_like_an_ensemble(void **state)
{
  static const char *const texts[] = {
      "title: T\ncomponents: {q: {kind: spins, size: 3}}\njumps: [{name: light, rates: 0.7, pairs: q.sm},\n"
      "  {name: pump, rate: 1.1, each: 'q.sp[l]'}, {name: light, rate: 0.2, each: q.sm}]\nobservables: {}\n"
      "tasks: [counting: {jump: light}, counting: {name: in, jump: pump}]\n",
      "title: T\ncomponents: {q: {kind: ensemble, size: 3}}\njumps: [{name: light, rate: 0.7, operator: "
      "q.Sm},\n"
      "  {name: pump, rate: 1.1, each: q.sp}, {name: light, rate: 0.2, each: q.sm}]\nobservables: {}\n"
      "tasks: [counting: {jump: light}, counting: {name: in, jump: pump}]\n",
  };

  (void)state;
  for (int k = 0; k < 2; k++) {
    Model spins = Model_Open(PETSC_COMM_WORLD, texts[0], 0),
          ensemble = Model_Open(PETSC_COMM_WORLD, texts[1], 0);
    Answer one = Model_Run(&spins, k), other = Model_Run(&ensemble, k);
    assert_int_equal(one.outcome, COSPIN_GOOD);
    assert_int_equal(other.outcome, COSPIN_GOOD);
    for (int n = 0; n < NUM; n++) assert_near(value_of(&one, names[n]), value_of(&other, names[n]), 1e-11);
    assert_true(value_of(&one, "dimension") > value_of(&other, "dimension"));
    Answer_Free(&other);
    Answer_Free(&one);
    Model_Close(&ensemble);
    Model_Close(&spins);
  }
}

/* The steady state that an eigensolver without factors finds is good to 1e-13; the fourth order was off by
   3e-6 with it, where a cutoff makes the generator large. */
static void orders_do_not_inherit_errors(void **state)
{
  static const char *const forms[] = {"assembled", "shell"};
  Answer answers[2];

  (void)state;
  for (int f = 0; f < 2; f++) {
    char text[1024];
    Model model;
    (void)snprintf(text, sizeof(text),
                   "title: T\ncomponents: {m: {kind: mode, cutoff: 30}, s: {kind: spin, S: 1/2}}\n"
                   "hamiltonian: [0.4*m.n, 0.5*m.a*s.Sp + hc, 0.3*m.a + hc]\n"
                   "jumps: [{name: out, rate: 1.1, operator: m.a}, {rate: 0.3, operator: s.Sp},\n"
                   "  {rate: 0.4, operator: s.Sm}]\noperator: %s\ntasks: [counting: {jump: out}]\n",
                   forms[f]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answers[f] = Model_Run(&model, 0);
    assert_int_equal(answers[f].outcome, COSPIN_GOOD);
    Model_Close(&model);
  }
  for (int n = 0; n < NUM; n++)
    assert_near(value_of(&answers[1], names[n]), value_of(&answers[0], names[n]), 1e-11);
  assert_near(value_of(&answers[0], "fourth"), 0.680658489498, 1e-11);
  for (int f = 0; f < 2; f++) Answer_Free(&answers[f]);
}

/* Of several steady states none has one mean; that of a sector has. */
static void a_steady_state_is_not_picked(void **state)
{
  Model model = Model_Open(
      PETSC_COMM_WORLD,
      "title: T\ncomponents: {s: {kind: spin, S: 1}}\n"
      "jumps: [{name: flip, rate: 1, operator: s.Sz}]\nobservables: {}\n"
      "tasks: [counting: {jump: flip}, counting: {name: one, jump: flip, sector: {ket: 2, bra: 2}}]\n",
      0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_DEGENERATE);
  assert_true(isnan(value_of(&answer, "mean")));
  Answer_Free(&answer);
  answer = Model_Run(&model, 1);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int n = 0; n < NUM; n++) assert_near(value_of(&answer, names[n]), 1, 1e-13); /* at random */
  Answer_Free(&answer);
  Model_Close(&model);
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cumulants_are_derivatives_of_the_eigenvalue),
      cmocka_unit_test(resonance_fluorescence),
      cmocka_unit_test(coherent_light_clicks_at_random),
      cmocka_unit_test(what_goes_in_comes_out),
      cmocka_unit_test(spins_click_like_an_ensemble),
      cmocka_unit_test(orders_do_not_inherit_errors),
      cmocka_unit_test(a_steady_state_is_not_picked),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
