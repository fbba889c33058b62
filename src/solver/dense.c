/*
   Spectral decomposition of a small generator by LAPACK.

     L = U S V^H; zeros: singular values below the resolution; U = (U2, U1), V = (V2, V1), U1^H L = 0, L V1 =
   0 M = U2^H L U2 is L on its range, where all eigenvalues but zero live: M z = lambda z, w^H M = lambda w^H
     right vectors: V1 for zero, else x = U2 z
     left vectors:  Y1 = U1 (V1^H U1)^-1 for zero, else y = U2 w - Y1 V1^H U2 w, for which V1^H y = 0

   The zeros are gone from M before its eigenvalues are computed, so rounding cannot mix a slow mode with
   them. G. H. Golub, C. F. Van Loan, Matrix Computations (2013), sections 2.4 and 7.2.

   Cost: one singular value decomposition and one eigenvalue problem, each some tens of n^3 operations, so it
   ends at some hundred unknowns; in return no eigenvalue can be missed, and every one has a left vector and
   with it a condition, which is the error that is told.
*/
#include <cospin/problem/hermitian.h>
#include <cospin/solver/dense.h>
#include <slepcblaslapack.h>

/* Of the search for the eigenvalue next to zero, which needs an estimate and no digits. */
enum { ARNOLDI_STEPS = 96, ARNOLDI_CHECK = 12 };

/* With room behind it, which LAPACK's vector instructions may read. */
static PetscErrorCode allocate(int rows, int columns, PetscScalar **matrix)
{
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)rows * (size_t)columns + COSPIN_LAPACK_ROOM, matrix));
  PetscFunctionReturn(0);
}

/* c = op(a) op(b), c of rows x columns BLAS, column after column. */
static PetscErrorCode multiply(const char op_a[], const char op_b[], int rows, int columns, int inner,
                               const PetscScalar a[], int lda, const PetscScalar b[], int ldb,
                               PetscScalar c[])
{
  const PetscScalar one = 1.0, zero = 0.0;
  PetscBLASInt m, n, k, ld_a, ld_b, ld_c;

  PetscFunctionBeginUser;
  if (rows == 0 || columns == 0) PetscFunctionReturn(0);
  if (inner == 0) { /* BLAS would ask for leading dimensions of one */
    PetscCall(PetscArrayzero(c, (size_t)rows * (size_t)columns));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscBLASIntCast(rows, &m));
  PetscCall(PetscBLASIntCast(columns, &n));
  PetscCall(PetscBLASIntCast(inner, &k));
  PetscCall(PetscBLASIntCast(lda, &ld_a));
  PetscCall(PetscBLASIntCast(ldb, &ld_b));
  PetscCall(PetscBLASIntCast(rows, &ld_c));
  BLASgemm_(op_a, op_b, &m, &n, &k, &one, a, &ld_a, b, &ld_b, &zero, c, &ld_c);
  PetscFunctionReturn(0);
}

/* L = U S V^H: u, vh [size*size], singular[size] descending. All singular values: those below the resolution
 * are zeros of L whatever its eigenvalues say. */
static PetscErrorCode decompose(const CospinDense *dense, PetscScalar u[], PetscScalar vh[],
                                double singular[], PetscBool *ok)
{
  const size_t n = (size_t)dense->size;
  PetscBLASInt size, info, work_size = (PetscBLASInt)(3 * n * n + 8 * n), *integers;
  PetscScalar *copy, *space;
  PetscReal *reals;

  PetscFunctionBeginUser;
  PetscCall(PetscBLASIntCast(dense->size, &size));
  PetscCall(allocate(dense->size, dense->size, &copy));
  PetscCall(PetscArraycpy(copy, dense->matrix, n * n));
  PetscCall(PetscMalloc3((size_t)work_size + COSPIN_LAPACK_ROOM, &space, 7 * n * n + 7 * n, &reals, 8 * n,
                         &integers));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgesdd_("A", &size, &size, copy, &size, singular, u, &size, vh, &size, space, &work_size, reals,
               integers, &info);
  PetscCall(PetscFPTrapPop());
  *ok = (PetscBool)(info == 0);
  PetscCall(PetscFree3(space, reals, integers));
  PetscCall(PetscFree(copy));
  PetscFunctionReturn(0);
}

/* Singular values descend. At least as many as are known to be there: a sector with a trace has one. */
static int count_zeros(int n, const double singular[], double resolution, int least_zero)
{
  int zeros = 0;

  while (zeros < n && singular[n - 1 - zeros] <= resolution) zeros++;
  return PetscMax(zeros, least_zero);
}

/* Right vectors of M, size k; it is destroyed. It is not balanced: where slow modes stand beside fast ones,
   balancing takes rounding errors for elements and makes vectors of slow modes wrong by their own size.
   D. S. Watkins, A case where balancing is harmful, Electron. Trans. Numer. Anal. 23, 1 (2006). Eigenvalues
   of M are all that are not zero, and M has none next to zero that a null vector could disturb. */
static PetscErrorCode diagonalise(int k, PetscScalar m[], PetscScalar values[], PetscScalar z[],
                                  PetscBool *ok)
{
  PetscBLASInt size, one = 1, info, low, high, work_size = 8 * k + 64;
  PetscScalar *space;
  PetscReal *reals, norm, unused;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (k == 0) PetscFunctionReturn(0);
  PetscCall(PetscBLASIntCast(k, &size));
  PetscCall(PetscMalloc2((size_t)work_size + COSPIN_LAPACK_ROOM, &space, 3 * (size_t)k, &reals));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeevx_("N", "N", "V", "N", &size, m, &size, values, NULL, &one, z, &size, &low, &high, reals + 2 * k,
               &norm, &unused, &unused, space, &work_size, reals, &info);
  PetscCall(PetscFPTrapPop());
  *ok = (PetscBool)(info == 0);
  PetscCall(PetscFree2(space, reals));
  PetscFunctionReturn(0);
}

/* w = (z^-1)^H, so that w^H z = 1 within groups of equal eigenvalues, too, whose vectors are any basis.
   False: z is singular. */
static PetscErrorCode invert_adjoint(int k, const PetscScalar z[], PetscScalar w[], PetscBool *regular)
{
  PetscBLASInt size = k, info = 0, *pivots;
  PetscScalar *adjoint;

  PetscFunctionBeginUser;
  PetscCall(allocate(k, k, &adjoint));
  PetscCall(PetscMalloc1(k, &pivots));
  for (int column = 0; column < k; column++) {
    for (int row = 0; row < k; row++) adjoint[row + k * column] = PetscConj(z[column + k * row]);
    w[column + k * column] = 1.0;
  }
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  if (k) LAPACKgesv_(&size, &size, adjoint, &size, pivots, w, &size, &info);
  PetscCall(PetscFPTrapPop());
  *regular = (PetscBool)(info == 0);
  PetscCall(PetscFree(pivots));
  PetscCall(PetscFree(adjoint));
  PetscFunctionReturn(0);
}

/* Without scaling: vectors here have norms near one. */
static double norm_of(int n, const PetscScalar x[])
{
  double sum = 0.0;

  for (int i = 0; i < n; i++) sum += PetscRealPart(x[i] * PetscConj(x[i]));
  return PetscSqrtReal(sum);
}

/* What the matrix's backward error does to an eigenvalue of this condition. Where two vectors become parallel
   the condition has no bound, but the eigenvalues move by the root of the perturbation only. */
static double error_of(const CospinDense *dense, double condition)
{
  return PetscMin(dense->resolution * condition, PetscSqrtReal(dense->resolution * dense->norm));
}

/* The vectors of zero: V1, and U1 (V1^H U1)^-1, whose inverse does not exist only where zero is not
   semisimple, to rounding. */
static PetscErrorCode null_vectors(const PetscScalar u[], const PetscScalar vh[], CospinDense *dense)
{
  const int n = dense->size, m = dense->num_zero;
  const PetscScalar *u1 = u + n * (n - m);
  PetscScalar *overlaps, *identity;
  PetscBLASInt size = m, info, *pivots;

  PetscFunctionBeginUser;
  if (m == 0) PetscFunctionReturn(0);
  for (int k = 0; k < m; k++) {
    for (int i = 0; i < n; i++) dense->right[i + n * k] = PetscConj(vh[n - m + k + n * i]);
  }
  PetscCall(allocate(m, m, &overlaps));
  PetscCall(allocate(m, m, &identity));
  PetscCall(PetscMalloc1(m, &pivots));
  PetscCall(multiply("C", "N", m, m, n, dense->right, n, u1, n, overlaps));
  for (int k = 0; k < m; k++) identity[k + m * k] = 1.0;
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgesv_(&size, &size, overlaps, &size, pivots, identity, &size, &info);
  PetscCall(PetscFPTrapPop());
  PetscCall(multiply("N", "N", n, m, m, u1, n, identity, m, dense->left));
  for (int k = 0; k < m; k++)
    dense->error[k] = error_of(dense, info ? INFINITY : norm_of(n, dense->left + n * k));
  PetscCall(PetscFree(pivots));
  PetscCall(PetscFree(identity));
  PetscCall(PetscFree(overlaps));
  PetscFunctionReturn(0);
}

/* Whether rates, of which a's is not the faster one, are equal as far as is known. */
static PetscBool are_equal(const double complex lambda[], const double error[], int a, int b)
{
  return (PetscBool)(creal(lambda[a]) - creal(lambda[b]) <= fmax(error[a], error[b]));
}

/* Whether they may be a pair, of which either may be off by its error. */
static PetscBool are_conjugate(const double complex lambda[], const double error[], int a, int b)
{
  const double size = error[a] + error[b];

  return (PetscBool)(cabs(lambda[a] - conj(lambda[b])) <= size && fabs(cimag(lambda[a])) > size);
}

PetscErrorCode CospinOrderSlowest(int num, const double complex lambda[], const double error[], int order[])
{
  PetscFunctionBeginUser;
  for (int k = 0; k < num; k++) {
    const double complex value = lambda[k];
    int place = k;
    for (; place > 0 && creal(lambda[order[place - 1]]) < creal(value); place--)
      order[place] = order[place - 1];
    order[place] = k;
  }
  /* Equal rates, up to their errors, must not change places with rounding: within such a group the order is
     by frequency. */
  for (int begin = 0, end; begin < num; begin = end) { /* a group of equal rates */
    for (end = begin + 1; end < num; end++) {
      if (!are_equal(lambda, error, order[begin], order[end]) &&
          !are_conjugate(lambda, error, order[end - 1], order[end]))
        break;
    }
    for (int k = begin + 1; k < end; k++) {
      const int mode = order[k];
      int place = k;
      for (; place > begin; place--) {
        const double complex a = lambda[order[place - 1]], b = lambda[mode];
        const double closer = fabs(cimag(b)) - fabs(cimag(a)), size = error[mode] + error[order[place - 1]];
        const PetscBool both_real = (PetscBool)(fabs(cimag(a)) <= size && fabs(cimag(b)) <= size);
        if (both_real || closer > size || (closer >= -size && cimag(b) >= cimag(a))) break;
        order[place] = order[place - 1];
      }
      order[place] = mode;
    }
  }
  PetscFunctionReturn(0);
}

/* Records are plain: what they point to moves with them. */
PetscErrorCode CospinSortSlowest(int num, const double complex lambda[], const double error[], size_t size,
                                 void *modes)
{
  char *copy, *sorted = (char *)modes;
  int *order;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(num, &order, (size_t)num * size, &copy));
  PetscCall(PetscMemcpy(copy, modes, (size_t)num * size));
  PetscCall(CospinOrderSlowest(num, lambda, error, order));
  for (int k = 0; k < num; k++)
    PetscCall(PetscMemcpy(sorted + (size_t)k * size, copy + (size_t)order[k] * size, size));
  PetscCall(PetscFree2(order, copy));
  PetscFunctionReturn(0);
}

/* Puts the modes of M behind the zeros, slowest first. */
static PetscErrorCode arrange(const PetscScalar values[], const PetscScalar right[], const PetscScalar left[],
                              PetscBool regular, CospinDense *dense)
{
  const int n = dense->size, m = dense->num_zero, k = n - m;
  double *error;
  int *order;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(k, &error, k, &order));
  for (int j = 0; j < k; j++) error[j] = error_of(dense, regular ? norm_of(n, left + n * j) : INFINITY);
  PetscCall(CospinOrderSlowest(k, values, error, order));
  for (int j = 0; j < k; j++) {
    const int from = n * order[j], to = n * (m + j);
    dense->values[m + j] = values[order[j]];
    dense->error[m + j] = error[order[j]];
    PetscCall(PetscArraycpy(dense->right + to, right + from, n));
    PetscCall(PetscArraycpy(dense->left + to, left + from, n));
  }
  PetscCall(PetscFree2(error, order));
  PetscFunctionReturn(0);
}

/* image = L^H U2, m = U2^H L U2 */
static PetscErrorCode restrict_to_range(const CospinDense *dense, PetscScalar image[], PetscScalar m[])
{
  const int n = dense->size, k = n - dense->num_zero;

  PetscFunctionBeginUser;
  PetscCall(multiply("C", "N", n, k, n, dense->matrix, n, dense->range, n, image));
  PetscCall(multiply("C", "N", k, k, n, image, n, dense->range, n, m));
  PetscFunctionReturn(0);
}

/* Y = U2 W - Y1 V1^H U2 W: what makes it orthogonal to the null vectors. */
static PetscErrorCode left_vectors(const CospinDense *dense, const PetscScalar w[], PetscScalar left[])
{
  const int n = dense->size, m = dense->num_zero, k = n - m;
  PetscScalar *overlaps, *rest;

  PetscFunctionBeginUser;
  PetscCall(allocate(m, k, &overlaps));
  PetscCall(allocate(n, k, &rest));
  PetscCall(multiply("N", "N", n, k, k, dense->range, n, w, k, left));
  PetscCall(multiply("C", "N", m, k, n, dense->right, n, left, n, overlaps));
  PetscCall(multiply("N", "N", n, k, m, dense->left, n, overlaps, m, rest));
  for (int i = 0; i < n * k; i++) left[i] -= rest[i];
  PetscCall(PetscFree(rest));
  PetscCall(PetscFree(overlaps));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDenseComplete(CospinDense *dense, PetscBool *ok)
{
  const int n = dense->size, k = n - dense->num_zero;
  PetscScalar *image, *m, *values, *w, *z, *right, *left;
  PetscBool regular;

  PetscFunctionBeginUser;
  *ok = PETSC_TRUE;
  if (dense->complete) PetscFunctionReturn(0);
  PetscCall(allocate(n, k, &image));
  PetscCall(allocate(k, k, &m));
  PetscCall(allocate(k, 1, &values));
  PetscCall(allocate(k, k, &w));
  PetscCall(allocate(k, k, &z));
  PetscCall(allocate(n, k, &right));
  PetscCall(allocate(n, k, &left));
  PetscCall(restrict_to_range(dense, image, m));
  PetscCall(diagonalise(k, m, values, z, ok));
  PetscCall(invert_adjoint(k, z, w, &regular));
  PetscCall(multiply("N", "N", n, k, k, dense->range, n, z, k, right));
  PetscCall(left_vectors(dense, w, left));
  if (*ok) PetscCall(arrange(values, right, left, regular, dense));
  dense->complete = *ok;
  PetscCall(PetscFree(left));
  PetscCall(PetscFree(right));
  PetscCall(PetscFree(z));
  PetscCall(PetscFree(w));
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(m));
  PetscCall(PetscFree(image));
  PetscFunctionReturn(0);
}

/* One step of Arnoldi's method for M^-1: basis[.][step+1], column[step + 2] of the Hessenberg matrix. *rest:
   the share of the new vector that is new. Orthogonalised twice: once leaves what rounding makes. */
static PetscErrorCode arnoldi_step(int k, PetscScalar factors[], PetscBLASInt pivots[], int step,
                                   PetscScalar basis[], PetscScalar column[], double *rest)
{
  PetscScalar *next = basis + k * (step + 1);
  PetscBLASInt size = k, one = 1, info;
  double before, norm;

  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(next, basis + k * step, k));
  LAPACKgetrs_("N", &size, &one, factors, &size, pivots, next, &size, &info);
  before = norm_of(k, next);
  for (int pass = 0; pass < 2; pass++) {
    for (int b = 0; b <= step; b++) {
      PetscScalar overlap = 0.0;
      for (int i = 0; i < k; i++) overlap += PetscConj(basis[i + k * b]) * next[i];
      for (int i = 0; i < k; i++) next[i] -= overlap * basis[i + k * b];
      column[b] += overlap;
    }
  }
  norm = norm_of(k, next);
  column[step + 1] = norm;
  for (int i = 0; i < k && norm > 0.0; i++) next[i] /= norm;
  *rest = norm / before;
  PetscFunctionReturn(0);
}

/* Largest eigenvalue of the Hessenberg matrix of `steps` steps, and whether it is one of M^-1 to some digits:
   how much of its vector the next step would take out of the space. */
static PetscErrorCode largest_ritz(int steps, const PetscScalar columns[], PetscScalar *largest,
                                   PetscBool *settled)
{
  /* Three digits are enough to say how slow it is. */
  static const double some_digits = 1e-3;
  PetscScalar *hessenberg, *values, *vectors;
  PetscBool ok;
  double leaves;
  int best = 0;

  PetscFunctionBeginUser;
  PetscCall(allocate(steps, steps, &hessenberg));
  PetscCall(allocate(steps, 1, &values));
  PetscCall(allocate(steps, steps, &vectors));
  for (int column = 0; column < steps; column++) {
    for (int row = 0; row < steps; row++)
      hessenberg[row + steps * column] = columns[row + (ARNOLDI_STEPS + 1) * column];
  }
  PetscCall(diagonalise(steps, hessenberg, values, vectors, &ok));
  for (int s = 1; s < steps; s++) {
    if (PetscAbsScalar(values[s]) > PetscAbsScalar(values[best])) best = s;
  }
  leaves = PetscAbsScalar(columns[steps + (ARNOLDI_STEPS + 1) * (steps - 1)]) *
           PetscAbsScalar(vectors[steps - 1 + steps * best]);
  *largest = ok ? values[best] : 0.0;
  *settled = (PetscBool)(ok && leaves <= some_digits * PetscAbsScalar(values[best]));
  PetscCall(PetscFree(vectors));
  PetscCall(PetscFree(values));
  PetscCall(PetscFree(hessenberg));
  PetscFunctionReturn(0);
}

/* The eigenvalue of M next to zero, to some digits. */
static PetscErrorCode find_nearest(CospinDense *dense)
{
  static const double exhausted = 1e-10; /* the space is closed */
  const int n = dense->size, k = n - dense->num_zero, most = PetscMin(ARNOLDI_STEPS, k);
  PetscScalar *image, *m, *basis, *columns, largest = 0.0;
  PetscBLASInt size = k, info, *pivots;
  PetscBool settled = PETSC_FALSE;
  double rest;

  PetscFunctionBeginUser;
  dense->nearest = CMPLX(NAN, NAN);
  if (k == 0) PetscFunctionReturn(0);
  PetscCall(allocate(n, k, &image));
  PetscCall(allocate(k, k, &m));
  PetscCall(allocate(k, ARNOLDI_STEPS + 1, &basis));
  PetscCall(allocate(ARNOLDI_STEPS + 1, ARNOLDI_STEPS, &columns));
  PetscCall(PetscMalloc1(k, &pivots));
  PetscCall(restrict_to_range(dense, image, m));
  LAPACKgetrf_(&size, &size, m, &size, pivots, &info);
  for (int i = 0; i < k; i++) basis[i] = 1.0 + 0.5 * sin(1.0 + i); /* no symmetry */
  rest = norm_of(k, basis);
  for (int i = 0; i < k; i++) basis[i] /= rest;
  for (int step = 0; !info && !settled && step < most && rest > exhausted; step++) {
    PetscCall(arnoldi_step(k, m, pivots, step, basis, columns + (ARNOLDI_STEPS + 1) * step, &rest));
    if ((step + 1) % ARNOLDI_CHECK == 0 || step + 1 == most || rest <= exhausted)
      PetscCall(largest_ritz(step + 1, columns, &largest, &settled));
  }
  if (settled) dense->nearest = 1.0 / largest;
  PetscCall(PetscFree(pivots));
  PetscCall(PetscFree(columns));
  PetscCall(PetscFree(basis));
  PetscCall(PetscFree(m));
  PetscCall(PetscFree(image));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDenseCreate(int size, const PetscScalar matrix[], double resolution, int least_zero,
                                 CospinDense *dense, PetscBool *ok)
{
  PetscScalar *vh;
  double *singular;

  PetscFunctionBeginUser;
  *dense = (CospinDense){.size = size, .separation = INFINITY, .resolution = resolution};
  PetscCall(allocate(size, 1, &dense->values));
  PetscCall(allocate(size, size, &dense->right));
  PetscCall(allocate(size, size, &dense->left));
  PetscCall(PetscCalloc1(size, &dense->error));
  PetscCall(allocate(size, size, &dense->matrix));
  PetscCall(allocate(size, size, &dense->range));
  PetscCall(PetscArraycpy(dense->matrix, matrix, size * size));
  PetscCall(allocate(size, size, &vh));
  PetscCall(PetscMalloc1(size, &singular));
  PetscCall(decompose(dense, dense->range, vh, singular, ok));
  if (*ok) {
    dense->norm = singular[0];
    dense->num_zero = count_zeros(size, singular, resolution, least_zero);
    if (dense->num_zero < size) dense->separation = singular[size - 1 - dense->num_zero];
    PetscCall(null_vectors(dense->range, vh, dense));
    PetscCall(find_nearest(dense));
  }
  PetscCall(PetscFree(singular));
  PetscCall(PetscFree(vh));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinDenseDestroy(CospinDense *dense)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(dense->range));
  PetscCall(PetscFree(dense->matrix));
  PetscCall(PetscFree(dense->error));
  PetscCall(PetscFree(dense->left));
  PetscCall(PetscFree(dense->right));
  PetscCall(PetscFree(dense->values));
  PetscFunctionReturn(0);
}
