/* A ket between two jumps whose generator depends on time. Not collective; knows no deck. */
#pragma once
#include <cospin/solver/ket_propagator.h>
#include <cospin/solver/schedule.h>

/* A(t) = matrix + sum_k c_k(t) terms[k], the c of a schedule. */
typedef struct {
  const CospinKetMatrix *matrix;
  const CospinKetMatrix *terms; /* [schedule->num] */
} CospinKetTimedGenerator;

typedef struct CospinKetTimed_ *CospinKetTimed;

/* As CospinKetPropagatorCreate. `schedule` is borrowed. */
PetscErrorCode CospinKetTimedCreate(int num_times, const double times[], double tolerance, PetscBool watched,
                                    const CospinSchedule *schedule, CospinKetVisit visit, void *context,
                                    CospinKetTimed *timed);
PetscErrorCode CospinKetTimedDestroy(CospinKetTimed *timed);
/* As CospinKetPropagate. *kicked: kicks of the schedule that this ket has had, to be kept with it. */
PetscErrorCode CospinKetTimedPropagate(CospinKetTimed timed, const CospinKetTimedGenerator *generator,
                                       double until, double floor, double complex ket[],
                                       CospinKetProgress *progress, int *kicked, PetscBool *fallen);
