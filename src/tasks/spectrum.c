/*
   Eigenvalues next to zero, where everything slow happens.

     factorise L - s, s a small positive number: no eigenvalue of a generator has a positive real part
     Krylov-Schur on (L - s)^-1 finds the eigenvalues nearest to s
     null vectors are found one by one, each solve with those before it deflated

   Deflation keeps iterates orthogonal to the null vectors Q found so far. The eigenvalues of what is left are
   those of L, but its vectors obey L x = lambda x + Q h; since L Q = 0, the eigenvector of L is x + Q h /
   lambda.

   Every solve with L - s multiplies what an iterate has of a null vector by 1/s, and the projection that
   takes it away again leaves its rounding errors behind. For accurate modes beside null vectors the shift is
   therefore moved from next to zero to the size of the eigenvalue that is looked for.

   Where null vectors are many, factors next to zero may be too inaccurate for any of them to converge. Then
   every solve is improved by some steps of GMRES with the factors as preconditioner.
   Where factors would not fit (cospin/cost.h) the equations are solved by GMRES, preconditioned by incomplete
   factors of each rank's block. That takes of the order of fifty products where the shift is not small
   against the spectrum: so it is larger, and the eigensolver takes more steps.
*/
#include "spectrum_shell.h"
#include <cospin/cost.h>
#include <cospin/liouvillian.h>

enum {
  MAX_ITERATIONS = 300,
  FIRST_ITERATIONS = 12,
  FEW_ITERATIONS = 40,
  MAX_REFINEMENTS = 4,
  NUM_EXTRA = 6,
  FEW_EXTRA = 2, /* where every solve is an iteration */
  MAX_WANTED = 63,
  MAX_WANTED_LARGE = 21,
  LARGE_DIMENSION = 5000,
  SMALL_SUBSPACE = 5,
  LARGE_SUBSPACE = 16,
  MUMPS_EXTRA_MEMORY = 50,
  MUMPS_MINIMUM_DEGREE = 0,
  GMRES_RESTART = 150,
  GMRES_ITERATIONS = 3000
};
static const double shift_over_norm = 1e-7, iterative_shift_over_norm = 1e-3, gmres_tolerance = 1e-13,
                    null_tolerance = 0.05, tolerance = 1e-12, poor_residual = 1e-11, refined_residual = 1e-15;
static const double davidson_resolution = 1e-11; /* residuals of iterations end at 1e-12 */
static const double wanted_quality = 100.0; /* |frequency|/rate up to which slower modes are looked for */

static PetscErrorCode is_metzler(Mat matrix, PetscBool *metzler)
{
  PetscInt begin, end, count;
  const PetscInt *columns;
  const PetscScalar *values;
  int ok = 1;

  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(matrix, &begin, &end));
  for (PetscInt row = begin; row < end; row++) {
    PetscCall(MatGetRow(matrix, row, &count, &columns, &values));
    for (PetscInt k = 0; k < count; k++) {
      if (PetscImaginaryPart(values[k]) != 0.0) ok = 0;
      if (columns[k] != row && PetscRealPart(values[k]) < 0.0) ok = 0;
    }
    PetscCall(MatRestoreRow(matrix, row, &count, &columns, &values));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &ok, 1, MPI_INT, MPI_MIN, PetscObjectComm((PetscObject)matrix)));
  *metzler = (PetscBool)ok;
  PetscFunctionReturn(0);
}

/* MUMPS: for labels in a plane, minimum degree fills no more than PORD and is found seven times faster (N =
   1000: 0.2 s against 1.4 s, 25 against 36 million elements). Without the column permutation and pivoting
   that a diagonally dominant M-matrix does not need, its factors keep vectors positive and are found faster.
 */
static PetscErrorCode configure_mumps(CospinSpectrum spectrum, KSP ksp, PC pc)
{
  const char *prefix;
  Mat factor;

  PetscFunctionBeginUser;
  PetscCall(PCGetOptionsPrefix(pc, &prefix));
  PetscCall(
      MatSetOptionsPrefixFactor(spectrum->liouvillian, prefix)); /* so that -..._mat_mumps_... is heard */
  PetscCall(PCFactorSetMatSolverType(pc, MATSOLVERMUMPS));
  PetscCall(KSPSetOperators(ksp, spectrum->liouvillian, spectrum->liouvillian));
  PetscCall(PCFactorSetUpMatSolverType(pc));
  PetscCall(PCFactorGetMatrix(pc, &factor));
  PetscCall(MatMumpsSetIcntl(factor, 14, MUMPS_EXTRA_MEMORY));
  if (spectrum->mesh_dimension <= 2) PetscCall(MatMumpsSetIcntl(factor, 7, MUMPS_MINIMUM_DEGREE));
  if (spectrum->metzler) {
    PetscCall(MatMumpsSetIcntl(factor, 6, 0));
    PetscCall(MatMumpsSetCntl(factor, 1, 0.0));
  }
  PetscFunctionReturn(0);
}

/* The blocks' preconditioners do not exist yet, so this is said by an option. One level of fill: an exact
   maser of 30 spins takes 45 products a solve with it and 170 without. */
static PetscErrorCode fill_one_level(CospinSpectrum spectrum)
{
  char name[128];
  PetscBool set;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "-%sst_sub_pc_factor_levels", spectrum->prefix));
  PetscCall(PetscOptionsHasName(NULL, NULL, name, &set));
  if (!set) PetscCall(PetscOptionsSetValue(NULL, name, "1"));
  PetscFunctionReturn(0);
}

/* A solve that gives up is seen in the residuals, which are recomputed: it must not end the program. */
static PetscErrorCode configure_iteration(CospinSpectrum spectrum, ST st)
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
  PetscCall(fill_one_level(spectrum));
  PetscFunctionReturn(0);
}

static PetscErrorCode configure_factorisation(CospinSpectrum spectrum, ST st)
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
  PetscCall(PCSetType(pc, PCLU));
  PetscCall(MatGetType(spectrum->liouvillian, &type));
  PetscCall(MatSolverTypeGet(MATSOLVERMUMPS, type, MAT_FACTOR_LU, NULL, &has_mumps, NULL));
  if (has_mumps) PetscCall(configure_mumps(spectrum, ksp, pc));
  PetscFunctionReturn(0);
}

/* Coherences between levels that a Hamiltonian sets apart rotate: their eigenvalues lie around the mean
   frequency of the diagonal, not around zero. Where there is a trace, zero is the one to look near. */
static PetscErrorCode find_centre(CospinSpectrum spectrum)
{
  PetscScalar sum;
  PetscInt size;
  Vec diagonal;

  PetscFunctionBeginUser;
  spectrum->centre = 0.0;
  if (spectrum->has_trace || spectrum->metzler) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(spectrum->liouvillian, &diagonal, NULL));
  PetscCall(MatGetDiagonal(spectrum->liouvillian, diagonal));
  PetscCall(VecSum(diagonal, &sum));
  PetscCall(VecGetSize(diagonal, &size));
  spectrum->centre = PetscImaginaryPart(sum) / (double)size;
  PetscCall(VecDestroy(&diagonal));
  PetscFunctionReturn(0);
}

/* A sector with a trace has it as a left null vector. */
static PetscErrorCode has_trace(CospinSpectrum spectrum, PetscBool *answer)
{
  int label[COSPIN_MAX_COORDINATES], found = 0;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(spectrum->liouvillian, &begin, &end));
  for (PetscInt i = begin; i < end && !found; i++) {
    CospinSectorLabel(spectrum->sector, i, label);
    found = CospinSystemTrace(spectrum->system, label) != 0.0;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_MAX, spectrum->comm));
  *answer = (PetscBool)found;
  PetscFunctionReturn(0);
}

/* SLEPc 3.18 cannot normalise a block of vectors where a rank holds no element of it; single vectors it can.
 */
static PetscErrorCode configure_vectors(CospinSpectrum spectrum)
{
  PetscMPIInt ranks;
  BV bv;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(spectrum->comm, &ranks));
  if (CospinSectorDimension(spectrum->sector) >= ranks) PetscFunctionReturn(0);
  PetscCall(EPSGetBV(spectrum->eps, &bv));
  PetscCall(BVSetType(bv, BVVECS));
  PetscFunctionReturn(0);
}

/* The solver is made when it is first needed, and again after CospinSpectrumRelease. */
static PetscErrorCode configure_solver(CospinSpectrum spectrum)
{
  EPS eps;
  KSP ksp;
  ST st;

  PetscFunctionBeginUser;
  if (spectrum->eps) PetscFunctionReturn(0);
  PetscCall(EPSCreate(spectrum->comm, &eps));
  spectrum->eps = eps;
  PetscCall(EPSSetOptionsPrefix(eps, spectrum->prefix));
  PetscCall(EPSSetOperators(eps, spectrum->liouvillian, NULL));
  PetscCall(EPSSetProblemType(eps, EPS_NHEP));
  PetscCall(EPSSetTolerances(eps, tolerance, MAX_ITERATIONS));
  PetscCall(EPSSetWhichEigenpairs(eps, EPS_TARGET_MAGNITUDE));
  PetscCall(EPSSetTarget(eps, (PetscScalar)CMPLX(spectrum->shift, spectrum->centre)));
  PetscCall(EPSGetST(eps, &st));
  if (spectrum->iterative)
    PetscCall(configure_iteration(spectrum, st));
  else
    PetscCall(configure_factorisation(spectrum, st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(CospinInterruptSolver(ksp, spectrum->interrupt));
  PetscCall(configure_vectors(spectrum));
  PetscCall(EPSSetFromOptions(eps));
  PetscCall(EPSGetTolerances(eps, NULL, &spectrum->max_iterations));
  spectrum->subspace = SMALL_SUBSPACE;
  PetscFunctionReturn(0);
}

/* Davidson's preconditioner knows the generator as a shell; a matrix only multiplies. */
static PetscErrorCode get_shell(CospinProblem problem, CospinSpectrum spectrum)
{
  MatType type;
  PetscBool is_shell;

  PetscFunctionBeginUser;
  PetscCall(MatGetType(spectrum->liouvillian, &type));
  PetscCall(PetscStrcmp(type, MATSHELL, &is_shell));
  if (is_shell) {
    PetscCall(PetscObjectReference((PetscObject)spectrum->liouvillian));
    spectrum->shell = spectrum->liouvillian;
  } else {
    PetscCall(CospinShellCreate(spectrum->comm, problem->generator, spectrum->sector, &spectrum->shell));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumCreate(MPI_Comm comm, CospinProblem problem, const int representative[],
                                    const char prefix[], CospinSpectra *living, CospinSpectrum *spectrum)
{
  CospinSpectrum new;
  PetscReal norm;
  MatInfo info;

  PetscFunctionBeginUser;
  *spectrum = NULL;
  PetscCall(PetscNew(&new));
  new->comm = comm;
  new->living = living;
  if (living) {
    new->following = living->first;
    new->interrupt = living->interrupt;
    living->first = new;
  }
  new->system = &problem->system;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &new->sector));
  if (CospinSectorDimension(new->sector) == 0) {
    PetscCall(CospinSpectrumDestroy(&new));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinGeneratorIsDavidson(problem, representative, (double)CospinSectorDimension(new->sector),
                                      &new->davidson));
  PetscCall(CospinGeneratorCreate(comm, problem, new->sector, &new->liouvillian));
  if (new->davidson) PetscCall(get_shell(problem, new));
  PetscCall(MatNorm(new->liouvillian, NORM_INFINITY, &norm));
  PetscCall(MatGetInfo(new->liouvillian, MAT_GLOBAL_SUM, &info));
  if (!new->davidson) PetscCall(is_metzler(new->liouvillian, &new->metzler));
  PetscCall(has_trace(new, &new->has_trace));
  PetscCall(find_centre(new));
  new->nonzeros = (PetscInt64)info.nz_used;
  new->norm = norm > 0 ? norm : 1.0;
  new->resolution = (new->davidson ? davidson_resolution : 10 * PETSC_MACHINE_EPSILON) * new->norm;
  new->reached = NAN;
  new->outcome = COSPIN_GOOD;
  new->width = problem->generator->count;
  new->mesh_dimension = CospinLatticeRank(problem->lattice);
  new->iterative = (PetscBool)!CospinCostFactorise((double)CospinSectorDimension(new->sector),
                                                   new->mesh_dimension, problem->bytes);
  new->basis = CospinCostBasis((double)CospinSectorDimension(new->sector), problem->bytes);
  new->shift = (new->iterative ? iterative_shift_over_norm : shift_over_norm) * new->norm;
  PetscCall(PetscStrallocpy(prefix, &new->prefix));
  *spectrum = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumRelease(CospinSpectrum spectrum)
{
  PetscFunctionBeginUser;
  PetscCall(EPSDestroy(&spectrum->eps));
  PetscCall(CospinNoJumpDestroy(&spectrum->nojump));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumApplyInverse(CospinSpectrum spectrum, Vec x, Vec y)
{
  ST st;

  PetscFunctionBeginUser;
  if (spectrum->davidson) {
    PetscCall(CospinShellApplyInverse(spectrum, x, y));
    PetscFunctionReturn(0);
  }
  PetscCall(configure_solver(spectrum));
  PetscCall(EPSGetST(spectrum->eps, &st));
  PetscCall(STSetUp(st));
  PetscCall(STApply(st, x, y));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumDestroy(CospinSpectrum *spectrum)
{
  CospinSpectrum *link;

  PetscFunctionBeginUser;
  if (!*spectrum) PetscFunctionReturn(0);
  link = (*spectrum)->living ? &(*spectrum)->living->first : NULL;
  for (; link && *link; link = &(*link)->following) {
    if (*link != *spectrum) continue;
    *link = (*spectrum)->following;
    break;
  }
  PetscCall(CospinSpectrumRelease(*spectrum));
  PetscCall(PetscFree((*spectrum)->prefix));
  PetscCall(MatDestroy(&(*spectrum)->shell));
  PetscCall(MatDestroy(&(*spectrum)->liouvillian));
  PetscCall(CospinSectorDestroy(&(*spectrum)->sector));
  PetscCall(PetscFree(*spectrum));
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

PetscErrorCode CospinSpectrumResolvent(CospinSpectrum spectrum, double complex s, Vec b, Vec a, Vec right,
                                       Vec left)
{
  KSP ksp;
  ST st;

  PetscFunctionBeginUser;
  if (spectrum->davidson) {
    PetscCall(CospinShellResolvent(spectrum, s, b, a, right, left));
    PetscFunctionReturn(0);
  }
  PetscCall(configure_solver(spectrum));
  PetscCall(EPSGetST(spectrum->eps, &st));
  PetscCall(STSetTransform(st, PETSC_TRUE)); /* as an eigensolver would: L - s is formed anew for each s */
  PetscCall(STSetShift(st, (PetscScalar)s));
  PetscCall(STGetOperator(st, NULL));
  PetscCall(STSetUp(st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(CospinSolveShifted(ksp, PETSC_FALSE, b, right));
  PetscCall(CospinSolveShifted(ksp, PETSC_TRUE, a, left));
  PetscFunctionReturn(0);
}

/* A positive vector is close to a state, and to the slowest mode of a Metzler matrix. It must have no
   symmetry of the generator, or it would see only its own kind of modes: so it is an irregular one, the same
   on any number of ranks. Null vectors that are left after some have been found are seen by another one only:
   SLEPc's own. */
static PetscErrorCode set_start(CospinSpectrum spectrum, int num_deflate)
{
  const double golden = 0.61803398874989485;
  PetscInt begin, end;
  Vec start;

  PetscFunctionBeginUser;
  if (num_deflate) {
    PetscCall(EPSSetInitialSpace(spectrum->eps, 0, NULL));
    PetscFunctionReturn(0);
  }
  PetscCall(MatCreateVecs(spectrum->liouvillian, &start, NULL));
  PetscCall(VecGetOwnershipRange(start, &begin, &end));
  for (PetscInt i = begin; i < end; i++) {
    const double turns = golden * (double)(i + 1);
    PetscCall(VecSetValue(start, i, 1.0 + turns - PetscFloorReal(turns), INSERT_VALUES));
  }
  PetscCall(VecAssemblyBegin(start));
  PetscCall(VecAssemblyEnd(start));
  PetscCall(EPSSetInitialSpace(spectrum->eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* max_iterations: 0 for as many as configured. */
static PetscErrorCode solve(CospinSpectrum spectrum, PetscInt wanted, PetscReal tol, PetscInt max_iterations,
                            PetscBool left, int num_deflate, Vec deflate[], PetscInt *converged)
{
  PetscInt iterations, dimension, subspace;
  EPSConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(configure_solver(spectrum));
  PetscCall(MatGetSize(spectrum->liouvillian, &dimension, NULL));
  PetscCall(EPSSetTolerances(spectrum->eps, tol, max_iterations ? max_iterations : spectrum->max_iterations));
  wanted = PetscMin(wanted, dimension - num_deflate);
  subspace = wanted == 1 ? spectrum->subspace : 2 * wanted + SMALL_SUBSPACE;
  if (spectrum->iterative) subspace = PetscMax(subspace, LARGE_SUBSPACE);
  PetscCall(EPSSetDimensions(spectrum->eps, wanted, PetscMin(subspace, dimension), PETSC_DEFAULT));
  PetscCall(set_start(spectrum, num_deflate));
  PetscCall(EPSSetTwoSided(spectrum->eps, left));
  PetscCall(EPSSetDeflationSpace(spectrum->eps, num_deflate, deflate));
  PetscCall(EPSSolve(spectrum->eps));
  PetscCall(EPSGetConverged(spectrum->eps, converged));
  PetscCall(EPSGetConvergedReason(spectrum->eps, &reason));
  PetscCall(EPSGetIterationNumber(spectrum->eps, &iterations));
  spectrum->iterations += (int)iterations;
  if (reason < 0 && spectrum->outcome == COSPIN_GOOD) spectrum->outcome = COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* From now on solves with the factors are improved. A residual that is not reached is no error. */
static PetscErrorCode refine_solves(CospinSpectrum spectrum)
{
  ST st;
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(EPSGetST(spectrum->eps, &st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPSetTolerances(ksp, refined_residual, PETSC_DEFAULT, PETSC_DEFAULT, MAX_REFINEMENTS));
  PetscCall(KSPSetErrorIfNotConverged(ksp, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* The eigenvalue next to zero, with better solves if it does not converge soon. */
static PetscErrorCode solve_next(CospinSpectrum spectrum, PetscReal tol, int num_deflate, Vec deflate[],
                                 PetscBool *refined, PetscInt *converged)
{
  const CospinOutcome before = spectrum->outcome;

  PetscFunctionBeginUser;
  PetscCall(
      solve(spectrum, 1, tol, *refined ? 0 : FEW_ITERATIONS, PETSC_FALSE, num_deflate, deflate, converged));
  if (*converged || *refined) PetscFunctionReturn(0);
  *refined = PETSC_TRUE;
  spectrum->outcome = before;
  PetscCall(refine_solves(spectrum));
  PetscCall(solve(spectrum, 1, tol, 0, PETSC_FALSE, num_deflate, deflate, converged));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumNull(CospinSpectrum spectrum, int max, int *num, Vec null[],
                                  double complex *next)
{
  PetscBool refined = spectrum->iterative; /* as good as they get */
  PetscInt dimension, converged;

  PetscFunctionBeginUser;
  if (spectrum->davidson) {
    PetscCall(CospinShellNull(spectrum, max, num, null, next));
    PetscFunctionReturn(0);
  }
  *num = 0;
  *next = CMPLX(NAN, NAN);
  spectrum->centre = 0.0; /* what is looked for lies there */
  PetscCall(MatGetSize(spectrum->liouvillian, &dimension, NULL));
  while (*num < max && *num < dimension) {
    PetscScalar lambda = 0.0;
    PetscCall(solve_next(spectrum, *num ? null_tolerance : tolerance, *num, null, &refined, &converged));
    if (converged) PetscCall(EPSGetEigenvalue(spectrum->eps, 0, &lambda, NULL));
    if (*num && PetscAbsScalar(lambda) < 10.0 * spectrum->shift) { /* it may be zero: look closely */
      PetscCall(solve_next(spectrum, tolerance, *num, null, &refined, &converged));
    }
    if (converged == 0) break;
    PetscCall(EPSGetEigenvalue(spectrum->eps, 0, &lambda, NULL));
    if (PetscAbsScalar(lambda) > spectrum->resolution) {
      *next = lambda;
      spectrum->next = PetscAbsScalar(lambda);
      break;
    }
    PetscCall(MatCreateVecs(spectrum->liouvillian, &null[*num], NULL));
    PetscCall(EPSGetEigenvector(spectrum->eps, 0, null[*num], NULL));
    (*num)++;
  }
  PetscFunctionReturn(0);
}

/* The null vectors of L^H: a spectrum of its own that borrows the sector. */
PetscErrorCode CospinSpectrumLeftNull(CospinSpectrum spectrum, int max, int *num, Vec null[])
{
  CospinSpectrum adjoint;
  double complex next;

  PetscFunctionBeginUser;
  if (spectrum->davidson) {
    spectrum->adjoint = PETSC_TRUE;
    PetscCall(CospinShellNull(spectrum, max, num, null, &next));
    spectrum->adjoint = PETSC_FALSE;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&adjoint));
  *adjoint = *spectrum;
  adjoint->living = NULL;
  adjoint->eps = NULL;
  PetscCall(PetscStrallocpy(spectrum->prefix, &adjoint->prefix));
  PetscCall(MatHermitianTranspose(spectrum->liouvillian, MAT_INITIAL_MATRIX, &adjoint->liouvillian));
  PetscCall(CospinSpectrumNull(adjoint, max, num, null, &next));
  spectrum->outcome = CospinOutcomeWorse(spectrum->outcome, adjoint->outcome);
  adjoint->sector = NULL;
  PetscCall(CospinSpectrumDestroy(&adjoint));
  PetscFunctionReturn(0);
}

/* x += Q (Q^H L x) / lambda; the columns of Q are orthogonal */
static PetscErrorCode undo_deflation(CospinSpectrum spectrum, int num_deflate, Vec deflate[],
                                     PetscScalar lambda, Vec x)
{
  Vec image;
  PetscScalar h, size;

  PetscFunctionBeginUser;
  if (num_deflate == 0) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(x, &image));
  PetscCall(MatMult(spectrum->liouvillian, x, image));
  for (int k = 0; k < num_deflate; k++) {
    PetscCall(VecDot(image, deflate[k], &h));
    PetscCall(VecDot(deflate[k], deflate[k], &size));
    PetscCall(VecAXPY(x, h / (lambda * size), deflate[k]));
  }
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

static PetscErrorCode residual_of(CospinSpectrum spectrum, PetscScalar lambda, Vec x, double *residual)
{
  PetscReal norm;
  Vec r;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(x, &r));
  PetscCall(MatMult(spectrum->liouvillian, x, r));
  PetscCall(VecAXPY(r, -lambda, x));
  PetscCall(VecNorm(r, NORM_2, &norm));
  *residual = norm / spectrum->norm;
  PetscCall(VecDestroy(&r));
  PetscFunctionReturn(0);
}

static PetscErrorCode get_mode(CospinSpectrum spectrum, PetscInt k, PetscBool left, int num_deflate,
                               Vec deflate[], CospinMode *mode)
{
  PetscScalar lambda, overlap;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(spectrum->liouvillian, &mode->right, NULL));
  PetscCall(EPSGetEigenpair(spectrum->eps, k, &lambda, NULL, mode->right, NULL));
  PetscCall(undo_deflation(spectrum, num_deflate, deflate, lambda, mode->right));
  PetscCall(VecNormalize(mode->right, NULL));
  mode->lambda = lambda;
  mode->left = NULL;
  PetscCall(residual_of(spectrum, lambda, mode->right, &mode->residual));
  if (!left) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(mode->right, &mode->left));
  PetscCall(EPSGetLeftEigenvector(spectrum->eps, k, mode->left, NULL));
  PetscCall(VecDot(mode->right, mode->left, &overlap)); /* y^H x */
  PetscCall(VecScale(mode->left, 1.0 / PetscConj(overlap)));
  PetscFunctionReturn(0);
}

/* Largest real part first; a conjugate pair in a fixed order. */
static int compare_modes(const void *a, const void *b, void *context)
{
  const double complex s = ((const CospinMode *)a)->lambda, t = ((const CospinMode *)b)->lambda;
  const double close = *(const double *)context;

  if (PetscAbsReal(creal(s) - creal(t)) > close) return creal(s) > creal(t) ? -1 : 1;
  return cimag(s) < cimag(t) ? -1 : cimag(s) > cimag(t);
}

/* A target that the options have changed is left alone. */
static PetscErrorCode move_shift(CospinSpectrum spectrum, double shift, PetscBool *moved)
{
  PetscScalar target;
  ST st;

  PetscFunctionBeginUser;
  PetscCall(configure_solver(spectrum)); /* it may have been released */
  PetscCall(EPSGetTarget(spectrum->eps, &target));
  *moved =
      (PetscBool)(target == (PetscScalar)CMPLX(spectrum->shift, spectrum->centre) && shift > spectrum->shift);
  if (!*moved) PetscFunctionReturn(0);
  spectrum->shift = shift;
  PetscCall(EPSSetTarget(spectrum->eps, (PetscScalar)CMPLX(shift, spectrum->centre)));
  PetscCall(EPSGetST(spectrum->eps, &st));
  PetscCall(STSetShift(st, (PetscScalar)CMPLX(shift, spectrum->centre)));
  PetscFunctionReturn(0);
}

/* What one run of the solver finds, slowest first. */
static PetscErrorCode find_modes(CospinSpectrum spectrum, PetscInt wanted, int num_deflate, Vec deflate[],
                                 PetscBool left, int *num, CospinMode **modes)
{
  double close = 1e-10 * spectrum->norm;
  PetscInt converged;

  PetscFunctionBeginUser;
  PetscCall(solve(spectrum, wanted, tolerance, wanted > 1 ? 0 : FIRST_ITERATIONS, left, num_deflate, deflate,
                  &converged));
  if (!converged) { /* left and right vectors may be nearly orthogonal; few of them then lead nowhere */
    spectrum->subspace = LARGE_SUBSPACE;
    PetscCall(solve(spectrum, wanted, tolerance, 0, left, num_deflate, deflate, &converged));
  }
  PetscCall(PetscCalloc1((size_t)converged, modes));
  for (PetscInt k = 0; k < converged; k++)
    PetscCall(get_mode(spectrum, k, left, num_deflate, deflate, &(*modes)[k]));
  if (converged > 1) /* PetscTimSort reads the second element of an array that has none */
    PetscCall(PetscTimSort(converged, *modes, sizeof(CospinMode), compare_modes, &close));
  *num = (int)converged;
  PetscFunctionReturn(0);
}

/* All eigenvalues as near to the target as the farthest that was found are known: a slower one that was
   missed would have a frequency beyond this distance from the centre. */
static double horizon_of(CospinSpectrum spectrum, PetscInt searched, double slowest, int found,
                         const CospinMode modes[])
{
  const double complex target = CMPLX(spectrum->shift, spectrum->centre);
  double radius = 0.0, rate = spectrum->shift - slowest;

  if (found >= searched) return INFINITY;
  for (int k = 0; k < found; k++) radius = PetscMax(radius, cabs(modes[k].lambda - target));
  return radius > rate ? PetscSqrtReal(radius * radius - rate * rate) : 0.0;
}

/* A slow mode that oscillates lies far from the target: more eigenvalues are looked at until a slower one
   than those found would have to oscillate many times while it decays, or until that would take too long. */
static PetscErrorCode look_farther(CospinSpectrum spectrum, int count, PetscInt wanted, int num_deflate,
                                   Vec deflate[], int *found, CospinMode **all)
{
  const PetscInt searched = (PetscInt)CospinSectorDimension(spectrum->sector) - num_deflate,
                 most = searched > LARGE_DIMENSION ? MAX_WANTED_LARGE : MAX_WANTED;
  CospinMode *more;
  int num_more;

  PetscFunctionBeginUser;
  while (*found >= count && wanted < most) {
    const double slowest = creal((*all)[count - 1].lambda);
    if (horizon_of(spectrum, searched, slowest, *found, *all) >= -wanted_quality * slowest) break;
    wanted *= 3;
    PetscCall(find_modes(spectrum, wanted, num_deflate, deflate, PETSC_FALSE, &num_more, &more));
    if (num_more <= *found) { /* they did not converge: the horizon tells */
      PetscCall(CospinModesDestroy(num_more, more));
      PetscCall(PetscFree(more));
      break;
    }
    PetscCall(CospinModesDestroy(*found, *all));
    PetscCall(PetscFree(*all));
    *found = num_more;
    *all = more;
  }
  PetscFunctionReturn(0);
}

static const CospinMode *least_accurate(int num, const CospinMode modes[])
{
  const CospinMode *worst = modes;

  for (int k = 1; k < num; k++) {
    if (modes[k].residual > worst->residual) worst = &modes[k];
  }
  return worst;
}

PetscErrorCode CospinSpectrumSlowest(CospinSpectrum spectrum, int count, int num_deflate, Vec deflate[],
                                     PetscBool left, int *num, CospinMode modes[])
{
  const int extra = spectrum->iterative ? FEW_EXTRA : NUM_EXTRA;
  /* nearest to the shift is slowest if the slowest eigenvalue is real; otherwise look a little further */
  const PetscInt wanted = spectrum->metzler && count == 1 && num_deflate == 0 ? 1 : count + extra;
  PetscBool again = PETSC_FALSE;
  CospinMode *all = NULL;
  int found = 0;

  PetscFunctionBeginUser;
  *num = 0;
  if (CospinSectorDimension(spectrum->sector) <= num_deflate) PetscFunctionReturn(0);
  if (spectrum->davidson) {
    PetscCall(CospinShellSlowest(spectrum, count, num_deflate, deflate, left, num, modes));
    PetscFunctionReturn(0);
  }
  if (num_deflate) PetscCall(move_shift(spectrum, spectrum->next, &again));
  PetscCall(find_modes(spectrum, wanted, num_deflate, deflate, left, &found, &all));
  *num = PetscMin(count, found);
  if (*num && least_accurate(*num, all)->residual > poor_residual) {
    const double size = cabs(least_accurate(*num, all)->lambda - I * spectrum->centre);
    PetscCall(move_shift(spectrum, size, &again));
    if (again) {
      PetscCall(CospinModesDestroy(found, all));
      PetscCall(PetscFree(all));
      PetscCall(find_modes(spectrum, wanted, num_deflate, deflate, left, &found, &all));
      *num = PetscMin(count, found);
    }
  }
  if (!left && wanted > 1 && !spectrum->iterative) {
    PetscCall(look_farther(spectrum, count, wanted, num_deflate, deflate, &found, &all));
    *num = PetscMin(count, found);
  }
  if (*num) {
    const PetscInt searched = (PetscInt)CospinSectorDimension(spectrum->sector) - num_deflate;
    const double slowest = creal(all[*num - 1].lambda);
    spectrum->horizon = horizon_of(spectrum, searched, slowest, found, all);
    if (wanted == 1) spectrum->horizon = INFINITY; /* Metzler: the slowest eigenvalue is real */
  }
  for (int k = 0; k < *num; k++) modes[k] = all[k];
  PetscCall(CospinModesDestroy(found - *num, all + *num));
  PetscCall(PetscFree(all));
  if (*num == count || spectrum->outcome != COSPIN_NOT_CONVERGED) spectrum->outcome = COSPIN_GOOD;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinModesDestroy(int num, CospinMode modes[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    PetscCall(VecDestroy(&modes[k].right));
    PetscCall(VecDestroy(&modes[k].left));
  }
  PetscFunctionReturn(0);
}
