/*
   What `spin` and `mode` have in common: levels n = 0 ... levels - 1 on the ket and on the bra, and
   elementary operators that move n by a fixed number. An elementary operator that would leave the levels
   gives zero: the operators are matrices of the space that is there.
*/
#pragma once
#include <cospin/problem/component.h>

typedef struct {
  int up;                                        /* what the elementary operator adds to n */
  double (*Amplitude)(double n, double highest); /* from level n; `highest`: the last level */
  /* The amplitude on ket and bra as a CospinRational: constant + share*highest + slope*n; slope 0: 1. */
  struct {
    double constant, share, slope;
    PetscBool edge;
  } rational[2];
  PetscBool irrational; /* it has none */
} CospinLadderElementary;

/* Sets component->data and ->num_coordinates. operators[num_operators] is borrowed. */
PetscErrorCode CospinLadderCreate(CospinComponent component, int levels, int num_operators,
                                  const CospinLadderElementary operators[]);
int CospinLadderLevels(CospinComponent component);
/* The number of levels was left open: a Window function of a kind tells it then, and 0 otherwise. */
void CospinLadderSetOpen(CospinComponent component);
int CospinLadderWindow(CospinComponent component);
/* What its highest levels may hold where the number of levels is the deck's: an Edge function of a kind. */
void CospinLadderSetEdge(CospinComponent component, double population);
double CospinLadderEdge(CospinComponent component);

/* The members of a CospinComponentKind; coordinates (n, n'). */
extern const CospinRole CospinLadderRoles[];
PetscErrorCode CospinLadderDestroy(CospinComponent component);
void CospinLadderRange(CospinComponent component, int i, const int label[], int *lo, int *hi);
void CospinLadderDiagonal(CospinComponent component, int label[], int *num, const int **generators);
double CospinLadderTrace(CospinComponent component, const int label[]);
int CospinLadderElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side);
void CospinLadderShift(CospinComponent component, int step, int shift[]);
double CospinLadderApply(CospinComponent component, int step, int label[]);
PetscBool CospinLadderActsOn(CospinComponent component, int step, CospinSide side);
PetscBool CospinLadderRational(CospinComponent component, int step, CospinRational *amplitude);

/* The levels as they are stored, first + n: Columns of a kind. */
void CospinLadderGetColumns(double first, const int label[], double values[]);
PetscBool CospinLadderSetColumns(double first, const double values[], int label[]);
/* GetColumns and SetColumns of a kind whose levels are counted from 0; nothing else of it need be a ladder.
 */
void CospinLadderGetNumbers(CospinComponent component, const int label[], double values[]);
PetscBool CospinLadderSetNumbers(CospinComponent component, const double values[], int label[]);

#define COSPIN_LADDER_MEMBERS                                                                                \
  .Destroy = CospinLadderDestroy, .roles = CospinLadderRoles, .Range = CospinLadderRange,                    \
  .Diagonal = CospinLadderDiagonal, .Trace = CospinLadderTrace,                                              \
  .ElementaryStep = CospinLadderElementaryStep, .Shift = CospinLadderShift, .Apply = CospinLadderApply,      \
  .ActsOn = CospinLadderActsOn, .Rational = CospinLadderRational
