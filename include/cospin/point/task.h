/*
   Tasks: the questions a deck can ask about a problem, and the one interface behind which every kind of them
   hides.

   A task reads its record of the deck, works on one grid point on that point's communicator, and leaves
   numbers in a record of doubles. What the numbers are is said by its table of variables; nothing else knows.
*/
#pragma once
#include <cospin/point/results.h>
#include <cospin/solver/outcome.h>

/* One variable of a task: a row. */
typedef struct {
  const char *suffix; /* `<task>_<suffix>`; NULL ends a table */
  CospinStorage storage;
  int along;             /* 0: one value; 1: along the task's dimension (mode, time); 2, 3, ...: along further
                            dimension along - 2 (Further), and there only if there is that dimension */
  const char *unit;      /* "rate", "time" (the deck's), or a unit that stands for itself */
  const char *long_name; /* may hold one %s: <A> of the task's operator A, or the sector it is given */
  const char *source;
} CospinTaskVariable;

/* How many of a variable's values a good outcome promises: none, the first, all along its dimension. */
typedef enum { COSPIN_MAY_MISS, COSPIN_FIRST, COSPIN_ALL } CospinPresence;

/*
   What holds of a variable wherever the outcome is good, so that a stored number can be checked: the values
   that are promised are not NaN, and every value that is a number obeys least <= value - centre <= most. A
   bound is a text: a number, a variable of the same task or one of its keys, with a factor in front
   ("-10*tolerance", "upper") or below a number ("1/rate"); NULL: none; one that is NaN binds nothing.
*/
typedef struct {
  const char *suffix; /* NULL ends a table; a variable may have several rows */
  CospinPresence presence;
  double centre;
  const char *least, *most;
} CospinTaskRule;

/* A further variable of every observable that a task adds: `<task>_<observable>_<suffix>`. */
typedef struct {
  const char *suffix; /* NULL ends a table */
  const char *long_name;
} CospinCompanion;

typedef struct CospinPoint_ *CospinPoint; /* cospin/point/point.h */

enum { COSPIN_TASK_FURTHER = 3 }; /* dimensions that a task may have beside its own */

typedef struct {
  CospinRecordKind record; /* name, help and keys in the deck */
  const CospinTaskVariable *variables;
  const CospinTaskRule *rules;    /* what a good outcome promises of them; NULL: nothing */
  const CospinOutcomeHint *hints; /* what its bad outcomes mean, where it knows more than the outcome's own
                                     sentence; NULL: nowhere */
  PetscBool stationary;      /* the states that it stores do not change: L rho = 0 to the key `tolerance` */
  const char *approximation; /* what is approximated, method and reference, for the attributes of all its
                                variables; nothing of Liouville space is asked for then. NULL: exact */
  PetscBool has_observables; /* adds `<task>_<observable>` for every observable of the deck */
  const CospinCompanion *companions; /* of these; NULL: none */
  PetscBool may_multiply; /* does without factorisations where products with the generator are cheaper */
  int factorisations;     /* of a sector's generator, roughly, for estimates; 0: one */
  PetscBool follows_time; /* allows a generator that depends on time */
  PetscBool own_windows;  /* gives open windows their size by itself, not by the steady state */
  PetscBool stays_near;   /* needs only labels near the steady state, and measures what leaks from there */
  PetscBool observables_along;    /* these stand along the further dimension */
  PetscBool observables_averaged; /* and once more without it, `<task>_<observable>_average` */
  PetscBool observables_miss;     /* and may be missing there, like a state that is stored */
  PetscBool states_along;         /* and so do the states that it stores */
  PetscBool
      states_sampled; /* these are means of a sample, of which functionals are told without their bias */
  /* Not collective. Asked by CospinTaskCheck, which see. Faults that need values (of: is not an operator,
     ...), and the task's further dimension, zero on entry (size 0: none). Tasks of a deck share a dimension
     of the same name: one without values has the largest size that any of them asks for at any point; one
     with other values than another task's is called `<task>_<name>` instead. Everything in it is borrowed
     from the deck or constant. */
  PetscErrorCode (*Check)(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                          CospinDimension *dimension, PetscBool *ok);
  /* Not collective, of a task without faults. Dimension k < COSPIN_TASK_FURTHER beside that of Check,
     likewise; size 0: there is none, and no variables that stand along it. NULL: never. */
  PetscErrorCode (*Further)(CospinProblem problem, const CospinRecord *task, int k,
                            CospinDimension *dimension);
  /* Whether it stores states (in the point's `stored`), and at which times (NULL: one state a point). NULL:
     never. */
  PetscBool (*Stores)(const CospinRecord *task, const CospinAxis **times);
  /* Not collective. The problem that it solves, owned by the caller; NULL: the deck's own. */
  PetscErrorCode (*Derive)(CospinProblem problem, const CospinRecord *task, CospinProblem *derived);
  /* Not collective. The sectors it will solve, for estimates: those of the problem that Derive makes of this
     one; representatives as CospinProblemSectors gives them. */
  PetscErrorCode (*Sectors)(CospinProblem problem, const CospinRecord *task, int *num, int **representatives);
  /* Not collective. *labels of a sector, for estimates: becomes the number of those that it follows, of which
     a matrix is made. NULL: all of them. */
  PetscErrorCode (*Labels)(CospinProblem problem, const CospinRecord *task, const int representative[],
                           double *labels);
  /* Not collective. Numbers that it follows (how many ranks they feed), memory and time on one rank, for
     estimates of a task without sectors. NULL: as good as none. */
  PetscErrorCode (*Cost)(CospinProblem problem, const CospinRecord *task, PetscInt64 *unknowns, double *bytes,
                         double *seconds);
  /* Collective on the point's communicator. Outcome COSPIN_NOT_RUN: the run is to end, and the task has saved
     what it has (CospinInterrupt). */
  PetscErrorCode (*Run)(CospinPoint point, const CospinRecord *task, CospinResults results,
                        CospinOutcome *outcome);
} CospinTaskKind;
