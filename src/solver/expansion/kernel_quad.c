/* The kernel in quadruple precision: for 10^13 spins. */
#include "quad.h"

#define KERNEL              CospinKernelQuad
#define REAL                CospinQuad
#define COMPLEX             CospinQuadComplex
#define SCALAR              CospinQuad
#define SCALAR_COMPLEX      CospinQuadComplex
#define NAME_EPSILON        COSPIN_QUAD_EPSILON
#define NAME_SCALAR_EPSILON COSPIN_QUAD_EPSILON
#define SQRT                COSPIN_QUAD(sqrt)
#define EXP                 COSPIN_QUAD(exp)
#define COS                 COSPIN_QUAD(cos)
#define SIN                 COSPIN_QUAD(sin)
#define FABS                COSPIN_QUAD(fabs)
#define REALPART            COSPIN_QUAD(creal)
#define IMAGPART            COSPIN_QUAD(cimag)
#include "kernel_body.h"
