/*
   Eigenvalues without factors: Davidson's method with a preconditioner, one eigenvalue after the other.

     V: orthonormal basis, orthogonal to the Schur vectors Q found before
     repeat: eigenpairs (theta, V y) of V^H A V;  r = (1 - Q Q^H) (A V y - theta V y)
             extend V by M r, where M is nearly the inverse of A: of its part that can be inverted
   (cospin/operator/nojump.h), or incomplete factors (iteration.h)

   (Davidson, J. Comput. Phys. 17, 87 (1975); Morgan and Scott, SIAM J. Sci. Stat. Comput. 7, 817 (1986).) It
   costs a product and an application of M a step. With M = A_0^-1, A = A_0 + jumps, it takes as many steps as
   GMRES for one equation, since its space is the Krylov space of A_0^-1 A.
*/
#pragma once
#include <cospin/solver/interrupt.h>

typedef struct CospinDavidsonPolicy_ CospinDavidsonPolicy;

/* Collective. x = M r, or (adjoint) M^H r; hard: steps have led nowhere, so each may cost more. */
typedef PetscErrorCode (*CospinPrecondition)(void *context, PetscBool adjoint, PetscBool hard, Vec r, Vec x);

typedef struct {
  Mat matrix;
  CospinPrecondition precondition;
  void *context;     /* of the preconditioner; borrowed */
  PetscBool adjoint; /* work with the Hermitian transpose of both */
  PetscBool nearest; /* look next to `target`; otherwise for the largest real part */
  PetscScalar target;
  const unsigned char *turned; /* labels that take a factor i, and A is real (cospin/operator/real_form.h);
                                  borrowed; NULL: it is complex */
  double norm;                 /* |A|, what residuals are relative to */
  double accepted;             /* a residual that will do where rounding lets it become no smaller */
  int max_steps;               /* for each eigenvalue */
  int basis;                   /* vectors of the basis at most: what memory allows (CospinCostBasis) */
  const CospinInterrupt *interrupt; /* checked in every step; borrowed, or NULL */
} CospinDavidsonOptions;

typedef struct CospinDavidson_ *CospinDavidson;

/* Collective. locked[num_locked]: orthonormal Schur vectors that are known. */
PetscErrorCode CospinDavidsonCreate(const CospinDavidsonOptions *options, int num_locked, const Vec locked[],
                                    CospinDavidson *davidson);
PetscErrorCode CospinDavidsonDestroy(CospinDavidson *davidson);

/*
   Collective. The next eigenvalue. start: a vector to begin with, or to add to the space that is there; it
   must have a part of every kind of vector that is looked for. Converged when the residual |A x - theta x| /
   |A| (on what is not locked) is below `tolerance` (in the end: `accepted`) or, if that is larger, `relative`
   |theta| / |A|. It will be found again, until it is locked. *vector is owned by the caller.
*/
PetscErrorCode CospinDavidsonNext(CospinDavidson davidson, Vec start, double tolerance, double relative,
                                  PetscScalar *value, Vec *vector, double *residual, PetscBool *converged);
/* Collective. Locks the Schur vector that was found last: the next search looks elsewhere. */
PetscErrorCode CospinDavidsonLock(CospinDavidson davidson, Vec vector);
/* Collective. Drops the basis, not what is locked: the next search begins anew. */
PetscErrorCode CospinDavidsonForget(CospinDavidson davidson);
/* Steps of all calls so far. */
int CospinDavidsonSteps(CospinDavidson davidson);

/* ---- What the searches of one eigensolver share (backend_davidson.c) ---- */

struct CospinEigensolver_;

/* How a back end searches. */
struct CospinDavidsonPolicy_ {
  /* Collective. Makes what inverts, of L - i centre where there is a choice. */
  PetscErrorCode (*Prepare)(struct CospinEigensolver_ *eigensolver, double centre);
  CospinPrecondition precondition; /* its context is the eigensolver */
  PetscBool nearest; /* next to i centre, so what is farther than what was seen is no mode that was missed;
                        otherwise for the largest real part */
  double tolerance;  /* residual of a mode: rounding is small where there is a matrix */
  int max_steps;     /* for each eigenvalue; -<task>_davidson_steps wins */
};
extern const CospinDavidsonPolicy CospinDavidsonBetweenJumps, CospinDavidsonIncomplete;

/* Collective. Makes what inverts, as the back end has it. */
PetscErrorCode CospinDavidsonPrepare(struct CospinEigensolver_ *eigensolver, double centre);
PetscErrorCode CospinDavidsonGetOptions(struct CospinEigensolver_ *eigensolver,
                                        CospinDavidsonOptions *options);
/* Collective. The k-th of many starts that have little to do with each other: of equal eigenvalues each shows
   one vector. */
PetscErrorCode CospinDavidsonStart(struct CospinEigensolver_ *eigensolver, int k, Vec *start);
/* Not collective. Its steps count as the eigensolver's. */
void CospinDavidsonNote(struct CospinEigensolver_ *eigensolver, CospinDavidson davidson);
