/*
   Groups of stored states in the layout of a dataset: one for each task that stores, with the sizes of its
   components and the columns that number its elements. A group's dimensions share the file's name space with
   the axes of the grid, so an axis with one of their names is a fault.

   Names of columns are made of the component's name and what its kind calls the column: ions_j, cavity_n_bra.
*/
#include "builder.h"
#include <cospin/problem/storage.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* ---- Stored states ------------------------------------------------------------------------------------- */

/* A name of a group's own must not be that of an axis. */
static PetscErrorCode check_group_names(CospinDeck deck, const CospinStoredGroup *group, CospinFaults faults,
                                        PetscBool *ok)
{
  static const char *const taken[] = {"element", "first", "count", "value_re", "value_im"};
  const int num_taken = PETSC_STATIC_ARRAY_LENGTH(taken);
  char path[128];

  PetscFunctionBeginUser;
  for (int a = 0; a < deck->num_axes; a++) {
    for (int k = 0; k < num_taken + group->num_components + group->num_columns; k++) {
      const int c = k - num_taken, l = c - group->num_components;
      const char *name = c < 0 ? taken[k] : l < 0 ? group->sizes[c].name : group->columns[l].name;
      if (strcmp(name, deck->axes[a].name) != 0) continue;
      *ok = PETSC_FALSE;
      PetscCall(PetscSNPrintf(path, sizeof(path), "grid.%s", deck->axes[a].name));
      PetscCall(CospinFaultsAdd(faults, deck->axes[a].position, path,
                                "a part of the stored states is called `%s` too (rename the parameter)",
                                name));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableSetGroups(CospinTableBuilder *builder, const CospinSystem *system,
                                    CospinFaults faults, PetscBool *ok)
{
  CospinDeck deck = builder->deck;
  CospinLayout *layout = &builder->table->layout;
  CospinStoredGroup *groups;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &groups));
  layout->groups = groups;
  for (int k = 0; k < deck->num_tasks; k++) {
    const CospinTaskKind *kind = CospinTaskKindOf(&deck->tasks[k]);
    CospinStoredGroup *group = &groups[layout->num_groups];
    const CospinAxis *times;
    if (!kind->Stores || !kind->Stores(&deck->tasks[k], &times)) continue;
    PetscCall(CospinStorageCreate(system, group));
    group->name = deck->tasks[k].name;
    group->task = k;
    const int dimension = builder->dimension_of_task[k * (1 + COSPIN_TASK_FURTHER)];
    if (kind->states_along && dimension >= 0) group->time = builder->dimensions[dimension];
    if (times) group->time = (CospinDimension){"time", times->size, times->values, deck->time_unit, "time"};
    PetscCall(check_group_names(deck, group, faults, ok));
    layout->num_groups++;
  }
  PetscFunctionReturn(0);
}
