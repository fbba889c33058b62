/*
   The part of a generator that acts on one side at a time, rho -> H rho + rho K: with H = -i H_eff, K = H^+
   it is what happens between jumps. Equations with it are of Sylvester's form, and the eigenvectors of H and
   K solve them exactly, block by block:

     H = V l V^-1, K = W o W^-1 (on the bras' indices):  (H + K - s)^-1 rho = V [ V^-1 rho W^-T / (l_i + o_j -
   s) ] W^T

   so for problems with jumps it is the preconditioner that physics gives. All of it are dense products.
*/
#pragma once
#include <petscmat.h>

typedef struct CospinNoJump_ *CospinNoJump;

/* Collective. `shell` is a matrix made by CospinShellCreate, which must outlive it. Costs the eigenvectors of
   all blocks, which are found on one rank each and held by all: twice the memory of a vector in all. Where
   eigenvectors are nearly dependent those of a slightly different matrix are taken: it is a preconditioner.
 */
PetscErrorCode CospinNoJumpCreate(Mat shell, CospinNoJump *nojump);
PetscErrorCode CospinNoJumpDestroy(CospinNoJump *nojump);

/* Collective. x = (H + K - s)^-1 b, or (adjoint) its Hermitian transpose; allocates nothing. Denominators
   next to zero (dark states) are kept away from it. */
PetscErrorCode CospinNoJumpSolve(CospinNoJump nojump, PetscScalar s, PetscBool adjoint, Vec b, Vec x);
