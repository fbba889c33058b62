/*
   A PC of type shell: ILU(1), and which labels take a factor i so that a generator is real.

   A Hamiltonian enters a generator as -i (H rho - rho H), so its elements are imaginary beside the real ones
   of jumps, and i^-t_row A i^t_column is real if rows and columns have equal t for each real element and
   different ones for each imaginary one: a graph that has two colours, found by sets that are joined (each
   with the parity of the way to its root). A detuning on the diagonal has none.

   ILU(1): row i takes, beside its own elements, those that an elimination with them fills (level one of
   Saad, Iterative Methods for Sparse Linear Systems (2003), section 10.3): of each row k < i that it has,
   what stands there behind the diagonal. Factors only steer an iteration whose residuals are those of the
   matrix itself, so six digits of them do: a maser of 20 spins takes as many steps as with sixteen.
*/
#include "incomplete.h"

static const double tiny_pivot = 1e-12;

typedef struct {
  PetscInt size;
  PetscInt *begin, *upper; /* [size + 1], [size]: where a row begins, and behind the diagonal */
  PetscInt *columns;       /* without the diagonal */
  float *values;           /* of L (its diagonal is 1) and U */
  double *inverse;         /* of U's diagonal */
  unsigned char *turned;   /* t_k */
  double *parts;           /* [size][2] of a right side, real and imaginary part */
} Incomplete;

/* The rows of PETSc's matrix. */
typedef struct {
  PetscInt size;
  const PetscInt *begin, *columns;
  const PetscScalar *values;
} Rows;

static PetscErrorCode get_rows(Mat matrix, Rows *rows)
{
  PetscBool done;

  PetscFunctionBeginUser;
  PetscCall(
      MatGetRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &rows->size, &rows->begin, &rows->columns, &done));
  PetscCheck(done, PETSC_COMM_SELF, PETSC_ERR_SUP, "A matrix without rows");
  PetscCall(MatSeqAIJGetArrayRead(matrix, &rows->values));
  PetscFunctionReturn(0);
}

static PetscErrorCode restore_rows(Mat matrix, Rows *rows)
{
  PetscBool done;

  PetscFunctionBeginUser;
  PetscCall(MatSeqAIJRestoreArrayRead(matrix, &rows->values));
  PetscCall(
      MatRestoreRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &rows->size, &rows->begin, &rows->columns, &done));
  PetscFunctionReturn(0);
}

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
static PetscErrorCode find_turned(const Rows *rows, unsigned char turned[], PetscBool *suits)
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
static double real_element(const Incomplete *factors, const Rows *rows, PetscInt row, PetscInt e)
{
  const unsigned char from = factors->turned[rows->columns[e]], to = factors->turned[row];

  if (from == to) return PetscRealPart(rows->values[e]);
  return to ? PetscImaginaryPart(rows->values[e]) : -PetscImaginaryPart(rows->values[e]);
}

/* ---- The factors --------------------------------------------------------------------------------------- */

/* One more element of a row, unless it is there. */
static void add_column(PetscInt row, PetscInt column, PetscInt marks[], PetscInt *count, PetscInt columns[])
{
  if (marks[column] == row) return;
  marks[column] = row;
  columns[(*count)++] = column;
}

/* Columns of row `row` of L + U with the diagonal, in order; columns[size]. */
static PetscErrorCode pattern_of(const Rows *rows, PetscInt row, PetscInt marks[], PetscInt *count,
                                 PetscInt columns[])
{
  PetscFunctionBeginUser;
  *count = 0;
  add_column(row, row, marks, count, columns);
  for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++) {
    const PetscInt k = rows->columns[e];
    add_column(row, k, marks, count, columns);
    for (PetscInt f = rows->begin[k]; k < row && f < rows->begin[k + 1]; f++) {
      if (rows->columns[f] > k) add_column(row, rows->columns[f], marks, count, columns);
    }
  }
  PetscCall(PetscSortInt(*count, columns));
  PetscFunctionReturn(0);
}

/* Twice over all rows: how many elements there are, and which. A mark is the row that has seen a column last,
   so that marks need no clearing between rows. */
static PetscErrorCode find_pattern(Incomplete *factors, const Rows *rows, PetscInt marks[])
{
  PetscInt *line, count;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows->size, &line));
  for (int pass = 0; pass < 2; pass++) {
    for (PetscInt k = 0; k < rows->size; k++) marks[k] = -1;
    for (PetscInt row = 0; row < rows->size; row++) {
      PetscInt place = factors->begin[row];
      PetscCall(pattern_of(rows, row, marks, &count, line));
      factors->begin[row + 1] = place + count - 1;
      for (PetscInt e = 0; e < count && pass; e++) {
        if (line[e] == row) factors->upper[row] = place;
        if (line[e] != row) factors->columns[place++] = line[e];
      }
    }
    if (pass == 0)
      PetscCall(PetscMalloc2(factors->begin[rows->size], &factors->columns, factors->begin[rows->size],
                             &factors->values));
  }
  PetscCall(PetscFree(line));
  PetscFunctionReturn(0);
}

/* Row after row; work[size] is zero before and after, marks tell which columns a row has. */
static void eliminate(Incomplete *factors, const Rows *rows, PetscInt row, double work[], PetscInt marks[])
{
  const PetscInt first = factors->begin[row], last = factors->begin[row + 1];
  double largest = 0.0;

  marks[row] = row;
  for (PetscInt e = first; e < last; e++) marks[factors->columns[e]] = row;
  for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++) {
    const double element = real_element(factors, rows, row, e);
    work[rows->columns[e]] += element;
    largest = PetscMax(largest, PetscAbsReal(element));
  }
  for (PetscInt e = first; e < factors->upper[row]; e++) {
    const PetscInt k = factors->columns[e];
    const double factor = work[k] *= factors->inverse[k];
    for (PetscInt f = factors->upper[k]; f < factors->begin[k + 1]; f++) {
      if (marks[factors->columns[f]] == row) work[factors->columns[f]] -= factor * (double)factors->values[f];
    }
  }
  for (PetscInt e = first; e < last; e++) {
    factors->values[e] = (float)work[factors->columns[e]];
    work[factors->columns[e]] = 0.0;
  }
  /* A zero on the diagonal (nothing happens there but by jumps into it) must not end the iteration. */
  if (PetscAbsReal(work[row]) <= tiny_pivot * largest) work[row] = largest > 0 ? -largest : -1.0;
  factors->inverse[row] = 1.0 / work[row];
  work[row] = 0.0;
}

/* Of what a former matrix left. */
static PetscErrorCode free_factors(Incomplete *factors)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(factors->columns, factors->values));
  PetscCall(PetscFree4(factors->begin, factors->upper, factors->inverse, factors->turned));
  PetscCall(PetscFree(factors->parts));
  PetscFunctionReturn(0);
}

/* Anew for every matrix; nothing is kept from one that had the same places, since finding those takes a tenth
   of the time. */
static PetscErrorCode set_up(PC pc)
{
  Incomplete *factors;
  PetscInt *marks;
  PetscBool suits;
  double *work;
  Mat matrix;
  Rows rows;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(get_rows(matrix, &rows));
  PetscCall(free_factors(factors));
  factors->size = rows.size;
  PetscCall(PetscMalloc4(rows.size + 1, &factors->begin, rows.size, &factors->upper, rows.size,
                         &factors->inverse, rows.size, &factors->turned));
  PetscCall(PetscMalloc1(2 * (size_t)rows.size, &factors->parts));
  PetscCall(PetscMalloc1(rows.size, &marks));
  PetscCall(PetscCalloc1(rows.size, &work));
  PetscCall(find_turned(&rows, factors->turned, &suits));
  PetscCheck(suits, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Real factors of a matrix that is complex");
  factors->begin[0] = 0;
  PetscCall(find_pattern(factors, &rows, marks));
  for (PetscInt k = 0; k < rows.size; k++) marks[k] = -1;
  for (PetscInt row = 0; row < rows.size; row++) eliminate(factors, &rows, row, work, marks);
  PetscCall(PetscFree(work));
  PetscCall(PetscFree(marks));
  PetscCall(restore_rows(matrix, &rows));
  PetscFunctionReturn(0);
}

/* ---- Solves -------------------------------------------------------------------------------------------- */

/* x = U^-1 L^-1 x for `width` right sides at once, x[size][width]: the factors, which are what takes time,
   are read once. Called with a number, so that the compiler makes a loop of each. */
static inline void sweep(const Incomplete *factors, double x[], const int width)
{
  const PetscInt *columns = factors->columns;
  const float *values = factors->values;
  double sum[2];

  for (PetscInt row = 0; row < factors->size; row++) {
    for (int p = 0; p < width; p++) sum[p] = x[row * width + p];
    for (PetscInt e = factors->begin[row]; e < factors->upper[row]; e++)
      for (int p = 0; p < width; p++) sum[p] -= (double)values[e] * x[columns[e] * width + p];
    for (int p = 0; p < width; p++) x[row * width + p] = sum[p];
  }
  for (PetscInt row = factors->size - 1; row >= 0; row--) {
    for (int p = 0; p < width; p++) sum[p] = x[row * width + p];
    for (PetscInt e = factors->upper[row]; e < factors->begin[row + 1]; e++)
      for (int p = 0; p < width; p++) sum[p] -= (double)values[e] * x[columns[e] * width + p];
    for (int p = 0; p < width; p++) x[row * width + p] = sum[p] * factors->inverse[row];
  }
}

/* x = L^-T U^-T x likewise. */
static inline void sweep_transposed(const Incomplete *factors, double x[], const int width)
{
  const PetscInt *columns = factors->columns;
  const float *values = factors->values;
  double known[2];

  for (PetscInt row = 0; row < factors->size; row++) {
    for (int p = 0; p < width; p++) known[p] = x[row * width + p] *= factors->inverse[row];
    for (PetscInt e = factors->upper[row]; e < factors->begin[row + 1]; e++)
      for (int p = 0; p < width; p++) x[columns[e] * width + p] -= (double)values[e] * known[p];
  }
  for (PetscInt row = factors->size - 1; row >= 0; row--) {
    for (int p = 0; p < width; p++) known[p] = x[row * width + p];
    for (PetscInt e = factors->begin[row]; e < factors->upper[row]; e++)
      for (int p = 0; p < width; p++) x[columns[e] * width + p] -= (double)values[e] * known[p];
  }
}

/* x = i^-t b, or (transposed) i^t b: real (*width = 1) or in two parts, x[size][*width]. */
static void turn_in(const Incomplete *factors, PetscBool transposed, const PetscScalar b[], int *width,
                    double x[])
{
  const double sign = transposed ? -1.0 : 1.0;
  double rest = 0.0;

  for (PetscInt k = 0; k < factors->size; k++)
    rest += PetscAbsReal(factors->turned[k] ? PetscRealPart(b[k]) : PetscImaginaryPart(b[k]));
  *width = rest != 0.0 ? 2 : 1;
  for (PetscInt k = 0; k < factors->size; k++) {
    const double re = PetscRealPart(b[k]), im = PetscImaginaryPart(b[k]);
    x[k * *width] = factors->turned[k] ? sign * im : re;
    if (*width == 2) x[k * *width + 1] = factors->turned[k] ? -sign * re : im;
  }
}

/* out = i^t x, or (transposed) i^-t x */
static void turn_out(const Incomplete *factors, PetscBool transposed, int width, const double x[],
                     PetscScalar out[])
{
  const double sign = transposed ? -1.0 : 1.0;

  for (PetscInt k = 0; k < factors->size; k++) {
    const double re = x[k * width], im = width == 2 ? x[k * width + 1] : 0.0;
    out[k] = factors->turned[k] ? PetscCMPLX(-sign * im, sign * re) : PetscCMPLX(re, im);
  }
}

static PetscErrorCode solve(PC pc, PetscBool transposed, Vec b, Vec x)
{
  const PetscScalar *in;
  PetscScalar *out;
  Incomplete *factors;
  double *parts;
  int width;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  parts = factors->parts;
  PetscCall(VecGetArrayRead(b, &in));
  turn_in(factors, transposed, in, &width, parts);
  PetscCall(VecRestoreArrayRead(b, &in));
  if (transposed && width == 1) sweep_transposed(factors, parts, 1);
  if (transposed && width == 2) sweep_transposed(factors, parts, 2);
  if (!transposed && width == 1) sweep(factors, parts, 1);
  if (!transposed && width == 2) sweep(factors, parts, 2);
  PetscCall(VecGetArrayWrite(x, &out));
  turn_out(factors, transposed, width, parts, out);
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
  Incomplete *factors;

  PetscFunctionBeginUser;
  PetscCall(PCShellGetContext(pc, &factors));
  PetscCall(free_factors(factors));
  PetscCall(PetscFree(factors));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinIncompleteUse(PC pc, PetscBool *suits)
{
  Incomplete *factors;
  unsigned char *turned;
  Mat matrix;
  Rows rows;

  PetscFunctionBeginUser;
  PetscCall(PCGetOperators(pc, NULL, &matrix));
  PetscCall(get_rows(matrix, &rows));
  PetscCall(PetscMalloc1(rows.size, &turned));
  PetscCall(find_turned(&rows, turned, suits));
  PetscCall(PetscFree(turned));
  PetscCall(restore_rows(matrix, &rows));
  if (!*suits) PetscFunctionReturn(0);
  PetscCall(PetscNew(&factors));
  PetscCall(PCSetType(pc, PCSHELL));
  PetscCall(PCShellSetName(pc, "real incomplete factors"));
  PetscCall(PCShellSetContext(pc, factors));
  PetscCall(PCShellSetSetUp(pc, set_up));
  PetscCall(PCShellSetApply(pc, apply));
  PetscCall(PCShellSetApplyTranspose(pc, apply_transposed));
  PetscCall(PCShellSetDestroy(pc, destroy));
  PetscFunctionReturn(0);
}
