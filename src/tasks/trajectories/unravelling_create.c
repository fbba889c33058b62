/*
   An unravelling before its first trajectory: jumps and kets in the windows of the first level, how the
   generator changes in time, and what may be asked of it.
*/
#include "unravelling_impl.h"

/* Coefficients are looked at once, before any trajectory. */
static PetscErrorCode follow_time(CospinUnravelling u)
{
  const CospinUnravellingSettings *s = &u->settings;

  PetscFunctionBeginUser;
  if (!CospinProblemHasTime(u->point->problem) || !s->num_times) PetscFunctionReturn(0);
  u->evolution.num_times = s->num_times;
  u->evolution.times = s->times;
  u->evolution.options.tolerance = s->tolerance;
  PetscCall(CospinEvolutionFollow(&u->evolution, u->point->problem));
  PetscCall(CospinKetTimedCreate(s->num_times, s->times, s->tolerance, u->levels[0].open,
                                 u->evolution.schedule, CospinUnravellingVisit, u, &u->timed));
  PetscCall(PetscMalloc1((size_t)CospinClockCount(u->point->problem), &u->coefficients));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinUnravellingCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                       CospinUnravelling *unravelling)
{
  CospinUnravelling new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *unravelling = new;
  new->point = point;
  new->settings = *settings;
  PetscCall(CospinKetLevelCreate(point, settings, NULL, &new->levels[0]));
  new->num_levels = 1;
  new->num_expectations = new->levels[0].num_expectations;
  for (int b = 0; b < new->levels[0].space->num_bounded; b++)
    if (!new->levels[0].space->bounds[b].open) new->num_cutoffs++;
  PetscCall(CospinKetPropagatorCreate(settings->num_times, settings->times, settings->tolerance,
                                      new->levels[0].open, CospinUnravellingVisit, new, &new->propagator));
  PetscCall(follow_time(new));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinUnravellingDestroy(CospinUnravelling *unravelling)
{
  CospinUnravelling u = *unravelling;

  PetscFunctionBeginUser;
  if (!u) PetscFunctionReturn(0);
  for (int k = 0; k < u->num_levels; k++) PetscCall(CospinKetLevelDestroy(&u->levels[k]));
  PetscCall(CospinKetPropagatorDestroy(&u->propagator));
  PetscCall(CospinKetTimedDestroy(&u->timed));
  PetscCall(CospinScheduleDestroy(&u->evolution.schedule));
  PetscCall(PetscFree(u->coefficients));
  PetscCall(PetscFree(u->ket));
  PetscCall(PetscFree(u->next));
  PetscCall(PetscFree(u->read));
  PetscCall(PetscFree(u->shift));
  PetscCall(PetscFree(*unravelling));
  PetscFunctionReturn(0);
}

void CospinUnravellingCounts(CospinUnravelling u, int *num_expectations, int *num_cutoffs)
{
  *num_expectations = u->num_expectations;
  *num_cutoffs = u->num_cutoffs;
}

double CospinUnravellingAccepted(CospinUnravelling u, int k)
{
  const CospinKetSpace space = u->levels[0].space;
  int b = 0;

  for (;; b++)
    if (!space->bounds[b].open && k-- == 0) return space->bounds[b].accepted;
}

PetscBool CospinUnravellingIsMixed(CospinUnravelling u)
{
  return u->levels[0].start->mixed;
}

PetscBool CospinUnravellingJumps(CospinUnravelling u)
{
  return (PetscBool)(u->levels[0].kets->num_jumps > 0);
}

PetscErrorCode CospinTrajectoryCreate(CospinUnravelling u, CospinTrajectory *t)
{
  const size_t num_times = (size_t)u->settings.num_times, lines = (size_t)u->point->problem->deck->num_jumps;

  PetscFunctionBeginUser;
  *t = (CospinTrajectory){.num_values = u->num_expectations + 1 + u->num_cutoffs};
  PetscCall(PetscCalloc6(num_times * (size_t)t->num_values, &t->values, num_times, &t->norm2, num_times,
                         &t->jumps, num_times, &t->clicks, lines, &t->fired, lines, &t->expected));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTrajectoryDestroy(CospinTrajectory *t)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree6(t->values, t->norm2, t->jumps, t->clicks, t->fired, t->expected));
  PetscCall(PetscFree(t->records));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinUnravellingSize(CospinUnravelling u, double *dimension, double *norm, double *elements,
                                     double *fastest)
{
  CospinKetLevel *level = &u->levels[0];

  PetscFunctionBeginUser;
  PetscCall(CospinKetSpaceSurvey(level->space, level->start->reference, dimension, norm, elements));
  *fastest = CospinKetSpaceFastest(level->space);
  PetscFunctionReturn(0);
}
