/*
   An expansion in the place of labels that do not fit (`operator: auto`).

   Only numbers that it calls good are taken. The question is the task's own, but for `tolerance`: of the
   exact task that is a residual, of the expansion the error of a number, so its default holds.

   When: the exact task says that it is too large for the machine (farm/estimate.c), the deck says
   `operator: auto`, there is an expanded task of the same name, and every key that the user has written
   means something to it. Keys that were left at their defaults do not count: nobody has asked for anything
   by them.

   How: the record is rewritten for the other kind, key by key, and run as that task; variables of both
   have the same names, so the table (store/table.c) needs no second set, and what only the exact task
   stores stays missing.
*/
#include "expanded.h"
#include <cospin/tasks/instead.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* Keys of the exact task that say how and not what is computed. */
static const char *const meaningless[] = {"tolerance", "weights", NULL}; /* nothing that is asked for */

static const CospinTaskKind *kind_instead(const CospinRecord *task)
{
  for (int k = 0; CospinTaskExpandedKinds[k]; k++)
    if (strcmp(CospinTaskExpandedKinds[k]->record.name, task->kind->name) == 0)
      return CospinTaskExpandedKinds[k];
  return NULL;
}

/* Settings stand in the order of the kind's own keys, so they are found by name when kinds differ. */
static const CospinSetting *find_setting(const CospinRecord *task, const char name[])
{
  for (int k = 0; task->kind->keys[k].name; k++)
    if (strcmp(task->kind->keys[k].name, name) == 0) return &task->settings[k];
  return NULL;
}

/* A default is text that is read as if it stood in the deck, so only its text tells it from what a user
   wrote; who writes the default has asked for nothing else. */
static PetscBool is_given(const CospinSetting *setting)
{
  const char *usual = setting->key ? setting->key->default_text : NULL;

  if (usual) return (PetscBool)(setting->text && strcmp(setting->text, usual) != 0);
  return (PetscBool)(setting->text || setting->expression || setting->axis.size || setting->factors ||
                     setting->file || setting->numbers);
}

static PetscBool has_key(const CospinKey keys[], const char name[])
{
  for (; keys->name; keys++)
    if (strcmp(keys->name, name) == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Better no number than the answer to another question: a key that the expansion does not know makes the
   point too_large, as it was. */
static PetscBool is_understood(const CospinRecord *task, const CospinTaskKind *kind)
{
  for (int k = 0; task->kind->keys[k].name; k++) {
    const char *name = task->kind->keys[k].name;
    PetscBool counts = PETSC_TRUE;
    for (int m = 0; meaningless[m]; m++)
      if (strcmp(name, meaningless[m]) == 0) counts = PETSC_FALSE;
    if (counts && is_given(&task->settings[k]) && !has_key(kind->record.keys, name)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The same question as a record of the other kind; settings are borrowed, but for the tolerance. Lives as
   long as one run. `position` stays that of the task, for faults. */
static PetscErrorCode create_record(const CospinRecord *task, const CospinTaskKind *kind,
                                    CospinRecord *record)
{
  const CospinKey *keys = kind->record.keys;
  int num = 0;

  PetscFunctionBeginUser;
  *record = (CospinRecord){.name = task->name, .kind = &kind->record, .position = task->position};
  while (keys[num].name) num++;
  PetscCall(PetscCalloc1((size_t)num, &record->settings));
  for (int k = 0; k < num; k++) {
    const CospinSetting *setting = find_setting(task, keys[k].name);
    if (setting && strcmp(keys[k].name, "tolerance") != 0)
      record->settings[k] = *setting;
    else
      PetscCall(CospinExpressionParse(keys[k].default_text, task->position, "tasks", NULL,
                                      &record->settings[k].expression));
    record->settings[k].key = &keys[k];
  }
  PetscFunctionReturn(0);
}

/* Only the tolerance is ours: it was parsed here, from the default of the expanded kind. */
static PetscErrorCode destroy_record(CospinRecord *record)
{
  PetscFunctionBeginUser;
  for (int k = 0; record->kind->keys[k].name; k++)
    if (strcmp(record->kind->keys[k].name, "tolerance") == 0)
      PetscCall(CospinExpressionDestroy(&record->settings[k].expression));
  PetscCall(PetscFree(record->settings));
  PetscFunctionReturn(0);
}

/* Check of the expanded kind is asked with faults that nobody reads: here "it has no expansion" is an
   answer and not a fault of the deck. */
PetscErrorCode CospinTaskMayExpand(CospinProblem problem, const CospinRecord *task, PetscBool *may)
{
  const CospinTaskKind *kind = kind_instead(task);
  CospinDimension dimension = {0};
  CospinFaults faults;
  CospinRecord record;

  PetscFunctionBeginUser;
  *may =
      (PetscBool)(kind && problem->deck->operator_form == COSPIN_OPERATOR_AUTO && is_understood(task, kind));
  if (!*may) PetscFunctionReturn(0);
  PetscCall(create_record(task, kind, &record));
  PetscCall(CospinFaultsCreate("", &faults));
  PetscCall(kind->Check(problem, &record, faults, &dimension, may));
  PetscCall(CospinFaultsDestroy(&faults));
  PetscCall(destroy_record(&record));
  PetscFunctionReturn(0);
}

/* The task's part of the record to values[], or back from there; how many there are. Called three times:
   to count, to keep what was there, and to put it back. */
static int copy_values(CospinResults results, double values[], PetscBool back)
{
  int count = 0;

  for (int v = 0; v < results.count; v++)
    for (int i = 0; i < results.variables[v].size; i++, count++) {
      double *value = &results.record[results.variables[v].offset + i];
      if (back)
        *value = values[count];
      else if (values)
        values[count] = *value;
    }
  return count;
}

/* Of what is not called good nothing stays. An uncertified number would be a good one's equal in the eyes
   of whoever reads the file, and here nobody has asked for an expansion. */
PetscErrorCode CospinTaskRunExpanded(CospinPoint point, const CospinRecord *task, CospinResults results,
                                     CospinOutcome *outcome)
{
  const CospinTaskKind *kind = kind_instead(task);
  CospinRecord record;
  double *before;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)copy_values(results, NULL, PETSC_FALSE), &before));
  (void)copy_values(results, before, PETSC_FALSE);
  /* The expanded task may store variables that this task's table does not have (edge, degree): they are
     passed over instead of being a bug. */
  results.partial = PETSC_TRUE;
  PetscCall(create_record(task, kind, &record));
  PetscCall(kind->Run(point, &record, results, outcome));
  PetscCall(destroy_record(&record));
  if (*outcome != COSPIN_GOOD) (void)copy_values(results, before, PETSC_TRUE);
  PetscCall(PetscFree(before));
  PetscFunctionReturn(0);
}
