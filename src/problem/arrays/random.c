/*
   Random arrays: one number per spin, drawn independently from one of three distributions. A distribution is
   a function of two uniform numbers; which two spin l gets depends on the seed and on l alone
   (CospinRandomPair), so that the first spins have the same numbers whatever the size, on every rank and
   machine.

     normal       mean + std sqrt(-2 ln u) cos(2 pi v)     (Box and Muller, Ann. Math. Stat. 29, 610 (1958))
     lorentzian   centre + width tan(pi (u - 1/2))         the inverse of its integral; it has no mean
     uniform      min + (max - min) u
*/
#include <cospin/problem/array.h>

#define COSPIN_ARRAY_KIND(kind) extern const CospinArrayKind kind;
#include "list.h"
#undef COSPIN_ARRAY_KIND

/* The keys of each in this order: where, how wide, seed. */
enum { WHERE, WIDTH, SEED };

/* A number with the parameters of the distribution, from u[2], uniform in (0, 1). */
typedef double (*Distribution)(const double numbers[], const double u[]);

static double normal(const double numbers[], const double u[])
{
  return numbers[WHERE] +
         numbers[WIDTH] * PetscSqrtReal(-2 * PetscLogReal(u[0])) * PetscCosReal(2 * PETSC_PI * u[1]);
}

static double lorentzian(const double numbers[], const double u[])
{
  return numbers[WHERE] + numbers[WIDTH] * PetscTanReal(PETSC_PI * (u[0] - 0.5));
}

/* Its second key is the upper end. */
static double uniform(const double numbers[], const double u[])
{
  return numbers[WHERE] + (numbers[WIDTH] - numbers[WHERE]) * u[0];
}

static const struct {
  const CospinArrayKind *kind;
  Distribution distribution;
  PetscBool has_ends; /* its two parameters are those of an interval */
} distributions[] = {
    {&CospinArrayNormal, normal, PETSC_FALSE},
    {&CospinArrayLorentzian, lorentzian, PETSC_FALSE},
    {&CospinArrayUniform, uniform, PETSC_TRUE},
};

static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  const CospinArrayKind *kind = CospinArrayKindOf(&array->generator);
  int d = 0;

  PetscFunctionBeginUser;
  (void)folder;
  while (distributions[d].kind != kind) d++;
  *ok = (PetscBool)(!distributions[d].has_ends || numbers[WIDTH] >= numbers[WHERE]);
  if (!*ok) {
    PetscCall(CospinFaultsAdd(faults, array->position, array->path,
                              "the upper end %g lies below the lower end %g", numbers[WIDTH],
                              numbers[WHERE]));
    PetscFunctionReturn(0);
  }
  *value = (CospinArrayValue){.rank = 1, .size = size};
  PetscCall(PetscMalloc1(size, &value->values));
  for (int l = 0; l < size; l++) {
    double u[2];
    CospinRandomPair((uint64_t)numbers[SEED], (uint64_t)l, u);
    value->values[l] = distributions[d].distribution(numbers, u);
  }
  PetscFunctionReturn(0);
}

#define SEED_KEY                                                                                             \
  {                                                                                                          \
    .name = "seed", .type = COSPIN_KEY_INTEGER, .required = PETSC_TRUE, .unit = "",                          \
    .help = "the same seed gives the same numbers", COSPIN_KEY_SEED                                          \
  }

static const CospinKey normal_keys[] = {
    {.name = "mean", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "mean"},
    {.name = "std",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "standard deviation",
     COSPIN_KEY_NOT_NEGATIVE},
    SEED_KEY,
    {.name = NULL},
};

static const CospinKey lorentzian_keys[] = {
    {.name = "centre", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "centre"},
    {.name = "width",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "half width at half maximum",
     COSPIN_KEY_NOT_NEGATIVE},
    SEED_KEY,
    {.name = NULL},
};

static const CospinKey uniform_keys[] = {
    {.name = "min", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "lower end"},
    {.name = "max", .type = COSPIN_KEY_NUMBER, .required = PETSC_TRUE, .unit = "", .help = "upper end"},
    SEED_KEY,
    {.name = NULL},
};

const CospinArrayKind CospinArrayNormal = {
    .record = {"normal", "one number per spin from a normal distribution", normal_keys},
    .Fill = Fill,
};

const CospinArrayKind CospinArrayLorentzian = {
    .record = {"lorentzian", "one number per spin from a Lorentzian distribution", lorentzian_keys},
    .Fill = Fill,
};

const CospinArrayKind CospinArrayUniform = {
    .record = {"uniform", "one number per spin, uniform between min and max", uniform_keys},
    .Fill = Fill,
};
