/* Windows of the labels of an ensemble: the numbers of all labels, and what happens where a window is too
 * small. */
#include "support_model.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>
#include <cospin/problem/census.h>
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

/* Ions that are repumped at w = share * N Gc: Shankar et al., PRA 95, 033423 (2017), Eq. (23). */
static Model ions(int size, double share, const char tasks[])
{
  char text[1024];

  snprintf(text, sizeof(text),
           "title: ions\nparameters: {N: %d, w: %g*N}\ncomponents: {ions: {kind: ensemble, size: N}}\n"
           "jumps: [{name: light, rate: 1.2, operator: ions.Sm}, {rate: .2, operator: ions.Sp}, "
           "{rate: w, each: ions.sp}]\n"
           "observables: {inversion: 2*<ions.Sz>/N, pairs: <ions.Sp*ions.Sm>}\ntasks: [%s]\n",
           size, share, tasks);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

static void assert_near(double value, double expected, double relative, const char what[])
{
  if (!(fabs(value - expected) <= relative * fabs(expected)))
    fail_msg("%s: %.15g, not %.15g", what, value, expected);
}

/* Both of a windowed point and of a whole one. */
static void compare(const Model *small, const Model *whole, int task, const char *const names[],
                    double relative)
{
  Answer a = Model_Run(small, task), b = Model_Run(whole, task);

  assert_int_equal(a.outcome, COSPIN_GOOD);
  assert_int_equal(b.outcome, COSPIN_GOOD);
  for (int k = 0; names[k]; k++)
    assert_near(Answer_Get(&a, names[k], 0), Answer_Get(&b, names[k], 0), relative, names[k]);
  assert_true(Answer_Get(&b, "leak", 0) == 0);
  assert_true(Answer_Get(&a, "dimension", 0) <= Answer_Get(&b, "dimension", 0));
  Answer_Free(&a);
  Answer_Free(&b);
}

static const char all_tasks[] = "steady: {}, decay: {of: ions.Sp}, gap: {}, counting: {jump: light}, "
                                "spectrum: {of: ions.Sm, frequencies: [0, 5]}";
static const char *const of_steady[] = {"inversion", "pairs", NULL},
                         *const of_decay[] = {"rate", "weight", NULL}, *const of_gap[] = {"rate", NULL},
                         *const of_counting[] = {"mean", "fano", NULL};

/* A window is found where it saves labels; what is read does not change. */
static void what_is_left_out_does_not_matter(void **state)
{
  static const struct {
    int size;
    double share;
  } cases[] = {{100, .9}, {200, .5}, {200, .98}, {240, .05}};

  (void)state;
  for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
    Model small = ions(cases[k].size, cases[k].share, all_tasks),
          whole = ions(cases[k].size, cases[k].share, all_tasks);
    OK(CospinTasksFitWindow(small.problem));
    assert_non_null(small.problem->system.window);
    compare(&small, &whole, 0, of_steady, 1e-11);
    compare(&small, &whole, 1, of_decay, 1e-9);
    if (k == 0) compare(&small, &whole, 2, of_gap, 1e-9);
    if (k == 0) compare(&small, &whole, 3, of_counting, 1e-8);
    Model_Close(&small);
    Model_Close(&whole);
  }
}

/* Next to the lower threshold tails are long, a coarse grid makes them longer, and most labels are none of
   the state's all the same. */
static void long_tails_leave_most_labels_out(void **state)
{
  CospinCount whole, kept;
  int num, *sectors;
  Model model = ions(3000, .02, "steady: {}");

  (void)state;
  OK(CospinTaskSteadySectors(model.problem, &num, &sectors));
  OK(CospinCensusOfSector(&model.problem->system, model.problem->lattice, sectors, &whole));
  OK(CospinTasksFitWindow(model.problem));
  assert_non_null(model.problem->system.window);
  OK(CospinCensusOfSector(&model.problem->system, model.problem->lattice, sectors, &kept));
  assert_true(kept.labels < .3 * whole.labels);
  OK(PetscFree(sectors));
  Model_Close(&model);
}

/* Around the labels where the state is, but too near: a residual inside would not see it. */
static void a_window_that_is_too_small_grows(void **state)
{
  const CospinInterval narrow[] = {{4, 12}, {66, 84}, {-COSPIN_NO_LIMIT, COSPIN_NO_LIMIT}};

  (void)state;
  for (int task = 0; task < 2; task++) {
    Model small = ions(100, .5, all_tasks), whole = ions(100, .5, all_tasks);
    OK(CospinProblemSetWindow(small.problem, 3, narrow));
    compare(&small, &whole, task, task ? of_decay : of_steady, 1e-9);
    Model_Close(&small);
    Model_Close(&whole);
  }
}

/* The same where memory does not let it grow. */
static void one_that_cannot_grow_is_told(void **state)
{
  const CospinInterval narrow[] = {{4, 12}, {66, 84}, {-COSPIN_NO_LIMIT, COSPIN_NO_LIMIT}};

  (void)state;
  for (int task = 0; task < 2; task++) {
    Model model = ions(100, .5, "steady: {}, decay: {of: ions.Sp}");
    Answer answer;
    OK(CospinProblemSetWindow(model.problem, 3, narrow));
    model.problem->bytes = 2e6;
    answer = Model_Run(&model, task);
    assert_int_equal(answer.outcome, COSPIN_WINDOW_LIMIT);
    assert_true(Answer_Get(&answer, "leak", 0) > 1e-14);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* The trace is a left null vector in any window, or a state that leaks a little would have no null vector. */
static void no_trace_is_lost(void **state)
{
  Model model = ions(40, .5, "steady: {}");
  const CospinInterval narrow[] = {{3, 9}, {20, 30}, {-COSPIN_NO_LIMIT, COSPIN_NO_LIMIT}};
  int num, *sectors;
  CospinSector sector;
  PetscReal norm, lost;
  Mat generator;
  Vec trace, image;

  (void)state;
  OK(CospinProblemSetWindow(model.problem, 3, narrow));
  OK(CospinTasksFitWindow(model.problem)); /* too small for a window: this one stays */
  OK(CospinTaskKindOf(&model.deck->tasks[0])->Sectors(model.problem, &model.deck->tasks[0], &num, &sectors));
  OK(CospinSectorCreate(&model.problem->system, model.problem->lattice, sectors, &sector));
  assert_int_equal(CospinSectorDimension(sector), 7 * 11);
  OK(CospinLiouvillianCreate(PETSC_COMM_WORLD, model.problem->generator, sector, &generator));
  OK(MatCreateVecs(generator, &trace, &image));
  OK(VecSet(trace, 1.0)); /* all of the sector are populations */
  OK(MatMultTranspose(generator, trace, image));
  OK(MatNorm(generator, NORM_INFINITY, &norm));
  OK(VecNorm(image, NORM_INFINITY, &lost));
  assert_true(lost <= 1e-14 * norm);
  OK(VecDestroy(&trace));
  OK(VecDestroy(&image));
  OK(MatDestroy(&generator));
  OK(CospinSectorDestroy(&sector));
  OK(PetscFree(sectors));
  Model_Close(&model);
}

static void assert_whole(Model model)
{
  OK(CospinTasksFitWindow(model.problem));
  assert_null(model.problem->system.window);
  Model_Close(&model);
}

/* An initial state may lie anywhere, and so may what becomes of it; labels that turn are no Markov chain. */
static void nothing_is_left_out_where_it_may_matter(void **state)
{
  (void)state;
  assert_whole(ions(200, .98, "steady: {}, evolve: {times: [1], initial: {ions: {css: [1, 0]}}}"));
  assert_whole(ions(200, .98, "steady: {}, decay: {of: ions.Sp, initial: {ions: {css: [1, 0]}}}"));
  assert_whole(
      Model_Open(PETSC_COMM_WORLD,
                 "title: driven\ncomponents: {ions: {kind: ensemble, size: 30}}\n"
                 "hamiltonian: [ions.Sx]\njumps: [{rate: 1, operator: ions.Sm}, {rate: 1, each: ions.sz}]\n"
                 "tasks: [steady: {}]\n",
                 0));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(long_tails_leave_most_labels_out),
      cmocka_unit_test(what_is_left_out_does_not_matter),
      cmocka_unit_test(a_window_that_is_too_small_grows),
      cmocka_unit_test(one_that_cannot_grow_is_told),
      cmocka_unit_test(no_trace_is_lost),
      cmocka_unit_test(nothing_is_left_out_where_it_may_matter),
  };
  int failures;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  OK(PetscOptionsSetValue(NULL, "-window_least", "2000"));
  failures = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() || failures;
}
