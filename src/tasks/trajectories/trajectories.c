/*
   Task `trajectories`: quantum jumps of kets (unravelling.c) instead of a density matrix, averaged over many
   trajectories (sample.c). rho of 10^9 elements has kets of 3*10^4, so it goes where `evolve` cannot; its
   numbers are exact but for a statistical error that is told with each.

   Every observable is an average over kets, so only what is linear in rho, or a function of such averages,
   has a value; purities and Fisher information need rho itself, which is collected under `store: state` only
   (average.c).

   What makes a statistical error untrue is what has hardly been seen: fewer than twenty trajectories that
   jumped, in all or by one of the processes that are expected to happen. Then it is missing, or the outcome
   says so.

   Without `times` the averages are those of the steady state, along a few long trajectories (run.c).
*/
#include "run.h"
#include "tasks/detector.h"
#include <cospin/point/readout.h>
#include <string.h>

static const char *const unravellings[] = {"jumps", "shifted", NULL};

static const CospinKey keys[] = {
    COSPIN_TASK_TIMES_KEY("averages of the steady state along long trajectories"),
    COSPIN_READOUT_INITIAL_KEY,
    {.name = "span",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "without `times`: how long each trajectory is, of which the first quarter is given away; left "
             "out: as long as it takes",
     COSPIN_KEY_POSITIVE},
    {.name = "trajectories",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help =
         "how many; the statistical error falls with their square root; left out: 1000, without `times` 64",
     .least = 40,
     .most = 1e8,
     .range = "a whole number from 40 to 100000000"},
    {.name = "error",
     .type = COSPIN_KEY_NUMBER,
     .unit = "",
     .help = "twice as many trajectories again and again, until every observable's statistical error is "
             "below this at all times",
     COSPIN_KEY_POSITIVE},
    {.name = "most",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "100000",
     .unit = "",
     .help = "where that ends, if the error is still larger",
     .least = 40,
     .most = 1e8,
     .range = "a whole number from 40 to 100000000"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1",
     .unit = "",
     .help = "whole number >= 0; the same seed gives the same numbers, on any number of ranks",
     COSPIN_KEY_SEED},
    {.name = "unravelling",
     .type = COSPIN_KEY_NAME,
     .default_text = "jumps",
     .choices = unravellings,
     .unit = "",
     .help =
         "shifted: L - <L> jumps instead of L, far less often where kets are nearly coherent; the averages "
         "are the same"},
    {.name = "jump",
     .type = COSPIN_KEY_NAME,
     .unit = "",
     .help = "the `name` of jumps whose clicks are counted, `all`: of all jumps; these are never shifted"},
    {.name = "records",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help =
         "how many clicks of `jump` the dataset has room for, one by one, those of the first trajectories",
     .least = 1,
     .most = 1e8,
     .range = "a whole number from 1 to 100000000"},
    {.name = "counts",
     .type = COSPIN_KEY_INTEGER,
     .unit = "",
     .help = "probabilities of 0 to so many clicks of `jump`",
     .least = 1,
     .most = 1e5,
     .range = "a whole number from 1 to 100000"},
    {.name = "delays",
     .type = COSPIN_KEY_AXIS,
     .unit = "time",
     .help = "upper ends of bins of the time between clicks of `jump`, ascending; the first begins at 0: "
             "waiting times and g2"},
    COSPIN_READOUT_FIDELITY_KEY,
    COSPIN_TASK_STORE_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-8",
     .unit = "",
     .help = "error of each ket between jumps, and population that may be at the edge of an open window",
     COSPIN_KEY_ACCURACY},
    {.name = NULL},
};

/* Dimensions beside the time: CospinTaskVariable.along. */
enum { RECORDS, COUNTS, DELAYS };
enum { ALONG_RECORDS = 2 + RECORDS, ALONG_COUNTS = 2 + COUNTS, ALONG_DELAYS = 2 + DELAYS };

static const CospinTaskVariable variables[] = {
    {"fidelity", COSPIN_REAL, PETSC_TRUE, "1", "fidelity", "<psi|rho|psi> with the state of `fidelity`"},
    {"fidelity_error", COSPIN_REAL, PETSC_TRUE, "1", "statistical error of the fidelity", "jackknife"},
    {"clicks", COSPIN_REAL, PETSC_TRUE, "1", "mean number of clicks so far", "jumps named by `jump`"},
    {"clicks_error", COSPIN_REAL, PETSC_TRUE, "1", "statistical error of the mean number of clicks",
     "jackknife"},
    {"fano", COSPIN_REAL, PETSC_TRUE, "1", "Fano factor of the number of clicks", "variance/mean"},
    {"fano_error", COSPIN_REAL, PETSC_TRUE, "1", "statistical error of the Fano factor", "jackknife"},
    {"click_time", COSPIN_REAL, PETSC_FALSE, "time", "mean time of the clicks of a trajectory",
     "up to the last time; of those that have clicks"},
    {"click_time_error", COSPIN_REAL, PETSC_FALSE, "time", "statistical error of that time", "jackknife"},
    {"click_spread", COSPIN_REAL, PETSC_FALSE, "time", "by how much it differs between trajectories",
     "standard deviation"},
    {"click_spread_error", COSPIN_REAL, PETSC_FALSE, "time", "statistical error of that spread", "jackknife"},
    {"click_rate", COSPIN_REAL, PETSC_FALSE, "rate", "clicks per time",
     "of `records`, `counts`, `delays`: from the first to the last time"},
    {"click_rate_error", COSPIN_REAL, PETSC_FALSE, "rate", "statistical error of the rate of clicks",
     "jackknife"},
    {"click_drift", COSPIN_REAL, PETSC_FALSE, "1", "clicks of the second half beyond those of the first",
     "in standard errors; beyond 4 there is no g2"},
    {"probability", COSPIN_REAL, ALONG_COUNTS, "1", "probability of so many clicks",
     "from the first to the last time"},
    {"probability_error", COSPIN_REAL, ALONG_COUNTS, "1", "statistical error of that probability",
     "jackknife"},
    {"wait", COSPIN_REAL, ALONG_DELAYS, "rate", "density of the times from a click to the next",
     "mean over the bin that ends here"},
    {"wait_error", COSPIN_REAL, ALONG_DELAYS, "rate", "statistical error of that density", "jackknife"},
    {"g2", COSPIN_REAL, ALONG_DELAYS, "1", "g2 of the clicks", "mean over the bin that ends here"},
    {"g2_error", COSPIN_REAL, ALONG_DELAYS, "1", "statistical error of g2", "jackknife"},
    {"record_time", COSPIN_REAL, ALONG_RECORDS, "time", "times of clicks", "in the order of trajectories"},
    {"record_trajectory", COSPIN_INTEGER, ALONG_RECORDS, "1", "trajectory of the click",
     "from 1 on; 0: an empty place"},
    {"record_line", COSPIN_INTEGER, ALONG_RECORDS, "1", "which of the deck's jumps it was",
     "from 1 on; 0: an empty place"},
    {"recorded", COSPIN_INTEGER, PETSC_FALSE, "1", "trajectories whose clicks are stored one by one", ""},
    {"span", COSPIN_REAL, PETSC_FALSE, "time", "length of a trajectory", "without `times`"},
    {"autocorrelation", COSPIN_REAL, PETSC_FALSE, "time", "longest autocorrelation time",
     "integrated, of any expectation value; without `times`"},
    {"independent", COSPIN_REAL, PETSC_FALSE, "1", "independent samples",
     "variance/error^2, the fewest of any expectation value; without `times`"},
    {"drift", COSPIN_REAL, PETSC_FALSE, "1", "largest difference of the halves of trajectories",
     "of any observable, in standard errors; without `times`"},
    {"no_jump", COSPIN_REAL, PETSC_TRUE, "1", "probability that nothing has jumped",
     "exact; missing for a "
     "mixed initial state"},
    {"jumped", COSPIN_INTEGER, PETSC_TRUE, "1", "trajectories that have jumped", "of those that were drawn"},
    {"number", COSPIN_INTEGER, PETSC_FALSE, "1", "trajectories that were drawn",
     "each with a jump by the last time, unless the initial state is mixed"},
    {"jumps", COSPIN_REAL, PETSC_FALSE, "1", "mean number of jumps of a trajectory", ""},
    {"rarest", COSPIN_REAL, PETSC_FALSE, "1", "fewest trajectories in which a process jumped",
     "over the deck's jumps that are expected to at all; missing: there is none"},
    {"cutoff", COSPIN_REAL, PETSC_FALSE, "1", "largest population at a cutoff of the deck",
     "relative to what its `edge` accepts; 0: no cutoff"},
    {"ket_error", COSPIN_REAL, PETSC_FALSE, "1", "largest error of a ket between jumps",
     "bound, relative to its norm"},
    {"kets", COSPIN_INTEGER, PETSC_FALSE, "1", "numbers of a ket", "of the largest block"},
    {"products", COSPIN_REAL, PETSC_FALSE, "1", "products with the generator of a trajectory", "mean"},
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"fidelity", COSPIN_MAY_MISS, 0, "-10*tolerance", NULL},
    {"fidelity", COSPIN_MAY_MISS, 1, NULL, "10*tolerance"},
    {"fidelity_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"clicks", COSPIN_MAY_MISS, 0, "0", NULL},
    {"clicks_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"fano", COSPIN_MAY_MISS, 0, "0", NULL},
    {"fano_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_time", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_time_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_spread", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_spread_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_rate", COSPIN_MAY_MISS, 0, "0", NULL},
    {"click_rate_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"probability", COSPIN_MAY_MISS, 0, "0", NULL},
    {"probability", COSPIN_MAY_MISS, 1, NULL, "10*tolerance"},
    {"probability_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"wait", COSPIN_MAY_MISS, 0, "0", NULL},
    {"wait_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"g2", COSPIN_MAY_MISS, 0, "0", NULL},
    {"g2_error", COSPIN_MAY_MISS, 0, "0", NULL},
    {"record_time", COSPIN_MAY_MISS, 0, "0", NULL},
    {"record_trajectory", COSPIN_MAY_MISS, 0, "0", "number"},
    {"record_line", COSPIN_MAY_MISS, 0, "0", NULL},
    {"recorded", COSPIN_MAY_MISS, 0, "0", "number"},
    {"span", COSPIN_MAY_MISS, 0, "0", NULL},
    {"autocorrelation", COSPIN_MAY_MISS, 0, "0", "span"},
    {"independent", COSPIN_MAY_MISS, 0, "0", NULL},
    {"drift", COSPIN_MAY_MISS, 0, "0", "4"},
    {"no_jump", COSPIN_MAY_MISS, 0, "0", NULL},
    {"no_jump", COSPIN_MAY_MISS, 1, NULL, "10*tolerance"},
    {"jumped", COSPIN_ALL, 0, "0", "number"},
    {"number", COSPIN_ALL, 0, "0", NULL},
    {"jumps", COSPIN_ALL, 0, "0", NULL},
    {"rarest", COSPIN_MAY_MISS, 0, "20", "number"},
    {"cutoff", COSPIN_ALL, 0, "0", "1"},
    {"ket_error", COSPIN_ALL, 0, "0", "10*tolerance"},
    {"kets", COSPIN_ALL, 0, "1", NULL},
    {"products", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

static const CospinCompanion companions[] = {{"error", "statistical error"}, {NULL, NULL}};

/* ---- Settings ------------------------------------------------------------------------------------------ */

/* What is read of clicks beyond their number. */
static void get_records(const CospinRecord *task, double room, double counts, CospinTrajectoriesPlan *plan)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis,
                   *delays = &CospinRecordGet(task, "delays")->axis;

  plan->recorded = (PetscBool)(room > 0 || counts > 0 || delays->size > 0);
  plan->unravelling.record = plan->recorded;
  plan->records = (CospinRecordsSettings){.room = (int)room,
                                          .num_counts = counts > 0 ? (int)counts + 1 : 0,
                                          .num_delays = delays->size,
                                          .delays = delays->values};
  if (plan->steady) return;
  plan->records.from = times->values[0];
  plan->records.until = times->values[times->size - 1];
}

/* Read at every use: they may depend on the grid point. What is wrong with them has a number in its place, so
   that all faults are told in one run. */
static PetscErrorCode get_plan(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                               CospinTrajectoriesPlan *plan, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  const CospinSetting *fidelity = CospinRecordGet(task, "fidelity");
  double seed, room, counts;

  PetscFunctionBeginUser;
  *plan = (CospinTrajectoriesPlan){
      .steady = (PetscBool)(times->size == 0), .store = CospinTaskStores(task), .task = task};
  PetscCall(CospinTaskNumberOr(problem, task, "trajectories", plan->steady ? COSPIN_STEADY_NUMBER : 1000,
                               faults, &plan->number, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "error", 0.0, faults, &plan->error, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "most", 40.0, faults, &plan->most, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "span", 0.0, faults, &plan->span, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "seed", 0.0, faults, &seed, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "records", 0.0, faults, &room, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "counts", 0.0, faults, &counts, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "tolerance", 1.0, faults, &plan->tolerance, ok));
  plan->unravelling = (CospinUnravellingSettings){.num_times = times->size,
                                                  .times = times->values,
                                                  .tolerance = plan->tolerance,
                                                  .seed = (uint64_t)seed,
                                                  .click = CospinRecordGet(task, "jump")->text,
                                                  .initial = CospinRecordGet(task, "initial")};
  plan->unravelling.shifted =
      (PetscBool)(strcmp(CospinRecordGet(task, "unravelling")->text, unravellings[1]) == 0);
  if (fidelity->text) plan->unravelling.target = plan->unravelling.initial;
  if (fidelity->factors) plan->unravelling.target = fidelity;
  get_records(task, room, counts, plan);
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinTrajectoriesPlan plan;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!CospinSystemHasSides(&problem->system)) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, task->position, "tasks",
                              "trajectories are of kets, which atoms of several levels with processes or "
                              "states of single atoms have not here (evolve and clicks know them)"));
    *dimension = (CospinDimension){"time", 0, NULL, "time", "time"};
    PetscFunctionReturn(0);
  }
  PetscCall(get_plan(problem, task, faults, &plan, ok));
  PetscCall(CospinTrajectoriesCheck(problem, task, &plan, faults, ok));
  *dimension = (CospinDimension){"time", plan.unravelling.num_times, plan.unravelling.times, "time", "time"};
  PetscFunctionReturn(0);
}

/* Of records there is as much room as the deck says, used or not: how many clicks come is not known before.
 */
static PetscErrorCode Further(CospinProblem problem, const CospinRecord *task, int k,
                              CospinDimension *dimension)
{
  CospinTrajectoriesPlan plan;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(get_plan(problem, task, NULL, &plan, &ok));
  if (k == RECORDS) *dimension = (CospinDimension){"record", plan.records.room, NULL, "1", "clicks"};
  if (k == COUNTS)
    *dimension = (CospinDimension){"clicks", plan.records.num_counts, NULL, "1", "number of clicks"};
  if (k == DELAYS)
    *dimension = (CospinDimension){"delay", plan.records.num_delays, plan.records.delays, "time",
                                   "time between clicks, up to"};
  PetscFunctionReturn(0);
}

/* Measured on one core: products for each unit of |A| t where nothing jumps, seconds for an element, for a
   number of a ket and a vector of its space, and for a jump of a small ket into a block that is new. Jumps of
   large ones cost a few products each; how many there will be is not known before. */
static PetscErrorCode Cost(CospinProblem problem, const CospinRecord *task, PetscInt64 *unknowns,
                           double *bytes, double *seconds)
{
  enum { SMALL = 30, VECTORS = 36 };
  static const double shared = 400,
                      most_shared = 2e6; /* a trajectory feeds a tenth of a rank, up to 500 ranks */
  static const double products_per_norm = 0.7, element_seconds = 2e-9, number_seconds = 2e-8,
                      jump_seconds = 3e-5, steady_jumps = 1e4; /* of trajectories whose length is found */
  struct CospinPoint_ point = {.problem = problem};
  CospinUnravelling unravelling;
  double dimension, norm, elements, fastest, span, number, each;
  PetscBool ok = PETSC_TRUE;
  CospinTrajectoriesPlan plan;

  PetscFunctionBeginUser;
  PetscCall(get_plan(problem, task, NULL, &plan, &ok));
  PetscCall(CospinObservablesCreate(problem, NULL, &point.observables, &ok));
  PetscCall(CospinUnravellingCreate(&point, &plan.unravelling, &unravelling));
  PetscCall(CospinUnravellingSize(unravelling, &dimension, &norm, &elements, &fastest));
  PetscCall(CospinUnravellingDestroy(&unravelling));
  PetscCall(CospinObservablesDestroy(&point.observables));
  span = plan.steady ? plan.span : plan.unravelling.times[plan.unravelling.num_times - 1];
  if (span <= 0.0 && plan.steady) span = steady_jumps / PetscMax(fastest, 1e-3 * norm);
  number = plan.error > 0 ? plan.most : plan.number;
  each = products_per_norm * norm * (elements * element_seconds + dimension * number_seconds);
  if (dimension <= SMALL) each = fastest * jump_seconds;
  *unknowns = (PetscInt64)PetscMin(shared * number, most_shared); /* they wait for nothing */
  *bytes = 16.0 * VECTORS * dimension + 60 * elements;
  if (plan.store)
    *bytes +=
        16.0 * dimension * dimension * (1 + COSPIN_AVERAGE_GROUPS) * PetscMax(1, plan.unravelling.num_times);
  *seconds = number * (1e-4 + span * each);
  PetscFunctionReturn(0);
}

static PetscBool Stores(const CospinRecord *task, const CospinAxis **times)
{
  *times = NULL; /* all of the task's own */
  return CospinTaskStores(task);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  CospinTrajectoriesPlan plan;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  PetscCall(get_plan(point->problem, task, NULL, &plan, &ok));
  PetscCall(CospinTrajectoriesRun(point, &plan, results, outcome));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_INACCURATE,
     "fewer than 20 trajectories had jumped by some time (<task>_jumped), or by one of the processes "
     "(<task>_rarest), so that the statistical errors are not known: more `trajectories:`, later times; or "
     "`error:` was not reached with the `most:` trajectories, a population at a cutoff is above what its "
     "`edge` accepts (<task>_cutoff above 1), or kets have an error (<task>_ket_error); or, without `times`, "
     "trajectories were too short for a steady state: their halves differ (<task>_drift above 4) or have too "
     "few independent samples (<task>_independent below 10 a trajectory)"},
    {COSPIN_TOO_LARGE, "kets do not fit into the memory of a rank, some forty times the numbers of one and "
                       "its matrices (`cospin "
                       "plan` tells how much; fewer ranks a node leave each more), or the averaged state of "
                       "`store: state` does "
                       "not"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskTrajectories = {
    .record = {"trajectories",
               "quantum trajectories of kets, averages at given times with statistical errors", keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .has_observables = PETSC_TRUE,
    .companions = companions,
    .observables_along = PETSC_TRUE,
    .observables_miss = PETSC_TRUE,
    .follows_time = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Further = Further,
    .Stores = Stores,
    .states_along = PETSC_TRUE,
    .states_sampled = PETSC_TRUE,
    .Sectors = CospinTaskNoSectors,
    .Cost = Cost,
    .Run = Run,
};
