/*
   Solves with L - s next to zero: factors of MUMPS, or GMRES where they would not fit.

   Where factors would not fit (cospin/operator/cost.h) the equations are solved by GMRES, preconditioned by
   incomplete factors of each rank's block. That takes of the order of fifty products where the shift is not
   small against the spectrum: so it is larger, and the eigensolver takes more steps.
*/
#include "factors.h"
#include "real_factors.h"
#include <string.h>

enum {
  MAX_ITERATIONS = 300,
  SMALL_SUBSPACE = 5,
  MUMPS_EXTRA_MEMORY = 50,
  GMRES_RESTART = 150,
  GMRES_ITERATIONS = 3000
};
static const double gmres_tolerance = 1e-13, tolerance = 1e-12;

/* An option of the solver that the user may have set: then it stays. */
static PetscErrorCode suggest(CospinEigensolver eigensolver, const char option[], const char value[])
{
  char name[128];
  PetscBool set;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "-%s%s", eigensolver->prefix, option));
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &set));
  if (!set) PetscCall(PetscOptionsSetValue(NULL, name, value));
  PetscFunctionReturn(0);
}

/* For labels in a plane, minimum degree fills no more than PORD and is found seven times faster (N = 1000:
   0.2 s against 1.4 s, 25 against 36 million elements). On one rank PETSc overwrites what MatMumpsSetIcntl
   says of the ordering, so it is an option. In three dimensions and more the choice of MUMPS is as good or
   better.
 */
static PetscErrorCode order_by_degree(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  PetscCall(suggest(eigensolver, "st_mat_mumps_icntl_7", "0"));
  PetscFunctionReturn(0);
}

/* MUMPS: without the column permutation and pivoting that a diagonally dominant M-matrix does not need, its
   factors keep vectors positive and are found faster.
 */
static PetscErrorCode configure_mumps(CospinEigensolver eigensolver, KSP ksp, PC pc)
{
  const char *prefix;
  Mat factor;

  PetscFunctionBeginUser;
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(
      MatSetOptionsPrefixFactor(eigensolver->liouvillian, prefix)); /* so that -..._mat_mumps_... is heard */
  PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscCall(KSPSetOperators(ksp, eigensolver->liouvillian, eigensolver->liouvillian));
  PetscCall(PCFactorSetUpMatSolverType(pc));
  PetscCall(PCFactorGetMatrix(pc, &factor));
  PetscCall(MatMumpsSetIcntl(factor, 14, MUMPS_EXTRA_MEMORY));
  if (eigensolver->mesh_dimension <= 2) PetscCall(order_by_degree(eigensolver));
  if (eigensolver->metzler) {
    PetscCall(MatMumpsSetIcntl(factor, 6, 0));
    PetscCall(MatMumpsSetCntl(factor, 1, 0.0));
  }
  PetscFunctionReturn(0);
}

/* The blocks' preconditioners do not exist yet, so this is said by an option. One level of fill: an exact
   maser of 30 spins takes 45 products a solve with it and 170 without. */
static PetscErrorCode fill_one_level(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  PetscCall(suggest(eigensolver, "st_sub_pc_factor_levels", "1"));
  PetscFunctionReturn(0);
}

/* A solve that gives up is seen in the residuals, which are recomputed: it must not end the program. */
static PetscErrorCode configure_iteration(CospinEigensolver eigensolver, ST st)
{
  KSP ksp;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(STSetType(st, STSINVERT));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPGMRESSetRestart(ksp, GMRES_RESTART));
  PetscCall(KSPSetTolerances(ksp, gmres_tolerance, PETSC_DEFAULT, PETSC_DEFAULT, GMRES_ITERATIONS));
  PetscCall(KSPSetErrorIfNotConverged(ksp, PETSC_FALSE));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCBJACOBI));
  PetscCall(fill_one_level(eigensolver));
  PetscFunctionReturn(0);
}

/* Of a real matrix on one rank, unless the options have wishes of their own for this solver. */
static PetscErrorCode takes_real_factors(CospinEigensolver eigensolver, PetscBool *answer)
{
  static const char *const objects[] = {"st_", "eps_"};
  char *all, name[128];
  PetscMPIInt ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(eigensolver->comm, &ranks));
  *answer = (PetscBool)(ranks == 1 && eigensolver->metzler && !eigensolver->complex_shifts &&
                        CospinRealFactorsExist());
  if (!*answer) PetscFunctionReturn(0);
  PetscCall(PetscOptionsGetAll(NULL, &all));
  for (int k = 0; k < 2; k++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "-%s%s", eigensolver->prefix, objects[k]));
    if (strstr(all, name)) *answer = PETSC_FALSE;
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode configure_factorisation(CospinEigensolver eigensolver, ST st)
{
  PetscBool has_mumps;
  MatType type;
  KSP ksp;
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(STSetType(st, STSINVERT));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPPREONLY));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(takes_real_factors(eigensolver, &eigensolver->real_factors));
  if (eigensolver->real_factors) {
    PetscCall(CospinRealFactorsUse(pc, (PetscBool)(eigensolver->mesh_dimension <= 2)));
    PetscFunctionReturn(0);
  }
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(MatGetType(eigensolver->liouvillian, &type));
  PetscCall(MatSolverTypeGet(MATSOLVERMUMPS, type, MAT_FACTOR_LU, NULL, &has_mumps, NULL));
  if (has_mumps) PetscCall(configure_mumps(eigensolver, ksp, pc));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsConfigureVectors(CospinEigensolver eigensolver, EPS eps)
{
  PetscMPIInt ranks;
  BV bv;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(eigensolver->comm, &ranks));
  if (CospinSectorDimension(eigensolver->sector) >= ranks) PetscFunctionReturn(0);
  PetscCall(EPSGetBV(eps, &bv));
  PetscCall(BVSetType(bv, BVVECS));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsConfigure(CospinEigensolver eigensolver)
{
  PetscScalar target;
  EPS eps;
  KSP ksp;
  ST st;

  PetscFunctionBeginUser;
  if (eigensolver->eps) PetscFunctionReturn(0);
  PetscCall(EPSCreate(eigensolver->comm, &eps));
  eigensolver->eps = eps;
  PetscCall(EPSSetOptionsPrefix(eps, eigensolver->prefix));
  PetscCall(EPSSetOperators(eps, eigensolver->liouvillian, NULL));
  PetscCall(EPSSetProblemType(eps, EPS_NHEP));
  PetscCall(EPSSetTolerances(eps, tolerance, MAX_ITERATIONS));
  PetscCall(EPSSetWhichEigenpairs(eps, EPS_TARGET_MAGNITUDE));
  PetscCall(EPSSetTarget(eps, (PetscScalar)CMPLX(eigensolver->shift, eigensolver->centre)));
  PetscCall(EPSGetST(eps, &st));
  if (eigensolver->iterative)
    PetscCall(configure_iteration(eigensolver, st));
  else
    PetscCall(configure_factorisation(eigensolver, st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(CospinInterruptSolver(ksp, eigensolver->interrupt));
  PetscCall(CospinFactorsConfigureVectors(eigensolver, eps));
  PetscCall(EPSSetFromOptions(eps));
  PetscCall(EPSGetTarget(eps, &target)); /* a solve without an eigensolver's set-up would be one with L */
  PetscCall(STSetShift(st, target));
  PetscCall(EPSGetTolerances(eps, NULL, &eigensolver->max_iterations));
  eigensolver->subspace = SMALL_SUBSPACE;
  eigensolver->factored = PETSC_FALSE;
  PetscFunctionReturn(0);
}

void CospinFactorsNote(CospinEigensolver eigensolver)
{
  if (!eigensolver->factored && !eigensolver->iterative) eigensolver->work.factorisations++;
  eigensolver->factored = PETSC_TRUE;
}

/* As an eigensolver would: L - s is formed anew for each s. */
static PetscErrorCode set_up(CospinEigensolver eigensolver, ST st)
{
  PetscFunctionBeginUser;
  CospinFactorsNote(eigensolver);
  PetscCall(STSetTransform(st, PETSC_TRUE));
  PetscCall(STGetOperator(st, NULL));
  PetscCall(STSetUp(st));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsSolver(CospinEigensolver eigensolver, KSP *ksp)
{
  ST st;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(set_up(eigensolver, st));
  PetscCall(STGetKSP(st, ksp));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y)
{
  ST st;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(set_up(eigensolver, st));
  PetscCall(STApply(st, x, y));
  PetscFunctionReturn(0);
}

/* The factors are those of L - s, and transposing conjugates nothing. */
PetscErrorCode CospinSolveShifted(KSP ksp, PetscBool adjoint, Vec b, Vec x)
{
  Vec conjugate;

  PetscFunctionBeginUser;
  if (adjoint) {
    PetscCall(VecDuplicate(b, &conjugate));
    PetscCall(VecCopy(b, conjugate));
    PetscCall(VecConjugate(conjugate));
    PetscCall(KSPSolveTranspose(ksp, conjugate, x));
    PetscCall(VecConjugate(x));
    PetscCall(VecDestroy(&conjugate));
  } else {
    PetscCall(KSPSolve(ksp, b, x));
  }
  PetscCall(VecScale(x, -1.0));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                      Vec right, Vec left)
{
  KSP ksp;
  ST st;

  PetscFunctionBeginUser;
  if (eigensolver->eps && eigensolver->real_factors) PetscCall(CospinEigensolverRelease(eigensolver));
  eigensolver->complex_shifts = PETSC_TRUE;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STSetShift(st, (PetscScalar)s));
  eigensolver->factored = PETSC_FALSE;
  PetscCall(set_up(eigensolver, st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(CospinSolveShifted(ksp, PETSC_FALSE, b, right));
  PetscCall(CospinSolveShifted(ksp, PETSC_TRUE, a, left));
  PetscFunctionReturn(0);
}
