/*
   The equations themselves: drift, diffusion and its factor (langevin.h has them written out).

   Numbers s of 3N components for each trajectory: x of all spins, then y, then z, twice the spin's
   components. A step costs a product of the 2N x 2N matrix `drift` with all trajectories at once (dgemm),
   the diffusion matrix is one for all trajectories, from their mean moments, and its factor is a Cholesky
   decomposition where it is positive.
*/
#include "langevin.h"
#include "real_blas.h"
#include <cospin/problem/hermitian.h>

PetscErrorCode CospinLangevinCreate(int size, CospinLangevin *equations)
{
  const size_t n = (size_t)size;
  CospinLangevin new;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  new->size = size;
  PetscCall(PetscCalloc4(n, &new->up, n, &new->down, n, &new->dephasing, n, &new->frequency));
  PetscCall(PetscCalloc3(n * n, &new->couple, n * n, &new->noise, 4 * n * n, &new->drift));
  *equations = new;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLangevinDestroy(CospinLangevin *equations)
{
  PetscFunctionBeginUser;
  if (!*equations) PetscFunctionReturn(0);
  PetscCall(PetscFree3((*equations)->couple, (*equations)->noise, (*equations)->drift));
  PetscCall(
      PetscFree4((*equations)->up, (*equations)->down, (*equations)->dephasing, (*equations)->frequency));
  PetscCall(PetscFree(*equations));
  PetscFunctionReturn(0);
}

/* Complex couplings as a real matrix on (x, y), so that one real product does all of it. */
void CospinLangevinFinish(CospinLangevin e)
{
  const int n = e->size;

  for (int b = 0; b < n; b++) {
    for (int a = 0; a < n; a++) {
      const double complex c = e->couple[n * b + a];
      double *x = &e->drift[2 * n * b], *y = &e->drift[2 * n * (n + b)];
      x[a] = creal(c);
      x[n + a] = cimag(c);
      y[a] = cimag(c);
      y[n + a] = -creal(c);
    }
  }
}

/* Decay of x and y of one spin: half of its rates, and dephasing. */
static double transverse(const struct CospinLangevin_ *e, int a)
{
  return (e->up[a] + e->down[a]) / 2 + 2 * e->dephasing[a];
}

/* The nonlinear part is z times what the other spins make at this one. */
void CospinLangevinDrift(CospinLangevin e, int count, const double s[], double f[], double work[])
{
  const int n = e->size;
  const PetscBLASInt rows = 2 * n, columns = count, stride = 3 * n;
  const double one = 1.0, zero = 0.0;

  dgemm_("N", "N", &rows, &columns, &rows, &one, e->drift, &rows, s, &stride, &zero, work, &rows);
  for (int k = 0; k < count; k++) {
    const double *x = &s[(size_t)(3 * n) * (size_t)k], *y = x + n, *z = y + n;
    const double *re = &work[(size_t)(2 * n) * (size_t)k], *im = re + n;
    double *fx = &f[(size_t)(3 * n) * (size_t)k], *fy = fx + n, *fz = fy + n;
    for (int a = 0; a < n; a++) {
      const double decay = transverse(e, a), delta = e->frequency[a];
      fx[a] = -decay * x[a] - delta * y[a] + z[a] * re[a];
      fy[a] = -decay * y[a] + delta * x[a] - z[a] * im[a];
      fz[a] = e->up[a] * (1 - z[a]) - e->down[a] * (1 + z[a]) - x[a] * re[a] + y[a] * im[a];
    }
  }
}

/* <s_i s_j> from the upper triangle */
static double moment(int n, const double second[], int i, int j)
{
  return i <= j ? second[(size_t)n * (size_t)j + (size_t)i] : second[(size_t)n * (size_t)i + (size_t)j];
}

/* The diffusion matrix is symmetric. */
static void set(int n, double matrix[], int i, int j, double value)
{
  matrix[(size_t)n * (size_t)j + (size_t)i] = value;
  matrix[(size_t)n * (size_t)i + (size_t)j] = value;
}

/* What the jumps of one spin alone do: noise of its transverse components from its dephasing and decay, and
   of z from the two rates' counting noise. */
static void diffusion_of_spin(const struct CospinLangevin_ *e, int a, const double first[],
                              double diffusion[])
{
  const int n = e->size, n3 = 3 * n, x = a, y = n + a, z = 2 * n + a;
  const double decay = transverse(e, a);

  set(n3, diffusion, x, x, 2 * decay);
  set(n3, diffusion, y, y, 2 * decay);
  set(n3, diffusion, x, y, 0.0);
  set(n3, diffusion, x, z, (e->down[a] - e->up[a]) * first[x]);
  set(n3, diffusion, y, z, (e->down[a] - e->up[a]) * first[y]);
  set(n3, diffusion, z, z, 2 * (e->up[a] + e->down[a]) - 2 * (e->up[a] - e->down[a]) * first[z]);
}

void CospinLangevinDiffusion(CospinLangevin e, const double first[], const double second[],
                             double diffusion[])
{
  const int n = e->size, n3 = 3 * n;

  for (int b = 0; b < n; b++) {
    const int xb = b, yb = n + b, zb = 2 * n + b;
    diffusion_of_spin(e, b, first, diffusion);
    for (int a = 0; a < n; a++) {
      const int xa = a, ya = n + a, za = 2 * n + a;
      const double complex p = e->noise[n * b + a];
      const double complex zs =
          CMPLX(moment(n3, second, za, xb), -moment(n3, second, za, yb)); /* z_a 2 s-_b */
      if (a == b) continue;
      set(n3, diffusion, xa, zb, -creal(p * zs));
      set(n3, diffusion, ya, zb, cimag(p * zs));
      set(n3, diffusion, xa, yb, cimag(p) * moment(n3, second, za, zb));
      if (a > b) continue;
      const double zz = creal(p) * moment(n3, second, za, zb);
      const double complex ss = CMPLX(moment(n3, second, xa, xb) + moment(n3, second, ya, yb),
                                      moment(n3, second, ya, xb) - moment(n3, second, xa, yb));
      set(n3, diffusion, xa, xb, zz);
      set(n3, diffusion, ya, yb, zz);
      set(n3, diffusion, za, zb, creal(p * ss));
    }
  }
}

/* ---- Its factor ---------------------------------------------------------------------------------------- */

/* columns sqrt(lambda) v of what is positive Where Cholesky fails: what is negative is noise that c-numbers
 * cannot have; it is set to zero and its share told (`clipped`). */
static PetscErrorCode factor_by_eigenvalues(int n, double matrix[], double factor[], double *clipped)
{
  const PetscBLASInt size = n, work_size = 64 * n;
  PetscBLASInt info;
  double *values, *work, negative = 0.0, all = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n, &values, (size_t)work_size, &work));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  dsyev_("V", "L", &size, matrix, &size, values, work, &work_size, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's dsyev returned %d", (int)info);
  for (int k = 0; k < n; k++) {
    const double root = PetscSqrtReal(PetscMax(0.0, values[k]));
    for (int i = 0; i < n; i++) factor[n * k + i] = root * matrix[n * k + i];
    all += PetscAbsReal(values[k]);
    negative -= PetscMin(0.0, values[k]);
  }
  *clipped = all > 0 ? negative / all : 0.0;
  PetscCall(PetscFree2(values, work));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinLangevinFactor(int n, double matrix[], double factor[], PetscBool *lower,
                                    double *clipped)
{
  /* A diffusion matrix that is singular (a spin without noise) has no Cholesky factor; this much of its
     largest element is added. */
  static const double rounding = 1e-11;
  const PetscBLASInt size = n;
  PetscBLASInt info;
  double largest = 0.0;

  PetscFunctionBeginUser;
  *clipped = 0.0;
  for (int i = 0; i < n; i++) largest = PetscMax(largest, matrix[n * i + i]);
  PetscCall(PetscArraycpy(factor, matrix, n * n));
  for (int i = 0; i < n; i++) factor[n * i + i] += rounding * largest;
  dpotrf_("L", &size, factor, &size, &info);
  *lower = (PetscBool)(info == 0);
  if (!*lower) PetscCall(factor_by_eigenvalues(n, matrix, factor, clipped));
  PetscFunctionReturn(0);
}

/* ---- Rates --------------------------------------------------------------------------------------------- */

/* Largest |eigenvalue| of (C + s C^+)/scale. */
static PetscErrorCode norm_of(const struct CospinLangevin_ *e, double sign, double complex factor,
                              double *norm)
{
  const int n = e->size;
  double complex *matrix;
  double *values;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)(n * n), &matrix, (size_t)n, &values));
  for (int b = 0; b < n; b++) {
    for (int a = 0; a < n; a++)
      matrix[n * b + a] = factor * (e->couple[n * b + a] + sign * conj(e->couple[n * a + b]));
  }
  PetscCall(CospinHermitianDiagonalise(n, matrix, values));
  *norm = PetscMax(-values[0], values[n - 1]);
  PetscCall(PetscFree2(matrix, values));
  PetscFunctionReturn(0);
}

/* Upper bounds, for steps and for when a start is forgotten. */
PetscErrorCode CospinLangevinGetRates(CospinLangevin e, CospinLangevinRates *rates)
{
  double exchange, alone = 0.0, detuning = 0.0;

  PetscFunctionBeginUser;
  rates->slowest = PETSC_INFINITY;
  PetscCall(norm_of(e, 1.0, 1.0, &rates->collective));
  PetscCall(norm_of(e, -1.0, -I, &exchange));
  for (int a = 0; a < e->size; a++) {
    alone = PetscMax(alone, 2 * transverse(e, a));
    detuning = PetscMax(detuning, PetscAbsReal(e->frequency[a]));
    rates->slowest = PetscMin(rates->slowest, e->up[a] + e->down[a]);
  }
  rates->fastest = rates->collective + exchange + alone + detuning;
  PetscFunctionReturn(0);
}
