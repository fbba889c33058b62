/*
   The numbers by which a user knows a sector: {charge: q}, {ket: k, bra: b}, or the same for each component,
   {charge: {A: 0, B: 1}}, or for each spin or level of a component, {charge: {A: [0, 1]}}, whose sum is that
   of the component; and `irrep` (N/2 - j) where j is conserved.

   The sector of some numbers is the coset of a label that has them. They name it if every step that changes
   none of them is in the lattice of the moves; of the forms that do, a sector's own name has the first below.
   The last form always does: it tells every coordinate.
*/
#include "sector_form.h"

/* ket and bra totals of the sector, the least that are not negative where there are such */
static PetscErrorCode totals(CospinProblem problem, const int label[], int *ket, int *bra)
{
  const CospinSystem *system = &problem->system;
  CospinLattice lattice;
  int sums[2] = {CospinFormTotal(system, COSPIN_COORDINATE_KET, -1, label),
                 CospinFormTotal(system, COSPIN_COORDINATE_BRA, -1, label)};

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(2, &lattice));
  for (int r = 0; r < CospinLatticeRank(problem->lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(problem->lattice, r, &pivot);
    const int change[2] = {CospinFormTotal(system, COSPIN_COORDINATE_KET, -1, row),
                           CospinFormTotal(system, COSPIN_COORDINATE_BRA, -1, row)};
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

/* " name: number" behind what is there. */
static PetscErrorCode append(char text[], size_t size, const char before[], const char name[], int number)
{
  char part[128];

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(part, sizeof(part), "%s%s: %d", before, name, number));
  PetscCall(PetscStrlcat(text, part, size));
  PetscFunctionReturn(0);
}

/* Whether a coordinate of this component and role (of a charge: of the ket) is told. */
static PetscBool is_told(CospinProblem problem, const CospinForm *form, CospinRole role, int c)
{
  const CospinSystem *system = &problem->system;

  for (int i = 0; i < system->num_coordinates; i++) {
    const PetscBool irrep = (PetscBool)(CospinSystemRole(system, i) == COSPIN_COORDINATE_IRREP);
    if (CospinSystemRole(system, i) == COSPIN_COORDINATE_CLICKS) continue;
    if (CospinFormIsPart(system, c, i) && irrep == (role == COSPIN_COORDINATE_IRREP) && form->fixed[i])
      return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* "[0, 1]", or a number alone: those of the spins or levels of a component; their sum, unless each counts. */
static PetscErrorCode append_numbers(CospinProblem problem, const CospinForm *form, CospinRole role, int c,
                                     const int label[], char text[], size_t size)
{
  const CospinSystem *system = &problem->system;
  int numbers[COSPIN_MAX_COORDINATES] = {0}, num = 0;
  char number[32];

  PetscFunctionBeginUser;
  for (int i = 0; i < system->num_coordinates; i++) {
    const CospinRole own = CospinSystemRole(system, i);
    const PetscBool other_side =
        (PetscBool)(own == COSPIN_COORDINATE_BRA && !form->sides && role == COSPIN_COORDINATE_KET);
    const int part = form->apart[i] ? CospinFormPart(system, i) : 0;
    if (!CospinFormIsPart(system, c, i) || (own != role && !other_side)) continue;
    numbers[part] += other_side ? -label[i] : label[i];
    num = PetscMax(num, part + 1);
  }
  if (num > 1) PetscCall(PetscStrlcat(text, "[", size));
  for (int k = 0; k < num; k++) {
    PetscCall(PetscSNPrintf(number, sizeof(number), "%s%d", k ? ", " : "", numbers[k]));
    PetscCall(PetscStrlcat(text, number, size));
  }
  if (num > 1) PetscCall(PetscStrlcat(text, "]", size));
  PetscFunctionReturn(0);
}

/* "ket: {A: 0, B: [0, 1]}"; role IRREP: N/2 - j; KET without sides: the charge */
static PetscErrorCode append_parts(CospinProblem problem, const CospinForm *form, CospinRole role,
                                   const char name[], const int label[], char text[], size_t size)
{
  const CospinSystem *system = &problem->system;
  const char *before = "{";

  PetscFunctionBeginUser;
  PetscCall(PetscStrlcat(text, text[1] ? ", " : "", size));
  PetscCall(PetscStrlcat(text, name, size));
  PetscCall(PetscStrlcat(text, ": ", size));
  for (int c = 0; c < system->num_components; c++) {
    if (!is_told(problem, form, role, c)) continue;
    PetscCall(PetscStrlcat(text, before, size));
    PetscCall(PetscStrlcat(text, system->components[c].name, size));
    PetscCall(PetscStrlcat(text, ": ", size));
    PetscCall(append_numbers(problem, form, role, c, label, text, size));
    before = ", ";
  }
  PetscCall(PetscStrlcat(text, "}", size));
  PetscFunctionReturn(0);
}

/* Of ensembles whose j no move changes. */
static int num_conserved_irreps(CospinProblem problem)
{
  int count = 0;

  for (int i = 0; i < problem->system.num_coordinates; i++) {
    if (CospinSystemRole(&problem->system, i) != COSPIN_COORDINATE_IRREP) continue;
    if (CospinFormTellsApart(problem, i)) count++;
  }
  return count;
}

/* Ket and bra apart under a strong symmetry, their difference under a weak one; for each component where the
   total would not be enough. */
static PetscErrorCode append_charges(CospinProblem problem, const CospinForm *form, const int label[],
                                     char text[], size_t size)
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
    divisor = CospinFormModulus(problem, PETSC_FALSE, -1);
    ket = CospinFormCharge(system, -1, label);
    if (divisor == 1) PetscFunctionReturn(0); /* no charge tells sectors apart */
    PetscCall(append(text, size, "", "charge", divisor ? ((ket % divisor) + divisor) % divisor : ket));
  }
  PetscFunctionReturn(0);
}

/* " at 2 clicks", where the counter tells sectors apart */
static PetscErrorCode append_clicks(CospinProblem problem, const int label[], char text[], size_t size)
{
  char clicks[32];

  PetscFunctionBeginUser;
  for (int i = 0; i < problem->system.num_coordinates; i++) {
    if (CospinSystemRole(&problem->system, i) != COSPIN_COORDINATE_CLICKS) continue;
    if (!CospinFormLeadsOut(problem, i, 1, i, 0)) continue;
    PetscCall(PetscSNPrintf(clicks, sizeof(clicks), " at %d clicks", label[i]));
    PetscCall(PetscStrlcat(text, clicks, size));
  }
  PetscFunctionReturn(0);
}

/* " at [0, 1, ...]": a label, where no numbers tell sectors apart (atoms told by pairs of levels); `sector:`
   does not take that. */
static PetscErrorCode append_label(CospinProblem problem, const int label[], char text[], size_t size)
{
  char number[32];

  PetscFunctionBeginUser;
  for (int i = 0; i < problem->system.num_coordinates; i++) {
    PetscCall(PetscSNPrintf(number, sizeof(number), "%s%d", i ? ", " : " at [", label[i]));
    PetscCall(PetscStrlcat(text, number, size));
  }
  PetscCall(PetscStrlcat(text, "]", size));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDescribeSector(CospinProblem problem, const int representative[], char text[],
                                           size_t size)
{
  const PetscBool sides = CospinSystemHasSides(&problem->system);
  const CospinForm form = sides ? CospinFormFind(problem) : CospinFormMake(problem, 0);
  const PetscBool several = (PetscBool)(!sides && CospinFormIsAmbiguous(problem, &form));
  const int num_irreps = num_conserved_irreps(problem);

  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(PetscStrlcat(text, "{", size));
  PetscCall(append_charges(problem, &form, representative, text, size));
  if (num_irreps == 1)
    PetscCall(append(text, size, text[1] ? ", " : "", "irrep",
                     CospinFormTotal(&problem->system, COSPIN_COORDINATE_IRREP, -1, representative)));
  if (num_irreps > 1)
    PetscCall(append_parts(problem, &form, COSPIN_COORDINATE_IRREP, "irrep", representative, text, size));
  PetscCall(PetscStrlcat(text, "}", size));
  if (!text[2]) PetscCall(PetscSNPrintf(text, size, several ? "sector" : "everything"));
  if (several) PetscCall(append_label(problem, representative, text, size));
  PetscCall(append_clicks(problem, representative, text, size));
  PetscFunctionReturn(0);
}

/* For numbers of a dataset. The name says more where components conserve numbers of their own; of a sector of
   them all these are the totals, which several sectors may share. */
PetscErrorCode CospinProblemSectorNumbers(CospinProblem problem, const int representative[], int *charge,
                                          int *ket, int *bra)
{
  const PetscBool sides = CospinSystemHasSides(&problem->system);
  const int divisor = sides ? CospinFormModulus(problem, PETSC_FALSE, -1) : 1;
  const int q = sides ? CospinFormCharge(&problem->system, -1, representative) : 0;

  PetscFunctionBeginUser;
  *charge = divisor ? ((q % divisor) + divisor) % divisor : q;
  *ket = *bra = -1;
  if (sides && CospinFormModulus(problem, PETSC_TRUE, -1) != 1)
    PetscCall(totals(problem, representative, ket, bra));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProblemDescribeSymmetry(CospinProblem problem, char text[], size_t size)
{
  const int weak = CospinFormModulus(problem, PETSC_FALSE, -1),
            strong = CospinFormModulus(problem, PETSC_TRUE, -1);
  const int num_irreps = num_conserved_irreps(problem);
  const CospinForm sums = CospinFormMake(problem, CospinSystemHasSides(&problem->system) ? 1 : 0);
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
  if (CospinFormIsAmbiguous(problem, &sums))
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
  char name[COSPIN_SECTOR_NAME];
  int num, *representatives;

  PetscFunctionBeginUser;
  text[0] = 0;
  PetscCall(CospinPolynomialCreate(&one));
  PetscCall(CospinPolynomialAddMonomial(one, 1.0, 0, NULL));
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
