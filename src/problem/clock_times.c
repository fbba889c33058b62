/*
   The clock of a problem at a time: what its coefficients are worth, whether its rates are rates, and where
   in time it has edges.

   Where a coefficient jumps or has a corner is found from the functions that do that: the distance from the
   edge is a function of time (t - t0 of pulse(t, t0, t1)), of which sign changes are looked for on a grid and
   halved down to neighbouring numbers.
*/
#include "clock_impl.h"
#include <math.h>
#include <stdlib.h>

enum { NUM_SAMPLES = 400, NUM_BRACKETS = 4096 };

/* Terms, not functions: what has cancelled or stands before nothing makes no generator depend on time. */
PetscBool CospinProblemHasTime(CospinProblem problem)
{
  return (PetscBool)(problem->clock && problem->clock->num_terms > 0);
}

int CospinClockCount(CospinProblem problem)
{
  return problem->clock ? problem->clock->num_terms : 0;
}

/* L_0 is there wherever a term is, be it without moves. */
CospinMoves CospinClockMoves(CospinProblem problem, int k)
{
  return k < 0 ? problem->clock->constant : problem->clock->terms[k].moves;
}

/* Read on the side of the ket only, as everything of kets is. */
CospinMoves CospinClockKets(CospinProblem problem, int k)
{
  return problem->clock->terms[k].kets;
}

PetscBool CospinClockHasRate(CospinProblem problem, int jump, int spin)
{
  const CospinClock clock = problem->clock;

  for (int i = 0; clock && i < clock->num_shares; i++)
    if (clock->shares[i].jump == jump && clock->shares[i].spin == spin) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* The constant part may be of either sign; the sum is a rate. */
double CospinClockRateOf(CospinProblem problem, int jump, int spin, const double c[])
{
  const CospinPlainJump *plain = &problem->jumps[jump];
  const CospinClock clock = problem->clock;
  double rate = plain->rates ? plain->rates[spin] : plain->rate;

  for (int i = 0; c && i < clock->num_shares; i++)
    if (clock->shares[i].jump == jump && clock->shares[i].spin == spin)
      rate += clock->shares[i].rate * c[clock->shares[i].term];
  return rate;
}

/* Names mean what they did where the function was met; `t` is a number. */
static void look_at(CospinProblem problem, const CospinClockFunction *function, double time)
{
  problem->clock->now = time;
  problem->clock->reads = (PetscBool)(function != NULL);
  for (int i = 0; i < 2; i++) problem->index.value[i] = function ? function->index[i] : -1;
  problem->index.implied = function ? function->implied : PETSC_FALSE;
}

/* One function; real by its form, but sqrt(1 - t) is not at all times. */
static PetscErrorCode evaluate(CospinProblem problem, int k, double time, CospinFaults faults,
                               double complex *value, PetscBool *ok)
{
  const CospinClockFunction *function = &problem->clock->functions[k];

  PetscFunctionBeginUser;
  look_at(problem, function, time);
  PetscCall(CospinTimeFunctionEvaluate(&function->function, &problem->environment, faults, value, ok));
  look_at(problem, NULL, 0.0);
  if (!*ok || !function->real || cimag(*value) == 0.0) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  if (faults)
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(function->function.expression),
                              CospinExpressionPath(function->function.expression),
                              "a coefficient is %.6g%+.6g*i at t = %.6g (must be real there)", creal(*value),
                              cimag(*value), time));
  PetscFunctionReturn(0);
}

/* The function among those of a term that is a kick; NULL: none. */
static const CospinClockFunction *kick_of(const struct CospinClock_ *clock, const CospinClockTerm *term)
{
  for (int l = 0; l < term->length; l++)
    if (clock->functions[term->code[l] / 2].kick) return &clock->functions[term->code[l] / 2];
  return NULL;
}

/* Products of functions, a conjugate by its code (clock_impl.h); the first that fails ends it. */
PetscErrorCode CospinClockCoefficients(CospinProblem problem, double time, CospinFaults faults, double c[],
                                       PetscBool *ok)
{
  const CospinClock clock = problem->clock;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; k < clock->num_terms; k++) {
    const CospinClockTerm *term = &clock->terms[k];
    double complex product = kick_of(clock, term) ? 0.0 : 1.0, value;
    for (int l = 0; l < term->length && *ok; l++) {
      PetscCall(evaluate(problem, term->code[l] / 2, time, faults, &value, ok));
      if (*ok) product *= term->code[l] % 2 ? conj(value) : value;
    }
    c[k] = *ok ? (term->part == COSPIN_CLOCK_IM ? cimag(product) : creal(product)) : NAN;
    if (!*ok) PetscFunctionReturn(0);
  }
  PetscFunctionReturn(0);
}

/* ---- Kicks --------------------------------------------------------------------------------------------- */

/* What stands beside the kick of a term, at its time. */
static PetscErrorCode kick_weight(CospinProblem problem, const CospinClockTerm *term, double time,
                                  double *weight, PetscBool *ok)
{
  const CospinClock clock = problem->clock;
  double complex product = 1.0, value;

  PetscFunctionBeginUser;
  for (int l = 0; l < term->length && *ok; l++) {
    if (clock->functions[term->code[l] / 2].kick) continue;
    PetscCall(evaluate(problem, term->code[l] / 2, time, NULL, &value, ok));
    product *= term->code[l] % 2 ? conj(value) : value;
  }
  *weight = *ok ? (term->part == COSPIN_CLOCK_IM ? cimag(product) : creal(product)) : NAN;
  PetscFunctionReturn(0);
}

/* Times that rounding has told apart are one: two kicks at a time are one exponential of their sum, unless
   they have an order. */
static PetscBool is_same(double a, double b, double end)
{
  return (PetscBool)(fabs(a - b) <= 1e-12 * end);
}

PetscErrorCode CospinClockKick(CospinProblem problem, CospinKick at, double end, double c[])
{
  const CospinClock clock = problem->clock;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  for (int k = 0; k < clock->num_terms; k++) {
    const CospinClockFunction *kick = kick_of(clock, &clock->terms[k]);
    c[k] = 0.0;
    if (kick && kick->kick_order == at.order && is_same(kick->kick_time, at.time, end))
      PetscCall(kick_weight(problem, &clock->terms[k], at.time, &c[k], &ok));
  }
  PetscFunctionReturn(0);
}

/* One fault for a function that is wrong, with what would be right. */
static PetscErrorCode check_kicks(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  const CospinClock clock = problem->clock;

  PetscFunctionBeginUser;
  for (int k = 0; k < clock->num_terms; k++) {
    const CospinClockTerm *term = &clock->terms[k];
    const CospinClockFunction *kick = NULL;
    int count = 0;
    for (int l = 0; l < term->length; l++) {
      const CospinClockFunction *function = &clock->functions[term->code[l] / 2];
      if (function->kick) kick = function; /* of several the last: the first may stand elsewhere, too */
      if (function->kick) count++;
    }
    if (count == 0 || (count == 1 && kick->kick_ok && kick->kick_time >= 0)) continue;
    *ok = PETSC_FALSE;
    if (faults)
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(kick->function.expression),
                                CospinExpressionPath(kick->function.expression),
                                "`kick` is a factor, kick(t, t0) with a number t0 >= 0, and one is enough "
                                "(angle*kick(t, t0)*q.Sx)"));
  }
  PetscFunctionReturn(0);
}

/* ---- Rates --------------------------------------------------------------------------------------------- */

/* A rate at a time, of spin l where there is one for each. */
static PetscErrorCode check_rate(CospinProblem problem, const CospinJump *jump, int l, double time,
                                 CospinFaults faults, PetscBool *ok)
{
  const CospinClockFunction at = {.index = {l, -1}};
  CospinValue value;

  PetscFunctionBeginUser;
  look_at(problem, &at, time);
  PetscCall(CospinExpressionEvaluate(jump->rate, &problem->environment, faults, &value, ok));
  look_at(problem, NULL, 0.0);
  if (*ok && !(creal(value.number) >= 0.0 && cimag(value.number) == 0.0)) {
    *ok = PETSC_FALSE;
    if (faults)
      PetscCall(CospinFaultsAdd(
          faults, CospinExpressionPosition(jump->rate), CospinExpressionPath(jump->rate),
          "the rate is %.6g%s at t = %.6g (a rate is a number >= 0 at all times)", creal(value.number),
          cimag(value.number) == 0.0 ? "" : " + an imaginary part", time));
  }
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* As a whole, not term by term: 1 - exp(-t) is a rate although one of its terms is negative. */
PetscErrorCode CospinClockCheckRates(CospinProblem problem, double time, CospinFaults faults, PetscBool *ok)
{
  const CospinDeck deck = problem->deck;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; k < deck->num_jumps; k++) {
    const int num = problem->jumps[k].num_spins;
    PetscBool good = PETSC_TRUE;
    if (!CospinExpressionHasTime(deck->jumps[k].rate, NULL)) continue;
    const int first = num ? 0 : deck->jumps[k].member, end = num ? num : first + 1;
    if (problem->jumps[k].pairs) {
      look_at(problem, &(CospinClockFunction){.index = {-1, -1}}, time);
      PetscCall(CospinProblemCheckPairs(problem, &deck->jumps[k], num, faults, &good));
      look_at(problem, NULL, 0.0);
    }
    for (int l = first; l < end && good && !problem->jumps[k].pairs; l++)
      PetscCall(check_rate(problem, &deck->jumps[k], l, time, faults, &good));
    if (!good) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* At one time; what is wrong at several is told once. */
static PetscErrorCode check_at(CospinProblem problem, double time, CospinFaults faults, double c[],
                               PetscBool *ok)
{
  PetscBool rates;

  PetscFunctionBeginUser;
  PetscCall(CospinClockCoefficients(problem, time, faults, c, ok));
  if (*ok) PetscCall(CospinClockCheckRates(problem, time, faults, &rates));
  if (*ok) *ok = rates;
  PetscFunctionReturn(0);
}

/* Samples stand at irregular places: a rate with their period would look constant. */
PetscErrorCode CospinClockCheck(CospinProblem problem, double end, CospinFaults faults, PetscBool *ok)
{
  double *edges, *c;
  int num;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!CospinProblemHasTime(problem)) PetscFunctionReturn(0);
  PetscCall(check_kicks(problem, faults, ok));
  PetscCall(PetscMalloc1((size_t)problem->clock->num_terms, &c));
  PetscCall(CospinClockEdges(problem, end, &num, &edges));
  for (int k = 0; k <= NUM_SAMPLES && *ok; k++) {
    const double shift = k % NUM_SAMPLES ? fmod(0.6180339887498949 * k, 1.0) - 0.5 : 0.0;
    PetscCall(check_at(problem, end * (k + shift) / NUM_SAMPLES, faults, c, ok));
  }
  for (int k = 0; k < 2 * num && *ok; k++) /* in the middle between edges */
    PetscCall(check_at(problem,
                       k % 2 ? edges[k / 2] : 0.5 * (edges[k / 2] + (k > 1 ? edges[k / 2 - 1] : 0.0)), faults,
                       c, ok));
  PetscCall(PetscFree(edges));
  PetscCall(PetscFree(c));
  PetscFunctionReturn(0);
}

/* ---- Edges --------------------------------------------------------------------------------------------- */

/* The distance from an edge at a time: negative before it, or behind it where the function looks back. */
static PetscErrorCode distance_at(CospinProblem problem, const CospinClockFunction *function, int which,
                                  double time, double *distance, PetscBool *found)
{
  PetscFunctionBeginUser;
  look_at(problem, function, time);
  PetscCall(CospinTimeFunctionEdge(&function->function, which, &problem->environment, distance, found));
  look_at(problem, NULL, 0.0);
  PetscFunctionReturn(0);
}

/* The first number behind a sign change between two times. */
static PetscErrorCode halve(CospinProblem problem, const CospinClockFunction *function, int which, double low,
                            double high, double at_low, double *edge)
{
  double distance;
  PetscBool found;

  PetscFunctionBeginUser;
  for (double middle = 0.5 * (low + high); middle > low && middle < high; middle = 0.5 * (low + high)) {
    PetscCall(distance_at(problem, function, which, middle, &distance, &found));
    if ((distance < 0) == (at_low < 0))
      low = middle;
    else
      high = middle;
  }
  *edge = high;
  PetscFunctionReturn(0);
}

typedef struct {
  int num, capacity;
  double *times;
} List;

/* At least doubled: a `pulse` of a sum over many terms may have thousands. */
static PetscErrorCode append(List *list, double time)
{
  PetscFunctionBeginUser;
  if (list->num == list->capacity) {
    list->capacity = 2 * list->capacity + 8;
    PetscCall(PetscRealloc(sizeof(double) * (size_t)list->capacity, &list->times));
  }
  list->times[list->num++] = time;
  PetscFunctionReturn(0);
}

/* All zeros of one distance that change its sign. */
static PetscErrorCode find_edges(CospinProblem problem, const CospinClockFunction *function, int which,
                                 double end, List *list, PetscBool *found)
{
  double before, now, edge = 0.0;

  PetscFunctionBeginUser;
  PetscCall(distance_at(problem, function, which, 0.0, &before, found));
  for (int k = 1; k <= NUM_BRACKETS && *found; k++) {
    const double time = end * k / NUM_BRACKETS;
    PetscCall(distance_at(problem, function, which, time, &now, found));
    if (isfinite(before) && isfinite(now) && (before < 0) != (now < 0)) {
      PetscCall(halve(problem, function, which, end * (k - 1) / NUM_BRACKETS, time, before, &edge));
      if (edge > 0.0 && edge < end) PetscCall(append(list, edge));
    }
    before = now;
  }
  PetscFunctionReturn(0);
}

/* Ascending, for qsort. */
static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Edges that rounding has told apart are one: t0 + tau may come from two expressions. */
PetscErrorCode CospinClockEdges(CospinProblem problem, double end, int *num, double **edges)
{
  const double same = 1e-14 * end;
  List list = {0, 0, NULL};

  PetscFunctionBeginUser;
  PetscCall(append(&list, end)); /* room, and the last one */
  for (int k = 0; k < problem->clock->num_functions; k++) {
    PetscBool found = PETSC_TRUE;
    for (int which = 0; found; which++)
      PetscCall(find_edges(problem, &problem->clock->functions[k], which, end, &list, &found));
  }
  qsort(list.times, (size_t)list.num, sizeof(double), compare);
  *num = 0;
  for (int k = 0; k < list.num; k++) {
    const double time = list.times[k];
    if (time < end - same && (*num == 0 || time > list.times[*num - 1] + same)) list.times[(*num)++] = time;
  }
  *edges = list.times;
  PetscFunctionReturn(0);
}

/* ---- Knots --------------------------------------------------------------------------------------------- */

/* Those points of a table that are passed between two times. Between them X is taken for a straight line:
   where it is none, points are looked at a little beside their place, which does no harm. */
static PetscErrorCode find_passed(int num, const double points[], const double time[2], const double x[2],
                                  List *list)
{
  const double low = PetscMin(x[0], x[1]), high = PetscMax(x[0], x[1]);
  int first = 0, end = num;

  PetscFunctionBeginUser;
  if (!(high > low)) PetscFunctionReturn(0);
  while (first < end) {
    const int middle = (first + end) / 2;
    if (points[middle] < low)
      first = middle + 1;
    else
      end = middle;
  }
  for (int k = first; k < num && points[k] <= high; k++)
    PetscCall(append(list, time[0] + (points[k] - x[0]) / (x[1] - x[0]) * (time[1] - time[0])));
  PetscFunctionReturn(0);
}

/* Of the `which`-th table of a function; *found: there is one. */
static PetscErrorCode find_knots(CospinProblem problem, const CospinClockFunction *function, int which,
                                 double end, List *list, PetscBool *found)
{
  const double *points;
  double time[2] = {0.0, 0.0}, x[2];
  int num = 1;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int k = 0; k <= NUM_BRACKETS && num; k++) {
    time[1] = end * k / NUM_BRACKETS;
    look_at(problem, function, time[1]);
    PetscCall(
        CospinTimeFunctionTable(&function->function, which, &problem->environment, &num, &points, &x[1]));
    look_at(problem, NULL, 0.0);
    if (num) *found = PETSC_TRUE;
    if (num && k && isfinite(x[0]) && isfinite(x[1])) PetscCall(find_passed(num, points, time, x, list));
    time[0] = time[1];
    x[0] = x[1];
  }
  PetscFunctionReturn(0);
}

/* Points of tables only: other functions tell their edges themselves, and are smooth elsewhere. A knot on a
   bracket's end is met from both sides. */
PetscErrorCode CospinClockKnots(CospinProblem problem, double end, int *num, double **knots)
{
  const double same = 1e-14 * end;
  List list = {0, 0, NULL};

  PetscFunctionBeginUser;
  for (int k = 0; k < problem->clock->num_functions; k++) {
    PetscBool found = PETSC_TRUE;
    for (int which = 0; found; which++)
      PetscCall(find_knots(problem, &problem->clock->functions[k], which, end, &list, &found));
  }
  if (list.num) qsort(list.times, (size_t)list.num, sizeof(double), compare);
  *num = 0;
  for (int k = 0; k < list.num; k++) {
    const double time = list.times[k];
    if (time > same && time < end - same && (!*num || time > list.times[*num - 1] + same))
      list.times[(*num)++] = time;
  }
  *knots = list.times;
  PetscFunctionReturn(0);
}

/* By time, then by order, for qsort. */
static int compare_kicks(const void *a, const void *b)
{
  const CospinKick *x = a, *y = b;
  const int by_time = compare(&x->time, &y->time);

  return by_time ? by_time : compare(&x->order, &y->order);
}

/* Those up to `end`, each once. Sorted twice: by order only when times that rounding has told apart are one.
 */
PetscErrorCode CospinClockKicks(CospinProblem problem, double end, int *num, CospinKick **kicks)
{
  const CospinClock clock = problem->clock;
  CospinKick *all;
  int count = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)clock->num_terms + 1, &all));
  for (int k = 0; k < clock->num_terms; k++) {
    const CospinClockFunction *kick = kick_of(clock, &clock->terms[k]);
    if (kick && kick->kick_ok && (kick->kick_time <= end || is_same(kick->kick_time, end, end)))
      all[count++] = (CospinKick){kick->kick_time, kick->kick_order};
  }
  qsort(all, (size_t)count, sizeof(CospinKick), compare_kicks);
  for (int k = 1; k < count; k++)
    if (is_same(all[k].time, all[k - 1].time, end)) all[k].time = all[k - 1].time;
  qsort(all, (size_t)count, sizeof(CospinKick), compare_kicks);
  *num = 0;
  for (int k = 0; k < count; k++)
    if (!*num || compare_kicks(&all[k], &all[*num - 1])) all[(*num)++] = all[k];
  *kicks = all;
  PetscFunctionReturn(0);
}

/* ---- Where there must be none -------------------------------------------------------------------------- */

/* At the first place that names the time: one fault for each task is enough, wherever else it stands. */
PetscErrorCode CospinClockRefuse(CospinProblem problem, const char sentence[], CospinFaults faults,
                                 PetscBool *ok)
{
  const CospinDeck deck = problem->deck;
  const int all = deck->num_hamiltonian + deck->num_jumps;
  CospinPosition at;

  PetscFunctionBeginUser;
  if (!CospinProblemHasTime(problem)) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  for (int k = 0; k < all; k++) {
    const CospinExpression expression =
        k < deck->num_hamiltonian ? deck->hamiltonian[k] : deck->jumps[k - deck->num_hamiltonian].rate;
    if (!CospinExpressionHasTime(expression, &at)) continue;
    PetscCall(CospinFaultsAdd(faults, at, CospinExpressionPath(expression), "%s", sentence));
    PetscFunctionReturn(0);
  }
  PetscFunctionReturn(0);
}
