/* Where the generator is held without a matrix: what spectrum.c does with factors, by Davidson's method. */
#pragma once
#include <cospin/spectrum.h>

PetscErrorCode CospinShellNull(CospinSpectrum spectrum, int max, int *num, Vec null[], double complex *next);
PetscErrorCode CospinShellSlowest(CospinSpectrum spectrum, int count, int num_deflate, Vec deflate[],
                                  PetscBool left, int *num, CospinMode modes[]);
