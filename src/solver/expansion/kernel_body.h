/*
   The kernel (kernel.h) for the types REAL (vectors) and SCALAR (what cancels at one node).

   With the coherences Fourier transformed, a test function Y(phase, p) and a move of shift s and amplitude a

     (L^T Y)(phase, p) = sum over moves of exp(-i (theta + phase).s_d) a(D - s_d, p) Y(phase, p + s_p),
                         D = -i d/dphase

   which is exact: the amplitude is a polynomial in the coherences at which it is taken, the source's, and D
   is what they are for a function of phases. Y = 1 is the trace, and L^T 1 = 0 without coherences at every
   point, so zero is an eigenvalue of every projection. Tr(A rho) is read likewise: A^T 1.

   The integrals <.,.> over X are Gauss-Hermite sums, degree + 3 nodes a dimension: exact for polynomial
   amplitudes. Sums over labels are such integrals up to terms that are exponentially small in the number of
   labels over which X extends (Poisson).

   At a node all moves together are one differential operator, exp(-i phase.s) a(D - s) exp(shift.d/du)
   summed:

     L^T P_l = sum_m kappa_m d^m/du^m P_l,   d^m/du^m P_l = sqrt(l!/(l-m)!) P_(l-m)

   whose coefficients (Kramers and Moyal's) end at |m| < degree. Rates of the size of N^2 cancel in them to
   some of the size of one: kappa_0, which cancels most, is summed in SCALAR, the others, which have the
   shifts as small factors, in REAL. On the sector with a trace kappa_0 is L^T 1, zero; on another one it is
   the difference between the two, move by move: then what rates that were rounded in the deck leave of L^T 1
   (an ulp of N times a rate) is not taken for a decay, but for rates that differ by an ulp.

   Spread of the defect: for any y, lambda_true - lambda = sum x_true r / sum x_true y with r = L^T y - lambda
   y, for any right vector x_true; so where x is about right the mean of |x| |r| bounds the error (Collatz and
   Wielandt's quotients, restricted to the bulk), and as r is orthogonal to all x of this degree, that of |x -
   x_true| |r|, too.
*/
#include "kernel.h"
#include <math.h>
#include <string.h>

enum {
  MOST_FACTORS = 6 /* of an observable that depend on coherences */,
  EXTRA_NODES = 3,
  MAX_NODES = 48,
  NUM_SAMPLES = 600,
  MAX_ORDERS = 128,
  MAX_MOVES = 1024,
  NODES_PER_ASK = 500
};

#define EPSILON ((double)(NAME_EPSILON))

/* One term at the centre: factors as constant + slope.(p - centre) + d.D, the shift of coherences taken in.
 */
typedef struct {
  SCALAR constant;
  double d[COSPIN_MAX_FREE], p[COSPIN_MAX_POPULATIONS];
  PetscBool edge, moves; /* depends on coherences */
} Factor;

typedef struct {
  double complex coefficient;
  int num_factors, num_divisors;
  Factor *factors;
} Term;

typedef struct {
  int d[COSPIN_MAX_FREE], num_terms;
  int group;                        /* of moves that shift coherences alike: its first move */
  PetscBool still;                  /* no shift */
  COMPLEX phase;                    /* exp(-i theta.d) */
  COMPLEX shift[COSPIN_MAX_LABELS]; /* of u */
  int num_orders;                   /* of its amplitude */
  COMPLEX *series; /* [n*order + m]: D^order exp(shift.d/du) as a series in d^m/du^m; m = 0 of order 0 left
                      out; NULL: not made */
  Term *terms;
} Move;

typedef struct {
  int count;
  Move *moves;
} Moves;

struct CospinKernel_ {
  MPI_Comm comm;
  int rank, ranks, nd, np, dim, degree, n;
  CospinSymbol symbol;
  double theta_re[COSPIN_MAX_FREE], theta_im[COSPIN_MAX_FREE];
  int *digits;                                 /* [dim*l + a]: degree of P_l in u_a */
  int *parent, *axis, *power;                  /* P_l = P_parent h_power(u_axis) */
  int num_orders, *order_times;                /* monomials of D: times[nd*order + k], -1: too high */
  int *order_from, *order_by;                  /* a monomial is D_by times another */
  int num_pairs, *pair_l, *pair_m, *pair_rest; /* d^m/du^m P_l = pair_factor P_rest */
  REAL *pair_factor;
  REAL root[MAX_NODES + 1], inverse_root[MAX_NODES + 1];
  REAL c[COSPIN_MAX_FREE][COSPIN_MAX_FREE], ci[COSPIN_MAX_FREE][COSPIN_MAX_FREE];
  REAL l[COSPIN_MAX_POPULATIONS][COSPIN_MAX_POPULATIONS], li[COSPIN_MAX_POPULATIONS][COSPIN_MAX_POPULATIONS];
  COMPLEX s_dp[COSPIN_MAX_FREE][COSPIN_MAX_POPULATIONS];
  double p[COSPIN_MAX_POPULATIONS];
  Moves moves, traced; /* traced: on the sector with a trace; none if this is it */
  REAL node[MAX_NODES], weight[MAX_NODES];
  int num_nodes;
  double rounding;
  COMPLEX *matrix, *x, *y; /* matrix[k + n*l] = M_lk */
  COMPLEX *kappa, *image;  /* [n], of one node */
  REAL *p0, *h0;
};

static REAL size_of(COMPLEX z)
{
  return FABS(REALPART(z)) + FABS(IMAGPART(z));
}

/* ---- Functions ----------------------------------------------------------------------------------------- */

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
    if (dim == 1 && total + 1 == degree) break;
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

/* ---- Coordinates --------------------------------------------------------------------------------------- */

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

/* Nodes of exp(-u^2/2), by Newton's iteration on orthonormal Hermite polynomials from the zeros in between
   those of one degree less. */
static void set_nodes(CospinKernel kernel, int count)
{
  REAL nodes[2][MAX_NODES];
  int from = 0;

  nodes[0][0] = 0;
  for (int m = 2; m <= count; m++) {
    const REAL *old = nodes[from];
    REAL *new = nodes[1 - from];
    for (int i = 0; i < m; i++) {
      const REAL end = SQRT((REAL)(4 * m + 2));
      REAL lo = i == 0 ? -end : old[i - 1], hi = i == m - 1 ? end : old[i], u = (lo + hi) / 2;
      for (int step = 0; step < 200; step++) {
        REAL h[MAX_NODES + 1], next;
        h[0] = 1;
        h[1] = u;
        for (int k = 1; k < m; k++) h[k + 1] = (u * h[k] - SQRT((REAL)k) * h[k - 1]) / SQRT((REAL)(k + 1));
        /* signs of h_m alternate between zeros of h_(m-1); positive beyond the last */
        if ((h[m] > 0) == ((m - 1 - i) % 2 == 0))
          hi = u;
        else
          lo = u;
        next = u - h[m] / (SQRT((REAL)m) * h[m - 1]);
        if (!(next > lo && next < hi)) next = (lo + hi) / 2;
        if (FABS(next - u) <= 4 * (REAL)EPSILON * end) step = 200;
        u = next;
      }
      new[i] = u;
    }
    from = 1 - from;
  }
  kernel->num_nodes = count;
  for (int i = 0; i < count; i++) {
    REAL u = nodes[from][i], a = 1, b = u, sum = 1;
    for (int k = 1; k < count; k++) {
      const REAL next = (u * b - SQRT((REAL)k) * a) / SQRT((REAL)(k + 1));
      sum += b * b;
      a = b;
      b = next;
    }
    kernel->node[i] = u;
    kernel->weight[i] = 1 / sum;
  }
}

/* ---- Moves at the centre ------------------------------------------------------------------------------- */

static void set_factor(CospinKernel kernel, const CospinAffine *a, const double shift[], Factor *factor)
{
  *factor = (Factor){.constant = a->constant, .edge = a->edge};
  for (int k = 0; k < kernel->np; k++) {
    factor->p[k] = a->p[k];
    factor->constant += (SCALAR)a->p[k] * kernel->p[k];
  }
  for (int k = 0; k < kernel->nd; k++) {
    factor->d[k] = a->d[k];
    factor->constant -= (SCALAR)a->d[k] * shift[k];
    if (a->d[k] != 0) factor->moves = PETSC_TRUE;
  }
}

static void set_shift(CospinKernel kernel, const CospinSymbolMove *from, Move *move)
{
  COMPLEX along[COSPIN_MAX_FREE];

  move->still = PETSC_TRUE;
  for (int k = 0; k < kernel->nd; k++) {
    move->d[k] = (int)lround(from->d[k]);
    if (move->d[k]) move->still = PETSC_FALSE;
    along[k] = 0;
    for (int j = 0; j < kernel->np; j++) along[k] -= (COMPLEX)I * kernel->s_dp[k][j] * (REAL)from->p[j];
  }
  for (int k = 0; k < kernel->nd; k++) {
    move->shift[k] = 0;
    for (int j = 0; j <= k; j++) move->shift[k] += kernel->ci[k][j] * along[j];
  }
  for (int k = 0; k < kernel->np; k++) {
    move->shift[kernel->nd + k] = 0;
    for (int j = 0; j <= k; j++) move->shift[kernel->nd + k] += kernel->li[k][j] * (REAL)from->p[j];
    if (from->p[k] != 0) move->still = PETSC_FALSE;
  }
}

static int most_factors(const CospinSymbolMove *move, int nd)
{
  int most = 0;

  for (int c = 0; c < move->num_terms; c++) {
    int count = 0;
    for (int f = 0; f < move->terms[c].num_factors; f++) {
      PetscBool moves = PETSC_FALSE;
      for (int i = 0; i < nd; i++)
        if (move->terms[c].factors[f].d[i] != 0) moves = PETSC_TRUE;
      if (moves) count++;
    }
    most = PetscMax(most, count);
  }
  return most;
}

static COMPLEX expi(REAL re, REAL im)
{
  const REAL size = EXP(re);

  return size * COS(im) + size * SIN(im) * (COMPLEX)I;
}

static PetscErrorCode create_moves(CospinKernel kernel, CospinSymbol symbol, Moves *moves)
{
  PetscFunctionBeginUser;
  PetscCheck(symbol->count <= MAX_MOVES, PETSC_COMM_SELF, PETSC_ERR_SUP, "More than %d moves", MAX_MOVES);
  moves->count = symbol->count;
  PetscCall(PetscCalloc1((size_t)symbol->count + 1, &moves->moves));
  for (int k = 0; k < symbol->count; k++) {
    const CospinSymbolMove *from = &symbol->moves[k];
    Move *move = &moves->moves[k];
    REAL re = 0, im = 0;
    set_shift(kernel, from, move);
    for (int i = 0; i < kernel->nd; i++) {
      re += (REAL)kernel->theta_im[i] * move->d[i];
      im -= (REAL)kernel->theta_re[i] * move->d[i];
    }
    move->phase = expi(re, im);
    move->group = 0;
    while (move->group < k && memcmp(moves->moves[move->group].d, move->d, sizeof(move->d)) != 0)
      move->group++;
    move->num_terms = from->num_terms;
    move->num_orders = kernel->nd ? list_indices(kernel->nd, most_factors(from, kernel->nd) + 1, NULL) : 1;
    PetscCall(PetscMalloc1((size_t)from->num_terms, &move->terms));
    for (int c = 0; c < from->num_terms; c++) {
      Term *term = &move->terms[c];
      const CospinSymbolTerm *t = &from->terms[c];
      *term = (Term){t->coefficient, t->num_factors, t->num_divisors, NULL};
      PetscCall(PetscMalloc1((size_t)(t->num_factors + t->num_divisors) + 1, &term->factors));
      for (int f = 0; f < t->num_factors; f++) set_factor(kernel, &t->factors[f], from->d, &term->factors[f]);
      for (int f = 0; f < t->num_divisors; f++)
        set_factor(kernel, &t->divisors[f], from->d, &term->factors[t->num_factors + f]);
    }
  }
  PetscFunctionReturn(0);
}

/* exp(shift.d/du) = sum over m of product over axes of shift^m/m! d^m/du^m */
static void exponential_series(CospinKernel kernel, const COMPLEX shift[], COMPLEX series[])
{
  series[0] = 1;
  for (int m = 1; m < kernel->n; m++) {
    series[m] = series[kernel->parent[m]];
    for (int k = 1; k <= kernel->power[m]; k++) series[m] *= shift[kernel->axis[m]] / (REAL)k;
  }
}

/* to = D_k from, D_k = -i sum_a ci[a][k] d/du_a */
static void multiply_series(CospinKernel kernel, int k, const COMPLEX from[], COMPLEX to[])
{
  int index[COSPIN_MAX_LABELS];

  for (int m = 0; m < kernel->n; m++) {
    to[m] = 0;
    for (int a = k; a < kernel->nd; a++) {
      for (int i = 0; i < kernel->dim; i++) index[i] = kernel->digits[kernel->dim * m + i];
      if (index[a]-- == 0) continue;
      to[m] -= (COMPLEX)I * kernel->ci[a][k] * from[find_index(kernel->dim, m, kernel->digits, index)];
    }
  }
}

static PetscErrorCode create_series(CospinKernel kernel, Moves *moves)
{
  const size_t n = (size_t)kernel->n;

  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    Move *move = &moves->moves[k];
    PetscCall(PetscMalloc1(n * (size_t)move->num_orders, &move->series));
    exponential_series(kernel, move->shift, move->series);
    for (int o = 1; o < move->num_orders; o++)
      multiply_series(kernel, kernel->order_by[o], move->series + n * (size_t)kernel->order_from[o],
                      move->series + n * (size_t)o);
    move->series[0] = 0;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_moves(Moves *moves)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < moves->count; k++) {
    for (int c = 0; c < moves->moves[k].num_terms; c++)
      PetscCall(PetscFree(moves->moves[k].terms[c].factors));
    PetscCall(PetscFree(moves->moves[k].series));
    PetscCall(PetscFree(moves->moves[k].terms));
  }
  PetscCall(PetscFree(moves->moves));
  PetscFunctionReturn(0);
}

/* ---- At one node --------------------------------------------------------------------------------------- */

/* What all moves share there. */
typedef struct {
  REAL xi[COSPIN_MAX_POPULATIONS];
  COMPLEX turn[COSPIN_MAX_FREE]; /* exp(-i phase) */
  PetscBool inside;              /* labels exist */
} Node;

static Node make_node(CospinKernel kernel, const REAL u[])
{
  Node node = {.inside = PETSC_TRUE};

  for (int i = 0; i < kernel->np; i++)
    for (int j = 0; j <= i; j++) node.xi[i] += kernel->l[i][j] * u[kernel->nd + j];
  for (int i = 0; i < kernel->nd; i++) {
    REAL eta = 0;
    COMPLEX more = 0;
    for (int j = 0; j <= i; j++) eta += kernel->c[i][j] * u[j];
    for (int j = 0; j < kernel->np; j++) more += kernel->s_dp[i][j] * node.xi[j];
    node.turn[i] = expi(REALPART(more), IMAGPART(more) - eta);
  }
  return node;
}

/* The amplitude of a move as a polynomial of D: amplitude[num_orders]. */
static void get_amplitude(CospinKernel kernel, const Move *move, Node *node, SCALAR_COMPLEX amplitude[])
{
  const int num_orders = move->num_orders;
  SCALAR poly[MAX_ORDERS];

  for (int o = 0; o < num_orders; o++) amplitude[o] = 0;
  for (int c = 0; c < move->num_terms; c++) {
    const Term *term = &move->terms[c];
    const int num = term->num_factors + term->num_divisors;
    for (int o = 1; o < num_orders; o++) poly[o] = 0;
    poly[0] = 1;
    for (int f = 0; f < num; f++) {
      const Factor *factor = &term->factors[f];
      SCALAR value = factor->constant;
      for (int k = 0; k < kernel->np; k++)
        if (factor->p[k] != 0) value += (SCALAR)factor->p[k] * node->xi[k];
      if (factor->edge && value <= -1) node->inside = PETSC_FALSE;
      if (f >= term->num_factors) {
        for (int o = 0; o < num_orders; o++) poly[o] /= value;
        continue;
      }
      for (int o = num_orders - 1; o >= 0; o--) {
        const SCALAR old = poly[o];
        poly[o] = value * old;
        for (int k = 0; k < kernel->nd && factor->moves && old != 0; k++) {
          const int to = kernel->order_times[kernel->nd * o + k];
          if (factor->d[k] != 0 && to >= 0 && to < num_orders) poly[to] += (SCALAR)factor->d[k] * old;
        }
      }
    }
    for (int o = 0; o < num_orders; o++)
      amplitude[o] += (SCALAR)creal(term->coefficient) * poly[o] +
                      (SCALAR)cimag(term->coefficient) * poly[o] * (SCALAR_COMPLEX)I;
  }
}

/* h[power + degree*axis] at real u. */
static void set_hermite(CospinKernel kernel, const REAL u[], REAL h[])
{
  for (int a = 0; a < kernel->dim; a++) {
    REAL *row = h + kernel->degree * a;
    row[0] = 1;
    if (kernel->degree > 1) row[1] = u[a];
    for (int k = 1; k + 1 < kernel->degree; k++)
      row[k + 1] = (u[a] * row[k] - kernel->root[k] * row[k - 1]) * kernel->inverse_root[k + 1];
  }
}

/* The functions at u, p0[n], from h0. */
static void set_functions(CospinKernel kernel, const REAL h[], REAL p[])
{
  p[0] = 1;
  for (int l = 1; l < kernel->n; l++)
    p[l] = p[kernel->parent[l]] * h[kernel->degree * kernel->axis[l] + kernel->power[l]];
}

static COMPLEX turn_by(CospinKernel kernel, const Move *move, const Node *node)
{
  COMPLEX value = move->phase;

  for (int k = 0; k < kernel->nd; k++) {
    for (int s = 0; s < move->d[k]; s++) value *= node->turn[k];
    for (int s = 0; s > move->d[k]; s--) value /= node->turn[k];
  }
  return value;
}

/* The amplitude of a move where D = 0. */
static SCALAR_COMPLEX amplitude_at(CospinKernel kernel, const Move *move, const Node *node)
{
  SCALAR_COMPLEX sum = 0;

  for (int c = 0; c < move->num_terms; c++) {
    const Term *term = &move->terms[c];
    SCALAR product = 1;
    for (int f = 0; f < term->num_factors + term->num_divisors; f++) {
      SCALAR value = term->factors[f].constant;
      for (int k = 0; k < kernel->np; k++)
        if (term->factors[f].p[k] != 0) value += (SCALAR)term->factors[f].p[k] * node->xi[k];
      product = f < term->num_factors ? product * value : product / value;
    }
    sum += (SCALAR)creal(term->coefficient) * product +
           (SCALAR)cimag(term->coefficient) * product * (SCALAR_COMPLEX)I;
  }
  return sum;
}

/* kappa[n] of all moves at u, where the functions are p0[n]. */
static void sum_moves(CospinKernel kernel, const Moves *moves, Node *node)
{
  SCALAR_COMPLEX amplitude[MAX_ORDERS], totals[MAX_MOVES];
  COMPLEX *kappa = kernel->kappa;
  const int n = kernel->n;

  for (int m = 0; m < n; m++) kappa[m] = 0;
  for (int k = 0; k < moves->count; k++) {
    const Move *move = &moves->moves[k];
    COMPLEX turn;
    get_amplitude(kernel, move, node, amplitude);
    turn = turn_by(kernel, move, node);
    totals[k] = 0;
    if (kernel->traced.count)
      totals[move->group] += amplitude[0] - amplitude_at(kernel, &kernel->traced.moves[k], node);
    for (int o = move->still ? 1 : 0; o < move->num_orders; o++) {
      const COMPLEX factor = (COMPLEX)amplitude[o] * turn, *series = move->series + (size_t)n * (size_t)o;
      for (int m = 0; m < n; m++) kappa[m] += factor * series[m];
    }
  }
  for (int k = 0; k < moves->count && kernel->traced.count; k++)
    if (moves->moves[k].group == k) kappa[0] += turn_by(kernel, &moves->moves[k], node) * (COMPLEX)totals[k];
}

/* image[n] = L^T P at u, p0[n]. */
static void apply(CospinKernel kernel, const Moves *moves, const REAL u[], Node *node)
{
  *node = make_node(kernel, u);
  set_hermite(kernel, u, kernel->h0);
  set_functions(kernel, kernel->h0, kernel->p0);
  sum_moves(kernel, moves, node);
  for (int l = 0; l < kernel->n; l++) kernel->image[l] = 0;
  for (int i = 0; i < kernel->num_pairs; i++)
    kernel->image[kernel->pair_l[i]] +=
        kernel->pair_factor[i] * kernel->p0[kernel->pair_rest[i]] * kernel->kappa[kernel->pair_m[i]];
}

/* What kappa may be off by: sum over moves of |amplitude| times how far it reaches, at the centre. */
static double estimate_rounding(CospinKernel kernel)
{
  REAL origin[COSPIN_MAX_LABELS] = {0};
  SCALAR_COMPLEX amplitude[MAX_ORDERS];
  Node node = make_node(kernel, origin);
  double sum = 0.0;

  for (int k = 0; k < kernel->moves.count; k++) {
    double reach = 0.0, size;
    get_amplitude(kernel, &kernel->moves.moves[k], &node, amplitude);
    size = (double)size_of((COMPLEX)amplitude[0] * turn_by(kernel, &kernel->moves.moves[k], &node));
    for (int a = 0; a < kernel->dim; a++) {
      const COMPLEX shift = kernel->moves.moves[k].shift[a];
      reach += (double)size_of(shift);
    }
    sum += size * (EPSILON * reach + (double)NAME_SCALAR_EPSILON);
  }
  return sum;
}

/* ---- The matrix ---------------------------------------------------------------------------------------- */

static void add_node(CospinKernel kernel, REAL weight)
{
  const int n = kernel->n;

  for (int k = 0; k < n; k++) kernel->p0[k] *= weight;
  for (int l = 0; l < n; l++) {
    const COMPLEX image = kernel->image[l];
    COMPLEX *row = kernel->matrix + (size_t)n * (size_t)l;
    for (int k = 0; k < n; k++) row[k] += image * kernel->p0[k];
  }
}

/* The i-th node of the product rule; false: its weight does not count. */
static PetscBool get_node(CospinKernel kernel, PetscInt64 i, REAL u[], REAL *weight)
{
  REAL most = 1;

  *weight = 1;
  for (int a = 0; a < kernel->dim; a++) {
    const int k = (int)(i % kernel->num_nodes);
    i /= kernel->num_nodes;
    u[a] = kernel->node[k];
    *weight *= kernel->weight[k];
    most *= kernel->weight[kernel->num_nodes / 2];
  }
  return (PetscBool)(*weight > 0.01 * (REAL)EPSILON * most);
}

/* Sums of all ranks, in the order of ranks; types that MPI cannot add. */
static PetscErrorCode sum_ranks(CospinKernel kernel, size_t count, COMPLEX values[])
{
  COMPLEX *all;

  PetscFunctionBeginUser;
  if (kernel->ranks == 1) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(count * (size_t)kernel->ranks, &all));
  PetscCallMPI(MPI_Allgather(values, (int)(count * sizeof(COMPLEX)), MPI_BYTE, all,
                             (int)(count * sizeof(COMPLEX)), MPI_BYTE, kernel->comm));
  for (size_t k = 0; k < count; k++) {
    values[k] = 0;
    for (int r = 0; r < kernel->ranks; r++) values[k] += all[count * (size_t)r + k];
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* All ranks ask as often, whatever their share. */
static PetscErrorCode assemble(CospinKernel kernel, const CospinInterrupt *interrupt)
{
  PetscInt64 total = 1;
  REAL u[COSPIN_MAX_LABELS], weight;
  Node node;

  PetscFunctionBeginUser;
  for (int a = 0; a < kernel->dim; a++) total *= kernel->num_nodes;
  for (PetscInt64 begin = 0; begin < total; begin += NODES_PER_ASK * kernel->ranks) {
    PetscCall(CospinInterruptCheck(interrupt));
    for (PetscInt64 i = begin + kernel->rank; i < PetscMin(total, begin + NODES_PER_ASK * kernel->ranks);
         i += kernel->ranks) {
      if (!get_node(kernel, i, u, &weight)) continue;
      apply(kernel, &kernel->moves, u, &node);
      add_node(kernel, weight);
    }
  }
  PetscCall(sum_ranks(kernel, (size_t)kernel->n * (size_t)kernel->n, kernel->matrix));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(MPI_Comm comm, CospinSymbol symbol, CospinSymbol traced,
                             const CospinGaussian *gaussian, int degree, const CospinInterrupt *interrupt,
                             CospinKernel *created)
{
  CospinKernel kernel;
  int most = MOST_FACTORS;
  size_t n;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&kernel));
  *created = kernel;
  kernel->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &kernel->rank));
  PetscCallMPI(MPI_Comm_size(comm, &kernel->ranks));
  kernel->symbol = symbol;
  kernel->nd = symbol->labels.num_free;
  kernel->np = symbol->labels.num_populations;
  kernel->dim = kernel->nd + kernel->np;
  kernel->degree = degree;
  PetscCall(create_functions(kernel));
  for (int k = 0; k < symbol->count; k++) most = PetscMax(most, most_factors(&symbol->moves[k], kernel->nd));
  PetscCall(create_orders(kernel, most));
  for (int k = 0; k <= MAX_NODES; k++) {
    kernel->root[k] = SQRT((REAL)k);
    kernel->inverse_root[k] = k ? 1 / kernel->root[k] : 0;
  }
  set_coordinates(kernel, gaussian);
  set_nodes(kernel, degree + EXTRA_NODES);
  PetscCall(create_pairs(kernel));
  PetscCall(create_moves(kernel, symbol, &kernel->moves));
  PetscCall(create_series(kernel, &kernel->moves));
  if (traced) PetscCall(create_moves(kernel, traced, &kernel->traced));
  n = (size_t)kernel->n;
  PetscCall(PetscCalloc3(n * n, &kernel->matrix, n, &kernel->x, n, &kernel->y));
  PetscCall(PetscMalloc4(n, &kernel->kappa, n, &kernel->image, n, &kernel->p0, (size_t)(degree * kernel->dim),
                         &kernel->h0));
  kernel->rounding = estimate_rounding(kernel);
  PetscCall(assemble(kernel, interrupt));
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(CospinKernel *kernel)
{
  PetscFunctionBeginUser;
  if (!*kernel) PetscFunctionReturn(0);
  PetscCall(destroy_moves(&(*kernel)->moves));
  PetscCall(destroy_moves(&(*kernel)->traced));
  PetscCall(PetscFree4((*kernel)->digits, (*kernel)->parent, (*kernel)->axis, (*kernel)->power));
  PetscCall(PetscFree4((*kernel)->pair_l, (*kernel)->pair_m, (*kernel)->pair_rest, (*kernel)->pair_factor));
  PetscCall(PetscFree3((*kernel)->order_times, (*kernel)->order_from, (*kernel)->order_by));
  PetscCall(PetscFree3((*kernel)->matrix, (*kernel)->x, (*kernel)->y));
  PetscCall(PetscFree4((*kernel)->kappa, (*kernel)->image, (*kernel)->p0, (*kernel)->h0));
  PetscCall(PetscFree(*kernel));
  PetscFunctionReturn(0);
}

static int Size(CospinKernel kernel)
{
  return kernel->n;
}

static double Rounding(CospinKernel kernel)
{
  return kernel->rounding;
}

static void Matrix(CospinKernel kernel, double complex matrix[])
{
  const int n = kernel->n;

  for (int l = 0; l < n; l++)
    for (int k = 0; k < n; k++) {
      const COMPLEX value = kernel->matrix[(size_t)k + (size_t)n * (size_t)l];
      matrix[(size_t)l + (size_t)n * (size_t)k] = CMPLX((double)REALPART(value), (double)IMAGPART(value));
    }
}

/* ---- Linear algebra ------------------------------------------------------------------------------------ */

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

/* M x = 0 with x_0 = 1: the first row of M is that of the trace, zero. */
static PetscErrorCode Steady(CospinKernel kernel, PetscBool *ok)
{
  const int n = kernel->n;
  COMPLEX *a;
  int *pivots;

  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)n * (size_t)n, &a, n, &pivots));
  PetscCall(PetscArraycpy(a, kernel->matrix, (size_t)n * (size_t)n));
  for (int k = 0; k < n; k++) a[k] = k == 0;
  for (int k = 0; k < n; k++) kernel->x[k] = k == 0;
  *ok = factorise(n, a, pivots);
  if (*ok) solve(n, a, pivots, kernel->x);
  PetscCall(PetscFree2(a, pivots));
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

/* ---- Expectation values -------------------------------------------------------------------------------- */

/* A^T 1 at a node. */
static COMPLEX read_node(CospinKernel kernel, const Moves *moves, const Node *node)
{
  SCALAR_COMPLEX sum = 0;

  for (int k = 0; k < moves->count; k++)
    sum += (SCALAR_COMPLEX)turn_by(kernel, &moves->moves[k], node) *
           amplitude_at(kernel, &moves->moves[k], node);
  return (COMPLEX)sum;
}

/* b[n] = <A^T 1, P_k> */
static PetscErrorCode project(CospinKernel kernel, const Moves *moves, COMPLEX b[])
{
  PetscInt64 total = 1;
  REAL u[COSPIN_MAX_LABELS], weight;

  PetscFunctionBeginUser;
  for (int a = 0; a < kernel->dim; a++) total *= kernel->num_nodes;
  for (int k = 0; k < kernel->n; k++) b[k] = 0;
  for (PetscInt64 i = kernel->rank; i < total; i += kernel->ranks) {
    COMPLEX value;
    Node node;
    if (!get_node(kernel, i, u, &weight)) continue;
    node = make_node(kernel, u);
    set_hermite(kernel, u, kernel->h0);
    set_functions(kernel, kernel->h0, kernel->p0);
    value = weight * read_node(kernel, moves, &node);
    for (int k = 0; k < kernel->n; k++) b[k] += value * kernel->p0[k];
  }
  PetscCall(sum_ranks(kernel, (size_t)kernel->n, b));
  PetscFunctionReturn(0);
}

/* y^T M = b^T - value e_0^T with y_0 = 0: the place of y_0 is taken by the value. */
static PetscErrorCode Expect(CospinKernel kernel, CospinSymbol symbol, double complex *value, PetscBool *ok)
{
  const int n = kernel->n;
  COMPLEX *a;
  Moves moves;
  int *pivots;

  PetscFunctionBeginUser;
  PetscCall(create_moves(kernel, symbol, &moves));
  PetscCall(PetscMalloc2((size_t)n * (size_t)n, &a, n, &pivots));
  PetscCall(project(kernel, &moves, kernel->y));
  PetscCall(PetscArraycpy(a, kernel->matrix, (size_t)n * (size_t)n));
  for (int k = 0; k < n; k++) a[k] = k == 0;
  *ok = factorise(n, a, pivots);
  if (*ok) solve_transposed(n, a, pivots, kernel->y);
  *value = CMPLX((double)REALPART(kernel->y[0]), (double)IMAGPART(kernel->y[0]));
  kernel->y[0] = 0;
  PetscCall(PetscFree2(a, pivots));
  PetscCall(destroy_moves(&moves));
  PetscFunctionReturn(0);
}

/* ---- Certificate --------------------------------------------------------------------------------------- */

/* The k-th of a fixed sequence of standard normal points. */
static void get_sample(CospinKernel kernel, int k, REAL u[])
{
  uint64_t state = 0x9E3779B97F4A7C15u * (uint64_t)(k + 1);
  double uniform[COSPIN_MAX_LABELS + 1];

  for (int a = 0; a <= kernel->dim; a++) { /* splitmix64 */
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    uniform[a] = ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
  }
  for (int a = 0; a < kernel->dim; a++) {
    const double size = sqrt(-2 * log(uniform[a & ~1])), angle = 2 * PETSC_PI * uniform[a | 1];
    u[a] = size * (a & 1 ? sin(angle) : cos(angle));
  }
}

/* x of the other kernel, scaled so that its product with y is that of this one; NULL: none. */
static COMPLEX scale_to(CospinKernel kernel, CospinKernel other, PetscBool steady)
{
  if (steady) return 1;
  return dot(kernel->n, kernel->x, kernel->y) / dot(PetscMin(kernel->n, other->n), other->x, kernel->y);
}

static PetscErrorCode Certify(CospinKernel kernel, CospinSymbol symbol, double complex value,
                              CospinKernel other, CospinCertificate *certificate, double *outside)
{
  double sums[4] = {0}; /* |x r|, |(x - x') r|, points, outside */
  const COMPLEX lambda = (REAL)creal(value) + (REAL)cimag(value) * (COMPLEX)I;
  const COMPLEX scale = other ? scale_to(kernel, other, (PetscBool)(symbol != NULL)) : 0;
  const COMPLEX overlap = symbol ? (COMPLEX)1 : dot(kernel->n, kernel->x, kernel->y);
  Moves moves = {0};

  PetscFunctionBeginUser;
  if (symbol) PetscCall(create_moves(kernel, symbol, &moves));
  for (int k = kernel->rank; k < NUM_SAMPLES; k += kernel->ranks) {
    REAL u[COSPIN_MAX_LABELS];
    COMPLEX r, x = 0, less = 0;
    Node node;
    get_sample(kernel, k, u);
    apply(kernel, &kernel->moves, u, &node);
    r = dot(kernel->n, kernel->y, kernel->image);
    for (int l = 0; l < kernel->n; l++) x += kernel->x[l] * kernel->p0[l];
    for (int l = 0; other && l < PetscMin(kernel->n, other->n); l++) less += other->x[l] * kernel->p0[l];
    if (symbol) {
      r -= read_node(kernel, &moves, &node) - lambda;
    } else {
      for (int l = 0; l < kernel->n; l++) r -= lambda * kernel->y[l] * kernel->p0[l];
    }
    sums[2] += 1;
    sums[3] += !node.inside;
    if (!node.inside) continue;
    r /= overlap;
    sums[0] += (double)(size_of(x) * size_of(r));
    less = x - scale * less;
    sums[1] += (double)(size_of(less) * size_of(r));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 4, MPI_DOUBLE, MPI_SUM, kernel->comm));
  *certificate = (CospinCertificate){sums[0] / sums[2], other ? sums[1] / sums[2] : INFINITY};
  *outside = sums[3] / sums[2];
  PetscCall(destroy_moves(&moves));
  PetscFunctionReturn(0);
}

const CospinKernelOps KERNEL = {.name = KERNEL_NAME,
                                .epsilon = NAME_EPSILON,
                                .Create = Create,
                                .Destroy = Destroy,
                                .Size = Size,
                                .Rounding = Rounding,
                                .Matrix = Matrix,
                                .Steady = Steady,
                                .Eigen = Eigen,
                                .Expect = Expect,
                                .Certify = Certify};
