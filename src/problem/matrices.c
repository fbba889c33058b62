/*
   Matrices that a deck states of a component, as numbers at one grid point: their elements may be expressions
   of parameters, complex ones, or stand in an HDF5 file, which is looked for from the deck's folder on. Which
   rows there are, only the kind of the component knows; it checks them.
*/
#include "problem_impl.h"
#include <cospin/dataset/dataset.h>
#include <math.h>

/* A number of the deck, finite and no operator. What cannot be evaluated at this point (1/w at w = 0) has
   told so itself. */
static PetscErrorCode evaluate(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                               double complex *number, PetscBool *ok)
{
  CospinValue value = {0};
  PetscBool this_ok;

  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluate(expression, &problem->environment, faults, &value, &this_ok));
  *number = value.number;
  if (this_ok && (value.is_operator || !isfinite(creal(*number)) || !isfinite(cimag(*number)))) {
    this_ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                              "must be a finite number, not %s", value.is_operator ? "an operator" : "this"));
  }
  PetscCall(CospinValueReset(&value));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Room for all elements that there may be; what is zero takes none of it up. */
static PetscErrorCode allocate(CospinOperatorMatrix *matrix, int most)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)most, &matrix->row));
  PetscCall(PetscMalloc1((size_t)most, &matrix->column));
  PetscCall(PetscMalloc1((size_t)most, &matrix->value));
  PetscFunctionReturn(0);
}

/* Listed entries are kept even if they are zero: their places have to be looked at, too. */
static void add(CospinOperatorMatrix *matrix, double row, double column, double complex value)
{
  if (value == 0.0 && matrix->size) return;
  matrix->row[matrix->num] = row;
  matrix->column[matrix->num] = column;
  matrix->value[matrix->num++] = value;
}

/* Row after row, or triplets of row, column and value. */
static PetscErrorCode evaluate_entries(CospinProblem problem, CospinFaults faults,
                                       CospinOperatorMatrix *matrix, PetscBool *ok)
{
  const CospinMatrix *of = matrix->of;

  PetscFunctionBeginUser;
  matrix->size = of->size;
  PetscCall(allocate(matrix, of->num_expressions));
  for (int k = 0; k < of->num_expressions; k += of->size ? 1 : 3) {
    double complex number[3] = {0};
    for (int j = 0; j < (of->size ? 1 : 3); j++)
      PetscCall(evaluate(problem, of->entries[k + j], faults, &number[j], ok));
    if (of->size)
      add(matrix, k / of->size, k % of->size, number[0]);
    else /* an index that is no real number is none at all */
      add(matrix, cimag(number[0]) == 0.0 ? creal(number[0]) : NAN,
          cimag(number[1]) == 0.0 ? creal(number[1]) : NAN, number[2]);
  }
  PetscFunctionReturn(0);
}

/* The file is read again at each grid point, as those of arrays are; its checksum is part of what identifies
   a run (store/identity.c). */
static PetscErrorCode read_file(CospinProblem problem, CospinFaults faults, CospinOperatorMatrix *matrix,
                                PetscBool *ok)
{
  const CospinMatrix *of = matrix->of;
  char path[PETSC_MAX_PATH_LEN], why[512] = "";
  double complex *values = NULL;
  int rank, sizes[2] = {0, 0};

  PetscFunctionBeginUser;
  PetscCall(
      PetscSNPrintf(path, sizeof(path), "%s%s", of->file[0] == '/' ? "" : problem->deck->folder, of->file));
  PetscCall(CospinDatasetReadArray(path, of->dataset, &rank, sizes, &values, why, sizeof(why)));
  if (values && (rank != 2 || sizes[0] != sizes[1]))
    PetscCall(PetscSNPrintf(why, sizeof(why), "dataset `%s` of %s is no matrix that is as wide as it is high",
                            of->dataset, of->file));
  matrix->size = sizes[0];
  if (!why[0]) PetscCall(allocate(matrix, sizes[0] * sizes[0]));
  for (int k = 0; !why[0] && k < sizes[0] * sizes[0]; k++) {
    if (!isfinite(creal(values[k])) || !isfinite(cimag(values[k])))
      (void)snprintf(why, sizeof(why), "its element [%d,%d] is not finite", k / sizes[0], k % sizes[0]);
    else
      add(matrix, k / sizes[0], k % sizes[0], values[k]);
  }
  PetscCall(PetscFree(values));
  if (!why[0]) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, of->position, of->path, "%s", why));
  PetscFunctionReturn(0);
}

/* A kind has one such key at most, and most have none. All matrices are looked at, so that all faults are
 * told. */
PetscErrorCode CospinProblemCreateMatrices(CospinProblem problem, const CospinRecord *record,
                                           CospinComponent component, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int k = 0; record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];
    if (setting->key->type != COSPIN_KEY_MATRICES) continue;
    PetscCall(PetscCalloc1((size_t)setting->num_matrices, &component->matrices));
    component->num_matrices = setting->num_matrices;
    for (int m = 0; m < setting->num_matrices; m++) {
      CospinOperatorMatrix *matrix = &component->matrices[m];
      matrix->of = &setting->matrices[m];
      if (matrix->of->file)
        PetscCall(read_file(problem, faults, matrix, ok));
      else
        PetscCall(evaluate_entries(problem, faults, matrix, ok));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDestroyMatrices(CospinComponent component)
{
  PetscFunctionBeginUser;
  for (int m = 0; m < component->num_matrices; m++) {
    PetscCall(PetscFree(component->matrices[m].row));
    PetscCall(PetscFree(component->matrices[m].column));
    PetscCall(PetscFree(component->matrices[m].value));
  }
  PetscCall(PetscFree(component->matrices));
  component->num_matrices = 0;
  PetscFunctionReturn(0);
}
