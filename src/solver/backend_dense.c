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

static PetscErrorCode create(CospinEigensolver eigensolver, int size, PetscBool *ok)
{
  const size_t square = (size_t)size * (size_t)size;
  CospinDense *dense = &eigensolver->dense;
  PetscScalar *matrix;
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(eigensolver->comm, &rank));
  if (rank) {
    PetscCall(PetscMalloc1(size, &dense->values));
    PetscCall(PetscMalloc1(square, &dense->right));
    PetscCall(PetscMalloc1(square, &dense->left));
    PetscCall(PetscMalloc1(size, &dense->error));
    dense->size = size;
  } else {
    PetscCall(PetscMalloc1(square + COSPIN_LAPACK_ROOM, &matrix));
    PetscCall(CospinLiouvillianDense(eigensolver->generator, eigensolver->sector, matrix));
    PetscCall(
        CospinDenseCreate(size, matrix, eigensolver->resolution, eigensolver->has_trace ? 1 : 0, dense, ok));
    PetscCall(PetscFree(matrix));
  }
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, eigensolver->comm));
  PetscCallMPI(MPI_Bcast(&dense->num_zero, 1, MPI_INT, 0, eigensolver->comm));
  PetscCallMPI(MPI_Bcast(&dense->separation, 1, MPI_DOUBLE, 0, eigensolver->comm));
  PetscCallMPI(MPI_Bcast(&dense->nearest, 1, MPIU_SCALAR, 0, eigensolver->comm));
  PetscCall(broadcast(eigensolver->comm, dense, 0, dense->num_zero));
  eigensolver->separation = dense->separation;
  PetscFunctionReturn(0);
}

/* Collective. The null vectors, and (all) the other modes, unless they are there; *ok is false, on all ranks,
   if LAPACK did not converge. */
static PetscErrorCode decompose(CospinEigensolver eigensolver, PetscBool all, PetscBool *ok)
{
  CospinDense *dense = &eigensolver->dense;
  const int size = (int)CospinSectorDimension(eigensolver->sector);
  PetscMPIInt rank;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!dense->size) PetscCall(create(eigensolver, size, ok));
  if (*ok && all && !dense->complete) {
    PetscCallMPI(MPI_Comm_rank(eigensolver->comm, &rank));
    if (rank == 0) PetscCall(CospinDenseComplete(dense, ok));
    PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, eigensolver->comm));
    if (*ok) PetscCall(broadcast(eigensolver->comm, dense, dense->num_zero, size));
    dense->complete = *ok;
  }
  if (!*ok) eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

/* Column k of `columns`, each rank its rows. */
static PetscErrorCode create_column(CospinEigensolver eigensolver, const PetscScalar columns[], int k,
                                    Vec *vector)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, vector, NULL));
  PetscCall(VecGetOwnershipRange(*vector, &begin, &end));
  PetscCall(VecGetArrayWrite(*vector, &array));
  PetscCall(PetscArraycpy(array, columns + eigensolver->dense.size * k + begin, end - begin));
  PetscCall(VecRestoreArrayWrite(*vector, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode zeros_of(CospinEigensolver eigensolver, PetscBool left, int *num, Vec **null)
{
  const CospinDense *dense = &eigensolver->dense;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(decompose(eigensolver, PETSC_FALSE, &ok));
  *num = ok ? dense->num_zero : 0;
  PetscCall(PetscCalloc1((size_t)*num + 1, null));
  for (int k = 0; k < *num; k++)
    PetscCall(create_column(eigensolver, left ? dense->left : dense->right, k, &(*null)[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  PetscFunctionBeginUser;
  PetscCall(zeros_of(eigensolver, PETSC_FALSE, num, null));
  *next = (double complex)eigensolver->dense.nearest;
  eigensolver->next = cabs(*next);
  PetscFunctionReturn(0);
}

static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(zeros_of(eigensolver, PETSC_TRUE, num, null));
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const CospinDense *dense = &eigensolver->dense;
  PetscBool ok;
  int first;

  PetscFunctionBeginUser;
  (void)deflate; /* they are this solver's own */
  PetscCall(decompose(eigensolver, PETSC_TRUE, &ok));
  if (!ok) PetscFunctionReturn(0);
  first = num_deflate ? dense->num_zero : 0;
  *num = PetscMin(count, dense->size - first);
  for (int k = 0; k < *num; k++) {
    CospinMode *mode = &modes[k];
    *mode =
        (CospinMode){.lambda = (double complex)dense->values[first + k], .error = dense->error[first + k]};
    PetscCall(create_column(eigensolver, dense->right, first + k, &mode->right));
    if (left) PetscCall(create_column(eigensolver, dense->left, first + k, &mode->left));
    PetscCall(CospinEigensolverResidual(eigensolver, dense->values[first + k], mode->right, &mode->residual));
  }
  eigensolver->horizon = INFINITY;
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendDense = {
    .name = "dense", .Null = Null, .LeftNull = LeftNull, .Slowest = Slowest};
