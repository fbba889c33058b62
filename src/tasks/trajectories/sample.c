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
#include "sample.h"

enum { MOST_BLOCKS = 512 };
/* Numbers of a block and time: kets that are averaged, those that have jumped, clicks and their squares; then
   the values. */
enum { COUNT, JUMPED, CLICKS, SQUARES, VALUES };
/* Behind all times: two of each line, then these. */
enum { JUMPS, PRODUCTS, CLICKED, TIMES, TIME_SQUARES, NUM_TAIL };

/* A block is a row of numbers for each time, and a tail. */
static size_t row_length(const CospinSample *s)
{
  return VALUES + 2 * (size_t)s->num_values;
}

static size_t tail_of(const CospinSample *s)
{
  return row_length(s) * (size_t)s->num_times;
}

/* The trajectory without a jump is computed by every rank: it costs as much as one of the others. */
PetscErrorCode CospinSampleCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                  CospinSample *s)
{
  PetscFunctionBeginUser;
  *s = (CospinSample){.point = point,
                      .num_times = settings->num_times,
                      .num_lines = point->problem->deck->num_jumps,
                      .block_size = 1};
  PetscCall(CospinUnravellingCreate(point, settings, &s->unravelling));
  CospinUnravellingCounts(s->unravelling, &s->num_expectations, &s->num_cutoffs);
  s->num_values = s->num_expectations + 1 + s->num_cutoffs;
  s->mixed = CospinUnravellingIsMixed(s->unravelling);
  s->length = tail_of(s) + 2 * (size_t)s->num_lines + NUM_TAIL;
  PetscCall(PetscCalloc2(MOST_BLOCKS * s->length, &s->sums, s->length, &s->total));
  PetscCall(CospinTrajectoryCreate(s->unravelling, &s->no_jump));
  if (s->mixed) PetscFunctionReturn(0);
  PetscCall(CospinUnravellingRun(s->unravelling, -1, 0.0, &s->no_jump));
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
}

/* Of lines it counts trajectories in which they jumped at least once, and the expected number of jumps: at
   each jump every line has its probability, and their sum has no chance in it but for the kets. */
static void add_trajectory(CospinSample *s, const CospinTrajectory *t, double block[])
{
  double *tail = block + tail_of(s);

  for (int k = 0; k < s->num_times; k++) add_row(s, t, k, block + (size_t)k * row_length(s));
  for (int l = 0; l < s->num_lines; l++) {
    *tail++ += t->fired[l] > 0;
    *tail++ += t->expected[l];
  }
  tail[JUMPS] += t->jumps[s->num_times - 1];
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
    PetscCall(CospinUnravellingRun(s->unravelling, n, s->least, trajectory));
    if (!trajectory->large) add_trajectory(s, trajectory, block);
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
  PetscCall(CospinCheckpointCreate(s->point->comm, &checkpoint));
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
  if (s->done == 0) s->block_size = (number + MOST_BLOCKS - 1) / MOST_BLOCKS;
  while (s->block_size * MOST_BLOCKS < number) PetscCall(join_pairs(s));
  s->number = number;
  if (s->shared && rank) PetscCall(PetscArrayzero(s->sums, MOST_BLOCKS * s->length));
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
    share = (int)PetscMin(MOST_BLOCKS, PetscMax(1.0, share * lap_seconds / PetscMax(seconds, 1e-3)));
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

/* ---- What they say ------------------------------------------------------------------------------------- */

/* One mean of all, or of all but block `without`, with the share of kets that have not jumped. */
static double complex mean_of(const CospinSample *s, int k, int without, size_t place, PetscBool is_complex,
                              double complex unjumped)
{
  const size_t row = (size_t)k * row_length(s);
  const double p = s->no_jump.norm2[k];
  double part[2] = {0.0, 0.0}, count = s->total[row + COUNT];

  if (without >= 0) count -= s->sums[(size_t)without * s->length + row + COUNT];
  for (int i = 0; i < (is_complex ? 2 : 1); i++) {
    part[i] = s->total[row + place + (size_t)i];
    if (without >= 0) part[i] -= s->sums[(size_t)without * s->length + row + place + (size_t)i];
  }
  if (p == 0.0) return CMPLX(part[0] / count, part[1] / count);
  if (count <= 0.0) return unjumped; /* what is left out is 1 - p */
  return p * unjumped + (1.0 - p) / count * CMPLX(part[0], part[1]);
}

/* With what the ket without a jump has in the same place. */
static double complex mean_value(const CospinSample *s, int k, int without, int v)
{
  return mean_of(s, k, without, VALUES + 2 * (size_t)v, PETSC_TRUE,
                 s->no_jump.values[(size_t)k * (size_t)s->num_values + (size_t)v]);
}

/* Observables are functions of means, evaluated behind them: their own mean over trajectories would be
   another number. */
static PetscErrorCode evaluate(CospinSample *s, int k, int what, int cutoff, int without,
                               double complex *value)
{
  const CospinObservables all = s->point->observables;
  double complex *means;
  double clicks;
  int first = 0;

  PetscFunctionBeginUser;
  if (what == COSPIN_SAMPLE_FIDELITY) *value = mean_value(s, k, without, s->num_expectations);
  if (what == COSPIN_SAMPLE_CUTOFF) *value = mean_value(s, k, without, s->num_expectations + 1 + cutoff);
  if (what == COSPIN_SAMPLE_CLICKS || what == COSPIN_SAMPLE_FANO) {
    clicks = creal(mean_of(s, k, without, CLICKS, PETSC_FALSE, 0.0));
    *value = clicks;
    if (what == COSPIN_SAMPLE_FANO)
      *value = creal(mean_of(s, k, without, SQUARES, PETSC_FALSE, 0.0)) / clicks - clicks;
  }
  if (what < 0) PetscFunctionReturn(0);
  for (int l = 0; l < what; l++) first += all->observables[l].num_expectations;
  PetscCall(PetscMalloc1((size_t)all->observables[what].num_expectations + 1, &means));
  for (int e = 0; e < all->observables[what].num_expectations; e++)
    means[e] = mean_value(s, k, without, first + e);
  PetscCall(CospinObservableEvaluate(all, what, means, value));
  PetscCall(PetscFree(means));
  PetscFunctionReturn(0);
}

double CospinSampleCount(const CospinSample *s, int k)
{
  return s->total[(size_t)k * row_length(s) + COUNT];
}

double CospinSampleJumped(const CospinSample *s, int k)
{
  return s->total[(size_t)k * row_length(s) + JUMPED];
}

/* A line that is expected to jump once in a thousand runs like this one does not matter to it. */
double CospinSampleRarest(const CospinSample *s)
{
  static const double negligible = 1e-3; /* jumps of all trajectories together */
  const double *tail = s->total + tail_of(s);
  double rarest = INFINITY;

  for (int l = 0; l < s->num_lines; l++)
    if (tail[2 * l + 1] > negligible) rarest = PetscMin(rarest, tail[2 * l]);
  return rarest;
}

/* Where next to nothing can have jumped, or nothing ever does, nothing is missing. Otherwise
   what a process does that has hardly been seen by the end is not known at any time. */
PetscBool CospinSampleIsRare(const CospinSample *s, int k)
{
  static const double negligible = 1e-9;
  const double likely = s->mixed ? 1.0 : 1.0 - s->no_jump.norm2[k];

  if (!CospinUnravellingJumps(s->unravelling) || likely <= negligible) return PETSC_FALSE;
  return (PetscBool)(CospinSampleJumped(s, k) < COSPIN_SAMPLE_FEWEST ||
                     CospinSampleRarest(s) < COSPIN_SAMPLE_FEWEST);
}

PetscErrorCode CospinSampleValue(CospinSample *s, int k, int what, int cutoff, double complex *value,
                                 double error[2], double change[2])
{
  double complex *values, mean = 0.0;
  double sum[2] = {0.0, 0.0};

  PetscFunctionBeginUser;
  PetscCall(evaluate(s, k, what, cutoff, -1, value));
  error[0] = error[1] = CospinSampleIsRare(s, k) ? (double)NAN : 0.0;
  change[0] = change[1] = 0.0;
  if (error[0] != 0.0 || s->done < 2) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)s->done, &values));
  for (int b = 0; b < s->done; b++) {
    PetscCall(evaluate(s, k, what, cutoff, b, &values[b]));
    mean += values[b] / s->done;
  }
  for (int b = 0; b < s->done; b++) {
    const double off[2] = {creal(values[b] - mean), cimag(values[b] - mean)};
    for (int i = 0; i < 2; i++) {
      sum[i] += off[i] * off[i];
      change[i] = PetscMax(change[i], fabs(off[i]));
    }
  }
  for (int i = 0; i < 2; i++) error[i] = PetscSqrtReal(sum[i] * (s->done - 1) / s->done);
  PetscCall(PetscFree(values));
  PetscFunctionReturn(0);
}

/* Mean and standard deviation of all trajectories with clicks, or of all but those of block `without`. */
static void click_times(const CospinSample *s, int without, double value[2])
{
  const size_t place = tail_of(s) + 2 * (size_t)s->num_lines;
  double sum[NUM_TAIL];

  for (int i = CLICKED; i <= TIME_SQUARES; i++) {
    sum[i] = s->total[place + (size_t)i];
    if (without >= 0) sum[i] -= s->sums[(size_t)without * s->length + place + (size_t)i];
  }
  value[0] = sum[TIMES] / sum[CLICKED];
  value[1] = PetscSqrtReal(PetscMax(0.0, sum[TIME_SQUARES] / sum[CLICKED] - value[0] * value[0]));
}

/* A trajectory with clicks has jumped, so that it does not matter that those without a jump were not drawn.
 */
void CospinSampleClickTimes(const CospinSample *s, double value[2], double error[2])
{
  double sum[2] = {0.0, 0.0};

  click_times(s, -1, value);
  for (int b = 0; b < s->done; b++) {
    double other[2];
    click_times(s, b, other);
    for (int i = 0; i < 2; i++) sum[i] += PetscSqr(other[i] - value[i]);
  }
  for (int i = 0; i < 2; i++) error[i] = PetscSqrtReal(sum[i] * (s->done - 1) / s->done);
  if (s->total[tail_of(s) + 2 * (size_t)s->num_lines + CLICKED] < COSPIN_SAMPLE_FEWEST)
    value[0] = value[1] = error[0] = error[1] = (double)NAN;
}

int CospinSampleNumber(const CospinSample *s)
{
  return PetscMin(s->number, s->done * s->block_size);
}

/* Those that were drawn have at least one; the others have none. */
double CospinSampleMeanJumps(const CospinSample *s)
{
  const double jumps = s->total[tail_of(s) + 2 * (size_t)s->num_lines + JUMPS];

  return s->done ? (1.0 - s->least) * jumps / CospinSampleNumber(s) : 0.0;
}

double CospinSampleMeanProducts(const CospinSample *s)
{
  const double products = s->total[tail_of(s) + 2 * (size_t)s->num_lines + PRODUCTS];

  return s->done ? products / CospinSampleNumber(s) : s->no_jump.products;
}
