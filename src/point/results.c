/*
   How a task leaves its numbers: by the names of its variables, in the record of a grid point.

   Variables are known by the suffix of their row and found in the task's own part of the record, so that no
   task needs to know where in the record it stands, or which other tasks there are.
*/
#include <cospin/point/results.h>
#include <string.h>

const CospinVariable *CospinResultsFind(CospinResults results, const char suffix[])
{
  for (int k = 0; k < results.count; k++) {
    if (strlen(results.variables[k].name) < results.prefix_length) continue;
    if (strcmp(results.variables[k].name + results.prefix_length, suffix) == 0) return &results.variables[k];
  }
  return NULL;
}

/* A suffix that the task did not declare is an error of the program, unless results are known to be partial:
   a number is not dropped in silence. */
PetscErrorCode CospinResultsSet(CospinResults results, const char suffix[], int index, double value)
{
  const CospinVariable *variable = CospinResultsFind(results, suffix);

  PetscFunctionBeginUser;
  if (!variable && results.partial) PetscFunctionReturn(0);
  PetscCheck(variable, PETSC_COMM_SELF, PETSC_ERR_PLIB, "No variable of this task ends in %s", suffix);
  if (index < variable->size) results.record[variable->offset + index] = value;
  PetscFunctionReturn(0);
}

int CospinResultsPlace(const CospinVariable *variable, const CospinObservable *observable, int index)
{
  for (int i = 0; i < 2; i++)
    if (variable->inner[i]) index = index * variable->inner[i] + observable->at[i];
  return index;
}

/* One part of an observable's value. */
static PetscErrorCode set_part(CospinResults results, const CospinObservable *observable, const char part[],
                               int index, double value)
{
  const CospinVariable *variable;
  char suffix[96];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s", observable->definition->name, part));
  variable = CospinResultsFind(results, suffix);
  PetscCall(CospinResultsSet(results, suffix,
                             variable ? CospinResultsPlace(variable, observable, index) : index, value));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinResultsSetObservable(CospinResults results, const CospinObservable *observable,
                                          int index, double complex value)
{
  PetscFunctionBeginUser;
  PetscCall(set_part(results, observable, observable->real ? "" : "_re", index, creal(value)));
  if (!observable->real) PetscCall(set_part(results, observable, "_im", index, cimag(value)));
  PetscFunctionReturn(0);
}
