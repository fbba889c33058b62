/*
   Small sectors: all eigenvalues by LAPACK (cospin/solver/dense.h), so no null vector and no slow mode is
   missed.

   The first rank decomposes and the others get what it found: processors of different kinds would differ in
   the last digits, and perhaps in what counts as zero.
*/
#include "backend.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/problem/hermitian.h>

/* Columns [first, last) and their eigenvalues, from the first rank. */
static PetscErrorCode broadcast(MPI_Comm comm, CospinDense *dense, int first, int last)
{
  const int size = dense->size, count = last - first;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(dense->values + first, count, MPIU_SCALAR, 0, comm));
  PetscCallMPI(MPI_Bcast(dense->right + size * first, size * count, MPIU_SCALAR, 0, comm));
  PetscCallMPI(MPI_Bcast(dense->left + size * first, size * count, MPIU_SCALAR, 0, comm));
  PetscCallMPI(MPI_Bcast(dense->error + first, count, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode create(CospinSpectrum spectrum, int size, PetscBool *ok)
{
  const size_t square = (size_t)size * (size_t)size;
  CospinDense *dense = &spectrum->dense;
  PetscScalar *matrix;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(spectrum->comm, &rank));
  if (rank) {
    PetscCall(PetscMalloc1(size, &dense->values));
    PetscCall(PetscMalloc1(square, &dense->right));
    PetscCall(PetscMalloc1(square, &dense->left));
    PetscCall(PetscMalloc1(size, &dense->error));
    dense->size = size;
  } else {
    PetscCall(PetscMalloc1(square + COSPIN_LAPACK_ROOM, &matrix));
    PetscCall(CospinLiouvillianDense(spectrum->generator, spectrum->sector, matrix));
    PetscCall(CospinDenseCreate(size, matrix, spectrum->resolution, spectrum->has_trace ? 1 : 0, dense, ok));
    PetscCall(PetscFree(matrix));
  }
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, spectrum->comm));
  PetscCallMPI(MPI_Bcast(&dense->num_zero, 1, MPI_INT, 0, spectrum->comm));
  PetscCallMPI(MPI_Bcast(&dense->separation, 1, MPI_DOUBLE, 0, spectrum->comm));
  PetscCallMPI(MPI_Bcast(&dense->nearest, 1, MPIU_SCALAR, 0, spectrum->comm));
  PetscCall(broadcast(spectrum->comm, dense, 0, dense->num_zero));
  spectrum->separation = dense->separation;
  PetscFunctionReturn(0);
}

/* Collective. The null vectors, and (all) the other modes, unless they are there; *ok is false, on all ranks,
   if LAPACK did not converge. */
static PetscErrorCode decompose(CospinSpectrum spectrum, PetscBool all, PetscBool *ok)
{
  CospinDense *dense = &spectrum->dense;
  const int size = (int)CospinSectorDimension(spectrum->sector);
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!dense->size) PetscCall(create(spectrum, size, ok));
  if (*ok && all && !dense->complete) {
    PetscCallMPI(MPI_Comm_rank(spectrum->comm, &rank));
    if (rank == 0) PetscCall(CospinDenseComplete(dense, ok));
    PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, spectrum->comm));
    if (*ok) PetscCall(broadcast(spectrum->comm, dense, dense->num_zero, size));
    dense->complete = *ok;
  }
  if (!*ok) spectrum->outcome = CospinOutcomeWorse(spectrum->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

/* Column k of `columns`, each rank its rows. */
static PetscErrorCode create_column(CospinSpectrum spectrum, const PetscScalar columns[], int k, Vec *vector)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(spectrum->liouvillian, vector, NULL));
  PetscCall(VecGetOwnershipRange(*vector, &begin, &end));
  PetscCall(VecGetArrayWrite(*vector, &array));
  PetscCall(PetscArraycpy(array, columns + spectrum->dense.size * k + begin, end - begin));
  PetscCall(VecRestoreArrayWrite(*vector, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode zeros_of(CospinSpectrum spectrum, PetscBool left, int *num, Vec **null)
{
  const CospinDense *dense = &spectrum->dense;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(decompose(spectrum, PETSC_FALSE, &ok));
  *num = ok ? dense->num_zero : 0;
  PetscCall(PetscCalloc1((size_t)*num + 1, null));
  for (int k = 0; k < *num; k++)
    PetscCall(create_column(spectrum, left ? dense->left : dense->right, k, &(*null)[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinSpectrum spectrum, int *num, Vec **null, double complex *next)
{
  PetscFunctionBeginUser;
  PetscCall(zeros_of(spectrum, PETSC_FALSE, num, null));
  *next = (double complex)spectrum->dense.nearest;
  spectrum->next = cabs(*next);
  PetscFunctionReturn(0);
}

static PetscErrorCode LeftNull(CospinSpectrum spectrum, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(zeros_of(spectrum, PETSC_TRUE, num, null));
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinSpectrum spectrum, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const CospinDense *dense = &spectrum->dense;
  PetscBool ok;
  int first;

  PetscFunctionBeginUser;
  (void)deflate; /* they are this solver's own */
  PetscCall(decompose(spectrum, PETSC_TRUE, &ok));
  if (!ok) PetscFunctionReturn(0);
  first = num_deflate ? dense->num_zero : 0;
  *num = PetscMin(count, dense->size - first);
  for (int k = 0; k < *num; k++) {
    CospinMode *mode = &modes[k];
    *mode =
        (CospinMode){.lambda = (double complex)dense->values[first + k], .error = dense->error[first + k]};
    PetscCall(create_column(spectrum, dense->right, first + k, &mode->right));
    if (left) PetscCall(create_column(spectrum, dense->left, first + k, &mode->left));
    PetscCall(CospinSpectrumResidual(spectrum, dense->values[first + k], mode->right, &mode->residual));
  }
  spectrum->horizon = INFINITY;
  PetscFunctionReturn(0);
}

const CospinEigensolver CospinEigensolverDense = {"dense", Null, LeftNull, Slowest};
