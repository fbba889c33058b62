/*
   Symmetric Gauss-Seidel whose blocks are planes (Saad, Iterative Methods for Sparse Linear Systems (2003),
   section 4.1): with A = E + D + F, D the planes, E what stands before them in their rows and F behind,

       M = (D + F) D^-1 (D + E),      M y = b:    D z_k = b_k - (F z)_k    down from the last plane,
                                                  y_k = z_k - D^-1 (E y)_k up from the first.

   What is slow in a driven ensemble is the drive within a plane of fixed j, which complete factors take care
   of; between planes there are only jumps. Steps of GMRES to 1e-12 for ensembles of 40, 80, 160, 200 spins
   with decay in common, decay and dephasing one by one, at the critical drive and twice that: 24, 40, 72; 22,
   36, 65, 79; ILU(1) takes 55 (40 spins, 1e-10) and 136 and gets nowhere at 200. Factors of planes take 60
   elements a label there, those of all 1300.

   Only the factors of planes are made and kept; E and F are read from the matrix itself.
*/
#include "plane_sweeps.h"
#include "pattern.h"
#include "triangular.h"

typedef struct {
  PetscInt num, *begin; /* [num + 1] */
  PC *factors;          /* of each plane; NULL before they are made */
  Vec *right, *left;    /* what they read and write, of a plane: their arrays are put in place */
  PetscScalar *rest;    /* [rows] */
} PlaneSweeps;

typedef enum { BEFORE, BEHIND } Side; /* E or F */

/* ---- Planes -------------------------------------------------------------------------------------------- */

/* Real ones where they suit. */
static PetscErrorCode factorise(PC pc)
{
  MatOrderingType ordering;
  PetscBool real;

  PetscFunctionBeginUser;
  PetscCall(CospinTriangularUse(pc, PETSC_TRUE, &real));
  if (!real) {
    PetscCall(CospinTriangularOrdering(&ordering));
    PetscCall(PCSetType(pc, PCLU));
    PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERPETSC));
    PetscCall(PCFactorSetMatOrderingType(pc, ordering));
    PetscCall(PCFactorSetShiftType(pc, MAT_SHIFT_NONZERO));
  }
  PetscCall(PCSetUp(pc));
  PetscFunctionReturn(0);
}

static PetscErrorCode forget(PlaneSweeps *sweeps)
{
  PetscFunctionBeginUser;
  for (PetscInt k = 0; sweeps->factors && k < sweeps->num; k++) {
    PetscCall(PCDestroy(&sweeps->factors[k]));
    PetscCall(VecDestroy(&sweeps->right[k]));
    PetscCall(VecDestroy(&sweeps->left[k]));
  }
  PetscCall(PetscFree3(sweeps->factors, sweeps->right, sweeps->left));
  PetscCall(PetscFree(sweeps->rest));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_plane(PlaneSweeps *sweeps, Mat matrix, PetscInt k)
{
  const PetscInt size = sweeps->begin[k + 1] - sweeps->begin[k];
  Mat plane;
  IS labels;

  PetscFunctionBeginUser;
  PetscCall(ISCreateStride(PETSC_COMM_SELF, size, sweeps->begin[k], 1, &labels));
  PetscCall(MatCreateSubMatrix(matrix, labels, labels, MAT_INITIAL_MATRIX, &plane));
  PetscCall(ISDestroy(&labels));
  PetscCall(PCCreate(PETSC_COMM_SELF, &sweeps->factors[k]));
  PetscCall(PCSetOperators(sweeps->factors[k], plane, plane));
  PetscCall(factorise(sweeps->factors[k]));
  PetscCall(MatDestroy(&plane));
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, size, NULL, &sweeps->right[k]));
  PetscCall(VecCreateSeqWithArray(PETSC_COMM_SELF, 1, size, NULL, &sweeps->left[k]));
  PetscFunctionReturn(0);
}

static PetscErrorCode set_up(PC pc)
{
  PlaneSweeps *sweeps;
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &sweeps));
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(forget(sweeps));
  PetscCall(
      PetscCalloc3(sweeps->num, &sweeps->factors, sweeps->num, &sweeps->right, sweeps->num, &sweeps->left));
  PetscCall(PetscMalloc1(sweeps->begin[sweeps->num], &sweeps->rest));
  for (PetscInt k = 0; k < sweeps->num; k++) PetscCall(add_plane(sweeps, matrix, k));
  PetscFunctionReturn(0);
}

/* x_k = D_k^-1 b_k, or (transposed) D_k^-T b_k. */
static PetscErrorCode solve_plane(PlaneSweeps *sweeps, PetscInt k, PetscBool transposed, PetscScalar b[],
                                  PetscScalar x[])
{
  PetscFunctionBeginUser;
  PetscCall(VecPlaceArray(sweeps->right[k], b + sweeps->begin[k]));
  PetscCall(VecPlaceArray(sweeps->left[k], x + sweeps->begin[k]));
  if (transposed)
    PetscCall(PCApplyTranspose(sweeps->factors[k], sweeps->right[k], sweeps->left[k]));
  else
    PetscCall(PCApply(sweeps->factors[k], sweeps->right[k], sweeps->left[k]));
  PetscCall(VecResetArray(sweeps->right[k]));
  PetscCall(VecResetArray(sweeps->left[k]));
  PetscFunctionReturn(0);
}

/* ---- Between planes ------------------------------------------------------------------------------------ */

static PetscBool stands(const PlaneSweeps *sweeps, PetscInt k, Side side, PetscInt column)
{
  return (PetscBool)(side == BEFORE ? column < sweeps->begin[k] : column >= sweeps->begin[k + 1]);
}

/* rest_k = b_k (b NULL: nothing) - (E x)_k, or of F. */
static void gather(const PlaneSweeps *sweeps, const CospinRows *rows, PetscInt k, Side side,
                   const PetscScalar b[], const PetscScalar x[])
{
  for (PetscInt row = sweeps->begin[k]; row < sweeps->begin[k + 1]; row++) {
    PetscScalar sum = b ? b[row] : 0.0;
    for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++)
      if (stands(sweeps, k, side, rows->columns[e])) sum -= rows->values[e] * x[rows->columns[e]];
    sweeps->rest[row] = sum;
  }
}

/* rest -= E_k^T x_k, or of F: row k's part of the transposed product, for planes that come later. */
static void scatter(const PlaneSweeps *sweeps, const CospinRows *rows, PetscInt k, Side side,
                    const PetscScalar x[])
{
  for (PetscInt row = sweeps->begin[k]; row < sweeps->begin[k + 1]; row++)
    for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++)
      if (stands(sweeps, k, side, rows->columns[e]))
        sweeps->rest[rows->columns[e]] -= rows->values[e] * x[row];
}

static void add_to_plane(const PlaneSweeps *sweeps, PetscInt k, const PetscScalar change[], PetscScalar x[])
{
  for (PetscInt row = sweeps->begin[k]; row < sweeps->begin[k + 1]; row++) x[row] += change[row];
}

static PetscErrorCode sweep(PlaneSweeps *sweeps, const CospinRows *rows, const PetscScalar b[],
                            PetscScalar x[])
{
  PetscFunctionBeginUser;
  for (PetscInt k = sweeps->num - 1; k >= 0; k--) {
    gather(sweeps, rows, k, BEHIND, b, x);
    PetscCall(solve_plane(sweeps, k, PETSC_FALSE, sweeps->rest, x));
  }
  for (PetscInt k = 1; k < sweeps->num; k++) {
    gather(sweeps, rows, k, BEFORE, NULL, x);
    PetscCall(solve_plane(sweeps, k, PETSC_FALSE, sweeps->rest, sweeps->rest));
    add_to_plane(sweeps, k, sweeps->rest, x);
  }
  PetscFunctionReturn(0);
}

/* M^T = (D + E)^T D^-T (D + F)^T */
static PetscErrorCode sweep_transposed(PlaneSweeps *sweeps, const CospinRows *rows, const PetscScalar b[],
                                       PetscScalar x[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(sweeps->rest, b, sweeps->begin[sweeps->num]));
  for (PetscInt k = sweeps->num - 1; k >= 0; k--) {
    PetscCall(solve_plane(sweeps, k, PETSC_TRUE, sweeps->rest, x));
    scatter(sweeps, rows, k, BEFORE, x);
  }
  PetscCall(PetscArrayzero(sweeps->rest, sweeps->begin[sweeps->num]));
  for (PetscInt k = 0; k < sweeps->num; k++) {
    if (k) {
      PetscCall(solve_plane(sweeps, k, PETSC_TRUE, sweeps->rest, sweeps->rest));
      add_to_plane(sweeps, k, sweeps->rest, x);
    }
    scatter(sweeps, rows, k, BEHIND, x);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode apply_either(PC pc, PetscBool transposed, Vec b, Vec x)
{
  const PetscScalar *in;
  PlaneSweeps *sweeps;
  CospinRows rows;
  PetscScalar *out;
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &sweeps));
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(CospinRowsGet(matrix, &rows));
  PetscCall(VecGetArrayRead(b, &in));
  PetscCall(VecGetArrayWrite(x, &out));
  if (transposed)
    PetscCall(sweep_transposed(sweeps, &rows, in, out));
  else
    PetscCall(sweep(sweeps, &rows, in, out));
  PetscCall(VecRestoreArrayWrite(x, &out));
  PetscCall(VecRestoreArrayRead(b, &in));
  PetscCall(CospinRowsRestore(matrix, &rows));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(apply_either(pc, PETSC_FALSE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply_transposed(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(apply_either(pc, PETSC_TRUE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(PC pc)
{
  PlaneSweeps *sweeps;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &sweeps));
  PetscCall(forget(sweeps));
  PetscCall(PetscFree(sweeps->begin));
  PetscCall(PetscFree(sweeps));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPlaneSweepsUse(PC pc, PetscInt num, const PetscInt begin[])
{
  PlaneSweeps *sweeps;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&sweeps));
  sweeps->num = num;
  PetscCall(PetscMalloc1(num + 1, &sweeps->begin));
  PetscCall(PetscArraycpy(sweeps->begin, begin, num + 1));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "sweeps over planes"));
  PetscCall(PCShellSetContext(pc, sweeps));
  PetscCall(PCShellSetSetUp(pc, set_up));
  PetscCall(PCShellSetApply(pc, apply));
  PetscCall(PCShellSetApplyTranspose(pc, apply_transposed));
  PetscCall(PCShellSetDestroy(pc, destroy));
  PetscFunctionReturn(0);
}
