/* Back ends of cospin/solver/eigensolver.h: each finds eigenvalues of one sector in its way. */
#pragma once
#include <cospin/solver/eigensolver.h>

/* Operations as of the functions of the same names in cospin/solver/eigensolver.h; all collective. */
struct CospinBackend_ {
  const char *name;
  PetscErrorCode (*Null)(CospinEigensolver eigensolver, int *num, Vec **null, double complex *next);
  PetscErrorCode (*LeftNull)(CospinEigensolver eigensolver, int *num, Vec **null);
  PetscErrorCode (*Slowest)(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                            PetscBool left, int *num, CospinMode modes[]);
  PetscErrorCode (*Draft)(CospinEigensolver eigensolver, double tolerance); /* NULL: there are none */
  const struct CospinDavidsonPolicy_ *davidson; /* how it searches by Davidson's method, if it does */
  PetscBool factors_see_more;                   /* where they fit, of modes that oscillate fast */
};

extern const CospinBackend CospinBackendDense, CospinBackendFactors, CospinBackendDavidson,
    CospinBackendMultigrid, CospinBackendIteration;

/* Null vectors of one sector that a search one after the other looks for. */
enum { COSPIN_MAX_NULL = 64 };

/* Collective. Whether multigrid is to be taken: a Metzler matrix of so many labels in a plane (PETSc's option
   -<task>_multigrid_least, or -multigrid_least) that factors take longer. */
PetscErrorCode CospinMultigridChoose(CospinEigensolver eigensolver, PetscBool *suits);

/* ---- Helpers of all of them ---- */

/* Collective. |L x - lambda x| / |L| for x of 2-norm 1. */
PetscErrorCode CospinEigensolverResidual(CospinEigensolver eigensolver, PetscScalar lambda, Vec x,
                                         double *residual);
/* Collective. A positive vector without a symmetry of the generator, so it has a part of every vector. */
PetscErrorCode CospinEigensolverIrregular(CospinEigensolver eigensolver, Vec *vector);
/* Collective. The identity: Tr x = trace^H x. */
PetscErrorCode CospinEigensolverTrace(CospinEigensolver eigensolver, Vec *trace);

/* How far the eigenvalue may be off: by what is rounded and what is left as residual, times its condition
   (|y| for |x| = y^H x = 1), and by no more than the root of it (a Jordan block). */
double CospinModeError(CospinEigensolver eigensolver, const CospinMode *mode, double condition);
/* Collective. Errors of modes without left vectors, all of an invariant space: where a residual is more than
   rounding, the right vectors show an eigenvalue to be sensitive, or it has few digits. The others stay as
   they are. */
PetscErrorCode CospinModesErrors(CospinEigensolver eigensolver, int num, CospinMode modes[]);
/* Not collective. Slowest first. Without left vectors the condition of an eigenvalue is not known, and
   conjugate ones differ by what the solver leaves. */
PetscErrorCode CospinModesSort(CospinEigensolver eigensolver, int num, CospinMode modes[]);

/* Whether two eigenvalues are so close that their vectors mix. */
PetscBool CospinModesEqual(CospinEigensolver eigensolver, const CospinMode *a, const CospinMode *b);
/* Collective. Left vectors of equal eigenvalues that span the right space are combined: Y <- Y G^-H with G =
   Y^H X, so that y_a^H x_b = delta_ab. (Of different ones that is so but for their errors, which a vector
   that is nearly orthogonal to its own right one would only multiply.) *ok is false if G is singular: a mode
   has another one's vector, or two are parallel. */
PetscErrorCode CospinModesDual(CospinEigensolver eigensolver, int num, CospinMode modes[], PetscBool *ok);

/* Collective. As CospinBackend.Slowest, by Davidson's method. */
PetscErrorCode CospinDavidsonSlowest(CospinEigensolver eigensolver, int count, int num_deflate, Vec deflate[],
                                     PetscBool left, int *num, CospinMode modes[]);

/* ---- Solves: factors or GMRES (factors), or by iteration without a matrix (davidson) ---- */

/* Collective. The solver of L - s, made when it is first needed. Borrowed. */
PetscErrorCode CospinFactorsSolver(CospinEigensolver eigensolver, KSP *ksp);
PetscErrorCode CospinFactorsApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y);
PetscErrorCode CospinFactorsResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                      Vec right, Vec left);
PetscErrorCode CospinDavidsonApplyInverse(CospinEigensolver eigensolver, Vec x, Vec y);
PetscErrorCode CospinDavidsonResolvent(CospinEigensolver eigensolver, double complex s, Vec b, Vec a,
                                       Vec right, Vec left);
/* Collective. x = (s - L)^-1 b, or (adjoint) (s - L)^-H b, by a solver with L - s. */
PetscErrorCode CospinSolveShifted(KSP ksp, PetscBool adjoint, Vec b, Vec x);
