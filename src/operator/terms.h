/*
   A superoperator as a sum of terms coefficient * A rho B^+ with words A, B of elementary steps on one side
   each: the list of moves, read side by side. Equal words have one number; word 0 is the identity.
*/
#pragma once
#include <cospin/problem/moves.h>
#include <cospin/problem/sides.h>

typedef struct {
  int length;
  CospinStep *steps; /* in the order in which they act */
} CospinSideWord;

typedef struct {
  int word[2]; /* [side] */
  double complex coefficient;
} CospinTerm;

typedef struct CospinTerms_ {
  const CospinSystem *system; /* borrowed */
  int count, num_words[2], capacity[3];
  CospinTerm *terms;
  CospinSideWord *words[2];
} * CospinTerms;

PetscErrorCode CospinTermsCreate(CospinMoves moves, CospinTerms *terms);
PetscErrorCode CospinTermsDestroy(CospinTerms *terms);

/* What a word does to the keys of its side: to[k] (-1: nothing remains) and the factor. *diagonal: every key
   stays where it is. */
void CospinTermsTabulate(CospinTerms terms, CospinSides sides, CospinSide side, int word, int to[],
                         double factor[], PetscBool *diagonal);
