/* `cospin new`: decks to start from. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

/* The name of the k-th topic, in alphabetical order; NULL behind the last. */
const char *CospinNewTopic(int k);

/*
   Not collective. Writes NAME.yaml (name may end in .yaml already) like a topic (NULL: the default), with
   comments, and says on `stream` what comes next. A file that is there is left alone: *ok is false then, as
   for an unknown topic, and stderr says why.
*/
PetscErrorCode CospinNewDeck(const char name[], const char topic[], FILE *stream, PetscBool *ok);
