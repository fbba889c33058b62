/*
   Task `gap` under `operator: expansion`: the slowest non-zero eigenvalue of the sector with a trace.

   The steady state's own eigenvalue is zero by construction (the function 1 is a left eigenvector) and is
   left out without a search. Slower modes far from the stable point are not seen.

   Tunnelling between two stable points is slower than any mode here; such decks end as bistable before a
   mode is looked for.
*/
#include "expanded.h"

static const CospinKey keys[] = {COSPIN_EXPANDED_TOLERANCE_KEY, {.name = NULL}};

static const CospinTaskVariable variables[] = {
    COSPIN_EXPANDED_MODE_VARIABLES(PETSC_FALSE, "rate of the slowest mode", "frequency of the slowest mode",
                                   "-Im lambda", "lifetime of the slowest mode"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    COSPIN_EXPANDED_MODE_RULES,
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

static PetscErrorCode find_gap(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                               double tolerance, CospinResults results, CospinOutcome *outcome)
{
  CospinExpanded mode;

  PetscFunctionBeginUser;
  (void)point;
  (void)task;
  /* NULL: the sector of the trace, in which the zero mode is left out. */
  PetscCall(CospinExpansionSlowest(expansion, NULL, 1, &mode, outcome));
  PetscCall(CospinExpandedStoreSize(&mode, results));
  PetscCall(CospinExpandedStoreMode(&mode, 0, tolerance, results, outcome));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(find_gap, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedGap = {
    .record = {"gap", "slowest non-zero eigenvalue of the steady state's sector, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
