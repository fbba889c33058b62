/*
   Products without a matrix (MatShell) are those of the assembled one, on larger models than
   test_components_mpi.c has: matrices of rates, jumps of pairs of spins, dephasing that is correlated,
   ensembles beside other things.
*/
#include "solver/davidson.h"
#include "support_conformance.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/operator/nojump.h>
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

/* g is any hermitian positive matrix, with complex elements. */
#define CRYSTAL                                                                                              \
  "title: a model\nparameters: {N: %d}\ncomponents: {q: {kind: spins, size: N}}\n"                           \
  "arrays:\n"                                                                                                \
  "  d: {normal: {mean: 0, std: 1, seed: 3}}\n"                                                              \
  "  x: {uniform: {min: 0.2, max: 1, seed: 4}}\n"                                                            \
  "  y: {uniform: {min: -1, max: 1, seed: 5}}\n"                                                             \
  "hamiltonian: [{sum: \"d[l]/2*q.sz[l]\"}, {sum: \"(0.3*x[l]*x[m] + 0.2*i*(y[l]*x[m] - "                    \
  "x[l]*y[m]))*q.sp[l]*q.sm[m]\"}%s]\n"                                                                      \
  "jumps:\n"                                                                                                 \
  "  - {rates: \"2*x[l]*x[m] + y[l]*y[m] + i*(x[l]*y[m] - y[l]*x[m])\", pairs: q.sm}\n"                      \
  "  - {rates: \"0.4*x[l]*x[m]\", pairs: q.sp}\n"                                                            \
  "  - {rates: \"0.3*y[l]*y[m]\", pairs: q.sz}\n"                                                            \
  "  - {rate: \"x[l]\", each: q.sp}\n  - {rate: 0.2, each: q.sz}\n%s"                                        \
  "tasks: [steady: {}]\n"

static const char *const models[] = {
    /* jumps of pairs */
    "title: a model\nparameters: {N: 5}\ncomponents: {q: {kind: spins, size: N}}\n"
    "arrays: {d: {normal: {mean: 0, std: 1, seed: 3}}}\n"
    "hamiltonian: [{sum: \"d[l]/2*q.sz[l]\"}, (0.2 + 0.1*i)*q.Sm^2 + hc]\n"
    "jumps: [{rate: 1, operator: q.Sm^2}, {rate: 0.3, operator: \"q.Sm^2 + 0.4*i*q.Sz\"}]\ntasks: [steady: "
    "{}]\n",
    /* an ensemble with local and mixed jumps, a mode, a spin that breaks the symmetry */
    "title: a model\ncomponents: {A: {kind: ensemble, size: 5}, u: {kind: mode, cutoff: 5, edge: 1}}\n"
    "hamiltonian: [0.7*u.a*A.Sp + hc, 0.3*A.Sz]\n"
    "jumps: [{rate: 1, operator: u.a}, {rate: 0.5, each: A.sp}, {rate: 0.4, each: A.sm*dag(u.a)}, "
    "{rate: 0.2, each: A.sz}, {rate: 0.1, each: A.sm + 0.3*i*A.sz*u.n}]\ntasks: [steady: {}]\n",
    "title: a model\ncomponents: {A: {kind: ensemble, size: 4}, B: {kind: ensemble, size: 3}}\n"
    "hamiltonian: [0.7*A.Sm*B.Sp + hc, 0.3*A.Sx]\n"
    "jumps: [{rate: 1, operator: A.Sm + B.Sm}, {rate: 0.5, each: A.sp}, {rate: 0.4, each: B.sz + B.sm}]\n"
    "tasks: [steady: {}]\n",
    "title: a model\ncomponents: {A: {kind: ensemble, size: 14}}\n"
    "jumps: [{rate: 1, operator: A.Sm}, {rate: 0.5, each: A.sp}, {rate: 0.4, each: A.sz}]\ntasks: [steady: "
    "{}]\n",
};

static void check(const char text[])
{
  Model model = Model_Open(PETSC_COMM_WORLD, text, 0);

  Conformance_Shell(&model);
  Model_Close(&model);
}

static void products_with_matrices_of_rates(void **state)
{
  (void)state;
  for (int n = 1; n <= 4; n++) {
    char text[4096];
    snprintf(text, sizeof(text), CRYSTAL, n, "", "");
    check(text);
    snprintf(text, sizeof(text), CRYSTAL, n, ", 0.4*q.Sx",
             "  - {rate: 0.3, operator: \"q.sm[0] + q.sz[0]\"}\n");
    check(text);
  }
}

static void products_of_pairs_of_spins_and_ensembles(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(models) / sizeof(models[0]); k++) check(models[k]);
}

#define CAT                                                                                                  \
  "title: a cat\nparameters: {N: 4, eta: 0.2, theta: 2*atan(sqrt(2*eta/N)), phi: -pi/4}\n"                   \
  "components: {q: {kind: spins, size: N}}\narrays: {delta: [0.013, -0.021, 0.004, 0.0175]}\n"               \
  "hamiltonian: [{sum: \"delta[l]/2*q.sz[l]\"}, eta/N*q.Sm^2 + hc]\n"                                        \
  "jumps: [{rate: 1/N^2, operator: q.Sm^2}]\noperator: %s\n"                                                 \
  "tasks: [evolve: {times: [1, 10, 200], initial: {q: {cat: [theta, phi, 1]}}, fidelity: {q: {cat: [theta, " \
  "phi, 1]}}}]\n"

/* The deck's key `operator`; the last number is test_spins.c's, of another code. */
static void a_deck_evolves_without_a_matrix(void **state)
{
  static const char *const forms[] = {"assembled", "shell"};
  Answer answers[2];

  (void)state;
  for (int f = 0; f < 2; f++) {
    char text[2048];
    Model model;
    snprintf(text, sizeof(text), CAT, forms[f]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answers[f] = Model_Run(&model, 0);
    assert_int_equal(answers[f].outcome, COSPIN_GOOD);
    Model_Close(&model);
  }
  assert_true(Answer_Get(&answers[0], "nonzeros", 0) > 0);
  assert_true(Answer_Get(&answers[1], "nonzeros", 0) == 0);
  for (int t = 0; t < 3; t++) {
    const double a = Answer_Get(&answers[0], "fidelity", t), b = Answer_Get(&answers[1], "fidelity", t);
    if (!(fabs(a - b) < 1e-8)) fail_msg("fidelity %.15g and %.15g", a, b);
  }
  assert_true(fabs(Answer_Get(&answers[1], "fidelity", 2) - .86868280) < 1e-7);
  for (int f = 0; f < 2; f++) Answer_Free(&answers[f]);
}

#define SUPERRADIANCE                                                                                        \
  "title: superradiance\nparameters: {N: 5, w: N/2}\ncomponents: {q: {kind: %s, size: N}}\n"                 \
  "jumps: [{rate: 1, operator: q.Sm}, {rate: w, each: q.sp}, {rate: 0.3, each: q.sz}]\noperator: %s\n"       \
  "observables: {inversion: 2*<q.Sz>/N, correlation: <q.Sp*q.Sm>}\n"                                         \
  "tasks: [steady: {}, decay: {of: q.Sp}, gap: {}]\n"

/* Uniform rates: what is slowest is symmetric. */
static void uniform_rates_give_an_ensemble_without_a_matrix(void **state)
{
  static const char *const forms[2][2] = {{"ensemble", "assembled"}, {"spins", "shell"}};
  static const struct {
    int task;
    const char *name;
  } numbers[] = {{0, "inversion"}, {0, "correlation"}, {1, "rate"}, {1, "weight"}, {2, "rate"}};
  double found[2][5];

  (void)state;
  for (int f = 0; f < 2; f++) {
    char text[2048];
    Model model;
    snprintf(text, sizeof(text), SUPERRADIANCE, forms[f][0], forms[f][1]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    for (int task = 0; task < 3; task++) {
      Answer answer = Model_Run(&model, task);
      assert_int_equal(answer.outcome, COSPIN_GOOD);
      for (int k = 0; k < 5; k++) {
        if (numbers[k].task == task) found[f][k] = Answer_Get(&answer, numbers[k].name, 0);
      }
      Answer_Free(&answer);
    }
    Model_Close(&model);
  }
  for (int k = 0; k < 5; k++) {
    if (!(fabs(found[0][k] - found[1][k]) < 1e-8))
      fail_msg("%s of task %d: %.12g of an ensemble, %.12g of spins", numbers[k].name, numbers[k].task,
               found[0][k], found[1][k]);
  }
}

#define PAIRS                                                                                                \
  "title: spins of a crystal\nparameters: {N: %d}\ncomponents: {q: {kind: spins, size: N}}\narrays:\n"       \
  "  d: {normal: {mean: 0, std: 1, seed: 3}}\n  x: {uniform: {min: 0.2, max: 1, seed: 4}}\n"                 \
  "hamiltonian: [{sum: \"d[l]/2*q.sz[l]\"}, {sum: \"0.3*x[l]*x[m]*q.sp[l]*q.sm[m]\"}]\n"                     \
  "jumps:\n  - {rates: \"2*x[l]*x[m]\", pairs: q.sm}\n  - {rates: \"0.4*x[l]*x[m]\", pairs: q.sp}\n"         \
  "  - {rate: \"1 + x[l]\", each: q.sp}\n  - {rate: 0.2, each: q.sz}\n"                                      \
  "observables: {inversion: 2*<q.Sz>/N, correlation: <q.Sp*q.Sm>}\noperator: %s\n"                           \
  "tasks: [steady: {}, decay: {of: q.Sp}]\n"

/* Without a matrix as with its factors; and as with one whose factors would not fit. Rows of rho are long
   enough for the latter from seven spins on. */
static void the_same_numbers_with_a_matrix(void **state)
{
  static const struct {
    const char *form;
    double bytes; /* of memory */
    int size;
    PetscBool has_matrix, has_factors;
  } ways[] = {{"assembled", 4e9, 5, PETSC_TRUE, PETSC_TRUE},
              {"shell", 4e9, 5, PETSC_FALSE, PETSC_FALSE},
              {"assembled", 1e7, 7, PETSC_TRUE, PETSC_FALSE},
              {"shell", 4e9, 7, PETSC_FALSE, PETSC_FALSE}};
  static const char *const names[] = {"inversion", "correlation", "rate", "weight", "frequency"};
  double found[4][5];

  (void)state;
  for (int w = 0; w < 4; w++) {
    char text[2048];
    Model model;
    snprintf(text, sizeof(text), PAIRS, ways[w].size, ways[w].form);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    model.problem->bytes = ways[w].bytes;
    for (int task = 0; task < 2; task++) {
      Answer answer = Model_Run(&model, task);
      assert_int_equal(answer.outcome, COSPIN_GOOD);
      assert_int_equal(Answer_Get(&answer, "nonzeros", 0) > 0, ways[w].has_matrix);
      if (task == 0) /* down to what size an eigenvalue counts as zero tells who found it */
        assert_int_equal(Answer_Get(&answer, "resolution", 0) < 1e-12, ways[w].has_factors);
      for (int k = 2 * task; k < 2 + 3 * task; k++) found[w][k] = Answer_Get(&answer, names[k], 0);
      Answer_Free(&answer);
    }
    Model_Close(&model);
  }
  for (int w = 0; w < 4; w += 2) {
    for (int k = 0; k < 5; k++) {
      const double tolerance = k < 2 ? 1e-12 : 1e-10; /* modes: residuals of 1e-12 of the norm */
      if (!(fabs(found[w][k] - found[w + 1][k]) < tolerance))
        fail_msg("%d spins: %s is %.15g and %.15g", ways[w].size, names[k], found[w][k], found[w + 1][k]);
    }
  }
}

#define LIGHT                                                                                                \
  "title: light\nparameters: {N: 4, w: N/2}\ncomponents: {q: {kind: spins, size: N}}\n"                      \
  "arrays: {d: [0.3, -0.5, 0.1, 0.7]}\nhamiltonian: [{sum: \"d[l]/2*q.sz[l]\"}]\n"                           \
  "jumps: [{rate: 1, operator: q.Sm}, {rate: w, each: q.sp}]\noperator: %s\n"                                \
  "tasks: [spectrum: {of: q.Sp, frequencies: {linspace: [-6, 6, 7]}}]\n"

/* Solves with s - L and its adjoint. */
static void spectra_are_found_without_a_matrix(void **state)
{
  static const char *const forms[] = {"assembled", "shell"};
  Answer answers[2];

  (void)state;
  for (int f = 0; f < 2; f++) {
    char text[2048];
    Model model;
    snprintf(text, sizeof(text), LIGHT, forms[f]);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    answers[f] = Model_Run(&model, 0);
    assert_int_equal(answers[f].outcome, COSPIN_GOOD);
    Model_Close(&model);
  }
  for (int k = 0; k < 7; k++) {
    const double a = Answer_Get(&answers[0], "density", k), b = Answer_Get(&answers[1], "density", k);
    if (!(fabs(a - b) < 1e-9)) fail_msg("density %.15g and %.15g", a, b);
  }
  for (int f = 0; f < 2; f++) Answer_Free(&answers[f]);
}

/* Not converged: an outcome, with the residual that was reached. */
static void a_search_that_fails_is_an_outcome(void **state)
{
  char text[2048];
  Model model;

  (void)state;
  snprintf(text, sizeof(text), SUPERRADIANCE, "spins", "shell");
  model = Model_Open(PETSC_COMM_WORLD, text, 0);
  OK(PetscOptionsSetValue(NULL, "-steady_davidson_steps", "3"));
  OK(PetscOptionsSetValue(NULL, "-decay_davidson_steps", "3"));
  OK(PetscOptionsSetValue(NULL, "-gap_davidson_steps", "3"));
  for (int task = 0; task < 3; task++) {
    Answer answer = Model_Run(&model, task);
    assert_int_equal(answer.outcome, COSPIN_NOT_CONVERGED);
    assert_true(Answer_Get(&answer, "residual", 0) > 1e-8 && Answer_Get(&answer, "residual", 0) < 1);
    Answer_Free(&answer);
  }
  OK(PetscOptionsClearValue(NULL, "-steady_davidson_steps"));
  OK(PetscOptionsClearValue(NULL, "-decay_davidson_steps"));
  OK(PetscOptionsClearValue(NULL, "-gap_davidson_steps"));
  Model_Close(&model);
}

#define DECAYS                                                                                               \
  "title: decays one by one\ncomponents: {q: {kind: spins, size: 6}}\n"                                      \
  "arrays: {g: [1, 1.31, 1.73, 2.09, 2.57, 3.03]}\njumps: [{rate: \"g[l]\", each: \"q.sm[l]\"}]\noperator: " \
  "shell\n"                                                                                                  \
  "tasks: [decay: {of: q.Sz, count: 6}]\n"

/* Populations decay with sums of rates; the generator is triangular and far from normal. */
static const double sums[] = {0, 1, 1.31, 1.73, 2.09, 2.31, 2.57};
enum { NUM_SUMS = sizeof(sums) / sizeof(sums[0]) };

static PetscErrorCode between_jumps(void *context, PetscBool adjoint, PetscBool close, Vec r, Vec x)
{
  (void)close;
  return CospinNoJumpSolve((CospinNoJump)context, 1e-3, adjoint, r, x);
}

/* One eigenvalue after the other: each is the next one, none comes twice, Schur vectors are orthonormal and
   span what the matrix keeps. */
static void davidson_finds_one_eigenvalue_after_the_other(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD, DECAYS, 0);
  const int label[COSPIN_MAX_COORDINATES] = {0};
  CospinDavidsonOptions options = {.max_steps = 200, .basis = 30};
  CospinDavidson davidson;
  CospinNoJump nojump;
  CospinSector sector;
  Vec start, image, found[NUM_SUMS];

  (void)state;
  OK(CospinSectorCreate(&model.problem->system, model.problem->lattice, label, &sector));
  assert_int_equal(CospinSectorDimension(sector), 64);
  OK(CospinShellCreate(PETSC_COMM_WORLD, model.problem->generator, sector, &options.matrix));
  OK(CospinNoJumpCreate(options.matrix, &nojump));
  options.precondition = between_jumps;
  options.context = nojump;
  OK(MatNorm(options.matrix, NORM_INFINITY, &options.norm));
  OK(MatCreateVecs(options.matrix, &start, &image));
  OK(VecSetRandom(start, NULL));
  OK(CospinDavidsonCreate(&options, 0, NULL, &davidson));
  for (int k = 0; k < NUM_SUMS; k++) {
    PetscScalar lambda, overlaps[NUM_SUMS];
    PetscReal rest;
    PetscBool converged;
    double residual;
    OK(CospinDavidsonNext(davidson, start, 1e-12, 0.0, &lambda, &found[k], &residual, &converged));
    assert_true(converged);
    OK(CospinDavidsonLock(davidson, found[k]));
    if (!(PetscAbsScalar(lambda + sums[k]) < 1e-9))
      fail_msg("%.15g, not %g", PetscRealPart(lambda), -sums[k]);
    OK(VecMDot(found[k], k + 1, found, overlaps));
    for (int i = 0; i <= k; i++) assert_true(PetscAbsScalar(overlaps[i] - (i == k ? 1.0 : 0.0)) < 1e-10);
    OK(MatMult(options.matrix, found[k], image));
    OK(VecMDot(image, k + 1, found, overlaps));
    for (int i = 0; i <= k; i++) overlaps[i] = -overlaps[i];
    OK(VecMAXPY(image, k + 1, overlaps, found));
    OK(VecNorm(image, NORM_2, &rest));
    assert_true(rest < 1e-9);
  }
  for (int k = 0; k < NUM_SUMS; k++) OK(VecDestroy(&found[k]));
  OK(CospinDavidsonDestroy(&davidson));
  OK(VecDestroy(&start));
  OK(VecDestroy(&image));
  OK(CospinNoJumpDestroy(&nojump));
  OK(MatDestroy(&options.matrix));
  OK(CospinSectorDestroy(&sector));
  Model_Close(&model);
}

/* The same through the task: rates, and residuals of eigenvectors that are not Schur vectors. */
static void decays_are_found_one_after_the_other(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD, DECAYS, 0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  for (int k = 0; k + 1 < NUM_SUMS; k++) {
    const double rate = Answer_Get(&answer, "rate", k);
    if (!(fabs(rate - sums[k + 1]) < 1e-8)) fail_msg("rate %d is %.15g, not %g", k, rate, sums[k + 1]);
    assert_true(Answer_Get(&answer, "residual", k) < 1e-9);
  }
  Answer_Free(&answer);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_with_matrices_of_rates),
      cmocka_unit_test(products_of_pairs_of_spins_and_ensembles),
      cmocka_unit_test(a_deck_evolves_without_a_matrix),
      cmocka_unit_test(uniform_rates_give_an_ensemble_without_a_matrix),
      cmocka_unit_test(the_same_numbers_with_a_matrix),
      cmocka_unit_test(spectra_are_found_without_a_matrix),
      cmocka_unit_test(a_search_that_fails_is_an_outcome),
      cmocka_unit_test(davidson_finds_one_eigenvalue_after_the_other),
      cmocka_unit_test(decays_are_found_one_after_the_other),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  if (PetscOptionsSetValue(NULL, "-dense_limit", "0")) return 1; /* small sectors, and no LAPACK */
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
