/*
   Sectors whose factors do not fit or do not pay: one equation gives the steady state, a few steps of GMRES
   lead Davidson's method to the modes next to it.

     x = x_0 + y, x_0 the identity, L y = -L x_0; what is left of L x is solved for again (iteration.h)
     the eigenvalue next to zero roughly, from another start: whether there is a second steady state
     slow modes by Davidson's method (davidson.h), next to zero first, beside the steady state

   Where any of this does not converge, or where a second eigenvalue may be zero, the sector is one for
   factors (backend_factors.c): what was found is dropped and they are made.
*/
#include "backend.h"
#include "davidson.h"
#include "iteration.h"

enum { MOST_STEPS = 600, MOST_CORRECTIONS = 5 };
static const double wanted_residual = 2e-16, poor_residual = 1e-13, worthwhile = 0.5, finest = 1e-13,
                    no_trace = 1e-8;
static const double null_tolerance = 1e-13, next_tolerance = 0.05;

/* Factors instead, from now on. */
static PetscErrorCode give_up(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  PetscCall(PetscInfo(eigensolver->liouvillian, "iteration has failed: factors\n"));
  PetscCall(CospinEigensolverRelease(eigensolver));
  eigensolver->backend = &CospinBackendFactors;
  PetscFunctionReturn(0);
}

/* x, 2-norm 1, takes a correction after the other until |L x| is as small as wanted, or rounding. */
static PetscErrorCode correct(CospinEigensolver eigensolver, Vec x, double wanted, double *residual)
{
  double before = PETSC_INFINITY;
  Vec rest, y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(x, &rest));
  PetscCall(VecDuplicate(x, &y));
  for (int k = 0;; k++) {
    PetscReal size;
    PetscCall(MatMult(eigensolver->liouvillian, x, rest));
    PetscCall(VecNorm(rest, NORM_2, &size));
    *residual = size / eigensolver->norm;
    if (*residual <= wanted || *residual > worthwhile * before || k == MOST_CORRECTIONS) break;
    before = *residual;
    PetscCall(CospinIterationSolve(eigensolver->iteration, PETSC_FALSE,
                                   PetscMax(finest, 0.5 * wanted / *residual), MOST_STEPS, rest, y, NULL));
    PetscCall(VecAXPY(x, -1.0, y));
    PetscCall(VecNormalize(x, NULL));
  }
  PetscCall(VecDestroy(&rest));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

/* What the first equation begins with, if nothing is known: the identity. */
static PetscErrorCode begin(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonPrepare(eigensolver, 0.0));
  PetscCall(CospinIterationProject(eigensolver->iteration, NULL, NULL));
  if (!eigensolver->near) PetscCall(CospinEigensolverTrace(eigensolver, &eigensolver->near));
  PetscCall(VecNormalize(eigensolver->near, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode Draft(CospinEigensolver eigensolver, double tolerance)
{
  double residual;

  PetscFunctionBeginUser;
  PetscCall(begin(eigensolver));
  PetscCall(correct(eigensolver, eigensolver->near, tolerance, &residual));
  if (!(residual <= tolerance)) PetscCall(VecDestroy(&eigensolver->near));
  PetscFunctionReturn(0);
}

/* *rho: NULL if it was not found. */
static PetscErrorCode find_steady(CospinEigensolver eigensolver, Vec trace, Vec *rho)
{
  PetscScalar part;
  double residual = PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(begin(eigensolver));
  *rho = eigensolver->near;
  eigensolver->near = NULL;
  PetscCall(correct(eigensolver, *rho, wanted_residual, &residual));
  PetscCall(VecDot(*rho, trace, &part));
  if (!(residual <= poor_residual) || PetscAbsScalar(part) <= no_trace) PetscCall(VecDestroy(rho));
  PetscFunctionReturn(0);
}

/* Whether factors next to it would give an eigenvalue more digits, or tell it from zero. */
static PetscBool is_small(CospinEigensolver eigensolver, double complex lambda)
{
  static const double digits = 1e7;

  return (PetscBool)(cabs(lambda) <= digits * eigensolver->resolution);
}

/* The eigenvalue next to zero beside `rho` (or NULL). *certain: it is there, and it is not zero. */
static PetscErrorCode find_next(CospinEigensolver eigensolver, Vec rho, double complex *next,
                                PetscBool *certain)
{
  CospinDavidsonOptions options;
  CospinDavidson davidson;
  Vec start, vector;
  PetscScalar value;
  double residual = PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonGetOptions(eigensolver, &options));
  PetscCall(CospinDavidsonCreate(&options, rho ? 1 : 0, &rho, &davidson));
  PetscCall(CospinDavidsonStart(eigensolver, 1, &start));
  PetscCall(CospinDavidsonNext(davidson, start, null_tolerance, next_tolerance, &value, &vector, &residual,
                               certain));
  CospinDavidsonNote(eigensolver, davidson);
  *next = (double complex)value;
  if (is_small(eigensolver, *next)) *certain = PETSC_FALSE;
  if (*certain) eigensolver->next = eigensolver->separation = cabs(*next);
  PetscCall(VecDestroy(&vector));
  PetscCall(VecDestroy(&start));
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscFunctionReturn(0);
}

/* The steady state first, for the search of what is next to it stands beside it: a residual that has a trace
   could not be solved for. Where there is no trace (coherences) zero may still be an eigenvalue, and what is
   next to zero tells. *rho: NULL where there is none. */
static PetscErrorCode search(CospinEigensolver eigensolver, Vec trace, Vec *rho, double complex *next,
                             PetscBool *certain)
{
  PetscFunctionBeginUser;
  *certain = PETSC_FALSE;
  PetscCall(CospinDavidsonPrepare(eigensolver, 0.0));
  PetscCall(CospinIterationProject(eigensolver->iteration, NULL, NULL));
  if (eigensolver->has_trace) PetscCall(find_steady(eigensolver, trace, rho));
  if (eigensolver->has_trace && !*rho) PetscFunctionReturn(0);
  PetscCall(CospinIterationProject(eigensolver->iteration, *rho, *rho ? trace : NULL));
  PetscCall(find_next(eigensolver, *rho, next, certain));
  PetscCall(CospinIterationProject(eigensolver->iteration, NULL, NULL));
  PetscFunctionReturn(0);
}

/* One null vector or none, or factors are asked: iterations cannot count several. */
static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  PetscBool certain;
  Vec trace, rho = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverTrace(eigensolver, &trace));
  PetscCall(search(eigensolver, trace, &rho, next, &certain));
  PetscCall(VecDestroy(&trace));
  if (certain) {
    *num = rho ? 1 : 0;
    PetscCall(PetscCalloc1(1, null));
    (*null)[0] = rho;
    PetscFunctionReturn(0);
  }
  PetscCall(VecDestroy(&rho));
  PetscCall(give_up(eigensolver));
  PetscCall(CospinEigensolverNull(eigensolver, num, null, next));
  PetscFunctionReturn(0);
}

/* Asked where there are several null vectors, which is nothing for iterations. */
static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(give_up(eigensolver));
  PetscCall(CospinEigensolverLeftNull(eigensolver, num, null));
  PetscFunctionReturn(0);
}

/* Davidson's method says by its outcome that it is not sure: then nothing of it is kept, and factors say what
   they see. A mode next to zero has few digits by iteration, for its residual counts beside a small number.
 */
static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const CospinOutcome before = eigensolver->outcome;
  PetscBool failed = (PetscBool)(num_deflate > 1);
  Vec trace;

  PetscFunctionBeginUser;
  if (!failed) {
    PetscCall(CospinEigensolverTrace(eigensolver, &trace));
    PetscCall(CospinDavidsonPrepare(eigensolver, eigensolver->centre));
    PetscCall(CospinIterationProject(eigensolver->iteration, num_deflate ? deflate[0] : NULL,
                                     num_deflate ? trace : NULL));
    PetscCall(CospinDavidsonSlowest(eigensolver, count, num_deflate, deflate, left, num, modes));
    PetscCall(CospinIterationProject(eigensolver->iteration, NULL, NULL));
    PetscCall(VecDestroy(&trace));
    failed = (PetscBool)(eigensolver->outcome < before);
    for (int k = 0; k < *num; k++) failed = (PetscBool)(failed || is_small(eigensolver, modes[k].lambda));
  }
  if (!failed) PetscFunctionReturn(0);
  PetscCall(CospinModesDestroy(num_deflate > 1 ? 0 : *num, modes));
  eigensolver->outcome = before;
  PetscCall(give_up(eigensolver));
  PetscCall(eigensolver->backend->Slowest(eigensolver, count, num_deflate, deflate, left, num, modes));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendIteration = {.name = "iteration",
                                              .Null = Null,
                                              .LeftNull = LeftNull,
                                              .Slowest = Slowest,
                                              .Draft = Draft,
                                              .davidson = &CospinDavidsonIncomplete,
                                              .factors_see_more = PETSC_TRUE};
