/* A task that evolves something is left at one place after another, by a run that ends there; another run,
   which has nothing but what was saved, gives the numbers of one that was never left. */
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

#define LASER                                                                                                \
  "components: {a: {kind: mode, cutoff: 5, edge: 1}, s: {kind: spin, S: 1/2}}\n"                             \
  "hamiltonian: [0.8*a.n, 0.9*a.a*s.Sp + hc, 0.3*a.a + hc]\n"                                                \
  "jumps: [{name: out, rate: 1, operator: a.a}, {rate: 0.3, operator: s.Sp}]\n"                              \
  "observables: {n: <a.n>, phase: <a.a>}\n"
#define OPEN                                                                                                 \
  "components: {a: {kind: mode}}\nhamiltonian: [0.8*a.n, 0.6*a.a + hc]\n"                                    \
  "jumps: [{name: out, rate: 1.3, operator: a.a}, {rate: 0.3, operator: dag(a.a)}]\n"                        \
  "observables: {n: <a.n>, phase: <a.a>}\n"
#define SPINS                                                                                                \
  "components: {q: {kind: ensemble, size: 4}}\n"                                                             \
  "jumps: [{name: out, rate: 1, operator: q.Sm}, {rate: 1.3, each: q.sp}, {name: out, rate: 0.2, each: "     \
  "q.sm}]\n"                                                                                                 \
  "observables: {n: <q.Sz>, purity: purity()}\n"
#define TIMES "times: [0, 0.4, 9, 40]"

static const struct {
  const char *body, *tasks;
  int task;            /* that is left; those before it have finished in the run before */
  PetscBool of_steady; /* it is left behind the steady state, whose search can only be given up */
} cases[] = {
    {LASER, "evolve: {initial: {a: {fock: 2}}, " TIMES ", method: krylov}", 0, PETSC_FALSE},
    {LASER, "evolve: {initial: {a: {coherent: 0.3}}, " TIMES ", method: rational, store: state}", 0,
     PETSC_FALSE},
    {LASER "operator: shell\n", "evolve: {initial: {a: {fock: 2}}, " TIMES "}", 0, PETSC_FALSE},
    {SPINS, "evolve: {initial: {q: {css: [1, 0]}}, " TIMES ", fidelity: {q: {css: [1, 0]}}}", 0, PETSC_FALSE},
    {OPEN, "steady: {}, evolve: {initial: {a: {coherent: 1}}, times: [0, 1, 4], method: krylov}", 1,
     PETSC_FALSE},
    {LASER, "clicks: {jump: out, time: 9, most: 9, initial: {a: {fock: 2}}, store: state}", 0, PETSC_FALSE},
    {LASER "operator: shell\n", "clicks: {jump: out, dark: 0.1, time: 9, most: 9, initial: {}}", 0,
     PETSC_FALSE},
    {SPINS, "clicks: {jump: out, efficiency: 0.7, dark: 0.1, time: 3, most: 3, initial: {q: {css: [1, 0]}}}",
     0, PETSC_FALSE},
    {"components: {q: {kind: spin, S: 2}}\njumps: [{name: out, rate: 1, operator: q.Sm}]\n"
     "observables: {n: <q.Sz>}\n", /* clicks that are thinned; and those of which too many are missing */
     "clicks: {jump: out, efficiency: 0.7, time: 9, most: 6, initial: {q: {css: [2, 0]}}}", 0, PETSC_FALSE},
    {"components: {q: {kind: spin, S: 2}}\njumps: [{name: out, rate: 1, operator: q.Sm}]\n"
     "observables: {n: <q.Sz>}\n",
     "clicks: {jump: out, efficiency: 0.7, time: 9, most: 2, initial: {q: {css: [2, 0]}}}", 0, PETSC_FALSE},
    {OPEN, "steady: {}, clicks: {jump: out, time: 1, most: 8, initial: {}}", 1, PETSC_FALSE},
    {LASER, "correlation: {of: dag(a.a), " TIMES ", method: krylov}", 0, PETSC_TRUE},
    {LASER "operator: shell\n", "correlation: {of: a.a, with: s.Sp, " TIMES ", method: rational}", 0,
     PETSC_TRUE},
    {SPINS, "correlation: {of: q.Sx, " TIMES "}", 0, PETSC_TRUE}, /* two shares */
    {LASER, "g2: {of: a.a, " TIMES ", method: rational}", 0, PETSC_TRUE},
    {OPEN, "counting: {jump: out}, g2: {of: a.a, times: [0, 1, 20], method: krylov}", 1, PETSC_TRUE},
};
enum { NUM_CASES = sizeof(cases) / sizeof(cases[0]) };

/* A run that ends when it is asked for the `last`-th time, and what it keeps. */
typedef struct {
  int asked, last, saved;
  size_t count;
  double *numbers; /* on the first rank */
} Run;

static PetscErrorCode Ask(void *context, CospinPause *pause)
{
  Run *run = (Run *)context;

  *pause = ++run->asked >= run->last ? COSPIN_PAUSE_LEAVE : COSPIN_PAUSE_NO;
  return 0;
}

static PetscErrorCode Save(void *context, CospinCheckpoint checkpoint)
{
  Run *run = (Run *)context;

  PetscFunctionBeginUser;
  run->saved++;
  run->count = checkpoint->count;
  PetscCall(PetscMalloc1(checkpoint->count, &run->numbers));
  PetscCall(PetscArraycpy(run->numbers, checkpoint->numbers, checkpoint->count));
  PetscFunctionReturn(0);
}

static Model open_case(int c)
{
  char text[4096];

  snprintf(text, sizeof(text), "title: left half-way\n%stasks: [%s]\n", cases[c].body, cases[c].tasks);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* The same bits on one rank; factors that several ranks make are not the same twice. */
static PetscBool is_same(double value, double expected, PetscBool rounded)
{
  if (memcmp(&value, &expected, sizeof(double)) == 0) return PETSC_TRUE;
  return (PetscBool)(rounded && fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected)));
}

static void assert_same_states(const CospinStoredState a, const CospinStoredState b, PetscBool rounded)
{
  assert_true(a->count == b->count);
  for (PetscInt64 k = 0; k < b->count * (b->num_columns + 2); k++)
    assert_true(is_same(a->rows[k], b->rows[k], rounded));
}

/* Every number, every stored element. */
static void assert_same(int c, const Answer *found, const Answer *expected, CospinStored states,
                        CospinStored expected_states)
{
  PetscMPIInt ranks;

  OK(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  assert_int_equal(found->outcome, expected->outcome);
  for (int k = 0; k < expected->results.count; k++) {
    const CospinVariable *variable = &expected->variables[k];
    if (ranks > 1 && (strstr(variable->name, "uncertainty") || strstr(variable->name, "steps") ||
                      strstr(variable->name, "operations")))
      continue; /* of rounding, over what is small; where rounding is all that is left to evolve */
    for (int i = variable->offset; i < variable->offset + variable->size; i++) {
      if (is_same(found->record[i], expected->record[i], (PetscBool)(ranks > 1))) continue;
      fail_msg("%s: %s is %.17g, not %.17g", cases[c].tasks, variable->name, found->record[i],
               expected->record[i]);
    }
  }
  assert_int_equal(states->count, expected_states->count);
  for (int s = 0; s < states->count; s++)
    assert_same_states(states->states[s], expected_states->states[s], (PetscBool)(ranks > 1));
}

/* Left when it was asked `last` times; false: it had ended before. */
static PetscBool leave_and_go_on(int c, int last, const Answer *expected, CospinStored expected_states)
{
  Run run = {.last = last};
  Model model = open_case(c);
  const CospinSteadyState *steady;
  Answer answer;

  for (int task = 0; task < cases[c].task; task++) {
    answer = Model_Run(&model, task);
    Answer_Free(&answer);
  }
  if (cases[c].of_steady) OK(CospinPointSteadyState(model.point, "steady_", NULL, &steady));
  model.point->interrupt = (CospinInterrupt){&run, Ask, Save};
  answer = Model_Run(&model, cases[c].task);
  Model_Close(&model);
  if (!run.saved) assert_same(c, &answer, expected, expected_states, expected_states);
  if (run.saved) assert_int_equal(answer.outcome, COSPIN_NOT_RUN);
  Answer_Free(&answer);
  if (!run.saved) return PETSC_FALSE;
  model = open_case(c);
  OK(CospinCheckpointCreateLoading(PETSC_COMM_WORLD, run.count, run.numbers, &model.point->checkpoint));
  answer = Model_Run(&model, cases[c].task);
  assert_same(c, &answer, expected, model.point->stored, expected_states);
  Answer_Free(&answer);
  OK(CospinCheckpointDestroy(&model.point->checkpoint));
  Model_Close(&model);
  return PETSC_TRUE;
}

static void what_was_left_goes_on(void **state)
{
  PetscMPIInt ranks;

  (void)state;
  OK(MPI_Comm_size(PETSC_COMM_WORLD, &ranks));
  for (int c = 0; c < NUM_CASES; c++) {
    Model model = open_case(c);
    Answer expected;
    int times_left = 0;
    for (int task = 0; task < cases[c].task; task++) {
      expected = Model_Run(&model, task);
      Answer_Free(&expected);
    }
    expected = Model_Run(&model, cases[c].task);
    if (expected.outcome != COSPIN_GOOD) fail_msg("%s: outcome %d", cases[c].tasks, expected.outcome);
    for (int last = 3; leave_and_go_on(c, last, &expected, model.point->stored); last *= ranks > 1 ? 6 : 2)
      times_left++;
    if (times_left < (ranks > 1 ? 1 : 2)) fail_msg("%s was left %d times only", cases[c].tasks, times_left);
    Answer_Free(&expected);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_left_goes_on),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
