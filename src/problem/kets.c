/*
   From the terms of a deck to operators that act on a ket. They are lists of moves like every other operator,
   read on the ket's side only: amplitudes do not depend on the bra, whose coordinates stay where they are.

   L is not unique. A process over the spins of an ensemble is taken apart by the change of j
   (CospinComponentKind.EachKet); one over spins with indices is one L a spin; rates of pairs need a square
   root of their matrix, R = C C^+: sum_lm R[l,m] A_m rho A_l^+ = sum_k L_k rho L_k^+ with L_k = sum_m
   C[m,k]^* A_m. Any root will do for averages. Cholesky's with pivots is taken, since eigenvectors of a
   degenerate space are LAPACK's choice, and a seed should mean the same everywhere.
*/
#include "problem_impl.h"
#include <cospin/problem/clock.h>
#include <cospin/problem/ket.h>

static const double smallest_pivot = 1e-13; /* of rates of pairs, relative to the largest */

void CospinKetClearBra(const CospinSystem *system, int label[])
{
  for (int i = 0; i < system->num_coordinates; i++) {
    int hi;
    if (CospinSystemRole(system, i) == COSPIN_COORDINATE_BRA)
      CospinSystemRange(system, i, label, &label[i], &hi);
  }
}

/* Takes the moves. */
static PetscErrorCode add_jump(CospinKets kets, int line, int spin, CospinMoves moves)
{
  PetscFunctionBeginUser;
  PetscCall(CospinMovesFinish(moves));
  if (moves->count == 0) {
    PetscCall(CospinMovesDestroy(&moves));
    PetscFunctionReturn(0);
  }
  if (kets->num_jumps == kets->capacity) {
    kets->capacity = 2 * kets->capacity + 16;
    PetscCall(PetscRealloc(sizeof(CospinKetJump) * (size_t)kets->capacity, &kets->jumps));
  }
  kets->jumps[kets->num_jumps++] =
      (CospinKetJump){line, spin, CospinClockHasRate(kets->problem, line, spin), moves};
  PetscFunctionReturn(0);
}

/* What stands before A; of a rate that depends on time, 1. */
static double root_of(CospinKets kets, int line, int spin, double rate)
{
  return CospinClockHasRate(kets->problem, line, spin) ? 1.0 : PetscSqrtReal(rate);
}

/* sqrt(rate) A */
static PetscErrorCode add_collective(CospinKets kets, int line, int spin, double rate, CospinPolynomial a)
{
  CospinPolynomial scaled;
  CospinMoves moves;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&scaled));
  PetscCall(CospinPolynomialAxpy(scaled, root_of(kets, line, spin, rate), a));
  PetscCall(CospinMovesCreate(&kets->problem->system, &moves));
  PetscCall(CospinMovesAddLeftProduct(moves, scaled));
  PetscCall(CospinPolynomialDestroy(&scaled));
  PetscCall(add_jump(kets, line, spin, moves));
  PetscFunctionReturn(0);
}

/* One operator for each channel of the component: those of several channels lead to different irreps, and a
   sum of them would be a ket of two irreps, which there is none of. */
static PetscErrorCode add_each(CospinKets kets, int line, const CospinPlainJump *jump)
{
  const CospinSystem *system = &kets->problem->system;
  CospinPolynomial a;

  PetscFunctionBeginUser;
  PetscCall(CospinSystemExpand(system, jump->op, &a));
  for (int c = 0; c < system->components[jump->component].kind->num_channels; c++) {
    CospinMoves moves;
    PetscCall(CospinMovesCreate(system, &moves));
    for (int k = 0; k < a->count; k++) {
      PetscBool ok;
      PetscCall(CospinMovesAddEachKet(moves, jump->component, c, root_of(kets, line, 0, jump->rate),
                                      &a->monomials[k], &ok)); /* whether it is, the generator has asked */
    }
    PetscCall(add_jump(kets, line, 0, moves));
  }
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* A step of Cholesky's method: column[n] of C with the largest pivot that is left; what it says is subtracted
   from rates[n + n m]. False: nothing is left. */
static PetscBool take_column(int n, double largest, double complex rates[], double complex column[])
{
  int pivot = 0;
  double root;

  for (int l = 1; l < n; l++)
    if (creal(rates[l + n * l]) > creal(rates[pivot + n * pivot])) pivot = l;
  if (!(creal(rates[pivot + n * pivot]) > smallest_pivot * largest)) return PETSC_FALSE;
  root = PetscSqrtReal(creal(rates[pivot + n * pivot]));
  for (int l = 0; l < n; l++) column[l] = rates[l + n * pivot] / root;
  for (int m = 0; m < n; m++) {
    for (int l = 0; l < n; l++) rates[l + n * m] -= column[l] * conj(column[m]);
  }
  return PETSC_TRUE;
}

/* No more than n columns, whatever rounding leaves. */
static PetscErrorCode add_pairs(CospinKets kets, int line, const CospinPlainJump *jump)
{
  const int n = jump->num_spins;
  double complex *rates, *column;
  double largest = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * (size_t)n, &rates, (size_t)n, &column));
  PetscCall(PetscArraycpy(rates, jump->pairs, n * n));
  for (int l = 0; l < n; l++) largest = PetscMax(largest, creal(rates[l + n * l]));
  for (int k = 0; k < n && take_column(n, largest, rates, column); k++) {
    CospinPolynomial sum;
    PetscCall(CospinPolynomialCreate(&sum));
    for (int m = 0; m < n; m++) PetscCall(CospinPolynomialAxpy(sum, conj(column[m]), jump->operators[m]));
    PetscCall(add_collective(kets, line, 0, 1.0, sum));
    PetscCall(CospinPolynomialDestroy(&sum));
  }
  PetscCall(PetscFree2(rates, column));
  PetscFunctionReturn(0);
}

/* What acts between jumps needs no square roots: it is read from the same list as the generator. */
static PetscErrorCode add_line(CospinKets kets, int line)
{
  const CospinPlainJump *jump = &kets->problem->jumps[line];
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCheck(!jump->pairs || !CospinExpressionHasTime(kets->problem->deck->jumps[line].rate, NULL),
             PETSC_COMM_SELF, PETSC_ERR_SUP, "Kets know no matrix of rates that depends on time");
  if (jump->num_spins) {
    PetscCall(CospinProblemAddIndexed(jump, kets->no_jump));
  } else {
    PetscCall(CospinMovesAddJump(kets->no_jump, jump->rate, jump->op, jump->component, &ok));
  }
  for (int l = 0; l < jump->num_spins && jump->rates; l++)
    PetscCall(add_collective(kets, line, l, jump->rates[l], jump->operators[l]));
  if (jump->pairs) PetscCall(add_pairs(kets, line, jump));
  if (!jump->num_spins && jump->component < 0) PetscCall(add_collective(kets, line, 0, jump->rate, jump->op));
  if (!jump->num_spins && jump->component >= 0) PetscCall(add_each(kets, line, jump));
  PetscFunctionReturn(0);
}

/* Within one operator all terms of a ket go together: labels that they lead to differ by their shifts'
   differences. */
static PetscErrorCode create_lattice(CospinKets kets)
{
  const int n = kets->problem->system.num_coordinates;

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(n, &kets->lattice));
  for (int k = 0; k < kets->no_jump->count; k++)
    PetscCall(CospinLatticeAdd(kets->lattice, kets->no_jump->moves[k].shift));
  for (int k = 0; k < kets->num_terms; k++) {
    const CospinMoves moves = CospinClockKets(kets->problem, k);
    for (int l = 0; l < moves->count; l++) PetscCall(CospinLatticeAdd(kets->lattice, moves->moves[l].shift));
  }
  for (int k = 0; k < kets->num_jumps; k++) {
    const CospinMoves moves = kets->jumps[k].moves;
    for (int l = 1; l < moves->count; l++) {
      int difference[COSPIN_MAX_COORDINATES];
      for (int i = 0; i < n; i++) difference[i] = moves->moves[l].shift[i] - moves->moves[0].shift[i];
      PetscCall(CospinLatticeAdd(kets->lattice, difference));
    }
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetsCreate(CospinProblem problem, CospinKets *kets)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(kets));
  (*kets)->problem = problem;
  PetscCall(CospinMovesCreate(&problem->system, &(*kets)->no_jump));
  (*kets)->no_jump->kets = PETSC_TRUE;
  (*kets)->num_terms = CospinClockCount(problem);
  PetscCall(CospinMovesAddHamiltonian((*kets)->no_jump, problem->hamiltonian));
  for (int k = 0; k < problem->deck->num_jumps; k++) PetscCall(add_line(*kets, k));
  PetscCall(CospinMovesFinish((*kets)->no_jump));
  PetscCall(create_lattice(*kets));
  PetscFunctionReturn(0);
}

/* Also of one that was made half. */
PetscErrorCode CospinKetsDestroy(CospinKets *kets)
{
  PetscFunctionBeginUser;
  if (!*kets) PetscFunctionReturn(0);
  for (int k = 0; k < (*kets)->num_jumps; k++) PetscCall(CospinMovesDestroy(&(*kets)->jumps[k].moves));
  PetscCall(PetscFree((*kets)->jumps));
  PetscCall(CospinMovesDestroy(&(*kets)->no_jump));
  PetscCall(CospinLatticeDestroy(&(*kets)->lattice));
  PetscCall(PetscFree(*kets));
  PetscFunctionReturn(0);
}
