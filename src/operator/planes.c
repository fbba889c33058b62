/*
   Which generators are piles of planes, and where a plane begins (cospin/operator/planes.h): labels are
   numbered in the order of their coordinates, so a plane is a run of them, whose end is found by halving.
*/
#include <cospin/operator/planes.h>

enum { DIMENSION = 3 };

/* What a jump adds to rho, in the components' own phases. */
static PetscBool is_gain(const CospinMove *move)
{
  for (int k = 0; k < move->num_chains; k++) {
    const double complex coefficient = move->chains[k].coefficient;
    if (cimag(coefficient) != 0.0 || creal(coefficient) < 0.0) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool CospinPlanesSuit(CospinMoves generator, CospinLattice lattice)
{
  int pivot;

  if (CospinLatticeRank(lattice) != DIMENSION) return PETSC_FALSE;
  (void)CospinLatticeRow(lattice, 0, &pivot);
  if (pivot != 0) return PETSC_FALSE;
  for (int k = 0; k < generator->count; k++)
    if (generator->moves[k].shift[0] != 0 && !is_gain(&generator->moves[k])) return PETSC_FALSE;
  return PETSC_TRUE;
}

static int first_coordinate(CospinSector sector, PetscInt64 index)
{
  int label[COSPIN_MAX_COORDINATES];

  CospinSectorLabel(sector, index, label);
  return label[0];
}

/* The first index behind the plane of `index`. */
static PetscInt64 end_of_plane(CospinSector sector, PetscInt64 index)
{
  const int plane = first_coordinate(sector, index);
  PetscInt64 inside = index, outside = CospinSectorDimension(sector);

  while (outside - inside > 1) {
    const PetscInt64 middle = inside + (outside - inside) / 2;
    if (first_coordinate(sector, middle) == plane)
      inside = middle;
    else
      outside = middle;
  }
  return outside;
}

PetscErrorCode CospinPlanesFind(CospinSector sector, PetscInt *num, PetscInt **begin)
{
  const PetscInt64 size = CospinSectorDimension(sector);

  PetscFunctionBeginUser;
  *begin = NULL;
  for (int pass = 0; pass < 2; pass++) {
    *num = 0;
    for (PetscInt64 index = 0; index < size; index = end_of_plane(sector, index)) {
      if (*begin) (*begin)[*num] = (PetscInt)index;
      (*num)++;
    }
    if (!*begin) PetscCall(PetscMalloc1(*num + 1, begin));
  }
  (*begin)[*num] = (PetscInt)size;
  PetscFunctionReturn(0);
}
