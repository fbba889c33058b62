/*
   Task `correlation`: <A(t) B(0)> = Tr(A exp(t L) B rho) in the steady state rho, by default with B = A^+.

   g1(t) is what it is at time t over what it is at time 0, and has no value where <A B> is rounding. The
   coherent part <A><B> is what remains when every mode has decayed. How it is evolved: two_time.c.
*/
#include "two_time.h"

static const CospinKey correlation_keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "operator A of <A(t) B(0)>; for the light of a mode it is dag(a)"},
    {.name = "with",
     .type = COSPIN_KEY_OPERATOR,
     .unit = "",
     .help = "operator B; default: the adjoint of A"},
    COSPIN_TWO_TIME_KEYS,
    {.name = NULL},
};

static const CospinTaskVariable correlation_variables[] = {
    {"re", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, real part", "coherent part included"},
    {"im", COSPIN_REAL, PETSC_TRUE, "1", "<%s(t) B(0)>, imaginary part", ""},
    {"g1_re", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, real part", ""},
    {"g1_im", COSPIN_REAL, PETSC_TRUE, "1", "<A(t) B(0)> / <A B>, imaginary part", ""},
    {"coherent", COSPIN_REAL, PETSC_FALSE, "1", "coherent part <A><B>", "what is left after long times"},
    {"coherent_im", COSPIN_REAL, PETSC_FALSE, "1", "coherent part, imaginary part", ""},
    COSPIN_TWO_TIME_VARIABLES,
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

static PetscErrorCode Sectors(CospinProblem problem, const CospinRecord *task, int *num,
                              int **representatives)
{
  CospinPolynomial a;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, NULL, &a, &ok));
  PetscCall(CospinProblemSectors(problem, a, num, representatives));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode store(const CospinTwoTime *correlation, const CospinSteadyState *steady,
                            double complex equal_time, CospinResults results)
{
  const double complex limit = CospinTwoTimeLimit(correlation);
  PetscBool nothing = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(CospinTwoTimeIsNothing(correlation, steady, equal_time, &nothing));
  if (nothing) equal_time = CMPLX(NAN, NAN);
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

static PetscErrorCode correlate(CospinPoint point, const CospinRecord *task, const CospinSteadyState *steady,
                                CospinResults results, CospinOutcome *outcome)
{
  CospinPolynomial a, b, product;
  double complex equal_time;
  CospinTwoTime correlation;
  CospinMoves perturbation;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPair(point->problem, task, NULL, &a, &b, &ok, &ok));
  PetscCall(CospinPolynomialMultiply(a, b, &product));
  PetscCall(CospinSteadyExpectation(point, steady, product, &equal_time));
  PetscCall(CospinTaskLeftProduct(point->problem, b, &perturbation));
  PetscCall(CospinTwoTimeEvolve(point, task, steady, a, perturbation, &correlation, outcome));
  if (CospinTwoTimeIsComplete(&correlation)) {
    PetscCall(store(&correlation, steady, equal_time, results));
    PetscCall(CospinTwoTimeStoreQuality(&correlation, results, outcome));
  }
  PetscCall(CospinTwoTimeFree(&correlation));
  PetscCall(CospinMovesDestroy(&perturbation));
  PetscCall(CospinPolynomialDestroy(&product));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTwoTimeRun(correlate, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskCorrelation = {
    .record = {"correlation", "two-time correlation <A(t) B(0)> in the steady state", correlation_keys},
    .variables = correlation_variables,
    .may_multiply = PETSC_TRUE,
    .Check = Check,
    .Sectors = Sectors,
    .Run = Run,
};
