/*
   The table of tasks: the only file that knows all of them.

   `list.h` is the list, included under several meanings: declarations, the table of what runs, the records
   that the deck's reader is given. Those that need no components (heralding) have a list of their own, for a
   deck of nothing else may leave `components:` out.
*/
#include <cospin/point/window.h>
#include <cospin/problem/clock.h>
#include <cospin/tasks/tables.h>
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

#define COSPIN_TASK(kind) extern const CospinTaskKind kind;
#include "expanded/list.h"
#undef COSPIN_TASK

#define COSPIN_TASK(kind) &kind,
const CospinTaskKind *const CospinTaskExpandedKinds[] = {
#include "expanded/list.h"
    NULL};
#undef COSPIN_TASK

#define COSPIN_TASK(kind) &kind.record,
const CospinRecordKind *const CospinTaskExpandedRecords[] = {
#include "expanded/list.h"
    NULL};
#undef COSPIN_TASK

#define COSPIN_TASK(kind) extern const CospinTaskKind kind;
#include "periodic/list.h"
#undef COSPIN_TASK

#define COSPIN_TASK(kind) &kind,
const CospinTaskKind *const CospinTaskPeriodicKinds[] = {
#include "periodic/list.h"
    NULL};
#undef COSPIN_TASK

const CospinRecordKind *const CospinTasksAlone[] = {&CospinTaskHeralding.record, NULL};

/* By the kind's address: a kind is one constant. */
static PetscBool is_alone(const CospinRecord *task)
{
  int k = 0;

  while (CospinTasksAlone[k] && CospinTasksAlone[k] != task->kind) k++;
  return (PetscBool)(CospinTasksAlone[k] != NULL);
}

/* Those that a period turns into another one are of the same name. */
static const CospinTaskKind *periodic_kind(const CospinRecord *task)
{
  int k = 0;

  while (CospinTaskPeriodicKinds[k] && strcmp(CospinTaskPeriodicKinds[k]->record.name, task->kind->name) != 0)
    k++;
  return CospinTaskPeriodicKinds[k];
}

/* Whether the key `period` is given. */
static PetscBool has_period(const CospinRecord *task)
{
  const CospinKey *key = task->kind->keys;

  while (key->name && strcmp(key->name, "period") != 0) key++;
  return (PetscBool)(key->name && CospinRecordGet(task, "period")->expression);
}

/* A deck's record points to the record within its kind, so both lists are searched by address; names occur
   in both (steady, decay). A record is in one of them. With a period it is another task, with variables of
   its own. */
const CospinTaskKind *CospinTaskKindOf(const CospinRecord *task)
{
  if (has_period(task) && periodic_kind(task)) return periodic_kind(task);
  for (int k = 0; CospinTaskExpandedKinds[k]; k++)
    if (&CospinTaskExpandedKinds[k]->record == task->kind) return CospinTaskExpandedKinds[k];
  for (int k = 0;; k++)
    if (&CospinTaskKinds[k]->record == task->kind) return CospinTaskKinds[k];
}

/* The names of those that do are found in the table. */
static PetscErrorCode refuse_time(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  PetscBool *ok)
{
  char sentence[512], names[256] = "";

  PetscFunctionBeginUser;
  for (int k = 0; CospinTaskKinds[k]; k++) {
    if (!CospinTaskKinds[k]->follows_time) continue;
    PetscCall(PetscStrlcat(names, names[0] ? "`, `" : "`", sizeof(names)));
    PetscCall(PetscStrlcat(names, CospinTaskKinds[k]->record.name, sizeof(names)));
  }
  PetscCall(PetscSNPrintf(
      sentence, sizeof(sentence),
      "`t` is the time, and task `%s` needs a generator that does not change (%s` can follow "
      "one that does, `steady` and `gap` with a `period`; or write a parameter in place of `t`)",
      task->name, names));
  PetscCall(CospinClockRefuse(problem, sentence, faults, ok));
  PetscFunctionReturn(0);
}

/* What a kind says of its dimension is wanted in any case. */
PetscErrorCode CospinTaskCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinDimension *dimension, PetscBool *ok)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!kind->follows_time) PetscCall(refuse_time(problem, task, faults, ok));
  if (*ok) PetscCall(kind->Check(problem, task, faults, dimension, ok));
  PetscFunctionReturn(0);
}

/* A user who asks for `method: rational` has asked for factors, whatever size the sector has: then no
   shell is planned. */
PetscBool CospinTaskFactorises(const CospinRecord *task)
{
  for (const CospinKey *key = task->kind->keys; key->name; key++) {
    if (strcmp(key->name, "method") == 0 && CospinRecordGet(task, "method")->text)
      return (PetscBool)(strcmp(CospinRecordGet(task, "method")->text, "rational") == 0);
  }
  return PETSC_FALSE;
}

const char *CospinTaskHelp(const CospinTaskKind *kind, int outcome)
{
  for (const CospinOutcomeHint *hint = kind->hints; hint && hint->text; hint++)
    if ((int)hint->outcome == outcome) return hint->text;
  return CospinOutcomeHelp(outcome);
}

/* Sentences of hints name variables as <task>_growth; here they get the task's own name. */
void CospinTaskDescribeOutcome(const CospinRecord *task, int outcome, char text[], size_t size)
{
  static const char mark[] = "<task>";
  const char *rest = CospinTaskHelp(CospinTaskKindOf(task), outcome), *found;
  size_t length = 0;

  text[0] = 0;
  while ((found = strstr(rest, mark)) && length + 1 < size) {
    length += (size_t)snprintf(text + length, size - length, "%.*s%s", (int)(found - rest), rest, task->name);
    rest = found + sizeof(mark) - 1;
  }
  if (length + 1 < size) (void)snprintf(text + length, size - length, "%s", rest);
}

/* `clicks` solves another problem than the deck's; estimates must be of that one. */
PetscErrorCode CospinTaskGetProblem(CospinProblem problem, const CospinRecord *task, CospinProblem *solved)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);

  PetscFunctionBeginUser;
  *solved = problem;
  if (kind->Derive) PetscCall(kind->Derive(problem, task, solved));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskRestoreProblem(CospinProblem problem, CospinProblem *solved)
{
  PetscFunctionBeginUser;
  if (*solved != problem) PetscCall(CospinProblemDestroy(solved));
  *solved = NULL;
  PetscFunctionReturn(0);
}

/* Then no generator is made of the deck: mean-field decks have any number of spins. */
PetscBool CospinTasksAreApproximate(CospinDeck deck)
{
  for (int k = 0; k < deck->num_tasks; k++) {
    if (!CospinTaskKindOf(&deck->tasks[k])->approximation && !is_alone(&deck->tasks[k])) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* A state that the deck gives may lie anywhere. */
PetscBool CospinTaskStaysNear(const CospinRecord *task)
{
  PetscBool near = CospinTaskKindOf(task)->stays_near;

  for (const CospinKey *key = task->kind->keys; key->name; key++) {
    if (key->type != COSPIN_KEY_STATE) continue;
    if (CospinRecordGet(task, key->name)->factors || CospinRecordGet(task, key->name)->file)
      near = PETSC_FALSE;
  }
  return near;
}

PetscErrorCode CospinTasksFitWindow(CospinProblem problem)
{
  const int n = problem->system.num_coordinates;
  const CospinDeck deck = problem->deck;
  int num = 0, *sectors = NULL;

  PetscFunctionBeginUser;
  if (deck->operator_form == COSPIN_OPERATOR_SHELL) PetscFunctionReturn(0);
  for (int k = 0; k < deck->num_tasks; k++)
    if (!CospinTaskStaysNear(&deck->tasks[k])) PetscFunctionReturn(0);
  for (int k = 0; k < deck->num_tasks; k++) {
    int count, *more;
    PetscCall(CospinTaskKindOf(&deck->tasks[k])->Sectors(problem, &deck->tasks[k], &count, &more));
    PetscCall(PetscRealloc(sizeof(int) * (size_t)(num + count + 1) * (size_t)n, &sectors));
    PetscCall(PetscArraycpy(sectors + (size_t)num * (size_t)n, more, (size_t)count * (size_t)n));
    PetscCall(PetscFree(more));
    num += count;
  }
  PetscCall(CospinLabelsUnique(n, &num, sectors));
  PetscCall(CospinWindowFit(problem, num, sectors));
  PetscCall(PetscFree(sectors));
  PetscFunctionReturn(0);
}
