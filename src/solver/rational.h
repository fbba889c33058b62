/* exp(tau L) on a Krylov space of (1 - gamma L)^-1, from its projection H on it. Every rank's own. */
#pragma once
#include <slepcfn.h>

/* h = Q T Q^H, h[order][order] column after column; h is overwritten by T. */
PetscErrorCode CospinRationalSchur(int order, PetscScalar h[], PetscScalar q[]);

/*
   c[order] = f(H) e_1 with f(x) = exp(steps (1 - 1/x)), steps = tau/gamma; `exponential`: an FNEXP, its scale
   is set. *last = e_m^T H^-1 c, what the residual of u' = L u is proportional to. *largest: |steps (1 - 1/x)|
   of the eigenvalues that are not gone by then, by which the rounding of H is multiplied.
*/
PetscErrorCode CospinRationalExponential(int order, const PetscScalar t[], const PetscScalar q[],
                                         FN exponential, double steps, PetscScalar c[], PetscScalar *last,
                                         double *largest);
