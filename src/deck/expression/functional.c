/*
   The value of a functional of the state (purity, squeezing, ...) in an expression. What it is worth only the
   environment knows: here its arguments are made what its signature wants, a letter for each: a component's
   name, an operator, a real number.

   A functional is allowed where the environment has one (in observables), and nowhere else.
*/
#include "expression_impl.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>

enum { MAX_ARGUMENTS = 4 };

/* As in evaluate.c: what fails has no value. */
static PetscErrorCode fail(CospinExpression expression, const Node *node, CospinFaults faults,
                           CospinValue *value, PetscBool *ok, const char format[], ...)
{
  char sentence[1024];
  va_list arguments;

  PetscFunctionBeginUser;
  if (faults) {
    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    PetscCall(CospinFaultsAdd(faults, CospinExpressionLocate(expression, node->offset), expression->path,
                              "%s", sentence));
  }
  *ok = PETSC_FALSE;
  PetscCall(CospinValueReset(value));
  PetscFunctionReturn(0);
}

/* One argument as its letter in the signature wants it. */
static PetscErrorCode evaluate_argument(CospinExpression expression, const Node *call, int k,
                                        const CospinEnvironment *environment, CospinFaults faults,
                                        CospinArgument *argument, PetscBool *ok)
{
  const char letter = (char)tolower(call->function->signature[k]), *name = call->function->name;
  const Node *node = call->children[k].node;
  CospinValue *value = &argument->value;

  PetscFunctionBeginUser;
  *argument = (CospinArgument){.name = NULL};
  if (letter == 'c') {
    if (node->kind == NODE_NAME && node->count == 0) argument->name = node->name;
    if (!argument->name)
      PetscCall(fail(expression, node, faults, value, ok, "%s needs the name of a component here", name));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinExpressionEvaluateNode(expression, node, environment, faults, value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (letter == 'o') PetscCall(CospinValuePromote(value));
  if (letter == 'n' && (value->is_operator || cimag(value->number) != 0))
    PetscCall(fail(expression, node, faults, value, ok, "%s needs a real number here", name));
  PetscFunctionReturn(0);
}

/* All arguments are looked at, so that all their faults are told in one run. Those that are left out have no
   name and are NaN, which no number of a deck is. */
PetscErrorCode CospinEvaluateFunctional(CospinExpression expression, const Node *node,
                                        const CospinEnvironment *environment, CospinFaults faults,
                                        CospinValue *value, PetscBool *ok)
{
  const char *name = node->function->name;
  CospinArgument arguments[MAX_ARGUMENTS];
  char why[512] = "";
  double number = 0;

  PetscFunctionBeginUser;
  if (!environment->Functional) {
    PetscCall(fail(expression, node, faults, value, ok,
                   "`%s(...)` depends on the state and is not allowed here (in observables only)", name));
    PetscFunctionReturn(0);
  }
  for (int k = node->count; k < MAX_ARGUMENTS; k++) arguments[k] = (CospinArgument){.value.number = NAN};
  for (int k = 0; k < node->count; k++) {
    PetscBool good = PETSC_TRUE;
    PetscCall(evaluate_argument(expression, node, k, environment, faults, &arguments[k], &good));
    if (!good) *ok = PETSC_FALSE;
  }
  if (*ok)
    PetscCall(
        environment->Functional(environment->state, node->which, name, arguments, &number, why, sizeof(why)));
  for (int k = 0; k < node->count; k++) PetscCall(CospinValueReset(&arguments[k].value));
  if (!*ok) PetscFunctionReturn(0);
  value->number = number;
  if (why[0])
    PetscCall(fail(expression, node, faults, value, ok, "%s", why));
  else if (!CospinValueIsFinite(value))
    PetscCall(fail(expression, node, faults, value, ok, "%s has no value in this state", name));
  PetscFunctionReturn(0);
}
