/* How far labels go: the scale of each unknown of a search among them, and what it takes to stay inside. */
#pragma once
#include "centre.h"

/* The unknowns are (p, theta): populations and the phases of coherences that are free. */
typedef struct {
  CospinSymbol symbol;
  int num_free, num_populations, size;  /* of the unknowns */
  double reach[COSPIN_MAX_POPULATIONS]; /* a scale of each population: its bound, or that of others */
  PetscBool bounded[COSPIN_MAX_POPULATIONS];
} CospinReach;

/* Steps of finite differences, as shares of a scale and, at most, of the way to an edge. */
typedef struct {
  double of_scale, of_room;
} CospinReachStep;

/* Nothing here is collective. */
void CospinReachMake(CospinSymbol symbol, CospinReach *reach);
/* Of unknown k at z[size]: populations by their bounds or, without one, by themselves; phases by 1. */
double CospinReachScale(const CospinReach *reach, const double z[], int k);
/* The unknown whose scale label k of y = (d, p) has. */
int CospinReachOfLabel(const CospinReach *reach, int k);
double CospinReachDifference(const CospinReach *reach, const double z[], int k, CospinReachStep step);
/* theta[num_free] in the gauge of the rational amplitudes. */
void CospinReachTheta(const CospinReach *reach, const double z[], double complex theta[]);
/* Of populations p[]: gaussian NULL: the least factor that vanishes at an edge, in labels (not positive: no
   labels are there); else in standard deviations. */
double CospinReachEdge(const CospinReach *reach, const double p[], const CospinGaussian *gaussian);

/* ---- gaussian.c: at a stable point z. Sets p, theta, the exponent's factors, edge and has_gaussian. */
PetscErrorCode CospinGaussianFind(const CospinReach *reach, const double z[], CospinCentre *centre);
