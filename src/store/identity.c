/*
   What makes two runs the same run: a text that holds everything of the deck that can change a result (not
   its comments, titles, plots, nor the values of axes, by which points are known), the checksums of the
   files it reads, and the version of the program's results. It is stored in every shard, checkpoint and
   archive, and compared line by line with that of a run that wants to go on; the first line that differs
   is told.

   RESULTS_VERSION is raised by whoever changes a number beyond rounding: old points are then not mixed with
   new ones, but refused by name.
*/
#include "identity.h"
#include <stdint.h>
#include <string.h>

/* Grows with every change of the program after which the same deck gives other results than rounding
 * explains. */
enum { RESULTS_VERSION = 5 };

/* FNV-1a, 64 bits: tells versions of a file apart, keeps nobody out. */
static uint64_t checksum_of(const char file[])
{
  FILE *stream = fopen(file, "rb");
  uint64_t sum = UINT64_C(0xcbf29ce484222325);
  int c;

  while (stream && (c = fgetc(stream)) != EOF) sum = (sum ^ (uint64_t)c) * UINT64_C(0x100000001b3);
  if (stream) (void)fclose(stream);
  return sum;
}

/* Goes over the files that a deck reads. */
typedef struct {
  CospinDeck deck;
  CospinIdentityFile visit;
  void *context;
} Visitor;

/* Relative to the folder of the deck, as when it is read. */
static PetscErrorCode visit_file(const Visitor *visitor, const char name[])
{
  char file[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(file, sizeof(file), "%s%s", name[0] == '/' ? "" : visitor->deck->folder, name));
  PetscCall(visitor->visit(visitor->context, name, file));
  PetscFunctionReturn(0);
}

/* A key called `file` names one, and so do a state that another run has stored and an operator's matrix. */
static PetscErrorCode visit_record(const Visitor *visitor, const CospinRecord *record)
{
  PetscFunctionBeginUser;
  for (int k = 0; record->kind && record->settings && record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];
    const PetscBool named = (PetscBool)(strcmp(record->kind->keys[k].name, "file") == 0);
    if (named && setting->text) PetscCall(visit_file(visitor, setting->text));
    if (setting->file) PetscCall(visit_file(visitor, setting->file->file));
    for (int m = 0; m < setting->num_matrices; m++)
      if (setting->matrices[m].file) PetscCall(visit_file(visitor, setting->matrices[m].file));
  }
  PetscFunctionReturn(0);
}

/* A visit of CospinExpressionVisitTables. */
static PetscErrorCode visit_table(void *context, const char name[])
{
  PetscFunctionBeginUser;
  PetscCall(visit_file((const Visitor *)context, name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIdentityFiles(CospinDeck deck, CospinIdentityFile visit, void *context)
{
  Visitor visitor = {deck, visit, context};

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_components; k++) PetscCall(visit_record(&visitor, &deck->components[k]));
  for (int k = 0; k < deck->num_arrays; k++) PetscCall(visit_record(&visitor, &deck->arrays[k].generator));
  for (int k = 0; k < deck->num_tasks; k++) PetscCall(visit_record(&visitor, &deck->tasks[k]));
  for (int k = 0; k < deck->num_hamiltonian; k++)
    PetscCall(CospinExpressionVisitTables(deck->hamiltonian[k], visit_table, &visitor));
  for (int k = 0; k < deck->num_jumps; k++)
    if (deck->jumps[k].rate)
      PetscCall(CospinExpressionVisitTables(deck->jumps[k].rate, visit_table, &visitor));
  PetscFunctionReturn(0);
}

/* The content counts, not the name or the time: a file that was copied is the same one. */
static PetscErrorCode view_file(void *context, const char name[], const char file[])
{
  PetscFunctionBeginUser;
  fprintf((FILE *)context, "checksum of %s: %016llx\n", name, (unsigned long long)checksum_of(file));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIdentityView(CospinDeck deck, FILE *stream)
{
  PetscFunctionBeginUser;
  fprintf(stream, "results of version %d", RESULTS_VERSION);
  PetscCall(CospinDeckViewMeaning(deck, stream));
  PetscCall(CospinIdentityFiles(deck, view_file, stream));
  PetscFunctionReturn(0);
}

/* The first line that differs, cut to what a sentence can bear. */
static void take_line(const char text[], size_t begin, char line[81])
{
  const int length = (int)PetscMin(strcspn(text + begin, "\n"), 80);

  (void)snprintf(line, 81, "%.*s", length, text + begin);
}

/* begin == 0: the very first line differs, which holds the version. */
PetscErrorCode CospinIdentityCompare(const char file[], const char found[], const char wanted[], char why[],
                                     size_t why_size)
{
  size_t begin = 0;
  char there[81], here[81];

  PetscFunctionBeginUser;
  why[0] = 0;
  if (strcmp(found, wanted) == 0) PetscFunctionReturn(0);
  for (size_t k = 0; found[k] && found[k] == wanted[k]; k++) {
    if (found[k] == '\n') begin = k + 1;
  }
  take_line(found, begin, there);
  take_line(wanted, begin, here);
  if (!found[0]) {
    PetscCall(PetscSNPrintf(why, why_size, "%s does not say which deck it belongs to", file));
  } else if (begin == 0) {
    PetscCall(PetscSNPrintf(why, why_size, "%s was made by a version of cospin whose results differ", file));
  } else if (!there[0] || !here[0]) {
    PetscCall(PetscSNPrintf(why, why_size, "%s belongs to another deck: `%s` stands only %s", file,
                            there[0] ? there : here, there[0] ? "there" : "here"));
  } else {
    PetscCall(
        PetscSNPrintf(why, why_size, "%s belongs to another deck: there `%s`, here `%s`", file, there, here));
  }
  PetscFunctionReturn(0);
}
