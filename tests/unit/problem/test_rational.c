/*
   Amplitudes at real labels (CospinRational) are those of Apply at true labels, in the gauge
   g = sqrt(G(bra)/G(ket)): Apply = rational * g(target)/g(source), for every step that a deck of the kind
   makes.
*/
#include "../support_model.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* ln of the product of the factorials of the levels' occupations, of one side. */
static double log_factorials(const CospinComponent component, const int label[], int side)
{
  const char *kind = component->kind->record.name;
  const double size = component->kind->Size(component);
  double sum = 0.0;
  int above = 0;

  if (!strcmp(kind, "mode")) return lgamma(label[side] + 1.0);
  if (!strcmp(kind, "spin")) return lgamma(label[side] + 1.0) + lgamma(2 * size - label[side] + 1.0);
  if (!strcmp(kind, "ensemble"))
    return lgamma(label[1 + side] - label[0] + 1.0) + lgamma(size - label[0] - label[1 + side] + 1.0);
  for (int k = component->num_coordinates / 2 - 1; k >= 0; k--) {
    sum += lgamma(label[2 * k + side] - above + 1.0);
    above = label[2 * k + side];
  }
  return sum + lgamma(size - above + 1.0);
}

static double log_gauge(const CospinSystem *system, const int label[])
{
  double sum = 0.0;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    sum += 0.5 * (log_factorials(component, label + component->offset, 1) -
                  log_factorials(component, label + component->offset, 0));
  }
  return sum;
}

static double linear_at(const CospinLinear *linear, const int label[])
{
  double value = linear->constant;

  for (int k = 0; k < linear->num; k++) value += linear->term[k].slope * label[linear->term[k].coordinate];
  return value;
}

/* Product of the rational amplitudes of the steps; *exists: every label on the way does. */
static double rational_at(const CospinSystem *system, const CospinChain *chain, int label[],
                          PetscBool *exists)
{
  double product = 1.0;

  *exists = PETSC_TRUE;
  for (int s = 0; s < chain->length && *exists; s++) {
    const CospinComponent component = &system->components[chain->steps[s].component];
    CospinRational amplitude;
    assert_true(component->kind->Rational(component, chain->steps[s].code, &amplitude));
    product *= amplitude.coefficient;
    for (int f = 0; f < amplitude.num_factors; f++)
      product *= linear_at(&amplitude.factor[f], label + component->offset);
    for (int f = 0; f < amplitude.num_divisors; f++)
      product /= linear_at(&amplitude.divisor[f], label + component->offset);
    CospinSystemShift(system, chain->steps[s], label);
    *exists = CospinSystemContains(system, label);
  }
  return product;
}

static int check_chain(CospinMoves moves, const CospinChain *chain, const int source[])
{
  const CospinSystem *system = moves->system;
  int target[COSPIN_MAX_COORDINATES], through[COSPIN_MAX_COORDINATES];
  double amplitude = 1.0, rational;
  PetscBool exists;

  for (int i = 0; i < system->num_coordinates; i++) target[i] = through[i] = source[i];
  rational = rational_at(system, chain, through, &exists);
  for (int s = 0; s < chain->length && amplitude != 0.0; s++)
    amplitude *= CospinSystemApply(system, chain->steps[s], target);
  if (!exists || amplitude == 0.0) return 0;
  rational *= exp(log_gauge(system, target) - log_gauge(system, source));
  assert_true(fabs(rational - amplitude) <= 1e-11 * fabs(amplitude));
  return 1;
}

static void check_deck(const char text[], int least)
{
  Model model = Model_Open(MPI_COMM_SELF, text, 0);
  const CospinMoves moves = model.problem->generator;
  CospinLattice lattice;
  CospinSector everything;
  Dense dense = Model_Everything(&model, &lattice, &everything);
  int count = 0;

  for (PetscInt64 i = 0; i < dense.n; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(everything, i, label);
    for (int k = 0; k < moves->count; k++)
      for (int c = 0; c < moves->moves[k].num_chains; c++)
        count += check_chain(moves, &moves->moves[k].chains[c], label);
  }
  assert_true(count >= least);
  Dense_Free(&dense);
  OK(CospinSectorDestroy(&everything));
  OK(CospinLatticeDestroy(&lattice));
  Model_Close(&model);
}

/* All 27 local steps (t, u, dr) and collective ones on both sides. */
static void ensemble(void **state)
{
  (void)state;
  check_deck(
      "title: t\ncomponents: {q: {kind: ensemble, size: 5}}\nhamiltonian: [q.Sx + 0.3*q.Sz*q.Sz]\n"
      "jumps:\n  - {rate: 1, each: q.sp + 0.7*q.sm + 0.4*q.sz}\n  - {rate: 1, operator: q.Sm + 0.2*q.Sz}\n"
      "tasks: [steady: {}]\n",
      300);
}

static void mode_and_spin(void **state)
{
  (void)state;
  check_deck(
      "title: t\ncomponents: {q: {kind: spin, S: 2}, c: {kind: mode, cutoff: 4}}\n"
      "hamiltonian: [c.a*q.Sp + hc, 0.2*q.Sz*c.n]\n"
      "jumps: [{rate: 1, operator: c.a}, {rate: 1, operator: dag(c.a)^2}, {rate: 1, operator: q.Sm*q.Sz}]\n"
      "tasks: [steady: {}]\n",
      500);
}

static void levels(void **state)
{
  (void)state;
  check_deck("title: t\ncomponents: {q: {kind: levels, size: 3, levels: 3}}\nhamiltonian: [q.Sx]\n"
             "jumps: [{rate: 1, operator: \"q.E[0,2]\"}, {rate: 1, operator: \"q.E[1,1] + q.E[2,1]\"}]\n"
             "tasks: [steady: {}]\n",
             300);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ensemble), cmocka_unit_test(mode_and_spin),
                                     cmocka_unit_test(levels)};
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
