/*
   Quantum jumps of one ket. A number u is drawn; the ket evolves without being normalised until |psi|^2 = u,
   jumps by L_k with a probability proportional to |L_k psi|^2, is normalised, and the next u is drawn. There
   is no time step and no bias of one.

   Random numbers are Philox blocks of (seed, number of the trajectory, number of the draw): first those of a
   mixed initial state, then u and the choice of k in turn. Nothing of ranks, order or restarts enters.

   `shifted`: L -> L + b, H -> H - i/2 (b^* L - b L^+) is the same master equation. With b = -<L>, renewed at
   jumps and at the times that are visited, jumps come at the rate of the variance of L instead of its square,
   far less often where a ket is nearly coherent. For the ket that is not normalised the generator gains -b^*
   L - |b|^2/2. Only operators that leave a ket in its block have an <L>; those whose clicks are counted stay
   as they are, for their clicks are the light of the deck's own L.
*/
#include "unravelling_impl.h"
#include <string.h>

enum { DRAW_BITS = 36 };
static const double no_weight =
    1e-25; /* of a ket that has not jumped: what is left of it counts for nothing */

/* One by one, since two of them are swapped at a jump. */
static PetscErrorCode make_room(CospinUnravelling u, int dimension)
{
  const size_t bytes = sizeof(double complex) * (size_t)dimension;

  PetscFunctionBeginUser;
  if (dimension <= u->capacity) PetscFunctionReturn(0);
  PetscCall(PetscRealloc(bytes, &u->ket));
  PetscCall(PetscRealloc(bytes, &u->next));
  PetscCall(PetscRealloc(bytes, &u->read));
  u->capacity = dimension;
  PetscFunctionReturn(0);
}

/* ---- On the way ---------------------------------------------------------------------------------------- */

/* The next of this trajectory. One of the two numbers of a block is enough: they cost little beside a
 * product. */
static double draw(CospinUnravelling u)
{
  double pair[2];

  CospinRandomPair(u->settings.seed, (uint64_t)u->number << DRAW_BITS | u->draws++, pair);
  return pair[0];
}

/* A ket at the edge of an open window stops the trajectory. */
static void watch(CospinUnravelling u, const double complex ket[], double norm2)
{
  if (!u->level->open || CospinKetLevelLeak(u->level, u->block, ket) <= u->settings.tolerance * norm2) return;
  u->leaked = u->progress.stop = PETSC_TRUE;
}

/* A CospinKetVisit. */
PetscErrorCode CospinUnravellingVisit(void *context, int k, const double complex ket[], double norm2)
{
  const CospinUnravelling u = (CospinUnravelling)context;
  CospinTrajectory *t = u->trajectory;

  PetscFunctionBeginUser;
  watch(u, ket, norm2);
  if (u->leaked || k < 0) PetscFunctionReturn(0);
  PetscCall(CospinKetLevelRead(u->level, u->block, ket, norm2, u->read,
                               t->values + (size_t)k * (size_t)t->num_values));
  if (u->settings.Show)
    PetscCall(u->settings.Show(u->settings.context, k, u->block, ket, norm2,
                               (PetscBool)(u->jumps > 0 || u->number < 0)));
  t->norm2[k] = norm2;
  t->jumps[k] = u->jumps;
  t->clicks[k] = u->clicks;
  PetscFunctionReturn(0);
}

/* Work space grows with the largest block that has been entered. */
static PetscErrorCode enter(CospinUnravelling u, CospinKetBlock block)
{
  PetscFunctionBeginUser;
  u->block = block;
  PetscCall(make_room(u, block->dimension));
  u->trajectory->dimension = PetscMax(u->trajectory->dimension, block->dimension);
  PetscFunctionReturn(0);
}

/* Amplitudes are asked label by label, in the block that the drawn label lies in; what a window has cut off
   is missing, and the ket is normalised to 1. Whether that was much, the edge of the window tells. */
static PetscErrorCode begin(CospinUnravelling u)
{
  const CospinSystem *system = &u->level->problem->system;
  int drawn[COSPIN_MAX_COORDINATES], label[COSPIN_MAX_COORDINATES];
  double uniform[COSPIN_MAX_COORDINATES];
  CospinKetBlock block;

  PetscFunctionBeginUser;
  for (int c = 0; c < system->num_components; c++) uniform[c] = u->level->start->mixed ? draw(u) : 0.5;
  PetscCall(CospinKetStateDraw(u->level->start, uniform, drawn));
  PetscCall(CospinKetSpaceFind(u->level->space, drawn, &block));
  PetscCall(enter(u, block));
  for (int i = 0; i < block->dimension; i++) {
    CospinSectorLabel(block->sector, i, label);
    u->ket[i] = CospinKetStateAmplitude(u->level->start, drawn, label);
  }
  u->progress = (CospinKetProgress){.norm2 = 0.0};
  for (int i = 0; i < block->dimension; i++)
    u->progress.norm2 += creal(u->ket[i]) * creal(u->ket[i]) + cimag(u->ket[i]) * cimag(u->ket[i]);
  for (int i = 0; i < block->dimension; i++) u->ket[i] /= PetscSqrtReal(u->progress.norm2);
  u->progress.norm2 = 1.0;
  watch(u, u->ket, 1.0);
  PetscFunctionReturn(0);
}

/* ---- Jumps --------------------------------------------------------------------------------------------- */

static PetscBool is_counted(CospinUnravelling u, int jump)
{
  const char *name = u->point->problem->deck->jumps[u->level->kets->jumps[jump].line].name;

  if (!u->settings.click) return PETSC_FALSE;
  return (PetscBool)(strcmp(u->settings.click, COSPIN_EVERY_JUMP) == 0 ||
                     (name && strcmp(name, u->settings.click) == 0));
}

/* Times of single clicks are kept where someone asks for them only: a laser clicks 10^6 times. */
static PetscErrorCode count_click(CospinUnravelling u, int line)
{
  CospinTrajectory *t = u->trajectory;

  PetscFunctionBeginUser;
  u->clicks++;
  t->click_time += u->progress.time;
  if (!u->settings.record) PetscFunctionReturn(0);
  if (t->num_records == t->room) {
    t->room = 2 * t->room + 64;
    PetscCall(PetscRealloc(sizeof(CospinClick) * (size_t)t->room, &t->records));
  }
  t->records[t->num_records++] = (CospinClick){u->progress.time, line};
  PetscFunctionReturn(0);
}

/* In the windows of the level at work. */
static const CospinKetJump *jump_of(CospinUnravelling u, int k)
{
  return &u->level->kets->jumps[k];
}

/* next = (L_k + b_k) ket, and how probable it is: its length squared, times the rate that L_k is without. */
static PetscErrorCode apply_jump(CospinUnravelling u, int k, CospinKetBlock *target, double *weight)
{
  const CospinKetMatrix *jump;
  double sum = 0.0;

  PetscFunctionBeginUser;
  PetscCall(CospinKetBlockJump(u->level->space, u->block, k, &jump, target));
  PetscCall(make_room(u, (*target)->dimension));
  CospinKetMatrixApply(jump, u->ket, u->next);
  for (int i = 0; i < (*target)->dimension && u->shift[k] != 0.0; i++) u->next[i] += u->shift[k] * u->ket[i];
  for (int i = 0; i < (*target)->dimension; i++)
    sum += creal(u->next[i]) * creal(u->next[i]) + cimag(u->next[i]) * cimag(u->next[i]);
  *weight = sum;
  if (jump_of(u, k)->timed)
    *weight *= PetscMax(
        0.0, CospinClockRateOf(u->point->problem, jump_of(u, k)->line, jump_of(u, k)->spin, u->coefficients));
  PetscFunctionReturn(0);
}

/* Coefficients now, before anything is weighed. */
static PetscErrorCode look_at_clock(CospinUnravelling u)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  if (u->timed)
    PetscCall(CospinClockCoefficients(u->point->problem, u->progress.time, NULL, u->coefficients, &ok));
  PetscFunctionReturn(0);
}

/* weights[num_jumps], and what the lines are expected of `jumps` jumps. */
static PetscErrorCode weigh(CospinUnravelling u, double jumps, double weights[], double *total)
{
  const CospinKets kets = u->level->kets;
  double sum = 0.0;

  PetscFunctionBeginUser;
  PetscCall(look_at_clock(u));
  for (int k = 0; k < kets->num_jumps; k++) {
    CospinKetBlock target;
    PetscCall(apply_jump(u, k, &target, &weights[k]));
    sum += weights[k];
  }
  for (int k = 0; k < kets->num_jumps && sum > 0.0; k++)
    u->trajectory->expected[kets->jumps[k].line] += jumps * weights[k] / sum;
  *total = sum;
  PetscFunctionReturn(0);
}

/* Since its last jump a trajectory has waited in vain: what jumps seldom is known by that only. The
   probability of having waited so long is |psi|^2 = exp(-integral of the rate), so that its logarithm is how
   often a jump was to be expected meanwhile; which line's it would have been is asked at the end, as good as
   anywhere. A dark state from which an atom is lifted once in 10^7 lifetimes looks like a state without any
   error otherwise. */
static PetscErrorCode expect_rest(CospinUnravelling u)
{
  double *weights, total;

  PetscFunctionBeginUser;
  if (!(u->progress.norm2 > 0.0 && u->progress.norm2 < 1.0)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1((size_t)u->level->kets->num_jumps + 1, &weights));
  PetscCall(weigh(u, -log(u->progress.norm2), weights, &total));
  PetscCall(PetscFree(weights));
  PetscFunctionReturn(0);
}

/* Which of them; the counts of the trajectory learn of it. */
static PetscErrorCode choose(CospinUnravelling u, int *chosen)
{
  const CospinKets kets = u->level->kets;
  double *weights, total, wanted;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)kets->num_jumps, &weights));
  PetscCall(weigh(u, 1.0, weights, &total));
  PetscCheck(total > 0.0 || u->timed, PETSC_COMM_SELF, PETSC_ERR_PLIB,
             "The norm of a ket has fallen and nothing jumps");
  wanted = draw(u) * total;
  *chosen = -1;
  for (int k = 0; k < kets->num_jumps && wanted >= 0.0; k++) {
    if (weights[k] > 0.0) *chosen = k;
    wanted -= weights[k];
  }
  if (*chosen >= 0) u->trajectory->fired[kets->jumps[*chosen].line]++;
  PetscCall(PetscFree(weights));
  PetscFunctionReturn(0);
}

/* After it the ket is normalised, and the clock of the norm begins anew: *floor for the next one. Steps that
   are not exact let the norm of a dark state fall by their error; then nothing jumps, and the wait goes on
   from where it is. */
static PetscErrorCode jump(CospinUnravelling u, double *floor)
{
  CospinKetBlock target;
  double complex *swap;
  double weight;
  int k;

  PetscFunctionBeginUser;
  PetscCall(choose(u, &k));
  if (k < 0) {
    *floor *= draw(u);
    PetscFunctionReturn(0);
  }
  PetscCall(apply_jump(u, k, &target, &weight));
  swap = u->ket;
  u->ket = u->next;
  u->next = swap;
  weight = 0.0; /* which may have had a rate in it */
  for (int i = 0; i < target->dimension; i++)
    weight += creal(u->ket[i]) * creal(u->ket[i]) + cimag(u->ket[i]) * cimag(u->ket[i]);
  for (int i = 0; i < target->dimension; i++) u->ket[i] /= PetscSqrtReal(weight);
  u->progress.norm2 = 1.0;
  u->jumps++;
  if (is_counted(u, k)) PetscCall(count_click(u, u->level->kets->jumps[k].line));
  PetscCall(CospinKetLevelTrim(u->level, &target));
  PetscCall(enter(u, target));
  watch(u, u->ket, 1.0);
  *floor = draw(u);
  PetscFunctionReturn(0);
}

/* b = -<L> of operators that leave the ket in its block. */
static PetscErrorCode renew_shifts(CospinUnravelling u, const CospinKetMatrix *terms[],
                                   double complex factors[], CospinKetGenerator *generator)
{
  const CospinKets kets = u->level->kets;
  const int n = u->block->dimension;

  PetscFunctionBeginUser;
  for (int k = 0; k < kets->num_jumps; k++) {
    const CospinKetMatrix *matrix;
    CospinKetBlock target;
    double complex mean = 0.0;
    u->shift[k] = 0.0;
    if (!u->settings.shifted || is_counted(u, k)) continue;
    PetscCall(CospinKetBlockJump(u->level->space, u->block, k, &matrix, &target));
    if (target != u->block) continue;
    CospinKetMatrixApply(matrix, u->ket, u->next);
    for (int i = 0; i < n; i++) mean += conj(u->ket[i]) * u->next[i];
    u->shift[k] = -mean / u->progress.norm2;
    terms[generator->num_terms] = matrix;
    factors[generator->num_terms++] = -conj(u->shift[k]);
    generator->constant -= 0.5 * creal(u->shift[k] * conj(u->shift[k]));
  }
  PetscFunctionReturn(0);
}

/* To the next jump, or (shifted) the next time, or the end. */
static PetscErrorCode propagate(CospinUnravelling u, double floor, PetscBool *fallen)
{
  const int num_jumps = u->level->kets->num_jumps, last = u->settings.num_times - 1;
  CospinKetGenerator generator = {.matrix = &u->block->no_jump, .block = u->level->open ? NULL : u->block};
  const double until = u->settings.times[u->settings.shifted ? PetscMin(u->progress.next, last) : last];
  const CospinKetMatrix **terms;
  double complex *factors;

  PetscFunctionBeginUser;
  if (u->timed) {
    const CospinKetTimedGenerator changing = {&u->block->no_jump, u->block->terms};
    PetscCall(CospinKetTimedPropagate(u->timed, &changing, u->settings.times[last], floor, u->ket,
                                      &u->progress, &u->kicked, fallen));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc2((size_t)num_jumps, &terms, (size_t)num_jumps, &factors));
  PetscCall(renew_shifts(u, terms, factors, &generator));
  generator.terms = terms;
  generator.factors = factors;
  PetscCall(CospinKetPropagate(u->propagator, &generator, until, floor, u->ket, &u->progress, fallen));
  PetscCall(PetscFree2(terms, factors));
  PetscFunctionReturn(0);
}

/* ---- A trajectory -------------------------------------------------------------------------------------- */

/* In the windows of one level; u->leaked tells if they were too small. */
static PetscErrorCode run_level(CospinUnravelling u, double least)
{
  const size_t lines = (size_t)u->point->problem->deck->num_jumps;
  const int num_jumps = u->level->kets->num_jumps;
  double floor;

  PetscFunctionBeginUser;
  u->draws = 0;
  u->kicked = 0;
  u->jumps = u->clicks = 0;
  u->leaked = PETSC_FALSE;
  u->trajectory->dimension = 0;
  u->trajectory->click_time = 0.0;
  u->trajectory->num_records = 0;
  PetscCall(PetscArrayzero(u->trajectory->fired, lines));
  PetscCall(PetscArrayzero(u->trajectory->expected, lines));
  PetscCall(PetscArrayzero(u->trajectory->norm2, u->settings.num_times));
  PetscCall(PetscFree(u->shift));
  PetscCall(PetscCalloc1((size_t)num_jumps + 1, &u->shift));
  PetscCall(begin(u));
  floor = u->number < 0 ? no_weight : least + (1.0 - least) * draw(u);
  while (!u->leaked && u->progress.next < u->settings.num_times) {
    PetscBool fallen;
    PetscCall(propagate(u, floor, &fallen));
    if (!fallen || u->leaked) continue;
    if (u->number < 0) break;
    PetscCall(jump(u, &floor));
  }
  if (!u->leaked && u->number >= 0) PetscCall(expect_rest(u));
  PetscFunctionReturn(0);
}

/* Windows half as large again. *larger NULL: there are none, or they may not be larger. */
static PetscErrorCode grow(CospinUnravelling u, PetscBool *grown)
{
  CospinProblem larger = NULL;

  PetscFunctionBeginUser;
  if (u->num_levels < MOST_LEVELS)
    PetscCall(CospinWindowLarger(u->level->problem, u->block->dimension, &larger));
  *grown = (PetscBool)(larger != NULL);
  if (larger) PetscCall(CospinKetLevelCreate(u->point, &u->settings, larger, &u->levels[u->num_levels++]));
  PetscFunctionReturn(0);
}

/* Always from the first level on, whatever other trajectories have needed: else results would depend on which
   of them a rank has done before. */
PetscErrorCode CospinUnravellingRun(CospinUnravelling u, int number, double least,
                                    CospinTrajectory *trajectory)
{
  PetscBool again = PETSC_TRUE;

  PetscFunctionBeginUser;
  u->trajectory = trajectory;
  u->number = number;
  trajectory->large = PETSC_FALSE;
  trajectory->products = 0.0;
  for (int g = 0; again; g++) {
    u->level = &u->levels[g];
    PetscCall(run_level(u, least));
    trajectory->products += u->progress.products;
    trajectory->error = u->progress.error;
    again = u->leaked;
    if (!again || g + 1 < u->num_levels) continue;
    PetscCall(grow(u, &again));
    trajectory->large = (PetscBool)!again;
  }
  PetscFunctionReturn(0);
}
