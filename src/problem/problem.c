/*
   From a deck to a problem at one grid point: names are resolved, components made, jumps and Hamiltonian
   turned into moves.
*/
#include <cospin/problem.h>
#include <string.h>

static PetscErrorCode operator_value(int component, const CospinOperatorName *name, CospinValue *value)
{
  PetscFunctionBeginUser;
  value->is_operator = PETSC_TRUE;
  PetscCall(CospinPolynomialCreate(&value->polynomial));
  for (int t = 0; t < name->num_terms; t++) {
    CospinLetter letters[2];
    for (int l = 0; l < name->term[t].length; l++) {
      letters[l] = (CospinLetter){component, name->term[t].code[l], name->one_spin ? COSPIN_EACH_SPIN : -1};
    }
    PetscCall(CospinPolynomialAddWord(value->polynomial, CMPLX(name->term[t].re, name->term[t].im),
                                      name->term[t].length, letters));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode explain_operator(CospinComponent component, const char wanted[], char why[],
                                       size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(why, why_size, "%s `%s` has no operator `%s` (it has", component->kind->record.name,
                          component->name, wanted));
  for (const CospinOperatorName *name = component->kind->operators; name->name; name++) {
    PetscCall(PetscStrlcat(why, name == component->kind->operators ? " " : ", ", why_size));
    PetscCall(PetscStrlcat(why, name->name, why_size));
  }
  PetscCall(PetscStrlcat(why, ")", why_size));
  PetscFunctionReturn(0);
}

/* `ions.Sp` */
static PetscErrorCode resolve_operator(CospinProblem problem, const char name[], size_t prefix,
                                       CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  for (int c = 0; c < problem->system.num_components; c++) {
    CospinComponent component = &problem->system.components[c];
    if (strlen(component->name) != prefix || strncmp(component->name, name, prefix) != 0) continue;
    for (const CospinOperatorName *known = component->kind->operators; known->name && !*found; known++) {
      if (strcmp(known->name, name + prefix + 1) != 0) continue;
      PetscCall(operator_value(c, known, value));
      *found = PETSC_TRUE;
    }
    if (!*found) PetscCall(explain_operator(component, name + prefix + 1, why, why_size));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscSNPrintf(why, why_size, "no component `%.*s` (components:", (int)prefix, name));
  for (int c = 0; c < problem->system.num_components; c++) {
    PetscCall(PetscStrlcat(why, c ? ", " : " ", why_size));
    PetscCall(PetscStrlcat(why, problem->system.components[c].name, why_size));
  }
  PetscCall(PetscStrlcat(why, ")", why_size));
  PetscFunctionReturn(0);
}

static PetscErrorCode explain_parameter(CospinProblem problem, const char name[], char why[], size_t why_size)
{
  CospinDeck deck = problem->deck;
  const char **known, *close;

  PetscFunctionBeginUser;
  for (int c = 0; c < problem->system.num_components; c++) {
    if (strcmp(problem->system.components[c].name, name) != 0) continue;
    PetscCall(PetscSNPrintf(why, why_size, "`%s` is a component (write one of its operators, %s.%s)", name,
                            name, problem->system.components[c].kind->operators[0].name));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscCalloc1(deck->num_parameters + 1, &known));
  for (int k = 0; k < deck->num_parameters; k++) known[k] = deck->parameters[k].name;
  close = CospinSuggest(name, known);
  if (close)
    PetscCall(PetscSNPrintf(why, why_size, "unknown name `%s` (did you mean `%s`?)", name, close));
  else
    PetscCall(PetscSNPrintf(
        why, why_size, "unknown name `%s` (no parameter of this deck; operators are written as %s.%s)", name,
        problem->system.components[0].name, problem->system.components[0].kind->operators[0].name));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

static PetscErrorCode resolve(const void *context, const char name[], int num_index, const int index[],
                              CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  const CospinProblem problem = (CospinProblem)(uintptr_t)context;
  const char *dot = strchr(name, '.');

  PetscFunctionBeginUser;
  (void)index;
  *found = PETSC_FALSE;
  if (num_index) {
    PetscCall(PetscSNPrintf(why, why_size, "`%s` takes no index (write `%s`)", name, name));
    PetscFunctionReturn(0);
  }
  if (dot) {
    PetscCall(resolve_operator(problem, name, (size_t)(dot - name), value, found, why, why_size));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < problem->deck->num_parameters; k++) {
    if (strcmp(problem->deck->parameters[k].name, name) != 0) continue;
    value->number = problem->parameters[k];
    *found = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  PetscCall(explain_parameter(problem, name, why, why_size));
  PetscFunctionReturn(0);
}

static CospinLetter letter_adjoint(const void *context, CospinLetter letter)
{
  return CospinSystemLetterAdjoint(&((const struct CospinProblem_ *)context)->system, letter);
}

PetscErrorCode CospinProblemNumber(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                   double *number, PetscBool *ok)
{
  CospinValue value = {0};
  char text[64] = "an operator";

  PetscFunctionBeginUser;
  *number = NAN;
  PetscCall(CospinExpressionEvaluate(expression, &problem->environment, faults, &value, ok));
  if (*ok && (value.is_operator || cimag(value.number) != 0.0)) {
    *ok = PETSC_FALSE;
    if (!value.is_operator)
      PetscCall(PetscSNPrintf(text, sizeof(text), "%.6g%+.6g*i", creal(value.number), cimag(value.number)));
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                              "must be a real number, not %s", text));
  }
  if (*ok) *number = creal(value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* The value as a polynomial, whatever it holds. */
static PetscErrorCode evaluate_operator(CospinProblem problem, CospinExpression expression,
                                        CospinFaults faults, CospinPolynomial *polynomial, PetscBool *ok)
{
  CospinValue value = {0};

  PetscFunctionBeginUser;
  *polynomial = NULL;
  PetscCall(CospinExpressionEvaluate(expression, &problem->environment, faults, &value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (value.is_operator) {
    *polynomial = value.polynomial;
    value.polynomial = NULL;
  } else {
    PetscCall(CospinPolynomialCreate(polynomial));
    PetscCall(CospinPolynomialAddWord(*polynomial, value.number, 0, NULL));
  }
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* The component of which the polynomial holds operators of one unnamed spin: -1 none, -2 more than one. */
static int summed_component(CospinPolynomial a)
{
  int component = -1;

  for (int k = 0; k < a->count; k++) {
    for (int l = 0; l < a->words[k].length; l++) {
      const CospinLetter letter = a->words[k].letters[l];
      if (letter.spin != COSPIN_EACH_SPIN || letter.component == component) continue;
      if (component >= 0) return -2;
      component = letter.component;
    }
  }
  return component;
}

PetscErrorCode CospinProblemOperator(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                     CospinPolynomial *polynomial, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(evaluate_operator(problem, expression, faults, polynomial, ok));
  if (*ok && summed_component(*polynomial) != -1) {
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                        "an operator of one spin of an ensemble outside `each:` (Sp, Sm, Sx, Sy, Sz are the "
                        "sums over spins)"));
    PetscCall(CospinPolynomialDestroy(polynomial));
  }
  PetscFunctionReturn(0);
}

/* Values of the number and integer keys of a record. */
static PetscErrorCode record_numbers(CospinProblem problem, const CospinRecord *record, CospinFaults faults,
                                     double numbers[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];
    PetscBool this_ok;
    numbers[k] = NAN;
    if (!setting->expression || setting->key->type == COSPIN_KEY_OPERATOR) continue;
    PetscCall(CospinProblemNumber(problem, setting->expression, faults, &numbers[k], &this_ok));
    if (this_ok && setting->key->type == COSPIN_KEY_INTEGER && numbers[k] != PetscFloorReal(numbers[k])) {
      this_ok = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(faults, setting->position, CospinExpressionPath(setting->expression),
                                "must be a whole number, not %.6g", numbers[k]));
    }
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

static const CospinComponentKind *kind_of(const CospinRecord *record)
{
  int k = 0;

  while (&CospinComponentKinds[k]->record != record->kind) k++;
  return CospinComponentKinds[k];
}

static PetscErrorCode create_components(CospinProblem problem, const int windows[], CospinFaults faults,
                                        PetscBool *ok)
{
  CospinSystem *system = &problem->system;
  double numbers[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(problem->deck->num_components, &system->components));
  for (int c = 0; c < problem->deck->num_components; c++) {
    const CospinRecord *record = &problem->deck->components[c];
    CospinComponent component = &system->components[c];
    PetscBool this_ok;
    component->kind = kind_of(record);
    component->name = record->name;
    component->offset = system->num_coordinates;
    PetscCall(record_numbers(problem, record, faults, numbers, &this_ok));
    if (this_ok)
      PetscCall(
          component->kind->Create(component, record, numbers, windows ? windows[c] : 0, faults, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
    system->num_components++;
    system->num_coordinates += component->num_coordinates;
    PetscCheck(system->num_coordinates <= COSPIN_MAX_COORDINATES, PETSC_COMM_SELF, PETSC_ERR_SUP,
               "More than %d coordinates", COSPIN_MAX_COORDINATES);
  }
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
    PetscCall(CospinProblemOperator(problem, expression, faults, &h, &ok));
    PetscCall(CospinProblemIsHermitian(problem, h, &ok));
    if (!ok)
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression),
                                CospinExpressionPath(expression),
                                "this term is not hermitian (add `+ hc` for the hermitian conjugate)"));
    PetscCall(CospinPolynomialDestroy(&h));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode add_hamiltonian(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  PetscBool all_ok = PETSC_TRUE;
  CospinPolynomial sum;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&sum));
  for (int k = 0; k < problem->deck->num_hamiltonian; k++) {
    CospinPolynomial h = NULL;
    PetscBool this_ok = PETSC_FALSE;
    PetscCall(CospinProblemOperator(problem, problem->deck->hamiltonian[k], faults, &h, &this_ok));
    if (this_ok) PetscCall(CospinPolynomialAxpy(sum, 1.0, h));
    PetscCall(CospinPolynomialDestroy(&h));
    if (!this_ok) all_ok = PETSC_FALSE;
  }
  if (all_ok) {
    PetscCall(CospinProblemIsHermitian(problem, sum, &all_ok));
    if (!all_ok) PetscCall(explain_hamiltonian(problem, faults));
  }
  if (all_ok) PetscCall(CospinMovesAddHamiltonian(problem->generator, sum));
  if (!all_ok) *ok = PETSC_FALSE;
  PetscCall(CospinPolynomialDestroy(&sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode jump_rate(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                double *rate, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemNumber(problem, jump->rate, faults, rate, ok));
  if (*ok && *rate < 0) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(jump->rate), CospinExpressionPath(jump->rate),
                              "the rate is %.6g (a rate is a number >= 0)", *rate));
  }
  PetscFunctionReturn(0);
}

/* The operator of a jump, and the component over whose spins it is summed (-1: none). */
static PetscErrorCode jump_operator(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                    CospinPolynomial *a, int *component, PetscBool *ok)
{
  const char *what = NULL;

  PetscFunctionBeginUser;
  *component = -1;
  if (jump->form == COSPIN_JUMP_COLLECTIVE) {
    PetscCall(CospinProblemOperator(problem, jump->operator, faults, a, ok));
    PetscFunctionReturn(0);
  }
  PetscCall(evaluate_operator(problem, jump->operator, faults, a, ok));
  if (!*ok) PetscFunctionReturn(0);
  *component = summed_component(*a);
  if (*component == -1)
    what = "no operator of one spin in `each:` (sp, sm, sz, sx, sy; `operator:` for collective jumps)";
  if (*component == -2) what = "`each:` runs over the spins of one component, this one has operators of two";
  if (!what) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(jump->operator),
                            CospinExpressionPath(jump->operator), "%s", what));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_jump(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                               PetscBool *ok)
{
  CospinPolynomial a = NULL;
  double rate;
  PetscBool rate_ok, operator_ok, form_ok = PETSC_TRUE;
  int component;

  PetscFunctionBeginUser;
  PetscCall(jump_rate(problem, jump, faults, &rate, &rate_ok));
  PetscCall(jump_operator(problem, jump, faults, &a, &component, &operator_ok));
  if (rate_ok && operator_ok) {
    PetscCall(CospinMovesAddJump(problem->generator, rate, a, component, &form_ok));
    if (!form_ok) {
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(jump->operator),
                                CospinExpressionPath(jump->operator),
                                "a collective operator to the left of one of a single spin (write the "
                                "operators of the single spin first)"));
    }
  }
  *ok = (PetscBool)(rate_ok && operator_ok && form_ok);
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode create_generator(CospinProblem problem, CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesCreate(&problem->system, &problem->generator));
  PetscCall(add_hamiltonian(problem, faults, ok));
  for (int k = 0; k < problem->deck->num_jumps; k++) {
    PetscBool this_ok = PETSC_FALSE;
    PetscCall(add_jump(problem, &problem->deck->jumps[k], faults, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscCall(CospinMovesFinish(problem->generator));
  PetscCall(CospinLatticeCreate(problem->system.num_coordinates, &problem->lattice));
  for (int k = 0; k < problem->generator->count; k++) {
    PetscCall(CospinLatticeAdd(problem->lattice, problem->generator->moves[k].shift));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemCreate(CospinDeck deck, PetscInt64 point, CospinFaults faults,
                                   CospinProblem *problem, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemCreateWindowed(deck, point, NULL, faults, problem, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemCreateWindowed(CospinDeck deck, PetscInt64 point, const int windows[],
                                           CospinFaults faults, CospinProblem *problem, PetscBool *ok)
{
  CospinProblem new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *problem = new;
  new->deck = deck;
  new->point = point;
  new->environment = (CospinEnvironment){.context = new, .Resolve = resolve, .LetterAdjoint = letter_adjoint};
  PetscCall(PetscCalloc1(deck->num_parameters, &new->parameters));
  PetscCall(CospinDeckEvaluateParameters(deck, point, new->parameters, faults, ok));
  if (*ok) PetscCall(create_components(new, windows, faults, ok));
  if (*ok) PetscCall(create_generator(new, faults, ok));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDestroy(CospinProblem *problem)
{
  PetscFunctionBeginUser;
  if (!*problem) PetscFunctionReturn(0);
  PetscCall(CospinMovesDestroy(&(*problem)->generator));
  PetscCall(CospinLatticeDestroy(&(*problem)->lattice));
  for (int c = 0; c < (*problem)->system.num_components; c++) {
    CospinComponent component = &(*problem)->system.components[c];
    PetscCall(component->kind->Destroy(component));
  }
  PetscCall(PetscFree((*problem)->system.components));
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
