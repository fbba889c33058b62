/*
   A PC of type shell around MUMPS's own interface in double precision: which of its settings are ours, and
   that the analysis is kept as long as the number of elements stays (a shift changes only values).

   It is part of MUMPS, as the complex one that PETSc has; a build without its header leaves this file empty.
*/
#include "real_factors.h"

#ifdef COSPIN_HAS_REAL_MUMPS
#include <dmumps_c.h>

enum { BEGIN = -1, END = -2, ANALYSE = 1, FACTORISE = 2, SOLVE = 3 };
/* Pivots that a front has at least: with MUMPS's own 5, of a plane half of the fronts are so small that a
   solve spends its time between them (N = 400: 17 against 10 ms a solve, for 40 % more elements). */
enum { LEAST_PIVOTS = 10 };
enum { MINIMUM_DEGREE = 0, AUTOMATIC = 7, EXTRA_MEMORY = 50, MOST_EXTRA_MEMORY = 800 };
enum { WORKSPACE_TOO_SMALL = -9, OUT_OF_MEMORY = -13 };

typedef struct {
  DMUMPS_STRUC_C mumps;
  PetscLogEvent factor, solve;
  PetscInt64 count; /* elements that have been analysed; 0: none */
  MUMPS_INT *rows, *columns;
  double *values;
  double *parts; /* [2][size] real and imaginary part of a right side */
} Factors;

/* ICNTL of the manual of MUMPS, which counts from 1. */
static MUMPS_INT *setting(Factors *factors, int number)
{
  return &factors->mumps.icntl[number - 1];
}

static PetscErrorCode call(Factors *factors, int job)
{
  DMUMPS_STRUC_C *mumps = &factors->mumps;

  PetscFunctionBeginUser;
  mumps->job = job;
  dmumps_c(mumps);
  while (job == FACTORISE && mumps->infog[0] == WORKSPACE_TOO_SMALL &&
         *setting(factors, 14) < MOST_EXTRA_MEMORY) {
    *setting(factors, 14) *= 2;
    dmumps_c(mumps);
  }
  PetscCheck(mumps->infog[0] >= 0, PETSC_COMM_SELF,
             mumps->infog[0] == OUT_OF_MEMORY ? PETSC_ERR_MEM : PETSC_ERR_LIB,
             "MUMPS, job %d: INFOG(1)=%d, INFOG(2)=%d", job, (int)mumps->infog[0], (int)mumps->infog[1]);
  PetscFunctionReturn(0);
}

static PetscErrorCode begin(Factors *factors, PetscBool plane)
{
  PetscFunctionBeginUser;
  factors->mumps.par = 1;
  factors->mumps.sym = 0;
  factors->mumps.comm_fortran = (MUMPS_INT)MPI_Comm_c2f(PETSC_COMM_SELF);
  PetscCall(call(factors, BEGIN));
  for (int k = 1; k <= 3; k++) *setting(factors, k) = -1; /* it says nothing */
  *setting(factors, 4) = 0;
  *setting(factors, 6) = 0; /* no permutation of columns */
  *setting(factors, 7) = plane ? MINIMUM_DEGREE : AUTOMATIC;
  *setting(factors, 14) = EXTRA_MEMORY;
  factors->mumps.cntl[0] = 0.0; /* no pivots */
  factors->mumps.keep[0] = LEAST_PIVOTS;
  PetscCall(PetscLogEventGetId("CospinFactor", &factors->factor));
  if (factors->factor < 0) PetscCall(PetscLogEventRegister("CospinFactor", PC_CLASSID, &factors->factor));
  PetscCall(PetscLogEventGetId("CospinSolve", &factors->solve));
  if (factors->solve < 0) PetscCall(PetscLogEventRegister("CospinSolve", PC_CLASSID, &factors->solve));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_arrays(Factors *factors)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(factors->rows, factors->columns, factors->values));
  PetscCall(PetscFree(factors->parts));
  PetscFunctionReturn(0);
}

/* Elements as MUMPS wants them: rows and columns from 1. */
static PetscErrorCode copy_matrix(Factors *factors, Mat matrix)
{
  PetscInt size, count, k = 0;
  const PetscInt *columns;
  const PetscScalar *values;

  PetscFunctionBeginUser;
  PetscCall(MatGetSize(matrix, &size, NULL));
  for (PetscInt row = 0; row < size; row++) {
    PetscCall(MatGetRow(matrix, row, &count, &columns, &values));
    for (PetscInt c = 0; c < count; c++, k++) {
      PetscCheck(PetscImaginaryPart(values[c]) == 0.0, PETSC_COMM_SELF, PETSC_ERR_PLIB,
                 "Real factors of a complex matrix");
      factors->rows[k] = (MUMPS_INT)(row + 1);
      factors->columns[k] = (MUMPS_INT)(columns[c] + 1);
      factors->values[k] = PetscRealPart(values[c]);
    }
    PetscCall(MatRestoreRow(matrix, row, &count, &columns, &values));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(PC pc)
{
  Factors *factors;
  PetscBool known;
  PetscInt size;
  MatInfo info;
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(MatGetSize(matrix, &size, NULL));
  PetscCall(MatGetInfo(matrix, MAT_LOCAL, &info));
  PetscCall(PetscLogEventBegin(factors->factor, pc, 0, 0, 0));
  known = (PetscBool)(factors->count == (PetscInt64)info.nz_used);
  if (!known) {
    factors->count = (PetscInt64)info.nz_used;
    PetscCall(free_arrays(factors));
    PetscCall(PetscMalloc3(factors->count, &factors->rows, factors->count, &factors->columns, factors->count,
                           &factors->values));
    PetscCall(PetscMalloc1(2 * (size_t)size, &factors->parts));
  }
  PetscCall(copy_matrix(factors, matrix));
  factors->mumps.n = (MUMPS_INT)size;
  factors->mumps.nnz = (MUMPS_INT8)factors->count;
  factors->mumps.irn = factors->rows;
  factors->mumps.jcn = factors->columns;
  factors->mumps.a = factors->values;
  if (!known) PetscCall(call(factors, ANALYSE));
  PetscCall(call(factors, FACTORISE));
  PetscCall(PetscLogEventEnd(factors->factor, pc, 0, 0, 0));
  PetscFunctionReturn(0);
}

/* Most vectors of real matrices are real. */
static PetscErrorCode solve(PC pc, PetscBool transposed, Vec b, Vec x)
{
  const PetscScalar *in;
  PetscScalar *out;
  Factors *factors;
  PetscInt size;
  int sides = 1;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(PetscLogEventBegin(factors->solve, pc, 0, 0, 0));
  PetscCall(VecGetLocalSize(b, &size));
  PetscCall(VecGetArrayRead(b, &in));
  for (PetscInt i = 0; i < size; i++) {
    factors->parts[i] = PetscRealPart(in[i]);
    factors->parts[i + size] = PetscImaginaryPart(in[i]);
    if (factors->parts[i + size] != 0.0) sides = 2;
  }
  PetscCall(VecRestoreArrayRead(b, &in));
  factors->mumps.rhs = factors->parts;
  factors->mumps.nrhs = sides;
  factors->mumps.lrhs = (MUMPS_INT)size;
  *setting(factors, 9) = transposed ? 0 : 1;
  PetscCall(call(factors, SOLVE));
  PetscCall(VecGetArrayWrite(x, &out));
  for (PetscInt i = 0; i < size; i++)
    out[i] = PetscCMPLX(factors->parts[i], sides == 2 ? factors->parts[i + size] : 0.0);
  PetscCall(VecRestoreArrayWrite(x, &out));
  PetscCall(PetscLogEventEnd(factors->solve, pc, 0, 0, 0));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(solve(pc, PETSC_FALSE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply_transposed(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(solve(pc, PETSC_TRUE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(PC pc)
{
  Factors *factors;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(call(factors, END));
  PetscCall(free_arrays(factors));
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinRealFactorsUse(PC pc, PetscBool plane)
{
  Factors *factors;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&factors));
  PetscCall(begin(factors, plane));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, factors));
  PetscCall(PCShellSetSetUp(pc, set_up));
  PetscCall(PCShellSetApply(pc, apply));
  PetscCall(PCShellSetApplyTranspose(pc, apply_transposed));
  PetscCall(PCShellSetDestroy(pc, destroy));
  PetscCall(PCShellSetName(pc, "real factors"));
  PetscFunctionReturn(0);
}

PetscBool CospinRealFactorsExist(void)
{
  return PETSC_TRUE;
}
#else
PetscErrorCode CospinRealFactorsUse(PC pc, PetscBool plane)
{
  PetscFunctionBeginUser;
  (void)plane;
  PetscCheck(PETSC_FALSE, PetscObjectComm((PetscObject)pc), PETSC_ERR_SUP, "No real factors in this build");
  PetscFunctionReturn(0);
}

PetscBool CospinRealFactorsExist(void)
{
  return PETSC_FALSE;
}
#endif
