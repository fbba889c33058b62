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
                | "table(" file ["," sum] ")"

   So -2^2 is -4, and a power binds to the right: 2^3^2 is 2^9. `<A>` is one number of the state; within it
   there are operators only.

   Precedence is that of the grammar's levels: each level calls the next tighter one and comes back with a
   tree. Every node keeps the offset of its first character in the text, so that faults which only show when a
   value is known (a division by zero, a wrong index) still point at it.
*/
#include "parser.h"
#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 200 };

static PetscErrorCode parse_unary(Parser *parser, Node **node);

/* The next character that is no blank; blanks are passed over here and nowhere else. */
char CospinParserPeek(Parser *parser)
{
  while (parser->text[parser->at] && strchr(" \t\r\n", parser->text[parser->at])) parser->at++;
  return parser->text[parser->at];
}

/* The first fault ends the parsing of an expression: what follows would be guesses. */
PetscErrorCode CospinParserFail(Parser *parser, int offset, const char format[], ...)
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
PetscErrorCode CospinParserFailUnexpected(Parser *parser, const char expected[])
{
  const char c = CospinParserPeek(parser), *start = parser->text + parser->at;
  int length = 1;

  PetscFunctionBeginUser;
  if (!c) {
    PetscCall(CospinParserFail(parser, parser->at, "the expression ends too early (%s)", expected));
    PetscFunctionReturn(0);
  }
  while (((unsigned char)start[length] & 0xC0) == 0x80) length++;
  PetscCall(CospinParserFail(parser, parser->at, "unexpected `%.*s` (%s)", length, start, expected));
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
  while (CospinIsDigit(text[at])) at++;
  if (text[at] == '.') at++;
  while (CospinIsDigit(text[at])) at++;
  if (text[at] == 'e' || text[at] == 'E') {
    const int sign = text[at + 1] == '+' || text[at + 1] == '-';

    if (CospinIsDigit(text[at + 1 + sign])) {
      at += 1 + sign;
      while (CospinIsDigit(text[at])) at++;
    }
  }
  PetscCall(CospinNodeCreate(parser->expression, NODE_NUMBER, start, node));
  (*node)->number = strtod(text + start, NULL);
  parser->at = at;
  if (!isfinite(creal((*node)->number)))
    PetscCall(CospinParserFail(parser, start, "the number `%.*s` is too large",
                               at - start < 40 ? at - start : 40, text + start));
  else if (CospinIsLetter(text[at]))
    PetscCall(CospinParserFail(parser, at, "unexpected `%c` behind a number (is a `*` missing?)", text[at]));
  PetscFunctionReturn(0);
}

/* An open parenthesis is told where it opens: at the end of the text nobody sees what is missing. */
static PetscErrorCode parse_parenthesis(Parser *parser, Node **node)
{
  const int start = parser->at++;

  PetscFunctionBeginUser;
  PetscCall(CospinParseSum(parser, node));
  if (parser->failed) PetscFunctionReturn(0);
  if (CospinParserPeek(parser) == ')')
    parser->at++;
  else if (CospinParserPeek(parser))
    PetscCall(CospinParserFailUnexpected(parser, "an operation or `)` is expected"));
  else
    PetscCall(CospinParserFail(parser, start, "this `(` is not closed"));
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
    PetscCall(CospinParserFail(parser, start, "an expectation value inside of another one"));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinNodeCreate(parser->expression, NODE_EXPECT, start, node));
  (*node)->which = parser->expression->num_expectations++;
  parser->in_expectation = PETSC_TRUE;
  PetscCall(CospinParseSum(parser, &child));
  parser->in_expectation = PETSC_FALSE;
  if (parser->failed) PetscFunctionReturn(0);
  PetscCall(CospinNodeAppend(*node, child, 0, start));
  (*node)->has_expectation = PETSC_TRUE;
  if (CospinParserPeek(parser) == '>')
    parser->at++;
  else if (CospinParserPeek(parser))
    PetscCall(CospinParserFailUnexpected(parser, "an operation or `>` is expected"));
  else
    PetscCall(CospinParserFail(parser, start, "this `<` is not closed"));
  PetscFunctionReturn(0);
}

/* `.5` is a number; a name cannot begin with a dot. */
static PetscErrorCode parse_primary(Parser *parser, Node **node)
{
  const char c = CospinParserPeek(parser);

  PetscFunctionBeginUser;
  if (CospinIsDigit(c) || (c == '.' && CospinIsDigit(parser->text[parser->at + 1])))
    PetscCall(parse_number(parser, node));
  else if (CospinIsLetter(c))
    PetscCall(CospinParseName(parser, node));
  else if (c == '(')
    PetscCall(parse_parenthesis(parser, node));
  else if (c == '<')
    PetscCall(parse_expectation(parser, node));
  else
    PetscCall(CospinParserFailUnexpected(parser, "a number, a name or `(` is expected"));
  PetscFunctionReturn(0);
}

/* Counts one more level of nesting; the levels are what the stack of this process has to hold. */
static PetscErrorCode enter(Parser *parser)
{
  PetscFunctionBeginUser;
  if (++parser->depth > MAX_DEPTH)
    PetscCall(
        CospinParserFail(parser, parser->at, "the expression is nested more than %d deep", (int)MAX_DEPTH));
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
  const char c = CospinParserPeek(parser);
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
  c = CospinParserPeek(parser);
  start = parser->at;
  for (; c == '+' || c == '-'; c = CospinParserPeek(parser)) {
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
    const char c = CospinParserPeek(parser);
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
  CospinParserPeek(parser);
  if (!strncmp(parser->text + parser->at, "hc", 2) &&
      CospinScanName(parser->text, parser->at) == parser->at + 2) {
    PetscCall(CospinNodeCreate(parser->expression, NODE_ADJOINT, parser->at, node));
    parser->at += 2;
  } else
    PetscCall(parse_product(parser, node));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinParseSum(Parser *parser, Node **node)
{
  Node *term, *sum = NULL;

  PetscFunctionBeginUser;
  PetscCall(enter(parser));
  if (!parser->failed) PetscCall(parse_product(parser, node));
  while (!parser->failed) {
    const char c = CospinParserPeek(parser);
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
  if (!CospinParserPeek(parser)) {
    PetscCall(CospinParserFail(parser, 0, "an expression is missing"));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinParseSum(parser, &parser->expression->root));
  if (parser->failed) PetscFunctionReturn(0);
  const char c = CospinParserPeek(parser);
  if (CospinIsLetter(c) || CospinIsDigit(c) || c == '(')
    PetscCall(CospinParserFailUnexpected(parser, "is a `*` missing?"));
  else if (c == ')')
    PetscCall(CospinParserFailUnexpected(parser, "there is no `(` for it"));
  else if (c)
    PetscCall(CospinParserFailUnexpected(parser, "an operation or the end is expected"));
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
