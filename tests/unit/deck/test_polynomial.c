#include <cospin/deck/polynomial.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* Codes of the elementary operators here: 0 raises, 1 lowers, 2 is hermitian. */
static const CospinElementary raise_a = {0, 0, -1}, lower_a = {0, 1, -1}, z_a = {0, 2, -1},
                              raise_b = {1, 0, -1};

static CospinElementary adjoint_of_elementary(const void *context, CospinElementary elementary)
{
  static const int adjoint[] = {1, 0, 2};

  assert_null(context);
  elementary.code = adjoint[elementary.code];
  return elementary;
}

static void assert_monomial(const CospinMonomial *monomial, double complex coefficient, int length,
                            const CospinElementary operators[])
{
  assert_true(monomial->coefficient == coefficient);
  assert_int_equal(monomial->length, length);
  for (int k = 0; k < length; k++) {
    assert_int_equal(monomial->operators[k].component, operators[k].component);
    assert_int_equal(monomial->operators[k].code, operators[k].code);
    assert_int_equal(monomial->operators[k].spin, operators[k].spin);
  }
}

static void equal_monomials_are_merged(void **state)
{
  const CospinElementary ba[] = {raise_b, raise_a}, ab[] = {raise_a, raise_b};
  CospinPolynomial p;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialAddMonomial(p, 2, 2, ba));
  OK(CospinPolynomialAddMonomial(p, 0.5 * I, 2, ab));
  assert_int_equal(p->count, 1);
  assert_monomial(&p->monomials[0], 2 + 0.5 * I, 2, ab);
  OK(CospinPolynomialDestroy(&p));
  assert_null(p);
}

static void zeros_are_dropped(void **state)
{
  CospinPolynomial p;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialAddMonomial(p, 0, 1, &raise_a));
  assert_int_equal(p->count, 0);
  OK(CospinPolynomialAddMonomial(p, 3, 1, &raise_a));
  OK(CospinPolynomialAddMonomial(p, 1, 0, NULL));
  OK(CospinPolynomialAddMonomial(p, -3, 1, &raise_a));
  assert_int_equal(p->count, 1);
  assert_monomial(&p->monomials[0], 1, 0, NULL);
  OK(CospinPolynomialAxpy(p, -1, p));
  assert_int_equal(p->count, 0);
  OK(CospinPolynomialDestroy(&p));
}

static void order_within_a_component_is_kept(void **state)
{
  const CospinElementary mixed[] = {lower_a, raise_b, raise_a}, sorted[] = {lower_a, raise_a, raise_b};
  const CospinElementary other[] = {raise_a, lower_a, raise_b};
  CospinPolynomial p;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialAddMonomial(p, 1, 3, mixed));
  OK(CospinPolynomialAddMonomial(p, 1, 3, other));
  assert_int_equal(p->count, 2);
  assert_monomial(&p->monomials[0], 1, 3, other);
  assert_monomial(&p->monomials[1], 1, 3, sorted);
  OK(CospinPolynomialDestroy(&p));
}

/* (a + 2 b)(a - 2 b) = a a - 4 b b: the mixed monomials commute and cancel. */
static void products_are_expanded(void **state)
{
  const CospinElementary aa[] = {raise_a, raise_a}, bb[] = {raise_b, raise_b};
  CospinPolynomial p, q, product;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialAddMonomial(p, 1, 1, &raise_a));
  OK(CospinPolynomialDuplicate(p, &q));
  OK(CospinPolynomialAddMonomial(p, 2, 1, &raise_b));
  OK(CospinPolynomialAddMonomial(q, -2, 1, &raise_b));
  OK(CospinPolynomialMultiply(p, q, &product));
  assert_int_equal(product->count, 2);
  assert_monomial(&product->monomials[0], 1, 2, aa);
  assert_monomial(&product->monomials[1], -4, 2, bb);
  OK(CospinPolynomialDestroy(&p));
  OK(CospinPolynomialDestroy(&q));
  OK(CospinPolynomialDestroy(&product));
}

static void products_with_zero_are_zero(void **state)
{
  CospinPolynomial p, zero, product;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialCreate(&zero));
  OK(CospinPolynomialAddMonomial(p, 1, 1, &raise_a));
  OK(CospinPolynomialMultiply(p, zero, &product));
  assert_int_equal(product->count, 0);
  OK(CospinPolynomialDestroy(&p));
  OK(CospinPolynomialDestroy(&zero));
  OK(CospinPolynomialDestroy(&product));
}

/* (i a_+ a_z b_+)^+ = -i a_z a_- b_-; the adjoint of the adjoint is the polynomial again. */
static void adjoint_reverses_and_conjugates(void **state)
{
  const CospinElementary monomial[] = {raise_a, z_a, raise_b}, reversed[] = {z_a, lower_a, {1, 1, -1}};
  CospinPolynomial p, adjoint, again;

  (void)state;
  OK(CospinPolynomialCreate(&p));
  OK(CospinPolynomialAddMonomial(p, I, 3, monomial));
  OK(CospinPolynomialAdjoint(p, adjoint_of_elementary, NULL, &adjoint));
  assert_int_equal(adjoint->count, 1);
  assert_monomial(&adjoint->monomials[0], -I, 3, reversed);
  OK(CospinPolynomialAdjoint(adjoint, adjoint_of_elementary, NULL, &again));
  assert_monomial(&again->monomials[0], I, 3, monomial);
  OK(CospinPolynomialDestroy(&p));
  OK(CospinPolynomialDestroy(&adjoint));
  OK(CospinPolynomialDestroy(&again));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_monomials_are_merged),       cmocka_unit_test(zeros_are_dropped),
      cmocka_unit_test(order_within_a_component_is_kept), cmocka_unit_test(products_are_expanded),
      cmocka_unit_test(products_with_zero_are_zero),      cmocka_unit_test(adjoint_reverses_and_conjugates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
