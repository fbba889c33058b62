/*
   States as a deck names them, evaluated at one grid point: product states, one state for every component,
   and states that another run has stored (cospin/dataset/stored.h).

   Every kind of component has its own table of states (CospinComponentKind.states); nothing here knows them.
*/
#pragma once
#include <cospin/problem/problem.h>
#include <petscvec.h>

typedef struct {
  const CospinStateName *name;
  void *data; /* what name->Prepare made */
} CospinLocalState;

typedef struct {
  PetscInt64 key; /* the label as one number */
  double complex value;
} CospinStateEntry;

typedef struct CospinState_ {
  const CospinSystem *system; /* borrowed */
  CospinLocalState *factors;  /* [num_components] */
  PetscBool pure;             /* rho = |psi><psi|; of a stored state that is not looked for */
  PetscBool stored;           /* the entries, sorted, instead of the factors */
  PetscInt64 num_entries;
  CospinStateEntry *entries;
} * CospinState;

/*
   Not collective. The state of a setting of type COSPIN_KEY_STATE. Faults: unknown state, wrong number of
   arguments, arguments that the component does not allow; a file that holds no such state or one of other
   components, or one whose trace is not 1. *state is NULL unless *ok. A stored state loses what lies outside
   of windows that are open.
*/
PetscErrorCode CospinStateCreate(CospinProblem problem, const CospinSetting *setting, CospinFaults faults,
                                 CospinState *state, PetscBool *ok);
PetscErrorCode CospinStateDestroy(CospinState *state);

/* Coefficient of the basis element of `label` (see the component's file for its normalisation): rho = sum
   over labels of CospinStateElement(label) |x><y|. */
double complex CospinStateElement(CospinState state, const int label[]);

/*
   Not collective. The sectors where the state has elements: representatives as CospinProblemSectors gives
   them, *num as there. Cost: one pass over the elements that are not zero, some seconds at most. The problem
   may be the state's with a counter: no click has been then.
*/
PetscErrorCode CospinStateSectors(CospinProblem problem, CospinState state, int *num, int **representatives);

/* Collective. u = the state's elements on a sector. */
PetscErrorCode CospinStateVector(CospinState state, CospinSector sector, Vec u);
