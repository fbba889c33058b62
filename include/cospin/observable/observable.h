/*
   Observables: expressions of expectation values, compiled at one grid point into functionals of the state.
*/
#pragma once
#include <cospin/observable/functional.h>

/* <A> as a superoperator: Tr(A rho) = trace of what rho -> A rho makes. */
typedef struct {
  const CospinDefinition *definition; /* borrowed from the deck */
  PetscBool real;                     /* stored as one variable rather than `_re` and `_im` */
  int size[2];   /* of `sum:` and `each:`: what l and m run over; 0: it has no such index */
  int at[2];     /* of `each:`: the l and m that this one is for; there is an observable for each of them */
  int num_terms; /* of a sum, 1 otherwise; each has the expectations of the expression */
  int num_expectations; /* of the expression (term after term), then of its functionals that need no more */
  CospinMoves *expectations;   /* [num_expectations] rho -> A rho; empty if every task is approximate */
  CospinPolynomial *operators; /* [num_expectations] A */
  int num_functionals;
  CospinFunctional *functionals; /* [num_functionals] */
} CospinObservable;

/* As many as the deck has, and of `each:` one for every l and m in a row. */
typedef struct CospinObservables_ {
  CospinProblem problem; /* borrowed */
  int count;
  CospinObservable *observables;
} * CospinObservables;

/* Not collective. Faults: an observable that is an operator, operators of one unnamed spin, unknown names. */
PetscErrorCode CospinObservablesCreate(CospinProblem problem, CospinFaults faults,
                                       CospinObservables *observables, PetscBool *ok);
PetscErrorCode CospinObservablesDestroy(CospinObservables *observables);

/* Not collective. What a task must have of a state for the observables of the deck. */
CospinNeeds CospinObservablesNeed(CospinDeck deck);

/* Not collective. functionals[num_functionals] of an observable from expectations[num_expectations] and the
   density (NULL: those that need it are NaN). */
PetscErrorCode CospinObservableFunctionals(const CospinObservable *observable,
                                           const double complex expectations[], CospinDensity density,
                                           double functionals[]);
/* Not collective. Value of observable k, given those of its expectations and functionals in the order of its
   text; NaN where the expression has none (0/0). */
PetscErrorCode CospinObservableEvaluateWith(CospinObservables observables, int k,
                                            const double complex expectations[], const double functionals[],
                                            double complex *value);
/* The same without a state: functionals that need one are NaN. */
PetscErrorCode CospinObservableEvaluate(CospinObservables observables, int k,
                                        const double complex expectations[], double complex *value);

/* Weight with which the element `label` enters Tr(A rho), for `a_rho` = rho -> A rho. */
double complex CospinExpectationWeight(CospinMoves a_rho, const int label[]);
