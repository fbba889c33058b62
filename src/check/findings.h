/*
   The second look at what a file holds of a point: numbers against what their outcome promises, stored states
   against the generator. What is wrong is added to `faults`, one a line, with the variable and the
   coordinates of the point.
*/
#pragma once
#include <cospin/point/point.h>

/* Not collective. What is wrong with a variable of a point (NULL: of the file as a whole). */
PetscErrorCode CospinCheckFault(CospinFaults faults, const char variable[], CospinPoint point,
                                const char format[], ...) PETSC_ATTRIBUTE_FORMAT(4, 5);

/* Not collective. The numbers of a task that ended with `outcome`: NaN where nothing was run, and what the
   task's rules say where it is good. An observable may be NaN only if its expression has no value for
   expectation values of zero either (0/0), or the task is approximate. */
PetscErrorCode CospinCheckNumbers(CospinPoint point, const CospinRecord *task, CospinResults results,
                                  int outcome, CospinFaults faults);

/*
   Not collective; the point's communicator is PETSC_COMM_SELF. A stored state of a task: labels of this
   problem, each once, finite, hermitian; trace, populations and observables are those of the results at
   `index` along the task's dimension, and L rho is zero if the task says so. `results` may be of any point.
   *applied is false if memory does not hold the generator, and L rho has not been looked at.
*/
PetscErrorCode CospinCheckState(CospinPoint point, const CospinRecord *task, CospinStoredState state,
                                CospinResults results, int index, CospinFaults faults, PetscBool *applied);
