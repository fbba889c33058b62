/*
   States of atoms that are told one by one (atoms.c): those of the symmetric kets, and products of one
   density matrix for every atom. Coefficients are those of the orthonormal basis, x_n = sqrt(M_n) times an
   element of the density matrix of all atoms:

     product of rho:                    x_n = sqrt(M_n) prod rho_ab^n_ab
     |psi><psi|, psi = sum psi_k |k>:   x_n = psi_k psi_k'^* sqrt(M_n / (W_k W_k')),   W_k = N!/prod k_a!

   with |k> the normalised symmetric ket of k_a atoms in level a; k and k' are the sums of rows and of columns
   of n. By logarithms: N! overflows at 171.
*/
#include "levels.h"
#include "states.h"
#include <cospin/problem/hermitian.h>
#include <math.h>

enum { MAX_LEVELS = COSPIN_LEVELS_MOST };

/* Either amplitudes of symmetric kets, or the density matrix of one atom. */
typedef struct {
  CospinAmplitudes *symmetric; /* NULL: a product */
  double complex one[MAX_LEVELS][MAX_LEVELS];
  int most[MAX_LEVELS]; /* atoms in a level, in kets that have an amplitude; of products 0 or all */
} AtomsState;

static PetscErrorCode Free(void *data)
{
  AtomsState *state = (AtomsState *)data;

  PetscFunctionBeginUser;
  if (state && state->symmetric) PetscCall(CospinAmplitudesFree(state->symmetric));
  PetscCall(PetscFree(state));
  PetscFunctionReturn(0);
}

/* ---- Symmetric kets ------------------------------------------------------------------------------------ */

/* Prepare of the k-th state of the kind `levels`. */
static PetscErrorCode prepare_symmetric(int k, CospinComponent component, const double complex arguments[],
                                        void **data, PetscBool *pure, char why[], size_t why_size)
{
  AtomsState *state;
  void *symmetric = NULL;

  PetscFunctionBeginUser;
  *data = NULL;
  PetscCall(CospinLevelsStates[k].Prepare(component, arguments, &symmetric, pure, why, why_size));
  if (!symmetric) PetscFunctionReturn(0);
  PetscCall(PetscNew(&state));
  state->symmetric = (CospinAmplitudes *)symmetric;
  CospinLevelsMost(state->symmetric, state->most);
  *data = state;
  PetscFunctionReturn(0);
}

/* In the order of CospinLevelsStates, whose first states these are. */
#define PREPARE(Prepare, k)                                                                                  \
  static PetscErrorCode Prepare(CospinComponent component, const double complex arguments[], void **data,    \
                                PetscBool *pure, char why[], size_t why_size)                                \
  {                                                                                                          \
    PetscFunctionBeginUser;                                                                                  \
    PetscCall(prepare_symmetric(k, component, arguments, data, pure, why, why_size));                        \
    PetscFunctionReturn(0);                                                                                  \
  }
PREPARE(Prepare_Ground, COSPIN_LEVELS_GROUND)
PREPARE(Prepare_Level, COSPIN_LEVELS_LEVEL)
PREPARE(Prepare_Occupations, COSPIN_LEVELS_OCCUPATIONS)
PREPARE(Prepare_Product, COSPIN_LEVELS_PRODUCT)
PREPARE(Prepare_Css, COSPIN_LEVELS_CSS)
PREPARE(Prepare_Dicke, COSPIN_LEVELS_DICKE)

/* ---- Products of a density matrix ---------------------------------------------------------------------- */

/* A density matrix: hermitian, trace 1, no eigenvalue below zero. 1e-12: numbers that a deck computes. */
static PetscErrorCode check_density(int d, AtomsState *state, PetscBool *pure, char why[], size_t why_size)
{
  static const double rounding = 1e-12;
  double complex matrix[MAX_LEVELS * MAX_LEVELS], trace = 0;
  double values[MAX_LEVELS], purity = 0;

  PetscFunctionBeginUser;
  for (int a = 0; a < d; a++) {
    trace += state->one[a][a];
    for (int b = 0; b < d && !why[0]; b++) {
      matrix[a + d * b] = state->one[a][b];
      purity += creal(state->one[a][b] * conj(state->one[a][b]));
      if (cabs(state->one[a][b] - conj(state->one[b][a])) > rounding)
        (void)snprintf(why, why_size, "the element [%d,%d] is not the complex conjugate of [%d,%d]", a, b, b,
                       a);
    }
  }
  if (!why[0] && cabs(trace - 1) > rounding)
    (void)snprintf(why, why_size, "the populations of one atom add up to %.12g (must be 1)", creal(trace));
  if (why[0]) PetscFunctionReturn(0);
  PetscCall(CospinHermitianDiagonalise(d, matrix, values));
  if (values[0] < -rounding)
    (void)snprintf(why, why_size,
                   "this is no state of an atom: it has the eigenvalue %.6g (all must be >= 0)", values[0]);
  *pure = (PetscBool)(fabs(purity - 1) <= rounding);
  PetscFunctionReturn(0);
}

/* `width` 1: populations, the diagonal; d: the matrix, row after row. */
static PetscErrorCode prepare_density(CospinComponent component, int width, const double complex arguments[],
                                      void **data, PetscBool *pure, char why[], size_t why_size)
{
  const int d = CospinLevelsNumber(component);
  AtomsState *state;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&state));
  for (int a = 0; a < d; a++) {
    for (int b = 0; b < d; b++)
      state->one[a][b] = width > 1 ? arguments[d * a + b] : a == b ? arguments[a] : 0.0;
    state->most[a] = state->one[a][a] != 0.0 ? CospinLevelsSize(component) : 0;
  }
  PetscCall(check_density(d, state, pure, why, why_size));
  if (why[0]) PetscCall(Free(state));
  *data = why[0] ? NULL : state;
  PetscFunctionReturn(0);
}

static PetscErrorCode Prepare_Populations(CospinComponent component, const double complex arguments[],
                                          void **data, PetscBool *pure, char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(prepare_density(component, 1, arguments, data, pure, why, why_size));
  PetscFunctionReturn(0);
}

static PetscErrorCode Prepare_Matrix(CospinComponent component, const double complex arguments[], void **data,
                                     PetscBool *pure, char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  PetscCall(prepare_density(component, CospinLevelsNumber(component), arguments, data, pure, why, why_size));
  PetscFunctionReturn(0);
}

/* ---- Elements ------------------------------------------------------------------------------------------ */

typedef int Occupations[MAX_LEVELS][MAX_LEVELS];

static double complex element_of_product(const AtomsState *state, int d, const Occupations n, double size)
{
  double logarithm = 0.5 * lgamma(size + 1), phase = 0.0;

  for (int a = 0; a < d; a++) {
    for (int b = 0; b < d; b++) {
      if (n[a][b] == 0) continue;
      if (state->one[a][b] == 0.0) return 0.0;
      logarithm += n[a][b] * log(cabs(state->one[a][b])) - 0.5 * lgamma(n[a][b] + 1.0);
      phase += n[a][b] * carg(state->one[a][b]);
    }
  }
  return exp(logarithm) * cexp(I * remainder(phase, 2 * PETSC_PI));
}

static double complex element_of_kets(const AtomsState *state, int d, const Occupations n, double size)
{
  int k[2][MAX_LEVELS] = {{0}};
  double logarithm = -lgamma(size + 1);
  double complex product;

  for (int a = 0; a < d; a++) {
    for (int b = 0; b < d; b++) {
      k[COSPIN_KET][a] += n[a][b];
      k[COSPIN_BRA][b] += n[a][b];
      logarithm -= lgamma(n[a][b] + 1.0);
    }
  }
  product = CospinLevelsAmplitude(state->symmetric, k[COSPIN_KET]) *
            conj(CospinLevelsAmplitude(state->symmetric, k[COSPIN_BRA]));
  if (product == 0.0) return 0.0;
  for (int a = 0; a < d; a++) logarithm += lgamma(k[COSPIN_KET][a] + 1.0) + lgamma(k[COSPIN_BRA][a] + 1.0);
  return product * exp(0.5 * logarithm);
}

static double complex Element(CospinComponent component, const void *data, const int label[])
{
  const AtomsState *state = (const AtomsState *)data;
  const int d = CospinLevelsNumber(component);
  Occupations n;

  CospinAtomsOccupations(component, component->num_coordinates, label, n);
  return (state->symmetric ? element_of_kets(state, d, n, CospinLevelsSize(component))
                           : element_of_product(state, d, n, CospinLevelsSize(component))) /
         CospinAtomsWeight(component, label);
}

/* Coordinates 0 ... i tell the atoms in the first i+1 elements: too many in a level, or some where a product
   has nothing. */
PetscBool CospinAtomsVanishes(CospinComponent component, const void *data, int i, const int label[])
{
  const AtomsState *state = (const AtomsState *)data;
  const int d = CospinLevelsNumber(component);
  Occupations n;

  CospinAtomsOccupations(component, i, label, n);
  for (int a = 0; a < d; a++) {
    int ket = 0, bra = 0;
    for (int b = 0; b < d; b++) {
      ket += n[a][b];
      bra += n[b][a];
      if (!state->symmetric && n[a][b] && state->one[a][b] == 0.0) return PETSC_TRUE;
    }
    if (ket > state->most[a] || bra > state->most[a]) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

#define STATE Element, Free
const CospinStateName CospinAtomsStates[] = {
    {"ground", 0, "", "all atoms in level 0", Prepare_Ground, STATE},
    {"level", 1, "k", "all atoms in level k", Prepare_Level, STATE},
    {"occupations", COSPIN_EACH_LEVEL, "n_0, n_1, ...", "n_k atoms in level k, symmetric",
     Prepare_Occupations, STATE},
    {"product", COSPIN_EACH_LEVEL, "x_0, x_1, ...", "all atoms in x_0 |0> + x_1 |1> + ..., normalised",
     Prepare_Product, STATE},
    {"css", 2, "theta, phi", "the spin of every atom along one direction; theta = 0 is level 0", Prepare_Css,
     STATE},
    {"dicke", 2, "S, M",
     "total spin S with Sz = M; of three levels S is N, N-2, ..., of more it must be unique", Prepare_Dicke,
     STATE},
    {"populations", COSPIN_EACH_LEVEL, "P_0, P_1, ...",
     "every atom by itself in level k with probability P_k", Prepare_Populations, STATE},
    {"matrix", COSPIN_EACH_PAIR, "r_00, r_01, ...",
     "every atom by itself in the density matrix r, row after row", Prepare_Matrix, STATE},
    {.name = NULL},
};
