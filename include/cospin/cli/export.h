/* Matrices and equations for other programs. */
#pragma once
#include <cospin/deck/deck.h>

/* Labels, kets, generator, Hamiltonian and jumps of a deck at a point of its grid, written to `file` ("-":
   the standard output) in the form that src/cli/export.c begins with. Not collective. *written false: it
   cannot be, and stderr has a sentence that says why (too many labels, components whose levels the deck
   leaves open, tasks without labels, no such point, a file that cannot be written). */
PetscErrorCode CospinExport(CospinDeck deck, long point, const char file[], PetscBool *written);

/* The equations of the deck's first task `cumulant` at a point of its grid, written likewise in the form that
   src/cli/export_equations.c begins with. */
PetscErrorCode CospinExportEquations(CospinDeck deck, long point, const char file[], PetscBool *written);
