/*
   All eigenvalues of a small generator, with left and right vectors: nothing can be missed.

   Not collective; knows neither decks nor sectors.
*/
#pragma once
#include <petscsys.h>

typedef struct {
  int size, num_zero;
  double separation;   /* smallest singular value that does not count as zero; infinite: there is none */
  PetscScalar *values; /* [size]: `num_zero` zeros, then the others in the order of CospinOrderSlowest */
  PetscScalar *right;  /* [size*size]: column k obeys L x = lambda x, 2-norm 1 */
  PetscScalar *left;   /* column k: y^H L = lambda y^H, y^H x = 1 */
  double *error;       /* [size]: resolution |x||y|/|y^H x|, by which an eigenvalue may be off */
  double resolution;   /* as given */
} CospinDense;

/*
   L: matrix[row + size*column]; it is not changed. resolution > 0: backward error of the matrix, in its norm.

   Zero is a semisimple eigenvalue of every generator (no state grows), so it occurs as often as L has
   singular values of zero, and a singular value, unlike an eigenvalue, is not farther off than the matrix.
   least_zero: so many are known to be there (1 where a trace is conserved). *ok is false if LAPACK does not
   converge; then only CospinDenseDestroy may follow.
*/
PetscErrorCode CospinDenseCreate(int size, const PetscScalar matrix[], double resolution, int least_zero,
                                 CospinDense *dense, PetscBool *ok);
PetscErrorCode CospinDenseDestroy(CospinDense *dense);

/*
   order[num]: from the slowest eigenvalue (largest real part) to the fastest. Rates that differ by less than
   their errors count as equal: then the lower frequency comes first, and of a conjugate pair that of positive
   frequency, -Im lambda > 0. So the order depends neither on ranks nor on rounding.
*/
PetscErrorCode CospinOrderSlowest(int num, const double complex lambda[], const double error[], int order[]);
