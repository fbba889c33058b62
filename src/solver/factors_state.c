/*
   The steady state of a sector that has one, by a handful of solves.

     x <- x - d,  (L - s) d = L x      from an irregular positive vector, until L x is rounding
     the eigenvalue next to zero, to two digits, from another vector without the trace (inverse.h), to which
   the last d is added, -s (L - s)^-1 x but for its null vector: that is rich in slow modes

   The shift is so small that each step leaves next to nothing of the modes: L x = -s d afterwards, d what the
   step has changed. A second null vector would stand out in the search for the next eigenvalue by a factor
   of 1/s after its first solve, and so would any mode that is nearly one: then the sector is one for the
   search that deflates one null vector after the other (backend_factors.c), from a larger shift.
*/
#include "davidson.h"
#include "factors.h"
#include "inverse.h"

enum { MOST_STEPS = 6, MOST_SOLVES = 14 };
static const double shift_over_norm = 1e-10; /* of this search */
static const double wanted = 2e-16, poor = 1e-13, worthwhile = 0.5, no_trace = 1e-8;
static const double rough = 0.1;         /* of the next eigenvalue: what its vector leaves */
static const double far_from_zero = 1e3; /* of the next eigenvalue, over the shift */

/* x, 2-norm 1, as good as it gets; d: the last step, of any length. */
static PetscErrorCode improve(CospinEigensolver eigensolver, Vec x, Vec d, double *residual)
{
  double before = PETSC_INFINITY;
  PetscReal size;
  Vec rest;
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsSolver(eigensolver, &ksp));
  PetscCall(VecDuplicate(x, &rest));
  for (int k = 0;; k++) {
    PetscCall(MatMult(eigensolver->liouvillian, x, rest));
    PetscCall(VecNorm(rest, NORM_2, &size));
    *residual = size / eigensolver->norm;
    if (*residual <= wanted || !(*residual <= worthwhile * before) || k == MOST_STEPS) break;
    before = k ? *residual : PETSC_INFINITY;
    PetscCall(KSPSolve(ksp, rest, d));
    PetscCall(VecAXPY(x, -1.0, d));
    PetscCall(VecNormalize(x, NULL));
  }
  PetscCall(VecDestroy(&rest));
  PetscFunctionReturn(0);
}

/* *rho: NULL if there is none that is good. */
static PetscErrorCode find_state(CospinEigensolver eigensolver, Vec trace, Vec last_step, Vec *rho)
{
  PetscScalar part;
  double residual = PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverIrregular(eigensolver, rho));
  PetscCall(VecNormalize(*rho, NULL));
  PetscCall(improve(eigensolver, *rho, last_step, &residual));
  PetscCall(VecDot(*rho, trace, &part));
  if (!(residual <= poor) || !(PetscAbsScalar(part) > no_trace)) PetscCall(VecDestroy(rho));
  PetscFunctionReturn(0);
}

/* The eigenvalue next to zero beside it; *certain: it is there, and none that could be zero. */
static PetscErrorCode find_next(CospinEigensolver eigensolver, Vec rho, Vec trace, Vec last_step,
                                double complex *next, PetscBool *certain)
{
  const CospinInverseOptions options = {.null = rho, .trace = trace, .most = MOST_SOLVES, .relative = rough};
  PetscScalar lambda;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonStart(eigensolver, 1, &start));
  PetscCall(VecNormalize(start, NULL));
  PetscCall(VecNormalize(last_step, NULL));
  PetscCall(VecAXPY(start, 1.0, last_step));
  PetscCall(CospinInverseNearest(eigensolver, &options, start, &lambda, NULL, certain));
  PetscCall(VecDestroy(&start));
  *next = (double complex)lambda;
  if (!(cabs(*next) > far_from_zero * eigensolver->shift)) *certain = PETSC_FALSE;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsState(CospinEigensolver eigensolver, Vec *rho, double complex *next)
{
  PetscBool moved, certain = PETSC_FALSE;
  Vec trace, last_step;

  PetscFunctionBeginUser;
  *rho = NULL;
  if (!eigensolver->has_trace || eigensolver->iterative || CospinSectorDimension(eigensolver->sector) < 2)
    PetscFunctionReturn(0);
  PetscCall(CospinFactorsSetShift(eigensolver, shift_over_norm * eigensolver->norm, 0.0, &moved));
  if (!moved) PetscFunctionReturn(0); /* the user's own */
  PetscCall(CospinEigensolverTrace(eigensolver, &trace));
  PetscCall(VecDuplicate(trace, &last_step));
  PetscCall(VecSet(last_step, 0.0));
  PetscCall(find_state(eigensolver, trace, last_step, rho));
  if (*rho) PetscCall(find_next(eigensolver, *rho, trace, last_step, next, &certain));
  if (!certain) PetscCall(VecDestroy(rho));
  if (certain) eigensolver->next = eigensolver->separation = cabs(*next);
  PetscCall(VecDestroy(&last_step));
  PetscCall(VecDestroy(&trace));
  PetscFunctionReturn(0);
}
