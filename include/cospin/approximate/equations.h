/* The equations that the task `cumulant` solves, as text. */
#pragma once
#include <cospin/point/point.h>
#include <stdio.h>

/* Not collective; the point is one of PETSC_COMM_SELF. Moments and equations of a task `cumulant` at the
   point, in the form that src/approximate/moments/text.c begins with. *ok false: there are too many. */
PetscErrorCode CospinCumulantEquationsView(CospinPoint point, const CospinRecord *task, FILE *stream,
                                           PetscBool *ok);
