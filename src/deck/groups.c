/*
   Groups: `groups: K` in the line of a component makes K components of it, which share everything that the
   line says. Behind this file there are only components, named NAME_0, NAME_1, ..., each with a copy of the
   line's settings at the line's place in the text, so that faults of any of them point at what the user
   wrote.

   In expressions a group is spoken of in three ways: `g[2].Sz` is an operator of one member, `g.Sz` the sum
   over all of them, and in `sum:`, `each:` and `pairs:` the index of a term runs over members as it runs over
   spins. `each:` over a group is one jump for each member, and is read as so many.

   Why copies and not a component that knows of members: everything behind the deck (sectors, windows, moves,
   states, files) is made for components that may be alike or not, and the problem is the same. What it costs
   is that the permutations of equal groups are not made use of. The name of a member, g_0, is a word of YAML
   and of netCDF, which `g[0]` is not; in expressions it is the other way round, since there the number may be
   an index.

   The index of a term is `l` (and `m`), as of spins. `k` is another word for `l`, because everybody numbers
   groups by it; it is one only where no parameter, array or component is called so, since decks that have one
   go on to mean it.
*/
#include "read_impl.h"
#include <math.h>
#include <string.h>

enum { MOST_MEMBERS = 1000 };

const CospinComponentGroup *CospinDeckGroupOf(CospinDeck deck, const char name[], PetscBool *member)
{
  const size_t length = strcspn(name, ".[");

  if (member) *member = (PetscBool)(strncmp(name + length, "[].", 3) == 0);
  for (int g = 0; g < deck->num_groups; g++) {
    const CospinComponentGroup *group = &deck->groups[g];
    if (strlen(group->name) == length && strncmp(group->name, name, length) == 0) return group;
  }
  return NULL;
}

const CospinComponentGroup *CospinDeckGroupWith(CospinDeck deck, int component)
{
  for (int g = 0; g < deck->num_groups; g++) {
    const CospinComponentGroup *group = &deck->groups[g];
    if (component >= group->first && component < group->first + group->count) return group;
  }
  return NULL;
}

const char *CospinDeckOperatorOf(CospinDeck deck, int component, const char name[])
{
  const char *dot = strchr(name, '.'), *own = deck->components[component].name;
  const CospinComponentGroup *group = CospinDeckGroupOf(deck, name, NULL);

  if (!dot) return NULL;
  if (group) return group == CospinDeckGroupWith(deck, component) ? dot + 1 : NULL;
  return strlen(own) == (size_t)(dot - name) && strncmp(own, name, strlen(own)) == 0 ? dot + 1 : NULL;
}

PetscBool CospinDeckIndexIsK(CospinDeck deck)
{
  for (int k = 0; k < deck->num_arrays; k++)
    if (!strcmp(deck->arrays[k].name, "k")) return PETSC_FALSE;
  for (int k = 0; k < deck->num_components; k++)
    if (!strcmp(deck->components[k].name, "k")) return PETSC_FALSE;
  return (PetscBool)(CospinParameterFind(deck, "k") < 0);
}

/* How many there are is the same at all points: variables and sectors are named after components. */
PetscErrorCode CospinReadGroupSize(CospinReader *reader, const CospinRecord *record, int *count)
{
  double number = 0;
  PetscBool ok;

  PetscFunctionBeginUser;
  *count = 0;
  for (int k = 0; record->settings && record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];
    if (strcmp(setting->key->name, "groups") || !setting->expression) continue;
    PetscCall(CospinReadConstant(reader, setting->expression, &number, &ok));
    if (ok && number == floor(number) && number >= 1 && number <= MOST_MEMBERS)
      *count = (int)number;
    else if (ok)
      PetscCall(CospinFaultsAdd(reader->faults, setting->position, CospinExpressionPath(setting->expression),
                                "must be a whole number from 1 to %d, not %g", (int)MOST_MEMBERS, number));
  }
  PetscFunctionReturn(0);
}

/* What members are called must be free, and what the group is called, too. */
PetscErrorCode CospinCheckGroupNames(CospinReader *reader)
{
  const CospinDeck deck = reader->deck;

  PetscFunctionBeginUser;
  for (int c = 0; c < deck->num_components; c++) {
    const CospinComponentGroup *group = CospinDeckGroupWith(deck, c);
    const char *name = deck->components[c].name, *what = NULL;

    if (!group) continue;
    if (CospinParameterFind(deck, name) >= 0) what = "parameter";
    for (int k = 0; k < deck->num_components; k++)
      if (k != c && !strcmp(deck->components[k].name, name)) what = "component";
    if (what)
      PetscCall(CospinFaultsAdd(reader->faults, deck->components[c].position, "components",
                                "`%s` is component %d of the group `%s`, and a %s, too (rename one of them)",
                                name, c - group->first, group->name, what));
  }
  PetscFunctionReturn(0);
}

/* What an operator of `each:` says of groups. */
typedef struct {
  CospinDeck deck;
  const CospinComponentGroup *group;
  int num_groups; /* of different names, at most 2 */
  int size;       /* of the first; -1: of several sizes */
  PetscBool plain, member, indexed;
} Named;

static PetscErrorCode look_at_name(void *context, const char name[], int num_index)
{
  Named *named = (Named *)context;
  PetscBool member;
  const CospinComponentGroup *group = CospinDeckGroupOf(named->deck, name, &member);

  PetscFunctionBeginUser;
  (void)num_index;
  if (!strcmp(name, "l") || !strcmp(name, "m") || (!strcmp(name, "k") && CospinDeckIndexIsK(named->deck)))
    named->indexed = PETSC_TRUE;
  if (!group || !strchr(name, '.')) PetscFunctionReturn(0);
  if (group != named->group) named->num_groups++;
  if (!named->group) named->size = group->count;
  if (named->group && group->count != named->size) named->size = -1;
  named->group = group;
  if (member)
    named->member = PETSC_TRUE;
  else
    named->plain = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* `each: g.sm` and `each: g[l].sm` run over the members of g, `each: g[0].sm` does not. A group without a
   number beside another one could mean its sum or its member l: that has to be said. */
PetscErrorCode CospinReadGroupJump(CospinReader *reader, const CospinJump *jump, int *count)
{
  Named named = {.deck = reader->deck};
  const char *what = NULL;

  PetscFunctionBeginUser;
  *count = 0;
  if (jump->form != COSPIN_JUMP_EACH || !jump->op) PetscFunctionReturn(0);
  PetscCall(CospinExpressionVisitNames(jump->op, look_at_name, &named));
  if (named.plain && (named.member || named.num_groups > 1))
    what = "a group without a number beside another one (write the index of each, as in g[l].Sm*h[l].Sz)";
  else if (named.indexed && named.size < 0)
    what = "runs over the components of groups of different sizes";
  if (what)
    PetscCall(CospinFaultsAdd(reader->faults, CospinExpressionPosition(jump->op),
                              CospinExpressionPath(jump->op), "%s", what));
  else if (named.plain || (named.member && named.indexed))
    *count = named.size;
  PetscFunctionReturn(0);
}
