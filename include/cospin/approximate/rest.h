/* Where a deck's mean-field equations come to rest, as a place among the labels. */
#pragma once
#include <cospin/point/point.h>

/*
   Collective on the point. A stable product state: one spin-1/2 of every ensemble, modes in coherent states.

   means[k], k < num_coordinates: mean of label k, ket and bra alike (excitations; of an irrep N/2 - j).
   phases[k]: where k is a ket label, arg <A> of the component's lowering operator (rad), else 0. *found
   false: there is no mean field of this deck, no stable point was found in the time that it is worth, or the
   run is to end; means and phases are then undefined.
*/
PetscErrorCode CospinMeanRest(CospinPoint point, double means[], double phases[], PetscBool *found);
