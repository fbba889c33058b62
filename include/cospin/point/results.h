/* The numbers that a task leaves at one grid point. */
#pragma once
#include <cospin/dataset/dataset.h>
#include <cospin/observable/observable.h>

#define COSPIN_AVERAGE "_average" /* behind the name of an observable */

/* Where a task leaves its numbers at one point. */
typedef struct {
  const CospinVariable *variables; /* of this task only */
  int count;
  size_t prefix_length; /* of `<task>_` in their names */
  double *record;       /* of the whole point */
  PetscBool partial;    /* what the task has no variable for is dropped, not a bug */
} CospinResults;

/* The variable with this suffix; NULL if the task has none. */
const CospinVariable *CospinResultsFind(CospinResults results, const char suffix[]);
/* Not collective. Stores a value of the variable with this suffix (a bug if the task has none). `index` is
   along the further dimension, 0 for variables that have one value; what is beyond its size is dropped. */
PetscErrorCode CospinResultsSet(CospinResults results, const char suffix[], int index, double value);
/* The place among a variable's values of an observable's at `index`: of `each:` that of its l and m. */
int CospinResultsPlace(const CospinVariable *variable, const CospinObservable *observable, int index);
/* The same for observable k, whose value may be complex. */
PetscErrorCode CospinResultsSetObservable(CospinResults results, const CospinObservable *observable,
                                          int index, double complex value);
