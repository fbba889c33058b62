/*
   Compiling an observable evaluates its expression twice: once to collect the operators inside <...>, and
   later, for each state, with their expectation values in place.
*/
#include <cospin/observable.h>

typedef struct {
  CospinObservables observables;
  CospinObservable *target;
  PetscBool *hermitian; /* [num_expectations] */
  CospinFaults faults;
  PetscBool ok;
} Collector;

static PetscBool acts_on_unnamed_spin(CospinPolynomial a)
{
  for (int k = 0; k < a->count; k++) {
    for (int l = 0; l < a->words[k].length; l++) {
      if (a->words[k].letters[l].spin == COSPIN_EACH_SPIN) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* An Expect that remembers A; the number it returns is a place holder. */
static PetscErrorCode collect(void *state, int which, CospinPolynomial a, double complex *value)
{
  Collector *collector = (Collector *)state;
  CospinProblem problem = collector->observables->problem;
  const CospinExpression expression = collector->target->definition->expression;
  CospinMoves *moves = &collector->target->expectations[which];

  PetscFunctionBeginUser;
  *value = 1.0;
  if (acts_on_unnamed_spin(a)) {
    collector->ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(collector->faults, CospinExpressionPosition(expression),
                              CospinExpressionPath(expression),
                              "an expectation value of one spin of an ensemble (write the sum over spins, "
                              "<ions.Sz> or <ions.Sp*ions.Sm>, and divide)"));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinProblemIsHermitian(problem, a, &collector->hermitian[which]));
  PetscCall(CospinMovesDestroy(moves));
  PetscCall(CospinPolynomialDestroy(&collector->target->operators[which]));
  PetscCall(CospinPolynomialDuplicate(a, &collector->target->operators[which]));
  PetscCall(CospinMovesCreate(&problem->system, moves));
  if (!problem->deck->approximate) PetscCall(CospinMovesAddLeft(*moves, a));
  PetscCall(CospinMovesFinish(*moves));
  PetscFunctionReturn(0);
}

/* The first evaluation's place holders may divide by zero, so its own faults of value do not count: they are
   told from faults of type by evaluating once more with another place holder. */
static PetscErrorCode compile(CospinObservables observables, CospinFaults faults, CospinObservable *target,
                              PetscBool *ok)
{
  const CospinExpression expression = target->definition->expression;
  CospinEnvironment environment = observables->problem->environment;
  Collector collector = {observables, target, NULL, faults, PETSC_TRUE};
  CospinValue value = {0};

  PetscFunctionBeginUser;
  target->num_expectations = CospinExpressionCountExpectations(expression);
  PetscCall(PetscCalloc1(target->num_expectations, &target->expectations));
  PetscCall(PetscCalloc1(target->num_expectations, &target->operators));
  PetscCall(PetscCalloc1(target->num_expectations, &collector.hermitian));
  environment.Expect = collect;
  environment.state = &collector;
  PetscCall(CospinExpressionEvaluate(expression, &environment, faults, &value, ok));
  if (*ok && value.is_operator) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
        "an operator where a number is needed (write <...> around it for its expectation value)"));
  }
  if (*ok) {
    PetscCall(CospinExpressionIsReal(expression, &environment, collector.hermitian, &target->real));
  }
  *ok = (PetscBool)(*ok && collector.ok);
  PetscCall(CospinValueReset(&value));
  PetscCall(PetscFree(collector.hermitian));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinObservablesCreate(CospinProblem problem, CospinFaults faults,
                                       CospinObservables *observables, PetscBool *ok)
{
  CospinObservables new;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscNew(&new));
  new->problem = problem;
  new->count = problem->deck->num_observables;
  PetscCall(PetscCalloc1(new->count, &new->observables));
  for (int k = 0; k < new->count; k++) {
    PetscBool this_ok;
    new->observables[k].definition = &problem->deck->observables[k];
    PetscCall(compile(new, faults, &new->observables[k], &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  *observables = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinObservablesDestroy(CospinObservables *observables)
{
  PetscFunctionBeginUser;
  if (!*observables) PetscFunctionReturn(0);
  for (int k = 0; k < (*observables)->count; k++) {
    CospinObservable *observable = &(*observables)->observables[k];
    for (int e = 0; e < observable->num_expectations; e++) {
      PetscCall(CospinMovesDestroy(&observable->expectations[e]));
      PetscCall(CospinPolynomialDestroy(&observable->operators[e]));
    }
    PetscCall(PetscFree(observable->expectations));
    PetscCall(PetscFree(observable->operators));
  }
  PetscCall(PetscFree((*observables)->observables));
  PetscCall(PetscFree(*observables));
  PetscFunctionReturn(0);
}

static PetscErrorCode look_up(void *state, int which, CospinPolynomial a, double complex *value)
{
  PetscFunctionBeginUser;
  (void)a;
  *value = ((const double complex *)state)[which];
  PetscFunctionReturn(0);
}

PetscErrorCode CospinObservableEvaluate(CospinObservables observables, int k,
                                        const double complex expectations[], double complex *result)
{
  CospinEnvironment environment = observables->problem->environment;
  CospinValue value = {0};
  PetscBool ok;

  PetscFunctionBeginUser;
  environment.Expect = look_up;
  environment.state = (void *)(uintptr_t)expectations;
  PetscCall(CospinExpressionEvaluate(observables->observables[k].definition->expression, &environment, NULL,
                                     &value, &ok));
  *result = ok ? value.number : (double complex)NAN;
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

double complex CospinExpectationWeight(CospinMoves left, const int label[])
{
  const CospinSystem *system = left->system;
  double complex weight = 0.0;

  for (int k = 0; k < left->count; k++) {
    int target[COSPIN_MAX_COORDINATES];
    double trace;
    for (int i = 0; i < system->num_coordinates; i++) target[i] = label[i] + left->moves[k].shift[i];
    trace = CospinSystemTrace(system, target);
    if (trace != 0.0) weight += trace * CospinMoveAmplitude(left, &left->moves[k], label);
  }
  return weight;
}
