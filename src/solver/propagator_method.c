/*
   Products or factorisations: the number of products grows as |L| t, that of solves hardly at all, but the
   first of them costs a factorisation, in time and in memory. A generator without a matrix has products only.
   What either takes on a machine, operator/cost.c knows.

   What decides: (1) a generator held without a matrix has products only; (2) factors that would not fit into
   memory leave products; (3) else the one whose estimated time is shorter.
*/
#include "propagator_method.h"
#include <cospin/operator/cost.h>

enum { MUMPS_EXTRA_MEMORY = 50 };          /* percent */
static const double share_of_memory = 0.5; /* that factors may have beside the basis */

PetscErrorCode CospinPropagatorChoose(Mat liouvillian, const CospinPropagatorOptions *options, double end,
                                      int basis, CospinPropagatorMethod *method)
{
  CospinFactorCost cost;
  PetscReal norm;
  MatInfo info;
  PetscInt rows;
  PetscBool shell;
  double products, solves;

  PetscFunctionBeginUser;
  *method = options->method;
  if (*method != COSPIN_PROPAGATE_AUTO) PetscFunctionReturn(0);
  PetscCall(PetscObjectTypeCompare((PetscObject)liouvillian, MATSHELL, &shell));
  if (shell) {
    *method = COSPIN_PROPAGATE_KRYLOV;
    PetscFunctionReturn(0);
  }
  PetscCall(MatGetSize(liouvillian, &rows, NULL));
  PetscCall(MatNorm(liouvillian, NORM_INFINITY, &norm));
  PetscCall(MatGetInfo(liouvillian, MAT_GLOBAL_SUM, &info));
  cost = CospinCostOfFactors(rows, options->mesh_dimension);
  products = CospinCostOfProducts((double)rows, info.nz_used, norm * end, basis);
  solves = CospinCostOfSolves((double)rows, cost, basis);
  if (cost.bytes > share_of_memory * options->bytes) solves = PETSC_INFINITY;
  *method = products <= solves ? COSPIN_PROPAGATE_KRYLOV : COSPIN_PROPAGATE_RATIONAL;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPropagatorFactors(PC pc, Mat shifted, int mesh_dimension)
{
  PetscBool has_mumps;
  MatType type;
  Mat factor;

  PetscFunctionBeginUser;
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(MatGetType(shifted, &type));
  PetscCall(MatSolverTypeGet(MATSOLVERMUMPS, type, MAT_FACTOR_LU, NULL, &has_mumps, NULL));
  if (!has_mumps) PetscFunctionReturn(0);
  PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscCall(PCFactorSetUpMatSolverType(pc));
  PetscCall(PCFactorGetMatrix(pc, &factor));
  PetscCall(MatMumpsSetIcntl(factor, 14, MUMPS_EXTRA_MEMORY));
  if (mesh_dimension <= 2) PetscCall(MatMumpsSetIcntl(factor, 7, 0)); /* see eigensolver.c */
  PetscFunctionReturn(0);
}
