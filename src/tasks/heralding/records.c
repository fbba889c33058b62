/*
   Averages over records of clicks.

   All of them: a walk through the tree of pulses. The order of the clicks of later pulses does not matter, so
   only those in ascending order are visited, k!/(r_1! r_2! ...) times each. A branch ends where it is too
   improbable to matter, however its clicks are ordered, and S is left out where its weight is.

   Some of them: S is drawn, then the clicks; the block of random numbers for pulse i of record r is that of
   the index 2^20 r + i (the last of these for S), so a record is the same on any rank and a longer one begins
   like a shorter one.
*/
#include "inference.h"
#include <cospin/problem/array.h>
#include <math.h>

static const double negligible = 46.0; /* exp(-46) = 1e-20: of a weight of S beside the largest */
static const double most_work = 1e8;   /* weights that are computed: some seconds */
enum { RECORD_BITS = 20, LAST_BLOCK = (1 << RECORD_BITS) - 1 };
enum { PROBABILITY, INFORMATION, SQUARE, DEVIATION, PULSES, UNSETTLED, NUM_SUMS };

/* A walk through the tree of records, or a number of samples: what it has added up, and the tables that it
 * goes by. */
typedef struct {
  const CospinInference *inference;
  int num_later;         /* pulses behind the first that are to come */
  int num_clicks;        /* 0 ... num_clicks - 1 in each of them */
  int num_spins;         /* 0 ... num_spins - 1 are those whose weight matters */
  double *likelihood;    /* [num_clicks][num_spins] of one of them */
  double *weights, *xi;  /* [num_later + 2][num] along the branch: logarithms, and normalised */
  double least;          /* logarithm of the probability where a branch ends */
  double sums[NUM_SUMS]; /* over records: of their probability, times 1, F, F^2, the deviation of S, ... */
  double work;
  PetscInt64 records;
  int rank, size;
} Walk;

/* What is known after some of the pulses. */
typedef struct {
  int depth, begin, end; /* of the weights that are not negligible */
  int clicks, run;       /* of the last pulse; how often in a row */
  double probability;    /* logarithm */
} Node;

/* One row of weights for every depth of the walk: a branch starts from those of its parent. */
static double *weights_at(const Walk *walk, int depth)
{
  return walk->weights + (size_t)depth * (size_t)walk->inference->num;
}

/* What is averaged, weighted by how probable the record is. */
static void add_record(Walk *walk, double probability, int begin, int end, const double xi[])
{
  const double information = CospinInferenceInformation(walk->inference, begin, end, xi);
  double mean, deviation;

  CospinInferenceMoments(walk->inference, begin, end, xi, &mean, &deviation);
  walk->sums[PROBABILITY] += probability;
  walk->sums[INFORMATION] += probability * information;
  walk->sums[SQUARE] += probability * information * information;
  walk->sums[DEVIATION] += probability * deviation;
  walk->records++;
}

/* Below `parent`, after n clicks whose likelihood is given; whether it is worth going on. */
static PetscBool descend(Walk *walk, const Node *parent, const double likelihood[], Node *node)
{
  const double *from = weights_at(walk, parent->depth);
  double *to = weights_at(walk, parent->depth + 1),
         *xi = walk->xi + (size_t)(parent->depth + 1) * (size_t)walk->inference->num, largest = -INFINITY;

  *node = (Node){.depth = parent->depth + 1, .begin = parent->begin, .end = parent->end};
  for (int s = node->begin; s < node->end; s++) {
    to[s] = from[s] + likelihood[s];
    largest = fmax(largest, to[s]);
  }
  walk->work += node->end - node->begin;
  if (!(largest > walk->least - negligible)) return PETSC_FALSE;
  while (to[node->begin] < largest - negligible) node->begin++;
  while (to[node->end - 1] < largest - negligible) node->end--;
  node->probability = CospinInferenceNormalise(node->begin, node->end, to, xi);
  return (PetscBool)(node->probability >= walk->least);
}

/* Clicks of a later pulse that are not too improbable for all spins of a node: ten deviations on either side
   of what these make. */
static void click_range(const Walk *walk, const Node *node, int *first, int *last)
{
  const CospinInference *inference = walk->inference;
  const double fewest =
      CospinInferencePhotons(inference, 1, node->begin) * inference->efficiency + inference->dark;
  const double most =
      CospinInferencePhotons(inference, 1, node->end - 1) * inference->efficiency + inference->dark;

  *first = (int)fmax(0.0, floor(fewest - 10 * sqrt(fewest) - 20));
  *last = (int)fmin(walk->num_clicks - 1.0, ceil(most + 10 * sqrt(most) + 20));
}

/* The later pulses below `parent`, of which `done` have been; `orders`: in how many orders so far. */
static void walk_later(Walk *walk, const Node *parent, int done, double orders)
{
  int first, last;

  if (done == walk->num_later) {
    add_record(walk, orders * exp(parent->probability), parent->begin, parent->end,
               walk->xi + (size_t)parent->depth * (size_t)walk->inference->num);
    return;
  }
  click_range(walk, parent, &first, &last);
  for (int n = done ? PetscMax(first, parent->clicks) : first; n <= last && walk->work < most_work; n++) {
    Node node;
    if (parent->depth == 0 && n % walk->size != walk->rank) continue;
    if (!descend(walk, parent, walk->likelihood + (size_t)n * (size_t)walk->num_spins, &node)) continue;
    node.clicks = n;
    node.run = done && n == parent->clicks ? parent->run + 1 : 1;
    walk_later(walk, &node, done + 1, orders * (done + 1) / node.run);
  }
}

/* The first pulse, and those behind it. */
static PetscErrorCode walk_first(Walk *walk, const Node *root)
{
  const CospinInference *inference = walk->inference;
  double *likelihood;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)inference->num, &likelihood));
  for (int n = 0; n <= CospinInferenceMostClicks(inference, 0, walk->num_spins) && walk->work < most_work;
       n++) {
    Node node;
    if (n % walk->size != walk->rank) continue;
    for (int s = root->begin; s < root->end; s++)
      likelihood[s] = CospinInferenceLikelihood(inference, CospinInferencePhotons(inference, 0, s), n);
    if (descend(walk, root, likelihood, &node)) walk_later(walk, &node, 0, 1.0);
  }
  PetscCall(PetscFree(likelihood));
  PetscFunctionReturn(0);
}

/* All likelihoods of one pulse, tabulated; given up before any memory is taken if the walk would be too long
   anyway. */
static PetscErrorCode fill_likelihood(Walk *walk)
{
  const CospinInference *inference = walk->inference;

  PetscFunctionBeginUser;
  walk->num_clicks = CospinInferenceMostClicks(inference, 1, walk->num_spins) + 1;
  walk->work = (double)walk->num_clicks * walk->num_spins; /* already more than there is time for? */
  if (walk->work >= most_work / 10) walk->work = most_work;
  if (walk->work >= most_work) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)walk->num_clicks * (size_t)walk->num_spins, &walk->likelihood));
  for (int n = 0; n < walk->num_clicks; n++) {
    for (int s = 0; s < walk->num_spins; s++)
      walk->likelihood[(size_t)n * (size_t)walk->num_spins + (size_t)s] =
          CospinInferenceLikelihood(inference, CospinInferencePhotons(inference, 1, s), n);
  }
  PetscFunctionReturn(0);
}

/* S whose weight is negligible from the beginning are left out at both ends, where the distribution falls
   off. */
static PetscErrorCode walk_all(Walk *walk, const double w[], const CospinInferenceAverage *average)
{
  const int num = walk->inference->num, depth = average->pulses - average->seen + 1;
  Node root = {.begin = 0, .end = num};
  double largest = -INFINITY;

  PetscFunctionBeginUser;
  walk->num_later = average->pulses - PetscMax(average->seen, 1);
  walk->least = log(1e-6 * average->tolerance) - lgamma(walk->num_later + 1.0);
  for (int s = 0; s < num; s++) largest = fmax(largest, w[s]);
  while (w[root.begin] < largest - negligible) root.begin++;
  while (w[root.end - 1] < largest - negligible) root.end--;
  walk->num_spins = root.end;
  if (walk->num_later > 0) PetscCall(fill_likelihood(walk));
  PetscCall(
      PetscMalloc2((size_t)depth * (size_t)num, &walk->weights, (size_t)depth * (size_t)num, &walk->xi));
  PetscCall(PetscArraycpy(walk->weights, w, num));
  if (average->seen == 0)
    PetscCall(walk_first(walk, &root));
  else
    walk_later(walk, &root, 0, 1.0);
  PetscCall(PetscFree2(walk->weights, walk->xi));
  PetscCall(PetscFree(walk->likelihood));
  PetscFunctionReturn(0);
}

/* ---- Samples ------------------------------------------------------------------------------------------- */

/* The first of the weights xi[num] whose sum with those before is above u. */
static int draw(int num, const double xi[], double u)
{
  int s = 0;

  for (; s < num - 1 && u >= xi[s]; s++) u -= xi[s];
  return s;
}

/* Fewer or more than these have a probability below 1e-20. */
static int draw_dark_counts(const CospinInference *inference, double u)
{
  const double spread = 10 * sqrt(inference->dark) + 20;
  const int most = (int)ceil(inference->dark + spread);
  int n = (int)fmax(0.0, inference->dark - spread);
  double term = exp(CospinInferenceDarkCounts(inference, n));

  for (; u >= term && n < most; term *= inference->dark / ++n) u -= term;
  return n;
}

/* How many of the photons are counted, and how many dark counts there are beside them. */
static int draw_clicks(const CospinInference *inference, int photons, const double uniform[2])
{
  const CospinInference bright = {.log_factorial = inference->log_factorial,
                                  .efficiency = inference->efficiency};
  double u = uniform[0];
  int n = 0;

  for (; n < photons; n++) {
    const double p = exp(CospinInferenceLikelihood(&bright, photons, n));
    if (u < p) break;
    u -= p;
  }
  return inference->dark > 0.0 ? n + draw_dark_counts(inference, uniform[1]) : n;
}

/* The pulses of record r while the spin has its s-th value, up to the last one or until that is known well
   enough; weights[num] are logarithms, xi[num] become the normalised ones behind it. */
static void follow(Walk *walk, const CospinInferenceAverage *average, PetscInt64 r, int s, double weights[],
                   double xi[])
{
  const CospinInference *inference = walk->inference;
  const int num = inference->num;
  double uniform[2], mean, deviation = INFINITY;
  int pulse = average->seen;

  for (;; pulse++) {
    if (average->until > 0 || pulse == average->pulses) (void)CospinInferenceNormalise(0, num, weights, xi);
    if (average->until > 0) CospinInferenceMoments(inference, 0, num, xi, &mean, &deviation);
    if (pulse == average->pulses || deviation < average->until) break;
    CospinRandomPair(average->seed, ((uint64_t)r << RECORD_BITS) + (uint64_t)pulse, uniform);
    const int n = draw_clicks(inference, CospinInferencePhotons(inference, pulse, s), uniform);
    for (int k = 0; k < num; k++)
      weights[k] += CospinInferenceLikelihood(inference, CospinInferencePhotons(inference, pulse, k), n);
  }
  walk->sums[PULSES] += pulse / (double)average->samples;
  walk->sums[UNSETTLED] += (deviation >= average->until) / (double)average->samples;
}

/* Records are dealt out to the ranks by their number; sums over ranks are made at the end. */
static PetscErrorCode sample(Walk *walk, const double w[], const CospinInferenceAverage *average)
{
  enum { ASK_EVERY = 64 };
  const CospinInference *inference = walk->inference;
  const int num = inference->num;
  double *prior, *xi, *weights, uniform[2];

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3((size_t)num, &prior, (size_t)num, &xi, (size_t)num, &weights));
  (void)CospinInferenceNormalise(0, num, w, prior);
  for (PetscInt64 begin = 0; begin < average->samples; begin += walk->size) { /* all ranks turn as often */
    const PetscInt64 r = begin + walk->rank;
    int s;
    if (begin / walk->size % ASK_EVERY == 0) PetscCall(CospinInterruptCheck(average->interrupt));
    if (r >= average->samples) continue;
    CospinRandomPair(average->seed, ((uint64_t)r << RECORD_BITS) + LAST_BLOCK, uniform);
    s = draw(num, prior, uniform[0]);
    PetscCall(PetscArraycpy(weights, w, num));
    follow(walk, average, r, s, weights, xi);
    add_record(walk, 1.0 / (double)average->samples, 0, num, xi);
  }
  PetscCall(PetscFree3(prior, xi, weights));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinInferenceAverageRecords(MPI_Comm comm, const CospinInference *inference,
                                             const double w[], CospinInferenceAverage *average)
{
  Walk walk = {.inference = inference};
  const double n = (double)average->samples;
  double spread;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &walk.rank));
  PetscCallMPI(MPI_Comm_size(comm, &walk.size));
  if (average->samples)
    PetscCall(sample(&walk, w, average));
  else
    PetscCall(walk_all(&walk, w, average));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, walk.sums, NUM_SUMS, MPI_DOUBLE, MPI_SUM, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &walk.work, 1, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &walk.records, 1, MPIU_INT64, MPI_SUM, comm));
  average->missing = average->samples ? 0.0 : 1.0 - walk.sums[PROBABILITY];
  average->information = walk.sums[INFORMATION];
  average->deviation = walk.sums[DEVIATION];
  average->num_pulses = average->samples ? walk.sums[PULSES] : average->pulses;
  average->unsettled = walk.sums[UNSETTLED];
  average->error = 0.0;
  spread = walk.sums[SQUARE] - walk.sums[INFORMATION] * walk.sums[INFORMATION];
  if (average->samples) average->error = sqrt(fmax(0.0, spread) / (n - 1)); /* of one: not a number */
  average->records = walk.records;
  average->gave_up = (PetscBool)(walk.work >= most_work);
  PetscFunctionReturn(0);
}
