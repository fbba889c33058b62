/*
   What a problem's states look like in a file: every component says it of its own labels.

   Three things are said of each component: its size (what a window or a number of atoms is called in its
   kind), the columns that number its labels in words of physics (j, m, m', not coordinates), and what an
   element of it means. A stored state is then rows of these columns and a complex number, which another
   program can read without knowing how labels are counted here.
*/
#include <cospin/problem/storage.h>
#include <string.h>

/* Names begin with the component's, for two modes have the same columns. */
static PetscErrorCode add_column(CospinStoredColumn *column, const char component[], const char suffix[],
                                 PetscBool integer, const char help[])
{
  PetscFunctionBeginUser;
  column->storage = integer ? COSPIN_INTEGER : COSPIN_REAL;
  PetscCall(PetscSNPrintf(column->name, sizeof(column->name), "%.80s_%s", component, suffix));
  PetscCall(PetscSNPrintf(column->long_name, sizeof(column->long_name), "%.60s: %s", component, help));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStorageCreate(const CospinSystem *system, CospinStoredGroup *group)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(group, 1));
  group->num_components = system->num_components;
  PetscCall(PetscCalloc1(system->num_components, &group->components));
  PetscCall(PetscCalloc1(system->num_components, &group->sizes));
  PetscCall(PetscCalloc1(system->num_coordinates + 1, &group->columns));
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    const CospinComponentKind *kind = component->kind;
    group->components[c] = (CospinStoredComponent){component->name, kind->record.name, kind->element};
    PetscCall(add_column(&group->sizes[c], component->name, "size", PETSC_FALSE, kind->size));
    for (int k = 0; kind->columns[k].suffix; k++) {
      PetscCall(add_column(&group->columns[group->num_columns++], component->name, kind->columns[k].suffix,
                           kind->columns[k].integer, kind->columns[k].help));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStorageDestroy(CospinStoredGroup *group)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(group->components));
  PetscCall(PetscFree(group->sizes));
  PetscCall(PetscFree(group->columns));
  PetscFunctionReturn(0);
}

/* The table of the kind ends with a row without a name. */
static int num_columns(const CospinComponent component)
{
  int count = 0;

  while (component->kind->columns[count].suffix) count++;
  return count;
}

int CospinStorageNumColumns(const CospinSystem *system)
{
  int count = 0;

  for (int c = 0; c < system->num_components; c++) count += num_columns(&system->components[c]);
  return count;
}

void CospinStorageSizes(const CospinSystem *system, double sizes[])
{
  for (int c = 0; c < system->num_components; c++)
    sizes[c] = system->components[c].kind->Size(&system->components[c]);
}

void CospinStorageColumns(const CospinSystem *system, const int label[], double columns[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    component->kind->GetColumns(component, label + component->offset, columns);
    columns += num_columns(component);
  }
}

/* Columns back to a label; false where they name none (a half-integer that is none, an index beyond the
   size). */
PetscBool CospinStorageLabel(const CospinSystem *system, const double columns[], int label[])
{
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (!component->kind->SetColumns(component, columns, label + component->offset)) return PETSC_FALSE;
    columns += num_columns(component);
  }
  return PETSC_TRUE;
}
