/*
   All eigenvalues of a small generator, with left and right vectors: nothing can be missed.

   Not collective; knows neither decks nor sectors.
*/
#pragma once
#include <petscsys.h>

typedef struct {
  int size, num_zero;
  double resolution;   /* as given */
  double norm;         /* largest singular value */
  double separation;   /* smallest singular value that does not count as zero; infinite: there is none */
  PetscScalar nearest; /* eigenvalue next to zero that is none, to some digits; NaN: there is none */
  PetscBool complete;  /* CospinDenseComplete has been called; before, only the zeros' columns are filled */
  PetscScalar *values; /* [size]: `num_zero` zeros, then the others in the order of CospinOrderSlowest */
  PetscScalar *right;  /* [size*size]: column k obeys L x = lambda x, 2-norm 1 */
  PetscScalar *left;   /* column k: y^H L = lambda y^H, y^H x = 1 */
  double *error;       /* [size]: resolution |x||y|/|y^H x|, by which an eigenvalue may be off */
  PetscScalar *matrix, *range; /* L; [size*(size - num_zero)] orthonormal vectors of its range */
} CospinDense;

/*
   The null vectors of L: matrix[row + size*column], which is copied. resolution > 0: backward error of the
   matrix, in its norm.

   Zero is a semisimple eigenvalue of every generator (no state grows), so it occurs as often as L has
   singular values of zero, and a singular value, unlike an eigenvalue, is not farther off than the matrix.
   least_zero: so many are known to be there (1 where a trace is conserved). *ok is false if LAPACK does not
   converge; then only CospinDenseDestroy may follow.
*/
PetscErrorCode CospinDenseCreate(int size, const PetscScalar matrix[], double resolution, int least_zero,
                                 CospinDense *dense, PetscBool *ok);
/* All other eigenvalues with their vectors: ten times the work of the null vectors. */
PetscErrorCode CospinDenseComplete(CospinDense *dense, PetscBool *ok);
PetscErrorCode CospinDenseDestroy(CospinDense *dense);

/*
   order[num]: from the slowest eigenvalue (largest real part) to the fastest. Rates of modes that oscillate
   count as equal if they differ by less than the larger error from the slowest of them, or by the sum of both
   errors in a conjugate pair: then the lower frequency comes first, and of a pair that of positive frequency,
   -Im lambda > 0. So the order depends neither on ranks nor on rounding.
*/
PetscErrorCode CospinOrderSlowest(int num, const double complex lambda[], const double error[], int order[]);
/* Brings modes[num], records of `size` bytes each, into that order. */
PetscErrorCode CospinSortSlowest(int num, const double complex lambda[], const double error[], size_t size,
                                 void *modes);
