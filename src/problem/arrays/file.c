/*
   A vector or matrix from a dataset of an HDF5 file, which is looked for from the deck's folder on.

   Read again at each grid point, as every array is made; its checksum is part of what identifies a run
   (store/identity.c), so a changed file is noticed.
*/
#include <cospin/dataset/dataset.h>
#include <cospin/problem/array.h>

/* Shape and size are the file's. Whether it has one row per spin is checked by the caller, as for every
   array. */
static PetscErrorCode Fill(const CospinArray *array, const double numbers[], int size, const char folder[],
                           CospinFaults faults, CospinArrayValue *value, PetscBool *ok)
{
  const char *file = CospinRecordGet(&array->generator, "file")->text;
  char path[PETSC_MAX_PATH_LEN], why[512];
  int sizes[2];

  PetscFunctionBeginUser;
  (void)numbers;
  (void)size;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s%s", file[0] == '/' ? "" : folder, file));
  PetscCall(CospinDatasetReadArray(path, CospinRecordGet(&array->generator, "dataset")->text, &value->rank,
                                   sizes, &value->values, why, sizeof(why)));
  value->size = sizes[0];
  *ok = (PetscBool)(value->values != NULL);
  if (!*ok) {
    PetscCall(CospinFaultsAdd(faults, array->position, array->path, "%s", why));
  } else if (value->rank == 2 && sizes[0] != sizes[1]) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, array->position, array->path,
                              "a matrix of %d x %d numbers (must be as wide as it is high)", sizes[0],
                              sizes[1]));
    PetscCall(PetscFree(value->values));
  }
  PetscFunctionReturn(0);
}

static const CospinKey keys[] = {
    {.name = "file",
     .type = COSPIN_KEY_NAME,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "HDF5 file, from the folder of the deck on"},
    {.name = "dataset", .type = COSPIN_KEY_NAME, .required = PETSC_TRUE, .unit = "", .help = "its dataset"},
    {.name = NULL},
};

const CospinArrayKind CospinArrayFile = {
    .record = {"file", "a dataset of an HDF5 file", keys},
    .Fill = Fill,
};
