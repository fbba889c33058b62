/*
   States of distinguishable spins that treat them alike: the symmetric level n (n spins up) is the even
   superposition of its C(N, n) bit strings.

   A bit string with n spins up has the amplitude of level n over sqrt(C(N, n)), so all of these states are
   permutation symmetric; a product state with different directions per spin has no word yet.
*/
#include "amplitudes.h"
#include "states.h"

static int num_spins(CospinComponent component)
{
  return component->kind->NumSpins(component);
}

static int num_levels(CospinComponent component)
{
  return num_spins(component) + 1;
}

static void set_dicke(CospinAmplitudes *amplitudes, const double complex j_m[], char why[], size_t why_size)
{
  const int size = amplitudes->num - 1;
  int two_j, two_m;

  if (!CospinIsHalfInteger(j_m[0], &two_j) || two_j != size) {
    (void)snprintf(why, why_size, "the symmetric states of %d spins have j = %g, not %g", size, 0.5 * size,
                   creal(j_m[0]));
    return;
  }
  two_m = CospinTwoProjection(j_m[1], two_j, why, why_size);
  if (!why[0]) amplitudes->amplitude[(size + two_m) / 2] = 1.0;
}

COSPIN_AMPLITUDES_PREPARE(Prepare_Ground, num_levels, CospinAmplitudesSetGround)
COSPIN_AMPLITUDES_PREPARE(Prepare_Css, num_levels, CospinAmplitudesSetCss)
COSPIN_AMPLITUDES_PREPARE(Prepare_Cat, num_levels, CospinAmplitudesSetCat)
COSPIN_AMPLITUDES_PREPARE(Prepare_Dicke, num_levels, set_dicke)

/* C(size, n) */
static double num_strings(int size, int n)
{
  double product = 1.0;

  for (int k = 1; k <= n; k++) product = product * (size - n + k) / k;
  return product;
}

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  const int size = num_spins(component);
  int n[2] = {0, 0};

  for (int i = 0; i < 2 * size; i++) n[i % 2] += label[i];
  return CospinAmplitudesElement((const CospinAmplitudes *)data, 0, n[0], n[1]) /
         PetscSqrtReal(num_strings(size, n[0]) * num_strings(size, n[1]));
}

const CospinStateName CospinSpinsStates[] = {
    {"ground", 0, "", "all spins down", Prepare_Ground, Element, CospinAmplitudesFree},
    {"css", 2, "theta, phi", "all spins in cos(theta/2)|g> + e^{i phi} sin(theta/2)|e>", Prepare_Css, Element,
     CospinAmplitudesFree},
    {"cat", 3, "theta, phi, sign", "|theta, phi> + sign |theta, phi + pi>, normalised", Prepare_Cat, Element,
     CospinAmplitudesFree},
    {"dicke", 2, "j, m", "symmetric level m; j is N/2", Prepare_Dicke, Element, CospinAmplitudesFree},
    {.name = NULL},
};
