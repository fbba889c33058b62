/*
   States on their way from the ranks of a point into what is stored: its first rank keeps them.

   Sectors are solved one after the other and freed; a state that is stored, or that a functional of the whole
   state reads, is put together from them element by element, with the columns in which its components name
   their labels (cospin/problem/storage.h).
*/
#include <cospin/point/settings.h>
#include <cospin/problem/storage.h>
#include <string.h>

const char *const CospinTaskStoreChoices[] = {"nothing", "state", NULL};

PetscBool CospinTaskStores(const CospinRecord *task)
{
  return (PetscBool)(strcmp(CospinRecordGet(task, "store")->text, "state") == 0);
}

PetscErrorCode CospinTaskNewState(CospinProblem problem, const CospinRecord *task, int time,
                                  CospinStored stored, CospinStoredState *state)
{
  const CospinSystem *system = &problem->system;
  double sizes[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  CospinStorageSizes(system, sizes);
  PetscCall(CospinStoredAdd(stored, (int)(task - problem->deck->tasks), time, system->num_components, sizes,
                            CospinStorageNumColumns(system), state));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskCollect(const CospinSystem *system, CospinSector sector, Vec rho,
                                 CospinStoredState state)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskCollectAlong(system, sector, rho, -1, &state));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskCollectAlong(const CospinSystem *system, CospinSector sector, Vec rho,
                                      int coordinate, const CospinStoredState states[])
{
  double columns[2 * COSPIN_MAX_COORDINATES];
  int label[COSPIN_MAX_COORDINATES];
  const PetscScalar *array;
  VecScatter scatter;
  PetscInt size;
  Vec all;

  PetscFunctionBeginUser;
  PetscCall(VecScatterCreateToZero(rho, &scatter, &all));
  PetscCall(VecScatterBegin(scatter, rho, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(scatter, rho, all, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetLocalSize(all, &size)); /* 0 on all ranks but the first */
  PetscCall(VecGetArrayRead(all, &array));
  for (PetscInt i = 0; i < size; i++) {
    CospinSectorLabel(sector, i, label);
    CospinStorageColumns(system, label, columns);
    PetscCall(CospinStoredStateAppend(states[coordinate < 0 ? 0 : label[coordinate]], columns, array[i]));
  }
  PetscCall(VecRestoreArrayRead(all, &array));
  PetscCall(VecDestroy(&all));
  PetscCall(VecScatterDestroy(&scatter));
  PetscFunctionReturn(0);
}
