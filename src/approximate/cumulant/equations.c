/*
   The second-order equations and their steady state. With k = pump + decay + dephasing, kc = loss - gain,
   D = delta_s - delta_c, h = [-(Gm + Gp) + (N-1)(Gm - Gp) p]/2 (Gm, Gp: collective decay and pump),

     dp/dt = pump (1-p) - decay (1+p) - 4 Im z - 2 Gm [(1+p)/2 + (N-1)x] + 2 Gp [(1-p)/2 + (N-1)x]
     dn/dt = -kc n + gain + 2N Im z
     dz/dt = -[(k + kc)/2 + iD - h] z + i|g|^2 [(1+p)/2 + (N-1)x + n p]
     dx/dt = -k x + 2p Im z + Gm [-x + (p+y)/2 + (N-2)xp] + Gp [-x + (y-p)/2 - (N-2)xp]
     dy/dt = 2 pump (p-y) - 2 decay (p+y) - 8p Im z - 4 Gm [(p+y)/2 - x + (N-2)xp] - 4 Gp [(y-p)/2 - x -
   (N-2)xp]

   from Heisenberg's equations with the cumulants of three operators left out. Without collective jumps y =
   p^2 in the steady state, and what remains is one quadratic.

   Moments differ by many orders of magnitude (n ~ N, x ~ n/N^2 below threshold), so equations are scaled by
   rows and unknowns by what they are now: changes are relative ones, and 1e-10 is kept at N = 1e14 and more.
*/
#include "cumulant.h"

/* Where Newton's method converges it needs far fewer; bisections halve until doubles have no more digits. */
enum { NUM = COSPIN_NUM_CUMULANTS, P = 0, MAX_STEPS = 60, NUM_BISECTIONS = 60 };

static const double rounding = 1e-14;

/* Where slopes are added up: the terms, and their moduli, by which a residual is measured. */
typedef struct {
  double complex *slopes;
  double *sizes; /* NULL: nobody asks */
} Sum;

/* Terms are added one by one: a number near +-1 is known to its last digit, not to that of its distance. */
static void add(const Sum *sum, int k, double complex term)
{
  sum->slopes[k] += term;
  if (sum->sizes) sum->sizes[k] += cabs(term);
}

/* k of the equations above: <s-> of one spin decays at the rate k/2. */
static double coherence_decay(const CospinCumulants *e)
{
  return e->pump + e->decay + e->dephasing;
}

/* The terms that spins have without mode or collective jumps. */
static void add_spins(const CospinCumulants *e, const double complex u[], const Sum *sum)
{
  const double complex p = u[COSPIN_CUMULANT_P], x = u[COSPIN_CUMULANT_X], y = u[COSPIN_CUMULANT_Y];
  const double complex exchange = u[COSPIN_CUMULANT_Z_IM];

  add(sum, COSPIN_CUMULANT_P, e->pump);
  add(sum, COSPIN_CUMULANT_P, -e->decay);
  add(sum, COSPIN_CUMULANT_P, -(e->pump + e->decay) * p);
  add(sum, COSPIN_CUMULANT_P, -4 * exchange);
  add(sum, COSPIN_CUMULANT_X, -coherence_decay(e) * x);
  add(sum, COSPIN_CUMULANT_X, 2 * p * exchange);
  add(sum, COSPIN_CUMULANT_Y, 2 * (e->pump - e->decay) * p);
  add(sum, COSPIN_CUMULANT_Y, -2 * (e->pump + e->decay) * y);
  add(sum, COSPIN_CUMULANT_Y, -8 * p * exchange);
}

/* Collective decay (sign +1) at this rate; pump (-1) is the same with up and down exchanged, p -> -p. */
static void add_collective(const CospinCumulants *e, double rate, int sign, const double complex u[],
                           const Sum *sum)
{
  const double n = e->size;
  const double complex p = sign * u[COSPIN_CUMULANT_P], x = u[COSPIN_CUMULANT_X], y = u[COSPIN_CUMULANT_Y];

  if (rate == 0.0) return;
  add(sum, COSPIN_CUMULANT_P, -sign * rate);
  add(sum, COSPIN_CUMULANT_P, -sign * rate * p);
  add(sum, COSPIN_CUMULANT_P, -2 * sign * rate * (n - 1) * x);
  add(sum, COSPIN_CUMULANT_X, -rate * x);
  add(sum, COSPIN_CUMULANT_X, rate / 2 * p);
  add(sum, COSPIN_CUMULANT_X, rate / 2 * y);
  add(sum, COSPIN_CUMULANT_X, rate * (n - 2) * x * p);
  add(sum, COSPIN_CUMULANT_Y, -2 * rate * p);
  add(sum, COSPIN_CUMULANT_Y, -2 * rate * y);
  add(sum, COSPIN_CUMULANT_Y, 4 * rate * x);
  add(sum, COSPIN_CUMULANT_Y, -4 * rate * (n - 2) * x * p);
  for (int part = COSPIN_CUMULANT_Z_RE; part <= COSPIN_CUMULANT_Z_IM; part++) {
    add(sum, part, -rate / 2 * u[part]);
    add(sum, part, rate / 2 * (n - 1) * p * u[part]);
  }
}

/* Loss, gain and detuning of the mode, and what it exchanges with the spins. */
static void add_mode(const CospinCumulants *e, const double complex u[], const Sum *sum)
{
  const double n = e->size, g2 = creal(e->coupling * conj(e->coupling)), kc = e->loss - e->gain;
  const double decay = (coherence_decay(e) + kc) / 2, detuning = e->spin_frequency - e->mode_frequency;
  const double complex p = u[COSPIN_CUMULANT_P], photons = u[COSPIN_CUMULANT_PHOTONS];
  const double complex re = u[COSPIN_CUMULANT_Z_RE], im = u[COSPIN_CUMULANT_Z_IM];

  add(sum, COSPIN_CUMULANT_PHOTONS, -kc * photons);
  add(sum, COSPIN_CUMULANT_PHOTONS, e->gain);
  add(sum, COSPIN_CUMULANT_PHOTONS, 2 * n * im);
  add(sum, COSPIN_CUMULANT_Z_RE, -decay * re);
  add(sum, COSPIN_CUMULANT_Z_RE, detuning * im);
  add(sum, COSPIN_CUMULANT_Z_IM, -decay * im);
  add(sum, COSPIN_CUMULANT_Z_IM, -detuning * re);
  add(sum, COSPIN_CUMULANT_Z_IM, g2 / 2);
  add(sum, COSPIN_CUMULANT_Z_IM, g2 / 2 * p);
  add(sum, COSPIN_CUMULANT_Z_IM, g2 * (n - 1) * u[COSPIN_CUMULANT_X]);
  add(sum, COSPIN_CUMULANT_Z_IM, g2 * photons * p);
}

void CospinCumulantSlopes(const CospinCumulants *e, const double complex u[], double complex slopes[],
                          double sizes[])
{
  const Sum sum = {slopes, sizes};

  for (int k = 0; k < NUM; k++) slopes[k] = 0.0;
  for (int k = 0; k < NUM && sizes; k++) sizes[k] = 0.0;
  add_spins(e, u, &sum);
  add_collective(e, e->collective_decay, +1, u, &sum);
  add_collective(e, e->collective_pump, -1, u, &sum);
  if (e->mode >= 0) add_mode(e, u, &sum);
  for (int k = COSPIN_CUMULANT_PHOTONS; k <= COSPIN_CUMULANT_Z_IM && e->mode < 0; k++) {
    slopes[k] = -u[k]; /* moments of a mode that is not there: zero */
    if (sizes) sizes[k] = 1.0;
  }
}

void CospinCumulantJacobian(const CospinCumulants *e, const double u[], double jacobian[][NUM])
{
  const double step = 1e-100; /* nothing is subtracted: as small as one likes */
  double complex at[NUM], slopes[NUM];

  for (int j = 0; j < NUM; j++) {
    for (int k = 0; k < NUM; k++) at[k] = k == j ? CMPLX(u[k], step) : u[k];
    CospinCumulantSlopes(e, at, slopes, NULL);
    for (int i = 0; i < NUM; i++) jacobian[i][j] = cimag(slopes[i]) / step;
  }
}

double CospinCumulantResidual(const CospinCumulants *e, const double u[])
{
  double complex at[NUM], slopes[NUM];
  double sizes[NUM], residual = 0.0;

  for (int k = 0; k < NUM; k++) at[k] = u[k];
  CospinCumulantSlopes(e, at, slopes, sizes);
  for (int k = 0; k < NUM; k++) {
    if (sizes[k] > 0) residual = PetscMax(residual, cabs(slopes[k]) / sizes[k]);
    if (PetscIsInfOrNanReal(u[k])) residual = PETSC_INFINITY;
  }
  return residual;
}

/* ---- The closed steady state --------------------------------------------------------------------------- */

/* r = R/N, R the quanta per time that the spins give to the mode: a r^2 + b r - c = 0 (see the test's
   source). p is taken from whichever of its two expressions does not cancel. */
static void solve_quadratic(const CospinCumulants *e, double *r, double *p)
{
  const double n = e->size, k = coherence_decay(e), kc = e->loss - e->gain, nth = e->gain / kc;
  const double total = e->pump + e->decay, s0 = (e->pump - e->decay) / total;
  const double g2 = creal(e->coupling * conj(e->coupling)), sum = k + kc;
  const double detuning = 2 * (e->spin_frequency - e->mode_frequency) / sum;
  const double line = sum * (1 + detuning * detuning) / (4 * g2 * n);
  const double q = 1 / kc + (1 - 1 / n) / k;
  const double a = 2 * q / total, b = line - q * s0 + (2 * nth + 1) / (total * n);
  const double c = (0.5 + (nth + 0.5) * s0) / n, root = PetscSqrtReal(b * b + 4 * a * c);

  *r = b > 0 ? 2 * c / (b + root) : (root - b) / (2 * a);
  *p = s0 - 2 * *r / total;
  if (PetscAbsReal(*p) < 0.5 * PetscAbsReal(s0)) *p = (*r * line - 0.5 / n) / (q * *r + (nth + 0.5) / n);
}

PetscBool CospinCumulantClosed(const CospinCumulants *e, double u[])
{
  const double k = coherence_decay(e), kc = e->loss - e->gain, total = e->pump + e->decay;
  double r = 0.0, p;

  if (e->collective_decay > 0 || e->collective_pump > 0 || !(total > 0)) return PETSC_FALSE;
  p = (e->pump - e->decay) / total;
  if (e->mode >= 0 && e->coupling != 0.0) solve_quadratic(e, &r, &p);
  u[COSPIN_CUMULANT_P] = p;
  u[COSPIN_CUMULANT_PHOTONS] = e->mode >= 0 ? (e->gain + e->size * r) / kc : 0.0;
  u[COSPIN_CUMULANT_Z_RE] =
      e->mode >= 0 ? r * (e->spin_frequency - e->mode_frequency) / (k + kc) : 0.0; /* D Im z / ((k + kc)/2) */
  u[COSPIN_CUMULANT_Z_IM] = r / 2;
  u[COSPIN_CUMULANT_X] = p * r / k;
  u[COSPIN_CUMULANT_Y] = p * p;
  return PETSC_TRUE;
}

/* ---- Newton's method ----------------------------------------------------------------------------------- */

/* Solves a x = b, rows first scaled, with partial pivoting; *sign: of the determinant. a and b are
   overwritten. */
static PetscBool solve(int n, double a[][NUM], double b[], int *sign)
{
  *sign = 1;
  for (int i = 0; i < n; i++) {
    double largest = 0.0;
    for (int j = 0; j < n; j++) largest = PetscMax(largest, PetscAbsReal(a[i][j]));
    if (!(largest > 0 && largest < PETSC_MAX_REAL)) return PETSC_FALSE;
    for (int j = 0; j < n; j++) a[i][j] /= largest;
    b[i] /= largest;
  }
  /* Gauss with partial pivoting; swaps and negative pivots turn the sign of the determinant, which tells
     stable from unstable. */
  for (int c = 0; c < n; c++) {
    int pivot = c;
    for (int i = c + 1; i < n; i++) pivot = PetscAbsReal(a[i][c]) > PetscAbsReal(a[pivot][c]) ? i : pivot;
    if (a[pivot][c] == 0.0) return PETSC_FALSE;
    if (pivot != c) *sign = -*sign;
    if (a[pivot][c] < 0) *sign = -*sign;
    for (int j = 0; j < n; j++) {
      const double kept = a[c][j];
      a[c][j] = a[pivot][j];
      a[pivot][j] = kept;
    }
    const double kept = b[c];
    b[c] = b[pivot];
    b[pivot] = kept;
    for (int i = c + 1; i < n; i++) {
      const double factor = a[i][c] / a[c][c];
      for (int j = c; j < n; j++) a[i][j] -= factor * a[c][j];
      b[i] -= factor * b[c];
    }
  }
  for (int i = n - 1; i >= 0; i--) {
    for (int j = i + 1; j < n; j++) b[i] -= a[i][j] * b[j];
    b[i] /= a[i][i];
  }
  return PETSC_TRUE;
}

/* Sizes that the unknowns have somewhere in the range of parameters. */
static void natural_scales(const CospinCumulants *e, double scales[])
{
  const double kc = e->loss - e->gain, k = coherence_decay(e);
  const double rate = k + e->size * (e->collective_decay + e->collective_pump);
  const double usual = rate > 0 ? rate : 1.0;

  for (int j = 0; j < NUM; j++) scales[j] = 1.0;
  scales[COSPIN_CUMULANT_Z_RE] = scales[COSPIN_CUMULANT_Z_IM] = usual;
  if (e->mode >= 0) scales[COSPIN_CUMULANT_PHOTONS] = e->size * usual / kc;
}

/* The other moments at a given p, in which they are linear; *sign: of the determinant, which changes where
   they have no bounded steady state any more. */
static PetscBool solve_at(const CospinCumulants *e, double p, double u[], int *sign)
{
  double jacobian[NUM][NUM], a[NUM][NUM], b[NUM], scales[NUM];
  double complex at[NUM] = {p}, slopes[NUM];

  for (int k = 0; k < NUM; k++) u[k] = k == P ? p : 0.0;
  natural_scales(e, scales);
  CospinCumulantJacobian(e, u, jacobian);
  CospinCumulantSlopes(e, at, slopes, NULL);
  for (int i = 1; i < NUM; i++) {
    for (int j = 1; j < NUM; j++) a[i - 1][j - 1] = jacobian[i][j] * scales[j];
    b[i - 1] = -creal(slopes[i]);
  }
  if (!solve(NUM - 1, a, b, sign)) return PETSC_FALSE;
  for (int j = 1; j < NUM; j++) u[j] = b[j - 1] * scales[j];
  return PETSC_TRUE;
}

/* dp/dt at these moments; its sign tells on which side of the steady state p is. */
static double slope_of_p(const CospinCumulants *e, const double u[])
{
  double complex at[NUM], slopes[NUM];

  for (int k = 0; k < NUM; k++) at[k] = u[k];
  CospinCumulantSlopes(e, at, slopes, NULL);
  return creal(slopes[P]);
}

/* Where dp/dt changes sign below the end of stability: bisection. Near that end the other moments are
   anything at the precision of p; they are made to balance the pump then. */
static PetscBool guess(const CospinCumulants *e, double u[])
{
  double low = -1.0, high = 1.0;
  int stable, sign;

  if (!solve_at(e, low, u, &stable)) return PETSC_FALSE;
  for (int k = 0; k < NUM_BISECTIONS; k++) {
    const double middle = (low + high) / 2;
    const PetscBool below =
        (PetscBool)(solve_at(e, middle, u, &sign) && sign == stable && slope_of_p(e, u) > 0);
    if (below) low = middle;
    if (!below) high = middle;
  }
  const double margin = 1e-6 * PetscMax(PetscAbsReal(low), 1e-12), p = low;
  if (!solve_at(e, low - margin, u, &sign)) return PETSC_FALSE;
  const double local = e->pump * (1 - p) - e->decay * (1 + p);
  const double flow = e->pump * (1 - low + margin) - e->decay * (1 + low - margin) - slope_of_p(e, u);
  const double factor = local / flow;
  u[P] = p;
  if (!(factor > 1.0 && factor < PETSC_INFINITY)) return solve_at(e, p, u, &sign);
  for (int k = 1; k < NUM - 1; k++) u[k] *= factor;
  return PETSC_TRUE;
}

PetscBool CospinCumulantNewton(const CospinCumulants *e, double u[], int *iterations)
{
  double change = PETSC_INFINITY, scales[NUM];
  int sign;

  *iterations = 0;
  if (!guess(e, u)) return PETSC_FALSE;
  natural_scales(e, scales);
  for (; *iterations < MAX_STEPS; ++*iterations) {
    const double before = change;
    double jacobian[NUM][NUM], b[NUM];
    double complex at[NUM], slopes[NUM];
    for (int k = 0; k < NUM; k++) at[k] = u[k];
    CospinCumulantSlopes(e, at, slopes, NULL);
    CospinCumulantJacobian(e, u, jacobian);
    for (int i = 0; i < NUM; i++) {
      for (int j = 0; j < NUM; j++) jacobian[i][j] *= u[j] != 0 ? PetscAbsReal(u[j]) : scales[j];
      b[i] = -creal(slopes[i]);
    }
    if (!solve(NUM, jacobian, b, &sign)) return PETSC_FALSE;
    change = 0.0;
    for (int j = 0; j < NUM; j++) {
      u[j] += b[j] * (u[j] != 0 ? PetscAbsReal(u[j]) : scales[j]);
      change = PetscMax(change, PetscAbsReal(b[j]));
    }
    if (change <= 4 * PETSC_MACHINE_EPSILON || (change < 1e-9 && change >= before / 2)) return PETSC_TRUE;
    if (!(change < PETSC_INFINITY)) return PETSC_FALSE;
  }
  return (PetscBool)(CospinCumulantResidual(e, u) <= rounding); /* moments that are zero have no size */
}

/* ---- The line ------------------------------------------------------------------------------------------ */

/*
   Linearised, da = -(kc/2 + i delta_c) a - i g^* S + Fc, dS = i g Sz a - (k/2 + i delta_s) S + Fs. Where Sz
   is clamped one eigenvalue has no real part.
*/
PetscBool CospinCumulantThresholdOf(const CospinCumulants *e, CospinCumulantThreshold *threshold)
{
  const double k = coherence_decay(e), kc = e->loss - e->gain, sum = k + kc, total = e->pump + e->decay;
  const double detuning = 2 * (e->spin_frequency - e->mode_frequency) / sum;
  const double g2 = creal(e->coupling * conj(e->coupling));
  const double pulled = (kc * e->spin_frequency + k * e->mode_frequency) / sum;

  if (e->mode < 0 || e->collective_decay > 0 || e->collective_pump > 0 || !(total > 0)) return PETSC_FALSE;
  threshold->clamped = g2 > 0 ? k * kc * (1 + detuning * detuning) / (4 * g2 * e->size) : PETSC_INFINITY;
  threshold->unsaturated = (e->pump - e->decay) / total;
  threshold->above = (PetscBool)(threshold->unsaturated > threshold->clamped);
  threshold->frequency = pulled;
  threshold->mode = CMPLX(kc / 2, e->mode_frequency - pulled);
  threshold->spins = CMPLX(k / 2, e->spin_frequency - pulled);
  return PETSC_TRUE;
}

/*
   Along that eigenvector the noise makes the phase diffuse, <a^+(t) a> ~ exp(-D t/2), D the full width. The
   left vector of a phase shift is (i c_s, g^*) up to a real factor, so that the inversion does not turn the
   phase; with c = kc/2 + i(delta_c - omega) and c_s = k/2 + i(delta_s - omega)

     D = [kc (2 nth + 1) |c_s|^2 + |g|^2 k N] / (4 n Re(c + c_s)^2),

   2/Tcoh of Eq. (5) on resonance. Off resonance Re^2, not the modulus: intensity turns the phase (Henry).
*/
static PetscBool line_with_mode(const CospinCumulants *e, const double moments[], double *width,
                                double *frequency)
{
  const double k = coherence_decay(e), sum = k + e->loss - e->gain;
  const double g2 = creal(e->coupling * conj(e->coupling));
  CospinCumulantThreshold threshold;

  if (!CospinCumulantThresholdOf(e, &threshold) || !threshold.above) return PETSC_FALSE;
  *width = ((e->loss + e->gain) * creal(threshold.spins * conj(threshold.spins)) + g2 * k * e->size) /
           (moments[COSPIN_CUMULANT_PHOTONS] * sum * sum);
  *frequency = threshold.frequency;
  return PETSC_TRUE;
}

/* The same for a cavity so fast that it is a collective jump: kc -> infinity with Gm = 4 g^2 (nth + 1)/kc. */
static PetscBool line_without_mode(const CospinCumulants *e, const double moments[], double *width,
                                   double *frequency)
{
  const double k = coherence_decay(e), n = e->size, net = e->collective_decay - e->collective_pump;
  const double inversion = k / net, excited = (n + inversion) / 2;

  if (!(net > 0) || !(n * (e->pump - e->decay) > inversion * (e->pump + e->decay))) return PETSC_FALSE;
  *width = k / 2 * (e->collective_pump / net * inversion + excited) / (n * n * moments[COSPIN_CUMULANT_X]);
  *frequency = e->spin_frequency;
  return PETSC_TRUE;
}

PetscBool CospinCumulantLine(const CospinCumulants *e, const double moments[], double *width,
                             double *frequency)
{
  return e->mode >= 0 ? line_with_mode(e, moments, width, frequency)
                      : line_without_mode(e, moments, width, frequency);
}
