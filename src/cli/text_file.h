/* Texts that `cospin export` writes for other programs and for readers. All functions are not collective. */
#pragma once
#include <cospin/deck/deck.h>
#include <stdio.h>

typedef PetscErrorCode (*CospinTextView)(void *context, FILE *stream);

/* A sentence on stderr, *ok = false. kind: what the text holds ("matrices"). */
PetscErrorCode CospinTextFileRefuse(const char kind[], const char why[], PetscBool *ok);
/* Whether the grid has this point; else a sentence. */
PetscErrorCode CospinTextFileHasPoint(CospinDeck deck, long point, const char kind[], PetscBool *ok);
/* The line `cospin KIND 1` and what `view` writes become `file` ("-": the standard output). A file that is
   there is replaced if it begins so. *ok false: stderr has a sentence that says why. */
PetscErrorCode CospinTextFileWrite(const char file[], const char kind[], CospinTextView view, void *context,
                                   PetscBool *ok);
