/* The page that the reference is written on: plain text or troff, whole or only what a word is about. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

typedef struct {
  FILE *stream;
  PetscBool man;
  const char *word;             /* NULL: everything */
  char heading[128], part[128]; /* "" once they have been printed */
  PetscBool part_matches, any;
  /* If set, entries are not printed but handed over, with the chapter and the part that they stand in. */
  void (*take)(void *context, const char heading[], const char part[], const char name[], const char behind[],
               const char text[]);
  void *context;
} CospinPage;

/* A chapter that tells tasks once more, as they are there: searches know them from the first. */
#define COSPIN_PAGE_EXPANDED "TASKS UNDER OPERATOR EXPANSION"

/* The next chapter, or part of one; printed with their first entry. `name`: of the part, what a word is
   compared with. */
void CospinPageHeading(CospinPage *page, const char text[]);
void CospinPagePart(CospinPage *page, const char name[], const char text[]);
/* An entry: `name` (compared with a word), what stands behind it, and its text in sentences. */
void CospinPageEntry(CospinPage *page, const char name[], const char behind[], const char text[]);
/* Lines as they are, on whole pages only. */
void CospinPageLines(CospinPage *page, const char text[]);
/* A text in lines of the page's width. */
void CospinPageText(FILE *stream, int indent, const char text[]);
/* reference.c. Every entry of decks and datasets. */
void CospinReferenceWrite(CospinPage *page);
