/*
   Arithmetic of what an expression may be worth: a complex number, or an operator (a polynomial). A number
   that meets an operator becomes that multiple of the identity.

   Numbers without an imaginary part are multiplied and divided as real ones. C's complex arithmetic would
   give 0*inf = nan in the imaginary part and round differently, and a rate that is real in the deck would no
   longer be exactly real here.
*/
#include "expression_impl.h"
#include <math.h>

/* i^2 is exactly -1 that way, which cpow does not give. */
enum { MAX_REPEATED_POWER = 1024 }; /* up to it products, whose rounding errors are those of products */

const char *CospinNumberFormat(double complex z, char text[], size_t size)
{
  if (cimag(z) == 0)
    snprintf(text, size, "%.6g", creal(z));
  else if (creal(z) == 0)
    snprintf(text, size, "%.6g*i", cimag(z));
  else
    snprintf(text, size, "%.6g%+.6g*i", creal(z), cimag(z));
  return text;
}

/* Asked after every operation, so that a fault points at the sign where a number was lost and not at the
   end. */
PetscBool CospinValueIsFinite(const CospinValue *value)
{
  if (!value->is_operator)
    return (PetscBool)(isfinite(creal(value->number)) && isfinite(cimag(value->number)));
  for (int k = 0; k < value->polynomial->count; k++) {
    const double complex c = value->polynomial->monomials[k].coefficient;

    if (!isfinite(creal(c)) || !isfinite(cimag(c))) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Real operands are kept apart: complex arithmetic would round differently and lose zeros. */
double complex CospinComplexMultiply(double complex a, double complex b)
{
  if (cimag(a) == 0 && cimag(b) == 0) return creal(a) * creal(b);
  if (cimag(a) == 0) return CMPLX(creal(a) * creal(b), creal(a) * cimag(b));
  if (cimag(b) == 0) return CMPLX(creal(a) * creal(b), cimag(a) * creal(b));
  return a * b;
}

/* A real divisor is common (rates/N) and must not turn a real quotient into one with an imaginary part of
   rounding. */
double complex CospinComplexDivide(double complex a, double complex b)
{
  if (cimag(a) == 0 && cimag(b) == 0) return creal(a) / creal(b);
  if (cimag(b) == 0) return CMPLX(creal(a) / creal(b), cimag(a) / creal(b));
  return a / b;
}

/* 0 - x and not -x: the latter makes -0.0 of a zero imaginary part, and functions with a branch cut (sqrt,
   log) take its other side. */
double complex CospinComplexNegate(double complex z)
{
  return CMPLX(0 - creal(z), 0 - cimag(z));
}

/* Turns a number into that multiple of the identity. A monomial without operators is the identity. */
PetscErrorCode CospinValuePromote(CospinValue *value)
{
  PetscFunctionBeginUser;
  if (value->is_operator) PetscFunctionReturn(0);
  PetscCall(CospinPolynomialCreate(&value->polynomial));
  PetscCall(CospinPolynomialAddMonomial(value->polynomial, value->number, 0, NULL));
  value->is_operator = PETSC_TRUE;
  value->number = 0;
  PetscFunctionReturn(0);
}

/* Anew instead of in place, since scaling by zero leaves no monomials. */
PetscErrorCode CospinValueScale(CospinValue *value, double complex factor)
{
  CospinPolynomial scaled;

  PetscFunctionBeginUser;
  if (!value->is_operator) {
    value->number = CospinComplexMultiply(factor, value->number);
    PetscFunctionReturn(0);
  }
  PetscCall(CospinPolynomialCreate(&scaled));
  PetscCall(CospinPolynomialAxpy(scaled, factor, value->polynomial));
  PetscCall(CospinPolynomialDestroy(&value->polynomial));
  value->polynomial = scaled;
  PetscFunctionReturn(0);
}

double CospinPolynomialCountOperators(CospinPolynomial p)
{
  double operators = 0;

  for (int k = 0; k < p->count; k++) operators += p->monomials[k].length;
  return operators;
}

/* sum += sign * term; term is used up. */
PetscErrorCode CospinValueAdd(CospinValue *sum, char sign, CospinValue *term)
{
  PetscFunctionBeginUser;
  if (sum->is_operator || term->is_operator) {
    PetscCall(CospinValuePromote(sum));
    PetscCall(CospinValuePromote(term));
    PetscCall(CospinPolynomialAxpy(sum->polynomial, sign == '-' ? -1 : 1, term->polynomial));
  } else if (sign == '-')
    sum->number -= term->number;
  else
    sum->number += term->number;
  PetscCall(CospinValueReset(term));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinValueCopy(const CospinValue *value, CospinValue *copy)
{
  PetscFunctionBeginUser;
  *copy = *value;
  if (value->is_operator) PetscCall(CospinPolynomialDuplicate(value->polynomial, &copy->polynomial));
  PetscFunctionReturn(0);
}

/* Real powers of real numbers through pow(), a negative base too if the exponent is whole; whole powers of
   complex numbers by repeated squaring; everything else by logarithms. */
double complex CospinComplexPower(double complex base, double complex exponent)
{
  const double n = creal(exponent);
  const PetscBool is_whole = (PetscBool)(cimag(exponent) == 0 && n == floor(n));
  double complex power = 1, square = base;

  if (cimag(base) == 0 && cimag(exponent) == 0 && (is_whole || creal(base) >= 0)) return pow(creal(base), n);
  if (!is_whole || fabs(n) > MAX_REPEATED_POWER) return cpow(base, exponent);
  for (int remaining = (int)fabs(n); remaining > 0; remaining /= 2) {
    if (remaining % 2) power = CospinComplexMultiply(power, square);
    square = CospinComplexMultiply(square, square);
  }
  return n < 0 ? CospinComplexDivide(1, power) : power;
}
