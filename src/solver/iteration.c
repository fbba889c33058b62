/*
   The solver of L x = b (iteration.h): which preconditioner suits generators, on one rank and on several.

   No shift: next to zero the equations with L - s are harder than those with L, whose right side has nothing
   of the null vector. A maser of 20 spins and its mode (91267 labels), steps to the rounding of the steady
   state: 39 without a shift; s = 1e-6 |L|: 180, 1e-4: 166, 1e-3: 46.

   ILU(1): a maser of 10, 20, 30, 50 spins takes 22, 30, 39, 51 steps (1e-10) with it, ILU(0) twice as many;
   exact planes, multigrid and what happens between jumps do worse in three and four dimensions of labels.
   Piles of planes are swept over (plane_sweeps.c): there ILU(1) does not keep up with a strong drive.
   Where the block of a rank is real in suitable phases the factors are ours, real and in single precision
   (triangular.c), which takes as many steps; otherwise they are PETSc's.
*/
#include "iteration.h"
#include "plane_sweeps.h"
#include "triangular.h"
#include <petscksp.h>

enum { LEVELS = 1, OVERLAP = 1, MOST_RESTART = 150 };

/* One solver for L and for its adjoint: the incomplete factors of L, transposed, serve both. `null` and
   `left` are those of L; the adjoint equation takes them the other way round. */
struct CospinIteration_ {
  Mat matrix; /* L - i centre */
  KSP ksp;
  PetscBool prepared; /* its factors are made */
  PetscInt num_planes;
  const PetscInt *planes; /* [num_planes + 1] or NULL, borrowed: of all ranks */
  Vec null, left;         /* borrowed, or NULL */
  Vec right_side;
  int steps;
};

/* Which rows of a rank's block, rows[count] of the matrix in order, begin a plane. */
static PetscErrorCode find_planes(CospinIteration iteration, PetscInt count, const PetscInt rows[],
                                  PetscInt *num, PetscInt begin[])
{
  PetscInt k = 0;

  PetscFunctionBeginUser;
  *num = 0;
  for (PetscInt row = 0; row < count; row++) {
    if (row && rows[row] < iteration->planes[k + 1]) continue;
    while (rows[row] >= iteration->planes[k + 1]) k++;
    begin[(*num)++] = row;
  }
  begin[*num] = count;
  PetscFunctionReturn(0);
}

static PetscErrorCode sweep_planes(CospinIteration iteration, PC pc, IS block)
{
  PetscInt num, count, *begin;
  const PetscInt *rows;

  PetscFunctionBeginUser;
  PetscCall(ISGetLocalSize(block, &count));
  PetscCall(ISGetIndices(block, &rows));
  PetscCall(PetscMalloc1(iteration->num_planes + 1, &begin));
  PetscCall(find_planes(iteration, count, rows, &num, begin));
  PetscCall(CospinPlaneSweepsUse(pc, num, begin));
  PetscCall(PetscFree(begin));
  PetscCall(ISRestoreIndices(block, &rows));
  PetscFunctionReturn(0);
}

/* The solver of a rank's block. Real factors where they suit. A zero on the diagonal (nothing happens there
   but by jumps into it) must not end the program. */
static PetscErrorCode fill(CospinIteration iteration, PC pc, IS block)
{
  PetscBool real;

  PetscFunctionBeginUser;
  if (iteration->planes) {
    PetscCall(sweep_planes(iteration, pc, block));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinTriangularUse(pc, PETSC_FALSE, &real));
  if (real) PetscFunctionReturn(0);
  PetscCall(PCSetType(pc, PCILU));
  PetscCall(PCFactorSetLevels(pc, LEVELS));
  PetscCall(PCFactorSetShiftType(pc, MAT_SHIFT_NONZERO));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_preconditioner(CospinIteration iteration, PC pc)
{
  PetscMPIInt ranks;
  PetscInt size;
  IS all;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(PetscObjectComm((PetscObject)pc), &ranks));
  if (ranks == 1) {
    PetscCall(MatGetSize(iteration->matrix, &size, NULL));
    PetscCall(ISCreateStride(PETSC_COMM_SELF, size, 0, 1, &all));
    PetscCall(fill(iteration, pc, all));
    PetscCall(ISDestroy(&all));
  } else {
    PetscCall(PCSetType(pc, PCASM));
    PetscCall(PCASMSetOverlap(pc, OVERLAP));
  }
  PetscFunctionReturn(0);
}

/* The block of this rank exists once the preconditioner is set up, but has no factors then. */
static PetscErrorCode prepare(CospinIteration iteration)
{
  PetscBool blocks;
  PetscInt count;
  KSP *block;
  IS *rows;
  PC pc;

  PetscFunctionBeginUser;
  if (iteration->prepared) PetscFunctionReturn(0);
  PetscCall(KSPSetUp(iteration->ksp));
  PetscCall(KSPGetPC(iteration->ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCASM, &blocks));
  if (blocks) {
    PetscCall(PCASMGetLocalSubdomains(pc, &count, &rows, NULL));
    PetscCall(PCASMGetSubKSP(pc, &count, NULL, &block));
    for (PetscInt k = 0; k < count; k++) {
      PetscCall(KSPGetPC(block[k], &pc));
      PetscCall(fill(iteration, pc, rows[k]));
      PetscCall(PCSetFromOptions(pc));
    }
  }
  PetscCall(KSPSetUpOnBlocks(iteration->ksp));
  iteration->prepared = PETSC_TRUE;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIterationCreate(Mat matrix, double centre, PetscInt num_planes, const PetscInt planes[],
                                     const char prefix[], int basis, const CospinInterrupt *interrupt,
                                     CospinIteration *iteration)
{
  CospinIteration new;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *iteration = new;
  new->num_planes = num_planes;
  new->planes = planes;
  if (centre == 0.0) {
    PetscCall(PetscObjectReference((PetscObject)matrix));
    new->matrix = matrix;
  } else {
    PetscCall(MatDuplicate(matrix, MAT_COPY_VALUES, &new->matrix));
    PetscCall(MatShift(new->matrix, -PETSC_i * centre));
  }
  PetscCall(MatCreateVecs(matrix, &new->right_side, NULL));
  PetscCall(KSPCreate(PetscObjectComm((PetscObject)matrix), &new->ksp));
  PetscCall(KSPSetOptionsPrefix(new->ksp, prefix));
  PetscCall(KSPAppendOptionsPrefix(new->ksp, "iteration_"));
  PetscCall(KSPSetOperators(new->ksp, new->matrix, new->matrix));
  PetscCall(KSPSetType(new->ksp, KSPGMRES));
  PetscCall(KSPSetPCSide(new->ksp, PC_RIGHT)); /* its residuals are true ones */
  PetscCall(KSPGMRESSetRestart(new->ksp, PetscMin(basis, MOST_RESTART)));
  PetscCall(KSPGMRESSetCGSRefinementType(new->ksp, KSP_GMRES_CGS_REFINE_IFNEEDED));
  PetscCall(KSPSetErrorIfNotConverged(new->ksp, PETSC_FALSE));
  PetscCall(KSPGetPC(new->ksp, &pc));
  PetscCall(create_preconditioner(new, pc));
  PetscCall(CospinInterruptSolver(new->ksp, interrupt));
  PetscCall(KSPSetFromOptions(new->ksp));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIterationDestroy(CospinIteration *iteration)
{
  PetscFunctionBeginUser;
  if (!*iteration) PetscFunctionReturn(0);
  PetscCall(MatDestroy(&(*iteration)->matrix));
  PetscCall(KSPDestroy(&(*iteration)->ksp));
  PetscCall(VecDestroy(&(*iteration)->right_side));
  PetscCall(PetscFree(*iteration));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIterationProject(CospinIteration iteration, Vec null, Vec left)
{
  PetscFunctionBeginUser;
  iteration->null = null;
  iteration->left = left;
  PetscFunctionReturn(0);
}

int CospinIterationSteps(CospinIteration iteration)
{
  return iteration->steps;
}

/* x -= null (left^H x) / (left^H null), or the other way round. */
static PetscErrorCode project(CospinIteration iteration, PetscBool adjoint, Vec x)
{
  const Vec null = adjoint ? iteration->left : iteration->null,
            left = adjoint ? iteration->null : iteration->left;
  PetscScalar part, size;

  PetscFunctionBeginUser;
  if (!iteration->null) PetscFunctionReturn(0);
  PetscCall(VecDot(x, left, &part));
  PetscCall(VecDot(null, left, &size));
  PetscCall(VecAXPY(x, -part / size, null));
  PetscFunctionReturn(0);
}

/* Transposing conjugates nothing: L^-H b is the conjugate of L^-T applied to the conjugate of b. */
static PetscErrorCode solve(CospinIteration iteration, PetscBool adjoint, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  if (adjoint) {
    PetscCall(VecConjugate(b));
    PetscCall(KSPSolveTranspose(iteration->ksp, b, x));
    PetscCall(VecConjugate(x));
  } else {
    PetscCall(KSPSolve(iteration->ksp, b, x));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIterationPrecondition(CospinIteration iteration, PetscBool adjoint, Vec b, Vec x)
{
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(VecCopy(b, iteration->right_side));
  PetscCall(project(iteration, adjoint, iteration->right_side));
  PetscCall(prepare(iteration));
  PetscCall(KSPGetPC(iteration->ksp, &pc));
  if (adjoint) {
    PetscCall(VecConjugate(iteration->right_side));
    PetscCall(PCApplyTranspose(pc, iteration->right_side, x));
    PetscCall(VecConjugate(x));
  } else {
    PetscCall(PCApply(pc, iteration->right_side, x));
  }
  PetscCall(project(iteration, adjoint, x));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIterationSolve(CospinIteration iteration, PetscBool adjoint, double relative, int steps,
                                    Vec b, Vec x, double *residual)
{
  KSPConvergedReason reason;
  PetscReal size, left;
  PetscInt taken;

  PetscFunctionBeginUser;
  PetscCall(VecCopy(b, iteration->right_side));
  PetscCall(project(iteration, adjoint, iteration->right_side));
  PetscCall(VecNorm(iteration->right_side, NORM_2, &size));
  PetscCall(prepare(iteration));
  PetscCall(KSPSetTolerances(iteration->ksp, relative, PETSC_DEFAULT, PETSC_DEFAULT, steps));
  PetscCall(solve(iteration, adjoint, iteration->right_side, x));
  PetscCall(KSPGetConvergedReason(iteration->ksp, &reason));
  PetscCall(KSPGetResidualNorm(iteration->ksp, &left));
  PetscCall(KSPGetIterationNumber(iteration->ksp, &taken));
  iteration->steps += (int)taken;
  PetscCall(project(iteration, adjoint, x));
  if (reason < 0 && reason != KSP_DIVERGED_ITS) left = PETSC_INFINITY;
  if (residual) *residual = size > 0 ? left / size : 0.0;
  PetscFunctionReturn(0);
}
