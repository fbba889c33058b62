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

enum { MAX_SCHUR = 128, MAX_EXTRA = 16, FAR_LOOKS = 20, FEW_LOOKS = 5 };
static const double wanted_quality = 100.0, null_tolerance = 1e-13, next_tolerance = 0.05, hopeless = 0.2;
static PetscErrorCode create_null_search(CospinEigensolver eigensolver, PetscBool adjoint,
                                         CospinDavidson *davidson)
{
  CospinDavidsonOptions options;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonPrepare(eigensolver, 0.0));
  PetscCall(CospinDavidsonGetOptions(eigensolver, &options));
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
    PetscCall(CospinDavidsonStart(eigensolver, k, &start));
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
  CospinDavidsonNote(eigensolver, davidson);
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

/* One more, closely. */
static PetscErrorCode find_closely(CospinEigensolver eigensolver, CospinDavidson davidson, int k,
                                   PetscScalar *value, Vec *vector, double *residual, PetscBool *converged)
{
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonStart(eigensolver, k, &start));
  PetscCall(CospinDavidsonNext(davidson, start, eigensolver->backend->davidson->tolerance, 0.0, value, vector,
                               residual, converged));
  PetscCall(VecDestroy(&start));
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
  PetscCall(CospinDavidsonGetOptions(eigensolver, &options));
  options.adjoint = PETSC_TRUE;
  options.nearest = PETSC_TRUE;
  options.target = (PetscScalar)conj(lambda);
  PetscCall(CospinDavidsonCreate(&options, 0, NULL, &davidson));
  for (int k = first; k < num; k++) {
    PetscBool converged;
    PetscScalar found;
    double residual;
    if (modes[k].left || !CospinModesEqual(eigensolver, &modes[first], &modes[k])) continue;
    PetscCall(find_closely(eigensolver, davidson, k, &found, &modes[k].left, &residual, &converged));
    if (!converged ||
        !CospinModesEqual(eigensolver, &modes[first], &(CospinMode){.lambda = conj((double complex)found)}))
      eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
    PetscCall(CospinDavidsonLock(davidson, modes[k].left));
  }
  CospinDavidsonNote(eigensolver, davidson);
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
  double beyond;        /* distance from the target of the nearest eigenvalue that is known but no mode */
  Vec schur[MAX_SCHUR]; /* of what is deflated, and of the modes */
  CospinMode modes[MAX_SCHUR];
} ModeSearch;

/* One more mode, closely. */
static PetscErrorCode find_mode(CospinEigensolver eigensolver, ModeSearch *search, PetscBool *converged)
{
  CospinMode *mode = &search->modes[search->num];
  const int num = search->num_deflate + search->num;
  PetscScalar lambda;

  PetscFunctionBeginUser;
  PetscCall(find_closely(eigensolver, search->davidson, search->num, &lambda, &search->schur[num],
                         &eigensolver->reached, converged));
  if (*converged) PetscCall(CospinDavidsonLock(search->davidson, search->schur[num]));
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

/* The next one, roughly; whether it may be slower than `rate`. *vector is owned by the caller. */
static PetscErrorCode look(CospinEigensolver eigensolver, CospinDavidson davidson, int k, double rate,
                           ModeSearch *search, Vec *vector, PetscBool *slower)
{
  const double precisions[] = {next_tolerance, 0.02 * next_tolerance};
  const int looks =
      eigensolver->backend->davidson->nearest ? 2 : 1; /* the second where the first cannot tell */
  PetscBool converged;
  PetscScalar lambda;
  double residual;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(CospinDavidsonStart(eigensolver, k, &start));
  *vector = NULL;
  *slower = PETSC_TRUE;
  for (int i = 0; i < looks && *slower; i++) {
    PetscCall(VecDestroy(vector));
    PetscCall(CospinDavidsonNext(davidson, start, eigensolver->backend->davidson->tolerance, precisions[i],
                                 &lambda, vector, &residual, &converged));
    search->beyond = PetscAbsScalar(lambda - PETSC_i * eigensolver->iteration_centre);
    *slower =
        (PetscBool)(!converged || -PetscRealPart(lambda) < rate + 2 * precisions[i] * PetscAbsScalar(lambda));
  }
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* Some more next to zero, from another start: one that oscillates may be slower though it is not next. */
static PetscErrorCode look_far(CospinEigensolver eigensolver, const CospinDavidsonOptions *options,
                               double rate, PetscInt64 left_over, ModeSearch *search, PetscBool *slower)
{
  const int known = search->num_deflate + search->num;
  /* the slowest of a Metzler matrix is real: nothing turns before it */
  const PetscBool certain = (PetscBool)(eigensolver->metzler && known == 1 && search->num == 1);
  const int looks = certain ? 1 : FAR_LOOKS;
  CospinDavidson davidson;

  PetscFunctionBeginUser;
  *slower = PETSC_FALSE;
  PetscCall(CospinDavidsonCreate(options, known, search->schur, &davidson));
  for (int k = 0; k < looks && search->num + k < left_over && !*slower; k++) {
    Vec vector;
    PetscCall(look(eigensolver, davidson, known + k, rate, search, &vector, slower));
    if (!*slower) PetscCall(CospinDavidsonLock(davidson, vector));
    PetscCall(VecDestroy(&vector));
    if (search->beyond > wanted_quality * rate) break; /* it would turn a hundred times while it decays */
    if (k == FEW_LOOKS && search->beyond < hopeless * wanted_quality * rate) break;
  }
  CospinDavidsonNote(eigensolver, davidson);
  PetscCall(CospinDavidsonDestroy(&davidson));
  PetscFunctionReturn(0);
}

/* Whether one that is not known may be slower than `rate`. */
static PetscErrorCode may_be_slower(CospinEigensolver eigensolver, const CospinDavidsonOptions *options,
                                    double rate, PetscInt64 left_over, ModeSearch *search, PetscBool *slower)
{
  Vec vector;

  PetscFunctionBeginUser;
  if (eigensolver->backend->davidson->nearest) {
    PetscCall(look_far(eigensolver, options, rate, left_over, search, slower));
    PetscFunctionReturn(0);
  }
  PetscCall(look(eigensolver, search->davidson, search->num, rate, search, &vector, slower));
  PetscCall(VecDestroy(&vector));
  PetscFunctionReturn(0);
}

/* The slowest are found first, most often: another one, that turns out to be faster, confirms it. */
static PetscErrorCode find_modes(CospinEigensolver eigensolver, const CospinDavidsonOptions *options,
                                 int count, PetscInt64 left_over, ModeSearch *search)
{
  const int most = PetscMin(count + MAX_EXTRA, MAX_SCHUR - 1 - search->num_deflate);
  PetscBool converged = PETSC_TRUE, more = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (more) {
    double rate = search->num < count ? INFINITY : slowest_rate(search, count);
    PetscCall(find_mode(eigensolver, search, &converged));
    more = (PetscBool)(converged && search->num < left_over &&
                       (options->nearest || -creal(search->modes[search->num - 1].lambda) < rate));
    if (!more || search->num < count) continue;
    rate = slowest_rate(search, count);
    PetscCall(may_be_slower(eigensolver, options, rate, left_over, search, &more));
    if (more && search->num >= most) more = converged = PETSC_FALSE;
  }
  if (!converged) eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

/* Next to the target nothing has been missed; of those with the largest real parts nothing is known of faster
   rotation. */
static double horizon_of(CospinEigensolver eigensolver, int count, const ModeSearch *search)
{
  double radius = search->beyond * (1.0 - next_tolerance), rate;

  if (!eigensolver->backend->davidson->nearest || search->num < count) return 0.0;
  if (eigensolver->metzler && count == 1 && search->num_deflate == 0) return INFINITY; /* it is real */
  rate = slowest_rate(search, count);
  for (int k = 0; k < search->num; k++)
    radius = PetscMax(radius, cabs(search->modes[k].lambda - I * eigensolver->iteration_centre));
  return radius > rate ? PetscSqrtReal(radius * radius - rate * rate) : 0.0;
}

/* Factors, where they fit, look as far: what iterations have not seen is theirs then. */
static void judge_horizon(CospinEigensolver eigensolver, int count, const ModeSearch *search)
{
  const double nearly = 0.9;

  if (!eigensolver->backend->factors_see_more || eigensolver->iterative || search->num < count) return;
  if (!(eigensolver->horizon >= nearly * wanted_quality * slowest_rate(search, count)))
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
}

PetscErrorCode CospinDavidsonSlowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                                     PetscBool left, int *num, CospinMode modes[])
{
  const PetscInt64 left_over = CospinSectorDimension(eigensolver->sector) - num_deflate;
  CospinDavidsonOptions options;
  const CospinOutcome before = eigensolver->outcome;
  ModeSearch search = {.num_deflate = num_deflate};

  PetscFunctionBeginUser;
  PetscCheck(count + num_deflate < MAX_SCHUR, eigensolver->comm, PETSC_ERR_SUP,
             "%d eigenvalues without a matrix (at most %d)", count, (int)MAX_SCHUR - num_deflate - 1);
  PetscCall(CospinDavidsonPrepare(eigensolver, eigensolver->centre));
  PetscCall(CospinDavidsonGetOptions(eigensolver, &options));
  PetscCall(orthonormal_copies(num_deflate, deflate, search.schur));
  PetscCall(CospinDavidsonCreate(&options, num_deflate, search.schur, &search.davidson));
  PetscCall(find_modes(eigensolver, &options, count, left_over, &search));
  eigensolver->horizon = search.num == left_over ? PETSC_INFINITY : horizon_of(eigensolver, count, &search);
  judge_horizon(eigensolver, count, &search);
  PetscCall(CospinModesSort(eigensolver, search.num, search.modes));
  PetscCall(CospinModesErrors(eigensolver, search.num, search.modes));
  *num = PetscMin(count, search.num);
  for (int k = 0; k < *num; k++) modes[k] = search.modes[k];
  PetscCall(CospinModesDestroy(search.num - *num, search.modes + *num));
  if (eigensolver->backend->factors_see_more && eigensolver->outcome < before)
    left = PETSC_FALSE; /* all will be dropped */
  if (left) PetscCall(find_left(eigensolver, *num, modes));
  CospinDavidsonNote(eigensolver, search.davidson);
  for (int k = 0; k < num_deflate + search.num; k++) PetscCall(VecDestroy(&search.schur[k]));
  PetscCall(CospinDavidsonDestroy(&search.davidson));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendDavidson = {.name = "davidson",
                                             .Null = Null,
                                             .LeftNull = LeftNull,
                                             .Slowest = CospinDavidsonSlowest,
                                             .davidson = &CospinDavidsonBetweenJumps};
