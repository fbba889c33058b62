/* What the tasks that count clicks have in common: the keys `jump`, `efficiency` and `dark`. */
#pragma once
#include <cospin/point/settings.h>

#define COSPIN_TASK_JUMP_KEYS                                                                                \
  {.name = "jump",                                                                                           \
   .type = COSPIN_KEY_NAME,                                                                                  \
   .required = PETSC_TRUE,                                                                                   \
   .unit = "",                                                                                               \
   .help = "the `name` of the jumps that are counted, all that have it"},                                    \
      {.name = "efficiency",                                                                                 \
       .type = COSPIN_KEY_NUMBER,                                                                            \
       .default_text = "1",                                                                                  \
       .unit = "",                                                                                           \
       .help = "probability with which such a jump makes a click",                                           \
       COSPIN_KEY_PROBABILITY},                                                                              \
  {                                                                                                          \
    .name = "dark", .type = COSPIN_KEY_NUMBER, .default_text = "0", .unit = "rate",                          \
    .help = "dark counts per time: clicks at random, that no jump makes", COSPIN_KEY_NOT_NEGATIVE            \
  }

typedef struct {
  const char *jump; /* borrowed from the deck */
  double efficiency, dark;
} CospinDetector;

/* Not collective. Values of these keys. Faults: no jump of that name, an efficiency that is no probability,
   a negative rate of dark counts. */
PetscErrorCode CospinTaskDetector(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinDetector *detector, PetscBool *ok);
/* The fault of them that is of the key `jump`, which must be given: *ok becomes false, or stays as it is. */
PetscErrorCode CospinTaskCheckJump(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   PetscBool *ok);
