/*
   From a deck's terms to the matrices of the equations. What an operator is, is told by its name in the table
   of its component's kind.

   The class of problems: sz of each spin and exchange s+_l s-_m in the Hamiltonian, collective and single
   emission and absorption with any matrix of rates, dephasing of single spins. Every term of the deck is
   either put into a matrix or a fault with its place: nothing is dropped silently.
*/
#include "langevin.h"
#include <string.h>

enum { MAX_SPINS = 2000 }; /* four matrices of 3N x 3N are a gigabyte */

/* R-[l + N m], R+ and J, and what belongs to one spin. */
typedef struct {
  CospinProblem problem;
  CospinFaults faults;
  int component, size;
  double complex *pairs[2], *exchange; /* pairs[] by COSPIN_LANGEVIN_PLUS, _MINUS */
  double *dephasing, *frequency;       /* [N] */
  double complex *form[2];             /* [N] scratch: coefficients of a jump's operators */
} Terms;

/* ---- Operators ----------------------------------------------------------------------------------------- */

/* The code of a name that is one elementary operator; -1: this kind has none such. */
static int code_of(const CospinComponentKind *kind, const char name[], PetscBool one_spin)
{
  for (const CospinOperatorName *known = kind->operators; known->name; known++) {
    if (strcmp(known->name, name) != 0 || known->one_spin != one_spin) continue;
    return known->num_terms == 1 && known->term[0].length == 1 ? known->term[0].code[0] : -1;
  }
  return -1;
}

CospinLangevinElementary CospinLangevinElementaryOf(const CospinSystem *system, CospinElementary elementary)
{
  static const char *const names[2][3] = {{"sp", "sm", "sz"}, {"Sp", "Sm", "Sz"}};
  const CospinComponentKind *kind = system->components[elementary.component].kind;
  const PetscBool sum = (PetscBool)(elementary.spin == -1); /* of an ensemble: J, and Jz is half a sum */
  CospinLangevinElementary result = {COSPIN_LANGEVIN_OTHER, elementary.spin, 1.0};

  if (code_of(kind, "sp", PETSC_TRUE) < 0) return result;
  for (int k = 0; k < 3; k++) {
    if (code_of(kind, names[sum][k], (PetscBool)!sum) == elementary.code)
      result.which = (CospinLangevinOperator)k;
  }
  if (sum && result.which == COSPIN_LANGEVIN_Z) result.factor = 0.5;
  return result;
}

/* A sum of operators of one kind: form[l] of spin l, and what kind; false if it is none. */
static PetscBool linear_form(const Terms *terms, CospinPolynomial a, CospinLangevinOperator *which,
                             double complex form[])
{
  for (int l = 0; l < terms->size; l++) form[l] = 0.0;
  for (int k = 0; k < a->count; k++) {
    const CospinMonomial *monomial = &a->monomials[k];
    const CospinLangevinElementary elementary =
        monomial->length == 1 ? CospinLangevinElementaryOf(&terms->problem->system, monomial->operators[0])
                              : (CospinLangevinElementary){COSPIN_LANGEVIN_OTHER, -1, 0.0};
    if (elementary.which == COSPIN_LANGEVIN_OTHER || (k && elementary.which != *which)) return PETSC_FALSE;
    *which = elementary.which;
    for (int l = 0; l < terms->size && elementary.spin < 0; l++)
      form[l] += monomial->coefficient * elementary.factor;
    if (elementary.spin >= 0) form[elementary.spin] += monomial->coefficient;
  }
  return PETSC_TRUE;
}

/* ---- Hamiltonian --------------------------------------------------------------------------------------- */

/* factor a_l b_m of two spins, or of one */
static PetscBool add_two(const Terms *terms, double complex factor, CospinLangevinOperator a, int l,
                         CospinLangevinOperator b, int m)
{
  const PetscBool plus_minus = (PetscBool)(a == COSPIN_LANGEVIN_PLUS && b == COSPIN_LANGEVIN_MINUS);
  const PetscBool minus_plus = (PetscBool)(a == COSPIN_LANGEVIN_MINUS && b == COSPIN_LANGEVIN_PLUS);

  if (l == m) { /* s+ s- = (1 + sz)/2 */
    if (plus_minus) terms->frequency[l] += creal(factor);
    if (minus_plus) terms->frequency[l] -= creal(factor);
    return (PetscBool)(plus_minus || minus_plus || (a == COSPIN_LANGEVIN_Z && b == COSPIN_LANGEVIN_Z));
  }
  if (plus_minus) terms->exchange[l + terms->size * m] += factor;
  if (minus_plus) terms->exchange[m + terms->size * l] += factor;
  return (PetscBool)(plus_minus || minus_plus);
}

/* A monomial of the Hamiltonian; false if it is beyond the class. */
static PetscBool add_monomial(const Terms *terms, const CospinMonomial *monomial)
{
  CospinLangevinElementary operators[2];
  double complex factor = monomial->coefficient;
  int first[2], end[2];

  if (monomial->length == 0) return PETSC_TRUE;
  if (monomial->length > 2) return PETSC_FALSE;
  for (int k = 0; k < monomial->length; k++) {
    operators[k] = CospinLangevinElementaryOf(&terms->problem->system, monomial->operators[k]);
    if (operators[k].which == COSPIN_LANGEVIN_OTHER) return PETSC_FALSE;
    factor *= operators[k].factor;
    first[k] = PetscMax(0, operators[k].spin);
    end[k] = operators[k].spin < 0 ? terms->size : operators[k].spin + 1;
  }
  for (int l = first[0]; l < end[0]; l++) {
    if (monomial->length == 1) {
      if (operators[0].which != COSPIN_LANGEVIN_Z) return PETSC_FALSE;
      terms->frequency[l] += 2 * creal(factor);
      continue;
    }
    for (int m = first[1]; m < end[1]; m++) {
      if (!add_two(terms, factor, operators[0].which, l, operators[1].which, m)) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

static const char beyond_hamiltonian[] =
    "a term beyond the task langevin (it knows sz of each spin and sp[l]*sm[m] of pairs, Sz and Sp*Sm)";

/* The sum is looked at as a whole, where terms may cancel; only if something is left over are the deck's
   terms looked at one by one, to say where. */
static PetscErrorCode add_hamiltonian(Terms *terms, PetscBool *ok)
{
  const CospinDeck deck = terms->problem->deck;
  const CospinPolynomial h = terms->problem->hamiltonian;
  PetscBool known = PETSC_TRUE, found = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int k = 0; k < h->count; k++)
    if (!add_monomial(terms, &h->monomials[k])) known = PETSC_FALSE;
  if (known) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  for (int t = 0; t < deck->num_hamiltonian; t++) { /* where: of sums over spins it is not known in which */
    CospinPolynomial term = NULL;
    PetscBool this_ok = PETSC_TRUE;
    if (!deck->hamiltonian_sum[t])
      PetscCall(CospinProblemOperator(terms->problem, deck->hamiltonian[t], NULL, &term, &this_ok));
    for (int k = 0; term && k < term->count; k++)
      if (!add_monomial(terms, &term->monomials[k])) this_ok = PETSC_FALSE;
    PetscCall(CospinPolynomialDestroy(&term));
    if (this_ok) continue;
    found = PETSC_TRUE;
    PetscCall(CospinFaultsAdd(terms->faults, CospinExpressionPosition(deck->hamiltonian[t]),
                              CospinExpressionPath(deck->hamiltonian[t]), "%s", beyond_hamiltonian));
  }
  if (!found)
    PetscCall(CospinFaultsAdd(terms->faults, CospinExpressionPosition(deck->hamiltonian[0]), "hamiltonian",
                              "holds %s", beyond_hamiltonian));
  PetscFunctionReturn(0);
}

/* ---- Jumps --------------------------------------------------------------------------------------------- */

/* rate A_m rho A_l^+ with A_m = sum_k right[k] s_k, A_l likewise from left[]; false: sz of several spins
   together. */
static PetscBool add_pair(const Terms *terms, double complex rate, CospinLangevinOperator which,
                          const double complex left[], const double complex right[])
{
  const int n = terms->size;

  for (int m = 0; m < n; m++) {
    if (right[m] == 0.0) continue;
    for (int l = 0; l < n; l++) {
      const double complex value = rate * conj(left[l]) * right[m];
      if (value == 0.0) continue;
      if (which == COSPIN_LANGEVIN_Z && l != m) return PETSC_FALSE;
      if (which == COSPIN_LANGEVIN_Z)
        terms->dephasing[l] += creal(value);
      else
        terms->pairs[which][l + n * m] += value;
    }
  }
  return PETSC_TRUE;
}

static PetscBool add_one(const Terms *terms, double rate, CospinPolynomial a)
{
  CospinLangevinOperator which = COSPIN_LANGEVIN_Z;

  return (PetscBool)(linear_form(terms, a, &which, terms->form[0]) &&
                     add_pair(terms, rate, which, terms->form[0], terms->form[0]));
}

/* One process for each spin of an ensemble. */
static PetscBool add_each(const Terms *terms, double rate, CospinPolynomial a)
{
  CospinLangevinOperator which = COSPIN_LANGEVIN_Z;

  if (!linear_form(terms, a, &which, terms->form[0])) return PETSC_FALSE;
  for (int l = 0; l < terms->size; l++) {
    const double value = rate * creal(terms->form[0][l] * conj(terms->form[0][l]));
    if (which == COSPIN_LANGEVIN_Z)
      terms->dephasing[l] += value;
    else
      terms->pairs[which][l + terms->size * l] += value;
  }
  return PETSC_TRUE;
}

/* Rates R[l,m] of pairs of one kind of operator, raising with raising or lowering with lowering. */
static PetscBool add_pairs(const Terms *terms, const CospinPlainJump *jump)
{
  const int n = jump->num_spins;
  CospinLangevinOperator which[2] = {COSPIN_LANGEVIN_Z, COSPIN_LANGEVIN_Z};

  for (int m = 0; m < n; m++) {
    if (!linear_form(terms, jump->operators[m], &which[0], terms->form[0])) return PETSC_FALSE;
    for (int l = 0; l < n; l++) {
      const double complex rate = jump->pairs[l + n * m];
      if (rate == 0.0) continue;
      if (!linear_form(terms, jump->operators[l], &which[1], terms->form[1])) return PETSC_FALSE;
      if (which[0] != which[1] || !add_pair(terms, rate, which[0], terms->form[1], terms->form[0]))
        return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

/* Three forms of jumps, as the deck has them: pairs, each with an index, one operator. */
static PetscErrorCode add_jump(const Terms *terms, int k, PetscBool *ok)
{
  const CospinPlainJump *jump = &terms->problem->jumps[k];
  const CospinExpression op = terms->problem->deck->jumps[k].op;
  PetscBool known = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (jump->pairs)
    known = add_pairs(terms, jump);
  else if (jump->num_spins)
    for (int l = 0; l < jump->num_spins && known; l++)
      known = add_one(terms, jump->rates[l], jump->operators[l]);
  else if (jump->op)
    known =
        jump->component >= 0 ? add_each(terms, jump->rate, jump->op) : add_one(terms, jump->rate, jump->op);
  if (known) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(
      CospinFaultsAdd(terms->faults, CospinExpressionPosition(op), CospinExpressionPath(op),
                      "a jump beyond the task langevin (it knows sums of sp, sums of sm, and sz of each "
                      "spin)"));
  PetscFunctionReturn(0);
}

/* ---- The whole ----------------------------------------------------------------------------------------- */

/* One component of two-level systems, that is all. */
static PetscErrorCode find_component(Terms *terms, PetscBool *ok)
{
  const CospinProblem problem = terms->problem;
  double size = 0.0;

  PetscFunctionBeginUser;
  terms->component = -1;
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    const PetscBool spins = (PetscBool)(code_of(component->kind, "sp", PETSC_TRUE) >= 0);
    const char *why = NULL;
    char path[128];
    if (spins && terms->component < 0) {
      terms->component = c;
      size = component->kind->Size(component);
    } else {
      why = spins ? "a second one is beyond the task langevin (one ensemble or spins)"
                  : "this kind is beyond the task langevin (one ensemble or spins)";
    }
    if (!why && size > MAX_SPINS)
      why = "more than 2000 spins (the task langevin has matrices over all of them)";
    if (!why) continue;
    *ok = PETSC_FALSE;
    PetscCall(PetscSNPrintf(path, sizeof(path), "components.%s", component->name));
    PetscCall(CospinFaultsAdd(terms->faults, problem->deck->components[c].position, path, "%s", why));
  }
  terms->size = (int)PetscMin(size, MAX_SPINS);
  PetscFunctionReturn(0);
}

/* From rates and exchange to the matrices of the equations (langevin.h): noise from the sum of emission and
   absorption, coupling from exchange and their difference. */
static PetscErrorCode make_equations(const Terms *terms, CospinLangevin *equations)
{
  const int n = terms->size;
  const double complex *up = terms->pairs[COSPIN_LANGEVIN_PLUS], *down = terms->pairs[COSPIN_LANGEVIN_MINUS];
  CospinLangevin e;

  PetscFunctionBeginUser;
  PetscCall(CospinLangevinCreate(n, &e));
  *equations = e;
  for (int b = 0; b < n; b++) {
    for (int a = 0; a < n; a++) {
      e->noise[n * b + a] = down[a + n * b] + up[b + n * a];
      if (a != b)
        e->couple[n * b + a] = I * terms->exchange[a + n * b] + (down[a + n * b] - up[b + n * a]) / 2;
    }
    e->up[b] = creal(up[b + n * b]);
    e->down[b] = creal(down[b + n * b]);
    e->dephasing[b] = terms->dephasing[b];
    e->frequency[b] = terms->frequency[b];
  }
  CospinLangevinFinish(e);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLangevinRead(CospinProblem problem, CospinFaults faults, CospinLangevin *equations,
                                  PetscBool *ok)
{
  Terms terms = {.problem = problem, .faults = faults};

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  *equations = NULL;
  PetscCall(find_component(&terms, ok));
  if (!*ok) PetscFunctionReturn(0);
  const size_t n = (size_t)terms.size;
  PetscCall(PetscCalloc3(n * n, &terms.pairs[0], n * n, &terms.pairs[1], n * n, &terms.exchange));
  PetscCall(PetscCalloc4(n, &terms.dephasing, n, &terms.frequency, n, &terms.form[0], n, &terms.form[1]));
  PetscCall(add_hamiltonian(&terms, ok));
  for (int k = 0; k < problem->deck->num_jumps; k++) PetscCall(add_jump(&terms, k, ok));
  if (*ok) PetscCall(make_equations(&terms, equations));
  PetscCall(PetscFree4(terms.dephasing, terms.frequency, terms.form[0], terms.form[1]));
  PetscCall(PetscFree3(terms.pairs[0], terms.pairs[1], terms.exchange));
  PetscFunctionReturn(0);
}
