/*
   States of a system of d levels (matrix.c): a level, a ket, populations or a density matrix, all kept as
   density matrices. What is no state (an eigenvalue below zero, a trace that is not one) is refused, for
   every number that followed would be wrong; kets are normalised.
*/
#include "matrix.h"
#include "states.h"
#include <cospin/problem/hermitian.h>
#include <math.h>

static const double rounding = 1e-12; /* of numbers that a deck computes */

typedef struct {
  int levels;
  double complex *rho; /* [levels][levels], row after row */
} MatrixState;

static PetscErrorCode Free(void *data)
{
  MatrixState *state = (MatrixState *)data;

  PetscFunctionBeginUser;
  if (state) PetscCall(PetscFree(state->rho));
  PetscCall(PetscFree(state));
  PetscFunctionReturn(0);
}

/* ---- What is a state ----------------------------------------------------------------------------------- */

/* Each fills a density matrix of zeros, or says why not. */
static void set_ground(const double complex none[], MatrixState *state, char why[], size_t why_size)
{
  (void)none;
  (void)why;
  (void)why_size;
  state->rho[0] = 1.0;
}

static void set_level(const double complex level[], MatrixState *state, char why[], size_t why_size)
{
  const int d = state->levels;
  const double k = creal(level[0]);

  if (cimag(level[0]) != 0.0 || k != round(k) || k < 0 || k >= d)
    (void)snprintf(why, why_size, "there is no level %.6g (whole numbers from 0 to %d)", k, d - 1);
  else
    state->rho[(d + 1) * (int)k] = 1.0;
}

/* Normalised, as product states of atoms are: the deck need not write square roots. */
static void set_ket(const double complex amplitudes[], MatrixState *state, char why[], size_t why_size)
{
  const int d = state->levels;
  double norm = 0.0;

  for (int k = 0; k < d; k++) norm += creal(amplitudes[k] * conj(amplitudes[k]));
  if (!(norm > 0.0) || !isfinite(norm))
    (void)snprintf(why, why_size, "this is no ket: its norm is %g", sqrt(norm));
  for (int k = 0; k < d * d && !why[0]; k++)
    state->rho[k] = amplitudes[k / d] * conj(amplitudes[k % d]) / norm;
}

/* Not normalised: populations that do not add up to one are more likely a slip than a wish. */
static void set_populations(const double complex populations[], MatrixState *state, char why[],
                            size_t why_size)
{
  (void)why;
  (void)why_size;
  for (int k = 0; k < state->levels; k++) state->rho[(state->levels + 1) * k] = populations[k];
}

static void set_density(const double complex elements[], MatrixState *state, char why[], size_t why_size)
{
  (void)why;
  (void)why_size;
  for (int k = 0; k < state->levels * state->levels; k++) state->rho[k] = elements[k];
}

/* What a density matrix must be is asked of every state, also of kets, for which it holds by construction:
   one way in, one way out. Bounds grow with the number of levels, as the rounding of the sums does.

   Hermitian, trace 1, no eigenvalue below zero; *pure: whether Tr rho^2 = 1. */
static PetscErrorCode check(const MatrixState *state, PetscBool *pure, char why[], size_t why_size)
{
  const int d = state->levels;
  double complex *matrix, trace = 0;
  double *values, purity = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < d * d && !why[0]; k++) {
    purity += creal(state->rho[k] * conj(state->rho[k]));
    if (k / d == k % d) trace += state->rho[k];
    if (cabs(state->rho[k] - conj(state->rho[k % d * d + k / d])) > rounding)
      (void)snprintf(why, why_size, "the element [%d,%d] is not the complex conjugate of [%d,%d]", k / d,
                     k % d, k % d, k / d);
  }
  if (!why[0] && !(cabs(trace - 1) <= rounding * d))
    (void)snprintf(why, why_size, "the populations add up to %.12g (must be 1)", creal(trace));
  *pure = (PetscBool)(fabs(purity - 1) <= rounding * d);
  if (why[0]) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)d * (size_t)d, &matrix));
  PetscCall(PetscMalloc1((size_t)d, &values));
  PetscCall(PetscArraycpy(matrix, state->rho, (size_t)d * (size_t)d));
  PetscCall(CospinHermitianDiagonalise(d, matrix, values));
  if (values[0] < -rounding * d)
    (void)snprintf(why, why_size, "this is no state: it has the eigenvalue %.6g (all must be >= 0)",
                   values[0]);
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(matrix));
  PetscFunctionReturn(0);
}

/* ---- The table ----------------------------------------------------------------------------------------- */

/* Half-made states do not leave this function: a sentence in `why` means that there is none. */
static PetscErrorCode prepare(void (*set)(const double complex[], MatrixState *, char[], size_t),
                              CospinComponent component, const double complex arguments[], void **data,
                              PetscBool *pure, char why[], size_t why_size)
{
  MatrixState *state;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&state));
  state->levels = CospinMatrixLevels(component);
  PetscCall(PetscCalloc1((size_t)state->levels * (size_t)state->levels, &state->rho));
  set(arguments, state, why, why_size);
  if (!why[0]) PetscCall(check(state, pure, why, why_size));
  *data = state;
  if (!why[0]) PetscFunctionReturn(0);
  PetscCall(Free(state));
  *data = NULL;
  PetscFunctionReturn(0);
}

#define PREPARE(Prepare, set)                                                                                \
  static PetscErrorCode Prepare(CospinComponent component, const double complex arguments[], void **data,    \
                                PetscBool *pure, char why[], size_t why_size)                                \
  {                                                                                                          \
    PetscFunctionBeginUser;                                                                                  \
    PetscCall(prepare(set, component, arguments, data, pure, why, why_size));                                \
    PetscFunctionReturn(0);                                                                                  \
  }
PREPARE(Prepare_Ground, set_ground)
PREPARE(Prepare_Level, set_level)
PREPARE(Prepare_Ket, set_ket)
PREPARE(Prepare_Populations, set_populations)
PREPARE(Prepare_Density, set_density)

/* <k| rho |k'>: labels are levels, so that no weight stands between them. */
static double complex Element(CospinComponent component, const void *data, const int label[])
{
  const MatrixState *state = (const MatrixState *)data;

  (void)component;
  return state->rho[state->levels * label[0] + label[1]];
}

const CospinStateName CospinMatrixStates[] = {
    {"ground", 0, "", "level 0", Prepare_Ground, Element, Free},
    {"level", 1, "k", "level k", Prepare_Level, Element, Free},
    {"ket", COSPIN_EACH_LEVEL, "x_0, x_1, ...", "x_0 |0> + x_1 |1> + ..., normalised", Prepare_Ket, Element,
     Free},
    {"populations", COSPIN_EACH_LEVEL, "P_0, P_1, ...", "level k with probability P_k", Prepare_Populations,
     Element, Free},
    {"density", COSPIN_EACH_PAIR, "r_00, r_01, ...", "the density matrix r, row after row", Prepare_Density,
     Element, Free},
    {.name = NULL},
};
