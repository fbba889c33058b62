/*
   Part of the kernel (kernel_body.h): a small matrix for many shifts and times.

   M = S^-1 H S with H of Hessenberg form, by stabilised elimination (J. H. Wilkinson, The Algebraic
   Eigenvalue Problem (1965), chapter 6); then (s - M)^-1 costs n^2 for each s, on either side. exp(H t) is a
   sum of such inverses along a contour around the eigenvalues (A. Talbot, J. Inst. Math. Appl. 23, 97 (1979);
   coefficients of L. N. Trefethen, J. A. C. Weideman, T. Schmelzer, BIT 46, 653 (2006)): with 40 of them it
   is right to 5e-13 for eigenvalues z = lambda t with |Im z| <= 3 + .4 |Re z|, however far to the left.
*/

typedef struct {
  int n, *swaps;      /* [n] */
  COMPLEX *h;         /* [n*n] row by row; below its subdiagonal the multipliers of S */
  COMPLEX *lu;        /* of s - H */
  PetscBool *swapped; /* [n] rows of lu */
  COMPLEX *work;      /* [3*n] */
} Hessenberg;

static PetscErrorCode destroy_hessenberg(Hessenberg *matrix)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(matrix->swaps, matrix->h, matrix->lu, matrix->swapped, matrix->work));
  PetscFunctionReturn(0);
}

/* One step: rows below m + 1 lose their element in column m; the inverse acts on columns. */
static void eliminate(Hessenberg *matrix, int m)
{
  const size_t n = (size_t)matrix->n;
  const int to = m + 1;
  COMPLEX *h = matrix->h;
  int best = to;

  for (int r = to; r < matrix->n; r++)
    if (size_of(h[n * (size_t)r + (size_t)m]) > size_of(h[n * (size_t)best + (size_t)m])) best = r;
  matrix->swaps[m] = best;
  for (size_t k = (size_t)m; k < n && best != to; k++) {
    const COMPLEX kept = h[n * (size_t)to + k];
    h[n * (size_t)to + k] = h[n * (size_t)best + k];
    h[n * (size_t)best + k] = kept;
  }
  for (size_t r = 0; r < n && best != to; r++) {
    const COMPLEX kept = h[n * r + (size_t)to];
    h[n * r + (size_t)to] = h[n * r + (size_t)best];
    h[n * r + (size_t)best] = kept;
  }
  if (!(size_of(h[n * (size_t)to + (size_t)m]) > 0)) return;
  for (int r = to + 1; r < matrix->n; r++) {
    COMPLEX *row = h + n * (size_t)r;
    const COMPLEX f = row[m] / h[n * (size_t)to + (size_t)m];
    row[m] = matrix->work[r] = f;
    for (int k = to; k < matrix->n && f != 0; k++) row[k] -= f * h[n * (size_t)to + (size_t)k];
  }
  for (size_t r = 0; r < n; r++)
    for (int k = to + 1; k < matrix->n; k++) h[n * r + (size_t)to] += matrix->work[k] * h[n * r + (size_t)k];
}

/* Of the matrix without its first rows and columns; m[k + full*l] = M_lk. */
static PetscErrorCode create_hessenberg(int full, int first, const COMPLEX m[], Hessenberg *matrix)
{
  const size_t n = (size_t)(full - first);

  PetscFunctionBeginUser;
  *matrix = (Hessenberg){.n = full - first};
  PetscCall(PetscMalloc5(n, &matrix->swaps, n * n, &matrix->h, n * n, &matrix->lu, n, &matrix->swapped, 3 * n,
                         &matrix->work));
  for (size_t l = 0; l < n; l++)
    PetscCall(PetscArraycpy(matrix->h + n * l, m + (size_t)full * (l + (size_t)first) + first, n));
  for (int k = 0; k + 2 < matrix->n; k++) eliminate(matrix, k);
  PetscFunctionReturn(0);
}

static void swap(COMPLEX v[], int i, int j)
{
  const COMPLEX kept = v[i];

  v[i] = v[j];
  v[j] = kept;
}

static COMPLEX multiplier(const Hessenberg *matrix, int r, int m)
{
  return matrix->h[(size_t)matrix->n * (size_t)r + (size_t)m];
}

/* v becomes S v. */
static void transform(const Hessenberg *matrix, COMPLEX v[])
{
  for (int m = 0; m + 2 < matrix->n; m++) {
    swap(v, m + 1, matrix->swaps[m]);
    for (int r = m + 2; r < matrix->n; r++) v[r] -= multiplier(matrix, r, m) * v[m + 1];
  }
}

/* v becomes S^-1 v. */
static void transform_back(const Hessenberg *matrix, COMPLEX v[])
{
  for (int m = matrix->n - 3; m >= 0; m--) {
    for (int r = m + 2; r < matrix->n; r++) v[r] += multiplier(matrix, r, m) * v[m + 1];
    swap(v, m + 1, matrix->swaps[m]);
  }
}

/* v becomes S^-T v. */
static void transform_left(const Hessenberg *matrix, COMPLEX v[])
{
  for (int m = 0; m + 2 < matrix->n; m++) {
    swap(v, m + 1, matrix->swaps[m]);
    for (int r = m + 2; r < matrix->n; r++) v[m + 1] += multiplier(matrix, r, m) * v[r];
  }
}

/* v becomes S^T v. */
static void transform_left_back(const Hessenberg *matrix, COMPLEX v[])
{
  for (int m = matrix->n - 3; m >= 0; m--) {
    for (int r = m + 2; r < matrix->n; r++) v[m + 1] -= multiplier(matrix, r, m) * v[r];
    swap(v, m + 1, matrix->swaps[m]);
  }
}

/* s - H = P L U; false: singular. */
static PetscBool shift_hessenberg(Hessenberg *matrix, COMPLEX s)
{
  const int n = matrix->n;
  COMPLEX *lu = matrix->lu;

  for (int r = 0; r < n; r++) {
    COMPLEX *row = lu + (size_t)n * (size_t)r;
    for (int k = PetscMax(0, r - 1); k < n; k++) row[k] = -multiplier(matrix, r, k);
    row[r] += s;
  }
  for (int c = 0; c < n; c++) {
    COMPLEX *top = lu + (size_t)n * (size_t)c, *below = top + n;
    COMPLEX f;
    matrix->swapped[c] = (PetscBool)(c + 1 < n && size_of(below[c]) > size_of(top[c]));
    for (int k = c; k < n && matrix->swapped[c]; k++) {
      const COMPLEX kept = top[k];
      top[k] = below[k];
      below[k] = kept;
    }
    if (!(size_of(top[c]) > 0)) return PETSC_FALSE;
    if (c + 1 == n) break;
    f = below[c] / top[c];
    below[c] = f;
    for (int k = c + 1; k < n && f != 0; k++) below[k] -= f * top[k];
  }
  return PETSC_TRUE;
}

static void solve_hessenberg(const Hessenberg *matrix, COMPLEX b[])
{
  const int n = matrix->n;

  for (int c = 0; c + 1 < n; c++) {
    if (matrix->swapped[c]) swap(b, c, c + 1);
    b[c + 1] -= matrix->lu[(size_t)n * (size_t)(c + 1) + (size_t)c] * b[c];
  }
  for (int r = n - 1; r >= 0; r--) {
    const COMPLEX *row = matrix->lu + (size_t)n * (size_t)r;
    for (int k = r + 1; k < n; k++) b[r] -= row[k] * b[k];
    b[r] /= row[r];
  }
}

/* (s - H)^T b = b */
static void solve_hessenberg_transposed(const Hessenberg *matrix, COMPLEX b[])
{
  const int n = matrix->n;

  for (int r = 0; r < n; r++) {
    const COMPLEX *row = matrix->lu + (size_t)n * (size_t)r;
    b[r] /= row[r];
    for (int k = r + 1; k < n; k++) b[k] -= row[k] * b[r];
  }
  for (int c = n - 2; c >= 0; c--) {
    b[c] -= matrix->lu[(size_t)n * (size_t)(c + 1) + (size_t)c] * b[c + 1];
    if (matrix->swapped[c]) swap(b, c, c + 1);
  }
}

/* x becomes exp(H t) x, y exp(H^T t) y; t: as short as the head of this file says. */
static PetscBool propagate(Hessenberg *matrix, REAL t, COMPLEX x[], COMPLEX y[])
{
  enum { NUM_SHIFTS = 40 };
  const REAL a = (REAL)0.5071, b = (REAL)0.6407, c = (REAL)0.6122, d = (REAL)0.2645;
  const int n = matrix->n;
  COMPLEX *sum_x = matrix->work, *sum_y = sum_x + n, *part = sum_y + n;

  for (int k = 0; k < 2 * n; k++) sum_x[k] = 0;
  for (int k = 0; k < NUM_SHIFTS; k++) {
    const REAL theta = (2 * k + 1) * (REAL)PETSC_PI / NUM_SHIFTS - (REAL)PETSC_PI;
    const REAL sine = SIN(b * theta), cotangent = COS(b * theta) / sine;
    const REAL re = NUM_SHIFTS * (a * theta * cotangent - c), im = NUM_SHIFTS * d * theta;
    const COMPLEX slope = (a * cotangent - a * b * theta / (sine * sine)) + d * (COMPLEX)I;
    const COMPLEX weight = -expi(re, im) * slope * (COMPLEX)I / t;
    if (!shift_hessenberg(matrix, (re + im * (COMPLEX)I) / t)) return PETSC_FALSE;
    for (int l = 0; l < n; l++) part[l] = x[l];
    solve_hessenberg(matrix, part);
    for (int l = 0; l < n; l++) sum_x[l] += weight * part[l];
    for (int l = 0; l < n; l++) part[l] = y[l];
    solve_hessenberg_transposed(matrix, part);
    for (int l = 0; l < n; l++) sum_y[l] += weight * part[l];
  }
  for (int k = 0; k < n; k++) {
    x[k] = sum_x[k];
    y[k] = sum_y[k];
  }
  return PETSC_TRUE;
}
