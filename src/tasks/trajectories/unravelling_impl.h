/* What the files of an unravelling share: what is made once, and the trajectory at work. */
#pragma once
#include "level.h"
#include <cospin/point/evolution.h>
#include <cospin/problem/clock.h>
#include <cospin/solver/ket_timed.h>

enum { MOST_LEVELS = 24 };

struct CospinUnravelling_ {
  CospinPoint point;
  CospinUnravellingSettings settings;
  CospinKetPropagator propagator;
  CospinEvolution evolution; /* of which the schedule is wanted: NULL where nothing depends on time */
  CospinKetTimed timed;      /* likewise */
  double *coefficients;
  int num_levels, num_expectations, num_cutoffs;
  CospinKetLevel levels[MOST_LEVELS];
  /* the trajectory at work */
  CospinTrajectory *trajectory;
  CospinKetLevel *level;
  CospinKetBlock block;
  CospinKetProgress progress;
  int kicked, number, jumps, clicks;
  uint64_t draws;
  PetscBool leaked;
  int capacity;                      /* of kets */
  double complex *ket, *next, *read; /* [capacity] */
  double complex *shift;             /* [num_jumps] b of each jump */
};

/* A CospinKetVisit: of a ket on its way. */
PetscErrorCode CospinUnravellingVisit(void *context, int k, const double complex ket[], double norm2);
