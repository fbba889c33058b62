/*
   The functions and constants of the expression language: one row each.

   Real arguments inside the domain of the real function go through it, so that real stays exactly real and
   rounding is that of the real function.

   A row says how many arguments a function has, whether its value is real, and what computes it. Reality is
   declared and not tested: sqrt(-1) is complex, abs of anything is real, and dag and functionals are told
   apart by the same column.
*/
#include "expression_impl.h"
#include <math.h>
#include <string.h>

/* sqrt(-1) leaves the real domain and goes to csqrt, whose branch is the principal one; NaN and infinities
   do as well, and are caught behind as "not finite". */
#define UNARY_FUNCTION(name, in_domain)                                                                      \
  static double complex Apply_##name(int count, const double complex z[])                                    \
  {                                                                                                          \
    const double x = creal(z[0]);                                                                            \
    (void)count;                                                                                             \
    if (cimag(z[0]) == 0 && (in_domain)) return name(x);                                                     \
    return c##name(z[0]);                                                                                    \
  }

/* C has no complex log10. */
static double complex clog_10(double complex z)
{
  return clog(z) / log(10.);
}
#define clog10 clog_10

UNARY_FUNCTION(sqrt, x >= 0)
UNARY_FUNCTION(exp, isfinite(x))
UNARY_FUNCTION(log, x >= 0)
UNARY_FUNCTION(log10, x >= 0)
UNARY_FUNCTION(sin, isfinite(x))
UNARY_FUNCTION(cos, isfinite(x))
UNARY_FUNCTION(tan, isfinite(x))
UNARY_FUNCTION(asin, fabs(x) <= 1)
UNARY_FUNCTION(acos, fabs(x) <= 1)
UNARY_FUNCTION(atan, isfinite(x))
UNARY_FUNCTION(sinh, isfinite(x))
UNARY_FUNCTION(cosh, isfinite(x))
UNARY_FUNCTION(tanh, isfinite(x))

/* Functions that take the parts of a number, or real numbers only (the table says needs_real). */
#define FUNCTION_OF_ARGUMENTS(name, expression)                                                              \
  static double complex Apply_##name(int count, const double complex z[])                                    \
  {                                                                                                          \
    (void)count;                                                                                             \
    return (expression);                                                                                     \
  }

FUNCTION_OF_ARGUMENTS(abs, cabs(z[0]))
FUNCTION_OF_ARGUMENTS(re, creal(z[0]))
FUNCTION_OF_ARGUMENTS(im, cimag(z[0]))
FUNCTION_OF_ARGUMENTS(arg, carg(z[0]))
FUNCTION_OF_ARGUMENTS(conj, CospinConjugate(z[0]))
FUNCTION_OF_ARGUMENTS(floor, floor(creal(z[0])))
FUNCTION_OF_ARGUMENTS(ceil, ceil(creal(z[0])))
FUNCTION_OF_ARGUMENTS(round, round(creal(z[0])))
FUNCTION_OF_ARGUMENTS(atan2, atan2(creal(z[0]), creal(z[1])))

/* Of time. A step belongs to what follows it, so pulses that follow each other leave no gap. */
FUNCTION_OF_ARGUMENTS(step, creal(z[0]) >= 0 ? 1.0 : 0.0)
FUNCTION_OF_ARGUMENTS(pulse, creal(z[0]) >= creal(z[1]) && creal(z[0]) < creal(z[2]) ? 1.0 : 0.0)
FUNCTION_OF_ARGUMENTS(gauss,
                      creal(z[2]) > 0 ? exp(-0.5 * pow((creal(z[0]) - creal(z[1])) / creal(z[2]), 2)) : NAN)

/* Of no length: what it does at t0 whoever integrates knows (time.c); everywhere else it is nothing. */
FUNCTION_OF_ARGUMENTS(kick, 0.0 * creal(z[0]) * creal(z[1]))

/* From 0 at t0 to 1 at t1, whichever is earlier; a step where they are the same. */
static double complex apply_ramp(int count, const double complex z[])
{
  const double t = creal(z[0]), t0 = creal(z[1]), t1 = creal(z[2]);

  (void)count;
  if (t0 == t1) return t >= t0 ? 1.0 : 0.0;
  return fmin(1.0, fmax(0.0, (t - t0) / (t1 - t0)));
}

static double complex apply_min(int count, const double complex z[])
{
  double least = creal(z[0]);

  for (int k = 1; k < count; k++) least = fmin(least, creal(z[k]));
  return least;
}

static double complex apply_max(int count, const double complex z[])
{
  double largest = creal(z[0]);

  for (int k = 1; k < count; k++) largest = fmax(largest, creal(z[k]));
  return largest;
}

/* NaN outside the whole numbers; infinite above 170. 171! is beyond a double. */
static double complex apply_factorial(int count, const double complex z[])
{
  const double n = creal(z[0]);
  double product = 1;

  (void)count;
  if (n < 0 || n != floor(n)) return NAN;
  if (n > 170) return INFINITY;
  for (int k = 2; k <= (int)n; k++) product *= k;
  return product;
}

/* Every partial product is itself a binomial coefficient, so the result is exact as long as it fits.
   round() takes away what the division has left, so that errors do not add up. */
static double complex apply_binomial(int count, const double complex z[])
{
  const double n = creal(z[0]);
  double k = creal(z[1]), product = 1;

  (void)count;
  if (n < 0 || n != floor(n) || k != floor(k)) return NAN;
  if (k < 0 || k > n) return 0;
  k = fmin(k, n - k);
  for (double j = 1; j <= k && isfinite(product); j++) product = round(product * (n - k + j) / j);
  return product;
}

/* Name, fewest and most arguments, reality, whether arguments must be real, what computes it, and of
   functionals the signature (a letter for each argument: c a component, o an operator, n a number). */
static const Function functions[] = {
    {"sqrt", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_sqrt, NULL},
    {"exp", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_exp, NULL},
    {"log", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_log, NULL},
    {"log10", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_log10, NULL},
    {"sin", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_sin, NULL},
    {"cos", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_cos, NULL},
    {"tan", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_tan, NULL},
    {"asin", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_asin, NULL},
    {"acos", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_acos, NULL},
    {"atan", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_atan, NULL},
    {"atan2", 2, 2, REAL_ALWAYS, PETSC_TRUE, Apply_atan2, NULL},
    {"sinh", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_sinh, NULL},
    {"cosh", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_cosh, NULL},
    {"tanh", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_tanh, NULL},
    {"abs", 1, 1, REAL_ALWAYS, PETSC_FALSE, Apply_abs, NULL},
    {"re", 1, 1, REAL_ALWAYS, PETSC_FALSE, Apply_re, NULL},
    {"im", 1, 1, REAL_ALWAYS, PETSC_FALSE, Apply_im, NULL},
    {"arg", 1, 1, REAL_ALWAYS, PETSC_FALSE, Apply_arg, NULL},
    {"conj", 1, 1, REAL_OF_REAL, PETSC_FALSE, Apply_conj, NULL},
    {"floor", 1, 1, REAL_ALWAYS, PETSC_TRUE, Apply_floor, NULL},
    {"ceil", 1, 1, REAL_ALWAYS, PETSC_TRUE, Apply_ceil, NULL},
    {"round", 1, 1, REAL_ALWAYS, PETSC_TRUE, Apply_round, NULL},
    {"min", 2, 1000, REAL_ALWAYS, PETSC_TRUE, apply_min, NULL},
    {"max", 2, 1000, REAL_ALWAYS, PETSC_TRUE, apply_max, NULL},
    {"factorial", 1, 1, REAL_ALWAYS, PETSC_TRUE, apply_factorial, NULL},
    {"binomial", 2, 2, REAL_ALWAYS, PETSC_TRUE, apply_binomial, NULL},
    {"step", 1, 1, REAL_ALWAYS, PETSC_TRUE, Apply_step, NULL},
    {"ramp", 3, 3, REAL_ALWAYS, PETSC_TRUE, apply_ramp, NULL},
    {"pulse", 3, 3, REAL_ALWAYS, PETSC_TRUE, Apply_pulse, NULL},
    {"gauss", 3, 3, REAL_ALWAYS, PETSC_TRUE, Apply_gauss, NULL},
    {"kick", 2, 3, REAL_ALWAYS, PETSC_TRUE, Apply_kick, NULL},
    {"table", 1, 1, REAL_OF_TABLE, PETSC_TRUE, NULL, NULL}, /* the file is none of its arguments */
    {"sum", 3, 3, REAL_OF_RANGE, PETSC_FALSE, NULL, NULL},
    {"prod", 3, 3, REAL_OF_RANGE, PETSC_FALSE, NULL, NULL},
    {"dag", 1, 1, REAL_OF_OPERATORS, PETSC_FALSE, Apply_conj, NULL},
#define COSPIN_FUNCTIONAL(name, signature, kind)                                                             \
  {name, sizeof(signature) - 1, sizeof(signature) - 1, REAL_OF_STATE, PETSC_FALSE, NULL, signature},
#include <cospin/deck/functional_list.h>
#undef COSPIN_FUNCTIONAL
};

enum { NUM_FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

const Function *CospinFunctionFind(const char name[])
{
  for (int k = 0; k < NUM_FUNCTIONS; k++) {
    if (!strcmp(functions[k].name, name)) return &functions[k];
  }
  return NULL;
}

const char *CospinFunctionName(int k)
{
  return k < NUM_FUNCTIONS ? functions[k].name : NULL;
}

#define PI 3.14159265358979323846

/* Units are those of the SI, and a frequency is an angular one: MHz is 2 pi 1e6/s. amu: CODATA 2018. A
   number that is typed as 5*MHz is 2 pi 5e6, so that detunings and rates in decks of ions are what papers
   mean by "2 pi x 5 MHz"; whoever wants plain cycles writes 5e6. */
static const struct {
  const char *name;
  double re, im;
} constants[] = {{"pi", PI, 0},        {"i", 0, 1},          {"Hz", 2 * PI, 0},
                 {"kHz", 2e3 * PI, 0}, {"MHz", 2e6 * PI, 0}, {"GHz", 2e9 * PI, 0},
                 {"nm", 1e-9, 0},      {"um", 1e-6, 0},      {"amu", 1.66053906660e-27, 0}};

enum { NUM_CONSTANTS = sizeof(constants) / sizeof(constants[0]) };

const char *CospinConstantName(int k)
{
  return k < NUM_CONSTANTS ? constants[k].name : NULL;
}

PetscBool CospinConstantFind(const char name[], double complex *value)
{
  for (int k = 0; k < NUM_CONSTANTS; k++) {
    if (!strcmp(constants[k].name, name)) {
      *value = CMPLX(constants[k].re, constants[k].im);
      return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}
