/*
   A preconditioner for matrices whose rows are piles of planes: complete factors of each plane, and sweeps
   down and up the pile.
*/
#pragma once
#include <petscpc.h>

/* Not collective, on one rank. From now on `pc` applies, and transposes, a step of symmetric block
   Gauss-Seidel of its matrix, a MATSEQAIJ; begin[num + 1]: first rows of the blocks, and the number of rows;
   copied. */
PetscErrorCode CospinPlaneSweepsUse(PC pc, PetscInt num, const PetscInt begin[]);
