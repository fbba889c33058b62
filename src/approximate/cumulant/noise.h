/*
   The light of an ensemble and a mode by linearised noise equations around the steady state of the
   second-order equations (cumulant.h). Nothing here is collective.

   Above threshold that state has a phase, which diffuses: the light is a Lorentzian of that width and what
   fluctuates around it. Below threshold a and S- follow their noise linearly. Between both neither holds, and
   `nonlinearity` tells how far that goes.
*/
#pragma once
#include "cumulant.h"

/* Fluctuations, each in units of what it fluctuates around, in the frame of the threshold's frequency. */
enum {
  COSPIN_NOISE_A,
  COSPIN_NOISE_S, /* S- */
  COSPIN_NOISE_A_DAG,
  COSPIN_NOISE_S_DAG,
  COSPIN_NOISE_Z, /* 2 Sz */
  COSPIN_NUM_NOISE
};

typedef struct {
  CospinCumulantThreshold threshold;
  double photons;
  double complex drift[COSPIN_NUM_NOISE][COSPIN_NUM_NOISE];
  double complex noise[COSPIN_NUM_NOISE][COSPIN_NUM_NOISE];       /* <F_i F_j>, in this order */
  double complex phase[COSPIN_NUM_NOISE], left[COSPIN_NUM_NOISE]; /* a shift of the phase: right and left
                                                                     vector; zero below threshold */
  double shift;        /* at which the phase decays in `drift`, so that it can be inverted */
  double width;        /* full width of the line by phase diffusion; 0 below threshold */
  double integral;     /* over all frequencies: 2 pi photons but for what linearisation loses */
  double nonlinearity; /* above: g2(0) - 1; below: how much of the distance from threshold saturation takes */
} CospinCumulantNoise;

/* *ok false: no mode, collective jumps, or spins without pump and decay. `moments`: the steady state. */
PetscErrorCode CospinCumulantNoiseCreate(const CospinCumulants *equations, const double moments[],
                                         CospinCumulantNoise *noise, PetscBool *ok);
/* integral of exp(-i (frequency + offset) t) <a^+(t) a(0)> dt, `frequency` that of the threshold. Positive.
 */
PetscErrorCode CospinCumulantNoiseDensity(const CospinCumulantNoise *noise, double offset, double *density);
/* Its largest value, the offset where that is, and the full width at half of it. */
PetscErrorCode CospinCumulantNoisePeak(const CospinCumulantNoise *noise, double *offset, double *height,
                                       double *fwhm);
