/*
   Product states: each component's own, multiplied. Stored ones: stored_state.c.

   Elements of a product state are products of one factor per component, so a state needs no memory of the
   size of a sector: a vector is filled label by label by the ranks that own them. Which sectors a state
   occupies is found by a search over coordinates that is cut as soon as what has been chosen has no
   element.
*/
#include "stored_state.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_VISITS = 100000000 /* of labels: some seconds */ };

/* ---- From the deck ------------------------------------------------------------------------------------- */

/* The states that a kind knows stand in its table; the first of them is its ground state. With all that
   the kind has, for there are few. */
static PetscErrorCode find_name(CospinComponent component, const CospinStateFactor *factor,
                                CospinFaults faults, const CospinStateName **name)
{
  const CospinStateName *states = component->kind->states;
  const char *known[64] = {NULL}, *guess;
  char list[512] = "";

  PetscFunctionBeginUser;
  *name = NULL;
  for (int k = 0; states[k].name; k++) {
    if (strcmp(states[k].name, factor->name) == 0) *name = &states[k];
    if (k < 63) known[k] = states[k].name;
    if (k) PetscCall(PetscStrlcat(list, ", ", sizeof(list)));
    PetscCall(PetscStrlcat(list, states[k].name, sizeof(list)));
  }
  if (*name) PetscFunctionReturn(0);
  guess = CospinSuggest(factor->name, known);
  PetscCall(CospinFaultsAdd(faults, factor->position, factor->path,
                            "%s `%s` has no state `%.100s` (%s%s%sit has %s)", component->kind->record.name,
                            component->name, factor->name, guess ? "did you mean `" : "", guess ? guess : "",
                            guess ? "`? " : "", list));
  PetscFunctionReturn(0);
}

/* A product state of atoms has one amplitude for each level, however many they are, or a matrix of them. */
static int num_arguments(CospinComponent component, const CospinStateName *name)
{
  const int num = name->num_arguments;

  if (num >= 0) return num;
  if (num == COSPIN_EACH_BIT) return component->kind->NumSpins(component);
  if (num == COSPIN_EACH_DIRECTION) return 2 * component->kind->NumSpins(component);
  return num == COSPIN_EACH_LEVEL ? component->kind->NumLevels(component)
                                  : PetscSqr(component->kind->NumLevels(component));
}

/* {bits: "0110"}: the text itself, whose leading zeros no number would keep. YAML hands the same characters
   over with and without quotes; the parser of expressions has taken them for a number, which is not asked
   for. */
static PetscErrorCode read_bits(const CospinStateFactor *factor, int num, CospinFaults faults,
                                double complex bits[], PetscBool *ok)
{
  const char *text = factor->num_arguments == 1 ? CospinExpressionText(factor->arguments[0]) : "";
  const size_t length = strspn(text, "01");

  PetscFunctionBeginUser;
  *ok = (PetscBool)(length == (size_t)num && !text[length]);
  for (int l = 0; l < num && *ok; l++) bits[l] = text[l] - '0';
  if (!*ok)
    PetscCall(
        CospinFaultsAdd(faults, factor->position, factor->path,
                        "`bits` takes one digit, 0 or 1, for each of the %d spin%s, as in {bits: \"%.*s\"}",
                        num, num == 1 ? "" : "s", PetscMin(num, 16), "1010101010101010"));
  PetscFunctionReturn(0);
}

/* At the grid point: an angle may be on an axis. */
static PetscErrorCode evaluate_arguments(CospinProblem problem, const CospinStateFactor *factor,
                                         const CospinStateName *name, CospinFaults faults,
                                         double complex arguments[], PetscBool *ok)
{
  const int wanted = num_arguments(&problem->system.components[factor->component], name);
  char form[128];

  PetscFunctionBeginUser;
  if (name->num_arguments == COSPIN_EACH_BIT) {
    PetscCall(read_bits(factor, wanted, faults, arguments, ok));
    PetscFunctionReturn(0);
  }
  *ok = (PetscBool)(factor->num_arguments == wanted);
  if (!*ok) {
    if (wanted)
      PetscCall(PetscSNPrintf(form, sizeof(form), "{%s: [%s]}", name->name, name->arguments));
    else
      PetscCall(PetscSNPrintf(form, sizeof(form), "`%s` alone", name->name));
    PetscCall(CospinFaultsAdd(faults, factor->position, factor->path,
                              "`%s` takes %d argument%s, not %d (write %s)", name->name, wanted,
                              wanted == 1 ? "" : "s", factor->num_arguments, form));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < factor->num_arguments; k++) {
    const CospinExpression argument = factor->arguments[k];
    CospinValue value = {0};
    PetscBool this_ok;
    PetscCall(CospinExpressionEvaluate(argument, &problem->environment, faults, &value, &this_ok));
    if (this_ok && value.is_operator) {
      this_ok = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(argument), CospinExpressionPath(argument),
                                "must be a number, not an operator"));
    }
    arguments[k] = value.number;
    PetscCall(CospinValueReset(&value));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* A factor of NULL is the first state of the component's table. A kind refuses values that make no state
   (an angle that is complex, more quanta than a cutoff has) with a sentence of its own. */
static PetscErrorCode prepare(CospinProblem problem, int c, const CospinStateFactor *factor,
                              CospinFaults faults, CospinState state, PetscBool *ok)
{
  CospinComponent component = &problem->system.components[c];
  const CospinStateName *name = component->kind->states;
  double complex *arguments = NULL; /* a density matrix has many */
  char why[256] = "";
  PetscBool pure = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (factor) PetscCall(find_name(component, factor, faults, &name));
  *ok = (PetscBool)(name != NULL);
  if (*ok) PetscCall(PetscCalloc1((size_t)num_arguments(component, name), &arguments));
  if (*ok && factor) PetscCall(evaluate_arguments(problem, factor, name, faults, arguments, ok));
  if (*ok) {
    PetscCall(name->Prepare(component, arguments, &state->factors[c].data, &pure, why, sizeof(why)));
    *ok = (PetscBool)(why[0] == 0);
    if (!*ok) PetscCall(CospinFaultsAdd(faults, factor->position, factor->path, "%s", why));
    if (*ok) state->factors[c].name = name;
    if (!pure) state->pure = PETSC_FALSE;
  }
  PetscCall(PetscFree(arguments));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStateCreate(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                 CospinState *state, PetscBool *ok)
{
  const int num = problem->system.num_components;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscNew(state));
  PetscCall(PetscCalloc1((size_t)num, &(*state)->factors));
  (*state)->system = &problem->system;
  (*state)->pure = PETSC_TRUE;
  if (setting->file) PetscCall(CospinStoredStateLoad(problem, setting, faults, *state, ok));
  for (int c = 0; c < num && !setting->file; c++) {
    const CospinStateFactor *factor = NULL;
    PetscBool this_ok;
    for (int k = 0; k < setting->num_factors; k++) {
      if (setting->factors[k].component == c) factor = &setting->factors[k];
    }
    PetscCall(prepare(problem, c, factor, faults, *state, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  if (!*ok) PetscCall(CospinStateDestroy(state));
  PetscFunctionReturn(0);
}

/* Also of a state that was made half: factors without a name have no data. */
PetscErrorCode CospinStateDestroy(CospinState *state)
{
  PetscFunctionBeginUser;
  if (!*state) PetscFunctionReturn(0);
  for (int c = 0; c < (*state)->system->num_components; c++) {
    if ((*state)->factors[c].name) PetscCall((*state)->factors[c].name->Free((*state)->factors[c].data));
  }
  PetscCall(PetscFree((*state)->factors));
  PetscCall(PetscFree((*state)->entries));
  PetscCall(PetscFree(*state));
  PetscFunctionReturn(0);
}

/* ---- Elements ------------------------------------------------------------------------------------------ */

/* The component sees its own coordinates only. */
static double complex factor_element(CospinState state, int c, const int label[])
{
  const CospinComponent component = &state->system->components[c];
  const CospinLocalState *factor = &state->factors[c];

  return factor->name->Element(component, factor->data, label + component->offset);
}

/* Stops at the first factor that is zero: most labels of a product state have one. */
double complex CospinStateElement(CospinState state, const int label[])
{
  double complex element = 1.0;

  if (state->stored) return CospinStoredStateElement(state, label);
  for (int c = 0; c < state->system->num_components && element != 0.0; c++) {
    element *= factor_element(state, c, label);
  }
  return element;
}

/* Not collective but for the vector's own access: each rank fills what it owns. */
PetscErrorCode CospinStateVector(CospinState state, CospinSector sector, Vec u)
{
  PetscScalar *array;
  PetscInt begin, end;

  PetscFunctionBeginUser;
  PetscCall(VecGetOwnershipRange(u, &begin, &end));
  PetscCall(VecGetArray(u, &array));
  for (PetscInt i = begin; i < end; i++) {
    int label[COSPIN_MAX_COORDINATES];
    CospinSectorLabel(sector, i, label);
    array[i - begin] = (PetscScalar)CospinStateElement(state, label);
  }
  PetscCall(VecRestoreArray(u, &array));
  PetscFunctionReturn(0);
}

/* ---- Sectors ------------------------------------------------------------------------------------------- */

/* Labels are reduced to the representative of their sector at once, so that what is collected are sectors. */
typedef struct {
  CospinProblem problem;
  CospinState state;
  int n;
  PetscInt64 visits;
  int count, capacity; /* labels found, reduced; made unique whenever there is no room for another */
  int *labels;
} Collector;

/* Labels found are many and their cosets few, so duplicates are dropped only when room runs out. */
static PetscErrorCode add_label(Collector *collector, const int label[])
{
  const size_t n = (size_t)collector->n;
  int *place;

  PetscFunctionBeginUser;
  if (collector->count == collector->capacity) {
    PetscCall(CospinLabelsUnique(collector->n, &collector->count, collector->labels));
    if (2 * collector->count >= collector->capacity) {
      collector->capacity = 2 * collector->capacity + 1024;
      PetscCall(PetscRealloc(sizeof(int) * n * (size_t)collector->capacity, &collector->labels));
    }
  }
  place = collector->labels + (size_t)collector->count++ * n;
  PetscCall(PetscArraycpy(place, label, n));
  CospinLatticeReduce(collector->problem->lattice, place);
  PetscFunctionReturn(0);
}

/* Whether no diagonal element of an irrep is occupied, and so no other one: for components with one
   coordinate each for the irrep, ket and bra, in this order. */
static PetscBool is_empty_irrep(Collector *collector, int c, int label[])
{
  const CospinComponent component = &collector->state->system->components[c];
  int *own = label + component->offset, lo, hi;

  if (component->num_coordinates != 3 || component->kind->roles[0] != COSPIN_COORDINATE_IRREP)
    return PETSC_FALSE;
  component->kind->Range(component, 1, own, &lo, &hi);
  for (int n = lo; n <= hi; n++) {
    collector->visits++;
    own[1] = own[2] = n;
    if (factor_element(collector->state, c, label) != 0.0) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether all labels that begin with coordinates 0 ... i are known to have no element. */
static PetscBool is_zero(Collector *collector, int i, int label[])
{
  const CospinSystem *system = collector->state->system;

  for (int c = 0; c < system->num_components; c++) {
    const CospinComponent component = &system->components[c];
    if (component->offset == i && is_empty_irrep(collector, c, label)) return PETSC_TRUE;
    if (component->offset + component->num_coordinates == i + 1)
      return (PetscBool)(factor_element(collector->state, c, label) == 0.0);
    if (i >= component->offset && i < component->offset + component->num_coordinates &&
        component->kind->Vanishes)
      return component->kind->Vanishes(component, collector->state->factors[c].data, i - component->offset,
                                       label + component->offset);
  }
  return PETSC_FALSE;
}

/* All labels from coordinate i on, as far as the state is not zero there. A depth-first search; without
   is_zero it would go over every label there is. */
static PetscErrorCode visit_labels(Collector *collector, int i, int label[])
{
  const CospinSystem *system = collector->state->system;
  int lo, hi;

  PetscFunctionBeginUser;
  if (i == system->num_coordinates) {
    PetscCall(add_label(collector, label));
    PetscFunctionReturn(0);
  }
  CospinSystemRange(system, i, label, &lo, &hi);
  for (label[i] = lo; label[i] <= hi && collector->visits <= MAX_VISITS; label[i]++) {
    collector->visits++;
    if (!is_zero(collector, i, label)) PetscCall(visit_labels(collector, i + 1, label));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinStateSectors(CospinProblem problem, CospinState state, int *num, int **representatives)
{
  Collector collector = {.problem = problem, .state = state, .n = problem->system.num_coordinates};
  int label[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  if (!state->stored) PetscCall(visit_labels(&collector, 0, label));
  for (PetscInt64 k = 0; k < state->num_entries; k++) {
    if (state->entries[k].value == 0.0) continue;
    CospinStoredStateLabel(state, k, label);
    PetscCall(add_label(&collector, label));
  }
  PetscCall(CospinLabelsUnique(collector.n, &collector.count, collector.labels));
  *num = collector.count;
  *representatives = collector.labels;
  /* The list is then marked as not whole, which makes the task too large instead of wrong. */
  if (collector.visits > MAX_VISITS)
    PetscCall(CospinSectorsNotAll(problem->system.num_coordinates, num, representatives));
  PetscFunctionReturn(0);
}
