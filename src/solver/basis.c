/*
   Vectors as columns of one array, real or complex, and BLAS on it: products with all of them read the array
   once (gemv), a rotation goes over blocks of rows that stay in the cache (gemm).

   PETSc's vectors are complex here whatever they hold. A search by Davidson's method spends half of its time
   between the vectors of its basis; where the generator is real in suitable phases, real ones take half of
   the bytes and a quarter of the operations: a maser of 20 spins with its mode spends 12 s of CPU instead of
   19, its incomplete factors (triangular.c) counted.

   Phases go with labels: v = i^t w with w real and the same t for all vectors, so that inner products of v
   are those of w. A basis becomes complex, and stays so, when its owner says that a vector without such
   phases is to be projected out.
*/
#include "basis.h"
#include <petscblaslapack.h>

enum { BLOCK = 512, MOST = 64 };

/* Of BLAS in double precision, which PETSc's header leaves out beside complex scalars. */
extern void dgemv_(const char *trans, const PetscBLASInt *m, const PetscBLASInt *n, const double *alpha,
                   const double *a, const PetscBLASInt *lda, const double *x, const PetscBLASInt *incx,
                   const double *beta, double *y, const PetscBLASInt *incy);
extern void dgemm_(const char *transa, const char *transb, const PetscBLASInt *m, const PetscBLASInt *n,
                   const PetscBLASInt *k, const double *alpha, const double *a, const PetscBLASInt *lda,
                   const double *b, const PetscBLASInt *ldb, const double *beta, double *c,
                   const PetscBLASInt *ldc);

struct CospinBasis_ {
  MPI_Comm comm;
  PetscInt size; /* on this rank */
  int most;
  const unsigned char *turned;
  double *real;     /* [most][size], i^-t v; NULL: */
  PetscScalar *all; /* [most][size] */
  double *part;     /* [size] of a vector */
};

PetscErrorCode CospinBasisCreate(Vec like, int most, const unsigned char turned[], CospinBasis *basis)
{
  CospinBasis new;

  PetscFunctionBeginUser;
  PetscCheck(most <= MOST, PETSC_COMM_SELF, PETSC_ERR_SUP, "More than %d vectors", (int)MOST);
  PetscCall(PetscNew(&new));
  *basis = new;
  new->comm = PetscObjectComm((PetscObject)like);
  PetscCall(VecGetLocalSize(like, &new->size));
  new->most = most;
  new->turned = turned;
  PetscCall(PetscMalloc1((size_t) new->size, &new->part));
  if (turned)
    PetscCall(PetscMalloc1((size_t)most * (size_t) new->size, &new->real));
  else
    PetscCall(PetscMalloc1((size_t)most * (size_t) new->size, &new->all));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinBasisDestroy(CospinBasis *basis)
{
  PetscFunctionBeginUser;
  if (!*basis) PetscFunctionReturn(0);
  PetscCall(PetscFree((*basis)->real));
  PetscCall(PetscFree((*basis)->all));
  PetscCall(PetscFree((*basis)->part));
  PetscCall(PetscFree(*basis));
  PetscFunctionReturn(0);
}

PetscBool CospinBasisIsReal(CospinBasis basis)
{
  return (PetscBool)(basis->turned != NULL);
}

/* i^t x */
static PetscScalar turn(const unsigned char turned[], PetscInt k, double x)
{
  return turned[k] ? PetscCMPLX(0.0, x) : PetscCMPLX(x, 0.0);
}

PetscErrorCode CospinBasisMakeComplex(CospinBasis basis)
{
  const size_t size = (size_t)basis->size;

  PetscFunctionBeginUser;
  if (!basis->turned) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)basis->most * size, &basis->all));
  for (int k = 0; k < basis->most; k++) {
    for (PetscInt i = 0; i < basis->size; i++)
      basis->all[(size_t)k * size + (size_t)i] =
          turn(basis->turned, i, basis->real[(size_t)k * size + (size_t)i]);
  }
  PetscCall(PetscFree(basis->real));
  basis->turned = NULL;
  PetscFunctionReturn(0);
}

/* part = i^-t x, what of it is real. */
static PetscErrorCode load(CospinBasis basis, Vec x, double part[])
{
  const PetscScalar *values;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(x, &values));
  for (PetscInt i = 0; i < basis->size; i++)
    part[i] = basis->turned[i] ? PetscImaginaryPart(values[i]) : PetscRealPart(values[i]);
  PetscCall(VecRestoreArrayRead(x, &values));
  PetscFunctionReturn(0);
}

/* x = i^t part */
static PetscErrorCode store(CospinBasis basis, const double part[], Vec x)
{
  PetscScalar *values;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(x, &values));
  for (PetscInt i = 0; i < basis->size; i++) values[i] = turn(basis->turned, i, part[i]);
  PetscCall(VecRestoreArrayWrite(x, &values));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinBasisSet(CospinBasis basis, int k, Vec x)
{
  const size_t place = (size_t)k * (size_t)basis->size;
  const PetscScalar *values;

  PetscFunctionBeginUser;
  if (basis->turned) {
    PetscCall(load(basis, x, basis->real + place));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayRead(x, &values));
  PetscCall(PetscArraycpy(basis->all + place, values, basis->size));
  PetscCall(VecRestoreArrayRead(x, &values));
  PetscFunctionReturn(0);
}

/* ---- Real ones ----------------------------------------------------------------------------------------- */

/* products = V^T x, on all ranks. */
static PetscErrorCode dot_real(CospinBasis basis, int count, const double x[], double products[])
{
  const PetscBLASInt rows = (PetscBLASInt)basis->size, columns = count, one = 1;
  const PetscBLASInt leading = PetscMax(rows, 1);
  const double unit = 1.0, zero = 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) products[k] = 0.0;
  if (rows > 0) dgemv_("T", &rows, &columns, &unit, basis->real, &leading, x, &one, &zero, products, &one);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, products, count, MPI_DOUBLE, MPI_SUM, basis->comm));
  PetscFunctionReturn(0);
}

/* x = factor x + sign V c. A rank may have no rows, for which BLAS has no leading dimension. */
static void combine_real(CospinBasis basis, int count, double sign, const double c[], double factor,
                         double x[])
{
  const PetscBLASInt rows = (PetscBLASInt)basis->size, columns = count, one = 1;
  const PetscBLASInt leading = PetscMax(rows, 1);

  if (rows > 0) dgemv_("N", &rows, &columns, &sign, basis->real, &leading, c, &one, &factor, x, &one);
}

/* V is real, what it is combined with need not be: a Ritz vector of one of two conjugate eigenvalues. */
static PetscErrorCode combine_parts(CospinBasis basis, int count, const PetscScalar coefficients[], Vec x)
{
  double parts[2][MOST], largest = 0.0;
  PetscScalar *values;

  PetscFunctionBeginUser;
  for (int k = 0; k < count; k++) {
    parts[0][k] = PetscRealPart(coefficients[k]);
    parts[1][k] = PetscImaginaryPart(coefficients[k]);
    largest = PetscMax(largest, PetscAbsReal(parts[1][k]));
  }
  combine_real(basis, count, 1.0, parts[0], 0.0, basis->part);
  PetscCall(store(basis, basis->part, x));
  if (!(largest > 0)) PetscFunctionReturn(0);
  combine_real(basis, count, 1.0, parts[1], 0.0, basis->part);
  PetscCall(VecGetArray(x, &values));
  for (PetscInt i = 0; i < basis->size; i++) values[i] += PETSC_i * turn(basis->turned, i, basis->part[i]);
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

/* ---- Complex ones -------------------------------------------------------------------------------------- */

/* The same three with i^t within the numbers. */
static PetscErrorCode dot_all(CospinBasis basis, int count, const PetscScalar x[], PetscScalar products[])
{
  const PetscBLASInt rows = (PetscBLASInt)basis->size, columns = count, one = 1;
  const PetscBLASInt leading = PetscMax(rows, 1);
  const PetscScalar unit = 1.0, zero = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(products, count));
  if (rows > 0) BLASgemv_("C", &rows, &columns, &unit, basis->all, &leading, x, &one, &zero, products, &one);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, products, count, MPI_C_DOUBLE_COMPLEX, MPI_SUM, basis->comm));
  PetscFunctionReturn(0);
}

static void combine_all(CospinBasis basis, int count, PetscScalar sign, const PetscScalar c[],
                        PetscScalar factor, PetscScalar x[])
{
  const PetscBLASInt rows = (PetscBLASInt)basis->size, columns = count, one = 1;
  const PetscBLASInt leading = PetscMax(rows, 1);

  if (rows > 0) BLASgemv_("N", &rows, &columns, &sign, basis->all, &leading, c, &one, &factor, x, &one);
}

/* ---- Both ---------------------------------------------------------------------------------------------- */

PetscErrorCode CospinBasisDot(CospinBasis basis, int count, Vec x, PetscScalar products[])
{
  const PetscScalar *values;
  double real[MOST];

  PetscFunctionBeginUser;
  if (count == 0) PetscFunctionReturn(0);
  if (basis->turned) {
    PetscCall(load(basis, x, basis->part));
    PetscCall(dot_real(basis, count, basis->part, real));
    for (int k = 0; k < count; k++) products[k] = real[k];
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayRead(x, &values));
  PetscCall(dot_all(basis, count, values, products));
  PetscCall(VecRestoreArrayRead(x, &values));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinBasisCombine(CospinBasis basis, int count, const PetscScalar coefficients[], Vec x)
{
  PetscScalar *values;

  PetscFunctionBeginUser;
  if (basis->turned) {
    PetscCall(combine_parts(basis, count, coefficients, x));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArrayWrite(x, &values));
  combine_all(basis, count, 1.0, coefficients, 0.0, values);
  PetscCall(VecRestoreArrayWrite(x, &values));
  PetscFunctionReturn(0);
}

/* Classical Gram-Schmidt, and once more: what is left after one pass is orthogonal to the rounding of what it
   has lost, after two to its own. */
PetscErrorCode CospinBasisProject(CospinBasis basis, int count, Vec x)
{
  PetscScalar *values, products[MOST];
  double real[MOST];

  PetscFunctionBeginUser;
  if (basis->turned) {
    PetscCall(load(basis, x, basis->part));
    for (int pass = 0; pass < 2 && count; pass++) {
      PetscCall(dot_real(basis, count, basis->part, real));
      combine_real(basis, count, -1.0, real, 1.0, basis->part);
    }
    PetscCall(store(basis, basis->part, x));
    PetscFunctionReturn(0);
  }
  PetscCall(VecGetArray(x, &values));
  for (int pass = 0; pass < 2 && count; pass++) {
    PetscCall(dot_all(basis, count, values, products));
    combine_all(basis, count, -1.0, products, 1.0, values);
  }
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

/* Rows first ... first + rows - 1; block and rotated are room for them. */
static void rotate_rows(CospinBasis basis, int count, int kept, PetscInt first, PetscBLASInt rows,
                        const PetscScalar u[], PetscScalar rotated[])
{
  const PetscBLASInt inner = count, columns = kept, leading = (PetscBLASInt)basis->size;
  const PetscScalar unit = 1.0, zero = 0.0;

  BLASgemm_("N", "N", &rows, &columns, &inner, &unit, basis->all + first, &leading, u, &inner, &zero, rotated,
            &rows);
  for (int k = 0; k < kept; k++)
    (void)PetscArraycpy(basis->all + (size_t)k * (size_t)basis->size + first, rotated + k * rows, rows);
}

static void rotate_real_rows(CospinBasis basis, int count, int kept, PetscInt first, PetscBLASInt rows,
                             const double u[], double rotated[])
{
  const PetscBLASInt inner = count, columns = kept, leading = (PetscBLASInt)basis->size;
  const double unit = 1.0, zero = 0.0;

  dgemm_("N", "N", &rows, &columns, &inner, &unit, basis->real + first, &leading, u, &inner, &zero, rotated,
         &rows);
  for (int k = 0; k < kept; k++)
    (void)PetscArraycpy(basis->real + (size_t)k * (size_t)basis->size + first, rotated + k * rows, rows);
}

/* In place: a block of rows needs nothing of the other rows. */
PetscErrorCode CospinBasisRotate(CospinBasis basis, int count, int kept, const PetscScalar columns[])
{
  PetscScalar *rotated;
  double *u;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(BLOCK * MOST, &rotated, MOST * MOST, &u));
  for (int k = 0; k < count * kept; k++) u[k] = PetscRealPart(columns[k]);
  for (PetscInt first = 0; first < basis->size; first += BLOCK) {
    const PetscBLASInt rows = (PetscBLASInt)PetscMin(BLOCK, basis->size - first);
    if (basis->turned)
      rotate_real_rows(basis, count, kept, first, rows, u, (double *)rotated);
    else
      rotate_rows(basis, count, kept, first, rows, columns, rotated);
  }
  PetscCall(PetscFree2(rotated, u));
  PetscFunctionReturn(0);
}

/* ---- What is real -------------------------------------------------------------------------------------- */

/* Squares of the norms of the two parts of i^-t x, the same bits on every rank. */
static PetscErrorCode sizes_of_parts(const unsigned char turned[], Vec x, double squares[2])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)x);
  const PetscScalar *values;
  double mine[2] = {0.0, 0.0};
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(x, &size));
  PetscCall(VecGetArrayRead(x, &values));
  for (PetscInt i = 0; i < size; i++) {
    mine[turned[i]] += PetscSqr(PetscRealPart(values[i]));
    mine[!turned[i]] += PetscSqr(PetscImaginaryPart(values[i]));
  }
  PetscCall(VecRestoreArrayRead(x, &values));
  PetscCallMPI(MPI_Reduce(mine, squares, 2, MPI_DOUBLE, MPI_SUM, 0, comm));
  PetscCallMPI(MPI_Bcast(squares, 2, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

/* Either part of a vector is in the same invariant spaces: of a real matrix those of conjugate eigenvalues
   come together. The larger one is taken, for the other may be rounding. */
PetscErrorCode CospinRealPart(const unsigned char turned[], Vec x)
{
  double squares[2];
  PetscScalar *values;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(sizes_of_parts(turned, x, squares));
  if (squares[1] > squares[0]) PetscCall(VecScale(x, -PETSC_i));
  PetscCall(VecGetLocalSize(x, &size));
  PetscCall(VecGetArray(x, &values));
  for (PetscInt i = 0; i < size; i++)
    values[i] = turn(turned, i, turned[i] ? PetscImaginaryPart(values[i]) : PetscRealPart(values[i]));
  PetscCall(VecRestoreArray(x, &values));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIsReal(const unsigned char turned[], Vec x, PetscBool *real)
{
  static const double rounding = 1e-24; /* squared */
  double squares[2];

  PetscFunctionBeginUser;
  PetscCall(sizes_of_parts(turned, x, squares));
  *real = (PetscBool)(PetscMin(squares[0], squares[1]) <= rounding * PetscMax(squares[0], squares[1]));
  PetscFunctionReturn(0);
}
