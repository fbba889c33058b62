/* Task `gap` under `operator: expansion`: the slowest non-zero eigenvalue of the sector with a trace. */
#include "expanded.h"

static const CospinKey keys[] = {COSPIN_EXPANDED_TOLERANCE_KEY, {.name = NULL}};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_FALSE, "rate", "rate of the slowest mode", "-Re lambda"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of the slowest mode", "-Im lambda"},
    {"lifetime", COSPIN_REAL, PETSC_FALSE, "time", "lifetime of the slowest mode", "1/rate"},
    {"error", COSPIN_REAL, PETSC_FALSE, "rate", "estimate of the eigenvalue's error",
     "mean |x - x'| |r| at points of the state, x' of a lower degree, r the defect of the left vector"},
    {"bound", COSPIN_REAL, PETSC_FALSE, "rate", "bound of the eigenvalue's error, to first order",
     "mean |x| |r| at points of the state"},
    {"change", COSPIN_REAL, PETSC_FALSE, "rate", "change from the degree before", ""},
    COSPIN_EXPANDED_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_ALL, 0, "0", NULL},
    {"frequency", COSPIN_ALL, 0, NULL, NULL},
    {"error", COSPIN_ALL, 0, "0", NULL},
    {"bound", COSPIN_ALL, 0, "0", NULL},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  CospinExpansion expansion;
  CospinExpanded mode;
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinExpandedCreate(point, task, results, &expansion, outcome));
  if (*outcome == COSPIN_GOOD) {
    PetscCall(CospinExpansionSlowest(expansion, NULL, 1, &mode, outcome));
    PetscCall(CospinExpandedStoreSize(&mode, results));
    PetscCall(CospinExpandedStoreMode(&mode, 0, tolerance, results, outcome));
  }
  PetscCall(CospinExpansionDestroy(&expansion));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedGap = {
    .record = {"gap", "slowest non-zero eigenvalue of the steady state's sector, at any size", keys},
    .variables = variables,
    .rules = rules,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
