/*
   Expansions through their tasks, on one rank and on several: numbers of sectors that are solved exactly
   elsewhere, in each of the three precisions, and problems that have none.
*/
#include "../support_model.h"
#include <cospin/solver/expansion.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

static const char ions[] = "title: t\nparameters: {N: %s}\ncomponents: {q: {kind: ensemble, size: N}}\n"
                           "jumps: [{rate: 1, operator: q.Sm, name: light}, {rate: N/2, each: q.sp}]\n"
                           "operator: expansion\n"
                           "tasks: [{decay: {of: q.Sp}}, {counting: {jump: light}}]\n";

static Model open_ions(const char size[])
{
  char text[512];

  (void)snprintf(text, sizeof(text), ions, size);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* Fringe decay at half the critical repumping: 1000 ions factorised, else the limit .75 and its 1/N. */
static void rate_of(const char size[], double expected, double tolerance)
{
  Model model = open_ions(size);
  Answer answer = Model_Run(&model, 0);

  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_true(fabs(Answer_Get(&answer, "rate", 0) - expected) <= tolerance);
  assert_true(fabs(Answer_Get(&answer, "rate", 0) - expected) <=
              10 * Answer_Get(&answer, "error", 0) + tolerance / 100);
  Answer_Free(&answer);
  Model_Close(&model);
}

static void decay_rates(void **state)
{
  (void)state;
  rate_of("1000", 0.7665178532592782, 1e-7);
  rate_of("1e6", 0.750016, 1e-8);
  rate_of("1e9", 0.750000016, 1e-8);
  rate_of("4e13", 0.75, 1e-8);
}

static void noise_of_clicks(void **state)
{
  Model model = open_ions("1000");
  Answer answer = Model_Run(&model, 1);

  (void)state;
  assert_int_equal(answer.outcome, COSPIN_GOOD);
  assert_true(fabs(Answer_Get(&answer, "mean", 0) - 124750) <= 1e-3);
  assert_true(fabs(Answer_Get(&answer, "fano", 0) - 2.06825491) <= 1e-7);
  Answer_Free(&answer);
  Model_Close(&model);
}

/* No phase is locked below threshold: nothing stands still but the edge. */
static void below_threshold(void **state)
{
  Model model = Model_Open(PETSC_COMM_WORLD,
                           "title: t\ncomponents: {s: {kind: ensemble, size: 1000}, c: {kind: mode}}\n"
                           "hamiltonian: [0.005*c.a*s.Sp + hc]\n"
                           "jumps: [{rate: 2, each: s.sp}, {rate: 1, each: s.sm}, {rate: 1, operator: c.a}]\n"
                           "operator: expansion\ntasks: [{decay: {of: c.a}}]\n",
                           0);
  Answer answer = Model_Run(&model, 0);

  (void)state;
  assert_true(answer.outcome < 0);
  Answer_Free(&answer);
  Model_Close(&model);
}

/* Charges are seen, parities are not; what is conserved has no expansion. */
static void sectors(void **state)
{
  Model model = open_ions("10");
  int trace[] = {0, 0, 0}, fringe[] = {0, 1, 0}, dimensions;
  PetscBool neutral;
  const char *why;

  (void)state;
  OK(CospinExpansionIsNeutral(model.problem->generator, trace, &neutral));
  assert_true(neutral);
  OK(CospinExpansionIsNeutral(model.problem->generator, fringe, &neutral));
  assert_false(neutral);
  OK(CospinExpansionDimensions(model.problem->generator, &dimensions, &why));
  assert_null(why);
  assert_int_equal(dimensions, 2);
  Model_Close(&model);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(decay_rates), cmocka_unit_test(noise_of_clicks),
                                     cmocka_unit_test(below_threshold), cmocka_unit_test(sectors)};
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
