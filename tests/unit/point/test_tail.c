/*
   The rate of a tail from curves whose rate is known, and from those that have none.
*/
#include <cospin/point/tail.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { TIMES = 41, BLOCKS = 32 };

typedef double (*Curve)(double t);

static double plain(double t)
{
  return 0.7 * exp(-2 * t);
}
static double transient(double t)
{
  return exp(-2 * t) + 2 * exp(-9 * t);
}
static double undershoot(double t)
{
  return -exp(-2 * t) + 0.8 * exp(-11 * t);
}
static double power_law(double t)
{
  return 1 / (1 + t);
}
static double gaussian(double t)
{
  return exp(-t * t);
}
static double plateau(double t)
{
  return 0.3 + exp(-t);
}
static double stretched(double t)
{
  return exp(-sqrt(t));
}
static double beat(double t)
{
  return exp(-0.2 * t) * (1.2 + cos(3 * t));
}
static double swing(double t)
{
  return exp(-0.2 * t) * cos(3 * t);
}
static double growth(double t)
{
  return exp(t);
}
static double constant(double t)
{
  (void)t;
  return 1;
}

/* Times from 0 to 3, none of the keys. */
static CospinTail fit(Curve curve, double from, double noise)
{
  static double times[TIMES], values[TIMES], errors[TIMES];
  CospinTail tail = {
      .num_times = TIMES, .times = times, .values = values, .errors = errors, .from = from, .until = NAN};

  for (int k = 0; k < TIMES; k++) {
    times[k] = 3.0 * k / (TIMES - 1);
    values[k] = curve(times[k]);
    errors[k] = noise;
  }
  OK(CospinTailFit(&tail));
  return tail;
}

static void test_exponentials(void **state)
{
  static const Curve curves[] = {plain, transient, undershoot};

  (void)state;
  for (int k = 0; k < 3; k++) {
    const CospinTail tail = fit(curves[k], NAN, 1e-12);
    assert_true(fabs(tail.rate - 2) <= tail.error);
    assert_true(tail.error < 1e-3);
    assert_true(tail.begin == 1.5 && tail.end == 3);
    /* from the beginning on a transient is in it, which the error must know */
    const CospinTail early = fit(curves[k], 0, 1e-12);
    assert_true(fabs(early.rate - 2) <= early.error);
  }
  assert_true(fit(transient, 0, 1e-12).error > 10 * fit(transient, NAN, 1e-12).error);
}

static void test_others(void **state)
{
  static const Curve curves[] = {power_law, gaussian, plateau, stretched, beat, swing, growth, constant};

  (void)state;
  for (size_t k = 0; k < sizeof(curves) / sizeof(*curves); k++) {
    assert_true(isnan(fit(curves[k], NAN, 1e-12).rate));
    assert_true(isnan(fit(curves[k], 0.2, 1e-12).rate));
    assert_true(isnan(fit(curves[k], 2.3, 1e-12).rate)); /* where it is nearly straight */
  }
}

/* What is below five errors is left out; where too little is left there is no rate. */
static void test_signal(void **state)
{
  const CospinTail tail = fit(plain, 0, 0.01);

  (void)state;
  assert_true(0.7 * exp(-2 * tail.end) > 0.05 && tail.end > 1.2);
  assert_true(fabs(tail.rate - 2) <= tail.error);
  assert_true(isnan(fit(plain, 1, 0.01).rate));
  assert_true(isnan(fit(plain, 1, 1).rate));
}

/* Blocks that scatter: the error is that of the jackknife, which for a slope of independent numbers is that
 * of least squares. */
static void test_noise(void **state)
{
  static double times[TIMES], values[(1 + BLOCKS) * TIMES], errors[TIMES], blocks[BLOCKS][TIMES];
  const double noise = 0.02 * sqrt(BLOCKS);
  int within = 0, rare = 0;

  (void)state;
  srand48(3);
  for (int run = 0; run < 200; run++) {
    CospinTail tail = {.num_times = TIMES,
                       .times = times,
                       .num_blocks = BLOCKS,
                       .values = values,
                       .errors = errors,
                       .from = 0,
                       .until = NAN};
    for (int k = 0; k < TIMES; k++) {
      double sum = 0.0;
      times[k] = 0.4 * k / (TIMES - 1);
      errors[k] = noise / sqrt(BLOCKS) * plain(times[k]);
      for (int b = 0; b < BLOCKS; b++) {
        blocks[b][k] = plain(times[k]) * (1 + noise * sqrt(12.0) * (drand48() - 0.5));
        sum += blocks[b][k];
      }
      values[k] = sum / BLOCKS;
      for (int b = 0; b < BLOCKS; b++) values[(b + 1) * TIMES + k] = (sum - blocks[b][k]) / (BLOCKS - 1);
    }
    OK(CospinTailFit(&tail));
    assert_true(!(tail.error < 0.015)); /* least squares: 0.02/(0.4 sqrt(41/12)) = 0.027 */
    if (!(tail.error < 0.5)) { /* three of its own errors from one half to the other happen by chance */
      rare++;
      continue;
    }
    assert_true(fabs(tail.rate - 2) < 3.5 * tail.error);
    within += fabs(tail.rate - 2) <= tail.error;
  }
  assert_true(within > 130 && within < 200 && rare < 6);
}

int main(int argc, char *argv[])
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exponentials),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_signal),
      cmocka_unit_test(test_noise),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (SlepcFinalize()) return 1;
  return failed;
}
