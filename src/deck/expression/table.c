/*
   The call table(FILE) and table(FILE, X): the only one whose first argument is no expression but the name of
   a file, bare or between quotes, and the only one that has something in memory. It stands for the curve
   through the file's points at the time t, or at X: table(pulse.txt, t - t0) begins at t0.

   The file is read when the whole deck is there (CospinExpressionReadTables), because its folder is that of
   the deck; in expressions where nobody has done that a table has no value.
*/
#include "expression_impl.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

/* Offset behind the file's name, which is a copy; NULL: there is none. */
PetscErrorCode CospinTableScan(const char text[], int at, int *end, char **name)
{
  const int begin = at + (int)strspn(text + at, " \t\r\n");
  const char quote = text[begin] == '\'' || text[begin] == '"' ? text[begin] : 0;
  const char stop[2] = {quote, 0};
  const int first = begin + (quote ? 1 : 0);
  const int length = (int)strcspn(text + first, quote ? stop : ",) \t\r\n");

  PetscFunctionBeginUser;
  *name = NULL;
  *end = first + length;
  if (!length || (quote && text[*end] != quote)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)length + 1, name));
  memcpy(*name, text + first, (size_t)length);
  (*name)[length] = 0;
  if (quote) (*end)++;
  PetscFunctionReturn(0);
}

/* Nodes of a text that could not be parsed have no function. */
static PetscBool is_table(const Node *node)
{
  return (PetscBool)(node->kind == NODE_CALL && node->function && node->function->reality == REAL_OF_TABLE);
}

/* Over the list of all nodes: where in the tree a table stands does not matter. Each holds its own curve, be
   it of the same file as another's: few decks name a file twice. */
PetscErrorCode CospinExpressionReadTables(CospinExpression expression, const char folder[],
                                          CospinFaults faults)
{
  char file[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  for (Node *node = expression->nodes; node; node = node->next) {
    if (!is_table(node) || node->curve) continue;
    PetscCall(PetscSNPrintf(file, sizeof(file), "%s%s", node->name[0] == '/' ? "" : folder, node->name));
    PetscCall(CospinCurveRead(node->name, file, CospinExpressionLocate(expression, node->offset),
                              expression->path, faults, &node->curve));
  }
  PetscFunctionReturn(0);
}

/* Whoever tells runs apart asks which files they read. */
PetscErrorCode CospinExpressionVisitTables(CospinExpression expression,
                                           PetscErrorCode (*visit)(void *context, const char file[]),
                                           void *context)
{
  PetscFunctionBeginUser;
  for (const Node *node = expression->nodes; node; node = node->next)
    if (is_table(node)) PetscCall(visit(context, node->name));
  PetscFunctionReturn(0);
}

/* The sentence says what to write instead, with the numbers of this file. */
double complex CospinTableAt(const Node *node, double x, char why[], size_t why_size)
{
  const CospinCurve *curve = node->curve;
  PetscBool ok;

  why[0] = 0;
  if (!curve) {
    (void)snprintf(why, why_size, "a table is a coefficient of `hamiltonian` or a rate (not a number here)");
    return NAN;
  }
  const double first = curve->x[0], last = curve->x[curve->count - 1];
  const double complex value = CospinCurveAt(curve, x, &ok);
  if (!ok)
    (void)snprintf(
        why, why_size,
        "%s has no value at %.6g, it goes from %.6g to %.6g (beyond its ends a table is 0 if it is "
        "0 there; table(%s, min(max(t, %.6g), %.6g)) stays what it is)",
        node->name, x, first, last, node->name, first, last);
  return value;
}

/* ---- Of a function of time ----------------------------------------------------------------------------- */

/* The `which`-th table below a node. */
static const Node *find_table(const Node *node, int *which)
{
  if (is_table(node) && node->curve && (*which)-- == 0) return node;
  for (int k = 0; k < node->count; k++) {
    const Node *found = find_table(node->children[k].node, which);
    if (found) return found;
  }
  return NULL;
}

/* X of a table, that is, where it is read. Whoever integrates looks at the points themselves: between its own
   samples a curve may do anything, but nothing that its points do not show. */
PetscErrorCode CospinTimeFunctionTable(const CospinTimeFunction *function, int which,
                                       const CospinEnvironment *environment, int *num, const double **points,
                                       double *x)
{
  const Node *table = find_table(function->node, &which);
  CospinValue value;
  PetscBool ok;

  PetscFunctionBeginUser;
  *num = table ? table->curve->count : 0;
  *points = table ? table->curve->x : NULL;
  *x = NAN;
  if (!table) PetscFunctionReturn(0);
  PetscCall(CospinExpressionEvaluateNode(function->expression, table->children[0].node, environment, NULL,
                                         &value, &ok));
  if (ok && !value.is_operator) *x = creal(value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}
