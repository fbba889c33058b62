/*
   du/dt = L(t) u over one period, again and again: Runge-Kutta steps of order 8 (Dormand and Prince,
   ket_dop853.h).

   Exponentials (timed_propagator.c) cost hundreds of products a step and are made for generators that are
   large beside what changes in them. In a period everything changes, and where |L| h is about one, as the
   modulation wants it, twelve products make a step.

   Two atoms and a driven mode, 40 points: .2 s, by exponentials 11 s, with the same numbers. (Where |L| T is
   very large, as with one rate far above all others, explicit steps are as many as |L| T.)

   Steps end where cells of the schedule end (schedule.c) and at times that are wanted. Coefficients are asked
   for within the cell only: at its ends they may jump.

   Whether a step is taken, and how long the next one is, follows from norms over all ranks: these decide
   alike, as they must, since each product is collective.
*/
#include "ket_dop853.h"
#include <cospin/solver/period.h>
#include <math.h>

enum { MADE = COSPIN_KET_STEP_STAGES };
/* An error below rounding cannot be had; a step as short as `shortest` (of the period) is taken whatever its
   error, since a jump that no cell has enclosed would halve it for ever. How much a step may differ from the
   one before it is as usual. */
static const double rounding = 2e-15, shortest = 1e-14, longest_change = 6.0, shortest_change = 0.2,
                    caution = 0.9;

/* Where the evolution stands, in which cell; its stages. `c`: coefficients at a stage. */
typedef struct {
  CospinPeriod *period;
  Vec u, next, work, k[MADE + 1];
  double begin, end; /* of the cell */
  double time, h;
  double *c;
} Step;

/* k = L(t) x, t within the cell. A coefficient that is not finite fails the period. */
static PetscErrorCode slope(Step *step, double time, Vec x, Vec k)
{
  const CospinSchedule *schedule = step->period->schedule;
  const double inside = 8 * PETSC_MACHINE_EPSILON * step->period->period;
  const double t = PetscMax(step->begin + inside, PetscMin(step->end - inside, time));

  PetscFunctionBeginUser;
  PetscCall(schedule->Coefficients(schedule->context, t, step->c));
  for (int i = 0; i < schedule->num; i++)
    if (!isfinite(step->c[i])) step->period->failed = PETSC_TRUE;
  PetscCall(CospinTimedSet(step->period->generator, 1.0, step->c));
  PetscCall(MatMult(step->period->generator, x, k));
  step->period->products++;
  PetscFunctionReturn(0);
}

/* result = (u or nothing) + h sum_i weights[i] k_i. */
static PetscErrorCode combine(Step *step, PetscBool from_u, int num, const double weights[], Vec result)
{
  PetscScalar scaled[MADE + 1];

  PetscFunctionBeginUser;
  for (int i = 0; i < num; i++) scaled[i] = step->h * weights[i];
  if (from_u)
    PetscCall(VecCopy(step->u, result));
  else
    PetscCall(VecZeroEntries(result));
  PetscCall(VecMAXPY(result, num, scaled, step->k));
  PetscFunctionReturn(0);
}

/* u at the end of the step into next; *error as DOP853 has it, the same on every rank: of two
   estimates e, e' of lower orders e^2/sqrt(e^2 + (0.1 e')^2). The first stage, k[0], is there already. */
static PetscErrorCode try_step(Step *step, double *error)
{
  PetscReal errors[2];

  PetscFunctionBeginUser;
  for (int i = 1; i <= MADE; i++) {
    PetscCall(combine(step, PETSC_TRUE, i, stage_weights[i], step->next));
    PetscCall(slope(step, step->time + stage_times[i] * step->h, step->next, step->k[i]));
  }
  for (int i = 0; i < 2; i++) {
    PetscCall(combine(step, PETSC_FALSE, MADE + 1, error_weights[i], step->work));
    PetscCall(VecNorm(step->work, NORM_2, &errors[i]));
  }
  *error = errors[0] == 0.0 ? 0.0 : PetscSqr(errors[0]) / hypot(errors[0], 0.1 * errors[1]);
  PetscFunctionReturn(0);
}

/* To a time within the cell or its end. The length of the last step, cut to end there, is not that of the
   next one. A step as short as rounding is taken.
   A step may have its share h/T of the tolerance, so that all together keep to it. The error goes as h^8 and
   that share as h: hence the seventh root. What is left of less than two steps is halved. The first slope is
   computed anew each time, since coefficients may have jumped. */
static PetscErrorCode advance(Step *step, double until)
{
  double wanted = step->h, error = 0.0, change;
  PetscReal size;

  PetscFunctionBeginUser;
  PetscCall(slope(step, step->time, step->u, step->k[0]));
  while (step->time < until && !step->period->failed) {
    const double rest = until - step->time;
    step->h = wanted < rest ? (2 * wanted > rest ? 0.5 * rest : wanted) : rest;
    PetscCall(try_step(step, &error));
    PetscCall(VecNorm(step->u, NORM_2, &size));
    const double allowed =
        size * PetscMax(rounding, step->period->tolerance * step->h / step->period->period);
    const PetscBool good = (PetscBool)(error <= allowed || step->h <= shortest * step->period->period);
    change = error > 0 ? caution * pow(allowed / error, 1.0 / 7.0) : longest_change;
    change = PetscMax(shortest_change, PetscMin(longest_change, change));
    wanted = good ? PetscMax(step->h * change, step->h < wanted ? wanted : 0.0)
                  : step->h * PetscMin(change, caution);
    if (!isfinite(error)) step->period->failed = PETSC_TRUE;
    if (!good) continue;
    step->period->steps++;
    step->time = step->h == rest ? until : step->time + step->h;
    PetscCall(VecCopy(step->next, step->u));
    PetscCall(VecCopy(step->k[MADE], step->k[0])); /* the slope at the end is that at the next begin */
  }
  step->h = wanted;
  PetscFunctionReturn(0);
}

/* The first length is a guess, which the first error corrects: too long costs one step, too short a few. */
static PetscErrorCode create(CospinPeriod *period, Vec u, Step *step)
{
  Vec *vectors;

  PetscFunctionBeginUser;
  *step = (Step){.period = period, .u = u, .h = 0.01 * period->period};
  PetscCall(VecDuplicateVecs(u, MADE + 3, &vectors));
  for (int i = 0; i <= MADE; i++) step->k[i] = vectors[i];
  step->next = vectors[MADE + 1];
  step->work = vectors[MADE + 2];
  PetscCall(PetscFree(vectors));
  PetscCall(PetscMalloc1((size_t)period->schedule->num + 1, &step->c));
  PetscFunctionReturn(0);
}

/* u is the caller's. */
static PetscErrorCode destroy(Step *step)
{
  PetscFunctionBeginUser;
  for (int i = 0; i <= MADE; i++) PetscCall(VecDestroy(&step->k[i]));
  PetscCall(VecDestroy(&step->next));
  PetscCall(VecDestroy(&step->work));
  PetscCall(PetscFree(step->c));
  PetscFunctionReturn(0);
}

/* Cell by cell. The length of a step is kept from one to the next: where coefficients jump the slope does,
   but not the size of the generator as a rule.
   A time at the end of a cell is visited in the cell that ends there. */
PetscErrorCode CospinPeriodFollow(CospinPeriod *period, Vec u, int num, const double times[],
                                  CospinPeriodVisit visit, void *context)
{
  const CospinSchedule *schedule = period->schedule;
  int visited = 0;
  Step step;

  PetscFunctionBeginUser;
  if (schedule->failed) period->failed = PETSC_TRUE;
  PetscCall(create(period, u, &step));
  for (int cell = 0; cell < schedule->num_cells && !period->failed; cell++) {
    step.begin = step.time = cell ? schedule->ends[cell - 1] : 0.0;
    step.end = PetscMin(period->period, schedule->ends[cell]);
    PetscCall(CospinInterruptCheck(period->interrupt));
    for (; visited < num && times[visited] <= step.end && !period->failed; visited++) {
      PetscCall(advance(&step, times[visited]));
      PetscCall(visit(context, visited, u));
    }
    PetscCall(advance(&step, step.end));
  }
  PetscCall(destroy(&step));
  PetscFunctionReturn(0);
}
