/* What the tasks that count clicks have in common: the keys `jump` and `efficiency`. */
#pragma once
#include "settings.h"

#define COSPIN_TASK_JUMP_KEYS                                                                                \
  {.name = "jump",                                                                                           \
   .type = COSPIN_KEY_NAME,                                                                                  \
   .required = PETSC_TRUE,                                                                                   \
   .unit = "",                                                                                               \
   .help = "the `name` of the jumps that are counted, all that have it"},                                    \
  {                                                                                                          \
    .name = "efficiency", .type = COSPIN_KEY_NUMBER, .default_text = "1", .unit = "",                        \
    .help = "probability with which such a jump makes a click"                                               \
  }

typedef struct {
  const char *jump; /* borrowed from the deck */
  double efficiency;
} CospinDetector;

/* Not collective. Values of these keys. Faults: no jump of that name, an efficiency that is no probability.
 */
PetscErrorCode CospinTaskDetector(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinDetector *detector, PetscBool *ok);
