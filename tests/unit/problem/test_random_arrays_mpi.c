/* Random arrays, and what follows from them, do not depend on how many ranks there are. */
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

#define OK(call) assert_int_equal(call, 0)

enum { SIZE = 4, NUM_ARRAYS = 3, NUM_TIMES = 3 };

static const char deck[] =
    "title: random arrays\nparameters: {seed: 11}\ngrid: {seed: [11, 12]}\n"
    "components: {q: {kind: spins, size: 4}}\n"
    "arrays:\n  n: {normal: {mean: 1, std: 0.5, seed: seed}}\n  u: {uniform: {min: 0.2, max: 2, seed: seed + "
    "100}}\n"
    "  c: {lorentzian: {centre: 0, width: 0.3, seed: 5}}\n"
    "hamiltonian: [{sum: \"c[l]/2*q.sz[l]\"}, {sum: \"0.1*n[l]*n[m]*q.sp[l]*q.sm[m]\"}]\n"
    "jumps: [{rate: \"u[l]\", each: q.sp}, {rate: \"n[l]^2\", each: q.sm}, {rate: 0.5, operator: q.Sm}]\n"
    "observables: {z: \"<q.sz[0]>\", s: <q.Sp*q.Sm>, y: \"<q.sp[1]*q.sm[3]>\"}\n"
    "tasks: [steady: {}, decay: {of: q.Sm}, evolve: {initial: {q: {css: [1, 0.4]}}, times: [0.1, 1, 4]}]\n";

static void every_rank_draws_the_same_numbers(void **state)
{
  (void)state;
  for (int point = 0; point < 2; point++) {
    Model alone = Model_Open(PETSC_COMM_SELF, deck, point),
          together = Model_Open(PETSC_COMM_WORLD, deck, point);
    for (int k = 0; k < NUM_ARRAYS; k++) {
      const double complex *mine = together.problem->arrays[k].values;
      double complex first[SIZE];
      assert_int_equal(together.problem->arrays[k].size, SIZE);
      assert_memory_equal(mine, alone.problem->arrays[k].values, sizeof(first));
      memcpy(first, mine, sizeof(first));
      OK(MPI_Bcast(first, SIZE, MPI_C_DOUBLE_COMPLEX, 0, PETSC_COMM_WORLD));
      assert_memory_equal(mine, first, sizeof(first));
      for (int l = 1; l < SIZE; l++) assert_true(mine[l] != mine[0]);
    }
    Model_Close(&alone);
    Model_Close(&together);
  }
}

static void assert_same(const Answer *a, const Answer *b, const char name[], int k, double bound)
{
  const double x = Answer_Get(a, name, k), y = Answer_Get(b, name, k);

  if (!(fabs(x - y) <= bound)) fail_msg("%s: %.15g alone, %.15g together", name, x, y);
}

/* Rates of a generator that is not normal: their condition is some hundred. */
static void results_are_those_of_one_rank(void **state)
{
  static const char *const names[] = {"z", "s", "y_re", "y_im"};

  (void)state;
  for (int point = 0; point < 2; point++) {
    Model alone = Model_Open(PETSC_COMM_SELF, deck, point),
          together = Model_Open(PETSC_COMM_WORLD, deck, point);
    for (int task = 0; task < 3; task++) {
      Answer a = Model_Run(&alone, task), b = Model_Run(&together, task);
      assert_int_equal(a.outcome, COSPIN_GOOD);
      assert_int_equal(b.outcome, COSPIN_GOOD);
      if (task == 1) {
        assert_same(&a, &b, "rate", 0, 1e-10);
        assert_same(&a, &b, "frequency", 0, 1e-10);
      }
      for (int k = 0; task != 1 && k < (task == 2 ? NUM_TIMES : 1); k++) {
        for (int o = 0; o < 4; o++) assert_same(&a, &b, names[o], k, 1e-9);
      }
      Answer_Free(&a);
      Answer_Free(&b);
    }
    Model_Close(&alone);
    Model_Close(&together);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_rank_draws_the_same_numbers),
      cmocka_unit_test(results_are_those_of_one_rank),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
