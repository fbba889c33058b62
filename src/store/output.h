/* The file that a run writes: which one it is, and whether it may be written. */
#pragma once
#include <cospin/deck/deck.h>

/* Not collective. Follows symbolic links, also to what is not there yet: the file itself is what gets
   replaced. resolved[size]; `file` where it is no link or the links lead nowhere. */
PetscErrorCode CospinOutputResolve(const char file[], char resolved[], size_t size);

/*
   Not collective. Whether a run of the deck in the file `deck_file` may write (overwrite: replace) `output`,
   links followed: not the deck, nor a file that the deck reads, under whatever name, nor what is no regular
   file. why: "", or one sentence.
*/
PetscErrorCode CospinOutputCheck(const char output[], const char deck_file[], CospinDeck deck,
                                 PetscBool overwrite, char why[], size_t size);
