/*
   Generators with a period: L(t + T) = L(t) for all t >= 0.

   That a deck's is one is not believed: its coefficients are compared at many irregular times and between all
   edges of two periods. Kicks are refused, for each is one moment and not a train of them.

   The map of a period is as accurate as products with it allow, so a multiplier is one to ten tolerances:
   what is nearer cannot be told from a fixed point, and decays by no more than that in a period.

   As of a generator that does not change: M x = mu x belongs to x(t) = exp(lambda t) p(t), p of period T,
   with lambda = log(mu)/T. Times are in the deck's unit, rates and frequencies in its inverse.
*/
#include "periodic.h"
#include <cospin/problem/clock.h>
#include <math.h>
#include <string.h>

/* Times in a period that are compared with the next one; fixed points of a sector beyond MAX_FIXED are not
   looked for. */
enum { NUM_SAMPLES = 512, MAX_FIXED = 64 };

/* Of the tolerance: error of one map, and of the solver that applies it. */
static const double map_share = 0.03, solver_share = 0.1, finest = 1e-13;
/* How well a coefficient must be itself again, of its largest modulus: cos(omega t) has the rounding of
   omega t. */
static const double same = 1e-9;

/* The principal branch: of all frequencies that differ by 2 pi/T the smallest. */
double complex CospinPeriodicExponent(double complex mu, double period)
{
  return clog(mu) / period;
}

/* ---- Keys ---------------------------------------------------------------------------------------------- */

/* `store` has a default word, so whether it is given tells nothing. */
PetscErrorCode CospinPeriodicRefuse(CospinProblem problem, const CospinRecord *task, const char *const keys[],
                                    CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int k = 0; keys[k]; k++) {
    const CospinSetting *setting = CospinRecordGet(task, keys[k]);
    const PetscBool given = (PetscBool)(setting->factors || setting->file || setting->boolean);
    if (given || (strcmp(keys[k], "store") == 0 && CospinTaskStores(task)))
      PetscCall(CospinTaskFail(problem, task, keys[k], faults, ok,
                               "does not go with `period` (leave one of them out)"));
  }
  PetscFunctionReturn(0);
}

/* Two times a period apart. largest[]: the largest modulus of each coefficient so far, change[]: how much it
   has differed at most. A time where coefficients have no value is passed over. */
static PetscErrorCode compare_at(CospinProblem problem, double time, double period, double *largest,
                                 double *change, double *work)
{
  const int num = CospinClockCount(problem);
  PetscBool ok, later_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinClockCoefficients(problem, time, NULL, work, &ok));
  PetscCall(CospinClockCoefficients(problem, time + period, NULL, work + num, &later_ok));
  for (int k = 0; k < num && ok && later_ok; k++) {
    largest[k] = PetscMax(largest[k], PetscMax(fabs(work[k]), fabs(work[num + k])));
    change[k] = PetscMax(change[k], fabs(work[num + k] - work[k]));
  }
  PetscFunctionReturn(0);
}

/* All samples; what differs anywhere is a fault. There is one in each of NUM_SAMPLES equal parts, at a place
   in it that the golden ratio gives: equal distances would not see what oscillates with them. */
static PetscErrorCode compare(CospinProblem problem, double period, int num_edges, const double edges[],
                              PetscBool *returns)
{
  const int num = CospinClockCount(problem);
  double *largest, *change, *work;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3((size_t)num, &largest, (size_t)num, &change, 2 * (size_t)num, &work));
  for (int j = 0; j < NUM_SAMPLES; j++) {
    const double place = (j + fmod(0.6180339887498949 * (j + 1), 1.0)) / NUM_SAMPLES;
    PetscCall(compare_at(problem, place * period, period, largest, change, work));
  }
  for (int j = 0; j <= num_edges;
       j++) { /* what lies between two edges may be shorter than samples are apart */
    const double begin = j ? edges[j - 1] : 0.0, end = j < num_edges ? edges[j] : 2 * period;
    const double middle = fmod(begin + 0.4 * (end - begin), period);
    PetscCall(compare_at(problem, middle, period, largest, change, work));
  }
  *returns = PETSC_TRUE;
  for (int k = 0; k < num; k++)
    if (!(change[k] <= same * largest[k])) *returns = PETSC_FALSE;
  PetscCall(PetscFree3(largest, change, work));
  PetscFunctionReturn(0);
}

/* Of a generator with a value at all times of two periods. */
static PetscErrorCode check_returns(CospinProblem problem, const CospinRecord *task, double period,
                                    CospinFaults faults, PetscBool *ok)
{
  PetscBool returns = PETSC_FALSE;
  CospinKick *kicks;
  double *edges;
  int num, num_kicks;

  PetscFunctionBeginUser;
  PetscCall(CospinClockKicks(problem, 2 * period, &num_kicks, &kicks));
  PetscCall(PetscFree(kicks));
  PetscCall(CospinClockEdges(problem, 2 * period, &num, &edges));
  PetscCall(compare(problem, period, num, edges, &returns));
  PetscCall(PetscFree(edges));
  if (num_kicks)
    PetscCall(CospinTaskFail(problem, task, "period", faults, ok,
                             "a kick is at one time and does not come again (a short `pulse` of t - "
                             "T*floor(t/T) does)"));
  else if (!returns)
    PetscCall(CospinTaskFail(problem, task, "period", faults, ok,
                             "the generator is not the same again after this time (the period of everything "
                             "that depends on `t`; t - T*floor(t/T) makes anything periodic)"));
  PetscFunctionReturn(0);
}

/* In this order, since each asks for what the one before has found sound: a rate that is negative somewhere
   would be told as a generator that does not return. Two periods are looked at, for the second is compared
   with the first. */
PetscErrorCode CospinPeriodicCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok)
{
  PetscBool sound = PETSC_TRUE;
  double period, tolerance;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, &sound));
  if (!sound) *ok = PETSC_FALSE;
  sound = PETSC_TRUE;
  PetscCall(CospinTaskNumberOr(problem, task, "period", 1.0, faults, &period, &sound));
  if (sound && !CospinProblemHasTime(problem))
    PetscCall(CospinTaskFail(problem, task, "period", faults, &sound,
                             "nothing here depends on the time `t` (leave `period` out)"));
  if (sound) PetscCall(CospinClockCheck(problem, 2 * period, faults, &sound));
  if (sound) PetscCall(check_returns(problem, task, period, faults, &sound));
  if (!sound) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- One sector ---------------------------------------------------------------------------------------- */

/* The schedule is that of an evolution over one period, made where evolutions make theirs. An empty sector
   has no vectors: its map is left out. */
PetscErrorCode CospinPeriodicOpen(CospinPoint point, CospinProblem problem, const CospinRecord *task,
                                  const int representative[], CospinPeriodic *periodic)
{
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *periodic = (CospinPeriodic){.next = NAN, .outcome = COSPIN_GOOD};
  PetscCall(CospinTaskTolerance(problem, task, NULL, &periodic->tolerance, &ok));
  PetscCall(CospinTaskNumber(problem, task, "period", NULL, &periodic->period, &ok));
  periodic->zero = COSPIN_PERIODIC_ZERO * periodic->tolerance;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &periodic->sector));
  PetscCall(CospinEvolutionCreate(point, task, NULL, NULL, &periodic->clock));
  if (CospinSectorDimension(periodic->sector) == 0) PetscFunctionReturn(0);
  periodic->map = (CospinPeriod){.period = periodic->period,
                                 .tolerance = PetscMax(finest, map_share * periodic->tolerance),
                                 .interrupt = &point->interrupt};
  periodic->clock.num_times = 1;
  periodic->clock.times = &periodic->period;
  periodic->clock.options.tolerance = periodic->map.tolerance;
  PetscCall(CospinEvolutionFollow(&periodic->clock, problem));
  periodic->map.schedule = periodic->clock.schedule;
  periodic->map.prefix = periodic->clock.prefix;
  PetscCall(CospinTimedCreate(point->comm, problem, periodic->sector, &periodic->map.generator));
  PetscFunctionReturn(0);
}

/* Fixed points that somebody has taken are NULL here. */
PetscErrorCode CospinPeriodicClose(CospinPeriodic *periodic)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < periodic->num_fixed; k++) PetscCall(VecDestroy(&periodic->fixed[k]));
  PetscCall(PetscFree(periodic->fixed));
  PetscCall(MatDestroy(&periodic->map.generator));
  PetscCall(CospinEvolutionReset(&periodic->clock));
  PetscCall(CospinSectorDestroy(&periodic->sector));
  PetscFunctionReturn(0);
}

/* The multiplier nearest to one beside the fixed points that are known. If one is known already a rough one
   that is clearly not one is enough. Without one the vector is wanted too, so it is strict at once. */
static PetscErrorCode find_nearest(CospinPeriodic *periodic, int *num, CospinMultiplier *found)
{
  static const double rough = 1e-6, clearly = 1e-4;
  const double strict = PetscMax(finest, solver_share * periodic->tolerance);

  PetscFunctionBeginUser;
  *num = 0;
  if (periodic->num_fixed)
    PetscCall(CospinPeriodSearch(&periodic->map, COSPIN_MULTIPLIER_NEAR_ONE, 1, PetscMax(rough, strict),
                                 periodic->num_fixed, periodic->fixed, num, found));
  if (*num && cabs(found->mu - 1.0) > clearly) PetscFunctionReturn(0);
  if (*num) PetscCall(VecDestroy(&found->x));
  PetscCall(CospinPeriodSearch(&periodic->map, COSPIN_MULTIPLIER_NEAR_ONE, 1, strict, periodic->num_fixed,
                               periodic->fixed, num, found));
  PetscFunctionReturn(0);
}

/* One by one, each with those before it left out, until the next multiplier is another one. `residual` is the
   largest of theirs. A search that finds nothing though the sector has room for more has not converged. */
PetscErrorCode CospinPeriodicFix(CospinPeriodic *periodic)
{
  const PetscInt64 dimension = CospinSectorDimension(periodic->sector);
  PetscBool more = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(MAX_FIXED, &periodic->fixed));
  while (more && periodic->num_fixed < MAX_FIXED && periodic->num_fixed < dimension) {
    CospinMultiplier found = {.x = NULL};
    int num;
    PetscCall(find_nearest(periodic, &num, &found));
    if (num == 0) periodic->outcome = COSPIN_NOT_CONVERGED;
    more = (PetscBool)(num && cabs(found.mu - 1.0) <= periodic->zero);
    if (num && !more) periodic->next = found.mu;
    if (more) {
      periodic->fixed[periodic->num_fixed++] = found.x;
      periodic->residual = PetscMax(periodic->residual, found.residual);
    } else {
      PetscCall(VecDestroy(&found.x));
    }
  }
  if (periodic->map.failed) periodic->outcome = COSPIN_NOT_CONVERGED;
  PetscFunctionReturn(0);
}

/* ---- Windows ------------------------------------------------------------------------------------------- */

/* A CospinWindowUser's. Without values of smaller windows, or if there is another number of them now, nothing
   can be compared: the leak of open windows is infinite then, which asks for larger ones. */
static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  CospinPeriodicWindows *w = (CospinPeriodicWindows *)context;
  const int num_before = w->num;
  int levels[COSPIN_MAX_COORDINATES];
  PetscBool open;

  PetscFunctionBeginUser;
  PetscCall(w->Solve(w->context, w->problem, &w->num, &w->values, outcome));
  CospinProblemWindows(w->problem, levels, &open);
  *leak = open ? PETSC_INFINITY : 0.0;
  if (!open || !w->before || *outcome != COSPIN_GOOD || w->num != num_before) PetscFunctionReturn(0);
  *leak = 0.0;
  for (int k = 0; k < w->num; k++) {
    const double size = PetscMax(1.0, cabs(w->values[k]));
    *leak = PetscMax(*leak, cabs(w->values[k] - w->before[k]) / size);
  }
  PetscFunctionReturn(0);
}

/* The point's own problem stays. */
static PetscErrorCode drop_problem(CospinPeriodicWindows *w)
{
  PetscFunctionBeginUser;
  if (w->problem != w->point->problem) PetscCall(CospinProblemDestroy(&w->problem));
  PetscFunctionReturn(0);
}

/* The size of the largest of the task's sectors, as it is now. */
static PetscErrorCode largest_sector(const CospinPeriodicWindows *w, PetscInt64 *dimension)
{
  int num, *representatives;

  PetscFunctionBeginUser;
  *dimension = 0;
  PetscCall(CospinTaskSectors(w->problem, w->task, &num, &representatives));
  for (int k = 0; k < num; k++) {
    CospinSector sector;
    PetscCall(CospinSectorCreate(&w->problem->system, w->problem->lattice,
                                 representatives + k * w->problem->system.num_coordinates, &sector));
    *dimension = PetscMax(*dimension, CospinSectorDimension(sector));
    PetscCall(CospinSectorDestroy(&sector));
  }
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

/* What was found in smaller windows is replaced by the next solution, which its owner makes room for. */
static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  CospinPeriodicWindows *w = (CospinPeriodicWindows *)context;
  CospinProblem larger;
  PetscInt64 dimension;

  PetscFunctionBeginUser;
  (void)factor; /* a change tells only between windows that differ much */
  PetscCall(largest_sector(w, &dimension));
  PetscCall(CospinWindowLarger(w->problem, dimension, &larger));
  *grown = (PetscBool)(larger != NULL);
  if (!larger) PetscFunctionReturn(0);
  PetscCall(drop_problem(w));
  w->problem = larger;
  PetscCall(PetscFree(w->before));
  w->before = w->values;
  w->values = NULL;
  PetscFunctionReturn(0);
}

/* Windows are large enough when no value changes by more than ten tolerances; open ones are solved in at
   least twice, if they can grow and the first solution is good. */
PetscErrorCode CospinPeriodicSettle(CospinPeriodicWindows *w, double *leak, CospinOutcome *outcome)
{
  const CospinWindowUser user = {10 * w->tolerance, solve, grow};

  PetscFunctionBeginUser;
  w->problem = w->point->problem;
  PetscCall(CospinWindowSettle(&user, w, leak, outcome));
  PetscFunctionReturn(0);
}

/* Afterwards, since results are read from the last problem and its values. */
PetscErrorCode CospinPeriodicSettled(CospinPeriodicWindows *w)
{
  PetscFunctionBeginUser;
  PetscCall(drop_problem(w));
  PetscCall(PetscFree(w->values));
  PetscCall(PetscFree(w->before));
  PetscFunctionReturn(0);
}
