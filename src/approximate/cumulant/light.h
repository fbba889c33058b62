/*
   The light of the steady state that task `cumulant` finds: spectrum, correlation and decay of <A(t) A^+(0)>
   by quantum regression of the same equations (approximate/moments/regression.c), for any classes and modes.
*/
#pragma once
#include "approximate/moments/moments.h"
#include <cospin/point/settings.h>

#define COSPIN_CUMULANT_LIGHT_KEYS                                                                           \
  {.name = "of",                                                                                             \
   .type = COSPIN_KEY_OPERATOR,                                                                              \
   .unit = "",                                                                                               \
   .help = "operator A of <A(t) A^+(0)>, by regression; for the light of a mode it is dag(a)"},              \
      {.name = "frequencies",                                                                                \
       .type = COSPIN_KEY_AXIS,                                                                              \
       .unit = "rate",                                                                                       \
       .help = "with `of`: angular frequencies omega at which the spectrum is wanted, ascending"},           \
  {                                                                                                          \
    .name = "delays", .type = COSPIN_KEY_AXIS, .unit = "time",                                               \
    .help = "with `of`: times t at which the correlation is wanted, ascending, >= 0"                         \
  }

/* Along further dimensions (CospinCumulantLightDimension). */
#define COSPIN_CUMULANT_LIGHT_VARIABLES                                                                      \
  {"density",                                                                                                \
   COSPIN_REAL,                                                                                              \
   2,                                                                                                        \
   "time",                                                                                                   \
   "spectrum of <A(t) A^+(0)>",                                                                              \
   "integral of exp(-i omega t) (<A(t) A^+(0)> - |<A>|^2) dt; no value where regression_change > 0.1"},      \
      {"correlation_re", COSPIN_REAL, 3, "1", "<A(t) A^+(0)> - |<A>|^2, real part", "as the spectrum"},      \
      {"correlation_im", COSPIN_REAL, 3, "1", "<A(t) A^+(0)> - |<A>|^2, imaginary part", ""},                \
      {"peak",           COSPIN_REAL, PETSC_FALSE, "rate", "frequency at which the spectrum is largest",     \
       "within the axis"},                                                                                   \
      {"height", COSPIN_REAL, PETSC_FALSE, "time", "largest value of the spectrum", ""},                     \
      {"fwhm", COSPIN_REAL, PETSC_FALSE, "rate", "full width at half maximum", "of the line at the peak"},   \
      {"power", COSPIN_REAL, PETSC_FALSE, "1", "<A A^+> - |<A>|^2", "of the steady state"},                  \
      {"regression_rate",                                                                                    \
       COSPIN_REAL,                                                                                          \
       PETSC_FALSE,                                                                                          \
       "rate",                                                                                               \
       "slowest rate of <A(t) A^+(0)> by regression",                                                        \
       "an eigenvalue; above a threshold up to twice that of the light: there see linewidth"},               \
      {"regression_frequency",    COSPIN_REAL, PETSC_FALSE, "rate", "frequency of what decays slowest",      \
       "positive: exp(i omega t)"},                                                                          \
  {                                                                                                          \
    "regression_change", COSPIN_REAL, PETSC_FALSE, "1", "change of regression_rate by correlations",         \
        "relative to that around mean field without a phase; 0: nothing was left out, the rate is exact"     \
  }

/* Faults of these keys. */
PetscErrorCode CospinCumulantLightCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                        PetscBool *ok);
/* Dimension k beside time: 0 frequencies, 1 delays. */
CospinDimension CospinCumulantLightDimension(const CospinRecord *task, int k);
/* The equations; NULL: no light is asked for. *ok false: too many. */
PetscErrorCode CospinCumulantLightCreate(CospinMomentModel model, CospinProblem problem,
                                         const CospinRecord *task, int order, PetscBool filter,
                                         CospinRegression *light, PetscBool *ok);
/* Everything about the light of a stable steady state z; nothing if light is NULL. */
PetscErrorCode CospinCumulantLightStore(CospinRegression light, CospinProblem problem,
                                        const CospinRecord *task, CospinHierarchy moments,
                                        const double complex z[], CospinResults results,
                                        CospinOutcome *outcome);
