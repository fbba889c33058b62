/*
   What there is of a run that has not finished: points in its shards, outcomes, the process that holds its
   lock, checkpoints of points half-way. Shards of another version or of a damaged disk are counted as
   unreadable and do not stop the view.

   Nothing is locked and nothing is changed: a run that writes meanwhile goes on undisturbed, and what it
   publishes between two lines of this view is simply not counted.
*/
#include "unfinished.h"
#include <cospin/dataset/dataset.h>
#include <cospin/solver/outcome.h>
#include <cospin/store/parts.h>
#include <math.h>

/* What is read of a shard. */
enum { OUTCOME, SECONDS, RECORD };
/* Of a table that this program need not know: two columns that every shard has. */
static const CospinVariable rows[] = {
    {.name = "outcome", .storage = COSPIN_INTEGER, .dimension = -1, .offset = OUTCOME, .size = 1},
    {.name = "seconds", .storage = COSPIN_REAL, .dimension = -1, .offset = SECONDS, .size = 1},
};
static const CospinLayout layout = {.num_variables = 2, .variables = rows, .record_length = RECORD};

enum { MAX_OUTCOMES = 32 };

/* Counted over the shards of a folder. */
typedef struct {
  size_t points, counts[MAX_OUTCOMES]; /* in the order of CospinOutcomeNames */
  double seconds, slowest;
  int damaged, checkpoints;
} Tally;

/* A shard that cannot be read is counted and left out: a view must not fail because a run has been killed. */
static PetscErrorCode add_shard(Tally *tally, const char name[])
{
  CospinDatasetContent content;
  char why[1024];
  PetscErrorCode code;

  PetscFunctionBeginUser;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  code = CospinDatasetRead(name, &layout, &content, why, sizeof(why));
  PetscCall(PetscPopErrorHandler());
  tally->damaged += code != 0;
  if (code) PetscFunctionReturn(0);
  PetscCall(CospinDatasetWarnOfSeal(name));
  for (size_t p = 0; p < content.num_points; p++) {
    const double *record = content.records + p * RECORD;
    for (int k = 0; CospinOutcomeNames[k]; k++) tally->counts[k] += CospinOutcomeValues[k] == record[OUTCOME];
    if (isfinite(record[SECONDS])) tally->seconds += record[SECONDS];
    tally->slowest = PetscMax(tally->slowest, record[SECONDS]);
  }
  tally->points += content.num_points;
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}

/* What is done, how long it took, what is damaged, who is at work. */
static void print_tally(const CospinParts *parts, const Tally *tally, FILE *stream)
{
  char holder[400];

  fprintf(stream, "%s\n  %zu %s finished", parts->folder, tally->points,
          tally->points == 1 ? "point is" : "points are");
  for (int k = 0; CospinOutcomeNames[k]; k++) {
    if (tally->counts[k]) fprintf(stream, ", %zu %s", tally->counts[k], CospinOutcomeNames[k]);
  }
  fprintf(stream, "\n  %.4g s in all, the slowest %.4g s\n", tally->seconds, tally->slowest);
  if (tally->damaged)
    fprintf(stream, "  %d %s damaged: what was in them will be computed again\n", tally->damaged,
            tally->damaged == 1 ? "shard is" : "shards are");
  if (tally->checkpoints)
    fprintf(stream, "  %d unfinished point%s kept half-way (checkpoint)\n", tally->checkpoints,
            tally->checkpoints == 1 ? " is" : "s are");
  if (CospinPartsHolder(parts, holder, sizeof(holder))) {
    fprintf(stream, "  being written by %s\n", holder);
  } else {
    fprintf(stream, "  no run is writing it: the command of that run goes on with the rest\n");
  }
}

PetscErrorCode CospinUnfinishedView(const char file[], FILE *stream, PetscBool *found)
{
  CospinParts parts;
  Tally tally = {0};
  char **names;
  int num;

  PetscFunctionBeginUser;
  *found = CospinPartsFind(file, &parts);
  if (!*found) PetscFunctionReturn(0);
  PetscCall(CospinPartsList(&parts, &num, &names));
  for (int k = 0; k < num; k++) PetscCall(add_shard(&tally, names[k]));
  PetscCall(CospinPartsFreeList(num, &names));
  PetscCall(CospinPartsListCheckpoints(&parts, &tally.checkpoints, &names));
  PetscCall(CospinPartsFreeList(tally.checkpoints, &names));
  print_tally(&parts, &tally, stream);
  PetscFunctionReturn(0);
}
