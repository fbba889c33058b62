#include <cospin/hermitian.h>
#include <petscblaslapack.h>

PetscErrorCode CospinHermitianDiagonalise(int size, double complex matrix[], double values[])
{
  PetscBLASInt n, work_size, info;
  PetscScalar *work;
  PetscReal *real_work;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(size, &n));
  PetscCall(PetscBLASIntCast(4 * size, &work_size));
  PetscCall(PetscMalloc2((size_t)work_size, &work, (size_t)work_size, &real_work));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKsyev_("V", "U", &n, matrix, &n, values, work, &work_size, real_work, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's heev returned %d", (int)info);
  PetscCall(PetscFree2(work, real_work));
  PetscFunctionReturn(0);
}
