/* Stored states in memory: rows that grow. */
#include <cospin/stored.h>

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

PetscErrorCode CospinStoredTake(CospinStored stored, CospinStored from)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < from->count; k++) PetscCall(keep(stored, from->states[k]));
  from->count = 0;
  PetscFunctionReturn(0);
}

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
