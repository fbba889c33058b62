/*
   Progress on stderr: one line that updates on a terminal, a line now and then in a log. Every group's
   first rank calls after each point and any of them may print; whose turn it is, is decided by a counter
   in the queue that holds the number of time intervals since the start that have been printed, so no rank
   has to listen to the others.
*/
#include "progress.h"
#include <sys/time.h>
#include <unistd.h>

enum { LINE_MILLISECONDS = 200, LOG_MILLISECONDS = 15000 };

/* Wall clock: all groups must agree about intervals since the start. */
static int64_t milliseconds(void)
{
  struct timeval now;

  (void)gettimeofday(&now, NULL);
  return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

PetscErrorCode CospinProgressStart(MPI_Comm world, CospinProgressMode mode, PetscInt64 total,
                                   CospinProgress *progress)
{
  PetscFunctionBeginUser;
  if (mode == COSPIN_PROGRESS_AUTO) mode = isatty(STDERR_FILENO) ? COSPIN_PROGRESS_LINE : COSPIN_PROGRESS_LOG;
  *progress = (CospinProgress){mode, total, milliseconds()};
  PetscCallMPI(MPI_Bcast(&progress->started, 1, MPI_INT64_T, 0, world));
  PetscFunctionReturn(0);
}

/* The rate is that of this run, so points found finished do not make it look fast. */
static void print(const CospinProgress *progress, int64_t done, int64_t bad, int64_t now)
{
  const double elapsed = PetscMax(1e-3 * (double)(now - progress->started), 1e-3),
               rate = (double)done / elapsed;
  const long remaining = (long)((double)(progress->total - done) / rate + 0.5);
  const PetscBool line = (PetscBool)(progress->mode == COSPIN_PROGRESS_LINE);

  fprintf(stderr, "%scospin: %lld of %lld points, %lld bad, %.3g points/s, %02ld:%02ld:%02ld left%s",
          line ? "\r" : "", (long long)done, (long long)progress->total, (long long)bad, rate,
          remaining / 3600, remaining / 60 % 60, remaining % 60, line ? "\033[K" : "\n");
  (void)fflush(stderr);
}

/* Whether it is this leader's turn to print: the counter holds the number of intervals that have been
 * accounted for. Two may want the same interval: the one whose addition found it unprinted prints, the other
 * takes its addition back. */
static PetscErrorCode take_turn(CospinQueue *queue, int64_t intervals, PetscBool *mine)
{
  int64_t printed, before;

  PetscFunctionBeginUser;
  *mine = PETSC_FALSE;
  PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_PRINTED, 0, &printed));
  if (intervals <= printed) PetscFunctionReturn(0);
  PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_PRINTED, intervals - printed, &before));
  *mine = (PetscBool)(before == printed);
  if (!*mine) PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_PRINTED, printed - intervals, &before));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProgressPoint(CospinProgress *progress, CospinQueue *queue, PetscBool good)
{
  const int64_t interval = progress->mode == COSPIN_PROGRESS_LINE ? LINE_MILLISECONDS : LOG_MILLISECONDS;
  const int64_t now = milliseconds();
  int64_t done, bad;
  PetscBool mine;

  PetscFunctionBeginUser;
  PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_DONE, 1, &done));
  PetscCall(CospinQueueAdd(queue, COSPIN_COUNTER_BAD, good ? 0 : 1, &bad));
  if (progress->mode == COSPIN_PROGRESS_NONE) PetscFunctionReturn(0);
  PetscCall(take_turn(queue, (now - progress->started) / interval, &mine));
  if (mine) print(progress, done + 1, bad + (good ? 0 : 1), now);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProgressFinish(CospinProgress *progress)
{
  PetscFunctionBeginUser;
  if (progress->mode == COSPIN_PROGRESS_LINE) fprintf(stderr, "\r\033[K");
  (void)fflush(stderr);
  PetscFunctionReturn(0);
}
