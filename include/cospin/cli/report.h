/* What a user reads in the terminal before and after a run. */
#pragma once
#include <cospin/farm/estimate.h>
#include <cospin/farm/farm.h>

/*
   Not collective. The plan of a deck for `ranks` ranks: components, symmetry, sectors, cost and a SLURM line
   as YAML comments, then the completed deck, so that the whole is a deck again. `file` is how a command names
   the deck.
*/
PetscErrorCode CospinPlanView(CospinDeck deck, CospinTable table, const char file[], int ranks, FILE *stream);

/* Nodes of a machine. */
typedef struct {
  int cores;    /* of one */
  double bytes; /* memory of one */
  int nodes;    /* to be asked for; 0: as many as the cost says */
} CospinNodes;

/* Not collective. A job script for a deck on these nodes, with sizes from the estimate of its cost; it
   sources jobscripts/job.sh and leaves the results in `output`. `options`: of the run beside that, quoted for
   the shell, each with a blank in front. */
PetscErrorCode CospinPlanSlurm(CospinDeck deck, const char file[], const char output[], const char options[],
                               const CospinNodes *machine, FILE *stream);

/* Not collective. One line a point (the first and last ones of a large grid), then a count of outcomes;
 * *num_bad: points with a bad outcome; *num_missing: those that have not been run. */
PetscErrorCode CospinSummaryView(CospinDeck deck, CospinTable table, const double records[], FILE *stream,
                                 PetscInt64 *num_bad, PetscInt64 *num_missing);
