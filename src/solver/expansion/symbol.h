/*
   A list of moves as functions of labels that are real numbers.

   Every pair of coordinates of ket and bra, n and n', is a population nu = (n + n')/2 and a coherence
   d = n - n'; an irrep is a population. Of the coherences of a sector only some are free (`num_free`): the
   others follow from them by the charges that the moves conserve. The labels of a sector are then
   y = (d, p), d[num_free], p[num_populations].

   A move is |y> -> sum over terms of coefficient * factors / divisors |y + shift>, all of them linear in y.
*/
#pragma once
#include <cospin/problem/moves.h>

enum { COSPIN_MAX_FREE = 4, COSPIN_MAX_POPULATIONS = 10, COSPIN_MAX_SYMBOL_FACTORS = 16 };

/* constant + d . coherence + p . population */
typedef struct {
  double constant, d[COSPIN_MAX_FREE], p[COSPIN_MAX_POPULATIONS];
  PetscBool edge; /* labels at which it is negative do not exist */
} CospinAffine;

typedef struct {
  double complex coefficient;
  int num_factors, num_divisors;
  CospinAffine *factors, *divisors; /* divisors do not depend on coherences */
} CospinSymbolTerm;

typedef struct {
  double d[COSPIN_MAX_FREE], p[COSPIN_MAX_POPULATIONS]; /* shift; d: whole numbers */
  int num_terms;
  CospinSymbolTerm *terms;
} CospinSymbolMove;

/* How labels are made of populations and coherences. */
typedef struct {
  const CospinSystem *system; /* borrowed */
  int num_populations, num_coherences, num_free;
  int population[COSPIN_MAX_POPULATIONS];                 /* coordinate of the irrep, or of the ket */
  int bra[COSPIN_MAX_POPULATIONS];                        /* that of the bra; -1: an irrep */
  int coherence[COSPIN_MAX_POPULATIONS];                  /* which coherence belongs to it; -1: none */
  int free[COSPIN_MAX_FREE];                              /* coherences that are free */
  double follow[COSPIN_MAX_FREE][COSPIN_MAX_POPULATIONS]; /* coherence c = offset + sum_k follow[k][c] d_k */
} CospinSymbolLabels;

typedef struct CospinSymbol_ {
  CospinSymbolLabels labels;
  double offset[COSPIN_MAX_POPULATIONS]; /* of coherences, where the free ones are zero: the sector from which
                                            moves lead */
  int count;
  CospinSymbolMove *moves;
} * CospinSymbol;

/* Not collective. How the labels of a generator are made; *why (constant text): it cannot be done, NULL: it
   can. */
PetscErrorCode CospinSymbolLabelsMake(CospinMoves generator, CospinSymbolLabels *labels, const char **why);

/* Not collective. The moves from the sector of the label `from` to that of `to`. Moves that lead elsewhere
   are left out; *whole: there were none. */
PetscErrorCode CospinSymbolCreate(const CospinSymbolLabels *labels, CospinMoves moves, const int from[],
                                  const int to[], CospinSymbol *symbol, PetscBool *whole);
PetscErrorCode CospinSymbolDestroy(CospinSymbol *symbol);
/* Whether its sector differs from that with a trace by no charge that a real number would show. */
PetscBool CospinSymbolIsNeutral(CospinSymbol symbol);

/* H(y, theta) = sum over moves of amplitude(y) exp(-i theta.shift), and its moments (NULL: not wanted)
   drift[num_free + num_populations] = sum shift amplitude, diffusion[..][..] = sum shift shift^T amplitude.
 */
void CospinSymbolEvaluate(CospinSymbol symbol, const double d[], const double p[],
                          const double complex theta[], double complex *h, double complex drift[],
                          double complex diffusion[]);

/* d ln g/d d_k of the free coherences at d = 0 (CospinComponentKind.GaugeSlope). */
void CospinSymbolGauge(const CospinSymbolLabels *labels, const double p[], double slope[]);
