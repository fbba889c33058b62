/*
   Null vectors and slowest modes without factors (src/solver/davidson.h): all that is known of the generator
   are its products, with a matrix or without, and what happens between jumps.

   Schur vectors Q are found one after the other; with R = Q^H L Q, upper triangular, the eigenvector of
   eigenvalue R_kk is q_k + sum_i<k s_i q_i with (R - R_kk) s = -R_.k above row k.

   Left vectors are those of the adjoint next to the conjugate eigenvalue.

   What a search starts from hardly matters. The eigenvector of the generator averaged over all permutations
   of the spins, with a thousandth of the irregular vector lest what is not symmetric be missed, against the
   plain start, steps and CPU seconds on one core:

     crystal of   steady, identity   symmetric    decay, irregular   symmetric
      8           79    .54          68    .52    123     .66        108    .65
     10           88  10.1           81  10.4     143   14.3         111  12.9

   The average costs a product for each class of labels, 36 for ten spins, and what is left of the gain, a
   tenth at most, does not pay for two hundred lines. Nor does where A_0 is inverted matter.
*/
#include "backend.h"
#include "davidson.h"
#include <cospin/operator/cost.h>

enum { MAX_SCHUR = 128, MAX_STEPS = 1500 };
static const double mode_tolerance = 1e-12, null_tolerance = 1e-13, next_tolerance = 0.05, accepted = 1e-11,
                    solve_tolerance = 1e-13;
/* In units of the norm: where A_0 is inverted. Between zero, where it may be singular, and slow modes. */
static const double shift_over_norm = 1e-6;

static PetscErrorCode prepare(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  if (!eigensolver->nojump) PetscCall(CospinNoJumpCreate(eigensolver->shell, &eigensolver->nojump));
  PetscFunctionReturn(0);
}

/* -<task>_davidson_steps: the most steps for an eigenvalue. */
static PetscErrorCode get_options(CospinEigensolver eigensolver, CospinDavidsonOptions *options)
{
  PetscInt max_steps = MAX_STEPS;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, eigensolver->prefix, "-davidson_steps", &max_steps, NULL));
  *options = (CospinDavidsonOptions){.matrix = eigensolver->liouvillian,
                                     .nojump = eigensolver->nojump,
                                     .shift = shift_over_norm * eigensolver->norm,
                                     .norm = eigensolver->norm,
                                     .interrupt = eigensolver->interrupt,
                                     .max_steps = (int)max_steps,
                                     .basis = eigensolver->basis};
  PetscFunctionReturn(0);
}

/* The first one from the identity; whoever is left from an irregular vector. An eigenvalue that is rather
   small is looked at closely before it counts as one that is not zero. */
static PetscErrorCode next_null(CospinEigensolver eigensolver, CospinDavidson davidson, PetscBool first,
                                Vec start, PetscScalar *lambda, Vec *vector, PetscBool *converged)
{
  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonNext(davidson, start, null_tolerance, first ? 0.0 : next_tolerance, lambda, vector,
                               &eigensolver->reached, converged));
  if (!*converged && eigensolver->reached <= accepted)
    *converged = PETSC_TRUE; /* rounding does not let it go on */
  PetscFunctionReturn(0);
}

/* Of L, or (adjoint) of L^H. */
static PetscErrorCode find_null(CospinEigensolver eigensolver, PetscBool adjoint, int *num, Vec **null,
                                double complex *next)
{
  CospinDavidsonOptions options;
  PetscBool converged = PETSC_TRUE, found = PETSC_TRUE;
  CospinDavidson davidson;
  Vec start, irregular;
  PetscInt dimension;

  PetscFunctionBeginUser;
  *num = 0;
  *next = CMPLX(NAN, NAN);
  PetscCall(PetscCalloc1(COSPIN_MAX_NULL, null));
  PetscCall(prepare(eigensolver));
  PetscCall(get_options(eigensolver, &options));
  options.nearest = PETSC_TRUE;
  options.adjoint = adjoint;
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(CospinDavidsonCreate(&options, 0, NULL, &davidson));
  PetscCall(CospinEigensolverIrregular(eigensolver, &irregular));
  PetscCall(CospinEigensolverTrace(eigensolver, &start));
  while (found && *num < COSPIN_MAX_NULL && *num < dimension) {
    const PetscBool first = (PetscBool)(*num == 0 && eigensolver->has_trace);
    PetscScalar lambda;
    PetscCall(next_null(eigensolver, davidson, first, first ? start : irregular, &lambda, &(*null)[*num],
                        &converged));
    found = (PetscBool)(converged && PetscAbsScalar(lambda) <= eigensolver->resolution);
    if (found) (*num)++;
    if (found) continue;
    PetscCall(VecDestroy(&(*null)[*num]));
    if (converged) *next = (double complex)lambda;
    if (converged) eigensolver->next = eigensolver->separation = PetscAbsScalar(lambda);
  }
  if (!converged || (found && *num < dimension))
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  eigensolver->iterations += CospinDavidsonSteps(davidson);
  PetscCall(VecDestroy(&start));
  PetscCall(VecDestroy(&irregular));
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  PetscFunctionBeginUser;
  PetscCall(find_null(eigensolver, PETSC_FALSE, num, null, next));
  PetscFunctionReturn(0);
}

static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  double complex next;

  PetscFunctionBeginUser;
  PetscCall(find_null(eigensolver, PETSC_TRUE, num, null, &next));
  PetscFunctionReturn(0);
}

/* The eigenvector of the last of num Schur vectors. */
static PetscErrorCode eigenvector(CospinEigensolver eigensolver, int num, Vec schur[], PetscScalar lambda,
                                  Vec *vector)
{
  const int k = num - 1;
  PetscScalar column[MAX_SCHUR], *r;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(schur[k], vector));
  PetscCall(VecCopy(schur[k], *vector));
  if (k == 0) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(schur[k], &image));
  PetscCall(PetscMalloc1((size_t)(num * k), &r));
  for (int j = 0; j < num; j++) {
    PetscCall(MatMult(eigensolver->liouvillian, schur[j], image));
    PetscCall(VecMDot(image, k, schur, r + j * k));
  }
  for (int i = k - 1; i >= 0; i--) {
    const PetscScalar pivot = r[i * k + i] - lambda;
    column[i] = -r[k * k + i];
    for (int j = i + 1; j < k; j++) column[i] -= r[j * k + i] * column[j];
    column[i] = PetscAbsScalar(pivot) > eigensolver->resolution ? column[i] / pivot : 0.0;
  }
  PetscCall(VecMAXPY(*vector, k, column, schur));
  PetscCall(VecNormalize(*vector, NULL));
  PetscCall(PetscFree(r));
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

/* y with y^H L = lambda y^H, y^H x = 1. */
static PetscErrorCode find_left(CospinEigensolver eigensolver, CospinMode *mode)
{
  CospinDavidsonOptions options;
  const PetscScalar lambda = (PetscScalar)mode->lambda;
  PetscScalar found, overlap;
  CospinDavidson davidson;
  PetscBool converged;
  double residual;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(get_options(eigensolver, &options));
  options.adjoint = PETSC_TRUE;
  options.nearest = PETSC_TRUE;
  options.target = PetscConj(lambda);
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(CospinDavidsonCreate(&options, 0, NULL, &davidson));
  PetscCall(
      CospinDavidsonNext(davidson, start, mode_tolerance, 0.0, &found, &mode->left, &residual, &converged));
  if (!converged && residual > accepted)
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscCall(VecDot(mode->right, mode->left, &overlap));
  PetscCall(VecScale(mode->left, 1.0 / PetscConj(overlap)));
  eigensolver->iterations += CospinDavidsonSteps(davidson);
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* Null vectors (a state has trace 1, several are not orthogonal) as Schur vectors. */
static PetscErrorCode orthonormal_copies(int num, Vec vectors[], Vec copies[])
{
  PetscScalar overlaps[MAX_SCHUR];

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    PetscCall(VecDuplicate(vectors[k], &copies[k]));
    PetscCall(VecCopy(vectors[k], copies[k]));
    for (int pass = 0; pass < 2 && k; pass++) {
      PetscCall(VecMDot(copies[k], k, copies, overlaps));
      for (int i = 0; i < k; i++) overlaps[i] = -overlaps[i];
      PetscCall(VecMAXPY(copies[k], k, overlaps, copies));
    }
    PetscCall(VecNormalize(copies[k], NULL));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const PetscInt64 left_over = CospinSectorDimension(eigensolver->sector) - num_deflate;
  CospinDavidsonOptions options;
  PetscBool converged = PETSC_TRUE;
  CospinDavidson davidson;
  Vec start, schur[MAX_SCHUR];

  PetscFunctionBeginUser;
  *num = 0;
  PetscCheck(count + num_deflate < MAX_SCHUR, eigensolver->comm, PETSC_ERR_SUP,
             "%d eigenvalues without a matrix (at most %d)", count, (int)MAX_SCHUR - num_deflate - 1);
  PetscCall(prepare(eigensolver));
  PetscCall(get_options(eigensolver, &options));
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(orthonormal_copies(num_deflate, deflate, schur));
  PetscCall(CospinDavidsonCreate(&options, num_deflate, schur, &davidson));
  while (converged && *num < count && *num < left_over) {
    CospinMode *mode = &modes[*num];
    PetscScalar lambda;
    PetscCall(CospinDavidsonNext(davidson, start, mode_tolerance, 0.0, &lambda, &schur[num_deflate + *num],
                                 &eigensolver->reached, &converged));
    *mode = (CospinMode){.lambda = (double complex)lambda, .error = NAN};
    PetscCall(eigenvector(eigensolver, num_deflate + *num + 1, schur, lambda, &mode->right));
    PetscCall(CospinEigensolverResidual(eigensolver, lambda, mode->right, &mode->residual));
    if (!converged && eigensolver->reached > accepted)
      eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
    if (left) PetscCall(find_left(eigensolver, mode));
    (*num)++;
  }
  eigensolver->horizon = *num == left_over ? PETSC_INFINITY : 0.0; /* nothing is known of faster rotation */
  eigensolver->iterations += CospinDavidsonSteps(davidson);
  for (int k = 0; k < num_deflate + *num; k++) PetscCall(VecDestroy(&schur[k]));
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendDavidson = {"davidson", Null, LeftNull, Slowest};

/* ---- Resolvent ----------------------------------------------------------------------------------------- */

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
  PetscCall(prepare(eigensolver));
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
  PetscCall(prepare(eigensolver));
  shifted.nojump = eigensolver->nojump;
  PetscCall(create_solver(eigensolver, &shifted, &ksp));
  PetscCall(MatShift(eigensolver->liouvillian, -shifted.s));
  PetscCall(KSPSolve(ksp, x, y));
  PetscCall(MatShift(eigensolver->liouvillian, shifted.s));
  PetscCall(KSPDestroy(&ksp));
  PetscFunctionReturn(0);
}
