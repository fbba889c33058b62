/*
   Moments of more operators than the order, by lower ones: their joint cumulant is taken to be zero,

     <X1 ... Xn> = - sum over partitions into p >= 2 blocks of (-1)^(p-1) (p-1)! product of <block>

   (R. Kubo, J. Phys. Soc. Jpn. 17, 1100 (1962)), and blocks that are still too long likewise. Operators in a
   block stay in their order, which is normal. A moment that a symmetry makes zero is zero in here, too.

   What a long moment becomes is kept: equations meet the same one many times.
*/
#include "approximate/meanfield/meanfield.h"
#include "moments.h"
#include <math.h>
#include <string.h>

struct CospinMomentClosure_ {
  CospinMomentModel model;
  int order;
  PetscBool filter;
  CospinMomentSum *unknowns; /* borrowed */
  CospinMomentSum known;     /* keys that were closed */
  CospinMomentPolynomial *closed;
  int capacity;
};

/* One operator of a moment: an atom, or (atom NULL) a mode. */
typedef struct {
  const CospinMomentAtom *atom;
  int mode;
  PetscBool raise;
} Operator;

/* ---- Polynomials -----------------------------------------------------------------------------------------
 */

/* Factors are sorted, so equal products are equal rows. */
static PetscBool same_factors(const CospinMomentTerm *a, const CospinMomentTerm *b)
{
  if (a->num != b->num) return PETSC_FALSE;
  for (int k = 0; k < a->num; k++)
    if (a->factors[k] != b->factors[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Polynomials are short (a few dozen terms in fourth order), so like terms are looked for one by one. */
PetscErrorCode CospinMomentPolynomialAdd(CospinMomentPolynomial *p, const CospinMomentTerm *term)
{
  const double size = term->size > 0 ? term->size : cabs(term->coefficient);

  PetscFunctionBeginUser;
  for (int k = 0; k < p->count; k++) {
    if (!same_factors(&p->terms[k], term)) continue;
    p->terms[k].coefficient += term->coefficient;
    p->terms[k].size += size;
    PetscFunctionReturn(0);
  }
  if (p->count == p->capacity) {
    p->capacity = p->capacity ? 2 * p->capacity : 4;
    PetscCall(PetscRealloc(sizeof(*p->terms) * (size_t)p->capacity, &p->terms));
  }
  p->terms[p->count] = *term;
  p->terms[p->count++].size = size;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMomentPolynomialFree(CospinMomentPolynomial *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->terms));
  *p = (CospinMomentPolynomial){0};
  PetscFunctionReturn(0);
}

/* Factors of both, sorted. */
static PetscErrorCode multiply_terms(const CospinMomentTerm *a, const CospinMomentTerm *b,
                                     CospinMomentTerm *product)
{
  int i = 0, j = 0;

  PetscFunctionBeginUser;
  *product = (CospinMomentTerm){.coefficient = a->coefficient * b->coefficient, .size = a->size * b->size};
  PetscCheck(a->num + b->num <= COSPIN_MOMENT_FACTORS, PETSC_COMM_SELF, PETSC_ERR_PLIB, "Too many factors");
  while (i < a->num || j < b->num) {
    const PetscBool first = (PetscBool)(j == b->num || (i < a->num && a->factors[i] <= b->factors[j]));
    product->factors[product->num++] = first ? a->factors[i++] : b->factors[j++];
  }
  PetscFunctionReturn(0);
}

/* All products of terms, like ones collected. */
static PetscErrorCode multiply(const CospinMomentPolynomial *a, const CospinMomentPolynomial *b,
                               CospinMomentPolynomial *product)
{
  CospinMomentTerm term;

  PetscFunctionBeginUser;
  *product = (CospinMomentPolynomial){0};
  for (int i = 0; i < a->count; i++)
    for (int j = 0; j < b->count; j++) {
      PetscCall(multiply_terms(&a->terms[i], &b->terms[j], &term));
      PetscCall(CospinMomentPolynomialAdd(product, &term));
    }
  PetscFunctionReturn(0);
}

/* ---- Partitions ------------------------------------------------------------------------------------------
 */

/* In normal order: atoms, then of each mode a^+ before a. */
static int operators_of(const CospinMomentKey *key, Operator operators[])
{
  int n = 0;

  for (int k = 0; k < key->num_atoms; k++) operators[n++] = (Operator){&key->atoms[k], 0, PETSC_FALSE};
  for (int m = 0; m < COSPIN_MOMENT_MODES; m++) {
    for (int k = 0; k < key->raise[m]; k++) operators[n++] = (Operator){NULL, m, PETSC_TRUE};
    for (int k = 0; k < key->lower[m]; k++) operators[n++] = (Operator){NULL, m, PETSC_FALSE};
  }
  return n;
}

/* The operators of one block as a key, cleared first, for all its bytes count. */
static CospinMomentKey key_of_block(int n, const Operator operators[], const int block[], int b)
{
  CospinMomentKey key;

  memset(&key, 0, sizeof(key));
  for (int k = 0; k < n; k++) {
    if (block[k] != b) continue;
    if (operators[k].atom)
      key.atoms[key.num_atoms++] = *operators[k].atom;
    else if (operators[k].raise)
      key.raise[operators[k].mode]++;
    else
      key.lower[operators[k].mode]++;
  }
  CospinMomentSort(&key);
  return key;
}

/* For whoever closes products with an operator that is no letter (regression.c). */
CospinMomentKey CospinMomentBlock(const CospinMomentKey *key, const int block[], int b)
{
  Operator operators[2 * COSPIN_MOMENT_LETTERS];

  return key_of_block(operators_of(key, operators), operators, block, b);
}

static PetscErrorCode find_closed(CospinMomentClosure closure, const CospinMomentKey *key, int *place);

/* p += coefficient * product of the blocks of one partition */
static PetscErrorCode add_partition(CospinMomentClosure closure, int n, const Operator operators[],
                                    const int block[], CospinMomentPolynomial *p)
{
  const CospinMomentTerm one = {.coefficient = 1.0};
  CospinMomentPolynomial product = {0}, next;
  int num_blocks = 0;
  double factor;

  PetscFunctionBeginUser;
  for (int k = 0; k < n; k++) num_blocks = PetscMax(num_blocks, block[k] + 1);
  factor = CospinMeanCumulantSign(num_blocks);
  PetscCall(CospinMomentPolynomialAdd(&product, &one));
  for (int b = 0; b < num_blocks && product.count; b++) {
    const CospinMomentKey key = key_of_block(n, operators, block, b);
    int place;
    PetscCall(find_closed(closure, &key, &place));
    PetscCall(multiply(&product, &closure->closed[place], &next));
    PetscCall(CospinMomentPolynomialFree(&product));
    product = next;
  }
  for (int t = 0; t < product.count; t++) {
    product.terms[t].coefficient *= -factor;
    product.terms[t].size *= fabs(factor);
    PetscCall(CospinMomentPolynomialAdd(p, &product.terms[t]));
  }
  PetscCall(CospinMomentPolynomialFree(&product));
  PetscFunctionReturn(0);
}

/* Closes a key that was not met before. */
static PetscErrorCode close_key(CospinMomentClosure closure, const CospinMomentKey *key,
                                CospinMomentPolynomial *p)
{
  const int n = CospinMomentOperators(key);
  Operator operators[2 * COSPIN_MOMENT_LETTERS];
  int block[2 * COSPIN_MOMENT_LETTERS] = {0}, index;
  PetscBool conjugate;

  PetscFunctionBeginUser;
  *p = (CospinMomentPolynomial){0};
  if (closure->filter && CospinMomentIsCharged(closure->model, key)) PetscFunctionReturn(0);
  if (n <= closure->order) {
    CospinMomentTerm term = {.coefficient = 1.0};
    if (n) {
      const CospinMomentKey canonical = CospinMomentCanonical(key, &conjugate);
      PetscCall(CospinMomentSumAdd(closure->unknowns, &canonical, 0.0, &index));
      term.factors[term.num++] = 2 * index + (conjugate ? 1 : 0);
    }
    PetscCall(CospinMomentPolynomialAdd(p, &term));
    PetscFunctionReturn(0);
  }
  (void)operators_of(key, operators);
  while (CospinMeanNextPartition(n, block)) PetscCall(add_partition(closure, n, operators, block, p));
  PetscFunctionReturn(0);
}

/* Of a key that is known already nothing is computed. The place is taken after the closing, since that may
   add keys of its own. */
static PetscErrorCode find_closed(CospinMomentClosure closure, const CospinMomentKey *key, int *place)
{
  CospinMomentPolynomial p;

  PetscFunctionBeginUser;
  *place = CospinMomentSumFind(&closure->known, key);
  if (*place >= 0) PetscFunctionReturn(0);
  PetscCall(close_key(closure, key, &p));
  PetscCall(CospinMomentSumAdd(&closure->known, key, 0.0, place));
  if (*place >= closure->capacity) {
    closure->capacity = closure->capacity ? 2 * closure->capacity : 32;
    PetscCall(PetscRealloc(sizeof(p) * (size_t)closure->capacity, &closure->closed));
  }
  closure->closed[*place] = p;
  PetscFunctionReturn(0);
}

/* A charged moment closes to nothing, and so adds nothing. */
PetscErrorCode CospinMomentClose(CospinMomentClosure closure, const CospinMomentKey *key,
                                 double complex factor, CospinMomentPolynomial *p)
{
  int place;

  PetscFunctionBeginUser;
  PetscCall(find_closed(closure, key, &place));
  for (int t = 0; t < closure->closed[place].count; t++) {
    CospinMomentTerm term = closure->closed[place].terms[t];
    term.coefficient *= factor;
    term.size *= cabs(factor);
    PetscCall(CospinMomentPolynomialAdd(p, &term));
  }
  PetscFunctionReturn(0);
}

/* A moment that a symmetry makes zero loses nothing. */
PetscBool CospinMomentClosureCuts(CospinMomentClosure closure)
{
  for (int k = 0; k < closure->known.count; k++)
    if (CospinMomentOperators(&closure->known.keys[k]) > closure->order && closure->closed[k].count)
      return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode CospinMomentClosureCreate(CospinMomentModel model, int order, PetscBool filter,
                                         CospinMomentSum *unknowns, CospinMomentClosure *closure)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(closure));
  (*closure)->model = model;
  (*closure)->order = order;
  (*closure)->filter = filter;
  (*closure)->unknowns = unknowns;
  PetscFunctionReturn(0);
}

/* The unknowns belong to whoever made the closure. */
PetscErrorCode CospinMomentClosureDestroy(CospinMomentClosure *closure)
{
  PetscFunctionBeginUser;
  if (!*closure) PetscFunctionReturn(0);
  for (int k = 0; k < (*closure)->known.count; k++)
    PetscCall(CospinMomentPolynomialFree(&(*closure)->closed[k]));
  PetscCall(PetscFree((*closure)->closed));
  PetscCall(CospinMomentSumFree(&(*closure)->known));
  PetscCall(PetscFree(*closure));
  PetscFunctionReturn(0);
}
