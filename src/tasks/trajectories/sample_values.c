/*
   What blocks of trajectories say: means, functions of means, and their errors by leaving out one block after
   the other. What each number of a block is stands in sample_impl.h.
*/
#include "sample_impl.h"

/* ---- What they say ------------------------------------------------------------------------------------- */

/* One mean of all, or of all but block `without`, with the share of kets that have not jumped. */
static double complex mean_of(const CospinSample *s, int k, int without, size_t place, PetscBool is_complex,
                              double complex unjumped)
{
  const size_t row = (size_t)k * row_length(s);
  const double p = s->no_jump.norm2[k];
  double part[2] = {0.0, 0.0}, count = s->total[row + COUNT];

  if (without >= 0) count -= s->sums[(size_t)without * s->length + row + COUNT];
  for (int i = 0; i < (is_complex ? 2 : 1); i++) {
    part[i] = s->total[row + place + (size_t)i];
    if (without >= 0) part[i] -= s->sums[(size_t)without * s->length + row + place + (size_t)i];
  }
  if (p == 0.0) return CMPLX(part[0] / count, part[1] / count);
  if (count <= 0.0) return unjumped; /* what is left out is 1 - p */
  return p * unjumped + (1.0 - p) / count * CMPLX(part[0], part[1]);
}

/* With what the ket without a jump has in the same place. */
static double complex mean_value(const CospinSample *s, int k, int without, int v)
{
  const double complex unjumped =
      v < s->num_values ? s->no_jump.values[(size_t)k * (size_t)s->num_values + (size_t)v] : 0.0;

  return mean_of(s, k, without, VALUES + 2 * (size_t)v, PETSC_TRUE, unjumped);
}

/* Observables are functions of means, evaluated behind them: their own mean over trajectories would be
   another number. */
static PetscErrorCode evaluate(CospinSample *s, int k, int what, int cutoff, int without,
                               double complex *value)
{
  const CospinObservables all = s->point->observables;
  double complex *means;
  double clicks;
  int first = 0;

  PetscFunctionBeginUser;
  if (what == COSPIN_SAMPLE_FIDELITY) *value = mean_value(s, k, without, s->num_expectations);
  if (what == COSPIN_SAMPLE_CUTOFF) *value = mean_value(s, k, without, s->num_expectations + 1 + cutoff);
  if (what == COSPIN_SAMPLE_CLICKS || what == COSPIN_SAMPLE_FANO) {
    clicks = creal(mean_of(s, k, without, CLICKS, PETSC_FALSE, 0.0));
    *value = clicks;
    if (what == COSPIN_SAMPLE_FANO)
      *value = creal(mean_of(s, k, without, SQUARES, PETSC_FALSE, 0.0)) / clicks - clicks;
  }
  if (what < 0) PetscFunctionReturn(0);
  for (int l = 0; l < what; l++) first += all->observables[l].num_expectations;
  PetscCall(PetscMalloc1((size_t)all->observables[what].num_expectations + 1, &means));
  for (int e = 0; e < all->observables[what].num_expectations; e++)
    means[e] = mean_value(s, k, without, first + e);
  PetscCall(CospinObservableEvaluate(all, what, means, value));
  PetscCall(PetscFree(means));
  PetscFunctionReturn(0);
}

double CospinSampleCount(const CospinSample *s, int k)
{
  return s->total[(size_t)k * row_length(s) + COUNT];
}

double CospinSampleJumped(const CospinSample *s, int k)
{
  if (s->steady) return s->total[tail_of(s) + 2 * (size_t)s->num_lines + ANY];
  return s->total[(size_t)k * row_length(s) + JUMPED];
}

/* A line that is expected to jump once in a thousand runs like this one does not matter to it. */
double CospinSampleRarest(const CospinSample *s)
{
  static const double negligible = 1e-3; /* jumps of all trajectories together */
  const double *tail = s->total + tail_of(s);
  double rarest = INFINITY;

  for (int l = 0; l < s->num_lines; l++)
    if (tail[2 * l + 1] > negligible) rarest = PetscMin(rarest, tail[2 * l]);
  return rarest;
}

/* Where next to nothing can have jumped, or nothing ever does, nothing is missing. Otherwise
   what a process does that has hardly been seen by the end is not known at any time. */
PetscBool CospinSampleIsRare(const CospinSample *s, int k)
{
  static const double negligible = 1e-9;
  const double likely = s->mixed ? 1.0 : 1.0 - s->no_jump.norm2[k];

  if (!CospinUnravellingJumps(s->unravelling) || likely <= negligible) return PETSC_FALSE;
  return (PetscBool)(CospinSampleJumped(s, k) < COSPIN_SAMPLE_FEWEST ||
                     CospinSampleRarest(s) < COSPIN_SAMPLE_FEWEST);
}

/* Values with each block left out, to their error and the largest change. */
static void jackknife(int n, const double complex values[], double error[2], double change[2])
{
  double complex mean = 0.0;

  for (int b = 0; b < n; b++) mean += values[b] / n;
  error[0] = error[1] = change[0] = change[1] = 0.0;
  for (int b = 0; b < n; b++) {
    const double off[2] = {creal(values[b] - mean), cimag(values[b] - mean)};
    for (int i = 0; i < 2; i++) {
      error[i] += off[i] * off[i];
      change[i] = PetscMax(change[i], fabs(off[i]));
    }
  }
  for (int i = 0; i < 2; i++) error[i] = PetscSqrtReal(error[i] * (n - 1) / n);
}

PetscErrorCode CospinSampleValue(CospinSample *s, int k, int what, int cutoff, double complex *value,
                                 double error[2], double change[2])
{
  double complex *values;

  PetscFunctionBeginUser;
  PetscCall(evaluate(s, k, what, cutoff, -1, value));
  error[0] = error[1] = CospinSampleIsRare(s, k) ? (double)NAN : 0.0;
  change[0] = change[1] = 0.0;
  if (error[0] != 0.0 || s->done < 2) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)s->done, &values));
  for (int b = 0; b < s->done; b++) PetscCall(evaluate(s, k, what, cutoff, b, &values[b]));
  jackknife(s->done, values, error, change);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

void CospinSampleMeans(const CospinSample *s, int k, double complex means[])
{
  for (int e = 0; e < s->num_expectations; e++) means[e] = mean_value(s, k, -1, e);
}

/* An observable may have both, purity()*<Sz>: what averages do to it and what the state does are independent
   enough to be added in quadrature, which whoever asks does. */
PetscErrorCode CospinSampleValueWith(CospinSample *s, int k, int what, const double functionals[],
                                     double complex *value, double error[2])
{
  const CospinObservables all = s->point->observables;
  double complex *values, *means;
  double change[2];
  int first = 0;

  PetscFunctionBeginUser;
  for (int l = 0; l < what; l++) first += all->observables[l].num_expectations;
  PetscCall(PetscMalloc2((size_t)s->num_expectations + 1, &means, (size_t)s->done + 1, &values));
  for (int b = -1; b < s->done; b++) {
    for (int e = 0; e < all->observables[what].num_expectations; e++)
      means[e] = mean_value(s, k, b, first + e);
    PetscCall(CospinObservableEvaluateWith(all, what, means, functionals, &values[b + 1]));
  }
  *value = values[0];
  error[0] = error[1] = 0.0;
  if (s->done > 1) jackknife(s->done, values + 1, error, change);
  PetscCall(PetscFree2(means, values));
  PetscFunctionReturn(0);
}

/* ---- Steady -------------------------------------------------------------------------------------------- */

/* Of one observable, between the halves of the window. Its error is that of the difference itself, found by
   leaving out blocks: within one trajectory the halves are not independent. What differs by rounding only
   does not differ. */
static PetscErrorCode find_drift(CospinSample *s, int what, double complex values[], double *drift)
{
  static const double rounding = 1e-9;
  double complex first, second, size;
  double error[2], change[2];

  PetscFunctionBeginUser;
  for (int b = -1; b < s->done; b++) {
    PetscCall(evaluate(s, COSPIN_WINDOW_FIRST, what, 0, b, &first));
    PetscCall(evaluate(s, COSPIN_WINDOW_SECOND, what, 0, b, &second));
    values[b + 1] = second - first;
  }
  PetscCall(evaluate(s, COSPIN_WINDOW_ALL, what, 0, -1, &size));
  jackknife(s->done, values + 1, error, change);
  for (int i = 0; i < 2; i++) {
    const double off = fabs(i ? cimag(values[0]) : creal(values[0]));
    if (off > rounding * (1.0 + cabs(size))) *drift = PetscMax(*drift, off / error[i]);
  }
  PetscFunctionReturn(0);
}

/* variance/error^2 of an expectation value, the smaller of its parts'. The variance is that of single
   samples, the error that of the mean: as many independent samples would have had the same. What is the same
   on all kets at all times has no variance and says nothing. */
static void count_independent(const CospinSample *s, int v, double complex values[], double *independent)
{
  static const double rounding = 1e-18;
  const double complex mean = mean_value(s, COSPIN_WINDOW_ALL, -1, v);
  const double complex squares = mean_value(s, COSPIN_WINDOW_ALL, -1, v + s->num_values);
  const double variance[2] = {creal(squares) - PetscSqr(creal(mean)), cimag(squares) - PetscSqr(cimag(mean))};
  double error[2], change[2];

  for (int b = 0; b < s->done; b++) values[b] = mean_value(s, COSPIN_WINDOW_ALL, b, v);
  jackknife(s->done, values, error, change);
  for (int i = 0; i < 2; i++)
    if (variance[i] > rounding + 1e-12 * cabs(squares))
      *independent = PetscMin(*independent, variance[i] / PetscSqr(error[i]));
}

PetscErrorCode CospinSampleSteady(CospinSample *s, CospinSampleSteadiness *steadiness)
{
  double complex *values;

  PetscFunctionBeginUser;
  *steadiness = (CospinSampleSteadiness){0.0, INFINITY};
  PetscCall(PetscMalloc1((size_t)s->done + 1, &values));
  for (int o = 0; o < s->point->observables->count; o++)
    PetscCall(find_drift(s, o, values, &steadiness->drift));
  for (int v = 0; v < s->num_expectations; v++) count_independent(s, v, values, &steadiness->independent);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* ---- Clicks -------------------------------------------------------------------------------------------- */

/* Mean and standard deviation of all trajectories with clicks, or of all but those of block `without`. */
static void click_times(const CospinSample *s, int without, double value[2])
{
  const size_t place = tail_of(s) + 2 * (size_t)s->num_lines;
  double sum[NUM_TAIL];

  for (int i = CLICKED; i <= TIME_SQUARES; i++) {
    sum[i] = s->total[place + (size_t)i];
    if (without >= 0) sum[i] -= s->sums[(size_t)without * s->length + place + (size_t)i];
  }
  value[0] = sum[TIMES] / sum[CLICKED];
  value[1] = PetscSqrtReal(PetscMax(0.0, sum[TIME_SQUARES] / sum[CLICKED] - value[0] * value[0]));
}

/* A trajectory with clicks has jumped, so that it does not matter that those without a jump were not drawn.
 */
void CospinSampleClickTimes(const CospinSample *s, double value[2], double error[2])
{
  double sum[2] = {0.0, 0.0};

  click_times(s, -1, value);
  for (int b = 0; b < s->done; b++) {
    double other[2];
    click_times(s, b, other);
    for (int i = 0; i < 2; i++) sum[i] += PetscSqr(other[i] - value[i]);
  }
  for (int i = 0; i < 2; i++) error[i] = PetscSqrtReal(sum[i] * (s->done - 1) / s->done);
  if (s->total[tail_of(s) + 2 * (size_t)s->num_lines + CLICKED] < COSPIN_SAMPLE_FEWEST)
    value[0] = value[1] = error[0] = error[1] = (double)NAN;
}

int CospinSampleNumber(const CospinSample *s)
{
  return PetscMin(s->number, s->done * s->block_size);
}

/* Those that were drawn have at least one; the others have none. */
double CospinSampleMeanJumps(const CospinSample *s)
{
  const double jumps = s->total[tail_of(s) + 2 * (size_t)s->num_lines + JUMPS];

  return s->done ? (1.0 - s->least) * jumps / CospinSampleNumber(s) : 0.0;
}

double CospinSampleMeanProducts(const CospinSample *s)
{
  const double products = s->total[tail_of(s) + 2 * (size_t)s->num_lines + PRODUCTS];

  return s->done ? products / CospinSampleNumber(s) : s->no_jump.products;
}
