/*
   Polynomials of operators: sums of monomials, a monomial being a complex coefficient times an ordered
   product of elementary operators.

   An elementary operator (a ladder operator, a projector, ...) belongs to one component and changes its
   labels by a known integer. What a code means is known to the component's kind only
   (cospin/problem/component.h); here it is opaque.
*/
#pragma once
#include <complex.h>
#include <petscsys.h>

typedef struct {
  int component; /* which component of the problem */
  int code;      /* which of its elementary operators; the kind's own numbering */
  int spin;      /* which spin, for operators of one spin of many; -1 otherwise */
} CospinElementary;

typedef struct {
  double complex coefficient;
  int length; /* 0: the identity */
  CospinElementary *operators;
} CospinMonomial;

typedef struct CospinPolynomial_ {
  int count, capacity;
  CospinMonomial *monomials;
} * CospinPolynomial;

/* All of these: not collective. A polynomial owns its monomials and their elementary operators; results are
 * new objects. */
PetscErrorCode CospinPolynomialCreate(CospinPolynomial *p); /* zero: no monomials */
PetscErrorCode CospinPolynomialDestroy(CospinPolynomial *p);
PetscErrorCode CospinPolynomialDuplicate(CospinPolynomial p, CospinPolynomial *copy);

/* p += coefficient * operators[0] operators[1] ... ; elementary operators are sorted by component and, where
   both name a spin (spin >= 0), by spin: they commute. Any other order is kept; equal monomials are merged,
   exact zeros dropped.
 */
PetscErrorCode CospinPolynomialAddMonomial(CospinPolynomial p, double complex coefficient, int length,
                                           const CospinElementary operators[]);
/* p += factor * q */
PetscErrorCode CospinPolynomialAxpy(CospinPolynomial p, double complex factor, CospinPolynomial q);
/* Whether an elementary operator names this spin. */
PetscBool CospinPolynomialNamesSpin(CospinPolynomial p, int spin);
/* product = a b */
PetscErrorCode CospinPolynomialMultiply(CospinPolynomial a, CospinPolynomial b, CospinPolynomial *product);

/* The code of the adjoint of an elementary operator, from whoever knows the kinds. */
typedef CospinElementary (*CospinElementaryAdjoint)(const void *context, CospinElementary elementary);

/* adjoint = p^+: monomials reversed, elementary operators replaced by their adjoints, coefficients conjugated
 */
PetscErrorCode CospinPolynomialAdjoint(CospinPolynomial p, CospinElementaryAdjoint elementary_adjoint,
                                       const void *context, CospinPolynomial *adjoint);
