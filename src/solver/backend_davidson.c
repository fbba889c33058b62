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

enum { MAX_SCHUR = 128, MAX_STEPS = 1500, MAX_EXTRA = 16 };
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
                                     .accepted = accepted,
                                     .norm = eigensolver->norm,
                                     .interrupt = eigensolver->interrupt,
                                     .max_steps = (int)max_steps,
                                     .basis = eigensolver->basis};
  PetscFunctionReturn(0);
}

/* The k-th of many starts that have little to do with each other: of equal eigenvalues each shows one vector.
 */
static PetscErrorCode create_start(CospinEigensolver eigensolver, int k, Vec *start)
{
  const double turns = 100.0;
  PetscScalar *array;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverIrregular(eigensolver, start));
  PetscCall(VecGetLocalSize(*start, &size));
  PetscCall(VecGetArray(*start, &array));
  for (PetscInt i = 0; i < size && k > 0; i++)
    array[i] = PetscExpScalar(PETSC_i * turns * k * PetscRealPart(array[i]));
  PetscCall(VecRestoreArray(*start, &array));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_null_search(CospinEigensolver eigensolver, PetscBool adjoint,
                                         CospinDavidson *davidson)
{
  CospinDavidsonOptions options;

  PetscFunctionBeginUser;
  PetscCall(prepare(eigensolver));
  PetscCall(get_options(eigensolver, &options));
  options.nearest = PETSC_TRUE;
  options.adjoint = adjoint;
  PetscCall(CospinDavidsonCreate(&options, 0, NULL, davidson));
  PetscFunctionReturn(0);
}

/* The first one (k = 0, where there is a trace) from the identity, closely; whoever is left from an irregular
   vector. An eigenvalue that is rather small is looked at closely before it counts as one that is not zero.
   *found: it is zero. */
static PetscErrorCode next_null(CospinEigensolver eigensolver, CospinDavidson davidson, int k,
                                double complex *lambda, Vec *vector, PetscBool *converged, PetscBool *found)
{
  const PetscBool first = (PetscBool)(k == 0 && eigensolver->has_trace);
  PetscScalar value;
  Vec start;

  PetscFunctionBeginUser;
  if (first)
    PetscCall(CospinEigensolverTrace(eigensolver, &start));
  else
    PetscCall(create_start(eigensolver, k, &start));
  PetscCall(CospinDavidsonForget(davidson)); /* it may know a mode next to zero, and go no further */
  PetscCall(CospinDavidsonNext(davidson, start, null_tolerance, first ? 0.0 : next_tolerance, &value, vector,
                               &eigensolver->reached, converged));
  PetscCall(VecDestroy(&start));
  *lambda = (double complex)value;
  *found = (PetscBool)(*converged && cabs(*lambda) <= eigensolver->resolution);
  if (*found)
    PetscCall(CospinDavidsonLock(davidson, *vector));
  else
    PetscCall(VecDestroy(vector));
  PetscFunctionReturn(0);
}

/* The nearest to zero of those that are not. */
static void note_next(CospinEigensolver eigensolver, double complex lambda, double complex *next)
{
  if (cabs(lambda) >= cabs(*next)) return;
  *next = lambda;
  eigensolver->next = eigensolver->separation = cabs(lambda);
}

/* Of L, or (adjoint) of L^H. What a basis finds next to zero need not be what is there: there are no more
   null vectors once a second basis, from elsewhere, finds none. */
static PetscErrorCode find_null(CospinEigensolver eigensolver, PetscBool adjoint, int *num, Vec **null,
                                double complex *next)
{
  PetscBool converged = PETSC_TRUE, found = PETSC_TRUE;
  CospinDavidson davidson;
  PetscInt dimension;
  int looks = 0; /* that found none */

  PetscFunctionBeginUser;
  *num = 0;
  *next = CMPLX(NAN, NAN);
  PetscCall(PetscCalloc1(COSPIN_MAX_NULL, null));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(create_null_search(eigensolver, adjoint, &davidson));
  while (converged && looks < 1 && *num < COSPIN_MAX_NULL && *num < dimension) {
    double complex lambda;
    PetscCall(next_null(eigensolver, davidson, *num + looks, &lambda, &(*null)[*num], &converged, &found));
    if (found) (*num)++;
    if (found || !converged) continue;
    note_next(eigensolver, lambda, next);
    looks++;
  }
  if (!converged || (found && *num < dimension))
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  eigensolver->iterations += CospinDavidsonSteps(davidson);
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

/* Left vectors of modes[first] and of all behind it that have its eigenvalue: Schur vectors of the adjoint.
 */
static PetscErrorCode find_equal_left(CospinEigensolver eigensolver, int num, CospinMode modes[], int first)
{
  const double complex lambda = modes[first].lambda;
  CospinDavidsonOptions options;
  CospinDavidson davidson;

  PetscFunctionBeginUser;
  PetscCall(get_options(eigensolver, &options));
  options.adjoint = PETSC_TRUE;
  options.nearest = PETSC_TRUE;
  options.target = (PetscScalar)conj(lambda);
  PetscCall(CospinDavidsonCreate(&options, 0, NULL, &davidson));
  for (int k = first; k < num; k++) {
    PetscBool converged;
    PetscScalar found;
    double residual;
    Vec start;
    if (modes[k].left || !CospinModesEqual(eigensolver, &modes[first], &modes[k])) continue;
    PetscCall(create_start(eigensolver, k, &start));
    PetscCall(CospinDavidsonNext(davidson, start, mode_tolerance, 0.0, &found, &modes[k].left, &residual,
                                 &converged));
    PetscCall(VecDestroy(&start));
    if (!converged ||
        !CospinModesEqual(eigensolver, &modes[first], &(CospinMode){.lambda = conj((double complex)found)}))
      eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
    PetscCall(CospinDavidsonLock(davidson, modes[k].left));
  }
  eigensolver->iterations += CospinDavidsonSteps(davidson);
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscFunctionReturn(0);
}

/* y_k with y_k^H L = lambda_k y_k^H, y_a^H x_b = delta_ab; none rather than wrong ones. */
static PetscErrorCode find_left(CospinEigensolver eigensolver, int num, CospinMode modes[])
{
  PetscBool ok;

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    if (!modes[k].left) PetscCall(find_equal_left(eigensolver, num, modes, k));
  }
  PetscCall(CospinModesDual(eigensolver, num, modes, &ok));
  for (int k = 0; k < num; k++) {
    PetscReal size;
    PetscCall(VecNorm(modes[k].left, NORM_2, &size));
    modes[k].error = CospinModeError(eigensolver, &modes[k], ok ? size : INFINITY);
    if (!ok) PetscCall(VecDestroy(&modes[k].left));
  }
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

/* Modes in the order in which they are found. */
typedef struct {
  CospinDavidson davidson;
  int num_deflate, num;
  Vec schur[MAX_SCHUR]; /* of what is deflated, and of the modes */
  CospinMode modes[MAX_SCHUR];
} ModeSearch;

/* One more mode, closely. */
static PetscErrorCode find_mode(CospinEigensolver eigensolver, ModeSearch *search, PetscBool *converged)
{
  CospinMode *mode = &search->modes[search->num];
  const int num = search->num_deflate + search->num;
  PetscScalar lambda;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(create_start(eigensolver, search->num, &start));
  PetscCall(CospinDavidsonNext(search->davidson, start, mode_tolerance, 0.0, &lambda, &search->schur[num],
                               &eigensolver->reached, converged));
  if (*converged) PetscCall(CospinDavidsonLock(search->davidson, search->schur[num]));
  PetscCall(VecDestroy(&start));
  *mode = (CospinMode){.lambda = (double complex)lambda, .error = NAN};
  PetscCall(eigenvector(eigensolver, num + 1, search->schur, lambda, &mode->right));
  PetscCall(CospinEigensolverResidual(eigensolver, lambda, mode->right, &mode->residual));
  search->num++;
  PetscFunctionReturn(0);
}

/* The rate of the count-th slowest. */
static double slowest_rate(const ModeSearch *search, int count)
{
  double rates[MAX_SCHUR];

  for (int k = 0; k < search->num; k++) rates[k] = -creal(search->modes[k].lambda);
  (void)PetscSortReal(search->num, rates);
  return rates[count - 1];
}

/* Whether the next one, roughly, may be slower than `rate`. */
static PetscErrorCode may_be_slower(CospinEigensolver eigensolver, ModeSearch *search, double rate,
                                    PetscBool *slower)
{
  PetscBool converged;
  PetscScalar lambda;
  double residual;
  Vec vector, start;

  PetscFunctionBeginUser;
  PetscCall(create_start(eigensolver, search->num, &start));
  PetscCall(CospinDavidsonNext(search->davidson, start, mode_tolerance, next_tolerance, &lambda, &vector,
                               &residual, &converged));
  *slower =
      (PetscBool)(!converged || -PetscRealPart(lambda) < rate + 2 * next_tolerance * PetscAbsScalar(lambda));
  PetscCall(VecDestroy(&start));
  PetscCall(VecDestroy(&vector));
  PetscFunctionReturn(0);
}

/* The slowest are found first, most often: another one, that turns out to be faster, confirms it. */
static PetscErrorCode find_modes(CospinEigensolver eigensolver, int count, PetscInt64 left_over,
                                 ModeSearch *search)
{
  const int most = PetscMin(count + MAX_EXTRA, MAX_SCHUR - 1 - search->num_deflate);
  PetscBool converged = PETSC_TRUE, more = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (more) {
    double rate = search->num < count ? INFINITY : slowest_rate(search, count);
    PetscCall(find_mode(eigensolver, search, &converged));
    more = (PetscBool)(converged && search->num < left_over &&
                       -creal(search->modes[search->num - 1].lambda) < rate);
    if (!more || search->num < count) continue;
    rate = slowest_rate(search, count);
    PetscCall(may_be_slower(eigensolver, search, rate, &more));
    if (more && search->num >= most) more = converged = PETSC_FALSE;
  }
  if (!converged) eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const PetscInt64 left_over = CospinSectorDimension(eigensolver->sector) - num_deflate;
  CospinDavidsonOptions options;
  ModeSearch search = {.num_deflate = num_deflate};

  PetscFunctionBeginUser;
  PetscCheck(count + num_deflate < MAX_SCHUR, eigensolver->comm, PETSC_ERR_SUP,
             "%d eigenvalues without a matrix (at most %d)", count, (int)MAX_SCHUR - num_deflate - 1);
  PetscCall(prepare(eigensolver));
  PetscCall(get_options(eigensolver, &options));
  PetscCall(orthonormal_copies(num_deflate, deflate, search.schur));
  PetscCall(CospinDavidsonCreate(&options, num_deflate, search.schur, &search.davidson));
  PetscCall(find_modes(eigensolver, count, left_over, &search));
  PetscCall(CospinModesSort(eigensolver, search.num, search.modes));
  PetscCall(CospinModesErrors(eigensolver, search.num, search.modes));
  *num = PetscMin(count, search.num);
  for (int k = 0; k < *num; k++) modes[k] = search.modes[k];
  PetscCall(CospinModesDestroy(search.num - *num, search.modes + *num));
  if (left) PetscCall(find_left(eigensolver, *num, modes));
  /* nothing is known of faster rotation */
  eigensolver->horizon = search.num == left_over ? PETSC_INFINITY : 0.0;
  eigensolver->iterations += CospinDavidsonSteps(search.davidson);
  for (int k = 0; k < num_deflate + search.num; k++) PetscCall(VecDestroy(&search.schur[k]));
  PetscCall(CospinDavidsonDestroy(&search.davidson));
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
