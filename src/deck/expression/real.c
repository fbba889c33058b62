/*
   Whether a value is real in every state and at all times. Parts without an expectation value and without the
   time are known numbers and are simply evaluated; the others are judged by their form.

   An observable that is real in every state is one variable in the dataset, any other has two, _re and
   _im. Which of the two it is must not depend on the state or on rounding; so it is decided from the form
   of the expression, before anything is computed. <A> is real if A is hermitian, which the caller knows.
*/
#include "expression_impl.h"

/* What is known while an expression is judged: is its value real for every state? */
typedef struct {
  CospinExpression expression;
  const CospinEnvironment *environment;
  const PetscBool *is_real; /* of each expectation value */
} Judge;

static PetscErrorCode judge_node(const Judge *judge, const Node *node, PetscBool *real);

/* What has a fault counts as real: the fault is told elsewhere. */
static PetscErrorCode judge_number(const Judge *judge, const Node *node, PetscBool *real)
{
  CospinValue value;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluateNode(judge->expression, node, judge->environment, NULL, &value, &ok));
  *real = (PetscBool)(!ok || value.is_operator || cimag(value.number) == 0);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* x + hc is real; x - hc is imaginary, so it is real only if it is zero, that is, if x was real. */
static PetscErrorCode judge_sum(const Judge *judge, const Node *node, PetscBool *real)
{
  PetscFunctionBeginUser;
  *real = PETSC_TRUE;
  for (int k = 0; k < node->count; k++) {
    const Child *child = &node->children[k];
    PetscBool term_real = PETSC_TRUE;

    if (child->node->kind != NODE_ADJOINT)
      PetscCall(judge_node(judge, child->node, &term_real));
    else if (child->sign == '+')
      *real = PETSC_TRUE;
    if (!term_real) *real = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode judge_children(const Judge *judge, const Node *node, PetscBool *real)
{
  PetscFunctionBeginUser;
  *real = PETSC_TRUE;
  for (int k = 0; k < node->count && *real; k++) PetscCall(judge_node(judge, node->children[k].node, real));
  PetscFunctionReturn(0);
}

static PetscErrorCode judge_node(const Judge *judge, const Node *node, PetscBool *real)
{
  PetscFunctionBeginUser;
  if (!node->has_expectation && !CospinNodeHasTime(node))
    PetscCall(judge_number(judge, node, real));
  else if (node->kind == NODE_EXPECT)
    *real = judge->is_real[node->which];
  else if (node->kind == NODE_CALL &&
           (node->function->reality == REAL_ALWAYS || node->function->reality == REAL_OF_STATE))
    *real = PETSC_TRUE;
  else if (node->kind == NODE_CALL && node->function->reality == REAL_OF_TABLE)
    *real = (PetscBool)(!node->curve || node->curve->real);
  else if (node->kind == NODE_SUM)
    PetscCall(judge_sum(judge, node, real));
  else
    PetscCall(judge_children(judge, node, real));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinNodeIsReal(CospinExpression expression, const Node *node,
                                const CospinEnvironment *environment, PetscBool *real)
{
  const Judge judge = {expression, environment, NULL};

  PetscFunctionBeginUser;
  PetscCall(judge_node(&judge, node, real));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpressionIsReal(CospinExpression expression, const CospinEnvironment *environment,
                                      const PetscBool is_real[], PetscBool *real)
{
  const Judge judge = {expression, environment, is_real};

  PetscFunctionBeginUser;
  PetscCall(judge_node(&judge, expression->root, real));
  PetscFunctionReturn(0);
}
