/*
   Operators that a deck states as matrices: a mapping of names, each with its matrix in one of three forms,

     x: [[0, 1], [1, 0]]                          row after row
     s: {entries: [[0, 1, 1], [1, 2, sqrt(2)]]}   row, column and value of those that are not zero
     z: {file: atom.h5, dataset: z}               a dataset of an HDF5 file

   Here they are expressions and names of files; the numbers are made at each grid point
   (problem/matrices.c), where the component that they belong to is known and how many levels it has.
*/
#include "read_impl.h"

#define EXPECTED_MATRIX                                                                                      \
  "a matrix row after row, [[0, 1], [1, 0]], {entries: [[ROW, COLUMN, VALUE], ...]} or {file: FILE.h5, "     \
  "dataset: NAME}"

/* One more expression of the parameters; unknown names are told at once, where there is a column. */
static PetscErrorCode read_number(CospinReader *reader, const CospinEntry *entry, CospinMatrix *matrix)
{
  CospinExpression *expression = &matrix->entries[matrix->num_expressions++];

  PetscFunctionBeginUser;
  PetscCall(CospinReadExpression(reader, entry, "a number or an expression", expression));
  if (*expression) PetscCall(CospinParametersCheckNames(reader->deck, *expression, reader->faults));
  PetscFunctionReturn(0);
}

/* Rows of `width` numbers each; `what`: what a row must be, if it has another number of them. */
static PetscErrorCode read_rows(CospinReader *reader, const CospinEntries *rows, int width, const char what[],
                                CospinMatrix *matrix)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)rows->count * (size_t)width, &matrix->entries));
  for (int k = 0; k < rows->count; k++) {
    const CospinEntry *row = &rows->entries[k];
    CospinEntries items;

    PetscCall(CospinEntriesCreate(row, COSPIN_ENTRY_LIST, what, reader->faults, &items));
    for (int j = 0; j < items.count && items.count == width; j++)
      PetscCall(read_number(reader, &items.entries[j], matrix));
    if (items.count != width && CospinEntryGetForm(row) == COSPIN_ENTRY_LIST)
      PetscCall(CospinFaultsAdd(reader->faults, row->at, row->path, "has %d number%s (must be %s)",
                                items.count, items.count == 1 ? "" : "s", what));
    PetscCall(CospinEntriesDestroy(&items));
  }
  PetscFunctionReturn(0);
}

/* As many rows as columns. A thousand rows are 10^6 expressions, each a tree of its own: larger ones have
   few entries, or belong into a file. */
static PetscErrorCode read_square(CospinReader *reader, const CospinEntry *entry, CospinMatrix *matrix)
{
  enum { MAX_SIZE = 1000 };
  CospinEntries rows;
  char what[128];

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_LIST, EXPECTED_MATRIX, reader->faults, &rows));
  (void)snprintf(what, sizeof(what), "a row of %d: a matrix is as wide as it is high", rows.count);
  if (rows.count == 0 || rows.count > MAX_SIZE)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "has %d rows (1 to %d; must be %s)",
                              rows.count, (int)MAX_SIZE, EXPECTED_MATRIX));
  else
    PetscCall(read_rows(reader, &rows, rows.count, what, matrix));
  matrix->size = rows.count;
  PetscCall(CospinEntriesDestroy(&rows));
  PetscFunctionReturn(0);
}

/* {entries: [[row, column, value], ...]} or {file: F, dataset: D}. An empty list of entries is the matrix
   zero, which a sweep may want. */
static PetscErrorCode read_keys(CospinReader *reader, const CospinEntry *entry, CospinMatrix *matrix)
{
  static const char *const keys[] = {"entries", "file", "dataset", NULL};
  char **const places[] = {NULL, &matrix->file, &matrix->dataset};
  const CospinEntry *listed;
  CospinEntries entries, rows;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, EXPECTED_MATRIX, reader->faults, &entries));
  PetscCall(CospinEntriesCheckKeys(&entries, keys, reader->faults, NULL));
  PetscCall(CospinReadTexts(reader, &entries, keys, places));
  listed = CospinEntriesFind(&entries, keys[0]);
  if ((listed != NULL) == (matrix->file != NULL) || !matrix->file != !matrix->dataset)
    PetscCall(CospinFaultsAdd(reader->faults, entry->at, entry->path, "must be " EXPECTED_MATRIX));
  if (listed) {
    PetscCall(CospinEntriesCreate(listed, COSPIN_ENTRY_LIST, "a list of [ROW, COLUMN, VALUE]", reader->faults,
                                  &rows));
    PetscCall(read_rows(reader, &rows, 3, "three: row, column and value, counted from 0", matrix));
    PetscCall(CospinEntriesDestroy(&rows));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadMatrices(CospinReader *reader, const CospinEntry *entry, CospinSetting *setting)
{
  CospinEntries entries;
  PetscBool good;

  PetscFunctionBeginUser;
  PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, CospinKeyTypeName(COSPIN_KEY_MATRICES),
                                reader->faults, &entries));
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING)
    PetscCall(PetscCalloc1((size_t)entries.count + 1, &setting->matrices)); /* not NULL although empty */
  setting->num_matrices = entries.count;
  for (int k = 0; k < entries.count; k++) {
    const CospinEntry *item = &entries.entries[k];
    CospinMatrix *matrix = &setting->matrices[k];

    matrix->position = item->at;
    PetscCall(PetscStrallocpy(item->key, &matrix->name));
    PetscCall(PetscStrallocpy(item->path, &matrix->path));
    PetscCall(CospinReadName(reader, item->key_at, item->path, item->key, &good));
    if (CospinEntryGetForm(item) == COSPIN_ENTRY_LIST)
      PetscCall(read_square(reader, item, matrix));
    else if (CospinEntryGetForm(item) == COSPIN_ENTRY_MAPPING)
      PetscCall(read_keys(reader, item, matrix));
    else
      PetscCall(CospinFaultsAdd(reader->faults, item->at, item->path, "must be " EXPECTED_MATRIX));
  }
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}
