/*
   The counter is a classical register beside the quantum state, rho = sum_n rho_n |n), and one more component
   of the problem (CospinProblemCreateCounted), so

     d rho_n/dt = (L - eta J) rho_n + eta J rho_(n-1),   P(n) = Tr rho_n,   heralded: rho_n/P(n)

   is one linear equation, evolved like any other (propagator.c) and exact for all n up to the last: nothing
   comes back from beyond, where the missing probability is. Since the register is a label like others, its
   conservation laws are found, too: where excitations leave by clicks only, n tells how many are left, and a
   sector holds no more elements than it has without the counter.

   Missed clicks (eta < 1) spoil that. But a detector of efficiency eta is a perfect one whose clicks are kept
   at random, so the same follows from eta = 1 by

     rho_n <- sum_k (k over n) eta^n (1 - eta)^(k-n) rho_k

   if no k is missing. That way is taken where the counter of a perfect detector is tied to the other labels.

   Dark counts know nothing of the state: those of a time t are a Poisson distribution, p_k with mean dark t,
   so rho_n <- sum_k p_k rho_(n-k), missing or not.
*/
#include "tally.h"
#include <math.h>

static const double negligible = 1e-25; /* probability */

/* Whether the number of clicks is free whatever the other labels are. */
static PetscBool counter_is_free(CospinProblem counted)
{
  int click[COSPIN_MAX_COORDINATES] = {0};

  click[counted->system.num_coordinates - 1] = 1;
  return CospinLatticeContains(counted->lattice, click);
}

PetscErrorCode CospinTallyCreate(CospinProblem problem, const CospinDetector *detector, int most,
                                 PetscBool may_lose_afterwards, CospinProblem *counted, PetscBool *thinned)
{
  PetscFunctionBeginUser;
  *thinned = (PetscBool)(may_lose_afterwards && detector->efficiency < 1.0);
  if (*thinned) {
    PetscCall(CospinProblemCreateCounted(problem, detector->jump, 1.0, most, counted));
    if (!counter_is_free(*counted)) PetscFunctionReturn(0);
    PetscCall(CospinProblemDestroy(counted));
    *thinned = PETSC_FALSE;
  }
  PetscCall(CospinProblemCreateCounted(problem, detector->jump, detector->efficiency, most, counted));
  PetscFunctionReturn(0);
}

double CospinTallyProbability(CospinReadout readout, int n)
{
  return creal(
      readout->readings[(size_t)n * (size_t)readout->num_readings + (size_t)readout->num_expectations]);
}

double CospinTallyMissing(CospinReadout readout)
{
  double sum = 0.0;

  for (int n = 0; n <= readout->settings.most; n++) sum += CospinTallyProbability(readout, n);
  return 1.0 - sum;
}

/* rho_n <- factor rho_n; states stand on the first rank. */
static void scale_clicks(CospinReadout readout, int n, double factor)
{
  double complex *reading = readout->readings + (size_t)n * (size_t)readout->num_readings;

  for (int r = 0; r < readout->num_readings; r++) reading[r] *= factor;
  if (readout->states[n]) CospinStoredStateScale(readout->states[n], factor);
}

/* rho_n <- rho_n + weight rho_k */
static PetscErrorCode add_clicks(CospinReadout readout, int n, double weight, int k)
{
  const double complex *from = readout->readings + (size_t)k * (size_t)readout->num_readings;
  double complex *to = readout->readings + (size_t)n * (size_t)readout->num_readings;

  PetscFunctionBeginUser;
  if (weight < negligible) PetscFunctionReturn(0);
  for (int r = 0; r < readout->num_readings; r++) to[r] += weight * from[r];
  if (readout->states[n]) PetscCall(CospinStoredStateAxpy(readout->states[n], weight, readout->states[k]));
  PetscFunctionReturn(0);
}

/* Elements were appended as sectors were read; equal labels are added up before states are used. */
static PetscErrorCode combine_clicks(CospinReadout readout, int n)
{
  PetscFunctionBeginUser;
  if (readout->states[n]) PetscCall(CospinStoredStateCombine(readout->states[n]));
  PetscFunctionReturn(0);
}

/* From few clicks to many: those behind are still the perfect detector's. */
static PetscErrorCode apply_binomial_loss(CospinReadout readout, double eta)
{
  double first = 1.0; /* eta^n */

  PetscFunctionBeginUser;
  for (int n = 0; n <= readout->settings.most; n++) {
    double weight = first; /* (k over n) eta^n (1 - eta)^(k-n) */
    scale_clicks(readout, n, weight);
    for (int k = n + 1; k <= readout->settings.most; k++) {
      weight *= (1.0 - eta) * k / (k - n);
      PetscCall(add_clicks(readout, n, weight, k));
    }
    PetscCall(combine_clicks(readout, n));
    first *= eta;
  }
  PetscFunctionReturn(0);
}

/* Adds the dark counts, from many clicks to few: those in front are still what the jumps have made. */
static PetscErrorCode add_dark_counts(CospinReadout readout, double mean)
{
  PetscFunctionBeginUser;
  if (mean == 0.0) PetscFunctionReturn(0);
  for (int n = readout->settings.most; n >= 0; n--) {
    scale_clicks(readout, n, PetscExpReal(-mean));
    for (int k = 1; k <= n; k++)
      PetscCall(add_clicks(readout, n, PetscExpReal(k * PetscLogReal(mean) - mean - lgamma(k + 1.0)), n - k));
    PetscCall(combine_clicks(readout, n));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTallyFinish(CospinReadout readout, const CospinDetector *detector, PetscBool *again)
{
  const CospinReadoutSettings *settings = &readout->settings;

  PetscFunctionBeginUser;
  *again = (PetscBool)(settings->thinned && CospinTallyMissing(readout) > 10 * settings->tolerance);
  if (*again) PetscFunctionReturn(0); /* clicks beyond the counter cannot be thinned */
  if (settings->thinned) PetscCall(apply_binomial_loss(readout, detector->efficiency));
  PetscCall(add_dark_counts(readout, detector->dark * settings->times[0]));
  PetscFunctionReturn(0);
}
