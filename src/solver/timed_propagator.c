/*
   du/dt = L(t) u by exponentials of sums of L at different times, each by a Krylov space (propagator.c).

   One step of length h is the commutator-free Magnus integrator of order 4,

     u -> exp(h (a_2 L_1 + a_1 L_2)) exp(h (a_1 L_1 + a_2 L_2)) u,   L_i = L(t + (1/2 -+ sqrt(3)/6) h),
     a_1,2 = 1/4 +- sqrt(3)/6

   which is symmetric in time, so that n steps of h/n have an error e_4 (h/n)^4 + e_6 (h/n)^6 + ...: with n =
   1, 2, 3 the first terms are eliminated (extrapolation of Gragg's kind), to order 6 and 8, and the
   difference to what the last one adds tells the error. A generator that hardly changes is integrated
   exactly, however large it is; the norm of L costs products, not steps.

   What is kicked at a time (schedule.h) is one exponential more, between steps.

   Steps end where cells of the schedule end (schedule.c) and at times that are wanted; in a cell where
   nothing changes one exponential does it all.

   Blanes and Moan, Appl. Numer. Math. 56, 1519 (2006); Alvermann and Fehske, J. Comput. Phys. 230, 5930
   (2011); Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.9.
*/
#include <cospin/solver/timed_propagator.h>
#include <math.h>

enum { LEVELS = 3 };
static const int substeps[LEVELS] = {1, 2, 3};
/* They sum to 1 and eliminate n^-4 and n^-6. */
static const double weights[LEVELS] = {1.0 / 336.0, -32.0 / 105.0, 729.0 / 560.0};
static const double rounding = 1e-14, nothing = 1e-120, shortest = 1e-13, longer = 4.0, shorter = 0.1,
                    caution = 0.8;

typedef struct {
  Mat generator;
  const CospinSchedule *schedule;
  int num;
  const double *times;
  const CospinPropagatorOptions *options;
  const char *prefix;
  CospinPropagatorVisit visit;
  void *context;
  CospinPropagatorReport *report;
  double *early, *late; /* coefficients at the two points of a step */
  double *mixed;
  Vec level[LEVELS]; /* u at the end of the step, by 1, 2, 3 of its parts */
  Vec lower;         /* the extrapolation before */
  int kicked;        /* kicks that are done */
  double krylov;     /* errors of the exponentials of a step */
  PetscBool failed;  /* one of them */
} Timed;

/* ---- Exponentials -------------------------------------------------------------------------------------- */

/* A visit at the end of an exponential: its vector is looked at by whoever asked for it. */
static PetscErrorCode ignore(void *context, int k, Vec u, double error)
{
  PetscFunctionBeginUser;
  (void)context;
  (void)k;
  (void)u;
  (void)error;
  PetscFunctionReturn(0);
}

/* x -> exp(G) x with the generator as it is set, to a relative error. */
static PetscErrorCode exponentiate(Timed *p, double tolerance, Vec x)
{
  static const double one[] = {1.0};
  const CospinPropagatorOptions options = {.method = COSPIN_PROPAGATE_KRYLOV,
                                           .tolerance = PetscMax(tolerance, rounding)};
  CospinPropagatorReport report = {0};

  PetscFunctionBeginUser;
  PetscCall(CospinPropagate(p->generator, x, 1, one, &options, p->prefix, ignore, NULL, &report));
  p->report->operations += report.operations;
  p->krylov += report.error;
  if (report.failed) p->failed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* One of the two factors: h (first L_early + second L_late). */
static PetscErrorCode factor(Timed *p, double h, double first, double second, double tolerance, Vec x)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < p->schedule->num; k++) p->mixed[k] = h * (first * p->early[k] + second * p->late[k]);
  PetscCall(CospinTimedSet(p->generator, h * (first + second), p->mixed));
  PetscCall(exponentiate(p, tolerance, x));
  PetscFunctionReturn(0);
}

/* The right factor acts first and is nearer to the beginning of the step. */
static PetscErrorCode magnus(Timed *p, double time, double h, double tolerance, Vec x)
{
  static const double shift = 0.28867513459481288225; /* sqrt(3)/6 */
  const CospinSchedule *s = p->schedule;

  PetscFunctionBeginUser;
  PetscCall(s->Coefficients(s->context, time + (0.5 - shift) * h, p->early));
  PetscCall(s->Coefficients(s->context, time + (0.5 + shift) * h, p->late));
  PetscCall(factor(p, h, 0.25 + shift, 0.25 - shift, tolerance, x));
  PetscCall(factor(p, h, 0.25 - shift, 0.25 + shift, tolerance, x));
  PetscFunctionReturn(0);
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

/* The share of the tolerance that a step may use, as in propagator.c. */
static double allowed(const Timed *p, double h)
{
  return PetscMax(rounding, 0.5 * p->options->tolerance * h / p->times[p->num - 1]);
}

/* Krylov spaces are more accurate than the step by far, or differences of levels would be theirs. */
static PetscErrorCode compute_level(Timed *p, int level, double h, Vec u)
{
  const int n = substeps[level];

  PetscFunctionBeginUser;
  PetscCall(VecCopy(u, p->level[level]));
  for (int k = 0; k < n && !p->failed; k++)
    PetscCall(magnus(p, p->report->time + k * h / n, h / n, 0.02 * allowed(p, h), p->level[level]));
  PetscFunctionReturn(0);
}

/* |y - x| / |y|, the same on every rank, for steps are chosen by it. */
static PetscErrorCode relative_difference(Vec x, Vec y, Vec work, double *relative)
{
  PetscReal difference, size;

  PetscFunctionBeginUser;
  PetscCall(VecWAXPY(work, -1.0, x, y));
  PetscCall(VecNorm(work, NORM_2, &difference));
  PetscCall(VecNorm(y, NORM_2, &size));
  *relative = size > 0 ? difference / size : 0.0;
  PetscFunctionReturn(0);
}

/* The error of T_2, that of T_1 being 16 times as large. */
static PetscErrorCode second_order(Timed *p, double *error)
{
  PetscFunctionBeginUser;
  PetscCall(relative_difference(p->level[0], p->level[1], p->lower, error));
  *error /= 15.0;
  PetscFunctionReturn(0);
}

/* The value of order 8 in level[2]; its distance from that of order 6 by the two finer ones. */
static PetscErrorCode third_order(Timed *p, double *error)
{
  PetscFunctionBeginUser;
  PetscCall(VecCopy(p->level[2], p->lower));
  PetscCall(VecAXPBY(p->lower, -16.0 / 65.0, 81.0 / 65.0, p->level[1]));
  PetscCall(VecScale(p->level[2], weights[2]));
  PetscCall(VecAXPY(p->level[2], weights[1], p->level[1]));
  PetscCall(VecAXPY(p->level[2], weights[0], p->level[0]));
  PetscCall(relative_difference(p->lower, p->level[2], p->level[0], error));
  PetscFunctionReturn(0);
}

/* Tries a step; *result is u at its end, with its error and the power of h that this grows with. */
static PetscErrorCode attempt(Timed *p, double h, Vec u, Vec *result, double *error, double *power)
{
  PetscFunctionBeginUser;
  p->krylov = 0.0;
  p->failed = PETSC_FALSE;
  PetscCall(compute_level(p, 0, h, u));
  PetscCall(compute_level(p, 1, h, u));
  PetscCall(second_order(p, error));
  *result = p->level[1];
  *power = 4.0;
  if (*error <= allowed(p, h)) { /* of what is extrapolated it is a bound */
    PetscCall(VecAXPBY(p->level[1], -1.0 / 15.0, 16.0 / 15.0, p->level[0]));
    PetscFunctionReturn(0);
  }
  PetscCall(compute_level(p, 2, h, u));
  PetscCall(third_order(p, error));
  *result = p->level[2];
  *power = 6.0;
  PetscFunctionReturn(0);
}

/* How long the next step may be by the error of this one. */
static double next_length(const Timed *p, double h, double error, double power)
{
  const double change = error > 0 ? caution * pow(allowed(p, h) / error, 1.0 / power) : longer;

  if (p->failed || !isfinite(error)) return h * shorter;
  return h * PetscMax(shorter, PetscMin(longer, change));
}

/* From the time of the report to `target` at most. The length of a step that had to end there says nothing of
   how long the next one may be, unless it is longer. */
static PetscErrorCode magnus_step(Timed *p, double target, Vec u)
{
  CospinPropagatorReport *report = p->report;
  const double left = target - report->time;
  double h = report->step > 0 ? PetscMin(report->step, left) : left, error, power, next;
  Vec result;

  PetscFunctionBeginUser;
  if (h < left && 2 * h > left) h = 0.5 * left; /* two equal ones rather than a short one at the end */
  PetscCall(attempt(p, h, u, &result, &error, &power));
  next = next_length(p, h, error, power);
  if (p->failed || !(error <= allowed(p, h))) {
    report->step = PetscMin(next, caution * h);
    report->failed = (PetscBool)(report->step < shortest * p->times[p->num - 1]);
    PetscFunctionReturn(0);
  }
  PetscCall(VecCopy(result, u));
  report->time = h == left ? target : report->time + h;
  report->error += error + p->krylov / (LEVELS - 1); /* each level has its own */
  report->steps++;
  report->step = h < report->step ? PetscMax(report->step, next) : next;
  PetscFunctionReturn(0);
}

/* ---- Kicks --------------------------------------------------------------------------------------------- */

/* Whether the next one is at this time. */
static PetscBool kick_at(const Timed *p, double time)
{
  const CospinSchedule *s = p->schedule;

  return (PetscBool)(p->kicked < s->num_kicks && s->kicks[p->kicked] <= time);
}

/* One exponential, as accurate as all of them together may be. */
static PetscErrorCode kick(Timed *p, Vec u)
{
  const CospinSchedule *s = p->schedule;
  const double *weights_of = s->weights + (size_t)p->kicked * (size_t)s->num;

  PetscFunctionBeginUser;
  p->krylov = 0.0;
  p->failed = PETSC_FALSE;
  for (int k = 0; k < s->num; k++)
    if (!isfinite(weights_of[k])) p->failed = PETSC_TRUE;
  if (!p->failed) PetscCall(CospinTimedSet(p->generator, 0.0, weights_of));
  if (!p->failed) PetscCall(exponentiate(p, 0.1 * p->options->tolerance / s->num_kicks, u));
  p->report->error += p->krylov;
  p->report->failed = p->failed;
  p->report->steps++;
  p->kicked++;
  PetscFunctionReturn(0);
}

/* ---- Where nothing changes ----------------------------------------------------------------------------- */

/* Times within a cell, counted from its begin. */
typedef struct {
  Timed *timed;
  int first;    /* among all times, */
  int num;      /* and how many there are; one more may stand for the end of the cell */
  double error; /* at the begin of the cell */
} Still;

static PetscErrorCode visit_still(void *context, int k, Vec u, double error)
{
  const Still *still = (const Still *)context;
  Timed *p = still->timed;

  PetscFunctionBeginUser;
  if (k >= still->num) PetscFunctionReturn(0);
  p->report->visited++;
  PetscCall(p->visit(p->context, still->first + k, u, still->error + error));
  PetscFunctionReturn(0);
}

/* What is asked within, the owner asks as of a step: nothing can be saved there. */
static PetscErrorCode pause_still(void *context, PetscBool between, Vec u,
                                  const CospinPropagatorReport *report, PetscBool *leave)
{
  const Timed *p = ((const Still *)context)->timed;

  PetscFunctionBeginUser;
  (void)between;
  PetscCall(p->options->pause(p->context, PETSC_FALSE, u, report, leave));
  PetscFunctionReturn(0);
}

/* One evolution from here to the end of the cell, through all times in it. */
static PetscErrorCode constant_step(Timed *p, double target, Vec u)
{
  CospinPropagatorReport *report = p->report, inner = {0};
  const double length = target - report->time;
  Still still = {p, report->visited, 0, report->error};
  CospinPropagatorOptions options = {
      .method = COSPIN_PROPAGATE_KRYLOV,
      .tolerance = PetscMax(rounding, p->options->tolerance * length / p->times[p->num - 1]),
      .pause = p->options->pause ? pause_still : NULL};
  double *within;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)p->num + 1, &within));
  for (int k = report->visited;
       k < p->num && p->times[k] <= target && (p->times[k] < target || !kick_at(p, target)); k++)
    within[num++] = PetscMin(length, p->times[k] - report->time);
  still.num = num;
  if (!num || within[num - 1] < length) within[num++] = length;
  PetscCall(p->schedule->Coefficients(p->schedule->context, report->time + 0.5 * length, p->early));
  PetscCall(CospinTimedSet(p->generator, 1.0, p->early));
  PetscCall(CospinPropagate(p->generator, u, num, within, &options, p->prefix, visit_still, &still, &inner));
  PetscCall(PetscFree(within));
  report->operations += inner.operations;
  report->steps += inner.steps;
  report->failed = inner.failed;
  report->interrupted = inner.interrupted;
  report->error += inner.error;
  report->time = target;
  PetscFunctionReturn(0);
}

/* ---- The way ------------------------------------------------------------------------------------------- */

/* The cell that begins at, or holds, the time of the report. */
static int cell_at(const Timed *p)
{
  const CospinSchedule *s = p->schedule;
  int low = 0, high = s->num_cells - 1;

  while (low < high) {
    const int middle = (low + high) / 2;
    if (s->ends[middle] > p->report->time)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* Times that have been reached, after what is kicked there; all that are left if nothing is. */
static PetscErrorCode show(Timed *p, Vec u)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  while (kick_at(p, p->report->time) && !p->report->failed) PetscCall(kick(p, u));
  PetscCall(VecNorm(u, NORM_2, &norm));
  while (p->report->visited < p->num && !p->report->failed &&
         (norm < nothing || p->times[p->report->visited] <= p->report->time)) {
    const int k = p->report->visited++;
    PetscCall(p->visit(p->context, k, u, p->report->error));
  }
  PetscFunctionReturn(0);
}

/* One step, to the next time that is wanted or the end of the cell at most. */
static PetscErrorCode advance(Timed *p, Vec u)
{
  const int cell = cell_at(p);
  const double end = PetscMin(p->schedule->ends[cell], p->times[p->num - 1]);

  PetscFunctionBeginUser;
  if (p->schedule->constant[cell])
    PetscCall(constant_step(p, end, u));
  else
    PetscCall(magnus_step(p, PetscMin(end, p->times[p->report->visited]), u));
  PetscFunctionReturn(0);
}

/* Four vectors, beside the basis that an exponential makes for itself. */
static PetscErrorCode set_up(Timed *p, Vec u)
{
  const size_t num = (size_t)p->schedule->num;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(num, &p->early, num, &p->late, num, &p->mixed));
  for (int k = 0; k < LEVELS; k++) PetscCall(VecDuplicate(u, &p->level[k]));
  PetscCall(VecDuplicate(u, &p->lower));
  PetscFunctionReturn(0);
}

static PetscErrorCode tear_down(Timed *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree3(p->early, p->late, p->mixed));
  for (int k = 0; k < LEVELS; k++) PetscCall(VecDestroy(&p->level[k]));
  PetscCall(VecDestroy(&p->lower));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPropagateTimed(Mat generator, const CospinSchedule *schedule, Vec u, int num,
                                    const double times[], const CospinPropagatorOptions *options,
                                    const char prefix[], CospinPropagatorVisit visit, void *context,
                                    CospinPropagatorReport *report)
{
  Timed p = {.generator = generator,
             .schedule = schedule,
             .num = num,
             .times = times,
             .options = options,
             .prefix = prefix,
             .visit = visit,
             .context = context,
             .report = report};

  PetscFunctionBeginUser;
  /* What was left was left after its kicks: they are done where its time is reached. */
  while (report->interrupted && kick_at(&p, report->time)) p.kicked++;
  report->interrupted = PETSC_FALSE;
  report->method = COSPIN_PROPAGATE_KRYLOV;
  PetscCall(set_up(&p, u));
  PetscCall(show(&p, u));
  if (report->visited < num && schedule->failed) report->failed = PETSC_TRUE;
  while (report->visited < num && !report->failed && !report->interrupted) {
    PetscCall(advance(&p, u));
    if (report->failed || report->interrupted) break;
    PetscCall(show(&p, u));
    if (report->visited < num && options->pause)
      PetscCall(options->pause(context, PETSC_TRUE, u, report, &report->interrupted));
  }
  PetscCall(tear_down(&p));
  PetscFunctionReturn(0);
}
