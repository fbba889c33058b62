/*
   Kets of large blocks by Krylov spaces, of small ones by exponentials that are kept.

   Large: an Arnoldi basis V of (psi, A psi, A^2 psi, ...) and H = V^H A V. exp(A s) psi = V exp(H s) e_1
   |psi| is followed within the space (ket_march.c), jump and times that are visited included, so that none of
   them costs a product. With frequent jumps a whole space would be wasted on each: it is built in stages, and
   after each one a rehearsal tells whether it reaches far enough. (Saad, SIAM J. Numer. Anal. 29, 209
   (1992).)

   Small: U_k = exp(A s 2^k), each the square of the one before, made when first needed and kept with the
   block. A ket leaps by U_0, U_1, ... as long as its norm stays above the floor, then by smaller ones again,
   and the rest of less than s is marched. So the longest wait costs a few products, and none is inexact.

   Between two sets of leaps nothing is normalised: the norm is the probability that there was no jump.
*/
#include "ket_march.h"
#include <petscblaslapack.h>

enum { MOST_LEAPS = 60 };

typedef struct {
  int rows;
  double step;
  int num; /* of leaps that have been made */
  double complex *h, *leap[MOST_LEAPS];
} Ladder;

struct CospinKetPropagator_ {
  int num_times;
  const double *times;
  double tolerance;
  PetscBool watched;
  CospinKetVisit visit;
  void *context;
  int capacity;          /* of vectors */
  double complex *basis; /* [(COSPIN_KET_SPACE + 1) x capacity] */
  double complex *work;  /* [capacity] */
  double complex h[COSPIN_KET_SPACE * (COSPIN_KET_SPACE + 1)];
};

PetscErrorCode CospinKetPropagatorCreate(int num_times, const double times[], double tolerance,
                                         PetscBool watched, CospinKetVisit visit, void *context,
                                         CospinKetPropagator *propagator)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(propagator));
  (*propagator)->num_times = num_times;
  (*propagator)->times = times;
  (*propagator)->tolerance = tolerance;
  (*propagator)->watched = watched;
  (*propagator)->visit = visit;
  (*propagator)->context = context;
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetPropagatorDestroy(CospinKetPropagator *propagator)
{
  PetscFunctionBeginUser;
  if (*propagator) PetscCall(PetscFree2((*propagator)->basis, (*propagator)->work));
  PetscCall(PetscFree(*propagator));
  PetscFunctionReturn(0);
}

/* One set of vectors serves blocks of all sizes. */
static PetscErrorCode make_room(CospinKetPropagator p, int dimension)
{
  PetscFunctionBeginUser;
  if (dimension <= p->capacity) PetscFunctionReturn(0);
  PetscCall(PetscFree2(p->basis, p->work));
  PetscCall(PetscMalloc2((size_t)dimension * (COSPIN_KET_SPACE + 1), &p->basis, (size_t)dimension, &p->work));
  p->capacity = dimension;
  PetscFunctionReturn(0);
}

/* What is left to do from where a ket is. */
static CospinKetCourse course_of(CospinKetPropagator p, double until, double floor)
{
  const double span = p->num_times ? p->times[p->num_times - 1] : until;

  return (CospinKetCourse){.num_times = p->num_times,
                           .times = p->times,
                           .until = until,
                           .floor = floor,
                           .watched = p->watched,
                           .error_rate = p->tolerance / PetscMax(span, DBL_MIN)};
}

/* ---- Small blocks -------------------------------------------------------------------------------------- */

PetscErrorCode CospinKetPropagatorDetach(void *attached)
{
  Ladder *ladder = (Ladder *)attached;

  PetscFunctionBeginUser;
  for (int k = 0; k < ladder->num; k++) PetscCall(PetscFree(ladder->leap[k]));
  PetscCall(PetscFree(ladder->h));
  PetscCall(PetscFree(ladder));
  PetscFunctionReturn(0);
}

/* The matrix of a small block in full, and the duration of its first leap: 1/|A|_1. */
static PetscErrorCode create_ladder(const CospinKetMatrix *m, Ladder **ladder)
{
  const size_t n = (size_t)m->num_rows;

  PetscFunctionBeginUser;
  PetscCall(PetscNew(ladder));
  (*ladder)->rows = m->num_rows;
  (*ladder)->step = 1.0 / m->norm;
  PetscCall(PetscCalloc1(n * n, &(*ladder)->h));
  for (int r = 0; r < m->num_rows; r++) {
    for (int k = m->first[r]; k < m->first[r + 1]; k++)
      (*ladder)->h[(size_t)r + n * (size_t)m->column[k]] += m->value[k];
  }
  PetscFunctionReturn(0);
}

/* exp(A s), column by column. */
static PetscErrorCode first_leap(const Ladder *ladder, double complex leap[])
{
  const int n = ladder->rows;

  PetscFunctionBeginUser;
  for (int c = 0; c < n; c++) {
    const CospinKetCourse course = {.until = ladder->step, .floor = -1.0, .error_rate = 1.0};
    CospinKetMarch march = {.rows = n, .stride = n, .h = ladder->h};
    CospinKetProgress progress = {.norm2 = 1.0};
    PetscBool fallen, ended;
    march.y[c] = 1.0;
    PetscCall(CospinKetMarchOn(&march, &course, &progress, &fallen, &ended));
    PetscCall(PetscArraycpy(leap + (size_t)n * (size_t)c, march.y, n));
  }
  PetscFunctionReturn(0);
}

/* Leaps up to the k-th. */
static PetscErrorCode extend_ladder(Ladder *ladder, int k)
{
  const PetscBLASInt n = ladder->rows;
  const PetscScalar one = 1.0, zero = 0.0;

  PetscFunctionBeginUser;
  for (; ladder->num <= k; ladder->num++) {
    double complex **leap = &ladder->leap[ladder->num];
    PetscCall(PetscMalloc1((size_t)n * (size_t)n, leap));
    if (ladder->num == 0)
      PetscCall(first_leap(ladder, *leap));
    else
      PetscCallBLAS("BLASgemm",
                    BLASgemm_("N", "N", &n, &n, &n, &one, leap[-1], &n, leap[-1], &n, &zero, *leap, &n));
  }
  PetscFunctionReturn(0);
}

/* One leap, if it neither passes `until` nor falls to the floor. */
static PetscErrorCode try_leap(Ladder *ladder, int k, double until, double floor, double complex y[],
                               CospinKetProgress *progress, PetscBool *done)
{
  const PetscBLASInt n = ladder->rows, stride = 1;
  const PetscScalar one = 1.0, zero = 0.0;
  const double duration = ldexp(ladder->step, k);
  double complex z[COSPIN_KET_SPACE + 2];
  double norm2;

  PetscFunctionBeginUser;
  *done = PETSC_FALSE;
  if (k >= MOST_LEAPS || progress->time + duration > until) PetscFunctionReturn(0);
  PetscCall(extend_ladder(ladder, k));
  PetscCallBLAS("BLASgemv", BLASgemv_("N", &n, &n, &one, ladder->leap[k], &n, y, &stride, &zero, z, &stride));
  norm2 = CospinKetNorm2(n, z);
  if (norm2 <= floor) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(y, z, n));
  progress->time += duration;
  progress->norm2 = norm2;
  progress->products += 1;
  *done = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Up the ladder and down again; then less than one step is left, or less than one to the jump. */
static PetscErrorCode leap(Ladder *ladder, double until, double floor, double complex y[],
                           CospinKetProgress *progress)
{
  PetscBool done = PETSC_TRUE;
  int k = 0;

  PetscFunctionBeginUser;
  for (; done; k++) PetscCall(try_leap(ladder, k, until, floor, y, progress, &done));
  for (k -= 2; k >= 0; k--) PetscCall(try_leap(ladder, k, until, floor, y, progress, &done));
  PetscFunctionReturn(0);
}

/* A CospinKetShow: y is the ket. */
static PetscErrorCode show_ket(void *context, int k, const double complex y[], double norm2)
{
  const CospinKetPropagator p = (CospinKetPropagator)context;

  PetscFunctionBeginUser;
  PetscCall(p->visit(p->context, k, y, norm2));
  PetscFunctionReturn(0);
}

/* To the next time that is visited, or to the jump. */
static PetscErrorCode advance_small(CospinKetPropagator p, const CospinKetGenerator *generator, double until,
                                    double floor, double complex ket[], CospinKetProgress *progress,
                                    PetscBool *fallen)
{
  const double next = progress->next < p->num_times ? p->times[progress->next] : until;
  CospinKetCourse course = course_of(p, PetscMin(until, next), floor);
  const int n = generator->matrix->num_rows;
  CospinKetMarch march = {.rows = n, .stride = n};
  PetscBool ended;
  Ladder *ladder;

  PetscFunctionBeginUser;
  if (!generator->block->attached) {
    PetscCall(create_ladder(generator->matrix, &ladder));
    generator->block->attached = ladder;
  }
  ladder = (Ladder *)generator->block->attached;
  PetscCall(leap(ladder, course.until, floor, ket, progress));
  march.h = ladder->h;
  PetscCall(PetscArraycpy(march.y, ket, n));
  course.show = show_ket;
  course.context = p;
  PetscCall(CospinKetMarchOn(&march, &course, progress, fallen, &ended));
  PetscCall(PetscArraycpy(ket, march.y, n));
  PetscFunctionReturn(0);
}

/* ---- Large blocks -------------------------------------------------------------------------------------- */

/* y = A x. Terms are applied one by one: those of shifted jumps change with every jump, and a sum of matrices
   would have to be made anew each time. */
static void apply(CospinKetPropagator p, const CospinKetGenerator *generator, const double complex x[],
                  double complex y[])
{
  const int n = generator->matrix->num_rows;

  CospinKetMatrixApply(generator->matrix, x, y);
  for (int k = 0; k < generator->num_terms; k++) {
    CospinKetMatrixApply(generator->terms[k], x, p->work);
    for (int i = 0; i < n; i++) y[i] += generator->factors[k] * p->work[i];
  }
  for (int i = 0; i < n && generator->constant != 0.0; i++) y[i] += generator->constant * x[i];
}

/* Vector number m (> 0) of the basis; *length of it before it was normalised, 0 if the space is closed.
   Orthogonalised twice, which is enough. (Giraud et al., Numer. Math. 101, 87 (2005).) */
static PetscErrorCode add_vector(CospinKetPropagator p, const CospinKetGenerator *generator, int m,
                                 double *length)
{
  const PetscBLASInt n = generator->matrix->num_rows, columns = m, stride = 1;
  const PetscScalar one = 1.0, minus = -1.0, zero = 0.0;
  double complex *w = p->basis + (size_t)n * (size_t)m, *h = p->h + (COSPIN_KET_SPACE + 1) * (m - 1);
  double complex sums[COSPIN_KET_SPACE + 1];
  double before;

  PetscFunctionBeginUser;
  apply(p, generator, w - n, w);
  before = PetscSqrtReal(CospinKetNorm2(n, w));
  PetscCall(PetscArrayzero(h, COSPIN_KET_SPACE + 1));
  for (int twice = 0; twice < 2; twice++) {
    PetscCallBLAS("BLASgemv",
                  BLASgemv_("C", &n, &columns, &one, p->basis, &n, w, &stride, &zero, sums, &stride));
    PetscCallBLAS("BLASgemv",
                  BLASgemv_("N", &n, &columns, &minus, p->basis, &n, sums, &stride, &one, w, &stride));
    for (int k = 0; k < m; k++) h[k] += sums[k];
  }
  *length = PetscSqrtReal(CospinKetNorm2(n, w));
  if (*length <= 1e-14 * before || m >= n) *length = 0.0;
  for (int i = 0; i<n && * length> 0.0; i++) w[i] /= *length;
  h[m] = *length;
  PetscFunctionReturn(0);
}

typedef struct {
  CospinKetPropagator propagator;
  int dimension, rows;
} Shown;

/* to = V y */
static PetscErrorCode combine(const Shown *shown, const double complex y[], double complex to[])
{
  const PetscBLASInt n = shown->dimension, columns = shown->rows, stride = 1;
  const PetscScalar one = 1.0, zero = 0.0;

  PetscFunctionBeginUser;
  PetscCallBLAS("BLASgemv", BLASgemv_("N", &n, &columns, &one, shown->propagator->basis, &n, y, &stride,
                                      &zero, to, &stride));
  PetscFunctionReturn(0);
}

/* A CospinKetShow. */
static PetscErrorCode show_sum(void *context, int k, const double complex y[], double norm2)
{
  const Shown *shown = (const Shown *)context;
  const CospinKetPropagator p = shown->propagator;

  PetscFunctionBeginUser;
  PetscCall(combine(shown, y, p->work));
  PetscCall(p->visit(p->context, k, p->work, norm2));
  PetscFunctionReturn(0);
}

/* Whether the space reaches as far as the course. */
static PetscErrorCode rehearse(const CospinKetMarch *march, const CospinKetCourse *course,
                               const CospinKetProgress *progress, PetscBool *far)
{
  CospinKetProgress trial = *progress;
  CospinKetMarch copy = *march;
  PetscBool fallen;

  PetscFunctionBeginUser;
  PetscCall(CospinKetMarchOn(&copy, course, &trial, &fallen, far));
  PetscFunctionReturn(0);
}

/* After which vectors it is worth a look: often where a product costs more than a rehearsal. */
static PetscBool is_stage(int rows, int num_elements)
{
  static const int costly = 5000; /* elements */

  if (num_elements > costly) return (PetscBool)(rows >= 4 && rows % 2 == 0);
  return (PetscBool)(rows == 8 || rows == 14 || rows == 21);
}

/* One space. */
static PetscErrorCode advance_large(CospinKetPropagator p, const CospinKetGenerator *generator, double until,
                                    double floor, double complex ket[], CospinKetProgress *progress,
                                    PetscBool *fallen)
{
  CospinKetCourse course = course_of(p, until, floor);
  CospinKetMarch march = {.stride = COSPIN_KET_SPACE + 1, .h = p->h};
  const int n = generator->matrix->num_rows;
  const double norm = PetscSqrtReal(progress->norm2);
  PetscBool far = PETSC_FALSE, ended;
  Shown shown = {p, n, 0};

  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) p->basis[i] = ket[i] / norm;
  march.residual = 1.0;
  while (march.rows < COSPIN_KET_SPACE && march.residual > 0.0 && !far) {
    PetscCall(add_vector(p, generator, ++march.rows, &march.residual));
    progress->products += 1;
    march.y[0] = norm;
    if (is_stage(march.rows, generator->matrix->first[n]))
      PetscCall(rehearse(&march, &course, progress, &far));
  }
  shown.rows = march.rows;
  course.show = show_sum;
  course.context = &shown;
  PetscCall(CospinKetMarchOn(&march, &course, progress, fallen, &ended));
  PetscCall(combine(&shown, march.y, ket));
  PetscFunctionReturn(0);
}

/* A time that has come already is visited at once. */
static PetscErrorCode visit_now(CospinKetPropagator p, const double complex ket[],
                                CospinKetProgress *progress)
{
  PetscFunctionBeginUser;
  while (progress->next < p->num_times && p->times[progress->next] <= progress->time) {
    PetscCall(p->visit(p->context, progress->next, ket, progress->norm2));
    progress->next++;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CospinKetPropagate(CospinKetPropagator p, const CospinKetGenerator *generator, double until,
                                  double floor, double complex ket[], CospinKetProgress *progress,
                                  PetscBool *fallen)
{
  const CospinKetMatrix *matrix = generator->matrix;
  const PetscBool small = (PetscBool)(generator->block && generator->num_terms == 0 && matrix->norm > 0.0 &&
                                      matrix->num_rows <= COSPIN_KET_SPACE);

  PetscFunctionBeginUser;
  *fallen = PETSC_FALSE;
  PetscCall(visit_now(p, ket, progress));
  PetscCall(make_room(p, matrix->num_rows));
  while (!*fallen && !progress->stop && progress->time < until) {
    if (small)
      PetscCall(advance_small(p, generator, until, floor, ket, progress, fallen));
    else
      PetscCall(advance_large(p, generator, until, floor, ket, progress, fallen));
  }
  PetscFunctionReturn(0);
}
