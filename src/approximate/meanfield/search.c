/*
   The fixed point of the mean-field equations at which a state comes to rest.

   Newton's method finds stable and unstable points alike, and of a family of points any one. Unless what it
   finds is stable, the state is followed in time instead, over times that double, until Newton's method only
   has to take the last step. A state that is led to an unstable point (where it has a symmetry, exactly) is
   pushed off it along the deviation that grows fastest, to one side and to the other, and followed again.
   What goes round for ever comes to rest nowhere.
*/
#include "linear.h"
#include <string.h>

enum {
  /* Of an evolution that looks for rest: never more steps than this, never fewer than that, between them as
     many as the work on all unknowns allows. Other starts are tried up to so many unknowns, and so many
     stable points are told apart. */
  MOST_STEPS = 1000000,
  FEWEST_STEPS = 20000,
  MOST_WORK = 500000000,
  MOST_COUNTED = 600,
  MOST_POINTS = 8
};
static const double push = 1e-6;    /* off an unstable point; quantities that are conserved feel its square */
static const double left = 1e-4;    /* that far from it a state has left it */
static const double slow = 1e-4;    /* residual at which it is worth asking Newton's method */
static const double close = 1e-2;   /* how far from the state a stable point may be that it finds then */
static const double at_rest = 1e-7; /* and one that may be of a family, or unstable */
static const double turning = 1e-8; /* change that is none, from one time to twice that */
static const double same = 1e-5;    /* distance of two points that are one */

/* ---- Points */

PetscErrorCode CospinMeanPointCreate(const CospinMeanSearch *search, CospinMeanPoint *point)
{
  const int n = search->field->num_unknowns;

  PetscFunctionBeginUser;
  *point = (CospinMeanPoint){.residual = NAN, .stability = {.growth = NAN, .frequency = NAN}};
  PetscCall(PetscCalloc2(n, &point->u, n, &point->away));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanPointDestroy(CospinMeanPoint *point)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(point->u, point->away));
  PetscFunctionReturn(0);
}

/* to = from */
static PetscErrorCode copy_point(const CospinMeanSearch *search, const CospinMeanPoint *from,
                                 CospinMeanPoint *to)
{
  double *u = to->u, *away = to->away;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(u, from->u, search->field->num_unknowns));
  PetscCall(PetscArraycpy(away, from->away, search->field->num_unknowns));
  *to = *from;
  to->u = u;
  to->away = away;
  PetscFunctionReturn(0);
}

/* The square of the length of the Bloch vector of a spin. */
static double bloch_square(const CospinMeanPart *part, int site, const double u[])
{
  const double *at = u + part->offset + site, z = at[2 * part->sites];

  return 4 * (at[0] * at[0] + at[part->sites] * at[part->sites]) + z * z;
}

/* No spin is longer than spins are. The paper's closure knows no such limit. */
static PetscBool is_state(CospinMeanField field, const double u[])
{
  for (int c = 0; c < field->num_parts && field->closure == COSPIN_CLOSURE_PRODUCT; c++) {
    const CospinMeanPart *part = &field->parts[c];
    for (int l = 0; l < part->sites && !part->is_mode; l++)
      if (!(bloch_square(part, l, u) <= 1 + 1e-6)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscErrorCode CospinMeanPointFind(const CospinMeanSearch *search, const double u[], CospinMeanPoint *point)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(point->u, u, search->field->num_unknowns));
  point->found = PETSC_FALSE;
  point->residual = NAN;
  point->stability = (CospinMeanStability){.growth = NAN, .frequency = NAN};
  PetscCall(CospinMeanFieldNewton(search->field, search->prefix, point->u, &point->iterations, &ok));
  if (!ok) PetscFunctionReturn(0);
  PetscCall(CospinMeanFieldPolish(search->field, point->u));
  PetscCall(CospinMeanFieldResidual(search->field, point->u, &point->residual));
  point->found = (PetscBool)(point->residual <= search->tolerance && is_state(search->field, point->u));
  if (point->found)
    PetscCall(
        CospinMeanFieldStability(search->field, point->u, point->residual, &point->stability, point->away));
  PetscFunctionReturn(0);
}

double CospinMeanDistance(CospinMeanField field, const double u[], const double v[])
{
  double largest = 0.0;

  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    const int size = part->is_mode ? 2 : 3 * part->sites;
    const double *a = u + part->offset, *b = v + part->offset;
    const double unit = part->is_mode ? PetscMax(1.0, hypot(a[0], a[1])) : 1.0;
    for (int k = 0; k < size; k++) largest = PetscMax(largest, PetscAbsReal(a[k] - b[k]) / unit);
  }
  return largest;
}

/* ---- Lengths that are conserved */

/* Whether the length of one spin changes: rounding beside the terms of its change does not count. */
static PetscBool is_conserved(const double u[], const double slopes[], int re, int im, int z)
{
  const double terms[] = {4 * u[re] * slopes[re], 4 * u[im] * slopes[im], u[z] * slopes[z]};
  double sum = 0.0, moduli = 0.0;

  for (int k = 0; k < 3; k++) {
    sum += terms[k];
    moduli += PetscAbsReal(terms[k]);
  }
  return (PetscBool)(PetscAbsReal(sum) <= 1e-12 * moduli);
}

PetscErrorCode CospinMeanFieldHold(CospinMeanField field, const double u[])
{
  const int n = field->num_unknowns;
  double *some, *slopes;

  PetscFunctionBeginUser;
  PetscCall(PetscFree(field->squares));
  field->hold = 0.0;
  PetscCall(PetscMalloc2(n, &some, n, &slopes));
  for (int k = 0; k < n; k++) some[k] = 0.3 * PetscCosReal(1.0 + 2.1 * k); /* any state, without a symmetry */
  PetscCall(CospinMeanFieldSlopes(field, some, slopes));
  PetscCall(PetscMalloc1(n, &field->squares));
  for (int k = 0; k < n; k++) field->squares[k] = NAN;
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    for (int l = 0; l < part->sites && !part->is_mode; l++) {
      const int re = part->offset + l, im = re + part->sites, z = im + part->sites;
      if (!is_conserved(some, slopes, re, im, z)) continue;
      field->squares[z] = 4 * (u[re] * u[re] + u[im] * u[im]) + u[z] * u[z];
      for (int k = re; k <= z; k += part->sites) field->hold = PetscMax(field->hold, PetscAbsReal(slopes[k]));
    }
  }
  PetscCall(PetscFree2(some, slopes));
  PetscFunctionReturn(0);
}

/* ---- In time */

/* Of the unknowns of one component what a turn of its phase does not change. */
static void without_phase(CospinMeanField field, const double u[], double v[])
{
  for (int c = 0; c < field->num_parts; c++) {
    const CospinMeanPart *part = &field->parts[c];
    const double *at = u + part->offset;
    double *to = v + part->offset;
    for (int l = 0; l < part->sites; l++) {
      to[l] = hypot(at[l], at[part->sites + l]);
      to[part->sites + l] = 0.0;
      if (!part->is_mode) to[2 * part->sites + l] = at[2 * part->sites + l];
    }
  }
}

/* The number of steps is limited by work, not by time: a large field gets fewer of them. */
static PetscErrorCode create_clock(const CospinMeanSearch *search, const double u[], CospinMeanClock *clock)
{
  const PetscInt affordable = MOST_WORK / PetscMax(1, search->field->num_unknowns);

  PetscFunctionBeginUser;
  PetscCall(CospinMeanClockCreate(search->point, search->field, u, search->accuracy, search->prefix, clock));
  PetscCall(TSSetMaxSteps(clock->ts, PetscMax(FEWEST_STEPS, PetscMin(MOST_STEPS, affordable))));
  clock->Lost = search->Lost;
  clock->context = search->context;
  PetscFunctionReturn(0);
}

/* Whether the point that Newton's method finds from u is where u is going to end. */
static PetscErrorCode is_end(const CospinMeanSearch *search, const double u[], CospinMeanPoint *end,
                             PetscBool *ends)
{
  double residual;

  PetscFunctionBeginUser;
  *ends = PETSC_FALSE;
  PetscCall(CospinMeanFieldResidual(search->field, u, &residual));
  if (!(residual <= slow)) PetscFunctionReturn(0);
  PetscCall(CospinMeanPointFind(search, u, end));
  if (end->found)
    *ends = (PetscBool)(CospinMeanDistance(search->field, u, end->u) <=
                        (end->stability.kind == COSPIN_MEAN_STABLE ? close : at_rest));
  PetscFunctionReturn(0);
}

/* Whether nothing but phases changes any more: u goes round for ever. `before`: as it was without them; as it
   is now. */
static PetscBool only_turns(CospinMeanField field, const double u[], double before[], double now[])
{
  double distance;

  without_phase(field, u, now);
  distance = CospinMeanDistance(field, now, before);
  for (int k = 0; k < field->num_unknowns; k++) before[k] = now[k];
  return (PetscBool)(distance <= turning);
}

/* Follows u[] until it comes to rest; `from` (may be NULL): a point that it has to leave first. */
static PetscErrorCode follow(CospinMeanSearch *search, const double start[], const double from[],
                             double first, CospinMeanPoint *end, PetscBool *rests)
{
  const int n = search->field->num_unknowns;
  CospinMeanClock clock;
  double *u, *before, *now, time = 0.0;
  PetscBool ok = PETSC_TRUE;

  PetscFunctionBeginUser;
  *rests = PETSC_FALSE;
  PetscCall(PetscCalloc3(n, &u, n, &before, n, &now));
  PetscCall(PetscArraycpy(u, start, n));
  PetscCall(create_clock(search, u, &clock));
  if (!from) PetscCall(is_end(search, u, end, rests));
  for (double step = first; ok && !*rests && isfinite(time + step); step *= 2) {
    PetscCall(CospinMeanClockAdvance(&clock, time += step, u, &ok));
    if (!ok || clock.lost || clock.leave) break;
    if (from && !(CospinMeanDistance(search->field, u, from) > left)) continue;
    from = NULL;
    PetscCall(is_end(search, u, end, rests));
    if (only_turns(search->field, u, before, now)) break;
  }
  search->lost = clock.lost;
  search->leave = clock.leave;
  PetscCall(TSGetTime(clock.ts, &search->time));
  PetscCall(CospinMeanClockDestroy(&clock));
  PetscCall(PetscFree3(u, before, now));
  PetscFunctionReturn(0);
}

/* The time in which a state changes, as far as its slopes tell. */
static PetscErrorCode time_scale(CospinMeanField field, const double u[], double *time)
{
  double *slopes, largest = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(field->num_unknowns, &slopes));
  PetscCall(CospinMeanFieldSlopes(field, u, slopes));
  for (int k = 0; k < field->num_unknowns; k++) largest = PetscMax(largest, PetscAbsReal(slopes[k]));
  *time = largest > 0 ? 1 / largest : 1.0;
  PetscCall(PetscFree(slopes));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanSearchLeave(CospinMeanSearch *search, const CospinMeanPoint *unstable, double sign,
                                     CospinMeanPoint *end, PetscBool *rests)
{
  const int n = search->field->num_unknowns;
  double *u;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &u));
  for (int k = 0; k < n; k++) u[k] = unstable->u[k] + sign * push * unstable->away[k];
  PetscCall(follow(search, u, unstable->u, 1 / unstable->stability.growth, end, rests));
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

/* ---- How many there are */

typedef struct {
  int num;
  double *points[MOST_POINTS]; /* [num_unknowns] */
} Found;

/* Points that differ by phases that are free are one. */
static PetscErrorCode add_stable(const CospinMeanSearch *search, const CospinMeanPoint *point, Found *found)
{
  const int n = search->field->num_unknowns;
  double *v;

  PetscFunctionBeginUser;
  if (!point->found || point->stability.kind != COSPIN_MEAN_STABLE || found->num == MOST_POINTS)
    PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n, &v));
  PetscCall(PetscArraycpy(v, point->u, n));
  if (point->stability.free_phases) without_phase(search->field, point->u, v);
  for (int k = 0; k < found->num; k++) {
    if (CospinMeanDistance(search->field, v, found->points[k]) > same) continue;
    PetscCall(PetscFree(v));
    PetscFunctionReturn(0);
  }
  found->points[found->num++] = v;
  PetscFunctionReturn(0);
}

/* Starts beside the deck's: all spins down, up, mixed, and along x, modes dark; and tilted, between down and
   x, with modes that follow them (superradiance). */
static const struct {
  double s, z;
  PetscBool bright;
} starts[] = {{0, -1, PETSC_FALSE},        {0, 1, PETSC_FALSE},     {0, 0, PETSC_FALSE},
              {0.5, 0, PETSC_FALSE},       {0.3, -0.8, PETSC_TRUE}, {0.46, -0.3919, PETSC_TRUE},
              {0.498, -0.0894, PETSC_TRUE}};

/* Modes to where they rest while nothing else moves, one after the other: their slopes are linear in
   themselves, nearly. */
static PetscErrorCode follow_with_modes(CospinMeanField field, double u[])
{
  enum { SWEEPS = 3 };
  double *slopes[3];

  PetscFunctionBeginUser;
  for (int k = 0; k < 3; k++) PetscCall(PetscMalloc1(field->num_unknowns, &slopes[k]));
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    for (int c = 0; c < field->num_parts; c++) {
      const int re = field->parts[c].offset, im = re + 1;
      double a, b, d, e, determinant;
      if (!field->parts[c].is_mode) continue;
      PetscCall(CospinMeanFieldSlopes(field, u, slopes[0]));
      for (int k = 0; k < 2; k++) {
        u[re + k] += 1.0;
        PetscCall(CospinMeanFieldSlopes(field, u, slopes[1 + k]));
        u[re + k] -= 1.0;
      }
      a = slopes[1][re] - slopes[0][re];
      b = slopes[2][re] - slopes[0][re];
      d = slopes[1][im] - slopes[0][im];
      e = slopes[2][im] - slopes[0][im];
      /* Newton's step of a 2 x 2 system, real and imaginary part, with a Jacobian by differences of one. */
      determinant = a * e - b * d;
      if (!(PetscAbsReal(determinant) > 0)) continue;
      u[re] -= (e * slopes[0][re] - b * slopes[0][im]) / determinant;
      u[im] -= (a * slopes[0][im] - d * slopes[0][re]) / determinant;
    }
  }
  for (int k = 0; k < 3; k++) PetscCall(PetscFree(slopes[k]));
  PetscFunctionReturn(0);
}

/* Stable points that are found from there; *first (may be NULL): the first of them. */
static PetscErrorCode add_others(const CospinMeanSearch *search, Found *found, CospinMeanPoint *first)
{
  const CospinMeanField field = search->field;
  CospinMeanPoint point;
  double *u;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanPointCreate(search, &point));
  PetscCall(PetscMalloc1(field->num_unknowns, &u));
  for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++) {
    PetscCall(PetscArrayzero(u, field->num_unknowns));
    for (int c = 0; c < field->num_parts; c++) {
      const CospinMeanPart *part = &field->parts[c];
      for (int l = 0; l < part->sites && !part->is_mode; l++) {
        u[part->offset + l] = starts[s].s;
        u[part->offset + 2 * part->sites + l] = starts[s].z;
      }
    }
    if (starts[s].bright) PetscCall(follow_with_modes(field, u));
    PetscCall(CospinMeanPointFind(search, u, &point));
    PetscCall(add_stable(search, &point, found));
    if (first && found->num == 1) PetscCall(copy_point(search, &point, first));
    if (found->num) first = NULL;
  }
  PetscCall(PetscFree(u));
  PetscCall(CospinMeanPointDestroy(&point));
  PetscFunctionReturn(0);
}

/* ---- The search */

/* Where `point`, which is unstable, leads to, one way and the other; it becomes the first of these that is at
   rest. */
static PetscErrorCode leave_both_ways(CospinMeanSearch *search, CospinMeanPoint *point, PetscBool *rests,
                                      Found *found)
{
  CospinMeanPoint unstable, end;

  PetscFunctionBeginUser;
  *rests = PETSC_FALSE;
  PetscCall(CospinMeanPointCreate(search, &unstable));
  PetscCall(CospinMeanPointCreate(search, &end));
  PetscCall(copy_point(search, point, &unstable));
  for (int side = 0; side < 2 && !search->leave; side++) {
    PetscBool rest;
    PetscCall(CospinMeanSearchLeave(search, &unstable, side ? -1.0 : 1.0, &end, &rest));
    if (!rest || end.stability.kind == COSPIN_MEAN_UNSTABLE) continue;
    PetscCall(add_stable(search, &end, found));
    if (!*rests) PetscCall(copy_point(search, &end, point));
    *rests = PETSC_TRUE;
  }
  PetscCall(CospinMeanPointDestroy(&end));
  PetscCall(CospinMeanPointDestroy(&unstable));
  PetscFunctionReturn(0);
}

/* Off an unstable point, and on for longer than it could be followed: a stable one is the better answer then.
 */
static PetscBool is_driven_off(const CospinMeanSearch *search, const CospinMeanPoint *point, PetscBool rests)
{
  return (PetscBool)(!rests && !search->lost && !search->leave && point->found &&
                     point->stability.kind == COSPIN_MEAN_UNSTABLE);
}

PetscErrorCode CospinMeanSearchRun(CospinMeanSearch *search, const double u[], CospinMeanPoint *point,
                                   PetscBool *rests, int *num_stable)
{
  CospinMeanPoint end;
  Found found = {0};
  double time = 1.0;

  PetscFunctionBeginUser;
  *num_stable = 0;
  PetscCall(CospinMeanFieldHold(search->field, u));
  PetscCall(CospinMeanPointCreate(search, &end));
  PetscCall(CospinMeanPointFind(search, u, point));
  *rests = (PetscBool)(point->found && point->stability.kind == COSPIN_MEAN_STABLE);
  if (*rests) {
    PetscCall(add_stable(search, point, &found));
  } else {
    PetscCall(time_scale(search->field, u, &time));
    PetscCall(follow(search, u, NULL, time, &end, rests));
    if (*rests) PetscCall(copy_point(search, &end, point));
    if (*rests) PetscCall(add_stable(search, point, &found));
    /* A symmetric start may come to rest where nothing but the symmetry holds it. */
    if (*rests && point->stability.kind == COSPIN_MEAN_UNSTABLE)
      PetscCall(leave_both_ways(search, point, rests, &found));
  }
  if ((found.num || is_driven_off(search, point, *rests)) && search->field->num_unknowns <= MOST_COUNTED) {
    PetscCall(add_others(search, &found, found.num ? NULL : point));
    *num_stable = found.num;
    *rests = (PetscBool)(*rests || found.num);
  }
  for (int k = 0; k < found.num; k++) PetscCall(PetscFree(found.points[k]));
  PetscCall(CospinMeanPointDestroy(&end));
  PetscFunctionReturn(0);
}
