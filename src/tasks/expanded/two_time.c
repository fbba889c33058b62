/*
   Two-time correlations under `operator: expansion`: sums over the sectors that A reads, each a channel of
   the expansion (cospin/solver/expansion.h). Their limit at long times is not in them.

   Why sums: B rho may have parts in several sectors (B = a + a^+), and Tr(A .) reads only some of them.
   Sectors do not talk to each other, so each has its own expansion, its own best degree and its own error,
   and errors are added. A channel with nothing in it is exactly zero and is left out.
*/
#include "two_time.h"
#include <math.h>

/* As many channels as sectors at most. */
static PetscErrorCode create(int num, int num_sectors, CospinExpandedTwoTime *result)
{
  const size_t size = (size_t)num;

  PetscFunctionBeginUser;
  *result = (CospinExpandedTwoTime){.num = num};
  PetscCall(PetscCalloc4(size, &result->values, size, &result->errors, size, &result->bounds,
                         (size_t)num_sectors, &result->channels));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedTwoTimeFree(CospinExpandedTwoTime *result)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < result->num_channels; k++)
    PetscCall(CospinExpandedChannelDestroy(&result->channels[k]));
  PetscCall(PetscFree4(result->values, result->errors, result->bounds, result->channels));
  PetscFunctionReturn(0);
}

/* The largest degree of all channels is told as the task's. */
static PetscErrorCode add_sector(CospinExpansion expansion, const int representative[],
                                 CospinMoves perturbation, CospinMoves reading, PetscBool frequencies,
                                 const CospinAxis *axis, CospinExpandedTwoTime *result,
                                 CospinOutcome *outcome)
{
  CospinExpandedChannel channel;
  CospinExpanded *values;
  CospinOutcome now;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)axis->size, &values));
  PetscCall(CospinExpansionCorrelate(expansion, representative, perturbation, reading, frequencies,
                                     axis->size, axis->values, values, &channel, &now));
  *outcome = CospinOutcomeWorse(*outcome, now);
  if (channel) result->channels[result->num_channels++] = channel;
  if (values[0].functions > result->functions) {
    result->degree = values[0].degree;
    result->functions = values[0].functions;
  }
  for (int k = 0; k < axis->size; k++) {
    result->values[k] += values[k].value;
    result->errors[k] += values[k].error;
    result->bounds[k] += values[k].bound;
  }
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* Sectors are chosen by what A reads and not by what B fills: the latter may be more, and contribute
   nothing. */
PetscErrorCode CospinExpandedTwoTimeRun(CospinPoint point, CospinExpansion expansion, CospinPolynomial a,
                                        CospinMoves perturbation, PetscBool frequencies,
                                        const CospinAxis *axis, CospinExpandedTwoTime *result,
                                        CospinOutcome *outcome)
{
  const CospinProblem problem = point->problem;
  int num, *sectors;
  CospinMoves reading;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeftProduct(problem, a, &reading));
  PetscCall(CospinProblemSectorsRead(problem, reading, &num, &sectors));
  PetscCall(create(axis->size, num, result));
  for (int k = 0; k < num; k++)
    PetscCall(add_sector(expansion, sectors + problem->system.num_coordinates * k, perturbation, reading,
                         frequencies, axis, result, outcome));
  /* Of the sum and not of its parts, which may cancel: that is what a user reads. */
  for (int k = 0; k < axis->size; k++) result->size = fmax(result->size, cabs(result->values[k]));
  PetscCall(PetscFree(sectors));
  PetscCall(CospinMovesDestroy(&reading));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpandedTwoTimeStoreSize(const CospinExpandedTwoTime *result, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedStoreSize(
      &(CospinExpanded){.degree = result->degree, .functions = result->functions}, results));
  PetscFunctionReturn(0);
}

/* Left products A rho, whose trace is <A>. Outcomes only ever get worse on the way, so the last word is
   the worst one. */
PetscErrorCode CospinExpandedExpect(CospinPoint point, CospinExpansion expansion, int num,
                                    const CospinPolynomial operators[], CospinExpanded values[],
                                    CospinOutcome *outcome)
{
  CospinMoves *moves;
  CospinOutcome now;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)num, &moves));
  for (int k = 0; k < num; k++) PetscCall(CospinTaskLeftProduct(point->problem, operators[k], &moves[k]));
  PetscCall(CospinExpansionExpect(expansion, num, moves, values, &now));
  *outcome = CospinOutcomeWorse(*outcome, now);
  for (int k = 0; k < num; k++) PetscCall(CospinMovesDestroy(&moves[k]));
  PetscCall(PetscFree(moves));
  PetscFunctionReturn(0);
}
