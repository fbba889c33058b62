/* Rows of the results table, and the check of all grid points that goes with laying them out. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <cospin/point/point.h>
#include <cospin/problem/storage.h>
#include <cospin/store/table.h>
#include <cospin/tasks/tables.h>
#include <string.h>

typedef struct {
  CospinTable table;
  CospinDeck deck;
  CospinVariable *variables;
  int count, capacity, length;
  int num_dimensions;
  CospinDimension *dimensions; /* [num_tasks + 2*num_arrays*MAX_PARTS] at most */
  int *dimension_of_task;      /* -1: none */
} Builder;

/* What all grid points ask for. */
typedef struct {
  CospinDimension *of_tasks; /* [num_tasks] */
  int *of_parts;             /* [num_arrays][MAX_PARTS] sizes of parts of arrays */
} Wanted;

enum { MAX_PARTS = 32 };

/* "rate" and "time" stand for the deck's units. */
static const char *unit_of(CospinDeck deck, const char unit[])
{
  if (strcmp(unit, "rate") == 0) return deck->rate_unit;
  if (strcmp(unit, "time") == 0) return deck->time_unit;
  return unit;
}

static PetscErrorCode add(Builder *builder, const char name[], CospinStorage storage, int dimension,
                          const char unit[], const char long_name[], const char source[], int *offset)
{
  CospinVariable *variable;

  PetscFunctionBeginUser;
  if (builder->count == builder->capacity) {
    builder->capacity = 2 * builder->capacity + 32;
    PetscCall(PetscRealloc(sizeof(CospinVariable) * (size_t)builder->capacity, &builder->variables));
  }
  variable = &builder->variables[builder->count++];
  PetscCall(PetscArrayzero(variable, 1));
  variable->storage = storage;
  variable->size = dimension < 0 ? 1 : builder->dimensions[dimension].size;
  variable->dimension = dimension;
  variable->offset = builder->length;
  builder->length += variable->size;
  PetscCall(PetscSNPrintf(variable->name, sizeof(variable->name), "%s", name));
  PetscCall(PetscSNPrintf(variable->units, sizeof(variable->units), "%s", unit_of(builder->deck, unit)));
  PetscCall(PetscSNPrintf(variable->long_name, sizeof(variable->long_name), "%s", long_name));
  PetscCall(PetscSNPrintf(variable->source, sizeof(variable->source), "%s", source));
  if (offset) *offset = variable->offset;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_outcome(Builder *builder, const char name[], const char long_name[], int *offset)
{
  PetscFunctionBeginUser;
  PetscCall(add(builder, name, COSPIN_INTEGER, -1, "1", long_name, "0 not run, positive good, negative bad",
                offset));
  builder->variables[builder->count - 1].flags = CospinOutcomeNames;
  builder->variables[builder->count - 1].flag_values = CospinOutcomeValues;
  PetscFunctionReturn(0);
}

/* What the bad outcomes mean of a task, for its variable, the last one. */
static PetscErrorCode add_hints(Builder *builder, const CospinRecord *task)
{
  char hints[8192] = "", text[1024], *copy;

  PetscFunctionBeginUser;
  for (int k = 0; CospinOutcomeNames[k]; k++) {
    if (CospinOutcomeValues[k] >= 0) continue;
    CospinTaskDescribeOutcome(task, CospinOutcomeValues[k], text, sizeof(text));
    PetscCall(PetscStrlcat(hints, CospinOutcomeNames[k], sizeof(hints)));
    PetscCall(PetscStrlcat(hints, ": ", sizeof(hints)));
    PetscCall(PetscStrlcat(hints, text, sizeof(hints)));
    PetscCall(PetscStrlcat(hints, "\n", sizeof(hints)));
  }
  PetscCall(PetscStrallocpy(hints, &copy));
  builder->variables[builder->count - 1].flag_hints = copy;
  PetscFunctionReturn(0);
}

/* What a task adds to an observable's variable, the last one. */
static PetscErrorCode add_companions(Builder *builder, const CospinCompanion *companion, int dimension)
{
  PetscFunctionBeginUser;
  const CospinVariable of = builder->variables[builder->count - 1];
  for (; companion && companion->suffix; companion++) {
    char name[128], long_name[256];
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", of.name, companion->suffix));
    PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "%s, %s", of.long_name, companion->long_name));
    PetscCall(add(builder, name, COSPIN_REAL, dimension, of.units, long_name, of.name, NULL));
  }
  PetscFunctionReturn(0);
}

/* `behind` their names and, with `what` in front, their labels. */
static PetscErrorCode add_observables(Builder *builder, const CospinRecord *task, int dimension,
                                      CospinObservables observables, const char behind[], const char what[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    const CospinDefinition *definition = observable->definition;
    static const char *const parts[] = {"_re", "_im"}, *const meanings[] = {", real part",
                                                                            ", imaginary part"};
    const char *label = definition->label ? definition->label : definition->name;
    for (int part = 0; part < (observable->real ? 1 : 2); part++) {
      char name[96], long_name[160];
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s%s%s", task->name, definition->name,
                              observable->real ? "" : parts[part], behind));
      PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "%s%s%s", what, label,
                              observable->real ? "" : meanings[part]));
      PetscCall(add(builder, name, COSPIN_REAL, dimension, definition->unit ? definition->unit : "1",
                    long_name, CospinExpressionText(definition->expression), NULL));
      PetscCall(add_companions(builder, CospinTaskKindOf(task)->companions, dimension));
    }
  }
  PetscFunctionReturn(0);
}

/* What the task is about, for its variables' long names: <A> of its operator, or its sector. */
static PetscErrorCode task_subject(CospinDeck deck, const CospinRecord *task, char subject[], size_t size)
{
  FILE *stream = fmemopen(subject, size, "w");

  PetscFunctionBeginUser;
  PetscCheck(stream, PETSC_COMM_SELF, PETSC_ERR_MEM, "No memory for a long name");
  for (int k = 0; task->kind->keys[k].name; k++) {
    const CospinSetting *setting = &task->settings[k];
    const PetscBool has_operator = (PetscBool)(setting->key->type == COSPIN_KEY_OPERATOR && setting->text);
    if (has_operator) fprintf(stream, "<%s>", setting->text);
    if (setting->numbers) fputs("sector ", stream);
    if (setting->numbers) PetscCall(CospinDeckViewSector(deck, setting, stream));
    if (has_operator || setting->numbers) break;
  }
  (void)fclose(stream); /* ends the text, which may have been cut */
  subject[size - 1] = 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_task(Builder *builder, int k, CospinObservables observables)
{
  const CospinRecord *task = &builder->deck->tasks[k];
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  const int dimension = builder->dimension_of_task[k];
  char name[96], long_name[160], subject[128] = "";

  PetscFunctionBeginUser;
  PetscCall(task_subject(builder->deck, task, subject, sizeof(subject)));
  builder->table->first_of_task[k] = builder->count;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_outcome", task->name));
  PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "outcome of task %s", task->name));
  PetscCall(add_outcome(builder, name, long_name, &builder->table->outcome_of_task[k]));
  PetscCall(add_hints(builder, task));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_seconds", task->name));
  PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "time of task %s", task->name));
  PetscCall(add(builder, name, COSPIN_REAL, -1, "s", long_name, "", &builder->table->seconds_of_task[k]));
  for (const CospinTaskVariable *variable = kind->variables; variable->suffix; variable++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", task->name, variable->suffix));
    PetscCall(PetscSNPrintf(long_name, sizeof(long_name), variable->long_name, subject));
    PetscCall(add(builder, name, variable->storage, variable->along ? dimension : -1, variable->unit,
                  long_name, variable->source, NULL));
  }
  if (kind->has_observables)
    PetscCall(add_observables(builder, task, kind->observables_along ? dimension : -1, observables, "", ""));
  if (kind->observables_averaged)
    PetscCall(add_observables(builder, task, -1, observables, COSPIN_AVERAGE, "average: "));
  builder->table->first_of_task[k + 1] = builder->count;
  for (int v = builder->table->first_of_task[k]; v < builder->count; v++)
    builder->variables[v].approximation = kind->approximation;
  PetscFunctionReturn(0);
}

/* In the order of the offsets below. */
const CospinTaskVariable CospinPointVariables[] = {
    {"outcome", COSPIN_INTEGER, PETSC_FALSE, "1", "worst outcome of the tasks", ""},
    {"seconds", COSPIN_REAL, PETSC_FALSE, "s", "time of the grid point", ""},
    {"peak_memory", COSPIN_REAL, PETSC_FALSE, "byte", "peak memory, summed over the ranks of the point", ""},
    {"ranks", COSPIN_INTEGER, PETSC_FALSE, "1", "ranks that worked on the point", ""},
    {.suffix = NULL},
};

static PetscErrorCode add_point(Builder *builder)
{
  int *const offsets[] = {&builder->table->outcome, &builder->table->seconds, &builder->table->peak_memory,
                          &builder->table->ranks};
  const CospinTaskVariable *outcome = &CospinPointVariables[0];

  PetscFunctionBeginUser;
  PetscCall(add_outcome(builder, outcome->suffix, outcome->long_name, offsets[0]));
  for (int k = 1; CospinPointVariables[k].suffix; k++) {
    const CospinTaskVariable *row = &CospinPointVariables[k];
    PetscCall(
        add(builder, row->suffix, row->storage, -1, row->unit, row->long_name, row->source, offsets[k]));
  }
  PetscFunctionReturn(0);
}

/* Two tasks or an observable may have been named so that two variables collide. */
static PetscErrorCode check_names(Builder *builder, CospinFaults faults, PetscBool *ok)
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

static PetscErrorCode set_axes(CospinTable table, CospinDeck deck)
{
  CospinDimension *axes;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_axes + 1, &axes));
  for (int a = 0; a < deck->num_axes; a++) {
    const CospinAxis *axis = &deck->axes[a];
    axes[a] = (CospinDimension){axis->name, axis->size, axis->values, "1", axis->name};
    for (int k = 0; k < deck->num_parameters; k++) {
      const CospinDefinition *parameter = &deck->parameters[k];
      if (strcmp(parameter->name, axis->name) != 0) continue;
      if (parameter->unit) axes[a].units = unit_of(deck, parameter->unit);
      if (parameter->label) axes[a].long_name = parameter->label;
    }
  }
  table->layout.num_axes = deck->num_axes;
  table->layout.axes = axes;
  PetscFunctionReturn(0);
}

/* ---- Further dimensions -------------------------------------------------------------------------------- */

static PetscBool same_values(const CospinDimension *a, const CospinDimension *b)
{
  if (!a->values || !b->values) return (PetscBool)(a->values == b->values);
  if (a->size != b->size) return PETSC_FALSE;
  for (int k = 0; k < a->size; k++) {
    if (a->values[k] != b->values[k]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether another task has a dimension of this name with other values. */
static PetscBool is_ambiguous(int num, const CospinDimension wanted[], int k)
{
  for (int other = 0; other < num; other++) {
    if (!wanted[other].size || strcmp(wanted[other].name, wanted[k].name) != 0) continue;
    if (!same_values(&wanted[other], &wanted[k])) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscErrorCode add_dimension(Builder *builder, const char name[], const CospinDimension *wanted,
                                    int *index)
{
  CospinDimension *dimension;

  PetscFunctionBeginUser;
  for (*index = 0; *index < builder->num_dimensions; ++*index) {
    dimension = &builder->dimensions[*index];
    if (strcmp(dimension->name, name) != 0) continue;
    dimension->size = PetscMax(dimension->size, wanted->size);
    PetscFunctionReturn(0);
  }
  dimension = &builder->dimensions[builder->num_dimensions++];
  *dimension = *wanted;
  dimension->units = unit_of(builder->deck, wanted->units);
  PetscCall(PetscStrallocpy(name, (char **)(uintptr_t)&dimension->name));
  PetscFunctionReturn(0);
}

/* wanted[num_tasks]: as the tasks ask for them. */
static PetscErrorCode set_dimensions(Builder *builder, const CospinDimension wanted[])
{
  CospinDeck deck = builder->deck;
  char name[96];

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)(deck->num_tasks + 2 * deck->num_arrays * MAX_PARTS), &builder->dimensions));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &builder->dimension_of_task));
  for (int k = 0; k < deck->num_tasks; k++) {
    builder->dimension_of_task[k] = -1;
    if (!wanted[k].size) continue;
    if (is_ambiguous(deck->num_tasks, wanted, k))
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", deck->tasks[k].name, wanted[k].name));
    else
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s", wanted[k].name));
    PetscCall(add_dimension(builder, name, &wanted[k], &builder->dimension_of_task[k]));
  }
  PetscFunctionReturn(0);
}

/* ---- Parts of arrays ----------------------------------------------------------------------------------- */

/* `trap_spin`, and `trap_other_spin` for a matrix over them. */
static PetscErrorCode part_dimension(Builder *builder, const CospinArray *array, const char along[],
                                     const char prefix[], int size, int *index)
{
  const CospinDimension wanted = {.size = size, .units = "1", .long_name = along};
  char name[96];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%.60s_%s%s", array->name, prefix, along));
  PetscCall(add_dimension(builder, name, &wanted, index));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_part(Builder *builder, const CospinArray *array, const CospinArrayPart *part,
                               int size)
{
  const PetscBool same = (PetscBool)(part->rank == 2 && strcmp(part->along[0], part->along[1]) == 0);
  CospinVariable *variable;
  int index[2] = {-1, -1};
  char name[96];

  PetscFunctionBeginUser;
  for (int k = 0; k < part->rank; k++)
    PetscCall(part_dimension(builder, array, part->along[k], k && same ? "other_" : "", size, &index[k]));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%.60s_%s", array->name, part->name));
  PetscCall(
      add(builder, name, COSPIN_REAL, index[PetscMax(part->rank - 1, 0)], part->unit, part->help, "", NULL));
  variable = &builder->variables[builder->count - 1];
  if (part->rank < 2) PetscFunctionReturn(0);
  variable->outer = 1 + index[0];
  variable->size *= size;
  builder->length += variable->size - size;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_parts(Builder *builder, const int sizes[])
{
  const CospinDeck deck = builder->deck;

  PetscFunctionBeginUser;
  builder->table->first_of_arrays = builder->count;
  for (int k = 0; k < deck->num_arrays; k++) {
    const CospinArrayPart *parts = CospinArrayParts(&deck->arrays[k]);
    for (int part = 0; parts && parts[part].name; part++)
      PetscCall(add_part(builder, &deck->arrays[k], &parts[part], sizes[MAX_PARTS * k + part]));
  }
  PetscFunctionReturn(0);
}

void CospinTableStoreArrays(CospinTable table, CospinProblem problem, double record[])
{
  const CospinVariable *variable = table->layout.variables + table->first_of_arrays;

  for (int k = 0; k < problem->deck->num_arrays; k++) {
    for (int part = 0; part < problem->arrays[k].num_parts; part++, variable++) {
      const CospinArrayValue *value = &problem->arrays[k].parts[part];
      const int rows = value->rank == 2 ? value->size : 1, columns = value->rank ? value->size : 1;
      const int room = variable->outer ? table->layout.dimensions[variable->dimension].size : 0;
      for (int i = 0; i < rows * columns; i++)
        record[variable->offset + i / columns * room + i % columns] = creal(value->values[i]);
    }
  }
}

/* ---- Stored states ------------------------------------------------------------------------------------- */

/* A name of a group's own must not be that of an axis. */
static PetscErrorCode check_group_names(CospinDeck deck, const CospinStoredGroup *group, CospinFaults faults,
                                        PetscBool *ok)
{
  static const char *const taken[] = {"element", "first", "count", "value_re", "value_im"};
  const int num_taken = PETSC_STATIC_ARRAY_LENGTH(taken);
  char path[128];

  PetscFunctionBeginUser;
  for (int a = 0; a < deck->num_axes; a++) {
    for (int k = 0; k < num_taken + group->num_components + group->num_columns; k++) {
      const int c = k - num_taken, l = c - group->num_components;
      const char *name = c < 0 ? taken[k] : l < 0 ? group->sizes[c].name : group->columns[l].name;
      if (strcmp(name, deck->axes[a].name) != 0) continue;
      *ok = PETSC_FALSE;
      PetscCall(PetscSNPrintf(path, sizeof(path), "grid.%s", deck->axes[a].name));
      PetscCall(CospinFaultsAdd(faults, deck->axes[a].position, path,
                                "a part of the stored states is called `%s` too (rename the parameter)",
                                name));
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode set_groups(Builder *builder, const CospinSystem *system, CospinFaults faults,
                                 PetscBool *ok)
{
  CospinDeck deck = builder->deck;
  CospinLayout *layout = &builder->table->layout;
  CospinStoredGroup *groups;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &groups));
  layout->groups = groups;
  for (int k = 0; k < deck->num_tasks; k++) {
    const CospinTaskKind *kind = CospinTaskKindOf(&deck->tasks[k]);
    CospinStoredGroup *group = &groups[layout->num_groups];
    const CospinAxis *times;
    if (!kind->Stores || !kind->Stores(&deck->tasks[k], &times)) continue;
    PetscCall(CospinStorageCreate(system, group));
    group->name = deck->tasks[k].name;
    group->task = k;
    if (kind->states_along) group->time = builder->dimensions[builder->dimension_of_task[k]];
    if (times) group->time = (CospinDimension){"time", times->size, times->values, deck->time_unit, "time"};
    PetscCall(check_group_names(deck, group, faults, ok));
    layout->num_groups++;
  }
  PetscFunctionReturn(0);
}

/* Everything that needs numbers, at one grid point. */
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
    PetscCall(CospinTaskKindOf(&deck->tasks[k])
                  ->Check((*point)->problem, &deck->tasks[k], faults, &dimension, &task_ok));
    if (!task_ok) *ok = PETSC_FALSE;
    if (dimension.size > wanted->of_tasks[k].size) wanted->of_tasks[k] = dimension;
  }
  for (int k = 0; k < deck->num_arrays; k++) {
    const CospinArrayValue *array = &(*point)->problem->arrays[k];
    for (int part = 0; part < array->num_parts; part++) {
      int *size = &wanted->of_parts[MAX_PARTS * k + part];
      *size = PetscMax(*size, array->parts[part].size);
    }
  }
  PetscFunctionReturn(0);
}

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

static PetscErrorCode build(CospinDeck deck, CospinFaults faults, const Wanted *wanted, CospinPoint first,
                            CospinTable *table, PetscBool *ok)
{
  Builder builder = {.deck = deck};
  CospinTable new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  builder.table = new;
  PetscCall(PetscCalloc1((size_t)deck->num_tasks + 1, &new->first_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->outcome_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->seconds_of_task));
  PetscCall(set_axes(new, deck));
  PetscCall(set_dimensions(&builder, wanted->of_tasks));
  PetscCall(add_point(&builder));
  PetscCall(add_parts(&builder, wanted->of_parts));
  for (int k = 0; k < deck->num_tasks; k++) PetscCall(add_task(&builder, k, first->observables));
  new->layout.num_dimensions = builder.num_dimensions;
  new->layout.dimensions = builder.dimensions;
  new->layout.variables = builder.variables;
  new->layout.num_variables = builder.count;
  new->layout.record_length = builder.length;
  PetscCall(check_names(&builder, faults, ok));
  PetscCall(set_groups(&builder, &first->problem->system, faults, ok));
  PetscCall(PetscFree(builder.dimension_of_task));
  PetscCall(CospinTableCheckPlots(new, deck, faults, ok));
  *table = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableCreate(CospinDeck deck, CospinFaults faults, CospinTable *table, PetscBool *ok)
{
  CospinPoint first = NULL;
  Wanted wanted;

  PetscFunctionBeginUser;
  *table = NULL;
  deck->approximate = CospinTasksAreApproximate(deck); /* before any point is made */
  PetscCall(PetscCalloc2((size_t)deck->num_tasks, &wanted.of_tasks, (size_t)(deck->num_arrays * MAX_PARTS),
                         &wanted.of_parts));
  PetscCall(check_points(deck, faults, &wanted, &first, ok));
  if (*ok) PetscCall(build(deck, faults, &wanted, first, table, ok));
  PetscCall(PetscFree2(wanted.of_tasks, wanted.of_parts));
  if (!*ok) PetscCall(CospinTableDestroy(table));
  PetscCall(CospinPointDestroy(&first));
  PetscFunctionReturn(0);
}

/* Whether every task is, as far as they can be read: then the fewest things are faults. */
static PetscBool may_be_approximate(CospinDeck deck)
{
  for (int k = 0; k < deck->num_tasks; k++)
    if (deck->tasks[k].kind && !CospinTaskKindOf(&deck->tasks[k])->approximation) return PETSC_FALSE;
  return PETSC_TRUE;
}

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
    PetscCall(CospinTaskKindOf(&deck->tasks[k])->Check(problem, &deck->tasks[k], faults, &dimension, &ok));
  }
  PetscCall(CospinObservablesDestroy(&observables));
  PetscCall(CospinProblemDestroy(&problem));
  PetscFunctionReturn(0);
}

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

void CospinTableClear(CospinTable table, double record[])
{
  for (int k = 0; k < table->layout.record_length; k++) record[k] = NAN;
  for (int v = 0; v < table->layout.num_variables; v++) {
    const CospinVariable *variable = &table->layout.variables[v];
    if (variable->flags) record[variable->offset] = COSPIN_NOT_RUN;
  }
}

CospinResults CospinTableResults(CospinTable table, CospinDeck deck, int task, double record[])
{
  return (CospinResults){.variables = table->layout.variables + table->first_of_task[task],
                         .count = table->first_of_task[task + 1] - table->first_of_task[task],
                         .prefix_length = strlen(deck->tasks[task].name) + 1,
                         .record = record};
}
