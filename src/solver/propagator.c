/*
   exp(t L) u by Krylov spaces, of L itself or of (1 - gamma L)^-1.

     repeat until the last time is reached:
       build an orthonormal basis V of the Krylov space of the operator on u (Arnoldi), |u| = beta
       G = L projected on it: H, or (1 - H^-1)/gamma where H projects (1 - gamma L)^-1 (rational.c)
       u(t + tau) = beta V exp(tau G) e_1, for the largest tau that is accurate enough and all times up to it

   The first kind costs about |L| t products with L, whatever t is. The second takes one factorisation for
   each gamma and converges at a rate that does not depend on |L| (for spectra near the negative real axis
   with tau/gamma of the order of ten): steps grow with the time scale of what is left to evolve. So it is the
   one for long times and stiff rates, as long as a factorisation can be paid.

   Error of a step: that of the projection (projected.c). It does not know rounding: beside it stand eps |tau
   G| without what has decayed and, for the second kind, what one more solve finds wrong with a solve, (1 -
   gamma L)^-1 r, tau/gamma times. (No shorter step would lessen it, so it is told, and does not choose
   steps.)

   Saad, SIAM J. Numer. Anal. 29, 209 (1992); Hochbruck and Lubich, ibid. 34, 1911 (1997); van den Eshof and
   Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
*/
#include "projected.h"
#include "propagator_method.h"
#include <cospin/solver/propagator.h>
#include <petscksp.h>
#include <slepcbv.h>

/* The error is looked at from the eighth vector on, every fourth time. */
enum { MAX_BASIS = COSPIN_PROJECTED_MAX, CHECK_EVERY = 4, FIRST_CHECK = 8 };
/* shrink: a step that is too long is tried again this much shorter. With factors: steps up to 40 gamma, the
   first gamma a quarter of the first time, another one, by a factor of 8, when steps fail or have outgrown
   it. smallest_share: late steps of the rational method are few, so each may have 2 % of the tolerance. */
static const double shrink = 0.7, longest_over_gamma = 40.0, first_over_gamma = 4.0, gamma_factor = 8.0,
                    smallest_share = 0.02, smallest_step = 1e-13, rounding = 1e-14, nothing = 1e-120;

typedef struct {
  /* given */
  Mat liouvillian;
  const CospinPropagatorOptions *options;
  const char *prefix;
  int num;
  const double *times;
  CospinPropagatorVisit visit;
  void *context;
  /* workspace */
  BV basis;
  KSP ksp; /* NULL: products */
  Mat shifted;
  CospinProjected small;          /* G on the basis */
  double beta;                    /* |u| */
  double image;                   /* |(1 - gamma L) v_m+1| */
  double solve_error;             /* of a solve, relative; 0: products */
  CospinPropagatorReport *report; /* and the state, between steps */
} Propagator;

/* 1 - gamma L, for the gamma of the report. */
static PetscErrorCode factorise(Propagator *p)
{
  PC pc;

  PetscFunctionBeginUser;
  PetscCall(KSPDestroy(&p->ksp));
  PetscCall(MatDestroy(&p->shifted));
  PetscCall(MatDuplicate(p->liouvillian, MAT_COPY_VALUES, &p->shifted));
  PetscCall(MatScale(p->shifted, -p->report->gamma));
  PetscCall(MatShift(p->shifted, 1.0));
  PetscCall(KSPCreate(PetscObjectComm((PetscObject)p->liouvillian), &p->ksp));
  PetscCall(KSPSetOptionsPrefix(p->ksp, p->prefix));
  PetscCall(KSPSetOperators(p->ksp, p->shifted, p->shifted));
  PetscCall(KSPSetType(p->ksp, KSPPREONLY));
  PetscCall(KSPGetPC(p->ksp, &pc));
  PetscCall(CospinPropagatorFactors(pc, p->shifted, p->options->mesh_dimension));
  PetscCall(KSPSetFromOptions(p->ksp));
  PetscCall(KSPSetUp(p->ksp));
  PetscFunctionReturn(0);
}

/* A factorisation each; it is kept as long as the time scale of what is left does not change much. */
static PetscErrorCode set_gamma(Propagator *p, double gamma)
{
  PetscFunctionBeginUser;
  if (gamma == p->report->gamma) PetscFunctionReturn(0);
  p->report->gamma = gamma;
  p->report->factorisations++;
  PetscCall(factorise(p));
  PetscFunctionReturn(0);
}

static PetscErrorCode apply(Propagator *p, Vec from, Vec to)
{
  PetscFunctionBeginUser;
  p->report->operations++;
  if (p->report->gamma > 0)
    PetscCall(KSPSolve(p->ksp, from, to));
  else
    PetscCall(MatMult(p->liouvillian, from, to));
  PetscFunctionReturn(0);
}

/* ---- The projected generator --------------------------------------------------------------------------- */

static PetscScalar *column(Propagator *p, int k)
{
  return CospinProjectedColumn(&p->small, k);
}

/* On the first `size` vectors, with one more behind them. */
static PetscErrorCode project(Propagator *p, int size)
{
  PetscReal image;
  Vec v, w;

  PetscFunctionBeginUser;
  PetscCall(CospinProjectedSet(&p->small, size, p->report->gamma));
  p->image = 0.0;
  if (p->report->gamma == 0 || p->small.now.next == 0.0) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(p->shifted, NULL, &w));
  PetscCall(BVGetColumn(p->basis, size, &v));
  PetscCall(MatMult(p->shifted, v, w));
  PetscCall(BVRestoreColumn(p->basis, size, &v));
  PetscCall(VecNorm(w, NORM_2, &image));
  PetscCall(VecDestroy(&w));
  p->image = image;
  PetscFunctionReturn(0);
}

static double blur_of(const Propagator *p, double tau, double largest)
{
  const double steps = p->report->gamma > 0 ? tau / p->report->gamma : 0.0;

  return PETSC_MACHINE_EPSILON * largest + (1 + steps) * p->solve_error;
}

/* Error of the step relative to |u(t + tau)|; infinite if the small exponential overflows. *blur: by
 * rounding. */
static PetscErrorCode estimate(Propagator *p, double tau, double *relative, double *blur)
{
  double largest, both[2];

  PetscFunctionBeginUser;
  PetscCall(CospinProjectedError(&p->small, p->report->gamma, tau, p->image, &both[0], &largest));
  both[1] = blur_of(p, tau, largest); /* ranks must take the same decisions */
  PetscCallMPI(MPI_Bcast(both, 2, MPI_DOUBLE, 0, PetscObjectComm((PetscObject)p->liouvillian)));
  *relative = both[0];
  *blur = both[1];
  PetscFunctionReturn(0);
}

/* ---- Steps --------------------------------------------------------------------------------------------- */

/* How large the error of a step may be: its share of the tolerance by its share of the time, so that errors
   of all steps together stay within it. Half of it, since the estimate is no bound. */
static double allowed(const Propagator *p, double tau)
{
  const double share = tau / p->times[p->num - 1];

  return PetscMax(rounding, 0.5 * p->options->tolerance *
                                (p->report->gamma > 0 ? PetscMax(share, smallest_share) : share));
}

/* Whether the step tau and every time on the way are accurate. */
static PetscErrorCode is_accurate(Propagator *p, double tau, PetscBool *ok)
{
  double relative, blur;

  PetscFunctionBeginUser;
  PetscCall(estimate(p, tau, &relative, &blur));
  *ok = (PetscBool)(relative <= allowed(p, tau));
  if (!*ok || p->report->gamma == 0) PetscFunctionReturn(0);
  for (int k = p->report->visited; k < p->num && p->times[k] < p->report->time + tau && *ok; k++) {
    PetscCall(estimate(p, p->times[k] - p->report->time, &relative,
                       &blur)); /* early times are the hard ones here */
    *ok = (PetscBool)(relative <= allowed(p, tau));
  }
  PetscFunctionReturn(0);
}

/* One more basis vector; a dependent one means that the space is invariant and the step exact. */
static PetscErrorCode extend(Propagator *p, int k)
{
  PetscBool dependent;
  PetscReal norm;
  Vec from, to;

  PetscFunctionBeginUser;
  PetscCall(BVGetColumn(p->basis, k - 1, &from));
  PetscCall(BVGetColumn(p->basis, k, &to));
  PetscCall(apply(p, from, to));
  PetscCall(BVRestoreColumn(p->basis, k - 1, &from));
  PetscCall(BVRestoreColumn(p->basis, k, &to));
  PetscCall(BVOrthogonalizeColumn(p->basis, k, column(p, k - 1), &norm, &dependent));
  if (dependent) norm = 0.0;
  column(p, k - 1)[k] = norm;
  if (norm > 0) PetscCall(BVScaleColumn(p->basis, k, 1.0 / norm));
  PetscFunctionReturn(0);
}

/* What a second solve finds wrong with the first one of a basis, A w = v: |A^-1 (v - A w)|/|w| with A = 1 -
   gamma L. Rounding errors of rows that change fast are small there; what they leave of slow ones is what
   counts. */
static PetscErrorCode probe_solve(Propagator *p)
{
  static const double typical_over_probe = 10.0; /* of a single vector, that is smoother than most */
  const PetscScalar *h = column(p, 0);
  PetscReal error, size;
  Vec v, w, rest;

  PetscFunctionBeginUser;
  p->solve_error = 0.0;
  if (p->report->gamma == 0) PetscFunctionReturn(0);
  PetscCall(MatCreateVecs(p->shifted, &w, &rest));
  PetscCall(BVSetActiveColumns(p->basis, 0, h[1] == 0.0 ? 1 : 2));
  PetscCall(BVMultVec(p->basis, 1.0, 0.0, w, (PetscScalar *)h));
  PetscCall(MatMult(p->shifted, w, rest));
  PetscCall(BVGetColumn(p->basis, 0, &v));
  PetscCall(VecAYPX(rest, -1.0, v));
  PetscCall(BVRestoreColumn(p->basis, 0, &v));
  PetscCall(VecNorm(w, NORM_2, &size));
  PetscCall(KSPSolve(p->ksp, rest, w));
  PetscCall(VecNorm(w, NORM_2, &error));
  p->solve_error = size > 0 ? typical_over_probe * error / size : 0.0;
  PetscCall(VecDestroy(&w));
  PetscCall(VecDestroy(&rest));
  PetscFunctionReturn(0);
}

/* `between` steps the vector is that of a time, and may be kept; within a step only the end of the run
   counts. */
static PetscErrorCode ask_pause(Propagator *p, Vec u, PetscBool between)
{
  PetscFunctionBeginUser;
  if (p->options->pause)
    PetscCall(p->options->pause(p->context, between, u, p->report, &p->report->interrupted));
  PetscFunctionReturn(0);
}

/* Builds the basis until the step `longest` is accurate or there is no room left. A basis that was left is
   given up: its step is done again. */
static PetscErrorCode build_basis(Propagator *p, Vec u, double longest, PetscBool *accurate)
{
  const int operations = p->report->operations;

  PetscFunctionBeginUser;
  *accurate = PETSC_FALSE;
  CospinProjectedForget(&p->small);
  PetscCall(VecNorm(u, NORM_2, &p->beta));
  PetscCall(BVInsertVec(p->basis, 0, u));
  PetscCall(BVScaleColumn(p->basis, 0, 1.0 / p->beta));
  for (int k = 1; k <= MAX_BASIS && !*accurate && !p->report->interrupted; k++) {
    PetscCall(extend(p, k));
    if (k == 1) PetscCall(probe_solve(p));
    PetscCall(ask_pause(p, u, PETSC_FALSE));
    if (column(p, k - 1)[k] != 0.0 && k % CHECK_EVERY) continue;
    PetscCall(project(p, k));
    if (k >= FIRST_CHECK || p->small.now.next == 0.0) PetscCall(is_accurate(p, longest, accurate));
    if (p->small.now.next == 0.0) break;
  }
  if (p->report->interrupted) p->report->operations = operations;
  PetscFunctionReturn(0);
}

/* u(time + tau) */
static PetscErrorCode combine(Propagator *p, double tau, Vec u)
{
  PetscScalar c[MAX_BASIS], last;
  double largest;

  PetscFunctionBeginUser;
  PetscCall(CospinProjectedExponential(&p->small, p->report->gamma, tau, c, &last, &largest));
  PetscCall(BVSetActiveColumns(p->basis, 0, p->small.now.size));
  PetscCall(BVMultVec(p->basis, p->beta, 0.0, u, c));
  PetscFunctionReturn(0);
}

/* Leaves u at time + tau, having shown it at all times up to there. */
static PetscErrorCode advance(Propagator *p, double tau, Vec u)
{
  const double end = p->report->time + tau;
  double relative, blur;

  PetscFunctionBeginUser;
  PetscCall(estimate(p, tau, &relative, &blur));
  relative += blur;
  for (; p->report->visited < p->num && p->times[p->report->visited] <= end * (1 + rounding);
       p->report->visited++) {
    PetscCall(combine(p, p->times[p->report->visited] - p->report->time, u));
    PetscCall(p->visit(p->context, p->report->visited, u, p->report->error + relative));
  }
  PetscCall(combine(p, tau, u));
  p->report->error += relative;
  p->report->time = end;
  p->report->steps++;
  PetscFunctionReturn(0);
}

static double remaining(const Propagator *p)
{
  return p->times[p->num - 1] - p->report->time;
}

/* The longest step that this basis allows, looked for from the one before. */
static PetscErrorCode longest_step(Propagator *p, double limit, double *tau)
{
  double trial = PetscMin(p->report->step > 0 ? 2 * p->report->step : limit, limit);
  PetscBool ok = PETSC_FALSE;

  PetscFunctionBeginUser;
  while (!ok && trial > smallest_step * p->times[p->num - 1]) {
    PetscCall(is_accurate(p, trial, &ok));
    if (!ok) trial *= shrink;
  }
  *tau = ok ? trial : 0.0;
  PetscFunctionReturn(0);
}

/* The longest step that the basis is good for; one of length zero means that it never will be. */
static PetscErrorCode krylov_step(Propagator *p, Vec u)
{
  PetscBool accurate;
  double tau = remaining(p);

  PetscFunctionBeginUser;
  PetscCall(build_basis(p, u, tau, &accurate));
  if (p->report->interrupted) PetscFunctionReturn(0);
  if (!accurate) PetscCall(longest_step(p, tau, &tau));
  p->report->failed = (PetscBool)(tau <= 0.0);
  if (p->report->failed) PetscFunctionReturn(0);
  PetscCall(advance(p, tau, u));
  p->report->step = tau;
  PetscFunctionReturn(0);
}

/* A gamma is kept as long as steps of some times gamma are accurate, since a factorisation costs as much as
 * many solves. */
static PetscErrorCode rational_step(Propagator *p, Vec u)
{
  const double limit = PetscMin(remaining(p), longest_over_gamma * p->report->gamma);
  PetscBool accurate;
  double tau = limit;

  PetscFunctionBeginUser;
  PetscCall(build_basis(p, u, limit, &accurate));
  if (p->report->interrupted) PetscFunctionReturn(0);
  for (; !accurate && tau > p->report->gamma;) {
    tau *= shrink;
    PetscCall(is_accurate(p, tau, &accurate));
  }
  if (!accurate) {
    p->report->failed = (PetscBool)(p->report->gamma < smallest_step * p->times[p->num - 1]);
    if (!p->report->failed) PetscCall(set_gamma(p, p->report->gamma / gamma_factor));
    PetscFunctionReturn(0);
  }
  PetscCall(advance(p, tau, u));
  if (tau >= limit && limit < remaining(p)) PetscCall(set_gamma(p, p->report->gamma * gamma_factor));
  PetscFunctionReturn(0);
}

static PetscErrorCode first_gamma(Propagator *p)
{
  double first = 0.0;

  PetscFunctionBeginUser;
  for (int k = p->num - 1; k >= p->report->visited; k--) first = p->times[k];
  PetscCall(set_gamma(p, first / first_over_gamma));
  PetscFunctionReturn(0);
}

/* Orthogonalisation twice (classical Gram-Schmidt with refinement): the error estimate lives from the last
   basis vectors. */
static PetscErrorCode set_up(Propagator *p, Vec u)
{
  MPI_Comm comm = PetscObjectComm((PetscObject)u);
  PetscMPIInt ranks;
  PetscInt size;

  PetscFunctionBeginUser;
  PetscCall(BVCreate(comm, &p->basis));
  PetscCall(BVSetSizesFromVec(p->basis, u, MAX_BASIS + 1));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(VecGetSize(u, &size));
  PetscCall(BVSetType(p->basis, size < ranks ? BVVECS : BVSVEC)); /* as in eigensolver.c */
  PetscCall(BVSetOrthogonalization(p->basis, BV_ORTHOG_CGS, BV_ORTHOG_REFINE_ALWAYS, PETSC_DEFAULT,
                                   BV_ORTHOG_BLOCK_GS));
  PetscCall(CospinProjectedCreate(&p->small));
  PetscFunctionReturn(0);
}

static PetscErrorCode tear_down(Propagator *p)
{
  PetscFunctionBeginUser;
  PetscCall(CospinProjectedDestroy(&p->small));
  PetscCall(KSPDestroy(&p->ksp));
  PetscCall(MatDestroy(&p->shifted));
  PetscCall(BVDestroy(&p->basis));
  PetscFunctionReturn(0);
}

/* Times at which u is as it is now: 0, and all that remain if nothing is left to evolve (squares of its norm
   would underflow). */
static PetscErrorCode visit_still(Propagator *p, Vec u)
{
  PetscReal norm;

  PetscFunctionBeginUser;
  PetscCall(VecNorm(u, NORM_2, &norm));
  while (p->report->visited < p->num && (norm < nothing || p->times[p->report->visited] == 0.0)) {
    PetscCall(p->visit(p->context, p->report->visited++, u, p->report->error));
  }
  PetscFunctionReturn(0);
}

/* Decides how to go, or goes on as it was decided. */
static PetscErrorCode begin(Propagator *p, Vec u)
{
  const PetscBool again = p->report->interrupted;

  PetscFunctionBeginUser;
  p->report->interrupted = PETSC_FALSE;
  if (!again)
    PetscCall(CospinPropagatorChoose(p->liouvillian, p->options, p->times[p->num - 1], MAX_BASIS,
                                     &p->report->method));
  PetscCall(visit_still(p, u));
  if (p->report->visited == p->num) PetscFunctionReturn(0);
  PetscCall(set_up(p, u));
  if (p->report->method != COSPIN_PROPAGATE_RATIONAL) PetscFunctionReturn(0);
  PetscCall(again ? factorise(p) : first_gamma(p));
  PetscFunctionReturn(0);
}

PetscErrorCode CospinPropagate(Mat liouvillian, Vec u, int num, const double times[],
                               const CospinPropagatorOptions *options, const char prefix[],
                               CospinPropagatorVisit visit, void *context, CospinPropagatorReport *report)
{
  Propagator p = {.liouvillian = liouvillian,
                  .options = options,
                  .prefix = prefix,
                  .num = num,
                  .times = times,
                  .visit = visit,
                  .context = context,
                  .report = report};

  PetscFunctionBeginUser;
  PetscCall(begin(&p, u));
  while (report->visited < num && !report->failed && !report->interrupted) {
    PetscCall(report->method == COSPIN_PROPAGATE_RATIONAL ? rational_step(&p, u) : krylov_step(&p, u));
    PetscCall(visit_still(&p, u));
    if (report->visited < num && !report->failed) PetscCall(ask_pause(&p, u, PETSC_TRUE));
  }
  PetscCall(tear_down(&p));
  PetscFunctionReturn(0);
}
