/*
   `cospin show --check`: the file by itself, then against the table that its own deck gives, then every point
   against what its outcome promises and every stored state against the generator.

   Nothing here trusts the program that wrote the file: the table is made from the deck that the file
   holds, promises of outcomes are rules of the tasks, and stored states are multiplied by the generator
   again. It needs as much memory as a product with the largest stored state.

   Order: the file by itself; the layout of its deck; each point's numbers; each stored state. A fault in one
   does not hide those of the next, unless they would follow from it.
*/
#include "findings.h"
#include <cospin/check/check.h>
#include <cospin/farm/machine.h>
#include <cospin/problem/array.h>
#include <cospin/store/parts.h>
#include <cospin/store/shard.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* One file under scrutiny: its deck and table, what was found, and how much there was. */
typedef struct {
  const char *file;
  PetscBool list; /* a shard */
  CospinFaults faults;
  CospinDeck deck;
  CospinTable table;
  PetscInt64 num_points, num_finished, num_bad, num_states, num_not_applied;
} Check;

/* ---- The deck ------------------------------------------------------------------------------------------ */

/* A deck that names files (arrays, states) cannot be evaluated where these are not. The identity has one
   line for each file that the deck reads. */
static PetscErrorCode names_files(const char file[], PetscBool *names)
{
  char why[1024], *identity = NULL;

  PetscFunctionBeginUser;
  *names = PETSC_FALSE;
  if (!CospinDatasetReadText(file, "identity", PETSC_FALSE, &identity, why, sizeof(why)))
    *names = (PetscBool)(strstr(identity, "\nchecksum of ") != NULL);
  PetscCall(PetscFree(identity));
  PetscFunctionReturn(0);
}

/* Files that the deck reads need not be where the dataset is now; then numbers cannot be compared, and that
   is no fault of the file. */
static PetscErrorCode complain_about_deck(Check *check, CospinFaults faults)
{
  PetscBool files;

  PetscFunctionBeginUser;
  PetscCall(names_files(check->file, &files));
  if (files) {
    printf("%s: the files that its deck names are not beside it, so its numbers have not been looked at\n",
           check->file);
    PetscFunctionReturn(0);
  }
  PetscCall(CospinFaultsAdd(check->faults, (CospinPosition){0, 0}, "deck/verbatim",
                            "is no deck that this version can read"));
  PetscCall(CospinFaultsView(faults, stderr));
  PetscFunctionReturn(0);
}

/* From the dataset itself, so that a deck that was changed since does not matter. */
static PetscErrorCode load_deck(Check *check)
{
  const CospinSchema schema = {CospinComponentRecords, CospinTaskRecords, CospinArrayRecords,
                               CospinTasksAlone, CospinTaskExpandedRecords};
  char why[1024], *text = NULL;
  CospinFaults faults;
  PetscBool ok;

  PetscFunctionBeginUser;
  if (CospinDatasetReadText(check->file, "verbatim", PETSC_FALSE, &text, why, sizeof(why)))
    PetscFunctionReturn(0);
  if (text[0]) { /* faults say where the deck stands; files are looked for beside the dataset */
    PetscCall(CospinFaultsCreate(check->file, &faults));
    PetscCall(CospinDeckRead(text, strlen(text), &schema, faults, &check->deck));
    ok = (PetscBool)(CospinFaultsCount(faults) == 0);
    if (ok) PetscCall(CospinTableCreate(check->deck, faults, &check->table, &ok));
    if (!ok) PetscCall(complain_about_deck(check, faults));
    PetscCall(CospinFaultsDestroy(&faults));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* ---- Points -------------------------------------------------------------------------------------------- */

/* The table's layout and, behind it in the record, the number that a shard gives each of its points. A
   copy of the table's layout with one variable more; names and dimensions are borrowed. */
static PetscErrorCode read_points(Check *check, CospinDatasetContent *content, PetscBool *ok)
{
  const CospinVariable number = {.name = COSPIN_POINT_LIST,
                                 .storage = COSPIN_INTEGER,
                                 .dimension = -1,
                                 .offset = check->table->layout.record_length,
                                 .size = 1};
  CospinLayout layout = check->table->layout;
  CospinVariable *variables;
  char why[1024];

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)layout.num_variables + 1, &variables));
  PetscCall(PetscArraycpy(variables, layout.variables, layout.num_variables));
  variables[layout.num_variables] = number;
  layout.variables = variables;
  if (check->list) layout.num_variables++;
  layout.record_length++;
  *ok = (PetscBool)(CospinDatasetRead(check->file, &layout, content, why, sizeof(why)) == 0);
  if (!*ok) PetscCall(CospinFaultsAdd(check->faults, (CospinPosition){0, 0}, "", "%s", why));
  PetscCall(PetscFree(variables));
  PetscFunctionReturn(0);
}

/* The point of the grid that a record is of, or -1 and a fault. Points of a grid are counted, points of a
   shard say their number; in both cases coordinates have to be those of the deck's axes. */
static PetscErrorCode number_of(Check *check, const CospinDatasetContent *content, size_t p,
                                PetscInt64 *number)
{
  const size_t length = (size_t)check->table->layout.record_length;
  const double said = check->list ? content->records[p * (length + 1) + length] : (double)p;
  int index[64];

  PetscFunctionBeginUser;
  *number = said >= 0 && said < (double)CospinDeckNumPoints(check->deck) ? (PetscInt64)said : -1;
  if (*number >= 0) CospinDeckPointIndex(check->deck, *number, index);
  for (int a = 0; *number >= 0 && a < check->deck->num_axes; a++) {
    const double wanted = check->deck->axes[a].values[index[a]],
                 found = content->coordinates[p * (size_t)check->deck->num_axes + (size_t)a];
    if (!(PetscAbsReal(found - wanted) <= 1e-14 * PetscAbsReal(wanted))) *number = -1;
  }
  if (*number < 0)
    PetscCall(CospinFaultsAdd(check->faults, (CospinPosition){0, 0}, COSPIN_POINT_LIST,
                              "its entry %zu is no point of the deck's grid", p));
  PetscFunctionReturn(0);
}

static PetscBool is_outcome(double value)
{
  for (int k = 0; CospinOutcomeNames[k]; k++)
    if (CospinOutcomeValues[k] == value) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* What stands above the tasks: the worst of their outcomes, time, memory, ranks. The point's outcome is
   the worst of its tasks' by definition, so it can be recomputed. */
static PetscErrorCode check_summary(Check *check, CospinPoint point, const double record[])
{
  const CospinTable table = check->table;
  const double outcome = record[table->outcome];
  double worst = COSPIN_GOOD;

  PetscFunctionBeginUser;
  for (int k = 0; k < check->deck->num_tasks; k++) {
    const double own = record[table->outcome_of_task[k]];
    worst = PetscMin(worst, own);
    if (!is_outcome(own))
      PetscCall(CospinCheckFault(check->faults, check->deck->tasks[k].name, point,
                                 "its outcome is %g, unknown", own));
  }
  if (check->deck->num_tasks && outcome != worst)
    PetscCall(CospinCheckFault(check->faults, "outcome", point, "is %g, but the worst of its tasks is %g",
                               outcome, worst));
  if (outcome == COSPIN_NOT_RUN) PetscFunctionReturn(0);
  if (!(record[table->seconds] >= 0))
    PetscCall(
        CospinCheckFault(check->faults, "seconds", point, "is %g, which is no time", record[table->seconds]));
  if (!(record[table->peak_memory] >= 0))
    PetscCall(CospinCheckFault(check->faults, "peak_memory", point, "is %g, which is no memory",
                               record[table->peak_memory]));
  if (!(record[table->ranks] >= 1))
    PetscCall(CospinCheckFault(check->faults, "ranks", point, "is %g", record[table->ranks]));
  PetscFunctionReturn(0);
}

/* ---- Stored states ------------------------------------------------------------------------------------- */

/* Where along the task's dimension a stored time stands. Found by the trace, which every task that stores
   states along a dimension has beside them. */
static int index_of_time(const CospinLayout *layout, const CospinTaskKind *kind, CospinResults results,
                         const CospinStoredGroup *group, int time)
{
  const CospinVariable *trace = CospinResultsFind(results, "trace");
  const CospinDimension *dimension =
      trace && trace->dimension >= 0 ? &layout->dimensions[trace->dimension] : NULL;

  if (group->time.size && (!group->time.values || kind->states_along)) return time; /* it counts */
  if (!group->time.size || !dimension || !dimension->values) return 0;
  for (int k = 0; k < dimension->size; k++)
    if (PetscAbsReal(dimension->values[k] - group->time.values[time]) <=
        1e-9 * PetscAbsReal(group->time.values[time]))
      return k;
  return dimension->size; /* nothing to compare with */
}

/* Every state of a task at this point, and that there are as many as it stores. A good task has stored all
   its states, unless it is one whose results may be missing by nature (counts that cannot occur). */
static PetscErrorCode check_group(Check *check, CospinPoint point, const CospinStoredGroup *group,
                                  CospinStored stored, double record[])
{
  const CospinRecord *task = &check->deck->tasks[group->task];
  const CospinResults results = CospinTableResults(check->table, check->deck, group->task, record);
  const int most = PetscMax(1, group->time.size);
  int found = 0;

  PetscFunctionBeginUser;
  for (int k = 0; stored && k < stored->count; k++) {
    const CospinStoredState state = stored->states[k];
    PetscBool applied;
    if (state->task != group->task) continue;
    found++;
    PetscCall(CospinCheckState(
        point, task, state, results,
        index_of_time(&check->table->layout, CospinTaskKindOf(task), results, group, state->time),
        check->faults, &applied));
    check->num_not_applied += !applied;
  }
  check->num_states += found;
  if (record[check->table->outcome_of_task[group->task]] == COSPIN_GOOD && found != most &&
      !(CospinTaskKindOf(task)->observables_miss && found > 0 && found < most)) /* and so may states */
    PetscCall(CospinCheckFault(check->faults, task->name, point,
                               "is good, but %d of its states %s stored, not %d", found,
                               found == 1 ? "is" : "are", most));
  PetscFunctionReturn(0);
}

/* The point's problem is made anew from the deck. On one process, whatever the run had: what a file says
   must not depend on that. */
static PetscErrorCode check_point(Check *check, PetscInt64 number, double record[], CospinStored stored)
{
  const double outcome = record[check->table->outcome];
  CospinPoint point;
  PetscBool ok;

  PetscFunctionBeginUser;
  check->num_finished += outcome != COSPIN_NOT_RUN;
  check->num_bad += outcome < 0;
  PetscCall(CospinPointCreate(PETSC_COMM_SELF, check->deck, number, NULL, &point, &ok));
  PetscCheck(ok, PETSC_COMM_SELF, PETSC_ERR_PLIB, "A deck that was checked does not evaluate");
  point->problem->bytes = CospinMachineBytes();
  PetscCall(check_summary(check, point, record));
  for (int k = 0; k < check->deck->num_tasks; k++)
    PetscCall(CospinCheckNumbers(point, &check->deck->tasks[k],
                                 CospinTableResults(check->table, check->deck, k, record),
                                 (int)record[check->table->outcome_of_task[k]], check->faults));
  for (int g = 0; g < check->table->layout.num_groups; g++)
    PetscCall(check_group(check, point, &check->table->layout.groups[g], stored, record));
  PetscCall(CospinPointDestroy(&point));
  PetscFunctionReturn(0);
}

/* One point after the other, so that memory is that of the largest. */
static PetscErrorCode check_points(Check *check)
{
  const size_t stride = (size_t)check->table->layout.record_length + 1;
  CospinDatasetContent content;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(read_points(check, &content, &ok));
  if (!ok) PetscFunctionReturn(0);
  check->num_points = (PetscInt64)content.num_points;
  for (size_t p = 0; p < content.num_points; p++) {
    PetscInt64 number;
    PetscCall(number_of(check, &content, p, &number));
    if (number >= 0) PetscCall(check_point(check, number, content.records + p * stride, content.stored[p]));
  }
  PetscCall(CospinDatasetContentFree(&content));
  PetscFunctionReturn(0);
}

/* ---- Files --------------------------------------------------------------------------------------------- */

/* Names, shapes, units and attributes of every variable, against what this program would have written. */
static PetscErrorCode compare_layout(Check *check)
{
  CospinLayout layout;

  PetscFunctionBeginUser;
  if (!check->list) {
    PetscCall(CospinDatasetCompare(check->file, &check->table->layout, check->faults));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinShardLayoutCreate(check->table, &layout));
  PetscCall(CospinDatasetCompare(check->file, &layout, check->faults));
  PetscCall(CospinShardLayoutFree(&layout));
  PetscFunctionReturn(0);
}

/* All faults, or one line that says what has been looked at. What could not be looked at is said behind
   it. */
static PetscErrorCode report(const Check *check, FILE *stream)
{
  const int count = CospinFaultsCount(check->faults);

  PetscFunctionBeginUser;
  PetscCall(CospinFaultsView(check->faults, stream));
  if (count) {
    fprintf(stream, "%s: NOT whole: %d fault%s\n", check->file, count, count == 1 ? "" : "s");
    PetscFunctionReturn(0);
  }
  fprintf(stream, "%s: whole", check->file);
  if (check->table)
    fprintf(stream, ": %" PetscInt64_FMT " of %" PetscInt64_FMT " points finished, %" PetscInt64_FMT " bad",
            check->num_finished, check->num_points, check->num_bad);
  if (check->num_states)
    fprintf(stream, ", %" PetscInt64_FMT " stored state%s", check->num_states,
            check->num_states == 1 ? "" : "s");
  fprintf(stream, "\n");
  if (check->num_not_applied)
    fprintf(stream, "  %" PetscInt64_FMT " of the states are too large to have L rho looked at here\n",
            check->num_not_applied);
  PetscFunctionReturn(0);
}

/* What does not need the deck first: the rest trusts that the file can be read. */
static PetscErrorCode check_file(const char file[], FILE *stream, PetscBool *ok)
{
  Check check = {.file = file};

  PetscFunctionBeginUser;
  PetscCall(CospinFaultsCreate(file, &check.faults));
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  PetscCall(CospinDatasetInspect(file, check.faults, &check.list));
  PetscCall(load_deck(&check));
  if (check.table) PetscCall(compare_layout(&check));
  if (check.table) PetscCall(check_points(&check));
  PetscCall(PetscPopErrorHandler());
  PetscCall(report(&check, stream));
  if (CospinFaultsCount(check.faults)) *ok = PETSC_FALSE;
  PetscCall(CospinTableDestroy(&check.table));
  PetscCall(CospinDeckDestroy(&check.deck));
  PetscCall(CospinFaultsDestroy(&check.faults));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinShowCheck(const char file[], FILE *stream, PetscBool *ok)
{
  CospinParts parts;
  char **names;
  int num = 0;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!CospinPartsFind(file, &parts)) {
    PetscCall(check_file(file, stream, ok));
    PetscFunctionReturn(0);
  }
  PetscCall(CospinPartsList(&parts, &num, &names));
  for (int k = 0; k < num; k++) PetscCall(check_file(names[k], stream, ok));
  if (!num) fprintf(stream, "%s: no point is finished\n", parts.folder);
  PetscCall(CospinPartsFreeList(num, &names));
  PetscFunctionReturn(0);
}
