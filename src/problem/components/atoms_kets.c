/*
   Atoms that are told one by one (atoms.c) as kets of the whole space: which |x><y| an element P(n) is made
   of. Ket x is the number with digits x_1 x_2 ... of base d, x_l the level of atom l (atom 1 has the lowest
   digit). The distinct placements of n_ab atoms in |a><b| are gone through atom by atom, so that each comes
   once:

     P(n) = 1/sqrt(M_n) sum over placements, M_n = N!/prod n_ab!

   That is d^(2N) elements in all, for what needs kets and not symmetric operators: eigenvalues of the state.
*/
#include "levels.h"
#include "states.h"
#include <math.h>

enum { MAX_LEVELS = COSPIN_LEVELS_MOST };

/* d^N, as a double: it may be beyond 64 bits, and the caller decides whether that is too many. */
double CospinAtomsNumKets(CospinComponent component)
{
  return PetscPowReal(CospinLevelsNumber(component), CospinLevelsSize(component));
}

/* M_n, by logarithms of the factorials: N! is beyond the largest double from 171 atoms on. */
double CospinAtomsNumPairs(CospinComponent component, const int label[])
{
  int n[MAX_LEVELS][MAX_LEVELS];
  double logarithm = lgamma(CospinLevelsSize(component) + 1.0);

  CospinAtomsOccupations(component, component->num_coordinates, label, n);
  for (int a = 0; a < CospinLevelsNumber(component); a++)
    for (int b = 0; b < CospinLevelsNumber(component); b++) logarithm -= lgamma(n[a][b] + 1.0);
  return round(exp(logarithm)); /* a whole number; of those that are worth the walk, exactly */
}

/* Atoms that are still to be placed, and what those before are. */
typedef struct {
  int num_levels, n[MAX_LEVELS][MAX_LEVELS];
  CospinEmitPair Emit;
  void *context;
} Placement;

/* The atom whose digit is worth `digit` takes each element that is left in turn. `left`: atoms without one.
 */
static PetscErrorCode place(Placement *placement, int left, PetscInt64 digit, PetscInt64 ket, PetscInt64 bra)
{
  PetscFunctionBeginUser;
  if (!left) {
    PetscCall(placement->Emit(placement->context, ket, bra));
    PetscFunctionReturn(0);
  }
  for (int a = 0; a < placement->num_levels; a++) {
    for (int b = 0; b < placement->num_levels; b++) {
      if (!placement->n[a][b]) continue;
      placement->n[a][b]--;
      PetscCall(place(placement, left - 1, digit * placement->num_levels, ket + a * digit, bra + b * digit));
      placement->n[a][b]++;
    }
  }
  PetscFunctionReturn(0);
}

/* Pairs are handed on one by one and never stored: the walk takes time as M_n, and a stack as deep as N. */
PetscErrorCode CospinAtomsEachPair(CospinComponent component, const int label[], CospinEmitPair emit,
                                   void *context)
{
  Placement placement = {.num_levels = CospinLevelsNumber(component), .Emit = emit, .context = context};

  PetscFunctionBeginUser;
  CospinAtomsOccupations(component, component->num_coordinates, label, placement.n);
  PetscCall(place(&placement, CospinLevelsSize(component), 1, 0, 0));
  PetscFunctionReturn(0);
}
