/*
   Census: how many labels a sector has, before anybody enumerates them.

   A sector is walked as its enumeration does it (cospin/problem/sector.h), but a part of the walk that has
   been done before is not done again, the labels of a line are counted at once, and those of many lines as
   the linear function of the line that their number is. So a sector of 10^6 spins takes some thousand steps.
   One for which that is not enough is sampled.
*/
#pragma once
#include <cospin/problem/component.h>
#include <cospin/problem/lattice.h>

typedef struct CospinCensus_ *CospinCensus;

typedef struct {
  double labels;   /* the sector's dimension */
  double nodes;    /* of the tree that an enumeration would store; at most */
  PetscBool exact; /* otherwise by sampling, to some per cent: there are millions then */
} CospinCount;

/* Not collective. `system` and `lattice` are borrowed. kets: counted are not the labels but their kets, each
   with its irreps, for which any bra may be in range; otherwise all of them. */
PetscErrorCode CospinCensusCreate(const CospinSystem *system, CospinLattice lattice, PetscBool kets,
                                  CospinCensus *census);
PetscErrorCode CospinCensusDestroy(CospinCensus *census);
/* Not collective. The sector of any representative; what was learnt is kept for the next one. Less than a
   second; memory of some ten megabytes at most. The same numbers on every rank. */
PetscErrorCode CospinCensusCount(CospinCensus census, const int representative[], CospinCount *count);

/* Not collective. The labels of one sector, by a census of its own. */
PetscErrorCode CospinCensusOfSector(const CospinSystem *system, CospinLattice lattice,
                                    const int representative[], CospinCount *count);
