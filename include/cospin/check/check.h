/* Whether a finished dataset, or what there is of one, is whole and right. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

/* Not collective, one process. `file` is a dataset, or the folder FILE.parts of a run that is not finished,
   or the dataset that this run will write. Whether it is whole: all checksums, everything that its deck asks
   for, what the outcome of every point promises, every stored state against the generator. Each fault is a
   line of `stream`; *ok is false if there is any. */
PetscErrorCode CospinShowCheck(const char file[], FILE *stream, PetscBool *ok);
