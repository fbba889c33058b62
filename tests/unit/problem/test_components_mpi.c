/*
   Conformance of the kinds of components with the brute-force reference (support_dense.h): each alone, every
   pair, three together; couplings, jumps that combine components; symmetries; charges of components that do
   not talk to each other.
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

#define ENSEMBLE(name, size) #name ": {kind: ensemble, size: " #size "}"
#define SPIN(name, length)   #name ": {kind: spin, S: " #length "}"
#define MODE(name, cutoff)   #name ": {kind: mode, cutoff: " #cutoff ", edge: 1}"
#define SPINS(name, size)    #name ": {kind: spins, size: " #size "}"
#define LEVELS(name, n, d)   #name ": {kind: levels, size: " #n ", levels: " #d "}"
/* a full matrix, one of some elements, a ladder with its number, and two that change levels by two */
#define MATRIX(name)                                                                                         \
#name ": {kind: matrix, levels: 4, operators: {full: [[0.3, a + 0.4*i, 0, b*i], [0.2, -0.1*i, c, 0.5], "   \
        "[i, 0.7, 1.1, 0.3 - b*i], [0, a, 0, 0.6]], few: {entries: [[0, 3, 1 + i], [2, 1, b]]}, "            \
        "down: {entries: [[0, 1, 1], [1, 2, 1.3], [2, 3, 0.8*i]]}, up: [[0, 0, 0, 0], [1.7, 0, 0, 0], "      \
        "[0, 2.21, 0, 0], [0, 0, -1.36*i, 0]], number: [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2.3, 0], "        \
        "[0, 0, 0, 3]], two: {entries: [[0, 2, 1], [1, 3, 0.5 - i]]}, zero: {entries: []}}}"

/* a ... f are random positive numbers. `symmetry` begins the line that a user reads; " +": there are more
   charges than that of all components together. */
static const struct {
  const char *components, *body, *symmetry, *observables, *of[3];
} models[] = {
    /* ---- one */
    {SPIN(s, 3 / 2),
     "hamiltonian: [a*s.Sx, b*s.Sz^2]\njumps: [{rate: c, operator: s.Sm}, {rate: d, operator: s.Sz}]\n",
     "no conserved charge",
     "<s.Sx> <s.Sy> <s.Sz> <s.b> <dag(s.b)*s.b> <s.Sp*s.Sy>",
     {"s.Sm", "s.b", "s.Sy*s.Sz"}},
    {SPIN(s, 2),
     "hamiltonian: [a*s.Sz + b*dag(s.b)^2*s.b^2]\n"
     "jumps: [{rate: c, operator: s.b}, {rate: d, operator: s.Sp}, {rate: e, operator: dag(s.b)*s.b}]\n",
     "weak U(1)",
     "<s.Sz> <s.Sp*s.Sm> <dag(s.b)*(4 - dag(s.b)*s.b)*s.b> <(2 - 3*i)*s.Sm*s.b>",
     {"s.b", "s.Sx", "s.Sm + s.Sm^2"}},
    {MODE(u, 6),
     "hamiltonian: [a*u.n, (b + c*i)*u.a + hc]\njumps: [{rate: d, operator: u.a}]\n",
     "no conserved charge",
     "<u.n> <u.a> <u.a^2> <dag(u.a)^2*u.a^2> <i*dag(u.a)*u.n>",
     {"u.a", "u.n", "u.a - dag(u.a)"}},
    {MODE(u, 5),
     "hamiltonian: [a*u.n^2]\njumps: [{rate: b, operator: u.a}, {rate: c, operator: dag(u.a)}, "
     "{rate: d, operator: u.n}]\n",
     "weak U(1)",
     "<u.n> <u.a> <dag(u.a)^2*u.a^2>",
     {"u.a", "u.a + u.a^2", "u.n"}},
    {SPINS(q, 2), /* no two alike */
     "hamiltonian: [\"a*q.sz[0] - b*q.sz[1]\", \"(c + d*i)*q.sp[0]*q.sm[1] + hc\"]\n"
     "jumps: [{rate: e, operator: q.Sm}, {rate: f, each: q.sp}, {rate: a, operator: \"q.sz[1]\"}]\n",
     "weak U(1)",
     "<q.Sz> <q.sz[0]> <q.sp[0]*q.sm[1]> <q.sm[1]>",
     {"q.Sm", "q.Sx", "q.Sm^2"}},
    {SPINS(q, 2),
     "hamiltonian: [\"a*q.sx[0] + b*q.sy[1]\", c*q.Sz^2]\n"
     "jumps: [{rate: d, each: q.sm}, {rate: e, operator: \"q.sm[0] + 0.5*i*q.sz[1]\"}]\n",
     "no conserved charge",
     "<q.sx[0]> <q.sx[1]> <q.sp[0]*q.sz[1]>",
     {"q.Sm", "q.Sy", "q.Sp^2"}},
    {LEVELS(g, 2, 3),
     "hamiltonian: [\"a*g.n[1] + b*g.Sz^2\", \"c*g.E[1,0]*g.E[1,2] + hc\"]\n"
     "jumps: [{rate: d, operator: g.Sm}, {rate: e, operator: \"g.E[2,1]\"}, {rate: f, operator: g.Qzz}]\n",
     "weak U(1)",
     "<g.Sz> <g.n[0]> <g.E[2,0]> <g.Qxx - g.Qyy> <g.Sx^2 + g.Sy^2 + g.Sz^2>",
     {"g.Sm", "g.Sx*g.Qzx", "g.E[0,2]"}},
    {LEVELS(g, 2, 3),
     "hamiltonian: [a*(g.Qxx - g.Qyy), b*g.Qxy, c*g.Sz]\n"
     "jumps: [{rate: d, operator: \"g.E[0,1] + 0.4*i*g.E[1,2]\"}, {rate: e, operator: g.Qyz}, {rate: f, "
     "operator: "
     "g.Sx}]\n",
     "weak Z_2",
     "<g.Sz> <g.Sx> <g.Qxy> <g.Qyy> <g.Qzx*g.Sy>",
     {"g.Sm", "g.Qyz", "g.E[2,0]"}},
    {MATRIX(m),
     "hamiltonian: [m.full + hc, b*m.few*dag(m.few), m.zero]\n"
     "jumps: [{rate: c, operator: m.full}, {rate: d, operator: m.few + 0.5*m.number}, {rate: e, operator: "
     "\"m.full*m.E[1,2]\"}]\n",
     "no conserved charge",
     "<m.full> <m.few> <m.E[3,3]> <m.number*m.full> <(1 - i)*m.down*m.up> <m.E[0,2]>",
     {"m.few", "m.full*m.number", "m.E[1,3]"}},
    {MATRIX(m),
     "hamiltonian: [a*m.number, b*m.up*m.down]\n"
     "jumps: [{rate: c, operator: m.down}, {rate: d, operator: m.up}, {rate: e, operator: m.number + 0.3}]\n",
     "weak U(1)",
     "<m.number> <m.E[2,2]> <m.up*m.down> <m.down>",
     {"m.down", "m.two", "m.down + m.number"}},
    {MATRIX(m),
     "hamiltonian: [m.two + dag(m.two), a*m.number]\njumps: [{rate: c, operator: m.two}, {rate: d, operator: "
     "m.number^2}]\n",
     "strong Z_2",
     "<m.number> <m.two>",
     {"m.down", "m.two", "m.full"}},
    /* strong symmetries */
    {SPIN(s, 2),
     "hamiltonian: [a*s.Sz + b*s.Sz^2]\njumps: [{rate: c, operator: s.Sz}, {rate: d, operator: "
     "dag(s.b)*s.b}]\n",
     "strong U(1)",
     "<s.Sz>",
     {"s.Sm", "s.b^2", "s.Sx"}},
    {MODE(u, 7),
     "hamiltonian: [(a - b*i)*u.a^2 + hc]\njumps: [{rate: c, operator: u.a^2}, {rate: d, operator: u.n}]\n",
     "strong Z_2",
     "<u.n> <u.a>",
     {"u.a", "u.a^2", "u.n"}},
    {SPIN(s, 3),
     "hamiltonian: [a*s.Sm^2 + hc, b*s.Sz]\njumps: [{rate: c, operator: s.Sm^2}]\n",
     "strong Z_2",
     "<s.Sz>",
     {"s.b", "s.Sm^2", "s.Sx + s.Sz"}},
    {SPIN(s, 5 / 2),
     "hamiltonian: [(a + b*i)*s.Sm^2 + hc, c*s.Sz]\njumps: [{rate: d, operator: s.Sm}]\n",
     "weak Z_2",
     "<s.Sz> <s.Sx> <s.Sm^2>",
     {"s.b", "s.Sm^2", "s.Sx + s.Sz"}},
    {SPIN(s, 4),
     "hamiltonian: [(a + b*i)*s.Sm^4 + hc, c*s.Sz]\n"
     "jumps: [{rate: 0.1*d, operator: s.Sm^4}, {rate: e, operator: s.Sz}]\n",
     "strong Z_4",
     "<s.Sz>",
     {"s.b", "s.Sm^2", "s.b + s.Sm^3"}},
    {MODE(u, 8),
     "hamiltonian: [a*u.a^4 + hc, b*u.n]\njumps: [{rate: c, operator: u.a}]\n",
     "weak Z_4",
     "<u.n> <u.a^4> <u.a>",
     {"u.a", "u.a^2", "u.a^3 + u.n"}},
    /* ---- two */
    {ENSEMBLE(A, 2) ", " ENSEMBLE(B, 2),
     "hamiltonian: [(a + b*i)*A.Sp*B.Sm + hc, c*A.Sz]\n"
     "jumps: [{rate: d, each: A.sp}, {rate: e, operator: A.Sm + B.Sm}, {rate: f, each: B.sm*A.Sz}]\n",
     "weak U(1)",
     "<A.Sz> <A.Sp*B.Sm> <A.Sz*B.Sz> <B.Sp*B.Sm>",
     {"A.Sm", "A.Sm*B.Sp", "A.Sx"}},
    {ENSEMBLE(ions, 3) ", " SPIN(s, 1),
     "hamiltonian: [a*ions.Sp*s.Sm + hc, b*ions.Sz*s.Sz]\n"
     "jumps: [{rate: c, each: ions.sm*dag(s.b)}, {rate: d, each: ions.sp}, {rate: e, operator: s.Sm}]\n",
     "weak U(1)",
     "<ions.Sz> <s.Sz> <ions.Sp*s.Sm> <s.b>",
     {"s.Sm", "ions.Sp", "ions.Sm*s.Sz"}},
    {ENSEMBLE(ions, 2) ", " SPIN(s, 1),
     "hamiltonian: [a*ions.Sx*s.Sy, b*(s.Sm^2 + dag(s.Sm^2))]\n"
     "jumps: [{rate: c, each: ions.sz*s.b}, {rate: d, each: ions.sm}, {rate: e, operator: ions.Sm*s.Sz}]\n",
     "weak Z_2",
     "<ions.Sz> <s.Sz> <ions.Sy*s.Sx> <s.Sp^2>",
     {"s.Sm", "ions.Sp*s.Sp", "ions.Sx"}},
    {ENSEMBLE(ions, 2) ", " MODE(cavity, 4),
     "hamiltonian: [(a - b*i)*cavity.a*ions.Sp + hc, c*cavity.n*ions.Sz]\n"
     "jumps: [{rate: d, each: ions.sm*dag(cavity.a)}, {rate: e, operator: cavity.a}, {rate: f, each: "
     "ions.sp}]\n",
     "weak U(1)",
     "<cavity.n> <ions.Sz> <dag(cavity.a)*ions.Sm> <cavity.a>",
     {"cavity.a", "ions.Sm", "cavity.a + dag(cavity.a)"}},
    {ENSEMBLE(ions, 3) ", " MODE(cavity, 2),
     "hamiltonian: [a*ions.Sx, b*cavity.a + hc]\n"
     "jumps: [{rate: c, each: ions.sz*cavity.a}, {rate: d, each: ions.sm + 0.3*i*ions.sz}, "
     "{rate: e, operator: cavity.a*ions.Sp}]\n",
     "no conserved charge",
     "<cavity.n> <ions.Sz> <dag(cavity.a)*ions.Sm> <ions.Sp^2>",
     {"cavity.a", "ions.Sm", "ions.Sz*cavity.n"}},
    {SPIN(s, 1) ", " SPIN(t, 3 / 2),
     "hamiltonian: [(a + b*i)*s.Sp*t.b + hc, c*t.Sz^2]\n"
     "jumps: [{rate: d, operator: s.Sm*dag(t.b)}, {rate: e, operator: t.Sm}, {rate: f, operator: s.Sp}]\n",
     "weak U(1)",
     "<s.Sz> <t.Sz> <s.Sp*t.Sm> <dag(t.b)*t.b>",
     {"t.b", "s.Sm*t.Sp", "s.Sx + t.Sy"}},
    {SPIN(s, 3 / 2) ", " MODE(cavity, 3),
     "hamiltonian: [a*cavity.n*s.Sz, b*(s.Sm^2 + dag(s.Sm^2))]\n"
     "jumps: [{rate: c, operator: cavity.a*dag(s.b)}, {rate: d, operator: cavity.a}, {rate: e, operator: "
     "s.Sm}, "
     "{rate: f, operator: dag(cavity.a)}]\n",
     "weak Z_2 +", /* of the spin; U(1) of the mode */
     "<cavity.n> <s.Sz> <dag(cavity.a)*s.b> <s.Sm^2>",
     {"s.b", "cavity.a", "s.Sm^2*dag(cavity.a)"}},
    {MODE(u, 3) ", " MODE(v, 4),
     "hamiltonian: [(a + b*i)*u.a*dag(v.a) + hc, c*v.n]\n"
     "jumps: [{rate: d, operator: u.a}, {rate: e, operator: dag(v.a)}, {rate: f, operator: u.a + "
     "0.5*i*v.a}]\n",
     "weak U(1)",
     "<u.n> <v.n> <dag(u.a)*v.a> <u.a>",
     {"u.a", "v.a", "u.a*v.a"}},
    {MODE(u, 4) ", " MODE(v, 3), /* one photon makes two */
     "hamiltonian: [a*u.a^2*dag(v.a) + hc]\njumps: [{rate: b, operator: v.a}, {rate: c, operator: u.a^2}, "
     "{rate: d, operator: dag(v.a)}]\n",
     "no conserved charge +",
     "<u.n> <v.n>",
     {"u.a", "v.a", "u.a^2"}},
    {ENSEMBLE(ions, 2) ", " SPINS(q, 2),
     "hamiltonian: [\"(a + b*i)*ions.Sp*q.sm[0] + hc\", \"c*q.sz[1]\"]\n"
     "jumps: [{rate: d, each: ions.sp}, {rate: e, operator: ions.Sm + q.Sm}, {rate: f, each: "
     "q.sm*ions.Sz}]\n",
     "weak U(1)",
     "<ions.Sz> <q.sz[0]> <q.sz[1]> <ions.Sp*q.sm[1]>",
     {"q.Sm", "ions.Sm", "ions.Sp*q.Sm"}},
    {SPIN(s, 1) ", " SPINS(q, 2),
     "hamiltonian: [\"a*s.Sp*q.sm[0] + hc\", \"b*q.sx[0]*q.sx[1]\"]\n"
     "jumps: [{rate: c, each: q.sm*dag(s.b)}, {rate: d, operator: s.Sm}, {rate: e, each: q.sp}]\n",
     "weak Z_2",
     "<s.Sz> <q.sz[0]> <dag(s.b)*q.sm[1]> <q.sp[0]*q.sp[1]>",
     {"s.b", "q.Sm", "q.Sp*s.Sz"}},
    {SPINS(q, 2) ", " MODE(cavity, 3),
     "hamiltonian: [\"a*cavity.a*q.sp[0] + hc\", \"(b - c*i)*cavity.a*q.sp[1] + hc\", \"d*q.sz[1]\"]\n"
     "jumps: [{rate: e, operator: cavity.a}, {rate: f, each: q.sp}, {rate: a, each: q.sz*cavity.n}]\n",
     "weak U(1)",
     "<cavity.n> <q.sz[0]> <dag(cavity.a)*q.sm[1]> <cavity.a>",
     {"cavity.a", "q.Sm", "q.Sx*cavity.n"}},
    {SPINS(p, 1) ", " SPINS(q, 2),
     "hamiltonian: [\"a*p.sp[0]*q.sm[1] + hc\", \"b*q.sp[0]*q.sm[1] + hc\", c*p.Sz]\n"
     "jumps: [{rate: d, operator: p.Sm + q.Sm}, {rate: e, each: q.sp}, {rate: f, each: p.sz}]\n",
     "weak U(1)",
     "<p.Sz> <q.sz[0]> <p.sp[0]*q.sm[0]> <p.sm[0]>",
     {"p.Sm", "q.Sm", "p.Sm*q.Sz"}},
    {LEVELS(g, 2, 3) ", " MODE(cavity, 2),
     "hamiltonian: [(a + b*i)*cavity.a*g.Sp + hc, \"c*cavity.n*g.n[1]\"]\n"
     "jumps: [{rate: d, operator: cavity.a}, {rate: e, operator: g.Sm}, {rate: f, operator: "
     "\"g.E[1,0]*cavity.n\"}]\n",
     "weak U(1)",
     "<cavity.n> <g.Sz> <g.n[2]> <dag(cavity.a)*g.Sm> <g.Qzz>",
     {"cavity.a", "g.Sm", "g.E[0,2]"}},
    {ENSEMBLE(ions, 2) ", " MATRIX(m),
     "hamiltonian: [(a + b*i)*m.up*ions.Sm + hc, c*m.number*ions.Sz]\n"
     "jumps: [{rate: d, each: ions.sm*m.number}, {rate: e, operator: m.down + 0.4*ions.Sm}, {rate: f, each: "
     "ions.sp}]\n",
     "weak U(1)",
     "<m.number> <ions.Sz> <m.up*ions.Sm> <m.E[3,3]*ions.Sz>",
     {"ions.Sm", "m.down", "m.two*ions.Sp"}},
    {MATRIX(m) ", " MODE(cavity, 2),
     "hamiltonian: [a*m.few*cavity.a + hc, m.full + hc]\n"
     "jumps: [{rate: d, operator: cavity.a*m.full}, {rate: e, operator: cavity.a + m.few}]\n",
     "no conserved charge",
     "<cavity.n> <m.few*cavity.a> <m.full>",
     {"cavity.a", "m.few", "m.E[0,1]*cavity.a"}},
    {MATRIX(m) ", r: {kind: matrix, levels: 2}",
     "hamiltonian: [\"m.two*r.E[1,0] + hc\", a*m.number]\n"
     "jumps: [{rate: d, operator: \"r.E[0,1]\"}, {rate: e, operator: m.down}, {rate: f, operator: m.up}]\n",
     "no conserved charge +", /* twice the one, once the other */
     "<m.number> <r.E[1,1]>",
     {"m.down", "r.E[0,1]", "m.two"}},
    /* ---- three */
    {ENSEMBLE(ions, 2) ", " SPIN(s, 1 / 2) ", " MODE(cavity, 2),
     "hamiltonian: [a*cavity.a*ions.Sp + hc, (b + c*i)*cavity.a*s.Sp + hc]\n"
     "jumps: [{rate: d, each: ions.sp*cavity.a}, {rate: e, operator: cavity.a}, "
     "{rate: f, operator: s.Sp + ions.Sp}, {rate: 0.7, each: ions.sm}]\n",
     "weak U(1)",
     "<cavity.n> <ions.Sz> <s.Sz> <ions.Sp*s.Sm> <dag(cavity.a)*s.b>",
     {"cavity.a", "ions.Sm*s.Sz", "s.b"}},
};
enum { NUM_MODELS = sizeof(models) / sizeof(models[0]) };

static Model open_model(int k, const char form[])
{
  uint64_t state = (uint64_t)(77 + k);
  char text[4096], copy[512], *rest;
  int length = snprintf(text, sizeof(text), "title: a model\nparameters: {"), number = 0;
#define ADD(...) length += snprintf(text + length, sizeof(text) - (size_t)length, __VA_ARGS__)
  for (int c = 'a'; c <= 'f'; c++)
    ADD("%s%c: %.3f", c == 'a' ? "" : ", ", c, 0.3 + Conformance_Random(&state));
  ADD("}\ncomponents: {%s}\n%sobservables:\n", models[k].components, models[k].body);
  snprintf(copy, sizeof(copy), "%s", models[k].observables);
  for (char *at = copy; (rest = strchr(at, '>')); at = rest + 1)
    ADD("  o%d: %.*s\n", number++, (int)(rest + 1 - at), at);
  ADD("tasks: [steady: {}, gap: {}");
  for (int t = 0; t < 3; t++) ADD(", decay: {name: d%d, of: \"%s\", count: %d}", t, models[k].of[t], 1 + t);
  ADD("]\noperator: %s\n", form);
#undef ADD
  assert_in_range(length, 1, sizeof(text) - 1);
  return Model_Open(PETSC_COMM_WORLD, text, 0);
}

static void for_all_models(void (*check)(const Model *model))
{
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = open_model(k, "assembled");
    check(&model);
    Model_Close(&model);
  }
}

static void for_all_models_without_matrices(void (*check)(const Model *model))
{
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = open_model(k, "shell");
    check(&model);
    Model_Close(&model);
  }
}

static void moves_are_the_generator_of_the_whole(void **state)
{
  (void)state;
  for_all_models(Conformance_Moves);
}

static void products_without_a_matrix_are_the_same(void **state)
{
  (void)state;
  for_all_models(Conformance_Shell);
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

/* Strong symmetries have many equal eigenvalues, some of them defective by rounding. */
static void check_spectra(const Model *model)
{
  Conformance_Spectra(model, 1e-9);
  if (!strstr(model->deck->text, "ensemble") && !strstr(model->deck->text, "levels"))
    Conformance_Same_Spectra(model, 1e-9);
}

static void spectra_are_those_of_the_whole(void **state)
{
  (void)state;
  for_all_models(check_spectra);
}

static void expectation_values_are_those_of_the_whole(void **state)
{
  (void)state;
  for_all_models(Conformance_Expectations);
}

static void steady_states_are_steady_for_the_whole(void **state)
{
  (void)state;
  for_all_models(Conformance_Steady_State);
}

static void steady_states_are_found_without_a_matrix(void **state)
{
  (void)state;
  for_all_models_without_matrices(Conformance_Steady_State);
}

static void operators_are_looked_for_where_they_live(void **state)
{
  (void)state;
  for_all_models(Conformance_Operator_Sectors);
}

static void check_rates(const Model *model)
{
  Conformance_Rates(model, 1e-9);
}

static void rates_are_those_of_dense_sectors(void **state)
{
  (void)state;
  for_all_models(check_rates);
}

static void rates_are_found_without_a_matrix(void **state)
{
  (void)state;
  for_all_models_without_matrices(check_rates);
}

static void symmetries_are_found(void **state)
{
  (void)state;
  for (int k = 0; k < NUM_MODELS; k++) {
    Model model = open_model(k, "auto");
    const char *plus = strstr(models[k].symmetry, " +");
    const size_t length = plus ? (size_t)(plus - models[k].symmetry) : strlen(models[k].symmetry);
    char text[256];
    OK(CospinProblemDescribeSymmetry(model.problem, text, sizeof(text)));
    if (strncmp(text, models[k].symmetry, length) != 0 || !plus != !strstr(text, "some components"))
      fail_msg("%s\nhas %s, not %s", model.deck->text, text, models[k].symmetry);
    Model_Close(&model);
  }
}

/* ---- Charges of their own
 * ----------------------------------------------------------------------------------- */

/* Labels (j,m,m') of N spins with m - m' = charge. */
static int labels_of_charge(int spins, int charge)
{
  int sum = 0;

  for (int two_j = spins; two_j >= 0; two_j -= 2) sum += PetscMax(two_j + 1 - abs(charge), 0);
  return sum;
}

#define OWN_BATHS                                                                                            \
  "title: two ensembles\nparameters: {M: %d, N: %d}\n"                                                       \
  "components: {A: {kind: ensemble, size: M}, B: {kind: ensemble, size: N}}\n"                               \
  "hamiltonian: [0.4*A.Sz*B.Sz]\n"                                                                           \
  "jumps: [{rate: 1, operator: A.Sm}, {rate: 0.6, each: A.sp}, {rate: 0.8, operator: B.Sm}, "                \
  "{rate: 0.3, each: B.sp}, {rate: 0.2, each: B.sz}]\n"                                                      \
  "tasks: [steady: {}, decay: {of: A.Sm}, decay: {name: both, of: A.Sm*B.Sp^2}]\n"

/* What one bath takes from A says nothing about B: the charge of each is conserved, not only their sum. */
static void charges_of_uncoupled_ensembles_are_separate(void **state)
{
  static const int sizes[][2] = {{1, 1}, {2, 2}, {3, 2}, {4, 3}};

  (void)state;
  for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
    const int m = sizes[k][0], n = sizes[k][1];
    char text[1024];
    Model model;
    Answer steady, decay, both;
    int num;
    snprintf(text, sizeof(text), OWN_BATHS, m, n);
    model = Model_Open(PETSC_COMM_WORLD, text, 0);
    OK(CospinProblemDescribeSymmetry(model.problem, text, sizeof(text)));
    assert_non_null(strstr(text, "weak U(1)"));
    assert_non_null(strstr(text, "some components"));
    free(Model_All_Sectors(model.problem, &num));
    assert_int_equal(num, (2 * m + 1) * (2 * n + 1));
    steady = Model_Run(&model, 0);
    decay = Model_Run(&model, 1);
    both = Model_Run(&model, 2);
    assert_true(Answer_Get(&steady, "dimension", 0) == labels_of_charge(m, 0) * labels_of_charge(n, 0));
    assert_true(Answer_Get(&decay, "dimension", 0) == labels_of_charge(m, 1) * labels_of_charge(n, 0));
    if (n > 1)
      assert_true(Answer_Get(&both, "dimension", 0) == labels_of_charge(m, 1) * labels_of_charge(n, 2));
    assert_int_equal(steady.outcome, COSPIN_GOOD);
    assert_int_equal(decay.outcome, COSPIN_GOOD);
    assert_int_equal(both.outcome, n > 1 ? COSPIN_GOOD : COSPIN_EMPTY_SECTOR);
    Answer_Free(&steady);
    Answer_Free(&decay);
    Answer_Free(&both);
    Model_Close(&model);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_are_the_generator_of_the_whole),
      cmocka_unit_test(products_without_a_matrix_are_the_same),
      cmocka_unit_test(sectors_hold_every_element_once),
      cmocka_unit_test(trace_and_hermiticity_are_kept),
      cmocka_unit_test(spectra_are_those_of_the_whole),
      cmocka_unit_test(expectation_values_are_those_of_the_whole),
      cmocka_unit_test(steady_states_are_steady_for_the_whole),
      cmocka_unit_test(steady_states_are_found_without_a_matrix),
      cmocka_unit_test(operators_are_looked_for_where_they_live),
      cmocka_unit_test(rates_are_those_of_dense_sectors),
      cmocka_unit_test(rates_are_found_without_a_matrix),
      cmocka_unit_test(symmetries_are_found),
      cmocka_unit_test(charges_of_uncoupled_ensembles_are_separate),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() ? 1 : failed;
}
