/*
   A superoperator as a sum of terms coefficient * A rho B^+ with monomials A, B of elementary steps on one
   side each: the list of moves, read side by side. Equal monomials have one number; monomial 0 is the
   identity.
*/
#pragma once
#include <cospin/problem/moves.h>
#include <cospin/problem/sides.h>

typedef struct {
  int length;
  CospinStep *steps; /* in the order in which they act */
} CospinSideMonomial;

typedef struct {
  int monomial[2]; /* [side] */
  double complex coefficient;
} CospinTerm;

typedef struct CospinTerms_ {
  const CospinSystem *system; /* borrowed */
  int count, num_monomials[2], capacity[3];
  CospinTerm *terms;
  CospinSideMonomial *monomials[2];
} * CospinTerms;

PetscErrorCode CospinTermsCreate(CospinMoves moves, CospinTerms *terms);
PetscErrorCode CospinTermsDestroy(CospinTerms *terms);

/* What a monomial does to the keys of its side: to[k] (-1: nothing remains) and the factor. *diagonal: every
   key stays where it is. */
void CospinTermsTabulate(CospinTerms terms, CospinSides sides, CospinSide side, int monomial, int to[],
                         double factor[], PetscBool *diagonal);
