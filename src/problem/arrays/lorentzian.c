/* A Lorentzian (Cauchy) distribution, by the inverse of its integral. */
#include <cospin/problem/array.h>

static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)folder;
  PetscCall(CospinRandomCheckSeed(array, numbers[2], faults, ok));
  if (*ok && numbers[1] < 0) {
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, array->position, array->path, "the width is %g (must be >= 0)", numbers[1]));
  }
  if (!*ok) PetscFunctionReturn(0);
  *value = (CospinArrayValue){.rank = 1, .size = size};
  PetscCall(PetscMalloc1(size, &value->values));
  for (int l = 0; l < size; l++) {
    double u[2];
    CospinRandomPair((uint64_t)numbers[2], (uint64_t)l, u);
    value->values[l] = numbers[0] + numbers[1] * PetscTanReal(PETSC_PI * (u[0] - 0.5));
  }
  PetscFunctionReturn(0);
}

static const CospinKey keys[] = {
    {.name = "centre", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "centre"},
    {.name = "width",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "half width at half maximum"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "whole number >= 0; the same seed gives the same numbers"},
    {.name = NULL},
};

const CospinArrayKind CospinArrayLorentzian = {
    .record = {"lorentzian", "one number per spin from a Lorentzian distribution", keys},
    .Fill = Fill,
};
