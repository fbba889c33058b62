/*
   Tasks under `operator: expansion`: which decks have one, what it costs, how its numbers are stored.

   An expansion is refused with a sentence where it cannot exist (labels that are no numbers, several steady
   states), and ends with an outcome where it exists and does not converge. Estimates of cost count functions
   and not labels: they do not depend on the number of spins.
*/
#include "expanded.h"
#include <math.h>

PetscErrorCode CospinExpandedCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok)
{
  const char *why;
  int dimensions, num = 1, *sectors = NULL;
  double tolerance;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscCall(CospinExpansionDimensions(problem->generator, &dimensions, &why));
  if (!why) PetscCall(CospinTaskSteadySectors(problem, &num, &sectors));
  if (!why && num != 1) why = "each of several sectors has a steady state of its own";
  PetscCall(PetscFree(sectors));
  if (why) *ok = PETSC_FALSE;
  if (why)
    PetscCall(CospinFaultsAdd(faults, task->position, "tasks",
                              "%s has no expansion (`operator: expansion`): %s", task->name, why));
  PetscFunctionReturn(0);
}

/* Smooth functions do not tell even from odd labels: such a sector has modes that they cannot have (of zero
   rate, but for tunnelling). */
PetscErrorCode CospinExpandedCheckParity(CospinProblem problem, const CospinRecord *task, CospinPolynomial a,
                                         CospinFaults faults, PetscBool *ok)
{
  const int n = problem->system.num_coordinates;
  int num, num_steady, *sectors, *steady;
  PetscBool neutral, traced, known = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CospinProblemSectors(problem, a, &num, &sectors));
  PetscCall(CospinTaskSteadySectors(problem, &num_steady, &steady));
  for (int k = 0; k < num && !known; k++) {
    PetscCall(CospinExpansionIsNeutral(problem->generator, sectors + n * k, &neutral));
    PetscCall(CospinTaskHasLabel(n, sectors + n * k, num_steady, steady, &traced));
    known = (PetscBool)(neutral && !traced);
  }
  if (known)
    PetscCall(
        CospinTaskFail(problem, task, "of", faults, ok,
                       "lives in a sector of another parity than the steady state's, which an expansion does "
                       "not tell from it"));
  PetscCall(PetscFree(steady));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedCost(CospinProblem problem, const CospinRecord *task, PetscInt64 *unknowns,
                                  double *bytes, double *seconds)
{
  const char *why;
  int dimensions, degree, functions;

  PetscFunctionBeginUser;
  (void)task;
  PetscCall(CospinExpansionDimensions(problem->generator, &dimensions, &why));
  CospinExpansionCost(problem->generator, dimensions, &degree, &functions, bytes, seconds);
  *unknowns = functions;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedCreate(CospinPoint point, const CospinRecord *task, CospinResults results,
                                    CospinExpansion *expansion, CospinOutcome *outcome)
{
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(
      CospinExpansionCreate(point->comm, point->problem->generator, tolerance, &point->interrupt, expansion));
  *outcome = CospinExpansionOutcome(*expansion);
  PetscCall(CospinResultsSet(results, "edge", 0, CospinExpansionEdge(*expansion)));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedStoreSize(const CospinExpanded *value, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "degree", 0, value->degree));
  PetscCall(CospinResultsSet(results, "functions", 0, value->functions));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedStoreMode(const CospinExpanded *mode, int index, double tolerance,
                                       CospinResults results, CospinOutcome *outcome)
{
  const double rate = -creal(mode->value);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "rate", index, rate));
  PetscCall(CospinResultsSet(results, "frequency", index, -cimag(mode->value)));
  PetscCall(CospinResultsSet(results, "lifetime", index, 1 / rate));
  PetscCall(CospinResultsSet(results, "error", index, mode->error));
  PetscCall(CospinResultsSet(results, "bound", index, mode->bound));
  PetscCall(CospinResultsSet(results, "change", index, mode->change));
  if (!CospinExpandedIsGood(fabs(rate), tolerance, mode))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  PetscFunctionReturn(0);
}
