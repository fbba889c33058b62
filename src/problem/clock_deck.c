/*
   What a clock is as a part of a problem: made before anything is evaluated, finished when all terms and
   rates have been added, freed; and what a deck must be for its functions of time to mean anything.
*/
#include "clock_impl.h"
#include <string.h>

/* There is one in any problem, also where nothing depends on time: names are resolved by it. */
PetscErrorCode CospinClockCreate(CospinProblem problem)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&problem->clock));
  PetscFunctionReturn(0);
}

/* Stages follow each other: one that ended before it began would be none at all, without a word. */
static PetscErrorCode check_durations(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < problem->deck->num_durations; k++) {
    const CospinExpression duration = problem->deck->durations[k];
    PetscBool this_ok;
    double time;
    PetscCall(CospinProblemNumber(problem, duration, faults, &time, &this_ok));
    if (this_ok && !(time >= 0)) {
      this_ok = PETSC_FALSE;
      if (faults)
        PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(duration), CospinExpressionPath(duration),
                                  "a stage of %.6g (a time is a number >= 0)", time));
    }
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* Decks that call a parameter t go on to mean it, but not where it could be the time. */
PetscErrorCode CospinClockCheckDeck(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  const CospinDeck deck = problem->deck;
  PetscBool taken = PETSC_FALSE;
  CospinPosition at;

  PetscFunctionBeginUser;
  if (*ok) PetscCall(check_durations(problem, faults, ok));
  for (int k = 0; k < deck->num_parameters; k++)
    if (!strcmp(deck->parameters[k].name, "t")) taken = PETSC_TRUE;
  for (int k = 0; taken && k < deck->num_hamiltonian + deck->num_jumps; k++) {
    const CospinExpression expression =
        k < deck->num_hamiltonian ? deck->hamiltonian[k] : deck->jumps[k - deck->num_hamiltonian].rate;
    if (!expression || !CospinExpressionHasTime(expression, &at)) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, at, CospinExpressionPath(expression),
                              "`t` is the time here, and the deck has a parameter of that name (call that "
                              "otherwise)"));
  }
  PetscFunctionReturn(0);
}

/* Functions borrow their expressions from the deck. */
PetscErrorCode CospinClockDestroy(CospinProblem problem)
{
  CospinClock clock = problem->clock;

  PetscFunctionBeginUser;
  if (!clock) PetscFunctionReturn(0);
  for (int k = 0; k < clock->num_terms; k++) {
    PetscCall(PetscFree(clock->terms[k].code));
    PetscCall(CospinMovesDestroy(&clock->terms[k].moves));
    PetscCall(CospinMovesDestroy(&clock->terms[k].kets));
  }
  PetscCall(PetscFree(clock->shares));
  PetscCall(PetscFree(clock->terms));
  PetscCall(PetscFree(clock->functions));
  PetscCall(CospinMovesDestroy(&clock->constant));
  PetscCall(PetscFree(problem->clock));
  PetscFunctionReturn(0);
}

/* L_0 keeps what has been added; the generator becomes the sum of everything, so that sizes and symmetries
   are those of all that ever acts. */
PetscErrorCode CospinClockFinish(CospinProblem problem)
{
  CospinClock clock = problem->clock;

  PetscFunctionBeginUser;
  if (!clock->num_terms) PetscFunctionReturn(0);
  clock->constant = problem->generator;
  PetscCall(CospinMovesFinish(clock->constant));
  PetscCall(CospinMovesCreate(&problem->system, &problem->generator));
  PetscCall(CospinMovesAxpy(problem->generator, 1.0, clock->constant, NULL));
  for (int k = 0; k < clock->num_terms; k++) {
    PetscCall(CospinMovesFinish(clock->terms[k].moves));
    PetscCall(CospinMovesFinish(clock->terms[k].kets));
    PetscCall(CospinMovesAxpy(problem->generator, 1.0, clock->terms[k].moves, NULL));
  }
  PetscFunctionReturn(0);
}
