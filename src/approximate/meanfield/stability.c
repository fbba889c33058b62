/*
   What small deviations from a fixed point of the mean-field equations do: the eigenvalues of the Jacobian J.

   Unknowns are counted in units (linear.c), which changes no eigenvalue but its error.

   Phases: the equations may not know the phase of s and alpha, s -> s exp(i m phi), with an m for each
   component. With R_c the turn of component c that is R_c f(u) = J(u) R_c u, summed with m_c over c, for
   every u, so the m are found at some u. A fixed point that has such a phase is one of a circle, and the zero
   eigenvalue along the circle is no growth.

   An eigenvalue is zero within its error, rounding and residual of the point times its condition, 1/|y^H x|
   of unit left and right vectors.

   Algorithm: (1) find phases m that the equations do not know; (2) build J column by column up to a few
   hundred unknowns, and use products with J beyond; (3) its eigenvalues, rightmost first; (4) take out one
   zero for each free phase that the point has; (5) judge the rightmost of the rest by its error: stable,
   unstable or undecided.
*/
#include "linear.h"
#include <cospin/problem/hermitian.h>
#include <petscblaslapack.h>
#include <slepceps.h>

/* LAPACK up to so many unknowns, SLEPc beyond, in spaces of this size. */
enum { MOST_DENSE = 600, SUBSPACE = 64, MAX_RESTARTS = 300 };
/* largest_error: however bad the condition, no eigenvalue above this share of the rates
   counts as zero. */
static const double rounding = 1e-13, largest_error = 1e-7, krylov_error = 1e-9;

/* ---- Phases */

/* ru += m R_c u: the phase of one component is turned */
static void turn(const CospinMeanPart *part, double m, const double u[], double ru[])
{
  const double *re = u + part->offset, *im = re + part->sites;

  for (int k = 0; k < part->sites; k++) {
    ru[part->offset + k] -= m * im[k];
    ru[part->offset + part->sites + k] += m * re[k];
  }
}

/* g = R_c f(u) - J R_c u, in units; adds the squares of its terms to *terms */
static PetscErrorCode change(CospinMeanLinear *linear, int c, double g[], double *terms)
{
  const CospinMeanPart *part = &linear->field->parts[c];
  const int n = linear->field->num_unknowns;
  double *f, *ru;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc2(n, &f, n, &ru));
  turn(part, 1.0, linear->u, ru);
  for (int k = 0; k < n; k++) ru[k] /= linear->units[k];
  PetscCall(CospinMeanLinearDerivative(linear, ru, g));
  PetscCall(CospinMeanFieldSlopes(linear->field, linear->u, f));
  PetscCall(PetscArrayzero(ru, n));
  turn(part, 1.0, f, ru);
  for (int k = 0; k < n; k++) *terms += PetscSqr(ru[k] / linear->units[k]) + PetscSqr(g[k]);
  for (int k = 0; k < n; k++) g[k] = ru[k] / linear->units[k] - g[k];
  PetscCall(PetscFree2(f, ru));
  PetscFunctionReturn(0);
}

/* Weights m[num][num_parts] of the phases that the equations do not know: the null space of `change`. */
static PetscErrorCode free_phases(CospinMeanField field, int *num, double m[])
{
  const int n = field->num_unknowns, parts = field->num_parts;
  double complex *gram;
  double *u, *g, *values, sum = 0.0, terms = 0.0, zero;
  CospinMeanLinear linear;

  PetscFunctionBeginUser;
  PetscCall(
      PetscCalloc4(n, &u, (size_t)n * (size_t)parts, &g, parts, &values, (size_t)(parts * parts), &gram));
  for (int k = 0; k < n; k++) u[k] = 0.3 * PetscCosReal(1.0 + 2.1 * k);
  PetscCall(CospinMeanLinearCreate(field, u, &linear));
  for (int c = 0; c < parts; c++) PetscCall(change(&linear, c, g + (size_t)c * (size_t)n, &terms));
  for (int c = 0; c < parts; c++) {
    for (int d = 0; d < parts; d++)
      for (int k = 0; k < n; k++) gram[c + parts * d] += g[c * n + k] * g[d * n + k];
    sum += creal(gram[c + parts * c]);
  }
  PetscCall(CospinHermitianDiagonalise(parts, gram, values));
  zero = 1e-14 * sum + 1e-24 * terms;
  for (*num = 0; *num < parts && values[*num] <= zero; (*num)++)
    for (int c = 0; c < parts; c++) m[*num * parts + c] = creal(gram[c + parts * *num]);
  PetscCall(CospinMeanLinearDestroy(&linear));
  PetscCall(PetscFree4(u, g, values, gram));
  PetscFunctionReturn(0);
}

/* Adds R u, unless it depends on those that are there or the point does not have this phase. */
static PetscErrorCode add_phase(CospinMeanLinear *linear, const double m[])
{
  const int n = linear->field->num_unknowns;
  double *v, before = 0.0, after = 0.0;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(n, &v));
  for (int c = 0; c < linear->field->num_parts; c++) turn(&linear->field->parts[c], m[c], linear->u, v);
  for (int k = 0; k < n; k++) v[k] /= linear->units[k];
  for (int p = 0; p < linear->num_phases; p++) {
    double overlap = 0.0;
    for (int k = 0; k < n; k++) overlap += linear->phases[p][k] * v[k];
    for (int k = 0; k < n; k++) v[k] -= overlap * linear->phases[p][k];
  }
  for (int k = 0; k < n; k++) after += v[k] * v[k];
  for (int k = 0; k < n; k++) before += linear->u[k] * linear->u[k] / (linear->units[k] * linear->units[k]);
  if (!(after > 1e-18 * before)) {
    PetscCall(PetscFree(v));
    PetscFunctionReturn(0);
  }
  for (int k = 0; k < n; k++) v[k] /= PetscSqrtReal(after);
  linear->phases[linear->num_phases++] = v;
  PetscFunctionReturn(0);
}

/* Only for as many components as combinations can be tried. */
static PetscErrorCode find_phases(CospinMeanLinear *linear)
{
  const int parts = linear->field->num_parts;
  double *m;
  int num;

  PetscFunctionBeginUser;
  if (parts > COSPIN_MEAN_PARTS) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1((size_t)(parts * parts), &m));
  PetscCall(free_phases(linear->field, &num, m));
  for (int k = 0; k < num; k++) PetscCall(add_phase(linear, m + (size_t)(k * parts)));
  PetscCall(PetscFree(m));
  PetscFunctionReturn(0);
}

/* ---- Eigenvalues */

/* An eigenvalue, what may be wrong with it, and whether it is that of a free phase. */
typedef struct {
  double complex value;
  double error;
  PetscBool phase;
} Mode;

/* Of the eigenvalues that are zero as many as there are phases, the least first. */
static void mark_phases(int num, Mode modes[], CospinMeanStability *stability)
{
  const int most = stability->free_phases;

  for (stability->free_phases = 0; stability->free_phases < most; stability->free_phases++) {
    int least = -1;
    for (int k = 0; k < num; k++) {
      if (modes[k].phase || !(cabs(modes[k].value) <= modes[k].error)) continue;
      if (least < 0 || cabs(modes[k].value) < cabs(modes[least].value)) least = k;
    }
    if (least < 0) break;
    modes[least].phase = PETSC_TRUE;
  }
}

/* The fastest growing mode; -1: there is none but phases. */
static int judge(int num, Mode modes[], CospinMeanStability *stability)
{
  int fastest = -1;

  mark_phases(num, modes, stability);
  stability->kind = COSPIN_MEAN_STABLE;
  for (int k = 0; k < num; k++) {
    const double growth = creal(modes[k].value);
    if (modes[k].phase) continue;
    if (fastest < 0 || growth > creal(modes[fastest].value)) fastest = k;
    if (growth > modes[k].error) stability->kind = COSPIN_MEAN_UNSTABLE;
    if (growth >= -modes[k].error && stability->kind == COSPIN_MEAN_STABLE)
      stability->kind = COSPIN_MEAN_NEUTRAL;
  }
  stability->growth = fastest < 0 ? 0.0 : creal(modes[fastest].value);
  stability->frequency = fastest < 0 ? 0.0 : PetscAbsReal(cimag(modes[fastest].value));
  return fastest;
}

/* The real vector that is most of a complex one, its largest element 1 and positive, as a change of u. */
static void set_away(const CospinMeanLinear *linear, const PetscScalar x[], double away[])
{
  const int n = linear->field->num_unknowns;
  double complex largest = 0.0;

  for (int k = 0; k < n; k++)
    if (cabs(x[k]) > cabs(largest) * (1 + 1e-6)) largest = x[k]; /* the first of equal ones */
  for (int k = 0; k < n; k++) away[k] = creal(x[k] / largest) * linear->units[k];
}

/* A column is the derivative along one unknown. */
static PetscErrorCode fill_matrix(CospinMeanLinear *linear, PetscScalar matrix[], double *rate)
{
  const int n = linear->field->num_unknowns;
  double *v, *jv, *rows;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(n, &v, n, &jv, n, &rows));
  for (int j = 0; j < n; j++) {
    v[j] = 1.0;
    PetscCall(CospinMeanLinearDerivative(linear, v, jv));
    v[j] = 0.0;
    for (int k = 0; k < n; k++) matrix[(size_t)j * (size_t)n + (size_t)k] = jv[k];
    for (int k = 0; k < n; k++) rows[k] += PetscAbsReal(jv[k]);
  }
  *rate = 0.0;
  for (int k = 0; k < n; k++) *rate = PetscMax(*rate, rows[k]);
  PetscCall(PetscFree3(v, jv, rows));
  PetscFunctionReturn(0);
}

/* LAPACK with left and right vectors, whose product tells how well an eigenvalue is known. */
static PetscErrorCode solve_dense(CospinMeanLinear *linear, double residual, CospinMeanStability *stability,
                                  double away[])
{
  const size_t size = (size_t)linear->field->num_unknowns, square = size * size;
  PetscBLASInt n = (PetscBLASInt)size, num_work = 8 * n, info;
  PetscScalar *matrix, *values, *work, *left, *right;
  PetscReal *real_work;
  double rate = 0.0;
  Mode *modes;
  int fastest;

  PetscFunctionBeginUser;
  PetscCall(PetscCalloc4(square + COSPIN_LAPACK_ROOM, &matrix, square + COSPIN_LAPACK_ROOM, &left,
                         square + COSPIN_LAPACK_ROOM, &right, 8 * size, &work));
  PetscCall(PetscCalloc3(size, &values, 2 * size, &real_work, size, &modes));
  PetscCall(fill_matrix(linear, matrix, &rate));
  PetscCall(PetscFPTrapPush(PETSC_FP_TRAP_OFF));
  LAPACKgeev_("V", "V", &n, matrix, &n, values, left, &n, right, &n, work, &num_work, real_work, &info);
  PetscCall(PetscFPTrapPop());
  PetscCheck(info == 0, PETSC_COMM_SELF, PETSC_ERR_LIB, "LAPACK's geev returned %d", (int)info);
  for (size_t k = 0; k < size; k++) {
    double complex overlap = 0.0;
    for (size_t i = 0; i < size; i++) overlap += conj(left[k * size + i]) * right[k * size + i];
    modes[k].value = values[k];
    /* The condition of an eigenvalue is 1/|y^H x| of unit vectors; LAPACK's are of length one. */
    modes[k].error = rate * PetscMin((rounding + 10 * residual) / cabs(overlap), largest_error);
  }
  fastest = judge((int)size, modes, stability);
  if (fastest >= 0) set_away(linear, right + (size_t)fastest * size, away);
  PetscCall(PetscFree4(matrix, left, right, work));
  PetscCall(PetscFree3(values, real_work, modes));
  PetscFunctionReturn(0);
}

/* ---- Many unknowns: products with J only */

/* A MatShell's product: J v by differences. */
static PetscErrorCode multiply(Mat mat, Vec x, Vec y)
{
  CospinMeanLinear *linear;
  const PetscScalar *from;
  PetscScalar *to;
  double *v, *jv;

  PetscFunctionBeginUser;
  PetscCall(MatShellGetContext(mat, &linear));
  const int n = linear->field->num_unknowns;
  PetscCall(PetscMalloc2(n, &v, n, &jv));
  PetscCall(VecGetArrayRead(x, &from));
  PetscCall(VecGetArrayWrite(y, &to));
  for (int k = 0; k < n; k++) v[k] = creal(from[k]);
  PetscCall(CospinMeanLinearDerivative(linear, v, jv));
  for (int k = 0; k < n; k++) to[k] = jv[k];
  for (int k = 0; k < n; k++) v[k] = cimag(from[k]);
  PetscCall(CospinMeanLinearDerivative(linear, v, jv));
  for (int k = 0; k < n; k++) to[k] += I * jv[k];
  PetscCall(VecRestoreArrayWrite(y, &to));
  PetscCall(VecRestoreArrayRead(x, &from));
  PetscCall(PetscFree2(v, jv));
  PetscFunctionReturn(0);
}

/* A given vector, or a start that has a part along every direction. */
static PetscErrorCode copy_vector(int n, const double from[], Vec to)
{
  PetscScalar *array;

  PetscFunctionBeginUser;
  PetscCall(VecGetArrayWrite(to, &array));
  for (int k = 0; k < n; k++) array[k] = from ? from[k] : PetscCosReal(1.0 + k);
  PetscCall(VecRestoreArrayWrite(to, &array));
  PetscFunctionReturn(0);
}

/* Without the free phases, whose vectors are known. */
static PetscErrorCode create_eps(CospinMeanLinear *linear, double rate, Mat *mat, EPS *eps)
{
  const int n = linear->field->num_unknowns;
  Vec known[COSPIN_MEAN_PARTS], start;

  PetscFunctionBeginUser;
  PetscCall(MatCreateShell(PETSC_COMM_SELF, n, n, n, n, linear, mat));
  PetscCall(MatShellSetOperation(*mat, MATOP_MULT, (void (*)(void))multiply));
  PetscCall(MatCreateVecs(*mat, &start, NULL));
  PetscCall(copy_vector(n, NULL, start));
  PetscCall(EPSCreate(PETSC_COMM_SELF, eps));
  PetscCall(EPSSetOperators(*eps, *mat, NULL));
  PetscCall(EPSSetProblemType(*eps, EPS_NHEP));
  PetscCall(EPSSetWhichEigenpairs(*eps, EPS_LARGEST_REAL));
  PetscCall(EPSSetConvergenceTest(*eps, EPS_CONV_ABS));
  PetscCall(EPSSetDimensions(*eps, 1, SUBSPACE, PETSC_DEFAULT));
  PetscCall(EPSSetTolerances(*eps, krylov_error * rate, MAX_RESTARTS));
  PetscCall(EPSSetInitialSpace(*eps, 1, &start));
  for (int k = 0; k < linear->num_phases; k++) {
    PetscCall(VecDuplicate(start, &known[k]));
    PetscCall(copy_vector(n, linear->phases[k], known[k]));
  }
  if (linear->num_phases) PetscCall(EPSSetDeflationSpace(*eps, linear->num_phases, known));
  for (int k = 0; k < linear->num_phases; k++) PetscCall(VecDestroy(&known[k]));
  PetscCall(VecDestroy(&start));
  PetscFunctionReturn(0);
}

/* The rightmost eigenvalues by SLEPc; free phases are deflated. */
static PetscErrorCode solve_krylov(CospinMeanLinear *linear, double residual, CospinMeanStability *stability,
                                   double away[])
{
  const int phases = stability->free_phases;
  const PetscScalar *x;
  PetscScalar value;
  PetscInt converged;
  double rate;
  Vec vector;
  Mat mat;
  EPS eps;

  PetscFunctionBeginUser;
  PetscCall(CospinMeanLinearNorm(linear, &rate));
  PetscCall(create_eps(linear, rate, &mat, &eps));
  PetscCall(EPSSolve(eps));
  PetscCall(EPSGetConverged(eps, &converged));
  if (converged) {
    PetscCall(MatCreateVecs(mat, &vector, NULL));
    PetscCall(EPSGetEigenpair(eps, 0, &value, NULL, vector, NULL));
    Mode mode = {.value = value, .error = rate * PetscMin(100 * krylov_error + 10 * residual, largest_error)};
    stability->free_phases = 0; /* they are not among the modes that were looked for */
    (void)judge(1, &mode, stability);
    stability->free_phases = phases;
    PetscCall(VecGetArrayRead(vector, &x));
    set_away(linear, x, away);
    PetscCall(VecRestoreArrayRead(vector, &x));
    PetscCall(VecDestroy(&vector));
  }
  PetscCall(EPSDestroy(&eps));
  PetscCall(MatDestroy(&mat));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinMeanFieldStability(CospinMeanField field, const double u[], double residual,
                                        CospinMeanStability *stability, double away[])
{
  CospinMeanLinear linear;

  PetscFunctionBeginUser;
  *stability = (CospinMeanStability){.kind = COSPIN_MEAN_UNKNOWN, .growth = NAN, .frequency = NAN};
  PetscCall(CospinMeanLinearCreate(field, u, &linear));
  PetscCall(find_phases(&linear));
  stability->free_phases = linear.num_phases;
  if (field->num_unknowns <= MOST_DENSE)
    PetscCall(solve_dense(&linear, residual, stability, away));
  else
    PetscCall(solve_krylov(&linear, residual, stability, away));
  PetscCall(CospinMeanLinearDestroy(&linear));
  PetscFunctionReturn(0);
}
