/*
   Stable points of a symbol H(y, theta) = sum of amplitudes exp(-i theta.shift), and the Gaussian there.

   In the leading order of large systems rho moves along dp/dt = Re sum shift amplitude, dtheta/dt = Im dH/dd,
   which are the mean-field equations in polar form (populations, phases). The search follows them from
   several starts by implicit steps that grow, (1/tau - J) step = motion (pseudo-transient continuation: C. T.
   Kelley and D. E. Keyes, SIAM J. Numer. Anal. 35, 508 (1998)), which end as Newton's.

   Around a stable point rho is a Gaussian whose exponent S obeys the stationary Riccati equation

     A + B S + S B^T + S D S = 0,   A = d2H/dy2 (0 among populations), B_ab = d drift_b/dy_a,
                                    D = sum shift shift^T amplitude

   solved by the eigenvectors (V1; V2) of ((B^T, D), (-A, -B)) with positive real part, S = V2 V1^-1.

   A stable point is no more than a place to expand around: its errors are of the order 1/N and are taken
   away by the polynomials. What cannot be mended is a second stable point (the state is then a sum of two
   humps with weights that no local expansion knows), hence the many starts; and a point too near to an
   edge of the labels, hence `edge`.
*/
#include "centre.h"
#include <cospin/solver/dense.h>
#include <math.h>
#include <slepcblaslapack.h>

/* Five fractions of irreps go with seven of pairs and of phases; without irreps starts repeat after seven. */
enum { NUM_STARTS = 12, MAX_STEPS = 3000 };
/* Relative to the scale of each unknown. A larger step than 5 % would leave the path of the motion and
   could end at a point that the start does not flow to; below `settled` Newton gains nothing in double
   precision; `same` has to be wider than that and narrower than the distance of two stable points; a rate
   below `smallest_rate` of the largest is a neutral direction, in which there is no Gaussian. */
static const double largest_step = 0.05, settled = 1e-11, same = 1e-6, smallest_rate = 1e-9;
/* First differences (of the motion) want small steps, second ones (of the exponent) larger ones: their
   rounding is epsilon/step and epsilon/step^2. Amplitudes are rational, so both are smooth on the scale of
   the population. */
static const double step_motion = 1e-5, step_exponent = 2e-3; /* of finite differences, of the scale */

typedef struct {
  CospinSymbol symbol;
  int num_free, num_populations, size;  /* of the unknowns (p, theta) */
  double reach[COSPIN_MAX_POPULATIONS]; /* a scale of each population: its bound, or that of others */
  PetscBool bounded[COSPIN_MAX_POPULATIONS];
} Search;

/* A mode has no bound. It takes the scale of the spins that drive it, since n is at most of the size of N
   at the points of interest; 100 quanta where there are no spins. */
static void get_reach(Search *search)
{
  const CospinSymbolLabels *labels = &search->symbol->labels;
  double largest = 0.0;

  for (int a = 0; a < labels->num_populations; a++) {
    int c = 0;
    while (labels->population[a] >=
           labels->system->components[c].offset + labels->system->components[c].num_coordinates)
      c++;
    search->reach[a] = labels->system->components[c].kind->Reach(&labels->system->components[c]);
    /* The label of an irrep, r = N/2 - j, goes to N/2, where n goes to N. */
    if (labels->bra[a] < 0) search->reach[a] /= 2;
    search->bounded[a] = (PetscBool)isfinite(search->reach[a]);
    if (search->bounded[a]) largest = fmax(largest, search->reach[a]);
  }
  for (int a = 0; a < labels->num_populations; a++)
    if (!search->bounded[a]) search->reach[a] = largest > 0 ? largest : 100.0;
}

/* Of unknown k: populations by their bounds or, without one, by themselves; phases by 1. */
static double scale_of(const Search *search, const double z[], int k)
{
  if (k >= search->num_populations) return 1.0;
  return search->bounded[k] ? search->reach[k] : fmax(1.0, fabs(z[k]));
}

/* Of label k of y = (d, p): a coherence has the scale of its population. d = m - m' runs over as many
   values as M does. */
static double label_scale(const Search *search, const double z[], int k)
{
  int a = 0;

  if (k >= search->num_free) return scale_of(search, z, k - search->num_free);
  while (search->symbol->labels.coherence[a] != search->symbol->labels.free[k]) a++;
  return scale_of(search, z, a);
}

/* theta in the gauge of the rational amplitudes. */
static void get_theta(const Search *search, const double z[], double complex theta[])
{
  double slope[COSPIN_MAX_FREE];

  CospinSymbolGauge(&search->symbol->labels, z, slope);
  for (int k = 0; k < search->num_free; k++) theta[k] = z[search->num_populations + k] + I * slope[k];
}

/* dp/dt is the drift of the populations at d = 0. A phase turns by Im dH/dd: the derivative is taken as a
   central difference over a step of 1e-4 of the scale, large enough for H, which is a sum of rates of the
   size of N^2 that cancel. */
static void get_motion(const Search *search, const double z[], double motion[])
{
  double complex theta[COSPIN_MAX_FREE], drift[COSPIN_MAX_LABELS], h[2];
  double d[COSPIN_MAX_FREE] = {0};

  get_theta(search, z, theta);
  CospinSymbolEvaluate(search->symbol, d, z, theta, &h[0], drift, NULL);
  for (int a = 0; a < search->num_populations; a++) motion[a] = creal(drift[search->num_free + a]);
  for (int k = 0; k < search->num_free; k++) {
    const double step = 1e-4 * label_scale(search, z, k);
    d[k] = step;
    CospinSymbolEvaluate(search->symbol, d, z, theta, &h[0], NULL, NULL);
    d[k] = -step;
    CospinSymbolEvaluate(search->symbol, d, z, theta, &h[1], NULL, NULL);
    d[k] = 0.0;
    motion[search->num_populations + k] = cimag(h[0] - h[1]) / (2 * step);
  }
}

/* jacobian[row + size*column] */
static void get_jacobian(const Search *search, const double z[], double jacobian[])
{
  const int n = search->size;
  double at[COSPIN_MAX_LABELS], plus[COSPIN_MAX_LABELS], minus[COSPIN_MAX_LABELS];

  for (int k = 0; k < n; k++) at[k] = z[k];
  for (int k = 0; k < n; k++) {
    const double step = step_motion * scale_of(search, z, k);
    at[k] = z[k] + step;
    get_motion(search, at, plus);
    at[k] = z[k] - step;
    get_motion(search, at, minus);
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

/* Whether the populations are those of labels that exist: all factors that vanish at an edge are positive.
   Without a Gaussian: the least of the factors, in labels. With one: in standard deviations, for a state
   that reaches an edge is no Gaussian there. Factors are linear, so the variance of a.p is |L^T a|^2 with
   the covariance L L^T. Only factors that a component has marked as an edge count (j - m, n, ...): others
   may vanish inside. */
static double distance_to_edge(const Search *search, const double p[], const CospinGaussian *gaussian)
{
  const CospinSymbol symbol = search->symbol;
  double least = INFINITY;

  for (int k = 0; k < symbol->count; k++)
    for (int c = 0; c < symbol->moves[k].num_terms; c++)
      for (int f = 0; f < symbol->moves[k].terms[c].num_factors; f++) {
        const CospinAffine *a = &symbol->moves[k].terms[c].factors[f];
        double value = a->constant, variance = gaussian ? 0.0 : 1.0;
        for (int i = 0; i < search->num_populations; i++) value += a->p[i] * p[i];
        for (int j = 0; j < search->num_populations && gaussian; j++) {
          double component = 0.0;
          for (int i = 0; i < search->num_populations; i++) component += a->p[i] * gaussian->l[i][j];
          variance += component * component;
        }
        if (a->edge && variance > 0) least = fmin(least, value / sqrt(variance));
      }
  return least;
}

/* From z to a point that stands still; false: none was found. tau grows by 1.6 with every step that is
   taken and shrinks by 0.4 with every one that is not (too long, singular, or beyond an edge). It is done
   when 1/tau no longer matters (tau 1e9 times the fastest motion) and the step is nothing: a slow flow
   alone has small steps, too, and must not be taken for a point. */
static PetscErrorCode follow(const Search *search, double z[], double *growth, PetscBool *found)
{
  const int n = search->size;
  double jacobian[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], step[COSPIN_MAX_LABELS], next[COSPIN_MAX_LABELS];
  double tau = 0.0, modulus = 0.0;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int k = 0; k < MAX_STEPS && !*found; k++) {
    double length = 0.0;
    PetscBool solved;
    get_jacobian(search, z, jacobian);
    if (k == 0) PetscCall(get_rates(n, jacobian, &modulus, growth));
    if (k == 0) tau = 1e-3 / modulus;
    if (!(modulus > 0)) break;
    get_motion(search, z, step);
    solved = solve_step(n, jacobian, tau, step);
    for (int i = 0; i < n; i++) length = fmax(length, fabs(step[i]) / scale_of(search, z, i));
    for (int i = 0; i < n; i++) next[i] = z[i] + step[i];
    if (!solved || !(length <= largest_step) || distance_to_edge(search, next, NULL) <= 0) {
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
  if (*found) get_jacobian(search, z, jacobian);
  if (*found) PetscCall(get_rates(n, jacobian, &modulus, growth));
  PetscFunctionReturn(0);
}

/* The k-th start: fractions of what each population can be, and phases, that repeat late. 0.003 keeps
   phases that would be equal a little apart, off points that stand still by symmetry alone. */
static void set_start(const Search *search, int k, double z[])
{
  static const double irrep[] = {0.3, 0.2, 0.1, 0.4, 0.02}, pair[] = {0.6, 0.45, 0.8, 0.5, 0.9, 0.3, 0.15},
                      phase[] = {0.5, 0.5, -0.5, 0.01, 0.99, -0.25, 0.25};
  const CospinSymbolLabels *labels = &search->symbol->labels;

  for (int a = 0; a < search->num_populations; a++) {
    if (labels->bra[a] < 0) {
      z[a] = irrep[(k + a) % 5] * search->reach[a];
    } else if (a > 0 && labels->bra[a - 1] < 0) { /* r <= n <= N - r */
      const double lost = z[a - 1];
      z[a] = lost + pair[(k + a) % 7] * (search->reach[a] - 2 * lost);
    } else {
      z[a] = pair[(k + a) % 7] * search->reach[a];
    }
  }
  for (int i = 0; i < search->num_free; i++)
    z[search->num_populations + i] = PETSC_PI * (phase[(k + 3 * i) % 7] + 0.003 * i);
}

/* Phases count up to turns. */
static PetscBool is_same(const Search *search, const double a[], const double b[])
{
  for (int k = 0; k < search->size; k++) {
    double difference = a[k] - b[k];
    if (k >= search->num_populations) difference = remainder(difference, 2 * PETSC_PI);
    if (fabs(difference) > same * scale_of(search, a, k)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* ---- The Gaussian -------------------------------------------------------------------------------------- */

/* Labels y = (d, p): scaled by the roots of what they can be, so that all matrices are of one size. a:
   second derivatives of H by four-point differences, symmetric; among populations alone it is zero
   exactly, since L^T 1 = 0 at d = 0 whatever the populations are, and rounding is not let in. b[i,j] = d
   drift_j/dy_i. */
static void get_matrices(const Search *search, const double z[], const double complex theta[],
                         double complex a[], double complex b[], double complex diffusion[])
{
  const int nd = search->num_free, n = search->size;
  double d[COSPIN_MAX_FREE] = {0}, p[COSPIN_MAX_POPULATIONS], step[COSPIN_MAX_LABELS];
  double complex h, drift[2][COSPIN_MAX_LABELS];

  for (int k = 0; k < search->num_populations; k++) p[k] = z[k];
  for (int k = 0; k < n; k++) step[k] = step_exponent * label_scale(search, z, k);
  CospinSymbolEvaluate(search->symbol, d, p, theta, &h, drift[0], diffusion);
  for (int i = 0; i < n; i++) {
    double *at_i = i < nd ? &d[i] : &p[i - nd];
    const double kept = *at_i;
    for (int sign = 0; sign < 2; sign++) {
      *at_i = kept + (sign ? -step[i] : step[i]);
      CospinSymbolEvaluate(search->symbol, d, p, theta, &h, drift[sign], NULL);
    }
    *at_i = kept;
    for (int j = 0; j < n; j++) b[i + n * j] = (drift[0][j] - drift[1][j]) / (2 * step[i]);
    for (int j = 0; j <= i; j++) {
      double *at_j = j < nd ? &d[j] : &p[j - nd];
      double complex sum = 0.0;
      for (int s = 0; s < 4; s++) {
        const double kept_j = *at_j;
        *at_i += s & 1 ? -step[i] : step[i];
        *at_j += s & 2 ? -step[j] : step[j];
        CospinSymbolEvaluate(search->symbol, d, p, theta, &h, NULL, NULL);
        sum += (s == 0 || s == 3 ? 1 : -1) * h;
        *at_j = kept_j;
        *at_i = kept;
      }
      a[i + n * j] = a[j + n * i] = i >= nd && j >= nd ? 0.0 : sum / (4 * step[i] * step[j]);
    }
  }
}

/* S of the Riccati equation, s[n*n]; false: an eigenvalue has no real part. Method: the graph of S is the
   invariant subspace of a Hamiltonian matrix, whose eigenvalues come in pairs +-lambda (J. E. Potter, J.
   SIAM Appl. Math. 14, 496 (1966)). Those with a positive real part are the linearised rates of decay;
   exactly n of them must be there, else some direction neither decays nor grows and the state has no width
   in it. */
static PetscErrorCode solve_riccati(int n, const double complex a[], const double complex b[],
                                    const double complex diffusion[], double complex s[], PetscBool *ok)
{
  PetscScalar h[4 * COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      vectors[4 * COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], values[2 * COSPIN_MAX_LABELS], none[1],
      work[16 * COSPIN_MAX_LABELS], v1[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      v2[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS];
  PetscReal reals[4 * COSPIN_MAX_LABELS];
  PetscBLASInt size = (PetscBLASInt)(2 * n), half = (PetscBLASInt)n, one = 1,
               work_size = 16 * COSPIN_MAX_LABELS, info, pivots[COSPIN_MAX_LABELS];
  double largest = 0.0;
  int kept = 0;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      h[i + 2 * n * j] = b[j + n * i];
      h[i + 2 * n * (j + n)] = diffusion[i + n * j];
      h[i + n + 2 * n * j] = -a[i + n * j];
      h[i + n + 2 * n * (j + n)] = -b[i + n * j];
    }
  *ok = PETSC_FALSE;
  for (int k = 0; k < 4 * n * n; k++)
    if (!isfinite(creal(h[k])) || !isfinite(cimag(h[k]))) PetscFunctionReturn(0);
  LAPACKgeev_("N", "V", &size, h, &size, values, none, &one, vectors, &size, work, &work_size, reals, &info);
  *ok = (PetscBool)(info == 0);
  for (int k = 0; k < 2 * n && *ok; k++) largest = fmax(largest, cabs(values[k]));
  for (int k = 0; k < 2 * n && *ok; k++) {
    if (creal(values[k]) <= smallest_rate * largest) continue;
    for (int i = 0; i < n && kept < n; i++) { /* S V1 = V2 as V1^T S = V2^T, S being symmetric */
      v1[kept + n * i] = vectors[i + 2 * n * k];
      v2[kept + n * i] = vectors[i + n + 2 * n * k];
    }
    kept++;
  }
  if (kept != n) *ok = PETSC_FALSE;
  if (!*ok) PetscFunctionReturn(0);
  LAPACKgesv_(&half, &half, v1, &half, pivots, v2, &half, &info);
  *ok = (PetscBool)(info == 0);
  for (int i = 0; i < n; i++)
    /* S is symmetric in exact arithmetic; both halves are averaged so that it is in ours. */
    for (int j = 0; j < n; j++) s[i + n * j] = 0.5 * (v2[i + n * j] + v2[j + n * i]);
  PetscFunctionReturn(0);
}

/* lower[stride*i + j]: a = lower lower^T; false: not positive. */
static PetscBool cholesky(int n, const double a[], int stride, double lower[])
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double rest = a[i + n * j];
      for (int k = 0; k < j; k++) rest -= lower[stride * i + k] * lower[stride * j + k];
      if (i == j && !(rest > 0)) return PETSC_FALSE;
      lower[stride * i + j] = i == j ? sqrt(rest) : rest / lower[stride * j + j];
    }
  return PETSC_TRUE;
}

/* inverse of a symmetric positive matrix by its factor */
static PetscBool invert(int n, const double a[], double inverse[])
{
  double lower[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS] = {0}, y[COSPIN_MAX_POPULATIONS];

  if (!cholesky(n, a, n, lower)) return PETSC_FALSE;
  for (int c = 0; c < n; c++) {
    for (int i = 0; i < n; i++) {
      y[i] = i == c;
      for (int k = 0; k < i; k++) y[i] -= lower[n * i + k] * y[k];
      y[i] /= lower[n * i + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) y[i] -= lower[n * k + i] * inverse[k + n * c];
      inverse[i + n * c] = y[i] / lower[n * i + i];
    }
  }
  return PETSC_TRUE;
}

/* S is real among coherences and among populations and imaginary between them, since p(-d) = p(d)^*: a
   population that drifts with the phase. The real parts must be positive for p to be summable. Coherences
   are scaled by their exponent, populations by their covariance, as the kernel's nodes want them. */
static PetscBool factor_gaussian(int nd, int np, const double complex s[], CospinGaussian *gaussian)
{
  const int n = nd + np;
  double dd[COSPIN_MAX_FREE * COSPIN_MAX_FREE], pp[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS],
      covariance[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS];

  for (int i = 0; i < nd; i++)
    for (int j = 0; j < nd; j++) dd[i + nd * j] = creal(s[i + n * j]);
  for (int i = 0; i < np; i++)
    for (int j = 0; j < np; j++) pp[i + np * j] = creal(s[nd + i + n * (nd + j)]);
  for (int i = 0; i < nd; i++)
    for (int j = 0; j < np; j++) gaussian->s_dp[i][j] = s[i + n * (nd + j)];
  return (PetscBool)(cholesky(nd, dd, COSPIN_MAX_FREE, gaussian->c[0]) && invert(np, pp, covariance) &&
                     cholesky(np, covariance, COSPIN_MAX_POPULATIONS, gaussian->l[0]));
}

/* Labels are scaled by the roots of their reach before eigenvectors are asked for: standard deviations are
   of the size sqrt(N), so S becomes a matrix of numbers of the size of one, and back at the end. */
static PetscErrorCode find_gaussian(const Search *search, const double z[], CospinCentre *centre)
{
  const int nd = search->num_free, np = search->num_populations, n = search->size;
  CospinGaussian *gaussian = &centre->gaussian;
  double complex a[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], b[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      diffusion[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], s[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS];
  double root[COSPIN_MAX_LABELS];
  PetscBool ok;

  PetscFunctionBeginUser;
  for (int k = 0; k < np; k++) gaussian->p[k] = z[k];
  get_theta(search, z, gaussian->theta);
  get_matrices(search, z, gaussian->theta, a, b, diffusion);
  for (int k = 0; k < n; k++) root[k] = sqrt(label_scale(search, z, k));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      a[i + n * j] *= root[i] * root[j];
      b[i + n * j] *= root[i] / root[j];
      diffusion[i + n * j] /= root[i] * root[j];
    }
  PetscCall(solve_riccati(n, a, b, diffusion, s, &ok));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n && ok; j++) s[i + n * j] /= root[i] * root[j];
  centre->has_gaussian = (PetscBool)(ok && factor_gaussian(nd, np, s, gaussian));
  gaussian->edge = centre->has_gaussian ? distance_to_edge(search, gaussian->p, gaussian) : NAN;
  PetscFunctionReturn(0);
}

/* The first stable point is kept and the others are counted. More than one means bistability, of which an
   expansion around one of them would tell half of the truth. */
PetscErrorCode CospinCentreFind(CospinSymbol symbol, CospinCentre *centre)
{
  Search search = {.symbol = symbol,
                   .num_free = symbol->labels.num_free,
                   .num_populations = symbol->labels.num_populations,
                   .size = symbol->labels.num_free + symbol->labels.num_populations};
  double z[COSPIN_MAX_LABELS], first[COSPIN_MAX_LABELS] = {0}, growth = NAN;
  PetscBool found;

  PetscFunctionBeginUser;
  *centre = (CospinCentre){0};
  get_reach(&search);
  for (int k = 0; k < NUM_STARTS; k++) {
    set_start(&search, k, z);
    PetscCall(follow(&search, z, &growth, &found));
    if (!found || !(growth < 0) || (centre->num_stable && is_same(&search, first, z))) continue;
    if (centre->num_stable++ == 0)
      for (int i = 0; i < search.size; i++) first[i] = z[i];
    if (centre->num_stable == 1) centre->gaussian.growth = growth;
  }
  if (centre->num_stable) PetscCall(find_gaussian(&search, first, centre));
  PetscFunctionReturn(0);
}
