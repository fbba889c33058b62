/*
   The basis and the small matrix of inverse.h. One vector sees one of equal eigenvalues, and rounding spoils
   what is small beside others: who asks says when a number is good enough, and has other ways where this one
   ends without one.
*/
#include "inverse.h"
#include "factors.h"
#include <slepcblaslapack.h>

enum { MOST = 20, ROOM = 8 * MOST };
static const double exhausted = 1e-15; /* what is new of a vector that is known already */

typedef struct {
  const CospinInverseOptions *options;
  CospinEigensolver eigensolver;
  KSP ksp;
  PetscScalar shift, trace_of_null;
  int size;
  Vec basis[MOST + 1];
  PetscScalar h[MOST][MOST + 1]; /* [column][row] */
  PetscScalar theta, y[MOST];    /* the best eigenpair of h, |y| = 1 */
} Search;

/* v -= x (t^H v) / (t^H x): what is left has no trace, and (L - s)^-1 keeps it so. */
static PetscErrorCode project(const Search *search, Vec v)
{
  const CospinInverseOptions *options = search->options;
  PetscScalar trace;

  PetscFunctionBeginUser;
  if (!options->null) PetscFunctionReturn(0);
  PetscCall(VecDot(v, options->trace, &trace));
  PetscCall(VecAXPY(v, -trace / search->trace_of_null, options->null));
  PetscFunctionReturn(0);
}

/* y = (L - s)^-1 x, or the adjoint of it. */
static PetscErrorCode solve(const Search *search, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(CospinSolveShifted(search->ksp, search->options->adjoint, x, y));
  PetscCall(VecScale(y, -1.0));
  PetscCall(project(search, y));
  PetscFunctionReturn(0);
}

/* The next vector and the next column; *rest: what of it is new, over all of it. Orthogonalised twice. */
static PetscErrorCode step(Search *search, double *rest)
{
  const int k = search->size;
  PetscScalar overlaps[MOST], *column = search->h[k];
  PetscReal before, after;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(search->basis[0], &search->basis[k + 1]));
  PetscCall(solve(search, search->basis[k], search->basis[k + 1]));
  PetscCall(VecNorm(search->basis[k + 1], NORM_2, &before));
  for (int pass = 0; pass < 2; pass++) {
    PetscCall(VecMDot(search->basis[k + 1], k + 1, search->basis, overlaps));
    for (int i = 0; i <= k; i++) column[i] += overlaps[i];
    for (int i = 0; i <= k; i++) overlaps[i] = -overlaps[i];
    PetscCall(VecMAXPY(search->basis[k + 1], k + 1, overlaps, search->basis));
  }
  PetscCall(VecNormalize(search->basis[k + 1], &after));
  column[k + 1] = after;
  search->size++;
  *rest = before > 0 ? after / before : 0.0;
  PetscFunctionReturn(0);
}

/* Larger is better. */
static double rank_of_value(const Search *search, PetscScalar theta)
{
  const CospinInverseOptions *options = search->options;
  PetscScalar lambda;

  if (!options->near) return PetscAbsScalar(theta);
  lambda = search->shift + 1.0 / (options->adjoint ? PetscConj(theta) : theta);
  return -PetscAbsScalar(lambda - (PetscScalar)options->target);
}

/* The eigenpair of h that is looked for, the same bits on every rank. */
static PetscErrorCode solve_projected(Search *search)
{
  PetscBLASInt n = search->size, one = 1, work_size = ROOM, info, low, high;
  PetscScalar copy[MOST * MOST + ROOM], vectors[MOST * MOST + ROOM], values[MOST], work[ROOM], unused,
      best[MOST + 1];
  double reals[2 * MOST], scales[MOST], norm, conditions[2];
  int chosen = 0;

  PetscFunctionBeginUser;
  for (int j = 0; j < n; j++) PetscCall(PetscArraycpy(copy + j * n, search->h[j], n));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeevx_("N", "N", "V", "N", &n, copy, &n, values, &unused, &one, vectors, &n, &low, &high, scales,
               &norm, &conditions[0], &conditions[1], work, &work_size, reals, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's geevx returned %d", (int)info);
  for (int j = 1; j < n; j++) {
    if (rank_of_value(search, values[j]) > rank_of_value(search, values[chosen])) chosen = j;
  }
  best[0] = values[chosen];
  PetscCall(PetscArraycpy(best + 1, vectors + chosen * n, n));
  PetscCallMPI(MPI_Bcast(best, n + 1, MPI_C_DOUBLE_COMPLEX, 0, search->eigensolver->comm));
  search->theta = best[0];
  PetscCall(PetscArraycpy(search->y, best + 1, n));
  PetscFunctionReturn(0);
}

/* x = (V_m H y + h y_m v_m+1) / theta, H y = theta y */
static PetscErrorCode vector_of(Search *search, Vec *vector)
{
  const int m = search->size;
  PetscScalar coefficients[MOST + 1];

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(coefficients, search->y, m));
  coefficients[m] = search->h[m - 1][m] * search->y[m - 1] / search->theta;
  PetscCall(VecDuplicate(search->basis[0], vector));
  PetscCall(VecSet(*vector, 0.0));
  PetscCall(VecMAXPY(*vector, m + 1, coefficients, search->basis));
  PetscCall(VecNormalize(*vector, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode create(CospinEigensolver eigensolver, const CospinInverseOptions *options, Vec start,
                             Search *search)
{
  ST st;

  PetscFunctionBeginUser;
  *search = (Search){.options = options, .eigensolver = eigensolver};
  PetscCall(CospinFactorsSolver(eigensolver, &search->ksp));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STGetShift(st, &search->shift));
  if (options->null) PetscCall(VecDot(options->null, options->trace, &search->trace_of_null));
  PetscCall(VecDuplicate(start, &search->basis[0]));
  PetscCall(VecCopy(start, search->basis[0]));
  PetscCall(project(search, search->basis[0]));
  PetscCall(VecNormalize(search->basis[0], NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinInverseNearest(CospinEigensolver eigensolver, const CospinInverseOptions *options,
                                    Vec start, PetscScalar *lambda, Vec *vector, PetscBool *converged)
{
  const int most = PetscMin(options->most, MOST);
  double rest = 1.0;
  Search search;

  PetscFunctionBeginUser;
  *converged = PETSC_FALSE;
  *lambda = 0.0;
  if (vector) *vector = NULL;
  PetscCall(create(eigensolver, options, start, &search));
  while (!*converged && search.size < most && rest > exhausted) {
    double left_over, size;
    PetscCall(step(&search, &rest));
    PetscCall(solve_projected(&search));
    size = PetscAbsScalar(search.theta);
    left_over = PetscAbsScalar(search.h[search.size - 1][search.size] * search.y[search.size - 1]);
    *converged = (PetscBool)(size > 0 && (left_over <= options->relative * size ||
                                          left_over <= options->residual * size * size));
  }
  *lambda = search.shift + 1.0 / (options->adjoint ? PetscConj(search.theta) : search.theta);
  if (*converged && vector) PetscCall(vector_of(&search, vector));
  for (int k = 0; k <= search.size; k++) PetscCall(VecDestroy(&search.basis[k]));
  eigensolver->iterations++;
  PetscFunctionReturn(0);
}
