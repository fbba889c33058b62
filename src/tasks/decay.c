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
#include <cospin/operator/liouvillian.h>
#include <cospin/point/regression.h>
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
     .help = "how many of the slowest eigenvalues are stored"},
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
     "share of <A(t) A^+(0)> in the steady state"},
    {"weight_im", COSPIN_REAL, PETSC_TRUE, "1", "weight of the mode, imaginary part", ""},
    {"amplitude", COSPIN_REAL, PETSC_TRUE, "1", "amplitude of the mode in %s",
     "|c|, <A>(t) = sum c exp(lambda t) from `initial`; of equal eigenvalues in several sectors the first "
     "has the sum"},
    {"amplitude_re", COSPIN_REAL, PETSC_TRUE, "1", "amplitude, real part", ""},
    {"amplitude_im", COSPIN_REAL, PETSC_TRUE, "1", "amplitude, imaginary part", ""},
    {"residual", COSPIN_REAL, PETSC_TRUE, "1", "residual of the mode", "|L x - lambda x| / (|L| |x|)"},
    {"error", COSPIN_REAL, PETSC_TRUE, "rate", "bound of what rounding does to the eigenvalue",
     "resolution |x||y|/|y^H x|; missing: left vectors are not known"},
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
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"rate", COSPIN_FIRST, 0, "0", NULL},         {"rate", COSPIN_FIRST, 0, "lower", "upper"},
    {"frequency", COSPIN_FIRST, 0, NULL, NULL},   {"lifetime", COSPIN_FIRST, 0, "1/rate", "1/rate"},
    {"amplitude", COSPIN_MAY_MISS, 0, "0", NULL}, {"residual", COSPIN_FIRST, 0, "0", "tolerance"},
    {"error", COSPIN_MAY_MISS, 0, "0", NULL},     {"leak", COSPIN_FIRST, 0, "0", "1e-8"},
    {"resolution", COSPIN_ALL, 0, "0", NULL},     {"horizon", COSPIN_ALL, 0, "0", NULL},
    {"dimension", COSPIN_ALL, 0, "1", NULL},      {"nonzeros", COSPIN_ALL, 0, "0", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},     {.suffix = NULL},
};

/* The operator A (NULL: a sector), where it starts from (NULL: not said), how many modes are wanted. */
typedef struct {
  CospinPolynomial a;
  CospinState initial;
  int count;
  double tolerance;
  PetscBool weights;
} Settings;

static PetscErrorCode destroy_settings(Settings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialDestroy(&settings->a));
  PetscCall(CospinStateDestroy(&settings->initial));
  PetscFunctionReturn(0);
}

static PetscErrorCode read_count(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 int *count, PetscBool *ok)
{
  const CospinSetting *setting = CospinRecordGet(task, "count");
  double value;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumber(problem, task, "count", faults, &value, ok));
  if (*ok && (value < 1 || value > MAX_COUNT || value != PetscFloorReal(value))) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, setting->position, CospinExpressionPath(setting->expression),
                              "cannot store %.6g eigenvalues (must be a whole number from 1 to %d)", value,
                              MAX_COUNT));
  }
  *count = *ok ? (int)value : 1;
  PetscFunctionReturn(0);
}

static PetscErrorCode read_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                    Settings *settings, PetscBool *ok)
{
  const CospinSetting *of = CospinRecordGet(task, "of"), *initial = CospinRecordGet(task, "initial");
  PetscBool a_ok = PETSC_TRUE, count_ok, tolerance_ok, initial_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *settings = (Settings){.weights = (PetscBool)(of->expression && CospinRecordGet(task, "weights")->boolean)};
  if (of->expression) PetscCall(CospinProblemOperator(problem, of->expression, faults, &settings->a, &a_ok));
  if (initial->factors)
    PetscCall(CospinStateCreate(problem, initial, faults, &settings->initial, &initial_ok));
  PetscCall(read_count(problem, task, faults, &settings->count, &count_ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, &tolerance_ok));
  *ok = (PetscBool)(a_ok && initial_ok && count_ok && tolerance_ok);
  PetscFunctionReturn(0);
}

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
  Settings settings;

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

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  Settings settings;
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

/* What is found in all sectors of A. */
typedef struct {
  double complex lambda, weight, amplitude;
  double residual, error, leak, lower, upper;
  int sector;
} Mode;

typedef struct {
  int num, num_sectors;
  Mode *modes;
  PetscInt64 dimension, nonzeros;
  double resolution, horizon;
  double leak; /* of null vectors */
  int iterations;
  CospinOutcome outcome;
} Modes;

/* A^+ rho on the sector of `spectrum`, and Tr(A A^+ rho). */
static PetscErrorCode perturbed_state(CospinPoint point, const Settings *settings,
                                      const CospinSteadyState *steady, CospinEigensolver eigensolver,
                                      Vec *perturbed, double complex *norm)
{
  CospinProblem problem = point->problem;
  CospinPolynomial adjoint, square;
  CospinMoves perturbation, norm_moves;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(settings->a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(settings->a, adjoint, &square));
  PetscCall(CospinTaskLeftProduct(problem, adjoint, &perturbation));
  PetscCall(CospinTaskLeftProduct(problem, square, &norm_moves));
  PetscCall(CospinExpectations(steady->eigensolver->sector, steady->rho, 1, &norm_moves, norm));
  PetscCall(CospinSuperoperatorApply(point->comm, perturbation, steady->eigensolver->sector, steady->rho,
                                     eigensolver->sector, perturbed));
  PetscCall(CospinMovesDestroy(&norm_moves));
  PetscCall(CospinMovesDestroy(&perturbation));
  PetscCall(CospinPolynomialDestroy(&square));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscFunctionReturn(0);
}

/* A vector's share of mode k in Tr(A x): Tr(A R_k) L_k^H(x) */
static PetscErrorCode share(CospinEigensolver eigensolver, CospinMoves a_rho, const CospinMode *mode, Vec x,
                            double complex *value)
{
  double complex reading;
  PetscScalar overlap;

  PetscFunctionBeginUser;
  PetscCall(VecDot(x, mode->left, &overlap)); /* y^H x */
  PetscCall(CospinExpectations(eigensolver->sector, mode->right, 1, &a_rho, &reading));
  *value = reading * overlap;
  PetscFunctionReturn(0);
}

static PetscErrorCode compute_weights(CospinPoint point, const Settings *settings, const char prefix[],
                                      CospinEigensolver eigensolver, CospinMoves a_rho, int num,
                                      const CospinMode found[], Mode modes[])
{
  const CospinSteadyState *steady;
  double complex norm;
  Vec perturbed;

  PetscFunctionBeginUser;
  PetscCall(CospinPointSteadyState(point, prefix, NULL, &steady));
  if (!steady->rho || CospinStateJudge(&steady->quality, settings->tolerance) != COSPIN_GOOD)
    PetscFunctionReturn(0); /* no weights rather than wrong ones */
  PetscCall(perturbed_state(point, settings, steady, eigensolver, &perturbed, &norm));
  for (int k = 0; k < num; k++) {
    PetscCall(share(eigensolver, a_rho, &found[k], perturbed, &modes[k].weight));
    modes[k].weight /= norm;
  }
  PetscCall(VecDestroy(&perturbed));
  PetscFunctionReturn(0);
}

static PetscErrorCode compute_amplitudes(const Settings *settings, CospinEigensolver eigensolver,
                                         CospinMoves a_rho, int num, const CospinMode found[], Mode modes[])
{
  Vec initial;

  PetscFunctionBeginUser;
  PetscCall(MatCreateVecs(eigensolver->liouvillian, &initial, NULL));
  PetscCall(CospinStateVector(settings->initial, eigensolver->sector, initial));
  for (int k = 0; k < num; k++) PetscCall(share(eigensolver, a_rho, &found[k], initial, &modes[k].amplitude));
  PetscCall(VecDestroy(&initial));
  PetscFunctionReturn(0);
}

/* What the left vectors tell. */
static PetscErrorCode compute_shares(CospinPoint point, const Settings *settings, const char prefix[],
                                     CospinEigensolver eigensolver, int num, const CospinMode found[],
                                     Mode modes[])
{
  CospinMoves a_rho;

  PetscFunctionBeginUser;
  if (num == 0 || !found[0].left) PetscFunctionReturn(0);
  PetscCall(CospinTaskLeftProduct(point->problem, settings->a, &a_rho));
  if (settings->initial) PetscCall(compute_amplitudes(settings, eigensolver, a_rho, num, found, modes));
  if (settings->weights)
    PetscCall(compute_weights(point, settings, prefix, eigensolver, a_rho, num, found, modes));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

static PetscErrorCode solve_sector(CospinPoint point, const Settings *settings, const char prefix[],
                                   CospinEigensolver eigensolver, Modes *modes)
{
  const PetscBool shares = (PetscBool)(settings->weights || settings->initial);
  CospinMode *found;
  Vec *null = NULL;
  double complex next;
  int num_null = 0, num;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)settings->count, &found));
  if (eigensolver->has_trace) PetscCall(CospinEigensolverNull(eigensolver, &num_null, &null, &next));
  for (int k = 0; k < num_null; k++) {
    double leak;
    PetscCall(CospinWindowLeak(point, eigensolver, null[k], 0.0, &leak));
    modes->leak = PetscMax(modes->leak, leak);
  }
  PetscCall(CospinEigensolverSlowest(eigensolver, settings->count, num_null, null,
                                     (PetscBool)(shares && num_null == 0), &num, found));
  for (int k = 0; k < num; k++) {
    Mode *mode = &modes->modes[modes->num + k];
    *mode = (Mode){
        found[k].lambda,   CMPLX(NAN, NAN), CMPLX(NAN, NAN), found[k].residual, found[k].error, 0.0, NAN, NAN,
        modes->num_sectors};
    PetscCall(CospinWindowLeak(point, eigensolver, found[k].right, mode->lambda, &mode->leak));
    if (k == 0 && num_null == 0) {
      double lower, upper;
      PetscCall(CospinEigensolverBracket(eigensolver, found[k].left ? found[k].left : found[k].right, &lower,
                                         &upper));
      mode->lower = -upper;
      mode->upper = -lower;
    }
  }
  PetscCall(compute_shares(point, settings, prefix, eigensolver, num, found, modes->modes + modes->num));
  modes->num += num;
  modes->num_sectors++;
  PetscCall(VecDestroyVecs(num_null, &null));
  PetscCall(CospinModesDestroy(num, found));
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

/* A's charges may fit a sector where all of its elements are zero: those modes say nothing of <A>. */
static PetscErrorCode is_read(CospinProblem problem, CospinPolynomial a, CospinEigensolver eigensolver,
                              PetscBool *read)
{
  CospinMoves a_rho;
  PetscReal size;
  Vec reading;

  PetscFunctionBeginUser;
  *read = PETSC_TRUE;
  if (!a) PetscFunctionReturn(0);
  PetscCall(CospinTaskLeftProduct(problem, a, &a_rho));
  PetscCall(CospinReadingCreate(eigensolver, a_rho, &reading));
  PetscCall(VecNorm(reading, NORM_INFINITY, &size));
  *read = (PetscBool)(size > 0);
  PetscCall(VecDestroy(&reading));
  PetscCall(CospinMovesDestroy(&a_rho));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_sector(CospinPoint point, const Settings *settings, const char prefix[],
                                 const int representative[], Modes *modes)
{
  CospinEigensolver eigensolver;
  PetscBool read;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, point->problem, representative, prefix, &point->eigensolvers,
                                    &eigensolver));
  if (!eigensolver) PetscFunctionReturn(0);
  PetscCall(is_read(point->problem, settings->a, eigensolver, &read));
  if (!read) {
    PetscCall(CospinEigensolverDestroy(&eigensolver));
    PetscFunctionReturn(0);
  }
  PetscCall(solve_sector(point, settings, prefix, eigensolver, modes));
  modes->dimension = PetscMax(modes->dimension, CospinSectorDimension(eigensolver->sector));
  modes->nonzeros = PetscMax(modes->nonzeros, eigensolver->nonzeros);
  modes->resolution = PetscMax(modes->resolution, eigensolver->resolution);
  modes->horizon = PetscMin(modes->horizon, eigensolver->horizon);
  modes->iterations += eigensolver->iterations;
  modes->outcome = CospinOutcomeWorse(modes->outcome, eigensolver->outcome);
  PetscCall(CospinEigensolverDestroy(&eigensolver));
  PetscFunctionReturn(0);
}

/* Slowest first, of all sectors. */
static PetscErrorCode sort(Modes *modes)
{
  double complex *lambda;
  double *error;
  Mode *copy;
  int *order;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(modes->num, &lambda, modes->num, &error, modes->num, &order, modes->num, &copy));
  for (int k = 0; k < modes->num; k++) {
    copy[k] = modes->modes[k];
    lambda[k] = copy[k].lambda;
    error[k] = PetscMax(modes->resolution, copy[k].error); /* NaN: the former */
  }
  PetscCall(CospinOrderSlowest(modes->num, lambda, error, order));
  for (int k = 0; k < modes->num; k++) modes->modes[k] = copy[order[k]];
  PetscCall(PetscFree4(lambda, error, order, copy));
  PetscFunctionReturn(0);
}

/* Where A reads several sectors (b those of even-odd and of odd-even elements), modes of the same eigenvalue
   are one term of <A>(t): the first of them gets the sum of their amplitudes, the others none. */
static void add_amplitudes(Modes *modes)
{
  for (int k = 0; k < modes->num; k++) {
    Mode *mode = &modes->modes[k];
    const double close = 1e4 * modes->resolution + 1e-6 * cabs(mode->lambda);
    for (int other = k + 1; other < modes->num; other++) {
      Mode *same = &modes->modes[other];
      if (same->sector == mode->sector || !(cabs(same->lambda - mode->lambda) <= close)) continue;
      mode->amplitude += same->amplitude;
      same->amplitude = 0.0 * same->amplitude; /* what is not a number stays so */
    }
  }
}

/* A rate that cannot be told from zero lies between zero and the resolution. */
static void apply_resolution(Mode *mode, double resolution)
{
  if (CospinTaskRate(mode->lambda, resolution) != 0.0) return;
  mode->lower = 0.0;
  mode->upper = resolution;
}

static PetscErrorCode store_mode(Mode *mode, int k, double resolution, CospinResults results)
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

static PetscErrorCode store(const Modes *modes, int count, double tolerance, CospinResults results,
                            CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  if (modes->num == 0 && *outcome == COSPIN_GOOD) *outcome = COSPIN_EMPTY_SECTOR;
  for (int k = 0; k < PetscMin(modes->num, count); k++) {
    PetscCall(store_mode(&modes->modes[k], k, modes->resolution, results));
    if (!(modes->modes[k].residual <= tolerance) || modes->modes[k].leak > COSPIN_MODE_LEAK ||
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
  Modes modes;
} Search;

/* Windows are made for the modes that are told, and for null vectors. */
static double largest_leak(const Search *s)
{
  double leak = s->modes.leak;

  for (int k = 0; k < PetscMin(s->modes.num, s->count); k++) leak = PetscMax(leak, s->modes.modes[k].leak);
  return leak;
}

static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  Search *s = (Search *)context;
  const CospinPoint point = s->point;
  Settings settings;
  int num, *representatives;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->modes.modes));
  s->modes = (Modes){.outcome = COSPIN_GOOD, .horizon = INFINITY};
  PetscCall(read_settings(point->problem, s->task, NULL, &settings, &ok));
  PetscCall(Sectors(point->problem, s->task, &num, &representatives));
  if (point->steady.eigensolver) PetscCall(CospinEigensolverRelease(point->steady.eigensolver));
  PetscCall(PetscCalloc1((size_t)num * (size_t)settings.count, &s->modes.modes));
  for (int k = 0; k < num; k++) {
    PetscCall(add_sector(point, &settings, s->prefix,
                         representatives + k * point->problem->system.num_coordinates, &s->modes));
  }
  PetscCall(sort(&s->modes));
  add_amplitudes(&s->modes);
  *leak = largest_leak(s);
  *outcome = s->modes.outcome;
  PetscCall(PetscFree(representatives));
  PetscCall(destroy_settings(&settings));
  PetscFunctionReturn(0);
}

static PetscErrorCode grow(void *context, PetscBool *grown)
{
  const Search *s = (const Search *)context;
  int num, *sectors;

  PetscFunctionBeginUser;
  PetscCall(Sectors(s->point->problem, s->task, &num, &sectors));
  PetscCall(CospinWindowGrow(s->point, sectors, grown));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  static const CospinWindowUser user = {COSPIN_MODE_LEAK, solve, grow};
  char prefix[64];
  Search search = {.point = point, .task = task, .prefix = prefix};
  double tolerance, leak;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(read_count(point->problem, task, NULL, &search.count, &ok));
  PetscCall(CospinWindowSettle(&user, &search, &leak, outcome));
  PetscCall(store(&search.modes, search.count, tolerance, results, outcome));
  PetscCall(PetscFree(search.modes.modes));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskDecay = {
    .record = {"decay", "slowest eigenvalues of the sector in which an operator lives, or of a given one",
               keys},
    .variables = variables,
    .rules = rules,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
