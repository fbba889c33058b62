/*
   Sectors of three dimensions as a pile of planes: labels of an equal first coordinate (the j of an ensemble
   that is driven while its spins also act one by one), which nothing but gain connects with the others.
*/
#pragma once
#include <cospin/problem/lattice.h>
#include <cospin/problem/moves.h>
#include <cospin/problem/sector.h>

/* Not collective. Whether the sectors of `lattice` are such piles: three dimensions, the first coordinate one
   of them, and every move that changes it has positive coefficients (what a jump adds; a Hamiltonian's would
   be imaginary, or of both signs). */
PetscBool CospinPlanesSuit(CospinMoves generator, CospinLattice lattice);

/* Not collective. (*begin)[*num + 1]: the index with which each plane of a sector begins, and the sector's
   dimension; to be freed with PetscFree. */
PetscErrorCode CospinPlanesFind(CospinSector sector, PetscInt *num, PetscInt **begin);
