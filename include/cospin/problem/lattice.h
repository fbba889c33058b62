/*
   Integer lattices: all integer combinations of some vectors, held as a basis in Hermite normal form.

   The moves of a generator change labels by vectors; the lattice that they span says what can be reached from
   where. Two labels belong to the same sector exactly if they differ by a vector of the lattice. So weak and
   strong U(1) and Z_p symmetries, conserved irreps and separately conserved charges of components are all
   found by one reduction.
*/
#pragma once
#include <petscsys.h>

typedef struct CospinLattice_ *CospinLattice;

/* Not collective. The zero lattice in `dimension` coordinates. */
PetscErrorCode CospinLatticeCreate(int dimension, CospinLattice *lattice);
PetscErrorCode CospinLatticeDestroy(CospinLattice *lattice);

/* Adds a vector[dimension] to the span. */
PetscErrorCode CospinLatticeAdd(CospinLattice lattice, const int vector[]);

int CospinLatticeDimension(CospinLattice lattice);
int CospinLatticeRank(CospinLattice lattice);
/* Row r of the basis: zero before its pivot column, positive there; rows in the order of their pivots.
 * Borrowed. */
const int *CospinLatticeRow(CospinLattice lattice, int r, int *pivot);

/* Replaces a label by the representative of its coset: the one with 0 <= label[pivot] < row[pivot] for all
 * rows. */
void CospinLatticeReduce(CospinLattice lattice, int label[]);

PetscBool CospinLatticeContains(CospinLattice lattice, const int vector[]);

/*
   Not collective. The vectors of which a multiple lies in the lattice, one of each coset: Z_2 says how a
   label differs from its neighbour, U(1) lets differences grow for ever and has none.
   vectors[*num][dimension], reduced, the first one zero; to be freed with PetscFree.
*/
PetscErrorCode CospinLatticeTorsion(CospinLattice lattice, int *num, int **vectors);
