/*
   What may be wrong with the keys of trajectories: all of it is told at once, with what would be right.

   What depends on time goes with most of them but not all: a shift is renewed at jumps and would have to
   follow its rate in between; a matrix of rates would need another square root at every jump.
*/
#include "run.h"
#include "tasks/detector.h"
#include <cospin/problem/clock.h>
#include <string.h>

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

/* Faults of what is read of clicks: no jump is named, delays that do not ascend, or that are longer than what
   is watched. */
static PetscErrorCode check_records(CospinProblem problem, const CospinRecord *task,
                                    const CospinTrajectoriesPlan *plan, CospinFaults faults, PetscBool *ok)
{
  static const char *const keys_of_clicks[] = {"records", "counts", "delays"};
  const CospinRecordsSettings *r = &plan->records;
  const PetscBool given[] = {(PetscBool)(r->room > 0), (PetscBool)(r->num_counts > 0),
                             (PetscBool)(r->num_delays > 0)};
  PetscBool delays_ok;

  PetscFunctionBeginUser;
  for (int k = 0; k < 3 && !plan->unravelling.click; k++)
    if (given[k])
      PetscCall(CospinTaskFail(problem, task, keys_of_clicks[k], faults, ok,
                               "is of clicks, and `jump` names none (a `name` of jumps, or `all`)"));
  if (plan->unravelling.click && strcmp(plan->unravelling.click, COSPIN_EVERY_JUMP) != 0)
    PetscCall(CospinTaskCheckJump(problem, task, faults, ok));
  if (!r->num_delays) PetscFunctionReturn(0);
  PetscCall(CospinTaskCheckAxis(problem, task, "delays", "delay", 0.0, faults, &delays_ok));
  if (!delays_ok) *ok = PETSC_FALSE;
  if (delays_ok && !plan->steady && !(r->delays[r->num_delays - 1] < r->until - r->from))
    PetscCall(
        CospinTaskFail(problem, task, "delays", faults, ok,
                       "must be shorter than from the first to the last of `times`, between which clicks "
                       "are watched"));
  PetscFunctionReturn(0);
}

/* Windows grow for each ket by itself, and one state has one window. */
static PetscErrorCode check_store(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  PetscBool *ok)
{
  const CospinSystem *system = &problem->system;

  PetscFunctionBeginUser;
  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (!component->kind->Window || component->kind->Window(component) == 0) continue;
    PetscCall(CospinTaskFail(problem, task, "store", faults, ok,
                             "needs modes with a `cutoff` here (windows of kets grow one by one)"));
    break;
  }
  PetscFunctionReturn(0);
}

/* Faults of what depends on time: that steady states do not, nor shifts that are renewed at jumps. */
static PetscErrorCode check_clock(CospinProblem problem, const CospinRecord *task,
                                  const CospinTrajectoriesPlan *plan, CospinFaults faults, PetscBool *ok)
{
  const CospinDeck deck = problem->deck;
  PetscBool clock_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (plan->steady)
    PetscCall(CospinTaskFail(problem, task, "times", faults, ok,
                             "must be given where `t` is the time: there is no steady state"));
  if (plan->unravelling.shifted)
    PetscCall(
        CospinTaskFail(problem, task, "unravelling", faults, ok, "must be `jumps` where `t` is the time"));
  for (int k = 0; k < deck->num_jumps; k++) {
    const CospinExpression rates = deck->jumps[k].rate;
    if (!problem->jumps[k].pairs || !rates || !CospinExpressionHasTime(rates, NULL)) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(rates), CospinExpressionPath(rates),
                              "trajectories do not know matrices of rates that depend on time, or rest in a "
                              "stage (`evolve` does)"));
  }
  if (!plan->steady && *ok)
    PetscCall(CospinClockCheck(problem, plan->unravelling.times[plan->unravelling.num_times - 1], faults,
                               &clock_ok));
  if (!clock_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Faults of how far trajectories go. */
static PetscErrorCode check_times(CospinProblem problem, const CospinRecord *task,
                                  const CospinTrajectoriesPlan *plan, CospinFaults faults, PetscBool *ok)
{
  PetscBool times_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (!plan->steady) PetscCall(CospinTaskCheckAxis(problem, task, "times", "time", 0.0, faults, &times_ok));
  if (!times_ok) *ok = PETSC_FALSE;
  if (CospinProblemHasTime(problem)) PetscCall(check_clock(problem, task, plan, faults, ok));
  if (plan->span > 0 && !plan->steady)
    PetscCall(CospinTaskFail(problem, task, "span", faults, ok,
                             "is the length of trajectories without `times`, and there are `times` (one of "
                             "them)"));
  if (plan->steady && problem->deck->num_jumps == 0)
    PetscCall(CospinTaskFail(problem, task, "times", faults, ok,
                             "must be given where nothing jumps: there is no steady state"));
  PetscFunctionReturn(0);
}

/* A state that is wrong is told of once, also where `fidelity: initial` means it again. */
PetscErrorCode CospinTrajectoriesCheck(CospinProblem problem, const CospinRecord *task,
                                       const CospinTrajectoriesPlan *plan, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(check_times(problem, task, plan, faults, ok));
  PetscCall(check_state(problem, task, "initial", plan->unravelling.initial, faults, ok));
  if (plan->unravelling.target && *ok) /* of `initial` faults have been told by now */
    PetscCall(check_state(problem, task, "fidelity", plan->unravelling.target, faults, ok));
  PetscCall(check_records(problem, task, plan, faults, ok));
  if (plan->store) PetscCall(check_store(problem, task, faults, ok));
  PetscFunctionReturn(0);
}
