/* Clicks one by one: which are kept, and what the times between them say. */
#pragma once
#include "unravelling.h"
#include <cospin/point/results.h>

typedef struct {
  int room;                  /* clicks that are kept; 0: none */
  int num_counts;            /* numbers of clicks that are told apart, 0, 1, ...; 0: none */
  int num_delays;            /* upper ends of bins, the first of which begins at 0; 0: none */
  const double *delays;      /* [num_delays] ascending, borrowed */
  double from, until, share; /* what counts lies between these times; share: probability of the trajectories
                                that are drawn, those that jump at all */
} CospinRecordsSettings;

typedef struct {
  CospinRecordsSettings settings;
  int num, capacity; /* kept by this rank */
  double *kept;      /* [num][3]: number of the trajectory, time, line of the deck's jumps */
} CospinRecords;

/* Numbers that they add to a block of trajectories. */
size_t CospinRecordsLength(const CospinRecords *records);
PetscErrorCode CospinRecordsDestroy(CospinRecords *records);

/* Not collective. A trajectory, with what it adds to its block; numbers ascend on every rank. */
PetscErrorCode CospinRecordsAdd(CospinRecords *records, int number, const CospinTrajectory *trajectory,
                                double block[]);
/* Collective. All that is kept goes to the first rank. */
PetscErrorCode CospinRecordsGather(MPI_Comm comm, CospinRecords *records);

/* Collective. Saves what has been gathered, or loads it. */
PetscErrorCode CospinRecordsExchange(CospinRecords *records, CospinCheckpoint checkpoint);

/* What blocks say: total[], and blocks[k*stride] of num_blocks, each with what CospinRecordsAdd() put there.
 */
typedef struct {
  const CospinRecords *records;
  const double *total, *blocks;
  size_t stride;
  int num_blocks, block_size, number; /* trajectories of a block (the last has what is left), and in all */
  CospinResults results;
} CospinRecordsReport;

/* Collective: variables of clicks, those kept one by one included. Errors are the jackknife's over blocks,
   with what one more event would change. */
PetscErrorCode CospinRecordsStore(MPI_Comm comm, CospinRecords *records, const CospinRecordsReport *report);
