/* From a file to a checked deck on every rank. */
#pragma once
#include <cospin/store/table.h>

/*
   Collective. Rank 0 reads the file and sends its bytes; every rank parses and checks them, all grid points
   included. `changes`: as for CospinDeckReadChanged, the same everywhere. If anything is wrong, rank 0 prints
   it to stderr once and *ok is false everywhere; deck and table are NULL then.
*/
PetscErrorCode CospinLoad(MPI_Comm comm, const char file[], const char *const changes[], CospinDeck *deck,
                          CospinTable *table, PetscBool *ok);

/* Not collective. Puts the deck's `petsc:` options into the database where the command line has not set them.
 */
PetscErrorCode CospinLoadPetscOptions(CospinDeck deck);
