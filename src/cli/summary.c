/*
   The table that a run ends with: a few columns for each grid point, those that a user looks for first,
   and how many points ended badly, with what that means of each task. Everything is in the dataset; what
   does not fit into the width of a terminal is left out here.

   Of a variable along a dimension one value is shown: the slowest mode, the last time.
*/
#include <cospin/cli/report.h>
#include <cospin/tasks/tables.h>
#include <string.h>

/* A screen of rows; everything is in the dataset. */
enum { MAX_ROWS = 40, MAX_COLUMNS = 7 };

/* Columns of the summary: what a user looks for first, observables and rates. In the order of the table,
   which is the deck's. Own variables of a task stand in front of its observables. */
static int choose_columns(CospinDeck deck, CospinTable table, int columns[MAX_COLUMNS])
{
  int num = 0;

  for (int k = 0; k < deck->num_tasks; k++) {
    const CospinTaskKind *kind = CospinTaskKindOf(&deck->tasks[k]);
    int own = 2; /* behind outcome and seconds */
    for (const CospinTaskVariable *row = kind->variables; row->suffix; row++) own++;
    for (int v = table->first_of_task[k]; v < table->first_of_task[k + 1]; v++) {
      const CospinVariable *variable = &table->layout.variables[v];
      const char *suffix = variable->name + strlen(deck->tasks[k].name);
      const PetscBool observable = (PetscBool)(v >= table->first_of_task[k] + own);
      if ((observable || strcmp(suffix, "_rate") == 0) && num < MAX_COLUMNS) columns[num++] = v;
    }
  }
  return num;
}

static void print_header(CospinDeck deck, CospinTable table, int num, const int columns[], FILE *stream)
{
  for (int a = 0; a < deck->num_axes; a++) fprintf(stream, "%12s ", deck->axes[a].name);
  for (int c = 0; c < num; c++) fprintf(stream, "%20s ", table->layout.variables[columns[c]].name);
  fprintf(stream, "%9s  outcome\n", "seconds");
}

/* Of several values the one that a user looks for first: the slowest mode, the last time. A dimension with
   values is a time or frequency, one without is a list of modes. */
static double shown_value(CospinTable table, int column, const double record[])
{
  const CospinVariable *variable = &table->layout.variables[column];
  const PetscBool last =
      (PetscBool)(variable->dimension >= 0 && table->layout.dimensions[variable->dimension].values != NULL);

  return record[variable->offset + (last ? variable->size - 1 : 0)];
}

/* Ten digits of results: enough to compare two runs by eye, fewer than rounding shows in. */
static void print_row(CospinDeck deck, CospinTable table, int num, const int columns[], PetscInt64 point,
                      const double record[], FILE *stream)
{
  int index[64];

  CospinDeckPointIndex(deck, point, index);
  for (int a = 0; a < deck->num_axes; a++) fprintf(stream, "%12.6g ", deck->axes[a].values[index[a]]);
  for (int c = 0; c < num; c++) fprintf(stream, "%20.10g ", shown_value(table, columns[c], record));
  fprintf(stream, "%9.3g  %s\n", record[table->seconds], CospinOutcomeName((int)record[table->outcome]));
}

/* column: where the outcomes stand in a record, of points or of one task. Counted anew for each outcome: a
   few walks over the records at the end of a run. */
static PetscInt64 count_outcome(CospinTable table, PetscInt64 num_points, const double records[], int column,
                                int outcome)
{
  PetscInt64 count = 0;

  for (PetscInt64 p = 0; p < num_points; p++) {
    count += (int)records[p * table->layout.record_length + column] == outcome;
  }
  return count;
}

/* What the bad outcomes mean of the tasks that ended so. By task, since one outcome means different things
   of different tasks. */
static void print_hints(CospinDeck deck, CospinTable table, PetscInt64 num_points, const double records[],
                        FILE *stream)
{
  for (int t = 0; t < deck->num_tasks; t++) {
    for (int k = 0; CospinOutcomeNames[k]; k++) {
      const int outcome = CospinOutcomeValues[k];
      char text[1024];
      if (outcome >= 0 || !count_outcome(table, num_points, records, table->outcome_of_task[t], outcome))
        continue;
      CospinTaskDescribeOutcome(&deck->tasks[t], outcome, text, sizeof(text));
      fprintf(stream, "%s of %s: %s\n", CospinOutcomeNames[k], deck->tasks[t].name, text);
    }
  }
}

/* All outcomes that occur, good ones first. */
static void print_counts(CospinTable table, PetscInt64 num_points, const double records[], FILE *stream)
{
  fprintf(stream, "%" PetscInt64_FMT " point%s:", num_points, num_points == 1 ? "" : "s");
  for (int k = 0; CospinOutcomeNames[k]; k++) {
    const PetscInt64 count =
        count_outcome(table, num_points, records, table->outcome, CospinOutcomeValues[k]);
    if (count) fprintf(stream, " %" PetscInt64_FMT " %s", count, CospinOutcomeNames[k]);
  }
  fprintf(stream, "\n");
}

/* Rows of the points that were run: all, or the first and the last of them. Of many points the first and
   the last twenty, so that what is said behind them stays on the screen. */
static void print_rows(CospinDeck deck, CospinTable table, const double records[], PetscInt64 num_run,
                       FILE *stream)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  int columns[MAX_COLUMNS], num = choose_columns(deck, table, columns);

  print_header(deck, table, num, columns, stream);
  for (PetscInt64 p = 0, row = 0; p < num_points; p++) {
    const double *record = records + p * table->layout.record_length;
    if (record[table->outcome] == COSPIN_NOT_RUN) continue;
    if (num_run > MAX_ROWS && row == MAX_ROWS / 2) fprintf(stream, "%12s\n", "...");
    if (num_run <= MAX_ROWS || row < MAX_ROWS / 2 || row >= num_run - MAX_ROWS / 2)
      print_row(deck, table, num, columns, p, record, stream);
    row++;
  }
}

/* Counted also where nothing is printed (--quiet): the exit status depends on it. */
PetscErrorCode CospinSummaryView(CospinDeck deck, CospinTable table, const double records[], FILE *stream,
                                 PetscInt64 *num_bad, PetscInt64 *num_missing)
{
  const PetscInt64 num_points = CospinDeckNumPoints(deck);
  const int length = table->layout.record_length;

  PetscFunctionBeginUser;
  *num_missing = count_outcome(table, num_points, records, table->outcome, COSPIN_NOT_RUN);
  *num_bad = 0;
  for (PetscInt64 p = 0; p < num_points; p++) *num_bad += records[p * length + table->outcome] < 0;
  if (!stream) PetscFunctionReturn(0);
  if (*num_missing < num_points) print_rows(deck, table, records, num_points - *num_missing, stream);
  print_counts(table, num_points, records, stream);
  print_hints(deck, table, num_points, records, stream);
  PetscFunctionReturn(0);
}
