/* Small hermitian matrices of one process, by LAPACK. */
#pragma once
#include <complex.h>
#include <petscsys.h>

/* Elements of room to leave behind a complex matrix that LAPACK is given. OpenBLAS's zgemv (0.3.21, Debian
   12) reads past the end of a matrix, and where that is the end of a mapped page the process dies. */
#define COSPIN_LAPACK_ROOM 512

/* Not collective. Ascending values[size]; the columns of matrix[i + size*j] become the eigenvectors. */
PetscErrorCode CospinHermitianDiagonalise(int size, double complex matrix[], double values[]);
