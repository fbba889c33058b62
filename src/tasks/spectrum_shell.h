/* Where the generator is held without a matrix: what spectrum.c does with factors, by Davidson's method. */
#pragma once
#include <cospin/spectrum.h>

PetscErrorCode CospinShellNull(CospinSpectrum spectrum, int max, int *num, Vec null[], double complex *next);
PetscErrorCode CospinShellSlowest(CospinSpectrum spectrum, int count, int num_deflate, Vec deflate[],
                                  PetscBool left, int *num, CospinMode modes[]);
PetscErrorCode CospinShellResolvent(CospinSpectrum spectrum, double complex s, Vec b, Vec a, Vec right,
                                    Vec left);
PetscErrorCode CospinShellApplyInverse(CospinSpectrum spectrum, Vec x, Vec y);

/* Collective. x = (s - L)^-1 b, or (adjoint) (s - L)^-H b, by a solver with L - s. */
PetscErrorCode CospinSolveShifted(KSP ksp, PetscBool adjoint, Vec b, Vec x);
