/*
   What operators of atoms of d levels are, in elementary operators: E[a,b] = sum over atoms |a><b|, numbered
   16 a + b, and the same of one atom, |a><b| of `each:`, numbered 256 + 16 a + b. Every operator of the table
   is a sum of them: sum_ab h_ab E[a,b] for the matrix h that it has on one atom. The table says h in
   components x, y, z of the spin s = (d-1)/2 of one atom, of which level k is the state m = k - s; of
   products the traceless part is meant, as of the quadrupole tensor Q_ij = s_i s_j + s_j s_i - 2/3 s(s+1)
   delta_ij (for s = 1 Qxx - Qyy = 2 (E[2,0] + E[0,2])). Operators of one atom are components of that spin,
   not Pauli's matrices: sz of two levels is 1/2 and -1/2.
*/
#include "levels.h"
#include "states.h"

enum { MAX_LEVELS = COSPIN_LEVELS_MOST };
enum { X, Y, Z };

/* [MAX_LEVELS a + b] = MAX_LEVELS b + a; likewise of one atom, COSPIN_LEVELS_OPERATORS further on */
#define COLUMN(a) (a), 16 + (a), 32 + (a), 48 + (a), 64 + (a), 80 + (a), 96 + (a), 112 + (a)
#define ROW(a)    COLUMN(a), COLUMN(128 + (a))
const int CospinLevelsAdjoint[2 * COSPIN_LEVELS_OPERATORS] = {
    ROW(0),        ROW(1),        ROW(2),        ROW(3),       ROW(4),       ROW(5),        ROW(6),
    ROW(7),        ROW(8),        ROW(9),        ROW(10),      ROW(11),      ROW(12),       ROW(13),
    ROW(14),       ROW(15),       ROW(256 + 0),  ROW(256 + 1), ROW(256 + 2), ROW(256 + 3),  ROW(256 + 4),
    ROW(256 + 5),  ROW(256 + 6),  ROW(256 + 7),  ROW(256 + 8), ROW(256 + 9), ROW(256 + 10), ROW(256 + 11),
    ROW(256 + 12), ROW(256 + 13), ROW(256 + 14), ROW(256 + 15)};

/* ---- Operators of the table -----------------------------------------------------------------------------
 */

typedef double complex Matrix[MAX_LEVELS][MAX_LEVELS];

/* Components of the spin of one atom. s_x = (s+ + s-)/2, s_y = (s+ - s-)/(2i); up[] is the coefficient of
   s+ in each. */
static void spin_matrix(int num_levels, int axis, Matrix s)
{
  static const double complex up[] = {[X] = .5, [Y] = -.5 * I, [Z] = 0};

  for (int k = 0; k < num_levels; k++) {
    for (int l = 0; l < num_levels; l++) s[k][l] = 0;
    if (axis == Z) s[k][k] = k - 0.5 * (num_levels - 1);
  }
  for (int k = 0; k + 1 < num_levels; k++) {
    const double amplitude = PetscSqrtReal((k + 1.0) * (num_levels - 1 - k));
    s[k + 1][k] += up[axis] * amplitude;
    s[k][k + 1] += conj(up[axis]) * amplitude;
  }
}

/* h += factor * monomial One-atom matrices are multiplied; the sum over atoms comes afterwards. */
static void add_monomial(int num_levels, double complex factor, int length, const int axes[], Matrix h)
{
  Matrix left, right;

  spin_matrix(num_levels, axes[0], left);
  if (length > 1) spin_matrix(num_levels, axes[1], right);
  for (int a = 0; a < num_levels; a++) {
    for (int b = 0; b < num_levels; b++) {
      if (length == 1) h[a][b] += factor * left[a][b];
      for (int k = 0; k < num_levels && length > 1; k++) h[a][b] += factor * left[a][k] * right[k][b];
    }
  }
}

/* sum over a, b of h_ab E[a,b]: every one-atom operator is one of those. Elements below rounding are left
   out, so that Qxx - Qyy has four terms and not a full matrix. The trace of products is taken away, as the
   table's quadrupoles want it; that of a single component is zero. */
PetscErrorCode CospinLevelsOperator(CospinComponent component, const CospinOperatorName *name,
                                    const int levels[], CospinEmit emit, void *context)
{
  const int num_levels = CospinLevelsNumber(component), *code = name->term[0].code;
  const int first = name->one_spin ? COSPIN_LEVELS_OPERATORS : 0;
  const double rounding = 1e-14 * num_levels * num_levels;
  double complex trace = 0;
  Matrix h = {{0}};

  PetscFunctionBeginUser;
  if (code[0] < 0) {
    const int last = name->term[0].length - 1;
    const int elementary =
        first + MAX_LEVELS * levels[COSPIN_LEVEL(code[0])] + levels[COSPIN_LEVEL(code[last])];
    PetscCall(emit(context, 1.0, 1, &elementary));
    PetscFunctionReturn(0);
  }
  for (int t = 0; t < name->num_terms; t++)
    add_monomial(num_levels, CMPLX(name->term[t].re, name->term[t].im), name->term[t].length,
                 name->term[t].code, h);
  for (int k = 0; k < num_levels; k++) trace += h[k][k];
  for (int k = 0; k < num_levels; k++) h[k][k] -= trace / num_levels;
  for (int a = 0; a < num_levels; a++) {
    for (int b = 0; b < num_levels; b++) {
      const int elementary = first + MAX_LEVELS * a + b;
      if (cabs(h[a][b]) > rounding) PetscCall(emit(context, h[a][b], 1, &elementary));
    }
  }
  PetscFunctionReturn(0);
}

const CospinOperatorName CospinLevelsOperators[] = {
    {"Sp",
     PETSC_FALSE,
     2,
     {{1, 0, 1, {X}}, {0, 1, 1, {Y}}},
     "raising operator of the total spin, levels as m"},
    {"Sm", PETSC_FALSE, 2, {{1, 0, 1, {X}}, {0, -1, 1, {Y}}}, "lowering operator of the total spin"},
    {"Sz", PETSC_FALSE, 1, {{1, 0, 1, {Z}}}, "z component: level k has m = k - (levels-1)/2"},
    {"Sx", PETSC_FALSE, 1, {{1, 0, 1, {X}}}, "x component, (Sp + Sm)/2"},
    {"Sy", PETSC_FALSE, 1, {{1, 0, 1, {Y}}}, "y component, (Sp - Sm)/(2i)"},
    {"E",
     PETSC_FALSE,
     1,
     {{1, 0, 2, {COSPIN_LEVEL(0), COSPIN_LEVEL(1)}}},
     "E[a,b]: sum over atoms of |a><b|"},
    {"n", PETSC_FALSE, 1, {{1, 0, 1, {COSPIN_LEVEL(0)}}}, "n[k]: number of atoms in level k, E[k,k]"},
    {"Qxx", PETSC_FALSE, 1, {{2, 0, 2, {X, X}}}, "quadrupole tensor: sum over atoms of 2 sx sx - 2/3 s(s+1)"},
    {"Qyy", PETSC_FALSE, 1, {{2, 0, 2, {Y, Y}}}, "2 sy sy - 2/3 s(s+1)"},
    {"Qzz", PETSC_FALSE, 1, {{2, 0, 2, {Z, Z}}}, "2 sz sz - 2/3 s(s+1)"},
    {"Qxy", PETSC_FALSE, 2, {{1, 0, 2, {X, Y}}, {1, 0, 2, {Y, X}}}, "sx sy + sy sx"},
    {"Qyz", PETSC_FALSE, 2, {{1, 0, 2, {Y, Z}}, {1, 0, 2, {Z, Y}}}, "sy sz + sz sy"},
    {"Qzx", PETSC_FALSE, 2, {{1, 0, 2, {Z, X}}, {1, 0, 2, {X, Z}}}, "sz sx + sx sz"},
    {"e",
     PETSC_TRUE,
     1,
     {{1, 0, 2, {COSPIN_LEVEL(0), COSPIN_LEVEL(1)}}},
     "e[a,b]: |a><b| of one atom, in `each:`"},
    {"sp", PETSC_TRUE, 2, {{1, 0, 1, {X}}, {0, 1, 1, {Y}}}, "raising operator of the spin of one atom"},
    {"sm",
     PETSC_TRUE,
     2,
     {{1, 0, 1, {X}}, {0, -1, 1, {Y}}},
     "lowering operator of the spin of one atom: one process, all steps together"},
    {"sz", PETSC_TRUE, 1, {{1, 0, 1, {Z}}}, "its z component m = k - (levels-1)/2 (not Pauli's matrix)"},
    {"sx", PETSC_TRUE, 1, {{1, 0, 1, {X}}}, "its x component, (sp + sm)/2"},
    {"sy", PETSC_TRUE, 1, {{1, 0, 1, {Y}}}, "its y component, (sp - sm)/(2i)"},
    {.name = NULL},
};

const CospinKey CospinLevelsKeys[] = {
    COSPIN_COMPONENT_SIZE_KEY("number of atoms N; what acts on one of them alone (`each:`) leaves the "
                              "symmetric states and takes many more labels"),
    {.name = "levels",
     .type = COSPIN_KEY_INTEGER,
     .required = PETSC_TRUE,
     .unit = "",
     .help = "levels of each atom, counted from 0: 2s+1 of a spin s"},
    COSPIN_COMPONENT_GROUPS_KEY,
    {.name = NULL},
};

double CospinLevelsAtoms(CospinComponent component)
{
  return CospinLevelsSize(component);
}

double CospinLevelsLength(CospinComponent component)
{
  return 0.5 * CospinLevelsAtoms(component) * (CospinLevelsNumber(component) - 1);
}
