/* How well a steady state that has an error determines an expectation value. */
#pragma once
#include <cospin/point/point.h>

/* Largest relative error of a number that something is divided by. */
#define COSPIN_RATIO_ERROR 1e-6

/*
   Collective. *nothing: `value` = Tr(A rho) of the steady state is what rounding makes of zero, so that it
   may be zero. *vague: it is more, but has less than six digits because the steady state has not; nothing can
   be divided by it then.
*/
PetscErrorCode CospinSteadyDigits(CospinPoint point, const CospinSteadyState *steady, CospinPolynomial a,
                                  double complex value, PetscBool *nothing, PetscBool *vague);
