/*
   Orthonormal vectors side by side, for searches that add one after the other and restart (davidson.h). As
   long as all of them are real, but for factors i that go with the labels (cospin/operator/real_form.h), they
   are stored and multiplied as real numbers.
*/
#pragma once
#include <petscvec.h>

typedef struct CospinBasis_ *CospinBasis;

/* Collective. Room for `most` vectors that are laid out like `like`. turned[local size]: labels that take a
   factor i, borrowed; NULL: the vectors are complex. */
PetscErrorCode CospinBasisCreate(Vec like, int most, const unsigned char turned[], CospinBasis *basis);
PetscErrorCode CospinBasisDestroy(CospinBasis *basis);

/* Not collective. */
PetscBool CospinBasisIsReal(CospinBasis basis);
/* Not collective. From now on they are complex; those that are there keep their values. */
PetscErrorCode CospinBasisMakeComplex(CospinBasis basis);

/* Not collective. Vector k = x, of a real basis what of x is real. */
PetscErrorCode CospinBasisSet(CospinBasis basis, int k, Vec x);
/* Collective. products[count]: v_k^H x. */
PetscErrorCode CospinBasisDot(CospinBasis basis, int count, Vec x, PetscScalar products[]);
/* Not collective. x = sum_k coefficients_k v_k over count vectors. */
PetscErrorCode CospinBasisCombine(CospinBasis basis, int count, const PetscScalar coefficients[], Vec x);
/* Collective. x -= V V^H x, twice; of a real basis what of x is real stays. */
PetscErrorCode CospinBasisProject(CospinBasis basis, int count, Vec x);
/* Not collective. V U in place of V; columns[kept][count] of U, real ones of a real basis. */
PetscErrorCode CospinBasisRotate(CospinBasis basis, int count, int kept, const PetscScalar columns[]);

/* Collective. A vector without a part that is not real takes none from rounding: of x the real part stays, or
   the imaginary one, times -i, where that is larger. turned as above. */
PetscErrorCode CospinRealPart(const unsigned char turned[], Vec x);
/* Collective. Whether x is real, or (*real) i times a real vector. */
PetscErrorCode CospinIsReal(const unsigned char turned[], Vec x, PetscBool *real);
