/* The evolution of one problem from one state: sector after sector, and what is read from it. */
#pragma once
#include "settings.h"
#include <cospin/propagator.h>

typedef struct {
  const CospinAxis *times, *store_times; /* store_times: NULL if no state is stored */
  CospinState initial, target;           /* target: NULL if no fidelity is wanted */
  CospinPropagatorOptions options;
} CospinEvolutionSettings;

/* Readings: Tr(A_0 rho), Tr(A_1 rho), ... over all observables in a row, then the trace, then the fidelity.
 */
typedef struct CospinEvolution_ {
  CospinPoint point; /* borrowed */
  CospinProblem problem;
  CospinObservables observables;
  int growths;                     /* of open windows, beyond those of the point's problem */
  struct CospinEvolution_ *before; /* in windows that were smaller; NULL: none. Borrowed */
  CospinEvolutionSettings settings;
  int num_expectations, num_readings;
  CospinMoves *expectations;            /* [num_expectations], borrowed */
  double complex *readings;             /* [num_times][num_readings], sums over sectors */
  double *smallest, *imaginary, *error; /* [num_times] */
  int num_sectors, steps, operations, factorisations;
  PetscInt64 dimension, nonzeros;
  CospinStored stored; /* one state per time to store */
  CospinStored whole;  /* one per time, if functionals read it */
  double leak;         /* largest change of a reading when open windows grew; 0 if there are none */
  CospinOutcome outcome;
  /* the sector at work */
  int place; /* in the list of sectors */
  CospinSector sector;
  CospinPropagatorReport report;
  CospinMemory memory;          /* of u, to go on from; NULL: from the initial state. Borrowed */
  int num_weights, *reading_of; /* weights that are not zero here, and what they give */
  Vec *weights;
  PetscScalar *values;
  PetscInt num_populations, *populations; /* local indices of diagonal elements */
} * CospinEvolution;

/* Not collective. Takes problem, observables and what is in settings. Nothing has evolved yet. */
PetscErrorCode CospinEvolutionCreate(CospinPoint point, CospinProblem problem, CospinObservables observables,
                                     const CospinRecord *task, const CospinEvolutionSettings *settings,
                                     CospinEvolution *evolution);
PetscErrorCode CospinEvolutionDestroy(CospinEvolution *evolution);

/* Not collective. The sectors that are evolved: those that are read and, for a state that is stored, all that
   it has. */
PetscErrorCode CospinEvolutionSectors(CospinProblem problem, CospinObservables observables,
                                      const CospinEvolutionSettings *settings, int *num,
                                      int **representatives);

/* Collective. Evolves through all sectors, or through those that are left after CospinEvolutionLoad(). *left:
   the run is to end; the evolution has been saved to go on another time. */
PetscErrorCode CospinEvolutionRun(CospinEvolution evolution, const CospinRecord *task, PetscBool *left);
/* Collective. Results and place from a memory that was saved; `complete`: of one that had run to its end. */
PetscErrorCode CospinEvolutionLoad(CospinEvolution evolution, CospinMemory memory, PetscBool complete);

/* Where on an axis a time stands; -1: nowhere. */
int CospinEvolutionFindTime(const CospinAxis *axis, double time);
