/*
   Hermite normal form, one vector at a time: a new vector is reduced against the rows from left to right by
   Euclid's algorithm on their common pivot column, until it is zero or becomes a row of its own.

   The lattice is the set of all integer combinations of the vectors that were added. In Hermite normal form
   the rows are a basis with pivots in ascending columns, entries above a pivot reduced modulo it; such a
   basis is unique, so two generators that connect the same labels have the same rows. Reducing a label by the
   rows gives the one representative of its coset (H. Cohen, A Course in Computational Algebraic Number Theory
   (1993), section 2.4).
*/
#include <cospin/problem/lattice.h>

enum { MAX_DIMENSION = 256 };

struct CospinLattice_ {
  int dimension, rank;
  int *rows;  /* [dimension][dimension], the first `rank` are in use */
  int *pivot; /* [rank] */
};

PetscErrorCode CospinLatticeCreate(int dimension, CospinLattice *lattice)
{
  CospinLattice new;

  PetscFunctionBeginUser;
  PetscCheck(dimension <= MAX_DIMENSION, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "A lattice of %d coordinates (at most %d)", dimension, MAX_DIMENSION);
  PetscCall(PetscNew(&new));
  new->dimension = dimension;
  PetscCall(PetscCalloc2((size_t)dimension * (size_t)dimension, &new->rows, dimension, &new->pivot));
  *lattice = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLatticeDestroy(CospinLattice *lattice)
{
  PetscFunctionBeginUser;
  if (!*lattice) PetscFunctionReturn(0);
  PetscCall(PetscFree2((*lattice)->rows, (*lattice)->pivot));
  PetscCall(PetscFree(*lattice));
  PetscFunctionReturn(0);
}

int CospinLatticeDimension(CospinLattice lattice)
{
  return lattice->dimension;
}

int CospinLatticeRank(CospinLattice lattice)
{
  return lattice->rank;
}

const int *CospinLatticeRow(CospinLattice lattice, int r, int *pivot)
{
  *pivot = lattice->pivot[r];
  return lattice->rows + r * lattice->dimension;
}

/* Remainders must not be negative. */
static int floor_div(int a, int b)
{
  const int q = a / b;

  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

/* All coordinates, also those before the pivot: they are zero in `from`. */
static void subtract_multiple(int dimension, int factor, const int from[], int vector[])
{
  for (int i = 0; i < dimension; i++) vector[i] -= factor * from[i];
}

/* The column of the pivot; the dimension if the vector is zero. */
static int first_nonzero(int dimension, const int vector[])
{
  int i = 0;

  while (i < dimension && vector[i] == 0) i++;
  return i;
}

/* Euclid on column `p`: row keeps the greatest common divisor, vector gets a zero there. */
static void euclid(int dimension, int p, int row[], int vector[])
{
  while (vector[p] != 0) {
    subtract_multiple(dimension, floor_div(row[p], vector[p]), vector, row);
    for (int i = 0; i < dimension; i++) {
      const int swap = row[i];
      row[i] = vector[i];
      vector[i] = swap;
    }
  }
  if (row[p] < 0) {
    for (int i = 0; i < dimension; i++) row[i] = -row[i];
  }
}

/* Pivots are positive by convention, so that remainders modulo them are. */
static void insert_row(CospinLattice lattice, int at, int p, const int vector[])
{
  const int n = lattice->dimension, sign = vector[p] < 0 ? -1 : 1;

  for (int r = lattice->rank; r > at; r--) {
    for (int i = 0; i < n; i++) lattice->rows[r * n + i] = lattice->rows[(r - 1) * n + i];
    lattice->pivot[r] = lattice->pivot[r - 1];
  }
  for (int i = 0; i < n; i++) lattice->rows[at * n + i] = sign * vector[i];
  lattice->pivot[at] = p;
  lattice->rank++;
}

/* Makes the basis unique: 0 <= entry above a pivot < pivot. */
static void reduce_above(CospinLattice lattice)
{
  const int n = lattice->dimension;

  for (int r = 0; r < lattice->rank; r++) {
    const int *row = lattice->rows + r * n, p = lattice->pivot[r];
    for (int above = 0; above < r; above++) {
      int *target = lattice->rows + above * n;
      subtract_multiple(n, floor_div(target[p], row[p]), row, target);
    }
  }
}

/* A vector that lies in the lattice already becomes zero on the way. */
PetscErrorCode CospinLatticeAdd(CospinLattice lattice, const int vector[])
{
  const int n = lattice->dimension;
  int *rest, p, r = 0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &rest));
  PetscCall(PetscArraycpy(rest, vector, n));
  while ((p = first_nonzero(n, rest)) < n) {
    while (r < lattice->rank && lattice->pivot[r] < p) r++;
    if (r == lattice->rank || lattice->pivot[r] > p) {
      insert_row(lattice, r, p, rest);
      break;
    }
    euclid(n, p, lattice->rows + r * n, rest);
  }
  reduce_above(lattice);
  PetscCall(PetscFree(rest));
  PetscFunctionReturn(0);
}

/* The representative of a label's coset: two labels lie in the same sector if it is the same. */
void CospinLatticeReduce(CospinLattice lattice, int label[])
{
  for (int r = 0; r < lattice->rank; r++) {
    int p;
    const int *row = CospinLatticeRow(lattice, r, &p);
    subtract_multiple(lattice->dimension, floor_div(label[p], row[p]), row, label);
  }
}

PetscBool CospinLatticeContains(CospinLattice lattice, const int vector[])
{
  int rest[MAX_DIMENSION];

  for (int i = 0; i < lattice->dimension; i++) rest[i] = vector[i];
  CospinLatticeReduce(lattice, rest);
  return (PetscBool)(first_nonzero(lattice->dimension, rest) == lattice->dimension);
}
