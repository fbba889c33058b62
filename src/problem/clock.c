/*
   From expressions with the time `t` to a sum of constant generators with functions of time before them.

   Numbers that depend on time come as elementary operators that commute with everything (COSPIN_TIME,
   deck/expression/time.c). In a monomial they stand first, so a polynomial falls apart by what its monomials
   begin with: f(t) g(t) A + f(t) B + C is {f g: A, f: B, none: C}. Each of these products of functions is a
   term of the clock, with moves of its own; equal ones, wherever in the deck, share them.

   Coefficients are real. A function that is complex by its form, z(t), comes with its conjugate, for H is
   hermitian: z A + z* A' = Re z (A + A') + Im z i (A - A'), and both operators must be hermitian.
*/
#include "clock_impl.h"
#include <string.h>

/* ---- Functions of time --------------------------------------------------------------------------------- */

/* Of spins that one function names, or of none: delta[l] is another one for every l. */
static PetscBool same_function(const CospinClockFunction *a, const CospinClockFunction *b)
{
  return (PetscBool)(a->index[0] == b->index[0] && a->index[1] == b->index[1] && a->implied == b->implied &&
                     CospinTimeFunctionsEqual(&a->function, &b->function));
}

/* A CospinEnvironment's Time. The same function has the same number. `spin` is that number, too: operators of
   different spins commute, and so do these. */
static PetscErrorCode intern(void *times, const CospinTimeFunction *function, CospinElementary *elementary)
{
  CospinProblem problem = (CospinProblem)times;
  CospinClock clock = problem->clock;
  CospinClockFunction new = {.function = *function,
                             .index = {problem->index.value[0], problem->index.value[1]},
                             .implied = problem->index.implied};
  CospinEnvironment kicks = problem->environment;
  int k = 0;

  PetscFunctionBeginUser;
  kicks.Time = NULL; /* the time of a kick is a number */
  if (!CospinTimeFunctionNames(function, "l") &&
      !(CospinTimeFunctionNames(function, "k") && CospinDeckIndexIsK(problem->deck)))
    new.index[0] = -1;
  if (!CospinTimeFunctionNames(function, "m")) new.index[1] = -1;
  while (k < clock->num_functions && !same_function(&clock->functions[k], &new)) k++;
  if (k == clock->num_functions) {
    if (k == clock->capacity) {
      clock->capacity = 2 * clock->capacity + 4;
      PetscCall(PetscRealloc(sizeof(CospinClockFunction) * (size_t)clock->capacity, &clock->functions));
    }
    clock->reads = PETSC_TRUE;
    PetscCall(CospinTimeFunctionIsReal(function, &problem->environment, &new.real));
    PetscCall(
        CospinTimeFunctionKick(function, &kicks, &new.kick, &new.kick_time, &new.kick_order, &new.kick_ok));
    clock->reads = PETSC_FALSE;
    clock->functions[clock->num_functions++] = new;
  }
  *elementary = (CospinElementary){COSPIN_TIME, 2 * k, k};
  PetscFunctionReturn(0);
}

/* Only while an expression is evaluated that may name the time: everywhere else `t` is a fault with its own
   sentence (names.c). */
void CospinClockListen(CospinProblem problem, PetscBool listen)
{
  problem->environment.Time = listen ? intern : NULL;
  problem->environment.times = listen ? problem : NULL;
}

/* The code of the conjugate. */
static int conjugate(CospinClock clock, int code)
{
  return clock->functions[code / 2].real ? code : code ^ 1;
}

/* A real function is its own adjoint; of the others the code tells which of the two it is. */
CospinElementary CospinClockAdjoint(CospinProblem problem, CospinElementary elementary)
{
  elementary.code = conjugate(problem->clock, elementary.code);
  return elementary;
}

/* ---- Terms --------------------------------------------------------------------------------------------- */

/* How many functions of time a monomial begins with. They stand first: their component is the smallest
 * (polynomial.c sorts what commutes). */
static int num_leading(const CospinMonomial *monomial)
{
  int n = 0;

  while (n < monomial->length && monomial->operators[n].component == COSPIN_TIME) n++;
  return n;
}

/* The term with this coefficient, a new one if there is none. */
static PetscErrorCode find_term(CospinProblem problem, CospinClockPart part, int length, const int code[],
                                CospinClockTerm **term)
{
  CospinClock clock = problem->clock;
  CospinClockTerm *new;

  PetscFunctionBeginUser;
  for (int k = 0; k < clock->num_terms; k++) {
    *term = &clock->terms[k];
    if ((*term)->part == part && (*term)->length == length &&
        !memcmp((*term)->code, code, sizeof(int) * (size_t)length))
      PetscFunctionReturn(0);
  }
  PetscCall(PetscRealloc(sizeof(CospinClockTerm) * (size_t)(clock->num_terms + 1), &clock->terms));
  new = &clock->terms[clock->num_terms++];
  *new = (CospinClockTerm){.part = part, .length = length};
  PetscCall(PetscMalloc1((size_t)length, &new->code));
  PetscCall(PetscArraycpy(new->code, code, length));
  PetscCall(CospinMovesCreate(&problem->system, &new->moves));
  PetscCall(CospinMovesCreate(&problem->system, &new->kets));
  new->kets->kets = PETSC_TRUE;
  *term = new;
  PetscFunctionReturn(0);
}

/* A product of functions, which monomials begin with, and what they have behind it. */
typedef struct {
  int length, code[128];
  PetscBool real;
  CospinPolynomial rest;
} Group;

/* All monomials of h that begin with these functions, taken out of it. What is left keeps its order, so that
   terms are numbered as the deck's polynomial is sorted, on every rank the same. */
static PetscErrorCode take_group(CospinClock clock, CospinPolynomial *h, int length, const int code[],
                                 Group *group)
{
  CospinPolynomial left;

  PetscFunctionBeginUser;
  PetscCheck(length <= 128, PETSC_COMM_SELF, PETSC_ERR_SUP, "A product of %d functions of time", length);
  *group = (Group){.length = length, .real = PETSC_TRUE};
  for (int l = 0; l < length; l++) {
    group->code[l] = code[l];
    if (!clock->functions[code[l] / 2].real) group->real = PETSC_FALSE;
  }
  PetscCall(CospinPolynomialCreate(&group->rest));
  PetscCall(CospinPolynomialCreate(&left));
  for (int k = 0; k < (*h)->count; k++) {
    const CospinMonomial *monomial = &(*h)->monomials[k];
    PetscBool same = (PetscBool)(num_leading(monomial) == length);
    for (int l = 0; same && l < length; l++)
      if (monomial->operators[l].code != group->code[l]) same = PETSC_FALSE;
    PetscCall(CospinPolynomialAddMonomial(same ? group->rest : left, monomial->coefficient,
                                          monomial->length - (same ? length : 0),
                                          monomial->operators + (same ? length : 0)));
  }
  PetscCall(CospinPolynomialDestroy(h));
  *h = left;
  PetscFunctionReturn(0);
}

/* The next product of functions of time that is left in h; *found false: there is none. */
static PetscErrorCode next_group(CospinClock clock, CospinPolynomial *h, Group *group, PetscBool *found)
{
  int code[128];

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int k = 0; k < (*h)->count && !*found; k++) {
    const CospinMonomial *monomial = &(*h)->monomials[k];
    const int length = PetscMin(num_leading(monomial), 128);
    *found = (PetscBool)(length > 0);
    for (int l = 0; l < length; l++) code[l] = monomial->operators[l].code;
    if (*found) PetscCall(take_group(clock, h, length, code, group));
  }
  PetscFunctionReturn(0);
}

/* Of a complex group: what stands before Re and before Im, z A + z* A' = Re z (A + A') + Im z i (A - A'). */
static PetscErrorCode pair_up(CospinClock clock, CospinPolynomial *h, Group *group, CospinPolynomial parts[2])
{
  Group partner;
  int code[128];

  PetscFunctionBeginUser;
  for (int l = 0; l < group->length; l++) code[l] = conjugate(clock, group->code[l]);
  PetscCall(take_group(clock, h, group->length, code, &partner));
  PetscCall(CospinPolynomialDuplicate(group->rest, &parts[0]));
  PetscCall(CospinPolynomialAxpy(parts[0], 1.0, partner.rest));
  PetscCall(CospinPolynomialCreate(&parts[1]));
  PetscCall(CospinPolynomialAxpy(parts[1], I, group->rest));
  PetscCall(CospinPolynomialAxpy(parts[1], -I, partner.rest));
  PetscCall(CospinPolynomialDestroy(&partner.rest));
  PetscFunctionReturn(0);
}

/* What is done with the operator before which a real coefficient stands. */
typedef PetscErrorCode (*Visit)(CospinProblem problem, CospinClockPart part, const Group *group,
                                CospinPolynomial a, void *context);

/* Takes everything that depends on time out of h and shows it, real coefficient by real coefficient. */
static PetscErrorCode take_apart(CospinProblem problem, CospinPolynomial *h, Visit visit, void *context)
{
  static const CospinClockPart of[2] = {COSPIN_CLOCK_RE, COSPIN_CLOCK_IM};
  CospinPolynomial parts[2];
  PetscBool found = PETSC_TRUE;
  Group group;

  PetscFunctionBeginUser;
  for (;;) {
    PetscCall(next_group(problem->clock, h, &group, &found));
    if (!found) break;
    if (group.real) PetscCall(visit(problem, COSPIN_CLOCK_WHOLE, &group, group.rest, context));
    if (!group.real) PetscCall(pair_up(problem->clock, h, &group, parts));
    for (int k = 0; k < 2 && !group.real; k++) {
      if (parts[k]->count) PetscCall(visit(problem, of[k], &group, parts[k], context));
      PetscCall(CospinPolynomialDestroy(&parts[k]));
    }
    PetscCall(CospinPolynomialDestroy(&group.rest));
  }
  PetscFunctionReturn(0);
}

/* ---- The Hamiltonian ----------------------------------------------------------------------------------- */

/* A Visit. Each operator by itself: real coefficients that are independent cannot help each other. */
static PetscErrorCode test_hermitian(CospinProblem problem, CospinClockPart part, const Group *group,
                                     CospinPolynomial a, void *context)
{
  PetscBool *hermitian = (PetscBool *)context, this_one;

  PetscFunctionBeginUser;
  (void)part;
  (void)group;
  PetscCall(CospinProblemIsHermitian(problem, a, &this_one));
  if (!this_one) *hermitian = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Of the polynomial itself, which is kept. */
PetscErrorCode CospinClockIsHermitian(CospinProblem problem, CospinPolynomial h, PetscBool *hermitian)
{
  CospinPolynomial copy;
  PetscBool constant;

  PetscFunctionBeginUser;
  *hermitian = PETSC_TRUE;
  PetscCall(CospinPolynomialDuplicate(h, &copy));
  PetscCall(take_apart(problem, &copy, test_hermitian, hermitian));
  PetscCall(CospinProblemIsHermitian(problem, copy, &constant));
  if (!constant) *hermitian = PETSC_FALSE;
  PetscCall(CospinPolynomialDestroy(&copy));
  PetscFunctionReturn(0);
}

/* A Visit. Approximate tasks have no moves; that the term exists is what they are refused by. */
static PetscErrorCode add_hamiltonian(CospinProblem problem, CospinClockPart part, const Group *group,
                                      CospinPolynomial a, void *context)
{
  CospinClockTerm *term;

  PetscFunctionBeginUser;
  (void)context;
  PetscCall(find_term(problem, part, group->length, group->code, &term));
  if (problem->deck->approximate) PetscFunctionReturn(0);
  PetscCall(CospinMovesAddHamiltonian(term->moves, a));
  PetscCall(CospinMovesAddHamiltonian(term->kets, a));
  PetscFunctionReturn(0);
}

/* After the test: an operator that is not hermitian would be taken for its bra's side as well. */
PetscErrorCode CospinClockTakeHamiltonian(CospinProblem problem, CospinPolynomial *h)
{
  PetscFunctionBeginUser;
  PetscCall(take_apart(problem, h, add_hamiltonian, NULL));
  PetscFunctionReturn(0);
}

/* ---- Rates --------------------------------------------------------------------------------------------- */

/* The polynomial, all of functions of time, that a rate is. */
static PetscErrorCode rate_polynomial(CospinProblem problem, CospinExpression rate, CospinFaults faults,
                                      CospinPolynomial *p, PetscBool *ok)
{
  PetscFunctionBeginUser;
  CospinClockListen(problem, PETSC_TRUE);
  PetscCall(CospinProblemPolynomial(problem, rate, faults, p, ok));
  CospinClockListen(problem, PETSC_FALSE);
  for (int k = 0; *ok && k < (*p)->count; k++) {
    const CospinMonomial *monomial = &(*p)->monomials[k];
    PetscBool kick = PETSC_FALSE;
    for (int l = 0; l < num_leading(monomial); l++)
      if (problem->clock->functions[monomial->operators[l].code / 2].kick) kick = PETSC_TRUE;
    if (num_leading(monomial) == monomial->length && !kick) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(rate), CospinExpressionPath(rate),
                              kick ? "`kick` turns at once, and a rate lasts (`pulse` does)"
                                   : "must be a real number, not an operator"));
  }
  if (!*ok) PetscCall(CospinPolynomialDestroy(p));
  PetscFunctionReturn(0);
}

/* Of the monomial without functions of time; a rate is real, so its imaginary part cancels that of others. */
PetscErrorCode CospinClockRate(CospinProblem problem, CospinExpression rate, CospinFaults faults,
                               double complex *value, PetscBool *ok)
{
  CospinPolynomial p = NULL;

  PetscFunctionBeginUser;
  *value = 0.0;
  PetscCall(rate_polynomial(problem, rate, faults, &p, ok));
  for (int k = 0; *ok && k < p->count; k++)
    if (p->monomials[k].length == 0) *value = p->monomials[k].coefficient;
  PetscCall(CospinPolynomialDestroy(&p));
  PetscFunctionReturn(0);
}

/* The operator that jumps, of which jump of the deck and which of its spins; of pairs the one of the bra's
   side, too. */
typedef struct {
  CospinPolynomial op;
  int component;
  CospinPolynomial bra;
  int jump, spin;
} Jumping;

/* Kets jump one by one, so that the rate of each must be known, and not only all terms together. */
static PetscErrorCode add_share(CospinClock clock, const Jumping *jumping, int term, double rate)
{
  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(CospinClockShare) * (size_t)(clock->num_shares + 1), &clock->shares));
  clock->shares[clock->num_shares++] = (CospinClockShare){jumping->jump, jumping->spin, term, rate};
  PetscFunctionReturn(0);
}

/* An element of a matrix of rates, z f(t) with a real f: a complex one would need its conjugate across the
   diagonal, which nothing here knows. */
static PetscErrorCode add_pair(CospinProblem problem, const Group *group, CospinExpression rate,
                               double complex z, const Jumping *jumping, CospinFaults faults, PetscBool *ok)
{
  CospinClockTerm *term;

  PetscFunctionBeginUser;
  if (!group->real) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(rate), CospinExpressionPath(rate),
                              "what depends on time in a matrix of rates must be real by its form"));
    PetscFunctionReturn(0);
  }
  if (z == 0.0) PetscFunctionReturn(0);
  PetscCall(find_term(problem, COSPIN_CLOCK_WHOLE, group->length, group->code, &term));
  if (!problem->deck->approximate) PetscCall(CospinMovesAddPair(term->moves, z, jumping->op, jumping->bra));
  PetscFunctionReturn(0);
}

/* Re(z c) = Re z Re c - Im z Im c, with c real where it is the whole. */
static PetscErrorCode add_rate(CospinProblem problem, CospinClockPart part, const Group *group,
                               double complex z, const Jumping *jumping)
{
  CospinClockTerm *term;
  const double rate = part == COSPIN_CLOCK_IM ? -cimag(z) : creal(z);
  PetscBool ok;

  PetscFunctionBeginUser;
  if (rate == 0.0) PetscFunctionReturn(0);
  PetscCall(find_term(problem, part, group->length, group->code, &term));
  if (problem->deck->approximate) PetscFunctionReturn(0);
  PetscCall(CospinMovesAddJump(term->moves, rate, jumping->op, jumping->component, &ok));
  PetscCall(CospinMovesAddJump(term->kets, rate, jumping->op, jumping->component, &ok));
  PetscCall(add_share(problem->clock, jumping, (int)(term - problem->clock->terms), rate));
  PetscFunctionReturn(0);
}

/* What depends on time in a rate, monomial by monomial. */
static PetscErrorCode add_jump(CospinProblem problem, CospinExpression rate, const Jumping *jumping,
                               CospinFaults faults, PetscBool *ok)
{
  CospinPolynomial p = NULL;
  PetscBool found = PETSC_TRUE;
  Group group;

  PetscFunctionBeginUser;
  PetscCall(rate_polynomial(problem, rate, faults, &p, ok));
  while (*ok && found) {
    PetscCall(next_group(problem->clock, &p, &group, &found));
    if (!found) break;
    const double complex z = group.rest->count ? group.rest->monomials[0].coefficient : 0.0;
    if (jumping->bra) PetscCall(add_pair(problem, &group, rate, z, jumping, faults, ok));
    if (!jumping->bra)
      PetscCall(add_rate(problem, group.real ? COSPIN_CLOCK_WHOLE : COSPIN_CLOCK_RE, &group, z, jumping));
    if (!jumping->bra && !group.real) PetscCall(add_rate(problem, COSPIN_CLOCK_IM, &group, z, jumping));
    PetscCall(CospinPolynomialDestroy(&group.rest));
  }
  PetscCall(CospinPolynomialDestroy(&p));
  PetscFunctionReturn(0);
}

/* Element by element of a matrix of rates: operator m on the ket's side, l on the bra's (indexed.c). */
static PetscErrorCode add_pairs(CospinProblem problem, const CospinJump *jump, const CospinPlainJump *plain,
                                CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  problem->index.implied = PETSC_TRUE;
  for (int l = 0; l < plain->num_spins && *ok; l++) {
    for (int m = 0; m < plain->num_spins && *ok; m++) {
      problem->index.value[0] = l;
      problem->index.value[1] = m;
      PetscCall(add_jump(problem, jump->rate, &(Jumping){plain->operators[m], -1, plain->operators[l], -1, 0},
                         faults, ok));
    }
  }
  problem->index.value[0] = problem->index.value[1] = -1;
  problem->index.implied = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Behind the constant part, which has made the operators: they do not depend on time, rates do. */
PetscErrorCode CospinClockAddJump(CospinProblem problem, int k, CospinFaults faults, PetscBool *ok)
{
  const CospinJump *jump = &problem->deck->jumps[k];
  const CospinPlainJump *plain = &problem->jumps[k];

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!jump->rate || !CospinExpressionHasTime(jump->rate, NULL)) PetscFunctionReturn(0);
  problem->index.value[0] = jump->member;
  if (!plain->num_spins)
    PetscCall(add_jump(problem, jump->rate, &(Jumping){plain->op, plain->component, NULL, k, 0}, faults, ok));
  if (plain->pairs) PetscCall(add_pairs(problem, jump, plain, faults, ok));
  for (int l = 0; l < plain->num_spins && *ok && !plain->pairs; l++) {
    problem->index.value[0] = l;
    PetscCall(add_jump(problem, jump->rate, &(Jumping){plain->operators[l], -1, NULL, k, l}, faults, ok));
  }
  problem->index.value[0] = -1;
  PetscFunctionReturn(0);
}
