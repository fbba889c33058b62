/*
   The farm: a grid of points dealt out over groups of ranks, one point at a time to whichever group is free.

   A point that fails leaves its outcome and does not stop the others.
*/
#pragma once
#include <cospin/estimate.h>
#include <cospin/table.h>

typedef enum {
  COSPIN_PROGRESS_AUTO,
  COSPIN_PROGRESS_LINE,
  COSPIN_PROGRESS_LOG,
  COSPIN_PROGRESS_NONE
} CospinProgressMode;

typedef struct {
  CospinSplit split;
  CospinProgressMode progress;
} CospinFarmOptions;

/*
   Collective on world. records: [num_points][record_length] on rank 0, to be freed with PetscFree; NULL
   elsewhere. stored[*num_stored]: the states that points were asked to store, likewise; the caller destroys
   them. Messages of points that broke down and progress go to stderr.
*/
PetscErrorCode CospinFarmRun(MPI_Comm world, CospinDeck deck, CospinTable table,
                             const CospinFarmOptions *options, double **records, int *num_stored,
                             CospinStored **stored);
