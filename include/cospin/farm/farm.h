/*
   The farm: a grid of points dealt out over groups of ranks, one point at a time to whichever group is free.

   A point that fails leaves its outcome and does not stop the others.
*/
#pragma once
#include <cospin/farm/estimate.h>
#include <cospin/farm/stop.h>
#include <cospin/store/store.h>

typedef enum {
  COSPIN_PROGRESS_AUTO,
  COSPIN_PROGRESS_LINE,
  COSPIN_PROGRESS_LOG,
  COSPIN_PROGRESS_NONE
} CospinProgressMode;

typedef struct {
  CospinSplit split;
  CospinProgressMode progress;
  CospinStop stop;
  double checkpoint; /* seconds after which a long evolution is saved */
} CospinFarmOptions;

/*
   Collective on world. Computes the points that the store misses and puts each into it. Messages of points
   that broke down and progress go to stderr.
*/
PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table, CospinStore store,
                             const CospinFarmOptions *options, PetscBool *stopped);
