/*
   The kernel in double precision, what cancels at a node in the machine's long double.

   kernel_body.h is included once for each precision, with the types and functions that it is to use as
   macros: C has no templates. Integrands are sums that cancel at a node of the quadrature, so these are taken
   in the next wider precision.
*/
#include <complex.h>
#include <float.h>

#define KERNEL              CospinKernelDouble
#define REAL                double
#define COMPLEX             double complex
#define SCALAR              long double
#define SCALAR_COMPLEX      long double complex
#define NAME_EPSILON        DBL_EPSILON
#define NAME_SCALAR_EPSILON LDBL_EPSILON
#define SQRT                sqrt
#define EXP                 exp
#define COS                 cos
#define SIN                 sin
#define FABS                fabs
#define REALPART            creal
#define IMAGPART            cimag
#include "kernel_body.h"
