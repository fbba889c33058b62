/* A counter that is read at one time after an initial state: what it shows, and the states behind that. */
#pragma once
#include "detector.h"

typedef struct {
  CospinDetector detector;
  double time, tolerance;
  int most;          /* n = 0 ... most are told apart */
  PetscBool store;   /* keep the states */
  CospinNeeds needs; /* of the observables */
} CospinReadoutSettings;

/* Readings are sums over sectors: for each n Tr(A_0 rho_n), Tr(A_1 rho_n), ... over all observables in a row,
   then the trace. */
typedef struct {
  MPI_Comm comm;
  CospinProblem problem; /* borrowed, unless a window was grown */
  PetscBool owns_problem;
  CospinProblem counted; /* the same with a counter */
  PetscBool thinned;     /* that of a perfect detector, whose clicks have been thinned */
  CospinObservables observables;
  CospinState initial;
  CospinReadoutSettings settings;
  int coordinate; /* the counter's */
  int num_readings;
  double complex *readings; /* [most + 1][num_readings] */
  double smallest, imaginary, error;
  int num_sectors, operations, factorisations;
  PetscInt64 dimension;
  CospinStored stored; /* rho_n for each n if states are kept or functionals read them */
  double leak;         /* largest change of a reading when open windows grew; 0 if there are none */
  CospinOutcome outcome;
  CospinSector sector; /* at work */
} CospinReadout;

/* Not collective. The problem that is evolved, a CospinTaskKind.Derive; *thinned: clicks are to be thinned
   afterwards, which is only thought of with `may_thin`. */
PetscErrorCode CospinReadoutDerive(CospinProblem problem, const CospinReadoutSettings *settings,
                                   PetscBool may_thin, CospinProblem *counted, PetscBool *thinned);
/* Not collective. The sectors of that problem that are evolved from the task's `initial`. */
PetscErrorCode CospinReadoutSectors(CospinProblem problem, const CospinRecord *task,
                                    const CospinReadoutSettings *settings, int *num, int **representatives);

/* Collective. From the task's `initial` to the time; settings are copied, `problem` is borrowed. */
PetscErrorCode CospinReadoutRun(MPI_Comm comm, CospinProblem problem, const CospinRecord *task,
                                const CospinReadoutSettings *settings, CospinReadout *readout);
PetscErrorCode CospinReadoutReset(CospinReadout *readout);

/* P(n), and 1 - sum_n P(n) */
double CospinReadoutProbability(const CospinReadout *readout, int n);
double CospinReadoutMissing(const CospinReadout *readout);
