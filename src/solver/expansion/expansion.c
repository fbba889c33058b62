/*
   Numbers from expansions: expectation values, eigenvalues and counts of the projected generator, each with
   its certificate, at the degree that is best (degrees.h).

   The first degree is the linear noise approximation of the expansion in the system's size (N. G. van Kampen,
   Stochastic Processes in Physics and Chemistry (2007), chapter X); projection takes it to all orders.

   What is promised of a number: `error` is an estimate, the product of how wrong the left vector is (its
   defect, which is known at every label) and how wrong the right one is (its change from the degree
   before); `bound` is the first factor alone. A number is good if the estimate is within the tolerance and
   the bound within a tenth, so that no estimate is believed that rests on vectors which are wrong
   altogether.
*/
#include "degrees.h"
#include <math.h>

/* The estimate is of second order in what is wrong; beyond a tenth a first order says nothing. */
static const double largest_bound = 0.1; /* of the size of a number */

/* The stable point is found on each rank and then taken from the first one: a difference in the last digit
   would give the ranks different nodes, and sums over nodes that are shared out would be of two different
   problems. means NULL: from starts of its own. */
static PetscErrorCode find_centre(CospinExpansion expansion, const double means[], const double phases[])
{
  CospinSymbol symbol;
  PetscBool whole;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator, CospinTracedLabel, CospinTracedLabel,
                               &symbol, &whole));
  if (means)
    PetscCall(CospinCentreFindNear(symbol, means, phases, &expansion->centre));
  else
    PetscCall(CospinCentreFind(symbol, &expansion->centre));
  PetscCallMPI(MPI_Bcast(&expansion->centre, sizeof(CospinCentre), MPI_BYTE, 0, expansion->comm));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionCreate(MPI_Comm comm, CospinMoves generator, double tolerance,
                                     const CospinInterrupt *interrupt, CospinExpansion *expansion)
{
  const char *why;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(expansion));
  (*expansion)->comm = comm;
  (*expansion)->generator = generator;
  (*expansion)->interrupt = interrupt;
  (*expansion)->tolerance = tolerance;
  PetscCall(CospinSymbolLabelsMake(generator, &(*expansion)->labels, &why));
  PetscCheck(!why, PETSC_COMM_SELF, PETSC_ERR_SUP, "No expansion: %s", why);
  PetscCall(find_centre(*expansion, NULL, NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionCentreNear(CospinExpansion expansion, const double means[],
                                         const double phases[])
{
  PetscFunctionBeginUser;
  PetscCall(find_centre(expansion, means, phases));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionDestroy(CospinExpansion *expansion)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(*expansion));
  PetscFunctionReturn(0);
}

/* Not an error: at other points of a grid the same deck may well have one stable point. */
CospinOutcome CospinExpansionOutcome(CospinExpansion expansion)
{
  if (expansion->centre.num_stable > 1) return COSPIN_BISTABLE;
  return expansion->centre.has_gaussian ? COSPIN_GOOD : COSPIN_UNSTABLE;
}

double CospinExpansionEdge(CospinExpansion expansion)
{
  return expansion->centre.num_stable ? expansion->centre.gaussian.edge : NAN;
}

PetscBool CospinExpandedIsGood(double size, double tolerance, const CospinExpanded *value)
{
  return (PetscBool)(value->error <= tolerance * size && value->bound <= largest_bound * size);
}

/* Moves within the sector with a trace; *whole: none leads out of it. */
static PetscErrorCode traced_symbol(CospinExpansion expansion, CospinMoves moves, CospinSymbol *symbol,
                                    PetscBool *whole)
{
  PetscFunctionBeginUser;
  PetscCall(
      CospinSymbolCreate(&expansion->labels, moves, CospinTracedLabel, CospinTracedLabel, symbol, whole));
  PetscFunctionReturn(0);
}

/* Errors of eigenvalues count beside the rate and not beside the modulus: a fast frequency must not hide
   that a slow decay has no digits. */
static double rate_of(double complex value)
{
  return fabs(creal(value));
}

/* ---- Expectation values -------------------------------------------------------------------------------- */

/* The value needs the right vector only; the certificate needs the left one, y, which solves the adjoint
   equation (kernel.h, Expect). */
static PetscErrorCode expect(CospinDegrees *search, CospinSymbol symbol, double rounding,
                             CospinExpanded *value, PetscBool *ok)
{
  CospinCertificate certificate = {NAN, NAN};

  PetscFunctionBeginUser;
  *value =
      (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, search->degree, search->ops->Size(search->kernel)};
  PetscCall(search->ops->Expect(search->kernel, symbol, &value->value, ok));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &value->value, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(search->ops->Certify(search->kernel, symbol, value->value, search->before, &certificate));
  value->bound = certificate.bound;
  /* Rounding of the matrix is relative to its rates; divided by the slowest rate it is what it does to the
     state. */
  value->error = certificate.product + rounding * cabs(value->value);
  PetscFunctionReturn(0);
}

/* A CospinDegreesFind: expectation values of the symbols context[num]. Whether the steady state was found
   is agreed on before any rank goes on to collective calls. */
static PetscErrorCode expect_all(CospinDegrees *search, void *context, PetscBool *found)
{
  const CospinSymbol *symbols = (const CospinSymbol *)context;
  const double rounding = search->ops->Rounding(search->kernel) / search->scale;
  double complex none = 0.0;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(search->ops->Steady(search->kernel, found));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &none, found));
  for (int k = 0; k < search->num && *found; k++) {
    PetscCall(expect(search, symbols[k], rounding, &search->values[k], &ok));
    if (!ok) *found = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

/* All numbers of a task share their degree: the best one is where the worst of them is best. Values of
   different degrees would not be those of one state. */
PetscErrorCode CospinExpansionExpect(CospinExpansion expansion, int num, const CospinMoves moves[],
                                     CospinExpanded values[], CospinOutcome *outcome)
{
  const double scale = fabs(expansion->centre.gaussian.growth);
  CospinSymbol symbol, *symbols;
  PetscBool whole;
  CospinDegrees search;

  PetscFunctionBeginUser;
  PetscCall(traced_symbol(expansion, expansion->generator, &symbol, &whole));
  PetscCall(PetscMalloc1((size_t)num + 1, &symbols));
  for (int k = 0; k < num; k++) /* what leaves the sector contributes nothing */
    PetscCall(traced_symbol(expansion, moves[k], &symbols[k], &whole));
  PetscCall(CospinDegreesCreate(expansion, symbol, num, CospinDegreesModulus, scale, &search));
  PetscCall(CospinDegreesSearch(&search, expect_all, symbols));
  *outcome = CospinDegreesTake(&search, values);
  PetscCall(CospinDegreesDestroy(&search));
  for (int k = 0; k < num; k++) PetscCall(CospinSymbolDestroy(&symbols[k]));
  PetscCall(PetscFree(symbols));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* ---- Counting ------------------------------------------------------------------------------------------ */

/* A CospinDegreesFind: mean and variance of the jumps `context`. The variance has no defect of its own:
   its bound is that of the mean, its error what degrees differ by. c_1 = Tr(J rho), c_2 = c_1 - 2 <J^T y,
   x> with L^T y = J^T 1 - c_1, the second-order perturbation of the zero eigenvalue of L + (e^(i chi) - 1)
   J: y is what Expect has just solved for. */
static PetscErrorCode count_once(CospinDegrees *search, void *context, PetscBool *found)
{
  const CospinSymbol jumps = (CospinSymbol)context;
  const double rounding = search->ops->Rounding(search->kernel) / search->scale;
  CospinExpanded *mean = &search->values[0], *variance = &search->values[1];
  double complex second = 0.0;

  PetscFunctionBeginUser;
  PetscCall(search->ops->Steady(search->kernel, found));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &second, found));
  if (*found) PetscCall(expect(search, jumps, rounding, mean, found));
  if (!*found) PetscFunctionReturn(0);
  PetscCall(search->ops->Second(search->kernel, jumps, mean->value, &second));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &second, found));
  *variance = *mean;
  variance->value = mean->value - 2 * second;
  variance->bound = mean->bound * cabs(variance->value / mean->value);
  variance->error = INFINITY;
  PetscFunctionReturn(0);
}

/* All jumps must stay in the sector, hence `whole`: one that leads out and another that leads back would
   make a part of the variance that is not seen here, and a variance that is too small looks like
   sub-Poissonian light. */
PetscErrorCode CospinExpansionCount(CospinExpansion expansion, CospinMoves moves, CospinExpanded values[],
                                    CospinOutcome *outcome)
{
  const double scale = fabs(expansion->centre.gaussian.growth);
  CospinSymbol symbol, jumps;
  PetscBool whole;
  CospinDegrees search;

  PetscFunctionBeginUser;
  PetscCall(traced_symbol(expansion, expansion->generator, &symbol, &whole));
  PetscCall(traced_symbol(expansion, moves, &jumps, &whole));
  PetscCall(CospinDegreesCreate(expansion, symbol, 2, CospinDegreesModulus, scale, &search));
  if (whole) PetscCall(CospinDegreesSearch(&search, count_once, jumps)); /* else two jumps may lead back */
  *outcome = CospinDegreesTake(&search, values);
  PetscCall(CospinDegreesDestroy(&search));
  PetscCall(CospinSymbolDestroy(&jumps));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* ---- Eigenvalues --------------------------------------------------------------------------------------- */

/* One eigenvalue, its vectors at this degree and at the one before. The eigenvector of the degree before
   is followed from this degree's eigenvalue, not from its own guess, so that the same mode is compared;
   where it does not exist there is a bound and no estimate. */
static PetscErrorCode certify_mode(CospinDegrees *search, double complex guess, CospinExpanded *mode,
                                   PetscBool *ok)
{
  const CospinKernelOps *ops = search->ops;
  CospinCertificate certificate = {NAN, NAN};
  double complex before;
  PetscBool before_ok = PETSC_FALSE;

  PetscFunctionBeginUser;
  *mode = (CospinExpanded){guess, NAN, NAN, NAN, search->degree, ops->Size(search->kernel)};
  PetscCall(ops->Eigen(search->kernel, &mode->value, ok));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &mode->value, ok));
  if (!*ok) PetscFunctionReturn(0);
  before = mode->value;
  if (search->before) PetscCall(ops->Eigen(search->before, &before, &before_ok));
  PetscCall(CospinDegreesAgree(search->expansion->comm, &before, &before_ok));
  PetscCall(ops->Certify(search->kernel, NULL, mode->value, before_ok ? search->before : NULL, &certificate));
  mode->bound = certificate.bound;
  mode->error = certificate.product + ops->Rounding(search->kernel);
  PetscFunctionReturn(0);
}

/* A CospinDegreesFind: the slowest modes. A mode that grows is none of L's. Modes that grow by more than
   their error are the sign of a projection that has left the physics: this degree is then not used at all,
   whatever its other modes look like. */
static PetscErrorCode find_modes(CospinDegrees *search, void *context, PetscBool *found)
{
  const int first = search->traced ? 0 : 1, n = search->ops->Size(search->kernel) - first;
  double complex *eigenvalues;

  PetscFunctionBeginUser;
  (void)context;
  search->scale = INFINITY;
  PetscCall(PetscMalloc1((size_t)n, &eigenvalues));
  PetscCall(CospinDegreesEigenvalues(search, first, eigenvalues, found));
  if (n < search->num) *found = PETSC_FALSE;
  for (int k = 0; k < search->num; k++) {
    search->values[k] = (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, search->degree, n + first};
    if (!*found) continue;
    PetscCall(certify_mode(search, eigenvalues[k], &search->values[k], found));
    search->scale = fmin(search->scale, fabs(creal(search->values[k].value)));
    if (creal(search->values[k].value) > search->values[k].error) *found = PETSC_FALSE;
  }
  PetscCall(PetscFree(eigenvalues));
  PetscFunctionReturn(0);
}

/* scale is unknown before the first degree, which is then made in double precision; from then on the
   slowest rate decides whether that is enough. In a sector without a trace zero is no eigenvalue, but
   kappa_0 is computed as the difference to the sector with one (kernel.c), hence `traced`. */
PetscErrorCode CospinExpansionSlowest(CospinExpansion expansion, const int representative[], int count,
                                      CospinExpanded values[], CospinOutcome *outcome)
{
  CospinSymbol symbol, traced;
  CospinDegrees search;
  PetscBool whole;

  PetscFunctionBeginUser;
  if (!representative) representative = CospinTracedLabel;
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator, representative, representative,
                               &symbol, &whole));
  PetscCall(CospinDegreesCreate(expansion, symbol, count, rate_of, INFINITY, &search));
  PetscCall(traced_symbol(expansion, expansion->generator, &traced, &whole));
  if (!CospinSymbolIsNeutral(symbol)) search.traced = traced; /* no trace there */
  PetscCall(CospinDegreesSearch(&search, find_modes, NULL));
  *outcome = CospinDegreesTake(&search, values);
  PetscCall(CospinDegreesDestroy(&search));
  PetscCall(CospinSymbolDestroy(&traced));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* ---- Estimates ----------------------------------------------------------------------------------------- */

PetscErrorCode CospinExpansionDimensions(CospinMoves generator, int *dimensions, const char **why)
{
  CospinSymbolLabels labels;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolLabelsMake(generator, &labels, why));
  *dimensions = labels.num_free + labels.num_populations;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionIsNeutral(CospinMoves generator, const int representative[], PetscBool *neutral)
{
  CospinSymbolLabels labels;
  CospinSymbol symbol;
  const char *why;
  PetscBool whole;

  PetscFunctionBeginUser;
  *neutral = PETSC_FALSE;
  PetscCall(CospinSymbolLabelsMake(generator, &labels, &why));
  if (why) PetscFunctionReturn(0);
  PetscCall(CospinSymbolCreate(&labels, generator, representative, representative, &symbol, &whole));
  *neutral = CospinSymbolIsNeutral(symbol);
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* The degree is not known in advance, so the usual one is taken: the matrix and its factors, of this
   degree and of the one before; twice the time of the last matrix, for the degrees below it. Nothing
   depends on N. */
void CospinExpansionCost(CospinMoves generator, int dimensions, int *degree, int *functions, double *bytes,
                         double *seconds)
{
  const double n = CospinDegreesFunctions(dimensions, COSPIN_USUAL_DEGREE);

  *degree = COSPIN_USUAL_DEGREE;
  *functions = (int)PetscMin(n, 1e9);
  *bytes = 4 * 16.0 * n * n;
  *seconds = 2 * CospinDegreesSeconds(dimensions, generator->count, COSPIN_USUAL_DEGREE);
}
