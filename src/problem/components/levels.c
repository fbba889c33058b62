#include "levels.h"
#include <math.h>

static const double rounding = 1e-9; /* of whole numbers and moduli that were computed in the deck */

PetscErrorCode CospinLevelsPrepare(int num, CospinLevelsSet set, const double complex arguments[],
                                   void **data, PetscBool *pure, char why[], size_t why_size)
{
  CospinLevels *levels;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&levels));
  levels->num = num;
  levels->pure = PETSC_TRUE;
  PetscCall(PetscCalloc1((size_t)num, &levels->amplitude));
  set(levels, arguments, why, why_size);
  *pure = levels->pure;
  *data = levels;
  if (why[0]) PetscCall(CospinLevelsFree(levels));
  if (why[0]) *data = NULL;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLevelsFree(void *data)
{
  CospinLevels *levels = (CospinLevels *)data;

  PetscFunctionBeginUser;
  if (levels) PetscCall(PetscFree(levels->amplitude));
  PetscCall(PetscFree(levels));
  PetscFunctionReturn(0);
}

double complex CospinLevelsElement(const CospinLevels *levels, int irrep, int n, int n_bra)
{
  if (irrep != levels->irrep) return 0.0;
  if (levels->pure) return levels->amplitude[n] * conj(levels->amplitude[n_bra]);
  return n == n_bra ? levels->amplitude[n] : 0.0;
}

/* Amplitudes span hundreds of orders of magnitude, so they are made from logarithms: modulus e^{log}, phase
   e^{i n phase}; what underflows beside the largest one is zero. */
static void set_from_logarithms(CospinLevels *levels, double phase,
                                double (*logarithm)(int n, const double x[]), const double x[])
{
  double largest = -INFINITY, norm = 0.0;

  for (int n = 0; n < levels->num; n++) largest = fmax(largest, logarithm(n, x));
  for (int n = 0; n < levels->num; n++) {
    const double modulus = exp(logarithm(n, x) - largest);
    levels->amplitude[n] = modulus * cexp(I * remainder(n * phase, 2 * PETSC_PI));
    norm += levels->pure ? modulus * modulus : modulus;
  }
  norm = levels->pure ? sqrt(norm) : norm;
  for (int n = 0; n < levels->num; n++) levels->amplitude[n] /= norm;
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

static double log_coherent(int n, const double x[])
{
  return log_power(x[0], n) - 0.5 * lgamma(n + 1.0);
}

static double log_thermal(int n, const double x[])
{
  return log_power(x[0] / (x[0] + 1), n);
}

void CospinLevelsSetGround(CospinLevels *levels, const double complex none[], char why[], size_t why_size)
{
  (void)none;
  (void)why;
  (void)why_size;
  levels->amplitude[0] = 1.0;
}

void CospinLevelsSetCss(CospinLevels *levels, const double complex theta_phi[], char why[], size_t why_size)
{
  const double half = 0.5 * creal(theta_phi[0]), size = levels->num - 1;
  const double x[] = {size, fabs(cos(half)) < 1e-16 ? 0.0 : fabs(cos(half)),
                      fabs(sin(half)) < 1e-16 ? 0.0 : fabs(sin(half))};
  const double sign = cos(half) * sin(half) < 0 ? PETSC_PI : 0.0; /* theta in (pi, 2 pi) and so on */

  if (cimag(theta_phi[0]) != 0.0 || cimag(theta_phi[1]) != 0.0) {
    (void)snprintf(why, why_size, "theta and phi must be real");
    return;
  }
  set_from_logarithms(levels, creal(theta_phi[1]) + sign, log_css, x);
}

void CospinLevelsSetCat(CospinLevels *levels, const double complex arguments[], char why[], size_t why_size)
{
  double norm = 0.0;

  if (fabs(cabs(arguments[2]) - 1.0) > rounding) {
    (void)snprintf(why, why_size, "the sign of a cat must be +1 or -1 (or another number of modulus 1)");
    return;
  }
  CospinLevelsSetCss(levels, arguments, why, why_size);
  for (int n = 0; n < levels->num; n++) {
    levels->amplitude[n] *= 1.0 + (n % 2 ? -1.0 : 1.0) * arguments[2];
    norm += creal(levels->amplitude[n] * conj(levels->amplitude[n]));
  }
  if (norm == 0.0) (void)snprintf(why, why_size, "the two halves of this cat cancel (theta = 0 and sign -1)");
  for (int n = 0; n < levels->num && norm > 0; n++) levels->amplitude[n] /= sqrt(norm);
}

void CospinLevelsSetFock(CospinLevels *levels, const double complex n[], char why[], size_t why_size)
{
  const double level = round(creal(n[0]));

  if (cabs(n[0] - level) > rounding || level < 0 || level >= levels->num) {
    (void)snprintf(why, why_size, "there is no level n = %.6g (whole numbers from 0 to %d)", creal(n[0]),
                   levels->num - 1);
    return;
  }
  levels->amplitude[(int)level] = 1.0;
}

void CospinLevelsSetCoherent(CospinLevels *levels, const double complex alpha[], char why[], size_t why_size)
{
  const double x[] = {cabs(alpha[0])};

  (void)why;
  (void)why_size;
  set_from_logarithms(levels, carg(alpha[0]), log_coherent, x);
}

void CospinLevelsSetThermal(CospinLevels *levels, const double complex nbar[], char why[], size_t why_size)
{
  const double x[] = {creal(nbar[0])};

  if (cimag(nbar[0]) != 0.0 || x[0] < 0) {
    (void)snprintf(why, why_size, "nbar must be a number >= 0");
    return;
  }
  levels->pure = (PetscBool)(x[0] == 0.0);
  set_from_logarithms(levels, 0.0, log_thermal, x);
}

PetscBool CospinLevelsHalfInteger(double complex x, int *two_x)
{
  const double twice = round(2 * creal(x));

  if (!(fabs(twice) < PETSC_MAX_INT)) return PETSC_FALSE;
  *two_x = (int)twice;
  return (PetscBool)(cabs(2 * x - twice) <= rounding);
}
