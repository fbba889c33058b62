/*
   What a detector's list of clicks says. Of trajectories with clicks t_1 < t_2 < ... between two times:

     P(n)     probability of n clicks
     rate     clicks per time
     w(tau)   density of t_(i+1) - t_i
     g2(tau)  pairs of clicks tau apart, over what there would be at the same rate by chance

   A wait that is longer than what is left of a trajectory is not seen, and short ones would be counted too
   often. So only clicks from which the longest delay can still be watched begin a wait or a pair: each has
   the same chance to show every delay, and no bias is left.

   g2 is that of light that does not change. Whether it does is asked of the two halves: where their rates
   differ by more than four errors it is missing. Trajectories that never jump have not been drawn and have no
   clicks: their share comes in where something is counted for each trajectory, and cancels in w and g2.

   One by one clicks are kept in the order of trajectories, as many whole ones as there is room for.
*/
#include "records.h"
#include "sample.h"

/* Behind P(n), waits and pairs. */
enum { STARTS, FIRST_HALF, SECOND_HALF, NUM_TAIL };
enum { COLUMNS = 3 };
static const double most_drift = 4.0; /* standard errors */

typedef enum { NUMBER, WAIT, PAIR, RATE, DIFFERENCE } Quantity;

static size_t place_of(const CospinRecords *r, Quantity what)
{
  const size_t counts = (size_t)r->settings.num_counts, delays = (size_t)r->settings.num_delays;

  if (what == NUMBER) return 0;
  return what == WAIT ? counts : what == PAIR ? counts + delays : counts + 2 * delays;
}

size_t CospinRecordsLength(const CospinRecords *r)
{
  return place_of(r, RATE) + NUM_TAIL;
}

PetscErrorCode CospinRecordsDestroy(CospinRecords *r)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(r->kept));
  PetscFunctionReturn(0);
}

/* ---- Adding -------------------------------------------------------------------------------------------- */

/* Which bin; num_delays: it is longer than all. */
static int bin_of(const CospinRecordsSettings *settings, double delay)
{
  int lo = 0, hi = settings->num_delays;

  while (lo < hi) {
    const int middle = (lo + hi) / 2;
    if (delay < settings->delays[middle])
      hi = middle;
    else
      lo = middle + 1;
  }
  return lo;
}

/* One click more than there is room for is enough to know where to cut. */
static PetscErrorCode keep(CospinRecords *r, int number, const CospinTrajectory *t)
{
  PetscFunctionBeginUser;
  if (r->num > r->settings.room) PetscFunctionReturn(0);
  if (r->num + t->num_records > r->capacity) {
    r->capacity = 2 * (r->num + t->num_records);
    PetscCall(PetscRealloc(sizeof(double) * COLUMNS * (size_t)r->capacity, &r->kept));
  }
  for (int i = 0; i < t->num_records; i++) {
    double *row = r->kept + COLUMNS * (size_t)r->num++;
    row[0] = number;
    row[1] = t->records[i].time;
    row[2] = t->records[i].line;
  }
  PetscFunctionReturn(0);
}

/* The clicks that follow click i. */
static void add_delays(const CospinRecords *r, const CospinTrajectory *t, int i, double block[])
{
  const CospinRecordsSettings *settings = &r->settings;
  double *waits = block + place_of(r, WAIT), *pairs = block + place_of(r, PAIR);

  for (int j = i + 1; j < t->num_records; j++) {
    const int bin = bin_of(settings, t->records[j].time - t->records[i].time);
    if (bin == settings->num_delays) return;
    if (j == i + 1) waits[bin] += 1;
    pairs[bin] += 1;
  }
}

/* The halves of the time are counted apart, whose sum gives the rate and whose difference tells whether the
   light is always the same. A number of clicks beyond those that are told apart adds to none: probabilities
   of the others are not less for it, since they are over all trajectories. */
PetscErrorCode CospinRecordsAdd(CospinRecords *r, int number, const CospinTrajectory *t, double block[])
{
  const CospinRecordsSettings *s = &r->settings;
  const double longest = s->num_delays ? s->delays[s->num_delays - 1] : 0.0,
               half = 0.5 * (s->from + s->until);
  double *tail = block + place_of(r, RATE);
  int count = 0;

  PetscFunctionBeginUser;
  if (s->room) PetscCall(keep(r, number, t));
  for (int i = 0; i < t->num_records; i++) {
    const double time = t->records[i].time;
    if (time < s->from || time > s->until) continue;
    count++;
    tail[time < half ? FIRST_HALF : SECOND_HALF] += 1;
    if (!s->num_delays || time + longest > s->until) continue;
    tail[STARTS] += 1;
    add_delays(r, t, i, block);
  }
  if (count < s->num_counts) block[count] += 1;
  PetscFunctionReturn(0);
}

/* ---- Kept ---------------------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
  const double *x = (const double *)a, *y = (const double *)b;

  for (int i = 0; i < 2; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

/* In the order of trajectories again, each rank having some of them. */
PetscErrorCode CospinRecordsGather(MPI_Comm comm, CospinRecords *r)
{
  int rank, size, *counts, *places, all = 0;
  double *kept = NULL;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2((size_t)size, &counts, (size_t)size, &places));
  counts[rank] = COLUMNS * r->num;
  PetscCallMPI(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, counts, 1, MPI_INT, comm));
  for (int k = 0; k < size; k++) {
    places[k] = all;
    all += counts[k];
  }
  if (rank == 0) PetscCall(PetscMalloc1((size_t)all + 1, &kept));
  PetscCallMPI(MPI_Gatherv(r->kept, counts[rank], MPI_DOUBLE, kept, counts, places, MPI_DOUBLE, 0, comm));
  PetscCall(PetscFree2(counts, places));
  PetscCall(PetscFree(r->kept));
  r->kept = kept;
  r->num = r->capacity = rank == 0 ? all / COLUMNS : 0;
  if (rank == 0) qsort(kept, (size_t)r->num, sizeof(double) * COLUMNS, compare_rows);
  PetscFunctionReturn(0);
}

/* They have been gathered by then, so the first rank has them all; others go on with none, and what they add
   is of later trajectories. */
PetscErrorCode CospinRecordsExchange(CospinRecords *r, CospinCheckpoint checkpoint)
{
  int count = r->num, rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(checkpoint->comm, &rank));
  PetscCall(CospinCheckpointInts(checkpoint, 1, &count));
  if (checkpoint->loading) {
    PetscCall(PetscFree(r->kept));
    PetscCall(PetscMalloc1(COLUMNS * (size_t)count + 1, &r->kept));
    r->capacity = count;
  }
  PetscCall(CospinCheckpointReals(checkpoint, COLUMNS * (size_t)count, r->kept));
  r->num = checkpoint->loading && rank ? 0 : count;
  PetscFunctionReturn(0);
}

/* Whole trajectories only, up to the first that does not fit. Trajectories and lines are counted from 1: 0 is
   what an empty place has. */
static PetscErrorCode store_kept(const CospinRecords *r, const CospinRecordsReport *report)
{
  int recorded = report->number, stored = r->num;

  PetscFunctionBeginUser;
  if (r->num > r->settings.room) {
    recorded = (int)r->kept[COLUMNS * (size_t)r->settings.room];
    for (stored = 0; r->kept[COLUMNS * (size_t)stored] < recorded;) stored++;
  }
  PetscCall(CospinResultsSet(report->results, "recorded", 0, recorded));
  for (int i = 0; i < stored; i++) {
    const double *row = r->kept + COLUMNS * (size_t)i;
    PetscCall(CospinResultsSet(report->results, "record_trajectory", i, row[0] + 1));
    PetscCall(CospinResultsSet(report->results, "record_time", i, row[1]));
    PetscCall(CospinResultsSet(report->results, "record_line", i, row[2] + 1));
  }
  PetscFunctionReturn(0);
}

/* ---- What they say ------------------------------------------------------------------------------------- */

/* A sum over all blocks, or all but one. */
static double sum_of(const CospinRecordsReport *report, int without, size_t place)
{
  return report->total[place] -
         (without >= 0 ? report->blocks[(size_t)without * report->stride + place] : 0.0);
}

/* Delays are ends of bins, and nothing lies before 0. */
static double width_of(const CospinRecordsSettings *settings, int k)
{
  return settings->delays[k] - (k ? settings->delays[k - 1] : 0.0);
}

/* Trajectories, of all blocks or all but one; the last block has what is left. */
static int number_of(const CospinRecordsReport *report, int without)
{
  if (without < 0) return report->number;
  return report->number - PetscMin(report->block_size, report->number - without * report->block_size);
}

/* One of the quantities at the head of this file, over all blocks or all but one. Of a trajectory that was
   drawn everything counts `share`, the probability that there is a jump at all. */
static double value_of(const CospinRecordsReport *report, int without, Quantity what, int k)
{
  const CospinRecords *r = report->records;
  const CospinRecordsSettings *s = &r->settings;
  const size_t tail = place_of(r, RATE);
  const double each = s->share / number_of(report, without), starts = sum_of(report, without, tail + STARTS);
  const double first = sum_of(report, without, tail + FIRST_HALF),
               second = sum_of(report, without, tail + SECOND_HALF);
  const double rate = each * (first + second) / (s->until - s->from);

  if (what == RATE) return rate;
  if (what == DIFFERENCE) return each * (second - first);
  if (what == NUMBER) return each * sum_of(report, without, (size_t)k) + (k ? 0.0 : 1.0 - s->share);
  return sum_of(report, without, place_of(r, what) + (size_t)k) /
         (starts * width_of(s, k) * (what == PAIR ? rate : 1.0));
}

/* What one event more or less is worth. */
static double one_of(const CospinRecordsReport *report, Quantity what, int k)
{
  const CospinRecordsSettings *s = &report->records->settings;
  const double starts = report->total[place_of(report->records, RATE) + STARTS];

  if (what == NUMBER) return s->share / report->number;
  if (what == RATE) return s->share / report->number / (s->until - s->from);
  if (what == DIFFERENCE) return s->share / report->number;
  return 1.0 / (starts * width_of(s, k) * (what == PAIR ? value_of(report, -1, RATE, 0) : 1.0));
}

/* The scatter of blocks knows nothing of a bin in which nothing has been seen: it would be 0 +- 0. What one
   event is worth is therefore added in quadrature; where there are a hundred it makes the error larger by
   half a per cent. */
static double error_of(const CospinRecordsReport *report, Quantity what, int k)
{
  double sum = 0.0, mean = 0.0;

  for (int b = 0; b < report->num_blocks; b++) mean += value_of(report, b, what, k) / report->num_blocks;
  for (int b = 0; b < report->num_blocks; b++) sum += PetscSqr(value_of(report, b, what, k) - mean);
  return PetscSqrtReal(sum * (report->num_blocks - 1) / report->num_blocks +
                       PetscSqr(one_of(report, what, k)));
}

static PetscErrorCode store(const CospinRecordsReport *report, const char name[], Quantity what, int k)
{
  const double value = value_of(report, -1, what, k);
  char error[64];

  PetscFunctionBeginUser;
  if (!PetscIsNormalReal(value) && value != 0.0) PetscFunctionReturn(0); /* a bin of no width, or no click */
  PetscCall(PetscSNPrintf(error, sizeof(error), "%s_error", name));
  PetscCall(CospinResultsSet(report->results, name, k, value));
  PetscCall(CospinResultsSet(report->results, error, k, error_of(report, what, k)));
  PetscFunctionReturn(0);
}

/* Errors of fewer than twenty clicks, or of too few blocks, are not known: then there is nothing. */
static PetscErrorCode store_averages(const CospinRecordsReport *report)
{
  const CospinRecords *r = report->records;
  const double *tail = report->total + place_of(r, RATE);
  double drift;

  PetscFunctionBeginUser;
  if (report->num_blocks < 2) PetscFunctionReturn(0);
  for (int n = 0; n < r->settings.num_counts; n++) PetscCall(store(report, "probability", NUMBER, n));
  if (tail[FIRST_HALF] + tail[SECOND_HALF] < COSPIN_SAMPLE_FEWEST) PetscFunctionReturn(0);
  drift = value_of(report, -1, DIFFERENCE, 0) / error_of(report, DIFFERENCE, 0);
  PetscCall(store(report, "click_rate", RATE, 0));
  PetscCall(CospinResultsSet(report->results, "click_drift", 0, drift));
  if (tail[STARTS] < COSPIN_SAMPLE_FEWEST) PetscFunctionReturn(0);
  for (int k = 0; k < r->settings.num_delays; k++) {
    PetscCall(store(report, "wait", WAIT, k));
    if (PetscAbsReal(drift) <= most_drift) PetscCall(store(report, "g2", PAIR, k));
  }
  PetscFunctionReturn(0);
}

/* Numbers count on the first rank, which stores them. */
PetscErrorCode CospinRecordsStore(MPI_Comm comm, CospinRecords *r, const CospinRecordsReport *report)
{
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(CospinRecordsGather(comm, r));
  PetscCall(store_averages(report));
  if (rank == 0 && r->settings.room) PetscCall(store_kept(r, report));
  PetscFunctionReturn(0);
}
