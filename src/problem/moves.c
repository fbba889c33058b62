/*
   Superoperators as lists of moves.

   A monomial A = a_1 a_2 ... a_n acts on the ket by its elementary operators from the right, a_n first. On
   the bra, rho B^+ is what B does to <y|: the same elementary operators in the same order, the coefficient
   conjugated. Steps on the two sides commute, so A rho B^+ is the chain "ket steps of A, bra steps of B".

   With operators of one spin the monomial is C s_1 s_2 ... D (C, D collective): the chain is D on both sides,
   then sum_l s_l rho s'_l^+ as the component takes it apart, then C on both sides.

   A superoperator is kept as: moves, one for each distance by which it shifts labels; in each, chains of
   elementary steps with a coefficient; the matrix element from a label is the sum over the chains of
   coefficient times the product of the steps' amplitudes. Steps and amplitudes belong to the components
   (cospin/problem/component.h); nothing here knows what a spin or a mode is.

   Counting (moves->counts) leaves out -(A^+A rho + rho A^+A)/2: what remains, rate A rho A^+, is what a click
   does. For kets (moves->kets) what acts on the bra is left out as well as A rho A^+: what remains, -i H rho
   - A^+A rho/2, moves a ket between two jumps.
*/
#include <cospin/deck/rounding.h>
#include <cospin/problem/moves.h>

enum { MAX_CHAIN = 256 };

/* room[i]: how far coordinate i can be moved at all. */
PetscErrorCode CospinMovesCreate(const CospinSystem *system, CospinMoves *moves)
{
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  PetscCall(PetscNew(moves));
  (*moves)->system = system;
  CospinSystemBounds(system, lo, hi);
  for (int i = 0; i < system->num_coordinates; i++) (*moves)->room[i] = hi[i] - lo[i];
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_move(CospinMove *move)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < move->num_chains; k++) PetscCall(PetscFree(move->chains[k].steps));
  PetscCall(PetscFree(move->chains));
  PetscCall(PetscFree(move->shift));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMovesDestroy(CospinMoves *moves)
{
  PetscFunctionBeginUser;
  if (!*moves) PetscFunctionReturn(0);
  for (int k = 0; k < (*moves)->count; k++) PetscCall(destroy_move(&(*moves)->moves[k]));
  PetscCall(PetscFree((*moves)->moves));
  PetscCall(PetscFree(*moves));
  PetscFunctionReturn(0);
}

/* One move for each shift: its chains add up in one matrix element. */
static PetscErrorCode find_move(CospinMoves moves, const int shift[], CospinMove **found)
{
  const size_t n = (size_t)moves->system->num_coordinates;
  CospinMove *move;

  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    PetscBool same;
    PetscCall(PetscArraycmp(moves->moves[k].shift, shift, n, &same));
    *found = &moves->moves[k];
    if (same) PetscFunctionReturn(0);
  }
  if (moves->count == moves->capacity) {
    moves->capacity = 2 * moves->capacity + 8;
    PetscCall(PetscRealloc(sizeof(CospinMove) * (size_t)moves->capacity, &moves->moves));
  }
  move = &moves->moves[moves->count++];
  PetscCall(PetscArrayzero(move, 1));
  PetscCall(PetscMalloc1(n, &move->shift));
  PetscCall(PetscArraycpy(move->shift, shift, n));
  *found = move;
  PetscFunctionReturn(0);
}

/* Steps on the two sides are always written ket first, so that equal products have equal chains. */
static PetscBool same_steps(const CospinChain *chain, int length, const CospinStep steps[])
{
  if (chain->length != length) return PETSC_FALSE;
  for (int k = 0; k < length; k++) {
    const CospinStep *a = &chain->steps[k], *b = &steps[k];
    if (a->component != b->component || a->code != b->code) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether no label lets all steps happen: some coordinate would have to leave its bounds on the way. */
static PetscBool vanishes(CospinMoves moves, int length, const CospinStep steps[])
{
  int at[COSPIN_MAX_COORDINATES] = {0}, low[COSPIN_MAX_COORDINATES] = {0}, high[COSPIN_MAX_COORDINATES] = {0};

  for (int k = 0; k < length; k++) {
    const CospinComponent component = &moves->system->components[steps[k].component];
    CospinSystemShift(moves->system, steps[k], at);
    for (int i = component->offset; i < component->offset + component->num_coordinates; i++) {
      low[i] = PetscMin(low[i], at[i]);
      high[i] = PetscMax(high[i], at[i]);
      if (high[i] - low[i] > moves->room[i]) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* Coefficients are rounded where sums cancel (cospin/deck/rounding.h): 0.1*3 - 0.3 is no slow process. */
static PetscErrorCode add_chain(CospinMoves moves, double complex coefficient, int length,
                                const CospinStep steps[])
{
  int shift[COSPIN_MAX_COORDINATES] = {0};
  CospinMove *move = NULL;
  CospinChain *chain;

  PetscFunctionBeginUser;
  coefficient = CospinRoundedProduct(coefficient);
  if (coefficient == 0.0 || vanishes(moves, length, steps)) PetscFunctionReturn(0);
  for (int k = 0; k < length; k++) CospinSystemShift(moves->system, steps[k], shift);
  PetscCall(find_move(moves, shift, &move));
  for (int k = 0; k < move->num_chains; k++) {
    if (!same_steps(&move->chains[k], length, steps)) continue;
    move->chains[k].coefficient = CospinRoundedSum(move->chains[k].coefficient, coefficient);
    PetscFunctionReturn(0);
  }
  if (move->num_chains == move->capacity) {
    move->capacity = 2 * move->capacity + 4;
    PetscCall(PetscRealloc(sizeof(CospinChain) * (size_t)move->capacity, &move->chains));
  }
  chain = &move->chains[move->num_chains++];
  chain->coefficient = coefficient;
  chain->length = length;
  PetscCall(PetscMalloc1(length, &chain->steps));
  PetscCall(PetscArraycpy(chain->steps, steps, length));
  PetscFunctionReturn(0);
}

/* An elementary operator on one side: the step that it makes, or the sum of those. */
typedef struct {
  int num;
  CospinStep step[COSPIN_MAX_STEPS];
} Factor;

/* A chain under construction. */
typedef struct {
  CospinMoves moves;
  double complex coefficient;
  int component; /* whose spins are summed over */
  int length;
  Factor factors[MAX_CHAIN];
  int num_last; /* factors that follow the sum over spins */
  Factor last[MAX_CHAIN];
} Chain;

/* Appends elementary operators [begin, end) of a monomial, acting on one side, the rightmost first. */
static PetscErrorCode append_operators(const CospinSystem *system, const CospinMonomial *monomial, int begin,
                                       int end, CospinSide side, int *length, Factor factors[])
{
  PetscFunctionBeginUser;
  PetscCheck(*length + end - begin <= MAX_CHAIN, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "A product of more than %d operators", MAX_CHAIN);
  for (int k = end - 1; k >= begin; k--) {
    const CospinElementary elementary = monomial->operators[k];
    const CospinComponent component = &system->components[elementary.component];
    Factor *factor = &factors[(*length)++];
    int codes[COSPIN_MAX_STEPS];
    factor->num = 1;
    if (component->kind->ElementarySteps)
      factor->num = component->kind->ElementarySteps(component, elementary, side, codes);
    else
      codes[0] = component->kind->ElementaryStep(component, elementary, side);
    for (int s = 0; s < factor->num; s++) factor->step[s] = (CospinStep){elementary.component, codes[s]};
  }
  PetscFunctionReturn(0);
}

/* A product of sums, written out: `choice` counts through all of its terms, the last factor fastest. */
static PetscErrorCode add_factors(CospinMoves moves, double complex coefficient, int length,
                                  const Factor factors[])
{
  CospinStep steps[MAX_CHAIN];
  int choice[MAX_CHAIN] = {0}, k = 0;

  PetscFunctionBeginUser;
  for (int i = 0; i < length; i++) steps[i] = factors[i].step[0];
  while (k >= 0) {
    PetscCall(add_chain(moves, coefficient, length, steps));
    for (k = length - 1; k >= 0 && ++choice[k] == factors[k].num; k--) choice[k] = 0;
    for (int i = PetscMax(k, 0); i < length; i++) steps[i] = factors[i].step[choice[i]];
  }
  PetscFunctionReturn(0);
}

/* coefficient * a b^*, for the bra's side is conjugated. */
PetscErrorCode CospinMovesAddProduct(CospinMoves moves, double complex coefficient, const CospinMonomial *a,
                                     const CospinMonomial *b)
{
  Factor factors[MAX_CHAIN];
  int length = 0;

  PetscFunctionBeginUser;
  PetscCall(append_operators(moves->system, a, 0, a->length, COSPIN_KET, &length, factors));
  PetscCall(append_operators(moves->system, b, 0, b->length, COSPIN_BRA, &length, factors));
  PetscCall(add_factors(moves, coefficient * a->coefficient * conj(b->coefficient), length, factors));
  PetscFunctionReturn(0);
}

/* Where the operators of one spin stand in a monomial: [begin, end); empty and in front if there is none.
 * Operators of one spin must stand together, for the sum over spins is over their product. */
static PetscBool find_block(const CospinMonomial *monomial, int *begin, int *end)
{
  *begin = 0;
  while (*begin < monomial->length && monomial->operators[*begin].spin != COSPIN_EACH_SPIN) (*begin)++;
  if (*begin == monomial->length) *begin = 0;
  *end = *begin;
  while (*end < monomial->length && monomial->operators[*end].spin == COSPIN_EACH_SPIN) (*end)++;
  for (int k = *end; k < monomial->length; k++) {
    if (monomial->operators[k].spin == COSPIN_EACH_SPIN) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Called by the component for each term of sum_l A_l rho B_l^+ in steps of its own. */
static PetscErrorCode emit_steps(void *context, double complex coefficient, int length, const int code[])
{
  Chain *chain = (Chain *)context;
  Factor factors[MAX_CHAIN];
  int n = 0;

  PetscFunctionBeginUser;
  PetscCheck(chain->length + length + chain->num_last <= MAX_CHAIN, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "A product of more than %d operators", MAX_CHAIN);
  for (int k = 0; k < chain->length; k++) factors[n++] = chain->factors[k];
  for (int k = 0; k < length; k++) factors[n++] = (Factor){.num = 1, .step = {{chain->component, code[k]}}};
  for (int k = 0; k < chain->num_last; k++) factors[n++] = chain->last[k];
  PetscCall(add_factors(chain->moves, chain->coefficient * coefficient, n, factors));
  PetscFunctionReturn(0);
}

/* Steps are written in the order in which they act: what stands right of the block acts before the sum, what
 * stands left of it afterwards. */
PetscErrorCode CospinMovesAddEach(CospinMoves moves, int component, double complex coefficient,
                                  const CospinMonomial *a, const CospinMonomial *b, PetscBool *ok)
{
  const CospinSystem *system = moves->system;
  const CospinComponent summed = &system->components[component];
  const CospinMonomial *monomials[2] = {a, b};
  int begin[2], end[2], operators[2][MAX_CHAIN];
  Chain chain = {.moves = moves, .component = component};

  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  for (int side = 0; side < 2; side++) {
    if (!find_block(monomials[side], &begin[side], &end[side])) PetscFunctionReturn(0);
    PetscCall(append_operators(system, monomials[side], end[side], monomials[side]->length, (CospinSide)side,
                               &chain.length, chain.factors));
    PetscCall(append_operators(system, monomials[side], 0, begin[side], (CospinSide)side, &chain.num_last,
                               chain.last));
    for (int k = begin[side]; k < end[side]; k++)
      operators[side][k - begin[side]] = monomials[side]->operators[k].code;
  }
  chain.coefficient = coefficient * a->coefficient * conj(b->coefficient);
  PetscCall(summed->kind->Each(summed, end[0] - begin[0], operators[0], end[1] - begin[1], operators[1],
                               emit_steps, &chain));
  *ok = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* As above, with nothing on the bra. */
PetscErrorCode CospinMovesAddEachKet(CospinMoves moves, int component, int channel,
                                     double complex coefficient, const CospinMonomial *a, PetscBool *ok)
{
  const CospinComponent summed = &moves->system->components[component];
  Chain chain = {.moves = moves, .component = component, .coefficient = coefficient * a->coefficient};
  int begin, end, operators[MAX_CHAIN];

  PetscFunctionBeginUser;
  *ok = find_block(a, &begin, &end);
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(append_operators(moves->system, a, end, a->length, COSPIN_KET, &chain.length, chain.factors));
  PetscCall(append_operators(moves->system, a, 0, begin, COSPIN_KET, &chain.num_last, chain.last));
  for (int k = begin; k < end; k++) operators[k - begin] = a->operators[k].code;
  PetscCall(summed->kind->EachKet(summed, channel, end - begin, operators, emit_steps, &chain));
  PetscFunctionReturn(0);
}

static const CospinMonomial identity = {1.0, 0, NULL};

PetscErrorCode CospinMovesAddLeftProduct(CospinMoves moves, CospinPolynomial op)
{
  CospinPolynomial a;

  PetscFunctionBeginUser;
  PetscCall(CospinSystemExpand(moves->system, op, &a));
  for (int k = 0; k < a->count; k++)
    PetscCall(CospinMovesAddProduct(moves, 1.0, &a->monomials[k], &identity));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* -i (H rho - rho H), hbar = 1. */
PetscErrorCode CospinMovesAddHamiltonian(CospinMoves moves, CospinPolynomial hamiltonian)
{
  CospinPolynomial h;

  PetscFunctionBeginUser;
  PetscCall(CospinSystemExpand(moves->system, hamiltonian, &h));
  for (int k = 0; k < h->count; k++) {
    PetscCall(CospinMovesAddProduct(moves, -I, &h->monomials[k], &identity));
    if (!moves->kets)
      PetscCall(CospinMovesAddProduct(moves, +I, &identity, &h->monomials[k])); /* rho H = rho H^+ */
  }
  PetscCall(CospinPolynomialDestroy(&h));
  PetscFunctionReturn(0);
}

/* A jump on each spin (component >= 0) or a collective one. */
static PetscErrorCode add_term(CospinMoves moves, int component, double complex coefficient,
                               const CospinMonomial *a, const CospinMonomial *b, PetscBool *ok)
{
  PetscBool this_ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  if (component < 0) {
    PetscCall(CospinMovesAddProduct(moves, coefficient, a, b));
  } else {
    PetscCall(CospinMovesAddEach(moves, component, coefficient, a, b, &this_ok));
  }
  if (!this_ok) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* rate (A rho A^+ - A^+A rho/2 - rho A^+A/2), with all pairs of A's monomials in the first term. */
PetscErrorCode CospinMovesAddJump(CospinMoves moves, double rate, CospinPolynomial op, int component,
                                  PetscBool *ok)
{
  CospinPolynomial a, adjoint, square;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  PetscCall(CospinSystemExpand(moves->system, op, &a));
  for (int k = 0; k < a->count && !moves->kets; k++) {
    for (int l = 0; l < a->count; l++) {
      PetscCall(add_term(moves, component, rate, &a->monomials[k], &a->monomials[l], ok));
    }
  }
  PetscCall(CospinPolynomialAdjoint(a, CospinSystemElementaryAdjoint, moves->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(adjoint, a, &square));
  for (int k = 0; k < square->count && !moves->counts; k++) {
    PetscCall(add_term(moves, component, -0.5 * rate, &square->monomials[k], &identity, ok));
    if (!moves->kets) /* A^+A is hermitian */
      PetscCall(add_term(moves, component, -0.5 * rate, &identity, &square->monomials[k], ok));
  }
  PetscCall(CospinPolynomialDestroy(&square));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* rate (A rho B^+ - B^+A rho/2 - rho B^+A/2): one term of sum_lm R_lm, where B^+A need not be hermitian. The
   second factor of a product is conjugated (A rho B^+), so rho B^+A is added as that of the adjoint. */
PetscErrorCode CospinMovesAddPair(CospinMoves moves, double complex rate, CospinPolynomial first,
                                  CospinPolynomial second)
{
  CospinPolynomial a, b, adjoint, left, right;

  PetscFunctionBeginUser;
  PetscCall(CospinSystemExpand(moves->system, first, &a));
  PetscCall(CospinSystemExpand(moves->system, second, &b));
  for (int k = 0; k < a->count && !moves->kets; k++) {
    for (int l = 0; l < b->count; l++)
      PetscCall(CospinMovesAddProduct(moves, rate, &a->monomials[k], &b->monomials[l]));
  }
  PetscCall(CospinPolynomialAdjoint(b, CospinSystemElementaryAdjoint, moves->system, &adjoint));
  PetscCall(CospinPolynomialMultiply(adjoint, a, &left)); /* B^+ A */
  PetscCall(CospinPolynomialAdjoint(left, CospinSystemElementaryAdjoint, moves->system, &right));
  for (int k = 0; k < left->count && !moves->counts; k++)
    PetscCall(CospinMovesAddProduct(moves, -0.5 * rate, &left->monomials[k], &identity));
  for (int k = 0; k < right->count && !moves->counts && !moves->kets; k++)
    PetscCall(CospinMovesAddProduct(moves, -0.5 * rate, &identity, &right->monomials[k]));
  PetscCall(CospinPolynomialDestroy(&right));
  PetscCall(CospinPolynomialDestroy(&left));
  PetscCall(CospinPolynomialDestroy(&adjoint));
  PetscCall(CospinPolynomialDestroy(&b));
  PetscCall(CospinPolynomialDestroy(&a));
  PetscFunctionReturn(0);
}

/* `last` is a further step at the end of every chain: that of a counter, by which a click is remembered. */
PetscErrorCode CospinMovesAxpy(CospinMoves moves, double factor, CospinMoves other, const CospinStep *last)
{
  CospinStep steps[MAX_CHAIN];

  PetscFunctionBeginUser;
  for (int k = 0; k < other->count; k++) {
    for (int c = 0; c < other->moves[k].num_chains; c++) {
      const CospinChain *chain = &other->moves[k].chains[c];
      int length = chain->length;
      PetscCheck(length < MAX_CHAIN, PETSC_COMM_SELF, PETSC_ERR_SUP, "A product of more than %d operators",
                 MAX_CHAIN - 1);
      PetscCall(PetscArraycpy(steps, chain->steps, length));
      if (last) steps[length++] = *last;
      PetscCall(add_chain(moves, factor * chain->coefficient, length, steps));
    }
  }
  PetscFunctionReturn(0);
}

/* The order of the moves is that of their shifts and not of the deck, so that sums of matrix elements do not
   depend on how the deck is written. */
static int compare_moves(const void *a, const void *b, void *context)
{
  const int *s = ((const CospinMove *)a)->shift, *t = ((const CospinMove *)b)->shift,
            n = *(const int *)context;

  for (int i = 0; i < n; i++) {
    if (s[i] != t[i]) return s[i] < t[i] ? -1 : 1;
  }
  return 0;
}

/* Chains whose coefficients have cancelled would enlarge sectors: a symmetry that two terms break together
   and neither alone is found only without them. */
PetscErrorCode CospinMovesFinish(CospinMoves moves)
{
  int kept = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    CospinMove *move = &moves->moves[k];
    int chains = 0;
    for (int c = 0; c < move->num_chains; c++) {
      if (move->chains[c].coefficient == 0.0) {
        PetscCall(PetscFree(move->chains[c].steps));
      } else {
        move->chains[chains++] = move->chains[c];
      }
    }
    move->num_chains = chains;
    if (chains == 0) {
      PetscCall(destroy_move(move));
    } else {
      moves->moves[kept++] = *move;
    }
  }
  moves->count = kept;
  if (kept > 1) /* PetscTimSort reads the first element of an empty array */
    PetscCall(PetscTimSort(kept, moves->moves, sizeof(CospinMove), compare_moves,
                           (void *)&moves->system->num_coordinates));
  PetscFunctionReturn(0);
}

/* Product of the steps' amplitudes from a label. */
static double chain_amplitude(CospinMoves moves, const CospinChain *chain, const int source[])
{
  const size_t n = (size_t)moves->system->num_coordinates;
  int label[COSPIN_MAX_COORDINATES];
  double amplitude = 1.0;

  for (size_t i = 0; i < n; i++) label[i] = source[i];
  for (int k = 0; k < chain->length && amplitude != 0.0; k++)
    amplitude *= CospinSystemApply(moves->system, chain->steps[k], label);
  return amplitude;
}

/* Terms that cancel up to rounding give exactly zero, in real and imaginary part by itself
   (cospin/deck/rounding.h): what rounding leaves of them is no process. */
double complex CospinMoveAmplitude(CospinMoves moves, const CospinMove *move, const int source[])
{
  double sum[2] = {0.0, 0.0}, size[2] = {0.0, 0.0}; /* real and imaginary parts, and their moduli */

  for (int c = 0; c < move->num_chains; c++) {
    const CospinChain *chain = &move->chains[c];
    const double amplitude = chain_amplitude(moves, chain, source);
    const double part[2] = {creal(chain->coefficient) * amplitude, cimag(chain->coefficient) * amplitude};
    for (int k = 0; k < 2; k++) {
      sum[k] += part[k];
      size[k] += fabs(part[k]);
    }
  }
  return CMPLX(CospinRounded(sum[0], size[0]), CospinRounded(sum[1], size[1]));
}

/* The same sum of moduli: what rounding of this matrix element is measured by. */
double CospinMoveModulus(CospinMoves moves, const CospinMove *move, const int source[])
{
  double size = 0.0;

  for (int c = 0; c < move->num_chains; c++) {
    const CospinChain *chain = &move->chains[c];
    size += cabs(chain->coefficient) * fabs(chain_amplitude(moves, chain, source));
  }
  return size;
}
