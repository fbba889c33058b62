/*
   Products row by row. Complex numbers are multiplied by hand: the language's own product looks for
   infinities.

   This is the inner loop of everything that is done without a matrix: a row of rho (one ket) is
   contiguous, and every term is a few operations on whole rows. Loops are written so that the compiler
   vectorises them; results do not depend on the number of ranks, for a row is summed in the same order
   wherever it is computed.

   Tables have the size of one side of rho, its kets or its bras, which is about the root of the number of
   elements; d, a number for each element, is a sum of products of a ket's and a bra's factor for the same
   reason.
*/
#include "product.h"
#include <petscblaslapack.h>

enum { BATCH = COSPIN_PRODUCT_BATCH };

/* How many bras go with this ket in the sector: rows have different lengths, kets of one block the same. */
static int width_of(CospinProduct product, int ket)
{
  return CospinSidesWidth(product->sides, product->sides->block[COSPIN_KET][ket]);
}

static int first_bra(CospinProduct product, int ket)
{
  return product->sides->first[COSPIN_BRA][product->sides->block[COSPIN_KET][ket]];
}

/* sum += a x, as numbers of two doubles. (a0 + i a1)(x0 + i x1) without a test for infinities, which C99
   wants of a complex product. */
static inline void multiply_add(const double a[2], const double x[2], double sum[2])
{
  sum[0] += a[0] * x[0] - a[1] * x[1];
  sum[1] += a[0] * x[1] + a[1] * x[0];
}

static void axpy(int width, PetscScalar a, const PetscScalar x[], PetscScalar y[])
{
  const PetscBLASInt n = width, one = 1;

  BLASaxpy_(&n, &a, x, &one, y, &one);
}

/* ---- d * rho ------------------------------------------------------------------------------------------- */

/* d of one bra monomial in the row of a ket. d(ket, bra) = sum_wa coupling[w,a] f_a(ket) g_w(bra): the
   ket's part is the same for the whole row. */
static PetscScalar diagonal_weight(CospinProduct product, int ket, int bra_monomial)
{
  const CospinDiagonal *diagonal = &product->diagonal;
  const size_t count = (size_t)product->sides->count[COSPIN_KET];
  PetscScalar sum = 0.0;

  for (int a = 0; a < diagonal->num[COSPIN_KET]; a++)
    sum += diagonal->coupling[bra_monomial * diagonal->num[COSPIN_KET] + a] *
           diagonal->factors[COSPIN_KET][(size_t)a * count + (size_t)ket];
  return sum;
}

/* d of the row, as real and imaginary parts. Most weights are real (rates), so the imaginary pass is left
   out where it is zero. */
static void diagonal_of(CospinProduct product, int ket, double *restrict re, double *restrict im)
{
  const CospinDiagonal *diagonal = &product->diagonal;
  const int width = width_of(product, ket);

  for (int b = 0; b < width; b++) re[b] = im[b] = 0.0;
  for (int w = 0; w < diagonal->num[COSPIN_BRA]; w++) {
    const double *restrict factor = diagonal->factors[COSPIN_BRA] +
                                    (size_t)w * (size_t)product->sides->count[COSPIN_BRA] +
                                    first_bra(product, ket);
    const PetscScalar weight = diagonal_weight(product, ket, w);
    const double real = PetscRealPart(weight), imaginary = PetscImaginaryPart(weight);
    for (int b = 0; b < width; b++) re[b] += real * factor[b];
    if (imaginary == 0.0) continue;
    for (int b = 0; b < width; b++) im[b] += imaginary * factor[b];
  }
}

/* y = d * x, elementwise, with d computed from the tables of both sides. */
static void multiply_diagonal(CospinProduct product, int ket, const PetscScalar x[], PetscScalar y[])
{
  const int width = width_of(product, ket);
  double *re = product->work.tile, *im = re + width;

  if (product->diagonal.num[COSPIN_KET] == 0) {
    for (int b = 0; b < width; b++) y[b] = 0.0;
    return;
  }
  diagonal_of(product, ket, re, im);
  for (int b = 0; b < width; b++) {
    const double d[2] = {re[b], im[b]};
    double *sum = (double *)&y[b];
    sum[0] = sum[1] = 0.0;
    multiply_add(d, (const double *)&x[b], sum);
  }
}

/* ---- H rho and rho K ----------------------------------------------------------------------------------- */

/* Rows of other kets, each with a number: y_k += sum_j H_kj x_j. Whole rows are added, each element of H
   once for a row: memory is read in order. */
static void multiply_left(CospinProduct product, int ket, const PetscScalar *const rows[], PetscScalar y[])
{
  const CospinRows *left = &product->left;

  for (int k = left->first[ket]; k < left->first[ket + 1]; k++)
    axpy(width_of(product, ket), left->elements[k].value, rows[left->elements[k].column], y);
}

/* Some rows side by side, so that an element of K is read once for all of them: tile[bra][re, im][row].
   Rows that are missing at the end of a batch are zeros, so that the loops have a fixed length. */
static void fill_tile(int num, int width, const int kets[], const PetscScalar *const rows[], double *tile)
{
  for (int k = 0; k < BATCH; k++) {
    const double *x = k < num ? (const double *)rows[kets[k]] : NULL;
    for (int b = 0; b < width; b++) {
      tile[2 * BATCH * b + k] = x ? x[2 * b] : 0.0;
      tile[2 * BATCH * b + BATCH + k] = x ? x[2 * b + 1] : 0.0;
    }
  }
}

/* A complex number times BATCH others, real and imaginary parts apart, as vector units want it. */
static void add_tile(const double a[2], const double *restrict x, double *restrict sum)
{
  for (int k = 0; k < BATCH; k++) sum[k] += a[0] * x[k] - a[1] * x[BATCH + k];
  for (int k = 0; k < BATCH; k++) sum[BATCH + k] += a[0] * x[BATCH + k] + a[1] * x[k];
}

/* The columns of several rows at once: x K for BATCH kets, transposed into a tile so that one element of K
   serves all of them. */
static void multiply_right(CospinProduct product, int num, const int kets[], const PetscScalar *const rows[],
                           PetscScalar *const results[])
{
  const CospinRows *right = &product->right;
  const int width = width_of(product, kets[0]), bra = first_bra(product, kets[0]);
  double *tile = product->work.tile;

  if (right->count == 0) return;
  fill_tile(num, width, kets, rows, tile);
  for (int b = 0; b < width; b++) {
    double sum[2 * BATCH] = {0.0};
    for (int e = right->first[bra + b]; e < right->first[bra + b + 1]; e++) {
      const CospinElement *element = &right->elements[e];
      add_tile((const double *)&element->value, tile + 2 * BATCH * element->column, sum);
    }
    for (int k = 0; k < num; k++) {
      double *y = (double *)&results[k][b];
      y[0] += sum[k];
      y[1] += sum[BATCH + k];
    }
  }
}

/* ---- Jumps --------------------------------------------------------------------------------------------- */

/* Y_c = sum_a u_ac A_a rho, all channels at once. Couplings of low rank have been taken apart into
   channels (product.h), so that a jump costs one product per channel instead of one per pair of operators.
   One zgemm does all of them. */
static void mix_channels(CospinProduct product, const CospinChannels *jump, int ket, int width,
                         const PetscScalar *const rows[])
{
  const CospinElement *elements = jump->kets.elements + jump->kets.first[ket];
  const PetscBLASInt num = jump->kets.first[ket + 1] - jump->kets.first[ket], m = width,
                     n = jump->num_channels;
  const PetscScalar one = 1.0, zero = 0.0;
  PetscScalar *packed = product->work.packed, *weights = product->work.weights;

  for (PetscBLASInt k = 0; k < num; k++) {
    const PetscScalar *row = rows[elements[k].column];
    for (int b = 0; b < width; b++) packed[k * width + b] = row[b];
    for (int c = 0; c < jump->num_channels; c++)
      weights[c * num + k] =
          jump->mix[c * jump->num_rows + elements[k].slot] * PetscRealPart(elements[k].value);
  }
  BLASgemm_("N", "N", &m, &n, &num, &one, packed, &m, weights, &num, &zero, product->work.channels, &m);
}

/* The same for one channel, without packing. */
static void mix_channel(CospinProduct product, const CospinChannels *jump, int ket, int width,
                        const PetscScalar *const rows[])
{
  PetscScalar *y = product->work.channels;

  for (int b = 0; b < width; b++) y[b] = 0.0;
  for (int k = jump->kets.first[ket]; k < jump->kets.first[ket + 1]; k++) {
    const CospinElement *element = &jump->kets.elements[k];
    axpy(width, jump->mix[element->slot] * PetscRealPart(element->value), rows[element->column], y);
  }
}

/* From the channels back to bras. y(bra) += sum of Y_c at the source bra times the bra's amplitude. */
static void gather_channels(const CospinRows *bras, int bra, int width, const PetscScalar channels[],
                            PetscScalar y[])
{
  for (int b = 0; b < width; b++) {
    double sum[2] = {0.0, 0.0};
    for (int e = bras->first[bra + b]; e < bras->first[bra + b + 1]; e++)
      multiply_add((const double *)&bras->elements[e].value,
                   (const double *)&channels[bras->elements[e].column], sum);
    ((double *)&y[b])[0] += sum[0];
    ((double *)&y[b])[1] += sum[1];
  }
}

/* Ket side first: channels Y_c = sum_a u_ca A_a rho, which the bra side then reads. */
static void multiply_jump(CospinProduct product, const CospinChannels *jump, int ket,
                          const PetscScalar *const rows[], PetscScalar y[])
{
  const int first = jump->kets.first[ket];
  int width;

  if (first == jump->kets.first[ket + 1]) return;
  width = width_of(product, jump->kets.elements[first].column);
  if (jump->num_channels == 1)
    mix_channel(product, jump, ket, width, rows);
  else
    mix_channels(product, jump, ket, width, rows);
  gather_channels(&jump->bras, first_bra(product, ket), width_of(product, ket), product->work.channels, y);
}

/* ---- All of it ----------------------------------------------------------------------------------------- */

PetscErrorCode CospinProductRows(CospinProduct product, int num_kets, const int kets[],
                                 const PetscScalar *const rows[], PetscScalar *const results[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num_kets; k++) {
    multiply_diagonal(product, kets[k], rows[kets[k]], results[k]);
    multiply_left(product, kets[k], rows, results[k]);
    for (int g = 0; g < product->num_jumps; g++)
      multiply_jump(product, &product->jumps[g], kets[k], rows, results[k]);
  }
  multiply_right(product, num_kets, kets, rows, results);
  PetscFunctionReturn(0);
}

/* Only H and the ket sides of jumps fetch rows of other kets; K and d stay within the row. */
PetscErrorCode CospinProductNeeds(CospinProduct product, int target,
                                  PetscErrorCode (*visit)(void *context, int source), void *context)
{
  PetscFunctionBeginUser;
  PetscCall(visit(context, target));
  for (int k = product->left.first[target]; k < product->left.first[target + 1]; k++)
    PetscCall(visit(context, product->left.elements[k].column));
  for (int g = 0; g < product->num_jumps; g++) {
    const CospinRows *kets = &product->jumps[g].kets;
    for (int k = kets->first[target]; k < kets->first[target + 1]; k++)
      PetscCall(visit(context, kets->elements[k].column));
  }
  PetscFunctionReturn(0);
}

/* Element of `rows` at (row, column), 0 if there is none; the sum of the moduli of all others goes to
 * *others. */
static PetscScalar element_at(const CospinRows *rows, int row, int column, double *others)
{
  PetscScalar found = 0.0;

  *others = 0.0;
  for (int k = rows->first[row]; k < rows->first[row + 1]; k++) {
    if (rows->elements[k].column == column)
      found = rows->elements[k].value;
    else
      *others += PetscAbsScalar(rows->elements[k].value);
  }
  return found;
}

/* For preconditioners. Elements of jumps that lead from a label to itself are in d. */
PetscErrorCode CospinProductDiagonal(CospinProduct product, int ket, PetscScalar diagonal[])
{
  const int width = width_of(product, ket), bra = first_bra(product, ket);
  double *re = product->work.tile, *im = re + width, others;
  const PetscScalar left = element_at(&product->left, ket, ket, &others);

  PetscFunctionBeginUser;
  diagonal_of(product, ket, re, im);
  for (int b = 0; b < width; b++)
    diagonal[b] = left + element_at(&product->right, bra + b, b, &others) + re[b] + PETSC_i * im[b];
  PetscFunctionReturn(0);
}

/* sum |Y_c| of a ket's row if all elements of rho are 1 */
static void sum_channels(CospinProduct product, const CospinChannels *jump, int ket, double sums[])
{
  for (int c = 0; c < jump->num_channels; c++) {
    sums[c] = 0.0;
    for (int k = jump->kets.first[ket]; k < jump->kets.first[ket + 1]; k++)
      sums[c] += PetscAbsScalar(jump->mix[c * jump->num_rows + jump->kets.elements[k].slot] *
                                jump->kets.elements[k].value);
  }
  (void)product;
}

/* Sums of moduli of each row: an infinity norm without a matrix, and what rounding is measured by. An
   upper limit: terms that cancel in an element are added as moduli. */
PetscErrorCode CospinProductRowSums(CospinProduct product, int ket, double sums[])
{
  const int width = width_of(product, ket), bra = first_bra(product, ket);
  double *re = product->work.tile, *im = re + width, left, right,
         *channels = (double *)product->work.channels;

  PetscFunctionBeginUser;
  left = PetscAbsScalar(element_at(&product->left, ket, ket, &right)) + right;
  diagonal_of(product, ket, re, im);
  for (int b = 0; b < width; b++) {
    const double own = PetscAbsScalar(element_at(&product->right, bra + b, b, &right));
    sums[b] = left + own + right + PetscSqrtReal(re[b] * re[b] + im[b] * im[b]);
  }
  for (int g = 0; g < product->num_jumps; g++) {
    const CospinChannels *jump = &product->jumps[g];
    const int first = jump->kets.first[ket];
    int source;
    if (first == jump->kets.first[ket + 1]) continue;
    source = width_of(product, jump->kets.elements[first].column);
    sum_channels(product, jump, ket, channels);
    for (int b = 0; b < width; b++) {
      for (int e = jump->bras.first[bra + b]; e < jump->bras.first[bra + b + 1]; e++)
        sums[b] +=
            PetscAbsScalar(jump->bras.elements[e].value) * channels[jump->bras.elements[e].column / source];
    }
  }
  PetscFunctionReturn(0);
}
