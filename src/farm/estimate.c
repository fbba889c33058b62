/*
   Cost models, and the choice of ranks per point that follows from them.

   Time and memory of a grid point are sums over its tasks' sectors of what operator/cost.c says. They
   decide how ranks are split: as many groups as there are points to be done, but each with memory enough
   for the worst point, and not more ranks in a group than its sector has work for.

   What an estimate is for decides how good it must be: groups are split by it, `plan` tells it, and a task
   that would not fit is not begun. All hold to a factor of two or three only, hence the factors in front
   of what is asked for (cli/jobscript.c).
*/
#include "timed_cost.h"
#include <cospin/farm/estimate.h>
#include <cospin/operator/cost.h>
#include <cospin/operator/liouvillian.h>
#include <cospin/point/settings.h>
#include <cospin/tasks/tables.h>
#include <string.h>

enum { NUM_SAMPLES = 16, MAX_COUNTED = 2048 /* sectors */ };

/* Below so many unknowns a rank waits for others longer than it computes. */
static const double labels_per_rank = 4000;

/* Measured as the costs in src/operator/cost.c. */
static const double solve_seconds = 4.5e-9, assembly_seconds = 5e-7, bytes_per_row = 40 * 16.0,
                    overhead_seconds = 2e-3;
static const int num_solves = 24;
/* An evolution takes some hundred products, each element some nanoseconds, and makes each result orthogonal
   to those before it. */
static const double nonzero_seconds = 1.5e-9, vectors_per_product = 80.0;
static const int num_products = 300;
/* Of all iterative solves of a task together: a maser of ten spins takes some hundred of 45 each. */
static const int num_iterations = 5000;
static const double vectors_per_iteration = 100.0;

/* A task that can do with products takes them where factors would take longer. Three ways, in the order in
   which solvers choose: factors; an iterative solve where they would not fit; products alone where the
   task (an evolution) needs no solve and they are faster. */
static CospinFactorCost sector_cost(CospinProblem problem, double n, const CospinTaskKind *kind)
{
  const double product_seconds =
      num_products * nonzero_seconds * n * (problem->generator->count + vectors_per_product);
  CospinFactorCost cost = CospinCostOfFactors(n, CospinLatticeRank(problem->lattice));

  cost.seconds =
      PetscMax(1, kind->factorisations) * cost.seconds + num_solves * solve_seconds * cost.elements;
  if (!CospinCostFactorise(n, CospinLatticeRank(problem->lattice), problem->bytes)) {
    cost.elements = 0.0;
    cost.bytes = CospinCostOfIteration(n, problem->generator->count);
    cost.seconds =
        num_iterations * nonzero_seconds * n * (2.0 * problem->generator->count + vectors_per_iteration);
  }
  if (kind->may_multiply && product_seconds < cost.seconds)
    cost = (CospinFactorCost){0.0, 0.0, product_seconds};
  return cost;
}

/* Without a matrix: products, and (to solve) as many dense products with the eigenvectors of its matrices,
   whose size is about the root of n. */
static const int num_steps = 250, evolution_basis = 50;
static const double dense_seconds = 4e-11;

/* Iterations without a matrix: steps, each a product and a solve with the preconditioner; of evolutions
   products alone. */
static CospinFactorCost shell_cost(CospinProblem problem, double n, const CospinTaskKind *kind)
{
  const double product = nonzero_seconds * n * (double)problem->generator->count / 4;
  const double solve = 32.0 * dense_seconds * n * PetscSqrtReal(n) / 2;
  CospinFactorCost cost = {0.0, CospinCostOfShell(n, 2 * CospinCostBasis(n, problem->bytes)),
                           num_steps * (product + solve)};

  if (kind->may_multiply)
    cost = (CospinFactorCost){0.0, CospinCostOfShell(n, evolution_basis), num_products * product};
  return cost;
}

/* A search for what is the same after a period follows some thirty of them, in steps that cost a fiftieth of
   those of an evolution (solver/period_follow.c). Measured. */
static const double num_periods = 0.6;

/* How long a task follows something; 0: it follows nothing. */
static double time_followed(CospinProblem problem, const CospinRecord *task)
{
  PetscBool ok = PETSC_TRUE;
  double period = 0.0;

  for (const CospinKey *key = task->kind->keys; key->name; key++) {
    const CospinAxis *axis = &CospinRecordGet(task, key->name)->axis;
    if (strcmp(key->name, "times") == 0 && axis->size) return axis->values[axis->size - 1];
    if (strcmp(key->name, "period") == 0)
      (void)CospinTaskNumberOr(problem, task, "period", 0.0, NULL, &period, &ok);
  }
  return num_periods * period;
}

/* What is enumerated and what becomes a matrix are two numbers where a task follows only labels that its
   start reaches (kind->Labels): the tree is that of the whole sector, rows and their nonzeros are of the
   others. `own` is the deck's problem, `problem` what the task makes of it. times: how many sectors this one
   stands for. Assembling costs per label and move; factors only where there are some. */
static PetscErrorCode add_sector(CospinProblem own, CospinProblem problem, CospinCensus census,
                                 const int representative[], const CospinRecord *task, double times,
                                 CospinTaskEstimate *estimate)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  const double moves = problem->generator->count;
  CospinCount count;
  CospinFactorCost cost;
  PetscBool shell, davidson;
  double n;

  PetscFunctionBeginUser;
  PetscCall(CospinCensusCount(census, representative, &count));
  n = count.labels;
  if (n == 0) PetscFunctionReturn(0);
  if (kind->Labels) PetscCall(kind->Labels(own, task, representative, &n));
  PetscCall(CospinGeneratorIsShell(problem, representative, n, &shell));
  PetscCall(CospinGeneratorIsDavidson(problem, representative, n, &davidson));
  if (CospinTaskFactorises(task)) shell = davidson = PETSC_FALSE;
  cost = davidson ? shell_cost(problem, n, kind) : sector_cost(problem, n, kind);
  if (!CospinTaskFactorises(task) && !kind->may_multiply && CospinGeneratorIsIterated(problem, n))
    cost.seconds = CospinGeneratorIterationCost(problem, n)
                       .seconds; /* memory is for factors: what iterations cannot tell is theirs */
  if (kind->follows_time && kind->may_multiply && CospinProblemHasTime(problem))
    PetscCall(CospinTimedSeconds(problem, representative, n, time_followed(problem, task), &cost.seconds));
  estimate->seconds += times * (overhead_seconds + cost.seconds);
  if (!shell) estimate->seconds += times * assembly_seconds * n * moves / 5;
  if (cost.elements > 0)
    estimate->wanted_bytes =
        PetscMax(estimate->wanted_bytes, CospinCostToFactorise(n, CospinLatticeRank(problem->lattice)));
  estimate->sector_bytes = PetscMax(estimate->sector_bytes, CospinCostOfSector(count));
  /* Memory is that of the largest sector, for they are solved one after the other; time is that of all. */
  if (n > estimate->dimension) {
    estimate->dimension = n;
    estimate->nonzeros = shell ? 0 : n * moves;
    estimate->factor_bytes = cost.bytes;
    estimate->matrix_bytes = shell ? 0.0 : n * (20.0 * moves * 2 + bytes_per_row);
  }
  PetscFunctionReturn(0);
}

/* Of very many sectors every stride-th is counted and stands for its neighbours. */
static PetscErrorCode add_sectors(CospinProblem own, CospinProblem problem, int num,
                                  const int representatives[], const CospinRecord *task,
                                  CospinTaskEstimate *estimate)
{
  const int stride = (num + MAX_COUNTED - 1) / MAX_COUNTED;
  CospinCensus census;

  PetscFunctionBeginUser;
  estimate->num_sectors = num;
  if (num == 0) PetscFunctionReturn(0);
  PetscCall(CospinCensusCreate(&problem->system, problem->lattice, PETSC_FALSE, &census));
  for (int k = 0; k < num; k += stride)
    PetscCall(add_sector(own, problem, census,
                         representatives + (size_t)k * (size_t)problem->system.num_coordinates, task, stride,
                         estimate));
  PetscCall(CospinCensusDestroy(&census));
  PetscFunctionReturn(0);
}

/* A task with a Cost of its own (approximate methods, expansions) knows its unknowns better than the
   census. */
PetscErrorCode CospinEstimateTask(CospinProblem problem, const CospinRecord *task,
                                  CospinTaskEstimate *estimate)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  PetscInt64 unknowns = 0;
  int num, *representatives;
  CospinProblem solved;

  PetscFunctionBeginUser;
  *estimate = (CospinTaskEstimate){0};
  PetscCall(CospinTaskGetProblem(problem, task, &solved));
  PetscCall(kind->Sectors(problem, task, &num, &representatives));
  PetscCall(add_sectors(problem, solved, num, representatives, task, estimate));
  PetscCall(PetscFree(representatives));
  if (kind->Cost) PetscCall(kind->Cost(solved, task, &unknowns, &estimate->matrix_bytes, &estimate->seconds));
  if (kind->Cost) estimate->dimension = (double)unknowns;
  PetscCall(CospinTaskRestoreProblem(problem, &solved));
  PetscFunctionReturn(0);
}

/* Sectors and their tables are on each rank, matrix and factors are shared out. The sentence continues
   "too_large: it ...". */
void CospinEstimateLimit(const CospinTaskEstimate *estimate, int ranks, double bytes, char why[],
                         size_t why_size)
{
  const double needed = estimate->factor_bytes + estimate->matrix_bytes + ranks * estimate->sector_bytes;

  why[0] = 0;
  if (estimate->num_sectors > COSPIN_MAX_SECTORS)
    (void)snprintf(why, why_size,
                   "has more than %d sectors to solve (`sector` chooses one, where a task has it)",
                   (int)COSPIN_MAX_SECTORS);
  else if (estimate->dimension > PETSC_MAX_INT)
    (void)snprintf(why, why_size, "has %.3g unknowns, this PETSc counts to %.3g%s", estimate->dimension,
                   (double)PETSC_MAX_INT, sizeof(PetscInt) == 4 ? " (one with 64-bit indices goes on)" : "");
  else if (needed > bytes)
    (void)snprintf(why, why_size, "needs about %.3g GB, the %d rank%s of its group have %.3g GB",
                   1e-9 * needed, ranks, ranks == 1 ? "" : "s", 1e-9 * bytes);
}

/* 40 MB are the program with its libraries. Memory of tasks is added up, as if nothing that one of them
   frees went back to the system. */
PetscErrorCode CospinEstimatePoint(CospinDeck deck, double bytes, PetscInt64 point,
                                   CospinPointEstimate *estimate)
{
  static const double program_bytes = 4e7;
  CospinProblem problem;
  PetscBool ok;

  PetscFunctionBeginUser;
  *estimate = (CospinPointEstimate){.point = point};
  PetscCall(CospinProblemCreate(deck, point, NULL, &problem, &ok));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A deck that was checked does not evaluate");
  problem->bytes = bytes;
  PetscCall(CospinTasksFitWindow(problem));
  for (int k = 0; k < deck->num_tasks; k++) {
    CospinTaskEstimate task;
    PetscCall(CospinEstimateTask(problem, &deck->tasks[k], &task));
    estimate->bytes += task.factor_bytes + task.matrix_bytes + task.sector_bytes;
    estimate->seconds += task.seconds;
    estimate->wanted_bytes = PetscMax(estimate->wanted_bytes, task.wanted_bytes);
    estimate->dimension = PetscMax(estimate->dimension, task.dimension);
  }
  estimate->bytes += program_bytes;
  PetscCall(CospinProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

/* Sixteen points instead of all: making a problem takes milliseconds, and grids may have a million points.
   A worst point inside of a grid that is not monotonous may be missed. */
PetscErrorCode CospinEstimateGrid(CospinDeck deck, double bytes, CospinPointEstimate *worst,
                                  double *total_seconds)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  const int samples = (int)PetscMin(num_points, NUM_SAMPLES);
  double sum = 0.0;

  PetscFunctionBeginUser;
  *worst = (CospinPointEstimate){0};
  for (int k = 0; k < samples; k++) { /* the first, the last, and evenly between */
    const PetscInt64 point = samples == 1 ? 0 : k * (num_points - 1) / (samples - 1);
    CospinPointEstimate estimate;
    PetscCall(CospinEstimatePoint(deck, bytes, point, &estimate));
    sum += estimate.seconds;
    if (k == 0 || estimate.bytes > worst->bytes) *worst = estimate;
  }
  *total_seconds = sum / samples * (double)num_points;
  PetscFunctionReturn(0);
}

/* Ranks that a point can keep busy. */
int CospinEstimateFed(const CospinPointEstimate *point, int most)
{
  return (int)PetscMin((double)most, 1 + point->dimension / labels_per_rank);
}

/* What ranks do not share: every one enumerates the sector, they wait for the sums of a step, incomplete
   factors of blocks lose steps, and cores share their memory's bandwidth. Measured on two ranks: a maser of
   20 spins .67 of the time of one, of 30 .62; an Amdahl share of .35 and .23. */
double CospinEstimateOnRanks(double seconds, int ranks)
{
  static const double undivided = 0.3;

  return seconds * (undivided + (1.0 - undivided) / ranks);
}

/* needed: ranks that a point's memory asks for, which is a must; spare: ranks that there are for each
   point; fed: ranks that a point can keep busy. */
CospinSplit CospinEstimateSplit(const CospinPointEstimate *worst, PetscInt64 num_points, int ranks,
                                double bytes_per_rank)
{
  const int fed = CospinEstimateFed(worst, ranks);
  const double most_bytes = PetscMax(worst->bytes, worst->wanted_bytes);
  const int needed = (int)PetscMin((double)ranks, 1 + most_bytes / bytes_per_rank);
  const int spare = (int)PetscMax(1, ranks / PetscMin(num_points, ranks));
  const int ranks_per_point = PetscMax(needed, PetscMin(spare, fed));
  const int groups = (int)PetscMin(num_points, ranks / ranks_per_point);

  return (CospinSplit){groups, groups * ranks_per_point};
}
