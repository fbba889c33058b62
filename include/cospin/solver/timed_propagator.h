/* Time evolution by a generator that depends on time: du/dt = L(t) u. */
#pragma once
#include <cospin/operator/timed.h>
#include <cospin/solver/propagator.h>
#include <cospin/solver/schedule.h>

/*
   Collective. As CospinPropagate, by products only. `generator`: of CospinTimedCreate; its coefficients are
   set here. `schedule`: of those coefficients, up to the last time at least. Where it has failed no time but
   0 is reached.
*/
PetscErrorCode CospinPropagateTimed(Mat generator, const CospinSchedule *schedule, Vec u, int num,
                                    const double times[], const CospinPropagatorOptions *options,
                                    const char prefix[], CospinPropagatorVisit visit, void *context,
                                    CospinPropagatorReport *report);
