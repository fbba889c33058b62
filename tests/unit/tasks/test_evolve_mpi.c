/*
   Initial states and the task `evolve`.

   Ensembles against the brute-force reference: states as tensor products, the 4^N generator, its exponential.
   Spins and modes against closed forms and the exponential of the generator on all labels. Published numbers:
   visibility of ion superradiance, pulses of a collective spin, dephasing of coherent states and cats.
*/
#include "support_model.h"
#include <cospin/problem/state.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call)               assert_int_equal(call, 0)
#define CLOSE(a, b, tolerance) assert_float_close(a, b, tolerance, __FILE__, __LINE__)

enum { MAX_TEXT = 4096, NUM_TIMES = 4 };
static const double test_times[NUM_TIMES] = {0, 0.1, 1.0, 7.0};

static void assert_float_close(double a, double b, double tolerance, const char file[], int line)
{
  if (fabs(a - b) <= tolerance) return;
  print_error("%.15g is not %.15g (tolerance %g)\n", a, b, tolerance);
  _fail(file, line);
}

/* ---- Dense helpers ------------------------------------------------------------------------------------- */

/* exp(t m) v by Taylor series on steps with |m| step <= 1: obviously right, if slow. */
static void dense_evolve(Dense m, double t, double complex v[])
{
  const int steps = 1 + (int)(Dense_Norm(m) * t), n = m.n;
  double complex *term = malloc(sizeof(*term) * (size_t)n), *next = malloc(sizeof(*next) * (size_t)n);

  for (int s = 0; s < steps; s++) {
    memcpy(term, v, sizeof(*term) * (size_t)n);
    for (int k = 1; k < 25; k++) {
      memset(next, 0, sizeof(*next) * (size_t)n);
      for (int j = 0; j < n; j++) {
        for (int i = 0; i < n; i++) next[i] += *Dense_At(m, i, j) * term[j];
      }
      for (int i = 0; i < n; i++) term[i] = next[i] * (t / steps / k);
      for (int i = 0; i < n; i++) v[i] += term[i];
    }
  }
  free(next);
  free(term);
}

/* One spin: up first. */
static void one_spin(double theta, double phi, double complex v[2])
{
  v[0] = cexp(I * phi) * sin(theta / 2);
  v[1] = cos(theta / 2);
}

/* psi += factor |theta, phi>^N, in 2^N dimensions */
static void add_css(int spins, double theta, double phi, double complex factor, double complex psi[])
{
  double complex v[2];

  one_spin(theta, phi, v);
  for (int k = 0; k < 1 << spins; k++) {
    double complex product = factor;
    for (int l = 0; l < spins; l++) product *= v[k >> l & 1];
    psi[k] += product;
  }
}

static Dense projector(int n, const double complex psi[])
{
  Dense rho = Dense_Zero(n);
  double norm = 0.0;

  for (int i = 0; i < n; i++) norm += creal(psi[i] * conj(psi[i]));
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < n; i++) *Dense_At(rho, i, j) = psi[i] * conj(psi[j]) / norm;
  }
  return rho;
}

/* What the program's elements stand for, in 2^N dimensions. */
static Dense dense_state(CospinProblem problem, CospinState state)
{
  Dense rho = Dense_Zero(Dense_Dimension(problem));
  CospinLattice lattice;
  CospinSector everything;
  Model model = {.problem = problem};
  Dense generator = Model_Everything(&model, &lattice, &everything);

  for (PetscInt64 k = 0; k < CospinSectorDimension(everything); k++) {
    int label[COSPIN_MAX_COORDINATES];
    double complex element;
    CospinSectorLabel(everything, k, label);
    element = CospinStateElement(state, label);
    if (element != 0.0) {
      Dense basis = Dense_Basis_Element(problem, label);
      Dense_Axpy(rho, element, basis);
      Dense_Free(&basis);
    }
  }
  Dense_Free(&generator);
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  return rho;
}

/* ---- Ensembles ----------------------------------------------------------------------------------------- */

static const struct {
  const char *text; /* behind `ions: ` */
  double theta, phi, sign;
} symmetric_states[] = {
    {"ground", 0, 0, 0},
    {"{css: [0.7, 0.4]}", 0.7, 0.4, 0},
    {"{css: [pi, 1.3]}", PETSC_PI, 1.3, 0},
    {"{css: [4.2, -2]}", 4.2, -2, 0},
    {"{css: [pi/2, 0]}", PETSC_PI / 2, 0, 0},
    {"{cat: [1.1, 0.3, 1]}", 1.1, 0.3, 1},
    {"{cat: [1.1, 0.3, -1]}", 1.1, 0.3, -1},
    {"{cat: [3.6, 0.3, -1]}", 3.6, 0.3, -1},
};
enum { NUM_STATES = sizeof(symmetric_states) / sizeof(symmetric_states[0]) };

static Dense expected_state(int spins, int k)
{
  double complex *psi = calloc((size_t)1 << spins, sizeof(*psi));
  Dense rho;

  add_css(spins, symmetric_states[k].theta, symmetric_states[k].phi, 1.0, psi);
  add_css(spins, symmetric_states[k].theta, symmetric_states[k].phi + PETSC_PI, symmetric_states[k].sign,
          psi);
  rho = projector(1 << spins, psi);
  free(psi);
  return rho;
}

/* Local and collective processes, no symmetry left. */
#define ENSEMBLE                                                                                             \
  "title: T\ncomponents: {ions: {kind: ensemble, size: %d}}\n"                                               \
  "hamiltonian: [0.4*ions.Sx + 0.2*ions.Sz^2]\n"                                                             \
  "jumps: [{rate: 0.5, each: ions.sp}, {rate: 0.7, operator: ions.Sm}, {rate: 0.3, each: ions.sz}]\n"        \
  "observables: {z: <ions.Sz>, s: <ions.Sp>, c: <ions.Sp*ions.Sm>}\n"                                        \
  "tasks:\n  - evolve: {times: [0, 0.1, 1, 7], initial: {ions: %s}, fidelity: {ions: %s}, method: %s}\n"

static void check_ensemble(int spins, int k, const char method[])
{
  static const char *const operators[] = {"ions.Sz", "ions.Sp", "ions.Sp*ions.Sm"};
  static const char *const names[] = {"z", "s", "c"};
  char text[MAX_TEXT];
  const char *state = symmetric_states[k].text;
  Model model;
  Answer answer;
  Dense rho = expected_state(spins, k), psi = expected_state(spins, k), liouvillian;
  CospinState own;
  PetscBool ok;

  snprintf(text, sizeof(text), ENSEMBLE, spins, state, state, method);
  model = Model_Open(PETSC_COMM_WORLD, text, 0);
  OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "initial"), NULL, &own, &ok));
  assert_true(ok);
  if (spins <= 3) {
    Dense difference = dense_state(model.problem, own);
    Dense_Axpy(difference, -1.0, rho);
    CLOSE(Dense_Norm(difference), 0.0, 1e-13);
    Dense_Free(&difference);
  }
  OK(CospinStateDestroy(&own));
  answer = Model_Run(&model, 0);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  liouvillian = Dense_Liouvillian(model.problem);
  for (int t = 0; t < NUM_TIMES; t++) {
    Dense_Free(&rho);
    rho = expected_state(spins, k);
    dense_evolve(liouvillian, test_times[t], rho.a);
    for (int o = 0; o < 3; o++) {
      Dense a = Dense_Operator(model.problem, operators[o], 0);
      const double complex value = Dense_Expect(a, rho);
      char name[16];
      snprintf(name, sizeof(name), o == 1 ? "%s_re" : "%s", names[o]);
      CLOSE(Answer_Get(&answer, name, t), creal(value), 1e-8);
      if (o == 1) CLOSE(Answer_Get(&answer, "s_im", t), cimag(value), 1e-8);
      Dense_Free(&a);
    }
    CLOSE(Answer_Get(&answer, "fidelity", t), creal(Dense_Expect(psi, rho)), 1e-8);
    CLOSE(Answer_Get(&answer, "trace", t), 1.0, 1e-8);
  }
  Answer_Free(&answer);
  Dense_Free(&liouvillian);
  Dense_Free(&psi);
  Dense_Free(&rho);
  Model_Close(&model);
}

static void test_ensembles_agree_with_4_n(void **unused)
{
  (void)unused;
  for (int k = 0; k < NUM_STATES; k++) check_ensemble(1 + k % 3, k, k % 2 ? "krylov" : "rational");
  check_ensemble(2, 5, "auto");
  check_ensemble(3, 6, "krylov");
  check_ensemble(4, 1, "rational");
}

/* ---- Closed forms -------------------------------------------------------------------------------------- */

#define STILL "hamiltonian: []\njumps: []\n"

/* Value of observable `x` at a time of the first task. */
static double value_of(const char text[], const char name[], int time)
{
  Model model = Model_Open(PETSC_COMM_WORLD, text, 0);
  Answer answer = Model_Run(&model, 0);
  double value;

  assert_int_equal(answer.outcome, COSPIN_GOOD);
  value = Answer_Get(&answer, name, time);
  Answer_Free(&answer);
  Model_Close(&model);
  return value;
}

static void test_states_have_their_moments(void **unused)
{
  const struct {
    const char *component, *state, *observable;
    double value;
  } closed_forms[] = {
      {"{kind: ensemble, size: 5}", "{dicke: [3/2, -1/2]}", "<c.Sz>", -0.5},
      {"{kind: ensemble, size: 5}", "{dicke: [3/2, -1/2]}", "<c.Sx^2 + c.Sy^2 + c.Sz^2>", 3.75},
      {"{kind: ensemble, size: 4}", "{dicke: [0, 0]}", "<c.Sp*c.Sm>", 0.0},
      {"{kind: spin, S: 1}", "{css: [0.7, 0.4]}", "<c.Sz>", -cos(0.7)},
      {"{kind: spin, S: 3/2}", "{css: [0.7, 0.4]}", "re(<c.Sp>)", 1.5 * sin(0.7) * cos(0.4)},
      {"{kind: spin, S: 3/2}", "{css: [0.7, 0.4]}", "im(<c.Sp>)", -1.5 * sin(0.7) * sin(0.4)},
      {"{kind: spin, S: 2}", "{cat: [0.7, 0.4, -1]}", "abs(<c.Sp>)", 0.0},
      {"{kind: spin, S: 2}", "{dicke: [2, 1]}", "<c.Sz>", 1.0},
      {"{kind: spin, S: 2}", "{fock: 3}", "<c.Sz>", 1.0},
      {"{kind: spin, S: 2}", "ground", "<c.Sz>", -2.0},
      {"{kind: spin, S: 30}", "{coherent: 1.5*exp(i*0.3)}", "re(<c.b>)", 1.5 * cos(0.3)},
      {"{kind: spin, S: 30}", "{coherent: 1.5*exp(i*0.3)}", "im(<c.b>)", 1.5 * sin(0.3)},
      {"{kind: spin, S: 1/2}", "{coherent: 1}", "<c.Sz>", 0.0}, /* (|0> + |1>)/sqrt(2) */
      {"{kind: mode, cutoff: 40}", "{coherent: 1 + 2*i}", "<c.n>", 5.0},
      {"{kind: mode, cutoff: 40}", "{coherent: 1 + 2*i}", "im(<c.a>)", 2.0},
      {"{kind: mode, cutoff: 2}", "{coherent: 2}", "<c.n>", 0.8}, /* 4/(1 + 4) */
      {"{kind: mode, cutoff: 60}", "{thermal: 0.5}", "<c.n>", 0.5},
      {"{kind: mode, cutoff: 60}", "{thermal: 0.5}", "abs(<c.a>)", 0.0},
      {"{kind: mode, cutoff: 5}", "{fock: 4}", "<c.n^2>", 16.0},
  };

  (void)unused;
  for (size_t k = 0; k < sizeof(closed_forms) / sizeof(closed_forms[0]); k++) {
    char text[MAX_TEXT];
    snprintf(text, sizeof(text),
             "title: T\ncomponents: {c: %s}\n" STILL
             "observables: {x: %s}\ntasks:\n  - evolve: {times: [0], initial: {c: %s}}\n",
             closed_forms[k].component, closed_forms[k].observable, closed_forms[k].state);
    CLOSE(value_of(text, "x", 0), closed_forms[k].value, 1e-11);
  }
}

/* Nothing overflows: N = 100000, read element by element. */
static void test_large_coherent_state(void **unused)
{
  enum { N = 100000 };
  Model model = Model_Open(PETSC_COMM_SELF,
                           "title: T\ncomponents: {c: {kind: ensemble, size: 100000}}\n"
                           "jumps: [{rate: 1, operator: c.Sz}]\n"
                           "tasks:\n  - evolve: {times: [0], initial: {c: {css: [pi/3, 0]}}}\n",
                           0);
  CospinState state;
  PetscBool ok;
  double sum = 0.0, mean = 0.0;

  (void)unused;
  OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "initial"), NULL, &state, &ok));
  assert_true(ok);
  for (int n = 0; n <= N; n++) {
    const double p = creal(CospinStateElement(state, (int[]){0, n, n}));
    sum += p;
    mean += p * n;
  }
  CLOSE(sum, 1.0, 1e-12);
  CLOSE(mean / N, 0.25, 1e-9); /* sin^2(pi/6); logarithms of binomials have ten digits behind the point */
  OK(CospinStateDestroy(&state));
  Model_Close(&model);
}

/* ---- Spins, modes, several components: the exponential of all labels ----------------------------------- */

#define EVOLVE(initial, target)                                                                              \
  "tasks:\n  - evolve: {times: [0, 0.1, 1, 7], method: krylov, initial: " initial ", fidelity: " target      \
  "}\n"                                                                                                      \
  "  - evolve: {name: other, times: [0, 0.1, 1, 7], method: rational, initial: " initial                     \
  ", fidelity: " target "}\n"

static const char *const mixed_models[] = {
    "components: {s: {kind: spin, S: 2}}\nhamiltonian: [0.3*s.Sp^2 + hc, 0.1*s.Sz]\n"
    "jumps: [{rate: 0.4, operator: s.Sm^2}]\nobservables: {x: <s.Sz>, y: <s.b>}\n" EVOLVE(
        "{s: {coherent: 0.8*exp(i*0.4)}}", "{s: {cat: [1, 0, 1]}}"),
    "components: {s: {kind: spin, S: 1}, c: {kind: mode, cutoff: 3, edge: 1}}\nhamiltonian: [0.7*c.a*s.Sp + "
    "hc]\n"
    "jumps: [{rate: 0.4, operator: c.a}]\nobservables: {x: <c.n>, y: <c.a*s.Sp>}\n" EVOLVE(
        "{s: {css: [2, 0.5]}, c: {thermal: 0.4}}", "{c: {fock: 1}}"),
    "components: {e: {kind: ensemble, size: 2}, c: {kind: mode, cutoff: 2, edge: 1}}\nhamiltonian: "
    "[0.7*c.a*e.Sp + "
    "hc]\n"
    "jumps: [{rate: 0.4, operator: c.a}, {rate: 0.2, each: e.sm}, {rate: 0.1, each: e.sz}]\n"
    "observables: {x: <e.Sz>, y: <c.a>}\n" EVOLVE("{e: {cat: [1, 0.2, -1]}, c: {coherent: 0.5}}",
                                                  "{e: {css: [1, 0.2]}}"),
    "components: {d: {kind: ensemble, size: 2}, s: {kind: spin, S: 1/2}}\n"
    "jumps: [{rate: 1, operator: d.Sm + s.Sm}, {rate: 0.3, operator: d.Sz}]\n"
    "observables: {x: <d.Sz>, y: <d.Sp*s.Sm>}\n" EVOLVE("{d: {dicke: [1, 0]}, s: {css: [pi/2, 0]}}",
                                                        "{s: {fock: 1}}"),
    "parameters: {seed: 4}\ncomponents: {q: {kind: spins, size: 2}, c: {kind: mode, cutoff: 2, edge: 1}}\n"
    "arrays: {d: {normal: {std: 1, seed: seed}}}\n"
    "hamiltonian: [{sum: \"d[l]*q.sz[l]\"}, \"0.7*c.a*q.sp[0] + hc\"]\n"
    "jumps: [{rate: 0.4, operator: c.a}, {rate: \"d[l]^2\", each: q.sp}]\n"
    "observables: {x: <q.Sz>, y: \"<c.a*q.sp[1]>\"}\n" EVOLVE("{q: {css: [1, 0.3]}, c: {coherent: 0.5}}",
                                                              "{q: {cat: [1, 0.3, 1]}}"),
    "components: {q: {kind: spins, size: 2}, s: {kind: spin, S: 1}}\n"
    "hamiltonian: [\"0.5*q.sp[0]*s.Sm + hc\"]\n"
    "jumps: [{rate: 0.3, operator: q.Sm + s.Sm}, {rate: 0.2*(l + 1), each: q.sz}]\n"
    "observables: {x: \"<q.sz[1]>\", y: \"<q.sp[1]*s.b>\"}\n" EVOLVE(
        "{q: {cat: [1, 0, -1]}, s: {css: [2, 1]}}", "{s: {fock: 1}}"),
    "components: {q: {kind: spins, size: 2}, e: {kind: ensemble, size: 2}}\n"
    "hamiltonian: [\"0.5*q.sp[1]*e.Sm + hc\"]\n"
    "jumps: [{rate: 0.3, operator: q.Sm}, {rate: 0.2, each: e.sp}, {rate: 0.1, each: q.sz}]\n"
    "observables: {x: \"<q.sz[0]>\", y: \"<q.sp[1]*e.Sm>\"}\n" EVOLVE("{q: {css: [2, 1]}, e: {css: [1, 0]}}",
                                                                      "{q: {dicke: [1, 0]}}"),
};

static void check_mixed(const char text[])
{
  Model model = Model_Open(PETSC_COMM_WORLD, text, 0);
  CospinLattice lattice;
  CospinSector everything;
  Dense generator = Model_Everything(&model, &lattice, &everything);
  const size_t n = (size_t)generator.n;
  double complex *rho = malloc(sizeof(*rho) * n), *psi = malloc(sizeof(*psi) * n);
  CospinState initial, target;
  Answer answers[2] = {Model_Run(&model, 0), Model_Run(&model, 1)};
  PetscBool ok;

  OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "initial"), NULL, &initial,
                       &ok));
  OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "fidelity"), NULL, &target,
                       &ok));
  for (int t = 0; t < NUM_TIMES; t++) {
    double complex sums[3] = {0}, value;
    for (size_t k = 0; k < n; k++) {
      int label[COSPIN_MAX_COORDINATES];
      CospinSectorLabel(everything, (PetscInt64)k, label);
      rho[k] = CospinStateElement(initial, label);
      psi[k] = CospinStateElement(target, label);
    }
    dense_evolve(generator, test_times[t], rho);
    for (size_t k = 0; k < n; k++) {
      int label[COSPIN_MAX_COORDINATES];
      CospinSectorLabel(everything, (PetscInt64)k, label);
      for (int o = 0; o < 2; o++)
        sums[o] +=
            rho[k] * CospinExpectationWeight(model.point->observables->observables[o].expectations[0], label);
      sums[2] += rho[k] * conj(psi[k]);
    }
    for (int a = 0; a < 2; a++) {
      assert_int_equal(answers[a].outcome, COSPIN_GOOD);
      value = CMPLX(Answer_Get(&answers[a], "y_re", t), Answer_Get(&answers[a], "y_im", t));
      CLOSE(Answer_Get(&answers[a], "x", t), creal(sums[0]), 1e-8);
      CLOSE(cabs(value - sums[1]), 0.0, 1e-8);
      CLOSE(Answer_Get(&answers[a], "fidelity", t), creal(sums[2]), 1e-8);
      assert_true(Answer_Get(&answers[a], "error", t) <= 1e-9);
    }
  }
  OK(CospinStateDestroy(&initial));
  OK(CospinStateDestroy(&target));
  Answer_Free(&answers[0]);
  Answer_Free(&answers[1]);
  Dense_Free(&generator);
  free(psi);
  free(rho);
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  Model_Close(&model);
}

static void test_mixed_components(void **unused)
{
  (void)unused;
  for (size_t k = 0; k < sizeof(mixed_models) / sizeof(mixed_models[0]); k++) {
    char text[MAX_TEXT];
    snprintf(text, sizeof(text), "title: T\n%s", mixed_models[k]);
    check_mixed(text);
  }
}

/* ---- Published numbers --------------------------------------------------------------------------------- */

/* Fringe visibility 2|<S+>|/N after a pi/2 pulse: Shankar et al., PRA 95, 033423 (2017), Eq. (23), N = 124.
 */
static void test_visibility_of_ions(void **unused)
{
  static const struct {
    double nbar, time[5], visibility[5];
  } rows[] = {{0, {.1, .4, 1, 2, 4}, {.628474, .467658, .266529, .104418, .016026}},
              {4.7, {.025, .1, .25, .5, 1}, {.531468, .278034, .0714190, .00744078, 8.07659e-5}}};

  (void)unused;
  for (int r = 0; r < 2; r++) {
    char text[MAX_TEXT];
    Model model;
    Answer answer;
    snprintf(
        text, sizeof(text),
        "title: T\nparameters: {N: 124, nbar: %g, w: N/2}\ncomponents: {ions: {kind: ensemble, size: N}}\n"
        "jumps: [{rate: nbar + 1, operator: ions.Sm}, {rate: nbar, operator: ions.Sp},\n"
        "  {rate: w, each: ions.sp}]\nobservables: {v: abs(<ions.Sp>)*2/N}\n"
        "tasks:\n  - evolve: {times: [%g, %g, %g, %g, %g], initial: {ions: {css: [pi/2, 0]}}}\n",
        rows[r].nbar, rows[r].time[0], rows[r].time[1], rows[r].time[2], rows[r].time[3], rows[r].time[4]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    for (int t = 0; t < 5; t++) /* six digits are given */
      CLOSE(Answer_Get(&answer, "v", t) / rows[r].visibility[t], 1.0, 3e-5);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* Tavis-Cummings pulse from |S,0>|0>: flux at t = 1 and 5 (Masson and Parkins, spin-1 ensembles and photon
 * counting). */
static void test_pulse_of_a_spin(void **unused)
{
  static const double rows[][4] = {{1, .3, .13555577, .10538615},
                                   {2, 1, 1.52558630, .00179377},
                                   {10, .05, .21938330, .51230910},
                                   {10, .3, 6.53782151, .03801189},
                                   {10, 1, 4.45802054, .02833620}};

  (void)unused;
  for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
    char text[MAX_TEXT];
    snprintf(text, sizeof(text),
             "title: T\nparameters: {S: %g, lam: %g, kappa: 1}\n"
             "components: {s: {kind: spin, S: S}, c: {kind: mode, cutoff: S + 1}}\n"
             "hamiltonian: [lam*c.a*s.Sp + hc]\njumps: [{rate: 2*kappa, operator: c.a}]\n"
             "observables: {flux: 2*kappa*<c.n>}\n"
             "tasks:\n  - evolve: {times: [1, 5], initial: {s: {dicke: [S, 0]}}}\n",
             rows[r][0], rows[r][1]);
    CLOSE(value_of(text, "flux", 0), rows[r][2], 1e-8);
    CLOSE(value_of(text, "flux", 1), rows[r][3], 1e-8);
  }
}

/* Independent dephasing that leaves a share eta of every coherence: coherent / even / odd, N = 200, theta =
   1/sqrt(N). With eta = exp(-(delta t)^2/2) these are Eq. (11) and (16) of the spin-cat paper, Fig. 1. */
static void test_dephasing_of_cats(void **unused)
{
  static const double rows[][4] = {{.5, .943025178, .986566870, .776417240},
                                   {1, .821598456, .961927177, .366310981},
                                   {2, .649158300, .941286492, .022764715},
                                   {12, .606657329, .940213066, .004898481}};
  static const char *const states[] = {"css: [theta, 0]", "cat: [theta, 0, 1]", "cat: [theta, 0, -1]"};

  (void)unused;
  for (int s = 0; s < 3; s++) {
    char text[MAX_TEXT];
    Model model;
    Answer answer;
    snprintf(
        text, sizeof(text), /* coherences decay at 2 rate = 1/2, so t is (delta t)^2 */
        "title: T\nparameters: {N: 200, theta: 1/sqrt(N)}\n"
        "components: {ions: {kind: ensemble, size: N}}\njumps: [{rate: 1/4, each: ions.sz}]\n"
        "tasks:\n  - evolve: {times: [0.25, 1, 4, 144], initial: {ions: {%s}}, fidelity: {ions: {%s}}}\n",
        states[s], states[s]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    for (int t = 0; t < 4; t++) CLOSE(Answer_Get(&answer, "fidelity", t), rows[t][s + 1], 2e-9);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ensembles_agree_with_4_n), cmocka_unit_test(test_states_have_their_moments),
      cmocka_unit_test(test_large_coherent_state),     cmocka_unit_test(test_mixed_components),
      cmocka_unit_test(test_visibility_of_ions),       cmocka_unit_test(test_pulse_of_a_spin),
      cmocka_unit_test(test_dephasing_of_cats),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
