/* The table of tasks, and how they leave their numbers. */
#include <cospin/task.h>
#include <string.h>

#define COSPIN_TASK(kind) extern const CospinTaskKind kind;
#include "list.h"
#undef COSPIN_TASK

#define COSPIN_TASK(kind) &kind,
const CospinTaskKind *const CospinTaskKinds[] = {
#include "list.h"
    NULL};
#undef COSPIN_TASK

#define COSPIN_TASK(kind) &kind.record,
const CospinRecordKind *const CospinTaskRecords[] = {
#include "list.h"
    NULL};
#undef COSPIN_TASK

const CospinTaskKind *CospinTaskKindOf(const CospinRecord *task)
{
  int k = 0;

  while (&CospinTaskKinds[k]->record != task->kind) k++;
  return CospinTaskKinds[k];
}

PetscErrorCode CospinResultsSet(CospinResults results, const char suffix[], int index, double value)
{
  const size_t length = strlen(suffix);

  PetscFunctionBeginUser;
  for (int k = 0; k < results.count; k++) {
    const CospinVariable *variable = &results.variables[k];
    const size_t name_length = strlen(variable->name);
    if (name_length <= length || strcmp(variable->name + name_length - length, suffix) != 0) continue;
    if (name_length != results.prefix_length + length) continue;
    if (index < variable->size) results.record[variable->offset + index] = value;
    PetscFunctionReturn(0);
  }
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_PLIB, "No variable of this task ends in %s", suffix);
}

PetscErrorCode CospinResultsSetObservable(CospinResults results, const CospinObservable *observable,
                                          int index, double complex value)
{
  char suffix[96];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s%s", observable->definition->name,
                          observable->real ? "" : "_re"));
  PetscCall(CospinResultsSet(results, suffix, index, creal(value)));
  if (observable->real) PetscFunctionReturn(0);
  PetscCall(PetscSNPrintf(suffix, sizeof(suffix), "%s_im", observable->definition->name));
  PetscCall(CospinResultsSet(results, suffix, index, cimag(value)));
  PetscFunctionReturn(0);
}
