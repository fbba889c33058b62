/* What many trajectories say, as variables of the task. */
#pragma once
#include "sample.h"

typedef struct {
  CospinSample *sample;
  CospinResults results;
  double tolerance;
  PetscBool fidelity, clicks; /* which of them are wanted */
  double largest_error;       /* found: of all observables that have a value; NaN: of one it is not known */
  PetscBool unsteady;         /* found: averages along trajectories are not those of a steady state */
  double cutoff;              /* found: largest population at a cutoff, relative to what is accepted */
} CospinSampleReport;

/* Not collective, after CospinSampleReduce(). Stores all variables; *outcome of what they are worth. */
PetscErrorCode CospinSampleStore(CospinSampleReport *report, CospinOutcome *outcome);
/* Collective, after that. The averaged state, which the point's first rank keeps, and what functionals say of
   it; *outcome: worse if it is too large. */
PetscErrorCode CospinSampleStoreState(CospinSampleReport *report, const CospinRecord *task,
                                      CospinOutcome *outcome);
