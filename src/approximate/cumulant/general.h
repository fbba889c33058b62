/*
   Task `cumulant` beyond one ensemble and one mode in second order: any classes and modes, orders 1 to 4
   (approximate/moments). Used by cumulant.c where its own equations (cumulant.h) do not hold.
*/
#pragma once
#include <cospin/point/settings.h>

/* Of the key `order`. */
int CospinCumulantOrder(const CospinRecord *task);
/* Faults as of a task's Check, but for `times`. */
PetscErrorCode CospinCumulantGeneralCheck(CospinProblem problem, const CospinRecord *task,
                                          CospinFaults faults, PetscBool *ok);
/* Collective on the point, as a task's Run. */
PetscErrorCode CospinCumulantGeneralRun(CospinPoint point, const CospinRecord *task, CospinResults results,
                                        CospinOutcome *outcome);
/* Only what the keys of light.h ask for, beside a steady state that has been stored. */
PetscErrorCode CospinCumulantGeneralLight(CospinPoint point, const CospinRecord *task, CospinResults results,
                                          CospinOutcome *outcome);
