/*
   Product states over the levels n = 0 ... highest of a ket, from the arguments of a deck's state:

        css        sqrt(binomial(N, n)) cos(theta/2)^(N-n) sin(theta/2)^n e^{i n phi}

     cat        css(theta, phi) + sign css(theta, phi + pi), where e^{i n pi} = (-1)^n

     coherent   alpha^n / sqrt(n!), renormalised on the levels that there are; its cat: + sign (-alpha)^n /
   sqrt(n!)

     thermal    populations (nbar/(nbar + 1))^n

   theta = 0 is all spins down, the level n = 0, and n counts spins that are up. Which of them a kind of
   component offers, and under which name, its own file says.

   Everything goes through logarithms and is normalised at the end: binomials of 10^4 spins and powers of a
   large alpha would overflow, while their ratios, which are all that is left, do not.
*/
#include "amplitudes.h"
#include <math.h>
#include <stdlib.h>

static const double rounding = 1e-9; /* of whole numbers and moduli that were computed in the deck */

PetscErrorCode CospinAmplitudesPrepare(CospinComponent component, int num, CospinAmplitudesSet set,
                                       const double complex arguments[], void **data, PetscBool *pure,
                                       char why[], size_t why_size)
{
  CospinAmplitudes *amplitudes;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&amplitudes));
  amplitudes->component = component;
  amplitudes->num = num;
  amplitudes->pure = PETSC_TRUE;
  PetscCall(PetscCalloc1((size_t)num, &amplitudes->amplitude));
  set(amplitudes, arguments, why, why_size);
  *pure = amplitudes->pure;
  *data = amplitudes;
  if (why[0]) PetscCall(CospinAmplitudesFree(amplitudes));
  if (why[0]) *data = NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinAmplitudesFree(void *data)
{
  CospinAmplitudes *amplitudes = (CospinAmplitudes *)data;

  PetscFunctionBeginUser;
  if (amplitudes) PetscCall(PetscFree(amplitudes->amplitude));
  PetscCall(PetscFree(amplitudes));
  PetscFunctionReturn(0);
}

/* <n| rho |n_bra>; states of ensembles live in one irrep. */
double complex CospinAmplitudesElement(const CospinAmplitudes *amplitudes, int irrep, int n, int n_bra)
{
  if (irrep != amplitudes->irrep) return 0.0;
  if (amplitudes->pure) return amplitudes->amplitude[n] * conj(amplitudes->amplitude[n_bra]);
  return n == n_bra ? amplitudes->amplitude[n] : 0.0;
}

/* Amplitudes span hundreds of orders of magnitude, so they are made from logarithms: modulus e^{log}, phase
   e^{i n phase}; what underflows beside the largest one is zero. */
static void set_from_logarithms(CospinAmplitudes *amplitudes, double phase,
                                double (*logarithm)(int n, const double x[]), const double x[])
{
  double largest = -INFINITY, norm = 0.0;

  for (int n = 0; n < amplitudes->num; n++) largest = fmax(largest, logarithm(n, x));
  for (int n = 0; n < amplitudes->num; n++) {
    const double modulus = exp(logarithm(n, x) - largest);
    amplitudes->amplitude[n] = modulus * cexp(I * remainder(n * phase, 2 * PETSC_PI));
    norm += amplitudes->pure ? modulus * modulus : modulus;
  }
  norm = amplitudes->pure ? sqrt(norm) : norm;
  for (int n = 0; n < amplitudes->num; n++) amplitudes->amplitude[n] /= norm;
}

static double log_power(double base, double exponent)
{
  return exponent == 0.0 ? 0.0 : exponent * log(base); /* 0^0 = 1 */
}

/* x: N, |cos|, |sin| of theta/2 */
static double log_css(int n, const double x[])
{
  const double binomial = lgamma(x[0] + 1) - lgamma(n + 1.0) - lgamma(x[0] - n + 1);

  return 0.5 * binomial + log_power(x[1], x[0] - n) + log_power(x[2], n);
}

/* |alpha|^n / sqrt(n!); the phase is put on by set_from_logarithms. */
static double log_coherent(int n, const double x[])
{
  return log_power(x[0], n) - 0.5 * lgamma(n + 1.0);
}

/* Populations, not amplitudes. */
static double log_thermal(int n, const double x[])
{
  return log_power(x[0] / (x[0] + 1), n);
}

void CospinAmplitudesSetGround(CospinAmplitudes *amplitudes, const double complex none[], char why[],
                               size_t why_size)
{
  (void)none;
  (void)why;
  (void)why_size;
  amplitudes->amplitude[0] = 1.0;
}

void CospinAmplitudesSetCss(CospinAmplitudes *amplitudes, const double complex theta_phi[], char why[],
                            size_t why_size)
{
  const double half = 0.5 * creal(theta_phi[0]), size = amplitudes->num - 1;
  const double x[] = {size, fabs(cos(half)) < 1e-16 ? 0.0 : fabs(cos(half)),
                      fabs(sin(half)) < 1e-16 ? 0.0 : fabs(sin(half))};
  const double sign = cos(half) * sin(half) < 0 ? PETSC_PI : 0.0; /* theta in (pi, 2 pi) and so on */

  if (cimag(theta_phi[0]) != 0.0 || cimag(theta_phi[1]) != 0.0) {
    (void)snprintf(why, why_size, "theta and phi must be real");
    return;
  }
  set_from_logarithms(amplitudes, creal(theta_phi[1]) + sign, log_css, x);
}

/* psi(n) + sign (-1)^n psi(n). Levels of one parity cancel for the signs +1 and -1, so the norm is computed
   and not taken as sqrt(2). `nothing`: which half there is none of where all cancels. */
static void superpose(CospinAmplitudes *amplitudes, double complex sign, const char nothing[], char why[],
                      size_t why_size)
{
  double norm = 0.0;

  if (!why[0] && fabs(cabs(sign) - 1.0) > rounding)
    (void)snprintf(why, why_size, "the sign of a cat must be +1 or -1 (or another number of modulus 1)");
  if (why[0]) return;
  for (int n = 0; n < amplitudes->num; n++) {
    amplitudes->amplitude[n] *= 1.0 + (n % 2 ? -1.0 : 1.0) * sign;
    norm += creal(amplitudes->amplitude[n] * conj(amplitudes->amplitude[n]));
  }
  if (norm == 0.0) (void)snprintf(why, why_size, "the two halves of this cat cancel (%s)", nothing);
  for (int n = 0; n < amplitudes->num && norm > 0; n++) amplitudes->amplitude[n] /= sqrt(norm);
}

void CospinAmplitudesSetCat(CospinAmplitudes *amplitudes, const double complex arguments[], char why[],
                            size_t why_size)
{
  CospinAmplitudesSetCss(amplitudes, arguments, why, why_size);
  superpose(amplitudes, arguments[2], "theta = 0 and sign -1", why, why_size);
}

void CospinAmplitudesSetTop(CospinAmplitudes *amplitudes, const double complex none[], char why[],
                            size_t why_size)
{
  (void)none;
  (void)why;
  (void)why_size;
  amplitudes->amplitude[amplitudes->num - 1] = 1.0;
}

void CospinAmplitudesSetFock(CospinAmplitudes *amplitudes, const double complex n[], char why[],
                             size_t why_size)
{
  const double level = round(creal(n[0]));

  if (cabs(n[0] - level) > rounding || level < 0 || level >= amplitudes->num) {
    (void)snprintf(why, why_size, "there is no level n = %.6g (whole numbers from 0 to %d)", creal(n[0]),
                   amplitudes->num - 1);
    return;
  }
  amplitudes->amplitude[(int)level] = 1.0;
}

void CospinAmplitudesSetCoherent(CospinAmplitudes *amplitudes, const double complex alpha[], char why[],
                                 size_t why_size)
{
  const double x[] = {cabs(alpha[0])};

  (void)why;
  (void)why_size;
  set_from_logarithms(amplitudes, carg(alpha[0]), log_coherent, x);
}

/* The other half is the coherent state of -alpha: (-alpha)^n = (-1)^n alpha^n. */
void CospinAmplitudesSetCoherentCat(CospinAmplitudes *amplitudes, const double complex alpha_sign[],
                                    char why[], size_t why_size)
{
  CospinAmplitudesSetCoherent(amplitudes, alpha_sign, why, why_size);
  superpose(amplitudes, alpha_sign[1], "alpha = 0 and sign -1", why, why_size);
}

void CospinAmplitudesSetThermal(CospinAmplitudes *amplitudes, const double complex nbar[], char why[],
                                size_t why_size)
{
  const double x[] = {creal(nbar[0])};

  if (cimag(nbar[0]) != 0.0 || x[0] < 0) {
    (void)snprintf(why, why_size, "nbar must be a number >= 0");
    return;
  }
  amplitudes->pure = (PetscBool)(x[0] == 0.0);
  set_from_logarithms(amplitudes, 0.0, log_thermal, x);
}

/* Of numbers that come from expressions, such as N/2. */
PetscBool CospinIsHalfInteger(double complex x, int *two_x)
{
  const double twice = round(2 * creal(x));

  if (!(fabs(twice) < PETSC_MAX_INT)) return PETSC_FALSE;
  *two_x = (int)twice;
  return (PetscBool)(cabs(2 * x - twice) <= rounding);
}

int CospinTwoProjection(double complex m, int two_j, char why[], size_t why_size)
{
  int two_m = 0;

  if (!CospinIsHalfInteger(m, &two_m) || abs(two_m) > two_j || (two_j - two_m) % 2)
    (void)snprintf(why, why_size, "j = %g has no m = %g (m is %g, one more, ... up to %g)", 0.5 * two_j,
                   creal(m), -0.5 * two_j, 0.5 * two_j);
  return two_m;
}
