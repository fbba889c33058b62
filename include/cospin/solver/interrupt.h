/*
   How long work learns that the run is to end.

   A task that knows where it stands asks between two pieces of work, and saves what it has. A solver has
   nothing to save: within an iteration it checks, and leaves by an error of its own, COSPIN_INTERRUPTED,
   which all ranks of the point raise at the same place and which whoever has begun the task understands as
   "not run".
*/
#pragma once
#include <petscksp.h>

typedef enum { COSPIN_PAUSE_NO, COSPIN_PAUSE_SAVE, COSPIN_PAUSE_LEAVE } CospinPause;

struct CospinCheckpoint_;

typedef struct {
  void *context;
  /* Collective on the point's communicator, and cheap. NULL: never. The answer is the same on all ranks. */
  PetscErrorCode (*Ask)(void *context, CospinPause *pause);
  /* Collective. Keeps a memory for another run; a failure is told on stderr and is none of the task's. */
  PetscErrorCode (*Save)(void *context, struct CospinCheckpoint_ *checkpoint);
} CospinInterrupt;

/* A PetscErrorCode beyond those of PETSc and SLEPc. */
enum { COSPIN_INTERRUPTED = 7500 };

/* Collective on the point's communicator, and cheap: to be called in every step of a long iteration, as often
   on each of its ranks. Raises COSPIN_INTERRUPTED if the run is to end. interrupt: NULL: it never is. */
PetscErrorCode CospinInterruptCheck(const CospinInterrupt *interrupt);

/* Not collective. Every solve of `ksp`, and every step of one that iterates, checks from now on. `interrupt`
   is borrowed for as long as the ksp lives, and may be NULL. */
PetscErrorCode CospinInterruptSolver(KSP ksp, const CospinInterrupt *interrupt);
