/*
   Task `gap`: the slowest non-zero eigenvalue of the generator in the sectors where steady states live, the
   rate of approach to the steady state. With an ensemble it is the gap of the permutation-symmetric dynamics.

   The factorisation and the null vectors of the steady state are used again.
*/
#include "settings.h"

enum { MAX_NULL = 64 };

static const CospinKey keys[] = {
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_FALSE, "rate", "spectral gap: slowest rate of approach to the steady state",
     "-Re lambda"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of the slowest mode", "-Im lambda"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the slowest mode",
     "|L x - lambda x| / (|L| |x|)"},
    {"horizon", COSPIN_REAL, PETSC_FALSE, "rate", "frequency up to which no slower mode was missed",
     "inf: certain"},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of its sector", ""},
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

/* The slowest mode so far, and where it was found. */
typedef struct {
  double complex lambda;
  double residual, horizon;
  PetscInt64 dimension;
  int iterations;
  CospinOutcome outcome;
} Slowest;

static PetscErrorCode search(CospinSpectrum spectrum, int num_null, Vec null[], Slowest *slowest)
{
  const PetscInt64 dimension = CospinSectorDimension(spectrum->sector);
  CospinMode mode;
  int num;

  PetscFunctionBeginUser;
  if (dimension <= num_null) PetscFunctionReturn(0);
  PetscCall(CospinSpectrumSlowest(spectrum, 1, num_null, null, PETSC_FALSE, &num, &mode));
  slowest->iterations += spectrum->iterations;
  slowest->horizon = PetscMin(slowest->horizon, spectrum->horizon);
  slowest->outcome = CospinOutcomeWorse(slowest->outcome, spectrum->outcome);
  if (num == 0) PetscFunctionReturn(0);
  if (!(creal(mode.lambda) <= creal(slowest->lambda))) {
    slowest->lambda = mode.lambda;
    slowest->residual = mode.residual;
    slowest->dimension = dimension;
  }
  PetscCall(CospinModesDestroy(num, &mode));
  PetscFunctionReturn(0);
}

static PetscErrorCode search_sector(CospinPoint point, const int representative[], const char prefix[],
                                    Slowest *slowest)
{
  CospinSpectrum spectrum;
  double complex next;
  Vec null[MAX_NULL];
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinSpectrumCreate(point->comm, point->problem, representative, prefix, &spectrum));
  if (!spectrum) PetscFunctionReturn(0);
  PetscCall(CospinSpectrumNull(spectrum, MAX_NULL, &num, null, &next));
  PetscCall(search(spectrum, num, null, slowest));
  for (int k = 0; k < num; k++) PetscCall(VecDestroy(&null[k]));
  PetscCall(CospinSpectrumDestroy(&spectrum));
  PetscFunctionReturn(0);
}

static PetscErrorCode search_all(CospinPoint point, const char prefix[], Slowest *slowest)
{
  const CospinSteadyState *steady;
  int num, *representatives;

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, &steady));
  if (steady->rho) {
    Vec null = steady->rho;
    PetscCall(search(steady->spectrum, 1, &null, slowest));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinTaskSteadySectors(point->problem, NULL, &num, &representatives));
  for (int k = 0; k < num; k++) {
    PetscCall(
        search_sector(point, representatives + k * point->problem->system.num_coordinates, prefix, slowest));
  }
  PetscCall(PetscFree(representatives));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  Slowest slowest = {
      .lambda = CMPLX(NAN, NAN), .residual = NAN, .horizon = PETSC_INFINITY, .outcome = COSPIN_GOOD};
  char prefix[64];
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(search_all(point, prefix, &slowest));
  *outcome = slowest.outcome;
  if (PetscIsNanReal(creal(slowest.lambda))) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* nothing but steady states */
  } else if (!(slowest.residual <= tolerance)) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscCall(CospinResultsSet(results, "rate", 0, -creal(slowest.lambda)));
  PetscCall(CospinResultsSet(results, "frequency", 0, -cimag(slowest.lambda)));
  PetscCall(CospinResultsSet(results, "residual", 0, slowest.residual));
  PetscCall(CospinResultsSet(results, "horizon", 0, slowest.horizon));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)slowest.dimension));
  PetscCall(CospinResultsSet(results, "iterations", 0, slowest.iterations));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskGap = {
    .record = {"gap", "slowest non-zero eigenvalue of the steady state's sector", keys},
    .variables = variables,
    .Check = Check,
    .Sectors = CospinTaskSteadySectors,
    .Run = Run,
};
