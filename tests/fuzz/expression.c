/* The text of an expression: parsed, evaluated, classified. */
#include "fuzz.h"
#include <cospin/deck/expression.h>
#include <math.h>
#include <string.h>

/* N = 4, x = 1/2, c = 1 + 2i, v[k] = 10 k; operators A.p, A.m, A.z, B.p, B.m, q.p[k]. */
static PetscErrorCode resolve(const void *context, const char name[], int num_index, const int index[],
                              CospinValue *value, PetscBool *found, char why[], size_t why_size)
{
  static const struct {
    const char *name;
    int num_index;
    double re, im;
    CospinElementary elementary; /* component -1: a number */
  } names[] = {
      {"N", 0, 4, 0, {-1, 0, 0}},   {"x", 0, 0.5, 0, {-1, 0, 0}}, {"c", 0, 1, 2, {-1, 0, 0}},
      {"v", 1, 10, 0, {-1, 0, 0}},  {"A.p", 0, 0, 0, {0, 0, -1}}, {"A.m", 0, 0, 0, {0, 1, -1}},
      {"A.z", 0, 0, 0, {0, 2, -1}}, {"B.p", 0, 0, 0, {1, 0, -1}}, {"B.m", 0, 0, 0, {1, 1, -1}},
      {"q.p", 1, 0, 0, {2, 0, 0}},
  };

  PetscFunctionBeginUser;
  (void)context;
  (void)why;
  (void)why_size;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(names); k++) {
    CospinElementary elementary = names[k].elementary;
    if (strcmp(name, names[k].name) != 0 || num_index != names[k].num_index) continue;
    *found = PETSC_TRUE;
    value->number = CMPLX(names[k].re * (num_index ? index[0] : 1), names[k].im);
    if (elementary.component < 0) break;
    if (num_index) elementary.spin = index[0];
    value->is_operator = PETSC_TRUE;
    PetscCall(CospinPolynomialCreate(&value->polynomial));
    PetscCall(CospinPolynomialAddMonomial(value->polynomial, 1, 1, &elementary));
  }
  PetscFunctionReturn(0);
}

static CospinElementary adjoint(const void *context, CospinElementary elementary)
{
  static const int codes[] = {1, 0, 2};

  (void)context;
  elementary.code = codes[elementary.code];
  return elementary;
}

static PetscErrorCode expect(void *state, int which, CospinPolynomial a, double complex *value)
{
  (void)state;
  *value = which + (a->count ? a->monomials[0].coefficient : 0);
  return 0;
}

static PetscErrorCode visit(void *context, const char name[], int num_index)
{
  size_t *total = context;

  *total += strlen(name) + (size_t)num_index;
  return 0;
}

static PetscBool is_finite(const CospinValue *value)
{
  PetscBool finite = PETSC_TRUE;

  if (!value->is_operator)
    return (PetscBool)(isfinite(creal(value->number)) && isfinite(cimag(value->number)));
  for (int k = 0; k < value->polynomial->count; k++) {
    const double complex c = value->polynomial->monomials[k].coefficient;
    if (!isfinite(creal(c)) || !isfinite(cimag(c)) || c == 0) finite = PETSC_FALSE;
  }
  return finite;
}

static void use(CospinExpression expression, CospinFaults faults)
{
  const int count = CospinExpressionCountExpectations(expression), before = CospinFaultsCount(faults);
  const CospinEnvironment environment = {.Resolve = resolve, .ElementaryAdjoint = adjoint, .Expect = expect};
  PetscBool *is_real, ok, real;
  CospinValue value;
  size_t total = 0;

  FUZZ_CALL(CospinExpressionVisitNames(expression, visit, &total));
  FUZZ_CALL(CospinExpressionEvaluate(expression, &environment, faults, &value, &ok));
  FUZZ_CHECK(ok == (CospinFaultsCount(faults) == before), "a value and a fault, or neither");
  FUZZ_CHECK(!ok || is_finite(&value), "not finite, and no fault");
  FUZZ_CALL(PetscCalloc1((size_t)count + 1, &is_real));
  FUZZ_CALL(CospinExpressionIsReal(expression, &environment, is_real, &real));
  for (int k = 0; k < count; k++) is_real[k] = PETSC_TRUE;
  FUZZ_CALL(CospinExpressionIsReal(expression, &environment, is_real, &real));
  FUZZ_CALL(PetscFree(is_real));
  FUZZ_CALL(CospinValueReset(&value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  CospinExpression expression;
  CospinFaults faults;
  char *text;

  FUZZ_CALL(CospinFaultsCreate("deck", &faults));
  FUZZ_CALL(PetscCalloc1(size + 1, &text));
  if (size) (void)memcpy(text, data, size);
  FUZZ_CALL(CospinExpressionParse(text, (CospinPosition){1, 1}, "key", faults, &expression));
  FUZZ_CHECK((expression != NULL) == (CospinFaultsCount(faults) == 0), "a tree and a fault, or neither");
  if (expression) use(expression, faults);
  FUZZ_CALL(CospinExpressionDestroy(&expression));
  FUZZ_CALL(CospinFaultsDestroy(&faults));
  FUZZ_CALL(PetscFree(text));
  return 0;
}
