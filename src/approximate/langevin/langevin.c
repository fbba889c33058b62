/*
   Task `langevin`: c-number Langevin equations of spins with correlated emission, absorption and exchange
   (langevin.h), averaged over many trajectories. Averages in the steady state over trajectories and time, or
   with `times` on the way from a product state; each observable with its statistical error, by leaving out
   one block of trajectories after the other (jackknife), and the change of all when steps are twice as large;
   in the steady state also from one half of the average to the other.

   Which terms it knows, terms.c says; every other one is a fault. Trajectories are independent, so ranks
   share them; numbers depend on the seed and the trajectory alone.

   Three errors, and what tells each: the statistical one (jackknife, one over the root of the number of
   trajectories); that of the steps (the same noise with steps twice as long, so that statistics cancel in
   the difference); that of a start that was not forgotten (drift). What none of them tells is the error of
   the method itself, which falls as 1/N: at N = 20 to 40 inversions were within .008 of exact ones.
*/
#include "averages.h"
#include <cospin/point/settings.h>
#include <string.h>

static const CospinKey keys[] = {
    {.name = "trajectories",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1000",
     .unit = "",
     .help = "how many; the statistical error falls with their square root",
     .least = 32,
     .most = 4e6,
     .range = "a whole number from 32 to 4000000"},
    {.name = "seed",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1",
     .unit = "",
     .help = "whole number >= 0; the same seed gives the same numbers, on any number of ranks",
     COSPIN_KEY_SEED},
    {.name = "dt",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "largest step; left out: .03 over the sum of the fastest collective rate, N Gc, and those of a "
             "spin"},
    {.name = "from",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "when averages of the steady state begin; left out: 8/(N Gc) + 8/(slowest rate of a spin)"},
    {.name = "until",
     .type = COSPIN_KEY_NUMBER,
     .unit = "time",
     .help = "when they end; left out: twice `from`"},
    COSPIN_TASK_TIMES_KEY("the steady state"),
    COSPIN_TASK_PRODUCT_STATE_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "0.05",
     .unit = "",
     .help =
         "largest relative change of an observable when steps double, unless that is below three of its "
         "statistical errors; the error of the steps is about a third of it. A fifth of it from one half of "
         "the average to the other, unless below 4 (1 + 4/N)",
     .least = DBL_MIN,
     .most = 1,
     .range = "a number above 0, at most 1, such as 0.05"},
    COSPIN_TAIL_KEYS,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    {"step", COSPIN_REAL, PETSC_FALSE, "time", "largest step", ""},
    {"steps", COSPIN_INTEGER, PETSC_FALSE, "1", "number of steps", ""},
    {"step_change", COSPIN_REAL, PETSC_FALSE, "1", "change when steps double, relative to what is allowed",
     "largest over observables and times, same noise; allowed: tolerance*|value| or three statistical "
     "errors"},
    {"drift", COSPIN_REAL, PETSC_FALSE, "1",
     "change from one half of the average to the other, relative to what is allowed",
     "largest over observables, in the steady state; allowed: tolerance/5*|value| or 4 (1 + 4/N) statistical "
     "errors "
     "of "
     "the change"},
    {"clipped", COSPIN_REAL, PETSC_FALSE, "1", "largest share of the diffusion matrix that was not positive",
     "negative eigenvalues, set to zero, relative to the sum of all absolute ones"},
    COSPIN_TAIL_VARIABLES,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"step", COSPIN_ALL, 0, "0", NULL},
    {"steps", COSPIN_ALL, 0, "2", NULL},
    {"step_change", COSPIN_MAY_MISS, 0, "0", "1"},
    {"drift", COSPIN_MAY_MISS, 0, "0", "1"},
    {"clipped", COSPIN_ALL, 0, "0", "0.05"}, /* largest_clipped */
    COSPIN_TAIL_RULES,
    {.suffix = NULL},
};

/* Of the steps, how many may need a diffusion matrix made positive: that is no longer the noise of the
   equations. The diffusion matrix is made of averages over trajectories; with few of them it has negative
   eigenvalues, which are set to zero. */
static const double largest_clipped = 0.05;

static const CospinCompanion companions[] = {{"error", "statistical error"}, {NULL, NULL}};

/* Defaults follow from the rates: steps of three hundredths of the fastest, a start of the average after
   several of the slowest. Collective and single rates each have their own time to forget the start, so
   both are waited for. */
static PetscErrorCode read_settings(CospinProblem problem, const CospinRecord *task, CospinLangevin equations,
                                    CospinFaults faults, CospinLangevinSettings *s, PetscBool *ok)
{
  CospinLangevinRates rates;
  double together, alone;

  PetscFunctionBeginUser;
  PetscCall(CospinLangevinGetRates(equations, &rates));
  together = rates.collective > 0 ? 8 / rates.collective : 0.0;
  alone = rates.slowest > 0 ? 8 / rates.slowest : 0.0;
  PetscCall(CospinTaskNumberOr(problem, task, "trajectories", 0.0, faults, &s->trajectories, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "seed", 0.0, faults, &s->seed, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "tolerance", 0.0, faults, &s->tolerance, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "dt", 0.03 / rates.fastest, faults, &s->dt, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "from", together + alone, faults, &s->from, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "until", 2 * s->from, faults, &s->until, ok));
  PetscFunctionReturn(0);
}

/* `from` and `until` are about averages in the steady state, which an evolution has none of. */
static PetscErrorCode check_settings(CospinProblem problem, const CospinRecord *task,
                                     const CospinLangevinSettings *s, CospinFaults faults, PetscBool *ok)
{
  static const double most_steps =
      1e8; /* what the counter of random numbers has room for, and more than anybody waits for */
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  const double until = times->size ? times->values[times->size - 1] : s->until;

  PetscFunctionBeginUser;
  for (int k = 0; k < 2 && times->size; k++) {
    const char *key = k ? "until" : "from";
    if (CospinRecordGet(task, key)->expression)
      PetscCall(CospinTaskFail(problem, task, key, faults, ok,
                               "is of the steady state, which `times` is not about"));
  }
  if (!times->size && !(s->from >= 0 && s->until > s->from && s->until < PETSC_INFINITY))
    PetscCall(
        CospinTaskFail(problem, task, "until", faults, ok,
                       "must be later than `from` (which is >= 0; give both where nothing has a rate)"));
  if (!(s->dt > 0 && s->dt < PETSC_INFINITY))
    PetscCall(
        CospinTaskFail(problem, task, "dt", faults, ok, "must be > 0 (give it where nothing has a rate)"));
  else if (!(until / s->dt < most_steps))
    PetscCall(CospinTaskFail(problem, task, "dt", faults, ok,
                             "is so small that there would be more than 1e8 steps"));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinLangevin equations;
  CospinLangevinSettings settings;
  CospinTailKeys tail;
  PetscBool times_ok, state_ok;

  PetscFunctionBeginUser;
  if (times->size) *dimension = (CospinDimension){"time", times->size, times->values, "time", "time"};
  PetscCall(CospinLangevinRead(problem, faults, &equations, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  PetscCall(CospinLangevinInitial(problem, equations, CospinRecordGet(task, "initial"), faults, NULL, NULL,
                                  &state_ok));
  if (*ok) {
    PetscCall(read_settings(problem, task, equations, faults, &settings, ok));
    if (times_ok) PetscCall(check_settings(problem, task, &settings, faults, ok));
  }
  if (!times_ok || !state_ok) *ok = PETSC_FALSE;
  PetscCall(CospinTailRead(problem, task, faults, &tail, ok));
  PetscCall(CospinLangevinDestroy(&equations));
  PetscFunctionReturn(0);
}

/* Measured: multiplications of a step, matrices of 3N, and the rest, most of it random numbers. */
static PetscErrorCode Cost(CospinProblem problem, const CospinRecord *task, PetscInt64 *unknowns,
                           double *bytes, double *seconds)
{
  /* Measured on one core: a multiplication within dgemm, and everything that a step does for one number. */
  static const double product_seconds = 4e-11, number_seconds = 4e-8;
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinLangevin equations;
  CospinLangevinSettings s;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinLangevinRead(problem, NULL, &equations, &ok));
  PetscCall(read_settings(problem, task, equations, NULL, &s, &ok));
  const double n = 3.0 * equations->size, numbers = n * s.trajectories;
  const double steps = (times->size ? times->values[times->size - 1] : s.until) / s.dt;
  *unknowns = (PetscInt64)numbers;
  *bytes = 8 * (numbers * 1.5 + 5 * n * n);
  *seconds = steps * (numbers * (4 * n * product_seconds + number_seconds) + n * n * n * product_seconds);
  PetscCall(CospinLangevinDestroy(&equations));
  PetscFunctionReturn(0);
}

/* ---- Runs ---------------------------------------------------------------------------------------------- */

/* Two steps at a time for `duration`; sampled unless `quietly`. Steps come in pairs: trajectories with a
   shadow take one step of double length for each pair, with the sum of both noises, for the comparison.
   The number of pairs is rounded up and the step shortened, so that times are met exactly. */
static PetscErrorCode advance(CospinLangevinRun *run, double duration, PetscBool quietly)
{
  enum { ASK_EVERY = 32 };
  const int pairs = duration > 0 ? (int)PetscCeilReal(duration / (2 * run->settings.dt)) : 0;
  const double step = pairs ? duration / (2 * pairs) : 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < pairs && run->ok && !run->leave; k++) {
    PetscCall(CospinTrajectoriesAdvance(run->trajectories, step, quietly ? NULL : &run->sample, &run->ok));
    if (!quietly) run->num_samples++;
    run->steps += 2;
    if (k % ASK_EVERY == 0) PetscCall(CospinTaskLeave(run->point, &run->leave));
  }
  run->step = PetscMax(run->step, step);
  PetscFunctionReturn(0);
}

/* The average runs in two halves; by how much the second differs from the first tells whether the state
   had become steady. The first half is copied before the second one is added to the same sums. */
static PetscErrorCode run_steady(CospinLangevinRun *run)
{
  const double half = (run->settings.until - run->settings.from) / 2;

  PetscFunctionBeginUser;
  PetscCall(advance(run, run->settings.from, PETSC_TRUE));
  if (!run->ok || run->leave) PetscFunctionReturn(0);
  PetscCall(CospinLangevinClearSample(run));
  PetscCall(advance(run, half, PETSC_FALSE));
  PetscCall(PetscArraycpy(run->early, run->sample.sums, run->num_blocks * run->sample.num));
  if (run->ok && !run->leave) PetscCall(advance(run, half, PETSC_FALSE));
  if (!run->ok || run->leave) PetscFunctionReturn(0);
  PetscCall(CospinLangevinStoreSample(run, 0));
  PetscCall(CospinLangevinStoreDrift(run));
  PetscFunctionReturn(0);
}

/* Each time is a sample of its own: nothing is averaged over time. */
static PetscErrorCode run_time(CospinLangevinRun *run, const CospinAxis *times)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < times->size; k++) {
    PetscCall(advance(run, times->values[k] - (k ? times->values[k - 1] : 0.0), PETSC_TRUE));
    if (!run->ok || run->leave) break;
    PetscCall(CospinLangevinClearSample(run));
    CospinTrajectoriesSample(run->trajectories, &run->sample);
    run->num_samples = 1;
    PetscCall(CospinLangevinStoreSample(run, k));
  }
  PetscFunctionReturn(0);
}

/* All times share their trajectories, so the fit is done once more without each block of them. */
static PetscErrorCode store_tail(CospinLangevinRun *run, const CospinAxis *times, CospinOutcome *outcome)
{
  CospinTail tail = {.num_times = times->size,
                     .times = times->values,
                     .num_blocks = run->num_blocks,
                     .values = run->tail_values,
                     .errors = run->tail_errors,
                     .from = run->tail.from,
                     .until = run->tail.until};

  PetscFunctionBeginUser;
  PetscCall(CospinTailFit(&tail));
  PetscCall(CospinTailStore(&tail, run->results, outcome));
  PetscFunctionReturn(0);
}

/* Observables become sums of moments in symmetric order once (moments.c), and are read from all
   trajectories at each sample. */
static PetscErrorCode create_run(CospinLangevinRun *run, const CospinRecord *task)
{
  const CospinProblem problem = run->point->problem;
  const CospinObservables all = run->point->observables;
  double *mean, *axes[2];
  size_t n, length;
  int e = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinLangevinRead(problem, NULL, &run->equations, &run->ok));
  PetscCall(read_settings(problem, task, run->equations, NULL, &run->settings, &run->ok));
  PetscCall(CospinTrajectoriesCreate(run->point->comm, run->equations, (int)run->settings.trajectories,
                                     (uint64_t)run->settings.seed, &run->trajectories));
  run->num_blocks = CospinTrajectoriesNumBlocks(run->trajectories);
  n = 3 * (size_t)run->equations->size;
  PetscCall(PetscMalloc3(n, &mean, n, &axes[0], n, &axes[1]));
  PetscCall(CospinLangevinInitial(problem, run->equations, CospinRecordGet(task, "initial"), NULL, mean, axes,
                                  &run->ok));
  PetscCall(CospinTrajectoriesStart(run->trajectories, mean, (const double *const *)axes));
  PetscCall(PetscFree3(mean, axes[0], axes[1]));
  for (int k = 0; k < all->count; k++) run->sample.num += all->observables[k].num_expectations;
  length = (size_t)run->sample.num * (size_t)run->num_blocks;
  PetscCall(PetscMalloc5(length, &run->sample.sums, length, &run->sample.shadows, length, &run->early,
                         (size_t)run->sample.num, &run->means, (size_t)run->num_blocks, &run->values));
  PetscCall(PetscCalloc1((size_t)run->sample.num, &run->moments));
  for (int k = 0; k < all->count; k++) {
    for (int i = 0; i < all->observables[k].num_expectations; i++)
      PetscCall(CospinMomentsCreate(run->equations, &problem->system, all->observables[k].operators[i],
                                    &run->moments[e++]));
  }
  run->sample.moments = run->moments;
  PetscCall(CospinTailRead(problem, task, NULL, &run->tail, &run->ok));
  run->num_times = CospinRecordGet(task, "times")->axis.size;
  length = run->tail.observable ? (size_t)run->num_times : 0;
  PetscCall(
      PetscMalloc2(length * (size_t)(1 + run->num_blocks), &run->tail_values, length, &run->tail_errors));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_run(CospinLangevinRun *run)
{
  PetscFunctionBeginUser;
  for (int e = 0; e < run->sample.num; e++) PetscCall(CospinMomentsDestroy(&run->moments[e]));
  PetscCall(PetscFree(run->moments));
  PetscCall(PetscFree2(run->tail_values, run->tail_errors));
  PetscCall(PetscFree5(run->sample.sums, run->sample.shadows, run->early, run->means, run->values));
  PetscCall(CospinTrajectoriesDestroy(&run->trajectories));
  PetscCall(CospinLangevinDestroy(&run->equations));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  CospinLangevinRun run = {.point = point, .results = results, .ok = PETSC_TRUE};

  PetscFunctionBeginUser;
  PetscCall(create_run(&run, task));
  if (times->size)
    PetscCall(run_time(&run, times));
  else
    PetscCall(run_steady(&run));
  *outcome = run.leave ? COSPIN_NOT_RUN : run.ok ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  if (!run.leave) {
    PetscCall(CospinResultsSet(results, "step", 0, run.step));
    PetscCall(CospinResultsSet(results, "steps", 0, run.steps));
    PetscCall(CospinResultsSet(results, "step_change", 0, run.change));
    PetscCall(CospinResultsSet(results, "clipped", 0, CospinTrajectoriesClipped(run.trajectories)));
    /* Both are relative to what is allowed, so 1 is the limit. */
    if (run.change > 1 || run.drift > 1 || CospinTrajectoriesClipped(run.trajectories) > largest_clipped)
      *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
    if (run.ok && run.tail.observable) PetscCall(store_tail(&run, times, outcome));
  }
  PetscCall(destroy_run(&run));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_NOT_CONVERGED, "trajectories broke down, their numbers grew without a limit: give a smaller "
                           "`dt:`, or start nearer to where they go (`initial:`)"},
    {COSPIN_INACCURATE, "steps are too long (<task>_step_change above 1: a smaller `dt:`), the average began "
                        "before the start was forgotten (<task>_drift above 1: a later `from:`), or too few "
                        "trajectories left noise negative (<task>_clipped), or " COSPIN_TAIL_HINT},
    {.text = NULL},
};

const CospinTaskKind CospinTaskLangevin = {
    .record = {"langevin", "c-number Langevin equations of spins that emit and absorb together, approximate",
               keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .approximation =
        "c-number Langevin equations, symmetric order, noise by the generalised Einstein relation "
        "(Shankar et al., PRA 95, 033423 (2017), appendix D); their error falls as 1/N",
    .has_observables = PETSC_TRUE,
    .companions = companions,
    .observables_along = PETSC_TRUE,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = Cost,
    .Run = Run,
};
