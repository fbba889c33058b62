/*
   Task `steady` with a `period`: the state that the map of one period turns into itself, M rho = rho with Tr
   rho = 1, as it is at time 0 (and T, 2 T, ...), and its average over a period.

   It is a multiplier of one. As in `steady` fixed points of every sector with a trace are counted; several
   are the outcome `degenerate`. Multipliers of modulus one beside it (a response with a multiple of the
   period) do not matter to the fixed point; task `gap` tells them.

   The average (1/T) int rho dt is taken by Gauss' rule in each stretch between two edges of the generator,
   with twice as many nodes until it stays what it is. Observables of it are those of this state: of a g2 it
   is the ratio of averages.

   The period is in the deck's unit of time and rates are in its inverse. Multipliers and residuals have no
   unit: they belong to a whole period and not to a unit of time.
*/
#include "periodic.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/problem/clock.h>
#include <petscdt.h>

/* Nodes between two edges at first; no more doublings once all nodes together are more than MOST_NODES. */
enum { FEWEST_NODES = 8, MOST_NODES = 4096 };
/* A map keeps the trace but for its own error; this far from one the state is called inaccurate. */
static const double trace_tolerance = 1e-9;

/* What goes with a steady state that does not change. */
static const char *const others[] = {"initial", "time_average", "store", NULL};

static const CospinKey keys[] = {{.name = NULL}}; /* they are those of `steady` */

static const CospinTaskVariable variables[] = {
    {"degeneracy", COSPIN_INTEGER, PETSC_FALSE, "1", "number of steady states of a period",
     "fixed points in sectors with a trace"},
    {"next_rate", COSPIN_REAL, PETSC_FALSE, "rate", "rate of the multiplier next to one",
     "-log|mu|/T; one that oscillates may be slower: see task gap"},
    {"next_lifetime", COSPIN_REAL, PETSC_FALSE, "time", "lifetime of the mode next to one", "1/next_rate"},
    {"resolution", COSPIN_REAL, PETSC_FALSE, "rate", "rates below this count as zero",
     "ten tolerances over the period"},
    {"error", COSPIN_REAL, PETSC_FALSE, "1", "estimated error of the state",
     "(residual + error of a map)/|1 - mu| of the multiplier next to one, relative, 2-norms"},
    {"average_error", COSPIN_REAL, PETSC_FALSE, "1", "last change of the average over the period",
     "relative, when its nodes were doubled"},
    {"edge", COSPIN_REAL, PETSC_FALSE, "1", "population at the edge of a cutoff",
     "of as many highest levels as a move can pass, at time 0 or in the average; 0 without a cutoff in the "
     "deck"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1", "residual of the periodic steady state",
     "|M rho - rho|/|rho|, M the map of one period"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "largest change when open windows grew by half",
     "of any expectation value, relative where it is larger than 1; 0 if no window is open"},
    {"trace", COSPIN_REAL, PETSC_FALSE, "1", "trace of the steady state", "recomputed, after a period"},
    {"smallest_population", COSPIN_REAL, PETSC_FALSE, "1", "smallest population of the steady state",
     "negative: rounding"},
    {"hermiticity", COSPIN_REAL, PETSC_FALSE, "1", "largest imaginary part of a population", ""},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the steady state's sector", ""},
    {"maps", COSPIN_INTEGER, PETSC_FALSE, "1", "periods that were followed", ""},
    {"products", COSPIN_INTEGER, PETSC_FALSE, "1", "products with the generator", ""},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"degeneracy", COSPIN_ALL, 1, "0", "0"},
    {"next_rate", COSPIN_MAY_MISS, 0, "0", NULL},
    {"next_lifetime", COSPIN_MAY_MISS, 0, "1/next_rate", "1/next_rate"},
    {"resolution", COSPIN_ALL, 0, "0", NULL},
    {"error", COSPIN_ALL, 0, "0", "1e-7"},
    {"average_error", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"edge", COSPIN_ALL, 0, "0", NULL},
    {"residual", COSPIN_ALL, 0, "0", "tolerance"},
    {"leak", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"trace", COSPIN_ALL, 1, "-1e-9", "1e-9"},
    {"smallest_population", COSPIN_ALL, 0, "-10*tolerance", NULL},
    {"hermiticity", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"maps", COSPIN_ALL, 0, "0", NULL},
    {"products", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

/* The keys first: what does not go with a period is told before the generator is looked at. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool sector_ok;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinPeriodicRefuse(problem, task, others, faults, ok));
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &sector_ok));
  if (!sector_ok) *ok = PETSC_FALSE;
  if (*ok) PetscCall(CospinPeriodicCheck(problem, task, faults, ok));
  PetscFunctionReturn(0);
}

/* ---- The state and its average ------------------------------------------------------------------------- */

/* The state at time 0 and its average: two vectors on one sector. Expectations are read of both,
   populations of the first. */
enum { AT_ZERO, AVERAGED, STATES };

/* All sectors together; vectors are of the one with a state where there is one. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  int degeneracy, maps, products;
  double complex next; /* nearest to one of all sectors */
  CospinPeriodic periodic;
  Vec rho[STATES];
  double average_error;
  CospinOutcome outcome;
} Found;

/* Nodes of one average. */
typedef struct {
  int num;
  double *times, *weights;
  Vec sum;
} Nodes;

/* A CospinPeriodVisit. */
static PetscErrorCode add_node(void *context, int k, Vec u)
{
  Nodes *nodes = (Nodes *)context;

  PetscFunctionBeginUser;
  PetscCall(VecAXPY(nodes->sum, nodes->weights[k], u));
  PetscFunctionReturn(0);
}

/* `each` nodes of Gauss between neighbouring edges of 0, edges[], T; weights sum to one. */
static PetscErrorCode create_nodes(int each, int num_edges, const double edges[], double period, Vec rho,
                                   Nodes *nodes)
{
  PetscFunctionBeginUser;
  nodes->num = each * (num_edges + 1);
  PetscCall(PetscMalloc2(nodes->num, &nodes->times, nodes->num, &nodes->weights));
  for (int j = 0; j <= num_edges; j++)
    PetscCall(PetscDTGaussQuadrature(each, j ? edges[j - 1] : 0.0, j < num_edges ? edges[j] : period,
                                     nodes->times + j * each, nodes->weights + j * each));
  for (int k = 0; k < nodes->num; k++) nodes->weights[k] /= period;
  PetscCall(VecDuplicate(rho, &nodes->sum));
  PetscCall(VecZeroEntries(nodes->sum));
  PetscFunctionReturn(0);
}

/* One way through the period. Nodes are visited in ascending order on a copy, since following works in place.
   A map that has failed is an outcome here; the sum is handed over all the same. */
static PetscErrorCode average_by(CospinPeriodic *periodic, int each, int num_edges, const double edges[],
                                 Vec rho, Vec *average)
{
  Nodes nodes;
  Vec u;

  PetscFunctionBeginUser;
  PetscCall(create_nodes(each, num_edges, edges, periodic->period, rho, &nodes));
  PetscCall(VecDuplicate(rho, &u));
  PetscCall(VecCopy(rho, u));
  PetscCall(CospinPeriodFollow(&periodic->map, u, nodes.num, nodes.times, add_node, &nodes));
  if (periodic->map.failed) periodic->outcome = COSPIN_NOT_CONVERGED;
  *average = nodes.sum;
  PetscCall(VecDestroy(&u));
  PetscCall(PetscFree2(nodes.times, nodes.weights));
  PetscFunctionReturn(0);
}

/* Until twice as many nodes change nothing; what they still change is judged, and told.
   The change is a norm over all ranks, so all of them double, or stop, together. */
static PetscErrorCode average(Found *found, CospinProblem problem)
{
  CospinPeriodic *periodic = &found->periodic;
  double *edges;
  int num_edges;

  PetscFunctionBeginUser;
  PetscCall(CospinClockEdges(problem, periodic->period, &num_edges, &edges));
  found->average_error = INFINITY;
  for (int each = FEWEST_NODES; each == FEWEST_NODES || (found->average_error > periodic->tolerance &&
                                                         each * (num_edges + 1) <= MOST_NODES);
       each *= 2) {
    Vec before = found->rho[AVERAGED];
    PetscReal change, size;
    PetscCall(average_by(periodic, each, num_edges, edges, found->rho[AT_ZERO], &found->rho[AVERAGED]));
    if (!before) continue;
    PetscCall(VecAXPY(before, -1.0, found->rho[AVERAGED]));
    PetscCall(VecNorm(before, NORM_2, &change));
    PetscCall(VecNorm(found->rho[AVERAGED], NORM_2, &size));
    found->average_error = change / size;
    PetscCall(VecDestroy(&before));
  }
  PetscCall(PetscFree(edges));
  PetscFunctionReturn(0);
}

/* A fixed point of trace one. An eigenvector has any factor: to divide by its trace takes the phase from it
   as well as the norm. */
static PetscErrorCode take_state(Found *found, CospinProblem problem)
{
  CospinPeriodic *periodic = &found->periodic;
  double complex trace;

  PetscFunctionBeginUser;
  found->rho[AT_ZERO] = periodic->fixed[0];
  periodic->fixed[0] = NULL;
  PetscCall(CospinTraceOf(&problem->system, periodic->sector, found->rho[AT_ZERO], &trace));
  if (!(cabs(trace) > PETSC_SQRT_MACHINE_EPSILON)) { /* of a vector of norm 1: no state */
    found->outcome = CospinOutcomeWorse(found->outcome, COSPIN_INACCURATE);
    PetscCall(VecDestroy(&found->rho[AT_ZERO]));
    PetscFunctionReturn(0);
  }
  PetscCall(VecScale(found->rho[AT_ZERO], (PetscScalar)(1.0 / trace)));
  PetscCall(average(found, problem));
  found->outcome = CospinOutcomeWorse(found->outcome, periodic->outcome);
  PetscFunctionReturn(0);
}

/* Before each solution in larger windows, and at the end. Counts begin anew: `maps` and `products` are those
   of the last windows. */
static PetscErrorCode reset(Found *found)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < STATES; s++) PetscCall(VecDestroy(&found->rho[s]));
  PetscCall(CospinPeriodicClose(&found->periodic));
  *found = (Found){.point = found->point, .task = found->task, .next = NAN, .outcome = COSPIN_GOOD};
  PetscFunctionReturn(0);
}

/* A sector's fixed points are counted; the map of the first that has one is kept. Its
   counters are added here and set to zero, so that Run can add what the kept map has done since. */
static PetscErrorCode add_sector(Found *found, CospinProblem problem, const int representative[])
{
  CospinPeriodic periodic;

  PetscFunctionBeginUser;
  PetscCall(CospinPeriodicOpen(found->point, problem, found->task, representative, &periodic));
  if (periodic.map.generator) {
    PetscCall(CospinPeriodicFix(&periodic));
    found->outcome = CospinOutcomeWorse(found->outcome, periodic.outcome);
    if (periodic.num_fixed == 0 && periodic.outcome == COSPIN_GOOD) found->outcome = COSPIN_NOT_CONVERGED;
    if (isnan(creal(found->next)) || cabs(periodic.next - 1.0) < cabs(found->next - 1.0))
      found->next = periodic.next;
  }
  found->maps += periodic.map.maps;
  found->products += periodic.map.products;
  if (periodic.num_fixed && !found->degeneracy) {
    found->periodic = periodic;
    found->periodic.map.maps = found->periodic.map.products = 0;
  } else {
    PetscCall(CospinPeriodicClose(&periodic));
  }
  found->degeneracy += periodic.num_fixed;
  PetscFunctionReturn(0);
}

/* ---- Readings ------------------------------------------------------------------------------------------ */

/* Of all expectations in a row. */
static PetscErrorCode read_state(CospinObservables observables, CospinSector sector, Vec rho,
                                 double complex readings[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    PetscCall(
        CospinExpectations(sector, rho, observable->num_expectations, observable->expectations, readings));
    readings += observable->num_expectations;
  }
  PetscFunctionReturn(0);
}

/* Of one state; those of both stand in a row. */
static int count_readings(CospinObservables observables)
{
  int count = 0;

  for (int k = 0; k < observables->count; k++) count += observables->observables[k].num_expectations;
  return count;
}

/* A CospinPeriodicSolve: what must not change in larger windows are the expectation values of both states. */
static PetscErrorCode solve(void *context, CospinProblem problem, int *num, double complex **values,
                            CospinOutcome *outcome)
{
  Found *found = (Found *)context;
  CospinObservables observables;
  int num_sectors, *sectors;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(reset(found));
  PetscCall(CospinTaskSectors(problem, found->task, &num_sectors, &sectors));
  for (int k = 0; k < num_sectors; k++)
    PetscCall(add_sector(found, problem, sectors + k * problem->system.num_coordinates));
  PetscCall(PetscFree(sectors));
  if (found->degeneracy == 1) PetscCall(take_state(found, problem));
  if (found->degeneracy > 1) found->outcome = CospinOutcomeWorse(found->outcome, COSPIN_DEGENERATE);
  PetscCall(CospinObservablesCreate(problem, NULL, &observables, &ok));
  const int count = count_readings(observables);
  *num = STATES * count;
  PetscCall(PetscCalloc1((size_t)*num + 1, values));
  for (int s = 0; s < STATES && found->rho[s]; s++)
    PetscCall(read_state(observables, found->periodic.sector, found->rho[s], *values + s * count));
  PetscCall(CospinObservablesDestroy(&observables));
  *outcome = found->outcome;
  PetscFunctionReturn(0);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

/* Smallest population and largest imaginary part of one, of the elements that have a trace. The
   second is kept with a minus, so that one reduction to the minimum does for both. */
static PetscErrorCode store_populations(const Found *found, CospinProblem problem, double limit,
                                        CospinResults results, CospinOutcome *outcome)
{
  double extremes[2] = {PETSC_MAX_REAL, 0.0};
  const PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(found->rho[AT_ZERO], &begin, &end));
  PetscCall(VecGetArrayRead(found->rho[AT_ZERO], &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    double trace;
    CospinSectorLabel(found->periodic.sector, i, label);
    trace = CospinSystemTrace(&problem->system, label);
    if (trace == 0.0) continue;
    extremes[0] = PetscMin(extremes[0], trace * PetscRealPart(array[i - begin]));
    extremes[1] = PetscMin(extremes[1], -trace * PetscAbsReal(PetscImaginaryPart(array[i - begin])));
  }
  PetscCall(VecRestoreArrayRead(found->rho[AT_ZERO], &array));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extremes, 2, MPI_DOUBLE, MPI_MIN, found->point->comm));
  PetscCall(CospinResultsSet(results, "smallest_population", 0, extremes[0]));
  PetscCall(CospinResultsSet(results, "hermiticity", 0, -extremes[1]));
  if (extremes[0] < -limit || extremes[1] < -limit)
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* Of one state into the columns of observables. Expectations are those that windows were settled by; the
   state itself is collected only where an observable needs more than moments. */
static PetscErrorCode observe(const Found *found, const CospinPeriodicWindows *windows, int s,
                              CospinResults results, CospinOutcome *outcome)
{
  const CospinProblem problem = windows->problem;
  CospinObservables observables;
  CospinStoredState state = NULL;
  CospinStored collected;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinObservablesCreate(problem, NULL, &observables, &ok));
  PetscCall(CospinStoredCreate(problem->point, &collected));
  if (CospinObservablesNeed(problem->deck) > COSPIN_NEEDS_MOMENTS) {
    PetscCall(CospinTaskNewState(problem, found->task, 0, collected, &state));
    PetscCall(CospinTaskCollect(&problem->system, found->periodic.sector, found->rho[s], state));
  }
  PetscCall(CospinTaskObserve(found->point->comm, observables, windows->values + s * (windows->num / STATES),
                              &problem->system, state, 0, results, outcome));
  PetscCall(CospinStoredDestroy(&collected));
  PetscCall(CospinObservablesDestroy(&observables));
  PetscFunctionReturn(0);
}

/* Observables of the average are written first, and go to columns of their own. */
static PetscErrorCode move_to_averages(CospinObservables observables, CospinResults results)
{
  static const char *const parts[] = {"", "_re", "_im"};
  char name[128];

  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    for (int part = 0; part < (int)PETSC_STATIC_ARRAY_LENGTH(parts); part++) {
      const CospinVariable *from;
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s%s", observables->observables[k].definition->name,
                              parts[part]));
      from = CospinResultsFind(results, name);
      if (!from) continue;
      PetscCall(PetscStrlcat(name, COSPIN_AVERAGE, sizeof(name)));
      PetscCall(CospinResultsSet(results, name, 0, results.record[from->offset]));
    }
  }
  PetscFunctionReturn(0);
}

/* The trace after a period: it tells what the map keeps of it. The cutoff's edge in whichever state has more
   there. The error: (M - 1) d = r for a residual r, so d is up to about |r|/|1 - mu|; 0 without another mode.
   Comparisons are written so that a NaN fails them. */
static PetscErrorCode store_quality(Found *found, CospinProblem problem, CospinResults results,
                                    CospinOutcome *outcome)
{
  CospinPeriodic *periodic = &found->periodic;
  CospinQuality quality = {0}, averaged = {0};
  double complex trace;
  double error = 0.0;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(found->rho[AT_ZERO], &image));
  PetscCall(CospinPeriodApply(&periodic->map, found->rho[AT_ZERO], image));
  PetscCall(CospinTraceOf(&problem->system, periodic->sector, image, &trace));
  PetscCall(VecDestroy(&image));
  if (!isnan(creal(found->next)))
    error = (periodic->residual + periodic->map.tolerance) / cabs(1.0 - found->next);
  PetscCall(CospinStateEdge(problem, periodic->sector, found->rho[AT_ZERO], &quality));
  PetscCall(CospinStateEdge(problem, periodic->sector, found->rho[AVERAGED], &averaged));
  PetscCall(CospinResultsSet(results, "error", 0, error));
  PetscCall(CospinResultsSet(results, "average_error", 0, found->average_error));
  PetscCall(CospinResultsSet(results, "edge", 0, PetscMax(quality.edge, averaged.edge)));
  PetscCall(CospinResultsSet(results, "residual", 0, periodic->residual));
  PetscCall(CospinResultsSet(results, "trace", 0, creal(trace)));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)CospinSectorDimension(periodic->sector)));
  if (!(periodic->residual <= periodic->tolerance) || !(error <= COSPIN_STATE_ERROR) || quality.cut ||
      averaged.cut || !(cabs(trace - 1.0) <= trace_tolerance) ||
      !(found->average_error <= 10 * periodic->tolerance))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  PetscFunctionReturn(0);
}

/* The average first: it passes through the columns of the state. */
static PetscErrorCode store(Found *found, const CospinPeriodicWindows *windows, CospinResults results,
                            CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(store_quality(found, windows->problem, results, outcome));
  PetscCall(store_populations(found, windows->problem, 10 * windows->tolerance, results, outcome));
  PetscCall(observe(found, windows, AVERAGED, results, outcome));
  PetscCall(move_to_averages(found->point->observables, results));
  PetscCall(observe(found, windows, AT_ZERO, results, outcome));
  PetscFunctionReturn(0);
}

/* Numbers that say why there is no state are stored also where there is none. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  Found found = {.point = point, .task = task};
  CospinPeriodicWindows windows = {.point = point, .task = task, .Solve = solve, .context = &found};
  double leak, period, rate;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &windows.tolerance, &ok));
  PetscCall(CospinTaskNumber(point->problem, task, "period", NULL, &period, &ok));
  PetscCall(CospinPeriodicSettle(&windows, &leak, outcome));
  rate = -creal(CospinPeriodicExponent(found.next, period)); /* NaN where there is no other mode */
  if (rate < 0.0) rate = 0.0;
  PetscCall(CospinResultsSet(results, "degeneracy", 0, found.degeneracy));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "resolution", 0, COSPIN_PERIODIC_ZERO * windows.tolerance / period));
  PetscCall(CospinResultsSet(results, "next_rate", 0, rate));
  PetscCall(CospinResultsSet(results, "next_lifetime", 0, 1.0 / rate));
  if (found.rho[AVERAGED]) PetscCall(store(&found, &windows, results, outcome));
  PetscCall(CospinResultsSet(results, "maps", 0, found.maps + found.periodic.map.maps));
  PetscCall(CospinResultsSet(results, "products", 0, found.products + found.periodic.map.products));
  PetscCall(reset(&found));
  PetscCall(CospinPeriodicSettled(&windows));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_DEGENERATE,
     "several states that are the same after each period, and nothing selects one: `sector:` does where each "
     "is in one of its own (`plan` prints the sectors); without, `evolve` goes where its `initial:` leads"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskPeriodicSteady = {
    .record = {"steady", "steady state of a generator with a period, and its average over one", keys},
    .variables = variables,
    .rules = rules,
    .hints = hints,
    .has_observables = PETSC_TRUE,
    .observables_averaged = PETSC_TRUE,
    .may_multiply = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .follows_time = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
