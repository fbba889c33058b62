/* How a task ended at one grid point: data, not an error. 0 not run, positive good, negative bad. */
#pragma once

typedef enum {
  COSPIN_NOT_RUN = 0,
  COSPIN_GOOD = 1,
  COSPIN_INACCURATE = -1,    /* a recomputed residual or population is bad */
  COSPIN_EMPTY_SECTOR = -2,  /* the operator has no elements here */
  COSPIN_NOT_CONVERGED = -3, /* a search or an iteration gave up */
  COSPIN_DEGENERATE = -4,    /* several steady states and nothing that selects one */
  COSPIN_SOLVER_FAILED = -5, /* factorisation or solver broke down */
  COSPIN_WINDOW_LIMIT = -6,  /* an open window would have to be larger than memory or 20000 levels */
  COSPIN_TOO_LARGE = -7,     /* would not fit into the memory of its ranks, so it was not begun */
  COSPIN_OSCILLATING = -8,   /* never becomes steady: part of the state oscillates for ever */
  COSPIN_UNSTABLE = -9,      /* small deviations from what was found grow, or go on for ever */
  COSPIN_UNCERTIFIED = -10,  /* a number whose error is not known to be small */
  COSPIN_BISTABLE = -11      /* several stable points, and an expansion around one of them only */
} CospinOutcome;

/* Names (NULL-terminated) and values of all outcomes, in the same order. */
extern const char *const CospinOutcomeNames[];
extern const int CospinOutcomeValues[];

const char *CospinOutcomeName(int outcome);
/* What it means and what a user can do, one sentence that is true of every task; "" for good and not run. A
   task may know more: CospinTaskHelp. */
const char *CospinOutcomeHelp(int outcome);
/* What an outcome means of one task, and what a user can do. */
typedef struct {
  CospinOutcome outcome;
  const char *text; /* NULL ends a table; `<task>` stands for the task's name */
} CospinOutcomeHint;

/* The worse of two, as the values are ordered: the most negative one. */
CospinOutcome CospinOutcomeWorse(CospinOutcome a, CospinOutcome b);
