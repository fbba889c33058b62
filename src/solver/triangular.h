/*
   Triangular factors of a matrix that is real but for factors i of its labels, in single precision: in a
   build of PETSc for complex scalars each of their elements takes 8 bytes instead of 20.
*/
#pragma once
#include <petscpc.h>

/*
   Not collective, on one rank. Whether there are numbers t_k = 0 or 1 for which i^-t_row A i^t_column is
   real; then `pc` applies, and transposes, factors of its matrix, a MATSEQAIJ, from now on: ILU(1), or
   complete ones without pivots. Otherwise *suits is false and `pc` as it was.
*/
PetscErrorCode CospinTriangularUse(PC pc, PetscBool complete, PetscBool *suits);

/* Not collective. The order of rows and columns that keeps complete factors of planes sparse. */
PetscErrorCode CospinTriangularOrdering(MatOrderingType *ordering);
