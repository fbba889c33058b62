/*
   Sums of words. The words of a polynomial are kept sorted (short ones first, then by their letters), so that
   equal words are found by bisection and equal polynomials are equal arrays. Coefficients that cancel to
   rounding (cospin/deck/rounding.h) are zero, and words without a coefficient are dropped.
*/
#include <cospin/deck/polynomial.h>
#include <cospin/deck/rounding.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int Compare_Ints(int a, int b)
{
  return (a > b) - (a < b);
}

static int Compare_Letters(const CospinLetter *a, const CospinLetter *b)
{
  int order = Compare_Ints(a->component, b->component);

  if (!order) order = Compare_Ints(a->spin, b->spin);
  return order ? order : Compare_Ints(a->code, b->code);
}

static int Compare_Words(const void *a, const void *b)
{
  const CospinWord *x = a, *y = b;
  int order = Compare_Ints(x->length, y->length);

  for (int k = 0; k < x->length && !order; k++) order = Compare_Letters(&x->letters[k], &y->letters[k]);
  return order;
}

/* Whether b a is to be written a b: operators of different components commute, and those of different spins.
 */
static PetscBool Is_Before(const CospinLetter *a, const CospinLetter *b)
{
  if (a->component != b->component) return (PetscBool)(a->component < b->component);
  return (PetscBool)(a->spin >= 0 && b->spin >= 0 && a->spin < b->spin);
}

/* Stable, so that the order of what does not commute is kept; linear on what is sorted already. */
static void Sort_Commuting(int length, CospinLetter letters[])
{
  for (int k = 1; k < length; k++) {
    const CospinLetter letter = letters[k];
    int place = k;

    for (; place > 0 && Is_Before(&letter, &letters[place - 1]); place--) letters[place] = letters[place - 1];
    letters[place] = letter;
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
  for (int k = 0; k < (*p)->count; k++) PetscCall(PetscFree((*p)->words[k].letters));
  PetscCall(PetscFree((*p)->words));
  PetscCall(PetscFree(*p));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reserve_Words(CospinPolynomial p, int num_words)
{
  PetscFunctionBeginUser;
  if (num_words > p->capacity) {
    p->capacity = num_words > 2 * p->capacity ? num_words : 2 * p->capacity;
    PetscCall(PetscRealloc((size_t)p->capacity * sizeof(CospinWord), &p->words));
  }
  PetscFunctionReturn(0);
}

/* A word a b with its letters in order. */
static PetscErrorCode Create_Word(double complex coefficient, int num_a, const CospinLetter a[], int num_b,
                                  const CospinLetter b[], CospinWord *word)
{
  PetscFunctionBeginUser;
  word->coefficient = coefficient;
  word->length = num_a + num_b;
  PetscCall(PetscMalloc1((size_t)word->length, &word->letters));
  if (num_a) memcpy(word->letters, a, (size_t)num_a * sizeof(CospinLetter));
  if (num_b) memcpy(word->letters + num_a, b, (size_t)num_b * sizeof(CospinLetter));
  Sort_Commuting(word->length, word->letters);
  PetscFunctionReturn(0);
}

/* The place of a word, or the place where it belongs. */
static int Find_Word(CospinPolynomial p, const CospinWord *word, PetscBool *found)
{
  int low = 0, high = p->count;

  *found = PETSC_FALSE;
  while (low < high) {
    const int middle = low + (high - low) / 2;
    const int order = Compare_Words(&p->words[middle], word);

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

static PetscErrorCode Remove_Word(CospinPolynomial p, int place)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(p->words[place].letters));
  p->count--;
  memmove(&p->words[place], &p->words[place + 1], (size_t)(p->count - place) * sizeof(CospinWord));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPolynomialAddWord(CospinPolynomial p, double complex coefficient, int length,
                                       const CospinLetter letters[])
{
  CospinWord word;
  PetscBool found;

  PetscFunctionBeginUser;
  if (coefficient == 0) PetscFunctionReturn(0);
  PetscCall(Create_Word(coefficient, length, letters, 0, NULL, &word));
  const int place = Find_Word(p, &word, &found);
  if (found) {
    p->words[place].coefficient = CospinRoundedSum(p->words[place].coefficient, coefficient);
    PetscCall(PetscFree(word.letters));
    if (p->words[place].coefficient == 0) PetscCall(Remove_Word(p, place));
  } else {
    PetscCall(Reserve_Words(p, p->count + 1));
    memmove(&p->words[place + 1], &p->words[place], (size_t)(p->count - place) * sizeof(CospinWord));
    p->words[place] = word;
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
static double complex Multiply_Numbers(double complex a, double complex b)
{
  if (cimag(a) == 0) return CMPLX(creal(a) * creal(b), cimag(b) == 0 ? 0 : creal(a) * cimag(b));
  if (cimag(b) == 0) return CMPLX(creal(a) * creal(b), cimag(a) * creal(b));
  return a * b;
}

PetscErrorCode CospinPolynomialAxpy(CospinPolynomial p, double complex factor, CospinPolynomial q)
{
  PetscFunctionBeginUser;
  if (p == q) { /* adding could remove words under our feet */
    CospinPolynomial copy;

    PetscCall(CospinPolynomialDuplicate(q, &copy));
    PetscCall(CospinPolynomialAxpy(p, factor, copy));
    PetscCall(CospinPolynomialDestroy(&copy));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < q->count; k++) {
    const CospinWord *word = &q->words[k];

    PetscCall(
        CospinPolynomialAddWord(p, Multiply_Numbers(factor, word->coefficient), word->length, word->letters));
  }
  PetscFunctionReturn(0);
}

/* Forgets the last of the first *count words if it has cancelled. */
static PetscErrorCode Drop_Zero(CospinPolynomial p, int *count)
{
  PetscFunctionBeginUser;
  if (*count == 0 || p->words[*count - 1].coefficient != 0) PetscFunctionReturn(0);
  *count -= 1;
  PetscCall(PetscFree(p->words[*count].letters));
  PetscFunctionReturn(0);
}

/* Sorts words that were appended in any order, merges equal ones and drops zeros. */
static PetscErrorCode Merge_Words(CospinPolynomial p)
{
  int count = 0;

  PetscFunctionBeginUser;
  if (p->count) qsort(p->words, (size_t)p->count, sizeof(CospinWord), Compare_Words);
  for (int k = 0; k < p->count; k++) {
    if (count > 0 && !Compare_Words(&p->words[count - 1], &p->words[k])) {
      p->words[count - 1].coefficient =
          CospinRoundedSum(p->words[count - 1].coefficient, p->words[k].coefficient);
      PetscCall(PetscFree(p->words[k].letters));
    } else {
      PetscCall(Drop_Zero(p, &count));
      p->words[count++] = p->words[k];
    }
  }
  PetscCall(Drop_Zero(p, &count));
  p->count = count;
  PetscFunctionReturn(0);
}

PetscBool CospinPolynomialNamesSpin(CospinPolynomial p, int spin)
{
  for (int k = 0; k < p->count; k++) {
    for (int l = 0; l < p->words[k].length; l++) {
      if (p->words[k].letters[l].spin == spin) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

PetscErrorCode CospinPolynomialMultiply(CospinPolynomial a, CospinPolynomial b, CospinPolynomial *product)
{
  CospinPolynomial p;

  PetscFunctionBeginUser;
  PetscCheck((double)a->count * b->count < INT_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "Product of %d and %d words", a->count, b->count);
  PetscCall(CospinPolynomialCreate(&p));
  PetscCall(Reserve_Words(p, a->count * b->count));
  for (int j = 0; j < a->count; j++) {
    for (int k = 0; k < b->count; k++) {
      const CospinWord *x = &a->words[j], *y = &b->words[k];

      PetscCall(Create_Word(Multiply_Numbers(x->coefficient, y->coefficient), x->length, x->letters,
                            y->length, y->letters, &p->words[p->count++]));
    }
  }
  PetscCall(Merge_Words(p));
  *product = p;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPolynomialAdjoint(CospinPolynomial p, CospinLetterAdjoint letter_adjoint,
                                       const void *context, CospinPolynomial *adjoint)
{
  CospinPolynomial result;

  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialCreate(&result));
  PetscCall(Reserve_Words(result, p->count));
  for (int k = 0; k < p->count; k++) {
    const CospinWord *word = &p->words[k];
    CospinWord *reversed = &result->words[result->count++];

    PetscCall(Create_Word(CMPLX(creal(word->coefficient), 0 - cimag(word->coefficient)), word->length,
                          word->letters, 0, NULL, reversed));
    for (int j = 0; j < word->length; j++)
      reversed->letters[j] = letter_adjoint(context, word->letters[word->length - 1 - j]);
    Sort_Commuting(reversed->length, reversed->letters);
  }
  PetscCall(Merge_Words(result));
  *adjoint = result;
  PetscFunctionReturn(0);
}
