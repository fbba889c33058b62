/* Small sparse matrices that every rank holds: elements are added in any order, then sorted by row. */
#pragma once
#include <petscsys.h>

typedef struct {
  int row, column;
  int slot; /* a number of the owner's; elements of different slots are not added up */
  PetscScalar value;
} CospinElement;

typedef struct {
  int count, capacity;
  CospinElement *elements;
  int *first; /* [num_rows + 1] once finished */
} CospinRows;

PetscErrorCode CospinRowsAdd(CospinRows *rows, CospinElement element);
/* Sorts by row, column, slot; adds up what is equal in all of them, drops zeros. */
PetscErrorCode CospinRowsFinish(CospinRows *rows, int num_rows);
PetscErrorCode CospinRowsDestroy(CospinRows *rows);
