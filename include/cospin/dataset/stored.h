/*
   Stored states: density matrices of one grid point, element by element, as they go from a task to the file.

   The rows are what the file holds, one element a row: the labels of ket and bra as columns of numbers, then
   the real and the imaginary part. What the columns are called and mean is said once for all states of a task
   (CospinStoredGroup). Nothing here is collective, and nothing here knows physics.
*/
#pragma once
#include <complex.h>
#include <petscsys.h>

/* One density matrix. */
typedef struct CospinStoredState_ {
  int task, time; /* index of the task in the deck; of the time among those that the task stores, 0 without */
  int num_sizes;
  double *sizes;   /* [num_sizes] size of every component at this point */
  int num_columns; /* of labels */
  PetscInt64 count, capacity;
  double *rows; /* [count][num_columns + 2] */
} * CospinStoredState;

/* The states of one grid point: of all its tasks and times, in any order. */
typedef struct CospinStored_ {
  PetscInt64 point;
  int count, capacity;
  CospinStoredState *states; /* owned */
} * CospinStored;

PetscErrorCode CospinStoredCreate(PetscInt64 point, CospinStored *stored);
PetscErrorCode CospinStoredDestroy(CospinStored *stored);
/* A new state without elements; *state is borrowed and stays where it is. sizes[num_sizes] is copied. */
PetscErrorCode CospinStoredAdd(CospinStored stored, int task, int time, int num_sizes, const double sizes[],
                               int num_columns, CospinStoredState *state);
/* Moves all states of `from`, which is left empty. */
PetscErrorCode CospinStoredTake(CospinStored stored, CospinStored from);
/* Destroys the states of a task. */
PetscErrorCode CospinStoredDrop(CospinStored stored, int task);
/* Adds an element; labels[num_columns]. */
PetscErrorCode CospinStoredStateAppend(CospinStoredState state, const double labels[], double complex value);
/* All elements times a number. */
void CospinStoredStateScale(CospinStoredState state, double factor);
/* Adds the elements of another state of the same labels, times a number, as rows of their own. */
PetscErrorCode CospinStoredStateAxpy(CospinStoredState state, double factor, CospinStoredState other);
/* Sums rows of the same labels; the rows are sorted then. */
PetscErrorCode CospinStoredStateCombine(CospinStoredState state);
