/*
   Steps of an evolution by a generator that depends on time follow from how much it turns the state,
   int |L(t)| dt: measured, about one step for each unit and a half of it at the default tolerance, and each
   step is some hundred products (three levels of two exponentials). Where nothing depends on time one
   evolution does it, and such times are few beside these.

   |L(t)| <= sum_k |c_k(t)| |L_k|, the norms from columns of some labels of the sector: labels in the middle
   of a ladder have the largest ones, so a few dozen are enough.
*/
#include "timed_cost.h"
#include <cospin/problem/sector.h>
#include <math.h>

enum { NUM_LABELS = 64, NUM_TIMES = 256 };

/* Measured: pulses on three levels, modulated modes and spins (9 to 1764 labels), on one core. */
static const double steps_per_norm = 0.35, products_per_step = 110.0, product_seconds = 2e-5,
                    element_seconds = 2.5e-9, vectors_per_product = 12.0;

/* The largest sum of moduli in a column, of labels all over the sector. */
static double norm_of(CospinMoves moves, CospinSector sector)
{
  const PetscInt64 dimension = CospinSectorDimension(sector);
  double largest = 0.0;

  for (int k = 0; k < NUM_LABELS; k++) {
    int label[COSPIN_MAX_COORDINATES];
    double sum = 0.0;
    CospinSectorLabel(sector, (PetscInt64)((k + 0.5) / NUM_LABELS * (double)dimension), label);
    for (int m = 0; m < moves->count; m++) sum += CospinMoveModulus(moves, &moves->moves[m], label);
    largest = PetscMax(largest, sum);
  }
  return largest;
}

/* int |L(t)| dt by samples at irregular times; what has no value at one of them is told elsewhere. */
static PetscErrorCode integrate_norm(CospinProblem problem, CospinSector sector, double end, double *integral)
{
  const int num = CospinClockCount(problem);
  double *norms, *c;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)num + 1, &norms, (size_t)num + 1, &c));
  for (int k = -1; k < num; k++) norms[k + 1] = norm_of(CospinClockMoves(problem, k), sector);
  *integral = end * norms[0];
  for (int j = 0; j < NUM_TIMES; j++) {
    const double time = end * (j + fmod(0.6180339887498949 * (j + 1), 1.0)) / NUM_TIMES;
    PetscCall(CospinClockCoefficients(problem, time, NULL, c, &ok));
    for (int k = 0; ok && k < num; k++) *integral += end / NUM_TIMES * fabs(c[k]) * norms[k + 1];
  }
  PetscCall(PetscFree2(norms, c));
  PetscFunctionReturn(0);
}

/* Every term is multiplied by itself, so elements are those of all terms together. */
PetscErrorCode CospinTimedSeconds(CospinProblem problem, const int representative[], double n, double end,
                                  double *seconds)
{
  CospinSector sector;
  double integral = 0.0, moves = 0.0;

  PetscFunctionBeginUser;
  PetscCall(CospinSectorCreate(&problem->system, problem->lattice, representative, &sector));
  if (CospinSectorDimension(sector) > 0) PetscCall(integrate_norm(problem, sector, end, &integral));
  PetscCall(CospinSectorDestroy(&sector));
  for (int k = -1; k < CospinClockCount(problem); k++) moves += CospinClockMoves(problem, k)->count;
  *seconds = (1.0 + steps_per_norm * integral) * products_per_step *
             (product_seconds + element_seconds * n * (moves + vectors_per_product));
  PetscFunctionReturn(0);
}
