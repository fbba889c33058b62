/*
   purity   Tr rho^2, and entropy  -Tr rho ln rho. A block that stands for d copies holds rho_j (x) 1/d, so
   that

     Tr rho^2 = sum_j Tr(rho_j^2)/d_j,    -Tr rho ln rho = sum_j (-Tr rho_j ln rho_j + ln d_j Tr rho_j)
*/
#include <cospin/observable/functional.h>
#include <math.h>

/* Neither has arguments, nor operators to be read: both are of the elements. */
static PetscErrorCode Prepare(CospinProblem problem, const CospinArgument arguments[],
                              CospinFunctional functional, char why[], size_t why_size)
{
  PetscFunctionBeginUser;
  (void)problem;
  (void)arguments;
  (void)functional;
  (void)why;
  (void)why_size;
  PetscFunctionReturn(0);
}

/* No eigenvalues are needed, so that it is there whatever the size of the state. */
static PetscErrorCode EvaluatePurity(CospinFunctional functional, const double complex moments[],
                                     CospinDensity density, double *value)
{
  PetscFunctionBeginUser;
  (void)functional;
  (void)moments;
  *value = density->purity;
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateEntropy(CospinFunctional functional, const double complex moments[],
                                      CospinDensity density, double *value)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  (void)functional;
  (void)moments;
  PetscCall(CospinDensityDiagonalise(density, &ok));
  *value = ok ? 0.0 : (double)INFINITY;
  for (int b = 0; b < density->num_blocks && ok; b++) {
    const CospinDensityBlock *block = &density->blocks[b];
    for (int i = 0; i < block->size; i++)
      if (block->values[i] > 0) *value += block->values[i] * (block->log_copies - log(block->values[i]));
  }
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalPurity = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "Tr rho^2",
    .Prepare = Prepare,
    .Evaluate = EvaluatePurity,
};
const CospinFunctionalKind CospinFunctionalEntropy = {
    .needs = COSPIN_NEEDS_STATE,
    .help = "-Tr rho ln rho",
    .Prepare = Prepare,
    .Evaluate = EvaluateEntropy,
};
