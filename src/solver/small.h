/* Small dense matrices, the same on every rank: their algebra is not collective. */
#pragma once
#include <cospin/solver/resolvent.h>

enum { COSPIN_SMALL_ROWS = COSPIN_RESOLVENT_MAX_ORDER + 1 };

/* An element, of a matrix that is stored column after column. */
#define COSPIN_SMALL_AT(m, i, j) (m)[(j)*COSPIN_SMALL_ROWS + (i)]

/* A matrix of zeros, with room for a work space of LAPACK's; freed by PetscFree(). */
PetscErrorCode CospinSmallCreate(PetscScalar **m);
/* c (m x n) = a b, or a^H b with `adjoint`; the sum is over `inner`. */
void CospinSmallMultiply(PetscBool adjoint, int m, int n, int inner, const PetscScalar a[],
                         const PetscScalar b[], PetscScalar c[]);
double CospinSmallNorm(int n, const PetscScalar x[]); /* of n numbers, 2-norm */
/* m <- m^-1; *ok is false where m is singular to rounding. */
PetscErrorCode CospinSmallInvert(int order, PetscScalar m[], PetscBool *ok);
/* m = Z T Z^H; m is overwritten by T. */
PetscErrorCode CospinSmallSchur(int order, PetscScalar m[], PetscScalar z[]);
