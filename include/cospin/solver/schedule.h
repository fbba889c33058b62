/*
   How coefficients c_k(t) behave from 0 to the last time: cells of time in which all of them are smooth and
   known well enough that no step of an integrator can miss anything, and cells in which nothing changes.
*/
#pragma once
#include <petscsys.h>

/* c[num] at a time; NaN where there is no value. The same bits on every rank. */
typedef PetscErrorCode (*CospinCoefficients)(void *context, double time, double c[]);

typedef struct {
  int num; /* of coefficients */
  CospinCoefficients Coefficients;
  void *context;
  double end;
  PetscBool failed; /* a coefficient has no value somewhere, or there are too many cells */
  int num_cells, capacity;
  double *ends;        /* [num_cells] ascending; the last is `end` */
  PetscBool *constant; /* [num_cells] nothing changes there */
  double *scale;       /* [num] largest modulus seen */
  int num_kicks; /* set by whoever made it, and owned from then on: at kicks[i], the end of a cell, 0 or */
  double *kicks, *weights; /* `end`, u becomes exp(sum_k weights[i*num + k] L_k) u */
} CospinSchedule;

/*
   Not collective. edges[num_edges]: where coefficients jump or have a corner, ascending, within (0, end);
   each ends a cell. In a cell every coefficient is a polynomial within `accuracy` of its largest modulus.
   Other jumps are enclosed in cells as short as rounding allows. knots[num_knots], likewise: where they may
   be less smooth, as at the points of a table; they are looked at, and cells rather end there than elsewhere.
   `context` must outlive it.
*/
PetscErrorCode CospinScheduleCreate(int num, CospinCoefficients coefficients, void *context, double end,
                                    int num_edges, const double edges[], int num_knots, const double knots[],
                                    double accuracy, CospinSchedule **schedule);
PetscErrorCode CospinScheduleDestroy(CospinSchedule **schedule);
