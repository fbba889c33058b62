/* What a user reads in the terminal before and after a run. */
#pragma once
#include <cospin/farm.h>

/*
   Not collective. The plan of a deck for `ranks` ranks: components, symmetry, sectors, cost and a SLURM line
   as YAML comments, then the completed deck, so that the whole is a deck again.
*/
PetscErrorCode CospinPlanView(CospinDeck deck, CospinTable table, const char file[], int ranks, FILE *stream);

/* Not collective. One line a point (the first and last ones of a large grid), then a count of outcomes;
 * *num_bad: points with a bad outcome; *num_missing: those that have not been run. */
PetscErrorCode CospinSummaryView(CospinDeck deck, CospinTable table, const double records[], FILE *stream,
                                 PetscInt64 *num_bad, PetscInt64 *num_missing);
