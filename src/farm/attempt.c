/*
   A task at one grid point, if there is room for it: labels where they fit, an expansion where they do not
   (cospin/tasks/instead.h), and else the outcome `too_large` with what was missing.
*/
#include "attempt.h"
#include <cospin/farm/estimate.h>
#include <cospin/tasks/instead.h>
#include <cospin/tasks/tables.h>

/* A task that cannot fit is not begun: the kernel would kill a rank of this group and the farm with it. why:
   empty if it fits. */
static PetscErrorCode check_memory(const CospinGroup *group, CospinProblem problem, const CospinRecord *task,
                                   double *seconds, char why[], size_t size)
{
  CospinTaskEstimate estimate;

  PetscFunctionBeginUser;
  PetscCall(CospinEstimateTask(problem, task, &estimate));
  *seconds = CospinEstimateOnRanks(estimate.seconds, group->size);
  CospinEstimateLimit(&estimate, group->size, group->bytes, why, size);
  PetscFunctionReturn(0);
}

/* Of a task that does not fit, and why: the numbers of an expansion, if it has any that are good. */
static PetscErrorCode attempt_expansion(const CospinGroup *group, CospinPoint point, const CospinRecord *task,
                                        const char limit[], CospinResults results, CospinOutcome *outcome)
{
  PetscBool may;
  char why[512];

  PetscFunctionBeginUser;
  *outcome = COSPIN_TOO_LARGE;
  PetscCall(CospinTaskMayExpand(point->problem, task, &may));
  if (may) PetscCall(CospinTaskRunExpanded(point, task, results, outcome));
  if (*outcome == COSPIN_GOOD || *outcome == COSPIN_NOT_RUN) PetscFunctionReturn(0);
  CospinTaskDescribeOutcome(task, *outcome, why, sizeof(why));
  if (group->rank == 0)
    fprintf(stderr, "cospin: point %lld, task %s: %s%s%s%s%s\n", (long long)point->problem->point, task->name,
            limit, may ? "; nor has it a good expansion, which is " : "",
            may ? CospinOutcomeName(*outcome) : "", may ? ": " : "", may ? why : "");
  *outcome = COSPIN_TOO_LARGE;
  PetscFunctionReturn(0);
}

/* Memory first: `too_large` is an outcome with the numbers that were missing. */
PetscErrorCode CospinAttemptTask(const CospinGroup *group, CospinStore store, CospinPoint point,
                                 const CospinRecord *task, CospinResults results, CospinOutcome *outcome)
{
  double seconds = 0.0;
  char limit[256] = "";

  PetscFunctionBeginUser;
  PetscCall(check_memory(group, point->problem, task, &seconds, limit, sizeof(limit)));
  if (group->rank == 0) PetscCall(CospinStoreFlush(store, seconds));
  if (limit[0]) {
    PetscCall(attempt_expansion(group, point, task, limit, results, outcome));
    PetscFunctionReturn(0);
  }
  if (!CospinTaskKindOf(task)->own_windows) PetscCall(CospinPointSettle(point));
  PetscCall(CospinTaskWeigh(point, task));
  PetscCall(CospinTaskKindOf(task)->Run(point, task, results, outcome));
  PetscFunctionReturn(0);
}
