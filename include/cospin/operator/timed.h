/* A generator L_0 + sum_k c_k L_k (cospin/problem/clock.h) whose coefficients are set again and again. */
#pragma once
#include <cospin/problem/clock.h>
#include <petscmat.h>

/*
   Collective. A MatShell of the same layout as any generator on the sector, that multiplies (MatMult) and has
   an infinity norm that is a bound; its terms are matrices or products without one, as the deck's `operator`
   says. All coefficients are zero.
*/
PetscErrorCode CospinTimedCreate(MPI_Comm comm, CospinProblem problem, CospinSector sector, Mat *generator);
/* Not collective, the same on every rank. constant * L_0 + sum_k c[k] L_k from now on. */
PetscErrorCode CospinTimedSet(Mat generator, double constant, const double c[]);
