/*
   What a grid point will cost, before anything is solved: dimensions of the sectors, memory and time of their
   factorisations (cospin/cost.h). Rough, a factor of two.
*/
#pragma once
#include <cospin/problem.h>

typedef struct {
  PetscInt64 dimension, nonzeros; /* of the largest sector; nonzeros: at most */
  int num_sectors;
  double factor_bytes, matrix_bytes; /* of the largest sector, all ranks together */
  double seconds;                    /* all sectors, on one rank */
} CospinTaskEstimate;

typedef struct {
  PetscInt64 point;
  double bytes, seconds; /* peak over tasks, sum over tasks; one rank */
  PetscInt64 dimension;  /* largest */
} CospinPointEstimate;

/* Not collective. Cost of one task at one point. */
PetscErrorCode CospinEstimateTask(CospinProblem problem, const CospinRecord *task,
                                  CospinTaskEstimate *estimate);
/* Not collective. Cost of one point. */
PetscErrorCode CospinEstimatePoint(CospinDeck deck, PetscInt64 point, CospinPointEstimate *estimate);
/* Not collective. Sampled over the grid: the most expensive point seen, and the seconds of all points
 * together. */
PetscErrorCode CospinEstimateGrid(CospinDeck deck, CospinPointEstimate *worst, double *total_seconds);

typedef struct {
  int groups; /* of sizes that differ by at most one */
  int ranks;  /* all groups together; further ranks idle */
} CospinSplit;

/* Not collective. How to share `ranks` out: a rank a point while points are plenty and fit into memory;
   several ranks where a point needs more memory or there are fewer points than ranks, but never more than its
   dimension feeds. */
CospinSplit CospinEstimateSplit(const CospinPointEstimate *worst, PetscInt64 num_points, int ranks,
                                double bytes_per_rank);
