/*
   `cospin export --equations`: what the task `cumulant` of a deck solves, in text.

     cospin equations 1
     task NAME                                the first task of this kind
     order ORDER                              cumulants of more operators are left out
     charged zero | kept                      moments that a phase symmetry makes zero are left out, or not
     moment ..., d m.../dt = ...              src/approximate/moments/text.c
*/
#include "text_file.h"
#include <cospin/approximate/equations.h>
#include <cospin/cli/export.h>
#include <string.h>

static const char head[] = "cospin equations ";

typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  PetscBool ok;
} Equations;

/* A CospinTextView. */
static PetscErrorCode view_all(void *context, FILE *stream)
{
  Equations *equations = (Equations *)context;

  PetscFunctionBeginUser;
  fprintf(stream, "%s1\ntask %s\n", head, equations->task->name);
  PetscCall(CospinCumulantEquationsView(equations->point, equations->task, stream, &equations->ok));
  PetscFunctionReturn(0);
}

static const CospinRecord *find_task(CospinDeck deck)
{
  for (int k = 0; k < deck->num_tasks; k++)
    if (strcmp(deck->tasks[k].kind->name, "cumulant") == 0) return &deck->tasks[k];
  return NULL;
}

PetscErrorCode CospinExportEquations(CospinDeck deck, long point, const char file[], PetscBool *written)
{
  Equations equations = {.task = find_task(deck), .ok = PETSC_TRUE};
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTextFileHasPoint(deck, point, head, written));
  if (*written && !equations.task)
    PetscCall(
        CospinTextFileRefuse(head, "the deck has no task `cumulant` (add `cumulant: {order: 2}`)", written));
  if (!*written) PetscFunctionReturn(0);
  PetscCall(CospinPointCreate(PETSC_COMM_SELF, deck, point, NULL, &equations.point, &ok));
  PetscCall(CospinTextFileWrite(file, head, view_all, &equations, written));
  if (*written && !equations.ok) PetscCall(CospinTextFileRefuse(head, "there are too many moments", written));
  PetscCall(CospinPointDestroy(&equations.point));
  PetscFunctionReturn(0);
}
