/*
   Task `trajectories`: quantum jumps of kets (unravelling.c) instead of a density matrix, averaged over many
   trajectories (sample.c). rho of 10^9 elements has kets of 3*10^4, so it goes where `evolve` cannot; its
   numbers are exact but for a statistical error that is told with each.

   Every observable is an average over kets, so only what is linear in rho, or a function of such averages,
   has a value; purities and Fisher information would need rho itself and are missing.

   What makes a statistical error untrue is what has hardly been seen: fewer than twenty trajectories that
   jumped, in all or by one of the processes that are expected to happen. Then it is missing, or the outcome
   says so.
*/
#include "report.h"
#include "tasks/detector.h"
#include <cospin/point/readout.h>
#include <string.h>

static const char *const unravellings[] = {"jumps", "shifted", NULL};

static const CospinKey keys[] = {
    COSPIN_READOUT_TIMES_KEY,
    COSPIN_READOUT_INITIAL_KEY,
    {.name = "trajectories",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1000",
     .unit = "",
     .help = "how many; the statistical error falls with their square root",
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
     .help = "the `name` of jumps whose clicks are counted; these are never shifted"},
    COSPIN_READOUT_FIDELITY_KEY,
    {.name = "tolerance",
     .type = COSPIN_KEY_NUMBER,
     .default_text = "1e-8",
     .unit = "",
     .help = "error of each ket between jumps, and population that may be at the edge of an open window",
     COSPIN_KEY_ACCURACY},
    {.name = NULL},
};

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

typedef struct {
  double trajectories, error, most, seed, tolerance;
  CospinUnravellingSettings unravelling;
} Settings;

/* Read at every use: they may depend on the grid point. What is wrong with them has a number in its place, so
   that all faults are told in one run. */
static PetscErrorCode get_settings(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   Settings *s, PetscBool *ok)
{
  const CospinAxis *times = &CospinRecordGet(task, "times")->axis;
  const CospinSetting *fidelity = CospinRecordGet(task, "fidelity");

  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumberOr(problem, task, "trajectories", 40.0, faults, &s->trajectories, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "error", 0.0, faults, &s->error, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "most", 40.0, faults, &s->most, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "seed", 0.0, faults, &s->seed, ok));
  PetscCall(CospinTaskNumberOr(problem, task, "tolerance", 1.0, faults, &s->tolerance, ok));
  s->unravelling = (CospinUnravellingSettings){.num_times = times->size,
                                               .times = times->values,
                                               .tolerance = s->tolerance,
                                               .seed = (uint64_t)s->seed,
                                               .click = CospinRecordGet(task, "jump")->text,
                                               .initial = CospinRecordGet(task, "initial")};
  s->unravelling.shifted =
      (PetscBool)(strcmp(CospinRecordGet(task, "unravelling")->text, unravellings[1]) == 0);
  if (fidelity->text) s->unravelling.target = s->unravelling.initial;
  if (fidelity->factors) s->unravelling.target = fidelity;
  PetscFunctionReturn(0);
}

/* Faults of `initial` or `fidelity`: those of the state, one that a file has, a mixed one where that must not
   be. */
static PetscErrorCode check_state(CospinProblem problem, const CospinRecord *task, const char key[],
                                  const CospinSetting *setting, CospinFaults faults, PetscBool *ok)
{
  const PetscBool pure = (PetscBool)(strcmp(key, "fidelity") == 0);
  CospinKetState kets;
  CospinState state;
  PetscBool state_ok;

  PetscFunctionBeginUser;
  if (setting->file) {
    PetscCall(CospinTaskFail(problem, task, key, faults, ok,
                             "must be a product state (kets of a stored state are not known)"));
    PetscFunctionReturn(0);
  }
  PetscCall(
      CospinStateCreate(problem, setting, setting->key->name == key ? faults : NULL, &state, &state_ok));
  if (!state_ok) *ok = PETSC_FALSE;
  if (!state_ok || !pure) {
    PetscCall(CospinStateDestroy(&state));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinKetStateCreate(state, NULL, &kets));
  if (kets->mixed)
    PetscCall(
        CospinTaskFail(problem, task, key, faults, ok, "is a mixed state (the fidelity is with a pure one)"));
  PetscCall(CospinKetStateDestroy(&kets));
  PetscCall(CospinStateDestroy(&state));
  PetscFunctionReturn(0);
}

/* A state that is wrong is told of once, also where `fidelity: initial` means it again. */
static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool times_ok;
  Settings s;

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
  PetscCall(get_settings(problem, task, faults, &s, ok));
  PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  if (!times_ok) *ok = PETSC_FALSE;
  PetscCall(check_state(problem, task, "initial", s.unravelling.initial, faults, ok));
  if (s.unravelling.target && *ok) /* of `initial` faults have been told by now */
    PetscCall(check_state(problem, task, "fidelity", s.unravelling.target, faults, ok));
  if (s.unravelling.click) PetscCall(CospinTaskCheckJump(problem, task, faults, ok));
  *dimension = (CospinDimension){"time", s.unravelling.num_times, s.unravelling.times, "time", "time"};
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
                      jump_seconds = 3e-5;
  struct CospinPoint_ point = {.problem = problem};
  CospinUnravelling unravelling;
  double dimension, norm, elements, fastest, span, number, each;
  PetscBool ok = PETSC_TRUE;
  Settings s;

  PetscFunctionBeginUser;
  PetscCall(get_settings(problem, task, NULL, &s, &ok));
  PetscCall(CospinObservablesCreate(problem, NULL, &point.observables, &ok));
  PetscCall(CospinUnravellingCreate(&point, &s.unravelling, &unravelling));
  PetscCall(CospinUnravellingSize(unravelling, &dimension, &norm, &elements, &fastest));
  PetscCall(CospinUnravellingDestroy(&unravelling));
  PetscCall(CospinObservablesDestroy(&point.observables));
  span = s.unravelling.times[s.unravelling.num_times - 1];
  number = s.error > 0 ? s.most : s.trajectories;
  each = products_per_norm * norm * (elements * element_seconds + dimension * number_seconds);
  if (dimension <= SMALL) each = fastest * jump_seconds;
  *unknowns = (PetscInt64)PetscMin(shared * number, most_shared); /* they wait for nothing */
  *bytes = 16.0 * VECTORS * dimension + 60 * elements;
  *seconds = number * (1e-4 + span * each);
  PetscFunctionReturn(0);
}

/* Trajectories up to this number, and what they say. None where nothing can jump. */
static PetscErrorCode run_round(CospinSampleReport *report, double number, PetscBool *leave,
                                CospinOutcome *outcome)
{
  static const double never = 1e-14;
  CospinSample *sample = report->sample;
  const PetscBool sure = (PetscBool)(!sample->mixed && 1.0 - sample->least < never);

  PetscFunctionBeginUser;
  *leave = PETSC_FALSE;
  if (!sure) PetscCall(CospinSampleExtend(sample, (int)number, leave));
  if (*leave) PetscFunctionReturn(0);
  PetscCall(CospinSampleReduce(sample));
  PetscCall(CospinSampleStore(report, outcome));
  PetscFunctionReturn(0);
}

/* The error is looked at when the number has doubled and not in between, which would favour chance. */
static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  static const double first_round = 512;
  CospinSample sample;
  CospinSampleReport report = {.sample = &sample, .results = results};
  PetscBool ok = PETSC_TRUE, leave = PETSC_FALSE;
  Settings s;
  double number;

  PetscFunctionBeginUser;
  PetscCall(get_settings(point->problem, task, NULL, &s, &ok));
  PetscCall(CospinSampleCreate(point, &s.unravelling, &sample));
  report.tolerance = s.tolerance;
  report.fidelity = (PetscBool)(s.unravelling.target != NULL);
  report.clicks = (PetscBool)(s.unravelling.click != NULL);
  number = s.error > 0 ? PetscMin(first_round, s.most) : s.trajectories;
  if (point->checkpoint) PetscCall(CospinSampleLoad(&sample, point->checkpoint));
  while (s.error > 0 && number < sample.done * (double)sample.block_size) number *= 2;
  PetscCall(run_round(&report, number, &leave, outcome));
  while (!leave && s.error > 0 && !(report.largest_error <= s.error) && 2 * number <= s.most) {
    number *= 2;
    PetscCall(run_round(&report, number, &leave, outcome));
  }
  if (s.error > 0 && !(report.largest_error <= s.error))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  if (leave) *outcome = COSPIN_NOT_RUN;
  PetscCall(CospinSampleDestroy(&sample));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_INACCURATE,
     "fewer than 20 trajectories had jumped by some time (<task>_jumped), or by one of the processes "
     "(<task>_rarest), so that the statistical errors are not known: more `trajectories:`, later times; or "
     "`error:` was not reached with the `most:` trajectories, a population at a cutoff is above what its "
     "`edge` accepts (<task>_cutoff above 1), or kets have an error (<task>_ket_error)"},
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
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = Cost,
    .Run = Run,
};
