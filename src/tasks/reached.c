#include "settings.h"
#include <cospin/reached.h>

/* coefficients <- (Y^H R)^-1 Y^H rho_0; every rank solves the small system for itself */
static PetscErrorCode solve_overlaps(int num, Vec right[], Vec left[], Vec initial,
                                     PetscScalar coefficients[])
{
  Mat overlaps;
  Vec b, x;
  const PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(MatCreateSeqDense(PETSC_COMM_SELF, num, num, NULL, &overlaps));
  PetscCall(MatCreateVecs(overlaps, &x, &b));
  for (int row = 0; row < num; row++) {
    PetscScalar value;
    PetscCall(VecDot(initial, left[row], &value)); /* y^H rho_0 */
    PetscCall(VecSetValue(b, row, value, INSERT_VALUES));
    for (int column = 0; column < num; column++) {
      PetscCall(VecDot(right[column], left[row], &value));
      PetscCall(MatSetValue(overlaps, row, column, value, INSERT_VALUES));
    }
  }
  PetscCall(MatAssemblyBegin(overlaps, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(overlaps, MAT_FINAL_ASSEMBLY));
  PetscCall(MatLUFactor(overlaps, NULL, NULL, NULL));
  PetscCall(MatSolve(overlaps, b, x));
  PetscCall(VecGetArrayRead(x, &array));
  PetscCall(PetscArraycpy(coefficients, array, num));
  PetscCall(VecRestoreArrayRead(x, &array));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&b));
  PetscCall(MatDestroy(&overlaps));
  PetscFunctionReturn(0);
}

/* rho <- its projection onto the null space of the sector */
static PetscErrorCode project(CospinSpectrum spectrum, Vec rho, CospinOutcome *outcome)
{
  PetscScalar *coefficients;
  Vec *right, *left = NULL;
  double complex next;
  int num, num_left = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinSpectrumNull(spectrum, &num, &right, &next));
  PetscCall(CospinSpectrumRelease(spectrum));
  if (num) PetscCall(CospinSpectrumLeftNull(spectrum, &num_left, &left));
  *outcome = CospinOutcomeWorse(*outcome, spectrum->outcome);
  PetscCall(PetscMalloc1((size_t)num + 1, &coefficients));
  if (num_left != num) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE); /* one of them lies at the resolution */
  } else {
    if (num) PetscCall(solve_overlaps(num, right, left, rho, coefficients));
    PetscCall(VecSet(rho, 0.0));
    if (num) PetscCall(VecMAXPY(rho, num, coefficients, right));
  }
  PetscCall(PetscFree(coefficients));
  PetscCall(VecDestroyVecs(num, &right));
  PetscCall(VecDestroyVecs(num_left, &left));
  PetscFunctionReturn(0);
}

static PetscErrorCode compute_residual(CospinBlock *block)
{
  PetscReal size, residual;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(block->rho, &image));
  PetscCall(MatMult(block->spectrum->liouvillian, block->rho, image));
  PetscCall(VecNorm(block->rho, NORM_2, &size));
  PetscCall(VecNorm(image, NORM_2, &residual));
  PetscCall(VecDestroy(&image));
  block->residual = size > 0 ? residual / (block->spectrum->norm * size) : 0.0;
  PetscFunctionReturn(0);
}

/* One sector; leaves spectrum NULL where the initial state has no elements. */
static PetscErrorCode reach_sector(CospinPoint point, CospinState initial, const int representative[],
                                   const char prefix[], CospinBlock *block, CospinOutcome *outcome)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(CospinSpectrumCreate(point->comm, point->problem, representative, prefix, &point->spectra,
                                 &block->spectrum));
  if (!block->spectrum) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(block->spectrum->liouvillian, &block->rho, NULL));
  PetscCall(CospinStateVector(initial, block->spectrum->sector, block->rho));
  PetscCall(VecNorm(block->rho, NORM_2, &norm));
  if (norm > 0) {
    PetscCall(project(block->spectrum, block->rho, outcome));
    PetscCall(compute_residual(block));
  } else {
    PetscCall(VecDestroy(&block->rho));
    PetscCall(CospinSpectrumDestroy(&block->spectrum));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReachedState(CospinPoint point, CospinState initial, PetscBool whole,
                                  const char prefix[], int *num, CospinBlock **blocks, CospinOutcome *outcome)
{
  const int n = point->problem->system.num_coordinates;
  int num_sectors, *representatives;

  PetscFunctionBeginUser;
  *num = 0;
  *outcome = COSPIN_GOOD;
  PetscCall(CospinTaskSectorsRead(point->problem, point->observables, NULL, whole ? initial : NULL,
                                  &num_sectors, &representatives));
  PetscCall(PetscCalloc1((size_t)num_sectors, blocks));
  for (int k = 0; k < num_sectors; k++) {
    CospinBlock *block = &(*blocks)[*num];
    PetscCall(reach_sector(point, initial, representatives + k * n, prefix, block, outcome));
    if (block->spectrum) (*num)++;
  }
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinBlocksDestroy(int num, CospinBlock **blocks)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    PetscCall(VecDestroy(&(*blocks)[k].rho));
    PetscCall(CospinSpectrumDestroy(&(*blocks)[k].spectrum));
  }
  PetscCall(PetscFree(*blocks));
  PetscFunctionReturn(0);
}
