/*
   Task `correlation`: <A(t) B(0)> = Tr(A exp(t L) B rho) in the steady state rho, by default with B = A^+.

   g1(t) is what it is at time t over what it is at time 0, and has no value where <A B> is rounding, or known
   to less than six digits. The coherent part <A><B> is what remains when every mode has decayed. How it is
   evolved: two_time.c.

   Convention: B acts first and from the left, A reads after the time t >= 0; for negative times <A(-t)
   B(0)> is the complex conjugate of <B^+(t) A^+(0)>.
*/
#include "light.h"
#include "two_time.h"

static const CospinKey keys[] = {
    COSPIN_LIGHT_PAIR_KEYS,
    COSPIN_TWO_TIME_KEYS,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_LIGHT_CORRELATION_VARIABLES,
    COSPIN_TWO_TIME_VARIABLES,
    COSPIN_TASK_INSTEAD_VARIABLE,
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinPolynomial a, b;
  PetscBool adjoint;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPair(problem, task, faults, &a, &b, &adjoint, ok));
  PetscCall(CospinTwoTimeCheck(problem, task, faults, dimension, ok));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

/* Of a CospinTwoTimeKind: B rho, read by A, measured by <A B>. `scale` is A B, whose mean is the
   correlation at t = 0. */
static PetscErrorCode Pose(CospinProblem problem, const CospinRecord *task, CospinTwoTimeQuestion *question)
{
  CospinPolynomial b;
  PetscBool adjoint, ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPair(problem, task, NULL, &question->reading, &b, &adjoint, &ok));
  PetscCall(CospinPolynomialMultiply(question->reading, b, &question->scale));
  PetscCall(CospinTaskLeftProduct(problem, b, &question->perturbation));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscFunctionReturn(0);
}

/* g1 is missing rather than large where its divisor is rounding: light that is not there has no coherence. */
static PetscErrorCode Store(const CospinTwoTime *correlation, const CospinSteadyState *steady,
                            const CospinTwoTimeScale *scale, CospinResults results, CospinOutcome *outcome)
{
  const double complex limit = CospinTwoTimeLimit(correlation);
  double complex equal_time = scale->value;

  PetscFunctionBeginUser;
  (void)steady;
  (void)outcome;
  if (scale->nothing || scale->vague) equal_time = CMPLX(NAN, NAN);
  for (int k = 0; k < correlation->settings.times->size; k++) {
    const double complex value = correlation->values[k] + limit;
    PetscCall(CospinResultsSet(results, "re", k, creal(value)));
    PetscCall(CospinResultsSet(results, "im", k, cimag(value)));
    PetscCall(CospinResultsSet(results, "g1_re", k, creal(value / equal_time)));
    PetscCall(CospinResultsSet(results, "g1_im", k, cimag(value / equal_time)));
  }
  PetscCall(CospinResultsSet(results, "coherent", 0, creal(limit)));
  PetscCall(CospinResultsSet(results, "coherent_im", 0, cimag(limit)));
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

const CospinTaskKind CospinTaskCorrelation = {
    .record = {"correlation", "two-time correlation <A(t) B(0)> in the steady state", keys},
    .variables = variables,
    .may_multiply = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
