/* What a run of task `langevin` samples, and what is made of it. */
#pragma once
#include "langevin.h"
#include <cospin/point/tail.h>

/* The numbers of the keys, with what stands for those that are left out. */
typedef struct {
  double trajectories, seed, dt, from, until, tolerance;
} CospinLangevinSettings;

/* ---- Averages ------------------------------------------------------------------------------------------ */

/* What a run needs, and what it has found so far. */
typedef struct {
  CospinPoint point;
  CospinResults results;
  CospinLangevinSettings settings;
  CospinLangevin equations;
  CospinTrajectories trajectories;
  CospinMoments *moments; /* [sample.num] of all expectation values, one observable after the other */
  CospinSample sample;
  int num_blocks;
  double num_samples;    /* that are summed in it */
  double complex *early; /* sample.sums of the first half of a steady state's average */
  double step, steps, change, drift;
  CospinTailKeys tail;
  int num_times;
  double *tail_values,
      *tail_errors; /* [1 + num_blocks][num_times], [num_times] of a CospinTail; if it is asked for */
  double complex *means, *values; /* [sample.num], [num_blocks] scratch */
  PetscBool ok, leave;
} CospinLangevinRun;

/* Not collective. Nothing has been sampled. */
PetscErrorCode CospinLangevinClearSample(CospinLangevinRun *run);
/* Collective. The observables from what has been sampled, with errors, at place `index` of the task's times.
 */
PetscErrorCode CospinLangevinStoreSample(CospinLangevinRun *run, int index);
/* Collective. After CospinLangevinStoreSample(), from what was sampled in the first half, which is in
 * early[]. */
PetscErrorCode CospinLangevinStoreDrift(CospinLangevinRun *run);
