/* What stands in for a task whose labels do not fit into memory: the same question to an expansion. */
#pragma once
#include <cospin/point/point.h>

/* Not collective. Whether an expansion is asked where the task does not fit: under `operator: auto`, for a
   deck and a task that have one, if every key that was given means something to it. */
PetscErrorCode CospinTaskMayExpand(CospinProblem problem, const CospinRecord *task, PetscBool *may);
/* Collective. Its numbers, those that are variables of the task, too; `functions` tells that they are.
 *outcome: good, or what has kept it from that: then nothing was stored. */
PetscErrorCode CospinTaskRunExpanded(CospinPoint point, const CospinRecord *task, CospinResults results,
                                     CospinOutcome *outcome);
