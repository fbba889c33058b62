/*
   The slowest mode of a sector without negative elements off the diagonal whose labels lie in a plane, too
   many for factors to pay: N = 3000 to 10^5 spins. Such a mode is real, its vector is the one that is
   positive, and that it is positive is looked at in the end.

   With A the generator, w a vector that scales x to w^H x = 1 and lambda = w^H A x, Newton's method on A x =
   lambda x:

     (A - lambda) d - x (c^H d) = -(A x - lambda x),   c = A^H w,   x <- x + d

   Each equation is solved by flexible GMRES with a cycle of multigrid for A - s (multigrid.h). w is the trace
   for states, where c = 0 and the equation is A d = -A x, and all ones for others; for left vectors, of A =
   L^H, it is the right one. Steps end when the residual, recomputed, becomes no smaller: at its rounding
   floor, below which GMRES would only ever go round.

   What x begins with, and the eigenvalue next to it, are those of the matrix on the coarsest grid. Anything
   else, several modes or a sector that seems to have several null vectors, is left to factors.
*/
#include "factors.h"
#include "multigrid.h"

enum { MAX_STEPS = 8, MAX_ITERATIONS = 60, RESTART = 30, COARSE_MODES = 2 };
static const double first_tolerance = 1e-3, tolerance = 1e-6, coarse_tolerance = 1e-3, stalls = 0.5;
/* Of the norm: where the residual cannot be told from rounding. */
static const double rounding = 1e-17;
/* Of the norm: a residual that is none of a vector that was found. */
static const double poor = 1e-13, not_negative = 1e-9;

typedef struct {
  Mat matrix;  /* A */
  Mat shifted; /* A - s */
  CospinMultigrid multigrid;
  KSP ksp;
  Mat jacobian;
  double norm, shift;
  int levels;
  PetscScalar lambda;
  Vec w, c, x; /* as above */
  Vec residual, step;
  int iterations;
} Search;

/* y = (A - lambda) v - x (c^H v) */
static PetscErrorCode multiply(Mat jacobian, Vec v, Vec y)
{
  PetscScalar overlap;
  Search *search;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(jacobian, &search));
  PetscCall(MatMult(search->matrix, v, y));
  PetscCall(VecAXPY(y, -search->lambda, v));
  PetscCall(VecDot(v, search->c, &overlap));
  PetscCall(VecAXPY(y, -overlap, search->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_solver(CospinEigensolver eigensolver, Search *search)
{
  PetscInt local, all;

  PetscFunctionBeginUser;
  PetscCall(MatGetLocalSize(search->matrix, &local, NULL));
  PetscCall(MatGetSize(search->matrix, &all, NULL));
  PetscCall(MatCreateShell(eigensolver->comm, local, local, all, all, search, &search->jacobian));
  PetscCall(MatShellSetOperation(search->jacobian, MATOP_MULT, (void (*)(void))multiply));
  PetscCall(KSPCreate(eigensolver->comm, &search->ksp));
  PetscCall(KSPSetOperators(search->ksp, search->jacobian, search->shifted));
  PetscCall(KSPSetType(search->ksp, KSPFGMRES));
  PetscCall(KSPGMRESSetRestart(search->ksp, RESTART));
  PetscCall(KSPSetPC(search->ksp, CospinMultigridPreconditioner(search->multigrid)));
  PetscCall(CospinInterruptSolver(search->ksp, eigensolver->interrupt));
  PetscFunctionReturn(0);
}

/* Takes over nothing: `matrix` is borrowed. */
static PetscErrorCode create_search(CospinEigensolver eigensolver, Mat matrix, int levels, Search *search)
{
  PetscFunctionBeginUser;
  *search = (Search){
      .matrix = matrix, .norm = eigensolver->norm, .shift = eigensolver->first_shift, .levels = levels};
  PetscCall(MatDuplicate(matrix, MAT_COPY_VALUES, &search->shifted));
  PetscCall(MatShift(search->shifted, -search->shift));
  PetscCall(CospinMultigridCreate(search->shifted, eigensolver->sector, eigensolver->prefix, levels,
                                  &search->multigrid));
  PetscCall(create_solver(eigensolver, search));
  PetscCall(MatCreateVecs(matrix, &search->x, &search->residual));
  PetscCall(VecDuplicate(search->x, &search->step));
  PetscCall(VecDuplicate(search->x, &search->w));
  PetscCall(VecDuplicate(search->x, &search->c));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_search(Search *search)
{
  PetscFunctionBeginUser;
  PetscCall(KSPDestroy(&search->ksp));
  PetscCall(CospinMultigridDestroy(&search->multigrid));
  PetscCall(MatDestroy(&search->jacobian));
  PetscCall(MatDestroy(&search->shifted));
  PetscCall(VecDestroy(&search->w));
  PetscCall(VecDestroy(&search->c));
  PetscCall(VecDestroy(&search->x));
  PetscCall(VecDestroy(&search->residual));
  PetscCall(VecDestroy(&search->step));
  PetscFunctionReturn(0);
}

/* ---- Newton's method ----------------------------------------------------------------------------------- */

/* x scaled to w^H x = 1, lambda, A x - lambda x, and its norm over that of x. */
static PetscErrorCode evaluate(Search *search, double *size)
{
  PetscScalar overlap;
  PetscReal norm, length;

  PetscFunctionBeginUser;
  PetscCall(VecDot(search->x, search->w, &overlap));
  PetscCall(VecScale(search->x, 1.0 / overlap));
  PetscCall(VecDot(search->x, search->c, &search->lambda));
  PetscCall(MatMult(search->matrix, search->x, search->residual));
  PetscCall(VecAXPY(search->residual, -search->lambda, search->x));
  PetscCall(VecNorm(search->residual, NORM_2, &norm));
  PetscCall(VecNorm(search->x, NORM_2, &length));
  *size = norm / length;
  PetscFunctionReturn(0);
}

static PetscErrorCode correct(Search *search, double relative)
{
  PetscInt iterations;
  PetscReal length;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(search->x, NORM_2, &length));
  PetscCall(KSPSetTolerances(search->ksp, relative, rounding * search->norm * length, PETSC_DEFAULT,
                             MAX_ITERATIONS));
  PetscCall(KSPSolve(search->ksp, search->residual, search->step));
  PetscCall(KSPGetIterationNumber(search->ksp, &iterations));
  search->iterations += (int)iterations;
  PetscFunctionReturn(0);
}

/* From x as it is. A step that does not help is taken back. */
static PetscErrorCode solve(Search *search, double *residual)
{
  double before, after;

  PetscFunctionBeginUser;
  PetscCall(MatMultHermitianTranspose(search->matrix, search->w, search->c));
  PetscCall(evaluate(search, &before));
  for (int k = 0; k < MAX_STEPS; k++) {
    PetscCall(correct(search, k == 0 ? first_tolerance : tolerance));
    PetscCall(VecAXPY(search->x, -1.0, search->step));
    PetscCall(evaluate(search, &after));
    if (!(after < before)) {
      PetscCall(VecAXPY(search->x, 1.0, search->step));
      PetscCall(evaluate(search, &after));
      before = after;
      break;
    }
    if (after > stalls * before || after <= rounding * search->norm) k = MAX_STEPS;
    before = after;
  }
  *residual = before / search->norm;
  PetscFunctionReturn(0);
}

/* ---- The coarsest grid --------------------------------------------------------------------------------- */

/* Eigenvalues next to the shift, and the vector of the first one on all labels. */
static PetscErrorCode solve_coarsest(CospinEigensolver eigensolver, Search *search, PetscInt *found,
                                     PetscScalar values[COARSE_MODES])
{
  double scale;
  Mat coarsest;
  Vec vector;
  EPS eps;
  KSP ksp;
  PC pc;
  ST st;

  PetscFunctionBeginUser;
  PetscCall(CospinMultigridCoarsest(search->multigrid, &coarsest, &scale));
  PetscCall(EPSCreate(eigensolver->comm, &eps));
  PetscCall(EPSSetOperators(eps, coarsest, NULL));
  PetscCall(EPSSetProblemType(eps, EPS_NHEP));
  PetscCall(EPSSetDimensions(eps, COARSE_MODES, PETSC_DEFAULT, PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(eps, coarse_tolerance, PETSC_DEFAULT));
  PetscCall(EPSSetWhichEigenpairs(eps, EPS_TARGET_MAGNITUDE));
  PetscCall(EPSSetTarget(eps, 0.0));
  PetscCall(EPSGetST(eps, &st));
  PetscCall(STSetType(st, STSINVERT));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, found));
  PetscCall(MatCreateVecs(coarsest, &vector, NULL));
  for (PetscInt k = 0; k < PetscMin(*found, COARSE_MODES); k++) {
    PetscCall(EPSGetEigenpair(eps, k, &values[k], NULL, k ? NULL : vector, NULL));
    values[k] = scale * values[k] + search->shift;
  }
  if (*found) PetscCall(CospinMultigridProlong(search->multigrid, vector, search->x));
  PetscCall(VecDestroy(&vector));
  PetscCall(EPSDestroy(&eps));
  PetscFunctionReturn(0);
}

/* ---- Operations ---------------------------------------------------------------------------------------- */

/* Scaled to w^H x = 1 the vector of the slowest mode is positive, but for rounding in its tails. */
static PetscErrorCode is_positive(Search *search, PetscBool *positive)
{
  const PetscScalar *array;
  double extremes[2] = {0.0, 0.0};
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(VecGetLocalSize(search->x, &size));
  PetscCall(VecGetArrayRead(search->x, &array));
  for (PetscInt i = 0; i < size; i++) {
    extremes[0] = PetscMin(extremes[0], PetscRealPart(array[i]) - PetscAbsReal(PetscImaginaryPart(array[i])));
    extremes[1] = PetscMin(extremes[1], -PetscRealPart(array[i]));
  }
  PetscCall(VecRestoreArrayRead(search->x, &array));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, PetscObjectComm((PetscObject)search->x)));
  *positive = (PetscBool)(extremes[0] >= not_negative * extremes[1]);
  PetscFunctionReturn(0);
}

/* *ok: there is a positive vector, and the eigenvalue next to it is apart. */
static PetscErrorCode find_right(CospinEigensolver eigensolver, Search *search, double *residual,
                                 double complex *next, PetscBool *ok)
{
  static const double apart = 1e3;
  PetscScalar values[COARSE_MODES];
  PetscInt found;

  PetscFunctionBeginUser;
  *next = CMPLX(NAN, NAN);
  PetscCall(VecSet(search->w, 1.0));
  PetscCall(solve_coarsest(eigensolver, search, &found, values));
  *ok = (PetscBool)(found == COARSE_MODES || found > COARSE_MODES);
  if (!*ok) PetscFunctionReturn(0);
  *next = (double complex)values[1];
  PetscCall(solve(search, residual));
  PetscCall(is_positive(search, ok));
  if (!(*residual <= poor)) *ok = PETSC_FALSE;
  if (!(cabs(*next - (double complex)search->lambda) > apart * eigensolver->resolution)) *ok = PETSC_FALSE;
  eigensolver->iterations += search->iterations;
  PetscFunctionReturn(0);
}

/* The coarser a grid the more can smoothing on it amplify where drift is strong: then one grid less. Option
   -<task>_multigrid_levels, or -multigrid_levels: grids at most, 2 or 3. */
static PetscErrorCode search_right(CospinEigensolver eigensolver, Search *search, double *residual,
                                   double complex *next, PetscBool *ok)
{
  PetscInt most = COSPIN_MULTIGRID_LEVELS;

  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-multigrid_levels", &most, NULL));
  PetscCall(PetscOptionsGetInt(NULL, eigensolver->prefix, "-multigrid_levels", &most, NULL));
  most = PetscMax(2, PetscMin(most, COSPIN_MULTIGRID_LEVELS));
  for (int levels = (int)most; levels >= 2 && !*ok; levels--) {
    if (levels < most) PetscCall(destroy_search(search));
    PetscCall(create_search(eigensolver, eigensolver->liouvillian, levels, search));
    PetscCall(find_right(eigensolver, search, residual, next, ok));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  double residual;
  Search search;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(search_right(eigensolver, &search, &residual, next, &ok));
  if (ok && PetscAbsScalar(search.lambda) > eigensolver->resolution) ok = PETSC_FALSE;
  if (ok) {
    *num = 1;
    PetscCall(PetscCalloc1(1, null));
    PetscCall(VecDuplicate(search.x, &(*null)[0]));
    PetscCall(VecCopy(search.x, (*null)[0]));
    PetscCall(VecNormalize((*null)[0], NULL));
    eigensolver->next = eigensolver->separation = cabs(*next);
    eigensolver->reached = residual;
  }
  PetscCall(destroy_search(&search));
  if (!ok) PetscCall(CospinBackendFactors.Null(eigensolver, num, null, next));
  PetscFunctionReturn(0);
}

static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(CospinBackendFactors.LeftNull(eigensolver, num, null));
  PetscFunctionReturn(0);
}

/* The eigenvalue once more, now that errors of both vectors multiply, and how far it may be off. */
static PetscErrorCode use_left(CospinEigensolver eigensolver, Vec left, CospinMode *mode)
{
  PetscScalar lambda;
  PetscReal size;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(left, &mode->left));
  PetscCall(VecCopy(left, mode->left));
  PetscCall(VecDuplicate(left, &image));
  PetscCall(MatMult(eigensolver->liouvillian, mode->right, image));
  PetscCall(VecDot(image, left, &lambda));
  PetscCall(VecDestroy(&image));
  mode->lambda = PetscRealPart(lambda);
  PetscCall(VecNorm(left, NORM_2, &size));
  mode->error = CospinModeError(eigensolver, mode, size);
  PetscFunctionReturn(0);
}

/* y with y^H L = lambda y^H and y^H x = 1; by factors where labels at the edge of all, whose curvature coarse
   grids do not see, matter. */
static PetscErrorCode find_left(CospinEigensolver eigensolver, int levels, CospinMode *mode)
{
  double residual;
  Search search;
  Mat adjoint;

  PetscFunctionBeginUser;
  PetscCall(MatHermitianTranspose(eigensolver->liouvillian, MAT_INITIAL_MATRIX, &adjoint));
  PetscCall(create_search(eigensolver, adjoint, levels, &search));
  PetscCall(VecCopy(mode->right, search.w));
  PetscCall(VecSet(search.x, 1.0));
  PetscCall(solve(&search, &residual));
  eigensolver->iterations += search.iterations;
  if (residual <= poor) PetscCall(use_left(eigensolver, search.x, mode));
  PetscCall(destroy_search(&search));
  PetscCall(MatDestroy(&adjoint));
  if (!mode->left) PetscCall(CospinFactorsLeft(eigensolver, 0, 1, mode));
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  double complex next;
  double residual;
  Search search;
  PetscBool ok = (PetscBool)(count == 1 && num_deflate == 0);
  int levels = 2;

  PetscFunctionBeginUser;
  if (ok) {
    PetscCall(search_right(eigensolver, &search, &residual, &next, &ok));
    levels = search.levels;
    modes[0] = (CospinMode){.lambda = PetscRealPart(search.lambda), .residual = residual, .error = NAN};
    PetscCall(VecDuplicate(search.x, &modes[0].right));
    PetscCall(VecCopy(search.x, modes[0].right));
    PetscCall(VecNormalize(modes[0].right, NULL));
    PetscCall(destroy_search(&search));
    if (!ok) PetscCall(CospinModesDestroy(1, modes));
  }
  if (!ok) {
    PetscCall(CospinBackendFactors.Slowest(eigensolver, count, num_deflate, deflate, left, num, modes));
    PetscFunctionReturn(0);
  }
  *num = 1;
  eigensolver->horizon = INFINITY;
  if (left) PetscCall(find_left(eigensolver, levels, &modes[0]));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMultigridChoose(CospinEigensolver eigensolver, PetscBool *suits)
{
  PetscReal least = 1e5;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-multigrid_least", &least, NULL));
  PetscCall(PetscOptionsGetReal(NULL, eigensolver->prefix, "-multigrid_least", &least, NULL));
  *suits = (PetscBool)(eigensolver->metzler && !eigensolver->davidson &&
                       (double)CospinSectorDimension(eigensolver->sector) >= least &&
                       CospinMultigridSuits(eigensolver->sector));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendMultigrid = {
    .name = "multigrid", .Null = Null, .LeftNull = LeftNull, .Slowest = Slowest};
