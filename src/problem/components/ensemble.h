/* Labels and steps of the component kind `ensemble`, and its amplitudes at real labels. */
#pragma once
#include <cospin/problem/component.h>

enum {
  SPIN_PLUS,
  SPIN_MINUS,
  SPIN_Z,
  NUM_COLLECTIVE
}; /* elementary operators; the same of one spin stand NUM_COLLECTIVE on */
/* steps: collective ones of the ket and of the bra, then local ones (t,u,dr), then those of a jump of one
   spin as a ket sees it, four of each channel */
enum { FIRST_LOCAL = 2 * NUM_COLLECTIVE, FIRST_JUMP = FIRST_LOCAL + 27 };
enum { R, N_KET, N_BRA, NUM_COORDINATES };

/* A local step's (t, u, dr). */
void CospinEnsembleUnpack(int step, int *t, int *u, int *dr);

/* What a jump of one spin makes of a ket (ensemble_jumps.c): CospinComponentKind.EachKet, and what Shift and
   Apply do with its steps; `up` and `down` are j - m and j + m. */
enum { COSPIN_ENSEMBLE_CHANNELS = 4 };
PetscErrorCode CospinEnsembleEachKet(CospinComponent component, int channel, int length,
                                     const int operators[], CospinEmit emit, void *context);
void CospinEnsembleJumpShift(int step, int shift[]);
double CospinEnsembleJumpApply(CospinComponent component, int step, int label[]);

/* Of ensemble.c: what sides of a local step share by j and the change of r, what each adds to it; and a
   product of operators of one spin as weights of s+, s-, s_z and the identity. */
extern const int CospinEnsembleUp[NUM_COLLECTIVE];
double CospinEnsembleShared(double half, double j, int dr);
double CospinEnsembleSide(int dr, int t, double up, double down);
void CospinEnsembleExpand(int length, const int operators[], double weight[NUM_COLLECTIVE + 1]);

/* CospinComponentKind.Rational and GaugeSlope. */
PetscBool CospinEnsembleRational(CospinComponent component, int step, CospinRational *amplitude);
double CospinEnsembleGaugeSlope(CospinComponent component, int k, const double label[]);
