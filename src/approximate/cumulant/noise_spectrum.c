/*
   Task `noise_spectrum`: the spectrum of the light of an ensemble and a mode, at any number of spins, by
   linearised noise equations (noise.h) around the steady state that `cumulant` finds. Conventions
   are those of `spectrum`: S(omega) of <a^+(t) a(0)>, a mode of frequency w0 at omega = w0.

   Near threshold the light is not linear in its noise. What goes beyond is estimated, and where it is too
   much there are no numbers but that estimate.
*/
#include "noise.h"
#include <cospin/point/settings.h>

static const double largest_nonlinearity = 0.2; /* widths are off by twice that, for N = 10 to 40 */
/* Between the integral of the spectrum and the photons of the second-order equations, relative: beyond it the
   two methods speak of different states. */
static const double largest_mismatch = 0.5;

static const CospinKey keys[] = {
    {.name = "frequencies",
     .type = COSPIN_KEY_AXIS,
     .required = PETSC_TRUE,
     .unit = "rate",
     .help = "angular frequencies omega at which the spectrum is wanted, ascending"},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"density", COSPIN_REAL, PETSC_TRUE, "time", "spectrum of <a^+(t) a(0)>",
     "integral of exp(-i omega t) <a^+(t) a(0)> dt; no value where nonlinearity > 0.2"},
    {"peak", COSPIN_REAL, PETSC_FALSE, "rate", "frequency at which the spectrum is largest",
     "on the axis or beyond it"},
    {"height", COSPIN_REAL, PETSC_FALSE, "time", "largest value of the spectrum", ""},
    {"fwhm", COSPIN_REAL, PETSC_FALSE, "rate", "full width at half maximum", "of the line at the peak"},
    {"linewidth", COSPIN_REAL, PETSC_FALSE, "rate", "width by phase diffusion",
     "noise along the left vector of a phase shift; no value below threshold"},
    {"integral", COSPIN_REAL, PETSC_FALSE, "1", "integral of the spectrum over all frequencies",
     "from the covariance of the linear equations"},
    {"power", COSPIN_REAL, PETSC_FALSE, "1", "photons in the mode",
     "of the second-order equations; integral = 2 pi power but for what linearisation loses"},
    {"nonlinearity", COSPIN_REAL, PETSC_FALSE, "1", "what linearised equations leave out",
     "above threshold g2(0) - 1; below: share of the distance from threshold that saturation takes"},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"density", COSPIN_MAY_MISS, 0, "0", NULL},
    {"height", COSPIN_MAY_MISS, 0, "0", NULL},
    {"fwhm", COSPIN_MAY_MISS, 0, "0", NULL},
    {"linewidth", COSPIN_MAY_MISS, 0, "0", NULL},
    {"power", COSPIN_FIRST, 0, "0", NULL},
    {"nonlinearity", COSPIN_FIRST, 0, NULL, NULL},
    {.suffix = NULL},
};

/* Without a threshold (no pump or decay, collective jumps) there is no state to linearise around in closed
   form. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *axis = &CospinRecordGet(task, "frequencies")->axis;
  CospinCumulantThreshold threshold;
  CospinCumulants equations;
  PetscBool axis_ok;

  PetscFunctionBeginUser;
  *dimension = (CospinDimension){"frequency", axis->size, axis->values, "rate", "angular frequency"};
  PetscCall(
      CospinTaskCheckAxis(problem, task, "frequencies", "frequency", PETSC_NINFINITY, faults, &axis_ok));
  PetscCall(CospinCumulantsCreate(problem, faults, &equations, ok));
  if (*ok) PetscCall(CospinCumulantsCheckMode(problem, &equations, faults, ok));
  if (*ok && !CospinCumulantThresholdOf(&equations, &threshold)) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, task->position, "tasks",
                              "noise_spectrum needs an ensemble with pump or decay and a mode, and no "
                              "collective jumps"));
  }
  if (!axis_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Frequencies of the axis are absolute; the noise equations count from the line. */
static PetscErrorCode store(const CospinCumulantNoise *noise, const CospinAxis *axis, CospinResults results)
{
  const double frequency = noise->threshold.frequency;
  double offset, height, fwhm, density;

  PetscFunctionBeginUser;
  for (int k = 0; k < axis->size; k++) {
    PetscCall(CospinCumulantNoiseDensity(noise, axis->values[k] - frequency, &density));
    PetscCall(CospinResultsSet(results, "density", k, density));
  }
  PetscCall(CospinCumulantNoisePeak(noise, &offset, &height, &fwhm));
  PetscCall(CospinResultsSet(results, "peak", 0, frequency + offset));
  PetscCall(CospinResultsSet(results, "height", 0, height));
  PetscCall(CospinResultsSet(results, "fwhm", 0, fwhm));
  PetscCall(CospinResultsSet(results, "integral", 0, noise->integral));
  if (noise->threshold.above) PetscCall(CospinResultsSet(results, "linewidth", 0, noise->width));
  PetscFunctionReturn(0);
}

/* The nonlinearity decides first: where fluctuations are as large as what they fluctuate around, no number is
   given. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  double moments[COSPIN_NUM_CUMULANTS], total;
  CospinCumulantNoise noise;
  CospinCumulants equations;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinCumulantsCreate(point->problem, NULL, &equations, &ok));
  ok = CospinCumulantClosed(&equations, moments);
  *outcome = ok ? COSPIN_GOOD : COSPIN_SOLVER_FAILED;
  if (!ok) PetscFunctionReturn(0);
  PetscCall(CospinCumulantNoiseCreate(&equations, moments, &noise, &ok));
  total = 2 * PETSC_PI * noise.photons;
  PetscCall(CospinResultsSet(results, "power", 0, noise.photons));
  PetscCall(CospinResultsSet(results, "nonlinearity", 0, noise.nonlinearity));
  if (!(noise.nonlinearity <= largest_nonlinearity)) PetscFunctionReturn(0);
  PetscCall(store(&noise, &CospinRecordGet(task, "frequencies")->axis, results));
  if (!(PetscAbsReal(noise.integral - total) <= largest_mismatch * total)) *outcome = COSPIN_INACCURATE;
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_SOLVER_FAILED, "the second-order equations have no steady state in closed form here (collective "
                           "jumps, or spins without pump and decay)"},
    {COSPIN_INACCURATE, "the integral of the spectrum is not the power of the light: beside a threshold the "
                        "linearised noise is no approximation"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskNoiseSpectrum = {
    .record = {"noise_spectrum", "spectrum of a mode's light by linearised noise, approximate, at any N",
               keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .approximation = "second-order cumulants and linearised noise (superradiant masing of NV centres, "
                     "Eqs. (8), (9))",
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Run = Run,
};
