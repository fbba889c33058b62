/*
   How terms become a product: which of them act on one side only, which are multiplied together.

   Terms c A rho B^+ are of three kinds: A or B the identity (H rho and rho K, sparse matrices of one
   side), both staying where they are (an elementwise product d rho), and jumps, where both move something.
   Jumps with common monomials are a matrix C of coefficients; a factorisation of low rank of C says
   through how few channels Y_c = sum_a u_ac A_a rho the jumps can go.
*/
#include "product.h"

/* What a product of one element costs: in dense products, and gathered from a sparse row. */
static const double dense_cost = 0.3, sparse_cost = 1.0;

/* A product in the making, with what is tabulated of its monomials. */
typedef struct {
  CospinTerms terms;
  CospinProduct product;
  int *to; /* workspace, [keys] */
  double *factor;
  PetscBool *diagonal[2]; /* [side][monomial] of monomials that stand beside another one */
  int *group[2];          /* [side][monomial] which monomials occur together; -1: none */
  int *index[2];          /* [side][monomial] number within the group */
} Builder;

/* The transposed product swaps rows and columns of every table. */
static CospinElement element_of(const Builder *builder, int from, int to, int slot, PetscScalar value)
{
  if (builder->product->transposed) return (CospinElement){from, to, slot, value};
  return (CospinElement){to, from, slot, value};
}

/* ---- One side ------------------------------------------------------------------------------------------ */

/* Numbers of bras count from the first of their block. */
static int place_of(CospinSides sides, CospinSide side, int key)
{
  return key - sides->first[side][sides->block[side][key]];
}

/* sum of coefficient * monomial over the monomials that have none on the other side */
static PetscErrorCode add_one_side(Builder *builder, CospinSide side, CospinRows *rows)
{
  const CospinTerms terms = builder->terms;
  const CospinSides sides = builder->product->sides;
  PetscScalar *coefficients;
  PetscBool diagonal;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)terms->num_monomials[side], &coefficients));
  for (int t = 0; t < terms->count; t++) {
    const CospinTerm *term = &terms->terms[t];
    if (term->monomial[1 - side] != 0 || (side == COSPIN_BRA && term->monomial[side] == 0)) continue;
    coefficients[term->monomial[side]] += (PetscScalar)term->coefficient;
  }
  for (int w = 0; w < terms->num_monomials[side]; w++) {
    if (coefficients[w] == 0.0) continue;
    CospinTermsTabulate(terms, sides, side, w, builder->to, builder->factor, &diagonal);
    for (int k = 0; k < sides->count[side]; k++) {
      if (builder->to[k] < 0) continue;
      CospinElement element = element_of(builder, k, builder->to[k], 0, coefficients[w] * builder->factor[k]);
      if (side == COSPIN_BRA) element.column = place_of(sides, side, element.column);
      PetscCall(CospinRowsAdd(rows, element));
    }
  }
  PetscCall(CospinRowsFinish(rows, sides->count[side]));
  PetscCall(PetscFree(coefficients));
  PetscFunctionReturn(0);
}

/* ---- Both sides ---------------------------------------------------------------------------------------- */

/* Monomial 0 is the identity: a term with an identity on one side is a product from one side. */
static PetscBool is_jump(const CospinTerm *term)
{
  return (PetscBool)(term->monomial[COSPIN_KET] && term->monomial[COSPIN_BRA]);
}

/* Both monomials lead every key to itself. */
static PetscBool stays(const Builder *builder, const CospinTerm *term)
{
  return (PetscBool)(builder->diagonal[COSPIN_KET][term->monomial[COSPIN_KET]] &&
                     builder->diagonal[COSPIN_BRA][term->monomial[COSPIN_BRA]]);
}

/* Which of the monomials in jumps move nothing. */
static PetscErrorCode find_diagonal(Builder *builder)
{
  const CospinTerms terms = builder->terms;

  PetscFunctionBeginUser;
  for (int s = 0; s < 2; s++) {
    PetscBool *used;
    PetscCall(PetscCalloc1((size_t)terms->num_monomials[s], &used));
    PetscCall(PetscCalloc1((size_t)terms->num_monomials[s], &builder->diagonal[s]));
    for (int t = 0; t < terms->count; t++) {
      if (is_jump(&terms->terms[t])) used[terms->terms[t].monomial[s]] = PETSC_TRUE;
    }
    for (int w = 0; w < terms->num_monomials[s]; w++) {
      if (used[w])
        CospinTermsTabulate(terms, builder->product->sides, (CospinSide)s, w, builder->to, builder->factor,
                            &builder->diagonal[s][w]);
    }
    PetscCall(PetscFree(used));
  }
  PetscFunctionReturn(0);
}

/* Number of a monomial among those of its side and group. */
static void number_monomials(Builder *builder, int group, int num[2])
{
  for (int s = 0; s < 2; s++) {
    num[s] = 0;
    for (int w = 0; w < builder->terms->num_monomials[s]; w++) {
      if (builder->group[s][w] == group) builder->index[s][w] = num[s]++;
    }
  }
}

/* C of a group, [bra][ket], of terms that move something or of those that do not. */
static PetscErrorCode couple(const Builder *builder, int group, PetscBool staying, const int num[2],
                             PetscScalar **coupling)
{
  const CospinTerms terms = builder->terms;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)num[COSPIN_KET] * (size_t)num[COSPIN_BRA] + 1, coupling));
  for (int t = 0; t < terms->count; t++) {
    const CospinTerm *term = &terms->terms[t];
    const int ket = term->monomial[COSPIN_KET], bra = term->monomial[COSPIN_BRA];
    if (!is_jump(term) || stays(builder, term) != staying) continue;
    if (builder->group[COSPIN_KET][ket] != group || builder->group[COSPIN_BRA][bra] != group) continue;
    (*coupling)[builder->index[COSPIN_BRA][bra] * num[COSPIN_KET] + builder->index[COSPIN_KET][ket]] +=
        (PetscScalar)term->coefficient;
  }
  PetscFunctionReturn(0);
}

/* Group 0: monomials of terms that move nothing. A monomial may be in it and in another group, so it is done
 * first.
 */
static PetscErrorCode add_diagonal(Builder *builder)
{
  const CospinTerms terms = builder->terms;
  const CospinSides sides = builder->product->sides;
  CospinDiagonal *diagonal = &builder->product->diagonal;
  PetscBool ignored;

  PetscFunctionBeginUser;
  for (int t = 0; t < terms->count; t++) {
    const CospinTerm *term = &terms->terms[t];
    if (!is_jump(term) || !stays(builder, term)) continue;
    for (int s = 0; s < 2; s++) builder->group[s][term->monomial[s]] = 0;
  }
  number_monomials(builder, 0, diagonal->num);
  PetscCall(couple(builder, 0, PETSC_TRUE, diagonal->num, &diagonal->coupling));
  for (int s = 0; s < 2; s++) {
    const size_t count = (size_t)sides->count[s];
    PetscCall(PetscMalloc1((size_t)diagonal->num[s] * count + 1, &diagonal->factors[s]));
    for (int w = 0; w < terms->num_monomials[s]; w++) {
      if (builder->group[s][w] != 0) continue;
      CospinTermsTabulate(terms, sides, (CospinSide)s, w, builder->to, builder->factor, &ignored);
      for (size_t k = 0; k < count; k++)
        diagonal->factors[s][(size_t)builder->index[s][w] * count + k] =
            builder->to[k] < 0 ? 0.0 : builder->factor[k];
      builder->group[s][w] = -1;
    }
  }
  PetscFunctionReturn(0);
}

/* Monomials that occur together, directly or by others, get the number of their group: 0, 1, ... Monomials
 * that no term joins need not be multiplied together. */
static void find_groups(Builder *builder, int *num_groups)
{
  const CospinTerms terms = builder->terms;
  PetscBool changed = PETSC_TRUE;

  *num_groups = 0;
  for (int t = 0; t < terms->count; t++) {
    const CospinTerm *seed = &terms->terms[t];
    if (!is_jump(seed) || stays(builder, seed) || builder->group[COSPIN_KET][seed->monomial[COSPIN_KET]] >= 0)
      continue;
    builder->group[COSPIN_KET][seed->monomial[COSPIN_KET]] = *num_groups;
    for (changed = PETSC_TRUE; changed;) {
      changed = PETSC_FALSE;
      for (int u = t; u < terms->count; u++) {
        const CospinTerm *term = &terms->terms[u];
        int *ket = &builder->group[COSPIN_KET][term->monomial[COSPIN_KET]],
            *bra = &builder->group[COSPIN_BRA][term->monomial[COSPIN_BRA]];
        if (!is_jump(term) || stays(builder, term)) continue;
        if ((*ket == *num_groups) == (*bra == *num_groups)) continue;
        *ket = *bra = *num_groups;
        changed = PETSC_TRUE;
      }
    }
    (*num_groups)++;
  }
}

/* C = sum_c u_c v_c^T by elimination with complete pivoting; `rest`, [bra][ket], is overwritten. */
static PetscErrorCode factorise(const int num[2], PetscScalar rest[], int *rank, PetscScalar u[],
                                PetscScalar v[])
{
  const int kets = num[COSPIN_KET], bras = num[COSPIN_BRA];
  double scale = 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < kets * bras; k++) scale = PetscMax(scale, PetscAbsScalar(rest[k]));
  for (*rank = 0; *rank < PetscMin(kets, bras); (*rank)++) {
    int pivot = 0, p, q;
    for (int k = 0; k < kets * bras; k++) {
      if (PetscAbsScalar(rest[k]) > PetscAbsScalar(rest[pivot])) pivot = k;
    }
    if (PetscAbsScalar(rest[pivot]) <= 4 * PETSC_MACHINE_EPSILON * scale) break;
    p = pivot % kets;
    q = pivot / kets;
    for (int a = 0; a < kets; a++) u[*rank * kets + a] = rest[q * kets + a];
    for (int b = 0; b < bras; b++) v[*rank * bras + b] = rest[b * kets + p] / rest[pivot];
    for (int b = 0; b < bras; b++) {
      for (int a = 0; a < kets; a++) rest[b * kets + a] -= u[*rank * kets + a] * v[*rank * bras + b];
    }
  }
  PetscFunctionReturn(0);
}

/* Channels of least cost: *v is NULL for row by row, when u is C itself. Whichever takes less work: the
 * factors, or C row by row. */
static PetscErrorCode choose_channels(const int num[2], const PetscScalar coupling[], int *rank,
                                      PetscScalar **u, PetscScalar **v)
{
  const int kets = num[COSPIN_KET], bras = num[COSPIN_BRA], most = PetscMin(kets, bras);
  PetscScalar *rest;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(kets * bras), &rest));
  PetscCall(PetscMalloc1((size_t)(kets * bras), u));
  PetscCall(PetscMalloc1((size_t)(most * bras), v));
  PetscCall(PetscArraycpy(rest, coupling, kets * bras));
  PetscCall(factorise(num, rest, rank, *u, *v));
  PetscCall(PetscFree(rest));
  if (*rank * (kets * dense_cost + bras * sparse_cost) > bras * (kets * dense_cost + sparse_cost)) {
    PetscCall(PetscArraycpy(*u, coupling, kets * bras));
    PetscCall(PetscFree(*v));
    *rank = bras;
  }
  PetscFunctionReturn(0);
}

/* What the ket side of a jump does: for each key where it goes, with which factor, into which monomial's
   slot. */
static PetscErrorCode add_jump_kets(Builder *builder, int group, CospinRows *rows)
{
  const CospinSides sides = builder->product->sides;
  PetscBool diagonal;

  PetscFunctionBeginUser;
  for (int w = 0; w < builder->terms->num_monomials[COSPIN_KET]; w++) {
    if (builder->group[COSPIN_KET][w] != group) continue;
    CospinTermsTabulate(builder->terms, sides, COSPIN_KET, w, builder->to, builder->factor, &diagonal);
    for (int k = 0; k < sides->count[COSPIN_KET]; k++) {
      if (builder->to[k] >= 0)
        PetscCall(CospinRowsAdd(
            rows, element_of(builder, k, builder->to[k], builder->index[COSPIN_KET][w], builder->factor[k])));
    }
  }
  PetscCall(CospinRowsFinish(rows, sides->count[COSPIN_KET]));
  PetscFunctionReturn(0);
}

/* The same of the bra side, once for each channel that reads it. */
static PetscErrorCode add_jump_bras(Builder *builder, int group, int bras, int num_channels,
                                    const PetscScalar v[], CospinRows *rows)
{
  const CospinSides sides = builder->product->sides;
  PetscBool diagonal;

  PetscFunctionBeginUser;
  for (int w = 0; w < builder->terms->num_monomials[COSPIN_BRA]; w++) {
    const int b = builder->index[COSPIN_BRA][w];
    if (builder->group[COSPIN_BRA][w] != group) continue;
    CospinTermsTabulate(builder->terms, sides, COSPIN_BRA, w, builder->to, builder->factor, &diagonal);
    for (int k = 0; k < sides->count[COSPIN_BRA]; k++) {
      for (int c = 0; c < num_channels && builder->to[k] >= 0; c++) {
        const PetscScalar share = v ? v[c * bras + b] : c == b;
        CospinElement element = element_of(builder, k, builder->to[k], 0, share * builder->factor[k]);
        const int source = element.column, width = CospinSidesWidth(sides, sides->block[COSPIN_BRA][source]);
        if (share == 0.0) continue;
        element.column = c * width + place_of(sides, COSPIN_BRA, source);
        PetscCall(CospinRowsAdd(rows, element));
      }
    }
  }
  PetscCall(CospinRowsFinish(rows, sides->count[COSPIN_BRA]));
  PetscFunctionReturn(0);
}

/* One group of monomials that share terms. The coupling matrix between its ket and bra monomials is
   factorised, and as many channels are kept as its rank. */
static PetscErrorCode add_jump(Builder *builder, int group, CospinChannels *jump)
{
  PetscScalar *coupling, *v;
  int num[2];

  PetscFunctionBeginUser;
  number_monomials(builder, group, num);
  PetscCall(couple(builder, group, PETSC_FALSE, num, &coupling));
  jump->num_rows = num[COSPIN_KET];
  PetscCall(choose_channels(num, coupling, &jump->num_channels, &jump->mix, &v));
  PetscCall(add_jump_kets(builder, group, &jump->kets));
  PetscCall(add_jump_bras(builder, group, num[COSPIN_BRA], jump->num_channels, v, &jump->bras));
  for (int k = 0; k < builder->product->sides->count[COSPIN_KET]; k++)
    jump->most = PetscMax(jump->most, jump->kets.first[k + 1] - jump->kets.first[k]);
  PetscCall(PetscFree(v));
  PetscCall(PetscFree(coupling));
  PetscFunctionReturn(0);
}

/* As large as the largest row of all jumps needs; made once, for products may be asked for from within an
   eigensolver. */
static PetscErrorCode create_workspace(CospinProduct product)
{
  const CospinSides sides = product->sides;
  size_t packed = 1, weights = 1, channels = 1, width;

  PetscFunctionBeginUser;
  for (int b = 0; b < sides->num_blocks; b++)
    product->widest = PetscMax(product->widest, CospinSidesWidth(sides, b));
  width = (size_t)product->widest;
  for (int g = 0; g < product->num_jumps; g++) {
    const CospinChannels *jump = &product->jumps[g];
    packed = PetscMax(packed, (size_t)jump->most * width);
    weights = PetscMax(weights, (size_t)jump->most * (size_t)jump->num_channels);
    channels = PetscMax(channels, (size_t)jump->num_channels * width);
  }
  PetscCall(PetscMalloc4(packed, &product->work.packed, weights, &product->work.weights, channels,
                         &product->work.channels, 2 * COSPIN_PRODUCT_BATCH * width + 1, &product->work.tile));
  PetscFunctionReturn(0);
}

static PetscErrorCode free_builder(Builder *builder)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < 2; s++) {
    PetscCall(PetscFree(builder->diagonal[s]));
    PetscCall(PetscFree2(builder->group[s], builder->index[s]));
  }
  PetscCall(PetscFree2(builder->to, builder->factor));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProductCreate(CospinTerms terms, CospinSides sides, PetscBool transposed,
                                   CospinProduct *product)
{
  const size_t most = (size_t)PetscMax(sides->count[COSPIN_KET], sides->count[COSPIN_BRA]);
  Builder builder = {.terms = terms};

  PetscFunctionBeginUser;
  PetscCall(PetscNew(product));
  builder.product = *product;
  (*product)->sides = sides;
  (*product)->transposed = transposed;
  PetscCall(PetscMalloc2(most, &builder.to, most, &builder.factor));
  for (int s = 0; s < 2; s++) {
    const size_t monomials = (size_t)terms->num_monomials[s];
    PetscCall(PetscMalloc2(monomials, &builder.group[s], monomials, &builder.index[s]));
    for (size_t w = 0; w < monomials; w++) builder.group[s][w] = -1;
  }
  PetscCall(add_one_side(&builder, COSPIN_KET, &(*product)->left));
  PetscCall(add_one_side(&builder, COSPIN_BRA, &(*product)->right));
  PetscCall(find_diagonal(&builder));
  PetscCall(add_diagonal(&builder));
  find_groups(&builder, &(*product)->num_jumps);
  PetscCall(PetscCalloc1((size_t)(*product)->num_jumps + 1, &(*product)->jumps));
  for (int g = 0; g < (*product)->num_jumps; g++) PetscCall(add_jump(&builder, g, &(*product)->jumps[g]));
  PetscCall(create_workspace(*product));
  PetscCall(free_builder(&builder));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinProductDestroy(CospinProduct *product)
{
  PetscFunctionBeginUser;
  if (!*product) PetscFunctionReturn(0);
  PetscCall(CospinRowsDestroy(&(*product)->left));
  PetscCall(CospinRowsDestroy(&(*product)->right));
  for (int s = 0; s < 2; s++) PetscCall(PetscFree((*product)->diagonal.factors[s]));
  PetscCall(PetscFree((*product)->diagonal.coupling));
  for (int g = 0; g < (*product)->num_jumps; g++) {
    PetscCall(PetscFree((*product)->jumps[g].mix));
    PetscCall(CospinRowsDestroy(&(*product)->jumps[g].kets));
    PetscCall(CospinRowsDestroy(&(*product)->jumps[g].bras));
  }
  PetscCall(PetscFree((*product)->jumps));
  PetscCall(PetscFree4((*product)->work.packed, (*product)->work.weights, (*product)->work.channels,
                       (*product)->work.tile));
  PetscCall(PetscFree(*product));
  PetscFunctionReturn(0);
}
