/*
   f(H) e_1 with f(x) = exp(s (1 - 1/x)), where H projects (1 - gamma L)^-1, without H^-1.

   Eigenvalues of H next to zero belong to what has long decayed: f is next to nothing there, and flat, so
   that the rounding of H, of the order of eps, does no harm. In the inverse it would be multiplied by |gamma
   L|, and mixed into what is slow: |L| t = 1e6 cost five digits. So the Schur form H = Q T Q^H is ordered,

         ( T1  X  )
     T = (        ),  f(T2) = 0,  f(T) = ( f(T1)  f(T1) Z ),  T1 Z - Z T2 = X,
         ( 0   T2 )

   with T2 what is gone by exp(-gone), and only T1 is inverted: its rounding is multiplied by `gone` at most.
   (Vectors of T2 may be far from orthogonal: exp(-gone) outweighs a Jordan block of 48 rows. What is within
   rounding of zero, of either sign, counts as gone.)

   Golub and Van Loan, Matrix Computations, 7.6 (exchange of eigenvalues, Sylvester equation).
*/
#include "rational.h"
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>
#include <slepcblaslapack.h>

/* exp(-600) is below anything that a double beside 1 can hold, also after a Jordan block has amplified it. */
static const double gone = 600.0, rounding = 1e-14;

PetscErrorCode CospinRationalSchur(int order, PetscScalar h[], PetscScalar q[])
{
  PetscBLASInt n = order, none = 0, size = 64 * order, info;
  PetscScalar *values, *work;
  PetscReal *real_work;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(order, &values, size + COSPIN_LAPACK_ROOM, &work, order, &real_work));
  LAPACKgees_("V", "N", NULL, &n, h, &n, &none, values, q, &n, work, &size, real_work, NULL, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's gees gave up: info %d", (int)info);
  PetscCall(PetscFree3(values, work, real_work));
  PetscFunctionReturn(0);
}

/* s (1 - 1/x) */
static PetscScalar exponent_of(double steps, PetscScalar x)
{
  return steps * (1.0 - 1.0 / x);
}

/* What is not gone to the front; *kept: how much. */
static PetscErrorCode reorder(int order, double steps, PetscScalar t[], PetscScalar q[], int *kept,
                              double *largest)
{
  PetscBLASInt n = order, info = 0;

  PetscFunctionBeginUser;
  *kept = 0;
  *largest = 0.0;
  for (int k = 0; k < order; k++) {
    const PetscScalar x = t[k * order + k];
    PetscBLASInt from = k + 1, to = *kept + 1;
    if (PetscAbsScalar(x) <= rounding || PetscRealPart(exponent_of(steps, x)) <= -gone) continue;
    *largest = PetscMax(*largest, PetscAbsScalar(exponent_of(steps, x)));
    if (from != to) LAPACKtrexc_("V", &n, t, &n, q, &n, &from, &to, &info);
    PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's trexc gave up: info %d", (int)info);
    (*kept)++;
  }
  PetscFunctionReturn(0);
}

/* x <- (T1 - shift)^-1 x, T1 the first `kept` rows and columns */
static void solve_triangular(int order, const PetscScalar t[], int kept, PetscScalar shift, PetscScalar x[])
{
  for (int i = kept - 1; i >= 0; i--) {
    for (int j = i + 1; j < kept; j++) x[i] -= t[j * order + i] * x[j];
    x[i] /= t[i * order + i] - shift;
  }
}

/* a = (1, Z) y, with the columns of T1 Z - Z T2 = X one after the other */
static PetscErrorCode eliminate(int order, const PetscScalar t[], int kept, const PetscScalar y[],
                                PetscScalar a[])
{
  PetscScalar *z;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(order * order) + 1, &z));
  PetscCall(PetscArraycpy(a, y, kept));
  for (int k = kept; k < order; k++) {
    PetscScalar *column = z + k * order;
    PetscCall(PetscArraycpy(column, t + k * order, kept));
    for (int j = kept; j < k; j++) {
      for (int i = 0; i < kept; i++) column[i] += z[j * order + i] * t[k * order + j];
    }
    solve_triangular(order, t, kept, t[k * order + k], column);
    for (int i = 0; i < kept; i++) a[i] += column[i] * y[k];
  }
  PetscCall(PetscFree(z));
  PetscFunctionReturn(0);
}

/* a <- exp(steps (1 - T1^-1)) a */
static PetscErrorCode exponentiate(int order, const PetscScalar t[], int kept, FN exponential, double steps,
                                   PetscScalar a[])
{
  PetscScalar *array;
  Mat g, power;

  PetscFunctionBeginUser;
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, kept, kept, NULL, &g));
  PetscCall(MatDenseGetArrayWrite(g, &array));
  for (int k = 0; k < kept; k++) {
    PetscScalar *column = array + k * kept;
    PetscCall(PetscArrayzero(column, kept));
    column[k] = 1.0;
    solve_triangular(order, t, kept, 0.0, column);
    for (int i = 0; i < kept; i++) column[i] = (i == k ? 1.0 : 0.0) - column[i];
  }
  PetscCall(MatDenseRestoreArrayWrite(g, &array));
  PetscCall(MatDuplicate(g, MAT_DO_NOT_COPY_VALUES, &power));
  PetscCall(FNSetScale(exponential, steps, 1.0));
  PetscCall(FNEvaluateFunctionMat(exponential, g, power));
  PetscCall(MatDenseGetArray(power, &array));
  for (int i = 0; i < kept; i++) {
    PetscScalar sum = 0.0;
    for (int k = 0; k < kept; k++) sum += array[k * kept + i] * a[k];
    array[i] = sum; /* row i of the first column is not needed any more */
  }
  PetscCall(PetscArraycpy(a, array, kept));
  PetscCall(MatDenseRestoreArray(power, &array));
  PetscCall(MatDestroy(&power));
  PetscCall(MatDestroy(&g));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinRationalExponential(int order, const PetscScalar schur[], const PetscScalar vectors[],
                                         FN exponential, double steps, PetscScalar c[], PetscScalar *last,
                                         double *largest)
{
  const size_t size = (size_t)(order * order);
  PetscScalar *t, *q, *y, *a;
  int kept;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(size, &t, size, &q, order, &y, order, &a));
  PetscCall(PetscArraycpy(t, schur, size));
  PetscCall(PetscArraycpy(q, vectors, size));
  PetscCall(reorder(order, steps, t, q, &kept, largest));
  for (int k = 0; k < order; k++) y[k] = PetscConj(q[k * order]); /* Q^H e_1 */
  PetscCall(eliminate(order, t, kept, y, a));
  if (kept) PetscCall(exponentiate(order, t, kept, exponential, steps, a));
  for (int i = 0; i < order; i++) {
    c[i] = 0.0;
    for (int k = 0; k < kept; k++) c[i] += q[k * order + i] * a[k];
  }
  solve_triangular(order, t, kept, 0.0, a);
  *last = 0.0;
  for (int k = 0; k < kept; k++) *last += q[k * order + order - 1] * a[k];
  PetscCall(PetscFree4(t, q, y, a));
  PetscFunctionReturn(0);
}
