/* Two-time correlations under `operator: expansion`: what `correlation`, `g2` and `spectrum` share. */
#pragma once
#include "expanded.h"

#define COSPIN_EXPANDED_TWO_TIME_VARIABLES(unit)                                                             \
  {"error",                                                                                                  \
   COSPIN_REAL,                                                                                              \
   PETSC_TRUE,                                                                                               \
   unit,                                                                                                     \
   "estimate of the error",                                                                                  \
   "largest of the last two changes from degree to degree, not below the square of the bound"},              \
      {"bound",                                                                                              \
       COSPIN_REAL,                                                                                          \
       PETSC_TRUE,                                                                                           \
       unit,                                                                                                 \
       "bound of the error, to first order",                                                                 \
       "mean |x| |r| at points of the state"},                                                               \
      COSPIN_EXPANDED_VARIABLES

typedef struct {
  int num;                 /* of the axis */
  double complex *values;  /* [num] without the limit */
  double *errors, *bounds; /* [num] */
  double size;             /* largest value; what is the sum of channels: of their sums */
  int degree, functions;   /* of the largest channel */
  int num_channels;        /* that have something */
  CospinExpandedChannel *channels;
} CospinExpandedTwoTime;

/* Collective. Tr(a exp(t L) perturbation rho) without its limit, or its transform, along an axis. */
PetscErrorCode CospinExpandedTwoTimeRun(CospinPoint point, CospinExpansion expansion, CospinPolynomial a,
                                        CospinMoves perturbation, PetscBool frequencies,
                                        const CospinAxis *axis, CospinExpandedTwoTime *result,
                                        CospinOutcome *outcome);
/* Stores degree and functions. */
PetscErrorCode CospinExpandedTwoTimeStoreSize(const CospinExpandedTwoTime *result, CospinResults results);
PetscErrorCode CospinExpandedTwoTimeFree(CospinExpandedTwoTime *result);
/* Collective. Expectation values of the steady state. */
PetscErrorCode CospinExpandedExpect(CospinPoint point, CospinExpansion expansion, int num,
                                    const CospinPolynomial operators[], CospinExpanded values[],
                                    CospinOutcome *outcome);
