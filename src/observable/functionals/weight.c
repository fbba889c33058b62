/*
   weight(COMPONENT, x): the probability that a component is found at x: in the irreps j = x of an ensemble,
   at m = x of a spin, with x quanta of a mode, in the bit string x of spins. It is the first of the columns
   under which the component's elements are stored. weight(COMPONENT, j, m): in the levels m of the irreps j.
*/
#include <cospin/observable/functional.h>

enum { MOST_COLUMNS = 3 }; /* irrep, ket and bra */

static const double rounding = 1e-9;

/* What the component does not have: one number of an irrep or of a level, or both. The first column of the
   kind says which there are. */
static PetscErrorCode explain(CospinFunctional functional, PetscBool irreps, char why[], size_t why_size)
{
  const CospinComponent component = functional->component;
  const CospinLabelColumn *column = component->kind->columns;
  char second[64] = "";

  PetscFunctionBeginUser;
  if (!PetscIsNanReal(functional->second))
    PetscCall(PetscSNPrintf(second, sizeof(second), ", m = %.10g", functional->second));
  PetscCall(PetscSNPrintf(why, why_size, "%s `%.100s` has no %s = %.10g%s (%s)", component->kind->record.name,
                          component->name, irreps ? column->suffix : "level", functional->number, second,
                          column->help));
  PetscFunctionReturn(0);
}

/* The label whose population is the weight, found by the numbers that its columns in a dataset would show: a
   level, or j and m as users know them, so that no kind needs a word of its own here. */
static PetscErrorCode Prepare(CospinProblem problem, const CospinArgument arguments[],
                              CospinFunctional functional, char why[], size_t why_size)
{
  double columns[MOST_COLUMNS];
  int num = 0, label[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  PetscCall(CospinFunctionalFindComponent(problem, arguments[0].name, functional, why, why_size));
  if (why[0]) PetscFunctionReturn(0);
  const CospinComponent component = functional->component;
  const CospinComponentKind *kind = component->kind;
  functional->number = creal(arguments[1].value.number);
  while (kind->columns[num].suffix) num++;
  functional->second = creal(arguments[2].value.number);
  for (int k = 0; k < num && k < MOST_COLUMNS; k++)
    columns[k] = k && !PetscIsNanReal(functional->second) ? functional->second : functional->number;
  if (num < MOST_COLUMNS && !PetscIsNanReal(functional->second))
    PetscCall(PetscSNPrintf(why, why_size,
                            "one number tells where %s `%.100s` is (j and m are those of an ensemble)",
                            kind->record.name, component->name));
  else if (num > MOST_COLUMNS || kind->NumKets)
    PetscCall(PetscSNPrintf(why, why_size, "the levels of %s `%.100s` have no single number",
                            kind->record.name, component->name));
  else if (!kind->SetColumns(component, columns, label))
    PetscCall(explain(functional, num == MOST_COLUMNS, why, why_size));
  PetscFunctionReturn(0);
}

/* Whether a label of the component is where the weight is of. Half-integers are compared up to rounding. */
static PetscBool is_there(CospinFunctional functional, const int label[])
{
  const CospinComponent component = functional->component;
  double columns[MOST_COLUMNS];

  component->kind->GetColumns(component, label + component->offset, columns);
  if (!PetscIsNanReal(functional->second) && PetscAbsReal(columns[1] - functional->second) > rounding)
    return PETSC_FALSE;
  return (PetscBool)(PetscAbsReal(columns[0] - functional->number) < rounding);
}

/* Only elements with a trace have a probability. The state's own, not the density's: beside atoms that are
   told one by one there may be no kets. */
static PetscErrorCode Evaluate(CospinFunctional functional, const double complex moments[],
                               CospinDensity density, double *value)
{
  const CospinSystem *system = density->system;

  PetscFunctionBeginUser;
  (void)moments;
  *value = 0.0;
  for (PetscInt64 k = 0; k < density->state->count; k++) {
    int label[COSPIN_MAX_COORDINATES];
    double complex element;
    double trace;
    PetscCall(CospinDensityElementOf(system, density->state, k, label, &element));
    trace = CospinSystemTrace(system, label);
    if (trace != 0.0 && is_there(functional, label)) *value += trace * creal(element);
  }
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalWeight = {
    .needs = COSPIN_NEEDS_DIAGONAL,
    .help = "probability of j of an ensemble, m of a spin, n of a mode",
    .Prepare = Prepare,
    .Evaluate = Evaluate,
};
