/*
   Two-sided rational interpolation of H(s) = a^H (s - L)^-1 b.

     for every frequency that is asked for: v_j = (s_j - L)^-1 b and w_j = (s_j - L)^-H a, one factorisation
     H_r(s) = a^H V (W^H (s - L) V)^-1 W^H b

   has the value and the first derivative of H at all s_j (Antoulas, Beattie, Gugercin, Interpolatory Methods
   for Model Reduction, SIAM 2020, chapter 3). The error is a product,

     H - H_r = l^H (s - L)^-1 r,   r = b - (s - L) V c,   l = a - (s - L)^H W d,

   with c, d the solutions of the projected equation and of its adjoint. Since (s_j - L) v_j = b, the residual
   r lies in the span of b and V: its norm is that of a short vector of coefficients, free of cancellation.
   |(s - L)^-1| is at least |V c|/|b| and |W d|/|a|; what that leaves out is learnt from every new solve,
   which shows how wrong the model was there.

   Each side keeps an orthonormal basis Q of [b V] (long vectors), and in coefficients of Q an orthonormal
   basis U of V with L Q U = Q F. The small matrices are the same on every rank.
*/
#include "small.h"
#include <cospin/solver/resolvent.h>

enum { NUM_RATIOS = 3 };
static const double dependent = 1e-13, nearly_dependent = 1e-11, /* of a new vector on those before it */
    null_distance = 1e-8;
/* The true error over what the residuals alone say is learnt from solves; it is taken to be at least this,
   and four times what was seen. */
static const double safety = 4.0, least_ratio = 1e-3, zero = 1e-13;

/* b and V of one side; a and W of the other one, where L^H stands for L and conj(s) for s. */
typedef struct {
  Vec source;  /* b, borrowed */
  double size; /* |b| */
  int rows;
  Vec basis[COSPIN_SMALL_ROWS]; /* Q */
  PetscScalar *u, *f;           /* U, F: [rows][order] */
  /* of the model: U and F times the vectors that the Schur form belongs to */
  PetscScalar *u_z, *f_z;
} Side;

struct CospinResolvent_ {
  CospinChannel *channel; /* borrowed */
  int order, solves;
  Side right, left;
  PetscScalar *gram; /* [left.rows][right.rows] Q_left^H Q_right */
  PetscBool exhausted, has_model;
  PetscScalar *schur;        /* T of G^-1 M = Z T Z^H, with G = W^H V and M = W^H L V in the bases U */
  PetscScalar *source;       /* Z^H G^-1 W^H b */
  PetscScalar *target;       /* Z^H V^H a */
  double largest, brightest; /* of |a^H v| / (|a| |v|), and of |a^H v|, so far */
  double ratios[NUM_RATIOS], residual, condition; /* of solves, of G */
  Vec bright;                                     /* v of the latter */
  double complex whole;                           /* a^H b */
};

/* ---- Long vectors -------------------------------------------------------------------------------------- */

/* x -= Q h with h = Q^H x, twice; h[rows] */
static PetscErrorCode orthogonalise(const Side *side, Vec x, PetscScalar h[])
{
  PetscScalar part[COSPIN_SMALL_ROWS];

  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(h, COSPIN_SMALL_ROWS));
  for (int pass = 0; pass < 2; pass++) {
    PetscCall(VecMDot(x, side->rows, side->basis, part));
    for (int i = 0; i < side->rows; i++) h[i] += part[i];
    for (int i = 0; i < side->rows; i++) part[i] = -part[i];
    PetscCall(VecMAXPY(x, side->rows, part, (Vec *)(uintptr_t)side->basis));
  }
  PetscFunctionReturn(0);
}

/* x enters the basis unless it is in its span; coefficients[COSPIN_SMALL_ROWS]: of x. Takes x. */
static PetscErrorCode add_to_basis(Side *side, Vec x, PetscScalar coefficients[])
{
  PetscReal before, after;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(x, NORM_2, &before));
  PetscCall(orthogonalise(side, x, coefficients));
  PetscCall(VecNorm(x, NORM_2, &after));
  if (after > dependent * before) {
    PetscCall(VecScale(x, 1.0 / after));
    coefficients[side->rows] = after;
    side->basis[side->rows++] = x;
  } else {
    PetscCall(VecDestroy(&x));
  }
  PetscFunctionReturn(0);
}

/* A side begins with its source: b on the right, a on the left. */
static PetscErrorCode create_side(Vec source, Side *side)
{
  PetscScalar coefficients[COSPIN_SMALL_ROWS];
  Vec first;

  PetscFunctionBeginUser;
  side->source = source;
  PetscCall(CospinSmallCreate(&side->u));
  PetscCall(CospinSmallCreate(&side->f));
  PetscCall(CospinSmallCreate(&side->u_z));
  PetscCall(CospinSmallCreate(&side->f_z));
  PetscCall(VecNorm(source, NORM_2, &side->size));
  PetscCall(VecDuplicate(source, &first));
  PetscCall(VecCopy(source, first));
  if (side->size > 0) PetscCall(add_to_basis(side, first, coefficients));
  if (side->size <= 0) PetscCall(VecDestroy(&first));
  PetscFunctionReturn(0);
}

static PetscErrorCode destroy_side(Side *side)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < side->rows; k++) PetscCall(VecDestroy(&side->basis[k]));
  PetscCall(PetscFree(side->u));
  PetscCall(PetscFree(side->f));
  PetscCall(PetscFree(side->u_z));
  PetscCall(PetscFree(side->f_z));
  PetscFunctionReturn(0);
}

/* Writes the solution of coefficients r behind column `order` of U: *ok is false if that lies in the span of
   the columns before. L v = s v - b. */
static PetscErrorCode add_column(Side *side, int order, PetscScalar s, const PetscScalar r[], PetscBool *ok)
{
  PetscScalar *u = &COSPIN_SMALL_AT(side->u, 0, order), *f = &COSPIN_SMALL_AT(side->f, 0, order);
  const double size = CospinSmallNorm(side->rows, r);
  double rest;

  PetscFunctionBeginUser;
  for (int i = 0; i < side->rows; i++) u[i] = r[i];
  for (int i = 0; i < side->rows; i++) f[i] = s * r[i];
  f[0] -= side->size;
  for (int pass = 0; pass < 2; pass++) {
    for (int k = 0; k < order; k++) {
      PetscScalar h = 0.0;
      for (int i = 0; i < side->rows; i++) h += PetscConj(COSPIN_SMALL_AT(side->u, i, k)) * u[i];
      for (int i = 0; i < side->rows; i++) u[i] -= h * COSPIN_SMALL_AT(side->u, i, k);
      for (int i = 0; i < side->rows; i++) f[i] -= h * COSPIN_SMALL_AT(side->f, i, k);
    }
  }
  rest = CospinSmallNorm(side->rows, u);
  *ok = (PetscBool)(rest > nearly_dependent * size);
  for (int i = 0; i < side->rows; i++) u[i] = *ok ? u[i] / rest : 0.0;
  for (int i = 0; i < side->rows; i++) f[i] = *ok ? f[i] / rest : 0.0;
  PetscFunctionReturn(0);
}

/* ---- The model ----------------------------------------------------------------------------------------- */

/* Q_left^H Q_right for columns and rows from these on. */
static PetscErrorCode extend_gram(CospinResolvent resolvent, int left_rows, int right_rows)
{
  Side *left = &resolvent->left, *right = &resolvent->right;
  PetscScalar products[COSPIN_SMALL_ROWS];

  PetscFunctionBeginUser;
  for (int j = right_rows; j < right->rows; j++)
    PetscCall(VecMDot(right->basis[j], left->rows, left->basis, &COSPIN_SMALL_AT(resolvent->gram, 0, j)));
  for (int i = left_rows; i < left->rows; i++) {
    PetscCall(VecMDot(left->basis[i], right->rows, right->basis, products));
    for (int j = 0; j < right->rows; j++) COSPIN_SMALL_AT(resolvent->gram, i, j) = PetscConj(products[j]);
  }
  PetscFunctionReturn(0);
}

/* Z^H G^-1 U_left^H gram b and Z^H U_right^H gram^H a: b and a are multiples of the first basis vectors. */
static void project_sources(CospinResolvent resolvent, const PetscScalar inverse[], const PetscScalar z[],
                            PetscScalar work[])
{
  const Side *left = &resolvent->left, *right = &resolvent->right;
  const int n = resolvent->order;
  PetscScalar first_row[COSPIN_SMALL_ROWS], b[COSPIN_SMALL_ROWS];

  CospinSmallMultiply(PETSC_TRUE, n, 1, left->rows, left->u, resolvent->gram, work);
  CospinSmallMultiply(PETSC_FALSE, n, 1, n, inverse, work, b);
  for (int i = 0; i < n; i++) b[i] *= right->size;
  CospinSmallMultiply(PETSC_TRUE, n, 1, n, z, b, resolvent->source);
  for (int j = 0; j < right->rows; j++) first_row[j] = PetscConj(COSPIN_SMALL_AT(resolvent->gram, 0, j));
  CospinSmallMultiply(PETSC_TRUE, n, 1, right->rows, right->u, first_row, work);
  for (int i = 0; i < n; i++) work[i] *= left->size;
  CospinSmallMultiply(PETSC_TRUE, n, 1, n, z, work, resolvent->target);
}

/* The small matrices of H_r, once for each new solve: after that any frequency costs an r x r solve. */
static PetscErrorCode compute_model(CospinResolvent resolvent)
{
  Side *left = &resolvent->left, *right = &resolvent->right;
  const int n = resolvent->order;
  PetscScalar *inverse, *m, *z, *work;

  PetscFunctionBeginUser;
  PetscCall(CospinSmallCreate(&inverse));
  PetscCall(CospinSmallCreate(&m));
  PetscCall(CospinSmallCreate(&z));
  PetscCall(CospinSmallCreate(&work));
  CospinSmallMultiply(PETSC_FALSE, left->rows, n, right->rows, resolvent->gram, right->u, work);
  CospinSmallMultiply(PETSC_TRUE, n, n, left->rows, left->u, work, inverse); /* G */
  resolvent->condition = CospinSmallNorm(n * COSPIN_SMALL_ROWS, inverse);
  PetscCall(CospinSmallInvert(n, inverse, &resolvent->has_model));
  resolvent->condition *= CospinSmallNorm(n * COSPIN_SMALL_ROWS, inverse);
  if (resolvent->has_model) {
    CospinSmallMultiply(PETSC_FALSE, left->rows, n, right->rows, resolvent->gram, right->f, work);
    CospinSmallMultiply(PETSC_TRUE, n, n, left->rows, left->u, work, m);
    CospinSmallMultiply(PETSC_FALSE, n, n, n, inverse, m, resolvent->schur);
    PetscCall(CospinSmallSchur(n, resolvent->schur, z));
    project_sources(resolvent, inverse, z, work);
    CospinSmallMultiply(PETSC_FALSE, right->rows, n, n, right->u, z, right->u_z);
    CospinSmallMultiply(PETSC_FALSE, right->rows, n, n, right->f, z, right->f_z);
    CospinSmallMultiply(PETSC_TRUE, n, n, n, inverse, z, work); /* G^-H Z */
    CospinSmallMultiply(PETSC_FALSE, left->rows, n, n, left->u, work, left->u_z);
    CospinSmallMultiply(PETSC_FALSE, left->rows, n, n, left->f, work, left->f_z);
  }
  PetscCall(PetscFree(work));
  PetscCall(PetscFree(z));
  PetscCall(PetscFree(m));
  PetscCall(PetscFree(inverse));
  PetscFunctionReturn(0);
}

/* x = (s - T)^-1 b, or (s - T)^-H b */
static void solve_schur(CospinResolvent resolvent, PetscScalar s, PetscBool adjoint, const PetscScalar b[],
                        PetscScalar x[])
{
  const int n = resolvent->order;

  for (int step = 0; step < n; step++) {
    const int i = adjoint ? step : n - 1 - step, begin = adjoint ? 0 : i + 1, end = adjoint ? i : n;
    const PetscScalar pivot = s - COSPIN_SMALL_AT(resolvent->schur, i, i);
    PetscScalar sum = b[i];
    for (int k = begin; k < end; k++)
      sum += (adjoint ? PetscConj(COSPIN_SMALL_AT(resolvent->schur, k, i))
                      : COSPIN_SMALL_AT(resolvent->schur, i, k)) *
             x[k];
    x[i] = sum / (adjoint ? PetscConj(pivot) : pivot);
  }
}

/* |b - (s - L) V c| and |V c|, c being x in the vectors of the Schur form */
static void measure(const Side *side, int order, PetscScalar s, const PetscScalar x[], double *residual,
                    double *size)
{
  PetscScalar solution[COSPIN_SMALL_ROWS], rest[COSPIN_SMALL_ROWS];

  for (int i = 0; i < side->rows; i++) {
    solution[i] = 0.0;
    rest[i] = i == 0 ? side->size : 0.0;
    for (int k = 0; k < order; k++) {
      solution[i] += COSPIN_SMALL_AT(side->u_z, i, k) * x[k];
      rest[i] -= (s * COSPIN_SMALL_AT(side->u_z, i, k) - COSPIN_SMALL_AT(side->f_z, i, k)) * x[k];
    }
  }
  *residual = CospinSmallNorm(side->rows, rest);
  *size = CospinSmallNorm(side->rows, solution);
}

/* Nothing on one of the sides, or two sides that do not know of each other. */
static PetscBool is_zero(CospinResolvent resolvent)
{
  return (PetscBool)(resolvent->right.size <= 0 || resolvent->left.size <= 0 ||
                     (resolvent->solves >= NUM_RATIOS && resolvent->largest <= zero));
}

/* `raw`: estimate of the error before it is scaled by what has been learnt. `rounding`: what is left of it in
   any case, y^H dL x with |dL| = |L| times the residual of solves, or times what the inverse of G adds (its
   condition is the worst case, errors of many elements are nearer to the root of that). */
static void evaluate(CospinResolvent resolvent, PetscScalar s, double complex *value, double *raw,
                     double *rounding)
{
  const Side *left = &resolvent->left, *right = &resolvent->right;
  PetscScalar x[COSPIN_SMALL_ROWS], y[COSPIN_SMALL_ROWS];
  double right_residual, right_size, left_residual, left_size;

  *value = CMPLX(NAN, NAN);
  *raw = PETSC_INFINITY;
  *rounding = 0.0;
  if (is_zero(resolvent)) *value = *raw = 0.0;
  if (is_zero(resolvent) || !resolvent->has_model) return;
  solve_schur(resolvent, s, PETSC_FALSE, resolvent->source, x);
  solve_schur(resolvent, s, PETSC_TRUE, resolvent->target, y);
  *value = 0.0;
  for (int k = 0; k < resolvent->order; k++) *value += PetscConj(resolvent->target[k]) * x[k];
  measure(right, resolvent->order, s, x, &right_residual, &right_size);
  measure(left, resolvent->order, PetscConj(s), y, &left_residual, &left_size);
  *raw = right_residual * left_residual * PetscMax(right_size / right->size, left_size / left->size);
  *rounding = PetscMax(resolvent->residual, PETSC_MACHINE_EPSILON * PetscSqrtReal(resolvent->condition)) *
              resolvent->channel->eigensolver->norm * left_size * right_size;
  if (PetscIsNanReal(*raw)) *raw = PETSC_INFINITY;
}

/* ---- Solves -------------------------------------------------------------------------------------------- */

/* Where the generator has a null vector, s stays away from it. */
static double complex shift_of(CospinResolvent resolvent, double omega)
{
  const double distance = null_distance * resolvent->channel->eigensolver->norm;

  return CMPLX(resolvent->channel->steady && PetscAbsReal(omega) < distance ? distance : 0.0, omega);
}

/* v -= rho Tr v, w -= trace (rho^H w): rounding errors that the null space has magnified. */
static PetscErrorCode remove_null(const CospinChannel *channel, Vec v, Vec w)
{
  PetscScalar part;

  PetscFunctionBeginUser;
  if (!channel->steady) PetscFunctionReturn(0);
  PetscCall(VecDot(v, channel->trace, &part));
  PetscCall(VecAXPY(v, -part, channel->steady));
  PetscCall(VecDot(w, channel->steady, &part));
  PetscCall(VecAXPY(w, -part, channel->trace));
  PetscFunctionReturn(0);
}

/* |b - (s - L) v| of the solve itself, with the matrix: what the factors left. */
static PetscErrorCode measure_residual(CospinResolvent resolvent, double complex s, Vec v)
{
  CospinEigensolver eigensolver = resolvent->channel->eigensolver;
  PetscReal size, rest;
  Vec image;

  PetscFunctionBeginUser;
  PetscCall(VecDuplicate(v, &image));
  PetscCall(MatMult(eigensolver->liouvillian, v, image));
  PetscCall(VecAXPBYPCZ(image, -(PetscScalar)s, 1.0, 1.0, v, resolvent->right.source));
  PetscCall(VecNorm(v, NORM_2, &size));
  PetscCall(VecNorm(image, NORM_2, &rest));
  PetscCall(VecDestroy(&image));
  resolvent->residual = PetscMax(resolvent->residual, rest / (eigensolver->norm * size));
  if (PetscIsInfOrNanReal(rest)) resolvent->residual = PETSC_INFINITY;
  PetscFunctionReturn(0);
}

/* What the model said of the new value, against what it said of its own error. */
static void learn(CospinResolvent resolvent, double wrong, double raw)
{

  for (int k = NUM_RATIOS - 1; k > 0; k--) resolvent->ratios[k] = resolvent->ratios[k - 1];
  resolvent->ratios[0] = raw > 0 && !PetscIsInfReal(raw) ? PetscMax(wrong, 0.0) / raw : 1.0;
}

/* Takes v and w. */
static PetscErrorCode add_solutions(CospinResolvent resolvent, double complex s, Vec v, Vec w)
{
  const int left_rows = resolvent->left.rows, right_rows = resolvent->right.rows;
  PetscScalar r[COSPIN_SMALL_ROWS], l[COSPIN_SMALL_ROWS];
  PetscBool right_ok, left_ok;

  PetscFunctionBeginUser;
  PetscCall(add_to_basis(&resolvent->right, v, r));
  PetscCall(add_to_basis(&resolvent->left, w, l));
  PetscCall(extend_gram(resolvent, left_rows, right_rows));
  PetscCall(add_column(&resolvent->right, resolvent->order, (PetscScalar)s, r, &right_ok));
  PetscCall(add_column(&resolvent->left, resolvent->order, (PetscScalar)conj(s), l, &left_ok));
  resolvent->exhausted = (PetscBool)(!right_ok || !left_ok);
  if (!resolvent->exhausted) {
    resolvent->order++;
    PetscCall(compute_model(resolvent));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinResolventEnlarge(CospinResolvent resolvent, double omega, double complex *exact,
                                      double complex *before)
{
  const double complex s = shift_of(resolvent, omega);
  PetscScalar value;
  PetscReal size;
  double raw, rounding;
  Vec v, w;

  PetscFunctionBeginUser;
  evaluate(resolvent, (PetscScalar)s, before, &raw, &rounding);
  PetscCall(VecDuplicate(resolvent->right.source, &v));
  PetscCall(VecDuplicate(resolvent->left.source, &w));
  PetscCall(CospinEigensolverResolvent(resolvent->channel->eigensolver, s, resolvent->right.source,
                                       resolvent->left.source, v, w));
  /* In the steady state's own sector rounding brings back a part along the null vectors, which would look
     like a pole at zero. */
  PetscCall(remove_null(resolvent->channel, v, w));
  PetscCall(measure_residual(resolvent, s, v));
  PetscCall(VecDot(v, resolvent->left.source, &value));
  *exact = value;
  PetscCall(VecNorm(v, NORM_2, &size));
  resolvent->largest = PetscMax(resolvent->largest, cabs(*exact) / (size * resolvent->left.size));
  if (resolvent->has_model) learn(resolvent, cabs(*exact - *before) - rounding, raw);
  if (!resolvent->bright) PetscCall(VecDuplicate(v, &resolvent->bright));
  if (cabs(*exact) >= resolvent->brightest) PetscCall(VecCopy(v, resolvent->bright));
  resolvent->brightest = PetscMax(resolvent->brightest, cabs(*exact));
  resolvent->solves++;
  if (resolvent->residual < PETSC_INFINITY) {
    PetscCall(add_solutions(resolvent, s, v, w));
  } else {
    PetscCall(VecDestroy(&v));
    PetscCall(VecDestroy(&w));
  }
  PetscFunctionReturn(0);
}

/* ---- What is seen from outside ------------------------------------------------------------------------- */

PetscErrorCode CospinResolventCreate(CospinChannel *channel, CospinResolvent *resolvent)
{
  CospinResolvent new;
  PetscScalar whole;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(&new));
  *resolvent = new;
  new->channel = channel;
  for (int k = 0; k < NUM_RATIOS; k++) new->ratios[k] = 1.0;
  PetscCall(create_side(channel->perturbed, &new->right));
  PetscCall(create_side(channel->reading, &new->left));
  PetscCall(CospinSmallCreate(&new->gram));
  PetscCall(CospinSmallCreate(&new->schur));
  PetscCall(CospinSmallCreate(&new->source));
  PetscCall(CospinSmallCreate(&new->target));
  PetscCall(extend_gram(new, 0, 0));
  PetscCall(VecDot(new->right.source, new->left.source, &whole));
  new->whole = whole;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinResolventDestroy(CospinResolvent *resolvent)
{
  PetscFunctionBeginUser;
  if (!*resolvent) PetscFunctionReturn(0);
  PetscCall(VecDestroy(&(*resolvent)->bright));
  PetscCall(destroy_side(&(*resolvent)->right));
  PetscCall(destroy_side(&(*resolvent)->left));
  PetscCall(PetscFree((*resolvent)->gram));
  PetscCall(PetscFree((*resolvent)->schur));
  PetscCall(PetscFree((*resolvent)->source));
  PetscCall(PetscFree((*resolvent)->target));
  PetscCall(PetscFree(*resolvent));
  PetscFunctionReturn(0);
}

void CospinResolventValue(CospinResolvent resolvent, double omega, double complex *value, double *error)
{
  double ratio = least_ratio, raw, rounding;

  for (int k = 0; k < NUM_RATIOS; k++) ratio = PetscMax(ratio, resolvent->ratios[k]);
  evaluate(resolvent, CMPLX(0.0, omega), value, &raw, &rounding);
  *error = safety * ratio * raw + rounding;
}

int CospinResolventSolves(CospinResolvent resolvent)
{
  return resolvent->solves;
}

int CospinResolventPoles(CospinResolvent resolvent, double complex poles[])
{
  if (!resolvent->has_model) return 0;
  for (int k = 0; k < resolvent->order; k++) poles[k] = COSPIN_SMALL_AT(resolvent->schur, k, k);
  return resolvent->order;
}

double complex CospinResolventSum(CospinResolvent resolvent)
{
  double complex sum = 0.0;

  for (int k = 0; resolvent->has_model && k < resolvent->order; k++)
    sum += PetscConj(resolvent->target[k]) * resolvent->source[k];
  return sum;
}

double complex CospinResolventWhole(CospinResolvent resolvent)
{
  return resolvent->whole;
}

double CospinResolventSize(CospinResolvent resolvent)
{
  return resolvent->left.size * resolvent->right.size;
}

PetscBool CospinResolventExhausted(CospinResolvent resolvent)
{
  return (PetscBool)(resolvent->exhausted || is_zero(resolvent));
}

double CospinResolventResidual(CospinResolvent resolvent)
{
  return resolvent->residual;
}

Vec CospinResolventBrightest(CospinResolvent resolvent)
{
  return resolvent->bright;
}
