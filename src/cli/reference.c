/*
   `cospin reference`: every key of decks and every variable of datasets, written from the tables that the
   program itself reads decks with, so that it cannot be out of date. This file knows the order of things;
   how they look on a terminal or as a manual page, and which of them a word asks for, the page knows
   (reference_page.c).
*/
#include "reference_page.h"
#include <cospin/cli/command.h>
#include <cospin/cli/reference.h>
#include <cospin/observable/functional.h>
#include <cospin/problem/array.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <cospin/version.h>
#include <string.h>

/* text += separator and more; what does not fit is cut. Cut and not refused: a sentence of the reference
   that is too long shows when it is read. */
static void append(char text[], size_t size, const char separator[], const char more[])
{
  if (!more || !more[0]) return;
  (void)PetscStrlcat(text, text[0] ? separator : "", size);
  (void)PetscStrlcat(text, more, size);
}

/* "a | b | c" behind a separator. */
static void append_list(char text[], size_t size, const char separator[], const char *const list[])
{
  for (int k = 0; list && list[k]; k++) append(text, size, k ? " | " : separator, list[k]);
}

/* ---- Decks --------------------------------------------------------------------------------------------- */

/* The sections with their forms and keys, from the reader's own table. */
static void view_sections(CospinPage *page)
{
  const CospinSectionInfo *section;

  CospinPageHeading(page, "SECTIONS OF A DECK");
  for (int k = 0; (section = CospinDeckSection(k)); k++) {
    char text[2048] = "";
    append(text, sizeof(text), "", section->help);
    append(text, sizeof(text), ". Written as ", section->form);
    for (int l = 0; section->keys[l]; l++)
      append_list(text, sizeof(text), l ? "; or: " : ". Keys: ", section->keys[l]);
    CospinPageEntry(page, section->name, section->required ? "needed" : "", text);
  }
}

/* "key (type, unit, default)" and its sentence. In this order: type, choices, unit, range, default,
   whether it is needed. */
static void view_keys(CospinPage *page, const CospinKey keys[])
{
  for (const CospinKey *key = keys; key->name; key++) {
    char behind[512] = "";
    append(behind, sizeof(behind), "", CospinKeyTypeName(key->type));
    append_list(behind, sizeof(behind), key->type == COSPIN_KEY_STATE ? " | " : ": ", key->choices);
    if (key->unit[0]) append(behind, sizeof(behind), ", in units of ", key->unit);
    append(behind, sizeof(behind), ": ", key->range);
    append(behind, sizeof(behind), ", default ", key->default_text);
    if (key->required) append(behind, sizeof(behind), ", ", "needed");
    append(behind, sizeof(behind), ", or instead: ", key->instead);
    CospinPageEntry(page, key->name, behind, key->help);
  }
}

static void view_part(CospinPage *page, const char what[], const CospinRecordKind *record)
{
  char title[128];

  (void)snprintf(title, sizeof(title), "%s %s: %s", what, record->name, record->help);
  CospinPagePart(page, record->name, title);
}

static PetscBool has_state(const CospinComponentKind *kind, const char name[])
{
  for (const CospinStateName *state = kind->states; state->name; state++)
    if (strcmp(state->name, name) == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Those that `known` (NULL: nothing) has not. */
static void view_states(CospinPage *page, const CospinComponentKind *kind, const CospinComponentKind *known)
{
  char behind[256];

  for (const CospinStateName *state = kind->states; state->name; state++) {
    if (known && has_state(known, state->name)) continue;
    (void)snprintf(behind, sizeof(behind), "state%s%s%s", known ? ", single atoms told," : "",
                   state->num_arguments ? " of " : "", state->num_arguments ? state->arguments : "");
    CospinPageEntry(page, state->name, behind, state->help);
  }
}

/* What stands in a file of a state of this kind; `of`: "of a stored state". */
static void view_stored(CospinPage *page, const CospinComponentKind *kind, const char of[])
{
  char behind[96];

  (void)snprintf(behind, sizeof(behind), "column %s", of);
  for (const CospinLabelColumn *column = kind->columns; column->suffix; column++) {
    char name[96];
    (void)snprintf(name, sizeof(name), "COMPONENT_%s", column->suffix);
    CospinPageEntry(page, name, behind, column->help);
  }
  CospinPageEntry(page, "element", of, kind->element);
}

/* Operators, states and what is counted, beside the keys. `COMPONENT` stands for the name that the deck
   gives it. */
static void view_component(CospinPage *page, const CospinComponentKind *kind)
{
  view_part(page, "kind", &kind->record);
  view_keys(page, kind->record.keys);
  for (const CospinOperatorName *name = kind->operators; name->name; name++)
    CospinPageEntry(page, name->name, name->one_spin ? "operator of one spin" : "operator", name->help);
  view_states(page, kind, NULL);
  if (kind->one_by_one) view_states(page, kind->one_by_one, kind);
  view_stored(page, kind, "of a stored state");
  CospinPageEntry(page, "COMPONENT_size", "with stored states", kind->size);
  if (kind->one_by_one) view_stored(page, kind->one_by_one, "of a stored state, single atoms told");
}

/* A part is read in expressions as NAME.PART and stands in the dataset as NAME_PART. */
static void view_array_parts(CospinPage *page, const CospinArrayPart *part)
{
  static const char *const forms[] = {"number", "vector over %ss", "matrix over %ss"};
  char name[96], behind[256], unit[128];

  for (; part && part->name; part++) {
    (void)snprintf(name, sizeof(name), "NAME.%s", part->name);
    (void)snprintf(behind, sizeof(behind), forms[part->rank], part->along[0]);
    (void)snprintf(unit, sizeof(unit), "in units of %s, and a variable NAME_%s", part->unit, part->name);
    append(behind, sizeof(behind), ", ", unit);
    CospinPageEntry(page, name, behind, part->help);
  }
}

/* Sections first, then the language that their values are written in, then kinds. */
static void view_decks(CospinPage *page)
{
  char functions[1024] = "", constants[128] = "";
  const CospinFunctionalKind *functional;
  const char *name;

  view_sections(page);
  CospinPageHeading(page, "EXPRESSIONS");
  CospinPageEntry(page, "+ - * / ^ ( )", "",
                  "of numbers and of operators; COMPONENT.NAME is an operator, <A> its "
                  "expectation value, NAME[l] an entry of an array");
  for (int k = 0; (name = CospinFunctionName(k)); k++) append(functions, sizeof(functions), " ", name);
  for (int k = 0; (name = CospinConstantName(k)); k++) append(constants, sizeof(constants), " ", name);
  CospinPageEntry(page, "functions", "", functions);
  CospinPageEntry(page, "constants", "", constants);
  CospinPageHeading(page, "FUNCTIONALS OF THE STATE, IN OBSERVABLES");
  for (int k = 0; (functional = CospinFunctionalKindAt(k, &name)); k++)
    CospinPageEntry(page, name, "", functional->help);
  CospinPageHeading(page, "KINDS OF COMPONENTS");
  for (int k = 0; CospinComponentKinds[k]; k++) view_component(page, CospinComponentKinds[k]);
  CospinPageHeading(page, "GENERATORS OF ARRAYS");
  for (int k = 0; CospinArrayKinds[k]; k++) {
    view_part(page, "generator", &CospinArrayKinds[k]->record);
    view_keys(page, CospinArrayKinds[k]->record.keys);
    view_array_parts(page, CospinArrayKinds[k]->parts);
  }
}

/* ---- Tasks and datasets -------------------------------------------------------------------------------- */

/* Name, storage, unit, and where its definition stands; `%s` in a name is the operator that the task was
   given. */
static void view_variable(CospinPage *page, const char prefix[], const CospinTaskVariable *variable)
{
  char name[128], behind[256], long_name[256], text[1024] = "";

  (void)snprintf(name, sizeof(name), "%s%s", prefix, variable->suffix);
  (void)snprintf(behind, sizeof(behind), "variable, %s, unit %s%s",
                 variable->storage == COSPIN_REAL ? "real" : "whole number", variable->unit,
                 variable->along > 1 ? ", along a dimension of its own"
                 : variable->along   ? ", along the task's dimension"
                                     : "");
  (void)snprintf(long_name, sizeof(long_name), "%s", variable->long_name);
  if (strstr(long_name, "%s")) memcpy(strstr(long_name, "%s"), "A ", 2);
  append(text, sizeof(text), "", long_name);
  append(text, sizeof(text), ": ", variable->source);
  CospinPageEntry(page, name, behind, text);
}

/* The prefix is the kind's name, which is the task's unless the deck names it otherwise. */
static void view_task(CospinPage *page, const CospinTaskKind *kind)
{
  static const CospinTaskVariable own[] = {
      {"outcome", COSPIN_INTEGER, PETSC_FALSE, "1", "outcome of the task", ""},
      {"seconds", COSPIN_REAL, PETSC_FALSE, "s", "time of the task", ""},
      {.suffix = NULL},
  };
  char prefix[96];

  view_part(page, "task", &kind->record);
  view_keys(page, kind->record.keys);
  (void)snprintf(prefix, sizeof(prefix), "%s_", kind->record.name);
  for (int k = 0; own[k].suffix; k++) view_variable(page, prefix, &own[k]);
  for (int k = 0; kind->variables[k].suffix; k++) view_variable(page, prefix, &kind->variables[k]);
  for (const CospinOutcomeHint *hint = kind->hints; hint && hint->text; hint++)
    CospinPageEntry(page, CospinOutcomeName(hint->outcome), "outcome", hint->text);
  if (!kind->has_observables) return;
  (void)PetscStrlcat(prefix, "OBSERVABLE", sizeof(prefix));
  CospinPageEntry(page, prefix, kind->observables_along ? "variable, along the task's dimension" : "variable",
                  "every observable of the deck; with _re and _im behind it where it is complex");
  for (const CospinCompanion *companion = kind->companions; companion && companion->suffix; companion++) {
    char name[160];
    (void)snprintf(name, sizeof(name), "%s_%s", prefix, companion->suffix);
    CospinPageEntry(page, name, "variable like it", companion->long_name);
  }
  if (!kind->observables_averaged) return;
  (void)PetscStrlcat(prefix, COSPIN_AVERAGE, sizeof(prefix));
  CospinPageEntry(page, prefix, "variable", "its average over the task's dimension, by probability");
}

/* Tasks and their variables, then what every point has, then the outcomes. */
static void view_datasets(CospinPage *page)
{
  CospinPageHeading(page, "TASKS AND THEIR VARIABLES");
  for (int k = 0; CospinTaskKinds[k]; k++) view_task(page, CospinTaskKinds[k]);
  CospinPageHeading(page, "TASKS WITH A PERIOD");
  for (int k = 0; CospinTaskPeriodicKinds[k]; k++) view_task(page, CospinTaskPeriodicKinds[k]);
  CospinPageHeading(page, COSPIN_PAGE_EXPANDED);
  for (int k = 0; CospinTaskExpandedKinds[k]; k++) view_task(page, CospinTaskExpandedKinds[k]);
  CospinPageHeading(page, "VARIABLES OF EVERY POINT");
  for (int k = 0; CospinPointVariables[k].suffix; k++) view_variable(page, "", &CospinPointVariables[k]);
  CospinPageHeading(page, "OUTCOMES");
  for (int k = 0; CospinOutcomeNames[k]; k++) {
    char behind[16];
    const char *help = CospinOutcomeHelp(CospinOutcomeValues[k]);
    (void)snprintf(behind, sizeof(behind), "%d", CospinOutcomeValues[k]);
    if (CospinOutcomeValues[k] == COSPIN_NOT_RUN) help = "not finished";
    if (CospinOutcomeValues[k] == COSPIN_GOOD) help = "what was recomputed is within the tolerances";
    CospinPageEntry(page, CospinOutcomeNames[k], behind, help);
  }
}

void CospinReferenceWrite(CospinPage *page)
{
  view_decks(page);
  view_datasets(page);
}

/* One word: entries of that name, and all of a kind or task that is called so. A manual page has the
   whole. */
PetscErrorCode CospinReferenceView(const char word[], PetscBool man, FILE *stream, PetscBool *found)
{
  CospinPage page = {.stream = stream, .man = man, .word = word};

  PetscFunctionBeginUser;
  if (man)
    fprintf(stream,
            ".TH COSPIN 1 \"\" \"cospin %s\" \"User Commands\"\n.SH NAME\ncospin \\- open systems of many "
            "collective spins, from a text deck to a dataset\n",
            COSPIN_VERSION);
  CospinPageHeading(&page, "COMMAND LINE");
  CospinPageLines(&page, CospinCommandHelp);
  CospinReferenceWrite(&page);
  *found = page.any;
  PetscFunctionReturn(0);
}
