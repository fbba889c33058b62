/*
   A planar crystal of two species of ions: where they sit, how they move across the plane, how laser cooling
   of the inner ones damps that motion, and what the motion mediates between the spins of the outer ones.

   Shankar, Cooper, Bohnet, Bollinger, Holland, PRA 95, 033423 (2017), Eq. (4)-(6) and (19)-(21). SI units,
   every frequency and rate as an angular one.
*/
#pragma once
#include <petscsys.h>

typedef struct {
  int num_coolants, num_spins; /* the coolants are the innermost; both >= 1 */
  PetscBool round;             /* outline: sites nearest to the centre; otherwise of the smallest hexagon */
  double spacing;              /* m, of neighbours */
  double coolant_mass, spin_mass; /* kg */
  double frequency;               /* of an ion alone, across the plane */
  PetscBool common_spring;        /* that of an ion of the mean mass; otherwise all have the same frequency */
  double wavelength;              /* m, of the cooling light, which runs across the plane */
  double linewidth, detuning, rabi; /* of the cooling transition; detuning < 0: below resonance */
  double raman_wavelength;          /* m, 2 pi over the difference of the Raman beams' wave vectors */
  double raman;                     /* two-photon Rabi frequency */
  PetscBool bare;                   /* detunings of the modes from frequencies without the shift by cooling */
} CospinCrystalSettings;

/* Ions: coolants first, then spins. Modes: highest frequency first, which is the resonant one. */
typedef struct CospinCrystal_ {
  int num_ions, num_spins;
  double *x, *y, *mass;      /* [num_ions] */
  double *frequency, *shift; /* [num_ions] of modes; by cooling they become frequency + shift */
  double *damping, *phonons; /* [num_ions] kappa of the energy, thermal number */
  double *amplitude;         /* [num_ions*mode + ion], mass-weighted: rows are orthonormal */
  double *level;             /* [num_spins] B_l */
  double *exchange, *emission, *absorption; /* [num_spins*l + m] J, Gamma^-, Gamma^+; J has no diagonal */
  double collective;                        /* Gamma_c = 2/N^2 sum_lm (Gamma^-_lm - Gamma^+_lm) */
} * CospinCrystal;

/* Not collective. *crystal is NULL if that cannot be, and `why` says so in one sentence: the ions leave the
   plane (a mode is unstable) or a mode is heated. To be destroyed. */
PetscErrorCode CospinCrystalCreate(const CospinCrystalSettings *settings, CospinCrystal *crystal, char why[],
                                   size_t why_size);
PetscErrorCode CospinCrystalDestroy(CospinCrystal *crystal);
