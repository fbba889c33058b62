/*
   The generator as a distributed matrix on one sector, and vectors on it.

   Element (y, x) is the amplitude with which the generator takes basis element x to y, so d rho/dt = L rho
   with rho the vector of coefficients. Every rank holds a block of rows and finds them by itself: a row's
   sources are label - shift for every move, so nothing is communicated.
*/
#pragma once
#include <cospin/operator/cost.h>
#include <cospin/problem/problem.h>
#include <petscmat.h>

/* Collective. The generator on one sector as an AIJ matrix with exactly preallocated rows; the diagonal is
 * always stored. */
PetscErrorCode CospinLiouvillianCreate(MPI_Comm comm, CospinMoves generator, CospinSector sector,
                                       Mat *liouvillian);

/* Not collective. The same as a dense matrix values[row + n*column], n the dimension of the sector. */
PetscErrorCode CospinLiouvillianDense(CospinMoves generator, CospinSector sector, PetscScalar values[]);

/*
   Collective. How large the numbers are whose sums the generator's elements are. With c_j the sum of the
   moduli of all terms of column j, before they cancel (one pass over the labels, a cost like assembly):
   *largest = max_j c_j, and *weighed = sum_j c_j |x_j| for a vector on the sector. An eigenvalue is not known
   better than to some eps times the first, L x not better than to eps times the second (1-norm).
*/
PetscErrorCode CospinLiouvillianScale(MPI_Comm comm, CospinMoves generator, CospinSector sector, Vec x,
                                      double *largest, double *weighed);

/* Collective. The same without a matrix: a MatShell of the same layout that multiplies (MatMult, its
   transpose and Hermitian transpose), knows its diagonal, and a bound of its infinity norm that is sharp
   unless terms cancel each other (MatNorm). `sector` and what `generator` is made of must outlive it. A
   product moves the vector, little more, and allocates nothing; its communication is planned here. */
PetscErrorCode CospinShellCreate(MPI_Comm comm, CospinMoves generator, CospinSector sector, Mat *liouvillian);

/* Not collective. Whether the eigenvectors of a sector of this dimension are found by GMRES with incomplete
   factors of its matrix: as cospin/operator/cost.h says, unless the deck wants no matrix. */
PetscBool CospinGeneratorIsIterated(CospinProblem problem, double dimension);
/* Not collective. What such iterations take in a sector of so many labels. */
CospinFactorCost CospinGeneratorIterationCost(CospinProblem problem, double dimension);
/* Not collective; nothing is enumerated. Whether the generator on a sector of this dimension is held without
   a matrix: as the deck's `operator` says, or (auto) where factors of it would not fit and its rows are long
   enough to be multiplied as such. */
PetscErrorCode CospinGeneratorIsShell(CospinProblem problem, const int representative[], double dimension,
                                      PetscBool *shell);
/* Not collective. Whether its eigenvectors are found by Davidson's method with what happens between jumps as
   preconditioner: without a matrix always, with one where auto would do without. */
PetscErrorCode CospinGeneratorIsDavidson(CospinProblem problem, const int representative[], double dimension,
                                         PetscBool *davidson);
/* Collective. One or the other of these. */
PetscErrorCode CospinGeneratorCreate(MPI_Comm comm, CospinProblem problem, CospinSector sector,
                                     Mat *liouvillian);

/* Collective. The same for a superoperator that takes one sector to another, such as rho -> A rho. Rows:
 * `to`, columns: `from`. */
PetscErrorCode CospinSuperoperatorCreate(MPI_Comm comm, CospinMoves moves, CospinSector from, CospinSector to,
                                         Mat *matrix);
/* Collective. *image = the superoperator applied to a vector on `from`; a new vector on `to`, owned by the
 * caller. */
PetscErrorCode CospinSuperoperatorApply(MPI_Comm comm, CospinMoves moves, CospinSector from, Vec x,
                                        CospinSector to, Vec *image);

/* Collective. values[k] = Tr(A_k rho) for a_rho[k] = rho -> A_k rho and a state on `sector`. */
PetscErrorCode CospinExpectations(CospinSector sector, Vec state, int num, const CospinMoves a_rho[],
                                  double complex values[]);

/* Collective. Tr rho, from the labels. */
PetscErrorCode CospinTraceOf(const CospinSystem *system, CospinSector sector, Vec state,
                             double complex *trace);
