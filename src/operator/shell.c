/*
   The matrix-free generator: a MatShell that multiplies by CospinProduct.

   Every rank computes some rows of rho, whole ones (a row: one ket). One scatter, planned once, brings the
   rows that these need from the distributed vector into `source`, row after row; another one takes the
   results back. Rows are dealt out in the order of their first elements in the vector, so that most of them
   stay where they are.

   Why by rows: a term H rho adds whole rows, rho K stays within a row, and a jump reads a few other rows.
   So what has to be fetched is a list of rows that is known when the shell is made, and one scatter does
   it, instead of one message for each term.
*/
#include "shell.h"
#include <cospin/operator/liouvillian.h>

/* One direction: L or its transpose. */
typedef struct {
  CospinProduct product;
  Vec source;               /* sequential */
  VecScatter gather;        /* from the distributed vector to `source` */
  const PetscScalar **rows; /* [kets] where a row starts in `source`; NULL: not needed here */
} Direction;

/* What a MatShell of ours is made of; the transposed direction only when it has been asked for. */
typedef struct {
  CospinSector sector; /* borrowed */
  CospinSides sides;
  CospinTerms terms;
  int num_kets, *kets;          /* computed here, ascending */
  Vec result;                   /* sequential: the rows computed here, one after the other */
  VecScatter put;               /* backwards: from there to the distributed vector */
  Direction direct, transposed; /* the latter is made when it is first needed */
} Shell;

/* ---- Who computes what --------------------------------------------------------------------------------- */

/* A comparison for PetscTimSort; context: the first elements' places. */
static int compare_first(const void *a, const void *b, void *context)
{
  const PetscInt64 *first = (const PetscInt64 *)context, s = first[*(const int *)a],
                   t = first[*(const int *)b];

  return s < t ? -1 : s > t;
}

/* How many elements rho has in the row of this ket. */
static int ket_width(CospinSides sides, int ket)
{
  return CospinSidesWidth(sides, sides->block[COSPIN_KET][ket]);
}

/* kets[count] in the order of their first elements in the vector */
static PetscErrorCode sort_kets(CospinSides sides, int kets[])
{
  const int count = sides->count[COSPIN_KET];
  PetscInt64 *first;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)count + 1, &first));
  for (int k = 0; k < count; k++) {
    kets[k] = k;
    first[k] = CospinSidesIndex(sides, k, sides->first[COSPIN_BRA][sides->block[COSPIN_KET][k]]);
  }
  if (count > 1) PetscCall(PetscTimSort(count, kets, sizeof(int), compare_first, first));
  PetscCall(PetscFree(first));
  PetscFunctionReturn(0);
}

/* A rank gets the kets whose middle elements are in its share. By elements and not by rows, whose lengths
   differ; every rank computes the same list and keeps its own part, so nothing is sent. */
static PetscErrorCode deal_out(MPI_Comm comm, Shell *shell)
{
  const CospinSides sides = shell->sides;
  const int count = sides->count[COSPIN_KET];
  const double total = (double)CospinSectorDimension(shell->sector);
  double done = 0.0;
  int *kets;
  PetscBool *mine;
  PetscMPIInt rank, ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(PetscMalloc1((size_t)count + 1, &kets));
  PetscCall(PetscCalloc1((size_t)count + 1, &mine));
  PetscCall(sort_kets(sides, kets));
  for (int k = 0; k < count; k++) {
    const int width = ket_width(sides, kets[k]);
    mine[kets[k]] = (PetscBool)((int)((done + 0.5 * width) / total * ranks) == rank);
    done += width;
  }
  PetscCall(PetscMalloc1((size_t)count + 1, &shell->kets));
  for (int k = 0; k < count; k++) {
    if (mine[k]) shell->kets[shell->num_kets++] = k;
  }
  PetscCall(PetscFree(mine));
  PetscCall(PetscFree(kets));
  PetscFunctionReturn(0);
}

/* ---- Communication ------------------------------------------------------------------------------------- */

/* Appends the indices of a key with its partners. Of the other side's keys in the same block, in their
   order. */
static PetscInt *append_row(CospinSides sides, CospinSide side, int key, PetscInt *index)
{
  const int block = sides->block[side][key], *first = sides->first[1 - side];

  for (int k = first[block]; k < first[block + 1]; k++)
    *index++ =
        (PetscInt)(side == COSPIN_KET ? CospinSidesIndex(sides, key, k) : CospinSidesIndex(sides, k, key));
  return index;
}

/* Rows stand in `rows` one behind the other, in the order of keys. Collective by the scatter. */
PetscErrorCode CospinShellPlan(CospinSides sides, CospinSide side, int num, const int keys[], Vec like,
                               Vec *rows, VecScatter *gather)
{
  const int *first = sides->first[1 - side];
  PetscInt size = 0, *indices, *end;
  IS from;

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    const int block = sides->block[side][keys[k]];
    size += first[block + 1] - first[block];
  }
  PetscCall(PetscMalloc1((size_t)size + 1, &indices));
  end = indices;
  for (int k = 0; k < num; k++) end = append_row(sides, side, keys[k], end);
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, size, rows));
  PetscCall(ISCreateGeneral(PetscObjectComm((PetscObject)like), size, indices, PETSC_OWN_POINTER, &from));
  PetscCall(VecScatterCreate(like, from, *rows, NULL, gather));
  PetscCall(ISDestroy(&from));
  PetscFunctionReturn(0);
}

static PetscErrorCode mark_needed(void *context, int source)
{
  PetscFunctionBeginUser;
  ((PetscBool *)context)[source] = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* The kets whose rows are needed here, ascending. Rows of its own are among them: a rank's vector is cut
   at elements, not at rows. */
static PetscErrorCode find_needed(const Shell *shell, CospinProduct product, int *num, int **kets)
{
  const int count = shell->sides->count[COSPIN_KET];
  PetscBool *needed;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)count + 1, &needed));
  PetscCall(PetscMalloc1((size_t)count + 1, kets));
  for (int k = 0; k < shell->num_kets; k++)
    PetscCall(CospinProductNeeds(product, shell->kets[k], mark_needed, needed));
  *num = 0;
  for (int k = 0; k < count; k++) {
    if (needed[k]) (*kets)[(*num)++] = k;
  }
  PetscCall(PetscFree(needed));
  PetscFunctionReturn(0);
}

/* Tables, scatter and received rows of one direction, the product itself or its transpose; the latter is made
   when it is first asked for. */
static PetscErrorCode create_direction(const Shell *shell, PetscBool transposed, Vec like,
                                       Direction *direction)
{
  const PetscScalar *row;
  int num, *kets;

  PetscFunctionBeginUser;
  PetscCall(CospinProductCreate(shell->terms, shell->sides, transposed, &direction->product));
  PetscCall(find_needed(shell, direction->product, &num, &kets));
  PetscCall(
      CospinShellPlan(shell->sides, COSPIN_KET, num, kets, like, &direction->source, &direction->gather));
  PetscCall(PetscCalloc1((size_t)shell->sides->count[COSPIN_KET] + 1, &direction->rows));
  PetscCall(VecGetArrayRead(direction->source, &row)); /* it stays where it is */
  for (int k = 0; k < num; k++) {
    direction->rows[kets[k]] = row;
    row += ket_width(shell->sides, kets[k]);
  }
  PetscCall(VecRestoreArrayRead(direction->source, NULL));
  PetscCall(PetscFree(kets));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_direction(Direction *direction)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProductDestroy(&direction->product));
  PetscCall(VecDestroy(&direction->source));
  PetscCall(VecScatterDestroy(&direction->gather));
  PetscCall(PetscFree(direction->rows));
  PetscFunctionReturn(0);
}

/* ---- The matrix ---------------------------------------------------------------------------------------- */

/* L^H x = conj(L^T conj x): the adjoint takes no tables of its own. */
static PetscErrorCode conjugate(Vec x, PetscBool wanted)
{
  PetscFunctionBeginUser;
  if (wanted) PetscCall(VecConjugate(x));
  PetscFunctionReturn(0);
}

/* How many of the kets from `begin` on can be computed together. */
static int batch_size(const Shell *shell, int begin)
{
  const int *block = shell->sides->block[COSPIN_KET];
  int end = begin;

  while (end < shell->num_kets && end - begin < COSPIN_PRODUCT_BATCH &&
         block[shell->kets[end]] == block[shell->kets[begin]])
    end++;
  return end - begin;
}

/* As many rows at once as have the same width, for multiply_right. */
static PetscErrorCode compute_rows(const Shell *shell, const Direction *direction)
{
  PetscScalar *row, *results[COSPIN_PRODUCT_BATCH];
  int num;

  PetscFunctionBeginUser;
  PetscCall(VecGetArray(shell->result, &row));
  for (int k = 0; k < shell->num_kets; k += num) {
    num = batch_size(shell, k);
    for (int i = 0; i < num; i++) {
      results[i] = row;
      row += ket_width(shell->sides, shell->kets[k]);
    }
    PetscCall(CospinProductRows(direction->product, num, shell->kets + k, direction->rows, results));
  }
  PetscCall(VecRestoreArray(shell->result, NULL));
  PetscFunctionReturn(0);
}

/* Each element of the vector belongs to one row, so nothing is added up. */
static PetscErrorCode put_results(const Shell *shell, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(shell->put, shell->result, y, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(shell->put, shell->result, y, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply(const Shell *shell, const Direction *direction, PetscBool conjugated, Vec x,
                            Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(direction->gather, x, direction->source, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(direction->gather, x, direction->source, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(conjugate(direction->source, conjugated));
  PetscCall(compute_rows(shell, direction));
  PetscCall(conjugate(shell->result, conjugated));
  PetscCall(put_results(shell, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode multiply(Mat matrix, Vec x, Vec y)
{
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(matrix, &shell));
  PetscCall(apply(shell, &shell->direct, PETSC_FALSE, x, y));
  PetscFunctionReturn(0);
}

/* Left vectors and some solvers want it; most runs never do. */
static PetscErrorCode multiply_transposed(Mat matrix, PetscBool conjugated, Vec x, Vec y)
{
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(matrix, &shell));
  if (!shell->transposed.product) PetscCall(create_direction(shell, PETSC_TRUE, x, &shell->transposed));
  PetscCall(apply(shell, &shell->transposed, conjugated, x, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode multiply_transpose(Mat matrix, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(multiply_transposed(matrix, PETSC_FALSE, x, y));
  PetscFunctionReturn(0);
}

static PetscErrorCode multiply_adjoint(Mat matrix, Vec x, Vec y)
{
  PetscFunctionBeginUser;
  PetscCall(multiply_transposed(matrix, PETSC_TRUE, x, y));
  PetscFunctionReturn(0);
}

/* Preconditioners and the mean frequency of a sector ask for it. */
static PetscErrorCode get_diagonal(Mat matrix, Vec diagonal)
{
  PetscScalar *row;
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(matrix, &shell));
  PetscCall(VecGetArray(shell->result, &row));
  for (int k = 0; k < shell->num_kets; k++) {
    PetscCall(CospinProductDiagonal(shell->direct.product, shell->kets[k], row));
    row += ket_width(shell->sides, shell->kets[k]);
  }
  PetscCall(VecRestoreArray(shell->result, NULL));
  PetscCall(put_results(shell, diagonal));
  PetscFunctionReturn(0);
}

/* The infinity norm, or more: of terms that meet in one element (dephasing and its anticommutator) the moduli
   are added up. So it is a scale for rounding errors even where they cancel. */
static PetscErrorCode get_norm(Mat matrix, NormType type, PetscReal *norm)
{
  double *sums;
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCheck(type == NORM_INFINITY, PetscObjectComm((PetscObject)matrix), PETSC_ERR_SUP,
             "Only NORM_INFINITY");
  PetscCall(MatShellGetContext(matrix, &shell));
  PetscCall(PetscMalloc1((size_t)shell->direct.product->widest + 1, &sums));
  *norm = 0.0;
  for (int k = 0; k < shell->num_kets; k++) {
    PetscCall(CospinProductRowSums(shell->direct.product, shell->kets[k], sums));
    for (int b = 0; b < ket_width(shell->sides, shell->kets[k]); b++) *norm = PetscMax(*norm, sums[b]);
  }
  PetscCall(PetscFree(sums));
  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, norm, 1, MPI_DOUBLE, MPI_MAX, PetscObjectComm((PetscObject)matrix)));
  PetscFunctionReturn(0);
}

/* No elements are stored. */
static PetscErrorCode get_info(Mat matrix, MatInfoType type, MatInfo *info)
{
  PetscFunctionBeginUser;
  (void)matrix;
  (void)type;
  PetscCall(PetscArrayzero(info, 1));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_shell(Shell **shell)
{
  PetscFunctionBeginUser;
  PetscCall(destroy_direction(&(*shell)->direct));
  PetscCall(destroy_direction(&(*shell)->transposed));
  PetscCall(VecDestroy(&(*shell)->result));
  PetscCall(VecScatterDestroy(&(*shell)->put));
  PetscCall(PetscFree((*shell)->kets));
  PetscCall(CospinTermsDestroy(&(*shell)->terms));
  PetscCall(CospinSidesDestroy(&(*shell)->sides));
  PetscCall(PetscFree(*shell));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy(Mat matrix)
{
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(matrix, &shell));
  PetscCall(destroy_shell(&shell));
  PetscFunctionReturn(0);
}

static const struct {
  MatOperation operation;
  void (*function)(void);
} operations[] = {
    {MATOP_MULT, (void (*)(void))multiply},
    {MATOP_MULT_TRANSPOSE, (void (*)(void))multiply_transpose},
    {MATOP_MULT_HERMITIAN_TRANSPOSE, (void (*)(void))multiply_adjoint},
    {MATOP_GET_DIAGONAL, (void (*)(void))get_diagonal},
    {MATOP_NORM, (void (*)(void))get_norm},
    {MATOP_GETINFO, (void (*)(void))get_info},
    {MATOP_DESTROY, (void (*)(void))destroy},
};

PetscErrorCode CospinShellCreate(MPI_Comm comm, CospinMoves generator, CospinSector sector, Mat *liouvillian)
{
  const PetscInt64 dimension = CospinSectorDimension(sector);
  Shell *shell;
  Vec like;

  PetscFunctionBeginUser;
  PetscCheck(dimension <= PETSC_MAX_INT, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "A sector of dimension %" PetscInt64_FMT " needs a PETSc with 64-bit indices", dimension);
  *liouvillian = NULL;
  PetscCall(PetscNew(&shell));
  shell->sector = sector;
  PetscCall(CospinSidesCreate(sector, &shell->sides));
  PetscCheck(shell->sides, comm, PETSC_ERR_SUP, "A sector that does not consist of matrices");
  PetscCall(CospinTermsCreate(generator, &shell->terms));
  PetscCall(deal_out(comm, shell));
  PetscCall(VecCreateMPI(comm, PETSC_DECIDE, (PetscInt)dimension, &like));
  PetscCall(CospinShellPlan(shell->sides, COSPIN_KET, shell->num_kets, shell->kets, like, &shell->result,
                            &shell->put));
  PetscCall(create_direction(shell, PETSC_FALSE, like, &shell->direct));
  PetscCall(VecDestroy(&like));
  PetscCall(MatCreateShell(comm, PETSC_DECIDE, PETSC_DECIDE, (PetscInt)dimension, (PetscInt)dimension, shell,
                           liouvillian));
  for (size_t k = 0; k < sizeof(operations) / sizeof(operations[0]); k++)
    PetscCall(MatShellSetOperation(*liouvillian, operations[k].operation, operations[k].function));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinShellGetProduct(Mat matrix, CospinProduct *product)
{
  Shell *shell;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(matrix, &shell));
  *product = shell->direct.product;
  PetscFunctionReturn(0);
}
