/*
   Multipliers of the map of one period: an Arnoldi method (SLEPc's Krylov-Schur) whose operator is a whole
   evolution from 0 to T (period_follow.c). Products only; a period takes as many as an evolution over it.

   All |mu| <= 1, so fixed points are at the rim of the spectrum, where Krylov spaces converge first, and the
   fewer maps are needed the more has decayed within a period.

   Fixed points that are known are left out by a projection Q that is orthogonal to all of them: Q M has the
   other multipliers of M, and its vectors lack only a part p along fixed points. As M p = p,

     M x = mu x + r with r along fixed points  =>  x + r/(mu - 1) is the vector of M.

   Multipliers next to one are as near to it as the rate times the period: a residual of the map counts beside
   that difference, not beside one.

   A multiplier that occurs twice is not seen twice from one start; from another one, with the first vector
   left out, it is. So fixed points are counted one by one.

   All functions here are collective on the generator's communicator: each map multiplies with it many times.
*/
#include <cospin/solver/period.h>
#include <slepceps.h>

/* Maps before a restart, when it is first looked what has converged: each is an evolution, and after a period
   or two little is left but the slowest modes. */
enum { BASIS = 10, MORE = 8, RESTARTS = 500 };

/* y = M x. Copied, since the evolution works in place. */
PetscErrorCode CospinPeriodApply(CospinPeriod *period, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(VecCopy(x, y));
  PetscCall(CospinPeriodFollow(period, y, 0, NULL, NULL, NULL));
  period->maps++;
  PetscFunctionReturn(0);
}

/* A map as SLEPc sees it, a matrix that can multiply and nothing else. */
static PetscErrorCode multiply(Mat map, Vec x, Vec y)
{
  CospinPeriod *period;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(map, &period));
  PetscCall(CospinPeriodApply(period, x, y));
  PetscFunctionReturn(0);
}

/* Of the generator's layout, so that vectors of one are those of the other. */
static PetscErrorCode create_map(CospinPeriod *period, Mat *map)
{
  PetscInt local, size;

  PetscFunctionBeginUser;
  PetscCall(MatGetLocalSize(period->generator, &local, NULL));
  PetscCall(MatGetSize(period->generator, &size, NULL));
  PetscCall(
      MatCreateShell(PetscObjectComm((PetscObject)period->generator), local, local, size, size, period, map));
  PetscCall(MatShellSetOperation(*map, MATOP_MULT, (void (*)(void))multiply));
  PetscFunctionReturn(0);
}

/* Convergence is absolute: the error of a map is relative to |x|, so that of a small multiplier is no
   smaller. Options come last, so those on the command line (with the prefix) overrule what is set here.
   SLEPc's own start is random, the same in every run and on any number of ranks with one seed each. */
static PetscErrorCode create_solver(Mat map, CospinMultiplierOrder order, int wanted, double tolerance,
                                    const char prefix[], EPS *eps)
{
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(MatGetSize(map, &size, NULL));
  PetscCall(EPSCreate(PetscObjectComm((PetscObject)map), eps));
  PetscCall(EPSSetOptionsPrefix(*eps, prefix));
  PetscCall(EPSSetOperators(*eps, map, NULL));
  PetscCall(EPSSetProblemType(*eps, EPS_NHEP));
  PetscCall(EPSSetType(*eps, EPSKRYLOVSCHUR));
  PetscCall(
      EPSSetDimensions(*eps, wanted, PetscMin(size, PetscMax(BASIS, 2 * wanted + MORE)), PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(*eps, tolerance, RESTARTS));
  PetscCall(EPSSetConvergenceTest(*eps, EPS_CONV_ABS));
  if (order == COSPIN_MULTIPLIER_NEAR_ONE) {
    PetscCall(EPSSetWhichEigenpairs(*eps, EPS_TARGET_MAGNITUDE));
    PetscCall(EPSSetTarget(*eps, 1.0));
  } else {
    PetscCall(EPSSetWhichEigenpairs(*eps, EPS_LARGEST_MAGNITUDE));
  }
  PetscCall(EPSSetFromOptions(*eps));
  PetscFunctionReturn(0);
}

/* The part along fixed points, by one map; then the residual by another. The Ritz value is kept: SLEPc's
   vectors are of norm 1, those that have been completed are made so again. With a = 1/(mu - 1),
   M (x + a r) = mu x + (1 + a) r = mu (x + a r), for M r = r and 1 + a = mu a. */
static PetscErrorCode complete(CospinPeriod *period, int num_known, CospinMultiplier *found)
{
  PetscReal norm;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(found->x, &image));
  if (num_known) {
    PetscCall(CospinPeriodApply(period, found->x, image));
    PetscCall(VecAXPY(image, (PetscScalar)-found->mu, found->x));
    if (cabs(found->mu - 1.0) > 0.0)
      PetscCall(VecAXPY(found->x, (PetscScalar)(1.0 / (found->mu - 1.0)), image));
  }
  PetscCall(VecNormalize(found->x, NULL));
  PetscCall(CospinPeriodApply(period, found->x, image));
  PetscCall(VecAXPY(image, (PetscScalar)-found->mu, found->x));
  PetscCall(VecNorm(image, NORM_2, &norm));
  found->residual = norm;
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

/* The basis of the space to leave out is made by SLEPc, of copies: it makes them orthogonal. */
static PetscErrorCode leave_out(EPS eps, int num_known, Vec known[])
{
  Vec *copies;

  PetscFunctionBeginUser;
  if (!num_known) PetscFunctionReturn(0);
  PetscCall(VecDuplicateVecs(known[0], num_known, &copies));
  for (int k = 0; k < num_known; k++) PetscCall(VecCopy(known[k], copies[k]));
  PetscCall(EPSSetDeflationSpace(eps, num_known, copies));
  PetscCall(VecDestroyVecs(num_known, &copies));
  PetscFunctionReturn(0);
}

/* Fixed points take away from the space: a sector of one label has nothing beside its own. SLEPc's errors are
   not believed, residuals are recomputed by a map each. */
PetscErrorCode CospinPeriodSearch(CospinPeriod *period, CospinMultiplierOrder order, int wanted,
                                  double tolerance, int num_known, Vec known[], int *num,
                                  CospinMultiplier found[])
{
  PetscInt size, converged;
  Mat map;
  EPS eps;

  PetscFunctionBeginUser;
  *num = 0;
  PetscCall(MatGetSize(period->generator, &size, NULL));
  wanted = (int)PetscMin(wanted, size - num_known);
  if (wanted <= 0) PetscFunctionReturn(0);
  PetscCall(create_map(period, &map));
  PetscCall(create_solver(map, order, wanted, tolerance, period->prefix, &eps));
  PetscCall(leave_out(eps, num_known, known));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, &converged));
  for (int k = 0; k < PetscMin(wanted, converged); k++) {
    PetscScalar mu;
    PetscCall(MatCreateVecs(map, &found[k].x, NULL));
    PetscCall(EPSGetEigenpair(eps, k, &mu, NULL, found[k].x, NULL));
    found[k].mu = mu;
    PetscCall(complete(period, num_known, &found[k]));
    (*num)++;
  }
  PetscCall(EPSDestroy(&eps));
  PetscCall(MatDestroy(&map));
  PetscFunctionReturn(0);
}
