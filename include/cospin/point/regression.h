/*
   Quantum regression: two-time correlations of the steady state are expectation values of states that have
   been perturbed,

     <A(t) B(0)> = Tr(A exp(t L) B rho),   <B(0) C(t) D(0)> = Tr(C exp(t L) D rho B).

   The perturbed state lies in a few sectors, and A reads a few; where both do, the correlation has a channel.
*/
#pragma once
#include <cospin/point/point.h>
#include <cospin/solver/channel.h>

/*
   Collective. The channels of A in the perturbed steady state `perturbation` rho; *num may be 0. `transient`:
   the steady part is taken out of reading and perturbed, so that the channel tends to zero; `limit` tells
   what is missing. PETSc options of their solvers start with `prefix`.
*/
PetscErrorCode CospinChannelsCreate(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                    CospinPolynomial a, CospinMoves perturbation, PetscBool transient,
                                    int *num, CospinChannel **channels);
PetscErrorCode CospinChannelsDestroy(int num, CospinChannel **channels);

/* Collective. A vector y with Tr(A x) = y^H x on the sector, for the caller; `a_rho`: A acting from the left.
 */
PetscErrorCode CospinReadingCreate(CospinEigensolver eigensolver, CospinMoves a_rho, Vec *reading);

/* Collective. Tr(A rho) in the steady state. */
PetscErrorCode CospinSteadyExpectation(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                       double complex *value);
