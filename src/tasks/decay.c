/*
   Task `decay`: how the expectation value of an operator A decays. Its elements Tr(A rho) lie in one sector
   (or a few); the slowest eigenvalues there are the decay rates of fringes and the linewidths of light. Or
   simply the slowest eigenvalues of a sector.

     <A>(t) = sum_k c_k exp(lambda_k t),   decay_rate = -Re lambda_k,   decay_frequency = -Im lambda_k

   The weight of mode k is its share of the two-time correlation in the steady state (quantum regression),

     <A(t) A^+(0)> / <A A^+> = sum_k w_k exp(lambda_k t),   w_k = Tr(A R_k) L_k^H(A^+ rho) / Tr(A A^+ rho).

   From a state rho_0 the coefficients are c_k = Tr(A R_k) L_k^H(rho_0), with L_k^H(R_k) = 1: `amplitude`.

   A rate below the resolution of double precision is stored as zero, between the bounds 0 and the resolution,
   never as the rounding error that the solver returned.

   Where the sector's matrix has no negative off-diagonal element the slowest eigenvalue is real and a
   rigorous bracket of its rate is stored (cospin/solver/eigensolver.h).
*/
#include "decay_modes.h"
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

enum { MAX_COUNT = 1000 };
static const CospinKey keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .instead = "sector",
     .unit = "",
     .help = "operator whose expectation value decays; it chooses the sector"},
    COSPIN_TASK_SECTOR_KEY,
    {.name = "initial",
     .type = COSPIN_KEY_STATE,
     .unit = "",
     .help = "state at time 0: the amplitude of each mode in <A>(t) from there is stored"},
    {.name = "count",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1",
     .unit = "",
     .help = "how many of the slowest eigenvalues are stored",
     .least = 1,
     .most = MAX_COUNT,
     .range = "a whole number from 1 to 1000"},
    {.name = "weights",
     .type = COSPIN_KEY_BOOLEAN,
     .default_text = "true",
     .unit = "",
     .help = "compute the share of each mode in <A(t) A^+(0)> of the steady state (needs the steady state)"},
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"rate", COSPIN_REAL, PETSC_TRUE, "rate", "decay rate of %s", "-Re lambda"},
    {"frequency", COSPIN_REAL, PETSC_TRUE, "rate", "frequency of %s",
     "-Im lambda; positive: exp(-i omega t)"},
    {"lifetime", COSPIN_REAL, PETSC_TRUE, "time", "lifetime of the mode",
     "1/rate; inf: longer than 1/resolution"},
    {"lower", COSPIN_REAL, PETSC_TRUE, "rate", "lower bound of the decay rate",
     "rigorous: Collatz-Wielandt; 0 below the resolution"},
    {"upper", COSPIN_REAL, PETSC_TRUE, "rate", "upper bound of the decay rate",
     "rigorous: Collatz-Wielandt; the resolution below it"},
    {"weight", COSPIN_REAL, PETSC_TRUE, "1", "weight of the mode, real part",
     "share of <A(t) A^+(0)> in the steady state; missing where rounding leaves fewer than seven digits"},
    {"weight_im", COSPIN_REAL, PETSC_TRUE, "1", "weight of the mode, imaginary part", ""},
    {"amplitude", COSPIN_REAL, PETSC_TRUE, "1", "amplitude of the mode in %s",
     "|c|, <A>(t) = sum c exp(lambda t) from `initial`; of equal eigenvalues in several sectors the first "
     "has the sum"},
    {"amplitude_re", COSPIN_REAL, PETSC_TRUE, "1", "amplitude, real part", ""},
    {"amplitude_im", COSPIN_REAL, PETSC_TRUE, "1", "amplitude, imaginary part", ""},
    {"residual", COSPIN_REAL, PETSC_TRUE, "1", "residual of the mode", "|L x - lambda x| / (|L| |x|)"},
    {"error", COSPIN_REAL, PETSC_TRUE, "rate", "bound of what rounding and the residual do to the eigenvalue",
     "resolution |x||y|/|y^H x|, with ten residuals beside the resolution; without left vectors an "
     "estimate from the right ones, missing where it is small"},
    {"leak", COSPIN_REAL, PETSC_TRUE, "1", "residual of the mode in a larger window",
     "0 where every cutoff is the deck's"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this cannot be told from zero",
     "10 eps times the largest sum of moduli of terms in a column"},
    {"horizon", COSPIN_REAL, PETSC_FALSE, "rate",
     "distance in frequency within which no slower mode was missed",
     "from the mean frequency of the sector; inf: certain"},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the sector (the largest, if several)", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in this sector",
     "0: held without a matrix"},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "restarts of the eigensolver", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    COSPIN_TASK_WORK_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_FIRST, 0, "0", NULL},
    {"rate", COSPIN_FIRST, 0, "lower", "upper"},
    {"frequency", COSPIN_FIRST, 0, NULL, NULL},
    {"lifetime", COSPIN_FIRST, 0, "1/rate", "1/rate"},
    {"amplitude", COSPIN_MAY_MISS, 0, "0", NULL},
    {"residual", COSPIN_FIRST, 0, "0", "tolerance"},
    {"error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"leak", COSPIN_FIRST, 0, "0", "1e-8"},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"horizon", COSPIN_ALL, 0, "0", NULL},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"nonzeros", COSPIN_ALL, 0, "0", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    COSPIN_TASK_WORK_RULES,
    {.suffix = NULL},
};

static PetscErrorCode destroy_settings(CospinDecaySettings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialDestroy(&settings->a));
  PetscCall(CospinStateDestroy(&settings->initial));
  PetscFunctionReturn(0);
}

/* `count` may be an expression; after a fault it is 1, so that the other keys can be looked at. */
static PetscErrorCode read_count(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 int *count, PetscBool *ok)
{
  double value;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumber(problem, task, "count", faults, &value, ok));
  *count = *ok ? (int)value : 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode read_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                    CospinDecaySettings *settings, PetscBool *ok)
{
  const CospinSetting *of = CospinRecordGet(task, "of"), *initial = CospinRecordGet(task, "initial");
  PetscBool a_ok = PETSC_TRUE, count_ok, tolerance_ok, initial_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *settings = (CospinDecaySettings){
      .weights = (PetscBool)(of->expression && CospinRecordGet(task, "weights")->boolean)};
  if (of->expression) PetscCall(CospinProblemOperator(problem, of->expression, faults, &settings->a, &a_ok));
  if (initial->factors)
    PetscCall(CospinStateCreate(problem, initial, faults, &settings->initial, &initial_ok));
  PetscCall(read_count(problem, task, faults, &settings->count, &count_ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, &tolerance_ok));
  *ok = (PetscBool)(a_ok && initial_ok && count_ok && tolerance_ok);
  PetscFunctionReturn(0);
}

/* A sector alone has no operator whose amplitudes there could be. */
static PetscErrorCode check_initial(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                    PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = (PetscBool)(!CospinRecordGet(task, "initial")->factors || CospinRecordGet(task, "of")->expression);
  if (*ok) PetscFunctionReturn(0);
  PetscCall(CospinTaskFail(problem, task, "initial", faults, ok,
                           "needs `of`: amplitudes are those of an operator (put `of` in place of `sector`, "
                           "or leave `initial` out)"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinExpression of = CospinRecordGet(task, "of")->expression;
  PetscBool initial_ok, sector_ok;
  CospinDecaySettings settings;

  PetscFunctionBeginUser;
  PetscCall(check_initial(problem, task, faults, &initial_ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_FALSE, faults, &sector_ok));
  PetscCall(read_settings(problem, task, faults, &settings, ok));
  *dimension = (CospinDimension){"mode", settings.count, NULL, "1", "mode, slowest first"};
  if (*ok && settings.a && settings.a->count == 0) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(of), CospinExpressionPath(of),
                              "this operator is zero (must be an operator that decays, such as ions.Sp)"));
  }
  if (!initial_ok || !sector_ok) *ok = PETSC_FALSE;
  PetscCall(destroy_settings(&settings));
  PetscFunctionReturn(0);
}

/* An operator may live in several sectors, such as Sx in those of Sp and Sm. */
static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinDecaySettings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(read_settings(problem, task, NULL, &settings, &ok));
  if (settings.a)
    PetscCall(CospinProblemSectors(problem, settings.a, num, representatives));
  else
    PetscCall(CospinTaskSectors(problem, task, num, representatives));
  PetscCall(destroy_settings(&settings));
  PetscFunctionReturn(0);
}

/* A rate that cannot be told from zero lies between zero and the resolution. */
static void apply_resolution(CospinDecayMode *mode, double resolution)
{
  if (CospinTaskRate(mode->lambda, resolution) != 0.0) return;
  mode->lower = 0.0;
  mode->upper = resolution;
}

/* A mode as its row of variables; bounds that resolution spoils are replaced first. */
static PetscErrorCode store_mode(CospinDecayMode *mode, int k, double resolution, CospinResults results)
{
  const double rate = CospinTaskRate(mode->lambda, resolution);

  PetscFunctionBeginUser;
  apply_resolution(mode, resolution);
  PetscCall(CospinResultsSet(results, "rate", k, rate));
  PetscCall(CospinResultsSet(results, "frequency", k, CospinTaskFrequency(mode->lambda, resolution)));
  PetscCall(CospinResultsSet(results, "lifetime", k, 1.0 / rate));
  PetscCall(CospinResultsSet(results, "lower", k, mode->lower));
  PetscCall(CospinResultsSet(results, "upper", k, mode->upper));
  PetscCall(CospinResultsSet(results, "weight", k, creal(mode->weight)));
  PetscCall(CospinResultsSet(results, "weight_im", k, cimag(mode->weight)));
  PetscCall(CospinResultsSet(results, "amplitude", k, cabs(mode->amplitude)));
  PetscCall(CospinResultsSet(results, "amplitude_re", k, creal(mode->amplitude)));
  PetscCall(CospinResultsSet(results, "amplitude_im", k, cimag(mode->amplitude)));
  PetscCall(CospinResultsSet(results, "residual", k, mode->residual));
  PetscCall(CospinResultsSet(results, "error", k, mode->error));
  PetscCall(CospinResultsSet(results, "leak", k, mode->leak));
  PetscFunctionReturn(0);
}

/* Of every sector `count` modes were found; the slowest of all are told. Modes of several sectors were
   merged and sorted before: `count` of each are enough for the `count` slowest of all. */
static PetscErrorCode store(const CospinDecayModes *modes, int count, double tolerance, double largest_leak,
                            CospinResults results, CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  if (modes->num == 0 && *outcome == COSPIN_GOOD) *outcome = COSPIN_EMPTY_SECTOR;
  for (int k = 0; k < PetscMin(modes->num, count); k++) {
    PetscCall(store_mode(&modes->modes[k], k, modes->resolution, results));
    if (!(modes->modes[k].residual <= tolerance) || modes->modes[k].leak > largest_leak ||
        CospinTaskUncertain(modes->modes[k].lambda, modes->modes[k].error, modes->resolution))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  }
  PetscCall(CospinResultsSet(results, "resolution", 0, modes->resolution));
  PetscCall(CospinResultsSet(results, "horizon", 0, modes->horizon));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)modes->dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)modes->nonzeros));
  PetscCall(CospinResultsSet(results, "iterations", 0, modes->iterations));
  PetscFunctionReturn(0);
}

/* Of a CospinWindowUser. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  const char *prefix;
  int count;
  CospinDecayModes modes;
} Search;

/* Windows are made for the modes that are told, and for null vectors. Modes that were found but are not
   told may leak as they like. */
static double largest_leak(const Search *s)
{
  double leak = s->modes.leak;

  for (int k = 0; k < PetscMin(s->modes.num, s->count); k++) leak = PetscMax(leak, s->modes.modes[k].leak);
  return leak;
}

/* Weights ask for the steady state, for which a window of labels may have to grow: that makes another
   problem, so it is done before anything is made of this one. (Open windows have been settled by whoever runs
   the task.) */
static PetscErrorCode settle(const Search *s)
{
  const CospinSteadyState *steady;

  PetscFunctionBeginUser;
  if (s->point->problem->system.window && CospinRecordGet(s->task, "of")->expression &&
      CospinRecordGet(s->task, "weights")->boolean)
    PetscCall(CospinPointSteadyState(s->point, s->prefix, NULL, &steady));
  PetscFunctionReturn(0);
}

/* A CospinWindowUser's: all sectors in the windows as they are. Factors of the steady state's sector are
   freed first, for several factorisations may not fit beside each other. */
static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  Search *s = (Search *)context;
  const CospinPoint point = s->point;
  CospinDecaySettings settings;
  int num, *representatives;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(settle(s));
  PetscCall(PetscFree(s->modes.modes));
  s->modes = (CospinDecayModes){.outcome = COSPIN_GOOD, .horizon = INFINITY};
  PetscCall(read_settings(point->problem, s->task, NULL, &settings, &ok));
  PetscCall(Sectors(point->problem, s->task, &num, &representatives));
  if (point->steady.eigensolver) PetscCall(CospinEigensolverRelease(point->steady.eigensolver));
  PetscCall(PetscCalloc1((size_t)num * (size_t)settings.count, &s->modes.modes));
  for (int k = 0; k < num; k++) {
    PetscCall(CospinDecayAddSector(point, &settings, s->prefix,
                                   representatives + k * point->problem->system.num_coordinates, &s->modes));
  }
  PetscCall(CospinDecaySort(&s->modes));
  CospinDecayAddAmplitudes(&s->modes);
  *leak = largest_leak(s);
  *outcome = s->modes.outcome;
  PetscCall(PetscFree(representatives));
  PetscCall(destroy_settings(&settings));
  PetscFunctionReturn(0);
}

/* The first sector decides whether the larger problem would fit into memory. */
static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  const Search *s = (const Search *)context;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(Sectors(s->point->problem, s->task, &num, &sectors));
  PetscCall(CospinWindowGrow(s->point, sectors, factor, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinWindowUser user = {CospinWindowTolerance(point->problem, COSPIN_MODE_LEAK), solve, grow};
  char prefix[64];
  Search search = {.point = point, .task = task, .prefix = prefix};
  double tolerance, leak;
  PetscBool ok;
  CospinWork before;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolversWork(&point->eigensolvers, NULL, &before));
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(read_count(point->problem, task, NULL, &search.count, &ok));
  PetscCall(CospinWindowSettle(&user, &search, &leak, outcome));
  PetscCall(store(&search.modes, search.count, tolerance, user.tolerance, results, outcome));
  PetscCall(PetscFree(search.modes.modes));
  PetscCall(CospinTaskStoreWork(point, &before, results));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskDecay = {
    .record = {"decay", "slowest eigenvalues of the sector in which an operator lives, or of a given one",
               keys},
    .variables = variables,
    .rules = rules,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
