/*
   Steady states of moment equations, by pseudo-transient continuation: implicit steps (1/tau - J) step = f
   whose tau grows (C. T. Kelley and D. E. Keyes, SIAM J. Numer. Anal. 35, 508 (1998)). Short steps follow the
   state in time, long ones are Newton's, so that what is found lies where the start leads to.

   Moments differ by many orders (n ~ N^2, correlations ~ 1/N): unknowns are scaled by themselves, which is
   what keeps the digits of 1e13 spins. Whether a fixed point is stable is told by the Jacobian's eigenvalues.
*/
#include "moments.h"
#include <math.h>
#include <petscksp.h>
#include <slepcblaslapack.h>

/* Eigenvalues are asked for up to so many real unknowns. */
enum { MOST_EIGENVALUES = 1200, MAX_STEPS = 2000 };
/* largest_step: change of a moment beside itself or one. Moments below `least` are scaled as if they were
 * that. */
static const double largest_step = 0.3, least = 1e-12, settled = 1e-9;

typedef struct {
  CospinHierarchy moments;
  int n;
  double *scale, *u; /* [n] units; work */
  Mat matrix;        /* 1/tau - J, scaled */
  Vec step, slope;
  KSP ksp;
} Linear;

static PetscErrorCode create(CospinHierarchy moments, Linear *linear)
{
  PetscBool sparse;
  PC pc;

  PetscFunctionBeginUser;
  linear->moments = moments;
  linear->n = moments->num_real;
  PetscCall(PetscMalloc2(linear->n, &linear->scale, linear->n, &linear->u));
  PetscCall(CospinHierarchyMatrixCreate(moments, &linear->matrix, &sparse));
  PetscCall(MatCreateVecs(linear->matrix, &linear->step, &linear->slope));
  PetscCall(KSPCreate(PETSC_COMM_SELF, &linear->ksp));
  PetscCall(KSPSetType(linear->ksp, KSPPREONLY));
  PetscCall(KSPGetPC(linear->ksp, &pc));
  PetscCall(PCSetType(pc, PCLU));
  if (sparse) PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(Linear *linear)
{
  PetscFunctionBeginUser;
  PetscCall(KSPDestroy(&linear->ksp));
  PetscCall(VecDestroy(&linear->step));
  PetscCall(VecDestroy(&linear->slope));
  PetscCall(MatDestroy(&linear->matrix));
  PetscCall(PetscFree2(linear->scale, linear->u));
  PetscFunctionReturn(0);
}

/* matrix = shift - J at z, in units of the moments. */
static PetscErrorCode fill(Linear *linear, const double complex z[], double shift)
{
  PetscFunctionBeginUser;
  CospinHierarchyGetReal(linear->moments, z, linear->scale);
  for (int k = 0; k < linear->n; k++) linear->scale[k] = fmax(fabs(linear->scale[k]), least);
  PetscCall(CospinHierarchyMatrixFill(linear->moments, z, linear->scale, -1.0, shift, linear->matrix));
  PetscFunctionReturn(0);
}

/* One implicit step from z; *length: its largest change, infinite where there is none. */
static PetscErrorCode solve(Linear *linear, const double complex z[], const double complex slopes[],
                            double tau, double *length)
{
  CospinHierarchy moments = linear->moments;
  PetscScalar *array;
  const PetscScalar *step;
  KSPConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(fill(linear, z, 1 / tau));
  CospinHierarchyGetReal(moments, slopes, linear->u);
  PetscCall(VecGetArrayWrite(linear->slope, &array));
  for (int k = 0; k < linear->n; k++) array[k] = linear->u[k] / linear->scale[k];
  PetscCall(VecRestoreArrayWrite(linear->slope, &array));
  PetscCall(KSPSetOperators(linear->ksp, linear->matrix, linear->matrix));
  PetscCall(KSPSolve(linear->ksp, linear->slope, linear->step));
  PetscCall(KSPGetConvergedReason(linear->ksp, &reason));
  *length = 0.0;
  PetscCall(VecGetArrayRead(linear->step, &step));
  for (int k = 0; k < linear->n; k++) {
    const double size = fabs(PetscRealPart(step[k])) * linear->scale[k] / fmax(1.0, linear->scale[k]);
    if (!(size <= *length)) *length = isnan(size) ? INFINITY : size;
  }
  PetscCall(VecRestoreArrayRead(linear->step, &step));
  if (reason < 0) *length = INFINITY;
  PetscFunctionReturn(0);
}

/* ---- Stability -------------------------------------------------------------------------------------------
 */

static PetscErrorCode find_growth(Linear *linear, const double complex z[], double *growth)
{
  PetscBLASInt n = (PetscBLASInt)linear->n, one = 1, num_work = 8 * n, info;
  PetscScalar *matrix, *values, *work, none[1];
  PetscReal *reals;
  Mat dense;

  PetscFunctionBeginUser;
  *growth = NAN;
  if (linear->n > MOST_EIGENVALUES) PetscFunctionReturn(0);
  PetscCall(fill(linear, z, 0.0));
  PetscCall(MatConvert(linear->matrix, MATSEQDENSE, MAT_INITIAL_MATRIX, &dense));
  PetscCall(MatDenseGetArray(dense, &matrix));
  PetscCall(PetscMalloc3(n, &values, num_work, &work, 2 * (size_t)n, &reals));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("N", "N", &n, matrix, &n, values, none, &one, none, &one, work, &num_work, reals, &info);
  PetscCall(PetscFPTrapPop());
  if (info == 0) *growth = -INFINITY;
  for (int k = 0; k < n && info == 0; k++) *growth = fmax(*growth, -PetscRealPart(values[k]));
  PetscCall(PetscFree3(values, work, reals));
  PetscCall(MatDenseRestoreArray(dense, &matrix));
  PetscCall(MatDestroy(&dense));
  PetscFunctionReturn(0);
}

/* ---- The search ------------------------------------------------------------------------------------------
 */

PetscErrorCode CospinHierarchyRest(CospinHierarchy moments,
                                   PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                   double complex z[], CospinMomentRest *rest)
{
  double complex *slopes;
  double tau = 0.0, rate = 0.0;
  PetscBool leave = PETSC_FALSE;
  Linear linear;

  PetscFunctionBeginUser;
  *rest = (CospinMomentRest){.residual = NAN, .growth = NAN};
  PetscCall(create(moments, &linear));
  PetscCall(PetscMalloc1(moments->num, &slopes));
  PetscCall(fill(&linear, z, 0.0));
  PetscCall(MatNorm(linear.matrix, NORM_INFINITY, &rate));
  tau = 1e-2 / rate;
  while (!rest->found && !leave && rest->iterations++ < MAX_STEPS && rate > 0 && tau * rate > 1e-16) {
    const PetscScalar *step;
    double length = INFINITY;
    CospinHierarchySlopes(moments, z, slopes, NULL);
    PetscCall(solve(&linear, z, slopes, tau, &length));
    if (Leave) PetscCall(Leave(context, &leave));
    if (!(length <= largest_step)) {
      tau *= 0.3;
      continue;
    }
    CospinHierarchyGetReal(moments, z, linear.u);
    PetscCall(VecGetArrayRead(linear.step, &step));
    for (int k = 0; k < linear.n; k++) linear.u[k] += PetscRealPart(step[k]) * linear.scale[k];
    PetscCall(VecRestoreArrayRead(linear.step, &step));
    CospinHierarchySetReal(moments, linear.u, z);
    /* What is left after a step of Newton's method is its square. */
    rest->found = (PetscBool)(length <= settled && tau * rate > 1 / settled);
    tau = fmin(tau * (length < 0.1 * largest_step ? 3.0 : 1.5), 1e15 / rate);
  }
  rest->residual = CospinHierarchyResidual(moments, z);
  if (rest->found) PetscCall(find_growth(&linear, z, &rest->growth));
  PetscCall(PetscFree(slopes));
  PetscCall(destroy(&linear));
  PetscFunctionReturn(0);
}
