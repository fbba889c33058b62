/*
   Part of the kernel (kernel_body.h): points and weights of integrals over X, exp(-u^2/2) in each dimension.

   With one rule of n nodes in each dimension polynomials are integrated exactly up to degree 2n - 1 in each,
   with n^dim points. From six dimensions on a sum of such products with fewer nodes has fewer points, exact
   for total degrees up to 2n - 1 (S. A. Smolyak, Dokl. Akad. Nauk SSSR 148, 1042 (1963); G. W. Wasilkowski
   and H. Wozniakowski, J. Complexity 11, 1 (1995), eq. (6)):

     sum over n - dim <= |i| <= n - 1 of (-1)^(n-1-|i|) (dim-1 over n-1-|i|) product of rules with i_a + 1
   nodes

   Weights of either sign cancel in it: `amplified` is the sum of their moduli.
*/

typedef struct {
  int count;
  REAL node[MAX_NODES], weight[MAX_NODES];
} Rule;

static REAL next_hermite(REAL u, int k, REAL now, REAL before)
{
  return (u * now - SQRT((REAL)k) * before) / SQRT((REAL)(k + 1));
}

/* The zero of the Hermite polynomial of degree m in an interval where it changes its sign once, `rising` or
   not: by Newton's iteration, halving where that leaves the interval. */
static REAL find_zero(int m, REAL lo, REAL hi, PetscBool rising)
{
  const REAL small = 4 * (REAL)EPSILON * SQRT((REAL)(4 * m + 2));
  REAL u = (lo + hi) / 2, moved = 1;

  for (int step = 0; step < 200 && moved > small; step++) {
    REAL before = 1, now = u, next;
    for (int k = 1; k < m; k++) {
      next = next_hermite(u, k, now, before);
      before = now;
      now = next;
    }
    if ((now > 0) == rising)
      hi = u;
    else
      lo = u;
    next = u - now / (SQRT((REAL)m) * before);
    if (!(next > lo && next < hi)) next = (lo + hi) / 2;
    moved = FABS(next - u);
    u = next;
  }
  return u;
}

/* The Gauss-Hermite rule after one of a node less, whose nodes lie in between. */
static void make_rule(const Rule *less, Rule *rule)
{
  const int m = less->count + 1;
  const REAL end = SQRT((REAL)(4 * m + 2));

  rule->count = m;
  for (int i = 0; i < m; i++) {
    const REAL u = m == 1 ? 0
                          : find_zero(m, i == 0 ? -end : less->node[i - 1], i == m - 1 ? end : less->node[i],
                                      (PetscBool)((m - 1 - i) % 2 == 0));
    REAL before = 1, now = u, sum = 1;
    for (int k = 1; k < m; k++) {
      const REAL next = next_hermite(u, k, now, before);
      sum += now * now;
      before = now;
      now = next;
    }
    rule->node[i] = u;
    rule->weight[i] = 1 / sum;
  }
}

/* Adds factor * the product of rules with counts[dim] nodes, without weights up to `least`. */
static void add_product(CospinKernel kernel, const Rule rules[], const int counts[], REAL factor, REAL least)
{
  const int dim = kernel->dim;
  PetscInt64 total = 1;

  for (int a = 0; a < dim; a++) total *= counts[a];
  for (PetscInt64 i = 0; i < total; i++) {
    REAL weight = factor, *u = kernel->points + dim * kernel->num_points;
    PetscInt64 rest = i;
    for (int a = 0; a < dim; a++) {
      const Rule *rule = &rules[counts[a] - 1];
      u[a] = rule->node[rest % counts[a]];
      weight *= rule->weight[rest % counts[a]];
      rest /= counts[a];
    }
    if (FABS(weight) <= least) continue;
    kernel->weights[kernel->num_points++] = weight;
    kernel->amplified += (double)FABS(weight);
  }
}

static void add_sparse(CospinKernel kernel, const Rule rules[], int count, const int digits[], int num)
{
  const int dim = kernel->dim;
  int counts[COSPIN_MAX_LABELS];

  for (int k = 0; k < num; k++) {
    int sum = 0;
    REAL factor;
    for (int a = 0; a < dim; a++) {
      sum += digits[dim * k + a];
      counts[a] = digits[dim * k + a] + 1;
    }
    if (sum < count - dim) continue;
    factor = (REAL)CospinBinomial(dim - 1, count - 1 - sum);
    add_product(kernel, rules, counts, (count - 1 - sum) % 2 ? -factor : factor, 0);
  }
}

/* Exact to degree 2 count - 1. */
static PetscErrorCode create_grid(CospinKernel kernel, int count)
{
  const int dim = kernel->dim;
  const PetscBool sparse = (PetscBool)(CospinDegreesPoints(dim, count) < pow(count, dim));
  const size_t size = (size_t)CospinDegreesPoints(dim, count);
  int counts[COSPIN_MAX_LABELS], *digits, num;
  REAL most = 1;
  Rule *rules;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)count + 1, &rules));
  make_rule(&rules[count], &rules[0]);
  for (int k = 1; k < count; k++) make_rule(&rules[k - 1], &rules[k]);
  PetscCall(PetscMalloc2(size * (size_t)dim, &kernel->points, size, &kernel->weights));
  for (int a = 0; a < dim; a++) {
    counts[a] = count;
    most *= rules[count - 1].weight[count / 2];
  }
  if (!sparse) add_product(kernel, rules, counts, 1, (REAL)0.01 * (REAL)EPSILON * most);
  num = sparse ? list_indices(dim, count, NULL) : 0;
  PetscCall(PetscMalloc1((size_t)num * (size_t)dim + 1, &digits));
  if (sparse) (void)list_indices(dim, count, digits);
  add_sparse(kernel, rules, count, digits, num);
  PetscCall(PetscFree(digits));
  PetscCall(PetscFree(rules));
  PetscFunctionReturn(0);
}
