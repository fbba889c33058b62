/*
   Light by quantum regression, and when it is told.

   Regression of closed equations holds populations fixed while the light fluctuates. Far below a threshold
   that is right; at one the light's own fluctuations saturate the atoms, and above it amplitude noise counts
   as phase noise: widths are up to twice too large, at any N, and no residual shows it. How far a state is
   from that, its rate tells beside the one around mean field without a phase, whose atoms no light saturates:
   the share of the distance from threshold that saturation takes (as in noise_spectrum.c). Beyond .1, where
   widths of masers of 1 to 16 atoms are off by up to 7 % and heights by twice that in second order, spectrum
   and correlation have no value; the rate is told with its change, for comparison.
*/
#include "light.h"
#include <cospin/point/line.h>
#include <math.h>

enum { MOST_UNKNOWNS = 100000 };
static const double largest_change = 0.1;
static const double largest_error = 1e-6; /* of the sum of weights */

/* ---- Keys ---------------------------------------------------------------------------------------------- */

/* An axis that is left out has no values. */
static PetscBool is_asked(const CospinRecord *task, const char key[])
{
  return (PetscBool)(CospinRecordGet(task, key)->axis.size > 0);
}

/* A product of operators is beyond what regression of these equations holds: in second order the closure's
   product is all there is, and g2 or the spectrum of the intensity would be a guess. */
static PetscErrorCode check_operator(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                     PetscBool *ok)
{
  CospinPolynomial a = NULL, expanded;
  PetscBool known, single = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskOperator(problem, task, faults, &a, &known));
  if (known) {
    PetscCall(CospinSystemExpand(&problem->system, a, &expanded));
    for (int k = 0; k < expanded->count; k++)
      if (expanded->monomials[k].length > 1) single = PETSC_FALSE;
    PetscCall(CospinPolynomialDestroy(&expanded));
  }
  PetscCall(CospinPolynomialDestroy(&a));
  if (!known) *ok = PETSC_FALSE;
  if (!single)
    PetscCall(CospinTaskFail(problem, task, "of", faults, ok,
                             "of a product of operators the closed equations know no correlation in time (a "
                             "sum of single ones: dag(a) of a mode, Sp of spins)"));
  PetscFunctionReturn(0);
}

/* Keys that would be ignored are faults: axes without an operator, light of a way in time (it is that of the
   steady state), and of first order, where a moment is the product of its letters and nothing is correlated.
 */
PetscErrorCode CospinCumulantLightCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                        PetscBool *ok)
{
  static const char *const axes[] = {"frequencies", "delays"};
  const PetscBool asked = (PetscBool)(CospinRecordGet(task, "of")->expression != NULL);
  PetscBool axis_ok;

  PetscFunctionBeginUser;
  for (int k = 0; k < 2; k++) {
    if (!is_asked(task, axes[k])) continue;
    PetscCall(CospinTaskCheckAxis(problem, task, axes[k], k ? "time" : "frequency", k ? 0.0 : PETSC_NINFINITY,
                                  faults, &axis_ok));
    if (!axis_ok) *ok = PETSC_FALSE;
    if (!asked)
      PetscCall(CospinTaskFail(problem, task, axes[k], faults, ok,
                               "goes with `of`, the operator of the light (such as dag(cavity.a))"));
  }
  if (!asked) PetscFunctionReturn(0);
  PetscCall(check_operator(problem, task, faults, ok));
  if (is_asked(task, "times"))
    PetscCall(
        CospinTaskFail(problem, task, "of", faults, ok, "is light of the steady state: leave out `times`"));
  if (CospinRecordGet(task, "order")->text[0] == '1')
    PetscCall(CospinTaskFail(problem, task, "of", faults, ok,
                             "first order has no correlations: `order` 2 or 4 (3 where no phase is free)"));
  PetscFunctionReturn(0);
}

/* Both may be asked for at once: they are two readings of one decomposition. */
CospinDimension CospinCumulantLightDimension(const CospinRecord *task, int k)
{
  const CospinAxis *frequencies = &CospinRecordGet(task, "frequencies")->axis,
                   *delays = &CospinRecordGet(task, "delays")->axis;

  if (k == 0 && frequencies->size)
    return (CospinDimension){"frequency", frequencies->size, frequencies->values, "rate",
                             "angular frequency"};
  if (k == 1 && delays->size)
    return (CospinDimension){"delay", delays->size, delays->values, "time", "time between A and A^+"};
  return (CospinDimension){.size = 0};
}

/* ---- Numbers ------------------------------------------------------------------------------------------- */

/* Before the equations of the steady state are made, since these have to hold what regression needs. A is
   `of` and B its adjoint: with `of: dag(cavity.a)` the correlation is <a^+(t) a(0)>, and its start the
   light's power. */
PetscErrorCode CospinCumulantLightCreate(CospinMomentModel model, CospinProblem problem,
                                         const CospinRecord *task, int order, PetscBool filter,
                                         CospinRegression *light, PetscBool *ok)
{
  CospinPolynomial a, adjoint;
  CospinMomentWords words[2];
  PetscBool known;

  PetscFunctionBeginUser;
  *light = NULL;
  *ok = PETSC_TRUE;
  if (!CospinRecordGet(task, "of")->expression || is_asked(task, "times")) PetscFunctionReturn(0);
  PetscCall(CospinTaskOperator(problem, task, NULL, &a, &known));
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinMomentWordsOf(model, a, &words[0], &known));
  PetscCall(CospinMomentWordsOf(model, adjoint, &words[1], &known));
  PetscCall(CospinRegressionCreate(model, order, filter, &words[0], &words[1], light, ok));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* Half-excited spins and empty modes: they lead to the state without a phase. */
static PetscErrorCode set_half_excited(CospinHierarchy moments, double complex z[])
{
  const CospinMomentModel model = moments->model;
  double *excited, *quanta;
  double complex *lower, *field;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc4(model->num_sites, &excited, model->num_sites, &lower, model->num_modes, &quanta,
                         model->num_modes, &field));
  for (int k = 0; k < model->num_sites; k++) excited[k] = 0.5;
  CospinHierarchyProduct(moments, excited, lower, quanta, field, z);
  PetscCall(PetscFree4(excited, lower, quanta, field));
  PetscFunctionReturn(0);
}

/* The slowest rate around first moments that come to rest without a phase, of what the light begins with in
   its own state (keep_start): only the coefficients are those of first order. *rate NaN: there is no
   such place. */
static PetscErrorCode uncorrelated_rate(CospinRegression light, double *rate)
{
  double complex *z;
  CospinHierarchy first;
  CospinMomentRest rest = {0};
  PetscBool ok;

  PetscFunctionBeginUser;
  *rate = NAN;
  PetscCall(CospinHierarchyCreate(light->model, 1, light->filter, 0, NULL, &light->needed, MOST_UNKNOWNS,
                                  &first, &ok));
  PetscCall(PetscMalloc1(first->num, &z));
  PetscCall(set_half_excited(first, z));
  rest.found = ok;
  if (ok && first->num) PetscCall(CospinHierarchyRest(first, NULL, NULL, z, &rest));
  if (ok && rest.found) {
    PetscCall(CospinRegressionEvaluate(light, first, z, PETSC_TRUE, &ok));
    if (ok && light->slowest >= 0) *rate = -creal(light->values[light->slowest]);
  }
  PetscCall(PetscFree(z));
  PetscCall(CospinHierarchyDestroy(&first));
  PetscFunctionReturn(0);
}

/* As line.h asks for it: a function of the frequency alone, with the regression as its context. */
static double density_at(const void *light, double omega)
{
  return CospinRegressionDensity((CospinRegression)(uintptr_t)light, omega);
}

/* Lines stand at the imaginary parts of eigenvalues: one that is narrower than a step of the axis is found.
 */
static PetscErrorCode store_spectrum(CospinRegression light, const CospinRecord *task, CospinResults results)
{
  const CospinAxis *axis = &CospinRecordGet(task, "frequencies")->axis,
                   *delays = &CospinRecordGet(task, "delays")->axis;
  CospinLine line = {.context = light, .Density = density_at};
  double *places, *points;

  PetscFunctionBeginUser;
  for (int k = 0; k < delays->size; k++) {
    const double complex value = CospinRegressionAt(light, delays->values[k]);
    PetscCall(CospinResultsSet(results, "correlation_re", k, creal(value)));
    PetscCall(CospinResultsSet(results, "correlation_im", k, cimag(value)));
  }
  if (!axis->size) PetscFunctionReturn(0);
  for (int k = 0; k < axis->size; k++)
    PetscCall(CospinResultsSet(results, "density", k, CospinRegressionDensity(light, axis->values[k])));
  PetscCall(PetscMalloc1(light->num, &places));
  for (int k = 0; k < light->num; k++) places[k] = cimag(light->values[k]);
  PetscCall(CospinLinePoints(axis, light->num, places, &line.num, &points));
  line.points = points;
  PetscCall(CospinLineStore(&line, results));
  PetscCall(PetscFree(points));
  PetscCall(PetscFree(places));
  PetscFunctionReturn(0);
}

/* By how much correlations change the slowest rate in second order, where that tells saturation (in fourth
   the same comparison crosses zero beside a threshold). z: of `moments`, of that order.
   NaN where one of both rates is not known, which the caller's comparison takes as too large a change. */
static PetscErrorCode find_change(CospinRegression light, CospinHierarchy moments, const double complex z[],
                                  double *change)
{
  double around, rate = NAN;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinRegressionEvaluate(light, moments, z, PETSC_FALSE, &ok));
  if (ok && light->slowest >= 0) rate = -creal(light->values[light->slowest]);
  PetscCall(uncorrelated_rate(light, &around));
  *change = fabs(rate - around) / fabs(rate);
  PetscFunctionReturn(0);
}

/* The same beside a higher order, whose own second-order state is looked for. */
static PetscErrorCode find_change_below(CospinRegression light, CospinProblem problem,
                                        const CospinRecord *task, double *change)
{
  CospinRegression second;
  CospinMomentRest rest;
  CospinHierarchy moments;
  double complex *z;
  PetscBool ok;

  PetscFunctionBeginUser;
  *change = NAN;
  PetscCall(CospinCumulantLightCreate(light->model, problem, task, 2, light->filter, &second, &ok));
  PetscCall(CospinHierarchyCreate(light->model, 2, light->filter, 0, NULL, &second->needed, MOST_UNKNOWNS,
                                  &moments, &ok));
  PetscCall(PetscMalloc1(moments->num, &z));
  PetscCall(set_half_excited(moments, z));
  PetscCall(CospinHierarchyRest(moments, NULL, NULL, z, &rest));
  if (ok && rest.found) PetscCall(find_change(second, moments, z, change));
  PetscCall(PetscFree(z));
  PetscCall(CospinHierarchyDestroy(&moments));
  PetscCall(CospinRegressionDestroy(&second));
  PetscFunctionReturn(0);
}

/* The change is asked for first, since it leaves the regression at another state. A rate that is not positive
   is that of no steady light. */
PetscErrorCode CospinCumulantLightStore(CospinRegression light, CospinProblem problem,
                                        const CospinRecord *task, CospinHierarchy moments,
                                        const double complex z[], CospinResults results,
                                        CospinOutcome *outcome)
{
  double rate, change = 0.0;
  PetscBool ok;

  PetscFunctionBeginUser;
  if (!light) PetscFunctionReturn(0);
  if (light->cuts || CospinMomentClosureCuts(moments->closure)) {
    if (light->order == 2) PetscCall(find_change(light, moments, z, &change));
    if (light->order > 2) PetscCall(find_change_below(light, problem, task, &change));
  }
  PetscCall(CospinRegressionEvaluate(light, moments, z, PETSC_FALSE, &ok));
  if (!ok || !(light->error <= largest_error)) *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  if (!ok || light->slowest < 0) PetscFunctionReturn(0);
  rate = -creal(light->values[light->slowest]);
  PetscCall(CospinResultsSet(results, "power", 0, creal(light->power)));
  PetscCall(CospinResultsSet(results, "regression_rate", 0, rate));
  PetscCall(CospinResultsSet(results, "regression_frequency", 0, cimag(light->values[light->slowest])));
  PetscCall(CospinResultsSet(results, "regression_change", 0, change));
  if (rate > 0 && change <= largest_change) PetscCall(store_spectrum(light, task, results));
  PetscFunctionReturn(0);
}
