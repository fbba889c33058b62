/*
   Two-time correlations against the brute-force reference (support_dense.h): spectra by solves with the whole
   generator, correlations in time by its exponential; closed forms of one line; what has no answer.
*/
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

enum { NUM_FREQUENCIES = 7, NUM_TIMES = 4, SUBSTEPS = 40, TAYLOR_ORDER = 12 };
static const double frequencies[NUM_FREQUENCIES] = {-7, -1.3, -0.4, 0, 0.4, 2, 5.5};
static const double times[NUM_TIMES] = {0, 0.3, 1, 4};

/* cmocka compares floats; these are doubles. */
static void assert_near(const char text[], double value, double expected, double bound)
{
  if (!(fabs(value - expected) <= bound)) fail_msg("%.15g is not %.15g\n%s", value, expected, text);
}

/* Conserved charges or none, one sector read or several, light with and without a coherent part. */
#define COLLECTIVE                                                                                           \
  "components: {A: {kind: ensemble, size: 3}}\n"                                                             \
  "hamiltonian: [0.4*A.Sz]\njumps: [{rate: 0.7, operator: A.Sm}, {rate: 1.1, each: A.sp}, {rate: 0.2, "      \
  "each: A.sz}]\n"
#define DRIVEN                                                                                               \
  "components: {A: {kind: ensemble, size: 2}}\n"                                                             \
  "hamiltonian: [0.4*A.Sz, 1.3*A.Sx]\njumps: [{rate: 0.7, operator: A.Sm}, {rate: 0.3, each: A.sm}]\n"
#define CAVITY                                                                                               \
  "components: {a: {kind: mode, cutoff: 3, edge: 1}, s: {kind: spin, S: 1/2}}\n"                             \
  "hamiltonian: [0.8*a.n, 0.9*a.a*s.Sp + hc, 0.5*s.Sz]\n"                                                    \
  "jumps: [{rate: 1, operator: a.a}, {rate: 0.3, operator: s.Sp}, {rate: 0.1, operator: dag(a.a)}]\n"
#define PARITY                                                                                               \
  "components: {s: {kind: spin, S: 1}}\n"                                                                    \
  "hamiltonian: ['0.3*s.Sm^2 + hc', 0.2*s.Sz]\njumps: [{rate: 1, operator: s.Sm}, {rate: 0.4, operator: "    \
  "s.Sp}]\n"
#define PAIR                                                                                                 \
  "components: {q: {kind: spins, size: 2}}\n"                                                                \
  "hamiltonian: ['0.6*q.sz[0]', '0.4*q.sp[0]*q.sm[1] + hc']\n"                                               \
  "jumps: [{rate: 0.7, each: q.sp}, {rate: 1, operator: q.Sm}]\n"

static const struct {
  const char *deck, *a, *b; /* b NULL: the adjoint of a */
} cases[] = {
    {COLLECTIVE, "A.Sp", NULL},
    {COLLECTIVE, "A.Sm", NULL},
    {COLLECTIVE, "A.Sz", NULL},
    {COLLECTIVE, "A.Sx", NULL},
    {COLLECTIVE, "A.Sz", "A.Sp*A.Sm"},
    {COLLECTIVE, "A.Sp*A.Sz", "A.Sm"},
    {COLLECTIVE, "A.Sp", "A.Sz"}, /* zero: of different charge */
    {DRIVEN, "A.Sp", NULL},
    {DRIVEN, "A.Sz", "A.Sx"},
    {DRIVEN, "A.Sy", "A.Sz + 0.3*i*A.Sx"},
    {CAVITY, "dag(a.a)", NULL},
    {CAVITY, "dag(a.a)", "s.Sm"},
    {CAVITY, "a.n", "s.Sz"},
    {CAVITY, "dag(a.a) + 0.5*s.Sp", NULL},
    {PARITY, "s.Sp", NULL},
    {PARITY, "s.b", "s.Sx"},
    {PARITY, "s.Sz", NULL},
    {PAIR, "q.sp[0]", "q.sm[1]"},
    {PAIR, "q.Sp", NULL},
};

/* What the answer must be, in matrices of the whole space. */
typedef struct {
  Dense liouvillian, rho, a, b;
} Reference;

static Reference reference_of(const Model *model, const char a[], const char b[])
{
  Reference reference = {.liouvillian = Dense_Liouvillian(model->problem),
                         .rho = Dense_Zero(Dense_Dimension(model->problem)),
                         .a = Dense_Operator(model->problem, a, 0)};
  double complex trace = 0;

  reference.b = b ? Dense_Operator(model->problem, b, 0) : Dense_Adjoint(reference.a);
  assert_int_equal(Dense_Nullity(reference.liouvillian, reference.rho.a), 1);
  for (int i = 0; i < reference.rho.n; i++) trace += *Dense_At(reference.rho, i, i);
  for (int k = 0; k < reference.rho.n * reference.rho.n; k++) reference.rho.a[k] /= trace;
  return reference;
}

static void free_reference(Reference *reference)
{
  Dense_Free(&reference->liouvillian);
  Dense_Free(&reference->rho);
  Dense_Free(&reference->a);
  Dense_Free(&reference->b);
}

/* Tr(x (i omega - L)^-1 (kicked - rho Tr kicked)): rho Tr is added to the matrix, which does nothing to
   traceless vectors and makes it regular at omega = 0. */
static double complex one_side(const Reference *reference, Dense x, Dense kicked, double omega)
{
  const int n = reference->rho.n;
  Dense matrix = Dense_Zero(reference->liouvillian.n), v = Dense_Zero(n);
  double complex trace = 0, value;

  for (int i = 0; i < n; i++) trace += *Dense_At(kicked, i, i);
  Dense_Axpy(v, 1, kicked);
  Dense_Axpy(v, -trace, reference->rho);
  Dense_Axpy(matrix, -1, reference->liouvillian);
  for (int k = 0; k < matrix.n; k++) {
    *Dense_At(matrix, k, k) += I * omega;
    for (int i = 0; i < n; i++) *Dense_At(matrix, k, i * n + i) += reference->rho.a[k];
  }
  Dense_Solve(matrix, v.a);
  value = Dense_Expect(x, v);
  Dense_Free(&v);
  Dense_Free(&matrix);
  return value;
}

/* Both sides of the time axis: Tr(A e^{Lt} B rho), and Tr(B e^{L|t|} rho A) for negative times. */
static double complex dense_spectrum(const Reference *reference, double omega)
{
  Dense after = Dense_Product(reference->b, reference->rho),
        before = Dense_Product(reference->rho, reference->a);
  const double complex value =
      one_side(reference, reference->a, after, omega) + one_side(reference, reference->b, before, -omega);

  Dense_Free(&after);
  Dense_Free(&before);
  return value;
}

/* x <- exp(t L) x */
static void propagate(Dense liouvillian, double t, Dense x)
{
  Dense term = Dense_Zero(x.n), next = Dense_Zero(x.n);

  for (int step = 0; step < SUBSTEPS; step++) {
    memcpy(term.a, x.a, sizeof(*x.a) * (size_t)liouvillian.n);
    for (int order = 1; order <= TAYLOR_ORDER; order++) {
      for (int i = 0; i < liouvillian.n; i++) {
        next.a[i] = 0;
        for (int j = 0; j < liouvillian.n; j++)
          next.a[i] += *Dense_At(liouvillian, i, j) * term.a[j] * t / SUBSTEPS / order;
      }
      memcpy(term.a, next.a, sizeof(*x.a) * (size_t)liouvillian.n);
      Dense_Axpy(x, 1, term);
    }
  }
  Dense_Free(&next);
  Dense_Free(&term);
}

static Model open_case(size_t k)
{
  char text[1500], with[100] = "";

  if (cases[k].b) (void)snprintf(with, sizeof(with), ", with: '%s'", cases[k].b);
  (void)snprintf(
      text, sizeof(text),
      "title: T\n%stasks:\n"
      "  - spectrum: {of: '%s'%s, frequencies: [-7, -1.3, -0.4, 0, 0.4, 2, 5.5], tolerance: 1e-9}\n"
      "  - correlation: {of: '%s'%s, times: [0, 0.3, 1, 4]}\n"
      "  - g2: {of: '%s', times: [0, 0.3, 1, 4]}\n",
      cases[k].deck, cases[k].a, with, cases[k].a, with, cases[k].a);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

static void spectra_are_those_of_the_whole_generator(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model model = open_case(k);
    Reference reference = reference_of(&model, cases[k].a, cases[k].b);
    Answer answer = Model_Run(&model, 0);
    const char *text = model.deck->text;
    const double complex coherent =
        Dense_Expect(reference.a, reference.rho) * Dense_Expect(reference.b, reference.rho);
    if (answer.outcome != COSPIN_GOOD) fail_msg("outcome %d\n%s", answer.outcome, text);
    for (int w = 0; w < NUM_FREQUENCIES; w++) {
      const double complex expected = dense_spectrum(&reference, frequencies[w]);
      assert_near(text, Answer_Get(&answer, "density", w), creal(expected), 1e-9);
      assert_near(text, Answer_Get(&answer, "density_im", w), cimag(expected), 1e-9);
      assert_true(Answer_Get(&answer, "error", w) < 1e-7);
    }
    assert_near(text, Answer_Get(&answer, "coherent", 0), creal(coherent), 1e-12);
    assert_near(text, Answer_Get(&answer, "coherent_im", 0), cimag(coherent), 1e-12);
    assert_near(text, Answer_Get(&answer, "integral", 0), 2 * PETSC_PI * Answer_Get(&answer, "power", 0),
                1e-7);
    Answer_Free(&answer);
    free_reference(&reference);
    Model_Close(&model);
  }
}

/* <A(t) B(0)>, and <A^+(0) A^+(t) A(t) A(0)>/<A^+A>^2 */
static void correlations_in_time(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model model = open_case(k);
    Reference reference = reference_of(&model, cases[k].a, cases[k].b);
    Answer first = Model_Run(&model, 1), second = Model_Run(&model, 2);
    const char *text = model.deck->text;
    Dense adjoint = Dense_Adjoint(reference.a), number = Dense_Product(adjoint, reference.a);
    const double intensity = creal(Dense_Expect(number, reference.rho));
    assert_int_equal(first.outcome, COSPIN_GOOD);
    assert_int_equal(second.outcome, COSPIN_GOOD);
    assert_near(text, Answer_Get(&second, "intensity", 0), intensity, 1e-12);
    for (int t = 0; t < NUM_TIMES; t++) {
      Dense kicked = Dense_Product(reference.b, reference.rho);
      Dense half = Dense_Product(reference.a, reference.rho), clicked = Dense_Product(half, adjoint);
      double complex expected;
      propagate(reference.liouvillian, times[t], kicked);
      propagate(reference.liouvillian, times[t], clicked);
      expected = Dense_Expect(reference.a, kicked);
      assert_near(text, Answer_Get(&first, "re", t), creal(expected), 1e-8);
      assert_near(text, Answer_Get(&first, "im", t), cimag(expected), 1e-8);
      assert_near(text, Answer_Get(&second, "value", t),
                  creal(Dense_Expect(number, clicked)) / PetscSqr(intensity), 1e-7);
      Dense_Free(&clicked);
      Dense_Free(&half);
      Dense_Free(&kicked);
    }
    Dense_Free(&number);
    Dense_Free(&adjoint);
    Answer_Free(&second);
    Answer_Free(&first);
    free_reference(&reference);
    Model_Close(&model);
  }
}

/* A damped mode with thermal light: one pole, S = nbar k/((w - w0)^2 + k^2/4), g2 = 1 + exp(-k t). The axis
   has no point within the line. */
static void one_line(void **state)
{
  const double kappa = 0.01, omega = 1.237, nbar = 0.3;
  Model model = Model_Open(
      PETSC_COMM_WORLD,
      "title: T\nparameters: {k: 0.01, n: 0.3}\ncomponents: {m: {kind: mode}}\nhamiltonian: [1.237*m.n]\n"
      "jumps: [{rate: k*(n+1), operator: m.a}, {rate: k*n, operator: dag(m.a)}]\n"
      "tasks:\n  - spectrum: {of: dag(m.a), frequencies: [0, 1, 2, 3], tolerance: 1e-8}\n"
      "  - decay: {of: m.a}\n  - g2: {of: m.a, times: [0, 100]}\n"
      "  - correlation: {of: dag(m.a), times: [0, 100]}\n",
      0);
  const CospinSteadyState *steady;
  Answer spectrum, decay, g2, g1;

  (void)state;
  assert_int_equal(CospinPointSteadyState(model.point, "steady_", NULL, &steady), 0); /* finds the window */
  spectrum = Model_Run(&model, 0);
  decay = Model_Run(&model, 1);
  g2 = Model_Run(&model, 2);
  g1 = Model_Run(&model, 3);
  assert_int_equal(spectrum.outcome, COSPIN_GOOD);
  assert_near("peak", Answer_Get(&spectrum, "peak", 0), omega, 1e-8);
  assert_near("decay", Answer_Get(&decay, "frequency", 0), omega, 1e-10);
  assert_near("fwhm", Answer_Get(&spectrum, "fwhm", 0), kappa, 1e-9);
  assert_near("fwhm", Answer_Get(&spectrum, "fwhm", 0), 2 * Answer_Get(&decay, "rate", 0), 1e-9);
  assert_near("height", Answer_Get(&spectrum, "height", 0), 4 * nbar / kappa, 1e-6);
  assert_near("integral", Answer_Get(&spectrum, "integral", 0), 2 * PETSC_PI * nbar, 1e-8);
  for (int k = 0; k < 4; k++)
    assert_near("density", Answer_Get(&spectrum, "density", k),
                nbar * kappa / (PetscSqr(k - omega) + kappa * kappa / 4), 1e-8);
  assert_near("g2", Answer_Get(&g2, "value", 0), 2, 1e-8);
  assert_near("g2", Answer_Get(&g2, "value", 1), 1 + exp(-1), 1e-8);
  assert_near("g1", Answer_Get(&g1, "g1_re", 1), exp(-0.5) * cos(100 * omega), 1e-8);
  assert_near("g1", Answer_Get(&g1, "g1_im", 1), exp(-0.5) * sin(100 * omega), 1e-8);
  Answer_Free(&g1);
  Answer_Free(&g2);
  Answer_Free(&decay);
  Answer_Free(&spectrum);
  Model_Close(&model);
}

/* Several steady states: no answer, unless one of them is asked for. */
static void several_steady_states(void **state)
{
  static const char *const sectors[] = {"", ", sector: {charge: 0, irrep: 0}"};

  (void)state;
  for (int k = 0; k < 2; k++) {
    char text[600];
    Model model;
    (void)snprintf(text, sizeof(text),
                   "title: T\ncomponents: {A: {kind: ensemble, size: 3}}\n"
                   "jumps: [{rate: 1, operator: A.Sm}, {rate: 0.4, operator: A.Sp}]\ntasks:\n"
                   "  - spectrum: {of: A.Sp, frequencies: [-1, 0, 1]%s}\n"
                   "  - correlation: {of: A.Sp, times: [0, 1]%s}\n  - g2: {of: A.Sm, times: [0, 1]%s}\n",
                   sectors[k], sectors[k], sectors[k]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    for (int task = 0; task < 3; task++) {
      static const char *const values[] = {"density", "re", "value"};
      Answer answer = Model_Run(&model, task);
      assert_int_equal(answer.outcome, k ? COSPIN_GOOD : COSPIN_DEGENERATE);
      assert_int_equal(isnan(Answer_Get(&answer, values[task], 1)), !k);
      Answer_Free(&answer);
    }
    Model_Close(&model);
  }
}

/* Nothing comes from an atom in the dark, and that is not divided by itself. */
static void Dark(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: T\ncomponents: {s: {kind: spin, S: 1}}\nhamiltonian: [s.Sz]\n"
                           "jumps: [{rate: 1, operator: s.Sm}]\ntasks:\n"
                           "  - spectrum: {of: s.Sp, frequencies: [-1, 0, 1]}\n"
                           "  - correlation: {of: s.Sp, times: [0, 1]}\n  - g2: {of: s.Sm, times: [0, 1]}\n",
                           0);
  Answer spectrum = Model_Run(&model, 0), correlation = Model_Run(&model, 1), g2 = Model_Run(&model, 2);

  (void)state;
  assert_int_equal(spectrum.outcome, COSPIN_GOOD);
  assert_near("density", Answer_Get(&spectrum, "density", 2), 0, 1e-14);
  assert_int_equal(correlation.outcome, COSPIN_GOOD);
  assert_near("correlation", Answer_Get(&correlation, "re", 1), 0, 1e-14);
  assert_true(isnan(Answer_Get(&correlation, "g1_re", 1)));
  assert_int_equal(g2.outcome, COSPIN_EMPTY_SECTOR);
  assert_true(isnan(Answer_Get(&g2, "value", 1)));
  Answer_Free(&g2);
  Answer_Free(&correlation);
  Answer_Free(&spectrum);
  Model_Close(&model);
}

/* A tolerance that double precision does not hold is not claimed. */
static void too_much_is_not_claimed(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: T\n" COLLECTIVE
                           "tasks: [{spectrum: {of: A.Sp, frequencies: [-1, 0, 1], tolerance: 1e-15}}]\n",
                           0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_INACCURATE);
  assert_true(Answer_Get(&answer, "density", 1) > 0);
  Answer_Free(&answer);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spectra_are_those_of_the_whole_generator),
      cmocka_unit_test(correlations_in_time),
      cmocka_unit_test(one_line),
      cmocka_unit_test(several_steady_states),
      cmocka_unit_test(Dark),
      cmocka_unit_test(too_much_is_not_claimed),
  };
  int failures;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failures;
}
