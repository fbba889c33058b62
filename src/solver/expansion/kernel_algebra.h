/* Part of the kernel (kernel_body.h): null vectors and eigenvectors of its matrix, by elimination. */

/* a[n*n], row by row, = P L U in place, rows swapped; false: singular. */
static PetscBool factorise(int n, COMPLEX a[], int pivots[])
{
  for (int c = 0; c < n; c++) {
    int best = c;
    for (int r = c; r < n; r++)
      if (size_of(a[(size_t)n * (size_t)r + (size_t)c]) > size_of(a[(size_t)n * (size_t)best + (size_t)c]))
        best = r;
    pivots[c] = best;
    if (!(size_of(a[(size_t)n * (size_t)best + (size_t)c]) > 0)) return PETSC_FALSE;
    for (int k = 0; k < n && best != c; k++) {
      const COMPLEX kept = a[(size_t)n * (size_t)c + (size_t)k];
      a[(size_t)n * (size_t)c + (size_t)k] = a[(size_t)n * (size_t)best + (size_t)k];
      a[(size_t)n * (size_t)best + (size_t)k] = kept;
    }
    for (int r = c + 1; r < n; r++) {
      COMPLEX *row = a + (size_t)n * (size_t)r;
      const COMPLEX *top = a + (size_t)n * (size_t)c, f = row[c] / top[c];
      row[c] = f;
      for (int k = c + 1; k < n && f != 0; k++) row[k] -= f * top[k];
    }
  }
  return PETSC_TRUE;
}

static void solve(int n, const COMPLEX lu[], const int pivots[], COMPLEX b[])
{
  for (int c = 0; c < n; c++) {
    const COMPLEX kept = b[c];
    b[c] = b[pivots[c]];
    b[pivots[c]] = kept;
  }
  for (int r = 1; r < n; r++)
    for (int k = 0; k < r; k++) b[r] -= lu[(size_t)n * (size_t)r + (size_t)k] * b[k];
  for (int r = n - 1; r >= 0; r--) {
    for (int k = r + 1; k < n; k++) b[r] -= lu[(size_t)n * (size_t)r + (size_t)k] * b[k];
    b[r] /= lu[(size_t)n * (size_t)r + (size_t)r];
  }
}

/* a^T b = b */
static void solve_transposed(int n, const COMPLEX lu[], const int pivots[], COMPLEX b[])
{
  for (int r = 0; r < n; r++) {
    for (int k = 0; k < r; k++) b[r] -= lu[(size_t)n * (size_t)k + (size_t)r] * b[k];
    b[r] /= lu[(size_t)n * (size_t)r + (size_t)r];
  }
  for (int r = n - 1; r >= 0; r--)
    for (int k = r + 1; k < n; k++) b[r] -= lu[(size_t)n * (size_t)k + (size_t)r] * b[k];
  for (int c = n - 1; c >= 0; c--) {
    const COMPLEX kept = b[c];
    b[c] = b[pivots[c]];
    b[pivots[c]] = kept;
  }
}

static COMPLEX dot(int n, const COMPLEX a[], const COMPLEX b[])
{
  COMPLEX sum = 0;

  for (int k = 0; k < n; k++) sum += a[k] * b[k];
  return sum;
}

/* M on the sector with a trace, whose first row is zero: e_0 takes its place. Factorised once for the steady
   state and all expectation values; *ok: not singular. */
static PetscErrorCode border(CospinKernel kernel, PetscBool *ok)
{
  const size_t n = (size_t)kernel->n;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (kernel->bordered) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(n * n, &kernel->bordered, n, &kernel->pivots));
  PetscCall(PetscArraycpy(kernel->bordered, kernel->matrix, n * n));
  for (size_t k = 0; k < n; k++) kernel->bordered[k] = k == 0;
  *ok = factorise(kernel->n, kernel->bordered, kernel->pivots);
  if (!*ok) PetscCall(PetscFree2(kernel->bordered, kernel->pivots));
  PetscFunctionReturn(0);
}

/* M x = 0 with x_0 = 1 */
static PetscErrorCode Steady(CospinKernel kernel, PetscBool *ok)
{
  PetscFunctionBeginUser;
  PetscCall(border(kernel, ok));
  for (int k = 0; k < kernel->n; k++) kernel->x[k] = k == 0;
  if (*ok) solve(kernel->n, kernel->bordered, kernel->pivots, kernel->x);
  PetscFunctionReturn(0);
}

/* y^T M x / y^T x */
static COMPLEX quotient(CospinKernel kernel)
{
  const int n = kernel->n;
  COMPLEX sum = 0;

  for (int l = 0; l < n; l++) sum += kernel->y[l] * dot(n, kernel->matrix + (size_t)n * (size_t)l, kernel->x);
  return sum / dot(n, kernel->y, kernel->x);
}

static void normalise(int n, COMPLEX v[])
{
  REAL largest = 0;

  for (int k = 0; k < n; k++)
    if (size_of(v[k]) > largest) largest = size_of(v[k]);
  for (int k = 0; k < n; k++) v[k] /= largest;
}

/* Two-sided inverse iteration (Ostrowski): converges cubically. */
static PetscErrorCode Eigen(CospinKernel kernel, double complex *lambda, PetscBool *ok)
{
  enum { NUM_SHIFTS = 4, NUM_SOLVES = 2 };
  const int n = kernel->n;
  COMPLEX *a, value = (REAL)creal(*lambda) + (REAL)cimag(*lambda) * (COMPLEX)I;
  int *pivots;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * (size_t)n, &a, n, &pivots));
  for (int k = 0; k < n; k++) kernel->x[k] = kernel->y[k] = 1 / (REAL)(1 + k);
  *ok = PETSC_TRUE;
  for (int s = 0; s < NUM_SHIFTS && *ok; s++) {
    const COMPLEX shift = value * (1 + 16 * (REAL)EPSILON);
    PetscCall(PetscArraycpy(a, kernel->matrix, (size_t)n * (size_t)n));
    for (int k = 0; k < n; k++) a[(size_t)n * (size_t)k + (size_t)k] -= shift;
    *ok = factorise(n, a, pivots);
    for (int i = 0; i < NUM_SOLVES && *ok; i++) {
      solve(n, a, pivots, kernel->x);
      solve_transposed(n, a, pivots, kernel->y);
      normalise(n, kernel->x);
      normalise(n, kernel->y);
    }
    if (*ok) value = quotient(kernel);
  }
  *lambda = CMPLX((double)REALPART(value), (double)IMAGPART(value));
  if (!isfinite(creal(*lambda)) || !isfinite(cimag(*lambda))) *ok = PETSC_FALSE;
  PetscCall(PetscFree2(a, pivots));
  PetscFunctionReturn(0);
}
