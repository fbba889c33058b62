/* The reference and the reference deck speak of everything that the program's tables hold. */
#include <cospin/cli/command.h>
#include <cospin/cli/reference.h>
#include <cospin/problem/array.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
  char *plain, *man, *deck;
} Texts;

static char *View(const char word[], PetscBool man, PetscBool *found)
{
  char *text = NULL;
  size_t size;
  FILE *stream = open_memstream(&text, &size);
  assert_int_equal(CospinReferenceView(word, man, stream, found), 0);
  fclose(stream);
  return text;
}

static char *read_file(const char name[])
{
  FILE *stream = fopen(name, "r");
  char *text = calloc(1, 1000000);
  assert_non_null(stream);
  assert_true(fread(text, 1, 999999, stream) > 0);
  fclose(stream);
  return text;
}

static int set_up(void **state)
{
  Texts *texts = calloc(1, sizeof(*texts));
  PetscBool found;
  texts->plain = View(NULL, PETSC_FALSE, &found);
  texts->man = View(NULL, PETSC_TRUE, &found);
  texts->deck = read_file(COSPIN_SOURCE_DIR "/input/reference_deck.yaml");
  *state = texts;
  return 0;
}

static int tear_down(void **state)
{
  Texts *texts = *state;
  free(texts->plain);
  free(texts->man);
  free(texts->deck);
  free(texts);
  return 0;
}

static PetscBool is_letter(char c)
{
  return (PetscBool)(isalnum((unsigned char)c) || c == '_');
}

/* The name as a word of its own. */
static void expect_word(const char where[], const char text[], const char name[])
{
  const size_t length = strlen(name);
  for (const char *at = strstr(text, name); at; at = strstr(at + 1, name))
    if ((at == text || !is_letter(at[-1])) && !is_letter(at[length])) return;
  fail_msg("%s does not speak of `%s`", where, name);
}

/* An entry: the name at the beginning of its line. */
static void expect_entry(const Texts *texts, const char name[])
{
  char line[256];
  (void)snprintf(line, sizeof(line), "\n    %s", name);
  if (!strstr(texts->plain, line)) fail_msg("the reference has no entry `%s`", name);
}

static void expect_keys(const Texts *texts, const CospinRecordKind *record)
{
  expect_word("the reference", texts->plain, record->name);
  expect_word("the reference deck", texts->deck, record->name);
  for (const CospinKey *key = record->keys; key->name; key++) {
    expect_entry(texts, key->name);
    expect_word("the reference deck", texts->deck, key->name);
    for (int c = 0; key->choices && key->choices[c]; c++)
      expect_word("the reference", texts->plain, key->choices[c]);
    if (key->default_text) assert_non_null(strstr(texts->plain, key->default_text));
  }
}

static void test_SectionsAndTheirKeys(void **state)
{
  const Texts *texts = *state;
  const CospinSectionInfo *section;
  for (int k = 0; (section = CospinDeckSection(k)); k++) {
    expect_entry(texts, section->name);
    expect_word("the reference deck", texts->deck, section->name);
    for (int l = 0; section->keys[l]; l++)
      for (int i = 0; section->keys[l][i]; i++) {
        expect_word(section->name, section->form, section->keys[l][i]);
        expect_word("the reference deck", texts->deck, section->keys[l][i]);
      }
  }
}

static void test_Components(void **state)
{
  const Texts *texts = *state;
  for (int k = 0; CospinComponentKinds[k]; k++) {
    const CospinComponentKind *kind = CospinComponentKinds[k];
    expect_keys(texts, &kind->record);
    for (int i = 0; kind->operators[i].name; i++) {
      expect_entry(texts, kind->operators[i].name);
      expect_word("the reference deck", texts->deck, kind->operators[i].name);
    }
    for (int i = 0; kind->states[i].name; i++) expect_entry(texts, kind->states[i].name);
    for (int i = 0; kind->columns[i].suffix; i++)
      assert_non_null(strstr(texts->plain, kind->columns[i].suffix));
  }
}

static void test_Arrays(void **state)
{
  for (int k = 0; CospinArrayKinds[k]; k++) {
    expect_keys(*state, &CospinArrayKinds[k]->record);
    for (const CospinArrayPart *part = CospinArrayKinds[k]->parts; part && part->name; part++) {
      char name[96];
      (void)snprintf(name, sizeof(name), "NAME.%s", part->name);
      expect_entry(*state, name);
    }
  }
}

static void test_TasksAndTheirVariables(void **state)
{
  const Texts *texts = *state;
  for (int k = 0; CospinTaskKinds[k]; k++) {
    const CospinTaskKind *kind = CospinTaskKinds[k];
    char name[128];
    expect_keys(texts, &kind->record);
    for (int i = 0; kind->variables[i].suffix; i++) {
      (void)snprintf(name, sizeof(name), "%s_%s", kind->record.name, kind->variables[i].suffix);
      expect_entry(texts, name);
    }
  }
  for (int k = 0; CospinPointVariables[k].suffix; k++) expect_entry(texts, CospinPointVariables[k].suffix);
}

/* A rule that names what its task has not would be noticed by nobody until it is needed. */
static void test_RulesNameVariables(void **state)
{
  (void)state;
  for (int k = 0; CospinTaskKinds[k]; k++) {
    const CospinTaskKind *kind = CospinTaskKinds[k];
    for (const CospinTaskRule *rule = kind->rules; rule && rule->suffix; rule++) {
      int i = 0;
      while (kind->variables[i].suffix && strcmp(kind->variables[i].suffix, rule->suffix)) i++;
      if (!kind->variables[i].suffix) fail_msg("task %s: a rule for `%s`", kind->record.name, rule->suffix);
    }
  }
}

static void test_FunctionsOutcomesOptions(void **state)
{
  const Texts *texts = *state;
  for (int k = 0; CospinFunctionName(k); k++) {
    expect_word("the reference", texts->plain, CospinFunctionName(k));
    expect_word("the reference deck", texts->deck, CospinFunctionName(k));
  }
  for (int k = 0; CospinConstantName(k); k++) {
    expect_word("the reference", texts->plain, CospinConstantName(k));
    expect_word("the reference deck", texts->deck, CospinConstantName(k));
  }
  for (int k = 0; CospinOutcomeNames[k]; k++) expect_entry(texts, CospinOutcomeNames[k]);
  for (int k = 0; CospinCommandOption(k); k++)
    expect_word("the help", CospinCommandHelp, CospinCommandOption(k));
}

/* troff takes a line that begins with a dot for a request. */
static void test_ManualPage(void **state)
{
  static const char *const requests[] = {".TH ", ".SH ", ".SS ", ".TP\n", ".nf\n", ".fi\n", ".sp\n"};
  const Texts *texts = *state;
  for (const char *line = texts->man; line; line = strchr(line, '\n')) {
    PetscBool known = PETSC_FALSE;
    line += *line == '\n';
    if (*line != '.') continue;
    for (size_t k = 0; k < sizeof(requests) / sizeof(requests[0]); k++)
      if (!strncmp(line, requests[k], strlen(requests[k]))) known = PETSC_TRUE;
    if (!known) fail_msg("a line of the manual page begins with a dot: %.60s", line);
  }
  assert_non_null(strstr(texts->man, "\\fBdecay_rate\\fR"));
}

static void test_WhatAWordIsAbout(void **state)
{
  PetscBool found;
  char *text = View("decay", PETSC_FALSE, &found);
  (void)state;
  assert_true(found);
  expect_word("decay", text, "decay_rate");
  expect_word("decay", text, "weights");
  assert_null(strstr(text, "gap_rate"));
  free(text);
  text = View("decay_upper", PETSC_FALSE, &found);
  assert_true(found);
  expect_word("decay_upper", text, "Collatz");
  assert_null(strstr(text, "decay_lower"));
  free(text);
  text = View("nonsense", PETSC_FALSE, &found);
  assert_false(found);
  assert_string_equal(text, "");
  free(text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_SectionsAndTheirKeys),
      cmocka_unit_test(test_Components),
      cmocka_unit_test(test_Arrays),
      cmocka_unit_test(test_TasksAndTheirVariables),
      cmocka_unit_test(test_RulesNameVariables),
      cmocka_unit_test(test_FunctionsOutcomesOptions),
      cmocka_unit_test(test_ManualPage),
      cmocka_unit_test(test_WhatAWordIsAbout),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
