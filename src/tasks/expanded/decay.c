/* Task `decay` under `operator: expansion`: the slowest eigenvalues of the sector in which Tr(A rho) lives.

   Whether an eigenvalue is good is decided by its error beside it, since it may be 10^-14 where the rates of
   the deck are 10^0. `error` multiplies what is wrong on the left side (the defect of the left vector, known
   at every label) with how much the right side still changes from degree to degree; `bound` is the first
   factor alone. Only one sector is asked for: a second one would need an expansion of its own.
 */
#include "expanded.h"

/* The slowest modes only: with a fixed degree each further mode has its nodes farther out and converges
   later, until the polynomials cannot represent it. */
enum { MAX_COUNT = 20 };

static const CospinKey keys[] = {
    {.name = "of",
     .type = COSPIN_KEY_OPERATOR,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "operator whose expectation value decays; it chooses the sector"},
    {.name = "count",
     .type = COSPIN_KEY_INTEGER,
     .default_text = "1",
     .unit = "",
     .help = "how many of the slowest eigenvalues are stored",
     .least = 1,
     .most = MAX_COUNT,
     .range = "a whole number from 1 to 20"},
    COSPIN_EXPANDED_TOLERANCE_KEY,
    {.name = NULL},
};

static const CospinTaskVariable variables[] = {
    COSPIN_EXPANDED_MODE_VARIABLES(PETSC_TRUE, "decay rate of %s", "frequency of %s",
                                   "-Im lambda; positive: exp(-i omega t)", "lifetime of the mode"),
    {.suffix = NULL},
};

static const CospinTaskRule rules[] = {
    COSPIN_EXPANDED_MODE_RULES,
    {.suffix = NULL},
};

/* One if it is wrong, so that the dimension `mode` exists and other faults can be found, too. */
static PetscErrorCode read_count(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                 int *count, PetscBool *ok)
{
  double value;

  PetscFunctionBeginUser;
  PetscCall(CospinTaskNumber(problem, task, "count", faults, &value, ok));
  *count = *ok ? (int)value : 1;
  PetscFunctionReturn(0);
}

/* The one sector of A; *ok is false, and there is a fault, if there are several. Check asks with `faults`
   and throws the sector away; Run asks again without. */
static PetscErrorCode find_sector(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  int **representative, PetscBool *ok)
{
  CospinPolynomial a;
  int num;

  PetscFunctionBeginUser;
  *representative = NULL;
  PetscCall(CospinTaskOperator(problem, task, faults, &a, ok));
  if (*ok) {
    PetscCall(CospinProblemSectors(problem, a, &num, representative));
    if (num != 1)
      PetscCall(CospinTaskFail(problem, task, "of", faults, ok,
                               "lives in several sectors, or in none (must be an operator of one, such as "
                               "ions.Sp)"));
    else
      PetscCall(CospinExpandedCheckParity(problem, task, a, faults, ok));
  }
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

static PetscErrorCode Check(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                            CospinDimension *dimension, PetscBool *ok)
{
  PetscBool count_ok, sector_ok;
  int count = 1, *representative;

  PetscFunctionBeginUser;
  PetscCall(read_count(problem, task, faults, &count, &count_ok));
  *dimension = (CospinDimension){"mode", count, NULL, "1", "mode, slowest first"};
  PetscCall(find_sector(problem, task, faults, &representative, &sector_ok));
  PetscCall(PetscFree(representative));
  PetscCall(CospinExpandedCheck(problem, task, faults, ok));
  if (!count_ok || !sector_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode find_modes(CospinPoint point, CospinExpansion expansion, const CospinRecord *task,
                                 double tolerance, CospinResults results, CospinOutcome *outcome)
{
  CospinExpanded modes[MAX_COUNT];
  int count = 1, *representative;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(read_count(point->problem, task, NULL, &count, &ok));
  PetscCall(find_sector(point->problem, task, NULL, &representative, &ok));
  PetscCall(CospinExpansionSlowest(expansion, representative, count, modes, outcome));
  PetscCall(CospinExpandedStoreSize(&modes[0], results));
  /* All modes have one degree, chosen for the worst of them, so sizes are stored once. */
  for (int k = 0; k < count; k++)
    PetscCall(CospinExpandedStoreMode(&modes[k], k, tolerance, results, outcome));
  PetscCall(PetscFree(representative));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(CospinPoint point, const CospinRecord *task, CospinResults results,
                          CospinOutcome *outcome)
{
  PetscFunctionBeginUser;
  PetscCall(CospinExpandedRun(find_modes, point, task, results, outcome));
  PetscFunctionReturn(0);
}

const CospinTaskKind CospinTaskExpandedDecay = {
    .record = {"decay", "slowest eigenvalues in the sector of an operator, at any size", keys},
    .variables = variables,
    .rules = rules,
    .hints = CospinExpandedHints,
    .own_windows = PETSC_TRUE,
    .Check = Check,
    .Sectors = CospinTaskNoSectors,
    .Cost = CospinExpandedCost,
    .Run = Run,
};
