/* Labels and steps of the component kind `ensemble`, and its amplitudes at real labels. */
#pragma once
#include <cospin/problem/component.h>

enum {
  SPIN_PLUS,
  SPIN_MINUS,
  SPIN_Z,
  NUM_COLLECTIVE
}; /* elementary operators; the same of one spin stand NUM_COLLECTIVE on */
enum { FIRST_LOCAL = 2 * NUM_COLLECTIVE }; /* steps: ket, bra, then (t,u,dr) */
enum { R, N_KET, N_BRA, NUM_COORDINATES };

/* A local step's (t, u, dr). */
void CospinEnsembleUnpack(int step, int *t, int *u, int *dr);

/* CospinComponentKind.Rational and GaugeSlope. */
PetscBool CospinEnsembleRational(CospinComponent component, int step, CospinRational *amplitude);
double CospinEnsembleGaugeSlope(CospinComponent component, int k, const double label[]);
