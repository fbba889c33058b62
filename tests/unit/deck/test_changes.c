/* Parameters that the command line changes: in the tree, in the text, and what is wrong with them. */
#include "support_faults.h"
#include <complex.h>
#include <cospin/deck/deck.h>
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

static const CospinKey ensemble_keys[] = {
    {.name = "size", .type = COSPIN_KEY_INTEGER, .required = PETSC_TRUE, .unit = "", .help = "spins"},
    {.name = NULL}};
static const CospinKey no_keys[] = {{.name = NULL}};
static const CospinRecordKind ensemble = {"ensemble", "spins", ensemble_keys};
static const CospinRecordKind steady = {"steady", "steady state", no_keys};
static const CospinRecordKind *const components[] = {&ensemble, NULL}, *const tasks[] = {&steady, NULL};
static const CospinSchema schema = {components, tasks, NULL, NULL, NULL};

/* Values in every form that YAML has for them. */
#define BEGIN "title: t  # µ\nparameters:\n"
#define END                                                                                                  \
  "grid: {g: [1, 2]}\n"                                                                                      \
  "components: {ions: {kind: ensemble, size: 2}}\n"                                                          \
  "tasks: [steady]\n"
static const char text[] = BEGIN "  plain: 1   # one\n"
                                 "  double: \"2\" # two\n"
                                 "  single: '3'  # three\n"
                                 "  long: {unit: kHz, value: 4, label: '$x$'}\n"
                                 "  lines: 5 +\n"
                                 "    plain\n"
                                 "  g: 1\n"
                                 "  flow: {value: \"6\"}\n" END;

static CospinDeck Read(const char from[], const char *const changes[], const char expected[])
{
  CospinFaults faults;
  CospinDeck deck;

  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckReadChanged(from, strlen(from), changes, &schema, faults, &deck));
  Assert_Faults(&faults, expected);
  return deck;
}

static char *Completed(CospinDeck deck)
{
  char *written = NULL;
  size_t size;
  FILE *stream = open_memstream(&written, &size);

  OK(CospinDeckViewCompleted(deck, stream));
  fclose(stream);
  return written;
}

static void every_form_is_changed_in_tree_and_text(void **state)
{
  static const char *const changes[] = {"flow=66", "plain=11", "double=22/2", "single=max(33, 3)",
                                        "long=44", "lines=-5", NULL};
  static const char expected[] = BEGIN "  plain: 11   # one\n"
                                       "  double: 22/2 # two\n"
                                       "  single: 'max(33, 3)'  # three\n"
                                       "  long: {unit: kHz, value: 44, label: '$x$'}\n"
                                       "  lines: '-5'\n"
                                       "  g: 1\n"
                                       "  flow: {value: 66}\n" END;
  static const double values[] = {11, 11, 33, 44, -5, 1, 66};
  CospinDeck deck = Read(text, changes, ""), again;
  double complex found[7];
  char *first, *second;
  PetscBool ok;

  (void)state;
  OK(CospinDeckEvaluateParameters(deck, 0, found, NULL, &ok));
  assert_true(ok);
  for (int k = 0; k < 7; k++) assert_true(creal(found[k]) == values[k]);
  assert_string_equal(deck->text, expected);
  again = Read(deck->text, NULL, "");
  first = Completed(deck);
  second = Completed(again);
  assert_string_equal(first, second);
  free(first);
  free(second);
  OK(CospinDeckDestroy(&deck));
  OK(CospinDeckDestroy(&again));
}

static void without_changes_the_text_is_kept(void **state)
{
  static const char *const none[] = {NULL};
  CospinDeck deck = Read(text, none, "");

  (void)state;
  assert_string_equal(deck->text, text);
  OK(CospinDeckDestroy(&deck));
}

static void faults_are_those_of_the_command_line(void **state)
{
  static const char *const changes[] = {"plan=1", "g=3",      "double=2*",   "single=x",
                                        "long=",  "plain=11", "plain=lines", NULL};
  CospinFaults faults;
  CospinDeck deck;
  char *told = NULL;
  size_t size;
  FILE *stream = open_memstream(&told, &size);

  (void)state;
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinDeckReadChanged(text, strlen(text), changes, &schema, faults, &deck));
  OK(CospinFaultsView(faults, stream));
  fclose(stream);
  assert_non_null(strstr(told, "command line: --set plan: unknown parameter `plan` (did you mean `plain`?"));
  assert_non_null(strstr(told, "command line: --set g: is an axis of `grid`"));
  assert_non_null(strstr(told, "command line: --set double: "));
  assert_non_null(strstr(told, "command line: --set single: unknown name `x`"));
  assert_non_null(strstr(told, "command line: --set long: has no value"));
  assert_non_null(strstr(told, "command line: --set plain: is given twice"));
  assert_null(strstr(told, "deck:"));
  free(told);
  OK(CospinFaultsDestroy(&faults));
  OK(CospinDeckDestroy(&deck));
}

static void a_deck_without_parameters_says_so(void **state)
{
  static const char *const changes[] = {"N=4", NULL};
  CospinDeck deck = Read("title: t\ncomponents: {ions: {kind: ensemble, size: 2}}\ntasks: [steady]\n",
                         changes, "command line: --set N: unknown parameter `N` (known: none)\n");

  (void)state;
  OK(CospinDeckDestroy(&deck));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_form_is_changed_in_tree_and_text),
      cmocka_unit_test(without_changes_the_text_is_kept),
      cmocka_unit_test(faults_are_those_of_the_command_line),
      cmocka_unit_test(a_deck_without_parameters_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
