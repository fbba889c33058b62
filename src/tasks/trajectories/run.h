/* How many trajectories, how long, and in which order. */
#pragma once
#include "sample.h"

typedef struct {
  double number, error,
      most;    /* error 0: `number` trajectories; otherwise twice as many until it is reached */
  double span; /* steady: of each; 0: to be found */
  double tolerance;
  PetscBool steady;                      /* no times: averages along each trajectory */
  CospinUnravellingSettings unravelling; /* steady: without times */
  PetscBool store;                       /* the averaged state is collected for functionals, and stored */
  const CospinRecord *task;
  PetscBool recorded;
  CospinRecordsSettings records; /* steady: `from` and `until` are found */
} CospinTrajectoriesPlan;

/* Trajectories of a steady run that nothing else is said of. */
enum { COSPIN_STEADY_NUMBER = 64 };

/* Collective. A CospinTaskKind.Run. */
PetscErrorCode CospinTrajectoriesRun(CospinPoint point, const CospinTrajectoriesPlan *plan,
                                     CospinResults results, CospinOutcome *outcome);

/* Not collective. Faults that need values; *ok becomes false, or stays as it is. */
PetscErrorCode CospinTrajectoriesCheck(CospinProblem problem, const CospinRecord *task,
                                       const CospinTrajectoriesPlan *plan, CospinFaults faults,
                                       PetscBool *ok);
