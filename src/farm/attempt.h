/* A task at one grid point, if there is room for it. */
#pragma once
#include "group.h"
#include <cospin/point/point.h>
#include <cospin/store/store.h>

/* Collective on the group. Runs the task and leaves its numbers; *outcome: too large, after a message, if
   nothing could be begun. The store is flushed before, since this may take long. */
PetscErrorCode CospinAttemptTask(const CospinGroup *group, CospinStore store, CospinPoint point,
                                 const CospinRecord *task, CospinResults results, CospinOutcome *outcome);
