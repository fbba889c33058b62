/*
   d psi/dt = A(t) psi by a Runge-Kutta method of order 8 (ket_dop853.h), whose continuation of order 7 gives
   the ket within each step: at times that are visited, and where its norm has fallen to the number that was
   drawn. Products with sparse matrices are all that it needs, twelve a step; exponentials of a sum that
   changes would need a Krylov space for each of several a step.

   Steps end where cells of the schedule do, so that no pulse is stepped over and no jump of a coefficient
   lies within one. A stage at the very end of a cell asks for the coefficients just before it: at it they are
   those of the next. The error of a step, relative to the ket's norm, is its share of the tolerance by
   length.

   A kick is one step more, of exp(sum_k w_k A_k), integrated over a time of its own.
*/
#include "ket_dop853.h"
#include "ket_march.h"
#include <cospin/solver/ket_timed.h>
#include <math.h>

enum { STAGES = COSPIN_KET_STAGES, MADE = COSPIN_KET_STEP_STAGES, PARTS = COSPIN_KET_CONTINUATION };

struct CospinKetTimed_ {
  int num_times;
  const double *times;
  double tolerance;
  PetscBool watched;
  const CospinSchedule *schedule;
  CospinKetVisit visit;
  void *context;
  int capacity;
  double complex *vectors; /* [STAGES + PARTS + 3][capacity] */
  double *c;               /* [schedule->num] */
};

/* A step at work. */
typedef struct {
  CospinKetTimed timed;
  const CospinKetTimedGenerator *generator;
  const double *kick; /* coefficients of a kick, which do not change; NULL: those of the schedule */
  int n;
  double begin, end; /* of the cell */
  double time, h;
  double complex *k[STAGES], *parts[PARTS], *y, *next, *work;
} Step;

PetscErrorCode CospinKetTimedCreate(int num_times, const double times[], double tolerance, PetscBool watched,
                                    const CospinSchedule *schedule, CospinKetVisit visit, void *context,
                                    CospinKetTimed *timed)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(timed));
  (*timed)->num_times = num_times;
  (*timed)->times = times;
  (*timed)->tolerance = tolerance;
  (*timed)->watched = watched;
  (*timed)->schedule = schedule;
  (*timed)->visit = visit;
  (*timed)->context = context;
  PetscCall(PetscMalloc1((size_t)schedule->num + 1, &(*timed)->c));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetTimedDestroy(CospinKetTimed *timed)
{
  PetscFunctionBeginUser;
  if (!*timed) PetscFunctionReturn(0);
  PetscCall(PetscFree((*timed)->vectors));
  PetscCall(PetscFree((*timed)->c));
  PetscCall(PetscFree(*timed));
  PetscFunctionReturn(0);
}

/* One set of vectors serves blocks of all sizes: 25 of them. */
static PetscErrorCode begin_step(CospinKetTimed p, const CospinKetTimedGenerator *generator, Step *step)
{
  const int n = generator->matrix->num_rows;

  PetscFunctionBeginUser;
  if (n > p->capacity) {
    PetscCall(PetscFree(p->vectors));
    PetscCall(PetscMalloc1((size_t)n * (STAGES + PARTS + 3), &p->vectors));
    p->capacity = n;
  }
  *step = (Step){.timed = p, .generator = generator, .n = n};
  for (int i = 0; i < STAGES; i++) step->k[i] = p->vectors + (size_t)i * (size_t)n;
  for (int i = 0; i < PARTS; i++) step->parts[i] = p->vectors + (size_t)(STAGES + i) * (size_t)n;
  step->next = p->vectors + (size_t)(STAGES + PARTS) * (size_t)n;
  step->work = step->next + n;
  PetscFunctionReturn(0);
}

/* ---- One step ------------------------------------------------------------------------------------------ */

/* Just within the cell, whose ends belong to its neighbours as well. */
static double within(const Step *step, double time)
{
  const double edge = PetscMin(4e-16 * (1.0 + PetscAbsReal(step->end)), 0.25 * (step->end - step->begin));

  return PetscMin(PetscMax(time, step->begin + edge), step->end - edge);
}

/* Coefficients at a time. */
static PetscErrorCode set_coefficients(const Step *step, double time)
{
  const CospinSchedule *s = step->timed->schedule;

  PetscFunctionBeginUser;
  if (step->kick)
    PetscCall(PetscArraycpy(step->timed->c, step->kick, s->num));
  else
    PetscCall(s->Coefficients(s->context, within(step, time), step->timed->c));
  PetscFunctionReturn(0);
}

/* to = A(time) x */
static PetscErrorCode slope(const Step *step, double time, const double complex x[], double complex to[])
{
  const CospinKetTimedGenerator *g = step->generator;
  const double *c = step->timed->c;

  PetscFunctionBeginUser;
  PetscCall(set_coefficients(step, time));
  if (step->kick)
    PetscCall(PetscArrayzero(to, step->n));
  else
    CospinKetMatrixApply(g->matrix, x, to);
  for (int k = 0; k < step->timed->schedule->num; k++) {
    if (c[k] == 0.0) continue;
    CospinKetMatrixApply(&g->terms[k], x, step->work);
    for (int i = 0; i < step->n; i++) to[i] += c[k] * step->work[i];
  }
  PetscFunctionReturn(0);
}

/* A bound of |A| at the beginning, for the first length of a step. */
static PetscErrorCode norm_of(const Step *step, double *norm)
{
  PetscFunctionBeginUser;
  PetscCall(set_coefficients(step, step->time));
  *norm = step->kick ? 0.0 : step->generator->matrix->norm;
  for (int k = 0; k < step->timed->schedule->num; k++)
    *norm += PetscAbsReal(step->timed->c[k]) * step->generator->terms[k].norm;
  PetscFunctionReturn(0);
}

/* to = (y if `from`) + factor * sum of weights[count] * stages */
static void combine(const Step *step, PetscBool from, double factor, int count, const double weights[],
                    double complex to[])
{
  double *restrict out = (double *)to;

  for (int i = 0; i < 2 * step->n; i++) out[i] = from ? ((const double *)step->y)[i] : 0.0;
  for (int k = 0; k < count; k++) {
    const double weight = factor * weights[k], *restrict in = (const double *)step->k[k];
    for (int i = 0; i < 2 * step->n && weight != 0.0; i++) out[i] += weight * in[i];
  }
}

/* The weights of the last stage are those of the step, so that the slope at its end, which errors and
   continuation need, is the first of the next step as well.

   next, with the slope there as stage 12; *error: of it, 2-norm. Stage 0 is known. */
static PetscErrorCode try_step(Step *step, double *error)
{
  double errors[2];

  PetscFunctionBeginUser;
  for (int k = 1; k <= MADE; k++) {
    combine(step, PETSC_TRUE, step->h, k, stage_weights[k], step->next);
    PetscCall(slope(step, step->time + stage_times[k] * step->h, step->next, step->k[k]));
  }
  for (int i = 0; i < 2; i++) {
    combine(step, PETSC_FALSE, step->h, MADE + 1, error_weights[i], step->work);
    errors[i] = PetscSqrtReal(CospinKetNorm2(step->n, step->work));
  }
  *error = errors[0] == 0.0 ? 0.0 : PetscSqr(errors[0]) / hypot(errors[0], 0.1 * errors[1]);
  PetscFunctionReturn(0);
}

/* ---- Within a step ------------------------------------------------------------------------------------- */

/* Three stages more; next is still needed. */
static PetscErrorCode prepare_continuation(Step *step)
{
  double complex *at = step->parts[0]; /* free until it is set below */

  PetscFunctionBeginUser;
  for (int k = MADE + 1; k < STAGES; k++) {
    combine(step, PETSC_TRUE, step->h, k, stage_weights[k], at);
    PetscCall(slope(step, step->time + stage_times[k] * step->h, at, step->k[k]));
  }
  for (int i = 0; i < step->n; i++) {
    const double complex change = step->next[i] - step->y[i], first = step->h * step->k[0][i];
    step->parts[0][i] = change;
    step->parts[1][i] = first - change;
    step->parts[2][i] = 2.0 * change - step->h * step->k[MADE][i] - first;
  }
  for (int p = 3; p < PARTS; p++)
    combine(step, PETSC_FALSE, step->h, STAGES, continuation_weights[p - 3], step->parts[p]);
  PetscFunctionReturn(0);
}

/* work = the ket at time + x h; its |psi|^2. */
static double continue_to(const Step *step, double x)
{
  for (int i = 0; i < step->n; i++) {
    double complex sum = 0.0;
    for (int p = PARTS - 1; p >= 0; p--) sum = (sum + step->parts[p][i]) * (p % 2 ? 1.0 - x : x);
    step->work[i] = step->y[i] + sum;
  }
  return CospinKetNorm2(step->n, step->work);
}

static double norm_at(void *context, double x)
{
  return continue_to((const Step *)context, x);
}

/* Times within the step and before x; those at its end are visited when kicks there have been. */
static PetscErrorCode visit_within(Step *step, double x, CospinKetProgress *progress)
{
  const CospinKetTimed p = step->timed;

  PetscFunctionBeginUser;
  while (progress->next < p->num_times && p->times[progress->next] < step->time + x * step->h) {
    const double norm2 = continue_to(step, (p->times[progress->next] - step->time) / step->h);
    PetscCall(PetscArraycpy(step->k[1], step->work, step->n)); /* who is visited may ask for work */
    PetscCall(p->visit(p->context, progress->next, step->k[1], norm2));
    progress->next++;
  }
  PetscFunctionReturn(0);
}

/* A step that has been accepted, to its end or to where the norm has fallen. */
static PetscErrorCode take_step(Step *step, double floor, CospinKetProgress *progress, PetscBool *fallen)
{
  const CospinKetTimed p = step->timed;
  const double ends = step->time + step->h >= step->end ? step->end : step->time + step->h;
  const PetscBool visits = (PetscBool)(progress->next < p->num_times && p->times[progress->next] < ends);
  double norm2 = CospinKetNorm2(step->n, step->next), x = 1.0;

  PetscFunctionBeginUser;
  *fallen = (PetscBool)(norm2 <= floor);
  if (*fallen || visits) PetscCall(prepare_continuation(step));
  if (*fallen) x = CospinKetFall(norm_at, step, progress->norm2, norm2, floor);
  if (visits) PetscCall(visit_within(step, x, progress));
  if (*fallen) {
    norm2 = continue_to(step, x);
    PetscCall(PetscArraycpy(step->next, step->work, step->n));
  }
  PetscCall(PetscArraycpy(step->y, step->next, step->n));
  progress->time = *fallen ? step->time + x * step->h : ends;
  progress->norm2 = norm2;
  if (p->watched) PetscCall(p->visit(p->context, -1, step->y, norm2));
  PetscFunctionReturn(0);
}

/* ---- Cells --------------------------------------------------------------------------------------------- */

/* How much longer or shorter the next step should be. */
static double change_of(double error, double allowed)
{
  if (error == 0.0) return 6.0;
  return PetscMin(6.0, PetscMax(0.2, 0.9 * pow(allowed / error, 1.0 / 7.0)));
}

/* A step that has failed is tried again, shorter; one that is as short as rounding is taken, for nothing
   would help it, and its error is told.

   From where the ket is to the end of the cell, or `until`. `span`: the time that the tolerance is of. */
static PetscErrorCode advance(Step *step, double span, double floor, CospinKetProgress *progress,
                              PetscBool *fallen)
{
  static const double shortest = 1e-14;
  double norm, error, h;

  PetscFunctionBeginUser;
  step->time = progress->time;
  PetscCall(norm_of(step, &norm));
  h = 0.5 / PetscMax(norm, 0.5 / (step->end - step->time));
  PetscCall(slope(step, step->time, step->y, step->k[0]));
  while (!*fallen && !progress->stop && progress->time < step->end) {
    const double rest = step->end - progress->time;
    double allowed;
    step->time = progress->time;
    step->h = h > 0.9 * rest ? rest : PetscMin(h, 0.6 * rest);
    PetscCall(try_step(step, &error));
    progress->products += MADE;
    allowed = step->timed->tolerance * PetscSqrtReal(progress->norm2) * step->h / span;
    h = step->h * change_of(error, allowed);
    if (error > allowed && step->h > shortest * span) continue;
    progress->error += error / PetscSqrtReal(progress->norm2);
    PetscCall(take_step(step, floor, progress, fallen));
    if (!*fallen && progress->time < step->end) PetscCall(PetscArraycpy(step->k[0], step->k[MADE], step->n));
  }
  PetscFunctionReturn(0);
}

/* All kicks up to now. The norm stays what it is: they turn. */
static PetscErrorCode kick(Step *step, CospinKetProgress *progress, int *kicked)
{
  const CospinSchedule *s = step->timed->schedule;
  const PetscBool watched = step->timed->watched;
  const int num_times = step->timed->num_times;

  PetscFunctionBeginUser;
  while (*kicked < s->num_kicks && s->kicks[*kicked] <= progress->time) {
    CospinKetProgress own = {.norm2 = progress->norm2, .next = num_times};
    PetscBool fallen = PETSC_FALSE;
    step->kick = s->weights + (size_t)*kicked * (size_t)s->num;
    step->begin = 0.0;
    step->end = 1.0;
    step->timed->watched = PETSC_FALSE;
    PetscCall(advance(step, 1.0, -1.0, &own, &fallen));
    step->timed->watched = watched;
    step->kick = NULL;
    progress->products += own.products;
    progress->error += own.error;
    progress->norm2 = own.norm2;
    ++*kicked;
  }
  PetscFunctionReturn(0);
}

/* What is at a time is what kicks at this time have made. */
static PetscErrorCode visit_now(CospinKetTimed p, const double complex ket[], CospinKetProgress *progress)
{
  PetscFunctionBeginUser;
  while (progress->next < p->num_times && p->times[progress->next] <= progress->time) {
    PetscCall(p->visit(p->context, progress->next, ket, progress->norm2));
    progress->next++;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetTimedPropagate(CospinKetTimed p, const CospinKetTimedGenerator *generator,
                                       double until, double floor, double complex ket[],
                                       CospinKetProgress *progress, int *kicked, PetscBool *fallen)
{
  const CospinSchedule *s = p->schedule;
  const double span = PetscMax(p->times[p->num_times - 1], DBL_MIN);
  int cell = 0;
  Step step;

  PetscFunctionBeginUser;
  *fallen = PETSC_FALSE;
  PetscCall(begin_step(p, generator, &step));
  step.y = ket;
  PetscCall(kick(&step, progress, kicked));
  PetscCall(visit_now(p, ket, progress));
  while (!*fallen && !progress->stop && progress->time < until) {
    while (cell < s->num_cells - 1 && s->ends[cell] <= progress->time) cell++;
    step.begin = cell ? s->ends[cell - 1] : 0.0;
    step.end = PetscMin(s->ends[cell], until);
    PetscCall(advance(&step, span, floor, progress, fallen));
    if (*fallen || progress->stop) break;
    PetscCall(kick(&step, progress, kicked));
    PetscCall(visit_now(p, ket, progress));
  }
  PetscFunctionReturn(0);
}
