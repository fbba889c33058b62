/*
   Mean-field equations from the terms of a deck.

   A word of sums over spins, w = r x(m): each choice of letters that act on spin m leaves a product x of them
   there and a word r of the others on all other spins. A term of H with these gives i <r> <[x, X]>, two words
   of a jump <r'^+ r> <x'^+ X x - 1/2 {x'^+ x, X}>. For a mode [a, .] takes away one a^+ of a word after the
   other.
*/
#include "meanfield.h"
#include <string.h>

enum { MOST_TOGETHER = 2 }; /* sums over spins and operators of modes in one product */

typedef struct {
  CospinMeanField field;
  CospinProblem problem;
  const char *task;
  CospinFaults faults;
  PetscBool *ok;
} Builder;

/* A word as letters of the field. */
typedef struct {
  double complex coefficient;
  int length;
  CospinMeanLetter letters[COSPIN_MEAN_MOST_LETTERS];
} Word;

/* What a word is: a number, on one spin, of sums over spins and modes, or beyond the class. */
typedef enum { NUMBER, ON_ONE_SPIN, OF_SUMS, BEYOND } Form;

static const CospinMeanPauli one = {{1.0}}, observed_s = {{0, 1.0, 0, 0}}, observed_z = {{0, 0, 0, 1.0}};

/* ---- Words
 * --------------------------------------------------------------------------------------------------- */

static Form form_of(const Builder *builder, const CospinWord *word, Word *read)
{
  const CospinMeanField field = builder->field;
  PetscBool single = PETSC_TRUE, sums = PETSC_TRUE;
  double factor;

  if (word->length == 0) {
    *read = (Word){.coefficient = word->coefficient};
    return NUMBER;
  }
  if (!CospinMeanLetters(builder->problem, word, read->letters, &factor)) return BEYOND;
  read->coefficient = factor * word->coefficient;
  read->length = word->length;
  for (int k = 0; k < word->length; k++) {
    const CospinMeanLetter letter = read->letters[k];
    const PetscBool alone = (PetscBool)(letter.site != COSPIN_MEAN_ALL);
    if (field->parts[letter.part].is_mode || !alone) single = PETSC_FALSE;
    if (alone) sums = PETSC_FALSE;
    if (letter.part != read->letters[0].part || letter.site != read->letters[0].site) single = PETSC_FALSE;
    if (field->closure == COSPIN_CLOSURE_PAPER && field->parts[letter.part].is_mode) return BEYOND;
    if (field->closure == COSPIN_CLOSURE_PAPER && sums && word->length > 1 && letter.operator== COSPIN_MEAN_Z)
      return BEYOND;
  }
  if (single) return ON_ONE_SPIN;
  return sums && word->length <= MOST_TOGETHER ? OF_SUMS : BEYOND;
}

static PetscErrorCode fail(const Builder *builder, CospinExpression expression)
{
  const PetscBool paper = (PetscBool)(builder->field->closure == COSPIN_CLOSURE_PAPER);

  PetscFunctionBeginUser;
  *builder->ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(builder->faults, CospinExpressionPosition(expression),
                            CospinExpressionPath(expression),
                            paper ? "beyond the task %s with closure paper (it knows products of two of Sp "
                                    "and Sm, Sz alone, and operators of "
                                    "one spin)"
                                  : "beyond the task %s (it knows products of at most two of Sp, Sm, Sz, a "
                                    "and dag(a), and operators of one "
                                    "spin)",
                            builder->task));
  PetscFunctionReturn(0);
}

/* ---- On one spin
 * --------------------------------------------------------------------------------------------- */

static void add_row(const CospinMeanPart *part, int site, const CospinMeanPauli *s, const CospinMeanPauli *z)
{
  const size_t n = (size_t)part->sites;
  double *row = part->local + site;
  const double complex b = (z->of[1] + conj(z->of[2])) / 2;

  for (size_t k = 0; k < 4; k++) {
    row[2 * k * n] += creal(s->of[k]);
    row[(2 * k + 1) * n] += cimag(s->of[k]);
  }
  row[8 * n] += creal(z->of[0]);
  row[9 * n] += creal(b);
  row[10 * n] += cimag(b);
  row[11 * n] += creal(z->of[3]);
}

static CospinMeanPauli scaled(double complex factor, CospinMeanPauli x)
{
  for (int k = 0; k < 4; k++) x.of[k] *= factor;
  return x;
}

static void add_field(const CospinMeanPart *part, int site, double complex factor, const CospinMeanPauli *h)
{
  const CospinMeanPauli s = scaled(I * factor, CospinMeanCommutator(h, &observed_s));
  const CospinMeanPauli z = scaled(I * factor, CospinMeanCommutator(h, &observed_z));

  add_row(part, site, &s, &z);
}

static CospinMeanPauli on_one_spin(const Word *word)
{
  CospinMeanOperator operators[COSPIN_MEAN_MOST_LETTERS];

  for (int k = 0; k < word->length; k++) operators[k] = word->letters[k].operator;
  return scaled(word->coefficient, CospinMeanProduct(word->length, operators));
}

/* The jump of one spin that a polynomial is, at every site of its part or (site >= 0 in its letters) at that
 *one; local false if it is another operator. */
static PetscErrorCode add_local_jump(const Builder *builder, double rate, CospinPolynomial a,
                                     PetscBool *local)
{
  CospinMeanPauli sum = {{0.0}}, s, z;
  const CospinMeanPart *part = NULL;
  int site = COSPIN_MEAN_ALL;

  PetscFunctionBeginUser;
  *local = PETSC_FALSE;
  for (int k = 0; k < a->count; k++) {
    Word word;
    const Form form = form_of(builder, &a->words[k], &word);
    if (form != NUMBER && form != ON_ONE_SPIN) PetscFunctionReturn(0);
    const CospinMeanPauli x = on_one_spin(&word);
    if (form == ON_ONE_SPIN && part &&
        (part != &builder->field->parts[word.letters[0].part] || site != word.letters[0].site))
      PetscFunctionReturn(0);
    if (form == ON_ONE_SPIN) {
      part = &builder->field->parts[word.letters[0].part];
      site = word.letters[0].site;
    }
    for (int c = 0; c < 4; c++) sum.of[c] += x.of[c];
  }
  if (!part && a->count) PetscFunctionReturn(0);
  *local = PETSC_TRUE;
  if (!part) PetscFunctionReturn(0);
  s = scaled(rate, CospinMeanDissipator(&sum, &sum, &observed_s));
  z = scaled(rate, CospinMeanDissipator(&sum, &sum, &observed_z));
  for (int l = site < 0 ? 0 : site; l < (site < 0 ? part->sites : site + 1); l++) add_row(part, l, &s, &z);
  PetscFunctionReturn(0);
}

/* ---- Sums over spins
 * ----------------------------------------------------------------------------------------- */

/* The word without the letters of `chosen` (bits). */
static Word without(const Word *word, unsigned chosen)
{
  Word others = {.coefficient = word->coefficient};

  for (int k = 0; k < word->length; k++)
    if (!(chosen >> k & 1)) others.letters[others.length++] = word->letters[k];
  return others;
}

/* What the letters of `chosen` do to one spin. */
static CospinMeanPauli chosen_of(const Word *word, unsigned chosen)
{
  CospinMeanOperator operators[COSPIN_MEAN_MOST_LETTERS];
  int count = 0;

  for (int k = 0; k < word->length; k++)
    if (chosen >> k & 1) operators[count++] = word->letters[k].operator;
  return CospinMeanProduct(count, operators);
}

/* The letters of a word that belong to a part, as bits. */
static unsigned bits_of(const Word *word, int part)
{
  unsigned bits = 0;

  for (int k = 0; k < word->length; k++)
    if (word->letters[k].part == part) bits |= 1u << k;
  return bits;
}

/* word = b^+ a, the coefficient that of both */
static Word joined(const Word *b, const Word *a)
{
  Word word = {.coefficient = conj(b->coefficient) * a->coefficient};

  for (int k = b->length - 1; k >= 0; k--) {
    word.letters[word.length] = b->letters[k];
    word.letters[word.length].operator= CospinMeanAdjoint(b->letters[k].operator);
    word.length++;
  }
  for (int k = 0; k < a->length; k++) word.letters[word.length++] = a->letters[k];
  return word;
}

/* d<s->/dt += factor <word> s, d<z>/dt += factor <word> z at every site of a part. */
static PetscErrorCode add_spins(const Builder *builder, int part, const Word *word, double complex factor,
                                const CospinMeanPauli *s, const CospinMeanPauli *z)
{
  const double complex both = factor * word->coefficient;
  const CospinMeanWeights weights = {.s = scaled(both, *s), .z = scaled(both, *z)};

  PetscFunctionBeginUser;
  if (word->length)
    PetscCall(CospinMeanBlocksAdd(builder->field, part, word->length, word->letters, &weights));
  for (int l = 0; !word->length && l < builder->field->parts[part].sites; l++)
    add_row(&builder->field->parts[part], l, &weights.s, &weights.z);
  PetscFunctionReturn(0);
}

static PetscErrorCode add_word_to_spins(const Builder *builder, int part, const Word *word)
{
  const unsigned bits = bits_of(word, part);

  PetscFunctionBeginUser;
  for (unsigned chosen = 1; chosen <= bits; chosen++) {
    if (chosen & ~bits) continue;
    const Word others = without(word, chosen);
    const CospinMeanPauli h = chosen_of(word, chosen);
    const CospinMeanPauli s = CospinMeanCommutator(&h, &observed_s),
                          z = CospinMeanCommutator(&h, &observed_z);
    PetscCall(add_spins(builder, part, &others, I, &s, &z));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode add_pair_to_spins(const Builder *builder, int part, double rate, const Word *a,
                                        const Word *b)
{
  const unsigned bits_a = bits_of(a, part), bits_b = bits_of(b, part);

  PetscFunctionBeginUser;
  for (unsigned i = 0; i <= bits_a; i++) {
    for (unsigned j = 0; j <= bits_b; j++) {
      if ((i & ~bits_a) || (j & ~bits_b) || !(i | j)) continue;
      const Word others_a = without(a, i), others_b = without(b, j);
      const CospinMeanPauli x = chosen_of(a, i), y = chosen_of(b, j);
      const CospinMeanPauli s = CospinMeanDissipator(&x, &y, &observed_s);
      const CospinMeanPauli z = CospinMeanDissipator(&x, &y, &observed_z);
      const Word word = joined(&others_b, &others_a);
      PetscCall(add_spins(builder, part, &word, rate, &s, &z));
    }
  }
  PetscFunctionReturn(0);
}

/* ---- Modes
 * --------------------------------------------------------------------------------------------------- */

/* d alpha/dt += factor <[word[from..to), a]> in its place in the word, = - sum over the a^+ there that are
 * left out */
static PetscErrorCode add_commutator(const Builder *builder, int part, const Word *word, int from, int to,
                                     double complex factor)
{
  PetscFunctionBeginUser;
  for (int k = from; k < to; k++) {
    if (word->letters[k].part != part || word->letters[k].operator!= COSPIN_MEAN_RAISE) continue;
    const Word others = without(word, 1u << k);
    const CospinMeanWeights weights = {.s = scaled(-factor * word->coefficient, one)};
    PetscCall(CospinMeanBlocksAdd(builder->field, part, others.length, others.letters, &weights));
  }
  PetscFunctionReturn(0);
}

/* ---- A deck
 * -------------------------------------------------------------------------------------------------- */

static PetscErrorCode add_word(const Builder *builder, const Word *word)
{
  const CospinMeanField field = builder->field;

  PetscFunctionBeginUser;
  for (int part = 0; part < field->num_parts; part++) {
    if (!bits_of(word, part)) continue;
    if (field->parts[part].is_mode) PetscCall(add_commutator(builder, part, word, 0, word->length, I));
    if (!field->parts[part].is_mode) PetscCall(add_word_to_spins(builder, part, word));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode add_pair(const Builder *builder, double rate, const Word *a, const Word *b)
{
  const CospinMeanField field = builder->field;
  const Word word = joined(b, a);

  PetscFunctionBeginUser;
  for (int part = 0; part < field->num_parts; part++) {
    if (field->parts[part].is_mode) { /* <B^+ [a, A] + [B^+, a] A>/2 */
      PetscCall(add_commutator(builder, part, &word, b->length, word.length, -rate / 2));
      PetscCall(add_commutator(builder, part, &word, 0, b->length, rate / 2));
    } else if (bits_of(&word, part)) {
      PetscCall(add_pair_to_spins(builder, part, rate, a, b));
    }
  }
  PetscFunctionReturn(0);
}

/* The term of the deck that holds what the sum of all must not. */
static PetscErrorCode explain_hamiltonian(const Builder *builder)
{
  const CospinDeck deck = builder->problem->deck;

  PetscFunctionBeginUser;
  for (int k = 0; k < deck->num_hamiltonian; k++) {
    CospinPolynomial h = NULL;
    PetscBool ok;
    if (deck->hamiltonian_sum[k])
      PetscCall(CospinProblemSum(builder->problem, deck->hamiltonian[k], NULL, &h, &ok));
    else
      PetscCall(CospinProblemOperator(builder->problem, deck->hamiltonian[k], NULL, &h, &ok));
    for (int w = 0; ok && w < h->count; w++) {
      Word word;
      if (form_of(builder, &h->words[w], &word) != BEYOND) continue;
      PetscCall(fail(builder, deck->hamiltonian[k]));
      break;
    }
    PetscCall(CospinPolynomialDestroy(&h));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode add_hamiltonian(const Builder *builder)
{
  const CospinPolynomial h = builder->problem->hamiltonian;
  PetscBool beyond = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int k = 0; k < h->count; k++) {
    Word word;
    const Form form = form_of(builder, &h->words[k], &word);
    if (form == BEYOND) beyond = PETSC_TRUE;
    if (form == OF_SUMS) PetscCall(add_word(builder, &word));
    if (form == ON_ONE_SPIN) {
      const CospinMeanPauli x = on_one_spin(&word);
      add_field(&builder->field->parts[word.letters[0].part], word.letters[0].site, 1.0, &x);
    }
  }
  if (beyond) PetscCall(explain_hamiltonian(builder));
  PetscFunctionReturn(0);
}

static PetscErrorCode add_collective_jump(const Builder *builder, int k, double rate, CospinPolynomial a)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < a->count; i++) {
    for (int j = 0; j < a->count; j++) {
      Word x, y;
      const Form forms[2] = {form_of(builder, &a->words[i], &x), form_of(builder, &a->words[j], &y)};
      for (int side = 0; side < 2; side++) {
        if (forms[side] == NUMBER || forms[side] == OF_SUMS) continue;
        PetscCall(fail(builder, builder->problem->deck->jumps[k].operator));
        PetscFunctionReturn(0);
      }
      PetscCall(add_pair(builder, rate, &x, &y));
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode add_jump(const Builder *builder, int k)
{
  const CospinPlainJump *jump = &builder->problem->jumps[k];
  PetscBool local = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (jump->operator) PetscCall(add_local_jump(builder, jump->rate, jump->operator, & local));
  if (!local && jump->component < 0) {
    PetscCall(add_collective_jump(builder, k, jump->rate, jump->operator));
    PetscFunctionReturn(0);
  }
  for (int l = 0; l < jump->num_spins && local && jump->rates; l++)
    PetscCall(add_local_jump(builder, jump->rates[l], jump->operators[l], &local));
  if (!local || jump->pairs) PetscCall(fail(builder, builder->problem->deck->jumps[k].operator));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanFieldAddTerms(CospinMeanField field, CospinProblem problem, const char task[],
                                       CospinFaults faults, PetscBool *ok)
{
  const Builder builder = {field, problem, task, faults, ok};

  PetscFunctionBeginUser;
  PetscCall(add_hamiltonian(&builder));
  for (int k = 0; k < problem->deck->num_jumps; k++) PetscCall(add_jump(&builder, k));
  PetscFunctionReturn(0);
}
