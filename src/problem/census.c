/*
   The walk of sector.c without its tree.

   What lies beneath a node of level k depends on the coordinates behind it only, modulo the rows from k on,
   and on those coordinates before it that bound ranges behind it. These numbers are the key under which the
   count of a node is kept.

   The values that a node's pivot v_k runs through are narrowed first. Over the rationals a label of the coset
   is the sum of its pivot coordinates times fixed directions R_l, which are 1 at the pivot of l and 0 at the
   others; so a coordinate j that is no pivot is

     label_j + sum_{l >= k} (v_l - label_{p_l}) R_l[j],

   which must be able to reach its range with some v_l within theirs.

   The labels of the line beneath a node, where the line moves all coordinates by 0 or 1, number

     g(s) = 1 + min (upper bounds of t) - max (lower bounds of t) >= 0,   concave in s, the place of the line:

   where three places of an interval lie on one straight line all do, and the interval is summed up at once.

   What takes too many steps is estimated by random walks (Knuth, Math. Comp. 29, 122 (1975)): the product of
   the numbers of choices along a walk is on average the number of leaves.

   Whoever plans a run (plan, the farm's estimates, the choice between solvers) needs dimensions of sectors
   far too large to be enumerated; a census counts one without visiting its labels. With `kets` it counts kets
   alone: bras and what belongs to them are skipped, and the lattice is projected onto the rest.
*/
#include "label_set.h"
#include "line.h"
#include <cospin/problem/census.h>

enum { MAX_STEPS = 400000, NUM_WALKS = 4000, SHORT_INTERVAL = 8 };
static const double slack = 1e-6; /* of coordinates that are computed over the rationals */

typedef struct {
  CospinLine line;
  int next;              /* coordinates up to here are fixed with this pivot */
  PetscBool independent; /* what lies beneath does not depend on the pivot's value */
  double direction[COSPIN_MAX_COORDINATES];
  double least[COSPIN_MAX_COORDINATES], most[COSPIN_MAX_COORDINATES]; /* added by the pivots behind */
  int num_key, key[2 * COSPIN_MAX_COORDINATES];
  CospinLabelSet seen;
  PetscInt capacity;
  CospinCount *counts; /* [seen.count] */
} Level;

struct CospinCensus_ {
  const CospinSystem *system;
  CospinLattice lattice;
  PetscBool owns_lattice, unit_slopes; /* of the last line's bounds */
  PetscBool skip[COSPIN_MAX_COORDINATES];
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES];
  int num_free, free[COSPIN_MAX_COORDINATES]; /* coordinates that are counted and no pivots */
  int num_levels;
  Level *levels;
  PetscInt steps;
};

/* ---- What is known of a level before any label --------------------------------------------------------- */

/* Over the rationals, with doubles: only bounds are computed with it, which are rounded outwards by `slack`.
 */
static PetscErrorCode project(CospinCensus census, CospinLattice lattice)
{
  const int n = census->system->num_coordinates;

  PetscFunctionBeginUser;
  PetscCall(CospinLatticeCreate(n, &census->lattice));
  census->owns_lattice = PETSC_TRUE;
  for (int r = 0; r < CospinLatticeRank(lattice); r++) {
    int vector[COSPIN_MAX_COORDINATES], pivot;
    const int *row = CospinLatticeRow(lattice, r, &pivot);
    for (int i = 0; i < n; i++) vector[i] = census->skip[i] ? 0 : row[i];
    PetscCall(CospinLatticeAdd(census->lattice, vector));
  }
  PetscFunctionReturn(0);
}

/* Coordinates that are no pivots are those whose range restricts the walk. */
static PetscBool is_pivot(CospinCensus census, int i)
{
  for (int k = 0; k < census->num_levels; k++)
    if (census->levels[k].line.pivot == i) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* From the last level up: the row, freed of what it has at the pivots behind. */
static void find_directions(CospinCensus census)
{
  const int n = census->system->num_coordinates;

  for (int k = census->num_levels - 1; k >= 0; k--) {
    Level *level = &census->levels[k];
    for (int i = 0; i < n; i++) level->direction[i] = (double)level->line.row[i] / level->line.step;
    for (int l = k + 1; l < census->num_levels; l++) {
      const Level *behind = &census->levels[l];
      const double factor = level->direction[behind->line.pivot];
      for (int i = 0; i < n && factor != 0.0; i++) level->direction[i] -= factor * behind->direction[i];
    }
    for (int i = 0; i < n && k + 1 < census->num_levels; i++) {
      const Level *behind = level + 1;
      const double at_lo = behind->direction[i] * census->lo[behind->line.pivot];
      const double at_hi = behind->direction[i] * census->hi[behind->line.pivot];
      level->least[i] = behind->least[i] + PetscMin(at_lo, at_hi);
      level->most[i] = behind->most[i] + PetscMax(at_lo, at_hi);
    }
  }
}

/* Equal keys, equal numbers of labels beneath. Coordinates that a row with step 1 reduces to zero, and those
   before the pivot that bound nothing behind it, tell nothing and would only make more keys. */
static void find_key(CospinCensus census, Level *level)
{
  const int n = census->system->num_coordinates, pivot = level->line.pivot;
  PetscBool bounds[COSPIN_MAX_COORDINATES] = {PETSC_FALSE};

  for (int i = pivot; i < n; i++) {
    const int by = census->skip[i] ? -1 : CospinSystemBoundBy(census->system, i);
    PetscBool reduced_to_zero = census->skip[i];
    for (const Level *l = level; l < census->levels + census->num_levels; l++)
      if (l->line.pivot == i && l->line.step == 1) reduced_to_zero = PETSC_TRUE;
    if (!reduced_to_zero) level->key[level->num_key++] = i;
    if (by >= 0 && by < pivot) bounds[by] = PETSC_TRUE;
  }
  for (int i = 0; i < pivot; i++)
    if (bounds[i]) level->key[level->num_key++] = i;
}

/* Then one child is counted and multiplied by the number of values. */
static PetscBool is_independent(CospinCensus census, const Level *level)
{
  for (int i = level->line.pivot + 1; i < census->system->num_coordinates; i++) {
    if (census->skip[i]) continue;
    if (level->line.row[i] != 0 || CospinSystemBoundBy(census->system, i) == level->line.pivot)
      return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Whether the bounds of t along the last line are whole numbers without a division. */
static PetscBool has_unit_slopes(CospinCensus census)
{
  const Level *last = &census->levels[census->num_levels - 1];

  if (last->line.step != 1) return PETSC_FALSE;
  for (int f = 0; f < census->num_free; f++) {
    const int i = census->free[f], by = CospinSystemBoundBy(census->system, i);
    int zero[COSPIN_MAX_COORDINATES] = {0}, one[COSPIN_MAX_COORDINATES] = {0}, lo[2], hi[2];
    if (i < last->line.pivot) continue;
    if (by >= 0) one[by] = last->line.row[by];
    CospinSystemRange(census->system, i, zero, &lo[0], &hi[0]);
    CospinSystemRange(census->system, i, one, &lo[1], &hi[1]);
    if (PetscAbsInt(last->line.row[i] - (lo[1] - lo[0])) > 1) return PETSC_FALSE;
    if (PetscAbsInt(last->line.row[i] - (hi[1] - hi[0])) > 1) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* What is known of a level does not depend on a label, so it is found once for all sectors of a problem. */
static PetscErrorCode create_levels(CospinCensus census)
{
  const int n = census->system->num_coordinates;

  PetscFunctionBeginUser;
  census->num_levels = CospinLatticeRank(census->lattice);
  PetscCall(PetscCalloc1((size_t)census->num_levels, &census->levels));
  for (int k = 0; k < census->num_levels; k++) census->levels[k].line = CospinLineOf(census->lattice, k);
  for (int i = 0; i < n; i++)
    if (!census->skip[i] && !is_pivot(census, i)) census->free[census->num_free++] = i;
  find_directions(census);
  for (int k = 0; k < census->num_levels; k++) {
    Level *level = &census->levels[k];
    level->next = k + 1 < census->num_levels ? level[1].line.pivot : n;
    level->independent = is_independent(census, level);
    find_key(census, level);
    PetscCall(CospinLabelSetCreate(level->num_key, &level->seen));
  }
  if (census->num_levels) census->unit_slopes = has_unit_slopes(census);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCensusCreate(const CospinSystem *system, CospinLattice lattice, PetscBool kets,
                                  CospinCensus *census)
{
  CospinCensus new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->system = system;
  new->lattice = lattice;
  CospinSystemBounds(system, new->lo, new->hi);
  for (int i = 0; i < system->num_coordinates; i++) CospinSystemCut(system, i, &new->lo[i], &new->hi[i]);
  for (int i = 0; i < system->num_coordinates && kets; i++) {
    const CospinRole role = CospinSystemRole(system, i);
    new->skip[i] = (PetscBool)(role != COSPIN_COORDINATE_IRREP && role != COSPIN_COORDINATE_KET);
  }
  if (kets) PetscCall(project(new, lattice));
  PetscCall(create_levels(new));
  *census = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCensusDestroy(CospinCensus *census)
{
  PetscFunctionBeginUser;
  if (!*census) PetscFunctionReturn(0);
  for (int k = 0; k < (*census)->num_levels; k++) {
    PetscCall(CospinLabelSetDestroy(&(*census)->levels[k].seen));
    PetscCall(PetscFree((*census)->levels[k].counts));
  }
  PetscCall(PetscFree((*census)->levels));
  if ((*census)->owns_lattice) PetscCall(CospinLatticeDestroy(&(*census)->lattice));
  PetscCall(PetscFree(*census));
  PetscFunctionReturn(0);
}

/* ---- The walk ------------------------------------------------------------------------------------------ */

/* The values of the pivot with which coordinate j can be reached; the range only ever becomes smaller. */
static void narrow(CospinCensus census, int k, int j, const int label[], double *lo, double *hi)
{
  const Level *level = &census->levels[k];
  const double slope = level->direction[j];
  double base = label[j], ends[2];

  for (const Level *l = level; l < census->levels + census->num_levels; l++)
    base -= label[l->line.pivot] * l->direction[j];
  ends[0] = census->lo[j] - base - level->most[j] - slack;
  ends[1] = census->hi[j] - base - level->least[j] + slack;
  if (PetscAbsReal(slope) < slack) {
    if (ends[0] > 0.0 || ends[1] < 0.0) *hi = *lo - 1.0;
  } else {
    *lo = PetscMax(*lo, PetscCeilReal((slope > 0 ? ends[0] : ends[1]) / slope));
    *hi = PetscMin(*hi, PetscFloorReal((slope > 0 ? ends[1] : ends[0]) / slope));
  }
}

/* Moves the label to the first value of its pivot; number of values. */
static int start(CospinCensus census, int k, int label[])
{
  const Level *level = &census->levels[k];
  double least, most;
  int lo, hi;

  CospinSystemRange(census->system, level->line.pivot, label, &lo, &hi);
  CospinSystemCut(census->system, level->line.pivot, &lo, &hi);
  least = lo;
  most = hi;
  for (int f = 0; f < census->num_free && k + 1 < census->num_levels; f++)
    if (census->free[f] > level->line.pivot) narrow(census, k, census->free[f], label, &least, &most);
  if (!(least <= most)) return 0;
  return CospinLineStart(census->system, &level->line, (int)least, (int)most, label);
}

/* How many labels the last line has from here on; anything below zero: its bounds have passed each other. */
static PetscInt64 run_length(CospinCensus census, const int prefix[])
{
  const int last_level = census->num_levels - 1;
  int label[COSPIN_MAX_COORDINATES], total;
  PetscInt64 first, last;

  for (int i = 0; i < census->system->num_coordinates; i++) label[i] = prefix[i];
  total = start(census, last_level, label);
  if (total == 0) return -1;
  CospinLineRun(census->system, census->skip, &census->levels[last_level].line, total, label, &first, &last);
  return last - first + 1;
}

/* Nodes of empty branches are not counted: sector.c cuts them off. */
static void add(CospinCount *sum, double times, CospinCount count)
{
  if (count.labels <= 0.0) return;
  sum->labels += times * count.labels;
  sum->nodes += times * count.nodes;
}

/* g(s) above, at label + s row of the level before the last. */
static PetscInt64 line_at(CospinCensus census, const Level *level, const int label[], int s)
{
  int at[COSPIN_MAX_COORDINATES];

  census->steps++;
  for (int i = 0; i < census->system->num_coordinates; i++) at[i] = label[i];
  CospinLineMove(census->system, &level->line, s, at);
  if (!CospinLabelKept(census->system, census->skip, level->line.pivot + 1, level->next, at)) return -1;
  return run_length(census, at);
}

/* One node of the last level but one holds a line; an empty line is a node all the same. */
static void add_line(PetscInt64 length, CospinCount *count)
{
  add(count, 1.0, (CospinCount){.labels = (double)PetscMax(0, length), .nodes = 1.0});
}

/* The lines begin ... end, whose lengths at both ends are known. The lengths of neighbouring lines differ by
 * a constant as long as the same bounds hold: an arithmetic series is summed, and its middle is looked at to
 * know that it is one. */
static void add_lines(CospinCensus census, const Level *level, const int label[], int begin, int end,
                      PetscInt64 at_begin, PetscInt64 at_end, CospinCount *count)
{
  const int middle = begin + (end - begin) / 2;
  PetscInt64 at_middle;

  if (census->steps > MAX_STEPS) return;
  if (end - begin < SHORT_INTERVAL || (at_begin < 0 && at_end < 0)) {
    for (int s = begin; s <= end && census->steps <= MAX_STEPS; s++)
      add_line(line_at(census, level, label, s), count);
    return;
  }
  at_middle = line_at(census, level, label, middle);
  if (at_begin >= 0 && at_end >= 0 &&
      (at_middle - at_begin) * (end - middle) == (at_end - at_middle) * (middle - begin)) {
    add(count, end - begin + 1.0, (CospinCount){.labels = 0.5 * (double)(at_begin + at_end), .nodes = 1.0});
    return;
  }
  add_lines(census, level, label, begin, middle, at_begin, at_middle, count);
  add_lines(census, level, label, middle + 1, end, line_at(census, level, label, middle + 1), at_end, count);
}

static PetscErrorCode count_level(CospinCensus census, int k, const int prefix[], CospinCount *count);

/* Three ways, from the cheapest: all children alike, an arithmetic series of lines, one child after the
   other. */
static PetscErrorCode count_children(CospinCensus census, int k, int label[], CospinCount *count)
{
  const Level *level = &census->levels[k];
  const int total = start(census, k, label);
  CospinCount child;

  PetscFunctionBeginUser;
  *count = (CospinCount){.nodes = 1.0};
  if (total == 0) PetscFunctionReturn(0);
  if (level->independent) {
    if (!CospinLabelKept(census->system, census->skip, level->line.pivot + 1, level->next, label))
      PetscFunctionReturn(0);
    PetscCall(count_level(census, k + 1, label, &child));
    add(count, total, child);
  } else if (k + 2 == census->num_levels && census->unit_slopes) {
    add_lines(census, level, label, 0, total - 1, line_at(census, level, label, 0),
              line_at(census, level, label, total - 1), count);
  } else {
    for (int s = 0; s < total && census->steps <= MAX_STEPS; s++) {
      if (CospinLabelKept(census->system, census->skip, level->line.pivot + 1, level->next, label)) {
        PetscCall(count_level(census, k + 1, label, &child));
        add(count, 1.0, child);
      }
      CospinLineMove(census->system, &level->line, 1, label);
    }
  }
  PetscFunctionReturn(0);
}

/* The label modulo the rows from k on, and the key that is made of it. */
static void reduce(CospinCensus census, int k, int label[], int key[])
{
  const Level *level = &census->levels[k];

  for (const Level *l = level; l < census->levels + census->num_levels; l++) {
    const int value = label[l->line.pivot], step = l->line.step;
    CospinLineMove(census->system, &l->line, -(value >= 0 ? value / step : -((step - 1 - value) / step)),
                   label);
  }
  for (int i = 0; i < level->num_key; i++) key[i] = label[level->key[i]];
}

static PetscErrorCode count_level(CospinCensus census, int k, const int prefix[], CospinCount *count)
{
  Level *level = &census->levels[k];
  int label[COSPIN_MAX_COORDINATES], key[2 * COSPIN_MAX_COORDINATES];
  PetscInt number;
  PetscBool new;

  PetscFunctionBeginUser;
  census->steps++;
  PetscCall(PetscArraycpy(label, prefix, census->system->num_coordinates));
  if (k + 1 == census->num_levels) {
    *count = (CospinCount){0};
    add_line(run_length(census, label), count);
    PetscFunctionReturn(0);
  }
  reduce(census, k, label, key);
  PetscCall(CospinLabelSetAdd(&level->seen, key, &number, &new));
  if (number >= level->capacity) {
    level->capacity = 2 * level->capacity + 16;
    PetscCall(PetscRealloc(sizeof(CospinCount) * (size_t)level->capacity, &level->counts));
  }
  if (new) PetscCall(count_children(census, k, label, &level->counts[number]));
  *count = level->counts[number];
  PetscFunctionReturn(0);
}

/* ---- Samples ------------------------------------------------------------------------------------------- */

static int random_below(int bound, uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u; /* Knuth's; the high bits are good */
  return (int)((double)(*state >> 11) * 0x1p-53 * bound);
}

/* One walk down: what it stands for is added. */
static void walk(CospinCensus census, const int representative[], uint64_t *state, CospinCount *sum)
{
  int label[COSPIN_MAX_COORDINATES];
  double weight = 1.0;

  for (int i = 0; i < census->system->num_coordinates; i++) label[i] = representative[i];
  for (int k = 0; k + 1 < census->num_levels; k++) {
    const Level *level = &census->levels[k];
    const int total = start(census, k, label);
    if (total == 0) return;
    sum->nodes += weight;
    weight *= total;
    CospinLineMove(census->system, &level->line, random_below(total, state), label);
    if (!CospinLabelKept(census->system, census->skip, level->line.pivot + 1, level->next, label)) return;
  }
  sum->labels += weight * (double)PetscMax(0, run_length(census, label));
  sum->nodes += weight;
}

/* Knuth's estimator of the size of a tree (Math. Comp. 29, 122 (1975)): the product of the numbers of
 * children along a random walk has the number of leaves as its mean. */
static void sample(CospinCensus census, const int representative[], CospinCount *count)
{
  uint64_t state = 1;

  *count = (CospinCount){.exact = PETSC_FALSE};
  for (int k = 0; k < NUM_WALKS; k++) walk(census, representative, &state, count);
  count->labels = PetscMax(1.0, PetscFloorReal(count->labels / NUM_WALKS + 0.5));
  count->nodes /= NUM_WALKS;
}

/* Counts that were not finished are not kept. */
static PetscErrorCode forget(CospinCensus census)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < census->num_levels; k++) {
    PetscCall(CospinLabelSetDestroy(&census->levels[k].seen));
    PetscCall(CospinLabelSetCreate(census->levels[k].num_key, &census->levels[k].seen));
  }
  PetscFunctionReturn(0);
}

/* `exact` false: there was no time for all of it, and the number is that of a sample. */
PetscErrorCode CospinCensusCount(CospinCensus census, const int representative[], CospinCount *count)
{
  const int first = census->num_levels ? census->levels[0].line.pivot : census->system->num_coordinates;
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  *count = (CospinCount){.exact = PETSC_TRUE};
  for (int i = 0; i < census->system->num_coordinates; i++)
    label[i] = census->skip[i] ? 0 : representative[i];
  CospinLatticeReduce(census->lattice, label);
  if (!CospinLabelKept(census->system, census->skip, 0, first, label)) PetscFunctionReturn(0);
  if (census->num_levels == 0) count->labels = 1.0;
  if (census->num_levels == 0) PetscFunctionReturn(0);
  census->steps = 0;
  PetscCall(count_level(census, 0, label, count));
  count->exact = (PetscBool)(census->steps <= MAX_STEPS);
  if (count->exact) PetscFunctionReturn(0);
  PetscCall(forget(census));
  sample(census, label, count);
  PetscFunctionReturn(0);
}

PetscErrorCode CospinCensusOfSector(const CospinSystem *system, CospinLattice lattice,
                                    const int representative[], CospinCount *count)
{
  CospinCensus census = NULL;

  PetscFunctionBeginUser;
  PetscCall(CospinCensusCreate(system, lattice, PETSC_FALSE, &census));
  PetscCall(CospinCensusCount(census, representative, count));
  PetscCall(CospinCensusDestroy(&census));
  PetscFunctionReturn(0);
}
