/*
   States of an ensemble of N spins. Coherent states, cats and the ground state are symmetric, j = N/2, where
   every irrep has one copy and P(j,m,m') is |m><m'|. {dicke: [j, m]} with j < N/2 is the mixture P(j,m,m) of
   all copies, the only permutation symmetric state with these quantum numbers.
*/
#include "amplitudes.h"
#include "states.h"

static int num_levels(CospinComponent component)
{
  return CospinEnsembleSize(component) + 1;
}

/* Which j there are goes down from N/2 in steps of 1. With two spins j = 0 has one copy only, so the state is
   pure. */
static void set_dicke(CospinAmplitudes *amplitudes, const double complex j_m[], char why[], size_t why_size)
{
  const int size = amplitudes->num - 1;
  int two_j, two_m;

  if (!CospinIsHalfInteger(j_m[0], &two_j) || two_j < 0 || two_j > size || (size - two_j) % 2) {
    (void)snprintf(why, why_size, "%d spins have no j = %g (j is %g, one less, ... down to %g)", size,
                   creal(j_m[0]), 0.5 * size, 0.5 * (size % 2));
    return;
  }
  two_m = CospinTwoProjection(j_m[1], two_j, why, why_size);
  if (why[0]) return;
  amplitudes->irrep = (size - two_j) / 2;
  amplitudes->pure = (PetscBool)(amplitudes->irrep == 0 || size == 2); /* one copy of j */
  amplitudes->amplitude[(size + two_m) / 2] = 1.0;
}

COSPIN_AMPLITUDES_PREPARE(Prepare_Ground, num_levels, CospinAmplitudesSetGround)
COSPIN_AMPLITUDES_PREPARE(Prepare_Excited, num_levels, CospinAmplitudesSetTop)
COSPIN_AMPLITUDES_PREPARE(Prepare_Css, num_levels, CospinAmplitudesSetCss)
COSPIN_AMPLITUDES_PREPARE(Prepare_Cat, num_levels, CospinAmplitudesSetCat)
COSPIN_AMPLITUDES_PREPARE(Prepare_Dicke, num_levels, set_dicke)

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  (void)component;
  return CospinAmplitudesElement((const CospinAmplitudes *)data, label[0], label[1], label[2]);
}

const CospinStateName CospinEnsembleStates[] = {
    {"ground", 0, "", "all spins down", Prepare_Ground, Element, CospinAmplitudesFree},
    {"excited", 0, "", "all spins up", Prepare_Excited, Element, CospinAmplitudesFree},
    {"css", 2, "theta, phi", "all spins in cos(theta/2)|g> + e^{i phi} sin(theta/2)|e>", Prepare_Css, Element,
     CospinAmplitudesFree},
    {"cat", 3, "theta, phi, sign", "|theta, phi> + sign |theta, phi + pi>, normalised", Prepare_Cat, Element,
     CospinAmplitudesFree},
    {"dicke", 2, "j, m", "one level m of irrep j", Prepare_Dicke, Element, CospinAmplitudesFree},
    {.name = NULL},
};
