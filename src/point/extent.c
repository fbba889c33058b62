/*
   How far slow modes reach, from coarse chains (coarse_chain.h): stride after stride is halved, each time
   only where the mode of the stride before has weight, until the mode is resolved.

   Long steps overestimate tails, so only weights above 1e-8 of the largest are followed. The distance at
   which they are 1e-16 is extrapolated from those for 1e-4 and 1e-8, by a power of the logarithm: 1.4 times
   the latter of a Gaussian, 2 times that of an exponential.

   Where there is one peak, the linear equations of fluctuations around the fixed point of the drift v,
   A C + C A^T + 2 D = 0 with A = dv/dt, say how wide it is, and a grid around it with a stride that fits
   takes the place of many.
*/
#include "extent.h"
#include "coarse_chain.h"

enum { RESOLVED = 20, MAX_NODES = 40000, FIRST_NODES = 40, MAX_SURE = 3, MAX_DIRECTIONS = 32 };
static const double half_way = 1e-4;

/* Places of the nodes whose weight is above a bound. */
static void span_of(const CospinPlane *plane, const CospinGrid *grid, double bound, CospinInterval span[])
{
  for (int k = 0; k < plane->dimensions; k++) span[k] = (CospinInterval){PETSC_MAX_INT, -1};
  for (int x = 0; x < grid->num; x++) {
    for (int k = 0; k < plane->dimensions && grid->weight[x] > bound; k++) {
      span[k].lo = PetscMin(span[k].lo, grid->place[2 * x + k]);
      span[k].hi = PetscMax(span[k].hi, grid->place[2 * x + k]);
    }
  }
}

/* Where the weights are, and one stride around it. */
static void hull_of(const CospinPlane *plane, const CospinGrid *grid, CospinInterval hull[])
{
  CospinInterval span[COSPIN_PLANE_DIMENSIONS];

  span_of(plane, grid, COSPIN_GRID_NEGLIGIBLE, span);
  for (int k = 0; k < plane->dimensions; k++) {
    hull[k].lo = PetscMax(hull[k].lo, grid->stride * (grid->first[k] + span[k].lo - 1));
    hull[k].hi = PetscMin(hull[k].hi, grid->stride * (grid->first[k] + span[k].hi + 1));
  }
}

/* How much farther weights reach from the largest one until they vanish in rounding. */
static double reach_of(double near, double far)
{
  static const double least = 1.4, most = 2.5;

  return far * (near > 0 ? PetscMin(most, PetscMax(least, far / near)) : most);
}

static void extrapolate(const CospinPlane *plane, const CospinGrid *grid, CospinInterval hull[])
{
  CospinInterval peak[COSPIN_PLANE_DIMENSIONS], inner[COSPIN_PLANE_DIMENSIONS],
      outer[COSPIN_PLANE_DIMENSIONS];

  span_of(plane, grid, 1.0 - PETSC_SMALL, peak);
  span_of(plane, grid, half_way, inner);
  span_of(plane, grid, COSPIN_GRID_NEGLIGIBLE, outer);
  for (int k = 0; k < plane->dimensions; k++) {
    const double down = reach_of(peak[k].lo - inner[k].lo, peak[k].lo - outer[k].lo) + 1.0;
    const double up = reach_of(inner[k].hi - peak[k].hi, outer[k].hi - peak[k].hi) + 1.0;
    hull[k].lo = (int)PetscFloorReal(grid->stride * (grid->first[k] + peak[k].lo - down));
    hull[k].hi = (int)PetscCeilReal(grid->stride * (grid->first[k] + peak[k].hi + up));
  }
}

/* Whether a shorter stride would tell more than it costs. */
static PetscBool is_resolved(const CospinPlane *plane, const CospinGrid *grid, const CospinInterval before[],
                             const CospinInterval hull[])
{
  static const double settled = 0.85;
  PetscBool all = PETSC_TRUE;
  PetscInt64 nodes = 0;

  for (int k = 0; k < plane->dimensions; k++) {
    const double width = hull[k].hi - hull[k].lo;
    if (width < RESOLVED * grid->stride || width < settled * (before[k].hi - before[k].lo)) all = PETSC_FALSE;
  }
  for (int x = 0; x < grid->num; x++)
    nodes += grid->weight[x] > COSPIN_GRID_NEGLIGIBLE ? 1 << plane->dimensions : 0;
  return (PetscBool)((all && nodes < MAX_SURE * grid->num) || grid->stride == 1 || nodes > MAX_NODES);
}

/* One stride: the hull becomes that of the modes on it, the grid takes the place of the one before. */
static PetscErrorCode narrow(const CospinPlane *plane, int stride, double *shift, CospinInterval hull[],
                             CospinGrid *grid, PetscBool *known)
{
  CospinGrid finer;

  PetscFunctionBeginUser;
  PetscCall(CospinGridCreate(plane, stride, hull, grid->num ? grid : NULL, &finer));
  PetscCall(CospinGridSolve(plane, &finer, shift, known));
  if (*known) hull_of(plane, &finer, hull);
  PetscCall(CospinGridDestroy(grid));
  *grid = finer;
  PetscFunctionReturn(0);
}

/* ---- Fluctuations around a fixed point ------------------------------------------------------------------
 */

/* Drift and diffusion at a label; false: there is none, or they are not known. */
static PetscBool drift_at(const CospinPlane *plane, int num, const CospinDirection directions[],
                          const double at[2], double v[2], double d[3])
{
  PetscInt64 t[COSPIN_PLANE_DIMENSIONS] = {(PetscInt64)PetscFloorReal(at[0] + 0.5),
                                           (PetscInt64)PetscFloorReal(at[1] + 0.5)};
  int label[COSPIN_MAX_COORDINATES];

  CospinPlaneLabel(plane, t, label);
  return (PetscBool)(CospinSystemContains(&plane->problem->system, label) &&
                     CospinPlaneMoments(plane, num, directions, label, v, d));
}

/* dv_i/dt_k by differences over 2 h */
static PetscBool jacobian_at(const CospinPlane *plane, int num, const CospinDirection directions[],
                             const double at[2], double h, double a[2][2])
{
  for (int k = 0; k < 2; k++) {
    double shifted[2] = {at[0], at[1]}, up[2], down[2], d[3];
    shifted[k] = at[k] + h;
    if (!drift_at(plane, num, directions, shifted, up, d)) return PETSC_FALSE;
    shifted[k] = at[k] - h;
    if (!drift_at(plane, num, directions, shifted, down, d)) return PETSC_FALSE;
    for (int i = 0; i < 2; i++) a[i][k] = (up[i] - down[i]) / (2 * h);
  }
  return PETSC_TRUE;
}

/* Variances C_00, C_11 with A C + C A^T + 2 D = 0, by Cramer's rule (C_01 from the trace and determinant of
 * A). */
static PetscBool variances(double a[2][2], const double d[3], double c[2])
{
  const double trace = a[0][0] + a[1][1], determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
  const double scale = -1.0 / (trace * determinant);

  if (!(trace < 0 && determinant > 0)) return PETSC_FALSE;
  c[0] = scale * (determinant * d[0] + a[1][1] * a[1][1] * d[0] - 2 * a[0][1] * a[1][1] * d[1] +
                  a[0][1] * a[0][1] * d[2]);
  c[1] = scale * (determinant * d[2] + a[0][0] * a[0][0] * d[2] - 2 * a[1][0] * a[0][0] * d[1] +
                  a[1][0] * a[1][0] * d[0]);
  return (PetscBool)(c[0] > 0 && c[1] > 0);
}

/* The fixed point of the drift next to `at`, by Newton's method, and the standard deviations there. */
static PetscBool find_fluctuations(const CospinPlane *plane, int stride, double at[2], double deviation[2])
{
  enum { MAX_STEPS = 12 };
  const double h = PetscMax(1.0, stride / 4);
  double v[2], d[3], a[2][2], variance[2], moved = 1e9;
  CospinDirection directions[MAX_DIRECTIONS];
  int num;

  if (plane->dimensions != 2 || plane->problem->generator->count >= MAX_DIRECTIONS) return PETSC_FALSE;
  CospinPlaneDirections(plane, &num, directions);
  for (int k = 0; k < MAX_STEPS && moved > 1.0; k++) {
    double determinant, step[2];
    if (!drift_at(plane, num, directions, at, v, d) || !jacobian_at(plane, num, directions, at, h, a))
      return PETSC_FALSE;
    determinant = a[0][0] * a[1][1] - a[0][1] * a[1][0];
    step[0] = (a[1][1] * v[0] - a[0][1] * v[1]) / determinant;
    step[1] = (a[0][0] * v[1] - a[1][0] * v[0]) / determinant;
    moved = PetscMax(PetscAbsReal(step[0]), PetscAbsReal(step[1]));
    if (!(moved < 1e9)) return PETSC_FALSE;
    for (int i = 0; i < 2; i++) at[i] -= step[i];
  }
  if (moved > 1.0 || !jacobian_at(plane, num, directions, at, h, a) || !variances(a, d, variance))
    return PETSC_FALSE;
  for (int i = 0; i < 2; i++) deviation[i] = PetscSqrtReal(variance[i]);
  return PETSC_TRUE;
}

/* Whether there is weight that grows away from all its neighbours outside of a box: another state that lasts.
 */
static PetscBool has_other_peak(const CospinPlane *plane, const CospinGrid *grid, const CospinInterval box[])
{
  for (int x = 0; x < grid->num; x++) {
    const int *place = grid->place + 2 * (size_t)x;
    PetscBool inside = PETSC_TRUE, peak = PETSC_TRUE;
    for (int k = 0; k < 2; k++) {
      const int t = grid->stride * (grid->first[k] + place[k]);
      if (t < box[k].lo || t > box[k].hi) inside = PETSC_FALSE;
    }
    if (inside || grid->weight[x] <= COSPIN_GRID_NEGLIGIBLE) continue;
    for (int around = 0; around < 9; around++) {
      const int there[COSPIN_PLANE_DIMENSIONS] = {place[0] + around / 3 - 1, place[1] + around % 3 - 1};
      const int node = CospinGridNode(plane, grid, there);
      if (node >= 0 && grid->weight[node] > grid->weight[x]) peak = PETSC_FALSE;
    }
    if (peak) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static double area_of(const CospinInterval box[])
{
  return ((double)box[0].hi - box[0].lo) * ((double)box[1].hi - box[1].lo);
}

/* One with a short stride, so many deviations around the one peak, takes the place of a grid if it is smaller
   than `share` of what is known and holds all of the weight. */
static PetscErrorCode narrow_to_box(const CospinPlane *plane, double far, double share, double *shift,
                                    CospinInterval hull[], CospinGrid *grid, PetscBool *done,
                                    PetscBool *known)
{
  static const double fine = 4.0;
  CospinInterval peak[COSPIN_PLANE_DIMENSIONS], box[COSPIN_PLANE_DIMENSIONS], span[COSPIN_PLANE_DIMENSIONS];
  double at[2], deviation[2];
  CospinGrid finer = {.num = 0};
  int stride = 1;

  PetscFunctionBeginUser;
  *done = PETSC_FALSE;
  span_of(plane, grid, 1.0 - PETSC_SMALL, peak);
  for (int k = 0; k < 2; k++) at[k] = grid->stride * (grid->first[k] + 0.5 * (peak[k].lo + peak[k].hi));
  if (!find_fluctuations(plane, grid->stride, at, deviation)) PetscFunctionReturn(0);
  while (2 * stride * fine < PetscMin(deviation[0], deviation[1])) stride *= 2;
  for (int k = 0; k < 2; k++) {
    box[k].lo = PetscMax(hull[k].lo, (int)(at[k] - far * deviation[k]) - stride);
    box[k].hi = PetscMin(hull[k].hi, (int)(at[k] + far * deviation[k]) + stride);
  }
  if (stride >= grid->stride || area_of(box) > share * area_of(hull) || has_other_peak(plane, grid, box))
    PetscFunctionReturn(0);
  PetscCall(narrow(plane, stride, shift, box, &finer, known));
  if (!*known) PetscFunctionReturn(0);
  span_of(plane, &finer, half_way, span); /* of weights that are smaller the box tells more than a grid */
  *done = PETSC_TRUE;
  for (int k = 0; k < 2; k++) {
    if (span[k].lo <= 0 || span[k].hi >= finer.count[k] - 1) *done = PETSC_FALSE;
    if (*done) hull[k] = box[k];
  }
  PetscCall(CospinGridDestroy(*done ? grid : &finer));
  if (*done) *grid = finer;
  PetscFunctionReturn(0);
}

/* Where the fluctuations around the peak are narrow beside what the grid tells. Far from it drift bends, and
   tails may be longer than those of a Gaussian (pumped ions near their lower threshold), which a larger box
   holds; where it is no small part of all, shorter strides tell more. */
static PetscErrorCode narrow_to_peak(const CospinPlane *plane, double *shift, CospinInterval hull[],
                                     CospinGrid *grid, PetscBool *done, PetscBool *known)
{
  static const double boxes[][2] = {{6.5, 1.0}, {9.0, 0.15}, {12.5, 0.15}};

  PetscFunctionBeginUser;
  *done = PETSC_FALSE;
  for (size_t k = 0; k < sizeof(boxes) / sizeof(boxes[0]) && !*done && *known; k++)
    PetscCall(narrow_to_box(plane, boxes[k][0], boxes[k][1], shift, hull, grid, done, known));
  PetscFunctionReturn(0);
}

static int floor_div(PetscInt64 a, PetscInt64 b)
{
  return (int)(a >= 0 ? a / b : -((b - 1 - a) / b));
}

/* All t at which there may be labels. */
static int whole_hull(const CospinPlane *plane, CospinInterval hull[])
{
  int lo[COSPIN_MAX_COORDINATES], hi[COSPIN_MAX_COORDINATES], widest = 0, stride = 1;

  CospinSystemBounds(&plane->problem->system, lo, hi);
  for (int k = 0; k < plane->dimensions; k++) {
    const int p = plane->pivot[k], step = plane->row[k][p];
    hull[k].lo = floor_div((PetscInt64)lo[p] - plane->representative[p], step);
    hull[k].hi = -floor_div((PetscInt64)plane->representative[p] - hi[p], step);
    widest = PetscMax(widest, hull[k].hi - hull[k].lo);
  }
  while (widest / stride > FIRST_NODES) stride *= 2;
  return stride;
}

PetscErrorCode CospinExtentAdd(CospinProblem problem, const int representative[], CospinInterval hull[],
                               PetscBool *known)
{
  CospinInterval found[COSPIN_PLANE_DIMENSIONS], before[COSPIN_PLANE_DIMENSIONS];
  PetscBool resolved;
  double shift = 0.0;
  CospinGrid grid = {.num = 0};
  CospinPlane plane;
  int stride;

  PetscFunctionBeginUser;
  PetscCall(CospinPlaneCreate(problem, representative, &plane, known));
  if (!*known) PetscFunctionReturn(0);
  stride = whole_hull(&plane, found);
  do {
    PetscCall(PetscArraycpy(before, found, COSPIN_PLANE_DIMENSIONS));
    PetscCall(narrow(&plane, stride, &shift, found, &grid, known));
    resolved = (PetscBool)(!*known || is_resolved(&plane, &grid, before, found));
    if (!resolved) PetscCall(narrow_to_peak(&plane, &shift, found, &grid, &resolved, known));
    if (!*known) resolved = PETSC_TRUE;
    stride /= 2;
  } while (!resolved);
  if (*known) extrapolate(&plane, &grid, found);
  PetscCall(CospinGridDestroy(&grid));
  for (int k = 0; k < plane.dimensions && *known; k++) {
    const int p = plane.pivot[k], step = plane.row[k][p];
    hull[p].lo = PetscMin(hull[p].lo, plane.representative[p] + step * found[k].lo);
    hull[p].hi = PetscMax(hull[p].hi, plane.representative[p] + step * found[k].hi);
  }
  PetscFunctionReturn(0);
}
