/*
   Single equations where neither factors nor incomplete ones are made: GMRES, preconditioned by what happens
   between jumps (cospin/operator/nojump.h).
*/
#include "backend.h"
#include "davidson.h"

enum { MAX_STEPS = 1500 };
static const double solve_tolerance = 1e-13;

typedef struct {
  CospinNoJump nojump;
  PetscScalar s;
} Shifted;

static PetscErrorCode precondition(PC pc, Vec b, Vec x)
{
  Shifted *shifted;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &shifted));
  PetscCall(CospinNoJumpSolve(shifted->nojump, shifted->s, PETSC_FALSE, b, x));
  PetscFunctionReturn(0);
}

/* A^-T b is the conjugate of A^-H applied to the conjugate of b. */
static PetscErrorCode precondition_transposed(PC pc, Vec b, Vec x)
{
  Shifted *shifted;
  Vec conjugate;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &shifted));
  PetscCall(VecDuplicate(b, &conjugate));
  PetscCall(VecCopy(b, conjugate));
  PetscCall(VecConjugate(conjugate));
  PetscCall(CospinNoJumpSolve(shifted->nojump, shifted->s, PETSC_TRUE, conjugate, x));
  PetscCall(VecConjugate(x));
  PetscCall(VecDestroy(&conjugate));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_solver(CospinEigensolver eigensolver, Shifted *shifted, KSP *ksp)
{
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(KSPCreate(eigensolver->comm, ksp));
  PetscCall(KSPSetOperators(*ksp, eigensolver->liouvillian, eigensolver->liouvillian));
  PetscCall(KSPSetType(*ksp, KSPGMRES));
  PetscCall(CospinInterruptSolver(*ksp, eigensolver->interrupt));
  PetscCall(KSPSetPCSide(*ksp, PC_RIGHT));
  PetscCall(KSPGMRESSetRestart(*ksp, 2 * eigensolver->basis));
  PetscCall(KSPSetTolerances(*ksp, solve_tolerance, PETSC_DEFAULT, PETSC_DEFAULT, MAX_STEPS));
  PetscCall(KSPGetPC(*ksp, &pc));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetContext(pc, shifted));
  PetscCall(PCShellSetApply(pc, precondition));
  PetscCall(PCShellSetApplyTranspose(pc, precondition_transposed));
  PetscFunctionReturn(0);
}

/* A solve that gives up is seen in the residual of the resolvent's model. */
PetscErrorCode CospinDavidsonResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                       Vec right, Vec left)
{
  Shifted shifted = {.s = (PetscScalar)s};
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonPrepare(eigensolver, eigensolver->centre));
  shifted.nojump = eigensolver->nojump;
  PetscCall(create_solver(eigensolver, &shifted, &ksp));
  PetscCall(MatShift(eigensolver->liouvillian, -shifted.s));
  PetscCall(CospinSolveShifted(ksp, PETSC_FALSE, b, right));
  PetscCall(CospinSolveShifted(ksp, PETSC_TRUE, a, left));
  PetscCall(MatShift(eigensolver->liouvillian, shifted.s));
  PetscCall(KSPDestroy(&ksp));
  PetscFunctionReturn(0);
}

/* s is the shift, as of the factors of eigensolver.c. */
PetscErrorCode CospinDavidsonApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y)
{
  Shifted shifted = {.s = eigensolver->shift};
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonPrepare(eigensolver, eigensolver->centre));
  shifted.nojump = eigensolver->nojump;
  PetscCall(create_solver(eigensolver, &shifted, &ksp));
  PetscCall(MatShift(eigensolver->liouvillian, -shifted.s));
  PetscCall(KSPSolve(ksp, x, y));
  PetscCall(MatShift(eigensolver->liouvillian, shifted.s));
  PetscCall(KSPDestroy(&ksp));
  PetscFunctionReturn(0);
}
