/* A uniform distribution. */
#include <cospin/problem/array.h>

static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  (void)folder;
  PetscCall(CospinRandomCheckSeed(array, numbers[2], faults, ok));
  if (*ok && numbers[1] < numbers[0]) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, array->position, array->path,
                              "the upper end %g lies below the lower end %g", numbers[1], numbers[0]));
  }
  if (!*ok) PetscFunctionReturn(0);
  *value = (CospinArrayValue){.rank = 1, .size = size};
  PetscCall(PetscMalloc1(size, &value->values));
  for (int l = 0; l < size; l++) {
    double u[2];
    CospinRandomPair((uint64_t)numbers[2], (uint64_t)l, u);
    value->values[l] = numbers[0] + (numbers[1] - numbers[0]) * u[0];
  }
  PetscFunctionReturn(0);
}

static const CospinKey keys[] = {
    {.name = "min", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "", .help = "lower end"},
    {.name = "max", .type = COSPIN_KEY_NUMBER, .required = PETSC_TRUE, .unit = "", .help = "upper end"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "whole number >= 0; the same seed gives the same numbers"},
    {.name = NULL},
};

const CospinArrayKind CospinArrayUniform = {
    .record = {"uniform", "one number per spin, uniform between min and max", keys},
    .Fill = Fill,
};
