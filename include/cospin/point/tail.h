/* How fast what has been followed in time decays at the end: a rate with its error, or the word that no
   exponential tail is seen. */
#pragma once
#include <cospin/point/settings.h>

/* Keys, variables and rules that every task which tells a tail has in the same words. */
#define COSPIN_TAIL_KEYS                                                                                     \
  {.name = "tail",                                                                                           \
   .type = COSPIN_KEY_NAME,                                                                                  \
   .unit = "",                                                                                               \
   .help = "the observable whose decay at late times is told as a rate, from at least seven times"},         \
      {.name = "tail_from",                                                                                  \
       .type = COSPIN_KEY_NUMBER,                                                                            \
       .unit = "time",                                                                                       \
       .help = "when its exponential tail has begun; left out: half-way to where it ends",                   \
       COSPIN_KEY_NOT_NEGATIVE},                                                                             \
  {                                                                                                          \
    .name = "tail_until", .type = COSPIN_KEY_NUMBER, .unit = "time",                                         \
    .help = "the last time that counts; left out: where the observable is no longer five times its error",   \
    COSPIN_KEY_POSITIVE                                                                                      \
  }
#define COSPIN_TAIL_VARIABLES                                                                                \
  {"tail_rate",                                                                                              \
   COSPIN_REAL,                                                                                              \
   PETSC_FALSE,                                                                                              \
   "rate",                                                                                                   \
   "decay rate at late times",                                                                               \
   "slope of the logarithm of its absolute value; missing: no exponential tail is seen, or none was asked "  \
   "for"},                                                                                                   \
      {"tail_rate_error",    COSPIN_REAL,                                                                    \
       PETSC_FALSE,          "rate",                                                                         \
       "error of that rate", "statistical, and what the rate changes within the times that it is from"},     \
      {"tail_begin", COSPIN_REAL, PETSC_FALSE, "time", "first time of the tail", ""},                        \
  {                                                                                                          \
    "tail_end", COSPIN_REAL, PETSC_FALSE, "time", "last time of the tail", ""                                \
  }
#define COSPIN_TAIL_RULES                                                                                    \
  {"tail_rate", COSPIN_MAY_MISS, 0, "0", NULL}, {"tail_rate_error", COSPIN_MAY_MISS, 0, "0", "tail_rate"},   \
      {"tail_begin", COSPIN_MAY_MISS, 0, "0", "tail_end"},                                                   \
  {                                                                                                          \
    "tail_end", COSPIN_MAY_MISS, 0, "0", NULL                                                                \
  }
#define COSPIN_TAIL_HINT                                                                                     \
  "<task>_tail_rate is missing where no exponential tail is seen: later `times:`, a later `tail_from:`, or " \
  "more trajectories"

/* What is asked for. */
typedef struct {
  const char *observable; /* NULL: nothing. Borrowed */
  double from, until;     /* NaN: left out */
} CospinTailKeys;

/* Not collective. The keys of a task with these and with `times`; faults in them, unless NULL is given for
   these. *ok is made false or left as it is. */
PetscErrorCode CospinTailRead(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                              CospinTailKeys *keys, PetscBool *ok);

/* A real quantity in time, and what is found. */
typedef struct {
  /* given, all borrowed */
  int num_times;
  const double *times;  /* [num_times], ascending */
  int num_blocks;       /* 0: it has no statistical error */
  const double *values; /* [1 + num_blocks][num_times]: from everything, then each without another block of
                           the sample */
  const double *errors; /* [num_times], of the first row; absolute */
  double from, until;   /* as in CospinTailKeys */
  /* found; NaN: no exponential tail is seen */
  double rate, error, begin, end;
} CospinTail;
PetscErrorCode CospinTailFit(CospinTail *tail);

/* Not collective. Stores what CospinTailFit() has found, and makes *outcome worse where that is nothing. */
PetscErrorCode CospinTailStore(const CospinTail *tail, CospinResults results, CospinOutcome *outcome);
