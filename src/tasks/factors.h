/* Solves with L - s, and the eigensolver that is made of them. */
#pragma once
#include "eigensolver.h"

/* Collective. Makes spectrum->eps unless it is there: the eigensolver with its shift, and the solver of L - s
   within. */
PetscErrorCode CospinFactorsConfigure(CospinSpectrum spectrum);
