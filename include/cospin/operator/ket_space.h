/*
   The kets of a problem as vectors: blocks that no operator between jumps leaves, and in each the operators
   as sparse matrices. A block is made when a ket first comes there. None of this is collective; every rank
   has its own.
*/
#pragma once
#include <cospin/problem/ket.h>

/* A matrix by rows: columns column[first[r]] ... column[first[r+1]-1] of row r. */
typedef struct {
  int num_rows, num_columns;
  int *first, *column; /* first NULL: it has not been made */
  double complex *value;
  double norm; /* largest sum of moduli in a column */
} CospinKetMatrix;

/* y = M x */
void CospinKetMatrixApply(const CospinKetMatrix *matrix, const double complex x[], double complex y[]);

typedef struct CospinKetBlock_ {
  CospinSector sector;
  int dimension;
  CospinKetMatrix no_jump, *terms; /* terms[num_terms] of kets: what depends on time */
  CospinKetMatrix *jumps, *reads;  /* [num_jumps], [num_reads]; ask CospinKetBlockJump and Read */
  struct CospinKetBlock_ **targets;
  int **edges, *num_edges; /* [num_bounded] the kets of the highest levels */
  void *attached;          /* somebody's, for this block; freed by Detach of the space */
  struct CospinKetBlock_ *next;
} * CospinKetBlock;

/* A component whose levels are cut off, and how much may be at the cut. */
typedef struct {
  int component;
  PetscBool open;  /* a window that can grow */
  double accepted; /* population of the highest levels, as many as one move can pass; of open ones infinite */
} CospinKetBound;

typedef struct CospinKetSpace_ {
  CospinKets kets; /* borrowed */
  int num_reads;
  const CospinMoves *reads; /* borrowed */
  int num_bounded;
  CospinKetBound *bounds;                   /* [num_bounded] */
  int *reach;                               /* [num_bounded] levels that one move can pass */
  PetscErrorCode (*Detach)(void *attached); /* NULL: nothing is attached */
  double bytes;                             /* of all blocks, roughly */
  CospinKetBlock *heads;
} * CospinKetSpace;

/* reads[num_reads]: superoperators rho -> A rho whose expectation values will be wanted. */
PetscErrorCode CospinKetSpaceCreate(CospinKets kets, int num_reads, const CospinMoves reads[],
                                    CospinKetSpace *space);
PetscErrorCode CospinKetSpaceDestroy(CospinKetSpace *space);
/* Frees all blocks. */
PetscErrorCode CospinKetSpaceClear(CospinKetSpace space);
/* The block of a label's ket, whatever its bra. Borrowed. */
PetscErrorCode CospinKetSpaceFind(CospinKetSpace space, const int label[], CospinKetBlock *block);
/* How large the block of a label's ket would be, and from a few of its kets what acts between jumps: the
   largest sum of moduli in a column, and how many elements there are in all columns. */
PetscErrorCode CospinKetSpaceSurvey(CospinKetSpace space, const int label[], double *dimension, double *norm,
                                    double *elements);
/* The largest rate of jumps of any label, in whatever block, from a thousand that are drawn. */
double CospinKetSpaceFastest(CospinKetSpace space);
/* Jump k from a block, and the block that it leads to. */
PetscErrorCode CospinKetBlockJump(CospinKetSpace space, CospinKetBlock block, int k,
                                  const CospinKetMatrix **jump, CospinKetBlock *target);
/* A of reads[k] within a block. */
PetscErrorCode CospinKetBlockRead(CospinKetSpace space, CospinKetBlock block, int k,
                                  const CospinKetMatrix **read);
/* Population of the highest levels of bounds[k]. */
double CospinKetBlockEdge(CospinKetBlock block, int k, const double complex x[]);
