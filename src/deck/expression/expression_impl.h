/*
   The tree behind CospinExpression, shared by its parser, evaluator and the test for real values.
*/
#pragma once
#include "curve.h"
#include <cospin/deck/expression.h>

typedef enum {
  NODE_NUMBER,
  NODE_NAME,    /* children: the indices */
  NODE_CALL,    /* children: the arguments */
  NODE_EXPECT,  /* one child */
  NODE_SUM,     /* any number of children, each with its sign */
  NODE_PRODUCT, /* any number of children, each with "*" or "/" */
  NODE_POWER,   /* base, exponent */
  NODE_NEGATE,  /* one child */
  NODE_ADJOINT, /* `hc` in a sum: the adjoint of the children before it */
  NUM_NODE_KINDS
} NodeKind;

/* Whether a function's value is real. */
typedef enum {
  REAL_ALWAYS,       /* abs, re, ... */
  REAL_OF_REAL,      /* if all arguments are */
  REAL_OF_OPERATORS, /* dag: as its argument, which may be an operator */
  REAL_OF_RANGE,     /* sum, prod over an index: as what is added or multiplied */
  REAL_OF_STATE,     /* a functional of the state: always */
  REAL_OF_TABLE      /* as the file has two columns or three */
} FunctionReality;

typedef struct {
  const char *name;
  int min_arguments, max_arguments;
  FunctionReality reality;
  PetscBool needs_real; /* arguments must be real */
  double complex (*Apply)(int count, const double complex x[]);
  const char *signature; /* of a functional, one letter an argument: n number, o operator, c component; a
                            capital one, behind all others, may be left out */
} Function;

typedef struct Node_ Node;

typedef struct {
  Node *node;
  char sign;  /* of a child of a sum or product: '+' '-' '*' '/' */
  int offset; /* where that sign stands */
} Child;

struct Node_ {
  NodeKind kind;
  int offset; /* of its first character in the text; of the sign "^" for a power */
  PetscBool has_expectation;
  double complex number;
  char *name;         /* of a name; of a table the file */
  CospinCurve *curve; /* of a table that has been read */
  const Function *function;
  int which; /* of an expectation value or a functional */
  int count, capacity;
  Child *children;
  Node *next; /* all nodes of an expression are listed: freeing them needs no recursion */
};

struct CospinExpression_ {
  char *text, *path;
  CospinPosition at;
  PetscBool at_start_only; /* columns in `text` say nothing about columns in the deck */
  int num_expectations, num_functionals;
  Node *root, *nodes;
};

enum { MAX_INDICES = 8 };

/* As CospinExpressionParse; with at_start_only every fault is reported at `at`. */
PetscErrorCode CospinExpressionParseAt(const char text[], CospinPosition at, PetscBool at_start_only,
                                       const char path[], CospinFaults faults, CospinExpression *expression);

/* A node of the expression, which owns it; `offset` of its first character. */
PetscErrorCode CospinNodeCreate(CospinExpression expression, NodeKind kind, int offset, Node **node);
/* Another child, behind the others, with its sign and where that stands. */
PetscErrorCode CospinNodeAppend(Node *parent, Node *child, char sign, int offset);

/* Where the character at `offset` stands in the deck. */
CospinPosition CospinExpressionLocate(CospinExpression expression, int offset);

/* The row of a function, NULL if there is none of that name. */
const Function *CospinFunctionFind(const char name[]);
/* Sets *value and returns true if `name` is a constant. */
PetscBool CospinConstantFind(const char name[], double complex *value);

/* CospinExpressionEvaluate of a part of the expression. */
PetscErrorCode CospinExpressionEvaluateNode(CospinExpression expression, const Node *node,
                                            const CospinEnvironment *environment, CospinFaults faults,
                                            CospinValue *value, PetscBool *ok);

/* range.c. sum and prod over an index, a number; *value is the number 0 when *ok is false. */
PetscErrorCode CospinEvaluateRange(CospinExpression expression, const Node *node,
                                   const CospinEnvironment *environment, CospinFaults faults,
                                   CospinValue *value, PetscBool *ok);

/* functional.c. A functional of the state; likewise. */
PetscErrorCode CospinEvaluateFunctional(CospinExpression expression, const Node *node,
                                        const CospinEnvironment *environment, CospinFaults faults,
                                        CospinValue *value, PetscBool *ok);

/* table.c. The name of a file at an offset, to be freed with PetscFree, and where it ends; NULL: none. */
PetscErrorCode CospinTableScan(const char text[], int at, int *end, char **name);
/* The value of a table; `why` says what is wrong, or is empty. */
double complex CospinTableAt(const Node *node, double x, char why[], size_t why_size);

/* time.c. Whether a part of an expression names the time t. */
PetscBool CospinNodeHasTime(const Node *node);
/* For environments with Time: *value is the operator that stands for the node, if it is a number that depends
   on time and taken as a whole. */
PetscErrorCode CospinEvaluateTimed(CospinExpression expression, const Node *node,
                                   const CospinEnvironment *environment, CospinValue *value,
                                   PetscBool *taken);
/* *value, that of the node, becomes what stands for 1/node, if it is a number that depends on time. */
PetscErrorCode CospinTimedReciprocal(CospinExpression expression, const Node *node,
                                     const CospinEnvironment *environment, CospinValue *value,
                                     PetscBool *taken);
/* real.c. Whether a number without expectation values is real at all times. */
PetscErrorCode CospinNodeIsReal(CospinExpression expression, const Node *node,
                                const CospinEnvironment *environment, PetscBool *real);

/* value.c. Arithmetic in which real operands give real results. */
double complex CospinComplexMultiply(double complex a, double complex b);
double complex CospinComplexDivide(double complex a, double complex b);
double complex CospinComplexNegate(double complex z); /* without negative zeros */
double complex CospinComplexPower(double complex base, double complex exponent);
/* Whether the number, or every coefficient, is. */
PetscBool CospinValueIsFinite(const CospinValue *value);
/* Turns a number into that multiple of the identity. */
PetscErrorCode CospinValuePromote(CospinValue *value);
PetscErrorCode CospinValueScale(CospinValue *value, double complex factor);
/* sum += sign * term, sign '+' or '-'; term is used up. */
PetscErrorCode CospinValueAdd(CospinValue *sum, char sign, CospinValue *term);
/* An estimate of the work of a product, before it is done: products multiply. */
double CospinPolynomialCountOperators(CospinPolynomial p);
PetscErrorCode CospinValueCopy(const CospinValue *value, CospinValue *copy);

/* A number as it is quoted in faults; returns `text`. */
const char *CospinNumberFormat(double complex z, char text[], size_t size);

/* The conjugate without a negative zero: arg(conj(-1)) is pi. */
static inline double complex CospinConjugate(double complex z)
{
  return CMPLX(creal(z), 0 - cimag(z));
}
