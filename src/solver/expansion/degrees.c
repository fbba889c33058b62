/*
   Which degree, which precision, and which of the numbers found are kept.

   The degree grows until the error is small, or grows again: beyond some degree a projection of a generator
   that is not normal has modes that L does not have (their left side shows it: its defect is huge), so a
   larger degree is not safer. Of all degrees the one with the smallest error is kept. Precision is chosen by
   what rounding does to the matrix.

   Why errors are compared and not degrees (measured with the prototype, ions with N = 100, charge 1): K =
   10 was off by 9e-5, 14 by 2e-7, 18 by 2e-10, and K = 22 had a spurious eigenvalue of +200. With exact
   sums over labels the spurious modes stay, so they come from the projection and not from the quadrature.
   The change from K-4 to K was the error of K-4 within a factor of two, which is what use_change builds
   on.
*/
#include "degrees.h"
#include "solver/binomial.h"
#include <cospin/solver/dense.h>
#include <math.h>
#include <slepcblaslapack.h>

/* All coordinates zero: no coherence anywhere, so it is in the sector that has a trace. */
const int CospinTracedLabel[COSPIN_MAX_COORDINATES] = {0};

static const CospinKernelOps *const precisions[] = {&CospinKernelDouble, &CospinKernelLong,
                                                    &CospinKernelQuad};
/* The matrix is dense and its eigenvalues cost the cube of the number of functions, hence a bound of that. */
enum { NUM_PRECISIONS = 3, FIRST_DEGREE = 3, LAST_DEGREE = 16, MAX_FUNCTIONS = 800 };

/* Errors are estimates within a factor of a few: a hundredth of the tolerance is asked for while a degree
   costs less than a tenth of a second, and the tolerance itself once it costs more. */
static const double enough = 0.01, long_seconds = 0.1; /* of the tolerance, however cheap it is to go on */
static const double largest_rounding = 0.02;           /* of the tolerance */
static const double most_seconds = 30;                 /* of one matrix */
static const double equal_rates = 1e-6; /* of the two eigenvalues of a pair, before they are refined */
/* On one core, in the order of `precisions`: double, long double, 34 digits in software. */
static const double seconds_per_product[] = {1e-9, 5e-9, 2e-7};

/* Polynomials of total degree < degree in so many variables: (degree - 1 + dimensions over dimensions). */
double CospinDegreesFunctions(int dimensions, int degree)
{
  return CospinBinomial(degree - 1 + dimensions, dimensions);
}

/* Those of a sparse grid: products of rules with i_a + 1 nodes have (m + 2 dim - 1 over m) for all i of sum
 * m. */
double CospinDegreesPoints(int dimensions, int nodes)
{
  double sparse = 0.0;

  for (int m = PetscMax(0, nodes - dimensions); m < nodes; m++)
    sparse += CospinBinomial(m + 2 * dimensions - 1, m);
  return fmin(sparse, pow(nodes, dimensions));
}

/* Complex products of one matrix: points times (moves times functions times orders + functions^2 / 2).
   degree + 3 nodes along each axis, the kernel's EXTRA_NODES: amplitudes are polynomials up to degree 7,
   and the product with two functions of degree - 1 has to be integrated exactly. */
static double count_products(int dimensions, int moves, int degree)
{
  const double functions = CospinDegreesFunctions(dimensions, degree);

  return CospinDegreesPoints(dimensions, degree + 3) * functions * (4.0 * moves + functions / 2);
}

/* Every rank solves with the same matrix, on processors that may round differently: without this one rank
   could go on to the next degree, whose matrix is collective, while another is content. */
PetscErrorCode CospinDegreesAgree(MPI_Comm comm, double complex *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(value, 1, MPI_C_DOUBLE_COMPLEX, 0, comm));
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDegreesCreate(CospinExpansion expansion, CospinSymbol symbol, int num,
                                   double (*size_of)(double complex), double scale, CospinDegrees *search)
{
  PetscFunctionBeginUser;
  *search = (CospinDegrees){.expansion = expansion,
                            .symbol = symbol,
                            .ops = precisions[0],
                            .num = num,
                            .size_of = size_of,
                            .scale = scale};
  search->best_error = search->error_before = INFINITY;
  PetscCall(PetscMalloc3((size_t)num + 1, &search->best, (size_t)num + 1, &search->last, (size_t)num + 1,
                         &search->values));
  for (int k = 0; k < num; k++)
    search->best[k] = search->last[k] = (CospinExpanded){CMPLX(NAN, NAN), NAN, NAN, NAN, 0, 0};
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDegreesDestroy(CospinDegrees *search)
{
  PetscFunctionBeginUser;
  PetscCall(search->ops->Destroy(&search->before));
  PetscCall(search->ops->Destroy(&search->kernel));
  PetscCall(PetscFree3(search->best, search->last, search->values));
  PetscFunctionReturn(0);
}

double CospinDegreesSeconds(int dimensions, int moves, int degree)
{
  return seconds_per_product[0] * count_products(dimensions, moves, degree);
}

static double seconds_of(const CospinDegrees *search, int degree)
{
  const int dimensions = search->symbol->labels.num_free + search->symbol->labels.num_populations;
  int p = 0;

  while (precisions[p] != search->ops) p++;
  return seconds_per_product[p] * count_products(dimensions, search->symbol->count, degree);
}

PetscErrorCode CospinDegreesAt(CospinDegrees *search, int degree)
{
  const CospinExpansion expansion = search->expansion;

  PetscFunctionBeginUser;
  search->degree = degree;
  PetscCall(search->ops->Create(expansion->comm, search->symbol, search->traced, &expansion->centre.gaussian,
                                degree, expansion->interrupt, &search->kernel));
  PetscFunctionReturn(0);
}

/* The kernel of the next degree, in more precision if the last matrix has lost too much beside the scale.
   *done: there is none. A precision that is too low is noticed on the matrix that it has made; the search
   then begins anew at the first degree, since kernels of two precisions cannot be compared. An eigenvalue
   of 1e-14 beside rates of one needs digits that the rates alone do not: hence the scale. */
static PetscErrorCode next_degree(CospinDegrees *search, PetscBool *done)
{
  const CospinExpansion expansion = search->expansion;
  const int dimensions = search->symbol->labels.num_free + search->symbol->labels.num_populations;
  int p = 0;

  PetscFunctionBeginUser;
  PetscCall(CospinInterruptCheck(expansion->interrupt));
  while (precisions[p] != search->ops) p++;
  PetscCall(search->ops->Destroy(&search->before));
  if (search->kernel &&
      search->ops->Rounding(search->kernel) > largest_rounding * expansion->tolerance * search->scale &&
      p + 1 < NUM_PRECISIONS) {
    PetscCall(search->ops->Destroy(&search->kernel));
    search->ops = precisions[p + 1];
    search->degree = 0;
  }
  search->before = search->kernel;
  search->kernel = NULL;
  search->degree = search->degree ? search->degree + 1 : FIRST_DEGREE;
  *done = (PetscBool)(search->degree > LAST_DEGREE ||
                      CospinDegreesFunctions(dimensions, search->degree) > MAX_FUNCTIONS ||
                      seconds_of(search, search->degree) > most_seconds);
  if (!*done) PetscCall(CospinDegreesAt(search, search->degree));
  PetscFunctionReturn(0);
}

/* Where the numbers of three degrees agree better than the certificate says, their changes are
   the error (the last one is about that of the degree before), but not below the square of the bound: that is
   what is left where both sides are as wrong as the left one. Without it two changes that are small by
   chance, where the series begins to diverge, would do. */
static void use_change(double size, double rounding, CospinExpanded *value, const CospinExpanded *last)
{
  double error;

  value->change = cabs(value->value - last->value);
  if (isnan(last->change) || isnan(value->change) || !(size > 0)) return;
  error = fmax(fmax(value->change, last->change), value->bound * value->bound / size) + rounding * size;
  if (error < value->error) value->error = error;
}

double CospinDegreesModulus(double complex value)
{
  return cabs(value);
}

/* What the error of the k-th number counts beside. */
static double size_beside(const CospinDegrees *search, int k)
{
  double size = search->size_of(search->values[k].value);

  for (int l = 0; l < search->num && search->together; l++)
    size = fmax(size, search->size_of(search->values[l].value));
  return size;
}

/* The largest error beside its number; infinity: one is missing. */
static double worst_error(const CospinDegrees *search)
{
  double worst = 0.0;

  for (int k = 0; k < search->num; k++) {
    const double size = size_beside(search, k);
    if (!isfinite(search->values[k].error)) return INFINITY;
    if (size > 0) worst = fmax(worst, search->values[k].error / size);
  }
  return worst;
}

/* Whether errors fall too slowly for the degrees that can be afforded. Extrapolates the last gain in error
   (never less than 1.5 a degree, so that one bad step does not end it) over the degrees that can still be
   afforded: many minutes of high degrees would otherwise end in the same outcome. */
static PetscBool is_hopeless(const CospinDegrees *search, double error)
{
  const double tolerance = search->expansion->tolerance, gain = search->error_before / error;
  int degree = search->degree;

  if (!(search->error_before < INFINITY) || seconds_of(search, degree + 1) <= long_seconds)
    return PETSC_FALSE;
  while (degree < LAST_DEGREE && seconds_of(search, degree + 1) <= most_seconds) degree++;
  return (PetscBool)(error > tolerance * pow(fmax(1.5, gain), degree - search->degree));
}

/* Keeps the numbers of this degree if they are the best; *done: no other will be better by much. The first
   degree has nothing to be compared with, so it can be neither the best nor worse. Three degrees without
   gain end the search, and not one: an error may rise once by chance. */
static void judge(CospinDegrees *search, PetscBool found, PetscBool *done)
{
  const double tolerance = search->expansion->tolerance, next = seconds_of(search, search->degree + 1);
  double error;

  for (int k = 0; k < search->num; k++)
    use_change(size_beside(search, k), search->rounding, &search->values[k], &search->last[k]);
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

/* Degree by degree: each is compared with the one before, and two changes in a row have to be small. */
static PetscErrorCode go_through_degrees(CospinDegrees *search, CospinDegreesFind find, void *context)
{
  PetscBool found, done = PETSC_FALSE;

  PetscFunctionBeginUser;
  while (!done) {
    PetscCall(next_degree(search, &done));
    if (done) break;
    PetscCall(find(search, context, &found));
    judge(search, found, &done);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDegreesSearch(CospinDegrees *search, CospinDegreesFind find, void *context)
{
  const PetscErrorCode code = go_through_degrees(search, find, context);

  PetscFunctionBeginUser;
  if (code) (void)CospinDegreesDestroy(search);
  PetscCall(code);
  PetscFunctionReturn(0);
}

CospinOutcome CospinDegreesTake(const CospinDegrees *search, CospinExpanded values[])
{
  for (int k = 0; k < search->num; k++) values[k] = search->best[k];
  return isfinite(search->best_error) ? COSPIN_GOOD : COSPIN_NOT_CONVERGED;
}

/* ---- Eigenvalues --------------------------------------------------------------------------------------- */

/* In double precision whatever the kernel has: these are starting values only, each of which is refined by
   two-sided iteration in the kernel's own precision (Eigen). first = 1 leaves out the function 1 with its
   eigenvalue zero, which M has by construction, so that it is not found again as a small number beside
   slow modes. */
PetscErrorCode CospinDegreesEigenvalues(const CospinDegrees *search, int first, double complex values[],
                                        PetscBool *ok)
{
  const CospinKernelOps *ops = search->ops;
  const CospinKernel kernel = search->kernel;
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
  /* Row by row and downwards, in place: what is read lies behind what is written. */
  for (size_t l = 0; l < num && first; l++)
    for (size_t k = 0; k < num; k++) matrix[k + num * l] = matrix[k + skipped + rows * (l + skipped)];
  *ok = PETSC_TRUE;
  /* LAPACK may not end on NaN, which appear where an amplitude's divisor vanishes at a node. */
  for (size_t k = 0; k < num * num; k++)
    if (!isfinite(creal(matrix[k])) || !isfinite(cimag(matrix[k]))) *ok = PETSC_FALSE;
  info = 1;
  if (*ok)
    LAPACKgeev_("N", "N", &size, matrix, &size, kept, none, &one, none, &one, work, &work_size, reals, &info);
  *ok = (PetscBool)(*ok && info == 0);
  for (int k = 0; k < n; k++) errors[k] = equal_rates * cabs(kept[k]);
  if (*ok) PetscCall(CospinOrderSlowest(n, kept, errors, order));
  for (int k = 0; k < n && *ok; k++) values[k] = kept[order[k]];
  PetscCall(PetscFree3(reals, errors, order));
  PetscCall(PetscFree3(matrix, kept, work));
  PetscCallMPI(MPI_Bcast(values, n, MPI_C_DOUBLE_COMPLEX, 0, search->expansion->comm));
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, search->expansion->comm));
  PetscFunctionReturn(0);
}
