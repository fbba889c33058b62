/*
   Task `spectrum`: the spectrum of a two-time correlation in the steady state,

     S(omega) = integral from -infinity to infinity of exp(-i omega t) ( <A(t) B(0)> - <A> <B> ) dt,

   by default with B = A^+. The light of a mode is A = a^+: a mode of frequency w0 has its line at omega = w0,
   and the integral of S is 2 pi (<a^+ a> - |<a>|^2). The coherent part <A> <B>, a line without width at zero
   frequency, is left out and stored by itself.

   How it is computed: emission.c. Where its peak is, and how wide: line.c.

   Sign: with rho ~ exp(lambda t), <A(t) B(0)> of a mode's A = a^+ goes as exp(i w0 t), which the factor
   exp(-i omega t) puts at omega = w0.

   Several things have to hold before the outcome is good, each checked by another number: the model is
   accurate on the axis, a solve of its own confirms it, the integral over its poles is 2 pi times the
   power that the steady state gives (a line that was missed shows there), residuals and leak are small,
   and the steady state itself is good.
*/
#include "emission.h"
#include "light.h"
#include <cospin/point/line.h>
#include <cospin/point/settings.h>
#include <cospin/point/window.h>

/* Of the linear solves and of the window. Both are far below any tolerance that a spectrum is asked for,
   so that only the model decides how accurate it is. */
static const double largest_residual = 1e-10, largest_leak = 1e-8;

static const CospinKey keys[] = {
    COSPIN_LIGHT_PAIR_KEYS,
    COSPIN_LIGHT_FREQUENCIES_KEY,
    COSPIN_TASK_STEADY_SECTOR_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-6",
     .unit = "",
     .help = "accuracy of the spectrum, relative to its largest value",
     COSPIN_KEY_TOLERANCE},
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_DENSITY_VARIABLES,
    {"error", COSPIN_REAL, PETSC_TRUE, "time", "estimated error of the spectrum",
     "of the rational model, from its residuals and the solves that it was compared with"},
    COSPIN_LIGHT_LINE_VARIABLES,
    {"integral", COSPIN_REAL, PETSC_FALSE, "1", "integral of the spectrum over all frequencies",
     "of the rational model"},
    {"power", COSPIN_REAL, PETSC_FALSE, "1", "<AB> - <A><B>",
     "from the steady state; integral = 2 pi power, or the outcome is inaccurate: a line beyond the axis was "
     "missed"},
    COSPIN_LIGHT_COHERENT_VARIABLES,
    {"check", COSPIN_REAL, PETSC_FALSE, "time", "error of the model at the frequency solved last",
     "sum over models, each before that solve was put into it"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "largest residual of a solve", "|b - (s - L) x| / (|L| |x|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "what the generator carries out of the window",
     "of the solution where the spectrum is largest; 0 where every cutoff is the deck's"},
    {"solves", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest sector", ""},
    {"nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    {.suffix = NULL},
};

static PetscErrorCode free_settings(CospinEmissionSettings *settings)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialDestroy(&settings->a));
  PetscCall(CospinPolynomialDestroy(&settings->b));
  PetscFunctionReturn(0);
}

/* Everything that depends on the deck alone; a and b are the caller's. Called by Check, Sectors and Run
   alike, so that all three mean the same operators. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   CospinEmissionSettings *settings, PetscBool *ok)
{
  PetscBool operators_ok, axis_ok;

  PetscFunctionBeginUser;
  *settings = (CospinEmissionSettings){.axis = &CospinRecordGet(task, "frequencies")->axis};
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
  CospinEmissionSettings settings;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, faults, &settings, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  if (!sector_ok) *ok = PETSC_FALSE;
  *dimension =
      (CospinDimension){"frequency", settings.axis->size, settings.axis->values, "rate", "angular frequency"};
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* Sectors that A reads; B rho is projected onto them. */
static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinEmissionSettings settings;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &settings, &ok));
  PetscCall(CospinProblemSectors(problem, settings.a, num, representatives));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

/* What tells how good the numbers are; the outcome follows from it. */
static PetscErrorCode store_quality(CospinPoint point, const CospinEmission *emission, CospinResults results,
                                    CospinOutcome *outcome)
{
  double residual = 0.0, leak = 0.0, check = 0.0;
  PetscInt64 dimension = 0, nonzeros = 0;
  int solves = 0;

  PetscFunctionBeginUser;
  for (int p = 0; p < emission->num_parts; p++) {
    const CospinEmissionPart *part = &emission->parts[p];
    const CospinEigensolver eigensolver = part->channel->eigensolver;
    double leak_now = 0.0;
    CospinEmissionPlace place;
    /* The leak is looked at where the spectrum is largest: a window that is too small shows first where
       most light is. */
    if (CospinResolventBrightest(part->model))
      PetscCall(CospinWindowLeakOf(point, eigensolver, CospinResolventBrightest(part->model), &leak_now));
    /* Not accurate enough anywhere, not confirmed by a solve of its own, or short of the integral: each alone
       makes the numbers doubtful. */
    if (CospinEmissionWorst(emission, part, &place) > 1.0 || !part->confirmed ||
        CospinEmissionMissesLines(emission, part))
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
    leak = PetscMax(leak, leak_now);
    check += part->wrong;
    residual = PetscMax(residual, CospinResolventResidual(part->model));
    solves += CospinResolventSolves(part->model);
    dimension = PetscMax(dimension, CospinSectorDimension(eigensolver->sector));
    nonzeros = PetscMax(nonzeros, eigensolver->nonzeros);
  }
  if (!(residual <= largest_residual) || !(leak <= largest_leak) || emission->vague)
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscCall(CospinResultsSet(results, "check", 0, check));
  PetscCall(CospinResultsSet(results, "residual", 0, residual));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "solves", 0, solves));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)dimension));
  PetscCall(CospinResultsSet(results, "nonzeros", 0, (double)nonzeros));
  PetscFunctionReturn(0);
}

static double density_at(const void *emission, double frequency)
{
  return CospinEmissionDensity((const CospinEmission *)emission, frequency);
}

/* Lines of the models are where a peak can be; between them line.c looks on its own. */
static PetscErrorCode store_peak(const CospinEmission *emission, CospinResults results)
{
  CospinLine line = {.context = emission, .Density = density_at};
  CospinEmissionPlace places[COSPIN_RESOLVENT_MAX_ORDER];
  double *lines, *points;
  int num = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(emission->num_parts * COSPIN_RESOLVENT_MAX_ORDER) + 1, &lines));
  for (int p = 0; p < emission->num_parts; p++) {
    const int found = CospinEmissionLines(emission, &emission->parts[p], PETSC_FALSE, places);
    for (int k = 0; k < found; k++) lines[num++] = places[k].omega;
  }
  PetscCall(CospinLinePoints(emission->settings->axis, num, lines, &line.num, &points));
  line.points = points;
  PetscCall(CospinLineStore(&line, results));
  PetscCall(PetscFree(points));
  PetscCall(PetscFree(lines));
  PetscFunctionReturn(0);
}

/* All variables but the quality: the axis from the models' values, the integral from their poles. */
static PetscErrorCode store(CospinPoint point, const CospinEmission *emission, CospinResults results,
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
    const double complex value = CospinEmissionValue(emission, axis->values[k], &error);
    PetscCall(CospinResultsSet(results, "density", k, creal(value)));
    PetscCall(CospinResultsSet(results, "density_im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "error", k, error));
  }
  /* Each pole r/(i omega - lambda) has the integral pi r over all frequencies (principal value). */
  PetscCall(CospinResultsSet(results, "integral", 0, PETSC_PI * creal(sum)));
  PetscCall(CospinResultsSet(results, "power", 0, creal(emission->power)));
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(emission->coherent)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(emission->coherent)));
  PetscCall(store_peak(emission, results));
  PetscCall(store_quality(point, emission, results, outcome));
  PetscFunctionReturn(0);
}

/* An interrupted refinement keeps nothing: its models are made again in the next run. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  CospinEmissionSettings settings;
  CospinEmission emission = {.settings = &settings, .outcome = COSPIN_GOOD};
  char prefix[64];
  PetscBool ok, interrupted;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskSteadyState(point, task, prefix, &steady, outcome));
  if (!steady->rho) PetscFunctionReturn(0);
  PetscCall(get_settings(point->problem, task, NULL, &settings, &ok));
  PetscCall(CospinEmissionCreate(point, prefix, steady, &emission));
  PetscCall(CospinEmissionRefine(point, &emission, &interrupted));
  if (!interrupted) PetscCall(store(point, &emission, results, outcome));
  if (interrupted) *outcome = COSPIN_NOT_RUN;
  PetscCall(CospinEmissionDestroy(&emission));
  PetscCall(free_settings(&settings));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskSpectrum = {
    .record = {"spectrum", "spectrum of a two-time correlation in the steady state, such as that of light",
               keys},
    .variables = variables,
    /* What an estimate of cost counts with: frequencies at which the generator is factorised. */
    .factorisations = 10,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
