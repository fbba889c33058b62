/* Small hermitian matrices of one process, by LAPACK. */
#pragma once
#include <complex.h>
#include <petscsys.h>

/* Not collective. Ascending values[size]; the columns of matrix[i + size*j] become the eigenvectors. */
PetscErrorCode CospinHermitianDiagonalise(int size, double complex matrix[], double values[]);
