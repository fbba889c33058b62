/* Whether the pictures that a deck asks for can be drawn: the axes and variables they name must be there. */
#include <cospin/table.h>
#include <string.h>

typedef struct {
  CospinTable table;
  CospinDeck deck;
  CospinFaults faults;
  PetscBool *ok;
} Checker;

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

/* Whether `name` is the variable, or what stands behind the name of its task. */
static PetscBool fits(const char variable[], const char name[])
{
  const size_t length = strlen(variable), end = strlen(name);

  if (strcmp(variable, name) == 0) return PETSC_TRUE;
  return (PetscBool)(length > end + 1 && variable[length - end - 1] == '_' &&
                     strcmp(variable + length - end, name) == 0);
}

static PetscErrorCode check_variable(Checker *checker, int plot, const char name[])
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
    PetscCall(fail(checker, plot, "y", "variable", name, known,
                   "it is TASK_OBSERVABLE or TASK_RESULT, such as steady_inversion and decay_rate"));
  PetscCall(PetscFree(known));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTableCheckPlots(CospinTable table, CospinDeck deck, CospinFaults faults, PetscBool *ok)
{
  Checker checker = {table, deck, faults, ok};

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_plots; k++) {
    const CospinPlot *plot = &deck->plots[k];
    PetscCall(check_axis(&checker, k, "x", plot->x));
    PetscCall(check_axis(&checker, k, "series", plot->series));
    for (int j = 0; j < plot->num_y; j++) PetscCall(check_variable(&checker, k, plot->y[j]));
  }
  PetscFunctionReturn(0);
}
