/*
   Compiling an observable evaluates its expression twice: once to collect the operators inside <...> and the
   functionals, and later, for each state, with their values in place. The operators of functionals that need
   no more than expectation values are read behind those of the expression itself.

   An observable is an expression of parameters, expectation values and functionals. Its operators are
   collected once, so that a task reads all expectation values of all observables in one pass over the
   state and evaluates the expressions from these numbers.

   A sum over spins or groups is its terms one after the other, each of them the expression with l and m
   standing for other ones: N terms of an expression with E expectation values read N*E of them. The terms
   need not be linear in the state, which is why they are kept apart and not added up as operators; who wants
   one operator writes <sum(l, N, ...)>.

   An `each:` is an observable for every l and m, compiled and read like any other; they share a variable, in
   which each has its place (CospinResultsSetObservable).

   Order of the numbers: expectation values of the expression from left to right, then those of its
   functionals in theirs. Whoever reads a state fills one row of numbers for all observables; evaluating is
   then arithmetic, the same on every rank.
*/
#include <cospin/observable/observable.h>

/* What the first evaluation of an expression collects. */
typedef struct {
  CospinObservables observables;
  CospinObservable *target;
  PetscBool *hermitian; /* [num_expectations] */
  int first;            /* expectation of the term that is looked at */
  CospinFaults faults;
  PetscBool ok;
} Collector;

/* An Expect that remembers A; the number it returns is a place holder. 1 as a place holder, since 0 would
   be a division by zero in most observables. The evaluation may come by twice; then the operator takes the
   place of its first one. */
static PetscErrorCode collect(void *state, int of_term, CospinPolynomial a, double complex *value)
{
  Collector *collector = (Collector *)state;
  const int which = collector->first + of_term;
  CospinProblem problem = collector->observables->problem;
  const CospinExpression expression = collector->target->definition->expression;
  CospinMoves *moves = &collector->target->expectations[which];

  PetscFunctionBeginUser;
  *value = 1.0;
  if (CospinPolynomialNamesSpin(a, COSPIN_EACH_SPIN)) {
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
  if (!problem->deck->approximate) PetscCall(CospinMovesAddLeftProduct(*moves, a));
  PetscCall(CospinMovesFinish(*moves));
  PetscFunctionReturn(0);
}

/* A Functional that remembers it. */
static PetscErrorCode collect_functional(void *state, int which, const char function[],
                                         const CospinArgument arguments[], double *value, char why[],
                                         size_t why_size)
{
  Collector *collector = (Collector *)state;
  CospinFunctional *functional = &collector->target->functionals[which];

  PetscFunctionBeginUser;
  *value = 1.0;
  PetscCall(CospinFunctionalDestroy(functional));
  PetscCall(CospinFunctionalCreate(collector->observables->problem, function, arguments, functional, why,
                                   why_size));
  PetscFunctionReturn(0);
}

/* Reads what functionals are made of, behind all else. Copied with coefficient 1: the functional keeps its
   own. */
static PetscErrorCode append_moments(CospinObservable *target)
{
  int count = target->num_expectations;

  PetscFunctionBeginUser;
  for (int f = 0; f < target->num_functionals; f++) {
    const CospinFunctional functional = target->functionals[f];
    if (functional->kind->needs != COSPIN_NEEDS_MOMENTS) continue;
    count += functional->num_operators;
    PetscCall(PetscRealloc((size_t)count * sizeof(CospinMoves), &target->expectations));
    PetscCall(PetscRealloc((size_t)count * sizeof(CospinPolynomial), &target->operators));
    for (int k = 0; k < functional->num_operators; k++, target->num_expectations++) {
      CospinMoves *moves = &target->expectations[target->num_expectations];
      PetscCall(
          CospinPolynomialDuplicate(functional->operators[k], &target->operators[target->num_expectations]));
      PetscCall(CospinMovesCreate(functional->moves[k]->system, moves));
      PetscCall(CospinMovesAxpy(*moves, 1.0, functional->moves[k], NULL));
      PetscCall(CospinMovesFinish(*moves));
    }
  }
  PetscFunctionReturn(0);
}

/* The spins or groups of a term of a sum; afterwards -1. l is the slower one, so that a matrix is gone
   through row after row. An index that the expression does not name stands for nothing, and naming it is a
   fault. */
static void set_term(CospinProblem problem, const CospinObservable *observable, int term)
{
  int which[2];
  const int along = PetscMax(observable->size[1], 1);

  if (observable->definition->each) {
    for (int i = 0; i < 2; i++) which[i] = term < 0 || !observable->size[i] ? -1 : observable->at[i];
    CospinProblemSetIndex(problem, which[0], which[1]);
    return;
  }
  CospinProblemSetIndex(problem, term < 0 || !observable->size[0] ? -1 : term / along,
                        term < 0 || !observable->size[1] ? -1 : term % along);
}

/* One term. The first evaluation's place holders may divide by zero, so its own faults of value do not count:
   they are told from faults of type by evaluating once more with another place holder. Whether it is real is
   decided from its form (deck/expression/real.c), with what is known of each operator: hermitian or not. */
static PetscErrorCode compile_term(Collector *collector, const CospinEnvironment *environment,
                                   PetscBool *real, PetscBool *ok)
{
  const CospinExpression expression = collector->target->definition->expression;
  CospinValue value = {0};

  PetscFunctionBeginUser;
  PetscCall(CospinExpressionEvaluate(expression, environment, collector->faults, &value, ok));
  if (*ok && value.is_operator) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        collector->faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
        "an operator where a number is needed (write <...> around it for its expectation value)"));
  }
  if (*ok)
    PetscCall(CospinExpressionIsReal(expression, environment, collector->hermitian + collector->first, real));
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* What a sum runs over. A functional is a number of the whole state, and no term of a sum over spins. */
static PetscErrorCode find_terms(CospinProblem problem, CospinFaults faults, CospinObservable *target,
                                 PetscBool *ok)
{
  const CospinExpression expression = target->definition->expression;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  target->num_terms = 1;
  if (target->definition->sum)
    PetscCall(CospinProblemSumRange(problem, expression, faults, target->size, ok));
  else if (!target->definition->each)
    PetscFunctionReturn(0);
  if (*ok && target->definition->sum)
    target->num_terms = PetscMax(target->size[0], 1) * PetscMax(target->size[1], 1);
  if (!CospinExpressionCountFunctionals(expression)) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                            "`%s(...)` cannot stand in %s (it is a number of the whole state)",
                            CospinExpressionFunctional(expression, 0),
                            target->definition->sum ? "a sum over spins" : "a list over spins"));
  PetscFunctionReturn(0);
}

/* Every <...> is collected with its operator, and stands for a number of no meaning while the types are
   checked. */
static PetscErrorCode compile(CospinObservables observables, CospinFaults faults, CospinObservable *target,
                              PetscBool *ok)
{
  const CospinExpression expression = target->definition->expression;
  const int count = CospinExpressionCountExpectations(expression);
  CospinEnvironment environment = observables->problem->environment;
  Collector collector = {observables, target, NULL, 0, faults, PETSC_TRUE};

  PetscFunctionBeginUser;
  PetscCall(find_terms(observables->problem, faults, target, ok));
  if (!*ok) PetscFunctionReturn(0);
  target->num_expectations = count * target->num_terms;
  PetscCall(PetscCalloc1(target->num_expectations, &target->expectations));
  PetscCall(PetscCalloc1(target->num_expectations, &target->operators));
  PetscCall(PetscCalloc1(target->num_expectations, &collector.hermitian));
  target->num_functionals = CospinExpressionCountFunctionals(expression);
  PetscCall(PetscCalloc1(target->num_functionals, &target->functionals));
  environment.Expect = collect;
  environment.Functional = collect_functional;
  environment.state = &collector;
  target->real = PETSC_TRUE;
  for (int term = 0; term < target->num_terms && *ok; term++) {
    PetscBool real = PETSC_TRUE;
    collector.first = count * term;
    set_term(observables->problem, target, term);
    PetscCall(compile_term(&collector, &environment, &real, ok));
    if (!real) target->real = PETSC_FALSE;
  }
  set_term(observables->problem, target, -1);
  *ok = (PetscBool)(*ok && collector.ok);
  if (*ok) PetscCall(append_moments(target));
  PetscCall(PetscFree(collector.hermitian));
  PetscFunctionReturn(0);
}

/* All observables of one definition; they are stored as one variable, which is real if all of them are. The
   first with a fault ends it, for the others would have the same. */
static PetscErrorCode compile_places(CospinObservables observables, CospinFaults faults,
                                     const CospinDefinition *definition, PetscBool *ok)
{
  const int first = observables->count;
  PetscBool real = PETSC_TRUE;
  int size[2] = {0, 0}, num;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (definition->each)
    PetscCall(CospinProblemSumRange(observables->problem, definition->expression, faults, size, ok));
  num = PetscMax(size[0], 1) * PetscMax(size[1], 1);
  PetscCall(PetscRealloc((size_t)(first + num) * sizeof(CospinObservable), &observables->observables));
  PetscCall(PetscArrayzero(observables->observables + first, num));
  for (int place = 0; place < num && *ok; place++) {
    CospinObservable *observable = &observables->observables[observables->count++];
    observable->definition = definition;
    for (int i = 0; i < 2; i++) observable->size[i] = size[i];
    observable->at[0] = place / PetscMax(size[1], 1);
    observable->at[1] = place % PetscMax(size[1], 1);
    PetscCall(compile(observables, faults, observable, ok));
    if (!observable->real) real = PETSC_FALSE;
  }
  for (int k = first; k < observables->count; k++) observables->observables[k].real = real;
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
  for (int k = 0; k < problem->deck->num_observables; k++) {
    PetscBool this_ok;
    PetscCall(compile_places(new, faults, &problem->deck->observables[k], &this_ok));
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
    for (int f = 0; f < observable->num_functionals; f++)
      PetscCall(CospinFunctionalDestroy(&observable->functionals[f]));
    PetscCall(PetscFree(observable->functionals));
    PetscCall(PetscFree(observable->expectations));
    PetscCall(PetscFree(observable->operators));
  }
  PetscCall(PetscFree((*observables)->observables));
  PetscCall(PetscFree(*observables));
  PetscFunctionReturn(0);
}

/* What the second one finds in their place. */
typedef struct {
  const double complex *expectations;
  const double *functionals;
} Values;

/* Numbers that tasks have read stand in the order in which the expressions name them. */
static PetscErrorCode look_up(void *state, int which, CospinPolynomial a, double complex *value)
{
  PetscFunctionBeginUser;
  (void)a;
  *value = ((const Values *)state)->expectations[which];
  PetscFunctionReturn(0);
}

static PetscErrorCode look_up_functional(void *state, int which, const char function[],
                                         const CospinArgument arguments[], double *value, char why[],
                                         size_t why_size)
{
  PetscFunctionBeginUser;
  (void)function;
  (void)arguments;
  (void)why;
  (void)why_size;
  *value = ((const Values *)state)->functionals[which];
  PetscFunctionReturn(0);
}

/* Without a density those functionals that need one are NaN, and so is every observable that uses them. */
PetscErrorCode CospinObservableFunctionals(const CospinObservable *observable,
                                           const double complex expectations[], CospinDensity density,
                                           double functionals[])
{
  const double complex *moments =
      expectations + CospinExpressionCountExpectations(observable->definition->expression);

  PetscFunctionBeginUser;
  for (int f = 0; f < observable->num_functionals; f++) {
    const CospinFunctional functional = observable->functionals[f];
    functionals[f] = NAN;
    if (functional->kind->needs == COSPIN_NEEDS_MOMENTS || density)
      PetscCall(functional->kind->Evaluate(functional, moments, density, &functionals[f]));
    if (functional->kind->needs == COSPIN_NEEDS_MOMENTS) moments += functional->num_operators;
  }
  PetscFunctionReturn(0);
}

/* A division by zero in this state is NaN here and no fault of the deck. */
PetscErrorCode CospinObservableEvaluateWith(CospinObservables observables, int k,
                                            const double complex expectations[], const double functionals[],
                                            double complex *result)
{
  const CospinObservable *observable = &observables->observables[k];
  const CospinExpression expression = observable->definition->expression;
  Values values = {expectations, functionals};
  CospinEnvironment environment = observables->problem->environment;

  PetscFunctionBeginUser;
  environment.Expect = look_up;
  environment.Functional = look_up_functional;
  environment.state = &values;
  *result = 0.0;
  for (int term = 0; term < observable->num_terms; term++) {
    CospinValue value = {0};
    PetscBool ok;
    set_term(observables->problem, observable, term);
    PetscCall(CospinExpressionEvaluate(expression, &environment, NULL, &value, &ok));
    *result += ok ? value.number : (double complex)NAN;
    values.expectations += CospinExpressionCountExpectations(expression);
    PetscCall(CospinValueReset(&value));
  }
  set_term(observables->problem, observable, -1);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinObservableEvaluate(CospinObservables observables, int k,
                                        const double complex expectations[], double complex *result)
{
  const CospinObservable *observable = &observables->observables[k];
  double *functionals;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)observable->num_functionals + 1, &functionals));
  PetscCall(CospinObservableFunctionals(observable, expectations, NULL, functionals));
  PetscCall(CospinObservableEvaluateWith(observables, k, expectations, functionals, result));
  PetscCall(PetscFree(functionals));
  PetscFunctionReturn(0);
}

CospinNeeds CospinObservablesNeed(CospinDeck deck)
{
  CospinNeeds needs = COSPIN_NEEDS_MOMENTS;

  for (int k = 0; k < deck->num_observables; k++) {
    const CospinExpression expression = deck->observables[k].expression;
    for (int f = 0; f < CospinExpressionCountFunctionals(expression); f++)
      needs = PetscMax(needs, CospinFunctionalKindOf(CospinExpressionFunctional(expression, f))->needs);
  }
  return needs;
}

/* Tr(A rho) = sum over labels x of weight(x) rho_x, where weight(x) is what A makes of x that lies on the
   diagonal. The moves of rho -> A rho, applied at the label: what ends on the diagonal counts. */
double complex CospinExpectationWeight(CospinMoves a_rho, const int label[])
{
  const CospinSystem *system = a_rho->system;
  double complex weight = 0.0;

  for (int k = 0; k < a_rho->count; k++) {
    int target[COSPIN_MAX_COORDINATES];
    double trace;
    for (int i = 0; i < system->num_coordinates; i++) target[i] = label[i] + a_rho->moves[k].shift[i];
    trace = CospinSystemTrace(system, target);
    if (trace != 0.0) weight += trace * CospinMoveAmplitude(a_rho, &a_rho->moves[k], label);
  }
  return weight;
}
