/*
   Values of a deck's expressions at the grid point of a problem: numbers, rates, operators, with the faults
   that all of its sections word alike. What a key's number may be stands in the row of the key (whole,
   between `least` and `most`, `range` in words), which the reference prints as well.
*/
#include "clock_impl.h"
#include <string.h>

/* -1: there is none; -2: there are two, over whose spins one sum cannot run. The component whose single
   spins an operator names (sp of `each:`). */
int CospinProblemSummedComponent(CospinPolynomial a)
{
  int component = -1;

  for (int k = 0; k < a->count; k++) {
    for (int l = 0; l < a->monomials[k].length; l++) {
      const CospinElementary elementary = a->monomials[k].operators[l];
      if (elementary.spin != COSPIN_EACH_SPIN || elementary.component == component) continue;
      if (component >= 0) return -2;
      component = elementary.component;
    }
  }
  return component;
}

/* NaN where there is a fault, so that whoever goes on with it gives no number. Real to the last bit:
   arithmetic of expressions keeps real numbers real (deck/expression/value.c), so an imaginary part is the
   deck's. */
PetscErrorCode CospinProblemNumber(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                   double *number, PetscBool *ok)
{
  CospinValue value = {0};
  char text[64] = "an operator";

  PetscFunctionBeginUser;
  *number = NAN;
  PetscCall(CospinExpressionEvaluate(expression, &problem->environment, faults, &value, ok));
  if (*ok && (value.is_operator || cimag(value.number) != 0.0)) {
    *ok = PETSC_FALSE;
    if (!value.is_operator)
      PetscCall(PetscSNPrintf(text, sizeof(text), "%.6g%+.6g*i", creal(value.number), cimag(value.number)));
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                              "must be a real number, not %s", text));
  }
  if (*ok) *number = creal(value.number);
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* A number is that multiple of the identity. */
PetscErrorCode CospinProblemPolynomial(CospinProblem problem, CospinExpression expression,
                                       CospinFaults faults, CospinPolynomial *polynomial, PetscBool *ok)
{
  CospinValue value = {0};

  PetscFunctionBeginUser;
  *polynomial = NULL;
  PetscCall(CospinExpressionEvaluate(expression, &problem->environment, faults, &value, ok));
  if (!*ok) PetscFunctionReturn(0);
  if (value.is_operator) {
    *polynomial = value.polynomial;
    value.polynomial = NULL;
  } else {
    PetscCall(CospinPolynomialCreate(polynomial));
    PetscCall(CospinPolynomialAddMonomial(*polynomial, value.number, 0, NULL));
  }
  PetscCall(CospinValueReset(&value));
  PetscFunctionReturn(0);
}

/* An operator of one spin (sp) stands for each of them in turn and has a meaning in `each:` only. */
PetscErrorCode CospinProblemOperator(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                     CospinPolynomial *polynomial, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemPolynomial(problem, expression, faults, polynomial, ok));
  if (*ok && CospinProblemSummedComponent(*polynomial) != -1) {
    *ok = PETSC_FALSE;
    PetscCall(
        CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                        "an operator of one spin of an ensemble outside `each:` (Sp, Sm, Sx, Sy, Sz are the "
                        "sums over spins)"));
    PetscCall(CospinPolynomialDestroy(polynomial));
  }
  PetscFunctionReturn(0);
}

/* Of a jump every pair of terms is a process of its own: a product of two full matrices of 16 levels has 4000
   terms, and would take a quarter of an hour to be looked at. Tasks that read no labels do not write the
   pairs out. */
PetscErrorCode CospinProblemJumpOperator(CospinProblem problem, CospinExpression expression,
                                         CospinFaults faults, CospinPolynomial *polynomial, PetscBool *ok)
{
  enum { MOST_TERMS = 3000 };

  PetscFunctionBeginUser;
  PetscCall(CospinProblemOperator(problem, expression, faults, polynomial, ok));
  if (!*ok || problem->deck->approximate || (*polynomial)->count <= MOST_TERMS) PetscFunctionReturn(0);
  *ok = PETSC_FALSE;
  PetscCall(
      CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                      "this operator is a sum of %d products of elementary operators (at most %d, for a jump "
                      "takes all pairs of them: state a product as one matrix)",
                      (*polynomial)->count, (int)MOST_TERMS));
  PetscCall(CospinPolynomialDestroy(polynomial));
  PetscFunctionReturn(0);
}

/* What the row of a key asks of its number. NaN is within no range. */
static PetscErrorCode check_number(const CospinSetting *setting, double number, CospinFaults faults,
                                   PetscBool *ok)
{
  const CospinKey *key = setting->key;
  const PetscBool whole = (PetscBool)(key->type != COSPIN_KEY_INTEGER || number == PetscFloorReal(number));
  const PetscBool within = (PetscBool)(!key->range || (number >= key->least && number <= key->most));
  const char *path = CospinExpressionPath(setting->expression);

  PetscFunctionBeginUser;
  *ok = (PetscBool)(whole && within);
  if (*ok || !faults) PetscFunctionReturn(0);
  if (key->range)
    PetscCall(CospinFaultsAdd(faults, setting->position, path, "is %.10g (must be %s)", number, key->range));
  else
    PetscCall(CospinFaultsAdd(faults, setting->position, path, "must be a whole number, not %.6g", number));
  PetscFunctionReturn(0);
}

/* The value of a key, and what its row asks of it. */
PetscErrorCode CospinProblemSetting(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                    double *number, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProblemNumber(problem, setting->expression, faults, number, ok));
  if (*ok) PetscCall(check_number(setting, *number, faults, ok));
  PetscFunctionReturn(0);
}

/* By the key's place in the table; NaN where there is no number, which a kind takes for "left out". */
PetscErrorCode CospinProblemRecordNumbers(CospinProblem problem, const CospinRecord *record,
                                          CospinFaults faults, double numbers[], PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  for (int k = 0; record->kind->keys[k].name; k++) {
    const CospinSetting *setting = &record->settings[k];
    const CospinKeyType type = setting->key->type;
    PetscBool this_ok;
    numbers[k] = NAN;
    if (!setting->expression || type == COSPIN_KEY_OPERATOR || type == COSPIN_KEY_FUNCTION) continue;
    PetscCall(CospinProblemSetting(problem, setting, faults, &numbers[k], &this_ok));
    if (!this_ok) *ok = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* Rates of exactly zero are allowed: a grid may begin there. Of one that depends on time it is the constant
   part, of either sign; whether it is a rate at all times a task asks that knows them (clock_times.c). */
PetscErrorCode CospinProblemRate(CospinProblem problem, CospinExpression rate, CospinFaults faults,
                                 double *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  if (CospinExpressionHasTime(rate, NULL)) {
    double complex constant;
    PetscCall(CospinClockRate(problem, rate, faults, &constant, ok));
    *value = creal(constant); /* a rate is real, so an imaginary part cancels that of others */
    PetscFunctionReturn(0);
  }
  PetscCall(CospinProblemNumber(problem, rate, faults, value, ok));
  if (*ok && *value < 0) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(rate), CospinExpressionPath(rate),
                              "the rate is %.6g (a rate is a number >= 0)", *value));
  }
  PetscFunctionReturn(0);
}
