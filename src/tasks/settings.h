/* What several tasks say in the same words: keys, variables, and small helpers. */
#pragma once
#include <cospin/point.h>
#include <cospin/state.h>

#define COSPIN_TASK_TOLERANCE_KEY                                                                            \
  {                                                                                                          \
    .name = "tolerance", .type = COSPIN_KEY_NUMBER, .default_text = "1e-10", .unit = "",                     \
    .help = "largest residual (recomputed, relative to the norm of the generator) that counts as good"       \
  }

/* Value of a number or integer setting at this point. */
PetscErrorCode CospinTaskNumber(CospinProblem problem, const CospinRecord *task, const char key[],
                                CospinFaults faults, double *value, PetscBool *ok);
/* The key `tolerance`, a positive number. */
PetscErrorCode CospinTaskTolerance(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   double *tolerance, PetscBool *ok);
/* "<task>_": prefix of the task's PETSc options. */
PetscErrorCode CospinTaskPrefix(const CospinRecord *task, char prefix[], size_t size);
/* Polynomial of the identity operator. */
PetscErrorCode CospinTaskIdentity(CospinPolynomial *one);
/* Sectors that hold steady states, as CospinTaskKind.Sectors. */
PetscErrorCode CospinTaskSteadySectors(CospinProblem problem, const CospinRecord *task, int *num,
                                       int **representatives);

/* Not collective. The sectors that the observables, the trace and (unless NULL) the fidelity with `target`
 * read. */
PetscErrorCode CospinTaskSectorsRead(CospinProblem problem, CospinObservables observables, CospinState target,
                                     int *num, int **representatives);
