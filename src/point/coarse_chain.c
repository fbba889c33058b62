/*
   A sector whose generator has no negative element off the diagonal is a Markov chain on its labels, with
   killing where column sums are negative. How far its slow modes reach is told by a coarser chain on every
   s-th label of each direction, with the same drift v and diffusion D: with a_d and b_d the amplitudes of the
   moves +d and -d half-way between x and y = x + s d,

     v = sum_d (a_d - b_d) d,    D = sum_d D_d d d^T,  D_d = (a_d + b_d)/2,    D g = v,    slope = s d.g,

     r(x -> y) - r(y -> x) = D_d d.g / s,      r(x -> y) / r(y -> x) = exp(slope)

   (D. L. Scharfetter, H. K. Gummel, IEEE Trans. Electron Devices 16, 64 (1969)): a long step does not smear
   the weights out, and with s = 1 the chain is taken as it is. Stride after stride is halved, each time only
   where the mode of the stride before has weight, until the mode is resolved.

   With Q the chain and k its killing, powers of (e + k - min k - Q)^-1 on a vector that is everywhere keep
   all modes that decay slower than e, so also states that only nearly last, far from the steady one. e is
   made smaller until that changes nothing any more.

   The matrix is an M-matrix within a band: its elimination without pivoting subtracts nothing off the
   diagonal, so that small weights are right to many digits.
*/
#include "coarse_chain.h"

enum { POWERS = 12, MAX_SHIFTS = 14 };
static const double first_shift = 1e-2, next_shift = 0.1;

void CospinPlaneLabel(const CospinPlane *plane, const PetscInt64 t[], int label[])
{
  for (int i = 0; i < plane->problem->system.num_coordinates; i++) {
    PetscInt64 value = plane->representative[i];
    for (int k = 0; k < plane->dimensions; k++) value += t[k] * plane->row[k][i];
    label[i] = (int)value;
  }
}

/* A vector of the lattice as a sum of its rows. */
static void coordinates_of(const CospinPlane *plane, const int vector[], int t[])
{
  int rest[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < plane->problem->system.num_coordinates; i++) rest[i] = vector[i];
  for (int k = 0; k < plane->dimensions; k++) {
    t[k] = rest[plane->pivot[k]] / plane->row[k][plane->pivot[k]];
    for (int i = 0; i < plane->problem->system.num_coordinates; i++) rest[i] -= t[k] * plane->row[k][i];
  }
}

/* *ok: there are few dimensions, and each pivot coordinate runs by itself. */
PetscErrorCode CospinPlaneCreate(CospinProblem problem, const int representative[], CospinPlane *plane,
                                 PetscBool *ok)
{
  const int n = problem->system.num_coordinates;

  PetscFunctionBeginUser;
  *plane = (CospinPlane){.problem = problem, .dimensions = CospinLatticeRank(problem->lattice)};
  PetscCall(PetscArraycpy(plane->representative, representative, n));
  CospinLatticeReduce(problem->lattice, plane->representative);
  *ok = (PetscBool)(plane->dimensions >= 1 && plane->dimensions <= COSPIN_PLANE_DIMENSIONS);
  for (int k = 0; k < plane->dimensions && *ok; k++)
    plane->row[k] = CospinLatticeRow(problem->lattice, k, &plane->pivot[k]);
  for (int k = 1; k < plane->dimensions && *ok; k++)
    if (plane->row[0][plane->pivot[k]] != 0) *ok = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* ---- Nodes --------------------------------------------------------------------------------------------- */

static int floor_div(PetscInt64 a, PetscInt64 b)
{
  return (int)(a >= 0 ? a / b : -((b - 1 - a) / b));
}

int CospinGridNode(const CospinPlane *plane, const CospinGrid *grid, const int place[])
{
  PetscInt64 at = 0;

  for (int k = 0; k < plane->dimensions; k++) {
    if (place[k] < 0 || place[k] >= grid->count[k]) return -1;
    at = at * grid->count[k] + place[k];
  }
  return grid->number[at];
}

static void label_of(const CospinPlane *plane, const CospinGrid *grid, const int place[], int label[])
{
  PetscInt64 t[COSPIN_PLANE_DIMENSIONS];

  for (int k = 0; k < plane->dimensions; k++)
    t[k] = (PetscInt64)grid->stride * ((PetscInt64)grid->first[k] + place[k]);
  CospinPlaneLabel(plane, t, label);
}

/* Whether a node lies in a cell of the grid before, of twice the stride, one of whose corners has weight. */
static PetscBool has_weight(const CospinPlane *plane, const CospinGrid *before, const CospinGrid *grid,
                            const int place[])
{
  for (int corner = 0; corner < 1 << plane->dimensions; corner++) {
    int there[COSPIN_PLANE_DIMENSIONS] = {0}, node;
    for (int k = 0; k < plane->dimensions; k++)
      there[k] = floor_div((PetscInt64)grid->first[k] + place[k] + (corner >> k & 1), 2) - before->first[k];
    node = CospinGridNode(plane, before, there);
    if (node >= 0 && before->weight[node] > COSPIN_GRID_NEGLIGIBLE) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Nodes within the hull, and where the grid before (NULL: none) has weight. */
PetscErrorCode CospinGridCreate(const CospinPlane *plane, int stride, const CospinInterval hull[],
                                const CospinGrid *before, CospinGrid *grid)
{
  const int one = plane->dimensions - 1;
  int place[COSPIN_PLANE_DIMENSIONS] = {0}, label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  *grid = (CospinGrid){.stride = stride, .count = {1, 1}};
  for (int k = 0; k < plane->dimensions; k++) {
    grid->first[k] = -floor_div(-(PetscInt64)hull[k].lo, stride);
    grid->count[k] = PetscMax(1, floor_div(hull[k].hi, stride) - grid->first[k] + 1);
  }
  grid->fast = grid->count[0] < grid->count[one] ? 0 : one;
  PetscCall(PetscMalloc1((size_t)grid->count[0] * (size_t)grid->count[1], &grid->number));
  PetscCall(PetscMalloc1(2 * (size_t)grid->count[0] * (size_t)grid->count[1], &grid->place));
  for (int slow = 0; slow < grid->count[one - grid->fast]; slow++) {
    for (int fast = 0; fast < grid->count[grid->fast]; fast++) {
      place[one - grid->fast] = slow;
      place[grid->fast] = fast;
      PetscBool exists;
      label_of(plane, grid, place, label);
      exists = CospinSystemContains(&plane->problem->system, label);
      if (exists && before) exists = has_weight(plane, before, grid, place);
      grid->number[place[0] * (one ? grid->count[1] : 1) + (one ? place[1] : 0)] = exists ? grid->num : -1;
      if (!exists) continue;
      PetscCall(PetscArraycpy(grid->place + 2 * (size_t)grid->num++, place, COSPIN_PLANE_DIMENSIONS));
    }
  }
  PetscCall(PetscMalloc1((size_t)grid->num + 1, &grid->weight));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGridDestroy(CospinGrid *grid)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(grid->number));
  PetscCall(PetscFree(grid->place));
  PetscCall(PetscFree(grid->weight));
  PetscFunctionReturn(0);
}

/* ---- The coarse chain ---------------------------------------------------------------------------------- */

typedef struct {
  int from, to;
  double forth, back;
} Edge;

typedef struct {
  int num_edges, capacity, band;
  Edge *edges;
  double *killing; /* [num] above the least */
} Chain;

static PetscBool opposite(const CospinMove *a, const CospinMove *b, int n)
{
  for (int i = 0; i < n; i++) {
    if (a->shift[i] != -b->shift[i]) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

void CospinPlaneDirections(const CospinPlane *plane, int *num, CospinDirection directions[])
{
  const CospinMoves moves = plane->problem->generator;
  const int n = plane->problem->system.num_coordinates;

  *num = 0;
  for (int k = 0; k < moves->count; k++) {
    const CospinMove *move = &moves->moves[k], *back = NULL;
    CospinDirection *direction = &directions[*num];
    PetscBool counted = opposite(move, move, n); /* the one that stays */
    for (int l = 0; l < moves->count; l++)
      if (l != k && opposite(move, &moves->moves[l], n)) back = &moves->moves[l];
    if (counted || (back && back < move)) continue;
    *direction = (CospinDirection){.up = move, .down = back};
    coordinates_of(plane, move->shift, direction->step);
    (*num)++;
  }
}

/* Of a move from a label; NaN if it is not a rate. */
static double rate_of(const CospinPlane *plane, const CospinMove *move, const int label[])
{
  const double complex amplitude =
      move ? CospinMoveAmplitude(plane->problem->generator, move, label) : CMPLX(0.0, 0.0);

  return creal(amplitude) >= 0.0 && cimag(amplitude) == 0.0 ? creal(amplitude) : NAN;
}

/* Amplitudes of a pair half-way along an edge, up and down. */
static PetscBool rates_of(const CospinPlane *plane, const CospinDirection *direction, const int middle[],
                          double rates[2])
{
  int label[COSPIN_MAX_COORDINATES];

  for (int i = 0; i < plane->problem->system.num_coordinates; i++)
    label[i] = middle[i] + direction->up->shift[i];
  rates[0] = rate_of(plane, direction->up, middle);
  rates[1] =
      CospinSystemContains(&plane->problem->system, label) ? rate_of(plane, direction->down, label) : 0.0;
  return (PetscBool)(rates[0] >= 0.0 && rates[1] >= 0.0);
}

/* g with D g = v; false where all moves lie in a line. */
static PetscBool solve_drift(const double v[2], const double d[3], double g[2])
{
  const double determinant = d[0] * d[2] - d[1] * d[1];

  if (!(determinant > 1e-9 * d[0] * d[2])) return PETSC_FALSE;
  g[0] = (d[2] * v[0] - d[1] * v[1]) / determinant;
  g[1] = (d[0] * v[1] - d[1] * v[0]) / determinant;
  return PETSC_TRUE;
}

/* v and D (00, 01, 11) at a label. */
PetscBool CospinPlaneMoments(const CospinPlane *plane, int num, const CospinDirection directions[],
                             const int label[], double v[2], double d[3])
{
  double rates[2];

  v[0] = v[1] = d[0] = d[1] = d[2] = 0.0;
  for (int k = 0; k < num; k++) {
    const int *step = directions[k].step;
    double both;
    if (!rates_of(plane, &directions[k], label, rates)) return PETSC_FALSE;
    both = 0.5 * (rates[0] + rates[1]);
    for (int i = 0; i < 2; i++) v[i] += (rates[0] - rates[1]) * step[i];
    d[0] += both * step[0] * step[0];
    d[1] += both * step[0] * step[1];
    d[2] += both * step[1] * step[1];
  }
  return PETSC_TRUE;
}

/* d.g of one of the directions at a label, and its D_d. */
static PetscBool slope_of(const CospinPlane *plane, int num, const CospinDirection directions[], int which,
                          const int middle[], double *slope, double *diffusion)
{
  double v[2], d[3], g[2], own[2];

  if (!CospinPlaneMoments(plane, num, directions, middle, v, d) ||
      !rates_of(plane, &directions[which], middle, own))
    return PETSC_FALSE;
  *diffusion = 0.5 * (own[0] + own[1]);
  if (plane->dimensions == COSPIN_PLANE_DIMENSIONS && solve_drift(v, d, g))
    *slope = directions[which].step[0] * g[0] + directions[which].step[1] * g[1];
  else
    *slope = *diffusion > 0 ? (own[0] - own[1]) / *diffusion : 0.0;
  return PETSC_TRUE;
}

/* x / (exp(x) - 1) */
static double bernoulli(double x)
{
  return PetscAbsReal(x) < 1e-6 ? 1.0 - 0.5 * x : x / expm1(x);
}

static PetscErrorCode append_edge(Chain *chain, Edge edge)
{
  PetscFunctionBeginUser;
  if (chain->num_edges == chain->capacity) {
    chain->capacity = 2 * chain->capacity + 1024;
    PetscCall(PetscRealloc(sizeof(Edge) * (size_t)chain->capacity, &chain->edges));
  }
  chain->band = PetscMax(chain->band, PetscAbsInt(edge.to - edge.from));
  chain->edges[chain->num_edges++] = edge;
  PetscFunctionReturn(0);
}

/* Both rates between a place and the next one in a direction; false: they are not known. */
static PetscBool set_rates(const CospinPlane *plane, const CospinGrid *grid, int num,
                           const CospinDirection directions[], int which, const int place[], Edge *edge)
{
  const double stride = grid->stride;
  double slope, diffusion, rates[2];
  int label[COSPIN_MAX_COORDINATES];
  PetscInt64 middle[COSPIN_PLANE_DIMENSIONS];

  for (int k = 0; k < plane->dimensions; k++)
    middle[k] = (PetscInt64)grid->stride * ((PetscInt64)grid->first[k] + place[k]) +
                grid->stride / 2 * directions[which].step[k];
  CospinPlaneLabel(plane, middle, label);
  if (grid->stride == 1) {
    if (!rates_of(plane, &directions[which], label, rates)) return PETSC_FALSE;
    edge->forth = rates[0];
    edge->back = rates[1];
  } else {
    if (!slope_of(plane, num, directions, which, label, &slope, &diffusion)) return PETSC_FALSE;
    edge->forth = diffusion / (stride * stride) * bernoulli(-stride * slope);
    edge->back = diffusion / (stride * stride) * bernoulli(stride * slope);
  }
  return PETSC_TRUE;
}

static PetscBool is_label(const CospinPlane *plane, const CospinGrid *grid, const int place[])
{
  int label[COSPIN_MAX_COORDINATES];

  label_of(plane, grid, place, label);
  return CospinSystemContains(&plane->problem->system, label);
}

/* The edges of a node to those behind it; what leads to labels that are no nodes is killing, or it would pile
 * up. */
static PetscErrorCode add_edges(const CospinPlane *plane, const CospinGrid *grid, int num,
                                const CospinDirection directions[], int from, Chain *chain, PetscBool *known)
{
  const int *place = grid->place + 2 * (size_t)from;

  PetscFunctionBeginUser;
  for (int d = 0; d < num; d++) {
    int next[COSPIN_PLANE_DIMENSIONS] = {0}, last[COSPIN_PLANE_DIMENSIONS] = {0};
    Edge edge = {.from = from};
    for (int k = 0; k < plane->dimensions; k++) {
      next[k] = place[k] + directions[d].step[k];
      last[k] = place[k] - directions[d].step[k];
    }
    edge.to = CospinGridNode(plane, grid, next);
    if (is_label(plane, grid, next)) {
      if (!set_rates(plane, grid, num, directions, d, place, &edge)) *known = PETSC_FALSE;
      if (edge.to >= 0) PetscCall(append_edge(chain, edge));
      if (edge.to < 0) chain->killing[from] += edge.forth;
    }
    if (CospinGridNode(plane, grid, last) < 0 && is_label(plane, grid, last)) {
      if (!set_rates(plane, grid, num, directions, d, last, &edge)) *known = PETSC_FALSE;
      chain->killing[from] += edge.back;
    }
  }
  PetscFunctionReturn(0);
}

/* What a column of the generator lacks; nothing if all of it is populations, but for rounding. */
static double killing_at(const CospinPlane *plane, const int label[])
{
  static const double rounding = 1e-13;
  const CospinMoves moves = plane->problem->generator;
  double sum = 0.0, size = 0.0;

  for (int k = 0; k < moves->count; k++) {
    const double rate = creal(CospinMoveAmplitude(moves, &moves->moves[k], label));
    sum += rate;
    size += PetscAbsReal(rate);
  }
  return PetscAbsReal(sum) > rounding * size ? -sum : 0.0;
}

static PetscErrorCode create_chain(const CospinPlane *plane, const CospinGrid *grid, Chain *chain,
                                   PetscBool *known)
{
  const int count = plane->problem->generator->count;
  int num, label[COSPIN_MAX_COORDINATES];
  CospinDirection *directions;
  double least = PETSC_MAX_REAL;

  PetscFunctionBeginUser;
  *chain = (Chain){.band = 0};
  PetscCall(PetscMalloc1((size_t)count + 1, &directions));
  PetscCall(PetscCalloc1((size_t)grid->num + 1, &chain->killing));
  CospinPlaneDirections(plane, &num, directions);
  for (int x = 0; x < grid->num && *known; x++) {
    PetscCall(add_edges(plane, grid, num, directions, x, chain, known));
    label_of(plane, grid, grid->place + 2 * (size_t)x, label);
    chain->killing[x] += killing_at(plane, label);
    least = PetscMin(least, chain->killing[x]);
  }
  for (int x = 0; x < grid->num; x++) chain->killing[x] -= least;
  PetscCall(PetscFree(directions));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_chain(Chain *chain)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(chain->edges));
  PetscCall(PetscFree(chain->killing));
  PetscFunctionReturn(0);
}

/* ---- Its slow modes ------------------------------------------------------------------------------------ */

/* The diagonal element of a row within the band. */
static double *row_of(const Chain *chain, double rows[], int x)
{
  return rows + (size_t)x * (size_t)(2 * chain->band + 1) + (size_t)chain->band;
}

/* shift + killing - Q, rows of 2 band + 1 elements, eliminated in place. */
static void factorise(const Chain *chain, int num, double shift, double rows[])
{
  for (int x = 0; x < num; x++) *row_of(chain, rows, x) = shift + chain->killing[x];
  for (int e = 0; e < chain->num_edges; e++) {
    const Edge *edge = &chain->edges[e];
    double *from = row_of(chain, rows, edge->from), *to = row_of(chain, rows, edge->to);
    from[0] += edge->forth;
    to[0] += edge->back;
    to[edge->from - edge->to] -= edge->forth;
    from[edge->to - edge->from] -= edge->back;
  }
  for (int x = 0; x < num; x++) {
    const double *row = row_of(chain, rows, x);
    for (int y = x + 1; y <= PetscMin(x + chain->band, num - 1); y++) {
      double *below = row_of(chain, rows, y) + (x - y);
      const double factor = below[0] / row[0];
      below[0] = factor;
      for (int k = 1; factor != 0.0 && k <= chain->band; k++) below[k] -= factor * row[k];
    }
  }
}

static void solve(const Chain *chain, int num, double rows[], double x[])
{
  for (int i = 0; i < num; i++) {
    const double *row = row_of(chain, rows, i);
    for (int k = PetscMax(-chain->band, -i); k < 0; k++) x[i] -= row[k] * x[i + k];
  }
  for (int i = num - 1; i >= 0; i--) {
    const double *row = row_of(chain, rows, i);
    for (int k = 1; k <= PetscMin(chain->band, num - 1 - i); k++) x[i] -= row[k] * x[i + k];
    x[i] /= row[0];
  }
}

/* Weights of the modes that decay slower than the shift, the largest 1; how many are not
 * COSPIN_GRID_NEGLIGIBLE. */
static PetscErrorCode find_weights(const Chain *chain, double shift, const CospinGrid *grid, int *count)
{
  double *rows, *x = grid->weight;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)grid->num * (size_t)(2 * chain->band + 1), &rows));
  factorise(chain, grid->num, shift, rows);
  for (int i = 0; i < grid->num; i++) x[i] = 1.0;
  for (int k = 0; k < POWERS; k++) {
    double largest = 0.0;
    solve(chain, grid->num, rows, x);
    for (int i = 0; i < grid->num; i++) largest = PetscMax(largest, PetscAbsReal(x[i]));
    for (int i = 0; i < grid->num && largest > 0; i++) x[i] /= largest;
  }
  *count = 0;
  for (int i = 0; i < grid->num; i++) *count += x[i] > COSPIN_GRID_NEGLIGIBLE;
  PetscCall(PetscFree(rows));
  PetscFunctionReturn(0);
}

static double largest_rate(const Chain *chain)
{
  double largest = 0.0;

  for (int e = 0; e < chain->num_edges; e++)
    largest = PetscMax(largest, PetscMax(chain->edges[e].forth, chain->edges[e].back));
  return largest;
}

/* A shift of 0 is one to be found, and stays 0 where this grid does not show it. */
static PetscErrorCode settle_weights(const Chain *chain, const CospinGrid *grid, double *shift)
{
  double now = first_shift * largest_rate(chain);
  int count, before = -1;

  PetscFunctionBeginUser;
  if (*shift > 0) {
    PetscCall(find_weights(chain, *shift, grid, &count));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < MAX_SHIFTS; k++) {
    PetscCall(find_weights(chain, now, grid, &count));
    if (count == before && count < grid->num) *shift = now;
    if (*shift > 0) break;
    before = count;
    now *= next_shift;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinGridSolve(const CospinPlane *plane, CospinGrid *grid, double *shift, PetscBool *known)
{
  Chain chain;

  PetscFunctionBeginUser;
  if (grid->num == 0) *known = PETSC_FALSE;
  PetscCall(create_chain(plane, grid, &chain, known));
  if (*known) PetscCall(settle_weights(&chain, grid, shift));
  PetscCall(destroy_chain(&chain));
  PetscFunctionReturn(0);
}
