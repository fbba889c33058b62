/*
   The spectrum as a sum of rational models,

     S = R_AB(omega) + R_B+A+(omega)^*,   R_XY(omega) = Tr(X (i omega - L)^-1 Y rho),

   the second one for negative times; both are the same if B = A^+. Each R is a sum over sectors, and each of
   these a rational model (cospin/solver/resolvent.h) that is made exact at one frequency after the other,
   where its error is largest, until the estimate is small on the whole axis, at the frequencies of the
   model's poles (lines between the points of the axis), and far away, where it matters for the integral. The
   last solve of each model only confirms it. The integral of all frequencies is known from the steady state:
   a model that falls short of it has missed lines beyond the axis, and is made exact at its poles there, too,
   until it does not, or for a while.

   The tails fall as 1/omega^2: an error e at a distance d from the centre of the axis adds about d e to the
   integral, an error at a line its width times e. That is how errors far away are weighed against those on
   the axis.
*/
#include "emission.h"
#include <cospin/point/noise.h>
#include <cospin/point/settings.h>

/* Models begin with solves at the middle and near both ends. While no error is known yet, places are taken in
 * strides, so that all regions are seen. */
enum { NUM_STARTS = 3, MAX_FAR = COSPIN_EMISSION_MAX_FAR, STRIDE = 7, MAX_BEYOND = 24 };
static const double negligible = 1e-12, far_factor = 3.0,
                    least_range = 1e-6, /* of the axis, over the norm of the generator */
    negligible_part = 1e-11;

double complex CospinEmissionValue(const CospinEmission *emission, double omega, double *error)
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

double CospinEmissionDensity(const CospinEmission *emission, double omega)
{
  return creal(CospinEmissionValue(emission, omega, NULL));
}

static double first_of(const CospinAxis *axis)
{
  return axis->values[0];
}

static double last_of(const CospinAxis *axis)
{
  return axis->values[axis->size - 1];
}

/* Whether a frequency lies on the axis that the user asked for. */
static PetscBool is_on(const CospinAxis *axis, double omega)
{
  return (PetscBool)(omega >= first_of(axis) && omega <= last_of(axis));
}

/* A model's poles as lines: between the points of the axis, or also beyond it. */
int CospinEmissionLines(const CospinEmission *emission, const CospinEmissionPart *part, PetscBool beyond,
                        CospinEmissionPlace lines[])
{
  double complex poles[COSPIN_RESOLVENT_MAX_ORDER];
  const int num_poles = CospinResolventPoles(part->model, poles);
  int num = 0;

  for (int k = 0; k < num_poles; k++) {
    if (creal(poles[k]) >= 0) continue;
    if (beyond || is_on(emission->settings->axis, cimag(poles[k])))
      lines[num++] = (CospinEmissionPlace){cimag(poles[k]), -creal(poles[k])};
  }
  return num;
}

static CospinEmissionPlace tail_at(const CospinEmission *emission, double omega)
{
  return (CospinEmissionPlace){omega, PetscAbsReal(omega - emission->centre)};
}

/* What an error of the integral is measured by; never less than a negligible height over the whole axis, so
   that a spectrum that is zero ends, too. */
static double bulk_of(const CospinEmission *emission)
{
  const CospinAxis *axis = emission->settings->axis;

  return PetscMax(PETSC_PI * cabs(emission->power),
                  negligible * emission->scale * (last_of(axis) - first_of(axis)));
}

/* Error that each model may have. */
static double allowed_each(const CospinEmission *emission)
{
  return emission->settings->tolerance / (emission->weight * emission->num_parts);
}

/* Whether a model's integral is not what the steady state says, although it is right where it was looked at.
 */
PetscBool CospinEmissionMissesLines(const CospinEmission *emission, const CospinEmissionPart *part)
{
  const double complex whole = CospinResolventWhole(part->model);
  const double rounding = negligible_part * CospinResolventSize(part->model);

  return (PetscBool) !(cabs(CospinResolventSum(part->model) - whole) <=
                       PetscMax(allowed_each(emission) * 2.0 / PETSC_PI * bulk_of(emission), rounding));
}

/* Lines outside of the axis are looked for a limited number of times: there may always be another one. */
static PetscBool looks_beyond(const CospinEmission *emission, const CospinEmissionPart *part)
{
  return (PetscBool)(part->beyond < MAX_BEYOND && CospinEmissionMissesLines(emission, part));
}

/* Where a model is looked at: on the axis, far away, at its lines. */
static int places_of(const CospinEmission *emission, const CospinEmissionPart *part,
                     CospinEmissionPlace places[])
{
  const CospinAxis *axis = emission->settings->axis;
  int num = 0;

  for (int k = 0; k < axis->size; k++) places[num++] = tail_at(emission, axis->values[k]);
  for (int k = 0; k < emission->num_far; k++) places[num++] = tail_at(emission, emission->far[k]);
  return num + CospinEmissionLines(emission, part, looks_beyond(emission, part), places + num);
}

/* Error that a model may have. Beyond the axis only the integral is wanted: that of a tail from omega on is
   |omega - centre| times the error there, that of a line its width times the error. */
static double allowed_at(const CospinEmission *emission, CospinEmissionPlace place)
{
  const PetscBool on_axis = is_on(emission->settings->axis, place.omega);

  return allowed_each(emission) * (on_axis ? emission->scale : bulk_of(emission) / place.reach);
}

/* The largest value on the axis, at all places where a model may be large. */
static void find_scale(CospinEmission *emission)
{
  emission->scale = 0.0;
  for (int p = 0; p < emission->num_parts; p++) {
    const int num = places_of(emission, &emission->parts[p], emission->places);
    for (int k = 0; k < num; k++) {
      const double omega = emission->places[k].omega;
      if (is_on(emission->settings->axis, omega))
        emission->scale = PetscMax(emission->scale, cabs(CospinEmissionValue(emission, omega, NULL)));
    }
  }
}

/* Where a model is worst, and how much worse than allowed; while there is none, somewhere else than before.
 */
double CospinEmissionWorst(const CospinEmission *emission, const CospinEmissionPart *part,
                           CospinEmissionPlace *place)
{
  const int num = places_of(emission, part, emission->places);
  double worst = -1.0;

  for (int k = 0; k < num; k++) {
    const CospinEmissionPlace here = emission->places[k];
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
static PetscErrorCode enlarge(CospinEmission *emission, CospinEmissionPart *part, CospinEmissionPlace place)
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
  if (CospinResolventSolves(part->model) == COSPIN_RESOLVENT_MAX_ORDER) part->closed = PETSC_TRUE;
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
static PetscErrorCode start(CospinEmission *emission, CospinEmissionPart *part)
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
static CospinEmissionPart *next_part(CospinEmission *emission, CospinEmissionPlace *place)
{
  double worst = 0.0;
  CospinEmissionPart *next = NULL;

  for (int p = 0; p < emission->num_parts; p++) {
    CospinEmissionPart *part = &emission->parts[p];
    CospinEmissionPlace at = {0.0, 0.0};
    double ratio;
    if (part->closed) continue;
    ratio = CospinEmissionWorst(emission, part, &at);
    if (ratio <= 1.0 && part->confirmed && !looks_beyond(emission, part)) continue;
    if (next && ratio <= worst) continue;
    worst = ratio;
    next = part;
    *place = at;
  }
  return next;
}

/* Until all models are good, or the run is to end. */
PetscErrorCode CospinEmissionRefine(CospinPoint point, CospinEmission *emission, PetscBool *interrupted)
{
  CospinEmissionPlace place = {0.0, 0.0};

  PetscFunctionBeginUser;
  *interrupted = PETSC_FALSE;
  for (int p = 0; p < emission->num_parts; p++) PetscCall(start(emission, &emission->parts[p]));
  while (!*interrupted) {
    int p = -1;
    CospinEmissionPart *next;
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

/* ---- Setting up, storing ------------------------------------------------------------------------------- */

/* Frequencies beyond the axis, up to where the generator has nothing any more. */
static void set_far(CospinEmission *emission, double norm)
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
                                   CospinPolynomial x, CospinPolynomial y, int which,
                                   CospinEmission *emission)
{
  CospinMoves perturbation;
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeftProduct(point->problem, y, &perturbation));
  PetscCall(CospinChannelsCreate(point, prefix, steady, x, perturbation, PETSC_TRUE, &num,
                                 &emission->channels[which]));
  PetscCall(CospinMovesDestroy(&perturbation));
  emission->num_channels[which] = num;
  PetscCall(PetscRealloc(sizeof(CospinEmissionPart) * (size_t)(emission->num_parts + num), &emission->parts));
  for (int k = 0; k < num; k++) {
    CospinEmissionPart *part = &emission->parts[emission->num_parts++];
    *part = (CospinEmissionPart){.channel = &emission->channels[which][k], .mirrored = (PetscBool)which};
    PetscCall(CospinResolventCreate(part->channel, &part->model));
  }
  PetscFunctionReturn(0);
}

/* From the steady state alone, so that the integral of the spectrum has something to be compared with. */
static PetscErrorCode compute_power(CospinPoint point, const CospinSteadyState *steady,
                                    CospinEmission *emission)
{
  CospinPolynomial product;
  double complex a, b;
  PetscBool nothing;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialMultiply(emission->settings->a, emission->settings->b, &product));
  PetscCall(CospinSteadyExpectation(point, steady, product, &emission->power));
  PetscCall(CospinSteadyExpectation(point, steady, emission->settings->a, &a));
  PetscCall(CospinSteadyExpectation(point, steady, emission->settings->b, &b));
  emission->coherent = a * b;
  emission->power -= emission->coherent;
  PetscCall(CospinSteadyDigits(point, steady, product, emission->power, &nothing, &emission->vague));
  PetscCall(CospinPolynomialDestroy(&product));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEmissionCreate(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                    CospinEmission *emission)
{
  const CospinEmissionSettings *settings = emission->settings;
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
  PetscCall(
      PetscMalloc1((size_t)settings->axis->size + MAX_FAR + COSPIN_RESOLVENT_MAX_ORDER, &emission->places));
  set_far(emission, steady->eigensolver->norm);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEmissionDestroy(CospinEmission *emission)
{
  PetscFunctionBeginUser;
  for (int p = 0; p < emission->num_parts; p++) PetscCall(CospinResolventDestroy(&emission->parts[p].model));
  PetscCall(PetscFree(emission->parts));
  PetscCall(PetscFree(emission->places));
  for (int which = 0; which < 2; which++)
    PetscCall(CospinChannelsDestroy(emission->num_channels[which], &emission->channels[which]));
  PetscFunctionReturn(0);
}
