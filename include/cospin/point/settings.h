/* What several tasks say in the same words: keys, variables, and small helpers. */
#pragma once
#include <cospin/point/point.h>
#include <cospin/problem/state.h>
#include <cospin/solver/propagator.h>

#define COSPIN_TASK_TOLERANCE_KEY                                                                            \
  {                                                                                                          \
    .name = "tolerance", .type = COSPIN_KEY_NUMBER, .default_text = "1e-10", .unit = "",                     \
    .help = "largest residual (recomputed, relative to the norm of the generator) that counts as good",      \
    COSPIN_KEY_TOLERANCE                                                                                     \
  }

/* Of approximate tasks, which go from a product state in time or, without times, to what `otherwise` says. */
#define COSPIN_TASK_TIMES_KEY(otherwise)                                                                     \
  {                                                                                                          \
    .name = "times", .type = COSPIN_KEY_AXIS, .unit = "time",                                                \
    .help = "times at which results are wanted, ascending, >= 0; left out: " otherwise                       \
  }
#define COSPIN_TASK_PRODUCT_STATE_KEY                                                                        \
  {                                                                                                          \
    .name = "initial", .type = COSPIN_KEY_STATE, .unit = "",                                                 \
    .help = "state at time 0, a product; components that are left out are in their ground state"             \
  }

#define COSPIN_TASK_METHOD_KEY                                                                               \
  {                                                                                                          \
    .name = "method", .type = COSPIN_KEY_NAME, .default_text = "auto", .choices = CospinTaskMethods,         \
    .unit = "",                                                                                              \
    .help = "krylov: products with the generator; rational: factorisations, for long times and stiff rates"  \
  }
extern const char *const CospinTaskMethods[];
/* Value of that key. */
CospinPropagatorMethod CospinTaskMethod(const CospinRecord *task);

#define COSPIN_TASK_STORE_KEY                                                                                \
  {                                                                                                          \
    .name = "store", .type = COSPIN_KEY_NAME, .default_text = "nothing", .choices = CospinTaskStoreChoices,  \
    .unit = "", .help = "state: the density matrix goes into the dataset, under /states"                     \
  }
extern const char *const CospinTaskStoreChoices[];

/* Whether a task with this key stores its state. */
PetscBool CospinTaskStores(const CospinRecord *task);
/* Not collective. A state without elements for task `task`, at the time-th of the times that it stores. */
PetscErrorCode CospinTaskNewState(CospinProblem problem, const CospinRecord *task, int time,
                                  CospinStored stored, CospinStoredState *state);
/* Collective on rho. Adds its elements, those of one sector, to the state on the first rank; nothing is added
   on others. */
PetscErrorCode CospinTaskCollect(const CospinSystem *system, CospinSector sector, Vec rho,
                                 CospinStoredState state);
/* The same for states that stand beside each other: an element goes to states[label[coordinate]]. */
PetscErrorCode CospinTaskCollectAlong(const CospinSystem *system, CospinSector sector, Vec rho,
                                      int coordinate, const CospinStoredState states[]);

/* Collective on comm. Stores the observables at `index` along their dimension. readings: of all expectations
   in a row, the same on all ranks; state: it on the first rank, of the components of `system`
   (NULL: functionals that need one are NaN). *outcome becomes worse if the state is too large for one of
   them. */
PetscErrorCode CospinTaskObserve(MPI_Comm comm, CospinObservables observables,
                                 const double complex readings[], const CospinSystem *system,
                                 CospinStoredState state, int index, CospinResults results,
                                 CospinOutcome *outcome);

/* The same of one state as an argument; all are borrowed. */
typedef struct {
  CospinObservables observables;
  const double complex *readings;
  const CospinSystem *system;
  CospinStoredState state;
} CospinTaskReading;
/* Collective on comm. Raises *change to the largest difference, relative where it is larger than 1, between
   the functionals of two states that need more than expectation values. */
PetscErrorCode CospinTaskFunctionalsChange(MPI_Comm comm, const CospinTaskReading *a,
                                           const CospinTaskReading *b, double *change);

/* Of exact tasks that an expansion may stand in for (cospin/tasks/instead.h). */
#define COSPIN_TASK_INSTEAD_VARIABLE                                                                         \
  {                                                                                                          \
    "functions", COSPIN_INTEGER, PETSC_FALSE, "1", "functions of an expansion, where labels do not fit",     \
        "`operator: auto`; missing: the numbers are of labels"                                               \
  }

#define COSPIN_TASK_SECTOR_KEY                                                                               \
  {                                                                                                          \
    .name = "sector", .type = COSPIN_KEY_SECTOR, .unit = "",                                                 \
    .help = "the sector: {ket: k, bra: b} under a strong symmetry, {charge: q} under a weak one"             \
  }

#define COSPIN_TASK_STEADY_SECTOR_KEY                                                                        \
  {                                                                                                          \
    .name = "sector", .type = COSPIN_KEY_SECTOR, .unit = "",                                                 \
    .help = "sector of the steady state, where there is one in each of several"                              \
  }

/* Collective. The steady state that a task starts from, that of its key `sector` if that is given. *outcome:
   of the steady state, inaccurate if its residual is. */
PetscErrorCode CospinTaskSteadyState(CospinPoint point, const CospinRecord *task, const char prefix[],
                                     const CospinSteadyState **steady, CospinOutcome *outcome);

/* Collective. Whether the run is to end: then what earlier tasks of the point have found has been kept, and
   this one begins again in the next run (its outcome is COSPIN_NOT_RUN). */
PetscErrorCode CospinTaskLeave(CospinPoint point, PetscBool *leave);

/* Value of a number or integer setting at this point. */
PetscErrorCode CospinTaskNumber(CospinProblem problem, const CospinRecord *task, const char key[],
                                CospinFaults faults, double *value, PetscBool *ok);
/* The same, or `otherwise` for a key that is left out and has no default, and after a fault. *ok is made
   false, or left as it is. */
PetscErrorCode CospinTaskNumberOr(CospinProblem problem, const CospinRecord *task, const char key[],
                                  double otherwise, CospinFaults faults, double *value, PetscBool *ok);
/* A fault of a key: *ok becomes false, and the sentence goes to faults unless NULL. */
PetscErrorCode CospinTaskFail(CospinProblem problem, const CospinRecord *task, const char key[],
                              CospinFaults faults, PetscBool *ok, const char sentence[]);
/* Faults of an axis key of this name, whose values (each a `what`) must ascend and not be less than `least`.
 */
PetscErrorCode CospinTaskCheckAxis(CospinProblem problem, const CospinRecord *task, const char key[],
                                   const char what[], double least, CospinFaults faults, PetscBool *ok);
/* The operator of the key `of`, owned by the caller in any case. A fault if it is zero. */
PetscErrorCode CospinTaskOperator(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                  CospinPolynomial *a, PetscBool *ok);
/* The operators of the keys `of` (A) and `with` (B, default A^+), owned by the caller in any case; *adjoint:
   B = A^+. */
PetscErrorCode CospinTaskPair(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                              CospinPolynomial *a, CospinPolynomial *b, PetscBool *adjoint, PetscBool *ok);
/* The key `tolerance`, a positive number. */
PetscErrorCode CospinTaskTolerance(CospinProblem problem, const CospinRecord *task, CospinFaults faults,
                                   double *tolerance, PetscBool *ok);
/* "<task>_": prefix of the task's PETSc options. */
PetscErrorCode CospinTaskPrefix(const CospinRecord *task, char prefix[], size_t size);
/* Polynomial of the identity operator. */
PetscErrorCode CospinTaskIdentity(CospinPolynomial *one);
/* rho -> A rho as moves, owned by the caller. */
PetscErrorCode CospinTaskLeftProduct(CospinProblem problem, CospinPolynomial a, CospinMoves *moves);
/* -Re lambda, and 0 where that is below the resolution: never the rounding error that a solver returned. */
double CospinTaskRate(double complex lambda, double resolution);
/* -Im lambda likewise. */
double CospinTaskFrequency(double complex lambda, double resolution);
/* Whether label[n] is one of labels[num][n]. */
PetscErrorCode CospinTaskHasLabel(int n, const int label[], int num, const int labels[], PetscBool *found);
/* Whether an eigenvalue's error is more than half of it. A rate of zero, which is not told as a
   number, and an unknown error (NaN) are not uncertain. */
PetscBool CospinTaskUncertain(double complex lambda, double error, double resolution);

/* Sectors that hold steady states. */
PetscErrorCode CospinTaskSteadySectors(CospinProblem problem, int *num, int **representatives);
/* Faults of the key `sector`; with needs_trace also if the sector holds no diagonal elements. */
PetscErrorCode CospinTaskCheckSector(CospinProblem problem, const CospinRecord *task, PetscBool needs_trace,
                                     CospinFaults faults, PetscBool *ok);
/* A CospinTaskKind.Sectors: the sector of the key `sector` (its word: all), those of the steady states
   without it. */
PetscErrorCode CospinTaskSectors(CospinProblem problem, const CospinRecord *task, int *num,
                                 int **representatives);

/* A CospinTaskKind.Sectors of tasks that enumerate nothing. */
PetscErrorCode CospinTaskNoSectors(CospinProblem problem, const CospinRecord *task, int *num,
                                   int **representatives);

/* Not collective. The sectors that the observables, the trace and (unless NULL) the fidelity with `target`
   read, and (unless NULL) those where the state `whole` has elements. */
PetscErrorCode CospinTaskSectorsRead(CospinProblem problem, CospinObservables observables, CospinState target,
                                     CospinState whole, int *num, int **representatives);

/* ---- What a task has done ---- */

#define COSPIN_TASK_WORK_VARIABLES                                                                           \
  {"factorisations", COSPIN_INTEGER, PETSC_FALSE, "1", "factorisations", "0: by LAPACK, or by iteration"},   \
      {"solves", COSPIN_INTEGER, PETSC_FALSE, "1", "solves with factors", "left ones included"},             \
  {                                                                                                          \
    "products", COSPIN_INTEGER, PETSC_FALSE, "1", "products with the generator of solves by iteration",      \
        "0: by factors or LAPACK"                                                                            \
  }
#define COSPIN_TASK_WORK_RULES                                                                               \
  {"factorisations", COSPIN_ALL, 0, "0", NULL}, {"solves", COSPIN_ALL, 0, "0", NULL},                        \
  {                                                                                                          \
    "products", COSPIN_ALL, 0, "0", NULL                                                                     \
  }
/* Not collective. What has been done at this point since `before`. */
PetscErrorCode CospinTaskStoreWork(CospinPoint point, const CospinWork *before, CospinResults results);
