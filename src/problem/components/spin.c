/*
   Component kind `spin`: one spin of length S, or one irrep of many spins.

   Levels: n = S + m. `b` is the Holstein-Primakoff boson, Sm = sqrt(2S - b^+ b) b with b |n> = sqrt(n) |n-1>
   (Phys. Rev. 58, 1098 (1940)).

   Sp |n> = sqrt((2S - n)(n + 1)) |n+1>, Sm |n> = sqrt(n (2S - n + 1)) |n-1>, Sz |n> = (n - S) |n>. The
   bosonic operators b, b^+ act on the same levels; b^+ |2S> is dropped, as a spin has no more.
*/
#include "ladder.h"
#include "states.h"
#include <math.h>

enum { SPIN_PLUS, SPIN_MINUS, SPIN_Z, BOSON, BOSON_ADJOINT, NUM_OPERATORS };
/* Labels are int, and m, m' each count to 2S + 1. */
enum { MAX_TWO_S = 100000000 };

/* As functions of n = S + m: (S - m)(S + m + 1) = (2S - n)(n + 1). */
static double raise_spin(double n, double two_s)
{
  return PetscSqrtReal((two_s - n) * (n + 1));
}

static double lower_spin(double n, double two_s)
{
  return PetscSqrtReal(n * (two_s - n + 1));
}

static double z_component(double n, double two_s)
{
  return n - 0.5 * two_s;
}

static double annihilate(double n, double two_s)
{
  (void)two_s;
  return PetscSqrtReal(n);
}

static double create(double n, double two_s)
{
  (void)two_s;
  return PetscSqrtReal(n + 1);
}

/* Step, amplitude, and the same without a square root for ket and bra, as factors constant + slope*n in
   the gauge of expansions: S+ on the ket is (n + 1), on the bra (2S - n), so that their product is the
   square of the amplitude. `b` has none. */
static const CospinLadderElementary ladder_operators[NUM_OPERATORS] = {
    {+1, raise_spin, {{1, 0, 1, PETSC_FALSE}, {0, 1, -1, PETSC_TRUE}}, PETSC_FALSE},
    {-1, lower_spin, {{1, 1, -1, PETSC_FALSE}, {0, 0, 1, PETSC_TRUE}}, PETSC_FALSE},
    {0, z_component, {{0, -0.5, 1, PETSC_FALSE}, {0, -0.5, 1, PETSC_FALSE}}, PETSC_FALSE},
    {-1, annihilate, .irrational = PETSC_TRUE},
    {+1, create, .irrational = PETSC_TRUE}};
static const int adjoint[NUM_OPERATORS] = {SPIN_MINUS, SPIN_PLUS, SPIN_Z, BOSON_ADJOINT, BOSON};

/* S is a multiple of 1/2, so 2S is what has to be whole. */
static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  const double two_s = 2.0 * numbers[0];

  PetscFunctionBeginUser;
  (void)window;
  *ok = (PetscBool)(two_s >= 1 && two_s <= MAX_TWO_S && two_s == PetscFloorReal(two_s));
  if (*ok) {
    PetscCall(CospinLadderCreate(component, (int)two_s + 1, NUM_OPERATORS, ladder_operators));
  } else {
    PetscCall(CospinFaultsAdd(faults, record->settings[0].position,
                              CospinExpressionPath(record->settings[0].expression),
                              "a spin of length %g (a positive multiple of 1/2)", numbers[0]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  const int levels = CospinLadderLevels(component);

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(text, size, "length %g, %d levels", 0.5 * (levels - 1), levels));
  PetscFunctionReturn(0);
}

/* G = n! (2S - n)! The digamma function of the derivative is taken as log(x + 1/2), right to 1/(24 x^2):
   it only enters where an expansion is centred. */
static double GaugeSlope(CospinComponent component, int k, const double label[])
{
  const double two_s = CospinLadderLevels(component) - 1;

  (void)k;
  return 0.5 * (log(two_s - label[0] + 0.5) - log(label[0] + 0.5));
}

static double Reach(CospinComponent component)
{
  return CospinLadderLevels(component) - 1;
}

static const CospinLabelColumn columns[] = {
    {"m_ket", PETSC_FALSE, "eigenvalue m of Sz on the ket"},
    {"m_bra", PETSC_FALSE, "eigenvalue m' of Sz on the bra"},
    {.suffix = NULL},
};

static double Size(CospinComponent component)
{
  return 0.5 * (CospinLadderLevels(component) - 1);
}

/* Stored as m, not as n, which is what S_z has. */
static void GetColumns(CospinComponent component, const int label[], double values[])
{
  CospinLadderGetColumns(-Size(component), label, values);
}

static PetscBool SetColumns(CospinComponent component, const double values[], int label[])
{
  return CospinLadderSetColumns(-Size(component), values, label);
}

static const CospinKey keys[] = {
    {.name = "S",
     .type = COSPIN_KEY_NUMBER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "length of the spin, a multiple of 1/2"},
    COSPIN_COMPONENT_GROUPS_KEY,
    {.name = NULL},
};

static const CospinOperatorName operators[] = {
    {"Sp", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_PLUS}}}, "raising operator"},
    {"Sm", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_MINUS}}}, "lowering operator"},
    {"Sz", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_Z}}}, "z component"},
    {"Sx", PETSC_FALSE, 2, {{.5, 0, 1, {SPIN_PLUS}}, {.5, 0, 1, {SPIN_MINUS}}}, "x component, (Sp + Sm)/2"},
    {"Sy",
     PETSC_FALSE,
     2,
     {{0, -.5, 1, {SPIN_PLUS}}, {0, .5, 1, {SPIN_MINUS}}},
     "y component, (Sp - Sm)/(2i)"},
    {"b", PETSC_FALSE, 1, {{1, 0, 1, {BOSON}}}, "Holstein-Primakoff boson, Sm = sqrt(2S - dag(b)*b) b"},
    {.name = NULL},
};

const CospinComponentKind CospinComponentSpin = {
    .record = {"spin", "one spin of length S, e.g. one collective irrep", keys},
    .operators = operators,
    .adjoint = adjoint,
    .states = CospinSpinStates,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element = "|m><m'|",
    .size = "length S",
    .Size = Size,
    .Length = Size,
    .GetColumns = GetColumns,
    .SetColumns = SetColumns,
    .GaugeSlope = GaugeSlope,
    .Reach = Reach,
    COSPIN_LADDER_MEMBERS,
};
