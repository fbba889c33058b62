/*
   Windows: components whose number of levels the deck leaves open keep as many as the steady state needs.

   The criterion is the leak: the state, found in the window, is put into a larger one, and its residual is
   computed anew with the generator there. It counts everything that the window cuts off.
*/
#pragma once
#include <cospin/point/point.h>

/*
   Not collective; a second at most. Gives coordinates that the deck bounds a window where that leaves out a
   good part of the labels of sectors[num][num_coordinates], those that will be solved in, and is known to
   hold their slow modes; otherwise there is none. PETSc's option -window_least: labels of the largest sector
   from which on there are windows.
*/
PetscErrorCode CospinWindowFit(CospinProblem problem, int num, const int sectors[]);

/* The largest leak that a window of this problem may have, where one of open components alone may have
 * `tolerance`. */
double CospinWindowTolerance(CospinProblem problem, double tolerance);
/* Collective. The rate at which a vector on the sector leaves the window of labels, in the 1-norm and
   relative to it; 0 where there is none. */
PetscErrorCode CospinWindowLoss(CospinEigensolver eigensolver, Vec x, double *loss);
/* Collective. Adds what a window of labels does to the eigenvalue of the right vector x to the error of the
   mode (NaN: not known, and left so where the window does less than rounding). */
PetscErrorCode CospinWindowModeError(CospinEigensolver eigensolver, Vec x, double *error);

/* Nothing tells a state that needs more levels from one that has no bound, so this is where windows end. */
#define COSPIN_WINDOW_MAX_LEVELS 20000

/*
   Collective. leak = |L' rho| / (|L| |rho|) with L' the generator on a window that is larger by as many
   levels as its moves can reach; `norm` is |L|. 0 if no window is open. lambda: eigenvalue of rho, 0 for a
   state (a mode leaks |L' x - lambda x|). In a window of labels: CospinWindowLeakOf, without the residual.
*/
PetscErrorCode CospinWindowLeak(CospinPoint point, CospinEigensolver eigensolver, Vec rho,
                                double complex lambda, double *leak);
/* Collective. The same of any vector on the sector: |L' x - L x| / (|L| |x|), what the generator carries out
   of the window. */
PetscErrorCode CospinWindowLeakOf(CospinPoint point, CospinEigensolver eigensolver, Vec x, double *leak);

/*
   Not collective. The problem with every open window larger by half, for evolutions: `dimension` is that of
   the largest sector that is evolved now. *larger is NULL if its vectors would not fit into memory or a
   component would have more than 20000 levels; otherwise owned by the caller.
*/
PetscErrorCode CospinWindowLarger(CospinProblem problem, PetscInt64 dimension, CospinProblem *larger);

/* Collective. How large the windows of a problem are, for a run that goes on. Load: the problem with those
   windows, the point's own if it has them, otherwise owned by the caller. Restore: the point gets them; what
   was solved in others is dropped. */
PetscErrorCode CospinWindowSave(CospinProblem problem, CospinCheckpoint checkpoint);
PetscErrorCode CospinWindowLoad(CospinPoint point, CospinCheckpoint checkpoint, CospinProblem *problem);
PetscErrorCode CospinWindowRestore(CospinPoint point, CospinCheckpoint checkpoint);

/* By how much windows grow where nothing is known of how much they should. */
#define COSPIN_WINDOW_GROWTH 1.5

/*
   Collective. Makes the point's open windows larger by `factor` > 1 (a level at least) and derives its
   problem anew; whatever was solved before is dropped. `sector`: a label of the sector that will be solved
   in. *grown is false, and nothing is changed, if no window is open, that sector would not fit into memory,
   or a component would have more than 20000 levels.
*/
PetscErrorCode CospinWindowGrow(CospinPoint point, const int sector[], double factor, PetscBool *grown);

/* What the loop below asks of whoever solves something in windows; all ranks must answer alike. */
typedef struct {
  double tolerance; /* largest leak of windows that are large enough */
  /* Collective. Solves in the windows as they are. *leak: what they cut off, or how much has changed since
     they were smaller (infinity the first time); 0 if none is open. *outcome: good on entry; with any other
     they stay as they are. */
  PetscErrorCode (*Solve)(void *context, double *leak, CospinOutcome *outcome);
  /* Collective. Makes them larger; *grown: whether that was possible, otherwise nothing has changed. factor:
     by how much, as the leaks so far tell; whose `leak` is a change takes COSPIN_WINDOW_GROWTH. */
  PetscErrorCode (*Grow)(void *context, double factor, PetscBool *grown);
} CospinWindowUser;

/* Collective. Solves in larger and larger windows until they are large enough. *leak and *outcome are those
   of the last solution, but COSPIN_WINDOW_LIMIT if it is good, leaks, and there are no larger windows. */
PetscErrorCode CospinWindowSettle(const CospinWindowUser *user, void *context, double *leak,
                                  CospinOutcome *outcome);
