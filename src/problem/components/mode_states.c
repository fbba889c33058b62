/* States of a mode; those with infinitely many levels are cut at the cutoff and normalised. */
#include "ladder.h"
#include "levels.h"
#include "states.h"

COSPIN_LEVELS_PREPARE(Prepare_Ground, CospinLadderLevels, CospinLevelsSetGround)
COSPIN_LEVELS_PREPARE(Prepare_Fock, CospinLadderLevels, CospinLevelsSetFock)
COSPIN_LEVELS_PREPARE(Prepare_Coherent, CospinLadderLevels, CospinLevelsSetCoherent)
COSPIN_LEVELS_PREPARE(Prepare_Thermal, CospinLadderLevels, CospinLevelsSetThermal)

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  (void)component;
  return CospinLevelsElement((const CospinLevels *)data, 0, label[0], label[1]);
}

const CospinStateName CospinModeStates[] = {
    {"ground", 0, "", "vacuum", Prepare_Ground, Element, CospinLevelsFree},
    {"fock", 1, "n", "n quanta", Prepare_Fock, Element, CospinLevelsFree},
    {"coherent", 1, "alpha", "coherent state", Prepare_Coherent, Element, CospinLevelsFree},
    {"thermal", 1, "nbar", "thermal mixture with nbar quanta", Prepare_Thermal, Element, CospinLevelsFree},
    {.name = NULL},
};
