/*
   Factors in real arithmetic, by MUMPS: in a build of PETSc for complex scalars a real matrix takes half of
   the memory and of the time that complex factors take.
*/
#pragma once
#include <petscpc.h>

/* Whether this build has them. */
PetscBool CospinRealFactorsExist(void);

/* Not collective, on one rank. From now on `pc` applies real factors of its matrix, whose elements are real,
   and of every other with the same places; no pivots are looked for. plane: they are ordered by degree, else
   as MUMPS likes. The real and the imaginary part of a vector are solved for side by side. */
PetscErrorCode CospinRealFactorsUse(PC pc, PetscBool plane);
