/*
   How sensitive eigenvalues are, from their right vectors alone.

   The condition of an eigenvalue is the length of its left vector y, y^H x = 1, |x| = 1. Within the space
   that some right vectors X span, an invariant one, the dual vectors are X G^-1 with G = X^H X, of lengths
   sqrt((G^-1)_kk); left vectors have these as projections, so they are at least as long. Of a pair that is
   nearly a Jordan block both vectors are nearly parallel, and this is what it is sensitive by.
*/
#include "backend.h"
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>

static const double poor_residual = 1e-13; /* what the solver left, not rounding */
static const double sensitive = 100.0;
static const double few_digits = 1e-3; /* of an eigenvalue */

/* gram[num][num]; the same bits on every rank. */
static PetscErrorCode overlaps(int num, const CospinMode modes[], PetscScalar gram[])
{
  Vec *vectors;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(num, &vectors));
  for (int k = 0; k < num; k++) vectors[k] = modes[k].right;
  for (int k = 0; k < num; k++) PetscCall(VecMDot(modes[k].right, num, vectors, gram + k * num));
  PetscCall(PetscFree(vectors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinModesErrors(CospinEigensolver eigensolver, int num, CospinMode modes[])
{
  const size_t room = (size_t)(num * num) + COSPIN_LAPACK_ROOM;
  PetscScalar *gram, *inverse;
  PetscBLASInt size = num, info, *pivots;

  PetscFunctionBeginUser;
  if (num == 0) PetscFunctionReturn(0);
  PetscCall(PetscCalloc2(room, &gram, room, &inverse));
  PetscCall(PetscMalloc1(num, &pivots));
  PetscCall(overlaps(num, modes, gram));
  for (int k = 0; k < num; k++) inverse[k + num * k] = 1.0;
  LAPACKgesv_(&size, &size, gram, &size, pivots, inverse, &size, &info);
  for (int k = 0; k < num; k++) {
    const double square = PetscAbsScalar(inverse[k + num * k]),
                 condition = info ? INFINITY : PetscSqrtReal(PetscMax(square, 1.0)),
                 error = CospinModeError(eigensolver, &modes[k], condition);
    if (modes[k].residual > poor_residual || condition > sensitive ||
        error > few_digits * cabs(modes[k].lambda))
      modes[k].error = error;
  }
  PetscCall(PetscFree(pivots));
  PetscCall(PetscFree2(gram, inverse));
  PetscFunctionReturn(0);
}
