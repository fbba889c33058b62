/*
   Task `steady`: the steady state, L rho = 0 with Tr rho = 1, and the observables in it.

   Uniqueness is established, not assumed: the null space of every sector that holds diagonal elements is
   counted. The residual, the trace, the smallest population and the hermiticity are recomputed from the state
   that is stored.
*/
#include "settings.h"
#include <cospin/liouvillian.h>

static const CospinKey keys[] = {
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"degeneracy", COSPIN_INTEGER, PETSC_FALSE, "1", "number of steady states",
     "null vectors in sectors with a trace"},
    {"next_rate", COSPIN_REAL, PETSC_FALSE, "rate", "slowest rate found that is not zero",
     "to a few digits; see task gap"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero", "10 eps |L|"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the steady state", "|L rho| / (|L| |rho|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "residual in a larger window",
     "0 where every cutoff is the deck's"},
    {"trace", COSPIN_REAL, PETSC_FALSE, "1", "trace of the steady state", "recomputed"},
    {"smallest_population", COSPIN_REAL, PETSC_FALSE, "1", "smallest population of the steady state",
     "negative: rounding"},
    {"hermiticity", COSPIN_REAL, PETSC_FALSE, "1", "largest imaginary part of a population", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the steady state's sector", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in this sector", ""},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  double tolerance;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscFunctionReturn(0);
}

/* Smallest population, largest imaginary part of one. */
static PetscErrorCode inspect_populations(const CospinSteadyState *steady, double *smallest,
                                          double *imaginary)
{
  const CospinSpectrum spectrum = steady->spectrum;
  double extremes[2] = {PETSC_MAX_REAL, 0.0};
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(steady->rho, &begin, &end));
  PetscCall(VecGetArrayRead(steady->rho, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(spectrum->sector, i, label);
    if (CospinSystemTrace(spectrum->system, label) == 0.0) continue;
    extremes[0] = PetscMin(extremes[0], PetscRealPart(array[i - begin]));
    extremes[1] = PetscMin(extremes[1], -PetscAbsReal(PetscImaginaryPart(array[i - begin])));
  }
  PetscCall(VecRestoreArrayRead(steady->rho, &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, spectrum->comm));
  *smallest = extremes[0];
  *imaginary = -extremes[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode store_observables(CospinPoint point, const CospinSteadyState *steady,
                                        CospinResults results)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < point->observables->count; k++) {
    const CospinObservable *observable = &point->observables->observables[k];
    double complex *expectations, value;
    PetscCall(PetscMalloc1((size_t)observable->num_expectations + 1, &expectations));
    PetscCall(CospinExpectations(steady->spectrum->sector, steady->rho, observable->num_expectations,
                                 observable->expectations, expectations));
    PetscCall(CospinObservableEvaluate(point->observables, k, expectations, &value));
    PetscCall(PetscFree(expectations));
    PetscCall(CospinResultsSetObservable(results, observable, 0, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode store_state(CospinPoint point, const CospinSteadyState *steady, double tolerance,
                                  CospinResults results, CospinOutcome *outcome)
{
  double smallest = NAN, imaginary = NAN;
  double complex trace;
  PetscInt64 dimension = CospinSectorDimension(steady->spectrum->sector);

  PetscFunctionBeginUser;
  PetscCall(CospinTraceOf(&point->problem->system, steady->spectrum->sector, steady->rho, &trace));
  PetscCall(inspect_populations(steady, &smallest, &imaginary));
  PetscCall(CospinResultsSet(results, "residual", 0, steady->residual));
  PetscCall(CospinResultsSet(results, "leak", 0, steady->leak));
  PetscCall(CospinResultsSet(results, "resolution", 0, steady->spectrum->resolution));
  PetscCall(CospinResultsSet(results, "trace", 0, creal(trace)));
  PetscCall(CospinResultsSet(results, "smallest_population", 0, smallest));
  PetscCall(CospinResultsSet(results, "hermiticity", 0, imaginary));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)steady->spectrum->nonzeros));
  PetscCall(CospinResultsSet(results, "iterations", 0, steady->spectrum->iterations));
  PetscCall(store_observables(point, steady, results));
  if (!(steady->residual <= tolerance) || smallest < -tolerance || imaginary > tolerance) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  char prefix[64];
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinPointSteadyState(point, prefix, &steady));
  *outcome = steady->outcome;
  PetscCall(CospinResultsSet(results, "degeneracy", 0, steady->degeneracy));
  PetscCall(CospinResultsSet(results, "next_rate", 0, steady->next_rate));
  if (steady->rho) PetscCall(store_state(point, steady, tolerance, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskSteady = {
    .record = {"steady", "steady state and its observables", keys},
    .variables = variables,
    .has_observables = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSteadySectors,
    .Run = Run,
};
