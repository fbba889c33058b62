/*
   Part of the kernel (kernel_body.h): two-time correlations by quantum regression (M. Lax, Phys. Rev. 129,
   2342 (1963)),

     C(t) = Tr(A exp(L t) B rho) = a^T exp(M t) b,   b_l = <B^T P_l, rho>,  a_k = <A^T 1, P_k>

   In the sector with a trace the part of b along rho, which does not decay, is taken out: the first row of M
   is zero, and so is the first element of what is left of b; both are left out.

   Bounds are made like those of other numbers: with any y

     int exp(-s t) C dt = <b, y> + <x, r>,  x = (s - L)^-1 b,  r = A^T 1 - (s - L^T) y
     C(t) = <b, y(t)> + <exp(L t) b, A^T 1 - y(0)> + int <exp(L (t - t')) b, r(t')> dt',  r = L^T y - dy/dt

   and <b, y> = <B^T y, rho> is an expectation value, whose error is bounded by the defect of L^T z = B^T y -
   its value. Of exp(L t) b the bound takes b. Averages are sums over samples at which labels exist.
*/

struct CospinRegression_ {
  CospinKernel traced, kernel;
  int first, num_samples;
  double complex limit_a, limit_b; /* Tr(A rho), Tr(B rho), where the limit is not zero */
  Hessenberg hessenberg;
  COMPLEX *a, *b, *transfer;             /* [n], [n], [k + m*l] = <B^T P_l, P_k>; n functions here, m there */
  COMPLEX *hat_a, *hat_b;                /* in the coordinates of H */
  COMPLEX *reading, *steady;             /* [num_samples] A^T 1, rho */
  COMPLEX *moved, *perturbing, *unmoved; /* [function + size*sample] L^T P, B^T P; L^T P there */
  REAL *functions;                       /* [function + size*sample] those of the larger kernel */
  int num_times;
  double *times;          /* [num_times] 0 and those of Evolve */
  double complex *states; /* [sample + num_samples*time] exp(L t) b */
  double *defects;        /* [sample + num_samples*time] |r| */
  COMPLEX *y, *z, *x;     /* work */
};

static PetscErrorCode DestroyRegression(CospinRegression *regression)
{
  CospinRegression old = *regression;

  PetscFunctionBeginUser;
  if (!old) PetscFunctionReturn(0);
  PetscCall(destroy_hessenberg(&old->hessenberg));
  PetscCall(PetscFree5(old->a, old->b, old->transfer, old->hat_a, old->hat_b));
  PetscCall(PetscFree6(old->reading, old->steady, old->moved, old->perturbing, old->unmoved, old->functions));
  PetscCall(PetscFree3(old->times, old->states, old->defects));
  PetscCall(PetscFree3(old->y, old->z, old->x));
  PetscCall(PetscFree(*regression));
  PetscFunctionReturn(0);
}

/* transfer and b */
static PetscErrorCode perturb(CospinRegression regression, const Moves *moves)
{
  CospinKernel kernel = regression->kernel, traced = regression->traced;
  const size_t m = (size_t)traced->n;
  Node node;

  PetscFunctionBeginUser;
  for (PetscInt64 i = kernel->rank; i < kernel->num_points; i += kernel->ranks) {
    apply(kernel, moves, kernel->points + kernel->dim * i, &node);
    for (int l = 0; l < kernel->n; l++) {
      const COMPLEX image = kernel->weights[i] * kernel->image[l];
      for (size_t k = 0; k < m; k++) regression->transfer[k + m * (size_t)l] += image * kernel->p0[k];
    }
  }
  PetscCall(sum_ranks(kernel, m * (size_t)kernel->n, regression->transfer));
  for (int l = 0; l < kernel->n; l++)
    regression->b[l] = dot(traced->n, regression->transfer + m * (size_t)l, traced->x);
  PetscFunctionReturn(0);
}

static PetscErrorCode sample(CospinRegression regression, const Moves *perturbation, const Moves *reading)
{
  CospinKernel kernel = regression->kernel, traced = regression->traced;
  const size_t n = (size_t)kernel->n, m = (size_t)traced->n;

  PetscFunctionBeginUser;
  for (int k = 0; k < NUM_SAMPLES; k++) {
    const size_t s = (size_t)regression->num_samples;
    REAL u[COSPIN_MAX_LABELS];
    Node node;
    get_sample(kernel, k, u);
    apply(traced, &traced->moves, u, &node);
    if (!node.inside) continue;
    PetscCall(PetscArraycpy(regression->unmoved + m * s, traced->image, m));
    apply(kernel, &kernel->moves, u, &node);
    if (!node.inside) continue;
    PetscCall(PetscArraycpy(regression->moved + n * s, kernel->image, n));
    PetscCall(PetscArraycpy(regression->functions + n * s, kernel->p0, n));
    regression->reading[s] = read_node(kernel, reading, &node);
    apply(kernel, perturbation, u, &node);
    PetscCall(PetscArraycpy(regression->perturbing + n * s, kernel->image, n));
    regression->steady[s] = 0;
    for (size_t l = 0; l < m; l++) regression->steady[s] += traced->x[l] * kernel->p0[l];
    regression->num_samples++;
  }
  PetscFunctionReturn(0);
}

static COMPLEX widen(double complex value)
{
  return (REAL)creal(value) + (REAL)cimag(value) * (COMPLEX)I;
}

static double complex narrow(COMPLEX value)
{
  return CMPLX((double)REALPART(value), (double)IMAGPART(value));
}

/* Takes the part along rho out of b. */
static void split_off_limit(CospinRegression regression)
{
  const CospinKernel kernel = regression->kernel;
  const COMPLEX share = regression->b[0];

  regression->limit_b = narrow(share);
  regression->limit_a = narrow(dot(kernel->n, regression->a, kernel->x));
  for (int k = 0; k < kernel->n; k++) regression->b[k] -= share * kernel->x[k];
}

static PetscErrorCode allocate(CospinRegression regression)
{
  const size_t n = (size_t)regression->kernel->n, m = (size_t)regression->traced->n, num = NUM_SAMPLES;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc5(n, &regression->a, n, &regression->b, n * m, &regression->transfer, n,
                         &regression->hat_a, n, &regression->hat_b));
  PetscCall(PetscMalloc6(num, &regression->reading, num, &regression->steady, n * num, &regression->moved,
                         n * num, &regression->perturbing, m * num, &regression->unmoved, n * num,
                         &regression->functions));
  PetscCall(PetscMalloc3(n, &regression->y, m, &regression->z, n, &regression->x));
  PetscFunctionReturn(0);
}

static PetscErrorCode Regress(CospinKernel traced, CospinKernel kernel, CospinSymbol perturbation,
                              CospinSymbol reading, CospinRegression *created)
{
  CospinRegression regression;
  Moves perturbing, read;
  int n;

  PetscFunctionBeginUser;
  PetscCheck(traced->n == kernel->n, PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "Sectors of different degrees");
  PetscCall(PetscNew(&regression));
  *created = regression;
  regression->traced = traced;
  regression->kernel = kernel;
  regression->first = kernel == traced;
  n = kernel->n - regression->first;
  PetscCall(allocate(regression));
  PetscCall(create_moves(kernel, perturbation, &perturbing));
  PetscCall(create_series(kernel, &perturbing));
  perturbing.plain = PETSC_TRUE;
  PetscCall(create_moves(kernel, reading, &read));
  PetscCall(perturb(regression, &perturbing));
  PetscCall(project(kernel, &read, regression->a));
  if (regression->first) split_off_limit(regression);
  PetscCall(sample(regression, &perturbing, &read));
  PetscCall(destroy_moves(&perturbing));
  PetscCall(destroy_moves(&read));
  PetscCall(create_hessenberg(kernel->n, regression->first, kernel->matrix, &regression->hessenberg));
  PetscCall(PetscArraycpy(regression->hat_a, regression->a + regression->first, (size_t)n));
  PetscCall(PetscArraycpy(regression->hat_b, regression->b + regression->first, (size_t)n));
  transform_left(&regression->hessenberg, regression->hat_a);
  transform(&regression->hessenberg, regression->hat_b);
  PetscFunctionReturn(0);
}

/* image[n] = M^T y */
static void multiply_left(const CospinKernel kernel, const COMPLEX y[], COMPLEX image[])
{
  const int n = kernel->n;

  for (int k = 0; k < n; k++) image[k] = 0;
  for (int l = 0; l < n; l++)
    for (int k = 0; k < n; k++) image[k] += y[l] * kernel->matrix[(size_t)k + (size_t)n * (size_t)l];
}

static COMPLEX at_sample(const CospinRegression regression, const COMPLEX v[], int s)
{
  const int n = regression->kernel->n;
  const REAL *p = regression->functions + (size_t)n * (size_t)s;
  COMPLEX sum = 0;

  for (int k = 0; k < n; k++) sum += v[k] * p[k];
  return sum;
}

/* What the error of the steady state adds to that of <b, y>; before: of a lower degree. */
static CospinCertificate certify_state(CospinRegression regression, CospinRegression before,
                                       const COMPLEX y[])
{
  const CospinKernel kernel = regression->kernel, traced = regression->traced;
  const int n = kernel->n, m = traced->n;
  const COMPLEX along = regression->first ? dot(n, y, kernel->x) : 0,
                share = regression->first ? widen(regression->limit_b) : 0;
  CospinCertificate sums = {0.0, before ? 0.0 : INFINITY};
  COMPLEX *z = regression->z, value;

  for (int k = 0; k < m; k++) {
    z[k] = -along * regression->transfer[k] - share * y[k];
    for (int l = 0; l < n; l++) z[k] += y[l] * regression->transfer[(size_t)k + (size_t)m * (size_t)l];
  }
  solve_transposed(m, traced->bordered, traced->pivots, z);
  value = z[0];
  z[0] = 0;
  for (int s = 0; s < regression->num_samples; s++) {
    const COMPLEX *image = regression->perturbing + (size_t)n * (size_t)s;
    COMPLEX r = dot(n, y, image) - along * image[0] - share * at_sample(regression, y, s) - value;
    r -= dot(m, z, regression->unmoved + (size_t)m * (size_t)s);
    sums.bound += (double)(size_of(r) * size_of(regression->steady[s])) / regression->num_samples;
    if (before)
      sums.product +=
          (double)(size_of(r) * size_of(regression->steady[s] - before->steady[s])) / regression->num_samples;
  }
  return sums;
}

/* x = (s - M)^-1 b of the kernel's functions, after shift_hessenberg; its product with a. */
static COMPLEX get_state(CospinRegression regression, COMPLEX x[])
{
  const Hessenberg *h = &regression->hessenberg;
  COMPLEX value;

  x[0] = 0;
  for (int k = 0; k < h->n; k++) x[k + regression->first] = regression->hat_b[k];
  solve_hessenberg(h, x + regression->first);
  value = dot(h->n, regression->hat_a, x + regression->first);
  transform_back(h, x + regression->first);
  return value;
}

/* y = (s - M^T)^-1 a likewise. */
static void get_adjoint(CospinRegression regression, COMPLEX y[])
{
  const Hessenberg *h = &regression->hessenberg;

  y[0] = 0;
  for (int k = 0; k < h->n; k++) y[k + regression->first] = regression->hat_a[k];
  solve_hessenberg_transposed(h, y + regression->first);
  transform_left_back(h, y + regression->first);
}

static PetscErrorCode Transform(CospinRegression regression, CospinRegression before, double complex at,
                                double complex *value, CospinCertificate *certificate, PetscBool *ok)
{
  const int n = regression->kernel->n, first = regression->first, num = regression->num_samples;
  const COMPLEX s = widen(at);
  COMPLEX *y = regression->y, constant = first ? regression->a[0] : 0;

  PetscFunctionBeginUser;
  *ok = (PetscBool)(shift_hessenberg(&regression->hessenberg, s) &&
                    (!before || shift_hessenberg(&before->hessenberg, s)));
  if (!*ok) PetscFunctionReturn(0);
  *value = narrow(get_state(regression, regression->x));
  if (!certificate) PetscFunctionReturn(0);
  if (before) (void)get_state(before, before->x);
  get_adjoint(regression, y);
  for (int l = 0; l < n && first; l++) constant += y[l] * regression->kernel->matrix[(size_t)n * (size_t)l];
  *certificate = certify_state(regression, before, y);
  for (int k = 0; k < num; k++) {
    const COMPLEX x = at_sample(regression, regression->x, k),
                  r = regression->reading[k] - constant - s * at_sample(regression, y, k) +
                      dot(n, y, regression->moved + (size_t)n * (size_t)k);
    certificate->bound += (double)(size_of(r) * size_of(x)) / num;
    if (before)
      certificate->product += (double)(size_of(r) * size_of(x - at_sample(before, before->x, k))) / num;
  }
  PetscFunctionReturn(0);
}

/* ---- In time ------------------------------------------------------------------------------------------- */

/* In how many steps an interval is gone, so that no eigenvalue that matters lies outside of the contour. */
static int count_steps(double interval, int num, const double complex eigenvalues[])
{
  int steps = 1;

  for (int k = 0; k < num; k++)
    for (;;) {
      const double re = creal(eigenvalues[k]) * interval / steps,
                   im = fabs(cimag(eigenvalues[k])) * interval / steps;
      if (steps >= MAX_STEPS || (re <= 0.1 && (re < -36 || im <= 3 - 0.4 * re))) break;
      steps *= 2;
    }
  return steps;
}

static PetscErrorCode start_history(CospinRegression regression, int num_times, const double times[])
{
  const size_t num = (size_t)num_times + 1, size = num * (size_t)regression->num_samples;

  PetscFunctionBeginUser;
  regression->num_times = num_times + 1;
  PetscCall(PetscMalloc3(num, &regression->times, size, &regression->states, size, &regression->defects));
  regression->times[0] = 0.0;
  PetscCall(PetscArraycpy(regression->times + 1, times, (size_t)num_times));
  PetscFunctionReturn(0);
}

/* State and defect at the k-th time from their coordinates. */
static void record(CospinRegression regression, int k, const COMPLEX hat_x[], const COMPLEX hat_y[])
{
  const Hessenberg *h = &regression->hessenberg;
  const int n = regression->kernel->n, first = regression->first, num = regression->num_samples;
  COMPLEX *x = regression->x, *y = regression->y;

  x[0] = y[0] = 0;
  for (int i = 0; i < h->n; i++) {
    x[i + first] = hat_x[i];
    y[i + first] = hat_y[i];
  }
  transform_back(h, x + first);
  transform_left_back(h, y + first);
  for (int s = 0; s < num; s++)
    regression->states[(size_t)s + (size_t)num * (size_t)k] = narrow(at_sample(regression, x, s));
  multiply_left(regression->kernel, y, x);
  for (int s = 0; s < num; s++)
    regression->defects[(size_t)s + (size_t)num * (size_t)k] =
        (double)size_of(dot(n, y, regression->moved + (size_t)n * (size_t)s) - at_sample(regression, x, s));
}

/* mean |exp(L t) b| |r| with the state of the k-th time (its difference from that of a lower degree). */
static double average(const CospinRegression regression, const CospinRegression before, int k,
                      const double r[])
{
  const int num = regression->num_samples;
  double sum = 0.0;

  for (int s = 0; s < num; s++) {
    const size_t i = (size_t)s + (size_t)num * (size_t)k;
    const double complex x = regression->states[i] - (before ? before->states[i] : 0.0);
    sum += r[s] * (fabs(creal(x)) + fabs(cimag(x)));
  }
  return sum / num;
}

/* The bound at the k-th time without what the steady state adds; before != NULL: the product. */
static double sum_history(const CospinRegression regression, const CospinRegression before, int k,
                          const double start[])
{
  const double *times = regression->times;
  double sum = average(regression, before, k, start);
  int at = k;

  for (int i = 0; i <= k; i++) {
    const double weight = 0.5 * (times[PetscMin(i + 1, k)] - times[PetscMax(i - 1, 0)]);
    while (at > 0 && times[at] > times[k] - times[i]) at--;
    sum += weight *
           average(regression, before, at, regression->defects + (size_t)regression->num_samples * (size_t)i);
  }
  return sum;
}

/* |A^T 1 - y| at time zero. */
static PetscErrorCode get_start(const CospinRegression regression, double **start)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)regression->num_samples + 1, start));
  for (int s = 0; s < regression->num_samples; s++)
    (*start)[s] = (double)size_of(regression->reading[s] - at_sample(regression, regression->a, s));
  PetscFunctionReturn(0);
}

static PetscBool advance(Hessenberg *h, double interval, int steps, COMPLEX hat_x[], COMPLEX hat_y[])
{
  for (int s = 0; s < steps; s++)
    if (!propagate(h, (REAL)interval / (REAL)steps, hat_x, hat_y)) return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscErrorCode Evolve(CospinRegression regression, CospinRegression before, int num,
                             const double complex eigenvalues[], int num_times, const double times[],
                             double complex values[], CospinCertificate certificates[], PetscBool *ok)
{
  Hessenberg *h = &regression->hessenberg;
  const size_t size = (size_t)h->n;
  COMPLEX *hat_x, *hat_y;
  double *start, time = 0.0;
  int total = 0;

  PetscFunctionBeginUser;
  PetscCall(start_history(regression, num_times, times));
  PetscCall(get_start(regression, &start));
  PetscCall(PetscMalloc2(size, &hat_x, size, &hat_y));
  PetscCall(PetscArraycpy(hat_x, regression->hat_b, size));
  PetscCall(PetscArraycpy(hat_y, regression->hat_a, size));
  record(regression, 0, hat_x, hat_y);
  *ok = PETSC_TRUE;
  for (int k = 0; k < num_times && *ok; k++) {
    const int steps = times[k] > time ? count_steps(times[k] - time, num, eigenvalues) : 0;
    total += steps;
    *ok = (PetscBool)(total <= MAX_STEPS && advance(h, times[k] - time, steps, hat_x, hat_y));
    if (!*ok) break;
    record(regression, k + 1, hat_x, hat_y);
    values[k] = narrow(dot(h->n, hat_y, regression->hat_b));
    time = times[k];
    for (int i = 0; i < h->n; i++) regression->y[i + regression->first] = hat_y[i];
    transform_left_back(h, regression->y + regression->first);
    certificates[k] = certify_state(regression, before, regression->y);
    certificates[k].bound += sum_history(regression, NULL, k + 1, start);
    if (before) certificates[k].product += sum_history(regression, before, k + 1, start);
  }
  PetscCall(PetscFree2(hat_x, hat_y));
  PetscCall(PetscFree(start));
  PetscFunctionReturn(0);
}
