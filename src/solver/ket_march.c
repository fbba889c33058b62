/*
   Steps of a power series in a small space, and in each of them the exact place where the norm has fallen to
   the number that was drawn.

     y(x) = sum_k w_k x^k,  w_k = (s H)^k y/k!,  0 <= x <= 1,  s |H|_1 <= 4

   with as many terms as it takes until one is below rounding: 4^36/36! = 1e-20. |y(x)|^2 falls with x, since
   no generator between jumps lets a norm grow; its root is found by the Illinois method (Dowell and Jarratt,
   BIT 11, 168 (1971)), a secant that never leaves the interval. Waiting times have therefore no error of a
   time step.

   In a Krylov space the ket's error obeys d e/ds = A e + h y_m v, with y_m the last component and h the
   length of the vector that the space lacks; exp(A s) does not lengthen, so |e| <= h times the integral of
   |y_m|. It is a bound, not an estimate, and where it is too large the space has been used up.
*/
#include "ket_march.h"

static const double step_norm = 4.0;

typedef struct {
  int order; /* of the last term that counts */
  double complex w[COSPIN_KET_ORDER + 1][COSPIN_KET_SPACE + 2];
} Series;

/* A plain sum in order: the same bits wherever it is computed. */
double CospinKetNorm2(int n, const double complex y[])
{
  double sum = 0.0;

  for (int i = 0; i < n; i++) sum += creal(y[i]) * creal(y[i]) + cimag(y[i]) * cimag(y[i]);
  return sum;
}

/* |H|_1, the largest sum of moduli in a column: an upper bound of what H can do in a unit of time. */
static double norm_of(const CospinKetMarch *march)
{
  double norm = 0.0;

  for (int c = 0; c < march->rows; c++) {
    double sum = 0.0;
    for (int r = 0; r < march->rows; r++) sum += cabs(march->h[r + march->stride * c]);
    norm = PetscMax(norm, sum);
  }
  return norm;
}

/* z = factor H x; parts by hand, as in CospinKetMatrixApply(). A projection has one diagonal below the main
   one. */
static void multiply(const CospinKetMarch *march, double factor, const double complex x[], double complex z[])
{
  const int n = march->rows;
  double *restrict out = (double *)z;

  for (int i = 0; i < 2 * n; i++) out[i] = 0.0;
  for (int c = 0; c < n; c++) {
    const double re = factor * creal(x[c]), im = factor * cimag(x[c]);
    const double *restrict column = (const double *)&march->h[march->stride * c];
    const int end = march->residual > 0.0 ? PetscMin(n, c + 2) : n;
    for (int r = 0; r < end; r++) {
      out[2 * r] += column[2 * r] * re - column[2 * r + 1] * im;
      out[2 * r + 1] += column[2 * r] * im + column[2 * r + 1] * re;
    }
  }
}

/* Whether the terms have become as small as rounding. */
static PetscBool expand(const CospinKetMarch *march, double step, Series *series)
{
  static const double rounding = 1e-34; /* of a norm's square */
  const int n = march->rows;
  double size;

  for (int i = 0; i < n; i++) series->w[0][i] = march->y[i];
  size = rounding * CospinKetNorm2(n, march->y);
  for (int k = 1; k <= COSPIN_KET_ORDER; k++) {
    multiply(march, step / k, series->w[k - 1], series->w[k]);
    series->order = k;
    if (CospinKetNorm2(n, series->w[k]) <= size) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Horner's scheme; returns |y|^2. */
static double evaluate(int n, const Series *series, double x, double complex y[])
{
  for (int i = 0; i < n; i++) y[i] = series->w[series->order][i];
  for (int k = series->order - 1; k >= 0; k--) {
    for (int i = 0; i < n; i++) y[i] = y[i] * x + series->w[k][i];
  }
  return CospinKetNorm2(n, y);
}

/* By halving and secants in turn (Illinois): the end that stays twice counts half. */
double CospinKetFall(CospinKetNormAt norm_at, void *context, double at_zero, double at_one, double floor)
{
  enum { MOST = 100 };
  double lo = 0.0, hi = 1.0, above = at_zero - floor, below = at_one - floor, x = 1.0;
  int last = 0;

  for (int k = 0; k < MOST && hi - lo > 1e-15; k++) {
    double f;
    x = (lo * below - hi * above) / (below - above);
    if (!(x > lo && x < hi)) x = 0.5 * (lo + hi);
    f = norm_at(context, x) - floor;
    if (fabs(f) <= 1e-14 * floor) break;
    if (f > 0) {
      lo = x, above = f;
      if (last == 1) below *= 0.5;
      last = 1;
    } else {
      hi = x, below = f;
      if (last == -1) above *= 0.5;
      last = -1;
    }
  }
  return x;
}

typedef struct {
  int n;
  const Series *series;
  double complex y[COSPIN_KET_SPACE + 2];
} Followed;

static double norm_at(void *context, double x)
{
  Followed *followed = (Followed *)context;

  return evaluate(followed->n, followed->series, x, followed->y);
}

/* The times up to `end` within the step. */
static PetscErrorCode visit(const CospinKetMarch *march, const CospinKetCourse *course, const Series *series,
                            double step, double end, CospinKetProgress *progress)
{
  double complex y[COSPIN_KET_SPACE + 2];

  PetscFunctionBeginUser;
  if (!course->show) PetscFunctionReturn(0);
  while (progress->next < course->num_times && course->times[progress->next] <= end) {
    const double x = step > 0.0 ? (course->times[progress->next] - progress->time) / step : 1.0;
    const double norm2 = evaluate(march->rows, series, PetscMin(1.0, PetscMax(0.0, x)), y);
    PetscCall(course->show(course->context, progress->next, y, norm2));
    progress->next++;
  }
  PetscFunctionReturn(0);
}

/* The length of a step whose error is within what is allowed; 0: there is none, for some of the space has
   been used. *lost: its error. */
static double choose_step(const CospinKetMarch *march, const CospinKetCourse *course, double step,
                          double passed, double error, Series *series, double complex y[], double *norm2,
                          double *lost)
{
  enum { MOST = 1000 }; /* where nothing helps, not even that */

  for (int k = 0; k < MOST; k++, step *= 0.5) {
    const PetscBool exact = expand(march, step, series);
    *norm2 = evaluate(march->rows, series, 1.0, y);
    *lost = march->residual * step * 0.5 * (cabs(march->y[march->rows - 1]) + cabs(y[march->rows - 1]));
    if (!exact) continue;
    if (error + *lost <= course->error_rate * (passed + step) * PetscSqrtReal(*norm2)) break;
    if (passed > 0.0) return -1.0;
  }
  return step;
}

/* Steps that are too long for the series are not taken; one whose error is too large ends the march, unless
   it is the first, which is halved until it fits. A step that ends at `until` ends there exactly, so that
   times are met to the last bit whatever came before. */
PetscErrorCode CospinKetMarchOn(CospinKetMarch *march, const CospinKetCourse *course,
                                CospinKetProgress *progress, PetscBool *fallen, PetscBool *ended)
{
  const double start = progress->time, longest = step_norm / PetscMax(norm_of(march), DBL_MIN);
  double complex y[COSPIN_KET_SPACE + 2];
  double error = 0.0;
  Series series;

  PetscFunctionBeginUser;
  *fallen = *ended = PETSC_FALSE;
  while (!*ended) {
    const double rest = course->until - progress->time;
    double norm2, lost, end, x = 1.0;
    const double step = choose_step(march, course, PetscMin(longest, rest), progress->time - start, error,
                                    &series, y, &norm2, &lost);
    if (step < 0.0) break;
    *fallen = (PetscBool)(norm2 <= course->floor);
    if (*fallen) {
      Followed followed = {march->rows, &series, {0.0}};
      x = CospinKetFall(norm_at, &followed, progress->norm2, norm2, course->floor);
    }
    if (*fallen) norm2 = evaluate(march->rows, &series, x, y);
    end = !*fallen && step == rest ? course->until : progress->time + x * step;
    PetscCall(visit(march, course, &series, step, end, progress));
    progress->time = end;
    progress->norm2 = norm2;
    error += x * lost;
    for (int i = 0; i < march->rows; i++) march->y[i] = y[i];
    if (course->show && course->watched) PetscCall(course->show(course->context, -1, y, norm2));
    *ended = (PetscBool)(*fallen || end >= course->until || progress->stop);
  }
  progress->error += error / PetscSqrtReal(PetscMax(progress->norm2, DBL_MIN));
  PetscFunctionReturn(0);
}
