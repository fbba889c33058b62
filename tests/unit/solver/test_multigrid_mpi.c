/* Multigrid against factors: the same states and slowest modes of planes, and where it leaves the work to
 * them. */
#include "support_model.h"
#include <cospin/tasks/tables.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* Ions that are repumped (Shankar et al., PRA 95, 033423 (2017), Eq. (23)), with noise of their own. */
static Model ions(int size, double share, double noise, const char tasks[])
{
  char text[1024];

  snprintf(text, sizeof(text),
           "title: ions\nparameters: {N: %d, w: %g*N, g: %g}\ncomponents: {ions: {kind: ensemble, size: N}}\n"
           "jumps: [{rate: 1.2, operator: ions.Sm}, {rate: .2, operator: ions.Sp}, {rate: w, each: ions.sp}, "
           "{rate: g, each: ions.sm}, {rate: g/4, each: ions.sz}]\n"
           "observables: {inversion: 2*<ions.Sz>/N, pairs: <ions.Sp*ions.Sm>}\ntasks: [%s]\n",
           size, share, noise, tasks);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

static void assert_near(double value, double expected, double relative, const char what[])
{
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%s: %.15g, not %.15g", what, value, expected);
}

static Answer run(const Model *model, int task, PetscBool multigrid)
{
  OK(PetscOptionsSetValue(NULL, "-multigrid_least", multigrid ? "0" : "1e18"));
  return Model_Run(model, task);
}

static void compare(Model model[2], int task, const char *const names[], double relative)
{
  Answer grids = run(&model[0], task, PETSC_TRUE), factors = run(&model[1], task, PETSC_FALSE);

  assert_int_equal(grids.outcome, COSPIN_GOOD);
  assert_int_equal(factors.outcome, COSPIN_GOOD);
  for (int k = 0; names[k]; k++)
    assert_near(Answer_Get(&grids, names[k], 0), Answer_Get(&factors, names[k], 0), relative, names[k]);
  assert_true(Answer_Get(&grids, "residual", 0) <= 1e-13);
  Answer_Free(&grids);
  Answer_Free(&factors);
}

/* Between the thresholds and next to them, all labels and windows of them. */
static void planes_have_the_same_numbers(void **state)
{
  static const char *const of_steady[] = {"inversion", "pairs", NULL}, *const of_decay[] = {"rate", "weight",
                                                                                            NULL};
  static const struct {
    double share, noise;
    PetscBool window;
  } cases[] = {{.5, 0, PETSC_FALSE}, {.5, .3, PETSC_TRUE}, {.05, 0, PETSC_TRUE}, {.9, 0, PETSC_TRUE}};

  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model model[2];
    for (int m = 0; m < 2; m++) {
      model[m] = ions(160, cases[k].share, cases[k].noise, "steady: {}, decay: {of: ions.Sp}");
      if (cases[k].window) OK(CospinTasksFitWindow(model[m].problem));
    }
    compare(model, 0, of_steady, 1e-11);
    compare(model, 1, of_decay, 1e-9);
    for (int m = 0; m < 2; m++) Model_Close(&model[m]);
  }
}

/* Two grids alone find what three do, and nothing of it is left to factors: next to the lower threshold, too,
   where sweeps on the coarsest but one grow without bound. */
static void two_grids_are_as_good_as_three(void **state)
{
  static const double shares[] = {.02, .5};

  (void)state;
  for (int k = 0; k < 2; k++) {
    double inversions[2];
    for (int levels = 2; levels <= 3; levels++) {
      Model model = ions(300, shares[k], 0, "steady: {}");
      Answer grids;
      OK(PetscOptionsSetValue(NULL, "-multigrid_levels", levels == 2 ? "2" : "3"));
      grids = run(&model, 0, PETSC_TRUE);
      assert_int_equal(grids.outcome, COSPIN_GOOD);
      assert_true(Answer_Get(&grids, "factorisations", 0) == 0);
      assert_true(Answer_Get(&grids, "residual", 0) <= 1e-13);
      inversions[levels - 2] = Answer_Get(&grids, "inversion", 0);
      Answer_Free(&grids);
      Model_Close(&model);
    }
    assert_near(inversions[0], inversions[1], 1e-11, "inversion");
  }
}

/* An eigenvalue lies in its bracket, whatever found it. */
static void brackets_hold(void **state)
{
  Model model = ions(240, .7, 0, "steady: {}, decay: {of: ions.Sp}");
  Answer grids;
  double rate;

  (void)state;
  OK(CospinTasksFitWindow(model.problem));
  grids = run(&model, 1, PETSC_TRUE);
  rate = Answer_Get(&grids, "rate", 0);
  assert_true(Answer_Get(&grids, "lower", 0) <= rate && rate <= Answer_Get(&grids, "upper", 0));
  assert_true(Answer_Get(&grids, "upper", 0) - Answer_Get(&grids, "lower", 0) <= .1 * rate);
  assert_true(Answer_Get(&grids, "error", 0) > 0 && Answer_Get(&grids, "error", 0) <= 1e-6 * rate);
  Answer_Free(&grids);
  Model_Close(&model);
}

/* Several modes, and modes beside the steady state, are the factors' work. */
static void the_rest_is_left_to_factors(void **state)
{
  Model model = ions(60, .5, 0, "decay: {of: ions.Sp, count: 3}, gap: {}");
  const char *const of[] = {"rate", NULL};

  (void)state;
  for (int task = 0; task < 2; task++) {
    Answer grids = run(&model, task, PETSC_TRUE), factors = run(&model, task, PETSC_FALSE);
    assert_int_equal(grids.outcome, COSPIN_GOOD);
    for (int k = 0; k < (task ? 1 : 3); k++)
      assert_near(Answer_Get(&grids, of[0], k), Answer_Get(&factors, of[0], k), 1e-8, "rate");
    Answer_Free(&grids);
    Answer_Free(&factors);
  }
  Model_Close(&model);
}

/* Two dark states do not decay into each other: local loss that nothing undoes has one, a dephased ensemble
 * many. */
static void several_steady_states_are_counted(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: dephased\ncomponents: {ions: {kind: ensemble, size: 40}}\n"
                           "jumps: [{rate: 1, operator: ions.Sm}]\ntasks: [steady: {}]\n",
                           0);
  Answer grids = run(&model, 0, PETSC_TRUE);

  (void)state;
  assert_int_equal(grids.outcome, COSPIN_DEGENERATE);
  assert_true(Answer_Get(&grids, "degeneracy", 0) == 21); /* one of each j */
  Answer_Free(&grids);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planes_have_the_same_numbers), cmocka_unit_test(two_grids_are_as_good_as_three),
      cmocka_unit_test(brackets_hold), cmocka_unit_test(the_rest_is_left_to_factors),
      cmocka_unit_test(several_steady_states_are_counted)};
  int failures;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  OK(PetscOptionsSetValue(NULL, "-window_least", "0"));
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() || failures;
}
