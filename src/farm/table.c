/* Rows of the results table, and the check of all grid points that goes with laying them out. */
#include <cospin/point.h>
#include <cospin/table.h>
#include <string.h>

typedef struct {
  CospinTable table;
  CospinDeck deck;
  CospinVariable *variables;
  int count, capacity, length;
} Builder;

/* "rate" and "time" stand for the deck's units. */
static const char *unit_of(CospinDeck deck, const char unit[])
{
  if (strcmp(unit, "rate") == 0) return deck->rate_unit;
  if (strcmp(unit, "time") == 0) return deck->time_unit;
  return unit;
}

static PetscErrorCode add(Builder *builder, const char name[], CospinStorage storage, int size,
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
  variable->size = size ? size : 1;
  variable->dimension = size ? 0 : -1;
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
  PetscCall(add(builder, name, COSPIN_INTEGER, 0, "1", long_name, "0 not run, positive good, negative bad",
                offset));
  builder->variables[builder->count - 1].flags = CospinOutcomeNames;
  builder->variables[builder->count - 1].flag_values = CospinOutcomeValues;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_observables(Builder *builder, const CospinRecord *task,
                                      CospinObservables observables)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    const CospinDefinition *definition = observable->definition;
    static const char *const parts[] = {"_re", "_im"};
    for (int part = 0; part < (observable->real ? 1 : 2); part++) {
      char name[96];
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s%s", task->name, definition->name,
                              observable->real ? "" : parts[part]));
      PetscCall(add(builder, name, COSPIN_REAL, 0, definition->unit ? definition->unit : "1",
                    definition->label ? definition->label : definition->name,
                    CospinExpressionText(definition->expression), NULL));
    }
  }
  PetscFunctionReturn(0);
}

/* Text of the operator that the task is about, for its variables' long names. */
static const char *task_operator(const CospinRecord *task)
{
  for (int k = 0; task->kind->keys[k].name; k++) {
    if (task->kind->keys[k].type == COSPIN_KEY_OPERATOR && task->settings[k].text)
      return task->settings[k].text;
  }
  return "";
}

static PetscErrorCode add_task(Builder *builder, int k, int num_modes, CospinObservables observables)
{
  const CospinRecord *task = &builder->deck->tasks[k];
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  char name[96], long_name[160];

  PetscFunctionBeginUser;
  builder->table->first_of_task[k] = builder->count;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_outcome", task->name));
  PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "outcome of task %s", task->name));
  PetscCall(add_outcome(builder, name, long_name, &builder->table->outcome_of_task[k]));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_seconds", task->name));
  PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "time of task %s", task->name));
  PetscCall(add(builder, name, COSPIN_REAL, 0, "s", long_name, "", &builder->table->seconds_of_task[k]));
  for (const CospinTaskVariable *variable = kind->variables; variable->suffix; variable++) {
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", task->name, variable->suffix));
    PetscCall(PetscSNPrintf(long_name, sizeof(long_name), variable->long_name, task_operator(task)));
    PetscCall(add(builder, name, variable->storage, variable->per_mode ? num_modes : 0, variable->unit,
                  long_name, variable->source, NULL));
  }
  if (kind->has_observables) PetscCall(add_observables(builder, task, observables));
  builder->table->first_of_task[k + 1] = builder->count;
  PetscFunctionReturn(0);
}

static PetscErrorCode add_point(Builder *builder)
{
  CospinTable table = builder->table;

  PetscFunctionBeginUser;
  PetscCall(add_outcome(builder, "outcome", "worst outcome of the tasks", &table->outcome));
  PetscCall(add(builder, "seconds", COSPIN_REAL, 0, "s", "time of the grid point", "", &table->seconds));
  PetscCall(add(builder, "peak_memory", COSPIN_REAL, 0, "byte",
                "peak memory, summed over the ranks of the point", "", &table->peak_memory));
  PetscCall(
      add(builder, "ranks", COSPIN_INTEGER, 0, "1", "ranks that worked on the point", "", &table->ranks));
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
      for (int other = 0; other < builder->count; other++) {
        if (other == v || strcmp(builder->variables[v].name, builder->variables[other].name) != 0) continue;
        if (other > v) continue; /* reported once */
        *ok = PETSC_FALSE;
        PetscCall(CospinFaultsAdd(faults, deck->tasks[k].position, "tasks",
                                  "two variables would be called `%s` (rename the task or the observable)",
                                  builder->variables[v].name));
      }
    }
    for (int a = 0; a < deck->num_axes; a++) {
      for (int v = -1; v < builder->count; v++) {
        const char *taken = v < 0 ? "mode" : builder->variables[v].name;
        if (strcmp(taken, deck->axes[a].name) != 0) continue;
        *ok = PETSC_FALSE;
        PetscCall(PetscSNPrintf(path, sizeof(path), "grid.%s", deck->axes[a].name));
        PetscCall(CospinFaultsAdd(faults, deck->axes[a].position, path,
                                  "a result is called `%s` too (rename the parameter)", deck->axes[a].name));
      }
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode set_dimensions(CospinTable table, CospinDeck deck, int num_modes)
{
  CospinDimension *axes, *modes;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_axes + 1, &axes));
  PetscCall(PetscCalloc1(1, &modes));
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
  *modes = (CospinDimension){"mode", num_modes, NULL, "1", "mode, slowest first"};
  table->layout.num_axes = deck->num_axes;
  table->layout.axes = axes;
  table->layout.num_dimensions = num_modes ? 1 : 0;
  table->layout.dimensions = modes;
  PetscFunctionReturn(0);
}

/* Everything that needs numbers, at one grid point. */
static PetscErrorCode check_point(CospinDeck deck, PetscInt64 number, CospinFaults faults, int *num_modes,
                                  CospinPoint *point, PetscBool *ok)
{
  char where[256];

  PetscFunctionBeginUser;
  PetscCall(CospinDeckDescribePoint(deck, number, where, sizeof(where)));
  PetscCall(CospinFaultsSetWhere(faults, number ? where : NULL)); /* at the first it is the deck's fault */
  PetscCall(CospinPointCreate(PETSC_COMM_SELF, deck, number, faults, point, ok));
  if (!(*point)->problem || !(*point)->problem->generator) PetscFunctionReturn(0);
  for (int k = 0; k < deck->num_tasks; k++) {
    PetscBool task_ok;
    int modes;
    PetscCall(CospinTaskKindOf(&deck->tasks[k])
                  ->Check((*point)->problem, &deck->tasks[k], faults, &modes, &task_ok));
    if (!task_ok) *ok = PETSC_FALSE;
    *num_modes = PetscMax(*num_modes, modes);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode check_points(CospinDeck deck, CospinFaults faults, int *num_modes, CospinPoint *first,
                                   PetscBool *ok)
{
  PetscFunctionBeginUser;
  *num_modes = 0;
  *ok = PETSC_TRUE;
  for (PetscInt64 number = 0; number < CospinDeckNumPoints(deck) && *ok; number++) {
    CospinPoint point;
    PetscCall(check_point(deck, number, faults, num_modes, &point, ok));
    if (number == 0) *first = point;
    if (number != 0) PetscCall(CospinPointDestroy(&point));
  }
  PetscCall(CospinFaultsSetWhere(faults, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode build(CospinDeck deck, CospinFaults faults, int num_modes,
                            CospinObservables observables, CospinTable *table, PetscBool *ok)
{
  Builder builder = {.deck = deck};
  CospinTable new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  builder.table = new;
  PetscCall(PetscCalloc1((size_t)deck->num_tasks + 1, &new->first_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->outcome_of_task));
  PetscCall(PetscCalloc1((size_t)deck->num_tasks, &new->seconds_of_task));
  PetscCall(add_point(&builder));
  for (int k = 0; k < deck->num_tasks; k++) PetscCall(add_task(&builder, k, num_modes, observables));
  PetscCall(set_dimensions(new, deck, num_modes));
  new->layout.variables = builder.variables;
  new->layout.num_variables = builder.count;
  new->layout.record_length = builder.length;
  PetscCall(check_names(&builder, faults, ok));
  PetscCall(CospinTableCheckPlots(new, deck, faults, ok));
  *table = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableCreate(CospinDeck deck, CospinFaults faults, CospinTable *table, PetscBool *ok)
{
  CospinPoint first = NULL;
  int num_modes;

  PetscFunctionBeginUser;
  *table = NULL;
  PetscCall(check_points(deck, faults, &num_modes, &first, ok));
  if (*ok) PetscCall(build(deck, faults, num_modes, first->observables, table, ok));
  if (!*ok) PetscCall(CospinTableDestroy(table));
  PetscCall(CospinPointDestroy(&first));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableDestroy(CospinTable *table)
{
  PetscFunctionBeginUser;
  if (!*table) PetscFunctionReturn(0);
  PetscCall(PetscFree((*table)->layout.axes));
  PetscCall(PetscFree((*table)->layout.dimensions));
  PetscCall(PetscFree((*table)->layout.variables));
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
