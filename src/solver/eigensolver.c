/*
   One sector's eigenvalues: what all back ends share. Which one it is, is decided here, once.

   The scale of a sector is the largest column sum of the moduli of the terms that meet in its elements. It
   does not cancel, so eigenvalues of some eps times the scale are rounding, however small the elements are
   that are left. A search without factors ends at its own, larger resolution.
*/
#include "backend.h"
#include <cospin/operator/cost.h>
#include <cospin/operator/liouvillian.h>

enum { DENSE_LIMIT = 256 }; /* unknowns up to which all eigenvalues are computed */
static const double shift_over_norm = 1e-7, iterative_shift_over_norm = 1e-3;
static const double davidson_resolution = 1e-11; /* residuals of iterations end at 1e-12 */

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

/* -<task>_dense_limit, or -dense_limit: the largest sector that is solved by LAPACK; 0: none. */
static PetscErrorCode is_dense(CospinSpectrum spectrum, PetscBool *dense)
{
  PetscInt limit = DENSE_LIMIT;

  PetscFunctionBeginUser;
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-dense_limit", &limit, NULL));
  PetscCall(PetscOptionsGetInt(NULL, spectrum->prefix, "-dense_limit", &limit, NULL));
  *dense = (PetscBool)(CospinSectorDimension(spectrum->sector) <= limit);
  PetscFunctionReturn(0);
}

/* Before anything is solved: the back end, and what counts as zero. */
static PetscErrorCode choose_solver(CospinProblem problem, CospinSpectrum spectrum)
{
  PetscReal norm;
  PetscBool dense;
  double weighed;
  Vec x;

  PetscFunctionBeginUser;
  PetscCall(is_dense(spectrum, &dense));
  PetscCall(MatNorm(spectrum->liouvillian, NORM_INFINITY, &norm));
  spectrum->norm = norm > 0 ? norm : 1.0;
  spectrum->scale = spectrum->norm;
  if (dense || !spectrum->davidson) {
    PetscCall(MatCreateVecs(spectrum->liouvillian, &x, NULL));
    PetscCall(CospinLiouvillianScale(spectrum->comm, problem->generator, spectrum->sector, x,
                                     &spectrum->scale, &weighed));
    PetscCall(VecDestroy(&x));
  }
  spectrum->solver = &CospinEigensolverFactors;
  if (spectrum->davidson) spectrum->solver = &CospinEigensolverDavidson;
  if (dense) spectrum->solver = &CospinEigensolverDense;
  spectrum->resolution = 10 * PETSC_MACHINE_EPSILON * spectrum->scale;
  if (spectrum->davidson && !dense) spectrum->resolution = davidson_resolution * spectrum->scale;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumCreate(MPI_Comm comm, CospinProblem problem, const int representative[],
                                    const char prefix[], CospinSpectra *living, CospinSpectrum *spectrum)
{
  CospinSpectrum new;
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
  new->generator = problem->generator;
  new->system = &problem->system;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &new->sector));
  if (CospinSectorDimension(new->sector) == 0) {
    PetscCall(CospinSpectrumDestroy(&new));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscStrallocpy(prefix, &new->prefix));
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
  new->first_shift = (new->iterative ? iterative_shift_over_norm : shift_over_norm) * new->norm;
  new->shift = new->first_shift;
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
  PetscCall(CospinDenseDestroy(&(*spectrum)->dense));
  PetscCall(PetscFree((*spectrum)->prefix));
  PetscCall(MatDestroy(&(*spectrum)->shell));
  PetscCall(MatDestroy(&(*spectrum)->liouvillian));
  PetscCall(CospinSectorDestroy(&(*spectrum)->sector));
  PetscCall(PetscFree(*spectrum));
  PetscFunctionReturn(0);
}

/* ---- What the back ends do
 * -----------------------------------------------------------------------------------
 */

PetscErrorCode CospinSpectrumNull(CospinSpectrum spectrum, int *num, Vec **null, double complex *next)
{
  PetscFunctionBeginUser;
  PetscCall(spectrum->solver->Null(spectrum, num, null, next));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumLeftNull(CospinSpectrum spectrum, int *num, Vec **null)
{
  PetscFunctionBeginUser;
  PetscCall(spectrum->solver->LeftNull(spectrum, num, null));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumSlowest(CospinSpectrum spectrum, int count, int num_deflate, Vec deflate[],
                                     PetscBool left, int *num, CospinMode modes[])
{
  PetscFunctionBeginUser;
  *num = 0;
  if (CospinSectorDimension(spectrum->sector) <= num_deflate) PetscFunctionReturn(0);
  PetscCall(spectrum->solver->Slowest(spectrum, count, num_deflate, deflate, left, num, modes));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumApplyInverse(CospinSpectrum spectrum, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall((spectrum->davidson ? CospinShellApplyInverse : CospinFactorsApplyInverse)(spectrum, x, y));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumResolvent(CospinSpectrum spectrum, double complex s, Vec b, Vec a, Vec right,
                                       Vec left)
{
  PetscFunctionBeginUser;
  PetscCall(
      (spectrum->davidson ? CospinShellResolvent : CospinFactorsResolvent)(spectrum, s, b, a, right, left));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumWeigh(CospinSpectrum spectrum, Vec x, double *weighed)
{
  double largest;
  PetscReal sum;

  PetscFunctionBeginUser;
  if (spectrum->shell) {
    PetscCall(VecNorm(x, NORM_1, &sum));
    *weighed = spectrum->scale * sum;
  } else {
    PetscCall(
        CospinLiouvillianScale(spectrum->comm, spectrum->generator, spectrum->sector, x, &largest, weighed));
  }
  PetscFunctionReturn(0);
}

PetscBool CospinModeLasts(CospinSpectrum spectrum, const CospinMode *mode)
{
  const double error = PetscMax(spectrum->resolution, mode->error); /* NaN: the former */

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

/* ---- Helpers
 * -------------------------------------------------------------------------------------------------
 */

PetscErrorCode CospinSpectrumResidual(CospinSpectrum spectrum, PetscScalar lambda, Vec x, double *residual)
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

PetscErrorCode CospinSpectrumIrregular(CospinSpectrum spectrum, Vec *vector)
{
  const double golden = 0.61803398874989485;
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(spectrum->liouvillian, vector, NULL));
  PetscCall(VecGetOwnershipRange(*vector, &begin, &end));
  PetscCall(VecGetArrayWrite(*vector, &array));
  for (PetscInt i = begin; i < end; i++) {
    const double turns = golden * (double)(i + 1);
    array[i - begin] = 1.0 + turns - PetscFloorReal(turns);
  }
  PetscCall(VecRestoreArrayWrite(*vector, &array));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSpectrumTrace(CospinSpectrum spectrum, Vec *trace)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(spectrum->liouvillian, trace, NULL));
  PetscCall(VecGetOwnershipRange(*trace, &begin, &end));
  PetscCall(VecGetArrayWrite(*trace, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(spectrum->sector, i, label);
    array[i - begin] = CospinSystemTrace(spectrum->system, label);
  }
  PetscCall(VecRestoreArrayWrite(*trace, &array));
  PetscFunctionReturn(0);
}
