/* Commands that only look: `cospin show` in its forms. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

/*
   Not collective, one process; all of these. `file` is a dataset, or the folder FILE.parts of a run that is
   not finished, or the dataset that this run will write. *ok is false if it cannot be read; stderr says why.
*/

/* What is in it. trust: no checksum is looked at. */
PetscErrorCode CospinShow(const char file[], PetscBool trust, FILE *stream, PetscBool *ok);
/* The deck that it is from, as it was written. */
PetscErrorCode CospinShowDeck(const char file[], PetscBool trust, FILE *stream, PetscBool *ok);
