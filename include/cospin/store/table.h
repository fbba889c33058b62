/*
   The table of results: which variables a deck's run has, where each stands in a grid point's record of
   doubles, and the grid as dimensions. Made once from the deck; the farm fills records, the dataset writes
   them.
*/
#pragma once
#include <cospin/point/task.h>

typedef struct CospinTable_ {
  CospinLayout layout;                      /* its arrays are owned by this table */
  int *first_of_task;                       /* [num_tasks + 1] first variable of each task */
  int *outcome_of_task;                     /* [num_tasks] offset of `<task>_outcome` */
  int *seconds_of_task;                     /* [num_tasks] */
  int outcome, seconds, peak_memory, ranks; /* offsets of the point's own variables */
  int first_of_arrays; /* variable of the first part of the first array that has parts; the others follow */
} * CospinTable;

/* The variables that every point has, whatever its tasks. */
extern const CospinTaskVariable CospinPointVariables[];

/*
   Not collective. Checks every grid point of the deck (sizes, rates, operators, settings of tasks), stopping
   at the first point that adds faults, and lays out the table. *ok tells; *table is NULL unless *ok.
*/
PetscErrorCode CospinTableCreate(CospinDeck deck, CospinFaults faults, CospinTable *table, PetscBool *ok);
/* Not collective. Of a deck that has faults already: adds those that numbers tell at the first grid point, of
   the parts that are sound, so that one run tells them all. */
PetscErrorCode CospinTableAddFaults(CospinDeck deck, CospinFaults faults);
/* Not collective. A fault for every axis and variable under `plots:` that the table does not have; *ok is
   cleared then. */
PetscErrorCode CospinTableCheckPlots(CospinTable table, CospinDeck deck, CospinFaults faults, PetscBool *ok);
PetscErrorCode CospinTableDestroy(CospinTable *table);

/* An empty record: NaN everywhere, outcomes COSPIN_NOT_RUN. */
void CospinTableClear(CospinTable table, double record[]);

/* Parts of arrays go into the record of their grid point. */
void CospinTableStoreArrays(CospinTable table, CospinProblem problem, double record[]);

/* Where task k leaves its numbers. */
CospinResults CospinTableResults(CospinTable table, CospinDeck deck, int task, double record[]);
