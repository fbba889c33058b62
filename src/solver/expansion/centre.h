/* Where a generator's state is concentrated, and its shape there. */
#pragma once
#include "symbol.h"

enum { COSPIN_MAX_LABELS = COSPIN_MAX_FREE + COSPIN_MAX_POPULATIONS };

/*
   rho is about exp(-(1/2) xi.S.xi + i theta.d), xi = (d, p - centre). By Fourier transformation of d it
   becomes a Gaussian in eta = phase - i S_dp (p - centre) and p, independent of each other:

     eta = C u_d, C C^T = S_dd;   p - centre = L u_p, L L^T = S_pp^-1;   phase = eta + i S_dp (p - centre)

   with u standard normal. C, L: lower triangular, row by row with strides COSPIN_MAX_FREE, _POPULATIONS.
*/
typedef struct {
  double p[COSPIN_MAX_POPULATIONS];
  double complex theta[COSPIN_MAX_FREE];
  double c[COSPIN_MAX_FREE][COSPIN_MAX_FREE], l[COSPIN_MAX_POPULATIONS][COSPIN_MAX_POPULATIONS];
  double complex s_dp[COSPIN_MAX_FREE][COSPIN_MAX_POPULATIONS];
  double edge;   /* distance of the centre from the nearest edge of the labels, in standard deviations */
  double growth; /* largest real part of the linearised motion; negative: stable */
} CospinGaussian;

/* What the search for stable points says. */
typedef struct {
  int num_stable;          /* different ones */
  PetscBool has_gaussian;  /* a Gaussian stands around the first */
  CospinGaussian gaussian; /* that one */
} CospinCentre;

/* Not collective. `symbol`: of the sector with a trace. */
PetscErrorCode CospinCentreFind(CospinSymbol symbol, CospinCentre *centre);
/* Not collective. From one start: means[num_coordinates] of labels (ket and bra alike),
   phases[num_coordinates] (rad) of <A> at the ket label of the component that A lowers. */
PetscErrorCode CospinCentreFindNear(CospinSymbol symbol, const double means[], const double phases[],
                                    CospinCentre *centre);
