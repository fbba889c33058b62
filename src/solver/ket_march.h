/* The exponential of a small matrix, followed in steps of a power series (ket_march.c). */
#pragma once
#include <cospin/solver/ket_propagator.h>

enum { COSPIN_KET_SPACE = 30, COSPIN_KET_ORDER = 36 }; /* vectors of a space, order of the series */

/* dy/ds = H y, H[rows x rows] by columns of `stride`, or where `residual` is not zero a projection of a
   larger matrix, whose last column lacks a vector of that length. */
typedef struct {
  int rows, stride;
  const double complex *h;
  double residual;
  double complex y[COSPIN_KET_SPACE + 2];
} CospinKetMarch;

/* What y stands for at a time that is visited: ket = y itself, or a sum of basis vectors. */
typedef PetscErrorCode (*CospinKetShow)(void *context, int k, const double complex y[], double norm2);

typedef struct {
  int num_times;
  const double *times;
  double until, floor;
  double error_rate;  /* that is allowed, relative to the norm */
  PetscBool watched;  /* every step is shown, too, as time -1 */
  CospinKetShow show; /* NULL: nothing is visited, for a rehearsal */
  void *context;
} CospinKetCourse;

/* Sum of |y|^2. */
double CospinKetNorm2(int n, const double complex y[]);
/* |y|^2 at a share x of a step, 0 <= x <= 1; it falls. */
typedef double (*CospinKetNormAt)(void *context, double x);
/* Where it is `floor`: it is above at 0 and not at 1. */
double CospinKetFall(CospinKetNormAt norm_at, void *context, double at_zero, double at_one, double floor);
/* Goes on from progress->time until the course's end, its floor (*fallen), until it is stopped, or as far as
   the projection is good
   (*ended false). */
PetscErrorCode CospinKetMarchOn(CospinKetMarch *march, const CospinKetCourse *course,
                                CospinKetProgress *progress, PetscBool *fallen, PetscBool *ended);
