/* Peak, height and width of a spectrum that can be evaluated at any frequency. */
#pragma once
#include <cospin/deck/deck.h>
#include <cospin/point/results.h>

typedef struct {
  const void *context;
  double (*Density)(const void *context, double frequency);
  int num;
  const double *points; /* [num] ascending: frequencies between which it has one maximum at most */
} CospinLine;

/* Stores `peak`, `height` and `fwhm`; nothing where the spectrum is positive nowhere. */
PetscErrorCode CospinLineStore(const CospinLine *line, CospinResults results);
/* Not collective. The points of an axis and the frequencies of `num` lines on it, ascending, for the caller.
 */
PetscErrorCode CospinLinePoints(const CospinAxis *axis, int num, const double lines[], int *num_points,
                                double **points);
