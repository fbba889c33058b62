/*
   The value of a tree in an environment. A node whose children fail goes on to its other children, so that
   one evaluation finds all faults; it then has no value itself.

   Convention: an evaluator leaves *value reset (the number 0) when *ok is false.

   A value is a number or an operator (a polynomial of elementary operators). Numbers become multiples of the
   identity where an operator is wanted; operators never become numbers, except by <...>. Complex arithmetic
   keeps real numbers exactly real (real.c), so that `is it real?` can be asked without a tolerance.
*/
#include "expression_impl.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

/* What an operator may grow to before the deck is considered wrong: products multiply the number
 * of terms. */
enum { MAX_TERMS = 100000, MAX_OPERATORS = 10000000 };
enum { MAX_PRODUCT = 100 }; /* operators one after the other; A^+ A rho has twice as many (moves.c: 256) */

typedef struct {
  CospinExpression expression;
  const CospinEnvironment *environment;
  CospinFaults faults; /* may be NULL */
} Evaluator;

static PetscErrorCode evaluate_node(Evaluator *evaluator, const Node *node, CospinValue *value,
                                    PetscBool *ok);

/* Adds a fault at a character, frees the value and clears *ok. Every evaluator that returns with *ok false
 * has reset its value, so that nothing is freed twice or leaks. */
static PetscErrorCode fail(Evaluator *evaluator, int offset, CospinValue *value, PetscBool *ok,
                           const char format[], ...)
{
  char sentence[1024];
  va_list arguments;

  PetscFunctionBeginUser;
  if (evaluator->faults) {
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    PetscCall(CospinFaultsAdd(evaluator->faults, CospinExpressionLocate(evaluator->expression, offset),
                              evaluator->expression->path, "%s", sentence));
  }
  *ok = PETSC_FALSE;
  PetscCall(CospinValueReset(value));
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate_number(Evaluator *evaluator, const Node *node, CospinValue *value,
                                      PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)evaluator;
  (void)ok;
  value->number = node->number;
  PetscFunctionReturn(0);
}

/* Indices are expressions of parameters, too: q.sz[N-1]. */
static PetscErrorCode evaluate_index(Evaluator *evaluator, const Node *node, int *index, PetscBool *ok)
{
  CospinValue value = {PETSC_FALSE, 0, NULL};
  char text[64];

  PetscFunctionBeginUser;
  PetscCall(evaluate_node(evaluator, node, &value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (value.is_operator)
    PetscCall(fail(evaluator, node->offset, &value, ok, "an index must be a whole number, not an operator"));
  else if (cimag(value.number) != 0 || creal(value.number) != floor(creal(value.number)) ||
           fabs(creal(value.number)) > 1e9)
    PetscCall(fail(evaluator, node->offset, &value, ok, "an index must be a whole number, not %s",
                   CospinNumberFormat(value.number, text, sizeof(text))));
  else
    *index = (int)creal(value.number);
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate_name(Evaluator *evaluator, const Node *node, CospinValue *value, PetscBool *ok)
{
  const CospinEnvironment *environment = evaluator->environment;
  int index[MAX_INDICES] = {0};
  PetscBool found = PETSC_FALSE;
  char why[1024] = "";

  PetscFunctionBeginUser;
  for (int k = 0; k < node->count; k++) {
    PetscBool index_ok = PETSC_TRUE;

    PetscCall(evaluate_index(evaluator, node->children[k].node, &index[k], &index_ok));
    if (!index_ok) *ok = PETSC_FALSE;
  }
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(environment->Resolve(environment->context, node->name, node->count, index, value, &found, why,
                                 sizeof(why)));
  if (found) PetscFunctionReturn(0);
  if (why[0])
    PetscCall(fail(evaluator, node->offset, value, ok, "%s", why));
  else
    PetscCall(fail(evaluator, node->offset, value, ok, "unknown name `%s`", node->name));
  PetscFunctionReturn(0);
}

/* `dag(...)` and `hc`. */
static PetscErrorCode take_adjoint(Evaluator *evaluator, CospinValue *value)
{
  const CospinEnvironment *environment = evaluator->environment;
  CospinPolynomial adjoint;

  PetscFunctionBeginUser;
  if (value->is_operator) {
    PetscCall(CospinPolynomialAdjoint(value->polynomial, environment->ElementaryAdjoint, environment->context,
                                      &adjoint));
    PetscCall(CospinPolynomialDestroy(&value->polynomial));
    value->polynomial = adjoint;
  } else
    value->number = CospinConjugate(value->number);
  PetscFunctionReturn(0);
}

/* All arguments as numbers; faults stand at the argument that does not fit. */
static PetscErrorCode evaluate_arguments(Evaluator *evaluator, const Node *node, double complex x[],
                                         PetscBool *ok)
{
  const Function *function = node->function;
  char text[64];

  PetscFunctionBeginUser;
  for (int k = 0; k < node->count; k++) {
    const Node *child = node->children[k].node;
    CospinValue value = {PETSC_FALSE, 0, NULL};
    PetscBool good = PETSC_TRUE;

    PetscCall(evaluate_node(evaluator, child, &value, &good));
    x[k] = value.number;
    if (good && value.is_operator)
      PetscCall(fail(evaluator, child->offset, &value, &good, "%s needs a number, not an operator",
                     function->name));
    else if (good && function->needs_real && cimag(x[k]) != 0)
      PetscCall(fail(evaluator, child->offset, &value, &good, "%s needs a real number, not %s",
                     function->name, CospinNumberFormat(x[k], text, sizeof(text))));
    if (!good) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* With the values of the arguments: the text of an expression does not show what a parameter is. */
static PetscErrorCode fail_not_finite(Evaluator *evaluator, const Node *node, const double complex x[],
                                      CospinValue *value, PetscBool *ok)
{
  char list[256] = "", text[64];
  size_t length = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < node->count && k < 3; k++)
    length += (size_t)snprintf(list + length, sizeof(list) - length, "%s%s", k ? ", " : "",
                               CospinNumberFormat(x[k], text, sizeof(text)));
  PetscCall(fail(evaluator, node->offset, value, ok, "%s(%s%s) is not finite", node->function->name, list,
                 node->count > 3 ? ", ..." : ""));
  PetscFunctionReturn(0);
}

/* dag is the only function of operators; functionals depend on the state; all others are functions of
   numbers. */
static PetscErrorCode evaluate_call(Evaluator *evaluator, const Node *node, CospinValue *value, PetscBool *ok)
{
  double complex few[4], *x = few;
  char why[1024];

  PetscFunctionBeginUser;
  if (node->function->reality == REAL_OF_STATE) {
    PetscCall(CospinEvaluateFunctional(evaluator->expression, node, evaluator->environment, evaluator->faults,
                                       value, ok));
    PetscFunctionReturn(0);
  }
  if (node->function->reality == REAL_OF_OPERATORS) {
    PetscCall(evaluate_node(evaluator, node->children[0].node, value, ok));
    if (*ok) PetscCall(take_adjoint(evaluator, value));
    PetscFunctionReturn(0);
  }
  if (node->function->reality == REAL_OF_RANGE) {
    PetscCall(CospinEvaluateRange(evaluator->expression, node, evaluator->environment, evaluator->faults,
                                  value, ok));
    PetscFunctionReturn(0);
  }
  if (node->count > 4) PetscCall(PetscMalloc1((size_t)node->count, &x));
  PetscCall(evaluate_arguments(evaluator, node, x, ok));
  if (*ok && node->function->reality == REAL_OF_TABLE) {
    value->number = CospinTableAt(node, creal(x[0]), why, sizeof(why));
    if (why[0]) PetscCall(fail(evaluator, node->offset, value, ok, "%s", why));
  } else if (*ok) {
    value->number = node->function->Apply(node->count, x);
    if (!CospinValueIsFinite(value)) PetscCall(fail_not_finite(evaluator, node, x, value, ok));
  }
  if (node->count > 4) PetscCall(PetscFree(x));
  PetscFunctionReturn(0);
}

/* Number k of the expression: the environment has computed all of them at once. */
static PetscErrorCode evaluate_expectation(Evaluator *evaluator, const Node *node, CospinValue *value,
                                           PetscBool *ok)
{
  const CospinEnvironment *environment = evaluator->environment;
  double complex number = 0;

  PetscFunctionBeginUser;
  if (!environment->Expect) {
    PetscCall(fail(evaluator, node->offset, value, ok,
                   "an expectation value `<...>` is not allowed here (in "
                   "observables only)"));
    PetscFunctionReturn(0);
  }
  PetscCall(evaluate_node(evaluator, node->children[0].node, value, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinValuePromote(value));
  PetscCall(environment->Expect(environment->state, node->which, value->polynomial, &number));
  PetscCall(CospinValueReset(value));
  value->number = number;
  if (!CospinValueIsFinite(value))
    PetscCall(fail(evaluator, node->offset, value, ok, "this expectation value is not finite"));
  PetscFunctionReturn(0);
}

/* `A + hc` needs the value of all that stands before it, so sums are taken from left to right. */
static PetscErrorCode evaluate_sum(Evaluator *evaluator, const Node *node, CospinValue *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < node->count; k++) {
    const Child *child = &node->children[k];
    CospinValue term = {PETSC_FALSE, 0, NULL};
    PetscBool good = PETSC_TRUE;

    if (child->node->kind == NODE_ADJOINT) {
      if (!*ok) continue;
      PetscCall(CospinValueCopy(value, &term));
      PetscCall(take_adjoint(evaluator, &term));
    } else
      PetscCall(evaluate_node(evaluator, child->node, &term, &good));
    if (!good) *ok = PETSC_FALSE;
    if (*ok && !k)
      *value = term;
    else if (*ok)
      PetscCall(CospinValueAdd(value, child->sign, &term));
    else
      PetscCall(CospinValueReset(&term));
    if (*ok && !CospinValueIsFinite(value))
      PetscCall(fail(evaluator, child->offset, value, ok, "this sum is not finite"));
  }
  if (!*ok) PetscCall(CospinValueReset(value));
  PetscFunctionReturn(0);
}

static int longest_monomial(CospinPolynomial p)
{
  return p->count ? p->monomials[p->count - 1].length : 0; /* they are sorted */
}

/* value = value * factor, both operators */
static PetscErrorCode multiply_operators(Evaluator *evaluator, int offset, CospinValue *value,
                                         CospinPolynomial factor, PetscBool *ok)
{
  CospinPolynomial product, p = value->polynomial;
  const double terms = (double)p->count * factor->count;
  const double operators =
      CospinPolynomialCountOperators(p) * factor->count + CospinPolynomialCountOperators(factor) * p->count;

  PetscFunctionBeginUser;
  if (terms > MAX_TERMS || operators > MAX_OPERATORS) {
    PetscCall(fail(evaluator, offset, value, ok, "this operator has too many terms (more than %d)",
                   (int)MAX_TERMS));
    PetscFunctionReturn(0);
  }
  if (longest_monomial(p) + longest_monomial(factor) > MAX_PRODUCT) {
    PetscCall(fail(evaluator, offset, value, ok, "a product of %d operators (at most %d)",
                   longest_monomial(p) + longest_monomial(factor), (int)MAX_PRODUCT));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinPolynomialMultiply(p, factor, &product));
  PetscCall(CospinPolynomialDestroy(&value->polynomial));
  value->polynomial = product;
  PetscFunctionReturn(0);
}

/* value *= factor or value /= factor; factor is used up. */
static PetscErrorCode multiply_value(Evaluator *evaluator, const Child *child, CospinValue *value,
                                     CospinValue *factor, PetscBool *ok)
{
  PetscFunctionBeginUser;
  if (child->sign == '/' && factor->is_operator)
    PetscCall(fail(evaluator, child->offset, value, ok, "cannot divide by an operator (only by a number)"));
  else if (child->sign == '/' && factor->number == 0)
    PetscCall(fail(evaluator, child->offset, value, ok, "division by zero"));
  else if (child->sign == '/' && !value->is_operator)
    value->number = CospinComplexDivide(value->number, factor->number);
  else if (child->sign == '/')
    PetscCall(CospinValueScale(value, CospinComplexDivide(1, factor->number)));
  else if (!factor->is_operator)
    PetscCall(CospinValueScale(value, factor->number));
  else if (value->is_operator)
    PetscCall(multiply_operators(evaluator, child->offset, value, factor->polynomial, ok));
  else {
    PetscCall(CospinValueScale(factor, value->number));
    *value = *factor;
    *factor = (CospinValue){PETSC_FALSE, 0, NULL};
  }
  PetscCall(CospinValueReset(factor));
  if (*ok && !CospinValueIsFinite(value))
    PetscCall(fail(evaluator, child->offset, value, ok, "this %s is not finite",
                   child->sign == '/' ? "quotient" : "product"));
  PetscFunctionReturn(0);
}

/* Operators keep their order: A*B and B*A differ. Numbers may stand anywhere. */
static PetscErrorCode evaluate_product(Evaluator *evaluator, const Node *node, CospinValue *value,
                                       PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < node->count; k++) {
    const Child *child = &node->children[k];
    CospinValue factor = {PETSC_FALSE, 0, NULL};
    PetscBool good = PETSC_TRUE, inverted = PETSC_FALSE;

    PetscCall(evaluate_node(evaluator, child->node, &factor, &good));
    if (!good) *ok = PETSC_FALSE;
    if (*ok && child->sign == '/' && factor.is_operator && evaluator->environment->Time)
      PetscCall(CospinTimedReciprocal(evaluator->expression, child->node, evaluator->environment, &factor,
                                      &inverted));
    if (*ok && !k)
      *value = factor;
    else if (*ok)
      PetscCall(multiply_value(evaluator, inverted ? &(Child){child->node, '*', child->offset} : child, value,
                               &factor, ok));
    else
      PetscCall(CospinValueReset(&factor));
  }
  if (!*ok) PetscCall(CospinValueReset(value));
  PetscFunctionReturn(0);
}

static PetscErrorCode raise_operator(Evaluator *evaluator, const Node *node, double complex exponent,
                                     CospinValue *base, PetscBool *ok)
{
  CospinValue power = {PETSC_FALSE, 1, NULL};
  const double n = creal(exponent);
  char text[64];

  PetscFunctionBeginUser;
  if (cimag(exponent) != 0 || n != floor(n) || n < 0 || n > MAX_PRODUCT) {
    PetscCall(fail(evaluator, node->children[1].offset, base, ok,
                   "an operator can be raised to a whole number from 0 to %d only, not to %s",
                   (int)MAX_PRODUCT, CospinNumberFormat(exponent, text, sizeof(text))));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinValuePromote(&power));
  for (int k = 0; k < (int)n && *ok; k++)
    PetscCall(multiply_operators(evaluator, node->children[1].offset, &power, base->polynomial, ok));
  PetscCall(CospinValueReset(base));
  *base = power;
  if (*ok && !CospinValueIsFinite(base))
    PetscCall(fail(evaluator, node->children[1].offset, base, ok, "this power is not finite"));
  PetscFunctionReturn(0);
}

/* Operators have whole powers only; numbers any. */
static PetscErrorCode evaluate_power(Evaluator *evaluator, const Node *node, CospinValue *value,
                                     PetscBool *ok)
{
  const int offset = node->children[1].offset;
  CospinValue exponent = {PETSC_FALSE, 0, NULL};
  PetscBool good = PETSC_TRUE;
  char base_text[64], text[64];

  PetscFunctionBeginUser;
  PetscCall(evaluate_node(evaluator, node->children[0].node, value, ok));
  PetscCall(evaluate_node(evaluator, node->children[1].node, &exponent, &good));
  if (good && exponent.is_operator)
    PetscCall(fail(evaluator, node->children[1].node->offset, &exponent, &good,
                   "an exponent must be a number, not an operator"));
  if (!good) *ok = PETSC_FALSE;
  if (!*ok)
    PetscCall(CospinValueReset(value));
  else if (value->is_operator)
    PetscCall(raise_operator(evaluator, node, exponent.number, value, ok));
  else {
    const double complex base = value->number;

    value->number = CospinComplexPower(base, exponent.number);
    if (!CospinValueIsFinite(value))
      PetscCall(fail(evaluator, offset, value, ok, "(%s)^(%s) is not finite",
                     CospinNumberFormat(base, base_text, sizeof(base_text)),
                     CospinNumberFormat(exponent.number, text, sizeof(text))));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate_negation(Evaluator *evaluator, const Node *node, CospinValue *value,
                                        PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(evaluate_node(evaluator, node->children[0].node, value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (value->is_operator)
    PetscCall(CospinValueScale(value, -1));
  else
    value->number = CospinComplexNegate(value->number);
  PetscFunctionReturn(0);
}

static PetscErrorCode evaluate_node(Evaluator *evaluator, const Node *node, CospinValue *value, PetscBool *ok)
{
  static PetscErrorCode (*const evaluate[NUM_NODE_KINDS])(Evaluator *, const Node *, CospinValue *,
                                                          PetscBool *) = {
      [NODE_NUMBER] = evaluate_number, [NODE_NAME] = evaluate_name,
      [NODE_CALL] = evaluate_call,     [NODE_EXPECT] = evaluate_expectation,
      [NODE_SUM] = evaluate_sum,       [NODE_PRODUCT] = evaluate_product,
      [NODE_POWER] = evaluate_power,   [NODE_NEGATE] = evaluate_negation,
      /* NODE_ADJOINT has a meaning inside of a sum only, which sees to it */
  };

  PetscBool taken = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (evaluator->environment->Time)
    PetscCall(CospinEvaluateTimed(evaluator->expression, node, evaluator->environment, value, &taken));
  if (!taken) PetscCall(evaluate[node->kind](evaluator, node, value, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpressionEvaluateNode(CospinExpression expression, const Node *node,
                                            const CospinEnvironment *environment, CospinFaults faults,
                                            CospinValue *value, PetscBool *ok)
{
  Evaluator evaluator = {expression, environment, faults};

  PetscFunctionBeginUser;
  *value = (CospinValue){PETSC_FALSE, 0, NULL};
  *ok = PETSC_TRUE;
  PetscCall(evaluate_node(&evaluator, node, value, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpressionEvaluate(CospinExpression expression, const CospinEnvironment *environment,
                                        CospinFaults faults, CospinValue *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluateNode(expression, expression->root, environment, faults, value, ok));
  PetscFunctionReturn(0);
}
