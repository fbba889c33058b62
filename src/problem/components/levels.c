/*
   Component kind `levels`: N atoms of d levels in the states that are symmetric under permutations, which are
   those of N bosons in d modes: occupation numbers n_0 + ... + n_(d-1) = N of ket and bra.

   Coordinates: c_k = n_k + n_(k+1) + ... + n_(d-1), the atoms in level k or above, k = 1 ... d-1, ket and bra
   in turn. Their sum is sum_k k n_k, so the excitations of an atom in level k are k and charges are those of
   Sz. Every elementary operator is E[a,b] = sum over atoms |a><b| = b_a^+ b_b,

     n_a -> n_a + 1, n_b -> n_b - 1,   amplitude sqrt((n_a + 1) n_b);   E[a,a] = n_a

   (Jordan and Schwinger); what the operators of the table are in these: levels_operators.c. Where a process
   acts on one atom alone these states are left, and components/atoms.c stands in for this kind.

   Why c_k and not n_k as coordinates: ranges are then nested (N >= c_1 >= c_2 ...), one bound each, which
   is what sectors are counted by; with n_k the last range would depend on all others.
*/
#include "levels.h"
#include "states.h"

enum { MAX_LEVELS = COSPIN_LEVELS_MOST, NUM_OPERATORS = COSPIN_LEVELS_OPERATORS };

/* How many atoms and levels there are, and the steps between diagonal labels. */
typedef struct {
  CospinLevelsData of;
  int diagonal[2 * MAX_LEVELS * MAX_LEVELS]; /* [num_levels - 1][2*(num_levels - 1)] */
} Levels;

int CospinLevelsSize(CospinComponent component)
{
  return ((const CospinLevelsData *)component->data)->size;
}

int CospinLevelsNumber(CospinComponent component)
{
  return ((const CospinLevelsData *)component->data)->num_levels;
}

/* ---- Size ---------------------------------------------------------------------------------------------- */

/* Stored labels are digits of numbers below base^(d-1), which must be exact. 2^53: above that doubles skip
   whole numbers. */
static PetscBool fits(double size, double num_levels)
{
  return (PetscBool)(PetscPowReal(size + 1, num_levels - 1) <= 9007199254740992.0);
}

/* Both numbers are looked at before either is used: the number of kets may not fit into an int. */
static PetscErrorCode check_sizes(const CospinRecord *record, const double numbers[], CospinFaults faults,
                                  PetscBool *ok)
{
  const double size = numbers[0], num_levels = numbers[1];
  const CospinSetting *settings = record->settings;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!(num_levels >= 2 && num_levels <= MAX_LEVELS)) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, settings[1].position, CospinExpressionPath(settings[1].expression),
                              "atoms of %g levels (must be a whole number from 2 to %d)", num_levels,
                              (int)MAX_LEVELS));
  }
  if (!(size >= 1) || (*ok && !fits(size, num_levels))) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        faults, settings[0].position, CospinExpressionPath(settings[0].expression),
        "%.17g atoms (must be a whole number from 1 on, and with %g levels at most %.0f)", size, num_levels,
        PetscFloorReal(PetscPowReal(9007199254740992.0, 1 / (num_levels - 1))) - 1));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  Levels *levels;

  PetscFunctionBeginUser;
  (void)window;
  PetscCall(check_sizes(record, numbers, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(PetscNew(&levels));
  levels->of = (CospinLevelsData){(int)numbers[0], (int)numbers[1]};
  component->data = levels;
  component->num_coordinates = 2 * (levels->of.num_levels - 1);
  for (int k = 0; k < component->num_coordinates; k += 2) {
    int *row = &levels->diagonal[k / 2 * component->num_coordinates];
    row[k] = row[k + 1] = 1;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "%d atom%s of %d levels, symmetric", CospinLevelsSize(component),
                          CospinLevelsSize(component) == 1 ? "" : "s", CospinLevelsNumber(component)));
  PetscFunctionReturn(0);
}

/* ---- Labels -------------------------------------------------------------------------------------------- */

/* c_k of one side; c_0 = N, c_d = 0. Ket and bra alternate in a label: coordinate 2(k-1) is the ket's c_k,
   the next one the bra's. */
static int at_least(CospinComponent component, CospinSide side, const int label[], int k)
{
  if (k == 0) return CospinLevelsSize(component);
  if (k == CospinLevelsNumber(component)) return 0;
  return label[2 * (k - 1) + (side == COSPIN_BRA)];
}

/* n_k = c_k - c_(k+1). */
static int occupation(CospinComponent component, CospinSide side, const int label[], int level)
{
  return at_least(component, side, label, level) - at_least(component, side, label, level + 1);
}

/* N >= c_1 >= c_2 >= ... >= 0 */
static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  *lo = 0;
  *hi = i < 2 ? CospinLevelsSize(component) : label[i - 2];
}

/* c_k is bounded by c_(k-1) of the same side, two coordinates before it. */
static int BoundBy(CospinComponent component, int i)
{
  (void)component;
  return i < 2 ? -1 : i - 2;
}

/* All atoms in the highest level, and from there one atom lower at a time, on ket and bra together. A
   generator lowers or raises one c_k on both sides together. */
static void Diagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  for (int i = 0; i < component->num_coordinates; i++) label[i] = CospinLevelsSize(component);
  *num = CospinLevelsNumber(component) - 1;
  *generators = ((const Levels *)component->data)->diagonal;
}

/* Symmetric states occur once each: no copies to count. */
static double Trace(CospinComponent component, const int label[])
{
  for (int i = 0; i < component->num_coordinates; i += 2) {
    if (label[i] != label[i + 1]) return 0.0;
  }
  return 1.0;
}

static const CospinLabelColumn columns[] = {
    {"levels_ket", PETSC_TRUE,
     "occupations on the ket: digit k-1 of base size+1, the lowest first, is the number of atoms in level k "
     "= 1, 2, ...; the others are in level 0"},
    {"levels_bra", PETSC_TRUE, "the same on the bra"},
    {.suffix = NULL},
};

/* Occupations as digits of one number per side, base N + 1: stored states have a fixed number of columns,
   whatever the number of levels. */
static void GetColumns(CospinComponent component, const int label[], double values[])
{
  const double base = CospinLevelsAtoms(component) + 1;

  for (int side = 0; side < 2; side++) {
    values[side] = 0;
    for (int k = CospinLevelsNumber(component) - 1; k > 0; k--)
      values[side] = base * values[side] + occupation(component, (CospinSide)side, label, k);
  }
}

/* Atoms with fewer levels than there are here have none in the others; with more, there is no such label.
   Read from files, so everything is checked: whole numbers, digits that add up to N at most. */
static PetscBool SetColumns(CospinComponent component, const double values[], int label[])
{
  const int num_levels = CospinLevelsNumber(component), base = CospinLevelsSize(component) + 1;

  for (int side = 0; side < 2; side++) {
    int digits[MAX_LEVELS], sum = 0;
    PetscInt64 rest;
    if (!(values[side] >= 0 && values[side] < PetscPowRealInt(base, num_levels - 1))) return PETSC_FALSE;
    if (values[side] != PetscFloorReal(values[side])) return PETSC_FALSE;
    rest = (PetscInt64)values[side];
    for (int k = 1; k < num_levels; k++, rest /= base) digits[k] = (int)(rest % base);
    for (int k = num_levels - 1; k > 0; k--) label[2 * (k - 1) + side] = sum += digits[k];
    if (sum > CospinLevelsSize(component)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

/* Letters on the ket, then the same on the bra. */
static int ElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side)
{
  (void)component;
  return (side == COSPIN_BRA ? NUM_OPERATORS : 0) + elementary.code;
}

/* One atom goes from level b to level a: those that are on the way have one more above, or one less. */
static void Shift(CospinComponent component, int step, int shift[])
{
  const int side = step / NUM_OPERATORS, a = step % NUM_OPERATORS / MAX_LEVELS, b = step % MAX_LEVELS;

  (void)component;
  for (int k = PetscMin(a, b) + 1; k <= PetscMax(a, b); k++) shift[2 * (k - 1) + side] += a > b ? 1 : -1;
}

/* sqrt((n_a + 1) n_b); an occupation for a = b. No atom in level b: the amplitude is zero and the label
   stays as it is. */
static double Apply(CospinComponent component, int step, int label[])
{
  const CospinSide side = (CospinSide)(step / NUM_OPERATORS);
  const int a = step % NUM_OPERATORS / MAX_LEVELS, b = step % MAX_LEVELS;
  const double n_b = occupation(component, side, label, b);
  double n_a;

  if (a == b || n_b <= 0) return n_b;
  n_a = occupation(component, side, label, a);
  Shift(component, step, label);
  return PetscSqrtReal((n_a + 1) * n_b);
}

static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  return (PetscBool)(step / NUM_OPERATORS == (side == COSPIN_BRA));
}

/* n_k + more as a function of the coordinates of one side, n_k = c_k - c_(k+1). */
static CospinLinear linear_occupation(CospinComponent component, int side, int k, int more)
{
  CospinLinear n = {more, 0, {{0, 0}}, more == 0 ? PETSC_TRUE : PETSC_FALSE};

  if (k == 0)
    n.constant += CospinLevelsSize(component);
  else
    n.term[n.num].coordinate = 2 * (k - 1) + side, n.term[n.num++].slope = 1;
  if (k + 1 < CospinLevelsNumber(component))
    n.term[n.num].coordinate = 2 * k + side, n.term[n.num++].slope = -1;
  return n;
}

/* In the gauge of GaugeSlope the root sqrt((n_a + 1) n_b) becomes n_a + 1 on the ket and n_b on the bra. */
static PetscBool Rational(CospinComponent component, int step, CospinRational *amplitude)
{
  const int side = step / NUM_OPERATORS, a = step % NUM_OPERATORS / MAX_LEVELS, b = step % MAX_LEVELS;

  *amplitude = (CospinRational){.coefficient = 1, .num_factors = 1};
  if (a == b || side == COSPIN_BRA)
    amplitude->factor[0] = linear_occupation(component, side, b, 0);
  else
    amplitude->factor[0] = linear_occupation(component, side, a, 1);
  return PETSC_TRUE;
}

/* As of a spin: g = product of n_k! of bra over ket, so that one c_k has neighbours on both sides. */
static double GaugeSlope(CospinComponent component, int k, const double label[])
{
  const double above = k + 2 < CospinLevelsNumber(component) ? label[2 * (k + 1)] : 0.0,
               below = k == 0 ? CospinLevelsSize(component) : label[2 * (k - 1)], here = label[2 * k];

  return 0.5 * (log(below - here + 0.5) - log(here - above + 0.5));
}

#define BOTH  COSPIN_COORDINATE_KET, COSPIN_COORDINATE_BRA
#define EIGHT BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH
static const CospinRole roles[2 * MAX_LEVELS] = {EIGHT, EIGHT};

const CospinComponentKind CospinComponentLevels = {
    .record = {"levels",
               "N atoms of several levels that all processes treat alike, collective processes and those of "
               "each atom; without the latter in states symmetric under permutations",
               CospinLevelsKeys},
    .one_by_one = &CospinComponentAtoms,
    .operators = CospinLevelsOperators,
    .adjoint = CospinLevelsAdjoint,
    .states = CospinLevelsStates,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element = "|n><n'| of occupation numbers, normalised symmetric states",
    .size = "number of atoms N",
    .Size = CospinLevelsAtoms,
    .Length = CospinLevelsLength,
    .GetColumns = GetColumns,
    .SetColumns = SetColumns,
    .NumLevels = CospinLevelsNumber,
    .Operator = CospinLevelsOperator,
    .roles = roles,
    .Range = Range,
    .BoundBy = BoundBy,
    .Diagonal = Diagonal,
    .Trace = Trace,
    .ElementaryStep = ElementaryStep,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
    .Rational = Rational,
    .GaugeSlope = GaugeSlope,
    .Reach = CospinLevelsAtoms,
};
