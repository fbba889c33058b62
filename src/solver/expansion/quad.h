/* 113 bits, where the compiler has them (gcc's __float128, aarch64's long double); else what there is. */
#pragma once
#include <complex.h>
#include <float.h>
#include <math.h>
#ifdef COSPIN_HAVE_QUADMATH
#include <quadmath.h>
typedef __float128 CospinQuad;
typedef _Complex float __attribute__((mode(TC))) CospinQuadComplex;
#define COSPIN_QUAD(name)   name##q
#define COSPIN_QUAD_EPSILON 1.93e-34
#else
typedef long double CospinQuad;
typedef long double complex CospinQuadComplex;
#define COSPIN_QUAD(name)   name##l
#define COSPIN_QUAD_EPSILON LDBL_EPSILON
#endif
