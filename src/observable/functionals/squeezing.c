/*
   Squeezing of a collective spin of length N/2 across its mean direction n: lambda is the least variance of
   the spin's components that are perpendicular to n, the smaller eigenvalue of their covariance matrix.

     squeezing  xi_S^2 = 4 lambda/N            M. Kitagawa, M. Ueda, PRA 47, 5138 (1993)
     wineland   xi_R^2 = N lambda/|<S>|^2      D. J. Wineland et al., PRA 50, 67 (1994)

   N being twice the length (of atoms of spin s: 2 s for each). Both are 1 in a coherent state. Where the mean
   spin vanishes neither has a value.
*/
#include <cospin/observable/functional.h>
#include <math.h>

enum { NUM_MOMENTS = 9 }; /* <S_a>, then <S_a S_b> for a <= b */

static const double least_length = 1e-9; /* of the mean spin, in units of N */

/* Nine expectation values: three means, six symmetrised products. */
static PetscErrorCode Prepare(CospinProblem problem, const CospinArgument arguments[],
                              CospinFunctional functional, char why[], size_t why_size)
{
  CospinPolynomial spin[3], product;

  PetscFunctionBeginUser;
  PetscCall(CospinFunctionalSpin(problem, arguments[0].name, functional, spin, why, why_size));
  if (why[0]) PetscFunctionReturn(0);
  functional->number = 2 * functional->component->kind->Length(functional->component);
  for (int a = 0; a < 3; a++) PetscCall(CospinFunctionalAdd(functional, spin[a]));
  for (int a = 0; a < 3; a++) {
    for (int b = a; b < 3; b++) {
      PetscCall(CospinPolynomialMultiply(spin[a], spin[b], &product));
      PetscCall(CospinFunctionalAdd(functional, product));
    }
  }
  PetscFunctionReturn(0);
}

/* Two unit vectors perpendicular to n and to each other. */
static void perpendicular(const double n[3], double e[2][3])
{
  int a = 0; /* the axis farthest from n */
  double size = 0.0;

  for (int k = 1; k < 3; k++)
    if (fabs(n[k]) < fabs(n[a])) a = k;
  for (int k = 0; k < 3; k++) e[0][k] = (k == a ? 1.0 : 0.0) - n[a] * n[k];
  for (int k = 0; k < 3; k++) size += e[0][k] * e[0][k];
  for (int k = 0; k < 3; k++) e[0][k] /= sqrt(size);
  for (int k = 0; k < 3; k++)
    e[1][k] = n[(k + 1) % 3] * e[0][(k + 2) % 3] - n[(k + 2) % 3] * e[0][(k + 1) % 3];
}

/* Least variance across the mean spin, whose length is set; there <S_e> = 0. */
static double least_variance(const double complex moments[], double *length, double spins)
{
  const double complex *second = moments + 3;
  double n[3], e[2][3], square[3][3], c[2][2] = {{0}};

  for (int a = 0; a < 3; a++) n[a] = creal(moments[a]);
  *length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  if (!(*length > least_length * spins)) return NAN;
  for (int a = 0; a < 3; a++) {
    n[a] /= *length;
    for (int b = a; b < 3; b++) square[a][b] = square[b][a] = creal(*second++);
  }
  perpendicular(n, e);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      for (int ab = 0; ab < 9; ab++) c[i][j] += e[i][ab / 3] * square[ab / 3][ab % 3] * e[j][ab % 3];
  return 0.5 * (c[0][0] + c[1][1]) - hypot(0.5 * (c[0][0] - c[1][1]), c[0][1]);
}

static PetscErrorCode EvaluateKitagawa(CospinFunctional functional, const double complex moments[],
                                       CospinDensity density, double *value)
{
  double length;

  PetscFunctionBeginUser;
  (void)density;
  *value = 4 * least_variance(moments, &length, functional->number) / functional->number;
  PetscFunctionReturn(0);
}

static PetscErrorCode EvaluateWineland(CospinFunctional functional, const double complex moments[],
                                       CospinDensity density, double *value)
{
  double length, variance;

  PetscFunctionBeginUser;
  (void)density;
  variance = least_variance(moments, &length, functional->number);
  *value = functional->number * variance / (length * length);
  PetscFunctionReturn(0);
}

const CospinFunctionalKind CospinFunctionalSqueezing = {
    .needs = COSPIN_NEEDS_MOMENTS,
    .help = "squeezing of a spin, xi_S^2 of Kitagawa and Ueda",
    .Prepare = Prepare,
    .Evaluate = EvaluateKitagawa,
};
const CospinFunctionalKind CospinFunctionalWineland = {
    .needs = COSPIN_NEEDS_MOMENTS,
    .help = "squeezing of a spin, xi_R^2 of Wineland",
    .Prepare = Prepare,
    .Evaluate = EvaluateWineland,
};
