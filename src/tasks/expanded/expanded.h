/* What the tasks under `operator: expansion` share. */
#pragma once
#include <cospin/point/settings.h>
#include <cospin/solver/expansion.h>

#define COSPIN_EXPANDED_VARIABLES                                                                            \
  {"edge",                                                                                                   \
   COSPIN_REAL,                                                                                              \
   PETSC_FALSE,                                                                                              \
   "1",                                                                                                      \
   "distance of the stable point from the edge of the labels",                                               \
   "in standard deviations of the state"},                                                                   \
      {"degree", COSPIN_INTEGER, PETSC_FALSE, "1", "polynomials up to this total degree, not included", ""}, \
  {                                                                                                          \
    "functions", COSPIN_INTEGER, PETSC_FALSE, "1", "functions of the expansion", ""                          \
  }
#define COSPIN_EXPANDED_RULES                                                                                \
  {"edge", COSPIN_ALL, 0, NULL, NULL}, {"degree", COSPIN_ALL, 0, "1", NULL},                                 \
  {                                                                                                          \
    "functions", COSPIN_ALL, 0, "1", NULL                                                                    \
  }

#define COSPIN_EXPANDED_TOLERANCE_KEY                                                                        \
  {                                                                                                          \
    .name = "tolerance", .type = COSPIN_KEY_NUMBER, .default_text = "1e-6", .unit = "",                      \
    .help = "largest error of a number, beside the number, that counts as good; the degree grows until it "  \
            "is reached",                                                                                    \
    COSPIN_KEY_TOLERANCE                                                                                     \
  }

/* What is told of an eigenvalue, one or along the dimension `mode`. */
#define COSPIN_EXPANDED_MODE_VARIABLES(along, rate, frequency, sign, lifetime)                               \
  {"rate", COSPIN_REAL, along, "rate", rate, "-Re lambda"},                                                  \
      {"frequency", COSPIN_REAL, along, "rate", frequency, sign},                                            \
      {"lifetime", COSPIN_REAL, along, "time", lifetime, "1/rate"},                                          \
      {"error",                                                                                              \
       COSPIN_REAL,                                                                                          \
       along,                                                                                                \
       "rate",                                                                                               \
       "estimate of the eigenvalue's error",                                                                 \
       "mean |x - x'| |r| at points of the state, x' of a lower degree, r the defect of the left vector"},   \
      {"bound",                                                                                              \
       COSPIN_REAL,                                                                                          \
       along,                                                                                                \
       "rate",                                                                                               \
       "bound of the eigenvalue's error, to first order",                                                    \
       "mean |x| |r| at points of the state"},                                                               \
      {"change", COSPIN_REAL, along, "rate", "change from the degree before", ""}, COSPIN_EXPANDED_VARIABLES
#define COSPIN_EXPANDED_MODE_RULES                                                                           \
  {"rate", COSPIN_ALL, 0, "0", NULL}, {"frequency", COSPIN_ALL, 0, NULL, NULL},                              \
      {"error", COSPIN_ALL, 0, "0", NULL}, {"bound", COSPIN_ALL, 0, "0", NULL}, COSPIN_EXPANDED_RULES

extern const CospinOutcomeHint CospinExpandedHints[]; /* of all these tasks */

/* Faults of decks without an expansion. */
PetscErrorCode CospinExpandedCheck(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok);
/* Not collective. Faults of an operator that lives in a sector of another parity than that of the steady
   state, which no expansion tells from it. */
PetscErrorCode CospinExpandedCheckParity(CospinProblem problem, const CospinRecord *task, CospinPolynomial a,
                                         CospinFaults faults, PetscBool *ok);

/* A CospinTaskKind.Cost. */
PetscErrorCode CospinExpandedCost(CospinProblem problem, const CospinRecord *task, PetscInt64 *unknowns,
                                  double *bytes, double *seconds);

/* What a task does with the expansion of a point that has a good one: numbers to results, within the
 * tolerance. */
typedef PetscErrorCode (*CospinExpandedWork)(CospinPoint point, CospinExpansion expansion,
                                             const CospinRecord *task, double tolerance,
                                             CospinResults results, CospinOutcome *outcome);
/* Collective. Makes the expansion of the point's generator, stores `edge` and hands it to `work`; *outcome:
   that of its stable point, if it is not good. */
PetscErrorCode CospinExpandedRun(CospinExpandedWork work, CospinPoint point, const CospinRecord *task,
                                 CospinResults results, CospinOutcome *outcome);
/* Stores degree and functions. */
PetscErrorCode CospinExpandedStoreSize(const CospinExpanded *value, CospinResults results);
/* Stores rate, frequency, lifetime, error, bound and change of a mode; *outcome: uncertified unless its error
   is small. */
PetscErrorCode CospinExpandedStoreMode(const CospinExpanded *mode, int index, double tolerance,
                                       CospinResults results, CospinOutcome *outcome);
