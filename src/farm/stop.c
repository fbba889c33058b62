/*
   The signals are blocked everywhere and taken by one thread with sigtimedwait(): there is no handler, so
   nothing that a handler would have to leave in a global, and no system call is interrupted.

   Three degrees: asked (USR1, TERM, HUP, a time): take no more points and leave those at work; asked twice,
   or `--stop-within` has passed: end now, in the middle of a factorisation; not asked: nothing. What is asked
   is one atomic number, read by the ranks at places where all of them do.
*/
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* strptime's companions */
#endif
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <cospin/farm/stop.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10 };

typedef enum { NOT_ASKED, ASKED_BY_TIME_OR_USR1, ASKED_BY_HAND } Asked;

struct CospinStop_ {
  atomic_int asked, begun, speaks, finished;
  sigset_t signals;
  double at, within; /* 0: never, no limit */
  pthread_t thread;
};

/* HUP comes when a terminal is closed, unless nohup has said that this does not matter. */
static void choose_signals(sigset_t *set)
{
  struct sigaction hangup;

  (void)sigemptyset(set);
  (void)sigaddset(set, SIGUSR1);
  (void)sigaddset(set, SIGTERM);
  (void)sigaddset(set, SIGINT);
  if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) (void)sigaddset(set, SIGHUP);
}

/* The system's clock, since limits are given as times of day. */
static double now(void)
{
  struct timespec time;

  (void)clock_gettime(CLOCK_REALTIME, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Whatever the other threads are in the middle of: files come into being by a rename (publish.c), so none is
   damaged. stdio may be locked by one of them. */
static void end_at_once(const struct CospinStop_ *stop, const char why[])
{
  const char text[] = ": what was in flight is lost, everything finished before is stored: the same command "
                      "goes on\n";

  if (atomic_load(&stop->speaks) &&
      (write(STDERR_FILENO, "cospin: ", 8) < 0 || write(STDERR_FILENO, why, strlen(why)) < 0 ||
       write(STDERR_FILENO, text, strlen(text)) < 0))
    _exit(COSPIN_STATUS_STOPPED); /* nobody listens */
  _exit(COSPIN_STATUS_STOPPED);
}

/* USR1 may come as often as it likes: a batch system may send it to a job and to its steps. */
static void take_signal(CospinStop stop, int signal)
{
  const PetscBool by_hand = (PetscBool)(signal == SIGTERM || signal == SIGINT);
  const int asked = atomic_load(&stop->asked);

  if (!by_hand && signal != SIGUSR1 && signal != SIGHUP) return;
  if (!atomic_load(&stop->begun)) end_at_once(stop, "stopped before the first point");
  if (by_hand && asked == ASKED_BY_HAND) end_at_once(stop, "told to end at once");
  if (by_hand || !asked) atomic_store(&stop->asked, by_hand ? ASKED_BY_HAND : ASKED_BY_TIME_OR_USR1);
}

/* Wakes ten times a second, to see a time limit without a signal. */
static void *watch(void *context)
{
  const struct timespec pause = {0, 100000000};
  const CospinStop stop = (CospinStop)context;
  double limit = 0;

  while (!atomic_load(&stop->finished)) {
    take_signal(stop, sigtimedwait(&stop->signals, NULL, &pause));
    if (stop->at > 0 && now() >= stop->at && !atomic_load(&stop->asked))
      atomic_store(&stop->asked, ASKED_BY_TIME_OR_USR1);
    if (stop->within > 0 && limit == 0 && atomic_load(&stop->asked)) limit = now() + stop->within;
    if (limit > 0 && now() >= limit) end_at_once(stop, "the time of --stop-within is over");
  }
  return NULL;
}

/* With a small stack: it does little, and address space may be scarce (ulimit -v) when MPI wants its own. */
static PetscBool start_thread(CospinStop stop)
{
  pthread_attr_t small;
  PetscBool started;

  if (pthread_attr_init(&small)) return PETSC_FALSE;
  (void)pthread_attr_setstacksize(&small, STACK_BYTES);
  started = (PetscBool)(pthread_create(&stop->thread, &small, watch, stop) == 0);
  (void)pthread_attr_destroy(&small);
  return started;
}

CospinStop CospinStopCreate(double at, double within)
{
  CospinStop stop = (CospinStop)calloc(1, sizeof(*stop));

  if (!stop) return NULL;
  stop->at = at;
  stop->within = within;
  if (at > 0 && now() >= at) atomic_store(&stop->asked, ASKED_BY_TIME_OR_USR1); /* before the first point */
  choose_signals(&stop->signals);
  (void)pthread_sigmask(SIG_BLOCK, &stop->signals, NULL);
  if (start_thread(stop)) return stop;
  free(stop);
  return NULL;
}

void CospinStopDestroy(CospinStop *stop)
{
  if (!*stop) return;
  atomic_store(&(*stop)->finished, 1);
  (void)pthread_join((*stop)->thread, NULL);
  free(*stop);
  *stop = NULL;
}

void CospinStopSpeak(CospinStop stop)
{
  atomic_store(&stop->speaks, 1);
}

void CospinStopBegin(CospinStop stop)
{
  atomic_store(&stop->begun, 1);
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
