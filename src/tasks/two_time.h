/* Two-time correlations of the steady state along an axis of times: what `correlation` and `g2` share. */
#pragma once
#include "light.h"
#include <cospin/point/evolution.h>
#include <cospin/point/noise.h>
#include <cospin/point/regression.h>
#include <cospin/point/window.h>

#define COSPIN_TWO_TIME_KEYS                                                                                 \
  COSPIN_LIGHT_TIMES_KEY, COSPIN_TASK_STEADY_SECTOR_KEY,                                                     \
      {.name = "tolerance",                                                                                  \
       .type = COSPIN_KEY_NUMBER,                                                                            \
       .default_text = "1e-9",                                                                               \
       .unit = "",                                                                                           \
       .help = "accuracy of the evolution, relative to what is left to evolve",                              \
       COSPIN_KEY_TOLERANCE},                                                                                \
      COSPIN_TASK_METHOD_KEY

#define COSPIN_TWO_TIME_VARIABLES                                                                            \
  {"error",                                                                                                  \
   COSPIN_REAL,                                                                                              \
   PETSC_TRUE,                                                                                               \
   "1",                                                                                                      \
   "estimated error of the perturbed state, relative",                                                       \
   "largest over sectors, 2-norms, accumulated over steps"},                                                 \
      {"leak",                                                                                               \
       COSPIN_REAL,                                                                                          \
       PETSC_FALSE,                                                                                          \
       "1",                                                                                                  \
       "what the generator carries out of the window",                                                       \
       "of the perturbed state at the first and the last time; 0 where every cutoff is the deck's"},         \
      {"steps", COSPIN_INTEGER, PETSC_FALSE, "1", "Krylov spaces that were built", ""},                      \
      {"dimension", COSPIN_INTEGER, PETSC_FALSE, "1", "dimension of the largest sector", ""},                \
  {                                                                                                          \
    "nonzeros", COSPIN_INTEGER, PETSC_FALSE, "1", "nonzeros of the generator in it", ""                      \
  }

typedef struct {
  const CospinAxis *times;
  CospinPropagatorMethod method;
  double tolerance;
} CospinTwoTimeSettings;
typedef struct {
  CospinPoint point;
  CospinTwoTimeSettings settings;
  CospinEvolution evolution; /* its parts are the channels */
  int num_channels;
  CospinChannel *channels;
  double complex *values; /* [times] sums over channels */
  double *errors;         /* [times] */
  double leak;
} CospinTwoTime;

/* The question of a task: Tr(reading exp(t L) perturbation rho), and what it is measured by. */
typedef struct {
  CospinPolynomial reading;
  CospinMoves perturbation;
  CospinPolynomial scale;
} CospinTwoTimeQuestion;

/* The expectation value of `scale` in the steady state, and whether it has digits: CospinSteadyDigits(). */
typedef struct {
  double complex value;
  PetscBool nothing, vague;
} CospinTwoTimeScale;

/* What tells one task from another. */
typedef struct {
  /* Not collective. The members of *question become the caller's. */
  PetscErrorCode (*Pose)(CospinProblem problem, const CospinRecord *task, CospinTwoTimeQuestion *question);
  /* Collective. Stores all values. */
  PetscErrorCode (*Store)(const CospinTwoTime *correlation, const CospinSteadyState *steady,
                          const CospinTwoTimeScale *scale, CospinResults results, CospinOutcome *outcome);
} CospinTwoTimeKind;

/* Collective. A CospinTaskKind.Run: asks the question of the steady state, in the windows of the run that was
   interrupted if there is a checkpoint; nothing happens beyond *outcome where there is no one steady state.
 */
PetscErrorCode CospinTwoTimeRun(const CospinTwoTimeKind *kind, CospinPoint point, const CospinRecord *task,
                                CospinResults results, CospinOutcome *outcome);
/* Not collective. A CospinTaskKind.Sectors: those in which the question's operator `reading` lives. */
PetscErrorCode CospinTwoTimeSectors(const CospinTwoTimeKind *kind, CospinProblem problem,
                                    const CospinRecord *task, int *num, int **representatives);
/* Not collective. What a CospinTaskKind.Check of both has in common; *ok holds what is known already. */
PetscErrorCode CospinTwoTimeCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinDimension *dimension, PetscBool *ok);
/* Of the values, at long times: it is not in what evolves. */
double complex CospinTwoTimeLimit(const CospinTwoTime *correlation);
/* Collective. About the largest expectation value that the operator which is read can have: at all, and among
   the elements that the perturbed state has. */
PetscErrorCode CospinTwoTimeLargest(const CospinTwoTime *correlation, double *largest);
PetscErrorCode CospinTwoTimeTypical(const CospinTwoTime *correlation, double *typical);
