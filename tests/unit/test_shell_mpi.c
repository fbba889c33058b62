/*
   Products without a matrix (MatShell) are those of the assembled one, on larger models than
   test_components_mpi.c has: matrices of rates, jumps of pairs of spins, dephasing that is correlated,
   ensembles beside other things.
*/
#include "support_conformance.h"
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
    "title: a model\ncomponents: {A: {kind: ensemble, size: 5}, u: {kind: mode, cutoff: 5}}\n"
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

static void Products_With_Matrices_Of_Rates(void **state)
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

static void Products_Of_Pairs_Of_Spins_And_Ensembles(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(models) / sizeof(models[0]); k++) check(models[k]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Products_With_Matrices_Of_Rates),
      cmocka_unit_test(Products_Of_Pairs_Of_Spins_And_Ensembles),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
