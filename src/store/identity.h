/* What two runs must have in common to share their points, as text. */
#pragma once
#include <cospin/deck/deck.h>

/* Not collective. What the deck means (CospinDeckViewMeaning), the version of cospin's results, and a
   checksum of every file that the deck reads. */
PetscErrorCode CospinIdentityView(CospinDeck deck, FILE *stream);

/* Not collective. Visits every file that the deck reads: `name` as the deck has it, `file` from here on. */
typedef PetscErrorCode (*CospinIdentityFile)(void *context, const char name[], const char file[]);
PetscErrorCode CospinIdentityFiles(CospinDeck deck, CospinIdentityFile visit, void *context);

/* Not collective. why: "", or a sentence on the first line in which the identity found in `file` differs. */
PetscErrorCode CospinIdentityCompare(const char file[], const char found[], const char wanted[], char why[],
                                     size_t why_size);
