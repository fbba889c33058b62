#include "support_faults.h"
#include <cospin/deck/deck.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* A schema with a key of every type. */
static const char *const methods[] = {"auto", "sparse", "dense", NULL};
static const CospinKey ensemble_keys[] = {{.name = "size",
                                           .type = COSPIN_KEY_INTEGER,
                                           .required = PETSC_TRUE,
                                           .unit = "",
                                           .help = "number of spins"},
                                          {.name = NULL, .type = COSPIN_KEY_NUMBER}};
static const CospinKey steady_keys[] = {{.name = NULL, .type = COSPIN_KEY_NUMBER}};
static const CospinKey decay_keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "whose sector is meant"},
    {.name = "count", .type = COSPIN_KEY_INTEGER, .default_text = "1", .unit = "", .help = "how many"},
    {.name = "shift", .type = COSPIN_KEY_NUMBER, .unit = "rate", .help = "where to look"},
    {.name = "weights",
     .type = COSPIN_KEY_BOOLEAN,
     .default_text = "true",
     .unit = "",
     .help = "whether weights are wanted"},
    {.name = "method",
     .type = COSPIN_KEY_NAME,
     .default_text = "auto",
     .choices = methods,
     .unit = "",
     .help = "how"},
    {.name = "times", .type = COSPIN_KEY_AXIS, .default_text = "[0, 1]", .unit = "time", .help = "when"},
    {.name = NULL, .type = COSPIN_KEY_NUMBER}};
static const CospinRecordKind ensemble = {"ensemble", "spins", ensemble_keys};
static const CospinRecordKind steady = {"steady", "steady state", steady_keys};
static const CospinRecordKind decay = {"decay", "eigenvalues", decay_keys};
static const CospinRecordKind *const components[] = {&ensemble, NULL}, *const tasks[] = {&steady, &decay,
                                                                                         NULL};
static const CospinSchema schema = {components, tasks, NULL, NULL, NULL};

/* Sections that make any other text a deck. */
#define REST                                                                                                 \
  "title: t\n"                                                                                               \
  "components: {ions: {kind: ensemble, size: 2}}\n"                                                          \
  "tasks: [steady]\n"

static void read_good(const char text[], CospinDeck *deck)
{
  CospinFaults faults;

  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckRead(text, strlen(text), &schema, faults, deck));
  Assert_Faults(&faults, "");
}

static void assert_bad_bytes(const char text[], size_t length, const char expected[])
{
  CospinFaults faults;
  CospinDeck deck;

  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckRead(text, length, &schema, faults, &deck));
  assert_non_null(deck);
  OK(CospinDeckDestroy(&deck));
  Assert_Faults(&faults, expected);
}

static void assert_bad(const char text[], const char expected[])
{
  assert_bad_bytes(text, strlen(text), expected);
}

static void print_completed(CospinDeck deck, char text[], size_t size)
{
  FILE *stream = tmpfile();

  assert_non_null(stream);
  OK(CospinDeckViewCompleted(deck, stream));
  rewind(stream);
  text[fread(text, 1, size - 1, stream)] = '\0';
  fclose(stream);
}

static const char full_deck[] = "title:  Fringe decay\n"
                                "source: \"Someone et al., PRA 95 (2017): \\\"x\\\"\"\n"
                                "units:  {rate: Gamma_c}\n"
                                "parameters:\n"
                                "  w:    {value: N*Gc/2, label: '$w$'}\n"
                                "  N:    124   # ions\n"
                                "  Gc:   1\n"
                                "  nbar: 0\n"
                                "grid:\n"
                                "  nbar: [0, 0.1, N/3]\n"
                                "  Gc: {logspace: [1, 100, 3]}\n"
                                "components:\n"
                                "  ions: {kind: ensemble, size: N}\n"
                                "hamiltonian: ions.Sz + hc\n"
                                "jumps:\n"
                                "  - {rate: Gc*(nbar+1), operator: ions.Sm}\n"
                                "  - {rate: w, each: 'q.sp[l]'}\n"
                                "observables:\n"
                                "  inversion: 2*<ions.Sz>/N\n"
                                "tasks:\n"
                                "  - steady\n"
                                "  - steady: {name: again}\n"
                                "  - decay: {of: ions.Sp, weights: false, times: {range: [0, 0.3, 0.1]}}\n"
                                "petsc: {-eps_type: krylovschur, eps_view: }\n"
                                "plots:\n"
                                "  - {x: nbar, y: [decay_rate, 'a, b'], logx: true}\n"
                                "  - {y: steady_inversion}\n";

static void read_full(CospinDeck *deck)
{
  read_good(full_deck, deck);
}

static void everything_is_read(void **state)
{
  CospinDeck deck;

  (void)state;
  read_full(&deck);
  assert_string_equal(deck->title, "Fringe decay");
  assert_string_equal(deck->source, "Someone et al., PRA 95 (2017): \"x\"");
  assert_string_equal(deck->rate_unit, "Gamma_c");
  assert_string_equal(deck->time_unit, "1/Gamma_c");
  assert_int_equal(deck->num_parameters, 4);
  assert_string_equal(deck->parameters[0].label, "$w$");
  assert_null(deck->parameters[0].unit);
  assert_int_equal(CospinExpressionPosition(deck->parameters[0].expression).line, 5);
  assert_int_equal(CospinExpressionPosition(deck->parameters[0].expression).column, 17);
  assert_string_equal(CospinExpressionPath(deck->parameters[1].expression), "parameters.N");
  assert_int_equal(deck->num_hamiltonian, 1);
  assert_string_equal(CospinExpressionText(deck->hamiltonian[0]), "ions.Sz + hc");
  assert_int_equal(deck->num_jumps, 2);
  assert_int_equal(deck->jumps[0].form, COSPIN_JUMP_COLLECTIVE);
  assert_int_equal(deck->jumps[1].form, COSPIN_JUMP_EACH);
  assert_string_equal(CospinExpressionText(deck->jumps[1].op), "q.sp[l]");
  assert_int_equal(CospinExpressionPosition(deck->jumps[1].op).column, 22);
  assert_int_equal(deck->num_petsc, 2);
  assert_string_equal(deck->petsc[0], "eps_type");
  assert_string_equal(deck->petsc[1], "krylovschur");
  assert_string_equal(deck->petsc[3], "");
  assert_int_equal(deck->num_plots, 2);
  assert_int_equal(deck->plots[0].num_y, 2);
  assert_string_equal(deck->plots[0].y[1], "a, b");
  assert_true(deck->plots[0].logx);
  assert_false(deck->plots[1].logx);
  assert_null(deck->plots[1].x);
  OK(CospinDeckDestroy(&deck));
  assert_null(deck);
}

static void settings_have_values_and_defaults(void **state)
{
  const CospinRecord *record;
  CospinDeck deck;

  (void)state;
  read_full(&deck);
  assert_int_equal(deck->num_tasks, 3);
  assert_string_equal(deck->tasks[0].name, "steady");
  assert_string_equal(deck->tasks[1].name, "again");
  record = &deck->tasks[2];
  assert_ptr_equal(record->kind, &decay);
  assert_string_equal(CospinExpressionText(CospinRecordGet(record, "of")->expression), "ions.Sp");
  assert_string_equal(CospinRecordGet(record, "count")->text, "1");
  assert_non_null(CospinRecordGet(record, "count")->expression);
  assert_null(CospinRecordGet(record, "shift")->text);
  assert_null(CospinRecordGet(record, "shift")->expression);
  assert_false(CospinRecordGet(record, "weights")->boolean);
  assert_string_equal(CospinRecordGet(record, "method")->text, "auto");
  assert_int_equal(CospinRecordGet(record, "times")->axis.size, 3);
  OK(CospinDeckDestroy(&deck));
}

static void points_are_counted_and_evaluated(void **state)
{
  double complex values[4];
  CospinFaults faults;
  CospinDeck deck;
  int index[2];
  PetscBool ok;

  (void)state;
  read_full(&deck);
  assert_int_equal(CospinDeckNumPoints(deck), 9);
  CospinDeckPointIndex(deck, 5, index);
  assert_int_equal(index[0], 1);
  assert_int_equal(index[1], 2);
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckEvaluateParameters(deck, 7, values, faults, &ok));
  Assert_Faults(&faults, "");
  assert_true(ok);
  assert_true(values[0] == 620); /* w = N Gc/2 with Gc of the axis */
  assert_true(values[1] == 124);
  assert_true(values[2] == 10);
  assert_true(values[3] == 124. / 3);
  OK(CospinDeckDestroy(&deck));
}

static void faults_of_other_points_are_found_there(void **state)
{
  double complex values[3];
  CospinFaults faults;
  CospinDeck deck;
  PetscBool ok;

  (void)state;
  read_good("parameters: {x: 1, y: 1/x, z: y + 1}\ngrid: {x: [2, 0]}\n" REST, &deck);
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckEvaluateParameters(deck, 1, values, faults, &ok));
  assert_false(ok);
  Assert_Faults(&faults, "deck:1:24: parameters.y: division by zero\n");
  OK(CospinDeckEvaluateParameters(deck, 1, values, NULL, &ok));
  assert_false(ok);
  OK(CospinDeckDestroy(&deck));
}

static void a_deck_without_a_grid_is_one_point(void **state)
{
  CospinDeck deck;
  PetscBool ok;

  (void)state;
  read_good(REST, &deck);
  assert_int_equal(CospinDeckNumPoints(deck), 1);
  OK(CospinDeckEvaluateParameters(deck, 0, NULL, NULL, &ok));
  assert_true(ok);
  assert_string_equal(deck->rate_unit, "1");
  assert_string_equal(deck->time_unit, "1");
  assert_string_equal(deck->source, "");
  assert_string_equal(deck->text, REST);
  OK(CospinDeckDestroy(&deck));
}

static void the_completed_deck_has_all_defaults(void **state)
{
  char text[4096];
  CospinDeck deck;

  (void)state;
  read_full(&deck);
  print_completed(deck, text, sizeof(text));
  OK(CospinDeckDestroy(&deck));
  assert_string_equal(
      text,
      "title: Fringe decay\n"
      "source: \"Someone et al., PRA 95 (2017): \\\"x\\\"\"\n"
      "units: {rate: Gamma_c, time: 1/Gamma_c}\n"
      "\nparameters:\n"
      "  w: {value: N*Gc/2, label: \"$w$\"}\n"
      "  N: 124\n"
      "  Gc: 1\n"
      "  nbar: 0\n"
      "\ngrid:\n"
      "  nbar: [0, 0.1, 41.333333333333336]\n"
      "  Gc: [1, 10, 100]\n"
      "\ncomponents:\n"
      "  ions: {kind: ensemble, size: N}\n"
      "\nhamiltonian:\n"
      "  - ions.Sz + hc\n"
      "\njumps:\n"
      "  - {rate: Gc*(nbar+1), operator: ions.Sm}\n"
      "  - {rate: w, each: \"q.sp[l]\"}\n"
      "\nobservables:\n"
      "  inversion: 2*<ions.Sz>/N\n"
      "\ntasks:\n"
      "  - steady: {name: steady}\n"
      "  - steady: {name: again}\n"
      "  - decay: {name: decay, of: ions.Sp, count: 1, weights: false, method: auto, times: [0, 0.1, 0.2]}\n"
      "\noperator: auto\n"
      "\npetsc:\n"
      "  eps_type: krylovschur\n"
      "  eps_view: \"\"\n"
      "\nplots:\n"
      "  - {x: nbar, y: [decay_rate, \"a, b\"], logx: true, logy: false}\n"
      "  - {y: [steady_inversion], logx: false, logy: false}\n");
}

static void assert_fixed_point(const char text[])
{
  char once[4096], twice[4096];
  CospinDeck deck;

  read_good(text, &deck);
  print_completed(deck, once, sizeof(once));
  OK(CospinDeckDestroy(&deck));
  read_good(once, &deck);
  print_completed(deck, twice, sizeof(twice));
  OK(CospinDeckDestroy(&deck));
  assert_string_equal(once, twice);
}

/* Titles and units that YAML would misunderstand must come back as they were. */
static void the_completed_deck_is_a_fixed_point(void **state)
{
  static const char *const titles[] = {
      "'- x'",     "'null'",    "'~'",   "'a: b'",   "'a #b'",   "'*x'",        "'{a}'",
      "\"a\\nb\"", "\"\\x01\"", "' a '", "\"\\\"\"", "\"\\\\\"", "'%x'",        "\xc3\xa4 b",
      "''",        "'-'",       "'---'", "'- - x'",  "\"\\t\"",  "|\n  a\n  b", ">\n  a\n  b"};
  char text[512];

  (void)state;
  for (size_t k = 0; k < sizeof(titles) / sizeof(titles[0]); k++) {
    snprintf(text, sizeof(text), "source: %s\n%s", titles[k], REST);
    assert_fixed_point(text);
  }
  assert_fixed_point("parameters: {x: -1, y: '- 2', z: (-x)^2}\ngrid: {x: {linspace: [0, 1, 7]}}\n" REST);
}

static void text_survives_completion(void **state)
{
  char text[4096];
  CospinDeck deck;

  (void)state;
  read_good("source: \"- a: {b} # \\t\\\"\\\\\\n\\x02 \"\n" REST, &deck);
  print_completed(deck, text, sizeof(text));
  OK(CospinDeckDestroy(&deck));
  read_good(text, &deck);
  assert_string_equal(deck->source, "- a: {b} # \t\"\\\n\x02 ");
  OK(CospinDeckDestroy(&deck));
}

static void assert_axis(const char values[], int size, const double expected[])
{
  char text[512];
  CospinDeck deck;

  snprintf(text, sizeof(text), "parameters: {x: 0, N: 4, M: 2*N}\ngrid: {x: %s}\n%s", values, REST);
  read_good(text, &deck);
  assert_int_equal(deck->num_axes, 1);
  assert_string_equal(deck->axes[0].name, "x");
  assert_int_equal(deck->axes[0].size, size);
  for (int k = 0; k < size; k++)
    assert_true(fabs(deck->axes[0].values[k] - expected[k]) <= 1e-15 * fabs(expected[k]));
  OK(CospinDeckDestroy(&deck));
}

static void axes_have_their_values(void **state)
{
  (void)state;
  assert_axis("[3]", 1, (double[]){3});
  assert_axis("[N, M/3, -pi, 1e-3]", 4, (double[]){4, 8. / 3, -3.14159265358979323846, 1e-3});
  assert_axis("{linspace: [1, 2, 5]}", 5, (double[]){1, 1.25, 1.5, 1.75, 2});
  assert_axis("{linspace: [2, 1, 3]}", 3, (double[]){2, 1.5, 1});
  assert_axis("{linspace: [7, 9, 1]}", 1, (double[]){7});
  assert_axis("{logspace: [0.01, 100, 5]}", 5, (double[]){0.01, 0.1, 1, 10, 100});
  assert_axis("{range: [0, N]}", 4, (double[]){0, 1, 2, 3});
  assert_axis("{range: [1, 1.3, 0.1]}", 3, (double[]){1, 1.1, 1.2});
  assert_axis("{range: [0, 0.35, 0.1]}", 4, (double[]){0, 0.1, 0.2, 3 * 0.1});
  assert_axis("{range: [3, 0, -1]}", 3, (double[]){3, 2, 1});
}

#define AXIS_FORMS                                                                                           \
  "a list of numbers, {linspace: [first, last, count]}, {logspace: [first, last, count]} or {range: "        \
  "[first, "                                                                                                 \
  "end, step]}"

static void faults_of_axes(void **state)
{
  (void)state;
  assert_bad("parameters: {nbar: 1, w: nbar, z: 1}\n"
             "grid:\n"
             "  nbr: [1]\n"
             "  nbar: [0, 1/0, w, Z, 2*i]\n"
             "  z: 5\n" REST,
             "deck:3:3: grid.nbr: unknown parameter `nbr` (did you mean `nbar`? known: nbar, w, z)\n"
             "deck:4:14: grid.nbar[1]: division by zero\n"
             "deck:4:18: grid.nbar[2]: `w` is on the grid or depends on it (only other parameters can be "
             "used here)\n"
             "deck:4:21: grid.nbar[3]: unknown name `Z` (did you mean `z`?)\n"
             "deck:4:24: grid.nbar[4]: must be a real number, not 2*i\n"
             "deck:5:6: grid.z: must be " AXIS_FORMS ", not `5` (write [5])\n");
  assert_bad(
      "parameters: {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1}\n"
      "grid:\n"
      "  a: {linspace: [0, 1]}\n"
      "  b: {linspace: [0, 1, 2.5]}\n"
      "  c: {logspace: [0, 1, 5]}\n"
      "  d: {range: [1, 0]}\n"
      "  e: {range: [0, 1, 0]}\n"
      "  f: []\n"
      "  g: {linspac: [0, 1, 2]}\n" REST,
      "deck:3:18: grid.a.linspace: must be [first, last, count], not 2 numbers\n"
      "deck:4:18: grid.b.linspace: would have 2.5 values (must be a whole number from 1 to 10000000)\n"
      "deck:5:18: grid.c.logspace: the first and the last value must be positive (values, not exponents)\n"
      "deck:6:15: grid.d.range: has no values (the end is left out, and going down needs a negative step)\n"
      "deck:7:15: grid.e.range: the step must not be zero\n"
      "deck:8:3: grid.f: has no values (must be " AXIS_FORMS ")\n"
      "deck:9:7: grid.g.linspac: unknown key `linspac` (did you mean `linspace`? known: linspace, logspace, "
      "range)\n");
}

static void faults_of_parameters(void **state)
{
  (void)state;
  assert_bad(
      "parameters:\n"
      "  a: b + 1\n"
      "  b: 2*c\n"
      "  c: a\n"
      "  s: s\n"
      "  Nn: N\n"
      "  x: 2*(3\n"
      "  y: \"1 +* 2\"\n"
      "  z:\n"
      "  u: ions.Sz\n"
      "  v: 1/0\n"
      "  V: v + 1\n" REST,
      "deck:2:6: parameters.a: depends on itself: a -> b -> c -> a (parameters may use each other, but not "
      "in a circle)\n"
      "deck:5:6: parameters.s: depends on itself: s -> s (parameters may use each other, but not in a "
      "circle)\n"
      "deck:6:7: parameters.Nn: unknown name `N` (there is no such parameter; there are a, b, c, s, Nn, x, "
      "y, z, u, v, V)\n"
      "deck:7:8: parameters.x: this `(` is not closed\n"
      "deck:8:10: parameters.y: unexpected `*` (a number, a name or `(` is expected)\n"
      "deck:9:3: parameters.z: has no value (must be an expression or {value: EXPRESSION, unit: TEXT, label: "
      "TEXT})\n"
      "deck:10:6: parameters.u: unknown name `ions.Sz` (operators are not allowed here)\n"
      "deck:11:7: parameters.v: division by zero\n");
}

static void names_must_not_clash(void **state)
{
  (void)state;
  assert_bad(
      "parameters: {pi: 3, sqrt: 1, hc: 1, l: 1, 2x: 1, ions: 2, N: 1, N: 2}\n" REST,
      "deck:1:14: parameters.pi: a parameter cannot be named `pi` (it is a constant)\n"
      "deck:1:21: parameters.sqrt: a parameter cannot be named `sqrt` (it is a function)\n"
      "deck:1:30: parameters.hc: a parameter cannot be named `hc` (it is the hermitian conjugate)\n"
      "deck:1:37: parameters.l: a parameter cannot be named `l` (it is the index of a spin)\n"
      "deck:1:43: parameters.2x: `2x` is no name (a name is a letter, then letters, digits and _, 99 at "
      "most)\n"
      "deck:1:65: parameters.N: duplicate key (it stands in line 1 already)\n"
      "deck:3:14: components.ions: a parameter is named `ions` too (rename one of them)\n");
  assert_bad("title: t\ncomponents: {ions: {kind: ensemble, size: 2}}\n"
             "tasks:\n- steady\n- decay: {of: A}\n- steady:\n",
             "deck:6:3: tasks[2]: two tasks are named `steady` (give one of them another `name`)\n");
}

static void faults_of_sections(void **state)
{
  (void)state;
  assert_bad(
      "titel: x\njumps: 3\nobservables: [1]\nunits: {rat: 1}\ntitel: y\n",
      "deck: tasks: is missing (what to compute)\n"
      "deck: components: is missing (the factors of the Hilbert space)\n"
      "deck:1:1: titel: unknown key `titel` (did you mean `title`? known: title, source, units, parameters, "
      "grid, components, arrays, hamiltonian, jumps, stages, observables, operator, tasks, petsc, plots)\n"
      "deck:2:8: jumps: must be a list of {rate: R, operator: A} and {rate: R, each: A}, not a word or a "
      "number\n"
      "deck:3:15: observables: must be a mapping `NAME: EXPRESSION`, not a list\n"
      "deck:4:9: units.rat: unknown key `rat` (did you mean `rate`? known: rate, time)\n"
      "deck:5:1: titel: duplicate key (it stands in line 1 already)\n");
}

static void faults_of_jumps_and_hamiltonians(void **state)
{
  (void)state;
  assert_bad(
      "jumps:\n"
      "- {rate: 1}\n"
      "- {operator: A}\n"
      "- {rate: 1, operator: A, each: B}\n"
      "- {rat: 1, each: B}\n"
      "- null\n"
      "hamiltonian: [A +, {x: 1}]\n" REST,
      "deck:2:4: jumps[0]: `operator` (collective) or `each` (one process per spin) is missing\n"
      "deck:3:4: jumps[1]: `rate` is missing (a number >= 0 or an expression)\n"
      "deck:4:26: jumps[2].each: a jump has either `operator` (collective) or `each` (one process per spin), "
      "not both\n"
      "deck:5:4: jumps[3].rat: unknown key `rat` (did you mean `rate`? known: rate, operator, each, rates, "
      "pairs, name)\n"
      "deck:6:3: jumps[4]: has no value (must be {rate: R, operator: A} or {rate: R, each: A})\n"
      "deck:7:18: hamiltonian[0]: the expression ends too early (a number, a name or `(` is expected)\n"
      "deck:7:21: hamiltonian[1].x: unknown key `x` (known: sum)\n");
}

static void faults_of_records(void **state)
{
  (void)state;
  assert_bad(
      "title: t\n"
      "components:\n"
      "  a: {kind: ensembl, size: 2}\n"
      "  b: {kind: ensemble}\n"
      "  c: {kind: ensemble, sise: 2}\n"
      "  d: {size: 3}\n"
      "tasks:\n"
      "- decy: {}\n"
      "- decay: {of: A, count: M, weights: yes, method: atuo, times: 5, shift: *x}\n"
      "- decay: {}\n"
      "  of: A\n"
      "- [steady]\n"
      "- ~\n",
      "deck:3:13: components.a.kind: unknown kind of component `ensembl` (did you mean `ensemble`? known: "
      "ensemble)\n"
      "deck:4:3: components.b: `size` is missing (a whole number or an expression: number of spins)\n"
      "deck:5:23: components.c.sise: unknown key `sise` (did you mean `size`? known: size, kind)\n"
      "deck:6:3: components.d: `kind` is missing (as in {kind: ensemble, size: 10})\n"
      "deck:8:3: tasks[0].decy: unknown task `decy` (did you mean `decay`? known: steady, decay)\n"
      "deck:9:25: tasks[1].decay.count: unknown name `M` (there is no such parameter)\n"
      "deck:9:37: tasks[1].decay.weights: must be true or false, not `yes`\n"
      "deck:9:50: tasks[1].decay.method: unknown choice `atuo` (did you mean `auto`? known: auto, sparse, "
      "dense)\n"
      "deck:9:63: tasks[1].decay.times: must be " AXIS_FORMS ", not `5` (write [5])\n"
      "deck:9:74: tasks[1].decay.shift: YAML aliases are not supported (must be a real number or an "
      "expression)\n"
      "deck:11:3: tasks[2]: a task has one kind (write its keys inside of { } or indent them: `- decay: {of: "
      "...}`)\n"
      "deck:12:4: tasks[3]: must be a task with its keys, as in `- steady: {}`, not a list\n"
      "deck:13:3: tasks[4]: must be a task with its keys, as in `- steady: {}`\n");
  assert_bad("jumps:\n  -\n" REST,
             "deck:1:1: jumps[0]: has no value (must be {rate: R, operator: A} or {rate: R, each: A})\n");
}

static void numbers_are_checked_at_the_first_point(void **state)
{
  (void)state;
  assert_bad("parameters: {N: 5, x: sqrt(-1)}\n"
             "title: t\n"
             "components: {a: {kind: ensemble, size: N/2}}\n"
             "tasks:\n- decay: {of: A, shift: x}\n",
             "deck:3:40: components.a.size: must be a whole number, not 2.5\n"
             "deck:5:25: tasks[0].decay.shift: must be a real number, not 1*i\n");
}

static void Plots(void **state)
{
  (void)state;
  assert_bad("plots:\n- {x: a}\n- {y: []}\n- {y: a, logx: 1, x: }\npetsc: {3: 4, a b: 1, c: []}\n" REST,
             "deck:2:4: plots[0]: `y` is missing (the variables to draw)\n"
             "deck:3:4: plots[1].y: must be the name of a variable or a list of names\n"
             "deck:4:16: plots[2].logx: must be true or false, not `1`\n"
             "deck:4:19: plots[2].x: has no value (must be text)\n"
             "deck:5:9: petsc.3: `3` is no PETSc option (one is a word such as steady_eps_max_it)\n"
             "deck:5:15: petsc.a b: `a b` is no PETSc option (one is a word such as steady_eps_max_it)\n"
             "deck:5:23: petsc.c: must be the value of an option, not a list\n");
}

static void texts_that_are_no_decks(void **state)
{
  (void)state;
  assert_bad("", "deck: the deck is empty (it needs at least title, components and tasks)\n");
  assert_bad("# nothing\n", "deck: the deck is empty (it needs at least title, components and tasks)\n");
  assert_bad("- a\n- b\n", "deck:1:1: must be a mapping of sections (`title: ...`), not a list\n");
  assert_bad("5", "deck:1:1: must be a mapping of sections (`title: ...`), not a word or a number\n");
  assert_bad_bytes("title: a\0b", 10, "deck:1:9: byte 0x00 is not text (a deck is UTF-8 text)\n");
  assert_bad("title: \xc3\xa4\nx: \xff", "deck:2:4: byte 0xff is not text (a deck is UTF-8 text)\n");
  assert_bad("? [a, b]\n: 1\n" REST, "deck:1:4: a key must be a word\n");
  assert_bad(REST "---\n" REST, "deck: YAML: several documents (`---` separates documents; a deck is one)\n");
  assert_bad("parameters: &a {x: *a}\n" REST,
             "deck:1:21: parameters.x: YAML aliases are not supported (must be an expression or {value: "
             "EXPRESSION, unit: TEXT, label: TEXT})\n");
  assert_bad("source: \"a\\0b\"\n" REST, "deck:1:10: source: contains a NUL character\n");
}

static void faults_of_yaml(void **state)
{
  (void)state;
  assert_bad("title: \"x\n",
             "deck:1:9: YAML: double-quoted scalar without closing quote (is a closing `\"` missing?)\n");
  assert_bad("a: b: c\n",
             "deck:1:5: YAML: invalid nested block mapping on the same line (a text that contains `: ` needs "
             "quotes)\n");
  assert_bad(
      "title: x\njumps:\n- {rate: gamma[l], each: 3}\n",
      "deck:3:15: YAML: missing comma in flow mapping (inside of { } and [ ] an expression with brackets or "
      "commas needs quotes)\n");
}

/* Long decks take time in proportion to their length; deep ones are faults. */
static void long_and_deep_decks(void **state)
{
  enum { COUNT = 20000 };
  char *text = malloc(40 * COUNT + 1000), *end = text;
  double complex *values = malloc(sizeof(*values) * (COUNT + 1));
  CospinDeck deck;
  PetscBool ok;

  (void)state;
  end += sprintf(end, "parameters:\n");
  for (int k = 0; k < COUNT; k++) end += sprintf(end, "  p%d: p%d + 1\n", k, k + 1);
  sprintf(end, "  p%d: 1\n%s", (int)COUNT, REST);
  read_good(text, &deck);
  OK(CospinDeckEvaluateParameters(deck, 0, values, NULL, &ok));
  assert_true(ok);
  assert_true(values[0] == COUNT + 1);
  OK(CospinDeckDestroy(&deck));
  memset(text, '[', COUNT);
  text[COUNT] = '\0';
  assert_bad(text, "deck:1:64: YAML: Max depth (64) exceeded (are closing brackets missing?)\n");
  free(values);
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(everything_is_read),
      cmocka_unit_test(settings_have_values_and_defaults),
      cmocka_unit_test(points_are_counted_and_evaluated),
      cmocka_unit_test(faults_of_other_points_are_found_there),
      cmocka_unit_test(a_deck_without_a_grid_is_one_point),
      cmocka_unit_test(the_completed_deck_has_all_defaults),
      cmocka_unit_test(the_completed_deck_is_a_fixed_point),
      cmocka_unit_test(text_survives_completion),
      cmocka_unit_test(axes_have_their_values),
      cmocka_unit_test(faults_of_axes),
      cmocka_unit_test(faults_of_parameters),
      cmocka_unit_test(names_must_not_clash),
      cmocka_unit_test(faults_of_sections),
      cmocka_unit_test(faults_of_jumps_and_hamiltonians),
      cmocka_unit_test(faults_of_records),
      cmocka_unit_test(numbers_are_checked_at_the_first_point),
      cmocka_unit_test(Plots),
      cmocka_unit_test(texts_that_are_no_decks),
      cmocka_unit_test(faults_of_yaml),
      cmocka_unit_test(long_and_deep_decks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
