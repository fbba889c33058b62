/*
   A point: a problem on a communicator, with what its tasks share, so that nothing is solved twice.
*/
#pragma once
#include <cospin/point/checkpoint.h>
#include <cospin/point/task.h>
#include <cospin/solver/eigensolver.h>

/* Largest leak of a state (cospin/point/window.h) that windows are made for. */
#define COSPIN_STATE_LEAK 1e-12
/* The same of a mode: it reaches a little farther than the state. */
#define COSPIN_MODE_LEAK 1e-8
/* Largest error of a state that counts as good. */
#define COSPIN_STATE_ERROR 1e-7

/* How good a null vector is, recomputed. */
typedef struct {
  double residual; /* |L rho| / (|L| |rho|), 2-norms of vectors, infinity norm of L; of a search that failed
                      without a matrix what it reached */
  double error;    /* (eps sum_j c_j |rho_j| + |L rho|)/separation, 1-norms, c_j the sum of the moduli of the
                      terms that meet in column j: what rounding of L may have turned the vector away by, so
                      expectation values of operators of size one are off by this at most; NaN: not known */
  double edge;     /* population of the highest levels of modes whose cutoff the deck states, as many as one
                      move can pass: what a cutoff cuts away does not show in a residual */
  PetscBool cut;   /* it is more than a mode's `edge` accepts */
} CospinQuality;

/* The steady states of a problem. */
typedef struct {
  CospinOutcome outcome;
  int degeneracy;   /* null vectors of all sectors with a trace, and, where there is one, those of others */
  double next_rate; /* of the eigenvalues next to zero in these sectors the slowest; NaN if there is no other
                       mode */
  double next_frequency;
  CospinEigensolver eigensolver; /* of the sector of the one steady state; NULL if degenerate */
  Vec rho;                       /* the one steady state, Tr rho = 1; NULL if degenerate or failed */
  double leak; /* residual in a larger window (CospinWindowLeak), the worst null vector's; 0 if no
                  window is open */
  CospinQuality quality;
  PetscBool draft; /* rho is a rough one, enough to see that the windows are too small */
  CospinWork work; /* that it took to find them */
} CospinSteadyState;

struct CospinPoint_ {
  MPI_Comm comm; /* borrowed */
  CospinInterrupt interrupt;
  CospinCheckpoint
      checkpoint; /* of the task that runs, from a run that was interrupted in it; NULL: none. Borrowed */
  CospinProblem problem;
  PetscBool weighed; /* labels have weights (CospinTaskWeigh): states are none that could be stored */
  CospinObservables observables;
  CospinStored stored; /* states that tasks were asked to keep; filled on the first rank of comm only */
  PetscBool has_steady;
  int *steady_sector;       /* of the steady states below; NULL: all sectors with a trace */
  CospinSteadyState steady; /* ask CospinPointSteadyState */
  Vec near; /* the steady state of smaller windows, on the labels of these: what iterations begin with; or
               NULL */
  double near_leak;                /* what left those smaller windows */
  CospinEigensolvers eigensolvers; /* all that live; what their owners lost to an error is among them */
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

/* Collective. How good a state, or its part, on the sector of `spectrum` is whose null vectors have been
   counted. */
PetscErrorCode CospinStateQuality(CospinPoint point, CospinEigensolver eigensolver, Vec rho,
                                  CospinQuality *quality);

/* Collective. `edge` and `cut` of the quality of a state, or its part, on a sector. */
PetscErrorCode CospinStateEdge(CospinProblem problem, CospinSector sector, Vec rho, CospinQuality *quality);

/* Whether a state of this quality may be called good. */
CospinOutcome CospinStateJudge(const CospinQuality *quality, double largest_residual);

/* Not collective. Puts another problem of the same deck and grid point in place; what was solved is dropped.
 * Takes `problem`. */
PetscErrorCode CospinPointReplaceProblem(CospinPoint point, CospinProblem problem);

/* Collective. Gives open windows their size, by the steady state (cospin/point/window.h); does nothing where
 * there are none. */
PetscErrorCode CospinPointSettle(CospinPoint point);
