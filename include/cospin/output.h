/* The dataset of a run: may it be written, and writing it. */
#pragma once
#include <cospin/provenance.h>
#include <cospin/table.h>

/* Not collective. 1 if `file` can be written: its folder is there and writable, and it does not exist yet or
   may be replaced. Otherwise 0 and one sentence. Leaves nothing behind. */
int CospinOutputCheck(const char file[], PetscBool overwrite, char why[], size_t why_size);

/*
   Not collective: one process. Writes the dataset. If that fails, says so on stderr and writes it to the
   folder for temporary files instead, so that what was computed is not lost; *status is 1 then.
*/
PetscErrorCode CospinOutputWrite(const char file[], CospinDeck deck, CospinTable table,
                                 const double records[], int num_stored, const CospinStored stored[],
                                 CospinProvenance provenance, int *status);
