/*
   A ket between two jumps: psi(t) = exp(A t) psi with a generator A whose norm never grows, until its norm
   has fallen to a number that was drawn, or a time has come. Not collective; knows no deck.
*/
#pragma once
#include <cospin/operator/ket_space.h>

/* A = matrix + sum of factors[k] * terms[k] + constant */
typedef struct {
  const CospinKetMatrix *matrix;
  int num_terms;
  const CospinKetMatrix *const *terms;
  const double complex *factors;
  double complex constant;
  CospinKetBlock block; /* whose matrix it is if there are no terms, so that its exponential may be kept;
                           NULL: of none */
} CospinKetGenerator;

/* Receives the ket (not normalised, to be left as it is) at times[k]; k = -1: on the way. */
typedef PetscErrorCode (*CospinKetVisit)(void *context, int k, const double complex ket[], double norm2);

/* Where a trajectory is. */
typedef struct {
  double time, norm2; /* norm2: |ket|^2 */
  int next;           /* of the times, the first that has not been visited */
  double error;       /* bound of the ket's error so far, relative to its norm */
  double products;    /* with the generator */
  PetscBool stop;     /* set by who is visited: to go no further */
} CospinKetProgress;

typedef struct CospinKetPropagator_ *CospinKetPropagator;

/* times[num_times] ascend and are borrowed. tolerance: error of a ket, relative to its norm, over all times.
   watched: kets are shown on the way, too, in steps in which not much happens, unless blocks are given. */
PetscErrorCode CospinKetPropagatorCreate(int num_times, const double times[], double tolerance,
                                         PetscBool watched, CospinKetVisit visit, void *context,
                                         CospinKetPropagator *propagator);
PetscErrorCode CospinKetPropagatorDestroy(CospinKetPropagator *propagator);

/* Evolves ket[dimension] to the time `until`, visiting the times up to then, or (*fallen) to where norm2 ==
   floor. floor < 0: it never is. */
PetscErrorCode CospinKetPropagate(CospinKetPropagator propagator, const CospinKetGenerator *generator,
                                  double until, double floor, double complex ket[],
                                  CospinKetProgress *progress, PetscBool *fallen);

/* Frees what it attaches to small blocks: a CospinKetSpace's Detach. */
PetscErrorCode CospinKetPropagatorDetach(void *attached);
