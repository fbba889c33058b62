/*
   States of first order that turn with a frequency of their own: lasers in mean field.
*/
#pragma once
#include "approximate/moments/moments.h"

/* z[num]: a start without a phase, and the state with one that the model's second order leads to, the phase
   of the first mode (class) zero; where there is none, the fixed point that the start leads to. first: of
   order 1, no moment left out. width, frequency: of the line (CospinMomentLine), else NaN. Leave: as of
   CospinHierarchyRest. */
PetscErrorCode CospinCumulantTurning(CospinHierarchy first,
                                     PetscErrorCode (*Leave)(void *context, PetscBool *leave), void *context,
                                     double complex z[], CospinMomentRest *rest, double *width,
                                     double *frequency);
