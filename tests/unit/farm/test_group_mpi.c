/* Ranks of a group leave a step together, whoever of them has failed. */
#include <farm/group.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

static void one_group(CospinGroup *group)
{
  PetscMPIInt size;

  OK(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  OK(CospinGroupCreate(PETSC_COMM_WORLD, (CospinSplit){1, size}, group));
}

/* The group's communicator still works. */
static void can_count(const CospinGroup *group)
{
  int ranks = 1;

  OK(MPI_Allreduce(MPI_IN_PLACE, &ranks, 1, MPI_INT, MPI_SUM, group->comm));
  assert_int_equal(ranks, group->size);
}

static void a_step_that_nobody_fails_is_done(void **state)
{
  CospinGroup group;
  CospinStepEnd end;

  (void)state;
  one_group(&group);
  OK(CospinGroupAgree(&group, 0, 0.0, &end));
  assert_int_equal(end, COSPIN_STEP_DONE);
  can_count(&group);
  OK(CospinGroupDestroy(&group));
}

static void a_step_that_all_fail_has_failed(void **state)
{
  CospinGroup group;
  CospinStepEnd end;

  (void)state;
  one_group(&group);
  OK(CospinGroupAgree(&group, PETSC_ERR_MEM, 0.0, &end));
  assert_int_equal(end, COSPIN_STEP_FAILED);
  can_count(&group);
  OK(CospinGroupDestroy(&group));
}

/* An object of the old communicator is still there, as after a task that was left in the middle. */
static void a_step_that_one_fails_is_left_by_all(void **state)
{
  CospinGroup group;
  CospinStepEnd end;
  Vec left;

  (void)state;
  one_group(&group);
  OK(VecCreateMPI(group.comm, 3, PETSC_DETERMINE, &left));
  OK(CospinGroupAgree(&group, group.rank == group.size - 1 ? PETSC_ERR_MEM : 0, 0.0, &end));
  assert_int_equal(end, group.size == 1 ? COSPIN_STEP_FAILED : COSPIN_STEP_ABANDONED);
  can_count(&group);
  OK(VecDestroy(&left));
  can_count(&group);
  OK(CospinGroupDestroy(&group));
}

/* The first rank is elsewhere until the others have given up; ranks may be late by as much as a step has
 * taken, so a negative time shortens the wait. */
static void who_is_not_answered_does_not_wait_for_ever(void **state)
{
  CospinGroup group;
  CospinStepEnd end;

  (void)state;
  one_group(&group);
  if (group.rank != 0) {
    OK(CospinGroupAgree(&group, PETSC_ERR_MEM, -9.9, &end));
    assert_int_equal(end, COSPIN_STEP_LOST);
  }
  OK(MPI_Barrier(PETSC_COMM_WORLD));
  if (group.rank == 0) {
    OK(CospinGroupAgree(&group, PETSC_ERR_MEM, 0.0, &end));
    assert_int_equal(end, COSPIN_STEP_FAILED);
  }
  OK(CospinGroupDestroy(&group));
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_that_nobody_fails_is_done),
      cmocka_unit_test(a_step_that_all_fail_has_failed),
      cmocka_unit_test(a_step_that_one_fails_is_left_by_all),
      cmocka_unit_test(who_is_not_answered_does_not_wait_for_ever),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
