/*
   Whether the pictures that a deck asks for can be drawn: the axes and variables they name must be there.

   A plot names variables in full ("decay_rate") or by what stands behind the task's name if only one task
   has it; faults name what there is.

   Checked here and not where plots are read, because only the table knows which variables the tasks of this
   deck have.
*/
#include <cospin/store/table.h>
#include <string.h>

/* The table that plots are compared with. */
typedef struct {
  CospinTable table;
  CospinDeck deck;
  CospinFaults faults;
  PetscBool *ok;
} Checker;

/* With what there is, or with the nearest name. `otherwise` is what there is, or how names are made, where
   none is near. */
static PetscErrorCode fail(Checker *checker, int plot, const char key[], const char what[], const char name[],
                           const char *const known[], const char otherwise[])
{
  const char *guess = CospinSuggest(name, known);
  char path[64], meant[256];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(path, sizeof(path), "plots[%d].%s", plot, key));
  if (guess) PetscCall(PetscSNPrintf(meant, sizeof(meant), "did you mean `%.200s`?", guess));
  PetscCall(CospinFaultsAdd(checker->faults, checker->deck->plots[plot].position, path,
                            "there is no %s `%.200s` (%s)", what, name, guess ? meant : otherwise));
  *checker->ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Axes of the grid and dimensions of tasks (time, mode) alike. NULL: the plot does not name one, and the
   Python side chooses. */
static PetscErrorCode check_axis(Checker *checker, int plot, const char key[], const char name[])
{
  const CospinLayout *layout = &checker->table->layout;
  const char **known;
  char list[512] = "the grid has no axes";
  int count = 0;
  PetscBool found = PETSC_FALSE;

  PetscFunctionBeginUser;
  if (!name) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)(layout->num_axes + layout->num_dimensions) + 1, &known));
  for (int k = 0; k < layout->num_axes; k++) known[count++] = layout->axes[k].name;
  for (int k = 0; k < layout->num_dimensions; k++) known[count++] = layout->dimensions[k].name;
  for (int k = 0; k < count; k++) {
    if (strcmp(known[k], name) == 0) found = PETSC_TRUE;
    if (k == 0) PetscCall(PetscSNPrintf(list, sizeof(list), "known: "));
    if (k) PetscCall(PetscStrlcat(list, ", ", sizeof(list)));
    PetscCall(PetscStrlcat(list, known[k], sizeof(list)));
  }
  if (!found) PetscCall(fail(checker, plot, key, "axis", name, known, list));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* Whether `name` is the variable, or what stands behind the name of its task. "rate" fits decay_rate and
   gap_rate; which of them is meant the picture's other keys decide. */
static PetscBool fits(const char variable[], const char name[])
{
  const size_t length = strlen(variable), end = strlen(name);

  if (strcmp(variable, name) == 0) return PETSC_TRUE;
  return (PetscBool)(length > end + 1 && variable[length - end - 1] == '_' &&
                     strcmp(variable + length - end, name) == 0);
}

/* In full, or by what stands behind the task's name. */
static PetscErrorCode check_variable(Checker *checker, int plot, const char key[], const char name[])
{
  const CospinLayout *layout = &checker->table->layout;
  const char **known;
  PetscBool found = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)layout->num_variables + 1, &known));
  for (int k = 0; k < layout->num_variables; k++) {
    known[k] = layout->variables[k].name;
    if (fits(known[k], name)) found = PETSC_TRUE;
  }
  if (!found)
    PetscCall(fail(checker, plot, key, "variable", name, known,
                   "it is TASK_OBSERVABLE or TASK_RESULT, such as steady_inversion and decay_rate"));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* The group of stored states that a Wigner function is drawn of; NULL and a fault if there is none. */
static PetscErrorCode find_group(Checker *checker, int plot, const CospinStoredGroup **group)
{
  const CospinLayout *layout = &checker->table->layout;
  const char *task = checker->deck->plots[plot].task;
  const char **known;

  PetscFunctionBeginUser;
  *group = NULL;
  PetscCall(PetscCalloc1((size_t)layout->num_groups + 1, &known));
  for (int g = 0; g < layout->num_groups; g++) {
    known[g] = layout->groups[g].name;
    if (task ? strcmp(known[g], task) == 0 : layout->num_groups == 1) *group = &layout->groups[g];
  }
  if (!*group)
    PetscCall(fail(checker, plot, "task", "task that stores states", task ? task : "(not said)", known,
                   layout->num_groups ? "say which of those with `store: state`"
                                      : "a task stores them with `store: state`"));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* A picture of a stored state needs a task that stores, and a component of its kind. With several
   components one must be named, since a Wigner function has one mode or one spin. */
static PetscErrorCode check_wigner(Checker *checker, int plot)
{
  const char *component = checker->deck->plots[plot].component;
  const CospinStoredGroup *group;
  const char **known;
  PetscBool found = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(find_group(checker, plot, &group));
  if (!group) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)group->num_components + 1, &known));
  for (int c = 0; c < group->num_components; c++) {
    known[c] = group->components[c].name;
    if (component ? strcmp(known[c], component) == 0 : group->num_components == 1) found = PETSC_TRUE;
  }
  if (!found)
    PetscCall(fail(checker, plot, "component", "component", component ? component : "(not said)", known,
                   "say which: the others are traced out"));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* Of an array that has ions and modes. */
static PetscErrorCode check_crystal(Checker *checker, int plot)
{
  const CospinDeck deck = checker->deck;
  const char *array = deck->plots[plot].array;
  const char **known;
  int count = 0;
  PetscBool found = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)deck->num_arrays + 1, &known));
  for (int k = 0; k < deck->num_arrays; k++) {
    const CospinRecordKind *kind = deck->arrays[k].generator.kind;
    if (!kind || strcmp(kind->name, "crystal") != 0) continue;
    known[count++] = deck->arrays[k].name;
    if (array && strcmp(deck->arrays[k].name, array) == 0) found = PETSC_TRUE;
  }
  if (!found)
    PetscCall(fail(checker, plot, "array", "crystal", array ? array : "(not said)", known,
                   "an array `NAME: {crystal: {...}}` is one"));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

/* An average runs over an axis of the grid that nothing else in the picture uses. Averages are taken over
   realisations of disorder: the axis is most often `seed`. */
static PetscErrorCode check_average(Checker *checker, int plot, const CospinPlot *asked)
{
  const CospinLayout *layout = &checker->table->layout;
  const char *use = NULL;
  char path[64];

  PetscFunctionBeginUser;
  PetscCall(check_axis(checker, plot, "average", asked->average));
  if (!asked->average) PetscFunctionReturn(0);
  if (asked->x && strcmp(asked->average, asked->x) == 0) use = "`x`";
  if (asked->series && strcmp(asked->average, asked->series) == 0) use = "`series`";
  for (int k = 0; k < layout->num_dimensions; k++) {
    if (strcmp(asked->average, layout->dimensions[k].name) == 0) use = "a task, not the grid,";
  }
  if (!use) PetscFunctionReturn(0);
  PetscCall(PetscSNPrintf(path, sizeof(path), "plots[%d].average", plot));
  PetscCall(CospinFaultsAdd(checker->faults, asked->position, path,
                            "cannot average over `%.200s`: %s has that axis (must be another axis of the "
                            "grid, such as one over seeds)",
                            asked->average, use));
  *checker->ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* `at: AXIS=VALUE, ...`: every axis must be there; whether it has the value is known when it is drawn, since
   the values of the grid may change from run to run. */
static PetscErrorCode check_at(Checker *checker, int plot, const char text[])
{
  const char *piece = text;
  char name[64], path[64];
  double value;
  int length;

  PetscFunctionBeginUser;
  while (piece && *piece) {
    length = 0;
    if (sscanf(piece, " %63[A-Za-z0-9_] = %lf %n", name, &value, &length) != 2 ||
        (piece[length] && piece[length] != ',')) {
      PetscCall(PetscSNPrintf(path, sizeof(path), "plots[%d].at", plot));
      PetscCall(CospinFaultsAdd(checker->faults, checker->deck->plots[plot].position, path,
                                "`%.50s` is no place (must be AXIS=VALUE, AXIS=VALUE)", text));
      *checker->ok = PETSC_FALSE;
      break;
    }
    PetscCall(check_axis(checker, plot, "at", name));
    piece += length + (piece[length] == ',');
  }
  PetscFunctionReturn(0);
}

/* Before anything is computed: a picture that cannot be drawn after a week is a fault of today. */
PetscErrorCode CospinTableCheckPlots(CospinTable table, CospinDeck deck, CospinFaults faults, PetscBool *ok)
{
  Checker checker = {table, deck, faults, ok};

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_plots; k++) {
    const CospinPlot *plot = &deck->plots[k];
    if (CospinPlotIsOfStates(plot->kind)) PetscCall(check_wigner(&checker, k));
    if (plot->kind == COSPIN_PLOT_CRYSTAL) PetscCall(check_crystal(&checker, k));
    PetscCall(check_axis(&checker, k, "x", plot->x));
    PetscCall(check_axis(&checker, k, "series", plot->series));
    PetscCall(check_axis(&checker, k, "faint", plot->faint));
    PetscCall(check_average(&checker, k, plot));
    PetscCall(check_at(&checker, k, plot->at));
    for (int j = 0; j < plot->num_y; j++) PetscCall(check_variable(&checker, k, "y", plot->y[j]));
    if (plot->contour) PetscCall(check_variable(&checker, k, "contour", plot->contour));
    if (plot->inside) PetscCall(check_variable(&checker, k, "inside", plot->inside));
    if (plot->ridge) PetscCall(check_variable(&checker, k, "ridge", plot->ridge));
  }
  PetscFunctionReturn(0);
}
