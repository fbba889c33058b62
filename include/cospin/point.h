/*
   A point: a problem on a communicator, with what its tasks share, so that nothing is solved twice.
*/
#pragma once
#include <cospin/memory.h>
#include <cospin/spectrum.h>
#include <cospin/task.h>

/* The steady states of a problem. */
typedef struct {
  CospinOutcome outcome;
  int degeneracy;   /* dimension of the null space over all sectors that hold diagonal elements */
  double next_rate; /* of the eigenvalues next to zero in these sectors the slowest; NaN if there is no other
                       mode */
  double next_frequency;
  CospinSpectrum spectrum; /* of the sector of the one steady state; NULL if degenerate */
  Vec rho;                 /* the one steady state, Tr rho = 1; NULL if degenerate or failed */
  double leak;             /* residual in a larger window (CospinWindowLeak); 0 if no window is open */
  double residual;         /* |L rho| / (|L| |rho|), 2-norms of vectors, infinity norm of L; of a search that
                              failed without a matrix what it reached */
} CospinSteadyState;

struct CospinPoint_ {
  MPI_Comm comm; /* borrowed */
  CospinInterrupt interrupt;
  CospinMemory
      memory; /* of the task that runs, from a run that was interrupted in it; NULL: none. Borrowed */
  CospinProblem problem;
  CospinObservables observables;
  CospinStored stored; /* states that tasks were asked to keep; filled on the first rank of comm only */
  PetscBool has_steady;
  int *steady_sector;       /* of the steady states below; NULL: all sectors with a trace */
  CospinSteadyState steady; /* ask CospinPointSteadyState */
  CospinSpectra spectra;    /* all that live; what their owners lost to an error is among them */
};

/* Not collective. Faults as of CospinProblemCreate and CospinObservablesCreate (none are expected here: the
   deck has been checked). */
PetscErrorCode CospinPointCreate(MPI_Comm comm, CospinDeck deck, PetscInt64 number, CospinFaults faults,
                                 CospinPoint *point, PetscBool *ok);
PetscErrorCode CospinPointDestroy(CospinPoint *point);

/* Collective, after an error in a task that all ranks have seen. Frees what is large of what it left behind,
   matrices and factors; finished steady states are kept. */
PetscErrorCode CospinPointClean(CospinPoint point);

/* Collective. The steady states: of all sectors, or (not NULL) of that of the label `sector`, which must hold
   diagonal elements. The last that were computed are kept; borrowed until others are asked for. `prefix` is
   that of the PETSc options of the task that asks first. */
PetscErrorCode CospinPointSteadyState(CospinPoint point, const char prefix[], const int sector[],
                                      const CospinSteadyState **steady);

/* Not collective. Puts another problem of the same deck and grid point in place; what was solved is dropped.
 * Takes `problem`. */
PetscErrorCode CospinPointReplaceProblem(CospinPoint point, CospinProblem problem);

/* Collective. Gives open windows their size, by the steady state (cospin/window.h); does nothing where there
 * are none. */
PetscErrorCode CospinPointSettle(CospinPoint point);
