/*
   The values of a deck's arrays at one grid point.

   Three ways to an array: a list of expressions, one each entry; a generator with keys, which may draw or
   read it; a generator that makes several at once (parts). Afterwards all are the same: numbers, checked for
   their size (one entry per spin of some component) and for being finite. Arrays may use parameters but not
   each other, so their order in the deck does not matter.
*/
#include "problem_impl.h"
#include <math.h>
#include <string.h>

enum { MAX_KEYS = 16 };

/* The number of spins with indices, of the component that has the most, or of components in a group; 0: none.
 */
static int most_spins(CospinProblem problem)
{
  int most = 0;

  for (int g = 0; g < problem->deck->num_groups; g++) most = PetscMax(most, problem->deck->groups[g].count);

  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    if (component->kind->NumSpins) most = PetscMax(most, component->kind->NumSpins(component));
  }
  return most;
}

/* An array has one entry per spin of some component, or per component of some group. */
static PetscErrorCode check_size(CospinProblem problem, const CospinArray *array,
                                 const CospinArrayValue *value, CospinFaults faults, PetscBool *ok)
{
  char sizes[256] = "";

  PetscFunctionBeginUser;
  for (int g = 0; g < problem->deck->num_groups; g++) {
    const CospinComponentGroup *group = &problem->deck->groups[g];
    char one[128];
    if (group->count == value->size) PetscFunctionReturn(0);
    PetscCall(PetscSNPrintf(one, sizeof(one), "%s%d, the components of `%s`", sizes[0] ? " or " : "",
                            group->count, group->name));
    PetscCall(PetscStrlcat(sizes, one, sizeof(sizes)));
  }
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    char one[128];
    if (!component->kind->NumSpins) continue;
    if (component->kind->NumSpins(component) == value->size) PetscFunctionReturn(0);
    PetscCall(PetscSNPrintf(one, sizeof(one), "%s%d, the spins of `%s`", sizes[0] ? " or " : "",
                            component->kind->NumSpins(component), component->name));
    PetscCall(PetscStrlcat(sizes, one, sizeof(sizes)));
  }
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, array->position, array->path, "has %d %s (must be %s)", value->size,
                            value->rank == 2 ? "rows" : "entries", sizes));
  PetscFunctionReturn(0);
}

/* A file, or a generator with enormous numbers, may give anything. */
static PetscErrorCode check_finite(const CospinArray *array, const CospinArrayValue *value,
                                   CospinFaults faults, PetscBool *ok)
{
  const int columns = value->rank == 2 ? value->size : 1;

  PetscFunctionBeginUser;
  for (int k = 0; k < value->size * columns && *ok; k++) {
    const double complex z = value->values[k];
    if (isfinite(creal(z)) && isfinite(cimag(z))) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, array->position, array->path,
                              "number %d of it is not finite (must be a finite number)", k));
  }
  PetscFunctionReturn(0);
}

/* Entries are complex numbers: exchange couplings have phases. */
static PetscErrorCode evaluate_list(CospinProblem problem, const CospinArray *array, CospinFaults faults,
                                    CospinArrayValue *value, PetscBool *ok)
{
  const int count = array->size * (array->rank == 2 ? array->size : 1);

  PetscFunctionBeginUser;
  *value = (CospinArrayValue){.rank = array->rank, .size = array->size};
  PetscCall(PetscMalloc1(count, &value->values));
  for (int k = 0; k < count; k++) {
    CospinValue number = {0};
    PetscBool this_ok;
    PetscCall(CospinExpressionEvaluate(array->entries[k], &problem->environment, faults, &number, &this_ok));
    value->values[k] = number.number;
    if (!this_ok) *ok = PETSC_FALSE;
    PetscCall(CospinValueReset(&number));
  }
  PetscFunctionReturn(0);
}

/* Keys are evaluated first: they may be on the grid, so that a seed or a width can be an axis. */
static PetscErrorCode generate(CospinProblem problem, const CospinArray *array, CospinFaults faults,
                               CospinArrayValue *value, PetscBool *ok)
{
  const CospinArrayPart *parts = CospinArrayParts(array);
  double numbers[MAX_KEYS];

  PetscFunctionBeginUser;
  while (parts && parts[value->num_parts].name) value->num_parts++;
  PetscCall(PetscCalloc1(value->num_parts, &value->parts));
  PetscCall(CospinProblemRecordNumbers(problem, &array->generator, faults, numbers, ok));
  if (*ok)
    PetscCall(CospinArrayKindOf(&array->generator)
                  ->Fill(array, numbers, most_spins(problem), problem->deck->folder, faults, value, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemCreateArrays(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  const CospinDeck deck = problem->deck;
  const PetscBool usable = (PetscBool)(!deck->num_arrays || most_spins(problem) > 0);
  CospinArrayValue *values;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(deck->num_arrays, &values));
  if (!usable) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        faults, deck->arrays[0].position, "arrays",
        "no component of this deck has spins with indices, and none makes a group (`groups`)"));
  }
  for (int k = 0; k < deck->num_arrays && usable; k++) {
    const CospinArray *array = &deck->arrays[k];
    PetscBool this_ok = PETSC_TRUE;
    if (array->generator.kind) {
      PetscCall(generate(problem, array, faults, &values[k], &this_ok));
    } else {
      PetscCall(evaluate_list(problem, array, faults, &values[k], &this_ok));
    }
    if (this_ok && !values[k].parts) PetscCall(check_size(problem, array, &values[k], faults, &this_ok));
    if (this_ok) PetscCall(check_finite(array, &values[k], faults, &this_ok));
    for (int part = 0; part < values[k].num_parts && this_ok; part++)
      PetscCall(check_finite(array, &values[k].parts[part], faults, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  problem->arrays = values; /* not before: arrays do not use each other */
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDestroyArrays(CospinProblem problem)
{
  PetscFunctionBeginUser;
  for (int k = 0; problem->arrays && k < problem->deck->num_arrays; k++) {
    CospinArrayValue *value = &problem->arrays[k];
    for (int part = 0; part < value->num_parts; part++) PetscCall(PetscFree(value->parts[part].values));
    PetscCall(PetscFree(value->parts));
    PetscCall(PetscFree(value->values));
  }
  PetscCall(PetscFree(problem->arrays));
  PetscFunctionReturn(0);
}
