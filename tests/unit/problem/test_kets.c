/*
   Kets against the generator of density matrices: on every label, of every kind of component,

     L rho = A rho + rho A^+ + sum_k L_k rho L_k^+

   with A and L_k of kets (cospin/problem/ket.h) on the right and the moves of Liouville space on the left.
   What holds label by label holds of every average over trajectories. And product states as kets: |psi><psi|
   of the ket that is drawn, or a mixture's mean, is the state.
*/
#include "support_model.h"
#include <cospin/problem/ket.h>
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

#define ENSEMBLE(size, jumps)                                                                                \
  "title: kets\ncomponents: {q: {kind: ensemble, size: " size                                                \
  "}}\nhamiltonian: [0.5*q.Sx + 0.3*q.Sz^2]\njumps:\n" jumps "tasks: [steady: {}]\n"

static const char *const decks[] = {
    ENSEMBLE("5", "  - {rate: 0.4, each: q.sp}\n  - {rate: 0.6, each: q.sm}\n  - {rate: 0.1, each: q.sz}\n"
                  "  - {rate: 0.3, operator: q.Sm + 0.2*q.Sz}\n"),
    /* superpositions of operators of one spin, with the identity */
    ENSEMBLE("4", "  - {rate: 0.5, each: q.sm + 0.4*i*q.sz + 0.3}\n  - {rate: 0.2, each: q.sp*q.sm}\n"
                  "  - {rate: 0.7, each: 1.1*q.sx + 0.2*q.sm*q.Sz}\n"),
    ENSEMBLE("1", "  - {rate: 0.5, each: q.sm + 0.3}\n"),
    "title: kets\ncomponents: {q: {kind: ensemble, size: 3}, p: {kind: ensemble, size: 2}, m: {kind: mode, "
    "cutoff: 3}}\n"
    "hamiltonian: [q.Sp*m.a + hc, 0.2*p.Sp*m.a + hc]\n"
    "jumps:\n  - {rate: 0.3, operator: q.Sm + p.Sm}\n  - {rate: 0.2, each: q.sp*m.a}\n"
    "  - {rate: 0.4, each: p.sz + 0.1*p.sz*m.n}\n  - {rate: 0.7, operator: m.a}\n  - {rate: 0.1, operator: "
    "dag(m.a)}\n"
    "tasks: [steady: {}]\n",
    "title: kets\ncomponents: {q: {kind: spins, size: 3}}\n"
    "arrays:\n  d: [0.1, -0.3, 0.2]\n  R: [[1, 0.5, 0.2+0.1*i], [0.5, 1, 0.5], [0.2-0.1*i, 0.5, 1]]\n"
    "hamiltonian:\n  - sum: d[l]*q.sz[l]\n  - 0.4*q.Sx\n"
    "jumps:\n  - {rates: R, pairs: q.sm}\n  - {rate: \"0.1*(l+1)\", each: \"q.sp[l]\"}\n"
    "  - {rate: 0.1, each: \"q.sz\"}\n"
    "tasks: [steady: {}]\n",
    "title: kets\ncomponents: {q: {kind: matrix, levels: 3, operators: {x: [[0.1, 1 + i, 0], [0.3, 0, "
    "0.4*i], [0, "
    "1, 0.2]], z: {entries: [[2, 2, 1]]}}}, s: {kind: spin, S: 1}}\n"
    "hamiltonian: [q.x + hc, q.z*s.Sx]\n"
    "jumps:\n  - {rate: 0.5, operator: \"q.x + 0.3*i*q.E[1,2]\"}\n  - {rate: 0.2, operator: s.Sm*q.z}\n"
    "tasks: [steady: {}]\n",
    "title: kets\ncomponents: {q: {kind: levels, size: 2, levels: 3}, s: {kind: spin, S: 1}}\n"
    "hamiltonian: [\"0.5*q.E[0,1] + hc\", s.Sx]\n"
    "jumps:\n  - {rate: 0.5, operator: \"q.E[0,2] + 0.3*i*q.E[1,2]\"}\n  - {rate: 0.2, operator: "
    "\"s.Sm*q.n[1]\"}\n"
    "tasks: [steady: {}]\n",
};

/* ---- The generator */

/* The label of |y><x|. Coordinates of ket and bra come in pairs. */
static void swap_sides(const CospinSystem *system, const int label[], int swapped[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const int *from = label + component->offset;
    int *to = swapped + component->offset, kets[COSPIN_MAX_COORDINATES], bras[COSPIN_MAX_COORDINATES];
    int num[2] = {0, 0};
    for (int i = 0; i < component->num_coordinates; i++) {
      to[i] = from[i];
      if (component->kind->roles[i] == COSPIN_COORDINATE_KET) kets[num[0]++] = i;
      if (component->kind->roles[i] == COSPIN_COORDINATE_BRA) bras[num[1]++] = i;
    }
    assert_int_equal(num[0], num[1]);
    for (int k = 0; k < num[0]; k++) {
      to[kets[k]] = from[bras[k]];
      to[bras[k]] = from[kets[k]];
    }
  }
}

/* matrix(:, column) += a b^* at label + ket (of the ket, with the irrep) + bra (of a bra, written as a ket)
 */
static void add(Dense matrix, CospinSector everything, const int label[], const int ket[], const int bra[],
                double complex value, int column)
{
  const CospinSystem *system = CospinSectorSystem(everything);
  int there[COSPIN_MAX_COORDINATES], turned[COSPIN_MAX_COORDINATES] = {0};
  PetscInt64 row;

  if (value == 0.0) return;
  if (bra) swap_sides(system, bra, turned);
  for (int i = 0; i < system->num_coordinates; i++) {
    const PetscBool irrep = (PetscBool)(CospinSystemRole(system, i) == COSPIN_COORDINATE_IRREP);
    there[i] = label[i] + (ket ? ket[i] : 0) + (irrep ? 0 : turned[i]);
  }
  row = CospinSectorIndex(everything, there);
  assert_true(row >= 0);
  *Dense_At(matrix, (int)row, column) += value;
}

static void add_jump(Dense matrix, CospinSector everything, CospinMoves jump, const int label[], int column)
{
  int swapped[COSPIN_MAX_COORDINATES];

  swap_sides(jump->system, label, swapped);
  for (int k = 0; k < jump->count; k++) {
    const double complex a = CospinMoveAmplitude(jump, &jump->moves[k], label);
    for (int l = 0; l < jump->count && a != 0.0; l++) {
      const double complex b = CospinMoveAmplitude(jump, &jump->moves[l], swapped);
      add(matrix, everything, label, jump->moves[k].shift, jump->moves[l].shift, a * conj(b), column);
    }
  }
}

static void add_column(Dense matrix, CospinSector everything, CospinKets kets, int column)
{
  const CospinMoves a = kets->no_jump;
  int label[COSPIN_MAX_COORDINATES], swapped[COSPIN_MAX_COORDINATES];

  CospinSectorLabel(everything, column, label);
  swap_sides(a->system, label, swapped);
  for (int k = 0; k < a->count; k++) {
    const CospinMove *move = &a->moves[k];
    add(matrix, everything, label, move->shift, NULL, CospinMoveAmplitude(a, move, label), column);
    add(matrix, everything, label, NULL, move->shift, conj(CospinMoveAmplitude(a, move, swapped)), column);
  }
  for (int k = 0; k < kets->num_jumps; k++) add_jump(matrix, everything, kets->jumps[k].moves, label, column);
}

static void test_generator(void **state)
{
  (void)state;
  for (size_t d = 0; d < sizeof(decks) / sizeof(decks[0]); d++) {
    Model model = Model_Open(PETSC_COMM_WORLD, decks[d], 0);
    CospinLattice lattice;
    CospinSector everything;
    Dense generator = Model_Everything(&model, &lattice, &everything), sum = Dense_Zero(generator.n);
    CospinKets kets;
    double largest = 0.0;

    OK(CospinKetsCreate(model.problem, &kets));
    assert_true(kets->num_jumps > 0);
    for (int c = 0; c < generator.n; c++) add_column(sum, everything, kets, c);
    for (int c = 0; c < generator.n; c++) {
      for (int r = 0; r < generator.n; r++)
        largest = fmax(largest, cabs(*Dense_At(generator, r, c) - *Dense_At(sum, r, c)));
    }
    assert_true(largest < 1e-12);
    Dense_Free(&generator);
    Dense_Free(&sum);
    OK(CospinKetsDestroy(&kets));
    OK(CospinSectorDestroy(&everything));
    OK(CospinLatticeDestroy(&lattice));
    Model_Close(&model);
  }
}

/* ---- States */

#define STATE(component, state)                                                                              \
  "title: kets\ncomponents: {q: {" component "}}\nhamiltonian: []\njumps: [{rate: 1, operator: 0*q.a}]\n"    \
  "tasks: [evolve: {times: [1], initial: {q: {" state "}}}]\n"
#define SPINS(component, state)                                                                              \
  "title: kets\ncomponents: {q: {" component "}}\nhamiltonian: []\njumps: [{rate: 1, operator: 0*q.Sz}]\n"   \
  "tasks: [evolve: {times: [1], initial: {q: {" state "}}}]\n"

static const struct {
  const char *deck;
  PetscBool mixed;
  int rank; /* of the lattice that the state's labels span */
} states[] = {
    {SPINS("kind: ensemble, size: 5", "css: [1, 0.4]"), PETSC_FALSE, 1},
    {SPINS("kind: ensemble, size: 5", "cat: [1, 0.4, -1]"), PETSC_FALSE, 1},
    {SPINS("kind: ensemble, size: 6", "dicke: [1, 0]"), PETSC_FALSE, 0},
    {SPINS("kind: spins, size: 3", "css: [1, 0.4]"), PETSC_FALSE, 3},
    {SPINS("kind: spins, size: 3", "dicke: [3/2, 1/2]"), PETSC_FALSE, 2},
    {SPINS("kind: spin, S: 2", "coherent: 0.7"), PETSC_FALSE, 1},
    {STATE("kind: mode, cutoff: 5", "thermal: 0.8"), PETSC_TRUE, 0},
    {STATE("kind: mode, cutoff: 5", "fock: 3"), PETSC_FALSE, 0},
};

/* Mean of |psi><psi| at a label, over drawn kets with the weights that they are drawn with. */
static double complex mean_element(CospinKetState kets, const int label[])
{
  enum { DRAWS = 4000 }; /* evenly spread, so that they know a distribution to 1/DRAWS */
  const int draws = kets->mixed ? DRAWS : 1;
  int swapped[COSPIN_MAX_COORDINATES], drawn[COSPIN_MAX_COORDINATES];
  double complex sum = 0.0;

  swap_sides(kets->state->system, label, swapped);
  for (int k = 0; k < draws; k++) {
    const double uniform = (k + 0.5) / draws;
    OK(CospinKetStateDraw(kets, &uniform, drawn));
    sum += CospinKetStateAmplitude(kets, drawn, label) * conj(CospinKetStateAmplitude(kets, drawn, swapped));
  }
  return sum / draws;
}

static void test_states(void **state)
{
  (void)state;
  for (size_t d = 0; d < sizeof(states) / sizeof(states[0]); d++) {
    Model model = Model_Open(PETSC_COMM_WORLD, states[d].deck, 0);
    CospinLattice lattice, span;
    CospinSector everything;
    Dense generator = Model_Everything(&model, &lattice, &everything);
    CospinState initial;
    CospinKetState kets;
    PetscBool ok;

    OK(CospinStateCreate(model.problem, CospinRecordGet(&model.deck->tasks[0], "initial"), model.faults,
                         &initial, &ok));
    OK(CospinLatticeCreate(model.problem->system.num_coordinates, &span));
    OK(CospinKetStateCreate(initial, span, &kets));
    assert_int_equal(kets->mixed, states[d].mixed);
    assert_int_equal(CospinLatticeRank(span), states[d].rank);
    for (int k = 0; k < generator.n; k++) {
      int label[COSPIN_MAX_COORDINATES];
      CospinSectorLabel(everything, k, label);
      assert_true(cabs(mean_element(kets, label) - CospinStateElement(initial, label)) <
                  (kets->mixed ? 5e-4 : 1e-13));
    }
    OK(CospinKetStateDestroy(&kets));
    OK(CospinStateDestroy(&initial));
    OK(CospinLatticeDestroy(&span));
    Dense_Free(&generator);
    OK(CospinSectorDestroy(&everything));
    OK(CospinLatticeDestroy(&lattice));
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_generator), cmocka_unit_test(test_states)};
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
