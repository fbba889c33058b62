/*
   The state that a problem with several steady states ends in, selected by where it starts.

   In a sector with null vectors R (right) and Y (left, the conserved quantities) the part rho_0 of the
   initial state goes to R (Y^H R)^-1 Y^H rho_0, and to zero in a sector without. Each sector is solved alone.
*/
#pragma once
#include <cospin/point.h>
#include <cospin/state.h>

/* The part of a state on one sector. */
typedef struct {
  CospinSpectrum spectrum; /* its sector and generator; without factors */
  Vec rho;
  double residual; /* |L rho| / (|L| |rho|) */
} CospinBlock;

/*
   Collective. blocks[*num]: the parts of the state reached on the sectors that the observables and the trace
   read (`whole`: on all sectors), where the initial state has elements; to be freed with CospinBlocksDestroy.
   *outcome is COSPIN_GOOD unless a solver had trouble or left and right null vectors do not match.
*/
PetscErrorCode CospinReachedState(CospinPoint point, CospinState initial, PetscBool whole,
                                  const char prefix[], int *num, CospinBlock **blocks,
                                  CospinOutcome *outcome);
PetscErrorCode CospinBlocksDestroy(int num, CospinBlock **blocks);
