/*
   The table of outcomes.

   An outcome says how a task ended at a point: it is data beside the numbers, not an error. Positive: all
   that the task promises is there and within its tolerance; 0: not run; negative: do not use the numbers
   without reading why. Values are stored in datasets, so they never change; the order of their badness is
   that of the values, and of two the worse one counts.
*/
#include <cospin/solver/outcome.h>
#include <stddef.h>

const char *const CospinOutcomeNames[] = {"not_run",       "good",        "inaccurate",    "empty_sector",
                                          "not_converged", "degenerate",  "solver_failed", "window_limit",
                                          "too_large",     "oscillating", "unstable",      "uncertified",
                                          "bistable",      NULL};
const int CospinOutcomeValues[] = {
    COSPIN_NOT_RUN,    COSPIN_GOOD,          COSPIN_INACCURATE,   COSPIN_EMPTY_SECTOR, COSPIN_NOT_CONVERGED,
    COSPIN_DEGENERATE, COSPIN_SOLVER_FAILED, COSPIN_WINDOW_LIMIT, COSPIN_TOO_LARGE,    COSPIN_OSCILLATING,
    COSPIN_UNSTABLE,   COSPIN_UNCERTIFIED,   COSPIN_BISTABLE};
static const char *const help[] = {
    "",
    "",
    "a number that is recomputed, a residual, an error, a population or a leak, is beyond its tolerance: "
    "look at it in "
    "the dataset before using the others",
    "the operator has no elements here, or nothing in its sector changes in time, so there is nothing to "
    "compute",
    "an iteration gave up before its residual was good enough; where it is an eigensolver, raise "
    "-<task>_eps_max_it or -<task>_eps_ncv",
    "several steady states, and nothing in the deck selects one, so none is given: `initial:` (the one that "
    "is "
    "reached from there) or `sector:` of the task `steady` do (`plan` prints the sectors)",
    "the factorisation or the solver broke down, see the message above: often memory, more ranks per point "
    "help",
    "a mode without a cutoff needs more than 20000 levels, or more than fit into memory: is its state "
    "bounded? "
    "see <task>_leak; a cutoff in the deck may be larger",
    "matrices and factors would not fit into the memory of the ranks of its group, see the message above: "
    "fewer "
    "groups, more nodes, `operator: expansion` (which needs no labels), or COSPIN_MEMORY if the machine has "
    "more than it says; then --retry",
    "part of the initial state oscillates for ever (<task>_frequency), so no steady state is reached from "
    "it: "
    "`evolve` shows it, `time_average: true` gives its average over long times",
    "small deviations from what was found grow, or go on for ever: it is no state that is kept",
    "the error of an expansion is not known to be small here (<task>_error, <task>_bound): too few spins, "
    "too "
    "close to an edge of the labels (<task>_edge) or to a threshold; an exact `operator` answers where it "
    "fits",
    "several stable points: an expansion around one of them knows nothing of the others, so no number is "
    "given",
};

/* The last row, without a name, for a value that this version does not know. */
static int row_of(int outcome)
{
  int k = 0;

  while (CospinOutcomeNames[k] && CospinOutcomeValues[k] != outcome) k++;
  return k;
}

const char *CospinOutcomeName(int outcome)
{
  const char *name = CospinOutcomeNames[row_of(outcome)];

  return name ? name : "unknown";
}

const char *CospinOutcomeHelp(int outcome)
{
  const int k = row_of(outcome);

  return CospinOutcomeNames[k] ? help[k] : "";
}

CospinOutcome CospinOutcomeWorse(CospinOutcome a, CospinOutcome b)
{
  return a < b ? a : b;
}
