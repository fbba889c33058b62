/*
   With u = (a, S-, a^+, S+, Z), Z = 2 Sz, du = J u dt + F around a steady state,

     da = -c a - i g^* S        c  = kc/2 + i(delta_c - omega)
     dS = -c_s S + i g Z a      c_s = k/2 + i(delta_s - omega)
     dZ = (pump - decay) N - (pump + decay) Z + 2i (g^* a^+ S - g a S+),

   and <F_i F_j> = sum of rate <[A^+, u_i] [u_j, A]> over the jumps A (Einstein's relation), which orders
   operators: <a^+(t) a(0)> is what a detector sees, and positive.

   Above threshold a = sqrt(n) up to the phase, S = i c a/g^*, and Z is clamped. A shift of the phase, the
   right vector (a, S, ..) i, is not held by anything; with the left vector l its noise is D = l <F F> l^T,
   and <a^+(t) a(0)> ~ n exp(-D t/2). So the spectrum is that of the linear equations with the phase's
   eigenvalue -D/2 instead of 0. D may be 1e-14 of the other rates: the phase is therefore taken out of J (put
   at -shift) and its part is added in closed form.
*/
#include "noise.h"
#include <petscblaslapack.h>

enum { A = COSPIN_NOISE_A, S, A_DAG, S_DAG, Z, NUM, SQUARE = NUM * NUM, NUM_STEPS = 200, NUM_HALVINGS = 80 };

static const int adjoint[NUM] = {A_DAG, S_DAG, A, S, Z};
static const double golden = 0.61803398874989485;

/* ---- Equations ----------------------------------------------------------------------------------------- */

/* What a, S and Z fluctuate around, and in units of what. */
typedef struct {
  double complex a, s;
  double z, scales[NUM];
} State;

/* Around which the equations are linear. Below threshold all amplitudes are zero and scales are those of the
   fluctuations. */
static State state_of(const CospinCumulants *e, const double moments[],
                      const CospinCumulantThreshold *threshold)
{
  const double n = e->size, p = threshold->above ? threshold->clamped : moments[COSPIN_CUMULANT_P];
  const double a = PetscSqrtReal(PetscMax(moments[COSPIN_CUMULANT_PHOTONS], 0.0));
  const double pairs = n * (n - 1) * moments[COSPIN_CUMULANT_X] + n * (1 + p) / 2;
  State state = {.z = n * p};

  if (threshold->above) {
    state.a = a;
    state.s = I * threshold->mode * a / conj(e->coupling);
  }
  state.scales[A] = state.scales[A_DAG] = a > 0 ? a : 1.0;
  state.scales[S] = threshold->above ? cabs(state.s) : PetscSqrtReal(PetscMax(pairs, 1.0));
  state.scales[S_DAG] = state.scales[S];
  state.scales[Z] = n;
  return state;
}

/* J, row by row, as written out above; rows of a^+ and S+ are conjugates. */
static void set_drift(const CospinCumulants *e, const State *state, CospinCumulantNoise *noise)
{
  const double complex g = e->coupling, conjugate = conj(g);

  noise->drift[A][A] = -noise->threshold.mode;
  noise->drift[A][S] = -I * conjugate;
  noise->drift[S][S] = -noise->threshold.spins;
  noise->drift[S][A] = I * g * state->z;
  noise->drift[S][Z] = I * g * state->a;
  noise->drift[Z][Z] = -(e->pump + e->decay);
  noise->drift[Z][S] = 2 * I * conjugate * conj(state->a);
  noise->drift[Z][A] = -2 * I * g * conj(state->s);
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) {
      if (i == A || i == S || (i == Z && j <= S))
        noise->drift[adjoint[i]][adjoint[j]] = conj(noise->drift[i][j]);
    }
  }
}

/* <F_i F_j> by Einstein's relation from the jumps of the deck: not symmetric, for the order of operators
   counts. */
static void set_noise(const CospinCumulants *e, const State *state, CospinCumulantNoise *noise)
{
  const double excited = (e->size + state->z) / 2, ground = (e->size - state->z) / 2;

  noise->noise[A][A_DAG] = e->loss;
  noise->noise[A_DAG][A] = e->gain;
  noise->noise[S][S_DAG] = e->decay * e->size + e->dephasing * ground;
  noise->noise[S_DAG][S] = e->pump * e->size + e->dephasing * excited;
  noise->noise[Z][Z] = 4 * (e->pump * ground + e->decay * excited);
  noise->noise[Z][S] = -2 * e->pump * state->s;
  noise->noise[S_DAG][Z] = conj(noise->noise[Z][S]);
  noise->noise[S][Z] = 2 * e->decay * state->s;
  noise->noise[Z][S_DAG] = conj(noise->noise[S][Z]);
}

/* Numbers of photons and of spins differ by many orders of magnitude; in units of their own all elements are
   rates. */
static void scale(const State *state, CospinCumulantNoise *noise)
{
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) {
      noise->drift[i][j] *= state->scales[j] / state->scales[i];
      noise->noise[i][j] /= state->scales[i] * state->scales[j];
    }
  }
}

/* The diffusing phase; takes it out of the drift. */
static void set_phase(const CospinCumulants *e, const State *state, CospinCumulantNoise *noise)
{
  double complex overlap = 0.0, width = 0.0;

  noise->phase[A] = I * state->a / state->scales[A];
  noise->phase[S] = I * state->s / state->scales[S];
  noise->left[A] = I * noise->threshold.spins / conj(e->coupling) * state->scales[A];
  noise->left[S] = state->scales[S];
  for (int i = A; i <= S; i++) {
    noise->left[i] /= e->coupling;
    noise->phase[adjoint[i]] = conj(noise->phase[i]);
    noise->left[adjoint[i]] = conj(noise->left[i]);
  }
  for (int i = 0; i < NUM; i++) overlap += noise->left[i] * noise->phase[i];
  for (int i = 0; i < NUM; i++) noise->left[i] /= overlap;
  noise->shift = creal(noise->threshold.mode + noise->threshold.spins);
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) {
      width += noise->left[i] * noise->noise[i][j] * noise->left[j];
      noise->drift[i][j] -= noise->shift * noise->phase[i] * noise->left[j];
    }
  }
  noise->width = creal(width);
}

/* ---- Linear algebra ------------------------------------------------------------------------------------ */

/* Solves m x = b; b becomes x, m is overwritten. By columns, as LAPACK has it. */
static PetscErrorCode solve(int size, double complex m[], double complex b[])
{
  PetscBLASInt n = size, one = 1, pivots[SQUARE], info = 0;

  PetscFunctionBeginUser;
  LAPACKgesv_(&n, &one, m, &n, pivots, b, &n, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's gesv returned %d", (int)info);
  PetscFunctionReturn(0);
}

/* (drift - s) x = b */
static PetscErrorCode solve_drift(const CospinCumulantNoise *noise, double s, double complex b[])
{
  double complex m[SQUARE];

  PetscFunctionBeginUser;
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) m[i + j * NUM] = noise->drift[i][j] - (i == j ? s : 0.0);
  }
  PetscCall(solve(NUM, m, b));
  PetscFunctionReturn(0);
}

/* Without the part along the phase. */
static void project(const CospinCumulantNoise *noise, double complex vector[])
{
  double complex share = 0.0;

  for (int i = 0; i < NUM; i++) share += noise->left[i] * vector[i];
  for (int i = 0; i < NUM; i++) vector[i] -= share * noise->phase[i];
}

/* <u_i u_j> of all but the phase, row by row: J C + C J^T + <F F> = 0. */
static PetscErrorCode covariance(const CospinCumulantNoise *noise, double complex c[])
{
  double complex m[SQUARE * SQUARE] = {0}, row[NUM];

  PetscFunctionBeginUser;
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) {
      const int at = i * NUM + j;
      c[at] = -noise->noise[i][j];
      for (int k = 0; k < NUM; k++) {
        m[at + (k * NUM + j) * SQUARE] += noise->drift[i][k];
        m[at + (i * NUM + k) * SQUARE] += noise->drift[j][k];
      }
    }
  }
  PetscCall(solve(SQUARE, m, c));
  for (int i = 0; i < NUM; i++) project(noise, c + i * NUM);
  for (int j = 0; j < NUM; j++) {
    for (int i = 0; i < NUM; i++) row[i] = c[i * NUM + j];
    project(noise, row);
    for (int i = 0; i < NUM; i++) c[i * NUM + j] = row[i];
  }
  PetscFunctionReturn(0);
}

/* <u_i theta> (from_left: <theta u_i>) of the phase theta with the rest. */
static PetscErrorCode with_phase(const CospinCumulantNoise *noise, PetscBool from_left, double complex k[])
{
  PetscFunctionBeginUser;
  for (int i = 0; i < NUM; i++) {
    k[i] = 0.0;
    for (int j = 0; j < NUM; j++)
      k[i] -= (from_left ? noise->noise[j][i] : noise->noise[i][j]) * noise->left[j];
  }
  project(noise, k);
  PetscCall(solve_drift(noise, noise->width / 2, k));
  PetscFunctionReturn(0);
}

/* The number of photons in the linearised light, and how far beyond its linear range it is. */
static PetscErrorCode set_integral(const double moments[], CospinCumulantNoise *noise)
{
  const CospinCumulantThreshold *threshold = &noise->threshold;
  const double p = moments[COSPIN_CUMULANT_P];
  double complex c[SQUARE], right[NUM], left[NUM], sum;

  PetscFunctionBeginUser;
  PetscCall(covariance(noise, c));
  sum = c[A_DAG * NUM + A];
  noise->nonlinearity = PetscAbsReal((threshold->unsaturated - p) / (threshold->clamped - p));
  if (threshold->above) {
    noise->nonlinearity = creal(c[A_DAG * NUM + A_DAG] + 2 * sum + c[A * NUM + A]);
    PetscCall(with_phase(noise, PETSC_FALSE, right));
    PetscCall(with_phase(noise, PETSC_TRUE, left));
    sum += noise->phase[A_DAG] * noise->phase[A] + right[A_DAG] * noise->phase[A] +
           noise->phase[A_DAG] * left[A];
  }
  noise->integral = 2 * PETSC_PI * noise->photons * creal(sum);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCumulantNoiseCreate(const CospinCumulants *e, const double moments[],
                                         CospinCumulantNoise *noise, PetscBool *ok)
{
  State state;

  PetscFunctionBeginUser;
  *noise = (CospinCumulantNoise){.photons = moments[COSPIN_CUMULANT_PHOTONS]};
  *ok = CospinCumulantThresholdOf(e, &noise->threshold);
  if (!*ok) PetscFunctionReturn(0);
  state = state_of(e, moments, &noise->threshold);
  set_drift(e, &state, noise);
  set_noise(e, &state, noise);
  scale(&state, noise);
  if (noise->threshold.above) set_phase(e, &state, noise);
  PetscCall(set_integral(moments, noise));
  PetscFunctionReturn(0);
}

/* ---- The spectrum -------------------------------------------------------------------------------------- */

PetscErrorCode CospinCumulantNoiseDensity(const CospinCumulantNoise *noise, double offset, double *density)
{
  const double complex line =
      noise->width > 0 ? 1 / CMPLX(noise->width / 2, offset) - 1 / CMPLX(noise->shift, offset) : 0.0;
  double complex m[SQUARE], y[NUM] = {[A_DAG] = 1.0}, sum = 0.0;

  PetscFunctionBeginUser;
  for (int i = 0; i < NUM; i++) { /* the transpose: y is a row */
    for (int j = 0; j < NUM; j++) m[j + i * NUM] = (i == j ? I * offset : 0.0) - noise->drift[i][j];
  }
  PetscCall(solve(NUM, m, y));
  for (int i = 0; i < NUM; i++) y[i] += noise->phase[A_DAG] * line * noise->left[i];
  for (int i = 0; i < NUM; i++) {
    for (int j = 0; j < NUM; j++) sum += y[i] * noise->noise[i][j] * conj(y[adjoint[j]]);
  }
  *density = noise->photons * creal(sum);
  PetscFunctionReturn(0);
}

/* Where lines may stand, and their half widths: that of the diffusing phase, or the eigenvalues of a^+ and
 * S+. */
static int lines_of(const CospinCumulantNoise *noise, double complex lines[])
{
  const double complex sum = (noise->drift[A_DAG][A_DAG] + noise->drift[S_DAG][S_DAG]) / 2;
  const double complex difference = (noise->drift[A_DAG][A_DAG] - noise->drift[S_DAG][S_DAG]) / 2;
  const double complex root =
      csqrt(difference * difference + noise->drift[A_DAG][S_DAG] * noise->drift[S_DAG][A_DAG]);

  lines[0] = noise->threshold.above ? -noise->width / 2 : sum + root;
  lines[1] = sum - root;
  return noise->threshold.above ? 1 : 2;
}

/* The largest value within three half widths of a line, by golden section. */
static PetscErrorCode top(const CospinCumulantNoise *noise, double complex line, double *offset,
                          double *height)
{
  const double reach = 3 * PetscAbsReal(creal(line));
  double low = cimag(line) - reach, high = cimag(line) + reach, first, second;

  PetscFunctionBeginUser;
  for (int k = 0; k < NUM_HALVINGS; k++) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    PetscCall(CospinCumulantNoiseDensity(noise, left, &first));
    PetscCall(CospinCumulantNoiseDensity(noise, right, &second));
    if (first > second)
      high = right;
    else
      low = left;
  }
  *offset = (low + high) / 2;
  PetscCall(CospinCumulantNoiseDensity(noise, *offset, height));
  PetscFunctionReturn(0);
}

/* From the peak in growing steps of one direction down to `level`, then by halving. */
static PetscErrorCode crossing(const CospinCumulantNoise *noise, double peak, double step, double level,
                               double *distance)
{
  double inside = 0.0, outside = step, value;

  PetscFunctionBeginUser;
  for (int k = 0; k < NUM_STEPS; k++) {
    PetscCall(CospinCumulantNoiseDensity(noise, peak + outside, &value));
    if (!(value > level)) break;
    inside = outside;
    outside *= 1.2;
  }
  for (int k = 0; k < NUM_HALVINGS; k++) {
    const double middle = (inside + outside) / 2;
    PetscCall(CospinCumulantNoiseDensity(noise, peak + middle, &value));
    if (value > level)
      inside = middle;
    else
      outside = middle;
  }
  *distance = PetscAbsReal(inside);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCumulantNoisePeak(const CospinCumulantNoise *noise, double *offset, double *height,
                                       double *fwhm)
{
  double complex lines[2];
  double up, down, step = 0.0;

  PetscFunctionBeginUser;
  *height = -1.0;
  for (int k = 0, count = lines_of(noise, lines); k < count; k++) {
    double at = 0.0, value = 0.0;
    PetscCall(top(noise, lines[k], &at, &value));
    if (!(value > *height)) continue;
    *height = value;
    *offset = at;
    step = 0.05 * PetscAbsReal(creal(lines[k]));
  }
  PetscCall(crossing(noise, *offset, step, *height / 2, &up));
  PetscCall(crossing(noise, *offset, -step, *height / 2, &down));
  *fwhm = up + down;
  PetscFunctionReturn(0);
}
