/*
   Perturbation theory of the tilted generator, order by order. With rho(chi) = sum_n rho_n chi^n/n!, Tr rho_0
   = 1 and Tr rho_n = 0 for all others, the powers of chi^n in L(chi) rho(chi) = lambda(chi) rho(chi) give

     c_n = sum_k (n over k) Tr(J rho_n-k)                               (the trace; Tr L rho = 0)
     L rho_n = sum_k (n over k) (c_k - J) rho_n-k,   k = 1 ... n        (the rest)

   The right-hand sides have no trace, so these singular equations have solutions, and without a trace only
   one each. Flindt, Novotny, Braggio, Jauho, PRB 82, 155407 (2010).

   They are solved with the factors of L - s that the steady state has been found with. Beside its null vector
   L differs little from L - s, so a few steps of GMRES do; what they leave is solved again until it is
   rounding.
*/
#include "backend.h"
#include "binomial.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/solver/tilted.h>
#include <petscksp.h>

/* GMRES beside a null vector ends within a few steps; a solution is corrected again as long as that halves
   what is left. */
enum { MAX_CORRECTIONS = 6, MAX_STEPS = 60, REFINEMENT_STEPS = 6 };
static const double step_tolerance = 1e-8, rounding = 4e-16, worthwhile = 0.5;

/* Solves L x = b without trace, again and again with other right-hand sides. */
typedef struct {
  CospinEigensolver eigensolver;
  Vec rho, trace, residual, correction; /* trace: Tr x = trace^H x */
  Mat jumps;
  KSP ksp;
  int applications;
} Solver;

/* x -= Tr(x) rho */
static PetscErrorCode remove_trace(Solver *solver, Vec x)
{
  PetscScalar value;

  PetscFunctionBeginUser;
  PetscCall(VecDot(x, solver->trace, &value));
  PetscCall(VecAXPY(x, -value, solver->rho));
  PetscFunctionReturn(0);
}

/* Rounding errors of the null vector's share are multiplied by 1/s: they are taken away at once. */
static PetscErrorCode precondition(PC pc, Vec x, Vec y)
{
  Solver *solver;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &solver));
  PetscCall(CospinEigensolverApplyInverse(solver->eigensolver, x, y));
  PetscCall(remove_trace(solver, y));
  solver->applications++;
  PetscFunctionReturn(0);
}

/* Flexible GMRES, for the factors may stand for an iteration. */
static PetscErrorCode create_ksp(Solver *solver)
{
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(KSPCreate(solver->eigensolver->comm, &solver->ksp));
  PetscCall(KSPSetOperators(solver->ksp, solver->eigensolver->liouvillian, solver->eigensolver->liouvillian));
  PetscCall(KSPSetType(solver->ksp, KSPFGMRES));
  PetscCall(CospinInterruptSolver(solver->ksp, solver->eigensolver->interrupt));
  PetscCall(KSPGMRESSetRestart(solver->ksp, MAX_STEPS));
  PetscCall(KSPSetTolerances(solver->ksp, step_tolerance, PETSC_DEFAULT, PETSC_DEFAULT, MAX_STEPS));
  PetscCall(KSPSetErrorIfNotConverged(solver->ksp, PETSC_FALSE)); /* the residuals tell */
  PetscCall(KSPGetPC(solver->ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, solver));
  PetscCall(PCShellSetApply(pc, precondition));
  PetscFunctionReturn(0);
}

/* The factors are the steady state's own; the jumps are a map of its sector into itself, scaled by the
   efficiency. */
static PetscErrorCode create_solver(CospinEigensolver eigensolver, Vec rho, CospinMoves jumps,
                                    double efficiency, Solver *solver)
{
  PetscFunctionBeginUser;
  *solver = (Solver){.eigensolver = eigensolver, .rho = rho};
  PetscCall(CospinSuperoperatorCreate(eigensolver->comm, jumps, eigensolver->sector, eigensolver->sector,
                                      &solver->jumps));
  PetscCall(MatScale(solver->jumps, efficiency));
  PetscCall(CospinEigensolverTrace(eigensolver, &solver->trace));
  PetscCall(VecDuplicate(rho, &solver->residual));
  PetscCall(VecDuplicate(rho, &solver->correction));
  PetscCall(create_ksp(solver));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_solver(Solver *solver)
{
  PetscFunctionBeginUser;
  PetscCall(KSPDestroy(&solver->ksp));
  PetscCall(VecDestroy(&solver->correction));
  PetscCall(VecDestroy(&solver->residual));
  PetscCall(VecDestroy(&solver->trace));
  PetscCall(MatDestroy(&solver->jumps));
  PetscFunctionReturn(0);
}

/* solver->residual = b - L x; *error is its norm relative to |L| |x| + size_b. The latter is that of the
   terms of b, which may cancel: light that clicks at random has b = 0, and only their rounding errors are
   left. */
static PetscErrorCode compute_residual(Solver *solver, Vec b, double size_b, Vec x, double *error)
{
  PetscReal size, residual;

  PetscFunctionBeginUser;
  PetscCall(MatMult(solver->eigensolver->liouvillian, x, solver->residual));
  PetscCall(VecAYPX(solver->residual, -1.0, b));
  PetscCall(VecNorm(solver->residual, NORM_2, &residual));
  PetscCall(VecNorm(x, NORM_2, &size));
  *error = residual == 0.0 ? 0.0 : residual / (solver->eigensolver->norm * size + size_b);
  PetscFunctionReturn(0);
}

/* L x = b, Tr x = 0, for b without a trace. */
static PetscErrorCode solve(Solver *solver, Vec b, double size_b, Vec x, double *error)
{
  double before = PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(VecSet(x, 0.0));
  PetscCall(compute_residual(solver, b, size_b, x, error));
  for (int k = 0; k<MAX_CORRECTIONS && * error> rounding && *error < worthwhile * before; k++) {
    before = k > 0 ? *error : PETSC_INFINITY; /* where b is large the first solution makes it no smaller */
    PetscCall(remove_trace(solver, solver->residual)); /* rounding: nothing could be done about it */
    PetscCall(KSPSolve(solver->ksp, solver->residual, solver->correction));
    PetscCall(VecAXPY(x, 1.0, solver->correction));
    PetscCall(remove_trace(solver, x));
    PetscCall(compute_residual(solver, b, size_b, x, error));
  }
  PetscFunctionReturn(0);
}

/* Every order takes the errors of those before it and makes them larger, so the steady state is solved once
   more: an eigensolver stops where it is good to its tolerance, or to the rounding of large elements. */
static PetscErrorCode refine(Solver *solver, Vec rho)
{
  double error;
  Vec b, x;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(rho, &b));
  PetscCall(VecDuplicate(rho, &x));
  PetscCall(MatMult(solver->eigensolver->liouvillian, rho, b));
  PetscCall(VecScale(b, -1.0));
  PetscCall(KSPSetTolerances(solver->ksp, step_tolerance, PETSC_DEFAULT, PETSC_DEFAULT, REFINEMENT_STEPS));
  PetscCall(solve(solver, b, PETSC_SMALL * solver->eigensolver->norm, x, &error));
  PetscCall(KSPSetTolerances(solver->ksp, step_tolerance, PETSC_DEFAULT, PETSC_DEFAULT, MAX_STEPS));
  PetscCall(VecAXPY(rho, 1.0, x));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&b));
  PetscFunctionReturn(0);
}

/* b = sum_k (n over k) (c_k rho_n-k - J rho_n-k) */
static PetscErrorCode right_hand_side(int n, const double cumulants[], Vec orders[], Vec jumped[], Vec b,
                                      double *size)
{
  PetscReal order, jump;

  PetscFunctionBeginUser;
  *size = 0.0;
  PetscCall(VecSet(b, 0.0));
  for (int k = 1; k <= n; k++) {
    PetscCall(VecAXPY(b, CospinBinomial(n, k) * cumulants[k - 1], orders[n - k]));
    PetscCall(VecAXPY(b, -CospinBinomial(n, k), jumped[n - k]));
    PetscCall(VecNorm(orders[n - k], NORM_2, &order));
    PetscCall(VecNorm(jumped[n - k], NORM_2, &jump));
    *size += CospinBinomial(n, k) * (PetscAbsReal(cumulants[k - 1]) * order + jump);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTiltedCumulants(CospinEigensolver eigensolver, Vec rho, CospinMoves jumps,
                                     double efficiency, CospinTilted *tilted)
{
  /* Order n needs all orders below it: their states and their fluxes Tr(J rho_n). */
  double fluxes[COSPIN_NUM_CUMULANTS] = {0}, size, error; /* fluxes: Tr(J rho_n) */
  Vec orders[COSPIN_NUM_CUMULANTS], jumped[COSPIN_NUM_CUMULANTS], b;
  PetscScalar flux;
  Solver solver;

  PetscFunctionBeginUser;
  *tilted = (CospinTilted){.residual = 0.0};
  PetscCall(create_solver(eigensolver, rho, jumps, efficiency, &solver));
  PetscCall(VecDuplicate(rho, &b));
  for (int n = 0; n < COSPIN_NUM_CUMULANTS; n++) {
    PetscCall(VecDuplicate(rho, &orders[n]));
    PetscCall(VecDuplicate(rho, &jumped[n]));
    if (n == 0) {
      PetscCall(VecCopy(rho, orders[n]));
      PetscCall(refine(&solver, orders[n]));
      solver.rho = orders[n];
    }
    if (n > 0) {
      PetscCall(right_hand_side(n, tilted->cumulants, orders, jumped, b, &size));
      PetscCall(solve(&solver, b, size, orders[n], &error));
      tilted->residual = PetscMax(tilted->residual, error);
    }
    PetscCall(MatMult(solver.jumps, orders[n], jumped[n]));
    PetscCall(VecDot(jumped[n], solver.trace, &flux));
    fluxes[n] = PetscRealPart(flux);
    for (int k = 1; k <= n + 1; k++) tilted->cumulants[n] += CospinBinomial(n + 1, k) * fluxes[n + 1 - k];
  }
  tilted->iterations = solver.applications;
  for (int n = 0; n < COSPIN_NUM_CUMULANTS; n++) {
    PetscCall(VecDestroy(&orders[n]));
    PetscCall(VecDestroy(&jumped[n]));
  }
  PetscCall(VecDestroy(&b));
  PetscCall(destroy_solver(&solver));
  PetscFunctionReturn(0);
}
