/*
   Parameters: in which order they are to be evaluated, and their values at a grid point.

   Parameters may use each other in any order. They are sorted once by a depth-first search over what each
   uses (a circle is a fault that names its members), and then evaluated in that order at each grid point;
   those that no axis can change are evaluated once, while the deck is read, for axes and sizes that need
   them.

   A value has one of three states while they are evaluated: known; on the grid (an axis, or a parameter that
   depends on one); bad (its own expression has a fault). An expression has the worst state of those that it
   uses, so a fault in one parameter is told once and not again at each that depends on it.
*/
#include "read_impl.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More names than this are not searched for a similar one: each fault would read the whole deck. */
enum { MAX_COMPARED = 1000 };

/* What is known about a parameter's value. The largest state of those that an expression uses is its own. */
typedef enum { STATE_KNOWN, STATE_ON_GRID, STATE_BAD } ParameterState;

/* Values and states of all parameters while expressions of them are evaluated. */
typedef struct {
  CospinDeck deck;
  const double complex *values;
  const char *states;
  char *worst; /* of the parameters asked for */
} ParameterContext;

/* For sorting: a name with its place in the deck. */
typedef struct {
  const char *name;
  int index;
} NamedIndex;

static int compare_names(const void *a, const void *b)
{
  return strcmp(((const NamedIndex *)a)->name, ((const NamedIndex *)b)->name);
}

/* An index beside the parameters, whose order in the deck is kept for the completed deck and the dataset.
   Names are looked up once per use and grid point, in decks that may have thousands of parameters (tables
   written as parameters): bisection, not a walk. */
static PetscErrorCode sort_by_name(CospinDeck deck)
{
  NamedIndex *sorted;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)deck->num_parameters, &sorted));
  for (int k = 0; k < deck->num_parameters; k++) sorted[k] = (NamedIndex){deck->parameters[k].name, k};
  if (deck->num_parameters) qsort(sorted, (size_t)deck->num_parameters, sizeof(*sorted), compare_names);
  for (int k = 0; k < deck->num_parameters; k++) deck->parameters_by_name[k] = sorted[k].index;
  PetscCall(PetscFree(sorted));
  PetscFunctionReturn(0);
}

/* By bisection in the sorted names. */
int CospinParameterFind(CospinDeck deck, const char name[])
{
  int low = 0, high = deck->num_parameters;

  while (low < high) {
    const int middle = low + (high - low) / 2, index = deck->parameters_by_name[middle];
    const int order = strcmp(deck->parameters[index].name, name);

    if (!order) return index;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return -1;
}

/* stack[0..count-1] use each other in this order, the last one the first. With the names in order, so that
   the one wrong link can be seen. Told once, at its first member. */
static PetscErrorCode report_circle(CospinDeck deck, const int stack[], int count, CospinFaults faults)
{
  const CospinDefinition *first = &deck->parameters[stack[0]];
  char circle[2048] = "";
  size_t length = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < count && length < sizeof(circle) - 200; k++)
    length += (size_t)snprintf(circle + length, sizeof(circle) - length, "%.150s -> ",
                               deck->parameters[stack[k]].name);
  PetscCall(CospinFaultsAdd(
      faults, CospinExpressionPosition(first->expression), CospinExpressionPath(first->expression),
      "depends on itself: %s%s (parameters may use each other, but not in a circle)", circle, first->name));
  PetscFunctionReturn(0);
}

/* The next parameter that an expression uses, from *node on; -1 if there is no other. Nodes of an
   expression stand in one list (expression.c), so its names are found without walking its tree. */
static int next_need(CospinDeck deck, const Node **node)
{
  for (; *node; *node = (*node)->next) {
    if ((*node)->kind == NODE_NAME) {
      const int index = CospinParameterFind(deck, (*node)->name);

      if (index >= 0) {
        *node = (*node)->next;
        return index;
      }
    }
  }
  return -1;
}

/* Depth-first search from `root`, without recursion: a chain of parameters may be long. */
static PetscErrorCode append_by_need(CospinDeck deck, int root, CospinFaults faults, int *depth_of,
                                     int *stack, const Node **cursors, int *num_sorted)
{
  int depth = 0;

  PetscFunctionBeginUser;
  stack[depth++] = root;
  depth_of[root] = depth;
  while (depth > 0) {
    const int top = stack[depth - 1], need = next_need(deck, &cursors[top]);

    if (need < 0) {
      deck->parameters_by_need[(*num_sorted)++] = top;
      depth_of[top] = -1; /* done */
      depth--;
    } else if (depth_of[need] == 0) {
      stack[depth++] = need;
      depth_of[need] = depth;
    } else if (depth_of[need] > 0) {
      PetscCall(report_circle(deck, &stack[depth_of[need] - 1], depth - depth_of[need] + 1, faults));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinParametersSort(CospinDeck deck, CospinFaults faults)
{
  const size_t count = (size_t)deck->num_parameters;
  const Node **cursors;
  int *depth_of, *stack, num_sorted = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(count, &deck->parameters_by_name, count, &deck->parameters_by_need));
  PetscCall(sort_by_name(deck));
  PetscCall(PetscCalloc1(count, &depth_of)); /* 0: not seen yet */
  PetscCall(PetscMalloc2(count, &stack, count, &cursors));
  for (int k = 0; k < deck->num_parameters; k++)
    cursors[k] = deck->parameters[k].expression ? deck->parameters[k].expression->nodes : NULL;
  for (int k = 0; k < deck->num_parameters; k++) {
    if (depth_of[k] == 0) PetscCall(append_by_need(deck, k, faults, depth_of, stack, cursors, &num_sorted));
  }
  PetscCall(PetscFree2(stack, cursors));
  PetscCall(PetscFree(depth_of));
  PetscFunctionReturn(0);
}

/* The parameter that a name was probably meant to be; copied because the list of names is not kept. */
static PetscErrorCode guess_parameter(CospinDeck deck, const char name[], char guess[], size_t size)
{
  const char **known, *found;

  PetscFunctionBeginUser;
  guess[0] = '\0';
  if (deck->num_parameters > MAX_COMPARED) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)deck->num_parameters + 1, &known));
  for (int k = 0; k < deck->num_parameters; k++) known[k] = deck->parameters[k].name;
  known[deck->num_parameters] = NULL;
  found = CospinSuggest(name, known);
  if (found) snprintf(guess, size, "%s", found);
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* "unknown name ... (parameters: N, w)", without the names if they are many. */
static void list_parameters(CospinDeck deck, const char name[], char why[], size_t size)
{
  enum { MAX_LISTED = 15 };
  size_t length = (size_t)snprintf(why, size, "unknown name `%s` (there is no such parameter", name);

  if (deck->num_parameters > 0 && deck->num_parameters <= MAX_LISTED) {
    for (int k = 0; k < deck->num_parameters && length < size; k++)
      length += (size_t)snprintf(why + length, size - length, "%s%s", k ? ", " : "; there are ",
                                 deck->parameters[k].name);
  }
  if (length < size) snprintf(why + length, size - length, ")");
}

/* Why a name has no value where only parameters have one. The sentence depends on what was probably meant:
   the time, an operator in a rate (`ions.Sz`), an index of a plain number, a misspelling; else as many
   parameters are listed as a sentence can hold. */
static PetscErrorCode explain_name(CospinDeck deck, const char name[], int num_index, char why[], size_t size)
{
  char guess[128];

  PetscFunctionBeginUser;
  if (CospinParameterFind(deck, name) >= 0 && num_index > 0) {
    snprintf(why, size, "parameter `%s` has no indices", name);
    PetscFunctionReturn(0);
  }
  if (!strcmp(name, "t") && !num_index) {
    snprintf(
        why, size,
        "`t` is the time, which coefficients of `hamiltonian` and a `rate` may depend on: a parameter has "
        "one value");
    PetscFunctionReturn(0);
  }
  PetscCall(guess_parameter(deck, name, guess, sizeof(guess)));
  if (guess[0])
    snprintf(why, size, "unknown name `%s` (did you mean `%s`?)", name, guess);
  else if (strchr(name, '.'))
    snprintf(why, size, "unknown name `%s` (operators are not allowed here)", name);
  else
    list_parameters(deck, name, why, size);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinParametersCheckNames(CospinDeck deck, CospinExpression expression, CospinFaults faults)
{
  char why[512];

  PetscFunctionBeginUser;
  for (const Node *node = expression->nodes; node; node = node->next) {
    if (node->kind != NODE_NAME) continue;
    if (CospinParameterFind(deck, node->name) >= 0 && node->count == 0) continue;
    PetscCall(explain_name(deck, node->name, node->count, why, sizeof(why)));
    PetscCall(CospinFaultsAdd(faults, CospinExpressionLocate(expression, node->offset), expression->path,
                              "%s", why));
  }
  PetscFunctionReturn(0);
}

/* A CospinEnvironment's Resolve: what a name in an expression of parameters means. The worst state is kept
   on the way, since an expression that uses something on the grid is itself on the grid, whatever else is
   wrong with it. */
static PetscErrorCode resolve_parameter(const void *context, const char name[], int num_index,
                                        const int index[], CospinValue *value, PetscBool *found, char why[],
                                        size_t why_size)
{
  const ParameterContext *parameters = context;
  const int k = CospinParameterFind(parameters->deck, name);

  PetscFunctionBeginUser;
  (void)index;
  if (k < 0 || num_index > 0) {
    PetscCall(explain_name(parameters->deck, name, num_index, why, why_size));
    PetscFunctionReturn(0);
  }
  if (parameters->states[k] > *parameters->worst) *parameters->worst = parameters->states[k];
  *found = (PetscBool)(parameters->states[k] == STATE_KNOWN);
  if (*found)
    value->number = parameters->values[k];
  else
    snprintf(why, why_size, "`%s` is on the grid or depends on it (only other parameters can be used here)",
             name);
  PetscFunctionReturn(0);
}

/* Faults of an expression that uses a bad parameter are not reported: they follow from that one's.
   Evaluated twice where it fails: first without faults, to learn the worst state of what it uses; then
   with them, if they are its own. */
static PetscErrorCode evaluate_expression(const ParameterContext *context, CospinExpression expression,
                                          PetscBool report_grid, CospinFaults faults, double complex *value,
                                          char *state)
{
  const CospinEnvironment environment = {.context = context, .Resolve = resolve_parameter};
  CospinValue result;
  PetscBool ok;

  PetscFunctionBeginUser;
  *context->worst = STATE_KNOWN;
  PetscCall(CospinExpressionEvaluate(expression, &environment, NULL, &result, &ok));
  *value = result.number;
  *state = *context->worst;
  if (ok) PetscFunctionReturn(0);
  if (faults && (*state == STATE_KNOWN || (*state == STATE_ON_GRID && report_grid)))
    PetscCall(CospinExpressionEvaluate(expression, &environment, faults, &result, &ok));
  if (*state == STATE_KNOWN) *state = STATE_BAD;
  PetscFunctionReturn(0);
}

/* Evaluates all that are not on the grid, by need; states[] holds STATE_BAD where nothing is known yet. */
static PetscErrorCode evaluate_rest(CospinDeck deck, const char on_grid[], CospinFaults faults,
                                    double complex values[], char states[])
{
  char worst = STATE_KNOWN;
  const ParameterContext context = {deck, values, states, &worst};

  PetscFunctionBeginUser;
  for (int n = 0; n < deck->num_parameters; n++) {
    const int k = deck->parameters_by_need[n];

    if (on_grid[k] || !deck->parameters[k].expression) continue;
    PetscCall(evaluate_expression(&context, deck->parameters[k].expression, PETSC_FALSE, faults, &values[k],
                                  &states[k]));
  }
  PetscFunctionReturn(0);
}

/* An axis overrides its parameter, and all that depend on it are on the grid, too. Once, when the first
   section asks for it. */
PetscErrorCode CospinReadConstants(CospinReader *reader)
{
  CospinDeck deck = reader->deck;
  const size_t count = (size_t)deck->num_parameters;
  char *on_grid;

  PetscFunctionBeginUser;
  if (reader->constants) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(count + 1, &reader->constants));
  PetscCall(PetscMalloc1(count + 1, &reader->states));
  PetscCall(PetscCalloc1(count, &on_grid));
  memset(reader->states, STATE_BAD, count + 1);
  for (int a = 0; a < deck->num_axes; a++) {
    const int k = CospinParameterFind(deck, deck->axes[a].name);

    if (k < 0) continue;
    on_grid[k] = 1;
    reader->states[k] = STATE_ON_GRID;
  }
  PetscCall(evaluate_rest(deck, on_grid, reader->faults, reader->constants, reader->states));
  PetscCall(PetscFree(on_grid));
  PetscFunctionReturn(0);
}

/* For axes and sizes of sections, which must be the same at all points: a parameter that an axis changes is a
   fault here. */
PetscErrorCode CospinReadConstant(CospinReader *reader, CospinExpression expression, double *value,
                                  PetscBool *ok)
{
  char worst = STATE_KNOWN, state, text[64];
  double complex number;

  PetscFunctionBeginUser;
  PetscCall(CospinReadConstants(reader));
  const ParameterContext context = {reader->deck, reader->constants, reader->states, &worst};
  PetscCall(CospinParametersCheckNames(reader->deck, expression, reader->faults));
  PetscCall(evaluate_expression(&context, expression, PETSC_TRUE, reader->faults, &number, &state));
  *value = creal(number);
  *ok = (PetscBool)(state == STATE_KNOWN);
  if (!*ok || cimag(number) == 0) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(reader->faults, CospinExpressionPosition(expression), expression->path,
                            "must be a real number, not %s", CospinNumberFormat(number, text, sizeof(text))));
  PetscFunctionReturn(0);
}

/* `states` is all zero, which is STATE_KNOWN. */
PetscErrorCode CospinEvaluateAtPoint(CospinDeck deck, const double complex values[],
                                     CospinExpression expression, CospinFaults faults, double complex *value,
                                     PetscBool *ok)
{
  char worst = STATE_KNOWN, state, *states;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_parameters, &states)); /* all known */
  const ParameterContext context = {deck, values, states, &worst};
  PetscCall(evaluate_expression(&context, expression, PETSC_TRUE, faults, value, &state));
  *ok = (PetscBool)(state == STATE_KNOWN);
  PetscCall(PetscFree(states));
  PetscFunctionReturn(0);
}

/* One parameter may be given another value than the grid's: for derivatives and for boundaries. As if the
   parameter were an axis: what depends on it follows, and its own expression is not evaluated. */
PetscErrorCode CospinDeckEvaluateVaried(CospinDeck deck, PetscInt64 point, const CospinVaried *varied,
                                        double complex values[], CospinFaults faults, PetscBool *ok)
{
  const size_t count = (size_t)deck->num_parameters;
  char *on_grid, *states;
  int *index;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(count, &on_grid));
  PetscCall(PetscMalloc2(count, &states, (size_t)deck->num_axes, &index));
  /* Bad until evaluated: what a circle or a fault leaves out stays so. */
  if (count) memset(states, STATE_BAD, count);
  CospinDeckPointIndex(deck, point, index);
  for (int a = 0; a < deck->num_axes; a++) {
    const int k = CospinParameterFind(deck, deck->axes[a].name);

    if (k < 0 || index[a] >= deck->axes[a].size) continue;
    on_grid[k] = 1;
    states[k] = STATE_KNOWN;
    values[k] = deck->axes[a].values[index[a]];
  }
  if (varied) {
    on_grid[varied->parameter] = 1;
    states[varied->parameter] = STATE_KNOWN;
    values[varied->parameter] = varied->value;
  }
  PetscCall(evaluate_rest(deck, on_grid, faults, values, states));
  *ok = PETSC_TRUE;
  for (size_t k = 0; k < count; k++) {
    if (states[k] != STATE_KNOWN) *ok = PETSC_FALSE;
  }
  PetscCall(PetscFree2(states, index));
  PetscCall(PetscFree(on_grid));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDeckEvaluateParameters(CospinDeck deck, PetscInt64 point, double complex values[],
                                            CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinDeckEvaluateVaried(deck, point, NULL, values, faults, ok));
  PetscFunctionReturn(0);
}
