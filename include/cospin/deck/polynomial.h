/*
   Operators as text is: sums of words, a word being a complex coefficient times an ordered product of
   letters.

   A letter is an elementary operator of one component, one that changes its labels by a known integer. What a
   code means is known to the component's kind only (cospin/problem/component.h); here letters are opaque.
*/
#pragma once
#include <complex.h>
#include <petscsys.h>

typedef struct {
  int component; /* which component of the problem */
  int code;      /* which of its elementary operators; the kind's own numbering */
  int spin;      /* which spin, for operators of one spin of many; -1 otherwise */
} CospinLetter;

typedef struct {
  double complex coefficient;
  int length; /* 0: the identity */
  CospinLetter *letters;
} CospinWord;

typedef struct CospinPolynomial_ {
  int count, capacity;
  CospinWord *words;
} * CospinPolynomial;

/* All of these: not collective. A polynomial owns its words and their letters; results are new objects. */
PetscErrorCode CospinPolynomialCreate(CospinPolynomial *p); /* zero: no words */
PetscErrorCode CospinPolynomialDestroy(CospinPolynomial *p);
PetscErrorCode CospinPolynomialDuplicate(CospinPolynomial p, CospinPolynomial *copy);

/* p += coefficient * letters[0] letters[1] ... ; letters are sorted by component and, where both name a spin
   (spin >= 0), by spin: they commute. Any other order is kept; equal words are merged, exact zeros dropped.
 */
PetscErrorCode CospinPolynomialAddWord(CospinPolynomial p, double complex coefficient, int length,
                                       const CospinLetter letters[]);
/* p += factor * q */
PetscErrorCode CospinPolynomialAxpy(CospinPolynomial p, double complex factor, CospinPolynomial q);
/* Whether a letter names this spin. */
PetscBool CospinPolynomialNamesSpin(CospinPolynomial p, int spin);
/* product = a b */
PetscErrorCode CospinPolynomialMultiply(CospinPolynomial a, CospinPolynomial b, CospinPolynomial *product);

/* The code of the adjoint of a letter, from whoever knows the kinds. */
typedef CospinLetter (*CospinLetterAdjoint)(const void *context, CospinLetter letter);

/* adjoint = p^+: words reversed, letters replaced by their adjoints, coefficients conjugated */
PetscErrorCode CospinPolynomialAdjoint(CospinPolynomial p, CospinLetterAdjoint letter_adjoint,
                                       const void *context, CospinPolynomial *adjoint);
