/*
   Two-time correlations by quantum regression: d<O(t) B>/dt are Heisenberg's equations of O with B, which
   stands on the right and never moves, as one more operator (M. Lax, Phys. Rev. 129, 2342 (1963)).

   They are closed like moments: joint cumulants of more than `order` operators, B one of them, are zero.
   Exactly one block of a partition holds B, so that the equations are linear in <O B>, with moments of the
   steady state as coefficients. With x = <O B> - <O><B> blocks of B alone drop out: a B that is independent
   of the rest solves the closed equations, too.

   Linear equations dx/dt = M x with constant M are solved once for all times: C(t) = sum_k w_k exp(l_k t)
   with the eigenvalues l_k of M, and the spectrum is twice the real part of the same sum with
   1/(i omega - l_k) in place of exp(l_k t).

   Derived twice by the same walk: first for the list of moments that are needed, whose values are one, then
   with their values in the steady state.
*/
#include "approximate/meanfield/meanfield.h"
#include "moments.h"
#include <math.h>
#include <slepcblaslapack.h>
#include <string.h>

enum { MOST_UNKNOWNS = 600 };          /* all eigenvalues are found: 600 take some seconds */
static const double cancelled = 1e-13; /* as in equations.c */
static const double seen = 1e-6;       /* of all weights: a mode with less is not in the light */

/* ---- Equations ----------------------------------------------------------------------------------------- */

/* Value of a moment of the steady state; while they are collected (num 0) it is noted, and one. */
static PetscErrorCode value_of(CospinRegression r, const CospinMomentKey *key, double complex *value)
{
  int place;

  PetscFunctionBeginUser;
  *value = 1.0;
  if (r->filter && CospinMomentIsCharged(r->model, key)) {
    *value = 0.0;
  } else if (CospinMomentOperators(key)) {
    place = CospinMomentSumFind(&r->needed, key);
    if (place < 0) PetscCall(CospinMomentSumAdd(&r->needed, key, 1.0, &place));
    *value = r->needed.values[place];
  }
  PetscFunctionReturn(0);
}

/* sum += factor (<key B> - <key><B>), closed. A joint cumulant that is zero gives its moment as minus the sum
   over all partitions into two blocks or more, with the sign (-1)^(k-1) (k-1)! of k blocks. The block with B
   is shorter than the key, so that closing it in turn comes to an end. */
static PetscErrorCode add_closed(CospinRegression r, const CospinMomentKey *key, double complex factor,
                                 CospinMomentSum *sum)
{
  const int n = CospinMomentOperators(key);
  int block[2 * COSPIN_MOMENT_LETTERS] = {0};

  PetscFunctionBeginUser;
  if (n == 0) PetscFunctionReturn(0);
  if (n + 1 <= r->order) {
    PetscCall(CospinMomentSumAdd(sum, key, factor, NULL));
    PetscFunctionReturn(0);
  }
  while (CospinMeanNextPartition(n + 1, block)) { /* operator n is B */
    double complex value = factor, moment;
    int num_blocks = 0;
    for (int k = 0; k <= n; k++) num_blocks = PetscMax(num_blocks, block[k] + 1);
    value *= -CospinMeanCumulantSign(num_blocks);
    for (int b = 0; b < num_blocks && value != 0; b++) {
      const CospinMomentKey part = CospinMomentBlock(key, block, b);
      if (b == block[n]) continue;
      PetscCall(value_of(r, &part, &moment));
      value *= moment;
    }
    if (value != 0) {
      const CospinMomentKey rest = CospinMomentBlock(key, block, block[n]);
      r->cuts = PETSC_TRUE;
      PetscCall(add_closed(r, &rest, value, sum));
    }
  }
  PetscFunctionReturn(0);
}

/* d x/dt of one O as a sum over the others, which are appended to the keys while these are collected.
   Terms that cancel but for rounding are dropped: they would ask for moments that no equation needs. */
static PetscErrorCode derive(CospinRegression r, int i, CospinMomentSum *slope)
{
  const CospinMomentKey key = r->keys.keys[i];
  CospinMomentSum terms;

  PetscFunctionBeginUser;
  CospinMomentSumInit(&terms);
  CospinMomentSumClear(slope);
  PetscCall(CospinMomentHeisenberg(r->model, &key, &terms));
  for (int k = 0; k < terms.count; k++)
    if (cabs(terms.values[k]) > cancelled * terms.sizes[k])
      PetscCall(add_closed(r, &terms.keys[k], terms.values[k], slope));
  for (int k = 0; k < slope->count; k++) PetscCall(CospinMomentSumAdd(&r->keys, &slope->keys[k], 0.0, NULL));
  PetscCall(CospinMomentSumFree(&terms));
  PetscFunctionReturn(0);
}

/* The value of a sum of moments. */
static PetscErrorCode evaluate(CospinRegression r, const CospinMomentSum *sum, double complex *value)
{
  double complex moment;

  PetscFunctionBeginUser;
  *value = 0.0;
  for (int k = 0; k < sum->count; k++) {
    PetscCall(value_of(r, &sum->keys[k], &moment));
    *value += sum->values[k] * moment;
  }
  PetscFunctionReturn(0);
}

/* <O B> - <O><B> in the steady state. */
static PetscErrorCode find_start(CospinRegression r, int i, double complex *value)
{
  double complex o, b;
  CospinMomentSum sum;

  PetscFunctionBeginUser;
  CospinMomentSumInit(&sum);
  PetscCall(CospinMomentTimes(r->model, &r->keys.keys[i], &r->b, &sum));
  PetscCall(evaluate(r, &sum, value));
  PetscCall(value_of(r, &r->keys.keys[i], &o));
  CospinMomentSumClear(&sum);
  PetscCall(CospinMomentExpand(r->model, &r->b, &sum));
  PetscCall(evaluate(r, &sum, &b));
  *value -= o * b;
  PetscCall(CospinMomentSumFree(&sum));
  PetscFunctionReturn(0);
}

/* The first walk: keys from those of A on, and the moments that equations and starts need. */
static PetscErrorCode collect(CospinRegression r, PetscBool *ok)
{
  CospinMomentSum sum;
  double complex value;

  PetscFunctionBeginUser;
  CospinMomentSumInit(&sum);
  PetscCall(CospinMomentExpand(r->model, &r->a, &r->keys));
  *ok = PETSC_TRUE;
  for (int i = 0; i < r->keys.count && *ok; i++) {
    PetscCall(derive(r, i, &sum));
    PetscCall(find_start(r, i, &value));
    *ok = (PetscBool)(r->keys.count <= MOST_UNKNOWNS);
  }
  r->num = r->keys.count;
  PetscCall(CospinMomentSumFree(&sum));
  PetscFunctionReturn(0);
}

/* Nothing of a steady state is known yet: only which moments of it there must be. With all of them one no
   term is missed, so the second walk never meets a key or a moment that the first has not seen. */
PetscErrorCode CospinRegressionCreate(CospinMomentModel model, int order, PetscBool filter,
                                      CospinMomentWords *a, CospinMomentWords *b,
                                      CospinRegression *regression, PetscBool *ok)
{
  CospinRegression r;
  size_t n;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(regression));
  r = *regression;
  r->model = model;
  r->order = order;
  r->filter = filter;
  r->a = *a;
  r->b = *b;
  *a = *b = (CospinMomentWords){0};
  CospinMomentSumInit(&r->keys);
  CospinMomentSumInit(&r->needed);
  PetscCall(collect(r, ok));
  n = (size_t)r->num;
  PetscCall(PetscCalloc5(n * n, &r->matrix, n, &r->reading, n, &r->start, n, &r->values, n, &r->weights));
  for (int i = 0; i < r->num; i++) r->reading[i] = r->keys.values[i];
  PetscFunctionReturn(0);
}

/* What Create has taken over goes with it. */
PetscErrorCode CospinRegressionDestroy(CospinRegression *regression)
{
  CospinRegression r = *regression;

  PetscFunctionBeginUser;
  if (!r) PetscFunctionReturn(0);
  PetscCall(CospinMomentWordsFree(&r->a));
  PetscCall(CospinMomentWordsFree(&r->b));
  PetscCall(CospinMomentSumFree(&r->keys));
  PetscCall(CospinMomentSumFree(&r->needed));
  PetscCall(PetscFree5(r->matrix, r->reading, r->start, r->values, r->weights));
  PetscCall(PetscFree(*regression));
  PetscFunctionReturn(0);
}

/* ---- Values -------------------------------------------------------------------------------------------- */

/* weights[k] = (A v_k)(u_k^+ x(0))/(u_k^+ v_k) with right and left vectors, whose lengths and phases drop
   out. The matrix is not normal in general, so left vectors are not the conjugates of right ones. */
static PetscErrorCode find_lines(CospinRegression r, PetscBool *ok)
{
  const size_t n = (size_t)r->num;
  PetscBLASInt size = (PetscBLASInt)n, num_work = 8 * size, info;
  PetscScalar *matrix, *left, *right, *work;
  PetscReal *reals;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc5(n * n, &matrix, n * n, &left, n * n, &right, 8 * n, &work, 2 * n, &reals));
  for (size_t k = 0; k < n * n; k++) matrix[k] = r->matrix[k];
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("V", "V", &size, matrix, &size, r->values, left, &size, right, &size, work, &num_work, reals,
              &info);
  PetscCall(PetscFPTrapPop());
  *ok = (PetscBool)(info == 0);
  for (size_t k = 0; k < n && info == 0; k++) {
    double complex read = 0.0, begin = 0.0, both = 0.0;
    for (size_t i = 0; i < n; i++) {
      read += r->reading[i] * right[i + n * k];
      begin += conj(left[i + n * k]) * r->start[i];
      both += conj(left[i + n * k]) * right[i + n * k];
    }
    r->weights[k] = read * begin / both;
  }
  PetscCall(PetscFree5(matrix, left, right, work, reals));
  PetscFunctionReturn(0);
}

/* Where vectors of several lines fall together (two coupled modes that just do not oscillate), weights are
   large and cancel: their sum beside what it must be, C(0), tells. A line that carries none of the light is
   not the slowest one, however slow it is. */
static void judge(CospinRegression r)
{
  double complex sum = 0.0;
  double all = 0.0;

  r->power = 0.0;
  r->slowest = -1;
  for (int k = 0; k < r->num; k++) {
    r->power += r->reading[k] * r->start[k];
    sum += r->weights[k];
    all += cabs(r->weights[k]);
  }
  for (int k = 0; k < r->num; k++)
    if (cabs(r->weights[k]) > seen * all &&
        (r->slowest < 0 || creal(r->values[k]) > creal(r->values[r->slowest])))
      r->slowest = k;
  r->error = cabs(sum - r->power) / fmax(cabs(r->power), PETSC_MACHINE_EPSILON * all);
}

/* Moments that are longer than the equations' order are closed there, by the same rule as everywhere. Of
   first order all correlations are products: so the same equations tell what the light were without them. */
PetscErrorCode CospinRegressionEvaluate(CospinRegression r, CospinHierarchy moments, const double complex z[],
                                        PetscBool keep_start, PetscBool *ok)
{
  CospinMomentSum sum;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; k < r->needed.count; k++) {
    PetscCall(CospinHierarchyMoment(moments, &r->needed.keys[k], z, &r->needed.values[k]));
    if (!isfinite(cabs(r->needed.values[k]))) *ok = PETSC_FALSE;
  }
  if (!*ok) PetscFunctionReturn(0);
  CospinMomentSumInit(&sum);
  PetscCall(PetscArrayzero(r->matrix, (size_t)r->num * (size_t)r->num));
  for (int i = 0; i < r->num; i++) {
    PetscCall(derive(r, i, &sum));
    if (!keep_start) PetscCall(find_start(r, i, &r->start[i]));
    for (int k = 0; k < sum.count; k++)
      r->matrix[i + r->num * CospinMomentSumFind(&r->keys, &sum.keys[k])] = sum.values[k];
  }
  PetscCall(CospinMomentSumFree(&sum));
  PetscCall(find_lines(r, ok));
  if (*ok) judge(r);
  PetscFunctionReturn(0);
}

/* Of a sum of exponentials no step in time is needed, however far times are apart. */
double complex CospinRegressionAt(CospinRegression r, double time)
{
  double complex sum = 0.0;

  for (int k = 0; k < r->num; k++) sum += r->weights[k] * cexp(r->values[k] * time);
  return sum;
}

/* The integral of exp(-i omega t) C(t) over all times. Negative times are the complex conjugate, for B = A^+,
   so that it is twice the real part of that over t > 0. */
double CospinRegressionDensity(CospinRegression r, double omega)
{
  double complex sum = 0.0;

  for (int k = 0; k < r->num; k++) sum += r->weights[k] / (CMPLX(0.0, omega) - r->values[k]);
  return 2 * creal(sum);
}
