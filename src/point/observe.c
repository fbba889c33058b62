/*
   Observables of a state that has been read: their functionals are computed where its elements are.

   Expectation values are the same on all ranks; the elements of a state are on the first. So functionals are
   evaluated there and their numbers are broadcast.

   An observable may mix both: wineland(spins)/<n>. So readings come in first, functionals second, and the
   expression is evaluated from both on every rank.
*/
#include <cospin/point/settings.h>
#include <math.h>

/* values[] of all functionals in a row, on the first rank. The density is made once for all functionals of
   all observables, for its blocks and eigenvalues are shared by them. Readings and values are walked
   through in the order of the observables. */
static PetscErrorCode compute_functionals(CospinObservables observables, const double complex readings[],
                                          const CospinSystem *system, CospinStoredState state,
                                          double values[])
{
  CospinDensity density = NULL;

  PetscFunctionBeginUser;
  if (state) PetscCall(CospinDensityCreate(system, state, &density));
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    PetscCall(CospinObservableFunctionals(observable, readings, density, values));
    readings += observable->num_expectations;
    values += observable->num_functionals;
  }
  PetscCall(CospinDensityDestroy(&density));
  PetscFunctionReturn(0);
}

/* *count and values[*count], to be freed, of all functionals; the same on all ranks. Without functionals
   nothing is sent: most decks have none. */
static PetscErrorCode get_functionals(MPI_Comm comm, CospinObservables observables,
                                      const double complex readings[], const CospinSystem *system,
                                      CospinStoredState state, int *count, double **values)
{
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *count = 0;
  for (int k = 0; k < observables->count; k++) *count += observables->observables[k].num_functionals;
  PetscCall(PetscMalloc1((size_t)*count + 1, values));
  if (rank == 0 && *count) PetscCall(compute_functionals(observables, readings, system, state, *values));
  PetscCallMPI(MPI_Bcast(*values, *count, MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskObserve(MPI_Comm comm, CospinObservables observables,
                                 const double complex readings[], const CospinSystem *system,
                                 CospinStoredState state, int index, CospinResults results,
                                 CospinOutcome *outcome)
{
  double *values, *next;
  int count;

  PetscFunctionBeginUser;
  PetscCall(get_functionals(comm, observables, readings, system, state, &count, &values));
  next = values;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    double complex value;
    PetscCall(CospinObservableEvaluateWith(observables, k, readings, next, &value));
    PetscCall(CospinResultsSetObservable(results, observable, index, value));
    readings += observable->num_expectations;
    next += observable->num_functionals;
  }
  for (int f = 0; f < count; f++)
    /* A functional gives infinity where its state has a block that is too large to diagonalise; NaN is a
       value that does not exist. */
    if (isinf(values[f])) *outcome = CospinOutcomeWorse(*outcome, COSPIN_TOO_LARGE);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* Functionals of a few readings change as these do; the others are compared. For windows that grow: what a
   larger window has changed. Relative above one, absolute below. */
PetscErrorCode CospinTaskFunctionalsChange(MPI_Comm comm, const CospinTaskReading *a,
                                           const CospinTaskReading *b, double *change)
{
  double *values[2];
  int count, f = 0;

  PetscFunctionBeginUser;
  PetscCall(get_functionals(comm, a->observables, a->readings, a->system, a->state, &count, &values[0]));
  PetscCall(get_functionals(comm, b->observables, b->readings, b->system, b->state, &count, &values[1]));
  for (int k = 0; k < a->observables->count; k++) {
    const CospinObservable *observable = &a->observables->observables[k];
    for (int g = 0; g < observable->num_functionals; g++, f++) {
      const double size = PetscMax(1.0, PetscAbsReal(values[1][f]));
      if (observable->functionals[g]->kind->needs > COSPIN_NEEDS_MOMENTS && isfinite(values[1][f]))
        *change = PetscMax(*change, PetscAbsReal(values[0][f] - values[1][f]) / size);
    }
  }
  PetscCall(PetscFree(values[0]));
  PetscCall(PetscFree(values[1]));
  PetscFunctionReturn(0);
}
