/*
   Functionals of the averaged state. A purity is no average over kets: each of them has a purity of one, and
   the mean of M independent ones has one that is too large by (1 - purity)/M or so; entropies are too small
   likewise. What goes as 1/M is taken off by leaving out one of ten groups of trajectories after the other
   (Quenouille, Biometrika 43, 353 (1956)),

     10 theta - 9 <theta without a group>,

   and the scatter of these tells the error. So what is told is not quite the functional of the state that is
   stored, but nearer to that of the state that would be found by ever more trajectories.
*/
#include "report.h"
#include <math.h>

enum { GROUPS = COSPIN_AVERAGE_GROUPS, SUBSETS = GROUPS + 1 };

/* Squeezing and the like are functions of averages, told with the others. */
static PetscBool needs_state(const CospinObservable *observable)
{
  for (int f = 0; f < observable->num_functionals; f++)
    if (observable->functionals[f]->kind->needs > COSPIN_NEEDS_MOMENTS) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* values[] of all functionals of all observables, of the state without a group (-1: of all), on the first
   rank. */
static PetscErrorCode compute(CospinSampleReport *report, const CospinRecord *task, int k, int without,
                              const double complex means[], double values[])
{
  const CospinSample *s = report->sample;
  const CospinObservables all = s->point->observables;
  const double share = s->mixed ? 1.0 : 1.0 - s->no_jump.norm2[k];
  CospinDensity density;
  CospinStored stored;
  CospinStoredState state;

  PetscFunctionBeginUser;
  PetscCall(CospinStoredCreate(0, &stored));
  PetscCall(CospinTaskNewState(s->point->problem, task, k, stored, &state));
  PetscCall(CospinAverageState(s->average, k, without, share, state));
  PetscCall(CospinDensityCreate(&s->point->problem->system, state, &density));
  for (int o = 0; o < all->count; o++) {
    PetscCall(CospinObservableFunctionals(&all->observables[o], means, density, values));
    means += all->observables[o].num_expectations;
    values += all->observables[o].num_functionals;
  }
  PetscCall(CospinDensityDestroy(&density));
  PetscCall(CospinStoredDestroy(&stored));
  PetscFunctionReturn(0);
}

/* An observable at one time, real and imaginary part. */
typedef struct {
  double value[2], error[2];
} Told;

/* One observable from the functionals of all subsets, values[SUBSETS][num] with the whole in front. */
static PetscErrorCode tell(CospinSampleReport *report, int k, int what, int num, const double values[],
                           Told *told)
{
  CospinSample *s = report->sample;
  double complex whole, each[GROUPS], mean = 0.0;
  double error[2], other[2], sum[2] = {0.0, 0.0};

  PetscFunctionBeginUser;
  PetscCall(CospinSampleValueWith(s, k, what, values, &whole, error));
  for (int g = 0; g < GROUPS; g++) {
    PetscCall(CospinSampleValueWith(s, k, what, values + (size_t)(g + 1) * (size_t)num, &each[g], other));
    mean += each[g] / GROUPS;
  }
  for (int g = 0; g < GROUPS; g++) {
    sum[0] += PetscSqr(creal(each[g] - mean));
    sum[1] += PetscSqr(cimag(each[g] - mean));
  }
  whole = GROUPS * whole - (GROUPS - 1) * mean;
  told->value[0] = creal(whole);
  told->value[1] = cimag(whole);
  for (int i = 0; i < 2; i++) told->error[i] = hypot(error[i], PetscSqrtReal(sum[i] * (GROUPS - 1) / GROUPS));
  PetscFunctionReturn(0);
}

/* The weight of one trajectory, and what one is worth at most where it can be seen: three standard deviations
   at any time. At early times, to which few have come, that is more than their scatter knows. */
static double weight_of(const CospinSample *s, int k)
{
  const double count = s->steady ? CospinSampleNumber(s) : CospinSampleCount(s, k);

  return count > 0.0 ? (1.0 - s->no_jump.norm2[k]) / count : 0.0;
}

/* Of one part of an observable, told[k*stride]: what a trajectory could add at most. The same is done with
   averages (report.c), there by the largest change that leaving out a block has made. */
static double reach_of(const CospinSample *s, const Told told[], int stride, int part)
{
  double reach = 0.0;

  for (int k = 0; k < (s->steady ? 1 : s->num_rows); k++) {
    const double weight = weight_of(s, k),
                 count = s->steady ? CospinSampleNumber(s) : CospinSampleCount(s, k);
    if (weight > 0.0)
      reach = PetscMax(reach, 3.0 * told[k * stride].error[part] / weight / PetscSqrtReal(count));
  }
  return reach;
}

/* told[k*stride]: one observable at all times. */
static PetscErrorCode store_one(CospinSampleReport *report, int what, const Told told[], int stride)
{
  static const char *const parts[2][2] = {{"_re", "_re_error"}, {"_im", "_im_error"}};
  const CospinSample *s = report->sample;
  const CospinObservable *observable = &s->point->observables->observables[what];
  char suffix[128];

  PetscFunctionBeginUser;
  for (int i = 0; i < (observable->real ? 1 : 2); i++) {
    const double reach = reach_of(s, told, stride, i);
    for (int k = 0; k < (s->steady ? 1 : s->num_rows); k++) {
      const double value = told[k * stride].value[i];
      const double error =
          CospinSampleIsRare(s, k) ? (double)NAN : hypot(told[k * stride].error[i], reach * weight_of(s, k));
      for (int j = 0; j < 2; j++) {
        PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s", observable->definition->name,
                                observable->real ? (j ? "_error" : "") : parts[i][j]));
        PetscCall(CospinResultsSet(report->results, suffix, k, j ? error : value));
      }
      if (isfinite(value) && !(error <= report->largest_error)) report->largest_error = error;
    }
  }
  PetscFunctionReturn(0);
}

/* Functionals of one state, on the first rank, and from them observables on all, told[count]. */
static PetscErrorCode tell_all(CospinSampleReport *report, const CospinRecord *task, int k, Told told[],
                               CospinOutcome *outcome)
{
  CospinSample *s = report->sample;
  const CospinObservables all = s->point->observables;
  double complex *means;
  double *values, *own;
  int num = 0, rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(s->point->comm, &rank));
  for (int o = 0; o < all->count; o++) num += all->observables[o].num_functionals;
  PetscCall(PetscMalloc3((size_t)s->num_expectations + 1, &means, (size_t)(SUBSETS * num) + 1, &values,
                         (size_t)(SUBSETS * num) + 1, &own));
  CospinSampleMeans(s, k, means);
  for (int g = -1; rank == 0 && num && g < GROUPS; g++)
    PetscCall(compute(report, task, k, g, means, values + (size_t)(g + 1) * (size_t)num));
  PetscCallMPI(MPI_Bcast(values, SUBSETS * num, MPI_DOUBLE, 0, s->point->comm));
  for (int f = 0; f < SUBSETS * num; f++)
    if (isinf(values[f])) *outcome = CospinOutcomeWorse(*outcome, COSPIN_TOO_LARGE);
  for (int o = 0, first = 0; o < all->count; o++) {
    const int count = all->observables[o].num_functionals;
    for (int i = 0; i < SUBSETS * count; i++) own[i] = values[first + i / count * num + i % count];
    if (needs_state(&all->observables[o])) PetscCall(tell(report, k, o, count, own, &told[o]));
    first += count;
  }
  PetscCall(PetscFree3(means, values, own));
  PetscFunctionReturn(0);
}

/* The states themselves, in place of those of an earlier round. */
static PetscErrorCode keep_states(const CospinSample *s, const CospinRecord *task)
{
  CospinStored stored = s->point->stored;

  PetscFunctionBeginUser;
  PetscCall(CospinStoredDrop(stored, (int)(task - s->point->problem->deck->tasks)));
  for (int k = 0; k < (s->steady ? 1 : s->num_rows); k++) {
    CospinStoredState state;
    PetscCall(CospinTaskNewState(s->point->problem, task, k, stored, &state));
    PetscCall(CospinAverageState(s->average, k, -1, s->mixed ? 1.0 : 1.0 - s->no_jump.norm2[k], state));
  }
  PetscFunctionReturn(0);
}

/* After every round, as the other numbers are: with `error:` these functionals must be known as well. */
PetscErrorCode CospinSampleStoreState(CospinSampleReport *report, const CospinRecord *task,
                                      CospinOutcome *outcome)
{
  CospinSample *s = report->sample;
  const CospinObservables all = s->point->observables;
  Told *told;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(s->point->comm, &rank));
  PetscCall(CospinAverageGather(s->point->comm, s->average));
  if (CospinAverageIsTooLarge(s->average)) *outcome = CospinOutcomeWorse(*outcome, COSPIN_TOO_LARGE);
  if (CospinAverageIsTooLarge(s->average)) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)s->num_rows * (size_t)all->count + 1, &told));
  for (int k = 0; k < (s->steady ? 1 : s->num_rows); k++)
    PetscCall(tell_all(report, task, k, told + (size_t)k * (size_t)all->count, outcome));
  for (int o = 0; o < all->count; o++)
    if (needs_state(&all->observables[o])) PetscCall(store_one(report, o, told + o, all->count));
  PetscCall(PetscFree(told));
  if (rank == 0) PetscCall(keep_states(s, task));
  PetscFunctionReturn(0);
}
