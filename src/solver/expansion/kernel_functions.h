/* Part of the kernel (kernel_body.h): its functions, Hermite polynomials by their multi-indices, derivatives
   of them, and the coordinates that they stand on. */

/* Multi-indices of total degree < degree in dim dimensions, graded; digits[dim*count], NULL: count only. */
static int list_indices(int dim, int degree, int digits[])
{
  int count = 0, index[COSPIN_MAX_LABELS] = {0};

  for (int total = 0; total < degree; total++) {
    for (int k = 0; k < dim; k++) index[k] = 0;
    index[dim - 1] = total;
    for (;;) {
      int k = dim - 1, rest;
      if (digits)
        for (int i = 0; i < dim; i++) digits[dim * count + i] = index[i];
      count++;
      /* next composition of `total` */
      while (k > 0 && index[k] == 0) k--;
      if (k == 0) break;
      rest = index[k] - 1;
      index[k] = 0;
      index[k - 1]++;
      index[dim - 1] = rest;
    }
  }
  return count;
}

static int find_index(int dim, int count, const int digits[], const int index[])
{
  for (int l = 0; l < count; l++)
    if (memcmp(digits + dim * l, index, sizeof(int) * (size_t)dim) == 0) return l;
  return -1;
}

static PetscErrorCode create_functions(CospinKernel kernel)
{
  const int dim = kernel->dim;
  int index[COSPIN_MAX_LABELS];
  size_t n;

  PetscFunctionBeginUser;
  kernel->n = list_indices(dim, kernel->degree, NULL);
  n = (size_t)kernel->n;
  PetscCall(PetscMalloc4(n * (size_t)dim, &kernel->digits, n, &kernel->parent, n, &kernel->axis, n,
                         &kernel->power));
  (void)list_indices(dim, kernel->degree, kernel->digits);
  for (int l = 0; l < kernel->n; l++) {
    int a = dim - 1;
    for (int i = 0; i < dim; i++) index[i] = kernel->digits[dim * l + i];
    while (a > 0 && index[a] == 0) a--;
    kernel->axis[l] = a;
    kernel->power[l] = index[a];
    index[a] = 0;
    kernel->parent[l] = find_index(dim, kernel->n, kernel->digits, index);
  }
  PetscFunctionReturn(0);
}

/* P_l to P_rest by d^m/du^m; -1: none. */
static int differentiate(CospinKernel kernel, int l, int m, REAL *factor)
{
  const int *from = kernel->digits + kernel->dim * l, *by = kernel->digits + kernel->dim * m;
  int rest[COSPIN_MAX_LABELS];

  *factor = 1;
  for (int a = 0; a < kernel->dim; a++) {
    rest[a] = from[a] - by[a];
    if (rest[a] < 0) return -1;
    for (int k = from[a]; k > rest[a]; k--) *factor *= kernel->root[k];
  }
  return find_index(kernel->dim, l + 1, kernel->digits, rest);
}

static PetscErrorCode create_pairs(CospinKernel kernel)
{
  REAL factor;
  size_t count = 0;

  PetscFunctionBeginUser;
  for (int l = 0; l < kernel->n; l++)
    for (int m = 0; m <= l; m++) {
      PetscBool below = PETSC_TRUE;
      for (int a = 0; a < kernel->dim; a++)
        if (kernel->digits[kernel->dim * m + a] > kernel->digits[kernel->dim * l + a]) below = PETSC_FALSE;
      if (below) count++;
    }
  PetscCall(PetscMalloc4(count, &kernel->pair_l, count, &kernel->pair_m, count, &kernel->pair_rest, count,
                         &kernel->pair_factor));
  for (int l = 0; l < kernel->n; l++)
    for (int m = 0; m <= l; m++) {
      const int rest = differentiate(kernel, l, m, &factor);
      if (rest < 0) continue;
      kernel->pair_l[kernel->num_pairs] = l;
      kernel->pair_m[kernel->num_pairs] = m;
      kernel->pair_rest[kernel->num_pairs] = rest;
      kernel->pair_factor[kernel->num_pairs++] = factor;
    }
  PetscFunctionReturn(0);
}

/* Monomials of D up to the number of factors that depend on coherences. */
static PetscErrorCode create_orders(CospinKernel kernel, int most)
{
  const int nd = PetscMax(1, kernel->nd);
  int *digits, index[COSPIN_MAX_FREE];

  PetscFunctionBeginUser;
  kernel->num_orders = kernel->nd ? list_indices(nd, most + 1, NULL) : 1;
  PetscCheck(kernel->num_orders <= MAX_ORDERS, PETSC_COMM_SELF, PETSC_ERR_SUP,
             "A product of %d operators is too long for an expansion", most);
  PetscCall(PetscMalloc1((size_t)(kernel->num_orders * nd), &digits));
  PetscCall(PetscMalloc3((size_t)(kernel->num_orders * nd), &kernel->order_times, kernel->num_orders,
                         &kernel->order_from, kernel->num_orders, &kernel->order_by));
  if (kernel->nd) (void)list_indices(nd, most + 1, digits);
  for (int o = 0; o < kernel->num_orders && kernel->nd; o++)
    for (int k = 0; k < nd; k++) {
      int to;
      for (int i = 0; i < nd; i++) index[i] = digits[nd * o + i];
      index[k]++;
      to = kernel->order_times[nd * o + k] = find_index(nd, kernel->num_orders, digits, index);
      if (to >= 0) kernel->order_from[to] = o;
      if (to >= 0) kernel->order_by[to] = k;
    }
  PetscCall(PetscFree(digits));
  PetscFunctionReturn(0);
}

static void invert_lower(int n, int stride, const REAL lower[], REAL inverse[])
{
  for (int c = 0; c < n; c++)
    for (int i = 0; i < n; i++) {
      REAL rest = i == c;
      for (int k = c; k < i; k++) rest -= lower[stride * i + k] * inverse[stride * k + c];
      inverse[stride * i + c] = i < c ? 0 : rest / lower[stride * i + i];
    }
}

static void set_coordinates(CospinKernel kernel, const CospinGaussian *gaussian)
{
  for (int i = 0; i < kernel->nd; i++) {
    for (int j = 0; j < kernel->nd; j++) kernel->c[i][j] = j <= i ? gaussian->c[i][j] : 0;
    for (int j = 0; j < kernel->np; j++)
      kernel->s_dp[i][j] = (REAL)creal(gaussian->s_dp[i][j]) + (REAL)cimag(gaussian->s_dp[i][j]) * (COMPLEX)I;
    kernel->theta_re[i] = creal(gaussian->theta[i]);
    kernel->theta_im[i] = cimag(gaussian->theta[i]);
  }
  for (int i = 0; i < kernel->np; i++) {
    for (int j = 0; j < kernel->np; j++) kernel->l[i][j] = j <= i ? gaussian->l[i][j] : 0;
    kernel->p[i] = gaussian->p[i];
  }
  invert_lower(kernel->nd, COSPIN_MAX_FREE, kernel->c[0], kernel->ci[0]);
  invert_lower(kernel->np, COSPIN_MAX_POPULATIONS, kernel->l[0], kernel->li[0]);
}
