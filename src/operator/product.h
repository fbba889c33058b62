/*
   A superoperator on the matrices of a sector (cospin/problem/sides.h), as its terms are multiplied:

     H rho           no monomial on the bra: one sparse matrix on the kets
     rho K           no monomial on the ket: one on the bras
     d * rho         monomials on both sides that move neither: a number an element
     jumps           sum_ab C_ab A_a rho B_b^+ over monomials that occur together. With C = sum_c u_c v_c^T

                       Y_c = sum_a u_ac A_a rho,     result = sum_cb v_bc Y_c B_b^+,

                     so a collective jump of N spins costs N products an element instead of N^2. Where C has
   full rank (the rates of a crystal) a channel is one monomial B_b and u_c a column of C: row by row.

   Rows of rho, one a ket, are computed one after the other from whole rows. Nothing is as large as the
   sector.
*/
#pragma once
#include "rows.h"
#include "terms.h"

typedef struct {
  int num_channels, num_rows;
  PetscScalar *mix; /* [num_channels][num_rows] u */
  CospinRows kets;  /* row: target key, column: source key, slot: row of `mix` */
  CospinRows bras;  /* row: target key, column: channel * width + place of the source; value v */
  int most;         /* elements of one row of `kets` */
} CospinChannels;

/* d = sum_ab C_ab A_a(ket) B_b(bra) */
typedef struct {
  int num[2];            /* [side] monomials */
  double *factors[2];    /* [side][num][keys] */
  PetscScalar *coupling; /* [num bra][num ket] C */
} CospinDiagonal;

enum { COSPIN_PRODUCT_BATCH = 8 };

typedef struct CospinProduct_ {
  CospinSides sides; /* borrowed */
  PetscBool transposed;
  CospinRows left;  /* rows and columns: kets */
  CospinRows right; /* row: bra, column: place of the source in its block */
  CospinDiagonal diagonal;
  int num_jumps;
  CospinChannels *jumps;
  int widest; /* most bras of a block */
  struct {
    PetscScalar *packed, *weights, *channels;
    double *tile;
  } work;
} * CospinProduct;

/* Not collective. `sides` is borrowed. transposed: rho -> sum C_ab A_a^T rho conj(B_b). */
PetscErrorCode CospinProductCreate(CospinTerms terms, CospinSides sides, PetscBool transposed,
                                   CospinProduct *product);
PetscErrorCode CospinProductDestroy(CospinProduct *product);

/* Whether the row of ket `target` needs that of ket `source`: calls visit for every one, more than once
   possibly, the target itself included. */
PetscErrorCode CospinProductNeeds(CospinProduct product, int target,
                                  PetscErrorCode (*visit)(void *context, int source), void *context);

/* Rows of at most COSPIN_PRODUCT_BATCH kets of one block: results[k][width]; rows[key]: the source row of a
 * key. */
PetscErrorCode CospinProductRows(CospinProduct product, int num_kets, const int kets[],
                                 const PetscScalar *const rows[], PetscScalar *const results[]);

/* Of the row of a ket: the matrix' own diagonal elements; bounds of the sums of moduli of its elements, with
   the moduli of what meets in one element, as rounding sees it. */
PetscErrorCode CospinProductDiagonal(CospinProduct product, int ket, PetscScalar diagonal[]);
PetscErrorCode CospinProductRowSums(CospinProduct product, int ket, double sums[]);
