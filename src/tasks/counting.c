/*
   Task `counting`: how often the counted jumps happen in the steady state, and how regularly: the cumulants
   of the number of clicks in a long time, per time (tilted.c). A variance below the mean (Fano factor < 1)
   tells of clicks that keep a distance, above it of bunches.

   Clicks that are missed at random (efficiency eta) are a jump of rate eta J that is counted and one of
   (1 - eta) J that is not.

   A jump may connect what the generator does not: in Sx rho Sx + Sy rho Sy the terms that break the symmetry
   cancel, in one of the two they do not. Then the sector is that of the lattice of both.
*/
#include "detector.h"
#include <cospin/operator/liouvillian.h>
#include <cospin/point/window.h>
#include <cospin/solver/tilted.h>

static const double largest_change = 1e-8; /* of a cumulant, when open windows grow */

static const CospinKey keys[] = {
    COSPIN_TASK_JUMP_KEYS,
    COSPIN_TASK_SECTOR_KEY,
    COSPIN_TASK_TOLERANCE_KEY,
    {.name = NULL},
};

static const char *const names[COSPIN_NUM_CUMULANTS] = {"mean", "variance", "third", "fourth"};
static const CospinTaskVariable variables[] = {
    {"mean", COSPIN_REAL, PETSC_FALSE, "rate", "clicks per time", "c_1 = Tr(J rho)"},
    {"variance", COSPIN_REAL, PETSC_FALSE, "rate", "variance of the clicks, per time", "second cumulant c_2"},
    {"third", COSPIN_REAL, PETSC_FALSE, "rate", "third cumulant of the clicks, per time", "c_3"},
    {"fourth", COSPIN_REAL, PETSC_FALSE, "rate", "fourth cumulant of the clicks, per time", "c_4"},
    {"fano", COSPIN_REAL, PETSC_FALSE, "1", "Fano factor", "variance/mean; 1: clicks at random"},
    {"residual", COSPIN_REAL, PETSC_FALSE, "1",
     "largest residual of the steady state and the orders above it", "|L x - b| / (|L| |x| + |terms of b|)"},
    {"leak", COSPIN_REAL, PETSC_FALSE, "1", "largest change when open windows grew by half",
     "of any cumulant, relative; 0 where every cutoff is the deck's"},
    {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the sector", ""},
    {"iterations", COSPIN_INTEGER, PETSC_FALSE, "1", "solves with the factors", ""},
    COSPIN_TASK_INSTEAD_VARIABLE,
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    {"mean", COSPIN_ALL, 0, "-1*tolerance", NULL},
    {"variance", COSPIN_ALL, 0, "-1*tolerance", NULL},
    {"third", COSPIN_ALL, 0, NULL, NULL},
    {"fourth", COSPIN_ALL, 0, NULL, NULL},
    {"residual", COSPIN_ALL, 0, "0", "tolerance"},
    {"leak", COSPIN_ALL, 0, "0", "1e-8"}, /* largest_change */
    {"dimension", COSPIN_ALL, 0, "1", NULL},
    {"iterations", COSPIN_ALL, 0, "0", NULL},
    {.suffix = NULL},
};

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  CospinDetector detector;
  PetscBool this_ok;
  double tolerance;

  PetscFunctionBeginUser;
  (void)dimension;
  PetscCall(CospinTaskTolerance(problem, task, faults, &tolerance, ok));
  PetscCall(CospinTaskDetector(problem, task, faults, &detector, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscCall(CospinTaskCheckSector(problem, task, PETSC_TRUE, faults, &this_ok));
  if (!this_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- The sector ---------------------------------------------------------------------------------------- */

/* The steady state where the jumps can act on it. */
typedef struct {
  CospinMoves jumps;
  CospinEigensolver eigensolver; /* that of the point's steady state unless `owned` */
  Vec rho;
  CospinQuality quality;
  PetscBool owned;
  struct CospinProblem_ wide; /* the problem with a finer set of steps than its own moves make; if owned */
} Stage;

/* The lattice of the moves and the jumps; NULL if that is the problem's own. */
static PetscErrorCode widen_lattice(CospinProblem problem, CospinMoves jumps, CospinLattice *wide)
{
  PetscBool inside = PETSC_TRUE;

  PetscFunctionBeginUser;
  *wide = NULL;
  for (int k = 0; k < jumps->count; k++) {
    if (!CospinLatticeContains(problem->lattice, jumps->moves[k].shift)) inside = PETSC_FALSE;
  }
  if (inside) PetscFunctionReturn(0);
  PetscCall(CospinLatticeCreate(problem->system.num_coordinates, wide));
  for (int r = 0; r < CospinLatticeRank(problem->lattice); r++) {
    int pivot;
    PetscCall(CospinLatticeAdd(*wide, CospinLatticeRow(problem->lattice, r, &pivot)));
  }
  for (int k = 0; k < jumps->count; k++) PetscCall(CospinLatticeAdd(*wide, jumps->moves[k].shift));
  PetscFunctionReturn(0);
}

/* The steady state once more, in the sector that the jumps connect its own with. */
static PetscErrorCode solve_widely(CospinPoint point, const int label[], const char prefix[], Stage *stage,
                                   CospinOutcome *outcome)
{
  double complex next, trace;
  Vec *null;
  int num;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolverCreate(point->comm, &stage->wide, label, prefix, &point->eigensolvers,
                                    &stage->eigensolver));
  PetscCall(CospinEigensolverNull(stage->eigensolver, &num, &null, &next));
  *outcome = CospinOutcomeWorse(*outcome, stage->eigensolver->outcome);
  if (num != 1) *outcome = CospinOutcomeWorse(*outcome, num ? COSPIN_DEGENERATE : COSPIN_NOT_CONVERGED);
  if (num) stage->rho = null[0];
  if (num) PetscCall(PetscObjectReference((PetscObject)stage->rho));
  PetscCall(VecDestroyVecs(num, &null));
  if (num == 0) PetscFunctionReturn(0);
  PetscCall(CospinTraceOf(&stage->wide.system, stage->eigensolver->sector, stage->rho, &trace));
  PetscCall(VecScale(stage->rho, (PetscScalar)(1.0 / trace)));
  PetscCall(CospinStateQuality(point, stage->eigensolver, stage->rho, &stage->quality));
  PetscFunctionReturn(0);
}

/* In the point's own steady state and sector if all counted jumps stay within its lattice, otherwise in a
   sector of the finer one. */
static PetscErrorCode set_stage(CospinPoint point, const CospinRecord *task, const char jump[], Stage *stage,
                                CospinOutcome *outcome)
{
  const CospinSteadyState *steady;
  int num, *sectors = NULL;
  CospinLattice lattice;
  char prefix[64];

  PetscFunctionBeginUser;
  *stage = (Stage){.rho = NULL};
  PetscCall(CospinTaskPrefix(task, prefix, sizeof(prefix)));
  if (CospinRecordGet(task, "sector")->numbers)
    PetscCall(CospinTaskSectors(point->problem, task, &num, &sectors));
  PetscCall(CospinPointSteadyState(point, prefix, sectors, &steady));
  PetscCall(PetscFree(sectors));
  *outcome = steady->outcome;
  PetscCall(CospinProblemJumps(point->problem, jump, &stage->jumps));
  if (!steady->rho) PetscFunctionReturn(0);
  stage->eigensolver = steady->eigensolver;
  stage->rho = steady->rho;
  stage->quality = steady->quality;
  PetscCall(widen_lattice(point->problem, stage->jumps, &lattice));
  if (!lattice) PetscFunctionReturn(0);
  stage->owned = PETSC_TRUE;
  stage->rho = NULL;
  stage->wide = *point->problem;
  stage->wide.lattice = lattice;
  PetscCall(
      solve_widely(point, CospinSectorRepresentative(steady->eigensolver->sector), prefix, stage, outcome));
  PetscFunctionReturn(0);
}

/* The eigensolver is borrowed from the point unless the stage had to be widened. */
static PetscErrorCode clear_stage(Stage *stage)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesDestroy(&stage->jumps));
  if (!stage->owned) PetscFunctionReturn(0);
  PetscCall(VecDestroy(&stage->rho));
  PetscCall(CospinEigensolverDestroy(&stage->eigensolver));
  PetscCall(CospinLatticeDestroy(&stage->wide.lattice));
  PetscFunctionReturn(0);
}

/* ---- Results ------------------------------------------------------------------------------------------- */

typedef struct {
  CospinTilted tilted;   /* its residual: that of the steady state, too */
  CospinQuality quality; /* of the steady state */
  PetscInt64 dimension;
  PetscBool found;
} Counts;

static PetscErrorCode count(CospinPoint point, const CospinRecord *task, const CospinDetector *detector,
                            Counts *counts, CospinOutcome *outcome)
{
  Stage stage;

  PetscFunctionBeginUser;
  *counts = (Counts){.found = PETSC_FALSE};
  PetscCall(set_stage(point, task, detector->jump, &stage, outcome));
  if (stage.rho) {
    PetscCall(CospinTiltedCumulants(stage.eigensolver, stage.rho, stage.jumps, detector->efficiency,
                                    &counts->tilted));
    counts->tilted.residual = PetscMax(counts->tilted.residual, stage.quality.residual);
    counts->quality = stage.quality;
    counts->dimension = CospinSectorDimension(stage.eigensolver->sector);
    counts->found = PETSC_TRUE;
  }
  PetscCall(clear_stage(&stage));
  PetscFunctionReturn(0);
}

/* Relative to the cumulant or, where that is nearly zero by cancellation, to the mean. */
static double largest_difference(const Counts *a, const Counts *b)
{
  double change = 0.0;

  for (int n = 0; n < COSPIN_NUM_CUMULANTS; n++) {
    const double size = PetscMax(PetscAbsReal(b->tilted.cumulants[n]), b->tilted.cumulants[0]);
    const double difference = PetscAbsReal(a->tilted.cumulants[n] - b->tilted.cumulants[n]);
    change = PetscMax(change, difference > 0 ? difference / size : 0.0);
  }
  return change;
}

/* Of a CospinWindowUser: windows fit the steady state; the orders above it reach a little farther. */
typedef struct {
  CospinPoint point;
  const CospinRecord *task;
  const CospinDetector *detector;
  PetscBool open;
  Counts counts, before; /* in smaller windows */
} Count;

/* A CospinWindowUser's: in a larger window the same cumulants must come out again. */
static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  Count *c = (Count *)context;

  PetscFunctionBeginUser;
  c->before = c->counts;
  PetscCall(count(c->point, c->task, c->detector, &c->counts, outcome));
  *leak = c->open ? PETSC_INFINITY : 0.0;
  if (c->before.found && c->counts.found) *leak = largest_difference(&c->before, &c->counts);
  PetscFunctionReturn(0);
}

static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  const Count *c = (const Count *)context;

  PetscFunctionBeginUser;
  (void)factor; /* a change tells only between windows that differ much */
  PetscCall(CospinWindowGrow(c->point, CospinSectorRepresentative(c->point->steady.eigensolver->sector),
                             COSPIN_WINDOW_GROWTH, grown));
  PetscFunctionReturn(0);
}

/* All cumulants of dark counts, which are independent of the others, are their rate. */
static PetscErrorCode store(const Counts *counts, double dark, double leak, CospinResults results)
{
  const CospinTilted *tilted = &counts->tilted;

  PetscFunctionBeginUser;
  for (int n = 0; n < COSPIN_NUM_CUMULANTS; n++)
    PetscCall(CospinResultsSet(results, names[n], 0, tilted->cumulants[n] + dark));
  PetscCall(
      CospinResultsSet(results, "fano", 0, (tilted->cumulants[1] + dark) / (tilted->cumulants[0] + dark)));
  PetscCall(CospinResultsSet(results, "residual", 0, tilted->residual));
  PetscCall(CospinResultsSet(results, "leak", 0, leak));
  PetscCall(CospinResultsSet(results, "dimension", 0, (double)counts->dimension));
  PetscCall(CospinResultsSet(results, "iterations", 0, tilted->iterations));
  PetscFunctionReturn(0);
}

/* Beside what the error of the state counts as, a mean has no digits, nor have the cumulants that grow from
   it. (None at all is a number.) */
static PetscBool has_digits(const Count *c)
{
  const double mean = PetscAbsReal(c->counts.tilted.cumulants[0] + c->detector->dark);

  return (PetscBool)(mean == 0.0 || mean > c->counts.quality.error * c->point->steady.eigensolver->scale);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  const CospinWindowUser user = {largest_change, solve, grow};
  int windows[COSPIN_MAX_COORDINATES];
  Count c = {.point = point, .task = task};
  double tolerance, leak;
  CospinDetector detector;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskTolerance(point->problem, task, NULL, &tolerance, &ok));
  PetscCall(CospinTaskDetector(point->problem, task, NULL, &detector, &ok));
  CospinProblemWindows(point->problem, windows, &c.open);
  if (point->problem->system.window) c.open = PETSC_TRUE;
  c.detector = &detector;
  PetscCall(CospinWindowSettle(&user, &c, &leak, outcome));
  if (!c.counts.found) PetscFunctionReturn(0);
  PetscCall(store(&c.counts, detector.dark, leak, results));
  if (!(c.counts.tilted.residual <= tolerance) || !has_digits(&c))
    *outcome = CospinOutcomeWorse(*outcome, COSPIN_INACCURATE);
  *outcome = CospinOutcomeWorse(*outcome, CospinStateJudge(&c.counts.quality, tolerance));
  PetscFunctionReturn(0);
}

static const CospinOutcomeHint hints[] = {
    {COSPIN_DEGENERATE, "there are several steady states, and jumps are counted in one: a jump or a decay "
                        "that connects them makes it one"},
    {COSPIN_INACCURATE,
     "the cumulants do not solve their equations to `tolerance:` (see <task>_residual), or so little is "
     "counted that rounding of the steady state is more"},
    {.text = NULL},
};

const CospinTaskKind CospinTaskCounting = {
    .record = {"counting", "statistics of counted jumps in the steady state", keys},
    .hints = hints,
    .variables = variables,
    .rules = rules,
    .stays_near = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskSectors,
    .Run = Run,
};
