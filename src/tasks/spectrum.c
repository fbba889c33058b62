/*
   Task `spectrum`: the spectrum of a two-time correlation in the steady state,

     S(omega) = integral from -infinity to infinity of exp(-i omega t) ( <A(t) B(0)> - <A> <B> ) dt,

   by default with B = A^+. The light of a mode is A = a^+: a mode of frequency w0 has its line at omega = w0,
   and the integral of S is 2 pi (<a^+ a> - |<a>|^2). The coherent part <A> <B>, a line without width at zero
   frequency, is left out and stored by itself.

     S = R_AB(omega) + R_B+A+(omega)^*,   R_XY(omega) = Tr(X (i omega - L)^-1 Y rho),

   the second one for negative times; both are the same if B = A^+. Each R is a sum over sectors, and each of
   these a rational model (cospin/solver/resolvent.h) that is made exact at one frequency after the other,
   where its error is largest, until the estimate is small on the whole axis, at the frequencies of the
   model's poles (lines between the points of the axis), and far away, where it matters for the integral. The
   last solve of each model only confirms it. The integral of all frequencies is known from the steady state:
   a model that falls short of it has missed lines beyond the axis, and is made exact at its poles there, too,
   until it does not, or for a while.
*/
#include <cospin/point/regression.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>
#include <cospin/solver/resolvent.h>

enum {
  MAX_ORDER = COSPIN_RESOLVENT_MAX_ORDER,
  NUM_STARTS = 3,
  MAX_FAR = 60,
  MAX_STEPS = 80,
  STRIDE = 7,
  MAX_BEYOND = 24
};
static const double largest_residual = 1e-10, largest_leak = 1e-8, negligible = 1e-12, far_factor = 3.0,
                    least_range = 1e-6, /* of the axis, over the norm of the generator */
    negligible_part = 1e-11, golden = 0.61803398874989485;

static const CospinKey keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "operator A of <A(t) B(0)>; for the light of a mode it is dag(a)"},
    {.name = "with",
     .type = COSPIN_KEY_OPERATOR,
     .unit = "",
     .help = "operator B; default: the adjoint of A"},
    {.name = "frequencies",
     .type = COSPIN_KEY_AXIS,
     .required = PETSC_TRUE,
     .unit = "rate",
     .help = "angular frequencies omega at which the spectrum is wanted, ascending"},
    COSPIN_TASK_STEADY_SECTOR_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-6",
     .unit = "",
     .help = "accuracy of the spectrum, relative to its largest value"},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"density", COSPIN_REAL, PETSC_TRUE, "time", "spectrum of <%s(t) B(0)>",
     "integral of exp(-i omega t) (<A(t) B(0)> - <A><B>) dt"},
    {"density_im", COSPIN_REAL, PETSC_TRUE, "time", "spectrum, imaginary part", "0 if B is the adjoint of A"},
    {"error", COSPIN_REAL, PETSC_TRUE, "time", "estimated error of the spectrum",
     "of the rational model, from its residuals and the solves that it was compared with"},
    {"peak", COSPIN_REAL, PETSC_FALSE, "rate", "frequency at which the spectrum is largest",
     "within the axis, between its points too; nan if it is positive nowhere"},
    {"height", COSPIN_REAL, PETSC_FALSE, "time", "largest value of the spectrum", ""},
    {"fwhm", COSPIN_REAL, PETSC_FALSE, "rate", "full width at half maximum",
     "of the region around the peak where the spectrum is above half its height"},
    {"integral", COSPIN_REAL, PETSC_FALSE, "1", "integral of the spectrum over all frequencies",
     "of the rational model"},
    {"power", COSPIN_REAL, PETSC_FALSE, "1", "<AB> - <A><B>",
     "from the steady state; integral = 2 pi power, or the outcome is inaccurate: a line beyond the axis was "
     "missed"},
    {"coherent", COSPIN_REAL, PETSC_FALSE, "1", "coherent part <A><B>",
     "the spectrum has 2 pi coherent delta(omega) besides"},
    {"coherent_im", COSPIN_REAL, PETSC_FALSE, "1", "coherent part, imaginary part", ""},
    {"check", COSPIN_REAL, PETSC_FALSE, "time", "error of the model at the frequency solved last",
     "sum over models, each before that solve was put into it"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "largest residual of a solve", "|b - (s - L) x| / (|L| |x|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "what the generator carries out of the window",
     "of the solution where the spectrum is largest; 0 where every cutoff is the deck's"},
    {"solves", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest sector", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it", ""},
    {.suffix = NULL},
};

/* ---- Settings ------------------------------------------------------------------------------------------ */

typedef struct {
  CospinPolynomial a, b;
  PetscBool symmetric; /* B = A^+ */
  const CospinAxis *axis;
  double tolerance;
} Settings;

static PetscErrorCode free_settings(Settings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialDestroy(&settings->a));
  PetscCall(CospinPolynomialDestroy(&settings->b));
  PetscFunctionReturn(0);
}

static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *settings, PetscBool *ok)
{
  PetscBool operators_ok, axis_ok;

  PetscFunctionBeginUser;
  *settings = (Settings){.axis = &CospinRecordGet(task, "frequencies")->axis};
  PetscCall(
      CospinTaskPair(problem, task, faults, &settings->a, &settings->b, &settings->symmetric, &operators_ok));
  PetscCall(
      CospinTaskCheckAxis(problem, task, "frequencies", "frequency", PETSC_NINFINITY, faults, &axis_ok));
  PetscCall(CospinTaskTolerance(problem, task, faults, &settings->tolerance, ok));
  if (!operators_ok || !axis_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok;
  Settings settings;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  if (!sector_ok) *ok = PETSC_FALSE;
  *dimension =
      (CospinDimension){"frequency", settings.axis->size, settings.axis->values, "rate", "angular frequency"};
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  Settings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinProblemSectors(problem, settings.a, num, representatives));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* ---- The spectrum as a sum of models ------------------------------------------------------------------- */

typedef struct {
  CospinChannel *channel; /* borrowed */
  CospinResolvent model;
  PetscBool mirrored;  /* of negative times: its complex conjugate counts */
  PetscBool closed;    /* nothing can be added */
  PetscBool confirmed; /* the last solve found it good enough */
  double wrong;        /* by how much the last solve found it wrong, as a part of the spectrum */
  int beyond;          /* solves beyond the axis */
} Part;

/* A frequency at which a model is looked at. */
typedef struct {
  double omega, reach; /* beyond the axis: how far around it an error adds to the integral */
} Place;

typedef struct {
  const Settings *settings;
  int num_channels[2];
  CospinChannel *channels[2]; /* of <A(t) B(0)>, of <B^+(t) A^+(0)> */
  int num_parts;
  Part *parts;
  int num_far;
  double far[MAX_FAR], centre;
  double weight; /* of a model's value in the spectrum */
  double complex power, coherent;
  double scale;          /* largest value of the spectrum that is known of */
  Place *places;         /* [axis size + MAX_FAR + MAX_ORDER] */
  CospinOutcome outcome; /* of the solves */
} Emission;

static double complex value_at(const Emission *emission, double omega, double *error)
{
  double complex sum = 0.0;
  double total = 0.0;

  for (int p = 0; p < emission->num_parts; p++) {
    double complex value;
    double wrong;
    CospinResolventValue(emission->parts[p].model, omega, &value, &wrong);
    sum += emission->parts[p].mirrored ? conj(value) : value;
    total += wrong;
  }
  if (error) *error = emission->weight * total;
  return emission->settings->symmetric ? 2.0 * creal(sum) : sum;
}

static double density_at(const Emission *emission, double omega)
{
  return creal(value_at(emission, omega, NULL));
}

static double first_of(const CospinAxis *axis)
{
  return axis->values[0];
}

static double last_of(const CospinAxis *axis)
{
  return axis->values[axis->size - 1];
}

static PetscBool is_on(const CospinAxis *axis, double omega)
{
  return (PetscBool)(omega >= first_of(axis) && omega <= last_of(axis));
}

/* A model's poles as lines: between the points of the axis, or also beyond it. */
static int lines_of(const Emission *emission, const Part *part, PetscBool beyond, Place lines[])
{
  double complex poles[MAX_ORDER];
  const int num_poles = CospinResolventPoles(part->model, poles);
  int num = 0;

  for (int k = 0; k < num_poles; k++) {
    if (creal(poles[k]) >= 0) continue;
    if (beyond || is_on(emission->settings->axis, cimag(poles[k])))
      lines[num++] = (Place){cimag(poles[k]), -creal(poles[k])};
  }
  return num;
}

static Place tail_at(const Emission *emission, double omega)
{
  return (Place){omega, PetscAbsReal(omega - emission->centre)};
}

static double bulk_of(const Emission *emission)
{
  const CospinAxis *axis = emission->settings->axis;

  return PetscMax(PETSC_PI * cabs(emission->power),
                  negligible * emission->scale * (last_of(axis) - first_of(axis)));
}

/* Error that each model may have. */
static double channel_of(const Emission *emission)
{
  return emission->settings->tolerance / (emission->weight * emission->num_parts);
}

/* Whether a model's integral is not what the steady state says, although it is right where it was looked at.
 */
static PetscBool misses_lines(const Emission *emission, const Part *part)
{
  const double complex whole = CospinResolventWhole(part->model);
  const double rounding = negligible_part * CospinResolventSize(part->model);

  return (PetscBool) !(cabs(CospinResolventSum(part->model) - whole) <=
                       PetscMax(channel_of(emission) * 2.0 / PETSC_PI * bulk_of(emission), rounding));
}

static PetscBool looks_beyond(const Emission *emission, const Part *part)
{
  return (PetscBool)(part->beyond < MAX_BEYOND && misses_lines(emission, part));
}

/* Where a model is looked at: on the axis, far away, at its lines. */
static int places_of(const Emission *emission, const Part *part, Place places[])
{
  const CospinAxis *axis = emission->settings->axis;
  int num = 0;

  for (int k = 0; k < axis->size; k++) places[num++] = tail_at(emission, axis->values[k]);
  for (int k = 0; k < emission->num_far; k++) places[num++] = tail_at(emission, emission->far[k]);
  return num + lines_of(emission, part, looks_beyond(emission, part), places + num);
}

/* Error that a model may have. Beyond the axis only the integral is wanted: that of a tail from omega on is
   |omega - centre| times the error there, that of a line its width times the error. */
static double allowed_at(const Emission *emission, Place place)
{
  const PetscBool on_axis = is_on(emission->settings->axis, place.omega);

  return channel_of(emission) * (on_axis ? emission->scale : bulk_of(emission) / place.reach);
}

static void find_scale(Emission *emission)
{
  emission->scale = 0.0;
  for (int p = 0; p < emission->num_parts; p++) {
    const int num = places_of(emission, &emission->parts[p], emission->places);
    for (int k = 0; k < num; k++) {
      const double omega = emission->places[k].omega;
      if (is_on(emission->settings->axis, omega))
        emission->scale = PetscMax(emission->scale, cabs(value_at(emission, omega, NULL)));
    }
  }
}

/* Where a model is worst, and how much worse than allowed; while there is none, somewhere else than before.
 */
static double worst_of(const Emission *emission, const Part *part, Place *place)
{
  const int num = places_of(emission, part, emission->places);
  double worst = -1.0;

  for (int k = 0; k < num; k++) {
    const Place here = emission->places[k];
    double complex value;
    double error, ratio;
    CospinResolventValue(part->model, here.omega, &value, &error);
    ratio = error > 0 ? error / allowed_at(emission, here) : 0.0;
    if (ratio > worst) *place = here;
    worst = PetscMax(worst, ratio);
  }
  if (PetscIsInfReal(worst)) *place = emission->places[STRIDE * CospinResolventSolves(part->model) % num];
  return worst;
}

/* One more frequency in a model, the same one on every rank. What small matrices say may differ by a rounding
   from rank to rank, and ranks that end at different times wait for each other for ever. */
static PetscErrorCode enlarge(Emission *emission, Part *part, Place place)
{
  double complex exact, before;
  int agreed[2];

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(&place, 2, MPI_DOUBLE, 0, part->channel->eigensolver->comm));
  if (!is_on(emission->settings->axis, place.omega)) part->beyond++;
  PetscCall(CospinResolventEnlarge(part->model, place.omega, &exact, &before));
  part->wrong = emission->weight * cabs(exact - before);
  part->confirmed = (PetscBool)(cabs(exact - before) <= allowed_at(emission, place));
  if (CospinResolventExhausted(part->model)) part->closed = part->confirmed = PETSC_TRUE;
  if (CospinResolventSolves(part->model) == MAX_ORDER) part->closed = PETSC_TRUE;
  if (PetscIsInfReal(CospinResolventResidual(part->model))) {
    part->closed = PETSC_TRUE;
    emission->outcome = COSPIN_SOLVER_FAILED;
  }
  agreed[0] = part->closed;
  agreed[1] = part->confirmed;
  PetscCallMPI(MPI_Bcast(agreed, 2, MPI_INT, 0, part->channel->eigensolver->comm));
  part->closed = (PetscBool)agreed[0];
  part->confirmed = (PetscBool)agreed[1];
  PetscFunctionReturn(0);
}

/* The first, the last and the middle frequency of the axis, or of what is beyond it. */
static PetscErrorCode start(Emission *emission, Part *part)
{
  const CospinAxis *axis = emission->settings->axis;
  const int size = axis->size;
  const double starts[NUM_STARTS] = {axis->values[size / 2], size > 2 ? first_of(axis) : emission->far[0],
                                     size > 2 ? last_of(axis) : emission->far[1]};

  PetscFunctionBeginUser;
  part->closed = part->confirmed = CospinResolventExhausted(part->model);
  for (int k = 0; k < NUM_STARTS && !part->closed; k++)
    PetscCall(enlarge(emission, part, tail_at(emission, starts[k])));
  PetscFunctionReturn(0);
}

/* The model that is worst, or else one that has not been confirmed or misses lines; NULL: all are good, or at
   their end. */
static Part *next_part(Emission *emission, Place *place)
{
  double worst = 0.0;
  Part *next = NULL;

  for (int p = 0; p < emission->num_parts; p++) {
    Part *part = &emission->parts[p];
    Place at = {0.0, 0.0};
    double ratio;
    if (part->closed) continue;
    ratio = worst_of(emission, part, &at);
    if (ratio <= 1.0 && part->confirmed && !looks_beyond(emission, part)) continue;
    if (next && ratio <= worst) continue;
    worst = ratio;
    next = part;
    *place = at;
  }
  return next;
}

/* Until all models are good, or the run is to end. */
static PetscErrorCode refine(CospinPoint point, Emission *emission, PetscBool *interrupted)
{
  Place place = {0.0, 0.0};

  PetscFunctionBeginUser;
  *interrupted = PETSC_FALSE;
  for (int p = 0; p < emission->num_parts; p++) PetscCall(start(emission, &emission->parts[p]));
  while (!*interrupted) {
    int p = -1;
    Part *next;
    find_scale(emission);
    next = next_part(emission, &place);
    if (next) p = (int)(next - emission->parts);
    PetscCallMPI(MPI_Bcast(&p, 1, MPI_INT, 0, point->comm));
    if (p < 0) break;
    PetscCall(CospinTaskLeave(point, interrupted));
    if (!*interrupted) PetscCall(enlarge(emission, &emission->parts[p], place));
  }
  PetscFunctionReturn(0);
}

/* ---- Peak and width ------------------------------------------------------------------------------------ */

/* The maximum between two frequencies where there is one only. */
static double maximum_between(const Emission *emission, double low, double high)
{
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double left_value = density_at(emission, left), right_value = density_at(emission, right);

  for (int k = 0; k < MAX_STEPS; k++) {
    if (left_value >= right_value) {
      high = right;
      right = left;
      right_value = left_value;
      left = high - golden * (high - low);
      left_value = density_at(emission, left);
    } else {
      low = left;
      left = right;
      left_value = right_value;
      right = low + golden * (high - low);
      right_value = density_at(emission, right);
    }
  }
  return left_value >= right_value ? left : right;
}

/* Points of the axis and lines of all models, ascending. */
static PetscErrorCode points_of(const Emission *emission, int *num, double **points)
{
  const CospinAxis *axis = emission->settings->axis;
  Place lines[MAX_ORDER];
  PetscInt count;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(axis->size + emission->num_parts * MAX_ORDER), points));
  PetscCall(PetscArraycpy(*points, axis->values, axis->size));
  *num = axis->size;
  for (int p = 0; p < emission->num_parts; p++) {
    const int num_lines = lines_of(emission, &emission->parts[p], PETSC_FALSE, lines);
    for (int k = 0; k < num_lines; k++) (*points)[(*num)++] = lines[k].omega;
  }
  count = *num;
  PetscCall(PetscSortRemoveDupsReal(&count, *points));
  *num = (int)count;
  PetscFunctionReturn(0);
}

/* From the peak in steps of one direction down to `level`, then by halving. The first steps go along the
   points, those beyond the last one double. */
static double crossing(const Emission *emission, int num, const double points[], int peak_at, double peak,
                       double level, int direction)
{
  const double range = PetscMax(points[num - 1] - points[0], emission->settings->axis->size > 1 ? 0.0 : 1.0);
  double inside = peak, outside = peak, step = range / num;
  int at = peak_at;

  for (int k = 0; k < num + MAX_STEPS; k++) {
    at += direction;
    if (at >= 0 && at < num) {
      if (direction * (points[at] - peak) <= 0) continue;
      outside = points[at];
    } else {
      outside += direction * step;
      step *= 2;
    }
    if (!(density_at(emission, outside) > level)) break;
    inside = outside;
  }
  for (int k = 0; k < MAX_STEPS; k++) {
    const double middle = 0.5 * (inside + outside);
    if (density_at(emission, middle) > level)
      inside = middle;
    else
      outside = middle;
  }
  return 0.5 * (inside + outside);
}

static PetscErrorCode store_peak(const Emission *emission, CospinResults results)
{
  int num, best = 0;
  double *points, peak, height = -PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(points_of(emission, &num, &points));
  for (int k = 0; k < num; k++) {
    const double value = density_at(emission, points[k]);
    if (value > height) best = k;
    height = PetscMax(height, value);
  }
  if (height > 0) {
    peak = maximum_between(emission, points[PetscMax(best - 1, 0)], points[PetscMin(best + 1, num - 1)]);
    if (density_at(emission, peak) < height) peak = points[best];
    height = density_at(emission, peak);
    PetscCall(CospinResultsSet(results, "peak", 0, peak));
    PetscCall(CospinResultsSet(results, "height", 0, height));
    PetscCall(CospinResultsSet(results, "fwhm", 0,
                               crossing(emission, num, points, best, peak, 0.5 * height, 1) -
                                   crossing(emission, num, points, best, peak, 0.5 * height, -1)));
  }
  PetscCall(PetscFree(points));
  PetscFunctionReturn(0);
}

/* ---- Setting up, storing ------------------------------------------------------------------------------- */

/* Frequencies beyond the axis, up to where the generator has nothing any more. */
static void set_far(Emission *emission, double norm)
{
  const CospinAxis *axis = emission->settings->axis;
  double distance = PetscMax(0.5 * (last_of(axis) - first_of(axis)), least_range * norm);

  emission->centre = 0.5 * (last_of(axis) + first_of(axis));
  emission->num_far = 0;
  while (emission->num_far + 2 <= MAX_FAR) {
    distance *= far_factor;
    emission->far[emission->num_far++] = emission->centre - distance;
    emission->far[emission->num_far++] = emission->centre + distance;
    if (distance > norm + PetscAbsReal(emission->centre)) break;
  }
}

/* The channels of <X(t) Y(0)>. */
static PetscErrorCode add_channels(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                   CospinPolynomial x, CospinPolynomial y, int which, Emission *emission)
{
  CospinMoves perturbation;
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeftProduct(point->problem, y, &perturbation));
  PetscCall(CospinChannelsCreate(point, prefix, steady, x, perturbation, PETSC_TRUE, &num,
                                 &emission->channels[which]));
  PetscCall(CospinMovesDestroy(&perturbation));
  emission->num_channels[which] = num;
  PetscCall(PetscRealloc(sizeof(Part) * (size_t)(emission->num_parts + num), &emission->parts));
  for (int k = 0; k < num; k++) {
    Part *part = &emission->parts[emission->num_parts++];
    *part = (Part){.channel = &emission->channels[which][k], .mirrored = (PetscBool)which};
    PetscCall(CospinResolventCreate(part->channel, &part->model));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode compute_power(CospinPoint point, const CospinSteadyState *steady, Emission *emission)
{
  CospinPolynomial product;
  double complex a, b;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialMultiply(emission->settings->a, emission->settings->b, &product));
  PetscCall(CospinSteadyExpectation(point, steady, product, &emission->power));
  PetscCall(CospinSteadyExpectation(point, steady, emission->settings->a, &a));
  PetscCall(CospinSteadyExpectation(point, steady, emission->settings->b, &b));
  emission->coherent = a * b;
  emission->power -= emission->coherent;
  PetscCall(CospinPolynomialDestroy(&product));
  PetscFunctionReturn(0);
}

static PetscErrorCode create(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                             Emission *emission)
{
  const Settings *settings = emission->settings;
  const CospinSystem *system = &point->problem->system;

  PetscFunctionBeginUser;
  PetscCall(compute_power(point, steady, emission));
  PetscCall(add_channels(point, prefix, steady, settings->a, settings->b, 0, emission));
  if (!settings->symmetric) {
    CospinPolynomial a, b;
    PetscCall(CospinPolynomialAdjoint(settings->a, CospinSystemElementaryAdjoint, system, &a));
    PetscCall(CospinPolynomialAdjoint(settings->b, CospinSystemElementaryAdjoint, system, &b));
    PetscCall(add_channels(point, prefix, steady, b, a, 1, emission));
    PetscCall(CospinPolynomialDestroy(&b));
    PetscCall(CospinPolynomialDestroy(&a));
  }
  emission->weight = settings->symmetric ? 2.0 : 1.0;
  PetscCall(PetscMalloc1((size_t)settings->axis->size + MAX_FAR + MAX_ORDER, &emission->places));
  set_far(emission, steady->eigensolver->norm);
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(Emission *emission)
{
  PetscFunctionBeginUser;
  for (int p = 0; p < emission->num_parts; p++) PetscCall(CospinResolventDestroy(&emission->parts[p].model));
  PetscCall(PetscFree(emission->parts));
  PetscCall(PetscFree(emission->places));
  for (int which = 0; which < 2; which++)
    PetscCall(CospinChannelsDestroy(emission->num_channels[which], &emission->channels[which]));
  PetscFunctionReturn(0);
}

/* What tells how good the numbers are; the outcome follows from it. */
static PetscErrorCode store_quality(CospinPoint point, const Emission *emission, CospinResults results,
                                    CospinOutcome *outcome)
{
  double residual = 0.0, leak = 0.0, check = 0.0;
  PetscInt64 dimension = 0, nonzeros = 0;
  int solves = 0;

  PetscFunctionBeginUser;
  for (int p = 0; p < emission->num_parts; p++) {
    const Part *part = &emission->parts[p];
    const CospinEigensolver eigensolver = part->channel->eigensolver;
    double leak_now = 0.0;
    Place place;
    if (CospinResolventBrightest(part->model))
      PetscCall(CospinWindowLeakOf(point, eigensolver, CospinResolventBrightest(part->model), &leak_now));
    if (worst_of(emission, part, &place) > 1.0 || !part->confirmed || misses_lines(emission, part))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
    leak = PetscMax(leak, leak_now);
    check += part->wrong;
    residual = PetscMax(residual, CospinResolventResidual(part->model));
    solves += CospinResolventSolves(part->model);
    dimension = PetscMax(dimension, CospinSectorDimension(eigensolver->sector));
    nonzeros = PetscMax(nonzeros, eigensolver->nonzeros);
  }
  if (!(residual <= largest_residual) || !(leak <= largest_leak))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscCall(CospinResultsSet(results, "check", 0, check));
  PetscCall(CospinResultsSet(results, "residual", 0, residual));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "solves", 0, solves));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)nonzeros));
  PetscFunctionReturn(0);
}

static PetscErrorCode store(CospinPoint point, const Emission *emission, CospinResults results,
                            CospinOutcome *outcome)
{
  const CospinAxis *axis = emission->settings->axis;
  double complex sum = 0.0;

  PetscFunctionBeginUser;
  *outcome = CospinOutcomeWorse(*outcome, emission->outcome);
  for (int p = 0; p < emission->num_parts; p++)
    sum += emission->weight * CospinResolventSum(emission->parts[p].model);
  for (int k = 0; k < axis->size; k++) {
    double error;
    const double complex value = value_at(emission, axis->values[k], &error);
    PetscCall(CospinResultsSet(results, "density", k, creal(value)));
    PetscCall(CospinResultsSet(results, "density_im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "error", k, error));
  }
  PetscCall(CospinResultsSet(results, "integral", 0, PETSC_PI * creal(sum)));
  PetscCall(CospinResultsSet(results, "power", 0, creal(emission->power)));
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(emission->coherent)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(emission->coherent)));
  PetscCall(store_peak(emission, results));
  PetscCall(store_quality(point, emission, results, outcome));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  Settings settings;
  Emission emission = {.settings = &settings, .outcome = COSPIN_GOOD};
  char prefix[64];
  PetscBool ok, interrupted;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskSteadyState(point, task, prefix, &steady, outcome));
  if (!steady->rho) PetscFunctionReturn(0);
  PetscCall(get_settings(point->problem, task, NULL, &settings, &ok));
  PetscCall(create(point, prefix, steady, &emission));
  PetscCall(refine(point, &emission, &interrupted));
  if (!interrupted) PetscCall(store(point, &emission, results, outcome));
  if (interrupted) *outcome = COSPIN_NOT_RUN;
  PetscCall(destroy(&emission));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskSpectrum = {
    .record = {"spectrum", "spectrum of a two-time correlation in the steady state, such as that of light",
               keys},
    .variables = variables,
    .factorisations = 10,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
