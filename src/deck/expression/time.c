/*
   Numbers that depend on the time `t`, within an expression whose value is an operator or a rate.

   Such a number has no value when the deck is read. It becomes an elementary operator of a component that
   does not exist (COSPIN_TIME), which commutes with everything: so products, sums and adjoints go on as they
   always do, and `Omega*exp(-(t-t0)^2)*(q.Sp + hc)` comes out as a polynomial from whose monomials the
   functions of time are read off again (problem/clock.c). Taken as a whole are `t` itself, calls of functions
   and powers of numbers, and what a division is by; sums and products are taken apart, so that what does not
   depend on time is found.

   What a function of time is worth at a time, the ordinary evaluation tells, in an environment where `t` is a
   number. Where it has a jump or a corner, the functions that have one tell (edges): of `pulse(t, t0, t1)`
   the zeros of t - t0 and of t - t1.
*/
#include "expression_impl.h"
#include <math.h>
#include <string.h>

/* The letter t by itself: not t[0], and not a component's operator such as q.t. */
static PetscBool is_time(const Node *node)
{
  return (PetscBool)(node->kind == NODE_NAME && node->count == 0 && !strcmp(node->name, "t"));
}

/* An index of sum(...) that is called t is not the time. */
static PetscBool binds_time(const Node *node)
{
  return (PetscBool)(node->kind == NODE_CALL && node->function->reality == REAL_OF_RANGE &&
                     is_time(node->children[0].node));
}

/* The first `t` of a part of the expression; NULL: there is none. */
static const Node *find_time(const Node *node)
{
  const int first = binds_time(node) ? 1 : 0, end = binds_time(node) ? 2 : node->count;

  if (is_time(node)) return node;
  for (int k = first; k < end; k++) {
    const Node *found = find_time(node->children[k].node);
    if (found) return found;
  }
  return NULL;
}

/* Asked where an expression is judged by its form: what names the time has no value of its own. */
PetscBool CospinNodeHasTime(const Node *node)
{
  return (PetscBool)(find_time(node) != NULL);
}

PetscBool CospinExpressionHasTime(CospinExpression expression, CospinPosition *at)
{
  const Node *node = find_time(expression->root);

  if (node && at) *at = CospinExpressionLocate(expression, node->offset);
  return (PetscBool)(node != NULL);
}

/* Whether a value is a number, which may depend on time. */
static PetscBool is_number(const CospinValue *value)
{
  if (!value->is_operator) return PETSC_TRUE;
  for (int k = 0; k < value->polynomial->count; k++) {
    const CospinMonomial *monomial = &value->polynomial->monomials[k];
    for (int l = 0; l < monomial->length; l++)
      if (monomial->operators[l].component != COSPIN_TIME) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The operator that stands for a function of time. */
static PetscErrorCode take(CospinExpression expression, const Node *node, PetscBool inverse,
                           const CospinEnvironment *environment, CospinValue *value)
{
  const CospinTimeFunction function = {expression, node, inverse};
  CospinElementary elementary;

  PetscFunctionBeginUser;
  PetscCall(environment->Time(environment->times, &function, &elementary));
  value->is_operator = PETSC_TRUE;
  value->number = 0;
  PetscCall(CospinPolynomialCreate(&value->polynomial));
  PetscCall(CospinPolynomialAddMonomial(value->polynomial, 1.0, 1, &elementary));
  PetscFunctionReturn(0);
}

/* (cos(t)*q.Sx)^2 is a power of an operator. What has a fault is left to the evaluation that tells it. */
static PetscErrorCode is_power_of_number(CospinExpression expression, const Node *node,
                                         const CospinEnvironment *environment, PetscBool *number)
{
  CospinValue base;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluateNode(expression, node->children[0].node, environment, NULL, &base, &ok));
  *number = (PetscBool)(ok && is_number(&base));
  PetscCall(CospinValueReset(&base));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinEvaluateTimed(CospinExpression expression, const Node *node,
                                   const CospinEnvironment *environment, CospinValue *value, PetscBool *taken)
{
  PetscFunctionBeginUser;
  *taken = PETSC_FALSE;
  if (node->kind != NODE_NAME && node->kind != NODE_CALL && node->kind != NODE_POWER) PetscFunctionReturn(0);
  if (!CospinNodeHasTime(node)) PetscFunctionReturn(0);
  *taken = is_time(node);
  if (node->kind == NODE_CALL)
    *taken =
        (PetscBool)(node->function->reality != REAL_OF_OPERATORS && node->function->reality != REAL_OF_STATE);
  if (node->kind == NODE_POWER) PetscCall(is_power_of_number(expression, node, environment, taken));
  if (*taken) PetscCall(take(expression, node, PETSC_FALSE, environment, value));
  PetscFunctionReturn(0);
}

/* X / f(t): by the operator that stands for 1/f. */
PetscErrorCode CospinTimedReciprocal(CospinExpression expression, const Node *node,
                                     const CospinEnvironment *environment, CospinValue *value,
                                     PetscBool *taken)
{
  PetscFunctionBeginUser;
  *taken = is_number(value);
  if (!*taken) PetscFunctionReturn(0);
  PetscCall(CospinValueReset(value));
  PetscCall(take(expression, node, PETSC_TRUE, environment, value));
  PetscFunctionReturn(0);
}

/* ---- Of a function of time ----------------------------------------------------------------------------- */

/* The environment knows what t is; a division by a function that is zero there is the one fault that the
   evaluation of the divisor does not see. */
PetscErrorCode CospinTimeFunctionEvaluate(const CospinTimeFunction *function,
                                          const CospinEnvironment *environment, CospinFaults faults,
                                          double complex *number, PetscBool *ok)
{
  const CospinExpression expression = function->expression;
  CospinValue value;

  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluateNode(expression, function->node, environment, faults, &value, ok));
  if (*ok && (value.is_operator || (function->inverse && value.number == 0))) {
    *ok = PETSC_FALSE;
    if (faults)
      PetscCall(CospinFaultsAdd(faults, CospinExpressionLocate(expression, function->node->offset),
                                expression->path,
                                value.is_operator ? "must be a number" : "division by zero"));
  }
  *number = *ok ? value.number : 0;
  if (*ok && function->inverse) *number = CospinComplexDivide(1, value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* Signs and numbers, too: 2*t and 3*t, or t-1 and t+1, are two functions. Names are compared as written. */
static PetscBool same_nodes(const Node *a, const Node *b)
{
  if (a->kind != b->kind || a->count != b->count || a->function != b->function || a->number != b->number)
    return PETSC_FALSE;
  if (a->name && strcmp(a->name, b->name)) return PETSC_FALSE; /* of a table: the file */
  for (int k = 0; k < a->count; k++) {
    if (a->children[k].sign != b->children[k].sign || !same_nodes(a->children[k].node, b->children[k].node))
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool CospinTimeFunctionsEqual(const CospinTimeFunction *a, const CospinTimeFunction *b)
{
  return (PetscBool)(a->inverse == b->inverse && same_nodes(a->node, b->node));
}

/* An index of a sum counts, too: whoever asks takes two functions for different ones then, which is only
   slower. */
static PetscBool has_name(const Node *node, const char name[])
{
  if (node->kind == NODE_NAME && !strcmp(node->name, name)) return PETSC_TRUE;
  for (int k = 0; k < node->count; k++)
    if (has_name(node->children[k].node, name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscBool CospinTimeFunctionNames(const CospinTimeFunction *function, const char name[])
{
  return has_name(function->node, name);
}

/* By its form: exp(-i*w*t) is real at t = 0 and still no real function. */
PetscErrorCode CospinTimeFunctionIsReal(const CospinTimeFunction *function,
                                        const CospinEnvironment *environment, PetscBool *real)
{
  PetscFunctionBeginUser;
  PetscCall(CospinNodeIsReal(function->expression, function->node, environment, real));
  PetscFunctionReturn(0);
}

/* ---- Kicks --------------------------------------------------------------------------------------------- */

static PetscBool has_kick(const Node *node)
{
  if (node->kind == NODE_CALL && !strcmp(node->function->name, "kick")) return PETSC_TRUE;
  for (int k = 0; k < node->count; k++)
    if (has_kick(node->children[k].node)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A real number that does not depend on time: when a kick is, and its place among those of that time. Whoever
   asks tells the fault, which is about the call and not about its arguments. */
static PetscErrorCode get_constant(const CospinTimeFunction *function, const Node *node,
                                   const CospinEnvironment *environment, double *number, PetscBool *ok)
{
  CospinValue value;

  PetscFunctionBeginUser;
  *ok = (PetscBool)!CospinNodeHasTime(node);
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinExpressionEvaluateNode(function->expression, node, environment, NULL, &value, ok));
  if (*ok) *ok = (PetscBool)(!value.is_operator && cimag(value.number) == 0.0);
  if (*ok) *number = creal(value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* A delta has a meaning as a factor only: its square has none, and that of 2*t - 1 would be half of it. */
PetscErrorCode CospinTimeFunctionKick(const CospinTimeFunction *function,
                                      const CospinEnvironment *environment, PetscBool *kick, double *time,
                                      double *order, PetscBool *ok)
{
  const Node *node = function->node;

  PetscFunctionBeginUser;
  *kick = has_kick(node);
  *ok = PETSC_TRUE;
  *time = NAN;
  *order = 0.0;
  if (!*kick) PetscFunctionReturn(0);
  *ok = (PetscBool)(node->kind == NODE_CALL && !strcmp(node->function->name, "kick") && !function->inverse &&
                    is_time(node->children[0].node));
  if (*ok) PetscCall(get_constant(function, node->children[1].node, environment, time, ok));
  if (*ok && node->count > 2)
    PetscCall(get_constant(function, node->children[2].node, environment, order, ok));
  PetscFunctionReturn(0);
}

/* ---- Edges --------------------------------------------------------------------------------------------- */

/* How many numbers of a call tell by their zeros where its value jumps or has a corner, or may be all that it
   ever is: a Gaussian however narrow. */
static int num_edges(const Node *node)
{
  static const struct {
    const char *name;
    int count;
  } edged[] = {{"step", 1}, {"abs", 1}, {"pulse", 2}, {"ramp", 2},
               {"min", 1},  {"max", 1}, {"gauss", 1}, {"table", 2}};

  for (size_t k = 0; node->kind == NODE_CALL && k < sizeof(edged) / sizeof(edged[0]); k++)
    if (!strcmp(node->function->name, edged[k].name)) return edged[k].count;
  return 0;
}

/* The call that the `which`-th edge below a node belongs to; *which becomes its number within the call. */
static const Node *find_edge(const Node *node, int *which)
{
  const int here = num_edges(node);

  if (*which < here) return node;
  *which -= here;
  for (int k = 0; k < node->count; k++) {
    const Node *found = find_edge(node->children[k].node, which);
    if (found) return found;
  }
  return NULL;
}

/* The first argument less the one that it is compared with, of a table either end. What has no value (a
   fault, an index of a sum) has no edge: a jump is found by its values then. */
PetscErrorCode CospinTimeFunctionEdge(const CospinTimeFunction *function, int which,
                                      const CospinEnvironment *environment, double *distance,
                                      PetscBool *found)
{
  const Node *call = find_edge(function->node, &which);
  CospinValue value;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *distance = NAN;
  *found = (PetscBool)(call != NULL);
  for (int k = 0; call && ok && k < 2; k++) {
    if (k == 1 && call->count == 1) break;
    PetscCall(CospinExpressionEvaluateNode(function->expression, call->children[k ? which + 1 : 0].node,
                                           environment, NULL, &value, &ok));
    *distance = k ? *distance - creal(value.number) : creal(value.number);
    PetscCall(CospinValueReset(&value));
  }
  if (call && call->curve) *distance -= call->curve->x[which ? call->curve->count - 1 : 0];
  if (!ok) *distance = NAN;
  PetscFunctionReturn(0);
}
