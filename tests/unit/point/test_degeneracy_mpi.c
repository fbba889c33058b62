/* Several steady states are counted, never answered with one of them; gaps and decay rates beside them. */
#include "support_model.h"
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

static Model open_model(const char body[], int spins, const char tasks[])
{
  char text[1024];

  snprintf(text, sizeof(text),
           "title: a model\nparameters: {N: %d}\ncomponents: {ions: {kind: ensemble, size: N}}\n%s\n"
           "observables: {sz: <ions.Sz>}\ntasks: [%s]\n",
           spins, body, tasks);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* ---- Counting
 * ------------------------------------------------------------------------------------------------ */

static int number_of_irreps(int n)
{
  return n / 2 + 1;
}

/* populations (j,m): sum over j of 2j+1 */
static int number_of_populations(int n)
{
  return n % 2 ? (n + 1) * (n + 3) / 4 : (n / 2 + 1) * (n / 2 + 1);
}

/* 1, Sx^2, Sx^4, ... of every irrep: odd powers of Sx have no diagonal elements and stand in other sectors */
static int number_of_even_powers(int n)
{
  int sum = 0;

  for (int two_j = n; two_j >= 0; two_j -= 2) sum += two_j / 2 + 1;
  return sum;
}

static int number_of_labels(int n)
{
  return (n + 1) * (n + 2) * (n + 3) / 6;
}

static int one(int n)
{
  (void)n;
  return 1;
}

static const struct {
  const char *body;
  int max_spins;
  int (*count)(int spins);
} counted[] = {
    /* every irrep decays to a state of its own */
    {"jumps: [{rate: 1, operator: ions.Sm}]", 6, number_of_irreps},
    {"jumps: [{rate: 1.3, operator: ions.Sm}, {rate: 0.4, operator: ions.Sp}]", 6, number_of_irreps},
    {"hamiltonian: [0.7*ions.Sx]\njumps: [{rate: 1, operator: ions.Sm}]", 6, number_of_irreps},
    /* collective dephasing keeps every population */
    {"jumps: [{rate: 1, operator: ions.Sz}]", 6, number_of_populations},
    /* functions of Sx: the same in another frame, inside sectors that the moves connect */
    {"jumps: [{rate: 1, operator: ions.Sx}]", 6, number_of_even_powers},
    {"hamiltonian: [0.8*ions.Sx]\njumps: [{rate: 1, operator: ions.Sx}]", 5, number_of_populations},
    /* unique once something connects the irreps */
    {"jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.01, each: ions.sz}]", 6, one},
    {"jumps: [{rate: 1, operator: ions.Sm}, {rate: 1e-6, each: ions.sz}]", 6, one},
    {"jumps: [{rate: 0.2, each: ions.sm}, {rate: 1, each: ions.sp}]", 6, one},
    {"jumps: [{rate: 1, each: ions.sx}, {rate: 1, each: ions.sz}]", 5, one},
};

static void steady_states_are_counted(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof(counted) / sizeof(counted[0]); k++) {
    for (int spins = 2; spins <= counted[k].max_spins; spins++) {
      Model model = open_model(counted[k].body, spins, "steady: {}");
      Answer answer = Model_Run(&model, 0);
      const int count = counted[k].count(spins);
      if (answer.record[0] != count || answer.outcome != (count == 1 ? COSPIN_GOOD : COSPIN_DEGENERATE))
        fail_msg("%g steady states, outcome %d, not %d, of %d spins: %s", answer.record[0], answer.outcome,
                 count, spins, counted[k].body);
      assert_int_equal(isnan(Answer_Get(&answer, "sz", 0)), count > 1);
      Answer_Free(&answer);
      Model_Close(&model);
    }
  }
}

/* Against singular values, where no formula is at hand; every sector of all there are. */
static void null_vectors_inside_one_sector_are_counted(void **state)
{
  static const char *const bodies[] = {
      "jumps: [{rate: 1, each: ions.sz}]",
      "jumps: [{rate: 1, each: ions.sx}]",
      "jumps: [{rate: 1, each: ions.sx}, {rate: 0.5, operator: ions.Sx}]",
      "hamiltonian: [0.3*ions.Sx^2]\njumps: [{rate: 1, each: ions.sx}]",
      "hamiltonian: [0.3*ions.Sx + 0.4*ions.Sz]\njumps: []",
      "hamiltonian: [ions.Sx^2]\njumps: [{rate: 1, operator: ions.Sx}]",
      "jumps: [{rate: 1, operator: ions.Sm^2}]",
      "jumps: [{rate: 1, operator: ions.Sm*ions.Sz}]",
      "jumps: [{rate: 1, operator: ions.Sm^2}, {rate: 1, operator: ions.Sp^2}]",
      "jumps: [{rate: 1, operator: ions.Sm^2}, {rate: 1, each: ions.sz}]",
  };
  PetscBool several = PETSC_FALSE;

  (void)state;
  for (size_t k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
    for (int spins = 2; spins <= 4; spins++) {
      Model model = open_model(bodies[k], spins, "steady: {}");
      const int n = model.problem->system.num_coordinates;
      int num, *sectors = Model_All_Sectors(model.problem, &num);
      for (int s = 0; s < num; s++) {
        Dense matrix = Model_Sector_Matrix(&model, sectors + s * n);
        const int nullity = Dense_Nullity(matrix, NULL);
        CospinEigensolver eigensolver;
        Vec *null;
        double complex next;
        int found;
        OK(CospinEigensolverCreate(PETSC_COMM_WORLD, model.problem, sectors + s * n, "steady_", NULL,
                                   &eigensolver));
        OK(CospinEigensolverNull(eigensolver, &found, &null, &next));
        if (found != nullity)
          fail_msg("%d null vectors of %d, %d spins: %s", found, nullity, spins, bodies[k]);
        if (nullity > 1 && eigensolver->has_trace) several = PETSC_TRUE;
        OK(VecDestroyVecs(found, &null));
        OK(CospinEigensolverDestroy(&eigensolver));
        Dense_Free(&matrix);
      }
      free(sectors);
      Model_Close(&model);
    }
  }
  assert_true(several);
}

/* Without jumps and Hamiltonian nothing ever moves. */
static void nothing_moves_without_a_generator(void **state)
{
  (void)state;
  for (int spins = 1; spins <= 3; spins++) {
    Model model = open_model("jumps: [{rate: 0, operator: ions.Sm}]", spins,
                             "steady: {}, gap: {}, decay: {of: ions.Sx}");
    Answer steady = Model_Run(&model, 0), gap = Model_Run(&model, 1), decay = Model_Run(&model, 2);
    int num, *sectors = Model_All_Sectors(model.problem, &num);
    assert_int_equal(num, number_of_labels(spins));
    assert_true(steady.record[0] == number_of_populations(spins));
    assert_int_equal(steady.outcome, COSPIN_DEGENERATE);
    assert_int_equal(gap.outcome, COSPIN_EMPTY_SECTOR);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_true(fabs(Answer_Get(&decay, "rate", 0)) < 1e-15);
    free(sectors);
    Answer_Free(&steady);
    Answer_Free(&gap);
    Answer_Free(&decay);
    Model_Close(&model);
  }
}

/* ---- Rates
 * --------------------------------------------------------------------------------------------------- */

/* Pure decay of independent spins, rate 1: the populations' slowest mode has rate 1, a coherence 1/2; the
   weights are those of <A(t) A^+(0)> in the ground state, which one coherence carries alone. */
static void independent_spins_decay_alone(void **state)
{
  (void)state;
  for (int spins = 1; spins <= 8; spins++) {
    Model model = open_model("hamiltonian: [1.7*ions.Sz]\njumps: [{rate: 1, each: ions.sm}]", spins,
                             "gap: {}, decay: {of: ions.Sm}, decay: {name: up, of: ions.Sp, weights: false}");
    Answer gap = Model_Run(&model, 0), decay = Model_Run(&model, 1), up = Model_Run(&model, 2);
    assert_int_equal(gap.outcome, COSPIN_GOOD);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_true(fabs(Answer_Get(&gap, "rate", 0) - 1) < 1e-10);
    assert_true(fabs(Answer_Get(&decay, "rate", 0) - 0.5) < 1e-10);
    assert_true(fabs(Answer_Get(&decay, "frequency", 0) - 1.7) < 1e-10); /* <Sm>(t) ~ exp(-i omega t) */
    assert_true(fabs(Answer_Get(&up, "frequency", 0) + 1.7) < 1e-10);
    assert_true(fabs(Answer_Get(&decay, "weight", 0) - 1) < 1e-9);
    assert_true(fabs(Answer_Get(&decay, "weight_im", 0)) < 1e-9);
    Answer_Free(&gap);
    Answer_Free(&decay);
    Answer_Free(&up);
    Model_Close(&model);
  }
}

/* Asked for all modes of its sectors, an operator is made of them completely: the weights add up to one. */
static void weights_of_all_modes_add_up_to_one(void **state)
{
  static const struct {
    const char *of, *body;
    int spins, count;
  } rows[] = {
      {"ions.Sm", "jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp}]", 2, 2},
      {"ions.Sm", "jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp}]", 3, 4},
      {"ions.Sm",
       "hamiltonian: [0.6*ions.Sz]\njumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp}]", 4, 6},
      {"ions.Sx", "jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp}]", 3, 8},
      {"ions.Sy",
       "hamiltonian: [0.6*ions.Sz]\njumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: ions.sp}]", 4,
       12},
      {"ions.Sm*ions.Sz",
       "hamiltonian: [0.6*ions.Sz + 0.3*ions.Sz^2]\njumps: [{rate: 1, operator: ions.Sm}, {rate: 0.7, each: "
       "ions.sp}]",
       4, 6},
  };

  (void)state;
  for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
    char task[128];
    double complex sum = 0;
    double last = -INFINITY;
    Model model;
    Answer answer;
    snprintf(task, sizeof(task), "decay: {of: %s, count: %d}", rows[k].of, rows[k].count);
    model = open_model(rows[k].body, rows[k].spins, task);
    answer = Model_Run(&model, 0);
    assert_int_equal(answer.outcome, COSPIN_GOOD);
    for (int mode = 0; mode < rows[k].count; mode++) {
      const double rate = Answer_Get(&answer, "rate", mode);
      assert_true(rate >= last - 1e-9);
      last = rate;
      sum += CMPLX(Answer_Get(&answer, "weight", mode), Answer_Get(&answer, "weight_im", mode));
    }
    if (!(cabs(sum - 1) < 1e-9)) fail_msg("%s: %g + %g i", rows[k].of, creal(sum), cimag(sum));
    Answer_Free(&answer);
    Model_Close(&model);
  }
}

/* In the steady state's own sector the null vector is no mode of decay: the slowest one is the gap. */
static void operators_of_the_steady_sector_decay_with_the_gap(void **state)
{
  (void)state;
  for (int spins = 1; spins <= 9; spins++) {
    Model model = open_model("jumps: [{rate: 1, operator: ions.Sm}, {rate: 0.9, each: ions.sp}]", spins,
                             "gap: {}, decay: {of: ions.Sz}, decay: {name: slowest, of: ions.Sz, count: 4}");
    Answer gap = Model_Run(&model, 0), decay = Model_Run(&model, 1), slowest = Model_Run(&model, 2);
    const double rate = Answer_Get(&gap, "rate", 0);
    assert_int_equal(gap.outcome, COSPIN_GOOD);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_int_equal(slowest.outcome, COSPIN_GOOD);
    assert_true(rate > 0.1);
    assert_true(fabs(Answer_Get(&decay, "rate", 0) - rate) < 1e-9 * rate);
    assert_true(fabs(Answer_Get(&slowest, "rate", 0) - rate) < 1e-9 * rate);
    Answer_Free(&gap);
    Answer_Free(&decay);
    Answer_Free(&slowest);
    Model_Close(&model);
  }
}

/* A gap of 1e-6 of the norm is neither taken for zero nor lost beside it. */
static void small_gaps_are_found(void **state)
{
  static const double epsilon[] = {1e-2, 1e-4, 1e-6, 1e-8};

  (void)state;
  for (size_t k = 0; k < sizeof(epsilon) / sizeof(epsilon[0]); k++) {
    char body[128];
    double rate[2];
    for (int half = 0; half < 2; half++) {
      Model model;
      Answer gap;
      snprintf(body, sizeof(body), "jumps: [{rate: 1, operator: ions.Sm}, {rate: %g, each: ions.sz}]",
               epsilon[k] / (1 + half));
      model = open_model(body, 4, "gap: {}, steady: {}");
      gap = Model_Run(&model, 0);
      assert_int_equal(gap.outcome, COSPIN_GOOD);
      rate[half] = Answer_Get(&gap, "rate", 0);
      Answer_Free(&gap);
      Model_Close(&model);
    }
    /* first order in what connects the irreps: half of it is half the gap, up to the next order */
    assert_true(rate[0] > 0);
    assert_true(fabs(rate[0] / rate[1] - 2) < 10 * epsilon[k] + 1e-5);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steady_states_are_counted),
      cmocka_unit_test(null_vectors_inside_one_sector_are_counted),
      cmocka_unit_test(nothing_moves_without_a_generator),
      cmocka_unit_test(independent_spins_decay_alone),
      cmocka_unit_test(weights_of_all_modes_add_up_to_one),
      cmocka_unit_test(operators_of_the_steady_sector_decay_with_the_gap),
      cmocka_unit_test(small_gaps_are_found),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
