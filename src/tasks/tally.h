/* A counter beside a state that evolves: the problem with one, and what is read from it. */
#pragma once
#include "detector.h"
#include <cospin/point/readout.h>

/* Not collective. The problem that is evolved; *thinned: the counter is a perfect detector's, and the
   binomial loss of the true one is applied afterwards, which is only thought of with `may_lose_afterwards`.
 */
PetscErrorCode CospinTallyCreate(CospinProblem problem, const CospinDetector *detector, int most,
                                 PetscBool may_lose_afterwards, CospinProblem *counted, PetscBool *thinned);

/* Not collective. Makes of what the jumps have counted what the detector shows. *again: too many clicks are
   missing to thin the others, the efficiency has to be in the generator. */
PetscErrorCode CospinTallyFinish(CospinReadout readout, const CospinDetector *detector, PetscBool *again);

/* P(n), and 1 - sum_n P(n) */
double CospinTallyProbability(CospinReadout readout, int n);
double CospinTallyMissing(CospinReadout readout);
