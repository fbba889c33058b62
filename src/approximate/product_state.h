/* The product state that an approximate task starts from, as first moments of each component. */
#pragma once
#include <cospin/problem/problem.h>

/* What a method takes: `ground` of everything, `css` of spins, and some states of modes. */
typedef struct {
  const char *task;         /* for faults */
  const char *const *modes; /* beside ground: coherent, fock, thermal; NULL at the end */
  const char *sentence;     /* all of it in words, behind "the task ... starts from" */
} CospinProductStates;

typedef struct {
  double angles[2];     /* of spins: theta (0: down), phi */
  double complex lower; /* <s-> of one spin, or <a> */
  double diagonal;      /* <sigma_z> of one spin, or <a^+ a> */
} CospinProductFactor;

/* Not collective. factors[num_components], to be freed with PetscFree in any case; those that `initial`
   leaves out are in their ground state. Faults: a state of another run, names that the method does not take,
   arguments that are not real where they must be, a number of quanta below 0 or (fock) not whole. faults may
   be NULL. */
PetscErrorCode CospinProductStateRead(CospinProblem problem, const CospinSetting *initial,
                                      const CospinProductStates *states, CospinFaults faults,
                                      CospinProductFactor **factors, PetscBool *ok);
