/*
   Task `g2`: how likely a second quantum is a time t after the first one,

     g2(t) = <A^+(0) A^+(t) A(t) A(0)> / <A^+ A>^2 = Tr(A^+A exp(t L) A rho A^+) / <A^+ A>^2,

   1 for coherent light, 2 at t = 0 for thermal light, 0 for a single emitter. The first click leaves A rho
   A^+ behind, so this superoperator is the perturbation of a two-time correlation (two_time.c) that is read
   by A^+A.
*/
#include "click.h"
#include "light.h"
#include "two_time.h"

static const CospinKey keys[] = {
    COSPIN_LIGHT_QUANTUM_KEY,
    COSPIN_TWO_TIME_KEYS,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_PAIRS_VARIABLES,
    COSPIN_TWO_TIME_VARIABLES,
    COSPIN_TASK_INSTEAD_VARIABLE,
    {.suffix = NULL},
};

/* Faults of both: the operator must be there and not zero. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinPolynomial a;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, faults, &a, ok));
  PetscCall(CospinTwoTimeCheck(problem, task, faults, dimension, ok));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* Of a CospinTwoTimeKind: A rho A^+, read by A^+A, measured by the intensity <A^+A>. */
static PetscErrorCode Pose(CospinProblem problem, const CospinRecord *task, CospinTwoTimeQuestion *question)
{
  CospinPolynomial a, adjoint;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, NULL, &a, &ok));
  PetscCall(CospinTaskClick(problem, a, &question->reading, &question->perturbation));
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(adjoint, a, &question->scale));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* Pairs are rarer than single quanta where light is dim: an error of the state that is small beside either
   may not be beside the square of a small intensity. */
static PetscErrorCode Store(const CospinTwoTime *correlation, const CospinSteadyState *steady,
                            const CospinTwoTimeScale *scale, CospinResults results, CospinOutcome *outcome)
{
  const double complex limit = CospinTwoTimeLimit(correlation);
  /* Intensities below this share of what A^+A can be at all: then even the perturbed state is made of
     rounding. */
  static const double dim = 1e-6;
  const double intensity = creal(scale->value);
  double typical, largest;

  PetscFunctionBeginUser;
  PetscCall(CospinTwoTimeTypical(correlation, &typical));
  PetscCall(CospinTwoTimeLargest(correlation, &largest));
  if (intensity <= dim * largest) typical = largest; /* the perturbed state is rounding itself */
  if (scale->vague ||
      (!scale->nothing && steady->quality.error * PetscSqr(typical / intensity) > COSPIN_RATIO_ERROR))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  if (scale->nothing)
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_EMPTY_SECTOR); /* there is no first quantum */
  for (int k = 0; k < correlation->settings.times->size && !scale->nothing; k++) {
    const double pairs = creal(correlation->values[k] + limit);
    PetscCall(CospinResultsSet(results, "value", k, pairs / PetscSqr(intensity)));
  }
  PetscCall(CospinResultsSet(results, "intensity", 0, intensity));
  PetscFunctionReturn(0);
}

static const CospinTwoTimeKind kind = {Pose, Store};

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTwoTimeSectors(&kind, problem, task, num, representatives));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTwoTimeRun(&kind, point, task, results, outcome));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_EMPTY_SECTOR,
     "the steady state is dark: there is no first quantum after which to look for a second"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskG2 = {
    .record = {"g2", "how likely a second quantum is a time t after the first, in the steady state", keys},
    .hints = hints,
    .variables = variables,
    .may_multiply = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
