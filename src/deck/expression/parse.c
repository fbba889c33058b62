/*
   Text to tree, by recursive descent over the characters. Sums and products are nodes with many children, so
   that the depth of the tree is the depth of parentheses and powers, which is limited.

   The grammar, from the loosest binding to the tightest:

        sum     = term { ("+" | "-") (term | "hc") }
        term    = product
        product = unary { ("*" | "/") unary }
        unary   = { "-" | "+" } power
        power   = primary [("^" | "**") unary]
        primary = number | name ["[" list "]"] | function "(" list ")" | "<" sum ">" | "(" sum ")"

   So -2^2 is -4, and a power binds to the right: 2^3^2 is 2^9. `<A>` is one number of the state; within it
   there are operators only.

   Precedence is that of the grammar's levels: each level calls the next tighter one and comes back with a
   tree. Every node keeps the offset of its first character in the text, so that faults which only show when a
   value is known (a division by zero, a wrong index) still point at it.
*/
#include "expression_impl.h"
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 200 };

typedef struct {
  CospinExpression expression;
  CospinFaults faults;
  const char *text;
  int at; /* offset of the next character */
  int depth;
  PetscBool in_expectation, failed;
} Parser;

static PetscErrorCode parse_sum(Parser *parser, Node **node);
static PetscErrorCode parse_unary(Parser *parser, Node **node);

static PetscBool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static PetscBool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* The next character that is no blank; blanks are passed over here and nowhere else. */
static char peek(Parser *parser)
{
  while (parser->text[parser->at] && strchr(" \t\r\n", parser->text[parser->at])) parser->at++;
  return parser->text[parser->at];
}

/* The first fault ends the parsing of an expression: what follows would be guesses. */
static PetscErrorCode fail(Parser *parser, int offset, const char format[], ...)
{
  char sentence[1024];
  va_list arguments;

  PetscFunctionBeginUser;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof(sentence), format, arguments);
  va_end(arguments);
  if (!parser->failed)
    PetscCall(CospinFaultsAdd(parser->faults, CospinExpressionLocate(parser->expression, offset),
                              parser->expression->path, "%s", sentence));
  parser->failed = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Names the character that does not fit, all bytes of it. */
static PetscErrorCode fail_unexpected(Parser *parser, const char expected[])
{
  const char c = peek(parser), *start = parser->text + parser->at;
  int length = 1;

  PetscFunctionBeginUser;
  if (!c) {
    PetscCall(fail(parser, parser->at, "the expression ends too early (%s)", expected));
    PetscFunctionReturn(0);
  }
  while (((unsigned char)start[length] & 0xC0) == 0x80) length++;
  PetscCall(fail(parser, parser->at, "unexpected `%.*s` (%s)", length, start, expected));
  PetscFunctionReturn(0);
}

/* By strtod, but what belongs to the number is decided here: strtod would take "inf", hexadecimal digits and
 * the decimal point of a locale. */
static PetscErrorCode parse_number(Parser *parser, Node **node)
{
  const char *text = parser->text;
  const int start = parser->at;
  int at = start;

  PetscFunctionBeginUser;
  while (is_digit(text[at])) at++;
  if (text[at] == '.') at++;
  while (is_digit(text[at])) at++;
  if (text[at] == 'e' || text[at] == 'E') {
    const int sign = text[at + 1] == '+' || text[at + 1] == '-';

    if (is_digit(text[at + 1 + sign])) {
      at += 1 + sign;
      while (is_digit(text[at])) at++;
    }
  }
  PetscCall(CospinNodeCreate(parser->expression, NODE_NUMBER, start, node));
  (*node)->number = strtod(text + start, NULL);
  parser->at = at;
  if (!isfinite(creal((*node)->number)))
    PetscCall(fail(parser, start, "the number `%.*s` is too large", at - start < 40 ? at - start : 40,
                   text + start));
  else if (is_letter(text[at]))
    PetscCall(fail(parser, at, "unexpected `%c` behind a number (is a `*` missing?)", text[at]));
  PetscFunctionReturn(0);
}

/* Offset behind the name that starts at `at`. */
static int scan_name(const char text[], int at)
{
  while (is_letter(text[at]) || is_digit(text[at]) || (text[at] == '.' && is_letter(text[at + 1]))) at++;
  return at;
}

/* sum { "," sum } CLOSING, as children of node. */
static PetscErrorCode parse_list(Parser *parser, char closing, Node *node)
{
  PetscFunctionBeginUser;
  for (;;) {
    Node *child;

    PetscCall(parse_sum(parser, &child));
    if (parser->failed) PetscFunctionReturn(0);
    PetscCall(CospinNodeAppend(node, child, ',', child->offset));
    if (peek(parser) != ',') break;
    parser->at++;
  }
  if (peek(parser) != closing) {
    char expected[] = "`,` or `)` is expected";

    expected[8] = closing;
    PetscCall(fail_unexpected(parser, expected));
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
    PetscCall(fail(parser, offset, "unknown function `%s` (did you mean `%s`?)", name, guess));
  else
    PetscCall(
        fail(parser, offset, "unknown function `%s` (is a `*` missing? known functions:%s)", name, list));
  PetscFunctionReturn(0);
}

/* A functional is a number that stands for the state, as `<...>` does. */
static PetscErrorCode begin_functional(Parser *parser, Node *node)
{
  PetscFunctionBeginUser;
  if (parser->in_expectation) {
    PetscCall(fail(parser, node->offset,
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
  if (parser->failed) PetscFunctionReturn(0);
  if (peek(parser) == ')')
    parser->at++;
  else
    PetscCall(parse_list(parser, ')', *node));
  if (function->signature) parser->in_expectation = PETSC_FALSE;
  if (parser->failed) PetscFunctionReturn(0);
  if ((*node)->count < function->min_arguments || (*node)->count > function->max_arguments)
    PetscCall(fail(parser, start, "%s takes %s%d argument%s, not %d", name,
                   function->max_arguments > function->min_arguments ? "at least " : "",
                   function->min_arguments, function->min_arguments == 1 ? "" : "s", (*node)->count));
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
    PetscCall(fail(parser, start,
                   "`hc` means the hermitian conjugate of what stands before it in a sum "
                   "(write `A + hc`)"));
  } else if (CospinFunctionFind(name)) {
    PetscCall(fail(parser, start, "`%s` is a function (write `%s(...)`)", name, name));
  } else {
    PetscCall(CospinNodeCreate(parser->expression, NODE_NAME, start, node));
    PetscCall(PetscStrallocpy(name, &(*node)->name));
    if (peek(parser) != '[') PetscFunctionReturn(0);
    parser->at++;
    PetscCall(parse_list(parser, ']', *node));
    if ((*node)->count > MAX_INDICES)
      PetscCall(fail(parser, start, "`%s` has more than %d indices", name, (int)MAX_INDICES));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode parse_name(Parser *parser, Node **node)
{
  const int start = parser->at, end = scan_name(parser->text, start);
  char name[128];

  PetscFunctionBeginUser;
  parser->at = end;
  if ((size_t)(end - start) >= sizeof(name)) {
    PetscCall(fail(parser, start, "a name of %d letters is too long (at most %d)", end - start,
                   (int)sizeof(name) - 1));
    PetscFunctionReturn(0);
  }
  memcpy(name, parser->text + start, (size_t)(end - start));
  name[end - start] = '\0';
  if (peek(parser) == '(')
    PetscCall(parse_call(parser, start, name, node));
  else
    PetscCall(parse_plain_name(parser, start, name, node));
  PetscFunctionReturn(0);
}

/* An open parenthesis is told where it opens: at the end of the text nobody sees what is missing. */
static PetscErrorCode parse_parenthesis(Parser *parser, Node **node)
{
  const int start = parser->at++;

  PetscFunctionBeginUser;
  PetscCall(parse_sum(parser, node));
  if (parser->failed) PetscFunctionReturn(0);
  if (peek(parser) == ')')
    parser->at++;
  else if (peek(parser))
    PetscCall(fail_unexpected(parser, "an operation or `)` is expected"));
  else
    PetscCall(fail(parser, start, "this `(` is not closed"));
  PetscFunctionReturn(0);
}

/* Numbered in the order of the text: readers of the state fill an array of expectation values, and the
   evaluation takes them by these numbers. */
static PetscErrorCode parse_expectation(Parser *parser, Node **node)
{
  const int start = parser->at++;
  Node *child;

  PetscFunctionBeginUser;
  if (parser->in_expectation) {
    PetscCall(fail(parser, start, "an expectation value inside of another one"));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinNodeCreate(parser->expression, NODE_EXPECT, start, node));
  (*node)->which = parser->expression->num_expectations++;
  parser->in_expectation = PETSC_TRUE;
  PetscCall(parse_sum(parser, &child));
  parser->in_expectation = PETSC_FALSE;
  if (parser->failed) PetscFunctionReturn(0);
  PetscCall(CospinNodeAppend(*node, child, 0, start));
  (*node)->has_expectation = PETSC_TRUE;
  if (peek(parser) == '>')
    parser->at++;
  else if (peek(parser))
    PetscCall(fail_unexpected(parser, "an operation or `>` is expected"));
  else
    PetscCall(fail(parser, start, "this `<` is not closed"));
  PetscFunctionReturn(0);
}

/* `.5` is a number; a name cannot begin with a dot. */
static PetscErrorCode parse_primary(Parser *parser, Node **node)
{
  const char c = peek(parser);

  PetscFunctionBeginUser;
  if (is_digit(c) || (c == '.' && is_digit(parser->text[parser->at + 1])))
    PetscCall(parse_number(parser, node));
  else if (is_letter(c))
    PetscCall(parse_name(parser, node));
  else if (c == '(')
    PetscCall(parse_parenthesis(parser, node));
  else if (c == '<')
    PetscCall(parse_expectation(parser, node));
  else
    PetscCall(fail_unexpected(parser, "a number, a name or `(` is expected"));
  PetscFunctionReturn(0);
}

/* Counts one more level of nesting; the levels are what the stack of this process has to hold. */
static PetscErrorCode enter(Parser *parser)
{
  PetscFunctionBeginUser;
  if (++parser->depth > MAX_DEPTH)
    PetscCall(fail(parser, parser->at, "the expression is nested more than %d deep", (int)MAX_DEPTH));
  PetscFunctionReturn(0);
}

/* Right to left: the exponent is a unary expression, which takes further powers with it. `**` is the same as
   `^`, since many write it so. */
static PetscErrorCode parse_power(Parser *parser, Node **node)
{
  Node *base, *exponent;
  int sign_at, length;

  PetscFunctionBeginUser;
  PetscCall(parse_primary(parser, node));
  if (parser->failed) PetscFunctionReturn(0);
  const char c = peek(parser);
  if (c == '^')
    length = 1;
  else if (c == '*' && parser->text[parser->at + 1] == '*')
    length = 2;
  else
    PetscFunctionReturn(0);
  sign_at = parser->at;
  parser->at += length;
  base = *node;
  PetscCall(enter(parser));
  if (!parser->failed) PetscCall(parse_unary(parser, &exponent));
  parser->depth--;
  if (parser->failed) PetscFunctionReturn(0);
  PetscCall(CospinNodeCreate(parser->expression, NODE_POWER, base->offset, node));
  PetscCall(CospinNodeAppend(*node, base, '^', sign_at));
  PetscCall(CospinNodeAppend(*node, exponent, '^', sign_at));
  PetscFunctionReturn(0);
}

/* Signs bind looser than powers: -2^2 is -(2^2). */
static PetscErrorCode parse_unary(Parser *parser, Node **node)
{
  PetscBool negative = PETSC_FALSE;
  Node *child;
  int start;
  char c;

  PetscFunctionBeginUser;
  c = peek(parser);
  start = parser->at;
  for (; c == '+' || c == '-'; c = peek(parser)) {
    if (c == '-') negative = !negative;
    parser->at++;
  }
  PetscCall(parse_power(parser, node));
  if (parser->failed || !negative) PetscFunctionReturn(0);
  child = *node;
  PetscCall(CospinNodeCreate(parser->expression, NODE_NEGATE, start, node));
  PetscCall(CospinNodeAppend(*node, child, '-', start));
  PetscFunctionReturn(0);
}

static PetscErrorCode parse_product(Parser *parser, Node **node)
{
  Node *factor, *product = NULL;

  PetscFunctionBeginUser;
  PetscCall(parse_unary(parser, node));
  while (!parser->failed) {
    const char c = peek(parser);
    const int sign_at = parser->at;

    if (c != '*' && c != '/') break;
    if (!product) {
      PetscCall(CospinNodeCreate(parser->expression, NODE_PRODUCT, (*node)->offset, &product));
      PetscCall(CospinNodeAppend(product, *node, '*', sign_at));
      *node = product;
    }
    parser->at++;
    PetscCall(parse_unary(parser, &factor));
    if (!parser->failed) PetscCall(CospinNodeAppend(product, factor, c, sign_at));
  }
  PetscFunctionReturn(0);
}

/* A term of a sum behind its sign: a product, or the word `hc`. */
static PetscErrorCode parse_term(Parser *parser, Node **node)
{
  PetscFunctionBeginUser;
  peek(parser);
  if (!strncmp(parser->text + parser->at, "hc", 2) && scan_name(parser->text, parser->at) == parser->at + 2) {
    PetscCall(CospinNodeCreate(parser->expression, NODE_ADJOINT, parser->at, node));
    parser->at += 2;
  } else
    PetscCall(parse_product(parser, node));
  PetscFunctionReturn(0);
}

static PetscErrorCode parse_sum(Parser *parser, Node **node)
{
  Node *term, *sum = NULL;

  PetscFunctionBeginUser;
  PetscCall(enter(parser));
  if (!parser->failed) PetscCall(parse_product(parser, node));
  while (!parser->failed) {
    const char c = peek(parser);
    const int sign_at = parser->at;

    if (c != '+' && c != '-') break;
    if (!sum) {
      PetscCall(CospinNodeCreate(parser->expression, NODE_SUM, (*node)->offset, &sum));
      PetscCall(CospinNodeAppend(sum, *node, '+', sign_at));
      *node = sum;
    }
    parser->at++;
    PetscCall(parse_term(parser, &term));
    if (!parser->failed) PetscCall(CospinNodeAppend(sum, term, c, sign_at));
  }
  parser->depth--;
  PetscFunctionReturn(0);
}

static PetscErrorCode parse_whole(Parser *parser)
{
  PetscFunctionBeginUser;
  if (!peek(parser)) {
    PetscCall(fail(parser, 0, "an expression is missing"));
    PetscFunctionReturn(0);
  }
  PetscCall(parse_sum(parser, &parser->expression->root));
  if (parser->failed) PetscFunctionReturn(0);
  const char c = peek(parser);
  if (is_letter(c) || is_digit(c) || c == '(')
    PetscCall(fail_unexpected(parser, "is a `*` missing?"));
  else if (c == ')')
    PetscCall(fail_unexpected(parser, "there is no `(` for it"));
  else if (c)
    PetscCall(fail_unexpected(parser, "an operation or the end is expected"));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpressionParseAt(const char text[], CospinPosition at, PetscBool at_start_only,
                                       const char path[], CospinFaults faults, CospinExpression *expression)
{
  Parser parser = {.faults = faults};

  PetscFunctionBeginUser;
  PetscCheck(strlen(text) < INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "Expression of %zu bytes",
             strlen(text));
  PetscCall(PetscNew(expression));
  PetscCall(PetscStrallocpy(text, &(*expression)->text));
  PetscCall(PetscStrallocpy(path, &(*expression)->path));
  (*expression)->at = at;
  (*expression)->at_start_only = at_start_only;
  parser.expression = *expression;
  parser.text = (*expression)->text;
  PetscCall(parse_whole(&parser));
  if (parser.failed) PetscCall(CospinExpressionDestroy(expression));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpressionParse(const char text[], CospinPosition at, const char path[],
                                     CospinFaults faults, CospinExpression *expression)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpressionParseAt(text, at, PETSC_FALSE, path, faults, expression));
  PetscFunctionReturn(0);
}
