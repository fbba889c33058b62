/*
   Mean-field equations from the terms of a deck.

   A monomial of sums over spins, w = r x(m): each choice of elementary operators that act on spin m leaves a
   product x of them there and a monomial r of the others on all other spins. A term of H with these gives i
   <r> <[x, X]>, two monomials of a jump <r'^+ r> <x'^+ X x - 1/2 {x'^+ x, X}>. For a mode [a, .] takes away
   one a^+ of a monomial after the other.
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

/* A monomial as elementary operators of the field. */
typedef struct {
  double complex coefficient;
  int length;
  CospinMeanElementary operators[COSPIN_MEAN_MOST_OPERATORS];
} Monomial;

/* What a monomial is: a number, on one spin, of sums over spins and modes, or beyond the class. */
typedef enum { NUMBER, ON_ONE_SPIN, OF_SUMS, BEYOND } Form;

static const CospinMeanPauli one = {{1.0}}, observed_s = {{0, 1.0, 0, 0}}, observed_z = {{0, 0, 0, 1.0}};

/* ---- Words --------------------------------------------------------------------------------------------- */

/* Operators of a mode and sums over spins may stand in one monomial; operators of single spins are taken by
 * their sites. */
static Form form_of(const Builder *builder, const CospinMonomial *monomial, Monomial *read)
{
  const CospinMeanField field = builder->field;
  PetscBool single = PETSC_TRUE, sums = PETSC_TRUE;
  double factor;

  if (monomial->length == 0) {
    *read = (Monomial){.coefficient = monomial->coefficient};
    return NUMBER;
  }
  if (!CospinMeanOperators(builder->problem, monomial, read->operators, &factor)) return BEYOND;
  read->coefficient = factor * monomial->coefficient;
  read->length = monomial->length;
  for (int k = 0; k < monomial->length; k++) {
    const CospinMeanElementary elementary = read->operators[k];
    const PetscBool alone = (PetscBool)(elementary.site != COSPIN_MEAN_ALL);
    if (field->parts[elementary.part].is_mode || !alone) single = PETSC_FALSE;
    if (alone) sums = PETSC_FALSE;
    if (elementary.part != read->operators[0].part || elementary.site != read->operators[0].site)
      single = PETSC_FALSE;
    if (field->closure == COSPIN_CLOSURE_PAPER && field->parts[elementary.part].is_mode) return BEYOND;
    if (field->closure == COSPIN_CLOSURE_PAPER && sums && monomial->length > 1 &&
        elementary.op == COSPIN_MEAN_Z)
      return BEYOND;
  }
  if (single) return ON_ONE_SPIN;
  return sums && monomial->length <= MOST_TOGETHER ? OF_SUMS : BEYOND;
}

/* Which products a closure knows is what the user has to be told. */
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

/* ---- On one spin --------------------------------------------------------------------------------------- */

/* Into the tables of what acts on one site alone; dz/dt is real, so its coefficients of s- and s+
   are conjugates; b is the mean of both. */
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

/* A term of H that acts on one spin: i [h, .] for s and for z. */
static void add_field(const CospinMeanPart *part, int site, double complex factor, const CospinMeanPauli *h)
{
  const CospinMeanPauli s = scaled(I * factor, CospinMeanCommutator(h, &observed_s));
  const CospinMeanPauli z = scaled(I * factor, CospinMeanCommutator(h, &observed_z));

  add_row(part, site, &s, &z);
}

/* All operators of the monomial act on the same spin: their product. */
static CospinMeanPauli on_one_spin(const Monomial *monomial)
{
  CospinMeanOperator operators[COSPIN_MEAN_MOST_OPERATORS];

  for (int k = 0; k < monomial->length; k++) operators[k] = monomial->operators[k].op;
  return scaled(monomial->coefficient, CospinMeanProduct(monomial->length, operators));
}

/* The jump of one spin that a polynomial is, at every site of its part or (site >= 0 in its elementary
 *operators) at that one; local false if it is another operator. */
static PetscErrorCode add_local_jump(const Builder *builder, double rate, CospinPolynomial a,
                                     PetscBool *local)
{
  CospinMeanPauli sum = {{0.0}}, s, z;
  const CospinMeanPart *part = NULL;
  int site = COSPIN_MEAN_ALL;

  PetscFunctionBeginUser;
  *local = PETSC_FALSE;
  for (int k = 0; k < a->count; k++) {
    Monomial monomial;
    const Form form = form_of(builder, &a->monomials[k], &monomial);
    if (form != NUMBER && form != ON_ONE_SPIN) PetscFunctionReturn(0);
    const CospinMeanPauli x = on_one_spin(&monomial);
    if (form == ON_ONE_SPIN && part &&
        (part != &builder->field->parts[monomial.operators[0].part] || site != monomial.operators[0].site))
      PetscFunctionReturn(0);
    if (form == ON_ONE_SPIN) {
      part = &builder->field->parts[monomial.operators[0].part];
      site = monomial.operators[0].site;
    }
    for (int c = 0; c < 4; c++) sum.of[c] += x.of[c];
  }
  /* A number alone: as a jump it does nothing, but it is no operator of one spin. */
  if (!part && a->count) PetscFunctionReturn(0);
  *local = PETSC_TRUE;
  if (!part) PetscFunctionReturn(0);
  s = scaled(rate, CospinMeanDissipator(&sum, &sum, &observed_s));
  z = scaled(rate, CospinMeanDissipator(&sum, &sum, &observed_z));
  for (int l = site < 0 ? 0 : site; l < (site < 0 ? part->sites : site + 1); l++) add_row(part, l, &s, &z);
  PetscFunctionReturn(0);
}

/* ---- Sums over spins ----------------------------------------------------------------------------------- */

/* The monomial without the elementary operators of `chosen` (bits). */
static Monomial without(const Monomial *monomial, unsigned chosen)
{
  Monomial others = {.coefficient = monomial->coefficient};

  for (int k = 0; k < monomial->length; k++)
    if (!(chosen >> k & 1)) others.operators[others.length++] = monomial->operators[k];
  return others;
}

/* What the elementary operators of `chosen` do to one spin. */
static CospinMeanPauli chosen_of(const Monomial *monomial, unsigned chosen)
{
  CospinMeanOperator operators[COSPIN_MEAN_MOST_OPERATORS];
  int count = 0;

  for (int k = 0; k < monomial->length; k++)
    if (chosen >> k & 1) operators[count++] = monomial->operators[k].op;
  return CospinMeanProduct(count, operators);
}

/* The elementary operators of a monomial that belong to a part, as bits. */
static unsigned bits_of(const Monomial *monomial, int part)
{
  unsigned bits = 0;

  for (int k = 0; k < monomial->length; k++)
    if (monomial->operators[k].part == part) bits |= 1u << k;
  return bits;
}

/* monomial = b^+ a, the coefficient that of both */
static Monomial joined(const Monomial *b, const Monomial *a)
{
  Monomial monomial = {.coefficient = conj(b->coefficient) * a->coefficient};

  for (int k = b->length - 1; k >= 0; k--) {
    monomial.operators[monomial.length] = b->operators[k];
    monomial.operators[monomial.length].op = CospinMeanAdjoint(b->operators[k].op);
    monomial.length++;
  }
  for (int k = 0; k < a->length; k++) monomial.operators[monomial.length++] = a->operators[k];
  return monomial;
}

/* d<s->/dt += factor <monomial> s, d<z>/dt += factor <monomial> z at every site of a part. */
static PetscErrorCode add_spins(const Builder *builder, int part, const Monomial *monomial,
                                double complex factor, const CospinMeanPauli *s, const CospinMeanPauli *z)
{
  const double complex both = factor * monomial->coefficient;
  const CospinMeanWeights weights = {.s = scaled(both, *s), .z = scaled(both, *z)};

  PetscFunctionBeginUser;
  if (monomial->length)
    PetscCall(CospinMeanBlocksAdd(builder->field, part, monomial->length, monomial->operators, &weights));
  for (int l = 0; !monomial->length && l < builder->field->parts[part].sites; l++)
    add_row(&builder->field->parts[part], l, &weights.s, &weights.z);
  PetscFunctionReturn(0);
}

/* Every choice of operators that act on the spin in question; the others are what it sees of the rest. */
static PetscErrorCode add_monomial_to_spins(const Builder *builder, int part, const Monomial *monomial)
{
  const unsigned bits = bits_of(monomial, part);

  PetscFunctionBeginUser;
  for (unsigned chosen = 1; chosen <= bits; chosen++) {
    if (chosen & ~bits) continue;
    const Monomial others = without(monomial, chosen);
    const CospinMeanPauli h = chosen_of(monomial, chosen);
    const CospinMeanPauli s = CospinMeanCommutator(&h, &observed_s),
                          z = CospinMeanCommutator(&h, &observed_z);
    PetscCall(add_spins(builder, part, &others, I, &s, &z));
  }
  PetscFunctionReturn(0);
}

/* The same for a pair of monomials of a jump; choices without any operator on the spin do nothing to it. */
static PetscErrorCode add_pair_to_spins(const Builder *builder, int part, double rate, const Monomial *a,
                                        const Monomial *b)
{
  const unsigned bits_a = bits_of(a, part), bits_b = bits_of(b, part);

  PetscFunctionBeginUser;
  for (unsigned i = 0; i <= bits_a; i++) {
    for (unsigned j = 0; j <= bits_b; j++) {
      if ((i & ~bits_a) || (j & ~bits_b) || !(i | j)) continue;
      const Monomial others_a = without(a, i), others_b = without(b, j);
      const CospinMeanPauli x = chosen_of(a, i), y = chosen_of(b, j);
      const CospinMeanPauli s = CospinMeanDissipator(&x, &y, &observed_s);
      const CospinMeanPauli z = CospinMeanDissipator(&x, &y, &observed_z);
      const Monomial monomial = joined(&others_b, &others_a);
      PetscCall(add_spins(builder, part, &monomial, rate, &s, &z));
    }
  }
  PetscFunctionReturn(0);
}

/* ---- Modes --------------------------------------------------------------------------------------------- */

/* d alpha/dt += factor <[monomial[from..to), a]> in its place in the monomial, = - sum over the a^+ there
 * that are left out */
static PetscErrorCode add_commutator(const Builder *builder, int part, const Monomial *monomial, int from,
                                     int to, double complex factor)
{
  PetscFunctionBeginUser;
  for (int k = from; k < to; k++) {
    if (monomial->operators[k].part != part || monomial->operators[k].op != COSPIN_MEAN_RAISE) continue;
    const Monomial others = without(monomial, 1u << k);
    const CospinMeanWeights weights = {.s = scaled(-factor * monomial->coefficient, one)};
    PetscCall(CospinMeanBlocksAdd(builder->field, part, others.length, others.operators, &weights));
  }
  PetscFunctionReturn(0);
}

/* ---- A deck -------------------------------------------------------------------------------------------- */

/* One term of H, seen by every component that it acts on. */
static PetscErrorCode add_monomial(const Builder *builder, const Monomial *monomial)
{
  const CospinMeanField field = builder->field;

  PetscFunctionBeginUser;
  for (int part = 0; part < field->num_parts; part++) {
    if (!bits_of(monomial, part)) continue;
    if (field->parts[part].is_mode)
      PetscCall(add_commutator(builder, part, monomial, 0, monomial->length, I));
    if (!field->parts[part].is_mode) PetscCall(add_monomial_to_spins(builder, part, monomial));
  }
  PetscFunctionReturn(0);
}

/* One pair of monomials of a jump. */
static PetscErrorCode add_pair(const Builder *builder, double rate, const Monomial *a, const Monomial *b)
{
  const CospinMeanField field = builder->field;
  const Monomial monomial = joined(b, a);

  PetscFunctionBeginUser;
  for (int part = 0; part < field->num_parts; part++) {
    if (field->parts[part].is_mode) { /* <B^+ [a, A] + [B^+, a] A>/2 */
      PetscCall(add_commutator(builder, part, &monomial, b->length, monomial.length, -rate / 2));
      PetscCall(add_commutator(builder, part, &monomial, 0, b->length, rate / 2));
    } else if (bits_of(&monomial, part)) {
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
      Monomial monomial;
      if (form_of(builder, &h->monomials[w], &monomial) != BEYOND) continue;
      PetscCall(fail(builder, deck->hamiltonian[k]));
      break;
    }
    PetscCall(CospinPolynomialDestroy(&h));
  }
  PetscFunctionReturn(0);
}

/* The sum is what must be in the class: two terms may cancel what either has beyond it. */
static PetscErrorCode add_hamiltonian(const Builder *builder)
{
  const CospinPolynomial h = builder->problem->hamiltonian;
  PetscBool beyond = PETSC_FALSE;

  PetscFunctionBeginUser;
  for (int k = 0; k < h->count; k++) {
    Monomial monomial;
    const Form form = form_of(builder, &h->monomials[k], &monomial);
    if (form == BEYOND) beyond = PETSC_TRUE;
    if (form == OF_SUMS) PetscCall(add_monomial(builder, &monomial));
    if (form == ON_ONE_SPIN) {
      const CospinMeanPauli x = on_one_spin(&monomial);
      add_field(&builder->field->parts[monomial.operators[0].part], monomial.operators[0].site, 1.0, &x);
    }
  }
  if (beyond) PetscCall(explain_hamiltonian(builder));
  PetscFunctionReturn(0);
}

/* All pairs of the operator's monomials. */
static PetscErrorCode add_collective_jump(const Builder *builder, int k, double rate, CospinPolynomial a)
{
  PetscFunctionBeginUser;
  for (int i = 0; i < a->count; i++) {
    for (int j = 0; j < a->count; j++) {
      Monomial x, y;
      const Form forms[2] = {form_of(builder, &a->monomials[i], &x), form_of(builder, &a->monomials[j], &y)};
      for (int side = 0; side < 2; side++) {
        if (forms[side] == NUMBER || forms[side] == OF_SUMS) continue;
        PetscCall(fail(builder, builder->problem->deck->jumps[k].op));
        PetscFunctionReturn(0);
      }
      PetscCall(add_pair(builder, rate, &x, &y));
    }
  }
  PetscFunctionReturn(0);
}

/* Jumps of single spins are tables of rates; collective ones are written out. */
static PetscErrorCode add_jump(const Builder *builder, int k)
{
  const CospinPlainJump *jump = &builder->problem->jumps[k];
  PetscBool local = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (jump->op) PetscCall(add_local_jump(builder, jump->rate, jump->op, &local));
  if (!local && jump->component < 0) {
    PetscCall(add_collective_jump(builder, k, jump->rate, jump->op));
    PetscFunctionReturn(0);
  }
  for (int l = 0; l < jump->num_spins && local && jump->rates; l++)
    PetscCall(add_local_jump(builder, jump->rates[l], jump->operators[l], &local));
  if (!local || jump->pairs) PetscCall(fail(builder, builder->problem->deck->jumps[k].op));
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
