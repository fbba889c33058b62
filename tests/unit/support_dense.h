/*
   The brute-force reference: what a deck means, in 2^N x 2^N matrices and LAPACK.

   It defines the semantics of ensembles and shares nothing with the program but the deck's texts and the
   values of its parameters: it has its own reading of operator expressions, Kronecker products in place of
   moves, and no symmetry. For a few spins only. Not collective.

   Spin 0 is the first factor of the Kronecker product, spin up its first state; the spins of one component
   follow those of the component before it. A Liouvillian acts on the columns of rho below each other:
   vec(A rho B) = (B^T kron A) vec(rho).
*/
#pragma once
#include <complex.h>
#include <cospin/problem.h>

/* A square matrix, column after column. A result owns its elements (Dense_Free). */
typedef struct {
  int n;
  double complex *a;
} Dense;

static inline double complex *Dense_At(Dense m, int row, int column)
{
  return &m.a[(size_t)column * (size_t)m.n + (size_t)row];
}

Dense Dense_Zero(int n);
Dense Dense_Identity(int n, double complex factor);
void Dense_Free(Dense *m);
void Dense_Axpy(Dense y, double complex factor, Dense x); /* y += factor x */
Dense Dense_Product(Dense a, Dense b);
Dense Dense_Adjoint(Dense a);
Dense Dense_Kron(Dense a, Dense b);
double Dense_Norm(Dense a);                      /* largest sum of moduli in a row */
double complex Dense_Expect(Dense a, Dense rho); /* Tr(a rho) */

/* Number of spins of a component, of all. */
int Dense_Spins(CospinProblem problem, int component);
int Dense_All_Spins(CospinProblem problem);

/* The matrix of an operator expression: numbers, parameters, i, ( ) + - * ^ and hc; `spin` (of all) is the
   one that operators of one spin act on. A number is a multiple of the identity. */
Dense Dense_Operator(CospinProblem problem, const char text[], int spin);

/* The 4^N x 4^N generator of the deck. */
Dense Dense_Liouvillian(CospinProblem problem);

/* P = prod over components of (1/d_j) sum_i |j,m,i><j,m',i|, the basis element of a label. */
Dense Dense_Basis_Element(CospinProblem problem, const int label[]);

/* All eigenvalues; the matrix is left as it is. */
void Dense_Eigenvalues(Dense m, double complex values[]);
/* Number of singular values below 1e-11 of the largest, and the right null vector of the smallest (or NULL).
 */
int Dense_Nullity(Dense m, double complex null[]);
