/*
   Tasks under `operator: expansion`: which decks have one, what it costs, how its numbers are stored.

   An expansion is refused with a sentence where it cannot exist (labels that are no numbers, several steady
   states), and ends with an outcome where it exists and does not converge. Estimates of cost count functions
   and not labels: they do not depend on the number of spins.

   Errors mean the same in all of these tasks. `error` is an estimate of how wrong a number is and decides
   whether it is good; `bound` is a bound to first order, far too large as a rule, that only has to be
   below a tenth; `change` is what the last degree has changed. All three are stored beside the number,
   whatever the outcome.
*/
#include "expanded.h"
#include <cospin/approximate/rest.h>
#include <math.h>

const CospinOutcomeHint CospinExpandedHints[] = {
    {COSPIN_UNSTABLE, "no stable point inside the labels was found to expand around: below or beyond a "
                      "threshold, on a cycle, or not reached in time; an exact `operator` answers where it "
                      "fits"},
    {.text = NULL},
};

/* A fault and no outcome: whether there is an expansion depends on which labels the generator moves, which
   is the deck's doing and not a matter of numbers. */
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
  /* A strong symmetry or a parity: each sector has its own steady state, of which a smooth function would
     be a mixture that nobody has asked for. */
  if (!why && num != 1) why = "each of several sectors has a steady state of its own";
  PetscCall(PetscFree(sectors));
  if (why) *ok = PETSC_FALSE;
  if (why)
    PetscCall(CospinFaultsAdd(faults, task->position, "tasks",
                              "%s has no expansion (`operator: expansion`): %s", task->name, why));
  PetscFunctionReturn(0);
}

/* Smooth functions do not tell even from odd labels: such a sector has modes that they cannot have (of
   zero rate, but for tunnelling). A Z_2 symmetry (charge modulo 2) shows here as a sector that is neutral
   for smooth functions (no coherence is fixed) and yet does not hold the trace. */
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

/* Unknowns are functions. Sizes of spins do not come in, so such points fit on any machine. */
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

/* The search's own starts follow populations and phases, which a laser that spikes leaves: it goes through
   the dark state. Mean field follows it there, and where that comes to rest the search begins again. */
static PetscErrorCode search_with_mean_field(CospinPoint point, CospinExpansion expansion)
{
  double means[COSPIN_MAX_COORDINATES], phases[COSPIN_MAX_COORDINATES];
  PetscBool found;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanRest(point, means, phases, &found));
  if (found) PetscCall(CospinExpansionCentreNear(expansion, means, phases));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedRun(CospinExpandedWork work, CospinPoint point, const CospinRecord *task,
                                 CospinResults results, CospinOutcome *outcome)
{
  CospinExpansion expansion;
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinExpansionCreate(point->comm, point->problem->generator, tolerance, &point->interrupt,
                                  &expansion));
  if (CospinExpansionOutcome(expansion) == COSPIN_UNSTABLE)
    PetscCall(search_with_mean_field(point, expansion));
  /* bistable or unstable: then there is no place to expand around, and tasks store nothing but `edge`. */
  *outcome = CospinExpansionOutcome(expansion);
  PetscCall(CospinResultsSet(results, "edge", 0, CospinExpansionEdge(expansion)));
  if (*outcome == COSPIN_GOOD) PetscCall(work(point, expansion, task, tolerance, results, outcome));
  PetscCall(CospinExpansionDestroy(&expansion));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedStoreSize(const CospinExpanded *value, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "degree", 0, value->degree));
  PetscCall(CospinResultsSet(results, "functions", 0, value->functions));
  PetscFunctionReturn(0);
}

/* rho ~ exp(lambda t): the rate is -Re lambda, and a positive frequency -Im lambda means <A> ~ exp(-i
   omega t). The error counts beside the rate, not beside |lambda|: a linewidth must have digits of its own
   however fast its line oscillates. */
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
