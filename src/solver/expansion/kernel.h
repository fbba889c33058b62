/*
   The projection of one sector's generator on Gaussian x polynomials, in one of several precisions.

   Basis: rho = X(u) sum_k x_k P_k(u), tested with polynomials sum_l y_l P_l(u); u standard normal under X
   (centre.h), P orthonormal Hermite polynomials of total degree < degree, those of lower degree first, so
   that the functions of a lower degree are the first ones of a higher.
*/
#pragma once
#include "centre.h"
#include <cospin/solver/interrupt.h>

typedef struct CospinKernel_ *CospinKernel;
typedef struct CospinRegression_ *CospinRegression;

/* A bound of an error, and an estimate of it. */
typedef struct {
  double bound;   /* sum |x| |r| / |sum x y| */
  double product; /* sum |x - x'| |r| / |sum x y|, x' of a lower degree: what is left of it where x has
                     converged, too */
} CospinCertificate;

/* All of one precision. */
typedef struct {
  /* Collective on comm. M_lk = <L^T P_l, P_k>, its nodes shared out; the same on all ranks. symbol, gaussian
     and comm are borrowed. interrupt (may be NULL) is asked on the way: an error COSPIN_LEFT, the kernel must
     be destroyed all the same. traced: the same moves on the sector with a trace; NULL if this is it. */
  PetscErrorCode (*Create)(MPI_Comm comm, CospinSymbol symbol, CospinSymbol traced,
                           const CospinGaussian *gaussian, int degree, const CospinInterrupt *interrupt,
                           CospinKernel *kernel);
  PetscErrorCode (*Destroy)(CospinKernel *kernel);
  int (*Size)(CospinKernel kernel);
  /* What rounding may have done to the elements of M. */
  double (*Rounding)(CospinKernel kernel);
  /* Not collective. matrix[row + size*column] of M in double precision. */
  void (*Matrix)(CospinKernel kernel, double complex matrix[]);
  /* Not collective. x with M x = 0 and trace 1; M must be of the sector with a trace. *ok: not singular. */
  PetscErrorCode (*Steady)(CospinKernel kernel, PetscBool *ok);
  /* Not collective. The eigenvalue next to *lambda, with its right and left vectors x, y. */
  PetscErrorCode (*Eigen)(CospinKernel kernel, double complex *lambda, PetscBool *ok);
  /* Collective. Tr(A rho) of the steady state, for the symbol of rho -> A rho; y solves the adjoint equation
     L^T y = A^T 1 - Tr(A rho). */
  PetscErrorCode (*Expect)(CospinKernel kernel, CospinSymbol a, double complex *value, PetscBool *ok);
  /* Collective. <A^T y, x> - value <y, x> after Expect, which gave y and the value. */
  PetscErrorCode (*Second)(CospinKernel kernel, CospinSymbol a, double complex value, double complex *second);
  /* Collective. Of the last eigenvalue or (not NULL) the expectation value of `a`: the defect of the left
     side, r = (L^T y - lambda y) or (A^T 1 - Tr(A rho) - L^T y), at points drawn from X where labels exist.
     other: of a lower degree, whose x is compared. */
  PetscErrorCode (*Certify)(CospinKernel kernel, CospinSymbol a, double complex value, CospinKernel other,
                            CospinCertificate *certificate);
  /* Collective. C(t) = Tr(A exp(L t) B rho) - its limit, for the symbols of rho -> B rho, from the steady
     state of `traced` (after Steady) into the sector of `kernel` (the same one if that has a trace), and of
     rho -> A rho from there. Kernels are borrowed. */
  PetscErrorCode (*Regress)(CospinKernel traced, CospinKernel kernel, CospinSymbol perturbation,
                            CospinSymbol reading, CospinRegression *regression);
  PetscErrorCode (*DestroyRegression)(CospinRegression *regression);
  /* Not collective. int_0^infinity exp(-s t) C(t) dt, and its certificate (NULL: not wanted). before: the
     same of a lower degree, or NULL. *ok: s is no eigenvalue. */
  PetscErrorCode (*Transform)(CospinRegression regression, CospinRegression before, double complex s,
                              double complex *value, CospinCertificate *certificate, PetscBool *ok);
  /* Not collective. The same of C itself at times that ascend; once. before: has been evolved likewise.
     eigenvalues [num] of M choose the steps; *ok: they were not too many. */
  PetscErrorCode (*Evolve)(CospinRegression regression, CospinRegression before, int num,
                           const double complex eigenvalues[], int num_times, const double times[],
                           double complex values[], CospinCertificate certificates[], PetscBool *ok);
} CospinKernelOps;

/* From the fastest to the most precise. */
extern const CospinKernelOps CospinKernelDouble, CospinKernelLong, CospinKernelQuad;
