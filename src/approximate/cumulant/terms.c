/*
   Coefficients of the second-order equations from the terms of a deck, and expectation values from moments.

   What an operator is, is told by its name in the table of its component's kind: whoever has one-spin s+, s-
   and sz of unnamed spins is an ensemble, whoever has a is a mode.
*/
#include "cumulant.h"
#include <string.h>

/* The elementary operators that a monomial may hold. */
typedef enum { S_PLUS, S_MINUS, S_Z, EACH_PLUS, EACH_MINUS, EACH_Z, LOWER, RAISE, OTHER } Operator;

static const char *const names[] = {"Sp", "Sm", "Sz", "sp", "sm", "sz", "a"};

/* The code of a name that is one elementary operator; -1: this kind has none such. */
static int code_of(const CospinComponentKind *kind, const char name[], PetscBool one_spin)
{
  for (const CospinOperatorName *known = kind->operators; known->name; known++) {
    if (strcmp(known->name, name) != 0 || known->one_spin != one_spin) continue;
    return known->num_terms == 1 && known->term[0].length == 1 ? known->term[0].code[0] : -1;
  }
  return -1;
}

/* By name, not by code: codes are the kind's own business. */
static Operator operator_of(const CospinSystem *system, CospinElementary elementary)
{
  const CospinComponentKind *kind = system->components[elementary.component].kind;

  for (int k = 0; k < (int)(sizeof(names) / sizeof(names[0])); k++) {
    const int code = code_of(kind, names[k], (PetscBool)(k >= EACH_PLUS && k <= EACH_Z));
    if (code >= 0 && code == elementary.code) return (Operator)k;
    if (k == LOWER && code >= 0 && kind->adjoint[code] == elementary.code) return RAISE;
  }
  return OTHER;
}

/* Both operators of a monomial of two, in whatever order if they belong to different components. */
static PetscBool is_pair(const CospinSystem *system, const CospinMonomial *monomial, Operator a, Operator b)
{
  Operator first, second;

  if (monomial->length != 2) return PETSC_FALSE;
  first = operator_of(system, monomial->operators[0]);
  second = operator_of(system, monomial->operators[1]);
  if (first == a && second == b) return PETSC_TRUE;
  return (PetscBool)(first == b && second == a &&
                     monomial->operators[0].component != monomial->operators[1].component);
}

/* ---- Components ---------------------------------------------------------------------------------------- */

/* The first ensemble and the first mode; a second one of either is beyond the equations. Faults name
   noise_spectrum, for only that task tells them: cumulant asks quietly, and the engine takes what is beyond.
 */
static PetscErrorCode find_components(CospinProblem problem, CospinFaults faults, CospinCumulants *equations,
                                      PetscBool *ok)
{
  PetscFunctionBeginUser;
  equations->spins = equations->mode = -1;
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    const PetscBool spins =
        (PetscBool)(!component->kind->NumSpins && code_of(component->kind, "sp", PETSC_TRUE) >= 0);
    /* Spins that can be told apart are no ensemble, although they have sp. */
    int *place = spins                                             ? &equations->spins
                 : code_of(component->kind, "a", PETSC_FALSE) >= 0 ? &equations->mode
                                                                   : NULL;
    char path[128];
    if (place && *place < 0) {
      *place = c;
      if (spins) equations->size = component->kind->Size(component);
      continue;
    }
    *ok = PETSC_FALSE;
    PetscCall(PetscSNPrintf(path, sizeof(path), "components.%s", component->name));
    PetscCall(
        CospinFaultsAdd(faults, problem->deck->components[c].position, path,
                        place ? "a second one is beyond the task noise_spectrum (one ensemble and one mode)"
                              : "this kind is beyond the task noise_spectrum (one ensemble and one mode)"));
  }
  if (equations->spins >= 0 || !*ok) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, problem->deck->components[0].position, "components",
                            "the task noise_spectrum needs an ensemble"));
  PetscFunctionReturn(0);
}

/* ---- Terms --------------------------------------------------------------------------------------------- */

/* Known are Sz, n and the exchange a^+ Sm + hc. */
static PetscErrorCode add_hamiltonian(CospinProblem problem, CospinFaults faults, CospinCumulants *equations,
                                      PetscBool *ok)
{
  const CospinSystem *system = &problem->system;
  const CospinPolynomial h = problem->hamiltonian;

  PetscFunctionBeginUser;
  for (int k = 0; k < h->count; k++) {
    const CospinMonomial *monomial = &h->monomials[k];
    const Operator first = monomial->length ? operator_of(system, monomial->operators[0]) : OTHER;
    if (monomial->length == 0 || is_pair(system, monomial, RAISE, S_MINUS)) continue;
    if (monomial->length == 1 && first == S_Z) {
      equations->spin_frequency += creal(monomial->coefficient);
    } else if (is_pair(system, monomial, RAISE, LOWER) || is_pair(system, monomial, LOWER, RAISE)) {
      equations->mode_frequency += creal(monomial->coefficient);
    } else if (is_pair(system, monomial, LOWER, S_PLUS)) {
      equations->coupling += monomial->coefficient;
    } else {
      const CospinExpression expression = problem->deck->hamiltonian[0];
      *ok = PETSC_FALSE;
      PetscCall(
          CospinFaultsAdd(faults, CospinExpressionPosition(expression), "hamiltonian",
                          "holds a term beyond the task noise_spectrum (it knows g*a*Sp + hc, Sz and n)"));
      PetscFunctionReturn(0);
    }
  }
  PetscFunctionReturn(0);
}

/* The coefficient that a jump of this operator adds to; *factor: per rate. */
static double *rate_of(CospinCumulants *equations, Operator op, double *factor)
{
  double *const rates[] = {
      [S_PLUS] = &equations->collective_pump,
      [S_MINUS] = &equations->collective_decay,
      [S_Z] = NULL,
      [EACH_PLUS] = &equations->pump,
      [EACH_MINUS] = &equations->decay,
      [EACH_Z] = &equations->dephasing,
      [LOWER] = &equations->loss,
      [RAISE] = &equations->gain,
      [OTHER] = NULL,
  };

  *factor = op == EACH_Z ? 4.0 : 1.0;
  return rates[op];
}

/* A jump of one elementary operator adds to the rate that this operator has. */
static PetscErrorCode add_jump(CospinProblem problem, int k, CospinFaults faults, CospinCumulants *equations,
                               PetscBool *ok)
{
  const CospinPlainJump *term = &problem->jumps[k];
  const CospinMonomial *monomial = term->op && term->op->count == 1 ? &term->op->monomials[0] : NULL;
  double factor, *rate = NULL;

  PetscFunctionBeginUser;
  if (term->op && term->op->count == 0) PetscFunctionReturn(0);
  if (monomial && monomial->length == 1)
    rate = rate_of(equations, operator_of(&problem->system, monomial->operators[0]), &factor);
  if (rate) {
    *rate += factor * term->rate * creal(monomial->coefficient * conj(monomial->coefficient));
    PetscFunctionReturn(0);
  }
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(
      faults, CospinExpressionPosition(problem->deck->jumps[k].op),
      CospinExpressionPath(problem->deck->jumps[k].op),
      "a jump beyond the task noise_spectrum (it knows sp, sm, sz of each spin, Sp, Sm, a and "
      "dag(a))"));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCumulantsCreate(CospinProblem problem, CospinFaults faults, CospinCumulants *equations,
                                     PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  *equations = (CospinCumulants){0};
  PetscCall(find_components(problem, faults, equations, ok));
  PetscCall(add_hamiltonian(problem, faults, equations, ok));
  for (int k = 0; k < problem->deck->num_jumps; k++) PetscCall(add_jump(problem, k, faults, equations, ok));
  PetscFunctionReturn(0);
}

/* Without loss photons grow for ever: there is no steady state to ask for. */
PetscErrorCode CospinCumulantsCheckMode(CospinProblem problem, const CospinCumulants *equations,
                                        CospinFaults faults, PetscBool *ok)
{
  const CospinRecord *mode;
  char path[128];

  PetscFunctionBeginUser;
  if (equations->mode < 0 || equations->loss > equations->gain) PetscFunctionReturn(0);
  mode = &problem->deck->components[equations->mode];
  *ok = PETSC_FALSE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "components.%s", mode->name));
  PetscCall(CospinFaultsAdd(faults, mode->position, path,
                            "the task cumulant needs a mode that decays (jumps `a` at a higher rate than "
                            "`dag(a)`)"));
  PetscFunctionReturn(0);
}

/* ---- Expectation values -------------------------------------------------------------------------------- */

/* What each operator adds to the conserved charge. */
static const int charges[] = {[S_PLUS] = 1, [S_MINUS] = -1, [S_Z] = 0, [LOWER] = -1, [RAISE] = 1};

/* Moments of two operators in the order in which they stand: <a a^+> has one photon more than <a^+ a>, <S-
   S+> counts spins that are down. */
static double complex second_moment(const CospinCumulants *e, const double u[], Operator a, Operator b)
{
  const double n = e->size, p = u[COSPIN_CUMULANT_P], pairs = n * (n - 1) * u[COSPIN_CUMULANT_X];
  const double complex z = CMPLX(u[COSPIN_CUMULANT_Z_RE], u[COSPIN_CUMULANT_Z_IM]);
  const double complex mixed = e->coupling != 0.0 ? n * z / conj(e->coupling) : 0.0; /* <a^+ S-> */

  if (a == S_PLUS && b == S_MINUS) return pairs + n * (1 + p) / 2;
  if (a == S_MINUS && b == S_PLUS) return pairs + n * (1 - p) / 2;
  if (a == S_Z && b == S_Z) return n * (1 + (n - 1) * u[COSPIN_CUMULANT_Y]) / 4;
  if (a == RAISE && b == LOWER) return u[COSPIN_CUMULANT_PHOTONS];
  if (a == LOWER && b == RAISE) return u[COSPIN_CUMULANT_PHOTONS] + 1;
  if ((a == RAISE && b == S_MINUS) || (a == S_MINUS && b == RAISE)) return mixed;
  if ((a == LOWER && b == S_PLUS) || (a == S_PLUS && b == LOWER)) return conj(mixed);
  return NAN;
}

double complex CospinCumulantExpectation(const CospinCumulants *equations, const double moments[],
                                         const CospinSystem *system, CospinPolynomial a)
{
  double complex sum = 0.0;

  for (int k = 0; k < a->count; k++) {
    const CospinMonomial *monomial = &a->monomials[k];
    Operator operators[2] = {OTHER, OTHER};
    double complex value = NAN;
    int charge = 0;
    for (int l = 0; l < monomial->length; l++) {
      const Operator op = operator_of(system, monomial->operators[l]);
      if (l < 2) operators[l] = op;
      charge += op == OTHER ? 0 : charges[op];
    }
    if (monomial->length == 0) value = 1.0;
    if (monomial->length == 1 && operators[0] == S_Z)
      value = equations->size * moments[COSPIN_CUMULANT_P] / 2;
    if (monomial->length == 2) value = second_moment(equations, moments, operators[0], operators[1]);
    if (charge != 0) value = 0.0;
    sum += monomial->coefficient * value;
  }
  return sum;
}
