/* One trajectory: quantum jumps of one ket, and what is read on the way. */
#pragma once
#include <cospin/point/settings.h>
#include <cospin/point/window.h>
#include <cospin/solver/ket_propagator.h>

#define COSPIN_EVERY_JUMP "all"

typedef struct {
  int num_times;
  const double *times; /* [num_times], borrowed */
  double tolerance;
  uint64_t seed;
  PetscBool shifted;
  const char *click; /* name of the jumps that are counted, COSPIN_EVERY_JUMP: all; NULL: none */
  /* Shown every ket at times[k], `jumped` or not; NULL: none. It need not be normalised. */
  PetscErrorCode (*Show)(void *context, int k, CospinKetBlock block, const double complex ket[], double norm2,
                         PetscBool jumped);
  void *context;
  PetscBool record;                      /* each click of them is kept for who asks after the trajectory */
  const CospinSetting *initial, *target; /* of the deck; target NULL: no fidelity */
} CospinUnravellingSettings;

/* A jump that was counted. */
typedef struct {
  double time;
  int line; /* of the deck's jumps */
} CospinClick;

/* What a trajectory has left; arrays over times and lines of the deck's jumps. */
typedef struct {
  int num_values;         /* expectation values of all observables, the fidelity, populations at cutoffs */
  double complex *values; /* [num_times][num_values] */
  double *norm2;          /* [num_times] before the first jump; then of a ket that has been normalised */
  int *jumps, *clicks;    /* [num_times] so far */
  double click_time;      /* sum of the times of clicks */
  int num_records, room;  /* of records, 0 unless they are wanted */
  CospinClick *records;   /* [num_records] in the order of time */
  int *fired;             /* [num_lines] jumps of a line */
  double *expected;       /* [num_lines] sum over jumps of the probability that it was this line's */
  double error, products;
  int dimension;   /* of the largest block */
  PetscBool large; /* windows would have to be larger than they may be */
} CospinTrajectory;

typedef struct CospinUnravelling_ *CospinUnravelling;

/* Not collective. The settings' arrays are borrowed, and `point`. */
PetscErrorCode CospinUnravellingCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                       CospinUnravelling *unravelling);
PetscErrorCode CospinUnravellingDestroy(CospinUnravelling *unravelling);
/* How many of the values are expectation values, and populations at cutoffs; the fidelity stands between. */
void CospinUnravellingCounts(CospinUnravelling unravelling, int *num_expectations, int *num_cutoffs);
/* The largest population that cutoff k accepts. */
double CospinUnravellingAccepted(CospinUnravelling unravelling, int k);
/* Whether kets are drawn from a mixture at time 0; and whether there is any jump. */
PetscBool CospinUnravellingIsMixed(CospinUnravelling unravelling);
PetscBool CospinUnravellingJumps(CospinUnravelling unravelling);
/* Kets of the block that a trajectory begins in, a norm of what acts on them, the number of its elements, and
   the largest rate of jumps anywhere. */
PetscErrorCode CospinUnravellingSize(CospinUnravelling unravelling, double *dimension, double *norm,
                                     double *elements, double *fastest);

/* Not collective. Trajectory `number`; it depends on the seed, its number and `least` only, not on others.
   Its first jump is where |ket|^2 has fallen to a number drawn from (least, 1). number -1: that without a
   jump. */
PetscErrorCode CospinUnravellingRun(CospinUnravelling unravelling, int number, double least,
                                    CospinTrajectory *trajectory);
PetscErrorCode CospinTrajectoryCreate(CospinUnravelling unravelling, CospinTrajectory *trajectory);
PetscErrorCode CospinTrajectoryDestroy(CospinTrajectory *trajectory);
