/*
   States: what stands behind `initial:` and its like, a product state or the stored state of another run.

   A state here is still words and expressions: which words a kind of component knows, and what their
   arguments must be, is checked when a problem is made (problem/state.c), where the arguments have values.

   Convention of angles (problem/components): css [theta, phi] is the product of cos(theta/2)|g> + e^(i
   phi) sin(theta/2)|e>, so theta = 0 is the ground state, all spins down. A component that is not named is
   in its ground state.
*/
#include "read_impl.h"
#include <string.h>

#define EXPECTED_STATE  "a mapping `COMPONENT: STATE`, as in {ions: {css: [pi/2, 0]}, cavity: ground}"
#define EXPECTED_FILE   "{file: FILE.h5, task: NAME, at: {AXIS: VALUE}}"
#define EXPECTED_FACTOR "a state: ground, {css: [theta, phi]}, {fock: n}, ..."

/* `g_0`, or `g[0]` of a group as expressions have it. */
static PetscBool is_called(CospinDeck deck, int c, const char key[])
{
  const CospinComponentGroup *group = CospinDeckGroupWith(deck, c);
  char name[160];

  if (!strcmp(deck->components[c].name, key)) return PETSC_TRUE;
  if (!group) return PETSC_FALSE;
  snprintf(name, sizeof(name), "%.120s[%d]", group->name, c - group->first);
  return (PetscBool)!strcmp(name, key);
}

/* By the key of the entry; -1 and a fault with the nearest name if there is none. */
PetscErrorCode CospinReadComponent(CospinReader *reader, const CospinEntry *entry, int *component)
{
  CospinDeck deck = reader->deck;
  const char **known;

  PetscFunctionBeginUser;
  *component = -1;
  PetscCall(PetscCalloc1((size_t)deck->num_components + 1, &known));
  for (int c = 0; c < deck->num_components; c++) {
    known[c] = deck->components[c].name;
    if (is_called(deck, c, entry->key)) *component = c;
  }
  if (*component < 0)
    PetscCall(
        CospinFaultsAddUnknown(reader->faults, entry->key_at, entry->path, "component", entry->key, known));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* Arguments use parameters only, so a misspelt name is told now, at its place in the text. */
static PetscErrorCode read_argument(CospinReader *reader, const CospinEntry *entry, CospinStateFactor *factor)
{
  CospinExpression *argument = &factor->arguments[factor->num_arguments++];

  PetscFunctionBeginUser;
  PetscCall(CospinReadExpression(reader, entry, "a number or an expression", argument));
  if (*argument) PetscCall(CospinParametersCheckNames(reader->deck, *argument, reader->faults));
  PetscFunctionReturn(0);
}

/* The rows of a matrix, one behind the other: [[a, b], [c, d]] is what [a, b, c, d] is, and easier to read.
   How many numbers there must be the kind of the component says. */
static PetscErrorCode read_rows(CospinReader *reader, const CospinEntries *rows, CospinStateFactor *factor)
{
  int count = 0;

  PetscFunctionBeginUser;
  for (int turn = 0; turn < 2; turn++) { /* how many there are; then they are read */
    for (int k = 0; k < rows->count; k++) {
      CospinEntries items;
      PetscCall(CospinEntriesCreate(&rows->entries[k], COSPIN_ENTRY_LIST,
                                    "a list of numbers, a row of a matrix", reader->faults, &items));
      for (int j = 0; j < items.count && turn; j++)
        PetscCall(read_argument(reader, &items.entries[j], factor));
      count += items.count;
      PetscCall(CospinEntriesDestroy(&items));
    }
    if (!turn) PetscCall(PetscCalloc1((size_t)count + 1, &factor->arguments));
  }
  PetscFunctionReturn(0);
}

/* A list of arguments, also one of rows, or the only one. */
static PetscErrorCode read_arguments(CospinReader *reader, const CospinEntry *entry,
                                     CospinStateFactor *factor)
{
  CospinEntries items;

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(PetscCalloc1(1, &factor->arguments));
    PetscCall(read_argument(reader, entry, factor));
    PetscFunctionReturn(0);
  }
  PetscCall(
      CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a number or a list of numbers", reader->faults, &items));
  if (items.count && CospinEntryGetForm(&items.entries[0]) == COSPIN_ENTRY_LIST) {
    PetscCall(read_rows(reader, &items, factor));
  } else {
    PetscCall(PetscCalloc1((size_t)items.count, &factor->arguments));
    for (int k = 0; k < items.count; k++) PetscCall(read_argument(reader, &items.entries[k], factor));
  }
  PetscCall(CospinEntriesDestroy(&items));
  PetscFunctionReturn(0);
}

/* `ground` is a word, {css: [pi/2, 0]} a mapping with one key; faults of arguments are told at the key.
   How many arguments a state takes its kind knows; here any number is read. */
static PetscErrorCode read_factor(CospinReader *reader, const CospinEntry *entry, CospinStateFactor *factor)
{
  const CospinEntry *state;
  CospinEntries entries;

  PetscFunctionBeginUser;
  factor->position = entry->at;
  PetscCall(PetscStrallocpy(entry->path, &factor->path));
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(CospinEntryGetText(entry, EXPECTED_FACTOR, reader->faults, &factor->name));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_FACTOR, reader->faults, &entries));
  if (!entries.count &&
      (CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY || CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING))
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be " EXPECTED_FACTOR ")"));
  if (entries.count > 1)
    PetscCall(CospinFaultsAdd(reader->faults, entries.entries[1].key_at, entry->path,
                              "a component has one state (`%.50s` and `%.50s` are two)",
                              entries.entries[0].key, entries.entries[1].key));
  if (entries.count == 1) {
    state = &entries.entries[0];
    factor->position = state->key_at;
    PetscCall(PetscStrallocpy(state->key, &factor->name));
    PetscCall(read_arguments(reader, state, factor));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* ---- States of other runs ------------------------------------------------------------------------------ */

/* Axes of the other run, by name: which it has, only its dataset knows (problem/stored_state.c). Values
   are looked for among the coordinates of the other run within rounding; an axis that is left out must
   have one value there. */
static PetscErrorCode read_at(CospinReader *reader, const CospinEntry *entry, CospinStateFile *file)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING,
                                "a mapping {AXIS: VALUE}, as in {eta: 0.5, time: 10}", reader->faults,
                                &entries));
  PetscCall(PetscCalloc1((size_t)entries.count + 1, &file->at));
  PetscCall(PetscCalloc1((size_t)entries.count + 1, &file->at_values));
  for (int k = 0; k < entries.count; k++) {
    CospinExpression *value = &file->at_values[file->num_at];
    PetscCall(CospinReadExpression(reader, &entries.entries[k], "a number or an expression", value));
    if (!*value) continue;
    PetscCall(CospinParametersCheckNames(reader->deck, *value, reader->faults));
    PetscCall(PetscStrallocpy(entries.entries[k].key, &file->at[file->num_at++]));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Places of all keys are kept, for most faults of a stored state are found when the file is read. The path
   is relative to the deck, not to where the program was started (deck->folder). */
static PetscErrorCode read_file(CospinReader *reader, const CospinEntries *entries, CospinSetting *setting)
{
  static const char *const known[] = {"file", "task", "at", NULL};
  const CospinEntry *file = CospinEntriesFind(entries, "file"), *task = CospinEntriesFind(entries, "task");
  const CospinEntry *at = CospinEntriesFind(entries, "at");

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCheckKeys(entries, known, reader->faults, NULL));
  if (!file) PetscFunctionReturn(0); /* misspelt */
  PetscCall(PetscNew(&setting->file));
  setting->file->file_position = setting->file->task_position = file->at;
  PetscCall(CospinEntryGetText(file, "the name of a dataset, as in " EXPECTED_FILE, reader->faults,
                               &setting->file->file));
  PetscCall(PetscStrallocpy(file->path, &setting->file->file_path));
  PetscCall(PetscStrallocpy(task ? task->path : file->path, &setting->file->task_path));
  if (task) setting->file->task_position = task->at;
  if (task) PetscCall(CospinEntryGetText(task, "the name of a task", reader->faults, &setting->file->task));
  if (at) PetscCall(read_at(reader, at, setting->file));
  PetscFunctionReturn(0);
}

/* `file` is no component, then it is a file; also if it is misspelt where no component stands. Both forms
   are mappings: {file: a.h5, task: evolve} and {ions: ground}. Who calls a component `file` keeps it; who
   misspells `file` where no key is a component has meant this form. */
static PetscErrorCode names_file(CospinReader *reader, const CospinEntries *entries, PetscBool *is_file)
{
  CospinDeck deck = reader->deck;
  PetscBool component = PETSC_FALSE, close = PETSC_FALSE;
  const char **known;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_components + 2, &known));
  for (int c = 0; c < deck->num_components; c++) known[c] = deck->components[c].name;
  known[deck->num_components] = "file";
  for (int k = 0; k < entries->count; k++) {
    const char *suggested = CospinSuggest(entries->entries[k].key, known);
    for (int c = 0; c < deck->num_components; c++) {
      if (!strcmp(known[c], entries->entries[k].key)) component = PETSC_TRUE;
    }
    if (suggested && !strcmp(suggested, "file")) close = PETSC_TRUE;
  }
  *is_file = (PetscBool)(close && (CospinEntriesFind(entries, "file") || !component));
  for (int c = 0; c < deck->num_components; c++) {
    if (!strcmp(known[c], "file")) *is_file = PETSC_FALSE;
  }
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* `g: ground, g_1: excited` says two things of g_1. */
static PetscErrorCode check_once(CospinReader *reader, const CospinSetting *setting)
{
  const CospinStateFactor *last = &setting->factors[setting->num_factors - 1];

  PetscFunctionBeginUser;
  for (int k = 0; k < setting->num_factors - 1; k++) {
    if (setting->factors[k].component != last->component) continue;
    PetscCall(CospinFaultsAdd(reader->faults, last->position, last->path,
                              "`%s` has a state already (of a group either `%s`, all alike, or each of its "
                              "components)",
                              reader->deck->components[last->component].name,
                              CospinDeckGroupWith(reader->deck, last->component)->name));
  }
  PetscFunctionReturn(0);
}

/* A state of one component, or the same of all components of a group. Several lines may speak of one
   component only in different ways: that is a fault (check_once). */
static PetscErrorCode read_line(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  const CospinComponentGroup *group = CospinDeckGroupOf(reader->deck, entry->key, NULL);
  int component = group ? group->first : -1;

  PetscFunctionBeginUser;
  if (strpbrk(entry->key, ".[")) group = NULL;
  if (!group) PetscCall(CospinReadComponent(reader, entry, &component));
  for (int k = 0; k < (group ? group->count : 1) && component >= 0; k++) {
    const size_t size = (size_t)(setting->num_factors + 1) * sizeof(CospinStateFactor);
    PetscCall(PetscRealloc(size, &setting->factors));
    CospinStateFactor *factor = &setting->factors[setting->num_factors++];
    memset(factor, 0, sizeof(*factor));
    factor->component = component + k;
    PetscCall(read_factor(reader, entry, factor));
    PetscCall(check_once(reader, setting));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadState(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  const CospinEntryForm form = CospinEntryGetForm(entry);
  CospinEntries entries;
  PetscBool is_file;

  PetscFunctionBeginUser;
  if (form == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "has no value (must be " EXPECTED_STATE
                              "; {}: everything in its ground state)"));
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_STATE, reader->faults, &entries));
  /* `factors` not NULL is how a product state is told from no state at all: {} is everything in its ground
     state. */
  if (form == COSPIN_ENTRY_MAPPING)
    PetscCall(PetscCalloc1(1, &setting->factors)); /* not NULL although empty */
  PetscCall(names_file(reader, &entries, &is_file));
  /* A component may be called `file`; its state then looks like this form, and names_file decides. */
  if (is_file) {
    PetscCall(read_file(reader, &entries, setting));
    PetscCall(CospinEntriesDestroy(&entries));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < entries.count; k++) PetscCall(read_line(reader, &entries.entries[k], setting));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
