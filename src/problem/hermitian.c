/*
   Eigenvalues and vectors of a small Hermitian matrix, by LAPACK's zheev. Two things that callers would
   get wrong: LAPACK may read beyond the last element with vector instructions (so arrays have
   COSPIN_LAPACK_ROOM behind them, or valgrind complains rightly), and it computes with infinities on
   purpose, which must not trap where PETSc traps floating-point exceptions.
*/
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>

PetscErrorCode CospinHermitianDiagonalise(int size, double complex matrix[], double values[])
{
  PetscBLASInt n, work_size, info;
  PetscScalar *work, *copy; /* with room behind it, which the caller's may not have */
  PetscReal *real_work;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(size, &n));
  PetscCall(PetscBLASIntCast(4 * size, &work_size));
  PetscCall(PetscMalloc2((size_t)work_size + COSPIN_LAPACK_ROOM, &work, (size_t)work_size, &real_work));
  PetscCall(PetscMalloc1((size_t)size * (size_t)size + COSPIN_LAPACK_ROOM, &copy));
  PetscCall(PetscArraycpy(copy, matrix, (size_t)size * (size_t)size));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKsyev_("V", "U", &n, copy, &n, values, work, &work_size, real_work, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's heev returned %d", (int)info);
  PetscCall(PetscArraycpy(matrix, copy, (size_t)size * (size_t)size));
  PetscCall(PetscFree(copy));
  PetscCall(PetscFree2(work, real_work));
  PetscFunctionReturn(0);
}
