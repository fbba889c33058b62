/*
   Task `gap` with a `period`: the slowest modes of the map of one period in the sectors where steady states
   live, in another one, or in all. A mode's multiplier is mu = exp(lambda T), so its rate is -log|mu|/T; its
   frequency is known modulo 2 pi/T, and the one that is told is the smallest.

   Fixed points are counted first and left out (`zeros`). Multipliers of modulus one that are not one are told
   as modes of rate 0: what oscillates for ever with another period.

   What has decayed to the error of a map within a period has no rate that could be told: its error is larger
   than it, and the outcome `inaccurate`. No left vectors are known, so the error is an estimate by the
   residual.

   lambda = log(mu)/T has the error |d mu|/(|mu| T): the same error of a map spoils a rate the more, the more
   its mode decays within a period. Rates and frequencies are in the inverse of the deck's unit of time.
*/
#include "periodic.h"
#include <cospin/solver/dense.h>

static const CospinKey keys[] = {{.name = NULL}}; /* they are those of `gap` */

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_TRUE, "rate", "slowest rate of approach to the periodic steady state",
     "-log|mu|/T of a multiplier mu of the map of one period T"},
    {"frequency", COSPIN_REAL, PETSC_TRUE, "rate", "frequency of the slowest mode",
     "-arg(mu)/T, modulo 2 pi/T"},
    {"lifetime", COSPIN_REAL, PETSC_TRUE, "time", "lifetime of the slowest mode", "1/rate"},
    {"error", COSPIN_REAL, PETSC_TRUE, "rate", "estimated error of the rate",
     "ten times (residual + error of a map)/(|mu| T)"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero",
     "ten tolerances over the period"},
    {"zeros", COSPIN_INTEGER, PETSC_FALSE, "1", "fixed points of the map", ""},
    {"residual", COSPIN_REAL, PETSC_TRUE, "1", "residual of the slowest mode", "|M x - mu x|/|x|"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "largest change of a multiplier when open windows grew by half",
     "0 if no window is open"},
    {"dimension", COSPIN_INTEGER, PETSC_TRUE, "1", "dimension of its sector", ""},
    {"charge", COSPIN_INTEGER, PETSC_TRUE, "1", "charge of its sector",
     "excitations of the ket minus those of the bra, modulo a parity where only that is conserved"},
    {"maps", COSPIN_INTEGER, PETSC_FALSE, "1", "periods that were followed", ""},
    {"products", COSPIN_INTEGER, PETSC_FALSE, "1", "products with the generator", ""},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_FIRST, 0, "0", NULL},
    {"frequency", COSPIN_FIRST, 0, NULL, NULL},
    {"lifetime", COSPIN_FIRST, 0, "1/rate", "1/rate"},
    {"error", COSPIN_FIRST, 0, "0", NULL},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"zeros", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_FIRST, 0, "0", "tolerance"},
    {"leak", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"dimension", COSPIN_FIRST, 0, "1", NULL},
    {"maps", COSPIN_ALL, 0, "0", NULL},
    {"products", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

/* Without `count` there is no dimension `mode`, as in `gap`. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok, count_ok = PETSC_TRUE;
  double count;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_FALSE, faults, &sector_ok));
  PetscCall(CospinTaskNumberOr(problem, task, "count", 1.0, faults, &count, &count_ok));
  if (CospinRecordGet(task, "count")->expression)
    *dimension = (CospinDimension){"mode", (int)count, NULL, "1", "mode, slowest first"};
  if (!sector_ok || !count_ok) *ok = PETSC_FALSE;
  if (*ok) PetscCall(CospinPeriodicCheck(problem, task, faults, ok));
  PetscFunctionReturn(0);
}

/* A mode, and where it was found. */
typedef struct {
  double complex mu;
  double residual;
  PetscInt64 dimension;
  int charge;
} Mode;

/* The slowest of all sectors. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  int wanted, num, zeros, maps, products;
  double map_tolerance;
  Mode *modes; /* [2*wanted]: those kept so far, and those of one more sector */
  CospinOutcome outcome;
} Slowest;

/* Slowest first; more than are wanted are forgotten. Equal moduli: the order of CospinOrderSlowest.
   It is one of log(mu) with the error of that, as of a period of 1: the order does not depend on T. */
static PetscErrorCode sort(Slowest *slowest)
{
  double complex *lambda;
  double *error;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(slowest->num, &lambda, slowest->num, &error));
  for (int k = 0; k < slowest->num; k++) {
    lambda[k] = CospinPeriodicExponent(slowest->modes[k].mu, 1.0);
    error[k] = slowest->map_tolerance / cabs(slowest->modes[k].mu);
  }
  PetscCall(CospinSortSlowest(slowest->num, lambda, error, sizeof(*slowest->modes), slowest->modes));
  slowest->num = PetscMin(slowest->num, slowest->wanted);
  PetscCall(PetscFree2(lambda, error));
  PetscFunctionReturn(0);
}

/* Beside its fixed points. A sector where less has converged than it has been asked for says so. */
static PetscErrorCode search(CospinProblem problem, CospinPeriodic *periodic, Slowest *slowest)
{
  const PetscInt64 dimension = CospinSectorDimension(periodic->sector);
  const int wanted = (int)PetscMin(slowest->wanted, dimension - periodic->num_fixed);
  int label[COSPIN_MAX_COORDINATES], num, ket, bra;
  Mode mode = {.dimension = dimension};
  CospinMultiplier *found;

  PetscFunctionBeginUser;
  CospinSectorLabel(periodic->sector, 0, label);
  PetscCall(CospinProblemSectorNumbers(problem, label, &mode.charge, &ket, &bra));
  PetscCall(PetscCalloc1((size_t)slowest->wanted, &found));
  PetscCall(CospinPeriodSearch(&periodic->map, COSPIN_MULTIPLIER_SLOWEST, slowest->wanted,
                               periodic->map.tolerance, periodic->num_fixed, periodic->fixed, &num, found));
  if (num < wanted || periodic->map.failed) slowest->outcome = COSPIN_NOT_CONVERGED;
  for (int k = 0; k < num; k++) {
    mode.mu = found[k].mu;
    mode.residual = found[k].residual;
    slowest->modes[slowest->num++] = mode;
    PetscCall(VecDestroy(&found[k].x));
  }
  PetscCall(PetscFree(found));
  PetscCall(sort(slowest));
  PetscFunctionReturn(0);
}

/* A sector without a trace has no fixed point as a rule; one that it has is a coherence that lasts. */
static PetscErrorCode add_sector(Slowest *slowest, CospinProblem problem, const int representative[])
{
  CospinPeriodic periodic;

  PetscFunctionBeginUser;
  PetscCall(CospinPeriodicOpen(slowest->point, problem, slowest->task, representative, &periodic));
  if (periodic.map.generator) {
    slowest->map_tolerance = periodic.map.tolerance;
    PetscCall(CospinPeriodicFix(&periodic));
    slowest->zeros += periodic.num_fixed;
    slowest->outcome = CospinOutcomeWorse(slowest->outcome, periodic.outcome);
    PetscCall(search(problem, &periodic, slowest));
  }
  slowest->maps += periodic.map.maps;
  slowest->products += periodic.map.products;
  PetscCall(CospinPeriodicClose(&periodic));
  PetscFunctionReturn(0);
}

/* A CospinPeriodicSolve: multipliers must not change in larger windows. Moduli are compared: of a pair of
   conjugates either may come first. `maps` and `products` go on counting through all windows. */
static PetscErrorCode solve(void *context, CospinProblem problem, int *num, double complex **values,
                            CospinOutcome *outcome)
{
  Slowest *slowest = (Slowest *)context;
  int num_sectors, *sectors;

  PetscFunctionBeginUser;
  slowest->num = slowest->zeros = 0;
  slowest->outcome = COSPIN_GOOD;
  PetscCall(CospinTaskSectors(problem, slowest->task, &num_sectors, &sectors));
  for (int k = 0; k < num_sectors; k++)
    PetscCall(add_sector(slowest, problem, sectors + k * problem->system.num_coordinates));
  PetscCall(PetscFree(sectors));
  *num = slowest->num;
  PetscCall(PetscMalloc1((size_t)*num + 1, values));
  for (int k = 0; k < *num; k++) (*values)[k] = cabs(slowest->modes[k].mu);
  *outcome = slowest->outcome;
  PetscFunctionReturn(0);
}

/* A rate within the resolution is zero, and has no lifetime. The error is taken ten times (`caution`), for a
   residual alone does not tell how far from normal the map is. */
static PetscErrorCode store_mode(const Slowest *slowest, int k, double period, double tolerance,
                                 CospinResults results, CospinOutcome *outcome)
{
  static const double caution = 10.0;
  const Mode *mode = &slowest->modes[k];
  const double resolution = COSPIN_PERIODIC_ZERO * tolerance / period;
  const double complex lambda = CospinPeriodicExponent(mode->mu, period);
  const double rate = CospinTaskRate(lambda, resolution);
  const double error = caution * (mode->residual + slowest->map_tolerance) / (cabs(mode->mu) * period);

  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "rate", k, rate));
  PetscCall(CospinResultsSet(results, "frequency", k, CospinTaskFrequency(lambda, resolution)));
  PetscCall(CospinResultsSet(results, "lifetime", k, 1.0 / rate));
  PetscCall(CospinResultsSet(results, "error", k, error));
  PetscCall(CospinResultsSet(results, "residual", k, mode->residual));
  PetscCall(CospinResultsSet(results, "dimension", k, (double)mode->dimension));
  PetscCall(CospinResultsSet(results, "charge", k, mode->charge));
  if (!(mode->residual <= tolerance) || CospinTaskUncertain(lambda, error, resolution))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* Of a sector with fixed points only there is no rate: that is an outcome and not a zero. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  Slowest slowest = {.point = point, .task = task};
  CospinPeriodicWindows windows = {.point = point, .task = task, .Solve = solve, .context = &slowest};
  double leak, period, count;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &windows.tolerance, &ok));
  PetscCall(CospinTaskNumber(point->problem, task, "period", NULL, &period, &ok));
  PetscCall(CospinTaskNumberOr(point->problem, task, "count", 1.0, NULL, &count, &ok));
  slowest.wanted = (int)count;
  PetscCall(PetscMalloc1(2 * (size_t)slowest.wanted, &slowest.modes));
  PetscCall(CospinPeriodicSettle(&windows, &leak, outcome));
  if (slowest.num == 0) *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* fixed points only */
  for (int k = 0; k < slowest.num; k++)
    PetscCall(store_mode(&slowest, k, period, windows.tolerance, results, outcome));
  PetscCall(CospinResultsSet(results, "resolution", 0, COSPIN_PERIODIC_ZERO * windows.tolerance / period));
  PetscCall(CospinResultsSet(results, "zeros", 0, slowest.zeros));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "maps", 0, slowest.maps));
  PetscCall(CospinResultsSet(results, "products", 0, slowest.products));
  PetscCall(PetscFree(slowest.modes));
  PetscCall(CospinPeriodicSettled(&windows));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskPeriodicGap = {
    .record = {"gap", "slowest modes of the map of one period", keys},
    .variables = variables,
    .rules = rules,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .follows_time = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
