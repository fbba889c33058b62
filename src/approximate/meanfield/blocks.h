/* The right-hand side of mean-field equations as sums of products of cumulants: made in blocks.c, evaluated
   in slopes.c. */
#pragma once
#include "meanfield.h"

enum { COSPIN_MEAN_WIDE = 64 }; /* sites that are worked on together */

typedef struct {
  double re[COSPIN_MEAN_WIDE], im[COSPIN_MEAN_WIDE];
} CospinMeanLane;

/* coefficient * factor[0] * factor[1] ..., places in some list */
typedef struct {
  double coefficient;
  int n, factor[COSPIN_MEAN_MOST_OPERATORS];
} CospinMeanTerm;

typedef struct {
  int count;
  CospinMeanTerm *terms;
} CospinMeanSum;

/* A moment <x> of one site, x a product of operators. */
typedef struct {
  int part;
  CospinMeanPauli x;
} CospinMeanMoment;

/* A joint cumulant as a sum of products of moments, or (mode) alpha or alpha^*. */
typedef struct {
  int part, n;
  CospinMeanOperator operators[COSPIN_MEAN_MOST_OPERATORS];
  CospinMeanSum of_moments;
} CospinMeanBlock;

/* The expectation value of a monomial over all but the site of `part` that asks, as a sum of products of
 * cumulants. */
typedef struct {
  int part, length;
  CospinMeanElementary monomial[COSPIN_MEAN_MOST_OPERATORS];
  CospinMeanSum of_blocks;
  CospinMeanWeights weights;
} CospinMeanExpectationOf;

struct CospinMeanBlocks_ {
  int num_moments, num_blocks, num_expectations;
  CospinMeanMoment *moments;
  CospinMeanBlock *blocks;
  CospinMeanExpectationOf *expectations;
  CospinMeanLane *sites;      /* cumulants of every site: [groups of a part][num_blocks], part after part */
  CospinMeanLane *everywhere; /* [num_blocks] sums over all sites, in every place of a lane */
  CospinMeanLane *others;     /* [num_blocks] */
  const CospinMeanLane **factors; /* [num_blocks + num_moments] */
  double complex *total;          /* [num_blocks] */
};

PetscBool CospinMeanPauliIsZero(const CospinMeanPauli *x);
/* Of sites, as they are worked on together; 0 for a mode. */
int CospinMeanGroups(const CospinMeanPart *part);
