/*
   What begins with a letter: names with their indices, and calls of functions. Whether a name is a constant,
   a function or the word `hc` is decided here; what any other one means, only an environment knows.

   A member of a group of components is written `g[k].Sz`. It becomes the name "g[].Sz" with k as the first of
   its indices, so that the tree knows one form of names only.
*/
#include "parser.h"
#include <string.h>

/* Offset behind the name that starts at `at`. */
int CospinScanName(const char text[], int at)
{
  while (CospinIsLetter(text[at]) || CospinIsDigit(text[at]) ||
         (text[at] == '.' && CospinIsLetter(text[at + 1])))
    at++;
  return at;
}

/* sum { "," sum } CLOSING, as children of node. */
static PetscErrorCode parse_list(Parser *parser, char closing, Node *node)
{
  PetscFunctionBeginUser;
  for (;;) {
    Node *child;

    PetscCall(CospinParseSum(parser, &child));
    if (parser->failed) PetscFunctionReturn(0);
    PetscCall(CospinNodeAppend(node, child, ',', child->offset));
    if (CospinParserPeek(parser) != ',') break;
    parser->at++;
  }
  if (CospinParserPeek(parser) != closing) {
    char expected[] = "`,` or `)` is expected";

    expected[8] = closing;
    PetscCall(CospinParserFailUnexpected(parser, expected));
  } else
    parser->at++;
  PetscFunctionReturn(0);
}

/* `N(x+1)` reads as a call of a function N: hence the hint at a missing `*`. */
static PetscErrorCode fail_unknown_function(Parser *parser, int offset, const char name[])
{
  const char *names[64] = {NULL}, *guess;
  char list[512] = "";
  size_t length = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < 63 && CospinFunctionName(k); k++) {
    names[k] = CospinFunctionName(k);
    length += (size_t)snprintf(list + length, sizeof(list) - length, " %s", names[k]);
  }
  guess = CospinSuggest(name, names);
  if (guess)
    PetscCall(CospinParserFail(parser, offset, "unknown function `%s` (did you mean `%s`?)", name, guess));
  else
    PetscCall(CospinParserFail(parser, offset, "unknown function `%s` (is a `*` missing? known functions:%s)",
                               name, list));
  PetscFunctionReturn(0);
}

/* What stands in table(...) before its time, which is `t` where nothing else is said. */
static PetscErrorCode parse_file(Parser *parser, Node *node)
{
  Node *time;

  PetscFunctionBeginUser;
  PetscCall(CospinTableScan(parser->text, parser->at, &parser->at, &node->name));
  if (!node->name)
    PetscCall(CospinParserFail(parser, parser->at,
                               "the name of a file is expected (table(pulse.txt), or in quotes)"));
  else if (CospinParserPeek(parser) == ')') {
    PetscCall(CospinNodeCreate(parser->expression, NODE_NAME, node->offset, &time));
    PetscCall(PetscStrallocpy("t", &time->name));
    PetscCall(CospinNodeAppend(node, time, ',', node->offset));
  } else if (CospinParserPeek(parser) == ',')
    parser->at++;
  else
    PetscCall(CospinParserFailUnexpected(parser, "`,` or `)` is expected"));
  PetscFunctionReturn(0);
}

/* A functional is a number that stands for the state, as `<...>` does. */
static PetscErrorCode begin_functional(Parser *parser, Node *node)
{
  PetscFunctionBeginUser;
  if (parser->in_expectation) {
    PetscCall(CospinParserFail(parser, node->offset,
                               "`%s(...)` is a number that depends on the state (it cannot stand "
                               "inside of `<...>` or of another one)",
                               node->function->name));
    PetscFunctionReturn(0);
  }
  node->which = parser->expression->num_functionals++;
  node->has_expectation = PETSC_TRUE;
  parser->in_expectation = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* purity(g[0]) names the component g_0. */
static PetscErrorCode name_member(Node *node)
{
  const Node *number = node->kind == NODE_NAME && node->count == 1 ? node->children[0].node : NULL;
  char name[160];

  PetscFunctionBeginUser;
  if (!number || number->kind != NODE_NUMBER || strchr(node->name, '.')) PetscFunctionReturn(0);
  snprintf(name, sizeof(name), "%s_%g", node->name, creal(number->number));
  PetscCall(PetscFree(node->name));
  PetscCall(PetscStrallocpy(name, &node->name));
  node->count = 0;
  PetscFunctionReturn(0);
}

/* A function of the state counts as an expectation value: where those are not allowed it is not, either. */
static PetscErrorCode parse_call(Parser *parser, int start, const char name[], Node **node)
{
  PetscFunctionBeginUser;
  PetscCall(CospinNodeCreate(parser->expression, NODE_CALL, start, node));
  (*node)->function = CospinFunctionFind(name);
  if (!(*node)->function) {
    PetscCall(fail_unknown_function(parser, start, name));
    PetscFunctionReturn(0);
  }
  const Function *function = (*node)->function;
  if (function->signature) PetscCall(begin_functional(parser, *node));
  parser->at++; /* the parenthesis */
  if (function->reality == REAL_OF_TABLE) PetscCall(parse_file(parser, *node));
  if (parser->failed) PetscFunctionReturn(0);
  if (CospinParserPeek(parser) == ')')
    parser->at++;
  else
    PetscCall(parse_list(parser, ')', *node));
  if (function->signature) parser->in_expectation = PETSC_FALSE;
  if (parser->failed) PetscFunctionReturn(0);
  for (int k = 0; function->signature && k < (*node)->count && function->signature[k]; k++)
    if (function->signature[k] == 'c' || function->signature[k] == 'C')
      PetscCall(name_member((*node)->children[k].node));
  const int least = function->signature ? (int)strcspn(function->signature, "CNO") : function->min_arguments;
  if ((*node)->count < least || (*node)->count > function->max_arguments)
    PetscCall(CospinParserFail(parser, start, "%s takes %s%d argument%s, not %d", name,
                               function->max_arguments > least ? "at least " : "", least,
                               least == 1 ? "" : "s", (*node)->count));
  PetscFunctionReturn(0);
}

/* `[i, j]` behind a name, and `.OPERATOR` behind the number of a member, which may have indices of its own:
   g[k].E[0,1] has three, the first of which is the member. */
static PetscErrorCode parse_indices(Parser *parser, Node *node)
{
  char name[300];

  PetscFunctionBeginUser;
  if (CospinParserPeek(parser) != '[') PetscFunctionReturn(0);
  parser->at++;
  PetscCall(parse_list(parser, ']', node));
  if (parser->failed || parser->text[parser->at] != '.') PetscFunctionReturn(0);
  const int dot = parser->at, end = CospinScanName(parser->text, dot);
  if (node->count != 1 || strchr(node->name, '.') || end == dot || end - dot >= 128) {
    PetscCall(CospinParserFail(parser, dot,
                               "unexpected `.` (one of a group of components has one number and "
                               "an operator, as in g[0].Sz)"));
    PetscFunctionReturn(0);
  }
  snprintf(name, sizeof(name), "%s[]%.*s", node->name, end - dot, parser->text + dot);
  PetscCall(PetscFree(node->name));
  PetscCall(PetscStrallocpy(name, &node->name));
  parser->at = end;
  if (CospinParserPeek(parser) != '[') PetscFunctionReturn(0);
  parser->at++;
  PetscCall(parse_list(parser, ']', node));
  PetscFunctionReturn(0);
}

/* Constants (pi, i) are numbers from here on. */
static PetscErrorCode parse_plain_name(Parser *parser, int start, char name[], Node **node)
{
  double complex constant;

  PetscFunctionBeginUser;
  if (CospinConstantFind(name, &constant)) {
    PetscCall(CospinNodeCreate(parser->expression, NODE_NUMBER, start, node));
    (*node)->number = constant;
  } else if (!strcmp(name, "hc")) {
    PetscCall(CospinParserFail(parser, start,
                               "`hc` means the hermitian conjugate of what stands before it in a sum "
                               "(write `A + hc`)"));
  } else if (CospinFunctionFind(name)) {
    PetscCall(CospinParserFail(parser, start, "`%s` is a function (write `%s(...)`)", name, name));
  } else {
    PetscCall(CospinNodeCreate(parser->expression, NODE_NAME, start, node));
    PetscCall(PetscStrallocpy(name, &(*node)->name));
    PetscCall(parse_indices(parser, *node));
    if (!parser->failed && (*node)->count > MAX_INDICES)
      PetscCall(CospinParserFail(parser, start, "`%s` has more than %d indices", name, (int)MAX_INDICES));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinParseName(Parser *parser, Node **node)
{
  const int start = parser->at, end = CospinScanName(parser->text, start);
  char name[128];

  PetscFunctionBeginUser;
  parser->at = end;
  if ((size_t)(end - start) >= sizeof(name)) {
    PetscCall(CospinParserFail(parser, start, "a name of %d letters is too long (at most %d)", end - start,
                               (int)sizeof(name) - 1));
    PetscFunctionReturn(0);
  }
  memcpy(name, parser->text + start, (size_t)(end - start));
  name[end - start] = '\0';
  if (CospinParserPeek(parser) == '(')
    PetscCall(parse_call(parser, start, name, node));
  else
    PetscCall(parse_plain_name(parser, start, name, node));
  PetscFunctionReturn(0);
}
