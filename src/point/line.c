/*
   Peak, height and full width at half maximum of a spectrum that may be evaluated anywhere at little cost, so
   that lines much narrower than the steps of the axis are resolved. The maximum is found by golden sections
   between neighbours of the largest point, the width by halving on either side.

   What it presumes: around the largest point there is one maximum between its neighbours, and from there
   the spectrum falls through half of its height once on either side. The points are those of the axis and
   the positions of all lines (CospinLinePoints), so a narrow line between two points of the axis is one of
   them. Two lines that overlap above half of their height are told as one wide line.
*/
#include <cospin/deck/deck.h>
#include <cospin/point/line.h>

enum { MAX_STEPS = 80 }; /* 0.618^80 and 2^-80 are below any distance of two frequencies */
static const double golden = 0.61803398874989485;

/* Cheap by assumption: a rational model, or a channel of an expansion that has been kept. */
static double density_at(const CospinLine *line, double frequency)
{
  return line->Density(line->context, frequency);
}

/* The maximum between two frequencies where there is one only. Each step keeps the golden share of the
   interval and one of the two inner values. */
static double maximum_between(const CospinLine *line, double low, double high)
{
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double left_value = density_at(line, left), right_value = density_at(line, right);

  for (int k = 0; k < MAX_STEPS; k++) {
    if (left_value >= right_value) {
      high = right;
      right = left;
      right_value = left_value;
      left = high - golden * (high - low);
      left_value = density_at(line, left);
    } else {
      low = left;
      left = right;
      left_value = right_value;
      right = low + golden * (high - low);
      right_value = density_at(line, right);
    }
  }
  return left_value >= right_value ? left : right;
}

/* Lines beyond the axis are left out: peak and height are those of what was asked for. */
PetscErrorCode CospinLinePoints(const CospinAxis *axis, int num, const double lines[], int *num_points,
                                double **points)
{
  PetscInt count = axis->size;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)(axis->size + num), points));
  PetscCall(PetscArraycpy(*points, axis->values, (size_t)axis->size));
  for (int k = 0; k < num; k++)
    if (lines[k] >= axis->values[0] && lines[k] <= axis->values[axis->size - 1])
      (*points)[count++] = lines[k];
  PetscCall(PetscSortRemoveDupsReal(&count, *points));
  *num_points = (int)count;
  PetscFunctionReturn(0);
}

/* From the peak in steps of one direction down to `level`, then by halving. The first steps go along the
   points, those beyond the last one double. A line that goes on beyond the axis is followed there, with
   steps that double, for a width needs both flanks; if it never falls to the level the last step is told. */
static double crossing(const CospinLine *line, int peak_at, double peak, double level, int direction)
{
  const int num = line->num;
  const double *points = line->points, range = num > 1 ? points[num - 1] - points[0] : 1.0;
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
    if (!(density_at(line, outside) > level)) break;
    inside = outside;
  }
  for (int k = 0; k < MAX_STEPS; k++) {
    const double middle = 0.5 * (inside + outside);
    if (density_at(line, middle) > level)
      inside = middle;
    else
      outside = middle;
  }
  return 0.5 * (inside + outside);
}

/* The search between neighbours may end in a lower place where there are two maxima; then the point itself
   is taken. */
PetscErrorCode CospinLineStore(const CospinLine *line, CospinResults results)
{
  const int num = line->num;
  const double *points = line->points;
  int best = 0;
  double peak, height = -PETSC_INFINITY;

  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    const double value = density_at(line, points[k]);
    if (value > height) best = k;
    height = PetscMax(height, value);
  }
  if (!(height > 0)) PetscFunctionReturn(0);
  peak = maximum_between(line, points[PetscMax(best - 1, 0)], points[PetscMin(best + 1, num - 1)]);
  if (density_at(line, peak) < height) peak = points[best];
  height = density_at(line, peak);
  PetscCall(CospinResultsSet(results, "peak", 0, peak));
  PetscCall(CospinResultsSet(results, "height", 0, height));
  PetscCall(CospinResultsSet(results, "fwhm", 0,
                             crossing(line, best, peak, 0.5 * height, 1) -
                                 crossing(line, best, peak, 0.5 * height, -1)));
  PetscFunctionReturn(0);
}
