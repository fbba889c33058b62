/* The search through degrees and precisions, until the error of some numbers is small (degrees.c). */
#pragma once
#include "kernel.h"
#include <cospin/solver/expansion.h>

enum { COSPIN_USUAL_DEGREE = 6 };

struct CospinExpansion_ {
  MPI_Comm comm;
  CospinMoves generator;
  const CospinInterrupt *interrupt;
  CospinSymbolLabels labels;
  CospinCentre centre;
  double tolerance;
};

/* At one of the degrees. */
typedef struct {
  CospinExpansion expansion;
  CospinSymbol symbol, traced; /* traced: of the sector with a trace; NULL if this is it */
  const CospinKernelOps *ops;
  CospinKernel kernel, before; /* of the degree before; NULL: none */
  int degree, num;
  CospinExpanded *best, *last, *values;    /* [num] */
  double (*size_of)(double complex value); /* beside which its error counts */
  double best_error, error_before;
  int worse; /* degrees in a row that were */
} CospinDegrees;

/* Not collective. size_of: of a number, beside which its error counts. `symbol` is borrowed. */
PetscErrorCode CospinDegreesCreate(CospinExpansion expansion, CospinSymbol symbol, int num,
                                   double (*size_of)(double complex), CospinDegrees *search);
PetscErrorCode CospinDegreesDestroy(CospinDegrees *search);

/* Collective. The kernel of the next degree, in more precision if the last matrix has lost too much beside
   `scale`. *done: there is none. */
PetscErrorCode CospinDegreesNext(CospinDegrees *search, double scale, PetscBool *done);
/* Keeps search->values, those of this degree, if they are the best; found: they are there. *done: no other
   will be better by much. */
void CospinDegreesJudge(CospinDegrees *search, PetscBool found, PetscBool *done);
/* Collective. Makes what every rank has found the first rank's. */
PetscErrorCode CospinDegreesAgree(MPI_Comm comm, double complex *value, PetscBool *ok);

/* How many functions there are. */
double CospinDegreesFunctions(int dimensions, int degree);
/* Seconds of a matrix in double precision, on one rank. */
double CospinDegreesSeconds(int dimensions, int moves, int degree);
