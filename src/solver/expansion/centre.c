/*
   Stable points of a symbol H(y, theta) = sum of amplitudes exp(-i theta.shift).

   In the leading order of large systems rho moves along dp/dt = Re sum shift amplitude, dtheta/dt = Im dH/dd,
   which are the mean-field equations in polar form (populations, phases). The search follows them from
   several starts by implicit steps that grow, (1/tau - J) step = motion (pseudo-transient continuation: C. T.
   Kelley and D. E. Keyes, SIAM J. Numer. Anal. 35, 508 (1998)), which end as Newton's.

   A stable point is no more than a place to expand around: its errors are of the order 1/N and are taken
   away by the polynomials. What cannot be mended is a second stable point (the state is then a sum of two
   humps with weights that no local expansion knows), hence the many starts; and a point too near to an
   edge of the labels, hence `edge`.
*/
#include "reach.h"
#include <cospin/solver/dense.h>
#include <math.h>
#include <slepcblaslapack.h>

/* Five fractions of irreps go with seven of pairs and of phases; without irreps starts repeat after seven. */
enum { NUM_STARTS = 12, MAX_STEPS = 3000 };
/* Relative to the scale of each unknown. A larger step than 5 % would leave the path of the motion and
   could end at a point that the start does not flow to; below `settled` Newton gains nothing in double
   precision; `same` has to be wider than that and narrower than the distance of two stable points. */
static const double largest_step = 0.05, settled = 1e-11, same = 1e-6;
/* Of first order: rounding is epsilon/step. Phases turn by a derivative along d, a difference of H, which is
   a sum of rates of the size of N^2 that cancel: there the step is larger. */
static const CospinReachStep apart = {1e-5, 1e-3}, apart_d = {1e-4, 1e-3};

/* dp/dt is the drift of the populations at d = 0. A phase turns by Im dH/dd, a central difference. */
static void get_motion(const CospinReach *reach, const double z[], double motion[])
{
  double complex theta[COSPIN_MAX_FREE], drift[COSPIN_MAX_LABELS], h[2];
  double d[COSPIN_MAX_FREE] = {0};

  CospinReachTheta(reach, z, theta);
  CospinSymbolEvaluate(reach->symbol, d, z, theta, &h[0], drift, NULL);
  for (int a = 0; a < reach->num_populations; a++) motion[a] = creal(drift[reach->num_free + a]);
  for (int k = 0; k < reach->num_free; k++) {
    const double step = CospinReachDifference(reach, z, CospinReachOfLabel(reach, k), apart_d);
    d[k] = step;
    CospinSymbolEvaluate(reach->symbol, d, z, theta, &h[0], NULL, NULL);
    d[k] = -step;
    CospinSymbolEvaluate(reach->symbol, d, z, theta, &h[1], NULL, NULL);
    d[k] = 0.0;
    motion[reach->num_populations + k] = cimag(h[0] - h[1]) / (2 * step);
  }
}

/* jacobian[row + size*column] */
static void get_jacobian(const CospinReach *reach, const double z[], double jacobian[])
{
  const int n = reach->size;
  double at[COSPIN_MAX_LABELS], plus[COSPIN_MAX_LABELS], minus[COSPIN_MAX_LABELS];

  for (int k = 0; k < n; k++) at[k] = z[k];
  for (int k = 0; k < n; k++) {
    const double step = CospinReachDifference(reach, z, k, apart);
    at[k] = z[k] + step;
    get_motion(reach, at, plus);
    at[k] = z[k] - step;
    get_motion(reach, at, minus);
    at[k] = z[k];
    for (int i = 0; i < n; i++) jacobian[i + n * k] = (plus[i] - minus[i]) / (2 * step);
  }
}

/* Largest modulus and largest real part of the eigenvalues. Of the Jacobian of mean-field equations: at a
   point that stands still its eigenvalues are the linearised rates, and one with a positive real part says
   that the point is not stable. The modulus sets the scale of time steps. */
static PetscErrorCode get_rates(int n, const double jacobian[], double *modulus, double *growth)
{
  PetscScalar a[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], values[COSPIN_MAX_LABELS], none[1],
      work[8 * COSPIN_MAX_LABELS];
  PetscReal reals[2 * COSPIN_MAX_LABELS];
  PetscBLASInt size = (PetscBLASInt)n, one = 1, work_size = 8 * COSPIN_MAX_LABELS, info;

  PetscFunctionBeginUser;
  *modulus = *growth = NAN;
  for (int k = 0; k < n * n; k++) {
    a[k] = jacobian[k];
    if (!isfinite(jacobian[k])) PetscFunctionReturn(0); /* LAPACK would complain on stdout */
  }
  LAPACKgeev_("N", "N", &size, a, &size, values, none, &one, none, &one, work, &work_size, reals, &info);
  *modulus = info ? NAN : 0.0;
  *growth = info ? NAN : -INFINITY;
  for (int k = 0; k < n && !info; k++) {
    *modulus = fmax(*modulus, cabs(values[k]));
    *growth = fmax(*growth, creal(values[k]));
  }
  PetscFunctionReturn(0);
}

/* (1/tau - J) step = motion; false: singular. An implicit Euler step: stable however stiff the equations
   are, and Newton's step once tau is large. */
static PetscBool solve_step(int n, const double jacobian[], double tau, double step[])
{
  PetscScalar a[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], b[COSPIN_MAX_LABELS];
  PetscBLASInt size = (PetscBLASInt)n, one = 1, pivots[COSPIN_MAX_LABELS], info;

  for (int k = 0; k < n * n; k++) a[k] = -jacobian[k];
  for (int k = 0; k < n; k++) {
    a[k + n * k] += 1 / tau;
    b[k] = step[k];
  }
  LAPACKgesv_(&size, &one, a, &size, pivots, b, &size, &info);
  for (int k = 0; k < n; k++) step[k] = creal(b[k]);
  return (PetscBool)(info == 0);
}

/* Of a step, beside the scale of its unknown; infinite where it is no number (fmax would drop NaN). */
static double relative_size(const CospinReach *reach, const double z[], const double step[], int i)
{
  const double size = fabs(step[i]) / CospinReachScale(reach, z, i);

  return isnan(size) ? INFINITY : size;
}

/* From z to a point that stands still; false: none was found. tau grows by 1.6 with every step that is
   taken and shrinks by 0.4 with every one that is not (too long, singular, or beyond an edge). It is done
   when 1/tau no longer matters (tau 1e9 times the fastest motion) and the step is nothing: a slow flow
   alone has small steps, too, and must not be taken for a point. */
static PetscErrorCode follow(const CospinReach *reach, double z[], double *growth, PetscBool *found)
{
  const int n = reach->size;
  double jacobian[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], step[COSPIN_MAX_LABELS], next[COSPIN_MAX_LABELS];
  double tau = 0.0, modulus = 0.0;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int k = 0; k < MAX_STEPS && !*found; k++) {
    double length = 0.0;
    PetscBool solved;
    get_jacobian(reach, z, jacobian);
    if (k == 0) PetscCall(get_rates(n, jacobian, &modulus, growth));
    if (k == 0) tau = 1e-3 / modulus;
    if (!(modulus > 0)) break;
    get_motion(reach, z, step);
    solved = solve_step(n, jacobian, tau, step);
    for (int i = 0; i < n; i++) length = fmax(length, relative_size(reach, z, step, i));
    for (int i = 0; i < n; i++) next[i] = z[i] + step[i];
    if (!solved || !(length <= largest_step) || CospinReachEdge(reach, next, NULL) <= 0) {
      tau *= 0.4;
      /* Steps that are refused however small: the flow leads out of the labels, and this start ends
         nowhere. */
      if (tau * modulus < 1e-12) break;
      continue;
    }
    for (int i = 0; i < n; i++) z[i] = next[i];
    tau *= 1.6;
    *found = (PetscBool)(tau * modulus > 1e9 && length < settled);
  }
  if (*found) get_jacobian(reach, z, jacobian);
  if (*found) PetscCall(get_rates(n, jacobian, &modulus, growth));
  PetscFunctionReturn(0);
}

/* The k-th start: fractions of what each population can be, and phases, that repeat late. 0.003 keeps
   phases that would be equal a little apart, off points that stand still by symmetry alone. */
static void set_start(const CospinReach *reach, int k, double z[])
{
  static const double irrep[] = {0.3, 0.2, 0.1, 0.4, 0.02}, pair[] = {0.6, 0.45, 0.8, 0.5, 0.9, 0.3, 0.15},
                      phase[] = {0.5, 0.5, -0.5, 0.01, 0.99, -0.25, 0.25};
  const CospinSymbolLabels *labels = &reach->symbol->labels;

  for (int a = 0; a < reach->num_populations; a++) {
    if (labels->bra[a] < 0) {
      z[a] = irrep[(k + a) % 5] * reach->reach[a];
    } else if (a > 0 && labels->bra[a - 1] < 0) { /* r <= n <= N - r */
      const double lost = z[a - 1];
      z[a] = lost + pair[(k + a) % 7] * (reach->reach[a] - 2 * lost);
    } else {
      z[a] = pair[(k + a) % 7] * reach->reach[a];
    }
  }
  for (int i = 0; i < reach->num_free; i++)
    z[reach->num_populations + i] = PETSC_PI * (phase[(k + 3 * i) % 7] + 0.003 * i);
}

/* Phases count up to turns. */
static PetscBool is_same(const CospinReach *reach, const double a[], const double b[])
{
  for (int k = 0; k < reach->size; k++) {
    double difference = a[k] - b[k];
    if (k >= reach->num_populations) difference = remainder(difference, 2 * PETSC_PI);
    if (fabs(difference) > same * CospinReachScale(reach, a, k)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Where z leads to: the first stable point is kept in first[] and the others are counted. More than one means
   bistability, of which an expansion around one of them would tell half of the truth. */
static PetscErrorCode take(const CospinReach *reach, double z[], double first[], CospinCentre *centre)
{
  double growth = NAN;
  PetscBool found;

  PetscFunctionBeginUser;
  PetscCall(follow(reach, z, &growth, &found));
  if (!found || !(growth < 0) || (centre->num_stable && is_same(reach, first, z))) PetscFunctionReturn(0);
  if (centre->num_stable++ > 0) PetscFunctionReturn(0);
  for (int i = 0; i < reach->size; i++) first[i] = z[i];
  centre->gaussian.growth = growth;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCentreFind(CospinSymbol symbol, CospinCentre *centre)
{
  CospinReach reach;
  double z[COSPIN_MAX_LABELS], first[COSPIN_MAX_LABELS] = {0};

  PetscFunctionBeginUser;
  *centre = (CospinCentre){0};
  CospinReachMake(symbol, &reach);
  for (int k = 0; k < NUM_STARTS; k++) {
    set_start(&reach, k, z);
    PetscCall(take(&reach, z, first, centre));
  }
  if (centre->num_stable) PetscCall(CospinGaussianFind(&reach, first, centre));
  PetscFunctionReturn(0);
}

/* A coherence that is not free follows the free ones, and so its phase is counted with theirs. */
PetscErrorCode CospinCentreFindNear(CospinSymbol symbol, const double means[], const double phases[],
                                    CospinCentre *centre)
{
  const CospinSymbolLabels *labels = &symbol->labels;
  CospinReach reach;
  double z[COSPIN_MAX_LABELS] = {0}, first[COSPIN_MAX_LABELS] = {0};

  PetscFunctionBeginUser;
  *centre = (CospinCentre){0};
  CospinReachMake(symbol, &reach);
  for (int a = 0; a < labels->num_populations; a++) {
    z[a] = means[labels->population[a]];
    for (int k = 0; k < labels->num_free && labels->coherence[a] >= 0; k++)
      z[labels->num_populations + k] +=
          labels->follow[k][labels->coherence[a]] * phases[labels->population[a]];
  }
  PetscCall(take(&reach, z, first, centre));
  if (centre->num_stable) PetscCall(CospinGaussianFind(&reach, first, centre));
  PetscFunctionReturn(0);
}
