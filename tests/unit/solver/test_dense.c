/* All eigenvalues of small matrices (cospin/solver/dense.h): null vectors, groups of slow and of equal
 * eigenvalues, the order of modes. */
#include <complex.h>
#include <cospin/solver/dense.h>
#include <math.h>
#include <setjmp.h>
#include <slepcsys.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs setjmp.h to stdint.h above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

enum { SIZE = 12 };

/* X D X^-1 with X = 1 + a nilpotent part of `slant`, so the vectors are as far from orthogonal as that is
 * large. */
static void make_matrix(const double complex values[], double slant, PetscScalar matrix[])
{
  double complex x[SIZE][SIZE] = {{0}}, inverse[SIZE][SIZE] = {{0}};

  for (int i = 0; i < SIZE; i++) {
    x[i][i] = inverse[i][i] = 1.0;
    if (i + 1 < SIZE) x[i][i + 1] = slant * cexp(I * (double)i);
  }
  for (int i = SIZE - 1; i >= 0; i--) { /* the inverse of a unit bidiagonal matrix, row by row */
    for (int j = i + 1; j < SIZE; j++) inverse[i][j] = -x[i][i + 1] * inverse[i + 1][j];
  }
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      matrix[i + SIZE * j] = 0.0;
      for (int k = 0; k < SIZE; k++) matrix[i + SIZE * j] += x[i][k] * values[k] * inverse[k][j];
    }
  }
}

/* |L x - lambda x| and |y^H L - lambda y^H| / |y|, and y_j^H x_k - delta_jk, of all columns. */
static void assert_decomposition(const PetscScalar matrix[], const CospinDense *dense, double tolerance)
{
  for (int k = 0; k < SIZE; k++) {
    const PetscScalar *x = dense->right + SIZE * k, *y = dense->left + SIZE * k, lambda = dense->values[k];
    double right = 0, left = 0, length = 0;
    for (int i = 0; i < SIZE; i++) {
      PetscScalar row = -lambda * x[i], column = -lambda * PetscConj(y[i]);
      for (int j = 0; j < SIZE; j++) {
        row += matrix[i + SIZE * j] * x[j];
        column += PetscConj(y[j]) * matrix[j + SIZE * i];
      }
      right = fmax(right, cabs(row));
      left = fmax(left, cabs(column));
      length = fmax(length, cabs(y[i]));
    }
    if (right > tolerance || left > tolerance * length)
      fail_msg("residuals %g, %g of eigenvalue %d, %g%+gi", right, left / length, k, creal(lambda),
               cimag(lambda));
    for (int other = 0; other < SIZE; other++) {
      PetscScalar overlap = other == k ? -1.0 : 0.0;
      for (int i = 0; i < SIZE; i++) overlap += PetscConj(y[i]) * dense->right[i + SIZE * other];
      if (cabs(overlap) > tolerance * length) fail_msg("overlap %g of %d and %d", cabs(overlap), k, other);
    }
  }
}

static CospinDense solve(const PetscScalar matrix[], int zeros)
{
  CospinDense dense;
  PetscBool ok;

  OK(CospinDenseCreate(SIZE, matrix, 1e-14, 0, &dense, &ok));
  assert_true(ok);
  assert_int_equal(dense.num_zero, zeros);
  OK(CospinDenseComplete(&dense, &ok));
  assert_true(ok);
  return dense;
}

/* Three zeros, slow ones down to 1e-11 that lie close together, equal ones, a conjugate pair. */
static void slow_and_equal_modes_beside_zeros(void **state)
{
  const double complex values[SIZE] = {0,  -1, 0,      -2e-11,       -3e-11,       -2.5e-11,
                                       -1, -1, -4 + I, -0.5 + 2 * I, -0.5 - 2 * I, 0};

  (void)state;
  for (int s = 0; s < 3; s++) {
    const double slant = (double[]){0.1, 0.5, 1}[s];
    PetscScalar matrix[SIZE * SIZE];
    CospinDense dense;
    make_matrix(values, slant, matrix);
    dense = solve(matrix, 3);
    assert_decomposition(matrix, &dense, 1e-12 * (1 + slant * slant * slant));
    for (int k = 0; k < 3; k++) { /* -2, -2.5, -3 times 1e-11 */
      const double off = cabs(dense.values[3 + k] + (4 + k) * 5e-12);
      assert_true(off < 1e-13 + 10 * dense.error[3 + k]);
    }
    assert_true(cabs(dense.nearest + 2e-11) < 2e-12);
    assert_true(cimag(dense.values[6]) < -1.9 && cimag(dense.values[7]) > 1.9); /* positive frequency first */
    OK(CospinDenseDestroy(&dense));
  }
}

static void a_matrix_of_zeros_has_nothing_else(void **state)
{
  PetscScalar matrix[SIZE * SIZE] = {0};
  CospinDense dense = solve(matrix, SIZE);

  (void)state;
  assert_true(isinf(dense.separation));
  assert_true(isnan(creal(dense.nearest)));
  assert_decomposition(matrix, &dense, 1e-15);
  OK(CospinDenseDestroy(&dense));
}

/* The separation is the smallest singular value that is not zero: by it a perturbation of the matrix turns
 * null vectors. */
static void zeros_are_counted_by_singular_values(void **state)
{
  double complex values[SIZE];
  PetscScalar matrix[SIZE * SIZE];
  CospinDense dense;

  (void)state;
  for (int k = 0; k < SIZE; k++) values[k] = -1.0 - k;
  values[4] = 0;
  values[5] = -1e-8;
  make_matrix(values, 0.0, matrix);
  dense = solve(matrix, 1);
  assert_true(fabs(dense.separation - 1e-8) < 1e-15);
  OK(CospinDenseDestroy(&dense));
}

static void equal_rates_are_ordered_by_frequency(void **state)
{
  const double complex lambda[] = {-2,           -1 + 3 * I, -1 - 1e-12 - 3 * I, -1 + 1e-12 + 0.5 * I,
                                   -1 - 0.5 * I, -0.3};
  const double error[] = {1e-10, 1e-10, 1e-10, 1e-10, 1e-10, 1e-10};
  const int expected[] = {5, 4, 3, 2, 1, 0};
  int order[6];

  (void)state;
  OK(CospinOrderSlowest(6, lambda, error, order));
  for (int k = 0; k < 6; k++) assert_int_equal(order[k], expected[k]);
}

/* ... and that does not go on from one rate to the next: a chain of rates, each within the error of the one
   before, is no group (random deck 92116). */
static void chains_of_rates_are_not_equal(void **state)
{
  const double complex lambda[] = {CMPLX(-1.9, 0), CMPLX(-0.5, -1), CMPLX(-1.2, 3), CMPLX(-0.5, 1),
                                   CMPLX(-1.2, -3)};
  const double complex pair[] = {CMPLX(-0.2, 3.1), CMPLX(-2, -3)}; /* each may be off by its error */
  const double error[] = {1, 1, 1, 1, 1};
  int order[5];

  (void)state;
  OK(CospinOrderSlowest(5, lambda, error, order));
  assert_int_equal(order[4], 0);
  OK(CospinOrderSlowest(2, pair, error, order));
  assert_int_equal(order[0], 1);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slow_and_equal_modes_beside_zeros),
      cmocka_unit_test(a_matrix_of_zeros_has_nothing_else),
      cmocka_unit_test(zeros_are_counted_by_singular_values),
      cmocka_unit_test(equal_rates_are_ordered_by_frequency),
      cmocka_unit_test(chains_of_rates_are_not_equal),
  };
  int failed;

  if (SlepcInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return SlepcFinalize() || failed;
}
