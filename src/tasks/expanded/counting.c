/*
   Task `counting` under `operator: expansion`: mean and variance of the clicks of the steady state, per time.

   Clicks that are missed at random and dark counts are added afterwards: of the excess of the variance over
   the mean a share efficiency^2 is left, dark counts have as much variance as mean.

   With efficiency eta and a dark rate d: mean = eta c_1 + d, variance = mean + eta^2 (c_2 - c_1), the
   binomial loss of a counting process (L. Mandel and E. Wolf, Optical Coherence and Quantum Optics (1995),
   chapter 14). Losses and dark counts move a Fano factor towards one, never beyond.
*/
#include "expanded.h"
#include "tasks/detector.h"
#include <math.h>

static const CospinKey keys[] = {COSPIN_TASK_JUMP_KEYS, COSPIN_EXPANDED_TOLERANCE_KEY, {.name = NULL}};

static const CospinTaskVariable variables[] = {
    {"mean", COSPIN_REAL, PETSC_FALSE, "rate", "clicks per time", "c_1 = Tr(J rho)"},
    {"variance", COSPIN_REAL, PETSC_FALSE, "rate", "variance of the clicks, per time", "second cumulant c_2"},
    {"fano", COSPIN_REAL, PETSC_FALSE, "1", "Fano factor", "variance/mean; 1: clicks at random"},
    {"error", COSPIN_REAL, PETSC_FALSE, "1", "estimate of the Fano factor's error",
     "largest of the last two changes from degree to degree, not below the square of the bound"},
    {"bound", COSPIN_REAL, PETSC_FALSE, "1", "bound of the mean's error beside the mean, to first order", ""},
    {"change", COSPIN_REAL, PETSC_FALSE, "rate", "change of the variance from the degree before", ""},
    COSPIN_EXPANDED_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"mean", COSPIN_ALL, 0, "0", NULL},
    {"variance", COSPIN_ALL, 0, "0", NULL},
    {"error", COSPIN_ALL, 0, "0", NULL},
    {"bound", COSPIN_ALL, 0, "0", "0.1"},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinDetector detector;
  PetscBool detector_ok;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscCall(CospinTaskDetector(problem, task, faults, &detector, &detector_ok));
  if (!detector_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The Fano factor's error to first order: of the variance as it is, of the mean once as the divisor and
   once within the variance. */
static PetscErrorCode store(const CospinExpanded values[], const CospinDetector *detector, double tolerance,
                            CospinResults results, CospinOutcome *outcome)
{
  const double eta = detector->efficiency, jumps = creal(values[0].value),
               mean = eta * jumps + detector->dark,
               variance = mean + eta * eta * (creal(values[1].value) - jumps);
  const double error = (eta * eta * values[1].error + eta * values[0].error * (1 + variance / mean)) / mean;

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "mean", 0, mean));
  PetscCall(CospinResultsSet(results, "variance", 0, variance));
  PetscCall(CospinResultsSet(results, "fano", 0, variance / mean));
  PetscCall(CospinResultsSet(results, "error", 0, error));
  /* Of all jumps and not of the clicks that are seen: a detector adds no error, but with dark counts it
     would hide one. */
  PetscCall(CospinResultsSet(results, "bound", 0, values[0].bound / jumps));
  PetscCall(CospinResultsSet(results, "change", 0, values[1].change));
  if (!CospinExpandedIsGood(
          variance / mean, tolerance,
          &(CospinExpanded){.error = error, .bound = values[0].bound / jumps * variance / mean}))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  PetscFunctionReturn(0);
}

static PetscErrorCode count(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                            double tolerance, CospinResults results, CospinOutcome *outcome)
{
  CospinExpanded values[2];
  CospinDetector detector;
  CospinMoves jumps;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskDetector(point->problem, task, NULL, &detector, &ok));
  PetscCall(CospinProblemJumps(point->problem, detector.jump, &jumps));
  PetscCall(CospinExpansionCount(expansion, jumps, values, outcome));
  /* Mean and variance come from one search, so they have the same degree. */
  PetscCall(CospinExpandedStoreSize(&values[1], results));
  PetscCall(store(values, &detector, tolerance, results, outcome));
  PetscCall(CospinMovesDestroy(&jumps));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(count, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedCounting = {
    .record = {"counting", "mean rate and noise of counted jumps in the steady state, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
