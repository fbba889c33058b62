/*
   Components and tasks: records of a kind that the schema describes.

   A record is what stands behind `- kind:` or `kind: KIND`: its keys are those of the kind's table, so a
   new task or component needs nothing here. Two tasks of a kind need names of their own, for the names of
   their variables begin with them.

   Names matter more than they seem to: `decay_rate` in a dataset is the variable `rate` of the task named
   `decay`, and a script that reads it breaks when a task is renamed.
*/
#include "read_impl.h"
#include <string.h>

/* The kind of that name; NULL and a fault if there is none. Kinds come from the schema that the caller
   hands in (cli/load.c): this room stands below components and tasks and cannot know theirs. */
static PetscErrorCode find_kind(CospinReader *reader, CospinPosition at, const char path[], const char what[],
                                const char name[], const CospinRecordKind *const kinds[],
                                const CospinRecordKind **kind)
{
  const char **known;
  int count = 0;

  PetscFunctionBeginUser;
  *kind = NULL;
  while (kinds[count]) count++;
  PetscCall(PetscCalloc1((size_t)count + 1, &known));
  for (int k = 0; k < count; k++) {
    known[k] = kinds[k]->name;
    if (!strcmp(kinds[k]->name, name)) *kind = kinds[k];
  }
  if (!*kind) PetscCall(CospinFaultsAddUnknown(reader->faults, at, path, what, name, known));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* Components and parameters share the names of expressions (`ions.Sp`, `N`), so a name may be one of
   either only. A record without a known kind has no settings; everything behind looks at `kind` first. */
static PetscErrorCode read_component(CospinReader *reader, const CospinEntry *entry, CospinRecord *record)
{
  const CospinEntry *kind;
  CospinEntries entries;
  char *text = NULL;
  PetscBool good;

  PetscFunctionBeginUser;
  record->position = entry->key_at;
  PetscCall(PetscStrallocpy(entry->key, &record->name));
  PetscCall(CospinReadName(reader, entry->key_at, entry->path, entry->key, &good));
  if (CospinParameterFind(reader->deck, entry->key) >= 0)
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path,
                              "a parameter is named `%s` too (rename one of them)", entry->key));
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping {kind: KIND, ...}", reader->faults,
                                &entries));
  kind = CospinEntriesFind(&entries, "kind");
  if (kind)
    PetscCall(CospinEntryGetText(kind, "a kind of component", reader->faults, &text));
  else if (CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING ||
           CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY)
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path,
                              "`kind` is missing (as in {kind: ensemble, size: 10})"));
  if (text)
    PetscCall(find_kind(reader, kind->at, kind->path, "kind of component", text, reader->schema->components,
                        &record->kind));
  if (record->kind) PetscCall(CospinReadSettings(reader, &entries, "kind", entry->path, record));
  PetscCall(PetscFree(text));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* The members of a group: their line is read once for each, and what is wrong with it told once (fault.c). */
static PetscErrorCode read_members(CospinReader *reader, const CospinEntry *entry, int count)
{
  CospinDeck deck = reader->deck;
  CospinComponentGroup *group;
  char name[160];

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc((size_t)(deck->num_components + count) * sizeof(CospinRecord), &deck->components));
  PetscCall(PetscRealloc((size_t)(deck->num_groups + 1) * sizeof(CospinComponentGroup), &deck->groups));
  group = &deck->groups[deck->num_groups++];
  *group = (CospinComponentGroup){.first = deck->num_components - 1, .count = count};
  PetscCall(PetscStrallocpy(entry->key, &group->name));
  for (int k = 0; k < count; k++) {
    CospinRecord *record = &deck->components[group->first + k];

    if (k) memset(record, 0, sizeof(*record));
    if (k) PetscCall(read_component(reader, entry, record));
    if (k) deck->num_components++;
    PetscCall(PetscSNPrintf(name, sizeof(name), "%.120s_%d", entry->key, k));
    PetscCall(PetscFree(record->name));
    PetscCall(PetscStrallocpy(name, &record->name));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadComponents(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `NAME: {kind: KIND, ...}`",
                                reader->faults, &entries));
  for (int k = 0; k < entries.count; k++) {
    const size_t size = (size_t)(deck->num_components + 1) * sizeof(CospinRecord);
    CospinRecord *record;
    int members;

    PetscCall(PetscRealloc(size, &deck->components));
    record = &deck->components[deck->num_components++];
    memset(record, 0, sizeof(*record));
    PetscCall(read_component(reader, &entries.entries[k], record));
    PetscCall(CospinReadGroupSize(reader, record, &members));
    if (members) PetscCall(read_members(reader, &entries.entries[k], members));
  }
  PetscCall(CospinCheckGroupNames(reader));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* The record's kind and name are known to be wanted: reads `name` and the keys of the kind. Under
   `operator: expansion` names of tasks mean other kinds with other keys (tasks/expanded), hence the second
   list. */
static PetscErrorCode read_task_keys(CospinReader *reader, const CospinEntry *entry, CospinRecord *record)
{
  const PetscBool is_expanded =
      (PetscBool)(reader->deck->operator_form == COSPIN_OPERATOR_EXPANSION && reader->schema->expanded);
  const CospinEntry *name = NULL;
  CospinEntries entries;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(find_kind(reader, entry->key_at, entry->path,
                      is_expanded ? "task under `operator: expansion`" : "task", entry->key,
                      is_expanded ? reader->schema->expanded : reader->schema->tasks, &record->kind));
  if (!record->kind) PetscFunctionReturn(0);
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping {key: value, ...}", reader->faults,
                                &entries));
  name = CospinEntriesFind(&entries, "name");
  if (name)
    PetscCall(CospinEntryGetText(name, "a name", reader->faults, &record->name));
  else
    PetscCall(PetscStrallocpy(entry->key, &record->name));
  if (record->name && name) PetscCall(CospinReadName(reader, name->at, name->path, record->name, &good));
  PetscCall(CospinReadSettings(reader, &entries, "name", entry->path, record));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* `- kind: {keys}`, `- kind:` or `- kind`. Without keys the word alone is enough, as in `- steady`; YAML
   makes a scalar of that instead of a mapping. */
static PetscErrorCode read_task(CospinReader *reader, const CospinEntry *entry, CospinRecord *record)
{
  const char expected[] = "a task with its keys, as in `- steady: {}`";
  CospinEntries entries = {0, NULL};

  PetscFunctionBeginUser;
  record->position = entry->at;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_SCALAR) {
    CospinEntry plain = {.path = entry->path, .key_at = entry->at, .at = entry->at};

    PetscCall(CospinEntryGetText(entry, expected, reader->faults, &plain.key));
    if (plain.key) PetscCall(read_task_keys(reader, &plain, record));
    PetscCall(PetscFree(plain.key));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, expected, reader->faults, &entries));
  /* The usual slip: keys that are not indented stand beside the kind instead of below it, and YAML takes
     them for a second kind. */
  if (entries.count > 1)
    PetscCall(CospinFaultsAdd(
        reader->faults, entries.entries[1].key_at, entry->path,
        "a task has one kind (write its keys inside of { } or indent them: `- %.50s: {%.50s: ...}`)",
        entries.entries[0].key, entries.entries[1].key));
  else if (!entries.count && CospinEntryGetForm(entry) != COSPIN_ENTRY_LIST)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be %s", expected));
  else if (entries.count == 1)
    PetscCall(read_task_keys(reader, &entries.entries[0], record));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Each pair is told once, at the later task. */
static PetscErrorCode check_task_names(CospinReader *reader)
{
  CospinDeck deck = reader->deck;
  char path[32];

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_tasks; k++) {
    for (int j = 0; j < k; j++) {
      if (!deck->tasks[j].name || !deck->tasks[k].name || strcmp(deck->tasks[j].name, deck->tasks[k].name))
        continue;
      snprintf(path, sizeof(path), "tasks[%d]", k);
      PetscCall(CospinFaultsAdd(reader->faults, deck->tasks[k].position, path,
                                "two tasks are named `%s` (give one of them another `name`)",
                                deck->tasks[k].name));
      break;
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadTasks(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, "a list of tasks, as in `- steady: {}`",
                                reader->faults, &entries));
  if (!entries.count &&
      (CospinEntryGetForm(entry) == COSPIN_ENTRY_LIST || CospinEntryGetForm(entry) == COSPIN_ENTRY_EMPTY))
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path,
                              "there must be at least one task (as in `- steady: {}`)"));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->tasks));
  deck->num_tasks = entries.count;
  for (int k = 0; k < entries.count; k++) PetscCall(read_task(reader, &entries.entries[k], &deck->tasks[k]));
  PetscCall(check_task_names(reader));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
