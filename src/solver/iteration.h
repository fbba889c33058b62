/*
   Equations with L itself, without factors and without a shift: GMRES with incomplete factors.

   A generator with a steady state rho is singular, L rho = 0 and Tr L x = 0. L x = b has solutions if Tr b =
   0, one of them without a trace: what b has of rho is taken away before, what x has of it afterwards (of the
   adjoint equation the same with rho and the trace exchanged).
*/
#pragma once
#include <cospin/solver/interrupt.h>

typedef struct CospinIteration_ *CospinIteration;

/* Collective. Solves with matrix - i centre; the matrix is borrowed, interrupt, too, or NULL. Options start
   with `prefix`. basis: vectors that memory has room for. planes[num_planes + 1]: where planes of the matrix
   begin (cospin/operator/planes.h), borrowed; or NULL: there are none. */
PetscErrorCode CospinIterationCreate(Mat matrix, double centre, PetscInt num_planes, const PetscInt planes[],
                                     const char prefix[], int basis, const CospinInterrupt *interrupt,
                                     CospinIteration *iteration);
PetscErrorCode CospinIterationDestroy(CospinIteration *iteration);

/* Collective. From now on the equations are those beside a null vector, L null = 0, left^H L = 0; both are
   borrowed, or NULL to forget them. */
PetscErrorCode CospinIterationProject(CospinIteration iteration, Vec null, Vec left);

/* Collective. x = L^-1 b, or (adjoint) L^-H b, until the residual is `relative` |b| or for as many steps;
 *residual (or NULL): |b - L x| / |b| as GMRES has it, infinite if it broke down. */
PetscErrorCode CospinIterationSolve(CospinIteration iteration, PetscBool adjoint, double relative, int steps,
                                    Vec b, Vec x, double *residual);

/* Collective. x = M b, or (adjoint) M^H b, with the incomplete factors alone, M ~ L^-1. */
PetscErrorCode CospinIterationPrecondition(CospinIteration iteration, PetscBool adjoint, Vec b, Vec x);

/* Steps of GMRES in all solves so far, a product and an application of the incomplete factors each. */
int CospinIterationSteps(CospinIteration iteration);
