/*
   `cospin show`: what a file says of itself. A finished dataset shows itself (cospin/dataset/dataset.h); a
   folder of shards, or a name whose dataset is not written yet, is an unfinished run (unfinished.c).
*/
#include "unfinished.h"
#include <cospin/cli/show.h>
#include <cospin/dataset/dataset.h>
#include <cospin/store/parts.h>

/* One sentence, and exit status 2. Damage is an answer, not a failure of the program. */
static void complain(const char why[], PetscBool *ok)
{
  fprintf(stderr, "cospin: %s\n", why);
  *ok = PETSC_FALSE;
}

/* PETSc's own message of an error is kept away: `why` is the sentence that a user can use. */
PetscErrorCode CospinShow(const char file[], PetscBool trust, FILE *stream, PetscBool *ok)
{
  char why[1024] = "";
  PetscBool unfinished;
  PetscErrorCode code = 0;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(CospinUnfinishedView(file, stream, &unfinished));
  if (unfinished) PetscFunctionReturn(0);
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  code = CospinDatasetShow(file, trust, stream, why, sizeof(why));
  PetscCall(PetscPopErrorHandler());
  if (!code && !trust) PetscCall(CospinDatasetWarnOfSeal(file));
  if (code) complain(why, ok);
  PetscFunctionReturn(0);
}

/* A dataset to read the deck from: the file itself, or one of the shards. The newest shard, as any of them
   has the deck. */
static PetscErrorCode choose_file(const char file[], char name[], size_t size)
{
  CospinParts parts;
  char **names;
  int num;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, size, "%s", file));
  if (!CospinPartsFind(file, &parts)) PetscFunctionReturn(0);
  PetscCall(CospinPartsList(&parts, &num, &names));
  if (num) PetscCall(PetscSNPrintf(name, size, "%s", names[num - 1]));
  PetscCall(CospinPartsFreeList(num, &names));
  PetscFunctionReturn(0);
}

/* As it was given, with comments, and with what --set has put in (deck/changes.c): `cospin show --deck
   a.h5 >a.yaml` can be run again. */
PetscErrorCode CospinShowDeck(const char file[], PetscBool trust, FILE *stream, PetscBool *ok)
{
  char name[PETSC_MAX_PATH_LEN], why[PETSC_MAX_PATH_LEN + 512] = "", *text = NULL;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(choose_file(file, name, sizeof(name)));
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  if (!CospinDatasetReadText(name, "verbatim", trust, &text, why, sizeof(why)) && !text[0])
    (void)snprintf(why, sizeof(why), "%s does not hold the deck that it is from", name);
  PetscCall(PetscPopErrorHandler());
  if (why[0]) {
    complain(why, ok);
  } else {
    fputs(text, stream);
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}
