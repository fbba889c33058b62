/*
   When a run has to end early: at a signal (USR1, TERM, INT) or at a time. Asked once, a run takes no more
   points; a second TERM or INT ends the process at once, which loses only what is in flight.
*/
#pragma once
#include <petscsys.h>

typedef struct CospinStop_ *CospinStop;

enum {
  COSPIN_STATUS_STOPPED = 75
}; /* exit status: everything finished is stored, give the same command again */

/* To be called before MPI_Init, so that no thread takes these signals: from here on they only wait. */
void CospinStopBlockSignals(void);

/* Not collective; starts a thread that waits for the signals. at: seconds since the epoch, 0: no limit. */
PetscErrorCode CospinStopCreate(double at, CospinStop *stop);
PetscErrorCode CospinStopDestroy(CospinStop *stop);

/* Not collective: whether this process has been asked. */
PetscBool CospinStopAsked(CospinStop stop);

/* Not collective. A time as `--stop-at` takes it: seconds since the epoch, `+SECONDS` from now on, or
   YYYY-MM-DDTHH:MM:SS in local time (as squeue prints it). False if it is none. */
PetscBool CospinStopParseTime(const char text[], double *at);
