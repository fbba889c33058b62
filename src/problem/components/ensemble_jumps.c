/*
   A process of one spin, summed over the spins of an ensemble, as jumps of a ket (j, m).

   States that treat all spins alike have no coherence between different j, so j is a classical label of a
   ket. With s_t in {s+, s-, s_z}, w_t complex numbers and A_l = sum_t w_t s_t,l the sum over spins is

     sum_l A_l rho A_l^+ = sum over j' of K rho K^+,   K_{j->j'} = sqrt(shared factor) sum_t w_t (A|B|D)_t(m)

   with shared factors and A, B, D as in ensemble.c: every j' is one operator, a pure ket stays pure once j'
   is known. With a part of the identity, A_l + b, the channel j -> j gets cross terms, and in

     c (S rho S^+) + b^* S rho + b rho S^+ + N |b|^2 rho,   S = sum_t w_t S_t,   c = (N/2+1)/(2j(j+1))

   what is no square of K = sqrt(c) S + b/sqrt(c) is the fourth channel, sqrt(N - 1/c) b. It is empty at j =
   N/2, where N c = 1; at j = 0, where S = 0, it is all there is.

   Sum over channels of K^+K is sum_l A_l^+A_l, a multiple of the identity on copies of j: so what acts
   between jumps knows j only, and the operators K are needed at a jump only.
*/
#include "ensemble.h"
#include "states.h"

enum { SAME = 1, REST = 3, UNIT = NUM_COLLECTIVE, NUM_FACTORS = NUM_COLLECTIVE + 1 };

/* Channels 0, 1, 2: j + 1, j, j - 1. */
PetscErrorCode CospinEnsembleEachKet(CospinComponent component, int channel, int length,
                                     const int operators[], CospinEmit emit, void *context)
{
  double weight[NUM_FACTORS];

  PetscFunctionBeginUser;
  (void)component;
  CospinEnsembleExpand(length, operators, weight);
  for (int t = 0; t <= UNIT; t++) {
    const PetscBool taken =
        t == UNIT ? (PetscBool)(channel == SAME || channel == REST) : (PetscBool)(channel != REST);
    const int step = FIRST_JUMP + NUM_FACTORS * channel + t;
    if (taken && weight[t] != 0.0) PetscCall(emit(context, weight[t], 1, &step));
  }
  PetscFunctionReturn(0);
}

static void unpack(int step, int *channel, int *t, int *dr)
{
  *channel = (step - FIRST_JUMP) / NUM_FACTORS;
  *t = (step - FIRST_JUMP) % NUM_FACTORS;
  *dr = *channel == REST ? 0 : *channel - 1;
}

void CospinEnsembleJumpShift(int step, int shift[])
{
  int channel, t, dr;

  unpack(step, &channel, &t, &dr);
  shift[R] += dr;
  if (t != UNIT) shift[N_KET] += CospinEnsembleUp[t];
}

/* 1/c, and N - 1/c = 2 (N/2 - j)(N/2 + j + 1)/(N/2 + 1), which is zero at j = N/2 without rounding. */
double CospinEnsembleJumpApply(CospinComponent component, int step, int label[])
{
  const double size = CospinEnsembleSize(component), half = 0.5 * size, j = half - label[R];
  const double up = size - label[R] - label[N_KET], down = label[N_KET] - label[R];
  int channel, t, dr;

  unpack(step, &channel, &t, &dr);
  if (channel == REST) return PetscSqrtReal(2 * label[R] * (half + j + 1) / (half + 1));
  if (t == UNIT) return PetscSqrtReal(2 * j * (j + 1) / (half + 1));
  label[R] += dr;
  label[N_KET] += CospinEnsembleUp[t];
  return PetscSqrtReal(CospinEnsembleShared(half, j, dr)) * CospinEnsembleSide(dr, t, up, down);
}
