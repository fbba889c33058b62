/*
   Davidson's method (davidson.h has the algorithm): the basis V and its images A V, the projected matrix V^H
   A V and its eigenpairs on every rank.

   Where A is real in suitable phases, so is the basis, as long as all eigenvectors that are locked are: of a
   step that is complex, towards one of two conjugate eigenvalues, the larger of both parts is taken, and the
   next steps bring the other one.

   Eigenvectors that were found are locked: as Schur vectors Q, orthonormal, they are projected out of
   everything that enters the basis. The basis then loses the vector and keeps the next ones, so that the
   search for the following eigenvalue starts from what is known of it (Sleijpen, van der Vorst, SIAM J.
   Matrix Anal. Appl. 17, 401 (1996), for the same idea with a correction equation). When the basis is full
   it restarts with the better half of its Ritz vectors.

   Every decision that ranks take by numbers is taken by the same bits: eigenpairs of the small matrix come
   from the first rank.
*/
#include "davidson.h"
#include "basis.h"
#include <slepcblaslapack.h>

/* At most: vectors of the basis, each with its image beside it, and eigenvectors that were found. */
enum { MAX_BASIS = 30, MAX_LOCKED = 128 };
/* What is left of a vector that lies in the basis already. */
static const double dependent = 1e-10;
/* Below it what is left is made orthogonal once more, or rounding counts as a direction. */
static const double little = 1e-3;
/* Steps that do not halve the residual: then each may cost more; and when it is rounding, and will do. */
enum { PATIENCE = 20, LONG_PATIENCE = 30 };
/* In units of |A|: an eigenvalue below it may be zero and is never found only roughly. */
static const double small_value = 1e-6;

struct CospinDavidson_ {
  CospinDavidsonOptions options;
  MPI_Comm comm;
  PetscInt dimension;
  int num_locked, size, steps;
  PetscBool hard; /* a search has led nowhere by cheap steps */
  int most;       /* columns of the basis: what memory allows; half of them are kept in a restart */
  Vec locked[MAX_LOCKED];
  CospinBasis basis, images; /* V and A V, `size` columns in use */
  Vec residual, extension, image;
  PetscScalar *projected;        /* V^H A V, [MAX_BASIS][MAX_BASIS] column after column */
  PetscScalar *values, *vectors; /* its eigenpairs, best first; vectors of 2-norm 1 */
};

/* Both bases are real or neither is. */
static PetscErrorCode make_complex(CospinDavidson davidson)
{
  PetscFunctionBeginUser;
  PetscCall(CospinBasisMakeComplex(davidson->basis));
  PetscCall(CospinBasisMakeComplex(davidson->images));
  PetscFunctionReturn(0);
}

/* One more that is known. */
static PetscErrorCode add_locked(CospinDavidson davidson, Vec vector)
{
  PetscBool real = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCheck(davidson->num_locked < MAX_LOCKED, davidson->comm, PETSC_ERR_SUP, "More than %d eigenvectors",
             (int)MAX_LOCKED);
  PetscCall(PetscObjectReference((PetscObject)vector));
  davidson->locked[davidson->num_locked++] = vector;
  if (CospinBasisIsReal(davidson->basis)) PetscCall(CospinIsReal(davidson->options.turned, vector, &real));
  if (!real) PetscCall(make_complex(davidson));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDavidsonCreate(const CospinDavidsonOptions *options, int num_locked, const Vec locked[],
                                    CospinDavidson *davidson)
{
  CospinDavidson new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->options = *options;
  new->comm = PetscObjectComm((PetscObject)options->matrix);
  PetscCall(MatGetSize(options->matrix, &new->dimension, NULL));
  new->most = options->basis;
  PetscCheck(new->most <= MAX_BASIS, new->comm, PETSC_ERR_PLIB, "A basis of %d vectors", new->most);
  PetscCall(MatCreateVecs(options->matrix, &new->residual, &new->extension));
  PetscCall(VecDuplicate(new->residual, &new->image));
  PetscCall(CospinBasisCreate(new->residual, new->most, options->turned, &new->basis));
  PetscCall(CospinBasisCreate(new->residual, new->most, options->turned, &new->images));
  PetscCall(PetscMalloc3(MAX_BASIS * MAX_BASIS, &new->projected, MAX_BASIS, &new->values,
                         MAX_BASIS * MAX_BASIS, &new->vectors));
  for (int k = 0; k < num_locked; k++) PetscCall(add_locked(new, locked[k]));
  *davidson = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDavidsonDestroy(CospinDavidson *davidson)
{
  PetscFunctionBeginUser;
  if (!*davidson) PetscFunctionReturn(0);
  for (int k = 0; k < (*davidson)->num_locked; k++) PetscCall(VecDestroy(&(*davidson)->locked[k]));
  PetscCall(CospinBasisDestroy(&(*davidson)->basis));
  PetscCall(CospinBasisDestroy(&(*davidson)->images));
  PetscCall(VecDestroy(&(*davidson)->residual));
  PetscCall(VecDestroy(&(*davidson)->extension));
  PetscCall(VecDestroy(&(*davidson)->image));
  PetscCall(PetscFree3((*davidson)->projected, (*davidson)->values, (*davidson)->vectors));
  PetscCall(PetscFree(*davidson));
  PetscFunctionReturn(0);
}

int CospinDavidsonSteps(CospinDavidson davidson)
{
  return davidson->steps;
}

/* ---- The basis ----------------------------------------------------------------------------------------- */

/* x -= Q Q^H x Q is orthonormal, so one pass suffices beside the second one of the basis. */
static PetscErrorCode project_out(CospinDavidson davidson, Vec x)
{
  PetscScalar overlaps[MAX_LOCKED];

  PetscFunctionBeginUser;
  if (davidson->num_locked == 0) PetscFunctionReturn(0);
  PetscCall(VecMDot(x, davidson->num_locked, davidson->locked, overlaps));
  for (int k = 0; k < davidson->num_locked; k++) overlaps[k] = -overlaps[k];
  PetscCall(VecMAXPY(x, davidson->num_locked, overlaps, davidson->locked));
  PetscFunctionReturn(0);
}

/* Makes x orthonormal to everything; *norm: what was left of it. */
static PetscErrorCode orthonormalise(CospinDavidson davidson, Vec x, double *norm)
{
  PetscReal remaining = 0.0;

  PetscFunctionBeginUser;
  *norm = 1.0;
  if (CospinBasisIsReal(davidson->basis)) PetscCall(CospinRealPart(davidson->options.turned, x));
  for (int pass = 0; pass < 2 && *norm > 0 && (pass == 0 || *norm < little); pass++) {
    PetscCall(VecNormalize(x, &remaining));
    if (!(remaining > 0)) break;
    PetscCall(project_out(davidson, x));
    PetscCall(CospinBasisProject(davidson->basis, davidson->size, x));
    PetscCall(VecNorm(x, NORM_2, &remaining));
    *norm = PetscMin(*norm, remaining);
  }
  PetscCall(VecNormalize(x, NULL));
  if (!(remaining > 0)) *norm = 0.0;
  PetscFunctionReturn(0);
}

/* For left vectors the same search runs with the adjoint. */
static PetscErrorCode apply(CospinDavidson davidson, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  if (davidson->options.adjoint)
    PetscCall(MatMultHermitianTranspose(davidson->options.matrix, x, y));
  else
    PetscCall(MatMult(davidson->options.matrix, x, y));
  PetscFunctionReturn(0);
}

/* Column after column, with the leading dimension of the largest basis. */
static PetscScalar *element(CospinDavidson davidson, int i, int j)
{
  return &davidson->projected[j * MAX_BASIS + i];
}

/* Adds x, if it is new, with its image and its row and column of V^H A V. */
static PetscErrorCode extend(CospinDavidson davidson, Vec x, PetscBool *extended)
{
  PetscScalar row[MAX_BASIS];
  const int k = davidson->size;
  double norm = 0.0;

  PetscFunctionBeginUser;
  *extended = (PetscBool)(k + davidson->num_locked < davidson->dimension);
  if (*extended) PetscCall(orthonormalise(davidson, x, &norm));
  *extended = (PetscBool)(norm > dependent);
  if (!*extended) PetscFunctionReturn(0);
  PetscCall(CospinBasisSet(davidson->basis, k, x));
  PetscCall(apply(davidson, x, davidson->image));
  PetscCall(CospinBasisSet(davidson->images, k, davidson->image));
  davidson->size++;
  davidson->steps++;
  PetscCall(CospinBasisDot(davidson->basis, k + 1, davidson->image, element(davidson, 0, k)));
  PetscCall(CospinBasisDot(davidson->images, k, x, row)); /* image^H x */
  for (int j = 0; j < k; j++) *element(davidson, k, j) = PetscConj(row[j]);
  PetscFunctionReturn(0);
}

/* ---- The projected matrix ------------------------------------------------------------------------------ */

/* Smaller is better: next to the target, or with the largest real part. */
static double rank_of_value(const CospinDavidsonOptions *options, PetscScalar value)
{
  return options->nearest ? PetscAbsScalar(value - options->target) : -PetscRealPart(value);
}

/* Of a real matrix an eigenvalue that is real but for rounding has a real vector. */
static void drop_rounding(CospinDavidson davidson)
{
  const int k = davidson->size;

  for (int j = 0; j < k; j++) {
    double imaginary = PetscAbsReal(PetscImaginaryPart(davidson->values[j])) / davidson->options.norm;
    for (int i = 0; i < k; i++)
      imaginary = PetscMax(imaginary, PetscAbsReal(PetscImaginaryPart(davidson->vectors[j * k + i])));
    if (imaginary > dependent) continue;
    davidson->values[j] = PetscRealPart(davidson->values[j]);
    for (int i = 0; i < k; i++) davidson->vectors[j * k + i] = PetscRealPart(davidson->vectors[j * k + i]);
  }
}

/* Eigenpairs of V^H A V, best first, the same bits on every rank. Not balanced: that would take the rounding
   errors of what is nearly an invariant space for small elements, and lose half of the digits. */
static PetscErrorCode solve_projected(CospinDavidson davidson)
{
  const int k = davidson->size;
  PetscBLASInt n = k, one = 1, work_size = 8 * MAX_BASIS, info, low, high;
  PetscScalar copy[MAX_BASIS * MAX_BASIS], vectors[MAX_BASIS * MAX_BASIS], values[MAX_BASIS],
      work[8 * MAX_BASIS], unused;
  double real_work[2 * MAX_BASIS], scales[MAX_BASIS], norm, conditions[2];
  int order[MAX_BASIS];

  PetscFunctionBeginUser;
  for (int j = 0; j < k; j++) {
    for (int i = 0; i < k; i++) copy[j * k + i] = *element(davidson, i, j);
    order[j] = j;
  }
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeevx_("N", "N", "V", "N", &n, copy, &n, values, &unused, &one, vectors, &n, &low, &high, scales,
               &norm, &conditions[0], &conditions[1], work, &work_size, real_work, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's geevx returned %d", (int)info);
  for (int i = 1; i < k; i++) { /* insertion: few, and stable */
    for (int j = i; j > 0 && rank_of_value(&davidson->options, values[order[j]]) <
                                 rank_of_value(&davidson->options, values[order[j - 1]]);
         j--) {
      const int swap = order[j];
      order[j] = order[j - 1];
      order[j - 1] = swap;
    }
  }
  for (int j = 0; j < k; j++) {
    davidson->values[j] = values[order[j]];
    PetscCall(PetscArraycpy(davidson->vectors + j * k, vectors + order[j] * k, k));
  }
  if (CospinBasisIsReal(davidson->basis)) drop_rounding(davidson);
  PetscCallMPI(MPI_Bcast(davidson->values, k, MPI_C_DOUBLE_COMPLEX, 0, davidson->comm));
  PetscCallMPI(MPI_Bcast(davidson->vectors, k * k, MPI_C_DOUBLE_COMPLEX, 0, davidson->comm));
  PetscFunctionReturn(0);
}

/* What is left of x[size] beside columns[kept][size], normalised; false if nothing is. */
static PetscBool orthonormal_to(int size, int kept, const PetscScalar columns[], PetscScalar x[])
{
  double norm = 0.0;

  for (int pass = 0; pass < 2; pass++) {
    for (int c = 0; c < kept; c++) {
      PetscScalar overlap = 0.0;
      for (int i = 0; i < size; i++) overlap += PetscConj(columns[c * size + i]) * x[i];
      for (int i = 0; i < size; i++) x[i] -= overlap * columns[c * size + i];
    }
  }
  for (int i = 0; i < size; i++) norm += PetscSqr(PetscAbsScalar(x[i]));
  norm = PetscSqrtReal(norm);
  for (int i = 0; i < size && norm >= dependent; i++) x[i] /= norm;
  return (PetscBool)(norm >= dependent);
}

/* Orthonormal columns[kept] of the span of eigenvectors first, first + 1, ..., orthogonal to those before. Of
   a real basis both parts of an eigenvector count, so that what is kept is real, too. */
static int orthonormal_vectors(CospinDavidson davidson, int first, int wanted, PetscScalar columns[])
{
  const int k = davidson->size, parts = CospinBasisIsReal(davidson->basis) ? 2 : 1;
  int kept = 0;

  for (int v = 0; v < k * parts && kept < first + wanted; v++) {
    const PetscScalar *vector = davidson->vectors + v / parts * k;
    PetscScalar *x = columns + kept * k;
    for (int i = 0; i < k; i++)
      x[i] = parts == 1 ? vector[i] : v % 2 ? PetscImaginaryPart(vector[i]) : PetscRealPart(vector[i]);
    if (orthonormal_to(k, kept, columns, x)) kept++;
  }
  for (int i = 0; i < (kept - first) * k; i++) columns[i] = columns[first * k + i];
  return PetscMax(kept - first, 0);
}

/* V <- V U with U from the eigenvectors number first ... */
static PetscErrorCode restart(CospinDavidson davidson, int first, int wanted)
{
  const int k = davidson->size;
  PetscScalar columns[MAX_BASIS * (MAX_BASIS + 1)], image[MAX_BASIS], rotated[MAX_BASIS * MAX_BASIS];
  const int kept = orthonormal_vectors(davidson, first, wanted, columns);

  PetscFunctionBeginUser;
  for (int c = 0; c < kept; c++) {
    for (int i = 0; i < k; i++) {
      image[i] = 0.0;
      for (int j = 0; j < k; j++) image[i] += *element(davidson, i, j) * columns[c * k + j];
    }
    for (int r = 0; r < kept; r++) {
      rotated[c * MAX_BASIS + r] = 0.0;
      for (int i = 0; i < k; i++) rotated[c * MAX_BASIS + r] += PetscConj(columns[r * k + i]) * image[i];
    }
  }
  /* U^H (V^H A V) U on every rank: no products with A are needed to restart. */
  PetscCall(PetscArraycpy(davidson->projected, rotated, MAX_BASIS * kept));
  davidson->size = kept;
  if (kept == 0) PetscFunctionReturn(0);
  PetscCall(CospinBasisRotate(davidson->basis, k, kept, columns));
  PetscCall(CospinBasisRotate(davidson->images, k, kept, columns));
  PetscFunctionReturn(0);
}

/* ---- The iteration ------------------------------------------------------------------------------------- */

/* The residual of the best pair, relative to |A|; its vector goes to `extension`. Of the best pair; it is
 * computed from V and A V, without a product. */
static PetscErrorCode compute_residual(CospinDavidson davidson, double *relative)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(CospinBasisCombine(davidson->basis, davidson->size, davidson->vectors, davidson->extension));
  PetscCall(CospinBasisCombine(davidson->images, davidson->size, davidson->vectors, davidson->residual));
  PetscCall(VecAXPY(davidson->residual, -davidson->values[0], davidson->extension));
  PetscCall(project_out(davidson, davidson->residual));
  PetscCall(VecNorm(davidson->residual, NORM_2, &norm));
  *relative = norm / davidson->options.norm;
  PetscFunctionReturn(0);
}

/* The best pair becomes known, the basis loses it. */
PetscErrorCode CospinDavidsonLock(CospinDavidson davidson, Vec vector)
{
  PetscFunctionBeginUser;
  PetscCall(add_locked(davidson, vector));
  PetscCall(restart(davidson, 1, davidson->most / 2));
  PetscFunctionReturn(0);
}

/* Whatever is new, where all that seemed to lead somewhere is known. */
static PetscErrorCode extend_somehow(CospinDavidson davidson, PetscBool *extended)
{
  PetscFunctionBeginUser;
  for (PetscInt i = 0; i < davidson->dimension && i < 2 * (MAX_LOCKED + MAX_BASIS) && !*extended; i++) {
    PetscCall(VecSet(davidson->extension, 0.0));
    PetscCall(VecSetValue(davidson->extension, i, 1.0, INSERT_VALUES));
    PetscCall(VecAssemblyBegin(davidson->extension));
    PetscCall(VecAssemblyEnd(davidson->extension));
    PetscCall(extend(davidson, davidson->extension, extended));
  }
  PetscFunctionReturn(0);
}

/* The next direction: M r, or anything that is new. */
static PetscErrorCode step(CospinDavidson davidson, Vec start, PetscBool *extended)
{
  const CospinDavidsonOptions *options = &davidson->options;

  PetscFunctionBeginUser;
  if (davidson->size == davidson->most) PetscCall(restart(davidson, 0, davidson->most / 2));
  PetscCall(options->precondition(options->context, options->adjoint, davidson->hard, davidson->residual,
                                  davidson->extension));
  PetscCall(extend(davidson, davidson->extension, extended));
  if (*extended) PetscFunctionReturn(0);
  PetscCall(VecPointwiseMult(davidson->extension, start, davidson->residual));
  PetscCall(extend(davidson, davidson->extension, extended));
  PetscFunctionReturn(0);
}

/* Whether steps lead somewhere: how many of them since the residual was last halved. */
typedef struct {
  double mark;
  int idle;
} Progress;

static int idle_steps(Progress *progress, double residual)
{
  if (residual <= 0.5 * progress->mark) *progress = (Progress){residual, 0};
  return progress->idle++;
}

PetscErrorCode CospinDavidsonNext(CospinDavidson davidson, Vec start, double tolerance, double relative,
                                  PetscScalar *value, Vec *vector, double *residual, PetscBool *converged)
{
  const int last = davidson->steps + davidson->options.max_steps;
  Progress progress = {PETSC_INFINITY, 0};
  PetscBool extended;
  double size;
  int idle;

  PetscFunctionBeginUser;
  *vector = NULL;
  *converged = PETSC_FALSE;
  *residual = PETSC_INFINITY;
  *value = 0.0;
  if (davidson->size == davidson->most) PetscCall(restart(davidson, 0, davidson->most / 2));
  PetscCall(VecCopy(start, davidson->extension));
  PetscCall(extend(davidson, davidson->extension, &extended));
  if (davidson->size == 0) PetscCall(extend_somehow(davidson, &extended));
  while (davidson->size > 0) {
    PetscCall(solve_projected(davidson));
    PetscCall(compute_residual(davidson, residual));
    *value = davidson->values[0];
    size = PetscAbsScalar(*value) / davidson->options.norm;
    *converged =
        (PetscBool)(*residual <= (size > small_value ? PetscMax(tolerance, relative * size) : tolerance));
    if (*converged || davidson->steps >= last) break;
    PetscCall(CospinInterruptCheck(davidson->options.interrupt));
    idle = idle_steps(&progress, *residual);
    if (idle >= LONG_PATIENCE && progress.mark <= davidson->options.accepted) break;
    if (idle >= PATIENCE && *residual > davidson->options.accepted) davidson->hard = PETSC_TRUE;
    PetscCall(step(davidson, start, &extended));
    if (*residual > davidson->options.accepted) PetscCall(extend_somehow(davidson, &extended));
    if (!extended) break;
  }
  if (davidson->size == 0) PetscFunctionReturn(0);
  PetscCall(solve_projected(davidson)); /* a last step may have come to nothing */
  PetscCall(compute_residual(davidson, residual));
  *value = davidson->values[0];
  PetscCall(VecDuplicate(davidson->extension, vector));
  PetscCall(VecCopy(davidson->extension, *vector));
  if (!*converged) *converged = (PetscBool)(*residual <= davidson->options.accepted);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDavidsonForget(CospinDavidson davidson)
{
  PetscFunctionBeginUser;
  davidson->size = 0;
  PetscFunctionReturn(0);
}
