/*
   Small dense matrices of a rational model (resolvent.c), every rank's own: at most COSPIN_SMALL_ROWS rows,
   stored column after column with that leading dimension, so that LAPACK takes them as they are. Products are
   loops: matrices of some tens of rows are no work beside one solve with the generator.
*/
#include "small.h"
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>
#include <slepcblaslapack.h>

static const double singular = 1e-15; /* smallest pivot of a matrix that is inverted, over the largest */

/* ---- Small matrices ------------------------------------------------------------------------------------ */

PetscErrorCode CospinSmallCreate(PetscScalar **m)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)COSPIN_SMALL_ROWS * COSPIN_SMALL_ROWS + COSPIN_LAPACK_ROOM, m));
  PetscFunctionReturn(0);
}

/* c (m x n) = a b, or a^H b with `adjoint` */
void CospinSmallMultiply(PetscBool adjoint, int m, int n, int inner, const PetscScalar a[],
                         const PetscScalar b[], PetscScalar c[])
{
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < m; i++) {
      PetscScalar sum = 0.0;
      for (int k = 0; k < inner; k++)
        sum += (adjoint ? PetscConj(COSPIN_SMALL_AT(a, k, i)) : COSPIN_SMALL_AT(a, i, k)) *
               COSPIN_SMALL_AT(b, k, j);
      COSPIN_SMALL_AT(c, i, j) = sum;
    }
  }
}

double CospinSmallNorm(int n, const PetscScalar x[])
{
  double sum = 0.0;

  for (int i = 0; i < n; i++) sum += PetscSqr(PetscAbsScalar(x[i]));
  return PetscSqrtReal(sum);
}

/* m <- m^-1; *ok is false where m is singular to rounding. */
PetscErrorCode CospinSmallInvert(int order, PetscScalar m[], PetscBool *ok)
{
  PetscBLASInt n, lda = COSPIN_SMALL_ROWS, size = COSPIN_SMALL_ROWS * COSPIN_SMALL_ROWS, info,
                  pivots[COSPIN_SMALL_ROWS];
  PetscScalar *work;
  double largest = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(order, &n));
  LAPACKgetrf_(&n, &n, m, &lda, pivots, &info);
  for (int k = 0; k < order; k++) largest = PetscMax(largest, PetscAbsScalar(COSPIN_SMALL_AT(m, k, k)));
  *ok = (PetscBool)(info == 0);
  for (int k = 0; k < order; k++) {
    if (!(PetscAbsScalar(COSPIN_SMALL_AT(m, k, k)) > singular * largest)) *ok = PETSC_FALSE;
  }
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinSmallCreate(&work));
  LAPACKgetri_(&n, m, &lda, pivots, work, &size, &info);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

/* m = Z T Z^H; m is overwritten by T */
PetscErrorCode CospinSmallSchur(int order, PetscScalar m[], PetscScalar z[])
{
  PetscBLASInt n, lda = COSPIN_SMALL_ROWS, none = 0, size = COSPIN_SMALL_ROWS * COSPIN_SMALL_ROWS, info;
  PetscScalar *work, values[COSPIN_SMALL_ROWS];
  PetscReal real_work[COSPIN_SMALL_ROWS];

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(order, &n));
  PetscCall(CospinSmallCreate(&work));
  LAPACKgees_("V", "N", NULL, &n, m, &lda, &none, values, z, &lda, work, &size, real_work, NULL, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's gees gave up: info %d", (int)info);
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}
