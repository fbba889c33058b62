/*
   Left vectors of modes whose right vectors are known.

     one: Arnoldi's method on (L - s)^-H until it has the eigenvalue that is known (inverse.h); otherwise
     Krylov-Schur on (L - s)^-H, with the factors of L - s that are there: eigenvalues theta = 1/conj(lambda -
   s) each mode takes the vector whose eigenvalue is next to its own the vectors y are combined so that y_a^H
   x_b = delta_ab, which tells those of equal eigenvalues apart

   SLEPc's two-sided solver does both at once, but ends in a segmentation violation (3.18) where the Krylov
   space of one vector is exhausted: few different eigenvalues are enough for that.
*/
#include "factors.h"
#include "inverse.h"
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>

enum { MAX_ITERATIONS = 300, SPARE = 8, MOST_SOLVES = 14 };
static const double tolerance = 1e-12;
/* What a left vector leaves, relative: shares are told to seven digits, brackets to nine. */
static const double left_tolerance = 1e-11;
/* A right and a left vector belong together if their eigenvalues agree to this. */
static const double same_value = 1e-8, some_conditions = 10.0;

typedef struct {
  KSP ksp;
  Vec conjugate;
} Adjoint;

/* y = (L - s)^-H x: what solving with the transposed factors does, conjugated twice. */
static PetscErrorCode apply_adjoint(Mat operator_, Vec x, Vec y)
{
  Adjoint *adjoint;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(operator_, &adjoint));
  PetscCall(VecCopy(x, adjoint->conjugate));
  PetscCall(VecConjugate(adjoint->conjugate));
  PetscCall(KSPSolveTranspose(adjoint->ksp, adjoint->conjugate, y));
  PetscCall(VecConjugate(y));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_eps(CospinEigensolver eigensolver, Adjoint *adjoint, PetscInt wanted,
                                 Mat *inverse, EPS *eps)
{
  PetscInt local, dimension;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(MatGetLocalSize(eigensolver->liouvillian, &local, NULL));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(MatCreateShell(eigensolver->comm, local, local, dimension, dimension, adjoint, inverse));
  PetscCall(MatShellSetOperation(*inverse, MATOP_MULT, (void (*)(void))apply_adjoint));
  PetscCall(MatShellSetVecType(*inverse, VECSTANDARD));
  PetscCall(EPSCreate(eigensolver->comm, eps));
  PetscCall(EPSSetOperators(*eps, *inverse, NULL));
  PetscCall(EPSSetProblemType(*eps, EPS_NHEP));
  PetscCall(EPSSetWhichEigenpairs(*eps, EPS_LARGEST_MAGNITUDE));
  PetscCall(EPSSetTolerances(*eps, tolerance, MAX_ITERATIONS));
  wanted = PetscMin(wanted, dimension);
  PetscCall(EPSSetDimensions(*eps, wanted, PetscMin(2 * wanted + SPARE, dimension), PETSC_DEFAULT));
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(EPSSetInitialSpace(*eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscCall(CospinFactorsConfigureVectors(eigensolver, *eps));
  PetscFunctionReturn(0);
}

/* Each mode takes one of the vectors that were found, none twice. */
static PetscErrorCode choose(CospinEigensolver eigensolver, EPS eps, int num, CospinMode modes[])
{
  const double complex shift = CMPLX(eigensolver->shift, eigensolver->centre);
  PetscInt converged;
  PetscBool *taken;

  PetscFunctionBeginUser;
  PetscCall(EPSGetConverged(eps, &converged));
  PetscCall(PetscCalloc1((size_t)converged + 1, &taken));
  for (int m = 0; m < num && converged >= num; m++) {
    double nearest = INFINITY;
    PetscInt best = -1;
    for (PetscInt k = 0; k < converged; k++) {
      PetscScalar theta;
      double distance;
      PetscCall(EPSGetEigenvalue(eps, k, &theta, NULL));
      distance = cabs(shift + 1.0 / conj((double complex)theta) - modes[m].lambda);
      if (taken[k] || !(distance < nearest)) continue;
      nearest = distance;
      best = k;
    }
    if (best < 0) break;
    taken[best] = PETSC_TRUE;
    PetscCall(VecDuplicate(modes[m].right, &modes[m].left));
    PetscCall(EPSGetEigenvector(eps, best, modes[m].left, NULL));
  }
  PetscCall(PetscFree(taken));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinModesDual(CospinEigensolver eigensolver, int num, CospinMode modes[], PetscBool *ok)
{
  PetscScalar *adjoint, *inverse;
  PetscBLASInt size = num, info, *pivots;
  Vec *copies;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2((size_t)(num * num) + COSPIN_LAPACK_ROOM, &adjoint,
                         (size_t)(num * num) + COSPIN_LAPACK_ROOM, &inverse));
  PetscCall(PetscMalloc2(num, &pivots, num, &copies));
  for (int a = 0; a < num; a++) {
    for (int b = 0; b < num; b++) {
      if (!CospinModesEqual(eigensolver, &modes[a], &modes[b])) continue;
      PetscCall(VecDot(modes[a].left, modes[b].right, &adjoint[b + num * a])); /* conj(y_a^H x_b) */
    }
    inverse[a + num * a] = 1.0;
    PetscCall(VecDuplicate(modes[a].left, &copies[a]));
    PetscCall(VecCopy(modes[a].left, copies[a]));
  }
  LAPACKgesv_(&size, &size, adjoint, &size, pivots, inverse, &size, &info);
  *ok = (PetscBool)(info == 0);
  for (int a = 0; a < num; a++) {
    if (*ok) PetscCall(VecSet(modes[a].left, 0.0));
    if (*ok) PetscCall(VecMAXPY(modes[a].left, num, inverse + num * a, copies));
  }
  for (int a = 0; a < num; a++) PetscCall(VecDestroy(&copies[a]));
  PetscCall(PetscFree2(pivots, copies));
  PetscCall(PetscFree2(adjoint, inverse));
  PetscFunctionReturn(0);
}

/* Shares y^H x of long vectors have lost the digits that solves are good to: no shares rather than wrong
   ones. */
static PetscErrorCode judge(CospinEigensolver eigensolver, PetscBool ok, CospinMode *mode)
{
  static const double longest = 1e5;
  PetscReal size = INFINITY;

  PetscFunctionBeginUser;
  if (ok) PetscCall(VecNorm(mode->left, NORM_2, &size));
  if (!(size <= longest)) PetscCall(VecDestroy(&mode->left));
  mode->error = CospinModeError(eigensolver, mode, size);
  PetscFunctionReturn(0);
}

/* Of one mode whose eigenvalue is known; *found: there is a vector that belongs to it. */
static PetscErrorCode find_one(CospinEigensolver eigensolver, CospinMode *mode, PetscBool *found)
{
  const CospinInverseOptions options = {.adjoint = PETSC_TRUE,
                                        .near = PETSC_TRUE,
                                        .target = mode->lambda,
                                        .most = MOST_SOLVES,
                                        .residual = COSPIN_FACTORS_FINE * eigensolver->norm,
                                        .relative = left_tolerance};
  PetscScalar lambda;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(CospinInverseNearest(eigensolver, &options, start, &lambda, &mode->left, found));
  PetscCall(VecDestroy(&start));
  if (*found && !(cabs((double complex)lambda - mode->lambda) <=
                  same_value * cabs(mode->lambda) + CospinModeError(eigensolver, mode, some_conditions)))
    *found = PETSC_FALSE;
  if (!*found) PetscCall(VecDestroy(&mode->left));
  PetscFunctionReturn(0);
}

/* Of several, or of one that find_one() misses. */
static PetscErrorCode find_several(CospinEigensolver eigensolver, int wanted, int num, CospinMode modes[])
{
  PetscInt iterations;
  Adjoint adjoint;
  Mat inverse;
  EPS eps;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsSolver(eigensolver, &adjoint.ksp));
  PetscCall(MatCreateVecs(eigensolver->liouvillian, &adjoint.conjugate, NULL));
  PetscCall(create_eps(eigensolver, &adjoint, wanted, &inverse, &eps));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetIterationNumber(eps, &iterations));
  eigensolver->iterations += (int)iterations;
  PetscCall(choose(eigensolver, eps, num, modes));
  PetscCall(EPSDestroy(&eps));
  PetscCall(MatDestroy(&inverse));
  PetscCall(VecDestroy(&adjoint.conjugate));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsLeft(CospinEigensolver eigensolver, int num_null, int num, CospinMode modes[])
{
  PetscBool ok = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (num == 0) PetscFunctionReturn(0);
  if (num == 1 && num_null == 0 && !eigensolver->iterative) PetscCall(find_one(eigensolver, &modes[0], &ok));
  if (!ok) PetscCall(find_several(eigensolver, num + num_null, num, modes));
  ok = (PetscBool)(modes[num - 1].left != NULL);
  if (!ok) eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  if (ok) PetscCall(CospinModesDual(eigensolver, num, modes, &ok));
  for (int m = 0; m < num; m++) PetscCall(judge(eigensolver, ok, &modes[m]));
  PetscFunctionReturn(0);
}
