/*
   Functionals of the state: numbers that no expectation value gives (the table:
   cospin/deck/functional_list.h).

   A functional is prepared once at a grid point, from its arguments, and evaluated for each state. Some are
   functions of a few expectation values, which are read like those that an observable names. The others read
   the state as a density matrix, so that a task has to collect it.
*/
#pragma once
#include <cospin/observable/density.h>
#include <cospin/problem/moves.h>
#include <cospin/problem/problem.h>

typedef enum {
  COSPIN_NEEDS_MOMENTS,  /* expectation values only */
  COSPIN_NEEDS_DIAGONAL, /* the elements with a trace */
  COSPIN_NEEDS_STATE     /* all elements: all sectors where the state may have some */
} CospinNeeds;

typedef struct CospinFunctional_ *CospinFunctional;

typedef struct {
  CospinNeeds needs;
  const char *help; /* what it is, a few words */
  PetscBool labels; /* reads labels of kets, which single atoms (CospinComponentKind.NumKets) have not */
  /* Not collective. Sets component and number and adds operators. Arguments that are not allowed: `why` gets
     a sentence that says what would be right. */
  PetscErrorCode (*Prepare)(CospinProblem problem, const CospinArgument arguments[],
                            CospinFunctional functional, char why[], size_t why_size);
  /* Not collective. moments[num_operators], of kinds that need no more; the density of others. NaN: it has no
     value; infinite: a block is too large. */
  PetscErrorCode (*Evaluate)(CospinFunctional functional, const double complex moments[],
                             CospinDensity density, double *value);
} CospinFunctionalKind;

struct CospinFunctional_ {
  const CospinFunctionalKind *kind;
  CospinComponent component; /* borrowed; NULL: none */
  double number, second;     /* NaN: left out */
  PetscBool
      part[COSPIN_MAX_COORDINATES]; /* of a bipartition: whether component c is in the part that is named */
  int num_operators;
  CospinPolynomial *operators;
  CospinMoves *moves; /* [num_operators] rho -> A rho; empty if every task is approximate */
};

/* The kind with this name, and the k-th name and kind for the reference (NULL behind the last). */
const CospinFunctionalKind *CospinFunctionalKindOf(const char name[]);
const CospinFunctionalKind *CospinFunctionalKindAt(int k, const char **name);

/* Not collective. A functional as an observable says it. On a fault `why` is not empty and *functional NULL.
 */
PetscErrorCode CospinFunctionalCreate(CospinProblem problem, const char name[],
                                      const CospinArgument arguments[], CospinFunctional *functional,
                                      char why[], size_t why_size);
PetscErrorCode CospinFunctionalDestroy(CospinFunctional *functional);

/* Not collective. For kinds. Takes over the operator. */
PetscErrorCode CospinFunctionalAdd(CospinFunctional functional, CospinPolynomial a);
/* Sets functional->component; `why` if there is none of this name. */
PetscErrorCode CospinFunctionalFindComponent(CospinProblem problem, const char name[],
                                             CospinFunctional functional, char why[], size_t why_size);
/* Sx, Sy and Sz of a component, owned by the caller; `why` if it is no angular momentum, and nothing then. */
PetscErrorCode CospinFunctionalSpin(CospinProblem problem, const char name[], CospinFunctional functional,
                                    CospinPolynomial spin[3], char why[], size_t why_size);
