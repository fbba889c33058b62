/*
   Terms that run over spins with indices: `sum:` of the Hamiltonian, `each:` and `pairs:` of jumps. An
   expression is evaluated once for every spin (or pair), with `l` (and `m`) standing for it.

   Rates of pairs are a matrix: sum_lm R[l,m] (s_m rho s_l^+ - {s_l^+ s_m, rho}/2) is a generator of a
   quantum process if and only if R is hermitian and positive (Gorini, Kossakowski, Sudarshan 1976;
   Lindblad 1976), which is checked by its eigenvalues.

   Convention of pairs: A_m stands on the left of rho and A_l^+ on the right, with R[l,m]; a matrix that is
   given the other way round is its transpose, which differs only where R is complex.
*/
#include "clock_impl.h"
#include <cospin/problem/hermitian.h>

/* What counts as rounding in a rate matrix that is to be hermitian and positive, relative to its largest
   eigenvalue: data files seldom carry more digits. */
#define MATRIX_TOLERANCE 1e-10

/* What l and m stand for while an expression is evaluated; -1: nothing. `implied`: R alone means R[l,m]. A
   state of the problem while a term is evaluated, taken back at once: -1 says that l and m mean nothing. */
static void set_index(CospinProblem problem, int l, int m, PetscBool implied)
{
  problem->index.value[0] = l;
  problem->index.value[1] = m;
  problem->index.implied = implied;
}

void CospinProblemSetIndex(CospinProblem problem, int l, int m)
{
  set_index(problem, l, m, PETSC_FALSE);
}

static PetscErrorCode fail(CospinExpression expression, CospinFaults faults, PetscBool *ok,
                           const char sentence[])
{
  PetscFunctionBeginUser;
  *ok = PETSC_FALSE;
  PetscCall(CospinFaultsAdd(faults, CospinExpressionPosition(expression), CospinExpressionPath(expression),
                            "%s", sentence));
  PetscFunctionReturn(0);
}

/* All that runs over spins must run over equally many, and over some. */
static PetscErrorCode check_range(CospinExpression expression, const CospinSpinRange *range,
                                  CospinFaults faults, PetscBool *ok)
{
  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (range->mixed)
    PetscCall(fail(expression, faults, ok, "runs over the spins of components of different sizes"));
  else if (range->names_l && range->names_k)
    PetscCall(fail(expression, faults, ok, "`k` and `l` are the same index (write `l` and `m`)"));
  else if (range->size == 0)
    PetscCall(fail(expression, faults, ok,
                   "there is nothing to run over (no operator with an index, such as q.sz[l] of a spin or "
                   "g[l].Sz of a group)"));
  PetscFunctionReturn(0);
}

/* Hamiltonian and observables have sums alike: what the letters run over follows from the operators and
   arrays beside them, and is never said. */
PetscErrorCode CospinProblemSumRange(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                     int size[2], PetscBool *ok)
{
  CospinSpinRange range;

  PetscFunctionBeginUser;
  PetscCall(CospinProblemSurvey(problem, expression, PETSC_FALSE, &range));
  PetscCall(check_range(expression, &range, faults, ok));
  if (*ok && !range.uses[0] && !range.uses[1])
    PetscCall(fail(expression, faults, ok,
                   "sums over nothing (l and m run over spins or groups, as in q.sz[l] and g[l].Sz)"));
  for (int i = 0; i < 2; i++) size[i] = range.uses[i] ? range.size : 0;
  PetscFunctionReturn(0);
}

/* Terms are added up spin by spin: the sum is then an operator as any other. Indices that do not occur are
   not summed over. l and m run over all pairs, l = m among them; whoever wants l != m gives a matrix with
   zeros on its diagonal. */
PetscErrorCode CospinProblemSum(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                CospinPolynomial *sum, PetscBool *ok)
{
  int size[2];

  PetscFunctionBeginUser;
  *sum = NULL;
  PetscCall(CospinProblemSumRange(problem, expression, faults, size, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(CospinPolynomialCreate(sum));
  for (int l = 0; l < PetscMax(size[0], 1) && *ok; l++) {
    for (int m = 0; m < PetscMax(size[1], 1) && *ok; m++) {
      CospinPolynomial term;
      set_index(problem, size[0] ? l : -1, size[1] ? m : -1, PETSC_FALSE);
      PetscCall(CospinProblemOperator(problem, expression, faults, &term, ok));
      if (*ok) PetscCall(CospinPolynomialAxpy(*sum, 1.0, term));
      PetscCall(CospinPolynomialDestroy(&term));
    }
  }
  set_index(problem, -1, -1, PETSC_FALSE);
  if (!*ok) PetscCall(CospinPolynomialDestroy(sum));
  PetscFunctionReturn(0);
}

/* The operator of spin l. The index is implied: `q.sm` alone means q.sm[l] here. */
static PetscErrorCode operator_of(CospinProblem problem, const CospinJump *jump, int l, CospinFaults faults,
                                  CospinPolynomial *a, PetscBool *ok)
{
  PetscFunctionBeginUser;
  set_index(problem, l, -1, PETSC_TRUE);
  PetscCall(CospinProblemPolynomial(problem, jump->op, faults, a, ok));
  set_index(problem, -1, -1, PETSC_FALSE);
  for (int k = 0; *ok && k < (*a)->count; k++) {
    for (int i = 0; *ok && i < (*a)->monomials[k].length; i++) {
      if ((*a)->monomials[k].operators[i].spin == COSPIN_EACH_SPIN)
        PetscCall(
            fail(jump->op, faults, ok,
                 jump->form == COSPIN_JUMP_PAIRS
                     ? "pairs are of spins with indices or of groups (collective operators, as g.Sm), not "
                       "of single spins of a group"
                     : "runs over the spins of one component, this one has operators of two"));
    }
  }
  PetscFunctionReturn(0);
}

/* What is left of a jump with faults: the checks of tasks read on, and half of one would mislead them. */
static PetscErrorCode empty(CospinPlainJump *plain)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPlainJumpDestroy(plain));
  *plain = (CospinPlainJump){.component = -1};
  PetscFunctionReturn(0);
}

/* One process for every spin, with a rate and an operator of its own. */
PetscErrorCode CospinProblemEach(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                 CospinPlainJump *plain, PetscBool *ok)
{
  CospinSpinRange range;

  PetscFunctionBeginUser;
  *plain = (CospinPlainJump){.component = -1};
  PetscCall(CospinProblemSurvey(problem, jump->op, PETSC_FALSE, &range));
  PetscCall(check_range(jump->op, &range, faults, ok));
  plain->num_spins = range.size;
  PetscCall(PetscCalloc1(range.size, &plain->operators));
  PetscCall(PetscCalloc1(range.size, &plain->rates));
  for (int l = 0; l < range.size && *ok; l++) {
    PetscBool rate_ok;
    set_index(problem, l, -1, PETSC_FALSE);
    PetscCall(CospinProblemRate(problem, jump->rate, faults, &plain->rates[l], &rate_ok));
    PetscCall(operator_of(problem, jump, l, faults, &plain->operators[l], ok));
    if (!rate_ok) *ok = PETSC_FALSE;
  }
  set_index(problem, -1, -1, PETSC_FALSE);
  if (!*ok) PetscCall(empty(plain));
  PetscFunctionReturn(0);
}

/* R[k,l] would be R[l,l]. */
static PetscErrorCode check_letters(CospinProblem problem, CospinExpression expression, CospinFaults faults,
                                    PetscBool *ok)
{
  CospinSpinRange range;

  PetscFunctionBeginUser;
  PetscCall(CospinProblemSurvey(problem, expression, PETSC_FALSE, &range));
  if (range.names_l && range.names_k)
    PetscCall(fail(expression, faults, ok, "`k` and `l` are the same index (write `l` and `m`)"));
  PetscFunctionReturn(0);
}

/* R[l,m], stored at l + size*m. A column after the other, as LAPACK reads it. `constant`: only what does not
   depend on time; else `t` is a number, or nowhere. */
static PetscErrorCode evaluate_rates(CospinProblem problem, const CospinJump *jump, int size,
                                     PetscBool constant, CospinFaults faults, double complex rates[],
                                     PetscBool *ok)
{
  PetscFunctionBeginUser;
  for (int l = 0; l < size && *ok; l++) {
    for (int m = 0; m < size && *ok; m++) {
      CospinValue value = {0};
      set_index(problem, l, m, PETSC_TRUE);
      if (constant)
        PetscCall(CospinClockRate(problem, jump->rate, faults, &value.number, ok));
      else
        PetscCall(CospinExpressionEvaluate(jump->rate, &problem->environment, faults, &value, ok));
      if (*ok && value.is_operator)
        PetscCall(
            fail(jump->rate, faults, ok, "an operator where numbers are needed (a matrix over the spins)"));
      rates[l + size * m] = value.number;
      PetscCall(CospinValueReset(&value));
    }
  }
  set_index(problem, -1, -1, PETSC_FALSE);
  PetscFunctionReturn(0);
}

/* A smallest eigenvalue below zero within rounding of the largest one is taken for zero. Two faults are
   told apart, since they have different causes: data that are not symmetric, and rates that some
   superposition of the operators makes negative. */
static PetscErrorCode check_rates(const CospinJump *jump, int size, const double complex rates[],
                                  CospinFaults faults, PetscBool *ok)
{
  const CospinPosition at = CospinExpressionPosition(jump->rate);
  const char *path = CospinExpressionPath(jump->rate);
  double complex *copy;
  double *values, scale = 0.0;

  PetscFunctionBeginUser;
  for (int k = 0; k < size * size; k++) scale = PetscMax(scale, cabs(rates[k]));
  for (int l = 0; l < size; l++) {
    for (int m = 0; m <= l; m++) {
      if (cabs(rates[l + size * m] - conj(rates[m + size * l])) <= MATRIX_TOLERANCE * scale) continue;
      *ok = PETSC_FALSE;
      PetscCall(CospinFaultsAdd(
          faults, at, path,
          "the matrix of rates is not hermitian: entry [%d,%d] is not the complex conjugate of "
          "entry [%d,%d]",
          l, m, m, l));
      PetscFunctionReturn(0);
    }
  }
  PetscCall(PetscMalloc2((size_t)(size * size), &copy, (size_t)size, &values));
  PetscCall(PetscArraycpy(copy, rates, size * size));
  PetscCall(CospinHermitianDiagonalise(size, copy, values));
  /* Eigenvalues in ascending order; rounding of a matrix of N rows grows with N. */
  if (values[0] < -MATRIX_TOLERANCE * scale * size) {
    *ok = PETSC_FALSE;
    PetscCall(CospinFaultsAdd(faults, at, path,
                              "the matrix of rates has the negative eigenvalue %.6g (all must be >= 0)",
                              values[0]));
  }
  PetscCall(PetscFree2(copy, values));
  PetscFunctionReturn(0);
}

/* `t` is a number now (clock_times.c). */
PetscErrorCode CospinProblemCheckPairs(CospinProblem problem, const CospinJump *jump, int size,
                                       CospinFaults faults, PetscBool *ok)
{
  double complex *rates;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)size * (size_t)size, &rates));
  PetscCall(evaluate_rates(problem, jump, size, PETSC_FALSE, faults, rates, ok));
  if (*ok) PetscCall(check_rates(jump, size, rates, faults, ok));
  PetscCall(PetscFree(rates));
  PetscFunctionReturn(0);
}

/* Operators of all spins once, rates of all pairs; the matrix is checked as a whole, at many times where it
   depends on time: its constant part alone need not be one of rates. */
PetscErrorCode CospinProblemPairs(CospinProblem problem, const CospinJump *jump, CospinFaults faults,
                                  CospinPlainJump *plain, PetscBool *ok)
{
  const PetscBool timed = (PetscBool)(jump->rate && CospinExpressionHasTime(jump->rate, NULL));
  CospinSpinRange range;

  PetscFunctionBeginUser;
  *plain = (CospinPlainJump){.component = -1};
  PetscCall(CospinProblemSurvey(problem, jump->op, PETSC_TRUE, &range));
  PetscCall(check_range(jump->op, &range, faults, ok));
  if (!*ok) PetscFunctionReturn(0);
  plain->num_spins = range.size;
  PetscCall(PetscCalloc1((size_t)range.size * (size_t)range.size, &plain->pairs));
  PetscCall(PetscCalloc1(range.size, &plain->operators));
  for (int l = 0; l < range.size && *ok; l++)
    PetscCall(operator_of(problem, jump, l, faults, &plain->operators[l], ok));
  if (*ok) PetscCall(check_letters(problem, jump->rate, faults, ok));
  if (*ok) PetscCall(evaluate_rates(problem, jump, range.size, timed, faults, plain->pairs, ok));
  if (*ok && !timed) PetscCall(check_rates(jump, range.size, plain->pairs, faults, ok));
  if (!*ok) PetscCall(empty(plain));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPlainJumpDestroy(CospinPlainJump *plain)
{
  PetscFunctionBeginUser;
  PetscCall(CospinPolynomialDestroy(&plain->op));
  for (int l = 0; plain->operators && l < plain->num_spins; l++)
    PetscCall(CospinPolynomialDestroy(&plain->operators[l]));
  PetscCall(PetscFree(plain->operators));
  PetscCall(PetscFree(plain->rates));
  PetscCall(PetscFree(plain->pairs));
  PetscFunctionReturn(0);
}

/* pairs[l + n m]: operator m acts on the ket, operator l on the bra. */
PetscErrorCode CospinProblemAddIndexed(const CospinPlainJump *plain, CospinMoves moves)
{
  const int n = plain->num_spins;
  PetscBool ok;

  PetscFunctionBeginUser;
  for (int l = 0; l < n && plain->rates; l++)
    PetscCall(CospinMovesAddJump(moves, plain->rates[l], plain->operators[l], -1, &ok));
  for (int l = 0; l < n && plain->pairs; l++) {
    for (int m = 0; m < n; m++)
      PetscCall(CospinMovesAddPair(moves, plain->pairs[l + n * m], plain->operators[m], plain->operators[l]));
  }
  PetscFunctionReturn(0);
}
