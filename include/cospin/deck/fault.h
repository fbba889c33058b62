/*
   Faults: what is wrong with a deck or a command line, collected so that a user sees all of it at once.

   A fault is not an error of the program: functions that find one add it here and return 0. Whoever owns the
   collection asks CospinFaultsCount() before computing anything.
*/
#pragma once
#include <petscsys.h>
#include <stdio.h>

/* Where in the deck's text, counted from 1; line 0 means "the file as a whole". */
typedef struct {
  int line, column;
} CospinPosition;

/* The line of what does not stand in the file but on the command line. */
enum { COSPIN_LINE_OF_COMMAND = -1 };

typedef struct CospinFaults_ *CospinFaults;

/* Not collective. `file` is the name printed in front of every fault; it is copied. */
PetscErrorCode CospinFaultsCreate(const char file[], CospinFaults *faults);
PetscErrorCode CospinFaultsDestroy(CospinFaults *faults);

/*
   Not collective. Adds one fault: `path` is the key it belongs to ("jumps[1].rate", may be ""), `format` says
   what is wrong and, in parentheses, what would be right. The same sentence at the same place is kept once,
   so that checking every grid point does not repeat itself.
*/
PetscErrorCode CospinFaultsAdd(CospinFaults faults, CospinPosition at, const char path[], const char format[],
                               ...) PETSC_ATTRIBUTE_FORMAT(4, 5);

/* Not collective. From now on every new fault ends in `, at WHERE` (the grid point it was found at); copied;
   NULL: no longer. */
PetscErrorCode CospinFaultsSetWhere(CospinFaults faults, const char where[]);

/* Borrowed: the name given to CospinFaultsCreate. */
const char *CospinFaultsFile(CospinFaults faults);

int CospinFaultsCount(CospinFaults faults);

/* Not collective. Prints `file:line:column: path: sentence`, a line each, in the order of the text. */
PetscErrorCode CospinFaultsView(CospinFaults faults, FILE *stream);

/*
   Not collective. The entry of `known` (NULL at the end) that `word` is probably a misspelling of: at most
   two edits (insert, delete, replace, swap of neighbours) and at most half of its letters, upper and lower
   case counted as equal to begin with; NULL if there is none.
*/
const char *CospinSuggest(const char word[], const char *const known[]);

/* "`word` (did you mean `w`? known: v, w)" with such a guess, the part in parentheses shortened if the list
 * is long. */
PetscErrorCode CospinFaultsAddUnknown(CospinFaults faults, CospinPosition at, const char path[],
                                      const char what[], const char word[], const char *const known[]);
