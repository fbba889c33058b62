/* A normal distribution, by the transformation of Box and Muller (Ann. Math. Stat. 29, 610 (1958)). */
#include <cospin/problem/array.h>

static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)folder;
  PetscCall(CospinRandomCheckSeed(array, numbers[2], faults, ok));
  if (*ok && numbers[1] < 0) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, array->position, array->path,
                              "the standard deviation is %g (must be >= 0)", numbers[1]));
  }
  if (!*ok) PetscFunctionReturn(0);
  *value = (CospinArrayValue){.rank = 1, .size = size};
  PetscCall(PetscMalloc1(size, &value->values));
  for (int l = 0; l < size; l++) {
    double u[2];
    CospinRandomPair((uint64_t)numbers[2], (uint64_t)l, u);
    value->values[l] =
        numbers[0] + numbers[1] * PetscSqrtReal(-2 * PetscLogReal(u[0])) * PetscCosReal(2 * PETSC_PI * u[1]);
  }
  PetscFunctionReturn(0);
}

static const CospinKey keys[] = {
    {.name = "mean", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "mean"},
    {.name = "std",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "standard deviation"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "whole number >= 0; the same seed gives the same numbers"},
    {.name = NULL},
};

const CospinArrayKind CospinArrayNormal = {
    .record = {"normal", "one number per spin from a normal distribution", keys},
    .Fill = Fill,
};
