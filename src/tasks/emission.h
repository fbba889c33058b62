/* The spectrum of a two-time correlation as a sum of rational models. */
#pragma once
#include <cospin/point/regression.h>
#include <cospin/solver/resolvent.h>

enum { COSPIN_EMISSION_MAX_FAR = 60 };

typedef struct {
  CospinPolynomial a, b;
  PetscBool symmetric; /* B = A^+ */
  const CospinAxis *axis;
  double tolerance;
} CospinEmissionSettings;

typedef struct {
  CospinChannel *channel; /* borrowed */
  CospinResolvent model;
  PetscBool mirrored;  /* of negative times: its complex conjugate counts */
  PetscBool closed;    /* nothing can be added */
  PetscBool confirmed; /* the last solve found it good enough */
  double wrong;        /* by how much the last solve found it wrong, as a part of the spectrum */
  int beyond;          /* solves beyond the axis */
} CospinEmissionPart;

/* A frequency at which a model is looked at. */
typedef struct {
  double omega, reach; /* beyond the axis: how far around it an error adds to the integral */
} CospinEmissionPlace;

typedef struct {
  const CospinEmissionSettings *settings;
  int num_channels[2];
  CospinChannel *channels[2]; /* of <A(t) B(0)>, of <B^+(t) A^+(0)> */
  int num_parts;
  CospinEmissionPart *parts;
  int num_far;
  double far[COSPIN_EMISSION_MAX_FAR], centre;
  double weight; /* of a model's value in the spectrum */
  double complex power, coherent;
  PetscBool vague;             /* the steady state has too few digits for the power */
  double scale;                /* largest value of the spectrum that is known of */
  CospinEmissionPlace *places; /* [axis size + COSPIN_EMISSION_MAX_FAR + COSPIN_RESOLVENT_MAX_ORDER] */
  CospinOutcome outcome;       /* of the solves */
} CospinEmission;

/* Collective. The models of all channels, not yet exact anywhere; emission->settings stands there, borrowed,
 * everything else is zero. */
PetscErrorCode CospinEmissionCreate(CospinPoint point, const char prefix[], const CospinSteadyState *steady,
                                    CospinEmission *emission);
PetscErrorCode CospinEmissionDestroy(CospinEmission *emission);
/* Collective. Solves at one frequency after the other until all models are good, or the run is to end. */
PetscErrorCode CospinEmissionRefine(CospinPoint point, CospinEmission *emission, PetscBool *interrupted);

/* Not collective: the models are the same on every rank, up to rounding. The value at a frequency and, unless
   `error` is NULL, the estimate of its error; the real part of the value. */
double complex CospinEmissionValue(const CospinEmission *emission, double omega, double *error);
double CospinEmissionDensity(const CospinEmission *emission, double omega);
/* A model's poles as lines, at most COSPIN_RESOLVENT_MAX_ORDER: between the points of the axis, or also
 * beyond it. */
int CospinEmissionLines(const CospinEmission *emission, const CospinEmissionPart *part, PetscBool beyond,
                        CospinEmissionPlace lines[]);
/* Where a model is worst, and how much worse than allowed; infinite while nothing is known. */
double CospinEmissionWorst(const CospinEmission *emission, const CospinEmissionPart *part,
                           CospinEmissionPlace *place);
/* Whether a model's integral is not what the steady state says, although it is right where it was looked at.
 */
PetscBool CospinEmissionMissesLines(const CospinEmission *emission, const CospinEmissionPart *part);
