/* What tasks of a periodic generator share: the key `period`, the map of one period on a sector with its
   fixed points, and windows that grow until nothing changes. */
#pragma once
#include <cospin/point/evolution.h>
#include <cospin/point/window.h>
#include <cospin/solver/period.h>

/* Multipliers of a fixed point are 1 to this many tolerances of the task; others that are nearer are not told
   from it. */
#define COSPIN_PERIODIC_ZERO 10.0

typedef struct {
  double period, tolerance;
  double zero; /* |mu - 1| below this counts as a fixed point */
  CospinSector sector;
  CospinEvolution clock; /* holds the schedule of one period */
  CospinPeriod map;
  int num_fixed;
  Vec *fixed;          /* [num_fixed] of norm 1 */
  double residual;     /* |M x - x| / |x|, the largest of them */
  double complex next; /* multiplier nearest to one beside these; NaN: there is none */
  CospinOutcome outcome;
} CospinPeriodic;

/* Not collective. Faults of the keys `period` and `tolerance`: no `t` in the generator, one that is not the
   same after a period, kicks. */
PetscErrorCode CospinPeriodicCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok);
/* Not collective. `keys` (NULL at the end) that a task has without a period only: each that is given is a
   fault. */
PetscErrorCode CospinPeriodicRefuse(CospinProblem problem, const CospinRecord *task, const char *const keys[],
                                    CospinFaults faults, PetscBool *ok);

/* Collective. The map on the sector of a label; an empty sector has no map. To be closed in any case. */
PetscErrorCode CospinPeriodicOpen(CospinPoint point, CospinProblem problem, const CospinRecord *task,
                                  const int representative[], CospinPeriodic *periodic);
PetscErrorCode CospinPeriodicClose(CospinPeriodic *periodic);
/* Collective. All fixed points, and what is next to them. */
PetscErrorCode CospinPeriodicFix(CospinPeriodic *periodic);
/* Lambda = log(mu)/T, as of a generator that does not change: -Re is the rate, -Im the frequency (up to pi/T,
   modulo 2 pi/T). */
double complex CospinPeriodicExponent(double complex mu, double period);

/* Solves a problem; *values[*num], to be freed, are what has to be the same in larger windows. */
typedef PetscErrorCode (*CospinPeriodicSolve)(void *context, CospinProblem problem, int *num,
                                              double complex **values, CospinOutcome *outcome);
/* Collective. In the point's windows and, where they are open, in larger ones until values change by less
   than ten tolerances (relative where they are larger than 1). *leak: the last change. The problem of the
   last solution is owned by this function and valid until CospinPeriodicSettled is called. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  double tolerance;
  CospinPeriodicSolve Solve;
  void *context;
  CospinProblem problem; /* at work */
  int num;
  double complex *values, *before; /* before: in smaller windows; NULL: there were none */
} CospinPeriodicWindows;
PetscErrorCode CospinPeriodicSettle(CospinPeriodicWindows *windows, double *leak, CospinOutcome *outcome);
PetscErrorCode CospinPeriodicSettled(CospinPeriodicWindows *windows);
