/*
   What a grid point will cost, before anything is solved or enumerated: dimensions of the sectors
   (cospin/problem/census.h), memory and time of their factorisations (cospin/operator/cost.h). Rough, a
   factor of two.
*/
#pragma once
#include <cospin/problem/problem.h>

typedef struct {
  double dimension, nonzeros;        /* of the largest sector; nonzeros: at most */
  int num_sectors;                   /* more than COSPIN_MAX_SECTORS: too many to be solved */
  double factor_bytes, matrix_bytes; /* of the largest sector, all ranks together */
  double wanted_bytes;               /* memory with which factors are still made; 0: none are */
  double sector_bytes;               /* and those that every rank takes */
  double seconds;                    /* all sectors, on one rank */
} CospinTaskEstimate;

typedef struct {
  PetscInt64 point;
  double bytes, seconds; /* sums over tasks; one rank */
  double wanted_bytes;   /* largest */
  double dimension;      /* largest */
} CospinPointEstimate;

/* Not collective. Cost of one task at one point. Of more than some thousand sectors only so many are looked
   at. */
PetscErrorCode CospinEstimateTask(CospinProblem problem, const CospinRecord *task,
                                  CospinTaskEstimate *estimate);
/* Why `ranks` with `bytes` of memory together cannot do it, a clause: "needs about 3 GB, ..."; "": they can.
 */
void CospinEstimateLimit(const CospinTaskEstimate *estimate, int ranks, double bytes, char why[],
                         size_t why_size);
/* Not collective. Cost of one point for ranks that have `bytes` of memory together. */
PetscErrorCode CospinEstimatePoint(CospinDeck deck, double bytes, PetscInt64 point,
                                   CospinPointEstimate *estimate);
/* Not collective. Sampled over the grid: the most expensive point seen, and the seconds of all points
 * together. */
PetscErrorCode CospinEstimateGrid(CospinDeck deck, double bytes, CospinPointEstimate *worst,
                                  double *total_seconds);

/* Not collective. Of `most` ranks those that a point can keep busy. */
int CospinEstimateFed(const CospinPointEstimate *point, int most);
/* Not collective. Seconds on `ranks` of what takes `seconds` on one: a share of it is not divided. */
double CospinEstimateOnRanks(double seconds, int ranks);

typedef struct {
  int groups; /* of sizes that differ by at most one */
  int ranks;  /* all groups together; further ranks idle */
} CospinSplit;

/* Not collective. How to share `ranks` out: a rank a point while points are plenty and fit into memory;
   several ranks where a point needs more memory (or wants it, to be solved as estimated) or there are fewer
   points than ranks, but never more than its dimension feeds. */
CospinSplit CospinEstimateSplit(const CospinPointEstimate *worst, PetscInt64 num_points, int ranks,
                                double bytes_per_rank);
