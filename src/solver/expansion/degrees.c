/*
   Which degree, which precision, and which of the numbers found are kept.

   The degree grows until the error is small, or grows again: beyond some degree a projection of a generator
   that is not normal has modes that L does not have (their left side shows it: its defect is huge), so a
   larger degree is not safer. Of all degrees the one with the smallest error is kept. Precision is chosen by
   what rounding does to the matrix.
*/
#include "degrees.h"
#include <math.h>

static const CospinKernelOps *const precisions[] = {&CospinKernelDouble, &CospinKernelLong,
                                                    &CospinKernelQuad};
enum { NUM_PRECISIONS = 3, FIRST_DEGREE = 3, LAST_DEGREE = 16, MAX_FUNCTIONS = 800 };

static const double enough = 0.01, long_seconds = 0.1; /* of the tolerance, however cheap it is to go on */
static const double largest_rounding = 0.02;           /* of the tolerance */
static const double most_seconds = 30;                 /* of one matrix */
static const double seconds_per_product[] = {1e-9, 5e-9, 2e-7};

double CospinDegreesFunctions(int dimensions, int degree)
{
  double count = 1.0;

  for (int k = 1; k <= dimensions; k++) count *= (double)(degree - 1 + k) / k;
  return round(count);
}

/* Complex products of one matrix: nodes times (moves times functions times orders + functions^2 / 2). */
static double count_products(int dimensions, int moves, int degree)
{
  const double functions = CospinDegreesFunctions(dimensions, degree);

  return pow(degree + 3, dimensions) * functions * (4.0 * moves + functions / 2);
}

PetscErrorCode CospinDegreesAgree(MPI_Comm comm, double complex *value, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Bcast(value, 1, MPI_C_DOUBLE_COMPLEX, 0, comm));
  PetscCallMPI(MPI_Bcast(ok, 1, MPIU_BOOL, 0, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDegreesCreate(CospinExpansion expansion, CospinSymbol symbol, int num,
                                   double (*size_of)(double complex), CospinDegrees *search)
{
  PetscFunctionBeginUser;
  *search = (CospinDegrees){
      .expansion = expansion, .symbol = symbol, .ops = precisions[0], .num = num, .size_of = size_of};
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

PetscErrorCode CospinDegreesNext(CospinDegrees *search, double scale, PetscBool *done)
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
                      CospinDegreesFunctions(dimensions, search->degree) > MAX_FUNCTIONS ||
                      seconds_of(search, search->degree) > most_seconds);
  if (!*done)
    PetscCall(search->ops->Create(expansion->comm, search->symbol, search->traced,
                                  &expansion->centre.gaussian, search->degree, expansion->interrupt,
                                  &search->kernel));
  PetscFunctionReturn(0);
}

/* Where the numbers of three degrees agree better than the certificate says, their changes are
   the error (the last one is about that of the degree before), but not below the square of the bound: that is
   what is left where both sides are as wrong as the left one. Without it two changes that are small by
   chance, where the series begins to diverge, would do. */
static void use_change(double size, CospinExpanded *value, const CospinExpanded *last)
{
  double error;

  value->change = cabs(value->value - last->value);
  if (isnan(last->change) || isnan(value->change) || !(size > 0)) return;
  error = fmax(fmax(value->change, last->change), value->bound * value->bound / size);
  if (error < value->error) value->error = error;
}

/* The largest error beside its number; infinity: one is missing. */
static double worst_error(const CospinDegrees *search)
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
static PetscBool is_hopeless(const CospinDegrees *search, double error)
{
  const double tolerance = search->expansion->tolerance, gain = search->error_before / error;
  int degree = search->degree;

  if (!(search->error_before < INFINITY) || seconds_of(search, degree + 1) <= long_seconds)
    return PETSC_FALSE;
  while (degree < LAST_DEGREE && seconds_of(search, degree + 1) <= most_seconds) degree++;
  return (PetscBool)(error > tolerance * pow(fmax(1.5, gain), degree - search->degree));
}

void CospinDegreesJudge(CospinDegrees *search, PetscBool found, PetscBool *done)
{
  const double tolerance = search->expansion->tolerance, next = seconds_of(search, search->degree + 1);
  double error;

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
