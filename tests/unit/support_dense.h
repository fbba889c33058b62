/*
   The brute-force reference: what a deck means, in matrices of the whole Hilbert space and LAPACK.

   It defines the semantics of components and shares nothing with the program but the deck's texts and the
   values of its parameters: it has its own reading of operator expressions, Kronecker products in place of
   moves, and no symmetry. For a few levels only. Not collective.

   The first component is the first factor of the Kronecker product. An ensemble has 2^N states, its spin 0
   is the first factor, spin up its first state, and so have `spins`; `spin` and `mode` have their levels from
   the lowest one up, the mode's operators are cut off. `levels` have d^N states, atom 0 is the first factor.
   A Liouvillian acts on the columns of rho below each other: vec(A rho B) = (B^T kron A) vec(rho).
*/
#pragma once
#include <complex.h>
#include <cospin/problem/problem.h>

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

/* Number of spins of an ensemble or of `spins`; number of levels of a component; of all of them together. */
int Dense_Spins(CospinProblem problem, int component);
int Dense_Levels(CospinProblem problem, int component);
int Dense_Dimension(CospinProblem problem);

/* The matrix of an operator expression: numbers, parameters, i, ( ) + - * ^, dag and hc; `spin` (of its
   ensemble) is the one that operators of one spin act on. A number is a multiple of the identity. */
Dense Dense_Operator(CospinProblem problem, const char text[], int spin);

/* The generator of the deck, its dimension squared in both directions. */
Dense Dense_Liouvillian(CospinProblem problem);
/* Of the jumps with this name only rate A rho A^+. */
Dense Dense_Jumps(CospinProblem problem, const char name[]);

/* The basis element of a label: product over components of (1/d_j) sum_i |j,m,i><j,m',i|, |n><n'|, or
   that of symmetric states of atoms. */
Dense Dense_Basis_Element(CospinProblem problem, const int label[]);

/* All eigenvalues; the matrix is left as it is. */
void Dense_Eigenvalues(Dense m, double complex values[]);
/* Number of singular values below 1e-11 of the largest, and the right null vector of the smallest (or NULL).
 */
int Dense_Nullity(Dense m, double complex null[]);
/* x <- m^-1 x */
void Dense_Solve(Dense m, double complex x[]);
