/* Small helpers that several tasks share. */
#include "settings.h"

PetscErrorCode CospinTaskNumber(CospinProblem problem, const CospinRecord *task, const char key[],
                                CospinFaults faults, double *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemNumber(problem, CospinRecordGet(task, key)->expression, faults, value, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskPrefix(const CospinRecord *task, char prefix[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(prefix, size, "%s_", task->name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskIdentity(CospinPolynomial *one)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(one));
  PetscCall(CospinPolynomialAddWord(*one, 1.0, 0, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskSteadySectors(CospinProblem problem, const CospinRecord *task, int *num,
                                       int **representatives)
{
  CospinPolynomial one;

  PetscFunctionBeginUser;
  (void)task;
  PetscCall(CospinTaskIdentity(&one));
  PetscCall(CospinProblemSectors(problem, one, num, representatives));
  PetscCall(CospinPolynomialDestroy(&one));
  PetscFunctionReturn(0);
}
