/* A run that is not finished, for the eyes: what its shards hold. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

/*
   Not collective. `file` is a dataset or the folder FILE.parts. If there is no such dataset yet but a folder
   of shards, prints how many points it holds with which outcomes, and whether a run is writing it; *found
   tells.
*/
PetscErrorCode CospinUnfinishedView(const char file[], FILE *stream, PetscBool *found);
