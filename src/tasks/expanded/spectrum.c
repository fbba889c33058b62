/*
   Task `spectrum` under `operator: expansion`: the integral of exp(-i omega t) (<A(t) B(0)> - <A><B>) dt,

     S = R_AB(omega) + R_B+A+(omega)^*,   R_XY(omega) = Tr(X (i omega - L)^-1 Y rho),

   both the same if B = A^+. Each R is a sum over channels that may be evaluated at any frequency.

   Convention: omega is positive where <A(t) B> ~ exp(i omega t), hence i omega - L in the resolvent of
   positive times; negative times are the complex conjugate of the pair (B^+, A^+), by <A(-t) B> = <B^+(t)
   A^+>^* of a stationary state. The integral of S over omega is 2 pi (<AB> - <A><B>), `power`; the limit
   <A><B> is a delta at omega = 0, which is stored as `coherent` and is not in S.
*/
#include "tasks/light.h"
#include "two_time.h"
#include <cospin/point/line.h>
#include <math.h>

/* Where lines are looked for: at the imaginary parts of that many modes and at the points of the axis. */
enum { MAX_LINES = 40 }; /* of a channel: the slowest modes */

static const CospinKey keys[] = {
    COSPIN_LIGHT_PAIR_KEYS,
    COSPIN_LIGHT_FREQUENCIES_KEY,
    COSPIN_EXPANDED_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_DENSITY_VARIABLES,
    COSPIN_LIGHT_LINE_VARIABLES,
    {"power", COSPIN_REAL, PETSC_FALSE, "1", "<AB> - <A><B>",
     "from the steady state; the integral over all frequencies is 2 pi power"},
    COSPIN_LIGHT_COHERENT_VARIABLES,
    COSPIN_EXPANDED_TWO_TIME_VARIABLES("time"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"density", COSPIN_ALL, 0, NULL, NULL},
    {"error", COSPIN_ALL, 0, "0", NULL},
    {"bound", COSPIN_ALL, 0, "0", NULL},
    COSPIN_EXPANDED_RULES,
    {.suffix = NULL},
};

/* Of positive and, unless B = A^+, of negative times. */
typedef struct {
  PetscBool symmetric;
  CospinExpandedTwoTime parts[2];
} Spectrum;

/* B = A^+: both halves are conjugates of each other, and half of the work is saved. */
static double complex combine(PetscBool symmetric, double complex positive, double complex negative)
{
  return symmetric ? 2 * creal(positive) : positive + conj(negative);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *axis = &CospinRecordGet(task, "frequencies")->axis;
  CospinPolynomial a, b;
  PetscBool pair_ok, adjoint, axis_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  PetscCall(CospinTaskPair(problem, task, faults, &a, &b, &adjoint, &pair_ok));
  if (*ok && pair_ok) PetscCall(CospinExpandedCheckParity(problem, task, a, faults, ok));
  PetscCall(
      CospinTaskCheckAxis(problem, task, "frequencies", "frequency", PETSC_NINFINITY, faults, &axis_ok));
  *ok = (PetscBool)(*ok && pair_ok && axis_ok);
  *dimension = (CospinDimension){"frequency", axis->size, axis->values, "rate", "angular frequency"};
  PetscCall(CospinPolynomialDestroy(&a));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

/* Between the points of the axis, from the channels that were kept, without a new expansion. */
static double density_at(const void *context, double frequency)
{
  const Spectrum *spectrum = (const Spectrum *)context;
  double complex sums[2] = {0.0, 0.0};

  for (int p = 0; p < 2; p++)
    for (int k = 0; k < spectrum->parts[p].num_channels; k++)
      sums[p] += CospinExpandedChannelAt(spectrum->parts[p].channels[k], frequency);
  return creal(combine(spectrum->symmetric, sums[0], sums[1]));
}

static PetscErrorCode store_peak(const Spectrum *spectrum, const CospinAxis *axis, CospinResults results)
{
  const int num_channels = spectrum->parts[0].num_channels + spectrum->parts[1].num_channels;
  CospinLine line = {.context = spectrum, .Density = density_at};
  double complex modes[MAX_LINES];
  double *lines, *points;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(num_channels * MAX_LINES) + 1, &lines));
  for (int p = 0; p < 2; p++)
    for (int k = 0; k < spectrum->parts[p].num_channels; k++) {
      const int found = CospinExpandedChannelModes(spectrum->parts[p].channels[k], MAX_LINES, modes);
      for (int l = 0; l < found; l++) lines[num++] = cimag(modes[l]);
    }
  PetscCall(CospinLinePoints(axis, num, lines, &line.num, &points));
  line.points = points;
  PetscCall(CospinLineStore(&line, results));
  PetscCall(PetscFree(points));
  PetscCall(PetscFree(lines));
  PetscFunctionReturn(0);
}

/* means: <A>, <B>, <A B>. */
static PetscErrorCode store(const Spectrum *spectrum, const CospinAxis *axis, const CospinExpanded means[],
                            double tolerance, CospinResults results, CospinOutcome *outcome)
{
  const CospinExpandedTwoTime *one = &spectrum->parts[0],
                              *two = &spectrum->parts[spectrum->symmetric ? 0 : 1];
  const double complex coherent = means[0].value * means[1].value;
  double size = 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < axis->size; k++)
    size = fmax(size, cabs(combine(spectrum->symmetric, one->values[k], two->values[k])));
  for (int k = 0; k < axis->size; k++) {
    const double complex value = combine(spectrum->symmetric, one->values[k], two->values[k]);
    const CospinExpanded quality = {.error = one->errors[k] + two->errors[k],
                                    .bound = one->bounds[k] + two->bounds[k]};
    PetscCall(CospinResultsSet(results, "density", k, creal(value)));
    PetscCall(CospinResultsSet(results, "density_im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "error", k, quality.error));
    PetscCall(CospinResultsSet(results, "bound", k, quality.bound));
    if (!CospinExpandedIsGood(size, tolerance, &quality))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_UNCERTIFIED);
  }
  PetscCall(CospinResultsSet(results, "power", 0, creal(means[2].value - coherent)));
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(coherent)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(coherent)));
  PetscCall(store_peak(spectrum, axis, results));
  PetscFunctionReturn(0);
}

/* R_XY along the axis. */
static PetscErrorCode transform(CospinPoint point, CospinExpansion expansion, CospinPolynomial x,
                                CospinPolynomial y, const CospinAxis *axis, CospinExpandedTwoTime *part,
                                CospinOutcome *outcome)
{
  CospinMoves perturbation;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeftProduct(point->problem, y, &perturbation));
  PetscCall(CospinExpandedTwoTimeRun(point, expansion, x, perturbation, PETSC_TRUE, axis, part, outcome));
  PetscCall(CospinMovesDestroy(&perturbation));
  PetscFunctionReturn(0);
}

/* R of (B^+, A^+): the order is turned round as in any adjoint of a product. */
static PetscErrorCode transform_mirrored(CospinPoint point, CospinExpansion expansion,
                                         const CospinPolynomial pair[], const CospinAxis *axis,
                                         CospinExpandedTwoTime *part, CospinOutcome *outcome)
{
  CospinPolynomial a, b;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(pair[0], CospinSystemElementaryAdjoint, &point->problem->system, &a));
  PetscCall(CospinPolynomialAdjoint(pair[1], CospinSystemElementaryAdjoint, &point->problem->system, &b));
  PetscCall(transform(point, expansion, b, a, axis, part, outcome));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

static PetscErrorCode emit(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                           double tolerance, CospinResults results, CospinOutcome *outcome)
{
  const CospinAxis *axis = &CospinRecordGet(task, "frequencies")->axis;
  CospinPolynomial operators[3];
  CospinExpanded means[3];
  Spectrum spectrum = {PETSC_TRUE, {{0}, {0}}};
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(
      CospinTaskPair(point->problem, task, NULL, &operators[0], &operators[1], &spectrum.symmetric, &ok));
  PetscCall(CospinPolynomialMultiply(operators[0], operators[1], &operators[2]));
  PetscCall(CospinExpandedExpect(point, expansion, 3, operators, means, outcome));
  PetscCall(transform(point, expansion, operators[0], operators[1], axis, &spectrum.parts[0], outcome));
  if (!spectrum.symmetric)
    PetscCall(transform_mirrored(point, expansion, operators, axis, &spectrum.parts[1], outcome));
  /* The sizes of negative times may differ by a degree; one pair of numbers is told. */
  PetscCall(CospinExpandedTwoTimeStoreSize(&spectrum.parts[0], results));
  if (*outcome == COSPIN_GOOD) PetscCall(store(&spectrum, axis, means, tolerance, results, outcome));
  for (int k = 0; k < 3; k++) PetscCall(CospinPolynomialDestroy(&operators[k]));
  for (int p = 0; p < 2; p++) PetscCall(CospinExpandedTwoTimeFree(&spectrum.parts[p]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(emit, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedSpectrum = {
    .record = {"spectrum", "spectrum of a two-time correlation in the steady state, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
