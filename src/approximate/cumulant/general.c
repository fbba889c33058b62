/*
   Task `cumulant` by the engine for any classes and modes (approximate/moments): what is asked of it, where
   it starts, and when its numbers are good.

   The equations hold what the deck's observables need, closed at `order`. A state without a phase leaves out
   moments that carry a charge; one that begins with a phase (times, `coherent`, `css`) keeps them. The steady
   state is the one that half-excited spins without correlations lead to.

   Odd orders above two are refused where the equations have a phase symmetry: with charged moments left out,
   the closure of the third order counts <a^+ a s+_1 s-_2> twice above threshold, at any N, and no residual
   and no eigenvalue of the Jacobian tells (its photons are off by a factor of two).
*/
#include "general.h"
#include "approximate/moments/moments.h"
#include "approximate/product_state.h"
#include "light.h"
#include "turning.h"
#include <cospin/approximate/equations.h>
#include <cospin/approximate/rest.h>
#include <math.h>

enum { MOST_UNKNOWNS = 100000 };
static const double physical = 1e-6; /* populations may be that far outside of [0, 1] */

typedef struct {
  CospinPoint point;
  CospinMomentModel model;
  CospinHierarchy moments;
  CospinRegression light;         /* NULL: not asked for */
  double frequency, width;        /* of a state of first order that turns; NaN: it does not */
  int num;                        /* operators of the observables, one after the other */
  CospinMomentPolynomial *values; /* [num] */
  double *excited, *quanta;       /* the start, of classes and modes */
  double complex *lower, *field;
} General;

/* ---- What is asked
 * ------------------------------------------------------------------------------------------ */

/* The key's choices are single digits; anything else is a fault of the deck's reader. */
int CospinCumulantOrder(const CospinRecord *task)
{
  return CospinRecordGet(task, "order")->text[0] - '0';
}

/* Moments of a Fock state of more than two operators are those of no Gaussian. */
static const CospinProductStates *states_of(int order)
{
  static const char *const gaussian[] = {"thermal", "coherent", NULL}, *const all[] = {"fock", "thermal",
                                                                                       "coherent", NULL};
  static const CospinProductStates states[] = {
      {"cumulant", all,
       "ground or css: [theta, phi] of spins; ground, fock: n, thermal: nbar or coherent: alpha of a "
       "mode"},
      {"cumulant", gaussian,
       "ground or css: [theta, phi] of spins; ground, thermal: nbar or coherent: alpha of a mode"}};

  return &states[order > 2];
}

/* First moments of classes and modes from those of components. */
static PetscErrorCode read_start(CospinProblem problem, const CospinRecord *task, General *general,
                                 CospinFaults faults, PetscBool *ok)
{
  const CospinMomentModel model = general->model;
  CospinProductFactor *factors;

  PetscFunctionBeginUser;
  PetscCall(CospinProductStateRead(problem, CospinRecordGet(task, "initial"),
                                   states_of(CospinCumulantOrder(task)), faults, &factors, ok));
  PetscCall(PetscMalloc4(model->num_sites, &general->excited, model->num_sites, &general->lower,
                         model->num_modes, &general->quanta, model->num_modes, &general->field));
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    const int first = model->first[c],
              sites = component->kind->NumSpins ? component->kind->NumSpins(component) : 1;
    if (first < 0) general->quanta[-1 - first] = factors[c].diagonal;
    if (first < 0) general->field[-1 - first] = factors[c].lower;
    for (int l = 0; l < sites && first >= 0; l++) {
      general->excited[first + l] = (1 + factors[c].diagonal) / 2;
      general->lower[first + l] = factors[c].lower;
    }
  }
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}

/* Whether moments with a charge stay zero: none is there at the beginning. */
static PetscBool is_phaseless(const General *general)
{
  for (int k = 0; k < general->model->num_sites; k++)
    if (general->lower[k] != 0) return PETSC_FALSE;
  for (int m = 0; m < general->model->num_modes; m++)
    if (general->field[m] != 0) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Of steady states: spins half excited, modes empty, nothing with a phase. */
static void set_steady_start(General *general)
{
  for (int k = 0; k < general->model->num_sites; k++) {
    general->excited[k] = 0.5;
    general->lower[k] = 0.0;
  }
  for (int m = 0; m < general->model->num_modes; m++) {
    general->quanta[m] = 0.0;
    general->field[m] = 0.0;
  }
}

/* All faults of the model and of the start; orders that would be wrong without a word are faults, too. */
PetscErrorCode CospinCumulantGeneralCheck(CospinProblem problem, const CospinRecord *task,
                                          CospinFaults faults, PetscBool *ok)
{
  General general = {0};
  PetscBool start_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinMomentModelCreate(problem, faults, &general.model, ok));
  if (*ok) PetscCall(read_start(problem, task, &general, faults, &start_ok));
  if (*ok && CospinCumulantOrder(task) == 3 && general.model->num_charges)
    PetscCall(
        CospinTaskFail(problem, task, "order", faults, ok,
                       "3 is wrong by a factor above a threshold where a phase is free (a laser): 2 or 4"));
  *ok = (PetscBool)(*ok && start_ok);
  PetscCall(PetscFree4(general.excited, general.lower, general.quanta, general.field));
  PetscCall(CospinMomentModelDestroy(&general.model));
  PetscFunctionReturn(0);
}

/* ---- Equations
 * ---------------------------------------------------------------------------------------------- */

/* The words of every expectation value that the deck asks for. */
static PetscErrorCode read_operators(General *general, CospinMomentWords **words, PetscBool **known)
{
  CospinObservables observables = general->point->observables;
  int num = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) num += observables->observables[k].num_expectations;
  PetscCall(PetscCalloc2(num + 1, words, num + 1, known));
  for (int k = 0; k < observables->count; k++)
    for (int e = 0; e < observables->observables[k].num_expectations; e++, general->num++) {
      const int w = general->num;
      PetscCall(CospinMomentWordsOf(general->model, observables->observables[k].operators[e], &(*words)[w],
                                    &(*known)[w]));
      if (!(*known)[w]) PetscCall(CospinMomentWordsFree(&(*words)[w]));
    }
  PetscFunctionReturn(0);
}

/* `initial` is of evolutions in time: a steady state has its own start. An observable with an operator that
   moments do not know is NaN, by a term that is. *ok false: more equations than can be solved. */
static PetscErrorCode create(CospinPoint point, const CospinRecord *task, General *general, PetscBool *ok)
{
  const int order = CospinCumulantOrder(task);
  CospinMomentWords *words;
  PetscBool *known, light_ok, filter;

  PetscFunctionBeginUser;
  *general = (General){.point = point};
  PetscCall(CospinMomentModelCreate(point->problem, NULL, &general->model, ok));
  PetscCall(read_start(point->problem, task, general, NULL, ok));
  if (!CospinRecordGet(task, "times")->axis.size) set_steady_start(general);
  PetscCall(read_operators(general, &words, &known));
  /* First order has its steady state with a phase, or none. */
  filter = (PetscBool)(is_phaseless(general) && (order > 1 || CospinRecordGet(task, "times")->axis.size));
  PetscCall(CospinCumulantLightCreate(general->model, point->problem, task, order, filter, &general->light,
                                      &light_ok));
  PetscCall(CospinHierarchyCreate(general->model, order, filter, general->num, words,
                                  general->light ? &general->light->needed : NULL, MOST_UNKNOWNS,
                                  &general->moments, ok));
  *ok = (PetscBool)(*ok && light_ok);
  PetscCall(PetscCalloc1(general->num, &general->values));
  for (int k = 0; k < general->num; k++) {
    const CospinMomentTerm none = {.coefficient = NAN};
    PetscCall(CospinHierarchyPolynomial(general->moments, &words[k], &general->values[k]));
    if (!known[k]) PetscCall(CospinMomentPolynomialAdd(&general->values[k], &none));
    PetscCall(CospinMomentWordsFree(&words[k]));
  }
  PetscCall(PetscFree2(words, known));
  PetscFunctionReturn(0);
}

/* The model goes last: equations and closure point into it. */
static PetscErrorCode destroy(General *general)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < general->num; k++) PetscCall(CospinMomentPolynomialFree(&general->values[k]));
  PetscCall(PetscFree(general->values));
  PetscCall(PetscFree4(general->excited, general->lower, general->quanta, general->field));
  PetscCall(CospinRegressionDestroy(&general->light));
  PetscCall(CospinHierarchyDestroy(&general->moments));
  PetscCall(CospinMomentModelDestroy(&general->model));
  PetscFunctionReturn(0);
}

/* An order that one ensemble and one mode have equations of their own for (cumulant.h) has the same here. */
PetscErrorCode CospinCumulantEquationsView(CospinPoint point, const CospinRecord *task, FILE *stream,
                                           PetscBool *ok)
{
  General general;

  PetscFunctionBeginUser;
  PetscCall(create(point, task, &general, ok));
  if (*ok) {
    fprintf(stream, "order %d\n", general.moments->order);
    fprintf(stream, "charged %s\n", general.moments->filter ? "zero" : "kept");
    CospinHierarchyView(general.moments, stream);
  }
  PetscCall(destroy(&general));
  PetscFunctionReturn(0);
}

/* ---- Results
 * ------------------------------------------------------------------------------------------------ */

/* An observable is an expression of expectation values, which stand one after the other for all of them. */
static PetscErrorCode store_observables(const General *general, const double complex z[], int index,
                                        CospinResults results)
{
  CospinObservables observables = general->point->observables;
  double complex *expectations, value;
  int first = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(general->num + 1, &expectations));
  for (int k = 0; k < general->num; k++)
    expectations[k] = CospinHierarchyEvaluate(general->moments, &general->values[k], z);
  for (int k = 0; k < observables->count; k++) {
    PetscCall(CospinObservableEvaluate(observables, k, expectations + first, &value));
    PetscCall(CospinResultsSetObservable(results, &observables->observables[k], index, value));
    first += observables->observables[k].num_expectations;
  }
  PetscCall(PetscFree(expectations));
  PetscFunctionReturn(0);
}

/* Populations are between none and all, quanta not negative: a closure may leave that, and is no state then.
   Comparisons are negated so that NaN is not physical, either. */
static PetscBool is_physical(CospinHierarchy moments, const double complex z[])
{
  for (int i = 0; i < moments->num; i++) {
    const CospinMomentKey *key = &moments->unknowns.keys[i];
    const double value = creal(z[i]);
    if (!moments->is_real[i] || CospinMomentOperators(key) > 2) continue;
    if (key->num_atoms == 1 && !(value >= -physical && value <= 1 + physical)) return PETSC_FALSE;
    if (key->num_atoms == 0 && !(value >= -physical * fmax(1.0, fabs(value)))) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* All ranks of a point take the same steps, so they ask together whether the run is to end. */
static PetscErrorCode leave(void *context, PetscBool *leave)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskLeave((CospinPoint)context, leave));
  PetscFunctionReturn(0);
}

/* A start of higher orders is the steady state of second order: of moments of more operators, those of the
   state with a phase where there is one (a laser's photons are Poissonian, which no second-order closure
   without a phase says), else the closure's. Without it the fourth order of 10^3 atoms runs away on its way.
 */
static PetscErrorCode start_from_second(const General *general, double complex z[])
{
  const CospinHierarchy moments = general->moments;
  CospinHierarchy second;
  CospinMomentRest rest;
  CospinMomentLine line;
  double complex *u, value;
  double *quanta;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinHierarchyCreate(general->model, 2, moments->filter, 0, NULL, &moments->unknowns,
                                  MOST_UNKNOWNS, &second, &ok));
  PetscCall(PetscMalloc2(second->num, &u, general->model->num_modes, &quanta));
  CospinHierarchyProduct(second, general->excited, general->lower, general->quanta, general->field, u);
  PetscCall(CospinHierarchyRest(second, leave, general->point, u, &rest));
  if (ok && rest.found) {
    PetscCall(CospinMomentLineFind(second, u, &line));
    for (int m = 0; m < general->model->num_modes && line.found; m++)
      quanta[m] = creal(line.field[m] * conj(line.field[m]));
    if (line.found) CospinHierarchyProduct(moments, line.excited, line.lower, quanta, line.field, z);
    for (int i = 0; i < moments->num; i++) {
      const CospinMomentKey *key = &moments->unknowns.keys[i];
      PetscCall(CospinHierarchyMoment(second, key, u, &value));
      if (CospinMomentOperators(key) <= 2 || !line.found) z[i] = value;
    }
    PetscCall(CospinMomentLineDestroy(&line));
  }
  PetscCall(PetscFree2(u, quanta));
  PetscCall(CospinHierarchyDestroy(&second));
  PetscFunctionReturn(0);
}

/* Where mean field comes to rest, as a product state: a laser that spikes for long on its way is there at
 *once. found false: there is no such place (also where it turns with a frequency of its own). */
static PetscErrorCode start_from_mean_field(General *general, double complex z[], PetscBool *found)
{
  const CospinSystem *system = &general->point->problem->system;
  double means[COSPIN_MAX_COORDINATES], phases[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int c = 0; c < system->num_components; c++)
    if (system->components[c].num_coordinates == 0 || system->components[c].kind->NumSpins)
      PetscFunctionReturn(0);
  PetscCall(CospinMeanRest(general->point, means, phases, found));
  for (int c = 0; c < system->num_components && *found; c++) {
    const CospinComponent component = &system->components[c];
    const int first = general->model->first[c];
    double lost = 0.0, quanta = 0.0, phase = 0.0;
    for (int k = 0; k < component->num_coordinates; k++) {
      const int at = component->offset + k;
      if (component->kind->roles[k] == COSPIN_COORDINATE_IRREP) lost = means[at];
      if (component->kind->roles[k] == COSPIN_COORDINATE_KET) quanta = means[at];
      if (component->kind->roles[k] == COSPIN_COORDINATE_KET) phase = phases[at];
    }
    if (first < 0) {
      general->quanta[-1 - first] = quanta;
      general->field[-1 - first] = sqrt(quanta) * cexp(I * phase);
    } else { /* a Bloch vector of length b with the component z */
      const double copies = general->model->copies[first], b = 1 - 2 * lost / copies,
                   up = 2 * quanta / copies - 1;
      general->excited[first] = quanta / copies;
      general->lower[first] = sqrt(fmax(0.0, b * b - up * up)) / 2 * cexp(I * phase);
    }
  }
  if (*found)
    CospinHierarchyProduct(general->moments, general->excited, general->lower, general->quanta,
                           general->field, z);
  PetscFunctionReturn(0);
}

/* The steady state from half-excited spins, or from where mean field has a phase: the second try is made
   where the first found nothing or what it found grows, and takes its place. */
static PetscErrorCode find_rest(General *general, double complex z[], CospinMomentRest *rest)
{
  CospinMomentRest other;
  PetscBool found = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (general->moments->order > 2) PetscCall(start_from_second(general, z));
  PetscCall(CospinHierarchyRest(general->moments, leave, general->point, z, rest));
  if (rest->leave || (rest->found && !(rest->growth > rest->rounding))) PetscFunctionReturn(0);
  PetscCall(start_from_mean_field(general, z, &found));
  if (!found) PetscFunctionReturn(0);
  PetscCall(CospinHierarchyRest(general->moments, leave, general->point, z, &other));
  other.iterations += rest->iterations;
  *rest = other;
  PetscFunctionReturn(0);
}

/* NaN is told as a number that is missing. Of a Lorentzian line with the full width `width` the field's
   coherence decays as exp(-width t/2), so that its time is 2/width. */
static PetscErrorCode store_line(double width, double frequency, CospinResults results)
{
  PetscFunctionBeginUser;
  PetscCall(CospinResultsSet(results, "linewidth", 0, width));
  PetscCall(CospinResultsSet(results, "coherence_time", 0, 2 / width));
  PetscCall(CospinResultsSet(results, "frequency", 0, frequency));
  PetscFunctionReturn(0);
}

/* What was found is told also where it is not stable or not physical: the outcome says so, and a threshold is
   found by it. The line is looked for beside good states only. */
static PetscErrorCode run_steady(General *general, const CospinRecord *task, double complex z[],
                                 CospinResults results, CospinOutcome *outcome)
{
  CospinMomentRest rest;
  CospinMomentLine line;
  double tolerance;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(general->point->problem, task, NULL, &tolerance, &ok));
  general->frequency = general->width = NAN;
  if (general->moments->order == 1 && general->model->num_charges)
    PetscCall(CospinCumulantTurning(general->moments, leave, general->point, z, &rest, &general->width,
                                    &general->frequency));
  else
    PetscCall(find_rest(general, z, &rest));
  *outcome = COSPIN_NOT_RUN; /* a run that is to end: the point is begun again by the next one */
  if (rest.leave) PetscFunctionReturn(0);
  PetscCall(CospinResultsSet(results, "iterations", 0, rest.iterations));
  *outcome = rest.found ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  if (!rest.found) PetscFunctionReturn(0);
  PetscCall(CospinResultsSet(results, "residual", 0, rest.residual));
  PetscCall(CospinResultsSet(results, "growth", 0, rest.growth));
  if (!(rest.residual <= tolerance) || !is_physical(general->moments, z)) *outcome = COSPIN_INACCURATE;
  if (fabs(rest.growth) <= rest.rounding) *outcome = COSPIN_DEGENERATE;
  if (rest.growth > rest.rounding)
    *outcome =
        general->moments->order == 1 && general->model->num_charges ? COSPIN_OSCILLATING : COSPIN_UNSTABLE;
  PetscCall(store_observables(general, z, 0, results));
  if (*outcome == COSPIN_GOOD) PetscCall(store_line(general->width, general->frequency, results));
  if (*outcome != COSPIN_GOOD || general->moments->order < 2) PetscFunctionReturn(0);
  PetscCall(CospinCumulantLightStore(general->light, general->point->problem, task, general->moments, z,
                                     results, outcome));
  PetscCall(CospinMomentLineFind(general->moments, z, &line));
  if (!isnan(line.width)) PetscCall(store_line(line.width, line.frequency, results));
  PetscCall(CospinMomentLineDestroy(&line));
  PetscFunctionReturn(0);
}

/* Observables at each time; where the integrator gives up the rest of the times stays missing. */
static PetscErrorCode run_time(General *general, const CospinRecord *task, double complex z[],
                               CospinResults results, CospinOutcome *outcome)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinMomentClock clock;
  char prefix[64];
  double accuracy;
  PetscBool ok, physical_state = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  PetscCall(CospinTaskNumber(general->point->problem, task, "accuracy", NULL, &accuracy, &ok));
  PetscCall(CospinMomentClockCreate(general->moments, z, accuracy, prefix, &clock));
  clock.Leave = leave;
  clock.context = general->point;
  for (int k = 0; k < times->size && ok; k++) {
    PetscCall(CospinMomentClockAdvance(&clock, times->values[k], z, &ok));
    if (ok) PetscCall(store_observables(general, z, k, results));
    if (ok && !is_physical(general->moments, z)) physical_state = PETSC_FALSE;
  }
  PetscCall(CospinResultsSet(results, "iterations", 0, (double)clock.steps));
  *outcome = clock.leave ? COSPIN_NOT_RUN : !ok ? COSPIN_NOT_CONVERGED : COSPIN_GOOD;
  if (*outcome == COSPIN_GOOD && !physical_state) *outcome = COSPIN_INACCURATE;
  PetscCall(CospinMomentClockDestroy(&clock));
  PetscFunctionReturn(0);
}

/* Every rank of the point solves the same equations, so that nothing is sent; too_large: more of them than
   are ever solved. */
PetscErrorCode CospinCumulantGeneralRun(CospinPoint point, const CospinRecord *task, CospinResults results,
                                        CospinOutcome *outcome)
{
  General general;
  double complex *z;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(create(point, task, &general, &ok));
  *outcome = COSPIN_TOO_LARGE;
  if (ok) {
    PetscCall(PetscMalloc1(general.moments->num, &z));
    CospinHierarchyProduct(general.moments, general.excited, general.lower, general.quanta, general.field, z);
    PetscCall(CospinResultsSet(results, "equations", 0, general.moments->num));
    if (CospinRecordGet(task, "times")->axis.size)
      PetscCall(run_time(&general, task, z, results, outcome));
    else
      PetscCall(run_steady(&general, task, z, results, outcome));
    PetscCall(PetscFree(z));
  }
  PetscCall(destroy(&general));
  PetscFunctionReturn(0);
}

/* Where the steady state has been told by equations of its own, that of the engine is the same to rounding.
 */
PetscErrorCode CospinCumulantGeneralLight(CospinPoint point, const CospinRecord *task, CospinResults results,
                                          CospinOutcome *outcome)
{
  CospinMomentRest rest;
  General general;
  double complex *z;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(create(point, task, &general, &ok));
  PetscCall(PetscMalloc1(general.moments->num, &z));
  CospinHierarchyProduct(general.moments, general.excited, general.lower, general.quanta, general.field, z);
  if (ok && general.light) {
    PetscCall(find_rest(&general, z, &rest));
    if (rest.found && rest.growth <= rest.rounding)
      PetscCall(CospinCumulantLightStore(general.light, point->problem, task, general.moments, z, results,
                                         outcome));
    else
      *outcome = rest.leave ? COSPIN_NOT_RUN : CospinOutcomeWorse(*outcome, COSPIN_NOT_CONVERGED);
  }
  PetscCall(PetscFree(z));
  PetscCall(destroy(&general));
  PetscFunctionReturn(0);
}
