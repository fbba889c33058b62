/*
   All that is made once for windows of one size: jumps, blocks of kets, observables, initial state. A
   trajectory that comes near the edge of a window goes to the next level and begins again there, so that
   whether it does is its own affair, and the numbers of every trajectory are the same whoever runs it.

   Components whose cutoff is the deck's do not grow: the population of their highest levels is one of the
   values that are averaged, and compared with what the deck accepts.
*/
#include "level.h"

static const double most_bytes = 5e8; /* of blocks that are kept */

static PetscErrorCode create_reads(CospinKetLevel *level)
{
  const CospinObservables all = level->observables;
  int e = 0;

  PetscFunctionBeginUser;
  for (int k = 0; k < all->count; k++) level->num_expectations += all->observables[k].num_expectations;
  PetscCall(PetscMalloc1((size_t)level->num_expectations + 1, &level->reads));
  for (int k = 0; k < all->count; k++) {
    for (int i = 0; i < all->observables[k].num_expectations; i++)
      level->reads[e++] = all->observables[k].expectations[i];
  }
  PetscFunctionReturn(0);
}

/* Whatever is wrong with them has been told by the task's Check. */
static PetscErrorCode create_states(const CospinUnravellingSettings *settings, CospinKetLevel *level)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  PetscCall(CospinStateCreate(level->problem, settings->initial, NULL, &level->initial, &ok));
  PetscCall(CospinKetStateCreate(level->initial, level->kets->lattice, &level->start));
  if (!settings->target) PetscFunctionReturn(0);
  PetscCall(CospinStateCreate(level->problem, settings->target, NULL, &level->target, &ok));
  PetscCall(CospinKetStateCreate(level->target, NULL, &level->goal));
  PetscFunctionReturn(0);
}

/* Order matters: the initial state extends the lattice, by which the space tells blocks apart. */
PetscErrorCode CospinKetLevelCreate(CospinPoint point, const CospinUnravellingSettings *settings,
                                    CospinProblem larger, CospinKetLevel *level)
{
  PetscBool ok;

  PetscFunctionBeginUser;
  *level = (CospinKetLevel){.problem = larger ? larger : point->problem, .observables = point->observables};
  level->owned = (PetscBool)(larger != NULL);
  if (level->owned) PetscCall(CospinObservablesCreate(larger, NULL, &level->observables, &ok));
  PetscCall(create_reads(level));
  PetscCall(CospinKetsCreate(level->problem, &level->kets));
  PetscCall(create_states(settings, level));
  PetscCall(CospinKetSpaceCreate(level->kets, level->num_expectations, level->reads, &level->space));
  level->space->Detach = CospinKetPropagatorDetach;
  for (int b = 0; b < level->space->num_bounded; b++)
    if (level->space->bounds[b].open) level->open = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* In the opposite order. */
PetscErrorCode CospinKetLevelDestroy(CospinKetLevel *level)
{
  PetscFunctionBeginUser;
  PetscCall(CospinKetSpaceDestroy(&level->space));
  PetscCall(CospinKetStateDestroy(&level->start));
  PetscCall(CospinKetStateDestroy(&level->goal));
  PetscCall(CospinKetsDestroy(&level->kets));
  if (level->initial) PetscCall(CospinStateDestroy(&level->initial));
  if (level->target) PetscCall(CospinStateDestroy(&level->target));
  PetscCall(PetscFree(level->goal_ket));
  PetscCall(PetscFree(level->reads));
  if (level->owned) PetscCall(CospinObservablesDestroy(&level->observables));
  if (level->owned) PetscCall(CospinProblemDestroy(&level->problem));
  PetscFunctionReturn(0);
}

/* Between a jump and what follows nothing else points to a block. What is freed is made again if it is
   needed: that costs time and changes no number. */
PetscErrorCode CospinKetLevelTrim(CospinKetLevel *level, CospinKetBlock *block)
{
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  if (level->space->bytes <= most_bytes) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(label, CospinSectorRepresentative((*block)->sector),
                          level->problem->system.num_coordinates));
  PetscCall(CospinKetSpaceClear(level->space));
  level->goal_block = NULL;
  PetscCall(CospinKetSpaceFind(level->space, label, block));
  PetscFunctionReturn(0);
}

/* Not relative to the norm. */
double CospinKetLevelLeak(const CospinKetLevel *level, CospinKetBlock block, const double complex ket[])
{
  double leak = 0.0;

  for (int b = 0; b < level->space->num_bounded; b++)
    if (level->space->bounds[b].open) leak = PetscMax(leak, CospinKetBlockEdge(block, b, ket));
  return leak;
}

/* ---- Values -------------------------------------------------------------------------------------------- */

/* <x|y> */
static double complex overlap(int n, const double complex x[], const double complex y[])
{
  double re = 0.0, im = 0.0;

  for (int i = 0; i < n; i++) {
    re += creal(x[i]) * creal(y[i]) + cimag(x[i]) * cimag(y[i]);
    im += creal(x[i]) * cimag(y[i]) - cimag(x[i]) * creal(y[i]);
  }
  return CMPLX(re, im);
}

/* The pure state of `fidelity` as far as it lies in this block. */
static PetscErrorCode make_goal(CospinKetLevel *level, CospinKetBlock block)
{
  int label[COSPIN_MAX_COORDINATES];

  PetscFunctionBeginUser;
  if (level->goal_block == block) PetscFunctionReturn(0);
  PetscCall(PetscFree(level->goal_ket));
  PetscCall(PetscMalloc1((size_t)block->dimension, &level->goal_ket));
  for (int i = 0; i < block->dimension; i++) {
    CospinSectorLabel(block->sector, i, label);
    level->goal_ket[i] = CospinKetStateAmplitude(level->goal, level->goal->reference, label);
  }
  level->goal_block = block;
  PetscFunctionReturn(0);
}

/* In the order of CospinTrajectory.values; the share of the goal is 0 where there is none. */
PetscErrorCode CospinKetLevelRead(CospinKetLevel *level, CospinKetBlock block, const double complex ket[],
                                  double norm2, double complex work[], double complex values[])
{
  const int n = block->dimension;
  double complex share = 0.0;

  PetscFunctionBeginUser;
  for (int e = 0; e < level->num_expectations; e++) {
    const CospinKetMatrix *read;
    PetscCall(CospinKetBlockRead(level->space, block, e, &read));
    CospinKetMatrixApply(read, ket, work);
    *values++ = overlap(n, ket, work) / norm2;
  }
  if (level->goal) {
    PetscCall(make_goal(level, block));
    share = overlap(n, level->goal_ket, ket);
  }
  *values++ = (creal(share) * creal(share) + cimag(share) * cimag(share)) / norm2;
  for (int b = 0; b < level->space->num_bounded; b++)
    if (!level->space->bounds[b].open) *values++ = CospinKetBlockEdge(block, b, ket) / norm2;
  PetscFunctionReturn(0);
}
