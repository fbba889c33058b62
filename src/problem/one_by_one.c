/*
   Which kind of component a deck needs where one kind stands in for another (CospinComponentKind.one_by_one):
   atoms of several levels stay in states that are symmetric under permutations as long as nothing acts on one
   of them alone. A deck does not declare that; it follows from what it says of the component:

     - a jump `each:` with an operator of one atom (`q.sm`, `q.e[0,1]`),
     - a state, of any task, that only the larger kind knows (`populations`).

   Expressions are looked at as texts, for names mean nothing before there are components.
*/
#include "problem_impl.h"
#include <string.h>

typedef struct {
  const CospinComponentKind *kind;
  CospinDeck deck;
  int component;
  PetscBool found;
} Search;

/* An operator of one atom of this component? */
static PetscErrorCode look_at_name(void *context, const char name[], int num_index)
{
  Search *search = (Search *)context;
  const char *operator= CospinDeckOperatorOf(search->deck, search->component, name);

  PetscFunctionBeginUser;
  (void)num_index;
  if (!operator) PetscFunctionReturn(0);
  for (const CospinOperatorName *known = search->kind->operators; known->name; known++)
    if (known->one_spin && strcmp(known->name, operator) == 0) search->found = PETSC_TRUE;
  PetscFunctionReturn(0);
}

static PetscBool knows_state(const CospinComponentKind *kind, const char name[])
{
  for (const CospinStateName *known = kind->states; known->name; known++)
    if (strcmp(known->name, name) == 0) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A state of this component that only the other kind has, in one of a task's keys; NULL: none. */
static const CospinStateFactor *find_state(const CospinRecord *task, int c, const CospinComponentKind *kind)
{
  for (int k = 0; task->settings && task->kind->keys[k].name; k++) {
    const CospinSetting *setting = &task->settings[k];
    for (int f = 0; f < setting->num_factors; f++) {
      const CospinStateFactor *factor = &setting->factors[f];
      if (factor->component == c && !knows_state(kind, factor->name) &&
          knows_state(kind->one_by_one, factor->name))
        return factor;
    }
  }
  return NULL;
}

/* What tasks that read no labels know, they know of the smaller kind; no process of one atom is among it. */
static PetscErrorCode refuse(CospinDeck deck, CospinPosition at, const char path[], const char name[],
                             CospinFaults faults, PetscBool *ok)
{
  const char *who = deck->approximate ? "approximate tasks know"
                    : deck->operator_form == COSPIN_OPERATOR_EXPANSION
                        ? "`operator: expansion` knows"
                        : "`operator: shell` (products of matrices) knows";

  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, at, path,
                            "single atoms of `%s`, atoms of several levels, are beyond what %s (exact tasks "
                            "with a generator that is assembled have them: steady, gap, decay, evolve, ...)",
                            name, who));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemKindOf(CospinDeck deck, int c, CospinFaults faults,
                                   const CospinComponentKind **kind, PetscBool *ok)
{
  const CospinRecord *record = &deck->components[c];
  const PetscBool assembled =
      (PetscBool)(!deck->approximate && deck->operator_form <= COSPIN_OPERATOR_ASSEMBLED);
  Search search = {*kind, deck, c, PETSC_FALSE};
  CospinPosition at = record->position;
  const char *path = "components";

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!(*kind)->one_by_one) PetscFunctionReturn(0);
  for (int k = 0; k < deck->num_jumps && !search.found; k++) {
    if (deck->jumps[k].form != COSPIN_JUMP_EACH) continue;
    PetscCall(CospinExpressionVisitNames(deck->jumps[k].op, look_at_name, &search));
    at = CospinExpressionPosition(deck->jumps[k].op);
    path = CospinExpressionPath(deck->jumps[k].op);
  }
  for (int k = 0; k < deck->num_tasks && !search.found; k++) {
    const CospinStateFactor *state = find_state(&deck->tasks[k], c, *kind);
    search.found = (PetscBool)(state != NULL);
    if (state) at = state->position;
    if (state) path = state->path;
  }
  if (!search.found) PetscFunctionReturn(0);
  if (assembled)
    *kind = (*kind)->one_by_one;
  else
    PetscCall(refuse(deck, at, path, record->name, faults, ok));
  PetscFunctionReturn(0);
}
