/* Equations in time, whatever they are: what the clocks of the approximate tasks have in common. */
#pragma once
#include <petscts.h>

/* Collective as ts is. From where ts stands to `time` (nothing, if it is there); the last step is shortened
   to end at it, nothing is interpolated. *reason: why it ended (TS_CONVERGED_TIME: there); *steps: so far. */
PetscErrorCode CospinAdvance(TS ts, Vec state, double time, TSConvergedReason *reason, PetscInt *steps);

/* Backward differences of order 5 with an exact Jacobian. accuracy: that of a step, to a hundredth of which
   Newton's equations are solved, so that only the step has an error; steps that fail end the evolution with a
   reason and no error. sparse: the Jacobian is AIJ. Tolerances of steps are set by the caller. */
PetscErrorCode CospinStiffSteps(TS ts, double accuracy, PetscBool sparse, const char prefix[]);
