/* The one evolution: vectors that evolve one after the other, each in its sector, how far all that has come,
   and how it is left and gone on with. What they are and what is read from them, its user knows. */
#pragma once
#include <cospin/point/settings.h>
#include <cospin/solver/schedule.h>

/* Who evolves something. All of it is collective; `context` is the evolution's. */
typedef struct {
  /* The vector of a part at time 0, and its generator: both owned by the caller. *u NULL: nothing is there.
   */
  PetscErrorCode (*Open)(void *context, int part, Mat *generator, Vec *u);
  /* Receives it at every time. */
  CospinPropagatorVisit Read;
  /* After each part; NULL: there is nothing to do. */
  PetscErrorCode (*Close)(void *context);
  /* What has been read, and all that it takes to make the context anew in another run. */
  PetscErrorCode (*Save)(void *context, CospinCheckpoint checkpoint);
} CospinEvolutionUser;

typedef struct {
  /* given */
  CospinPoint point;
  const CospinEvolutionUser *user;
  void *context;
  int num_parts, num_times;
  const double *times; /* [num_times] */
  CospinPropagatorOptions options;
  char prefix[64];          /* of PETSc options */
  CospinSchedule *schedule; /* of CospinEvolutionFollow, or NULL */
  /* of all parts that have evolved; sizes of the largest of them */
  int num_evolved, steps, operations, factorisations;
  PetscInt64 dimension, nonzeros; /* nonzeros: 0 if there is no matrix */
  CospinOutcome outcome;          /* COSPIN_NOT_RUN: left */
  /* the part at work */
  int part;
  CospinPropagatorReport report;
  CospinCheckpoint checkpoint; /* of its vector, to go on from; NULL: from time 0. Borrowed */
} CospinEvolution;

/* Not collective. Nothing has evolved yet; what is given is borrowed, but settings of the task. */
PetscErrorCode CospinEvolutionCreate(CospinPoint point, const CospinRecord *task,
                                     const CospinEvolutionUser *user, void *context,
                                     CospinEvolution *evolution);
/* Not collective. Generators are those of `problem`, which may depend on time: if so they are followed. The
   times and the tolerance are known. */
PetscErrorCode CospinEvolutionFollow(CospinEvolution *evolution, CospinProblem problem);
PetscErrorCode CospinEvolutionReset(CospinEvolution *evolution);
/* Collective. To go on from where it was left: `memory` is behind what the user has saved. */
PetscErrorCode CospinEvolutionLoad(CospinEvolution *evolution, CospinCheckpoint checkpoint);
/* Collective. Evolves through all parts, or through those that are left after CospinEvolutionLoad(); it ends
   where one fails, or when the run is to end: then it has been saved. */
PetscErrorCode CospinEvolutionRun(CospinEvolution *evolution);

/* What it took: variables `operations`, `factorisations`, `sectors`, `dimension` and `nonzeros` of a task. */
PetscErrorCode CospinEvolutionStore(const CospinEvolution *evolution, CospinResults results);

/* Collective. The generator as `method` needs it: a matrix for factorisations, otherwise as the deck's
   `operator` says. `held` (NULL: none): it may be this one, of which a reference is returned then. */
PetscErrorCode CospinEvolutionGenerator(CospinPoint point, CospinProblem problem, CospinSector sector,
                                        CospinPropagatorMethod method, Mat held, Mat *generator);
