/*
   What the tasks of one grid point share: the problem, its observables and its steady state.

   A steady state is computed once and kept for all tasks of the point that want it, in whatever sector; a
   window that grows makes another problem, and what was kept of the old one is forgotten.
*/
#include "steady_state.h"
#include <cospin/point/point.h>
#include <cospin/point/settings.h>

/* With faults NULL the deck has been checked at this point before. interrupt is set by whoever runs the
   point; until then nobody is asked. */
PetscErrorCode CospinPointCreate(MPI_Comm comm, CospinDeck deck, PetscInt64 number, CospinFaults faults,
                                 CospinPoint *point, PetscBool *ok)
{
  CospinPoint new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *point = new;
  new->comm = comm;
  new->eigensolvers.interrupt = &new->interrupt;
  PetscCall(CospinStoredCreate(number, &new->stored));
  PetscCall(CospinProblemCreate(deck, number, faults, &new->problem, ok));
  if (new->problem->generator) { /* their faults are told although a jump is wrong, too */
    PetscBool observables_ok;
    PetscCall(CospinObservablesCreate(new->problem, faults, &new->observables, &observables_ok));
    if (!observables_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* With its eigensolver, whose sector is that of the old problem. */
static PetscErrorCode forget_steady(CospinPoint point)
{
  PetscFunctionBeginUser;
  PetscCall(VecDestroy(&point->steady.rho));
  PetscCall(CospinEigensolverDestroy(&point->steady.eigensolver));
  PetscCall(PetscFree(point->steady_sector));
  point->has_steady = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Ranks that do not have the same number of them have failed in different places: nothing collective then.
   Behind a task that has failed in the middle: eigensolvers that it made hold MPI objects, which only all
   ranks together can free. The point's steady state stays for the next task. */
PetscErrorCode CospinPointClean(CospinPoint point)
{
  const CospinEigensolver steady = point->has_steady ? point->steady.eigensolver : NULL;
  int counts[2] = {0, 0};

  PetscFunctionBeginUser;
  for (CospinEigensolver s = point->eigensolvers.first; s; s = s->following) counts[0]++;
  counts[1] = -counts[0];
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, counts, 2, MPI_INT, MPI_MAX, point->comm));
  if (counts[0] != -counts[1]) PetscFunctionReturn(0);
  if (!point->has_steady) {
    PetscCall(VecDestroy(&point->steady.rho));
    point->steady.eigensolver = NULL;
  }
  for (CospinEigensolver s = point->eigensolvers.first, next; s; s = next) {
    next = s->following;
    if (s != steady) PetscCall(CospinEigensolverDestroy(&s));
  }
  PetscFunctionReturn(0);
}

/* Takes the problem over. Observables are made again: their moves belong to the components of the problem. */
PetscErrorCode CospinPointReplaceProblem(CospinPoint point, CospinProblem problem)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(forget_steady(point));
  PetscCall(CospinObservablesDestroy(&point->observables));
  PetscCall(CospinProblemDestroy(&point->problem));
  point->problem = problem;
  PetscCall(CospinObservablesCreate(problem, NULL, &point->observables, &ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPointDestroy(CospinPoint *point)
{
  PetscFunctionBeginUser;
  if (!*point) PetscFunctionReturn(0);
  PetscCall(forget_steady(*point));
  PetscCall(VecDestroy(&(*point)->near));
  PetscCall(CospinStoredDestroy(&(*point)->stored));
  PetscCall(CospinObservablesDestroy(&(*point)->observables));
  PetscCall(CospinProblemDestroy(&(*point)->problem));
  PetscCall(PetscFree(*point));
  PetscFunctionReturn(0);
}

/* Without a sector all steady states are meant; with one, that of its label. A steady state of one sector
   is not used for another, nor for "all of them". */
static PetscErrorCode is_kept(CospinPoint point, const int sector[], PetscBool *answer)
{
  PetscFunctionBeginUser;
  *answer = (PetscBool)(point->has_steady && !sector == !point->steady_sector);
  if (*answer && sector)
    PetscCall(PetscArraycmp(sector, point->steady_sector, point->problem->system.num_coordinates, answer));
  PetscFunctionReturn(0);
}

/* Kept also if it is bad, with its outcome: the next task need not fail the same way at the same cost. */
PetscErrorCode CospinPointSteadyState(CospinPoint point, const char prefix[], const int sector[],
                                      const CospinSteadyState **steady)
{
  const int n = point->problem->system.num_coordinates;
  CospinWork before;
  PetscBool kept;

  PetscFunctionBeginUser;
  *steady = &point->steady;
  PetscCall(is_kept(point, sector, &kept));
  if (kept) PetscFunctionReturn(0);
  PetscCall(forget_steady(point));
  PetscCall(CospinEigensolversWork(&point->eigensolvers, NULL, &before));
  PetscCall(CospinPointSolveSteady(point, prefix, sector));
  PetscCall(CospinEigensolversWork(&point->eigensolvers, &before, &point->steady.work));
  if (sector) {
    PetscCall(PetscMalloc1((size_t)n, &point->steady_sector));
    PetscCall(PetscArraycpy(point->steady_sector, sector, n));
  }
  point->has_steady = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* For tasks that need a window before they can begin and have no measure of their own: that of the steady
   state. */
PetscErrorCode CospinPointSettle(CospinPoint point)
{
  int windows[COSPIN_MAX_COORDINATES];
  const CospinSteadyState *steady;
  PetscBool any;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &any);
  if (any) PetscCall(CospinPointSteadyState(point, "steady_", NULL, &steady));
  PetscFunctionReturn(0);
}
