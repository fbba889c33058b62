/*
   Eigenvectors by GMRES with incomplete factors (src/solver/backend_iteration.c) are those of factors, for a
   few products, and what iterations cannot tell is left to factors.
*/
#include "support_model.h"
#include <cospin/operator/cost.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

static void choose(const char iterate[])
{
  OK(PetscOptionsSetValue(NULL, "-dense_limit", "0"));
  OK(PetscOptionsSetValue(NULL, "-iterate", iterate));
}

/* A maser, an ensemble driven weakly and beyond its threshold, ensembles that decay together (a gap that
   oscillates; coherences without a negative element), a coherence that rotates. */
static const struct {
  const char *text;
  double products; /* of all tasks at most */
  PetscBool hard;  /* blocks of so few labels do not suffice */
} models[] = {
    {"title: maser\ncomponents: {s: {kind: ensemble, size: 4}, c: {kind: mode, cutoff: 12, edge: 1}}\n"
     "hamiltonian: [0.8*c.a*s.Sp + hc]\n"
     "jumps: [{rate: 2, each: s.sp}, {rate: 0.1, each: s.sm}, {rate: 0.25, each: s.sz}, {rate: 1.1, "
     "operator: c.a},\n"
     "  {rate: 0.1, operator: dag(c.a)}]\nobservables: {n: <c.n>}\n"
     "tasks: [steady: {}, decay: {of: c.a, count: 2}, gap: {}]\n",
     600, PETSC_FALSE},
    {"title: driven\ncomponents: {q: {kind: ensemble, size: 8}}\nhamiltonian: [0.5*q.Sx]\n"
     "jumps: [{rate: 0.25, operator: q.Sm}, {rate: 0.1, each: q.sm}, {rate: 0.0125, each: q.sz}]\n"
     "observables: {n: <q.Sz>}\ntasks: [steady: {}, decay: {of: q.Sp}, gap: {}]\n",
     900, PETSC_FALSE},
    {"title: driven strongly\ncomponents: {q: {kind: ensemble, size: 8}}\nhamiltonian: [2*q.Sx]\n"
     "jumps: [{rate: 0.25, operator: q.Sm}, {rate: 0.1, each: q.sm}, {rate: 0.0125, each: q.sz}]\n"
     "observables: {n: <q.Sz>}\ntasks: [steady: {}, decay: {of: q.Sp}, gap: {}]\n",
     8000, PETSC_TRUE},
    {"title: driven beside its line\ncomponents: {q: {kind: ensemble, size: 8}}\n"
     "hamiltonian: [1.5*q.Sx + 0.4*q.Sy - 0.6*q.Sz]\n"
     "jumps: [{rate: 0.25, operator: q.Sm}, {rate: 0.1, each: q.sm}, {rate: 0.03, each: q.sp}]\n"
     "observables: {n: <q.Sz>}\ntasks: [steady: {}, decay: {of: q.Sp}, gap: {}]\n",
     8000, PETSC_TRUE},
    {"title: two ensembles\ncomponents: {a: {kind: ensemble, size: 4}, b: {kind: ensemble, size: 4}}\n"
     "jumps: [{rate: 1, operator: a.Sm + b.Sm}, {rate: 2.4, each: a.sp}, {rate: 3.1, each: b.sp}]\n"
     "observables: {n: <a.Sz>}\ntasks: [steady: {}, decay: {of: a.Sp}, gap: {}]\n",
     800, PETSC_FALSE},
    {"title: detuned\ncomponents: {a: {kind: ensemble, size: 4}, b: {kind: ensemble, size: 3}}\n"
     "hamiltonian: [3*a.Sz + 3.2*b.Sz]\n"
     "jumps: [{rate: 1, operator: a.Sm + b.Sm}, {rate: 2.4, each: a.sp}, {rate: 3.1, each: b.sp}]\n"
     "observables: {n: <a.Sz>}\ntasks: [steady: {}, decay: {of: a.Sp}, gap: {}]\n",
     900, PETSC_FALSE},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]), NUM_TASKS = 3 };

static void assert_near(double value, double expected, double bound, const char title[], const char what[])
{
  if (isnan(value) && isnan(expected)) return;
  if (!(fabs(value - expected) <= bound))
    fail_msg("%.25s: %s is %.15g, not %.15g", title, what, value, expected);
}

static const struct {
  int task;
  const char *suffix;
  double tolerance;
} compared[] = {{0, "n", 1e-10},     {0, "degeneracy", 0}, {0, "next_rate", NAN}, {1, "rate", 1e-10},
                {1, "weight", 1e-8}, {2, "rate", 1e-10},   {1, "frequency", 1e-9}};

static void compare(const char title[], Answer iterated[], Answer factored[])
{
  for (size_t k = 0; k < sizeof(compared) / sizeof(compared[0]); k++) {
    const double value = Answer_Get(&iterated[compared[k].task], compared[k].suffix, 0),
                 expected = Answer_Get(&factored[compared[k].task], compared[k].suffix, 0);
    /* the eigenvalue next to zero is told to its order of magnitude */
    const double bound =
        isnan(compared[k].tolerance) ? expected : compared[k].tolerance * (1 + fabs(expected));
    assert_near(value, expected, bound, title, compared[k].suffix);
  }
}

/* Up to a hundred turns while a mode decays no slower one is missed, or it was left to factors. */
static void assert_seen_far(const char title[], Answer *answer)
{
  const double rate = Answer_Get(answer, "rate", 0), horizon = Answer_Get(answer, "horizon", 0);

  if (Answer_Get(answer, "factorisations", 0) == 0 && !(horizon >= 90 * rate))
    fail_msg("%.25s: horizon %g of rate %g", title, horizon, rate);
}

static void numbers_are_those_of_factors(void **state)
{
  PetscMPIInt ranks;

  (void)state;
  assert_int_equal(MPI_Comm_size(PETSC_COMM_WORLD, &ranks), MPI_SUCCESS);
  for (int k = 0; k < NUM_MODELS; k++) {
    Answer answers[2][NUM_TASKS];
    double products = 0.0, solves = 0.0;
    for (int iterate = 0; iterate < 2; iterate++) {
      Model model = Model_Open(PETSC_COMM_WORLD, models[k].text, 0);
      choose(iterate ? "true" : "false");
      for (int task = 0; task < NUM_TASKS; task++) {
        answers[iterate][task] = Model_Run(&model, task);
        if (answers[iterate][task].outcome != COSPIN_GOOD)
          fail_msg("%.25s: task %d ends as %d", models[k].text, task, (int)answers[iterate][task].outcome);
      }
      Model_Close(&model);
    }
    compare(models[k].text, answers[1], answers[0]);
    for (int task = 0; task < NUM_TASKS; task++) {
      products += Answer_Get(&answers[1][task], "products", 0);
      solves += Answer_Get(&answers[0][task], "solves", 0);
      if (task == 0 && !(models[k].hard && ranks > 1))
        assert_true(Answer_Get(&answers[1][task], "factorisations", 0) == 0);
      if (task > 0) assert_seen_far(models[k].text, &answers[1][task]);
      assert_true(Answer_Get(&answers[0][task], "products", 0) == 0);
    }
    if (products > ranks * models[k].products && !models[k].hard)
      fail_msg("%.25s: %g products", models[k].text, products);
    assert_true(products > 0 && solves > 0);
    for (int iterate = 0; iterate < 2; iterate++)
      for (int task = 0; task < NUM_TASKS; task++) Answer_Free(&answers[iterate][task]);
  }
}

/* What is left of a residual counts in the errors that are told. */
static void residuals_are_rounding(void **state)
{
  (void)state;
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = Model_Open(PETSC_COMM_WORLD, models[k].text, 0);
    choose("true");
    for (int task = 0; task < NUM_TASKS; task++) {
      Answer answer = Model_Run(&model, task);
      assert_near(Answer_Get(&answer, "residual", 0), 0.0, 1e-12, models[k].text, "residual");
      Answer_Free(&answer);
    }
    Model_Close(&model);
  }
}

static Model open_maser(void)
{
  return Model_Open(
      PETSC_COMM_WORLD,
      "title: maser\ncomponents: {s: {kind: ensemble, size: 4}, c: {kind: mode}}\n"
      "hamiltonian: [0.8*c.a*s.Sp + hc]\n"
      "jumps: [{rate: 2, each: s.sp}, {rate: 0.1, each: s.sm}, {rate: 0.25, each: s.sz}, {rate: 1.1, "
      "operator: c.a},\n"
      "  {rate: 0.1, operator: dag(c.a)}]\nobservables: {n: <c.n>}\ntasks: [steady: {}]\n",
      0);
}

/* Windows that leak are seen by a rough state, and larger ones begin with it: 56 products, 90 if each window
   has a steady state of its own. */
static void windows_begin_with_smaller_ones(void **state)
{
  Answer answers[2];
  PetscMPIInt ranks;

  (void)state;
  assert_int_equal(MPI_Comm_size(PETSC_COMM_WORLD, &ranks), MPI_SUCCESS);
  for (int iterate = 0; iterate < 2; iterate++) {
    Model model = open_maser();
    choose(iterate ? "true" : "false");
    answers[iterate] = Model_Run(&model, 0);
    assert_int_equal(answers[iterate].outcome, COSPIN_GOOD);
    assert_true(Answer_Get(&answers[iterate], "leak", 0) <= 1e-8);
    Model_Close(&model);
  }
  assert_near(Answer_Get(&answers[1], "n", 0), Answer_Get(&answers[0], "n", 0), 1e-10, "open", "n");
  assert_true(Answer_Get(&answers[1], "dimension", 0) == Answer_Get(&answers[0], "dimension", 0));
  assert_true(Answer_Get(&answers[1], "factorisations", 0) == 0);
  if (ranks == 1) assert_true(Answer_Get(&answers[1], "products", 0) <= 70);
  Answer_Free(&answers[0]);
  Answer_Free(&answers[1]);
}

/* Where windows cannot grow there is a steady state all the same, not a draft of one, and the outcome tells.
 */
static void a_draft_is_no_answer(void **state)
{
  Model model = open_maser();
  Answer answer;

  (void)state;
  choose("true");
  model.point->problem->bytes = 1e6;
  answer = Model_Run(&model, 0);
  assert_int_equal(answer.outcome, COSPIN_WINDOW_LIMIT);
  assert_true(Answer_Get(&answer, "leak", 0) > 1e-7);
  assert_true(Answer_Get(&answer, "degeneracy", 0) == 1);
  assert_near(Answer_Get(&answer, "residual", 0), 0.0, 1e-13, "limited", "residual");
  Answer_Free(&answer);
  Model_Close(&model);
}

/* Several steady states, or one that is nearly another one: factors are made, and the count is theirs. */
static void what_is_degenerate_is_left_to_factors(void **state)
{
  static const char *const texts[] = {
      "title: hidden\ncomponents: {a: {kind: spin, S: 1/2}, b: {kind: spin, S: 1/2}}\n"
      "hamiltonian: [0.7*a.Sx + 0.7*b.Sx]\njumps: [{rate: 1, operator: a.Sm + b.Sm}]\n"
      "observables: {n: <a.Sz>}\ntasks: [steady: {}]\n",
      "title: nearly\ncomponents: {q: {kind: ensemble, size: 6}}\nhamiltonian: [0.7*q.Sx]\n"
      "jumps: [{rate: 1, operator: q.Sm}, {rate: 1e-7, each: q.sz}]\nobservables: {n: <q.Sz>}\n"
      "tasks: [steady: {}]\n"};
  static const double degeneracies[] = {2, 1};

  (void)state;
  for (int k = 0; k < 2; k++) {
    Model model = Model_Open(PETSC_COMM_WORLD, texts[k], 0);
    Answer answer;
    choose("true");
    answer = Model_Run(&model, 0);
    assert_true(Answer_Get(&answer, "degeneracy", 0) == degeneracies[k]);
    assert_true(Answer_Get(&answer, "factorisations", 0) > 0);
    assert_int_equal(answer.outcome, k == 0 ? COSPIN_DEGENERATE : COSPIN_GOOD);
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* The one of several that is reached from a state: factors go on, with left null vectors, where iterations
   have begun. From the state whose every spin is down only the triplet is. */
static void what_is_reached_is_left_to_factors(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: hidden\ncomponents: {a: {kind: spin, S: 1/2}, b: {kind: spin, S: 1/2}}\n"
                           "hamiltonian: [0.7*a.Sx + 0.7*b.Sx]\njumps: [{rate: 1, operator: a.Sm + b.Sm}]\n"
                           "observables: {n: <a.Sz>, together: <a.Sx*b.Sx> + <a.Sy*b.Sy> + <a.Sz*b.Sz>}\n"
                           "tasks: [steady: {initial: {a: ground, b: ground}}]\n",
                           0);
  Answer answer;

  (void)state;
  choose("true");
  answer = Model_Run(&model, 0);
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_true(Answer_Get(&answer, "degeneracy", 0) == 2);
  assert_near(Answer_Get(&answer, "together", 0), 0.25, 1e-10, "hidden", "together");
  Answer_Free(&answer);
  Model_Close(&model);
}

/* Seconds choose, not memory alone: a maser of 20 spins (96580 labels, 15 moves) is for iterations, one of
   five and labels in a plane are for factors; where these have no room only iterations are left, if they
   have. Rows of many spins one by one are not for iterations. */
static void seconds_choose(void **state)
{
  const double large = 64e9, small = 1e9, tiny = 1e8;

  (void)state;
  /* an ensemble of 100 spins that is driven: 5 s instead of 22; of 40: a second, and factors see more */
  assert_true(CospinCostIterate(176851, 3, 11, CospinCostOfPlanes(176851, 11), large));
  assert_false(CospinCostIterate(12341, 3, 11, CospinCostOfPlanes(12341, 11), large));
  assert_true(CospinCostIterate(96580, 4, 15, CospinCostOfIncomplete(96580, 4, 15), large));
  assert_false(CospinCostIterate(1000, 4, 15, CospinCostOfIncomplete(1000, 4, 15), large));
  assert_false(CospinCostIterate(251001, 2, 9, CospinCostOfIncomplete(251001, 2, 9), large));
  assert_false(CospinCostIterate(2e6, 4, 200, CospinCostOfIncomplete(2e6, 4, 200), large));
  /* an ensemble of 100 spins that is driven: 5 s instead of 22; of 40: a second, and factors see more */
  assert_true(CospinCostIterate(176851, 3, 11, CospinCostOfPlanes(176851, 11), large));
  assert_false(CospinCostIterate(12341, 3, 11, CospinCostOfPlanes(12341, 11), large));
  assert_true(CospinCostIterate(96580, 4, 15, CospinCostOfIncomplete(96580, 4, 15), small));
  assert_false(CospinCostIterate(96580, 4, 15, CospinCostOfIncomplete(96580, 4, 15), tiny));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_those_of_factors),
      cmocka_unit_test(residuals_are_rounding),
      cmocka_unit_test(windows_begin_with_smaller_ones),
      cmocka_unit_test(a_draft_is_no_answer),
      cmocka_unit_test(what_is_degenerate_is_left_to_factors),
      cmocka_unit_test(what_is_reached_is_left_to_factors),
      cmocka_unit_test(seconds_choose),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
