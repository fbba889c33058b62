/*
   Sides: a sector as matrices. Its labels are pairs of a ket and a bra, and the pairs fall into blocks in
   which every ket stands with every bra: rho is a list of full matrices, A rho B^+ multiplies them.

   A key is a number of one side: a ket (or bra) together with the irrep. Keys are sorted by block, so those
   of a block are consecutive. (Two labels (i,k,b), (i,k',b) of one sector differ by (0,k'-k,0), a vector of
   the lattice, which takes every label (i,k,b') to one of the sector, too.)
*/
#pragma once
#include <cospin/problem/sector.h>

typedef struct CospinSides_ {
  const CospinSystem *system; /* borrowed */
  CospinSector sector;        /* borrowed */
  int num_blocks;
  int count[2];  /* [side] number of keys */
  int *first[2]; /* [side][num_blocks + 1] first key of a block */
  int *block[2]; /* [side][count] block of a key */
  struct CospinSideLabels_ *labels[2];
} * CospinSides;

/* Not collective; cost and memory as the number of kets and bras. *sides is NULL if the sector has no such
   form: ranges of the bra that depend on the ket. */
PetscErrorCode CospinSidesCreate(CospinSector sector, CospinSides *sides);
PetscErrorCode CospinSidesDestroy(CospinSides *sides);

/* The key of a label, of which the other side means nothing; -1: none of this sector. */
int CospinSidesFind(CospinSides sides, CospinSide side, const int label[]);
/* The label of a key; the coordinates of the other side are 0. Borrowed. */
const int *CospinSidesLabel(CospinSides sides, CospinSide side, int key);
/* The sector's index of a pair of keys of one block. */
PetscInt64 CospinSidesIndex(CospinSides sides, int ket, int bra);
/* How many bras stand with the kets of a block. */
static inline int CospinSidesWidth(CospinSides sides, int block)
{
  return sides->first[COSPIN_BRA][block + 1] - sides->first[COSPIN_BRA][block];
}
