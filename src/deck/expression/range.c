/*
   sum(l, N, X) and prod(l, N, X): X of l = 0, 1, ..., N-1, added or multiplied. The index stands for a number
   inside of X and for nothing outside of it, so an environment that knows one name more is laid over the one
   that the expression is evaluated in.

   X holds no expectation value: those are computed once for each place where one is written (`which` of a
   node), not once for each l. Of a sum it may be an operator: <sum(l, N, J[l]*q.sz[l])>.
*/
#include "expression_impl.h"
#include <math.h>
#include <string.h>

enum { MOST_TERMS = 10000000 };

/* An environment and the name that is laid over it. */
typedef struct {
  const CospinEnvironment *outer;
  const char *name;
  int value;
} Bound;

static PetscErrorCode resolve_bound(const void *context, const char name[], int num_index, const int index[],
                                    CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  const Bound *bound = (const Bound *)context;

  PetscFunctionBeginUser;
  if (num_index == 0 && !strcmp(name, bound->name)) {
    value->number = bound->value;
    *found = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  PetscCall(
      bound->outer->Resolve(bound->outer->context, name, num_index, index, value, found, why, why_size));
  PetscFunctionReturn(0);
}

static CospinElementary adjoint_bound(const void *context, CospinElementary elementary)
{
  const Bound *bound = (const Bound *)context;

  return bound->outer->ElementaryAdjoint(bound->outer->context, elementary);
}

static PetscErrorCode fail(CospinExpression expression, const Node *node, CospinFaults faults, PetscBool *ok,
                           const char what[])
{
  PetscFunctionBeginUser;
  if (faults)
    PetscCall(CospinFaultsAdd(faults, CospinExpressionLocate(expression, node->offset), expression->path,
                              "%s", what));
  *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Of the form (name, whole number, number): faults stand at the argument that does not fit. */
static PetscErrorCode check_range(CospinExpression expression, const Node *node,
                                  const CospinEnvironment *environment, CospinFaults faults, int *count,
                                  PetscBool *ok)
{
  const Node *name = node->children[0].node, *last = node->children[1].node, *body = node->children[2].node;
  CospinValue value;

  PetscFunctionBeginUser;
  if (name->kind != NODE_NAME || name->count || strchr(name->name, '.'))
    PetscCall(fail(expression, name, faults, ok,
                   "the name of an index is needed here, as l in sum(l, N, delta[l])"));
  if (body->has_expectation || last->has_expectation)
    PetscCall(fail(expression, body, faults, ok,
                   "no expectation value can stand in a sum or product over an index"));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinExpressionEvaluateNode(expression, last, environment, faults, &value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (value.is_operator || cimag(value.number) != 0 || creal(value.number) != floor(creal(value.number)) ||
      creal(value.number) < 0 || creal(value.number) > MOST_TERMS)
    PetscCall(fail(expression, last, faults, ok, "how many there are must be a whole number from 0 to 1e7"));
  else
    *count = (int)creal(value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* Stops at the first value with a fault: all others would have the same. A sum may be one of operators, as a
   sum that is written out; the order of a product of operators would be anybody's guess. */
PetscErrorCode CospinEvaluateRange(CospinExpression expression, const Node *node,
                                   const CospinEnvironment *environment, CospinFaults faults,
                                   CospinValue *value, PetscBool *ok)
{
  const PetscBool product = (PetscBool)(strcmp(node->function->name, "prod") == 0);
  Bound bound = {environment, node->children[0].node->name, 0};
  CospinEnvironment inner = *environment;
  CospinValue total = {.number = product ? 1 : 0};
  int count = 0;

  PetscFunctionBeginUser;
  inner.context = &bound;
  inner.Resolve = resolve_bound;
  inner.ElementaryAdjoint = adjoint_bound;
  PetscCall(check_range(expression, node, environment, faults, &count, ok));
  for (; *ok && bound.value < count; bound.value++) {
    CospinValue term;

    PetscCall(CospinExpressionEvaluateNode(expression, node->children[2].node, &inner, faults, &term, ok));
    if (*ok && term.is_operator && product)
      PetscCall(fail(expression, node->children[2].node, faults, ok,
                     "numbers are multiplied over an index, not operators (`sum` adds them)"));
    if (*ok && !product) PetscCall(CospinValueAdd(&total, '+', &term));
    if (product) total.number = CospinComplexMultiply(total.number, term.number);
    PetscCall(CospinValueReset(&term));
  }
  if (*ok && !CospinValueIsFinite(&total))
    PetscCall(fail(expression, node, faults, ok,
                   product ? "this product is not finite" : "this sum is not finite"));
  if (!*ok) PetscCall(CospinValueReset(&total));
  *value = total;
  PetscFunctionReturn(0);
}
