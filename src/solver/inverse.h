/*
   One eigenvector from as few solves with factors as it takes: Arnoldi's method on (L - s)^-1 from one
   vector, looked at after every solve.

     B V_m = V_m H + h v_m+1 e_m^T,   H y = theta y,   x = B V_m y / theta = (V_m H y + h y_m v_m+1) / theta

   costs no solve more than V_m y and has the residual L x - lambda x = -h y_m v_m+1 / theta^2, lambda = s +
   1/theta, in which L does not stand: rounding of its largest elements does not enter.
*/
#pragma once
#include "backend.h"

typedef struct {
  PetscBool adjoint;     /* left vectors: (L - s)^-H, eigenvalues conjugate */
  Vec null, trace;       /* a null vector and the left one that belongs to it: both are left out; or NULL */
  PetscBool near;        /* looks for the eigenvalue next to `target`; otherwise for that next to the shift */
  double complex target; /* of L */
  int most;              /* solves */
  double residual;       /* |L x - lambda x| / |x| that is small enough */
  double relative;       /* or what |B x - theta x| is relative to theta x */
} CospinInverseOptions;

/* Collective; borrowed factors of the eigensolver at its shift. *lambda: of L, of left vectors, too. *vector
   (NULL: it is not wanted): 2-norm 1, owned by the caller if it converged, otherwise NULL. `start` is not
   zero. */
PetscErrorCode CospinInverseNearest(CospinEigensolver eigensolver, const CospinInverseOptions *options,
                                    Vec start, PetscScalar *lambda, Vec *vector, PetscBool *converged);
