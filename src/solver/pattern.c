/*
   The rows of a matrix as PETSc holds them, and which elements triangular factors have.

   ILU(1): row i takes, beside its own elements, those that an elimination with them fills (level one of
   Saad, Iterative Methods for Sparse Linear Systems (2003), section 10.3): of each row k < i that it has,
   what stands there behind the diagonal.

   Complete: of A + A^T, whose factors have the same places in L as in U, by the elimination tree (J. W. H.
   Liu, SIAM J. Matrix Anal. Appl. 11, 134 (1990)): row i of L has the columns on the ways up the tree from
   the elements of A in that row, as far as i. So no row is merged with another, and the time is that of
   writing the answer down.
*/
#include "pattern.h"

PetscErrorCode CospinRowsGet(Mat matrix, CospinRows *rows)
{
  PetscBool done;

  PetscFunctionBeginUser;
  PetscCall(
      MatGetRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &rows->size, &rows->begin, &rows->columns, &done));
  PetscCheck(done, PETSC_COMM_SELF, PETSC_ERR_SUP, "A matrix without rows");
  PetscCall(MatSeqAIJGetArrayRead(matrix, &rows->values));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinRowsRestore(Mat matrix, CospinRows *rows)
{
  PetscBool done;

  PetscFunctionBeginUser;
  PetscCall(MatSeqAIJRestoreArrayRead(matrix, &rows->values));
  PetscCall(
      MatRestoreRowIJ(matrix, 0, PETSC_FALSE, PETSC_FALSE, &rows->size, &rows->begin, &rows->columns, &done));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPatternDestroy(CospinPattern *pattern)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(pattern->columns));
  PetscCall(PetscFree2(pattern->begin, pattern->upper));
  PetscFunctionReturn(0);
}

/* One more element of a row, unless it is there. */
static void add_column(PetscInt row, PetscInt column, PetscInt marks[], PetscInt *count, PetscInt columns[])
{
  if (marks[column] == row) return;
  marks[column] = row;
  columns[(*count)++] = column;
}

/* ---- Level one ----------------------------------------------------------------------------------------- */

/* Columns of row `row` of L + U with the diagonal, in order; columns[size]. */
static PetscErrorCode level_one_of(const CospinRows *rows, PetscInt row, PetscInt marks[], PetscInt *count,
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
PetscErrorCode CospinPatternIncomplete(const CospinRows *rows, CospinPattern *pattern)
{
  PetscInt *line, *marks, count;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(rows->size + 1, &pattern->begin, rows->size, &pattern->upper));
  PetscCall(PetscMalloc2(rows->size, &line, rows->size, &marks));
  pattern->begin[0] = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (PetscInt k = 0; k < rows->size; k++) marks[k] = -1;
    for (PetscInt row = 0; row < rows->size; row++) {
      PetscInt place = pattern->begin[row];
      PetscCall(level_one_of(rows, row, marks, &count, line));
      pattern->begin[row + 1] = place + count - 1;
      for (PetscInt e = 0; e < count && pass; e++) {
        if (line[e] == row) pattern->upper[row] = place;
        if (line[e] != row) pattern->columns[place++] = line[e];
      }
    }
    if (pass == 0) PetscCall(PetscMalloc1(pattern->begin[rows->size], &pattern->columns));
  }
  PetscCall(PetscFree2(line, marks));
  PetscFunctionReturn(0);
}

/* ---- Complete ------------------------------------------------------------------------------------------ */

/* For each row of A + A^T the columns before the diagonal, not in order, some of them twice: begin[size + 1],
   columns to be freed with PetscFree. */
static PetscErrorCode neighbours_before(const CospinRows *rows, PetscInt begin[], PetscInt **columns)
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(begin, rows->size + 1));
  PetscCall(PetscMalloc1(rows->begin[rows->size], columns));
  for (PetscInt row = 0; row < rows->size; row++)
    for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++)
      if (rows->columns[e] != row) begin[PetscMax(row, rows->columns[e])]++;
  for (PetscInt row = 1; row <= rows->size; row++) begin[row] += begin[row - 1];
  /* begin[k] is where k ends now; filled from behind it becomes where k begins. */
  for (PetscInt row = 0; row < rows->size; row++)
    for (PetscInt e = rows->begin[row]; e < rows->begin[row + 1]; e++)
      if (rows->columns[e] != row)
        (*columns)[--begin[PetscMax(row, rows->columns[e])]] = PetscMin(row, rows->columns[e]);
  PetscFunctionReturn(0);
}

/* parent[k]: the first row behind k whose elimination k takes part in; -1: there is none. `ancestors` are
   ways up that have been shortened. */
static void find_tree(PetscInt size, const PetscInt begin[], const PetscInt columns[], PetscInt parent[],
                      PetscInt ancestors[])
{
  for (PetscInt row = 0; row < size; row++) {
    parent[row] = ancestors[row] = -1;
    for (PetscInt e = begin[row]; e < begin[row + 1]; e++) {
      PetscInt k = columns[e], next = ancestors[k];
      for (; next >= 0 && next != row; k = next, next = ancestors[k]) ancestors[k] = row;
      if (next < 0) parent[k] = ancestors[k] = row;
    }
  }
}

/* Columns of row `row` of L. */
static void climb(PetscInt row, const PetscInt begin[], const PetscInt columns[], const PetscInt parent[],
                  PetscInt marks[], PetscInt *count, PetscInt line[])
{
  *count = 0;
  marks[row] = row;
  for (PetscInt e = begin[row]; e < begin[row + 1]; e++)
    for (PetscInt k = columns[e]; marks[k] != row; k = parent[k]) add_column(row, k, marks, count, line);
}

/* Row k of U has column i where row i of L has column k; rows come in order, so do these. */
static PetscErrorCode write_down(PetscInt size, const PetscInt begin[], const PetscInt columns[],
                                 const PetscInt parent[], PetscInt marks[], PetscInt line[],
                                 CospinPattern *pattern)
{
  PetscInt *behind, count;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(size, &behind));
  for (PetscInt k = 0; k < size; k++) marks[k] = -1;
  for (PetscInt row = 0; row < size; row++) {
    climb(row, begin, columns, parent, marks, &count, line);
    pattern->upper[row] = count;
    for (PetscInt e = 0; e < count; e++) behind[line[e]]++;
  }
  pattern->begin[0] = 0;
  for (PetscInt row = 0; row < size; row++) {
    pattern->begin[row + 1] = pattern->begin[row] + pattern->upper[row] + behind[row];
    behind[row] = pattern->upper[row] += pattern->begin[row];
    marks[row] = -1;
  }
  PetscCall(PetscMalloc1(pattern->begin[size], &pattern->columns));
  for (PetscInt row = 0; row < size; row++) {
    climb(row, begin, columns, parent, marks, &count, line);
    PetscCall(PetscSortInt(count, line));
    PetscCall(PetscArraycpy(pattern->columns + pattern->begin[row], line, count));
    for (PetscInt e = 0; e < count; e++) pattern->columns[behind[line[e]]++] = row;
  }
  PetscCall(PetscFree(behind));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPatternComplete(const CospinRows *rows, CospinPattern *pattern)
{
  PetscInt *begin, *columns, *parent, *marks, *line;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(rows->size + 1, &pattern->begin, rows->size, &pattern->upper));
  PetscCall(PetscMalloc4(rows->size + 1, &begin, rows->size, &parent, rows->size, &marks, rows->size, &line));
  PetscCall(neighbours_before(rows, begin, &columns));
  find_tree(rows->size, begin, columns, parent, line);
  PetscCall(write_down(rows->size, begin, columns, parent, marks, line, pattern));
  PetscCall(PetscFree(columns));
  PetscCall(PetscFree4(begin, parent, marks, line));
  PetscFunctionReturn(0);
}
