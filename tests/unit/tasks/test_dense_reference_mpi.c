/*
   Conformance of ensembles with the brute-force reference (support_dense.h), N = 1..4, on models that hold
   every kind of local and collective term: moves = 4^N matrices, element by element; assembled = moves;
   spectra, traces, hermiticity; steady states, expectation values, gaps and decay rates.
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

enum { MAX_SPINS = 4 };

#define ONE "components: {ions: {kind: ensemble, size: N}}\n"
#define TWO "components: {ions: {kind: ensemble, size: N - 1}, A: {kind: ensemble, size: 1}}\n"

/* Collective decay alone has Jordan blocks: its eigenvalues are good to the square root of the rounding only.
 */
#define CASCADE ONE "jumps: [{rate: a, operator: ions.Sm}]\n"

/* a ... f are random positive numbers. Everything else of the deck is the same for all. */
static const struct {
  int min_spins, max_spins;
  const char *text;
} models[] = {
    {1, 4, ONE "jumps: [{rate: a, each: ions.sp}, {rate: b, operator: ions.Sm}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sp}, {rate: b, each: ions.sm}, {rate: c, each: ions.sz},\n"
         "  {rate: d, operator: ions.Sm}, {rate: e, operator: ions.Sp}, {rate: f, operator: ions.Sz}]\n"},
    {1, 4, ONE "hamiltonian: [a*ions.Sx, b*ions.Sz]\njumps: [{rate: c, each: ions.sm}]\n"},
    {1, 4,
     ONE "hamiltonian: [0.3*ions.Sz, a*ions.Sz^2, b*ions.Sp*ions.Sp + hc]\n"
         "jumps: [{rate: c, each: ions.sx}, {rate: d, each: ions.sy}, {rate: e, operator: ions.Sm}]\n"},
    {1, 4,
     ONE
     "hamiltonian: [(0.2 + a*i)*ions.Sp^2*ions.Sz + hc]\njumps: [{rate: b, each: ions.sm + 0.3*ions.sp}]\n"},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz + 0.2*ions.sm + 0.1}, {rate: b, operator: ions.Sx}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sz + (0.2 - 0.7*i)*ions.sm + 0.1*i}, {rate: b, each: ions.sp}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sp*ions.sm}, {rate: b, each: ions.sm*ions.sz*ions.sp + c*ions.sm}]\n"},
    {1, 4,
     ONE "hamiltonian: [a*ions.Sy]\n"
         "jumps: [{rate: b, operator: ions.Sm + 0.5*ions.Sz}, {rate: c, each: ions.sz}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, operator: ions.Sm^2}, {rate: b, each: ions.sp}, {rate: c, operator: ions.Sm}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm^2 + 0.4*i*ions.Sz + 0.3}, {rate: b, each: ions.sx}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm*ions.Sz}, {rate: b, each: ions.sp}, {rate: c, each: ions.sm}]\n"},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz*ions.Sp}, {rate: b, each: ions.sp*ions.Sz + c*ions.Sm}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm*ions.Sz + ions.sz*ions.sp*ions.Sx - 0.5*i},\n"
         "  {rate: b, each: (ions.sx - i*ions.sy)/2}]\n"},
    {1, 4,
     ONE "jumps: [{rate: a, each: ions.sm + 0.5*ions.Sm}, {rate: b, each: ions.sp - 0.2*ions.Sz*ions.Sp}]\n"},
    {1, 4, CASCADE},
    {1, 4, ONE "jumps: [{rate: a, each: ions.sz}]\n"},
    {1, 4, ONE "hamiltonian: [a*ions.Sx + b*ions.Sz]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sx}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sx}, {rate: b, each: ions.sx}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm}, {rate: b, each: ions.sz}]\n"},
    {1, 4, ONE "jumps: [{rate: a, operator: ions.Sm^3}, {rate: b, each: ions.sz}]\n"},
    {2, 4,
     TWO "hamiltonian: [a*ions.Sz - b*A.Sz, c*A.Sp*ions.Sm + hc]\n"
         "jumps: [{rate: d, each: ions.sp}, {rate: e, operator: ions.Sm + A.Sm}, {rate: f, each: A.sp}]\n"},
    {2, 4,
     TWO "hamiltonian: [a*A.Sx*ions.Sz]\njumps: [{rate: b, each: A.Sz*ions.sm}, {rate: c, each: A.sm}]\n"},
    {2, 4, TWO "jumps: [{rate: d, each: ions.sp}, {rate: e, operator: ions.Sm}, {rate: f, each: A.sz}]\n"},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]) };

static const char *const operators[] = {
    "ions.Sz",         "ions.Sp*ions.Sm",     "ions.Sz^2",
    "ions.Sx",         "ions.Sp^2*ions.Sm^2", "ions.Sm",
    "ions.Sy*ions.Sz", "ions.Sp^2",           "(1 + 2*i)*ions.Sm*ions.Sx*ions.Sz"};
enum { NUM_OPERATORS = sizeof(operators) / sizeof(operators[0]) };

static Model open_model(int k, int spins)
{
  uint64_t state = (uint64_t)(1000 * k + spins);
  char text[4096];
  int length;

  length = snprintf(text, sizeof(text), "title: a model\nparameters: {N: %d", spins);
  for (int c = 'a'; c <= 'f'; c++)
    length += snprintf(text + length, sizeof(text) - (size_t)length, ", %c: %.3f", c,
                       0.3 + Conformance_Random(&state));
  length += snprintf(text + length, sizeof(text) - (size_t)length, "}\n%sobservables:\n", models[k].text);
  for (int o = 0; o < NUM_OPERATORS; o++)
    length += snprintf(text + length, sizeof(text) - (size_t)length, "  o%d: <%s>\n", o, operators[o]);
  length += snprintf(text + length, sizeof(text) - (size_t)length,
                     "tasks: [steady: {}, gap: {}, decay: {of: ions.Sm, count: 2}, "
                     "decay: {name: decay_x, of: ions.Sx, count: 3, weights: false}]\n");
  assert_in_range(length, 1, sizeof(text) - 1);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

/* Runs a test on every model, each at every number of spins. */
static void for_all_models(void (*check)(const Model *model))
{
  for (int k = 0; k < NUM_MODELS; k++) {
    for (int spins = models[k].min_spins; spins <= models[k].max_spins; spins++) {
      Model model = open_model(k, spins);
      check(&model);
      Model_Close(&model);
    }
  }
}

static double eigenvalue_bound(const Model *model)
{
  return strstr(model->deck->text, CASCADE) ? 1e-6 : 1e-9;
}

static void check_spectra(const Model *model)
{
  Conformance_Spectra(model, eigenvalue_bound(model));
}

static void check_rates(const Model *model)
{
  Conformance_Rates(model, eigenvalue_bound(model));
}

static void moves_are_the_generator_of_all_spins(void **state)
{
  (void)state;
  for_all_models(Conformance_Moves);
}

static void sectors_hold_every_element_once(void **state)
{
  (void)state;
  for_all_models(Conformance_Sectors);
}

static void trace_and_hermiticity_are_kept(void **state)
{
  (void)state;
  for_all_models(Conformance_Conservation);
}

static void spectra_are_part_of_that_of_all_spins(void **state)
{
  (void)state;
  for_all_models(check_spectra);
}

static void expectation_values_are_those_of_all_spins(void **state)
{
  (void)state;
  for_all_models(Conformance_Expectations);
}

static void steady_states_are_steady_for_all_spins(void **state)
{
  (void)state;
  for_all_models(Conformance_Steady_State);
}

static void rates_are_those_of_dense_sectors(void **state)
{
  (void)state;
  for_all_models(check_rates);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_are_the_generator_of_all_spins),
      cmocka_unit_test(sectors_hold_every_element_once),
      cmocka_unit_test(trace_and_hermiticity_are_kept),
      cmocka_unit_test(spectra_are_part_of_that_of_all_spins),
      cmocka_unit_test(expectation_values_are_those_of_all_spins),
      cmocka_unit_test(steady_states_are_steady_for_all_spins),
      cmocka_unit_test(rates_are_those_of_dense_sectors),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
