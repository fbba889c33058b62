/* A table of results while its columns are laid out. */
#pragma once
#include <cospin/store/table.h>

enum { COSPIN_TABLE_MAX_PARTS = 32 }; /* of an array */

typedef struct {
  CospinTable table;
  CospinDeck deck;
  CospinVariable *variables;
  int count, capacity, length;
  int num_dimensions;
  CospinDimension *dimensions; /* [num_tasks*(1 + COSPIN_TASK_FURTHER) +
                                  2*num_arrays*COSPIN_TABLE_MAX_PARTS + 2] at most */
  int spins[2];                /* the most that l and m of observables with `each:` run over */
  int *dimension_of_task;      /* [num_tasks][1 + COSPIN_TASK_FURTHER]; -1: none */
} CospinTableBuilder;

/* All of these: not collective. They append to builder->variables, in the order of the dataset. */

/* The axes of the grid as the first dimensions of every variable. */
PetscErrorCode CospinTableSetAxes(CospinTable table, CospinDeck deck);
/* wanted[num_tasks][1 + COSPIN_TASK_FURTHER]: the dimensions of each task, size 0 for none. */
PetscErrorCode CospinTableSetDimensions(CospinTableBuilder *builder, const CospinDimension wanted[]);
PetscErrorCode CospinTableAddPoint(CospinTableBuilder *builder);
/* sizes[num_arrays][COSPIN_TABLE_MAX_PARTS]: the largest of each part on the grid. */
PetscErrorCode CospinTableAddArrays(CospinTableBuilder *builder, const int sizes[]);
PetscErrorCode CospinTableAddTask(CospinTableBuilder *builder, int task, CospinObservables observables);
/* The groups of stored states; *ok is cleared where an axis has the name of a part of one. */
PetscErrorCode CospinTableSetGroups(CospinTableBuilder *builder, const CospinSystem *system,
                                    CospinFaults faults, PetscBool *ok);
