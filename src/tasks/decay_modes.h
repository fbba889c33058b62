/* The modes of task `decay`, of all sectors that its operator reads. */
#pragma once
#include <cospin/point/point.h>
#include <cospin/problem/state.h>

/* The operator A (NULL: a sector), where it starts from (NULL: not said), how many modes are wanted. */
typedef struct {
  CospinPolynomial a;
  CospinState initial;
  int count;
  double tolerance;
  PetscBool weights;
} CospinDecaySettings;

/* What is found in all sectors of A. */
typedef struct {
  double complex lambda, weight, amplitude;
  double residual, error, leak, lower, upper;
  int sector;
} CospinDecayMode;

typedef struct {
  int num, num_sectors;
  CospinDecayMode *modes;
  PetscInt64 dimension, nonzeros;
  double resolution, horizon;
  double leak; /* of null vectors */
  int iterations;
  CospinOutcome outcome;
} CospinDecayModes;

/* Collective. Appends the slowest modes of one sector to modes->modes, which has room for settings->count
   more, and takes its quality into `modes`. PETSc options of the solver start with `prefix`. */
PetscErrorCode CospinDecayAddSector(CospinPoint point, const CospinDecaySettings *settings,
                                    const char prefix[], const int representative[], CospinDecayModes *modes);
/* Not collective, the same on all ranks. Slowest first, of all sectors. */
PetscErrorCode CospinDecaySort(CospinDecayModes *modes);
/* Not collective. Modes of one eigenvalue in several sectors are one term of <A>(t): the first gets their
 * sum. */
void CospinDecayAddAmplitudes(CospinDecayModes *modes);
