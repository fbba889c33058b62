/*
   The order of work. With times: trajectories up to a number, or twice as many again and again until an
   error is reached.

   Without: averages of the steady state along long trajectories. Each is sampled evenly; its first quarter is
   given away, since it remembers where it began, and the others are averaged. As trajectories are
   independent, their scatter is the error, whatever times their kets are correlated over, and from it follows
   that time: error^2 = variance/n, with n = (all windows)/(2 tau) samples that count (report.c).

   How long a trajectory must be is found by 40 of them, with random numbers of their own, which double their
   length until it is good: 30 independent samples each, and halves of the window that agree. Whether that
   also holds of the real ones is asked again at the end. A state that is left once in many such times is not
   seen by anything here: it looks steady.
*/
#include "run.h"
#include "report.h"
#include <cospin/problem/clock.h>

enum { SAMPLES = 256, PILOTS = 40 };
static const double most_products = 1e5; /* of a trajectory, while its length is sought */
static const double pilot_independent = 30.0;

/* Where a run is: in its checkpoints, in front. */
enum { HEAD_SPAN, HEAD_PILOT };

typedef struct {
  CospinPoint point;
  const CospinTrajectoriesPlan *plan;
  CospinResults results;
  CospinSample sample;
  CospinSampleReport report;
  double times[SAMPLES];
  PetscBool resumed, leave; /* resumed: the checkpoint has not been read yet */
  double head[COSPIN_SAMPLE_HEAD];
} Work;

/* ---- A sample ------------------------------------------------------------------------------------------ */

/* Pilots have other random numbers than the trajectories whose length they find: chosen by the same numbers,
   a length would be one at which these happen to look steady, and the judgement at the end would be worth
   nothing. A seed of the deck is below 2^53, so theirs is none that a user could have asked for.

   Clicks are counted where averages are made, in the last three quarters. */
static double most_of(const CospinTrajectoriesPlan *plan)
{
  return plan->error > 0 ? plan->most : plan->number;
}

static PetscErrorCode create_sample(Work *w, double span, PetscBool pilot)
{
  const CospinTrajectoriesPlan *plan = w->plan;
  CospinUnravellingSettings unravelling = plan->unravelling;
  CospinRecordsSettings records = plan->records;

  PetscFunctionBeginUser;
  if (plan->steady) {
    for (int k = 0; k < SAMPLES; k++) w->times[k] = span * (k + 1) / SAMPLES;
    unravelling.times = w->times;
    unravelling.num_times = SAMPLES;
    records.from = w->times[SAMPLES / 4 - 1];
    records.until = span;
  }
  if (pilot) unravelling.seed |= UINT64_C(1) << 60;
  PetscCall(CospinSampleCreate(w->point, &unravelling, plan->recorded && !pilot ? &records : NULL,
                               plan->steady, plan->store && !pilot ? most_of(plan) : 0.0, &w->sample));
  w->sample.records.settings.share = 1.0 - w->sample.least;
  w->sample.head[HEAD_SPAN] = span;
  w->sample.head[HEAD_PILOT] = pilot;
  w->report = (CospinSampleReport){.sample = &w->sample,
                                   .results = w->results,
                                   .tolerance = plan->tolerance,
                                   .fidelity = (PetscBool)(plan->unravelling.target != NULL),
                                   .clicks = (PetscBool)(plan->unravelling.click != NULL)};
  if (w->resumed) PetscCall(CospinSampleLoad(&w->sample, w->point->checkpoint));
  w->resumed = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Trajectories up to this number. None where nothing can jump. */
static PetscErrorCode extend(Work *w, double number)
{
  /* Where steps have errors, a norm falls by them. */
  const double never = CospinProblemHasTime(w->point->problem) ? 10 * w->plan->tolerance : 1e-14;
  CospinSample *s = &w->sample;

  PetscFunctionBeginUser;
  if (s->mixed || 1.0 - s->least >= never) PetscCall(CospinSampleExtend(s, (int)number, &w->leave));
  if (!w->leave) PetscCall(CospinSampleReduce(s));
  PetscFunctionReturn(0);
}

/* ---- How long ------------------------------------------------------------------------------------------ */

/* A few jumps of the fastest kind, to begin with. */
static PetscErrorCode first_span(Work *w, double *span)
{
  CospinUnravellingSettings settings = w->plan->unravelling;
  CospinUnravelling unravelling;
  double dimension, norm, elements, fastest;

  PetscFunctionBeginUser;
  settings.times = w->times;
  settings.num_times = 1;
  PetscCall(CospinUnravellingCreate(w->point, &settings, &unravelling));
  PetscCall(CospinUnravellingSize(unravelling, &dimension, &norm, &elements, &fastest));
  PetscCall(CospinUnravellingDestroy(&unravelling));
  *span = 32.0 / PetscMax(PetscMax(fastest, 1e-3 * norm), DBL_MIN);
  PetscFunctionReturn(0);
}

/* Whether pilots of this length are long enough, or nothing longer is to be tried. */
static PetscErrorCode is_long_enough(Work *w, double span, PetscBool *enough)
{
  const CospinRecordsSettings *records = &w->plan->records;
  const double longest = records->num_delays ? records->delays[records->num_delays - 1] : 0.0;
  CospinSampleSteadiness steady;

  PetscFunctionBeginUser;
  PetscCall(CospinSampleSteady(&w->sample, &steady));
  *enough = (PetscBool)(steady.independent >= pilot_independent * PILOTS && !(steady.drift > 3.0) &&
                        0.75 * span >= 4.0 * longest);
  if (CospinSampleMeanProducts(&w->sample) > most_products || w->sample.worst[COSPIN_WORST_LARGE] > 0)
    *enough = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Doubling wastes no more than what the last length costs. Nothing of the shorter ones is kept, for a longer
   trajectory is not a shorter one that goes on: its samples lie elsewhere. */
static PetscErrorCode find_span(Work *w, double *span)
{
  PetscBool enough = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (*span <= 0.0) PetscCall(first_span(w, span));
  while (!enough && !w->leave) {
    PetscCall(create_sample(w, *span, PETSC_TRUE));
    PetscCall(extend(w, PILOTS));
    if (!w->leave) PetscCall(is_long_enough(w, *span, &enough));
    PetscCall(CospinSampleDestroy(&w->sample));
    if (!enough && !w->leave) *span *= 2.0;
  }
  PetscFunctionReturn(0);
}

/* ---- The run ------------------------------------------------------------------------------------------- */

/* Everything is stored after each round, so that a run whose error is not reached has the best it could do.
 */
static PetscErrorCode run_round(Work *w, double number, CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(extend(w, number));
  if (w->leave) PetscFunctionReturn(0);
  PetscCall(CospinSampleStore(&w->report, outcome));
  if (w->plan->store) PetscCall(CospinSampleStoreState(&w->report, w->plan->task, outcome));
  PetscFunctionReturn(0);
}

/* The error is looked at when the number has doubled and not in between, which would favour chance. */
static PetscErrorCode run_rounds(Work *w, CospinOutcome *outcome)
{
  const CospinTrajectoriesPlan *plan = w->plan;
  const double first_round = plan->steady ? COSPIN_STEADY_NUMBER : 512;
  double number = plan->error > 0 ? PetscMin(first_round, plan->most) : plan->number;

  PetscFunctionBeginUser;
  while (plan->error > 0 && number < w->sample.done * (double)w->sample.block_size) number *= 2;
  PetscCall(run_round(w, number, outcome));
  while (!w->leave && plan->error > 0 && !(w->report.largest_error <= plan->error) &&
         2 * number <= plan->most) {
    number *= 2;
    PetscCall(run_round(w, number, outcome));
  }
  if (plan->error > 0 && !(w->report.largest_error <= plan->error))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* A run that was left has said how long trajectories were, and whether it was still looking. */
static PetscErrorCode begin(Work *w, double *span, PetscBool *look)
{
  PetscFunctionBeginUser;
  *span = w->plan->span;
  *look = (PetscBool)(w->plan->steady && *span <= 0.0);
  w->resumed = (PetscBool)(w->point->checkpoint != NULL);
  if (!w->resumed) PetscFunctionReturn(0);
  PetscCall(CospinCheckpointReals(w->point->checkpoint, COSPIN_SAMPLE_HEAD, w->head));
  *span = w->head[HEAD_SPAN];
  *look = (PetscBool)(w->head[HEAD_PILOT] != 0.0);
  PetscFunctionReturn(0);
}

/* A length that the deck gives is taken as it is: whether it is long enough is judged, not mended. */
PetscErrorCode CospinTrajectoriesRun(CospinPoint point, const CospinTrajectoriesPlan *plan,
                                     CospinResults results, CospinOutcome *outcome)
{
  Work w = {.point = point, .plan = plan, .results = results};
  PetscBool look;
  double span;

  PetscFunctionBeginUser;
  PetscCall(begin(&w, &span, &look));
  if (look) PetscCall(find_span(&w, &span));
  if (!w.leave) {
    PetscCall(create_sample(&w, span, PETSC_FALSE));
    PetscCall(run_rounds(&w, outcome));
    PetscCall(CospinSampleDestroy(&w.sample));
  }
  if (w.leave) *outcome = COSPIN_NOT_RUN;
  PetscFunctionReturn(0);
}
