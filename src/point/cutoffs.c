/*
   Which elements of a state a cutoff touches: those of the highest levels, as many as a move can pass at
   once, from where the generator of the same deck with as many more levels leads beyond the cutoff.
   Populations of the highest levels alone would not tell: a cutoff at the number of excitations that there
   are is exact, however full the last level is.

   What counts is the population of such elements, not the rate at which it would leave: one deck's rate is a
   million times another's, while a population is a share of the state.

   Elements are asked one by one. A superposition that is dark, whose amplitudes beyond the cutoff cancel in
   the sum over elements, is counted all the same: that errs on the safe side.

   The larger problem is only asked for amplitudes: no sector of it is ever made, so that it costs what
   deriving the moves of a deck costs, once for a task.
*/
#include <cospin/point/cutoffs.h>
#include <cospin/problem/clock.h>

typedef struct {
  int coordinate, highest; /* its level on the ket; the last one */
  int reach;
  double accepted;
} Cutoff;

struct CospinCutoffs_ {
  CospinProblem larger; /* with more levels behind the cutoffs; NULL: not asked */
  int num;
  Cutoff cutoffs[COSPIN_MAX_COORDINATES];
};

/* Levels that one move can pass: two for a drive a^2, whose population two levels below the last is cut off,
   too. One at least, lest a component that no move touches count as one without a cutoff. */
static int reach_of(CospinMoves generator, CospinComponent component)
{
  int reach = 1;

  for (int k = 0; k < generator->count; k++) {
    for (int i = 0; i < component->num_coordinates; i++)
      reach = PetscMax(reach, PetscAbsInt(generator->moves[k].shift[component->offset + i]));
  }
  return reach;
}

/* Components whose windows are open keep theirs: what these cut off is told by a leak, not here. Moves that
   depend on time stand in no list of the problem, so that of those generators nothing is asked, and all
   population of the highest levels counts. */
static PetscErrorCode create_larger(CospinProblem problem, const int more[], CospinCutoffs cutoffs)
{
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool any, ok;

  PetscFunctionBeginUser;
  if (cutoffs->num == 0 || CospinProblemHasTime(problem)) PetscFunctionReturn(0);
  CospinProblemWindows(problem, windows, &any);
  for (int c = 0; c < problem->system.num_components; c++)
    if (more[c]) windows[c] = more[c];
  PetscCall(CospinProblemCreateWindowed(problem, windows, NULL, &cutoffs->larger, &ok));
  if (!ok) PetscCall(CospinProblemDestroy(&cutoffs->larger));
  PetscFunctionReturn(0);
}

/* Kinds without an Edge function, and those whose edge is infinite (a spin, whose levels end by themselves,
   or a window that grows), have no cutoff that anybody has to watch. */
PetscErrorCode CospinCutoffsCreate(CospinProblem problem, CospinCutoffs *cutoffs)
{
  const CospinSystem *system = &problem->system;
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES], more[COSPIN_MAX_COORDINATES] = {0};
  CospinCutoffs new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *cutoffs = new;
  CospinSystemBounds(system, lo, hi);
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const double accepted = component->kind->Edge ? component->kind->Edge(component) : INFINITY;
    const int reach = isinf(accepted) ? 0 : reach_of(problem->generator, component);
    if (reach == 0) continue;
    new->cutoffs[new->num++] = (Cutoff){component->offset, hi[component->offset], reach, accepted};
    more[c] = hi[component->offset] + 1 + reach;
  }
  PetscCall(create_larger(problem, more, new));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCutoffsDestroy(CospinCutoffs *cutoffs)
{
  PetscFunctionBeginUser;
  if (!*cutoffs) PetscFunctionReturn(0);
  PetscCall(CospinProblemDestroy(&(*cutoffs)->larger));
  PetscCall(PetscFree(*cutoffs));
  PetscFunctionReturn(0);
}

int CospinCutoffsCount(CospinCutoffs cutoffs)
{
  return cutoffs->num;
}

double CospinCutoffsAccepted(CospinCutoffs cutoffs, int k)
{
  return cutoffs->cutoffs[k].accepted;
}

/* Only the ket is looked at: whoever asks has labels with a trace, whose bra has the same level. Amplitudes
   that cancel to rounding are exact zeros (CospinMoveAmplitude), so that no tolerance is needed. */
PetscBool CospinCutoffsPassed(CospinCutoffs cutoffs, int k, const int label[])
{
  const Cutoff *cutoff = &cutoffs->cutoffs[k];
  const int level = label[cutoff->coordinate];
  CospinMoves moves;

  if (level <= cutoff->highest - cutoff->reach) return PETSC_FALSE;
  if (!cutoffs->larger) return PETSC_TRUE;
  moves = cutoffs->larger->generator;
  for (int m = 0; m < moves->count; m++) {
    if (level + moves->moves[m].shift[cutoff->coordinate] <= cutoff->highest) continue;
    if (CospinMoveAmplitude(moves, &moves->moves[m], label) != 0.0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}
