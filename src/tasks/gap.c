/*
   Task `gap`: the slowest non-zero eigenvalue of the generator in the sectors where steady states live, the
   rate of approach to the steady state; or in one sector. With an ensemble it is the gap of the
   permutation-symmetric dynamics.

   Eigenvalues below the resolution count as zero; `zeros` tells how many there are.

   The factorisation and the null vectors of the steady state are used again.
*/
#include "settings.h"

static const CospinKey keys[] = {
    COSPIN_TASK_SECTOR_KEY,
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_FALSE, "rate", "spectral gap: slowest rate of approach to the steady state",
     "-Re lambda"},
    {"frequency", COSPIN_REAL, PETSC_FALSE, "rate", "frequency of the slowest mode", "-Im lambda"},
    {"lifetime", COSPIN_REAL, PETSC_FALSE, "time", "lifetime of the slowest mode", "1/rate"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero", "10 eps |L|"},
    {"zeros", COSPIN_INTEGER, PETSC_FALSE, "1", "eigenvalues that count as zero", ""},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the slowest mode",
     "|L x - lambda x| / (|L| |x|)"},
    {"horizon", COSPIN_REAL, PETSC_FALSE, "rate", "frequency up to which no slower mode was missed",
     "inf: certain"},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of its sector", ""},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_ALL, 0, "0", NULL},
    {"frequency", COSPIN_ALL, 0, NULL, NULL},
    {"lifetime", COSPIN_ALL, 0, "1/rate", "1/rate"},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"zeros", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_ALL, 0, "0", "tolerance"},
    {"horizon", COSPIN_ALL, 0, "0", NULL},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok;
  double tolerance;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_FALSE, faults, &sector_ok));
  if (!sector_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The slowest mode so far, and where it was found. */
typedef struct {
  double complex lambda;
  double residual, horizon, resolution;
  PetscInt64 dimension;
  int iterations, zeros;
  CospinOutcome outcome;
} Slowest;

/* Without null vectors *zero tells that the slowest mode is one, and nothing is noted. */
static PetscErrorCode search(CospinSpectrum spectrum, int num_null, Vec null[], Slowest *slowest,
                             PetscBool *zero)
{
  const PetscInt64 dimension = CospinSectorDimension(spectrum->sector);
  CospinMode mode;
  int num;

  PetscFunctionBeginUser;
  *zero = PETSC_FALSE;
  slowest->resolution = PetscMax(slowest->resolution, spectrum->resolution);
  slowest->zeros += num_null;
  if (dimension <= num_null) PetscFunctionReturn(0);
  PetscCall(CospinSpectrumSlowest(spectrum, 1, num_null, null, PETSC_FALSE, &num, &mode));
  slowest->iterations += spectrum->iterations;
  slowest->horizon = PetscMin(slowest->horizon, spectrum->horizon);
  slowest->outcome = CospinOutcomeWorse(slowest->outcome, spectrum->outcome);
  if (num == 0) PetscFunctionReturn(0);
  *zero = (PetscBool)(num_null == 0 && cabs(mode.lambda) <= spectrum->resolution);
  if (!*zero && !(creal(mode.lambda) <= creal(slowest->lambda))) {
    slowest->lambda = mode.lambda;
    slowest->residual = mode.residual;
    slowest->dimension = dimension;
  }
  PetscCall(CospinModesDestroy(num, &mode));
  PetscFunctionReturn(0);
}

/* Null vectors are looked for where there are some, for their search has to end between two eigenvalues. */
static PetscErrorCode search_sector(CospinPoint point, const int representative[], const char prefix[],
                                    Slowest *slowest)
{
  CospinSpectrum spectrum;
  double complex next;
  PetscBool zero = PETSC_FALSE;
  Vec *null = NULL;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(
      CospinSpectrumCreate(point->comm, point->problem, representative, prefix, &point->spectra, &spectrum));
  if (!spectrum) PetscFunctionReturn(0);
  if (!spectrum->has_trace) PetscCall(search(spectrum, 0, NULL, slowest, &zero));
  if (spectrum->has_trace || zero) {
    PetscCall(CospinSpectrumNull(spectrum, &num, &null, &next));
    PetscCall(search(spectrum, num, null, slowest, &zero));
  }
  PetscCall(VecDestroyVecs(num, &null));
  PetscCall(CospinSpectrumDestroy(&spectrum));
  PetscFunctionReturn(0);
}

/* The one steady state, where there is only one; *done tells. */
static PetscErrorCode search_beside(CospinPoint point, const char prefix[], Slowest *slowest, PetscBool *done)
{
  const CospinSteadyState *steady;
  PetscBool zero;
  Vec null;

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, NULL, &steady));
  *done = (PetscBool)(steady->rho != NULL);
  if (!*done) PetscFunctionReturn(0);
  null = steady->rho;
  PetscCall(search(steady->spectrum, 1, &null, slowest, &zero));
  PetscFunctionReturn(0);
}

static PetscErrorCode search_all(CospinPoint point, const CospinRecord *task, const char prefix[],
                                 Slowest *slowest)
{
  PetscBool done = PETSC_FALSE;
  int num, *representatives;

  PetscFunctionBeginUser;
  if (!CospinRecordGet(task, "sector")->numbers)
    PetscCall(search_beside(point, prefix, slowest, &done));
  else if (point->steady.spectrum)
    PetscCall(CospinSpectrumRelease(point->steady.spectrum));
  if (done) PetscFunctionReturn(0);
  PetscCall(CospinTaskSectors(point->problem, task, &num, &representatives));
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
  Slowest slowest = {.lambda = CMPLX(NAN, NAN), .residual = NAN, .horizon = INFINITY, .outcome = COSPIN_GOOD};
  char prefix[64];
  double tolerance, rate;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(search_all(point, task, prefix, &slowest));
  *outcome = slowest.outcome;
  if (PetscIsNanReal(creal(slowest.lambda))) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* nothing but steady states */
  } else if (!(slowest.residual <= tolerance)) {
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  rate = CospinTaskRate(slowest.lambda, slowest.resolution);
  PetscCall(CospinResultsSet(results, "rate", 0, rate));
  PetscCall(
      CospinResultsSet(results, "frequency", 0, CospinTaskFrequency(slowest.lambda, slowest.resolution)));
  PetscCall(CospinResultsSet(results, "lifetime", 0, 1.0 / rate));
  PetscCall(CospinResultsSet(results, "resolution", 0, slowest.resolution));
  PetscCall(CospinResultsSet(results, "zeros", 0, slowest.zeros));
  PetscCall(CospinResultsSet(results, "residual", 0, slowest.residual));
  PetscCall(CospinResultsSet(results, "horizon", 0, slowest.horizon));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)slowest.dimension));
  PetscCall(CospinResultsSet(results, "iterations", 0, slowest.iterations));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskGap = {
    .record = {"gap", "slowest non-zero eigenvalue of the steady state's sector, or of another one", keys},
    .variables = variables,
    .rules = rules,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
