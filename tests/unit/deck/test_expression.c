#include "support_faults.h"
#include <cospin/deck/expression.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs the four above it */
#include <cmocka.h>

#define OK(call) assert_int_equal(call, 0)

/* The world of these tests: numbers N = 4, x = 1/2, c = 1 + 2i, array[k] = 10 k; a component A with
   elementary operators p (0), m (1, adjoint of p), z (2, hermitian); a component B with p and m; q.p[k] of
   spin k. */
static PetscErrorCode resolve_name(const void *context, const char name[], int num_index, const int index[],
                                   CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  static const char *const numbers[] = {"N", "x", "c"}, *const operators[] = {"A.p", "A.m", "A.z", "B.p",
                                                                              "B.m"};
  const double complex values[] = {4, 0.5, CMPLX(1, 2)};

  (void)context;
  for (int k = 0; k < 3 && !num_index; k++) {
    if (!strcmp(name, numbers[k])) {
      value->number = values[k];
      *found = PETSC_TRUE;
    }
  }
  for (int k = 0; k < 5 && !num_index; k++) {
    const CospinElementary elementary = {k / 3, k % 3, -1};

    if (strcmp(name, operators[k])) continue;
    *found = value->is_operator = PETSC_TRUE;
    PetscCall(CospinPolynomialCreate(&value->polynomial));
    PetscCall(CospinPolynomialAddMonomial(value->polynomial, 1, 1, &elementary));
  }
  if (!strcmp(name, "array") && num_index == 1) {
    value->number = 10 * index[0];
    *found = PETSC_TRUE;
  }
  if (!strcmp(name, "q.p") && num_index == 1) {
    const CospinElementary elementary = {2, 0, index[0]};

    *found = value->is_operator = PETSC_TRUE;
    PetscCall(CospinPolynomialCreate(&value->polynomial));
    PetscCall(CospinPolynomialAddMonomial(value->polynomial, 1, 1, &elementary));
  }
  if (!strcmp(name, "Nn")) snprintf(why, why_size, "unknown name `Nn` (did you mean `N`?)");
  return 0;
}

static CospinElementary adjoint_of_elementary(const void *context, CospinElementary elementary)
{
  static const int adjoint[] = {1, 0, 2};

  (void)context;
  elementary.code = adjoint[elementary.code];
  return elementary;
}

/* <...> number k is 10^k times the coefficient of its first monomial. */
static PetscErrorCode expect_polynomial(void *state, int which, CospinPolynomial a, double complex *value)
{
  (void)state;
  *value = pow(10, which) * (a->count ? a->monomials[0].coefficient : 0);
  return 0;
}

static const CospinEnvironment operators = {.Resolve = resolve_name,
                                            .ElementaryAdjoint = adjoint_of_elementary};
static const CospinEnvironment observables = {
    .Resolve = resolve_name, .ElementaryAdjoint = adjoint_of_elementary, .Expect = expect_polynomial};

static void Evaluate(const char text[], const CospinEnvironment *environment, CospinFaults faults,
                     CospinValue *value, PetscBool *ok)
{
  CospinExpression expression;

  *ok = PETSC_FALSE;
  *value = (CospinValue){PETSC_FALSE, 0, NULL};
  OK(CospinExpressionParse(text, (CospinPosition){7, 11}, "key", faults, &expression));
  if (!expression) return;
  OK(CospinExpressionEvaluate(expression, environment, faults, value, ok));
  OK(CospinExpressionDestroy(&expression));
}

static void assert_number(const char text[], double complex expected)
{
  CospinFaults faults;
  CospinValue value;
  PetscBool ok;

  OK(CospinFaultsCreate("deck", &faults));
  Evaluate(text, &observables, faults, &value, &ok);
  Assert_Faults(&faults, "");
  assert_true(ok);
  assert_false(value.is_operator);
  if (cabs(value.number - expected) > 1e-15 * cabs(expected))
    fail_msg("%s is %.17g%+.17gi, not %.17g%+.17gi", text, creal(value.number), cimag(value.number),
             creal(expected), cimag(expected));
  if (cimag(expected) == 0 && cimag(value.number) != 0) fail_msg("%s is not exactly real", text);
}

static void assert_same(const char text[], const char other[])
{
  CospinFaults faults;
  CospinValue a, b;
  PetscBool ok;

  OK(CospinFaultsCreate("deck", &faults));
  Evaluate(text, &operators, faults, &a, &ok);
  Evaluate(other, &operators, faults, &b, &ok);
  Assert_Faults(&faults, "");
  assert_true(a.is_operator && b.is_operator);
  OK(CospinPolynomialAxpy(a.polynomial, -1, b.polynomial));
  if (a.polynomial->count) fail_msg("%s is not %s", text, other);
  OK(CospinValueReset(&a));
  OK(CospinValueReset(&b));
  assert_null(a.polynomial);
}

/* The expression stands at 7:11, so that its n-th character has column 10 + n. */
static void assert_fault(const char text[], const char expected[])
{
  CospinFaults faults;
  CospinValue value;
  PetscBool ok;

  OK(CospinFaultsCreate("deck", &faults));
  Evaluate(text, &operators, faults, &value, &ok);
  assert_false(ok);
  assert_null(value.polynomial);
  assert_true(value.number == 0);
  Assert_Faults(&faults, expected);
}

static void precedence_and_associativity(void **state)
{
  (void)state;
  assert_number("1+2*3", 7);
  assert_number("(1+2)*3", 9);
  assert_number("7-2-1", 4);
  assert_number("8/4/2", 1);
  assert_number("8/4*2", 4);
  assert_number("2^3^2", 512);
  assert_number("2**3**2", 512);
  assert_number("-2^2", -4);
  assert_number("(-2)^2", 4);
  assert_number("2^-1", 0.5);
  assert_number("2^-2^2", 1. / 16);
  assert_number("-3*-2", 6);
  assert_number("2--3", 5);
  assert_number("+-+-1", 1);
  assert_number("  N * x\n + 1\t", 3);
}

static void numbers_and_constants(void **state)
{
  (void)state;
  assert_number("1.5e-3", 1.5e-3);
  assert_number(".5", 0.5);
  assert_number("2.", 2);
  assert_number("1E2", 100);
  assert_number("pi", 3.14159265358979323846);
  assert_number("i*i", -1);
  assert_number("i^2", -1);
  assert_number("i^-1", -I);
  assert_number("1/3", 1. / 3);
  assert_number("c*conj(c)", 5);
  assert_number("c^2", CMPLX(-3, 4));
  assert_number("(-8)^(1/3)", cpow(-8, 1. / 3));
  assert_number("0^0", 1);
}

/* CODATA 2018: amu in kg. */
static void units_are_numbers_of_the_si(void **state)
{
  (void)state;
  assert_number("280.3*nm", 280.3 * 1e-9);
  assert_number("10*um", 10 * 1e-6);
  assert_number("2*MHz", 2 * 2e6 * M_PI);
  assert_number("GHz/MHz", 1e3);
  assert_number("kHz/Hz", 1e3);
  assert_number("Hz", 2 * M_PI);
  assert_number("amu", 1.66053906660e-27);
}

static void functions_have_their_values(void **state)
{
  (void)state;
  assert_number("sqrt(2)", sqrt(2));
  assert_number("sqrt(-4)", 2 * I);
  assert_number("exp(1)", exp(1));
  assert_number("log(10)", log(10));
  assert_number("log10(1000)", 3);
  assert_number("log10(-1)", CMPLX(0, 3.14159265358979323846 / log(10)));
  assert_number("sin(1)", sin(1));
  assert_number("cos(1)", cos(1));
  assert_number("tan(1)", tan(1));
  assert_number("asin(1)", asin(1));
  assert_number("acos(-1)", acos(-1));
  assert_number("atan(2)", atan(2));
  assert_number("atan2(-1, -1)", atan2(-1, -1));
  assert_number("sinh(1)", sinh(1));
  assert_number("cosh(1)", cosh(1));
  assert_number("tanh(1)", tanh(1));
  assert_number("abs(3+4*i)", 5);
  assert_number("re(c)", 1);
  assert_number("im(c)", 2);
  assert_number("arg(conj(-1))", 3.14159265358979323846);
  assert_number("conj(c)", CMPLX(1, -2));
  assert_number("dag(c)", CMPLX(1, -2));
  assert_number("floor(-1.5)", -2);
  assert_number("ceil(-1.5)", -1);
  assert_number("round(2.5)", 3);
  assert_number("min(3, 1, 2)", 1);
  assert_number("max(3, 1, 5, 2, 4)", 5);
  assert_number("factorial(5)", 120);
  assert_number("binomial(10, 3)", 120);
  assert_number("sum(l, 5, l^2)", 30);
  assert_number("prod(l, 4, 1 + l)*2", 48);
  assert_number("prod(l, 0, 1/0) + sum(l, 0, l)", 1);
  assert_number("sum(a, 3, sum(b, a, 10*a + b))", 10 + 20 + 21);
  assert_number("round(1e12*abs(prod(l, 3, exp(i*pi/6)) - i))", 0);
  assert_number("binomial(3, 5)", 0);
  assert_number("binomial(50, 25)", 126410606437752.);
}

static void operators_are_multiplied_out(void **state)
{
  (void)state;
  assert_same("2*A.p/4", "A.p*x");
  assert_same("sum(l, 3, l*A.p + A.m)", "3*A.p + 3*A.m");
  assert_same("sum(l, 2, sum(m, 2, (l + 2*m)*A.p*B.m))", "6*A.p*B.m");
  assert_same("(A.p + A.m)^2", "A.p*A.p + A.p*A.m + A.m*A.p + A.m*A.m");
  assert_same("A.p*B.p", "B.p*A.p");
  assert_same("A.p^2*A.m", "A.p*A.p*A.m");
  assert_same("A.p^0", "A.p - A.p + 1");
  assert_same("A.z - N", "-(N - A.z)");
  assert_same("(A.z + 1)*(A.z - 1)", "A.z^2 - 1");
  assert_same("A.p*(B.p + c)", "B.p*A.p + c*A.p");
}

static void Adjoints(void **state)
{
  (void)state;
  assert_same("dag(c*A.p*A.z)", "conj(c)*A.z*A.m");
  assert_same("dag(dag(A.p*B.m))", "A.p*B.m");
  assert_same("c*A.p + hc", "c*A.p + conj(c)*A.m");
  assert_same("A.z + A.p*B.m + hc", "2*A.z + A.p*B.m + A.m*B.p");
  assert_same("A.z + (A.p*B.m + hc)", "A.z + A.p*B.m + A.m*B.p");
  assert_same("i*(A.p - hc)", "i*A.p - i*A.m");
  assert_same("A.p + hc + A.z", "A.p + A.m + A.z");
  assert_number("c + hc", 2);
}

static void indices_are_expressions(void **state)
{
  (void)state;
  assert_number("array[3]", 30);
  assert_number("array[array[1]/5 + 1]*2", 60);
  assert_same("q.p[ 2*2 ]", "q.p[4]");
  assert_fault("array[x]", "deck:7:17: key: an index must be a whole number, not 0.5\n");
  assert_fault("array[A.p]", "deck:7:17: key: an index must be a whole number, not an operator\n");
  assert_fault("array[1", "deck:7:18: key: the expression ends too early (`,` or `]` is expected)\n");
}

static void expectation_values_are_numbers(void **state)
{
  CospinExpression expression;
  CospinFaults faults;

  (void)state;
  assert_number("<3*A.p>", 3);
  assert_number("<3*A.p> + <2*A.z>*N", 83);
  assert_number("<2>", 2);
  assert_number("2*<A.p*A.m>/N^2", 2. / 16);
  assert_fault("1 + <A.p>",
               "deck:7:15: key: an expectation value `<...>` is not allowed here (in observables only)\n");
  assert_fault("<A.p*<A.m>>", "deck:7:16: key: an expectation value inside of another one\n");
  assert_fault("<A.p", "deck:7:11: key: this `<` is not closed\n");
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinExpressionParse("<A.p>/(<A.m> + 1)", (CospinPosition){2, 3}, "k", faults, &expression));
  assert_int_equal(CospinExpressionCountExpectations(expression), 2);
  assert_string_equal(CospinExpressionText(expression), "<A.p>/(<A.m> + 1)");
  assert_string_equal(CospinExpressionPath(expression), "k");
  assert_int_equal(CospinExpressionPosition(expression).line, 2);
  assert_int_equal(CospinExpressionPosition(expression).column, 3);
  OK(CospinExpressionDestroy(&expression));
  Assert_Faults(&faults, "");
}

static void syntax_faults(void **state)
{
  (void)state;
  assert_fault("", "deck:7:11: key: an expression is missing\n");
  assert_fault("1 +",
               "deck:7:14: key: the expression ends too early (a number, a name or `(` is expected)\n");
  assert_fault("2N", "deck:7:12: key: unexpected `N` behind a number (is a `*` missing?)\n");
  assert_fault("N x", "deck:7:13: key: unexpected `x` (is a `*` missing?)\n");
  assert_fault("(1+2", "deck:7:11: key: this `(` is not closed\n");
  assert_fault("1+2)", "deck:7:14: key: unexpected `)` (there is no `(` for it)\n");
  assert_fault("(1 $ 2)", "deck:7:14: key: unexpected `$` (an operation or `)` is expected)\n");
  assert_fault("2*\xc3\xa4", "deck:7:13: key: unexpected `\xc3\xa4` (a number, a name or `(` is expected)\n");
  assert_fault("1.2.3", "deck:7:14: key: unexpected `.` (an operation or the end is expected)\n");
  assert_fault("1e999", "deck:7:11: key: the number `1e999` is too large\n");
  assert_fault("N < 3", "deck:7:13: key: unexpected `<` (an operation or the end is expected)\n");
  assert_fault("hc", "deck:7:11: key: `hc` means the hermitian conjugate of what stands before it in a sum "
                     "(write `A + hc`)\n");
  assert_fault("A.p + hc*2", "deck:7:19: key: unexpected `*` (an operation or the end is expected)\n");
}

static void function_faults(void **state)
{
  (void)state;
  assert_fault("sqr(2)", "deck:7:11: key: unknown function `sqr` (did you mean `sqrt`?)\n");
  assert_fault(
      "N(x + 1)",
      "deck:7:11: key: unknown function `N` (is a `*` missing? known functions: sqrt exp log log10 sin "
      "cos tan asin acos atan atan2 sinh cosh tanh abs re im arg conj floor ceil round min max "
      "factorial binomial step ramp pulse gauss kick table sum prod dag qfi qfi_max squeezing wineland "
      "purity "
      "entropy weight negativity mutual)\n");
  assert_fault("sqrt(1, 2)", "deck:7:11: key: sqrt takes 1 argument, not 2\n");
  assert_fault("atan2(1)", "deck:7:11: key: atan2 takes 2 arguments, not 1\n");
  assert_fault("max()", "deck:7:11: key: max takes at least 2 arguments, not 0\n");
  assert_fault("2*cos", "deck:7:13: key: `cos` is a function (write `cos(...)`)\n");
}

static void type_faults(void **state)
{
  (void)state;
  assert_fault("sqrt(A.p)", "deck:7:16: key: sqrt needs a number, not an operator\n");
  assert_fault("2/A.p", "deck:7:12: key: cannot divide by an operator (only by a number)\n");
  assert_fault("2^A.p", "deck:7:13: key: an exponent must be a number, not an operator\n");
  assert_fault("A.p^-1",
               "deck:7:14: key: an operator can be raised to a whole number from 0 to 100 only, not "
               "to -1\n");
  assert_fault("A.p^(1/2)", "deck:7:14: key: an operator can be raised to a whole number from 0 to 100 only, "
                            "not to 0.5\n");
  assert_fault("floor(c)", "deck:7:17: key: floor needs a real number, not 1+2*i\n");
  assert_fault("(A.p + A.m)^60", "deck:7:22: key: this operator has too many terms (more than 100000)\n");
}

static void unknown_names_are_all_reported(void **state)
{
  (void)state;
  assert_fault("Nn*2 + sqrt(M)/K[1]", "deck:7:11: key: unknown name `Nn` (did you mean `N`?)\n"
                                      "deck:7:23: key: unknown name `M`\n"
                                      "deck:7:26: key: unknown name `K`\n");
  assert_fault("A.p*(A.q + hc)", "deck:7:16: key: unknown name `A.q`\n");
}

static void values_must_be_finite(void **state)
{
  (void)state;
  assert_fault("1/0", "deck:7:12: key: division by zero\n");
  assert_fault("A.p/(N - 4)", "deck:7:14: key: division by zero\n");
  assert_fault("2 + log(0)", "deck:7:15: key: log(0) is not finite\n");
  assert_fault("10^400", "deck:7:13: key: (10)^(400) is not finite\n");
  assert_fault("0^-1", "deck:7:12: key: (0)^(-1) is not finite\n");
  assert_fault("1e300*1e300", "deck:7:16: key: this product is not finite\n");
  assert_fault("A.p*1e300*1e300", "deck:7:20: key: this product is not finite\n");
  assert_fault("sum(2, 3, 1)",
               "deck:7:15: key: the name of an index is needed here, as l in sum(l, N, delta[l])\n");
  assert_fault("prod(l, 1.5, l)",
               "deck:7:19: key: how many there are must be a whole number from 0 to 1e7\n");
  assert_fault("sum(l, 3, 1/l)", "deck:7:22: key: division by zero\n");
  assert_fault("sum(l, 3, 1) + l", "deck:7:26: key: unknown name `l`\n");
  assert_fault("factorial(200)", "deck:7:11: key: factorial(200) is not finite\n");
  assert_fault("factorial(0.5)", "deck:7:11: key: factorial(0.5) is not finite\n");
}

/* Depth is limited and reported; length is not, and takes no stack. */
static void long_and_deep_texts(void **state)
{
  enum { LENGTH = 200000 };
  char *text = malloc(LENGTH + 2);

  (void)state;
  memset(text, '(', LENGTH);
  text[LENGTH] = '\0';
  assert_fault(text, "deck:7:211: key: the expression is nested more than 200 deep\n");
  memset(text, '-', LENGTH);
  text[LENGTH] = '1';
  text[LENGTH + 1] = '\0';
  assert_number(text, 1);
  for (int k = 0; k < LENGTH; k++) text[k] = k % 2 ? '+' : '1';
  assert_number(text, LENGTH / 2 + 1);
  for (int k = 0; k < LENGTH; k++) text[k] = k % 2 ? '^' : '1';
  assert_fault(text, "deck:7:411: key: the expression is nested more than 200 deep\n");
  memset(text, 'a', LENGTH);
  text[LENGTH] = '\0';
  assert_fault(text, "deck:7:11: key: a name of 200000 letters is too long (at most 127)\n");
  free(text);
}

static PetscErrorCode note_name(void *context, const char name[], int num_index)
{
  char *list = context;

  snprintf(list + strlen(list), 100, "%s/%d ", name, num_index);
  return 0;
}

static void names_are_visited_in_order(void **state)
{
  CospinExpression expression;
  CospinFaults faults;
  char list[1000] = "";

  (void)state;
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinExpressionParse("b*sqrt(a) + pi*<q.z[l, 2]> + hc", (CospinPosition){1, 1}, "", faults,
                           &expression));
  OK(CospinExpressionVisitNames(expression, note_name, list));
  assert_string_equal(list, "b/0 a/0 q.z/2 l/0 ");
  OK(CospinExpressionDestroy(&expression));
  Assert_Faults(&faults, "");
}

static void assert_real(const char text[], PetscBool expected)
{
  const PetscBool is_real[] = {PETSC_TRUE, PETSC_FALSE};
  CospinExpression expression;
  CospinFaults faults;
  PetscBool real;

  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinExpressionParse(text, (CospinPosition){1, 1}, "", faults, &expression));
  OK(CospinExpressionIsReal(expression, &observables, is_real, &real));
  if (real != expected) fail_msg("%s should%s be real", text, expected ? "" : " not");
  OK(CospinExpressionDestroy(&expression));
  Assert_Faults(&faults, "");
}

/* The first <...> is real here, the second is not. */
static void real_values_are_recognised(void **state)
{
  (void)state;
  assert_real("<A.z>*N", PETSC_TRUE);
  assert_real("<A.z>*c", PETSC_FALSE);
  assert_real("<A.z>*c*0 + im(c)", PETSC_FALSE);
  assert_real("<A.z>*(i*i)", PETSC_TRUE);
  assert_real("<A.z> + <A.p>", PETSC_FALSE);
  assert_real("<A.z> + re(<A.p>)", PETSC_TRUE);
  assert_real("<A.z> + abs(<A.p>)^2", PETSC_TRUE);
  assert_real("sqrt(<A.z> - 2)", PETSC_TRUE);
  assert_real("<A.z>*sqrt(-1)", PETSC_FALSE);
  assert_real("<A.z>*<A.p> + hc", PETSC_TRUE);
  assert_real("<A.z>*<A.p> - hc", PETSC_FALSE);
  assert_real("<A.z>^0.5", PETSC_TRUE);
  assert_real("exp(i*<A.z>)", PETSC_FALSE);
}

static void Suggestions(void **state)
{
  static const char *const known[] = {"jumps", "grid", "N", "parameters", NULL};

  (void)state;
  assert_string_equal(CospinSuggest("jump", known), "jumps");
  assert_string_equal(CospinSuggest("gird", known), "grid");
  assert_string_equal(CospinSuggest("GRID", known), "grid");
  assert_string_equal(CospinSuggest("parmaters", known), "parameters");
  assert_string_equal(CospinSuggest("Nn", known), "N");
  assert_null(CospinSuggest("M", known));
  assert_null(CospinSuggest("jumped in", known));
  assert_null(CospinSuggest("", known));
}

static void faults_are_sorted_and_told_once(void **state)
{
  CospinFaults faults;

  (void)state;
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinFaultsAdd(faults, (CospinPosition){9, 1}, "b", "last"));
  OK(CospinFaultsAdd(faults, (CospinPosition){2, 5}, "a", "second %d", 2));
  OK(CospinFaultsAdd(faults, (CospinPosition){2, 5}, "a", "second %d", 2));
  OK(CospinFaultsAdd(faults, (CospinPosition){2, 4}, "", "first\nof all"));
  OK(CospinFaultsAdd(faults, (CospinPosition){0, 0}, "tasks", "missing"));
  assert_int_equal(CospinFaultsCount(faults), 4);
  Assert_Faults(&faults,
                "deck: tasks: missing\ndeck:2:4: first of all\ndeck:2:5: a: second 2\ndeck:9:1: b: last\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(precedence_and_associativity),
      cmocka_unit_test(numbers_and_constants),
      cmocka_unit_test(units_are_numbers_of_the_si),
      cmocka_unit_test(functions_have_their_values),
      cmocka_unit_test(operators_are_multiplied_out),
      cmocka_unit_test(Adjoints),
      cmocka_unit_test(indices_are_expressions),
      cmocka_unit_test(expectation_values_are_numbers),
      cmocka_unit_test(syntax_faults),
      cmocka_unit_test(function_faults),
      cmocka_unit_test(type_faults),
      cmocka_unit_test(unknown_names_are_all_reported),
      cmocka_unit_test(values_must_be_finite),
      cmocka_unit_test(long_and_deep_texts),
      cmocka_unit_test(names_are_visited_in_order),
      cmocka_unit_test(real_values_are_recognised),
      cmocka_unit_test(Suggestions),
      cmocka_unit_test(faults_are_sorted_and_told_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
