/*
   Stored states in memory: rows that grow.

   A task appends rows (label columns, real and imaginary part) in any order; they are sorted when they are
   written.

   Rows hold doubles only, labels included: labels are integers or halves, exact in a double, and one array
   is what is written, sorted and sent. `task` and `time` say which state it is; of a point there may be
   several.
*/
#include <cospin/dataset/stored.h>

PetscErrorCode CospinStoredCreate(PetscInt64 point, CospinStored *stored)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(stored));
  (*stored)->point = point;
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_state(CospinStoredState *state)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree((*state)->sizes));
  PetscCall(PetscFree((*state)->rows));
  PetscCall(PetscFree(*state));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStoredDestroy(CospinStored *stored)
{
  PetscFunctionBeginUser;
  if (!*stored) PetscFunctionReturn(0);
  for (int k = 0; k < (*stored)->count; k++) PetscCall(destroy_state(&(*stored)->states[k]));
  PetscCall(PetscFree((*stored)->states));
  PetscCall(PetscFree(*stored));
  PetscFunctionReturn(0);
}

/* Takes the state: it is freed with the list. Pointers are kept, so that a state stays where it is when
   the list grows. */
static PetscErrorCode keep(CospinStored stored, CospinStoredState state)
{
  PetscFunctionBeginUser;
  if (stored->count == stored->capacity) {
    stored->capacity = 2 * stored->capacity + 4;
    PetscCall(PetscRealloc(sizeof(CospinStoredState) * (size_t)stored->capacity, &stored->states));
  }
  stored->states[stored->count++] = state;
  PetscFunctionReturn(0);
}

/* The state is borrowed from the list, to be filled by the caller. */
PetscErrorCode CospinStoredAdd(CospinStored stored, int task, int time, int num_sizes, const double sizes[],
                               int num_columns, CospinStoredState *state)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(state));
  (*state)->task = task;
  (*state)->time = time;
  (*state)->num_sizes = num_sizes;
  (*state)->num_columns = num_columns;
  PetscCall(PetscMalloc1(num_sizes, &(*state)->sizes));
  PetscCall(PetscArraycpy((*state)->sizes, sizes, num_sizes));
  PetscCall(keep(stored, *state));
  PetscFunctionReturn(0);
}

/* `from` keeps its memory and is empty: the caller destroys it. */
PetscErrorCode CospinStoredTake(CospinStored stored, CospinStored from)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < from->count; k++) PetscCall(keep(stored, from->states[k]));
  from->count = 0;
  PetscFunctionReturn(0);
}

/* Of a task that has failed or is left: what it stored before belongs to no result. */
PetscErrorCode CospinStoredDrop(CospinStored stored, int task)
{
  int count = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < stored->count; k++) {
    if (stored->states[k]->task == task)
      PetscCall(destroy_state(&stored->states[k]));
    else
      stored->states[count++] = stored->states[k];
  }
  stored->count = count;
  PetscFunctionReturn(0);
}

/* Doubled and a bit: states of 10^6 elements are appended one by one. */
PetscErrorCode CospinStoredStateAppend(CospinStoredState state, const double labels[], double complex value)
{
  const size_t width = (size_t)state->num_columns + 2;
  double *row;

  PetscFunctionBeginUser;
  if (state->count == state->capacity) {
    state->capacity = 2 * state->capacity + 256;
    PetscCall(PetscRealloc(sizeof(double) * width * (size_t)state->capacity, &state->rows));
  }
  row = state->rows + (size_t)state->count++ * width;
  PetscCall(PetscArraycpy(row, labels, state->num_columns));
  row[width - 2] = creal(value);
  row[width - 1] = cimag(value);
  PetscFunctionReturn(0);
}

/* To trace 1, of states whose trace is a probability so far. */
void CospinStoredStateScale(CospinStoredState state, double factor)
{
  const size_t width = (size_t)state->num_columns + 2;

  for (size_t k = 0; k < (size_t)state->count; k++) {
    state->rows[k * width + width - 2] *= factor;
    state->rows[k * width + width - 1] *= factor;
  }
}

/* Rows are appended; equal labels are added up by Combine at the end. */
PetscErrorCode CospinStoredStateAxpy(CospinStoredState state, double factor, CospinStoredState other)
{
  const size_t width = (size_t)other->num_columns + 2;

  PetscFunctionBeginUser;
  for (size_t k = 0; k < (size_t)other->count; k++) {
    const double *row = other->rows + k * width;
    PetscCall(CospinStoredStateAppend(state, row, factor * CMPLX(row[width - 2], row[width - 1])));
  }
  PetscFunctionReturn(0);
}

/* context: how many columns of labels there are */
static int compare_labels(const void *a, const void *b, void *context)
{
  const double *x = (const double *)a, *y = (const double *)b;
  const int num_columns = *(const int *)context;

  for (int k = 0; k < num_columns; k++)
    if (x[k] != y[k]) return x[k] < y[k] ? -1 : 1;
  return 0;
}

/* In place: sorted by labels, then equal neighbours are added up. PetscTimSort is stable and takes a
   context, which qsort does not. */
PetscErrorCode CospinStoredStateCombine(CospinStoredState state)
{
  const size_t width = (size_t)state->num_columns + 2;
  PetscInt64 last = 0;

  PetscFunctionBeginUser;
  if (state->count == 0) PetscFunctionReturn(0);
  PetscCall(PetscTimSort((PetscInt)state->count, state->rows, sizeof(double) * width, compare_labels,
                         &state->num_columns));
  for (PetscInt64 k = 1; k < state->count; k++) {
    const double *row = state->rows + (size_t)k * width;
    double *sum = state->rows + (size_t)last * width;
    if (compare_labels(sum, row, &state->num_columns) == 0) {
      sum[width - 2] += row[width - 2];
      sum[width - 1] += row[width - 1];
    } else if (++last < k) {
      PetscCall(PetscArraycpy(sum + width, row, width));
    }
  }
  state->count = last + 1;
  PetscFunctionReturn(0);
}
