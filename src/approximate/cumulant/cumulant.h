/*
   Second-order cumulant equations of N equal spins-1/2 and a mode, at any N.

   H = g (a S+ + hc) + delta_s Sz + delta_c a^+a; jumps of each spin s+ (pump), s- (decay), sz; collective S-
   and S+; a and a^+. All of that conserves a charge, so the moments are those of charge 0:

     p = <s_z>, n = <a^+a>, z = g^* <a^+ s_1^->, x = <s_1^+ s_2^->, y = <s_z1 s_z2>

   (s_z with eigenvalues +-1). Moments of three and more operators are replaced as if their cumulants were
   zero. Nothing here is collective.
*/
#pragma once
#include <cospin/point/point.h>
#include <petscts.h>

/* Moments, in this order. */
enum {
  COSPIN_CUMULANT_P,
  COSPIN_CUMULANT_PHOTONS,
  COSPIN_CUMULANT_Z_RE,
  COSPIN_CUMULANT_Z_IM,
  COSPIN_CUMULANT_X,
  COSPIN_CUMULANT_Y,
  COSPIN_NUM_CUMULANTS
};

/* The coefficients that a deck's terms give. */
typedef struct {
  int spins, mode;                          /* which component; -1: none */
  double size;                              /* N */
  double pump, decay, dephasing;            /* of each spin: s+, s-, and what sz adds to twice the decay of
                                               its coherence, 2/T2* */
  double collective_decay, collective_pump; /* S-, S+ */
  double spin_frequency, mode_frequency;
  double loss, gain;       /* a, a^+ */
  double complex coupling; /* g, of a S+ */
} CospinCumulants;

/* Faults: terms, components and jumps beyond the class, each a sentence at its place. */
PetscErrorCode CospinCumulantsCreate(CospinProblem problem, CospinFaults faults, CospinCumulants *equations,
                                     PetscBool *ok);

/* A fault: a mode that gains more than it loses. */
PetscErrorCode CospinCumulantsCheckMode(CospinProblem problem, const CospinCumulants *equations,
                                        CospinFaults faults, PetscBool *ok);

/* Tr(A rho) for an operator that is a sum of monomials of the class's second moments; 0 for monomials that
   carry a charge, NaN for those of more operators. */
double complex CospinCumulantExpectation(const CospinCumulants *equations, const double moments[],
                                         const CospinSystem *system, CospinPolynomial a);

/* d moments/dt, and (unless NULL) the sum of the absolute values of what each is made of. Analytic, so that a
   step along the imaginary axis differentiates. */
void CospinCumulantSlopes(const CospinCumulants *equations, const double complex moments[],
                          double complex slopes[], double sizes[]);
/* jacobian[i][j] = d slopes[i] / d moments[j] */
void CospinCumulantJacobian(const CospinCumulants *equations, const double moments[],
                            double jacobian[][COSPIN_NUM_CUMULANTS]);
/* Largest |slope| relative to what it is made of. */
double CospinCumulantResidual(const CospinCumulants *equations, const double moments[]);

/* The closed steady state; false where there is none: collective jumps, or no spin that relaxes. */
PetscBool CospinCumulantClosed(const CospinCumulants *equations, double moments[]);
/* The steady state by Newton's method; false if it does not converge. */
PetscBool CospinCumulantNewton(const CospinCumulants *equations, double moments[], int *iterations);

/* Where an ensemble and a mode begin to emit a line. */
typedef struct {
  PetscBool above;             /* the unsaturated inversion is more than the clamped one */
  double clamped, unsaturated; /* p at which gain is loss, and without light */
  double frequency;            /* (kc delta_s + k delta_c)/(kc + k), of the line above threshold */
  double complex mode, spins;  /* how a and S- decay in the frame of that frequency: kc/2 + i(delta_c - omega)
                                  and k/2 + i(delta_s - omega) */
} CospinCumulantThreshold;
/* False where there is none: no mode, collective jumps, spins without pump and decay. */
PetscBool CospinCumulantThresholdOf(const CospinCumulants *equations, CospinCumulantThreshold *threshold);

/* The line above threshold, from the linearised noise equations: full width (rate) and frequency. False below
   threshold, without emission, and with collective jumps beside a mode. */
PetscBool CospinCumulantLine(const CospinCumulants *equations, const double moments[], double *width,
                             double *frequency);

/* The moments of a product state (initial->factors; what is left out is in its ground state). Faults: states
   of other names, a file. */
PetscErrorCode CospinCumulantInitial(CospinProblem problem, const CospinCumulants *equations,
                                     const CospinSetting *initial, CospinFaults faults, double moments[],
                                     PetscBool *ok);

/* The equations in time. It must stay where it is: the solver points into it. */
typedef struct {
  CospinCumulants equations;
  TS ts;
  Mat jacobian;
  Vec state, floors;
  PetscInt steps; /* so far */
} CospinCumulantClock;

/* moments[]: at time 0. `accuracy`: relative, of a step. */
PetscErrorCode CospinCumulantClockCreate(const CospinCumulants *equations, const double moments[],
                                         double accuracy, const char prefix[], CospinCumulantClock *clock);
PetscErrorCode CospinCumulantClockDestroy(CospinCumulantClock *clock);
/* Moments at a time that is not before the last one; *ok false if the solver gave up. */
PetscErrorCode CospinCumulantClockAdvance(CospinCumulantClock *clock, double time, double moments[],
                                          PetscBool *ok);
