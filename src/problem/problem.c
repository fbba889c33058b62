/*
   From a deck to a problem at one grid point. Parameters get their values, components are made from their
   records, arrays are filled, and Hamiltonian and jumps are turned into moves: after that nothing knows
   which model it was.

   The order matters. Components come before arrays (an array has one entry per spin) and both before
   expressions of operators; a counter of clicks, if there is one, is the last component, so that all
   labels without it keep their places. What the moves shift labels by makes the lattice of the problem,
   from which sectors follow (symmetry.c).

   The same deck is made into several problems: with other windows, with a counter, with one parameter
   varied (for derivatives). All of them go through create_problem().
*/
#include "clock_impl.h"
#include <string.h>

static CospinElementary elementary_adjoint(const void *context, CospinElementary elementary)
{
  const CospinProblem problem = (CospinProblem)(uintptr_t)context;

  if (elementary.component == COSPIN_TIME) return CospinClockAdjoint(problem, elementary);
  return CospinSystemElementaryAdjoint(&problem->system, elementary);
}

/* The deck's record knows the kind by its name and keys only; here it gets its methods. By the address of
   the record, which is a part of the kind. */
static const CospinComponentKind *kind_of(const CospinRecord *record)
{
  int k = 0;

  while (&CospinComponentKinds[k]->record != record->kind) k++;
  return CospinComponentKinds[k];
}

/* An expansion needs labels that are numbers, and all of them. */
static PetscErrorCode check_expansion(CospinProblem problem, const CospinComponent component,
                                      const CospinRecord *record, CospinFaults faults, PetscBool *ok)
{
  const CospinComponentKind *kind = component->kind;
  const char *why = NULL;

  PetscFunctionBeginUser;
  if (problem->deck->operator_form != COSPIN_OPERATOR_EXPANSION) PetscFunctionReturn(0);
  if (!kind->Rational && kind->NumSpins)
    why = "has spins that can be told apart, and no expansion (`operator: expansion`)";
  if (!kind->Rational && !kind->NumSpins)
    why = "has operators that are no functions of a number, and no expansion (`operator: expansion`)";
  if (kind->Window && kind->Window(component) == 0)
    why = "has a cutoff, and an expansion has none (leave `cutoff` out)";
  *ok = (PetscBool)!why;
  if (why)
    PetscCall(CospinFaultsAdd(faults, record->position, "components", "%s: %s %s", record->name,
                              kind->record.name, why));
  PetscFunctionReturn(0);
}

/* `windows[c]` > 0: the number of levels of a component whose own is left open. Faults of all components
   are collected before the problem is given up. Each component's coordinates follow those of the one
   before. `uncounted`: its labels are never enumerated, so there may be more spins than an enumeration
   could bear. */
static PetscErrorCode create_components(CospinProblem problem, const int windows[], CospinFaults faults,
                                        PetscBool *ok)
{
  CospinSystem *system = &problem->system;
  double numbers[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)problem->deck->num_components + 1, &system->components)); /* and a counter */
  for (int c = 0; c < problem->deck->num_components; c++) {
    const CospinRecord *record = &problem->deck->components[c];
    CospinComponent component = &system->components[c];
    PetscBool this_ok;
    component->kind = kind_of(record);
    component->name = record->name;
    component->offset = system->num_coordinates;
    component->uncounted =
        (PetscBool)(problem->deck->approximate || problem->deck->operator_form == COSPIN_OPERATOR_EXPANSION);
    PetscCall(CospinProblemRecordNumbers(problem, record, faults, numbers, &this_ok));
    if (this_ok) PetscCall(CospinProblemKindOf(problem->deck, c, faults, &component->kind, &this_ok));
    component->operators = component->kind->operators;
    if (this_ok) PetscCall(CospinProblemCreateMatrices(problem, record, component, faults, &this_ok));
    if (this_ok)
      PetscCall(
          component->kind->Create(component, record, numbers, windows ? windows[c] : 0, faults, &this_ok));
    PetscCall(CospinProblemDestroyMatrices(component));
    if (this_ok) PetscCall(check_expansion(problem, component, record, faults, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
    system->num_components++;
    /* Approximate tasks enumerate no labels, so they may have any number of components: without labels. */
    if (problem->deck->approximate &&
        system->num_coordinates + component->num_coordinates > COSPIN_MAX_COORDINATES)
      component->num_coordinates = 0;
    system->num_coordinates += component->num_coordinates;
    if (system->num_coordinates > COSPIN_MAX_COORDINATES) {
      *ok = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(faults, record->position, "components",
                                "too many spins that are not symmetric: an element of Liouville space would "
                                "have more than %d labels",
                                COSPIN_MAX_COORDINATES));
      PetscFunctionReturn(0);
    }
  }
  PetscFunctionReturn(0);
}

/* A term of the list, or one that is summed over spins (`sum:`). As a polynomial, not as moves: whether H
   is hermitian is a question of operators. */
static PetscErrorCode hamiltonian_term(CospinProblem problem, int k, CospinFaults faults, CospinPolynomial *h,
                                       PetscBool *ok)
{
  PetscFunctionBeginUser;
  CospinClockListen(problem, PETSC_TRUE);
  if (problem->deck->hamiltonian_sum[k]) {
    PetscCall(CospinProblemSum(problem, problem->deck->hamiltonian[k], faults, h, ok));
  } else {
    PetscCall(CospinProblemOperator(problem, problem->deck->hamiltonian[k], faults, h, ok));
  }
  CospinClockListen(problem, PETSC_FALSE);
  PetscFunctionReturn(0);
}

/* The terms of H that are not hermitian. Their sum may be: `A` and `dag(A)` as two terms are allowed. */
static PetscErrorCode explain_hamiltonian(CospinProblem problem, CospinFaults faults)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < problem->deck->num_hamiltonian; k++) {
    const CospinExpression expression = problem->deck->hamiltonian[k];
    CospinPolynomial h;
    PetscBool ok;
    PetscCall(hamiltonian_term(problem, k, faults, &h, &ok));
    PetscCall(CospinClockIsHermitian(problem, h, &ok));
    if (!ok)
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression),
                                CospinExpressionPath(expression),
                                "this term is not hermitian (add `+ hc` for the hermitian conjugate)"));
    PetscCall(CospinPolynomialDestroy(&h));
  }
  PetscFunctionReturn(0);
}

/* The sum is tested, not each term; only if it fails are the terms looked at one by one, to say which.
   Kept also for those who read operators instead of moves: mean-field equations and cumulants. */
static PetscErrorCode add_hamiltonian(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  PetscBool all_ok = PETSC_TRUE;
  CospinPolynomial sum;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&sum));
  for (int k = 0; k < problem->deck->num_hamiltonian; k++) {
    CospinPolynomial h = NULL;
    PetscBool this_ok = PETSC_FALSE;
    PetscCall(hamiltonian_term(problem, k, faults, &h, &this_ok));
    if (this_ok) PetscCall(CospinPolynomialAxpy(sum, 1.0, h));
    PetscCall(CospinPolynomialDestroy(&h));
    if (!this_ok) all_ok = PETSC_FALSE;
  }
  if (all_ok) {
    PetscCall(CospinClockIsHermitian(problem, sum, &all_ok));
    if (!all_ok) PetscCall(explain_hamiltonian(problem, faults));
  }
  if (all_ok) PetscCall(CospinClockTakeHamiltonian(problem, &sum));
  if (all_ok && !problem->deck->approximate) PetscCall(CospinMovesAddHamiltonian(problem->generator, sum));
  if (!all_ok) *ok = PETSC_FALSE;
  problem->hamiltonian = sum;
  PetscFunctionReturn(0);
}

/* The operator of a jump, and the component over whose spins it is summed (-1: none). Which component `each:`
 * sums over is not written in the deck: it follows from the operator. */
static PetscErrorCode jump_operator(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                    CospinPolynomial *a, int *component, PetscBool *ok)
{
  const char *what = NULL;

  PetscFunctionBeginUser;
  *component = -1;
  if (jump->form == COSPIN_JUMP_COLLECTIVE) {
    PetscCall(CospinProblemJumpOperator(problem, jump->op, faults, a, ok));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinProblemPolynomial(problem, jump->op, faults, a, ok));
  if (!*ok) PetscFunctionReturn(0);
  *component = CospinProblemSummedComponent(*a);
  if (*component == -1 && jump->member >= 0) PetscFunctionReturn(0); /* one process for each of a group */
  if (*component == -1)
    what = "no operator of one spin in `each:` (sp, sm, sz, sx, sy; `operator:` for collective jumps)";
  if (*component == -2) what = "`each:` runs over the spins of one component, this one has operators of two";
  if (!what) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(jump->op), CospinExpressionPath(jump->op), "%s",
                            what));
  PetscFunctionReturn(0);
}

/* A jump without indices. Rate and operator are both looked at, so that both faults are told in one run. */
static PetscErrorCode add_plain_jump(CospinProblem problem, const CospinJump *jump, CospinMoves moves,
                                     CospinFaults faults, CospinPlainJump *plain, PetscBool *ok)
{
  PetscBool rate_ok, operator_ok, form_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *plain = (CospinPlainJump){0};
  problem->index.value[0] = jump->member; /* -1: it is not one of a group's */
  PetscCall(CospinProblemRate(problem, jump->rate, faults, &plain->rate, &rate_ok));
  problem->index.implied = (PetscBool)(jump->member >= 0);
  PetscCall(jump_operator(problem, jump, faults, &plain->op, &plain->component, &operator_ok));
  problem->index.implied = PETSC_FALSE;
  problem->index.value[0] = -1;
  if (rate_ok && operator_ok && !problem->deck->approximate) {
    PetscCall(CospinMovesAddJump(moves, plain->rate, plain->op, plain->component, &form_ok));
    if (!form_ok) {
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(jump->op), CospinExpressionPath(jump->op),
                                "a collective operator to the left of one of a single spin (write the "
                                "operators of the single spin first)"));
    }
  }
  *ok = (PetscBool)(rate_ok && operator_ok && form_ok);
  PetscFunctionReturn(0);
}

/* What an `each:` with an index runs over. Its rate must run over as many: gamma[l] of another component's
   spins would be read in part, and silently. */
static PetscErrorCode survey_each(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                  CospinSpinRange *range, PetscBool *ok)
{
  const PetscBool member = (PetscBool)(jump->member >= 0);
  CospinExpression at = jump->op;
  const char *what = NULL;
  CospinSpinRange rate;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (jump->form != COSPIN_JUMP_EACH) PetscFunctionReturn(0);
  PetscCall(CospinProblemSurvey(problem, jump->op, member, range));
  PetscCall(CospinProblemSurvey(problem, jump->rate, PETSC_FALSE, &rate));
  if (member && range->has_operator)
    what = "runs over a group and over spins with indices (give one of them a number, as in g[0].Sz)";
  else if (range->size && rate.size && rate.uses[0] && rate.size != range->size)
    what = "runs over as many as its arrays have entries, which are not those of `each:`";
  if (!member || !range->has_operator) at = jump->rate;
  *ok = (PetscBool)!what;
  if (what)
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(at), CospinExpressionPath(at), "%s", what));
  PetscFunctionReturn(0);
}

/* Rates or operators with indices (gamma[l], sm[l]) are written out spin by spin (indexed.c); of these
   `each:` runs over one index, `pairs:` over two. Plain jumps of the generator are kept with the problem,
   for tasks that read rates and operators instead of moves; those of a counted jump are made again and
   dropped. */
static PetscErrorCode add_jump(CospinProblem problem, int k, CospinMoves moves, CospinFaults faults,
                               PetscBool *ok)
{
  const CospinJump *jump = &problem->deck->jumps[k];
  CospinSpinRange range = {0};
  CospinPlainJump plain;

  PetscFunctionBeginUser;
  PetscCall(survey_each(problem, jump, faults, &range, ok));
  if (!*ok) {
    plain = (CospinPlainJump){.component = -1};
  } else if (jump->form == COSPIN_JUMP_PAIRS) {
    PetscCall(CospinProblemPairs(problem, jump, faults, &plain, ok));
  } else if (range.has_operator) {
    PetscCall(CospinProblemEach(problem, jump, faults, &plain, ok));
  } else {
    PetscCall(add_plain_jump(problem, jump, moves, faults, &plain, ok));
  }
  if (*ok && plain.num_spins && !problem->deck->approximate)
    PetscCall(CospinProblemAddIndexed(&plain, moves));
  if (moves == problem->generator) problem->jumps[k] = plain;
  if (moves != problem->generator) PetscCall(CospinPlainJumpDestroy(&plain));
  PetscFunctionReturn(0);
}

/* Only the part A rho A^+ of the jumps with this name (`counts`): what a click does. */
PetscErrorCode CospinProblemJumps(CospinProblem problem, const char name[], CospinMoves *jumps)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, jumps));
  (*jumps)->counts = PETSC_TRUE;
  for (int k = 0; k < problem->deck->num_jumps; k++) {
    const CospinJump *jump = &problem->deck->jumps[k];
    if (jump->name && strcmp(jump->name, name) == 0)
      PetscCall(add_jump(problem, k, *jumps, NULL, &ok)); /* the generator has told its faults */
  }
  PetscCall(CospinMovesFinish(*jumps));
  PetscFunctionReturn(0);
}

/* What is counted, and how many clicks a counter tells apart. */
typedef struct {
  const char *jump;
  double efficiency;
  int most;
} Counter;

/* The counter is a component like any other, whose one label is the number of clicks. Behind all others,
   so that labels of the problem without it are the beginnings of labels with it. */
static PetscErrorCode add_counter(CospinProblem problem, const Counter *counter)
{
  CospinSystem *system = &problem->system;
  CospinComponent component = &system->components[system->num_components++];

  PetscFunctionBeginUser;
  component->offset = system->num_coordinates;
  PetscCall(CospinCounterCreate(component, counter->most));
  system->num_coordinates += component->num_coordinates;
  PetscCheck(system->num_coordinates <= COSPIN_MAX_COORDINATES, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "No room for a counter beside %d labels", COSPIN_MAX_COORDINATES);
  PetscFunctionReturn(0);
}

/* Of the jumps that are detected every one is followed by a click. What is subtracted is bit by bit what had
   been added, so that with an efficiency of 1 nothing remains that would connect what is not connected. */
static PetscErrorCode count_jumps(CospinProblem problem, const Counter *counter)
{
  const CospinStep click = {problem->system.num_components - 1, COSPIN_CLICK};
  CospinMoves jumps;

  PetscFunctionBeginUser;
  PetscCall(CospinProblemJumps(problem, counter->jump, &jumps));
  PetscCall(CospinMovesAxpy(problem->generator, -counter->efficiency, jumps, NULL));
  PetscCall(CospinMovesAxpy(problem->generator, counter->efficiency, jumps, &click));
  PetscCall(CospinMovesDestroy(&jumps));
  PetscFunctionReturn(0);
}

/* Every list by itself: what cancels between two whose coefficients differ in time still acts. */
static PetscErrorCode span(CospinLattice lattice, CospinMoves moves)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) PetscCall(CospinLatticeAdd(lattice, moves->moves[k].shift));
  PetscFunctionReturn(0);
}

/* Moves with equal shifts are merged before the lattice is made, so that what cancels connects nothing. */
static PetscErrorCode create_generator(CospinProblem problem, const Counter *counter, CospinFaults faults,
                                       PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, &problem->generator));
  PetscCall(PetscCalloc1(problem->deck->num_jumps, &problem->jumps));
  PetscCall(add_hamiltonian(problem, faults, ok));
  for (int k = 0; k < problem->deck->num_jumps; k++) {
    PetscBool this_ok = PETSC_FALSE;
    PetscCall(add_jump(problem, k, problem->generator, faults, &this_ok));
    if (this_ok) PetscCall(CospinClockAddJump(problem, k, faults, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  if (counter) PetscCall(count_jumps(problem, counter));
  PetscCall(CospinClockFinish(problem));
  PetscCall(CospinMovesFinish(problem->generator));
  PetscCall(CospinLatticeCreate(problem->system.num_coordinates, &problem->lattice));
  PetscCall(span(problem->lattice, problem->generator));
  for (int k = -1; k < CospinClockCount(problem) && CospinProblemHasTime(problem); k++)
    PetscCall(span(problem->lattice, CospinClockMoves(problem, k)));
  PetscFunctionReturn(0);
}

/* Everything is made as far as possible after a fault; *ok tells. `bytes` is set by the farm and is
   infinite elsewhere. Parameters first: sizes of components may depend on them. */
static PetscErrorCode create_problem(CospinDeck deck, PetscInt64 point, const CospinVaried *varied,
                                     const int windows[], const Counter *counter, CospinFaults faults,
                                     CospinProblem *problem, PetscBool *ok)
{
  CospinProblem new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *problem = new;
  new->deck = deck;
  new->point = point;
  new->bytes = PETSC_INFINITY;
  new->environment = (CospinEnvironment){
      .context = new, .Resolve = CospinProblemResolve, .ElementaryAdjoint = elementary_adjoint};
  new->index.value[0] = new->index.value[1] = -1;
  PetscCall(CospinClockCreate(new));
  PetscCall(PetscCalloc1(deck->num_parameters, &new->parameters));
  PetscCall(CospinDeckEvaluateVaried(deck, point, varied, new->parameters, faults, ok));
  PetscCall(CospinClockCheckDeck(new, faults, ok));
  if (*ok) PetscCall(create_components(new, windows, faults, ok));
  if (*ok) PetscCall(CospinProblemCreateArrays(new, faults, ok));
  if (*ok && counter) PetscCall(add_counter(new, counter));
  if (*ok) PetscCall(create_generator(new, counter, faults, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemCreate(CospinDeck deck, PetscInt64 point, CospinFaults faults,
                                   CospinProblem *problem, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(create_problem(deck, point, NULL, NULL, NULL, faults, problem, ok));
  PetscFunctionReturn(0);
}

/* Of the coordinates that both have; what a counter adds is not limited. With the weights of labels. */
static PetscErrorCode take_window(CospinProblem other, CospinProblem problem)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < problem->system.num_components; c++) {
    const CospinComponent from = &problem->system.components[c], to = &other->system.components[c];
    if (from->kind->TakeWeights) from->kind->TakeWeights(to, from);
  }
  other->bytes = problem->bytes;
  PetscCall(CospinProblemSetWindow(other, problem->system.num_coordinates, problem->system.window));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSetWindow(CospinProblem problem, int num, const CospinInterval window[])
{
  CospinSystem *system = &problem->system;
  CospinInterval *copy = NULL;

  PetscFunctionBeginUser;
  if (window) PetscCall(PetscMalloc1((size_t)system->num_coordinates, &copy));
  for (int i = 0; copy && i < system->num_coordinates; i++)
    copy[i] = i < num ? window[i] : (CospinInterval){-COSPIN_NO_LIMIT, COSPIN_NO_LIMIT};
  PetscCall(PetscFree(system->window));
  system->window = copy;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemCreateWindowed(CospinProblem problem, const int windows[], CospinFaults faults,
                                           CospinProblem *other, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(create_problem(problem->deck, problem->point, NULL, windows, NULL, faults, other, ok));
  PetscCall(take_window(*other, problem));
  PetscFunctionReturn(0);
}

/* Windows are those that the problem has by now, also where they have grown. */
PetscErrorCode CospinProblemCreateCounted(CospinProblem problem, const char jump[], double efficiency,
                                          int most, CospinProblem *counted)
{
  const Counter counter = {jump, efficiency, most};
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool any, ok;

  PetscFunctionBeginUser;
  CospinProblemWindows(problem, windows, &any);
  PetscCall(create_problem(problem->deck, problem->point, NULL, windows, &counter, NULL, counted, &ok));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A counter makes the deck wrong");
  PetscCall(take_window(*counted, problem));
  PetscFunctionReturn(0);
}

/* For derivatives by differences and for boundaries: everything else is the point's. */
PetscErrorCode CospinProblemCreateVaried(CospinProblem problem, const CospinVaried *varied,
                                         CospinFaults faults, CospinProblem *other, PetscBool *ok)
{
  int windows[COSPIN_MAX_COORDINATES];
  PetscBool any;

  PetscFunctionBeginUser;
  CospinProblemWindows(problem, windows, &any);
  PetscCall(create_problem(problem->deck, problem->point, varied, windows, NULL, faults, other, ok));
  PetscCall(take_window(*other, problem));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDestroy(CospinProblem *problem)
{
  PetscFunctionBeginUser;
  if (!*problem) PetscFunctionReturn(0);
  for (int k = 0; k < (*problem)->deck->num_jumps && (*problem)->jumps; k++)
    PetscCall(CospinPlainJumpDestroy(&(*problem)->jumps[k]));
  PetscCall(PetscFree((*problem)->jumps));
  PetscCall(CospinPolynomialDestroy(&(*problem)->hamiltonian));
  PetscCall(CospinMovesDestroy(&(*problem)->generator));
  PetscCall(CospinClockDestroy(*problem));
  PetscCall(CospinLatticeDestroy(&(*problem)->lattice));
  for (int c = 0; c < (*problem)->system.num_components; c++) {
    CospinComponent component = &(*problem)->system.components[c];
    if (component->kind->Destroy)
      PetscCall(component->kind->Destroy(component));
    else
      PetscCall(PetscFree(component->data));
  }
  PetscCall(CospinProblemDestroyArrays(*problem));
  PetscCall(PetscFree((*problem)->system.components));
  PetscCall(PetscFree((*problem)->system.window));
  PetscCall(PetscFree((*problem)->parameters));
  PetscCall(PetscFree(*problem));
  PetscFunctionReturn(0);
}

void CospinProblemWindows(CospinProblem problem, int windows[], PetscBool *any)
{
  *any = PETSC_FALSE;
  for (int c = 0; c < problem->system.num_components; c++) {
    CospinComponent component = &problem->system.components[c];
    windows[c] = component->kind->Window ? component->kind->Window(component) : 0;
    if (windows[c]) *any = PETSC_TRUE;
  }
}
