/*
   Observables: expressions of expectation values, compiled at one grid point into functionals of the state.
*/
#pragma once
#include <cospin/problem.h>

/* <A> as a superoperator: Tr(A rho) = trace of what rho -> A rho makes. */
typedef struct {
  const CospinDefinition *definition; /* borrowed from the deck */
  PetscBool real;                     /* stored as one variable rather than `_re` and `_im` */
  int num_expectations;
  CospinMoves *expectations;   /* [num_expectations] rho -> A rho; empty if every task is approximate */
  CospinPolynomial *operators; /* [num_expectations] A */
} CospinObservable;

typedef struct CospinObservables_ {
  CospinProblem problem; /* borrowed */
  int count;
  CospinObservable *observables;
} * CospinObservables;

/* Not collective. Faults: an observable that is an operator, operators of one unnamed spin, unknown names. */
PetscErrorCode CospinObservablesCreate(CospinProblem problem, CospinFaults faults,
                                       CospinObservables *observables, PetscBool *ok);
PetscErrorCode CospinObservablesDestroy(CospinObservables *observables);

/* Not collective. Value of observable k, given the values of its expectations in the order of its text; NaN
   where the expression has none (0/0). */
PetscErrorCode CospinObservableEvaluate(CospinObservables observables, int k,
                                        const double complex expectations[], double complex *value);

/* Weight with which the element `label` enters Tr(A rho), for `left` = rho -> A rho. */
double complex CospinExpectationWeight(CospinMoves left, const int label[]);
