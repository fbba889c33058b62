/*
   From moves to functions of real labels: which coherences are free, and what the chains of a move are in
   terms of populations and coherences.

   The shifts of the coherences, row-reduced, have pivots; these coherences are free, and every other one
   differs from its value in the sector by a fixed combination of them (the null forms are the charges of weak
   symmetries). If the shifts do not span all populations as well, something is conserved, and no state is
   smooth on the lattice.

   Labels here are populations and coherences instead of ket and bra: of a pair (n, n') the population is
   (n + n')/2 and the coherence d = n - n'; an irrep has a population and no coherence. So a step of the
   ket alone shifts the population by 1/2 and d by 1.

   Amplitudes are those of the rational gauge p = g p^, g = sqrt(product of (j+m')! (j-m')! / ((j+m)!
   (j-m)!) and n'!/n!), in which no square root is left: S- on the ket gives j-m+1 instead of
   sqrt((j+m)(j-m+1)), a^+ on the ket n+1, a on the ket 1. g = 1 where d = 0, so traces are what they were;
   only the slopes at d = 0 differ (CospinSymbolGauge). Near an edge the true p has factors such as
   sqrt(n+1), which no polynomial follows; p^ has not.
*/
#include "symbol.h"
#include <math.h>

/* Shifts are halves of small integers, so elimination leaves either exactly nothing or something of the
   size of one; anything between would do. */
static const double rounding = 1e-9;

/* ---- Labels -------------------------------------------------------------------------------------------- */

/* The populations of one component: irreps, then pairs of coordinates of ket and bra in their order. */
static PetscBool add_component(const CospinComponent component, CospinSymbolLabels *labels)
{
  const CospinRole *roles = component->kind->roles;
  const int n = component->num_coordinates;

  for (int i = 0; i < n; i++) {
    int bra = -1, skip = 0;
    if (roles[i] == COSPIN_COORDINATE_BRA) continue;
    for (int j = 0; j < i; j++) skip += roles[j] == COSPIN_COORDINATE_KET;
    for (int j = 0; j < n && roles[i] == COSPIN_COORDINATE_KET && bra < 0; j++)
      if (roles[j] == COSPIN_COORDINATE_BRA && skip-- == 0) bra = j;
    if (labels->num_populations == COSPIN_MAX_POPULATIONS) return PETSC_FALSE;
    labels->population[labels->num_populations] = component->offset + i;
    labels->bra[labels->num_populations] = bra < 0 ? -1 : component->offset + bra;
    labels->coherence[labels->num_populations++] = bra < 0 ? -1 : labels->num_coherences++;
  }
  return PETSC_TRUE;
}

/* Ket and bra shifts to (M, d). An irrep counts once: its two sides are one label, and it is its own "bra"
   here. */
static void split_shift(const CospinSymbolLabels *labels, const int shift[], double coherences[],
                        double populations[])
{
  for (int a = 0; a < labels->num_populations; a++) {
    const int ket = shift[labels->population[a]], bra = labels->bra[a] < 0 ? ket : shift[labels->bra[a]];
    populations[a] = 0.5 * (ket + bra);
    if (labels->coherence[a] >= 0) coherences[labels->coherence[a]] = ket - bra;
  }
}

/* Gauss-Jordan elimination of rows[num][width]; pivots[rank] of columns from `first` on. Fully reduced,
   unlike in LU: above and below a pivot there is nothing left, so a row reads off how all other coherences
   follow its free one. */
static int reduce_rows(int num, int width, int first, double rows[], int pivots[])
{
  int rank = 0;

  for (int c = first; c < width && rank < num; c++) {
    int best = rank;
    for (int r = rank; r < num; r++)
      if (fabs(rows[r * width + c]) > fabs(rows[best * width + c])) best = r;
    if (fabs(rows[best * width + c]) < rounding) continue;
    for (int k = 0; k < width; k++) {
      const double kept = rows[best * width + k];
      rows[best * width + k] = rows[rank * width + k];
      rows[rank * width + k] = kept;
    }
    for (int k = width - 1; k >= 0; k--) rows[rank * width + k] /= k == c ? 1.0 : rows[rank * width + c];
    rows[rank * width + c] = 1.0;
    for (int r = 0; r < num; r++) {
      const double f = rows[r * width + c];
      for (int k = 0; k < width && r != rank; k++) rows[r * width + k] -= f * rows[rank * width + k];
    }
    pivots[rank++] = c;
  }
  return rank;
}

/* Shifts as rows (coherences, populations). */
static PetscErrorCode shift_rows(CospinMoves generator, const CospinSymbolLabels *labels, double **rows)
{
  const int width = labels->num_coherences + labels->num_populations;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(generator->count * width) + 1, rows));
  for (int k = 0; k < generator->count; k++)
    split_shift(labels, generator->moves[k].shift, *rows + k * width,
                *rows + k * width + labels->num_coherences);
  PetscFunctionReturn(0);
}

/* Coherences are the first columns, so that a coherence becomes a pivot before any population does: a
   pivot among the populations is then a shift without coherences. Every population has to be such a pivot.
   If one is not, no move changes it independently (N in one irrep, a strong symmetry): there is one steady
   state for each of its values, and no single smooth state. */
static PetscErrorCode find_free(CospinMoves generator, CospinSymbolLabels *labels, const char **why)
{
  const int width = labels->num_coherences + labels->num_populations;
  int pivots[2 * COSPIN_MAX_POPULATIONS], rank;
  double *rows;

  PetscFunctionBeginUser;
  PetscCall(shift_rows(generator, labels, &rows));
  rank = reduce_rows(generator->count, width, 0, rows, pivots);
  while (labels->num_free < rank && pivots[labels->num_free] < labels->num_coherences) labels->num_free++;
  if (labels->num_free > COSPIN_MAX_FREE) *why = "more than 4 coherences are free";
  /* The last refusal found is the one that is told; a conserved quantity is what a user can do something
     about. */
  if (rank < labels->num_free + labels->num_populations)
    *why = "something is conserved: one steady state in each of several sectors";
  for (int k = 0; k < labels->num_free && !*why; k++) {
    labels->free[k] = pivots[k];
    for (int c = 0; c < labels->num_coherences; c++) labels->follow[k][c] = rows[k * width + c];
  }
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(0);
}

/* Every operator of a chain has to have an amplitude without square roots in the gauge above. `b` of a
   spin (Holstein-Primakoff) has sqrt(2S - n) beside that of a boson: in no gauge do both vanish. */
static PetscBool is_rational(CospinMoves generator, const CospinMove *move)
{
  CospinRational amplitude;

  for (int c = 0; c < move->num_chains; c++)
    for (int s = 0; s < move->chains[c].length; s++) {
      const CospinStep step = move->chains[c].steps[s];
      const CospinComponent component = &generator->system->components[step.component];
      if (!component->kind->Rational(component, step.code, &amplitude)) return PETSC_FALSE;
    }
  return PETSC_TRUE;
}

PetscErrorCode CospinSymbolLabelsMake(CospinMoves generator, CospinSymbolLabels *labels, const char **why)
{
  PetscFunctionBeginUser;
  *labels = (CospinSymbolLabels){.system = generator->system};
  *why = NULL;
  for (int c = 0; c < generator->system->num_components; c++) {
    const CospinComponent component = &generator->system->components[c];
    if (!component->kind->Rational) *why = "spins that can be told apart have no smooth labels";
    if (!*why && !add_component(component, labels)) *why = "more than 10 populations";
  }
  for (int k = 0; k < generator->count && !*why; k++)
    if (!is_rational(generator, &generator->moves[k]))
      *why = "an operator's amplitude is no rational function of the labels (the `b` of a spin)";
  if (!*why) PetscCall(find_free(generator, labels, why));
  PetscFunctionReturn(0);
}

/* ---- Moves --------------------------------------------------------------------------------------------- */

/* slope * coordinate i, added to a. A ket label is m = M + d/2, a bra label m' = M - d/2: hence the half
   and its sign. Coherences that are not free are an offset (their value in the sector) and follow the free
   ones. */
static void add_coordinate(CospinSymbol symbol, int i, double slope, CospinAffine *a)
{
  const CospinSymbolLabels *labels = &symbol->labels;
  int k = 0;
  double half;

  while (labels->population[k] != i && labels->bra[k] != i) k++;
  a->p[k] += slope;
  if (labels->coherence[k] < 0) return;
  half = labels->population[k] == i ? 0.5 * slope : -0.5 * slope;
  a->constant += half * symbol->offset[labels->coherence[k]];
  for (int f = 0; f < labels->num_free; f++) a->d[f] += half * labels->follow[f][labels->coherence[k]];
}

/* A linear function of the labels of a component that stands at label + at[]. Amplitudes are taken where a
   step begins: at[] is how far the steps before it in the chain have already moved the label from the
   source of the whole move. */
static void place(CospinSymbol symbol, const CospinComponent component, const CospinLinear *linear,
                  const int at[], CospinAffine *a)
{
  *a = (CospinAffine){.constant = linear->constant, .edge = linear->edge};
  for (int k = 0; k < linear->num; k++) {
    const int i = component->offset + linear->term[k].coordinate;
    a->constant += linear->term[k].slope * at[i];
    add_coordinate(symbol, i, linear->term[k].slope, a);
  }
}

/* Step after step, in the order in which they act on rho; the shift of a step counts from the next one on. */
static PetscErrorCode create_term(CospinSymbol symbol, const CospinChain *chain, CospinSymbolTerm *term)
{
  const CospinSystem *system = symbol->labels.system;
  int at[COSPIN_MAX_COORDINATES] = {0};

  PetscFunctionBeginUser;
  *term = (CospinSymbolTerm){.coefficient = chain->coefficient};
  PetscCall(PetscMalloc2((size_t)(COSPIN_MAX_FACTORS * chain->length) + 1, &term->factors,
                         (size_t)(COSPIN_MAX_FACTORS * chain->length) + 1, &term->divisors));
  for (int k = 0; k < chain->length; k++) {
    const CospinComponent component = &system->components[chain->steps[k].component];
    CospinRational amplitude;
    PetscBool rational = component->kind->Rational(component, chain->steps[k].code, &amplitude);
    /* Perturbations and readings come here without having been checked as the generator is: a number that
       is not there must not look like one. */
    if (!rational) term->coefficient = NAN;
    term->coefficient *= amplitude.coefficient;
    for (int f = 0; f < amplitude.num_factors; f++)
      place(symbol, component, &amplitude.factor[f], at, &term->factors[term->num_factors++]);
    for (int f = 0; f < amplitude.num_divisors; f++)
      place(symbol, component, &amplitude.divisor[f], at, &term->divisors[term->num_divisors++]);
    CospinSystemShift(system, chain->steps[k], at);
  }
  PetscFunctionReturn(0);
}

/* Whether the shift of coherences is that of the free ones and the step between the sectors. A move from
   one sector to another has a fixed part (the difference of their offsets); what remains must be a
   combination of shifts of free coherences. */
static PetscBool leads_there(const CospinSymbolLabels *labels, const double step[], const double coherences[],
                             const double d[])
{
  for (int c = 0; c < labels->num_coherences; c++) {
    double rest = coherences[c] - step[c];
    for (int k = 0; k < labels->num_free; k++) rest -= labels->follow[k][c] * d[k];
    if (fabs(rest) > rounding) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* A move that leads elsewhere is left out and *whole becomes false: of an observable it contributes
   nothing to the trace, of a jump that is to be counted twice it would be missing. */
static PetscErrorCode create_move(CospinSymbol symbol, const CospinMove *from, const double step[],
                                  PetscBool *whole)
{
  const CospinSymbolLabels *labels = &symbol->labels;
  CospinSymbolMove *move = &symbol->moves[symbol->count];
  double coherences[COSPIN_MAX_POPULATIONS];

  PetscFunctionBeginUser;
  *move = (CospinSymbolMove){.num_terms = from->num_chains};
  split_shift(labels, from->shift, coherences, move->p);
  for (int k = 0; k < labels->num_free; k++) move->d[k] = coherences[labels->free[k]];
  if (!leads_there(labels, step, coherences, move->d)) {
    *whole = PETSC_FALSE;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)from->num_chains, &move->terms));
  for (int c = 0; c < from->num_chains; c++)
    PetscCall(create_term(symbol, &from->chains[c], &move->terms[c]));
  symbol->count++;
  PetscFunctionReturn(0);
}

/* The coherences that a label has where the free ones are zero. */
static void get_offset(const CospinSymbolLabels *labels, const int label[], double offset[])
{
  for (int a = 0; a < labels->num_populations; a++)
    if (labels->coherence[a] >= 0)
      offset[labels->coherence[a]] = label[labels->population[a]] - label[labels->bra[a]];
  for (int k = 0; k < labels->num_free; k++) {
    const double d = offset[labels->free[k]];
    for (int c = 0; c < labels->num_coherences; c++) offset[c] -= labels->follow[k][c] * d;
  }
}

PetscErrorCode CospinSymbolCreate(const CospinSymbolLabels *labels, CospinMoves moves, const int from[],
                                  const int to[], CospinSymbol *symbol, PetscBool *whole)
{
  double step[COSPIN_MAX_POPULATIONS] = {0};

  PetscFunctionBeginUser;
  *whole = PETSC_TRUE;
  PetscCall(PetscNew(symbol));
  (*symbol)->labels = *labels;
  get_offset(labels, from, (*symbol)->offset);
  get_offset(labels, to, step);
  for (int c = 0; c < labels->num_coherences; c++) step[c] -= (*symbol)->offset[c];
  PetscCall(PetscMalloc1((size_t)moves->count + 1, &(*symbol)->moves));
  for (int k = 0; k < moves->count; k++) PetscCall(create_move(*symbol, &moves->moves[k], step, whole));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinSymbolDestroy(CospinSymbol *symbol)
{
  PetscFunctionBeginUser;
  if (!*symbol) PetscFunctionReturn(0);
  for (int k = 0; k < (*symbol)->count; k++) {
    CospinSymbolMove *move = &(*symbol)->moves[k];
    for (int c = 0; c < move->num_terms; c++)
      PetscCall(PetscFree2(move->terms[c].factors, move->terms[c].divisors));
    PetscCall(PetscFree(move->terms));
  }
  PetscCall(PetscFree((*symbol)->moves));
  PetscCall(PetscFree(*symbol));
  PetscFunctionReturn(0);
}

/* ---- Values -------------------------------------------------------------------------------------------- */

/* Rates of the size of N^2 are made of factors of the size of N here, in double precision: good for the
   stable point and its Gaussian; what cancels beyond that is the kernel's business, which sums factors
   around the centre. */
static double value_of(const CospinSymbolLabels *labels, const CospinAffine *a, const double d[],
                       const double p[])
{
  double value = a->constant;

  for (int k = 0; k < labels->num_free; k++) value += a->d[k] * d[k];
  for (int k = 0; k < labels->num_populations; k++) value += a->p[k] * p[k];
  return value;
}

static double complex amplitude_of(const CospinSymbolLabels *labels, const CospinSymbolMove *move,
                                   const double d[], const double p[])
{
  double complex sum = 0.0;

  for (int c = 0; c < move->num_terms; c++) {
    const CospinSymbolTerm *term = &move->terms[c];
    double complex value = term->coefficient;
    for (int f = 0; f < term->num_factors; f++) value *= value_of(labels, &term->factors[f], d, p);
    for (int f = 0; f < term->num_divisors; f++) value /= value_of(labels, &term->divisors[f], d, p);
    sum += value;
  }
  return sum;
}

/* H = sum over moves of amplitude exp(-i theta.d), drift = sum shift H_move, diffusion = sum shift shift^T
   H_move: the first Kramers-Moyal moments, with the coherences d first and the populations behind them.
   theta is complex: its real part is the phase of the state, its imaginary part belongs to the gauge. */
void CospinSymbolEvaluate(CospinSymbol symbol, const double d[], const double p[],
                          const double complex theta[], double complex *h, double complex drift[],
                          double complex diffusion[])
{
  const int nd = symbol->labels.num_free, n = nd + symbol->labels.num_populations;
  double shift[COSPIN_MAX_FREE + COSPIN_MAX_POPULATIONS];

  *h = 0.0;
  for (int a = 0; a < n && drift; a++) drift[a] = 0.0;
  for (int a = 0; a < n * n && diffusion; a++) diffusion[a] = 0.0;
  for (int k = 0; k < symbol->count; k++) {
    const CospinSymbolMove *move = &symbol->moves[k];
    double complex value = amplitude_of(&symbol->labels, move, d, p), phase = 0.0;
    for (int a = 0; a < n; a++) shift[a] = a < nd ? move->d[a] : move->p[a - nd];
    for (int a = 0; a < nd; a++) phase += theta[a] * move->d[a];
    value *= cexp(-I * phase);
    *h += value;
    for (int a = 0; a < n && drift; a++) drift[a] += shift[a] * value;
    for (int a = 0; a < n * n && diffusion; a++) diffusion[a] += shift[a / n] * shift[a % n] * value;
  }
}

/* d(log g)/dd at d = 0, which is the imaginary part of theta: about -log(n)/2 of a mode, (log(j-M) -
   log(j+M))/2 of a spin. Of coherences that follow a free one the slopes add up. */
void CospinSymbolGauge(const CospinSymbolLabels *labels, const double p[], double slope[])
{
  double label[COSPIN_MAX_COORDINATES];

  for (int a = 0; a < labels->num_populations; a++) {
    label[labels->population[a]] = p[a];
    if (labels->bra[a] >= 0) label[labels->bra[a]] = p[a];
  }
  for (int k = 0; k < labels->num_free; k++) slope[k] = 0.0;
  for (int a = 0, pair = 0; a < labels->num_populations; a++) {
    const CospinSystem *system = labels->system;
    int c = 0;
    double g;
    if (labels->bra[a] < 0) continue;
    while (labels->population[a] >= system->components[c].offset + system->components[c].num_coordinates) c++;
    /* GaugeSlope counts pairs within a component (levels have several); populations without a bra, the
       irreps, do not count. */
    pair = a > 0 && labels->bra[a - 1] >= 0 && labels->population[a - 1] >= system->components[c].offset
               ? pair + 1
               : 0;
    g = system->components[c].kind->GaugeSlope(&system->components[c], pair,
                                               label + system->components[c].offset);
    for (int k = 0; k < labels->num_free; k++) slope[k] += labels->follow[k][labels->coherence[a]] * g;
  }
}

/* Whether all coherences vanish where the free ones do: only in such a sector are there elements on the
   diagonal, and with them a trace. */
PetscBool CospinSymbolIsNeutral(CospinSymbol symbol)
{
  for (int c = 0; c < symbol->labels.num_coherences; c++)
    if (fabs(symbol->offset[c]) > rounding) return PETSC_FALSE;
  return PETSC_TRUE;
}
