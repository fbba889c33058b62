/* What ranks decide together they decide by one number, whatever each of them knows of the machine. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "support_model.h"
#include <cospin/farm/estimate.h>
#include <cospin/farm/machine.h>
#include <cospin/operator/cost.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* The ranks of this test are on one node: its least memory, divided by them. */
static void share_of_the_least(void **state)
{
  PetscMPIInt rank, size;
  double share;

  (void)state;
  OK(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  OK(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  OK(setenv("COSPIN_MEMORY", rank == size - 1 ? "3M" : "20G", 1));
  OK(CospinMachineShare(PETSC_COMM_WORLD, &share));
  assert_true(share == 3.0 * 1048576 / size);
  OK(CospinMachineShare(PETSC_COMM_SELF, &share));
  assert_true(share == (rank == size - 1 ? 3.0 * 1048576 : 20.0 * 1024 * 1048576));
  OK(unsetenv("COSPIN_MEMORY"));
}

static const char deck[] = "title: a mode with a window\n"
                           "components: {c: {kind: mode}, q: {kind: spin, S: 1/2}}\n"
                           "parameters: {g: 1}\n"
                           "hamiltonian: [c.a*q.Sp + hc]\n"
                           "jumps: [{name: loss, rate: g, operator: c.a}]\n"
                           "tasks: [steady: {}]\n";

/* A problem made from another one is solved by the same ranks. */
static void memory_is_handed_on(void **state)
{
  const int windows[2] = {17, 0};
  const double bytes = 12345678.0;
  Model model = Model_Open(PETSC_COMM_WORLD, deck, 0);
  const CospinVaried varied = {.parameter = 0, .value = 2.0};
  CospinProblem others[3];
  PetscBool ok;

  (void)state;
  assert_true(model.problem->bytes == PETSC_INFINITY);
  model.problem->bytes = bytes;
  OK(CospinProblemCreateWindowed(model.problem, windows, NULL, &others[0], &ok));
  OK(CospinProblemCreateVaried(model.problem, &varied, NULL, &others[1], &ok));
  OK(CospinProblemCreateCounted(model.problem, "loss", 1.0, 3, &others[2]));
  for (int k = 0; k < 3; k++) {
    assert_true(others[k]->bytes == bytes);
    OK(CospinProblemDestroy(&others[k]));
  }
  Model_Close(&model);
}

/* Memory decides: factors where they fit, iteration in less. The environment has no say. */
static void methods_follow_the_number(void **state)
{
  const double n = 1e6, enough = CospinCostToFactorise(n, 2);

  (void)state;
  OK(setenv("COSPIN_MEMORY", "1k", 1));
  assert_true(CospinCostFactorise(n, 2, 1.01 * enough));
  assert_false(CospinCostFactorise(n, 2, 0.99 * enough));
  assert_int_equal(CospinCostBasis(n, PETSC_INFINITY), 30);
  assert_int_equal(CospinCostBasis(n, 1e6), 6);
  OK(unsetenv("COSPIN_MEMORY"));
}

/* A point gets the ranks whose memory lets it be solved as estimated, no more for points are plenty. */
static void split_by_memory(void **state)
{
  const CospinPointEstimate small = {.bytes = 1e8, .dimension = 1e6},
                            large = {.bytes = 3e9, .dimension = 1e6},
                            wanting = {.bytes = 1e9, .wanted_bytes = 3e9, .dimension = 1e6};

  (void)state;
  assert_int_equal(CospinEstimateSplit(&small, 100, 8, 2e9).groups, 8);
  assert_int_equal(CospinEstimateSplit(&large, 100, 8, 2e9).groups, 4);
  assert_int_equal(CospinEstimateSplit(&wanting, 100, 8, 2e9).groups, 4);
}

/* More ranks are never slower and never as many times faster; two of them as the masers that were measured.
 */
static void ranks_share_most_of_the_work(void **state)
{
  const CospinPointEstimate small = {.dimension = 9}, large = {.dimension = 1e6};

  (void)state;
  assert_true(CospinEstimateOnRanks(5.0, 1) == 5.0);
  assert_true(fabs(CospinEstimateOnRanks(1.0, 2) - 0.645) < 0.03);
  for (int ranks = 1; ranks < 1000; ranks *= 2) {
    assert_true(CospinEstimateOnRanks(1.0, 2 * ranks) < CospinEstimateOnRanks(1.0, ranks));
    assert_true(CospinEstimateOnRanks(1.0, 2 * ranks) > 1.0 / (2 * ranks));
  }
  assert_int_equal(CospinEstimateFed(&small, 64), 1);
  assert_int_equal(CospinEstimateFed(&large, 64), 64);
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(share_of_the_least),           cmocka_unit_test(memory_is_handed_on),
      cmocka_unit_test(methods_follow_the_number),    cmocka_unit_test(split_by_memory),
      cmocka_unit_test(ranks_share_most_of_the_work),
  };
  int status;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  status = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) status = 1;
  return status;
}
