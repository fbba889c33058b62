/*
   Task `clicks`: P(n) and what is read after n clicks, against the dense generating function on roots of
   unity (sum_n z^n rho_n = exp(t (L + eta (z - 1) J)) rho_0, which knows nothing of a counter); closed forms
   of coherent light, of decay and of dephasing; and heralded states that add up to the state without a
   counter.
*/
#include "support_model.h"
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
enum { MOST = 4, POINTS = 24 }; /* more clicks than POINTS + MOST have no probability in the decks below */

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

/* ---- Against dense matrices ---------------------------------------------------------------------------- */

/* exp(t m) v by Taylor series on steps with |m| step <= 1 */
static void dense_evolve(Dense m, double t, Dense v)
{
  const int steps = 1 + (int)(Dense_Norm(m) * t), n = m.n;
  double complex *term = malloc(sizeof(*term) * (size_t)n), *next = malloc(sizeof(*next) * (size_t)n);

  for (int s = 0; s < steps; s++) {
    memcpy(term, v.a, sizeof(*term) * (size_t)n);
    for (int k = 1; k < 25; k++) {
      memset(next, 0, sizeof(*next) * (size_t)n);
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < n; i++) next[i] += *Dense_At(m, i, j) * term[j];
      }
      for (int i = 0; i < n; i++) term[i] = next[i] * (t / steps / k);
      for (int i = 0; i < n; i++) v.a[i] += term[i];
    }
  }
  free(next);
  free(term);
}

/* The initial state as a dense matrix, element by element. */
static Dense dense_initial(const Model *model)
{
  Dense rho = Dense_Zero(Dense_Dimension(model->problem)), generator;
  CospinLattice lattice;
  CospinSector everything;
  CospinState state;
  PetscBool ok;

  OK(CospinStateCreate(model->problem, CospinRecordGet(&model->deck->tasks[0], "initial"), NULL, &state,
                       &ok));
  generator = Model_Everything(model, &lattice, &everything);
  for (PetscInt64 k = 0; k < CospinSectorDimension(everything); k++) {
    int label[COSPIN_MAX_COORDINATES];
    Dense element;
    CospinSectorLabel(everything, k, label);
    if (CospinStateElement(state, label) == 0.0) continue;
    element = Dense_Basis_Element(model->problem, label);
    Dense_Axpy(rho, CospinStateElement(state, label), element);
    Dense_Free(&element);
  }
  Dense_Free(&generator);
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  OK(CospinStateDestroy(&state));
  return rho;
}

/* readings[n] = Tr rho_n, Tr a rho_n, Tr b rho_n for n <= MOST */
static void dense_clicks(const Model *model, double eta, double time, const char *const operators[2],
                         double complex readings[MOST + 1][3])
{
  Dense liouvillian = Dense_Liouvillian(model->problem), jumps = Dense_Jumps(model->problem, "counted");
  Dense initial = dense_initial(model), read[3];

  read[0] = Dense_Identity(initial.n, 1);
  for (int o = 0; o < 2; o++) read[o + 1] = Dense_Operator(model->problem, operators[o], 0);
  memset(readings, 0, sizeof(double complex) * (MOST + 1) * 3);
  for (int k = 0; k < POINTS; k++) {
    const double complex z = cexp(2 * PETSC_PI * I * k / POINTS);
    Dense tilted = Dense_Zero(liouvillian.n), rho = Dense_Zero(initial.n);
    Dense_Axpy(tilted, 1, liouvillian);
    Dense_Axpy(tilted, eta * (z - 1), jumps);
    Dense_Axpy(rho, 1, initial);
    dense_evolve(tilted, time, rho);
    for (int n = 0; n <= MOST; n++) {
      for (int o = 0; o < 3; o++) readings[n][o] += cpow(z, -n) / POINTS * Dense_Expect(read[o], rho);
    }
    Dense_Free(&rho);
    Dense_Free(&tilted);
  }
  for (int o = 0; o < 3; o++) Dense_Free(&read[o]);
  Dense_Free(&initial);
  Dense_Free(&jumps);
  Dense_Free(&liouvillian);
}

#define TASK "tasks: [clicks: {jump: counted, efficiency: eta, most: 4, time: %g, tolerance: 1e-11, initial: "

/* Most with coherences between sectors in the initial state. The counted jump of the third breaks the
   symmetry of the generator. In the last two a click tells of an excitation that is gone: a perfect
   detector's counts can be thinned, but in the last there are too many. */
static const struct {
  const char *text, *operators[2];
} decks[] = {
    {"components: {s: {kind: spin, S: 1}}\nhamiltonian: [0.8*s.Sx + 0.3*s.Sz^2]\n"
     "jumps: [{name: counted, rate: 0.6, operator: s.Sm}, {rate: 0.2, operator: s.Sp}]\n"
     "observables: {a: <s.Sz>, b: <s.Sx>}\n" TASK "{s: {dicke: [1, 0]}}}]\n",
     {"s.Sz", "s.Sx"}},
    {"components: {ions: {kind: ensemble, size: 3}}\n"
     "jumps: [{name: counted, rate: 0.3, operator: ions.Sm}, {rate: 0.2, each: ions.sp},\n"
     "  {rate: 0.1, each: ions.sz}, {name: counted, rate: 0.4, each: ions.sm}]\n"
     "observables: {a: <ions.Sz>, b: <ions.Sx>}\n" TASK "{ions: {css: [1.9, 0.4]}}}]\n",
     {"ions.Sz", "ions.Sx"}},
    {"components: {s: {kind: spin, S: 1}}\n"
     "jumps: [{name: counted, rate: 0.5, operator: s.Sx}, {rate: 0.5, operator: s.Sy},\n"
     "  {rate: 0.3, operator: s.Sm}]\n"
     "observables: {a: <s.Sz>, b: <s.Sp*s.Sp>}\n" TASK "{s: {css: [1.2, 0.7]}}}]\n",
     {"s.Sz", "s.Sp*s.Sp"}},
    {"components: {s: {kind: spin, S: 1/2}, m: {kind: mode, cutoff: 3, edge: 1}}\n"
     "hamiltonian: [0.7*s.Sp*m.a + hc]\n"
     "jumps: [{rate: 0.2, operator: s.Sp}, {name: counted, rate: 0.8, operator: m.a}]\n"
     "observables: {a: <m.n>, b: <s.Sp*m.a>}\n" TASK "{s: {css: [pi, 0]}, m: {coherent: 0.4}}}]\n",
     {"m.n", "s.Sp*m.a"}},
    {"components: {s: {kind: spin, S: 2}}\nhamiltonian: [0.3*s.Sz^2]\n"
     "jumps: [{name: counted, rate: 0.5, operator: s.Sm}, {rate: 0.2, operator: s.Sz}]\n"
     "observables: {a: <s.Sz>, b: <s.Sm>}\n" TASK "{s: {css: [2.2, 0.4]}}}]\n",
     {"s.Sz", "s.Sm"}},
    {"components: {s: {kind: spin, S: 3}}\njumps: [{name: counted, rate: 0.5, operator: s.Sm}]\n"
     "observables: {a: <s.Sz>, b: <s.Sm>}\n" TASK "{s: {css: [2.6, 0.4]}}}]\n",
     {"s.Sz", "s.Sm"}},
};
enum { NUM_DECKS = sizeof(decks) / sizeof(decks[0]) };

static double complex observable(const Answer *answer, const char name[], PetscBool real, int n)
{
  char re[8], im[8];

  (void)snprintf(re, sizeof(re), "%s%s", name, real ? "" : "_re");
  (void)snprintf(im, sizeof(im), "%s_im", name);
  return Answer_Get(answer, re, n) + (real ? 0.0 : I * Answer_Get(answer, im, n));
}

static void check_deck(int d, double eta, double time)
{
  double complex expected[MOST + 1][3];
  char text[2048], format[2048];
  double sum = 0;
  Model model;
  Answer answer;

  (void)snprintf(format, sizeof(format), "title: T\nparameters: {eta: %g}\n%s", eta, decks[d].text);
  (void)snprintf(text, sizeof(text), format, time);
  model = Model_Open(PETSC_COMM_WORLD, text, 0);
  answer = Model_Run(&model, 0);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  dense_clicks(&model, eta, time, decks[d].operators, expected);
  for (int n = 0; n <= MOST; n++) {
    const double p = Answer_Get(&answer, "probability", n);
    assert_near(p, creal(expected[n][0]), 1e-10);
    sum += p;
    if (isnan(Answer_Get(&answer, "a", n))) {
      assert_true(p < 1e-7);
      continue;
    }
    for (int o = 0; o < 2; o++) {
      const PetscBool real = model.point->observables->observables[o].real;
      const double complex found = observable(&answer, o ? "b" : "a", real, n);
      assert_near(cabs(found * p - expected[n][o + 1]), 0, 1e-10);
    }
  }
  assert_near(value_of(&answer, "missing"), 1 - sum, 1e-14);
  assert_true(value_of(&answer, "error") < 1e-9);
  assert_int_equal((int)value_of(&answer, "thinned"), d == NUM_DECKS - 2 && eta < 1);
  Answer_Free(&answer);
  Model_Close(&model);
}

static void counts_are_those_of_the_generating_function(void **state)
{
  (void)state;
  for (int d = 0; d < NUM_DECKS; d++) {
    check_deck(d, 1, 1.3);
    check_deck(d, 0.6, 2.5);
  }
}

/* ---- Closed forms -------------------------------------------------------------------------------------- */

/* A cavity that is driven from the vacuum holds a coherent state, a(t) = -2i E/k (1 - e^(-k t/2)) for the
   Hamiltonian E (a + a^+): Poisson, with the mean of the integral of eta k |a|^2. No cutoff. */
static void coherent_light_is_poissonian(void **state)
{
  const double k = 1.5, drive = 0.5, t = 2, eta = 0.7, q = exp(-k * t / 2);
  const double mean = eta * 4 * drive * drive / k * (t - 4 / k * (1 - q) + 1 / k * (1 - q * q));
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: T\ncomponents: {m: {kind: mode}}\nhamiltonian: [0.5*m.a + hc]\n"
                           "jumps: [{name: out, rate: 1.5, operator: m.a}]\nobservables: {n: <m.n>}\n"
                           "tasks: [clicks: {jump: out, most: 20, time: 2, efficiency: 0.7, initial: {}}]\n",
                           0);
  Answer answer = Model_Run(&model, 0);
  double expected = exp(-mean);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int n = 0; n <= 20; n++) {
    assert_near(Answer_Get(&answer, "probability", n), expected, 1e-9);
    if (expected > 1e-4) /* a coherent state is not changed by photons that leave */
      assert_near(Answer_Get(&answer, "n", n), pow(2 * drive / k * (1 - q), 2), 1e-9 / expected);
    expected *= mean / (n + 1);
  }
  assert_near(value_of(&answer, "mean"), mean, 1e-8);
  assert_near(value_of(&answer, "fano"), 1, 1e-7);
  assert_true(value_of(&answer, "leak") < 1e-8);
  Answer_Free(&answer);
  Model_Close(&model);
}

/* N atoms that decay one by one: binomial, and N/2 - n is what remains of Sz where every decay clicks. */
static void independent_decay_is_binomial(void **state)
{
  static const char *const format =
      "title: T\ncomponents: {atoms: {kind: ensemble, size: 12}}\n"
      "jumps: [{name: decay, rate: 1, each: atoms.sm}]\nobservables: {z: <atoms.Sz>}\n"
      "tasks: [clicks: {jump: decay, most: 15, time: 0.8, efficiency: %g, initial: {atoms: {dicke: [6, "
      "6]}}}]\n";

  (void)state;
  for (int k = 0; k < 2; k++) {
    const double eta = k ? 0.4 : 1, p = eta * (1 - exp(-0.8));
    double expected = pow(1 - p, 12);
    char text[512];
    Model model;
    Answer answer;
    (void)snprintf(text, sizeof(text), format, eta);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    for (int n = 0; n <= 15; n++) {
      assert_near(Answer_Get(&answer, "probability", n), expected, 1e-9);
      if (k == 0 && expected > 1e-5) assert_near(Answer_Get(&answer, "z", n), 6 - n, 1e-8 / expected);
      expected *= (12 - n) / (n + 1.0) * p / (1 - p);
    }
    assert_near(value_of(&answer, "mean"), 12 * p, 1e-8);
    assert_near(value_of(&answer, "variance"), 12 * p * (1 - p), 1e-7);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* Tr rho = 1 and <Sz> of an ensemble's stored state, whose columns are j, m, m'; on the first rank. */
static void assert_stored_state(CospinStoredState state, double z, double bound)
{
  double trace = 0, moment = 0;
  PetscMPIInt rank;

  OK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank) return;
  for (PetscInt64 k = 0; k < state->count; k++) {
    const double *row = state->rows + k * (state->num_columns + 2);
    if (row[1] != row[2]) continue;
    trace += row[3];
    moment += row[1] * row[3];
  }
  assert_near(trace, 1, bound);
  assert_near(moment, z, bound);
}

/* With dark counts P(n) is a convolution with their Poisson distribution, and the state after n clicks the
   mixture that Bayes' rule makes of what 12 atoms that decay can have done. The counts of the first task are
   thinned and convolved, those of the second convolved; the third stores its states: mixtures, too. */
static void dark_counts_are_convolved(void **state)
{
  const double eta = 0.4, dark = 0.5, t = 0.8, q = 1 - exp(-t);
  Model model = Model_Open(
      PETSC_COMM_WORLD,
      "title: T\ncomponents: {atoms: {kind: ensemble, size: 12}}\n"
      "jumps: [{name: decay, rate: 1, each: atoms.sm}]\nobservables: {z: <atoms.Sz>}\n"
      "tasks:\n"
      "  - clicks: {jump: decay, most: 12, time: 0.8, efficiency: 0.4, dark: 0.5, initial: {atoms: {dicke: "
      "[6, "
      "6]}}}\n"
      "  - clicks: {name: few, jump: decay, most: 6, time: 0.8, efficiency: 0.4, dark: 0.5, initial: {atoms: "
      "{dicke: [6, 6]}}}\n"
      "  - clicks: {name: kept, jump: decay, most: 6, time: 0.8, efficiency: 0.4, dark: 0.5, initial: "
      "{atoms: "
      "{dicke: [6, 6]}}, store: state}\n",
      0);

  (void)state;
  for (int task = 0; task < 3; task++) {
    Answer answer = Model_Run(&model, task);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    assert_int_equal((int)value_of(&answer, "thinned"), task == 0);
    for (int n = 0; n <= 6; n++) {
      double p = 0, z = 0;
      for (int k = 0; k <= 12; k++) {
        for (int seen = 0; seen <= PetscMin(k, n); seen++) { /* of k decays; the other clicks are dark */
          const double decayed =
              exp(lgamma(13) - lgamma(k + 1.) - lgamma(13. - k)) * pow(q, k) * pow(1 - q, 12 - k);
          const double counted = exp(lgamma(k + 1.) - lgamma(seen + 1.) - lgamma(k - seen + 1.)) *
                                 pow(eta, seen) * pow(1 - eta, k - seen);
          const double rest = exp((n - seen) * log(dark * t) - dark * t - lgamma(n - seen + 1.));
          p += decayed * counted * rest;
          z += decayed * counted * rest * (6 - k);
        }
      }
      assert_near(Answer_Get(&answer, "probability", n), p, 1e-9);
      assert_near(Answer_Get(&answer, "z", n), z / p, 1e-8 / p);
      if (task == 2) assert_stored_state(model.point->stored->states[n], z / p, 1e-8 / p);
    }
    Answer_Free(&answer);
  }
  assert_int_equal(model.point->stored->count, 7);
  Model_Close(&model);
}

/* What does not fit into the counter is missing, and then there is no mean; at time 0 nothing has clicked. */
static void more_clicks_are_missing(void **state)
{
  static const char *const text =
      "title: T\ncomponents: {s: {kind: spin, S: 1/2}}\n"
      "jumps: [{name: flip, rate: 2, operator: s.Sx + 0}]\nobservables: {z: <s.Sz>}\n"
      "tasks: [clicks: {jump: flip, most: 1, time: 1, initial: {s: ground}},\n"
      "  clicks: {name: none, jump: flip, most: 0, time: 0, initial: {s: ground}},\n"
      "  clicks: {name: blind, jump: flip, most: 0, time: 9, efficiency: 0, initial: {s: ground}}]\n";
  Model model = Model_Open(PETSC_COMM_WORLD, text, 0);
  Answer answer = Model_Run(&model, 0);

  (void)state; /* every flip at the rate 2 Sx^2 = 1/2: Poisson */
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_near(Answer_Get(&answer, "probability", 0), exp(-0.5), 1e-9);
  assert_near(Answer_Get(&answer, "probability", 1), 0.5 * exp(-0.5), 1e-9);
  assert_near(Answer_Get(&answer, "z", 0), -0.5, 1e-8);
  assert_near(Answer_Get(&answer, "z", 1), 0.5, 1e-8);
  assert_near(value_of(&answer, "missing"), 1 - 1.5 * exp(-0.5), 1e-9);
  assert_true(isnan(value_of(&answer, "mean")));
  Answer_Free(&answer);
  for (int k = 1; k < 3; k++) {
    answer = Model_Run(&model, k);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    assert_near(value_of(&answer, "probability"), 1, 1e-9);
    assert_near(value_of(&answer, "mean"), 0, 1e-9);
    Answer_Free(&answer);
  }
  Model_Close(&model);
}

/* sum_n P(n) <A>_n = <A> of the evolution that nobody looks at, without a cutoff too. */
static void together_they_are_the_state(void **state)
{
  static const char *const text =
      "title: T\ncomponents: {s: {kind: spin, S: 2}, m: {kind: mode}}\nhamiltonian: [0.6*s.Sp*m.a + hc]\n"
      "jumps: [{name: out, rate: 1, operator: m.a}, {rate: 0.3, operator: s.Sp}]\n"
      "observables: {n: <m.n>, x: <s.Sx>}\n"
      "tasks:\n  - clicks: {jump: out, most: 14, time: 2, initial: {s: {css: [2, 0]}}}\n"
      "  - evolve: {times: [2], initial: {s: {css: [2, 0]}}}\n";
  static const char *const names[] = {"n", "x"};
  Model model = Model_Open(PETSC_COMM_WORLD, text, 0);
  Answer answer = Model_Run(&model, 0), evolved = Model_Run(&model, 1);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_int_equal(evolved.outcome, COSPIN_GOOD);
  assert_near(value_of(&answer, "missing"), 0, 1e-8);
  for (int o = 0; o < 2; o++) {
    double sum = 0;
    char average[32];
    for (int n = 0; n <= 14; n++) {
      const double value = Answer_Get(&answer, names[o], n), p = Answer_Get(&answer, "probability", n);
      if (!isnan(value)) sum += p * value;
      if (isnan(value)) assert_true(p < 1e-5);
    }
    assert_near(sum, value_of(&evolved, names[o]), 1e-7);
    (void)snprintf(average, sizeof(average), "%s_average", names[o]);
    assert_near(value_of(&answer, average), value_of(&evolved, names[o]), 1e-6);
  }
  Answer_Free(&evolved);
  Answer_Free(&answer);
  Model_Close(&model);
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_those_of_the_generating_function),
      cmocka_unit_test(coherent_light_is_poissonian),
      cmocka_unit_test(independent_decay_is_binomial),
      cmocka_unit_test(dark_counts_are_convolved),
      cmocka_unit_test(more_clicks_are_missing),
      cmocka_unit_test(together_they_are_the_state),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
