/*
   Trajectories of the Langevin equations, in blocks that are columns of matrices.

   Sums over trajectories are the same on any number of ranks: each block's share is rounded to a multiple of
   q, so fine that it does not matter (1e-13 of a spin), and sums of multiples of q below 2^53 q are exact in
   whatever order.
*/
#include "langevin.h"
#include "real_blas.h"
#include <cospin/problem/array.h>

enum {
  BLOCK = 64,          /* trajectories in a block of many */
  FEWEST_BLOCKS = 32,  /* of few, so that their scatter tells the error */
  SHADOW_EVERY = 4,    /* blocks that are also followed by larger steps */
  HEADROOM = 8,        /* binary digits above 1 that means of squares may have */
  STEP_BITS = 14,      /* fours of random numbers in a step */
  TRAJECTORY_BITS = 42 /* and those of all steps */
};

typedef struct {
  int count;            /* trajectories */
  double *state;        /* [3N x count] by columns */
  double *shadow;       /* the same, NULL: none */
  double *shadow_noise; /* B dW of the step that is under way */
} Block;

/* B of a step. */
typedef struct {
  double *values; /* [3N x 3N] */
  PetscBool lower;
} Factor;

struct CospinTrajectories_ {
  MPI_Comm comm;
  CospinLangevin equations; /* borrowed */
  uint64_t seed;
  int n; /* 3N */
  int number, block_size, num_blocks;
  int first_block, end_block; /* of this rank */
  Block *blocks;              /* [end_block - first_block] */

  uint64_t step; /* so far; 0 is the initial state's */
  double clipped;
  Factor factors[2]; /* of the two steps of an advance */

  double *first, *second, *diffusion; /* moments of a block, or of all; 2D */
  double *sums; /* [num_sums] of trajectories: first, then second moments' upper triangle */
  double *slope, *next, *trial, *noise, *w; /* [3N x block_size] */
  double grid;
};

static int num_sums(const struct CospinTrajectories_ *t)
{
  return t->n + t->n * (t->n + 1) / 2;
}

/* ---- Creation ------------------------------------------------------------------------------------------ */

/* Contiguous blocks to every rank; the numbers of a trajectory do not depend on which rank has it. */
static PetscErrorCode create_blocks(CospinTrajectories t)
{
  PetscMPIInt rank, size;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(t->comm, &rank));
  PetscCallMPI(MPI_Comm_size(t->comm, &size));
  t->first_block = (int)((PetscInt64)t->num_blocks * rank / size);
  t->end_block = (int)((PetscInt64)t->num_blocks * (rank + 1) / size);
  PetscCall(PetscCalloc1((size_t)(t->end_block - t->first_block), &t->blocks));
  for (int k = t->first_block; k < t->end_block; k++) {
    Block *block = &t->blocks[k - t->first_block];
    PetscBool shadows;
    block->count = CospinTrajectoriesBlockSize(t, k, &shadows);
    const size_t length = (size_t)t->n * (size_t)block->count;
    PetscCall(PetscMalloc1(length, &block->state));
    if (shadows) PetscCall(PetscMalloc2(length, &block->shadow, length, &block->shadow_noise));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTrajectoriesCreate(MPI_Comm comm, CospinLangevin equations, int number, uint64_t seed,
                                        CospinTrajectories *trajectories)
{
  const size_t n = 3 * (size_t)equations->size;
  CospinTrajectories t;
  int digits = HEADROOM - 52;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&t));
  *trajectories = t;
  t->comm = comm;
  t->equations = equations;
  t->seed = seed;
  t->n = (int)n;
  t->number = number;
  t->block_size = number >= BLOCK * FEWEST_BLOCKS ? BLOCK : (number + FEWEST_BLOCKS - 1) / FEWEST_BLOCKS;
  t->num_blocks = (number + t->block_size - 1) / t->block_size;
  for (int k = 1; k < number; k *= 2) digits++;
  t->grid = ldexp(1.5, 52 + digits);
  const size_t length = n * (size_t)t->block_size;
  PetscCall(
      PetscMalloc5(length, &t->slope, length, &t->next, length, &t->trial, length, &t->noise, length, &t->w));
  PetscCall(
      PetscCalloc4(n, &t->first, n * n, &t->second, n * n, &t->diffusion, (size_t)num_sums(t), &t->sums));
  PetscCall(PetscMalloc2(n * n, &t->factors[0].values, n * n, &t->factors[1].values));
  PetscCall(create_blocks(t));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTrajectoriesDestroy(CospinTrajectories *trajectories)
{
  CospinTrajectories t = *trajectories;

  PetscFunctionBeginUser;
  if (!t) PetscFunctionReturn(0);
  for (int k = 0; k < t->end_block - t->first_block; k++) {
    PetscCall(PetscFree(t->blocks[k].state));
    PetscCall(PetscFree2(t->blocks[k].shadow, t->blocks[k].shadow_noise));
  }
  PetscCall(PetscFree(t->blocks));
  PetscCall(PetscFree2(t->factors[0].values, t->factors[1].values));
  PetscCall(PetscFree4(t->first, t->second, t->diffusion, t->sums));
  PetscCall(PetscFree5(t->slope, t->next, t->trial, t->noise, t->w));
  PetscCall(PetscFree(*trajectories));
  PetscFunctionReturn(0);
}

int CospinTrajectoriesNumBlocks(CospinTrajectories t)
{
  return t->num_blocks;
}

int CospinTrajectoriesBlockSize(CospinTrajectories t, int block, PetscBool *shadows)
{
  *shadows = (PetscBool)(block % SHADOW_EVERY == 0);
  return PetscMin(t->block_size, t->number - block * t->block_size);
}

double CospinTrajectoriesClipped(CospinTrajectories t)
{
  return t->clipped;
}

/* ---- Random numbers ------------------------------------------------------------------------------------ */

static void random_words(const struct CospinTrajectories_ *t, int trajectory, int which, uint32_t words[4])
{
  const uint64_t index =
      (uint64_t)(unsigned)trajectory << TRAJECTORY_BITS | t->step << STEP_BITS | (uint64_t)(unsigned)which;

  CospinRandomBlock(t->seed, index, words);
}

/* Numbers for a column: sqrt(3), 0, -sqrt(3) with probabilities 1/6, 2/3, 1/6, whose moments are those of
   normal ones up to the fifth. Weak second order needs no more (Kloeden and Platen, Numerical Solution of
   Stochastic Differential Equations, 14.2), and they cost a tenth. */
static void draw(const struct CospinTrajectories_ *t, int trajectory, double column[])
{
  static const uint32_t sixth = UINT32_MAX / 6;
  static const double root_three = 1.7320508075688772;

  for (int k = 0; k < t->n; k += 4) {
    uint32_t words[4];
    random_words(t, trajectory, k / 4, words);
    for (int i = k; i < PetscMin(k + 4, t->n); i++)
      column[i] = root_three * ((words[i - k] > UINT32_MAX - sixth) - (words[i - k] < sixth));
  }
}

PetscErrorCode CospinTrajectoriesStart(CospinTrajectories t, const double mean[], const double *const axes[2])
{
  const int num_spins = t->n / 3;

  PetscFunctionBeginUser;
  t->step = 0;
  for (int k = 0; k < t->end_block - t->first_block; k++) {
    const Block *block = &t->blocks[k];
    for (int column = 0; column < block->count; column++) {
      double *s = &block->state[t->n * column];
      for (int a = 0; a < num_spins; a++) {
        uint32_t u[4];
        random_words(t, (k + t->first_block) * t->block_size + column, a, u);
        for (int i = a; i < t->n; i += num_spins)
          s[i] = mean[i] + (u[0] >> 31 ? axes[0][i] : -axes[0][i]) + (u[1] >> 31 ? axes[1][i] : -axes[1][i]);
      }
    }
    if (block->shadow) PetscCall(PetscArraycpy(block->shadow, block->state, t->n * block->count));
  }
  t->step = 1;
  PetscFunctionReturn(0);
}

/* ---- Moments ------------------------------------------------------------------------------------------- */

/* Sums of s and (upper triangle) of s s^T over some trajectories. */
static void sum_moments(CospinTrajectories t, int count, const double s[])
{
  const PetscBLASInt n = t->n, columns = count;
  const double one = 1.0, zero = 0.0;

  for (int i = 0; i < t->n; i++) t->first[i] = 0.0;
  for (int k = 0; k < count; k++) {
    for (int i = 0; i < t->n; i++) t->first[i] += s[t->n * k + i];
  }
  dsyrk_("U", "N", &n, &columns, &one, s, &n, &zero, t->second, &n);
}

/* Rounded to the grid: nothing below it survives the addition. */
static double on_grid(const struct CospinTrajectories_ *t, double value)
{
  const volatile double sum = value + t->grid;

  return sum - t->grid;
}

/* First moments, then the upper triangle of the second ones. On a grid of multiples of a small number sums
   are exact, and so the same for any number of ranks. */
static void add_to_sums(CospinTrajectories t)
{
  double *sum = t->sums;

  for (int i = 0; i < t->n; i++) *sum++ += on_grid(t, t->first[i]);
  for (int j = 0; j < t->n; j++) {
    const double *column = &t->second[t->n * j];
    for (int i = 0; i <= j; i++) *sum++ += on_grid(t, column[i]);
  }
}

/* From the sums of all ranks to means; *ok: they are in bounds. */
static PetscErrorCode reduce(CospinTrajectories t, PetscBool *ok)
{
  const double *sum = t->sums;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, t->sums, num_sums(t), MPI_DOUBLE, MPI_SUM, t->comm));
  *ok = PETSC_TRUE;
  for (int i = 0; i < t->n; i++) t->first[i] = *sum++ / t->number;
  for (int j = 0; j < t->n; j++) {
    double *column = &t->second[t->n * j];
    for (int i = 0; i <= j; i++) column[i] = *sum++ / t->number;
    if (!(column[j] < (1 << HEADROOM))) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

static void evaluate(CospinTrajectories t, int count, const double s[], int num,
                     const CospinMoments moments[], double complex sums[])
{
  sum_moments(t, count, s);
  for (int e = 0; e < num; e++)
    sums[e] += CospinMomentsEvaluate(&moments[e], t->n, count, t->first, t->second);
}

void CospinTrajectoriesSample(CospinTrajectories t, const CospinSample *sample)
{
  for (int k = t->first_block; k < t->end_block; k++) {
    const Block *block = &t->blocks[k - t->first_block];
    double complex *sums = &sample->sums[sample->num * k], *shadows = &sample->shadows[sample->num * k];
    if (block->shadow) evaluate(t, block->count, block->shadow, sample->num, sample->moments, shadows);
    evaluate(t, block->count, block->state, sample->num, sample->moments, sums);
  }
}

/* Moments of all trajectories; on the way, those of each block are sampled (NULL: not). */
static PetscErrorCode compute_moments(CospinTrajectories t, const CospinSample *sample, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(t->sums, num_sums(t)));
  for (int k = t->first_block; k < t->end_block; k++) {
    const Block *block = &t->blocks[k - t->first_block];
    sum_moments(t, block->count, block->state);
    add_to_sums(t);
    for (int e = 0; sample && e < sample->num; e++)
      sample->sums[sample->num * k + e] +=
          CospinMomentsEvaluate(&sample->moments[e], t->n, block->count, t->first, t->second);
    if (sample && block->shadow)
      evaluate(t, block->count, block->shadow, sample->num, sample->moments,
               &sample->shadows[sample->num * k]);
  }
  PetscCall(reduce(t, ok));
  PetscFunctionReturn(0);
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

/* to = from + B x sqrt(step), from NULL: 0; x may be changed */
static void multiply(const struct CospinTrajectories_ *t, const Factor *factor, double step, int count,
                     const double x[], const double from[], double to[])
{
  const PetscBLASInt n = t->n, columns = count;
  const double root = PetscSqrtReal(step), zero = 0.0;
  double *product = t->w;

  if (factor->lower) {
    for (int i = 0; i < t->n * count; i++) product[i] = x[i];
    dtrmm_("L", "L", "N", "N", &n, &columns, &root, factor->values, &n, product, &n);
  } else {
    dgemm_("N", "N", &n, &columns, &n, &root, factor->values, &n, x, &n, &zero, product, &n);
  }
  for (int i = 0; i < t->n * count; i++) to[i] = (from ? from[i] : 0.0) + product[i];
}

/* Predictor with Euler's step, corrector with the mean of both slopes; the same noise in both. */
static void heun(CospinTrajectories t, double step, int count, const double noise[], double s[])
{
  const int length = t->n * count;

  CospinLangevinDrift(t->equations, count, s, t->slope, t->w);
  for (int i = 0; i < length; i++) t->trial[i] = s[i] + step * t->slope[i] + noise[i];
  CospinLangevinDrift(t->equations, count, t->trial, t->next, t->w);
  for (int i = 0; i < length; i++) s[i] += step / 2 * (t->slope[i] + t->next[i]) + noise[i];
}

/* One step of a block; of its shadow the first half of its noise, or the second and the step. */
static void step_block(CospinTrajectories t, int k, double step, int half)
{
  const Block *block = &t->blocks[k - t->first_block];
  const int count = block->count;

  for (int column = 0; column < count; column++)
    draw(t, k * t->block_size + column, &t->trial[t->n * column]);
  if (block->shadow)
    multiply(t, &t->factors[0], step, count, t->trial, half ? block->shadow_noise : NULL,
             block->shadow_noise);
  multiply(t, &t->factors[half], step, count, t->trial, NULL, t->noise);
  heun(t, step, count, t->noise, block->state);
  if (block->shadow && half) heun(t, 2 * step, count, block->shadow_noise, block->shadow);
}

PetscErrorCode CospinTrajectoriesAdvance(CospinTrajectories t, double step, const CospinSample *sample,
                                         PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int half = 0; half < 2; half++) {
    Factor *factor = &t->factors[half];
    double clipped;
    PetscCall(compute_moments(t, half ? NULL : sample, ok));
    if (!*ok) PetscFunctionReturn(0);
    CospinLangevinDiffusion(t->equations, t->first, t->second, t->diffusion);
    PetscCall(CospinLangevinFactor(t->n, t->diffusion, factor->values, &factor->lower, &clipped));
    t->clipped = PetscMax(t->clipped, clipped);
    for (int k = t->first_block; k < t->end_block; k++) step_block(t, k, step, half);
    t->step++;
  }
  PetscFunctionReturn(0);
}
