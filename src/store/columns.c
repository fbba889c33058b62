/*
   The columns of the table of results: for each task its outcome, its variables, those of its observables and
   the seconds it took; parts of arrays; and what every grid point has. A column is named <task>_<what>, its
   place in a point's record of doubles is the sum of the sizes before it, and a dimension of its own (`time`,
   `mode`) is shared by all tasks that ask for the same values under this name; where the values differ the
   task's name stands in front.
*/
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "builder.h"
#include <cospin/tasks/tables.h>
#include <string.h>

/* "rate" and "time" stand for the deck's units. */
static const char *unit_of(CospinDeck deck, const char unit[])
{
  if (strcmp(unit, "rate") == 0) return deck->rate_unit;
  if (strcmp(unit, "time") == 0) return deck->time_unit;
  return unit;
}

/* `units`: "rate" and "time" become those of the deck. Places are given in the order of adding: a record
   is written and read by offsets alone. */
static PetscErrorCode add(CospinTableBuilder *builder, const char name[], CospinStorage storage,
                          int dimension, const char unit[], const char long_name[], const char source[],
                          int *offset)
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

/* Names and values of outcomes are attributes of the variable (CF's flags), so that a reader needs no table
   of its own. */
static PetscErrorCode add_outcome(CospinTableBuilder *builder, const char name[], const char long_name[],
                                  int *offset)
{
  PetscFunctionBeginUser;
  PetscCall(add(builder, name, COSPIN_INTEGER, -1, "1", long_name, "0 not run, positive good, negative bad",
                offset));
  builder->variables[builder->count - 1].flags = CospinOutcomeNames;
  builder->variables[builder->count - 1].flag_values = CospinOutcomeValues;
  PetscFunctionReturn(0);
}

/* What the bad outcomes mean of a task, for its variable, the last one. One line an outcome, "name:
   sentence"; bad ones only (dataset/show.c reads them). */
static PetscErrorCode add_hints(CospinTableBuilder *builder, const CospinRecord *task)
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

/* What a task adds to an observable's variable, the last one. Copied first, for the list may move when it
   grows. */
static PetscErrorCode add_companions(CospinTableBuilder *builder, const CospinCompanion *companion,
                                     int dimension)
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

/* Of tasks that share a name and the values; sizes without values (modes) may differ, and the largest is laid
   out. */
static PetscErrorCode add_dimension(CospinTableBuilder *builder, const char name[],
                                    const CospinDimension *wanted, int *index)
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

/* An observable with `each:` has its values along dimensions of its own behind the task's; the last variable
   gets them. */
static PetscErrorCode add_spins(CospinTableBuilder *builder, const CospinObservable *observable)
{
  static const char *const names[] = {"spin", "spin2"};
  int dimensions[3], rank = 0, size;

  PetscFunctionBeginUser;
  if (!observable->definition->each) PetscFunctionReturn(0);
  rank = CospinVariableDimensions(&builder->variables[builder->count - 1], dimensions);
  size = builder->variables[builder->count - 1].size;
  for (int i = 0; i < 2; i++) {
    const CospinDimension wanted = {.size = builder->spins[i],
                                    .units = "1",
                                    .long_name = i ? "second spin (or group)" : "spin (or group)"};
    if (!observable->size[i]) continue;
    builder->variables[builder->count - 1].inner[i] = wanted.size;
    PetscCall(add_dimension(builder, names[i], &wanted, &dimensions[rank++]));
  }
  CospinVariable *variable = &builder->variables[builder->count - 1];
  variable->size *= PetscMax(variable->inner[0], 1) * PetscMax(variable->inner[1], 1);
  builder->length += variable->size - size;
  variable->dimension = dimensions[rank - 1];
  variable->outer = rank > 1 ? 1 + dimensions[0] : 0;
  variable->middle = rank > 2 ? 1 + dimensions[1] : 0;
  PetscFunctionReturn(0);
}

/* `behind` their names and, with `what` in front, their labels. Unit and label are the deck's; the
   expression is kept as `source`, so that a file says what its numbers are. */
static PetscErrorCode add_observables(CospinTableBuilder *builder, const CospinRecord *task, int dimension,
                                      CospinObservables observables, const char behind[], const char what[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < observables->count; k++) {
    const CospinObservable *observable = &observables->observables[k];
    const CospinDefinition *definition = observable->definition;
    static const char *const parts[] = {"_re", "_im"}, *const meanings[] = {", real part",
                                                                            ", imaginary part"};
    const char *label = definition->label ? definition->label : definition->name;
    if (definition->each && (observable->at[0] || observable->at[1])) continue; /* they share a variable */
    for (int part = 0; part < (observable->real ? 1 : 2); part++) {
      char name[96], long_name[160];
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s%s%s", task->name, definition->name,
                              observable->real ? "" : parts[part], behind));
      PetscCall(PetscSNPrintf(long_name, sizeof(long_name), "%s%s%s", what, label,
                              observable->real ? "" : meanings[part]));
      PetscCall(add(builder, name, COSPIN_REAL, dimension, definition->unit ? definition->unit : "1",
                    long_name, CospinExpressionText(definition->expression), NULL));
      PetscCall(add_spins(builder, observable));
      PetscCall(add_companions(builder, CospinTaskKindOf(task)->companions, dimension));
    }
  }
  PetscFunctionReturn(0);
}

/* What the task is about, for its variables' long names: <A> of its operator, or its sector. The first
   operator or sector among its keys; two tasks of a kind are then told apart in every picture. */
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

/* In this order in the file, too: outcome, time, results, observables, averages. */
PetscErrorCode CospinTableAddTask(CospinTableBuilder *builder, int k, CospinObservables observables)
{
  const CospinRecord *task = &builder->deck->tasks[k];
  const CospinTaskKind *kind = CospinTaskKindOf(task);
  const int *dimensions = builder->dimension_of_task + (size_t)k * (1 + COSPIN_TASK_FURTHER);
  const int dimension = dimensions[0];
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
    const int along = variable->along ? dimensions[variable->along - 1] : -1;
    if (variable->along > 1 && along < 0) continue;
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", task->name, variable->suffix));
    PetscCall(PetscSNPrintf(long_name, sizeof(long_name), variable->long_name, subject));
    PetscCall(
        add(builder, name, variable->storage, along, variable->unit, long_name, variable->source, NULL));
  }
  if (kind->has_observables)
    PetscCall(add_observables(builder, task, kind->observables_along ? dimension : -1, observables, "", ""));
  if (kind->observables_averaged)
    PetscCall(add_observables(builder, task, -1, observables, COSPIN_AVERAGE, "average: "));
  builder->table->first_of_task[k + 1] = builder->count;
  /* Every variable of an approximate task says so in its attributes. */
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

PetscErrorCode CospinTableAddPoint(CospinTableBuilder *builder)
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

/* An axis has the unit and label of the parameter that it overrides. */
PetscErrorCode CospinTableSetAxes(CospinTable table, CospinDeck deck)
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

/* Equal to the bit, since they become coordinates. */
static PetscBool same_values(const CospinDimension *a, const CospinDimension *b)
{
  if (!a->values || !b->values) return (PetscBool)(a->values == b->values);
  if (a->size != b->size) return PETSC_FALSE;
  for (int k = 0; k < a->size; k++) {
    if (a->values[k] != b->values[k]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether another task has a dimension of this name with other values. Then all tasks that use the name
   have theirs in front, and not only the second one: which comes first is an accident. */
static PetscBool is_ambiguous(int num, const CospinDimension wanted[], int k)
{
  for (int other = 0; other < num; other++) {
    if (!wanted[other].size || strcmp(wanted[other].name, wanted[k].name) != 0) continue;
    if (!same_values(&wanted[other], &wanted[k])) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* wanted[num_tasks][1 + COSPIN_TASK_FURTHER]: as the tasks ask for them. */
PetscErrorCode CospinTableSetDimensions(CospinTableBuilder *builder, const CospinDimension wanted[])
{
  enum { EACH = 1 + COSPIN_TASK_FURTHER };
  CospinDeck deck = builder->deck;
  const int num = deck->num_tasks * EACH;
  char name[96];

  PetscFunctionBeginUser;
  PetscCall(
      PetscCalloc1((size_t)(num + 2 * deck->num_arrays * COSPIN_TABLE_MAX_PARTS + 2), &builder->dimensions));
  PetscCall(PetscCalloc1((size_t)num, &builder->dimension_of_task));
  for (int k = 0; k < num; k++) {
    builder->dimension_of_task[k] = -1;
    if (!wanted[k].size) continue;
    if (is_ambiguous(num, wanted, k))
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s_%s", deck->tasks[k / EACH].name, wanted[k].name));
    else
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s", wanted[k].name));
    PetscCall(add_dimension(builder, name, &wanted[k], &builder->dimension_of_task[k]));
  }
  PetscFunctionReturn(0);
}

/* ---- Parts of arrays ----------------------------------------------------------------------------------- */

/* `trap_spin`, and `trap_other_spin` for a matrix over them. Matrices over spins have two dimensions,
   which netCDF wants under two names although they have one length. */
static PetscErrorCode part_dimension(CospinTableBuilder *builder, const CospinArray *array,
                                     const char along[], const char prefix[], int size, int *index)
{
  const CospinDimension wanted = {.size = size, .units = "1", .long_name = along};
  char name[96];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof(name), "%.60s_%s%s", array->name, prefix, along));
  PetscCall(add_dimension(builder, name, &wanted, index));
  PetscFunctionReturn(0);
}

/* A matrix has two dimensions of its own; `outer` is the slower one. */
static PetscErrorCode add_part(CospinTableBuilder *builder, const CospinArray *array,
                               const CospinArrayPart *part, int size)
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

/* Of generators that make several things (a crystal: positions, modes, couplings); plain lists are in the
   deck already. */
PetscErrorCode CospinTableAddArrays(CospinTableBuilder *builder, const int sizes[])
{
  const CospinDeck deck = builder->deck;

  PetscFunctionBeginUser;
  builder->table->first_of_arrays = builder->count;
  for (int k = 0; k < deck->num_arrays; k++) {
    const CospinArrayPart *parts = CospinArrayParts(&deck->arrays[k]);
    for (int part = 0; parts && parts[part].name; part++)
      PetscCall(add_part(builder, &deck->arrays[k], &parts[part], sizes[COSPIN_TABLE_MAX_PARTS * k + part]));
  }
  PetscFunctionReturn(0);
}

/* Arrays may depend on the grid, so each point has its own. `room` is the length of a row in the record,
   which is the largest of all points; this point's rows may be shorter. */
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
