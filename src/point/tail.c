/*
   The rate at which a quantity decays at late times, from its values at given times: what stands for an
   eigenvalue where there is no generator whose eigenvalues could be asked for (trajectories), or none is
   wanted.

   log|v(t)| is fitted by lines, by least squares with weights: over all of the times that count, over each
   half of them, over each third. While faster modes die out these slopes approach the rate as a geometric
   series, so that

     D = a - b        the slope of the first half minus that of the second,
     q = d2/d1        how much the slopes of the thirds change, the second time over the first,

   tell how much is left: the second half is off by D Q/(1-Q), with Q = q^(3/2) for a half instead of a third.
   Where q is near to 1 or above there is no exponential tail: a power law, a Gaussian, a beat.

   With noise the mean over all times is better than that of the second half, which scatters three times as
   much. Which one is told depends on whether D stands out of its noise: the share of the first is
   1/(1 + (D/(2 sigma_D))^4). Errors are those of the jackknife over blocks of the sample, which know
   that all times are of the same trajectories; without blocks, those that rounding may have. What is left of
   the transient is added: half of D for the mean over all times, 3/2 of the above for the second half.
*/
#include <cospin/point/tail.h>
#include <string.h>

enum {
  FEWEST = 7, /* times: three in each third, ends shared */
};
static const double clear = 4;           /* standard deviations: what is more did not happen by chance */
static const double signal = 5;          /* errors that the quantity must be above */
static const double largest_error = 0.5; /* of the rate: above it is none, */
static const double largest_left = 0.2;  /* and where so much of it may still change */
static const double slowest = 0.8;       /* q: thirds that come closer more slowly tell no limit */
static const double weigh_down =
    0.01; /* relative errors below it weigh alike: values near time 0 have none */

/* ---- What is asked for --------------------------------------------------------------------------------- */

/* An observable with `each` stands for several: its name alone does not say of which one the tail is. */
static PetscBool has_observable(CospinDeck deck, const char name[])
{
  for (int k = 0; k < deck->num_observables; k++)
    if (strcmp(deck->observables[k].name, name) == 0) return (PetscBool)!deck->observables[k].each;
  return PETSC_FALSE;
}

/* Times of the axis from `from` on up to `until`, NaN: without such an end. */
static int count_times(const CospinAxis *times, double from, double until)
{
  int count = 0;

  for (int k = 0; k < times->size; k++) count += !(times->values[k] < from) && !(times->values[k] > until);
  return count;
}

static PetscErrorCode check_window(CospinProblem problem, const CospinRecord *task,
                                   const CospinTailKeys *keys, CospinFaults faults, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;

  PetscFunctionBeginUser;
  if (!has_observable(problem->deck, keys->observable))
    PetscCall(
        CospinTaskFail(problem, task, "tail", faults, ok, "is no observable of this deck (the name of one)"));
  if (!times->size)
    PetscCall(CospinTaskFail(problem, task, "tail", faults, ok, "is of an evolution in time (give `times`)"));
  else if (count_times(times, keys->from, keys->until) < FEWEST)
    PetscCall(CospinTaskFail(problem, task, "tail", faults, ok,
                             "needs at least seven `times` from `tail_from` to `tail_until`"));
  PetscFunctionReturn(0);
}

/* Bounds without a tail would be ignored, so they are faults. A bound that is left out is NaN, for which
   every comparison is false: no end on that side. */
PetscErrorCode CospinTailRead(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                              CospinTailKeys *keys, PetscBool *ok)
{
  static const char *const bounds[] = {"tail_from", "tail_until"};
  double *values[] = {&keys->from, &keys->until};

  PetscFunctionBeginUser;
  keys->observable = CospinRecordGet(task, "tail")->text;
  for (int k = 0; k < 2; k++) {
    PetscCall(CospinTaskNumberOr(problem, task, bounds[k], NAN, faults, values[k], ok));
    if (!keys->observable && CospinRecordGet(task, bounds[k])->expression)
      PetscCall(CospinTaskFail(problem, task, bounds[k], faults, ok, "goes with `tail: OBSERVABLE`"));
  }
  if (keys->observable) PetscCall(check_window(problem, task, keys, faults, ok));
  PetscFunctionReturn(0);
}

/* ---- Slopes -------------------------------------------------------------------------------------------- */

/* All that is read from one row of values. COMBINED is what is told: see the head. */
typedef enum { WHOLE, FIRST_HALF, SECOND_HALF, THIRD_1, THIRD_2, THIRD_3, NUM_SLOPES } Which;

/* The times that count, and where their halves and thirds end. */
typedef struct {
  int first, last, half, thirds[2];
} Span;

/* Of the values' logarithms from index `first` to `last`, minus the slope of the line of least squares.
   Weights are those of the values' own errors for every row, those of the jackknife included. */
static double slope(const CospinTail *tail, const double row[], int first, int last)
{
  double sum = 0.0, mean_t = 0.0, mean_y = 0.0, tt = 0.0, ty = 0.0;

  for (int pass = 0; pass < 2; pass++) {
    for (int k = first; k <= last; k++) {
      const double relative = tail->errors[k] / tail->values[k];
      const double weight = 1 / (relative * relative + weigh_down * weigh_down);
      const double t = tail->times[k], y = PetscLogReal(PetscAbsReal(row[k]));
      if (pass == 0) {
        sum += weight;
        mean_t += weight * t;
        mean_y += weight * y;
      } else {
        tt += weight * (t - mean_t) * (t - mean_t);
        ty += weight * (t - mean_t) * (y - mean_y);
      }
    }
    if (pass == 0) {
      mean_t /= sum;
      mean_y /= sum;
    }
  }
  return -ty / tt;
}

/* Neighbouring parts share the time between them. */
static void find_slopes(const CospinTail *tail, const Span *span, const double row[], double slopes[])
{
  slopes[WHOLE] = slope(tail, row, span->first, span->last);
  slopes[FIRST_HALF] = slope(tail, row, span->first, span->half);
  slopes[SECOND_HALF] = slope(tail, row, span->half, span->last);
  slopes[THIRD_1] = slope(tail, row, span->first, span->thirds[0]);
  slopes[THIRD_2] = slope(tail, row, span->thirds[0], span->thirds[1]);
  slopes[THIRD_3] = slope(tail, row, span->thirds[1], span->last);
}

/* Index whose time is nearest to `share` of the way through the span, strictly within it. */
static int nearest(const CospinTail *tail, const Span *span, double share)
{
  const double t = (1 - share) * tail->times[span->first] + share * tail->times[span->last];
  int best = span->first + 1;

  for (int k = span->first + 1; k < span->last; k++)
    if (PetscAbsReal(tail->times[k] - t) < PetscAbsReal(tail->times[best] - t)) best = k;
  return best;
}

/* The values that stand out of their errors and have one sign, without a gap; false: too few. Without
   `tail_from` the first half of their time is taken for the transient and left out. */
static PetscBool find_span(const CospinTail *tail, Span *span)
{
  const double *v = tail->values;
  int first = 0, end;
  double from = tail->from;

  while (first < tail->num_times && tail->times[first] < from) first++;
  for (end = first; end < tail->num_times && !(tail->times[end] > tail->until); end++)
    if (!(PetscAbsReal(v[end]) > signal * tail->errors[end]) || v[end] * v[first] < 0) break;
  if (end == first) return PETSC_FALSE;
  if (isnan(from)) from = (tail->times[first] + tail->times[end - 1]) / 2;
  while (first < end && tail->times[first] < from) first++;
  *span = (Span){.first = first, .last = end - 1};
  if (end - first < FEWEST) return PETSC_FALSE;
  span->half = nearest(tail, span, 0.5);
  span->thirds[0] = nearest(tail, span, 1 / 3.0);
  span->thirds[1] = nearest(tail, span, 2 / 3.0);
  return (PetscBool)(span->thirds[0] < span->thirds[1]);
}

/* ---- Errors -------------------------------------------------------------------------------------------- */

/* Standard deviation of the combination sum_i c_i slope_i: by the jackknife, or what errors of the values may
   do to it. slopes[1 + num_blocks][NUM_SLOPES] */
static double scatter(const CospinTail *tail, const Span *span, const double slopes[], const double c[])
{
  const double length = tail->times[span->last] - tail->times[span->first];
  double mean = 0.0, sum = 0.0, worst = 0.0;

  for (int k = span->first; k <= span->last; k++)
    worst = PetscMax(worst, tail->errors[k] / PetscAbsReal(tail->values[k]));
  for (int pass = 0; pass < 2 && tail->num_blocks; pass++) {
    for (int b = 1; b <= tail->num_blocks; b++) {
      double value = 0.0;
      for (int i = 0; i < NUM_SLOPES; i++) value += c[i] * slopes[NUM_SLOPES * b + i];
      if (pass == 0)
        mean += value / tail->num_blocks;
      else
        sum += (value - mean) * (value - mean);
    }
  }
  if (tail->num_blocks) return PetscSqrtReal(sum * (tail->num_blocks - 1) / tail->num_blocks);
  for (int i = 0; i < NUM_SLOPES; i++) /* a part of the span is shorter, its slope less certain */
    sum += PetscAbsReal(c[i]) * (i == WHOLE ? 2 : i < THIRD_1 ? 4 : 6) * worst / length;
  return sum;
}

/* How much the second half may still be off; infinity where its approach is not that of exponentials.
   D: first half minus second. */
static double remaining(const CospinTail *tail, const Span *span, const double slopes[], double D,
                        PetscBool stands_out)
{
  const double early[NUM_SLOPES] = {[THIRD_1] = 1, [THIRD_2] = -1};
  const double late[NUM_SLOPES] = {[THIRD_2] = 1, [THIRD_3] = -1};
  const double d1 = PetscAbsReal(slopes[THIRD_1] - slopes[THIRD_2]);
  const double d2 = PetscAbsReal(slopes[THIRD_2] - slopes[THIRD_3]);
  double q, half;

  if (d2 <= clear * scatter(tail, span, slopes, late) && d1 <= clear * scatter(tail, span, slopes, early))
    return stands_out ? 3 * PetscAbsReal(D) : PetscAbsReal(D);
  q = d2 / d1;
  if (!(q < slowest)) return PETSC_INFINITY;
  half = PetscPowReal(q, 1.5);
  return PetscAbsReal(D) * PetscMax(0.5, 1.5 * half / (1 - half));
}

/* What is told, and whether it is worth telling: otherwise rate and error stay NaN. */
static void judge(CospinTail *tail, const Span *span, const double slopes[])
{
  const double difference[NUM_SLOPES] = {[FIRST_HALF] = 1, [SECOND_HALF] = -1};
  const double D = slopes[FIRST_HALF] - slopes[SECOND_HALF];
  const double noise = scatter(tail, span, slopes, difference);
  const double share = noise > 0 ? 1 / (1 + PetscPowReal(PetscAbsReal(D) / (2 * noise), 4)) : 0.0;
  const PetscBool stands_out = (PetscBool)(PetscAbsReal(D) > clear * noise);
  const double told[NUM_SLOPES] = {[WHOLE] = share, [SECOND_HALF] = 1 - share};
  const double left = remaining(tail, span, slopes, D, stands_out);
  const double rate = share * slopes[WHOLE] + (1 - share) * slopes[SECOND_HALF];
  const double transient = share * PetscAbsReal(D) / 2 + (1 - share) * left;
  const double statistical = scatter(tail, span, slopes, told);
  const double error = PetscSqrtReal(statistical * statistical + transient * transient);

  if (!(error <= largest_error * rate) || !(rate > 0) || (stands_out && left > largest_left * rate)) return;
  tail->rate = rate;
  tail->error = error;
}

PetscErrorCode CospinTailFit(CospinTail *tail)
{
  double *slopes;
  Span span;

  PetscFunctionBeginUser;
  tail->rate = tail->error = tail->begin = tail->end = NAN;
  if (!find_span(tail, &span)) PetscFunctionReturn(0);
  tail->begin = tail->times[span.first];
  tail->end = tail->times[span.last];
  PetscCall(PetscMalloc1((size_t)(NUM_SLOPES * (1 + tail->num_blocks)), &slopes));
  for (int b = 0; b <= tail->num_blocks; b++)
    find_slopes(tail, &span, tail->values + (size_t)b * (size_t)tail->num_times, slopes + NUM_SLOPES * b);
  judge(tail, &span, slopes);
  PetscCall(PetscFree(slopes));
  PetscFunctionReturn(0);
}

/* The window is told also where no rate is: it shows which times counted. */
PetscErrorCode CospinTailStore(const CospinTail *tail, CospinResults results, CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "tail_rate", 0, tail->rate));
  PetscCall(CospinResultsSet(results, "tail_rate_error", 0, tail->error));
  PetscCall(CospinResultsSet(results, "tail_begin", 0, tail->begin));
  PetscCall(CospinResultsSet(results, "tail_end", 0, tail->end));
  if (isnan(tail->rate)) *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}
