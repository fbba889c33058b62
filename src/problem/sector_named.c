/*
   The sector that a name in a deck means: that of a label which has its numbers, if they are those of one
   sector (sector_form.h) and it has elements.

   Numbers need not be small: {charge: 1} and {charge: 3} name the same sector where charge is conserved
   modulo 2. What is refused are numbers that several sectors share, numbers that nothing conserves, and
   sectors that hold no label.
*/
#include "sector_form.h"
#include <cospin/problem/census.h>

static const CospinRole roles[] = {
    [COSPIN_NUMBER_KET] = COSPIN_COORDINATE_KET,
    [COSPIN_NUMBER_BRA] = COSPIN_COORDINATE_BRA,
    [COSPIN_NUMBER_CHARGE] = COSPIN_COORDINATE_KET,
    [COSPIN_NUMBER_IRREP] = COSPIN_COORDINATE_IRREP,
};

/* Position and path are those of the number, which may be one of a list. */
static PetscErrorCode add_fault(CospinFaults faults, CospinExpression at, const char what[],
                                const char would_be_right[])
{
  PetscFunctionBeginUser;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(at), CospinExpressionPath(at), "%s (%s)", what,
                            would_be_right));
  PetscFunctionReturn(0);
}

/* How many numbers a list for a component has: its spins, or its levels above the lowest. */
static int num_parts(const CospinSystem *system, int c)
{
  int num = 0;

  for (int i = 0; i < system->num_coordinates; i++)
    if (CospinFormIsPart(system, c, i) && CospinSystemRole(system, i) == COSPIN_COORDINATE_KET) num++;
  return num;
}

/* As many numbers as there are spins, or levels above the lowest. */
static PetscErrorCode check_list(CospinProblem problem, const CospinSectorNumber *number, CospinFaults faults,
                                 PetscBool *ok)
{
  const int num = number->of ? num_parts(&problem->system, number->component) : 0;
  char what[64], right[96];

  PetscFunctionBeginUser;
  if (number->of == num) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(PetscSNPrintf(what, sizeof(what), "a list of %d", number->of));
  PetscCall(PetscSNPrintf(right, sizeof(right), "must be %d numbers, one for each spin or level of `%s`", num,
                          problem->system.components[number->component].name));
  if (number->part == 0) PetscCall(add_fault(faults, number->expression, what, right));
  PetscFunctionReturn(0);
}

/* Puts a number into a label that shall have it; marks what it fixes. */
static PetscErrorCode place(CospinProblem problem, const CospinSectorNumber *number, CospinFaults faults,
                            CospinForm *form, int label[], PetscBool *ok)
{
  const CospinSystem *system = &problem->system;
  PetscBool placed = PETSC_FALSE;
  double value;

  PetscFunctionBeginUser;
  PetscCall(CospinProblemNumber(problem, number->expression, faults, &value, ok));
  if (*ok && (value != PetscFloorReal(value) || PetscAbsReal(value) > 1e8)) {
    *ok = PETSC_FALSE;
    PetscCall(add_fault(faults, number->expression, "this is no number of excitations",
                        "must be a whole number, from -100000000 to 100000000"));
  }
  PetscCall(check_list(problem, number, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  for (int i = 0; i < system->num_coordinates; i++) {
    const CospinRole role = CospinSystemRole(system, i);
    const PetscBool other_side =
        (PetscBool)(number->what == COSPIN_NUMBER_CHARGE && role == COSPIN_COORDINATE_BRA);
    if (!CospinFormIsPart(system, number->component, i)) continue;
    if (role == COSPIN_COORDINATE_PAIR && number->what == COSPIN_NUMBER_CHARGE && !placed) {
      int step[COSPIN_MAX_COORDINATES] = {0};
      step[i] = 1;
      label[i] = (int)value * CospinFormCharge(system, -1, step); /* which is 1 or -1 of the first */
      placed = PETSC_TRUE;
    }
    if (role != roles[number->what] && !other_side) continue;
    if (number->of && CospinFormPart(system, i) != number->part) continue;
    if (role == COSPIN_COORDINATE_IRREP && !CospinFormTellsApart(problem, i)) continue;
    if (placed && role == COSPIN_COORDINATE_IRREP) continue; /* a total does not fix each j */
    form->fixed[i] = PETSC_TRUE;
    form->apart[i] = (PetscBool)(number->of > 0);
    if (!placed && !other_side) label[i] = (int)value;
    if (!other_side) placed = PETSC_TRUE;
  }
  if (!placed) {
    *ok = PETSC_FALSE;
    if (number->what == COSPIN_NUMBER_IRREP)
      PetscCall(
          add_fault(faults, number->expression, "sectors do not differ in j here", "leave `irrep` out"));
    else
      PetscCall(add_fault(faults, number->expression, "ket and bra of single atoms are told together",
                          "write {charge: q} of all components, or `of: OPERATOR`"));
  }
  PetscFunctionReturn(0);
}

/* Whether one of the numbers tells sectors apart at all. */
static PetscBool means_something(CospinProblem problem, const CospinSetting *setting, const CospinForm *form)
{
  PetscBool charges = PETSC_FALSE;

  for (int k = 0; k < setting->num_numbers; k++) {
    const CospinSectorNumber *number = &setting->numbers[k];
    if (number->what == COSPIN_NUMBER_IRREP) continue;
    charges = PETSC_TRUE;
    if (CospinFormModulus(problem, form->sides, number->component) != 1) return PETSC_TRUE;
  }
  for (int i = 0; i < problem->system.num_coordinates && form->by_component; i++)
    if (form->fixed[i] && CospinFormLeadsOut(problem, i, 1, i, 0)) return PETSC_TRUE;
  return (PetscBool)!charges;
}

/* "{ket: 0, bra: 1}, {ket: 1, bra: 0}": a few of the sectors that a total charge leaves open; "" if ket and
   bra do not tell sectors apart either. */
static PetscErrorCode describe_sides(CospinProblem problem, const CospinSetting *setting, const int label[],
                                     char text[], size_t size)
{
  enum { MAX_NAMES = 4 };
  const CospinSystem *system = &problem->system;
  const CospinForm sides = CospinFormMake(problem, 1);
  const int q = CospinFormCharge(system, -1, label), divisor = CospinFormModulus(problem, PETSC_TRUE, -1);
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES], last, num = 0;
  char name[64];

  PetscFunctionBeginUser;
  text[0] = 0;
  if (setting->num_numbers > 1 || setting->numbers[0].what != COSPIN_NUMBER_CHARGE) PetscFunctionReturn(0);
  if (setting->numbers[0].component >= 0 || divisor == 1 || CospinFormIsAmbiguous(problem, &sides))
    PetscFunctionReturn(0);
  CospinSystemBounds(system, lo, hi);
  last = divisor ? divisor - 1 : CospinFormTotal(system, COSPIN_COORDINATE_KET, -1, hi);
  for (int ket = divisor ? 0 : PetscMax(0, q); ket <= PetscMin(last, divisor ? last : last + q); ket++) {
    const int bra = divisor ? (((ket - q) % divisor) + divisor) % divisor : ket - q;
    if (num++ == MAX_NAMES) {
      PetscCall(PetscStrlcat(text, ", ...", size));
      break;
    }
    PetscCall(PetscSNPrintf(name, sizeof(name), "%s{ket: %d, bra: %d}", num > 1 ? ", " : "", ket, bra));
    PetscCall(PetscStrlcat(text, name, size));
  }
  PetscFunctionReturn(0);
}

/* Numbers must be those of some label: parity, bounds, and what the numbers together leave. */
static PetscErrorCode check_numbers(CospinProblem problem, const CospinSetting *setting,
                                    const CospinForm *form, const int label[], CospinFaults faults,
                                    PetscBool *ok)
{
  const CospinExpression at = setting->numbers[0].expression;
  char symmetry[256], names[1200], sides[256], right[1600];

  PetscFunctionBeginUser;
  *ok = means_something(problem, setting, form);
  if (*ok && !CospinFormIsAmbiguous(problem, form)) PetscFunctionReturn(0);
  if (!faults) PetscFunctionReturn(0);
  PetscCall(CospinProblemDescribeSymmetry(problem, symmetry, sizeof(symmetry)));
  PetscCall(CospinProblemDescribeSteadySectors(problem, names, sizeof(names)));
  PetscCall(describe_sides(problem, setting, label, sides, sizeof(sides)));
  if (sides[0])
    PetscCall(PetscSNPrintf(right, sizeof(right), "found: %s; say which of %s", symmetry, sides));
  else if (names[0] == '{')
    PetscCall(PetscSNPrintf(right, sizeof(right), "found: %s; steady states live in %s", symmetry, names));
  else
    PetscCall(PetscSNPrintf(right, sizeof(right), "found: %s; leave `sector` out", symmetry));
  PetscCall(add_fault(faults, at,
                      *ok ? "these numbers belong to several sectors"
                          : "this problem does not conserve these numbers",
                      right));
  *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* A sector without elements is a fault, unless a window may still grow. */
static PetscErrorCode check_elements(CospinProblem problem, const CospinSetting *setting, const int label[],
                                     CospinFaults faults, PetscBool *ok)
{
  const CospinSystem *system = &problem->system;
  int windows[COSPIN_MAX_COORDINATES], lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];
  CospinCount count;
  PetscBool any;
  char right[128];

  PetscFunctionBeginUser;
  CospinProblemWindows(problem, windows, &any);
  if (any || !faults) PetscFunctionReturn(0);
  PetscCall(CospinCensusOfSector(system, problem->lattice, label, &count));
  *ok = (PetscBool)(count.labels > 0);
  if (*ok) PetscFunctionReturn(0);
  CospinSystemBounds(system, lo, hi);
  PetscCall(PetscSNPrintf(right, sizeof(right), "excitations of ket and of bra are 0 ... %d in all",
                          CospinFormTotal(system, COSPIN_COORDINATE_KET, -1, hi)));
  PetscCall(add_fault(faults, setting->numbers[0].expression, "there is nothing in this sector", right));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSectorNamed(CospinProblem problem, const CospinSetting *setting,
                                        CospinFaults faults, int **representative, PetscBool *ok)
{
  CospinForm form = {.by_component = PETSC_FALSE, .sides = PETSC_FALSE};
  int *label;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(PetscCalloc1((size_t)problem->system.num_coordinates, &label));
  for (int k = 0; k < setting->num_numbers; k++) {
    const CospinSectorNumber *number = &setting->numbers[k];
    PetscBool this_ok;
    if (number->what != COSPIN_NUMBER_IRREP && number->component >= 0) form.by_component = PETSC_TRUE;
    if (number->what == COSPIN_NUMBER_KET || number->what == COSPIN_NUMBER_BRA) form.sides = PETSC_TRUE;
    PetscCall(place(problem, number, faults, &form, label, &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  if (*ok) PetscCall(check_numbers(problem, setting, &form, label, faults, ok));
  if (*ok) PetscCall(check_elements(problem, setting, label, faults, ok));
  CospinLatticeReduce(problem->lattice, label);
  *representative = label;
  PetscFunctionReturn(0);
}
