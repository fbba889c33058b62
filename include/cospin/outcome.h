/* How a task ended at one grid point: data, not an error. 0 not run, positive good, negative bad. */
#pragma once

typedef enum {
  COSPIN_NOT_RUN = 0,
  COSPIN_GOOD = 1,
  COSPIN_DEGENERATE = -1,    /* several steady states and nothing that selects one */
  COSPIN_NOT_CONVERGED = -2, /* the eigensolver gave up */
  COSPIN_INACCURATE = -3,    /* converged, but a recomputed residual or population is bad */
  COSPIN_SOLVER_FAILED = -4, /* factorisation or solver broke down */
  COSPIN_EMPTY_SECTOR = -5   /* the operator has no elements here */
} CospinOutcome;

/* Names (NULL-terminated) and values of all outcomes, in the same order. */
extern const char *const CospinOutcomeNames[];
extern const int CospinOutcomeValues[];

const char *CospinOutcomeName(int outcome);

/* The worse of two: bad before not run before good. */
CospinOutcome CospinOutcomeWorse(CospinOutcome a, CospinOutcome b);
