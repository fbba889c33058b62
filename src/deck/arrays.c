/*
   The section `arrays`: lists of numbers, lists of such lists, and records of generators.

   Numbers may be expressions; they are evaluated at each grid point (problem/arrays.c), and a generator is
   run there, too, so that its arguments may be on the grid.
*/
#include "read_impl.h"
#include <string.h>

#define EXPECTED_ARRAY                                                                                       \
  "a list of numbers (one per spin), a list of such lists (a matrix), or a generator as in {normal: {std: "  \
  "1, seed: 7}}"

/* One number per spin, in order. Each number is checked for unknown names at once: at a grid point there
   would be no column to point at. */
static PetscErrorCode read_row(CospinReader *reader, const CospinEntries *items, CospinExpression entries[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < items->count; k++) {
    PetscCall(CospinReadExpression(reader, &items->entries[k], "a number", &entries[k]));
    if (entries[k]) PetscCall(CospinParametersCheckNames(reader->deck, entries[k], reader->faults));
  }
  PetscFunctionReturn(0);
}

/* M[l,m]: rows are the first index. A row of a wrong length leaves its entries NULL, and reading goes on. */
static PetscErrorCode read_matrix(CospinReader *reader, const CospinEntries *rows, CospinArray *array)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < rows->count; k++) {
    const CospinEntry *row = &rows->entries[k];
    CospinEntries items;

    PetscCall(CospinEntriesCreate(row, COSPIN_ENTRY_LIST, "a list of numbers (a row of the matrix)",
                                  reader->faults, &items));
    if (items.count == array->size)
      PetscCall(read_row(reader, &items, array->entries + k * array->size));
    else if (CospinEntryGetForm(row) == COSPIN_ENTRY_LIST)
      PetscCall(CospinFaultsAdd(reader->faults, row->at, row->path,
                                "has %d number%s (must be %d: a matrix is as wide as it is high)",
                                items.count, items.count == 1 ? "" : "s", array->size));
    PetscCall(CospinEntriesDestroy(&items));
  }
  PetscFunctionReturn(0);
}

/* The first entry tells whether it is a vector or a matrix. How many spins there are is not known here:
   the size is checked where components exist. A list of 1000 rows has 10^6 expressions, each a tree of its
   own; larger arrays belong into a file ({file: ...}). */
static PetscErrorCode read_list(CospinReader *reader, const CospinEntry *entry, CospinArray *array)
{
  enum { MAX_SIZE = 1000 };
  CospinEntries items;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, EXPECTED_ARRAY, reader->faults, &items));
  if (items.count == 0 || items.count > MAX_SIZE) {
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "has %d numbers (must be %s)",
                              items.count, "one per spin"));
  } else {
    array->rank = CospinEntryGetForm(&items.entries[0]) == COSPIN_ENTRY_LIST ? 2 : 1;
    array->size = items.count;
    PetscCall(
        PetscCalloc1((size_t)array->size * (size_t)(array->rank == 2 ? array->size : 1), &array->entries));
    if (array->rank == 2)
      PetscCall(read_matrix(reader, &items, array));
    else
      PetscCall(read_row(reader, &items, array->entries));
  }
  PetscCall(CospinEntriesDestroy(&items));
  PetscFunctionReturn(0);
}

/* The generator that one of the keys names, and that key. */
static const CospinRecordKind *find_generator(const CospinReader *reader, const CospinEntries *entries,
                                              const CospinEntry **named)
{
  const CospinRecordKind *const *kinds = reader->schema->arrays;

  for (int k = 0; kinds && kinds[k]; k++) {
    *named = CospinEntriesFind(entries, kinds[k]->name);
    if (*named) return kinds[k];
  }
  return NULL;
}

static PetscErrorCode report_unknown(CospinReader *reader, const CospinEntry *entry,
                                     const CospinEntries *entries)
{
  const CospinRecordKind *const *kinds = reader->schema->arrays;
  const char *known[64] = {NULL};

  PetscFunctionBeginUser;
  for (int k = 0; kinds && kinds[k] && k < 63; k++) known[k] = kinds[k]->name;
  if (entries->count)
    PetscCall(CospinFaultsAddUnknown(reader->faults, entries->entries[0].key_at, entry->path, "generator",
                                     entries->entries[0].key, known));
  else
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be " EXPECTED_ARRAY));
  PetscFunctionReturn(0);
}

/* Of a generator whose name is one of its keys, as in {file: trap.h5, dataset: gamma}: then the mapping
   itself holds the keys. Others have theirs one level deeper, {normal: {std: 1, seed: 7}}. */
static PetscBool has_key(const CospinRecordKind *kind, const char name[])
{
  for (int k = 0; kind->keys[k].name; k++) {
    if (!strcmp(kind->keys[k].name, name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Arguments are expressions, evaluated when the generator is run, at each point; so a seed may be an axis,
   which is how a disorder average is made. */
static PetscErrorCode read_generator(CospinReader *reader, const CospinEntry *entry, CospinArray *array)
{
  const char *known[2] = {NULL};
  const CospinEntry *named = NULL;
  const CospinRecordKind *kind;
  CospinEntries entries, inner;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_ARRAY, reader->faults, &entries));
  kind = find_generator(reader, &entries, &named);
  array->generator.kind = kind;
  if (!kind) {
    PetscCall(report_unknown(reader, entry, &entries));
  } else if (has_key(kind, kind->name)) {
    array->generator.position = entry->at;
    PetscCall(CospinReadSettings(reader, &entries, NULL, entry->path, &array->generator));
  } else {
    known[0] = kind->name;
    array->generator.position = named->at;
    PetscCall(CospinEntriesCheckKeys(&entries, known, reader->faults, NULL));
    PetscCall(
        CospinEntriesCreate(named, COSPIN_ENTRY_MAPPING, "a mapping {key: value}", reader->faults, &inner));
    PetscCall(CospinReadSettings(reader, &inner, NULL, named->path, &array->generator));
    PetscCall(CospinEntriesDestroy(&inner));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Arrays stand in expressions beside parameters, components and functions, so no two of them may have the
   same name. */
static PetscErrorCode check_name(CospinReader *reader, const CospinEntry *entry)
{
  const CospinDeck deck = reader->deck;
  const char *what = CospinReservedName(entry->key);
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinReadName(reader, entry->key_at, entry->path, entry->key, &good));
  if (CospinParameterFind(deck, entry->key) >= 0) what = "a parameter, too";
  for (int k = 0; k < deck->num_components; k++) {
    if (deck->components[k].name && !strcmp(deck->components[k].name, entry->key)) what = "a component, too";
  }
  if (what)
    PetscCall(CospinFaultsAdd(reader->faults, entry->key_at, entry->path,
                              "an array cannot be named `%s` (it is %s)", entry->key, what));
  PetscFunctionReturn(0);
}

/* Names are checked against parameters and components, which the table of sections (read.c) has read
   before. */
PetscErrorCode CospinReadArrays(CospinReader *reader, const CospinEntry *entry)
{
  CospinDeck deck = reader->deck;
  CospinEntries entries;

  PetscFunctionBeginUser;
  PetscCall(
      CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "a mapping `NAME: ARRAY`", reader->faults, &entries));
  PetscCall(PetscCalloc1((size_t)entries.count, &deck->arrays));
  deck->num_arrays = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    CospinArray *array = &deck->arrays[k];

    array->position = item->at;
    PetscCall(PetscStrallocpy(item->key, &array->name));
    PetscCall(PetscStrallocpy(item->path, &array->path));
    PetscCall(check_name(reader, item));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_LIST)
      PetscCall(read_list(reader, item, array));
    else if (CospinEntryGetForm(item) == COSPIN_ENTRY_MAPPING)
      PetscCall(read_generator(reader, item, array));
    else
      PetscCall(CospinFaultsAdd(reader->faults, item->at, item->path, "must be " EXPECTED_ARRAY));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
