/*
   The map of one period of du/dt = L(t) u: x -> M x = u(T) for u(0) = x, its multipliers mu (M x = mu x) and
   its fixed points.
*/
#pragma once
#include <cospin/operator/timed.h>
#include <cospin/solver/interrupt.h>
#include <cospin/solver/schedule.h>

typedef struct {
  Mat generator;                  /* of CospinTimedCreate; its coefficients are set here */
  const CospinSchedule *schedule; /* up to the period, at least */
  double period, tolerance;       /* wanted of M x, relative, 2-norms */
  const char *prefix;             /* of PETSc options */
  const CospinInterrupt *interrupt;
  int maps, products, steps; /* that have been done */
  PetscBool failed;          /* one of them: what was found is worth nothing */
} CospinPeriod;

typedef struct {
  double complex mu;
  Vec x;           /* of norm 1, owned by the caller; NULL: nothing was found */
  double residual; /* |M x - mu x| / |x|, recomputed */
} CospinMultiplier;

typedef enum {
  COSPIN_MULTIPLIER_NEAR_ONE, /* those nearest to one, where fixed points are */
  COSPIN_MULTIPLIER_SLOWEST   /* those of the largest modulus */
} CospinMultiplierOrder;

/* Receives u at times[k]; borrowed for the time of the call. */
typedef PetscErrorCode (*CospinPeriodVisit)(void *context, int k, Vec u);
/* Collective. u(0) becomes u(T), by way of times[num], ascending, within (0, T). By products; where the
   period has failed, u is worth nothing. */
PetscErrorCode CospinPeriodFollow(CospinPeriod *period, Vec u, int num, const double times[],
                                  CospinPeriodVisit visit, void *context);

/* Collective. y = M x; x and y are not the same vector. */
PetscErrorCode CospinPeriodApply(CospinPeriod *period, Vec x, Vec y);

/*
   Collective. The first `wanted` multipliers in this order beside those of the fixed points known[num_known]
   (each |M x - x| small; they need not be orthogonal), with right eigenvectors, by a Krylov space of maps.
   found[wanted]; *num: how many have converged to `tolerance`. A multiplier that occurs several times is
   found as often as there are fixed points if each that is found is known the next time.
*/
PetscErrorCode CospinPeriodSearch(CospinPeriod *period, CospinMultiplierOrder order, int wanted,
                                  double tolerance, int num_known, Vec known[], int *num,
                                  CospinMultiplier found[]);
