/*
   Derivatives of the mean-field equations at a state, in units in which they are of one size.

   The slopes are polynomials of the unknowns, of degree four at most (three operators of others and one of
   the spin itself), so that differences over four points are derivatives, exact but for rounding.
*/
#include "linear.h"

/* Of differences over four points, exact for polynomials of degree four, so it may be large and keeps
   rounding small. */
static const double step = 0.25;

/* The state is borrowed and stays. */
PetscErrorCode CospinMeanLinearDestroy(CospinMeanLinear *linear)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < linear->num_phases; k++) PetscCall(PetscFree(linear->phases[k]));
  PetscCall(PetscFree4(linear->units, linear->at, linear->slopes, linear->more));
  PetscFunctionReturn(0);
}

/* sum += weight (f(u + h v) - f(u - h v)) */
static PetscErrorCode add_difference(CospinMeanLinear *linear, const double v[], double h, double weight,
                                     double sum[])
{
  const int n = linear->field->num_unknowns;

  PetscFunctionBeginUser;
  for (int k = 0; k < n; k++) linear->at[k] = linear->u[k] + h * linear->units[k] * v[k];
  PetscCall(CospinMeanFieldSlopes(linear->field, linear->at, linear->slopes));
  for (int k = 0; k < n; k++) linear->at[k] = linear->u[k] - h * linear->units[k] * v[k];
  PetscCall(CospinMeanFieldSlopes(linear->field, linear->at, linear->more));
  for (int k = 0; k < n; k++) sum[k] += weight * (linear->slopes[k] - linear->more[k]) / linear->units[k];
  PetscFunctionReturn(0);
}

/* jv = J v, both in units; v about 1 */
PetscErrorCode CospinMeanLinearDerivative(CospinMeanLinear *linear, const double v[], double jv[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(jv, linear->field->num_unknowns));
  PetscCall(add_difference(linear, v, step, 8 / (12 * step), jv));
  PetscCall(add_difference(linear, v, 2 * step, -1 / (12 * step), jv));
  PetscFunctionReturn(0);
}

/* The largest change of other components by one of mode c, and of mode c by all others. */
static PetscErrorCode couplings(CospinMeanLinear *linear, int c, double *to, double *from)
{
  const int n = linear->field->num_unknowns, re = linear->field->parts[c].offset, im = re + 1;
  double *v, *jv;

  PetscFunctionBeginUser;
  *to = *from = 0.0;
  PetscCall(PetscCalloc2(n, &v, n, &jv));
  v[re] = 1.0;
  PetscCall(CospinMeanLinearDerivative(linear, v, jv));
  for (int k = 0; k < n; k++)
    if (k != re && k != im) *to = PetscMax(*to, PetscAbsReal(jv[k]));
  for (int k = 0; k < n; k++) v[k] = k == re || k == im ? 0.0 : PetscCosReal(1.0 + k);
  PetscCall(CospinMeanLinearDerivative(linear, v, jv));
  *from = hypot(jv[re], jv[im]);
  PetscCall(PetscFree2(v, jv));
  PetscFunctionReturn(0);
}

/* N spins drive a mode N times harder than the mode drives each: without a larger unit J would hold numbers
   of the size gN beside g, and errors relative to gN hide every eigenvalue, which are of the size g sqrt(N).
   A unit in which both ways are equal is the diagonal scaling of LAPACK's gebal, here without a matrix. */
static PetscErrorCode balance(CospinMeanLinear *linear)
{
  const CospinMeanField field = linear->field;

  PetscFunctionBeginUser;
  for (int c = 0; c < field->num_parts; c++) {
    const int at = field->parts[c].offset;
    double to, from;
    if (!field->parts[c].is_mode) continue;
    PetscCall(couplings(linear, c, &to, &from));
    if (!(to > 0 && from > to)) continue;
    linear->units[at] *= PetscSqrtReal(from / to);
    linear->units[at + 1] = linear->units[at];
  }
  PetscFunctionReturn(0);
}

/* Modes have units of their own: alpha of a full mode is many times larger than a spin's components. */
PetscErrorCode CospinMeanLinearCreate(CospinMeanField field, const double u[], CospinMeanLinear *linear)
{
  const int n = field->num_unknowns;

  PetscFunctionBeginUser;
  *linear = (CospinMeanLinear){.field = field, .u = u};
  PetscCall(PetscMalloc4(n, &linear->units, n, &linear->at, n, &linear->slopes, n, &linear->more));
  for (int k = 0; k < n; k++) linear->units[k] = 1.0;
  for (int c = 0; c < field->num_parts; c++) {
    const int at = field->parts[c].offset;
    if (!field->parts[c].is_mode) continue;
    linear->units[at] = linear->units[at + 1] = PetscMax(1.0, hypot(u[at], u[at + 1]));
  }
  PetscCall(balance(linear));
  PetscFunctionReturn(0);
}

/* An estimate of the norm of J. */
PetscErrorCode CospinMeanLinearNorm(CospinMeanLinear *linear, double *rate)
{
  const int n = linear->field->num_unknowns;
  double *v, *jv;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(n, &v, n, &jv));
  for (int k = 0; k < n; k++) v[k] = PetscCosReal(1.0 + k); /* no symmetry of the equations */
  for (int turn = 0; turn < 4; turn++) {
    PetscCall(CospinMeanLinearDerivative(linear, v, jv));
    *rate = 0.0;
    for (int k = 0; k < n; k++) *rate = PetscMax(*rate, PetscAbsReal(jv[k]));
    for (int k = 0; k<n && * rate> 0; k++) v[k] = jv[k] / *rate;
  }
  PetscCall(PetscFree2(v, jv));
  PetscFunctionReturn(0);
}

/* In units, so that the slope of a mode of 1e13 quanta does not hide that of a spin. */
PetscErrorCode CospinMeanFieldResidual(CospinMeanField field, const double u[], double *residual)
{
  CospinMeanLinear linear;
  double largest = 0.0, rate = 0.0;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanLinearCreate(field, u, &linear));
  PetscCall(CospinMeanLinearNorm(&linear, &rate));
  PetscCall(CospinMeanFieldSlopes(field, u, linear.slopes));
  for (int k = 0; k < field->num_unknowns; k++)
    largest = PetscMax(largest, PetscAbsReal(linear.slopes[k]) / linear.units[k]);
  *residual = largest == 0.0 ? 0.0 : largest / rate;
  PetscCall(CospinMeanLinearDestroy(&linear));
  PetscFunctionReturn(0);
}
