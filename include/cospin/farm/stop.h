/*
   When a run has to end early: at a signal (USR1, TERM, INT, HUP unless it is ignored) or at a time.

   Before anything is at stake a signal ends the process at once. Then the first one asks: the run takes no
   more points and leaves those that it can leave. A second TERM or INT ends the process at once, and so does
   the end of the time that may pass after the first one; both lose only what is in flight. The status is
   COSPIN_STATUS_STOPPED in all cases.
*/
#pragma once
#include <petscsys.h>

typedef struct CospinStop_ *CospinStop;

enum {
  COSPIN_STATUS_STOPPED = 75
}; /* exit status: everything finished is stored, give the same command again */

/* Not collective. Blocks the signals and starts a thread that waits for them: to be called before MPI_Init,
   so that no other thread takes them. at: seconds since the epoch, 0: never; within: seconds, 0: no limit.
   NULL if there is no memory or no thread for it. */
CospinStop CospinStopCreate(double at, double within);
void CospinStopDestroy(CospinStop *stop);

/* Not collective: this process is the one that says on stderr why it ends at once. */
void CospinStopSpeak(CospinStop stop);
/* Not collective: from now on something is at stake, and the first signal asks. */
void CospinStopBegin(CospinStop stop);

/* Not collective: whether this process has been asked. */
PetscBool CospinStopAsked(CospinStop stop);

/* Not collective. A time as `--stop-at` takes it: seconds since the epoch, `+SECONDS` from now on, or
   YYYY-MM-DDTHH:MM:SS in local time (as squeue prints it). False if it is none. */
PetscBool CospinStopParseTime(const char text[], double *at);
