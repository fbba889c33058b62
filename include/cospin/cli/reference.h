/* The reference of decks and datasets, from the tables that the program itself reads. */
#pragma once
#include <petscsys.h>
#include <stdio.h>

/*
   Not collective. Sections and keys of decks, functions, components with their operators and states,
   generators of arrays, tasks with their variables, what every point has, outcomes. word: only entries of
   this name and those that belong to it (a kind, a key, a variable); NULL: everything, with the command line
   and exit statuses in front. man: as a manual page (troff), otherwise as plain text. *found tells whether
   there was any.
*/
PetscErrorCode CospinReferenceView(const char word[], PetscBool man, FILE *stream, PetscBool *found);

/*
   Not collective. The entries of the reference that fit `words` best, best first, with their texts: names and
   texts count, and so do words that mean the same or lead there. *found: whether there was any.
*/
PetscErrorCode CospinReferenceSearch(const char words[], FILE *stream, PetscBool *found);
