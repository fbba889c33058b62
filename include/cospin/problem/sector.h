/*
   Sectors: the labels that the generator connects, numbered 0, 1, 2, ... in the order of their coordinates.

   A sector is one coset of the lattice of the moves. Only its own labels are enumerated, along the rows of
   the lattice's Hermite normal form: coordinate after coordinate, a pivot coordinate runs through an
   arithmetic progression, any other is fixed by those before it. What is stored is a tree of these
   progressions, one run of labels per leaf.
*/
#pragma once
#include <cospin/problem/component.h>
#include <cospin/problem/lattice.h>
#include <cospin/problem/moves.h>

typedef struct CospinSector_ *CospinSector;

/* Not collective. The sector of `lattice` that contains `label` (any representative, it need not be in range
   itself). `system` and `lattice` are borrowed and must outlive the sector. Cost and memory: one pass over
   the sector, one small record per run. */
PetscErrorCode CospinSectorCreate(const CospinSystem *system, CospinLattice lattice, const int label[],
                                  CospinSector *sector);
/* Not collective. The part of a sector that `moves` reach from the labels with `begins`: nothing leaves it,
   so that an evolution that begins there stays. Cost: every move of each of its labels, and `begins` of all
   labels of `whole`, which may be destroyed then; memory: the labels themselves. */
PetscErrorCode CospinSectorCreateReached(CospinSector whole, CospinMoves moves,
                                         PetscBool (*begins)(const void *context, const int label[]),
                                         const void *context, CospinSector *reached);
PetscErrorCode CospinSectorDestroy(CospinSector *sector);

PetscInt64 CospinSectorDimension(CospinSector sector);
/* What it was made of, borrowed. */
const CospinSystem *CospinSectorSystem(CospinSector sector);
CospinLattice CospinSectorLattice(CospinSector sector);
/* Reduced representative [num_coordinates], borrowed. */
const int *CospinSectorRepresentative(CospinSector sector);
/* -1 if the label is not in the sector or out of range. */
PetscInt64 CospinSectorIndex(CospinSector sector, const int label[]);
void CospinSectorLabel(CospinSector sector, PetscInt64 index, int label[]);
