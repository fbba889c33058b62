/*
   One sector's eigenvalues: what all back ends share. Which one it is, is decided here, once.

   The scale of a sector is the largest column sum of the moduli of the terms that meet in its elements. It
   does not cancel, so eigenvalues of some eps times the scale are rounding, however small the elements are
   that are left. A search without factors ends at its own, larger resolution.
*/
#include "backend.h"
#include "iteration.h"
#include <cospin/operator/cost.h>
#include <cospin/operator/liouvillian.h>

enum { DENSE_LIMIT = 256 }; /* unknowns up to which all eigenvalues are computed */
/* Of the first shift, over |L|. With factors next to zero, so that the slowest modes stand out; iterations
   need a matrix s - L that is not nearly singular. */
static const double shift_over_norm = 1e-7, iterative_shift_over_norm = 1e-3;
static const double davidson_resolution = 1e-11; /* residuals of iterations end at 1e-12 */
static const double some_conditions = 10.0;      /* error of an eigenvalue over its residual */

/* No negative element outside of the diagonal, all real: exp(L t) keeps vectors positive, the slowest
 * eigenvalue is real and its vector positive (Perron and Frobenius), which is what brackets rest on. */
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

/* Coherences between levels that a Hamiltonian sets apart rotate: their eigenvalues lie around the mean
   frequency of the diagonal, not around zero. Where there is a trace, zero is the one to look near. sum of
   the diagonal over the dimension: the mean of all eigenvalues. */
static PetscErrorCode find_centre(CospinEigensolver eigensolver)
{
  PetscScalar sum;
  PetscInt size;
  Vec diagonal;

  PetscFunctionBeginUser;
  eigensolver->centre = 0.0;
  if (eigensolver->has_trace || eigensolver->metzler) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(eigensolver->liouvillian, &diagonal, NULL));
  PetscCall(MatGetDiagonal(eigensolver->liouvillian, diagonal));
  PetscCall(VecSum(diagonal, &sum));
  PetscCall(VecGetSize(diagonal, &size));
  eigensolver->centre = PetscImaginaryPart(sum) / (double)size;
  PetscCall(VecDestroy(&diagonal));
  PetscFunctionReturn(0);
}

/* A sector with a trace has it as a left null vector. Asked of the labels: a sector has a trace if one of its
 * labels has. */
static PetscErrorCode has_trace(CospinEigensolver eigensolver, PetscBool *answer)
{
  int label[COSPIN_MAX_COORDINATES], found = 0;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatGetOwnershipRange(eigensolver->liouvillian, &begin, &end));
  for (PetscInt i = begin; i < end && !found; i++) {
    CospinSectorLabel(eigensolver->sector, i, label);
    found = CospinSystemTrace(eigensolver->system, label) != 0.0;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT, MPI_MAX, eigensolver->comm));
  *answer = (PetscBool)found;
  PetscFunctionReturn(0);
}

/* Davidson's preconditioner knows the generator as a shell; a matrix only multiplies. Where the deck asks for
 * an assembled generator there are both then. */
static PetscErrorCode get_shell(CospinProblem problem, CospinEigensolver eigensolver)
{
  MatType type;
  PetscBool is_shell;

  PetscFunctionBeginUser;
  PetscCall(MatGetType(eigensolver->liouvillian, &type));
  PetscCall(PetscStrcmp(type, MATSHELL, &is_shell));
  if (is_shell) {
    PetscCall(PetscObjectReference((PetscObject)eigensolver->liouvillian));
    eigensolver->shell = eigensolver->liouvillian;
  } else {
    PetscCall(
        CospinShellCreate(eigensolver->comm, problem->generator, eigensolver->sector, &eigensolver->shell));
  }
  PetscFunctionReturn(0);
}

/* -<task>_dense_limit, or -dense_limit: the largest sector that is solved by LAPACK; 0: none. */
static PetscErrorCode is_dense(CospinEigensolver eigensolver, PetscBool *dense)
{
  PetscInt limit = DENSE_LIMIT;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-dense_limit", &limit, NULL));
  PetscCall(PetscOptionsGetInt(NULL, eigensolver->prefix, "-dense_limit", &limit, NULL));
  *dense = (PetscBool)(CospinSectorDimension(eigensolver->sector) <= limit);
  PetscFunctionReturn(0);
}

/* -<task>_iterate, or -iterate: GMRES with incomplete factors, or not. It needs a matrix, for those are made
 * of one. */
static PetscErrorCode is_iterated(CospinProblem problem, CospinEigensolver eigensolver, PetscBool *iterated)
{
  PetscFunctionBeginUser;
  *iterated = CospinGeneratorIsIterated(problem, (double)CospinSectorDimension(eigensolver->sector));
  PetscCall(PetscOptionsGetBool(NULL, NULL, "-iterate", iterated, NULL));
  PetscCall(PetscOptionsGetBool(NULL, eigensolver->prefix, "-iterate", iterated, NULL));
  if (eigensolver->davidson) *iterated = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Before anything is solved: the back end, and what counts as zero. The resolution is some eps of what is
 * largest before anything cancels. */
static PetscErrorCode choose_solver(CospinProblem problem, CospinEigensolver eigensolver)
{
  PetscReal norm;
  PetscBool dense, iterated;
  double weighed;
  Vec x;

  PetscFunctionBeginUser;
  PetscCall(is_dense(eigensolver, &dense));
  PetscCall(MatNorm(eigensolver->liouvillian, NORM_INFINITY, &norm));
  eigensolver->norm = norm > 0 ? norm : 1.0;
  eigensolver->scale = eigensolver->norm;
  if (dense || !eigensolver->davidson) {
    PetscCall(MatCreateVecs(eigensolver->liouvillian, &x, NULL));
    PetscCall(CospinLiouvillianScale(eigensolver->comm, problem->generator, eigensolver->sector, x,
                                     &eigensolver->scale, &weighed));
    PetscCall(VecDestroy(&x));
  }
  eigensolver->backend = &CospinBackendFactors;
  if (eigensolver->davidson) eigensolver->backend = &CospinBackendDavidson;
  PetscCall(is_iterated(problem, eigensolver, &iterated));
  if (iterated) eigensolver->backend = &CospinBackendIteration;
  if (dense) eigensolver->backend = &CospinBackendDense;
  eigensolver->resolution = 10 * PETSC_MACHINE_EPSILON * eigensolver->scale;
  if (eigensolver->davidson && !dense) eigensolver->resolution = davidson_resolution * eigensolver->scale;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverCreate(MPI_Comm comm, CospinProblem problem, const int representative[],
                                       const char prefix[], CospinEigensolvers *living,
                                       CospinEigensolver *eigensolver)
{
  CospinEigensolver new;
  PetscBool multigrid;
  MatInfo info;

  PetscFunctionBeginUser;
  *eigensolver = NULL;
  PetscCall(PetscNew(&new));
  new->comm = comm;
  new->living = living;
  /* Into the list of all that live, before anything can fail: an error may unwind past the owner, and what it
     lost is then freed from there. */
  if (living) {
    new->following = living->first;
    new->interrupt = living->interrupt;
    living->first = new;
  }
  new->generator = problem->generator;
  new->system = &problem->system;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &new->sector));
  if (CospinSectorDimension(new->sector) == 0) {
    PetscCall(CospinEigensolverDestroy(&new));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscStrallocpy(prefix, &new->prefix));
  /* How eigenvalues are searched for follows from the size and from what memory holds, so it is decided
     before the matrix is made, and alike on all ranks. */
  PetscCall(CospinGeneratorIsDavidson(problem, representative, (double)CospinSectorDimension(new->sector),
                                      &new->davidson));
  PetscCall(CospinGeneratorCreate(comm, problem, new->sector, &new->liouvillian));
  if (new->davidson) PetscCall(get_shell(problem, new));
  PetscCall(MatGetInfo(new->liouvillian, MAT_GLOBAL_SUM, &info));
  PetscCall(choose_solver(problem, new));
  if (!new->davidson) PetscCall(is_metzler(new->liouvillian, &new->metzler));
  PetscCall(has_trace(new, &new->has_trace));
  PetscCall(find_centre(new));
  new->nonzeros = (PetscInt64)info.nz_used;
  new->reached = NAN;
  new->separation = NAN;
  new->outcome = COSPIN_GOOD;
  new->width = problem->generator->count;
  new->mesh_dimension = CospinLatticeRank(problem->lattice);
  new->iterative = (PetscBool)!CospinCostFactorise((double)CospinSectorDimension(new->sector),
                                                   new->mesh_dimension, problem->bytes);
  new->basis = CospinCostBasis((double)CospinSectorDimension(new->sector), problem->bytes);
  /* A shift next to zero but off it: at zero itself L is singular. */
  new->first_shift = (new->iterative ? iterative_shift_over_norm : shift_over_norm) * new->norm;
  new->shift = new->first_shift;
  PetscCall(CospinMultigridChoose(new, &multigrid));
  if (multigrid) new->backend = &CospinBackendMultigrid;
  *eigensolver = new;
  PetscFunctionReturn(0);
}

/* sum += sign work: differences between two moments tell what a task has done. */
static void add_work(CospinWork *sum, const CospinWork *work, int sign)
{
  sum->factorisations += sign * work->factorisations;
  sum->solves += sign * work->solves;
  sum->products += sign * work->products;
}

/* What PETSc's solver and GMRES have counted so far is theirs until they are destroyed; only then does it
   enter eigensolver->work. With factors a solve is one iteration of KSPPREONLY; refined ones count each
   application, for that is what costs. */
static PetscErrorCode work_of(CospinEigensolver eigensolver, CospinWork *work)
{
  PetscInt solves = 0;
  KSP ksp;
  ST st;

  PetscFunctionBeginUser;
  *work = eigensolver->work;
  if (eigensolver->iteration) work->products += CospinIterationSteps(eigensolver->iteration);
  if (!eigensolver->eps) PetscFunctionReturn(0);
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPGetTotalIterations(ksp, &solves)); /* one a solve that only applies factors */
  if (eigensolver->iterative)
    work->products += (int)solves;
  else
    work->solves += (int)solves;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolversWork(const CospinEigensolvers *living, const CospinWork *before,
                                      CospinWork *work)
{
  CospinWork one;

  PetscFunctionBeginUser;
  *work = living->done;
  for (CospinEigensolver s = living->first; s; s = s->following) {
    PetscCall(work_of(s, &one));
    add_work(work, &one, 1);
  }
  if (before) add_work(work, before, -1);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverRelease(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  PetscCall(work_of(eigensolver, &eigensolver->work));
  PetscCall(EPSDestroy(&eigensolver->eps));
  PetscCall(CospinNoJumpDestroy(&eigensolver->nojump));
  PetscCall(CospinIterationDestroy(&eigensolver->iteration));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverDestroy(CospinEigensolver *eigensolver)
{
  CospinEigensolvers *living;

  PetscFunctionBeginUser;
  if (!*eigensolver) PetscFunctionReturn(0);
  PetscCall(CospinEigensolverRelease(*eigensolver));
  living = (*eigensolver)->living;
  if (living) add_work(&living->done, &(*eigensolver)->work, 1);
  for (CospinEigensolver *link = living ? &living->first : NULL; link && *link; link = &(*link)->following) {
    if (*link != *eigensolver) continue;
    *link = (*eigensolver)->following;
    break;
  }
  PetscCall(CospinDenseDestroy(&(*eigensolver)->dense));
  PetscCall(VecDestroy(&(*eigensolver)->near));
  PetscCall(PetscFree((*eigensolver)->turned));
  PetscCall(PetscFree((*eigensolver)->planes));
  PetscCall(PetscFree((*eigensolver)->prefix));
  PetscCall(MatDestroy(&(*eigensolver)->shell));
  PetscCall(MatDestroy(&(*eigensolver)->liouvillian));
  PetscCall(CospinSectorDestroy(&(*eigensolver)->sector));
  PetscCall(PetscFree(*eigensolver));
  PetscFunctionReturn(0);
}

/* ---- What the back ends do ----------------------------------------------------------------------------- */

PetscErrorCode CospinEigensolverDraft(CospinEigensolver eigensolver, double tolerance)
{
  PetscFunctionBeginUser;
  if (!eigensolver->backend->Draft || !eigensolver->has_trace)
    PetscCall(VecDestroy(&eigensolver->near));
  else
    PetscCall(eigensolver->backend->Draft(eigensolver, tolerance));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverNull(CospinEigensolver eigensolver, int *num, Vec **null,
                                     double complex *next)
{
  PetscFunctionBeginUser;
  PetscCall(eigensolver->backend->Null(eigensolver, num, null, next));
  if (*num == 0) PetscCall(PetscFree(*null)); /* VecDestroyVecs frees no list of none */
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverLeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(eigensolver->backend->LeftNull(eigensolver, num, null));
  if (*num == 0) PetscCall(PetscFree(*null));
  PetscFunctionReturn(0);
}

/* A zero next to null vectors is one that their search has missed. (LAPACK misses none.) */
static void judge_zeros(CospinEigensolver eigensolver, int num_deflate, int num, const CospinMode modes[])
{
  for (int k = 0; k < num && num_deflate && eigensolver->backend != &CospinBackendDense; k++) {
    if (cabs(modes[k].lambda) <= eigensolver->resolution)
      eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  }
}

PetscErrorCode CospinEigensolverSlowest(CospinEigensolver eigensolver, int count, int num_deflate,
                                        Vec deflate[], PetscBool left, int *num, CospinMode modes[])
{
  PetscFunctionBeginUser;
  *num = 0;
  if (CospinSectorDimension(eigensolver->sector) <= num_deflate) PetscFunctionReturn(0);
  PetscCall(eigensolver->backend->Slowest(eigensolver, count, num_deflate, deflate, left, num, modes));
  judge_zeros(eigensolver, num_deflate, *num, modes);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(
      (eigensolver->davidson ? CospinDavidsonApplyInverse : CospinFactorsApplyInverse)(eigensolver, x, y));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                          Vec right, Vec left)
{
  PetscFunctionBeginUser;
  PetscCall((eigensolver->davidson ? CospinDavidsonResolvent : CospinFactorsResolvent)(eigensolver, s, b, a,
                                                                                       right, left));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverLookFar(CospinEigensolver eigensolver)
{
  PetscFunctionBeginUser;
  if (!eigensolver->backend->factors_see_more || eigensolver->iterative) PetscFunctionReturn(0);
  PetscCall(CospinEigensolverRelease(eigensolver));
  eigensolver->backend = &CospinBackendFactors;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverWeigh(CospinEigensolver eigensolver, Vec x, double *weighed)
{
  double largest;
  PetscReal sum;

  PetscFunctionBeginUser;
  if (eigensolver->shell) {
    PetscCall(VecNorm(x, NORM_1, &sum));
    *weighed = eigensolver->scale * sum;
  } else {
    PetscCall(CospinLiouvillianScale(eigensolver->comm, eigensolver->generator, eigensolver->sector, x,
                                     &largest, weighed));
  }
  PetscFunctionReturn(0);
}

PetscBool CospinModeLasts(CospinEigensolver eigensolver, const CospinMode *mode)
{
  const double error = PetscMax(eigensolver->resolution, mode->error); /* NaN: the former */

  return (PetscBool)(PetscAbsReal(creal(mode->lambda)) <= error && PetscAbsReal(cimag(mode->lambda)) > error);
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

/* ---- Helpers ------------------------------------------------------------------------------------------- */

PetscErrorCode CospinEigensolverResidual(CospinEigensolver eigensolver, PetscScalar lambda, Vec x,
                                         double *residual)
{
  PetscReal norm;
  Vec r;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(x, &r));
  PetscCall(MatMult(eigensolver->liouvillian, x, r));
  PetscCall(VecAXPY(r, -lambda, x));
  PetscCall(VecNorm(r, NORM_2, &norm));
  *residual = norm / eigensolver->norm;
  PetscCall(VecDestroy(&r));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverIrregular(CospinEigensolver eigensolver, Vec *vector)
{
  const double golden = 0.61803398874989485;
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, vector, NULL));
  PetscCall(VecGetOwnershipRange(*vector, &begin, &end));
  PetscCall(VecGetArrayWrite(*vector, &array));
  for (PetscInt i = begin; i < end; i++) {
    const double turns = golden * (double)(i + 1);
    array[i - begin] = 1.0 + turns - PetscFloorReal(turns);
  }
  PetscCall(VecRestoreArrayWrite(*vector, &array));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEigensolverTrace(CospinEigensolver eigensolver, Vec *trace)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, trace, NULL));
  PetscCall(VecGetOwnershipRange(*trace, &begin, &end));
  PetscCall(VecGetArrayWrite(*trace, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(eigensolver->sector, i, label);
    array[i - begin] = CospinSystemTrace(eigensolver->system, label);
  }
  PetscCall(VecRestoreArrayWrite(*trace, &array));
  PetscFunctionReturn(0);
}

PetscBool CospinModesEqual(CospinEigensolver eigensolver, const CospinMode *a, const CospinMode *b)
{
  /* Two eigenvalues are the same to this many resolutions, or to six digits. */
  static const double some_resolutions = 100.0, equal_values = 1e-6;

  return (PetscBool)(cabs(a->lambda - b->lambda) <=
                     some_resolutions * eigensolver->resolution + equal_values * cabs(a->lambda));
}

double CospinModeError(CospinEigensolver eigensolver, const CospinMode *mode, double condition)
{
  const double change = eigensolver->resolution + some_conditions * mode->residual * eigensolver->norm;

  return PetscMin(change * condition, PetscSqrtReal(change * eigensolver->norm));
}

PetscErrorCode CospinModesSort(CospinEigensolver eigensolver, int num, CospinMode modes[])
{
  double complex *lambda;
  double *error;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(num, &lambda, num, &error));
  for (int k = 0; k < num; k++) {
    lambda[k] = modes[k].lambda;
    error[k] = CospinModeError(eigensolver, &modes[k], 1.0);
  }
  PetscCall(CospinSortSlowest(num, lambda, error, sizeof(*modes), modes));
  PetscCall(PetscFree2(lambda, error));
  PetscFunctionReturn(0);
}
