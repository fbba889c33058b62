/*
   Component kind `ensemble`: N two-level systems that all processes treat alike.

   Basis of Liouville space: P(j,m,m') = (1/d_j) sum_i |j,m,i><j,m',i|, where i runs over the d_j copies of
   irrep j. With the 1/d_j the trace of every diagonal element is 1 and no degeneracy appears in any formula,
   so nothing can overflow. Coordinates: r = N/2 - j, n = N/2 + m and n' = N/2 + m' (spins up on the ket and
   on the bra).

   Collective operators act as on one spin of length j. A process of one spin, summed over spins, also changes
   j by at most one: with s_t in {s+, s-, s_z = sigma_z/2},

     sum_l s_t rho s_u^+ : (j,m,m') -> (j  , m+t, m'+u)  (N/2+1)/(2j(j+1))       A_t(m) A_u(m')
                                    -> (j-1, m+t, m'+u)  (N/2+j+1)/(2j(2j+1))    B_t(m) B_u(m')
                                    -> (j+1, m+t, m'+u)  (N/2-j)/(2(j+1)(2j+1))  D_t(m) D_u(m')

   (Chase and Geremia, PRA 78, 052101 (2008); Shammah et al., PRA 98, 063815 (2018).)

   Here A, B, D are square roots of products of (j +- m) and their neighbours; they depend on one side each,
   so an amplitude is a factor of j times one factor per side. Which of the copies of an irrep a state is in
   cannot be told by processes that treat all spins alike; that is why (j, m, m') is all there is to know, and
   the number of labels grows as N^3/6 instead of 4^N.
*/
#include "ensemble.h"
#include "states.h"
#include <math.h>

/* 10^8: labels are ints. 10^16: beyond that N + 1 is N in a double. */
static const double most_counted = 1e8, most = 1e16; /* spins */

typedef struct {
  double size;
} Ensemble;

const int CospinEnsembleUp[NUM_COLLECTIVE] = {+1, -1, 0};

/* Labels of a larger one are nobody's; those of this size stand in for them. */
int CospinEnsembleSize(CospinComponent component)
{
  return (int)PetscMin(((const Ensemble *)component->data)->size, most_counted);
}

static double Size(CospinComponent component)
{
  return ((const Ensemble *)component->data)->size;
}

/* An approximate task counts nothing and takes any number of spins; exact ones end where labels do. */
static PetscErrorCode Create(CospinComponent component, const CospinRecord *record, const double numbers[],
                             int window, CospinFaults faults, PetscBool *ok)
{
  Ensemble *ensemble;
  const double size = numbers[0], limit = component->uncounted ? most : most_counted;

  PetscFunctionBeginUser;
  (void)window;
  *ok = (PetscBool)(size >= 1 && size <= limit);
  if (!*ok) {
    PetscCall(CospinFaultsAdd(
        faults, record->settings[0].position, CospinExpressionPath(record->settings[0].expression),
        "an ensemble cannot have %g spins (must be a whole number from 1 to %.17g%s)", size, limit,
        size < 1 || component->uncounted ? "" : ", or to 1e16 where every task is approximate"));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&ensemble));
  ensemble->size = size;
  component->data = ensemble;
  component->num_coordinates = NUM_COORDINATES;
  PetscFunctionReturn(0);
}

/* With all digits of N. */
static PetscErrorCode Describe(CospinComponent component, char text[], size_t size)
{
  const double spins = Size(component);

  PetscFunctionBeginUser;
  PetscCall(
      PetscSNPrintf(text, size, "%.17g spin%s-1/2, permutation symmetric", spins, spins == 1 ? "" : "s"));
  PetscFunctionReturn(0);
}

/* 0 <= r <= N/2 and r <= n, n' <= N - r */
static void Range(CospinComponent component, int i, const int label[], int *lo, int *hi)
{
  const int size = CospinEnsembleSize(component);

  *lo = i == R ? 0 : label[R];
  *hi = i == R ? size / 2 : size - label[R];
}

/* The range of m depends on j: coordinate r bounds n and n'. */
static int BoundBy(CospinComponent component, int i)
{
  (void)component;
  return i == R ? -1 : R;
}

/* (r, n, n): from r = 0, n = 0 by steps of either. */
static void Diagonal(CospinComponent component, int label[], int *num, const int **generators)
{
  static const int steps[2][NUM_COORDINATES] = {{1, 0, 0}, {0, 1, 1}};

  (void)component;
  label[R] = label[N_KET] = label[N_BRA] = 0;
  *num = 2;
  *generators = &steps[0][0];
}

/* Of P(j,m,m'): 1 on the diagonal, whatever the number of copies. */
static double Trace(CospinComponent component, const int label[])
{
  (void)component;
  return label[N_KET] == label[N_BRA] ? 1.0 : 0.0;
}

/* Steps are numbered: collective operators on the ket, on the bra, then the pairs (t, u) of operators of one
   spin with the change of j. */
static int ElementaryStep(CospinComponent component, CospinElementary elementary, CospinSide side)
{
  (void)component;
  return (side == COSPIN_BRA ? NUM_COLLECTIVE : 0) + elementary.code;
}

/* A step of one spin moves j, ket and bra at once, which is why it is one step and not two. */
static void Shift(CospinComponent component, int step, int shift[])
{
  int t, u, dr;

  (void)component;
  if (step >= FIRST_JUMP) {
    CospinEnsembleJumpShift(step, shift);
    return;
  }
  if (step < FIRST_LOCAL) {
    shift[step < NUM_COLLECTIVE ? N_KET : N_BRA] += CospinEnsembleUp[step % NUM_COLLECTIVE];
    return;
  }
  CospinEnsembleUnpack(step, &t, &u, &dr);
  shift[R] += dr;
  shift[N_KET] += CospinEnsembleUp[t];
  shift[N_BRA] += CospinEnsembleUp[u];
}

/* The amplitudes A, B, D of one side; `up` and `down` are j-m and j+m, whole numbers. A_+(m) =
   sqrt((j-m)(j+m+1)), A_-(m) = sqrt((j+m)(j-m+1)), A_z = m, as one spin of length j has them. */
static double amplitude_same(int t, double up, double down)
{
  if (t == SPIN_Z) return (down - up) / 2;
  return t == SPIN_PLUS ? PetscSqrtReal(up * (down + 1)) : PetscSqrtReal(down * (up + 1));
}

/* B_t(m) of the table above, for j -> j - 1; up = j - m, down = j + m of the label it starts from. */
static double amplitude_lower(int t, double up, double down)
{
  if (t == SPIN_Z) return PetscSqrtReal(up * down);
  return t == SPIN_PLUS ? PetscSqrtReal(up * (up - 1)) : -PetscSqrtReal(down * (down - 1));
}

/* D_t(m), for j -> j + 1. The signs of B and D are those of Clebsch and Gordan's coefficients; only
   products of two of them on ket and bra are used, so an overall sign of B or D does not matter, one
   between s+, s- and s_z does. */
static double amplitude_higher(int t, double up, double down)
{
  if (t == SPIN_Z) return PetscSqrtReal((up + 1) * (down + 1));
  return t == SPIN_PLUS ? -PetscSqrtReal((down + 1) * (down + 2)) : PetscSqrtReal((up + 1) * (up + 2));
}

/* The factor that the sides share, by j of the source. One-spin operators connect j = 0 with j = 1 only. j
   = 0 has no m to move within, and 1/j would divide by zero. */
double CospinEnsembleShared(double half, double j, int dr)
{
  if (dr >= 0 && j <= 0) return 0.0;
  if (dr == 0) return (half + 1) / (2 * j * (j + 1));
  return dr > 0 ? (half + j + 1) / (2 * j * (2 * j + 1)) : (half - j) / (2 * (j + 1) * (2 * j + 1));
}

/* The factor of one side, by the change of r = N/2 - j. */
double CospinEnsembleSide(int dr, int t, double up, double down)
{
  if (dr == 0) return amplitude_same(t, up, down);
  return dr > 0 ? amplitude_lower(t, up, down) : amplitude_higher(t, up, down);
}

/* One of the terms of sum_l s_t rho s_u^+: moves the label and gives the amplitude. */
static double apply_local(int size, int step, int label[])
{
  const double half = 0.5 * size;
  const double up = size - label[R] - label[N_KET], down = label[N_KET] - label[R];
  const double up_bra = size - label[R] - label[N_BRA], down_bra = label[N_BRA] - label[R];
  double shared, amplitude;
  int t, u, dr;

  CospinEnsembleUnpack(step, &t, &u, &dr);
  shared = CospinEnsembleShared(half, half - label[R], dr);
  if (shared == 0.0) return 0.0;
  amplitude = shared * CospinEnsembleSide(dr, t, up, down) * CospinEnsembleSide(dr, u, up_bra, down_bra);
  label[R] += dr;
  label[N_KET] += CospinEnsembleUp[t];
  label[N_BRA] += CospinEnsembleUp[u];
  return amplitude;
}

static double Apply(CospinComponent component, int step, int label[])
{
  const int size = CospinEnsembleSize(component);
  const int side = step < NUM_COLLECTIVE ? N_KET : N_BRA, t = step % NUM_COLLECTIVE;
  double amplitude;

  if (step >= FIRST_JUMP) return CospinEnsembleJumpApply(component, step, label);
  if (step >= FIRST_LOCAL) return apply_local(size, step, label);
  amplitude = amplitude_same(t, size - label[R] - label[side], label[side] - label[R]);
  label[side] += CospinEnsembleUp[t];
  return amplitude;
}

/* Steps of one spin act on both sides. */
static PetscBool ActsOn(CospinComponent component, int step, CospinSide side)
{
  (void)component;
  if (step >= FIRST_JUMP) return (PetscBool)(side == COSPIN_KET);
  return (PetscBool)(step >= FIRST_LOCAL || (step >= NUM_COLLECTIVE) == (side == COSPIN_BRA));
}

/* The ket takes the factor that a local step's sides share. */
static double ApplySide(CospinComponent component, int step, CospinSide side, int label[])
{
  const int size = CospinEnsembleSize(component), n = side == COSPIN_KET ? N_KET : N_BRA;
  const double half = 0.5 * size, up = size - label[R] - label[n], down = label[n] - label[R];
  double shared;
  int t, u, dr;

  if (step < FIRST_LOCAL || step >= FIRST_JUMP) return Apply(component, step, label);
  CospinEnsembleUnpack(step, &t, &u, &dr);
  shared = CospinEnsembleShared(half, half - label[R], dr);
  if (shared == 0.0) return 0.0;
  label[R] += dr;
  label[n] += CospinEnsembleUp[side == COSPIN_KET ? t : u];
  return (side == COSPIN_KET ? shared : 1.0) * CospinEnsembleSide(dr, side == COSPIN_KET ? t : u, up, down);
}

/* The product of elementary operators of one spin as coefficients of s+, s-, s_z = sigma_z/2 and (last) the
 * identity. 2x2 matrices multiply; what results is s+, s-, s_z and the identity with coefficients. */
void CospinEnsembleExpand(int length, const int operators[], double weight[NUM_COLLECTIVE + 1])
{
  static const double matrix[NUM_COLLECTIVE][2][2] = {{{0, 1}, {0, 0}}, {{0, 0}, {1, 0}}, {{1, 0}, {0, -1}}};
  double product[2][2] = {{1, 0}, {0, 1}};

  for (int k = 0; k < length; k++) {
    const double(*factor)[2] = matrix[operators[k] - NUM_COLLECTIVE];
    for (int row = 0; row < 2; row++) {
      const double a = product[row][0], b = product[row][1];
      product[row][0] = a * factor[0][0] + b * factor[1][0];
      product[row][1] = a * factor[0][1] + b * factor[1][1];
    }
  }
  weight[SPIN_PLUS] = product[0][1];
  weight[SPIN_MINUS] = product[1][0];
  weight[SPIN_Z] = product[0][0] - product[1][1];
  weight[NUM_COLLECTIVE] = 0.5 * (product[0][0] + product[1][1]);
}

/* sum_l s_t rho s_u^+; an identity on one side makes it a collective operator on the other. sum_l 1 rho 1
   = N rho; sum_l s_t rho = S_t rho, for the sum over spins is a collective operator then. */
static PetscErrorCode emit_pair(double size, int t, int u, double weight, CospinEmit emit, void *context)
{
  PetscFunctionBeginUser;
  if (weight == 0.0) PetscFunctionReturn(0);
  if (t == NUM_COLLECTIVE && u == NUM_COLLECTIVE) {
    PetscCall(emit(context, weight * size, 0, NULL));
  } else if (t == NUM_COLLECTIVE || u == NUM_COLLECTIVE) {
    const int step = u == NUM_COLLECTIVE ? t : NUM_COLLECTIVE + u;
    PetscCall(emit(context, weight, 1, &step));
  } else {
    for (int dr = -1; dr <= 1; dr++) {
      const int step = FIRST_LOCAL + 9 * t + 3 * u + dr + 1;
      PetscCall(emit(context, weight, 1, &step));
    }
  }
  PetscFunctionReturn(0);
}

/* By pairs of the four: sixteen cases, each a step of its own or, with an identity, a collective operator. */
static PetscErrorCode Each(CospinComponent component, int num_left, const int left[], int num_right,
                           const int right[], CospinEmit emit, void *context)
{
  double weight_left[NUM_COLLECTIVE + 1], weight_right[NUM_COLLECTIVE + 1];

  PetscFunctionBeginUser;
  CospinEnsembleExpand(num_left, left, weight_left);
  CospinEnsembleExpand(num_right, right, weight_right);
  for (int t = 0; t <= NUM_COLLECTIVE; t++) {
    for (int u = 0; u <= NUM_COLLECTIVE; u++) {
      PetscCall(emit_pair(Size(component), t, u, weight_left[t] * weight_right[u], emit, context));
    }
  }
  PetscFunctionReturn(0);
}

static const CospinLabelColumn columns[] = {
    {"j", PETSC_FALSE, "irrep j, from N/2 down"},
    {"m_ket", PETSC_FALSE, "eigenvalue m of Sz on the ket"},
    {"m_bra", PETSC_FALSE, "eigenvalue m' of Sz on the bra"},
    {.suffix = NULL},
};

/* Stored states are read by people and other programs: j, m, m' themselves and not the coordinates. */
static void GetColumns(CospinComponent component, const int label[], double values[])
{
  const double half = 0.5 * CospinEnsembleSize(component);

  values[R] = half - label[R];
  values[N_KET] = label[N_KET] - half;
  values[N_BRA] = label[N_BRA] - half;
}

/* j and m of a state of the same N. */
static PetscBool SetColumns(CospinComponent component, const double values[], int label[])
{
  const double half = 0.5 * CospinEnsembleSize(component);
  const double wanted[NUM_COORDINATES] = {half - values[R], half + values[N_KET], half + values[N_BRA]};

  for (int i = 0; i < NUM_COORDINATES; i++) {
    if (!(PetscAbsReal(wanted[i]) < PETSC_MAX_INT) || wanted[i] != PetscFloorReal(wanted[i]))
      return PETSC_FALSE;
    label[i] = (int)wanted[i];
  }
  return PETSC_TRUE;
}

/* d_j = (2j+1) N!/((N/2+j+1)! (N/2-j)!). As a logarithm by lgamma: 10^4 spins have irreps of 10^3000
   copies. */
static double LogCopies(CospinComponent component, const int label[])
{
  const double size = CospinEnsembleSize(component), r = label[R];

  return log(size - 2 * r + 1) + lgamma(size + 1) - lgamma(size - r + 2) - lgamma(r + 1);
}

static double Length(CospinComponent component)
{
  return 0.5 * Size(component);
}

static const CospinKey keys[] = {
    COSPIN_COMPONENT_SIZE_KEY("number of spins N"),
    COSPIN_COMPONENT_GROUPS_KEY,
    {.name = NULL},
};

static const CospinOperatorName operators[] = {
    {"Sp", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_PLUS}}}, "collective raising operator, sum of s+"},
    {"Sm", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_MINUS}}}, "collective lowering operator, sum of s-"},
    {"Sz", PETSC_FALSE, 1, {{1, 0, 1, {SPIN_Z}}}, "collective Sz, sum of sz/2"},
    {"Sx",
     PETSC_FALSE,
     2,
     {{.5, 0, 1, {SPIN_PLUS}}, {.5, 0, 1, {SPIN_MINUS}}},
     "collective Sx = (Sp + Sm)/2"},
    {"Sy",
     PETSC_FALSE,
     2,
     {{0, -.5, 1, {SPIN_PLUS}}, {0, .5, 1, {SPIN_MINUS}}},
     "collective Sy = (Sp - Sm)/(2i)"},
    {"sp", PETSC_TRUE, 1, {{1, 0, 1, {NUM_COLLECTIVE + SPIN_PLUS}}}, "raising operator |e><g| of each spin"},
    {"sm",
     PETSC_TRUE,
     1,
     {{1, 0, 1, {NUM_COLLECTIVE + SPIN_MINUS}}},
     "lowering operator |g><e| of each spin"},
    {"sz", PETSC_TRUE, 1, {{1, 0, 1, {NUM_COLLECTIVE + SPIN_Z}}}, "Pauli z of each spin, eigenvalues +-1"},
    {"sx",
     PETSC_TRUE,
     2,
     {{1, 0, 1, {NUM_COLLECTIVE + SPIN_PLUS}}, {1, 0, 1, {NUM_COLLECTIVE + SPIN_MINUS}}},
     "Pauli x of each spin"},
    {"sy",
     PETSC_TRUE,
     2,
     {{0, -1, 1, {NUM_COLLECTIVE + SPIN_PLUS}}, {0, 1, 1, {NUM_COLLECTIVE + SPIN_MINUS}}},
     "Pauli y of each spin"},
    {.name = NULL},
};

static const int adjoint[2 * NUM_COLLECTIVE] = {
    SPIN_MINUS,
    SPIN_PLUS,
    SPIN_Z,
    NUM_COLLECTIVE + SPIN_MINUS,
    NUM_COLLECTIVE + SPIN_PLUS,
    NUM_COLLECTIVE + SPIN_Z,
};

static const CospinRole roles[NUM_COORDINATES] = {COSPIN_COORDINATE_IRREP, COSPIN_COORDINATE_KET,
                                                  COSPIN_COORDINATE_BRA};

const CospinComponentKind CospinComponentEnsemble = {
    .record = {"ensemble", "N two-level systems, permutation symmetric, local and collective processes",
               keys},
    .operators = operators,
    .adjoint = adjoint,
    .states = CospinEnsembleStates,
    .Create = Create,
    .Describe = Describe,
    .columns = columns,
    .element =
        "summed over the d_j copies of irrep j: each copy holds value/d_j of |j,m><j,m'|, copies of one "
        "j have no coherence; d_j = (2j+1) N!/((N/2+j+1)! (N/2-j)!)",
    .size = "number of spins N",
    .Size = Size,
    .LogCopies = LogCopies,
    .Length = Length,
    .GetColumns = GetColumns,
    .SetColumns = SetColumns,
    .roles = roles,
    .Range = Range,
    .BoundBy = BoundBy,
    .Diagonal = Diagonal,
    .Trace = Trace,
    .ElementaryStep = ElementaryStep,
    .Shift = Shift,
    .Apply = Apply,
    .ActsOn = ActsOn,
    .ApplySide = ApplySide,
    .Rational = CospinEnsembleRational,
    .GaugeSlope = CospinEnsembleGaugeSlope,
    .Reach = Size,
    .Each = Each,
    .num_channels = COSPIN_ENSEMBLE_CHANNELS,
    .EachKet = CospinEnsembleEachKet,
};
