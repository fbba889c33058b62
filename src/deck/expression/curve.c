/*
   Points of a text file and the cubic spline through them: two continuous derivatives at every point, and at
   the second and the last but one a third one, too ("not-a-knot"), for nothing is known of the ends. Two
   points make a straight line, three a parabola. What is unknown are the slopes s; the second derivative is
   continuous at point i of steps h and chords c where

       h_i s_{i-1} + 2 (h_{i-1} + h_i) s_i + h_{i-1} s_{i+1} = 3 (h_i c_{i-1} + h_{i-1} c_i),

   with rows of their own at both ends (C. de Boor, A Practical Guide to Splines, 1978, chapter IV). No row
   needs a pivot.

   A pulse is drawn from zero to zero: there a curve goes on as zero. Everywhere else it has no value outside
   of its points, since nobody can know one. Where points are close together beside a long stretch without
   any, a spline may go far beyond all of them; that is told instead of being evolved.
*/
#include "curve.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOLD = 5, MAX_LINE = 4096 };

/* Of the largest modulus: what is smaller at an end is zero there. */
static const double nothing = 1e-10;

/* A file at work. `columns` is 0 until a line has numbers; `line` counts from 1, blank lines and comments
   too, as editors do. */
typedef struct {
  const char *name, *path;
  CospinPosition at;
  CospinFaults faults;
  int line, num_wrong, columns, capacity;
  CospinCurve *curve;
} Reading;

/* Of a line; the first few are enough, whatever else is wrong is most likely of the same kind. */
static PetscErrorCode tell(Reading *r, const char sentence[])
{
  PetscFunctionBeginUser;
  if (r->num_wrong++ < MAX_TOLD)
    PetscCall(CospinFaultsAdd(r->faults, r->at, r->path, "%s:%d: %s", r->name, r->line, sentence));
  PetscFunctionReturn(0);
}

/* At least doubled, so that long files are read in linear time. */
static PetscErrorCode append(Reading *r, const double number[])
{
  CospinCurve *curve = r->curve;

  PetscFunctionBeginUser;
  if (curve->count == r->capacity) {
    r->capacity = 2 * r->capacity + 64;
    PetscCall(PetscRealloc(sizeof(double) * (size_t)r->capacity, &curve->x));
    PetscCall(PetscRealloc(sizeof(double complex) * (size_t)r->capacity, &curve->y));
  }
  curve->x[curve->count] = number[0];
  curve->y[curve->count++] = CMPLX(number[1], r->columns == 3 ? number[2] : 0.0);
  PetscFunctionReturn(0);
}

/* Numbers of a line, four at most: how many there are; -1: there is something else, *word, of *length. */
static int split(const char *text, double number[4], const char **word, int *length)
{
  int n = 0;

  for (;;) {
    char *end;
    text += strspn(text, " \t\r\n,;");
    if (!*text || *text == '#') return n;
    *word = text;
    *length = (int)strcspn(text, " \t\r\n,;#");
    number[n < 3 ? n : 3] = strtod(text, &end);
    if (end != text + *length || !isfinite(number[n < 3 ? n : 3])) return -1;
    text = end;
    n++;
  }
}

/* The first line that has numbers tells how many all of them have. Points ascend: of two at one time none
 * would be the value there. */
static PetscErrorCode read_line(Reading *r, const char text[])
{
  const CospinCurve *curve = r->curve;
  double number[4];
  char sentence[256];
  const char *word = text;
  int length = 0;
  const int n = split(text, number, &word, &length);

  PetscFunctionBeginUser;
  if (n == 0) PetscFunctionReturn(0);
  if (!r->columns && (n == 2 || n == 3)) r->columns = n;
  sentence[0] = 0;
  if (n < 0)
    (void)snprintf(sentence, sizeof(sentence), "`%.*s` is no number (a comment begins with `#`)",
                   length < 40 ? length : 40, word);
  else if (n != r->columns)
    (void)snprintf(sentence, sizeof(sentence), "%d number%s (%s in each line)", n, n == 1 ? "" : "s",
                   r->columns == 3   ? "three, `t re im`,"
                   : r->columns == 2 ? "two, `t value`,"
                                     : "two, `t value`, or three, `t re im`,");
  else if (curve->count && !(number[0] > curve->x[curve->count - 1]))
    (void)snprintf(sentence, sizeof(sentence), "the time %.6g follows %.6g (times ascend)", number[0],
                   curve->x[curve->count - 1]);
  if (sentence[0])
    PetscCall(tell(r, sentence));
  else
    PetscCall(append(r, number));
  PetscFunctionReturn(0);
}

/* Row by row from above, then from below: diagonal, below and above it, right side in slope[]. */
static void solve_tridiagonal(int n, const double below[], double diagonal[], const double above[],
                              double complex slope[])
{
  for (int i = 1; i < n; i++) {
    const double factor = below[i] / diagonal[i - 1];
    diagonal[i] -= factor * above[i - 1];
    slope[i] -= factor * slope[i - 1];
  }
  slope[n - 1] /= diagonal[n - 1];
  for (int i = n - 2; i >= 0; i--) slope[i] = (slope[i] - above[i] * slope[i + 1]) / diagonal[i];
}

/* Both ends alike, for the matrix has no direction. The end of three points and more: h, c of the outermost
   step, g, d of the next one. With four and more the third derivative is the same on both, with three it is
   zero. */
static void fill_end(int n, double h, double g, double complex c, double complex d, double *diagonal,
                     double *beside, double complex *right)
{
  *diagonal = n > 3 ? g : 1.0;
  *beside = n > 3 ? h + g : 1.0;
  *right = n > 3 ? ((h + 2 * (h + g)) * g * c + h * h * d) / (h + g) : 2.0 * c;
}

/* Of three points and more. */
static PetscErrorCode find_slopes(CospinCurve *curve)
{
  const int n = curve->count;
  double *h, *below, *diagonal, *above;
  double complex *c, *s = curve->slope;

  PetscFunctionBeginUser;
  PetscCall(
      PetscMalloc5((size_t)n, &h, (size_t)n, &below, (size_t)n, &diagonal, (size_t)n, &above, (size_t)n, &c));
  for (int i = 0; i + 1 < n; i++) {
    h[i] = curve->x[i + 1] - curve->x[i];
    c[i] = (curve->y[i + 1] - curve->y[i]) / h[i];
  }
  fill_end(n, h[0], h[1], c[0], c[1], &diagonal[0], &above[0], &s[0]);
  fill_end(n, h[n - 2], h[n - 3], c[n - 2], c[n - 3], &diagonal[n - 1], &below[n - 1], &s[n - 1]);
  for (int i = 1; i + 1 < n; i++) {
    below[i] = h[i];
    diagonal[i] = 2 * (h[i - 1] + h[i]);
    above[i] = h[i - 1];
    s[i] = 3 * (h[i] * c[i - 1] + h[i - 1] * c[i]);
  }
  solve_tridiagonal(n, below, diagonal, above, s);
  PetscCall(PetscFree5(h, below, diagonal, above, c));
  PetscFunctionReturn(0);
}

/* The range of all points, of the real parts or the imaginary ones. */
static void find_range(const CospinCurve *curve, PetscBool imaginary, double range[2])
{
  range[0] = INFINITY;
  range[1] = -INFINITY;
  for (int i = 0; i < curve->count; i++) {
    const double y = imaginary ? cimag(curve->y[i]) : creal(curve->y[i]);
    range[0] = PetscMin(range[0], y);
    range[1] = PetscMax(range[1], y);
  }
}

/* Eight places in each step: a cubic has two extremes between two points, and what matters is whether it goes
   far, not how far exactly. Between points the curve may go beyond their range, by no more than the range
   itself. */
static PetscErrorCode check_overshoot(Reading *r, PetscBool imaginary)
{
  const CospinCurve *curve = r->curve;
  double range[2];
  PetscBool ok;

  PetscFunctionBeginUser;
  find_range(curve, imaginary, range);
  for (int k = 0; k < 8 * (curve->count - 1); k++) {
    const int i = k / 8;
    const double x = curve->x[i] + (k % 8) / 8.0 * (curve->x[i + 1] - curve->x[i]);
    const double complex y = CospinCurveAt(curve, x, &ok);
    const double part = imaginary ? cimag(y) : creal(y), width = range[1] - range[0];
    if (part >= range[0] - width && part <= range[1] + width) continue;
    r->num_wrong++;
    PetscCall(CospinFaultsAdd(r->faults, r->at, r->path,
                              "%s: the curve goes to %.3g at %.6g, far beyond all points (add points between "
                              "%.6g and %.6g)",
                              r->name, part, x, curve->x[i], curve->x[i + 1]));
    break;
  }
  PetscFunctionReturn(0);
}

/* A pulse whose last value is 1e-17 ends with zero. */
static void mark_ends(CospinCurve *curve)
{
  double largest = 0.0;

  for (int i = 0; i < curve->count; i++) largest = PetscMax(largest, cabs(curve->y[i]));
  curve->zero[0] = (PetscBool)(cabs(curve->y[0]) <= nothing * largest);
  curve->zero[1] = (PetscBool)(cabs(curve->y[curve->count - 1]) <= nothing * largest);
}

/* What is left to do when all lines are read. */
static PetscErrorCode finish(Reading *r)
{
  CospinCurve *curve = r->curve;

  PetscFunctionBeginUser;
  if (!r->num_wrong && curve->count < 2) PetscCall(tell(r, "the file ends here (two points are needed)"));
  if (r->num_wrong > MAX_TOLD)
    PetscCall(CospinFaultsAdd(r->faults, r->at, r->path, "%s: and %d lines more", r->name,
                              r->num_wrong - MAX_TOLD));
  if (r->num_wrong) PetscFunctionReturn(0);
  curve->real = (PetscBool)(r->columns == 2);
  PetscCall(PetscMalloc1((size_t)curve->count, &curve->slope));
  if (curve->count > 2)
    PetscCall(find_slopes(curve));
  else
    curve->slope[0] = curve->slope[1] = (curve->y[1] - curve->y[0]) / (curve->x[1] - curve->x[0]);
  mark_ends(curve);
  PetscCall(check_overshoot(r, PETSC_FALSE));
  if (!curve->real && !r->num_wrong) PetscCall(check_overshoot(r, PETSC_TRUE));
  PetscFunctionReturn(0);
}

/* By lines of a bounded length; every rank reads the file for itself, as it does those of arrays. */
PetscErrorCode CospinCurveRead(const char name[], const char file[], CospinPosition at, const char path[],
                               CospinFaults faults, CospinCurve **curve)
{
  Reading r = {.name = name, .path = path, .at = at, .faults = faults};
  FILE *stream = fopen(file, "r");
  char text[MAX_LINE];

  PetscFunctionBeginUser;
  *curve = NULL;
  if (!stream) {
    PetscCall(CospinFaultsAdd(faults, at, path, "cannot read the table %s (looked for as %s)", name, file));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscNew(&r.curve));
  while (fgets(text, sizeof(text), stream)) {
    r.line++;
    PetscCall(read_line(&r, text));
  }
  (void)fclose(stream);
  PetscCall(finish(&r));
  if (r.num_wrong) PetscCall(CospinCurveDestroy(&r.curve));
  *curve = r.curve;
  PetscFunctionReturn(0);
}

/* NULL is none, as everything that a fault has left out. */
PetscErrorCode CospinCurveDestroy(CospinCurve **curve)
{
  PetscFunctionBeginUser;
  if (!*curve) PetscFunctionReturn(0);
  PetscCall(PetscFree((*curve)->x));
  PetscCall(PetscFree((*curve)->y));
  PetscCall(PetscFree((*curve)->slope));
  PetscCall(PetscFree(*curve));
  PetscFunctionReturn(0);
}

/* A time that rounding has put behind an end is at that end: the last of `times` is that of the table. */
double complex CospinCurveAt(const CospinCurve *curve, double x, PetscBool *ok)
{
  const int last = curve->count - 1;
  const double slack = 1e-12 * PetscMax(fabs(curve->x[0]), fabs(curve->x[last]));
  int low = 0, high = last;

  *ok = PETSC_TRUE;
  if (x < curve->x[0] && x >= curve->x[0] - slack) return curve->y[0];
  if (x > curve->x[last] && x <= curve->x[last] + slack) return curve->y[last];
  if (x < curve->x[0] && curve->zero[0]) return 0.0;
  if (x > curve->x[last] && curve->zero[1]) return 0.0;
  *ok = (PetscBool)(x >= curve->x[0] && x <= curve->x[last]);
  if (!*ok) return NAN;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (curve->x[middle] > x)
      high = middle;
    else
      low = middle;
  }
  const double h = curve->x[high] - curve->x[low], u = (x - curve->x[low]) / h, v = 1 - u;
  return v * v * ((1 + 2 * u) * curve->y[low] + u * h * curve->slope[low]) +
         u * u * ((1 + 2 * v) * curve->y[high] - v * h * curve->slope[high]);
}
