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
static PetscErrorCode Resolve_Name(const void *context, const char name[], int num_index, const int index[],
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

static CospinElementary Adjoint_Of_Elementary(const void *context, CospinElementary elementary)
{
  static const int adjoint[] = {1, 0, 2};

  (void)context;
  elementary.code = adjoint[elementary.code];
  return elementary;
}

/* <...> number k is 10^k times the coefficient of its first monomial. */
static PetscErrorCode Expect_Polynomial(void *state, int which, CospinPolynomial a, double complex *value)
{
  (void)state;
  *value = pow(10, which) * (a->count ? a->monomials[0].coefficient : 0);
  return 0;
}

static const CospinEnvironment operators = {.Resolve = Resolve_Name,
                                            .ElementaryAdjoint = Adjoint_Of_Elementary};
static const CospinEnvironment observables = {
    .Resolve = Resolve_Name, .ElementaryAdjoint = Adjoint_Of_Elementary, .Expect = Expect_Polynomial};

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

static void Assert_Number(const char text[], double complex expected)
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

static void Assert_Same(const char text[], const char other[])
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
static void Assert_Fault(const char text[], const char expected[])
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

static void Precedence_And_Associativity(void **state)
{
  (void)state;
  Assert_Number("1+2*3", 7);
  Assert_Number("(1+2)*3", 9);
  Assert_Number("7-2-1", 4);
  Assert_Number("8/4/2", 1);
  Assert_Number("8/4*2", 4);
  Assert_Number("2^3^2", 512);
  Assert_Number("2**3**2", 512);
  Assert_Number("-2^2", -4);
  Assert_Number("(-2)^2", 4);
  Assert_Number("2^-1", 0.5);
  Assert_Number("2^-2^2", 1. / 16);
  Assert_Number("-3*-2", 6);
  Assert_Number("2--3", 5);
  Assert_Number("+-+-1", 1);
  Assert_Number("  N * x\n + 1\t", 3);
}

static void Numbers_And_Constants(void **state)
{
  (void)state;
  Assert_Number("1.5e-3", 1.5e-3);
  Assert_Number(".5", 0.5);
  Assert_Number("2.", 2);
  Assert_Number("1E2", 100);
  Assert_Number("pi", 3.14159265358979323846);
  Assert_Number("i*i", -1);
  Assert_Number("i^2", -1);
  Assert_Number("i^-1", -I);
  Assert_Number("1/3", 1. / 3);
  Assert_Number("c*conj(c)", 5);
  Assert_Number("c^2", CMPLX(-3, 4));
  Assert_Number("(-8)^(1/3)", cpow(-8, 1. / 3));
  Assert_Number("0^0", 1);
}

/* CODATA 2018: amu in kg. */
static void Units_Are_Numbers_Of_The_SI(void **state)
{
  (void)state;
  Assert_Number("280.3*nm", 280.3 * 1e-9);
  Assert_Number("10*um", 10 * 1e-6);
  Assert_Number("2*MHz", 2 * 2e6 * M_PI);
  Assert_Number("GHz/MHz", 1e3);
  Assert_Number("kHz/Hz", 1e3);
  Assert_Number("Hz", 2 * M_PI);
  Assert_Number("amu", 1.66053906660e-27);
}

static void Functions_Have_Their_Values(void **state)
{
  (void)state;
  Assert_Number("sqrt(2)", sqrt(2));
  Assert_Number("sqrt(-4)", 2 * I);
  Assert_Number("exp(1)", exp(1));
  Assert_Number("log(10)", log(10));
  Assert_Number("log10(1000)", 3);
  Assert_Number("log10(-1)", CMPLX(0, 3.14159265358979323846 / log(10)));
  Assert_Number("sin(1)", sin(1));
  Assert_Number("cos(1)", cos(1));
  Assert_Number("tan(1)", tan(1));
  Assert_Number("asin(1)", asin(1));
  Assert_Number("acos(-1)", acos(-1));
  Assert_Number("atan(2)", atan(2));
  Assert_Number("atan2(-1, -1)", atan2(-1, -1));
  Assert_Number("sinh(1)", sinh(1));
  Assert_Number("cosh(1)", cosh(1));
  Assert_Number("tanh(1)", tanh(1));
  Assert_Number("abs(3+4*i)", 5);
  Assert_Number("re(c)", 1);
  Assert_Number("im(c)", 2);
  Assert_Number("arg(conj(-1))", 3.14159265358979323846);
  Assert_Number("conj(c)", CMPLX(1, -2));
  Assert_Number("dag(c)", CMPLX(1, -2));
  Assert_Number("floor(-1.5)", -2);
  Assert_Number("ceil(-1.5)", -1);
  Assert_Number("round(2.5)", 3);
  Assert_Number("min(3, 1, 2)", 1);
  Assert_Number("max(3, 1, 5, 2, 4)", 5);
  Assert_Number("factorial(5)", 120);
  Assert_Number("binomial(10, 3)", 120);
  Assert_Number("binomial(3, 5)", 0);
  Assert_Number("binomial(50, 25)", 126410606437752.);
}

static void Operators_Are_Multiplied_Out(void **state)
{
  (void)state;
  Assert_Same("2*A.p/4", "A.p*x");
  Assert_Same("(A.p + A.m)^2", "A.p*A.p + A.p*A.m + A.m*A.p + A.m*A.m");
  Assert_Same("A.p*B.p", "B.p*A.p");
  Assert_Same("A.p^2*A.m", "A.p*A.p*A.m");
  Assert_Same("A.p^0", "A.p - A.p + 1");
  Assert_Same("A.z - N", "-(N - A.z)");
  Assert_Same("(A.z + 1)*(A.z - 1)", "A.z^2 - 1");
  Assert_Same("A.p*(B.p + c)", "B.p*A.p + c*A.p");
}

static void Adjoints(void **state)
{
  (void)state;
  Assert_Same("dag(c*A.p*A.z)", "conj(c)*A.z*A.m");
  Assert_Same("dag(dag(A.p*B.m))", "A.p*B.m");
  Assert_Same("c*A.p + hc", "c*A.p + conj(c)*A.m");
  Assert_Same("A.z + A.p*B.m + hc", "2*A.z + A.p*B.m + A.m*B.p");
  Assert_Same("A.z + (A.p*B.m + hc)", "A.z + A.p*B.m + A.m*B.p");
  Assert_Same("i*(A.p - hc)", "i*A.p - i*A.m");
  Assert_Same("A.p + hc + A.z", "A.p + A.m + A.z");
  Assert_Number("c + hc", 2);
}

static void Indices_Are_Expressions(void **state)
{
  (void)state;
  Assert_Number("array[3]", 30);
  Assert_Number("array[array[1]/5 + 1]*2", 60);
  Assert_Same("q.p[ 2*2 ]", "q.p[4]");
  Assert_Fault("array[x]", "deck:7:17: key: an index must be a whole number, not 0.5\n");
  Assert_Fault("array[A.p]", "deck:7:17: key: an index must be a whole number, not an operator\n");
  Assert_Fault("array[1", "deck:7:18: key: the expression ends too early (`,` or `]` is expected)\n");
}

static void Expectation_Values_Are_Numbers(void **state)
{
  CospinExpression expression;
  CospinFaults faults;

  (void)state;
  Assert_Number("<3*A.p>", 3);
  Assert_Number("<3*A.p> + <2*A.z>*N", 83);
  Assert_Number("<2>", 2);
  Assert_Number("2*<A.p*A.m>/N^2", 2. / 16);
  Assert_Fault("1 + <A.p>",
               "deck:7:15: key: an expectation value `<...>` is not allowed here (in observables only)\n");
  Assert_Fault("<A.p*<A.m>>", "deck:7:16: key: an expectation value inside of another one\n");
  Assert_Fault("<A.p", "deck:7:11: key: this `<` is not closed\n");
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

static void Syntax_Faults(void **state)
{
  (void)state;
  Assert_Fault("", "deck:7:11: key: an expression is missing\n");
  Assert_Fault("1 +",
               "deck:7:14: key: the expression ends too early (a number, a name or `(` is expected)\n");
  Assert_Fault("2N", "deck:7:12: key: unexpected `N` behind a number (is a `*` missing?)\n");
  Assert_Fault("N x", "deck:7:13: key: unexpected `x` (is a `*` missing?)\n");
  Assert_Fault("(1+2", "deck:7:11: key: this `(` is not closed\n");
  Assert_Fault("1+2)", "deck:7:14: key: unexpected `)` (there is no `(` for it)\n");
  Assert_Fault("(1 $ 2)", "deck:7:14: key: unexpected `$` (an operation or `)` is expected)\n");
  Assert_Fault("2*\xc3\xa4", "deck:7:13: key: unexpected `\xc3\xa4` (a number, a name or `(` is expected)\n");
  Assert_Fault("1.2.3", "deck:7:14: key: unexpected `.` (an operation or the end is expected)\n");
  Assert_Fault("1e999", "deck:7:11: key: the number `1e999` is too large\n");
  Assert_Fault("N < 3", "deck:7:13: key: unexpected `<` (an operation or the end is expected)\n");
  Assert_Fault("hc", "deck:7:11: key: `hc` means the hermitian conjugate of what stands before it in a sum "
                     "(write `A + hc`)\n");
  Assert_Fault("A.p + hc*2", "deck:7:19: key: unexpected `*` (an operation or the end is expected)\n");
}

static void Function_Faults(void **state)
{
  (void)state;
  Assert_Fault("sqr(2)", "deck:7:11: key: unknown function `sqr` (did you mean `sqrt`?)\n");
  Assert_Fault(
      "N(x + 1)",
      "deck:7:11: key: unknown function `N` (is a `*` missing? known functions: sqrt exp log log10 sin "
      "cos tan asin acos atan atan2 sinh cosh tanh abs re im arg conj floor ceil round min max "
      "factorial binomial dag qfi qfi_max squeezing wineland purity entropy weight)\n");
  Assert_Fault("sqrt(1, 2)", "deck:7:11: key: sqrt takes 1 argument, not 2\n");
  Assert_Fault("atan2(1)", "deck:7:11: key: atan2 takes 2 arguments, not 1\n");
  Assert_Fault("max()", "deck:7:11: key: max takes at least 2 arguments, not 0\n");
  Assert_Fault("2*cos", "deck:7:13: key: `cos` is a function (write `cos(...)`)\n");
}

static void Type_Faults(void **state)
{
  (void)state;
  Assert_Fault("sqrt(A.p)", "deck:7:16: key: sqrt needs a number, not an operator\n");
  Assert_Fault("2/A.p", "deck:7:12: key: cannot divide by an operator (only by a number)\n");
  Assert_Fault("2^A.p", "deck:7:13: key: an exponent must be a number, not an operator\n");
  Assert_Fault("A.p^-1",
               "deck:7:14: key: an operator can be raised to a whole number from 0 to 100 only, not "
               "to -1\n");
  Assert_Fault("A.p^(1/2)", "deck:7:14: key: an operator can be raised to a whole number from 0 to 100 only, "
                            "not to 0.5\n");
  Assert_Fault("floor(c)", "deck:7:17: key: floor needs a real number, not 1+2*i\n");
  Assert_Fault("(A.p + A.m)^60", "deck:7:22: key: this operator has too many terms (more than 100000)\n");
}

static void Unknown_Names_Are_All_Reported(void **state)
{
  (void)state;
  Assert_Fault("Nn*2 + sqrt(M)/K[1]", "deck:7:11: key: unknown name `Nn` (did you mean `N`?)\n"
                                      "deck:7:23: key: unknown name `M`\n"
                                      "deck:7:26: key: unknown name `K`\n");
  Assert_Fault("A.p*(A.q + hc)", "deck:7:16: key: unknown name `A.q`\n");
}

static void Values_Must_Be_Finite(void **state)
{
  (void)state;
  Assert_Fault("1/0", "deck:7:12: key: division by zero\n");
  Assert_Fault("A.p/(N - 4)", "deck:7:14: key: division by zero\n");
  Assert_Fault("2 + log(0)", "deck:7:15: key: log(0) is not finite\n");
  Assert_Fault("10^400", "deck:7:13: key: (10)^(400) is not finite\n");
  Assert_Fault("0^-1", "deck:7:12: key: (0)^(-1) is not finite\n");
  Assert_Fault("1e300*1e300", "deck:7:16: key: this product is not finite\n");
  Assert_Fault("A.p*1e300*1e300", "deck:7:20: key: this product is not finite\n");
  Assert_Fault("factorial(200)", "deck:7:11: key: factorial(200) is not finite\n");
  Assert_Fault("factorial(0.5)", "deck:7:11: key: factorial(0.5) is not finite\n");
}

/* Depth is limited and reported; length is not, and takes no stack. */
static void Long_And_Deep_Texts(void **state)
{
  enum { LENGTH = 200000 };
  char *text = malloc(LENGTH + 2);

  (void)state;
  memset(text, '(', LENGTH);
  text[LENGTH] = '\0';
  Assert_Fault(text, "deck:7:211: key: the expression is nested more than 200 deep\n");
  memset(text, '-', LENGTH);
  text[LENGTH] = '1';
  text[LENGTH + 1] = '\0';
  Assert_Number(text, 1);
  for (int k = 0; k < LENGTH; k++) text[k] = k % 2 ? '+' : '1';
  Assert_Number(text, LENGTH / 2 + 1);
  for (int k = 0; k < LENGTH; k++) text[k] = k % 2 ? '^' : '1';
  Assert_Fault(text, "deck:7:411: key: the expression is nested more than 200 deep\n");
  memset(text, 'a', LENGTH);
  text[LENGTH] = '\0';
  Assert_Fault(text, "deck:7:11: key: a name of 200000 letters is too long (at most 127)\n");
  free(text);
}

static PetscErrorCode Note_Name(void *context, const char name[], int num_index)
{
  char *list = context;

  snprintf(list + strlen(list), 100, "%s/%d ", name, num_index);
  return 0;
}

static void Names_Are_Visited_In_Order(void **state)
{
  CospinExpression expression;
  CospinFaults faults;
  char list[1000] = "";

  (void)state;
  OK(CospinFaultsCreate("deck", &faults));
  OK(CospinExpressionParse("b*sqrt(a) + pi*<q.z[l, 2]> + hc", (CospinPosition){1, 1}, "", faults,
                           &expression));
  OK(CospinExpressionVisitNames(expression, Note_Name, list));
  assert_string_equal(list, "b/0 a/0 q.z/2 l/0 ");
  OK(CospinExpressionDestroy(&expression));
  Assert_Faults(&faults, "");
}

static void Assert_Real(const char text[], PetscBool expected)
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
static void Real_Values_Are_Recognised(void **state)
{
  (void)state;
  Assert_Real("<A.z>*N", PETSC_TRUE);
  Assert_Real("<A.z>*c", PETSC_FALSE);
  Assert_Real("<A.z>*c*0 + im(c)", PETSC_FALSE);
  Assert_Real("<A.z>*(i*i)", PETSC_TRUE);
  Assert_Real("<A.z> + <A.p>", PETSC_FALSE);
  Assert_Real("<A.z> + re(<A.p>)", PETSC_TRUE);
  Assert_Real("<A.z> + abs(<A.p>)^2", PETSC_TRUE);
  Assert_Real("sqrt(<A.z> - 2)", PETSC_TRUE);
  Assert_Real("<A.z>*sqrt(-1)", PETSC_FALSE);
  Assert_Real("<A.z>*<A.p> + hc", PETSC_TRUE);
  Assert_Real("<A.z>*<A.p> - hc", PETSC_FALSE);
  Assert_Real("<A.z>^0.5", PETSC_TRUE);
  Assert_Real("exp(i*<A.z>)", PETSC_FALSE);
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

static void Faults_Are_Sorted_And_Told_Once(void **state)
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
      cmocka_unit_test(Precedence_And_Associativity),
      cmocka_unit_test(Numbers_And_Constants),
      cmocka_unit_test(Units_Are_Numbers_Of_The_SI),
      cmocka_unit_test(Functions_Have_Their_Values),
      cmocka_unit_test(Operators_Are_Multiplied_Out),
      cmocka_unit_test(Adjoints),
      cmocka_unit_test(Indices_Are_Expressions),
      cmocka_unit_test(Expectation_Values_Are_Numbers),
      cmocka_unit_test(Syntax_Faults),
      cmocka_unit_test(Function_Faults),
      cmocka_unit_test(Type_Faults),
      cmocka_unit_test(Unknown_Names_Are_All_Reported),
      cmocka_unit_test(Values_Must_Be_Finite),
      cmocka_unit_test(Long_And_Deep_Texts),
      cmocka_unit_test(Names_Are_Visited_In_Order),
      cmocka_unit_test(Real_Values_Are_Recognised),
      cmocka_unit_test(Suggestions),
      cmocka_unit_test(Faults_Are_Sorted_And_Told_Once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
