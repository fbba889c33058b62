/*
   The state of parsing one expression, shared by parse.c (what stands between names) and parse_name.c.
*/
#pragma once
#include "expression_impl.h"

typedef struct {
  CospinExpression expression;
  CospinFaults faults;
  const char *text;
  int at; /* offset of the next character */
  int depth;
  PetscBool in_expectation, failed;
} Parser;

static inline PetscBool CospinIsLetter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline PetscBool CospinIsDigit(char c)
{
  return c >= '0' && c <= '9';
}

/* The next character that is no blank; blanks are passed over here and nowhere else. */
char CospinParserPeek(Parser *parser);
/* The first fault ends the parsing of an expression: what follows would be guesses. */
PetscErrorCode CospinParserFail(Parser *parser, int offset, const char format[], ...);
/* Names the character that does not fit, all bytes of it. */
PetscErrorCode CospinParserFailUnexpected(Parser *parser, const char expected[]);

/* Each sets *node to the tree of what it has read, unless parser->failed. */
PetscErrorCode CospinParseSum(Parser *parser, Node **node);
PetscErrorCode CospinParseName(Parser *parser, Node **node);

/* Offset behind the name that starts at `at`. */
int CospinScanName(const char text[], int at);
