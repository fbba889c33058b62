/* The linear equations of small deviations from a state of the mean-field equations. */
#pragma once
#include "meanfield.h"

typedef struct {
  CospinMeanField field;
  const double *u;
  double *units;                     /* [num_unknowns] */
  double *at, *slopes, *more;        /* work */
  int num_phases;                    /* circles on which u lies */
  double *phases[COSPIN_MEAN_PARTS]; /* [num_phases][num_unknowns] along them, in units */
} CospinMeanLinear;

/* u is borrowed. Unknowns have units: 1, or of a mode what it holds or what balances both ways of its
   coupling. */
PetscErrorCode CospinMeanLinearCreate(CospinMeanField field, const double u[], CospinMeanLinear *linear);
PetscErrorCode CospinMeanLinearDestroy(CospinMeanLinear *linear);
/* jv[num_unknowns] = J v, both in units; v about 1. */
PetscErrorCode CospinMeanLinearDerivative(CospinMeanLinear *linear, const double v[], double jv[]);
/* An estimate of the norm of J, in units. */
PetscErrorCode CospinMeanLinearNorm(CospinMeanLinear *linear, double *rate);

/* polish.c. Takes u, which is nearly a fixed point, to the nearest one, as far as rounding lets it; nothing
   is done with many unknowns, or where the way is long. */
PetscErrorCode CospinMeanFieldPolish(CospinMeanField field, double u[]);
