/* A generator projected on a Krylov space of L, or of (1 - gamma L)^-1, and its exponential. Every rank's
   own: nothing is collective. */
#pragma once
#include <slepcfn.h>

enum { COSPIN_PROJECTED_MAX = 48 };

/* What an operator is on the first `size` vectors of the space. */
typedef struct {
  int size;
  double next;            /* h_m+1,m, 0 if the space is invariant */
  PetscScalar *projected; /* G, [size][size], or the Schur form of H ... */
  PetscScalar *vectors;   /* ... and its vectors */
} CospinProjection;

typedef struct {
  PetscScalar *hessenberg; /* [MAX + 1][MAX], column after column; the owner fills it */
  FN exponential;
  CospinProjection now, before; /* before: the projection made last, of a smaller space; size 0: none */
} CospinProjected;

PetscErrorCode CospinProjectedCreate(CospinProjected *projected);
PetscErrorCode CospinProjectedDestroy(CospinProjected *projected);

/* Column k of `hessenberg`. */
PetscScalar *CospinProjectedColumn(const CospinProjected *projected, int k);
/* A new space is begun: there is no projection before. */
void CospinProjectedForget(CospinProjected *projected);
/* On the first `size` vectors; what was before is kept. gamma 0: of L itself. */
PetscErrorCode CospinProjectedSet(CospinProjected *projected, int size, double gamma);

/*
   c[now.size] = exp(tau G) e_1, the same bits on every rank as far as G is. *last: what the residual is
   proportional to, c_m or (H^-1 c)_m. *largest: |tau G|, of what is not gone by then.
*/
PetscErrorCode CospinProjectedExponential(const CospinProjected *projected, double gamma, double tau,
                                          PetscScalar c[], PetscScalar *last, double *largest);
/*
   Error of beta V c relative to |c|, for |V| = 1. `image`: 2-norm of (1 - gamma L) v_m+1 (gamma > 0).
   Infinite if the small exponential overflows. *largest as above.
*/
PetscErrorCode CospinProjectedError(const CospinProjected *projected, double gamma, double tau, double image,
                                    double *relative, double *largest);
