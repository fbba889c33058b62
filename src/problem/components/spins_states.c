/*
   States of distinguishable spins. Those that treat them alike: the symmetric level n (n spins up) is the
   even superposition of its C(N, n) bit strings, so a bit string with n spins up has the amplitude of level n
   over sqrt(C(N, n)). Those that do not are products, of two amplitudes a spin.
*/
#include "amplitudes.h"
#include "states.h"
#include <math.h>

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

static int num_amplitudes(CospinComponent component)
{
  return 2 * num_spins(component);
}

/* amplitude[2*l] down and amplitude[2*l + 1] up, of spin l. As of `css`, cos and sin that are zero but for
   the rounding of pi are zero, so that a state of bits has elements in one sector and not, to 1e-16, in all.
 */
static void set_product(CospinAmplitudes *amplitudes, const double complex angles[], char why[],
                        size_t why_size)
{
  for (int l = 0; l < amplitudes->num / 2; l++) {
    const double half = 0.5 * creal(angles[2 * l]);
    if (cimag(angles[2 * l]) != 0.0 || cimag(angles[2 * l + 1]) != 0.0)
      (void)snprintf(why, why_size, "theta and phi must be real (those of spin %d are not)", l);
    amplitudes->amplitude[2 * l] = fabs(cos(half)) < 1e-16 ? 0.0 : cos(half);
    amplitudes->amplitude[2 * l + 1] =
        fabs(sin(half)) < 1e-15 ? 0.0 : sin(half) * cexp(I * creal(angles[2 * l + 1]));
  }
}

static void set_bits(CospinAmplitudes *amplitudes, const double complex bits[], char why[], size_t why_size)
{
  (void)why;
  (void)why_size;
  for (int l = 0; l < amplitudes->num / 2; l++) amplitudes->amplitude[2 * l + (bits[l] == 1.0)] = 1.0;
}

COSPIN_AMPLITUDES_PREPARE(Prepare_Product, num_amplitudes, set_product)
COSPIN_AMPLITUDES_PREPARE(Prepare_Bits, num_amplitudes, set_bits)
COSPIN_AMPLITUDES_PREPARE(Prepare_Excited, num_levels, CospinAmplitudesSetTop)
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

static double complex Element_Product(CospinComponent component, const void *data, const int label[])
{
  const double complex *amplitude = ((const CospinAmplitudes *)data)->amplitude;
  double complex product = 1.0;

  for (int l = 0; l < num_spins(component); l++)
    product *= amplitude[2 * l + label[2 * l]] * conj(amplitude[2 * l + label[2 * l + 1]]);
  return product;
}

const CospinStateName CospinSpinsStates[] = {
    {"ground", 0, "", "all spins down", Prepare_Ground, Element, CospinAmplitudesFree},
    {"excited", 0, "", "all spins up", Prepare_Excited, Element, CospinAmplitudesFree},
    {"bits", COSPIN_EACH_BIT, "\"10...\"", "one digit a spin, the first for spin 0: 1 up, 0 down",
     Prepare_Bits, Element_Product, CospinAmplitudesFree},
    {"product", COSPIN_EACH_DIRECTION, "[theta, phi], ...", "css of each spin by itself, spin 0 first",
     Prepare_Product, Element_Product, CospinAmplitudesFree},
    {"css", 2, "theta, phi", "all spins in cos(theta/2)|g> + e^{i phi} sin(theta/2)|e>", Prepare_Css, Element,
     CospinAmplitudesFree},
    {"cat", 3, "theta, phi, sign", "|theta, phi> + sign |theta, phi + pi>, normalised", Prepare_Cat, Element,
     CospinAmplitudesFree},
    {"dicke", 2, "j, m", "symmetric level m; j is N/2", Prepare_Dicke, Element, CospinAmplitudesFree},
    {.name = NULL},
};
