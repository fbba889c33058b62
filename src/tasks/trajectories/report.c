/*
   From sums over trajectories to variables with errors that can be believed.

   The scatter of what was drawn knows nothing of what was not: a fidelity of which one in a thousand
   trajectories has any would be 0 +- 0. What one more trajectory could change is therefore added to each
   error, in quadrature: the largest change that leaving out one block has made at any time, with the weight
   of one block at this time. Where many trajectories contribute, that is two hundredths of the error.
*/
#include "report.h"
#include "sample_impl.h"
#include <math.h>

static const double most_drift = 4.0, fewest_independent = 10.0; /* of a steady trajectory */

/* A quantity at all times. */
typedef struct {
  const char *name;
  int what;
  PetscBool real;
} Quantity;

static double part_of(double complex value, int part)
{
  return part ? cimag(value) : creal(value);
}

/* The weight of one trajectory among those that have jumped; 0 where nothing can have. */
static double weight_of(const CospinSample *s, int k)
{
  const double count = s->steady ? CospinSampleNumber(s) : CospinSampleCount(s, k);

  return count > 0.0 ? (1.0 - s->no_jump.norm2[k]) / count : 0.0;
}

/* Windows of a steady sample are no results but the first. */
static int num_results(const CospinSample *s)
{
  return s->steady ? 1 : s->num_rows;
}

/* values[num_results], errors[2][num_results] */
static PetscErrorCode evaluate(CospinSample *s, const Quantity *quantity, double complex values[],
                               double *errors[2])
{
  double reach[2] = {0.0, 0.0};

  PetscFunctionBeginUser;
  for (int k = 0; k < num_results(s); k++) {
    const double weight = weight_of(s, k);
    double error[2], change[2];
    PetscCall(CospinSampleValue(s, k, quantity->what, 0, &values[k], error, change));
    for (int part = 0; part < 2; part++) {
      errors[part][k] = error[part];
      if (weight > 0.0 && isfinite(change[part])) reach[part] = PetscMax(reach[part], change[part] / weight);
    }
  }
  for (int k = 0; k < num_results(s); k++) {
    for (int part = 0; part < 2; part++)
      errors[part][k] = isfinite(part_of(values[k], part))
                            ? hypot(errors[part][k], reach[part] * weight_of(s, k))
                            : (double)NAN;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode store_part(const CospinSampleReport *report, const char name[], const char part[],
                                 int k, double value, double error)
{
  char suffix[128];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s", name, part));
  PetscCall(CospinResultsSet(report->results, suffix, k, value));
  PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s_error", name, part));
  PetscCall(CospinResultsSet(report->results, suffix, k, error));
  PetscFunctionReturn(0);
}

/* Errors of NaN (0/0) are NaN, and do not count as the largest. An unknown error of a number that is known
 * does. */
static PetscErrorCode store_quantity(CospinSampleReport *report, const Quantity *quantity)
{
  static const char *const parts[] = {"_re", "_im"};
  CospinSample *s = report->sample;
  const size_t n = (size_t)num_results(s);
  double complex *values;
  double *errors[2];

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(n, &values, n, &errors[0], n, &errors[1]));
  PetscCall(evaluate(s, quantity, values, errors));
  for (int k = 0; k < num_results(s); k++) {
    for (int part = 0; part < (quantity->real ? 1 : 2); part++) {
      const double error = errors[part][k], value = part_of(values[k], part);
      PetscCall(store_part(report, quantity->name, quantity->real ? "" : parts[part], k, value, error));
      if (quantity->what >= 0 && isfinite(value) && !(error <= report->largest_error))
        report->largest_error = error;
    }
  }
  PetscCall(PetscFree3(values, errors[0], errors[1]));
  PetscFunctionReturn(0);
}

/* Populations at cutoffs have no error worth telling: they are compared with what is accepted. */
static PetscErrorCode find_cutoff(CospinSampleReport *report)
{
  CospinSample *s = report->sample;

  PetscFunctionBeginUser;
  for (int k = 0; k < num_results(s); k++) {
    for (int c = 0; c < s->num_cutoffs; c++) {
      double complex value;
      double error[2], change[2];
      PetscCall(CospinSampleValue(s, k, COSPIN_SAMPLE_CUTOFF, c, &value, error, change));
      report->cutoff = PetscMax(report->cutoff, creal(value) / CospinUnravellingAccepted(s->unravelling, c));
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode store_click_times(const CospinSampleReport *report)
{
  static const char *const names[] = {"click_time", "click_spread"};
  double value[2], error[2];

  PetscFunctionBeginUser;
  CospinSampleClickTimes(report->sample, value, error);
  for (int i = 0; i < 2; i++) PetscCall(store_part(report, names[i], "", 0, value[i], error[i]));
  PetscFunctionReturn(0);
}

/* What is there once. */
static PetscErrorCode store_work(const CospinSampleReport *report)
{
  const CospinSample *s = report->sample;
  const double rarest = CospinSampleRarest(s);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(report->results, "number", 0, CospinSampleNumber(s)));
  PetscCall(CospinResultsSet(report->results, "jumps", 0, CospinSampleMeanJumps(s)));
  PetscCall(CospinResultsSet(report->results, "rarest", 0, isfinite(rarest) ? rarest : (double)NAN));
  PetscCall(CospinResultsSet(report->results, "cutoff", 0, report->cutoff));
  PetscCall(CospinResultsSet(report->results, "ket_error", 0, s->worst[COSPIN_WORST_ERROR]));
  PetscCall(CospinResultsSet(report->results, "kets", 0, s->worst[COSPIN_WORST_DIMENSION]));
  PetscCall(CospinResultsSet(report->results, "products", 0, CospinSampleMeanProducts(s)));
  PetscFunctionReturn(0);
}

/* tau of exp(-t/tau) from samples `step` apart, n of which are independent among so long a time altogether:
   time/n = step coth(step/(2 tau)), which is 2 tau for samples that are close. */
static double autocorrelation(double time, double n, double step)
{
  const double ratio = PetscMin(step * n / time, 0.9999);

  return 0.5 * step / atanh(ratio);
}

/* Averages along trajectories are believed where their halves agree and each has seen enough of the state to
   be an average of it. Both are asked of every observable and every expectation value, for the slowest is
   what a trajectory has to be long for. */
static PetscErrorCode store_steadiness(CospinSampleReport *report)
{
  CospinSample *s = report->sample;
  const double windows = 0.75 * s->head[0] * CospinSampleNumber(s);
  CospinSampleSteadiness steady;

  PetscFunctionBeginUser;
  PetscCall(CospinSampleSteady(s, &steady));
  PetscCall(CospinResultsSet(report->results, "span", 0, s->head[0]));
  PetscCall(CospinResultsSet(report->results, "drift", 0, steady.drift));
  report->unsteady = (PetscBool) !(steady.drift <= most_drift);
  if (!isfinite(steady.independent)) PetscFunctionReturn(0);
  PetscCall(CospinResultsSet(report->results, "independent", 0, steady.independent));
  PetscCall(CospinResultsSet(report->results, "autocorrelation", 0,
                             autocorrelation(windows, steady.independent, s->head[0] / s->num_times)));
  if (steady.independent < fewest_independent * CospinSampleNumber(s)) report->unsteady = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Their sums stand at the end of each block. */
static PetscErrorCode store_records(CospinSampleReport *report)
{
  CospinSample *s = report->sample;
  const CospinRecordsReport records = {.records = &s->records,
                                       .total = s->total + records_of(s),
                                       .blocks = s->sums + records_of(s),
                                       .stride = s->length,
                                       .num_blocks = s->done,
                                       .block_size = s->block_size,
                                       .number = CospinSampleNumber(s),
                                       .results = report->results};

  PetscFunctionBeginUser;
  PetscCall(CospinRecordsStore(s->point->comm, &s->records, &records));
  PetscFunctionReturn(0);
}

/* Inaccurate is what a larger sample, or another cutoff, would mend; numbers are stored all the same. */
PetscErrorCode CospinSampleStore(CospinSampleReport *report, CospinOutcome *outcome)
{
  static const Quantity fidelity = {"fidelity", COSPIN_SAMPLE_FIDELITY, PETSC_TRUE},
                        clicks = {"clicks", COSPIN_SAMPLE_CLICKS, PETSC_TRUE},
                        fano = {"fano", COSPIN_SAMPLE_FANO, PETSC_TRUE};
  CospinSample *s = report->sample;
  const CospinObservables all = s->point->observables;
  PetscBool rare = PETSC_FALSE;

  PetscFunctionBeginUser;
  report->largest_error = report->cutoff = 0.0;
  for (int o = 0; o < all->count; o++) {
    const Quantity quantity = {all->observables[o].definition->name, o, all->observables[o].real};
    PetscCall(store_quantity(report, &quantity));
  }
  if (report->fidelity) PetscCall(store_quantity(report, &fidelity));
  if (report->clicks && !s->steady) {
    PetscCall(store_quantity(report, &clicks));
    PetscCall(store_quantity(report, &fano));
    PetscCall(store_click_times(report));
  }
  report->unsteady = PETSC_FALSE;
  if (s->steady) PetscCall(store_steadiness(report));
  if (s->recorded) PetscCall(store_records(report));
  for (int k = 0; k < num_results(s); k++) {
    PetscCall(CospinResultsSet(report->results, "no_jump", k, s->mixed ? (double)NAN : s->no_jump.norm2[k]));
    PetscCall(CospinResultsSet(report->results, "jumped", k, CospinSampleJumped(s, k)));
    if (CospinSampleIsRare(s, k)) rare = PETSC_TRUE;
  }
  PetscCall(find_cutoff(report));
  PetscCall(store_work(report));
  *outcome = COSPIN_GOOD;
  if (report->unsteady || rare || CospinSampleRarest(s) < COSPIN_SAMPLE_FEWEST || report->cutoff > 1 ||
      !(s->worst[COSPIN_WORST_ERROR] <= 10 * report->tolerance))
    *outcome = COSPIN_INACCURATE;
  if (s->worst[COSPIN_WORST_LARGE] > 0) *outcome = COSPIN_WINDOW_LIMIT;
  PetscFunctionReturn(0);
}
