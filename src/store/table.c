/*
   How a table of results comes about: every grid point is made and checked once, which tells the largest size
   that each task and array wants of its own dimension (`times` and windows may depend on the grid), and then
   the columns are laid out with room for the largest. Points where a dimension is shorter leave NaN at its
   end.

   What the columns are stands in columns.c, groups of stored states in groups.c. All of it is done by every
   rank alone: a deck of 10^5 points is checked within seconds, as no operator is built.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "builder.h"
#include <cospin/point/point.h>
#include <cospin/problem/storage.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* What all grid points ask for. Sizes only ever grow from point to point. */
typedef struct {
  CospinDimension *of_tasks; /* [num_tasks][1 + COSPIN_TASK_FURTHER] */
  int *of_parts;             /* [num_arrays][COSPIN_TABLE_MAX_PARTS] sizes of parts of arrays */
  int *of_spins;             /* [2] what l and m of observables with `each:` run over */
} Wanted;

/* Two tasks or an observable may have been named so that two variables collide. `a_b` + `c` and `a` +
   `b_c` are one name. An axis called `mode` would be taken for that dimension by readers. */
static PetscErrorCode check_names(CospinTableBuilder *builder, CospinFaults faults, PetscBool *ok)
{
  CospinDeck deck = builder->deck;
  char path[128];

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_tasks; k++) {
    for (int v = builder->table->first_of_task[k]; v < builder->table->first_of_task[k + 1]; v++) {
      for (int other = 0; other < v; other++) {
        if (strcmp(builder->variables[v].name, builder->variables[other].name) != 0) continue;
        *ok = PETSC_FALSE;
        PetscCall(CospinFaultsAdd(faults, deck->tasks[k].position, "tasks",
                                  "two variables would be called `%s` (rename the task or the observable)",
                                  builder->variables[v].name));
      }
    }
  }
  for (int a = 0; a < deck->num_axes; a++) {
    for (int v = -builder->num_dimensions; v < builder->count; v++) {
      const char *taken = v < 0 ? builder->dimensions[-v - 1].name : builder->variables[v].name;
      if (strcmp(taken, deck->axes[a].name) != 0 && strcmp("mode", deck->axes[a].name) != 0) continue;
      *ok = PETSC_FALSE;
      PetscCall(PetscSNPrintf(path, sizeof(path), "grid.%s", deck->axes[a].name));
      PetscCall(CospinFaultsAdd(faults, deck->axes[a].position, path,
                                "a result is called `%s` too (rename the parameter)", deck->axes[a].name));
    }
  }
  PetscFunctionReturn(0);
}

/* Dimensions of a task at one point; where it has faults only its own is asked for. */
static PetscErrorCode want_dimensions(CospinProblem problem, const CospinRecord *task,
                                      const CospinDimension *own, PetscBool ok, CospinDimension wanted[])
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);

  PetscFunctionBeginUser;
  if (own->size > wanted[0].size) wanted[0] = *own;
  for (int k = 0; ok && kind->Further && k < COSPIN_TASK_FURTHER; k++) {
    CospinDimension dimension = {0};
    PetscCall(kind->Further(problem, task, k, &dimension));
    if (dimension.size > wanted[1 + k].size) wanted[1 + k] = dimension;
  }
  PetscFunctionReturn(0);
}

/* Values for every spin need a place, which tasks have not that add numbers of their own to each observable,
   or whose moments are approximate. */
static PetscErrorCode want_spins(const CospinObservables observables, const CospinRecord *task,
                                 CospinFaults faults, int wanted[2], PetscBool *ok)
{
  const CospinTaskKind *kind = CospinTaskKindOf(task);

  PetscFunctionBeginUser;
  for (int k = 0; observables && k < observables->count && kind->has_observables; k++) {
    const CospinObservable *observable = &observables->observables[k];
    const CospinExpression expression = observable->definition->expression;
    if (!observable->definition->each || observable->at[0] || observable->at[1]) continue;
    for (int i = 0; i < 2; i++) wanted[i] = PetscMax(wanted[i], observable->size[i]);
    if (!kind->companions && !kind->observables_averaged && !kind->approximation) continue;
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                              "task %s has no place for a value of every spin (steady and evolve have; name "
                              "the spins, <q.sz[0]>, or add them up, {sum: ...})",
                              task->name));
  }
  PetscFunctionReturn(0);
}

/* Everything that needs numbers, at one grid point. At one grid point nothing is computed but values of
 * expressions; problems are made and dropped. */
static PetscErrorCode check_point(CospinDeck deck, PetscInt64 number, CospinFaults faults,
                                  const Wanted *wanted, CospinPoint *point, PetscBool *ok)
{
  char where[256];

  PetscFunctionBeginUser;
  PetscCall(CospinDeckDescribePoint(deck, number, where, sizeof(where)));
  PetscCall(CospinFaultsSetWhere(faults, number ? where : NULL)); /* at the first it is the deck's fault */
  PetscCall(CospinPointCreate(PETSC_COMM_SELF, deck, number, faults, point, ok));
  if (!(*point)->problem || !(*point)->problem->generator) PetscFunctionReturn(0);
  for (int k = 0; k < deck->num_tasks; k++) {
    PetscBool task_ok;
    CospinDimension dimension = {0};
    PetscCall(CospinTaskCheck((*point)->problem, &deck->tasks[k], faults, &dimension, &task_ok));
    if (!task_ok) *ok = PETSC_FALSE;
    PetscCall(want_spins((*point)->observables, &deck->tasks[k], faults, wanted->of_spins, ok));
    PetscCall(want_dimensions((*point)->problem, &deck->tasks[k], &dimension, task_ok,
                              wanted->of_tasks + (size_t)k * (1 + COSPIN_TASK_FURTHER)));
  }
  for (int k = 0; k < deck->num_arrays; k++) {
    const CospinArrayValue *array = &(*point)->problem->arrays[k];
    for (int part = 0; part < array->num_parts; part++) {
      int *size = &wanted->of_parts[COSPIN_TABLE_MAX_PARTS * k + part];
      *size = PetscMax(*size, array->parts[part].size);
    }
  }
  PetscFunctionReturn(0);
}

/* The first point is kept: it names the columns. A fault at a later one says at which. Ends at the first
   point with a fault: the next ones would most likely have the same, and a grid may have millions. */
static PetscErrorCode check_points(CospinDeck deck, CospinFaults faults, const Wanted *wanted,
                                   CospinPoint *first, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (PetscInt64 number = 0; number < CospinDeckNumPoints(deck) && *ok; number++) {
    CospinPoint point;
    PetscCall(check_point(deck, number, faults, wanted, &point, ok));
    if (number == 0) *first = point;
    if (number != 0) PetscCall(CospinPointDestroy(&point));
  }
  PetscCall(CospinFaultsSetWhere(faults, NULL));
  PetscFunctionReturn(0);
}

/* Axes, then tasks in the order of the deck, then what every point has. Faults of names do not end the
   building: the table is destroyed by whoever asked for it. */
static PetscErrorCode build(CospinDeck deck, CospinFaults faults, const Wanted *wanted, CospinPoint first,
                            CospinTable *table, PetscBool *ok)
{
  CospinTableBuilder builder = {.deck = deck, .spins = {wanted->of_spins[0], wanted->of_spins[1]}};
  CospinTable new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  builder.table = new;
  PetscCall(PetscCalloc1((size_t)deck->num_tasks + 1, &new->first_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->outcome_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->seconds_of_task));
  PetscCall(CospinTableSetAxes(new, deck));
  PetscCall(CospinTableSetDimensions(&builder, wanted->of_tasks));
  PetscCall(CospinTableAddPoint(&builder));
  PetscCall(CospinTableAddArrays(&builder, wanted->of_parts));
  for (int k = 0; k < deck->num_tasks; k++) PetscCall(CospinTableAddTask(&builder, k, first->observables));
  new->layout.num_dimensions = builder.num_dimensions;
  new->layout.dimensions = builder.dimensions;
  new->layout.variables = builder.variables;
  new->layout.num_variables = builder.count;
  new->layout.record_length = builder.length;
  PetscCall(check_names(&builder, faults, ok));
  PetscCall(CospinTableSetGroups(&builder, &first->problem->system, faults, ok));
  PetscCall(PetscFree(builder.dimension_of_task));
  PetscCall(CospinTableCheckPlots(new, deck, faults, ok));
  *table = new;
  PetscFunctionReturn(0);
}

/* `approximate` decides whether problems have generators at all: mean-field decks have more spins than
   labels could be counted. */
PetscErrorCode CospinTableCreate(CospinDeck deck, CospinFaults faults, CospinTable *table, PetscBool *ok)
{
  CospinPoint first = NULL;
  Wanted wanted;

  PetscFunctionBeginUser;
  *table = NULL;
  deck->approximate = CospinTasksAreApproximate(deck); /* before any point is made */
  PetscCall(PetscCalloc3((size_t)deck->num_tasks * (1 + COSPIN_TASK_FURTHER), &wanted.of_tasks,
                         (size_t)(deck->num_arrays * COSPIN_TABLE_MAX_PARTS), &wanted.of_parts, 2,
                         &wanted.of_spins));
  PetscCall(check_points(deck, faults, &wanted, &first, ok));
  if (*ok) PetscCall(build(deck, faults, &wanted, first, table, ok));
  PetscCall(PetscFree3(wanted.of_tasks, wanted.of_parts, wanted.of_spins));
  if (!*ok) PetscCall(CospinTableDestroy(table));
  PetscCall(CospinPointDestroy(&first));
  PetscFunctionReturn(0);
}

/* Whether every task is, as far as they can be read: then the fewest things are faults. A deck whose tasks
 * are all approximate may have more spins than any sector could be counted of. */
static PetscBool may_be_approximate(CospinDeck deck)
{
  for (int k = 0; k < deck->num_tasks; k++)
    if (deck->tasks[k].kind && !CospinTaskKindOf(&deck->tasks[k])->approximation) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* For decks that have faults already: what can still be checked is, with the parts that are sound, and at
   the first point only. Nothing that it says may follow from a fault told before. */
PetscErrorCode CospinTableAddFaults(CospinDeck deck, CospinFaults faults)
{
  CospinObservables observables = NULL;
  CospinProblem problem;
  PetscBool ok;

  PetscFunctionBeginUser;
  if (!deck->problem_sound) PetscFunctionReturn(0);
  deck->approximate = may_be_approximate(deck);
  PetscCall(CospinProblemCreate(deck, 0, faults, &problem, &ok));
  if (problem->generator && deck->observables_sound)
    PetscCall(CospinObservablesCreate(problem, faults, &observables, &ok));
  for (int k = 0; k < deck->num_tasks && problem->generator && deck->tasks_sound && deck->observables_sound;
       k++) {
    CospinDimension dimension = {0};
    PetscCall(CospinTaskCheck(problem, &deck->tasks[k], faults, &dimension, &ok));
  }
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(CospinProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

/* Cast away const: they are lent as constant to all who read the layout. */
static PetscErrorCode free_groups(CospinLayout *layout)
{
  CospinStoredGroup *groups = (CospinStoredGroup *)(uintptr_t)layout->groups;

  PetscFunctionBeginUser;
  for (int k = 0; k < layout->num_groups; k++) PetscCall(CospinStorageDestroy(&groups[k]));
  PetscCall(PetscFree(groups));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_variables(CospinLayout *layout)
{
  PetscFunctionBeginUser;
  for (int v = 0; v < layout->num_variables; v++) {
    char *hints = (char *)(uintptr_t)layout->variables[v].flag_hints;
    PetscCall(PetscFree(hints));
  }
  PetscCall(PetscFree(layout->variables));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_name(const CospinDimension *dimension)
{
  char *name = (char *)(uintptr_t)dimension->name;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(name));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableDestroy(CospinTable *table)
{
  PetscFunctionBeginUser;
  if (!*table) PetscFunctionReturn(0);
  PetscCall(PetscFree((*table)->layout.axes));
  PetscCall(free_groups(&(*table)->layout));
  for (int k = 0; k < (*table)->layout.num_dimensions; k++)
    PetscCall(free_name(&(*table)->layout.dimensions[k]));
  PetscCall(PetscFree((*table)->layout.dimensions));
  PetscCall(free_variables(&(*table)->layout));
  PetscCall(PetscFree((*table)->first_of_task));
  PetscCall(PetscFree((*table)->outcome_of_task));
  PetscCall(PetscFree((*table)->seconds_of_task));
  PetscCall(PetscFree(*table));
  PetscFunctionReturn(0);
}

/* Outcomes are not NaN but COSPIN_NOT_RUN, which is what tells an unfinished point. */
void CospinTableClear(CospinTable table, double record[])
{
  for (int k = 0; k < table->layout.record_length; k++) record[k] = NAN;
  for (int v = 0; v < table->layout.num_variables; v++) {
    const CospinVariable *variable = &table->layout.variables[v];
    if (variable->flags) record[variable->offset] = COSPIN_NOT_RUN;
  }
}

/* A task sees its own columns only, and without its name in front. */
CospinResults CospinTableResults(CospinTable table, CospinDeck deck, int task, double record[])
{
  return (CospinResults){.variables = table->layout.variables + table->first_of_task[task],
                         .count = table->first_of_task[task + 1] - table->first_of_task[task],
                         .prefix_length = strlen(deck->tasks[task].name) + 1,
                         .record = record};
}
