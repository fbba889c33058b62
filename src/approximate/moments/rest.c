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
enum { MOST_EIGENVALUES = 1200, MAX_STEPS = 2000, MOST_DEPARTURES = 3 };
/* largest_step: change of a moment beside itself or one. Moments below `least` are scaled as if they were
 * that. */
static const double largest_step = 0.3, least = 1e-12, settled = 1e-9, push = 1e-3, rounding = 1e-12;

typedef struct {
  CospinHierarchy moments;
  int n;
  double *scale, *u; /* [n] units; work */
  Mat matrix;        /* 1/tau - J, scaled */
  Vec step, slope;
  KSP ksp;
} Linear;

/* Nothing here depends on z: one system serves all steps. */
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

/* matrix = shift - J at z, in units of the moments. Both parts of one have one unit: a part that is zero by
   symmetry is no small number. */
static PetscErrorCode fill(Linear *linear, const double complex z[], double shift)
{
  CospinHierarchy moments = linear->moments;

  PetscFunctionBeginUser;
  for (int i = 0; i < moments->num; i++)
    for (int k = moments->place[i]; k < moments->place[i] + (moments->is_real[i] ? 1 : 2); k++)
      linear->scale[k] = fmax(cabs(z[i]), least);
  PetscCall(CospinHierarchyMatrixFill(moments, z, linear->scale, -1.0, shift, linear->matrix));
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

/* The fastest growing deviation, as a change of the real unknowns; growth NaN: too many of them. Its rounding
   is that of the fastest rate. */
static PetscErrorCode find_growth(Linear *linear, const double complex z[], CospinMomentRest *rest,
                                  double away[])
{
  const size_t size = (size_t)linear->n;
  PetscBLASInt n = (PetscBLASInt)size, one = 1, num_work = 8 * n, info;
  PetscScalar *matrix, *values, *vectors, *work, none[1];
  PetscReal *reals;
  Mat dense;
  int fastest = 0;

  PetscFunctionBeginUser;
  rest->growth = NAN;
  if (linear->n > MOST_EIGENVALUES) PetscFunctionReturn(0);
  PetscCall(fill(linear, z, 0.0));
  PetscCall(MatConvert(linear->matrix, MATSEQDENSE, MAT_INITIAL_MATRIX, &dense));
  PetscCall(MatDenseGetArray(dense, &matrix));
  PetscCall(PetscMalloc4(size, &values, size * size, &vectors, 8 * size, &work, 2 * size, &reals));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("N", "V", &n, matrix, &n, values, none, &one, vectors, &n, work, &num_work, reals, &info);
  PetscCall(PetscFPTrapPop());
  for (int k = 0; k < n && info == 0; k++)
    if (PetscRealPart(values[k]) < PetscRealPart(values[fastest])) fastest = k; /* of -J */
  if (info == 0) rest->growth = -PetscRealPart(values[fastest]);
  rest->rounding = 0.0;
  for (int k = 0; k < n && info == 0; k++) rest->rounding = fmax(rest->rounding, rounding * cabs(values[k]));
  for (size_t k = 0; k < size; k++)
    away[k] = PetscRealPart(vectors[k + size * (size_t)fastest]) * linear->scale[k];
  PetscCall(PetscFree4(values, vectors, work, reals));
  PetscCall(MatDenseRestoreArray(dense, &matrix));
  PetscCall(MatDestroy(&dense));
  PetscFunctionReturn(0);
}

/* A little off an unstable point along `away`, to the side on which there are more quanta or pairs: light
   grows from there, and negative numbers of photons are no state. */
static void push_off(CospinHierarchy moments, const double away[], double u[])
{
  double largest = 0.0, more = 0.0;

  for (int k = 0; k < moments->num_real; k++) largest = fmax(largest, fabs(away[k]) / fmax(1.0, fabs(u[k])));
  for (int i = 0; i < moments->num; i++)
    if (CospinMomentOperators(&moments->unknowns.keys[i]) == 2 && moments->is_real[i])
      more += away[moments->place[i]];
  for (int k = 0; k < moments->num_real; k++) u[k] += (more < 0 ? -push : push) * away[k] / largest;
}

/* ---- The search ------------------------------------------------------------------------------------------
 */

typedef struct {
  PetscErrorCode (*Leave)(void *context, PetscBool *leave);
  void *context;
  PetscBool leave, leaves; /* leaves: it is on its way off an unstable point */
  double rate, tau;        /* of the fastest unknown; the next step */
  double complex *slopes;
} Search;

/* The largest slope beside its moment or one. */
static double slope_size(CospinHierarchy moments, const double complex z[], const double complex slopes[])
{
  double largest = 0.0;

  for (int i = 0; i < moments->num; i++) {
    const double size = cabs(slopes[i]) / fmax(1.0, cabs(z[i]));
    if (!(size <= largest)) largest = size;
  }
  return largest;
}

/* Steps until what is left after them is nothing. Where an unstable point is left, tau stays as it is while
   slopes rise: a long implicit step would end at the point that the state grows away from. */
static PetscErrorCode settle(Linear *linear, Search *search, double complex z[], CospinMomentRest *rest)
{
  double before = 0.0;
  int polished = 0;

  PetscFunctionBeginUser;
  rest->found = PETSC_FALSE;
  while (!rest->found && !search->leave && rest->iterations++ < MAX_STEPS &&
         search->tau * search->rate > 1e-16) {
    const PetscScalar *step;
    double length = INFINITY, now;
    CospinHierarchySlopes(linear->moments, z, search->slopes, NULL);
    now = slope_size(linear->moments, z, search->slopes);
    PetscCall(solve(linear, z, search->slopes, search->tau, &length));
    if (search->Leave) PetscCall(search->Leave(search->context, &search->leave));
    if (!(length <= largest_step)) {
      search->tau *= 0.3;
      continue;
    }
    CospinHierarchyGetReal(linear->moments, z, linear->u);
    PetscCall(VecGetArrayRead(linear->step, &step));
    for (int k = 0; k < linear->n; k++) linear->u[k] += PetscRealPart(step[k]) * linear->scale[k];
    PetscCall(VecRestoreArrayRead(linear->step, &step));
    CospinHierarchySetReal(linear->moments, linear->u, z);
    /* Beside one; small moments have their digits after two more of Newton's steps. */
    if (length <= settled && search->tau * search->rate > 1 / settled) polished++;
    rest->found = (PetscBool)(polished > 2);
    if (now < before) search->leaves = PETSC_FALSE;
    if (!search->leaves) search->tau *= length < 0.1 * largest_step ? 3.0 : 1.5;
    search->tau = fmin(search->tau, 1e15 / search->rate);
    before = now;
  }
  PetscFunctionReturn(0);
}

/* Long steps may end at a point that the state in time only passes (the dark state of a laser): it is left,
   and followed on by short ones. */
PetscErrorCode CospinHierarchyRest(CospinHierarchy moments,
                                   PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                   double complex z[], CospinMomentRest *rest)
{
  Search search = {.Leave = Leave, .context = context};
  double *away;
  Linear linear;

  PetscFunctionBeginUser;
  *rest = (CospinMomentRest){.residual = NAN, .growth = NAN};
  PetscCall(create(moments, &linear));
  PetscCall(PetscMalloc2(moments->num, &search.slopes, moments->num_real, &away));
  PetscCall(fill(&linear, z, 0.0));
  PetscCall(MatNorm(linear.matrix, NORM_INFINITY, &search.rate));
  search.tau = search.rate > 0 ? 1e-2 / search.rate : 0.0;
  for (int turn = 0; turn <= MOST_DEPARTURES && (turn == 0 || rest->growth > rest->rounding) && !search.leave;
       turn++) {
    if (turn > 0) {
      CospinHierarchyGetReal(moments, z, linear.u);
      push_off(moments, away, linear.u);
      CospinHierarchySetReal(moments, linear.u, z);
      search.tau = 0.1 / rest->growth;
      search.leaves = PETSC_TRUE;
    }
    PetscCall(settle(&linear, &search, z, rest));
    rest->growth = NAN;
    if (rest->found) PetscCall(find_growth(&linear, z, rest, away));
  }
  rest->residual = CospinHierarchyResidual(moments, z);
  rest->leave = search.leave;
  PetscCall(PetscFree2(search.slopes, away));
  PetscCall(destroy(&linear));
  PetscFunctionReturn(0);
}
