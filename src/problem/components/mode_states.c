/*
   States of a mode; those with infinitely many levels are cut at the cutoff and normalised.

   What the cut takes away is told by the leak (open windows) or by the population at the edge (a cutoff of
   the deck), not here.
*/
#include "amplitudes.h"
#include "ladder.h"
#include "states.h"

COSPIN_AMPLITUDES_PREPARE(Prepare_Ground, CospinLadderLevels, CospinAmplitudesSetGround)
COSPIN_AMPLITUDES_PREPARE(Prepare_Fock, CospinLadderLevels, CospinAmplitudesSetFock)
COSPIN_AMPLITUDES_PREPARE(Prepare_Coherent, CospinLadderLevels, CospinAmplitudesSetCoherent)
COSPIN_AMPLITUDES_PREPARE(Prepare_Cat, CospinLadderLevels, CospinAmplitudesSetCoherentCat)
COSPIN_AMPLITUDES_PREPARE(Prepare_Thermal, CospinLadderLevels, CospinAmplitudesSetThermal)

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  (void)component;
  return CospinAmplitudesElement((const CospinAmplitudes *)data, 0, label[0], label[1]);
}

const CospinStateName CospinModeStates[] = {
    {"ground", 0, "", "vacuum", Prepare_Ground, Element, CospinAmplitudesFree},
    {"fock", 1, "n", "n quanta", Prepare_Fock, Element, CospinAmplitudesFree},
    {"coherent", 1, "alpha", "coherent state", Prepare_Coherent, Element, CospinAmplitudesFree},
    {"cat", 2, "alpha, sign", "|alpha> + sign |-alpha>, normalised: even for +1, odd for -1", Prepare_Cat,
     Element, CospinAmplitudesFree},
    {"thermal", 1, "nbar", "thermal mixture with nbar quanta", Prepare_Thermal, Element,
     CospinAmplitudesFree},
    {.name = NULL},
};
