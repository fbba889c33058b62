/* The table of outcomes. */
#include <cospin/outcome.h>
#include <stddef.h>

const char *const CospinOutcomeNames[] = {"not_run",    "good",          "degenerate",   "not_converged",
                                          "inaccurate", "solver_failed", "empty_sector", NULL};
const int CospinOutcomeValues[] = {COSPIN_NOT_RUN,       COSPIN_GOOD,       COSPIN_DEGENERATE,
                                   COSPIN_NOT_CONVERGED, COSPIN_INACCURATE, COSPIN_SOLVER_FAILED,
                                   COSPIN_EMPTY_SECTOR};

const char *CospinOutcomeName(int outcome)
{
  int k = 0;

  while (CospinOutcomeNames[k] && CospinOutcomeValues[k] != outcome) k++;
  return CospinOutcomeNames[k] ? CospinOutcomeNames[k] : "unknown";
}

CospinOutcome CospinOutcomeWorse(CospinOutcome a, CospinOutcome b)
{
  return a < b ? a : b;
}
