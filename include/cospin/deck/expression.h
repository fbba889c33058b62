/*
   The expression language of decks: one grammar for numbers and operators.

       sum      := product { ("+"|"-") ( product | "hc" ) }
       product  := unary { ("*"|"/") unary }
       unary    := ("+"|"-") unary | power
       power    := primary [ ("^"|"**") unary ]
       primary  := number | name [ "[" sum { "," sum } "]" ] | function "(" sum { "," sum } ")"
                   | "(" sum ")" | "<" sum ">" | "table(" file [ "," sum ] ")"

   `A + hc` adds the adjoint of all that stands before it in this sum, `A - hc` subtracts it. "^" is right
   associative and binds tighter than a sign: -x^2 = -(x^2); 2^-1 is allowed. An operator may be raised to a
   non-negative integer only.
   name is letters, digits and "_", with "." between a component and its operator: `N`, `ions.Sp`,
   `q.sz[l]`. Constants: pi, i (the imaginary unit). Functions of numbers: sqrt exp log log10 sin cos tan
   asin acos atan atan2 sinh cosh tanh abs re im arg conj floor ceil round min max factorial binomial, and of
   time step(x) ramp(t, t0, t1) pulse(t, t0, t1) gauss(t, t0, tau) kick(t, t0). table(FILE, X) is the
   curve through a file's points, at X or else at t; a file's name is bare or stands in quotes. Of
   operators: dag (and of numbers: conj). sum(l, N, X) and prod(l, N, X) add and multiply X of
   l = 0 ... N-1; l has a meaning in X only. X is a number, of sum also an operator.
   Values are complex; `<A>` is the expectation value Tr(A rho), a number, and allowed in observables only. So
   are functionals of the state (cospin/deck/functional_list.h), which look like functions; an argument of
   theirs may be the name of a component.
*/
#pragma once
#include <cospin/deck/fault.h>
#include <cospin/deck/polynomial.h>

typedef struct CospinExpression_ *CospinExpression;

/* A number or an operator. An operator value owns its polynomial. */
typedef struct {
  PetscBool is_operator;
  double complex number;       /* if it is a number */
  CospinPolynomial polynomial; /* if it is an operator, else NULL */
} CospinValue;

PetscErrorCode CospinValueReset(CospinValue *value); /* frees what it owns; number 0 is left */

/* An argument of a functional: a number, an operator, or the name of a component (then `name` is set). */
typedef struct {
  const char *name; /* borrowed; NULL: see value */
  CospinValue value;
} CospinArgument;

/* The component of an elementary operator that is none: a number that depends on the time t, which commutes
   with everything. */
#define COSPIN_TIME (-1)

/* Such a number: a part of an expression (borrowed), or one over it. */
typedef struct {
  CospinExpression expression;
  const struct Node_ *node;
  PetscBool inverse;
} CospinTimeFunction;

/*
   What names mean. The expression is evaluated against one of these, so the language knows neither parameters
   nor components. `Resolve` sets *found and *value for `name` with `num_index` integer indices, or leaves
   *found false and may write into `why` (size `why_size`) a sentence that says what would be right; an empty
   `why` gets the standard one ("unknown name ..."). `Expect` gives Tr(A rho) for the `which`-th `<...>` of
   the expression, counted from 0 in the order of the text; NULL where `<...>` is not allowed. A number `<2>`
   is handed over as a multiple of the identity. `Functional` likewise gives the `which`-th functional of the
   state; if its arguments are not allowed it writes into `why` a sentence that says what would be right.
*/
typedef struct {
  const void *context;
  PetscErrorCode (*Resolve)(const void *context, const char name[], int num_index, const int index[],
                            CospinValue *value, PetscBool *found, char why[], size_t why_size);
  CospinElementaryAdjoint ElementaryAdjoint;
  PetscErrorCode (*Expect)(void *state, int which, CospinPolynomial a, double complex *value);
  PetscErrorCode (*Functional)(void *state, int which, const char function[],
                               const CospinArgument arguments[], double *value, char why[], size_t why_size);
  void *state; /* handed to Expect and Functional */
  /* NULL: `t` is a name like any other. Else numbers that depend on it become operators, *elementary of
     component COSPIN_TIME; two of a kind the same. */
  PetscErrorCode (*Time)(void *times, const CospinTimeFunction *function, CospinElementary *elementary);
  void *times; /* handed to it */
} CospinEnvironment;

/*
   Not collective. Parses `text`, whose first character stands at `at` in the deck and belongs to key `path`
   (both are copied and used in faults of parsing and of evaluation). On a syntax fault *expression is NULL.
*/
PetscErrorCode CospinExpressionParse(const char text[], CospinPosition at, const char path[],
                                     CospinFaults faults, CospinExpression *expression);
PetscErrorCode CospinExpressionDestroy(CospinExpression *expression);

/* Borrowed: the text as written, its position, the key it belongs to. */
const char *CospinExpressionText(CospinExpression expression);
CospinPosition CospinExpressionPosition(CospinExpression expression);
const char *CospinExpressionPath(CospinExpression expression);

/* The name of the k-th function that expressions know, NULL behind the last; the same of constants. */
const char *CospinFunctionName(int k);
const char *CospinConstantName(int k);

/* Number of `<...>` in the expression. */
int CospinExpressionCountExpectations(CospinExpression expression);
/* Number of functionals of the state in it, and what the `which`-th is called (borrowed). */
int CospinExpressionCountFunctionals(CospinExpression expression);
const char *CospinExpressionFunctional(CospinExpression expression, int which);

/* Calls visit(context, name, number of indices) for every name (not functions and constants), in the order of
 * the text. */
PetscErrorCode CospinExpressionVisitNames(CospinExpression expression,
                                          PetscErrorCode (*visit)(void *context, const char name[],
                                                                  int num_index),
                                          void *context);

/*
   Not collective. Evaluates. Type faults (operator where a number is needed, sqrt of an operator, ...),
   unknown names and values that are not finite (1/0, log(0)) are added to `faults` at the offending
   character, *ok is false then and *value is reset. `faults` may be NULL: *ok alone tells.
*/
PetscErrorCode CospinExpressionEvaluate(CospinExpression expression, const CospinEnvironment *environment,
                                        CospinFaults faults, CospinValue *value, PetscBool *ok);

/*
   Not collective. Whether the value is a real number whatever the state is: every <A> is taken as real if
   is_real[which] says so (A hermitian), names are real if their resolved value is; re, im, abs, arg, floor,
   ... give real numbers; a sum, product, quotient or power of reals is real (sqrt, log, asin, acos and
   non-integer powers of expressions that contain an expectation value count as real too: their argument's
   sign is the user's affair and a negative one gives NaN). Decides whether an observable is stored as one
   variable or as `_re` and `_im`.
*/
PetscErrorCode CospinExpressionIsReal(CospinExpression expression, const CospinEnvironment *environment,
                                      const PetscBool is_real[], PetscBool *real);

/* Not collective. Reads the files of table(FILE), named from `folder` ("" or with a "/" at the end) on; what
   is wrong with one is a fault that names file and line. Before that a table has no value. */
PetscErrorCode CospinExpressionReadTables(CospinExpression expression, const char folder[],
                                          CospinFaults faults);
/* Calls visit for the file of every table. */
PetscErrorCode CospinExpressionVisitTables(CospinExpression expression,
                                           PetscErrorCode (*visit)(void *context, const char file[]),
                                           void *context);

/* Whether it names the time t; *at (may be NULL): where, first. */
PetscBool CospinExpressionHasTime(CospinExpression expression, CospinPosition *at);

/* Not collective. The value at the time that `t` stands for in this environment; faults as of
   CospinExpressionEvaluate. */
PetscErrorCode CospinTimeFunctionEvaluate(const CospinTimeFunction *function,
                                          const CospinEnvironment *environment, CospinFaults faults,
                                          double complex *number, PetscBool *ok);
/* Whether two are written alike. What their names stand for is the caller's to compare. */
PetscBool CospinTimeFunctionsEqual(const CospinTimeFunction *a, const CospinTimeFunction *b);
/* Whether the name occurs in it. */
PetscBool CospinTimeFunctionNames(const CospinTimeFunction *function, const char name[]);
/* Whether it is real at all times, by its form. */
PetscErrorCode CospinTimeFunctionIsReal(const CospinTimeFunction *function,
                                        const CospinEnvironment *environment, PetscBool *real);
/* Whether it is kick(t, t0, order), Dirac's delta of t - t0; *time: t0; *order, 0 by default: of those at one
   time the smaller acts first. *ok is false where one stands within another function or is none of that form.
 */
PetscErrorCode CospinTimeFunctionKick(const CospinTimeFunction *function,
                                      const CospinEnvironment *environment, PetscBool *kick, double *time,
                                      double *order, PetscBool *ok);
/* The points of the `which`-th table of it, borrowed; *num is 0 where there are no more. *x: where the table
   is read in this environment, NaN if that has no value. */
PetscErrorCode CospinTimeFunctionTable(const CospinTimeFunction *function, int which,
                                       const CospinEnvironment *environment, int *num, const double **points,
                                       double *x);
/* Where it jumps or has a corner a *distance is zero, a function of time itself; *found: whether there are
   more than `which` of them. NaN: it has no value here. */
PetscErrorCode CospinTimeFunctionEdge(const CospinTimeFunction *function, int which,
                                      const CospinEnvironment *environment, double *distance,
                                      PetscBool *found);
