/* A set of rows of integers: each is kept once and has a number, 0, 1, 2, ... in the order of arrival. */
#pragma once
#include <petscsys.h>

typedef struct {
  int width;                /* integers in a row */
  PetscInt count, capacity; /* rows */
  int *rows;                /* [count][width] */
  PetscInt num_slots;       /* a power of two */
  PetscInt *slots;          /* number of a row, -1: empty */
} CospinLabelSet;

/* Not collective. An empty one. */
PetscErrorCode CospinLabelSetCreate(int width, CospinLabelSet *set);
PetscErrorCode CospinLabelSetDestroy(CospinLabelSet *set);
/* Not collective. The number of row[width], -1: it is not there. */
PetscInt CospinLabelSetFind(const CospinLabelSet *set, const int row[]);
/* Not collective. The number of row[width], which is added if it is `new`. */
PetscErrorCode CospinLabelSetAdd(CospinLabelSet *set, const int row[], PetscInt *number, PetscBool *new);
