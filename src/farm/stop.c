/*
   The signals are blocked everywhere and taken by one thread with sigtimedwait(): there is no handler, so
   nothing that a handler would have to leave in a global, and no system call is interrupted.
*/
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* strptime's companions */
#endif
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <cospin/stop.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct CospinStop_ {
  atomic_int asked, finished;
  double at; /* 0: never */
  pthread_t thread;
};

static void the_signals(sigset_t *set)
{
  (void)sigemptyset(set);
  (void)sigaddset(set, SIGUSR1);
  (void)sigaddset(set, SIGTERM);
  (void)sigaddset(set, SIGINT);
}

void CospinStopBlockSignals(void)
{
  sigset_t set;

  the_signals(&set);
  (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static double now(void)
{
  struct timespec time;

  (void)clock_gettime(CLOCK_REALTIME, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* USR1 may come as often as it likes: a batch system may send it to a job and to its steps. */
static void *watch(void *context)
{
  const struct timespec pause = {0, 100000000};
  const CospinStop stop = (CospinStop)context;
  sigset_t set;

  the_signals(&set);
  while (!atomic_load(&stop->finished)) {
    const int got = sigtimedwait(&set, NULL, &pause);
    const int asked = atomic_load(&stop->asked);
    if ((got == SIGTERM || got == SIGINT) && asked == 2) _exit(COSPIN_STATUS_STOPPED);
    if (got == SIGTERM || got == SIGINT) atomic_store(&stop->asked, 2);
    if (got == SIGUSR1 && !asked) atomic_store(&stop->asked, 1);
    if (stop->at > 0 && now() >= stop->at && !asked) atomic_store(&stop->asked, 1);
  }
  return NULL;
}

PetscErrorCode CospinStopCreate(double at, CospinStop *stop)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(stop));
  (*stop)->at = at;
  if (at > 0 && now() >= at) atomic_store(&(*stop)->asked, 1); /* before the first point is dealt out */
  PetscCheck(pthread_create(&(*stop)->thread, NULL, watch, *stop) == 0, PETSC_COMM_SELF, PETSC_ERR_SYS,
             "No thread to wait for signals");
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStopDestroy(CospinStop *stop)
{
  PetscFunctionBeginUser;
  if (!*stop) PetscFunctionReturn(0);
  atomic_store(&(*stop)->finished, 1);
  (void)pthread_join((*stop)->thread, NULL);
  PetscCall(PetscFree(*stop));
  PetscFunctionReturn(0);
}

PetscBool CospinStopAsked(CospinStop stop)
{
  return (PetscBool)(atomic_load(&stop->asked) > 0);
}

PetscBool CospinStopParseTime(const char text[], double *at)
{
  struct tm broken = {.tm_isdst = -1};
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &broken);
  char *end;

  if (rest && *rest == 0) {
    *at = (double)mktime(&broken);
    return (PetscBool)(*at > 0);
  }
  errno = 0;
  *at = strtod(text, &end);
  if (end == text || *end || errno || !(*at > 0)) return PETSC_FALSE;
  if (text[0] == '+') *at += now();
  return PETSC_TRUE;
}
