/*
   What names mean in the expressions of a problem: parameters, arrays, operators, and the spins l and m while
   a term that runs over them is evaluated.

   Names are resolved in a fixed order: arrays and their parts (`trap.B`), operators of components
   (`ions.Sp`), the indices l and m where a term runs over spins, parameters. Nothing is declared twice (the
   deck's reader sees to it), so the order decides only what a fault says.
*/
#include "clock_impl.h"
#include <string.h>

/* Adds what the table says of a name, with one `spin` for all its elementary operators. An operator such as
 * Sx is a sum of two elementary ones: Sp/2 + Sm/2. */
static PetscErrorCode add_terms(int component, const CospinOperatorName *name, int spin, CospinPolynomial sum)
{
  PetscFunctionBeginUser;
  for (int t = 0; t < name->num_terms; t++) {
    CospinElementary operators[2];
    for (int l = 0; l < name->term[t].length; l++) {
      operators[l] = (CospinElementary){component, name->term[t].code[l], spin};
    }
    PetscCall(CospinPolynomialAddMonomial(sum, CMPLX(name->term[t].re, name->term[t].im),
                                          name->term[t].length, operators));
  }
  PetscFunctionReturn(0);
}

/* Where a kind puts the terms of an operator that it takes apart itself. */
typedef struct {
  int component, spin;
  CospinPolynomial sum;
} Terms;

/* A CospinEmit of the kind's Operator: a monomial of at most two elementary operators, as they come. */
static PetscErrorCode emit_term(void *context, double complex coefficient, int length, const int code[])
{
  const Terms *terms = (const Terms *)context;
  CospinElementary operators[2];

  PetscFunctionBeginUser;
  PetscCheck(length <= 2, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A monomial of %d operators", length);
  for (int l = 0; l < length; l++) operators[l] = (CospinElementary){terms->component, code[l], terms->spin};
  PetscCall(CospinPolynomialAddMonomial(terms->sum, coefficient, length, operators));
  PetscFunctionReturn(0);
}

/* A sum over spins stays one elementary operator as long as it can: Sm^2 of 10^4 spins would be 10^8
   monomials. Written out at the latest where monomials are needed (CospinSystemExpand), and there within
   bounds. */
static PetscErrorCode operator_value(CospinProblem problem, int c, const CospinOperatorName *name, int spin,
                                     const int index[], CospinValue *value)
{
  const CospinComponent component = &problem->system.components[c];
  const PetscBool is_sum = (PetscBool)(component->kind->NumSpins && !name->one_spin);
  const PetscBool by_kind = (PetscBool)(component->kind->Operator != NULL);
  PetscBool operators = PETSC_TRUE;

  PetscFunctionBeginUser;
  value->is_operator = PETSC_TRUE;
  PetscCall(CospinPolynomialCreate(&value->polynomial));
  for (int t = 0; t < name->num_terms; t++)
    if (name->term[t].length != 1) operators = PETSC_FALSE;
  if (by_kind)
    PetscCall(
        component->kind->Operator(component, name, index, emit_term,
                                  &(Terms){c, name->one_spin ? COSPIN_EACH_SPIN : -1, value->polynomial}));
  if (!by_kind && !is_sum) PetscCall(add_terms(c, name, spin, value->polynomial));
  if (is_sum && operators) PetscCall(add_terms(c, name, COSPIN_ALL_SPINS, value->polynomial));
  for (int l = 0; is_sum && !operators && l < component->kind->NumSpins(component); l++)
    PetscCall(add_terms(c, name, l, value->polynomial));
  PetscFunctionReturn(0);
}

/* Which spin an operator of one spin means; a sentence if the index is missing, wrong or not wanted. -1:
   an operator of the component as a whole; COSPIN_EACH_SPIN: one spin of an ensemble, whichever, which
   only `each:` may mean. */
static PetscErrorCode find_spin(CospinProblem problem, CospinComponent component,
                                const CospinOperatorName *op, const char name[], int num_index,
                                const int index[], int *spin, char why[], size_t why_size)
{
  const PetscBool indexed = (PetscBool)(component->kind->NumSpins && op->one_spin);
  const int num_spins = indexed ? component->kind->NumSpins(component) : 0;

  PetscFunctionBeginUser;
  *spin = op->one_spin ? COSPIN_EACH_SPIN : -1;
  if (!indexed && num_index)
    PetscCall(PetscSNPrintf(why, why_size, "`%s` takes no index (write `%s`)", name, name));
  if (!indexed) PetscFunctionReturn(0);
  *spin = num_index ? index[0] : problem->index.value[0];
  if (num_index > 1)
    PetscCall(PetscSNPrintf(why, why_size, "`%s` takes one index, as in `%s[0]`", name, name));
  else if (num_index == 0 && !problem->index.implied)
    PetscCall(
        PetscSNPrintf(why, why_size, "the index of a spin is missing (`%s[0]` is that of the first)", name));
  else if (*spin < 0 || *spin >= num_spins)
    PetscCall(PetscSNPrintf(why, why_size, "there is no spin %d (the %d spin%s of `%s` are counted from 0)",
                            *spin, num_spins, num_spins == 1 ? "" : "s", component->name));
  PetscFunctionReturn(0);
}

/* How many levels a name takes in brackets. E[a,b] has two level numbers; the table says so by the levels
   in the codes of its terms. */
static int num_levels(const CospinOperatorName *name)
{
  int count = 0;

  for (int t = 0; t < name->num_terms; t++) {
    for (int l = 0; l < name->term[t].length; l++)
      count = PetscMax(count, COSPIN_LEVEL(name->term[t].code[l]) + 1);
  }
  return count;
}

/* A sentence if the levels of an operator such as E[a,b] are missing, too many or not there. */
static PetscErrorCode check_levels(CospinComponent component, const CospinOperatorName *op, const char name[],
                                   int num_index, const int index[], char why[], size_t why_size)
{
  const int wanted = num_levels(op), num = component->kind->NumLevels(component);

  PetscFunctionBeginUser;
  if (num_index != wanted) {
    PetscCall(PetscSNPrintf(why, why_size, "`%s` takes %s, as in `%s%s`", name,
                            wanted == 1 ? "the number of a level" : "the numbers of two levels", name,
                            wanted == 1 ? "[0]" : "[1,0]"));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < num_index && !why[0]; k++) {
    if (index[k] >= 0 && index[k] < num) continue;
    PetscCall(PetscSNPrintf(why, why_size, "there is no level %d (the %d levels of `%s` are counted from 0)",
                            index[k], num, component->name));
  }
  PetscFunctionReturn(0);
}

/* A misspelt operator is best told with all that the component has. */
static PetscErrorCode explain_operator(CospinComponent component, const char wanted[], char why[],
                                       size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(why, why_size, "%s `%s` has no operator `%s` (it has", component->kind->record.name,
                          component->name, wanted));
  for (const CospinOperatorName *name = component->operators; name->name; name++) {
    PetscCall(PetscStrlcat(why, name == component->operators ? " " : ", ", why_size));
    PetscCall(PetscStrlcat(why, name->name, why_size));
  }
  PetscCall(PetscStrlcat(why, ")", why_size));
  PetscFunctionReturn(0);
}

/* An operator of the c-th component, with an index for one spin or levels in brackets. `name` is the whole as
   written, `wanted` the operator. */
static PetscErrorCode operator_of(CospinProblem problem, int c, const char name[], const char wanted[],
                                  int num_index, const int index[], CospinValue *value, PetscBool *found,
                                  char why[], size_t why_size)
{
  CospinComponent component = &problem->system.components[c];
  int spin = -1;

  PetscFunctionBeginUser;
  for (const CospinOperatorName *known = component->operators; known->name; known++) {
    if (strcmp(known->name, wanted) != 0) continue;
    if (num_levels(known))
      PetscCall(check_levels(component, known, name, num_index, index, why, why_size));
    else
      PetscCall(find_spin(problem, component, known, name, num_index, index, &spin, why, why_size));
    *found = (PetscBool)(why[0] == 0);
    if (*found) PetscCall(operator_value(problem, c, known, spin, index, value));
    PetscFunctionReturn(0);
  }
  PetscCall(explain_operator(component, wanted, why, why_size));
  PetscFunctionReturn(0);
}

/* `g[2].Sp`: of one member; `g.Sp`: of the member that a term has come to, where it runs over them
   (index.implied), else the sum over all. Operators of one spin have no sum: `each:` knows what they are. */
static PetscErrorCode operator_of_group(CospinProblem problem, const CospinComponentGroup *group,
                                        PetscBool member, const char name[], int num_index, const int index[],
                                        CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  const PetscBool all = (PetscBool)(!member && !problem->index.implied);
  const int which = member ? index[0] : problem->index.value[0], skip = member ? 1 : 0;
  const char *wanted = strchr(name, '.') + 1;

  PetscFunctionBeginUser;
  if (!all && (which < 0 || which >= group->count)) {
    PetscCall(PetscSNPrintf(why, why_size, "there is no component %d in `%s` (its %d are counted from 0)",
                            which, group->name, group->count));
    PetscFunctionReturn(0);
  }
  *value = (CospinValue){.is_operator = PETSC_FALSE};
  for (int k = all ? 0 : which; k < (all ? group->count : which + 1); k++) {
    CospinValue one = {.is_operator = PETSC_FALSE};
    *found = PETSC_FALSE;
    PetscCall(operator_of(problem, group->first + k, name, wanted, num_index - skip, index + skip, &one,
                          found, why, why_size));
    if (*found && value->polynomial) {
      PetscCall(CospinPolynomialAxpy(value->polynomial, 1.0, one.polynomial));
      PetscCall(CospinPolynomialDestroy(&one.polynomial));
    } else if (*found) {
      *value = one;
    }
    if (!*found) break;
  }
  if (!*found) PetscCall(CospinValueReset(value));
  PetscFunctionReturn(0);
}

/* `ions.Sp`, `q.sz[0]`, `g[2].Sp`: an operator of a component or of a group of them. */
static PetscErrorCode resolve_operator(CospinProblem problem, const char name[], size_t prefix, int num_index,
                                       const int index[], CospinValue *value, PetscBool *found, char why[],
                                       size_t why_size)
{
  PetscBool member;
  const CospinComponentGroup *group = CospinDeckGroupOf(problem->deck, name, &member);

  PetscFunctionBeginUser;
  if (group) {
    PetscCall(operator_of_group(problem, group, member, name, num_index, index, value, found, why, why_size));
    PetscFunctionReturn(0);
  }
  for (int c = 0; c < problem->system.num_components; c++) {
    const char *component = problem->system.components[c].name;
    if (strlen(component) != prefix || strncmp(component, name, prefix) != 0) continue;
    PetscCall(
        operator_of(problem, c, name, name + prefix + 1, num_index, index, value, found, why, why_size));
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

/* What a name may have meant, for the fault. */
static PetscErrorCode explain_parameter(CospinProblem problem, const char name[], char why[], size_t why_size)
{
  CospinDeck deck = problem->deck;
  const char **known, *close;

  PetscFunctionBeginUser;
  if (strcmp(name, "t") == 0) {
    PetscCall(
        PetscSNPrintf(why, why_size,
                      "`t` is the time, which coefficients of `hamiltonian` and a `rate` may depend on, "
                      "and nothing else"));
    PetscFunctionReturn(0);
  }
  for (int c = 0; c < problem->system.num_components; c++) {
    if (strcmp(problem->system.components[c].name, name) != 0) continue;
    PetscCall(PetscSNPrintf(why, why_size, "`%s` is a component (write one of its operators, %s.%s)", name,
                            name, problem->system.components[c].operators[0].name));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscCalloc1((size_t)(deck->num_parameters + deck->num_arrays + 1), &known));
  for (int k = 0; k < deck->num_parameters; k++) known[k] = deck->parameters[k].name;
  for (int k = 0; k < deck->num_arrays; k++) known[deck->num_parameters + k] = deck->arrays[k].name;
  close = CospinSuggest(name, known);
  if (close)
    PetscCall(PetscSNPrintf(why, why_size, "unknown name `%s` (did you mean `%s`?)", name, close));
  else if (problem->system.num_components == 0)
    PetscCall(PetscSNPrintf(why, why_size, "unknown name `%s` (no parameter of this deck)", name));
  else
    PetscCall(PetscSNPrintf(
        why, why_size, "unknown name `%s` (no parameter of this deck; operators are written as %s.%s)", name,
        problem->system.components[0].name, problem->system.components[0].operators[0].name));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* ---- Arrays */

/* The array whose name these characters are; -1: none. */
static int find_array(CospinProblem problem, const char name[], size_t length)
{
  for (int k = 0; problem->arrays && k < problem->deck->num_arrays; k++) {
    const char *known = problem->deck->arrays[k].name;
    if (strlen(known) == length && strncmp(known, name, length) == 0) return k;
  }
  return -1;
}

/* What `B` or `trap.B` names; *spins: its indices run over those. NULL: neither an array nor a part of
   one. A generator that makes several arrays has no value of its own name, a list has no parts. */
static const CospinArrayValue *find_value(CospinProblem problem, const char name[], PetscBool *spins)
{
  const char *dot = strchr(name, '.');
  const int k = find_array(problem, name, dot ? (size_t)(dot - name) : strlen(name));
  const CospinArrayPart *parts = k < 0 ? NULL : CospinArrayParts(&problem->deck->arrays[k]);

  *spins = PETSC_TRUE;
  if (k >= 0 && !dot && !parts) return &problem->arrays[k];
  for (int part = 0; dot && parts && parts[part].name; part++) {
    if (strcmp(parts[part].name, dot + 1) != 0) continue;
    *spins = (PetscBool)(parts[part].rank > 0 && strcmp(parts[part].along[0], COSPIN_ALONG_SPINS) == 0);
    return &problem->arrays[k].parts[part];
  }
  return NULL;
}

/* A matrix over spins without indices is, where it may be, the entry of the pair. Row-major: R[l,m] stands
   at l*size + m. R alone means R[l,m] where a term runs over pairs. */
static PetscErrorCode resolve_array(CospinProblem problem, const CospinArrayValue *array, PetscBool spins,
                                    const char name[], int num_index, const int index[], CospinValue *value,
                                    PetscBool *found, char why[], size_t why_size)
{
  static const struct {
    const char *word, *indices;
  } forms[] = {{"number", ""}, {"vector", "[l]"}, {"matrix", "[l,m]"}};
  const int *at = num_index ? index : problem->index.value;
  const PetscBool implied =
      (PetscBool)(num_index == 0 && problem->index.implied && spins && array->rank == 2 && at[1] >= 0);
  int place = 0;

  PetscFunctionBeginUser;
  if (num_index != array->rank && !implied) {
    PetscCall(PetscSNPrintf(why, why_size, "array `%s` is a %s (write %s%s)", name, forms[array->rank].word,
                            name, forms[array->rank].indices));
    PetscFunctionReturn(0);
  }
  for (int i = 0; i < array->rank; i++) {
    place = place * array->size + at[i];
    if (at[i] >= 0 && at[i] < array->size) continue;
    PetscCall(PetscSNPrintf(why, why_size, "array `%s` has no entry %d (indices run from 0 to %d)", name,
                            at[i], array->size - 1));
    PetscFunctionReturn(0);
  }
  value->number = array->values[place];
  *found = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* `trap.` and what may follow */
static PetscErrorCode explain_parts(CospinProblem problem, int k, char why[], size_t why_size)
{
  const CospinArray *array = &problem->deck->arrays[k];
  const CospinArrayPart *parts = CospinArrayParts(array);

  PetscFunctionBeginUser;
  if (!parts)
    PetscCall(PetscSNPrintf(why, why_size, "array `%s` has no parts (write `%s`)", array->name, array->name));
  else
    PetscCall(PetscSNPrintf(why, why_size, "array `%s` is several (write one of", array->name));
  for (; parts && parts->name; parts++) {
    PetscCall(PetscStrlcat(why, " ", why_size));
    PetscCall(PetscStrlcat(why, array->name, why_size));
    PetscCall(PetscStrlcat(why, ".", why_size));
    PetscCall(PetscStrlcat(why, parts->name, why_size));
    PetscCall(PetscStrlcat(why, parts[1].name ? "," : ")", why_size));
  }
  PetscFunctionReturn(0);
}

/* `l` or `m`: 0 or 1; `k` is `l` where it is no parameter; -1: another name */
static int index_letter(CospinProblem problem, const char name[])
{
  if (strcmp(name, "k") == 0 && CospinDeckIndexIsK(problem->deck)) return 0;
  return strcmp(name, "l") == 0 ? 0 : strcmp(name, "m") == 0 ? 1 : -1;
}

/* `l` and `m` have values only while a term is written out (indexed.c). */
static PetscErrorCode resolve_index(CospinProblem problem, const char name[], CospinValue *value,
                                    PetscBool *found, char why[], size_t why_size)
{
  const int which = index_letter(problem, name);

  PetscFunctionBeginUser;
  value->number = problem->index.value[which];
  *found = (PetscBool)(problem->index.value[which] >= 0);
  if (!*found)
    PetscCall(
        PetscSNPrintf(why, why_size, "`%s` stands for no spin here (%s)", name,
                      which ? "l and m run over spins in `sum:` of the Hamiltonian and in `rates:` of pairs"
                            : "l runs over spins in `sum:` of the Hamiltonian, in `rates:` of pairs, and "
                              "beside an `each:` of a "
                              "component whose spins have indices"));
  PetscFunctionReturn(0);
}

/* A CospinEnvironment's Resolve for everything that has a value at a grid point. Each branch ends in a value
   or in a sentence that says what would be right. */
PetscErrorCode CospinProblemResolve(const void *context, const char name[], int num_index, const int index[],
                                    CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  const CospinProblem problem = (CospinProblem)(uintptr_t)context;
  const CospinDeck deck = problem->deck;
  const char *dot = strchr(name, '.');
  const int array = find_array(problem, name, dot ? (size_t)(dot - name) : strlen(name));

  PetscFunctionBeginUser;
  *found = PETSC_FALSE;
  if (array >= 0) {
    PetscBool spins;
    const CospinArrayValue *of = find_value(problem, name, &spins);
    if (of)
      PetscCall(resolve_array(problem, of, spins, name, num_index, index, value, found, why, why_size));
    else
      PetscCall(explain_parts(problem, array, why, why_size));
    PetscFunctionReturn(0);
  }
  if (dot) {
    PetscCall(
        resolve_operator(problem, name, (size_t)(dot - name), num_index, index, value, found, why, why_size));
    PetscFunctionReturn(0);
  }
  if (num_index) {
    PetscCall(PetscSNPrintf(why, why_size, "`%s` takes no index (write `%s`)", name, name));
    PetscFunctionReturn(0);
  }
  if (index_letter(problem, name) >= 0) {
    PetscCall(resolve_index(problem, name, value, found, why, why_size));
    PetscFunctionReturn(0);
  }
  if (strcmp(name, "t") == 0 && problem->clock->reads) {
    value->number = problem->clock->now;
    *found = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < deck->num_parameters; k++) {
    if (strcmp(deck->parameters[k].name, name) != 0) continue;
    value->number = problem->parameters[k];
    *found = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  PetscCall(explain_parameter(problem, name, why, why_size));
  PetscFunctionReturn(0);
}

/* ---- Which spins an expression runs over */

typedef struct {
  CospinProblem problem;
  PetscBool implied;
  CospinSpinRange *range;
} Survey;

/* All operators and arrays of one term must be of as many spins; which spins those are does not matter. */
static void survey_size(CospinSpinRange *range, int size)
{
  if (range->size && range->size != size) range->mixed = PETSC_TRUE;
  range->size = size;
}

/* Only operators of one spin, members of groups and arrays over spins count. */
static PetscErrorCode survey_name(void *context, const char name[], int num_index)
{
  const Survey *survey = (const Survey *)context;
  const CospinProblem problem = survey->problem;
  const char *dot = strchr(name, '.');
  PetscBool spins, member;
  const CospinArrayValue *array = find_value(problem, name, &spins);
  const CospinComponentGroup *group = CospinDeckGroupOf(problem->deck, name, &member);

  PetscFunctionBeginUser;
  (void)num_index;
  if (index_letter(problem, name) >= 0) survey->range->uses[index_letter(problem, name)] = PETSC_TRUE;
  if (strcmp(name, "l") == 0) survey->range->names_l = PETSC_TRUE;
  if (strcmp(name, "k") == 0 && index_letter(problem, name) == 0) survey->range->names_k = PETSC_TRUE;
  if (array && spins) survey_size(survey->range, array->size);
  if (group && dot && (member || survey->implied)) {
    survey->range->has_member = PETSC_TRUE;
    survey_size(survey->range, group->count);
  }
  for (int c = 0; c < problem->system.num_components && dot; c++) {
    const CospinComponent component = &problem->system.components[c];
    if (strlen(component->name) != (size_t)(dot - name) ||
        strncmp(component->name, name, (size_t)(dot - name)) != 0 || !component->kind->NumSpins)
      continue;
    for (const CospinOperatorName *known = component->operators; known->name; known++) {
      if (strcmp(known->name, dot + 1) != 0 || !known->one_spin) continue;
      survey->range->has_operator = PETSC_TRUE;
      survey_size(survey->range, component->kind->NumSpins(component));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSurvey(CospinProblem problem, CospinExpression expression, PetscBool implied,
                                   CospinSpinRange *range)
{
  Survey survey = {problem, implied, range};

  PetscFunctionBeginUser;
  *range = (CospinSpinRange){0};
  PetscCall(CospinExpressionVisitNames(expression, survey_name, &survey));
  PetscFunctionReturn(0);
}
