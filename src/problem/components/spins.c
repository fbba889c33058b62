/*
   Component kind `spins`: N spins-1/2 that can be told apart.

   Basis of Liouville space: |x><y| with one bit a spin, 1 = up. The bits of ket and bra of a spin stand side
   by side, k_0, b_0, k_1, b_1, ..., so that a walk through the coordinates sees early what a charge forbids.
   Every operator is a sum of products of operators of one spin each; collective ones are sums over spins.
*/
#include "states.h"

enum { SPIN_PLUS, SPIN_MINUS, SPIN_Z, NUM_OPERATORS }; /* SPIN_Z is Pauli's, eigenvalues +-1 */
enum {
  MAX_SPINS = COSPIN_MAX_COORDINATES / 2,
  MAX_UNCOUNTED = 40000 /* so that an int counts the entries of a matrix over them */
};

/* How many spins there are, and the steps between diagonal labels: one spin turned over on both sides. */
typedef struct {
  int size;
  int diagonal[2 * MAX_SPINS * MAX_SPINS]; /* [size][2*size] */
} Spins;

static const int adjoint[NUM_OPERATORS] = {SPIN_MINUS, SPIN_PLUS, SPIN_Z};

static int NumSpins(CospinComponent component)
{
  return ((const Spins *)component->data)->size;
}

/* Of approximate tasks there may be far more spins than labels could be enumerated for: then the component is
   made without labels. */
static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  const int most = component->uncounted ? MAX_UNCOUNTED : MAX_SPINS;
  Spins *spins;

  PetscFunctionBeginUser;
  (void)window;
  *ok = (PetscBool)(numbers[0] >= 1 && numbers[0] <= most);
  if (!*ok) {
    PetscCall(CospinFaultsAdd(
        faults, record->settings[0].position, CospinExpressionPath(record->settings[0].expression),
        "%g distinguishable spins (must be a whole number from 1 to %d%s)", numbers[0], most,
        numbers[0] < 1 || component->uncounted ? "" : ", or to 40000 where every task is approximate"));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&spins));
  component->data = spins;
  spins->size = (int)numbers[0];
  if (component->uncounted) PetscFunctionReturn(0); /* without labels */
  for (int l = 0; l < spins->size; l++) {
    int *row = &spins->diagonal[2 * spins->size * l];
    row[2 * l] = row[2 * l + 1] = 1;
  }
  component->num_coordinates = 2 * spins->size;
  PetscFunctionReturn(0);
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "%d spin%s-1/2, distinguishable", NumSpins(component),
                          NumSpins(component) == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

/* Bits. */
static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  (void)component;
  (void)i;
  (void)label;
  *lo = 0;
  *hi = 1;
}

/* (0,0) and (1,1) of each spin. */
static void Diagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  const Spins *spins = (const Spins *)component->data;

  for (int i = 0; i < component->num_coordinates; i++) label[i] = 0;
  *num = component->num_coordinates / 2;
  *generators = spins->diagonal;
}

/* Ket and bra of every spin alike. */
static double Trace(CospinComponent component, const int label[])
{
  for (int l = 0; l < NumSpins(component); l++) {
    if (label[2 * l] != label[2 * l + 1]) return 0.0;
  }
  return 1.0;
}

static const CospinLabelColumn columns[] = {
    {"bits_ket", PETSC_TRUE, "bit l is set if spin l is up on the ket"},
    {"bits_bra", PETSC_TRUE, "bit l is set if spin l is up on the bra"},
    {.suffix = NULL},
};

/* N, by which a stored state is told from one of another number of spins. */
static double Size(CospinComponent component)
{
  return NumSpins(component);
}

static double Length(CospinComponent component)
{
  return 0.5 * NumSpins(component);
}

/* One bit string a side as a number; up to 52 spins it fits into a double exactly. */
static void GetColumns(CospinComponent component, const int label[], double values[])
{
  uint64_t bits[2] = {0, 0};

  for (int i = 0; i < component->num_coordinates; i++) bits[i % 2] |= (uint64_t)label[i] << (i / 2);
  values[0] = (double)bits[0];
  values[1] = (double)bits[1];
}

/* Bit l of the number is spin l, as GetColumns has packed them. */
static PetscBool SetColumns(CospinComponent component, const double values[], int label[])
{
  const double num_strings = (double)((uint64_t)1 << NumSpins(component));

  for (int side = 0; side < 2; side++) {
    if (!(values[side] >= 0 && values[side] < num_strings)) return PETSC_FALSE;
    for (int l = 0; l < NumSpins(component); l++) {
      label[2 * l + side] = (int)((uint64_t)values[side] >> l & 1);
    }
  }
  return PETSC_TRUE;
}

/* A step is an elementary operator on one coordinate. 3 (2 spin + side) + operator: spin and side are the
   coordinate that it moves. */
static int ElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side)
{
  (void)component;
  return NUM_OPERATORS * (2 * elementary.spin + (side == COSPIN_BRA ? 1 : 0)) + elementary.code;
}

/* A step belongs to one spin and side, which is its coordinate. */
static void Shift(CospinComponent component, int step, int shift[])
{
  static const int up[NUM_OPERATORS] = {+1, -1, 0};

  (void)component;
  shift[step / NUM_OPERATORS] += up[step % NUM_OPERATORS];
}

/* Spin up and spin down are swapped or the amplitude is zero; sz is Pauli's, +1 and -1. */
static double Apply(CospinComponent component, int step, int label[])
{
  int *bit = &label[step / NUM_OPERATORS];
  const int code = step % NUM_OPERATORS, before = *bit;

  (void)component;
  if (code == SPIN_Z) return before ? 1.0 : -1.0;
  *bit = code == SPIN_PLUS;
  return *bit != before ? 1.0 : 0.0;
}

static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  return (PetscBool)(step / NUM_OPERATORS % 2 == (side == COSPIN_BRA));
}

static const CospinKey keys[] = {
    COSPIN_COMPONENT_SIZE_KEY("number of spins N"),
    {.name = NULL},
};

static const CospinOperatorName operators[] = {
    {"Sp", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_PLUS}}}, "sum of sp over all spins"},
    {"Sm", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_MINUS}}}, "sum of sm over all spins"},
    {"Sz", PETSC_FALSE, 1, {{.5, 0, 1, {SPIN_Z}}}, "sum of sz/2 over all spins"},
    {"Sx", PETSC_FALSE, 2, {{.5, 0, 1, {SPIN_PLUS}}, {.5, 0, 1, {SPIN_MINUS}}}, "(Sp + Sm)/2"},
    {"Sy", PETSC_FALSE, 2, {{0, -.5, 1, {SPIN_PLUS}}, {0, .5, 1, {SPIN_MINUS}}}, "(Sp - Sm)/(2i)"},
    {"sp", PETSC_TRUE, 1, {{1, 0, 1, {SPIN_PLUS}}}, "raising operator |e><g| of spin l: sp[l]"},
    {"sm", PETSC_TRUE, 1, {{1, 0, 1, {SPIN_MINUS}}}, "lowering operator |g><e| of spin l"},
    {"sz", PETSC_TRUE, 1, {{1, 0, 1, {SPIN_Z}}}, "Pauli z of spin l, eigenvalues +-1"},
    {"sx", PETSC_TRUE, 2, {{1, 0, 1, {SPIN_PLUS}}, {1, 0, 1, {SPIN_MINUS}}}, "Pauli x of spin l"},
    {"sy", PETSC_TRUE, 2, {{0, -1, 1, {SPIN_PLUS}}, {0, 1, 1, {SPIN_MINUS}}}, "Pauli y of spin l"},
    {.name = NULL},
};

#define BOTH  COSPIN_COORDINATE_KET, COSPIN_COORDINATE_BRA
#define EIGHT BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH
static const CospinRole roles[COSPIN_MAX_COORDINATES] = {EIGHT, EIGHT, EIGHT, EIGHT};

const CospinComponentKind CospinComponentSpins = {
    .record = {"spins", "N distinguishable spins-1/2, terms with an index of the spin", keys},
    .operators = operators,
    .adjoint = adjoint,
    .states = CospinSpinsStates,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element = "|bits><bits'|, spin l up where bit l is set",
    .size = "number of spins N",
    .Size = Size,
    .Length = Length,
    .GetColumns = GetColumns,
    .SetColumns = SetColumns,
    .NumSpins = NumSpins,
    .roles = roles,
    .Range = Range,
    .Diagonal = Diagonal,
    .Trace = Trace,
    .ElementaryStep = ElementaryStep,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
};
