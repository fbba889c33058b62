/*
   States of one spin of length S: levels n = S + m.

   A spin has one irrep, so that of {dicke: [j, m]} only j = S is accepted; that it is written at all keeps
   the word the same as of an ensemble.
*/
#include "amplitudes.h"
#include "ladder.h"
#include "states.h"

static void set_dicke(CospinAmplitudes *amplitudes, const double complex j_m[], char why[], size_t why_size)
{
  const int two_s = amplitudes->num - 1;
  int two_j, two_m;

  if (!CospinIsHalfInteger(j_m[0], &two_j) || two_j != two_s) {
    (void)snprintf(why, why_size, "this spin has j = %g, not %g", 0.5 * two_s, creal(j_m[0]));
    return;
  }
  two_m = CospinTwoProjection(j_m[1], two_j, why, why_size);
  if (!why[0]) amplitudes->amplitude[(two_s + two_m) / 2] = 1.0;
}

COSPIN_AMPLITUDES_PREPARE(Prepare_Ground, CospinLadderLevels, CospinAmplitudesSetGround)
COSPIN_AMPLITUDES_PREPARE(Prepare_Excited, CospinLadderLevels, CospinAmplitudesSetTop)
COSPIN_AMPLITUDES_PREPARE(Prepare_Css, CospinLadderLevels, CospinAmplitudesSetCss)
COSPIN_AMPLITUDES_PREPARE(Prepare_Cat, CospinLadderLevels, CospinAmplitudesSetCat)
COSPIN_AMPLITUDES_PREPARE(Prepare_Dicke, CospinLadderLevels, set_dicke)
COSPIN_AMPLITUDES_PREPARE(Prepare_Fock, CospinLadderLevels, CospinAmplitudesSetFock)
COSPIN_AMPLITUDES_PREPARE(Prepare_Coherent, CospinLadderLevels, CospinAmplitudesSetCoherent)

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  (void)component;
  return CospinAmplitudesElement((const CospinAmplitudes *)data, 0, label[0], label[1]);
}

const CospinStateName CospinSpinStates[] = {
    {"ground", 0, "", "m = -S", Prepare_Ground, Element, CospinAmplitudesFree},
    {"excited", 0, "", "m = S", Prepare_Excited, Element, CospinAmplitudesFree},
    {"css", 2, "theta, phi", "2S spins-1/2 in cos(theta/2)|g> + e^{i phi} sin(theta/2)|e>", Prepare_Css,
     Element, CospinAmplitudesFree},
    {"cat", 3, "theta, phi, sign", "|theta, phi> + sign |theta, phi + pi>, normalised", Prepare_Cat, Element,
     CospinAmplitudesFree},
    {"dicke", 2, "j, m", "level m; j is S", Prepare_Dicke, Element, CospinAmplitudesFree},
    {"fock", 1, "n", "level n = S + m", Prepare_Fock, Element, CospinAmplitudesFree},
    {"coherent", 1, "alpha", "coherent state of the Holstein-Primakoff boson, cut at n = 2S, normalised",
     Prepare_Coherent, Element, CospinAmplitudesFree},
    {.name = NULL},
};
