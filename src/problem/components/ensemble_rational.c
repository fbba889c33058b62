/*
   Amplitudes of an ensemble at labels that are real numbers (CospinRational): those of ensemble.c in the
   gauge G = (j+m)! (j-m)!, in which a root of two factors becomes one of them on the ket and the other on the
   bra, or their product on one side.
*/
#include "ensemble.h"
#include <math.h>

/* A local step's (t, u, dr), packed as FIRST_LOCAL + 9 t + 3 u + dr + 1. */
void CospinEnsembleUnpack(int step, int *t, int *u, int *dr)
{
  const int k = step - FIRST_LOCAL;

  *t = k / 9;
  *u = k / 3 % 3;
  *dr = k % 3 - 1;
}

/* The gauge takes the roots apart: a factor of two of them goes to one side, 1 to the other. */
static void multiply_up(CospinRational *amplitude, double size, int n, int more)
{
  amplitude->factor[amplitude->num_factors++] =
      (CospinLinear){size + more, 2, {{R, -1}, {n, -1}}, more == 0 ? PETSC_TRUE : PETSC_FALSE};
}

/* The factor n - r + more = (j + m) + more of one side. */
static void multiply_down(CospinRational *amplitude, int n, int more)
{
  amplitude->factor[amplitude->num_factors++] =
      (CospinLinear){more, 2, {{n, 1}, {R, -1}}, more == 0 ? PETSC_TRUE : PETSC_FALSE};
}

/* A step that keeps j: for Sz it is m itself, for S+ and S- one of the two factors of the root. */
static void multiply_same(CospinRational *amplitude, double size, int t, PetscBool ket, int n)
{
  if (t == SPIN_Z)
    amplitude->factor[amplitude->num_factors++] = (CospinLinear){-0.5 * size, 1, {{n, 1}}, PETSC_FALSE};
  else if ((t == SPIN_PLUS) == ket)
    multiply_down(amplitude, n, ket ? 1 : 0);
  else
    multiply_up(amplitude, size, n, ket ? 1 : 0);
}

/* j -> j - 1: 1 on the ket, the square of side_amplitude on the bra. */
static void multiply_lower(CospinRational *amplitude, double size, int t, PetscBool ket, int n)
{
  if (t == SPIN_MINUS) amplitude->coefficient *= -1;
  if (ket) return;
  if (t != SPIN_MINUS) multiply_up(amplitude, size, n, 0);
  if (t == SPIN_PLUS) multiply_up(amplitude, size, n, -1);
  if (t != SPIN_PLUS) multiply_down(amplitude, n, 0);
  if (t == SPIN_MINUS) multiply_down(amplitude, n, -1);
}

/* j -> j + 1: the square on the ket, 1 on the bra. */
static void multiply_higher(CospinRational *amplitude, double size, int t, PetscBool ket, int n)
{
  if (t == SPIN_PLUS) amplitude->coefficient *= -1;
  if (!ket) return;
  if (t != SPIN_PLUS) multiply_up(amplitude, size, n, 1);
  if (t == SPIN_MINUS) multiply_up(amplitude, size, n, 2);
  if (t != SPIN_MINUS) multiply_down(amplitude, n, 1);
  if (t == SPIN_PLUS) multiply_down(amplitude, n, 2);
}

/* shared_factor; 2j = N - 2r */
static void multiply_shared(CospinRational *amplitude, double size, int dr)
{
  const CospinLinear two_j = {size, 1, {{R, -2}}, PETSC_FALSE}, next = {size + 1, 1, {{R, -2}}, PETSC_FALSE},
                     two_j_2 = {size + 2, 1, {{R, -2}}, PETSC_FALSE};

  amplitude->num_divisors = 2;
  amplitude->divisor[0] = dr < 0 ? two_j_2 : two_j;
  amplitude->divisor[1] = dr == 0 ? two_j_2 : next;
  if (dr == 0) amplitude->coefficient *= size + 2;
  if (dr > 0)
    amplitude->factor[amplitude->num_factors++] = (CospinLinear){size + 1, 1, {{R, -1}}, PETSC_FALSE};
  if (dr < 0) amplitude->factor[amplitude->num_factors++] = (CospinLinear){0, 1, {{R, 1}}, PETSC_TRUE};
}

PetscBool CospinEnsembleRational(CospinComponent component, int step, CospinRational *amplitude)
{
  static void (*const multiply[3])(CospinRational *, double, int, PetscBool,
                                   int) = {multiply_higher, multiply_same, multiply_lower};
  const double size = component->kind->Size(component);
  int t, u, dr;

  *amplitude = (CospinRational){.coefficient = 1};
  if (step < FIRST_LOCAL) {
    const PetscBool ket = (PetscBool)(step < NUM_COLLECTIVE);
    multiply_same(amplitude, size, step % NUM_COLLECTIVE, ket, ket ? N_KET : N_BRA);
    return PETSC_TRUE;
  }
  CospinEnsembleUnpack(step, &t, &u, &dr);
  multiply_shared(amplitude, size, dr);
  multiply[dr + 1](amplitude, size, t, PETSC_TRUE, N_KET);
  multiply[dr + 1](amplitude, size, u, PETSC_FALSE, N_BRA);
  return PETSC_TRUE;
}

/* ln g = (ln (j+m')! (j-m')! - ln (j+m)! (j-m)!)/2, and d ln n!/dn is about ln(n + 1/2). */
double CospinEnsembleGaugeSlope(CospinComponent component, int k, const double label[])
{
  const double up = component->kind->Size(component) - label[R] - label[N_KET],
               down = label[N_KET] - label[R];

  (void)k;
  return 0.5 * (log(up + 0.5) - log(down + 0.5));
}
