/*
   Blocks of trajectories. Sums are made in the order of trajectories within a block and in the order of
   blocks over all; every block is summed by one rank, and adding the zeros of the others is exact. So results
   are the same to the last bit on any number of ranks, and after an end in the middle.

   The ket without a jump is not sampled: it is the same for all trajectories, so it is computed once, with
   its probability P0(t) = |psi|^2, and what is drawn are trajectories that jump at least once by the last
   time (u from (P0, 1)). Of those that have jumped by t, the mean is M(t):

     <A>(t) = P0(t) A0(t) + (1 - P0(t)) M(t),

   with no weights that are themselves drawn. (Compare Abdelhafez et al., PRA 99, 052327 (2019).) Errors
   are the jackknife's over blocks, with 1 - P0 in front of them, so that a problem that seldom jumps has
   small ones. From a mixed state there are several kets without a jump, and everything is sampled.

   Where fewer than twenty trajectories have jumped by t their scatter says nothing: the error is not known.
*/
#include "sample_impl.h"

/* Of a steady sample one state, and most of its samples; else one at every time. */
static PetscErrorCode create_average(CospinSample *s, double most)
{
  PetscFunctionBeginUser;
  PetscCall(CospinAverageCreate(&s->point->problem->system, s->steady ? 1 : s->num_times,
                                s->steady ? most * s->num_times : most, 0.5 * s->point->problem->bytes,
                                &s->average));
  PetscFunctionReturn(0);
}

/* A CospinUnravellingSettings.Show. What has not jumped is known already, unless everything is sampled. */
static PetscErrorCode show(void *context, int k, CospinKetBlock block, const double complex ket[],
                           double norm2, PetscBool jumped)
{
  const CospinSample *s = (const CospinSample *)context;

  PetscFunctionBeginUser;
  if (!jumped && !s->mixed) PetscFunctionReturn(0);
  if (s->steady && k < s->num_times / 4) PetscFunctionReturn(0);
  PetscCall(CospinAverageVisit(s->average, s->steady ? 0 : k, block, ket, norm2));
  PetscFunctionReturn(0);
}

/* The trajectory without a jump is computed by every rank: it costs as much as one of the others. */
PetscErrorCode CospinSampleCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                  const CospinRecordsSettings *records, PetscBool steady, double most,
                                  CospinSample *s)
{
  CospinUnravellingSettings shown = *settings;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(point->comm, &rank));
  *s = (CospinSample){.point = point,
                      .steady = steady,
                      .num_times = settings->num_times,
                      .num_rows = steady ? COSPIN_NUM_WINDOWS : settings->num_times,
                      .num_lines = point->problem->deck->num_jumps,
                      .block_size = 1};
  if (most > 0) PetscCall(create_average(s, most));
  shown.Show = most > 0 ? show : NULL;
  shown.context = s;
  PetscCall(CospinUnravellingCreate(point, &shown, &s->unravelling));
  CospinUnravellingCounts(s->unravelling, &s->num_expectations, &s->num_cutoffs);
  s->num_values = s->num_expectations + 1 + s->num_cutoffs;
  s->mixed = (PetscBool)(steady || CospinUnravellingIsMixed(s->unravelling));
  if (records) s->records.settings = *records;
  s->recorded = (PetscBool)(records != NULL);
  s->length = records_of(s) + (records ? CospinRecordsLength(&s->records) : 0);
  PetscCall(PetscCalloc2(COSPIN_MOST_BLOCKS * s->length, &s->sums, s->length, &s->total));
  PetscCall(CospinTrajectoryCreate(s->unravelling, &s->no_jump));
  if (s->mixed) PetscFunctionReturn(0);
  PetscCall(CospinUnravellingRun(s->unravelling, -1, 0.0, &s->no_jump));
  if (s->average && rank == 0) PetscCall(CospinAverageTake(s->average, COSPIN_AVERAGE_GROUPS));
  s->least = s->no_jump.norm2[s->num_times - 1];
  s->worst[COSPIN_WORST_ERROR] = s->no_jump.error;
  s->worst[COSPIN_WORST_DIMENSION] = s->no_jump.dimension;
  s->worst[COSPIN_WORST_LARGE] = s->no_jump.large;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSampleDestroy(CospinSample *s)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTrajectoryDestroy(&s->no_jump));
  PetscCall(PetscFree2(s->sums, s->total));
  PetscCall(CospinRecordsDestroy(&s->records));
  PetscCall(CospinAverageDestroy(&s->average));
  PetscCall(CospinUnravellingDestroy(&s->unravelling));
  PetscFunctionReturn(0);
}

/* ---- Sums ---------------------------------------------------------------------------------------------- */

/* A trajectory at one time; one that has not jumped is known already, unless the state is mixed. */
static void add_row(const CospinSample *s, const CospinTrajectory *t, int k, double row[])
{
  const double complex *values = t->values + (size_t)k * (size_t)s->num_values;
  const double clicks = t->clicks[k];

  if (t->jumps[k]) row[JUMPED] += 1;
  if (!t->jumps[k] && !s->mixed) return;
  row[COUNT] += 1;
  row[CLICKS] += clicks;
  row[SQUARES] += clicks * clicks;
  for (int v = 0; v < s->num_values; v++) {
    row[VALUES + 2 * v] += creal(values[v]);
    row[VALUES + 2 * v + 1] += cimag(values[v]);
  }
  for (int v = s->num_values; s->steady && v < 2 * s->num_values; v++) {
    row[VALUES + 2 * v] += PetscSqr(creal(values[v - s->num_values]));
    row[VALUES + 2 * v + 1] += PetscSqr(cimag(values[v - s->num_values]));
  }
}

/* Samples of a steady trajectory: the first quarter is for getting there, the rest what is averaged, in two
   halves. */
static void add_windows(const CospinSample *s, const CospinTrajectory *t, double block[])
{
  const int first = s->num_times / 4, middle = (first + s->num_times) / 2;

  for (int k = first; k < s->num_times; k++) {
    add_row(s, t, k, block + COSPIN_WINDOW_ALL * row_length(s));
    add_row(s, t, k,
            block + (size_t)(k < middle ? COSPIN_WINDOW_FIRST : COSPIN_WINDOW_SECOND) * row_length(s));
  }
}

/* Of lines it counts trajectories in which they jumped at least once, and the expected number of jumps: at
   each jump every line has its probability, and their sum has no chance in it but for the kets. */
static void add_trajectory(CospinSample *s, const CospinTrajectory *t, double block[])
{
  double *tail = block + tail_of(s);

  if (s->steady) add_windows(s, t, block);
  for (int k = 0; !s->steady && k < s->num_times; k++) add_row(s, t, k, block + (size_t)k * row_length(s));
  for (int l = 0; l < s->num_lines; l++) {
    *tail++ += t->fired[l] > 0;
    *tail++ += t->expected[l];
  }
  tail[JUMPS] += t->jumps[s->num_times - 1];
  tail[ANY] += t->jumps[s->num_times - 1] > 0;
  tail[PRODUCTS] += t->products;
  if (t->clicks[s->num_times - 1]) {
    const double time = t->click_time / t->clicks[s->num_times - 1];
    tail[CLICKED] += 1;
    tail[TIMES] += time;
    tail[TIME_SQUARES] += time * time;
  }
  s->worst[COSPIN_WORST_ERROR] = PetscMax(s->worst[COSPIN_WORST_ERROR], t->error);
  s->worst[COSPIN_WORST_DIMENSION] = PetscMax(s->worst[COSPIN_WORST_DIMENSION], t->dimension);
  s->worst[COSPIN_WORST_LARGE] = PetscMax(s->worst[COSPIN_WORST_LARGE], t->large);
}

static PetscErrorCode run_block(CospinSample *s, int b, CospinTrajectory *trajectory)
{
  double *block = s->sums + (size_t)b * s->length;

  PetscFunctionBeginUser;
  for (int n = b * s->block_size; n < PetscMin(s->number, (b + 1) * s->block_size); n++) {
    if (s->average) CospinAverageDrop(s->average);
    PetscCall(CospinUnravellingRun(s->unravelling, n, s->least, trajectory));
    if (s->average && !trajectory->large) PetscCall(CospinAverageTake(s->average, n % COSPIN_AVERAGE_GROUPS));
    if (!trajectory->large) add_trajectory(s, trajectory, block);
    if (!trajectory->large && s->recorded)
      PetscCall(CospinRecordsAdd(&s->records, n, trajectory, block + records_of(s)));
    if (trajectory->large) s->worst[COSPIN_WORST_LARGE] = 1;
  }
  PetscFunctionReturn(0);
}

/* Pairs of blocks become blocks. They have been shared by then. */
static PetscErrorCode join_pairs(CospinSample *s)
{
  PetscFunctionBeginUser;
  s->done /= 2;
  s->block_size *= 2;
  for (int b = 0; b < s->done; b++) {
    const double *first = s->sums + 2 * (size_t)b * s->length, *second = first + s->length;
    double *to = s->sums + (size_t)b * s->length;
    for (size_t i = 0; i < s->length; i++) to[i] = first[i] + second[i];
  }
  PetscCall(PetscArrayzero(s->sums + (size_t)s->done * s->length, (size_t)s->done * s->length));
  PetscFunctionReturn(0);
}

/* ---- Saved and loaded ---------------------------------------------------------------------------------- */

/* All that has been summed, on the first rank; others go on with zeros. */
static PetscErrorCode exchange(CospinSample *s, CospinCheckpoint checkpoint)
{
  int counts[] = {s->done, s->block_size}, rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(s->point->comm, &rank));
  PetscCall(CospinCheckpointInts(checkpoint, 2, counts));
  s->done = counts[0];
  s->block_size = counts[1];
  PetscCall(CospinCheckpointReals(checkpoint, COSPIN_NUM_WORST, s->worst));
  PetscCall(CospinCheckpointReals(checkpoint, (size_t)s->done * s->length, s->sums));
  PetscCall(CospinRecordsExchange(&s->records, checkpoint));
  if (s->average) PetscCall(CospinAverageExchange(s->average, checkpoint));
  if (checkpoint->loading && rank) PetscCall(PetscArrayzero(s->sums, (size_t)s->done * s->length));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSampleLoad(CospinSample *s, CospinCheckpoint checkpoint)
{
  PetscFunctionBeginUser;
  PetscCall(exchange(s, checkpoint));
  PetscFunctionReturn(0);
}

/* The sums of other ranks go to the first for good. */
static PetscErrorCode save(CospinSample *s)
{
  const CospinInterrupt *interrupt = &s->point->interrupt;
  const size_t count = (size_t)s->done * s->length;
  CospinCheckpoint checkpoint;
  int rank;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(s->point->comm, &rank));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sums, (int)count, MPI_DOUBLE, MPI_SUM, s->point->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->worst, COSPIN_NUM_WORST, MPI_DOUBLE, MPI_MAX, s->point->comm));
  if (rank) PetscCall(PetscArrayzero(s->sums, count));
  PetscCall(CospinRecordsGather(s->point->comm, &s->records));
  if (s->average) PetscCall(CospinAverageGather(s->point->comm, s->average));
  PetscCall(CospinCheckpointCreate(s->point->comm, &checkpoint));
  PetscCall(CospinCheckpointReals(checkpoint, COSPIN_SAMPLE_HEAD, s->head));
  PetscCall(exchange(s, checkpoint));
  PetscCall(interrupt->Save(interrupt->context, checkpoint));
  PetscCall(CospinCheckpointDestroy(&checkpoint));
  PetscFunctionReturn(0);
}

/* Between two laps all ranks have done their blocks, so what is saved is whole. */
static PetscErrorCode ask(CospinSample *s, PetscBool *leave)
{
  const CospinInterrupt *interrupt = &s->point->interrupt;
  CospinPause pause = COSPIN_PAUSE_NO;

  PetscFunctionBeginUser;
  if (interrupt->Ask) PetscCall(interrupt->Ask(interrupt->context, &pause));
  if (pause != COSPIN_PAUSE_NO) PetscCall(save(s));
  *leave = (PetscBool)(pause == COSPIN_PAUSE_LEAVE);
  PetscFunctionReturn(0);
}

/* ---- The way ------------------------------------------------------------------------------------------- */

/* Blocks are dealt out a few at a time, as many as take a second or so; how many has no influence on numbers.
 */
PetscErrorCode CospinSampleExtend(CospinSample *s, int number, PetscBool *leave)
{
  static const double lap_seconds = 1.0;
  CospinTrajectory trajectory;
  int rank, size, share = 1;

  PetscFunctionBeginUser;
  *leave = PETSC_FALSE;
  PetscCallMPI(MPI_Comm_rank(s->point->comm, &rank));
  PetscCallMPI(MPI_Comm_size(s->point->comm, &size));
  if (s->done == 0) s->block_size = (number + COSPIN_MOST_BLOCKS - 1) / COSPIN_MOST_BLOCKS;
  while (s->block_size * COSPIN_MOST_BLOCKS < number) PetscCall(join_pairs(s));
  s->number = number;
  if (s->shared && rank) PetscCall(PetscArrayzero(s->sums, COSPIN_MOST_BLOCKS * s->length));
  s->shared = PETSC_FALSE;
  s->num_blocks = (number + s->block_size - 1) / s->block_size;
  PetscCall(CospinTrajectoryCreate(s->unravelling, &trajectory));
  while (s->done < s->num_blocks && !*leave) {
    const int end = PetscMin(s->num_blocks, s->done + share * size);
    double seconds = MPI_Wtime();
    for (int b = s->done + rank; b < end; b += size) PetscCall(run_block(s, b, &trajectory));
    s->done = end;
    seconds = MPI_Wtime() - seconds;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, s->point->comm));
    share = (int)PetscMin(COSPIN_MOST_BLOCKS, PetscMax(1.0, share * lap_seconds / PetscMax(seconds, 1e-3)));
    PetscCall(ask(s, leave));
  }
  PetscCall(CospinTrajectoryDestroy(&trajectory));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSampleReduce(CospinSample *s)
{
  const size_t count = (size_t)s->done * s->length;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->worst, COSPIN_NUM_WORST, MPI_DOUBLE, MPI_MAX, s->point->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sums, (int)count, MPI_DOUBLE, MPI_SUM, s->point->comm));
  s->shared = PETSC_TRUE;
  PetscCall(PetscArrayzero(s->total, s->length));
  for (int b = 0; b < s->done; b++) {
    for (size_t i = 0; i < s->length; i++) s->total[i] += s->sums[(size_t)b * s->length + i];
  }
  PetscFunctionReturn(0);
}
