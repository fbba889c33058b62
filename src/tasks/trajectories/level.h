/* The problem in windows of one size, as kets see it. */
#pragma once
#include "unravelling.h"

typedef struct {
  CospinProblem problem; /* borrowed from the point on the first level */
  PetscBool owned;
  CospinObservables observables; /* likewise */
  int num_expectations;
  CospinMoves *reads;          /* [num_expectations] borrowed from the observables */
  CospinState initial, target; /* target NULL: no fidelity */
  CospinKets kets;
  CospinKetState start, goal; /* goal NULL: no fidelity */
  CospinKetSpace space;
  double complex *goal_ket; /* in the block that was asked for last */
  CospinKetBlock goal_block;
  PetscBool open; /* some window can grow */
} CospinKetLevel;

/* Not collective. The point's problem (larger NULL), or another one, which is taken. */
PetscErrorCode CospinKetLevelCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                    CospinProblem larger, CospinKetLevel *level);
PetscErrorCode CospinKetLevelDestroy(CospinKetLevel *level);
/* Frees blocks if they have become too many; *block is found again. */
PetscErrorCode CospinKetLevelTrim(CospinKetLevel *level, CospinKetBlock *block);
/* Population of the highest levels of open windows, the largest. */
double CospinKetLevelLeak(const CospinKetLevel *level, CospinKetBlock block, const double complex ket[]);
/* values[] of a ket of |ket|^2 = norm2; work[dimension]. */
PetscErrorCode CospinKetLevelRead(CospinKetLevel *level, CospinKetBlock block, const double complex ket[],
                                  double norm2, double complex work[], double complex values[]);
