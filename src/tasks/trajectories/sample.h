/* Many trajectories, dealt out to ranks in blocks, and what their sums say. */
#pragma once
#include "average.h"
#include "records.h"

/* What is told of a time: observable k, or one of these. */
enum {
  COSPIN_SAMPLE_FIDELITY = -1,
  COSPIN_SAMPLE_CLICKS = -2,
  COSPIN_SAMPLE_FANO = -3,
  COSPIN_SAMPLE_CUTOFF = -4
};

/* Rows of a steady sample: the window that is averaged, and its halves. */
enum { COSPIN_WINDOW_ALL, COSPIN_WINDOW_FIRST, COSPIN_WINDOW_SECOND, COSPIN_NUM_WINDOWS };
/* Numbers that stand before a sample in a checkpoint, for who runs it. */
enum { COSPIN_SAMPLE_HEAD = 2 };

/* The largest of all trajectories: bound of a ket's error, its numbers, whether windows were too small. */
enum { COSPIN_WORST_ERROR, COSPIN_WORST_DIMENSION, COSPIN_WORST_LARGE, COSPIN_NUM_WORST };

typedef struct {
  CospinPoint point; /* borrowed */
  CospinUnravelling unravelling;
  PetscBool steady;        /* times are samples of windows, not results */
  int num_times, num_rows; /* rows: of results, COSPIN_NUM_WINDOWS if steady */
  int num_values, num_expectations, num_cutoffs, num_lines;
  PetscBool mixed;       /* kets of time 0 are drawn, or the one without a jump is like others */
  CospinAverage average; /* NULL: it is not wanted */
  PetscBool recorded;
  CospinRecords records;
  double head[COSPIN_SAMPLE_HEAD];
  CospinTrajectory no_jump;         /* exact; of a mixed state not there: norm2 is 0 */
  double least;                     /* its norm2 at the last time */
  int number;                       /* of trajectories that are wanted */
  PetscBool shared;                 /* sums are those of all ranks */
  int block_size, num_blocks, done; /* blocks that have been summed, on whatever rank */
  size_t length;                    /* numbers of a block */
  double *sums; /* [room for blocks][length]; before CospinSampleReduce those of this rank, others 0 */
  double worst[COSPIN_NUM_WORST]; /* of this rank */
  double *total;                  /* [length] of all blocks; of CospinSampleReduce */
} CospinSample;

/* Not collective. `settings` are borrowed; `records` (NULL: none) is copied but for its delays. steady: the
   times are even samples of (0, T]; of their last three quarters averages are made. most: 0, or the averaged
   state is collected, of so many trajectories at most. */
PetscErrorCode CospinSampleCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                  const CospinRecordsSettings *records, PetscBool steady, double most,
                                  CospinSample *sample);
PetscErrorCode CospinSampleDestroy(CospinSample *sample);

/* Collective. Trajectories up to `number`, in at most 512 blocks: blocks that are there are joined in pairs
   when there are twice as many. *leave: the run is to end, and what there is has been saved. */
PetscErrorCode CospinSampleExtend(CospinSample *sample, int number, PetscBool *leave);
/* Collective. Goes on from where a run was left; before CospinSampleExtend() of the same number. */
PetscErrorCode CospinSampleLoad(CospinSample *sample, CospinCheckpoint checkpoint);
/* Collective. Sums of all ranks, the same on each. */
PetscErrorCode CospinSampleReduce(CospinSample *sample);

/* Not collective, after CospinSampleReduce. Value at time (steady: of window) k with its error for each part,
   and the largest change when one block is left out; `cutoff` counts those of COSPIN_SAMPLE_CUTOFF. Error
   NaN: too few trajectories have jumped by then for one to be known. */
PetscErrorCode CospinSampleValue(CospinSample *sample, int k, int what, int cutoff, double complex *value,
                                 double error[2], double change[2]);
/* Expectation values of all observables in a row, means[num_expectations]. */
void CospinSampleMeans(const CospinSample *sample, int k, double complex means[]);
/* Observable `what` with functionals that are known, and its error from its expectation values alone. */
PetscErrorCode CospinSampleValueWith(CospinSample *sample, int k, int what, const double functionals[],
                                     double complex *value, double error[2]);

/* Whether a steady sample is long enough. */
typedef struct {
  double drift; /* of any observable between the halves, the largest, in standard errors; 0: none has any */
  double independent; /* samples that would tell as much if they were independent, the fewest of any
                         expectation value; infinite: nothing fluctuates */
} CospinSampleSteadiness;
PetscErrorCode CospinSampleSteady(CospinSample *sample, CospinSampleSteadiness *steadiness);

/* Trajectories that the mean at time k is made of, and those that have jumped by then; whether these are so
   few that errors are not known. */
double CospinSampleCount(const CospinSample *sample, int k);
double CospinSampleJumped(const CospinSample *sample, int k);
PetscBool CospinSampleIsRare(const CospinSample *sample, int k);
/* Not collective, after CospinSampleReduce. The time of a trajectory's clicks is their mean; these are its
   mean and standard deviation over the trajectories that have any, NaN if those are too few. */
void CospinSampleClickTimes(const CospinSample *sample, double value[2], double error[2]);
/* Over the deck's lines that are expected to jump at all, the fewest trajectories in which one did; infinite:
   there is none. */
double CospinSampleRarest(const CospinSample *sample);
/* Mean over trajectories. */
double CospinSampleMeanJumps(const CospinSample *sample);
double CospinSampleMeanProducts(const CospinSample *sample);
int CospinSampleNumber(const CospinSample *sample);

/* The fewest trajectories that must have jumped. */
enum { COSPIN_SAMPLE_FEWEST = 20 };
