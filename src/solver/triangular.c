/*
   A PC of type shell: triangular factors, and which labels take a factor i so that a generator is real.

   A Hamiltonian enters a generator as -i (H rho - rho H), so its elements are imaginary beside the real ones
   of jumps, and i^-t_row A i^t_column is real if rows and columns have equal t for each real element and
   different ones for each imaginary one: a graph that has two colours, found by sets that are joined (each
   with the parity of the way to its root). A detuning on the diagonal has none.

   Factors only steer an iteration whose residuals are those of the matrix itself, so six digits of them do: a
   maser of 20 spins takes as many steps as with sixteen. Complete ones belong to matrices of some ten
   thousand labels in a plane (plane_sweeps.c), which are diagonally dominant enough to need no pivots; they
   are eliminated in an order that keeps them sparse.
*/
#include "triangular.h"
#include "pattern.h"

static const double tiny_pivot = 1e-12;

typedef struct {
  PetscInt size;
  PetscBool complete;
  PetscInt *order; /* of complete ones: which row of the matrix is eliminated k-th; else NULL */
  CospinPattern pattern;
  float *values;         /* of L (its diagonal is 1) and U */
  double *inverse;       /* of U's diagonal */
  unsigned char *turned; /* t_k */
  double *parts;         /* [size][2] of a right side, real and imaginary part */
} Triangular;

/* ---- Factors i ----------------------------------------------------------------------------------------- */

/* The root of k's set. parity[k] becomes that of the way from k to it, and parent[k] the root itself. */
static PetscInt find_root(PetscInt parent[], unsigned char parity[], PetscInt k)
{
  PetscInt root = k, next;
  unsigned char way = 0;

  while (parent[root] != root) {
    way ^= parity[root];
    root = parent[root];
  }
  for (; parent[k] != root && k != root; k = next) {
    const unsigned char rest = way ^ parity[k];
    next = parent[k];
    parent[k] = root;
    parity[k] = way;
    way = rest;
  }
  return root;
}

/* t_row + t_column must be `odd`; false if the sets know better. */
static PetscBool join(PetscInt parent[], unsigned char parity[], PetscInt row, PetscInt column,
                      unsigned char odd)
{
  const PetscInt a = find_root(parent, parity, row), b = find_root(parent, parity, column);
  const unsigned char between = parity[row] ^ parity[column] ^ odd;

  if (a == b) return (PetscBool)!between;
  parent[a] = b;
  parity[a] = between;
  return PETSC_TRUE;
}

/* turned[size]; *suits: each element is real or imaginary as it wants to be. */
static PetscErrorCode find_turned(const CospinRows *rows, unsigned char turned[], PetscBool *suits)
{
  PetscInt *parent;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->size, &parent));
  PetscCall(PetscArrayzero(turned, rows->size));
  for (PetscInt k = 0; k < rows->size; k++) parent[k] = k;
  *suits = PETSC_TRUE;
  for (PetscInt row = 0; row < rows->size && *suits; row++) {
    for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1] && *suits; e++) {
      const double re = PetscRealPart(rows->values[e]), im = PetscImaginaryPart(rows->values[e]);
      if (re == 0.0 && im == 0.0) continue;
      *suits =
          (PetscBool)((re == 0.0 || im == 0.0) && join(parent, turned, row, rows->columns[e], im != 0.0));
    }
  }
  for (PetscInt k = 0; k < rows->size; k++) (void)find_root(parent, turned, k);
  PetscCall(PetscFree(parent));
  PetscFunctionReturn(0);
}

/* i^-t_row A i^t_column */
static double real_element(const Triangular *factors, const CospinRows *rows, PetscInt row, PetscInt e)
{
  const unsigned char from = factors->turned[rows->columns[e]], to = factors->turned[row];

  if (from == to) return PetscRealPart(rows->values[e]);
  return to ? PetscImaginaryPart(rows->values[e]) : -PetscImaginaryPart(rows->values[e]);
}

/* ---- The factors --------------------------------------------------------------------------------------- */

/* Row after row; work[size] is zero before and after, marks tell which columns a row has. */
static void eliminate(Triangular *factors, const CospinRows *rows, PetscInt row, double work[],
                      PetscInt marks[])
{
  const PetscInt *begin = factors->pattern.begin, *upper = factors->pattern.upper,
                 *columns = factors->pattern.columns;
  double largest = 0.0;

  marks[row] = row;
  for (PetscInt e = begin[row]; e < begin[row + 1]; e++) marks[columns[e]] = row;
  for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++) {
    const double element = real_element(factors, rows, row, e);
    work[rows->columns[e]] += element;
    largest = PetscMax(largest, PetscAbsReal(element));
  }
  for (PetscInt e = begin[row]; e < upper[row]; e++) {
    const PetscInt k = columns[e];
    const double factor = work[k] *= factors->inverse[k];
    for (PetscInt f = upper[k]; f < begin[k + 1]; f++) {
      if (marks[columns[f]] == row) work[columns[f]] -= factor * (double)factors->values[f];
    }
  }
  for (PetscInt e = begin[row]; e < begin[row + 1]; e++) {
    factors->values[e] = (float)work[columns[e]];
    work[columns[e]] = 0.0;
  }
  /* A zero on the diagonal (nothing happens there but by jumps into it) must not end the iteration. */
  if (PetscAbsReal(work[row]) <= tiny_pivot * largest) work[row] = largest > 0 ? -largest : -1.0;
  factors->inverse[row] = 1.0 / work[row];
  work[row] = 0.0;
}

/* Of what a former matrix left. */
static PetscErrorCode free_factors(Triangular *factors)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPatternDestroy(&factors->pattern));
  PetscCall(PetscFree3(factors->inverse, factors->turned, factors->parts));
  PetscCall(PetscFree(factors->values));
  PetscCall(PetscFree(factors->order));
  PetscFunctionReturn(0);
}

static PetscErrorCode factorise(Triangular *factors, const CospinRows *rows)
{
  PetscInt *marks;
  PetscBool suits;
  double *work;

  PetscFunctionBeginUser;
  factors->size = rows->size;
  PetscCall(PetscMalloc3(rows->size, &factors->inverse, rows->size, &factors->turned, 2 * (size_t)rows->size,
                         &factors->parts));
  PetscCall(find_turned(rows, factors->turned, &suits));
  PetscCheck(suits, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Real factors of a matrix that is complex");
  if (factors->complete)
    PetscCall(CospinPatternComplete(rows, &factors->pattern));
  else
    PetscCall(CospinPatternIncomplete(rows, &factors->pattern));
  PetscCall(PetscMalloc1(factors->pattern.begin[rows->size], &factors->values));
  PetscCall(PetscMalloc1(rows->size, &marks));
  PetscCall(PetscCalloc1(rows->size, &work));
  for (PetscInt k = 0; k < rows->size; k++) marks[k] = -1;
  for (PetscInt row = 0; row < rows->size; row++) eliminate(factors, rows, row, work, marks);
  PetscCall(PetscFree(work));
  PetscCall(PetscFree(marks));
  PetscFunctionReturn(0);
}

/* Planes of driven ensembles of 100 spins, elements of their factors a label: approximate minimum degree 46
   (P. R. Amestoy, T. A. Davis, I. S. Duff, SIAM J. Matrix Anal. Appl. 17, 886 (1996)), reverse Cuthill-McKee
   202, PETSc's nested dissection 297. The first comes with SuiteSparse, which PETSc may have been built
   without. */
PetscErrorCode CospinTriangularOrdering(MatOrderingType *ordering)
{
  PetscErrorCode (*found)(Mat, MatOrderingType, IS *, IS *);

  PetscFunctionBeginUser;
  PetscCall(MatInitializePackage());
  PetscCall(PetscFunctionListFind(MatOrderingList, MATORDERINGAMD, &found));
  *ordering = found ? MATORDERINGAMD : MATORDERINGRCM;
  PetscFunctionReturn(0);
}

/* *ordered: the matrix with its rows and columns in an order that keeps factors sparse. */
static PetscErrorCode put_in_order(Triangular *factors, Mat matrix, Mat *ordered)
{
  MatOrderingType ordering;
  const PetscInt *indices;
  PetscInt size;
  IS rows, columns;

  PetscFunctionBeginUser;
  PetscCall(CospinTriangularOrdering(&ordering));
  PetscCall(MatGetOrdering(matrix, ordering, &rows, &columns));
  PetscCall(MatPermute(matrix, rows, rows, ordered));
  PetscCall(ISGetLocalSize(rows, &size));
  PetscCall(PetscMalloc1(size, &factors->order));
  PetscCall(ISGetIndices(rows, &indices));
  PetscCall(PetscArraycpy(factors->order, indices, size));
  PetscCall(ISRestoreIndices(rows, &indices));
  PetscCall(ISDestroy(&rows));
  PetscCall(ISDestroy(&columns));
  PetscFunctionReturn(0);
}

/* Anew for every matrix; nothing is kept from one that had the same places, since finding those takes a tenth
   of the time. */
static PetscErrorCode set_up(PC pc)
{
  Triangular *factors;
  CospinRows rows;
  Mat matrix;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(free_factors(factors));
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  if (factors->complete)
    PetscCall(put_in_order(factors, matrix, &matrix));
  else
    PetscCall(PetscObjectReference((PetscObject)matrix));
  PetscCall(CospinRowsGet(matrix, &rows));
  PetscCall(factorise(factors, &rows));
  PetscCall(CospinRowsRestore(matrix, &rows));
  PetscCall(MatDestroy(&matrix));
  PetscFunctionReturn(0);
}

/* ---- Solves -------------------------------------------------------------------------------------------- */

/* x = U^-1 L^-1 x for `width` right sides at once, x[size][width]: the factors, which are what takes time,
   are read once. Called with a number, so that the compiler makes a loop of each. */
static inline void sweep(const Triangular *factors, double x[], const int width)
{
  const PetscInt *begin = factors->pattern.begin, *upper = factors->pattern.upper,
                 *columns = factors->pattern.columns;
  const float *values = factors->values;
  double sum[2];

  for (PetscInt row = 0; row < factors->size; row++) {
    for (int p = 0; p < width; p++) sum[p] = x[row * width + p];
    for (PetscInt e = begin[row]; e < upper[row]; e++)
      for (int p = 0; p < width; p++) sum[p] -= (double)values[e] * x[columns[e] * width + p];
    for (int p = 0; p < width; p++) x[row * width + p] = sum[p];
  }
  for (PetscInt row = factors->size - 1; row >= 0; row--) {
    for (int p = 0; p < width; p++) sum[p] = x[row * width + p];
    for (PetscInt e = upper[row]; e < begin[row + 1]; e++)
      for (int p = 0; p < width; p++) sum[p] -= (double)values[e] * x[columns[e] * width + p];
    for (int p = 0; p < width; p++) x[row * width + p] = sum[p] * factors->inverse[row];
  }
}

/* x = L^-T U^-T x likewise. */
static inline void sweep_transposed(const Triangular *factors, double x[], const int width)
{
  const PetscInt *begin = factors->pattern.begin, *upper = factors->pattern.upper,
                 *columns = factors->pattern.columns;
  const float *values = factors->values;
  double known[2];

  for (PetscInt row = 0; row < factors->size; row++) {
    for (int p = 0; p < width; p++) known[p] = x[row * width + p] *= factors->inverse[row];
    for (PetscInt e = upper[row]; e < begin[row + 1]; e++)
      for (int p = 0; p < width; p++) x[columns[e] * width + p] -= (double)values[e] * known[p];
  }
  for (PetscInt row = factors->size - 1; row >= 0; row--) {
    for (int p = 0; p < width; p++) known[p] = x[row * width + p];
    for (PetscInt e = begin[row]; e < upper[row]; e++)
      for (int p = 0; p < width; p++) x[columns[e] * width + p] -= (double)values[e] * known[p];
  }
}

/* A row's place in the matrix. */
static inline PetscInt place_of(const Triangular *factors, PetscInt row)
{
  return factors->order ? factors->order[row] : row;
}

/* What a right side needs: of factors that are real only its real part (the first) or only its imaginary one,
   in the phases of the factors, or both. */
typedef enum { FIRST, SECOND, BOTH } Needed;

static Needed parts_of(const Triangular *factors, const PetscScalar b[])
{
  double first = 0.0, second = 0.0;

  for (PetscInt row = 0; row < factors->size; row++) {
    const PetscScalar element = b[place_of(factors, row)];
    const double re = PetscAbsReal(PetscRealPart(element)), im = PetscAbsReal(PetscImaginaryPart(element));
    first += factors->turned[row] ? im : re;
    second += factors->turned[row] ? re : im;
  }
  if (second == 0.0) return FIRST;
  return first == 0.0 ? SECOND : BOTH;
}

/* x = i^-t b, or (transposed) i^t b: a part, or both, x[size][2]. */
static void turn_in(const Triangular *factors, PetscBool transposed, Needed needed, const PetscScalar b[],
                    double x[])
{
  const double sign = transposed ? -1.0 : 1.0;

  for (PetscInt row = 0; row < factors->size; row++) {
    const PetscScalar element = b[place_of(factors, row)];
    const double re = PetscRealPart(element), im = PetscImaginaryPart(element),
                 first = factors->turned[row] ? sign * im : re,
                 second = factors->turned[row] ? -sign * re : im;
    if (needed == BOTH) {
      x[2 * row] = first;
      x[2 * row + 1] = second;
    } else {
      x[row] = needed == FIRST ? first : second;
    }
  }
}

/* out = i^t x, or (transposed) i^-t x */
static void turn_out(const Triangular *factors, PetscBool transposed, Needed needed, const double x[],
                     PetscScalar out[])
{
  const double sign = transposed ? -1.0 : 1.0;

  for (PetscInt row = 0; row < factors->size; row++) {
    const double first = needed == BOTH    ? x[2 * row]
                         : needed == FIRST ? x[row]
                                           : 0.0,
                 second = needed == BOTH     ? x[2 * row + 1]
                          : needed == SECOND ? x[row]
                                             : 0.0;
    out[place_of(factors, row)] =
        factors->turned[row] ? PetscCMPLX(-sign * second, sign * first) : PetscCMPLX(first, second);
  }
}

static PetscErrorCode solve(PC pc, PetscBool transposed, Vec b, Vec x)
{
  const PetscScalar *in;
  PetscScalar *out;
  Triangular *factors;
  double *parts;
  Needed needed;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  parts = factors->parts;
  PetscCall(VecGetArrayRead(b, &in));
  needed = parts_of(factors, in);
  turn_in(factors, transposed, needed, in, parts);
  PetscCall(VecRestoreArrayRead(b, &in));
  if (transposed && needed != BOTH) sweep_transposed(factors, parts, 1);
  if (transposed && needed == BOTH) sweep_transposed(factors, parts, 2);
  if (!transposed && needed != BOTH) sweep(factors, parts, 1);
  if (!transposed && needed == BOTH) sweep(factors, parts, 2);
  PetscCall(VecGetArrayWrite(x, &out));
  turn_out(factors, transposed, needed, parts, out);
  PetscCall(VecRestoreArrayWrite(x, &out));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(solve(pc, PETSC_FALSE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply_transposed(PC pc, Vec b, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(solve(pc, PETSC_TRUE, b, x));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(PC pc)
{
  Triangular *factors;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(free_factors(factors));
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinTriangularUse(PC pc, PetscBool complete, PetscBool *suits)
{
  Triangular *factors;
  unsigned char *turned;
  Mat matrix;
  CospinRows rows;

  PetscFunctionBeginUser;
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(CospinRowsGet(matrix, &rows));
  PetscCall(PetscMalloc1(rows.size, &turned));
  PetscCall(find_turned(&rows, turned, suits));
  PetscCall(PetscFree(turned));
  PetscCall(CospinRowsRestore(matrix, &rows));
  if (!*suits) PetscFunctionReturn(0);
  PetscCall(PetscNew(&factors));
  factors->complete = complete;
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, complete ? "real factors" : "real incomplete factors"));
  PetscCall(PCShellSetContext(pc, factors));
  PetscCall(PCShellSetSetUp(pc, set_up));
  PetscCall(PCShellSetApply(pc, apply));
  PetscCall(PCShellSetApplyTranspose(pc, apply_transposed));
  PetscCall(PCShellSetDestroy(pc, destroy));
  PetscFunctionReturn(0);
}
