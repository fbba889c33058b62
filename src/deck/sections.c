/*
   The readers of title, source, units, parameters, observables, operator and petsc: each turns the entries of
   its section into a part of the deck, and what they share with the readers of others. Expressions are parsed
   here, once, and keep their place in the text; they are evaluated later, at each grid point.
*/
#include "read_impl.h"
#include <ctype.h>
#include <string.h>

/* The keys of sections that are no records: read here, told by the reference. */
const char *const CospinUnitsKeys[] = {"rate", "time", NULL};
const char *const CospinDefinitionKeys[] = {"value", "unit", "label", NULL};
const char *const CospinObservableKeys[] = {"value", "unit", "label", "sum", "each", NULL};

/* With the column where the text begins, unless YAML has folded or unquoted it: then columns inside of it
   mean nothing. */
PetscErrorCode CospinReadExpression(CospinReader *reader, const CospinEntry *entry, const char expected[],
                                    CospinExpression *expression)
{
  char *text;

  PetscFunctionBeginUser;
  *expression = NULL;
  PetscCall(CospinEntryGetText(entry, expected, reader->faults, &text));
  if (text)
    PetscCall(CospinExpressionParseAt(text, entry->at, (PetscBool)!CospinEntryIsVerbatim(entry), entry->path,
                                      reader->faults, expression));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* YAML 1.1's yes, no, on and off are words here: `no` must not become false in one program and stay a word
   in another. */
PetscErrorCode CospinReadBoolean(CospinReader *reader, const CospinEntry *entry, PetscBool *value)
{
  char *text;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "true or false", reader->faults, &text));
  if (text && !strcmp(text, "true"))
    *value = PETSC_TRUE;
  else if (text && !strcmp(text, "false"))
    *value = PETSC_FALSE;
  else if (text)
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be true or false, not `%.100s`", text));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Names become those of variables in a dataset, which other languages have to read. Only ASCII letters:
   attributes and variables of netCDF, columns of pandas and names in expressions are all the same set
   then. */
PetscErrorCode CospinReadName(CospinReader *reader, CospinPosition at, const char path[], const char name[],
                              PetscBool *good)
{
  PetscFunctionBeginUser;
  *good = (PetscBool)(isalpha((unsigned char)name[0]) && strlen(name) < 100);
  for (const char *c = name; *c && *good; c++) *good = (PetscBool)(isalnum((unsigned char)*c) || *c == '_');
  if (!*good)
    PetscCall(CospinFaultsAdd(
        reader->faults, at, path,
        "`%.100s` is no name (a name is a letter, then letters, digits and _, 99 at most)", name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadTitle(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "one line of text", reader->faults, &reader->deck->title));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadSource(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY) PetscFunctionReturn(0);
  PetscCall(CospinEntryGetText(entry, "one line of text", reader->faults, &reader->deck->source));
  PetscFunctionReturn(0);
}

/* Texts of a mapping: the keys named in `known` fill the places of the same number. A place may be NULL:
   the key is allowed but read by somebody else. */
PetscErrorCode CospinReadTexts(CospinReader *reader, const CospinEntries *entries, const char *const known[],
                               char **const places[])
{
  PetscFunctionBeginUser;
  for (int k = 0; known[k]; k++) {
    const CospinEntry *entry = CospinEntriesFind(entries, known[k]);

    if (entry && places[k]) PetscCall(CospinEntryGetText(entry, "text", reader->faults, places[k]));
  }
  PetscFunctionReturn(0);
}

/* Labels and nothing more: a deck in units of Gamma_c stays in them. The unit of time is the inverse of
   the rate's unless it is said (read.c). */
PetscErrorCode CospinReadUnits(CospinReader *reader, const CospinEntry *entry)
{
  char **const places[] = {&reader->deck->rate_unit, &reader->deck->time_unit};
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping {rate: UNIT, time: UNIT}",
                                reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, CospinUnitsKeys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, &entries, CospinUnitsKeys, places));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* {value: EXPRESSION, unit: TEXT, label: TEXT} in place of the expression alone; observables (`keys`) may
   have `sum` or `each` in place of `value`. */
static PetscErrorCode read_long_definition(CospinReader *reader, const CospinEntry *entry,
                                           const char *const keys[], CospinDefinition *definition)
{
  char **const places[] = {NULL, &definition->unit, &definition->label, NULL, NULL};
  const PetscBool observable = (PetscBool)(keys == CospinObservableKeys);
  const CospinEntry *given = NULL;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping", reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, keys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, &entries, keys, places));
  for (int k = 0; k < (observable ? 3 : 1); k++) {
    static const char *const forms[] = {"value", "sum", "each"};
    const CospinEntry *found = CospinEntriesFind(&entries, forms[k]);
    if (found && given)
      PetscCall(CospinFaultsAdd(reader->faults, found->key_at, found->path,
                                "stands beside `%s` (leave one of them out)", given->key));
    if (found && !given) given = found;
  }
  definition->sum = (PetscBool)(given && strcmp(given->key, "sum") == 0);
  definition->each = (PetscBool)(given && strcmp(given->key, "each") == 0);
  if (given)
    PetscCall(CospinReadExpression(reader, given, "an expression", &definition->expression));
  else
    PetscCall(
        CospinFaultsAdd(reader->faults, entry->key_at, entry->path, "`value` is missing (an expression)"));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Parameters and observables have the same form. Order is kept; parameters are sorted beside it
   (parameters.c). */
static PetscErrorCode read_definitions(CospinReader *reader, const CospinEntry *entry,
                                       const char *const keys[], int *count, CospinDefinition **definitions)
{
  CospinEntries entries;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `NAME: EXPRESSION`", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, definitions));
  *count = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    CospinDefinition *definition = &(*definitions)[k];

    PetscCall(CospinReadName(reader, item->key_at, item->path, item->key, &good));
    PetscCall(PetscStrallocpy(item->key, &definition->name));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_MAPPING)
      PetscCall(read_long_definition(reader, item, keys, definition));
    else
      PetscCall(CospinReadExpression(reader, item,
                                     "an expression or {value: EXPRESSION, unit: TEXT, label: TEXT}",
                                     &definition->expression));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* l and m are the indices of `sum:` and of observables of single spins; i is the imaginary unit, so a
   current or an index must be called otherwise. */
const char *CospinReservedName(const char name[])
{
  double complex value;

  if (CospinConstantFind(name, &value)) return "a constant";
  if (CospinFunctionFind(name)) return "a function";
  if (!strcmp(name, "hc")) return "the hermitian conjugate";
  if (!strcmp(name, "l") || !strcmp(name, "m")) return "the index of a spin";
  return NULL;
}

/* Names that mean something else in an expression. A parameter called `pi` would never be seen. */
static PetscErrorCode check_reserved(CospinReader *reader, const CospinEntry *entry)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) {
    const char *name = entries.entries[k].key, *what = CospinReservedName(name);

    if (!what) continue;
    PetscCall(CospinFaultsAdd(reader->faults, entries.entries[k].key_at, entries.entries[k].path,
                              "a parameter cannot be named `%s` (it is %s)", name, what));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* In this order: names and expressions, reserved names, changes of the command line, the order of evaluation,
   names that no parameter has. */
PetscErrorCode CospinReadParameters(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;

  PetscFunctionBeginUser;
  PetscCall(read_definitions(reader, entry, CospinDefinitionKeys, &deck->num_parameters, &deck->parameters));
  if (deck->num_parameters) PetscCall(check_reserved(reader, entry));
  /* Changes of the command line (--set) come in before parameters are sorted by their dependencies: the new
     expression may depend on others than the old one. */
  PetscCall(CospinChangesApply(reader, entry));
  PetscCall(CospinParametersSort(deck, reader->faults));
  for (int k = 0; k < deck->num_parameters; k++) {
    if (deck->parameters[k].expression)
      PetscCall(CospinParametersCheckNames(deck, deck->parameters[k].expression, reader->faults));
  }
  PetscFunctionReturn(0);
}

/* Operators in them are resolved when a problem is made: here components may still have faults. */
PetscErrorCode CospinReadObservables(CospinReader *reader, const CospinEntry *entry)
{
  PetscFunctionBeginUser;
  PetscCall(read_definitions(reader, entry, CospinObservableKeys, &reader->deck->num_observables,
                             &reader->deck->observables));
  PetscFunctionReturn(0);
}

/* In the order of CospinOperatorForm. */
const char *const CospinOperatorForms[] = {"auto", "assembled", "shell", "expansion", NULL};

/* Read before tasks, whose kinds depend on it. */
PetscErrorCode CospinReadOperator(CospinReader *reader, const CospinEntry *entry)
{
  char *text;
  int form = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, "auto, assembled, shell or expansion", reader->faults, &text));
  if (!text) PetscFunctionReturn(0);
  while (CospinOperatorForms[form] && strcmp(CospinOperatorForms[form], text)) form++;
  if (CospinOperatorForms[form])
    reader->deck->operator_form = (CospinOperatorForm)form;
  else
    PetscCall(CospinFaultsAddUnknown(reader->faults, entry->at, entry->path, "form of the operator", text,
                                     CospinOperatorForms));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Verbatim: nobody here knows PETSc's options. Those that nothing has used are told at the end of a run
   (main.c). */
PetscErrorCode CospinReadPetsc(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `option: value`", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1(2 * (size_t)entries.count, &deck->petsc));
  deck->num_petsc = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    /* Users copy options from PETSc's manual, where they have a dash; here they are known without. */
    const char *option = item->key[0] == '-' ? item->key + 1 : item->key;

    if (!isalpha((unsigned char)option[0]) || strpbrk(option, " \t\n"))
      PetscCall(CospinFaultsAdd(reader->faults, item->key_at, item->path,
                                "`%.100s` is no PETSc option (one is a word such as steady_eps_max_it)",
                                item->key));
    PetscCall(PetscStrallocpy(option, &deck->petsc[2 * k]));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_EMPTY)
      PetscCall(PetscStrallocpy("", &deck->petsc[2 * k + 1]));
    else
      PetscCall(CospinEntryGetText(item, "the value of an option", reader->faults, &deck->petsc[2 * k + 1]));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
