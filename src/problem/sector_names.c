/*
   The numbers by which a user knows a sector: {charge: q}, {ket: k, bra: b}, or the same for each component,
   {charge: {A: 0, B: 1}}; and `irrep` (N/2 - j) where j is conserved.

   The sector of some numbers is the coset of a label that has them. They name it if every step that changes
   none of them is in the lattice of the moves; of the forms that do, a sector's own name has the first below.
*/
#include <cospin/census.h>
#include <cospin/problem.h>
#include <stdlib.h>

typedef struct {
  PetscBool by_component, sides;           /* sides: ket and bra apart, else their difference */
  PetscBool fixed[COSPIN_MAX_COORDINATES]; /* coordinates that the numbers tell something about */
} Form;

static const struct {
  PetscBool by_component, sides;
} forms[] = {{PETSC_FALSE, PETSC_FALSE},
             {PETSC_FALSE, PETSC_TRUE},
             {PETSC_TRUE, PETSC_FALSE},
             {PETSC_TRUE, PETSC_TRUE}};
enum { NUM_FORMS = sizeof(forms) / sizeof(forms[0]), NAME_SIZE = 256 };

static int component_of(const CospinSystem *system, int i)
{
  int c = 0;

  while (i >= system->components[c].offset + system->components[c].num_coordinates) c++;
  return c;
}

/* Whether c (-1: all components together) is the component of coordinate i. */
static PetscBool is_part(const CospinSystem *system, int c, int i)
{
  return (PetscBool)(c < 0 || component_of(system, i) == c);
}

/* Sum over the coordinates of one role. */
static int total(const CospinSystem *system, CospinRole role, int c, const int vector[])
{
  int sum = 0;

  for (int i = 0; i < system->num_coordinates; i++) {
    if (CospinSystemRole(system, i) == role && is_part(system, c, i)) sum += vector[i];
  }
  return sum;
}

static int charge(const CospinSystem *system, int c, const int vector[])
{
  return total(system, COSPIN_COORDINATE_KET, c, vector) - total(system, COSPIN_COORDINATE_BRA, c, vector);
}

static int gcd(int a, int b)
{
  while (b) {
    const int rest = a % b;
    a = b;
    b = rest;
  }
  return abs(a);
}

/* Greatest common divisor of what the moves change: 0: the number is conserved, 1: nothing is. */
static int modulus(CospinProblem problem, PetscBool sides, int c)
{
  const CospinSystem *system = &problem->system;
  int divisor = 0;

  for (int r = 0; r < CospinLatticeRank(problem->lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(problem->lattice, r, &pivot);
    if (sides) {
      divisor = gcd(divisor, total(system, COSPIN_COORDINATE_KET, c, row));
      divisor = gcd(divisor, total(system, COSPIN_COORDINATE_BRA, c, row));
    } else {
      divisor = gcd(divisor, charge(system, c, row));
    }
  }
  return divisor;
}

/* Whether the step `factor_i` e_i + `factor_j` e_j leads out of a sector. */
static PetscBool leads_out(CospinProblem problem, int i, int factor_i, int j, int factor_j)
{
  int step[COSPIN_MAX_COORDINATES] = {0};

  step[i] += factor_i;
  step[j] += factor_j;
  return (PetscBool)!CospinLatticeContains(problem->lattice, step);
}

/* Whether numbers of this form belong to several sectors. */
static PetscBool is_ambiguous(CospinProblem problem, const Form *form)
{
  const CospinSystem *system = &problem->system;

  for (int i = 0; i < system->num_coordinates; i++) {
    const CospinRole role = CospinSystemRole(system, i);
    if (!form->fixed[i] && leads_out(problem, i, 1, i, 0)) return PETSC_TRUE;
    for (int j = 0; j < i && form->fixed[i] && role != COSPIN_COORDINATE_IRREP; j++) {
      const CospinRole other = CospinSystemRole(system, j);
      if (!form->fixed[j] || other == COSPIN_COORDINATE_IRREP) continue;
      if (form->by_component && component_of(system, i) != component_of(system, j)) continue;
      if (role != other && form->sides) continue;
      if (leads_out(problem, i, 1, j, role == other ? -1 : 1)) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* ---- Names -----------------------------------------------------------------------------------------------
 */

/* Of components only those count that conserve something; all do if the numbers are totals. */
static Form make_form(CospinProblem problem, int which)
{
  const CospinSystem *system = &problem->system;
  Form form = {.by_component = forms[which].by_component, .sides = forms[which].sides};

  for (int i = 0; i < system->num_coordinates; i++) {
    form.fixed[i] = leads_out(problem, i, 1, i, 0);
    if (!form.by_component && CospinSystemRole(system, i) != COSPIN_COORDINATE_IRREP)
      form.fixed[i] = PETSC_TRUE;
  }
  return form;
}

static Form find_form(CospinProblem problem, PetscBool *unique)
{
  int which = 0;

  while (which < NUM_FORMS - 1) {
    const Form form = make_form(problem, which);
    if (!is_ambiguous(problem, &form)) break;
    which++;
  }
  const Form form = make_form(problem, which);
  *unique = (PetscBool)!is_ambiguous(problem, &form);
  return form;
}

/* ket and bra totals of the sector, the least that are not negative where there are such */
static PetscErrorCode totals(CospinProblem problem, const int label[], int *ket, int *bra)
{
  const CospinSystem *system = &problem->system;
  CospinLattice lattice;
  int sums[2] = {total(system, COSPIN_COORDINATE_KET, -1, label),
                 total(system, COSPIN_COORDINATE_BRA, -1, label)};

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(2, &lattice));
  for (int r = 0; r < CospinLatticeRank(problem->lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(problem->lattice, r, &pivot);
    const int change[2] = {total(system, COSPIN_COORDINATE_KET, -1, row),
                           total(system, COSPIN_COORDINATE_BRA, -1, row)};
    PetscCall(CospinLatticeAdd(lattice, change));
  }
  CospinLatticeReduce(lattice, sums);
  if (CospinLatticeRank(lattice) == 1) {
    int pivot;
    const int *row = CospinLatticeRow(lattice, 0, &pivot);
    for (; sums[1] < 0 && pivot == 0 && row[1] > 0; sums[1] += row[1]) sums[0] += row[0];
  }
  PetscCall(CospinLatticeDestroy(&lattice));
  *ket = sums[0];
  *bra = sums[1];
  PetscFunctionReturn(0);
}

static PetscErrorCode append(char text[], size_t size, const char before[], const char name[], int number)
{
  char part[128];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(part, sizeof(part), "%s%s: %d", before, name, number));
  PetscCall(PetscStrlcat(text, part, size));
  PetscFunctionReturn(0);
}

/* "ket: {A: 0, B: 1}"; role IRREP with sides: N/2 - j; no sides: the charge */
static PetscErrorCode append_parts(CospinProblem problem, const Form *form, CospinRole role,
                                   const char name[], const int label[], char text[], size_t size)
{
  const CospinSystem *system = &problem->system;
  const char *before = "{";

  PetscFunctionBeginUser;
  PetscCall(PetscStrlcat(text, text[1] ? ", " : "", size));
  PetscCall(PetscStrlcat(text, name, size));
  PetscCall(PetscStrlcat(text, ": ", size));
  for (int c = 0; c < system->num_components; c++) {
    PetscBool fixed = PETSC_FALSE;
    for (int i = 0; i < system->num_coordinates; i++) {
      const PetscBool irrep = (PetscBool)(CospinSystemRole(system, i) == COSPIN_COORDINATE_IRREP);
      if (is_part(system, c, i) && irrep == (role == COSPIN_COORDINATE_IRREP) && form->fixed[i])
        fixed = PETSC_TRUE;
    }
    if (!fixed) continue;
    PetscCall(append(text, size, before, system->components[c].name,
                     form->sides || role == COSPIN_COORDINATE_IRREP ? total(system, role, c, label)
                                                                    : charge(system, c, label)));
    before = ", ";
  }
  PetscCall(PetscStrlcat(text, "}", size));
  PetscFunctionReturn(0);
}

static int num_conserved_irreps(CospinProblem problem)
{
  int count = 0;

  for (int i = 0; i < problem->system.num_coordinates; i++) {
    if (CospinSystemRole(&problem->system, i) != COSPIN_COORDINATE_IRREP) continue;
    if (leads_out(problem, i, 1, i, 0)) count++;
  }
  return count;
}

static PetscErrorCode append_charges(CospinProblem problem, const Form *form, const int label[], char text[],
                                     size_t size)
{
  const CospinSystem *system = &problem->system;
  int ket, bra, divisor;

  PetscFunctionBeginUser;
  if (form->by_component && form->sides) {
    PetscCall(append_parts(problem, form, COSPIN_COORDINATE_KET, "ket", label, text, size));
    PetscCall(append_parts(problem, form, COSPIN_COORDINATE_BRA, "bra", label, text, size));
  } else if (form->by_component) {
    PetscCall(append_parts(problem, form, COSPIN_COORDINATE_KET, "charge", label, text, size));
  } else if (form->sides) {
    PetscCall(totals(problem, label, &ket, &bra));
    PetscCall(append(text, size, "", "ket", ket));
    PetscCall(append(text, size, ", ", "bra", bra));
  } else {
    divisor = modulus(problem, PETSC_FALSE, -1);
    ket = charge(system, -1, label);
    if (divisor == 1) PetscFunctionReturn(0); /* no charge tells sectors apart */
    PetscCall(append(text, size, "", "charge", divisor ? ((ket % divisor) + divisor) % divisor : ket));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDescribeSector(CospinProblem problem, const int representative[], char text[],
                                           size_t size)
{
  PetscBool unique;
  const Form form = find_form(problem, &unique);
  const int num_irreps = num_conserved_irreps(problem);

  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(PetscStrlcat(text, "{", size));
  PetscCall(append_charges(problem, &form, representative, text, size));
  if (num_irreps == 1)
    PetscCall(append(text, size, text[1] ? ", " : "", "irrep",
                     total(&problem->system, COSPIN_COORDINATE_IRREP, -1, representative)));
  if (num_irreps > 1)
    PetscCall(append_parts(problem, &form, COSPIN_COORDINATE_IRREP, "irrep", representative, text, size));
  PetscCall(PetscStrlcat(text, "}", size));
  if (!text[2]) PetscCall(PetscSNPrintf(text, size, "everything"));
  if (!unique) PetscCall(PetscStrlcat(text, " (one of several of these numbers)", size));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDescribeSymmetry(CospinProblem problem, char text[], size_t size)
{
  const int weak = modulus(problem, PETSC_FALSE, -1), strong = modulus(problem, PETSC_TRUE, -1);
  const int num_irreps = num_conserved_irreps(problem);
  const Form sums = make_form(problem, 1);
  char group[32];

  PetscFunctionBeginUser;
  text[0] = 0;
  if (strong != 1) {
    PetscCall(PetscSNPrintf(group, sizeof(group), strong ? "Z_%d" : "U(1)", strong));
    PetscCall(PetscSNPrintf(text, size, "strong %s (excitations of ket and of bra are each conserved%s)",
                            group, strong ? " modulo that number" : ""));
  } else if (weak != 1) {
    PetscCall(PetscSNPrintf(group, sizeof(group), weak ? "Z_%d" : "U(1)", weak));
    PetscCall(PetscSNPrintf(text, size, "weak %s (excitations of ket minus bra are conserved%s)", group,
                            weak ? " modulo that number" : ""));
  } else {
    PetscCall(PetscStrlcat(text, "no conserved charge", size));
  }
  if (is_ambiguous(problem, &sums))
    PetscCall(PetscStrlcat(text, "; some components, or weighted sums of them, conserve more", size));
  if (num_irreps) PetscCall(PetscStrlcat(text, "; j is conserved", size));
  PetscFunctionReturn(0);
}

/* "{ket: 0, bra: 0}, {ket: 1, bra: 1}": a few of the sectors that hold diagonal elements, and how many there
 * are. */
PetscErrorCode CospinProblemDescribeSteadySectors(CospinProblem problem, char text[], size_t size)
{
  enum { MAX_NAMES = 4 };
  CospinPolynomial one;
  char name[NAME_SIZE];
  int num, *representatives;

  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(CospinPolynomialCreate(&one));
  PetscCall(CospinPolynomialAddWord(one, 1.0, 0, NULL));
  PetscCall(CospinProblemSectors(problem, one, &num, &representatives));
  for (int k = 0; k < PetscMin(num, MAX_NAMES); k++) {
    PetscCall(CospinProblemDescribeSector(problem, representatives + k * problem->system.num_coordinates,
                                          name, sizeof(name)));
    PetscCall(PetscStrlcat(text, k ? ", " : "", size));
    PetscCall(PetscStrlcat(text, name, size));
  }
  if (num > MAX_NAMES) PetscCall(PetscStrlcat(text, ", ...", size));
  PetscCall(PetscFree(representatives));
  PetscCall(CospinPolynomialDestroy(&one));
  PetscFunctionReturn(0);
}

/* ---- From the deck ---------------------------------------------------------------------------------------
 */

static const CospinRole roles[] = {
    [COSPIN_NUMBER_KET] = COSPIN_COORDINATE_KET,
    [COSPIN_NUMBER_BRA] = COSPIN_COORDINATE_BRA,
    [COSPIN_NUMBER_CHARGE] = COSPIN_COORDINATE_KET,
    [COSPIN_NUMBER_IRREP] = COSPIN_COORDINATE_IRREP,
};

static PetscErrorCode add_fault(CospinFaults faults, CospinExpression at, const char what[],
                                const char would_be_right[])
{
  PetscFunctionBeginUser;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(at), CospinExpressionPath(at), "%s (%s)", what,
                            would_be_right));
  PetscFunctionReturn(0);
}

/* Puts a number into a label that shall have it; marks what it fixes. */
static PetscErrorCode place(CospinProblem problem, const CospinSectorNumber *number, CospinFaults faults,
                            Form *form, int label[], PetscBool *ok)
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
  if (!*ok) PetscFunctionReturn(0);
  for (int i = 0; i < system->num_coordinates; i++) {
    const CospinRole role = CospinSystemRole(system, i);
    const PetscBool other_side =
        (PetscBool)(number->what == COSPIN_NUMBER_CHARGE && role == COSPIN_COORDINATE_BRA);
    if (!is_part(system, number->component, i)) continue;
    if (role != roles[number->what] && !other_side) continue;
    if (role == COSPIN_COORDINATE_IRREP && !leads_out(problem, i, 1, i, 0)) continue;
    if (placed && role == COSPIN_COORDINATE_IRREP) continue; /* a total does not fix each j */
    form->fixed[i] = PETSC_TRUE;
    if (!placed && !other_side) label[i] = (int)value;
    if (!other_side) placed = PETSC_TRUE;
  }
  if (!placed) {
    *ok = PETSC_FALSE;
    PetscCall(add_fault(faults, number->expression, "no j is conserved here", "leave `irrep` out"));
  }
  PetscFunctionReturn(0);
}

/* Whether one of the numbers tells sectors apart at all. */
static PetscBool means_something(CospinProblem problem, const CospinSetting *setting, const Form *form)
{
  PetscBool charges = PETSC_FALSE;

  for (int k = 0; k < setting->num_numbers; k++) {
    const CospinSectorNumber *number = &setting->numbers[k];
    if (number->what == COSPIN_NUMBER_IRREP) continue;
    charges = PETSC_TRUE;
    if (modulus(problem, form->sides, number->component) != 1) return PETSC_TRUE;
  }
  return (PetscBool)!charges;
}

/* "{ket: 0, bra: 1}, {ket: 1, bra: 0}": a few of the sectors that a total charge leaves open; "" if ket and
   bra do not tell sectors apart either. */
static PetscErrorCode describe_sides(CospinProblem problem, const CospinSetting *setting, const int label[],
                                     char text[], size_t size)
{
  enum { MAX_NAMES = 4 };
  const CospinSystem *system = &problem->system;
  const Form sides = make_form(problem, 1);
  const int q = charge(system, -1, label), divisor = modulus(problem, PETSC_TRUE, -1);
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES], last, num = 0;

  PetscFunctionBeginUser;
  text[0] = 0;
  if (setting->num_numbers > 1 || setting->numbers[0].what != COSPIN_NUMBER_CHARGE) PetscFunctionReturn(0);
  if (setting->numbers[0].component >= 0 || divisor == 1 || is_ambiguous(problem, &sides))
    PetscFunctionReturn(0);
  CospinSystemBounds(system, lo, hi);
  last = divisor ? divisor - 1 : total(system, COSPIN_COORDINATE_KET, -1, hi);
  for (int ket = divisor ? 0 : PetscMax(0, q); ket <= PetscMin(last, divisor ? last : last + q); ket++) {
    const int bra = divisor ? (((ket - q) % divisor) + divisor) % divisor : ket - q;
    if (num++ == MAX_NAMES) {
      PetscCall(PetscStrlcat(text, ", ...", size));
      break;
    }
    PetscCall(append(text, size, num > 1 ? ", {" : "{", "ket", ket));
    PetscCall(append(text, size, ", ", "bra", bra));
    PetscCall(PetscStrlcat(text, "}", size));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode check_numbers(CospinProblem problem, const CospinSetting *setting, const Form *form,
                                    const int label[], CospinFaults faults, PetscBool *ok)
{
  const CospinExpression at = setting->numbers[0].expression;
  char symmetry[NAME_SIZE], names[1200], sides[NAME_SIZE], right[1600];

  PetscFunctionBeginUser;
  *ok = means_something(problem, setting, form);
  if (*ok && !is_ambiguous(problem, form)) PetscFunctionReturn(0);
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
                          total(system, COSPIN_COORDINATE_KET, -1, hi)));
  PetscCall(add_fault(faults, setting->numbers[0].expression, "there is nothing in this sector", right));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemSectorNamed(CospinProblem problem, const CospinSetting *setting,
                                        CospinFaults faults, int **representative, PetscBool *ok)
{
  Form form = {.by_component = PETSC_FALSE, .sides = PETSC_FALSE};
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
