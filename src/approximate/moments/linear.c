/*
   The Jacobian of moment equations as a matrix, dense while that is small.
*/
#include "moments.h"
#include <petscmat.h>

enum { MOST_DENSE = 300 };

/* Re and Im side by side; real moments have no Im. */
void CospinHierarchyGetReal(CospinHierarchy moments, const double complex z[], double u[])
{
  for (int i = 0; i < moments->num; i++) {
    u[moments->place[i]] = creal(z[i]);
    if (!moments->is_real[i]) u[moments->place[i] + 1] = cimag(z[i]);
  }
}

/* Back: what is real has no imaginary part, not even rounding. */
void CospinHierarchySetReal(CospinHierarchy moments, const double u[], double complex z[])
{
  for (int i = 0; i < moments->num; i++) {
    const int k = moments->place[i];
    z[i] = CMPLX(u[k], moments->is_real[i] ? 0.0 : u[k + 1]);
  }
}

/* Room for a row: places that come more than once are counted more than once. */
static PetscErrorCode count_entry(void *context, int row, int column, double value)
{
  (void)column;
  (void)value;
  ((PetscInt *)context)[row]++;
  return 0;
}

/* Dense with pivoting costs nothing up to some hundred unknowns; a sparse one is for MUMPS, which pivots, too
   (PETSc's own sparse factors do not). */
PetscErrorCode CospinHierarchyMatrixCreate(CospinHierarchy moments, Mat *matrix, PetscBool *sparse)
{
  const PetscInt n = moments->num_real;
  PetscInt *counts;
  double complex *z;

  PetscFunctionBeginUser;
  *sparse = (PetscBool)(n > MOST_DENSE);
  if (!*sparse) {
    PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, n, n, NULL, matrix));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscCalloc2(n, &counts, moments->num, &z));
  PetscCall(CospinHierarchyJacobian(moments, z, count_entry, counts));
  for (PetscInt k = 0; k < n; k++) counts[k] = PetscMin(counts[k] + 1, n);
  PetscCall(MatCreateSeqAIJ(PETSC_COMM_SELF, n, n, 0, counts, matrix));
  PetscCall(PetscFree2(counts, z));
  PetscFunctionReturn(0);
}

typedef struct {
  Mat matrix;
  double factor;
  const double *scale;
} Entries;

/* In units of the moments, S^-1 J S, if there are any. */
static PetscErrorCode add_entry(void *context, int row, int column, double value)
{
  const Entries *entries = (const Entries *)context;
  const double scale = entries->scale ? entries->scale[column] / entries->scale[row] : 1.0;

  PetscFunctionBeginUser;
  PetscCall(MatSetValue(entries->matrix, row, column, entries->factor * value * scale, ADD_VALUES));
  PetscFunctionReturn(0);
}

/* The same places at every z, so that factors can keep their order. */
PetscErrorCode CospinHierarchyMatrixFill(CospinHierarchy moments, const double complex z[],
                                         const double scale[], double factor, double shift, Mat matrix)
{
  Entries entries = {matrix, factor, scale};

  PetscFunctionBeginUser;
  PetscCall(MatZeroEntries(matrix));
  PetscCall(CospinHierarchyJacobian(moments, z, add_entry, &entries));
  for (PetscInt k = 0; k < moments->num_real; k++) PetscCall(MatSetValue(matrix, k, k, shift, ADD_VALUES));
  PetscCall(MatAssemblyBegin(matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(0);
}
