/*
   A state as what it is, a density matrix: dense blocks of kets that have coherence with each other, made
   from the elements of a stored state. Functionals of the state read it.

   Where an element of a component stands for d copies (the irreps of an ensemble), the state is a direct sum
   of rho_j (x) 1/d_j: a block here is rho_j, and each of its eigenvalues p is d times p/d in the full space.

   Atoms that are told one by one (CospinComponentKind.NumKets) have no labels of kets: their elements are
   written out as those of the whole space (spelled.c), where such a ket is a number that stands in place of
   the component's first coordinate. That is for few atoms; of more there is the purity alone.

   Nothing here is collective: it is made where the stored state is.
*/
#pragma once
#include <cospin/dataset/stored.h>
#include <cospin/problem/component.h>

enum { COSPIN_LARGEST_BLOCK = 4000 }; /* that is diagonalised: some minutes and a gigabyte */

typedef struct {
  int first, size; /* its kets stand side by side in the density's order */
  double log_copies;
  double *values;          /* [size] eigenvalues, ascending; of rounding errors below 0 nothing is left */
  double complex *vectors; /* [size * size] eigenvectors, a column each */
} CospinDensityBlock;

/* rho = ... + value |ket><bra| */
typedef struct {
  int ket, bra;
  double complex value;
} CospinDensityElement;

typedef struct CospinDensity_ {
  const CospinSystem *system; /* borrowed */
  CospinStoredState state;    /* borrowed: what it was made of; NULL: of codes */
  double purity;              /* Tr rho^2 */
  PetscBool whole;            /* there are kets, elements and blocks: not of too many atoms told one by one */
  int num_kets;
  int *labels;       /* [num_kets][num_coordinates] of |ket><ket|; NULL: made of codes */
  PetscInt64 *codes; /* [num_kets] ascending, and which ket each is */
  int *ket_of_code;
  PetscInt64 count;
  CospinDensityElement *elements;
  int num_blocks;
  CospinDensityBlock *blocks;
  int *block_of;                        /* [num_kets] */
  int radix_lo[COSPIN_MAX_COORDINATES]; /* how a ket becomes a code */
  PetscInt64 radix[COSPIN_MAX_COORDINATES];
  PetscBool diagonal; /* blocks have their eigenvalues */
} * CospinDensity;

/* value |ket><bra|, kets told by their codes; ln of the copies of its ket. */
typedef struct {
  PetscInt64 ket, bra;
  double log_copies;
  double complex value;
} CospinCodedElement;
/* A matrix of such elements, of which those of the same place are added up, as a density without labels
   (CospinDensityLabel): what is made of another one's elements, a partial trace or transpose. */
PetscErrorCode CospinDensityCreateCoded(const CospinSystem *system, PetscInt64 num,
                                        const CospinCodedElement elements[], CospinDensity *density);

/* `state` must outlive it. *density is NULL if kets do not fit into 64 bits. */
PetscErrorCode CospinDensityCreate(const CospinSystem *system, CospinStoredState state,
                                   CospinDensity *density);
PetscErrorCode CospinDensityDestroy(CospinDensity *density);

/* Makes eigenvalues and vectors, once. *ok is false, and there are none, if a block is larger than
   COSPIN_LARGEST_BLOCK, or the density not whole. */
PetscErrorCode CospinDensityDiagonalise(CospinDensity density, PetscBool *ok);

/* The code of the ket of a label; the ket with a code, -1: the state has nothing there. */
PetscInt64 CospinDensityCode(CospinDensity density, const int label[]);
int CospinDensityFind(CospinDensity density, PetscInt64 code);
/* Element k of a state: its label[num_coordinates] and its value. */
PetscErrorCode CospinDensityElementOf(const CospinSystem *system, CospinStoredState state, PetscInt64 k,
                                      int label[], double complex *value);
/* The label of |ket><ket|, borrowed. */
const int *CospinDensityLabel(CospinDensity density, int ket);
