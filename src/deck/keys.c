/*
   The settings of a record, read by the key table of its kind.

   Each key has a row in its kind's table: type, default, whether it is required or stands in place of
   another one. The same row makes the reader, the text of the reference and the sentence of a fault. A
   default is text that is read as if it stood in the deck.

   So a key is described once: whoever adds one writes a row, and the deck's reader, the completed deck,
   `cospin reference` and the faults know it. Ranges are numbers in the row and are checked when an
   expression has a value (problem/values.c), not here.
*/
#include "read_impl.h"
#include <string.h>

/* As they stand in a fault behind "must be". */
static const char *const type_names[] = {
    [COSPIN_KEY_NUMBER] = "a real number or an expression",
    [COSPIN_KEY_INTEGER] = "a whole number or an expression",
    [COSPIN_KEY_OPERATOR] = "an operator expression",
    [COSPIN_KEY_FUNCTION] = "an expression",
    [COSPIN_KEY_BOOLEAN] = "true or false",
    [COSPIN_KEY_NAME] = "a word",
    [COSPIN_KEY_AXIS] = "a list of numbers",
    [COSPIN_KEY_STATE] = "a state {COMPONENT: STATE, ...}",
    [COSPIN_KEY_SECTOR] = "a sector {ket: k, bra: b} or {charge: q}",
    [COSPIN_KEY_MATRICES] = "a mapping of matrices {NAME: [[..], ..], ...}",
};

const char *CospinKeyTypeName(CospinKeyType type)
{
  return type_names[type];
}

/* A choice that is left out because of another fault is not told again. Unknown choices are told with the
   nearest one that there is. */
static PetscErrorCode check_choice(CospinReader *reader, const CospinEntry *entry,
                                   const CospinSetting *setting)
{
  const char *const *choices = setting->key->choices;

  PetscFunctionBeginUser;
  if (!choices || !setting->text) PetscFunctionReturn(0);
  for (int k = 0; choices[k]; k++) {
    if (!strcmp(choices[k], setting->text)) PetscFunctionReturn(0);
  }
  PetscCall(CospinFaultsAddUnknown(reader->faults, entry->at, entry->path, "choice", setting->text, choices));
  PetscFunctionReturn(0);
}

/* A word that stands for a state or for sectors, where a key knows some. */
static PetscErrorCode read_word(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  const char *const *choices = setting->key->choices;

  PetscFunctionBeginUser;
  PetscCall(CospinEntryGetText(entry, type_names[setting->key->type], reader->faults, &setting->text));
  if (!setting->text || CospinSuggest(setting->text, choices))
    PetscCall(check_choice(reader, entry, setting));
  else
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path,
                              "must be %s or the word `%s`, not `%.100s`", type_names[setting->key->type],
                              choices[0], setting->text));
  PetscFunctionReturn(0);
}

/* What stands in the deck, by the type of the key. Numbers may use parameters only, so their names are
   checked here; operators and functions also name components and observables' operators, which are known
   when a problem is made. */
static PetscErrorCode read_setting(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  const CospinKeyType type = setting->key->type;

  PetscFunctionBeginUser;
  setting->position = entry->at;
  if (type == COSPIN_KEY_AXIS) {
    /* These five types have a structure of their own; all others are one scalar. */
    PetscCall(CospinReadAxis(reader, entry, &setting->axis));
    PetscFunctionReturn(0);
  }
  if ((type == COSPIN_KEY_STATE || type == COSPIN_KEY_SECTOR) && setting->key->choices &&
      CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    PetscCall(read_word(reader, entry, setting));
    PetscFunctionReturn(0);
  }
  if (type == COSPIN_KEY_STATE) {
    PetscCall(CospinReadState(reader, entry, setting));
    PetscFunctionReturn(0);
  }
  if (type == COSPIN_KEY_SECTOR) {
    PetscCall(CospinReadSector(reader, entry, setting));
    PetscFunctionReturn(0);
  }
  if (type == COSPIN_KEY_MATRICES) {
    PetscCall(CospinReadMatrices(reader, entry, setting));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntryGetText(entry, type_names[type], reader->faults, &setting->text));
  if (!setting->text) PetscFunctionReturn(0);
  switch (type) {
  case COSPIN_KEY_BOOLEAN:
    PetscCall(CospinReadBoolean(reader, entry, &setting->boolean));
    break;
  case COSPIN_KEY_NAME:
    PetscCall(check_choice(reader, entry, setting));
    break;
  case COSPIN_KEY_NUMBER:
  case COSPIN_KEY_INTEGER:
  case COSPIN_KEY_OPERATOR:
  case COSPIN_KEY_FUNCTION:
    PetscCall(CospinReadExpression(reader, entry, type_names[type], &setting->expression));
    if (setting->expression && (type == COSPIN_KEY_NUMBER || type == COSPIN_KEY_INTEGER))
      PetscCall(CospinParametersCheckNames(reader->deck, setting->expression, reader->faults));
    break;
  case COSPIN_KEY_AXIS:
  case COSPIN_KEY_STATE:
  case COSPIN_KEY_SECTOR:
  case COSPIN_KEY_MATRICES:
    break;
  }
  PetscFunctionReturn(0);
}

/* The default as if it stood in the deck: it is a small document of its own. A default that does not read
   is a mistake in the table and stops the program (PetscCheck): every deck with a record of this kind
   finds it. */
static PetscErrorCode read_default(CospinReader *reader, const char path[], CospinSetting *setting)
{
  const int num_faults = CospinFaultsCount(reader->faults);
  const CospinKey *key = setting->key;
  const CospinPosition at = setting->position;
  CospinEntry entry;
  CospinYaml yaml;

  PetscFunctionBeginUser;
  PetscCall(CospinYamlCreate(key->default_text, strlen(key->default_text), reader->faults, &yaml));
  PetscCheck(yaml, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Default of key %s is no YAML: %s", key->name,
             key->default_text);
  PetscCall(CospinYamlGetRoot(yaml, &entry));
  PetscCall(PetscStrallocpy(path, &entry.path));
  entry.at = entry.key_at = at;
  PetscCall(read_setting(reader, &entry, setting));
  PetscCheck(CospinFaultsCount(reader->faults) == num_faults, PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "Default of key %s does not fit its type: %s", key->name, key->default_text);
  PetscCall(PetscFree(entry.path));
  PetscCall(CospinYamlDestroy(&yaml));
  PetscFunctionReturn(0);
}

static int count_keys(const CospinKey keys[])
{
  int count = 0;

  while (keys[count].name) count++;
  return count;
}

/* `reserved` is the key that names the kind (`kind` of a component) or the record (`name` of a task); it is
   no row of the table. */
static PetscErrorCode check_known(CospinReader *reader, const CospinEntries *entries, const char reserved[],
                                  const CospinKey keys[], int *num_unknown)
{
  const int count = count_keys(keys);
  const char **known;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)count + 2, &known));
  for (int k = 0; k < count; k++) known[k] = keys[k].name;
  known[count] = reserved;
  known[count + 1] = NULL;
  PetscCall(CospinEntriesCheckKeys(entries, known, reader->faults, num_unknown));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* A key that is missing, or that stands beside the one that it stands for. `instead`: one of two keys has to
 * be there, not both. */
static PetscErrorCode check_presence(CospinReader *reader, const CospinEntries *entries, const char path[],
                                     const CospinKey *key, CospinPosition record)
{
  const CospinEntry *entry = CospinEntriesFind(entries, key->name),
                    *instead = key->instead ? CospinEntriesFind(entries, key->instead) : NULL;

  PetscFunctionBeginUser;
  if (entry && instead)
    PetscCall(CospinFaultsAdd(reader->faults, instead->key_at, instead->path,
                              "stands beside `%s` (leave one of them out)", key->name));
  if (!entry && !instead && key->required)
    PetscCall(CospinFaultsAdd(reader->faults, record, path, "`%s`%s%s%s is missing (%s: %s)", key->name,
                              key->instead ? " or `" : "", key->instead ? key->instead : "",
                              key->instead ? "`" : "", type_names[key->type], key->help));
  PetscFunctionReturn(0);
}

/* One setting per row, in the order of the table, whether it stands in the deck or not: CospinRecordGet()
   never returns nothing. */
PetscErrorCode CospinReadSettings(CospinReader *reader, const CospinEntries *entries, const char reserved[],
                                  const char path[], CospinRecord *record)
{
  const CospinKey *keys = record->kind->keys;
  const int count = count_keys(keys);
  int num_unknown;

  PetscFunctionBeginUser;
  PetscCall(CospinReadConstants(reader)); /* its faults must not be taken for those of a default */
  PetscCall(check_known(reader, entries, reserved, keys, &num_unknown));
  PetscCall(PetscCalloc1((size_t)count, &record->settings));
  for (int k = 0; k < count; k++) {
    const CospinEntry *entry = CospinEntriesFind(entries, keys[k].name);
    CospinSetting *setting = &record->settings[k];

    setting->key = &keys[k];
    setting->position = record->position;
    if (entry)
      PetscCall(read_setting(reader, entry, setting));
    else if (keys[k].default_text)
      PetscCall(read_default(reader, path, setting));
    if (!num_unknown) PetscCall(check_presence(reader, entries, path, &keys[k], record->position));
  }
  PetscFunctionReturn(0);
}
