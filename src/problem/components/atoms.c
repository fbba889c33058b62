/*
   N atoms of d levels that all processes treat alike, one by one: what stands in for the kind `levels` where
   a process acts on one atom alone (`each:`), so that states symmetric under permutations are left, or where
   a state is a mixture of single atoms. States are then operators that permutations leave as they are.

   Basis of Liouville space: n_ab atoms in |a><b|, a, b = 0 ... d-1, sum n_ab = N,

     P(n) = 1/sqrt(M_n) sum over the M_n = N!/prod n_ab! distinct placements,      Tr P(n)^+ P(n') = delta

   These are the states of N bosons in d^2 modes, and a map T of one atom, summed over atoms, is sum_ij T_ij
   b_i^+ b_j with i, j running over pairs (a,b): there is one kind of step, an atom going from |c><d| to
   |a><b|,

     n_cd -> n_cd - 1, n_ab -> n_ab + 1,   amplitude sqrt(n_cd (n_ab + 1));   n_ab if both are the same

   E[a,b] from the left is sum_c (b,c) -> (a,c), from the right (its adjoint) sum_c (c,b) -> (c,a): an
   elementary operator is a sum of d steps. Of one atom A rho B^+ with A = |a><b|, B = |c><d| is one step
   (b,d) -> (a,c). (PsiQuaSP, Sci. Rep. 7, 16304; Shammah et al., PRA 98, 063815 at d = 2.)

   The trace of P(n) is sqrt(M_n) on the diagonal. The eigenvalue 0 has the left vector 1 and the right one
   rho, so its condition is d^(N/2) sqrt(Tr rho^2) exactly: that is what normwise solvers may lose here, and
   why eigenvalues are looked for with weights, prod s_ab^n_ab P(n) (Weigh; tasks/weigh.c says more).

   Coordinates: elements in a row, (0,0), then the coherences in pairs (a,b), (b,a), then (1,1), (2,2), ...;
   coordinate i is the number of atoms in element i+1 or behind it. Ranges are nested so (N >= c_1 >= c_2
   ...), one bound each. What is conserved beside charges, such as the number of coherences with a level that
   is reached incoherently only, is a coset of the moves like any other, and 0 leaves one label of each.
*/
#include "levels.h"
#include "states.h"

enum { MAX_LEVELS = 8, MAX_ELEMENTS = MAX_LEVELS * MAX_LEVELS };

typedef struct {
  CospinLevelsData of;
  int num; /* d^2 elements */
  int level[2][MAX_ELEMENTS], place[MAX_LEVELS][MAX_LEVELS];
  double weight[MAX_ELEMENTS];                         /* of an atom in each element: 1, or by populations */
  int diagonal[(MAX_LEVELS - 1) * (MAX_ELEMENTS - 1)]; /* [d - 1][num - 1] */
} Atoms;

static const Atoms *atoms_of(CospinComponent component)
{
  return (const Atoms *)component->data;
}

/* ---- Size ---------------------------------------------------------------------------------------------- */

/* In two columns of digits, each below 2^53 (which doubles hold exactly), and with traces sqrt(M_n) that are
   numbers. */
static double most_atoms(double num_levels)
{
  const double digits = PetscFloorReal(0.5 * PetscSqr(num_levels));

  return PetscMin(PetscFloorReal(PetscPowReal(9007199254740992.0, 1 / digits)) - 1,
                  PetscFloorReal(600 / log(num_levels)));
}

/* As of the symmetric states; fewer of both. */
static PetscErrorCode check_sizes(const CospinRecord *record, const double numbers[], CospinFaults faults,
                                  PetscBool *ok)
{
  const double size = numbers[0], num_levels = numbers[1];
  const CospinSetting *settings = record->settings;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (!(num_levels >= 2 && num_levels <= MAX_LEVELS)) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(
        faults, settings[1].position, CospinExpressionPath(settings[1].expression),
        "atoms of %g levels, with processes or states of single atoms (must be a whole number from 2 to %d)",
        num_levels, (int)MAX_LEVELS));
  }
  if (!(size >= 1) || (*ok && size > most_atoms(num_levels))) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, settings[0].position, CospinExpressionPath(settings[0].expression),
                              "%.17g atoms, with processes or states of single atoms (must be a whole number "
                              "from 1 on, and with %g "
                              "levels at most %.0f)",
                              size, num_levels, most_atoms(PetscMax(2, PetscMin(num_levels, MAX_LEVELS)))));
  }
  PetscFunctionReturn(0);
}

/* Coherences of a level stand together, so that a sector without them is found early. */
static void number_elements(Atoms *atoms)
{
  const int d = atoms->of.num_levels;
  int element = 0;

  for (int b = 0; b < d; b++) {
    for (int a = 0; a < PetscMax(b, 1); a++) {
      const int pairs[2][2] = {{a, b}, {b, a}};
      for (int k = 0; k < (b ? 2 : 1); k++, element++) {
        atoms->level[COSPIN_KET][element] = pairs[k][0];
        atoms->level[COSPIN_BRA][element] = pairs[k][1];
      }
    }
  }
  for (int k = 1; k < d; k++, element++)
    atoms->level[COSPIN_KET][element] = atoms->level[COSPIN_BRA][element] = k;
  atoms->num = element;
  for (int e = 0; e < atoms->num; e++)
    atoms->place[atoms->level[COSPIN_KET][e]][atoms->level[COSPIN_BRA][e]] = e;
}

static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  Atoms *atoms;

  PetscFunctionBeginUser;
  (void)window;
  PetscCall(check_sizes(record, numbers, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(PetscNew(&atoms));
  atoms->of = (CospinLevelsData){(int)numbers[0], (int)numbers[1]};
  number_elements(atoms);
  for (int e = 0; e < atoms->num; e++) atoms->weight[e] = 1.0;
  component->data = atoms;
  component->num_coordinates = atoms->num - 1;
  for (int k = 0; k + 1 < atoms->of.num_levels; k++) { /* an atom from the last level to level k */
    for (int e = atoms->place[k][k] + 1; e < atoms->num; e++)
      atoms->diagonal[k * component->num_coordinates + e - 1] = 1;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "%d atom%s of %d levels, permutation symmetric",
                          CospinLevelsSize(component), CospinLevelsSize(component) == 1 ? "" : "s",
                          CospinLevelsNumber(component)));
  PetscFunctionReturn(0);
}

/* ---- Labels -------------------------------------------------------------------------------------------- */

/* Atoms in element e. */
static int occupation(CospinComponent component, const int label[], int e)
{
  const int from = e == 0 ? CospinLevelsSize(component) : label[e - 1];

  return from - (e == component->num_coordinates ? 0 : label[e]);
}

void CospinAtomsOccupations(CospinComponent component, int last, const int label[],
                            int n[COSPIN_LEVELS_MOST][COSPIN_LEVELS_MOST])
{
  const Atoms *atoms = atoms_of(component);

  for (int e = 0; e < atoms->num; e++)
    n[atoms->level[COSPIN_KET][e]][atoms->level[COSPIN_BRA][e]] =
        e <= last ? occupation(component, label, e) : 0;
}

/* N >= c_1 >= c_2 >= ... >= 0 */
static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  *lo = 0;
  *hi = i == 0 ? CospinLevelsSize(component) : label[i - 1];
}

static int BoundBy(CospinComponent component, int i)
{
  (void)component;
  return i - 1;
}

/* All atoms in the highest level; from there one atom lower at a time. */
static void Diagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  for (int i = 0; i < component->num_coordinates; i++) label[i] = CospinLevelsSize(component);
  *num = CospinLevelsNumber(component) - 1;
  *generators = atoms_of(component)->diagonal;
}

/* ---- Weights ------------------------------------------------------------------------------------------- */

/* Three digits of d^(N/2), by which the norm of 1 exceeds that of a state. */
static PetscBool Weighs(CospinComponent component)
{
  return (PetscBool)(0.5 * CospinLevelsSize(component) * log(CospinLevelsNumber(component)) > log(1e3));
}

/* s_aa = sqrt(P_a), s_ab = 2 sqrt(s_aa s_bb). Coherences larger than populations condition sectors of
   coherences better (of 124 atoms of two levels 1e7 and less instead of 1e14; smaller ones would be a
   disaster). In steps of 1/64, and not less: the same on any number of ranks, and no level without. */
static void Weigh(CospinComponent component, const double populations[])
{
  static const double coherent = 2.0, step = 1.0 / 64;
  Atoms *atoms = (Atoms *)component->data;
  double sum = 0.0, share[MAX_LEVELS];

  for (int a = 0; a < atoms->of.num_levels && populations; a++) sum += populations[a];
  for (int a = 0; a < atoms->of.num_levels && populations; a++)
    share[a] = step * PetscMax(1.0, PetscFloorReal(populations[a] / (sum * step) + 0.5));
  for (int e = 0; e < atoms->num; e++) {
    const int a = atoms->level[COSPIN_KET][e], b = atoms->level[COSPIN_BRA][e];
    atoms->weight[e] = !populations ? 1.0 : PetscPowReal(share[a] * share[b], 0.25) * (a == b ? 1 : coherent);
  }
}

static void TakeWeights(CospinComponent component, CospinComponent from)
{
  Atoms *atoms = (Atoms *)component->data;

  for (int e = 0; e < atoms->num; e++) atoms->weight[e] = atoms_of(from)->weight[e];
}

/* What the basis element is multiplied by. */
double CospinAtomsWeight(CospinComponent component, const int label[])
{
  double product = 1.0;

  for (int e = 0; e <= component->num_coordinates; e++)
    product *= PetscPowRealInt(atoms_of(component)->weight[e], occupation(component, label, e));
  return product;
}

/* sqrt(M_n), multiplied up from binomials so that few digits are lost. */
static double root_of_placements(CospinComponent component, const int label[])
{
  double placements = 1.0, placed = 0.0;

  for (int e = 0; e <= component->num_coordinates; e++) {
    const int n = occupation(component, label, e);
    for (int k = 1; k <= n; k++) placements *= ++placed / k;
  }
  return CospinAtomsWeight(component, label) * PetscSqrtReal(placements);
}

/* Atoms that are in no level but between two. */
static int coherent_atoms(CospinComponent component, const int label[])
{
  const Atoms *atoms = atoms_of(component);
  int sum = 0;

  for (int e = 0; e < atoms->num; e++)
    if (atoms->level[COSPIN_KET][e] != atoms->level[COSPIN_BRA][e]) sum += occupation(component, label, e);
  return sum;
}

/* M_n populations over sqrt(M_n). */
static double Trace(CospinComponent component, const int label[])
{
  return coherent_atoms(component, label) ? 0.0 : root_of_placements(component, label);
}

/* Operators of two atoms read labels of at most two coherent ones, up to sqrt(M_n) each. Others can only come
   there by the generator, and their traces say nothing. */
static double Bound(CospinComponent component, const int label[])
{
  return coherent_atoms(component, label) > 2 ? 1.0 : root_of_placements(component, label);
}

/* Level of element e minus that of the one before it: all atoms behind have so much more. */
static int Excitations(CospinComponent component, int i, CospinSide side)
{
  const int *level = atoms_of(component)->level[side];

  return level[i + 1] - level[i];
}

/* n_ab and n_ba change places. */
static void Adjoint(CospinComponent component, const int label[], int adjoint[])
{
  const Atoms *atoms = atoms_of(component);
  int behind = 0;

  for (int e = atoms->num - 1; e > 0; e--) {
    behind +=
        occupation(component, label, atoms->place[atoms->level[COSPIN_BRA][e]][atoms->level[COSPIN_KET][e]]);
    adjoint[e - 1] = behind;
  }
}

static const CospinLabelColumn columns[] = {
    {"levels", PETSC_TRUE, "d, the number of levels of an atom"},
    {"pairs_low", PETSC_TRUE,
     "atoms in |a><b|, digits of base size+1, lowest first: 01, 10, 02, 20, 12, 21, 03, ..., 11, 22, ...; "
     "the "
     "first d^2/2 of them"},
    {"pairs_high", PETSC_TRUE, "the other digits"},
    {.suffix = NULL},
};

/* Which elements a column of digits has: from ... to. */
static void digits_of(const Atoms *atoms, int column, int *from, int *to)
{
  const int half = atoms->num / 2;

  *from = column ? half + 1 : 1;
  *to = column ? atoms->num - 1 : half;
}

static void GetColumns(CospinComponent component, const int label[], double values[])
{
  const Atoms *atoms = atoms_of(component);

  values[0] = atoms->of.num_levels;
  for (int column = 0; column < 2; column++) {
    int from, to;
    digits_of(atoms, column, &from, &to);
    values[1 + column] = 0;
    for (int e = to; e >= from; e--)
      values[1 + column] =
          (CospinLevelsAtoms(component) + 1) * values[1 + column] + occupation(component, label, e);
  }
}

/* Read from files, so everything is checked: whole numbers, digits that add up to N at most. */
static PetscBool SetColumns(CospinComponent component, const double values[], int label[])
{
  const Atoms *atoms = atoms_of(component);
  const int base = atoms->of.size + 1;
  int n[MAX_ELEMENTS] = {0}, behind = 0;

  if (values[0] != atoms->of.num_levels) return PETSC_FALSE;
  for (int column = 0; column < 2; column++) {
    const double value = values[1 + column];
    int from, to;
    PetscInt64 rest;
    digits_of(atoms, column, &from, &to);
    if (!(value >= 0 && value < PetscPowRealInt(base, to - from + 1))) return PETSC_FALSE;
    if (value != PetscFloorReal(value)) return PETSC_FALSE;
    rest = (PetscInt64)value;
    for (int e = from; e <= to; e++, rest /= base) n[e] = (int)(rest % base);
  }
  for (int e = atoms->num - 1; e > 0; e--) label[e - 1] = behind += n[e];
  return (PetscBool)(behind <= atoms->of.size);
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

/* An atom goes from one element to another. */
static int step_between(int from, int to)
{
  return MAX_ELEMENTS * to + from;
}

/* E[a,b]: one step for each level of the other side. */
static int ElementarySteps(CospinComponent component, CospinElementary elementary, CospinSide side,
                           int steps[COSPIN_MAX_STEPS])
{
  const Atoms *atoms = atoms_of(component);
  const int a = elementary.code / COSPIN_LEVELS_MOST, b = elementary.code % COSPIN_LEVELS_MOST;

  for (int c = 0; c < atoms->of.num_levels; c++) {
    const int from = side == COSPIN_KET ? atoms->place[b][c] : atoms->place[c][b];
    steps[c] = step_between(from, side == COSPIN_KET ? atoms->place[a][c] : atoms->place[c][a]);
  }
  return atoms->of.num_levels;
}

/* Atoms in elements between the two are counted behind them once more, or once less. */
static void Shift(CospinComponent component, int step, int shift[])
{
  const int to = step / MAX_ELEMENTS, from = step % MAX_ELEMENTS;

  (void)component;
  for (int e = PetscMin(to, from) + 1; e <= PetscMax(to, from); e++) shift[e - 1] += to > from ? 1 : -1;
}

/* No atom that could go: the amplitude is zero and the label stays as it is. A basis element that is w times
   as large has an amplitude over w. */
static double Apply(CospinComponent component, int step, int label[])
{
  const int to = step / MAX_ELEMENTS, from = step % MAX_ELEMENTS;
  const double n = occupation(component, label, from);
  double m;

  if (to == from || n <= 0) return n;
  m = occupation(component, label, to);
  Shift(component, step, label);
  return PetscSqrtReal((m + 1) * n) * atoms_of(component)->weight[from] / atoms_of(component)->weight[to];
}

/* Ket and bra are told together. */
static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  (void)step;
  (void)side;
  return PETSC_TRUE;
}

/* A product of |a><b| of one atom: it is one of them, or nothing; of none it is the identity, a = b = -1. */
static PetscBool multiply(int num, const int codes[], int *a, int *b)
{
  *a = *b = -1;
  for (int k = 0; k < num; k++) {
    const int code = codes[k] - COSPIN_LEVELS_OPERATORS;
    if (k && *b != code / COSPIN_LEVELS_MOST) return PETSC_FALSE;
    if (!k) *a = code / COSPIN_LEVELS_MOST;
    *b = code % COSPIN_LEVELS_MOST;
  }
  return PETSC_TRUE;
}

/* (b,d) -> (a,c) for |a><b| rho |d><c|; where a side has no operator, summed over its levels. */
static PetscErrorCode Each(CospinComponent component, int num_left, const int left[], int num_right,
                           const int right[], CospinEmit emit, void *context)
{
  const Atoms *atoms = atoms_of(component);
  int a, b, c, d;

  PetscFunctionBeginUser;
  if (!multiply(num_left, left, &a, &b) || !multiply(num_right, right, &c, &d)) PetscFunctionReturn(0);
  for (int ket = 0; ket < (num_left ? 1 : atoms->of.num_levels); ket++) {
    for (int bra = 0; bra < (num_right ? 1 : atoms->of.num_levels); bra++) {
      const int from = atoms->place[num_left ? b : ket][num_right ? d : bra];
      const int step = step_between(from, atoms->place[num_left ? a : ket][num_right ? c : bra]);
      PetscCall(emit(context, 1.0, 1, &step));
    }
  }
  PetscFunctionReturn(0);
}

#define PAIR    COSPIN_COORDINATE_PAIR
#define SEVEN   PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, PAIR
#define TWENTY1 SEVEN, SEVEN, SEVEN
static const CospinRole roles[MAX_ELEMENTS - 1] = {TWENTY1, TWENTY1, TWENTY1};

const CospinComponentKind CospinComponentAtoms = {
    .record = {"atoms", "N atoms of several levels, processes of each atom", CospinLevelsKeys},
    .operators = CospinLevelsOperators,
    .adjoint = CospinLevelsAdjoint,
    .states = CospinAtomsStates,
    .Vanishes = CospinAtomsVanishes,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element = "sum over the M = N!/prod n_ab! distinct placements of n_ab atoms in |a><b|, over sqrt(M): an "
               "orthonormal basis of the operators that permutations leave as they are",
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
    .Weighs = Weighs,
    .Weigh = Weigh,
    .TakeWeights = TakeWeights,
    .Bound = Bound,
    .Excitations = Excitations,
    .Adjoint = Adjoint,
    .NumKets = CospinAtomsNumKets,
    .NumPairs = CospinAtomsNumPairs,
    .EachPair = CospinAtomsEachPair,
    .ElementarySteps = ElementarySteps,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
    .Each = Each,
};
