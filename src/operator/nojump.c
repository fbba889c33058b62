/*
   Dense products for (H + K - s)^-1. Every rank takes part in every block: first with some of its columns
   (bras, with all kets), for the kets' eigenvectors, then with some of its rows, for those of the bras, then
   with the columns again.

   What it is for: in L = L_0 + J, L_0 rho = -i (H_eff rho - rho H_eff^+) does not couple kets and bras, and
   its resolvent is known once the small matrix H_eff of every block has been diagonalised: with H_eff = V E
   V^-1 an element of V^-1 rho (V^-1)^+ is divided by -i(E_k - conj E_l) - s. It serves as preconditioner of
   iterations without a matrix.
*/
#include "shell.h"
#include <cospin/operator/nojump.h>
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>

/* Relative to the largest eigenvalue: what keeps denominators from zero; by what a matrix may be changed to
   have eigenvectors that are independent; from when on they are. */
static const double smallest = 1e-7, disturbance = 1e-7, largest_condition = 1e9, normal_tolerance = 1e-13;

/* Eigenvectors of one block of one side. */
typedef struct {
  int size;
  PetscScalar *values, *vectors, *inverse; /* columns; all in one piece, `values` first */
} Modes;

/* The blocks with one side's index running fastest. */
typedef struct {
  int num, *keys; /* of the other side, ascending: those handled here */
  Vec from, to;   /* sequential: all partners of each key, before and after a product */
  VecScatter gather;
} Layout;

struct CospinNoJump_ {
  MPI_Comm comm;
  CospinProduct product;
  Modes *modes[2];  /* [side][block] */
  Layout layout[2]; /* [side]: that side's index runs fastest */
  Vec between;      /* distributed */
  double scale;
};

/* ---- Eigenvectors -------------------------------------------------------------------------------------- */

static PetscErrorCode create_modes(int size, Modes *modes)
{
  const size_t n = (size_t)size;

  PetscFunctionBeginUser;
  modes->size = size;
  PetscCall(PetscCalloc1(n + 2 * n * n + COSPIN_LAPACK_ROOM, &modes->values));
  modes->vectors = modes->values + n;
  modes->inverse = modes->vectors + n * n;
  PetscFunctionReturn(0);
}

/* The block of H or K, column after column. */
static void fill_block(CospinProduct product, CospinSide side, int block, PetscScalar matrix[])
{
  const CospinRows *rows = side == COSPIN_KET ? &product->left : &product->right;
  const int begin = product->sides->first[side][block], n = product->sides->first[side][block + 1] - begin;

  for (int k = 0; k < n * n; k++) matrix[k] = 0.0;
  for (int r = 0; r < n; r++) {
    for (int e = rows->first[begin + r]; e < rows->first[begin + r + 1]; e++) {
      const int column =
          rows->elements[e].column - (side == COSPIN_KET ? begin : 0); /* bras: a place already */
      matrix[column * n + r] += rows->elements[e].value;
    }
  }
}

/* C = A B with transposed or conjugated factors as BLAS names them; nothing is done for empty blocks. */
static void gemm(const char a_form[], const char b_form[], int m, int n, int k, const PetscScalar a[],
                 const PetscScalar b[], PetscScalar c[])
{
  const PetscBLASInt rows = m, columns = n, inner = k, lda = a_form[0] == 'N' ? m : k,
                     ldb = b_form[0] == 'N' ? k : n;
  const PetscScalar one = 1.0, zero = 0.0;

  if (m && n) BLASgemm_(a_form, b_form, &rows, &columns, &inner, &one, a, &lda, b, &ldb, &zero, c, &rows);
}

static double largest(int size, const PetscScalar values[])
{
  double found = 0.0;

  for (int k = 0; k < size; k++) found = PetscMax(found, PetscAbsScalar(values[k]));
  return found;
}

/* A A^+ = A^+ A: eigenvectors are orthogonal, even of equal eigenvalues. Measured by the Frobenius norm of
 * the commutator beside that of the product. */
static PetscErrorCode is_normal(int n, const PetscScalar matrix[], PetscBool *normal)
{
  PetscScalar *a, *b;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)(n * n), &a, (size_t)(n * n), &b));
  gemm("N", "C", n, n, n, matrix, matrix, a);
  gemm("C", "N", n, n, n, matrix, matrix, b);
  for (int k = 0; k < n * n; k++) b[k] -= a[k];
  *normal = (PetscBool)(largest(n * n, b) <= normal_tolerance * largest(n * n, a));
  PetscCall(PetscFree2(a, b));
  PetscFunctionReturn(0);
}

/* A normal matrix has the eigenvectors of (almost) any combination of its hermitian parts. */
static PetscErrorCode diagonalise_normal(const PetscScalar matrix[], Modes *modes)
{
  const double golden = 0.61803398874989485;
  const int n = modes->size;
  PetscScalar *vectors = modes->vectors, *image = modes->inverse;
  double *combined;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)n, &combined));
  for (int j = 0; j < n; j++) {
    for (int i = 0; i < n; i++) {
      const PetscScalar a = matrix[j * n + i], b = PetscConj(matrix[i * n + j]);
      vectors[j * n + i] = 0.5 * (a + b) - 0.5 * golden * PETSC_i * (a - b);
    }
  }
  PetscCall(CospinHermitianDiagonalise(n, vectors, combined));
  PetscCall(PetscFree(combined)); /* eigenvalues are those of the matrix, below */
  gemm("N", "N", n, n, n, matrix, vectors, image);
  for (int k = 0; k < n; k++) {
    modes->values[k] = 0.0;
    for (int i = 0; i < n; i++) modes->values[k] += PetscConj(vectors[k * n + i]) * image[k * n + i];
  }
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) modes->inverse[j * n + i] = PetscConj(vectors[i * n + j]);
  }
  PetscFunctionReturn(0);
}

/* inverse <- vectors^-1, 1-norm condition of it */
static PetscErrorCode invert(Modes *modes, double *condition)
{
  const int n = modes->size;
  PetscBLASInt size = n, work_size = 64 * n, info, *pivots;
  PetscScalar *work;
  double norms[2] = {0.0, 0.0};

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)work_size, &work, (size_t)n, &pivots));
  PetscCall(PetscArraycpy(modes->inverse, modes->vectors, n * n));
  LAPACKgetrf_(&size, &size, modes->inverse, &size, pivots, &info);
  if (info == 0) LAPACKgetri_(&size, modes->inverse, &size, pivots, work, &work_size, &info);
  for (int j = 0; j < n; j++) {
    double sums[2] = {0.0, 0.0};
    for (int i = 0; i < n; i++) {
      sums[0] += PetscAbsScalar(modes->vectors[j * n + i]);
      sums[1] += PetscAbsScalar(modes->inverse[j * n + i]);
    }
    for (int k = 0; k < 2; k++) norms[k] = PetscMax(norms[k], sums[k]);
  }
  *condition = info == 0 ? norms[0] * norms[1] : PETSC_INFINITY;
  if (PetscIsNanReal(*condition)) *condition = PETSC_INFINITY;
  PetscCall(PetscFree2(work, pivots));
  PetscFunctionReturn(0);
}

/* `matrix` is overwritten. */
static PetscErrorCode diagonalise(PetscScalar matrix[], Modes *modes, double *condition)
{
  PetscBLASInt n = modes->size, work_size = 4 * modes->size + 64, one = 1, info;
  PetscScalar *work, unused;
  double *real_work;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)work_size, &work, (size_t)(2 * n), &real_work));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("N", "V", &n, matrix, &n, modes->values, &unused, &one, modes->vectors, &n, work, &work_size,
              real_work, &info);
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's geev returned %d", (int)info);
  PetscCall(invert(modes, condition));
  PetscCall(PetscFPTrapPop());
  PetscCall(PetscFree2(work, real_work));
  PetscFunctionReturn(0);
}

/* A matrix that is not normal may be defective or nearly so; it is disturbed by more and more until its
   eigenvectors are usable. The preconditioner is then that of a slightly different generator, which costs
   iterations and no accuracy. */
static PetscErrorCode find_modes(const PetscScalar matrix[], Modes *modes)
{
  const int n = modes->size;
  const double golden = 0.61803398874989485, size = largest(n * n, matrix);
  double condition = PETSC_INFINITY;
  PetscScalar *copy;
  PetscBool normal = PETSC_FALSE;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(n * n) + COSPIN_LAPACK_ROOM, &copy));
  PetscCall(is_normal(n, matrix, &normal));
  if (normal) PetscCall(diagonalise_normal(matrix, modes));
  for (double factor = 0.0; !normal && !(condition <= largest_condition);
       factor = 30.0 * factor + disturbance) {
    PetscCheck(factor < 1.0, PETSC_COMM_SELF, PETSC_ERR_PLIB,
               "A matrix next to which all eigenvectors are dependent");
    PetscCall(PetscArraycpy(copy, matrix, n * n));
    for (int k = 0; k < n; k++) copy[k * n + k] += factor * size * (golden * k - PetscFloorReal(golden * k));
    PetscCall(diagonalise(copy, modes, &condition));
  }
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

/* K of a block may be the conjugate of H of a block: the eigenvectors are, too. */
static PetscErrorCode find_conjugate(CospinNoJump nojump, int bra_block, const PetscScalar matrix[],
                                     PetscBool *found)
{
  const CospinSides sides = nojump->product->sides;
  Modes *modes = &nojump->modes[COSPIN_BRA][bra_block];
  const int n = modes->size;
  PetscScalar *other;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(n * n), &other));
  *found = PETSC_FALSE;
  for (int b = 0; b < sides->num_blocks && !*found; b++) {
    const Modes *candidate = &nojump->modes[COSPIN_KET][b];
    double difference = 0.0;
    if (candidate->size != n) continue;
    fill_block(nojump->product, COSPIN_KET, b, other);
    for (int k = 0; k < n * n; k++)
      difference = PetscMax(difference, PetscAbsScalar(other[k] - PetscConj(matrix[k])));
    if (difference > normal_tolerance * largest(n * n, matrix)) continue;
    for (int k = 0; k < n + 2 * n * n; k++) modes->values[k] = PetscConj(candidate->values[k]);
    *found = PETSC_TRUE;
  }
  PetscCall(PetscFree(other));
  PetscFunctionReturn(0);
}

/* Block b of the kets is worked on by the rank that has least to do. */
static PetscErrorCode deal_out_blocks(CospinNoJump nojump, CospinSide side, int owner[])
{
  PetscMPIInt ranks;
  double *load;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(nojump->comm, &ranks));
  PetscCall(PetscCalloc1((size_t)ranks, &load));
  for (int b = 0; b < nojump->product->sides->num_blocks; b++) {
    const double n = nojump->modes[side][b].size;
    owner[b] = 0;
    for (int r = 1; r < ranks; r++) {
      if (load[r] < load[owner[b]]) owner[b] = r;
    }
    load[owner[b]] += n * n * n;
  }
  PetscCall(PetscFree(load));
  PetscFunctionReturn(0);
}

/* Blocks are dealt out to the ranks by their cost and then shared: diagonalising is the part that does not
   parallelise within a block. */
static PetscErrorCode find_all_modes(CospinNoJump nojump, CospinSide side)
{
  const CospinSides sides = nojump->product->sides;
  PetscScalar *matrix;
  PetscBool *known;
  PetscMPIInt rank;
  int *owner;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(nojump->comm, &rank));
  PetscCall(PetscCalloc1((size_t)sides->num_blocks, &nojump->modes[side]));
  PetscCall(PetscMalloc2((size_t)sides->num_blocks, &owner, (size_t)sides->num_blocks, &known));
  for (int b = 0; b < sides->num_blocks; b++)
    PetscCall(create_modes(sides->first[side][b + 1] - sides->first[side][b], &nojump->modes[side][b]));
  PetscCall(deal_out_blocks(nojump, side, owner));
  for (int b = 0; b < sides->num_blocks; b++) {
    Modes *modes = &nojump->modes[side][b];
    PetscCall(PetscMalloc1((size_t)modes->size * (size_t)modes->size + COSPIN_LAPACK_ROOM, &matrix));
    fill_block(nojump->product, side, b, matrix);
    known[b] = PETSC_FALSE;
    if (side == COSPIN_BRA) PetscCall(find_conjugate(nojump, b, matrix, &known[b]));
    if (!known[b] && owner[b] == rank) PetscCall(find_modes(matrix, modes));
    PetscCall(PetscFree(matrix));
  }
  for (int b = 0; b < sides->num_blocks; b++) {
    const Modes *modes = &nojump->modes[side][b];
    const int n = modes->size;
    if (!known[b])
      PetscCallMPI(MPI_Bcast(modes->values, n + 2 * n * n, MPI_C_DOUBLE_COMPLEX, owner[b], nojump->comm));
    nojump->scale = PetscMax(nojump->scale, largest(n, modes->values));
  }
  PetscCall(PetscFree2(owner, known));
  PetscFunctionReturn(0);
}

/* ---- Layouts ------------------------------------------------------------------------------------------- */

/* Every rank gets its share of every block. */
static PetscErrorCode create_layout(CospinNoJump nojump, CospinSide fastest, Layout *layout)
{
  const CospinSides sides = nojump->product->sides;
  const CospinSide other = fastest == COSPIN_KET ? COSPIN_BRA : COSPIN_KET;
  PetscMPIInt rank, ranks;

  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(nojump->comm, &rank));
  PetscCallMPI(MPI_Comm_size(nojump->comm, &ranks));
  PetscCall(PetscMalloc1((size_t)sides->count[other] + 1, &layout->keys));
  for (int b = 0; b < sides->num_blocks; b++) {
    const int begin = sides->first[other][b];
    const PetscInt64 n = sides->first[other][b + 1] - begin;
    for (PetscInt64 k = n * rank / ranks; k < n * (rank + 1) / ranks; k++)
      layout->keys[layout->num++] = begin + (int)k;
  }
  PetscCall(CospinShellPlan(sides, other, layout->num, layout->keys, nojump->between, &layout->from,
                            &layout->gather));
  PetscCall(VecDuplicate(layout->from, &layout->to));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinNoJumpCreate(Mat shell, CospinNoJump *nojump)
{
  CospinNoJump new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->comm = PetscObjectComm((PetscObject)shell);
  PetscCall(CospinShellGetProduct(shell, &new->product));
  PetscCall(MatCreateVecs(shell, &new->between, NULL));
  for (int s = 0; s < 2; s++) {
    PetscCall(find_all_modes(new, (CospinSide)s));
    PetscCall(create_layout(new, (CospinSide)s, &new->layout[s]));
  }
  if (new->scale == 0.0) new->scale = 1.0;
  *nojump = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinNoJumpDestroy(CospinNoJump *nojump)
{
  PetscFunctionBeginUser;
  if (!*nojump) PetscFunctionReturn(0);
  for (int s = 0; s < 2; s++) {
    Layout *layout = &(*nojump)->layout[s];
    for (int b = 0; b < (*nojump)->product->sides->num_blocks; b++)
      PetscCall(PetscFree((*nojump)->modes[s][b].values));
    PetscCall(PetscFree((*nojump)->modes[s]));
    PetscCall(PetscFree(layout->keys));
    PetscCall(VecDestroy(&layout->from));
    PetscCall(VecDestroy(&layout->to));
    PetscCall(VecScatterDestroy(&layout->gather));
  }
  PetscCall(VecDestroy(&(*nojump)->between));
  PetscCall(PetscFree(*nojump));
  PetscFunctionReturn(0);
}

/* ---- Solution ------------------------------------------------------------------------------------------ */

/* From the distributed vector to whole rows on this rank, and back (put). */
static PetscErrorCode gather(const Layout *layout, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(layout->gather, x, layout->from, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(layout->gather, x, layout->from, INSERT_VALUES, SCATTER_FORWARD));
  PetscFunctionReturn(0);
}

static PetscErrorCode put(const Layout *layout, Vec rows, Vec x)
{
  PetscFunctionBeginUser;
  PetscCall(VecScatterBegin(layout->gather, rows, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscCall(VecScatterEnd(layout->gather, rows, x, INSERT_VALUES, SCATTER_REVERSE));
  PetscFunctionReturn(0);
}

/* How many of the layout's keys from k on are of the same block. */
static int run_length(CospinNoJump nojump, CospinSide other, int k)
{
  const Layout *layout = &nojump->layout[1 - other];
  const int *block = nojump->product->sides->block[other];
  int end = k;

  while (end < layout->num && block[layout->keys[end]] == block[layout->keys[k]]) end++;
  return end - k;
}

/* to = E from, block by block, with the eigenvectors of the side that runs fastest or (inverse) their
 * inverse. */
static PetscErrorCode transform(CospinNoJump nojump, CospinSide side, PetscBool inverse, PetscBool adjoint,
                                Vec from, Vec to)
{
  const CospinSide other = side == COSPIN_KET ? COSPIN_BRA : COSPIN_KET;
  const Layout *layout = &nojump->layout[side];
  const int *block = nojump->product->sides->block[other];
  const PetscScalar *x;
  PetscScalar *y;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayRead(from, &x));
  PetscCall(VecGetArray(to, &y));
  for (int k = 0, at = 0, num; k < layout->num; k += num) {
    const Modes *modes = &nojump->modes[side][block[layout->keys[k]]];
    num = run_length(nojump, other, k);
    gemm(adjoint ? "C" : "N", "N", modes->size, num, modes->size, inverse ? modes->inverse : modes->vectors,
         x + at, y + at);
    at += modes->size * num;
  }
  PetscCall(VecRestoreArray(to, &y));
  PetscCall(VecRestoreArrayRead(from, &x));
  PetscFunctionReturn(0);
}

/* x / (l_i + o_j - s), bras running fastest In the eigenbasis of both sides the equation is one division per
 * element. */
static PetscErrorCode divide(CospinNoJump nojump, PetscScalar s, PetscBool adjoint, Vec x)
{
  const CospinSides sides = nojump->product->sides;
  const Layout *layout = &nojump->layout[COSPIN_BRA];
  const double least = smallest * nojump->scale;
  PetscScalar *row;

  PetscFunctionBeginUser;
  PetscCall(VecGetArray(x, &row));
  for (int k = 0; k < layout->num; k++) {
    const int ket = layout->keys[k], b = sides->block[COSPIN_KET][ket];
    const Modes *bras = &nojump->modes[COSPIN_BRA][b];
    const PetscScalar value = nojump->modes[COSPIN_KET][b].values[ket - sides->first[COSPIN_KET][b]] - s;
    for (int j = 0; j < bras->size; j++) {
      PetscScalar denominator = value + bras->values[j];
      if (PetscAbsScalar(denominator) < least) denominator = -least;
      row[j] /= adjoint ? PetscConj(denominator) : denominator;
    }
    row += bras->size;
  }
  PetscCall(VecRestoreArray(x, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinNoJumpSolve(CospinNoJump nojump, PetscScalar s, PetscBool adjoint, Vec b, Vec x)
{
  const Layout *kets = &nojump->layout[COSPIN_KET], *bras = &nojump->layout[COSPIN_BRA];

  PetscFunctionBeginUser;
  PetscCall(gather(kets, b));
  PetscCall(transform(nojump, COSPIN_KET, (PetscBool)!adjoint, adjoint, kets->from, kets->to));
  PetscCall(put(kets, kets->to, nojump->between));
  PetscCall(gather(bras, nojump->between));
  PetscCall(transform(nojump, COSPIN_BRA, (PetscBool)!adjoint, adjoint, bras->from, bras->to));
  PetscCall(divide(nojump, s, adjoint, bras->to));
  PetscCall(transform(nojump, COSPIN_BRA, adjoint, adjoint, bras->to, bras->from));
  PetscCall(put(bras, bras->from, nojump->between));
  PetscCall(gather(kets, nojump->between));
  PetscCall(transform(nojump, COSPIN_KET, adjoint, adjoint, kets->from, kets->to));
  PetscCall(put(kets, kets->to, x));
  PetscFunctionReturn(0);
}
