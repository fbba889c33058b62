/*
   Sums that cancel. Where numbers add up to nothing but the rounding errors of their moduli, the sum is zero:
   what is left would otherwise be taken for a slow process.
*/
#pragma once
#include <complex.h>
#include <math.h>
#include <petscsys.h>

/* A sum whose terms have moduli that add up to `size` is good to a few of these. */
#define COSPIN_ROUNDING (16.0 * PETSC_MACHINE_EPSILON)

/* The sum, or zero where its modulus is rounding beside `size` >= 0. */
static inline double CospinRounded(double sum, double size)
{
  return fabs(sum) <= COSPIN_ROUNDING * size ? 0.0 : sum;
}

/* a + b, each part by itself. */
static inline double complex CospinRoundedSum(double complex a, double complex b)
{
  return CMPLX(CospinRounded(creal(a) + creal(b), fabs(creal(a)) + fabs(creal(b))),
               CospinRounded(cimag(a) + cimag(b), fabs(cimag(a)) + fabs(cimag(b))));
}

/* A product of complex numbers: a part that is rounding beside the other one is zero. */
static inline double complex CospinRoundedProduct(double complex product)
{
  return CMPLX(CospinRounded(creal(product), fabs(cimag(product))),
               CospinRounded(cimag(product), fabs(creal(product))));
}
