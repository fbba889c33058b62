/*
   weight(COMPONENT, x): the probability that a component is found at x: in the irreps j = x of an ensemble,
   at m = x of a spin, with x quanta of a mode, in the bit string x of spins. It is the first of the columns
   under which the component's elements are stored.
*/
#include <cospin/observable/functional.h>

enum { MOST_COLUMNS = 3 }; /* irrep, ket and bra */

static const double rounding = 1e-9;

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
  for (int k = 0; k < num && k < MOST_COLUMNS; k++) columns[k] = functional->number;
  if (num > MOST_COLUMNS)
    PetscCall(PetscSNPrintf(why, why_size, "the levels of %s `%.100s` have no single number",
                            kind->record.name, component->name));
  else if (!kind->SetColumns(component, columns, label))
    PetscCall(PetscSNPrintf(why, why_size, "%s `%.100s` has no %s = %.10g (%s)", kind->record.name,
                            component->name, num == MOST_COLUMNS ? kind->columns[0].suffix : "level",
                            functional->number, kind->columns[0].help));
  PetscFunctionReturn(0);
}

/* Only diagonal elements have a probability. Half-integers are compared up to rounding. */
static PetscErrorCode Evaluate(CospinFunctional functional, const double complex moments[],
                               CospinDensity density, double *value)
{
  const CospinComponent component = functional->component;

  PetscFunctionBeginUser;
  (void)moments;
  *value = 0.0;
  for (PetscInt64 e = 0; e < density->count; e++) {
    const CospinDensityElement *element = &density->elements[e];
    double columns[MOST_COLUMNS];
    if (element->ket != element->bra) continue;
    component->kind->GetColumns(component, CospinDensityLabel(density, element->ket) + component->offset,
                                columns);
    if (PetscAbsReal(columns[0] - functional->number) < rounding) *value += creal(element->value);
  }
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalWeight = {
    .needs = COSPIN_NEEDS_DIAGONAL,
    .help = "probability of j of an ensemble, m of a spin, n of a mode",
    .Prepare = Prepare,
    .Evaluate = Evaluate,
};
