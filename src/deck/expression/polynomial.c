/*
   Sums of monomials. The monomials of a polynomial are kept sorted (short ones first, then by their
   elementary operators), so that equal monomials are found by bisection and equal polynomials are equal
   arrays. Coefficients that cancel to rounding (cospin/deck/rounding.h) are zero, and monomials without a
   coefficient are dropped.

   What commutes is put in order at once (operators of different components, and of different spins), so that
   a b and b a of two modes are one monomial. Operators of one component are never reordered: their
   commutators belong to the component, and moves do not need a normal order.

   An example with two modes: one.a*two.a and two.a*one.a are the same monomial; one.a*dag(one.a) and
   dag(one.a)*one.a are two, and stay two although they differ by 1 only, since with a cutoff they do not.
*/
#include <cospin/deck/polynomial.h>
#include <cospin/deck/rounding.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_MONOMIALS = 16 };

static int compare_ints(int a, int b)
{
  return (a > b) - (a < b);
}

/* Any order will do, as long as it is always the same. By component, then spin, then code of the
   elementary operator. */
static int compare_operators(const CospinElementary *a, const CospinElementary *b)
{
  int order = compare_ints(a->component, b->component);

  if (!order) order = compare_ints(a->spin, b->spin);
  return order ? order : compare_ints(a->code, b->code);
}

/* Shorter ones first: a polynomial's last monomial is its longest. */
static int compare_monomials(const void *a, const void *b)
{
  const CospinMonomial *x = a, *y = b;
  int order = compare_ints(x->length, y->length);

  for (int k = 0; k < x->length && !order; k++) order = compare_operators(&x->operators[k], &y->operators[k]);
  return order;
}

/* Whether b a is to be written a b: operators of different components commute, and those of different
   spins. spin < 0 is an operator of the component as a whole (a collective one), which is not moved past
   any other of it. */
static PetscBool is_before(const CospinElementary *a, const CospinElementary *b)
{
  if (a->component != b->component) return (PetscBool)(a->component < b->component);
  return (PetscBool)(a->spin >= 0 && b->spin >= 0 && a->spin < b->spin);
}

/* Stable, so that the order of what does not commute is kept; linear on what is sorted already. */
static void sort_commuting(int length, CospinElementary operators[])
{
  for (int k = 1; k < length; k++) {
    const CospinElementary elementary = operators[k];
    int place = k;

    for (; place > 0 && is_before(&elementary, &operators[place - 1]); place--)
      operators[place] = operators[place - 1];
    operators[place] = elementary;
  }
}

PetscErrorCode CospinPolynomialCreate(CospinPolynomial *p)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(p));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPolynomialDestroy(CospinPolynomial *p)
{
  PetscFunctionBeginUser;
  if (!*p) PetscFunctionReturn(0);
  for (int k = 0; k < (*p)->count; k++) PetscCall(PetscFree((*p)->monomials[k].operators));
  PetscCall(PetscFree((*p)->monomials));
  PetscCall(PetscFree(*p));
  PetscFunctionReturn(0);
}

/* At least doubled, so that adding one after the other stays linear. */
static PetscErrorCode reserve_monomials(CospinPolynomial p, int num_monomials)
{
  PetscFunctionBeginUser;
  if (num_monomials > p->capacity) {
    p->capacity = num_monomials > 2 * p->capacity ? num_monomials : 2 * p->capacity;
    PetscCall(PetscRealloc((size_t)p->capacity * sizeof(CospinMonomial), &p->monomials));
  }
  PetscFunctionReturn(0);
}

/* A monomial a b with its elementary operators in order. */
static PetscErrorCode create_monomial(double complex coefficient, int num_a, const CospinElementary a[],
                                      int num_b, const CospinElementary b[], CospinMonomial *monomial)
{
  PetscFunctionBeginUser;
  monomial->coefficient = coefficient;
  monomial->length = num_a + num_b;
  PetscCall(PetscMalloc1((size_t)monomial->length, &monomial->operators));
  if (num_a) memcpy(monomial->operators, a, (size_t)num_a * sizeof(CospinElementary));
  if (num_b) memcpy(monomial->operators + num_a, b, (size_t)num_b * sizeof(CospinElementary));
  sort_commuting(monomial->length, monomial->operators);
  PetscFunctionReturn(0);
}

/* The place of a monomial, or the place where it belongs. */
static int find_monomial(CospinPolynomial p, const CospinMonomial *monomial, PetscBool *found)
{
  int low = 0, high = p->count;

  *found = PETSC_FALSE;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    const int order = compare_monomials(&p->monomials[middle], monomial);

    if (!order) {
      *found = PETSC_TRUE;
      return middle;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* What has cancelled is forgotten, so that sums do not grow without bound. */
static PetscErrorCode remove_monomial(CospinPolynomial p, int place)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->monomials[place].operators));
  p->count--;
  memmove(&p->monomials[place], &p->monomials[place + 1],
          (size_t)(p->count - place) * sizeof(CospinMonomial));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPolynomialAddMonomial(CospinPolynomial p, double complex coefficient, int length,
                                           const CospinElementary operators[])
{
  CospinMonomial monomial;
  PetscBool found;

  PetscFunctionBeginUser;
  if (coefficient == 0) PetscFunctionReturn(0);
  PetscCall(create_monomial(coefficient, length, operators, 0, NULL, &monomial));
  const int place = find_monomial(p, &monomial, &found);
  if (found) {
    p->monomials[place].coefficient = CospinRoundedSum(p->monomials[place].coefficient, coefficient);
    PetscCall(PetscFree(monomial.operators));
    if (p->monomials[place].coefficient == 0) PetscCall(remove_monomial(p, place));
  } else {
    PetscCall(reserve_monomials(p, p->count + 1));
    memmove(&p->monomials[place + 1], &p->monomials[place],
            (size_t)(p->count - place) * sizeof(CospinMonomial));
    p->monomials[place] = monomial;
    p->count++;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPolynomialDuplicate(CospinPolynomial p, CospinPolynomial *copy)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(copy));
  PetscCall(CospinPolynomialAxpy(*copy, 1, p));
  PetscFunctionReturn(0);
}

/* Real factors are common; C's complex product would turn an infinite one into NaN + i NaN. */
static double complex multiply_numbers(double complex a, double complex b)
{
  if (cimag(a) == 0) return CMPLX(creal(a) * creal(b), cimag(b) == 0 ? 0 : creal(a) * cimag(b));
  if (cimag(b) == 0) return CMPLX(creal(a) * creal(b), cimag(a) * creal(b));
  return a * b;
}

/* Forgets the last of the first *count monomials if it has cancelled. */
static PetscErrorCode drop_zero(CospinPolynomial p, int *count)
{
  PetscFunctionBeginUser;
  if (*count == 0 || p->monomials[*count - 1].coefficient != 0) PetscFunctionReturn(0);
  *count -= 1;
  PetscCall(PetscFree(p->monomials[*count].operators));
  PetscFunctionReturn(0);
}

/* Sorts monomials that were appended in any order, merges equal ones and drops zeros. */
static PetscErrorCode merge_monomials(CospinPolynomial p)
{
  int count = 0;

  PetscFunctionBeginUser;
  if (p->count) qsort(p->monomials, (size_t)p->count, sizeof(CospinMonomial), compare_monomials);
  for (int k = 0; k < p->count; k++) {
    if (count > 0 && !compare_monomials(&p->monomials[count - 1], &p->monomials[k])) {
      p->monomials[count - 1].coefficient =
          CospinRoundedSum(p->monomials[count - 1].coefficient, p->monomials[k].coefficient);
      PetscCall(PetscFree(p->monomials[k].operators));
    } else {
      PetscCall(drop_zero(p, &count));
      p->monomials[count++] = p->monomials[k];
    }
  }
  PetscCall(drop_zero(p, &count));
  p->count = count;
  PetscFunctionReturn(0);
}

/* Few monomials find their places by bisection; of many each would push those behind it along, so they are
   appended and all are sorted once. */
PetscErrorCode CospinPolynomialAxpy(CospinPolynomial p, double complex factor, CospinPolynomial q)
{
  PetscFunctionBeginUser;
  if (p == q) { /* adding could remove monomials under our feet */
    CospinPolynomial copy;

    PetscCall(CospinPolynomialDuplicate(q, &copy));
    PetscCall(CospinPolynomialAxpy(p, factor, copy));
    PetscCall(CospinPolynomialDestroy(&copy));
    PetscFunctionReturn(0);
  }
  if (q->count > FEW_MONOMIALS) PetscCall(reserve_monomials(p, p->count + q->count));
  for (int k = 0; k < q->count; k++) {
    const CospinMonomial *monomial = &q->monomials[k];
    const double complex coefficient = multiply_numbers(factor, monomial->coefficient);

    if (q->count > FEW_MONOMIALS)
      PetscCall(create_monomial(coefficient, monomial->length, monomial->operators, 0, NULL,
                                &p->monomials[p->count++]));
    else
      PetscCall(CospinPolynomialAddMonomial(p, coefficient, monomial->length, monomial->operators));
  }
  if (q->count > FEW_MONOMIALS) PetscCall(merge_monomials(p));
  PetscFunctionReturn(0);
}

PetscBool CospinPolynomialNamesSpin(CospinPolynomial p, int spin)
{
  for (int k = 0; k < p->count; k++) {
    for (int l = 0; l < p->monomials[k].length; l++) {
      if (p->monomials[k].operators[l].spin == spin) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* All pairs first, then sorted and merged once: adding one after the other would be quadratic. The order
   of the factors is that of the operators: product = a b. */
PetscErrorCode CospinPolynomialMultiply(CospinPolynomial a, CospinPolynomial b, CospinPolynomial *product)
{
  CospinPolynomial p;

  PetscFunctionBeginUser;
  PetscCheck((double)a->count * b->count < INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "Product of %d and %d words", a->count, b->count);
  PetscCall(CospinPolynomialCreate(&p));
  PetscCall(reserve_monomials(p, a->count * b->count));
  for (int j = 0; j < a->count; j++) {
    for (int k = 0; k < b->count; k++) {
      const CospinMonomial *x = &a->monomials[j], *y = &b->monomials[k];

      PetscCall(create_monomial(multiply_numbers(x->coefficient, y->coefficient), x->length, x->operators,
                                y->length, y->operators, &p->monomials[p->count++]));
    }
  }
  PetscCall(merge_monomials(p));
  *product = p;
  PetscFunctionReturn(0);
}

/* (a b)^+ = b^+ a^+: reversed, each replaced by its adjoint, the coefficient conjugated. What an
   elementary operator's adjoint is only its component knows, hence the function. */
PetscErrorCode CospinPolynomialAdjoint(CospinPolynomial p, CospinElementaryAdjoint elementary_adjoint,
                                       const void *context, CospinPolynomial *adjoint)
{
  CospinPolynomial result;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&result));
  PetscCall(reserve_monomials(result, p->count));
  for (int k = 0; k < p->count; k++) {
    const CospinMonomial *monomial = &p->monomials[k];
    CospinMonomial *reversed = &result->monomials[result->count++];

    PetscCall(create_monomial(CMPLX(creal(monomial->coefficient), 0 - cimag(monomial->coefficient)),
                              monomial->length, monomial->operators, 0, NULL, reversed));
    for (int j = 0; j < monomial->length; j++)
      reversed->operators[j] = elementary_adjoint(context, monomial->operators[monomial->length - 1 - j]);
    sort_commuting(reversed->length, reversed->operators);
  }
  PetscCall(merge_monomials(result));
  *adjoint = result;
  PetscFunctionReturn(0);
}
