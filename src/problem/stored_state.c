/*
   A stored state is a sorted list of its elements. A label is one number, its coordinates as digits, each
   with as many values as the coordinate has.

   It comes from a dataset by its task and coordinates. Elements are looked up by bisection, so it may be
   put into any sector of a problem whose components have the same sizes; what does not fit is a fault with
   the place in the deck.
*/
#include "stored_state.h"
#include <cospin/problem/storage.h>
#include <stdlib.h>

static const double trace_tolerance = 1e-6;

/* lo[i] and the number of values of each coordinate; false if labels do not fit into a number. */
static PetscBool digits(const CospinSystem *system, int lo[], PetscInt64 values[])
{
  int hi[COSPIN_MAX_COORDINATES];
  double all = 1.0;

  CospinSystemBounds(system, lo, hi);
  for (int i = 0; i < system->num_coordinates; i++) {
    values[i] = (PetscInt64)hi[i] - lo[i] + 1;
    all *= (double)values[i];
  }
  return (PetscBool)(all < 4e18);
}

/* Digits with mixed radix: labels in ascending order have keys in ascending order. */
static PetscInt64 key_of(const CospinSystem *system, const int label[])
{
  int lo[COSPIN_MAX_COORDINATES];
  PetscInt64 values[COSPIN_MAX_COORDINATES], key = 0;

  (void)digits(system, lo, values);
  for (int i = 0; i < system->num_coordinates; i++) key = key * values[i] + (label[i] - lo[i]);
  return key;
}

void CospinStoredStateLabel(CospinState state, PetscInt64 k, int label[])
{
  int lo[COSPIN_MAX_COORDINATES];
  PetscInt64 values[COSPIN_MAX_COORDINATES], key = state->entries[k].key;

  (void)digits(state->system, lo, values);
  for (int i = state->system->num_coordinates - 1; i >= 0; i--) {
    label[i] = lo[i] + (int)(key % values[i]);
    key /= values[i];
  }
}

static int compare(const void *a, const void *b)
{
  const PetscInt64 x = ((const CospinStateEntry *)a)->key, y = ((const CospinStateEntry *)b)->key;

  return x < y ? -1 : x > y;
}

double complex CospinStoredStateElement(CospinState state, const int label[])
{
  const CospinStateEntry wanted = {key_of(state->system, label), 0.0};
  const CospinStateEntry *found;

  if (state->num_entries == 0) return 0.0;
  found = bsearch(&wanted, state->entries, (size_t)state->num_entries, sizeof(wanted), compare);
  return found ? found->value : 0.0;
}

/* ---- From the file ------------------------------------------------------------------------------------- */

/* The coordinates of `at:` as numbers. */
static PetscErrorCode evaluate_at(CospinProblem problem, const CospinStateFile *file, CospinFaults faults,
                                  double values[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; k < file->num_at; k++) {
    PetscBool this_ok;
    PetscCall(CospinProblemNumber(problem, file->at_values[k], faults, &values[k], &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* `part`: the coordinate of `at:` that was not found, or the file or the task as a whole. */
static PetscErrorCode add_fault(const CospinStateFile *file, int part, CospinFaults faults, const char why[])
{
  PetscFunctionBeginUser;
  PetscCheck(faults, PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s",
             why); /* it was there when the deck was read */
  if (part >= 0) {
    const CospinExpression value = file->at_values[part];
    PetscCall(
        CospinFaultsAdd(faults, CospinExpressionPosition(value), CospinExpressionPath(value), "%s", why));
  } else {
    PetscCall(CospinFaultsAdd(faults, part == COSPIN_QUERY_TASK ? file->task_position : file->file_position,
                              part == COSPIN_QUERY_TASK ? file->task_path : file->file_path, "%s", why));
  }
  PetscFunctionReturn(0);
}

/* Sizes must agree, except that a component with a window takes states with fewer levels, and one whose
   window is open takes any. */
static PetscErrorCode check_sizes(CospinProblem problem, const CospinStateFile *file,
                                  CospinStoredState stored, CospinFaults faults, PetscBool *ok)
{
  char why[512];

  PetscFunctionBeginUser;
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent component = &problem->system.components[c];
    const CospinComponentKind *kind = component->kind;
    const double size = kind->Size(component);
    if (stored->sizes[c] == size) continue;
    if (kind->Window && (stored->sizes[c] < size || kind->Window(component) > 0)) continue;
    *ok = PETSC_FALSE;
    (void)snprintf(why, sizeof(why), "%s `%s` (%s): %g in `%.200s`, %g here (%s)", kind->record.name,
                   component->name, kind->size, stored->sizes[c], file->file, size,
                   kind->Window ? "must not be smaller" : "must be the same");
    PetscCall(add_fault(file, COSPIN_QUERY_FILE, faults, why));
  }
  PetscFunctionReturn(0);
}

/* The rows as entries; what is outside of an open window is left out. Sorted by key afterwards; the trace is
 * checked, as a state of another run may be one that is not normalised. */
static PetscErrorCode convert(const CospinStateFile *file, CospinStoredState stored, CospinFaults faults,
                              CospinState state, PetscBool *ok)
{
  const size_t width = (size_t)stored->num_columns + 2;
  double complex trace = 0.0;
  int label[COSPIN_MAX_COORDINATES];
  char why[512] = "";

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)stored->count, &state->entries));
  for (PetscInt64 k = 0; k < stored->count; k++) {
    const double *row = stored->rows + (size_t)k * width;
    const double complex value = row[width - 2] + I * row[width - 1];
    if (!CospinStorageLabel(state->system, row, label)) {
      PetscCall(PetscSNPrintf(why, sizeof(why), "the state in `%.200s` has labels that this problem has not",
                              file->file));
      break;
    }
    trace += value * CospinSystemTrace(state->system, label);
    /* Beyond this problem's window: left out, after its part of the trace was counted. */
    if (!CospinSystemContains(state->system, label)) continue;
    state->entries[state->num_entries++] = (CospinStateEntry){key_of(state->system, label), value};
  }
  if (!why[0] && !(cabs(trace - 1.0) <= trace_tolerance))
    PetscCall(PetscSNPrintf(why, sizeof(why), "the state in `%.200s` has the trace %.6g (must be 1)",
                            file->file, creal(trace)));
  if (state->num_entries)
    qsort(state->entries, (size_t)state->num_entries, sizeof(CospinStateEntry), compare);
  *ok = (PetscBool)(why[0] == 0);
  if (!*ok) PetscCall(add_fault(file, COSPIN_QUERY_FILE, faults, why));
  PetscFunctionReturn(0);
}

/* Relative to the folder of the deck, as everything that a deck names. */
static PetscErrorCode read_file(CospinProblem problem, const CospinStateFile *file, const double at[],
                                CospinStored stored, CospinStoredState *found, CospinFaults faults)
{
  CospinStoredQuery query = {.task = file->task, .num_at = file->num_at, .values = at};
  CospinStoredGroup wanted;
  char path[PETSC_MAX_PATH_LEN], why[768];
  int part;

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s%s", file->file[0] == '/' ? "" : problem->deck->folder,
                          file->file));
  query.file = path;
  query.at = (const char *const *)file->at;
  PetscCall(CospinStorageCreate(&problem->system, &wanted));
  PetscCall(CospinDatasetReadState(&query, &wanted, stored, found, &part, why, sizeof(why)));
  PetscCall(CospinStorageDestroy(&wanted));
  if (!*found) PetscCall(add_fault(file, part, faults, why));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStoredStateLoad(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                     CospinState state, PetscBool *ok)
{
  int lo[COSPIN_MAX_COORDINATES];
  PetscInt64 values[COSPIN_MAX_COORDINATES];
  CospinStoredState found = NULL;
  CospinStored stored;
  double *at;

  PetscFunctionBeginUser;
  state->stored = PETSC_TRUE;
  state->pure = PETSC_FALSE;
  PetscCall(PetscMalloc1((size_t)setting->file->num_at + 1, &at));
  PetscCall(CospinStoredCreate(0, &stored));
  PetscCall(evaluate_at(problem, setting->file, faults, at, ok));
  if (*ok && !digits(&problem->system, lo, values)) {
    *ok = PETSC_FALSE;
    PetscCall(
        add_fault(setting->file, COSPIN_QUERY_FILE, faults, "this problem is too large for stored states"));
  }
  if (*ok) {
    PetscCall(read_file(problem, setting->file, at, stored, &found, faults));
    *ok = (PetscBool)(found != NULL);
  }
  if (*ok) PetscCall(check_sizes(problem, setting->file, found, faults, ok));
  if (*ok) PetscCall(convert(setting->file, found, faults, state, ok));
  PetscCall(CospinStoredDestroy(&stored));
  PetscCall(PetscFree(at));
  PetscFunctionReturn(0);
}
