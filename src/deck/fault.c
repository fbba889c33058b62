/*
   Faults of a deck: collected while it is read and checked, told at the end in the order of the text, one
   line each as compilers have it, so that editors jump to them. The same fault found twice (at two grid
   points, by two tasks) is told once.

   A fault stands at a position and at a path. Some have no position (a section that is missing): these come
   first. `where` tells at which grid point it was found, where that is not the first.
*/
#include <cospin/deck/fault.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this many, faults are counted but not kept: nobody reads them, and looking for repetitions would
   take time that grows with the square of their number. */
enum { MAX_KEPT = 1000, MAX_SENTENCE = 4000 };

/* One line that a user reads. */
typedef struct {
  CospinPosition at;
  int order; /* in which it was added: sorting must be stable */
  char *path, *sentence, *where;
} Fault;

struct CospinFaults_ {
  char *file, *where;
  int count, capacity, num_dropped;
  Fault *faults;
};

PetscErrorCode CospinFaultsCreate(const char file[], CospinFaults *faults)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(faults));
  PetscCall(PetscStrallocpy(file, &(*faults)->file));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFaultsDestroy(CospinFaults *faults)
{
  PetscFunctionBeginUser;
  if (!*faults) PetscFunctionReturn(0);
  for (int k = 0; k < (*faults)->count; k++) {
    PetscCall(PetscFree((*faults)->faults[k].path));
    PetscCall(PetscFree((*faults)->faults[k].sentence));
    PetscCall(PetscFree((*faults)->faults[k].where));
  }
  PetscCall(PetscFree((*faults)->faults));
  PetscCall(PetscFree((*faults)->file));
  PetscCall(PetscFree((*faults)->where));
  PetscCall(PetscFree(*faults));
  PetscFunctionReturn(0);
}

/* What a user wrote may be quoted in a sentence; it must not break the line or write to the terminal.
   Escape sequences of a terminal come in by decks of others. */
static void replace_controls(char text[])
{
  for (char *c = text; *c; c++) {
    if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
  }
}

/* Linear in the number of faults, which is why MAX_KEPT exists. The same deck is checked by every task and
   at several points: without this one misspelt operator would be told as often as it is looked at. `where`
   does not count, so the first point that has a fault is the one that is named. */
static PetscBool is_known(CospinFaults faults, CospinPosition at, const char path[], const char sentence[])
{
  for (int k = 0; k < faults->count; k++) {
    const Fault *fault = &faults->faults[k];

    if (fault->at.line == at.line && fault->at.column == at.column && !strcmp(fault->path, path) &&
        !strcmp(fault->sentence, sentence))
      return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* `path` and `sentence` are copied: both may be on the caller's stack. */
static PetscErrorCode append_fault(CospinFaults faults, CospinPosition at, const char path[],
                                   const char sentence[])
{
  Fault *fault;

  PetscFunctionBeginUser;
  if (faults->count == faults->capacity) {
    faults->capacity = faults->capacity ? 2 * faults->capacity : 16;
    PetscCall(PetscRealloc((size_t)faults->capacity * sizeof(Fault), &faults->faults));
  }
  fault = &faults->faults[faults->count];
  fault->at = at;
  fault->order = faults->count++;
  PetscCall(PetscStrallocpy(path, &fault->path));
  PetscCall(PetscStrallocpy(sentence, &fault->sentence));
  PetscCall(PetscStrallocpy(faults->where, &fault->where));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFaultsAdd(CospinFaults faults, CospinPosition at, const char path[], const char format[],
                               ...)
{
  char sentence[MAX_SENTENCE], clean_path[256];
  va_list arguments;

  PetscFunctionBeginUser;
  va_start(arguments, format);
  /* What a user wrote may make a sentence of any length; a longer one is cut and ends in dots. */
  const int length = vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  PetscCheck(length >= 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Bad format of a fault: %s", format);
  if ((size_t)length >= sizeof(sentence)) strcpy(sentence + sizeof(sentence) - 4, "...");
  if ((size_t)snprintf(clean_path, sizeof(clean_path), "%s", path) >= sizeof(clean_path))
    strcpy(clean_path + sizeof(clean_path) - 4, "...");
  replace_controls(sentence);
  replace_controls(clean_path);
  if (is_known(faults, at, clean_path, sentence)) PetscFunctionReturn(0);
  if (faults->count >= MAX_KEPT)
    faults->num_dropped++;
  else
    PetscCall(append_fault(faults, at, clean_path, sentence));
  PetscFunctionReturn(0);
}

/* Holds for faults from now on; NULL: they are those of the deck as a whole. */
PetscErrorCode CospinFaultsSetWhere(CospinFaults faults, const char where[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(faults->where));
  PetscCall(PetscStrallocpy(where, &faults->where));
  PetscFunctionReturn(0);
}

const char *CospinFaultsFile(CospinFaults faults)
{
  return faults->file;
}

/* Also those that were dropped, so that comparing counts before and after always tells whether something
   was wrong. */
int CospinFaultsCount(CospinFaults faults)
{
  return faults->count + faults->num_dropped;
}

/* qsort is not stable, hence the order in which they were added. */
static int compare_faults(const void *a, const void *b)
{
  const Fault *x = a, *y = b;

  if (x->at.line != y->at.line) return x->at.line < y->at.line ? -1 : 1;
  if (x->at.column != y->at.column) return x->at.column < y->at.column ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

/* Line 0 has no place in the file; COSPIN_LINE_OF_COMMAND stands for --set. */
PetscErrorCode CospinFaultsView(CospinFaults faults, FILE *stream)
{
  PetscFunctionBeginUser;
  if (faults->count) qsort(faults->faults, (size_t)faults->count, sizeof(Fault), compare_faults);
  for (int k = 0; k < faults->count; k++) {
    const Fault *fault = &faults->faults[k];

    fprintf(stream, "%s:", fault->at.line == COSPIN_LINE_OF_COMMAND ? "command line" : faults->file);
    if (fault->at.line > 0) fprintf(stream, "%d:%d:", fault->at.line, fault->at.column);
    if (fault->path[0]) fprintf(stream, " %s:", fault->path);
    fprintf(stream, " %s%s%s\n", fault->sentence, fault->where ? ", at " : "",
            fault->where ? fault->where : "");
  }
  if (faults->num_dropped) fprintf(stream, "%s: and %d more\n", faults->file, faults->num_dropped);
  PetscFunctionReturn(0);
}
