/* The search through degrees and precisions, until the error of some numbers is small (degrees.c). */
#pragma once
#include "kernel.h"
#include <cospin/solver/expansion.h>

enum { COSPIN_USUAL_DEGREE = 6 };

extern const int CospinTracedLabel[COSPIN_MAX_COORDINATES]; /* a label of the sector with a trace */

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
  PetscBool together;                      /* errors count beside the largest number */
  double rounding; /* what rounding has done to the numbers, beside their size; 0: it is in their errors */
  double scale;    /* what rounding of the matrix counts beside: a rate, infinity where none is known yet */
  double best_error, error_before;
  int worse; /* degrees in a row that were */
} CospinDegrees;

/* Collective. Finds the numbers of one degree: search->values (and, where it knows better, search->scale).
 *found: they are there. */
typedef PetscErrorCode (*CospinDegreesFind)(CospinDegrees *search, void *context, PetscBool *found);

/* Not collective. size_of: of a number, beside which its error counts. scale: see there. `symbol` is
 * borrowed. */
PetscErrorCode CospinDegreesCreate(CospinExpansion expansion, CospinSymbol symbol, int num,
                                   double (*size_of)(double complex), double scale, CospinDegrees *search);
PetscErrorCode CospinDegreesDestroy(CospinDegrees *search);

/* Collective. Goes through degrees until no other will be better by much, and keeps the best numbers. An
   error on the way (COSPIN_LEFT) leaves no kernel behind. */
PetscErrorCode CospinDegreesSearch(CospinDegrees *search, CospinDegreesFind find, void *context);
/* values[num]: the best ones; not converged if there are none. */
CospinOutcome CospinDegreesTake(const CospinDegrees *search, CospinExpanded values[]);
/* Collective. The kernel of a degree, in the precision of the search; there must be none. */
PetscErrorCode CospinDegreesAt(CospinDegrees *search, int degree);
/* A size_of. */
double CospinDegreesModulus(double complex value);
/* Collective. values[size - first]: the eigenvalues of the matrix without its first rows and columns, slowest
   first; *ok: LAPACK has found them. */
PetscErrorCode CospinDegreesEigenvalues(const CospinDegrees *search, int first, double complex values[],
                                        PetscBool *ok);
/* Collective. Makes what every rank has found the first rank's. */
PetscErrorCode CospinDegreesAgree(MPI_Comm comm, double complex *value, PetscBool *ok);

/* How many points an integral has that is exact to degree 2 nodes - 1. */
double CospinDegreesPoints(int dimensions, int nodes);
/* How many functions there are. */
double CospinDegreesFunctions(int dimensions, int degree);
/* Seconds of a matrix in double precision, on one rank. */
double CospinDegreesSeconds(int dimensions, int moves, int degree);
