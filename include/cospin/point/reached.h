/*
   The state that a problem with several steady states ends in, selected by where it starts.

   In a sector with null vectors R (right) and Y (left, the conserved quantities) the part rho_0 of the
   initial state goes to R (Y^H R)^-1 Y^H rho_0, and to zero in a sector without. Each sector is solved alone.

   What it has of modes on the imaginary axis, L x = -i omega x, never decays: then there is no state that is
   reached, and the projection is the average over long times.
*/
#pragma once
#include <cospin/point/point.h>
#include <cospin/problem/state.h>

/* The part of a state on one sector. */
typedef struct {
  CospinEigensolver eigensolver; /* its sector and generator; without factors */
  Vec rho;
  CospinQuality quality;
} CospinBlock;

typedef struct {
  int num;
  CospinBlock *blocks; /* [num] */
  double frequency;    /* omega >= 0 of the lasting oscillation with the largest amplitude; NaN: it settles */
  double leak;         /* of the parts and of the initial state, in open windows */
  CospinOutcome outcome;
} CospinReached;

/*
   Collective. The parts of the state reached on the sectors that the observables and the trace read (`whole`:
   on all sectors), where the initial state has elements; to be freed with CospinReachedDestroy. All sectors
   where it has some are asked whether it comes to rest there. outcome is COSPIN_GOOD unless a solver had
   trouble or left and right null vectors do not match, or COSPIN_OSCILLATING.
*/
PetscErrorCode CospinReachedState(CospinPoint point, CospinState initial, PetscBool whole,
                                  const char prefix[], CospinReached *reached);
PetscErrorCode CospinReachedDestroy(CospinReached *reached);
