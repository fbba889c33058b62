/*
   What an operator costs before anything is computed: memory and seconds of factors, of iterations, of
   products without a matrix. `plan`, the choice of a solver and the split into groups all ask here, so
   that they cannot disagree.

   Fill and work of sparse LU with nested dissection follow from the dimension d of the lattice of labels
   (A. George, SIAM J. Numer. Anal. 10, 345 (1973); for d > 2 separators have n^(1 - 1/d) labels):

        d = 2:  elements ~ n log n,         operations ~ n^(3/2)
        d > 2:  elements ~ n^(2 - 2/d),     operations ~ n^(3 - 3/d)

   The constants in front are measured; they hold to a factor of two or three, which is what the choices
   need.
*/
#include <cospin/operator/cost.h>
#include <stdlib.h>
#include <string.h>

/* Measured: one core, PETSc 3.18 complex, MUMPS 5.5, OpenBLAS; N = 124, 400 and 1000 of
   input/ions_fig10a.yaml (labels in a plane), and a maser of 10 and 14 spins with 45 Fock states (four
   dimensions); memory of two driven spins of length 4 and 6 without a symmetry (four dimensions). */
static const double plane_fill = 5.5, space_fill = 7.5, plane_seconds = 1.7e-8, space_seconds = 4e-10,
                    fill_bytes = 28.0;
static const double share_of_factors = 0.4;

CospinFactorCost CospinCostOfFactors(double n, int d)
{
  const double fill_exponent = d > 2 ? 2.0 - 2.0 / d : 1.0, work_exponent = d > 1 ? 3.0 - 3.0 / d : 1.0;
  CospinFactorCost cost;

  cost.elements = (d > 2 ? space_fill : plane_fill) * PetscPowReal(n, fill_exponent) *
                  (d == 2 ? PetscLog2Real(n + 2) : 1.0);
  cost.bytes = fill_bytes * cost.elements;
  cost.seconds = (d > 2 ? space_seconds : plane_seconds) * PetscPowReal(n, work_exponent);
  return cost;
}

/* MUMPS has its factors, fronts and buffers at the same time, and its estimate may fall short: factors may
 * take this share of the memory. */
double CospinCostToFactorise(double n, int d)
{
  return CospinCostOfFactors(n, d).bytes / share_of_factors;
}

PetscBool CospinCostFactorise(double n, int d, double bytes)
{
  return (PetscBool)(CospinCostToFactorise(n, d) < bytes);
}

/* `width` is the number of elements of a row: moves, about. */
double CospinCostOfIteration(double n, int width)
{
  static const double vectors = 220.0, matrices = 6.0, element_bytes = 20.0; /* GMRES and Krylov-Schur */

  return n * (vectors * 16.0 + matrices * element_bytes * width);
}

/* Few labels are factorised in less time than anybody notices, factors see more, and iterations that lead
   nowhere cost, too (two ensembles of five that precess: 600 steps for nothing, 0.9 s, beside factors of 0.2
   s, which are estimated at 1.6). */
static const double worthwhile = 3.0;

/* ILU(1) fills a row with what neighbours of neighbours share: measured, of masers (15 moves: 45 elements).
 */
static double incomplete_elements(int width)
{
  return width * (1.0 + width / 6.0);
}

CospinFactorCost CospinCostOfIncomplete(double n, int d, int width)
{
  /* Steps of a task: masers of 10 to 30 spins (d = 4), an ensemble driven beyond its threshold (d = 3). */
  static const double few_steps = 700.0, many_steps = 3000.0, element_seconds = 1.5e-9, vector_seconds = 6e-8,
                      vectors = 200.0, element_bytes = 20.0, matrices = 2.0;
  CospinFactorCost cost = {.elements = n * incomplete_elements(width)};

  cost.bytes = n * 16.0 * vectors + element_bytes * (cost.elements + matrices * n * width);
  cost.seconds =
      (d > 3 ? few_steps : many_steps) * (element_seconds * (cost.elements + n * width) + vector_seconds * n);
  return cost;
}

/* Measured with ensembles of 40 to 200 spins, driven at one to four times the critical strength: elements of
   the planes' factors a label 31, 44, 60, 66 at 12341, 91881, 708561, 1373701 labels; steps of a steady state
   and what is next to it 35, 60, 114 at 12341, 176851, 1373701. */
CospinFactorCost CospinCostOfPlanes(double n, int width)
{
  static const double elements = 6.9, filling = 0.16, steps = 3.0, lengthening = 0.26, sweeps = 2.0,
                      element_seconds = 1.5e-9, vector_seconds = 6e-9, vectors = 130.0, element_bytes = 8.0,
                      matrix_bytes = 20.0, matrices = 2.0;
  const double taken = steps * PetscPowReal(n, lengthening);
  CospinFactorCost cost = {.elements = elements * PetscPowReal(n, 1.0 + filling)};

  cost.bytes = n * (16.0 * vectors + matrices * matrix_bytes * width) + element_bytes * cost.elements;
  cost.seconds =
      taken * (element_seconds * (sweeps * cost.elements + 2.0 * n * width) + vector_seconds * n * taken);
  return cost;
}

PetscBool CospinCostIterate(double n, int d, int width, CospinFactorCost iteration, double bytes)
{
  static const int longest_row =
      60; /* rows of spins one by one: their incomplete factors are hardly sparse */
  static const double solves = 60.0, element_seconds = 4.5e-9, share = 0.8;
  const CospinFactorCost factors = CospinCostOfFactors(n, d);
  const double seconds = factors.seconds + solves * element_seconds * factors.elements;

  if (d < 3 || width > longest_row || !(iteration.bytes < share * bytes)) return PETSC_FALSE;
  if (!CospinCostFactorise(n, d, bytes)) return PETSC_TRUE;
  return (PetscBool)(seconds > worthwhile && iteration.seconds < seconds);
}

/* Of Davidson's method: two bases, V and A V, and what memory has room for. */
int CospinCostBasis(double n, double bytes)
{
  /* Bases of vectors may take this much of the memory; the rest is for the matrix and for factors. */
  static const double share_of_bases = 0.35;
  const double fits = share_of_bases * bytes / (2.0 * 16.0 * n);

  return (int)PetscMax(6.0, PetscMin(30.0, fits)); /* more hardly save steps, fewer hardly converge */
}

double CospinCostOfShell(double n, int basis)
{
  static const double others = 14.0, index_bytes = 60.0; /* eigenvectors, layouts; the sector, the scatters */

  return n * (16.0 * (basis + others) + index_bytes);
}

/* A new vector of a Krylov space: made orthogonal to those before it (at the speed of memory), and a message
   or two. */
static double seconds_of_vector(double n, int basis)
{
  /* A vector against all of a basis: memory traffic, and one reduction over the ranks. */
  static const double element_seconds = 2e-9, latency = 2e-5;

  return element_seconds * n * basis + latency;
}

double CospinCostOfProducts(double n, double nonzeros, double norm_times_end, int basis)
{
  /* Measured: products of a Krylov evolution for each unit of |L| t. */
  static const double products_per_norm = 0.7, nonzero_seconds = 5e-9;

  return (products_per_norm * norm_times_end + basis) *
         (nonzero_seconds * nonzeros + seconds_of_vector(n, basis));
}

double CospinCostOfSolves(double n, CospinFactorCost cost, int basis)
{
  /* Taken for an evolution over many decades: six factorisations, twelve Krylov spaces. */
  static const double factorisations = 6, spaces = 12, overhead = 1e-3, element_seconds = 4.5e-9;

  return factorisations * (cost.seconds + overhead) +
         spaces * basis * (element_seconds * cost.elements + seconds_of_vector(n, basis));
}

double CospinCostOfSector(CospinCount count)
{
  static const double node_bytes = 24.0, room = 1.5; /* a list that grows has room for more */

  return room * node_bytes * count.nodes;
}

/* Units are powers of 1024, as SLURM has them. */
double CospinCostBytes(const char text[])
{
  static const char units[] = "kMGT";
  char *end;
  double bytes = text ? strtod(text, &end) : 0.0;
  const char *unit = text && *end ? strchr(units, *end) : NULL;

  for (const char *u = units; unit && u <= unit; u++) bytes *= 1024.0;
  return bytes;
}
