/* Solves with L - s, and the eigensolver that is made of them. */
#pragma once
#include "backend.h"

/* Collective. Makes eigensolver->eps unless it is there: the eigensolver with its shift, and the solver of L
   - s within. */
PetscErrorCode CospinFactorsConfigure(CospinEigensolver eigensolver);

/* Not collective. A solve is to come: counts a factorisation unless the factors are there. */
void CospinFactorsNote(CospinEigensolver eigensolver);

/* Collective. SLEPc 3.18 cannot normalise a block of vectors where a rank holds no element of it; single
   vectors it can. */
PetscErrorCode CospinFactorsConfigureVectors(CospinEigensolver eigensolver, EPS eps);

/* Collective. Left vectors of modes with right ones, y^H x = 1, and from their lengths the errors; where they
   are not found they stay NULL, and eigensolver->outcome tells; they stay NULL, too, where they are so long
   that nothing could be read off them. num_null: how many null vectors there are besides. */
PetscErrorCode CospinFactorsLeft(CospinEigensolver eigensolver, int num_null, int num, CospinMode modes[]);

#define COSPIN_FACTORS_TOLERANCE 1e-12 /* of eigenpairs, relative */
#define COSPIN_FACTORS_ROUGH     0.05  /* of eigenvalues that only tell whether there is something */
#define COSPIN_FACTORS_FINE      2e-16 /* a residual over |L| that is rounding */
#define COSPIN_FACTORS_FINEST    1e-13 /* what solves with factors are good to, relative */
#define COSPIN_FACTORS_POOR      1e-11 /* a residual from here on is worth another shift */
#define COSPIN_FACTORS_FAR_BELOW 0.1   /* modes slower than this share of the shift look alike from there */
enum { COSPIN_FACTORS_FEW_ITERATIONS = 40, COSPIN_FACTORS_LARGE_SUBSPACE = 16 };

/* factors_solve.c; all but the last collective. To another shift + i centre, unless the options have chosen
 * one. */
PetscErrorCode CospinFactorsSetShift(CospinEigensolver eigensolver, double shift, double centre,
                                     PetscBool *moved);
/* To the size of an eigenvalue, unless it is near that already. */
PetscErrorCode CospinFactorsMoveShift(CospinEigensolver eigensolver, double shift, PetscBool *moved);
/* The eigenvalues nearest to the shift, deflate[] left out. max_iterations: 0 for as many as configured. */
PetscErrorCode CospinFactorsSolve(CospinEigensolver eigensolver, PetscInt wanted, PetscReal tol,
                                  PetscInt max_iterations, int num_deflate, Vec deflate[],
                                  PetscInt *converged);
/* The eigenvalue next to zero, with improved solves (*refined, from then on) if it does not converge soon. */
PetscErrorCode CospinFactorsSolveNext(CospinEigensolver eigensolver, PetscReal tol, int num_deflate,
                                      Vec deflate[], PetscBool *refined, PetscInt *converged);
PetscErrorCode CospinFactorsUnitVector(CospinEigensolver eigensolver, PetscInt k, Vec *vector);
PetscBool CospinFactorsIsZero(CospinEigensolver eigensolver); /* nothing moves, or by rounding only */

/* factors_state.c. The steady state, 2-norm 1, and the eigenvalue next to zero roughly; NULL, and nothing is
   said, where there may be several, or it is not found so. */
PetscErrorCode CospinFactorsState(CospinEigensolver eigensolver, Vec *rho, double complex *next);

/* factors_slowest.c. As CospinBackend.Slowest. */
PetscErrorCode CospinFactorsSlowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                                    PetscBool left, int *num, CospinMode modes[]);
