/* A product state that evolves (evolution.h) and what is read from it: at several times, or after each number
   of clicks of a counter. */
#pragma once
#include <cospin/point/cutoffs.h>
#include <cospin/point/evolution.h>

/* Keys, variables and rules that every task which reads out has in the same words. */
#define COSPIN_READOUT_TIMES_KEY                                                                             \
  {                                                                                                          \
    .name = "times", .type = COSPIN_KEY_AXIS, .required = PETSC_TRUE, .unit = "time",                        \
    .help = "times at which results are wanted, ascending, >= 0"                                             \
  }
extern const char *const CospinReadoutFidelityWords[];
#define COSPIN_READOUT_FIDELITY_KEY                                                                          \
  {                                                                                                          \
    .name = "fidelity", .type = COSPIN_KEY_STATE, .choices = CospinReadoutFidelityWords, .unit = "",         \
    .help = "pure state psi whose share <psi|rho|psi> is followed; `initial`: that of the start"             \
  }
#define COSPIN_READOUT_INITIAL_KEY                                                                           \
  {                                                                                                          \
    .name = "initial", .type = COSPIN_KEY_STATE, .required = PETSC_TRUE, .unit = "",                         \
    .help = "state at time 0; components that are left out are in their ground state"                        \
  }
#define COSPIN_READOUT_TOLERANCE_KEY                                                                         \
  {                                                                                                          \
    .name = "tolerance", .type = COSPIN_KEY_NUMBER, .default_text = "1e-9", .unit = "",                      \
    .help = "accuracy wanted, relative to the norm of the state in each sector", COSPIN_KEY_TOLERANCE        \
  }
#define COSPIN_READOUT_CUTOFF_VARIABLE                                                                       \
  {                                                                                                          \
    "cutoff", COSPIN_REAL, PETSC_FALSE, "1", "largest population that a cutoff of the deck holds back",      \
        "relative to what its `edge` accepts; 0: no cutoff"                                                  \
  }
#define COSPIN_READOUT_CUTOFF_RULE                                                                           \
  {                                                                                                          \
    "cutoff", COSPIN_ALL, 0, "0", NULL                                                                       \
  }
#define COSPIN_READOUT_CUTOFF_HINT                                                                           \
  "the cutoff of a mode cuts (<task>_cutoff above 1: a larger `cutoff:` or none, or `edge: 1` where it is "  \
  "part of the model)"
#define COSPIN_READOUT_SIZE_VARIABLES(of_dimension)                                                          \
  {"operations", COSPIN_INTEGER, PETSC_FALSE, "1", "products or solves", ""},                                \
      {"factorisations", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", ""},                            \
      {"sectors", COSPIN_INTEGER, PETSC_FALSE, "1", "sectors that were evolved", ""},                        \
      {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest of them", of_dimension},     \
  {                                                                                                          \
    "nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it",                         \
        "0: held without a matrix"                                                                           \
  }
#define COSPIN_READOUT_SIZE_RULES                                                                            \
  {"operations", COSPIN_ALL, 0, "0", NULL}, {"factorisations", COSPIN_ALL, 0, "0", NULL},                    \
      {"sectors", COSPIN_ALL, 0, "1", NULL}, {"dimension", COSPIN_ALL, 0, "1", NULL},                        \
  {                                                                                                          \
    "nonzeros", COSPIN_ALL, 0, "0", NULL                                                                     \
  }

typedef struct {
  int num_times;
  const double *times; /* [num_times], borrowed, or */
  double only_time;    /* this, where no axis holds it */
  CospinPropagatorMethod method;
  double tolerance;
  CospinState initial, target;   /* taken; target: NULL if no fidelity is wanted */
  CospinProblem counted;         /* taken; the problem with a counter as its last component, or NULL */
  int most;                      /* clicks; 0 without a counter */
  PetscBool thinned;             /* the counter is a perfect detector's, whose clicks are to be thinned */
  PetscBool store;               /* states are to be stored, */
  const CospinAxis *store_times; /* those of these times; NULL: all */
} CospinReadoutSettings;

struct CospinReadout_;
/* What a task makes of readouts. */
typedef struct {
  /* Not collective. Its settings in a problem, whose windows may be the task's own; `again`: once more, since
     Finish was not content. */
  PetscErrorCode (*Set)(CospinProblem problem, const CospinRecord *task, PetscBool again,
                        CospinReadoutSettings *settings);
  /* Collective. After the evolution; *again: it has to be done with other settings. NULL: nothing to do. */
  PetscErrorCode (*Finish)(struct CospinReadout_ *readout, PetscBool *again);
  /* Collective. The numbers, unless the run is to end. `leak`: largest change when windows grew, 0 if none is
     open. *outcome: of the evolution; COSPIN_NOT_CONVERGED: a sector is missing in sums over them. */
  PetscErrorCode (*Store)(struct CospinReadout_ *readout, double leak, CospinResults results,
                          CospinOutcome *outcome);
} CospinReadoutKind;

/*
   One problem's. There is a row for every time, or for every number of clicks (at one time, then). Readings
   are sums over sectors: Tr(A_0 rho), Tr(A_1 rho), ... over all observables in a row, the trace, the
   fidelity (if one is wanted), and of each cutoff the population that would pass it.
*/
typedef struct CospinReadout_ {
  CospinPoint point; /* borrowed, */
  const CospinRecord *task;
  CospinProblem problem;         /* and this, if it is the point's */
  PetscBool again;               /* its settings */
  struct CospinReadout_ *before; /* in smaller windows; NULL: none. Borrowed */
  CospinReadoutSettings settings;
  CospinObservables observables;
  CospinCutoffs cutoffs;
  int num_expectations, num_readings, num_rows;
  double complex *readings;             /* [num_rows][num_readings] */
  double *smallest, *imaginary, *error; /* [num_times] of populations; of the state, relative */
  double lost;                          /* error of the state, 2-norm, summed over sectors and times */
  CospinStored stored, passing;         /* states to be stored; those that only functionals read */
  CospinStoredState *states;            /* [num_rows], borrowed from both; NULL: not kept */
  CospinEvolution evolution;
  int *representatives; /* of its parts */
  /* the sector at work */
  CospinSector sector;
  struct CospinReadoutEntry *entries; /* what the elements on this rank add to readings */
  size_t num_entries, capacity;
  double complex *sums; /* of one time */
} * CospinReadout;

/* Not collective. Nothing has evolved yet. Takes `problem` unless it is the point's. */
PetscErrorCode CospinReadoutCreate(CospinPoint point, CospinProblem problem, const CospinRecord *task,
                                   const CospinReadoutKind *kind, PetscBool again, CospinReadout *readout);
PetscErrorCode CospinReadoutDestroy(CospinReadout *readout);

/* Not collective. `cutoff`: the largest population that one holds back at any time, over what its `edge`
   accepts; more than that is inaccurate. Before readings of clicks are normalised. */
PetscErrorCode CospinReadoutStoreCutoff(CospinReadout readout, CospinResults results, CospinOutcome *outcome);

/* Collective. All that has been read; a CospinEvolutionUser's Save: that, its windows, and the one before. */
PetscErrorCode CospinReadoutExchange(CospinReadout readout, CospinCheckpoint checkpoint);
PetscErrorCode CospinReadoutSave(void *readout, CospinCheckpoint checkpoint);

/* Not collective. The sectors that are evolved: those that are read and, for states that are stored, all that
   the initial state has. */
PetscErrorCode CospinReadoutSectors(CospinProblem problem, CospinObservables observables,
                                    const CospinReadoutSettings *settings, int *num, int **representatives);
/* Not collective. The same of a task, but only those where it has elements. */
PetscErrorCode CospinReadoutTaskSectors(CospinProblem problem, const CospinRecord *task,
                                        const CospinReadoutKind *kind, int *num, int **representatives);
/* Not collective. Labels of such a sector, of which there are *labels: how many of them are followed, where
   those are fewer. Counted one by one, so that it takes as long as a task does to set out; very small and
   very large sectors are left as they are. */
PetscErrorCode CospinReadoutTaskLabels(CospinProblem problem, const CospinRecord *task,
                                       const CospinReadoutKind *kind, const int representative[],
                                       double *labels);
PetscErrorCode CospinReadoutSettingsReset(CospinReadoutSettings *settings);

/* Collective. A CospinTaskKind.Run: evolves in windows that are large enough for everything that is read
   (from where the run before was left, if it was) and stores. *outcome: COSPIN_NOT_RUN if the run is to end.
 */
PetscErrorCode CospinReadoutRun(CospinPoint point, const CospinRecord *task, const CospinReadoutKind *kind,
                                CospinResults results, CospinOutcome *outcome);

/* Where on an axis a time stands; -1: nowhere. */
int CospinReadoutFindTime(const CospinAxis *axis, double time);
