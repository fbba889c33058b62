/*
   Projection onto null vectors, and the search for what keeps oscillating.

   A mode belongs to the imaginary axis if its rate is within its error of zero and its frequency is not. On a
   small sector all modes are known; elsewhere the slowest are looked at, so an oscillation of a frequency
   beyond the horizon of that search is not seen.

   With right null vectors R_k and left ones L_k of all sectors, L_j^H R_k = delta_jk, the state that a start
   rho_0 ends in is sum_k R_k (L_k^H rho_0): the conserved quantities L_k of the start are those of the end
   (Albert and Jiang, PRA 89, 022118 (2014)). Only sectors that rho_0 has elements in contribute.
*/
#include <cospin/operator/liouvillian.h>
#include <cospin/point/reached.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

/* Share of a mode, in units of the state, that counts as none. */
static const double negligible = 1e-9;
enum { MAX_LASTING = 256 };

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

/* ---- Oscillations -------------------------------------------------------------------------------------- */

/* Modes that are as slow as the resolution; none if the slowest one decays. Otherwise more and more of them
   are asked for, with left vectors, until one decays. */
static PetscErrorCode lasting_modes(CospinEigensolver eigensolver, int num_null, Vec null[], int *num,
                                    CospinMode **modes)
{
  const int most = (int)PetscMin(CospinSectorDimension(eigensolver->sector) - num_null, MAX_LASTING);
  const CospinOutcome before = eigensolver->outcome;
  CospinMode slowest;
  PetscBool more;

  PetscFunctionBeginUser;
  *modes = NULL;
  PetscCall(CospinEigensolverLookFar(eigensolver));
  PetscCall(CospinEigensolverSlowest(eigensolver, 1, num_null, null, PETSC_FALSE, num, &slowest));
  more = (PetscBool)(*num == 1 && CospinModeLasts(eigensolver, &slowest));
  PetscCall(CospinModesDestroy(*num, &slowest));
  *num = 0;
  if (!more) eigensolver->outcome = before; /* nothing that lasts was seen */
  for (int count = 1; more; count = PetscMin(8 * count + 1, most)) {
    PetscCall(CospinModesDestroy(*num, *modes));
    PetscCall(PetscFree(*modes));
    PetscCall(PetscCalloc1((size_t)count, modes));
    PetscCall(CospinEigensolverSlowest(eigensolver, count, num_null, null, PETSC_TRUE, num, *modes));
    more = (PetscBool)(count < most && *num == count && CospinModeLasts(eigensolver, &(*modes)[*num - 1]));
  }
  PetscFunctionReturn(0);
}

/* The lasting oscillation with the largest part in rho, if it has any. */
static PetscErrorCode find_oscillation(CospinEigensolver eigensolver, int num_null, Vec null[], Vec rho,
                                       double *amplitude, double *frequency)
{
  CospinMode *modes;
  PetscReal size;
  int num;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(rho, NORM_2, &size));
  PetscCall(lasting_modes(eigensolver, num_null, null, &num, &modes));
  for (int k = 0; k < num; k++) {
    PetscScalar overlap;
    if (!CospinModeLasts(eigensolver, &modes[k])) continue;
    if (!modes[k].left) { /* it may have a part in rho */
      eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
      continue;
    }
    PetscCall(VecDot(rho, modes[k].left, &overlap)); /* y^H rho, the share of x of length 1 */
    if (PetscAbsScalar(overlap) <= negligible * size || PetscAbsScalar(overlap) <= *amplitude) continue;
    *amplitude = PetscAbsScalar(overlap);
    *frequency = PetscAbsReal(cimag(modes[k].lambda));
  }
  PetscCall(CospinModesDestroy(num, modes));
  PetscCall(PetscFree(modes));
  PetscFunctionReturn(0);
}

/* ---- Sectors ------------------------------------------------------------------------------------------- */

/* rho <- its projection onto the null space of the sector; separation is then that of its null vectors */
static PetscErrorCode project(CospinEigensolver eigensolver, Vec rho, double *amplitude,
                              CospinReached *reached)
{
  PetscScalar *coefficients;
  Vec *right, *left = NULL;
  double complex next;
  int num, num_left = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverNull(eigensolver, &num, &right, &next));
  PetscCall(find_oscillation(eigensolver, num, right, rho, amplitude, &reached->frequency));
  PetscCall(CospinEigensolverRelease(eigensolver));
  if (num) PetscCall(CospinEigensolverLeftNull(eigensolver, &num_left, &left));
  reached->outcome = CospinOutcomeWorse(reached->outcome, eigensolver->outcome);
  PetscCall(PetscMalloc1((size_t)num + 1, &coefficients));
  if (num_left != num) {
    reached->outcome =
        CospinOutcomeWorse(reached->outcome, COSPIN_INACCURATE); /* one lies at the resolution */
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

/* A block holds the part of the state in one sector, with the eigensolver that found it. */
static PetscErrorCode destroy_block(CospinBlock *block)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&block->rho));
  PetscCall(CospinEigensolverDestroy(&block->eigensolver));
  PetscFunctionReturn(0);
}

/* One sector; leaves spectrum NULL where the initial state has no elements. */
static PetscErrorCode reach_sector(CospinPoint point, CospinState initial, const int representative[],
                                   const char prefix[], CospinBlock *block, double *amplitude,
                                   CospinReached *reached)
{
  PetscReal norm;
  double leak;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, point->problem, representative, prefix, &point->eigensolvers,
                                    &block->eigensolver));
  if (!block->eigensolver) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(block->eigensolver->liouvillian, &block->rho, NULL));
  PetscCall(CospinStateVector(initial, block->eigensolver->sector, block->rho));
  PetscCall(VecNorm(block->rho, NORM_2, &norm));
  if (norm > 0) {
    PetscCall(project(block->eigensolver, block->rho, amplitude, reached));
    PetscCall(CospinStateQuality(point, block->eigensolver, block->rho, &block->quality));
    PetscCall(CospinWindowLeak(point, block->eigensolver, block->rho, 0.0, &leak));
    reached->leak = PetscMax(reached->leak, leak);
  } else {
    PetscCall(destroy_block(block));
  }
  PetscFunctionReturn(0);
}

/* What windows have cut from the initial state: its trace is kept by the projection. */
static PetscErrorCode measure_loss(CospinPoint point, CospinReached *reached)
{
  int windows[COSPIN_MAX_COORDINATES];
  double complex trace = 0.0;
  PetscBool any;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &any);
  for (int k = 0; k < reached->num && any; k++) {
    const CospinBlock *block = &reached->blocks[k];
    double complex part;
    PetscCall(CospinTraceOf(&point->problem->system, block->eigensolver->sector, block->rho, &part));
    trace += part;
  }
  if (any) reached->leak = PetscMax(reached->leak, cabs(trace - 1.0));
  PetscFunctionReturn(0);
}

/* Sectors to keep, and sectors that are only asked whether the state comes to rest there. */
static PetscErrorCode list_sectors(CospinPoint point, CospinState initial, PetscBool whole, int *num_kept,
                                   int **kept, int *num, int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskSectorsRead(point->problem, point->observables, NULL, whole ? initial : NULL, num_kept,
                                  kept));
  PetscCall(CospinTaskSectorsRead(point->problem, point->observables, NULL, initial, num, representatives));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReachedState(CospinPoint point, CospinState initial, PetscBool whole,
                                  const char prefix[], CospinReached *reached)
{
  const int n = point->problem->system.num_coordinates;
  int num, num_kept, *representatives, *kept;
  double amplitude = 0.0;

  PetscFunctionBeginUser;
  *reached = (CospinReached){.outcome = COSPIN_GOOD, .frequency = NAN};
  /* Sectors whose part is kept are those that the state is later read in; the others are asked for
     oscillations only. */
  PetscCall(list_sectors(point, initial, whole, &num_kept, &kept, &num, &representatives));
  PetscCall(PetscCalloc1((size_t)num_kept + 1, &reached->blocks));
  for (int k = 0; k < num; k++) {
    CospinBlock block = {NULL};
    PetscBool keep;
    PetscCall(reach_sector(point, initial, representatives + k * n, prefix, &block, &amplitude, reached));
    if (!block.eigensolver) continue;
    PetscCall(CospinTaskHasLabel(n, representatives + k * n, num_kept, kept, &keep));
    if (keep)
      reached->blocks[reached->num++] = block;
    else
      PetscCall(destroy_block(&block));
  }
  PetscCall(measure_loss(point, reached));
  if (!PetscIsNanReal(reached->frequency))
    reached->outcome = CospinOutcomeWorse(reached->outcome, COSPIN_OSCILLATING);
  PetscCall(PetscFree(kept));
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReachedDestroy(CospinReached *reached)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < reached->num; k++) PetscCall(destroy_block(&reached->blocks[k]));
  PetscCall(PetscFree(reached->blocks));
  PetscFunctionReturn(0);
}
