/* A function of one number, given by a text file of points: `x y`, or `x re im`, a line each. */
#pragma once
#include <complex.h>
#include <cospin/deck/fault.h>

typedef struct {
  int count; /* of points, two at least */
  PetscBool real;
  PetscBool zero[2];         /* it is 0 before, behind all points */
  double *x;                 /* [count] ascending */
  double complex *y, *slope; /* [count] */
} CospinCurve;

/*
   Not collective. `name`: as the deck has it, for faults, which stand at `at` and `path` of the deck and
   begin with the file's own name and line; `file`: where it is. *curve is NULL if anything is wrong.
*/
PetscErrorCode CospinCurveRead(const char name[], const char file[], CospinPosition at, const char path[],
                               CospinFaults faults, CospinCurve **curve);
PetscErrorCode CospinCurveDestroy(CospinCurve **curve);
/* The cubic spline through all points; 0 before (behind) them where the first (last) of them is 0, else *ok
   is false there. */
double complex CospinCurveAt(const CospinCurve *curve, double x, PetscBool *ok);
