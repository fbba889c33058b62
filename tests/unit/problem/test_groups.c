/* Groups of components: one line of a deck is what as many lines written by hand are, and says what is wrong
   with it at that line. */
#include "support_faults.h"
#include "support_model.h"
#include <cospin/problem/component.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
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

/* Two decks of the same problem: the same moves, bit by bit. */
static void assert_same_moves(const char one[], const char other[])
{
  Model a = Model_Open(PETSC_COMM_SELF, one, 0), b = Model_Open(PETSC_COMM_SELF, other, 0);
  const CospinMoves x = a.problem->generator, y = b.problem->generator;
  const size_t bytes = (size_t)a.problem->system.num_coordinates * sizeof(int);

  assert_int_equal(a.problem->system.num_components, b.problem->system.num_components);
  assert_int_equal(x->count, y->count);
  assert_true(x->count > 0);
  for (int k = 0; k < x->count; k++) {
    assert_memory_equal(x->moves[k].shift, y->moves[k].shift, bytes);
    assert_int_equal(x->moves[k].num_chains, y->moves[k].num_chains);
    for (int c = 0; c < x->moves[k].num_chains; c++) {
      const CospinChain *p = &x->moves[k].chains[c], *q = &y->moves[k].chains[c];
      assert_int_equal(p->length, q->length);
      assert_true(p->coefficient == q->coefficient);
      for (int s = 0; s < p->length; s++) {
        assert_int_equal(p->steps[s].component, q->steps[s].component);
        assert_int_equal(p->steps[s].code, q->steps[s].code);
      }
    }
  }
  Model_Close(&a);
  Model_Close(&b);
}

#define TASKS "tasks: [steady: {}]\n"

/* Sums over the group, over its pairs, over its components and their spins; the index is k, l or nothing. */
static void a_group_is_its_components(void **state)
{
  static const char by_hand[] =
      "title: T\nparameters: {n: 3, w: 0.7}\n"
      "components: {a: {kind: ensemble, size: n}, b: {kind: ensemble, size: n}, c: {kind: mode, cutoff: 3}}\n"
      "hamiltonian: [-0.3*a.Sz + 0.4*b.Sz, 0.5*c.a*a.Sp + 0.5*c.a*b.Sp + hc, 0.1*a.Sz*b.Sz]\n"
      "jumps:\n  - {rate: 1, operator: a.Sm + b.Sm}\n  - {rate: w, each: a.sp}\n  - {rate: w*1.5, each: "
      "b.sp}\n"
      "  - {rate: 0.2, operator: a.Sz}\n  - {rate: 0.3, operator: b.Sz}\n  - {rate: 0.1, each: b.sz}\n"
      "  - {rate: 0.5, operator: a.Sx*b.Sx}\n" TASKS;
  static const char group[] =
      "title: T\nparameters: {n: 3, w: 0.7, K: 2}\n"
      "components: {g: {kind: ensemble, size: n, groups: K}, c: {kind: mode, cutoff: 3}}\n"
      "arrays: {delta: [-0.3, 0.4], f: [1, 1.5], u: [0.2, 0.3], J: [[0, 0.05], [0.05, 0]]}\n"
      "hamiltonian: [sum: 'delta[k]*g[k].Sz', 0.5*c.a*g.Sp + hc, sum: 'J[l,m]*g[l].Sz*g[m].Sz']\n"
      "jumps:\n  - {rate: 1, operator: g.Sm}\n  - {rate: 'w*f[l]', each: g.sp}\n"
      "  - {rate: 'u[k]', each: 'g[k].Sz'}\n  - {rate: 0.1, each: 'g[1].sz'}\n"
      "  - {rate: 0.5, operator: 'g[0].Sx*g_1.Sx'}\n" TASKS;

  (void)state;
  assert_same_moves(by_hand, group);
}

/* Rates of pairs are a matrix over the components. */
static void pairs_run_over_components(void **state)
{
  static const char by_hand[] = "title: T\ncomponents: {a: {kind: spin, S: 1}, b: {kind: spin, S: 1}}\n"
                                "jumps:\n  - {rate: 1, operator: a.Sm}\n  - {rate: 2, operator: b.Sm}\n"
                                "  - {rate: 0.5, operator: a.Sm + b.Sm}\n" TASKS;
  static const char group[] =
      "title: T\ncomponents: {g: {kind: spin, S: 1, groups: 2}}\narrays: {R: [[1.5, 0.5], [0.5, 2.5]]}\n"
      "jumps: [{rates: R, pairs: g.Sm}]\n" TASKS;

  (void)state;
  assert_same_moves(by_hand, group);
}

/* Atoms of several levels: indices of the member and of levels; single atoms are found behind a group's name.
 */
static void members_have_indices_of_their_own(void **state)
{
  static const char by_hand[] =
      "title: T\ncomponents: {a: {kind: levels, size: 2, levels: 3}, b: {kind: levels, size: 2, levels: 3}}\n"
      "hamiltonian: ['a.E[0,1] + a.E[1,0] + b.E[1,2] + b.E[2,1]', '0.3*(a.n[2] + b.n[2])']\n"
      "jumps: [{rate: 1, each: 'a.e[0,2]'}, {rate: 1, each: 'b.e[0,2]'}]\n" TASKS;
  static const char group[] =
      "title: T\ncomponents: {g: {kind: levels, size: 2, levels: 3, groups: 2}}\n"
      "hamiltonian: ['g[0].E[0,1] + g[0].E[1,0] + g[1].E[1,2] + g[1].E[2,1]', '0.3*g.n[2]']\n"
      "jumps: [{rate: 1, each: 'g.e[0,2]'}]\n" TASKS;

  (void)state;
  assert_same_moves(by_hand, group);
}

/* Numbers of time, too: each component's coefficient is its own. */
static void coefficients_of_time_know_their_component(void **state)
{
  static const char by_hand[] =
      "title: T\ncomponents: {a: {kind: spin, S: 1}, b: {kind: spin, S: 1}}\n"
      "hamiltonian: [0.5*sin(t)*a.Sx + 0.7*sin(t)*b.Sx]\n"
      "jumps: [{rate: 1*exp(-t), operator: a.Sm}, {rate: 2*exp(-t), operator: b.Sm}]\n"
      "observables: {x: '<a.Sz>', y: '<b.Sz>'}\ntasks: [evolve: {times: [1], initial: {a: {css: [1, 0]}}}]\n";
  static const char group[] =
      "title: T\ncomponents: {g: {kind: spin, S: 1, groups: 2}}\narrays: {d: [0.5, 0.7], r: [1, 2]}\n"
      "hamiltonian: [sum: 'd[k]*sin(t)*g[k].Sx']\n"
      "jumps: [{rate: 'r[k]*exp(-t)', each: 'g[k].Sm'}]\n"
      "observables: {x: '<g[0].Sz>', y: '<g[1].Sz>'}\ntasks: [evolve: {times: [1], initial: {'g[0]': {css: "
      "[1, 0]}}}]\n";
  Model a = Model_Open(PETSC_COMM_SELF, by_hand, 0), b = Model_Open(PETSC_COMM_SELF, group, 0);
  Answer p = Model_Run(&a, 0), q = Model_Run(&b, 0);

  (void)state;
  assert_true(fabs(Answer_Get(&p, "x", 0) - Answer_Get(&p, "y", 0)) > 0.1);
  assert_true(fabs(Answer_Get(&p, "x", 0) - Answer_Get(&q, "x", 0)) < 1e-9);
  assert_true(fabs(Answer_Get(&p, "y", 0) - Answer_Get(&q, "y", 0)) < 1e-9);
  Answer_Free(&p);
  Answer_Free(&q);
  Model_Close(&a);
  Model_Close(&b);
}

/* Four groups of four spins in cats: one line is the four components by hand. */
static void four_groups_of_cats(void **state)
{
  static const char by_hand[] =
      "title: T\nparameters: {n: 4}\ncomponents:\n  a: {kind: spin, S: n/2}\n  b: {kind: spin, S: n/2}\n"
      "  c: {kind: spin, S: n/2}\n  d: {kind: spin, S: n/2}\n"
      "hamiltonian: [0.1*a.Sz + 0.2*b.Sz + 0.3*c.Sz + 0.4*d.Sz]\n"
      "jumps: [{rate: 1/n, operator: a.Sm + b.Sm + c.Sm + d.Sm}]\n"
      "observables: {all: <(a.Sp+b.Sp+c.Sp+d.Sp)*(a.Sm+b.Sm+c.Sm+d.Sm)>, pair: re(<b.Sp*c.Sm>)}\n"
      "tasks: [evolve: {times: [0.1], initial: {a: {cat: [pi/2, 0, 1]}, b: {cat: [pi/2, 0, 1]}, "
      "c: {cat: [pi/2, 0, 1]}, d: {cat: [pi/2, 0, 1]}}}]\n";
  static const char group[] =
      "title: T\nparameters: {n: 4}\ncomponents: {g: {kind: spin, S: n/2, groups: 4}}\n"
      "arrays: {delta: [0.1, 0.2, 0.3, 0.4]}\nhamiltonian: [sum: 'delta[k]*g[k].Sz']\n"
      "jumps: [{rate: 1/n, operator: g.Sm}]\n"
      "observables: {all: <g.Sp*g.Sm>, pair: 're(<g[1].Sp*g[2].Sm>)'}\n"
      "tasks: [evolve: {times: [0.1], initial: {g: {cat: [pi/2, 0, 1]}}}]\n";
  Model a, b;
  Answer p, q;

  (void)state;
  assert_same_moves(by_hand, group);
  if (getenv("COSPIN_VALGRIND")) return;
  a = Model_Open(PETSC_COMM_SELF, by_hand, 0);
  b = Model_Open(PETSC_COMM_SELF, group, 0);
  p = Model_Run(&a, 0);
  q = Model_Run(&b, 0);
  assert_true(fabs(Answer_Get(&p, "pair", 0)) > 1e-3);
  assert_true(fabs(Answer_Get(&p, "all", 0) - Answer_Get(&q, "all", 0)) < 1e-12);
  assert_true(fabs(Answer_Get(&p, "pair", 0) - Answer_Get(&q, "pair", 0)) < 1e-12);
  Answer_Free(&p);
  Answer_Free(&q);
  Model_Close(&a);
  Model_Close(&b);
}

/* The completed deck has the line as it was, and makes the same components when it is read. */
static void the_completed_deck_has_the_line(void **state)
{
  static const char text[] =
      "title: T\nparameters: {K: 2}\ncomponents: {g: {kind: spin, S: 1, groups: K}}\narrays: {w: [1, 2]}\n"
      "jumps: [{rate: 'w[l]', each: g.Sm}, {rate: 1, operator: g.Sm}]\n"
      "tasks: [evolve: {times: [1], initial: {g: {css: [1, 0]}}}]\n";
  Model model = Model_Open(PETSC_COMM_SELF, text, 0);
  FILE *stream = tmpfile();
  char completed[8192];

  (void)state;
  assert_non_null(stream);
  assert_int_equal(model.deck->num_components, 2);
  assert_int_equal(model.deck->num_jumps, 3);
  OK(CospinDeckViewCompleted(model.deck, stream));
  rewind(stream);
  completed[fread(completed, 1, sizeof(completed) - 1, stream)] = '\0';
  fclose(stream);
  assert_non_null(strstr(completed, "  g: {kind: spin, S: 1, groups: K}\n\n"));
  assert_non_null(strstr(completed, "each: g.Sm}\n  - {rate: 1, operator: g.Sm}\n\n"));
  assert_same_moves(text, completed);
  Model_Close(&model);
}

/* ---- Faults */

static void assert_faults(const char text[], const char expected[])
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  CospinFaults faults;
  CospinTable table = NULL;
  CospinDeck deck;
  PetscBool ok;

  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckRead(text, strlen(text), &schema, faults, &deck));
  if (!CospinFaultsCount(faults)) {
    OK(CospinTableCreate(deck, faults, &table, &ok));
    OK(CospinTableDestroy(&table));
  }
  OK(CospinDeckDestroy(&deck));
  Assert_Faults(&faults, expected);
}

static void the_line_of_a_group_is_checked(void **state)
{
  (void)state;
  assert_faults(
      "title: T\nparameters: {x: 1}\ngrid: {x: [1, 2]}\ncomponents:\n"
      "  g: {kind: spin, S: 1, groups: 2}\n  g_1: {kind: spin, S: 1}\n"
      "  h: {kind: spin, S: 1, groups: x}\n  u: {kind: spin, S: 1, groups: 2.5}\n"
      "  v: {kind: spins, size: 2, groups: 2}\n" TASKS,
      "deck:5:3: components: `g_1` is component 1 of the group `g`, and a component, too (rename one "
      "of them)\n"
      "deck:7:33: components.h.groups: `x` is on the grid or depends on it (only other parameters can "
      "be used here)\n"
      "deck:8:33: components.u.groups: must be a whole number from 1 to 1000, not 2.5\n"
      "deck:9:29: components.v.groups: unknown key `groups` (known: size, kind)\n");
  assert_faults("title: T\ncomponents:\n  g: {kind: spin, S: 1/3, groups: 2}\n" TASKS,
                "deck:3:22: components.g.S: a spin of length 0.333333 (a positive multiple of 1/2)\n");
  assert_faults("title: T\ncomponents: {g: {kind: spin, S: 1, groups: 2}}\narrays: {w: [1, 2, 3]}\n" TASKS,
                "deck:3:14: arrays.w: has 3 entries (must be 2, the components of `g`)\n");
}

static void what_is_said_of_a_group_is_checked(void **state)
{
  (void)state;
  assert_faults(
      "title: T\ncomponents: {g: {kind: ensemble, size: 2, groups: 2}, h: {kind: spin, S: 1, groups: 2},\n"
      "  q: {kind: spins, size: 2}}\n"
      "hamiltonian:\n  - sum: g[k].Sp*g[l].Sm\n  - g[2].Sz\n  - g.Sq\n  - g[k].Sz\n"
      "jumps:\n  - {rate: 1, each: 'g[l].Sm*q.sm[l]'}\n  - {rate: 1, pairs: g.Sm}\n"
      "tasks: [evolve: {times: [1], initial: {g: ground, g_1: ground, f: ground}}]\n",
      "deck:11:6: jumps[1].rate: `pairs` needs `rates`, a matrix over the spins, not `rate`\n"
      "deck:12:56: tasks[0].evolve.initial.g_1: `g_1` has a state already (of a group either `g`, all "
      "alike, or each of its components)\n"
      "deck:12:64: tasks[0].evolve.initial.f: unknown component `f` (known: g_0, g_1, h_0, h_1, q)\n");
  assert_faults(
      "title: T\ncomponents: {g: {kind: ensemble, size: 2, groups: 2}, h: {kind: spin, S: 1, groups: 2},\n"
      "  q: {kind: spins, size: 2}, r: {kind: spins, size: 3}}\narrays: {w: [1, 2, 3]}\n"
      "hamiltonian:\n  - sum: g[k].Sp*g[l].Sm\n  - g[2].Sz\n  - g.Sq\n  - g[k].Sz\n"
      "jumps:\n  - {rate: 1, each: 'g[l].Sm*q.sm[l]'}\n  - {rates: 1, pairs: g.sm}\n"
      "  - {rate: 'w[l]', each: g.sm}\n" TASKS,
      "deck:6:10: hamiltonian[0].sum: `k` and `l` are the same index (write `l` and `m`)\n"
      "deck:7:5: hamiltonian[1]: there is no component 2 in `g` (its 2 are counted from 0)\n"
      "deck:8:5: hamiltonian[2]: ensemble `g_0` has no operator `Sq` (it has Sp, Sm, Sz, Sx, Sy, sp, sm, "
      "sz, sx, sy)\n"
      "deck:9:7: hamiltonian[3]: `k` stands for no spin here (l runs over spins in `sum:` of the "
      "Hamiltonian, in `rates:` of pairs, and beside an `each:` of a component whose spins have indices)\n"
      "deck:11:22: jumps[0].each: runs over a group and over spins with indices (give one of them a "
      "number, as in g[0].Sz)\n"
      "deck:12:23: jumps[1].pairs: pairs are of spins with indices or of groups (collective operators, as "
      "g.Sm), not of single spins of a group\n"
      "deck:13:13: jumps[2].rate: runs over as many as its arrays have entries, which are not those of "
      "`each:`\n");
  assert_faults(
      "title: T\ncomponents: {g: {kind: spin, S: 1, groups: 2}, h: {kind: spin, S: 1, groups: 3}}\n"
      "hamiltonian: ['g[0,1].Sz']\n"
      "jumps:\n  - {rate: 1, each: g.Sm*h.Sm}\n  - {rate: 1, each: 'g[l].Sm*h[l].Sm'}\n" TASKS,
      "deck:3:22: hamiltonian[0]: unexpected `.` (one of a group of components has one number and an "
      "operator, as in g[0].Sz)\n"
      "deck:5:21: jumps[0].each: a group without a number beside another one (write the index of each, "
      "as in g[l].Sm*h[l].Sz)\n"
      "deck:6:22: jumps[1].each: runs over the components of groups of different sizes\n");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_group_is_its_components),
      cmocka_unit_test(pairs_run_over_components),
      cmocka_unit_test(members_have_indices_of_their_own),
      cmocka_unit_test(coefficients_of_time_know_their_component),
      cmocka_unit_test(four_groups_of_cats),
      cmocka_unit_test(the_completed_deck_has_the_line),
      cmocka_unit_test(the_line_of_a_group_is_checked),
      cmocka_unit_test(what_is_said_of_a_group_is_checked),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
