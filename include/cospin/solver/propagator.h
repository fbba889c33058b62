/*
   Time evolution on one sector: u(t) = exp(t L) u(0) at given times, to a given accuracy, for short and for
   long times, slow and stiff generators.
*/
#pragma once
#include <petscmat.h>

typedef enum {
  COSPIN_PROPAGATE_AUTO,    /* whichever of the two is expected to be cheaper */
  COSPIN_PROPAGATE_KRYLOV,  /* products with L only */
  COSPIN_PROPAGATE_RATIONAL /* solves with 1 - gamma L, factorised */
} CospinPropagatorMethod;

/* What has been done, and where the evolution stands between two steps: with u, all that is needed to go on.
 */
typedef struct {
  CospinPropagatorMethod method; /* the one that was taken */
  int steps;                     /* Krylov spaces that were used */
  int operations;                /* products or solves */
  int factorisations;
  PetscBool failed;      /* the times behind the last one visited could not be reached */
  PetscBool interrupted; /* a pause was asked for: u is at `time` */
  int visited;           /* times that have been */
  double time, error, step, gamma;
} CospinPropagatorReport;

/*
   Collective; the context is that of the visits. Asked before every operation (`between` false), where *leave
   gives up the step at work, and between steps, where u and report may be saved.
*/
typedef PetscErrorCode (*CospinPropagatorPause)(void *context, PetscBool between, Vec u,
                                                const CospinPropagatorReport *report, PetscBool *leave);

typedef struct {
  CospinPropagatorMethod method;
  int mesh_dimension;          /* of the lattice of labels, for the cost of a factorisation */
  double bytes;                /* memory that there is for one, as CospinProblem has it */
  double tolerance;            /* wanted: error relative to |u(t)|, 2-norms, at all times */
  CospinPropagatorPause pause; /* NULL: it is never left */
} CospinPropagatorOptions;

/* Receives u at times[k]; `error`: estimate of its relative error. `u` is borrowed for the time of the call.
 */
typedef PetscErrorCode (*CospinPropagatorVisit)(void *context, int k, Vec u, double error);

/*
   Collective. times[num]: ascending, >= 0. `u` holds u(0) on entry and is overwritten. Options of the linear
   solver (rational only) start with `prefix`. *report: zeros; or, with u, what
   a call with the same arguments that was left has made of it: the evolution goes on then by the same steps.
*/
PetscErrorCode CospinPropagate(Mat liouvillian, Vec u, int num, const double times[],
                               const CospinPropagatorOptions *options, const char prefix[],
                               CospinPropagatorVisit visit, void *context, CospinPropagatorReport *report);
