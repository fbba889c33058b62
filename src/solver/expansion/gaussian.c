/*
   The Gaussian that a state is around a stable point, in the leading order of large systems.

   rho is exp(-(1/2) xi.S.xi) there, and S obeys the stationary Riccati equation

     A + B S + S B^T + S D S = 0,   A = d2H/dy2 (0 among populations), B_ab = d drift_b/dy_a,
                                    D = sum shift shift^T amplitude

   solved by the eigenvectors (V1; V2) of ((B^T, D), (-A, -B)) with positive real part, S = V2 V1^-1.
*/
#include "reach.h"
#include <cospin/solver/dense.h>
#include <math.h>
#include <slepcblaslapack.h>

/* A rate below this share of the largest is a neutral direction, in which there is no Gaussian. */
static const double smallest_rate = 1e-9;
static const CospinReachStep difference = {2e-3, 0.02}; /* of second order: rounding is epsilon/step^2 */

/* Labels y = (d, p): scaled by the roots of what they can be, so that all matrices are of one size. a:
   second derivatives of H by four-point differences, symmetric; among populations alone it is zero
   exactly, since L^T 1 = 0 at d = 0 whatever the populations are, and rounding is not let in. b[i,j] = d
   drift_j/dy_i. */
static void get_matrices(const CospinReach *reach, const double z[], const double complex theta[],
                         double complex a[], double complex b[], double complex diffusion[])
{
  const int nd = reach->num_free, n = reach->size;
  double d[COSPIN_MAX_FREE] = {0}, p[COSPIN_MAX_POPULATIONS], step[COSPIN_MAX_LABELS];
  double complex h, drift[2][COSPIN_MAX_LABELS];

  for (int k = 0; k < reach->num_populations; k++) p[k] = z[k];
  for (int k = 0; k < n; k++)
    step[k] = CospinReachDifference(reach, z, CospinReachOfLabel(reach, k), difference);
  CospinSymbolEvaluate(reach->symbol, d, p, theta, &h, drift[0], diffusion);
  for (int i = 0; i < n; i++) {
    double *at_i = i < nd ? &d[i] : &p[i - nd];
    const double kept = *at_i;
    for (int sign = 0; sign < 2; sign++) {
      *at_i = kept + (sign ? -step[i] : step[i]);
      CospinSymbolEvaluate(reach->symbol, d, p, theta, &h, drift[sign], NULL);
    }
    *at_i = kept;
    for (int j = 0; j < n; j++) b[i + n * j] = (drift[0][j] - drift[1][j]) / (2 * step[i]);
    for (int j = 0; j <= i; j++) {
      double *at_j = j < nd ? &d[j] : &p[j - nd];
      double complex sum = 0.0;
      for (int s = 0; s < 4; s++) {
        const double kept_j = *at_j;
        *at_i += s & 1 ? -step[i] : step[i];
        *at_j += s & 2 ? -step[j] : step[j];
        CospinSymbolEvaluate(reach->symbol, d, p, theta, &h, NULL, NULL);
        sum += (s == 0 || s == 3 ? 1 : -1) * h;
        *at_j = kept_j;
        *at_i = kept;
      }
      a[i + n * j] = a[j + n * i] = i >= nd && j >= nd ? 0.0 : sum / (4 * step[i] * step[j]);
    }
  }
}

/* S of the Riccati equation, s[n*n]; false: an eigenvalue has no real part. Method: the graph of S is the
   invariant subspace of a Hamiltonian matrix, whose eigenvalues come in pairs +-lambda (J. E. Potter, J.
   SIAM Appl. Math. 14, 496 (1966)). Those with a positive real part are the linearised rates of decay;
   exactly n of them must be there, else some direction neither decays nor grows and the state has no width
   in it. */
static PetscErrorCode solve_riccati(int n, const double complex a[], const double complex b[],
                                    const double complex diffusion[], double complex s[], PetscBool *ok)
{
  PetscScalar h[4 * COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      vectors[4 * COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], values[2 * COSPIN_MAX_LABELS], none[1],
      work[16 * COSPIN_MAX_LABELS], v1[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      v2[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS];
  PetscReal reals[4 * COSPIN_MAX_LABELS];
  PetscBLASInt size = (PetscBLASInt)(2 * n), half = (PetscBLASInt)n, one = 1,
               work_size = 16 * COSPIN_MAX_LABELS, info, pivots[COSPIN_MAX_LABELS];
  double largest = 0.0;
  int kept = 0;

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      h[i + 2 * n * j] = b[j + n * i];
      h[i + 2 * n * (j + n)] = diffusion[i + n * j];
      h[i + n + 2 * n * j] = -a[i + n * j];
      h[i + n + 2 * n * (j + n)] = -b[i + n * j];
    }
  *ok = PETSC_FALSE;
  for (int k = 0; k < 4 * n * n; k++)
    if (!isfinite(creal(h[k])) || !isfinite(cimag(h[k]))) PetscFunctionReturn(0);
  LAPACKgeev_("N", "V", &size, h, &size, values, none, &one, vectors, &size, work, &work_size, reals, &info);
  *ok = (PetscBool)(info == 0);
  for (int k = 0; k < 2 * n && *ok; k++) largest = fmax(largest, cabs(values[k]));
  for (int k = 0; k < 2 * n && *ok; k++) {
    if (creal(values[k]) <= smallest_rate * largest) continue;
    for (int i = 0; i < n && kept < n; i++) { /* S V1 = V2 as V1^T S = V2^T, S being symmetric */
      v1[kept + n * i] = vectors[i + 2 * n * k];
      v2[kept + n * i] = vectors[i + n + 2 * n * k];
    }
    kept++;
  }
  if (kept != n) *ok = PETSC_FALSE;
  if (!*ok) PetscFunctionReturn(0);
  LAPACKgesv_(&half, &half, v1, &half, pivots, v2, &half, &info);
  *ok = (PetscBool)(info == 0);
  for (int i = 0; i < n; i++)
    /* S is symmetric in exact arithmetic; both halves are averaged so that it is in ours. */
    for (int j = 0; j < n; j++) s[i + n * j] = 0.5 * (v2[i + n * j] + v2[j + n * i]);
  PetscFunctionReturn(0);
}

/* lower[stride*i + j]: a = lower lower^T; false: not positive. */
static PetscBool cholesky(int n, const double a[], int stride, double lower[])
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++) {
      double rest = a[i + n * j];
      for (int k = 0; k < j; k++) rest -= lower[stride * i + k] * lower[stride * j + k];
      if (i == j && !(rest > 0)) return PETSC_FALSE;
      lower[stride * i + j] = i == j ? sqrt(rest) : rest / lower[stride * j + j];
    }
  return PETSC_TRUE;
}

/* inverse of a symmetric positive matrix by its factor */
static PetscBool invert(int n, const double a[], double inverse[])
{
  double lower[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS] = {0}, y[COSPIN_MAX_POPULATIONS];

  if (!cholesky(n, a, n, lower)) return PETSC_FALSE;
  for (int c = 0; c < n; c++) {
    for (int i = 0; i < n; i++) {
      y[i] = i == c;
      for (int k = 0; k < i; k++) y[i] -= lower[n * i + k] * y[k];
      y[i] /= lower[n * i + i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) y[i] -= lower[n * k + i] * inverse[k + n * c];
      inverse[i + n * c] = y[i] / lower[n * i + i];
    }
  }
  return PETSC_TRUE;
}

/* S is real among coherences and among populations and imaginary between them, since p(-d) = p(d)^*: a
   population that drifts with the phase. The real parts must be positive for p to be summable. Coherences
   are scaled by their exponent, populations by their covariance, as the kernel's nodes want them. */
static PetscBool factor_gaussian(int nd, int np, const double complex s[], CospinGaussian *gaussian)
{
  const int n = nd + np;
  double dd[COSPIN_MAX_FREE * COSPIN_MAX_FREE], pp[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS],
      covariance[COSPIN_MAX_POPULATIONS * COSPIN_MAX_POPULATIONS];

  for (int i = 0; i < nd; i++)
    for (int j = 0; j < nd; j++) dd[i + nd * j] = creal(s[i + n * j]);
  for (int i = 0; i < np; i++)
    for (int j = 0; j < np; j++) pp[i + np * j] = creal(s[nd + i + n * (nd + j)]);
  for (int i = 0; i < nd; i++)
    for (int j = 0; j < np; j++) gaussian->s_dp[i][j] = s[i + n * (nd + j)];
  return (PetscBool)(cholesky(nd, dd, COSPIN_MAX_FREE, gaussian->c[0]) && invert(np, pp, covariance) &&
                     cholesky(np, covariance, COSPIN_MAX_POPULATIONS, gaussian->l[0]));
}

/* Labels are scaled by the roots of their reach before eigenvectors are asked for: standard deviations are
   of the size sqrt(N), so S becomes a matrix of numbers of the size of one, and back at the end. */
PetscErrorCode CospinGaussianFind(const CospinReach *reach, const double z[], CospinCentre *centre)
{
  const int nd = reach->num_free, np = reach->num_populations, n = reach->size;
  CospinGaussian *gaussian = &centre->gaussian;
  double complex a[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], b[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS],
      diffusion[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS], s[COSPIN_MAX_LABELS * COSPIN_MAX_LABELS];
  double root[COSPIN_MAX_LABELS];
  PetscBool ok;

  PetscFunctionBeginUser;
  for (int k = 0; k < np; k++) gaussian->p[k] = z[k];
  CospinReachTheta(reach, z, gaussian->theta);
  get_matrices(reach, z, gaussian->theta, a, b, diffusion);
  for (int k = 0; k < n; k++) root[k] = sqrt(CospinReachScale(reach, z, CospinReachOfLabel(reach, k)));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      a[i + n * j] *= root[i] * root[j];
      b[i + n * j] *= root[i] / root[j];
      diffusion[i + n * j] /= root[i] * root[j];
    }
  PetscCall(solve_riccati(n, a, b, diffusion, s, &ok));
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n && ok; j++) s[i + n * j] /= root[i] * root[j];
  centre->has_gaussian = (PetscBool)(ok && factor_gaussian(nd, np, s, gaussian));
  gaussian->edge = centre->has_gaussian ? CospinReachEdge(reach, gaussian->p, gaussian) : NAN;
  PetscFunctionReturn(0);
}
