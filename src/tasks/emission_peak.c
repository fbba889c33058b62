/*
   Peak, height and full width at half maximum of a spectrum, from its rational model: it may be evaluated
   anywhere at no cost, so lines much narrower than the steps of the axis are resolved. The maximum is found
   by golden sections between neighbours of the largest point, the width by halving on either side.
*/
#include "emission.h"

enum { MAX_STEPS = 80 }; /* 0.618^80 and 2^-80 are below any distance of two frequencies */
static const double golden = 0.61803398874989485;

/* ---- Peak and width ------------------------------------------------------------------------------------ */

/* The maximum between two frequencies where there is one only. */
static double maximum_between(const CospinEmission *emission, double low, double high)
{
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double left_value = CospinEmissionDensity(emission, left),
         right_value = CospinEmissionDensity(emission, right);

  for (int k = 0; k < MAX_STEPS; k++) {
    if (left_value >= right_value) {
      high = right;
      right = left;
      right_value = left_value;
      left = high - golden * (high - low);
      left_value = CospinEmissionDensity(emission, left);
    } else {
      low = left;
      left = right;
      left_value = right_value;
      right = low + golden * (high - low);
      right_value = CospinEmissionDensity(emission, right);
    }
  }
  return left_value >= right_value ? left : right;
}

/* Points of the axis and lines of all models, ascending. */
static PetscErrorCode points_of(const CospinEmission *emission, int *num, double **points)
{
  const CospinAxis *axis = emission->settings->axis;
  CospinEmissionPlace lines[COSPIN_RESOLVENT_MAX_ORDER];
  PetscInt count;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(axis->size + emission->num_parts * COSPIN_RESOLVENT_MAX_ORDER), points));
  PetscCall(PetscArraycpy(*points, axis->values, axis->size));
  *num = axis->size;
  for (int p = 0; p < emission->num_parts; p++) {
    const int num_lines = CospinEmissionLines(emission, &emission->parts[p], PETSC_FALSE, lines);
    for (int k = 0; k < num_lines; k++) (*points)[(*num)++] = lines[k].omega;
  }
  count = *num;
  PetscCall(PetscSortRemoveDupsReal(&count, *points));
  *num = (int)count;
  PetscFunctionReturn(0);
}

/* From the peak in steps of one direction down to `level`, then by halving. The first steps go along the
   points, those beyond the last one double. */
static double crossing(const CospinEmission *emission, int num, const double points[], int peak_at,
                       double peak, double level, int direction)
{
  const double range = PetscMax(points[num - 1] - points[0], emission->settings->axis->size > 1 ? 0.0 : 1.0);
  double inside = peak, outside = peak, step = range / num;
  int at = peak_at;

  for (int k = 0; k < num + MAX_STEPS; k++) {
    at += direction;
    if (at >= 0 && at < num) {
      if (direction * (points[at] - peak) <= 0) continue;
      outside = points[at];
    } else {
      outside += direction * step;
      step *= 2;
    }
    if (!(CospinEmissionDensity(emission, outside) > level)) break;
    inside = outside;
  }
  for (int k = 0; k < MAX_STEPS; k++) {
    const double middle = 0.5 * (inside + outside);
    if (CospinEmissionDensity(emission, middle) > level)
      inside = middle;
    else
      outside = middle;
  }
  return 0.5 * (inside + outside);
}

PetscErrorCode CospinEmissionStorePeak(const CospinEmission *emission, CospinResults results)
{
  int num, best = 0;
  double *points, peak, height = -PETSC_INFINITY;

  PetscFunctionBeginUser;
  PetscCall(points_of(emission, &num, &points));
  for (int k = 0; k < num; k++) {
    const double value = CospinEmissionDensity(emission, points[k]);
    if (value > height) best = k;
    height = PetscMax(height, value);
  }
  if (height > 0) {
    peak = maximum_between(emission, points[PetscMax(best - 1, 0)], points[PetscMin(best + 1, num - 1)]);
    if (CospinEmissionDensity(emission, peak) < height) peak = points[best];
    height = CospinEmissionDensity(emission, peak);
    PetscCall(CospinResultsSet(results, "peak", 0, peak));
    PetscCall(CospinResultsSet(results, "height", 0, height));
    PetscCall(CospinResultsSet(results, "fwhm", 0,
                               crossing(emission, num, points, best, peak, 0.5 * height, 1) -
                                   crossing(emission, num, points, best, peak, 0.5 * height, -1)));
  }
  PetscCall(PetscFree(points));
  PetscFunctionReturn(0);
}
