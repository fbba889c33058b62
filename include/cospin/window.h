/*
   Windows: components whose number of levels the deck leaves open keep as many as the steady state needs.

   The criterion is the leak: the state, found in the window, is put into a larger one, and its residual is
   computed anew with the generator there. It counts everything that the window cuts off.
*/
#pragma once
#include <cospin/point.h>

/* Nothing tells a state that needs more levels from one that has no bound, so this is where windows end. */
#define COSPIN_WINDOW_MAX_LEVELS 20000

/*
   Collective. leak = |L' rho| / (|L| |rho|) with L' the generator on a window that is larger by as many
   levels as its moves can reach; `norm` is |L|. 0 if no window is open. lambda: eigenvalue of rho, 0 for a
   state (a mode leaks |L' x - lambda x|).
*/
PetscErrorCode CospinWindowLeak(CospinPoint point, CospinSpectrum spectrum, Vec rho, double complex lambda,
                                double *leak);
/* Collective. The same of any vector on the sector: |L' x - L x| / (|L| |x|), what the generator carries out
   of the window. */
PetscErrorCode CospinWindowSpill(CospinPoint point, CospinSpectrum spectrum, Vec x, double *spill);

/*
   Not collective. The problem with every open window larger by half, for evolutions: `dimension` is that of
   the largest sector that is evolved now. *larger is NULL if its vectors would not fit into memory or a
   component would have more than 20000 levels; otherwise owned by the caller.
*/
PetscErrorCode CospinWindowLarger(CospinProblem problem, PetscInt64 dimension, CospinProblem *larger);

/*
   Collective. Makes the point's open windows larger by half and derives its problem anew; whatever was solved
   before is dropped. *grown is false, and nothing is changed, if no window is open, the larger problem would
   not fit into memory, or a component would have more than 20000 levels.
*/
PetscErrorCode CospinWindowGrow(CospinPoint point, PetscBool *grown);
