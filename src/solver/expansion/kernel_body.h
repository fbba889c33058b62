/*
   The kernel (kernel.h) for the types REAL (vectors) and SCALAR (what cancels at one node).

   With the coherences Fourier transformed, a test function Y(phase, p) and a move of shift s and amplitude a

     (L^T Y)(phase, p) = sum over moves of exp(-i (theta + phase).s_d) a(D - s_d, p) Y(phase, p + s_p),
                         D = -i d/dphase

   which is exact: the amplitude is a polynomial in the coherences at which it is taken, the source's, and D
   is what they are for a function of phases. Y = 1 is the trace, and L^T 1 = 0 without coherences at every
   point, so zero is an eigenvalue of every projection. Tr(A rho) is read likewise: A^T 1.

   The integrals <.,.> over X are Gauss-Hermite sums (kernel_grid.h), exact for polynomial
   amplitudes up to degree 7. Sums over labels are such integrals up to terms that are exponentially small in
   the number of labels over which X extends (Poisson).

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
#include "degrees.h"
#include "solver/binomial.h"
#include <math.h>
#include <string.h>

enum {
  MOST_FACTORS = 6 /* of an observable that depend on coherences */,
  EXTRA_NODES = 3,
  MAX_NODES = 48,
  NUM_SAMPLES = 600,
  MAX_STEPS = 4000 /* of an evolution */,
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
  PetscBool plain; /* of no generator: nothing is known to cancel in kappa_0 */
  Move *moves;
} Moves;

struct CospinKernel_ {
  MPI_Comm comm;
  int rank, ranks, nd, np, dim, degree, n;
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
  PetscInt64 num_points;
  REAL *points, *weights; /* points[dim*num_points] of integrals */
  double amplified;       /* sum of |weights| */
  double rounding;
  COMPLEX *matrix, *x, *y; /* matrix[k + n*l] = M_lk */
  COMPLEX *bordered;       /* factors of M with e_0 in place of its first row; NULL: not made */
  int *pivots;
  COMPLEX *kappa, *image; /* [n], of one node */
  REAL *p0, *h0;
};

static REAL size_of(COMPLEX z)
{
  return FABS(REALPART(z)) + FABS(IMAGPART(z));
}

#include "kernel_functions.h"
#include "kernel_grid.h"
#include "kernel_moves.h"

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
  const PetscInt64 total = kernel->num_points;
  Node node;

  PetscFunctionBeginUser;
  for (PetscInt64 begin = 0; begin < total; begin += NODES_PER_ASK * kernel->ranks) {
    PetscCall(CospinInterruptCheck(interrupt));
    for (PetscInt64 i = begin + kernel->rank; i < PetscMin(total, begin + NODES_PER_ASK * kernel->ranks);
         i += kernel->ranks) {
      apply(kernel, &kernel->moves, kernel->points + kernel->dim * i, &node);
      add_node(kernel, kernel->weights[i]);
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
  PetscCall(create_grid(kernel, degree + EXTRA_NODES));
  PetscCall(create_pairs(kernel));
  PetscCall(create_moves(kernel, symbol, &kernel->moves));
  PetscCall(create_series(kernel, &kernel->moves));
  if (traced) PetscCall(create_moves(kernel, traced, &kernel->traced));
  n = (size_t)kernel->n;
  PetscCall(PetscCalloc3(n * n, &kernel->matrix, n, &kernel->x, n, &kernel->y));
  PetscCall(PetscMalloc4(n, &kernel->kappa, n, &kernel->image, n, &kernel->p0, (size_t)(degree * kernel->dim),
                         &kernel->h0));
  kernel->rounding = kernel->amplified * estimate_rounding(kernel);
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
  PetscCall(PetscFree2((*kernel)->bordered, (*kernel)->pivots));
  PetscCall(PetscFree2((*kernel)->points, (*kernel)->weights));
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

#include "kernel_algebra.h"
#include "kernel_hessenberg.h"

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
  PetscFunctionBeginUser;
  for (int k = 0; k < kernel->n; k++) b[k] = 0;
  for (PetscInt64 i = kernel->rank; i < kernel->num_points; i += kernel->ranks) {
    const REAL *u = kernel->points + kernel->dim * i;
    Node node = make_node(kernel, u);
    COMPLEX value;
    set_hermite(kernel, u, kernel->h0);
    set_functions(kernel, kernel->h0, kernel->p0);
    value = kernel->weights[i] * read_node(kernel, moves, &node);
    for (int k = 0; k < kernel->n; k++) b[k] += value * kernel->p0[k];
  }
  PetscCall(sum_ranks(kernel, (size_t)kernel->n, b));
  PetscFunctionReturn(0);
}

/* y^T M = b^T - value e_0^T with y_0 = 0: the place of y_0 is taken by the value. */
static PetscErrorCode Expect(CospinKernel kernel, CospinSymbol symbol, double complex *value, PetscBool *ok)
{
  Moves moves;

  PetscFunctionBeginUser;
  PetscCall(create_moves(kernel, symbol, &moves));
  PetscCall(project(kernel, &moves, kernel->y));
  PetscCall(border(kernel, ok));
  if (*ok) solve_transposed(kernel->n, kernel->bordered, kernel->pivots, kernel->y);
  *value = CMPLX((double)REALPART(kernel->y[0]), (double)IMAGPART(kernel->y[0]));
  kernel->y[0] = 0;
  PetscCall(destroy_moves(&moves));
  PetscFunctionReturn(0);
}

/* <A^T y, x> - value <y, x> */
static PetscErrorCode Second(CospinKernel kernel, CospinSymbol symbol, double complex value,
                             double complex *second)
{
  const int n = kernel->n;
  const COMPLEX mean = (REAL)creal(value) + (REAL)cimag(value) * (COMPLEX)I;
  COMPLEX sum = 0;
  Moves moves;

  PetscFunctionBeginUser;
  PetscCall(create_moves(kernel, symbol, &moves));
  PetscCall(create_series(kernel, &moves));
  moves.plain = PETSC_TRUE;
  for (PetscInt64 i = kernel->rank; i < kernel->num_points; i += kernel->ranks) {
    COMPLEX x = 0;
    Node node;
    apply(kernel, &moves, kernel->points + kernel->dim * i, &node);
    for (int k = 0; k < n; k++) x += kernel->x[k] * kernel->p0[k];
    sum += kernel->weights[i] * x * dot(n, kernel->y, kernel->image);
  }
  PetscCall(sum_ranks(kernel, 1, &sum));
  sum -= mean * dot(n, kernel->y, kernel->x);
  *second = CMPLX((double)REALPART(sum), (double)IMAGPART(sum));
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
                              CospinKernel other, CospinCertificate *certificate)
{
  double sums[3] = {0}; /* |x r|, |(x - x') r|, points at which labels exist */
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
    if (!node.inside) continue;
    sums[2] += 1;
    r /= overlap;
    sums[0] += (double)(size_of(x) * size_of(r));
    less = x - scale * less;
    sums[1] += (double)(size_of(less) * size_of(r));
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 3, MPI_DOUBLE, MPI_SUM, kernel->comm));
  *certificate = (CospinCertificate){sums[0] / sums[2], other ? sums[1] / sums[2] : INFINITY};
  PetscCall(destroy_moves(&moves));
  PetscFunctionReturn(0);
}

#include "kernel_regression.h"

const CospinKernelOps KERNEL = {.Create = Create,
                                .Destroy = Destroy,
                                .Size = Size,
                                .Rounding = Rounding,
                                .Matrix = Matrix,
                                .Steady = Steady,
                                .Eigen = Eigen,
                                .Expect = Expect,
                                .Second = Second,
                                .Certify = Certify,
                                .Regress = Regress,
                                .DestroyRegression = DestroyRegression,
                                .Transform = Transform,
                                .Evolve = Evolve};
