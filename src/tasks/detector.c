/*
   The keys of a photon counter that `clicks` and others share: which jumps it sees (those with this name),
   with which efficiency, and the rate of its dark counts. A name that no jump has is the usual mistake;
   the fault names those that there are.
*/
#include "detector.h"
#include <string.h>

/* The names of the deck's jumps, each once, and the one that is closest to a wrong one. */
static PetscErrorCode explain(CospinDeck deck, CospinPosition at, const char path[], const char name[],
                              CospinFaults faults)
{
  const char **known;
  int count = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_jumps + 1, &known));
  for (int k = 0; k < deck->num_jumps; k++) {
    PetscBool found = (PetscBool)(deck->jumps[k].name == NULL);
    for (int i = 0; i < count && !found; i++) found = (PetscBool)(strcmp(known[i], deck->jumps[k].name) == 0);
    if (!found) known[count++] = deck->jumps[k].name;
  }
  if (count)
    PetscCall(CospinFaultsAddUnknown(faults, at, path, "jump", name, known));
  else
    PetscCall(CospinFaultsAdd(faults, at, path,
                              "no jump has the name `%.100s` (give it one, as in {name: %.100s, rate: ..., "
                              "operator: ...})",
                              name, name));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskCheckJump(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok)
{
  const CospinSetting *setting = CospinRecordGet(task, "jump");
  const CospinDeck deck = problem->deck;
  char path[160];

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_jumps; k++) {
    if (deck->jumps[k].name && strcmp(deck->jumps[k].name, setting->text) == 0) PetscFunctionReturn(0);
  }
  *ok = PETSC_FALSE;
  PetscCall(
      PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.jump", (int)(task - deck->tasks), task->kind->name));
  PetscCall(explain(deck, setting->position, path, setting->text, faults));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskDetector(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinDetector *detector, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  detector->jump = CospinRecordGet(task, "jump")->text;
  PetscCall(CospinTaskNumberOr(problem, task, "efficiency", 1.0, faults, &detector->efficiency, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "dark", 0.0, faults, &detector->dark, ok));
  PetscCall(CospinTaskCheckJump(problem, task, faults, ok));
  PetscFunctionReturn(0);
}
