/*
   Readouts in open windows, which grow until nothing that is read changes any more. They are the task's own:
   those of the point stay as they are. Where a run was left, the windows at that time are what tells which
   vector was saved.
*/
#include <cospin/point/readout.h>
#include <cospin/point/window.h>

/* Of a CospinWindowUser. */
typedef struct {
  const CospinRecord *task;
  const CospinReadoutKind *kind;
  PetscBool open;
  CospinReadout now;
} Growth;

/* ---- Saved and loaded ---------------------------------------------------------------------------------- */

/* Windows first: they tell which problem the vectors that follow belong to. */
static PetscErrorCode save_one(CospinReadout readout, CospinCheckpoint checkpoint)
{
  int again = readout->again;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowSave(readout->problem, checkpoint));
  PetscCall(CospinCheckpointInts(checkpoint, 1, &again));
  PetscCall(CospinReadoutExchange(readout, checkpoint));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutSave(void *context, CospinCheckpoint checkpoint)
{
  CospinReadout readout = (CospinReadout)context;
  int has_before = readout->before ? 1 : 0;

  PetscFunctionBeginUser;
  PetscCall(CospinCheckpointInts(checkpoint, 1, &has_before));
  if (has_before) PetscCall(save_one(readout->before, checkpoint));
  PetscCall(save_one(readout, checkpoint));
  PetscFunctionReturn(0);
}

/* The other direction of save_one. */
static PetscErrorCode load_one(CospinPoint point, const Growth *growth, CospinReadout *readout)
{
  CospinProblem problem;
  int again = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinWindowLoad(point, point->checkpoint, &problem));
  PetscCall(CospinCheckpointInts(point->checkpoint, 1, &again));
  PetscCall(CospinReadoutCreate(point, problem, growth->task, growth->kind, (PetscBool)again, readout));
  PetscCall(CospinReadoutExchange(*readout, point->checkpoint));
  PetscFunctionReturn(0);
}

/* From the beginning, or from where another run was left. */
static PetscErrorCode create_first(CospinPoint point, Growth *growth)
{
  CospinReadout before = NULL;
  int has_before = 0;

  PetscFunctionBeginUser;
  if (!point->checkpoint) {
    PetscCall(
        CospinReadoutCreate(point, point->problem, growth->task, growth->kind, PETSC_FALSE, &growth->now));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinCheckpointInts(point->checkpoint, 1, &has_before));
  if (has_before) PetscCall(load_one(point, growth, &before));
  PetscCall(load_one(point, growth, &growth->now));
  growth->now->before = before;
  PetscCall(CospinEvolutionLoad(&growth->now->evolution, point->checkpoint));
  PetscFunctionReturn(0);
}

/* ---- The loop ------------------------------------------------------------------------------------------ */

static CospinTaskReading reading_at(CospinReadout readout, int row)
{
  return (CospinTaskReading){readout->observables,
                             readout->readings + (size_t)row * (size_t)readout->num_readings,
                             &readout->problem->system, readout->states[row]};
}

/* Compared are readings, not states: a window is large enough when nothing that the user sees changes by more
   than ten tolerances. */
static PetscErrorCode largest_change(CospinReadout a, CospinReadout b, double *change)
{
  PetscFunctionBeginUser;
  *change = 0.0;
  for (int k = 0; k < a->num_rows * a->num_readings; k++) {
    const double size = PetscMax(1.0, cabs(b->readings[k]));
    *change = PetscMax(*change, cabs(a->readings[k] - b->readings[k]) / size);
  }
  for (int row = 0; row < a->num_rows; row++) {
    const CospinTaskReading before = reading_at(a, row), now = reading_at(b, row);
    if (a->states[row]) PetscCall(CospinTaskFunctionalsChange(a->point->comm, &before, &now, change));
  }
  PetscFunctionReturn(0);
}

/* Once more in the same windows, with the task's other settings. */
static PetscErrorCode start_again(Growth *growth)
{
  CospinReadout old = growth->now;
  CospinProblem problem = old->problem;

  PetscFunctionBeginUser;
  PetscCall(CospinReadoutCreate(old->point, problem, growth->task, growth->kind, PETSC_TRUE, &growth->now));
  growth->now->before = old->before;
  old->problem = old->point->problem; /* that is the new one's */
  PetscCall(CospinReadoutDestroy(&old));
  PetscFunctionReturn(0);
}

/* A CospinWindowUser's. After Finish an evolution may be done again with other settings in the same
   window. */
static PetscErrorCode solve(void *context, double *leak, CospinOutcome *outcome)
{
  Growth *growth = (Growth *)context;
  PetscBool again = PETSC_TRUE;

  PetscFunctionBeginUser;
  while (again) {
    again = PETSC_FALSE;
    PetscCall(CospinEvolutionRun(&growth->now->evolution));
    *outcome = growth->now->evolution.outcome;
    if (growth->kind->Finish && *outcome == COSPIN_GOOD) PetscCall(growth->kind->Finish(growth->now, &again));
    if (again) PetscCall(start_again(growth));
  }
  *leak = growth->open ? PETSC_INFINITY : 0.0;
  if (growth->now->before && *outcome == COSPIN_GOOD)
    PetscCall(largest_change(growth->now->before, growth->now, leak));
  PetscFunctionReturn(0);
}

/* The readout in the smaller window is kept until the larger one has been compared with it. */
static PetscErrorCode grow(void *context, double factor, PetscBool *grown)
{
  Growth *growth = (Growth *)context;
  CospinReadout small = growth->now;
  CospinProblem larger;

  PetscFunctionBeginUser;
  (void)factor; /* a change tells only between windows that differ much */
  PetscCall(CospinWindowLarger(small->problem, small->evolution.dimension, &larger));
  *grown = (PetscBool)(larger != NULL);
  if (!larger) PetscFunctionReturn(0);
  PetscCall(CospinReadoutDestroy(&small->before));
  PetscCall(CospinReadoutCreate(small->point, larger, growth->task, growth->kind, PETSC_FALSE, &growth->now));
  growth->now->before = small;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinReadoutRun(CospinPoint point, const CospinRecord *task, const CospinReadoutKind *kind,
                                CospinResults results, CospinOutcome *outcome)
{
  Growth growth = {.task = task, .kind = kind};
  CospinWindowUser user = {.Solve = solve, .Grow = grow};
  int windows[COSPIN_MAX_COORDINATES];
  double leak;

  PetscFunctionBeginUser;
  CospinProblemWindows(point->problem, windows, &growth.open);
  PetscCall(create_first(point, &growth));
  user.tolerance = 10 * growth.now->settings.tolerance;
  PetscCall(CospinWindowSettle(&user, &growth, &leak, outcome));
  PetscCall(CospinReadoutDestroy(&growth.now->before));
  if (*outcome != COSPIN_NOT_RUN) PetscCall(kind->Store(growth.now, leak, results, outcome));
  PetscCall(CospinReadoutDestroy(&growth.now));
  PetscFunctionReturn(0);
}
