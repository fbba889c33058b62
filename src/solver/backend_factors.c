/*
   Eigenvalues next to zero, where everything slow happens, by shift-and-invert.

     factorise L - s, s a small positive number: no eigenvalue of a generator has a positive real part
     Krylov-Schur on (L - s)^-1 finds the eigenvalues nearest to s (SLEPc)
     null vectors are found one by one, each solve with those before it deflated
     slow modes far below s look alike from there: s is moved to the size of the slowest one
     the slowest are confirmed by a search from another vector with them deflated

   Deflation keeps iterates orthogonal to the vectors Q found so far. The eigenvalues of what is left are
   those of L, but its vectors obey L x = lambda x + Q h; since L Q = 0, the eigenvector of L is x + Q h /
   lambda.

   Every solve with L - s multiplies what an iterate has of a null vector by 1/s, and the projection that
   takes it away again leaves its rounding errors behind. For accurate modes beside null vectors the shift is
   therefore moved from next to zero to the size of the eigenvalue that is looked for.

   Where null vectors are many, factors next to zero may be too inaccurate for any of them to converge. Then
   every solve is improved by some steps of GMRES with the factors as preconditioner.

   A vector counts as null if |L x| is within the resolution, whatever eigenvalue the solver gave: in a
   non-normal sector the eigenvalue of a null vector may be off by its condition times the rounding of L.
*/
#include "factors.h"

enum {
  FIRST_ITERATIONS = 12,
  FEW_ITERATIONS = 40,
  MAX_REFINEMENTS = 4,
  MAX_SHIFTS = 6,
  NUM_EXTRA = 6,
  FEW_EXTRA = 2, /* where every solve is an iteration */
  MAX_WANTED = 63,
  MAX_WANTED_LARGE = 21,
  LARGE_DIMENSION = 5000,
  SMALL_SUBSPACE = 5,
  LARGE_SUBSPACE = 16
};
static const double null_tolerance = 0.05, tolerance = 1e-12, poor_residual = 1e-11, refined_residual = 1e-15;
static const double wanted_quality = 100.0; /* |frequency|/rate up to which slower modes are looked for */
/* Rates that differ by less are equal; how closely those are looked at that may be. */
static const double equal_rates = 1e-8, close_look = 1e-11;
static const double some_conditions = 10.0; /* error of an eigenvalue over its residual */
static const double far_below = 0.1; /* modes slower than this share of the shift look alike from there */

/* ---- The shift ----------------------------------------------------------------------------------------- */

/* A target that the options have changed is left alone. */
static PetscErrorCode set_shift(CospinEigensolver eigensolver, double shift, double centre, PetscBool *moved)
{
  const PetscScalar before = (PetscScalar)CMPLX(eigensolver->shift, eigensolver->centre),
                    after = (PetscScalar)CMPLX(shift, centre);
  PetscScalar target;
  ST st;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver)); /* it may have been released */
  PetscCall(EPSGetTarget(eigensolver->eps, &target));
  *moved = (PetscBool)(target == before);
  if (!*moved) PetscFunctionReturn(0);
  eigensolver->shift = shift;
  eigensolver->centre = centre;
  PetscCall(EPSSetTarget(eigensolver->eps, after));
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STSetShift(st, after));
  PetscFunctionReturn(0);
}

/* To the size of an eigenvalue, unless it is near that already. */
static PetscErrorCode move_shift(CospinEigensolver eigensolver, double shift, PetscBool *moved)
{
  static const double least_over_resolution = 100.0;

  PetscFunctionBeginUser;
  *moved = PETSC_FALSE;
  shift = PetscMax(shift, least_over_resolution * eigensolver->resolution);
  if (shift <= eigensolver->shift && shift >= far_below * eigensolver->shift) PetscFunctionReturn(0);
  if (eigensolver->iterative && shift < eigensolver->shift)
    PetscFunctionReturn(0); /* GMRES would not converge */
  PetscCall(set_shift(eigensolver, shift, eigensolver->centre, moved));
  PetscFunctionReturn(0);
}

/* A positive vector is close to a state, and to the slowest mode of a Metzler matrix. It must have no
   symmetry of the generator, or it would see only its own kind of modes: so it is an irregular one, the same
   on any number of ranks. Null vectors that are left after some have been found are seen by another one only:
   SLEPc's own. */
static PetscErrorCode set_start(CospinEigensolver eigensolver, int num_deflate)
{
  Vec start;

  PetscFunctionBeginUser;
  if (num_deflate) {
    PetscCall(EPSSetInitialSpace(eigensolver->eps, 0, NULL));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinEigensolverIrregular(eigensolver, &start));
  PetscCall(EPSSetInitialSpace(eigensolver->eps, 1, &start));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* max_iterations: 0 for as many as configured. */
static PetscErrorCode solve(CospinEigensolver eigensolver, PetscInt wanted, PetscReal tol,
                            PetscInt max_iterations, int num_deflate, Vec deflate[], PetscInt *converged)
{
  PetscInt iterations, dimension, subspace;
  EPSConvergedReason reason;

  PetscFunctionBeginUser;
  PetscCall(CospinFactorsConfigure(eigensolver));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  PetscCall(
      EPSSetTolerances(eigensolver->eps, tol, max_iterations ? max_iterations : eigensolver->max_iterations));
  wanted = PetscMin(wanted, dimension - num_deflate);
  subspace = wanted == 1 ? eigensolver->subspace : 2 * wanted + SMALL_SUBSPACE;
  if (eigensolver->iterative) subspace = PetscMax(subspace, LARGE_SUBSPACE);
  PetscCall(EPSSetDimensions(eigensolver->eps, wanted, PetscMin(subspace, dimension), PETSC_DEFAULT));
  PetscCall(set_start(eigensolver, num_deflate));
  PetscCall(EPSSetDeflationSpace(eigensolver->eps, num_deflate, deflate));
  PetscCall(EPSSolve(eigensolver->eps));
  PetscCall(EPSGetConverged(eigensolver->eps, converged));
  PetscCall(EPSGetConvergedReason(eigensolver->eps, &reason));
  PetscCall(EPSGetIterationNumber(eigensolver->eps, &iterations));
  eigensolver->iterations += (int)iterations;
  if (reason < 0 && eigensolver->outcome == COSPIN_GOOD) eigensolver->outcome = COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* From now on solves with the factors are improved. A residual that is not reached is no error. */
static PetscErrorCode refine_solves(CospinEigensolver eigensolver)
{
  ST st;
  KSP ksp;

  PetscFunctionBeginUser;
  PetscCall(EPSGetST(eigensolver->eps, &st));
  PetscCall(STGetKSP(st, &ksp));
  PetscCall(KSPSetType(ksp, KSPGMRES));
  PetscCall(KSPSetTolerances(ksp, refined_residual, PETSC_DEFAULT, PETSC_DEFAULT, MAX_REFINEMENTS));
  PetscCall(KSPSetErrorIfNotConverged(ksp, PETSC_FALSE));
  PetscFunctionReturn(0);
}

/* The eigenvalue next to zero, with better solves if it does not converge soon. */
static PetscErrorCode solve_next(CospinEigensolver eigensolver, PetscReal tol, int num_deflate, Vec deflate[],
                                 PetscBool *refined, PetscInt *converged)
{
  const CospinOutcome before = eigensolver->outcome;

  PetscFunctionBeginUser;
  PetscCall(solve(eigensolver, 1, tol, *refined ? 0 : FEW_ITERATIONS, num_deflate, deflate, converged));
  if (*converged || *refined) PetscFunctionReturn(0);
  *refined = PETSC_TRUE;
  eigensolver->outcome = before;
  PetscCall(refine_solves(eigensolver));
  PetscCall(solve(eigensolver, 1, tol, 0, num_deflate, deflate, converged));
  PetscFunctionReturn(0);
}

/* Nothing moves: any basis will do, and an eigensolver has nothing to go by. */
static PetscErrorCode unit_vector(CospinEigensolver eigensolver, PetscInt k, Vec *vector)
{
  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, vector, NULL));
  PetscCall(VecSet(*vector, 0.0));
  PetscCall(VecSetValue(*vector, k, 1.0, INSERT_VALUES)); /* every rank says the same */
  PetscCall(VecAssemblyBegin(*vector));
  PetscCall(VecAssemblyEnd(*vector));
  PetscFunctionReturn(0);
}

static PetscBool is_zero(CospinEigensolver eigensolver)
{
  return (PetscBool)(eigensolver->scale <= 0.0 || eigensolver->norm <= eigensolver->resolution);
}

/* The eigenpair that was found, and whether it counts as zero: of a sector with a trace the first one has to.
 */
static PetscErrorCode get_candidate(CospinEigensolver eigensolver, PetscBool first, PetscScalar *lambda,
                                    Vec *x, PetscBool *null)
{
  double residual;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, x, NULL));
  PetscCall(EPSGetEigenpair(eigensolver->eps, 0, lambda, NULL, *x, NULL));
  PetscCall(VecNormalize(*x, NULL));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, *x, &residual));
  *null = (PetscBool)(PetscAbsScalar(*lambda) <= eigensolver->resolution ||
                      residual * eigensolver->norm <= eigensolver->resolution ||
                      (first && eigensolver->has_trace && residual <= poor_residual));
  PetscFunctionReturn(0);
}

/* One more step of inverse iteration, if it does better: its right-hand side is nearly the vector itself. */
static PetscErrorCode polish(CospinEigensolver eigensolver, int num_found, Vec found[], Vec *x)
{
  double before, after;
  PetscScalar overlap;
  Vec y;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(*x, &y));
  PetscCall(CospinFactorsApplyInverse(eigensolver, *x, y));
  for (int k = 0; k < num_found; k++) {
    PetscCall(VecDot(y, found[k], &overlap));
    PetscCall(VecAXPY(y, -overlap, found[k]));
  }
  PetscCall(VecNormalize(y, NULL));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, *x, &before));
  PetscCall(CospinEigensolverResidual(eigensolver, 0.0, y, &after));
  if (after < before) PetscCall(VecCopy(y, *x));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(0);
}

static PetscErrorCode find_nulls(CospinEigensolver eigensolver, int most, int *num, Vec null[],
                                 double complex *next)
{
  PetscBool refined = eigensolver->iterative, found = PETSC_TRUE; /* as good as they get */
  PetscInt converged;

  PetscFunctionBeginUser;
  while (found && *num < most) {
    PetscScalar lambda = 0.0;
    const PetscBool certain = (PetscBool)(*num == 0 && eigensolver->has_trace); /* that it is zero */
    PetscCall(
        solve_next(eigensolver, certain ? tolerance : null_tolerance, *num, null, &refined, &converged));
    if (converged) PetscCall(EPSGetEigenvalue(eigensolver->eps, 0, &lambda, NULL));
    if (!certain && PetscAbsScalar(lambda) < 10.0 * eigensolver->shift) /* it may be zero: look closely */
      PetscCall(solve_next(eigensolver, tolerance, *num, null, &refined, &converged));
    if (converged == 0) break;
    PetscCall(get_candidate(eigensolver, (PetscBool)(*num == 0), &lambda, &null[*num], &found));
    if (found) {
      PetscCall(polish(eigensolver, *num, null, &null[*num]));
      (*num)++;
      continue;
    }
    PetscCall(VecDestroy(&null[*num]));
    *next = (double complex)lambda;
    eigensolver->next = eigensolver->separation = PetscAbsScalar(lambda);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Null(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next)
{
  PetscInt dimension, most;
  PetscBool moved;

  PetscFunctionBeginUser;
  *num = 0;
  *next = CMPLX(NAN, NAN);
  if (eigensolver->shift != eigensolver->first_shift ||
      eigensolver->centre != 0.0) /* what is looked for lies there */
    PetscCall(set_shift(eigensolver, eigensolver->first_shift, 0.0, &moved));
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  most = PetscMin(dimension, COSPIN_MAX_NULL);
  if (!is_zero(eigensolver)) PetscCall(CospinFactorsConfigure(eigensolver));
  if (!eigensolver->has_trace)
    eigensolver->subspace = LARGE_SUBSPACE; /* a conjugate pair may stand next to the shift */
  PetscCall(PetscCalloc1((size_t)most, null));
  if (is_zero(eigensolver)) {
    for (*num = 0; *num < most; (*num)++) PetscCall(unit_vector(eigensolver, *num, &(*null)[*num]));
  } else {
    PetscCall(find_nulls(eigensolver, (int)most, num, *null, next));
  }
  if (*num == dimension) eigensolver->separation = INFINITY;
  if (*num == most && most < dimension) /* there may be more */
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  PetscFunctionReturn(0);
}

/* The null vectors of L^H: an eigensolver of its own that borrows the sector. */
static PetscErrorCode LeftNull(CospinEigensolver eigensolver, int *num, Vec **null)
{
  CospinEigensolver adjoint;
  double complex next;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&adjoint));
  *adjoint = *eigensolver;
  adjoint->living = NULL;
  adjoint->eps = NULL;
  adjoint->shift = adjoint->first_shift;
  adjoint->centre = 0.0;
  PetscCall(PetscStrallocpy(eigensolver->prefix, &adjoint->prefix));
  PetscCall(MatHermitianTranspose(eigensolver->liouvillian, MAT_INITIAL_MATRIX, &adjoint->liouvillian));
  PetscCall(Null(adjoint, num, null, &next));
  eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, adjoint->outcome);
  adjoint->sector = NULL;
  PetscCall(CospinEigensolverDestroy(&adjoint));
  PetscFunctionReturn(0);
}

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

/* ---- The slowest modes
 * ---------------------------------------------------------------------------------------
 */

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

/* Slowest first. Without left vectors the condition of an eigenvalue is not known, and conjugate ones differ
   by what the solver leaves. */
static PetscErrorCode sort(CospinEigensolver eigensolver, int num, CospinMode modes[])
{
  double complex *lambda;
  double *error;
  CospinMode *copy;
  int *order;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(num, &lambda, num, &error, num, &order, num, &copy));
  for (int k = 0; k < num; k++) {
    lambda[k] = modes[k].lambda;
    error[k] = eigensolver->resolution + some_conditions * modes[k].residual * eigensolver->norm;
    copy[k] = modes[k];
  }
  PetscCall(CospinOrderSlowest(num, lambda, error, order));
  for (int k = 0; k < num; k++) modes[k] = copy[order[k]];
  PetscCall(PetscFree4(lambda, error, order, copy));
  PetscFunctionReturn(0);
}

/* What one run of the solver finds takes the place of what is there, unless it is less. */
static PetscErrorCode run(CospinEigensolver eigensolver, Search *search)
{
  const PetscInt wanted = search->wanted;
  CospinMode *modes;
  PetscInt converged;

  PetscFunctionBeginUser;
  PetscCall(solve(eigensolver, wanted, tolerance, wanted > 1 ? 0 : FIRST_ITERATIONS, search->num_deflate,
                  search->deflate, &converged));
  if (!converged) { /* left and right vectors may be nearly orthogonal; few of them then lead nowhere */
    eigensolver->subspace = LARGE_SUBSPACE;
    PetscCall(solve(eigensolver, wanted, tolerance, 0, search->num_deflate, search->deflate, &converged));
  }
  if (converged < search->found || converged == 0) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)converged, &modes));
  for (PetscInt k = 0; k < converged; k++)
    PetscCall(get_mode(eigensolver, k, search->num_deflate, search->deflate, &modes[k]));
  PetscCall(sort(eigensolver, (int)converged, modes));
  PetscCall(clear(search));
  search->found = (int)converged;
  search->modes = modes;
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
    const CospinMode *worst = least_accurate(PetscMin(count, search->found), search->modes);
    const double size = cabs(worst->lambda - I * eigensolver->centre);
    moved = PETSC_FALSE;
    if (count_below(far_below * eigensolver->shift, eigensolver->centre, search) > 1)
      PetscCall(move_shift(eigensolver, cabs(search->modes[0].lambda - I * eigensolver->centre), &moved));
    if (!moved && worst->residual > poor_residual && size > eigensolver->shift)
      PetscCall(move_shift(eigensolver, size, &moved));
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
  PetscCall(solve(eigensolver, 1, tol, FEW_ITERATIONS, num, known, &converged));
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
  const double rough = slowest - 2.0 * null_tolerance * PetscAbsReal(slowest),
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
  PetscCall(look_again(eigensolver, null_tolerance, num, known, &lambda));
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

static PetscErrorCode slowest_of_nothing(CospinEigensolver eigensolver, int count, int num_deflate, int *num,
                                         CospinMode modes[])
{
  PetscInt dimension;

  PetscFunctionBeginUser;
  PetscCall(MatGetSize(eigensolver->liouvillian, &dimension, NULL));
  *num = num_deflate ? 0 : (int)PetscMin(count, dimension);
  for (int k = 0; k < *num; k++) {
    modes[k] = (CospinMode){.lambda = 0.0, .error = eigensolver->resolution};
    PetscCall(unit_vector(eigensolver, k, &modes[k].right));
    PetscCall(unit_vector(eigensolver, k, &modes[k].left));
  }
  eigensolver->horizon = INFINITY;
  PetscFunctionReturn(0);
}

static PetscErrorCode Slowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                              PetscBool left, int *num, CospinMode modes[])
{
  const PetscInt searched = (PetscInt)CospinSectorDimension(eigensolver->sector) - num_deflate;
  /* nearest to the shift is slowest if the slowest eigenvalue is real; otherwise look a little further */
  const PetscBool certain = (PetscBool)(eigensolver->metzler && count == 1 && num_deflate == 0);
  const CospinOutcome before = eigensolver->outcome;
  Search search = {.num_deflate = num_deflate, .deflate = deflate};
  PetscBool moved;

  PetscFunctionBeginUser;
  if (is_zero(eigensolver)) {
    PetscCall(slowest_of_nothing(eigensolver, count, num_deflate, num, modes));
    PetscFunctionReturn(0);
  }
  search.wanted = certain ? 1 : count + (eigensolver->iterative ? FEW_EXTRA : NUM_EXTRA);
  if (num_deflate && PetscIsNormalReal(eigensolver->next))
    PetscCall(move_shift(eigensolver, eigensolver->next, &moved));
  PetscCall(run(eigensolver, &search));
  PetscCall(approach(eigensolver, count, &search));
  if (!certain && !eigensolver->iterative) PetscCall(look_farther(eigensolver, count, &search));
  eigensolver->outcome = before; /* runs that were repeated do not count */
  if (!certain && !eigensolver->iterative) PetscCall(confirm(eigensolver, count, &search));
  *num = PetscMin(count, search.found);
  if (*num) eigensolver->horizon = certain ? INFINITY : horizon_of(eigensolver, searched, count, &search);
  if (*num < PetscMin(count, searched))
    eigensolver->outcome = CospinOutcomeWorse(eigensolver->outcome, COSPIN_NOT_CONVERGED);
  if (left) PetscCall(CospinFactorsLeft(eigensolver, num_deflate, *num, search.modes));
  for (int k = 0; k < *num; k++) modes[k] = search.modes[k];
  PetscCall(CospinModesDestroy(search.found - *num, search.modes + *num));
  PetscCall(PetscFree(search.modes));
  PetscFunctionReturn(0);
}

const CospinBackend CospinBackendFactors = {"factors", Null, LeftNull, Slowest};
