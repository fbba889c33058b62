/* Solves with L - s, and the eigensolver that is made of them. */
#pragma once
#include "backend.h"

/* Collective. Makes eigensolver->eps unless it is there: the eigensolver with its shift, and the solver of L
   - s within. */
PetscErrorCode CospinFactorsConfigure(CospinEigensolver eigensolver);

/* Collective. SLEPc 3.18 cannot normalise a block of vectors where a rank holds no element of it; single
   vectors it can. */
PetscErrorCode CospinFactorsConfigureVectors(CospinEigensolver eigensolver, EPS eps);

/* Collective. Left vectors of modes with right ones, y^H x = 1, and from their lengths the errors; where they
   are not found they stay NULL, and eigensolver->outcome tells; they stay NULL, too, where they are so long
   that nothing could be read off them. num_null: how many null vectors there are besides. */
PetscErrorCode CospinFactorsLeft(CospinEigensolver eigensolver, int num_null, int num, CospinMode modes[]);
