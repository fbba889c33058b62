/*
   Eigenvalues of the generator on one sector, slowest first: all of them where the sector is small (LAPACK),
   else those next to zero, by shift-and-invert with factors (SLEPc), or without a matrix by Davidson's
   method.

   What is returned has been checked against the generator, not taken from the solver.
*/
#pragma once
#include <cospin/operator/nojump.h>
#include <cospin/problem/problem.h>
#include <cospin/solver/dense.h>
#include <cospin/solver/interrupt.h>
#include <cospin/solver/outcome.h>
#include <slepceps.h>

typedef struct {
  double complex lambda;
  double residual; /* |L x - lambda x| / (|L| |x|) */
  double error;    /* by which rounding of the matrix may have moved lambda; NaN: not known */
  Vec right;       /* L x = lambda x, 2-norm 1 */
  Vec left;        /* y^H L = lambda y^H, y^H x = 1; NULL unless asked for */
} CospinMode;

/* What has been done: factorisations, solves with factors (a left one counts as one), products with the
   generator of what iterates without them. LAPACK does none of these. */
typedef struct {
  int factorisations, solves, products;
} CospinWork;

typedef struct CospinEigensolver_ *CospinEigensolver;
typedef struct CospinBackend_ CospinBackend;

struct CospinEigensolver_ {
  MPI_Comm comm;
  const CospinSystem *system; /* borrowed */
  CospinMoves generator;      /* borrowed */
  CospinSector sector;
  Mat liouvillian;
  const CospinBackend *backend; /* src/solver/backend.h */
  double norm;                  /* infinity norm of L */
  double scale;       /* largest column sum of the moduli of the terms that its elements are sums of */
  double resolution;  /* eigenvalues of smaller modulus count as zero: rounding of matrix and solves */
  double separation;  /* of the null vectors counted last from all else: a perturbation of L turns them by its
                         size over this; NaN: not known */
  double shift;       /* eigenvalues nearest to shift + i centre are found first; positive */
  double first_shift; /* what it was to begin with, where null vectors are looked for */
  double centre;      /* mean frequency of the sector, as an imaginary part of eigenvalues */
  double horizon;     /* of the last CospinEigensolverSlowest: a slower mode that was missed has |Im lambda -
                         centre| > horizon */
  double next;        /* modulus of the eigenvalue that follows the null vectors counted last; 0: unknown */
  PetscBool metzler;  /* no negative off-diagonal element, and real: checked element by element */
  PetscBool has_trace; /* holds diagonal elements, so zero is an eigenvalue */
  PetscInt64 nonzeros;
  PetscInt width;      /* most elements in a row or column: number of moves */
  int mesh_dimension;  /* of the lattice of labels */
  PetscBool iterative; /* factors would not fit: GMRES */
  int basis;           /* vectors that memory has room for, of Davidson and of solutions without factors */
  PetscBool
      davidson; /* nor a matrix, or it has long rows: solves by iteration (src/solver/backend_davidson.c) */
  CospinDense dense;   /* of the dense solver, the same on all ranks; size 0 until it is needed */
  Mat shell;           /* Davidson: `liouvillian`, or the same generator without a matrix; else NULL */
  CospinNoJump nojump; /* of `shell`; NULL while there is none */
  struct CospinIteration_
      *iteration; /* of L - i iteration_centre (src/solver/backend_iteration.c); or NULL */
  double iteration_centre;
  unsigned char *turned; /* of its labels on this rank, in which phases L is real; NULL: in none. Owned */
  PetscBool real_form_known;
  PetscInt num_planes, *planes; /* [num_planes + 1] where its planes begin (cospin/operator/planes.h); NULL:
                                   it is no pile of them, or they have not been asked for. Owned */
  Vec near;       /* nearly a null vector with a trace, what iterations begin with; NULL: none. Owned */
  double reached; /* residual that a Davidson search ended with, good or not; NaN: none */
  PetscInt subspace, max_iterations; /* of the eigensolver for one vector; of any run of it */
  char *prefix;
  EPS eps; /* holds the factors; NULL while there are none */
  int iterations;
  CospinWork work;    /* but for what `eps` and `iteration` have done so far: CospinEigensolverWork */
  PetscBool factored; /* the factors of `eps` are those of its shift */
  PetscBool real_factors, complex_shifts; /* `eps` has real ones; they must not be any more */
  CospinOutcome outcome;
  const CospinInterrupt *interrupt;   /* borrowed; NULL: nothing ends a solve early */
  struct CospinEigensolvers_ *living; /* the list that it is in */
  struct CospinEigensolver_ *following;
};

/* Eigensolvers that have not been destroyed, from which those can be that an error has left behind, and what
   ends their solves early. */
typedef struct CospinEigensolvers_ {
  CospinEigensolver first;
  CospinWork done;                  /* of those that have been destroyed */
  const CospinInterrupt *interrupt; /* borrowed, or NULL */
} CospinEigensolvers;

/* Collective. Assembles the sector of `representative` and sets the solver up; PETSc options of the solver
   start with `prefix`. *spectrum is NULL if the sector is empty. *living (or NULL): the list that it joins;
   every solve is left by an error, COSPIN_INTERRUPTED, when the list's interrupt says so. */
PetscErrorCode CospinEigensolverCreate(MPI_Comm comm, CospinProblem problem, const int representative[],
                                       const char prefix[], CospinEigensolvers *living,
                                       CospinEigensolver *eigensolver);
PetscErrorCode CospinEigensolverDestroy(CospinEigensolver *eigensolver);
/* Collective. From now on by factors where they fit: iterations see fewer modes that oscillate. */
PetscErrorCode CospinEigensolverLookFar(CospinEigensolver eigensolver);
/* Collective. Frees the factorisation, which is most of the memory; the next solve makes it anew. */
PetscErrorCode CospinEigensolverRelease(CospinEigensolver eigensolver);

/* Not collective, the same on all ranks. All that has been done since `before` (NULL: ever) by those that
   live and those that did. */
PetscErrorCode CospinEigensolversWork(const CospinEigensolvers *living, const CospinWork *before,
                                      CospinWork *work);

/* Collective. sum_j c_j |x_j|, c_j the sum of the moduli of the terms that meet in column j of L (without a
   matrix the largest of them): L x is not known better than to some eps times this. */
PetscErrorCode CospinEigensolverWeigh(CospinEigensolver eigensolver, Vec x, double *weighed);

/* Collective. y = (L - s)^-1 x with the factors of the eigensolver, s whatever its shift is now. */
PetscErrorCode CospinEigensolverApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y);

/* Collective. Improves eigensolver->near to a residual of `tolerance`, and makes it if there is none: for
   whoever wants to know soon whether a window is large enough. CospinEigensolverNull goes on from there.
   Nothing is done, and `near` is NULL, where null vectors are not iterated for. */
PetscErrorCode CospinEigensolverDraft(CospinEigensolver eigensolver, double tolerance);

/*
   Collective. All null vectors of L; without LAPACK one after the other, each found with those before it
   deflated, until the next eigenvalue is above the resolution: so degenerate ones are counted although a
   Krylov space built on one vector sees only one of them. *null (NULL if there is none): to be freed with
   VecDestroyVecs(num, null); next: the slowest or nearest eigenvalue after them (NaN + NaN i: there is none).
   eigensolver->outcome is not good if there may be more of them.
*/
PetscErrorCode CospinEigensolverNull(CospinEigensolver eigensolver, int *num, Vec **null,
                                     double complex *next);

/* Collective. The same for y^H L = 0: the conserved quantities of the sector, Tr(Y^+ rho) does not change. */
PetscErrorCode CospinEigensolverLeftNull(CospinEigensolver eigensolver, int *num, Vec **null);

/*
   Collective. The `count` slowest eigenvalues (largest real part first) among those nearest to the shift,
   `deflate`, all null vectors or none, excluded. modes[]: owned by the caller (CospinModesDestroy), *num of
   them converged. eigensolver->outcome tells about trouble.
*/
PetscErrorCode CospinEigensolverSlowest(CospinEigensolver eigensolver, int count, int num_deflate,
                                        Vec deflate[], PetscBool left, int *num, CospinMode modes[]);
/* Whether a mode keeps oscillating: its rate is within its error of zero, its frequency is not. */
PetscBool CospinModeLasts(CospinEigensolver eigensolver, const CospinMode *mode);
PetscErrorCode CospinModesDestroy(int num, CospinMode modes[]);

/*
   Collective. right = (s - L)^-1 b and left = (s - L)^-H a, from one factorisation (or two iterations). The
   symbolic part of the factorisation is kept from one s to the next. Eigenvalues are not looked for on the
   same spectrum afterwards.
*/
PetscErrorCode CospinEigensolverResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                          Vec right, Vec left);

/*
   Collective. Rigorous bracket of the eigenvalue of largest real part of a Metzler matrix (Collatz-Wielandt),
   from any vector near its left eigenvector (`left`; it is improved by solves, a good start saves some of
   them): for any y > 0, min_i (y^T L)_i/y_i <= lambda <= max_i (y^T L)_i/y_i. The bounds are widened by the
   rounding errors of the ratios. Both NaN where L is not Metzler or y is not positive.
*/
PetscErrorCode CospinEigensolverBracket(CospinEigensolver eigensolver, Vec left, double *lower,
                                        double *upper);
