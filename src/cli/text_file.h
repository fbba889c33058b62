/* Texts that `cospin export` writes for other programs and for readers. All functions are not collective. */
#pragma once
#include <cospin/deck/deck.h>
#include <stdio.h>

typedef PetscErrorCode (*CospinTextView)(void *context, FILE *stream);

/* A sentence on stderr, *ok = false. head: how such a text begins ("cospin matrices "). */
PetscErrorCode CospinTextFileRefuse(const char head[], const char why[], PetscBool *ok);
/* Whether the grid has this point; else a sentence. */
PetscErrorCode CospinTextFileHasPoint(CospinDeck deck, long point, const char head[], PetscBool *ok);
/* What `view` writes becomes `file` ("-": the standard output), of which it must write the head. A file that
   is there is replaced if it begins so. *ok false: stderr has a sentence that says why. */
PetscErrorCode CospinTextFileWrite(const char file[], const char head[], CospinTextView view, void *context,
                                   PetscBool *ok);
