/*
   Numbers from expansions: which degree, which precision, and which of the numbers found are kept.

   The degree grows until the error is small, or grows again: beyond some degree a projection of a generator
   that is not normal has modes that L does not have (their left side shows it: its defect is huge), so a
   larger degree is not safer. Of all degrees the one with the smallest error is kept. Precision is chosen by
   what rounding does to the matrix.

   The first degree is the linear noise approximation of the expansion in the system's size (N. G. van Kampen,
   Stochastic Processes in Physics and Chemistry (2007), chapter X); projection takes it to all orders.
*/
#include "kernel.h"
#include <cospin/solver/dense.h>
#include <cospin/solver/expansion.h>
#include <math.h>
#include <slepcblaslapack.h>

static const CospinKernelOps *const precisions[] = {&CospinKernelDouble, &CospinKernelLong,
                                                    &CospinKernelQuad};
enum { NUM_PRECISIONS = 3, FIRST_DEGREE = 3, USUAL_DEGREE = 6, LAST_DEGREE = 16, MAX_FUNCTIONS = 800 };

static const double largest_bound = 0.1;               /* of the size of a number */
static const double enough = 0.01, long_seconds = 0.1; /* of the tolerance, however cheap it is to go on */
static const double largest_rounding = 0.02;           /* of the tolerance */
static const double most_seconds = 100;                /* of one matrix */
static const double seconds_per_product[] = {1e-9, 5e-9, 2e-7};

struct CospinExpansion_ {
  MPI_Comm comm;
  CospinMoves generator;
  const CospinInterrupt *interrupt;
  CospinSymbolLabels labels;
  CospinCentre centre;
  double tolerance;
};

static const int *zeros(void)
{
  static const int label[COSPIN_MAX_COORDINATES] = {0};

  return label;
}

PetscErrorCode CospinExpansionCreate(MPI_Comm comm, CospinMoves generator, double tolerance,
                                     const CospinInterrupt *interrupt, CospinExpansion *expansion)
{
  CospinSymbol symbol;
  const char *why;
  PetscBool whole;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(expansion));
  (*expansion)->comm = comm;
  (*expansion)->generator = generator;
  (*expansion)->interrupt = interrupt;
  (*expansion)->tolerance = tolerance;
  PetscCall(CospinSymbolLabelsMake(generator, &(*expansion)->labels, &why));
  PetscCheck(!why, PETSC_COMM_SELF, PETSC_ERR_SUP, "No expansion: %s", why);
  PetscCall(CospinSymbolCreate(&(*expansion)->labels, generator, zeros(), &symbol, &whole));
  PetscCall(CospinCentreFind(symbol, &(*expansion)->centre));
  PetscCallMPI(MPI_Bcast(&(*expansion)->centre.gaussian, sizeof(CospinGaussian), MPI_BYTE, 0, comm));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionDestroy(CospinExpansion *expansion)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(*expansion));
  PetscFunctionReturn(0);
}

CospinOutcome CospinExpansionOutcome(CospinExpansion expansion)
{
  if (!expansion->centre.why) return COSPIN_GOOD;
  return expansion->centre.num_stable > 1 ? COSPIN_BISTABLE : COSPIN_UNSTABLE;
}

double CospinExpansionEdge(CospinExpansion expansion)
{
  return expansion->centre.num_stable ? expansion->centre.gaussian.edge : NAN;
}

PetscBool CospinExpandedIsGood(double size, double tolerance, const CospinExpanded *value)
{
  return (PetscBool)(value->error <= tolerance * size && value->bound <= largest_bound * size);
}

/* ---- Degrees ------------------------------------------------------------------------------------------- */

static double count_functions(int dimensions, int degree)
{
  double count = 1.0;

  for (int k = 1; k <= dimensions; k++) count *= (double)(degree - 1 + k) / k;
  return round(count);
}

/* Complex products of one matrix: nodes times (moves times functions times orders + functions^2 / 2). */
static double count_products(int dimensions, int moves, int degree)
{
  const double functions = count_functions(dimensions, degree);

  return pow(degree + 3, dimensions) * functions * (4.0 * moves + functions / 2);
}

/* A search through degrees. */
typedef struct {
  CospinExpansion expansion;
  CospinSymbol symbol, traced; /* traced: of the sector with a trace; NULL if this is it */
  const CospinKernelOps *ops;
  CospinKernel kernel, before; /* of the degree before; NULL: none */
  int degree, num;
  CospinExpanded *best, *last, *values;    /* [num] */
  double (*size_of)(double complex value); /* beside which its error counts */
  double best_error, error_before;
  int worse; /* degrees in a row that were */
} Search;

/* Makes what every rank has found the first rank's. */
static PetscErrorCode agree(MPI_Comm comm, double complex *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(value, 1, MPI_C_DOUBLE_COMPLEX, 0, comm));
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, comm));
  PetscFunctionReturn(0);
}

static double modulus_of(double complex value)
{
  return cabs(value);
}

static double rate_of(double complex value)
{
  return fabs(creal(value));
}

static PetscErrorCode create_search(CospinExpansion expansion, CospinSymbol symbol, int num,
                                    double (*size_of)(double complex), Search *search)
{
  PetscFunctionBeginUser;
  *search = (Search){
      .expansion = expansion, .symbol = symbol, .ops = precisions[0], .num = num, .size_of = size_of};
  search->best_error = search->error_before = INFINITY;
  PetscCall(PetscMalloc3((size_t)num + 1, &search->best, (size_t)num + 1, &search->last, (size_t)num + 1,
                         &search->values));
  for (int k = 0; k < num; k++)
    search->best[k] = search->last[k] = (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, 0, 0};
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_search(Search *search)
{
  PetscFunctionBeginUser;
  PetscCall(search->ops->Destroy(&search->before));
  PetscCall(search->ops->Destroy(&search->kernel));
  PetscCall(PetscFree3(search->best, search->last, search->values));
  PetscFunctionReturn(0);
}

static double seconds_of(const Search *search, int degree)
{
  const int dimensions = search->symbol->labels.num_free + search->symbol->labels.num_populations;
  int p = 0;

  while (precisions[p] != search->ops) p++;
  return seconds_per_product[p] * count_products(dimensions, search->symbol->count, degree);
}

/* The next degree, in more precision if the last matrix has lost too much beside `scale`. */
static PetscErrorCode next_kernel(Search *search, double scale, PetscBool *done)
{
  const CospinExpansion expansion = search->expansion;
  const int dimensions = search->symbol->labels.num_free + search->symbol->labels.num_populations;
  int p = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinInterruptCheck(expansion->interrupt));
  while (precisions[p] != search->ops) p++;
  PetscCall(search->ops->Destroy(&search->before));
  if (search->kernel &&
      search->ops->Rounding(search->kernel) > largest_rounding * expansion->tolerance * scale &&
      p + 1 < NUM_PRECISIONS) {
    PetscCall(search->ops->Destroy(&search->kernel));
    search->ops = precisions[p + 1];
    search->degree = 0;
  }
  search->before = search->kernel;
  search->kernel = NULL;
  search->degree = search->degree ? search->degree + 1 : FIRST_DEGREE;
  *done = (PetscBool)(search->degree > LAST_DEGREE ||
                      count_functions(dimensions, search->degree) > MAX_FUNCTIONS ||
                      seconds_of(search, search->degree) > most_seconds);
  if (!*done)
    PetscCall(search->ops->Create(expansion->comm, search->symbol, search->traced,
                                  &expansion->centre.gaussian, search->degree, expansion->interrupt,
                                  &search->kernel));
  PetscFunctionReturn(0);
}

/* Where the numbers of three degrees agree better than the certificate says, their changes are the error (the
   last one is about that of the degree before), but not below the square of the bound: that is what is left
   where both sides are as wrong as the left one. Without it two changes that are small by chance, where the
   series begins to diverge, would do. */
static void use_change(double size, CospinExpanded *value, const CospinExpanded *last)
{
  double error;

  value->change = cabs(value->value - last->value);
  if (isnan(last->change) || isnan(value->change) || !(size > 0)) return;
  error = fmax(fmax(value->change, last->change), value->bound * value->bound / size);
  if (error < value->error) value->error = error;
}

/* The largest error beside its number; infinity: one is missing. */
static double worst_error(const Search *search)
{
  double worst = 0.0;

  for (int k = 0; k < search->num; k++) {
    const double size = search->size_of(search->values[k].value);
    if (!isfinite(search->values[k].error)) return INFINITY;
    if (size > 0) worst = fmax(worst, search->values[k].error / size);
  }
  return worst;
}

/* Whether errors fall too slowly for the degrees that can be afforded. */
static PetscBool is_hopeless(const Search *search, double error)
{
  const double tolerance = search->expansion->tolerance, gain = search->error_before / error;
  int degree = search->degree;

  if (!(search->error_before < INFINITY) || seconds_of(search, degree + 1) <= long_seconds)
    return PETSC_FALSE;
  while (degree < LAST_DEGREE && seconds_of(search, degree + 1) <= most_seconds) degree++;
  return (PetscBool)(error > tolerance * pow(fmax(1.5, gain), degree - search->degree));
}

/* Keeps the numbers of this degree if they are the best; *done: no other will be better by much. */
static void judge(Search *search, PetscBool found, PetscBool *done)
{
  double error;

  const double tolerance = search->expansion->tolerance, next = seconds_of(search, search->degree + 1);

  for (int k = 0; k < search->num; k++)
    use_change(search->size_of(search->values[k].value), &search->values[k], &search->last[k]);
  error = found ? worst_error(search) : INFINITY;
  if (!search->before) {
    search->worse = 0;
  } else if (error < search->best_error) {
    for (int k = 0; k < search->num; k++) search->best[k] = search->values[k];
    search->best_error = error;
    search->worse = 0;
  } else {
    search->worse++;
  }
  for (int k = 0; k < search->num; k++) search->last[k] = search->values[k];
  *done = (PetscBool)(search->best_error <= enough * tolerance || search->worse > 2 ||
                      (search->best_error <= tolerance && next > long_seconds) ||
                      is_hopeless(search, search->best_error));
  search->error_before = search->best_error;
}

/* ---- Expectation values -------------------------------------------------------------------------------- */

static PetscErrorCode expect(Search *search, CospinSymbol symbol, double rounding, CospinExpanded *value,
                             PetscBool *ok)
{
  CospinCertificate certificate = {NAN, NAN};
  double outside;

  PetscFunctionBeginUser;
  *value =
      (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, search->degree, search->ops->Size(search->kernel)};
  PetscCall(search->ops->Expect(search->kernel, symbol, &value->value, ok));
  PetscCall(agree(search->expansion->comm, &value->value, ok));
  if (!*ok) PetscFunctionReturn(0);
  PetscCall(
      search->ops->Certify(search->kernel, symbol, value->value, search->before, &certificate, &outside));
  value->bound = certificate.bound;
  value->error = certificate.product + rounding * cabs(value->value);
  PetscFunctionReturn(0);
}

static PetscErrorCode expect_all(Search *search, const CospinSymbol symbols[], PetscBool *found)
{
  const double rounding =
      search->ops->Rounding(search->kernel) / fabs(search->expansion->centre.gaussian.growth);
  double complex none = 0.0;
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(search->ops->Steady(search->kernel, found));
  PetscCall(agree(search->expansion->comm, &none, found));
  for (int k = 0; k < search->num && *found; k++) {
    PetscCall(expect(search, symbols[k], rounding, &search->values[k], &ok));
    if (!ok) *found = PETSC_FALSE;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionExpect(CospinExpansion expansion, int num, const CospinMoves moves[],
                                     CospinExpanded values[], CospinOutcome *outcome)
{
  const double scale = fabs(expansion->centre.gaussian.growth);
  CospinSymbol symbol, *symbols;
  PetscBool whole, found, done = PETSC_FALSE;
  Search search;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator, zeros(), &symbol, &whole));
  PetscCall(PetscMalloc1((size_t)num + 1, &symbols));
  for (int k = 0; k < num; k++) /* what leaves the sector contributes nothing */
    PetscCall(CospinSymbolCreate(&expansion->labels, moves[k], zeros(), &symbols[k], &whole));
  PetscCall(create_search(expansion, symbol, num, modulus_of, &search));
  while (!done) {
    PetscCall(next_kernel(&search, scale, &done));
    if (done) break;
    PetscCall(expect_all(&search, symbols, &found));
    judge(&search, found, &done);
  }
  for (int k = 0; k < num; k++) values[k] = search.best[k];
  *outcome = isfinite(search.best_error) ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscCall(destroy_search(&search));
  for (int k = 0; k < num; k++) PetscCall(CospinSymbolDestroy(&symbols[k]));
  PetscCall(PetscFree(symbols));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* ---- Counting ------------------------------------------------------------------------------------------ */

/* The variance has no defect of its own: its bound is that of the mean, its error what degrees differ by. */
static PetscErrorCode count_once(Search *search, CospinSymbol jumps, PetscBool *found)
{
  const double rounding =
      search->ops->Rounding(search->kernel) / fabs(search->expansion->centre.gaussian.growth);
  CospinExpanded *mean = &search->values[0], *variance = &search->values[1];
  double complex second = 0.0;

  PetscFunctionBeginUser;
  PetscCall(search->ops->Steady(search->kernel, found));
  PetscCall(agree(search->expansion->comm, &second, found));
  if (*found) PetscCall(expect(search, jumps, rounding, mean, found));
  if (!*found) PetscFunctionReturn(0);
  PetscCall(search->ops->Second(search->kernel, jumps, mean->value, &second));
  PetscCall(agree(search->expansion->comm, &second, found));
  *variance = *mean;
  variance->value = mean->value - 2 * second;
  variance->bound = mean->bound * cabs(variance->value / mean->value);
  variance->error = INFINITY;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinExpansionCount(CospinExpansion expansion, CospinMoves moves, CospinExpanded values[],
                                    CospinOutcome *outcome)
{
  const double scale = fabs(expansion->centre.gaussian.growth);
  CospinSymbol symbol, jumps;
  PetscBool whole, found, done;
  Search search;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator, zeros(), &symbol, &whole));
  PetscCall(CospinSymbolCreate(&expansion->labels, moves, zeros(), &jumps, &whole));
  PetscCall(create_search(expansion, symbol, 2, modulus_of, &search));
  done = (PetscBool)!whole; /* two jumps may lead back */
  while (!done) {
    PetscCall(next_kernel(&search, scale, &done));
    if (done) break;
    PetscCall(count_once(&search, jumps, &found));
    judge(&search, found, &done);
  }
  for (int k = 0; k < 2; k++) values[k] = search.best[k];
  *outcome = isfinite(search.best_error) ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscCall(destroy_search(&search));
  PetscCall(CospinSymbolDestroy(&jumps));
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

/* ---- Eigenvalues --------------------------------------------------------------------------------------- */

/* values[n - first] of M without its first rows and columns, slowest first; *ok: LAPACK has found them. */
static PetscErrorCode list_eigenvalues(const CospinKernelOps *ops, CospinKernel kernel, int first,
                                       double complex values[], PetscBool *ok)
{
  const int full = ops->Size(kernel), n = full - first;
  const size_t num = (size_t)n, rows = (size_t)full, skipped = (size_t)first;
  double complex *matrix, *kept;
  PetscScalar none[1], *work;
  PetscReal *reals;
  PetscBLASInt size, info, one = 1, work_size;
  double *errors;
  int *order;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(n, &size));
  PetscCall(PetscBLASIntCast(8 * n, &work_size));
  PetscCall(PetscMalloc3(rows * rows, &matrix, num, &kept, 8 * num, &work));
  PetscCall(PetscMalloc3(2 * num, &reals, num, &errors, num, &order));
  ops->Matrix(kernel, matrix);
  for (size_t l = 0; l < num && first; l++)
    for (size_t k = 0; k < num; k++) matrix[k + num * l] = matrix[k + skipped + rows * (l + skipped)];
  *ok = PETSC_TRUE;
  for (size_t k = 0; k < num * num; k++)
    if (!isfinite(creal(matrix[k])) || !isfinite(cimag(matrix[k]))) *ok = PETSC_FALSE;
  info = 1;
  if (*ok)
    LAPACKgeev_("N", "N", &size, matrix, &size, kept, none, &one, none, &one, work, &work_size, reals, &info);
  *ok = (PetscBool)(*ok && info == 0);
  for (int k = 0; k < n; k++) errors[k] = 1e-9 * cabs(kept[k]);
  if (*ok) PetscCall(CospinOrderSlowest(n, kept, errors, order));
  for (int k = 0; k < n && *ok; k++) values[k] = kept[order[k]];
  PetscCall(PetscFree3(reals, errors, order));
  PetscCall(PetscFree3(matrix, kept, work));
  PetscFunctionReturn(0);
}

/* One eigenvalue, its vectors at this degree and at the one before. */
static PetscErrorCode certify_mode(Search *search, double complex guess, CospinExpanded *mode, PetscBool *ok)
{
  const CospinKernelOps *ops = search->ops;
  CospinCertificate certificate = {NAN, NAN};
  double complex before;
  PetscBool before_ok = PETSC_FALSE;
  double outside;

  PetscFunctionBeginUser;
  *mode = (CospinExpanded){guess, NAN, NAN, NAN, search->degree, ops->Size(search->kernel)};
  PetscCall(ops->Eigen(search->kernel, &mode->value, ok));
  PetscCall(agree(search->expansion->comm, &mode->value, ok));
  if (!*ok) PetscFunctionReturn(0);
  before = mode->value;
  if (search->before) PetscCall(ops->Eigen(search->before, &before, &before_ok));
  PetscCall(agree(search->expansion->comm, &before, &before_ok));
  PetscCall(ops->Certify(search->kernel, NULL, mode->value, before_ok ? search->before : NULL, &certificate,
                         &outside));
  mode->bound = certificate.bound;
  mode->error = certificate.product + ops->Rounding(search->kernel);
  PetscFunctionReturn(0);
}

/* scale: the slowest of them, for what rounding does. A mode that grows is none of L's. */
static PetscErrorCode find_modes(Search *search, int first, PetscBool *found, double *scale)
{
  const int n = search->ops->Size(search->kernel) - first;
  double complex *eigenvalues;

  PetscFunctionBeginUser;
  *scale = INFINITY;
  PetscCall(PetscMalloc1((size_t)n, &eigenvalues));
  PetscCall(list_eigenvalues(search->ops, search->kernel, first, eigenvalues, found));
  PetscCallMPI(MPI_Bcast(eigenvalues, n, MPI_C_DOUBLE_COMPLEX, 0, search->expansion->comm));
  PetscCallMPI(MPI_Bcast(found, 1, MPIU_BOOL, 0, search->expansion->comm));
  if (n < search->num) *found = PETSC_FALSE;
  for (int k = 0; k < search->num; k++) {
    search->values[k] = (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, search->degree, n + first};
    if (!*found) continue;
    PetscCall(certify_mode(search, eigenvalues[k], &search->values[k], found));
    *scale = fmin(*scale, fabs(creal(search->values[k].value)));
    if (creal(search->values[k].value) > search->values[k].error) *found = PETSC_FALSE;
  }
  PetscCall(PetscFree(eigenvalues));
  PetscFunctionReturn(0);
}

static PetscBool is_neutral(CospinSymbol symbol)
{
  for (int c = 0; c < symbol->labels.num_coherences; c++)
    if (fabs(symbol->offset[c]) > 1e-9) return PETSC_FALSE;
  return PETSC_TRUE;
}

PetscErrorCode CospinExpansionSlowest(CospinExpansion expansion, const int representative[], int count,
                                      CospinExpanded values[], CospinOutcome *outcome)
{
  CospinSymbol symbol, traced;
  PetscBool whole, found, done = PETSC_FALSE;
  Search search;
  double scale = INFINITY;
  int first = 1;

  PetscFunctionBeginUser;
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator,
                               representative ? representative : zeros(), &symbol, &whole));
  if (!is_neutral(symbol)) first = 0; /* no trace there */
  PetscCall(create_search(expansion, symbol, count, rate_of, &search));
  PetscCall(CospinSymbolCreate(&expansion->labels, expansion->generator, zeros(), &traced, &whole));
  if (!first) search.traced = traced;
  while (!done) {
    PetscCall(next_kernel(&search, scale, &done));
    if (done) break;
    PetscCall(find_modes(&search, first, &found, &scale));
    judge(&search, found, &done);
  }
  for (int k = 0; k < count; k++) values[k] = search.best[k];
  *outcome = isfinite(search.best_error) ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
  PetscCall(destroy_search(&search));
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
  PetscCall(CospinSymbolCreate(&labels, generator, representative, &symbol, &whole));
  *neutral = is_neutral(symbol);
  PetscCall(CospinSymbolDestroy(&symbol));
  PetscFunctionReturn(0);
}

void CospinExpansionCost(CospinMoves generator, int dimensions, int *degree, int *functions, double *bytes,
                         double *seconds)
{
  const double n = count_functions(dimensions, USUAL_DEGREE);

  *degree = USUAL_DEGREE;
  *functions = (int)PetscMin(n, 1e9);
  *bytes = 4 * 16.0 * n * n;
  *seconds = 2 * seconds_per_product[0] * count_products(dimensions, generator->count, USUAL_DEGREE);
}
