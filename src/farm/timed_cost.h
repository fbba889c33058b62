/* What an evolution costs whose generator depends on time. */
#pragma once
#include <cospin/problem/clock.h>

/* Not collective. Rough seconds on one core, of a sector of n labels that is that of `representative`, up to
   the time `end`. */
PetscErrorCode CospinTimedSeconds(CospinProblem problem, const int representative[], double n, double end,
                                  double *seconds);
