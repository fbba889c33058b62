/* Observables of a state that has been read: their functionals are computed where its elements are. */
#include "settings.h"
#include <math.h>

/* values[] of all functionals in a row, on the first rank. */
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

PetscErrorCode CospinTaskObserve(MPI_Comm comm, CospinObservables observables,
                                 const double complex readings[], const CospinSystem *system,
                                 CospinStoredState state, int index, CospinResults results,
                                 CospinOutcome *outcome)
{
  double *values, *next;
  int rank, count = 0;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  for (int k = 0; k < observables->count; k++) count += observables->observables[k].num_functionals;
  PetscCall(PetscMalloc1((size_t)count + 1, &values));
  if (rank == 0 && count) PetscCall(compute_functionals(observables, readings, system, state, values));
  PetscCallMPI(MPI_Bcast(values, count, MPI_DOUBLE, 0, comm));
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
    if (isinf(values[f])) *outcome = CospinOutcomeWorse(*outcome, COSPIN_TOO_LARGE);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}
