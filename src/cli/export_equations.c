/*
   `cospin export --equations`: what the task `cumulant` of a deck solves, in text.

     cospin equations 1
     task NAME                                the first task of this kind
     order ORDER                              cumulants of more operators are left out
     charged zero | kept                      moments that a phase symmetry makes zero are left out, or not
     moment ..., d m.../dt = ...              src/approximate/moments/text.c
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "text_file.h"
#include <cospin/approximate/equations.h>
#include <cospin/cli/export.h>
#include <stdlib.h>
#include <string.h>

static const char kind[] = "equations";

static const CospinRecord *find_task(CospinDeck deck)
{
  for (int k = 0; k < deck->num_tasks; k++)
    if (strcmp(deck->tasks[k].kind->name, "cumulant") == 0) return &deck->tasks[k];
  return NULL;
}

/* A CospinTextView of a text that is ready. */
static PetscErrorCode view(void *context, FILE *stream)
{
  PetscFunctionBeginUser;
  fputs((const char *)context, stream);
  PetscFunctionReturn(0);
}

/* Into memory first: whether there are equations shows only when they are made, and then no file is to be
   there. *ok false: there are too many. */
static PetscErrorCode make_text(CospinDeck deck, long point, const CospinRecord *task, char **text,
                                PetscBool *ok)
{
  CospinPoint created;
  size_t size;
  FILE *stream = open_memstream(text, &size);

  PetscFunctionBeginUser;
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for a text");
  PetscCall(CospinPointCreate(PETSC_COMM_SELF, deck, point, NULL, &created, ok));
  fprintf(stream, "task %s\n", task->name);
  PetscCall(CospinCumulantEquationsView(created, task, stream, ok));
  (void)fclose(stream);
  PetscCall(CospinPointDestroy(&created));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExportEquations(CospinDeck deck, long point, const char file[], PetscBool *written)
{
  const CospinRecord *task = find_task(deck);
  char *text = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinTextFileHasPoint(deck, point, kind, written));
  if (*written && !task)
    PetscCall(
        CospinTextFileRefuse(kind, "the deck has no task `cumulant` (add `cumulant: {order: 2}`)", written));
  if (!*written) PetscFunctionReturn(0);
  PetscCall(make_text(deck, point, task, &text, written));
  if (*written)
    PetscCall(CospinTextFileWrite(file, kind, view, text, written));
  else
    PetscCall(CospinTextFileRefuse(kind, "there are too many moments", written));
  free(text);
  PetscFunctionReturn(0);
}
