/*
   The tree of an expression as others see it: its text and place for faults, what it holds (names,
   expectation values, functionals) and how its nodes are made and freed. All nodes stand in one list
   besides, so that freeing needs no recursion, whatever the depth.

   A tree, the text that it came from, and where that text stands in the deck, so that a fault found at any
   grid point later can name line, column and path.
*/
#include "expression_impl.h"
#include <string.h>

/* By the list of nodes and not by the tree: also those that a fault has left without a parent. */
PetscErrorCode CospinExpressionDestroy(CospinExpression *expression)
{
  PetscFunctionBeginUser;
  if (!*expression) PetscFunctionReturn(0);
  for (Node *node = (*expression)->nodes; node;) {
    Node *next = node->next;

    PetscCall(PetscFree(node->name));
    PetscCall(CospinCurveDestroy(&node->curve));
    PetscCall(PetscFree(node->children));
    PetscCall(PetscFree(node));
    node = next;
  }
  PetscCall(PetscFree((*expression)->text));
  PetscCall(PetscFree((*expression)->path));
  PetscCall(PetscFree(*expression));
  PetscFunctionReturn(0);
}

const char *CospinExpressionText(CospinExpression expression)
{
  return expression->text;
}

CospinPosition CospinExpressionPosition(CospinExpression expression)
{
  return expression->at;
}

const char *CospinExpressionPath(CospinExpression expression)
{
  return expression->path;
}

int CospinExpressionCountExpectations(CospinExpression expression)
{
  return expression->num_expectations;
}

int CospinExpressionCountFunctionals(CospinExpression expression)
{
  return expression->num_functionals;
}

/* By its number, as the parser has counted them; there are few, so they are looked for. */
const char *CospinExpressionFunctional(CospinExpression expression, int which)
{
  const Node *node = expression->nodes;

  while (node && !(node->kind == NODE_CALL && node->function->signature && node->which == which))
    node = node->next;
  return node ? node->function->name : NULL;
}

/* The indices of sums and products that a node stands in, innermost first: they are no names of the deck. */
typedef struct Scope_ {
  const char *name;
  const struct Scope_ *outer;
} Scope;

static PetscBool in_scope(const Scope *scope, const Node *node)
{
  for (; scope; scope = scope->outer) {
    if (!node->count && !strcmp(scope->name, node->name)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Recursive: parentheses are limited in depth by the parser. */
static PetscErrorCode visit_node(const Node *node, const Scope *scope,
                                 PetscErrorCode (*visit)(void *context, const char name[], int num_index),
                                 void *context)
{
  const PetscBool range = (PetscBool)(node->kind == NODE_CALL && node->function->reality == REAL_OF_RANGE &&
                                      node->children[0].node->kind == NODE_NAME);
  const Scope inner = {range ? node->children[0].node->name : NULL, scope};

  PetscFunctionBeginUser;
  if (node->kind == NODE_NAME && !in_scope(scope, node)) PetscCall(visit(context, node->name, node->count));
  for (int k = range ? 1 : 0; k < node->count; k++)
    PetscCall(visit_node(node->children[k].node, range && k == 2 ? &inner : scope, visit, context));
  PetscFunctionReturn(0);
}

/* Components and their operators are one name here, "ions.Sp". */
PetscErrorCode CospinExpressionVisitNames(CospinExpression expression,
                                          PetscErrorCode (*visit)(void *context, const char name[],
                                                                  int num_index),
                                          void *context)
{
  PetscFunctionBeginUser;
  PetscCall(visit_node(expression->root, NULL, visit, context));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinValueReset(CospinValue *value)
{
  PetscFunctionBeginUser;
  if (value->is_operator) PetscCall(CospinPolynomialDestroy(&value->polynomial));
  value->is_operator = PETSC_FALSE;
  value->number = 0;
  value->polynomial = NULL;
  PetscFunctionReturn(0);
}

CospinPosition CospinExpressionLocate(CospinExpression expression, int offset)
{
  CospinPosition at = expression->at;

  /* All characters of a well-formed expression are one byte and one column wide. */
  if (!expression->at_start_only) at.column += offset;
  return at;
}

PetscErrorCode CospinNodeCreate(CospinExpression expression, NodeKind kind, int offset, Node **node)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(node));
  (*node)->kind = kind;
  (*node)->offset = offset;
  (*node)->next = expression->nodes;
  expression->nodes = *node;
  PetscFunctionReturn(0);
}

/* A parent knows whether anything below it depends on the state: such parts have no value until there is
   one (real.c). */
PetscErrorCode CospinNodeAppend(Node *parent, Node *child, char sign, int offset)
{
  PetscFunctionBeginUser;
  if (parent->count == parent->capacity) {
    parent->capacity = parent->capacity ? 2 * parent->capacity : 2;
    PetscCall(PetscRealloc((size_t)parent->capacity * sizeof(Child), &parent->children));
  }
  parent->children[parent->count++] = (Child){child, sign, offset};
  if (child->has_expectation) parent->has_expectation = PETSC_TRUE;
  PetscFunctionReturn(0);
}
