/*
   What the tasks of one grid point share in reading their keys: numbers, operators, axes, sectors, with
   the faults that all of them word alike; which sectors are to be solved; and what is said of an
   eigenvalue lambda: its rate -Re lambda, its frequency -Im lambda, and when either counts as zero.

   Faults are told when the deck is checked, at every grid point; when a task runs, the same functions are
   called again with `faults` NULL, for a task keeps nothing between checking and running.
*/
#include <cospin/point/settings.h>
#include <string.h>

/* A task that starts from a steady state needs a better one than a task that only shows it. */
static const double largest_steady_residual = 1e-10;

PetscErrorCode CospinTaskNumber(CospinProblem problem, const CospinRecord *task, const char key[],
                                CospinFaults faults, double *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemSetting(problem, CospinRecordGet(task, key), faults, value, ok));
  PetscFunctionReturn(0);
}

/* For defaults that follow from the problem (a time from its rates) and cannot stand in the table of keys. */
PetscErrorCode CospinTaskNumberOr(CospinProblem problem, const CospinRecord *task, const char key[],
                                  double otherwise, CospinFaults faults, double *value, PetscBool *ok)
{
  PetscBool this_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *value = otherwise;
  if (CospinRecordGet(task, key)->expression)
    PetscCall(CospinTaskNumber(problem, task, key, faults, value, &this_ok));
  if (this_ok) PetscFunctionReturn(0);
  *value = otherwise;
  *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* `faults` may be NULL: Check has told the faults before, and Run reads the same settings again. The path
   is put together from the task's place in the list, as the deck's reader does. */
PetscErrorCode CospinTaskFail(CospinProblem problem, const CospinRecord *task, const char key[],
                              CospinFaults faults, PetscBool *ok, const char sentence[])
{
  char path[160];

  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.%s", (int)(task - problem->deck->tasks),
                          task->kind->name, key));
  if (faults) PetscCall(CospinFaultsAdd(faults, CospinRecordGet(task, key)->position, path, "%s", sentence));
  PetscFunctionReturn(0);
}

/* Ranges are in the key's row. */
PetscErrorCode CospinTaskTolerance(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   double *tolerance, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumber(problem, task, "tolerance", faults, tolerance, ok));
  PetscFunctionReturn(0);
}

/* Ascending and from `least` on; equal values are a fault, for they are coordinates of the dataset. */
PetscErrorCode CospinTaskCheckAxis(CospinProblem problem, const CospinRecord *task, const char key[],
                                   const char what[], double least, CospinFaults faults, PetscBool *ok)
{
  const CospinAxis *axis = &CospinRecordGet(task, key)->axis;
  char path[160];

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscSNPrintf(path, sizeof(path), "tasks[%d].%s.%s", (int)(task - problem->deck->tasks),
                          task->kind->name, key));
  for (int k = 0; k < axis->size && *ok; k++) {
    if (k ? axis->values[k] > axis->values[k - 1] : axis->values[k] >= least) continue;
    *ok = PETSC_FALSE;
    if (k)
      PetscCall(CospinFaultsAdd(faults, axis->position, path, "%s must ascend, and %.6g follows %.6g", key,
                                axis->values[k], axis->values[k - 1]));
    else
      PetscCall(CospinFaultsAdd(faults, axis->position, path, "a %s is %.6g (%s start at %.6g)", what,
                                axis->values[k], key, least));
  }
  PetscFunctionReturn(0);
}

const char *const CospinTaskMethods[] = {"auto", "krylov", "rational", NULL};

/* The word is one of the table: the reader has checked it. */
CospinPropagatorMethod CospinTaskMethod(const CospinRecord *task)
{
  const char *method = CospinRecordGet(task, "method")->text;
  int k = 0;

  while (strcmp(CospinTaskMethods[k], method) != 0) k++;
  return (CospinPropagatorMethod)k;
}

/* With sums over spins written out: exact tasks go by monomials. */
static PetscErrorCode written_out(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                  CospinPolynomial *a, PetscBool *ok)
{
  CospinPolynomial short_form;

  PetscFunctionBeginUser;
  *a = NULL;
  PetscCall(CospinProblemOperator(problem, expression, faults, &short_form, ok));
  if (*ok) PetscCall(CospinSystemExpand(&problem->system, short_form, a));
  PetscCall(CospinPolynomialDestroy(&short_form));
  PetscFunctionReturn(0);
}

/* An operator that is zero reads nothing: what is asked for is then probably not what was meant. */
PetscErrorCode CospinTaskOperator(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinPolynomial *a, PetscBool *ok)
{
  const CospinExpression of = CospinRecordGet(task, "of")->expression;

  PetscFunctionBeginUser;
  PetscCall(written_out(problem, of, faults, a, ok));
  if (!*ok || (*a)->count) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(of), CospinExpressionPath(of),
                            "this operator is zero (must be an operator, such as dag(cavity.a))"));
  PetscFunctionReturn(0);
}

/* To the bit, as both come from the same monomials: B left out is the adjoint, and A^+ written out is found
 * to be it. */
static PetscErrorCode is_adjoint(CospinProblem problem, CospinPolynomial a, CospinPolynomial b,
                                 PetscBool *answer)
{
  CospinPolynomial adjoint;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, &problem->system, &adjoint));
  PetscCall(CospinPolynomialAxpy(adjoint, -1.0, b));
  *answer = (PetscBool)(adjoint->count == 0);
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscFunctionReturn(0);
}

/* `adjoint`: B = A^+, where spectra are real and one half of the work is saved. */
PetscErrorCode CospinTaskPair(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                              CospinPolynomial *a, CospinPolynomial *b, PetscBool *adjoint, PetscBool *ok)
{
  const CospinExpression with = CospinRecordGet(task, "with")->expression;
  PetscBool b_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *b = NULL;
  *adjoint = PETSC_FALSE;
  PetscCall(CospinTaskOperator(problem, task, faults, a, ok));
  if (with) PetscCall(written_out(problem, with, faults, b, &b_ok));
  if (*ok && !with)
    PetscCall(CospinPolynomialAdjoint(*a, CospinSystemElementaryAdjoint, &problem->system, b));
  if (!b_ok) *ok = PETSC_FALSE;
  if (*ok) PetscCall(is_adjoint(problem, *a, *b, adjoint));
  PetscFunctionReturn(0);
}

/* PETSc options of a task begin with its name: -decay_eps_max_it. */
PetscErrorCode CospinTaskPrefix(const CospinRecord *task, char prefix[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(prefix, size, "%s_", task->name));
  PetscFunctionReturn(0);
}

/* A monomial without operators. */
PetscErrorCode CospinTaskIdentity(CospinPolynomial *one)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(one));
  PetscCall(CospinPolynomialAddMonomial(*one, 1.0, 0, NULL));
  PetscFunctionReturn(0);
}

/* rho -> A rho, whose trace is <A>. */
PetscErrorCode CospinTaskLeftProduct(CospinProblem problem, CospinPolynomial a, CospinMoves *moves)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, moves));
  PetscCall(CospinMovesAddLeftProduct(*moves, a));
  PetscCall(CospinMovesFinish(*moves));
  PetscFunctionReturn(0);
}

/* Rates within the resolution are zero, not the rounding error that the solver returned. rho ~ exp(lambda
   t): rates are positive where it decays. */
double CospinTaskRate(double complex lambda, double resolution)
{
  return PetscAbsReal(creal(lambda)) <= resolution ? 0.0 : -creal(lambda);
}

/* Positive where <A> ~ exp(-i omega t). */
double CospinTaskFrequency(double complex lambda, double resolution)
{
  return PetscAbsReal(cimag(lambda)) <= resolution ? 0.0 : -cimag(lambda);
}

/* The error bound of an eigenvalue is worst case; half of the eigenvalue is where its digits may all be
 * wrong. */
PetscBool CospinTaskUncertain(double complex lambda, double error, double resolution)
{
  static const double largest_share = 0.5;

  return (PetscBool)(cabs(lambda) > resolution && error > largest_share * cabs(lambda));
}

/* Sectors with a trace: those that the identity reads. */
PetscErrorCode CospinTaskSteadySectors(CospinProblem problem, int *num, int **representatives)
{
  CospinPolynomial one;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskIdentity(&one));
  PetscCall(CospinProblemSectors(problem, one, num, representatives));
  PetscCall(CospinPolynomialDestroy(&one));
  PetscFunctionReturn(0);
}

/* Whether a label is in a list of representatives; both must be reduced. */
PetscErrorCode CospinTaskHasLabel(int n, const int label[], int num, const int labels[], PetscBool *found)
{
  PetscBool same;

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  for (int k = 0; k < num && !*found; k++) {
    PetscCall(PetscArraycmp(label, labels + k * n, n, &same));
    *found = same;
  }
  PetscFunctionReturn(0);
}

/* A state needs a trace, an eigenvalue does not: hence needs_trace. */
PetscErrorCode CospinTaskCheckSector(CospinProblem problem, const CospinRecord *task, PetscBool needs_trace,
                                     CospinFaults faults, PetscBool *ok)
{
  const CospinSetting *setting = CospinRecordGet(task, "sector");
  PetscBool has_trace = PETSC_TRUE;
  int num, *representative, *steady;
  char names[1200];

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!setting->numbers) PetscFunctionReturn(0);
  PetscCall(CospinProblemSectorNamed(problem, setting, faults, &representative, ok));
  if (*ok && needs_trace) {
    PetscCall(CospinTaskSteadySectors(problem, &num, &steady));
    PetscCall(CospinTaskHasLabel(problem->system.num_coordinates, representative, num, steady, &has_trace));
    PetscCall(PetscFree(steady));
  }
  if (!has_trace) {
    *ok = PETSC_FALSE;
    PetscCall(CospinProblemDescribeSteadySectors(problem, names, sizeof(names)));
    PetscCall(CospinFaultsAdd(faults, setting->position, CospinExpressionPath(setting->numbers[0].expression),
                              "this sector has no trace, so there is no state in it (must be one of %s)",
                              names));
  }
  PetscCall(PetscFree(representative));
  PetscFunctionReturn(0);
}

/* For tasks whose cost is told by Cost instead. */
PetscErrorCode CospinTaskNoSectors(CospinProblem problem, const CospinRecord *task, int *num,
                                   int **representatives)
{
  PetscFunctionBeginUser;
  (void)problem;
  (void)task;
  *num = 0;
  *representatives = NULL;
  PetscFunctionReturn(0);
}

/* The sector of the deck (`all`: every one) or, without it, all that have a trace. */
PetscErrorCode CospinTaskSectors(CospinProblem problem, const CospinRecord *task, int *num,
                                 int **representatives)
{
  const CospinSetting *setting = CospinRecordGet(task, "sector");
  PetscBool ok;

  PetscFunctionBeginUser;
  *num = 1;
  if (setting->text)
    PetscCall(CospinProblemAllSectors(problem, num, representatives));
  else if (setting->numbers)
    PetscCall(CospinProblemSectorNamed(problem, setting, NULL, representatives, &ok));
  else
    PetscCall(CospinTaskSteadySectors(problem, num, representatives));
  PetscFunctionReturn(0);
}

/* Factors of the steady state's sector are freed at once: the task is going to need the memory for its
   own. A bad steady state is handed on with its outcome: what a task makes of it is no better. */
PetscErrorCode CospinTaskSteadyState(CospinPoint point, const CospinRecord *task, const char prefix[],
                                     const CospinSteadyState **steady, CospinOutcome *outcome)
{
  int num, *sectors = NULL;

  PetscFunctionBeginUser;
  if (CospinRecordGet(task, "sector")->numbers)
    PetscCall(CospinTaskSectors(point->problem, task, &num, &sectors));
  PetscCall(CospinPointSteadyState(point, prefix, sectors, steady));
  PetscCall(PetscFree(sectors));
  *outcome = (*steady)->outcome;
  if ((*steady)->rho)
    *outcome = CospinOutcomeWorse(*outcome, CospinStateJudge(&(*steady)->quality, largest_steady_residual));
  if ((*steady)->eigensolver) PetscCall(CospinEigensolverRelease((*steady)->eigensolver));
  PetscFunctionReturn(0);
}

/* A task without a state of its own worth keeping saves an empty checkpoint, for the points before it. */
PetscErrorCode CospinTaskLeave(CospinPoint point, PetscBool *leave)
{
  const CospinInterrupt *interrupt = &point->interrupt;
  CospinPause pause = COSPIN_PAUSE_NO;
  CospinCheckpoint nothing;

  PetscFunctionBeginUser;
  if (interrupt->Ask) PetscCall(interrupt->Ask(interrupt->context, &pause));
  *leave = (PetscBool)(pause == COSPIN_PAUSE_LEAVE);
  if (!*leave) PetscFunctionReturn(0);
  PetscCall(CospinCheckpointCreate(point->comm, &nothing));
  PetscCall(interrupt->Save(interrupt->context, nothing));
  PetscCall(CospinCheckpointDestroy(&nothing));
  PetscFunctionReturn(0);
}

/* list += more; `more` is freed. A list that has become too long is cut and marked, so that nobody takes
   it for all there are. */
static PetscErrorCode append(int n, int *num, int **list, int num_more, int *more)
{
  const PetscBool whole = (PetscBool)(PetscMax(*num, num_more) <= COSPIN_MAX_SECTORS);

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(int) * (size_t)(*num + num_more + 1) * (size_t)n, list));
  PetscCall(PetscArraycpy(*list + *num * n, more, num_more * n));
  *num += num_more;
  PetscCall(CospinLabelsUnique(n, num, *list));
  if (!whole) PetscCall(CospinSectorsNotAll(n, num, list));
  PetscCall(PetscFree(more));
  PetscFunctionReturn(0);
}

/* Of an evolution: the parts of the state that nobody reads need not be evolved. Those with a trace are
   among them, whoever reads what: the trace is checked at every time. */
PetscErrorCode CospinTaskSectorsRead(CospinProblem problem, CospinObservables observables, CospinState target,
                                     CospinState whole, int *num, int **representatives)
{
  const int n = problem->system.num_coordinates;
  const CospinState states[] = {target, whole};
  int num_more, *more;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskSteadySectors(problem, num, representatives));
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    for (int e = 0; e < observable->num_expectations; e++) {
      PetscCall(CospinProblemSectorsRead(problem, observable->expectations[e], &num_more, &more));
      PetscCall(append(n, num, representatives, num_more, more));
    }
  }
  for (int s = 0; s < 2; s++) {
    if (!states[s]) continue;
    PetscCall(CospinStateSectors(problem, states[s], &num_more, &more));
    PetscCall(append(n, num, representatives, num_more, more));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTaskStoreWork(CospinPoint point, const CospinWork *before, CospinResults results)
{
  CospinWork work;

  PetscFunctionBeginUser;
  PetscCall(CospinEigensolversWork(&point->eigensolvers, before, &work));
  PetscCall(CospinResultsSet(results, "factorisations", 0, work.factorisations));
  PetscCall(CospinResultsSet(results, "solves", 0, work.solves));
  PetscCall(CospinResultsSet(results, "products", 0, work.products));
  PetscFunctionReturn(0);
}
