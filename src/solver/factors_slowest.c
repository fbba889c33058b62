/*
   The slowest modes of a sector, by shift-and-invert beside its null vectors.

     slow modes far below the shift s look alike from there: s is moved to the size of the slowest one
     a mode that oscillates lies far from s: more eigenvalues are looked at until a slower one than those
   found would have to oscillate a hundred times while it decays (`horizon` tells how far was looked) the
   slowest are confirmed by a search from another vector with them deflated

   Deflation keeps iterates orthogonal to the vectors Q found so far. The eigenvalues of what is left are
   those of L, but its vectors obey L x = lambda x + Q h; since L Q = 0, the eigenvector of L is x + Q h /
   lambda.

   A Krylov space on one vector sees only one of equal eigenvalues, and of two that are nearly equal whichever
   its start has more of: that is what confirming is for. Without left vectors the condition of an eigenvalue
   is unknown, so rates are compared with ten times their residual.
*/
#include "factors.h"
#include "inverse.h"

enum {
  FIRST_ITERATIONS = 12,
  MOST_SOLVES = 14, /* of find_certain */
  MAX_SHIFTS = 6,
  NUM_EXTRA = 6,
  FEW_EXTRA = 2, /* where every solve is an iteration */
  MAX_WANTED = 63,
  MAX_WANTED_LARGE = 21,
  LARGE_DIMENSION = 5000
};
static const double wanted_quality = 100.0; /* |frequency|/rate up to which slower modes are looked for */
/* Rates that differ by less are equal; how closely those are looked at that may be. */
static const double equal_rates = 1e-8, close_look = 1e-11;
static const double some_conditions = 10.0; /* error of an eigenvalue over its residual */

/* x += Q (Q^H L x) / lambda; the columns of Q are orthogonal */
static PetscErrorCode undo_deflation(CospinEigensolver eigensolver, int num_deflate, Vec deflate[],
                                     PetscScalar lambda, Vec x)
{
  Vec image;
  PetscScalar h, size;

  PetscFunctionBeginUser;
  if (num_deflate == 0) PetscFunctionReturn(0);
  PetscCall(VecDuplicate(x, &image));
  PetscCall(MatMult(eigensolver->liouvillian, x, image));
  for (int k = 0; k < num_deflate; k++) {
    PetscCall(VecDot(image, deflate[k], &h));
    PetscCall(VecDot(deflate[k], deflate[k], &size));
    PetscCall(VecAXPY(x, h / (lambda * size), deflate[k]));
  }
  PetscCall(VecDestroy(&image));
  PetscFunctionReturn(0);
}

static PetscErrorCode get_mode(CospinEigensolver eigensolver, PetscInt k, int num_deflate, Vec deflate[],
                               CospinMode *mode)
{
  PetscScalar lambda;
  Vec right;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, &right, NULL));
  PetscCall(EPSGetEigenpair(eigensolver->eps, k, &lambda, NULL, right, NULL));
  PetscCall(undo_deflation(eigensolver, num_deflate, deflate, lambda, right));
  PetscCall(VecNormalize(right, NULL));
  *mode = (CospinMode){.lambda = lambda, .right = right, .error = NAN};
  PetscCall(CospinEigensolverResidual(eigensolver, lambda, right, &mode->residual));
  PetscFunctionReturn(0);
}

typedef struct {
  PetscInt wanted; /* of one run of the solver */
  int num_deflate;
  Vec *deflate; /* null vectors */
  int found;
  CospinMode *modes; /* slowest first */
} Search;

static PetscErrorCode clear(Search *search)
{
  PetscFunctionBeginUser;
  PetscCall(CospinModesDestroy(search->found, search->modes));
  PetscCall(PetscFree(search->modes));
  search->found = 0;
  PetscFunctionReturn(0);
}

/* One shift does not suit all: a mode that was found better before, from another one, is kept. */
static void keep_better(CospinEigensolver eigensolver, Search *search, int num, CospinMode modes[])
{
  for (int k = 0; k < num; k++) {
    const double close = equal_rates * cabs(modes[k].lambda) + eigensolver->resolution +
                         some_conditions * modes[k].residual * eigensolver->norm;
    for (int old = 0; old < search->found && modes[k].residual > COSPIN_FACTORS_POOR; old++) {
      const CospinMode mode = modes[k];
      if (search->modes[old].residual >= mode.residual ||
          cabs(search->modes[old].lambda - mode.lambda) > close)
        continue;
      modes[k] = search->modes[old];
      search->modes[old] = mode;
      break;
    }
  }
}

/* What one run of the solver finds takes the place of what is there, unless it is less. */
static PetscErrorCode run(CospinEigensolver eigensolver, Search *search)
{
  const PetscInt wanted = search->wanted;
  CospinMode *modes;
  PetscInt converged;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsSolve(eigensolver, wanted, COSPIN_FACTORS_TOLERANCE,
                               wanted > 1 ? 0 : FIRST_ITERATIONS, search->num_deflate, search->deflate,
                               &converged));
  if (!converged) { /* left and right vectors may be nearly orthogonal; few of them then lead nowhere */
    eigensolver->subspace = COSPIN_FACTORS_LARGE_SUBSPACE;
    PetscCall(CospinFactorsSolve(eigensolver, wanted, COSPIN_FACTORS_TOLERANCE, 0, search->num_deflate,
                                 search->deflate, &converged));
  }
  if (converged < search->found || converged == 0) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)converged, &modes));
  for (PetscInt k = 0; k < converged; k++)
    PetscCall(get_mode(eigensolver, k, search->num_deflate, search->deflate, &modes[k]));
  keep_better(eigensolver, search, (int)converged, modes);
  PetscCall(CospinModesSort(eigensolver, (int)converged, modes));
  PetscCall(clear(search));
  search->found = (int)converged;
  search->modes = modes;
  PetscFunctionReturn(0);
}

/* Whether mode k is one of the `count` slowest, or may be by its error. The modes of a pair that turns for
   ever are equal up to both errors. */
static PetscBool may_count(CospinEigensolver eigensolver, const Search *search, int count, int k)
{
  static const double few = 4.0;
  const CospinMode *last = &search->modes[PetscMin(count, search->found) - 1];
  const double slowest = creal(last->lambda), error = CospinModeError(eigensolver, &search->modes[k], 1.0),
               equal = equal_rates * PetscAbsReal(slowest) + CospinModeError(eigensolver, last, 1.0) +
                       few * eigensolver->resolution;

  return (PetscBool)(k < count || creal(search->modes[k].lambda) + error > slowest + equal);
}

static const CospinMode *least_accurate(CospinEigensolver eigensolver, const Search *search, int count)
{
  const CospinMode *worst = search->modes;

  for (int k = 1; k < search->found; k++) {
    if (may_count(eigensolver, search, count, k) && search->modes[k].residual > worst->residual)
      worst = &search->modes[k];
  }
  return worst;
}

static int count_below(double modulus, double centre, const Search *search)
{
  int count = 0;

  for (int k = 0; k < search->found; k++) count += cabs(search->modes[k].lambda - I * centre) < modulus;
  return count;
}

/* Down to the slowest if several lie far below the shift; up to an inaccurate one. */
static PetscErrorCode approach(CospinEigensolver eigensolver, int count, Search *search)
{
  PetscBool moved = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (int k = 0; k < MAX_SHIFTS && moved && search->found; k++) {
    const CospinMode *worst = least_accurate(eigensolver, search, count);
    const double size = cabs(worst->lambda - I * eigensolver->centre);
    moved = PETSC_FALSE;
    if (count_below(COSPIN_FACTORS_FAR_BELOW * eigensolver->shift, eigensolver->centre, search) > 1)
      PetscCall(CospinFactorsMoveShift(eigensolver, cabs(search->modes[0].lambda - I * eigensolver->centre),
                                       &moved));
    if (!moved && worst->residual > COSPIN_FACTORS_POOR && size > eigensolver->shift)
      PetscCall(CospinFactorsMoveShift(eigensolver, size, &moved));
    if (moved) PetscCall(run(eigensolver, search));
  }
  PetscFunctionReturn(0);
}

/* All eigenvalues as near to the target as the farthest that was found are known: a slower one that was
   missed would have a frequency beyond this distance from the centre. */
static double horizon_of(CospinEigensolver eigensolver, PetscInt searched, int count, const Search *search)
{
  const double complex target = CMPLX(eigensolver->shift, eigensolver->centre);
  double radius = 0.0, rate;

  if (search->found >= searched) return INFINITY;
  rate = eigensolver->shift - creal(search->modes[PetscMin(count, search->found) - 1].lambda);
  for (int k = 0; k < search->found; k++) radius = PetscMax(radius, cabs(search->modes[k].lambda - target));
  return radius > rate ? PetscSqrtReal(radius * radius - rate * rate) : 0.0;
}

/* A slow mode that oscillates lies far from the target: more eigenvalues are looked at until a slower one
   than those found would have to oscillate many times while it decays, or until that would take too long. */
static PetscErrorCode look_farther(CospinEigensolver eigensolver, int count, Search *search)
{
  const PetscInt searched = (PetscInt)CospinSectorDimension(eigensolver->sector) - search->num_deflate,
                 most = searched > LARGE_DIMENSION ? MAX_WANTED_LARGE : MAX_WANTED;

  PetscFunctionBeginUser;
  while (search->found >= count && search->wanted < most) {
    const double slowest = creal(search->modes[count - 1].lambda);
    const int before = search->found;
    if (horizon_of(eigensolver, searched, count, search) >= -wanted_quality * slowest) break;
    search->wanted *= 3;
    PetscCall(run(eigensolver, search));
    if (search->found <= before) break; /* they did not converge: the horizon tells */
  }
  PetscFunctionReturn(0);
}

/* The eigenvalue next to the shift from another start, all that were found deflated. NaN: there is none. */
static PetscErrorCode look_again(CospinEigensolver eigensolver, PetscReal tol, int num, Vec known[],
                                 double complex *lambda)
{
  const CospinOutcome before = eigensolver->outcome;
  PetscInt converged = 0;
  PetscScalar value;

  PetscFunctionBeginUser;
  *lambda = CMPLX(NAN, NAN);
  PetscCall(CospinFactorsSolve(eigensolver, 1, tol, COSPIN_FACTORS_FEW_ITERATIONS, num, known, &converged));
  if (converged) PetscCall(EPSGetEigenvalue(eigensolver->eps, 0, &value, NULL));
  if (converged) *lambda = (double complex)value;
  eigensolver->outcome = before; /* it is that of what was found */
  PetscFunctionReturn(0);
}

/* Whether a slower mode than the count-th has been missed. What is about as slow is looked at closely. */
static PetscErrorCode misses_one(CospinEigensolver eigensolver, int count, const Search *search,
                                 PetscBool *misses)
{
  const double slowest = creal(search->modes[PetscMin(count, search->found) - 1].lambda);
  const double rough = slowest - 2.0 * COSPIN_FACTORS_ROUGH * PetscAbsReal(slowest),
               fine = slowest + equal_rates * PetscAbsReal(slowest) + eigensolver->resolution;
  const int num = search->num_deflate + search->found;
  double complex lambda;
  PetscInt dimension;
  Vec *known;

  PetscFunctionBeginUser;
  *misses = PETSC_FALSE;
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  if (num >= dimension) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(num, &known));
  for (int k = 0; k < num; k++)
    known[k] = k < search->num_deflate ? search->deflate[k] : search->modes[k - search->num_deflate].right;
  PetscCall(look_again(eigensolver, COSPIN_FACTORS_ROUGH, num, known, &lambda));
  *misses = PETSC_FALSE;
  if (creal(lambda) > rough) {
    PetscCall(look_again(eigensolver, close_look, num, known, &lambda));
    *misses = (PetscBool) !(creal(lambda) <= fine); /* one that stays unknown is not confirmed to be faster */
  }
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* A Krylov space built on one vector can miss modes: of equal ones it sees only one. */
static PetscErrorCode confirm(CospinEigensolver eigensolver, int count, Search *search)
{
  PetscFunctionBeginUser;
  for (int attempt = 0; attempt < 3 && search->found; attempt++) {
    PetscBool misses;
    PetscCall(misses_one(eigensolver, count, search, &misses));
    if (!misses) PetscFunctionReturn(0);
    search->wanted = 2 * search->wanted + 1;
    PetscCall(run(eigensolver, search));
  }
  eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

/* Of a Metzler matrix the slowest mode is the one next to the shift, and a positive vector has a part of it:
   as few solves as it takes. What does not converge so is left to run(). */
static PetscErrorCode find_certain(CospinEigensolver eigensolver, Search *search)
{
  const CospinInverseOptions options = {.most = MOST_SOLVES,
                                        .residual = COSPIN_FACTORS_FINE * eigensolver->norm,
                                        .relative = COSPIN_FACTORS_FINEST};
  CospinMode mode = {.error = NAN};
  PetscScalar lambda;
  PetscBool found;
  Vec start;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(CospinInverseNearest(eigensolver, &options, start, &lambda, &mode.right, &found));
  PetscCall(VecDestroy(&start));
  if (!found) PetscFunctionReturn(0);
  mode.lambda = (double complex)lambda;
  PetscCall(CospinEigensolverResidual(eigensolver, lambda, mode.right, &mode.residual));
  PetscCall(PetscMalloc1(1, &search->modes));
  search->modes[0] = mode;
  search->found = 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode slowest_of_nothing(CospinEigensolver eigensolver, int count, int num_deflate, int *num,
                                         CospinMode modes[])
{
  PetscInt dimension;

  PetscFunctionBeginUser;
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  *num = num_deflate ? 0 : (int)PetscMin(count, dimension);
  for (int k = 0; k < *num; k++) {
    modes[k] = (CospinMode){.lambda = 0.0, .error = eigensolver->resolution};
    PetscCall(CospinFactorsUnitVector(eigensolver, k, &modes[k].right));
    PetscCall(CospinFactorsUnitVector(eigensolver, k, &modes[k].left));
  }
  eigensolver->horizon = INFINITY;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinFactorsSlowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                                    PetscBool left, int *num, CospinMode modes[])
{
  const PetscInt searched = (PetscInt)CospinSectorDimension(eigensolver->sector) - num_deflate;
  /* nearest to the shift is slowest if the slowest eigenvalue is real; otherwise look a little further */
  const PetscBool certain = (PetscBool)(eigensolver->metzler && count == 1 && num_deflate == 0);
  const CospinOutcome before = eigensolver->outcome;
  Search search = {.num_deflate = num_deflate, .deflate = deflate};
  PetscBool moved, unknown = PETSC_FALSE; /* whether a faster one may be slower */

  PetscFunctionBeginUser;
  if (CospinFactorsIsZero(eigensolver)) {
    PetscCall(slowest_of_nothing(eigensolver, count, num_deflate, num, modes));
    PetscFunctionReturn(0);
  }
  search.wanted = certain ? 1 : count + (eigensolver->iterative ? FEW_EXTRA : NUM_EXTRA);
  if (num_deflate && PetscIsNormalReal(eigensolver->next))
    PetscCall(CospinFactorsMoveShift(eigensolver, eigensolver->next, &moved));
  if (certain && !eigensolver->iterative) PetscCall(find_certain(eigensolver, &search));
  if (search.found == 0) PetscCall(run(eigensolver, &search));
  PetscCall(approach(eigensolver, count, &search));
  if (!certain && !eigensolver->iterative) PetscCall(look_farther(eigensolver, count, &search));
  eigensolver->outcome = before; /* runs that were repeated do not count */
  if (!certain && !eigensolver->iterative) PetscCall(confirm(eigensolver, count, &search));
  *num = PetscMin(count, search.found);
  if (*num) eigensolver->horizon = certain ? INFINITY : horizon_of(eigensolver, searched, count, &search);
  for (int k = count; k < search.found; k++)
    unknown = (PetscBool)(unknown || may_count(eigensolver, &search, count, k));
  if (unknown) eigensolver->horizon = 0.0; /* nothing is promised of slower ones */
  if (*num < PetscMin(count, searched))
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscCall(CospinModesErrors(eigensolver, search.found, search.modes));
  if (left) PetscCall(CospinFactorsLeft(eigensolver, num_deflate, *num, search.modes));
  for (int k = 0; k < *num; k++) modes[k] = search.modes[k];
  PetscCall(CospinModesDestroy(search.found - *num, search.modes + *num));
  PetscCall(PetscFree(search.modes));
  PetscFunctionReturn(0);
}
