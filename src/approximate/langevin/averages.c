/*
   From sampled moments to observables with an error, and to what the outcome is judged by.

   Statistical errors are those of the jackknife (J. W. Tukey 1958; B. Efron, The Jackknife, the Bootstrap and
   Other Resampling Plans, SIAM 1982): with theta_b the observable from all blocks of trajectories but block
   b, error^2 = (B-1)/B sum_b (theta_b - mean)^2. It holds for ratios and other functions of averages, where
   the scatter of blocks themselves would be biased.

   The error of the steps is told by shadows: some trajectories are run a second time with steps twice as long
   and the same noise, so that what differs is the steps' doing and not chance.
*/
#include "averages.h"
#include <string.h>

PetscErrorCode CospinLangevinClearSample(CospinLangevinRun *run)
{
  const int length = run->num_blocks * run->sample.num;

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(run->sample.sums, length));
  PetscCall(PetscArrayzero(run->sample.shadows, length));
  run->num_samples = 0;
  PetscFunctionReturn(0);
}

/* Observable k, whose expectations are those from `first` on, from blocks' sums over samples: of all, or all
   but `without`, or (only_shadows) those that have shadows. */
static PetscErrorCode evaluate(CospinLangevinRun *run, const double complex sums[], double samples, int k,
                               int first, int without, PetscBool only_shadows, double complex *value)
{
  const CospinObservables all = run->point->observables;
  const int num = all->observables[k].num_expectations;
  double count = 0.0;

  PetscFunctionBeginUser;
  for (int e = 0; e < num; e++) run->means[e] = 0.0;
  for (int b = 0; b < run->num_blocks; b++) {
    PetscBool shadows;
    const int size = CospinTrajectoriesBlockSize(run->trajectories, b, &shadows);
    if (b == without || (only_shadows && !shadows)) continue;
    for (int e = 0; e < num; e++) run->means[e] += sums[run->sample.num * b + first + e];
    count += size * samples;
  }
  for (int e = 0; e < num; e++) run->means[e] /= count;
  PetscCall(CospinObservableEvaluate(all, k, run->means, value));
  PetscFunctionReturn(0);
}

static double part_of(double complex value, int part)
{
  return part ? cimag(value) : creal(value);
}

/* The scatter of values[], each with another block left out. */
static double jackknife(int num, const double complex values[], int part)
{
  double mean = 0.0, sum = 0.0;

  for (int b = 0; b < num; b++) mean += part_of(values[b], part) / num;
  for (int b = 0; b < num; b++) sum += (part_of(values[b], part) - mean) * (part_of(values[b], part) - mean);
  return PetscSqrtReal(sum * (num - 1) / num);
}

/* The observable of the tail at one of its times: its value from all blocks, and without each (values[],
   which are changed). A complex one is followed by its absolute value. */
static void keep_for_tail(CospinLangevinRun *run, PetscBool real, int index, double complex value)
{
  double *kept = run->tail_values + index;

  *kept = real ? creal(value) : cabs(value);
  for (int b = 0; b < run->num_blocks; b++) {
    run->values[b] = real ? creal(run->values[b]) : cabs(run->values[b]);
    kept[(b + 1) * run->num_times] = creal(run->values[b]);
  }
  run->tail_errors[index] = jackknife(run->num_blocks, run->values, 0);
}

/* The value from all blocks, then once without each block (jackknife), then from shadows with steps twice as
   long. */
static PetscErrorCode store_observable(CospinLangevinRun *run, int k, int first, int index)
{
  static const char *const parts[] = {"_re", "_im"};
  const CospinObservable *observable = &run->point->observables->observables[k];
  const double complex *sums = run->sample.sums, *shadows = run->sample.shadows;
  const double samples = run->num_samples;
  double complex *values = run->values, value, fine, coarse;
  char suffix[96];

  PetscFunctionBeginUser;
  PetscCall(evaluate(run, sums, samples, k, first, -1, PETSC_FALSE, &value));
  PetscCall(CospinResultsSetObservable(run->results, observable, index, value));
  for (int b = 0; b < run->num_blocks; b++)
    PetscCall(evaluate(run, sums, samples, k, first, b, PETSC_FALSE, &values[b]));
  PetscCall(evaluate(run, sums, samples, k, first, -1, PETSC_TRUE, &fine));
  PetscCall(evaluate(run, shadows, samples, k, first, -1, PETSC_TRUE, &coarse));
  for (int part = 0; part < (observable->real ? 1 : 2); part++) {
    const double error = jackknife(run->num_blocks, values, part);
    const double size = run->settings.tolerance * cabs(value);
    const double change = PetscAbsReal(part_of(fine - coarse, part));
    PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s_error", observable->definition->name,
                            observable->real ? "" : parts[part]));
    PetscCall(CospinResultsSet(run->results, suffix, index, error));
    if (change > 0) run->change = PetscMax(run->change, change / PetscMax(size, 3 * error));
    if (isfinite(size) && !isfinite(change))
      run->change = PETSC_INFINITY; /* large steps have left all bounds */
  }
  if (run->tail.observable && strcmp(run->tail.observable, observable->definition->name) == 0)
    keep_for_tail(run, observable->real, index, value);
  PetscFunctionReturn(0);
}

/* From the first half of the average (early) to the second (sample.sums by now), by trajectories that are the
   same, so that the scatter of their blocks is that of the change. So many errors, since there are many
   observables and points, and more for few spins: all blocks share one diffusion matrix, and what that
   scatters they do not tell (whole runs scatter 1.7 times as much for two spins, as much for eight or more).
 */
static PetscErrorCode find_drift(CospinLangevinRun *run, int k, int first)
{
  const double share = 0.2, samples = run->num_samples / 2;
  const double errors = 4 * (1 + 4.0 / run->equations->size);
  const PetscBool real = run->point->observables->observables[k].real;
  double complex *values = run->values, early, late, change = 0.0;

  PetscFunctionBeginUser;
  for (int b = -1; b < run->num_blocks; b++) {
    PetscCall(evaluate(run, run->early, samples, k, first, b, PETSC_FALSE, &early));
    PetscCall(evaluate(run, run->sample.sums, samples, k, first, b, PETSC_FALSE, &late));
    if (b < 0)
      change = late - early;
    else
      values[b] = late - early;
  }
  for (int part = 0; part < (real ? 1 : 2); part++) {
    const double size = PetscAbsReal(part_of(change, part)), error = jackknife(run->num_blocks, values, part);
    const double allowed = PetscMax(share * run->settings.tolerance * cabs(late), errors * error);
    if (size > 0) run->drift = PetscMax(run->drift, size / allowed);
  }
  PetscFunctionReturn(0);
}

/* Collective. The observables from what has been sampled. */
PetscErrorCode CospinLangevinStoreSample(CospinLangevinRun *run, int index)
{
  const int length = run->num_blocks * run->sample.num;
  int first = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, run->sample.sums, 2 * length, MPI_DOUBLE, MPI_SUM, run->point->comm));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, run->sample.shadows, 2 * length, MPI_DOUBLE, MPI_SUM, run->point->comm));
  for (int k = 0; k < run->point->observables->count; k++) {
    PetscCall(store_observable(run, k, first, index));
    first += run->point->observables->observables[k].num_expectations;
  }
  PetscFunctionReturn(0);
}

/* Collective. After the sample has been stored, from what was sampled in the first half, which is in early[].
 */
PetscErrorCode CospinLangevinStoreDrift(CospinLangevinRun *run)
{
  const int length = run->num_blocks * run->sample.num;
  int first = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, run->early, 2 * length, MPI_DOUBLE, MPI_SUM, run->point->comm));
  for (int i = 0; i < length; i++) run->sample.sums[i] -= run->early[i];
  for (int k = 0; k < run->point->observables->count; k++) {
    PetscCall(find_drift(run, k, first));
    first += run->point->observables->observables[k].num_expectations;
  }
  PetscCall(CospinResultsSet(run->results, "drift", 0, run->drift));
  PetscFunctionReturn(0);
}
