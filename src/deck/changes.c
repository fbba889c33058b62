/*
   What the command line puts in place of parameters of the deck: `--set N=40`. The tree gets the new
   expression, whose faults are those of the command line, and the text that is kept gets it where the old one
   stood, so that whoever reads the text again reads the deck that was run.

   The text is changed last and only where the deck has no faults: positions of faults are those of the text
   as it was read. Spans are written in the order of the text, each in place of the old value, so that every
   other byte stays (comments, quotes, the order of keys).

   Why the text and not only the value: a dataset stores the deck verbatim, and the same text given to
   `cospin run` without --set must give the same numbers. Identity (store/identity.c) then sees no
   difference between a parameter that was set and one that was written.
*/
#include "read_impl.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const CospinPosition on_command_line = {COSPIN_LINE_OF_COMMAND, 0};

/* "--set N": where a fault of a change is. Cut at 100 letters: a name that long is no parameter, and the
   fault says so. */
static const char *name_change(const CospinChange *change, char path[128])
{
  (void)snprintf(path, 128, "--set %.100s", change->name);
  return path;
}

/* Name and value share one allocation, cut at the first `=`; a value may contain further ones. A name
   given twice is a fault: with "the last one wins" a slip in a long command line would pass unseen. */
PetscErrorCode CospinChangesCreate(const char *const texts[], CospinFaults faults, int *count,
                                   CospinChange **changes)
{
  char path[128];
  int num = 0;

  PetscFunctionBeginUser;
  while (texts && texts[num]) num++;
  *count = num;
  PetscCall(PetscCalloc1((size_t)num, changes));
  for (int k = 0; k < num; k++) {
    CospinChange *change = &(*changes)[k];
    const char *sign = strchr(texts[k], '=');
    const size_t length = sign ? (size_t)(sign - texts[k]) : strlen(texts[k]);

    PetscCall(PetscStrallocpy(texts[k], &change->name));
    change->name[length] = '\0';
    change->value = change->name + length + (sign != NULL);
    for (int j = 0; j < k; j++) {
      if (!strcmp((*changes)[j].name, change->name))
        PetscCall(CospinFaultsAdd(faults, on_command_line, name_change(change, path),
                                  "is given twice (`%.200s` and `%.200s`)", (*changes)[j].value,
                                  change->value));
    }
    if (change->value[0]) continue;
    PetscCall(CospinFaultsAdd(faults, on_command_line, name_change(change, path),
                              "has no value (must be NAME=EXPRESSION, as in N=40)"));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinChangesDestroy(int count, CospinChange **changes)
{
  PetscFunctionBeginUser;
  for (int k = 0; *changes && k < count; k++) PetscCall(PetscFree((*changes)[k].name));
  PetscCall(PetscFree(*changes));
  PetscFunctionReturn(0);
}

/* Where the value of an entry of `parameters:` stands in the text, in either form. NAME: VALUE or NAME:
   {value: VALUE, ...}; only the value is replaced, units and labels stay. */
static PetscErrorCode find_span(CospinReader *reader, const CospinEntry *entry, CospinChange *change)
{
  const CospinEntry *value = entry;
  CospinEntries entries = {0, NULL};

  PetscFunctionBeginUser;
  if (CospinEntryGetForm(entry) == COSPIN_ENTRY_MAPPING) {
    PetscCall(CospinEntriesCreate(entry, COSPIN_ENTRY_MAPPING, "", reader->faults, &entries));
    value = CospinEntriesFind(&entries, "value");
  }
  if (value) CospinEntryGetSpan(value, &change->begin, &change->end);
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* A name that is no parameter stays unknown and is told when all sections have been read. The place of the
   new expression is the command line, so its faults do not point into a file where they are not. */
static PetscErrorCode apply_change(CospinReader *reader, const CospinEntries *entries, CospinChange *change)
{
  const CospinEntry *entry = CospinEntriesFind(entries, change->name);
  CospinDefinition *definition = NULL;
  char path[128];

  PetscFunctionBeginUser;
  for (int k = 0; k < reader->deck->num_parameters; k++) {
    if (!strcmp(reader->deck->parameters[k].name, change->name)) definition = &reader->deck->parameters[k];
  }
  if (!entry || !definition) PetscFunctionReturn(0);
  change->is_known = PETSC_TRUE;
  PetscCall(CospinExpressionDestroy(&definition->expression));
  if (change->value[0])
    PetscCall(CospinExpressionParseAt(change->value, on_command_line, PETSC_TRUE, name_change(change, path),
                                      reader->faults, &definition->expression));
  PetscCall(find_span(reader, entry, change));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinChangesApply(CospinReader *reader, const CospinEntry *parameters)
{
  CospinEntries entries;

  PetscFunctionBeginUser;
  if (!reader->num_changes) PetscFunctionReturn(0);
  PetscCall(CospinEntriesCreate(parameters, COSPIN_ENTRY_MAPPING, "a mapping `NAME: EXPRESSION`",
                                reader->faults, &entries));
  for (int k = 0; k < reader->num_changes; k++)
    PetscCall(apply_change(reader, &entries, &reader->changes[k]));
  PetscCall(CospinEntriesDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Only parameters can be changed: a grid, a size or a task that should change is made a parameter. */
static PetscErrorCode fail_unknown(CospinReader *reader, const CospinChange *change)
{
  CospinDeck deck = reader->deck;
  const char **known;
  char path[128];

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_parameters + 1, &known));
  for (int k = 0; k < deck->num_parameters; k++) known[k] = deck->parameters[k].name;
  PetscCall(CospinFaultsAddUnknown(reader->faults, on_command_line, name_change(change, path), "parameter",
                                   change->name, known));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* After all sections, because axes are read after parameters. An axis would override the value silently at
   every point: whoever writes --set N=40 for a deck with N on the grid expects one point. */
PetscErrorCode CospinChangesCheck(CospinReader *reader)
{
  char path[128];

  PetscFunctionBeginUser;
  for (int k = 0; k < reader->num_changes; k++) {
    const CospinChange *change = &reader->changes[k];

    if (!change->is_known) PetscCall(fail_unknown(reader, change));
    for (int a = 0; change->is_known && a < reader->deck->num_axes; a++) {
      if (strcmp(reader->deck->axes[a].name, change->name) != 0) continue;
      PetscCall(CospinFaultsAdd(reader->faults, on_command_line, name_change(change, path),
                                "is an axis of `grid`, whose values would win (change them there, or take "
                                "the axis out)"));
    }
  }
  PetscFunctionReturn(0);
}

/* ---- The text ------------------------------------------------------------------------------------------ */

static int compare_spans(const void *a, const void *b)
{
  const CospinChange *x = a, *y = b;

  return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* As a scalar of YAML that means the same wherever it stands. Plain where nothing of it can mean anything
   to YAML; else in single quotes, where only the quote itself is special and is doubled. An expression
   that begins with a sign, as -1, is quoted, which the reader does not mind: settings are expressions
   whatever their style. */
static void print_value(FILE *stream, const char value[])
{
  PetscBool plain = (PetscBool)(isalnum((unsigned char)value[0]) != 0);

  for (const char *c = value; *c; c++) {
    if (!isalnum((unsigned char)*c) && !strchr("_.+-*/^()", *c)) plain = PETSC_FALSE;
  }
  if (!plain) fputc('\'', stream);
  for (const char *c = value; *c; c++) fprintf(stream, *c == '\'' ? "''" : "%c", *c);
  if (!plain) fputc('\'', stream);
}

/* Pieces of the old text and new values in turn. Changes are sorted by their place in the text, which is
   not the order of the command line. */
PetscErrorCode CospinChangesWrite(CospinReader *reader, size_t length)
{
  CospinDeck deck = reader->deck;
  char *buffer = NULL;
  size_t size, at = 0;
  FILE *stream;

  PetscFunctionBeginUser;
  if (!reader->num_changes || CospinFaultsCount(reader->faults)) PetscFunctionReturn(0);
  qsort(reader->changes, (size_t)reader->num_changes, sizeof(CospinChange), compare_spans);
  stream = open_memstream(&buffer, &size);
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for a deck");
  for (int k = 0; k < reader->num_changes; k++) {
    const CospinChange *change = &reader->changes[k];

    (void)fwrite(deck->text + at, 1, change->begin - at, stream);
    print_value(stream, change->value);
    at = change->end;
  }
  (void)fwrite(deck->text + at, 1, length - at, stream);
  PetscCheck(fclose(stream) == 0, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for a deck");
  PetscCall(PetscFree(deck->text));
  PetscCall(PetscMalloc1(size + 1, &deck->text));
  memcpy(deck->text, buffer, size + 1);
  free(buffer);
  PetscFunctionReturn(0);
}
