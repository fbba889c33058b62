/* Stored states in memory: growing rows, and the block of doubles that goes between processes. */
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

/* ---- As one block: point, count, then for each state its head, sizes and rows ----------------------------
 */

enum { STORED_HEAD = 2, STATE_HEAD = 5 };

static size_t num_numbers(CospinStoredState state)
{
  return (size_t)state->count * ((size_t)state->num_columns + 2);
}

PetscErrorCode CospinStoredPack(CospinStored stored, PetscInt64 *size, double **buffer)
{
  double *at;

  PetscFunctionBeginUser;
  *size = STORED_HEAD;
  for (int k = 0; k < stored->count; k++) {
    const CospinStoredState state = stored->states[k];
    *size += STATE_HEAD + state->num_sizes + (PetscInt64)num_numbers(state);
  }
  PetscCall(PetscMalloc1((size_t)*size, buffer));
  at = *buffer;
  *at++ = (double)stored->point;
  *at++ = stored->count;
  for (int k = 0; k < stored->count; k++) {
    const CospinStoredState state = stored->states[k];
    const double head[STATE_HEAD] = {state->task, state->time, state->num_sizes, state->num_columns,
                                     (double)state->count};
    PetscCall(PetscArraycpy(at, head, STATE_HEAD));
    at += STATE_HEAD;
    PetscCall(PetscArraycpy(at, state->sizes, state->num_sizes));
    at += state->num_sizes;
    PetscCall(PetscArraycpy(at, state->rows, num_numbers(state)));
    at += num_numbers(state);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStoredUnpack(const double buffer[], CospinStored *stored)
{
  const double *at = buffer + STORED_HEAD;

  PetscFunctionBeginUser;
  PetscCall(CospinStoredCreate((PetscInt64)buffer[0], stored));
  for (int k = 0; k < (int)buffer[1]; k++) {
    CospinStoredState state;
    PetscCall(
        CospinStoredAdd(*stored, (int)at[0], (int)at[1], (int)at[2], at + STATE_HEAD, (int)at[3], &state));
    state->count = state->capacity = (PetscInt64)at[4];
    at += STATE_HEAD + state->num_sizes;
    PetscCall(PetscMalloc1(num_numbers(state), &state->rows));
    PetscCall(PetscArraycpy(state->rows, at, num_numbers(state)));
    at += num_numbers(state);
  }
  PetscFunctionReturn(0);
}
