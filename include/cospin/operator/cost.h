/*
   What a factorisation costs, before it is made. Rough (a factor of two), from the dimension d of the lattice
   of labels: nested dissection of a d-dimensional mesh of n labels fills n log n (d = 2) or n^(2-2/d)
   elements at a cost of n^(3-3/d) (George, SIAM J. Numer. Anal. 10, 345 (1973)); the factors in front were
   measured with MUMPS 5.5.
*/
#pragma once
#include <cospin/problem/census.h>

typedef struct {
  double elements; /* of the factors */
  double bytes;    /* while they are made, all ranks together */
  double seconds;  /* on one core */
} CospinFactorCost;

CospinFactorCost CospinCostOfFactors(double n, int d);

/*
   Whether factors of n labels in d dimensions are to be made at all: they may take 0.4 of the memory of the
   ranks that make them (rightly estimated to a factor of two). Beyond that, equations are solved by
   iteration.
*/
PetscBool CospinCostFactorise(double n, int d, double bytes);
/* How much memory the ranks must have for these factors to be made. */
double CospinCostToFactorise(double n, int d);

/* Bytes of an iterative solution (src/solver/eigensolver.c) with n labels and `width` elements a row: bases
   and an incomplete factorisation. */
double CospinCostOfIteration(double n, int width);

/* The same with GMRES and incomplete factors of L (src/solver/iteration.c), `width` elements a row: elements
   of these, bytes with the vectors of all bases, seconds of a task on one core. */
CospinFactorCost CospinCostOfIncomplete(double n, int d, int width);
/* The same of sectors that are piles of planes (cospin/operator/planes.h). */
CospinFactorCost CospinCostOfPlanes(double n, int width);
/*
   Whether eigenvectors are found by iterations that cost so much: where factors do not fit, or take more than
   some seconds and longer than iterations would. Not where labels lie in a plane (factors take less there),
   nor where rows are long.
*/
PetscBool CospinCostIterate(double n, int d, int width, CospinFactorCost iteration, double bytes);

/* Bytes of an enumerated sector (cospin/problem/sector.h). Every rank has all of it. */
double CospinCostOfSector(CospinCount count);

/* A number of bytes, with k, M, G or T (powers of 1024) behind it; 0 if the text (or NULL) is none. */
double CospinCostBytes(const char text[]);

/* Bytes of products without a matrix and of what solves with them: a basis and its images, which take what
   there is (src/solver/davidson.c) or `basis` vectors, and some ten vectors beside them on one rank or two.
 */
double CospinCostOfShell(double n, int basis);
/* Seconds of an evolution by Krylov spaces of `basis` vectors: with products, |L| t of them about, or with
   solves of such factors, whose number does not depend on t (some factorisations and spaces). */
double CospinCostOfProducts(double n, double nonzeros, double norm_times_end, int basis);
double CospinCostOfSolves(double n, CospinFactorCost cost, int basis);
/* How many vectors of n labels a basis may hold with as many images, of ranks with so much memory. */
int CospinCostBasis(double n, double bytes);
