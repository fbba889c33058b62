/*
   Texts that `cospin export` writes: what may be replaced, and when a file counts as written.
*/
#include "text_file.h"
#include <errno.h>
#include <string.h>

PetscErrorCode CospinTextFileRefuse(const char kind[], const char why[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  fprintf(stderr, "cospin: no %s: %s\n", kind, why);
  *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTextFileHasPoint(CospinDeck deck, long point, const char kind[], PetscBool *ok)
{
  char why[100];

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  (void)snprintf(why, sizeof(why), "the grid has points 0 ... %" PetscInt64_FMT ", there is no point %ld",
                 CospinDeckNumPoints(deck) - 1, point);
  if (point >= CospinDeckNumPoints(deck)) PetscCall(CospinTextFileRefuse(kind, why, ok));
  PetscFunctionReturn(0);
}

/* An existing file is replaced if it is one of these: the deck's name in the wrong place shall not cost the
   deck. Devices hold nothing. */
static PetscBool may_replace(const char file[], const char kind[])
{
  char head[64], begin[64] = "";
  FILE *stream = fopen(file, "r");
  size_t length;

  if (!stream) return PETSC_TRUE;
  (void)snprintf(head, sizeof(head), "cospin %s ", kind);
  length = fread(begin, 1, strlen(head), stream);
  (void)fclose(stream);
  return (PetscBool)(length == 0 || strcmp(begin, head) == 0);
}

/* A disk that is full shows when the file is closed. */
PetscErrorCode CospinTextFileWrite(const char file[], const char kind[], CospinTextView view, void *context,
                                   PetscBool *ok)
{
  const PetscBool standard = (PetscBool)(strcmp(file, "-") == 0);
  PetscBool failed;
  char why[4200];
  FILE *stream;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!standard && !may_replace(file, kind)) {
    (void)snprintf(why, sizeof(why), "%s is there and holds something else", file);
    PetscCall(CospinTextFileRefuse(kind, why, ok));
    PetscFunctionReturn(0);
  }
  stream = standard ? stdout : fopen(file, "w");
  if (stream) fprintf(stream, "cospin %s 1\n", kind);
  if (stream) PetscCall(view(context, stream));
  failed = (PetscBool)(!stream || fflush(stream) != 0 || ferror(stream));
  if (stream && !standard) failed |= fclose(stream) != 0;
  (void)snprintf(why, sizeof(why), "cannot write %s: %s", file, strerror(errno));
  if (failed) PetscCall(CospinTextFileRefuse(kind, why, ok));
  PetscFunctionReturn(0);
}
