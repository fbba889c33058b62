/* The kernel in the machine's long double, what cancels at a node in quadruple precision. */
#include "quad.h"

#define KERNEL              CospinKernelLong
#define REAL                long double
#define COMPLEX             long double complex
#define SCALAR              CospinQuad
#define SCALAR_COMPLEX      CospinQuadComplex
#define NAME_EPSILON        LDBL_EPSILON
#define NAME_SCALAR_EPSILON COSPIN_QUAD_EPSILON
#define SQRT                sqrtl
#define EXP                 expl
#define COS                 cosl
#define SIN                 sinl
#define FABS                fabsl
#define REALPART            creall
#define IMAGPART            cimagl
#include "kernel_body.h"
