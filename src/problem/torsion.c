/*
   Torsion of the quotient Z^n / lattice, prime by prime.

     a combination sum_r c_r row_r of basis rows that is p times an integer vector v, c not 0 modulo p, shows
     that v has order p modulo the lattice: v is added, which makes the index p times smaller
     once no prime divides a pivot that way, the lattice holds every vector some multiple of which lay in it

   H. Cohen, A Course in Computational Algebraic Number Theory (1993), section 2.4.

   Torsion means: there are labels of which a multiple lies in the lattice and they themselves do not, so that
   cosets exist which no sum of excitations tells apart. Example: a two-photon
   drive of a mode moves (n, n') by (2, 0) and (0, 2), so that parity is conserved on both sides, and the
   vectors (0, 0), (1, 0), (0, 1), (1, 1) stand for the cosets.
*/
#include <cospin/problem/lattice.h>

/* Between 0 and p - 1, also of negative numbers. */
static int modulo(int a, int p)
{
  return a % p < 0 ? a % p + p : a % p;
}

/* By trial: p is at most the largest pivot, a small number. */
static int inverse_modulo(int a, int p)
{
  int x = 1;

  while (modulo(a * x, p) != 1) x++;
  return x;
}

/* Gauss modulo p of rows[rank][n + rank], the identity behind each row: a row that becomes zero leaves its
   combination of the original ones behind. */
static PetscBool eliminate(int rank, int n, int p, int rows[], int *zero)
{
  const int width = n + rank;
  int top = 0;

  for (int column = 0; column < n && top < rank; column++) {
    int pivot = top;
    while (pivot < rank && rows[pivot * width + column] == 0) pivot++;
    if (pivot == rank) continue;
    for (int i = 0; i < width && pivot != top; i++) {
      const int swap = rows[pivot * width + i];
      rows[pivot * width + i] = rows[top * width + i];
      rows[top * width + i] = swap;
    }
    for (int r = top + 1; r < rank; r++) {
      const int factor = rows[r * width + column] * inverse_modulo(rows[top * width + column], p);
      for (int i = 0; i < width && factor; i++)
        rows[r * width + i] = modulo(rows[r * width + i] - factor % p * rows[top * width + i], p);
    }
    top++;
  }
  *zero = top;
  return (PetscBool)(top < rank);
}

/* vector = 1/p of a combination of rows, if there is one that p divides. */
static PetscErrorCode divide(CospinLattice lattice, int p, int vector[], PetscBool *found)
{
  const int n = CospinLatticeDimension(lattice), rank = CospinLatticeRank(lattice), width = n + rank;
  int *rows, zero, pivot;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)rank * (size_t)width, &rows));
  for (int r = 0; r < rank; r++) {
    const int *row = CospinLatticeRow(lattice, r, &pivot);
    for (int i = 0; i < n; i++) rows[r * width + i] = modulo(row[i], p);
    rows[r * width + n + r] = 1;
  }
  *found = eliminate(rank, n, p, rows, &zero);
  PetscCall(PetscArrayzero(vector, n));
  for (int r = 0; r < rank && *found; r++) {
    const int *row = CospinLatticeRow(lattice, r, &pivot), factor = rows[zero * width + n + r];
    for (int i = 0; i < n; i++) vector[i] += factor * row[i];
  }
  for (int i = 0; i < n && *found; i++) vector[i] /= p;
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(0);
}

/* By trial division, for the same reason. */
static PetscBool is_prime(int p)
{
  for (int d = 2; d * d <= p; d++) {
    if (p % d == 0) return PETSC_FALSE;
  }
  return (PetscBool)(p > 1);
}

/* The index of the lattice is the product of its pivots, so only their prime factors can matter. */
static PetscBool divides_pivot(CospinLattice lattice, int p)
{
  for (int r = 0; r < CospinLatticeRank(lattice); r++) {
    int pivot;
    const int *row = CospinLatticeRow(lattice, r, &pivot);
    if (row[pivot] % p == 0) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static int largest_pivot(CospinLattice lattice)
{
  int largest = 1, pivot;

  for (int r = 0; r < CospinLatticeRank(lattice); r++)
    largest = PetscMax(largest, CospinLatticeRow(lattice, r, &pivot)[pivot]);
  return largest;
}

/* All vectors of which a multiple lies in the lattice. Prime by prime, since a pivot may hold several
 * factors. */
static PetscErrorCode saturate(CospinLattice lattice, CospinLattice *saturated)
{
  const int n = CospinLatticeDimension(lattice), largest = largest_pivot(lattice);
  int *vector, pivot;

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(n, saturated));
  for (int r = 0; r < CospinLatticeRank(lattice); r++)
    PetscCall(CospinLatticeAdd(*saturated, CospinLatticeRow(lattice, r, &pivot)));
  PetscCall(PetscMalloc1((size_t)n, &vector));
  for (int p = 2; p <= largest; p++) {
    PetscBool found = PETSC_TRUE;
    while (is_prime(p) && divides_pivot(*saturated, p) && found) {
      PetscCall(divide(*saturated, p, vector, &found));
      if (found) PetscCall(CospinLatticeAdd(*saturated, vector));
    }
  }
  PetscCall(PetscFree(vector));
  PetscFunctionReturn(0);
}

/* Appends label + row, reduced, unless it is there. */
static PetscErrorCode append_sum(CospinLattice lattice, const int row[], int from, int *num, int **vectors)
{
  const int n = CospinLatticeDimension(lattice);
  PetscBool same = PETSC_FALSE;
  int *sum;

  PetscFunctionBeginUser;
  PetscCall(PetscRealloc(sizeof(int) * (size_t)(*num + 1) * (size_t)n, vectors));
  sum = *vectors + *num * n;
  for (int i = 0; i < n; i++) sum[i] = (*vectors)[from * n + i] + row[i];
  CospinLatticeReduce(lattice, sum);
  for (int k = 0; k < *num && !same; k++) PetscCall(PetscArraycmp(sum, *vectors + k * n, n, &same));
  if (!same) (*num)++;
  PetscFunctionReturn(0);
}

/* The quotient of the saturated lattice by the lattice is finite: from 0, its rows are added again and again
   until no new coset appears. */
PetscErrorCode CospinLatticeTorsion(CospinLattice lattice, int *num, int **vectors)
{
  const int n = CospinLatticeDimension(lattice);
  CospinLattice saturated;
  int pivot;

  PetscFunctionBeginUser;
  PetscCall(saturate(lattice, &saturated));
  PetscCall(PetscMalloc1((size_t)n, vectors));
  PetscCall(PetscArrayzero(*vectors, n));
  *num = 1;
  for (int k = 0; k < *num; k++) {
    for (int r = 0; r < CospinLatticeRank(saturated); r++)
      PetscCall(append_sum(lattice, CospinLatticeRow(saturated, r, &pivot), k, num, vectors));
  }
  PetscCall(CospinLatticeDestroy(&saturated));
  PetscFunctionReturn(0);
}
