/*
   A line of labels: label + t row, t = ..., -1, 0, 1, ..., for a row of a lattice's Hermite normal form. Its
   pivot coordinate runs through an arithmetic progression; those behind it go along.
*/
#pragma once
#include <cospin/problem/component.h>
#include <cospin/problem/lattice.h>

typedef struct {
  int pivot, step;
  const int *row; /* borrowed from the lattice */
} CospinLine;

/* The line along row r of a lattice. */
CospinLine CospinLineOf(CospinLattice lattice, int r);
/* label += t row */
void CospinLineMove(const CospinSystem *system, const CospinLine *line, int t, int label[]);
/* Whether coordinates begin ... end-1 are in range. `skip` marks some that are not asked; NULL: none. */
PetscBool CospinLabelFits(const CospinSystem *system, const PetscBool skip[], int begin, int end,
                          const int label[]);
/* The same of the labels that the window keeps. */
PetscBool CospinLabelKept(const CospinSystem *system, const PetscBool skip[], int begin, int end,
                          const int label[]);
/* Moves label to the first value lo ... hi of the pivot coordinate; how many there are. */
int CospinLineStart(const CospinSystem *system, const CospinLine *line, int lo, int hi, int label[]);
/* The t from 0 to total-1 for which all coordinates behind the pivot are in range and in the window: first
   ... last, for ranges are linear. There are none if first > last; what the difference is then still goes on
   linearly where the bounds do, unless no t helps: last is less than -2^40 then. */
void CospinLineRun(const CospinSystem *system, const PetscBool skip[], const CospinLine *line, int total,
                   const int label[], PetscInt64 *first, PetscInt64 *last);
