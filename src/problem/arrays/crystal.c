/*
   What a planar crystal of two species of ions mediates between the spins of the outer one.

   The generator of arrays `trap.B`, `trap.J` and others from positions and modes of a crystal that is
   computed from its equilibrium (crystal.c): units of the SI, as papers give traps. What the keys mean and
   between which bounds they make sense is all that is here.

   Source: A. Shankar et al., PRA 95, 033423 (2017); equation numbers are of that paper. Conventions that
   are easy to get wrong: all frequencies are angular ones; kappa damps the energy of a mode (its amplitude
   decays at half of that); B and J use the frequencies as shifted by cooling unless `modes: bare`; Gc
   averages over ordered pairs, 2/N^2 sum_lm.
*/
#include "problem/crystal.h"
#include <cospin/problem/array.h>
#include <string.h>

#define ALONG_IONS  "ion"
#define ALONG_MODES "mode"

enum { MAX_IONS = 1000 }; /* the modes of so many are found in seconds */

/* Rows of keys[], which are what numbers[] is indexed by. */
enum {
  COOLANTS,
  SPACING,
  OUTLINE,
  COOLANT_MASS,
  SPIN_MASS,
  FREQUENCY,
  CONFINEMENT,
  WAVELENGTH,
  LINEWIDTH,
  DETUNING,
  RABI,
  RAMAN,
  RAMAN_WAVELENGTH,
  LAMB_DICKE,
  SHIFTS
};

#define NUMBER(key, dimension, text)                                                                         \
  {                                                                                                          \
    .name = key, .type = COSPIN_KEY_NUMBER, .required = PETSC_TRUE, .unit = dimension, .help = text          \
  }
static const char *const outlines[] = {"hexagon", "round", NULL};
/* Two species of different mass in one trap: either both oscillate at one frequency alone in it, or both
   feel one spring constant. Modes of the two differ, and papers do not always say which they mean. */
static const char *const confinements[] = {"frequency", "spring", NULL};
static const char *const shifts[] = {"shifted", "bare", NULL};

static const CospinKey keys[] = {
    [COOLANTS] = {.name = "coolants",
                  .type = COSPIN_KEY_INTEGER,
                  .required = PETSC_TRUE,
                  .unit = "",
                  .help = "ions that are laser cooled, inside of those with spins"},
    [SPACING] = NUMBER("spacing", "m", "distance of neighbours in the triangular lattice"),
    [OUTLINE] =
        {.name = "outline",
         .type = COSPIN_KEY_NAME,
         .default_text = "hexagon",
         .choices = outlines,
         .unit = "",
         .help = "innermost sites of the smallest `hexagon` that has enough, or of the lattice (`round`)"},
    [COOLANT_MASS] = NUMBER("coolant_mass", "kg", "mass of a coolant ion"),
    [SPIN_MASS] = NUMBER("spin_mass", "kg", "mass of an ion with a spin"),
    [FREQUENCY] = NUMBER("frequency", "1/s", "angular frequency of a single ion across the plane"),
    [CONFINEMENT] = {.name = "confinement",
                     .type = COSPIN_KEY_NAME,
                     .default_text = "frequency",
                     .choices = confinements,
                     .unit = "",
                     .help = "what both species have in common: their `frequency` alone in the trap, or the "
                             "`spring` constant, that of an ion of the mean mass"},
    [WAVELENGTH] = NUMBER("wavelength", "m", "of the cooling light"),
    [LINEWIDTH] = NUMBER("linewidth", "1/s", "decay rate of the cooling transition"),
    [DETUNING] = NUMBER("detuning", "1/s", "of the cooling light, < 0 below resonance"),
    [RABI] = NUMBER("rabi", "1/s", "Rabi frequency of the cooling transition"),
    [RAMAN] = NUMBER("raman", "1/s", "two-photon Rabi frequency of the spins"),
    [RAMAN_WAVELENGTH] = {.name = "raman_wavelength",
                          .type = COSPIN_KEY_NUMBER,
                          .required = PETSC_TRUE,
                          .instead = "lamb_dicke",
                          .unit = "m",
                          .help = "2 pi over the difference of the wave vectors"},
    [LAMB_DICKE] = {.name = "lamb_dicke",
                    .type = COSPIN_KEY_NUMBER,
                    .unit = "",
                    .help = "instead of that: the Lamb-Dicke factor of a spin alone in the trap"},
    [SHIFTS] = {.name = "modes",
                .type = COSPIN_KEY_NAME,
                .default_text = "shifted",
                .choices = shifts,
                .unit = "",
                .help =
                    "the Raman detuning of a mode from the resonant one is that of frequencies as `shifted` "
                    "by cooling, or `bare`"},
    {.name = NULL},
};

static const CospinArrayPart parts[] = {
    {"B", 1, {COSPIN_ALONG_SPINS}, "1/s", "frequency of a spin, H = sum_l B_l sz_l/2, Eq. (20)"},
    {"J",
     2,
     {COSPIN_ALONG_SPINS, COSPIN_ALONG_SPINS},
     "1/s",
     "exchange, H = sum over l != m of J_lm sp_l sm_m, Eq. (20)"},
    {"Gm",
     2,
     {COSPIN_ALONG_SPINS, COSPIN_ALONG_SPINS},
     "1/s",
     "correlated emission, rates 2 Gm of pairs of sm, Eq. (19), (21)"},
    {"Gp",
     2,
     {COSPIN_ALONG_SPINS, COSPIN_ALONG_SPINS},
     "1/s",
     "correlated absorption, rates 2 Gp of pairs of sp, Eq. (19), (21)"},
    {"Gc", 0, {NULL}, "1/s", "collective decay, 2/N^2 sum_lm (Gm_lm - Gp_lm)"},
    {"x", 1, {ALONG_IONS}, "m", "position of an ion"},
    {"y", 1, {ALONG_IONS}, "m", "position of an ion"},
    {"mass", 1, {ALONG_IONS}, "kg", "mass of an ion"},
    {"frequency", 1, {ALONG_MODES}, "1/s", "angular frequency of a mode, not cooled"},
    {"shift", 1, {ALONG_MODES}, "1/s", "shift of that frequency by cooling, Eq. (6)"},
    {"kappa", 1, {ALONG_MODES}, "1/s", "damping of the energy of a mode, Eq. (4)"},
    {"nbar", 1, {ALONG_MODES}, "1", "mean number of phonons of a mode, Eq. (5)"},
    {"amplitude", 2, {ALONG_MODES, ALONG_IONS}, "1", "mass-weighted amplitude of an ion in a mode"},
    {.name = NULL},
};

/* Bounds of numbers[]; the detuning may be anything, what it heats is told later. Everything that is a
   length, a mass, a frequency or a number of ions is above zero. Keys of words are NaN in numbers[] and
   are passed over. Blue detuning heats: crystal.c finds that a mode has no steady state and says so. */
static PetscErrorCode check_numbers(const CospinArray *array, const double numbers[], int size,
                                    CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; keys[k].name; k++) {
    if (PetscIsNanReal(numbers[k]) || numbers[k] > 0 || k == DETUNING) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, array->generator.settings[k].position,
                              CospinExpressionPath(array->generator.settings[k].expression),
                              "is %.6g (must be > 0)", numbers[k]));
  }
  if (numbers[COOLANTS] + size <= MAX_IONS) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, array->position, array->path, "%g ions (must be at most %d)",
                            numbers[COOLANTS] + size, (int)MAX_IONS));
  PetscFunctionReturn(0);
}

/* Crystals are real; arrays of a deck are complex. */
static PetscErrorCode copy_part(const CospinArrayPart *part, int size, const double from[],
                                CospinArrayValue *value)
{
  const int count = part->rank == 2 ? size * size : size;

  PetscFunctionBeginUser;
  *value = (CospinArrayValue){.rank = part->rank, .size = size};
  PetscCall(PetscMalloc1(count, &value->values));
  for (int k = 0; k < count; k++) value->values[k] = from[k];
  PetscFunctionReturn(0);
}

/* In the order of parts[]. This list and parts[] are one table in two halves; a part that is added to one
   must be added to the other. */
static PetscErrorCode copy_parts(const CospinCrystal crystal, CospinArrayValue values[])
{
  const double *from[] = {
      crystal->level,   crystal->exchange, crystal->emission,  crystal->absorption, &crystal->collective,
      crystal->x,       crystal->y,        crystal->mass,      crystal->frequency,  crystal->shift,
      crystal->damping, crystal->phonons,  crystal->amplitude,
  };

  PetscFunctionBeginUser;
  for (int k = 0; parts[k].name; k++) {
    const char *along = parts[k].along[0];
    const int size = !along                                   ? 1
                     : strcmp(along, COSPIN_ALONG_SPINS) == 0 ? crystal->num_spins
                                                              : crystal->num_ions;
    PetscCall(copy_part(&parts[k], size, from[k], &values[k]));
  }
  PetscFunctionReturn(0);
}

/* Keys of words have been checked against their choices when the deck was read. */
static PetscBool chosen(const CospinArray *array, int key, const char word[])
{
  return (PetscBool)(strcmp(array->generator.settings[key].text, word) == 0);
}

/* `size` is how many spins the deck's component has: the crystal has as many ions of the second kind. */
/* eta = k sqrt(hbar/(2 m w)) of an ion that is alone in the trap, solved for 2 pi/k. */
static double raman_wavelength(const double numbers[])
{
  static const double hbar = 1.054571817e-34;

  return 2 * PETSC_PI / numbers[LAMB_DICKE] * sqrt(hbar / (2 * numbers[SPIN_MASS] * numbers[FREQUENCY]));
}

static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  CospinCrystal crystal;
  char why[256];

  PetscFunctionBeginUser;
  (void)folder;
  PetscCall(check_numbers(array, numbers, size, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  const CospinCrystalSettings settings = {.num_coolants = (int)numbers[COOLANTS],
                                          .num_spins = size,
                                          .round = chosen(array, OUTLINE, "round"),
                                          .spacing = numbers[SPACING],
                                          .coolant_mass = numbers[COOLANT_MASS],
                                          .spin_mass = numbers[SPIN_MASS],
                                          .frequency = numbers[FREQUENCY],
                                          .common_spring = chosen(array, CONFINEMENT, "spring"),
                                          .wavelength = numbers[WAVELENGTH],
                                          .linewidth = numbers[LINEWIDTH],
                                          .detuning = numbers[DETUNING],
                                          .rabi = numbers[RABI],
                                          .raman = numbers[RAMAN],
                                          .raman_wavelength = PetscIsNanReal(numbers[LAMB_DICKE])
                                                                  ? numbers[RAMAN_WAVELENGTH]
                                                                  : raman_wavelength(numbers),
                                          .bare = chosen(array, SHIFTS, "bare")};
  PetscCall(CospinCrystalCreate(&settings, &crystal, why, sizeof(why)));
  *ok = (PetscBool)(crystal != NULL);
  if (crystal)
    PetscCall(copy_parts(crystal, value->parts));
  else
    PetscCall(CospinFaultsAdd(faults, array->position, array->path, "%s", why));
  PetscCall(CospinCrystalDestroy(&crystal));
  PetscFunctionReturn(0);
}

const CospinArrayKind CospinArrayCrystal = {
    .record = {"crystal", "matrices over the spins of a planar crystal whose inner ions are laser cooled",
               keys},
    .parts = parts,
    .Fill = Fill,
};
